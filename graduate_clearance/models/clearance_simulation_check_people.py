"""The checklist of a session: whether somebody can decide on everything."""

from odoo import models
from odoo.tools import format_datetime

from .clearance_simulation_roster import MOST_A_DAY


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _find_lacking(self, simulation, mode, lacks):
        """For whom somebody or something is missing.

        :param str mode: look at the steps that are decided so
        :param lacks: function of step, id of the desk (or False) and :class:`Profile`
        :return: dict ``{step: [profiles]}`` of the steps where it is missing for anybody
        """
        lacking = {}
        for step in simulation.steps.filtered(lambda step: step.mode == mode):
            for desk_id, profiles in simulation.by_step[step.id].items():
                if found := [profile for profile in profiles if lacks(step, desk_id, profile)]:
                    lacking.setdefault(step, []).extend(found)
        return lacking

    def _say_nobody(self, simulation, lacking):
        """“Library: Return books: nobody can confirm it for 3 graduates.”"""
        return [
            self.env._(
                "%(step)s: nobody can confirm it for %(count)s graduates.",
                step=self._name_step(step),
                count=f"{simulation.count(profiles):,}",
            )
            for step, profiles in lacking.items()
        ]

    @staticmethod
    def _collect_students(simulation, lacking):
        """The graduates of what :meth:`_find_lacking` answers."""
        student_ids = simulation.collect(profile for profiles in lacking.values() for profile in profiles)
        return simulation.session.env["clearance.student"].browse(student_ids)

    def _find_no_desk(self, simulation):
        lacking = self._find_lacking(
            simulation, "station", lambda step, desk_id, _profile: not simulation.is_desk(step, desk_id)
        )
        students = self._collect_students(simulation, lacking)
        return self._make_finding(
            "desk",
            self.env._("A desk takes every graduate"),
            self.env._("Graduates whom no desk takes"),
            [
                self.env._(
                    "%(step)s: no desk takes %(count)s graduates.",
                    step=self._name_step(step),
                    count=f"{simulation.count(profiles):,}",
                )
                for step, profiles in lacking.items()
            ],
            students,
            "error",
            len(students),
        )

    def _find_no_operator(self, simulation):
        lacking = self._find_lacking(
            simulation,
            "station",
            lambda step, desk_id, _profile: not simulation.get_operators(desk_id or step.station_id.id),
        )
        desks = self.env["clearance.station"].browse(
            {
                desk_id or step.station_id.id
                for step in lacking
                for desk_id in simulation.by_step[step.id]
                if not simulation.get_operators(desk_id or step.station_id.id)
            }
        )
        return self._make_finding(
            "operator",
            self.env._("Every desk that confirms steps has operators"),
            self.env._("Desks without an operator"),
            self._say_nobody(simulation, lacking),
            desks,
            "error",
            len(desks),
        )

    def _find_no_counsellor(self, simulation):
        lacking = self._find_lacking(
            simulation, "counsellor", lambda _step, _desk_id, profile: not profile.has_counsellor
        )
        lines = self._say_nobody(simulation, lacking)
        students = self._collect_students(simulation, lacking)
        # sudo: which classes these graduates of a readable session are in.
        groups = students.sudo()._read_group([("id", "in", students.ids)], ["class_id"], ["__count"])
        homeless = sum(count for class_, count in groups if not class_)
        if homeless:
            lines.append(self.env._("%s of them are in no class.", f"{homeless:,}"))
        classes = self.env["clearance.class"].browse(class_.id for class_, _count in groups if class_)
        return self._make_finding(
            "counsellor",
            self.env._("Classes have a counsellor where one decides"),
            self.env._("Classes without a counsellor"),
            lines,
            classes or students,
            "error",
            len(classes or students),
        )

    def _find_no_supervisor(self, simulation):
        lacking = self._find_lacking(
            simulation, "supervisor", lambda _step, _desk_id, profile: not profile.has_supervisor
        )
        students = self._collect_students(simulation, lacking)
        return self._make_finding(
            "supervisor",
            self.env._("Graduates have a supervisor where one decides"),
            self.env._("Graduates without a supervisor"),
            self._say_nobody(simulation, lacking),
            students,
            "error",
            len(students),
        )

    def _find_no_lead(self, simulation):
        """Colleges without a lead, where leads add steps or share a duty with an office."""
        colleges = self.env["clearance.college"]
        if self.college_steps or any(self.duty_ids.mapped("with_colleges")):
            colleges = colleges.browse({profile.college_id for profile in simulation.profiles if profile.college_id})
        # sudo: whether there is a lead, of colleges whose graduates take part.
        colleges = colleges.sudo().filtered(lambda college: not college.lead_ids).sorted().sudo(False)
        return self._make_finding(
            "lead",
            self.env._("Colleges have a lead where one is needed"),
            self.env._("Colleges without a lead"),
            [
                self.env._("%s: has no lead, who adds its steps or sees to its duties.", college.display_name)
                for college in colleges
            ],
            colleges,
        )

    def _find_no_feed(self, simulation):
        """Steps that no source system settles: operators have to, with a reason each time."""
        orphans = simulation.steps.filtered(lambda step: step.mode == "feed" and not step.feed_id)
        nobody = self._find_lacking(
            simulation,
            "feed",
            lambda step, desk_id, _profile: (
                step in orphans and not simulation.get_operators(desk_id or step.station_id.id)
            ),
        )
        lines = self._say_nobody(simulation, nobody) + [
            self.env._("%s: no source system is named, operators have to settle it.", self._name_step(step))
            for step in orphans
            if step not in nobody
        ]
        return self._make_finding(
            "feed",
            self.env._("Automatic steps have a source system"),
            self.env._("Automatic steps without a source system"),
            lines,
            orphans,
            "error" if nobody else "warning",
        )

    def _find_silent_feeds(self, simulation):
        silent = simulation.steps.feed_id.filtered("is_silent")
        never = self.env._("never heard from")
        return self._make_finding(
            "heard",
            self.env._("Source systems report"),
            self.env._("Source systems that are silent"),
            [
                self.env._(
                    "%(feed)s: last heard from on %(when)s.",
                    feed=feed.name,
                    when=self._format_campus_time(feed.heard_at),
                )
                if feed.heard_at
                else f"{feed.name}: {never}."
                for feed in silent
            ],
            silent,
        )

    def _find_overload(self, simulation):
        """Desks with many graduates and few operators; see :meth:`Simulation.get_load`."""
        loads = {desk: simulation.get_load(desk.id) for desk in simulation.desks}
        busy = {desk: load for desk, load in loads.items() if load["per_day"] > MOST_A_DAY}
        return self._make_finding(
            "load",
            self.env._("No operator has more than %s graduates a day", MOST_A_DAY),
            self.env._("Desks with many graduates and few operators"),
            [
                self.env._(
                    "%(desk)s: %(heads)s graduates, operators: %(operators)s, working days: %(days)s. "
                    "That is %(load)s for each operator a day; one every four minutes would be %(most)s.",
                    desk=desk.display_name,
                    heads=f"{load['heads']:,}",
                    operators=load["operators"],
                    days=load["days"],
                    load=f"{load['per_day']:,.0f}",
                    most=MOST_A_DAY,
                )
                for desk, load in busy.items()
            ],
            self.env["clearance.station"].browse(desk.id for desk in busy),
        )

    def _format_campus_time(self, moment):
        """A moment as people of the campus read it."""
        return format_datetime(self.env, moment, tz=self._get_campus_zone().zone, dt_format="medium")
