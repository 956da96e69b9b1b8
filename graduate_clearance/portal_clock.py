"""Dates and times as a graduate's page shows them.

A page shows dozens of them, and thousands open it on one morning: what Babel makes of a
day or of a minute of the day is kept, so that a page costs no formatting of its own.
"""

from functools import lru_cache

import pytz
from babel.dates import format_interval, format_skeleton, format_time

from odoo import fields
from odoo.tools.misc import babel_locale_parse


@lru_cache(maxsize=4096)
def _format_day(day, skeleton, lang):
    return format_skeleton(skeleton, day, locale=babel_locale_parse(lang))


@lru_cache(maxsize=4096)
def _format_minute(moment, lang):
    return format_time(moment, "short", locale=babel_locale_parse(lang))


@lru_cache(maxsize=1024)
def _format_run(first, last, lang):
    return format_interval(first, last, "MMMd", locale=babel_locale_parse(lang))


class PortalClock:
    """Says when something is, in one language and one time zone.

    :param str lang: code of the language
    :param str timezone: name of the time zone
    """

    def __init__(self, lang, timezone):
        self.lang = lang
        self.zone = pytz.timezone(timezone)
        self.now = fields.Datetime.now()
        self.today = self._localize(self.now).date()

    def _localize(self, value):
        return pytz.utc.localize(value).astimezone(self.zone)

    def _day(self, day):
        return _format_day(day, "MMMEd" if day.year == self.today.year else "yMMMd", self.lang)

    def _minute(self, local):
        return _format_minute(local.time().replace(second=0, microsecond=0), self.lang)

    def moment(self, value):
        """A date or a time (UTC) for people and for machines.

        :return: dict ``iso`` and ``text``, or False where there is no value
        """
        if not value:
            return False
        if not hasattr(value, "hour"):
            return {"iso": value.isoformat(), "text": self._day(value)}
        local = self._localize(value)
        return {
            "iso": local.isoformat(timespec="minutes"),
            "text": f"{self._day(local.date())} {self._minute(local)}",
        }

    def recent(self, value):
        """As :meth:`moment`; the day is left out when it is today."""
        moment = self.moment(value)
        if moment and hasattr(value, "hour"):
            local = self._localize(value)
            if local.date() == self.today:
                moment["text"] = self._minute(local)
        return moment

    def span(self, start, end):
        """From one time (UTC) to another: the day stands once where it is the same.

        :return: dict ``iso`` (of the start) and ``text``
        """
        first, last = self.moment(start), self.moment(end)
        local_end = self._localize(end)
        same_day = self._localize(start).date() == local_end.date()
        return {"iso": first["iso"], "text": f"{first['text']}–{self._minute(local_end) if same_day else last['text']}"}

    def runs(self, runs, most=4):
        """Runs of days in words, those that are not over: “Jun 15 – 18”, “Jun 22 – 26”.

        :param runs: pairs of dates, in order
        :param int most: so many at most; a last one stands for the others
        :return: list of texts
        """
        texts = [_format_run(first, last, self.lang) for first, last in runs if last >= self.today]
        return texts if len(texts) <= most else [*texts[: most - 1], "…"]

    def days_until(self, value):
        """Number of days from today to the day of a time (UTC), as calendars count them."""
        return (self._localize(value).date() - self.today).days
