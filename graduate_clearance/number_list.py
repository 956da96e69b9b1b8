"""Student numbers as people hand them in: pasted, or in a text, CSV or Excel file."""

import re
import unicodedata
from typing import NamedTuple

from odoo.exceptions import UserError

from .table_file import MOST_COLUMNS, decode, read_rows

#: more than any campus graduates in a year
MOST_NUMBERS = 50_000
MOST_BYTES = 5 * 1024 * 1024
_LONGEST = 64
#: how the column is headed, without spaces and punctuation
_HEADERS = {
    "studentnumber",
    "studentno",
    "studentid",
    "studentnr",
    "number",
    "学号",
    "学生学号",
    "学籍号",
    "學號",
}
_SEPARATORS = re.compile(r"[\s,;|，；、]+")


class Given(NamedTuple):
    """One student number, and the line or row where it stands (from 1)."""

    line: int
    number: str


def clean_number(text):
    """A number without what spreadsheets and input methods add to it.

    Full-width digits become plain ones, quotes and blanks around it are dropped, and so
    is the ``.0`` of a number that a spreadsheet took for one.
    """
    text = unicodedata.normalize("NFKC", str(text)).strip().strip("'\"`\u200b\ufeff").strip()
    return re.sub(r"^(\d+)\.0+$", r"\1", text)[:_LONGEST]


def parse_text(env, text):
    """Read pasted student numbers.

    One or several a line, with whatever between them.  Lines copied from a spreadsheet
    (with tabs) are read as its rows.  In a line with numbers, words without a digit are
    taken for names and passed over.

    :param str text: what was pasted
    :return: list of :class:`Given` in the order of the text, repetitions included
    :raise UserError: when there are too many
    """
    lines = (text or "").splitlines()
    if any("\t" in line for line in lines):
        return _parse_rows(env, ((number, line.split("\t")) for number, line in enumerate(lines, 1)))
    given = []
    for number, line in enumerate(lines, 1):
        words = [word for word in map(clean_number, _SEPARATORS.split(line)) if word]
        given += [Given(number, word) for word in words if _has_digit(word)] or [
            Given(number, word) for word in words if not _is_header(word)
        ]
        _check_count(env, len(given))
    return given


def parse_file(env, content, filename):
    """Read student numbers from an uploaded file.

    Text (one or several numbers a line), CSV or Excel (the column whose header says
    student number or 学号, else the first one), in UTF-8, UTF-16 with its mark, or GB18030.

    :param bytes content: the file
    :param str filename: its name, which tells its type
    :return: list of :class:`Given`
    :raise UserError: with the reason, naming the row, when it cannot be read
    """
    name = filename or env._("The file")
    if name.lower().endswith(".txt") and content.strip() and not content.startswith(b"PK"):
        if len(content) > MOST_BYTES:
            raise UserError(env._("%(file)s is larger than %(limit)s MB.", file=name, limit=MOST_BYTES // 1024**2))
        return _not_nothing(env, name, parse_text(env, decode(env, content, name)))
    rows = read_rows(env, content, name, most_bytes=MOST_BYTES)
    return _not_nothing(env, name, _parse_rows(env, rows))


def _has_digit(text):
    return any(char.isdigit() for char in text)


def _is_header(text):
    return re.sub(r"[\s._\-:：]", "", str(text)).lower() in _HEADERS


def _check_count(env, count):
    if count > MOST_NUMBERS:
        raise UserError(env._("These are more than %s student numbers. Split the list.", f"{MOST_NUMBERS:,}"))


def _not_nothing(env, name, given):
    if not given:
        raise UserError(env._("There is no student number in %(file)s.", file=name))
    return given


def _parse_rows(env, rows):
    """Take the column of student numbers out of a table.

    :param rows: iterable of pairs ``(row number, list of cells)``
    """
    given, column, begun = [], 0, False
    for line, cells in rows:
        cells = ["" if cell is None else clean_number(cell) for cell in cells[:MOST_COLUMNS]]
        if not any(cells):
            continue
        if not begun:
            begun = True
            header = next((index for index, cell in enumerate(cells) if _is_header(cell)), None)
            if header is not None:
                column = header
                continue
            if not _has_digit(cells[0]) and not any(map(_has_digit, cells)):
                continue  # headed by other words
        if column < len(cells) and cells[column]:
            given.append(Given(line, cells[column]))
            _check_count(env, len(given))
    return given
