from odoo import api, models
from odoo.exceptions import UserError

from .clearance_print import MOST_PRINTED


class ReportClearanceSignoff(models.AbstractModel):
    """Values of the sign-off sheet, for whoever prints it and through whatever address."""

    _name = "report.graduate_clearance.report_clearance_signoff"
    _description = "Printed Sign-off Sheet"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Values of the template.

        :param list docids: ids of ``clearance.form``
        :raise AccessError: when the user may not read one of them, and for graduates
        :raise UserError: for more than one PDF takes
        """
        forms = self.env["clearance.form"].browse(docids or []).exists()
        if len(forms) > MOST_PRINTED["signoff"]:
            raise UserError(
                self.env._(
                    "Print sheets of at most %s graduates at a time, class by class for example.",
                    MOST_PRINTED["signoff"],
                )
            )
        return {
            "doc_ids": forms.ids,
            "doc_model": forms._name,
            "docs": forms,
            "sheets": forms._get_signoff_sheets(),
        }
