"""What the cells of a roster mean: words of both languages, numbers, years, ID-card numbers.

Plain functions on texts.  Each takes the text of a cell, never empty, and answers a value,
or raises :class:`CellError` with what is wrong and how to mend it.
"""

import datetime
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from odoo.fields import Date
from odoo.tools import email_normalize

from .number_list import clean_number

_LONGEST_NAME = 128
_LONGEST_NUMBER = 64
_OLDEST = 1900
_FIRST_YEAR, _LAST_YEAR = 1950, 2100
#: GB 11643: weight of each of the first 17 digits, and the check character for each remainder
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_SEPARATORS = re.compile(r"[;；、,，|\n]+")
#: what stands around or between the words of a header and says nothing: "*学号（必填）"
_HEADER_NOISE = re.compile(r"[(\[（【].*?[)\]）】]|[\s*:：._\-/、]+")

#: words for choices, whatever the language of the user; labels of the fields come on top
CHOICES = {
    "level": {
        "undergraduate": ("本科", "本科生", "普通本科", "专升本", "学士", "bachelor"),
        "postgraduate": ("研究生", "硕士", "硕士研究生", "硕士生", "博士", "博士研究生", "博士生", "master", "doctor"),
        "higher_vocational": ("高职", "专科", "大专", "高职高专", "高等职业", "higher vocational"),
        "secondary_vocational": ("中职", "中专", "中等职业", "secondary vocational"),
    },
    "gender": {"female": ("女", "女性", "f"), "male": ("男", "男性", "m"), "other": ("其他", "未知")},
    "graduation_state": {
        "due": ("毕业", "正常毕业", "应届", "应届毕业", "due"),
        "postponed": ("延期", "延期毕业", "延毕", "推迟毕业", "postponed"),
        "left": ("退学", "肄业", "未毕业离校", "离校", "left"),
    },
}
_YES = {"1", "y", "yes", "true", "是", "有", "√", "✓", "✔", "对", "x"}
_NO = {"0", "n", "no", "false", "否", "无", "没有", "×", "✗", "✘", "-"}


class CellError(ValueError):
    """A cell that cannot be taken: what is wrong, and how to mend it, both in the user's language."""

    def __init__(self, problem, remedy):
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class ImportColumn(NamedTuple):
    """A column that rosters may have.

    ``label``: its header in the user's language.  ``parse``: function of ``(text, known)`` that
    answers the value of a cell or raises :class:`CellError`; ``known`` is what the campus has
    (:class:`~.roster_known.RosterKnown`, whose ``env`` speaks the user's language).
    ``aliases``: further headers it is recognised by; the first is the one in Chinese, which
    stands in the Chinese template.  ``required``: every file has it, and every new graduate.
    ``example`` and ``help`` are shown in the template.
    """

    label: str
    parse: Callable
    aliases: tuple = ()
    required: bool = False
    example: str = ""
    help: str = ""


def fold(text):
    """A word as it is compared: full-width as half-width, capitals as small, without blanks."""
    return re.sub(r"[\s\u200b\ufeff]+", "", unicodedata.normalize("NFKC", text)).casefold()


def fold_header(text):
    """A header as it is compared: without remarks in brackets, stars and punctuation."""
    return fold(_HEADER_NOISE.sub("", unicodedata.normalize("NFKC", text))) or fold(text)


def fold_room(text):
    """The path of a room as it is compared: whatever stands between its parts, a hyphen."""
    return re.sub(r"[-/\\—–―>→]+", "-", fold(text)).strip("-")


def split_list(text):
    """The words of a cell that lists some."""
    return [word.strip() for word in _SEPARATORS.split(text) if word.strip()]


def parse_text(text, known):
    """A line of text without characters that cannot be printed."""
    return " ".join("".join(char for char in text if unicodedata.category(char)[0] != "C" or char.isspace()).split())


def parse_name(text, known):
    """A person's name, of 128 characters at most."""
    name = parse_text(text, known)
    if len(name) > _LONGEST_NAME:
        raise CellError(
            known.env._("The name is longer than %s characters.", _LONGEST_NAME),
            known.env._("Look whether a cell of another column slipped in here."),
        )
    return name


def parse_number(text, known):
    """A student number, without what spreadsheets make of it."""
    if re.fullmatch(r"\d+([.]\d+)?[eE][+]?\d+", text):
        raise CellError(
            known.env._("A spreadsheet has rounded this number, its last digits are lost."),
            known.env._("Format the column as text, and enter the numbers again."),
        )
    if len(text) > _LONGEST_NUMBER:
        raise CellError(
            known.env._("The student number is longer than %s characters.", _LONGEST_NUMBER),
            known.env._("Look whether a cell of another column slipped in here."),
        )
    return clean_number(text)


def get_check_character(digits):
    """The last character of an ID-card number (GB 11643).

    :param str digits: the 17 digits before it
    """
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11]


