"""The left pane of the desk: who is looked for."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .clearance_desk import ID_NUMBER, escape_like

_PAGE, _LONGEST_PAGE = 40, 200


class ClearanceDesk(models.AbstractModel):
    _inherit = "clearance.desk"

    @api.model
    @api.readonly
    def search_graduates(
        self,
        station_id,
        session_id=False,
        query="",
        ready="all",
        state="all",
        step_id=False,
        offset=0,
        limit=_PAGE,
    ):
        """One page of the graduates who have something to settle at a station.

        Hunan UST's search: by number, name or ID-card number, by prerequisites and by what
        is done at this station.  Pinyin initials and the state "submitted" are ours.

        :param str ready: ``all``, ``met`` (an open step can be confirmed now) or ``unmet``
            (an open step waits for others)
        :param str state: ``all``, ``open``, ``done``, ``rejected`` or ``submitted``
        :param int step_id: look at this step of the station alone
        :return: dict ``rows`` (see :meth:`_prepare_row`) and ``count``, of all pages
        :raise AccessError: for everybody who is not clearance staff
        :raise UserError: unknown filter
        """
        self._check_staff()
        domain = self._get_search_domain(station_id, session_id, query, step_id)
        limit = min(max(int(limit), 1), _LONGEST_PAGE)
        self.env.cr.execute(self._search_sql(domain, ready, state, max(int(offset), 0), limit))
        count, form_ids = self.env.cr.fetchone()
        # Under the record rules of forms once more: what one may decide on one may read.
        forms = self.env["clearance.form"].search_fetch([("id", "in", form_ids)], order="student_id, id")
        return {"rows": self._prepare_rows(forms, station_id), "count": count}

    def _get_filters(self, ready, state):
        """Conditions on a graduate, over the statuses found."""
        states = {
            "all": None,
            "open": SQL("bool_or(found.is_open)"),
            "done": SQL("NOT bool_or(found.is_open)"),
            "rejected": SQL("bool_or(found.state = 'rejected')"),
            "submitted": SQL("bool_or(found.state = 'submitted')"),
        }
        waits = {
            "all": None,
            "met": SQL("bool_or(found.is_open AND blocked.id IS NULL)"),
            "unmet": SQL("bool_or(blocked.id IS NOT NULL)"),
        }
        if state not in states or ready not in waits:
            raise UserError(self.env._("There is no filter “%s”.", state if state not in states else ready))
        return {"state": states[state], "ready": waits[ready]}

    def _search_sql(self, domain, ready, state, offset, limit):
        """How many graduates there are, and the forms of one page of them.

        Raw SQL: one pass over the statuses of the station; asked for as forms that have a
        status, the database takes a hundred times as long to find those who are done.
        """
        filters = self._get_filters(ready, state)
        # sudo: the domain holds the rules for deciding.
        query = self.env["clearance.status"].sudo()._search(domain)
        self.env.flush_all()
        columns = (
            SQL.identifier("clearance_status", name) for name in ("id", "form_id", "step_id", "state", "is_open")
        )
        blocked = SQL("SELECT NULL::int AS id WHERE FALSE")
        if filters["ready"]:
            blocked = SQL(
                "SELECT DISTINCT found.id FROM found CROSS JOIN LATERAL (%s) missing WHERE found.is_open",
                self.env["clearance.status"]._missing_sql(SQL("found.form_id"), SQL("found.step_id")),
            )
        return SQL(
            """
            WITH found AS MATERIALIZED (%(found)s),
            blocked AS MATERIALIZED (%(blocked)s),
            graduate AS MATERIALIZED (
                SELECT found.form_id
                  FROM found
                  LEFT JOIN blocked ON blocked.id = found.id
                 GROUP BY found.form_id
                HAVING %(filters)s
            )
            SELECT (SELECT count(*) FROM graduate),
                   ARRAY(SELECT form.id
                           FROM graduate
                           JOIN clearance_form form ON form.id = graduate.form_id
                           JOIN clearance_student student ON student.id = form.student_id
                          ORDER BY student.student_number, form.id
                         OFFSET %(offset)s LIMIT %(limit)s)
            """,
            found=query.select(*columns),
            blocked=blocked,
            filters=SQL(" AND ").join([condition for condition in filters.values() if condition] or [SQL("TRUE")]),
            offset=offset,
            limit=limit,
        )

    @api.model
    def _search_text_domain(self, query):
        """A domain on forms: whose graduate somebody means by what they have typed.

        :param str query: part of a student number or name, pinyin initials, or a whole
            ID-card number (a part would let it be guessed digit by digit)
        """
        query = query.strip()
        text = escape_like(query)
        domain = Domain("student_number", "ilike", text) | Domain("name", "ilike", text)
        if query.isascii():
            domain |= Domain("name_initials", "ilike", f" {text}")
        if ID_NUMBER.fullmatch(query.upper()):
            domain |= Domain("id_number", "=ilike", query)
        # sudo: found are graduates; the caller searches forms, under their record rules.
        students = self.env["clearance.student"].sudo().with_context(active_test=False)
        return Domain("student_id", "in", students._search(domain))

    def _prepare_rows(self, forms, station_id):
        """Rows of the list of results: who, and how the steps of the station stand."""
        # sudo: steps of this station, of forms the user may read.
        statuses = (
            self.env["clearance.status"]
            .sudo()
            .search_fetch(
                [("form_id", "in", forms.ids), ("station_id", "=", station_id), ("state", "!=", "not_required")]
            )
        )
        steps = statuses.grouped("form_id")
        none = self.env["clearance.status"]
        return [
            self._prepare_row(form, steps.get(form, none)) for form in forms.sudo()
        ]  # sudo: names of their graduates

    def _prepare_row(self, form, statuses):
        student = form.student_id
        return {
            "form_id": form.id,
            "student_number": student.student_number,
            "name": student.name,
            "class": form.class_id.name or "",
            "room": form.room_id.complete_name or "",
            "college": form.college_id.name or "",
            "earlier_year": form.earlier_year,
            "form_state": form.state,
            "steps": [
                {
                    "id": status.id,
                    "step_id": status.step_id.id,
                    "step": status.step_id.name,
                    "legend": status.legend,
                    "ready": status.ready,
                    "lifted": status.is_lifted,
                    "required": status.required,
                }
                for status in statuses.sorted(lambda status: (status.step_id.sequence, status.step_id.id))
            ],
        }
