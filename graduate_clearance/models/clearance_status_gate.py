"""The one gate: nothing else changes the state of a status."""

from collections import Counter
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..texts import join_parts
from .clearance_log import LOGGED_COLUMNS
from .clearance_status import DOORS


class Move(NamedTuple):
    """What a decision does: from which states, to which, and on what terms."""

    sources: tuple
    #: "initial" stands for pending or, on an optional step, optional; "same" for what is, "before" for what was
    target: str
    reason_required: bool = False
    waits: bool = False  # for the prerequisites and for the step's own window
    graduate: bool = False  # a graduate may take it on the own form


#: The table of allowed moves.  A decision that finds its target already reached
#: answers "already"; from any other state that is not a source it is refused.
MOVES = {
    "approve": Move(("pending", "submitted", "rejected", "optional"), "approved", waits=True),
    "reject": Move(("pending", "submitted", "approved", "optional"), "rejected", True),
    "reopen": Move(("approved", "rejected", "not_required", "optional", "submitted"), "initial", True),
    "submit": Move(("pending", "rejected", "optional"), "submitted", graduate=True),
    "withdraw": Move(("submitted",), "initial", graduate=True),
    "set_optional": Move(("pending", "submitted", "rejected", "not_required"), "optional", True),
    "set_not_required": Move(("pending", "submitted", "rejected", "optional", "approved"), "not_required", True),
    # An office says what is owed on a step that is open anyway: who, when and why change, the state does not.
    "owe": Move(("pending", "submitted", "rejected", "optional"), "same", True),
}

#: takes a decision back; not one that a caller may name, see ``_undo``
UNDO = Move((), "before", waits=True)

#: doors of machines: what comes through them is no person's decision
MACHINE_DOORS = ("feed", "roster")

#: doors behind which nobody has to ask how many graduates a station takes at once: machines; batches, which
#: know how their graduates were chosen (``clearance.batch._decide_rows``); and graduates, who come alone
_UNCOUNTED_DOORS = (*MACHINE_DOORS, "batch", "portal")


class Outcome(NamedTuple):
    """What became of one row.

    ``code`` is one of ``done``, ``already`` (nothing to do), ``missing`` (prerequisites: see
    ``missing``, pairs of station id and step id), ``not_yours``, ``not_sent`` (the graduate
    has not sent what the step asks for), ``session_closed``, ``withdrawn``, ``too_early``,
    ``too_late``, ``not_allowed`` (no such move from this state), ``reason_required``,
    ``many`` (the station does not take so many graduates at once, see ``clearance.station``),
    ``kept`` (a person decided; the source system's word does not overwrite it), ``changed``
    (decided on since, so not undone), ``settled`` (nothing to lift), ``resent`` (something
    else has been sent since it was shown, see ``_decide_seen``) or ``unknown`` (no such
    status).  ``line`` is the id of the log line written.
    """

    status_id: int
    code: str
    missing: tuple = ()
    line: int | None = None


class _Call(NamedTuple):
    """What is asked of the gate."""

    decision: str
    move: Move
    door: str
    reason: str | None = None
    batch: object = None
    lines: tuple = ()  # the log lines to undo
    reasons: dict = {}  # of single statuses, by id; for the others ``reason``


class _Row(NamedTuple):
    """What the gate's statement answers for a status."""

    id: int
    form_id: int
    step_id: int
    station_id: int
    session_id: int
    code: str
    missing: list | None
    line: int | None


def _check_door(door):
    if door not in dict(DOORS):
        raise ValueError(f"unknown door {door!r}")
    return door


