from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .clearance_simulation_roster import MOST_A_DAY

#: how many graduates a search answers
_FOUND = 10


class ClearanceSimulation(models.AbstractModel):
    """What a session would ask of its graduates and desks, before it is opened.

    What the screen of the same name asks for.  Every method can be called by auditors and
    managers for everybody, and by college leads for their own colleges, classes and
    graduates; the checklist by auditors and managers only.  Nothing is written.

    A *scope* is a dict ``kind`` (``roster``, ``college``, ``class`` or ``student``) and ``id``
    (False for the roster).  A *wave* is the place of a step in the earliest order: 1 for what
    can be done at once, one more than the last of the prerequisites that apply to the same
    graduate, 0 for what is settled from the start; optional steps hold nobody up.
    """

    _name = "clearance.simulation"
    _description = "Simulation of a Session"

    @api.model
    @api.readonly
    def get_setup(self, session_id):
        """What the screen offers to choose from.

        :return: dict ``session`` (``id``, ``name``, ``state``), ``colleges`` (list of ``id``,
            ``name``, ``classes``: list of ``id`` and ``name``), ``may_check`` (the whole roster and
            the checklist) and ``may_write`` (the session can be mended by the user)
        :raise AccessError: see the class
        """
        session = self._get_session(session_id)
        everything = self._may_see_everything()
        domain = Domain("company_id", "=", session.company_id.id)
        if not everything:
            domain &= Domain("lead_ids", "in", self.env.uid)
        colleges = self.env["clearance.college"].search(domain)
        classes = self.env["clearance.class"].search([("college_id", "in", colleges.ids)]).grouped("college_id")
        return {
            "session": {"id": session.id, "name": session.name, "state": session.state},
            "colleges": [
                {
                    "id": college.id,
                    "name": college.name,
                    "classes": [{"id": class_.id, "name": class_.name} for class_ in classes.get(college, ())],
                }
                for college in colleges
            ],
            "may_check": everything,
            "may_write": session.state != "closed" and session.has_access("write"),
        }

    # -- the checklist -------------------------------------------------------------------

    @api.model
    @api.readonly
    def get_checklist(self, session_id):
        """The findings of ``clearance.session._get_findings``, as the screen shows them.

        :return: list of dicts ``key``, ``section``, ``level``, ``title``, ``detail``, ``count`` and
            ``button`` (what to press to mend it, see :meth:`open_finding`; else empty)
        :raise AccessError: for everybody but auditors and managers
        """
        session = self._get_session(session_id)
        self._check_everything()
        findings = []
        for finding in session._get_findings():
            action = finding.pop("action")
            findings.append({**finding, "button": self._get_button(action[0]) if action else ""})
        return findings

    @api.model
    @api.readonly
    def open_finding(self, session_id, key):
        """An action that shows what must be mended, as it is now.

        :param str key: of a finding
        :return: dict of a window action; False when there is nothing to mend any more
        :raise AccessError: for everybody but auditors and managers
        """
        session = self._get_session(session_id)
        self._check_everything()
        finding = next((finding for finding in session._get_findings() if finding["key"] == key), {})
        if not finding.get("action"):
            return False
        model, ids = finding["action"]
        return self._open(model, ids, finding["title"])

    def _get_button(self, model):
        return {
            "clearance.session": self.env._("Open the session"),
            "clearance.step": self.env._("Open the steps"),
            "clearance.station": self.env._("Open the stations"),
            "clearance.student": self.env._("Open the graduates"),
            "clearance.class": self.env._("Open the classes"),
            "clearance.college": self.env._("Open the colleges"),
            "clearance.feed": self.env._("Open the source systems"),
            "clearance.duty": self.env._("Open the duties"),
        }.get(model, self.env._("Open"))

    @api.model
    def _open(self, model, ids, name):
        """A window action on records: the form of one, a list of several."""
        views = [[False, "list"], [False, "form"]]
        action = {"type": "ir.actions.act_window", "name": name, "res_model": model, "target": "current"}
        if len(ids) == 1:
            return {**action, "views": views[1:], "res_id": ids[0]}
        return {**action, "views": views, "domain": [("id", "in", ids)], "context": {}}

    # -- steps and stations --------------------------------------------------------------

    @api.model
    @api.readonly
    def get_steps(self, session_id, scope):
        """Which steps the graduates of a scope have, at which desks, in what earliest order.

        :param dict scope: see the class
        :return: dict ``graduates`` (how many take part) and ``steps``: list of dicts ``id``, ``name``,
            ``stage``, ``mode`` (key of the selection), ``required``, ``to_be_announced``, ``count``
            (graduates who have it), ``usual`` (the wave of most of them; False when nobody has
            it or it waits for itself), ``latest`` (the last wave), ``waits_for`` (names of stations and steps) and
            ``desks``: list of ``id`` (False: no desk takes them), ``name``, ``count``, ``operators``
            (how many); in order of wave, then of the process
        :raise AccessError: see the class
        """
        simulation = self._simulate(session_id, scope)
        steps = [self._prepare_step(simulation, step) for step in simulation.steps]
        return {
            "graduates": simulation.count(simulation.profiles),
            "steps": sorted(steps, key=lambda step: (step["usual"] is False, step["usual"])),
        }

    def _prepare_step(self, simulation, step):
        waves = simulation.count_waves(step.id)
        usual = max(waves, key=lambda wave: (waves[wave], -(wave or 0)), default=None)
        latest = max((wave for wave in waves if wave is not None), default=None)
        return {
            "id": step.id,
            "name": step.name,
            "stage": step.stage or "",
            "mode": step.mode,
            "required": step.required,
            "to_be_announced": step.to_be_announced,
            "count": sum(waves.values()),
            "usual": False if usual is None else usual,
            "latest": False if latest is None else latest,
            "waits_for": simulation.get_awaited(step),
            "desks": self._prepare_desks(simulation, step),
        }

    def _prepare_desks(self, simulation, step):
        """The desks that a step's graduates go to; last those whom none takes."""
        found = simulation.by_step[step.id]
        desks = [
            {
                "id": desk.id,
                "name": desk.name,
                "count": simulation.count(found[desk.id]),
                "operators": len(simulation.get_operators(desk.id)),
            }
            for desk in simulation.desks
            if desk.id in found and simulation.is_desk(step, desk.id)
        ]
        lost = sum(
            simulation.count(profiles) for desk_id, profiles in found.items() if not simulation.is_desk(step, desk_id)
        )
        if lost:
            desks.append({"id": False, "name": "", "count": lost, "operators": 0})
        return desks

    @api.model
    @api.readonly
    def get_stations(self, session_id, scope):
        """Which desks the graduates of a scope go to, and how much work that is.

        :param dict scope: see the class
        :return: dict ``graduates``, ``most`` (graduates a day from which an operator has too many)
            and ``stations``: list of dicts ``id``, ``name``, ``above`` (name of the station that it
            belongs to), ``count`` (graduates who have a step there), ``operators`` (names),
            ``needs_operator`` (a step there is settled by operators), ``steps`` (list of ``id``,
            ``name``, ``count``), ``heads``, ``days`` and ``per_day`` (see
            :meth:`Simulation.get_load`); in their order
        :raise AccessError: see the class
        """
        simulation = self._simulate(session_id, scope)
        return {
            "graduates": simulation.count(simulation.profiles),
            "most": MOST_A_DAY,
            "stations": [self._prepare_station(simulation, desk) for desk in simulation.desks],
        }

    def _prepare_station(self, simulation, desk):
        own = {step: simulation.by_step[step.id].get(desk.id) for step in simulation.steps}
        own = {step: profiles for step, profiles in own.items() if profiles}
        load = simulation.get_load(desk.id)
        return {
            "id": desk.id,
            "name": desk.name,
            "above": desk.parent_id.name or "",
            "count": len(simulation.collect(profile for profiles in own.values() for profile in profiles)),
            "operators": simulation.get_operators(desk.id).mapped("name"),
            "needs_operator": any(step.mode == "station" for step in own),
            "steps": [
                {"id": step.id, "name": step.name, "count": simulation.count(profiles)}
                for step, profiles in own.items()
            ],
            "heads": load["heads"],
            "days": load["days"],
            "per_day": load["per_day"],
        }

    @api.model
    @api.readonly
    def open_graduates(self, session_id, scope, step_id=False, station_id=False):
        """An action that lists the graduates behind a number of :meth:`get_steps` or :meth:`get_stations`.

        :param int step_id: those who have this step
        :param int station_id: those who go to this desk; 0: those whom no desk takes
        :return: dict of a window action
        :raise AccessError: see the class
        """
        simulation = self._simulate(session_id, scope)
        found = []
        for step in simulation.steps:
            for desk_id, profiles in simulation.by_step[step.id].items():
                here = desk_id == station_id if station_id else not simulation.is_desk(step, desk_id)
                if (not step_id or step.id == step_id) and (station_id is False or here):
                    found += profiles
        name = self.env["clearance.step"].browse(step_id).name or self.env["clearance.station"].browse(station_id).name
        return self._open("clearance.student", simulation.collect(found), name or self.env._("Graduates"))

    # -- one graduate --------------------------------------------------------------------

    @api.model
    @api.readonly
    def search_graduates(self, session_id, query):
        """Graduates of the session's campus by number, name or initials, whether they take part or not.

        :return: list of at most 10 dicts ``id``, ``student_number``, ``name``, ``college``, ``class``,
            as far as the user may see them
        :raise AccessError: see the class
        """
        session = self._get_session(session_id)
        query = (query or "").strip()
        if not query:
            return []
        Student = self.env["clearance.student"]
        domain = Domain("company_id", "=", session.company_id.id) & Domain("display_name", "ilike", query)
        return [self._prepare_student(student) for student in Student.search(domain, limit=_FOUND)]

    def _prepare_student(self, student):
        return {
            "id": student.id,
            "student_number": student.student_number,
            "name": student.name,
            "college": student.college_id.name or "",
            "class": student.class_id.name or "",
        }

    @api.model
    @api.readonly
    def get_graduate(self, session_id, student_id):
        """The steps of one graduate, as they would stand on the form.

        :return: dict ``graduate`` (``id``, ``student_number``, ``name``, ``college``, ``class``),
            ``takes_part``, ``why_not`` (why not, in words), ``waves``: list of dicts ``wave`` (see the
            class; False: waits for itself) and ``steps``: list of ``id``, ``name``, ``stage``, ``mode``,
            ``required``, ``desk`` (name, empty: none takes the graduate), ``who`` (names of those who
            decide) and ``waits_for`` (names); and ``not_required``: names of the other steps
        :raise AccessError: see the class, and when the user may not see this graduate
        """
        session = self._get_session(session_id)
        student = self.env["clearance.student"].browse(int(student_id)).exists()
        if not student:
            raise UserError(self.env._("There is no such graduate."))
        student.check_access("read")
        simulation = self._simulate(session_id, {"kind": "student", "id": student.id})
        answer = {
            "graduate": self._prepare_student(student),
            "takes_part": bool(simulation.profiles),
            "why_not": "" if simulation.profiles else self._say_why_not(session, student),
            "waves": [],
            "not_required": [],
        }
        if simulation.profiles:
            profile, no_college = simulation.profiles[0], self.env["clearance.college"]
            answer["waves"] = self._prepare_waves(simulation, profile, student)
            # A college's own step has no line on the forms of other colleges.
            others = simulation.steps.filtered(
                lambda step: step.id not in profile.steps and step.college_id in (no_college, student.college_id)
            )
            answer["not_required"] = others.mapped("name")
        return answer

    def _say_why_not(self, session, student):
        if not student.active:
            return self.env._("This graduate is archived.")
        if student.graduation_state != "due":
            states = dict(student._fields["graduation_state"]._description_selection(self.env))
            return ": ".join(filter(None, (states[student.graduation_state], student.graduation_note)))
        if student.company_id != session.company_id:
            return self.env._("This graduate belongs to another campus.")
        return self.env._("The filter of the session, “Who takes part”, leaves this graduate out.")

    def _prepare_waves(self, simulation, profile, student):
        waves = simulation.get_waves(profile.steps)
        found = {}
        for step in simulation.steps.filtered(lambda step: step.id in profile.steps):
            found.setdefault(waves[step.id], []).append(self._prepare_own_step(simulation, profile, student, step))
        return [
            {"wave": False if wave is None else wave, "steps": found[wave]}
            for wave in sorted(found, key=lambda wave: (wave is None, wave))
        ]

    def _prepare_own_step(self, simulation, profile, student, step):
        desk_id = profile.desks.get(step.station_id.id, False)
        desk = simulation.desks.browse(desk_id if simulation.is_desk(step, desk_id) else ())
        return {
            "id": step.id,
            "name": step.name,
            "stage": step.stage or "",
            "mode": step.mode,
            "required": step.required,
            "desk": desk.name or "",
            "who": self._get_deciders(simulation, profile, student, step),
            "waits_for": simulation.get_blocking(step.id, profile.steps).mapped("name"),
        }

    def _get_deciders(self, simulation, profile, student, step):
        """Names of those who settle a step of a graduate."""
        student_sudo = student.sudo()  # the graduate has been checked; a counsellor's name is no secret
        if step.mode == "counsellor":
            return student_sudo.class_id.counsellor_id.filtered("active").mapped("name")
        if step.mode == "supervisor":
            return student_sudo.supervisor_id.filtered("active").mapped("name")
        if step.mode == "graduate":
            return [student_sudo.name]
        if step.mode == "feed" and step.feed_id:
            return [step.feed_id.name]
        return simulation.get_operators(profile.desks.get(step.station_id.id) or step.station_id.id).mapped("name")

    # -- who may ask for what ------------------------------------------------------------

    def _may_see_everything(self):
        return self.env.su or self.env.user.has_group("graduate_clearance.group_auditor")

    def _check_everything(self):
        if not self._may_see_everything():
            raise AccessError(self.env._("Only managers and auditors see the whole session before it opens."))

    def _get_session(self, session_id):
        """The session, if the user may look into it at all."""
        if not self._may_see_everything() and not self.env.user.has_group("graduate_clearance.group_college_lead"):
            raise AccessError(self.env._("Only managers, auditors and college leads see a session before it opens."))
        session = self.env["clearance.session"].browse(int(session_id)).exists()
        if not session:
            raise UserError(self.env._("There is no such session."))
        session.check_access("read")
        return session

    def _simulate(self, session_id, scope):
        """The :class:`Simulation` of a scope, if the user may see it."""
        session = self._get_session(session_id)
        kind, record_id = (scope or {}).get("kind") or "roster", (scope or {}).get("id")
        if kind == "roster":
            self._check_everything()
            return session._simulate()
        models = {"college": "clearance.college", "class": "clearance.class", "student": "clearance.student"}
        if kind not in models or not isinstance(record_id, int):
            raise UserError(self.env._("There is no scope “%s”.", kind))
        record = self.env[models[kind]].browse(record_id).exists()
        self._check_college(record if kind == "college" else record.sudo().college_id)  # sudo: to check it
        fname = {"college": "college_id", "class": "class_id", "student": "id"}[kind]
        # sudo: the steps of those in a scope that the user may see.
        return session._simulate(self.env["clearance.student"].sudo().search([(fname, "=", record.id)]))

    def _check_college(self, college):
        """Leads see their own colleges only."""
        if not self._may_see_everything() and self.env.user not in college.sudo().lead_ids:  # sudo: to check it
            raise AccessError(self.env._("You see the graduates of your own colleges only."))
