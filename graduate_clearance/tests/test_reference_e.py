"""Reference E: eight environments in parallel, then the review; working days; what may be made up in two years.

Hunan Nonferrous Metals Vocational and Technical College, notice of 2026.
"""

import json
import re
from datetime import timedelta
from pathlib import Path

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import BaseCase, tagged
from odoo.tools.misc import file_path

from odoo.addons.graduate_clearance.models.clearance_submission import SubmissionError

from .reference import ReferenceCase

ACADEMIC = ["required_courses", "online_courses", "graduation_project", "internship"]
EMPLOYMENT = ["destination", "destination_school", "destination_confirm"]
ROOM = "North/5/0502"


class NonferrousCase(ReferenceCase):
    key = "hunan_nonferrous"
    colleges = {"MET": "Department of Metallurgy", "GEO": "Department of Resources"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        one = cls(methodName="open")
        cls.plain = one.graduate("E1", "MET", class_="M1", room=ROOM)
        cls.mate = one.graduate("E2", "MET", ["league_member"], class_="M1", room=ROOM)
        cls.borrower = one.graduate("E3", "MET", ["party_member", "origin_loan"], class_="M1", room=ROOM)
        cls.overpaid = one.graduate("E4", "GEO", ["fee_refund", "off_campus"], class_="G1")
        cls.students = cls.plain | cls.mate | cls.borrower | cls.overpaid
        one.open()


@tagged("post_install", "-at_install")
class TestReferenceE(NonferrousCase):
    # -- who has what ---------------------------------------------------------------------------------

    def test_who_has_which_steps(self):
        self.assertSteps(self.plain, [*ACADEMIC, "fees", "library", *EMPLOYMENT, "dormitory", "review"])
        self.assertSteps(self.mate, ["league", *ACADEMIC, "fees", "library", *EMPLOYMENT, "dormitory", "review"])
        self.assertSteps(
            self.borrower,
            ["party", *ACADEMIC, "fees", "library", *EMPLOYMENT, "origin_loan", "dormitory", "review"],
        )
        self.assertSteps(self.overpaid, [*ACADEMIC, "fees", "refund_card", "refund", "library", *EMPLOYMENT, "review"])

    def test_environments_are_stages(self):
        sections = self.page(self.borrower, "zh_CN")["sections"]
        self.assertEqual(
            [section["name"] for section in sections if section["kind"] == "stage"],
            [
                "环节2：党组织关系",
                "环节3：教务处",
                "环节4：财务处",
                "环节5：图书馆",
                "环节6：招生就业处",
                "环节7：生源地贷款",
                "环节8：宿舍财产清查",
                "环节9：系部审核",
            ],
        )

    # -- when ---------------------------------------------------------------------------------------------

    def test_working_days(self):
        """The page tells on which days of the window the offices work, holidays left out."""
        self.assertTrue(self.clearance.calendar_id)
        working = self.clearance._get_working_days()
        self.assertTrue(working)
        self.assertFalse([day for day in working if day.weekday() > 4])
        window = [self.today() + timedelta(days=number - 1) for number in range(13)]
        self.assertEqual(working, [day for day in window if day.weekday() < 5])
        holiday = next(day for day in working if day > self.today())
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Dragon Boat Festival",
                "company_id": self.campus.id,
                "calendar_id": self.clearance.calendar_id.id,
                "date_from": f"{holiday - timedelta(days=1)} 16:00:00",
                "date_to": f"{holiday} 15:59:59",
            }
        )
        self.assertEqual(self.clearance._get_working_days(), [day for day in working if day != holiday])
        line = self.page(self.plain, "zh_CN")["working_days"]
        self.assertRegex(line, r"\d+月\d+日")
        self.assertNotEqual(line, "")
        (sheet,) = self.form(self.plain).with_user(self.user(self.plain))._get_sheets()
        self.assertTrue(sheet["visits"][0].startswith("Offices work on "))

    def test_online_before_coming_back(self):
        """On the second day, from afar: what can be sent is sent, and the offices act early."""
        self.send(self.borrower, "destination", a1="Further study", a2="A university")
        self.assertEqual(self.decide(self.staff("departments-MET"), self.borrower, "destination"), "done")
        self.send(self.borrower, "origin_loan")
        self.assertEqual(self.decide(self.counsellor, self.borrower, "origin_loan"), "done")
        # The room is looked at on site, once the days on the campus have begun.
        keeper = self.staff("dormitory")
        self.assertEqual(self.decide(keeper, self.plain, "dormitory"), "too_early")
        step = self.page_step(self.plain, "dormitory")
        self.assertEqual(step["turn"], "later")
        self.assertEqual(step["opens"]["iso"][:16], self.then("2026-06-22 08:30").isoformat()[:16])
        with self.at(self.then("2026-06-22 09:00")):
            self.assertEqual(self.decide(keeper, self.plain, "dormitory"), "done")

    def test_library_closes_earlier(self):
        """On the 25th at 17:00; the others go on until the end."""
        step = self.page_step(self.plain, "library")
        self.assertEqual(step["deadline"]["iso"][:16], self.then("2026-06-25 17:00").isoformat()[:16])
        librarian = self.staff("library")
        with self.at(self.then("2026-06-25 16:59")):
            self.assertEqual(self.decide(librarian, self.mate, "library", "approve", "By courier"), "done")
        with self.at(self.then("2026-06-25 17:01")):
            self.assertEqual(self.decide(librarian, self.plain, "library", "approve", "By courier"), "too_late")
            self.assertIn("is over", self.page_step(self.plain, "library")["turn_text"])
            self.assertEqual(self.decide(self.staff("academic"), self.plain, "internship"), "done")
            # What was returned in time and is heard of later counts.
            self.assertEqual(self.hear("library", self.plain), ["done"])
        self.assertEqual(self.state(self.plain, "library"), "approved")

    # -- memberships, loan -----------------------------------------------------------------------------------

    def test_party_member_hands_in_the_form(self):
        self.assertEqual(self.page_step(self.borrower, "party")["action"]["kind"], "send")
        with self.assertRaises(SubmissionError):
            self.send(self.borrower, "party", a1="A branch", a2=False)
        self.settle(self.borrower, "party")
        # Not a member: nothing to do, and nobody can be made to.
        self.assertEqual(self.page_step(self.plain, "party")["state"], "not_required")

    def test_borrower_uploads_a_signed_confirmation(self):
        user = self.user(self.borrower)
        self.assertEqual(self.decide(user, self.borrower, "origin_loan", "submit"), "not_sent")
        with self.assertRaises(SubmissionError):
            self.send(self.borrower, "origin_loan", a1=("confirmation.txt", b"I have signed"))
        self.send(self.borrower, "origin_loan", a1=("scan.pdf", b"%PDF-1.4\n%%EOF\n"))
        self.assertEqual(self.decide(self.staff("employment"), self.borrower, "origin_loan"), "not_yours")
        self.decide(self.counsellor, self.borrower, "origin_loan", "reject", "No fingerprint")
        self.assertEqual(self.page_step(self.borrower, "origin_loan")["reason"], "No fingerprint")
        self.send(self.borrower, "origin_loan")
        self.assertEqual(self.decide(self.counsellor, self.borrower, "origin_loan"), "done")

    # -- academic affairs ---------------------------------------------------------------------------------------

    def test_conditions_one_by_one(self):
        """Each condition is a step of its own, settled for a class at a time but for those who fail it."""
        self.assertEqual({self.step(code).station_id.code for code in ACADEMIC}, {"academic"})
        for code in ACADEMIC:
            self.assertEqual(self.step(code).deferral_months, 24, code)
            self.assertIn("两年内", self.page_step(self.plain, code, "zh_CN")["info"], code)
            self.assertEqual(self.page_step(self.plain, code)["turn"], "others", "The office looks at its own papers.")
        office = self.staff("academic")
        self.decide(office, self.plain, "online_courses", "reject", "Two electives of three")
        self.assertEqual(self.page_step(self.plain, "online_courses")["turn"], "todo")
        self.assertEqual(self.page_step(self.plain, "online_courses")["reason"], "Two electives of three")
        self.assertEqual(self.state(self.plain, "required_courses"), "pending")

    def test_made_up_within_two_years(self):
        """What is open is deferred for two years: the counsellor reviews the rest, and it comes back."""
        with self.at(self.then("2026-06-23 10:00")):
            for code in self.get_open(self.plain):
                if code not in ("online_courses", "review"):
                    self.settle(self.plain, code)
            self.assertEqual(self.missing(self.counsellor, self.plain, "review"), ["online_courses"])
            Deferral = self.env["clearance.deferral"].with_user(self.officer)
            steps = {row["status_id"]: row for row in Deferral.get_graduate(self.form(self.plain).id)["steps"]}
            row = steps[self.status(self.plain, "online_courses").id]
            end = self.today() + relativedelta(months=24)
            self.assertEqual(row["date_end"], str(end))
            Deferral.lift("key-1", [row["status_id"]], "Repeats the course", row["date_end"])
            self.settle(self.plain, "review")
            self.assertEqual((self.form(self.plain).state, self.get_open(self.plain)), ("deferred", ["online_courses"]))
            self.assertEqual(self.page_step(self.plain, "online_courses")["lifted_until"]["iso"], str(end))
        # Made up a year later, by a manager: the window is over.
        with self.at(self.then("2027-06-23 10:00")):
            self.assertEqual(self.decide(self.staff("academic"), self.plain, "online_courses"), "too_late")
            self.assertEqual(self.decide(self.manager, self.plain, "online_courses"), "done")
            self.assertEqual(self.form(self.plain).state, "cleared")

    def test_not_made_up(self):
        status = self.status(self.plain, "internship")
        end = self.step("internship")._get_deferral_end()
        self.env["clearance.override"].with_user(self.officer).create(
            {"status_id": status.id, "reason": "Repeats the internship", "date_end": end}
        )
        self.assertNotIn("internship", self.missing(self.counsellor, self.plain, "review"))
        with self.at(fields.Datetime.to_datetime(end + timedelta(days=1)).replace(hour=12)):
            missing = status.browse(self.status(self.plain, "review").id)._get_missing()
            self.assertIn(status.step_id.id, [step_id for _station_id, step_id in next(iter(missing.values()))])

    # -- fees, books -----------------------------------------------------------------------------------------------

    def test_fees_settle_by_themselves(self):
        """Arrears of this and earlier years: what the fee system says, and a person with a reason only."""
        self.campus.currency_id = self.env.ref("base.CNY")
        self.hear("fees", self.plain, amount=320.5)
        step = self.page_step(self.plain, "fees", "zh_CN")
        self.assertIn("320.50", step["figure"]["text"])
        self.assertEqual(self.decide(self.staff("finance"), self.plain, "fees"), "reason_required")
        self.assertEqual(self.hear("fees", self.plain), ["done"])
        self.assertFalse(self.page_step(self.plain, "fees")["user"])

    def test_who_answers_for_a_step_of_two_offices(self):
        for student, code, office in (
            (self.overpaid, "refund_card", "所在系部、财务处"),
            (self.plain, "destination", "所在系部"),
            (self.borrower, "origin_loan", "辅导员、学生资助中心"),
        ):
            step = self.page_step(student, code, "zh_CN")
            self.assertEqual(step["responsible"], office)
            self.assertIn(office, step["info"])
        # Else the station does.
        self.assertEqual(self.page_step(self.plain, "dormitory", "zh_CN")["responsible"], "宿管")

    def test_duties(self):
        """Lists of books for each class, of refunds for each department, cards, training."""
        self.assertEqual(
            [(duty.station_id.code, duty.with_colleges) for duty in self.clearance.duty_ids.sorted("sequence")],
            [("library", True), ("finance", True), ("departments", True), ("employment", True)],
        )
        self.assertTrue(all(self.clearance.duty_ids.mapped("deadline")))

    def test_refund_of_what_was_overpaid(self):
        """Finance lists them, the department collects the card, Finance pays; only those on the list."""
        self.assertEqual(self.page_step(self.plain, "refund_card")["state"], "not_required")
        cashier, clerk = self.staff("finance"), self.staff("departments-GEO")
        with self.assertRaises(SubmissionError):
            self.send(self.overpaid, "refund_card", a1="Bank of Test", a2="")
        self.assertEqual(self.missing(cashier, self.overpaid, "refund"), ["refund_card"])
        self.send(self.overpaid, "refund_card", a1="Bank of Test", a2="0000444455556666")
        self.assertEqual(self.decide(self.staff("departments-MET"), self.overpaid, "refund_card"), "not_yours")
        self.assertEqual(self.decide(clerk, self.overpaid, "refund_card"), "done")
        # Finance reads the card that the department has collected, and pays.
        Desk = self.env["clearance.desk"].with_user(cashier)
        steps = Desk.get_graduate(self.form(self.overpaid).id, self.station("finance").id)["steps"]
        (row,) = (step for step in steps if step["step_id"] == self.step("refund").id)
        self.assertIn("0000444455556666", str(row["sent"]))
        self.assertEqual(self.decide(cashier, self.overpaid, "refund"), "done")
        # A trait set later brings the step in.
        self.mate.trait_ids += self.trait("fee_refund")
        self.assertIn("refund_card", self.get_steps(self.mate))

    def test_counsellor_has_the_list_of_unreturned_books(self):
        """What the library says of the own classes, and of no others."""
        self.hear("library", self.plain | self.overpaid, quantity=3)
        self.hear("library", self.mate | self.borrower)
        other = self._create_user("r_counsellor2")
        self.overpaid.class_id.counsellor_id = other
        step = self.step("library")
        domain = [("step_id", "=", step.id), ("is_open", "=", True)]
        for counsellor, student in ((self.counsellor, self.plain), (other, self.overpaid)):
            statuses = self.env["clearance.status"].with_user(counsellor).search(domain)
            self.assertEqual(statuses.sudo().form_id.student_id, student)
        self.assertEqual(self.page_step(self.plain, "library", "zh_CN")["figure"]["text"], "3 册")

    # -- employment ------------------------------------------------------------------------------------------------

    def test_employment_in_two_parts(self):
        """Declared, reviewed by department and school; then confirmed by the graduate."""
        department, school = self.staff("departments-MET"), self.staff("employment")
        user = self.user(self.plain)
        self.assertEqual(self.page_step(self.plain, "destination_confirm")["turn"], "blocked")
        with self.assertRaises(SubmissionError):
            self.send(self.plain, "destination", a1="单位就业", a3=False)
        self.send(self.plain, "destination", a1="单位就业", a2="A mine")
        self.assertEqual(self.decide(school, self.plain, "destination"), "not_yours")
        self.assertEqual(self.missing(school, self.plain, "destination_school"), ["destination"])
        self.assertEqual(self.decide(self.staff("departments-GEO"), self.plain, "destination"), "not_yours")
        self.assertEqual(self.decide(department, self.plain, "destination"), "done")
        # The school reads what was declared to the department.
        Desk = self.env["clearance.desk"].with_user(school)
        steps = Desk.get_graduate(self.form(self.plain).id, self.station("employment").id)["steps"]
        (row,) = (step for step in steps if step["step_id"] == self.step("destination_school").id)
        self.assertIn("A mine", str(row["sent"]))
        self.assertEqual(self.missing_of(self.plain, "destination_confirm"), ["destination_school"])
        self.assertEqual(self.decide(school, self.plain, "destination_school"), "done")
        # Nobody confirms in the graduate's place but the desk that answers for it; ticking is required.
        self.assertEqual(self.decide(user, self.plain, "destination_confirm"), "not_sent")
        with self.assertRaises(SubmissionError):
            self.send(self.plain, "destination_confirm", a1=False)
        self.send(self.plain, "destination_confirm", a1=True)
        self.assertEqual(self.state(self.plain, "destination_confirm"), "approved")

    def test_wrong_destination_is_declared_anew(self):
        """If the information is wrong the declaration goes back, and what relied on it is looked at again."""
        for code in EMPLOYMENT:
            self.settle(self.plain, code)
        self.decide(self.staff("departments-MET"), self.plain, "destination", "reopen", "Another employer")
        self.assertTrue(self.status(self.plain, "destination_school").needs_review)
        self.assertTrue(self.status(self.plain, "destination_confirm").needs_review)
        self.assertEqual(self.page_step(self.plain, "destination")["action"]["kind"], "send")
        self.send(self.plain, "destination", a1="Not employed yet")
        self.decide(self.staff("departments-MET"), self.plain, "destination")
        self.assertEqual(self.decide(self.staff("employment"), self.plain, "destination_school"), "done")
        self.assertEqual(self.get_open(self.plain)[-3:], ["destination_confirm", "dormitory", "review"])

    # -- dormitory --------------------------------------------------------------------------------------------------

    def test_room_mates_together(self):
        """The keeper settles a room at once, and nobody who lives elsewhere."""
        with self.at(self.then("2026-06-23 10:00")):
            batch = (
                self.env["clearance.batch"]
                .with_user(self.staff("dormitory"))
                .create(
                    {
                        "session_id": self.clearance.id,
                        "step_id": self.step("dormitory").id,
                        "room_ids": [Command.set(self.plain.room_id.ids)],
                    }
                )
            )
            batch.action_preview()
            self.assertEqual(batch.todo_count, 3)
            batch.run()
        self.assertEqual(
            [self.state(student, "dormitory") for student in self.students],
            ["approved", "approved", "approved", "not_required"],
        )

    # -- the whole of it ---------------------------------------------------------------------------------------------

    def test_eight_in_parallel_then_nine(self):
        """1 to 8 in any order, but for the two parts of employment; the counsellor looks last."""
        with self.at(self.then("2026-06-23 10:00")):
            before = [code for code in self.get_open(self.borrower) if code != "review"]
            self.assertEqual(self.missing(self.counsellor, self.borrower, "review"), before)
            page = self.page(self.borrower)
            self.assertEqual(len(self.page_step(self.borrower, "review")["blocked_by"]), len(before))
            self.assertEqual(page["progress"]["total"], len(before) + 1)
            for student in self.students:
                parallel = [code for code in self.get_open(student) if code not in ("review", *EMPLOYMENT[1:])]
                self.assertOrder(student, [parallel, ["destination_school"], ["destination_confirm"], ["review"]])
                self.assertEqual(self.page(student)["progress"]["state"], "cleared")


