from odoo import api, models
from odoo.exceptions import ValidationError


class ClearanceStep(models.Model):
    _inherit = "clearance.step"

    @api.constrains("mode", "requirement_ids")
    def _check_requirements(self):
        """What a source system settles by itself asks its graduates for nothing.

        Nobody would look at it, and a person's decision about a sending would keep the
        system from ever settling the step.
        """
        for step in self:
            if step.mode == "feed" and step._get_asked():
                raise ValidationError(
                    self.env._(
                        "“%(step)s” is settled by a source system: it cannot ask graduates for anything. "
                        "Make a step of its own for that.",
                        step=step.name,
                    )
                )

    def _get_asked(self):
        """What a step asks for now, whatever the context says about archived records."""
        return self.requirement_ids.filtered("active")

    def _mirror_requirements(self):
        """Bring the definition of the answers in line with what these steps ask for.

        Retired questions stay in it as long as somebody has answered them.  Names are
        those of the campus' language: a definition holds one language only.
        """
        requirements = self.env["clearance.requirement"].with_context(active_test=False)
        # Searched, not read from the steps: their order may have changed.
        by_step = requirements.search([("step_id", "in", self.ids)]).grouped("step_id")
        for step in self:
            asked = by_step.get(step, requirements).filtered("active")
            kept = asked | (by_step.get(step, requirements) - asked)._filter_answered()
            kept = kept.with_context(lang=step.company_id.partner_id.lang)
            definition = [entry for requirement in kept if (entry := requirement._get_property())]
            if definition != step.answer_definition:
                # sudo: follows from what the step asks for, which the user was allowed to change.
                step.sudo().answer_definition = definition
