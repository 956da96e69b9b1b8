"""What an operator should know before confirming."""

from odoo import fields, models
from odoo.tools import format_datetime, format_list


class ClearanceDesk(models.AbstractModel):
    _inherit = "clearance.desk"

    def _get_warnings(self, form_sudo, record, steps, figures, listed=None):
        """Warnings about a graduate, in order of importance.

        :param dict figures: see ``clearance.feed._get_figures``
        :param dict listed: see ``clearance.debt._get_listed``
        :return: list of dicts ``kind``, ``level`` (``danger``, ``warning`` or ``info``), ``text``
        """
        found = [
            *self._get_form_warnings(form_sudo),
            *self._get_blocked_warnings(steps),
            *(warning for step in steps for warning in self._get_step_warnings(step)),
            *self._get_debt_warnings(record, figures),
            *self._get_listed_warnings(record, steps, listed or {}),
            *self._get_silence_warnings(record, figures),
            *self._get_slot_warnings(form_sudo),
            *self._get_notes(form_sudo, record),
        ]
        return [{"kind": kind, "level": level, "text": text} for kind, level, text in found]

    def _get_form_warnings(self, form_sudo):
        if form_sudo.session_state != "open":
            yield "closed", "danger", self.env._("The session is not open.")
        if form_sudo.state == "withdrawn":
            text = self.env._("The graduate has been taken out of this session.")
            yield "withdrawn", "danger", " ".join(filter(None, (text, form_sudo.withdrawn_reason)))

    def _get_blocked_warnings(self, steps):
        waits = dict.fromkeys(name for step in steps for name in step["blocked_by"])
        if waits:
            yield "blocked", "danger", self.env._("Not settled yet: %s", format_list(self.env, list(waits)))

    def _get_step_warnings(self, step):
        name = step["step"]
        if step["needs_review"]:
            text = self.env._("“%s” was approved, then a step that it relied on was reopened.", name)
            yield "review", "warning", text
        elif step["state"] == "rejected":
            yield "rejected", "warning", self.env._("“%(step)s” was rejected: %(why)s", step=name, why=step["reason"])
        if text := self._get_window_warning(step):
            yield "window", "warning", text

    def _get_debt_warnings(self, record, figures):
        """What source systems say is owed, at any station."""
        for row in record:
            if row["mode"] == "feed" and row["is_open"]:
                name = f"{row['station']}: {row['step']}"
                what = self._describe_figure(figures.get(row["id"])) or row["reason"]
                text = f"{name} ({what})" if what else name
                yield "debt", "warning", self.env._("Owed, says the source system: %s", text)

    def _get_listed_warnings(self, record, steps, listed):
        """What other offices have listed as owed; what the own one has stands with its steps."""
        own = {step["id"] for step in steps}
        for row in record:
            if (debts := listed.get(row["id"])) and row["id"] not in own:
                name = f"{row['station']}: {row['step']}"
                moment = format_datetime(self.env, debts["as_of"], dt_format="short")
                text = self.env._("%(what)s, as of %(time)s", what=debts["text"], time=moment)
                yield "debt", "warning", self.env._("Owed, says the office: %s", f"{name} ({text})")

    def _describe_figure(self, figure):
        """What is owed, and as of when: “2 books, as of 22/06/2026 10:05”."""
        if not figure or not figure["as_of"]:
            return figure["text"] if figure else ""
        moment = format_datetime(self.env, figure["as_of"], dt_format="short")
        return self.env._("%(what)s, as of %(time)s", what=figure["text"], time=moment)

    def _get_silence_warnings(self, record, figures):
        """Source systems that have not reported for longer than they promise."""
        shown = (figures.get(row["id"]) for row in record if row["is_open"])
        for name in dict.fromkeys(figure["feed"] for figure in shown if figure and figure["silent"]):
            text = self.env._("“%s” has been silent for too long: what it says is owed may have changed.", name)
            yield "silent", "warning", text

    def _get_notes(self, form_sudo, record):
        lifted = [f"{row['station']}: {row['step']}" for row in record if row["lifted"] and row["is_open"]]
        if lifted:
            yield "lifted", "info", self.env._("Deferred, does not block: %s", format_list(self.env, lifted))
        if form_sudo.earlier_year:
            year = form_sudo.student_id.graduation_year
            yield "earlier_year", "info", self.env._("Graduate of an earlier year (%s).", year)

    def _get_window_warning(self, step):
        now = fields.Datetime.to_string(self.env.cr.now())
        if not step["is_open"]:
            return None
        if step["open_from"] and now < step["open_from"]:
            start = format_datetime(self.env, step["open_from"], dt_format="short")
            return self.env._("“%(step)s” begins on %(time)s.", step=step["step"], time=start)
        if step["deadline"] and now > step["deadline"]:
            end = format_datetime(self.env, step["deadline"], dt_format="short")
            return self.env._("“%(step)s” ended on %(time)s.", step=step["step"], time=end)
        return None

    def _get_slot_warnings(self, form_sudo):
        """Guiyang Vocational's hall: when the graduate's college comes, unless it is now."""
        slots = self.env["clearance.slot"].sudo()._get_slots(form_sudo)  # sudo: of a form that is readable
        now = self.env.cr.now()
        if slots and not any(slot.open_from <= now <= slot.open_until for slot in slots):
            times = format_list(self.env, slots.mapped("display_name"))
            yield "slot", "warning", self.env._("Not the time slot of this college, which comes: %s", times)
