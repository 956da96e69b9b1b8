"""Lists of forms, page by page, and figures of a session."""

from odoo import api, models
from odoo.fields import Domain

from .clearance_api import to_utc
from .clearance_form_matrix import _CODES, BLOCKED, LIFTED, MINE, READY
from .clearance_status import STATES

_PAGE, MOST_FORMS = 100, 500
MOST_NUMBERS = 2_000
_FILTERS = ("college", "class", "state", "earlier_year", "step", "step_state", "student_numbers")
_FORM_STATES = ("open", "cleared", "deferred", "withdrawn")
_STEP_STATES = (*(code for code, _label in STATES), "review", "open")
_GROUPINGS = ("college", "class", "step", "station")
_STATE_OF = {letter: code for code, letter in _CODES.items()}


class ClearanceApi(models.AbstractModel):
    _inherit = "clearance.api"

    # -- forms ---------------------------------------------------------------------

    @api.model
    @api.readonly
    def get_forms(self, session=None, filters=None, limit=_PAGE, after=None, with_steps=False, lang=None):
        """Forms of a session, page by page; for staff.

        The number of queries does not depend on the number of forms.

        :param int session: id; may be left out where the caller sees one open session only
        :param dict filters: any of ``college`` and ``class`` (id, code or name), ``state`` (``open``, ``cleared``,
            ``deferred``, ``withdrawn``), ``earlier_year`` (bool), ``step`` (id or code: who has that step) with
            ``step_state`` (a state of that step, ``review``, or ``open``: required and not settled),
            ``student_numbers`` (at most 2,000)
        :param int limit: forms a page, 1 to 500
        :param int after: ``next`` of the page before
        :param bool with_steps: answer the state of every step too
        :return: dict ``forms`` and ``next`` (null on the last page); a form is a dict ``form_id``, what
            :meth:`get_form` says of ``student``, ``state``, ``state_text``, ``cleared_at``,
            ``withdrawn_reason``, ``total``, ``left``, ``percent``, and with ``with_steps`` ``steps``: list of
            ``status_id``, ``step_id``, ``code``, ``state``, ``ready`` (can be confirmed now), ``waits`` (for a
            prerequisite), ``deferred``, ``yours`` (the caller may decide)
        :raise AccessError: ``no_role``, ``staff_only``
        :raise MissingError: ``unknown_session``, ``unknown_step``, ``unknown_college``, ``unknown_class``
        :raise UserError: ``session_required``, ``bad_type``, ``bad_value``, ``too_many``
        """
        caller = self._enter(lang)
        caller._check_limit(limit, MOST_FORMS)
        caller._check_flag(with_steps, "with_steps")
        session = caller._find_session(session)
        domain = Domain("session_id", "=", session.id) & caller._get_filter_domain(session, filters)
        if after is not None:
            domain &= Domain("id", ">", caller._check_id(after, "after"))
        fnames = ["state", "cleared_at", "withdrawn_reason", "due_count", "open_count"]
        forms = caller.env["clearance.form"].search_fetch(domain, fnames, limit=limit + 1, order="id")
        more, forms = len(forms) > limit, forms[:limit]
        return {"forms": caller._prepare_forms(forms, session, with_steps), "next": forms[-1:].id if more else None}

    def _prepare_forms(self, forms, session, with_steps):
        states = dict(forms._fields["state"]._description_selection(self.env))
        people = self._get_people(forms.ids)
        steps = self._get_steps_of_forms(forms, session) if with_steps else {}
        return [
            {
                "form_id": form.id,
                **people[form.id],
                "state": form.state,
                "state_text": states[form.state],
                "cleared_at": to_utc(form.cleared_at),
                "withdrawn_reason": form.withdrawn_reason or "",
                "total": form.due_count,
                "left": form.open_count,
                "percent": int(form.progress),
                **({"steps": steps.get(form.id, [])} if with_steps else {}),
            }
            for form in forms
        ]

    def _get_steps_of_forms(self, forms, session):
        """Each step's state, as the matrix reads it."""
        codes = session._get_portal_plan(session._get_portal_common(fresh=True)["plan"])["steps"]
        return {
            form_id: [
                {
                    "status_id": cells[step_id][0],
                    "step_id": step_id,
                    "code": step["code"] or None,
                    "state": _STATE_OF[cells[step_id][1]],
                    "ready": bool(cells[step_id][2] & READY),
                    "waits": bool(cells[step_id][2] & BLOCKED),
                    "deferred": bool(cells[step_id][2] & LIFTED),
                    "yours": bool(cells[step_id][2] & MINE),
                }
                for step_id, step in codes.items()
                if step_id in cells
            ]
            for form_id, cells in forms._get_matrix_cells(session.id).items()
        }

    # -- filters -------------------------------------------------------------------

    def _get_filter_domain(self, session, filters):
        """A domain on forms; everything in it is searched under the caller's rules."""
        if filters is None:
            return Domain.TRUE
        if not isinstance(filters, dict):
            self._fail_type(filters, "filters", "object")
        for name in filters:
            self._check_choice(name, "filters", _FILTERS)
        if "step_state" in filters and "step" not in filters:
            self._fail_type(None, "filters.step", "text")
        domain = Domain.TRUE
        for name, value in filters.items():
            if name != "step_state":
                domain &= getattr(self, f"_filter_{name}")(value, session, filters)
        return domain

    def _filter_college(self, value, session, _filters):
        return self._filter_unit("college", value, session)

    def _filter_class(self, value, session, _filters):
        return self._filter_unit("class", value, session)

    def _filter_unit(self, name, value, session):
        """Forms of a college or class that is named by id, code or name."""
        where = f"filters.{name}"
        Unit = self.env[f"clearance.{name}"].with_context(active_test=False)
        domain = Domain("company_id", "=", session.company_id.id)
        if isinstance(value, str):
            text = self._check_text(value, where)
            domain &= Domain("code", "=", text) | Domain("name", "=", text)
        else:
            domain &= Domain("id", "=", self._check_id(value, where))
        found = Unit.search(domain)
        if not found:
            if name == "college":
                message = self.env._("This campus has no college “%s”.", str(value)[:100])
            else:
                message = self.env._("This campus has no class “%s”.", str(value)[:100])
            self._fail_unknown(f"unknown_{name}", where, value, message)
        return Domain(f"{name}_id", "in", found.ids)

    def _filter_state(self, value, _session, _filters):
        return Domain("state", "=", self._check_choice(value, "filters.state", _FORM_STATES))

    def _filter_earlier_year(self, value, _session, _filters):
        return Domain("earlier_year", "=", self._check_flag(value, "filters.earlier_year"))

    def _filter_student_numbers(self, value, _session, _filters):
        where = "filters.student_numbers"
        numbers = [
            self._check_number(number, f"{where}[{place}]")
            for place, number in enumerate(self._check_list(value, where, MOST_NUMBERS))
        ]
        # "any!": forms are searched under the caller's rules; the numbers only say which.
        return Domain("student_id", "any!", [("student_number", "in", numbers)])

    def _filter_step(self, value, session, filters):
        """Forms with a step in a state; of steps that the caller's rules show."""
        step = self._find_step(session, value, "filters.step")
        domain = Domain("step_id", "=", step.id) & Domain("active", "=", True)
        state = filters.get("step_state")
        if state is None:
            domain &= Domain("state", "!=", "not_required")
        else:
            state = self._check_choice(state, "filters.step_state", _STEP_STATES)
            if state == "open":
                domain &= Domain("is_open", "=", True)
            elif state == "review":
                domain &= Domain("needs_review", "=", True)
            else:
                domain &= Domain("state", "=", state) & Domain("needs_review", "=", False)
        return Domain("id", "in", self.env["clearance.status"]._search(domain).subselect("form_id"))

    # -- figures -------------------------------------------------------------------

    @api.model
    @api.readonly
    def get_statistics(self, session=None, by=(), lang=None):
        """Live figures of a session, as far as the caller may see its graduates; for staff.

        One query for the whole, one for each grouping and one for its names.

        :param int session: id; may be left out where the caller sees one open session only
        :param by: ``college``, ``class``, ``step`` or ``station``, or a list of these
        :return: dict ``as_of``, ``session`` (see :meth:`get_sessions`, with the figures of the whole) and a list for
            each grouping asked for.  Graduates by college and class: ``id``, ``code``, ``name`` (null: without
            one), ``due``, ``due_earlier``, ``cleared``, ``deferred``, ``open``, ``withdrawn``, ``rate``.  Statuses by
            step and station: ``id``, ``code`` (steps), ``name``, ``due``, ``due_earlier``, ``open``, ``open_earlier``,
            ``submitted``, ``rejected``, ``rate``; of a station these add up its steps
        :raise AccessError: ``no_role``, ``staff_only``
        :raise MissingError: ``unknown_session``
        :raise UserError: ``session_required``, ``bad_type``, ``bad_value``
        """
        caller = self._enter(lang)
        groupings = [by] if isinstance(by, str) else caller._check_list(by, "by", len(_GROUPINGS))
        for grouping in groupings:
            caller._check_choice(grouping, "by", _GROUPINGS)
        session = caller._find_session(session)
        answer = {
            "as_of": to_utc(caller.env.cr.now().replace(microsecond=0)),
            "session": caller._prepare_session(session),
        }
        desk_rows = session.get_statistics() if {"step", "station"} & set(groupings) else []
        for grouping in groupings:
            if grouping in ("college", "class"):
                answer[grouping] = caller._count_forms(session, grouping)
            else:
                answer[grouping] = caller._count_statuses(desk_rows, grouping)
        return answer

    def _count_forms(self, session, grouping):
        """Graduates by college or class, in the order of these."""
        fname = f"{grouping}_id"
        groups = self.env["clearance.form"]._read_group(
            [("session_id", "=", session.id)], [fname, "state", "earlier_year"], ["__count"]
        )
        figures = {}
        for unit, state, earlier, count in groups:
            row = figures.setdefault(
                unit, dict.fromkeys(("due", "due_earlier", "cleared", "deferred", "open", "withdrawn"), 0)
            )
            row[state] += count
            if state != "withdrawn":
                row["due"] += count
                row["due_earlier"] += count if earlier else 0
        # sudo: names of colleges and classes whose graduates were counted.
        units = self.env[f"clearance.{grouping}"].sudo().browse(unit.id for unit in figures if unit)
        answers = [self._prepare_count(unit, figures[unit.sudo(False)]) for unit in units.sorted()]
        none = units.browse().sudo(False)
        return [*answers, self._prepare_count(none, figures[none])] if none in figures else answers

    def _prepare_count(self, unit, row):
        return {
            "id": unit.id or None,
            "code": unit.code or None,
            "name": unit.name or None,
            **row,
            "rate": _rate(row["due"] - row["open"], row["due"]),
        }

    def _count_statuses(self, rows, grouping):
        """Statuses by step or station, out of ``clearance.session.get_statistics``."""
        key = f"{grouping}_id"
        names = ("due", "due_earlier", "open", "open_earlier", "submitted", "rejected")
        figures = {}
        for row in rows:
            total = figures.setdefault(row[key], dict.fromkeys(names, 0))
            for name in names:
                total[name] += row[name]
        # sudo: names of steps and stations that the caller has been shown figures of.
        records = self.env[f"clearance.{grouping}"].sudo().browse(figures)
        return [
            {
                "id": record.id,
                **({"code": record.code or None} if grouping == "step" else {}),
                "name": record.name,
                **figures[record.id],
                "rate": _rate(figures[record.id]["due"] - figures[record.id]["open"], figures[record.id]["due"]),
            }
            for record in records
        ]


def _rate(done, due):
    return round(100 * done / due, 2) if due else 0.0
