"""What a session would ask of its graduates and desks, worked out without writing anything."""

from collections import Counter
from functools import cached_property
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL

#: graduates that one operator can see on a working day: one every four minutes of eight hours
MOST_A_DAY = 120


class Profile(NamedTuple):
    """Graduates whom the session treats alike.

    ``steps``: ids of the steps that apply; ``desks``: id of a step's station -> id of the desk
    that takes them (missing: none does); ``college_id``: None without; ``has_class``,
    ``has_room``, ``has_counsellor``, ``has_supervisor``: whether they have one (who may log
    in); ``student_ids``: who they are.
    """

    steps: frozenset
    desks: dict
    college_id: int | None
    has_class: bool
    has_room: bool
    has_counsellor: bool
    has_supervisor: bool
    student_ids: list


class Simulation:
    """A session's steps, and the graduates in groups that it treats alike.

    There are some hundred such groups on a campus of 30,000, so that everything else is
    worked out on them, without another query.

    :param session: the ``clearance.session``
    :param steps: its steps in order, without retired ones and those whose filter cannot be read
    :param list profiles: of :class:`Profile`
    :param dict broken: filters that cannot be read, see ``clearance.session._get_broken_filters``
    """

    def __init__(self, session, steps, profiles, broken):
        self.session = session
        self.steps = steps
        self.profiles = profiles
        self.broken = broken
        #: what :meth:`_get_missing_texts` has found
        self.texts = None
        self._waves = {}
        self._stations = {step.id: step.station_id.id for step in steps}
        #: steps that hold others up: required ones that are not settled from the start
        self._holding = {step.id for step in steps if step._get_initial_state() == "pending"}
        self._settled = {step.id for step in steps if step._get_initial_state() == "approved"}
        self._blocking = {step.id: set(step.blocking_step_ids.ids) & self._holding for step in steps}

    @staticmethod
    def count(profiles):
        """How many graduates that is."""
        return sum(len(profile.student_ids) for profile in profiles)

    @staticmethod
    def collect(profiles):
        """Ids of the graduates, each once."""
        return sorted({student_id for profile in profiles for student_id in profile.student_ids})

    # -- who has which step, at which desk ---------------------------------------------

    @cached_property
    def cells(self):
        """``{(step id, desk id or False): [profiles]}``: who has which step at which desk."""
        cells = {}
        for profile in self.profiles:
            for step_id in profile.steps:
                desk_id = profile.desks.get(self._stations[step_id], False)
                cells.setdefault((step_id, desk_id), []).append(profile)
        return cells

    @cached_property
    def by_step(self):
        """``{step id: {desk id or False: [profiles]}}``, for every step."""
        found = {step.id: {} for step in self.steps}
        for (step_id, desk_id), profiles in self.cells.items():
            found[step_id][desk_id] = profiles
        return found

    @cached_property
    def desks(self):
        """The desks that somebody is routed to."""
        ids = {desk_id for _step_id, desk_id in self.cells if desk_id}
        # sudo: where graduates go is part of the plan of a session that the caller may read.
        stations = self.session.env["clearance.station"].sudo().with_context(active_test=False)
        return stations.browse(ids).sorted(self._get_place)

    @staticmethod
    def _get_place(desk):
        """Desks of one station stand together."""
        above = desk.parent_id or desk
        return above.sequence, above.id, bool(desk.parent_id), desk.sequence, desk.name or "", desk.id

    @cached_property
    def _operators(self):
        """``{station id: its operators who can still log in}`` of desks and of steps' stations."""
        stations = (self.desks | self.steps.station_id.sudo()).with_context(active_test=True)
        return {station.id: station.operator_ids for station in stations}

    def get_operators(self, station_id):
        """Operators of a desk, or of a step's station, who can still log in."""
        return self._operators[station_id]

    @cached_property
    def _roofs(self):
        """Stations that only hold the desks below them together: nobody acts at them."""
        Station = self.session.env["clearance.station"].sudo()  # sudo: see ``desks``
        groups = Station._read_group([("parent_id", "in", self.steps.station_id.ids)], ["parent_id"])
        return {station.id for (station,) in groups if not self._operators[station.id]}

    def is_desk(self, step, desk_id):
        """Whether ``desk_id`` is a desk, rather than the station above the desks that all refuse."""
        return bool(desk_id) and not (desk_id == step.station_id.id and desk_id in self._roofs)

    def get_coming(self, station):
        """The profiles of those who have a step at ``station`` or a desk below it, each once."""
        own = self.steps.filtered(lambda step: step.station_id == station)
        found = {id(profile): profile for step in own for group in self.by_step[step.id].values() for profile in group}
        return list(found.values())

    # -- in which order ------------------------------------------------------------------

    def get_waves(self, step_ids):
        """In which wave each of these steps can be settled at the earliest.

        A step waits for what the gate waits for: its prerequisites that apply to the same
        graduate, are required and are not settled from the start.

        :param frozenset step_ids: the steps that apply to a graduate
        :return: dict ``{step id: wave}``: 1 for steps that wait for nothing, 0 for those settled
            from the start, None for those that wait for themselves
        """
        if step_ids not in self._waves:
            waves, path = {}, set()

            def visit(step_id):
                if step_id in path:
                    return None
                if step_id not in waves:
                    path.add(step_id)
                    before = [visit(other) for other in self._blocking[step_id] & step_ids]
                    path.discard(step_id)
                    waves[step_id] = None if None in before else 1 + max(before, default=0)
                return waves[step_id]

            for step_id in step_ids:
                visit(step_id)
            self._waves[step_ids] = waves | dict.fromkeys(step_ids & self._settled, 0)
        return self._waves[step_ids]

    def count_waves(self, step_id):
        """``Counter({wave: graduates})`` of a step; see :meth:`get_waves`."""
        counter = Counter()
        for profiles in self.by_step[step_id].values():
            for profile in profiles:
                counter[self.get_waves(profile.steps)[step_id]] += len(profile.student_ids)
        return counter

    def get_blocking(self, step_id, step_ids):
        """The steps that ``step_id`` waits for, of a graduate with ``step_ids``, in order."""
        blocking = self._blocking[step_id] & step_ids
        return self.steps.filtered(lambda step: step.id in blocking)

    def get_awaited(self, step):
        """What a step waits for, as it is written down: names of whole stations, then of steps."""
        entry = self.steps.filtered("is_entry") if not step.is_entry else self.steps.browse()
        named = (entry | step.prerequisite_ids).filtered(lambda other: other.id in self._blocking[step.id])
        return step.prerequisite_station_ids.mapped("name") + named.mapped("name")

    # -- how much work -------------------------------------------------------------------

    @cached_property
    def working_days(self):
        """Dates of the window on which the offices work."""
        return self.session._get_working_days()

    @cached_property
    def _heads(self):
        """``{desk id: {profile's number: steps}}``: who has to see an operator there, and for which steps."""
        manual = {step.id for step in self.steps if step.mode == "station"} & self._holding
        heads = {}
        for (step_id, desk_id), profiles in self.cells.items():
            if desk_id and step_id in manual:
                for profile in profiles:
                    heads.setdefault(desk_id, {}).setdefault(id(profile), (profile, set()))[1].add(step_id)
        return heads

    def get_load(self, desk_id):
        """How much an operator of a desk has to do.

        Reckoned with graduates who have a required step there that an operator settles, each
        once; with operators who can log in; and with the working days between the opening of
        the first and the deadline of the last of these steps.

        :return: dict ``heads``, ``operators``, ``days`` (numbers) and ``per_day``: graduates
            for each operator on each working day; 0 without operators
        """
        found = self._heads.get(desk_id, {}).values()
        heads = sum(len(profile.student_ids) for profile, _steps in found)
        step_ids = set().union(*(steps for _profile, steps in found))
        days = self._count_days(self.steps.filtered(lambda step: step.id in step_ids))
        operators = len(self.get_operators(desk_id))
        return {
            "heads": heads,
            "operators": operators,
            "days": days,
            "per_day": round(heads / operators / days, 1) if operators else 0,
        }

    def _count_days(self, steps):
        """Working days on which one of these steps can be settled; at least one."""
        session = self.session
        first = min((step.open_from or session.open_from for step in steps), default=session.open_from)
        last = max((step.deadline or session.open_until for step in steps), default=session.open_until)
        first, last = (session._get_campus_time(moment).date() for moment in (first, last))
        return max(sum(first <= day <= last for day in self.working_days), 1)


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _simulate(self, students=None):
        """Work out who has which step, at which desk, and in which order; nothing is written.

        Everything comes out of the plan that opening the session follows, in one statement
        whatever the number of graduates.

        :param students: only look at these ``clearance.student``; default: the whole roster
        :return: a :class:`Simulation`
        :raise AccessError: when the user may not read this session
        """
        self.ensure_one()
        self.check_access("read")
        broken = self._get_broken_filters()
        steps = self.step_ids.filtered(lambda step: step not in broken).sorted(lambda step: (step.sequence, step.id))
        if self in broken:
            return Simulation(self, steps, [], broken)
        self.env.flush_all()
        self._analyze(*self._ROSTER_TABLES)
        # Compiling the statement takes longer than running it.
        self.env.cr.execute(SQL("SET LOCAL jit = off; %s", self._profiles_sql(students, steps)))
        profiles = [
            Profile(frozenset(applying), dict(zip(stations or (), desks or (), strict=True)), *values)
            for applying, stations, desks, *values in self.env.cr.fetchall()
        ]
        return Simulation(self, steps, profiles, broken)

    def _get_broken_filters(self):
        """Filters on graduates that cannot be read, say because a field has gone since.

        :return: dict from the session itself or a step of it to what is wrong, in words
        """
        problems = {
            record: self.env["clearance.applicability"]._get_problem(record.student_domain, self.company_id)
            for record in (self, *self.step_ids)
        }
        return {record: problem for record, problem in problems.items() if problem}

    def _profiles_sql(self, students, steps):
        """Rows of :class:`Profile`, with its desks as two arrays.

        Raw SQL because opening follows the same plan (:meth:`_roster_ctes`), and because nothing
        but sets of statements does this for everybody within a second.  Desks are looked for
        once for all graduates of one college, and of one class or room where desks are told
        apart by these, rather than for each of them.
        """
        return SQL(
            """
            WITH member AS (%(member)s), plan AS (%(plan)s), applies AS (%(applies)s), desk AS (%(desk)s),
            spot AS (
                SELECT id, college_id, class_id, room_id, min(id) OVER same AS first_id
                  FROM member
                WINDOW same AS (PARTITION BY college_id,
                                CASE WHEN (SELECT bool_or(class_ids IS NOT NULL) FROM desk) THEN class_id END,
                                CASE WHEN (SELECT bool_or(room_ids IS NOT NULL) FROM desk) THEN room_id END)
            ),
            -- The rule is that of opening, with the first of each spot for all of them.
            route AS (WITH member AS (SELECT * FROM spot WHERE id = first_id) (%(route)s)),
            way AS (
                SELECT student_id AS first_id, root_ids, station_ids,
                       dense_rank() OVER (ORDER BY root_ids, station_ids) AS number
                  FROM (SELECT student_id, array_agg(root_id ORDER BY root_id) AS root_ids,
                               array_agg(station_id ORDER BY root_id) AS station_ids
                          FROM route
                         GROUP BY student_id) routed
            ),
            applying AS (
                SELECT student_id, array_agg(step_id ORDER BY step_id) AS step_ids
                  FROM applies
                 GROUP BY student_id
            ),
            alike AS (
                SELECT spot.college_id, way.number,
                       spot.class_id IS NOT NULL AS has_class, spot.room_id IS NOT NULL AS has_room,
                       counsellor.id IS NOT NULL AS has_counsellor, supervisor.id IS NOT NULL AS has_supervisor,
                       applying.step_ids, array_agg(spot.id) AS student_ids
                  FROM spot
                  JOIN clearance_student student ON student.id = spot.id
                  LEFT JOIN clearance_class class ON class.id = spot.class_id
                  LEFT JOIN res_users counsellor ON counsellor.id = class.counsellor_id AND counsellor.active
                  LEFT JOIN res_users supervisor ON supervisor.id = student.supervisor_id AND supervisor.active
                  LEFT JOIN applying ON applying.student_id = spot.id
                  LEFT JOIN way ON way.first_id = spot.first_id
                 GROUP BY 1, 2, 3, 4, 5, 6, 7
            )
            SELECT COALESCE(alike.step_ids, '{}') || ARRAY(SELECT step_id FROM plan WHERE everybody AND active),
                   way.root_ids, way.station_ids, alike.college_id, alike.has_class, alike.has_room,
                   alike.has_counsellor, alike.has_supervisor, alike.student_ids
              FROM alike
              LEFT JOIN (SELECT DISTINCT ON (number) * FROM way) way ON way.number = alike.number
            """,
            member=self._member_sql(students),
            plan=self._plan_sql(steps),
            applies=self._applies_sql(students, steps),
            desk=self._desk_sql(steps),
            route=self._route_sql(),
        )
