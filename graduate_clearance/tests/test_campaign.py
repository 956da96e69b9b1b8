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

    def test_size_is_checked(self):
        for size in (0, MOST + 1):
            with self.assertRaises(UserError):
                Campus(self.env, size)

    def test_one_campus_a_company(self):
        Campus(self.env, 1).build_roster()
        with self.assertRaises(UserError):
            Campus(self.env, 1).build_roster()
