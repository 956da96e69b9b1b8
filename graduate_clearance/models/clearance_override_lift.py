"""Lifting restrictions and restoring them: sets of any size, one statement each."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .clearance_log import LOGGED_COLUMNS
from .clearance_status_gate import Outcome, _check_door, _clean


class ClearanceOverride(models.Model):
    _inherit = "clearance.override"

    @api.model
    def _lift(self, status_ids, reason, date_end=None, batch=None, dry_run=False, door="batch"):
        """Lift the restriction of steps: the one way to a deferral.

        A constant number of statements, whatever the number of rows; deferral and log
        line are written by the same one.  A step that somebody settles or reopens in
        the same moment is held (``FOR SHARE``): whoever comes second is retried by Odoo.

        :param list status_ids: of the steps; no access to the statuses is needed, they
            must be of forms that the user may read
        :param str reason: which proof was shown
        :param date_end: last day (date or its text); empty: until it is restored
        :param batch: the ``clearance.batch`` that it is part of
        :param bool dry_run: only tell what would happen; nothing is written
        :param str door: a key of ``DOORS``
        :return: list of ``Outcome``, one a status and in order; codes ``done``, ``already``
            (lifted), ``settled`` (settled, optional or not required: nothing to lift),
            ``session_closed``, ``withdrawn``, ``not_yours`` and ``unknown``
        :raise AccessError: the user is no deferral officer
        :raise UserError: no reason given (except in a dry run), or an end date in the past
        """
        self.check_access("create")
        status_ids = [int(status_id or 0) for status_id in status_ids]
        reason, date_end = _clean(reason), fields.Date.to_date(date_end or None)
        if not reason and not dry_run:
            raise UserError(self.env._("A reason is required: which proof was shown?"))
        if date_end and date_end < self._today():
            raise UserError(self.env._("The end date is in the past."))
        self.env.flush_all()
        if not dry_run:
            self._expire(status_ids)
        statement = self._lift_sql(status_ids)
        if not dry_run:
            statement = SQL("%s, %s", statement, self._lift_write_sql(reason, date_end, _check_door(door), batch))
        self.env.cr.execute(
            SQL(
                """%s SELECT target.id, target.code, target.form_id, target.station_id, target.session_id, %s
                        FROM target %s""",
                statement,
                SQL("NULL::int") if dry_run else SQL("logged.id"),
                SQL() if dry_run else SQL("LEFT JOIN logged ON logged.status_id = target.id"),
            )
        )
        rows = self.env.cr.fetchall()
        if not dry_run:
            self._told([row[2:5] for row in rows if row[1] == "done"])
        found = {row[0]: Outcome(row[0], row[1], line=row[5]) for row in rows}
        return [found.get(status_id) or Outcome(status_id, "unknown") for status_id in status_ids]

    def _lift_sql(self, status_ids):
        """What stands in the way of lifting each of these: the first part of a statement."""
        # The rules for forms say whose deferrals these are; officers do not see settled statuses.
        domain = Domain("id", "in", status_ids)
        if not self.env.su:
            # sudo: the domain replaces the access check.
            domain &= Domain("form_id", "any", self.env["ir.rule"]._compute_domain("clearance.form", "read"))
        mine = self.env["clearance.status"].sudo().with_context(active_test=False)._search(domain)
        return SQL(
            """
            WITH mine AS (%(mine)s),
            target AS (
                SELECT status.id, status.form_id, status.station_id, status.session_id,
                       CASE WHEN mine.id IS NULL THEN 'not_yours'
                            WHEN session.state <> 'open' THEN 'session_closed'
                            WHEN status.active IS NOT TRUE OR form.state = 'withdrawn' THEN 'withdrawn'
                            WHEN status.is_open IS NOT TRUE THEN 'settled'
                            WHEN %(lifted)s THEN 'already'
                            ELSE 'done' END AS code
                  FROM clearance_status status
                  JOIN clearance_form form ON form.id = status.form_id
                  JOIN clearance_session session ON session.id = status.session_id
                  LEFT JOIN mine ON mine.id = status.id
                 WHERE status.id = ANY(%(ids)s)
            )
            """,
            mine=mine.select(SQL("clearance_status.id")),
            lifted=self._in_force_sql(SQL("status.id")),
            ids=status_ids,
        )

    def _lift_write_sql(self, reason, date_end, door, batch):
        """The part of the statement that writes deferrals and their log lines."""
        return SQL(
            """
            held AS MATERIALIZED (
                SELECT status.id
                  FROM target
                  JOIN clearance_status status ON status.id = target.id
                 WHERE target.code = 'done'
                 ORDER BY status.id
                   FOR SHARE OF status
            ),
            lifted AS (
                INSERT INTO clearance_override (
                    status_id, form_id, step_id, session_id, college_id, company_id, reason, date_end,
                    granted_by_id, granted_at, create_uid, create_date, write_uid, write_date
                )
                SELECT status.id, status.form_id, status.step_id, status.session_id, status.college_id,
                       status.company_id, %(reason)s, %(date_end)s::date,
                       %(uid)s, %(now)s, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM held
                  JOIN clearance_status status ON status.id = held.id
                 ORDER BY status.id
                -- Lifted by somebody else in the same moment: fails to serialise, is retried.
                ON CONFLICT (status_id) WHERE restored_at IS NULL DO NOTHING
             RETURNING status_id
            ),
            changed AS (
                SELECT %(columns)s, status.state AS from_state, status.state AS to_state
                  FROM lifted
                  JOIN clearance_status status ON status.id = lifted.status_id
                 ORDER BY status.id
            ),
            logged AS (%(log)s RETURNING id, status_id)
            """,
            reason=reason,
            date_end=date_end,
            uid=self.env.uid,
            # as the ORM's own columns: without microseconds
            now=fields.Datetime.now(),
            columns=LOGGED_COLUMNS,
            log=self.env["clearance.log"]._insert_sql("changed", "lift", door, reason, batch),
        )

    @api.model
    def _expire(self, status_ids):
        """Mark deferrals of these steps that ended by date, so that a new one can be granted.

        Nobody is told: what ends here is prolonged in the same breath.
        """
        ended = (
            Domain("status_id", "in", status_ids)
            & Domain("restored_at", "=", False)
            & Domain("date_end", "!=", False)
            & self._get_ending_domain(0)
        )
        # sudo: ending what has ended by its own date asks for no right.
        self.sudo().search(ended)._end_by_date()

    def _told(self, rows):
        """What follows a change: fresh caches, settled forms, screens that are told.

        :param list rows: tuples ``(form id, station id, session id)``
        """
        if not rows:
            return
        self.invalidate_model(flush=False)
        self.env["clearance.status"]._invalidate_cache(["ready", "blocked_by", "is_lifted"])
        self.env["clearance.form"]._invalidate_cache(["record"])
        # sudo: settling sums up; whoever may lift a restriction may cause it.
        self.env["clearance.form"].sudo().browse({row[0] for row in rows})._settle_after_commit()
        self.env["clearance.desk"]._tell_after_commit({row[1:] for row in rows})

    def _follow_up(self, overrides):
        """:meth:`_told` for deferrals."""
        overrides.flush_recordset()
        # sudo: only ids are read, to know whose forms and screens change.
        self._told([(row.form_id.id, row.status_id.station_id.id, row.session_id.id) for row in overrides.sudo()])

    # -- restoring -------------------------------------------------------------

    @api.model
    def _restore(self, override_ids, reason=None, door="desk", batch=None, dry_run=False):
        """Let steps restrict again.

        One statement, whatever the number of rows.

        :param list override_ids: of deferrals
        :param str reason: why, kept in the log; without it the deferral's own reason
        :return: list of ``Outcome``, one a deferral and in order (with the id of its
            status, 0 for an unknown deferral); codes ``done``, ``already`` (restored or
            ended before), ``session_closed``, ``not_yours`` and ``unknown``
        :raise AccessError: the user is no deferral officer
        """
        self.check_access("write")
        override_ids = [int(override_id) for override_id in override_ids]
        found = self._end_where(SQL("deferral.id = ANY(%s)", override_ids), _clean(reason), door, batch, dry_run)
        outcomes = {override_id: outcome for override_id, _line, outcome in found}
        return [outcomes.get(override_id) or Outcome(0, "unknown") for override_id in override_ids]

    @api.model
    def _undo(self, line_ids, door, reason=None, batch=None, dry_run=False):
        """Take back what lifted a restriction, named by log line; as ``clearance.status._undo``.

        Only where nobody has restored the restriction or lifted it anew since: of those
        the outcome is ``changed``.  Who undoes what somebody else has granted gives a reason.

        :param list line_ids: of log lines ``lift``
        :return: list of ``Outcome``, one a line and in order; ``done``, ``changed``,
            ``reason_required``, ``session_closed``, ``not_yours`` or ``unknown``
        :raise AccessError: the user is no deferral officer
        """
        self.check_access("write")
        line_ids = [int(line_id) for line_id in line_ids]
        reason = _clean(reason)
        # The deferral that a line speaks of is in force as long as the line is the last of its step.
        found = self._end_where(
            SQL(
                """deferral.restored_at IS NULL AND deferral.status_id IN (
                       SELECT line.status_id FROM clearance_log line WHERE line.id = ANY(%s))""",
                line_ids,
            ),
            reason,
            door,
            batch,
            dry_run,
            undone=line_ids,
        )
        outcomes = {line: outcome for _override_id, line, outcome in found}
        self.env.cr.execute(
            SQL(
                "SELECT id, status_id FROM clearance_log WHERE id = ANY(%s) AND action = 'lift'",
                line_ids,
            )
        )
        statuses = dict(self.env.cr.fetchall())
        return [
            outcomes.get(line) or (Outcome(statuses[line], "changed") if line in statuses else Outcome(0, "unknown"))
            for line in line_ids
        ]

    def _end_where(self, which, reason, door, batch, dry_run, undone=None):
        """End deferrals of a condition on behalf of the user.

        :param SQL which: a condition on ``deferral``
        :param list undone: only those whose latest line is one of these
        :return: list of ``(deferral id, id of the line that lifted it or None, Outcome)``
        """
        self.env.flush_all()
        statement = self._restore_sql(which, undone, reason)
        if not dry_run:
            statement = SQL("%s, %s", statement, self._restore_write_sql(reason, _check_door(door), batch))
        self.env.cr.execute(
            SQL(
                """%s SELECT target.id, target.line, target.code, target.status_id,
                             target.form_id, target.station_id, target.session_id, %s
                        FROM target %s""",
                statement,
                SQL("NULL::int") if dry_run else SQL("logged.id"),
                SQL()
                if dry_run
                else SQL("LEFT JOIN logged ON logged.status_id = target.status_id AND target.code = 'done'"),
            )
        )
        rows = self.env.cr.fetchall()
        if not dry_run:
            self._told([row[4:7] for row in rows if row[2] == "done"])
        return [(row[0], row[1], Outcome(row[3], row[2], line=row[7])) for row in rows]

    def _restore_sql(self, which, undone, reason):
        """What stands in the way of restoring each of these: the first part of a statement."""
        domain = Domain(True)
        if not self.env.su:
            domain = self.env["ir.rule"]._compute_domain(self._name, "write")
        # sudo: the domain replaces the access check.
        mine = self.sudo()._search(domain)
        latest = SQL("NULL::int")
        cases = []
        if undone is not None:
            latest = SQL(
                """(SELECT max(line.id) FROM clearance_log line
                     WHERE line.status_id = deferral.status_id AND line.form_id = deferral.form_id
                       AND line.action IN ('lift', 'restore', 'expired'))"""
            )
            cases.append(SQL("WHEN line IS NULL OR line <> ALL(%s) THEN 'changed'", undone))
            if not reason:
                cases.append(SQL("WHEN granted_by_id <> %s THEN 'reason_required'", self.env.uid))
        return SQL(
            """
            WITH mine AS (%(mine)s),
            chosen AS (
                SELECT deferral.id, deferral.status_id, deferral.form_id, status.station_id, deferral.session_id,
                       deferral.granted_by_id, deferral.restored_at, session.state AS session_state,
                       %(in_force)s AS in_force, mine.id AS mine, %(latest)s AS line
                  FROM clearance_override deferral
                  JOIN clearance_status status ON status.id = deferral.status_id
                  JOIN clearance_session session ON session.id = deferral.session_id
                  LEFT JOIN mine ON mine.id = deferral.id
                 WHERE %(which)s
            ),
            target AS (
                SELECT chosen.*,
                       CASE WHEN mine IS NULL THEN 'not_yours'
                            WHEN restored_at IS NOT NULL OR NOT in_force THEN 'already'
                            WHEN session_state <> 'open' THEN 'session_closed'
                            %(cases)s
                            ELSE 'done' END AS code
                  FROM chosen
            )
            """,
            mine=mine.select(SQL("clearance_override.id")),
            in_force=self._in_force_sql(SQL("deferral.status_id")),
            latest=latest,
            which=which,
            cases=SQL(" ").join(cases),
        )

    def _restore_write_sql(self, reason, door, batch):
        """The part of the statement that ends deferrals and writes their log lines."""
        return SQL(
            """
            ended AS (
                UPDATE clearance_override deferral
                   SET restored_at = %(now)s, restored_by_id = %(uid)s, write_uid = %(uid)s, write_date = %(now)s
                  FROM target
                 WHERE deferral.id = target.id AND target.code = 'done'
             RETURNING deferral.status_id
            ),
            changed AS (
                SELECT %(columns)s, status.state AS from_state, status.state AS to_state
                  FROM ended
                  JOIN clearance_status status ON status.id = ended.status_id
                 ORDER BY status.id
            ),
            logged AS (%(log)s RETURNING id, status_id)
            """,
            now=fields.Datetime.now(),
            uid=self.env.uid,
            columns=LOGGED_COLUMNS,
            log=self.env["clearance.log"]._insert_sql("changed", "restore", door, reason, batch),
        )
