from odoo.tests import HttpCase, tagged

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestTours(ClearanceCommon, HttpCase):
    def test_operator(self):
        """Confirm on the card, reject with a reason, confirm in bulk; every row through the gate."""
        self.open_session()
        self.start_tour("/odoo", "clearance_operator", login=self.affairs.login)
        statuses = self.env["clearance.status"].search([("station_id", "=", self.affairs_office.id)])
        due = statuses.filtered(lambda status: status.state != "not_required")
        self.assertEqual(set(due.mapped("state")), {"approved"})
        self.assertEqual(due.user_id, self.affairs)
        log = self.env["clearance.log"].search([("user_id", "=", self.affairs.id)], order="id")
        self.assertEqual(log.mapped("action"), ["approve", "reject", *["approve"] * 6])
        self.assertEqual(log.mapped("door"), ["kanban", "kanban", *["list"] * 6])
        self.assertEqual(log[1].reason, "Items are missing or damaged")

    def test_prerequisite(self):
        """A confirmation that lacks a prerequisite is refused with station and step named."""
        self.open_session()
        self.start_tour("/odoo", "clearance_prerequisite", login=self.mech_clerk.login)
        self.assertEqual(self.status(self.students[0], self.degree).state, "pending")
        self.assertFalse(self.env["clearance.log"].search([("user_id", "=", self.mech_clerk.id)]))

    def test_manager(self):
        """From nothing to an open session, with what opening does shown before."""
        self.start_tour("/odoo", "clearance_manager", login=self.manager.login)
        session = self.env["clearance.session"].search([("name", "=", "Sports session")])
        self.assertEqual(session.state, "open")
        self.assertEqual(session.form_count, 6)
        self.assertEqual(session.step_ids.station_id.operator_ids, self.affairs)


@tagged("post_install", "-at_install", "-standard", "click_all")
class TestClickEverywhere(ClearanceCommon, HttpCase):
    """Odoo's clickbot: every menu, view and filter of the application, as two roles.

    Takes minutes; ``--test-tags click_all/graduate_clearance`` runs it.
    """

    allow_end_on_form = True

    def _click_everywhere(self, user):
        self.open_session()
        self.browser_js(
            "/odoo",
            "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
            ".startClickEverywhere('graduate_clearance.clearance_menu');",
            "odoo.isReady === true",
            login=user.login,
            timeout=1200,
            success_signal="clickbot test succeeded",
        )

    def test_manager(self):
        self._click_everywhere(self.manager)

    def test_operator(self):
        self._click_everywhere(self.affairs)
