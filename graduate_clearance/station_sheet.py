"""A list that somebody has filled in without network: its rows, whatever a spreadsheet has made of them.

People sort the rows, delete and double some, move and hide columns, let the program turn numbers into
``2.0260001E7``, and answer with whatever mark they are used to.  What cannot be told for sure is
never guessed: the row says which of its cells is unclear.
"""

import re
import unicodedata
from typing import NamedTuple

from odoo.exceptions import UserError
from odoo.tools import format_list

from .number_list import _is_header as is_number_header
from .number_list import clean_number
from .table_file import read_rows

#: rows looked at for the header; title and notes stand above it
_HEADER_WITHIN = 30
LONGEST_REMARK = 1000

#: what a row was when the list was made, see ``clearance.station.sheet``; whatever has happened to the column
#: and its name, such a cell is found again
MARK = re.compile(r"GC1\.(?P<status>\d{1,10})\.(?P<made>\d{1,12})\.(?P<version>[a-z_]+\.[01]\.\d+\.\d+)\.[0-9a-f]{16}")

#: headers besides those of the installed languages
_HEADERS = {
    "step": ("step", "clearancestep", "环节", "离校环节", "步骤", "离校步骤", "办理环节"),
    "decision": ("decision", "result", "办理结果", "办理意见", "审核结果", "审核意见", "决定", "结果", "处理结果"),
    "remark": ("remark", "remarks", "note", "备注", "说明", "办理备注", "原因"),
}
#: what people write for a decision, besides the words of the list; ``None`` leaves the row as it is
_WORDS = {
    "approve": (
        *("✓", "✔", "√", "☑", "✅", "1", "v", "y", "yes", "ok", "true", "done", "confirm", "confirmed", "approve"),
        *("approved", "是", "对", "好", "办", "已办", "已办理", "办理", "办结", "已办结", "通过", "已通过", "审核通过"),
        *("确认", "已确认", "同意", "合格", "完成", "已完成", "已还", "已交", "已缴"),
    ),
    "reject": (
        *("✗", "✘", "✖", "☒", "❌", "×", "╳", "0", "n", "no", "false", "reject", "rejected", "refused", "否", "不"),
        *("未通过", "不通过", "审核不通过", "不同意", "不合格", "驳回", "退回", "拒绝"),
    ),
    "reopen": ("↺", "reopen", "reopened", "重开", "重新办理", "重新打开", "恢复未办理"),
    None: ("-", "/", "pending", "notdone", "未办", "未办理", "待办", "不变", "无"),
}
#: a cross to some, a tick in a box to others
_UNCLEAR = {"x"}
_SHORTENED = re.compile(r"(\d)(?:[.,](\d+))?e\+?(\d{1,3})", re.IGNORECASE)


class Filled(NamedTuple):
    """One row that says something."""

    line: int  # as spreadsheets count
    number: str
    mark: str  # empty where the hidden column is gone
    step: str
    decision: str | None  # approve, reject, reopen
    remark: str
    problem: str = ""  # what in it is unclear, naming the column and what stands there


class FilledList(NamedTuple):
    """What a file says."""

    rows: list  # of Filled
    blank: int  # rows without decision and remark
    has_steps: bool  # there is a column that names the step


def read_filled(env, content, filename, words, headers, examples):
    """Read a list that was downloaded and filled in.

    :param bytes content: the file, Excel or CSV
    :param str filename: its name
    :param dict words: decisions by what the lists call them, in every language: ``{text: decision}``
    :param dict headers: names of columns in every language, the user's first:
        ``{"decision": texts, "remark": texts, "step": texts}``
    :param examples: what to write, in the user's language
    :return: a :class:`FilledList`
    :raise UserError: when it cannot be read, has no column for the decision, or nothing that says whom a row is about
    """
    return _Reader(env, filename or env._("The file"), words, headers, examples).read_list(content)


def expand_number(text):
    """A student number that a spreadsheet has written with an exponent, where no digit is lost.

    ``2.0260001E7`` is 20260001; of ``2.03E+11`` nobody knows the rest.

    :return: the number; the text as it is where it has no exponent or digits are lost
    """
    shortened = _SHORTENED.fullmatch(text)
    if not shortened:
        return text
    first, rest, exponent = shortened.group(1), shortened.group(2) or "", int(shortened.group(3))
    # Nothing but zeros behind the digits shown: they were rounded away.
    return f"{first}{rest}".ljust(exponent + 1, "0") if len(rest) == exponent else text


def may_be_number(text, number):
    """Whether a cell may have held this student number before a spreadsheet changed it.

    It drops leading zeros, and rounds what it takes for a large number.
    """
    if text.upper() == number.upper() or (text.isdigit() and number.isdigit() and int(text) == int(number)):
        return True
    shortened = _SHORTENED.fullmatch(text)
    if not (shortened and number.isdigit()):
        return False
    decimals, exponent = len(shortened.group(2) or ""), int(shortened.group(3))
    mantissa, _e, power = f"{int(number):.{decimals}e}".partition("e")
    return int(power) == exponent and mantissa == shortened.group(0).lower().partition("e")[0].replace(",", ".")


