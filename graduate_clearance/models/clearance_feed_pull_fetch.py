"""Fetching: from the source to rows that the clearance can take in."""

import logging
from datetime import datetime
from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..feed_sources import database, folder, table, web
from ..table_file import read_rows

_logger = logging.getLogger(__name__)

#: files read at one time; the others follow at the next
_MOST_FILES = 20


class Report(NamedTuple):
    """What was fetched at once: rows for ``_take_in``, or why there are none."""

    rows: list
    as_of: datetime | None
    key: str | None = None
    fingerprint: str | None = None
    problem: str | None = None
    #: headings of the source, and position of each that is read
    found: list = []
    columns: dict = {}


class ClearanceFeed(models.Model):
    _inherit = "clearance.feed"

    @api.constrains("pull_kind", "pull_path", "pull_pattern", "pull_url", "pull_token_header", "pull_query")
    def _check_pull(self):
        """What is set up can be what it says; whether the server allows it, is asked when it is used."""
        for feed in self.sudo():  # sudo: a check
            if feed.pull_kind == "folder":
                folder.check_path(self.env, feed.pull_path)
                folder.check_pattern(self.env, feed.pull_pattern)
            elif feed.pull_kind == "sql":
                database.check_query(self.env, feed.pull_query)
            elif feed.pull_kind == "http":
                web.parse_address(self.env, feed.pull_url)
            # Nothing that looks like a secret is kept, whatever is pulled now.
            if feed.pull_url and feed.pull_kind != "http":
                web.parse_address(self.env, feed.pull_url)
            if feed.pull_token_header:
                web.check_header(self.env, feed.pull_token_header)

    def _fetch_reports(self, test=False):
        """Ask the source.

        :param bool test: files that have been read before are read again, and messages say more
        :return: iterator of :class:`Report`; what goes wrong is a report with a ``problem``
        """
        fetch = {"folder": self._fetch_folder, "http": self._fetch_http, "sql": self._fetch_sql}[self.pull_kind]
        reports = fetch(test)
        while True:
            try:
                report = next(reports, None)
            except UserError as error:
                report = Report([], None, problem=error.args[0])
            except Exception as error:  # by its kind only: its words and its trace may hold secrets
                _logger.error("Source system %s could not be read: %s", self.id, type(error).__name__)
                report = Report([], None, problem=self.env._("The source could not be read, for an unknown reason."))
            if report is None:
                return
            yield report

    # -- the three kinds ---------------------------------------------------------------

    def _fetch_folder(self, test):
        files = folder.list_files(self.env, self.pull_path, self.pull_pattern)
        if not files and test:
            raise UserError(self.env._("The folder has no file of such a name that can be read."))
        seen = {} if test else dict(self.pull_seen or {})
        known = set(seen.values())
        if not test and seen.keys() - {file.label for file in files}:
            # Files that are gone need not be remembered.
            seen = {file.label: seen[file.label] for file in files if file.label in seen}
            self.pull_seen = seen
        if self.pull_files == "newest" or test:
            files = files[-1:]
        for file in [file for file in files if not self._was_read(file, seen)][:_MOST_FILES]:
            try:
                content, digest = folder.read_file(self.env, self.pull_path, file)
            except UserError as error:
                yield Report([], None, file.label, problem=error.args[0])
                continue
            fingerprint = f"{file.changed}:{digest}"
            if fingerprint in known:  # renamed
                self.pull_seen = {**(self.pull_seen or {}), file.label: fingerprint}
                continue
            yield self._read_file(file, content, fingerprint)

    @api.model
    def _was_read(self, file, seen):
        """Whether a file of this name and time has been read."""
        return seen.get(file.label, "").startswith(f"{file.changed}:")

    def _read_file(self, file, content, fingerprint):
        """The report in a file; one that cannot be read is not read again before it has changed."""
        report = Report([], file.as_of, file.label, fingerprint)
        try:
            rows = read_rows(self.env, content, file.label)
            found = table.find_headings(self.env, rows, self._get_pull_columns())
            return self._read_table(report, found, (row.cells for row in rows))
        except UserError as error:
            return report._replace(problem=error.args[0])

    def _fetch_http(self, test):
        report = Report([], fields.Datetime.now())
        header = self.pull_token_header or "Authorization"
        document = web.fetch(self.env, self.pull_url, self.pull_token_name, header, tell_detail=test)
        found, rows = web.get_rows(self.env, document, self.pull_list_path)
        # A list without rows has no columns that could be missed.
        yield self._read_table(report, found, rows) if found else report

    def _fetch_sql(self, test):
        report = Report([], fields.Datetime.now())
        with database.open_query(self.env, self.pull_dsn_name, self.pull_query, tell_detail=test) as (found, rows):
            report = self._read_table(report, found, rows)
        yield report

    # -- columns -----------------------------------------------------------------------

    def _get_pull_columns(self):
        """Names of columns by what they are read as; empty where they are found by their usual headings."""
        return {
            "student_number": self.pull_number_column,
            "quantity": self.pull_quantity_column,
            "amount": self.pull_amount_column,
            "as_of": self.pull_as_of_column,
            "note": self.pull_note_column,
            "step": self.pull_step_column,
        }

    def _read_table(self, report, found, rows):
        """Read rows of values as what their columns are."""
        columns = table.match_columns(self.env, found, self._get_pull_columns())
        # sudo: the clock of the campus.
        settings = self.env["clearance.settings"].sudo()._get(self.company_id)
        zone = pytz.timezone(settings.timezone or "UTC")
        read = [table.read_row(row, columns, zone) for row in rows]
        return report._replace(rows=read, found=[str(name or "") for name in found], columns=columns)
