"""Answers: from what somebody has typed to a value, and from a value to words."""

import math
import re
import unicodedata

from odoo import fields, models
from odoo.tools.misc import format_date, formatLang

from .. import upload

#: characters
LONGEST = {"char": 500, "text": 5_000}
#: what a draft keeps of a text that is too long, so that nothing has to be typed again
_LONGEST_KEPT = 20_000
_LARGEST_NUMBER = 10**12
_OLDEST_YEAR = 1900
_YEARS_AHEAD = 10

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")

_MIMETYPES = {
    "document": (upload.PDF, *upload.PICTURES),
    "pdf": (upload.PDF,),
    "image": upload.PICTURES,
    "office": (upload.PDF, *upload.PICTURES, upload.WORD, upload.EXCEL),
}
#: for the browser's choice of files; a phone offers its camera where pictures are allowed
_ACCEPT = {
    "document": "application/pdf,image/*",
    "pdf": "application/pdf",
    "image": "image/*",
    "office": "application/pdf,image/*,.docx,.xlsx",
}


class ClearanceRequirement(models.Model):
    _inherit = "clearance.requirement"

    # -- typed -------------------------------------------------------------------

    def _clean_typed(self, typed):
        """What a draft keeps of an answer: text as it was typed, without what no text holds.

        :param typed: text; also a number, a date, the id of a choice or True for a tick
        :rtype: str
        """
        self.ensure_one()
        if self.kind == "boolean":
            return "1" if typed and str(typed) not in ("0", "False") else ""
        if typed is None or typed is False:
            return ""
        text = str(typed).encode(errors="ignore").decode().replace("\r\n", "\n").replace("\r", "\n")
        text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) != "Cc")
        if self.kind != "text":
            text = " ".join(text.split())
        return text.strip()[:_LONGEST_KEPT]

    def _parse_typed(self, typed):
        """Read an answer, as :meth:`_clean_typed` has left it.

        :param str typed: empty when nothing was answered
        :return: pair of the value as the property holds it (None when not answered) and
            what is wrong with it, in words (None when nothing is)
        """
        self.ensure_one()
        if not typed:
            return None, self._explain_unanswered() if self.required else None
        return getattr(self, f"_parse_{self.kind}")(typed)

    def _explain_unanswered(self):
        if self.kind == "boolean":
            return self.env._("Tick this to go on.")
        if self.kind == "selection":
            return self.env._("Choose one.")
        if self.kind == "file":
            return self.env._("Add a file.")
        return self.env._("Fill this in.")

    def _parse_char(self, typed):
        longest = LONGEST[self.kind]
        if len(typed) > longest:
            return None, self.env._(
                "This is too long: at most %(most)s characters, here are %(count)s.", most=longest, count=len(typed)
            )
        return typed, None

    def _parse_text(self, typed):
        return self._parse_char(typed)

    def _parse_float(self, typed):
        # Full-width digits are what a Chinese keyboard gives.
        text = unicodedata.normalize("NFKC", typed).replace(" ", "")
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        number = float(text) if _NUMBER.fullmatch(text) and text.isascii() else math.nan
        if math.isnan(number) or abs(number) > _LARGEST_NUMBER:
            return None, self.env._("“%(typed)s” is not a number. Write it like 1234.5", typed=typed[:40])
        return number, None

    def _parse_date(self, typed):
        match = _DATE.fullmatch(unicodedata.normalize("NFKC", typed).replace(" ", ""))
        try:
            date = fields.Date.to_date("{:0>4}-{:0>2}-{:0>2}".format(*match.groups())) if match else None
        except ValueError:
            date = None
        if not date:
            return None, self.env._("“%(typed)s” is not a date. Write it like 2026-06-25", typed=typed[:40])
        latest = fields.Date.context_today(self).year + _YEARS_AHEAD
        if not _OLDEST_YEAR <= date.year <= latest:
            return None, self.env._(
                "The year must lie between %(first)s and %(last)s.", first=str(_OLDEST_YEAR), last=str(latest)
            )
        return fields.Date.to_string(date), None

    def _parse_selection(self, typed):
        choice = next((choice for choice in self._get_offered() if typed in (str(choice.id), f"c{choice.id}")), None)
        if choice is None:
            return None, self.env._("Choose one of the answers offered.")
        return f"c{choice.id}", None

    def _parse_boolean(self, typed):
        return True, None

    def _to_typed(self, value):
        """The opposite of :meth:`_parse_typed`: to go on from an answer sent before.

        :param value: as the property holds it
        :rtype: str
        """
        self.ensure_one()
        if value is None or value is False:
            return ""
        if self.kind == "boolean":
            return "1"
        if self.kind == "selection":
            return str(value).removeprefix("c")
        if self.kind == "float":
            return f"{value:.6f}".rstrip("0").rstrip(".")
        return str(value)

    def _format_answer(self, value):
        """An answer for people, in their language.

        :param value: as the property holds it
        :return: text, empty when not answered
        """
        self.ensure_one()
        if value is None or value is False:
            return ""
        if self.kind == "boolean":
            return self.env._("Yes")
        if self.kind == "selection":
            choices = self.with_context(active_test=False).choice_ids
            return next((choice.name for choice in choices if f"c{choice.id}" == value), "")
        if self.kind == "float":
            decimals = len(self._to_typed(value).partition(".")[2])
            return formatLang(self.env, value, digits=decimals)
        if self.kind == "date":
            return format_date(self.env, value)
        return str(value)

    # -- files -------------------------------------------------------------------

    def _check_file(self, name, content):
        """Look at a file that somebody wants to send.

        :param str name: as the browser gave it; used in messages only
        :param bytes content: at least one byte more than allowed when it is too large
        :return: pair of its kind by its content (None when refused) and what is wrong with
            it, in words
        """
        self.ensure_one()
        shown = self._shorten_name(name)
        if not content:
            return None, self.env._("“%(file)s” is empty.", file=shown)
        if len(content) > self._get_file_limit():
            return None, self.env._("“%(file)s” is larger than %(size)s MB.", file=shown, size=self.file_max_mb)
        mimetype = upload.read_mimetype(content)
        if mimetype not in _MIMETYPES[self.file_types]:
            return None, self.env._(
                "“%(file)s” cannot be taken: it is damaged, or of another kind. Allowed: %(kinds)s.",
                file=shown,
                kinds=self._get_file_words(),
            )
        return mimetype, None

    def _shorten_name(self, name):
        """The name of a file for messages."""
        return upload.bare_name(name)[-60:]

    def _get_file_limit(self):
        """The largest file, in bytes."""
        return self.file_max_mb * 1024 * 1024

    def _get_file_words(self):
        """Which files are allowed, in words."""
        return dict(self._fields["file_types"]._description_selection(self.env))[self.file_types]

    def _get_limit_words(self):
        """Which files, how large and how many, in words."""
        if self.file_max_count == 1:
            return self.env._(
                "%(kinds)s, one file of at most %(size)s MB", kinds=self._get_file_words(), size=self.file_max_mb
            )
        return self.env._(
            "%(kinds)s, at most %(size)s MB, up to %(count)s files",
            kinds=self._get_file_words(),
            size=self.file_max_mb,
            count=self.file_max_count,
        )

    def _get_accept(self):
        """The value of a file input's ``accept``."""
        return _ACCEPT[self.file_types]
