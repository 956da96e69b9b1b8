from odoo import models
from odoo.tools import SQL


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _update_roster(self, students=None, steps=None, add_latecomers=False, fresh=False):
        """Graduates who have answered before they got their form need not answer again."""
        # Asked before: the steps are in the cache then.
        has_survey = bool(self.step_ids.survey_id)
        result = super()._update_roster(students, steps, add_latecomers, fresh)
        if has_survey:
            self._settle_answered(students)
        return result

    def _settle_answered(self, students=None):
        """Settle what is answered already and nobody has decided on, in one decision of the gate.

        :param students: only look at these graduates
        """
        which = SQL("status.session_id = %s AND status.state IN ('pending', 'optional')", self.id)
        which = SQL("%s AND status.active IS TRUE AND status.decided_at IS NULL", which)
        if students is not None:
            which = SQL(
                "%s AND status.form_id IN (SELECT id FROM clearance_form WHERE student_id = ANY(%s))",
                which,
                students.ids,
            )
        # sudo: what the roster finds has happened, whoever has opened the session or changed a graduate.
        Status = self.env["clearance.status"].sudo()
        Status.browse(Status._get_answered_ids(which))._decide("approve", "roster")

    # -- the graduates' page -------------------------------------------------------

    def _prepare_portal_plan_step(self, step):
        """Where the questionnaire of the step is answered; empty without one."""
        survey = step.survey_id if step.survey_id.active else step.survey_id.browse()
        return {
            **super()._prepare_portal_plan_step(step),
            "has_survey": bool(step.survey_id),
            "survey_url": survey.get_start_url() if survey else "",
        }
