"""Plays the notice of a reference institution, on a campus made from its shipped template."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain
from unittest.mock import patch

import pytz

from odoo import fields
from odoo.fields import Command
from odoo.tests.common import TransactionCase, freeze_time, new_test_user

from odoo.addons.graduate_clearance.models import clearance_session_portal

#: what a test sends where a step asks for a paper
PAPER = ("paper.pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
ZONE = "Asia/Shanghai"


class ReferenceCase(TransactionCase):
    """A campus that has nothing but what the shipped template ``key`` makes, and invented people.

    A test class says which template (or, in ``keys``, which several at once), adds graduates with
    :meth:`graduate`, opens with :meth:`open` and plays the notice.  Steps, stations, colleges and
    traits are named by their codes in the template.  The session is called ``clearance``, because
    ``HttpCase`` has a ``session`` of its own; of several it is the first, and :meth:`status` and all
    that acts for a graduate look at the graduate's own.

    Forms settle after the commit, which a test never reaches: here they settle at once.
    """

    #: name of the template; a class without one makes nothing
    key = None
    #: names of several templates loaded on the same campus; default: ``key`` alone
    keys = ()
    #: colleges that the campus has before: code and name (desks are made for each)
    colleges = {}
    #: so many days ago the session began
    days_in = 1
    #: first day of the session; default: ``days_in`` days ago
    first_day = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.keys or ((cls.key,) if cls.key else ())
        if not cls.keys:
            return
        cls.classPatch(cls.registry["clearance.form"], "_settle_after_commit", lambda forms: forms._settle())
        # Pages tell of a new text at once, where people wait a second for it; also when time is moved.
        cls.classPatch(clearance_session_portal, "KEPT", float("-inf"))
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls._create_campus()
        cls._prepare_campus()
        cls.sessions, cls.findings = {}, {}
        for key in cls.keys:
            cls.sessions[key], cls.findings[key] = cls._load(key)
        cls.clearance = cls.sessions[cls.keys[0]]
        cls._name_staff()

    @classmethod
    def _create_campus(cls):
        cls.campus = cls.env["res.company"].create({"name": "Reference Campus"})
        cls.campus.partner_id.tz = ZONE
        cls.env.user.company_ids += cls.campus
        cls.env.user.company_id = cls.campus
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.campus.ids))
        cls.manager = cls._create_user("r_manager", "group_manager")
        cls.auditor = cls._create_user("r_auditor", "group_auditor")
        cls.officer = cls._create_user("r_officer", "group_deferral")
        # These roles come with being named on a class, graduate or college.
        cls.counsellor = cls._create_user("r_counsellor")
        cls.supervisor = cls._create_user("r_supervisor")
        cls.lead = cls._create_user("r_lead")
        cls.stranger = cls._create_user("r_stranger")
        for code, name in cls.colleges.items():
            cls.env["clearance.college"].create({"code": code, "name": name})

    @classmethod
    def _prepare_campus(cls):
        """For what a test class wants to be there before the template is loaded."""

    @classmethod
    def _create_user(cls, login, group=None, **values):
        groups = "base.group_user" + (f",graduate_clearance.{group}" if group else "")
        values = {"company_id": cls.campus.id, "company_ids": cls.campus.ids, "tz": ZONE, **values}
        return new_test_user(cls.env, login, groups=groups, context={"no_reset_password": True}, **values)

    @classmethod
    def _load(cls, key):
        """Load a shipped template as the manager, its window around this moment."""
        first_day = fields.Date.to_date(cls.first_day) or cls.today() - timedelta(days=cls.days_in)
        env = cls.env(user=cls.manager)
        template = env["clearance.template"]._get_by_key(key)
        session, findings = env["clearance.session"]._load_configuration(
            template._get_document(), year=first_day.year, first_day=first_day, template=template
        )
        return session.with_env(cls.env), findings

    @classmethod
    def _name_staff(cls):
        """One operator at every desk that has none; made at once, for there are dozens."""
        stations = cls.env["clearance.station"].search([("company_id", "=", cls.campus.id)])
        stations = stations.filtered(lambda station: not station.operator_ids)
        values = [
            {
                "login": f"r_at_{station.code or station.id}".lower(),
                "name": f"Staff of {station.name}",
                "email": "staff@example.com",
                "company_id": cls.campus.id,
                "company_ids": [Command.set(cls.campus.ids)],
                "group_ids": [Command.set(cls.env.ref("base.group_user").ids)],
                "tz": ZONE,
            }
            for station in stations
        ]
        users = cls.env["res.users"].with_context(no_reset_password=True).create(values)
        for station, user in zip(stations, users, strict=True):
            station.operator_ids = [Command.link(user.id)]

    @classmethod
    def today(cls):
        """The day on the campus."""
        return datetime.now(pytz.timezone(ZONE)).date()

    # -- what the template has made ------------------------------------------------------

    def step(self, code, key=None):
        """The step ``code`` (retired ones included) of the session of template ``key``."""
        session = self.sessions[key] if key else self.clearance
        step = session.with_context(active_test=False).step_ids.filtered(lambda step: step.code == code)
        self.assertEqual(len(step), 1, f"steps with the code {code}")
        return step.with_context(active_test=True)

    def _one(self, model, code):
        found = self.env[model].search([("code", "=", code), ("company_id", "in", [self.campus.id, False])])
        self.assertEqual(len(found), 1, f"{model} with the code {code}")
        return found

    def station(self, code):
        """The station ``code``; of a college's desk: the station's code, a dash, the college's."""
        return self._one("clearance.station", code)

    def college(self, code):
        return self._one("clearance.college", code)

    def trait(self, code):
        return self._one("clearance.trait", code)

    def staff(self, code):
        """The operator of a station."""
        return self.station(code).operator_ids[:1]

    # -- graduates -------------------------------------------------------------------------

    def graduate(self, number, college, traits=(), class_=None, level=None, room=None, supervisor=None, **values):
        """A graduate; to be made before :meth:`open`, or taken in by opening again.

        :param str college: code of the college
        :param traits: codes of traits
        :param str class_: name of a class of this college, made where it is missing, with
            ``self.counsellor`` as its counsellor
        :param str room: path of a dorm room, such as ``North/3/0101``, made where it is missing
        :param supervisor: a user, or True for ``self.supervisor``
        """
        college = self.college(college)
        traits = self.env["clearance.trait"].union(*(self.trait(code) for code in traits))
        return self.env["clearance.student"].create(
            {
                "student_number": number,
                "name": f"Graduate {number}",
                "email": f"{number}@example.com".lower(),
                "college_id": college.id,
                "class_id": self._get_class(college, class_).id if class_ else False,
                "room_id": self._get_room(room).id if room else False,
                "trait_ids": [Command.set(traits.ids)],
                "supervisor_id": (self.supervisor if supervisor is True else supervisor or self.env["res.users"]).id,
                "graduation_year": self.clearance.year,
                **({"level": level} if level else {}),
                **values,
            }
        )

    def _get_class(self, college, name):
        Class = self.env["clearance.class"]
        found = Class.search([("college_id", "=", college.id), ("name", "=", name)])
        values = {"name": name, "college_id": college.id, "counsellor_id": self.counsellor.id}
        return found or Class.create(values)

    def _get_room(self, path):
        Room = self.env["clearance.room"]
        kinds = ["campus", "building", "floor", "room"]
        room, parts = Room, path.split("/")
        for index, name in enumerate(parts):
            found = Room.search([("name", "=", name), ("parent_id", "=", room.id), ("company_id", "=", self.campus.id)])
            kind = "room" if index == len(parts) - 1 else kinds[index]
            room = found or Room.create({"name": name, "parent_id": room.id, "kind": kind})
        return room

    def user(self, student, lang=None):
        """The portal account of a graduate."""
        user = self.env["res.users"].search([("partner_id", "=", student.partner_id.id)])
        if not user:
            user = new_test_user(
                self.env,
                student.student_number.lower(),
                groups="base.group_portal",
                name=student.name,
                partner_id=student.partner_id.id,
                company_id=self.campus.id,
                company_ids=self.campus.ids,
                tz=ZONE,
            )
        if lang:
            user.lang = lang
        return user

    def open(self, *keys):
        """Open the session(s) as the manager; the forms in the order of student numbers."""
        for key in keys or self.keys:
            self.sessions[key].with_user(self.manager)._open()
        sessions = self.clearance.union(*self.sessions.values())
        forms = self.env["clearance.form"].search([("session_id", "in", sessions.ids)])
        return forms.sorted(lambda form: form.student_id.student_number)

    def form(self, student):
        """The one form of a graduate in these sessions."""
        sessions = self.clearance.union(*self.sessions.values())
        form = self.env["clearance.form"].search([("student_id", "=", student.id), ("session_id", "in", sessions.ids)])
        self.assertEqual(len(form), 1, f"forms of {student.student_number}")
        return form

    def status(self, student, code):
        """The status of a graduate's step."""
        statuses = self.form(student).with_context(active_test=False).status_ids
        status = statuses.filtered(lambda status: status.step_id.code == code)
        self.assertEqual(len(status), 1, f"statuses of {student.student_number} of the step {code}")
        return status

    def state(self, student, code):
        """Where a step of a graduate stands."""
        return self.status(student, code).state

    # -- time --------------------------------------------------------------------------------

    @contextmanager
    def at(self, moment):
        """As if it were another moment: ``YYYY-MM-DD HH:MM`` on the clock of the campus."""
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        utc = pytz.timezone(ZONE).localize(moment).astimezone(pytz.utc).replace(tzinfo=None)
        self.env.flush_all()
        with freeze_time(utc), patch.object(type(self.env.cr), "now", lambda cr: utc):
            self.env.invalidate_all()
            yield
            self.env.flush_all()
        self.env.invalidate_all()

    def then(self, text, key=None):
        """A moment of the notice, ``YYYY-MM-DD HH:MM``, as it falls in the session that was made: for :meth:`at`."""
        key = key or self.keys[0]
        document = self.env["clearance.template"]._get_by_key(key)._get_document()
        begun = pytz.utc.localize(self.sessions[key].open_from).astimezone(pytz.timezone(ZONE)).replace(tzinfo=None)
        return datetime.fromisoformat(text) + (begun - datetime.fromisoformat(document["session"]["open_from"]))

    # -- acting --------------------------------------------------------------------------------

    def who(self, student, code):
        """Whose task a step of a graduate is; None where a source system settles it."""
        status = self.status(student, code)
        if status.step_id.mode == "feed":
            return None
        if status.step_id.mode == "graduate":
            return self.user(student)
        if status.step_id.mode == "counsellor":
            return student.class_id.counsellor_id
        if status.step_id.mode == "supervisor":
            return student.supervisor_id
        return status.station_id.operator_ids[:1]

    def decide(self, user, student, code, decision="approve", reason=None, dry_run=False):
        """Take a decision as ``user`` (None: as the source system); answer the gate's code."""
        return self._ask(user, student, code, decision, reason, dry_run).code

    def _ask(self, user, student, code, decision="approve", reason=None, dry_run=False):
        status = self.status(student, code)
        door = "feed" if not user else "portal" if user.share else "desk"
        status = status.with_user(user) if user else status
        (outcome,) = status._decide(decision, door, reason, dry_run=dry_run)
        return outcome

    def missing(self, user, student, code):
        """Codes of the steps that a refused approval names, in the order of the process."""
        outcome = self._ask(user, student, code, dry_run=True)
        steps = self.env["clearance.step"].browse(step_id for _station_id, step_id in outcome.missing)
        return steps.sorted("sequence").mapped("code")

    def send(self, student, code, **answers):
        """Send what a step asks for, as the graduate.

        :param answers: by position: ``a1`` for the first question and so on; what is required and
            not said gets an answer of its kind
        """
        status = self.status(student, code)
        typed, files = {}, {}
        for number, requirement in enumerate(status.step_id._get_asked(), start=1):
            given = answers.get(f"a{number}")
            if requirement.kind == "file":
                if given or (given is None and requirement.required):
                    files[requirement.id] = [given or PAPER]
            elif given is not None:
                typed[requirement.id] = self._read_answer(requirement, given)
            elif requirement.required:
                typed[requirement.id] = self._invent_answer(requirement)
        user = self.user(student)
        Submission = self.env["clearance.submission"].with_user(user)
        return Submission._submit(status.with_user(user), typed, files).with_env(self.env)

    def _read_answer(self, requirement, given):
        """A choice may be named by its word, in either language."""
        if requirement.kind != "selection":
            return given
        for lang in ("en_US", "zh_CN"):
            for choice in requirement.choice_ids.with_context(lang=lang):
                if choice.name == given:
                    return choice.id
        raise AssertionError(f"{requirement.name} does not offer {given}")

    def _invent_answer(self, requirement):
        if requirement.kind == "selection":
            return requirement._get_offered()[0].id
        return {"char": "An answer", "text": "An answer", "float": "1", "date": str(self.today()), "boolean": True}[
            requirement.kind
        ]

    def settle(self, student, code):
        """Have a step settled by whose task it is, after the graduate has sent what it asks for."""
        status = self.status(student, code)
        asked = status.step_id._get_asked()
        if asked and status.state in ("pending", "rejected", "optional"):
            self.send(student, code)
        if not (asked and status.step_id.mode == "graduate"):
            self.assertEqual(self.decide(self.who(student, code), student, code), "done", f"settling {code}")
        self.assertFalse(status.is_open, f"{code} is open after it was settled")

    def hear(self, code, students, **figure):
        """A source system says of graduates what they owe (nothing by default); the gate's codes.

        :param figure: ``quantity``, ``amount``, ``note``
        """
        rows = [{"student_number": student.student_number, **figure} for student in students]
        step = self.status(students[0], code).step_id
        outcomes = step.feed_id._hear(step, rows, fields.Datetime.now())
        return [outcomes[student.student_number] for student in students]

    # -- looking -----------------------------------------------------------------------------------

    def page(self, student, lang=None):
        """What the page of a graduate shows; see ``clearance.form._get_portal_values``."""
        return self.form(student).with_user(self.user(student, lang)).with_context(lang=lang)._get_portal_values()

    def page_step(self, student, code, lang=None):
        """A step as the graduate's page shows it, wherever on the page; None when it is not there."""
        page = self.page(student, lang)
        steps = [step for section in page["sections"] for step in section["steps"]] + page["not_required"]
        status = self.status(student, code)
        return next((step for step in steps if step["id"] == status.id), None)

    def names(self, codes, key=None):
        """Names of steps, as people read them."""
        return [self.step(code, key).name for code in codes]

    def get_steps(self, student):
        """Codes of the steps that apply to a graduate, in order."""
        statuses = self.form(student).status_ids.filtered(lambda status: status.state != "not_required")
        return statuses.step_id.sorted(lambda step: (step.sequence, step.id)).mapped("code")

    def get_open(self, student):
        """Codes of a graduate's steps that are open, in order."""
        statuses = self.form(student).status_ids.filtered("is_open")
        return statuses.step_id.sorted(lambda step: (step.sequence, step.id)).mapped("code")

    def assertSteps(self, student, codes):  # noqa: N802
        """These steps, in this order, and no others concern the graduate."""
        self.assertEqual(self.get_steps(student), list(codes))

    def assertOrder(self, student, waves):  # noqa: N802
        """Play the whole clearance of a graduate in waves, until it is cleared.

        Steps of one wave are settled in any order; each step of the next one is refused as long as
        a wave is not settled, and names a step of it.

        :param waves: list of lists of codes: together, all that is open now
        """
        self.assertEqual(sorted(chain(*waves)), sorted(self.get_open(student)), "steps that are open")
        for wave, following in zip(waves, [*waves[1:], []], strict=True):
            for code in following:
                missing = self.missing_of(student, code)
                self.assertTrue(set(missing) & set(wave), f"{code} does not wait for any of {wave}")
            self._settle_wave(student, wave)
        self.assertEqual(self.get_open(student), [])
        self.assertEqual(self.form(student).state, "cleared")

    def assertNobodyElse(self, student):  # noqa: N802
        """Every open step is refused to all operators of the campus but those of its desk."""
        statuses = self.form(student).status_ids.filtered("is_open")
        staff = self.env["clearance.station"].search([("company_id", "=", self.campus.id)]).operator_ids
        self.assertTrue(statuses and staff)
        for user in staff:
            others = statuses.filtered(
                lambda status, user=user: (
                    user not in status.station_id.operator_ids or status.mode in ("counsellor", "supervisor")
                )
            )
            codes = {outcome.code for outcome in others.with_user(user)._decide("approve", "desk", dry_run=True)}
            self.assertEqual(codes, {"not_yours"}, f"{user.name} of {student.student_number}")

    def missing_of(self, student, code):
        """Codes of what a step of a graduate waits for; refused so to whose task it is."""
        user = self.who(student, code)
        if user and user.share:
            # What is not sent yet is said first: look at what the page says instead.
            status = self.status(student, code)
            pairs = status._get_missing().get(status.id, ())
            return self.env["clearance.step"].browse(step_id for _station_id, step_id in pairs).mapped("code")
        return self.missing(user, student, code)

    def _settle_wave(self, student, wave):
        """Settle steps of which none waits for another, the last ones first."""
        for code in reversed(wave):
            self.assertFalse(self.missing_of(student, code), f"{code} waits for another of its wave")
            self.settle(student, code)
