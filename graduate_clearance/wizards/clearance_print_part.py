from odoo import fields, models


class ClearancePrintPart(models.TransientModel):
    """One PDF of several: what is printed together."""

    _name = "clearance.print.part"
    _description = "Part of What Is Printed"
    _order = "id"

    wizard_id = fields.Many2one("clearance.print.choose", required=True, index=True, ondelete="cascade")
    name = fields.Char("Part", readonly=True)
    record_ids = fields.Json("Records", readonly=True)
    record_count = fields.Integer("Number", readonly=True)
    printed = fields.Boolean(readonly=True)

    def action_print(self):
        """Print this part, and remember that it has been."""
        self.ensure_one()
        self.printed = True
        return self.wizard_id._get_report_action(self.record_ids or [])