def parse_id_number(text, known):
    """An ID-card number of 18 characters with its birthday and check character (GB 11643), or another document's.

    Regions are not looked up: they are renamed and merged every year, and numbers keep the
    old ones.  Passports and travel permits, which have letters, are taken as they are.
    """
    number = fold(text).strip("'\"`").upper()
    if re.fullmatch(r"\d{17}[\dX]", number):
        _check_birthday(number[6:14], known)
        check = get_check_character(number[:17])
        if number[17] != check:
            raise CellError(
                known.env._("The check character of the ID-card number does not fit: a digit is wrong, or swapped."),
                known.env._("Compare it with the card. If all other digits are right, it ends in %s.", check),
            )
        return number
    if re.fullmatch(r"\d{15}", number):
        _check_birthday("19" + number[6:12], known)
        return number
    if re.fullmatch(r"(?=.*[A-Z])[A-Z0-9()]{6,20}", number) and not re.fullmatch(r"\d{16,}[A-Z]", number):
        return number
    if re.fullmatch(r"[\d.]+E[+]?\d+", number):
        raise CellError(
            known.env._("A spreadsheet has rounded this number, its last digits are lost."),
            known.env._("Format the column as text, and enter the numbers again."),
        )
    raise CellError(
        known.env._("This is no ID-card number: it has %s characters.", len(number)),
        known.env._("An ID-card number has 18 characters. Leave the cell empty when it is not known."),
    )


def _check_birthday(digits, known):
    try:
        birthday = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        birthday = None
    if not birthday or birthday.year < _OLDEST or birthday > Date.today():
        raise CellError(
            known.env._("The birthday in the ID-card number does not exist."),
            known.env._("Compare the 7th to 14th digit with the card: year, month, day."),
        )


def parse_choice(name):
    """A function that reads a choice, ``level`` for one, by its words in either language."""

    def parse(text, known):
        words = known.get_choice_words(name)
        value = words.get(fold(text))
        if value is None:
            raise CellError(
                known.env._("This word is not known here."),
                known.env._("Write one of: %s", known.get_choice_labels(name)),
            )
        return value

    return parse


def parse_year(text, known):
    """A year: ``2026``, ``2026届``, ``2026年6月`` or a date."""
    match = re.match(r"(\d{4})(?!\d)", fold(text))
    year = int(match[1]) if match else 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise CellError(
            known.env._("This is no year."),
            known.env._("Write the year of graduation with four digits, such as 2026."),
        )
    return year


def parse_email(text, known):
    """A mail address, just one."""
    mail = email_normalize(unicodedata.normalize("NFKC", text))
    if not mail:
        raise CellError(
            known.env._("This is no mail address."),
            known.env._("Write one address, such as li@example.com, or leave the cell empty."),
        )
    return mail


def parse_phone(text, known):
    """A telephone number, roughly looked at: campuses write extensions in many ways."""
    phone = " ".join(unicodedata.normalize("NFKC", text).split())
    if not re.fullmatch(r"[+\d][\d\s()\-/.,;#*]{2,40}(ext|转)?[\d\s]*", phone):
        raise CellError(
            known.env._("This is no telephone number."),
            known.env._("Write digits, blanks and hyphens only, or leave the cell empty."),
        )
    return phone


def parse_yes_no(text, known):
    """Yes or no, in either language."""
    word = fold(text)
    if word not in _YES | _NO:
        raise CellError(known.env._("This is neither yes nor no."), known.env._("Write yes or no."))
    return word in _YES


def parse_property(definition):
    """A function that reads a campus' own field.

    :param dict definition: as in ``clearance.settings.student_properties_definition``
    :return: the function; None for kinds that a cell cannot hold
    """
    kind = definition["type"]
    if kind in ("char", "text"):
        return parse_text
    if kind == "boolean":
        return parse_yes_no
    if kind in ("integer", "float", "monetary"):
        return _parse_figure(int if kind == "integer" else float)
    if kind == "date":
        return _parse_date
    if kind == "selection":
        return _parse_selection(
            {fold(word): key for key, label in definition.get("selection") or () for word in (key, label)}
        )
    return None


def _parse_figure(convert):
    def parse(text, known):
        try:
            return convert(unicodedata.normalize("NFKC", text).replace(",", ""))
        except ValueError as error:
            raise CellError(
                known.env._("This is no number."), known.env._("Write digits, or leave the cell empty.")
            ) from error

    return parse


def _parse_date(text, known):
    match = re.match(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})", fold(text))
    try:
        return datetime.date(*map(int, match.groups())).isoformat()
    except (AttributeError, ValueError) as error:
        raise CellError(known.env._("This is no date."), known.env._("Write it as 2026-06-30.")) from error


def _parse_selection(keys):
    def parse(text, known):
        if fold(text) not in keys:
            raise CellError(
                known.env._("This word is not known here."),
                known.env._("Write one of the words that the field offers."),
            )
        return keys[fold(text)]

    return parse
