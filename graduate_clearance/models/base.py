from odoo import api, models

from .clearance_import_template import COLUMNS


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def get_import_templates(self):
        """Odoo's import offers a template for each model that managers set up."""
        templates = super().get_import_templates()
        if self._name in COLUMNS:
            templates = [*templates, *self.env["clearance.import.template"]._get_templates(self._name)]
        return templates
