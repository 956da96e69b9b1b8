from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ClearanceStep(models.Model):
    _inherit = "clearance.step"

    survey_id = fields.Many2one(
        "survey.survey",
        "Questionnaire",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('users_login_required', '=', True), ('access_mode', '=', 'public')]",
        help="The step turns green when the graduate has answered it (CUG Wuhan: before the form opens). "
        "Offered are questionnaires that require a login and are open to anyone with the link.",
    )

    @api.constrains("survey_id", "mode")
    def _check_survey_mode(self):
        for step in self:
            if step.survey_id and step.mode != "graduate":
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” has a questionnaire, so the graduate has to settle it: choose that under "
                        "“Who decides”, or take the questionnaire away.",
                        step=step.name,
                    )
                )

    @api.constrains("survey_id")
    def _check_survey_belongs_to_graduates(self):
        # sudo: how a questionnaire is answered, whoever may edit it.
        self.sudo().survey_id._check_clearance_login()
