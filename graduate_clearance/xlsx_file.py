"""The cells of an Excel workbook (.xlsx), read as a stream.

Libraries build trees of what they read: a file of some kilobytes can make them take a gigabyte, or count through two
billion empty rows.  This reader keeps one row at a time and the texts of the workbook, reads no part that it does
not need, and stops at the first declaration of a document type, where entities are declared.
"""

import io
import posixpath
import re
import zipfile
from collections import deque
from datetime import datetime, time, timedelta
from xml.parsers import expat

#: what the parts of a workbook may grow to when unpacked, and how many there may be
MOST_UNPACKED = 60 * 1024 * 1024
MOST_PARTS = 2_000
#: as many as Excel has
MOST_ROWS = 1_048_576
#: more than that are formats of empty cells
_MOST_CELLS = 10_000_000
_MOST_TEXTS = 3_000_000
#: digits of a number that still is one
_LONGEST_NUMBER = 300
#: large, because expat begins anew with each piece when something in it has no end
_CHUNK = 1024 * 1024
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PASSWORD = 0x1
_SPREADSHEETS = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]+")
_INTEGER = re.compile(r"-?[0-9]{1,15}")
#: formats of dates and times that Excel knows by number; 27 to 36 and 50 to 58 in Chinese, Japanese and Korean
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
#: in a format: what is quoted, escaped, or a colour, a condition or a locale says nothing of dates
_NO_DATE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 -- cells have no zone


class DeclarationError(ValueError):
    """A part declares a document type, which no spreadsheet program does."""


class SizeError(ValueError):
    """The workbook unpacks to more than it may."""


class PasswordError(ValueError):
    """The workbook is protected by a password."""


def read_cells(content, most_columns, longest):
    """Rows of the first sheet that is not hidden.

    A formula is read as the value that was saved with it.

    :param bytes content: the file
    :param int most_columns: what stands further to the right is left out
    :param int longest: longer texts are cut one character after that
    :return: iterator of pairs: number of the row (from 1), and list of its cells up to the last that is not empty:
        texts, numbers, ``datetime``, ``time``, or None
    :raise DeclarationError, SizeError, PasswordError: see there
    :raise Exception: of many kinds, when the file is broken
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_archive(archive)
        book = _find_target(archive, "", "officeDocument") or "xl/workbook.xml"
        sheet, has_1904 = _find_sheet(archive, book)
        texts = _find_target(archive, book, "sharedStrings")
        styles = _find_target(archive, book, "styles")
        parser = _SheetParser(
            _read_texts(archive, texts, longest) if texts in archive.NameToInfo else [],
            _read_date_styles(archive, styles) if styles in archive.NameToInfo else set(),
            _EPOCHS[has_1904],
            most_columns,
            longest,
        )
        for _piece in _parse(archive, sheet, parser):
            while parser.rows:
                yield parser.rows.popleft()


def _check_archive(archive):
    """Look at the directory before anything is unpacked; its sizes bind: no more is ever read of a part."""
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise SizeError
    if any(part.flag_bits & _PASSWORD for part in parts):
        raise PasswordError
    if any(part.compress_type not in _PACKED for part in parts):
        # Others unpack a piece to any size before it can be counted; no spreadsheet program uses them.
        raise zipfile.BadZipFile


def _parse(archive, part, handler):
    """Parse a part piece by piece, with the methods ``start``, ``end`` and ``text`` of ``handler``.

    :return: iterator that goes on with each piece
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    with archive.open(part) as stream:
        while piece := stream.read(_CHUNK):
            parser.Parse(piece)
            yield
        parser.Parse(b"", True)
    yield


def _refuse_declaration(*_declaration):
    raise DeclarationError


def _local(name):
    return name.rpartition(" ")[2]


class _Elements:
    """Elements of a small part: pairs of their name and attributes, without namespaces."""

    def __init__(self, archive, part):
        self.found = []
        for _piece in _parse(archive, part, self):
            pass

    def start(self, tag, attributes):
        if len(self.found) > 100_000:
            raise SizeError
        self.found.append((_local(tag), {_local(name): value for name, value in attributes.items()}))

    def end(self, tag):
        pass

    def text(self, text):
        pass


