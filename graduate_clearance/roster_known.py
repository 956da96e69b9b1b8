"""What a campus has already, read once for a whole roster: colleges, classes, rooms, traits, supervisors."""

from collections import defaultdict
from typing import NamedTuple

from odoo.tools import format_list

from .number_list import clean_number
from .roster_columns import CHOICES, CellError, fold, fold_room, split_list

#: what an import may make on request
CREATABLE = ("college", "class", "room", "trait")
_KINDS = ("campus", "building", "floor")


class Missing(NamedTuple):
    """Something that the campus does not have yet, and that the import makes on request.

    ``parent``: of a class its college (an id, or a :class:`Missing`).
    """

    kind: str
    name: str
    parent: object = False


class RosterKnown:
    """What the cells of a roster may name; and what was seen on the way through the file."""

    def __init__(self, env, company, create=(), wipe=False, defaults=None):
        """Read what there is.

        :param env: whose rights and language count
        :param company: the campus, a ``res.company``
        :param create: kinds to make where they are missing, of :data:`CREATABLE`
        :param bool wipe: an empty cell empties what is known, and traits that are not named go
        :param dict defaults: ``level`` and ``graduation_year`` of new graduates whose row does not say
        """
        self.env = env
        self.company = company
        self.create = frozenset(create)
        self.wipe = wipe
        self.defaults = dict(defaults or {})
        self.settings = env["clearance.settings"]._get(company)
        #: student number -> row where it stood first; ID-card numbers likewise
        self.seen = {}
        self.seen_ids = {}
        #: graduates whose forms must follow
        self.moved = []
        #: what was made, by kind
        self.made = defaultdict(int)
        self._choices = {}
        self._languages = [code for code, _name in env["res.lang"].get_installed()]
        self._read()

    def _read(self):
        self.college_names = {}
        self.class_names = {}
        self.room_names = {}
        self.trait_names = {}
        self._colleges = self._read_named(
            "clearance.college", self.college_names, [("company_id", "=", self.company.id)]
        )
        self._traits = self._read_named(
            "clearance.trait", self.trait_names, [("company_id", "in", (False, self.company.id))]
        )
        self._read_classes()
        self._read_rooms()
        self._supervisors = None
        self._supervisor_names = {}
        self._trait_keys = None

    def _all(self, model):
        # Archived ones too: making a second one of the same name would be refused, or confuse.
        return self.env[model].with_context(active_test=False)

    def _read_named(self, model, names, domain):
        """Ids by code and by name in every language; ``{word: {id: active}}``."""
        found = defaultdict(dict)
        records = self._all(model).search(domain)
        for lang in {*self._languages, self.env.lang or "en_US"}:
            for record in records.with_context(lang=lang):
                for word in (record.name, record.code):
                    if word:
                        found[fold(word)][record.id] = record.active
        for record in records:
            names[record.id] = record.name
        return found

    def _read_classes(self):
        #: ``{word: {class id: active}}``
        self._classes = defaultdict(dict)
        self.class_colleges = {}
        for class_ in self._all("clearance.class").search([("company_id", "=", self.company.id)]):
            for word in {class_.name, class_.code} - {False}:
                self._classes[fold(word)][class_.id] = class_.active
            self.class_colleges[class_.id] = class_.college_id.id
            self.class_names[class_.id] = class_.name

    def _read_rooms(self):
        """Rooms by their whole path; where only one room has that name, by the name alone."""
        self._rooms = {}
        ends = defaultdict(list)
        rooms = self._all("clearance.room").search_fetch(
            [("company_id", "=", self.company.id)], ["complete_name", "name", "kind", "active", "parent_id"], order="id"
        )
        for room in rooms:
            self._rooms[fold_room(room.complete_name or room.name)] = (room.id, room.active, room.kind)
            self.room_names[room.id] = room.complete_name
            if room.kind == "room":
                ends[fold_room(room.name)].append((room.id, room.active, room.kind))
        for word, places in ends.items():
            if len(places) == 1:
                self._rooms.setdefault(word, places[0])

    def see(self, cells):
        """Remember the numbers of a row that is passed over, so that a repetition is found."""
        number = clean_number(str(cells.get("student_number") or ""))
        if number:
            self.seen.setdefault(number, cells["line"])

    # -- choices ---------------------------------------------------------------------

    def get_choice_words(self, name):
        """``{word: value}`` of a selection field of graduates, in every language installed and in both of ours."""
        if name not in self._choices:
            words = {fold(word): value for value, synonyms in CHOICES[name].items() for word in (value, *synonyms)}
            field = self.env["clearance.student"]._fields[name]
            for lang in self._languages:
                env = self.env(context=dict(self.env.context, lang=lang))
                words |= {fold(label): value for value, label in field._description_selection(env)}
            self._choices[name] = words
        return self._choices[name]

    def get_choice_labels(self, name):
        """The words to choose from, for people."""
        field = self.env["clearance.student"]._fields[name]
        return format_list(self.env, [label for _value, label in field._description_selection(self.env)], style="or")

    # -- what cells name ---------------------------------------------------------------

    def find_college(self, text):
        """The id of a college by name or code, or a :class:`Missing`."""
        return self._pick(
            self._colleges.get(fold(text)),
            Missing("college", text),
            self.env._("There is no college of this name or code."),
            self.env._("Correct it, add the college, or have missing colleges made."),
        )

    def find_class(self, text, college=False):
        """The id of a class by name or code within its college, or a :class:`Missing`.

        :param college: what the row says: an id, a :class:`Missing`, or False
        """
        named = self._classes.get(fold(text), {})
        found = {id_: active for id_, active in named.items() if not college or self.class_colleges[id_] == college}
        if named and not found and "class" not in self.create:
            others = format_list(self.env, [self.college_names[self.class_colleges[id_]] for id_ in named])
            raise CellError(
                self.env._("The college of this row has no such class."),
                self.env._("The class is one of %s: correct class or college.", others),
            )
        if not found and not college and "class" in self.create:
            raise CellError(
                self.env._("There is no class of this name, and the row does not name its college."),
                self.env._("Fill in the college of the row, so that the class can be made there."),
            )
        if len(found) > 1 and not college:
            raise CellError(
                self.env._("Several colleges have a class of this name."),
                self.env._("Fill in the college of the row."),
            )
        return self._pick(
            found,
            Missing("class", text, college),
            self.env._("There is no class of this name."),
            self.env._("Correct it, add the class, or have missing classes made."),
        )

    def find_room(self, text):
        """The id of a room by its path, ``2区-3栋-3层-0309``, or a :class:`Missing`."""
        place = self._rooms.get(fold_room(text))
        if place and place[2] != "room":
            raise CellError(
                self.env._("This is a building or a floor, not a room."), self.env._("Add the room, as in 2-3-3-0309.")
            )
        return self._pick(
            {place[0]: place[1]} if place else None,
            Missing("room", text),
            self.env._("There is no such room."),
            self.env._("Write campus, building, floor and room as they are called here, or have missing rooms made."),
        )

    def find_traits(self, text):
        """Ids of traits, or :class:`Missing`, in the order of the cell."""
        return [
            self._pick(
                self._traits.get(fold(word)),
                Missing("trait", word),
                self.env._("There is no trait “%s”.", word),
                self.env._("Correct it, add the trait, or have missing traits made."),
            )
            for word in split_list(text)
        ]

    def find_supervisor(self, text):
        """The id of a member of staff by login, mail address or name."""
        if self._supervisors is None:
            self._supervisors = defaultdict(dict)
            users = self.env["res.users"].search([("share", "=", False), ("company_ids", "in", self.company.id)])
            for user in users:
                self._supervisor_names[user.id] = user.name
                for word in {user.login, user.email, user.name} - {False, ""}:
                    self._supervisors[fold(word)][user.id] = True
        return self._pick(
            self._supervisors.get(fold(text)),
            None,
            self.env._("Nobody of the staff has this login, mail address or name."),
            self.env._("Correct it, or leave the cell empty and name the supervisor later."),
        )

    def _pick(self, found, missing, problem, remedy):
        found = found or {}
        active = [id_ for id_, is_active in found.items() if is_active]
        if len(active) == 1:
            return active[0]
        if active:
            raise CellError(
                self.env._("Several have this name."), self.env._("Write something that only one has: a code, a login.")
            )
        if found:
            raise CellError(
                self.env._("This one is archived."), self.env._("Take it out of the archive, or correct it.")
            )
        if missing and missing.kind in self.create:
            return missing
        raise CellError(problem, remedy)

    def get_trait(self, key):
        """The id of the trait of a column ``trait.<code or id>``; None when it is gone."""
        if self._trait_keys is None:
            self._trait_keys = {}
            for trait in self._all("clearance.trait").browse(self.trait_names):
                self._trait_keys[trait.code or str(trait.id)] = trait.id
        return self._trait_keys.get(key)

    def get_names(self, model):
        """Names of records by id, for people; of what is read here."""
        return {
            "clearance.college": self.college_names,
            "clearance.class": self.class_names,
            "clearance.room": self.room_names,
            "clearance.trait": self.trait_names,
            "res.users": self._supervisor_names,
        }.get(model, {})

    # -- what is made --------------------------------------------------------------------

    def make(self, wanted):
        """Make what is missing, each thing once, and learn it.

        :param wanted: iterable of :class:`Missing`
        :return: dict :class:`Missing` -> id
        """
        made = {}
        by_kind = defaultdict(list)
        for missing in dict.fromkeys(wanted):
            by_kind[missing.kind].append(missing)
            if isinstance(missing.parent, Missing):
                by_kind["college"].append(missing.parent)
        for kind in CREATABLE:
            for missing in dict.fromkeys(by_kind[kind]):
                made[missing] = self._make_one(missing, made)
        return made

    def _make_one(self, missing, made):
        """Make one thing, unless another spelling of it was made just before."""
        again = getattr(self, f"_find_again_{missing.kind}")(missing, made)
        if again:
            return again
        self.made[missing.kind] += 1
        return getattr(self, f"_make_{missing.kind}")(missing, made)

    def _find_again_college(self, missing, made):
        return next(iter(self._colleges.get(fold(missing.name), ())), None)

    def _find_again_class(self, missing, made):
        college = made.get(missing.parent, missing.parent)
        named = self._classes.get(fold(missing.name), ())
        return next((id_ for id_ in named if self.class_colleges[id_] == college), None)

    def _find_again_room(self, missing, made):
        return self._rooms.get(fold_room(missing.name), (None,))[0]

    def _find_again_trait(self, missing, made):
        return next(iter(self._traits.get(fold(missing.name), ())), None)

    def _make_college(self, missing, made):
        college = self.env["clearance.college"].create({"name": missing.name, "company_id": self.company.id})
        self._colleges[fold(missing.name)][college.id] = True
        self.college_names[college.id] = missing.name
        return college.id

    def _make_class(self, missing, made):
        college = made.get(missing.parent, missing.parent)
        class_ = self.env["clearance.class"].create({"name": missing.name, "college_id": college})
        self._classes[fold(missing.name)][class_.id] = True
        self.class_colleges[class_.id] = college
        self.class_names[class_.id] = missing.name
        return class_.id

    def _make_trait(self, missing, made):
        trait = self.env["clearance.trait"].create({"name": missing.name, "company_id": self.company.id})
        self._traits[fold(missing.name)][trait.id] = True
        self.trait_names[trait.id] = missing.name
        return trait.id

    def _make_room(self, missing, made):
        """Make a room with the places it is in, as far as they are missing."""
        parts = [part.strip() for part in _split_room(missing.name)]
        Room = self.env["clearance.room"]
        parent, path = False, ""
        for depth, part in enumerate(parts):
            path = f"{path}-{fold_room(part)}" if path else fold_room(part)
            known = self._rooms.get(path)
            if known and (depth or known[2] != "room"):
                parent = known[0]
                continue
            kind = _guess_kind(parts, depth)
            room = Room.create({"name": part, "kind": kind, "parent_id": parent, "company_id": self.company.id})
            self._rooms[path] = (room.id, True, kind)
            self.room_names[room.id] = room.complete_name
            parent = room.id
        return parent


def _split_room(text):
    """The parts of a path, as they are written."""
    for separator in "/\\—–―>→－":
        text = text.replace(separator, "-")
    return [part for part in text.split("-") if part.strip()]


def _guess_kind(parts, depth):
    """What kind of place a part of a path is: campus – building – floor – room, as many as there are."""
    inner = parts[:-1]
    if depth == len(inner):
        return "room"
    if len(inner) >= len(_KINDS):
        return _KINDS[min(depth, len(_KINDS) - 1)]
    kinds = _KINDS[1:] if inner[-1].endswith("层") else _KINDS[:-1]
    return kinds[depth - len(inner)]
