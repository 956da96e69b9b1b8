"""Hunan University of Science and Technology: the operator's manual, played on the shipped templates."""

import re
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import TransactionCase, tagged

from .reference import ReferenceCase

#: what everybody settles before a certificate, and what only some do
OFFICES = [
    "membership",
    "equipment",
    "national_loan",
    "books",
    "student_card",
    "origin_loan",
    "electricity",
    "inventory",
    "network_switch",
    "arrears",
]
EVERYBODY = ["equipment", "books", "student_card", "electricity", "inventory", "arrears"]


class HunanCase(ReferenceCase):
    colleges = {"ME": "College of Mechanics", "CE": "College of Civil Engineering"}

    def batch(self, user, code, **values):
        """Confirm a step in bulk as the screen does; ``{student number: code}``."""
        values = {
            name: [Command.set(value.ids)] if name in ("class_ids", "room_ids", "college_ids") else value
            for name, value in values.items()
        }
        step = self.step(code)
        batch = (
            self.env["clearance.batch"]
            .with_user(user)
            .create({"session_id": step.session_id.id, "step_id": step.id, **values})
        )
        batch.action_preview()
        self.assertFalse(batch.run()["remaining"])
        return {line.form_id.student_number: line.code for line in batch.sudo().line_ids if line.form_id}

    def class_of(self, name):
        return self.env["clearance.class"].search([("name", "=", name), ("company_id", "=", self.campus.id)])

    def figures(self, code, user=None):
        """``(due, of earlier years, not done)`` of a step, over all its desks."""
        step = self.step(code)
        rows = step.session_id.with_user(user or self.manager).get_statistics()
        rows = [row for row in rows if row["step_id"] == step.id]
        return tuple(sum(row[key] for row in rows) for key in ("due", "due_earlier", "open"))


@tagged("post_install", "-at_install")
class TestShippedTexts(TransactionCase):
    """Every shipped template speaks both languages, as a campus would write them."""

    CHINESE = re.compile(r"[\u4e00-\u9fff]")
    #: a comma, colon, semicolon or bracket of another script next to a character
    HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")
    TEXTS = frozenset(
        (
            "name",
            "instructions",
            "stage",
            "place",
            "opening_hours",
            "contact",
            "handout",
            "responsible",
            "description",
            "help",
            "unit",
            "choices",
        )
    )

    def _walk(self, value, path, found):
        if isinstance(value, dict) and "en_US" in value:
            found.append((path, value))
        elif isinstance(value, dict):
            for key, below in value.items():
                if isinstance(below, str) and key in self.TEXTS:
                    found.append((f"{path}.{key}", {"en_US": below}))
                self._walk(below, f"{path}.{key}", found)
        elif isinstance(value, list):
            for number, below in enumerate(value):
                if isinstance(below, str) and path.endswith("choices"):
                    found.append((path, {"en_US": below}))
                self._walk(below, f"{path}[{number}]", found)
        return found

    def test_both_languages(self):
        templates = self.env["clearance.template"].search([("key", "!=", False)])
        self.assertGreaterEqual(len(templates), 9)
        for template in templates:
            texts = self._walk(template._get_document(), template.key, [])
            self.assertGreater(len(texts), 50, template.key)
            for path, text in texts:
                english, chinese = text.get("en_US", ""), text.get("zh_CN", "")
                self.assertTrue(english.strip() and chinese.strip(), path)
                self.assertFalse(self.CHINESE.search(english), f"{path}: {english}")
                self.assertFalse(self.HALF_WIDTH.search(chinese), f"{path}: {chinese}")
                if english[0].isalpha():
                    self.assertTrue(self.CHINESE.search(chinese), f"{path}: {chinese}")

    def test_nobody_is_real(self):
        for template in self.env["clearance.template"].search([("key", "!=", False)]):
            document = template._get_document()
            for entry in document["stations"] + document["steps"]:
                for phone in re.split(r"[/,;、，；]", entry.get("phone") or ""):
                    self.assertRegex(phone.strip(), r"^(0000-\d{4})?$", f"{template.key}: {entry['code']}")
                self.assertFalse(entry.get("operators"), f"{template.key}: {entry['code']}")


