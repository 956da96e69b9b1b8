from odoo import api, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        """A new campus has its settings from the beginning."""
        companies = super().create(vals_list)
        # sudo: whoever may make a campus has its settings made with it.
        self.env["clearance.settings"].sudo()._make(companies)
        return companies
