"""The sign-off sheet of a class: graduates × steps on paper, for its counsellor."""

from odoo import models
from odoo.tools import split_every
from odoo.tools.misc import get_lang

from .clearance_form_matrix import _CODES, BLOCKED, LIFTED, READY

#: How much one PDF takes.  Measured with wkhtmltopdf 0.12.6 on two cores: 400 forms 7 s and 320 MB, 100 certificates of
#: 16 steps 6 s of one core (most of it QR codes); with eleven others at work, 200 certificates 69 s and 298 MB, the
#: sheets of 200 graduates 20 s and 209 MB, ten summaries 4 s.  A request may last 120 s.
MOST_PRINTED = {"form": 100, "signoff": 200, "summary": 50}

#: What fits on a landscape A4, legible: see clearance_signoff.scss.
_ROWS_A_PAGE = 15
_STEPS_A_PAGE = 20
#: So many steps have room for their names side by side.
_STEPS_SIDE_BY_SIDE = 9

_STATES = {code: state for state, code in _CODES.items()}


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    def _get_signoff_sheets(self):
        """Sign-off sheets of these forms: one for each class of a session, in pages.

        wkhtmltopdf without patches neither repeats the head of a table nor keeps a row together, so
        that pages are laid out here: each has its own head, and room for a signature and a stamp.
        The number of queries depends on the number of sessions only.

        :return: list of dicts in the order of college and class, with ``lang``, ``campus``, ``session``,
            ``college``, ``class``, ``counsellor``, ``as_of`` (moment, in the time of the campus), ``count`` and
            ``total`` (graduates on the sheet, graduates of the class in this session), ``turned`` (whether
            the names of steps stand upright), ``key`` (list of :meth:`_prepare_signoff_mark`: what occurs on the
            sheet) and ``pages``: dicts with ``steps`` (``name``, ``station``), ``rows``
            (:meth:`_prepare_signoff_row`) and ``signed`` (whether graduates sign on this page)
        :raise AccessError: when the user may not read one of the forms, and for graduates
        """
        self._check_matrix_access()
        sheets = []
        # sudo: the forms are readable (checked above); names of session, class, college and counsellor.
        for session, forms in self.sudo().grouped("session_id").items():
            readable = forms.sudo(False)
            cells = readable._get_matrix_cells(session.id)
            steps = [
                {**step, "station": column["station"]}
                for column in readable._get_matrix_columns(session.id, cells)
                for step in column["steps"]
            ]
            totals = forms._get_class_totals(session)
            classes = forms.grouped(lambda form: (form.college_id, form.class_id))
            for (college, class_), members in sorted(classes.items(), key=_get_class_order):
                sheet = members._prepare_signoff_sheet(steps, cells)
                total = totals.get((college, class_), len(members))
                sheets.append({**sheet, "session": session.name, "total": total})
        return sheets

    def _get_class_totals(self, session):
        """How many graduates of these classes the session has: dict ``{(college, class): number}``."""
        groups = self._read_group(
            [("session_id", "=", session.id), ("college_id", "in", self.college_id.ids)],
            ["college_id", "class_id"],
            ["__count"],
        )
        return {(college, class_): count for college, class_, count in groups}

    def _prepare_signoff_sheet(self, steps, cells):
        """One class of one session; see :meth:`_get_signoff_sheets`.

        :param list steps: of the session, in the order of the process
        :param dict cells: see ``_get_matrix_cells``
        """
        # Steps of other colleges or for traits that nobody in the class has would only take room.
        concerned = {
            step_id for form in self for step_id, (_id, code, _flags) in cells.get(form.id, {}).items() if code != "n"
        }
        steps = [step for step in steps if step["id"] in concerned]
        members = self.sorted(lambda form: (form.student_number or "", form.id))
        marks = self._get_signoff_marks()
        rows = [
            form._prepare_signoff_row(position, steps, cells.get(form.id, {}), marks)
            for position, form in enumerate(members, start=1)
        ]
        # A form can be without any step; its class then has one page all the same.
        count = max(1, -(-len(steps) // _STEPS_A_PAGE))
        width = max(1, -(-len(steps) // count))
        bands = [list(band) for band in split_every(width, range(len(steps)))] or [[]]
        pages = [
            {
                "steps": [steps[index] for index in band],
                "rows": [{**row, "cells": row["cells"] and [row["cells"][index] for index in band]} for row in part],
                "signed": band == bands[-1],
            }
            for band in bands
            for part in split_every(_ROWS_A_PAGE, rows)
        ]
        used = {mark["legend"] for row in rows for mark in row["cells"] or ()}
        return {
            "lang": get_lang(self.env).iso_code.replace("_", "-"),
            "campus": self.company_id.name,
            "college": self.college_id.name,
            "class": self.class_id.name,
            "counsellor": self.class_id.counsellor_id.name,
            "as_of": self[:1]._get_print_moment(self.env.cr.now()),
            "count": len(self),
            "turned": width > _STEPS_SIDE_BY_SIDE,
            "key": [mark for mark in marks.values() if mark["legend"] in used],
            "pages": pages,
        }

    def _get_signoff_marks(self):
        """How the campus of these forms shows each state: dict ``{state: mark}``, in the order of the process."""
        Legend = self.env["clearance.legend"]
        return {
            state: {"legend": state, "word": word, "style": Legend._get_print_style(state, self.company_id) or None}
            for state, word in Legend._get_words(self.company_id).items()
        }

    def _prepare_signoff_row(self, position, steps, cells, marks):
        """One graduate.

        :param int position: in the class, from 1
        :return: dict with ``position``, ``student_number``, ``name``, ``earlier_year``, ``withdrawn`` (why, or
            True; the graduate has then no cells), ``cells`` (a mark for each step), ``left`` (number of steps that
            still hold the graduate back)
        """
        withdrawn = self.state == "withdrawn" and (self.withdrawn_reason or True)
        shown, left = [], 0
        for step in steps:
            _status_id, code, flags = cells.get(step["id"], (False, "n", 0))
            # What the flags of a cell tell: an optional step waits, but holds nobody back.
            is_open = bool(flags & READY or (flags & BLOCKED and code != "o"))
            lifted = is_open and bool(flags & LIFTED)
            left += is_open and not lifted
            shown.append(marks["lifted" if lifted else _STATES[code]])
        return {
            "position": position,
            "student_number": self.student_number,
            "name": self.student_id.name,
            "earlier_year": self.earlier_year,
            "withdrawn": withdrawn,
            "cells": False if withdrawn else shown,
            "left": left,
        }


def _get_class_order(group):
    """Colleges in their order, classes by name, those without a class last."""
    (college, class_), _forms = group
    return college.sequence, college.code or "", college.id, not class_, class_.name or "", class_.id
