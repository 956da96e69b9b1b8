from odoo import fields, models


class ClearanceTrait(models.Model):
    """A fact that decides which steps apply to a graduate (标记)."""

    _name = "clearance.trait"
    _description = "Trait"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Stable name for applicability domains, imports and templates.")
    description = fields.Char(translate=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", "Campus", index=True, help="Empty: every campus.")

    _code_company_uniq = models.UniqueIndex(
        "(COALESCE(company_id, 0), code) WHERE code IS NOT NULL",
        "This campus already has a trait with this code.",
    )