@tagged("post_install", "-at_install")
class TestHunanUndergraduates(HunanCase):
    key = "hnust_undergraduate"

    def setUp(self):
        super().setUp()
        everything = ("party_member", "national_loan", "origin_loan", "network_switch", "household")
        self.borrower = self.graduate("A001", "ME", everything, class_="M1", room="2/3/3/0309")
        self.plain = self.graduate("A002", "ME", ["league_member"], class_="M1", room="2/3/3/0309")
        self.mate = self.graduate("A003", "CE", class_="C1", room="2/3/3/0309")
        self.withheld = self.graduate("A004", "CE", ["withheld", "household"], class_="C1")
        self.earlier = self.graduate("A005", "CE", class_="C1", graduation_year=self.clearance.year - 1)
        self.postgraduate = self.graduate("A006", "ME", level="postgraduate")
        self.forms = self.open()

    def test_nothing_is_left_to_check_but_people_and_days(self):
        """What the manager is told after loading: desks are to be staffed, and a day may be a Sunday."""
        self.assertLessEqual({finding["key"] for finding in self.findings[self.key]}, {"days", "unstaffed"})

    # -- who has which steps, and who confirms -------------------------------------------------

    def test_who_has_which_steps(self):
        self.assertEqual(self.forms.student_id, self.borrower | self.plain | self.mate | self.withheld | self.earlier)
        everybody = set(EVERYBODY) | {"deposit", "degree", "graduation", "registration_card"}
        for student, more, less in (
            (
                self.borrower,
                {"membership", "national_loan", "origin_loan", "network_switch", "household_transfer"},
                set(),
            ),
            (self.plain, {"membership"}, set()),
            (self.mate, set(), set()),
            (self.earlier, set(), set()),
            (self.withheld, {"household_transfer", "withheld_certificates"}, {"degree", "graduation"}),
        ):
            with self.subTest(student=student.student_number):
                self.assertEqual(set(self.get_steps(student)), (everybody | more) - less)
        # In the order of the manual.
        self.assertSteps(
            self.borrower,
            [
                "membership",
                "equipment",
                "national_loan",
                "books",
                "deposit",
                "student_card",
                "origin_loan",
                "electricity",
                "inventory",
                "network_switch",
                "arrears",
                "degree",
                "graduation",
                "registration_card",
                "household_transfer",
            ],
        )

    def test_which_desk_takes_whom(self):
        for student, college in ((self.borrower, "ME"), (self.withheld, "CE")):
            for code in ("equipment", "registration_card"):
                station = "college" if code == "equipment" else "certificates"
                self.assertEqual(self.status(student, code).station_id.code, f"{station}-{college}")
        desks = {
            "books": "library",
            "student_card": "student_affairs",
            "origin_loan": "student_affairs",
            "electricity": "utilities",
            "inventory": "dormitory",
            "network_switch": "network",
            "arrears": "finance",
        }
        for code, station in desks.items():
            self.assertEqual(self.status(self.borrower, code).station_id.code, station)
        self.assertEqual(self.status(self.withheld, "withheld_certificates").station_id.code, "academic_affairs")
        self.assertEqual(self.station("college-ME").name, "College of Mechanics: college desk")
        self.assertEqual(
            self.station("certificates-CE").with_context(lang="zh_CN").name, "College of Civil Engineering领取证件"
        )

    def test_nobody_else_confirms(self):
        self.assertNobodyElse(self.borrower)
        self.assertNobodyElse(self.withheld)

    def test_a_college_sees_its_own_graduates_only(self):
        Form = self.env["clearance.form"].with_user(self.staff("college-ME"))
        self.assertEqual(Form.search([]).student_id, self.borrower | self.plain)
        with self.assertRaises(AccessError):
            self.form(self.mate).with_user(self.staff("college-ME")).read(["state"])

    def test_an_operator_of_two_desks(self):
        """Some hold the college's desk and its certificates desk, and switch between them."""
        clerk = self.staff("college-ME")
        self.station("certificates-ME").operator_ids = clerk
        stations = self.env["clearance.desk"].with_user(clerk).get_stations()["stations"]
        self.assertEqual(
            {station["id"] for station in stations}, {self.station("college-ME").id, self.station("certificates-ME").id}
        )

    # -- what blocks what ------------------------------------------------------------------------

    def test_certificates_wait_for_all_offices(self):
        clerk = self.staff("certificates-ME")
        self.assertEqual(self.missing(clerk, self.borrower, "degree"), OFFICES)
        self.assertEqual(self.missing(clerk, self.plain, "graduation"), ["membership", *EVERYBODY])
        academic = self.staff("academic_affairs")
        self.assertEqual(self.missing(academic, self.withheld, "withheld_certificates"), EVERYBODY)
        # Offices wait for nobody.
        for code in OFFICES:
            self.assertFalse(self.missing_of(self.borrower, code), code)

    def test_the_refusal_names_station_and_step(self):
        status = self.status(self.mate, "degree").with_user(self.staff("certificates-CE"))
        for lang, words in (
            (
                "en_US",
                [
                    "College of Civil Engineering: college desk: Return teaching equipment",
                    "Library: Return books",
                    "Student Affairs: Return student card",
                    "Utilities Centre: Clear electricity bill",
                    "Dormitory Centre: Clear room inventory",
                    "Finance Office: Pay arrears",
                ],
            ),
            (
                "zh_CN",
                [
                    "College of Civil Engineering离校点: 归还教学仪器",
                    "图书馆: 归还图书",
                    "学生工作处: 归还学生证",
                    "水电通信中心: 清理电费",
                    "宿管中心: 清理宿舍物品",
                    "财务处: 缴还欠款",
                ],
            ),
        ):
            status = status.with_context(lang=lang)
            ((_outcome, message),) = status._explain(status._decide("approve", "desk"))
            self.assertEqual([line.removeprefix("- ") for line in message.split("\n")[1:]], words)

    def test_in_which_order_it_can_finish(self):
        certificates = ["degree", "graduation", "registration_card"]
        self.assertOrder(self.borrower, [OFFICES, [*certificates, "household_transfer"]])
        self.assertOrder(self.plain, [["membership", *EVERYBODY], certificates])
        self.assertOrder(
            self.withheld, [EVERYBODY, ["registration_card", "household_transfer", "withheld_certificates"]]
        )

    def test_the_deposit_is_as_one_likes(self):
        self.assertEqual(self.state(self.plain, "deposit"), "optional")
        self.assertOrder(self.plain, [["membership", *EVERYBODY], ["degree", "graduation", "registration_card"]])
        self.assertEqual(self.state(self.plain, "deposit"), "optional")
        optional = next(section for section in self.page(self.plain)["sections"] if section["kind"] == "optional")
        self.assertEqual([step["name"] for step in optional["steps"]], ["Deposit refund"])

    # -- library and finance -----------------------------------------------------------------------

    def test_they_settle_by_themselves(self):
        self.assertEqual(self.hear("books", [self.plain, self.mate]), ["done", "done"])
        self.hear("books", [self.borrower], quantity=2)
        self.hear("arrears", [self.borrower], amount=35)
        self.assertEqual(self.state(self.plain, "books"), "approved")
        step = self.page_step(self.borrower, "books")
        self.assertEqual((step["figure"]["text"], step["turn"]), ("2 books", "todo"))
        self.assertEqual(self.page_step(self.borrower, "books", "zh_CN")["figure"]["text"], "2 册")
        self.assertIn("35", self.page_step(self.borrower, "arrears")["figure"]["text"])
        self.assertEqual(self.hear("books", [self.borrower]), ["done"])
        self.assertEqual(self.state(self.borrower, "books"), "approved")
        # Operators do not touch these, or else say why.
        self.assertEqual(self.decide(self.staff("finance"), self.borrower, "arrears"), "reason_required")

    # -- in bulk ---------------------------------------------------------------------------------------

    def test_cards_by_class(self):
        affairs = self.staff("student_affairs")
        done = self.batch(affairs, "student_card", class_ids=self.class_of("M1"))
        self.assertEqual(done, {"A001": "done", "A002": "done"})
        self.assertEqual(self.state(self.mate, "student_card"), "pending")

    def test_rooms_mates_of_two_colleges(self):
        room = self.mate.room_id
        self.assertEqual(room.complete_name, "2-3-3-0309")
        for code, station in (("electricity", "utilities"), ("inventory", "dormitory")):
            done = self.batch(self.staff(station), code, room_ids=room)
            self.assertEqual(done, {"A001": "done", "A002": "done", "A003": "done"})
            # Whoever has no room comes alone.
            self.assertEqual(self.decide(self.staff(station), self.withheld, code), "done")

    def test_scopes_of_the_manual(self):
        for code, scopes in {
            "college": "class college list",
            "student_affairs": "class list",
            "utilities": "room list",
            "dormitory": "room list",
            "network": "",
            "certificates": "class list",
            "academic_affairs": "",
        }.items():
            station = self.station(code)
            allowed = [scope for scope in ("class", "room", "college", "list") if station[f"bulk_{scope}"]]
            self.assertEqual(" ".join(allowed), scopes, code)

    def test_certificates_by_class_leave_out_who_is_not_done(self):
        for code in ["membership", *EVERYBODY]:
            self.settle(self.plain, code)
        done = self.batch(self.staff("certificates-ME"), "degree", class_ids=self.class_of("M1"))
        self.assertEqual(done, {"A001": "missing", "A002": "done"})

    # -- deferral ---------------------------------------------------------------------------------------

    def test_arrears_are_deferred(self):
        for code in EVERYBODY:
            if code != "arrears":
                self.settle(self.mate, code)
        clerk = self.staff("certificates-CE")
        self.assertEqual(self.missing(clerk, self.mate, "degree"), ["arrears"])
        desk = self.env["clearance.deferral"].with_user(self.officer)
        steps = desk.get_graduate(self.form(self.mate).id)["steps"]
        self.assertEqual([step["step"] for step in steps if step["can_lift"]], ["Pay arrears"])
        books = next(step for step in steps if step["step"] == "Return books")
        self.assertEqual(books["why_not"], "This step is settled: it restricts nothing any more.")
        arrears = self.status(self.mate, "arrears")
        desk.lift("key", [arrears.id], "Agreement of the finance office", False)
        for code in ("degree", "graduation", "registration_card"):
            self.assertEqual(self.decide(clerk, self.mate, code), "done")
        self.assertEqual((arrears.state, self.form(self.mate).state), ("pending", "deferred"))
        self.assertEqual(self.page(self.mate)["progress"]["state"], "deferred")
        listed = desk.search_graduates(lifted=True)["rows"]
        self.assertEqual([row["student_number"] for row in listed], ["A003"])
        # Paid at last: it is a settled step like any other, and the form is cleared.
        self.assertEqual(self.hear("arrears", [self.mate]), ["done"])
        self.assertEqual(self.form(self.mate).state, "cleared")

    def test_a_restored_restriction_holds_again(self):
        for code in EVERYBODY:
            if code != "arrears":
                self.settle(self.mate, code)
        clerk = self.staff("certificates-CE")
        Override = self.env["clearance.override"].with_user(self.officer)
        Override._lift([self.status(self.mate, "arrears").id], "Agreement")
        self.assertEqual(self.decide(clerk, self.mate, "degree", dry_run=True), "done")
        Override.search([]).action_restore()
        self.assertEqual(self.missing(clerk, self.mate, "degree"), ["arrears"])

    # -- what is retired, earlier years, figures ----------------------------------------------------------

    def test_the_refund_was_abolished(self):
        refund = self.step("refund")
        self.assertFalse(refund.active)
        self.assertFalse(self.env["clearance.status"].search([("step_id", "=", refund.id), ("is_open", "=", True)]))
        names = [step["name"] for section in self.page(self.plain)["sections"] for step in section["steps"]]
        self.assertNotIn(refund.name, names)
        self.assertNotIn(refund.name, [step["name"] for step in self.page(self.plain)["not_required"]])
        # A campus that refunds takes it up again.
        refund.with_user(self.manager).active = True
        self.clearance.with_user(self.manager)._open()
        self.assertEqual(self.decide(self.staff("finance"), self.plain, "refund"), "done")
        self.assertIn("refund", self.missing(self.staff("certificates-CE"), self.mate, "degree"))

    def test_a_step_retires_while_the_session_is_open(self):
        self.settle(self.borrower, "origin_loan")
        self.step("network_switch").with_user(self.manager).active = False
        self.clearance.with_user(self.manager)._open()
        self.assertEqual(self.state(self.borrower, "network_switch"), "not_required")
        left = [code for code in OFFICES if code not in ("network_switch", "origin_loan")]
        self.assertOrder(self.borrower, [left, ["degree", "graduation", "registration_card", "household_transfer"]])

    def test_figures(self):
        """Due, of earlier years in brackets, not done."""
        self.assertEqual(self.figures("student_card"), (5, 1, 5))
        self.assertEqual(self.figures("degree"), (4, 1, 4))
        self.assertEqual(self.figures("origin_loan"), (1, 0, 1))
        self.settle(self.earlier, "student_card")
        self.assertEqual(self.figures("student_card"), (5, 1, 4))
        # A college's desk sees the figures of its own graduates.
        self.assertEqual(self.figures("equipment", self.staff("college-CE")), (3, 1, 3))
        self.assertEqual(self.figures("equipment", self.staff("college-ME")), (2, 0, 2))
        self.assertEqual((self.clearance.form_count, self.clearance.earlier_year_count), (5, 1))

    def test_an_earlier_year_graduate_clears_like_others(self):
        self.assertTrue(self.form(self.earlier).earlier_year)
        self.assertOrder(self.earlier, [EVERYBODY, ["degree", "graduation", "registration_card"]])
        self.assertEqual(self.clearance.cleared_count, 1)

    # -- what the graduate sees ----------------------------------------------------------------------------

    def test_the_page(self):
        page = self.page(self.borrower)
        self.assertEqual(page["session"], f"{self.clearance.year} undergraduates")
        self.assertEqual(
            [(section["kind"], section["name"], len(section["steps"])) for section in page["sections"]],
            [("stage", "Settle with the offices", 10), ("stage", "Collect certificates", 4), ("optional", "", 1)],
        )
        equipment = self.page_step(self.borrower, "equipment")
        self.assertEqual(
            (equipment["station"], equipment["place"], equipment["contact"], equipment["phone"]),
            (
                "College of Mechanics: college desk",
                "Student work office of your college",
                "Ms Ning",
                "0000-1101",
            ),
        )
        degree = self.page_step(self.borrower, "degree")
        self.assertEqual(degree["turn"], "blocked")
        self.assertEqual(len(degree["blocked_by"]), len(OFFICES))
        documents = {document["name"]: document["state"] for document in page["documents"]}
        self.assertEqual(
            documents,
            {
                "Membership transfer letter": "ready",
                "Degree certificate": "after",
                "Graduation certificate": "after",
                "Registration card": "after",
                "Household transfer certificate": "after",
            },
        )
        self.assertEqual(
            {step["name"] for step in self.page(self.mate)["not_required"]},
            set(
                self.names(
                    [
                        "membership",
                        "national_loan",
                        "origin_loan",
                        "network_switch",
                        "household_transfer",
                        "withheld_certificates",
                    ]
                )
            ),
        )

    def test_the_page_in_chinese(self):
        page = self.page(self.borrower, "zh_CN")
        self.assertEqual(page["session"], f"{self.clearance.year}届本科毕业生离校")
        self.assertEqual([section["name"] for section in page["sections"]], ["办理手续", "领取证件", ""])
        card = self.page_step(self.borrower, "student_card", "zh_CN")
        self.assertEqual((card["name"], card["station"], card["contact"]), ("归还学生证", "学生工作处", "高老师"))

    def test_everybody_clears(self):
        """To the end: whoever is in the session can finish it, whatever the traits."""
        students = self.forms.student_id
        for code in [*OFFICES, "degree", "graduation", "registration_card", "household_transfer"]:
            for student in students:
                if self.status(student, code).is_open:
                    self.settle(student, code)
        self.assertEqual(self.get_open(self.withheld), ["withheld_certificates"])
        self.settle(self.withheld, "withheld_certificates")
        self.assertEqual(self.forms.mapped("state"), ["cleared"] * 5)
        self.assertEqual(self.clearance.clearance_rate, 100)


