"""Debts lists as offices hand them in: who owes what, in a CSV or Excel file with headers in either language."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from odoo.exceptions import UserError

from .number_list import clean_number
from .table_file import read_rows

#: how the columns are headed, without spaces, punctuation and what stands in brackets; the first of each
#: kind are those of the template
HEADERS = {
    "number": (
        *("studentnumber", "studentno", "studentid", "studentnr", "number", "no"),
        *("学号", "學號", "学生学号", "学籍号"),
    ),
    "item": (
        *("item", "items", "debt", "debts", "what", "owed", "thing", "title", "book"),
        *(
            "项目",
            "物品",
            "欠项",
            "欠物",
            "欠费欠物",
            "欠费项目",
            "欠物名称",
            "物品名称",
            "名称",
            "书名",
            "题名",
            "事项",
        ),
    ),
    "quantity": (
        *("quantity", "qty", "count", "pieces", "howmany"),
        *("数量", "件数", "册数", "本数", "个数"),
    ),
    "amount": (
        *("amount", "amountowed", "sum", "fee", "money", "arrears"),
        *("金额", "欠费", "欠款", "欠费金额", "欠款金额", "应缴", "应缴金额", "费用", "赔偿金额"),
    ),
    "remark": (
        *("remark", "remarks", "note", "notes", "comment", "comments"),
        *("备注", "说明", "附注", "备考"),
    ),
}
#: columns that offices keep for themselves: nothing is missed by not reading them
_PASSED_OVER = {
    *("name", "studentname", "class", "college", "room", "major", "phone", "serialnumber"),
    *(
        "姓名",
        "学生姓名",
        "班级",
        "学院",
        "院系",
        "系部",
        "寝室",
        "宿舍",
        "专业",
        "电话",
        "联系电话",
        "序号",
        "性别",
        "年级",
    ),
}
#: rows that a title may take before the headers
_TITLE_ROWS = 20
_LONGEST_ITEM = 200
_LONGEST_REMARK = 500
_MOST_QUANTITY = 1_000_000
_MOST_AMOUNT = 1_000_000_000
_CURRENCY = re.compile(r"^(?:¥|￥|cny|rmb|人民币)+|(?:元|圆|cny|rmb)+$", re.IGNORECASE)
_NUMBER = re.compile(r"^-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?$")
_CONTROLS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_SHORTENED = re.compile(r"^\d([.,]\d+)?e[+]?\d+$", re.IGNORECASE)


class ListedDebt(NamedTuple):
    """One row of a debts list; ``problems`` says what is wrong with it, naming column and value."""

    line: int
    number: str
    item: str = ""
    quantity: float = 0.0
    amount: float = 0.0
    remark: str = ""
    problems: tuple = ()
    is_zero: bool = False  # says outright that nothing is owed


class DebtsList(NamedTuple):
    """A debts list: its rows, and the headers of columns that are not read."""

    debts: list
    unread: list


def parse(env, content, filename):
    """Read a debts list.

    :param bytes content: the file
    :param str filename: its name
    :return: :class:`DebtsList`
    :raise UserError: with the reason, when it cannot be read at all
    """
    rows = read_rows(env, content, filename)
    columns, unread, debts = None, [], []
    for count, row in enumerate(rows, 1):
        if columns is None:
            columns, unread = _find_columns(row.cells)
            if columns is None and count >= _TITLE_ROWS:
                break
            continue
        if debt := _parse_row(env, row, columns):
            debts.append(debt)
    if columns is None:
        raise UserError(
            env._(
                "%(file)s has no column headed “student number”. Name the columns in the first row: student number,"
                " item, quantity, amount, remark. The template shows how.",
                file=filename,
            )
        )
    return DebtsList(debts, unread)


def _fold(header):
    """A header without what people vary: case, width, brackets, spaces and punctuation."""
    text = re.sub(r"\(.*?\)|\[.*?\]|【.*?】", "", unicodedata.normalize("NFKC", header))
    return re.sub(r"[\W_]+", "", text).lower()


def _find_columns(cells):
    """Which column is which, when ``cells`` are the headers: ``(names by position, headers not read)``."""
    kinds = {name: kind for kind, names in HEADERS.items() for name in names}
    columns, unread = {}, []
    for index, cell in enumerate(cells):
        kind = kinds.get(_fold(cell))
        if kind and kind not in columns.values():
            columns[index] = kind
        elif cell and (kind or _fold(cell) not in _PASSED_OVER):
            unread.append(cell)
    return (columns, unread) if "number" in columns.values() else (None, [])


def _parse_row(env, row, columns):
    """A row as :class:`ListedDebt`; ``None`` for one that says nothing, such as a total without a number."""
    cells = {kind: row.cells[index] for index, kind in columns.items() if index < len(row.cells)}
    if not any(cells.values()):
        return None
    problems = []
    number = clean_number(_CONTROLS.sub("", cells.get("number", "")))
    if not number:
        problems.append(env._("The student number is missing."))
    elif _SHORTENED.match(number):
        problems.append(
            env._("A spreadsheet has shortened the student number “%s”: format its column as text.", number)
        )
    quantity = _parse_figure(env, cells.get("quantity", ""), env._("Quantity"), _MOST_QUANTITY, problems)
    amount = _parse_figure(env, cells.get("amount", ""), env._("Amount"), _MOST_AMOUNT, problems)
    item = _parse_words(env, cells.get("item", ""), env._("Item"), _LONGEST_ITEM, problems)
    remark = _parse_words(env, cells.get("remark", ""), env._("Remark"), _LONGEST_REMARK, problems)
    given = [figure for figure in (quantity, amount) if figure is not None]
    return ListedDebt(
        row.line,
        number,
        item,
        float(quantity or 0),
        float(amount or 0),
        remark,
        tuple(problems),
        bool(given) and not any(given),
    )


def _parse_words(env, text, column, longest, problems):
    # Signs that no text has, and that the database does not take.
    text = " ".join(_CONTROLS.sub(" ", text).split())
    if len(text) > longest:
        problems.append(
            env._(
                "%(column)s: “%(value)s…” is longer than %(limit)s characters.",
                column=column,
                value=text[:30],
                limit=longest,
            )
        )
    return text[:longest]


def _parse_figure(env, text, column, most, problems):
    """A quantity or an amount, ``None`` for an empty cell: full-width digits, thousands and signs of money are read."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    plain = _CURRENCY.sub("", plain)
    if not plain:
        if text:
            problems.append(env._("%(column)s: “%(value)s” is not a number.", column=column, value=text[:30]))
        return None
    try:
        figure = Decimal(plain.replace(",", "")) if _NUMBER.match(plain) else None
    except InvalidOperation:
        figure = None
    if figure is None:
        problems.append(env._("%(column)s: “%(value)s” is not a number.", column=column, value=text[:30]))
        return None
    if figure < 0:
        problems.append(
            env._(
                "%(column)s: “%(value)s” is less than nothing. What the office owes is not for this list.",
                column=column,
                value=text[:30],
            )
        )
        return None
    if figure > most:
        problems.append(env._("%(column)s: “%(value)s” is too much.", column=column, value=text[:30]))
        return None
    return figure.quantize(Decimal("0.01"))
