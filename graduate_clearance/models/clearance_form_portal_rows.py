"""What a graduate's page is made of: two statements, whatever the number of steps."""

from bisect import bisect
from hashlib import md5

from odoo import api, models
from odoo.tools import SQL

from .clearance_station import ClearanceStation

_INFO_FIELDS = ClearanceStation._INFO_FIELDS


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    # -- the forms -----------------------------------------------------------------

    @api.model
    def _get_portal_heads(self, domain):
        """What a page needs to know of the forms of a domain themselves, in one query.

        Under the user's rights: the record rules stand in the statement.  Raw SQL because
        form, session and graduate would be three of the ORM's queries, on a page that is
        opened by thousands on one morning.

        :return: list of dicts, the latest form first: ``id``, ``state``, ``withdrawn_reason``,
            ``session_id``, ``college_id``, ``session`` (name), ``session_state``, ``open_from``,
            ``open_until`` (UTC), ``student`` (name), ``student_number``, ``version`` (of the form's
            own rows), ``plan`` and ``feeds`` (see ``clearance.session._get_portal_common``)
        """
        if not self.has_access("read"):
            return []
        self.env.flush_all()
        query = self._search(domain, order="id DESC")
        if query.is_empty():
            return []
        query.add_join("JOIN", "session", "clearance_session", SQL("session.id = clearance_form.session_id"))
        query.add_join("JOIN", "student", "clearance_student", SQL("student.id = clearance_form.student_id"))
        heads = self.env.execute_query_dict(query.select(self._portal_head_sql()))
        Session = self.env["clearance.session"]
        return [{**head, **Session.browse(head["session_id"])._get_portal_common()} for head in heads]

    def _portal_head_sql(self):
        """The columns of :meth:`_get_portal_heads`."""
        return SQL(
            """
            clearance_form.id, clearance_form.state, clearance_form.withdrawn_reason,
            clearance_form.session_id, clearance_form.college_id,
            %(session)s AS session, session.state AS session_state, session.open_from, session.open_until,
            student.name AS student, student.student_number,
            %(version)s AS version
            """,
            session=self.env["clearance.session"]._field_to_sql("session", "name"),
            version=self._portal_version_sql(SQL("clearance_form")),
        )

    # -- whether something has changed -----------------------------------------------

    @api.model
    def _portal_version_sql(self, form):
        """The version of all rows of one form, as a text; see ``clearance.session._portal_version_sql``.

        :param SQL form: alias of the form's table
        """
        versions = self.env["clearance.session"]._portal_versions_sql
        return SQL(
            """
            concat(
                %(form)s.xmin, %(form)s.ctid,
                ' ', (SELECT %(statuses)s
                        FROM clearance_status status
                   LEFT JOIN clearance_figure figure ON figure.status_id = status.id
                   LEFT JOIN clearance_override deferral ON deferral.status_id = status.id
                       WHERE status.form_id = %(form)s.id),
                ' ', (SELECT %(sent)s FROM clearance_submission sent WHERE sent.form_id = %(form)s.id),
                ' ', (SELECT %(asked)s FROM clearance_inquiry asked WHERE asked.form_id = %(form)s.id)
            )
            """,
            form=form,
            statuses=versions("status", "figure", "deferral"),
            sent=versions("sent"),
            asked=versions("asked"),
        )

    @api.model
    def _get_portal_version(self, head):
        """A text that is another one as soon as a page of this form would say something else.

        A screen that asks again and again gets by with this: decisions, figures, deferrals,
        what was sent and said, texts of the session, and what the clock alone changes (a
        day, something that begins or ends, a source system that falls silent).

        :param dict head: a row of :meth:`_get_portal_heads`
        """
        plan = self.env["clearance.session"].browse(head["session_id"])._get_portal_plan(head["plan"])
        clock = self._get_portal_clock(plan["timezone"])
        silent = sorted(key for key, feed in head["feeds"].items() if feed["silent"])
        parts = (head["plan"], head["version"], bisect(plan["moments"], clock.now), clock.today, silent)
        return md5(repr(parts).encode(), usedforsecurity=False).hexdigest()

    # -- the steps -------------------------------------------------------------------

    def _get_portal_rows(self, head=None):
        """Every step of this form with all that its graduate is told; the caller has checked access.

        Raw SQL because through the ORM (statuses, people, deferrals, prerequisites, figures)
        it would take a dozen queries.  What a deferral is in force is asked where it is defined;
        what all graduates are told comes from the plan.

        :param dict head: a row of :meth:`_get_portal_heads`, where the caller has it
        :return: list of dicts, in the order of the process; see :meth:`_prepare_portal_row`; and
            ``info``, see ``clearance.session._get_portal_info``
        """
        self.ensure_one()
        head = head or self._get_portal_head()
        session = self.env["clearance.session"].browse(head["session_id"])
        rows = {row["step_id"]: row for row in self.env.execute_query_dict(self._portal_rows_sql())}
        plan = session._get_portal_plan(head["plan"])
        desks = {row["station_id"] for row in rows.values()}
        if rows.keys() - plan["steps"].keys() or desks - plan["stations"].keys():
            # A step has just been added: the plan is a moment old.
            head.update(session._get_portal_common(fresh=True))
            plan = session._get_portal_plan(head["plan"])
        names = {}
        for step_id, step in plan["steps"].items():
            if step_id in rows:
                names[step_id] = f"{plan['stations'][rows[step_id]['station_id']]['name']}: {step['name']}"
        blocking = {step_id for step_id, row in rows.items() if row["is_open"] and not row["lifted"]}
        return [
            {
                **self._prepare_portal_row(
                    rows[step_id],
                    plan["steps"][step_id],
                    plan["stations"][rows[step_id]["station_id"]],
                    self._get_portal_blocked_by(rows[step_id], blocking & plan["steps"][step_id]["blocking"], names),
                ),
                "info": session._get_portal_info(step_id, rows[step_id]["station_id"], head["plan"]),
            }
            for step_id in names
            if plan["steps"][step_id]["active"] or rows[step_id]["state"] != "not_required"
        ]

    @api.model
    def _get_portal_blocked_by(self, row, blocking, names):
        """What blocks a step, as ``clearance.status._missing_sql`` says it.

        Here all statuses of the form are at hand, and asking the database again for each
        of them takes as long as reading them.

        :param set blocking: ids of its prerequisites that are open and not lifted
        :param dict names: ``station: step`` by step id, in the order of the process
        """
        if not blocking or (row["state"] in ("approved", "not_required") and not row["needs_review"]):
            return []
        return [name for step_id, name in names.items() if step_id in blocking]

    def _get_portal_head(self):
        """The row of :meth:`_get_portal_heads` of this form; the caller has checked access."""
        # sudo: the caller has checked that the user may read this form.
        return self.sudo()._get_portal_heads([("id", "=", self.id)])[0]

    def _prepare_portal_row(self, row, step, station, blocked_by):
        """Put together what one graduate and what all graduates are told of a step.

        :param dict row: a row of :meth:`_portal_rows_sql`
        :param dict step: of the plan
        :param dict station: of the plan: the desk that the graduate is routed to
        :param list blocked_by: names ``station: step`` of what must be settled before
        :return: dict with the columns of the row, the values of the step, ``station`` (name),
            ``responsible`` (office that answers for it, else the station), ``unannounced`` (its time
            is to be announced), ``blocked_by`` and what the step, else the desk, else the nearest above it says
            (``place``, ``map_url``, ``opening_hours``, ``contact``, ``phone``, ``instructions``)
        """
        info = {fname: step[fname] or station[fname] for fname in _INFO_FIELDS}
        return {
            **step,
            **row,
            **info,
            "station": station["name"],
            "responsible": step["responsible"] or station["name"],
            "unannounced": step["to_be_announced"] and not (step["open_from"] or step["deadline"]),
            "blocked_by": blocked_by,
        }

    def _portal_rows_sql(self):
        """The statement of :meth:`_get_portal_rows`: one row a step of this form."""
        return SQL(
            """
            SELECT status.id, status.step_id, status.station_id, status.state, status.required, status.is_open,
                   status.needs_review, status.decided_at, status.reason, status.door,
                   partner.name AS user, %(lifted)s AS lifted, deferral.date_end AS lifted_until,
                   figure.quantity, figure.amount, figure.note, figure.as_of,
                   listed.debts, listed.debts_as_of, listed.is_reason AS debts_are_reason
              FROM clearance_status status
         LEFT JOIN res_users person ON person.id = status.user_id
         LEFT JOIN res_partner partner ON partner.id = person.partner_id
         LEFT JOIN clearance_override deferral
                ON deferral.status_id = status.id AND deferral.restored_at IS NULL
         LEFT JOIN clearance_figure figure ON figure.status_id = status.id
         LEFT JOIN LATERAL (%(debts)s) listed ON TRUE
             WHERE status.form_id = %(form)s AND status.active IS TRUE
            """,
            debts=self.env["clearance.debt"]._portal_sql(),
            lifted=self.env["clearance.override"]._in_force_sql(SQL("status.id")),
            form=self.id,
        )
