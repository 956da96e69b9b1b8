"""Hearing: the one way in for what source systems say, whoever carries it."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_list

from ..feed_rows import MOST_ROWS, FeedReader, FeedRow, Problem, RefusedError, read_moment, show
from ..number_list import clean_number

#: statuses that one statement of the gate decides on
_CHUNK = 20_000
#: of a row that speaks of two sessions at once, the outcome counts that asks most for a look; those
#: that are not here ask most of all
_WEIGHTS = {"already": 0, "done": 1, "stale": 2, "old": 3, "kept": 4}


class Target(NamedTuple):
    """A status that the system may speak of."""

    id: int
    number: str
    step_id: int
    session_id: int
    state: str
    needs_review: bool


class Became(NamedTuple):
    """What became of a row: a code of ``clearance.feed.run.line``, and words for people."""

    code: str
    message: str = ""


@dataclass
class Report:
    """What is being taken in."""

    rows: list
    moment: datetime  # of rows that name none
    steps: object  # clearance.step: those that it may speak of
    read: list = field(default_factory=list)  # FeedRow, those that can be read
    problems: dict = field(default_factory=dict)  # {row: [Problem]} of the others
    targets: dict = field(default_factory=dict)  # {student number: [Target]} of graduates that are known
    told: dict = field(default_factory=dict)  # {status id: FeedRow}, the latest word on each
    unnamed: dict = field(default_factory=dict)  # the same for whom a whole report has not named
    outcomes: dict = field(default_factory=dict)  # {status id: Became}
    doubt: str = ""  # why it is not taken as a whole

    @property
    def heard_at(self):
        """The latest moment that it is from; a report without rows says that the system is there."""
        moments = [row.as_of for row in self.read]
        if self.unnamed or not self.rows:
            moments.append(self.moment)
        return max(moments, default=None)


class ClearanceFeed(models.Model):
    _inherit = "clearance.feed"

    def _take_in(self, rows, kind, key=None, as_of=None, complete=False, verbose=False):
        """Take in a report of this source system: the one entry for what is sent and what is fetched.

        Whoever owes nothing is settled, whoever owes something again is reopened; the gate keeps
        what a person has decided otherwise.  Good rows count whatever becomes of the others.  A row
        from before what is known changes nothing; one that is older than the system promises is
        shown, and settles nothing.  The number of statements does not grow with the number of rows
        (but for one more each 20,000).

        Two reports of a system at once wait for each other; the second then fails to serialise, and
        has to be tried again, as Odoo does with requests.

        :param list rows: dicts with ``student_number`` and ``quantity`` or ``amount`` (numbers, 0 where
            nothing is owed); ``as_of`` (UTC ``datetime``, or ISO 8601 with a zone; the report's where
            missing): when the system knew this, not when it came about; ``note``: its own words;
            ``step`` (code): only needed where the system settles several steps of a session
        :param str kind: ``push`` or ``pull``
        :param str key: what the report is called, kept with the run
        :param as_of: the moment of rows that name none; now where missing
        :param bool complete: the report names everybody who owes: whoever it does not name owes
            nothing.  Not believed where it names nobody that is known, or where a row that cannot
            be read may have named anybody.
        :param bool verbose: answer rows that went as they said too
        :return: dict ``run`` (id), ``received``, ``counts`` (``{outcome: number of rows}``),
            ``unnamed`` (the same for graduates not named; empty where not ``complete``),
            ``complete`` (whether it was taken as a whole), ``message`` (why not, else empty) and
            ``rows``: dicts ``row`` (from 1; 0 for somebody not named), ``student_number``,
            ``outcome``, ``message`` and, where it cannot be read, ``problems`` (dicts ``field``,
            ``value``, ``text``)
        :raise UserError: when the report as a whole cannot be taken: no list, too long, a moment
            that is none
        """
        self.ensure_one()
        # sudo: the source system speaks for itself; who may let it in is asked at its door.
        feed = self.sudo()
        now, begun = fields.Datetime.now(), time.monotonic()
        feed._check_report(rows)
        moment = feed._read_report_moment(as_of, now)
        feed._wait_for_turn()
        report = Report(rows, moment, feed._get_open_steps())
        feed._read_rows(report, now)
        report.targets = feed._find_targets(report.steps, {row.number for row in report.read})
        feed._aim_rows(report)
        if complete:
            feed._take_as_whole(report)
        feed._settle_report(report)
        feed._note_heard(report.heard_at)
        answer = feed._prepare_answer(report, verbose)
        run = feed.env["clearance.feed.run"]._record(
            {
                "feed_id": feed.id,
                "kind": kind,
                "key": key,
                "user_id": self.env.uid,
                "started_at": now,
                "ended_at": fields.Datetime.now(),
                "duration": time.monotonic() - begun,
                "as_of": report.heard_at,
                "complete": bool(complete and not report.doubt),
                "received": len(rows),
                "error": report.doubt,
            },
            Counter(answer["counts"]) + Counter(answer["unnamed"]),
            [row for row in answer["rows"] if row["outcome"] not in ("done", "already")],
        )
        whole = {"complete": run.complete, "message": report.doubt}
        return {"run": run.id, "received": len(rows), **whole, **answer}

    def _hear(self, step, rows, as_of):
        """Take down what the system says of one of its steps; see :meth:`_take_in`.

        For callers that know what they say: rows are not checked, and no run is kept.

        :param step: the ``clearance.step`` that it speaks of
        :param list rows: dicts ``student_number``, and ``quantity``, ``amount``, ``note`` where known
        :param datetime as_of: the moment (UTC) the figures are from
        :return: dict ``{student number: code}`` of :meth:`_take_in`; ``unknown`` also for those
            without the step
        """
        self.ensure_one()
        # sudo: the source system speaks for itself; who may let it in is asked at its door.
        feed = self.sudo()
        report = Report(rows, as_of, step)
        report.read = [
            FeedRow(index, row["student_number"], row.get("quantity"), row.get("amount"), row.get("note"), as_of)
            for index, row in enumerate(rows, 1)
        ]
        report.targets = feed._find_targets(step, {row.number for row in report.read})
        feed._aim_rows(report)
        feed._settle_report(report)
        feed._note_heard(as_of)
        codes = {row.number: "unknown" for row in report.read}
        return codes | {report.told[key].number: became.code for key, became in report.outcomes.items()}

    def _record_failure(self, kind, error, key=None):
        """Keep a run of which nothing came: what was fetched could not be read, or not fetched at all.

        :param str error: words for people, without secrets
        :return: the run
        """
        self.ensure_one()
        # sudo: written for whoever may read runs; nothing is read.
        Run = self.env["clearance.feed.run"].sudo()
        values = {"feed_id": self.id, "kind": kind, "key": key, "user_id": self.env.uid}
        return Run._record(
            {**values, "ended_at": fields.Datetime.now(), "state": "failed", "error": error}, Counter(), []
        )

    # -- reading -------------------------------------------------------------------

    def _check_report(self, rows):
        if not isinstance(rows, list | tuple):
            raise UserError(self.env._("A report is a list of rows, not “%s”.", show(type(rows).__name__)))
        if len(rows) > MOST_ROWS:
            raise UserError(
                self.env._(
                    "This report has %(count)s rows; at most %(most)s are taken at once. Send it in parts.",
                    count=f"{len(rows):,}",
                    most=f"{MOST_ROWS:,}",
                )
            )

    def _read_report_moment(self, as_of, now):
        if as_of is None or as_of is False:
            return now
        try:
            return read_moment(as_of, now)
        except RefusedError as problem:
            text = FeedReader(self.env, now, now).words[problem.args[0]]
            raise UserError(self.env._("as_of “%(value)s”: %(problem)s", value=show(as_of), problem=text)) from None

    def _wait_for_turn(self):
        """Let reports of one system come one after the other.

        Whoever comes second finds out before it has done all the work.  Raw SQL, because
        ``lock_for_update`` gives up where this waits.
        """
        self.env.flush_all()
        self.env.cr.execute(SQL("SELECT 1 FROM clearance_feed WHERE id = %s FOR NO KEY UPDATE", self.id))

    def _read_rows(self, report, now):
        """Check all rows."""
        reader = FeedReader(self.env, now, report.moment, self.currency_id.decimal_places)
        codes = set(report.steps.filtered("code").mapped("code"))
        for index, row in enumerate(report.rows, 1):
            read, problems = reader.read_row(index, row)
            if read and read.step and read.step not in codes:
                problems.append(Problem("step", show(read.step), reader.words["step"]))
            if problems:
                report.problems[index] = problems
            else:
                report.read.append(read)

    # -- whom it speaks of ---------------------------------------------------------

    def _get_open_steps(self):
        """The steps that this system settles now: those of open sessions."""
        return self.env["clearance.step"].search([("feed_id", "=", self.id), ("session_id.state", "=", "open")])

    def _find_targets(self, steps, numbers):
        """The statuses of these graduates that the system may speak of.

        Raw SQL, because one statement finds who is known and what they have.

        :return: dict ``{student number: [Target]}``; an empty list for a graduate without any of the
            ``steps``, nothing for a number that nobody has
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT student.student_number, status.id, status.step_id, status.session_id,
                       status.state, status.needs_review
                  FROM clearance_student student
                  LEFT JOIN (clearance_form form
                             JOIN clearance_status status
                               ON status.form_id = form.id AND status.step_id = ANY(%(steps)s)
                              AND status.active IS TRUE AND status.state <> 'not_required')
                    ON form.student_id = student.id
                 WHERE student.company_id = %(company)s AND student.student_number = ANY(%(numbers)s)
                """,
                steps=steps.ids,
                company=self.company_id.id,
                numbers=list(numbers),
            )
        )
        found = {}
        for number, status_id, *rest in self.env.cr.fetchall():
            targets = found.setdefault(number, [])
            if status_id:
                targets.append(Target(status_id, number, *rest))
        return found

    def _aim_rows(self, report):
        """Find the statuses that each row speaks of; of several rows on one, the latest word counts."""
        codes = {step.id: step.code for step in report.steps}
        for row in report.read:
            targets = [
                target for target in report.targets.get(row.number, ()) if row.step in (None, codes[target.step_id])
            ]
            if len(targets) > 1 and len({target.session_id for target in targets}) < len(targets):
                report.problems[row.row] = [Problem("step", "", self._ask_which_step(report, targets))]
                continue
            for target in targets:
                before = report.told.get(target.id)
                if not before or before.as_of <= row.as_of:
                    report.told[target.id] = row

    def _ask_which_step(self, report, targets):
        steps = report.steps.filtered(lambda step: step.id in {target.step_id for target in targets})
        return self.env._(
            "This source system settles several steps of this graduate: name the code of one (%s).",
            format_list(self.env, [step.code or step.name for step in steps], style="or"),
        )

    def _take_as_whole(self, report):
        """Take whoever is not named as owing nothing, unless the report looks as if it had gone wrong.

        An export that broke off would settle everybody; so would one whose numbers have lost
        their zeros.  Somebody named in a row that cannot be read is left alone.
        """
        nameless = [row for row, problems in report.problems.items() if problems[0].field in ("", "student_number")]
        if nameless:
            report.doubt = self.env._(
                "Row %s does not say whom it is about: nobody who is not named was taken as owing nothing.",
                nameless[0],
            )
        elif not report.targets:
            report.doubt = self.env._(
                "It names no graduate that is known here: nobody who is not named was taken as owing nothing."
            )
        else:
            report.unnamed = self._find_unnamed(report)

    def _find_unnamed(self, report):
        """Rows that owe nothing, for the statuses that the report does not name: dict ``{status id: FeedRow}``."""
        unreadable = {clean_number(report.rows[row - 1]["student_number"]) for row in report.problems}
        self.env.cr.execute(
            SQL(
                """
                SELECT student.student_number, status.id, status.step_id, status.session_id,
                       status.state, status.needs_review
                  FROM clearance_status status
                  JOIN clearance_form form ON form.id = status.form_id
                  JOIN clearance_student student ON student.id = form.student_id
                 WHERE status.step_id = ANY(%s) AND status.active IS TRUE AND status.state <> 'not_required'
                """,
                report.steps.ids,
            )
        )
        unnamed = {}
        for number, status_id, *rest in self.env.cr.fetchall():
            if status_id not in report.told and number not in unreadable:
                unnamed[status_id] = FeedRow(0, number, 0.0, 0.0, None, report.moment)
                report.targets.setdefault(number, []).append(Target(status_id, number, *rest))
        return unnamed

    # -- what follows --------------------------------------------------------------

    def _settle_report(self, report):
        """Write the figures, settle who owes nothing and reopen who owes something; fill ``report.outcomes``."""
        told = report.told | report.unnamed
        fresh = self.env["clearance.figure"]._record(told)
        limit = fields.Datetime.now() - timedelta(hours=self.silent_after)
        outcomes = report.outcomes
        # Reasons are read at the campus, whatever language the system's vendor has chosen.
        campus = self.with_context(lang=self.company_id.partner_id.lang or self.env.lang)
        approve, reopen = [], {}
        for targets in report.targets.values():
            for target in targets:
                row = told.get(target.id)
                if row is None or target.id in outcomes:
                    continue
                outcomes[target.id] = Became("already")
                if target.id not in fresh:
                    outcomes[target.id] = Became("old")
                elif row.as_of < limit:
                    outcomes[target.id] = Became("stale")
                elif not row.owes and (target.state != "approved" or target.needs_review):
                    approve.append(target.id)
                elif row.owes and target.state == "approved":
                    reopen[target.id] = row.note or campus._describe(row.quantity, row.amount)
        outcomes.update(self._decide_in_chunks("approve", sorted(approve)))
        outcomes.update(self._decide_in_chunks("reopen", sorted(reopen), reopen))

    def _decide_in_chunks(self, decision, status_ids, reasons=None):
        """Ask the gate: dict ``{status id: Became}``."""
        Status = self.env["clearance.status"]
        became = {}
        for start in range(0, len(status_ids), _CHUNK):
            chunk = status_ids[start : start + _CHUNK]
            own = {status_id: reasons[status_id] for status_id in chunk} if reasons else None
            outcomes = Status.browse(chunk)._decide(decision, "feed", reasons=own)
            became.update(
                (outcome.status_id, Became(outcome.code, message or ""))
                for outcome, message in Status._explain(outcomes)
            )
        return became

    # -- answering -----------------------------------------------------------------

    def _prepare_answer(self, report, verbose):
        """What became of a report: ``counts``, ``unnamed`` and ``rows`` of :meth:`_take_in`."""
        by_row = self._judge_rows(report)
        words = self._get_outcome_words()
        quiet = () if verbose else ("done", "already")
        rows = [
            self._prepare_answer_row(report, index, became, words)
            for index, became in sorted(by_row.items())
            if became.code not in quiet
        ]
        unnamed = [(report.unnamed[key], report.outcomes[key]) for key in sorted(report.unnamed)]
        rows += [
            {
                "row": 0,
                "student_number": row.number,
                "outcome": became.code,
                "message": became.message or words.get(became.code, ""),
            }
            for row, became in unnamed
            if became.code not in quiet
        ]
        return {
            "counts": dict(Counter(became.code for became in by_row.values())),
            "unnamed": dict(Counter(became.code for _row, became in unnamed)),
            "rows": rows,
        }

    def _judge_rows(self, report):
        """What became of each row: dict ``{row: Became}``."""
        became = dict.fromkeys(report.problems, Became("bad"))
        for key, row in report.told.items():
            outcome = report.outcomes[key]
            before = became.get(row.row)
            if not before or _weigh(outcome) > _weigh(before):
                became[row.row] = outcome
        for row in report.read:
            if row.row not in became:
                targets = report.targets.get(row.number)
                became[row.row] = Became(
                    "unknown" if targets is None else "duplicate" if self._is_named(report, row) else "no_step"
                )
        return became

    def _is_named(self, report, row):
        """Whether another row has said the last word on what this one speaks of."""
        codes = {step.id: step.code for step in report.steps} if row.step else {}
        return any(
            target.id in report.told
            for target in report.targets[row.number]
            if not row.step or codes[target.step_id] == row.step
        )

    def _prepare_answer_row(self, report, index, became, words):
        row = report.rows[index - 1]
        answer = {
            "row": index,
            "student_number": show(row.get("student_number")) if isinstance(row, dict) else "",
            "outcome": became.code,
            "message": became.message or words.get(became.code, ""),
        }
        if problems := report.problems.get(index):
            answer["problems"] = [problem._asdict() for problem in problems]
            answer["message"] = "\n".join(
                words["problem"] % {"row": index, **problem._asdict()}
                if problem.value
                else words["problem_without_value"] % {"row": index, **problem._asdict()}
                for problem in problems
            )
        return answer

    def _get_outcome_words(self):
        """Words for outcomes that the gate has none for, in the user's language."""
        return {
            "done": "",
            "already": self.env._("Already so."),
            "old": self.env._("Something newer is known of this graduate."),
            "stale": self.env._(
                "This is older than the source system promises (%s hours): it is shown, and settles nothing.",
                self.silent_after,
            ),
            "duplicate": self.env._("Another row of the same report says something newer of this graduate."),
            "unknown": self.env._("No graduate of this campus has this student number."),
            "no_step": self.env._("This graduate has no step in an open session that this source system settles."),
            "problem": self.env._("Row %(row)s, %(field)s “%(value)s”: %(text)s"),
            "problem_without_value": self.env._("Row %(row)s, %(field)s: %(text)s"),
        }


def _weigh(became):
    return _WEIGHTS.get(became.code, len(_WEIGHTS))
