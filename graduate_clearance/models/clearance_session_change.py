"""Changing a step of an open session: the effect in numbers before, and putting it in force."""

from contextlib import closing

from odoo import api, fields, models
from odoo.tools import SQL


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _get_change_effect(self, step, values):
        """What writing ``values`` on a step of this open session, and putting it in force, would do.

        The change is written, looked at and rolled back: what would refuse it (a cycle, a
        window that ends before it starts, rights) refuses it here too.  The number of
        queries depends neither on the number of graduates nor on that of steps.

        :param dict values: as for ``write``; empty to look at a change that is written already
        :return: dict ``before`` and ``after`` (figures of the step, see :meth:`_get_step_figures`),
            ``steps`` (``{step id: figures}``, see :meth:`_change_effect_sql`; those without any
            effect left out), ``optional`` (would no longer be asked for, may still be done),
            ``kept`` (decided by a person, so left though the step no longer applies) and
            ``shut`` (not settled, and the window of the step would not be open now)
        """
        self.ensure_one()
        self.env.flush_all()
        self._analyze(*self._ROSTER_TABLES)
        waits = self._get_waits()
        before = self._get_step_figures(step)
        with closing(self.env.cr.savepoint()):
            if values:
                step.write(values)
            self.step_ids._raise_on_cycle()
            self.env.flush_all()
            return {
                "before": before,
                "after": self._get_step_figures(step),
                "steps": {row["step_id"]: row for row in self._read_change_effect(step, waits)},
                **self._read_change_of_own(step),
            }

    def _get_waits(self):
        """What waits for what at present: list of pairs ``(step id, id of a step before it)``."""
        return [
            (step.id, prerequisite.id)
            for step in self.with_context(active_test=False).step_ids
            for prerequisite in step.blocking_step_ids.sorted("id")
        ]

    def _get_step_figures(self, step):
        """Figures of one step as opening would find it; see ``_preview``."""
        self.env.flush_all()
        self.env.cr.execute(self._preview_steps_sql(self._roster_ctes(None, step)))
        names = [column.name for column in self.env.cr.description]
        row = self.env.cr.fetchone()
        return dict(zip(names, row, strict=True)) if row else dict.fromkeys(names, 0)

    def _read_change_effect(self, step, waits, with_ids=False):
        """Rows of :meth:`_change_effect_sql`, as dicts.

        :param list waits: what waited for what before the change
        :param bool with_ids: also answer ``review_ids``, the statuses to look at again
        """
        now = self._get_waits()
        changed = {pair[0] for pair in set(now) ^ set(waits)}
        below = self._get_below(step, now)
        affected = changed | below | {pair[0] for pair in waits if pair[1] == step.id} | {step.id}
        self.env.cr.execute(self._change_effect_sql(step, waits, affected, below, with_ids))
        names = [column.name for column in self.env.cr.description]
        return [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]

    def _get_below(self, step, waits):
        """Ids of the steps that cannot be settled before ``step`` is."""
        after = {}
        for waiting_id, prerequisite_id in waits:
            after.setdefault(prerequisite_id, set()).add(waiting_id)
        found, todo = set(), [step.id]
        while todo:
            new = after.get(todo.pop(), set()) - found
            found |= new
            todo += new
        return found

    def _own_sql(self, step):
        """Statuses of the changed step as they are and as they would be, those to be written too.

        The same conditions as in ``_applicability_sql`` and ``_insert_sql``.
        """
        return SQL(
            """
            SELECT form.id AS form_id, status.id AS status_id, status.state, found.applies,
                   status.decided_at IS NULL OR status.door IN ('feed', 'roster') AS untouched,
                   COALESCE(status.is_open, FALSE) AS was_open,
                   CASE WHEN status.id IS NULL
                        THEN found.applies AND plan.required AND plan.initial = 'pending'
                        WHEN status.decided_at IS NOT NULL AND status.door NOT IN ('feed', 'roster')
                        THEN status.is_open
                        WHEN NOT found.applies THEN FALSE
                        WHEN status.state = 'not_required' THEN plan.required
                        WHEN status.state IN ('pending', 'optional') THEN plan.required
                        ELSE status.is_open END AS opens,
                   COALESCE(%(lifted)s, FALSE) AS lifted
              FROM clearance_form form
              JOIN member ON member.id = form.student_id
             CROSS JOIN plan
             CROSS JOIN LATERAL (
                   SELECT plan.active AND (plan.everybody OR EXISTS (
                              SELECT 1 FROM applies WHERE applies.student_id = form.student_id
                          )) AS applies
                   ) found
              LEFT JOIN clearance_status status
                ON status.form_id = form.id AND status.step_id = plan.step_id
             WHERE form.session_id = %(session)s AND form.state <> 'withdrawn'
            """,
            lifted=self.env["clearance.override"]._in_force_sql(SQL("status.id")),
            session=self.id,
        )

    def _change_effect_sql(self, step, waits, affected, below, with_ids):
        """A row a step on which the change has an effect, and how many graduates it concerns.

        ``blocked``: not settled, could be confirmed before, not any more.  ``freed``: the
        other way round.  ``forced``: approved, relies on the changed step that is asked for
        again, so the gate marks it for another look in any case.  ``review``: approved, and
        waits now for something that is not settled: marked if so chosen.

        Raw SQL, because the effect is what the gate will say about every graduate, before
        and after; the statuses themselves are not written (their rows are those that the
        desks work on), so how they would be is worked out here.
        """
        Override = self.env["clearance.override"]
        pairs = SQL(", ").join(SQL("(%s::int, %s::int)", *pair) for pair in waits)
        return SQL(
            """
            WITH %(plan)s,
            own AS MATERIALIZED (%(own)s),
            waited(step_id, prerequisite_id) AS (%(waited)s),
            cell AS (
                SELECT status.id, status.step_id,
                       status.state = 'approved' AND NOT status.needs_review AS is_approved,
                       status.is_open AND CASE WHEN status.step_id = %(step)s
                                               THEN COALESCE(own.opens, status.is_open)
                                               ELSE TRUE END AS stays_open,
                       status.step_id = ANY(%(below)s)
                           AND COALESCE(own.status_id IS NOT NULL AND own.opens AND NOT own.was_open
                                        AND NOT own.lifted, FALSE) AS is_forced,
                       EXISTS (
                           SELECT 1
                             FROM waited
                             JOIN clearance_status prereq
                               ON prereq.form_id = status.form_id
                              AND prereq.step_id = waited.prerequisite_id
                            WHERE waited.step_id = status.step_id
                              AND prereq.is_open IS TRUE AND prereq.active IS TRUE AND NOT %(lifted)s
                       ) AS was_missing,
                       EXISTS (
                           SELECT 1
                             FROM clearance_step_blocking_rel rel
                             JOIN clearance_status prereq
                               ON prereq.form_id = status.form_id
                              AND prereq.step_id = rel.prerequisite_id
                            WHERE rel.step_id = status.step_id AND rel.prerequisite_id <> %(step)s
                              AND prereq.is_open IS TRUE AND prereq.active IS TRUE AND NOT %(lifted)s
                       ) OR COALESCE(own.opens AND NOT own.lifted AND EXISTS (
                           SELECT 1
                             FROM clearance_step_blocking_rel rel
                            WHERE rel.step_id = status.step_id AND rel.prerequisite_id = %(step)s
                       ), FALSE) AS is_missing
                  FROM clearance_status status
                  LEFT JOIN own ON own.form_id = status.form_id
                 WHERE status.session_id = %(session)s AND status.step_id = ANY(%(affected)s)
                   AND status.active IS TRUE
                   AND (status.is_open IS TRUE OR status.state = 'approved')
            ),
            concerned AS (
                SELECT id, step_id,
                       stays_open AND is_missing AND NOT was_missing AS blocked,
                       stays_open AND was_missing AND NOT is_missing AS freed,
                       is_approved AND is_forced AS forced,
                       is_approved AND NOT is_forced AND is_missing AND NOT was_missing AS review
                  FROM cell
            )
            SELECT step_id,
                   count(*) FILTER (WHERE blocked) AS blocked,
                   count(*) FILTER (WHERE freed) AS freed,
                   count(*) FILTER (WHERE forced) AS forced,
                   count(*) FILTER (WHERE review) AS review
                   %(ids)s
              FROM concerned
             WHERE blocked OR freed OR forced OR review
             GROUP BY step_id
            """,
            plan=self._roster_ctes(None, step),
            own=self._own_sql(step),
            waited=SQL("VALUES %s", pairs) if waits else SQL("SELECT 0, 0 WHERE FALSE"),
            step=step.id,
            below=list(below),
            affected=list(affected),
            session=self.id,
            lifted=Override._in_force_sql(SQL("prereq.id")),
            ids=SQL(", array_agg(id) FILTER (WHERE review) AS review_ids") if with_ids else SQL(),
        )

    def _read_change_of_own(self, step):
        """What becomes of statuses of the changed step itself, where ``_preview`` does not tell."""
        self.env.cr.execute(
            SQL(
                """
                WITH %(plan)s,
                own AS (%(own)s)
                SELECT count(*) FILTER (WHERE applies AND untouched AND was_open AND NOT opens) AS optional,
                       count(*) FILTER (WHERE NOT applies AND NOT untouched AND state <> 'not_required') AS kept,
                       count(*) FILTER (WHERE opens AND %(shut)s) AS shut
                  FROM own
                """,
                plan=self._roster_ctes(None, step),
                own=self._own_sql(step),
                shut=self._is_shut(step),
            )
        )
        names = [column.name for column in self.env.cr.description]
        return dict(zip(names, self.env.cr.fetchone(), strict=True))

    def _is_shut(self, step):
        """Whether the step's own window is not open at present."""
        now = self.env.cr.now()
        return bool((step.open_from and step.open_from > now) or (step.deadline and step.deadline < now))

    def _put_in_force(self, step, waits, mark_review=False):
        """Bring the statuses of one step up to date with a change that has just been written.

        As opening again does for this step (``_update_roster``), but nobody is taken out of
        the session or added to it on the way, and changes of other steps that wait to be
        applied go on waiting.

        Callers have checked that the user may write the step.

        :param list waits: what waited for what before, see :meth:`_get_waits`
        :param bool mark_review: mark approvals that lack a prerequisite by this change
        :return: the statuses marked for that
        """
        self.ensure_one()
        self.env.flush_all()
        self._analyze(*self._ROSTER_TABLES)
        # sudo: consequences of a change that the user was allowed to write; they concern
        # graduates to whom the step applies, whoever may read these.
        session = self.sudo()
        step = step.sudo()
        unfounded = session.env["clearance.status"]
        if mark_review:
            rows = session._read_change_effect(step, waits, with_ids=True)
            unfounded = unfounded.browse(id_ for row in rows for id_ in row["review_ids"] or ())
        plan = session._roster_ctes(None, step)
        self.env.cr.execute(session._insert_sql(plan, add_latecomers=False, fresh=False))
        self.env.cr.execute(session._update_copies_sql(plan))
        self.env.invalidate_all(flush=False)
        session._apply_applicability(plan)
        unfounded._mark_for_review("roster")
        session._settle_forms(None, fresh=False)
        # The session goes on asking for changes of other steps, and no longer for this one.
        step.write({"changed_at": session.applied_at})
        return unfounded


class ClearanceStep(models.Model):
    _inherit = "clearance.step"

    can_change = fields.Boolean(
        compute="_compute_can_change", help="The user may change this step, whose session is open."
    )

    @api.depends("session_id.state")
    @api.depends_context("uid")
    def _compute_can_change(self):
        # New records have no rights of their own yet.
        writable = self._origin._filtered_access("write")
        for step in self:
            step.can_change = step._origin in writable and step.session_id.state == "open"

    def action_change(self):
        """Change this step of an open session: the wizard shows the effect first."""
        self.ensure_one()
        return self._open_change({})

    def _open_change(self, values):
        """Open the wizard that changes this step.

        :param dict values: what to propose: values of fields as the wizard holds them, with
            lists of ids for fields of many records; their effect is shown at once
        :raise AccessError: the user may not change this step
        :raise UserError: the session is not open
        """
        self.ensure_one()
        self.check_access("write")
        return self.env["clearance.step.change"]._start(self, values)._reopen()
