"""What a batch would do: its rows, chosen and told in sets before anything happens."""

import base64

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..number_list import parse_file, parse_text
from .clearance_status_gate import Outcome

#: rows that go to the gate in one statement
CHUNK = 2000
#: unknown numbers named in a warning
_NUMBERS_SHOWN = 10


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
        if not self.step_id:
            raise UserError(self.env._("Choose the step first."))
        if self.reason_required and not (self.reason or "").strip():
            raise UserError(self.env._("Give the reason first: the graduates read it, and it is kept in the log."))
        given = self._get_numbers()
        excluded = parse_text(self.env, self.excluded_numbers)
        domain = self._get_groups_domain()
        if not given and domain is None:
            raise UserError(self.env._("Say whom: classes, rooms, colleges, a search or student numbers."))
        self.env.flush_all()
        self._insert_rows(given, domain, {number for _line, number in excluded})
        self._forecast()
        self._raise_if_too_strict()
        self._count()
        self._record(
            state="previewed",
            previewed_at=fields.Datetime.now(),
            warning=self._get_warning(excluded),
        )

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

    def _get_warning(self, excluded):
        """What is odd about the criteria: numbers to leave out that are not there."""
        warnings = []
        numbers = sorted({number for _line, number in excluded})
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
                shown = ", ".join(strangers[:_NUMBERS_SHOWN]) + (" …" if len(strangers) > _NUMBERS_SHOWN else "")
                warnings.append(
                    self.env._(
                        "%(count)s of the numbers to leave out are not among these rows: %(numbers)s",
                        count=len(strangers),
                        numbers=shown,
                    )
                )
        if not self.row_count:
            warnings.append(self.env._("Nobody fits. You see only the graduates who come to your desks."))
        return "\n".join(warnings) or False

    def _insert_rows(self, given, domain, excluded):
        """Choose the rows: graduates of the groups, then the numbers in their order.

        Raw SQL because ten thousand rows are chosen, compared with a list and written in
        one statement instead of being read and created one by one.

        :param list given: of :class:`~..number_list.Given`
        :param domain: on forms, or ``None``
        :param set excluded: numbers to leave out
        """
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
                    SELECT number, line, position,
                           row_number() OVER same AS nth, first_value(line) OVER same AS first_line
                      FROM unnest(%(numbers)s::text[], %(lines)s::int[])
                           WITH ORDINALITY AS given(number, line, position)
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
                           chosen.id AS form_id, NULL AS code
                      FROM chosen
                     WHERE NOT EXISTS (SELECT 1 FROM numbered WHERE numbered.readable_id = chosen.id)
                     UNION ALL
                    SELECT position, line, number, first_line, readable_id,
                           CASE WHEN nth > 1 THEN 'duplicate'
                                WHEN student_id IS NULL THEN 'no_graduate'
                                WHEN form_id IS NULL THEN 'not_in_session'
                                WHEN readable_id IS NULL THEN 'not_yours' END
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
                    excluded, excluded_by_list, ran
                )
                SELECT %(batch)s, line, number, form_id, status_id, answer,
                       CASE answer %(messages)s END,
                       listed OR (ticked AND answer IS DISTINCT FROM 'duplicate'), listed, FALSE
                  FROM told
                 ORDER BY position NULLS FIRST, class_name, student_number
                """,
                batch=self.id,
                numbers=[number for _line, number in given],
                lines=[line for line, _number in given],
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
                    """SELECT id, status_id FROM clearance_batch_line
                        WHERE batch_id = %s AND code IS NULL AND id > %s
                        ORDER BY id LIMIT %s""",
                    self.id,
                    last_id,
                    CHUNK,
                )
            )
            rows = self.env.cr.fetchall()
            if rows:
                outcomes = self._decide_rows([row[1] for row in rows], dry_run=True)
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

    def _decide_rows(self, status_ids, dry_run=False):
        """Put statuses through the gate, or through the deferrals; as the present user.

        :return: list of ``Outcome``, one a status and in order
        """
        if self.decision == "lift":
            return self.env["clearance.override"]._lift(
                status_ids, self.reason, self.date_end, batch=self, dry_run=dry_run, door="batch"
            )
        strict = self._get_strict_rows(status_ids)
        statuses = self.env["clearance.status"].browse(id_ for id_ in status_ids if id_ not in strict)
        outcomes = statuses._decide(self.decision, "batch", self.reason, batch=self, dry_run=dry_run)
        by_id = {outcome.status_id: outcome for outcome in outcomes}
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
            self.env._("Not settled yet: %s", "; ".join(names[pair] for pair in outcome.missing))
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
