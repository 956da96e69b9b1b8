import logging

from odoo.exceptions import UserError
from odoo.tests.common import TransactionCase, tagged

from ..demo.campus import MOST, Campus
from ..demo.people import _CHECK_DIGITS, _CHECK_WEIGHTS
from .campaign import Campaign

_logger = logging.getLogger(__name__)


class CampusCommon(TransactionCase):
    """A company of its own to make a campus in; forms settle at once, as no commit comes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classPatch(cls.registry["clearance.form"], "_settle_after_commit", lambda forms: forms._settle())
        cls.company = cls.env["res.company"].create({"name": "Test Campus"})
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.company.ids))
        # Hashing passwords slowly is not what is tested here.
        cls.env["ir.config_parameter"].sudo().set_param("password.hashing.rounds", "1000")


@tagged("post_install", "-at_install")
class TestCampaign(CampusCommon):
    def test_everybody_clears(self):
        """The whole campaign at small size; bin/bench --only campaign plays it at 7,653."""
        campus = Campus(self.env, 120)
        campus.build_roster()
        campaign = Campaign(campus)
        campaign.play()
        _logger.info("campaign of %s:\n%s", campus.size, campaign.describe())


@tagged("post_install", "-at_install")
class TestCampus(CampusCommon):
    def _describe(self, size, seed):
        """Make a roster, tell what is in it, and undo it."""
        with self.env.cr.savepoint() as savepoint:
            campus = Campus(self.env, size, seed)
            campus.build_roster()
            roster = [
                (
                    student.student_number,
                    student.name,
                    student.id_number,
                    student.class_id.name,
                    student.room_id.complete_name,
                    sorted(student.trait_ids.mapped("code")),
                )
                for student in campus.students
            ]
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return roster

    def test_same_size_and_seed_same_campus(self):
        first = self._describe(40, 1)
        self.assertEqual(len(first), 40)
        self.assertEqual(self._describe(40, 1), first)
        self.assertNotEqual(self._describe(40, 2), first)

    def test_nobody_is_real(self):
        for number, _name, id_number, *_rest in self._describe(40, 1):
            weighted = sum(int(digit) * weight for digit, weight in zip(id_number, _CHECK_WEIGHTS, strict=False))
            self.assertTrue(id_number.startswith("990000"), number)
            self.assertNotEqual(id_number[17], _CHECK_DIGITS[weighted % 11], number)

    def test_tiny_campuses(self):
        for size in (1, 2, 3, 5):
            with self.subTest(size=size), self.env.cr.savepoint() as savepoint:
                campus = Campus(self.env, size)
                listed = campus.build()["users"]
                self.assertEqual(campus.session.form_count + campus.session.withdrawn_count, size)
                self.assertEqual(len(listed), 13 + min(size, 3))
                savepoint.rollback()
            self.env.invalidate_all(flush=False)

    def test_demo_campus_lives(self):
        """Every role can log in, and there is something of everything to see."""
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["clearance.demo"].generate(60)
        session = self.env["clearance.session"].search([("company_id", "=", self.company.id)])
        forms = self.env["clearance.form"].search([("session_id", "=", session.id)])
        self.assertEqual(set(forms.mapped("state")), {"open", "cleared", "deferred", "withdrawn"})
        states = set(forms.status_ids.mapped("state"))
        self.assertEqual(states, {"pending", "submitted", "rejected", "approved", "optional", "not_required"})
        self.assertTrue(self.env["clearance.override"].search([("in_force", "=", True)]))
        station = session.step_ids.station_id.filtered(lambda station: station.code == "library")
        self.assertEqual(station.with_context(lang="zh_CN").name, "图书馆")
        self.assertEqual(station.with_context(lang="en_US").name, "Library")

    def _describe_days(self, size):
        """Build a campus, tell what graduates have sent and source systems said, and undo it."""
        with self.env.cr.savepoint() as savepoint:
            campus = Campus(self.env, size)
            campus.build()
            sendings = self.env["clearance.submission"].search(
                [("form_id.session_id", "=", campus.session.id)], order="id"
            )
            sent = [
                (
                    sending.form_id.student_id.student_number,
                    sending.step_id.name,
                    sending.number,
                    sending.state,
                    [
                        (row["label"], row["value"], [file["name"] for file in row["files"]])
                        for row in sending._get_answer_rows()
                    ],
                    sending.file_ids.attachment_id.mapped("checksum"),
                )
                for sending in sendings
            ]
            owed = [
                (step.name, figure.status_id.student_number, figure.quantity, figure.amount)
                for step in campus.session.step_ids
                for figure in self.env["clearance.figure"].search([("status_id.step_id", "=", step.id)], order="id")
            ]
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return sent, owed

    def test_same_first_days(self):
        sent, owed = self._describe_days(60)
        self.assertEqual(self._describe_days(60), (sent, owed))
        self.assertEqual({row[3] for row in sent}, {"sent", "past"})
        self.assertTrue(any(quantity for _step, _number, quantity, _amount in owed))

    def test_graduates_side_of_the_demo(self):
        """What a step can ask for, in both languages; papers, a question with its answer, places in the hall."""
        self.env["res.lang"]._activate_lang("zh_CN")
        campus = Campus(self.env, 60, lang="zh_CN")
        campus.build()
        steps = campus.session.step_ids
        requirements = steps.requirement_ids
        self.assertEqual(
            set(requirements.mapped("kind")), {"char", "text", "float", "date", "selection", "boolean", "file"}
        )
        for record in (*requirements, *requirements.choice_ids, *campus.feeds.values(), *campus.session.slot_ids):
            fname = "name" if "name" in record else "place"
            english, chinese = (record.with_context(lang=lang)[fname] for lang in ("en_US", "zh_CN"))
            self.assertTrue(english and chinese and english != chinese, f"{record}: {english}")
        self.assertTrue(all(name.endswith(".pdf") for name in requirements.mapped("template_name") if name))
        self.assertGreaterEqual(len(steps.filtered("handout")), 5)
        self.assertTrue(steps.station_id.filtered("map_url"))
        self.assertEqual(campus.session.slot_ids.college_ids, campus.colleges)
        inquiry = self.env["clearance.inquiry"].search([("session_id", "=", campus.session.id)])
        self.assertEqual((inquiry.said_count, inquiry.waiting), (2, False))
        self.assertFalse(self.env["mail.mail"].search([("model", "=", "clearance.inquiry")]), "nothing leaves the demo")
        first = campus.students[0]
        loan, destination = (
            self.env["clearance.status"].search(
                [("form_id.student_id", "=", first.id), ("step_id", "=", campus.steps[key].id)]
            )
            for key in ("national_loan", "destination")
        )
        self.assertEqual((loan.state, destination.state), ("submitted", "rejected"))
        self.assertEqual(destination.reason, "请填写单位所在城市")

    def test_size_is_checked(self):
        for size in (0, MOST + 1):
            with self.assertRaises(UserError):
                Campus(self.env, size)

    def test_one_campus_a_company(self):
        Campus(self.env, 1).build_roster()
        with self.assertRaises(UserError):
            Campus(self.env, 1).build_roster()
