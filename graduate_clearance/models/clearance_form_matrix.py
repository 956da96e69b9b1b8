"""The matrix: graduates × all steps of a session (Hunan UST's grid 按班级批量操作)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: what a cell's flags add up to
READY, LIFTED, MINE, BLOCKED = 1, 2, 4, 8

#: what a cell says in one letter; thousands of them travel in one answer
_CODES = {
    "pending": "p",
    "submitted": "s",
    "rejected": "r",
    "approved": "a",
    "optional": "o",
    "not_required": "n",
    "review": "v",
}

#: what the matrix offers to do, and how many lines a story has
_DECISIONS = ("approve", "reject", "reopen")
_STORY_LINES = 6


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    @api.readonly
    def get_matrix(self, session_id=False):
        """These forms × all steps of their session, with the state of every cell.

        For staff: whoever may read a form sees its whole record, as on the desk.  The
        number of queries does not depend on the number of forms or steps.

        :param int session_id: the session to show; by default the one that most of
            these forms belong to.  Forms of other sessions are left out.
        :return: dict with

            - ``session``: ``{"id", "name", "state"}`` or False when there is no form
            - ``sessions``: list of ``{"id", "name", "count"}``, how many of these forms
              belong to which session, most first
            - ``columns``: stations in the order of the process, each
              ``{"stage", "station_id", "station", "steps"}`` with its steps
              ``{"id", "name", "required", "mode", "mine"}``; ``mine`` when the user may
              act on one of the cells below
            - ``cells``: ``{form id: {step id: [status id, code, flags]}}``; code is a
              letter: ``p`` pending, ``s`` submitted, ``r`` rejected, ``a`` approved,
              ``o`` optional, ``n`` not required, ``v`` approved but needs another look;
              flags add up: 1 ready (open and nothing missing), 2 a deferral is in
              force, 4 the user may decide on it, 8 waits for a prerequisite
        :raise AccessError: when the user may not read one of the forms, and for graduates
        """
        self._check_matrix_access()
        sessions = self._get_matrix_sessions()
        session_id = session_id or next((session.id for session, _count in sessions), False)
        cells = self._get_matrix_cells(session_id)
        session = next((session for session, _count in sessions if session.id == session_id), False)
        return {
            "session": session and {"id": session.id, "name": session.name, "state": session.state},
            "sessions": [{"id": session.id, "name": session.name, "count": count} for session, count in sessions],
            "columns": self._get_matrix_columns(session_id, cells),
            "cells": cells,
        }

    @api.readonly
    def get_cell_story(self, status_id):
        """What happened to one step of this form, and what the user may do about it.

        :param int status_id: a status of this form
        :return: a row of :meth:`_get_records` (``id``, ``step_id``, ``step``, ``stage``,
            ``station_id``, ``station``, ``state``, ``initial_state``, ``required``,
            ``is_open``, ``needs_review``, ``mode``, ``lifted``, ``blocked_by``, ``user``,
            ``decided_at``, ``reason``, ``door``) with ``form_id``, ``graduate`` and

            - ``actions``: those of ``approve``, ``reject`` and ``reopen`` that the gate
              would let through
            - ``needs_reason``: even a confirmation needs one (a source system settles it)
            - ``figure``: what the source system says, see ``clearance.feed._get_figures``, or False
            - ``undo``: ``{"line": id of the log line, "mine": bool}`` when the latest
              decision can be taken back, else False
            - ``log``: the latest lines, newest first, each ``{"id", "date" (UTC text),
              "user", "action", "from", "to", "reason", "door"}`` in the user's words
        :raise AccessError: when the user may not read this form, and for graduates
        :raise UserError: when the status is not one of this form
        """
        self.ensure_one()
        self._check_matrix_access()
        row = next((row for row in self._get_records().get(self.id, []) if row["id"] == status_id), None)
        if row is None:
            raise UserError(self.env._("This graduate has no such step."))
        lines = self._get_story_lines(status_id)
        return {
            **row,
            "form_id": self.id,
            # sudo: the name of a graduate whose form is readable (checked above).
            "graduate": self.sudo().display_name,
            "actions": self._get_story_actions(status_id),
            "needs_reason": row["mode"] == "feed",
            "figure": self.env["clearance.feed"]._get_figures([status_id]).get(status_id, False),
            "undo": self._get_story_undo(lines),
            "log": [self._prepare_story_line(line) for line in lines],
        }

    def _check_matrix_access(self):
        """A graduate has a page of the own form; the matrix is a screen of the staff."""
        if not self.env.su and self.env.user.share:
            raise AccessError(self.env._("The matrix is for staff."))
        self.check_access("read")

    # -- the grid --------------------------------------------------------------

    def _get_matrix_sessions(self):
        # sudo: sessions of forms that are readable (checked before); names and states only.
        return (
            self.sudo()
            .with_context(active_test=False)
            ._read_group([("id", "in", self.ids)], ["session_id"], ["__count"], order="__count desc, session_id desc")
        )

    def _get_matrix_cells(self, session_id):
        """The cells of :meth:`get_matrix`, in one statement."""
        if not self.ids:
            return {}
        self.env.flush_all()
        self.env.cr.execute(self._matrix_sql(session_id))
        return {
            form_id: {
                step_id: (status_id, _CODES[code], flags)
                for step_id, status_id, code, flags in zip(step_ids, status_ids, codes, all_flags, strict=True)
            }
            for form_id, step_ids, status_ids, codes, all_flags in self.env.cr.fetchall()
        }

    def _matrix_sql(self, session_id):
        """The statement of :meth:`get_matrix`; one row of arrays a form.

        Raw SQL because a college is some 30,000 cells: read as records they cost ten
        times as much.  Whatever concerns many cells is worked out for all forms at once
        and looked up by hash: asked cell by cell it would take most of the time.
        """
        # sudo: the forms are readable (checked before), and with them every step.
        Status = self.sudo().env["clearance.status"]
        return SQL(
            """
            WITH mine AS MATERIALIZED (%(mine)s),
            waiting AS MATERIALIZED (%(missing)s),
            lifted AS MATERIALIZED (
                SELECT granted.status_id FROM clearance_override granted WHERE %(in_force)s
            ),
            cell AS MATERIALIZED (
                SELECT status.form_id, status.step_id, status.id, status.is_open,
                       CASE WHEN status.needs_review THEN 'review' ELSE status.state END AS code,
                       status.id IN (SELECT status_id FROM lifted) AS is_lifted,
                       status.id IN (SELECT id FROM mine) AS is_mine,
                       (status.is_open OR status.state = 'optional')
                           AND (status.form_id, status.step_id) IN (SELECT form_id, step_id FROM waiting) AS is_blocked
                  FROM clearance_status status
                 WHERE status.form_id = ANY(%(forms)s) AND status.session_id = %(session)s
            )
            SELECT form_id, array_agg(step_id), array_agg(id), array_agg(code),
                   array_agg((is_open AND NOT is_blocked)::int * %(ready)s + is_lifted::int * %(lifted)s
                             + is_mine::int * %(own)s + is_blocked::int * %(blocked)s)
              FROM cell
             GROUP BY form_id
            """,
            mine=self._matrix_own_query().select(SQL("clearance_status.id")),
            missing=Status._missing_sql(
                # Any form and step: the join says which forms.
                SQL("prereq.form_id"),
                SQL("rel.step_id"),
                SQL("DISTINCT prereq.form_id, rel.step_id"),
                SQL("JOIN unnest(%s) AS shown(id) ON shown.id = prereq.form_id", self.ids),
            ),
            in_force=self.env["clearance.override"]._in_force_sql(SQL("granted.status_id")),
            forms=self.ids,
            session=session_id or None,
            ready=READY,
            lifted=LIFTED,
            own=MINE,
            blocked=BLOCKED,
        )

    def _matrix_own_query(self):
        """Those statuses of these forms that the user may decide on.

        The record rules for writing say so, as for the gate; nobody decides in a session
        that is not open, or on a graduate taken out of it.
        """
        Status = self.env["clearance.status"]
        domain = Domain("form_id", "in", self.ids) & Domain("session_id.state", "=", "open")
        # sudo: the domain holds the rules for deciding.
        return Status.sudo()._search(domain & Status._get_actionable_domain())

    def _get_matrix_columns(self, session_id, cells):
        """The steps of the session, by stage and station in the order of the process.

        A step that has been retired shows only where it had concerned somebody.
        """
        own, used = set(), set()
        for row in cells.values():
            for step_id, (_status_id, code, flags) in row.items():
                if flags & MINE:
                    own.add(step_id)
                if code != "n":
                    used.add(step_id)
        # sudo: whoever sees a form sees the names of its steps and their stations.
        Step = self.env["clearance.step"].sudo().with_context(active_test=False)
        columns = {}
        for step in Step.search([("session_id", "=", session_id)]):
            if not step.active and step.id not in used:
                continue
            station = step.station_id
            column = columns.setdefault(
                (step.stage, station.id),
                {"stage": step.stage or "", "station_id": station.id, "station": station.name, "steps": []},
            )
            column["steps"].append(
                {
                    "id": step.id,
                    "name": step.name,
                    "required": step.required,
                    "mode": step.mode,
                    "mine": step.id in own,
                }
            )
        return list(columns.values())

    # -- the story of a cell ---------------------------------------------------

    def _get_story_lines(self, status_id):
        # sudo: the log of a form that is readable (checked before), as its record shows it.
        Log = self.env["clearance.log"].sudo()
        return Log.search([("form_id", "=", self.id), ("status_id", "=", status_id)], limit=_STORY_LINES)

    def _prepare_story_line(self, line):
        def label(fname):
            return dict(line._fields[fname]._description_selection(self.env)).get(line[fname], "")

        return {
            "id": line.id,
            "date": fields.Datetime.to_string(line.date),
            "user": line.user_id.name or "",
            "action": label("action"),
            "from": label("from_state"),
            "to": label("to_state"),
            "reason": line.reason or "",
            "door": label("door"),
        }

    def _get_story_actions(self, status_id):
        """What the gate would let through, asked of the gate itself; a reason can be given."""
        status = self.env["clearance.status"].browse(status_id)
        if not self.env.su and not status.browse().has_access("write"):
            return []
        return [
            decision
            for decision in _DECISIONS
            if status._decide(decision, "matrix", "?", dry_run=True)[0].code == "done"
        ]

    def _get_story_undo(self, lines):
        """The latest decision, where the user may take it back."""
        Status = self.env["clearance.status"]
        if not lines or not (self.env.su or Status.has_access("write")):
            return False
        outcome = Status._undo(lines[:1].ids, "matrix", "?", dry_run=True)[0]
        return outcome.code == "done" and {"line": lines[0].id, "mine": lines[0].user_id == self.env.user}
