from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..fields import PlainMany2one, StateSelection
from .clearance_status import DOORS, STATES

#: what a statement that changes a ``status`` answers, besides both states, for its log lines
LOGGED_COLUMNS = SQL(
    "status.id, status.form_id, status.step_id, status.station_id,"
    " status.session_id, status.company_id, status.college_id"
)


class ClearanceLog(models.Model):
    """The record: one line for each change, which nobody can edit or delete.

    Few foreign keys: a log line outlives what it names, and each key doubles the
    cost of a large batch.
    """

    _name = "clearance.log"
    _description = "Clearance Log"
    _log_access = False
    _order = "id desc"
    _rec_name = "action"

    date = fields.Datetime(required=True, readonly=True)
    user_id = PlainMany2one("res.users", "Who", readonly=True)
    action = fields.Selection(
        [
            ("approve", "Confirmed"),
            ("reject", "Rejected"),
            ("reopen", "Reopened"),
            ("submit", "Submitted"),
            ("withdraw", "Withdrawn by the graduate"),
            ("set_optional", "Set optional"),
            ("set_not_required", "Set not required"),
            ("owe", "Listed as owing"),
            ("undo", "Undone"),
            ("review", "Marked for another look"),
            ("lift", "Restriction lifted"),
            ("restore", "Restriction restored"),
            ("expired", "Deferral ended"),
            ("form_withdrawn", "Taken out of the session"),
            ("form_reinstated", "Taken back into the session"),
        ],
        required=True,
        readonly=True,
    )
    from_state = StateSelection(STATES, "State before", readonly=True)
    to_state = StateSelection(STATES, "State after", readonly=True)
    reason = fields.Char("Why", readonly=True)
    door = fields.Selection(DOORS, "Through", readonly=True)
    form_id = PlainMany2one("clearance.form", readonly=True, index=True)
    status_id = PlainMany2one("clearance.status", readonly=True)
    step_id = PlainMany2one("clearance.step", readonly=True)
    station_id = PlainMany2one("clearance.station", readonly=True)
    session_id = PlainMany2one("clearance.session", readonly=True)
    college_id = PlainMany2one("clearance.college", readonly=True)
    company_id = PlainMany2one("res.company", "Campus", readonly=True, required=True)
    batch_id = PlainMany2one("clearance.batch", readonly=True)

    def init(self):
        """Make the table append-only in the database itself, against raw SQL too."""
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION clearance_log_append_only() RETURNS trigger AS $$
                BEGIN
                    RAISE EXCEPTION 'clearance_log is append-only';
                END
                $$ LANGUAGE plpgsql;
                CREATE OR REPLACE TRIGGER clearance_log_append_only
                    BEFORE UPDATE OR DELETE ON clearance_log
                    FOR EACH ROW EXECUTE FUNCTION clearance_log_append_only();
                """
            )
        )

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Refused: log lines are written by what they record."""
        raise UserError(self.env._("Nobody writes the log by hand."))

    def write(self, vals):  # pylint: disable=method-required-super
        """Refused for everybody, superuser included."""
        raise UserError(self.env._("The log cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The log cannot be deleted."))

    def action_undo(self):
        """Take these decisions back, where nobody has decided on the step since.

        Callable by who may decide on the steps; somebody else's decision is taken back
        by the batch or the desk, which ask for a reason.

        :raise UserError: when none of them can be undone, with the reason
        """
        self.check_access("read")
        # sudo: the lines are readable (checked above); whether the user may act says the gate.
        statuses = self.env["clearance.status"].browse(self.sudo().mapped("status_id").ids)
        explained = statuses._explain(statuses._undo(self.ids, "list"))
        return statuses._answer_on_screen(explained)

    def _insert_sql(self, source, action, door=None, reason=None, batch=None):
        """An ``INSERT`` of one log line for each row of ``source``.

        Part of the statement that makes the change, so that there is never one without
        the other.

        :param str source: name of a common table expression with :data:`LOGGED_COLUMNS`,
            ``from_state`` and ``to_state``
        :param reason: why: a text, or an SQL expression over ``source``
        :param batch: the ``clearance.batch`` that it is part of
        """
        return SQL(
            """
            INSERT INTO clearance_log (
                date, user_id, action, from_state, to_state, reason, door, form_id,
                status_id, step_id, station_id, session_id, college_id, company_id,
                batch_id
            )
            SELECT %(now)s, %(uid)s, %(action)s, from_state, to_state, %(reason)s, %(door)s,
                   form_id, id, step_id, station_id, session_id, college_id, company_id,
                   %(batch)s::int
              FROM %(source)s
            """,
            now=self.env.cr.now(),
            uid=self.env.uid,
            action=action,
            reason=reason,
            door=door,
            batch=batch.id if batch else None,
            source=SQL.identifier(source),
        )
