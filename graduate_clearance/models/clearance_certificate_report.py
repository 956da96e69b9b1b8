from odoo import api, models
from odoo.exceptions import UserError

#: a college prints class by class; more would keep a worker busy for minutes
_MAX_FORMS = 200


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
        return {"doc_ids": forms.ids, "doc_model": forms._name, "docs": forms, "sheets": forms._get_sheets()}
