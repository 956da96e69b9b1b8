"""Tables as people hand them in: the rows of a CSV or Excel file, one after the other.

A file comes from outside: nothing in it is trusted.  Archives that unpack to too much, XML
that declares entities, cells and rows without end are refused before they cost anything,
and a formula is read as the value that stood in its cell when the file was saved.
"""

import csv
import datetime
import io
import re
import zipfile
import zlib
from typing import NamedTuple
from xml.parsers import expat

from odoo.exceptions import UserError

from . import xlsx_file

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 200
#: a cell of Excel holds no more
LONGEST_CELL = 32_767
#: what readers of archives and workbooks raise over broken ones
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
_TEXT_TYPES = ("csv", "tsv", "txt")
_ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
#: the beginning of a web page, or of XML, which some systems call .xls too
_MARKUP = re.compile(rb"\s*<")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")


class Row(NamedTuple):
    """One row: where it stands (from 1, as spreadsheets count), and its cells as text."""

    line: int
    cells: list


def read_rows(env, content, filename, most_rows=MOST_ROWS, most_bytes=MOST_BYTES):
    """Read a table row by row; empty rows are left out.

    CSV (comma, semicolon or tab; UTF-8, UTF-16 with its mark, or GB18030) or Excel (the first
    sheet that is not hidden).  Which it is, is told by the content first, then by the name.

    :param bytes content: the file
    :param str filename: its name, for messages and for its type
    :param int most_rows: more rows than that are refused
    :param int most_bytes: a larger file is refused
    :return: iterator of :class:`Row`; cells are stripped texts, dates as ``2026-06-30`` (with the time, where there
        is one, as ``2026-06-30 17:00:00``), whole numbers without ``.0``
    :raise UserError: with the name of the file and the row, when it cannot be read; at the first row
        for most, on the way for what only shows there
    """
    name = filename or env._("The file")
    if len(content) > most_bytes:
        raise UserError(env._("%(file)s is larger than %(limit)s MB.", file=name, limit=most_bytes // 1024**2))
    if not content.strip():
        raise UserError(env._("%(file)s is empty.", file=name))
    kind = name.lower().rpartition(".")[2]
    if content.startswith(_OLD_EXCEL):
        raise UserError(_tell_protected(env, name))
    if content.startswith(_ARCHIVE) or kind == "xlsx":
        rows = _read_workbook(env, content, name)
    elif kind in _TEXT_TYPES or (kind == "xls" and _is_text(content)):
        # Many systems call their CSV files .xls.
        rows = _read_csv(env, decode(env, content, name), name)
    else:
        raise UserError(
            env._("%(file)s is neither CSV nor Excel (.xlsx). Save it as one of these.", file=name),
        )
    return _bounded(env, rows, name, most_rows)


def _is_text(content):
    """Whether a file that is called .xls is plain text; what is in UTF-16 says so by its mark."""
    head = content[:4096]
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return not _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")) and (marked or not _CONTROLS.search(head))


def _bounded(env, rows, name, most_rows):
    """The rows that say something, not more than allowed, each within bounds."""
    count = 0
    for line, cells in rows:
        if not any(cells):
            continue
        count += 1
        if count > most_rows:
            raise UserError(
                env._("%(file)s has more than %(limit)s rows. Split it.", file=name, limit=f"{most_rows:,}")
            )
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise UserError(
                env._(
                    "A cell in row %(row)s of %(file)s is longer than %(limit)s characters.",
                    row=line,
                    file=name,
                    limit=f"{LONGEST_CELL:,}",
                )
            )
        yield Row(line, cells)


# -- text ------------------------------------------------------------------------------


def decode(env, content, name):
    """The text of a file in UTF-8, UTF-16 with its mark, or GB18030.

    :raise UserError: naming the row, when it is none of these
    """
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise UserError(
        env._(
            "Row %(row)s of %(file)s cannot be read: the file is neither in UTF-8 nor in GB18030.",
            row=_find_unreadable(content),
            file=name,
        )
    )


def _find_unreadable(content):
    for number, line in enumerate(content.splitlines(), 1):
        try:
            if "\x00" in line.decode("gb18030"):
                return number
        except UnicodeDecodeError:
            return number
    return 1


def _read_csv(env, text, name):
    """Rows of a CSV file with the number of the line that each ends on."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    # Strict: a quotation mark left open would make one cell of all that follows, and lose its rows in silence.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    ended = 0
    try:
        for row in reader:
            ended = reader.line_num
            yield ended, [cell.strip() for cell in row[:MOST_COLUMNS]]
    except csv.Error as error:
        raise UserError(
            env._(
                "Row %(row)s of %(file)s cannot be read as CSV: a quotation mark is left open, or a cell is too long.",
                row=ended + 1,
                file=name,
            )
        ) from error


# -- workbooks -------------------------------------------------------------------------


def _read_workbook(env, content, name):
    """The rows of the first visible sheet of a workbook, read as a stream."""
    try:
        for line, cells in xlsx_file.read_cells(content, MOST_COLUMNS, LONGEST_CELL):
            yield line, [_to_text(cell) for cell in cells]
    except xlsx_file.DeclarationError as error:
        raise UserError(
            env._(
                "%(file)s holds declarations (DOCTYPE) that no spreadsheet program writes. It is not opened.", file=name
            )
        ) from error
    except xlsx_file.SizeError as error:
        raise UserError(
            env._(
                "%(file)s unpacks to more than %(limit)s MB. Keep the columns that are needed only.",
                file=name,
                limit=xlsx_file.MOST_UNPACKED // 1024**2,
            )
        ) from error
    except xlsx_file.PasswordError as error:
        raise UserError(_tell_protected(env, name)) from error
    except _BROKEN as error:
        raise UserError(
            env._("%(file)s cannot be opened as an Excel workbook (.xlsx): it is damaged.", file=name)
        ) from error


def _tell_protected(env, name):
    return env._(
        "%(file)s is neither CSV nor Excel (.xlsx): it is of the old kind (.xls), or protected by a password. "
        "Save it as .xlsx without a password, or as CSV.",
        file=name,
    )


def _to_text(value):
    """The value of a cell as text."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d" if value.time() == datetime.time() else "%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
