"""What to check in a session that has been made from a document or copied."""

import re

from markupsafe import Markup

from odoo import models
from odoo.tools import format_date

from ..texts import join_names

#: lines of a finding in the chatter
MOST_LINES = 20
_LEVELS = {"error": "⛔", "warning": "⚠", "info": "ℹ", "ok": "✓"}


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    def _find_after(self, plan, session, steps):
        """Add what can only be told of what has been made."""
        zone = plan.company.partner_id.tz
        if zone != plan.content["timezone"]:
            plan.findings.append(self._find_timezone(plan.content["timezone"], zone))
        if lines := self._find_different(plan):
            stations = self.env["clearance.station"].union(*plan.stations.values())
            plan.findings.append(
                self._find(
                    "stations",
                    self.env._("Stations of this campus that say something else: they were left as they are"),
                    lines,
                    "info",
                    stations,
                )
            )
        colleges = self.env["clearance.college"].search_count([("company_id", "=", plan.company.id)], limit=1)
        bare = [
            plan.stations[entry["code"]]
            for entry in plan.content["stations"]
            if entry.get("college_desks") and entry["code"] not in plan.skipped
        ]
        if bare and not colleges:
            stations = self.env["clearance.station"].union(*bare)
            plan.findings.append(
                self._find(
                    "college_desks",
                    self.env._("No desk of a college was made: this campus has no college yet"),
                    stations.mapped("name"),
                    "warning",
                    stations,
                )
            )
        if plan.lost:
            plan.findings.append(
                self._find(
                    "lost",
                    self.env._("Filters that lost a college"),
                    [f"{place}: {join_names(self.env, codes)}" for place, codes in plan.lost],
                )
            )
        if plan.moved_years:
            plan.findings.append(
                self._find(
                    "years", self.env._("Filters by graduation year moved with the session"), plan.moved_years, "info"
                )
            )
        blank = [
            step
            for entry in plan.content["steps"]
            if any(question.get("template") for question in entry.get("requirements", ()))
            for step in steps[entry["code"]]
        ]
        if blank:
            plan.findings.append(self._find_blank_forms(self.env["clearance.step"].union(*blank)))
        plan.findings += self._find_in_session(session, plan.old_year)

    def _find_timezone(self, theirs, ours):
        if ours:
            line = self.env._("The configuration is in %(theirs)s, this campus in %(ours)s.", theirs=theirs, ours=ours)
        else:
            line = self.env._(
                "The configuration is in %s. This campus has no time zone: set it on the contact of the company.",
                theirs,
            )
        return self._find("timezone", self.env._("The times are on the clock of another time zone"), [line])

    def _find_blank_forms(self, steps):
        return self._find("forms", self.env._("Blank forms to look at"), steps.mapped("name"), "info", steps)

    def _find_in_session(self, session, old_year):
        """Findings of a new session, whatever it was made from."""
        found = []
        if lines := self._find_days_off(session):
            found.append(self._find("days", self.env._("Times on days when nobody works"), lines, "warning", session))
        if old_year != session.year and (lines := self._find_old_year(session, old_year)):
            found.append(
                self._find("old_year", self.env._("Texts that still speak of %s", old_year), lines, "warning", session)
            )
        stations = self._get_stations(session)
        if lonely := stations.filtered("is_unstaffed"):
            lines = [station.display_name for station in lonely.with_context(clearance_full_name=True)]
            found.append(self._find("unstaffed", self.env._("Stations without anybody"), lines, "warning", lonely))
        return found

    def _get_stations(self, session):
        """The stations of a session's steps, and the desks below them."""
        return self.env["clearance.station"].search([("id", "child_of", session.step_ids.station_id.ids)])

    def _find_days_off(self, session):
        """Times of a session on weekends, or on days on which the campus does not work."""
        working = set(session._get_working_days()) if session.calendar_id else None
        lines = []
        for label, moment in self._get_times(session):
            local = session._get_campus_time(moment)
            day = local.date()
            if day not in working if working is not None else day.weekday() >= 5:
                lines.append(f"{label}: {format_date(self.env, day, date_format='full')}, {local:%H:%M}")
        return lines

    def _get_times(self, session):
        """Pairs of what and when (UTC)."""
        yield self.env._("The session begins"), session.open_from
        yield self.env._("The session ends"), session.open_until
        for step in session.step_ids:
            if step.open_from:
                yield self.env._("“%s” opens", step.name), step.open_from
            if step.deadline:
                yield self.env._("“%s” closes", step.name), step.deadline
        for slot in session.slot_ids:
            colleges = join_names(self.env, slot.college_ids.mapped("name"))
            yield (
                self.env._("A time slot (%s)", colleges or slot.place or "–"),
                slot.open_from,
            )
        for duty in session.duty_ids:
            if duty.deadline:
                yield self.env._("Duty “%s”", duty.name), duty.deadline

    def _find_old_year(self, session, old_year):
        """Where texts and filters of a session, in any language, still speak of the old year."""
        pattern = re.compile(rf"(?<!\d){old_year}(?!\d)")
        steps = session.step_ids
        lines = []
        for records in (
            session,
            steps,
            steps.requirement_ids,
            steps.requirement_ids.choice_ids,
            session.slot_ids,
            session.duty_ids,
        ):
            names = [name for name, field in records._fields.items() if field.translate and field.store]
            names += [name for name in ("student_domain",) if name in records._fields]
            for record in records:
                for name in names:
                    texts = {record.with_context(lang=lang)[name] or "" for lang in self._get_languages()}
                    if any(map(pattern.search, texts)):
                        label = record._fields[name].get_description(self.env, ["string"])["string"]
                        lines.append(f"{record.display_name}: {label}")
        return lines


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _post_findings(self, findings):
        """Keep findings in the chatter, where they are found again."""
        self.ensure_one()
        if not findings:
            return
        items = Markup("").join(
            Markup("<li>%s %s%s</li>")
            % (
                _LEVELS[finding["level"]],
                finding["title"],
                Markup("<ul>%s</ul>")
                % Markup("").join(Markup("<li>%s</li>") % line for line in self._cut(finding["detail"].splitlines()))
                if finding["detail"]
                else "",
            )
            for finding in findings
        )
        body = Markup("<p>%s</p><ul>%s</ul>") % (self.env._("To be checked after this session was made:"), items)
        self.message_post(body=body)

    def _cut(self, lines):
        """Lines for a message, which need not list the desks of forty colleges."""
        more = len(lines) - MOST_LINES
        return [*lines[:MOST_LINES], self.env._("… and %s more", more)] if more > 0 else lines
