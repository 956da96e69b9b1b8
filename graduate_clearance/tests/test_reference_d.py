"""Reference D: a preparatory phase with deadlines, a hall with time slots by college, documents by trait.

Guiyang Vocational and Technical College, notice with annex of 2014.
"""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .reference import ReferenceCase

PREPARE = ["fees", "logistics", "dormitory", "academic", "library"]
STAMPS = ["hall_finance", "hall_affairs", "hall_employment", "hall_security"]
#: the notice's own table: college, half-day, heads
TABLE = [
    ("UP", "2014-07-10 09:00", "2014-07-10 12:00", 474),
    ("RT", "2014-07-10 13:00", "2014-07-10 16:30", 298),
    ("IS", "2014-07-10 13:00", "2014-07-10 16:30", 144),
    ("FT", "2014-07-11 09:00", "2014-07-11 12:00", 338),
    ("TO", "2014-07-11 13:00", "2014-07-11 16:30", 146),
    ("BC", "2014-07-11 13:00", "2014-07-11 16:30", 77),
    ("EM", "2014-07-11 13:00", "2014-07-11 16:30", 100),
]


class GuiyangCase(ReferenceCase):
    keys = ("guiyang_higher", "guiyang_secondary")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        one = cls(methodName="open")
        higher = {"level": "higher_vocational"}
        cls.plain = one.graduate("D1", "UP", class_="U1", room="Main/1/0101", **higher)
        cls.member = one.graduate(
            "D2", "RT", ["party_member", "signed_employer", "household", "national_loan"], room="Main/1/0102", **higher
        )
        cls.league = one.graduate("D3", "RT", ["league_member", "off_campus"], class_="R1", **higher)
        cls.young = one.graduate("D4", "UP", ["league_member"], room="Main/1/0103", level="secondary_vocational")
        one.open()

    def prepare(self, student):
        """Settle what comes before the hall."""
        for code in self.get_open(student):
            if self.status(student, code).step_id.stage == "Phase 1: preparations":
                self.settle(student, code)


