"""The gate's way back: a decision undone."""

from odoo import models
from odoo.tools import SQL

from .clearance_log import LOGGED_COLUMNS
from .clearance_status_gate import MOVES, UNDO, Outcome, _Call, _check_door, _clean

#: log lines that say nothing about who brought a status into its state
_NO_DECISIONS = ("lift", "restore", "expired", "form_withdrawn", "form_reinstated")


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    def _undo(self, line_ids, door, reason=None, batch=None, dry_run=False):
        """Take decisions back: each status becomes what it was before, with who and why.

        Only where the decision is still the latest on its status.  What an undone
        approval had made possible needs another look, as after a reopening; what needed
        another look because of an undone reopening does no longer.  Who undoes somebody
        else's decision says why.  Goes through the gate: an approval that comes back
        needs its prerequisites as any other.

        :param list line_ids: ids of the log lines of these decisions
        :param str door: a key of :data:`DOORS`
        :param str reason: why, kept in the log
        :param batch: the ``clearance.batch`` whose rows are undone
        :param bool dry_run: only tell what would happen; nothing is written
        :return: list of :class:`Outcome`, one a line, in their order
        """
        # sudo: which status a line belongs to; whether the user may touch it says the gate.
        lines = self.env["clearance.log"].sudo().search_fetch([("id", "in", line_ids)], ["status_id"])
        status_ids = {line.id: line.status_id.id for line in lines if line.status_id}
        latest = {status_ids[line_id]: line_id for line_id in sorted(status_ids)}
        statuses = self.browse(latest)
        call = _Call("undo", UNDO, _check_door(door), _clean(reason), batch, tuple(latest.values()))
        found = statuses._pass_gate(call, dry_run) if latest else {}

        def answer(line_id):
            status_id = status_ids.get(line_id)
            outcome = found.get(status_id) or Outcome(status_id or 0, "unknown")
            if outcome.code == "done" and latest[status_id] != line_id:
                return Outcome(status_id, "changed")
            return outcome

        return [answer(line_id) for line_id in line_ids]

    def _undone_sql(self, call):
        """A common table expression: the lines to undo, with what was before each.

        ``state`` and ``needs_review`` come from the line itself and the one before it,
        who decided and why from the latest decision that had led to that state.
        """
        return SQL(
            """
            undone AS MATERIALIZED (
                SELECT line.status_id, line.action, line.user_id AS undone_user_id,
                       line.from_state AS state, line.to_state,
                       later.id IS NULL AS latest,
                       line.from_state = 'approved' AND COALESCE(before.action = 'review', FALSE) AS needs_review,
                       line.from_state = 'approved' AND COALESCE(before.action <> 'review', TRUE) AS approves,
                       cause.user_id, cause.date, cause.door, cause.reason
                  FROM clearance_log line
                  LEFT JOIN LATERAL (%(later)s) later ON TRUE
                  LEFT JOIN LATERAL (%(before)s) before ON TRUE
                  LEFT JOIN LATERAL (%(cause)s) cause ON TRUE
                 WHERE line.id = ANY(%(lines)s)
            ),
            """,
            lines=list(call.lines),
            later=self._other_line_sql(SQL("other.id > line.id")),
            before=self._other_line_sql(SQL("other.id < line.id")),
            cause=self._other_line_sql(
                SQL(
                    "other.id < line.id AND other.to_state = line.from_state AND other.action NOT IN ('review', 'undo')"
                )
            ),
        )

    def _other_line_sql(self, which):
        """The latest log line of the status of ``line`` on a condition."""
        return SQL(
            """
            SELECT other.*
              FROM clearance_log other
             WHERE other.form_id = line.form_id AND other.status_id = line.status_id
               AND other.action <> ALL(%s) AND %s
             ORDER BY other.id DESC
             LIMIT 1
            """,
            list(_NO_DECISIONS),
            which,
        )

    def _undo_cases(self, call):
        """Obstacles of an undoing: decided on since, nothing to undo, no reason given."""
        cases = [
            SQL("WHEN undone.action <> ALL(%s) THEN 'not_allowed'", list(MOVES)),
            SQL("WHEN NOT undone.latest OR status.state <> undone.to_state THEN 'changed'"),
        ]
        if not call.reason:
            cases.append(SQL("WHEN undone.undone_user_id IS DISTINCT FROM %s THEN 'reason_required'", self.env.uid))
        return cases

    def _before_sql(self):
        """What a status held before the undone decision: expressions by column."""
        return {
            "state": SQL("undone.state"),
            "required": SQL(
                """(CASE WHEN undone.state = 'optional' THEN FALSE
                         WHEN undone.action = 'set_optional' THEN step.required
                         ELSE status.required END)"""
            ),
            "needs_review": SQL("undone.needs_review"),
            "user_id": SQL("undone.user_id"),
            "decided_at": SQL("undone.date"),
            "door": SQL("undone.door"),
            "reason": SQL("undone.reason"),
        }

    def _unmark_dependants(self, call):
        """Take back the marks that undone decisions had left on what relied on these.

        A dependant whose latest log line is such a mark, and that misses nothing now,
        needs no other look.  From step to step: the number of statements is bounded by
        the depth of the process.
        """
        while True:
            self.env.cr.execute(self._unmark_sql(call))
            ids = [row[0] for row in self.env.cr.fetchall()]
            if not ids:
                return
            self.browse(ids)._invalidate_decided()

    def _unmark_sql(self, call):
        return SQL(
            """
            WITH RECURSIVE down(form_id, line_id, step_id) AS (
                SELECT status.form_id, line.id, rel.step_id
                  FROM clearance_log line
                  JOIN clearance_status status ON status.id = line.status_id
                  JOIN clearance_step_blocking_rel rel ON rel.prerequisite_id = status.step_id
                 WHERE line.id = ANY(%(lines)s) AND status.id = ANY(%(ids)s) AND status.state = 'approved'
                 UNION
                SELECT down.form_id, down.line_id, rel.step_id
                  FROM down
                  JOIN clearance_step_blocking_rel rel ON rel.prerequisite_id = down.step_id
            ),
            marked AS (
                SELECT DISTINCT line.id AS status_id, line.form_id, line.step_id
                  FROM down
                  JOIN clearance_status line ON line.form_id = down.form_id AND line.step_id = down.step_id
                 CROSS JOIN LATERAL (%(latest)s) latest
                 WHERE line.needs_review AND latest.action = 'review' AND latest.id > down.line_id
                   AND NOT EXISTS (%(missing)s)
            ),
            held AS MATERIALIZED (%(held)s),
            written AS (
                UPDATE clearance_status status
                   SET needs_review = FALSE, is_open = FALSE
                  FROM marked
                 WHERE status.id = marked.status_id
             RETURNING %(logged)s, status.state AS from_state, status.state AS to_state
            ),
            logged AS (%(log)s RETURNING status_id)
            SELECT status_id FROM logged WHERE (SELECT count(*) FROM held) >= 0
            """,
            lines=list(call.lines),
            ids=self.ids,
            latest=SQL(
                """SELECT other.id, other.action FROM clearance_log other
                    WHERE other.form_id = line.form_id AND other.status_id = line.id AND other.action <> ALL(%s)
                    ORDER BY other.id DESC LIMIT 1""",
                list(_NO_DECISIONS),
            ),
            missing=self._missing_sql(SQL("line.form_id"), SQL("line.step_id")),
            held=self._hold_sql("marked"),
            logged=LOGGED_COLUMNS,
            log=self.env["clearance.log"]._insert_sql("written", "undo", call.door, call.reason, call.batch),
        )
