from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    clearance_help = fields.Text(
        "Whom graduates may ask",
        translate=True,
        help="Shown on every graduate's clearance page.",
    )
