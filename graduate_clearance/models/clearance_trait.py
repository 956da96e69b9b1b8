from odoo import api, fields, models


class ClearanceTrait(models.Model):
    """A fact that decides which steps apply to a graduate (标记)."""

    _name = "clearance.trait"
    _description = "Trait"
    _order = "sequence, name, id"
    # Spreadsheets from other offices say the name or the code.
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Stable name for applicability domains, imports and templates.")
    description = fields.Char(translate=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", "Campus", index=True, help="Empty: every campus.")
    student_count = fields.Integer("Graduates", compute="_compute_student_count")
    step_ids = fields.Many2many(
        "clearance.step",
        string="Steps that look at it",
        compute="_compute_step_ids",
        help="Steps of sessions that are not closed, which apply by this trait.",
    )

    _code_company_uniq = models.UniqueIndex(
        "(COALESCE(company_id, 0), code) WHERE code IS NOT NULL",
        "This campus already has a trait with this code.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_student_count(self):
        """Graduates with these traits whom the user may see, in one query."""
        groups = self.env["clearance.student"]._read_group([("trait_ids", "in", self.ids)], ["trait_ids"], ["__count"])
        counts = {trait.id: count for trait, count in groups}
        for trait in self:
            trait.student_count = counts.get(trait.id, 0)

    @api.depends("code")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_step_ids(self):
        steps = self.env["clearance.step"].search([("session_id.state", "!=", "closed")])
        by_key = {}
        for step in steps:
            for key in step._get_trait_keys():
                by_key.setdefault(key, []).append(step.id)
        for trait in self:
            found = {*by_key.get(trait.id, ()), *by_key.get(trait.code or None, ())}
            trait.step_ids = steps.filtered(lambda step, found=found: step.id in found)

    def action_open_students(self):
        """Open the graduates who have this trait."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_student_action")
        return {**action, "display_name": self.name, "domain": [("trait_ids", "in", self.ids)], "context": {}}

    def action_assign(self):
        """Ask whom to give these traits, or from whom to take them away."""
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_trait_assign_action")
        return {**action, "context": {"default_trait_ids": self.ids, "dialog_size": "large"}}
