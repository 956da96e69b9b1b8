from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    group_clearance_id_number = fields.Boolean(
        "Full ID-card numbers at the desks",
        implied_group="graduate_clearance.group_id_number",
        group="graduate_clearance.group_operator",
    )