def _get_relations(archive, part):
    """Relations of a part: dict of id by (kind, path)."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in archive.NameToInfo:
        return {}
    relations = {}
    for tag, attributes in _Elements(archive, path).found:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            target = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = attributes.get("Type", "").rpartition("/")[2]
            relations[attributes.get("Id")] = (kind, posixpath.normpath(target))
    return relations


def _find_target(archive, part, kind):
    """The first part of a kind that a part names, or None."""
    return next((path for found, path in _get_relations(archive, part).values() if found == kind), None)


def _find_sheet(archive, book):
    """Path of the first visible worksheet, and whether dates count from 1904."""
    relations = _get_relations(archive, book)
    has_1904, visible, hidden = False, [], []
    for tag, attributes in _Elements(archive, book).found:
        if tag == "workbookPr":
            has_1904 = attributes.get("date1904") in ("1", "true")
        elif tag == "sheet":
            kind, path = relations.get(attributes.get("id"), (None, None))
            if kind == "worksheet" and path in archive.NameToInfo:
                (visible if attributes.get("state", "visible") == "visible" else hidden).append(path)
    return (visible + hidden)[0], has_1904


class _TextParser:
    """Texts that cells share; those of one text in several fonts are joined, how it is pronounced is left out."""

    def __init__(self, longest):
        self.texts = []
        self._longest = longest
        self._parts = []
        self._size = 0
        self._is_text = self._is_sound = False

    def start(self, tag, _attributes):
        name = _local(tag)
        if name == "si":
            self._parts, self._size = [], 0
            if len(self.texts) >= _MOST_TEXTS:
                raise SizeError
        elif name == "rPh":
            self._is_sound = True
        elif name == "t":
            self._is_text = not self._is_sound

    def end(self, tag):
        name = _local(tag)
        if name == "t":
            self._is_text = False
        elif name == "rPh":
            self._is_sound = False
        elif name == "si":
            self.texts.append("".join(self._parts)[: self._longest + 1])

    def text(self, text):
        if self._is_text and self._size <= self._longest:
            self._parts.append(text)
            self._size += len(text)


def _read_texts(archive, part, longest):
    parser = _TextParser(longest)
    for _piece in _parse(archive, part, parser):
        pass
    return parser.texts


def _read_date_styles(archive, part):
    """Numbers of the styles that show a number as a date."""
    formats, styles, is_cell = set(_DATE_FORMATS), set(), False
    count = 0
    for tag, attributes in _Elements(archive, part).found:
        if tag == "numFmt":
            number = int(attributes["numFmtId"])
            formats.discard(number)
            if re.search(r"[dmyhs]", _NO_DATE.sub("", attributes.get("formatCode", "")), re.IGNORECASE):
                formats.add(number)
        elif tag in ("cellStyleXfs", "cellXfs"):
            is_cell = tag == "cellXfs"
        elif tag == "cellStyles":
            is_cell = False
        elif tag == "xf" and is_cell:
            if int(attributes.get("numFmtId", 0)) in formats:
                styles.add(str(count))
            count += 1
    return styles


class _SheetParser:
    """Rows of a sheet, which gather in ``rows`` while it is parsed."""

    _ROW, _CELL, _VALUE, _TEXT, _SOUND = (
        {f"{space} {name}" for space in _SPREADSHEETS} for name in ("row", "c", "v", "t", "rPh")
    )

    def __init__(self, texts, date_styles, epoch, most_columns, longest):
        self.rows = deque()
        self._texts = texts
        self._date_styles = date_styles
        self._epoch = epoch
        self._most_columns = most_columns
        self._longest = longest
        self._line = self._column = self._count = 0
        self._cells = []
        self._kind = self._style = None
        self._parts, self._size = [], 0
        self._is_open = self._is_sound = False

    def start(self, tag, attributes):
        if tag in self._CELL:
            self._start_cell(attributes)
        elif tag in self._VALUE:
            self._is_open = self._kind != "inlineStr"
        elif tag in self._TEXT:
            self._is_open = self._kind == "inlineStr" and not self._is_sound
        elif tag in self._ROW:
            self._line = int(attributes["r"]) if "r" in attributes else self._line + 1
            if not 0 < self._line <= MOST_ROWS:
                raise SizeError
            self._cells, self._column = [], 0
        elif tag in self._SOUND:
            self._is_sound = True

    def end(self, tag):
        if tag in self._VALUE or tag in self._TEXT:
            self._is_open = False
        elif tag in self._CELL:
            if self._parts and self._column <= self._most_columns:
                self._cells += [None] * (self._column - len(self._cells))
                self._cells[self._column - 1] = self._read(("".join(self._parts))[: self._longest + 1])
        elif tag in self._ROW:
            if self._cells:
                self.rows.append((self._line, self._cells))
        elif tag in self._SOUND:
            self._is_sound = False

    def text(self, text):
        if self._is_open and self._size <= self._longest:
            self._parts.append(text)
            self._size += len(text)

    def _start_cell(self, attributes):
        self._count += 1
        if self._count > _MOST_CELLS:
            raise SizeError
        reference = attributes.get("r")
        self._column = _read_column(reference) if reference else self._column + 1
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s")
        if self._parts:
            self._parts = []
        self._size = 0

    def _read(self, text):
        """The value of a cell, by what kind it says it is."""
        if self._kind == "n":
            return self._read_number(text)
        if self._kind == "s":
            return self._texts[int(text)]
        if self._kind == "d":
            return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)
        return text  # t="b" holds 1 or 0, t="e" the name of an error

    def _read_number(self, text):
        text = text.strip()
        if not text:
            return None
        if len(text) > _LONGEST_NUMBER:
            return text
        if self._style in self._date_styles:
            return _read_date(float(text), self._epoch)
        return int(text) if _INTEGER.fullmatch(text) else float(text)


def _read_column(reference):
    """The number of a column (from 1) out of a reference such as ``AB12``."""
    letters = _REFERENCE.fullmatch(reference)[1]
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _read_date(number, epoch):
    """A moment out of the days since the epoch; less than a day is a time of the day, what is none stays a number."""
    if not 0 <= number < 2_958_466:  # 9999-12-31
        return number
    # Excel has a 29 February 1900.
    days = number + 1 if epoch.year < 1904 and 1 <= number < 60 else number
    moment = epoch + timedelta(seconds=round(days * 86_400))
    return moment.time() if number < 1 and moment.time() != time() else moment
