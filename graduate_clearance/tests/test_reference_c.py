"""Reference C: seven steps in stages, each with its office; a check-out of three levels; two years' stay.

Nanjing City Vocational College, notice and module guide of 2022.
"""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.graduate_clearance.models.clearance_submission import SubmissionError

from .reference import ReferenceCase

HOUSEHOLD = ["household_stay", "household"]
CHECK_OUT = ["checkout_counsellor", "checkout_college", "checkout_keeper"]


class NanjingCase(ReferenceCase):
    key = "nanjing_city"
    colleges = {"ME": "College of Mechanics", "AR": "College of Arts"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        one = cls(methodName="open")
        cls.member = one.graduate("C1", "ME", ["league_member"], class_="M1", room="North/3/0101")
        cls.party = one.graduate("C2", "ME", ["party_member", "household"], class_="M1", room="North/3/0101")
        cls.bachelor = one.graduate("C3", "AR", ["further_study", "off_campus"], class_="A1")
        cls.students = cls.member | cls.party | cls.bachelor
        one.open()


@tagged("post_install", "-at_install")
class TestReferenceC(NanjingCase):
    # -- who has what --------------------------------------------------------------------------

    def test_who_has_which_steps(self):
        self.assertSteps(
            self.member, ["fees", "card_refund", "library", *CHECK_OUT, "league", "files", "college_check"]
        )
        self.assertSteps(
            self.party,
            [
                "fees",
                "card_refund",
                "library",
                *CHECK_OUT,
                "files",
                "party",
                "household_stay",
                "household",
                "college_check",
            ],
        )
        # Goes on to a bachelor's degree: takes the sealed file along; lives off campus: no check-out.
        self.assertSteps(self.bachelor, ["fees", "card_refund", "library", "files_carried", "college_check"])
        self.assertEqual(
            [(document["name"], document["state"]) for document in self.page(self.bachelor)["documents"]],
            [("Personal file, sealed", "ready")],
        )

    def test_stages(self):
        """The notice's stages, in both languages; what is optional stands apart."""
        for lang, names in (
            (
                "en_US",
                [
                    "Step 1: fees, card and books",
                    "Step 2: check-out of the dormitory",
                    "Step 3: memberships, files, household",
                    "Step 4: college check",
                ],
            ),
            (
                "zh_CN",
                ["步骤1：费用、一卡通、图书", "步骤2：退宿", "步骤3：组织关系、档案、户口", "步骤4：学院核验"],
            ),
        ):
            sections = self.page(self.party, lang)["sections"]
            self.assertEqual([section["name"] for section in sections if section["kind"] == "stage"], names)
            (optional,) = (section for section in sections if section["kind"] == "optional")
            self.assertEqual(
                [step["step_id"] for step in optional["steps"]],
                [self.step("card_refund").id, self.step("household_stay").id],
            )

    def test_each_step_has_its_office_contact_and_window(self):
        """Seven matters, each with office, contact, phone and its own time; some are to be announced."""
        offices = {
            "fees": ("财务处", "白老师", "0000-2201"),
            "league": ("校团委", "兰老师", "0000-2202"),
            "library": ("质量管理与科研处（图书馆）", "舒老师", "0000-2203"),
            "files": ("招生就业处、各二级学院", "尹老师", "0000-2204"),
            "checkout_keeper": ("学生处", "秦老师", "0000-2205"),
            "party": ("组织人事部", "梅老师", "0000-2206"),
            "household": ("后勤与安保处", "容老师", "0000-2207"),
        }
        deadlines = {
            "fees": "2022-06-15 23:59",
            "league": "2022-06-22 17:00",
            "library": "2022-07-02 17:00",
            "checkout_keeper": "2022-06-22 17:00",
        }
        for code, (office, contact, phone) in offices.items():
            student = self.member if code == "league" else self.party
            step = self.page_step(student, code, "zh_CN")
            self.assertEqual((step["responsible"], step["contact"]), (office, contact), code)
            self.assertEqual([number["href"] for number in step["phones"]], [f"tel:{phone.replace('-', '')}"])
            if code in deadlines:
                self.assertEqual(step["deadline"]["iso"][:16], self.then(deadlines[code]).isoformat()[:16], code)
            else:
                self.assertFalse(step["deadline"], code)
            self.assertEqual(step["unannounced"], code in ("files", "party"), code)
        for code in CHECK_OUT:
            step = self.page_step(self.party, code, "zh_CN")
            self.assertEqual((step["responsible"], step["contact"]), ("学生处", "秦老师"), code)
            self.assertEqual(step["deadline"]["iso"][:16], self.then("2022-06-22 17:00").isoformat()[:16], code)
        # Offices work every day of the window, as far as the notice says.
        self.assertEqual(self.page(self.party)["working_days"], "")
        # The line that says who answers for it stands where it is not the desk itself.
        self.assertIn("质量管理与科研处（图书馆）", self.page_step(self.party, "library", "zh_CN")["info"])
        self.assertEqual(self.page_step(self.party, "library", "en_US")["station"], "Library")

    def test_to_be_announced(self):
        """Where the notice names no time yet, the page does not tell the session's either."""
        self.assertEqual(self.page_step(self.party, "party")["turn"], "later")
        # Where the file goes can be said before.
        self.assertEqual(self.page_step(self.party, "files")["action"]["kind"], "send")
        # Announced: the page tells the time, and it is the graduate's turn.
        self.step("party").with_user(self.manager).write(
            {"deadline": fields.Datetime.now() + timedelta(days=3), "to_be_announced": False}
        )
        step = self.page_step(self.party, "party")
        self.assertEqual((step["turn"], step["unannounced"]), ("todo", False))
        self.assertTrue(step["deadline"])

    def test_sealed_file(self):
        """Who goes on to a bachelor's degree has the same office and no time yet."""
        step = self.page_step(self.bachelor, "files_carried", "zh_CN")
        self.assertEqual((step["responsible"], step["unannounced"]), ("招生就业处、各二级学院", True))
        self.assertIn("招生就业处、各二级学院", step["info"])

    # -- by itself, about every hour ---------------------------------------------------------------

    def test_fees_library_and_dorm_tell_by_themselves(self):
        for code in ("fees", "library", "checkout_keeper"):
            self.assertEqual(self.page_step(self.party, code)["figure"]["every"], "updated about every hour", code)
        self.assertEqual(self.hear("library", self.students, quantity=2), ["already"] * 3)
        step = self.page_step(self.party, "library", "zh_CN")
        self.assertEqual(step["figure"]["text"], "2 册")
        self.assertTrue(step["figure"]["as_of"]["text"])
        self.assertIn("2 册", self.page(self.party, "zh_CN")["progress"]["next"] + step["figure"]["text"])
        self.assertEqual(self.hear("library", self.party), ["done"])
        self.assertEqual(self.state(self.party, "library"), "approved")
        # A person does so with a reason only.
        self.assertEqual(self.decide(self.staff("library"), self.member, "library"), "reason_required")
        # The keeper's own system may say so too, but not before the college has looked.
        self.assertEqual(self.hear("checkout_keeper", self.party), ["missing"])

    # -- the check-out -------------------------------------------------------------------------------

    def test_check_out_of_three_levels(self):
        """An application: counsellor, then the secretary of the own college, then the keeper on site."""
        secretary, keeper = self.staff("college_office-ME"), self.staff("dormitory")
        self.assertEqual(self.page_step(self.party, "checkout_counsellor")["action"]["kind"], "send")
        with self.assertRaises(SubmissionError):
            self.send(self.party, "checkout_counsellor", a2=False)  # belongings are still there
        sent = self.send(self.party, "checkout_counsellor", a1=str(self.today()), a3="Key lost")
        # Nobody goes before the one before.
        self.assertEqual(self.missing(secretary, self.party, "checkout_college"), ["checkout_counsellor"])
        self.assertEqual(self.missing(keeper, self.party, "checkout_keeper"), ["checkout_college"])
        for stranger in (secretary, keeper, self.staff("college_office-AR"), self.stranger):
            self.assertEqual(self.decide(stranger, self.party, "checkout_counsellor"), "not_yours")
        # Sent back once, with a reason that the graduate reads.
        self.assertEqual(self.decide(self.counsellor, self.party, "checkout_counsellor", "reject"), "reason_required")
        self.decide(self.counsellor, self.party, "checkout_counsellor", "reject", "The key is missing")
        step = self.page_step(self.party, "checkout_counsellor")
        self.assertEqual((step["reason"], step["action"]["label"]), ("The key is missing", "Correct and send again"))
        sent = self.send(self.party, "checkout_counsellor", a1=str(self.today()), a3="Key found")
        self.assertEqual(self.decide(self.counsellor, self.party, "checkout_counsellor"), "done")
        # The secretary of another college is not asked; the own one reads what was sent.
        self.assertEqual(self.decide(self.staff("college_office-AR"), self.party, "checkout_college"), "not_yours")
        self.assertIn("Key found", self.get_shown(secretary, "college_office-ME"))
        self.assertEqual(self.decide(secretary, self.party, "checkout_college"), "done")
        self.assertIn("Key found", self.get_shown(keeper, "dormitory"))
        self.assertEqual(self.decide(keeper, self.party, "checkout_keeper"), "done")
        # Whom it does not concern reads nothing.
        for stranger in (self.staff("college_office-AR"), self.staff("finance"), self.stranger):
            with self.assertRaises(AccessError):
                sent.with_user(stranger).read(["answers"])

    def get_shown(self, user, station):
        """What a desk shows of what the graduate has sent, as one text."""
        Desk = self.env["clearance.desk"].with_user(user)
        steps = Desk.get_graduate(self.form(self.party).id, self.station(station).id)["steps"]
        return str([step["sent"] for step in steps])

    def test_reopened_by_the_counsellor(self):
        """What the others relied on is looked at once more."""
        for code in CHECK_OUT:
            self.settle(self.party, code)
        self.decide(self.counsellor, self.party, "checkout_counsellor", "reopen", "Stays a week longer")
        for code in CHECK_OUT[1:]:
            self.assertTrue(self.status(self.party, code).needs_review, code)

    # -- card, household --------------------------------------------------------------------------------

    def test_card_refund(self):
        """A form with a bank account; nobody is held up by it."""
        step = self.step("card_refund")
        self.assertFalse(step.required)
        with self.assertRaises(SubmissionError) as caught:
            self.send(self.member, "card_refund", a3="")
        self.assertEqual(
            list(caught.exception.problems),
            step.requirement_ids.filtered(lambda asked: "account" in asked.name).ids[-1:],
        )
        self.send(self.member, "card_refund", a1="Graduate C1", a2="Bank of Test", a3="0000111122223333", a4=True)
        self.assertEqual(self.decide(self.staff("library"), self.member, "card_refund"), "not_yours")
        cashier = self.staff("finance")
        Desk = self.env["clearance.desk"].with_user(cashier)
        steps = Desk.get_graduate(self.form(self.member).id, self.station("finance").id)["steps"]
        (shown,) = (row for row in steps if row["step_id"] == step.id)
        self.assertIn("0000111122223333", str(shown["sent"]))
        self.assertEqual(self.decide(cashier, self.member, "card_refund"), "done")
        self.assertEqual(self.state(self.party, "card_refund"), "optional")

    def test_household_may_stay_two_years(self):
        """Applied for with a pledge; the transfer is deferred with an end date and restricts again after it."""
        office = self.staff("security")
        for code in ["fees", "library", *CHECK_OUT, "files", "party"]:
            self.settle(self.party, code)
        self.assertEqual(self.missing(self.staff("college_office-ME"), self.party, "college_check"), ["household"])
        self.assertIn("Signed pledge", self.step("household_stay").requirement_ids.mapped("name"))
        with self.assertRaises(SubmissionError):
            self.send(self.party, "household_stay", a1="No home address yet", a2=False)
        self.send(self.party, "household_stay", a1="No home address yet")
        self.assertEqual(self.decide(office, self.party, "household_stay"), "done")
        # The office's word lifts nothing by itself: the officer does, for as long as the step says.
        self.assertEqual(self.missing(self.staff("college_office-ME"), self.party, "college_check"), ["household"])
        Deferral = self.env["clearance.deferral"].with_user(self.officer)
        steps = Deferral.get_graduate(self.form(self.party).id)["steps"]
        (row,) = (row for row in steps if row["status_id"] == self.status(self.party, "household").id)
        end = self.today() + relativedelta(months=24)
        self.assertEqual((row["months"], row["date_end"]), (24, str(end)))
        answer = Deferral.lift("key-1", [row["status_id"]], "Pledge signed", row["date_end"])
        self.assertEqual([outcome["code"] for outcome in answer["outcomes"]], ["done"])
        step = self.page_step(self.party, "household")
        self.assertEqual((step["turn"], step["lifted_until"]["iso"]), ("later", str(end)))
        self.settle(self.party, "college_check")
        self.assertEqual((self.form(self.party).state, self.get_open(self.party)), ("deferred", ["household"]))
        self.assertEqual(self.page(self.party)["progress"]["headline"], "Cleared with deferral.")
        with self.at(fields.Datetime.to_datetime(end).replace(hour=12)):
            self.assertTrue(self.status(self.party, "household").is_lifted)
        with self.at(fields.Datetime.to_datetime(end + timedelta(days=1)).replace(hour=12)):
            self.assertFalse(self.status(self.party, "household").is_lifted)
            self.form(self.party)._settle()
            self.assertEqual(self.form(self.party).state, "open")

    # -- windows, duties -----------------------------------------------------------------------------------

    def test_own_windows(self):
        """The League's time is over on the 22nd; the library's is not, nor what has no time of its own."""
        with self.at(self.then("2022-06-22 17:30")):
            self.assertEqual(self.decide(self.staff("league"), self.member, "league"), "too_late")
            self.assertIn("is over", self.page_step(self.member, "league")["turn_text"])
            self.assertEqual(self.decide(self.staff("organisation"), self.party, "party"), "done")
            self.assertEqual(self.decide(self.staff("library"), self.member, "library", "approve", "Paid"), "done")
        with self.at(self.then("2022-07-02 16:30")):
            self.assertEqual(self.page_step(self.member, "card_refund")["action"]["kind"], "send")
        with self.at(self.then("2022-07-02 17:30")):
            self.assertEqual(self.page_step(self.member, "card_refund")["action"]["kind"], "none")
        with self.at(self.then("2022-07-08 17:30")):
            self.assertEqual(self.decide(self.staff("security"), self.party, "household"), "too_late")

    def test_duties(self):
        """A lead office and the colleges jointly, for each of the seven."""
        duties = self.clearance.duty_ids.sorted("sequence")
        self.assertEqual(
            duties.station_id.mapped("code"),
            ["finance", "league", "library", "employment", "dormitory", "organisation", "security"],
        )
        self.assertEqual(set(duties.mapped("with_colleges")), {True})
        self.assertEqual(duties[0].with_context(lang="zh_CN").name, "汇总欠费学生信息，催缴相关费用")

    # -- the whole of it -------------------------------------------------------------------------------------

    def test_until_cleared(self):
        """In any order, but for the check-out; the college looks last."""
        self.assertOrder(
            self.member,
            [
                ["fees", "library", "league", "files", "checkout_counsellor"],
                ["checkout_college"],
                ["checkout_keeper"],
                ["college_check"],
            ],
        )
        self.assertOrder(
            self.party,
            [
                ["fees", "library", "party", "household", "files", "checkout_counsellor"],
                ["checkout_college"],
                ["checkout_keeper"],
                ["college_check"],
            ],
        )
        self.assertOrder(self.bachelor, [["fees", "library", "files_carried"], ["college_check"]])
        self.assertEqual(self.page(self.bachelor)["documents"][0]["state"], "collected")
        self.assertEqual(self.page(self.bachelor)["progress"]["state"], "cleared")