@tagged("post_install", "-at_install")
class TestHunanPostgraduates(HunanCase):
    """Postgraduates beside the undergraduates of the same campus."""

    keys = ("hnust_postgraduate", "hnust_undergraduate")
    OFFICES = (
        "membership",
        "equipment",
        "personnel_file",
        "defence",
        "books",
        "thesis",
        "innovation",
        "employment",
        "file_review",
        "electricity",
        "inventory",
        "arrears",
    )
    CERTIFICATES = ("degree", "graduation", "registration_card")

    def setUp(self):
        super().setUp()
        self.member = self.graduate("P001", "ME", ["party_member"], level="postgraduate")
        self.other = self.graduate("P002", "CE", level="postgraduate", graduation_year=self.clearance.year - 1)
        self.undergraduate = self.graduate("P003", "ME")
        self.forms = self.open()

    def test_the_offices_are_there_once(self):
        stations = self.env["clearance.station"].search([("code", "!=", False), ("company_id", "=", self.campus.id)])
        self.assertEqual(len(stations.mapped("code")), len(set(stations.mapped("code"))))
        library = self.station("library")
        self.assertEqual(
            {step.session_id for step in library.step_ids}, set(self.sessions.values()), "one library serves both"
        )
        feeds = self.env["clearance.feed"].search([("company_id", "=", self.campus.id)])
        self.assertEqual(sorted(feeds.mapped("name")), ["Fee system", "Library system"])

    def test_who_has_which_steps(self):
        self.assertSteps(self.member, [*self.OFFICES, *self.CERTIFICATES])
        self.assertSteps(self.other, [*self.OFFICES[1:], *self.CERTIFICATES])
        self.assertEqual(self.form(self.member).session_id, self.sessions["hnust_postgraduate"])
        self.assertEqual(self.form(self.undergraduate).session_id, self.sessions["hnust_undergraduate"])
        self.assertNotIn("defence", self.get_steps(self.undergraduate))

    def test_who_confirms(self):
        desks = {
            "personnel_file": "college-ME",
            "defence": "degree_office",
            "thesis": "library",
            "innovation": "graduate_school",
            "employment": "graduate_school",
            "file_review": "graduate_school",
            "degree": "certificates-ME",
        }
        for code, station in desks.items():
            self.assertEqual(self.status(self.member, code).station_id.code, station)
        self.assertNobodyElse(self.member)

    def test_in_which_order_it_can_finish(self):
        before = [code for code in self.OFFICES if code != "file_review"]
        self.assertOrder(self.member, [before, ["file_review"], list(self.CERTIFICATES)])
        self.assertOrder(self.other, [before[1:], ["file_review"], list(self.CERTIFICATES)])

    def test_files_are_looked_at_again_after_the_college(self):
        school = self.staff("graduate_school")
        self.assertEqual(self.missing(school, self.member, "file_review"), ["personnel_file"])
        self.settle(self.member, "personnel_file")
        self.assertEqual(self.decide(school, self.member, "file_review"), "done")

    def test_the_degree_office_confirms_by_college(self):
        office = self.staff("degree_office")
        self.assertEqual(self.batch(office, "defence", college_ids=self.college("ME")), {"P001": "done"})
        self.assertEqual(self.state(self.other, "defence"), "pending")

    def test_thesis_and_destination_are_sent(self):
        for code in ("thesis", "employment"):
            self.assertEqual(self.page_step(self.member, code)["action"]["kind"], "send")
        self.send(self.member, "employment", a1="继续深造", a2="Lushui University")
        self.assertEqual(self.page_step(self.member, "employment")["turn"], "others")
        status = self.status(self.member, "employment")
        answers = status.with_user(self.staff("graduate_school")).sent[0]["answers"]
        self.assertEqual([answer["value"] for answer in answers], ["Further study", "Lushui University", ""])
        self.assertFalse(status.with_user(self.staff("library")).sent)
        school = self.staff("graduate_school")
        self.assertEqual(self.decide(school, self.member, "employment", "reject", "Send the admission letter"), "done")
        self.assertEqual(self.page_step(self.member, "employment")["reason"], "Send the admission letter")
        self.settle(self.member, "employment")
        self.assertIn("thesis", self.missing(self.staff("certificates-ME"), self.member, "degree"))

    def test_figures(self):
        self.assertEqual(self.figures("defence"), (2, 1, 2))
        self.assertEqual(self.figures("membership"), (1, 0, 1))

    def test_windows_move_with_the_year(self):
        session = self.sessions["hnust_postgraduate"]
        first = self.today() - timedelta(days=self.days_in)
        self.assertEqual(session.year, first.year)
        self.assertEqual(session.name, f"{first.year} postgraduates")
        self.assertEqual((session.open_until - session.open_from).days, 25)
