from odoo import api, models
from odoo.exceptions import ValidationError


class SurveySurvey(models.Model):
    _inherit = "survey.survey"

    @api.constrains("users_login_required", "access_mode")
    def _check_clearance_login(self):
        """What settles a step must be answered by somebody who is known, and open to every graduate.

        :raise ValidationError: for a questionnaire of a step that is not answered so
        """
        loose = self.filtered(lambda survey: not survey.users_login_required or survey.access_mode != "public")
        # sudo: whether steps use it, whoever may read them.
        Step = self.env["clearance.step"].sudo()
        step = Step.search([("survey_id", "in", loose.ids), ("session_id.state", "!=", "closed")], limit=1)
        if step:
            raise ValidationError(
                self.env._(
                    "Questionnaire “%(survey)s” settles step “%(step)s” of a clearance: it must require a login, "
                    "so that it is known whose answer it is, and be open to anyone with the link.",
                    survey=step.survey_id.title,
                    step=step.name,
                )
            )
