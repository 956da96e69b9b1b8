from odoo import api, fields, models


class ClearanceStep(models.Model):
    """Whom a step applies to, in plain words."""

    _inherit = "clearance.step"

    applies_to = fields.Char("Asked of", compute="_compute_applies_to", help="Whom this step applies to, in words.")

    @api.depends("student_domain", "college_id.name", "company_id")
    @api.depends_context("lang", "uid")
    def _compute_applies_to(self):
        said = self.env["clearance.applicability"]._get_words([(step.student_domain, step.company_id) for step in self])
        for step, words in zip(self, said, strict=True):
            if step.college_id:
                words = self.env._("%(words)s, within %(college)s", words=words, college=step.college_id.name)
            step.applies_to = words

    def _get_trait_keys(self):
        """Ids and codes of the traits that decide whether this step applies."""
        self.ensure_one()
        return self.env["clearance.applicability"]._get_keys(self.student_domain, self.company_id, "clearance.trait")


class ClearanceSession(models.Model):
    """Who takes part, in plain words."""

    _inherit = "clearance.session"

    population = fields.Char(compute="_compute_population", help="Who takes part, in words.")

    @api.depends("student_domain", "company_id")
    @api.depends_context("lang", "uid")
    def _compute_population(self):
        said = self.env["clearance.applicability"]._get_words([(one.student_domain, one.company_id) for one in self])
        for session, words in zip(self, said, strict=True):
            session.population = words

    def _check_filters(self):
        """Refuse filters that have become invalid, such as by a field of graduates that was removed.

        Without asking the database, which has read them when they were written.

        :raise ValidationError: naming the session or the step
        """
        Applicability = self.env["clearance.applicability"]
        for session in self:
            Applicability._check(session.student_domain, session.company_id, session.name, search=False)
            for step in session.with_context(active_test=False).step_ids:
                Applicability._check(step.student_domain, session.company_id, step.name, search=False)
