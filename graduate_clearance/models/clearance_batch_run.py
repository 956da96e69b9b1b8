"""Doing what a preview has promised, and taking it back: in parts, each its own transaction."""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..texts import join_parts
from .clearance_batch_preview import CHUNK, AskedRow

_logger = logging.getLogger(__name__)

#: a batch that has not moved for so long was left by its browser
_LEFT_ALONE = timedelta(minutes=10)


class ClearanceBatch(models.Model):
    _inherit = "clearance.batch"

    # -- running ---------------------------------------------------------------------

    def action_run(self):
        """Begin or continue: the browser goes through the rows part by part (see :meth:`run`)."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("previewed", "running", "stopped"):
            raise UserError(self.env._("Only a batch with a fresh preview can be run."))
        if not self.todo_count:
            raise UserError(self.env._("There is nothing to do in this batch."))
        return self._get_runner_action("run", self.todo_count + self.ran_count)

    def run(self, limit=CHUNK):
        """Decide the next rows that the preview has promised; each row once.

        Callable by RPC, by whose batch it is and by managers; call it until nothing
        remains.  Only rows shown as *to do* are decided: what the preview has refused or
        left out stays so, whatever has happened since.  Each row goes through the gate
        again, as the caller.  A call repeated after a broken connection does the next rows.

        :param int limit: rows of one call, at most :data:`CHUNK`
        :return: dict ``done`` (rows gone through so far), ``total``, ``remaining``, and
            ``message`` once nothing remains
        :raise UserError: when there is no fresh preview
        :raise AccessError: when it is somebody else's batch
        """
        self.ensure_one()
        self._lock()
        if self.state == "draft":
            raise UserError(self.env._("Only a batch with a fresh preview can be run."))
        if self.state in ("previewed", "running", "stopped"):
            self._run_rows(self._limit(limit))
        remaining = self.todo_count if self.state == "running" else 0
        return {
            "done": self.ran_count,
            "total": self.ran_count + remaining,
            "remaining": remaining,
            "message": "" if remaining else self._get_summary(),
        }

    def _run_rows(self, limit):
        """Decide the next ``limit`` rows and write down the answers."""
        self.env.cr.execute(
            SQL(
                """SELECT id, status_id, %s, %s FROM clearance_batch_line
                    WHERE batch_id = %s AND outcome = 'todo' ORDER BY id LIMIT %s""",
                *self._asked_sql(),
                self.id,
                limit,
            )
        )
        rows = self.env.cr.fetchall()
        if rows:
            line_ids = [row[0] for row in rows]
            outcomes = self._decide_rows([AskedRow(*row[1:]) for row in rows])
            self._tell_rows(line_ids, outcomes, ran=True)
            self._refresh_outcomes(line_ids)
        self._count()
        now = fields.Datetime.now()
        if self.todo_count:
            self._record(state="running", ran_at=now)
        else:
            self._record(state="done", ran_at=now, done_at=now)

    def stop(self):
        """Let the rows that remain be, until somebody continues; nothing else continues it then.

        Callable by RPC, by whose batch it is and by managers.
        """
        self.ensure_one()
        self._lock()
        if self.state == "running":
            self._record(state="stopped")
        return {"message": self._get_summary()}

    def _get_summary(self):
        """What has become of the batch, in one line."""
        parts = [self.env._("%s done", f"{self.done_count:,}")]
        for count, text in (
            (self.already_count, self.env._("%s already so")),
            (self.refused_count, self.env._("%s refused")),
            (self.excluded_count, self.env._("%s left out")),
        ):
            if count:
                parts.append(text % f"{count:,}")
        return join_parts(self.env, parts)

    def _get_undo_summary(self):
        """What has become of an undoing, in one line."""
        undone = self.env._("%s undone", f"{self.undone_count:,}")
        if not self.kept_count:
            return undone
        return self.env._("%(undone)s, %(kept)s left as they are", undone=undone, kept=f"{self.kept_count:,}")

    # -- undoing ---------------------------------------------------------------------

    def action_undo(self):
        """Undo the whole batch: ask, then the browser goes through the rows part by part."""
        return self._action_undo()

    def _action_undo(self, lines=None):
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("running", "stopped", "done", "partly_undone"):
            raise UserError(self.env._("There is nothing to undo in this batch."))
        rows = lines.filtered(lambda line: line.outcome in ("done", "kept")) if lines is not None else None
        total = self.done_count + self.kept_count if rows is None else len(rows)
        if not total:
            raise UserError(self.env._("There is nothing to undo in these rows."))
        action = self._get_runner_action("undo", total)
        action["params"]["reason_required"] = self.user_id != self.env.user
        if rows is not None:
            action["params"]["line_ids"] = rows.ids
        return action

    def undo(self, reason="", line_ids=None, after=0, limit=CHUNK):
        """Take back the next rows, as far as nobody has changed them since.

        Callable by RPC, by whose batch it is and by managers; call it with the ``after``
        of the last answer until nothing remains.  A row that has been decided on since
        stays as it is, and says so.  Rows undone already are passed over.

        :param str reason: why; required to undo somebody else's decisions
        :param list line_ids: only these rows of the batch; default: all of them
        :param int after: the last row of the call before
        :param int limit: rows of one call, at most :data:`CHUNK`
        :return: dict ``handled`` (rows of this call), ``after``, ``remaining``, and
            ``message`` once nothing remains
        :raise UserError: when the batch has not been run
        :raise AccessError: when it is somebody else's batch
        """
        self.ensure_one()
        self._lock()
        if self.state not in ("running", "stopped", "done", "partly_undone", "undone"):
            raise UserError(self.env._("There is nothing to undo in this batch."))
        which = SQL("batch_id = %s AND outcome IN ('done', 'kept')", self.id)
        if line_ids is not None:
            which = SQL("%s AND id = ANY(%s)", which, [int(line_id) for line_id in line_ids])
        self.env.cr.execute(
            SQL(
                """SELECT id, log_id, count(*) OVER () FROM clearance_batch_line
                    WHERE %s AND id > %s ORDER BY id LIMIT %s""",
                which,
                int(after),
                self._limit(limit),
            )
        )
        rows = self.env.cr.fetchall()
        if rows:
            self._undo_rows([row[0] for row in rows], [row[1] for row in rows], reason)
        remaining = rows[0][2] - len(rows) if rows else 0
        return {
            "handled": len(rows),
            "after": rows[-1][0] if rows else after,
            "remaining": remaining,
            "message": "" if remaining else self._get_undo_summary(),
        }

    def _undo_rows(self, line_ids, log_ids, reason):
        Model = self.env["clearance.override" if self.decision == "lift" else "clearance.status"]
        outcomes = Model._undo(log_ids, "batch", reason, batch=self)
        self.env.cr.execute(
            SQL(
                """
                WITH told AS (
                    SELECT * FROM unnest(%(ids)s::int[], %(codes)s::text[], %(messages)s::text[])
                                  AS told(id, code, message)
                )
                UPDATE clearance_batch_line line
                   SET undo_code = told.code, undo_message = NULLIF(told.message, ''),
                       undone_at = %(now)s, undone_by_id = %(uid)s
                  FROM told
                 WHERE line.id = told.id
                """,
                ids=line_ids,
                codes=[outcome.code for outcome in outcomes],
                messages=self._describe(outcomes),
                now=fields.Datetime.now(),
                uid=self.env.uid,
            )
        )
        self._refresh_outcomes(line_ids)
        self._count()
        if self.todo_count:
            # Who undoes does not want the rest to be done meanwhile.
            self._record(state="stopped")
        elif self.undone_count:
            self._record(state="partly_undone" if self.done_count + self.kept_count else "undone")

    def _refresh_outcomes(self, line_ids):
        self.env.cr.execute(
            SQL(
                "UPDATE clearance_batch_line SET outcome = %s WHERE id = ANY(%s)",
                self.env["clearance.batch.line"]._outcome_sql(),
                line_ids,
            )
        )
        self._invalidate_rows()

    # -- going on ----------------------------------------------------------------------

    def _get_runner_action(self, method, total):
        """What makes the browser go through the rows (static/src/batch/batch_runner.js)."""
        return {
            "type": "ir.actions.client",
            "tag": "clearance_batch_runner",
            "params": {
                "batch_id": self.id,
                "name": self.name,
                "method": method,
                "done": self.ran_count if method == "run" else 0,
                "total": total,
                "limit": CHUNK,
            },
        }

    @api.model
    def _limit(self, limit):
        return max(1, min(int(limit), CHUNK))

    @api.model
    def _cron_continue(self):
        """Continue batches that their browsers have left, each as the user who began it."""
        batches = self.search([("state", "=", "running"), ("ran_at", "<", fields.Datetime.now() - _LEFT_ALONE)])
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=sum(batches.mapped("todo_count")))
        for batch in batches:
            user = batch.user_id
            if not user.active:
                continue
            batch = batch.with_user(user).with_context(lang=user.lang)
            try:
                remaining = 1
                while remaining and batch.sudo().try_lock_for_update():
                    before = batch.ran_count
                    remaining = batch.run()["remaining"]
                    if not commit(batch.ran_count - before):
                        return
            except (AccessError, UserError) as error:
                self.env.cr.rollback()
                _logger.warning("batch %s cannot be continued: %s", batch.id, error)