@tagged("post_install", "-at_install")
class TestShippedTexts(BaseCase):
    """What is shipped reads as a campus would write it, and names nobody."""

    #: half-width punctuation beside a Chinese character
    HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,.:;!?()]|[,:;!?()][\u4e00-\u9fff]")
    CHINESE = re.compile(r"[\u4e00-\u9fff]")

    def walk(self, value, path=""):
        """All pairs of a path and a value of a document."""
        yield path, value
        if isinstance(value, dict) and not value.keys() & {"en_US", "zh_CN"}:
            for key, part in value.items():
                yield from self.walk(part, f"{path}.{key}")
        elif isinstance(value, list):
            for number, part in enumerate(value):
                yield from self.walk(part, f"{path}[{number}]")

    def test_texts(self):
        """Every text stands in both languages; Chinese has full-width punctuation; numbers are invented."""
        files = list(Path(file_path("graduate_clearance/data/templates")).glob("*.json"))
        self.assertEqual(len(files), 9)
        for file in files:
            for path, value in self.walk(json.loads(file.read_text(encoding="utf-8"))):
                place = f"{file.name}{path}"
                if path.endswith(".phone"):
                    self.assertRegex(value, r"^0000-\d{4}$", place)
                if isinstance(value, dict) and value.keys() & {"en_US", "zh_CN"}:
                    self.assertEqual(value.keys(), {"en_US", "zh_CN"}, place)
                    self.assertNotRegex(value["en_US"], self.CHINESE, place)
                    self.assertNotRegex(value["zh_CN"], self.HALF_WIDTH, place)
