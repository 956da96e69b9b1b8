"""China University of Geosciences, Wuhan: the student guide, played on the shipped templates."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .reference import ReferenceCase

UNDERGRADUATE = ["books", "equipment", "hospital", "fees", "assets", "employment", "registration_form", "league"]
DOUBLE = [
    "books",
    "thesis",
    "equipment",
    "laboratory_fees",
    "hospital",
    "fees",
    "employment",
    "registration_form",
    "league",
    "archive",
]
SINGLE = ["books", "thesis", "fees", "archive"]


@tagged("post_install", "-at_install")
class TestWuhan(ReferenceCase):
    """Three populations in one campaign: nine, twelve and six items."""

    keys = ("cug_undergraduate", "cug_double_certificate", "cug_single_certificate")
    colleges = {"ENG": "Faculty of Engineering"}

    def setUp(self):
        super().setUp()
        member = ["league_member"]
        self.engineer = self.graduate("B001", "ENG", member, class_="E1", room="South/56/0101")
        self.artist = self.graduate("B002", "ART", ["off_campus"], class_="A1")
        postgraduate = {"level": "postgraduate", "supervisor": True}
        self.geologist = self.graduate("B003", "GEO", member, room="South/56/0102", **postgraduate)
        self.doctor = self.graduate("B004", "ENG", ["checked_out"], **postgraduate)
        self.single = self.graduate("B005", "MAT", ["single_certificate"], **postgraduate)
        self.postponed = self.graduate("B006", "ENG", member, class_="E1")
        self.everybody = self.engineer | self.artist | self.geologist | self.doctor | self.single
        self.college("ENG").lead_ids = self.lead
        self.forms = self.open()

    def enter(self, *students):
        """Answer the questionnaire."""
        for student in students:
            self.send(student, "questionnaire")

    def review(self, *students):
        """The supervisor lets pass, after the questionnaire."""
        self.enter(*students)
        for student in students:
            self.settle(student, "supervisor")

    # -- who has which steps -------------------------------------------------------------------

    def test_nine_twelve_six(self):
        """The questionnaire opens the form, and is none of the items."""
        for student, count in ((self.engineer, 9), (self.geologist, 12), (self.single, 6)):
            self.assertEqual(len(self.get_steps(student)), 1 + count, student.student_number)
        self.assertSteps(self.engineer, ["questionnaire", *UNDERGRADUATE, "dormitory"])
        self.assertSteps(self.geologist, ["questionnaire", "supervisor", *DOUBLE, "dormitory"])
        self.assertSteps(self.single, ["questionnaire", "supervisor", *SINGLE, "dormitory"])

    def test_each_is_in_the_own_session(self):
        for key, students in (
            ("cug_undergraduate", self.engineer | self.artist | self.postponed),
            ("cug_double_certificate", self.geologist | self.doctor),
            ("cug_single_certificate", self.single),
        ):
            self.assertEqual(self.sessions[key].form_ids.student_id, students, key)

    def test_nothing_is_left_to_check_but_people_and_days(self):
        for key, findings in self.findings.items():
            self.assertLessEqual({finding["key"] for finding in findings}, {"days", "unstaffed", "colleges"}, key)

    def test_three_campaigns_share_their_offices(self):
        for code in ("library", "finance", "dormitory"):
            self.assertEqual(len(self.station(code).step_ids.session_id), 3)
        self.assertEqual(self.station("secretary-GEO").name, "School of Earth Sciences: postgraduate secretary")
        self.assertEqual(self.station("student_work-ENG").with_context(lang="zh_CN").name[-5:], "学生工作组")

    def test_steps_by_college(self):
        """Equipment not for arts, economics, languages, sports, Marxism; test fees for those of the laboratory."""
        students = {
            code: self.graduate(f"B1{number:02}", code)
            for number, code in enumerate(("ART", "ECO", "LAN", "SPO", "MAX", "ENG", "GEO"))
        }
        doctors = {
            code: self.graduate(f"B2{number:02}", code, level="postgraduate", supervisor=True)
            for number, code in enumerate(("GEO", "RES", "MAT", "GEM", "LAB", "ENG", "ART"))
        }
        self.open()
        having = {code for code, student in students.items() if "equipment" in self.get_steps(student)}
        self.assertEqual(having, {"ENG", "GEO"})
        having = {code for code, student in doctors.items() if "laboratory_fees" in self.get_steps(student)}
        self.assertEqual(having, {"GEO", "RES", "MAT", "GEM", "LAB"})

    def test_check_out_by_trait(self):
        """A pledge; another paper where one lives off campus; nothing where one has left."""
        for student, steps in (
            (self.engineer, {"dormitory"}),
            (self.artist, {"dormitory_off_campus"}),
            (self.doctor, set()),
        ):
            self.assertEqual(set(self.get_steps(student)) & {"dormitory", "dormitory_off_campus"}, steps)
        for code, paper in (
            ("dormitory", "Signed check-out pledge"),
            ("dormitory_off_campus", "Statement on living off campus"),
        ):
            self.assertEqual(self.step(code).requirement_ids.mapped("name"), [paper])
        # Whoever moves out, or checks out, meanwhile has the other step, or none.
        self.engineer.trait_ids += self.trait("off_campus")
        self.assertIn("dormitory_off_campus", self.get_steps(self.engineer))
        self.engineer.trait_ids += self.trait("checked_out")
        self.assertNotIn("dormitory_off_campus", self.get_steps(self.engineer))
        self.assertNotIn("dormitory", self.get_steps(self.engineer))

    # -- what comes first ----------------------------------------------------------------------------

    def test_the_questionnaire_opens_the_form(self):
        page = self.page(self.geologist)
        self.assertEqual([step["name"] for step in page["first"]], ["Questionnaire", "Supervisor's review"])
        self.assertEqual([section["kind"] for section in page["sections"]], ["first"])
        self.assertEqual(page["later"], 11)
        self.assertEqual(self.page_step(self.engineer, "questionnaire")["action"]["kind"], "send")
        self.assertEqual(self.missing(self.staff("hospital"), self.engineer, "hospital"), ["questionnaire"])
        self.assertEqual(self.missing(self.supervisor, self.geologist, "supervisor"), ["questionnaire"])
        self.enter(self.engineer, self.geologist)
        self.assertEqual(self.state(self.engineer, "questionnaire"), "approved")
        page = self.page(self.engineer)
        self.assertFalse(page["first"])
        self.assertEqual(
            [(section["name"], len(section["steps"])) for section in page["sections"]],
            [("First", 1), ("Items to settle", 9)],
        )
        self.assertFalse(self.missing_of(self.engineer, "hospital"))

    def test_the_supervisor_before_everything(self):
        self.enter(self.geologist, self.engineer)
        others = [code for code in self.get_open(self.geologist) if code != "supervisor"]
        self.assertEqual(others, [*DOUBLE, "dormitory"])
        for code in others:
            self.assertEqual(self.missing_of(self.geologist, code), ["supervisor"], code)
        step = self.page_step(self.geologist, "supervisor")
        self.assertEqual((step["turn"], step["turn_text"]), ("others", "Waits for your supervisor"))
        self.assertEqual(self.page_step(self.geologist, "hospital")["turn"], "blocked")
        # What comes from a source system waits as well.
        self.assertEqual(self.hear("books", [self.geologist]), ["missing"])
        for user in (self.stranger, self.staff("secretary-GEO"), self.staff("supervisor")):
            self.assertEqual(self.decide(user, self.geologist, "supervisor"), "not_yours")
        reason = "The second chapter is not corrected yet"
        self.assertEqual(self.decide(self.supervisor, self.geologist, "supervisor", "reject", reason), "done")
        self.assertEqual(self.page_step(self.geologist, "supervisor")["reason"], reason)
        self.assertEqual(self.missing(self.staff("hospital"), self.geologist, "hospital"), ["supervisor"])
        self.assertEqual(self.decide(self.supervisor, self.geologist, "supervisor"), "done")
        for code in others:
            self.assertFalse(self.missing_of(self.geologist, code), code)
        # Undergraduates have no supervisor to wait for.
        self.assertNotIn("supervisor", self.get_steps(self.engineer))

    def test_another_supervisor_sees_nothing(self):
        other = self._create_user("r_other_supervisor")
        self.doctor.supervisor_id = other
        self.assertEqual(self.env["clearance.form"].with_user(other).search([]).student_id, self.doctor)
        with self.assertRaises(AccessError):
            self.form(self.geologist).with_user(other).read(["state"])

    def test_in_which_order_it_can_finish(self):
        undergraduate = [code for code in UNDERGRADUATE if code != "assets"]
        for student, waves in (
            (self.engineer, [["questionnaire"], [*undergraduate, "dormitory"]]),
            (
                self.artist,
                [
                    ["questionnaire"],
                    ["books", "hospital", "fees", "employment", "registration_form", "dormitory_off_campus"],
                ],
            ),
            (self.geologist, [["questionnaire"], ["supervisor"], [*DOUBLE, "dormitory"]]),
            (
                self.doctor,
                [
                    ["questionnaire"],
                    ["supervisor"],
                    [code for code in DOUBLE if code not in ("laboratory_fees", "league")],
                ],
            ),
            (self.single, [["questionnaire"], ["supervisor"], [*SINGLE, "dormitory"]]),
        ):
            with self.subTest(student=student.student_number):
                self.assertOrder(student, waves)

    def test_assets_are_approved_without_anybody(self):
        """The check on paper was dropped that year: approved online for everybody."""
        status = self.status(self.engineer, "assets")
        self.assertEqual((status.state, status.initial_state), ("approved", "approved"))
        self.enter(self.engineer)
        self.assertTrue(self.page_step(self.engineer, "assets")["settled"])

    # -- who confirms ------------------------------------------------------------------------------------

    def test_who_confirms(self):
        for student, desks in (
            (
                self.engineer,
                {
                    "books": "library",
                    "equipment": "equipment_office",
                    "hospital": "hospital",
                    "fees": "finance",
                    "assets": "assets",
                    "employment": "employment",
                    "registration_form": "student_work-ENG",
                    "league": "student_work-ENG",
                    "dormitory": "dormitory",
                },
            ),
            (
                self.geologist,
                {"laboratory_fees": "key_laboratory", "thesis": "library", "archive": "secretary-GEO"},
            ),
        ):
            for code, station in desks.items():
                self.assertEqual(self.status(student, code).station_id.code, station, code)
        for student in (self.engineer, self.geologist, self.single):
            self.assertNobodyElse(student)

    def test_offices_approve_many_at_once(self):
        self.enter(self.engineer, self.artist)
        hospital = self.staff("hospital")
        batch = (
            self.env["clearance.batch"]
            .with_user(hospital)
            .create(
                {
                    "session_id": self.clearance.id,
                    "step_id": self.step("hospital").id,
                    "college_ids": [Command.set((self.college("ENG") | self.college("ART")).ids)],
                }
            )
        )
        batch.action_preview()
        batch.run()
        codes = {line.form_id.student_number: line.code for line in batch.sudo().line_ids}
        self.assertEqual(codes, {"B001": "done", "B002": "done", "B006": "missing"})

    def test_college_administrators_see_their_own(self):
        """The student-work group sees its undergraduates, the secretary the postgraduates, a lead both."""
        seen = {
            "student_work-ENG": self.engineer | self.doctor | self.postponed,
            "secretary-ENG": self.doctor,
        }
        for station, students in seen.items():
            Form = self.env["clearance.form"].with_user(self.staff(station))
            self.assertEqual(Form.search([]).student_id, students, station)
        self.assertEqual(
            self.env["clearance.form"].with_user(self.lead).search([]).student_id,
            self.engineer | self.doctor | self.postponed,
        )
        figures = self.clearance.with_user(self.lead).get_statistics()
        hospital = [row for row in figures if row["step_id"] == self.step("hospital").id]
        self.assertEqual([(row["due"], row["open"]) for row in hospital], [(2, 2)])
        for row in self.clearance.with_user(self.staff("student_work-ART")).get_statistics():
            self.assertEqual((row["station_id"], row["due"]), (self.station("student_work-ART").id, 1))

    # -- what the graduate sees ------------------------------------------------------------------------------

    def test_reason_and_contact_of_what_did_not_pass(self):
        self.enter(self.engineer)
        self.assertEqual(
            self.decide(self.staff("hospital"), self.engineer, "hospital", "reject", "Bill no. 7 is open"), "done"
        )
        for lang, word, contact in (("en_US", "Rejected", "Ms Mu"), ("zh_CN", None, "穆老师")):
            step = self.page_step(self.engineer, "hospital", lang)
            self.assertEqual((step["state"], step["reason"]), ("rejected", "Bill no. 7 is open"))
            self.assertEqual((step["contact"], step["phone"]), (contact, "0000-3104"))
            if word:
                self.assertEqual(step["word"], word)

    def test_every_step_says_whom_to_ask(self):
        self.enter(*self.everybody)
        for student in self.everybody:
            for lang in ("en_US", "zh_CN"):
                page = self.page(student, lang)
                for step in [step for section in page["sections"] for step in section["steps"]]:
                    self.assertTrue(step["contact"], step["name"])
                    self.assertTrue(step["phone"] or step["mode"] == "supervisor", step["name"])

    def test_source_systems_lag(self):
        self.enter(self.engineer)
        for lang, words in (("en_US", "one working day"), ("zh_CN", "滞后1个工作日")):
            self.assertIn(words, self.page(self.engineer, lang)["instructions"])
        yesterday = fields.Datetime.now() - timedelta(days=1)
        step = self.step("books")
        step.feed_id._hear(step, [{"student_number": "B001", "quantity": 1}], yesterday)
        figure = self.page_step(self.engineer, "books")["figure"]
        self.assertEqual((figure["text"], figure["every"]), ("1 books", "updated about once a day"))
        self.assertEqual((bool(figure["as_of"]), figure["silent"]), (True, False))
        with self.at(fields.Datetime.now() + timedelta(days=3)):
            self.assertTrue(self.page_step(self.engineer, "books")["figure"]["silent"])
        self.assertEqual(self.hear("books", [self.engineer]), ["done"])

    def test_employment_asks_for_the_destination(self):
        self.enter(self.engineer, self.geologist)
        employment = self.page_step(self.engineer, "employment")
        self.assertEqual(employment["action"]["kind"], "send")
        self.send(self.engineer, "employment", a1="协议签约", a2="Lushui Surveying, Wuhan")
        status = self.status(self.engineer, "employment")
        office = self.staff("employment")
        self.assertEqual(status.state, "submitted")
        answers = status.with_user(office).sent[0]["answers"]
        self.assertEqual(
            [answer["value"] for answer in answers][:2], ["Employed, with an agreement", "Lushui Surveying, Wuhan"]
        )
        reason = "The agreement lacks the stamp of the employer"
        self.assertEqual(self.decide(office, self.engineer, "employment", "reject", reason), "done")
        self.assertEqual(self.page_step(self.engineer, "employment")["action"]["label"], "Correct and send again")
        self.settle(self.engineer, "employment")
        # Those who were employed before go back: asked of postgraduates only.
        for key, offered in (("cug_undergraduate", False), ("cug_double_certificate", True)):
            choices = self.step("employment", key).requirement_ids.choice_ids.mapped("name")
            self.assertEqual("Employed before, back to the employer" in choices, offered)

    # -- taken out -------------------------------------------------------------------------------------------

    def test_postponed_graduates_are_taken_out(self):
        self.enter(self.postponed)
        self.assertEqual(self.decide(self.staff("hospital"), self.postponed, "hospital"), "done")
        self.assertEqual(self.clearance.form_count, 3)
        note = "Graduates in December"
        self.postponed.with_user(self.manager).write({"graduation_state": "postponed", "graduation_note": note})
        self.assertEqual(self.form(self.postponed).state, "withdrawn")
        self.assertEqual((self.clearance.form_count, self.clearance.withdrawn_count), (2, 1))
        page = self.page(self.postponed)
        self.assertEqual((page["phase"], page["withdrawn_reason"], page["sections"]), ("withdrawn", note, []))
        self.assertEqual(self.decide(self.staff("equipment_office"), self.postponed, "equipment"), "withdrawn")
        with self.assertRaisesRegex(UserError, "taken out of this session"):
            self.send(self.postponed, "employment")
        # The application was turned down after all: back with what was done before.
        self.postponed.with_user(self.manager).graduation_state = "due"
        self.assertEqual(self.form(self.postponed).state, "open")
        self.assertEqual(self.state(self.postponed, "hospital"), "approved")

    def test_whoever_is_postponed_before_never_comes_in(self):
        late = self.graduate("B007", "ENG", graduation_state="postponed")
        self.open()
        self.assertFalse(self.env["clearance.form"].search([("student_id", "=", late.id)]))

    # -- the whole campaign ------------------------------------------------------------------------------------

    def test_everybody_clears(self):
        self.postponed.with_user(self.manager).graduation_state = "postponed"
        self.enter(*self.everybody)
        for student in self.geologist | self.doctor | self.single:
            self.settle(student, "supervisor")
        for student in self.everybody:
            for code in self.get_open(student):
                self.settle(student, code)
            self.assertEqual(self.form(student).state, "cleared", student.student_number)
            self.assertEqual(self.page(student)["progress"]["headline"], "Everything is settled.")
        for session in self.sessions.values():
            self.assertEqual(session.clearance_rate, 100)
