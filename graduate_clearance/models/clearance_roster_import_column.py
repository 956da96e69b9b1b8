from odoo import api, fields, models
from odoo.exceptions import UserError


class ClearanceRosterImportColumn(models.Model):
    """A column of the file that is being imported, and what it means."""

    _name = "clearance.roster.import.column"
    _description = "Column of the File"
    _log_access = False
    _order = "position, id"
    _rec_name = "header"

    import_id = fields.Many2one("clearance.roster.import", required=True, readonly=True, index=True, ondelete="cascade")
    position = fields.Integer(readonly=True)
    header = fields.Char("Header in the file", readonly=True)
    sample = fields.Char("First values", readonly=True)
    column = fields.Selection("_get_choices", "Means", help="Empty: the column is passed over.")

    @api.model
    def _get_choices(self):
        columns = self.env["clearance.student"]._get_import_columns()
        return [(name, column.label) for name, column in columns.items()]

    def write(self, vals):
        """Say what a column means, as long as nothing has been written; a check is then out of date."""
        if vals.keys() - {"column"}:
            raise UserError(self.env._("Only what a column means can be changed."))
        self.import_id._forget_check()
        return super().write(vals)
