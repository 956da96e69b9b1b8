"""Batches that are a list filled in without network, see ``clearance.station.sheet``."""

import base64
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_datetime, format_list

from ..station_sheet import MARK, may_be_number, read_filled, squeeze
from .clearance_status_gate import MACHINE_DOORS, MOVES, Outcome

#: decisions that the graduate reads a reason for
_EXPLAINED = {decision for decision, move in MOVES.items() if move.reason_required}


class _Found(NamedTuple):
    """What a row of a list is about, as it stands now."""

    line: int
    graduate: bool  # there is a graduate with this number
    readable: bool  # the user may see the form
    form_id: int | None
    status_id: int | None
    step_id: int | None
    session_id: int | None
    student_number: str | None
    state: str | None
    needs_review: bool | None
    version: str | None
    decided_at: object
    decided_by: str | None
    door: str | None
    reason: str | None
    active: bool | None


class _Row(NamedTuple):
    """A row of the batch to be written."""

    line: int
    given: str
    form_id: int | None
    status_id: int | None
    code: str | None
    message: str | None
    decision: str | None
    reason: str | None
    note: str | None
    conflict: str | None
    seen: str | None


class ClearanceBatchLine(models.Model):
    _inherit = "clearance.batch.line"

    step_id = fields.Many2one(related="status_id.step_id", string="Step decided on")
    conflict = fields.Char(
        readonly=True, help="What has happened to the step since the list was made. Left out, unless it is taken in."
    )
    seen = fields.Char(readonly=True, help="How the step stood at the preview.")
    story = fields.Text("What to know", compute="_compute_story", help="Of a filled-in list: all there is to say.")

    @api.depends("conflict", "message", "row_note", "given", "form_id", "undo_message")
    def _compute_story(self):
        for line in self:
            # The row of a list; of a graduate whom the user may not see, the number is all that is known.
            number = line.given if not line.form_id and (line.given or "") not in (line.message or "") else ""
            parts = [number, line.conflict, line.message, line.row_note]
            line.story = "\n".join(filter(None, parts))


