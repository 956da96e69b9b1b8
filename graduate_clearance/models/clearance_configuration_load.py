"""Making the records of a planned session."""

from odoo import models
from odoo.fields import Command

_STEP_TEXTS = ("name", "stage", "responsible", "place", "opening_hours", "contact", "instructions", "handout")
_STEP_VALUES = (
    *("code", "mode", "required", "initial_state", "is_entry", "to_be_announced", "office_acts", "map_url", "phone"),
    *("deferral_months", "active"),
)
_STATION_TEXTS = ("name", "place", "opening_hours", "contact", "instructions")
_STATION_VALUES = ("code", "sequence", "map_url", "phone", "fast_scan")
_REQUIREMENT_VALUES = ("kind", "required", "file_types", "file_max_mb", "file_max_count", "template", "template_name")


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    def _load(self, plan):
        """Make what has been planned, with the rights of the caller.

        :param plan: a :class:`Plan`
        :return: the new session, in draft
        :raise UserError: when the plan has problems; nothing has been made then
        """
        self._raise_problems(plan.problems)
        # One whole, also for a caller who goes on after an error.
        with self.env.cr.savepoint():
            configuration = self.with_company(plan.company).with_context(tracking_disable=True, active_test=True)
            configuration._make_colleges(plan)
            configuration._make_traits(plan)
            configuration._make_properties(plan)
            configuration._make_feeds(plan)
            configuration._make_stations(plan)
            session = configuration._make_session(plan)
            steps = configuration._make_steps(plan, session)
            configuration._make_slots(plan, session)
            configuration._make_duties(plan, session)
            self.env.flush_all()
            configuration._find_after(plan, session, steps)
        return session.with_env(self.env)

    def _create_texts(self, model, vals_list, texts_list):
        """Create records whose texts are in several languages, in all those that are installed.

        :param vals_list: values without texts
        :param texts_list: dicts of field → texts by language, in the same order
        """
        source = [
            {**vals, **{name: texts["en_US"] for name, texts in own.items() if texts}}
            for vals, own in zip(vals_list, texts_list, strict=True)
        ]
        # Another language than that of the source falls back to it.
        records = self.env[model].with_context(lang="en_US").create(source)
        for lang in sorted(self._get_languages() - {"en_US"}):
            for record, own in zip(records, texts_list, strict=True):
                values = {name: texts[lang] for name, texts in own.items() if texts.get(lang)}
                if values:
                    record.with_context(lang=lang).write(values)
        return records.with_env(self.env)

    @staticmethod
    def _pick(entry, keys):
        return {key: entry[key] for key in keys if key in entry}

    # -- the campus --------------------------------------------------------------------------

    def _make_missing(self, plan, section, model, key, prepare, texts):
        """Create those of a section that have no record yet."""
        found = getattr(plan, section)
        entries = [
            entry for entry in plan.content[section] if not found[entry[key]] and entry[key] not in plan.left_out
        ]
        records = self._create_texts(
            model,
            [{"company_id": plan.company.id, **prepare(entry)} for entry in entries],
            [self._pick(entry, texts) for entry in entries],
        )
        found.update(zip((entry[key] for entry in entries), records, strict=True))

    def _make_colleges(self, plan):
        self._make_missing(
            plan, "colleges", "clearance.college", "code", lambda entry: {"code": entry["code"]}, ("name",)
        )

    def _make_traits(self, plan):
        self._make_missing(
            plan, "traits", "clearance.trait", "code", lambda entry: {"code": entry["code"]}, ("name", "description")
        )

    def _make_feeds(self, plan):
        self._make_missing(
            plan,
            "feeds",
            "clearance.feed",
            "key",
            lambda entry: self._pick(entry, ("every", "silent_after")),
            ("name", "unit"),
        )

    def _make_properties(self, plan):
        """Add the fields of graduates that the campus does not have yet; those it has stay as they are."""
        settings = self.env["clearance.settings"]._get(plan.company).with_env(self.env)
        there = settings.student_properties_definition or []
        known = {definition["name"] for definition in there}
        new = [definition for definition in plan.content["properties"] if definition["name"] not in known]
        if new:
            settings.student_properties_definition = [*there, *new]

    def _make_stations(self, plan):
        """Level by level: those above before those below."""
        operators = self._get_operators(plan)
        depth = {code: len(path) for code, path in self._get_paths(plan).items()}
        entries = [
            entry
            for entry in plan.content["stations"]
            if not plan.stations[entry["code"]] and entry["code"] not in plan.skipped
        ]
        for level in sorted({depth[entry["code"]] for entry in entries}):
            own = [entry for entry in entries if depth[entry["code"]] == level]
            stations = self._create_texts(
                "clearance.station",
                [self._prepare_station(plan, entry, operators) for entry in own],
                [self._pick(entry, _STATION_TEXTS) for entry in own],
            )
            plan.stations.update(zip((entry["code"] for entry in own), stations, strict=True))
            plan.made_stations |= stations
        for entry in plan.content["stations"]:
            if entry.get("college_desks") and entry["code"] not in plan.skipped:
                self._make_college_desks(plan, entry)

    def _prepare_station(self, plan, entry, operators):
        values = {
            **self._pick(entry, _STATION_VALUES),
            "company_id": plan.company.id,
            "parent_id": plan.stations[entry["parent"]].id if entry.get("parent") else False,
            "college_ids": [Command.set([plan.colleges[code].id for code in entry["_colleges"]])],
            "class_ids": [Command.set(entry["_classes"].ids)],
            "room_ids": [Command.set(entry["_rooms"].ids)],
            "operator_ids": [
                Command.set([operators[login].id for login in entry.get("operators", ()) if login in operators])
            ],
        }
        if "bulk" in entry:
            values.update(
                {f"bulk_{scope}": scope in entry["bulk"] for scope in self.env["clearance.station"]._BULK_SCOPES}
            )
        return values

    def _make_college_desks(self, plan, entry):
        """A desk below this station for each college of the campus (Hunan UST)."""
        station = plan.stations[entry["code"]]
        colleges = self.env["clearance.college"].search([("company_id", "=", plan.company.id)])
        desks = self.env["clearance.station"].with_context(active_test=False).search([("parent_id", "=", station.id)])
        served = {desk.college_ids: desk for desk in desks if not desk.class_ids and not desk.room_ids}
        codes = set(
            self.env["clearance.station"]
            .with_context(active_test=False)
            .search([("company_id", "=", plan.company.id), ("code", "=like", f"{entry['code']}-%")])
            .mapped("code")
        )
        new = [
            (college, f"{entry['code']}-{college.code or self._slug(college, 'college')}")
            for college in colleges
            if college not in served
        ]
        new = [(college, code) for college, code in new if code not in codes]
        plan.made_stations |= self._create_texts(
            "clearance.station",
            [
                {
                    **({"sequence": entry["sequence"]} if "sequence" in entry else {}),
                    "code": code,
                    "company_id": plan.company.id,
                    "parent_id": station.id,
                    "college_ids": [Command.set(college.ids)],
                }
                for college, code in new
            ],
            [{"name": self._name_desk(entry["college_desks"]["name"], college)} for college, _code in new],
        )

    def _name_desk(self, pattern, college):
        """The name of a college's desk in every installed language."""
        return {
            lang: (pattern.get(lang) or pattern["en_US"]).replace("%s", college.with_context(lang=lang).name)
            for lang in self._get_languages()
        }

    def _get_operators(self, plan):
        """Login → user, of those who may be named; the others are told."""
        logins = {login for entry in plan.content["stations"] for login in entry.get("operators", ())}
        users = self.env["res.users"].with_context(active_test=False).search([("login", "in", list(logins))])
        by_login = {user.login: user for user in users}
        found, lines = {}, []
        for login in sorted(logins):
            user = by_login.get(login)
            if not user:
                lines.append(self.env._("%s: there is no such user.", login))
            elif not user.active:
                lines.append(self.env._("%s: is archived.", login))
            elif user.share or plan.company not in user.company_ids:
                lines.append(self.env._("%s: does not work on this campus.", login))
            else:
                found[login] = user
        if lines:
            plan.findings.append(self._find("operators", self.env._("Operators who were not named"), lines))
        return found

    # -- the session ---------------------------------------------------------------------------

    def _make_session(self, plan):
        content = plan.content["session"]
        calendar = self._get_calendar(plan) if content.get("working_days") else self.env["resource.calendar"]
        values = {
            **self._pick(content, ("digest", "college_steps")),
            "company_id": plan.company.id,
            "year": plan.year,
            "open_from": self._get_moment(plan, content["open_from"]),
            "open_until": self._get_moment(plan, content["open_until"]),
            "student_domain": self._get_domain_text(plan, content),
            "calendar_id": calendar.id,
            "template_id": plan.template.id if plan.template else False,
        }
        return self._create_texts("clearance.session", [values], [self._pick(content, ("name", "instructions"))])

    def _get_calendar(self, plan):
        """The working hours of the campus."""
        calendar = plan.company.resource_calendar_id
        if not calendar:
            calendar = self.env["resource.calendar"].search([("company_id", "in", [plan.company.id, False])], limit=1)
        if not calendar:
            plan.findings.append(self._find("calendar", self.env._("This campus has no working hours to choose from")))
        return calendar

    def _get_domain_text(self, plan, entry):
        domain = self._resolve_domain(
            plan, f"{entry['_place']}, domain", entry.get("domain") or [], self.env["clearance.student"]
        )
        return repr(domain)

    def _make_steps(self, plan, session):
        entries = plan.content["steps"]
        steps = self._create_texts(
            "clearance.step",
            [self._prepare_step(plan, session, entry, number) for number, entry in enumerate(entries, 1)],
            [self._pick(entry, _STEP_TEXTS) for entry in entries],
        )
        by_code = dict(zip((entry["code"] for entry in entries), steps, strict=True))
        for entry in entries:
            if entry.get("prerequisites"):
                prerequisites = [by_code[code].id for code in entry["prerequisites"]]
                by_code[entry["code"]].prerequisite_ids = [Command.set(prerequisites)]
        # Afterwards: what a step goes on with has to come before it, maybe through others.
        for entry in entries:
            if entry.get("continues"):
                by_code[entry["code"]].continues_id = by_code[entry["continues"]]
        self._make_requirements(plan, by_code)
        return by_code

    def _prepare_step(self, plan, session, entry, number):
        return {
            **self._pick(entry, _STEP_VALUES),
            "session_id": session.id,
            "sequence": 10 * number,
            "station_id": plan.stations[entry["station"]].id,
            "student_domain": self._get_domain_text(plan, entry),
            "prerequisite_station_ids": [
                Command.set([plan.stations[code].id for code in entry.get("prerequisite_stations", ())])
            ],
            "open_from": self._get_moment(plan, entry.get("open_from")),
            "deadline": self._get_moment(plan, entry.get("deadline")),
            "feed_id": plan.feeds[entry["feed"]].id if entry.get("feed") else False,
            "college_id": plan.colleges[entry["college"]].id if entry.get("college") else False,
        }

    def _make_requirements(self, plan, by_code):
        """Questions with their choices; both are created together, since one needs the other."""
        asked = [
            (by_code[entry["code"]], number, question)
            for entry in plan.content["steps"]
            for number, question in enumerate(entry.get("requirements", ()), 1)
        ]
        requirements = self._create_texts(
            "clearance.requirement",
            [self._prepare_requirement(step, number, question) for step, number, question in asked],
            [self._pick(question, ("name", "help")) for _step, _number, question in asked],
        )
        for requirement, (_step, _number, question) in zip(requirements, asked, strict=True):
            choices = requirement.choice_ids.sorted("sequence")
            for choice, texts in zip(choices, question.get("choices", ()), strict=True):
                for lang in texts.keys() & self._get_languages() - {"en_US"}:
                    choice.with_context(lang=lang).name = texts[lang]

    def _prepare_requirement(self, step, number, question):
        return {
            **self._pick(question, _REQUIREMENT_VALUES),
            "step_id": step.id,
            "sequence": 10 * number,
            "choice_ids": [
                Command.create({"name": texts["en_US"], "sequence": 10 * place})
                for place, texts in enumerate(question.get("choices", ()), 1)
            ],
        }

    def _make_slots(self, plan, session):
        entries = []
        for entry in plan.content["slots"]:
            codes = [code for code in entry.get("colleges", ()) if code not in plan.left_out]
            if codes or not entry.get("colleges"):
                entries.append({**entry, "colleges": codes})
        self._create_texts(
            "clearance.slot",
            [
                {
                    **self._pick(entry, ("planned_count",)),
                    "session_id": session.id,
                    "college_ids": [Command.set([plan.colleges[code].id for code in entry["colleges"]])],
                    "open_from": self._get_moment(plan, entry["from"]),
                    "open_until": self._get_moment(plan, entry["until"]),
                }
                for entry in entries
            ],
            [self._pick(entry, ("place",)) for entry in entries],
        )

    def _make_duties(self, plan, session):
        entries = plan.content["duties"]
        self._create_texts(
            "clearance.duty",
            [
                {
                    **self._pick(entry, ("with_colleges",)),
                    "session_id": session.id,
                    "sequence": 10 * number,
                    "station_id": plan.stations[entry["station"]].id,
                    "deadline": self._get_moment(plan, entry.get("deadline")),
                }
                for number, entry in enumerate(entries, 1)
            ],
            [self._pick(entry, ("name",)) for entry in entries],
        )


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _load_configuration(
        self, document, year=None, first_day=None, name=None, create_colleges=True, template=None, company=None
    ):
        """Make a session in draft from a configuration document, with the rights of the caller.

        What the campus has already (stations, colleges, traits, source systems) is used as
        it is; what is missing is made.  Everything or nothing.  What is to be checked
        afterwards is answered, and posted in the session's chatter.

        :param document: what the JSON file says; see ``clearance.configuration``
        :param int year: graduation year; default: that of ``first_day``, else the document's
        :param date first_day: the day to which the first day of the document moves; default:
            the same day and month of the year
        :param str name: of the session; default: as the document, with the new year
        :param bool create_colleges: make colleges that the campus lacks
        :param template: the ``clearance.template`` it comes from
        :param company: the campus; default: the current one
        :return: ``(session, findings)``
        :raise UserError: with every problem of the document and its place
        :raise AccessError: unless the caller may create sessions (managers)
        """
        self.check_access("create")
        Configuration = self.env["clearance.configuration"]
        plan = Configuration._plan(document, year, first_day, name, create_colleges, template, company)
        session = Configuration._load(plan)
        session._post_findings(plan.findings)
        return session, plan.findings