@tagged("post_install", "-at_install")
class TestReferenceD(GuiyangCase):
    # -- who has what -----------------------------------------------------------------------------

    def test_who_has_which_steps(self):
        hall = ["sheet", "hall_finance", "hall_affairs", "hall_employment", "hall_security"]
        self.assertSteps(self.plain, [*PREPARE, *hall, "diploma"])
        self.assertSteps(
            self.member,
            [
                "party",
                "fees",
                "aid",
                *PREPARE[1:],
                *hall[:4],
                "dispatch",
                "hall_security",
                "household",
                "letter",
                "diploma",
            ],
        )
        self.assertSteps(
            self.league, ["league", "fees", "logistics", "academic", "library", *hall, "letter", "diploma"]
        )

    def test_two_sessions_on_one_campus(self):
        """Higher and secondary vocational clear apart, at the same desks."""
        secondary = self.sessions["guiyang_secondary"]
        self.assertEqual(self.form(self.young).session_id, secondary)
        self.assertEqual(self.clearance.form_ids.student_id, self.plain | self.member | self.league)
        self.assertEqual(secondary.form_ids.student_id, self.young)
        self.assertEqual(
            self.step("fees").station_id, self.step("fees", "guiyang_secondary").station_id, "one finance office"
        )
        self.assertEqual(len(self.env["clearance.college"].search([("company_id", "=", self.campus.id)])), 7)
        self.assertEqual(self.get_steps(self.young)[-2:], ["letter", "diploma"])

    def test_each_campus_runs_its_own(self):
        """Another campus loads the same template: own desks, own graduates, own head count."""
        other = self.env["res.company"].create({"name": "Second campus"})
        other.partner_id.tz = "Asia/Shanghai"
        manager = self._create_user("r_manager2", "group_manager", company_id=other.id, company_ids=other.ids)
        template = self.env["clearance.template"]._get_by_key("guiyang_secondary")
        Session = self.env(user=manager, context={"allowed_company_ids": other.ids})["clearance.session"]
        session, _findings = Session._load_configuration(
            template._get_document(), first_day=self.today(), template=template, company=other
        )
        self.assertEqual(session.company_id, other)
        self.assertFalse(session.step_ids.station_id & self.clearance.step_ids.station_id)
        session.slot_ids.planned_count = 588
        self.assertEqual((session.slot_ids.head_count, session.slot_ids.difference), (0, -588))
        self.assertEqual(self.sessions["guiyang_secondary"].slot_ids.planned_count, 549)
        self.assertEqual(Session.search([]), session)

    # -- the preparatory phase ------------------------------------------------------------------------

    def test_duties_with_deadlines(self):
        """Debts are reported and rosters sent by 30 June; fees are paid by 4 July."""
        june, july = (self.to_utc(self.then(text)) for text in ("2014-06-30 17:00", "2014-07-04 17:00"))
        duties = self.clearance.duty_ids
        reports = duties.filtered(lambda duty: duty.deadline == june)
        self.assertEqual(
            sorted(reports.mapped("station_id.code")),
            ["academic", "affairs", "aid", "dormitory", "finance", "library", "logistics"],
        )
        (rosters,) = reports.filtered("with_colleges")
        self.assertEqual(rosters.station_id, self.station("affairs"))
        self.assertEqual(set((duties - reports).mapped("deadline")), {july})
        self.assertEqual(
            sorted((duties - reports).mapped("station_id.code")),
            ["affairs", "departments", "finance"],
        )
        self.assertIn("督促缴清所有费用", str((duties - reports).with_context(lang="zh_CN").mapped("name")))

    def to_utc(self, moment):
        return moment - timedelta(hours=8)

    def test_fees_are_paid_before(self):
        """Who has not paid by 4 July is not served in the hall."""
        for code in PREPARE:
            self.assertEqual(
                self.page_step(self.plain, code)["deadline"]["iso"][:16],
                self.then("2014-07-04 17:00").isoformat()[:16],
                code,
            )
        for code in PREPARE[1:]:
            self.settle(self.plain, code)
        with self.at(self.then("2014-07-05 09:00")):
            self.assertEqual(self.decide(self.staff("finance"), self.plain, "fees"), "too_late")
            self.assertIn("is over", self.page_step(self.plain, "fees")["turn_text"])
        with self.at(self.then("2014-07-10 10:00")):
            clerk = self.staff("departments-UP")
            self.assertEqual(self.missing(clerk, self.plain, "sheet"), ["fees"])
            self.assertEqual(self.decide(clerk, self.plain, "sheet"), "missing")
            self.assertEqual(self.page_step(self.plain, "sheet")["blocked_by"], ["Finance Office: Pay all fees"])
            # What comes late is the manager's to let through.
            self.assertEqual(self.decide(self.manager, self.plain, "fees"), "done")
            self.assertEqual(self.decide(clerk, self.plain, "sheet"), "done")

    def test_each_step_has_the_window_of_its_phase(self):
        def get_window(step):
            start, end = (self.to_local(step[fname]) for fname in ("open_from", "deadline"))
            return start, end, step.stage

        for key, start, end in (
            ("guiyang_higher", "2014-07-10 09:00", "2014-07-11 16:30"),
            ("guiyang_secondary", "2014-07-09 09:00", "2014-07-09 16:30"),
        ):
            first = (None, self.then("2014-07-04 17:00", key), "Phase 1: preparations")
            second = (self.then(start, key), self.then(end, key), "Phase 2: one-stop hall")
            steps = self.sessions[key].step_ids.sorted("sequence")
            windows = [get_window(step) for step in steps]
            self.assertEqual(windows, [first] * 8 + [second] * 9)
            self.assertEqual(set(steps[8:].mapped("place")), {"Library hall, ground floor"})

    def to_local(self, moment):
        return moment + timedelta(hours=8) if moment else None

    # -- the hall ------------------------------------------------------------------------------------------

    def test_the_table_of_the_notice(self):
        slots = self.clearance.slot_ids
        found = [
            (slot.college_ids.code, slot.open_from, slot.open_until, slot.planned_count, slot.place)
            for slot in slots.sorted("id")
        ]
        self.assertEqual(
            found,
            [
                (code, self.to_utc(self.then(start)), self.to_utc(self.then(end)), heads, "Library hall, ground floor")
                for code, start, end, heads in TABLE
            ],
        )
        self.assertEqual(sum(slots.mapped("planned_count")), 1577)
        # Live: whoever takes part, of these colleges.
        heads = {slot.college_ids.code: (slot.head_count, slot.difference) for slot in slots}
        self.assertEqual((heads["UP"], heads["RT"], heads["BC"]), ((1, -473), (2, -296), (0, -77)))
        self.league.write({"graduation_state": "postponed", "graduation_note": "Repeats a course"})
        slots.invalidate_recordset()
        (rail,) = slots.filtered(lambda slot: slot.college_ids.code == "RT")
        self.assertEqual(rail.head_count, 1)

    def test_own_slot_on_the_page_and_on_paper(self):
        page = self.page(self.member, "zh_CN")
        (slot,) = page["slots"]
        self.assertEqual(slot["iso"][:16], self.then("2014-07-10 13:00").isoformat()[:16])
        self.assertEqual((slot["place"], slot["when"]), ("图书馆一楼大厅", "next"))
        (sheet,) = self.form(self.member).with_user(self.user(self.member))._get_sheets()
        (visit,) = sheet["visits"]
        self.assertIn("Library hall, ground floor", visit)
        self.assertIn("Pay all fees", [row["step"] for row in sheet["rows"]])
        # Everybody of the other session comes on the day before, at the same place.
        (slot,) = self.page(self.young)["slots"]
        self.assertEqual(slot["iso"][:16], self.then("2014-07-09 09:00", "guiyang_secondary").isoformat()[:16])

    def test_wrong_slot_is_told_at_the_desk(self):
        def warnings():
            Desk = self.env["clearance.desk"].with_user(self.staff("security"))
            answer = Desk.get_graduate(self.form(self.member).id, self.station("security").id)
            return {warning["kind"]: warning["text"] for warning in answer["warnings"]}

        self.prepare(self.member)
        with self.at(self.then("2014-07-10 10:00")):  # that of Urban Planning
            self.assertIn("Not the time slot of this college", warnings()["slot"])
            self.assertIn("Library hall", warnings()["slot"])
            self.assertEqual(self.page(self.member)["slots"][0]["when"], "next")
        with self.at(self.then("2014-07-10 14:00")):
            self.assertNotIn("slot", warnings())
            self.assertEqual(self.page(self.member)["slots"][0]["when"], "now")
        with self.at(self.then("2014-07-11 10:00")):
            self.assertEqual(self.page(self.member)["slots"][0]["when"], "past")

    def test_not_before_the_hall_opens(self):
        self.prepare(self.plain)
        clerk = self.staff("departments-UP")
        self.assertEqual(self.decide(clerk, self.plain, "sheet"), "too_early")
        step = self.page_step(self.plain, "sheet")
        self.assertEqual((step["turn"], step["place"]), ("later", "Library hall, ground floor"))
        with self.at(self.then("2014-07-10 09:30")):
            # Each college hands the sheets to its own graduates.
            self.assertEqual(self.decide(self.staff("departments-RT"), self.plain, "sheet"), "not_yours")
            self.assertEqual(self.missing(self.staff("finance"), self.plain, "hall_finance"), ["sheet"])
            self.assertEqual(self.decide(clerk, self.plain, "sheet"), "done")
            self.assertEqual(self.decide(self.staff("finance"), self.plain, "hall_finance"), "done")
        with self.at(self.then("2014-07-11 17:00")):
            self.assertEqual(self.decide(self.staff("affairs"), self.plain, "hall_affairs"), "too_late")

    def test_offices_settle_who_owes_nothing_at_once(self):
        """An office reports the debtors and settles everybody else in one go, by class."""
        librarian = self.staff("library")
        batch = (
            self.env["clearance.batch"]
            .with_user(librarian)
            .create(
                {
                    "session_id": self.clearance.id,
                    "step_id": self.step("library").id,
                    "college_ids": [fields.Command.set((self.college("UP") | self.college("RT")).ids)],
                }
            )
        )
        batch.action_preview()
        debtor = batch.line_ids.filtered(lambda line: line.form_id.student_id == self.league)
        debtor.excluded = True
        batch.run()
        self.assertEqual(
            [self.state(student, "library") for student in (self.plain, self.member, self.league)],
            ["approved", "approved", "pending"],
        )

    # -- documents ------------------------------------------------------------------------------------------

    def test_documents_by_trait(self):
        def documents(student, lang=None):
            return {document["name"]: document["state"] for document in self.page(student, lang)["documents"]}

        self.assertEqual(documents(self.plain), {"Diploma": "after"})
        self.assertEqual(
            list(documents(self.member, "zh_CN")), ["派遣证", "户口迁移证明", "组织关系转移介绍信", "毕业证书"]
        )
        self.assertEqual(list(documents(self.league)), ["Letter of membership transfer", "Diploma"])
        self.assertEqual(list(documents(self.young)), ["Letter of membership transfer", "Diploma"])

    # -- the whole of it ----------------------------------------------------------------------------------------

    def test_until_cleared(self):
        """First phase, sheet, stamps, letter, diploma: each waits for all before it."""
        self.prepare(self.member)
        self.prepare(self.plain)
        with self.at(self.then("2014-07-10 14:00")):
            # The diploma waits for every stamp, the sheet for the whole first phase.
            self.assertEqual(self.get_open(self.plain), ["sheet", *STAMPS, "diploma"])
            self.assertEqual(self.missing(self.staff("departments-UP"), self.plain, "diploma"), ["sheet", *STAMPS])
            self.assertOrder(self.plain, [["sheet"], STAMPS, ["diploma"]])
            self.assertOrder(
                self.member,
                [["sheet"], [*STAMPS, "household"], ["dispatch"], ["letter"], ["diploma"]],
            )
            self.assertEqual({document["state"] for document in self.page(self.member)["documents"]}, {"collected"})
            self.assertEqual(self.page(self.member)["progress"]["headline"], "Everything is settled.")

    def test_secondary_until_cleared(self):
        self.prepare(self.young)
        with self.at(self.then("2014-07-09 10:00", "guiyang_secondary")):
            self.assertOrder(self.young, [["sheet"], STAMPS, ["letter"], ["diploma"]])