def _clean(reason):
    return (reason or "").strip() or None


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    # -- doors -----------------------------------------------------------------

    def decide(self, decision, reason=None):
        """Take a decision on these statuses by RPC.

        Callable by everybody; the gate refuses row by row what the caller may not do:
        operators act at their own stations, counsellors and supervisors on the steps
        given to them, graduates on their own form, managers in their campus.

        :param str decision: ``approve``, ``reject``, ``reopen``, ``submit``, ``withdraw``,
            ``set_optional``, ``set_not_required`` or ``owe`` (keeps the state, says what is owed)
        :param str reason: why; required to reject, reopen, set optional or not required, to
            say what is owed, and to decide on a step that a source system settles
        :return: list of dicts ``id``, ``outcome`` (a code of :class:`Outcome`) and
            ``message`` (for people, in their language; empty when done), one a row and
            in the order of the records
        :raise UserError: unknown decision
        """
        return [
            {
                "id": outcome.status_id,
                "outcome": outcome.code,
                "message": message,
            }
            for outcome, message in self._explain(self._decide(decision, "api", reason))
        ]

    def action_approve(self):
        """Confirm from a list, a kanban card or a form."""
        return self._decide_from_screen("approve")

    def action_reject(self):
        """Ask for the reason, then reject."""
        return self._ask_decision("reject")

    def action_reopen(self):
        """Ask for the reason, then reopen."""
        return self._ask_decision("reopen")

    def action_decide(self):
        """Ask what to do with the selected statuses, and why."""
        return self._ask_decision("approve")

    def _ask_decision(self, decision):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Decide"),
            "res_model": "clearance.status.decide",
            "view_mode": "form",
            "target": "new",
            "context": {"default_decision": decision, "default_status_ids": self.ids},
        }

    def _decide_from_screen(self, decision, reason=None):
        """Decide, and say what happened."""
        door = self.env.context.get("clearance_door")
        if door not in ("form", "kanban"):
            door = "list"
        return self._answer_on_screen(self._explain(self._decide(decision, door, reason)))

    def _answer_on_screen(self, explained):
        """Say what became of these statuses: an error when nothing was done, else a notice."""
        refused = [(outcome, text) for outcome, text in explained if outcome.code not in ("done", "already")]
        if refused and len(refused) == len(explained):
            raise UserError(self._summarise(refused))
        counts = Counter(outcome.code for outcome, _text in explained)
        parts = [self.env._("%s done", counts["done"])]
        if counts["already"]:
            parts.append(self.env._("%s already so", counts["already"]))
        message = join_parts(self.env, parts)
        if refused:
            message = self.env._(
                "%(others)s, %(refused)s refused:\n%(why)s",
                others=message,
                refused=len(refused),
                why=self._summarise(refused),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if refused else "success",
                "sticky": bool(refused),
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _summarise(self, refused, limit=10):
        """One text for many refusals: whom and why, the first ``limit`` of them."""
        if len(refused) == 1 and len(self) == 1:
            return refused[0][1]
        shown = self.browse(outcome.status_id for outcome, _text in refused[:limit])
        names = {status.id: status.form_id.display_name for status in shown._filtered_access("read")}
        lines = [f"{names.get(outcome.status_id, outcome.status_id)}: {text}" for outcome, text in refused[:limit]]
        if len(refused) > limit:
            lines.append(self.env._("… and %s more", len(refused) - limit))
        return "\n".join(lines)

    # -- the gate --------------------------------------------------------------

    def _decide(self, decision, door, reason=None, batch=None, dry_run=False, reasons=None):
        """Take a decision on these statuses: the one gate.

        One SQL statement, whatever the number of rows: it looks at every row under the
        caller's record rules (those for *writing* statuses say who may act), evaluates
        windows, moves and prerequisites, locks the prerequisites it relies on, writes
        the rows that pass and their log lines, and answers for each row.  A decision
        that opens a status needs one more, for what relied on it.

        Two people at once: an approval holds ``FOR SHARE`` the prerequisites
        it relies on, a reopening holds ``FOR UPDATE`` the dependants of
        what it reopens.  Whichever comes second fails to serialise, is retried by
        Odoo, and then sees the truth.

        :param str decision: a key of :data:`MOVES`
        :param str door: a key of :data:`DOORS`: through what the decision came
        :param str reason: why, kept on the status and in the log
        :param batch: the ``clearance.batch`` that the decision is part of
        :param bool dry_run: only tell what would happen; nothing is written
        :param dict reasons: why for single statuses, by id, where it is not ``reason``: a list
            of debts says of each graduate something else, and is one statement all the same
        :return: list of :class:`Outcome`, one a row, in the order of ``self``
        :raise UserError: unknown decision
        """
        move = MOVES.get(decision)
        if move is None:
            raise UserError(self.env._("There is no decision “%s”.", decision))
        own = {status_id: _clean(text) for status_id, text in (reasons or {}).items() if _clean(text)}
        call = _Call(decision, move, _check_door(door), _clean(reason), batch, reasons=own)
        found = self._pass_gate(call, dry_run)
        return [found.get(status_id) or Outcome(status_id, "unknown") for status_id in self.ids]

    def _pass_gate(self, call, dry_run=False):
        """Run the statement, again for rows that waited for others of the same call.

        Somebody who confirms two steps of a graduate at once means them in their order.
        The number of passes is bounded by the depth of the process, not by the rows.

        :param _Call call: what is asked for
        :return: dict ``{status id: Outcome}``
        """
        if not self.ids:
            return {}
        self.env.flush_all()
        # Compiling the statement takes longer than running it.
        self.env.cr.execute(SQL("SET LOCAL jit = off; %s", self._gate_sql(call, dry_run)))
        rows = [_Row(*row) for row in self.env.cr.fetchall()]
        found = {row.id: Outcome(row.id, row.code, tuple(map(tuple, row.missing or ())), row.line) for row in rows}
        done = [row for row in rows if row.code == "done"]
        if not done or dry_run:
            return found
        self.browse(row.id for row in done)._follow_up(call, done)
        settled = {(row.form_id, row.step_id) for row in done}
        waiting = self.browse(
            row.id
            for row in rows
            if row.code == "missing" and all((row.form_id, step_id) in settled for _station_id, step_id in row.missing)
        )
        return found | waiting._pass_gate(call)

    def _follow_up(self, call, rows):
        """What follows a decision: for what relied on these statuses, for forms and for screens."""
        self._invalidate_decided()
        if call.move.target not in ("approved", "same"):
            self._mark_dependants(call.door)
        if call.lines:
            self._unmark_dependants(call)
        # sudo: forms are settled for what the gate let through, whoever may read them.
        self.env["clearance.form"].sudo().browse({row.form_id for row in rows})._settle_after_commit()
        self.env["clearance.desk"]._tell_after_commit({(row.station_id, row.session_id) for row in rows})

    def _gate_sql(self, call, dry_run):
        """The statement of :meth:`_decide`; one :class:`_Row` a status.

        Raw SQL because the same through the ORM costs from 2.4 (a class) to 49 times
        (with tracking) as much, and because check, write and log must see one snapshot.
        """
        statement = SQL(
            """
            WITH %(undone)s %(said)s mine AS (%(mine)s),
            target AS (
                SELECT status.id, status.form_id, status.step_id, status.station_id, status.session_id, status.state,
                       %(reason)s AS reason, %(verdict)s AS code
                  FROM clearance_status status
                  JOIN clearance_step step ON step.id = status.step_id
                  JOIN clearance_session session ON session.id = status.session_id
                  %(undone_join)s
                  %(said_join)s
                 WHERE status.id = ANY(%(ids)s)
            ),
            missing AS (%(missing)s)
            """,
            undone=self._undone_sql(call) if call.lines else SQL(),
            undone_join=SQL("JOIN undone ON undone.status_id = status.id") if call.lines else SQL(),
            said=self._said_sql(call) if call.reasons else SQL(),
            said_join=SQL("LEFT JOIN said ON said.status_id = status.id") if call.reasons else SQL(),
            reason=self._reason_sql(call),
            mine=self._actionable_query().select(SQL("clearance_status.id")),
            verdict=self._verdict_sql(call),
            ids=self.ids,
            missing=self._gate_missing_sql(call),
        )
        line = SQL("NULL::int")
        logged = where = SQL()
        if not dry_run:
            statement = SQL("%s, %s", statement, self._gate_write_sql(call))
            line, logged = SQL("logged.id"), SQL("LEFT JOIN logged ON logged.status_id = target.id")
            where = SQL("WHERE (SELECT count(*) FROM held) >= 0")
        return SQL(
            """
            %s
            SELECT target.id, target.form_id, target.step_id, target.station_id, target.session_id,
                   CASE WHEN missing.id IS NULL THEN target.code ELSE 'missing' END, missing.pairs, %s
              FROM target
              LEFT JOIN missing ON missing.id = target.id
              %s
              %s
            """,
            statement,
            line,
            logged,
            where,
        )

    def _said_sql(self, call):
        """A common table expression: the reasons of single statuses."""
        return SQL(
            "said AS (SELECT * FROM unnest(%s::int[], %s::text[]) AS said(status_id, reason)),",
            list(call.reasons),
            list(call.reasons.values()),
        )

    def _reason_sql(self, call):
        """Why, for the row at hand: its own reason, else the one of the call."""
        return SQL("COALESCE(said.reason, %s::text)", call.reason) if call.reasons else SQL("%s::text", call.reason)

    def _gate_write_sql(self, call):
        """The part of the statement that writes what passes, and its log lines."""
        after = self._after_sql(call)
        return SQL(
            """
            passing AS (
                SELECT target.id, target.form_id, target.step_id, target.state, target.reason
                  FROM target
                 WHERE target.code = 'done'
                   AND NOT EXISTS (SELECT 1 FROM missing WHERE missing.id = target.id)
            ),
            held AS MATERIALIZED (%(held)s),
            written AS (
                UPDATE clearance_status status
                   SET state = %(state)s,
                       required = %(required)s,
                       is_open = (%(required)s AND (%(needs_review)s OR %(opens)s)),
                       needs_review = %(needs_review)s,
                       user_id = %(user_id)s,
                       decided_at = %(decided_at)s,
                       door = %(door)s,
                       reason = %(reason)s
                  FROM passing
                  JOIN clearance_step step ON step.id = passing.step_id
                  %(undone)s
                 WHERE status.id = passing.id
             RETURNING %(logged)s,
                       passing.state AS from_state, status.state AS to_state, passing.reason AS why
            ),
            logged AS (%(log)s RETURNING id, status_id)
            %(debts)s
            """,
            held=self._held_sql(call),
            undone=SQL("JOIN undone ON undone.status_id = passing.id") if call.lines else SQL(),
            opens=SQL("%s IN ('pending', 'submitted', 'rejected')", after["state"]),
            logged=LOGGED_COLUMNS,
            log=self.env["clearance.log"]._insert_sql("written", call.decision, call.door, SQL("why"), call.batch),
            debts=self.env["clearance.debt"]._follow_sql(call),
            **after,
        )

    def _after_sql(self, call):
        """What a status holds after the decision: expressions by column."""
        if call.lines:
            return self._before_sql()
        return {
            "state": self._target_sql(call.move),
            # Set optional takes the star off this one status; reopening puts it back.
            "required": self._required_sql(call.move),
            "needs_review": SQL("FALSE"),
            "user_id": SQL("%s", self.env.uid),
            "decided_at": SQL("%s", self.env.cr.now()),
            "door": SQL("%s", call.door),
            "reason": SQL("passing.reason"),
        }

    @api.model
    def _get_actionable_domain(self):
        """Statuses the user may decide on: what the record rules for writing say.

        It replaces the access check: whoever searches with it does so as superuser, for
        rules reach over stations and classes that the user need not be able to read.
        """
        if self.env.su:
            return Domain.TRUE
        if not self.browse().has_access("write"):
            return Domain.FALSE
        return self.env["ir.rule"]._compute_domain(self._name, "write")

    def _actionable_query(self):
        """Those of these statuses the user may act on."""
        # The rules are put inline into the search: applied to ``id IN (...)`` afterwards
        # they would be planned badly.
        domain = Domain("id", "in", self.ids) & self._get_actionable_domain()
        # sudo: the domain is the access check.
        return self.sudo().with_context(active_test=False)._search(domain)

    def _verdict_sql(self, call):
        """The first obstacle of a row, or ``done``; prerequisites are looked at later."""
        move = call.move
        person = call.door not in MACHINE_DOORS
        graduate = person and not self.env.su and self.env.user.share
        bypass_window = not person or self.env.su or self.env.user.has_group("graduate_clearance.group_manager")
        now = self.env.cr.now()
        # Hashed once: joined, the database compares each row with each, where it expects few.
        cases = [SQL("WHEN status.id NOT IN (SELECT mine.id FROM mine) THEN 'not_yours'")]
        if graduate:
            if move.target == "approved":
                cases.append(SQL("WHEN step.mode <> 'graduate' THEN 'not_yours'"))
            elif not move.graduate:
                cases.append(SQL("WHEN TRUE THEN 'not_yours'"))
            elif move.target == "submitted":
                # Nobody would look at it.
                cases.append(SQL("WHEN step.mode = 'graduate' THEN 'not_allowed'"))
        cases += [
            SQL("WHEN session.state <> 'open' THEN 'session_closed'"),
            SQL("WHEN status.active IS NOT TRUE THEN 'withdrawn'"),
        ]
        if len(self.ids) > 1 and call.door not in _UNCOUNTED_DOORS and not call.lines:
            Station = self.env["clearance.station"]
            if Station._get_strict_ids():
                cases.append(SQL("WHEN status.station_id IN (%s) THEN 'many'", Station._refusing_sql(self.ids)))
        if not bypass_window:
            cases += [
                SQL("WHEN %s < session.open_from THEN 'too_early'", now),
                SQL("WHEN %s > session.open_until THEN 'too_late'", now),
            ]
            # Whoever has pressed the wrong button a minute before the end may still take it back.
            if (move.waits or move.graduate) and not call.lines:
                cases += [
                    SQL("WHEN %s < step.open_from THEN 'too_early'", now),
                    SQL("WHEN %s > step.deadline THEN 'too_late'", now),
                ]
        cases += self._undo_cases(call) if call.lines else self._move_cases(call, person)
        if graduate and not call.lines:
            cases.append(SQL("WHEN NOT (%s) THEN 'not_sent'", self._sent_sql(move)))
        return SQL("CASE %s ELSE 'done' END", SQL(" ").join(cases))

    @api.model
    def _sent_sql(self, move):
        """Whether the graduate has done what ``step`` asks for before taking ``move`` on ``status``.

        A step is handed in with something in hand; a step that the graduate settles alone
        asks for what it requires.
        """
        sent = SQL(
            """EXISTS (SELECT 1 FROM clearance_submission submission
                        WHERE submission.status_id = status.id AND submission.state = 'sent')"""
        )
        if move.target == "submitted":
            return sent
        if move.target != "approved":
            return SQL("TRUE")
        required = SQL(
            """EXISTS (SELECT 1 FROM clearance_requirement requirement
                        WHERE requirement.step_id = step.id AND requirement.required)"""
        )
        return SQL("%s OR NOT %s", sent, required)

    def _move_cases(self, call, person):
        """Obstacles of a move: no such move from this state, no reason given."""
        move, target = call.move, self._target_sql(call.move)
        cases = []
        if move.target != "same":
            cases.append(
                SQL(
                    "WHEN status.state = %s AND NOT (status.needs_review AND %s) THEN 'already'",
                    target,
                    move.target == "approved",
                )
            )
        cases.append(
            SQL(
                "WHEN NOT (status.state = ANY(%s) OR (status.needs_review AND status.state = %s)) THEN 'not_allowed'",
                list(move.sources),
                target if move.target != "same" else None,
            )
        )
        if call.door == "feed":
            cases.append(
                SQL(
                    "WHEN status.decided_at IS NOT NULL AND status.door <> ALL(%s) THEN 'kept'",
                    list(MACHINE_DOORS),
                )
            )
        if person and not call.reason:
            cases.append(
                SQL(
                    "WHEN %s IS NULL AND %s THEN 'reason_required'",
                    self._reason_sql(call),
                    SQL("TRUE") if move.reason_required else SQL("step.mode = 'feed'"),
                )
            )
        return cases

    def _target_sql(self, move):
        if move.target == "same":
            return SQL("status.state")
        if move.target != "initial":
            return SQL("%s", move.target)
        return SQL("(CASE WHEN step.required THEN 'pending' ELSE 'optional' END)")

    def _required_sql(self, move):
        if move.target == "optional":
            return SQL("FALSE")
        if move.target == "initial":
            return SQL("step.required")
        return SQL("status.required")

    def _gate_missing_sql(self, call):
        """Rows of ``target`` that would pass but for prerequisites, with these as pairs."""
        if not call.move.waits:
            return SQL("SELECT NULL::int AS id, NULL::int[] AS pairs WHERE FALSE")
        return SQL(
            """
            SELECT target.id, array_agg(ARRAY[missing.station_id, missing.step_id]) AS pairs
              FROM target
             CROSS JOIN LATERAL (%s) missing
             WHERE target.code = 'done' %s
             GROUP BY target.id
            """,
            self._missing_sql(SQL("target.form_id"), SQL("target.step_id"), SQL("prereq.station_id, prereq.step_id")),
            SQL("AND target.id IN (SELECT status_id FROM undone WHERE approves)") if call.lines else SQL(),
        )

    def _held_sql(self, call):
        """Hold what an approval relies on until it is committed."""
        if not call.move.waits:
            return SQL("SELECT 1")
        approved = SQL("WHERE passing.id IN (SELECT status_id FROM undone WHERE approves)") if call.lines else SQL()
        return self._hold_sql("passing", approved)

    def _hold_sql(self, source, which=None):
        """Hold the prerequisites of the steps in ``source``: nobody reopens them meanwhile.

        :param str source: name of a common table expression with ``form_id`` and ``step_id``
        :param SQL which: a ``WHERE`` over it
        """
        source = SQL.identifier(source)
        return SQL(
            """
            SELECT prereq.id
              FROM %(source)s
              JOIN clearance_step_blocking_rel rel ON rel.step_id = %(source)s.step_id
              JOIN clearance_status prereq
                ON prereq.form_id = %(source)s.form_id AND prereq.step_id = rel.prerequisite_id
             %(which)s
             ORDER BY prereq.id
               FOR SHARE OF prereq
            """,
            source=source,
            which=which or SQL(),
        )

    def _mark_dependants(self, door):
        """Mark approved statuses that relied on these as needing another look.

        All the way down: what relied on a marked one is marked too.  A dependant that
        is being approved in another transaction is waited for (``FOR UPDATE``).
        """
        self.env.cr.execute(
            SQL(
                """
                WITH RECURSIVE opened AS (
                    SELECT status.form_id, status.step_id
                      FROM clearance_status status
                     WHERE status.id = ANY(%(ids)s) AND status.is_open IS TRUE
                       AND NOT %(lifted)s
                ),
                down(step_id, dependant_id) AS (
                    SELECT rel.prerequisite_id, rel.step_id
                      FROM clearance_step_blocking_rel rel
                     WHERE rel.prerequisite_id IN (SELECT step_id FROM opened)
                    UNION
                    SELECT down.step_id, rel.step_id
                      FROM down
                      JOIN clearance_step_blocking_rel rel ON rel.prerequisite_id = down.dependant_id
                )
                SELECT status.id
                  FROM opened
                  JOIN down ON down.step_id = opened.step_id
                  JOIN clearance_status status
                    ON status.form_id = opened.form_id AND status.step_id = down.dependant_id
                 ORDER BY status.id
                   FOR UPDATE OF status
                """,
                ids=self.ids,
                lifted=self.env["clearance.override"]._in_force_sql(SQL("status.id")),
            )
        )
        self.browse(row[0] for row in self.env.cr.fetchall())._mark_for_review(door)

    def _mark_for_review(self, door):
        """Mark those of these statuses that are approved as needing another look, and log it."""
        if not self.ids:
            return
        self.env.cr.execute(
            SQL(
                """
                WITH written AS (
                    UPDATE clearance_status status
                       SET needs_review = TRUE, is_open = status.required
                     WHERE status.id = ANY(%(ids)s)
                       AND status.state = 'approved' AND NOT status.needs_review
                 RETURNING %(logged)s,
                           status.state AS from_state, status.state AS to_state
                )
                %(log)s
                """,
                ids=self.ids,
                logged=LOGGED_COLUMNS,
                log=self.env["clearance.log"]._insert_sql("written", action="review", door=door),
            )
        )
        self._invalidate_decided()

    def _invalidate_decided(self):
        """Drop exactly what the gate's SQL has changed from the cache."""
        self.invalidate_recordset(
            ["state", "required", "is_open", "needs_review", "user_id", "decided_at", "door", "reason"],
            flush=False,
        )
        self._invalidate_cache(["ready", "blocked_by", "legend", "is_lifted"])
        self.env["clearance.debt"].invalidate_model(flush=False)
        self.env["clearance.form"]._invalidate_cache(["due_count", "open_count", "progress", "record"])

    # -- answers for people ----------------------------------------------------

    @api.model
    def _explain(self, outcomes):
        """Put outcomes into words.

        :param list outcomes: of :class:`Outcome`
        :return: list of pairs ``(outcome, message)``; the message of a done row is empty
        """
        names = self._get_step_names(pair for outcome in outcomes for pair in outcome.missing)
        stations = self._get_strict_stations(outcomes)
        words = {
            "done": "",
            "already": self.env._("Already so."),
            "not_yours": self.env._("This step is not yours to decide."),
            "unknown": self.env._("This step is not yours to decide."),
            "not_sent": self.env._("Fill in and send what this step asks for first."),
            "session_closed": self.env._("The session is not open."),
            "withdrawn": self.env._("The graduate has been taken out of this session."),
            "too_early": self.env._("The time for this step has not begun."),
            "too_late": self.env._("The time for this step is over."),
            "not_allowed": self.env._("This cannot be done from the present state."),
            "reason_required": self.env._("A reason is required."),
            "kept": self.env._("A person has decided otherwise; that decision stands."),
            "changed": self.env._("Somebody has decided on this step since; it is left as it is."),
            "settled": self.env._("This step is settled already; there is nothing to lift."),
        }
        return [
            (
                outcome,
                self._explain_missing(outcome, names)
                if outcome.code == "missing"
                else stations[outcome.status_id]._explain_strict()
                if outcome.code == "many"
                else words.get(outcome.code),
            )
            for outcome in outcomes
        ]

    @api.model
    def _get_strict_stations(self, outcomes):
        """The stations that have refused many graduates at once: dict ``{status id: station}``."""
        refused = self.browse(outcome.status_id for outcome in outcomes if outcome.code == "many")
        # sudo: their names, for who may decide there.
        return {status.id: status.station_id for status in refused.sudo()}

    def _explain_missing(self, outcome, names):
        steps = "\n".join(f"- {names[pair]}" for pair in outcome.missing)
        return self.env._("These steps are not settled yet:\n%(steps)s", steps=steps)
