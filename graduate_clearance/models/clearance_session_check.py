"""The checklist of a session: what is in order, and what has to be mended before it opens."""

from odoo import models

#: lines of a finding that are shown
_LINES = 20


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    #: findings that say nothing while nobody takes part or there are no steps
    _ROSTER_FINDINGS = {
        "applies",
        "place",
        "desk",
        "operator",
        "counsellor",
        "supervisor",
        "lead",
        "load",
        "slots",
    }

    def action_open_simulation(self):
        """Open the simulation of this session, with its checklist."""
        self.ensure_one()
        action = self.env["ir.actions.client"]._for_xml_id("graduate_clearance.clearance_simulation_action")
        return {**action, "params": {"session_id": self.id}}

    def _get_findings(self):
        """The checklist of this session, in a fixed order: what is in order is told too.

        The number of queries does not depend on the number of graduates.

        :return: list of dicts ``key`` (stable name), ``section`` (``who``, ``decides``, ``time`` or
            ``texts``), ``level`` (``ok``, ``info``, ``warning``, ``error``), ``title`` (short text),
            ``detail`` (a line for each thing that is wrong, with its place; else empty), ``count``
            (of these things, or of the graduates concerned), ``action`` (``(model, ids)`` of what
            must be mended, or None)
        :raise AccessError: when the user may not read this session
        """
        self.ensure_one()
        simulation = self._simulate()
        findings = []
        for section, methods in self._get_checks().items():
            for method in methods:
                finding = getattr(self, method)(simulation)
                if finding["key"] in self._ROSTER_FINDINGS and finding["level"] == "ok":
                    finding = self._await_roster(simulation, finding)
                findings.append({"section": section, **finding})
        return findings

    def _get_problems(self):
        """What is wrong, as sentences that name the place: the checklist in short.

        :return: list of texts; empty when no finding is a warning or an error
        """
        problems = []
        for finding in self._get_findings():
            if finding["level"] in ("warning", "error"):
                # Of texts there may be dozens: the checklist lists them.
                by_line = finding["section"] != "texts"
                problems += finding["detail"].split("\n") if by_line else [f"{finding['title']}: {finding['count']}"]
        return problems

    def _get_checks(self):
        """Names of the methods that look at a :class:`Simulation` and answer a finding, by section."""
        return {
            "who": [
                "_find_steps",
                "_find_graduates",
                "_find_cleared_before",
                "_find_filters",
                "_find_cycle",
                "_find_idle_steps",
                "_find_unplaced",
            ],
            "decides": [
                "_find_no_desk",
                "_find_no_operator",
                "_find_no_counsellor",
                "_find_no_supervisor",
                "_find_no_lead",
                "_find_no_feed",
                "_find_silent_feeds",
                "_find_overload",
            ],
            "time": [
                "_find_outside_window",
                "_find_days_off",
                "_find_early_deadlines",
                "_find_unannounced",
                "_find_slots",
                "_find_duties",
            ],
            "texts": ["_find_session_texts", "_find_step_texts", "_find_station_texts"],
        }

    def _make_finding(self, key, good, bad, lines, records=None, level="warning", count=None):
        """A finding: ``good`` says what is in order, ``bad`` what is not.

        :param list lines: sentences about each thing that is wrong; empty: it is in order
        :param records: what must be mended
        :param int count: default: the number of lines
        """
        if not lines:
            return {"key": key, "level": "ok", "title": good, "detail": "", "count": 0, "action": None}
        shown = lines[:_LINES]
        if len(lines) > _LINES:
            shown = [*shown, self.env._("… and %s more", len(lines) - _LINES)]
        return {
            "key": key,
            "level": level,
            "title": bad,
            "detail": "\n".join(shown),
            "count": len(lines) if count is None else count,
            "action": (records._name, records.ids) if records else None,
        }

    def _await_roster(self, simulation, finding):
        """Nothing is wrong yet where there is nothing to look at."""
        if simulation.profiles and simulation.steps:
            return finding
        if simulation.steps:
            detail = self.env._("Cannot be told before somebody takes part.")
        else:
            detail = self.env._("Cannot be told before there are steps.")
        return {**finding, "level": "info", "detail": detail}

    @staticmethod
    def _name_step(step):
        """Station and step, as every message names them."""
        return step.with_context(clearance_full_name=True).display_name

    # -- who has what to do ----------------------------------------------------------

    def _find_steps(self, _simulation):
        lines = [] if self.step_ids else [self.env._("The session has no steps.")]
        return self._make_finding(
            "steps",
            self.env._("There are %s steps", len(self.step_ids)),
            self.env._("No steps"),
            lines,
            self,
            "error",
            0,
        )

    def _find_graduates(self, simulation):
        count = simulation.count(simulation.profiles)
        lines = [] if count else [self.env._("No graduate fits the filter of the session.")]
        return self._make_finding(
            "graduates",
            self.env._("%s graduates take part", f"{count:,}"),
            self.env._("No graduates"),
            lines,
            self,
            "error",
            0,
        )

    def _find_cleared_before(self, simulation):
        """Graduates whom an earlier session has let go already, such as last year's."""
        groups = {}
        if simulation.profiles:
            # sudo: whoever looks at the checklist of a session sees who takes part in it.
            groups = dict(
                self.env["clearance.form"]
                .sudo()
                ._read_group(
                    [
                        ("session_id", "!=", self.id),
                        ("session_id.state", "=", "closed"),
                        ("state", "=", "cleared"),
                        ("student_id", "any", self._get_population_domain()),
                    ],
                    ["session_id"],
                    ["student_id:recordset"],
                )
            )
        students = self.env["clearance.student"].union(*groups.values())
        return self._make_finding(
            "cleared_before",
            self.env._("Nobody who takes part was cleared in an earlier session"),
            self.env._("Graduates who were cleared before"),
            [
                self.env._(
                    "%(session)s cleared %(count)s of those who take part: filter by graduation year, or archive them.",
                    session=session.name,
                    count=f"{len(cleared):,}",
                )
                for session, cleared in groups.items()
            ],
            students,
            count=len(students),
        )

    def _find_filters(self, simulation):
        """Filters that cannot be read, and those that ask for something that is not there."""
        Applicability = self.env["clearance.applicability"]
        wrong = {}
        for record in (self, *self.step_ids):
            if record in simulation.broken:
                wrong[record] = [simulation.broken[record]]
            elif warnings := Applicability._get_warnings(record.student_domain, self.company_id):
                wrong[record] = warnings
        return self._make_finding(
            "filters",
            self.env._("Every filter on graduates can be read"),
            self.env._("Filters on graduates that do not work"),
            [f"{record.name}: {problem}" for record, problems in wrong.items() for problem in problems],
            self if self in wrong else self.step_ids.filtered(lambda step: step in wrong),
            "error" if simulation.broken else "warning",
        )

    def _find_cycle(self, _simulation):
        cycle = self.step_ids._find_cycle()
        names = " → ".join(step.name for step in cycle)
        return self._make_finding(
            "cycle",
            self.env._("No steps wait for each other"),
            self.env._("Steps that wait for each other"),
            [self.env._("These steps wait for each other: %s.", names)] if cycle else [],
            self.step_ids.browse({step.id for step in cycle}),
            "error",
        )

    def _find_idle_steps(self, simulation):
        idle = simulation.steps.filtered(lambda step: not simulation.by_step[step.id]) if simulation.profiles else ()
        return self._make_finding(
            "applies",
            self.env._("Every step applies to somebody"),
            self.env._("Steps that nobody must do"),
            [self.env._("%s: applies to no graduate. Is a trait missing?", self._name_step(step)) for step in idle],
            idle,
        )

    def _find_unplaced(self, simulation):
        """Graduates without college, class or room, where desks are told apart by these."""
        lines, lost = [], set()
        for station, scopes in self._get_desk_scopes(simulation).items():
            coming = simulation.get_coming(station)
            for words, has in scopes:
                student_ids = simulation.collect(profile for profile in coming if not has(profile))
                if student_ids:
                    lost.update(student_ids)
                    lines.append(
                        self.env._(
                            "%(station)s: %(count)s graduates %(without)s, by which their desk is chosen.",
                            station=station.display_name,
                            count=f"{len(student_ids):,}",
                            without=words,
                        )
                    )
        return self._make_finding(
            "place",
            self.env._("Every graduate has what a desk is chosen by"),
            self.env._("Graduates without college, class or room"),
            lines,
            self.env["clearance.student"].browse(sorted(lost)),
            count=len(lost),
        )

    def _get_desk_scopes(self, simulation):
        """``{station of a step: [(words, function)]}``: by what the desks below it are told apart."""
        known = {
            "college_ids": (self.env._("without a college"), lambda profile: profile.college_id),
            "class_ids": (self.env._("without a class"), lambda profile: profile.has_class),
            "room_ids": (self.env._("without a room"), lambda profile: profile.has_room),
        }
        stations = simulation.steps.station_id.sudo()  # sudo: part of the plan of a session that can be read
        tree = stations.search([("id", "child_of", stations.ids)])
        scopes = {}
        for station in stations:
            below = tree.filtered(lambda desk, path=station.parent_path: desk.parent_path.startswith(path))
            scopes[station] = [known[fname] for fname in known if any(desk[fname] for desk in below)]
        return scopes
