from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..fields import PlainMany2one

OUTCOMES = [
    ("todo", "To do"),
    ("done", "Done"),
    ("already", "Already so"),
    ("refused", "Refused"),
    ("not_concerned", "Not concerned"),
    ("excluded", "Left out"),
    ("undone", "Undone"),
    ("kept", "Not undone"),
]


#: what a row may ask of the gate instead of what its batch asks
ROW_DECISIONS = [
    ("approve", "Confirm"),
    ("reject", "Reject"),
    ("reopen", "Reopen"),
    ("owe", "Note what is owed"),
]


class ClearanceBatchLine(models.Model):
    """One row of a batch: whom it names, what becomes of it, and what an undoing left.

    Ten thousand at once: no log-access columns and one foreign key.  Rows are written by
    their batch only, in sets.
    """

    _name = "clearance.batch.line"
    _description = "Row of a Batch"
    _log_access = False
    _order = "position, id"
    _rec_name = "form_id"

    batch_id = fields.Many2one("clearance.batch", required=True, readonly=True, index=True, ondelete="cascade")
    batch_state = fields.Selection(related="batch_id.state", string="State of the batch")
    decision = fields.Selection(related="batch_id.decision")
    # Told once, at the preview: a row must not jump away under the finger that ticks it.
    position = fields.Integer(readonly=True, aggregator=None, help="What is to be done first, then what is refused.")
    line_number = fields.Integer("Line", readonly=True, aggregator=None, help="Where the number stands in the list.")
    given = fields.Char("Number as given", readonly=True)
    # Empty for numbers whose graduate the user may not see.
    form_id = PlainMany2one("clearance.form", "Graduate", readonly=True)
    class_id = fields.Many2one(related="form_id.class_id")
    room_id = fields.Many2one(related="form_id.room_id")
    college_id = fields.Many2one(related="form_id.college_id")
    status_id = PlainMany2one("clearance.status", "Step", readonly=True)
    outcome = fields.Selection(OUTCOMES, readonly=True)
    code = fields.Char("Answer of the gate", readonly=True)
    message = fields.Char("Why", readonly=True)
    row_decision = fields.Selection(ROW_DECISIONS, "What", readonly=True, help="Empty: what the batch says.")
    row_reason = fields.Char("Reason of the row", readonly=True, help="Empty: the reason of the batch.")
    row_note = fields.Char("Note", readonly=True, help="What the row says beyond it, for people.")
    figure = fields.Json(readonly=True, help="What the row says is owed; see clearance.debt.")
    excluded = fields.Boolean("Left out by hand or list", readonly=True)
    excluded_by_list = fields.Boolean("In the list to leave out", readonly=True)
    ran = fields.Boolean("Gone through", readonly=True)
    log_id = PlainMany2one("clearance.log", "Log line", readonly=True)
    undo_code = fields.Char("Answer to the undoing", readonly=True)
    undo_message = fields.Char("Why not undone", readonly=True)
    undone_at = fields.Datetime(readonly=True)
    undone_by_id = PlainMany2one("res.users", "Undone by", readonly=True)

    @api.depends("form_id", "given")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.form_id.display_name or line.given

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Refused: rows come from the preview of their batch."""
        raise UserError(self.env._("The rows of a batch come from its preview."))

    def write(self, vals):  # pylint: disable=method-required-super
        """Only ``excluded`` can be said, in a preview, by whose batch it is."""
        if vals.keys() != {"excluded"}:
            raise UserError(self.env._("The rows of a batch come from its preview."))
        self._exclude(bool(vals["excluded"]))
        return True

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The rows of a batch come from its preview."))

    @api.model
    def _outcome_sql(self):
        """The outcome of a row, from what the gate has answered."""
        return SQL(
            """CASE WHEN undo_code = 'done' THEN 'undone'
                    WHEN undo_code IS NOT NULL THEN 'kept'
                    WHEN code = 'done' AND ran THEN 'done'
                    WHEN excluded THEN 'excluded'
                    WHEN code = 'done' THEN 'todo'
                    WHEN code IN ('already', 'settled') THEN 'already'
                    WHEN code = 'not_required' THEN 'not_concerned'
                    ELSE 'refused' END"""
        )

    def _exclude(self, excluded):
        """Leave rows of previews out, or take them in again.

        :raise UserError: when a batch has been run already
        :raise AccessError: unless they are rows of own batches (or for a manager)
        """
        self.check_access("write")
        for batch in self.batch_id:
            batch._lock()
            if batch.state != "previewed":
                raise UserError(self.env._("Rows are left out before a batch is run."))
        self.env.cr.execute(SQL("UPDATE clearance_batch_line SET excluded = %s WHERE id = ANY(%s)", excluded, self.ids))
        self.env.cr.execute(
            SQL("UPDATE clearance_batch_line SET outcome = %s WHERE id = ANY(%s)", self._outcome_sql(), self.ids)
        )
        self.invalidate_recordset(["excluded", "outcome"], flush=False)
        for batch in self.batch_id:
            batch._count()

    # -- buttons ---------------------------------------------------------------------

    def action_exclude(self):
        """Leave the selected rows out."""
        self._exclude(True)

    def action_include(self):
        """Take the selected rows in again."""
        self._exclude(False)

    def action_undo(self):
        """Undo the selected rows of one batch: ask, then go ahead with a progress bar."""
        if len(self.batch_id) > 1:
            raise UserError(self.env._("Undo the rows of one batch at a time."))
        return self.batch_id._action_undo(self)

    def action_open_form(self):
        """Open the graduate's form."""
        self.ensure_one()
        if not self.form_id:
            raise UserError(self.message or self.env._("There is no graduate behind this row."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "clearance.form",
            "res_id": self.form_id.id,
            "views": [(False, "form")],
        }
