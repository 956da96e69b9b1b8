from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the web client how the user's campuses show states; see static/src/legend/legend.js.

        Of each campus, because which one is the current one is chosen in the browser.
        """
        info = super().session_info()
        if info.get("user_companies"):
            Legend = self.env["clearance.legend"]
            # sudo: ids of the user's own companies.
            companies = self.env["res.company"].sudo().browse(self.env.user._get_company_ids())
            changes = {company.id: Legend._get_changes(company) for company in companies}
            info["clearance_legend"] = {key: value for key, value in changes.items() if any(value.values())}
        return info
