"""What the pages of all graduates of a session have in common, read once."""

import re
import time
from functools import lru_cache

from markupsafe import Markup

from odoo import api, models, tools
from odoo.tools import SQL

#: how long (seconds) a process goes without asking whether a plan is still the same: a page
#: tells of a new place or of a report of a source system so much later, and of decisions at once
KEPT = 1

_kept = {}


@lru_cache(maxsize=1024)
def split_phones(phone):
    """Split what stands in a phone field into numbers one can call.

    :return: list of dicts ``text`` and ``href``; not to be changed, it is shared
    """
    texts = filter(None, (text.strip() for text in re.split(r"[/,;、，；]", phone)))
    return [{"text": text, "href": "tel:" + re.sub(r"[^\d+*#]", "", text)} for text in texts]


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    @tools.ormcache("self.id", "self.env.lang", "version")
    def _get_portal_plan(self, version):
        """What every graduate's page says of this session, in the language of the reader.

        Read once and kept: on one morning thousands look at the same steps, desks and
        instructions, and joining them for each page costs more than all the rest of it.
        Its key holds the version of all rows that it is made of (:meth:`_get_portal_common`).

        :param str version: of the rows that it is made of, at this moment
        :return: dict ``name``, ``instructions``, ``help``, ``retention_months``, ``purged_at`` (moment when
            personal data was deleted, UTC), ``words`` and ``style`` (how the campus
            shows states, see ``clearance.legend``), ``timezone`` (of the campus),
            ``currency`` (``symbol``, ``before``, ``digits``), ``moments`` (sorted times at which
            something begins or ends), ``has_slots``, ``working_runs`` (see
            :meth:`_get_working_runs`), ``steps`` (dicts by id, in the order of the process) and
            ``stations`` (dicts by id); not to be changed, it is shared
        """
        # sudo: the plan is part of the page of whoever takes part in the session.
        session = self.sudo().with_context(active_test=True)
        company = session.company_id
        steps = {step.id: session._prepare_portal_plan_step(step) for step in session._get_portal_plan_steps()}
        return {
            "name": session.name,
            "instructions": session.instructions,
            "help": self.env["clearance.settings"]._get(company).help,
            "retention_months": self.env["clearance.settings"]._get(company).retention_months,
            "purged_at": session.purged_at,
            "words": self.env["clearance.legend"]._get_words(company),
            "style": self.env["clearance.legend"]._get_style(company),
            "timezone": company.partner_id.tz or "UTC",
            "currency": {
                "symbol": company.currency_id.symbol,
                "before": company.currency_id.position == "before",
                "digits": company.currency_id.decimal_places,
            },
            "moments": session._get_portal_plan_moments(steps.values()),
            "has_slots": bool(session.slot_ids),
            "working_runs": session._get_working_runs(),
            "steps": steps,
            "stations": session._get_portal_plan_stations(),
        }

    def _get_portal_plan_steps(self):
        """Retired steps too: what was settled before stays on the page."""
        return self.env["clearance.step"].with_context(active_test=False).search([("session_id", "=", self.id)])

    def _get_portal_plan_fields(self):
        """Fields of a step that its page shows; other addons add theirs."""
        return [
            "name",
            "stage",
            "mode",
            "open_from",
            "deadline",
            "is_entry",
            "handout",
            "active",
            "responsible",
            "to_be_announced",
            "office_acts",
            *self.env["clearance.station"]._INFO_FIELDS,
        ]

    def _prepare_portal_plan_step(self, step):
        """Plain values of a step: fields, ``feed_id``, ``blocking`` (ids), ``asks`` (it asks for something)."""
        return {
            **{fname: step[fname] for fname in self._get_portal_plan_fields()},
            "blocking": frozenset(step.blocking_step_ids.ids),
            "feed_id": step.feed_id.id,
            "asks": bool(step.requirement_ids.filtered("active")),
        }

    def _get_portal_plan_stations(self):
        """Plain values of the desks: name, and what each says or else the nearest above it."""
        Station = self.env["clearance.station"].with_context(active_test=False)
        stations = {}
        # Those above come before those below.
        for station in Station.search([("company_id", "=", self.company_id.id)], order="parent_path"):
            above = stations.get(station.parent_id.id, {})
            stations[station.id] = {
                "name": station.name,
                **{fname: station[fname] or above.get(fname) for fname in Station._INFO_FIELDS},
            }
        return stations

    def _get_portal_plan_moments(self, steps):
        moments = [self.open_from, self.open_until]
        for step in steps:
            moments += [step["open_from"], step["deadline"]]
        for slot in self.slot_ids:
            moments += [slot.open_from, slot.open_until]
        return sorted(filter(None, moments))

    @tools.ormcache("self.id", "step_id", "station_id", "self.env.lang", "version", cache="templates.cached_values")
    def _get_portal_info(self, step_id, station_id, version):
        """How and when to settle a step at a desk, as HTML: the longest part of a page, and the same for all.

        :param str version: as of :meth:`_get_portal_plan`
        :return: Markup; empty when neither step nor desk says anything
        """
        plan = self._get_portal_plan(version)
        step, station = plan["steps"][step_id], plan["stations"][station_id]
        info = {fname: step[fname] or station[fname] for fname in ("instructions", "opening_hours", "contact")}
        info["phones"] = split_phones(step["phone"] or station["phone"] or "")
        # The name of the desk stands beside the step already.
        info["responsible"] = step["responsible"] != station["name"] and step["responsible"]
        if not any(info.values()):
            return Markup()
        # sudo: a template, filled with plain values.
        return self.env["ir.qweb"].sudo()._render("graduate_clearance.portal_clearance_step_info", {"step": info})

    @tools.ormcache("self.id", "college_id", "self.env.lang", "version")
    def _get_portal_slots(self, form, college_id, version):
        """The time slots in the hall for graduates like the one of ``form``, in order of time.

        :param int college_id: the college of the form's graduate
        :param str version: as of :meth:`_get_portal_plan`
        :return: list of dicts ``from``, ``until`` (UTC) and ``place``
        """
        # sudo: when to come is said to who is to come.
        slots = self.env["clearance.slot"].sudo()._get_slots(form)
        return [{"from": slot.open_from, "until": slot.open_until, "place": slot.place} for slot in slots]

    # -- whether it is still the same --------------------------------------------------

    def _get_portal_common(self, fresh=False):
        """What changes about the pages of all graduates, asked once a second by each process.

        On one morning a process answers a hundred pages in that second.

        :param bool fresh: ask now
        :return: dict ``plan`` (the version of :meth:`_get_portal_plan`) and ``feeds``, the source
            systems of the campus: dicts by id as text: ``name``, ``unit``, ``every``, ``heard_at``
            (UTC text) and ``silent``
        """
        self.ensure_one()
        key = (self.env.cr.dbname, self.id, self.env.lang)
        asked_at, common = _kept.get(key, (0, None))
        if fresh or not common or time.monotonic() - asked_at >= KEPT:
            self.env.flush_all()
            (common,) = self.env.execute_query_dict(
                SQL(
                    "SELECT %s AS plan, %s AS feeds FROM clearance_session session WHERE session.id = %s",
                    self._portal_version_sql(SQL("session")),
                    self._portal_feeds_sql(SQL("session.company_id")),
                    self.id,
                )
            )
            common["feeds"] = common["feeds"] or {}
            _kept[key] = (time.monotonic(), common)
        return common

    def _portal_feeds_sql(self, company):
        """The source systems of a campus as JSON: they report while the plan of a session stays."""
        Feed = self.env["clearance.feed"]
        return SQL(
            """
            (SELECT jsonb_object_agg(feed.id, jsonb_build_object(
                        'name', %(name)s, 'unit', %(unit)s, 'every', feed.every,
                        'heard_at', feed.heard_at, 'silent', %(silent)s))
               FROM clearance_feed feed
              WHERE feed.company_id = %(company)s)
            """,
            name=Feed._field_to_sql("feed", "name"),
            unit=Feed._field_to_sql("feed", "unit"),
            silent=Feed._silent_sql("feed"),
            company=company,
        )

    @api.model
    def _portal_version_sql(self, session):
        """The version of all rows that a plan is made of, as a text.

        Asked of the database itself, so that no write, by whatever door, leaves a page with
        old words: the transaction that wrote a row (``xmin``) and where the row lies
        (``ctid``) are another pair after each change.

        :param SQL session: alias of the session's table
        """
        return SQL(
            """
            concat(
                %(session)s.xmin, %(session)s.ctid,
                (SELECT concat(campus.xmin, campus.ctid, partner.xmin, partner.ctid, currency.xmin, currency.ctid)
                   FROM res_company campus
                   JOIN res_partner partner ON partner.id = campus.partner_id
                   JOIN res_currency currency ON currency.id = campus.currency_id
                  WHERE campus.id = %(session)s.company_id),
                (SELECT concat(settings.xmin, settings.ctid)
                   FROM clearance_settings settings
                  WHERE settings.company_id = %(session)s.company_id),
                (SELECT %(legends)s
                   FROM clearance_legend legend WHERE legend.company_id = %(session)s.company_id),
                ' ', (SELECT %(steps)s
                        FROM clearance_step step
                   LEFT JOIN clearance_requirement requirement ON requirement.step_id = step.id
                       WHERE step.session_id = %(session)s.id),
                ' ', (SELECT %(stations)s
                        FROM clearance_station station WHERE station.company_id = %(session)s.company_id),
                ' ', (SELECT %(slots)s
                        FROM clearance_slot slot
                   LEFT JOIN clearance_college_clearance_slot_rel college ON college.clearance_slot_id = slot.id
                       WHERE slot.session_id = %(session)s.id),
                ' ', %(calendar)s
            )
            """,
            session=session,
            legends=self._portal_versions_sql("legend"),
            steps=self._portal_versions_sql("step", "requirement"),
            stations=self._portal_versions_sql("station"),
            slots=self._portal_versions_sql("slot", "college"),
            calendar=self._calendar_version_sql(session),
        )

    @api.model
    def _portal_versions_sql(self, *aliases):
        """The versions of many rows in one number, whatever their order."""
        columns = SQL(", ").join(SQL("%(row)s.xmin, %(row)s.ctid", row=SQL.identifier(alias)) for alias in aliases)
        return SQL("sum(hashtextextended(concat(%s), 0))", columns)
