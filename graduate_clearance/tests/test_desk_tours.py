from functools import wraps

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestDeskTours(ClearanceCommon, HttpCase):
    """The operator's desk in a real browser; what was written is looked at afterwards."""

    def _get_log(self, user):
        return self.env["clearance.log"].search([("user_id", "=", user.id)], order="id")

    def test_morning(self):
        """Search, confirm, undo, reject with a preset, reopen, switch the station, be refused."""
        self.mech_desk.operator_ids = [Command.link(self.affairs.id)]
        self.open_session()
        self.start_tour("/odoo/clearance-desk", "clearance_desk_morning", login=self.affairs.login)
        first, second = self.students[:2]
        decided = self.status(first, self.card) | self.status(first, self.loan)
        self.assertEqual(decided.mapped("state"), ["approved", "approved"])
        self.assertEqual(decided.user_id, self.affairs)
        self.assertEqual(self.status(second, self.card).state, "pending")
        self.assertEqual(self.status(second, self.degree).state, "pending")
        log = self._get_log(self.affairs)
        self.assertEqual(
            log.mapped("action"),
            ["approve", "approve", "undo", "undo", "approve", "approve", "reject", "reopen"],
        )
        self.assertEqual(set(log.mapped("door")), {"desk"})
        self.assertEqual(log[-2:].mapped("reason"), ["Items are missing or damaged", "Confirmed by mistake"])

    def test_scan(self):
        """A scanner that types: open and Enter, then the fast mode with its undo."""
        self.open_session()
        self.start_tour("/odoo/clearance-desk", "clearance_desk_scan", login=self.affairs.login)
        states = [self.status(student, self.card).state for student in self.students[:4]]
        self.assertEqual(states, ["approved", "pending", "approved", "approved"])
        self.assertEqual(self.status(self.students[0], self.loan).state, "approved")
        log = self._get_log(self.affairs)
        by_student = {
            student: log.filtered(lambda line, student=student: line.form_id.student_id == student)
            for student in self.students[:4]
        }
        self.assertEqual(by_student[self.students[2]].mapped("door"), ["desk"])
        self.assertEqual(by_student[self.students[0]].mapped("action"), ["approve", "approve"])
        self.assertEqual(by_student[self.students[1]].mapped("action"), ["approve", "undo"])
        self.assertEqual(set((log - by_student[self.students[2]]).mapped("door")), {"scan"})

    def test_colleagues(self):
        """Two operators on one graduate at once: the second hears that it is done, nothing is done twice."""
        colleague = self._create_user("t_colleague")
        self.affairs_office.operator_ids = [Command.link(colleague.id)]
        self.open_session()
        status = self.status(self.students[1], self.card)
        desk = type(self.env["clearance.desk"])
        decide = desk.decide

        @wraps(decide)
        def decide_second(model, *args, **kwargs):
            model.env["clearance.status"].browse(status.id).with_user(colleague)._decide("approve", "desk")
            return decide(model, *args, **kwargs)

        self.patch(desk, "decide", decide_second)
        self.start_tour("/odoo/clearance-desk", "clearance_desk_colleagues", login=self.affairs.login)
        self.assertEqual(status.state, "approved")
        self.assertEqual(status.user_id, colleague)
        self.assertFalse(self._get_log(self.affairs))
        self.assertEqual(len(self._get_log(colleague)), 1)
