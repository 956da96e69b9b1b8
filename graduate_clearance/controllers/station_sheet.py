"""The list of a station to fill in without network."""

from werkzeug.exceptions import Forbidden, NotFound

from odoo.exceptions import UserError
from odoo.http import Controller, content_disposition, request, route

from ..workbook import MIMETYPE


class ClearanceStationSheetController(Controller):
    """Downloads of lists to fill in."""

    @route(
        "/clearance/station_sheet/<int:sheet_id>",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def clearance_station_sheet(self, sheet_id, **kw):
        """The list that the user has chosen (``clearance.station.sheet``), as an Excel file.

        A browser saves whatever a download answers: who may not have it is told so with a status of its own
        (403), and not led to a login page that would end up as the file.
        """
        sheet = request.env["clearance.station.sheet"].browse(sheet_id)
        # sudo: whether it exists is told to nobody: the answer is the same as without access.
        if not sheet.sudo().exists() or not sheet.has_access("read"):
            raise Forbidden()
        try:
            name, book = sheet._write_book()
        except UserError as error:
            raise NotFound(str(error)) from error
        content = book.content
        headers = {
            "Content-Type": MIMETYPE,
            "Content-Length": len(content),
            "Content-Disposition": content_disposition(name),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return request.make_response(content, headers=list(headers.items()))
