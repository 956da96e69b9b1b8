from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import human_size


class ClearancePurge(models.Model):
    """Personal data taken out of a closed session, or what would be taken.

    Kept for good: who, when, and how much.  Nobody has the right to create, change or
    delete these; sessions write them (``clearance_session_purge.py``).
    """

    _name = "clearance.purge"
    _description = "Purge of Personal Data"
    _order = "id desc"
    _rec_name = "session_id"

    session_id = fields.Many2one("clearance.session", required=True, readonly=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="session_id.company_id", store=True, index=True)
    is_trial = fields.Boolean("Dry run", readonly=True, help="Only counted: nothing was deleted.")
    state = fields.Selection(
        [("running", "Running"), ("done", "Done")], required=True, default="running", readonly=True
    )
    user_id = fields.Many2one(
        "res.users", "Who", required=True, readonly=True, default=lambda self: self.env.user, ondelete="restrict"
    )
    started_at = fields.Datetime("When", required=True, readonly=True, default=fields.Datetime.now)
    done_at = fields.Datetime("Done at", readonly=True)
    closed_at = fields.Datetime("Session closed on", readonly=True)
    retention_months = fields.Integer("Kept for (months)", readonly=True, aggregator=None)
    number_count = fields.Integer("ID-card numbers", readonly=True)
    answer_count = fields.Integer("Sendings emptied", readonly=True)
    file_count = fields.Integer("Files", readonly=True)
    # Not an integer: those of the database end at two gigabytes.
    byte_count = fields.Float("Bytes", digits=(18, 0), readonly=True)
    size = fields.Char(compute="_compute_size")

    @api.depends("session_id.name", "is_trial", "started_at")
    def _compute_display_name(self):
        for purge in self:
            day = fields.Date.to_string(fields.Datetime.context_timestamp(purge, purge.started_at))
            purge.display_name = " · ".join(
                filter(None, (purge.session_id.name, self.env._("Dry run") if purge.is_trial else "", day))
            )

    @api.depends("byte_count")
    def _compute_size(self):
        for purge in self:
            purge.size = human_size(int(purge.byte_count))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What was deleted, and when, is kept as it was written."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What was deleted, and when, is kept as it was written."))

    def _record(self, **vals):
        """Write past what :meth:`write` refuses.

        A context key would not do for that: remote callers choose their context.
        """
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _add(self, deleted):
        """Add to what was deleted.

        :param dict deleted: numbers by field
        """
        self.ensure_one()
        self._record(**{fname: self[fname] + count for fname, count in deleted.items()})
