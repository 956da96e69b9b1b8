"""A session as a document: no ids, nothing of graduates, of people only the logins of operators."""

import re

from odoo import api, models
from odoo.exceptions import UserError

from .clearance_configuration import FORMAT, VERSION
from .clearance_configuration_check import PROPERTY_KEYS, PROPERTY_TYPES

_TIME = "%Y-%m-%d %H:%M"


class Export:
    """Gathers what a document must carry along: a code for each record that is named.

    Records without a code get one made of their English name, or of their place.
    """

    def __init__(self, configuration, company):
        self.configuration = configuration
        self.company = company
        self.codes = {}
        self.taken = {}
        self.used = {}
        self.properties = set()
        self.problems = []

    def reserve(self, records, prefix):
        """Give codes to records, in a fixed order; those that have one keep it."""
        taken = self.taken.setdefault(records._name, set())
        coded = records.filtered("code") if "code" in records._fields else records.browse()
        for record in coded:
            taken.add(record.code)
            self.codes[record] = record.code
        for record in (records - coded).sorted("id"):
            if record in self.codes:
                continue
            code = base = self.configuration._slug(record, prefix)
            number = 2
            while code in taken:
                code, number = f"{base}_{number}", number + 1
            taken.add(code)
            self.codes[record] = code

    def get_code(self, record):
        """The code of a record, which the document then carries along."""
        record = record.with_env(self.configuration.env)
        if record not in self.codes:
            self.reserve(record, record._name.rpartition(".")[2])
        self.used.setdefault(record._name, set()).add(record.id)
        return self.codes[record]

    def note_codes(self, model, codes):
        """Codes written in a filter by hand: what they mean is carried along where it is there."""
        found = self.configuration.env[model].search(
            [("code", "in", codes), ("company_id", "in", [self.company.id, False])]
        )
        for record in found:
            self.get_code(record)

    def get_key(self, record):
        """The reference to a record that no document carries: a class or a room."""
        if record._name == "clearance.class":
            return f"{self.get_code(record.college_id)}/{record.name}"
        if record._name == "clearance.room":
            return self.get_room(record)
        return self.get_code(record)

    def get_room(self, room):
        names = []
        while room:
            names.insert(0, room.name)
            room = room.parent_id
        return "/".join(names)

    def get_used(self, model):
        env = self.configuration.env
        return env[model].browse(self.used.get(model, ())).sorted(lambda record: self.codes[record])


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    @api.model
    def _slug(self, record, prefix):
        """A code for a record that has none, of its English name."""
        name = record.with_context(lang="en_US").name or ""
        return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or prefix

    def _export(self, session):
        """The document of a session; equal for equal sessions.

        :raise UserError: when it cannot be told apart from this database, such as a filter that
            names graduates one by one
        """
        session.ensure_one()
        # Retired steps and archived stations are part of it, whoever asks with whatever context.
        configuration = self.with_company(session.company_id).with_context(active_test=True, lang="en_US")
        return configuration._export_session(session.with_env(configuration.env))

    def _export_session(self, session):
        export = Export(self, session.company_id)
        steps = session.with_context(active_test=False).step_ids.with_env(self.env)
        stations = self._get_exported_stations(session, steps)
        export.reserve(stations, "station")
        export.reserve(steps, "step")
        export.reserve(steps.feed_id.sorted("id"), "feed")
        document = {
            "format": FORMAT,
            "version": VERSION,
            "timezone": session._get_campus_zone().zone,
            "session": self._export_head(session, export),
        }
        # Told first, for they say which colleges, traits and fields are used.
        rest = {
            "feeds": [
                self._export_feed(feed, export) for feed in steps.feed_id.sorted(lambda feed: export.codes[feed])
            ],
            "stations": [self._export_station(station, export) for station in self._sort_stations(stations, export)],
            "steps": [self._export_step(step, export) for step in steps],
            "slots": [self._export_slot(slot, export) for slot in session.slot_ids],
            "duties": [self._export_duty(duty, export) for duty in session.duty_ids],
        }
        document["colleges"] = [self._export_named(one, export) for one in export.get_used("clearance.college")]
        document["traits"] = [
            {**self._export_named(one, export), **self._export_texts(one, {"description": "description"})}
            for one in export.get_used("clearance.trait")
        ]
        document["properties"] = self._export_properties(export)
        if export.problems:
            raise UserError(
                "\n".join(
                    [
                        self.env._("This session cannot be written to a file that another database understands:"),
                        *(f"• {problem}" for problem in export.problems),
                    ]
                )
            )
        document.update(rest)
        return {key: value for key, value in document.items() if value or not isinstance(value, list)}

    # -- values ------------------------------------------------------------------------------

    def _export_texts(self, record, keys):
        """Texts in every installed language; one string where they are all the same."""
        found = {}
        for key, fname in keys.items():
            texts = {lang: record.with_context(lang=lang)[fname] or "" for lang in sorted(self._get_languages())}
            source = texts.pop("en_US")
            others = {lang: text for lang, text in texts.items() if text and text != source}
            if source or others:
                found[key] = {"en_US": source or next(iter(others.values())), **others} if others else source
        return found

    def _export_values(self, record, keys):
        """Values that are not empty."""
        return {key: record[fname] for key, fname in keys.items() if record[fname]}

    def _export_time(self, session, moment):
        return session._get_campus_time(moment).strftime(_TIME)

    def _export_times(self, session, record, keys):
        return {key: self._export_time(session, record[fname]) for key, fname in keys.items() if record[fname]}

    # -- parts -------------------------------------------------------------------------------

    def _export_head(self, session, export):
        return {
            **self._export_texts(session, {"name": "name"}),
            "year": session.year,
            **self._export_times(session, session, {"open_from": "open_from", "open_until": "open_until"}),
            "domain": self._export_domain(session.student_domain, "session", export),
            **self._export_texts(session, {"instructions": "instructions"}),
            "digest": session.digest,
            "college_steps": session.college_steps,
            "working_days": bool(session.calendar_id),
        }

    def _export_named(self, record, export):
        return {"code": export.codes[record], **self._export_texts(record, {"name": "name"})}

    def _export_properties(self, export):
        """Definitions of the campus' own fields that filters look at."""
        there = self.env["clearance.applicability"]._get_definitions(export.company)
        found = []
        for name in sorted(export.properties & there.keys()):
            definition = there[name]
            if definition["type"] not in PROPERTY_TYPES:
                export.problems.append(
                    self.env._(
                        "Filters look at the field “%s” of graduates, which refers to records of this database.",
                        definition.get("string") or name,
                    )
                )
            found.append(
                {key: definition[key] for key in PROPERTY_KEYS if definition.get(key) not in (None, False, "", [])}
            )
        return found

    def _export_feed(self, feed, export):
        return {
            "key": export.codes[feed],
            **self._export_texts(feed, {"name": "name", "unit": "unit"}),
            "every": feed.every,
            "silent_after": feed.silent_after,
        }

    def _get_exported_stations(self, session, steps):
        """Stations of steps and duties, those above them and the desks below."""
        Station = self.env["clearance.station"]
        named = steps.station_id | steps.prerequisite_station_ids | session.duty_ids.station_id
        above = Station.with_context(active_test=False).search([("id", "parent_of", named.ids)])
        below = Station.search([("id", "child_of", named.ids)])
        # A desk below an archived one is out of use with it.
        below = below.filtered(lambda desk: not desk.parent_id or desk.parent_id in above | below)
        return (above | below).with_env(self.env)

    def _sort_stations(self, stations, export):
        """As a tree, by sequence and code: the same order in every database."""
        below = {}
        for station in stations:
            below.setdefault(station.parent_id, []).append(station)

        def walk(parent):
            for station in sorted(below.get(parent, ()), key=lambda one: (one.sequence, export.codes[one])):
                yield station
                yield from walk(station)

        return list(walk(self.env["clearance.station"]))

    def _export_station(self, station, export):
        scope = {
            "colleges": sorted(export.get_code(college) for college in station.college_ids),
            "classes": sorted(export.get_key(class_) for class_ in station.class_ids),
            "rooms": sorted(export.get_room(room) for room in station.room_ids),
        }
        # sudo: whoever may read a station may read who works there.
        logins = station.sudo().with_context(active_test=False).operator_ids.mapped("login")
        return {
            "code": export.codes[station],
            **self._export_texts(station, {"name": "name"}),
            **({"parent": export.codes[station.parent_id]} if station.parent_id else {}),
            "sequence": station.sequence,
            **self._export_info(station),
            **{key: value for key, value in scope.items() if value},
            "bulk": [kind for kind in station._BULK_SCOPES if station[f"bulk_{kind}"]],
            "fast_scan": station.fast_scan,
            **({"operators": sorted(logins)} if logins else {}),
        }

    def _export_info(self, record):
        """What graduates read of a station or a step."""
        return {
            **self._export_texts(record, {"place": "place"}),
            **self._export_values(record, {"map_url": "map_url"}),
            **self._export_texts(record, {"opening_hours": "opening_hours", "contact": "contact"}),
            **self._export_values(record, {"phone": "phone"}),
            **self._export_texts(record, {"instructions": "instructions"}),
        }

    def _export_step(self, step, export):
        order = {one: place for place, one in enumerate(step.session_id.with_context(active_test=False).step_ids)}
        prerequisites = step.with_context(active_test=False).prerequisite_ids
        place = self.env._("Step “%s”", step.name)
        return {
            "code": export.codes[step],
            **self._export_texts(step, {"name": "name", "stage": "stage"}),
            "station": export.codes[step.station_id],
            "mode": step.mode,
            **({} if step.required else {"required": False}),
            **({"initial_state": step.initial_state} if step.initial_state != "pending" else {}),
            "domain": self._export_domain(step.student_domain, place, export),
            "prerequisites": [export.codes[one] for one in prerequisites.sorted(lambda one: order.get(one, 0))],
            "prerequisite_stations": sorted(export.codes[one] for one in step.prerequisite_station_ids),
            **({"is_entry": True} if step.is_entry else {}),
            **self._export_times(step.session_id, step, {"open_from": "open_from", "deadline": "deadline"}),
            **self._export_values(step, {"to_be_announced": "to_be_announced", "office_acts": "office_acts"}),
            **self._export_texts(step, {"responsible": "responsible"}),
            **self._export_info(step),
            **self._export_texts(step, {"handout": "handout"}),
            **({"feed": export.codes[step.feed_id]} if step.feed_id else {}),
            **self._export_values(step, {"deferral_months": "deferral_months"}),
            **({"continues": export.codes[step.continues_id]} if step.continues_id else {}),
            **({"college": export.get_code(step.college_id)} if step.college_id else {}),
            **({} if step.active else {"active": False}),
            **self._export_requirements(step),
        }

    def _export_requirements(self, step):
        requirements = step.requirement_ids.filtered("active")
        found = [self._export_requirement(requirement) for requirement in requirements]
        return {"requirements": found} if found else {}

    def _export_requirement(self, requirement):
        found = {
            **self._export_texts(requirement, {"name": "name"}),
            "kind": requirement.kind,
            **({} if requirement.required else {"required": False}),
            **self._export_texts(requirement, {"help": "help"}),
        }
        if requirement.kind == "selection":
            found["choices"] = [
                self._export_texts(choice, {"name": "name"})["name"] for choice in requirement._get_offered()
            ]
        if requirement.kind == "file":
            found["file_types"] = requirement.file_types
            found["file_max_mb"] = requirement.file_max_mb
            found["file_max_count"] = requirement.file_max_count
            if template := requirement.with_context(bin_size=False).template:
                found["template"] = template.decode()
                found.update(self._export_values(requirement, {"template_name": "template_name"}))
        return found

    def _export_slot(self, slot, export):
        return {
            **({"colleges": codes} if (codes := sorted(map(export.get_code, slot.college_ids))) else {}),
            **self._export_texts(slot, {"place": "place"}),
            **self._export_times(slot.session_id, slot, {"from": "open_from", "until": "open_until"}),
            **self._export_values(slot, {"planned_count": "planned_count"}),
        }

    def _export_duty(self, duty, export):
        return {
            **self._export_texts(duty, {"name": "name"}),
            "station": export.codes[duty.station_id],
            **self._export_values(duty, {"with_colleges": "with_colleges"}),
            **self._export_times(duty.session_id, duty, {"deadline": "deadline"}),
        }


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _get_configuration(self):
        """This session's configuration as a document; see ``clearance.configuration``.

        Nothing of graduates is in it, no ids, and of people the logins of operators only.

        :return: dict that JSON can hold
        :raise UserError: when a filter names records that no other database can know
        :raise AccessError: unless the caller may read the session
        """
        self.ensure_one()
        self.check_access("read")
        return self.env["clearance.configuration"]._export(self)
