"""Workbooks of one look: frozen headers, filters, the legend's colours, text that stays text.

Rows are written to the disk as they come: a workbook of ten thousand graduates takes no more memory than one of
a hundred.  Whatever comes from people is written as text, whatever it begins with: no cell ever becomes a
formula, a link or a number by itself, neither when the file is opened nor when somebody edits the cell.
"""

import datetime
import math
import re
import tempfile
import unicodedata
from typing import NamedTuple

import pytz
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: Excel's own bounds
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767
_LONGEST_SHEET_NAME = 31
_MOST_DIGITS = 15
_LONGEST_CHOICES = 255

#: one sign a state, as close to the icons of static/src/legend/legend.scss as fonts of spreadsheets go
ICONS = {
    "pending": "↓",
    "submitted": "➤",
    "rejected": "✗",
    "approved": "✓",
    "optional": "○",
    "not_required": "–",
    "review": "◎",
    "lifted": "◇",
    "open": "↓",
    "cleared": "✓",
    "deferred": "◇",
    "withdrawn": "⊘",
}
#: states of a form look like the state of a step that they are like, as in legend.scss
_LIKE = {"open": "pending", "cleared": "approved", "deferred": "lifted"}
_WITHDRAWN = ("#3f464c", "#e9ecef", "#adb5bd")

#: what a cell of each kind looks like, and how wide (in characters) its column is at least
_KINDS = {
    "text": ({"num_format": "@", "valign": "top"}, 8),
    "note": ({"num_format": "@", "valign": "top", "text_wrap": True}, 40),
    "number": ({"num_format": "#,##0", "valign": "top"}, 9),
    "bracket": ({"num_format": "(#,##0);-#,##0;;", "valign": "top"}, 9),
    "money": ({"num_format": "#,##0.00", "valign": "top"}, 12),
    "date": ({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"}, 12),
    "datetime": ({"num_format": "yyyy-mm-dd hh:mm", "valign": "top", "align": "left"}, 18),
    "percent": ({"num_format": "0.0%", "valign": "top"}, 9),
    "state": ({"num_format": "@", "valign": "top", "border": 1}, 15),
}
#: what ``styles`` of a row may name, besides the states of the legend
_STYLES = {
    "bold": {"bold": True},
    "total": {"bold": True, "top": 1, "bg_color": "#f1f3f5"},
    "muted": {"font_color": "#6c757d"},
}
_HEADER = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "bg_color": "#e9ecef"}
_HIDDEN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]+")
_WIDEST = 48
_WIDEST_HEADER = 18
_LINE_HEIGHT = 15
#: the arrow of the filter covers so much of a header
_ARROW = 3


class Column(NamedTuple):
    """A column of a sheet.

    ``name`` is the header, translated; ``width`` is in characters, of which Chinese ones count
    double (None: what header, kind and the texts need); ``kind`` says what its cells hold:

    - ``text``; ``note``: text that may be long, in several lines
    - ``number``, ``money``: int or float
    - ``bracket``: a number shown in brackets, 0 not at all: of these, graduates of an earlier year
    - ``percent``: 1.0 is 100 %
    - ``date``: a date; ``datetime``: a datetime in UTC, shown in the zone of the campus
    - ``state``: a state of a step (``approved``, ``review``, ``lifted`` …) or of a form (``cleared`` …)

    Whatever does not fit the kind is written as text.
    """

    name: str
    width: float | None = None
    kind: str = "text"


