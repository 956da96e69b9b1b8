"""From the columns of a source to what the clearance reads: number, quantity, amount, time, remark."""

import datetime
import decimal
import re
import unicodedata

import pytz

from odoo.exceptions import UserError
from odoo.tools import format_list

from ..number_list import clean_number

#: what the clearance reads, and the headings under which sources have it, without spaces and punctuation
FIELDS = {
    "student_number": ("studentnumber", "studentno", "studentid", "number", "学号", "学生学号", "學號", "读者证号"),
    "quantity": ("quantity", "count", "books", "数量", "册数", "未还册数", "欠书数"),
    "amount": ("amount", "balance", "due", "金额", "欠费", "欠费金额", "欠款"),
    "as_of": ("asof", "updatedat", "时间", "截至时间", "更新时间"),
    "note": ("note", "remark", "remarks", "备注", "说明"),
    "step": ("step", "stepcode", "环节", "环节代码"),
}
#: one of these says what is owed; a source without any would settle everybody
OWED = ("quantity", "amount")
#: above the headings may stand a title and remarks
_HEADINGS_WITHIN = 10
_CURRENCY = re.compile(r"^(?:[¥￥$€£]|CNY|RMB)\s*|\s*(?:元|CNY|RMB)$", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_SHOWN = 200


def match_columns(env, found, wanted):
    """Which column of a source is read as what.

    :param list found: names of the source's columns
    :param dict wanted: names by field (see :data:`FIELDS`); those without are found by their usual headings
    :return: dict ``{field: position}``
    :raise UserError: naming what is missing and what there is
    """
    by_name = {}
    for position, name in enumerate(found):
        by_name.setdefault(_fold(name), position)
    columns = {}
    for field, usual in FIELDS.items():
        names = [_fold(wanted[field])] if wanted.get(field) else usual
        position = next((by_name[name] for name in names if name in by_name), None)
        if position is not None:
            columns[field] = position
        elif wanted.get(field):
            raise UserError(
                env._(
                    "The source has no column “%(name)s”. It has: %(columns)s.",
                    name=wanted[field],
                    columns=_list_columns(env, found),
                )
            )
    if "student_number" not in columns:
        raise UserError(env._("No column of the source is the student number. It has: %s.", _list_columns(env, found)))
    if not columns.keys() & set(OWED):
        raise UserError(
            env._(
                "No column of the source says what is owed (quantity or amount). It has: %s.", _list_columns(env, found)
            )
        )
    return columns


def find_headings(env, rows, wanted):
    """The headings of a file, below a title or remarks, and the rows after them.

    :param rows: iterator of ``table_file.Row``; it is left after the headings
    :return: list of headings
    :raise UserError: when none of the first rows names the student number
    """
    first = None
    for _count, row in zip(range(_HEADINGS_WITHIN), rows, strict=False):
        first = first or row.cells
        try:
            match_columns(env, row.cells, wanted)
        except UserError:
            continue
        return row.cells
    # Told of the first row, which is where headings usually stand.
    match_columns(env, first or [], wanted)
    return first


def read_row(cells, columns, zone):
    """One row as the clearance takes it in; what cannot be read stays as it is, to be refused by name and value.

    :param cells: values by position
    :param dict columns: see :func:`match_columns`
    :param zone: the clock of the campus, for times without a zone
    :return: dict with ``student_number``, and what else the source has
    """
    row = {}
    for field, position in columns.items():
        value = cells[position] if position < len(cells) else None
        if field == "student_number":
            row[field] = clean_number("" if value is None else value)
        elif field in OWED:
            row[field] = _read_number(value)
        elif field == "as_of":
            row[field] = read_time(value, zone)
        else:
            row[field] = "" if value is None else str(value).strip()
    return _drop_empty(row)


def _drop_empty(row):
    """Leave out what is empty; of what is owed one stays, so that an empty row settles nobody."""
    owed = [field for field in OWED if field in row]
    known = [field for field in owed if row[field] not in ("", None)]
    keep = {"student_number", *(known or owed[:1])}
    return {field: value for field, value in row.items() if field in keep or value not in ("", None)}


def _read_number(value):
    """A number out of “¥1,234.50”, “３” or “2 元”; other text as it stands, nothing as an empty text."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, (int, float, decimal.Decimal)):
        return _to_float(value)
    text = unicodedata.normalize("NFKC", str(value)).strip()
    plain = _CURRENCY.sub("", text).strip()
    plain = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
    return _to_float(plain) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", plain) else str(value).strip()[:_SHOWN]


def _to_float(value):
    try:
        return float(value)
    except (OverflowError, ValueError):
        return str(value)[:_SHOWN]


def read_time(value, zone):
    """A moment in UTC, as a naive datetime; text that is none as it stands.

    :param value: datetime, date, or text by ISO 8601; without a zone it is told by the clock of the campus
    """
    if value is None or isinstance(value, bool):
        return ""
    if not isinstance(value, (datetime.datetime, datetime.date)):
        text = unicodedata.normalize("NFKC", str(value)).strip()
        text = re.sub(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", _join_date, text)
        text = re.sub(r"(?<=\d)[Zz]$", "+00:00", text)
        try:
            value = datetime.datetime.fromisoformat(text)
        except ValueError:
            return str(value).strip()[:_SHOWN]
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    try:
        aware = value if value.tzinfo else zone.localize(value)
        return aware.astimezone(pytz.utc).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return str(value)[:_SHOWN]


def _join_date(match):
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"


def _fold(name):
    """A heading without what differs between spellings."""
    text = unicodedata.normalize("NFKC", str(name or "")).lower()
    return re.sub(r"[\s._\-:()]", "", text)


def _list_columns(env, found):
    names = [str(name)[:40] for name in found if str(name or "").strip()]
    return format_list(env, names[:20]) if names else env._("none")
