"""The days on which the offices of a session work."""

from datetime import datetime, time, timedelta

import pytz

from odoo import api, models
from odoo.tools import SQL


class ClearanceSession(models.Model):
    """Working days within the window: 22–27 June, "on working days" (Hunan Nonferrous)."""

    _inherit = "clearance.session"

    def _get_campus_zone(self):
        """The time zone of the campus."""
        # sudo: where the campus lies is told to everybody who reads the session.
        return pytz.timezone(self.sudo().company_id.partner_id.tz or "UTC")

    def _get_campus_time(self, moment):
        """A moment (UTC) on the clock of the campus."""
        return pytz.utc.localize(moment).astimezone(self._get_campus_zone())

    def _get_working_days(self):
        """The days of the window on which the offices work, in the time zone of the campus.

        Odoo's working hours say which days these are; public holidays (time off of the
        calendar, or of the whole campus, that is nobody's own) are left out.  A day of
        which some hours are left is a day.

        :return: list of dates, in order; without working hours every day of the window
        """
        self.ensure_one()
        # sudo: when offices work is told to everybody who takes part.
        session = self.sudo()
        zone = session._get_campus_zone()
        first, last = (session._get_campus_time(moment).date() for moment in (session.open_from, session.open_until))
        if not session.calendar_id:
            return [first + timedelta(days=number) for number in range((last - first).days + 1)]
        # Whole days: an office that opens before the session does works on its first day all the same.
        intervals = session.calendar_id._work_intervals_batch(
            zone.localize(datetime.combine(first, time.min)),
            zone.localize(datetime.combine(last, time.max)),
            domain=[("time_type", "=", "leave"), ("company_id", "in", (session.company_id.id, False))],
            tz=zone,
        )[False]
        return sorted({start.date() for start, _end, _hours in intervals})

    def _get_working_runs(self):
        """The same as runs of days, as people say it: 15–18 and 22–26 June.

        :return: list of pairs of dates (first, last); empty where the session names no working hours
        """
        self.ensure_one()
        runs = []
        for day in self._get_working_days() if self.sudo().calendar_id else ():  # sudo: see _get_working_days
            if runs and day - runs[-1][1] == timedelta(days=1):
                runs[-1][1] = day
            else:
                runs.append([day, day])
        return [tuple(run) for run in runs]

    @api.model
    def _calendar_version_sql(self, session):
        """The version of all rows that say on which days offices work; see :meth:`_portal_version_sql`.

        :param SQL session: alias of the session's table
        """
        return SQL(
            """
            (SELECT concat(calendar.xmin, calendar.ctid, ' ', (
                        SELECT %(hours)s FROM resource_calendar_attendance hours
                         WHERE hours.calendar_id = calendar.id
                    ), ' ', (
                        SELECT %(off)s FROM resource_calendar_leaves off
                         WHERE (off.calendar_id = calendar.id OR off.calendar_id IS NULL)
                           AND off.resource_id IS NULL
                           AND (off.company_id = %(session)s.company_id OR off.company_id IS NULL)
                    ))
               FROM resource_calendar calendar
              WHERE calendar.id = %(session)s.calendar_id)
            """,
            session=session,
            hours=self._portal_versions_sql("hours"),
            off=self._portal_versions_sql("off"),
        )
