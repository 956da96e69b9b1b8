"""Reading a roster in the background: checking it, writing it, telling how far it is."""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..table_file import read_rows
from .clearance_student_import import ImportBusyError

_logger = logging.getLogger(__name__)


class ClearanceRosterImport(models.Model):
    _inherit = "clearance.roster.import"

    @api.model
    def _cron_run(self):
        """Go on with every import that is being checked or written, one after the other."""
        started = self.search([("state", "in", ("checking", "running"))], order="id")
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=len(started))
        for roster in started:
            if not roster._go(commit):
                break

    def _go(self, commit):
        """Check or write one file.

        :param commit: commits, and answers how many seconds are left
        :return: whether there is time for the next one
        """
        self.ensure_one()
        if not self._check_runner():
            return bool(commit(1))
        try:
            return self._check(commit) if self.state == "checking" else self._write_file(commit)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # Somebody changed one of these graduates in this very moment: again, with fresh eyes.
            self.env.cr.rollback()
            self._trigger()
            return bool(commit(0))

    def _check_runner(self):
        """Whether the one who started this may still do so; it is stopped where not."""
        user = self.user_id
        if user.active and user.has_group("graduate_clearance.group_manager") and self.company_id in user.company_ids:
            return True
        _logger.warning("roster import %s is stopped: %s is not a manager any more", self.id, user.login)
        self._fail(self.env._("%s is no longer a manager of this campus.", user.name))
        return False

    def _fail(self, message):
        """Stop, and say why; where nothing is written, file and choices can be changed."""
        begun = self.state == "running" and self.mode == "good" and self.row_count
        self._record(state="stopped" if begun else "draft", error=message)

    # -- the rows ------------------------------------------------------------------------

    def _as_runner(self):
        """Graduates, with the rights, the language and the campus of the manager who started this."""
        user = self.user_id
        context = {"lang": user.lang, "tz": user.tz, "allowed_company_ids": self.company_id.ids}
        return self.env["clearance.student"].with_user(user).with_context(**context)

    def _get_making(self):
        kinds = ("college", "class", "room", "trait")
        return [kind for kind in kinds if self[f"make_{kind}"]]

    def _get_defaults(self):
        return {"level": self.level, "graduation_year": self.graduation_year}

    def _read_file_rows(self, env=None):
        """The rows of the file below its header."""
        for row in read_rows(env or self.env, self._get_content(), self.filename):
            if row.line > self.header_row:
                yield row

    def _read_cells(self, env):
        """The rows below the header as dicts of texts by column name.

        :param env: in whose language a row that cannot be read is told
        """
        mapping = self._get_mapping()
        for row in self._read_file_rows(env):
            count = len(row.cells)
            cells = {name: row.cells[place] if place < count else "" for name, place in mapping.items()}
            if any(cells.values()):
                yield {"line": row.line, **cells}

    def _get_last_row(self):
        """The last row that was gone through before an interruption."""
        line = self.env["clearance.roster.import.line"].search([("import_id", "=", self.id)], order="row DESC", limit=1)
        return line.row

    @api.model
    def _skip(self, cells, last, known):
        """Pass over what was done before an interruption; repetitions of its numbers are still found."""
        for row in cells:
            if row["line"] > last:
                yield row
            else:
                known.see(row)

    # -- checking ------------------------------------------------------------------------

    def _check(self, commit):
        """Find out what would become of each row.

        :param commit: as for :meth:`_go`; None: all at once, in the caller's transaction
        :return: whether there is time for the next import
        """
        self.ensure_one()
        Student = self._as_runner()
        left = True
        try:
            known = Student._start_import(self._get_making(), self.wipe, self._get_defaults(), dry_run=True)
            cells = self._skip(self._read_cells(Student.env), self._get_last_row(), known)
            for part in Student._import_parts(cells, known, dry_run=True):
                self.env["clearance.roster.import.line"]._note(self, part)
                if commit:
                    left = commit(0)
                    self.invalidate_recordset()
                    if self.state != "checking" or not left:
                        return bool(left)
        except UserError as error:
            if not commit:
                raise
            self._drop_lines()
            self._fail(str(error))
        else:
            self._record(state="checked", total=self.row_count)
        return bool(not commit or commit(1))

    # -- writing -------------------------------------------------------------------------

    def _write_file(self, commit):
        """Write the file: as one, or part by part."""
        try:
            return self._write_all(commit) if self.mode == "all" else self._write_good(commit)
        except ImportBusyError:
            # A glue addon is at it, for one: after it.
            self._trigger(fields.Datetime.add(fields.Datetime.now(), minutes=1))
            return bool(commit(1))
        except UserError as error:
            # Of everything-or-nothing nothing is left; good rows that were committed stay.
            self.env.invalidate_all(flush=False)
            self._fail(str(error))
            return bool(commit(1))

    def _write_good(self, commit):
        """Write the good rows, each part a transaction of its own: it goes on after a restart."""
        Student = self._as_runner()
        known = Student._start_import(self._get_making(), self.wipe, self._get_defaults())
        parts = Student._import_parts(self._skip(self._read_cells(Student.env), self._get_last_row(), known), known)
        while True:
            with self.env.cr.savepoint():
                part = next(parts, None)
                if part:
                    self.env["clearance.roster.import.line"]._note(self, part)
                    Student._end_import(known)
            if not part:
                self._record(state="done", done_at=fields.Datetime.now())
                return bool(commit(1))
            self._record(written_count=self.written_count + len(part))
            left = commit(0)
            self.invalidate_recordset()
            if self.state != "running" or not left:
                return bool(left)
            # The lock went with the transaction.
            Student._lock_import()

    def _write_all(self, commit):
        """Write everything in one transaction, or nothing."""
        Student = self._as_runner()
        refused = False
        savepoint = self.env.cr.savepoint()
        with savepoint:
            known = Student._start_import(self._get_making(), self.wipe, self._get_defaults())
            count = 0
            for part in Student._import_parts(self._read_cells(Student.env), known, stop=True):
                refused = refused or any(row.code == "refused" for row in part)
                count += len(part)
                if refused or not self._tell_progress(count):
                    break
                self.env["clearance.roster.import.line"]._note(self, part)
            else:
                Student._end_import(known)
                count = None
            if count is not None:
                savepoint.rollback()
                self.env.invalidate_all(flush=False)
        # What was written is safe before the import itself is touched, which others have written meanwhile.
        left = commit(0)
        self.invalidate_recordset()
        if refused:
            self._record(state="checking", error=self.env._("Nothing was written: rows are refused by now. See below."))
            self._trigger()
        elif count is None:
            self._record(state="done", done_at=fields.Datetime.now())
        return bool(commit(1) and left)

    def _tell_progress(self, count):
        """Tell how far a long transaction is, in one of its own: nobody sees what is not committed.

        :return: whether it shall go on: False once somebody has pressed “Stop”
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    "UPDATE clearance_roster_import SET written_count = %s WHERE id = %s RETURNING state",
                    count,
                    self.id,
                )
            )
            found = cr.fetchone()
        return not found or found[0] == "running"