class Workbook:
    """A workbook that is written as a stream::

        with Workbook(env, company) as book:
            sheet = book.sheet(env._("Due list"), [Column(env._("Name")), Column(env._("State"), kind="state")])
            sheet.rows(rows)
        book.content

    :param env: whose language the words of the legend are in
    :param company: the campus (``res.company``): its words, its colours, its zone; None: the user's current one
    :param file: path or open binary file to write to; None: a temporary file, which lives as long as the book
    :param str title: of the document's properties
    """

    def __init__(self, env, company=None, file=None, title=None):
        self.env = env
        self.company = company or env.company
        # sudo: the zone of a campus is no secret.
        self.zone = pytz.timezone(self.company.sudo().partner_id.tz or "UTC")
        # Open beyond this method: it lives as long as the book.
        self._file = None if file else tempfile.NamedTemporaryFile(suffix=".xlsx")  # noqa: SIM115
        self._target = file or self._file.name
        # Of its own: xlsxwriter leaves its rows lying about when a workbook is given up half way.
        self._rows = tempfile.TemporaryDirectory()
        self._book = xlsxwriter.Workbook(
            self._target,
            {
                "constant_memory": True,
                "tmpdir": self._rows.name,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        # sudo: the name of the campus.
        self._book.set_properties({"title": clean(title or ""), "company": clean(self.company.sudo().name or "")})
        self._sheets = []
        self._names = set()
        self._formats = {}
        self._choices = None
        words = env["clearance.legend"]._get_words(self.company)
        colors = env["clearance.legend"]._get_changes(self.company)["colors"]
        forms = dict(env["clearance.form"]._fields["state"]._description_selection(env))
        self._words = {state: f"{icon} {words.get(state) or forms.get(state)}" for state, icon in ICONS.items()}
        self._colors = {state: self._get_colors(state, colors) for state in ICONS}

    def __enter__(self):
        return self

    def __exit__(self, error_type, error, traceback):
        try:
            if error_type is None:
                for sheet in self._sheets:
                    sheet._finish()
                self._book.close()
        finally:
            # Nothing that refers to the book is left in it: its file goes away as soon as the book does.
            self._sheets.clear()
            self._rows.cleanup()
            if error_type is not None and self._file:
                self._file.close()

    @property
    def path(self):
        """Where the finished file lies; it goes away with the book, unless the caller had named a file."""
        return self._target

    @property
    def content(self):
        """The finished file as bytes; only of a book without a file of the caller."""
        with open(self._target, "rb") as file:
            return file.read()

    def sheet(
        self,
        name,
        columns,
        title=None,
        notes=(),
        freeze=None,
        autofilter=True,
        protect=False,
        validations=None,
        hidden=(),
        unlocked=(),
        bands=(),
    ):
        """Begin a sheet; several may be written at a time.

        :param str name: made legal and unique
        :param columns: list of :class:`Column`
        :param str title: in large above the header
        :param notes: lines below the title, such as as of when and who exported
        :param freeze: ``(rows, columns)`` that stay while the rest is scrolled; None: everything down to the
            header.  Rows count from the first of the sheet; fewer than down to the header are taken for that.
        :param bool autofilter: a filter over the header
        :param bool protect: cells cannot be changed by mistake, but for ``unlocked`` and ``validations``; filters,
            sorting and widths can.  No password: it protects from slips, not from people.
        :param dict validations: ``{column index: [choices]}``
        :param hidden: indexes of columns that are not shown
        :param unlocked: indexes of columns that stay open in a protected sheet
        :param bands: ``(label, number of columns)`` each, above the header, from the first column on
        :return: :class:`Sheet`
        """
        sheet = Sheet(
            self,
            name,
            list(columns),
            title=title,
            notes=notes,
            freeze=freeze,
            autofilter=autofilter,
            protect=protect,
            validations=validations or {},
            hidden=hidden,
            unlocked=unlocked,
            bands=bands,
        )
        self._sheets.append(sheet)
        return sheet

    def add_legend(self):
        """A sheet that says what signs, words and colours mean."""
        meanings = {
            "pending": self.env._("Not settled."),
            "submitted": self.env._(
                "The graduate has sent what the step asks for; staff must look at it. Not settled."
            ),
            "rejected": self.env._("Refused, with a reason. Not settled."),
            "approved": self.env._("Settled."),
            "optional": self.env._("May be settled or not; blocks nothing."),
            "not_required": self.env._("Does not concern the graduate."),
            "review": self.env._("Was approved; a step that it relies on has been reopened since."),
            "lifted": self.env._("Not settled, but does not hold back later steps: a deferral is in force."),
        }
        columns = [Column(self.env._("Legend"), kind="state", width=22), Column(self.env._("Meaning"), width=80)]
        sheet = self.sheet(self.env._("Legend"), columns, autofilter=False)
        sheet.rows(meanings.items())
        return sheet

    # -- for sheets ------------------------------------------------------------------------

    def _add_worksheet(self, name):
        """A worksheet with a name that Excel takes: no forbidden signs, 31 characters, none twice."""
        name = " ".join(_NOT_IN_SHEET_NAMES.sub(" ", clean(name)).split()).strip("' ") or "Sheet"
        if name.lower() == "history":  # Excel keeps this name for itself.
            name += "."
        if len(name) > _LONGEST_SHEET_NAME:
            # Names of desks of one kind differ at the beginning or at the end.
            name = f"{name[:15]}…{name[-15:]}"
        unique, number = name, 1
        while unique.casefold() in self._names:
            number += 1
            ending = f" ({number})"
            unique = name[: _LONGEST_SHEET_NAME - len(ending)] + ending
        self._names.add(unique.casefold())
        return self._book.add_worksheet(unique)

    def _format(self, kind, style=None, unlocked=False):
        """The format of a kind of cell, made once; ``style``: one of :data:`_STYLES` or a state."""
        key = (kind, style, unlocked)
        if key not in self._formats:
            properties = dict(_KINDS[kind][0])
            if style in self._colors:
                text, background, border = self._colors[style]
                properties |= {"font_color": text, "bg_color": background, "border": 1, "border_color": border}
            elif style:
                properties |= _STYLES[style]
            if unlocked:
                properties["locked"] = False
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]

    def _plain_format(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(properties)
        return self._formats[key]

    def _get_colors(self, state, changed):
        """Text, background and border of a state on this campus."""
        # Not above: models import this file while they are being loaded themselves.
        from .models.clearance_legend import COLORS

        if state == "withdrawn":
            return _WITHDRAWN
        state = _LIKE.get(state, state)
        usual = zip(("text", "background", "border"), COLORS[state], strict=True)
        return tuple(changed.get(state, {}).get(part, color) for part, color in usual)

    def _get_word(self, state):
        """Sign and word of a state as a cell shows them; None when it is no state."""
        return self._words.get(state) if isinstance(state, str) else None

    def _to_local(self, moment):
        """A moment in UTC as the clocks of the campus show it, without a zone: Excel knows none."""
        if moment.tzinfo is None:
            moment = pytz.utc.localize(moment)
        return moment.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def _list_source(self, choices):
        """What a validation draws its list from: the choices, or a hidden sheet where they do not fit."""
        choices = [clean(choice) for choice in choices]
        short = len(",".join(choices)) <= _LONGEST_CHOICES
        if short and not any("," in choice or '"' in choice or choice.startswith("=") for choice in choices):
            return choices
        if self._choices is None:
            self._choices = [self._add_worksheet("_choices"), 0]
            self._choices[0].hide()
        worksheet, line = self._choices
        # One list a row: a sheet in constant memory is written from the top.
        for index, choice in enumerate(choices):
            worksheet.write_string(line, index, choice, self._format("text"))
        self._choices[1] += 1
        last = xl_col_to_name(len(choices) - 1)
        return f"='{worksheet.get_name()}'!$A${line + 1}:${last}${line + 1}"


class Sheet:
    """A sheet of a :class:`Workbook`; goes on in another one where Excel has no more rows."""

    def __init__(self, book, name, columns, **options):
        self._book = book
        self._name = name
        self._columns = columns
        self._options = options
        self._unlocked = {*options["validations"], *options["unlocked"]} if options["protect"] else set()
        self._kinds = [column.kind for column in columns]
        # Functions, not methods: these would keep the sheet, and with it the book and its file, from going away.
        self._writers = [getattr(Sheet, f"_write_{_WRITERS[kind]}") for kind in self._kinds]
        self._usual = [book._format(kind, unlocked=i in self._unlocked) for i, kind in enumerate(self._kinds)]
        self._states = {}
        self.count = 0
        self._begin()

    def rows(self, rows, styles=None):
        """Write rows, one after the other; parameters as in :meth:`row`."""
        for values in rows:
            self.row(values, styles)

    def row(self, values, styles=None):
        """Write one row.

        :param values: one value a column; None, False and ``""`` leave the cell empty
        :param styles: ``bold``, ``total``, ``muted`` or a state, for the whole row; or ``{column index: style}``
        """
        if self._line >= MOST_ROWS:
            self._finish()
            self._begin()
        line = self._line
        self._line += 1
        self.count += 1
        if styles is None:
            for index, (write, value, look) in enumerate(zip(self._writers, values, self._usual, strict=False)):
                write(self, line, index, value, look)
            return
        for index, (write, value) in enumerate(zip(self._writers, values, strict=False)):
            style = styles if isinstance(styles, str) else styles.get(index)
            look = self._book._format(self._kinds[index], style, index in self._unlocked)
            write(self, line, index, value, look)

    # -- head and end ----------------------------------------------------------------------

    def _begin(self):
        """A worksheet with title, notes and header."""
        self._sheet = self._book._add_worksheet(self._name)
        self._widths = [self._get_width(column) for column in self._columns]
        # Widths that the caller has set stay; the others grow with the texts.
        self._grown = [
            None if column.width is not None or column.kind != "text" else width
            for column, width in zip(self._columns, self._widths, strict=True)
        ]
        line = self._write_title()
        line = self._write_bands(line)
        self._write_header(line)
        self._header_line = line
        self._line = line + 1

    def _get_width(self, column):
        if column.width is not None:
            return column.width
        return max(_KINDS[column.kind][1], min(text_width(column.name) + _ARROW, _WIDEST_HEADER))

    def _write_title(self):
        line = 0
        if self._options["title"]:
            self._sheet.set_row(line, 24)
            self._sheet.write_string(
                line, 0, clean(self._options["title"]), self._book._plain_format(bold=True, font_size=14)
            )
            line += 1
        for note in self._options["notes"]:
            self._sheet.write_string(line, 0, clean(note), self._book._plain_format(font_color="#495057"))
            line += 1
        return line

    def _write_bands(self, line):
        if not self._options["bands"]:
            return line
        look = self._book._plain_format(**_HEADER, align="center")
        column = 0
        for label, count in self._options["bands"]:
            if label and count > 1:
                self._sheet.merge_range(line, column, line, column + count - 1, "", look)
            if label:
                self._sheet.write_string(line, column, clean(label), look)
            column += count
        return line + 1

    def _write_header(self, line):
        arrow = _ARROW if self._options["autofilter"] else 0
        lines = [
            math.ceil(text_width(column.name) / max(1, width - arrow))
            for column, width in zip(self._columns, self._widths, strict=True)
        ]
        self._sheet.set_row(line, _LINE_HEIGHT * max(lines, default=1) + 6)
        look = self._book._plain_format(**_HEADER)
        for index, column in enumerate(self._columns):
            self._sheet.write_string(line, index, clean(column.name), look)

    def _finish(self):
        """What depends on how many rows there are."""
        sheet, options, header = self._sheet, self._options, self._header_line
        last, width = max(self._line - 1, header), len(self._columns) - 1
        for index, wide in enumerate(self._widths):
            if self._grown[index] is not None:
                wide = self._grown[index]
            sheet.set_column(index, index, wide, None, {"hidden": True} if index in options["hidden"] else {})
        rows, columns = options["freeze"] or (0, 0)
        sheet.freeze_panes(max(rows, header + 1), columns)
        if options["autofilter"] and width >= 0:
            sheet.autofilter(header, 0, last, width)
        for index, choices in options["validations"].items():
            source = {"validate": "list", "source": self._book._list_source(choices)}
            sheet.data_validation(header + 1, index, max(last, header + 1), index, source)
        if options["protect"]:
            allowed = ("autofilter", "sort", "format_cells", "format_columns", "format_rows")
            sheet.protect("", dict.fromkeys(allowed, True))
        if width >= 0:
            # Student numbers are texts; Excel need not point at each of them.
            cells = f"A{header + 1}:{xl_col_to_name(width)}{last + 1}"
            sheet.ignore_errors({"number_stored_as_text": cells})
        self._set_print(header, width)

    def _set_print(self, header, width):
        sheet = self._sheet
        sheet.set_paper(9)  # A4
        if width > 6:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(header)
        sheet.hide_gridlines(0)
        # 255 characters is all that a footer holds.
        name = clean(self._options["title"] or self._name).replace("&", "&&")[:200]
        sheet.set_footer(f"&L{name}&R&P / &N")

    # -- cells -----------------------------------------------------------------------------

    def _write_text(self, line, index, value, look):
        if value is None or value is False or value == "":
            self._write_empty(line, index, look)
            return
        text = clean(value if isinstance(value, str) else str(value))
        grown = self._grown[index]
        if grown is not None and grown < _WIDEST and len(text) * 2 + 1 > grown:
            self._grown[index] = min(max(grown, text_width(text) + 1), _WIDEST)
        if text.startswith("<r>") and text.endswith("</r>"):
            # xlsxwriter takes this for markup of its own; in pieces it is text like any other.
            self._sheet.write_rich_string(line, index, text[:1], text[1:2], text[2:], look)
        else:
            self._sheet.write_string(line, index, text, look)

    def _write_empty(self, line, index, look):
        """Cells that people fill in, or that are part of a coloured row, are there though empty."""
        if index in self._unlocked or look is not self._usual[index]:
            self._sheet.write_blank(line, index, None, look)

    def _write_number(self, line, index, value, look):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if fits and math.isfinite(value) and abs(value) < 10**_MOST_DIGITS:
            self._sheet.write_number(line, index, value, look)
        else:
            self._write_text(line, index, value, look)

    def _write_date(self, line, index, value, look):
        if isinstance(value, datetime.datetime):
            value = self._book._to_local(value).date()
        self._write_moment(line, index, value, look)

    def _write_datetime(self, line, index, value, look):
        if isinstance(value, datetime.datetime):
            value = self._book._to_local(value)
        self._write_moment(line, index, value, look)

    def _write_moment(self, line, index, value, look):
        # Excel's days begin in 1900.
        if isinstance(value, datetime.date) and value.year >= 1900:
            self._sheet.write_datetime(line, index, value, look)
        else:
            self._write_text(line, index, value, look)

    def _write_state(self, line, index, value, look):
        cell = self._states.get((value, index in self._unlocked))
        if cell is None:
            word = self._book._get_word(value)
            if word is None:
                self._write_text(line, index, value, look)
                return
            cell = (clean(word), self._book._format("state", value, index in self._unlocked))
            self._states[value, index in self._unlocked] = cell
        self._sheet.write_string(line, index, *cell)


#: which method writes a cell of which kind
_WRITERS = {
    "text": "text",
    "note": "text",
    "number": "number",
    "bracket": "number",
    "money": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "state": "state",
}


def clean(text):
    """A text that a cell can hold: without signs that XML forbids, not too long."""
    return _HIDDEN_TEXT.sub("", text)[:LONGEST_CELL]


def text_width(text):
    """How wide a text is, in characters of which Chinese ones count double; that of its longest line."""
    return max(
        (
            len(line)
            if line.isascii()
            else sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)
            for line in text.splitlines()
        ),
        default=0,
    )
