from odoo import fields, models


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    type = fields.Selection(selection_add=[("clearance_matrix", "Matrix")])

    def _get_view_info(self):
        info = {"clearance_matrix": {"icon": "fa fa-table"}}
        return info | super()._get_view_info()
