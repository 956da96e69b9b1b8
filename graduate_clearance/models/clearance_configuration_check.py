"""The shape of a configuration document: keys, types, and whether its parts fit each other."""

import base64
import binascii
import re
from datetime import date, datetime, timedelta

import pytz

from odoo import models

from .clearance_configuration import FORMAT, VERSION
from .clearance_requirement import MOST_FILES, MOST_MB

#: begins codes that stand for one that could not be read
_GAP = "\x00"
_LANG = re.compile(r"^[a-z]{2,3}([_@][A-Za-z0-9]+)*$")
_TIME = "%Y-%m-%d %H:%M"
_TIME_SHAPE = re.compile(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$")
_URL = re.compile(r"^https?://", re.IGNORECASE)
#: what integer columns hold
MOST_INT = 2**31 - 1
_MOST_CHARS = 50_000
_YEARS = (1950, 2200)

#: kinds of fields of graduates that a document can carry: the others point to records
PROPERTY_TYPES = ("boolean", "integer", "float", "char", "text", "date", "datetime", "selection", "tags", "separator")
PROPERTY_KEYS = (
    "name",
    "string",
    "type",
    "default",
    "suffix",
    "selection",
    "tags",
    "view_in_cards",
    "fold_by_default",
)

#: section → (most entries, {key: kind}); a kind is a method ``_read_<kind>``, with ``!`` where
#: the key must be there; ``(model, field)`` is one of the values of a selection
SECTIONS = {
    "colleges": (500, {"code": "code!", "name": "text!"}),
    "traits": (500, {"code": "code!", "name": "text!", "description": "text"}),
    "feeds": (
        50,
        {"key": "code!", "name": "text!", "unit": "text", "every": "count", "silent_after": "positive"},
    ),
    "stations": (
        2000,
        {
            "code": "code!",
            "name": "text!",
            "parent": "code",
            "sequence": "int",
            "place": "text",
            "map_url": "url",
            "opening_hours": "text",
            "contact": "text",
            "phone": "char",
            "instructions": "text",
            "colleges": "codes",
            "classes": "classes",
            "rooms": "codes",
            "bulk": "bulk",
            "fast_scan": "bool",
            "operators": "codes",
            "college_desks": "desks",
        },
    ),
    "steps": (
        300,
        {
            "code": "code!",
            "name": "text!",
            "stage": "text",
            "station": "code!",
            "mode": ("clearance.step", "mode"),
            "required": "bool",
            "initial_state": ("clearance.step", "initial_state"),
            "domain": "domain",
            "prerequisites": "codes",
            "prerequisite_stations": "codes",
            "is_entry": "bool",
            "open_from": "time",
            "deadline": "time",
            "to_be_announced": "bool",
            "office_acts": "bool",
            "responsible": "text",
            "place": "text",
            "map_url": "url",
            "opening_hours": "text",
            "contact": "text",
            "phone": "char",
            "instructions": "text",
            "handout": "text",
            "feed": "code",
            "deferral_months": "count",
            "continues": "code",
            "college": "code",
            "active": "bool",
            "requirements": "requirements",
        },
    ),
    "slots": (
        500,
        {"colleges": "codes", "place": "text", "from": "time!", "until": "time!", "planned_count": "count"},
    ),
    "duties": (
        500,
        {"name": "text!", "station": "code!", "with_colleges": "bool", "deadline": "time"},
    ),
}
SESSION = {
    "name": "text!",
    "year": "year!",
    "open_from": "time!",
    "open_until": "time!",
    "domain": "domain",
    "instructions": "text",
    "digest": "bool",
    "college_steps": "bool",
    "working_days": "bool",
}
REQUIREMENT = {
    "name": "text!",
    "kind": ("clearance.requirement", "kind"),
    "required": "bool",
    "help": "text",
    "choices": "texts",
    "file_types": ("clearance.requirement", "file_types"),
    "file_max_mb": "file_mb",
    "file_max_count": "file_count",
    "template": "base64",
    "template_name": "char",
}


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    def _check_document(self, plan, document):
        """Check a document by itself and keep what it says in ``plan.content``.

        What can be read is checked further, also where something else cannot: everything
        that is wrong is said at once.

        :return: whether it is a configuration at all
        """
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            plan.problems.append(
                self.env._("This is no configuration of a clearance session: “format” must be “%s”.", FORMAT)
            )
            return False
        if document.get("version") != VERSION or isinstance(document["version"], bool):
            plan.problems.append(
                self.env._(
                    "The configuration is of version “%(version)s”; this database reads version %(known)s.",
                    version=self._quote(document.get("version")),
                    known=VERSION,
                )
            )
            return False
        before = len(plan.problems)
        content = {"timezone": self._check_timezone(plan, document.get("timezone", "UTC"))}
        for key in document.keys() - {"format", "version", "timezone", "session", "properties", *SECTIONS}:
            plan.problems.append(self.env._("“%s” is no key of a configuration.", self._quote(key)))
        content["session"] = self._read_entry(plan, "session", document.get("session"), SESSION)
        content["properties"] = self._check_properties(plan, document.get("properties", []))
        for section, (most, keys) in SECTIONS.items():
            content[section] = self._read_section(plan, section, document.get(section, []), keys, most)
        plan.content = content
        plan.is_readable = len(plan.problems) == before
        if not plan.is_readable:
            self._fill_gaps(plan)
        self._check_codes(plan)
        self._check_stations(plan)
        self._check_steps(plan)
        self._check_windows(plan)
        return True

    def _fill_gaps(self, plan):
        """Let entries with problems be looked at further, without telling of them twice."""
        number = 0
        for section, (_most, keys) in (("session", (1, SESSION)), *SECTIONS.items()):
            entries = plan.content[section]
            for entry in [entries] if section == "session" else entries:
                for key, kind in keys.items():
                    if isinstance(kind, tuple) or not kind.endswith("!") or entry.get(key):
                        continue
                    if kind == "code!":
                        number += 1
                        entry[key] = f"{_GAP}{number}"
                        if key in ("code", "key"):
                            plan.unread.add(section)
                    else:
                        entry[key] = {"text!": {"en_US": "…"}, "year!": 2000}.get(kind)

    def _quote(self, value):
        """A value from a document within a sentence."""
        text = value if isinstance(value, str) else repr(value)
        text = re.sub(r"[\x00-\x1f\ud800-\udfff]", "�", text)
        return text if len(text) <= 60 else f"{text[:60]}…"

    def _translate_texts(self, texts):
        """A text of the document in the user's language."""
        return texts.get(self.env.lang) or texts["en_US"]

    def _place(self, section, number, entry):
        """How a problem names its place: ``steps[3] “Return books”``."""
        name = entry.get("string") or entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, dict):
            name = name.get(self.env.lang) or name.get("en_US") or next(iter(name.values()), None)
        if not isinstance(name, str):
            code = (entry.get("code") or entry.get("key")) if isinstance(entry, dict) else None
            name = code if isinstance(code, str) else None
        return f"{section}[{number}] “{self._quote(name)}”" if name else f"{section}[{number}]"

    def _check_timezone(self, plan, value):
        if not isinstance(value, str) or value not in pytz.all_timezones_set:
            plan.problems.append(self.env._("timezone: “%s” is no time zone.", self._quote(value)))
            return "UTC"
        return value

    # -- reading ---------------------------------------------------------------------------

    def _read_section(self, plan, section, entries, keys, most):
        if not isinstance(entries, list):
            plan.problems.append(self.env._("%(place)s: must be a list.", place=section))
            plan.unread.add(section)
            return []
        if len(entries) > most:
            plan.problems.append(
                self.env._(
                    "%(place)s: has %(count)s entries, at most %(most)s are read.",
                    place=section,
                    count=len(entries),
                    most=most,
                )
            )
            plan.unread.add(section)
            return []
        return [
            self._read_entry(plan, self._place(section, number, entry), entry, keys)
            for number, entry in enumerate(entries, 1)
        ]

    def _read_entry(self, plan, place, entry, keys):
        """Read a dict; the result has only the keys that say something, and ``_place``."""
        found = {"_place": place}
        if not isinstance(entry, dict):
            plan.problems.append(
                self.env._(
                    "%(place)s: must be an object with keys, not %(value)s.", place=place, value=self._quote(entry)
                )
            )
            return found
        for key in entry.keys() - keys.keys():
            plan.problems.append(self.env._("%(place)s: unknown key “%(key)s”.", place=place, key=self._quote(key)))
        for key, kind in keys.items():
            must = isinstance(kind, str) and kind.endswith("!")
            if entry.get(key) is None:
                if must:
                    plan.problems.append(self.env._("%(place)s: “%(key)s” is missing.", place=place, key=key))
                continue
            where = f"{place}, {key}"
            if isinstance(kind, tuple):
                value = self._read_choice(plan, where, entry[key], kind)
            else:
                value = getattr(self, f"_read_{kind.rstrip('!')}")(plan, where, entry[key])
            if value is not None:
                found[key] = value
                if must and value == {}:
                    plan.problems.append(self.env._("%(place)s: “%(key)s” is empty.", place=place, key=key))
        return found

    def _refuse(self, plan, place, wanted, value):
        plan.problems.append(
            self.env._(
                "%(place)s: must be %(wanted)s, not %(value)s.", place=place, wanted=wanted, value=self._quote(value)
            )
        )

    def _read_char(self, plan, place, value):
        if not isinstance(value, str):
            return self._refuse(plan, place, self.env._("a text"), value)
        try:
            value.encode()
        except UnicodeEncodeError:
            return self._refuse(plan, place, self.env._("a text of whole characters"), value)
        if "\x00" in value or len(value) > _MOST_CHARS:
            return self._refuse(
                plan, place, self.env._("a text of at most %s printable characters", _MOST_CHARS), value
            )
        return value.strip()

    def _read_code(self, plan, place, value):
        text = self._read_char(plan, place, value)
        if text is not None and not 0 < len(text) <= 100:
            return self._refuse(plan, place, self.env._("a code of 1 to 100 characters"), value)
        return text

    def _read_url(self, plan, place, value):
        text = self._read_char(plan, place, value)
        if text and not _URL.match(text):
            return self._refuse(plan, place, self.env._("an address that begins with https:// or http://"), value)
        return text

    def _read_text(self, plan, place, value):
        """A text in one or several languages, as a dict that has ``en_US``; {} when it is empty."""
        if isinstance(value, str):
            text = self._read_char(plan, place, value)
            return {"en_US": text} if text else {} if text is not None else None
        if not isinstance(value, dict):
            return self._refuse(plan, place, self.env._("a text, or texts by language"), value)
        texts = {}
        for lang, part in value.items():
            if not _LANG.match(lang):
                self._refuse(plan, place, self.env._("texts by language, such as “en_US”"), lang)
            elif text := self._read_char(plan, f"{place}, {lang}", part):
                texts[lang] = text
        if texts and "en_US" not in texts:
            texts = {"en_US": next(iter(texts.values())), **texts}
        return texts

    def _read_list(self, plan, place, value, read):
        if not isinstance(value, list):
            return self._refuse(plan, place, self.env._("a list"), value)
        found = [read(plan, f"{place}[{number}]", part) for number, part in enumerate(value, 1)]
        return [part for part in found if part is not None]

    def _read_texts(self, plan, place, value):
        texts = self._read_list(plan, place, value, self._read_text)
        if texts and not all(texts):
            plan.problems.append(self.env._("%(place)s: has an empty text.", place=place))
        return texts

    def _read_codes(self, plan, place, value):
        codes = self._read_list(plan, place, value, self._read_code)
        for code in {code for code in codes or () if codes.count(code) > 1}:
            plan.problems.append(self.env._("%(place)s: names “%(code)s” twice.", place=place, code=self._quote(code)))
        return codes

    def _read_classes(self, plan, place, value):
        """Classes, each as “college code/name” or as ``{"ref": ["clearance.class", …]}``."""
        if isinstance(value, list):
            value = [
                part["ref"][1]
                if isinstance(part, dict) and isinstance(part.get("ref"), list) and len(part["ref"]) == 2
                else part
                for part in value
            ]
        return self._read_codes(plan, place, value)

    def _read_bulk(self, plan, place, value):
        codes = self._read_codes(plan, place, value)
        for code in codes or ():
            if code not in self.env["clearance.station"]._BULK_SCOPES:
                self._refuse(
                    plan, place, self.env._("some of %s", ", ".join(self.env["clearance.station"]._BULK_SCOPES)), code
                )
        return codes

    def _read_bool(self, plan, place, value):
        return value if isinstance(value, bool) else self._refuse(plan, place, self.env._("true or false"), value)

    def _read_int(self, plan, place, value, least=-MOST_INT, most=MOST_INT):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            wanted = self.env._("a whole number from %(least)s to %(most)s", least=least, most=most)
            return self._refuse(plan, place, wanted, value)
        return value

    def _read_count(self, plan, place, value):
        return self._read_int(plan, place, value, 0)

    def _read_positive(self, plan, place, value):
        return self._read_int(plan, place, value, 1)

    def _read_year(self, plan, place, value):
        return self._read_int(plan, place, value, *_YEARS)

    def _read_file_mb(self, plan, place, value):
        return self._read_int(plan, place, value, 1, MOST_MB)

    def _read_file_count(self, plan, place, value):
        return self._read_int(plan, place, value, 1, MOST_FILES)

    def _read_time(self, plan, place, value):
        """A local time, naive."""
        try:
            if not _TIME_SHAPE.match(value):
                raise ValueError
            time = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return self._refuse(plan, place, self.env._("a time such as “2026-06-22 08:30”"), value)
        if not _YEARS[0] <= time.year <= _YEARS[1]:
            return self._refuse(
                plan, place, self.env._("a time between %(first)s and %(last)s", first=_YEARS[0], last=_YEARS[1]), value
            )
        return time

    def _read_choice(self, plan, place, value, kind):
        choices = list(self.env[kind[0]]._fields[kind[1]].get_values(self.env))
        if value not in choices:
            return self._refuse(plan, place, self.env._("one of %s", ", ".join(choices)), value)
        return value

    def _read_base64(self, plan, place, value):
        text = value if isinstance(value, str) else None
        try:
            content = base64.b64decode(text or "", validate=True)
        except (ValueError, binascii.Error):
            content = b""
        if not content:
            return self._refuse(plan, place, self.env._("a file in base64"), value)
        if len(content) > MOST_MB * 1024 * 1024:
            return self._refuse(plan, place, self.env._("a file of at most %s MB", MOST_MB), value)
        return text

    def _read_desks(self, plan, place, value):
        desks = self._read_entry(plan, place, value, {"name": "text!"})
        for lang, text in desks.get("name", {}).items():
            if text.count("%s") != 1 or text.count("%") != 1:
                self._refuse(
                    plan, f"{place}, name, {lang}", self.env._("a text with one %s for the college", "%s"), text
                )
        return desks

    def _read_requirements(self, plan, place, value):
        if not isinstance(value, list) or len(value) > 100:
            return self._refuse(plan, place, self.env._("a list of at most %s questions", 100), value)
        questions = [
            self._read_entry(plan, self._place(place, number, entry), entry, REQUIREMENT)
            for number, entry in enumerate(value, 1)
        ]
        for question in questions:
            kind = question.get("kind", "char")
            if kind == "selection" and not question.get("choices"):
                plan.problems.append(self.env._("%(place)s: needs choices to choose from.", place=question["_place"]))
            if kind != "selection" and question.get("choices"):
                plan.problems.append(
                    self.env._(
                        "%(place)s: only a question of the kind “selection” has choices.", place=question["_place"]
                    )
                )
            if kind != "file" and question.keys() & {"template", "file_types", "file_max_mb", "file_max_count"}:
                plan.problems.append(
                    self.env._(
                        "%(place)s: only a question of the kind “file” says something about files.",
                        place=question["_place"],
                    )
                )
        return questions

    def _read_domain(self, plan, place, value):
        return self._read_portable_domain(plan, place, value)

    # -- fields of graduates ---------------------------------------------------------------

    def _check_properties(self, plan, definitions):
        """Definitions of fields of graduates, as Odoo's properties have them."""
        if not isinstance(definitions, list) or len(definitions) > 100:
            self._refuse(plan, "properties", self.env._("a list of at most %s fields", 100), definitions)
            return []
        names, found = set(), []
        for number, definition in enumerate(definitions, 1):
            place = self._place("properties", number, definition)
            before = len(plan.problems)
            if not isinstance(definition, dict):
                self._refuse(plan, place, self.env._("an object with keys"), definition)
                continue
            for key in definition.keys() - set(PROPERTY_KEYS):
                plan.problems.append(self.env._("%(place)s: unknown key “%(key)s”.", place=place, key=self._quote(key)))
            name = definition.get("name")
            if not isinstance(name, str) or not re.match(r"^[a-z0-9_]{1,100}$", name) or name.endswith("_html"):
                self._refuse(plan, f"{place}, name", self.env._("small letters, digits and _"), name)
            elif name in names:
                plan.problems.append(
                    self.env._("%(place)s: there is another field “%(name)s”.", place=place, name=name)
                )
            else:
                names.add(name)
                plan.property_names.add(name)
            if definition.get("type") not in PROPERTY_TYPES:
                self._refuse(
                    plan, f"{place}, type", self.env._("one of %s", ", ".join(PROPERTY_TYPES)), definition.get("type")
                )
            # Definitions hold one language only; a text by language is taken in that of the campus.
            texts = self._read_text(plan, f"{place}, string", definition.get("string"))
            self._check_property_options(plan, place, definition)
            if texts is not None and len(plan.problems) == before:
                lang = plan.company.partner_id.lang
                string = texts.get(lang) or texts.get("en_US") or name
                found.append({**self._localise_options(definition, lang), "string": string})
        return found

    def _check_property_options(self, plan, place, definition):
        for key, size in (("selection", 2), ("tags", 3)):
            if key not in definition:
                continue
            options = definition[key]
            if definition.get("type") != key or not isinstance(options, list):
                self._refuse(plan, f"{place}, {key}", self.env._("a list, for a field of this type only"), options)
                continue
            seen = set()
            for option in options:
                right = isinstance(option, list) and len(option) == size and isinstance(option[0], str)
                right = right and bool(re.match(r"^[a-z0-9_]+$", option[0])) and option[0] not in seen
                right = right and self._read_text(plan, f"{place}, {key}", option[1])
                right = right and (size == 2 or (isinstance(option[2], int) and 0 <= option[2] < 12))
                if not right:
                    self._refuse(plan, f"{place}, {key}", self.env._("options of %s values each", size), option)
                    break
                seen.add(option[0])
        for key in ("view_in_cards", "fold_by_default"):
            if not isinstance(definition.get(key, False), bool):
                self._refuse(plan, f"{place}, {key}", self.env._("true or false"), definition[key])
        if not isinstance(definition.get("suffix", ""), str):
            self._refuse(plan, f"{place}, suffix", self.env._("a text"), definition["suffix"])
        if not isinstance(definition.get("default", False), bool | int | float | str) or (
            isinstance(definition.get("default"), str) and self._read_char(plan, place, definition["default"]) is None
        ):
            self._refuse(plan, f"{place}, default", self.env._("one value"), definition["default"])

    @staticmethod
    def _localise_options(definition, lang):
        """A definition whose options are in one language."""
        found = dict(definition)
        for key in {"selection", "tags"} & found.keys():
            found[key] = [
                [
                    option[0],
                    option[1]
                    if isinstance(option[1], str)
                    else option[1].get(lang) or option[1].get("en_US") or next(iter(option[1].values())),
                    *option[2:],
                ]
                for option in found[key]
            ]
        return found

    # -- whether the parts fit -------------------------------------------------------------

    def _check_codes(self, plan):
        """Codes are there once, and what is named by a code is there."""
        content = plan.content
        for section, key in (
            ("colleges", "code"),
            ("traits", "code"),
            ("feeds", "key"),
            ("stations", "code"),
            ("steps", "code"),
        ):
            seen = {}
            for entry in content[section]:
                code = entry[key]
                if code in seen:
                    plan.problems.append(
                        self.env._(
                            "%(place)s: the %(key)s “%(code)s” is taken by %(other)s.",
                            place=entry["_place"],
                            key=key,
                            code=code,
                            other=seen[code]["_place"],
                        )
                    )
                seen.setdefault(code, entry)
        for entry in content["stations"]:
            self._check_known(plan, entry, "parent", "stations", self.env._("station"))
        for entry in content["steps"]:
            self._check_known(plan, entry, "station", "stations", self.env._("station"))
            self._check_known(plan, entry, "prerequisite_stations", "stations", self.env._("station"))
            self._check_known(plan, entry, "prerequisites", "steps", self.env._("step"))
            self._check_known(plan, entry, "continues", "steps", self.env._("step"))
            self._check_known(plan, entry, "feed", "feeds", self.env._("source system"))
        for entry in content["duties"]:
            self._check_known(plan, entry, "station", "stations", self.env._("station"))

    def _check_known(self, plan, entry, key, section, what):
        if section in plan.unread:
            return
        known = {other["key" if section == "feeds" else "code"] for other in plan.content[section]}
        codes = entry.get(key) or []
        for code in codes if isinstance(codes, list) else [codes]:
            if code not in known and not code.startswith(_GAP):
                plan.problems.append(
                    self.env._(
                        "%(place)s, %(key)s: there is no %(what)s “%(code)s”.",
                        place=entry["_place"],
                        key=key,
                        what=what,
                        code=self._quote(code),
                    )
                )

    def _get_paths(self, plan):
        """Station code → codes from the root to the station; None where it belongs to itself."""
        parents = {entry["code"]: entry.get("parent") for entry in plan.content["stations"]}
        paths = {}
        for code in parents:
            path, above = [], code
            while above in parents and above not in path:
                path.insert(0, above)
                above = parents[above]
            paths[code] = None if above in path else path
        return paths

    def _check_stations(self, plan):
        """A tree, in which no two desks side by side take the same graduates."""
        paths = self._get_paths(plan)
        named = {entry["station"] for entry in plan.content["steps"]}
        seen = {}
        for entry in plan.content["stations"]:
            path = paths[entry["code"]]
            if path is None:
                plan.problems.append(self.env._("%(place)s: belongs to itself.", place=entry["_place"]))
                continue
            scope = tuple(frozenset(entry.get(key) or ()) for key in ("colleges", "classes", "rooms"))
            if not entry.get("parent") or not (any(scope) or named.intersection(path[:-1])):
                continue
            key = (entry["parent"], scope)
            if key in seen:
                plan.problems.append(
                    self.env._(
                        "%(place)s: takes the same graduates as %(other)s, a desk of the same station, "
                        "so that neither can be chosen.",
                        place=entry["_place"],
                        other=seen[key]["_place"],
                    )
                )
            seen.setdefault(key, entry)

    def _check_steps(self, plan):
        if not plan.content["steps"] and "steps" not in plan.unread:
            plan.problems.append(self.env._("steps: a session needs at least one step."))
        stations = {entry["code"]: entry for entry in plan.content["stations"]}
        for entry in plan.content["steps"]:
            if entry.get("mode") == "feed" and entry.get("requirements"):
                plan.problems.append(
                    self.env._(
                        "%(place)s: a step that a source system settles cannot ask graduates for anything.",
                        place=entry["_place"],
                    )
                )
            own = [entry["college"]] if entry.get("college") else None
            desk = stations.get(entry["station"])
            if own and desk and desk.get("colleges") != own:
                plan.problems.append(
                    self.env._(
                        "%(place)s: a step of a college needs a desk of this college alone.",
                        place=entry["_place"],
                    )
                )
            if entry.get("continues") == entry["code"]:
                plan.problems.append(self.env._("%(place)s: goes on with itself.", place=entry["_place"]))
        self._check_cycle(plan)

    def _check_cycle(self, plan):
        """The same rules as ``clearance.step._compute_blocking_step_ids``."""
        steps = {entry["code"]: entry for entry in plan.content["steps"] if entry.get("active", True)}
        paths = self._get_paths(plan)
        entries = [code for code, entry in steps.items() if entry.get("is_entry")]
        waits = {}
        for code, entry in steps.items():
            found = [other for other in entry.get("prerequisites", ()) if other in steps]
            if not entry.get("is_entry"):
                found += entries
            for station in entry.get("prerequisite_stations", ()):
                found += [
                    other
                    for other, its in steps.items()
                    if other != code and station in (paths.get(its["station"]) or ())
                ]
            waits[code] = found
        cycle = self._find_circle(waits)
        if not cycle and plan.is_readable:
            self._check_continued(plan, steps, waits)
        elif cycle:
            plan.problems.append(
                self.env._(
                    "%(place)s: these steps wait for each other: %(cycle)s. Remove one of these prerequisites.",
                    place=steps[cycle[0]]["_place"],
                    cycle=" → ".join(self._translate_texts(steps[code]["name"]) for code in cycle),
                )
            )

    def _check_continued(self, plan, steps, waits):
        """The same rules as ``clearance.step._explain_continues_id``."""
        for code, entry in steps.items():
            asking = steps.get(entry.get("continues"))
            if not asking or asking is entry:
                continue
            place = f"{entry['_place']}, continues"
            if asking.get("continues"):
                plan.problems.append(
                    self.env._(
                        "%(place)s: “%(code)s” goes on with another step itself.", place=place, code=asking["code"]
                    )
                )
            elif asking.get("mode") == "feed":
                plan.problems.append(
                    self.env._("%(place)s: “%(code)s” is settled by a source system.", place=place, code=asking["code"])
                )
            elif asking["code"] not in self._get_all_before(code, waits):
                plan.problems.append(
                    self.env._(
                        "%(place)s: “%(code)s” has to come before; make it a prerequisite.",
                        place=place,
                        code=asking["code"],
                    )
                )

    @staticmethod
    def _get_all_before(code, waits):
        """Whatever must be settled before a step, directly or through others."""
        before, following = set(), set(waits[code])
        while following:
            before |= following
            following = {other for one in following for other in waits[one]} - before
        return before

    @staticmethod
    def _find_circle(waits):
        """The first circle in a dict of what waits for what, its first member repeated at the end."""
        done, path = set(), []

        def visit(code):
            if code in path:
                return [*path[path.index(code) :], code]
            if code in done:
                return None
            path.append(code)
            for other in waits[code]:
                if circle := visit(other):
                    return circle
            path.pop()
            done.add(code)
            return None

        return next(filter(None, map(visit, waits)), None)

    def _check_windows(self, plan):
        """Windows end after they start, those of steps within that of the session."""
        session = plan.content["session"]
        start, end = session["open_from"], session["open_until"]
        self._check_window(plan, "session", start, end)
        for entry in plan.content["slots"]:
            self._check_window(plan, entry["_place"], entry["from"], entry["until"])
        for entry in plan.content["steps"]:
            opens, ends = entry.get("open_from"), entry.get("deadline")
            if opens and ends:
                self._check_window(plan, entry["_place"], opens, ends)
            for key in ("open_from", "deadline"):
                time = entry.get(key)
                known = start and end and start < end
                if time and entry.get("active", True) and known and not start <= time <= end:
                    plan.problems.append(
                        self.env._(
                            "%(place)s, %(key)s: %(time)s lies outside the window of the session, "
                            "%(start)s to %(end)s.",
                            place=entry["_place"],
                            key=key,
                            time=time.strftime(_TIME),
                            start=start.strftime(_TIME),
                            end=end.strftime(_TIME),
                        )
                    )

    def _check_window(self, plan, place, start, end):
        if start and end and end <= start:
            plan.problems.append(
                self.env._(
                    "%(place)s: would end (%(end)s) before it starts (%(start)s).",
                    place=place,
                    start=start.strftime(_TIME),
                    end=end.strftime(_TIME),
                )
            )

    # -- another year ----------------------------------------------------------------------

    def _plan_time(self, plan, year, first_day):
        """Year and number of days by which every time moves."""
        session = plan.content["session"]
        old = session["open_from"].date()
        plan.year = year or (session["year"] + first_day.year - old.year if first_day else session["year"])
        first_day = first_day or self._get_same_day(old, old.year + plan.year - session["year"])
        plan.shift_days = (first_day - old).days
        latest = max(
            [session["open_until"]]
            + [
                entry[key]
                for section in ("steps", "slots", "duties")
                for entry in plan.content[section]
                for key in ("deadline", "until")
                if entry.get(key)
            ]
        )
        if not (_YEARS[0] <= plan.year <= _YEARS[1] and _YEARS[0] <= first_day.year) or (
            (latest.date() - date.min).days + plan.shift_days > (date(_YEARS[1], 12, 31) - date.min).days
        ):
            plan.problems.append(
                self.env._("The year must lie between %(first)s and %(last)s.", first=_YEARS[0], last=_YEARS[1])
            )
            plan.year, plan.shift_days = session["year"], 0

    @staticmethod
    def _get_same_day(day, year):
        """The same day and month in another year; the day before for 29 February."""
        try:
            return day.replace(year=year)
        except ValueError:
            return day.replace(year=year, day=28) if 1 <= year <= 9999 else day

    def _plan_name(self, plan, name):
        """Names that carry the old year carry the new one."""
        session = plan.content["session"]
        for texts in [session["name"], *(entry["stage"] for entry in plan.content["steps"] if entry.get("stage"))]:
            for lang, text in texts.items():
                texts[lang] = self._move_year(text, plan.old_year, plan.year)
        if name and name.strip():
            session["name"] = {"en_US": name.strip()}

    @staticmethod
    def _move_year(text, old, new):
        return re.sub(rf"(?<!\d){old}(?!\d)", str(new), text)

    def _get_moment(self, plan, time):
        """A time of the document in UTC, moved to the new year; the time of day stays."""
        if not time:
            return False
        local = plan.zone.localize(time + timedelta(days=plan.shift_days))
        return local.astimezone(pytz.utc).replace(tzinfo=None)
