from odoo import api, fields, models

OUTCOMES = [
    ("created", "New"),
    ("updated", "Changed"),
    ("unchanged", "No change"),
    ("refused", "Refused"),
]


class ClearanceRosterImportLine(models.Model):
    """What is wrong with one row of a roster, or what became of it.

    A row with several problems has a line for each; the first of them counts for the row.
    """

    _name = "clearance.roster.import.line"
    _description = "Row of a Roster"
    _log_access = False
    _order = "import_id, row, id"
    _rec_name = "import_id"

    import_id = fields.Many2one("clearance.roster.import", required=True, readonly=True, index=True, ondelete="cascade")
    row = fields.Integer(readonly=True, aggregator=None, help="Row of the file, as spreadsheets count.")
    first = fields.Boolean(readonly=True, help="Counts for its row.")
    student_number = fields.Char(readonly=True)
    name = fields.Char("Full name", readonly=True)
    student_id = fields.Many2one(
        "clearance.student", "Graduate", readonly=True, index="btree_not_null", ondelete="set null"
    )
    outcome = fields.Selection(OUTCOMES, readonly=True, required=True)
    level = fields.Selection([("error", "Error"), ("warning", "Warning")], "Severity", readonly=True)
    column = fields.Char(readonly=True)
    value = fields.Char("Value in the file", readonly=True)
    problem = fields.Char(readonly=True)
    remedy = fields.Char("How to mend it", readonly=True)
    changes = fields.Char(readonly=True)

    # Counted while it runs, and looked through for what is wrong.
    _import_row_idx = models.Index("(import_id, outcome, first, row)")

    @api.model
    def _note(self, roster, rows):
        """Write down what became of rows.

        :param roster: the ``clearance.roster.import``
        :param rows: list of :class:`~.roster_row.RosterRow`
        """
        vals_list = []
        for row in rows:
            vals = {
                "import_id": roster.id,
                "row": row.line,
                "first": True,
                "student_number": row.number,
                "name": row.name,
                "student_id": row.student_id,
                "outcome": row.code,
                "changes": row.changes,
            }
            if not row.problems:
                vals_list.append(vals)
            for number, problem in enumerate(row.problems):
                vals_list.append({**vals, **problem, "first": not number})
        # sudo: lines are written by their import, nobody else may.
        self.env["clearance.student"]._insert(self.sudo(), vals_list)

    def action_open_student(self):
        """Open the graduate of a row, where there is one."""
        self.ensure_one()
        if not self.student_id:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": "clearance.student",
            "res_id": self.student_id.id,
            "views": [(False, "form")],
        }