def squeeze(text):
    """A word without what does not matter: case, width, blanks, punctuation around it."""
    text = unicodedata.normalize("NFKC", str(text)).casefold()
    return re.sub(r"[\s\u200b\ufe0e\ufe0f]+", "", text).strip(".。,，;；:：!！*★()[]【】\"'“”‘’")


class _Reader:
    def __init__(self, env, name, words, headers, examples):
        self.env = env
        self.name = name
        self.words = {squeeze(text): decision for text, decision in words.items()}
        # A CSV file in GBK has a question mark where the list had ✓; the word beside it is still there.
        self.words |= {
            squeeze(text.encode("gbk", "replace").decode("gbk")): decision
            for text, decision in words.items()
            if any(map(str.isalpha, text))
        }
        for decision, texts in _WORDS.items():
            for text in texts:
                self.words.setdefault(squeeze(text) or text, decision)
        self.labels = {kind: next(iter(texts)) for kind, texts in headers.items()}
        self.examples = format_list(env, [f"“{text}”" for text in examples], style="or")
        self.headers = {
            squeeze(text): kind for kind, texts in _HEADERS.items() for text in (*texts, *headers.get(kind, ()))
        }
        self.columns = {}

    def read_list(self, content):
        rows, blank = [], 0
        for line, cells in read_rows(self.env, content, self.name):
            if not self.columns:
                self._find_columns(line, cells)
                continue
            row = self._read_row(line, cells)
            if row is None:
                continue
            if row.decision or row.remark or row.problem:
                rows.append(row)
            else:
                blank += 1
        if not self.columns:
            self._raise_no_column()
        if rows and "number" not in self.columns and not any(row.mark for row in rows):
            raise UserError(
                self.env._(
                    "%(file)s does not say whom its rows are about: the column “Student number” has been "
                    "deleted. Undo that in the file, or download the list again.",
                    file=self.name,
                )
            )
        return FilledList(rows, blank, "step" in self.columns)

    # -- columns ---------------------------------------------------------------

    def _find_columns(self, line, cells):
        """Take this row for the header if it names a column for the decision."""
        if line > _HEADER_WITHIN:
            self._raise_no_column()
        columns = {}
        for index, cell in enumerate(cells):
            kind = "number" if is_number_header(cell) else self.headers.get(squeeze(cell))
            if not kind or (kind in columns and kind != "decision"):
                continue
            if kind in columns:
                raise UserError(
                    self.env._(
                        "Row %(row)s of %(file)s has two columns “%(column)s”. Keep the one that counts.",
                        row=line,
                        file=self.name,
                        column=cell,
                    )
                )
            columns[kind] = index
        if "decision" in columns:
            self.columns = columns

    def _raise_no_column(self):
        raise UserError(
            self.env._(
                "%(file)s has no column “%(column)s”. Upload a list that was downloaded here; its row of column "
                "names must stay, and its first sheet must be the list.",
                file=self.name,
                column=self.labels["decision"],
            )
        )

    # -- rows --------------------------------------------------------------------

    def _read_row(self, line, cells):
        """What a row says; None for one that is no row of a list."""

        def cell(kind):
            index = self.columns.get(kind, len(cells))
            return cells[index] if index < len(cells) else ""

        mark = next((text for text in cells if MARK.fullmatch(text)), "")
        number = expand_number(clean_number(cell("number")))
        if self.headers.get(squeeze(cell("decision"))) == "decision":
            return None  # two lists in one: the second has its header too
        decision, problem = self._read_decision(cell("decision"))
        remark = cell("remark")
        if not problem and not decision and remark:
            problem = self._tell_problem(
                "remark", remark, self.env._("A remark without a decision: nothing is done. Write %s.", self.examples)
            )
        if len(remark) > LONGEST_REMARK:
            problem = problem or self._tell_problem(
                "remark", remark, self.env._("Longer than %s characters.", LONGEST_REMARK)
            )
        if not number and not mark and not (decision or problem):
            return None
        return Filled(line, number, mark, cell("step"), decision, remark, problem)

    def _read_decision(self, text):
        """The decision that somebody means: ``(decision, problem)``."""
        word = squeeze(text) or text.strip()
        if not word:
            return None, ""
        if word in _UNCLEAR:
            why = self.env._("To some this is a tick, to others a cross. Write %s.", self.examples)
            return None, self._tell_problem("decision", text, why)
        if word in self.words:
            return self.words[word], ""
        why = self.env._("Not a decision. Write %s, or leave it empty.", self.examples)
        return None, self._tell_problem("decision", text, why)

    def _tell_problem(self, column, text, why):
        """A problem with its column and what stands there; the row is told beside it."""
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        return self.env._("Column “%(column)s”, “%(value)s”: %(why)s", column=self.labels[column], value=shown, why=why)
