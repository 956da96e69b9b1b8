"""Decisions of other systems: through the gate, an outcome for each row, once for each key."""

import json
from collections import Counter
from hashlib import sha256
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: how many rows one call takes; a college has about so many graduates
MOST_ITEMS = 2_000
_LONGEST_REASON = 500
_LONGEST_KEY = 64
_DECISIONS = ("approve", "reject", "reopen", "submit", "withdraw", "set_optional", "set_not_required")
_ITEM_KEYS = ("status_id", "student_number", "step")


class _Item(NamedTuple):
    """One row of a call: which status it names, or what is wrong with it."""

    status_id: int | None = None
    number: str | None = None
    step: int | str | None = None
    code: str = ""
    message: str = ""


class ClearanceApi(models.AbstractModel):
    _inherit = "clearance.api"

    @api.model
    def decide(self, items=None, decision=None, reason=None, key=None, session=None, step=None, lang=None):
        """Decide on steps of graduates, through the gate and in the name of the caller.

        What the caller may not do is refused row by row; bad rows never stop good ones.  The number of
        queries does not depend on the number of rows.

        :param list items: at most 2,000 rows; a row is an object with ``status_id``, or with
            ``student_number`` and ``step`` (code or id; by default that of the call)
        :param str decision: ``approve``, ``reject``, ``reopen``, ``submit``, ``withdraw``, ``set_optional`` or
            ``set_not_required``
        :param str reason: why, at most 500 characters; the graduate reads it.  Required to reject, reopen, set
            optional or not required, and to decide on a step that a source system settles
        :param str key: made by the caller, at most 64 characters: the same call sent again under it within
            7 days is answered the same and decides nothing again
        :param int session: id; rows named by number are looked for in it alone, by default in open sessions
        :param step: code or id for rows that name none
        :return: dict

            - ``decided``: number of rows done; ``counts``: ``{outcome: number}``
            - ``rows``, in the order of ``items``: ``row`` (from 1), ``status_id``, ``student_number`` and ``step`` (as
              given, else null), ``outcome``, ``message`` (empty when done) and ``missing`` (what must be settled
              before: list of ``step_id``, ``text``)

            Outcomes are those of the gate: ``done``, ``already``, ``missing``, ``not_yours``, ``not_sent``,
            ``session_closed``, ``withdrawn``, ``too_early``, ``too_late``, ``not_allowed``, ``reason_required``,
            ``many``; and ``unknown`` (no such graduate is shown to the caller), ``no_step`` (no such step of the
            graduate is), ``ambiguous`` (several are), ``duplicate`` (an earlier row names the same), ``bad``
        :raise AccessError: ``no_role``
        :raise MissingError: ``unknown_session``
        :raise UserError: ``missing_argument``, ``bad_type``, ``bad_value``, ``too_many``, ``too_long``,
            ``key_reused`` (the key belongs to another call)
        """
        caller = self._enter(lang, staff=False)
        caller._check_list(items, "items", MOST_ITEMS)
        caller._check_choice(decision, "decision", _DECISIONS)
        if reason is not None:
            reason = caller._check_length(reason, "reason", _LONGEST_REASON)
        if session is not None:
            caller._check_id(session, "session")
        if step is not None:
            caller._check_step(step, "step")

        if key is not None:
            key = caller._check_length(key, "key", _LONGEST_KEY)
        call = json.dumps([items, decision, reason, session, step], sort_keys=True, default=str)
        digest = sha256(call.encode()).hexdigest()

        def act():
            return {"call": digest, **caller._decide_items(items, decision, reason, session, step)}

        answer = dict(caller.env["clearance.request"]._once(key, act) or {})
        if answer.pop("call", None) != digest:
            caller._fail(
                "key_reused",
                caller.env._("The key “%s” belongs to another call; take a new one for each.", key),
                argument="key",
                given=key,
            )
        return answer

    # -- reading the rows ----------------------------------------------------------

    def _check_length(self, value, where, most):
        text = self._check_text(value, where)
        if len(text) > most:
            self._fail(
                "too_long",
                self.env._("“%(where)s” has at most %(most)s characters.", where=where, most=most),
                argument=where,
                given=len(text),
                most=most,
            )
        return text

    def _check_step(self, value, where):
        return self._check_text(value, where) if isinstance(value, str) else self._check_id(value, where)

    def _read_item(self, item, where, step):
        """What a row names; a bad row says where it is wrong instead of stopping the others."""
        try:
            if not isinstance(item, dict):
                self._fail_type(item, where, "object")
            for name in item.keys() - set(_ITEM_KEYS):
                self._check_choice(name, where, _ITEM_KEYS)
            if "status_id" in item:
                for name in item.keys() - {"status_id"}:
                    self._check_choice(name, where, ("status_id",))
                return _Item(self._check_id(item["status_id"], f"{where}.status_id"))
            return _Item(
                number=self._check_number(item.get("student_number"), f"{where}.student_number"),
                step=self._check_step(item.get("step", step), f"{where}.step"),
            )
        except UserError as error:
            return _Item(code="bad", message=str(error.args[0]))

    def _match_items(self, items, session):
        """Find the statuses of rows that name them by number and step, in one query.

        :return: the rows with their ``status_id``, or the ``code`` of what is wrong
        """
        wanted = {(item.number, item.step) for item in items if item.number}
        found = self._find_statuses(wanted, session) if wanted else {}
        known = self._get_known_numbers({number for number, step in wanted if (number, step) not in found})
        return [self._match_item(item, found.get((item.number, item.step), ()), known) for item in items]

    def _match_item(self, item, status_ids, known):
        if not item.number:
            return item
        if len(status_ids) == 1:
            return item._replace(status_id=status_ids[0])
        if status_ids:
            message = self.env._("Several open sessions know this graduate and step; name the session.")
            return item._replace(code="ambiguous", message=message)
        if item.number in known:
            message = self.env._("No step “%s” of this graduate is shown to you.", str(item.step)[:100])
            return item._replace(code="no_step", message=message)
        message = self.env._("Nobody with the student number “%s” is shown to you.", item.number)
        return item._replace(code="unknown", message=message)

    def _get_known_numbers(self, numbers):
        """Those of some student numbers whose forms the caller may read; asked only where something is wrong."""
        Form = self.env["clearance.form"].with_context(active_test=False)
        if not numbers or not Form.has_access("read"):
            return set()
        # "any!": forms are searched under the caller's rules; the numbers only say which.
        forms = Form.search(Domain("student_id", "any!", [("student_number", "in", list(numbers))]))
        return set(forms.sudo().student_id.mapped("student_number"))  # sudo: numbers that the caller has named

    def _find_statuses(self, wanted, session):
        """Statuses by student number and step, of those that the caller may read.

        The record rules stand in the statement.  Raw SQL because neither a graduate nor an operator may read
        all the records that the names stand on.

        :param set wanted: pairs of student number and step (id or code)
        :return: dict ``{pair: [status id, ...]}``
        """
        Status = self.env["clearance.status"].with_context(active_test=False)
        if not Status.has_access("read"):
            return {}
        domain = Domain("session_id", "=", session) if session else Domain.TRUE
        self.env.flush_all()
        query = Status._search(domain)
        query.add_join("JOIN", "form", "clearance_form", SQL("form.id = clearance_status.form_id"))
        query.add_join("JOIN", "student", "clearance_student", SQL("student.id = form.student_id"))
        query.add_join("JOIN", "step", "clearance_step", SQL("step.id = clearance_status.step_id"))
        if not session:
            query.add_join("JOIN", "run", "clearance_session", SQL("run.id = clearance_status.session_id"))
            query.add_where("run.state = 'open'")
        steps = {step for _number, step in wanted}
        ids = [step for step in steps if isinstance(step, int)]
        codes = [step for step in steps if isinstance(step, str)]
        query.add_where("student.student_number = ANY(%s)", [[number for number, _step in wanted]])
        query.add_where("(step.id = ANY(%s) OR step.code = ANY(%s))", [ids, codes])
        rows = self.env.execute_query(
            query.select(SQL("clearance_status.id, student.student_number, step.id, step.code"))
        )
        found = {}
        for status_id, number, step_id, code in rows:
            for step in (step_id, code):
                if (number, step) in wanted:
                    found.setdefault((number, step), []).append(status_id)
        return found

    # -- deciding ------------------------------------------------------------------

    def _decide_items(self, items, decision, reason, session, step):
        """The answer of :meth:`decide`."""
        if session:
            self._check_session_known(session)
        rows = [self._read_item(item, f"items[{number}]", step) for number, item in enumerate(items)]
        rows = self._mark_duplicates(self._match_items(rows, session))
        Status = self.env["clearance.status"]
        statuses = Status.browse(row.status_id for row in rows if row.status_id and not row.code)
        explained = Status._explain(statuses._decide(decision, "api", reason))
        outcomes = {outcome.status_id: (outcome, message) for outcome, message in explained}
        names = Status._get_step_names(pair for outcome, _message in explained for pair in outcome.missing)
        answers = [
            self._prepare_row(number, row, outcomes.get(row.status_id), names) for number, row in enumerate(rows, 1)
        ]
        counts = Counter(answer["outcome"] for answer in answers)
        return {"decided": counts["done"], "counts": dict(counts), "rows": answers}

    def _check_session_known(self, session):
        """Stop a call that names a session the caller has nothing to do with."""
        if self.env["clearance.session"].has_access("read"):
            self._find_session(session)

    def _mark_duplicates(self, rows):
        first, marked = {}, []
        for number, row in enumerate(rows, 1):
            if row.status_id and not row.code and row.status_id in first:
                message = self.env._("Row %s names the same step of the same graduate.", first[row.status_id])
                row = row._replace(code="duplicate", message=message)
            elif row.status_id:
                first[row.status_id] = number
            marked.append(row)
        return marked

    def _prepare_row(self, number, row, decided, names):
        outcome, message = (None, row.message) if row.code else decided
        return {
            "row": number,
            "status_id": row.status_id,
            "student_number": row.number,
            "step": row.step,
            "outcome": row.code or outcome.code,
            "message": message or "",
            "missing": [{"step_id": pair[1], "text": names[pair]} for pair in (outcome.missing if outcome else ())],
        }
