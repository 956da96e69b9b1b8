from odoo import models
from odoo.exceptions import AccessDenied
from odoo.http import request

#: the one address that the key of a source system opens
_PUSH_PATH = "/json/2/clearance.feed/push"


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _auth_method_bearer(cls):
        """Keep the keys of source systems to their one method.

        They have no rights that any other method could use; this is the lock in front of it.
        """
        result = super()._auth_method_bearer()
        if request.env.user._is_clearance_feed() and request.httprequest.path != _PUSH_PATH:
            raise AccessDenied()
        return result

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
