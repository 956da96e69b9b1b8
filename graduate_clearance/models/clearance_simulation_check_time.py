"""The checklist of a session: whether its times fit together."""

from odoo import fields, models

from ..texts import join_names


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _find_outside_window(self, _simulation):
        """Times that lie outside the window of the session, and a window that is over."""
        lines, hopeless = [], False
        if self.open_until < fields.Datetime.now() and self.state != "closed":
            hopeless = True
            lines.append(self.env._("The session has ended on %s.", self._format_campus_time(self.open_until)))
        steps = self.step_ids.browse()
        for step in self.step_ids:
            if problem := self._say_outside(step):
                lines.append(f"{self._name_step(step)}: {problem}")
                steps |= step
                hopeless |= not self._can_be_settled(step)
        for slot in self.slot_ids:
            if slot.open_from < self.open_from or slot.open_until > self.open_until:
                lines.append(self.env._("Time slot %s: lies outside the window of the session.", slot.display_name))
        return self._make_finding(
            "window",
            self.env._("Steps and time slots lie within the window"),
            self.env._("Times outside the window"),
            lines,
            steps if len(steps) == len(lines) else self,
            "error" if hopeless else "warning",
        )

    def _can_be_settled(self, step):
        """Whether there is a moment of the session at which people can settle this step."""
        first = max(step.open_from or self.open_from, self.open_from)
        return first < min(step.deadline or self.open_until, self.open_until)

    def _say_outside(self, step):
        """What of a step's times lies outside the window, in words; empty when nothing does."""
        if step.deadline and step.deadline <= self.open_from:
            return self.env._("its deadline is before the session opens.")
        if step.open_from and step.open_from >= self.open_until:
            return self.env._("it opens when the session is over.")
        if step.deadline and step.deadline > self.open_until:
            return self.env._("its deadline is after the session ends.")
        if step.open_from and step.open_from < self.open_from:
            return self.env._("it opens before the session does.")
        return ""

    def _find_days_off(self, simulation):
        """Deadlines, time slots and duties on days on which nobody works."""
        days = set(simulation.working_days)
        lines, level = [], "warning"
        if not days:
            lines.append(self.env._("Nobody works on any day of the window: look at the working days."))
            level = "error"
        first, last = (self._get_campus_time(moment).date() for moment in (self.open_from, self.open_until))
        for moment, line in self._get_dated() if days else ():
            day = self._get_campus_time(moment).date()
            if first <= day <= last and day not in days:
                lines.append(line)
        return self._make_finding(
            "days",
            self.env._("Deadlines and time slots are on working days"),
            self.env._("Times on days when nobody works"),
            lines,
            self,
            level,
        )

    def _get_dated(self):
        """Pairs of a moment and of what is then, in words."""
        for step in self.step_ids.filtered("deadline"):
            when = self._format_campus_time(step.deadline)
            yield step.deadline, self.env._("%(what)s: deadline on %(when)s.", what=self._name_step(step), when=when)
        for slot in self.slot_ids:
            yield slot.open_from, self.env._("Time slot %s.", slot.display_name)
        for duty in self.duty_ids.filtered("deadline"):
            when = self._format_campus_time(duty.deadline)
            yield duty.deadline, self.env._("Duty “%(what)s”: by %(when)s.", what=duty.name, when=when)

    def _find_early_deadlines(self, _simulation):
        """Steps that end before what they wait for."""
        lines, early, level = [], self.step_ids.browse(), "warning"
        for step in self.step_ids.filtered("deadline"):
            for other in step.blocking_step_ids.filtered(lambda other: other._get_initial_state() == "pending"):
                if step.deadline >= (other.deadline or self.open_until):
                    continue
                early |= step
                if other.open_from and other.open_from >= step.deadline:
                    level = "error"
                lines.append(
                    self.env._(
                        "%(step)s ends on %(deadline)s, and waits for %(other)s, which may be settled until %(until)s.",
                        step=self._name_step(step),
                        deadline=self._format_campus_time(step.deadline),
                        other=self._name_step(other),
                        until=self._format_campus_time(other.deadline or self.open_until),
                    )
                )
        return self._make_finding(
            "order",
            self.env._("No step ends before what it waits for"),
            self.env._("Steps that end before what they wait for"),
            lines,
            early,
            level,
        )

    def _find_unannounced(self, _simulation):
        steps = self.step_ids.filtered("to_be_announced")
        return self._make_finding(
            "announced",
            self.env._("The times of all steps are announced"),
            self.env._("Times to be announced"),
            [self._name_step(step) for step in steps],
            steps,
            "info",
        )

    # -- the hall ------------------------------------------------------------------------

    def _find_slots(self, simulation):
        """Time slots whose heads do not match, and colleges that no slot takes (Guiyang)."""
        heads = {}
        if simulation.profiles:
            counts = self.env["clearance.slot"]._get_heads(self)[self]
            heads = {college.id or None: count for college, count in counts.items()}
        lines = [*self._say_heads(heads), *self._say_without_slot(heads)]
        return self._make_finding(
            "slots",
            self.env._("Time slots take the graduates that come"),
            self.env._("Time slots that do not match"),
            lines,
            self,
        )

    def _say_heads(self, heads):
        """Slots that share a college are counted together: its graduates may come to either."""
        groups = []
        for slot in self.slot_ids:
            colleges = set(slot.college_ids.ids) or set(heads)
            slots = slot
            for other in [group for group in groups if group[0] & colleges]:
                groups.remove(other)
                colleges, slots = colleges | other[0], other[1] | slots
            groups.append((colleges, slots))
        for colleges, slots in groups:
            planned, coming = sum(slots.mapped("planned_count")), sum(heads.get(college, 0) for college in colleges)
            if all(slots.mapped("planned_count")) and planned != coming:
                yield self.env._(
                    "Time slot %(slot)s: %(planned)s heads are planned, %(coming)s take part.",
                    slot=join_names(self.env, slots.mapped("display_name")),
                    planned=f"{planned:,}",
                    coming=f"{coming:,}",
                )

    def _say_without_slot(self, heads):
        if not self.slot_ids or any(not slot.college_ids for slot in self.slot_ids):
            return
        missing = set(heads) - set(self.slot_ids.college_ids.ids)
        colleges = self.env["clearance.college"].browse(filter(None, missing)).sudo().sorted()  # sudo: for their names
        for college in colleges:
            yield self.env._(
                "%(college)s: no time slot for %(count)s graduates.",
                college=college.display_name,
                count=f"{heads[college.id]:,}",
            )
        if None in missing:
            yield self.env._("No time slot for %s graduates without a college.", f"{heads[None]:,}")

    # -- duties --------------------------------------------------------------------------

    def _find_duties(self, _simulation):
        lines, lacking = [], self.duty_ids.browse()
        for duty in self.duty_ids:
            if not duty.deadline:
                lines.append(self.env._("%s: has no deadline.", duty.name))
                lacking |= duty
            # sudo: whether anybody works there.
            if not duty.station_id.sudo().operator_ids:
                lines.append(
                    self.env._("%(duty)s: nobody works at %(station)s.", duty=duty.name, station=duty.station_id.name)
                )
                lacking |= duty
        return self._make_finding(
            "duties",
            self.env._("Duties have a deadline and an office with people"),
            self.env._("Duties without a deadline, or without people"),
            lines,
            lacking,
        )
