from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from .common import ClearanceCommon


class TestDuty(ClearanceCommon):
    """The table of responsibilities, with its deadlines (Nanjing City, Guiyang)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        now = fields.Datetime.now()
        cls.report, cls.gowns, cls.check = cls.env["clearance.duty"].create(
            [
                {
                    "name": "Report debts",
                    "session_id": cls.clearance.id,
                    "station_id": cls.finance.id,
                    "deadline": now - timedelta(days=1),
                },
                {"name": "Hand out gowns", "session_id": cls.clearance.id, "station_id": cls.affairs_office.id},
                {
                    "name": "Check accounts",
                    "session_id": cls.clearance.id,
                    "station_id": cls.affairs_office.id,
                    "with_colleges": True,
                    "deadline": now + timedelta(days=1),
                },
            ]
        )
        cls.duties = cls.report | cls.gowns | cls.check

    def find(self, *domain, user=None):
        domain = [("session_id", "=", self.clearance.id), *domain]
        return self.env["clearance.duty"].with_user(user or self.manager).search(domain).sudo()

    def test_states(self):
        self.assertEqual(self.duties.mapped("state"), ["overdue", "open", "open"])
        self.assertEqual(self.find(("state", "=", "overdue")), self.report)
        self.assertEqual(self.find(("state", "=", "open")), self.gowns | self.check)
        self.report.with_user(self.cashier).action_done()
        self.assertEqual(self.report.state, "done")
        self.assertEqual(self.find(("state", "!=", "done")), self.gowns | self.check)
        self.assertEqual(self.find(("state", "=", "done")), self.report)
        self.assertFalse(self.find(("state", "=", "overdue")))
        self.assertEqual(self.find(("state", "in", ["done", "open"])), self.duties)

    def test_who_and_when(self):
        duty = self.report.with_user(self.cashier)
        duty.action_done()
        self.assertEqual(self.report.done_by_id, self.cashier)
        self.assertTrue(self.report.done_at)
        note = self.clearance.message_ids[0]
        self.assertIn("Report debts", note.body)
        self.assertEqual(note.author_id, self.cashier.partner_id)
        self.report.with_user(self.manager).action_done()
        self.assertEqual(self.report.done_by_id, self.cashier, "said already")
        duty.action_undo()
        self.assertFalse(self.report.done_by_id or self.report.done_at)
        self.assertIn("Not done after all", self.clearance.message_ids[0].body)

    def test_mine(self):
        for user, duties in (
            (self.cashier, self.report),
            (self.affairs, self.gowns | self.check),
            (self.lead, self.check),
            (self.manager, self.env["clearance.duty"]),
            (self.counsellor, self.env["clearance.duty"]),
        ):
            with self.subTest(user.login):
                self.assertEqual(self.find(("is_mine", "=", True), user=user), duties)
                self.assertEqual(self.find(("is_mine", "=", False), user=user), self.duties - duties)
                self.assertEqual(self.duties.with_user(user).filtered("is_mine").sudo(), duties)

    def test_who_may_mark(self):
        for user, duties in (
            (self.cashier, self.report),
            (self.affairs, self.gowns | self.check),
            (self.lead, self.check),
            (self.manager, self.duties),
            (self.counsellor, self.env["clearance.duty"]),
            (self.auditor, self.env["clearance.duty"]),
            (self.mech_clerk, self.env["clearance.duty"]),
        ):
            for duty in self.duties:
                with self.subTest(user=user.login, duty=duty.name):
                    as_user = duty.with_user(user)
                    self.assertEqual(as_user.can_mark, duty in duties)
                    if duty in duties:
                        as_user.action_done()
                        as_user.action_undo()
                        continue
                    for act in (as_user.action_done, as_user.action_undo):
                        with self.assertRaises(AccessError) as caught:
                            act()
                        self.assertIn(duty.station_id.name, str(caught.exception))
        self.assertFalse(self.find(("state", "=", "done")))

    @mute_logger("odoo.models")
    def test_access(self):
        values = {"name": "X", "session_id": self.clearance.id, "station_id": self.finance.id}
        for user in (self.cashier, self.lead, self.counsellor, self.auditor):
            with self.subTest(user.login):
                self.assertEqual(self.find(user=user), self.duties, "read by staff, also before the session opens")
                for act in (
                    lambda user=user: self.report.with_user(user).write({"name": "X"}),
                    lambda user=user: self.report.with_user(user).write({"done_at": "2026-06-01"}),
                    lambda user=user: self.report.with_user(user).unlink(),
                    lambda user=user: self.report.with_user(user).create(values),
                ):
                    with self.assertRaises(AccessError):
                        act()
        for user in (self.stranger, self.graduate):
            for act in (
                lambda user=user: self.find(user=user),
                lambda user=user: self.report.with_user(user).action_done(),
                lambda user=user: self.report.with_user(user).read(["name"]),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    act()
        duty = self.report.with_user(self.manager)
        duty.write({"name": "Report all debts"})
        for vals in ({"done_at": "2026-06-01"}, {"done_by_id": self.cashier.id}):
            with self.assertRaises(AccessError) as caught:
                duty.write(vals)
            self.assertIn("Not Done", str(caught.exception))
        with self.assertRaises(AccessError):
            duty.create({**values, "done_at": "2026-06-01"})

    def test_other_campus(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        user = self._create_user("t_elsewhere", "group_manager")
        user.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        duty = self.report.with_user(user).with_context(allowed_company_ids=other.ids)
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            duty.action_done()

    def test_closed(self):
        self.open_session()
        self.clearance.action_close()
        values = {"name": "X", "session_id": self.clearance.id, "station_id": self.finance.id}
        self.assertFalse(self.report.with_user(self.manager).can_mark)
        for act in (
            self.report.with_user(self.cashier).action_done,
            self.report.with_user(self.manager).action_done,
            lambda: self.report.with_user(self.manager).write({"name": "X"}),
            lambda: self.report.with_user(self.manager).update_field_translations("name", {"en_US": "X"}),
            lambda: self.report.with_user(self.manager).unlink(),
            lambda: self.env["clearance.duty"].with_user(self.manager).create(values),
        ):
            with self.assertRaises(UserError) as caught:
                act()
            self.assertIn("closed", str(caught.exception))

    def test_copy(self):
        """The next year has the same duties, none of them done."""
        self.report.with_user(self.cashier).action_done()
        twin = self.clearance.copy()
        self.assertEqual(set(twin.duty_ids.mapped("name")), set(self.duties.mapped("name")))
        self.assertFalse(twin.duty_ids.filtered("done_at"))

    def test_queries(self):
        def read(duties):
            self.env.flush_all()
            self.env.invalidate_all()
            duties.mapped("can_mark")
            duties.mapped("state")

        def measure(duties):
            with self.assertQueryCount(9):
                read(duties)

        duties = self.env["clearance.duty"].create(
            [
                {"name": str(number), "session_id": self.clearance.id, "station_id": self.finance.id}
                for number in range(12)
            ]
        )
        read(duties.with_user(self.cashier))  # what is kept for all who follow
        measure(duties[:2].with_user(self.cashier))
        measure(duties.with_user(self.cashier))
