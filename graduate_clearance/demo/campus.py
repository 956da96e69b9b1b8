"""An invented campus, shaped like the undergraduates of Hunan UST."""

import base64
import random
from collections import defaultdict
from datetime import datetime, time, timedelta

import pytz

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import split_every

from . import content
from .content import Text
from .first_days import FirstDays
from .papers import make_form
from .people import invent_id_number, invent_name, invent_phone

MOST = 30_000
_CLASS_SIZE = 28
_CLASSES_A_COUNSELLOR = 8
_EARLIER_YEAR_SHARE = 0.013  # as 10 of 761
_BATCH = 1000
_TIMEZONE = pytz.timezone("Asia/Shanghai")
#: below this size the rarer cases are left to chance
_SMALL = 20


class Campus:
    """Makes a campus: its people, rooms, desks and steps, and a session to clear them.

    :meth:`build_roster` prepares everything up to a session in draft, just as the manual
    of Hunan UST has it; :meth:`build` adds what other campuses let their graduates do on
    their own page, opens the session and plays its first days.  The same size and seed
    make the same campus.  Afterwards ``session``, ``stations``, ``desks``, ``steps``,
    ``asks``, ``feeds``, ``students`` and ``people`` lead to what was made.
    """

    def __init__(self, env, size=600, seed=1, lang="en_US"):
        """Prepare to make a campus in the company of ``env``.

        :param int size: number of graduates, 1 to 30,000
        :param int seed: the same seed and size make the same campus
        :param str lang: language of the users
        :raise UserError: when the size is out of range or the company has graduates
        """
        if not 1 <= size <= MOST:
            raise UserError(env._("A campus has 1 to %s graduates.", f"{MOST:,}"))
        self.company = env.company
        self.env = env(
            su=True,
            context={
                "lang": "en_US",
                "allowed_company_ids": env.company.ids,
                "tracking_disable": True,
                "no_reset_password": True,
            },
        )
        self.size = size
        self.seed = seed
        self.lang = lang
        self.year = fields.Date.context_today(self.company).year
        self.translated = "zh_CN" in dict(self.env["res.lang"].get_installed())
        self.users = []  # those who can log in: role, login, password
        self.people = {}  # login or (key of a station, college) -> user
        self.stations = {}  # key -> station
        self.desks = {}  # (key, college) -> desk below it
        self.steps = {}  # key -> step
        self.asks = {}  # (key of a step, key of a question) -> what the step asks for
        self.feeds = {}  # key -> source system

    def build(self):
        """Make the campus, open its session and play the first days.

        :return: dict ``{"users": [{"role", "login", "password"}, ...]}``
        """
        self.build_roster()
        self._create_steps(content.APPLICATIONS)
        self._create_feeds()
        self._create_slots()
        self.session._open()
        FirstDays(self).play()
        return {"users": self.users}

    def build_roster(self):
        """Make everything up to a session that has not been opened yet."""
        if self.env["clearance.student"].search_count([("company_id", "=", self.company.id)], limit=1):
            raise UserError(self.env._("%s has graduates already.", self.company.name))
        self._name_university()
        self._create_people()
        self._create_traits()
        self._create_colleges()
        self._create_classes()
        self._create_students()
        self._create_stations()
        self._create_session()
        self._create_graduate_users()
        self.env.flush_all()

    # -- helpers -----------------------------------------------------------------

    def rng(self, purpose):
        """A source of chance of its own for each purpose, so that none disturbs another."""
        return random.Random(f"{purpose}/{self.size}/{self.seed}")  # noqa: S311 - no secrets here

    def say(self, text):
        """The text in the language of the users."""
        return text.zh if self.lang.startswith("zh") else text.en

    def pick(self, rng, share):
        """Positions of a share of the graduates; at least one on all but tiny campuses."""
        count = max(round(self.size * share), 1 if self.size >= _SMALL else 0)
        return set(rng.sample(range(self.size), count))

    def _create_translated(self, model, vals_list):
        """Create records whose values may be texts in both languages."""
        records = self.env[model].create(
            [
                {name: value.en if isinstance(value, Text) else value for name, value in vals.items()}
                for vals in vals_list
            ]
        )
        for record, vals in zip(records, vals_list, strict=True):
            self._translate(record, {name: value for name, value in vals.items() if isinstance(value, Text)})
        return records

    def _translate(self, record, texts):
        if self.translated and (values := {name: text.zh for name, text in texts.items() if text.zh}):
            record.with_context(lang="zh_CN").write(values)

    # -- people ------------------------------------------------------------------

    def _name_university(self):
        """Give the company of a fresh database the name, language and money of a campus."""
        if self.company.name in ("My Company", "YourCompany"):
            currency = self.env.ref("base.CNY")
            currency.active = True
            company = self.company.with_env(self.env)
            company.write({"name": self.say(content.UNIVERSITY), "currency_id": currency.id})
            company.partner_id.write({"lang": self.lang, "tz": _TIMEZONE.zone})

    def _create_people(self):
        staff = self._create_users(
            [
                {
                    "login": role.login,
                    "password": f"demo-{role.login}",
                    "group_ids": self._groups("base.group_user", role.group),
                    "action_id": self.env.ref(f"graduate_clearance.{role.home}").id,
                }
                for role in content.ROLES
            ],
            self.rng("staff"),
        )
        for role, user in zip(content.ROLES, staff, strict=True):
            self.people[role.login] = user
            self._list_user(role.title, role.login)

    def _list_user(self, title, login):
        self.users.append({"role": self.say(title), "login": login, "password": f"demo-{login}"})

    def _groups(self, *names):
        """Commands for groups, by their names; those without a dot are this addon's."""
        return [
            Command.link(self.env.ref(name if "." in name else f"graduate_clearance.{name}").id)
            for name in names
            if name
        ]

    def _create_users(self, vals_list, rng=None):
        """Create users; only those with a password can log in."""
        return self.env["res.users"].create(
            [
                {
                    "lang": self.lang,
                    "tz": _TIMEZONE.zone,
                    "company_id": self.company.id,
                    "company_ids": [Command.set(self.company.ids)],
                    **({"name": invent_name(rng, rng.choice(("female", "male")))} if rng else {}),
                    **vals,
                }
                for vals in vals_list
            ]
        )

    def _create_staff(self, login, count, rng):
        """Make ``count`` more colleagues of the user ``login``, and answer all of them."""
        return self.people[login] + self._create_users(
            [
                {"login": f"{login}{number:02}", "group_ids": self._groups("base.group_user")}
                for number in range(2, count + 1)
            ],
            rng,
        )

    # -- structure ---------------------------------------------------------------

    def _create_traits(self):
        self.traits = dict(
            zip(
                (trait.code for trait in content.TRAITS),
                self._create_translated(
                    "clearance.trait",
                    [
                        {
                            "name": trait.name,
                            "code": trait.code,
                            "sequence": number,
                            "color": number,
                            "company_id": self.company.id,
                        }
                        for number, trait in enumerate(content.TRAITS, 1)
                    ],
                ),
                strict=True,
            )
        )

    def _create_colleges(self):
        # Small campuses have fewer colleges, so that each has some classes.
        count = min(len(content.COLLEGES), max(1, self.size // (2 * _CLASS_SIZE)))
        self.college_plans = content.COLLEGES[:count]
        self.colleges = self._create_translated(
            "clearance.college",
            [
                {"name": plan.name, "code": plan.code, "sequence": number, "company_id": self.company.id}
                for number, plan in enumerate(self.college_plans, 1)
            ],
        )
        self.colleges[0].lead_ids = self.people["lead"]

    def _create_classes(self):
        """Classes of about 28, more of them in the larger colleges."""
        sizes = self._get_class_sizes()
        plans = self._share_out(len(sizes))
        counsellors = self._create_staff(
            "counsellor",
            sum(-(-count // _CLASSES_A_COUNSELLOR) for count in plans),
            self.rng("counsellors"),
        )
        free = iter(counsellors)
        vals_list = []
        for college, plan, count in zip(self.colleges, self.college_plans, plans, strict=True):
            for number in range(count):
                if number % _CLASSES_A_COUNSELLOR == 0:
                    counsellor = next(free)
                vals_list.append(
                    {
                        "name": self._name_class(plan, number),
                        "college_id": college.id,
                        "counsellor_id": counsellor.id,
                    }
                )
        self.classes = self.env["clearance.class"].create(vals_list)
        self.class_sizes = sizes

    def _get_class_sizes(self):
        rng = self.rng("classes")
        count = max(1, round(self.size / _CLASS_SIZE))
        sizes = [self.size // count + (number < self.size % count) for number in range(count)]
        for number in range(0, count - 1, 2):
            shift = rng.randint(-3, 3)
            sizes[number] += shift
            sizes[number + 1] -= shift
        return [max(size, 0) for size in sizes]

    def _share_out(self, count):
        """How many of ``count`` classes each college has: at least one, by its weight."""
        weights = [plan.weight for plan in self.college_plans]
        spare = count - len(weights)
        shares = [1 + spare * weight // sum(weights) for weight in weights]
        for number in range(count - sum(shares)):
            shares[number] += 1
        return shares

    def _get_major(self, plan, number):
        """The major of a college's class: ``(name, short name)``; classes take turns."""
        return plan.majors[number % len(plan.majors)]

    def _name_class(self, plan, number):
        """A name such as “22机设3班” or “MD22-3”."""
        _name, short = self._get_major(plan, number)
        entered, nth = (self.year - 4) % 100, number // len(plan.majors) + 1
        return self.say(Text(f"{short.en}{entered:02}-{nth}", f"{entered:02}{short.zh}{nth}班"))

    # -- graduates ---------------------------------------------------------------

    def _create_students(self):
        vals_list = self._prepare_students()
        self._add_traits(vals_list)
        self._add_rooms(vals_list)
        Student = self.env["clearance.student"]
        ids = []
        for batch in split_every(_BATCH, vals_list, list):
            ids += Student.create(batch).ids
            # What is written need not stay in memory.
            self.env.flush_all()
            self.env.invalidate_all(flush=False)
        self.students = Student.browse(ids)

    def _prepare_students(self):
        """Values of the graduates, class by class."""
        rng = self.rng("students")
        earlier = self.pick(self.rng("earlier"), _EARLIER_YEAR_SHARE)
        numbers = defaultdict(int)
        vals_list = []
        for class_, size in zip(self.classes, self.class_sizes, strict=True):
            rank = self.colleges.ids.index(class_.college_id.id)
            plan = self.college_plans[rank]
            number = numbers[rank]
            numbers[rank] += 1
            major, _short = self._get_major(plan, number)
            for seat in range(1, size + 1):
                late = len(vals_list) in earlier
                gender = rng.choice(("female", "male"))
                entered = (self.year - 4 - late) % 100
                student_number = f"{entered:02}{rank + 1:02}{number + 1:03}{seat:03}"
                vals_list.append(
                    {
                        "student_number": student_number,
                        "name": invent_name(rng, gender),
                        "gender": gender,
                        "email": f"{student_number}@example.com",
                        "phone": invent_phone(rng),
                        "id_number": invent_id_number(rng, self.year - 22 - late),
                        "company_id": self.company.id,
                        "college_id": class_.college_id.id,
                        "class_id": class_.id,
                        "major": self.say(major),
                        "level": "undergraduate",
                        "graduation_year": self.year - late,
                    }
                )
        return vals_list

    def _add_traits(self, vals_list):
        holders = {trait.code: self.pick(self.rng(trait.code), trait.share) for trait in content.TRAITS}
        holders["league_member"] -= holders["party_member"]
        # The graduate who can log in has papers to send.
        holders["national_loan"].add(0)
        holders["household"].add(0)
        for number, vals in enumerate(vals_list):
            codes = [code for code, numbers in holders.items() if number in numbers]
            vals["trait_ids"] = [Command.set([self.traits[code].id for code in codes])]
        self.off_campus = holders["off_campus"]

    def _add_rooms(self, vals_list):
        """Four to a room, women and men in buildings of their own."""
        residents = [vals for number, vals in enumerate(vals_list) if number not in self.off_campus]
        places = {}
        for offset, gender in enumerate(("male", "female"), 1):
            group = [vals for vals in residents if vals["gender"] == gender]
            for number, mates in enumerate(split_every(4, group, list)):
                places[self._get_place(number, offset)] = mates
        rooms = self._create_rooms(places)
        for place, mates in places.items():
            for vals in mates:
                vals["room_id"] = rooms[place].id

    def _get_place(self, number, offset):
        """The way to the n-th room: 24 to a floor, 6 floors, 8 buildings to a zone."""
        building, rest = divmod(number, 6 * 24)
        building = 2 * building + offset
        floor, room = divmod(rest, 24)
        return (
            f"{(building - 1) // 8 + 1}区",
            f"{building}栋",
            f"{floor + 1}层",
            f"{floor + 1:02}{room + 1:02}",
        )

    def _create_rooms(self, places):
        """Make the tree that leads to ``places``.

        :return: dict from a way to its room
        """
        rooms = {(): self.env["clearance.room"]}
        for depth, kind in enumerate(("campus", "building", "floor", "room"), 1):
            ways = sorted({place[:depth] for place in places})
            made = self.env["clearance.room"].create(
                [
                    {
                        "name": way[-1],
                        "kind": kind,
                        "parent_id": rooms[way[:-1]].id,
                        "company_id": self.company.id,
                    }
                    for way in ways
                ]
            )
            rooms.update(zip(ways, made, strict=True))
        return rooms

    def _create_graduate_users(self):
        """The first graduates can log in: one at work, one cleared, one with a deferral."""
        titles = [
            content.GRADUATE,
            Text("Graduate, cleared", "毕业生（已办结）"),
            Text("Graduate with a deferral", "毕业生（缓交）"),
        ]
        logins = ["graduate", "graduate2", "graduate3"]
        students = self.students[: len(logins)]
        self.graduates = self._create_users(
            [
                {**self.portal_values(student), "login": login, "password": f"demo-{login}"}
                for student, login in zip(students, logins[: len(students)], strict=True)
            ]
        )
        for title, user in zip(titles, self.graduates, strict=False):
            self._list_user(title, user.login)

    def portal_values(self, student):
        """Values of the user of a graduate."""
        return {
            "partner_id": student.partner_id.id,
            "login": student.student_number,
            "group_ids": self._groups("base.group_portal"),
        }

    # -- stations and session ----------------------------------------------------

    def _create_stations(self):
        """Offices of the university, and two desks for each college."""
        stations = self._create_translated(
            "clearance.station",
            [
                {
                    "name": plan.name,
                    "code": plan.key,
                    "sequence": number,
                    "place": plan.place,
                    "map_url": plan.map_url,
                    "opening_hours": content.HOURS,
                    "phone": f"0000-000{number}",
                    "instructions": plan.instructions,
                    "company_id": self.company.id,
                    "operator_ids": [] if plan.desks else [Command.link(self.people[plan.key].id)],
                }
                for number, plan in enumerate(content.STATIONS, 1)
            ],
        )
        self.stations = dict(zip((plan.key for plan in content.STATIONS), stations, strict=True))
        clerks = self._create_staff("college", len(self.colleges), self.rng("clerks"))
        for plan in content.STATIONS:
            if plan.desks:
                self._create_desks(plan, clerks)

    def _create_desks(self, plan, clerks):
        """A station's desks, one a college, each with its clerk."""
        desks = self._create_translated(
            "clearance.station",
            [
                {
                    "name": Text(plan.desks.en % college.name.en, plan.desks.zh % college.name.zh),
                    "code": f"{plan.key}-{college.code}",
                    "sequence": number,
                    "parent_id": self.stations[plan.key].id,
                    "company_id": self.company.id,
                    "college_ids": [Command.link(record.id)],
                    "operator_ids": [Command.link(clerk.id)],
                }
                for number, (college, record, clerk) in enumerate(
                    zip(self.college_plans, self.colleges, clerks, strict=True), 1
                )
            ],
        )
        self.desks.update(zip(((plan.key, college) for college in self.colleges), desks, strict=True))

    def _create_session(self):
        """A session of two weeks that began three days ago."""
        midnight = datetime.combine(fields.Date.context_today(self.company), time())
        first = _TIMEZONE.localize(midnight).astimezone(pytz.utc).replace(tzinfo=None) - timedelta(days=3)
        self.session = self._create_translated(
            "clearance.session",
            [
                {
                    "name": Text(*(name % self.year for name in content.SESSION)),
                    "year": self.year,
                    "company_id": self.company.id,
                    "student_domain": "[('level', '=', 'undergraduate')]",
                    "open_from": first,
                    "open_until": first + timedelta(days=14),
                    "instructions": content.SESSION_INSTRUCTIONS,
                }
            ],
        )
        self._create_steps(content.STEPS)
        before = [self.stations[key].id for key in content.BEFORE_CERTIFICATES]
        collecting = [self.steps[plan.key].id for plan in content.STEPS if plan.collects]
        self.env["clearance.step"].browse(collecting).prerequisite_station_ids = [Command.set(before)]

    def _create_steps(self, plans):
        """Steps of the session, and what they ask for."""
        steps = self._create_translated(
            "clearance.step",
            [
                {
                    "name": plan.name,
                    "code": plan.key,
                    "sequence": plan.sequence or 10 * number,
                    "stage": content.COLLECT if plan.collects else content.SETTLE,
                    "session_id": self.session.id,
                    "station_id": self.stations[plan.station].id,
                    "mode": plan.mode,
                    "required": plan.required,
                    "student_domain": plan.domain,
                    "instructions": plan.instructions,
                    "handout": plan.handout,
                }
                for number, plan in enumerate(plans, 1)
            ],
        )
        self.steps.update(zip((plan.key for plan in plans), steps, strict=True))
        for plan in plans:
            if plan.asks:
                self._create_requirements(plan)

    def _create_requirements(self, plan):
        """What a step asks its graduates for."""
        requirements = self._create_translated(
            "clearance.requirement",
            [
                {
                    **ask.values,
                    "sequence": number,
                    "step_id": self.steps[plan.key].id,
                    "choice_ids": [
                        Command.create({"name": choice.en, "sequence": rank}) for rank, choice in enumerate(ask.choices)
                    ],
                    **self._prepare_form(ask.form),
                }
                for number, ask in enumerate(plan.asks, 1)
            ],
        )
        for ask, requirement in zip(plan.asks, requirements, strict=True):
            self.asks[plan.key, ask.key] = requirement
            for choice, record in zip(ask.choices, requirement.choice_ids.sorted("sequence"), strict=True):
                self._translate(record, {"name": choice})

    def _prepare_form(self, title):
        """A blank form to download, called so."""
        if not title:
            return {}
        return {
            "template": base64.b64encode(make_form(content.UNIVERSITY, title)),
            "template_name": f"{self.say(title)}.pdf",
        }

    def _create_feeds(self):
        """The source systems that settle books and arrears."""
        feeds = self._create_translated(
            "clearance.feed",
            [
                {"name": plan.name, "unit": plan.unit, "every": 60, "silent_after": 24, "company_id": self.company.id}
                for plan in content.FEEDS
            ],
        )
        self.feeds = dict(zip((plan.key for plan in content.FEEDS), feeds, strict=True))
        for plan in content.STEPS:
            if plan.feed:
                self.steps[plan.key].feed_id = self.feeds[plan.feed]

    def _create_slots(self):
        """Two colleges at a time come to the hall: the first today, all day, the others half a day."""
        today = self.session.open_from + timedelta(days=3)
        morning, afternoon, day = ((8, 30), (11, 30)), ((14, 30), (17, 30)), ((8, 30), (17, 30))
        vals_list = []
        for number, colleges in enumerate(split_every(2, self.colleges.ids, list)):
            midnight = today + timedelta(days=(number + 1) // 2)
            hours = (afternoon if number % 2 == 0 else morning) if number else day
            start, end = (midnight + timedelta(hours=hour, minutes=minute) for hour, minute in hours)
            vals_list.append(
                {
                    "session_id": self.session.id,
                    "college_ids": [Command.set(colleges)],
                    "place": content.HALL,
                    "open_from": start,
                    "open_until": end,
                }
            )
        self._create_translated("clearance.slot", vals_list)
