"""What a batch would do: its rows, chosen and told in sets before anything happens."""

import base64
import json
from typing import NamedTuple

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..number_list import parse_file, parse_text
from ..texts import join_names, join_parts
from .clearance_status_gate import Outcome

#: rows that go to the gate in one statement
CHUNK = 2000
#: unknown numbers named in a warning
_NUMBERS_SHOWN = 10


class GivenRow(NamedTuple):
    """A row of a list: where it stands, whom it names, and what it says beyond the batch.

    ``decision`` and ``reason`` stand for those of the batch where they are empty; ``code`` is given
    where the row cannot come to the gate, with ``note`` to say why.
    """

    line: int
    number: str
    decision: str | None = None
    reason: str | None = None
    note: str | None = None
    figure: dict | None = None
    code: str | None = None


class AskedRow(NamedTuple):
    """A row as it comes to the gate: its status, and what is asked."""

    status_id: int
    decision: str
    reason: str | None = None


class ClearanceBatch(models.Model):
    _inherit = "clearance.batch"

    def action_preview(self):
        """Tell for each row what would happen; nothing is decided.

        Can be repeated: rows are chosen anew, ticks made by hand stay.  Callable by whose
        batch it is, and by managers.

        :raise UserError: when it is not said whom or what, a list cannot be read, or the
            batch has been run
        """
        for batch in self:
            batch._lock()
            if batch.state not in ("draft", "previewed"):
                raise UserError(self.env._("This batch has been run."))
            batch._preview()

    def _preview(self):
        self._check_ready()
        self._choose_rows()
        self._forecast()
        self._raise_if_too_strict()
        self._count()
        self._record(
            state="previewed",
            previewed_at=fields.Datetime.now(),
            warning="\n".join(self._get_warnings()) or False,
        )

    def _check_ready(self):
        """Refuse a preview of what is not said to the end; kinds of batches have more to ask for.

        :raise UserError: saying what is missing
        """
        if not self.step_id:
            raise UserError(self.env._("Choose the step first."))
        if self.reason_required and not (self.reason or "").strip():
            raise UserError(self.env._("Give the reason first: the graduates read it, and it is kept in the log."))

    def _choose_rows(self):
        """Write the rows, by :meth:`_insert_rows`; kinds of batches choose theirs in another way.

        :raise UserError: when it is not said whom, or a list cannot be read
        """
        given = self._get_numbers()
        domain = self._get_groups_domain()
        if not given and domain is None:
            raise UserError(self.env._("Say whom: classes, rooms, colleges, a search or student numbers."))
        self._insert_rows(given, domain)

    # -- whom --------------------------------------------------------------------

    def _get_numbers(self):
        """The numbers pasted or uploaded, as :class:`~..number_list.Given`."""
        if not self.numbers_filename:
            return parse_text(self.env, self.numbers)
        content = base64.b64decode(self.with_context(bin_size=False).numbers_file or b"")
        return parse_file(self.env, content, self.numbers_filename)

    def _get_groups_domain(self):
        """Forms that the classes, rooms, colleges and the search have in common.

        :return: a domain on forms, or ``None`` when none of these is given
        """
        domains = []
        if self.class_ids:
            domains.append(Domain("class_id", "in", self.class_ids.ids))
        if self.room_ids:
            domains.append(Domain("room_id", "child_of", self.room_ids.ids))
        if self.college_ids:
            domains.append(Domain("college_id", "in", self.college_ids.ids))
        if self._get_domain_text():
            domains.append(self._get_form_domain())
        return Domain.AND(domains) if domains else None

    def _get_excluded_numbers(self):
        """The student numbers to leave out, as a set."""
        return {number for _line, number in parse_text(self.env, self.excluded_numbers)}

    def _get_warnings(self):
        """What is odd about the criteria, as texts: numbers to leave out that are not there."""
        warnings = []
        numbers = sorted(self._get_excluded_numbers())
        if numbers:
            self.env.cr.execute(
                SQL(
                    """SELECT number FROM unnest(%(numbers)s::text[]) number
                        WHERE upper(number) NOT IN (SELECT upper(given) FROM clearance_batch_line
                                                     WHERE batch_id = %(batch)s AND given IS NOT NULL)
                          AND upper(number) NOT IN (SELECT upper(student.student_number)
                                                      FROM clearance_batch_line line
                                                      JOIN clearance_form form ON form.id = line.form_id
                                                      JOIN clearance_student student ON student.id = form.student_id
                                                     WHERE line.batch_id = %(batch)s)""",
                    numbers=numbers,
                    batch=self.id,
                )
            )
            strangers = [row[0] for row in self.env.cr.fetchall()]
            if strangers:
                more = ["…"] if len(strangers) > _NUMBERS_SHOWN else []
                shown = join_parts(self.env, [*strangers[:_NUMBERS_SHOWN], *more])
                warnings.append(
                    self.env._(
                        "%(count)s of the numbers to leave out are not among these rows: %(numbers)s",
                        count=len(strangers),
                        numbers=shown,
                    )
                )
        if not self.row_count:
            warnings.append(self.env._("Nobody fits. You see only the graduates who come to your desks."))
        return warnings

    def _insert_rows(self, given, domain=None):
        """Choose the rows: graduates of the groups, then the numbers in their order.

        Raw SQL because ten thousand rows are chosen, compared with a list and written in
        one statement instead of being read and created one by one.

        :param list given: of :class:`~..number_list.Given` or :class:`GivenRow`
        :param domain: on forms, or ``None``
        """
        self.env.flush_all()
        rows = [GivenRow(*row) for row in given]
        excluded = self._get_excluded_numbers()
        Form = self.env["clearance.form"]
        session = Domain("session_id", "=", self.session_id.id)
        chosen = SQL("SELECT NULL::int AS id WHERE FALSE")
        if domain is not None:
            chosen = Form._search(session & domain).select(SQL("clearance_form.id"))
        self.env.cr.execute(
            SQL(
                """
                WITH old AS (
                    DELETE FROM clearance_batch_line WHERE batch_id = %(batch)s
                    RETURNING form_id, excluded, excluded_by_list
                ),
                given AS (
                    SELECT given.*,
                           row_number() OVER same AS nth, first_value(line) OVER same AS first_line
                      FROM unnest(%(numbers)s::text[], %(lines)s::int[], %(decisions)s::text[], %(reasons)s::text[],
                                  %(notes)s::text[], %(figures)s::jsonb[], %(codes)s::text[])
                           WITH ORDINALITY AS given(number, line, row_decision, row_reason, row_note, figure,
                                                    given_code, position)
                    WINDOW same AS (PARTITION BY upper(number) ORDER BY position)
                ),
                readable AS (%(readable)s),
                chosen AS (%(chosen)s),
                numbered AS (
                    -- Case counts where two numbers differ in nothing else.
                    SELECT DISTINCT ON (given.position)
                           given.*, student.id AS student_id, form.id AS form_id, readable.id AS readable_id
                      FROM given
                      LEFT JOIN clearance_student student
                        ON student.company_id = %(company)s AND upper(student.student_number) = upper(given.number)
                      LEFT JOIN clearance_form form
                        ON form.student_id = student.id AND form.session_id = %(session)s
                      LEFT JOIN readable ON readable.id = form.id
                     ORDER BY given.position, student.student_number = given.number DESC
                ),
                named AS (
                    SELECT NULL::bigint AS position, NULL::int AS line, NULL::text AS number, NULL::int AS first_line,
                           NULL::text AS row_decision, NULL::text AS row_reason, NULL::text AS row_note,
                           NULL::jsonb AS figure, chosen.id AS form_id, NULL AS code
                      FROM chosen
                     WHERE NOT EXISTS (SELECT 1 FROM numbered WHERE numbered.readable_id = chosen.id)
                     UNION ALL
                    SELECT position, line, number, first_line, row_decision, row_reason, row_note, figure, readable_id,
                           CASE WHEN given_code = 'bad' THEN 'bad'
                                WHEN nth > 1 THEN 'duplicate'
                                WHEN student_id IS NULL THEN 'no_graduate'
                                WHEN form_id IS NULL THEN 'not_in_session'
                                WHEN readable_id IS NULL THEN 'not_yours'
                                ELSE given_code END
                      FROM numbered
                ),
                told AS (
                    SELECT named.*, status.id AS status_id, class.name AS class_name, student.student_number,
                           COALESCE(named.code, CASE WHEN status.id IS NULL OR status.state = 'not_required'
                                                     THEN 'not_required' END) AS answer,
                           upper(COALESCE(named.number, student.student_number)) = ANY(%(excluded)s) AS listed,
                           EXISTS (SELECT 1 FROM old WHERE old.form_id = named.form_id
                                                       AND old.excluded AND NOT old.excluded_by_list) AS ticked
                      FROM named
                      LEFT JOIN clearance_form form ON form.id = named.form_id
                      LEFT JOIN clearance_student student ON student.id = form.student_id
                      LEFT JOIN clearance_class class ON class.id = form.class_id
                      LEFT JOIN clearance_status status
                        ON status.form_id = named.form_id AND status.step_id = %(step)s
                )
                INSERT INTO clearance_batch_line (
                    batch_id, line_number, given, form_id, status_id, code, message,
                    row_decision, row_reason, row_note, figure, excluded, excluded_by_list, ran
                )
                SELECT %(batch)s, line, number, form_id, status_id, answer,
                       CASE answer %(messages)s ELSE CASE WHEN answer IS NOT NULL THEN row_note END END,
                       row_decision, row_reason, row_note, figure,
                       listed OR (ticked AND answer IS DISTINCT FROM 'duplicate'), listed, FALSE
                  FROM told
                 ORDER BY position NULLS FIRST, class_name, student_number
                """,
                batch=self.id,
                numbers=[row.number for row in rows],
                lines=[row.line for row in rows],
                decisions=[row.decision for row in rows],
                reasons=[row.reason for row in rows],
                notes=[row.note for row in rows],
                figures=[row.figure and json.dumps(row.figure) for row in rows],
                codes=[row.code for row in rows],
                readable=Form._search(session).select(SQL("clearance_form.id")),
                chosen=chosen,
                company=self.company_id.id,
                session=self.session_id.id,
                step=self.step_id.id,
                excluded=[number.upper() for number in excluded],
                messages=SQL(" ").join(
                    SQL("WHEN %s THEN %s", code, message) for code, message in self._get_row_messages().items()
                ),
            )
        )
        self._invalidate_rows()

    def _get_row_messages(self):
        """Why rows never come to the gate: expressions by code."""
        twice = self.env._(
            "Given twice, in lines %(first)s and %(second)s: the first one counts.", first="#1#", second="#2#"
        )
        return {
            "duplicate": SQL("replace(replace(%s, '#1#', first_line::text), '#2#', line::text)", twice),
            "no_graduate": SQL(
                """CASE WHEN number ~* '^[0-9]([.,][0-9]+)?e[+]?[0-9]+$' THEN %s ELSE %s END""",
                self.env._("A spreadsheet has shortened this number: format its column as text."),
                self.env._("No graduate has this student number."),
            ),
            "not_in_session": SQL("%s", self.env._("Not in this session.")),
            "not_yours": SQL("%s", self.env._("Not one of your graduates.")),
            "not_required": SQL("%s", self.env._("Does not need this step.")),
        }

    # -- what would happen ------------------------------------------------------------

    def _forecast(self):
        """Ask the gate what it would answer, row by row and in chunks."""
        last_id = 0
        while True:
            self.env.cr.execute(
                SQL(
                    """SELECT id, status_id, %s, %s FROM clearance_batch_line
                        WHERE batch_id = %s AND code IS NULL AND id > %s
                        ORDER BY id LIMIT %s""",
                    *self._asked_sql(),
                    self.id,
                    last_id,
                    CHUNK,
                )
            )
            rows = self.env.cr.fetchall()
            if rows:
                outcomes = self._decide_rows([AskedRow(*row[1:]) for row in rows], dry_run=True)
                self._tell_rows([row[0] for row in rows], outcomes, ran=False)
                last_id = rows[-1][0]
            if len(rows) < CHUNK:
                break
        self.env.cr.execute(
            SQL(
                """UPDATE clearance_batch_line
                      SET outcome = %s,
                          position = CASE WHEN code = 'done' THEN 1
                                          WHEN code IN ('already', 'settled') THEN 3
                                          WHEN code = 'not_required' THEN 4
                                          ELSE 2 END
                    WHERE batch_id = %s AND outcome IS NULL""",
                self.env["clearance.batch.line"]._outcome_sql(),
                self.id,
            )
        )
        self._invalidate_rows()

    def _asked_sql(self):
        """What a row asks of the gate: expressions for its decision and its reason."""
        return (
            SQL("COALESCE(row_decision, %s)", self.decision),
            SQL("COALESCE(row_reason, %s)", (self.reason or "").strip() or None),
        )

    def _decide_rows(self, rows, dry_run=False):
        """Put rows through the gate, or through the deferrals; as the present user.

        The gate is asked once for each decision that occurs, whatever the number of reasons.

        :param list rows: of :class:`AskedRow`
        :return: list of ``Outcome``, one a row and in order
        """
        status_ids = [row.status_id for row in rows]
        if self.decision == "lift":
            return self.env["clearance.override"]._lift(
                status_ids, self.reason, self.date_end, batch=self, dry_run=dry_run, door="batch"
            )
        strict = self._get_strict_rows(status_ids)
        groups = {}
        for row in rows:
            if row.status_id not in strict:
                groups.setdefault(row.decision, {})[row.status_id] = row.reason
        by_id = {}
        for decision, reasons in groups.items():
            statuses = self.env["clearance.status"].browse(reasons)
            texts = set(reasons.values())
            why = {"reason": texts.pop()} if len(texts) == 1 else {"reasons": reasons}
            outcomes = statuses._decide(decision, "batch", batch=self, dry_run=dry_run, **why)
            by_id.update((outcome.status_id, outcome) for outcome in outcomes)
        return [by_id.get(id_) or Outcome(id_, "many") for id_ in status_ids]

    def _raise_if_too_strict(self):
        """Say at once when none of the rows can be decided in this way.

        Raw SQL for the rows just written.
        """
        if not self.env["clearance.station"]._get_strict_ids():
            return
        self.env.cr.execute(
            SQL(
                """SELECT array_agg(DISTINCT message) FROM clearance_batch_line
                    WHERE batch_id = %s AND status_id IS NOT NULL AND code IS DISTINCT FROM 'not_required'
                   HAVING bool_and(code = 'many')""",
                self.id,
            )
        )
        if row := self.env.cr.fetchone():
            raise UserError("\n".join(sorted(filter(None, row[0]))))

    # -- by what -----------------------------------------------------------------

    def _get_scopes(self):
        """How this batch names its graduates, as stations know it (``clearance.station._BULK_SCOPES``)."""
        given = {
            "class": self.class_ids,
            "room": self.room_ids,
            "college": self.college_ids,
            "list": (self.numbers or "").strip() or self.numbers_filename or self._get_domain_text(),
        }
        return [scope for scope, value in given.items() if value]

    def _get_strict_rows(self, status_ids):
        """Those of these statuses whose station takes no batches like this one, at most one query.

        The desk that a graduate is routed to counts, not the station above it that the step names: it is
        the desk that has the graduates before it, and each desk below may work in another way.

        :return: dict ``{status id: station}``
        """
        Station = self.env["clearance.station"]
        if not Station._get_strict_ids():
            return {}
        scopes = self._get_scopes()
        # sudo: where the statuses are; the gate looks at who decides.
        statuses = self.env["clearance.status"].sudo().browse(status_ids)
        statuses.fetch(["station_id"])
        # sudo: how a desk works, for everybody alike.
        refusing = {station for station in statuses.station_id if station._explain_scopes(scopes)}
        return {status.id: status.station_id for status in statuses if status.station_id in refusing}

    def _tell_rows(self, line_ids, outcomes, ran):
        """Write down what the gate has answered.

        :param list line_ids: ids of rows
        :param list outcomes: of ``Outcome``, in the same order
        :param bool ran: it has been done, not only asked for
        """
        self.env.cr.execute(
            SQL(
                """
                WITH told AS (
                    SELECT * FROM unnest(%(ids)s::int[], %(codes)s::text[], %(messages)s::text[], %(logs)s::int[])
                                  AS told(id, code, message, log_id)
                )
                UPDATE clearance_batch_line line
                   SET code = told.code, message = NULLIF(told.message, ''), log_id = told.log_id, ran = %(ran)s
                  FROM told
                 WHERE line.id = told.id
                """,
                ids=line_ids,
                codes=[outcome.code for outcome in outcomes],
                messages=self._describe(outcomes),
                logs=[outcome.line for outcome in outcomes],
                ran=ran,
            )
        )

    def _describe(self, outcomes):
        """Why rows are refused, one line each: prerequisites by name (Hunan UST's ``station: step``)."""
        Status = self.env["clearance.status"]
        names = Status._get_step_names(pair for outcome in outcomes for pair in outcome.missing)
        many = self._get_strict_rows([outcome.status_id for outcome in outcomes if outcome.code == "many"])
        scopes = self._get_scopes()
        return [
            self.env._("Not settled yet: %s", join_names(self.env, (names[pair] for pair in outcome.missing)))
            if outcome.missing
            else many[outcome.status_id]._explain_scopes(scopes)
            if outcome.status_id in many
            else ("" if outcome.code == "already" else message)
            for outcome, message in Status._explain(outcomes)
        ]

    # -- counting ----------------------------------------------------------------------

    def _count(self):
        """Remember how many rows came to which outcome."""
        self.env.cr.execute(
            SQL(
                """SELECT outcome, count(*), count(*) FILTER (WHERE ran)
                     FROM clearance_batch_line WHERE batch_id = %s GROUP BY outcome""",
                self.id,
            )
        )
        rows = self.env.cr.fetchall()
        counts = {outcome: count for outcome, count, _ran in rows}
        self._record(
            row_count=sum(counts.values()),
            ran_count=sum(ran for _outcome, _count, ran in rows),
            **{
                f"{outcome}_count": counts.get(outcome, 0)
                for outcome in dict(self.env["clearance.batch.line"]._fields["outcome"].selection)
            },
        )

    def _invalidate_rows(self):
        """Forget what is cached of rows: they are written by statements."""
        self.env["clearance.batch.line"].invalidate_model(flush=False)
        self.invalidate_recordset(["line_ids"], flush=False)
