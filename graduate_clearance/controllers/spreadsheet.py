"""Downloads of spreadsheets."""

from odoo.exceptions import AccessError, UserError
from odoo.http import Controller, request, route

_IDS = {"college_id": "college_ids", "class_id": "class_ids", "station_id": "station_ids"}


class ClearanceSpreadsheetController(Controller):
    """Spreadsheets by address: of a choice made in the wizard, or of what the address names."""

    @route(
        "/clearance/spreadsheet/<kind>",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def clearance_spreadsheet(self, kind, choice=None, session_id=None, split=None, **names):
        """A spreadsheet, for staff: what the user's record rules show, and what they may export of it.

        :param str kind: ``matrix``, ``due``, ``statistics``, ``debts``, ``deferrals`` or ``log``
        :param str choice: id of the user's own ``clearance.export.choose``; it names everything else
        :param str session_id: by default the latest open one
        :param str split: ``none``, ``station``, ``college`` or ``class``: a sheet each
        :param names: ``college_id``, ``class_id``, ``station_id``: ids with commas between them
        :raise AccessError: answered as 403: nobody of the staff, or more than they may export
        :raise UserError: answered as 422: there is nothing to export, or no such kind
        """
        Export = request.env["clearance.export"]
        Export._check_kind(kind)
        if choice:
            # Of the user's own only: a record rule says so.
            wizard = request.env["clearance.export.choose"].search([("id", "in", self._parse_ids(choice)[:1])])
            if not wizard:
                raise AccessError(request.env._("This download is no longer there. Choose the spreadsheet again."))
            checked = wizard._get_choice()
        else:
            checked = Export._prepare_choice(
                kind,
                session_id=next(iter(self._parse_ids(session_id)), None),
                split=split,
                **{_IDS[name]: self._parse_ids(ids) for name, ids in names.items() if name in _IDS},
            )
        return Export._stream(*Export._write(checked))

    def _parse_ids(self, text):
        """Ids of an address.

        :raise UserError: when something else stands there
        """
        try:
            return [int(part) for part in (text or "").split(",") if part.strip()]
        except ValueError as error:
            raise UserError(request.env._("“%s” is not a list of ids.", text)) from error
