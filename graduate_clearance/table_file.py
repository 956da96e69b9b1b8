"""Tables as people hand them in: the rows of a CSV or Excel file, one after the other.

A file comes from outside: nothing in it is trusted.  Archives that unpack to too much, XML
that declares entities, cells and rows without end are refused before they cost anything,
and a formula is read as the value that stood in its cell when the file was saved.
"""

import csv
import datetime
import io
import zipfile
import zlib
from typing import NamedTuple
from xml.parsers import expat

from odoo.exceptions import UserError

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 200
#: a cell of Excel holds no more
LONGEST_CELL = 32_767
#: what a workbook may grow to when unpacked, and of how many parts it may consist
_MOST_UNPACKED = 60 * 1024 * 1024
_MOST_PARTS = 2_000
_CHUNK = 16 * 1024
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


class Row(NamedTuple):
    """One row: where it stands (from 1, as spreadsheets count), and its cells as text."""

    line: int
    cells: list


class _EntitiesError(ValueError):
    """An XML part declares a document type, which no spreadsheet program does."""


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
    if content.startswith(b"PK") or kind == "xlsx":
        rows = _read_workbook(env, content, name)
    elif kind in _TEXT_TYPES and not content.startswith(b"\xd0\xcf\x11\xe0"):
        rows = _read_csv(env, decode(env, content, name), name)
    else:
        raise UserError(
            env._("%(file)s is neither CSV nor Excel (.xlsx). Save it as one of these.", file=name),
        )
    return _bounded(env, rows, name, most_rows)


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
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        for row in reader:
            yield reader.line_num, [cell.strip() for cell in row[:MOST_COLUMNS]]
    except csv.Error as error:
        raise UserError(
            env._(
                "Row %(row)s of %(file)s cannot be read as CSV: a quotation mark is left open, or a cell is too long.",
                row=reader.line_num,
                file=name,
            )
        ) from error


# -- workbooks -------------------------------------------------------------------------


def _read_workbook(env, content, name):
    """The rows of the first visible sheet of a workbook, read as a stream."""
    import openpyxl

    try:
        _check_archive(env, content, name)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheets = book.worksheets
            sheet = next((sheet for sheet in sheets if sheet.sheet_state == "visible"), sheets[0])
            sheet.reset_dimensions()
            rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
            for line, cells in enumerate(rows, 1):
                yield line, [_to_text(cell) for cell in cells]
        finally:
            book.close()
    except _EntitiesError as error:
        raise UserError(
            env._(
                "%(file)s holds declarations (DOCTYPE) that no spreadsheet program writes. It is not opened.", file=name
            )
        ) from error
    except _BROKEN as error:
        raise UserError(
            env._("%(file)s cannot be opened as an Excel workbook (.xlsx): it is damaged.", file=name)
        ) from error


def _check_archive(env, content, name):
    """Look at the directory of the archive and at the beginning of its parts before anything is unpacked.

    Sizes in the directory bind: no more than that is ever read of a part.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
            raise UserError(
                env._(
                    "%(file)s unpacks to more than %(limit)s MB. Keep the columns that are needed only.",
                    file=name,
                    limit=_MOST_UNPACKED // 1024**2,
                )
            )
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                _check_xml(archive, part)


def _check_xml(archive, part):
    """Read an XML part up to its first element: what declares entities does so before it.

    :raise _EntitiesError: when it declares a document type
    """
    found = []

    def refuse(*_declaration):
        raise _EntitiesError(part.filename)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda tag, _attributes: found.append(tag)
    with archive.open(part) as stream:
        while not found and (chunk := stream.read(_CHUNK)):
            parser.Parse(chunk)


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
