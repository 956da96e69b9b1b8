from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class ClearanceRequirementChoice(models.Model):
    """One of the answers to choose from; see ``clearance.requirement`` for what may change when."""

    _name = "clearance.requirement.choice"
    _description = "Choice of What a Step Asks For"
    _order = "requirement_id, sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, help="A retired choice is not offered any more; answers given stay.")
    requirement_id = fields.Many2one("clearance.requirement", required=True, index=True, ondelete="cascade")

    @api.model_create_multi
    def create(self, vals_list):
        choices = super().create(vals_list)
        choices.requirement_id.step_id.session_id._check_not_closed()
        choices.requirement_id.step_id._mirror_requirements()
        return choices

    def write(self, vals):
        self.requirement_id.step_id.session_id._check_not_closed()
        if "requirement_id" in vals:
            self.filtered(lambda choice: choice.requirement_id.id != vals["requirement_id"])._raise_on_answers()
        requirements = self.requirement_id
        result = super().write(vals)
        requirements |= self.requirement_id
        requirements._check_choices()
        requirements.step_id.session_id._check_not_closed()
        requirements.step_id._mirror_requirements()
        return result

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        result = super()._update_field_translations(field_name, translations, digest, source_lang)
        self.requirement_id.step_id._mirror_requirements()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_answered(self):
        self.requirement_id.step_id.session_id._check_not_closed()
        self._raise_on_answers()

    def unlink(self):
        requirements = self.requirement_id
        result = super().unlink()
        requirements.exists()._check_choices()
        requirements.step_id._mirror_requirements()
        return result

    def _raise_on_answers(self):
        """Raise when somebody has chosen one of these.

        Raw SQL because the ORM asks for one property at a time.
        """
        if not self.ids:
            return
        self.env["clearance.submission"].flush_model(["answers", "state", "step_id"])
        self.env.cr.execute(
            SQL(
                """
                SELECT choice.id
                  FROM clearance_requirement_choice choice
                  JOIN clearance_requirement requirement ON requirement.id = choice.requirement_id
                 WHERE choice.id = ANY(%s)
                   AND EXISTS (
                        SELECT 1 FROM clearance_submission submission
                         WHERE submission.step_id = requirement.step_id AND submission.state <> 'draft'
                           AND submission.answers ->> ('r' || requirement.id) = 'c' || choice.id)
                """,
                self.ids,
            )
        )
        answered = self.browse(row[0] for row in self.env.cr.fetchall())
        if answered:
            raise UserError(
                self.env._("“%(choice)s” has been chosen: retire it (archive) instead.", choice=answered[0].name)
            )
