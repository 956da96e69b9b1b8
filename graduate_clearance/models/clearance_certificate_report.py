import unicodedata

from odoo import api, models
from odoo.exceptions import UserError

from .clearance_print import MOST_PRINTED

#: more are printed in parts: see ``clearance.print.choose``
_MAX_FORMS = MOST_PRINTED["form"]

#: Heights and widths of the printed form in em of its text: see static/src/report/clearance_sheet.scss.
_PAGE_HEIGHT = 72
_HEAD_HEIGHT = 18
_NEXT_HEAD_HEIGHT = 5
_END_HEIGHT = 3
_PROOF_HEIGHT = 12
_STEP_WIDTH = 20


class ReportClearanceForm(models.AbstractModel):
    """Values of the printed form, for whoever prints it and through whatever address."""

    _name = "report.graduate_clearance.report_clearance_form"
    _description = "Printed Clearance Form"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Values of the template.

        :param list docids: ids of ``clearance.form``
        :raise AccessError: when the user may not read one of them
        :raise UserError: for more forms than one PDF takes
        """
        forms = self.env["clearance.form"].browse(docids or []).exists()
        if len(forms) > _MAX_FORMS:
            raise UserError(self.env._("Print at most %s forms at a time, class by class for example.", _MAX_FORMS))
        forms.check_access("read")
        sheets = [{**sheet, "parts": self._split_rows(sheet)} for sheet in forms._get_sheets()]
        return {"doc_ids": forms.ids, "doc_model": forms._name, "docs": forms, "sheets": sheets}

    def _split_rows(self, sheet):
        """The rows of a sheet by page: a sheet of many steps says on each page whose it is.

        A wkhtmltopdf without patches repeats nothing on the next page, so that its rows are counted out here.

        :param dict sheet: see ``clearance.form._get_sheets``
        :return: list of lists of rows, at least one
        """
        end = _PROOF_HEIGHT if sheet["certificate"] else _END_HEIGHT
        left = _PAGE_HEIGHT - _HEAD_HEIGHT - 1.4 * len(sheet["visits"])
        parts = [[]]
        for position, row in enumerate(sheet["rows"], start=1):
            height = _get_height(row)
            # What ends the sheet stands below the last row, not on a page of its own.
            needed = height + (end if position == len(sheet["rows"]) else 0)
            if needed > left and parts[-1]:
                parts.append([])
                left = _PAGE_HEIGHT - _NEXT_HEAD_HEIGHT
            parts[-1].append(row)
            left -= height
        return parts


def _get_height(row):
    """About how high a row is: its lines, and never less than room for a stamp."""
    texts = ((row["station"], 0.86), (row["step"], 1), (row["responsible"], 0.86), (row["time"], 0.86))
    lines = sum(1.35 * size * -(-get_width(text) * size // _STEP_WIDTH) for text, size in texts if text)
    return max(2.7 if row["settled"] else 3.4, lines + 0.7)


def get_width(text):
    """About how wide a text is: Chinese characters are as wide as they are high."""
    return sum(1 if unicodedata.east_asian_width(char) in "WF" else 0.5 for char in text)
