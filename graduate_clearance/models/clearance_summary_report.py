from odoo import api, models
from odoo.exceptions import UserError

from .clearance_certificate_report import get_width
from .clearance_print import MOST_PRINTED

#: Heights and widths in em of the text: see static/src/report/clearance_paper.scss.
_PAGE_HEIGHT = 70
_HEAD_HEIGHT = 15
_NEXT_HEAD_HEIGHT = 3
_TABLE_HEIGHT = 5
_END_HEIGHT = 11
_NAME_WIDTH = 20


class ReportClearanceSummary(models.AbstractModel):
    """Values of the summary of colleges, for whoever prints it and through whatever address."""

    _name = "report.graduate_clearance.report_clearance_summary"
    _description = "Printed Summary of a College"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Values of the template.

        :param list docids: ids of ``clearance.college``
        :param dict data: ``college_ids`` (in place of ``docids``) and ``session_id``; without a session, the one
            that is open, else the latest of the campus
        :raise AccessError: when the user may not see every graduate of one of the colleges
        :raise UserError: for more than one PDF takes, and when there is nothing to sum up
        """
        data = data or {}
        colleges = self.env["clearance.college"].browse(docids or self._get_ids(data.get("college_ids"))).exists()
        colleges.check_access("read")
        if len(colleges) > MOST_PRINTED["summary"]:
            raise UserError(self.env._("Print at most %s colleges at a time.", MOST_PRINTED["summary"]))
        session = self.env["clearance.session"].browse(self._get_ids([data.get("session_id")])).exists()
        session = session or self.env["clearance.session"]._get_printed(colleges.company_id)
        return {
            "doc_ids": colleges.ids,
            "doc_model": colleges._name,
            "docs": colleges,
            "sheets": [{**sheet, "pages": self._split_rows(sheet)} for sheet in colleges._get_summaries(session)],
        }

    def _split_rows(self, sheet):
        """The tables of a summary by page.

        A wkhtmltopdf without patches repeats no heads on the next page, so that rows are counted out here.

        :return: list of pages, each a list of dicts ``kind`` (``classes``, ``steps``), ``rows``, ``continued``
        """
        pages, left = [[]], _PAGE_HEIGHT - _HEAD_HEIGHT
        for kind in ("classes", "steps"):
            table = None
            rows = sheet[kind]
            for position, row in enumerate(rows, start=1):
                height = _get_height(row)
                needed = height + (0 if table else _TABLE_HEIGHT)
                # The signatures stand below the last row, not on a page of their own.
                needed += _END_HEIGHT if kind == "steps" and position == len(rows) else 0
                if needed > left and pages[-1]:
                    pages.append([])
                    left = _PAGE_HEIGHT - _NEXT_HEAD_HEIGHT
                    table = None
                if not table:
                    table = {"kind": kind, "rows": [], "continued": position > 1}
                    pages[-1].append(table)
                    left -= _TABLE_HEIGHT
                table["rows"].append(row)
                left -= height
        return pages

    def _get_ids(self, values):
        """Ids out of an address, which anybody can write: what is no number is left out."""
        values = values if isinstance(values, list) else []
        return [int(value) for value in values if str(value or "").isdecimal()]


def _get_height(row):
    """About how high a row is: its name in bold, and the counsellor or station below it."""
    below = row.get("counsellor") or row.get("station") or ""
    lines = -(-get_width(row["name"] or "") * 1.08 // _NAME_WIDTH), 0.86 * -(-get_width(below) * 0.86 // _NAME_WIDTH)
    return 1.3 * (max(1, lines[0]) + lines[1]) + 0.7
