from odoo import models


class SurveyUserInput(models.Model):
    _inherit = "survey.user_input"

    def _mark_done(self):
        """Settle the steps that this answer was asked for, as the graduate who gave it."""
        result = super()._mark_done()
        for answer in self:
            answer._settle_clearance()
        return result

    def _settle_clearance(self):
        """Approve the graduate's own steps that have this questionnaire, through the gate.

        What the gate refuses (a prerequisite is open, the time has not begun) stays as it is;
        the graduate confirms it on the own page later.
        """
        # sudo: an answer finds the steps and the account of the person who gave it, nobody else's.
        statuses, user = self.sudo()._get_clearance_statuses(), self.sudo()._get_clearance_user()
        if statuses and user:
            own = statuses.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
            own._decide("approve", "portal")

    def _get_clearance_user(self):
        """The graduate's account for the portal; none for staff, to whom the gate would give more rights."""
        return self.partner_id.user_ids.filtered(lambda user: user.share and user.active)[:1]

    def _get_clearance_statuses(self):
        """Steps with this questionnaire on the forms that the graduate has in open sessions."""
        self.ensure_one()
        Status = self.env["clearance.status"]
        if not self.partner_id or self.test_entry:
            return Status
        return Status.search(
            [
                ("form_id.partner_id", "=", self.partner_id.id),
                ("step_id.survey_id", "=", self.survey_id.id),
                ("session_id.state", "=", "open"),
            ]
        )

    def _get_clearance_url(self):
        """Where a graduate goes on from the last page of the questionnaire; empty for others."""
        # sudo: the answer of the person who reads the page.
        forms = self.sudo()._get_clearance_statuses().form_id
        return forms[:1].access_url if len(forms) == 1 else "/my/clearance" if forms else ""
