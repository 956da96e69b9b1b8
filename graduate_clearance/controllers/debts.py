"""The template of a debts list."""

from odoo.http import Controller, content_disposition, request, route

from ..workbook import MIMETYPE


class ClearanceDebts(Controller):
    @route("/clearance/debts/template", type="http", auth="user", methods=["GET"], readonly=True)
    def download_template(self):
        """The template of a debts list, in the user's language; for staff.

        :raise AccessError: for everybody else
        """
        content = request.env["clearance.batch"]._make_debts_template()
        headers = [
            ("Content-Type", MIMETYPE),
            ("Content-Length", str(len(content))),
            ("Content-Disposition", content_disposition(f"{request.env._('Debts list')}.xlsx")),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return request.make_response(content, headers)