class ClearanceBatch(models.Model):
    """A list that comes back: each row has its own decision and remark.

    A row is found by its hidden mark, or, where people have deleted that, by student number and step.  Where the
    mark tells that somebody has decided since, or the graduate has sent something else, the row is left out
    until somebody takes it in by hand.  What has changed between preview and run stays as it is.
    """

    _inherit = "clearance.batch"

    sheet_blank_count = fields.Integer("Rows without a decision", readonly=True, copy=False)

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_criteria(self):
        result = super()._compute_criteria()
        for batch in self:
            if batch.kind == "sheet":
                batch.criteria = self.env._("filled-in list %s", batch.numbers_filename or "").strip()
        return result

    def action_open_lines(self):
        action = super().action_open_lines()
        # Columns that have something to say.
        return {**action, "context": {**action["context"], "clearance_sheet": self.kind == "sheet"}}

    # -- what is asked for -------------------------------------------------------------

    def _check_ready(self):
        if self.kind != "sheet":
            return super()._check_ready()
        if not self.numbers_filename:
            raise UserError(self.env._("Choose the file first: the list that you have filled in."))
        if self.decision == "lift":
            raise UserError(self.env._("A list says what to do in each row: it does not lift restrictions."))
        return None

    def _choose_rows(self):
        if self.kind != "sheet":
            return super()._choose_rows()
        filled = self._read_sheet()
        self._insert_filled(self._judge_rows(filled.rows, filled.has_steps))
        return self._record(sheet_blank_count=filled.blank)

    def _read_sheet(self):
        """The rows of the file.

        :raise UserError: when it is no list, or nobody has written anything into it
        """
        Sheet = self.env["clearance.station.sheet"]
        content = base64.b64decode(self.with_context(bin_size=False).numbers_file or b"")
        filled = read_filled(
            self.env,
            content,
            self.numbers_filename,
            Sheet._get_all_words(self.company_id),
            Sheet._get_labels(),
            list(Sheet._get_decision_words())[:2],
        )
        if not filled.rows:
            raise UserError(
                self.env._(
                    "No row of %(file)s has a decision. Write %(choices)s in the column “%(column)s”.",
                    file=self.numbers_filename,
                    choices=format_list(self.env, list(Sheet._get_decision_words())[:2], style="or"),
                    column=Sheet._get_labels()["decision"][0],
                )
            )
        return filled

    # -- whom and what each row means ------------------------------------------------------

    def _judge_rows(self, filled, has_steps):
        """Find what each row is about, and what stands in its way before the gate is asked.

        :param list filled: of ``station_sheet.Filled``
        :param bool has_steps: the file has a column for the step
        :return: list of :class:`_Row`, graduates together and each one's steps in their order
        """
        marks = self._read_marks(filled)
        steps = self._match_steps({row.step for row in filled if row.line not in marks}, has_steps)
        found = self._find_rows(filled, marks, steps)
        self._check_session(found, marks)
        # sudo: names of steps, modes and who waits for whom, of the session at hand.
        known = self.env["clearance.step"].sudo().browse({row.step_id for row in found.values() if row.step_id})
        by_id = {step.id: step for step in known}
        rows = [
            self._judge_row(row, found[row.line], marks.get(row.line), steps.get(squeeze(row.step)), by_id)
            for row in filled
        ]
        return self._order_rows(self._tell_doubles(rows), found, by_id)

    def _read_marks(self, filled):
        """Hidden marks of this database by line: matches of ``MARK``; ``None`` for such as are forged.

        :raise UserError: when the whole file comes from elsewhere
        """
        Sheet = self.env["clearance.station.sheet"]
        marks = {row.line: Sheet._is_signed(row.mark) and MARK.fullmatch(row.mark) for row in filled if row.mark}
        marks = {line: mark or None for line, mark in marks.items()}
        if marks and not any(marks.values()):
            raise UserError(
                self.env._(
                    "%s was not made here: its hidden column is not of this database, or has been changed. "
                    "Upload it where it was downloaded, or download a fresh list.",
                    self.numbers_filename,
                )
            )
        return marks

    def _match_steps(self, texts, has_steps):
        """Steps of the session by what rows without a mark call them.

        By name in any language, with or without the station, or by code.

        :return: dict ``{squeezed text: step id}``, with 0 for a name that several steps have
        """
        if not texts:
            return {}
        names = {}
        for sheet in self.env["clearance.station.sheet"]._in_each_language():
            # sudo: names of steps of a session that the user works in.
            for step in sheet.env["clearance.session"].sudo().browse(self.session_id.id).step_ids:
                for name in (step.name, f"{step.station_id.name}: {step.name}", step.code):
                    if name:
                        names.setdefault(squeeze(name), set()).add(step.id)
        matched = {key: next(iter(ids)) if len(ids) == 1 else 0 for key, ids in names.items()}
        if not has_steps or "" in texts:
            matched[""] = self.step_id.id or None
        return matched

    def _find_rows(self, filled, marks, steps):
        """What the rows are about: by their marks, else by number and step.  One statement, whatever their number.

        Raw SQL because ten thousand rows are found at once, with who decided last and what was sent.

        :return: dict ``{line: _Found}``
        """
        Form = self.env["clearance.form"]
        self.env.flush_all()
        by_line = {row.line: marks.get(row.line) for row in filled}
        self.env.cr.execute(
            SQL(
                """
                -- Compiling the statement takes longer than running it.
                SET LOCAL jit = off;
                WITH given AS (
                    SELECT * FROM unnest(%(lines)s::int[], %(statuses)s::int[], %(numbers)s::text[], %(steps)s::int[])
                                  AS given(line, status_id, number, step_id)
                ),
                readable AS (%(readable)s),
                numbered AS (
                    -- Case counts where two numbers differ in nothing else.
                    SELECT DISTINCT ON (given.line) given.line, student.id AS student_id
                      FROM given
                      JOIN clearance_student student
                        ON student.company_id = %(company)s AND upper(student.student_number) = upper(given.number)
                     WHERE given.status_id IS NULL
                     ORDER BY given.line, student.student_number = given.number DESC
                ),
                named AS (
                    SELECT given.line, numbered.student_id, form.id AS form_id,
                           COALESCE(given.status_id, status.id) AS status_id
                      FROM given
                      LEFT JOIN numbered ON numbered.line = given.line
                      LEFT JOIN clearance_form form
                        ON form.student_id = numbered.student_id AND form.session_id = %(session)s
                      LEFT JOIN clearance_status status
                        ON status.form_id = form.id AND status.step_id = given.step_id
                )
                SELECT named.line, student.id IS NOT NULL, readable.id IS NOT NULL, form.id,
                       status.id, status.step_id, status.session_id, student.student_number,
                       status.state, status.needs_review, %(version)s,
                       status.decided_at, partner.name, status.door, status.reason, status.active
                  FROM named
                  LEFT JOIN clearance_status status ON status.id = named.status_id
                  LEFT JOIN clearance_form form ON form.id = COALESCE(status.form_id, named.form_id)
                  LEFT JOIN clearance_student student ON student.id = COALESCE(form.student_id, named.student_id)
                  LEFT JOIN readable ON readable.id = form.id
                  LEFT JOIN res_users decider ON decider.id = status.user_id
                  LEFT JOIN res_partner partner ON partner.id = decider.partner_id
                """,
                lines=list(by_line),
                statuses=[int(mark["status"]) if mark else None for mark in by_line.values()],
                numbers=[row.number for row in filled],
                steps=[steps.get(squeeze(row.step)) or steps.get("") or None for row in filled],
                readable=Form._search([("company_id", "=", self.company_id.id)]).select(SQL("clearance_form.id")),
                company=self.company_id.id,
                session=self.session_id.id,
                version=self._version_sql(),
            )
        )
        return {row[0]: _Found(*row) for row in self.env.cr.fetchall()}

    @api.model
    def _version_sql(self):
        """What changes whenever somebody decides on ``status``, or its graduate sends something else."""
        return SQL(
            """concat_ws('.', status.state, status.needs_review::int,
                         COALESCE((extract(epoch FROM status.decided_at) * 1000000)::bigint, 0),
                         COALESCE((SELECT submission.id FROM clearance_submission submission
                                    WHERE submission.status_id = status.id AND submission.state = 'sent'), 0))"""
        )

    def _check_session(self, found, marks):
        """Refuse a list of another session as a whole.

        :raise UserError: naming the session, where the user may know it
        """
        marked = [found[line] for line, mark in marks.items() if mark and found[line].session_id]
        others = {row.session_id for row in marked} - {self.session_id.id}
        if marked and others and self.session_id.id not in {row.session_id for row in marked}:
            sessions = self.env["clearance.session"].browse(others)._filtered_access("read")
            raise UserError(
                self.env._(
                    "%(file)s is of another session (%(other)s), not of “%(session)s”. "
                    "Choose that session to upload it.",
                    file=self.numbers_filename,
                    other=format_list(self.env, sessions.mapped("name")) or self.env._("not one of yours"),
                    session=self.session_id.name,
                )
            )

    def _judge_row(self, row, found, mark, step_id, steps):
        """A row of the batch out of a row of the list.

        :param row: ``station_sheet.Filled``
        :param found: the :class:`_Found` of its line
        :param mark: match of its mark, or ``None``
        :param step_id: the step that its text names; 0 when several do
        :param dict steps: steps by id
        """
        code, message = self._find_obstacle(row, found, mark, step_id, steps) or (None, None)
        shown = found.readable and found.session_id == self.session_id.id
        note = conflict = None
        if not code:
            if mark:
                conflict = self._find_conflict(row, found, mark)
            else:
                note = self.env._("Found by number and step: what has happened since the list was made cannot be told.")
        return _Row(
            line=row.line,
            given=row.number or (found.student_number if shown else ""),
            form_id=found.form_id if found.readable else None,
            status_id=found.status_id if shown else None,
            code=code,
            message=message,
            decision=row.decision,
            reason=row.remark or None,
            note=note,
            conflict=conflict,
            seen=found.version,
        )

    def _find_obstacle(self, row, found, mark, step_id, steps):
        """Why a row never comes to the gate: ``(code, message)``, or ``None`` when it does."""
        return self._find_stranger(row, found, mark) or self._find_fault(row, found, mark, step_id, steps)

    def _find_stranger(self, row, found, mark):
        """Why it cannot be said whom a row is about, or why that is nobody for this list."""
        if row.mark and not mark:
            return "bad", self.env._("The hidden column of this row has been changed. Download a fresh list for it.")
        if not mark and not row.number:
            return "bad", self.env._("The student number is missing.")
        if not found.graduate:
            code = "withdrawn" if mark else "no_graduate"
            return code, self.env._("Not in this session any more.") if mark else self._tell_number(row)
        if mark and row.number and not may_be_number(row.number, found.student_number):
            return "bad", self.env._(
                "The student number is not that of the hidden column: only some of the columns have been sorted or "
                "copied. Undo that in the file, or download a fresh list."
            )
        if not found.form_id or (mark and found.session_id != self.session_id.id):
            return "not_in_session", self.env._("Not in this session.")
        if not found.readable:
            return "not_yours", self.env._("Not one of your graduates.")
        return None

    def _find_fault(self, row, found, mark, step_id, steps):
        """What is wrong with the step or the decision of a row whose graduate is known."""
        step = steps.get(found.step_id)
        if not mark and not step_id:
            return "bad", self._tell_step(row, step_id)
        if row.problem:
            return "bad", row.problem
        if step and not step.active:
            return "retired", self.env._("“%s” has been retired: it is no longer asked for.", step.name)
        if not step or found.state == "not_required":
            return "not_required", self.env._("Does not need this step.")
        if not found.active:
            return "withdrawn", self.env._("The graduate has been taken out of this session.")
        if not row.remark and row.decision in _EXPLAINED:
            return "reason_required", self._tell_remark(self.env._("The graduate reads why: write a remark."))
        if not row.remark and step.mode == "feed" and found.state != "approved":
            return "reason_required", self._tell_remark(
                self.env._("A source system settles “%s”: who decides by hand writes a remark.", step.name)
            )
        return None

    def _tell_number(self, row):
        if not row.number.isdigit() and "E" in row.number.upper() and row.number[:1].isdigit():
            return self.env._("“%s”: a spreadsheet has shortened this number, format its column as text.", row.number)
        return self.env._("No graduate has the student number “%s”.", row.number)

    def _tell_step(self, row, step_id):
        if step_id == 0:
            return self.env._("Several steps are called “%s”: write the station and a colon before it.", row.step)
        if row.step:
            return self.env._("“%s” is not a step of this session.", row.step)
        return self.env._("It is not said which step this row is about. Choose it where you upload the list.")

    def _tell_remark(self, why):
        label = self.env["clearance.station.sheet"]._get_labels()["remark"][0]
        return self.env._("Column “%(column)s” is empty: %(why)s", column=label, why=why)

    def _find_conflict(self, row, found, mark):
        """What has happened since the list was made, unless it is what the row asks for anyway."""
        if mark["version"] == found.version:
            return None
        if MOVES[row.decision].target == found.state and not found.needs_review:
            return None
        if mark["version"].rpartition(".")[2] != found.version.rpartition(".")[2] and found.door == "portal":
            return self.env._(
                "The graduate has sent something else, or withdrawn it, since the list was made (%s).",
                self._tell_moment(found.decided_at),
            )
        word = self.env["clearance.legend"]._get_words(self.company_id)["review" if found.needs_review else found.state]
        machine = found.door in MACHINE_DOORS
        doors = dict(self.env["clearance.status"]._fields["door"]._description_selection(self.env))
        text = self.env._(
            "Since the list was made: “%(state)s”, %(user)s, %(moment)s.",
            state=word,
            user=doors.get(found.door) if machine else found.decided_by or doors.get(found.door) or "",
            moment=self._tell_moment(found.decided_at),
        )
        return self.env._("%(what)s “%(why)s”", what=text, why=found.reason) if found.reason else text

    def _tell_moment(self, moment):
        return format_datetime(self.env, moment, dt_format="short") if moment else ""

    def _tell_doubles(self, rows):
        """Rows about the same step: alike, the first one counts; where they contradict, none does."""
        same = {}
        for row in rows:
            if row.status_id and not row.code:
                same.setdefault(row.status_id, []).append(row)
        doubled = {status_id: group for status_id, group in same.items() if len(group) > 1}
        return [
            self._tell_double(row, doubled[row.status_id]) if not row.code and row.status_id in doubled else row
            for row in rows
        ]

    def _tell_double(self, row, group):
        lines = format_list(self.env, [str(other.line) for other in group])
        if len({(other.decision, other.reason) for other in group}) > 1:
            message = self.env._("Rows %s say different things about the same step: keep one of them.", lines)
            return row._replace(code="duplicate", message=message, conflict=None)
        if row is group[0]:
            return row
        message = self.env._("Given twice, in rows %s: the first one counts.", lines)
        return row._replace(code="duplicate", message=message, conflict=None)

    def _order_rows(self, rows, found, steps):
        """Rows in the order of the file, but each graduate's together, and what others wait for first."""
        depths = {}

        def get_depth(step, above=()):
            if step.id not in depths:
                before = [other for other in step.blocking_step_ids if other.id in steps and other.id not in above]
                depths[step.id] = 1 + max((get_depth(other, (*above, step.id)) for other in before), default=0)
            return depths[step.id]

        if len(steps) < 2:
            return rows
        first = {}
        for row in rows:
            first.setdefault(found[row.line].form_id, row.line)

        def get_key(row):
            step = steps.get(found[row.line].step_id)
            return first[found[row.line].form_id], get_depth(step) if step else 0, row.line

        return sorted(rows, key=get_key)

    # -- writing them down -------------------------------------------------------------

    def _insert_filled(self, rows):
        """Write the rows; what somebody has ticked or unticked in the preview before stays so.

        Raw SQL, as for other batches: one statement, whatever the number of rows.

        :param list rows: of :class:`_Row`
        """
        columns = list(zip(*rows, strict=True))
        self.env.cr.execute(
            SQL(
                """
                WITH old AS (
                    DELETE FROM clearance_batch_line WHERE batch_id = %(batch)s
                    RETURNING status_id, line_number, excluded, conflict
                ),
                given AS (
                    SELECT * FROM unnest(
                        %(line)s::int[], %(given)s::text[], %(form_id)s::int[], %(status_id)s::int[], %(code)s::text[],
                        %(message)s::text[], %(decision)s::text[], %(reason)s::text[], %(note)s::text[],
                        %(conflict)s::text[], %(seen)s::text[]
                    ) WITH ORDINALITY AS given(
                        line, given, form_id, status_id, code, message, decision, reason, note, conflict, seen, position
                    )
                )
                INSERT INTO clearance_batch_line (
                    batch_id, line_number, given, form_id, status_id, code, message,
                    row_decision, row_reason, row_note, conflict, seen, excluded, excluded_by_list, ran
                )
                SELECT %(batch)s, given.line, given.given, given.form_id, given.status_id, given.code, given.message,
                       given.decision, given.reason, given.note, given.conflict, given.seen,
                       CASE WHEN given.code IS NOT NULL THEN FALSE
                            ELSE COALESCE(old.excluded, given.conflict IS NOT NULL) END,
                       FALSE, FALSE
                  FROM given
                  -- A conflict that was not there before has not been looked at.
                  LEFT JOIN old ON old.status_id = given.status_id AND old.line_number = given.line
                               AND old.conflict IS NOT DISTINCT FROM given.conflict
                 ORDER BY given.position
                """,
                batch=self.id,
                **{name: list(values) for name, values in zip(_Row._fields, columns, strict=True)},
            )
        )
        self._invalidate_rows()

    def _forecast(self):
        result = super()._forecast()
        if self.kind == "sheet":
            self._expect_rows_before()
            self.env.cr.execute(
                SQL(
                    "UPDATE clearance_batch_line SET position = 0 WHERE batch_id = %s AND conflict IS NOT NULL",
                    self.id,
                )
            )
            self._invalidate_rows()
        return result

    def _expect_rows_before(self):
        """Rows that wait for nothing but rows of the same list will be done: those come first.

        From step to step: the number of statements is bounded by the depth of the process.
        Raw SQL for the rows just written.
        """
        missing = self.env["clearance.status"]._missing_sql(
            SQL("status.form_id"), SQL("status.step_id"), SQL("prereq.id")
        )
        note = self.env._("After the rows of this list that it waits for.")
        while True:
            self.env.cr.execute(
                SQL(
                    """
                    WITH sure AS (
                        SELECT status_id FROM clearance_batch_line
                         WHERE batch_id = %(batch)s AND outcome = 'todo' AND row_decision = 'approve'
                    )
                    UPDATE clearance_batch_line line
                       SET code = 'done', message = NULL, row_note = COALESCE(line.row_note, %(note)s), position = 1,
                           outcome = CASE WHEN line.excluded THEN 'excluded' ELSE 'todo' END
                      FROM clearance_status status
                     WHERE line.batch_id = %(batch)s AND line.code = 'missing' AND status.id = line.status_id
                       AND NOT EXISTS (SELECT 1 FROM (%(missing)s) missing
                                        WHERE missing.id NOT IN (SELECT status_id FROM sure))
                    """,
                    batch=self.id,
                    note=note,
                    missing=missing,
                )
            )
            if not self.env.cr.rowcount:
                return

    def _get_warnings(self):
        if self.kind != "sheet":
            return super()._get_warnings()
        self.env.cr.execute(
            SQL(
                """SELECT count(*) FILTER (WHERE conflict IS NOT NULL),
                          count(*) FILTER (WHERE seen IS NOT NULL AND row_note = %s)
                     FROM clearance_batch_line WHERE batch_id = %s""",
                self.env._("Found by number and step: what has happened since the list was made cannot be told."),
                self.id,
            )
        )
        conflicts, unmarked = self.env.cr.fetchone()
        warnings = []
        if conflicts:
            warnings.append(
                self.env._(
                    "Rows that have changed since the list was made: %s. They are left out; look at them, and tick "
                    "those that are to be decided all the same.",
                    f"{conflicts:,}",
                )
            )
        if unmarked:
            warnings.append(
                self.env._(
                    "The hidden column is missing in this file. Rows found by student number and step: %s. What others "
                    "have decided since the list was made cannot be told.",
                    f"{unmarked:,}",
                )
            )
        if self.sheet_blank_count:
            warnings.append(
                self.env._("Rows without a decision, which stay as they are: %s.", f"{self.sheet_blank_count:,}")
            )
        return warnings

    # -- running -----------------------------------------------------------------------

    def _decide_rows(self, rows, dry_run=False):
        if self.kind != "sheet" or dry_run:
            return super()._decide_rows(rows, dry_run=dry_run)
        changed = self._find_changed([row.status_id for row in rows])
        outcomes = super()._decide_rows([row for row in rows if row.status_id not in changed])
        by_id = {outcome.status_id: outcome for outcome in outcomes}
        return [by_id.get(row.status_id) or Outcome(row.status_id, "changed") for row in rows]

    def _find_changed(self, status_ids):
        """Those of these statuses that are not as they were at the preview, nor as the list wants them.

        In the snapshot of the gate's own statement: who decides in the same instant is waited for, and then seen.
        """
        self.env.cr.execute(
            SQL(
                """SELECT status_id, seen, row_decision FROM clearance_batch_line
                    WHERE batch_id = %s AND outcome = 'todo' AND status_id = ANY(%s)""",
                self.id,
                status_ids,
            )
        )
        shown = {status_id: (seen, MOVES[decision].target) for status_id, seen, decision in self.env.cr.fetchall()}
        # Not joined: the database knows nothing of rows just written, and would compare each with each.
        self.env.cr.execute(
            SQL(
                "SELECT status.id, status.state, %s FROM clearance_status status WHERE status.id = ANY(%s)",
                self._version_sql(),
                list(shown),
            )
        )
        now = {status_id: (version, state) for status_id, state, version in self.env.cr.fetchall()}
        return {
            status_id
            for status_id, (seen, target) in shown.items()
            if now[status_id][0] != seen and now[status_id][1] != target
        }
