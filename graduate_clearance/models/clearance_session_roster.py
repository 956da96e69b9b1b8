"""Opening a session: forms and statuses from the roster, in sets of SQL statements."""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    #: what the filters on graduates look at
    _ROSTER_TABLES = ("clearance_student", "clearance_student_clearance_trait_rel")

    def _open(self, steps=None):
        """Open this session, or bring an open one up to date with roster and steps.

        Repeatable: adds late-comers, marks those taken out as withdrawn (and takes back
        those who belong again), adds missing statuses, re-evaluates which steps apply and
        where they are routed, and never touches a decision that a person made.

        :param steps: only apply changes of these steps; default: every step
        :raise UserError: when the session is closed, has no step or nobody takes part
        :raise AccessError: unless the caller may write the session (managers)
        """
        self.ensure_one()
        self.check_access("write")
        self._check_not_closed()
        if not self.step_ids:
            raise UserError(self.env._("Session “%s” has no steps yet.", self.name))
        self.step_ids._raise_on_cycle()
        self._check_filters()
        fresh = self.state == "draft"
        if fresh:
            # sudo: a manager counts the roster of the own campus.
            if not self.env["clearance.student"].sudo().search_count(self._get_population_domain(), limit=1):
                raise UserError(
                    self.env._(
                        "Nobody takes part in session “%s”: no graduate of this campus fits its filter.",
                        self.name,
                    )
                )
            self._set_state("open")
        # sudo: `applied_at` is bookkeeping of the opening just allowed.
        self.sudo().write({"applied_at": fields.Datetime.now()})
        self._update_roster(steps=steps, add_latecomers=True, fresh=fresh)

    def _update_roster(self, students=None, steps=None, add_latecomers=False, fresh=False):
        """Write what opening means, for all graduates or for ``students`` only.

        The number of statements does not depend on the number of rows.

        :param students: only look at these graduates
        :param steps: only look at these steps (archived ones included)
        :param bool add_latecomers: make forms for graduates who have none
        :param bool fresh: the session has no forms yet, so there is nothing to compare
        """
        self.ensure_one()
        if steps is None:
            steps = self.with_context(active_test=False).step_ids
        self.env.flush_all()
        whole = students is None
        if whole:
            self._analyze(*self._ROSTER_TABLES)
        plan = self._roster_ctes(students, steps)
        if not fresh:
            self._update_forms(plan, students)
        self.env.cr.execute(self._insert_sql(plan, add_latecomers, fresh))
        if whole:
            self._analyze("clearance_form", "clearance_status")
        if not fresh:
            self.env.cr.execute(self._update_copies_sql(plan))
        self.env.invalidate_all(flush=False)
        if not fresh:
            self._apply_applicability(plan)
        self._settle_forms(students, fresh)

    def _settle_forms(self, students, fresh):
        """Sum up what the roster has written."""
        which = SQL("form.session_id = %s", self.id)
        if students is not None:
            which = SQL("%s AND form.student_id = ANY(%s)", which, students.ids)
        # Nobody else sees the forms of a new session yet: there is nothing to lock.
        # sudo: settling sums up what has been written by those who were allowed to.
        self.env["clearance.form"].sudo()._settle_where(which, lock=not fresh)

    def _analyze(self, *tables):
        """Tell the planner what these tables hold now.

        About a roster that has just been imported, or statuses just written, it knows
        nothing: a plan made for a handful of rows takes minutes for some thousand.
        """
        if not self.env.cr.readonly:
            # Compiling the statements that follow would take longer than it saves.
            names = SQL(", ").join(map(SQL.identifier, tables))
            self.env.cr.execute(SQL("SET LOCAL jit = off; ANALYZE %s", names))

    # -- the plan: who takes part, which steps apply, which desk takes them --------

    def _roster_ctes(self, students, steps):
        """Common table expressions ``member``, ``plan``, ``applies`` and ``route``.

        ``member``: graduates who take part.  ``plan``: the steps and where a status of
        theirs starts.  ``applies``: pairs of step and student for steps with a filter.
        ``route``: for stations with desks below, the desk that takes the graduate.
        """
        return SQL(
            "member AS (%s), plan AS (%s), applies AS (%s), desk AS (%s), route AS (%s)",
            self._member_sql(students),
            self._plan_sql(steps),
            self._applies_sql(students, steps),
            self._desk_sql(steps),
            self._route_sql(),
        )

    def _search_students(self, domain, students=None):
        # sudo: the roster is evaluated as it is, not as far as the caller sees it; callers
        # have checked that the user may open this session or has changed these graduates.
        Student = self.env["clearance.student"].sudo()
        if students is not None:
            domain = Domain(domain) & Domain("id", "in", students.ids)
        return Student._search(domain)

    def _member_sql(self, students):
        query = self._search_students(self._get_population_domain(), students)
        columns = ("id", "company_id", "partner_id", "college_id", "class_id", "room_id", "graduation_year")
        return query.select(*(SQL.identifier("clearance_student", column) for column in columns))

    def _plan_sql(self, steps):
        """A row a step: where its statuses start, and whether it applies to everybody.

        A college's own step never does, and only the college's graduates have a line for it.
        """
        rows = [
            SQL(
                "(%s::int, %s::int, %s::int, %s::bool, %s::varchar, %s::bool, %s::bool, %s::int)",
                step.id,
                step.sequence,
                step.station_id.id,
                step.required,
                step._get_initial_state(),
                step.active,
                step._get_applies_domain().is_true(),
                step.college_id.id or None,
            )
            for step in steps
        ]
        columns = SQL("(step_id, sequence, station_id, required, initial, active, everybody, college_id)")
        if not rows:
            return SQL("SELECT * FROM (SELECT 0, 0, 0, TRUE, '', TRUE, TRUE, 0) t%s WHERE FALSE", columns)
        return SQL("SELECT * FROM (VALUES %s) t%s", SQL(", ").join(rows), columns)

    def _applies_sql(self, students, steps):
        selects = []
        for step in steps:
            domain = step._get_applies_domain()
            if not domain.is_true():
                domain &= Domain("company_id", "=", self.company_id.id)
                query = self._search_students(domain, students)
                selects.append(SQL("SELECT %s AS step_id, id AS student_id FROM (%s) t", step.id, query.select()))
        return SQL(" UNION ALL ").join(selects) if selects else SQL("SELECT 0 AS step_id, 0 AS student_id WHERE FALSE")

    def _desk_sql(self, steps):
        """A row a desk below a step's station (itself included), with its scope.

        A desk takes a graduate who fits its own scope and that of every station between
        it and the step's station.  NULL: everybody.  Rooms nest (a building within a
        campus), so there the deepest scope says enough.
        """
        return SQL(
            """
            WITH RECURSIVE scope AS (
                SELECT station.id, station.parent_id, station.active, station.sequence,
                       %(colleges)s AS college_ids, %(classes)s AS class_ids, %(rooms)s AS room_ids
                  FROM clearance_station station
            ),
            tree AS (
                SELECT id AS root_id, id AS station_id, 0 AS depth, sequence,
                       college_ids, class_ids, room_ids
                  FROM scope
                 WHERE id = ANY(%(roots)s)
                 UNION ALL
                SELECT tree.root_id, scope.id, tree.depth + 1, scope.sequence,
                       %(both_colleges)s, %(both_classes)s, COALESCE(scope.room_ids, tree.room_ids)
                  FROM tree
                  JOIN scope ON scope.parent_id = tree.station_id AND scope.active IS TRUE
            )
            SELECT * FROM tree
            """,
            colleges=self._scope_sql("college_ids"),
            classes=self._scope_sql("class_ids"),
            rooms=self._scope_sql("room_ids"),
            roots=steps.station_id.ids,
            both_colleges=self._narrow_sql("college_ids"),
            both_classes=self._narrow_sql("class_ids"),
        )

    def _scope_sql(self, fname):
        """The scope ``fname`` of ``station`` as an array, or NULL."""
        field = self.env["clearance.station"]._fields[fname]
        return SQL(
            "(SELECT array_agg(%s) FROM %s WHERE %s = station.id)",
            SQL.identifier(field.column2),
            SQL.identifier(field.relation),
            SQL.identifier(field.column1),
        )

    def _narrow_sql(self, column):
        """What is both in the scope of ``tree`` and in that of ``scope`` below it."""
        return SQL(
            """
            CASE WHEN tree.%(column)s IS NULL THEN scope.%(column)s
                 WHEN scope.%(column)s IS NULL THEN tree.%(column)s
                 ELSE ARRAY(SELECT unnest(tree.%(column)s) INTERSECT SELECT unnest(scope.%(column)s)) END
            """,
            column=SQL.identifier(column),
        )

    def _route_sql(self):
        """The deepest desk whose scope takes the graduate; the first in order among equals."""
        return SQL(
            """
            SELECT DISTINCT ON (member.id, desk.root_id)
                   member.id AS student_id, desk.root_id, desk.station_id
              FROM member
              LEFT JOIN clearance_room room ON room.id = member.room_id
              JOIN desk
                ON (desk.college_ids IS NULL OR member.college_id = ANY(desk.college_ids))
               AND (desk.class_ids IS NULL OR member.class_id = ANY(desk.class_ids))
               AND (desk.room_ids IS NULL
                    OR string_to_array(trim(TRAILING '/' FROM room.parent_path), '/')::int[]
                       && desk.room_ids)
             ORDER BY member.id, desk.root_id, desk.depth DESC, desk.sequence, desk.station_id
            """
        )

    # -- writing -----------------------------------------------------------------

    def _update_forms(self, plan, students):
        """Follow the roster: particulars, those taken out, those taken back."""
        self.env.cr.execute(
            SQL(
                """
                WITH %(plan)s,
                wanted AS (
                    SELECT form.id, form.state AS old_state,
                           CASE WHEN member.id IS NULL THEN 'withdrawn'
                                WHEN form.state = 'withdrawn' THEN 'open'
                                ELSE form.state END AS state,
                           CASE WHEN member.id IS NULL
                                THEN COALESCE(student.graduation_note, %(no_longer)s) END AS why,
                           student.partner_id, student.college_id, student.class_id, student.room_id,
                           student.graduation_year < %(year)s AS earlier_year
                      FROM clearance_form form
                      JOIN clearance_student student ON student.id = form.student_id
                      LEFT JOIN member ON member.id = form.student_id
                     WHERE form.session_id = %(session)s AND %(only)s
                ),
                written AS (
                    UPDATE clearance_form form
                       SET state = wanted.state, withdrawn_reason = wanted.why,
                           partner_id = wanted.partner_id, college_id = wanted.college_id,
                           class_id = wanted.class_id, room_id = wanted.room_id,
                           earlier_year = wanted.earlier_year
                      FROM wanted
                     WHERE form.id = wanted.id
                       AND (form.state, form.withdrawn_reason, form.partner_id, form.college_id,
                            form.class_id, form.room_id, form.earlier_year)
                           IS DISTINCT FROM
                           (wanted.state, wanted.why, wanted.partner_id, wanted.college_id,
                            wanted.class_id, wanted.room_id, wanted.earlier_year)
                 RETURNING form.id, form.session_id, form.company_id, form.college_id,
                           form.state, wanted.old_state, wanted.why
                ),
                logged AS (
                    INSERT INTO clearance_log (
                        date, user_id, action, reason, door, form_id, session_id, college_id, company_id
                    )
                    SELECT %(now)s, %(uid)s,
                           CASE state WHEN 'withdrawn' THEN 'form_withdrawn' ELSE 'form_reinstated' END,
                           why, 'roster', id, session_id, college_id, company_id
                      FROM written
                     WHERE (state = 'withdrawn') <> (old_state = 'withdrawn')
                )
                UPDATE clearance_status status
                   SET active = written.state <> 'withdrawn'
                  FROM written
                 WHERE status.form_id = written.id
                   AND status.active <> (written.state <> 'withdrawn')
                """,
                plan=plan,
                no_longer=self.env._("No longer takes part in this session"),
                session=self.id,
                year=self.year,
                only=SQL("student.id = ANY(%s)", students.ids) if students is not None else SQL("TRUE"),
                now=self.env.cr.now(),
                uid=self.env.uid,
            )
        )

    def _latecomers_sql(self, add_latecomers):
        """Write the forms that are missing, and answer them."""
        return SQL(
            """
            INSERT INTO clearance_form (
                session_id, student_id, company_id, partner_id, college_id, class_id, room_id,
                earlier_year, state, create_uid, create_date, write_uid, write_date
            )
            SELECT %(session)s, id, company_id, partner_id, college_id, class_id, room_id,
                   graduation_year < %(year)s, 'open', %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM member
             WHERE %(add)s
             ORDER BY id
                ON CONFLICT (session_id, student_id) DO NOTHING
         RETURNING id, student_id, session_id, company_id, college_id, class_id, room_id, earlier_year
            """,
            add=add_latecomers,
            session=self.id,
            year=self.year,
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    def _insert_sql(self, plan, add_latecomers, fresh):
        """Forms that are missing, and statuses that are: a new session, late-comers, new steps.

        One statement, so that who takes part, where and with which steps is worked out once.
        """
        return SQL(
            """
            WITH %(plan)s,
            latecomer AS (%(latecomers)s),
            form AS (
                SELECT * FROM latecomer
                 UNION ALL
                SELECT id, student_id, session_id, company_id, college_id, class_id, room_id, earlier_year
                  FROM clearance_form
                 WHERE session_id = %(session)s AND student_id IN (SELECT id FROM member)
            ),
            wanted AS (
                SELECT form.id AS form_id, plan.step_id, plan.sequence, plan.required,
                       COALESCE(route.station_id, plan.station_id) AS station_id,
                       form.session_id, form.company_id, form.college_id, form.class_id,
                       form.room_id, form.earlier_year,
                       CASE WHEN plan.everybody OR applies.step_id IS NOT NULL
                            THEN plan.initial ELSE 'not_required' END AS state
                  FROM form
                 CROSS JOIN plan
                  LEFT JOIN applies
                    ON applies.step_id = plan.step_id AND applies.student_id = form.student_id
                  LEFT JOIN route
                    ON route.root_id = plan.station_id AND route.student_id = form.student_id
                 WHERE plan.active AND (plan.college_id IS NULL OR plan.college_id = form.college_id)
            )
            INSERT INTO clearance_status (
                form_id, step_id, session_id, station_id, company_id, college_id, class_id,
                room_id, earlier_year, active, required, state, initial_state, is_open, needs_review
            )
            SELECT form_id, step_id, session_id, station_id, company_id, college_id, class_id,
                   room_id, earlier_year, TRUE, required, state, state,
                   required AND state = 'pending', FALSE
              FROM wanted
             ORDER BY form_id, sequence, step_id
                %(existing)s
            """,
            plan=plan,
            latecomers=self._latecomers_sql(add_latecomers),
            # Looking for what cannot be there yet takes a fifth of the time.
            existing=SQL() if fresh else SQL("ON CONFLICT (form_id, step_id) DO NOTHING"),
            session=self.id,
        )

    def _update_copies_sql(self, plan):
        """Copies of the form's particulars and the desk, where they changed."""
        return SQL(
            """
            WITH %(plan)s
            UPDATE clearance_status status
               SET college_id = form.college_id, class_id = form.class_id, room_id = form.room_id,
                   earlier_year = form.earlier_year,
                   station_id = COALESCE(route.station_id, plan.station_id)
              FROM clearance_form form
              JOIN member ON member.id = form.student_id
             CROSS JOIN plan
              LEFT JOIN route
                ON route.root_id = plan.station_id AND route.student_id = form.student_id
             WHERE form.session_id = %(session)s
               AND status.form_id = form.id AND status.step_id = plan.step_id
               AND (status.college_id, status.class_id, status.room_id, status.earlier_year,
                    status.station_id)
                   IS DISTINCT FROM
                   (form.college_id, form.class_id, form.room_id, form.earlier_year,
                    COALESCE(route.station_id, plan.station_id))
            """,
            plan=plan,
            session=self.id,
        )

    def _apply_applicability(self, plan):
        """Let the gate set what applies no longer, and reopen what applies now.

        Only statuses that no person has decided.
        """
        self.env.cr.execute(self._applicability_sql(plan))
        by_decision = {}
        for status_id, decision in self.env.cr.fetchall():
            by_decision.setdefault(decision, []).append(status_id)
        reason = self.env._("The roster or the steps have changed")
        # sudo: the consequence of a change of roster or steps that was allowed already.
        Status = self.env["clearance.status"].sudo()
        for decision, status_ids in sorted(by_decision.items()):
            Status.browse(status_ids)._decide(decision, "roster", reason)

    def _applicability_sql(self, plan):
        """Rows ``(status id, decision)`` of statuses that no person decided and that differ."""
        return SQL(
            """
            WITH %(plan)s,
            wanted AS (
                SELECT status.id, status.state, status.required, plan.required AS want_required,
                       plan.active AND (plan.everybody OR applies.step_id IS NOT NULL) AS applies
                  FROM clearance_status status
                  JOIN clearance_form form ON form.id = status.form_id
                  JOIN member ON member.id = form.student_id
                  JOIN plan ON plan.step_id = status.step_id
                  LEFT JOIN applies
                    ON applies.step_id = plan.step_id AND applies.student_id = form.student_id
                 WHERE form.session_id = %(session)s
                   AND (status.decided_at IS NULL OR status.door IN ('feed', 'roster'))
            )
            SELECT id,
                   CASE WHEN NOT applies THEN 'set_not_required'
                        WHEN state = 'not_required' THEN 'reopen'
                        WHEN want_required THEN 'reopen'
                        ELSE 'set_optional' END
              FROM wanted
             WHERE applies = (state = 'not_required')
                OR (applies AND state IN ('pending', 'optional') AND required <> want_required)
             ORDER BY id
            """,
            plan=plan,
            session=self.id,
        )

    def _mark_unfounded(self, steps):
        """Mark what was approved before a prerequisite came in that is not settled.

        :param steps: look at the statuses of these steps
        :return: the statuses marked
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: the session may be written, so what it asks for may be asked for again.
        Status = self.env["clearance.status"].sudo()
        approved = Status.search(
            [
                ("session_id", "=", self.id),
                ("step_id", "in", steps.ids),
                ("state", "=", "approved"),
                ("needs_review", "=", False),
            ]
        )
        unfounded = Status.browse(approved._get_missing())
        unfounded._mark_for_review("roster")
        unfounded.form_id._settle()
        return unfounded

    # -- the effect, before it is written ------------------------------------------

    def _preview(self):
        """What opening (again) would do, read only.

        :return: dict with ``members``, ``earlier_year``, ``latecomers`` (no form yet),
            ``withdrawn`` (would be taken out), ``reinstated``, and ``steps``: list of dicts
            ``step_id``, ``applies`` (graduates who have the step), ``not_required``,
            ``added`` (statuses to write), ``to_not_required``, ``to_required``,
            ``rerouted``, ``no_desk`` (no desk below the station takes them),
            ``nobody`` (nobody could decide), ``review`` (approved although a
            prerequisite is not settled now)
        """
        self.ensure_one()
        self.check_access("read")
        self.env.flush_all()
        steps = self.with_context(active_test=False).step_ids
        self._analyze(*self._ROSTER_TABLES)
        plan = self._roster_ctes(None, steps)
        self.env.cr.execute(self._preview_members_sql(plan))
        columns = ("members", "earlier_year", "latecomers", "withdrawn", "reinstated")
        preview = dict(zip(columns, self.env.cr.fetchone(), strict=True))
        self.env.cr.execute(self._preview_steps_sql(plan))
        names = [column.name for column in self.env.cr.description]
        preview["steps"] = [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]
        return preview

    def _preview_members_sql(self, plan):
        return SQL(
            """
            WITH %(plan)s,
            form AS (SELECT * FROM clearance_form WHERE session_id = %(session)s)
            SELECT count(member.id),
                   count(member.id) FILTER (WHERE member.graduation_year < %(year)s),
                   count(member.id) FILTER (WHERE form.id IS NULL),
                   count(form.id) FILTER (WHERE member.id IS NULL AND form.state <> 'withdrawn'),
                   count(form.id) FILTER (WHERE member.id IS NOT NULL AND form.state = 'withdrawn')
              FROM member
              FULL JOIN form ON form.student_id = member.id
            """,
            plan=plan,
            session=self.id,
            year=self.year,
        )

    def _preview_steps_sql(self, plan):
        Status = self.env["clearance.status"]
        return SQL(
            """
            WITH %(plan)s,
            staffed AS (SELECT DISTINCT clearance_station_id AS id FROM clearance_station_res_users_rel),
            grouping AS (SELECT DISTINCT root_id AS id FROM desk WHERE station_id <> root_id),
            cell AS (
                SELECT plan.step_id, plan.required, plan.active,
                       plan.active AND (plan.everybody OR applies.step_id IS NOT NULL) AS applies,
                       plan.college_id IS NULL OR plan.college_id = member.college_id AS has_line,
                       COALESCE(route.station_id, plan.station_id) AS station_id,
                       route.station_id IS NULL
                           OR (route.station_id = plan.station_id
                               AND plan.station_id IN (SELECT id FROM grouping)
                               AND plan.station_id NOT IN (SELECT id FROM staffed)) AS no_desk,
                       CASE step.mode
                            WHEN 'counsellor' THEN class.counsellor_id IS NULL
                            WHEN 'supervisor' THEN student.supervisor_id IS NULL
                            WHEN 'station' THEN COALESCE(route.station_id, plan.station_id)
                                                NOT IN (SELECT id FROM staffed)
                            ELSE FALSE END AS nobody,
                       form.id AS form_id
                  FROM member
                  JOIN clearance_student student ON student.id = member.id
                 CROSS JOIN plan
                  JOIN clearance_step step ON step.id = plan.step_id
                  LEFT JOIN clearance_class class ON class.id = member.class_id
                  LEFT JOIN clearance_form form
                    ON form.student_id = member.id AND form.session_id = %(session)s
                  LEFT JOIN applies
                    ON applies.step_id = plan.step_id AND applies.student_id = member.id
                  LEFT JOIN route
                    ON route.root_id = plan.station_id AND route.student_id = member.id
            )
            SELECT cell.step_id,
                   count(*) FILTER (WHERE applies) AS applies,
                   count(*) FILTER (WHERE NOT applies AND (has_line OR status.id IS NOT NULL)) AS not_required,
                   count(*) FILTER (WHERE cell.active AND has_line AND status.id IS NULL) AS added,
                   count(*) FILTER (WHERE NOT applies AND untouched
                                    AND status.state <> 'not_required') AS to_not_required,
                   count(*) FILTER (WHERE applies AND untouched
                                    AND (status.state = 'not_required'
                                         OR status.state = 'optional' AND cell.required)) AS to_required,
                   count(*) FILTER (WHERE status.station_id <> cell.station_id) AS rerouted,
                   count(*) FILTER (WHERE applies AND no_desk) AS no_desk,
                   count(*) FILTER (WHERE applies AND nobody) AS nobody,
                   count(*) FILTER (WHERE status.state = 'approved' AND NOT status.needs_review
                                    AND EXISTS (%(missing)s)) AS review
              FROM cell
              LEFT JOIN (
                    SELECT *, decided_at IS NULL OR door IN ('feed', 'roster') AS untouched
                      FROM clearance_status
                     WHERE session_id = %(session)s
                   ) status
                ON status.form_id = cell.form_id AND status.step_id = cell.step_id
             GROUP BY cell.step_id
            """,
            plan=plan,
            session=self.id,
            missing=Status._missing_sql(SQL("status.form_id"), SQL("status.step_id")),
        )
