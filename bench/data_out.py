"""Spreadsheets of a whole campus, beside one SQL statement and plain xlsxwriter."""

import statistics
import tempfile
import time
import tracemalloc

import xlsxwriter

from odoo.tools import SQL

from . import odoo_env
from .measure import Result

#: what a graduate is called by, in every sheet
_PERSON = SQL("""student.student_number, student.name, college.name->>'en_US', class.name, room.complete_name""")
_PERSON_TABLES = SQL(
    """JOIN clearance_student student ON student.id = form.student_id
       LEFT JOIN clearance_college college ON college.id = student.college_id
       LEFT JOIN clearance_class class ON class.id = student.class_id
       LEFT JOIN clearance_room room ON room.id = student.room_id"""
)


class Spreadsheets:
    """What a manager takes along: every export of an opened session."""

    KINDS = ("matrix", "due", "statistics", "log")

    def __init__(self, bench):
        self.bench = bench
        self.meter = bench.meter
        self.user_id = bench.users["manager"]
        self.session_id = bench.session_id
        #: highest memory of Python while a file is written, in MB: ``{kind: MB}``
        self.memory = {}

    def measure(self, repetitions=3):
        """Write each kind both ways in turn; then once more to see what memory it takes."""
        for kind in self.KINDS:
            result = Result(f"spreadsheet: {kind}", 0)
            for number in range(repetitions + 1):
                pair = [(result.raw, self._time_raw), (result.ours, self._time_ours)]
                # Whoever comes second finds warmer caches: take turns.
                for times, clock in pair if number % 2 else reversed(pair):
                    seconds = clock(kind, result)
                    # The first round only warms up.
                    if number:
                        times.append(seconds)
            self.memory[kind] = self._get_memory(kind)
            self.meter.results.append(result)
            self.bench.say(
                f"  {result.name}, {result.rows:,} rows: × {result.ratio:.2f} of "
                f"{statistics.median(result.raw):.2f} s; {self.memory[kind]:.1f} MB"
            )
        return self.memory

    # -- ours ------------------------------------------------------------------------------

    def _write(self, env, kind):
        Export = env["clearance.export"]
        choice = Export._prepare_choice(kind, self.session_id, split="none")
        return Export._count(choice), Export._write(choice)

    def _time_ours(self, kind, result):
        with odoo_env.environment(self.bench.database, self.user_id) as env:
            self.meter._know_user(env)
            before, start = env.cr.sql_log_count, time.perf_counter()
            result.rows, _file = self._write(env, kind)
            seconds = time.perf_counter() - start
            result.queries = env.cr.sql_log_count - before
            return seconds

    def _get_memory(self, kind):
        with odoo_env.environment(self.bench.database, self.user_id) as env:
            self.meter._know_user(env)
            tracemalloc.start()
            try:
                self._write(env, kind)
                return tracemalloc.get_traced_memory()[1] / 1e6
            finally:
                tracemalloc.stop()

    # -- the yardstick ---------------------------------------------------------------------

    def _time_raw(self, kind, _result):
        statement = getattr(self, f"_{kind}_sql")()
        with odoo_env.environment(self.bench.database, self.user_id) as env, tempfile.TemporaryFile() as file:
            env.cr.execute("SET LOCAL jit = off")
            start = time.perf_counter()
            env.cr.execute(statement)
            with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
                sheet = book.add_worksheet()
                moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
                for line, row in enumerate(env.cr.fetchall()):
                    _write_row(sheet, line, row, moment)
            return time.perf_counter() - start

    def _matrix_sql(self):
        return SQL(
            """
            SELECT %s, form.state, count(*) FILTER (WHERE status.is_open),
                   array_agg(CASE WHEN status.needs_review THEN 'review' ELSE status.state END ORDER BY status.step_id)
              FROM clearance_form form
              %s
              JOIN clearance_status status ON status.form_id = form.id
             WHERE form.session_id = %s AND form.state <> 'withdrawn'
             GROUP BY form.id, student.id, college.id, class.id, room.id
             ORDER BY student.student_number
            """,
            _PERSON,
            _PERSON_TABLES,
            self.session_id,
        )

    def _due_sql(self):
        return SQL(
            """
            SELECT station.name->>'en_US', step.name->>'en_US', %s, status.state, status.reason,
                   figure.quantity, figure.amount, figure.note, figure.as_of, deferral.date_end
              FROM clearance_status status
              JOIN clearance_form form ON form.id = status.form_id
              %s
              JOIN clearance_station station ON station.id = status.station_id
              JOIN clearance_step step ON step.id = status.step_id
              LEFT JOIN clearance_figure figure ON figure.status_id = status.id
              LEFT JOIN clearance_override deferral
                ON deferral.status_id = status.id AND deferral.restored_at IS NULL
             WHERE status.session_id = %s AND status.is_open IS TRUE AND status.active IS TRUE
             ORDER BY step.sequence, step.id, student.student_number
            """,
            _PERSON,
            _PERSON_TABLES,
            self.session_id,
        )

    def _statistics_sql(self):
        return SQL(
            """
            SELECT college.name->>'en_US', class.name, step.name->>'en_US', station.name->>'en_US',
                   count(*), count(*) FILTER (WHERE status.earlier_year), count(*) FILTER (WHERE NOT status.is_open),
                   count(*) FILTER (WHERE status.is_open),
                   count(*) FILTER (WHERE status.is_open AND status.earlier_year)
              FROM clearance_status status
              LEFT JOIN clearance_college college ON college.id = status.college_id
              LEFT JOIN clearance_class class ON class.id = status.class_id
              JOIN clearance_step step ON step.id = status.step_id
              JOIN clearance_station station ON station.id = status.station_id
             WHERE status.session_id = %s AND status.active IS TRUE AND status.state <> 'not_required'
             GROUP BY college.id, class.id, step.id, station.id
             ORDER BY 1, 2, step.sequence, 4
            """,
            self.session_id,
        )

    def _log_sql(self):
        return SQL(
            """
            SELECT log.date, who_is.name, log.action, station.name->>'en_US', step.name->>'en_US', %s,
                   log.from_state, log.to_state, log.reason, log.batch_id, log.door
              FROM clearance_log log
              JOIN clearance_form form ON form.id = log.form_id
              %s
              LEFT JOIN clearance_station station ON station.id = log.station_id
              LEFT JOIN clearance_step step ON step.id = log.step_id
              LEFT JOIN res_users who ON who.id = log.user_id
              LEFT JOIN res_partner who_is ON who_is.id = who.partner_id
             WHERE log.session_id = %s
             ORDER BY log.id DESC
            """,
            _PERSON,
            _PERSON_TABLES,
            self.session_id,
        )


def _write_row(sheet, line, row, moment):
    """Write a row as it comes from the database; arrays go on to the right."""
    column = 0
    for value in row:
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, str):
                sheet.write_string(line, column, part)
            elif isinstance(part, int | float):
                sheet.write_number(line, column, part)
            elif part is not None:
                sheet.write_datetime(line, column, part, moment)
            column += 1
