"""Rows of a source system as they come in, from whatever door: checked one by one, never trusted.

A row that cannot be read is named with its field, its value and what is wrong with it; it does not
stop the others.  What is not understood is refused rather than passed over: a misspelt
``quantity`` would otherwise read as “nothing owed”, and settle a step.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from .number_list import clean_number

#: more than any campus has graduates; a longer report comes in parts
MOST_ROWS = 100_000
#: what one row may hold
LONGEST_NUMBER = 64
LONGEST_NOTE = 500
LARGEST = 1e12
#: clocks of two machines differ
CLOCK_SKEW = timedelta(minutes=5)
#: how much of a wrong value is repeated
_SHOWN = 60

FIELDS = ("student_number", "quantity", "amount", "as_of", "note", "step")

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
# Neither PostgreSQL's text nor its JSON takes these.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class FeedRow(NamedTuple):
    """One row, read: what a graduate owes, as of when (UTC, without zone)."""

    row: int
    number: str
    quantity: float | None
    amount: float | None
    note: str | None
    as_of: datetime
    step: str | None = None

    @property
    def owes(self):
        """Whether anything is owed."""
        return bool(self.quantity or self.amount)


class Problem(NamedTuple):
    """What is wrong with a value: its field, the value as far as it can be shown, and words for people."""

    field: str
    value: str
    text: str


class RefusedError(ValueError):
    """A value that cannot be read; its argument is a key of ``FeedReader.words``."""


def show(value):
    """A value as it can be stored and shown: short, in one line, without characters that nothing prints."""
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else str(value)
    except ValueError:  # an integer of thousands of digits
        text = "…"
    text = " ".join(_UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[: 4 * _SHOWN]).split())
    return f"{text[:_SHOWN]}…" if len(text) > _SHOWN else text


def read_moment(value, now):
    """A moment in UTC without zone, out of a ``datetime`` (UTC where it has no zone) or ISO 8601 with a zone.

    :param datetime now: nothing is known from later than this
    :raise RefusedError: when it is none, has no zone, or lies in the future
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise RefusedError("moment") from None
        if moment.tzinfo is None:
            raise RefusedError("zone")
    elif isinstance(value, datetime):
        moment = value
    else:
        raise RefusedError("moment")
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise RefusedError("moment") from None
    if moment > now + CLOCK_SKEW:
        raise RefusedError("future")
    return moment


def read_amount(value):
    """How much, as a number that is not negative; None where nothing is said.

    Systems that keep money exactly write it as text: plain digits with a point are taken.

    :raise RefusedError: when it is none, negative, not finite or out of all proportion
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise RefusedError("number")
        value = float(value)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise RefusedError("number")
    if isinstance(value, int):
        number = value
    else:
        number = float(value)
        if not math.isfinite(number):
            raise RefusedError("finite")
    if number < 0:
        raise RefusedError("negative")
    if number > LARGEST:
        raise RefusedError("large")
    return float(number)


class FeedReader:
    """Reads the rows of one report.

    :param env: whose language problems are told in
    :param datetime now: the present moment (UTC)
    :param datetime as_of: the moment of rows that name none
    :param int decimals: places of the currency: what is less than its smallest coin is nothing
    """

    def __init__(self, env, now, as_of, decimals=2):
        self.now = now
        self.as_of = as_of
        self.decimals = decimals
        self.words = _get_words(env)
        self._moments = {}

    def read_row(self, index, row):
        """Read a row.

        :param int index: its place in the report, from 1
        :return: pair ``(FeedRow or None, list of Problem)``
        """
        if not isinstance(row, dict):
            return None, [Problem("", show(type(row).__name__), self.words["row"])]
        problems = []

        def take(field, read):
            try:
                return read(row.get(field))
            except RefusedError as problem:
                problems.append(Problem(field, show(row.get(field)), self.words[problem.args[0]]))
            return None

        values = {
            "number": take("student_number", self._read_number),
            "quantity": take("quantity", read_amount),
            "amount": take("amount", self._read_money),
            "note": take("note", self._read_note),
            "as_of": take("as_of", self._read_as_of),
            "step": take("step", self._read_step),
        }
        if not row.keys() <= _KNOWN:
            problems += [
                Problem(show(field), show(row[field]), self.words["field"]) for field in row if field not in _KNOWN
            ]
        if not problems and values["quantity"] is None and values["amount"] is None:
            problems.append(Problem("quantity", "", self.words["nothing"]))
        return (None if problems else FeedRow(index, **values)), problems

    def _read_number(self, value):
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RefusedError("missing" if value is None else "text")
        if isinstance(value, int) and not 0 <= value < 10**LONGEST_NUMBER:
            raise RefusedError("student_number")
        text = str(value)
        if len(text) > LONGEST_NUMBER or _UNSTORABLE.search(text):
            raise RefusedError("student_number")
        number = clean_number(text)
        if not number:
            raise RefusedError("missing")
        return number

    def _read_money(self, value):
        amount = read_amount(value)
        return amount if amount is None else round(amount, self.decimals)

    def _read_note(self, value):
        if value is None:
            return None
        if not isinstance(value, str):
            raise RefusedError("text")
        if len(value) > LONGEST_NOTE:
            raise RefusedError("long")
        if _UNSTORABLE.search(value):
            raise RefusedError("characters")
        return " ".join(value.split()) or None

    def _read_as_of(self, value):
        if value is None or value == "":
            return self.as_of
        # A report names few moments, many times.
        known = self._moments.get(value) if isinstance(value, str | datetime) else None
        if known is None:
            known = read_moment(value, self.now)
            self._moments[value] = known
        return known

    def _read_step(self, value):
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise RefusedError("text")
        return value.strip()


_KNOWN = set(FIELDS)


def _get_words(env):
    """What is wrong, in the user's language; asked for once, for rows come by the ten thousand."""
    return {
        "row": env._("A row is an object with a student number and what is owed."),
        "missing": env._("There is no student number."),
        "student_number": env._("This is no student number: it has at most %s plain characters.", LONGEST_NUMBER),
        "text": env._("This is not a text."),
        "number": env._("This is not a number. Write digits, with a point before decimals."),
        "finite": env._("This is not a finite number."),
        "negative": env._("Nobody owes less than nothing: write 0 where nothing is owed."),
        "large": env._("This number is too large."),
        "long": env._("This text is longer than %s characters.", LONGEST_NOTE),
        "characters": env._("This text holds control characters."),
        "moment": env._("This is no moment. Write it as in 2026-06-30T08:00:00+08:00."),
        "zone": env._("This moment has no time zone. Write it as in 2026-06-30T08:00:00+08:00."),
        "future": env._("This moment lies in the future."),
        "field": env._("There is no such field."),
        "nothing": env._("It says neither a quantity nor an amount: write 0 where nothing is owed."),
        "step": env._("This source system settles no such step in an open session."),
        "which_step": env._("It settles several steps of this graduate: name the code of one."),
    }
