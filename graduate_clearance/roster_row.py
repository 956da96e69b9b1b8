"""One row of a roster on its way: texts, what they mean, what is wrong, what became of it."""

from .roster_columns import CellError
from .roster_known import Missing

#: columns whose text names a record: the value it becomes
_LINKS = {
    "college": "college_id",
    "class": "class_id",
    "room": "room_id",
    "supervisor": "supervisor_id",
    "traits": "trait_ids",
}
#: what cannot be emptied, whatever is asked for
_KEPT = {"student_number", "name", "level", "graduation_year", "graduation_state"}
#: of an ID-card number: its length, and the digit that is odd for men
_CARD_LENGTH = 18
_GENDER_DIGIT = -2


class RosterRow:
    """A row; see ``clearance.student._import_rows`` for what it tells."""

    __slots__ = (
        "cells",
        "changes",
        "code",
        "line",
        "number",
        "partner",
        "problems",
        "student",
        "student_id",
        "vals",
        "values",
    )

    def __init__(self, cells, number):
        """Take a row as it came.

        :param dict cells: texts by column name, ``line`` among them
        :param int number: its place among the rows, where it does not say its line
        """
        self.line = cells.get("line") or number
        self.cells = cells
        self.values = {}
        self.vals = {}
        self.problems = []
        self.code = None
        self.changes = ""
        self.number = ""
        self.student = self.partner = None
        self.student_id = False

    @property
    def student_number(self):
        """The student number, as read."""
        return self.number

    @property
    def name(self):
        """The name in the file."""
        return self.values.get("name") or str(self.cells.get("name") or "").strip()

    @property
    def is_refused(self):
        return self.code == "refused"

    # -- what is wrong -------------------------------------------------------------------

    def refuse(self, known, column, problem, remedy, level="error"):
        """Write down what is wrong in a column; an error refuses the row."""
        spec = known.columns.get(column)
        value = str(self.cells.get(column) or "").strip()
        if column == "id_number":
            value = known.env["clearance.student"]._mask_id_number(value) or ""
        self.problems.append(
            {
                "column": spec.label if spec else column,
                "value": value[:200],
                "problem": problem,
                "remedy": remedy,
                "level": level,
            }
        )
        if level == "error":
            self.code = "refused"

    # -- what it says --------------------------------------------------------------------

    def parse(self, known):
        """Read the cells; what the row says of itself is checked here."""
        for name, spec in known.columns.items():
            if name in self.cells:
                self._read_cell(name, spec, known)
        self.number = self.values.get("student_number") or ""
        if not self.number and not self.is_refused:
            self._miss("student_number", known)
        self._check_twice(known)
        if not self.is_refused:
            self._link(known)
            self._gather(known)

    def _read_cell(self, name, spec, known):
        text = self.cells[name]
        text = text.strip() if isinstance(text, str) else "" if text is None else str(text)
        if not text:
            if known.wipe and name not in _KEPT and not name.startswith("trait."):
                self.values[name] = False
            return
        try:
            self.values[name] = spec.parse(text, known)
        except CellError as error:
            self.refuse(known, name, error.problem, error.remedy)

    def _miss(self, name, known):
        self.refuse(
            known,
            name,
            known.env._("“%s” is empty.", known.columns[name].label),
            known.env._("Fill it in: every new graduate has one."),
        )

    def _check_twice(self, known):
        """A number may stand in the file once; an ID-card number twice is only odd."""
        if self.number:
            first = known.seen.setdefault(self.number, self.line)
            if first != self.line:
                self.refuse(
                    known,
                    "student_number",
                    known.env._("Row %s has the same student number.", first),
                    known.env._("Keep one of the two rows."),
                )
        card = self.values.get("id_number")
        if card:
            first = known.seen_ids.setdefault(card, self.line)
            if first != self.line:
                self.refuse(
                    known,
                    "id_number",
                    known.env._("Row %s has the same ID-card number.", first),
                    known.env._("Look whether one of the two is wrong."),
                    level="warning",
                )
            self._check_gender(card, known)

    def _check_gender(self, card, known):
        gender = self.values.get("gender")
        if gender not in ("female", "male") or len(card) != _CARD_LENGTH or not card[_GENDER_DIGIT].isdigit():
            return
        if (int(card[_GENDER_DIGIT]) % 2 == 1) != (gender == "male"):
            self.refuse(
                known,
                "gender",
                known.env._("The ID-card number says otherwise."),
                known.env._("Look whether gender or number is wrong."),
                level="warning",
            )

    def _link(self, known):
        """Find the records that cells name."""
        values = self.values
        for name, target in _LINKS.items():
            text = values.get(name)
            if name not in values:
                continue
            if not text:
                values[target] = [] if name == "traits" else False
                continue
            try:
                if name == "class":
                    values[target] = known.find_class(text, values.get("college_id"))
                else:
                    values[target] = getattr(known, f"find_{name}")(text)
            except CellError as error:
                self.refuse(known, name, error.problem, error.remedy)

    def _gather(self, known):
        """Bring together what stands in columns of its own: traits with yes or no, fields of the campus."""
        given, taken = set(), set()
        properties = {}
        for name, value in self.values.items():
            if name.startswith("trait."):
                trait = known.get_trait(name.partition(".")[2])
                if trait:
                    (given if value else taken).add(trait)
            elif name.startswith("properties."):
                properties[name.partition(".")[2]] = value
        if properties:
            self.values["properties"] = properties
        if given or taken:
            self.values["trait_ids"] = [*self.values.get("trait_ids", ()), *sorted(given)]
            self.values["_taken_traits"] = taken

    # -- what it means beside what there is -------------------------------------------------

    def check(self, known):
        """Look at the row beside the graduate or the contact that it was matched with."""
        if self.student:
            self._check_student(known)
        else:
            if not self.values.get("name"):
                self._miss("name", known)
            self._check_partner(known)
        self._settle_traits(known)
        self._settle_college(known)

    def _check_student(self, known):
        if not self.student.active:
            self.refuse(
                known,
                "student_number",
                known.env._("The graduate with this number is archived."),
                known.env._("Take the graduate out of the archive first, or leave the row out."),
            )
        if self.values.get("properties"):
            # Written as a whole.
            self.values["properties"] = {**self.student._get_property_values(), **self.values["properties"]}

    def _check_partner(self, known):
        if self.partner and len(self.partner) > 1:
            self.refuse(
                known,
                "student_number",
                known.env._("Several contacts could be this graduate's: which one cannot be told."),
                known.env._("Merge the contacts that have this number as their reference, or this mail address."),
            )

    def _settle_traits(self, known):
        """Traits the graduate will have: those named come on top, unless the file is to count alone."""
        values = self.values
        taken = values.pop("_taken_traits", set())
        if "trait_ids" not in values:
            return
        mine = self.student.trait_ids.ids if self.student and not (known.wipe and "traits" in values) else []
        values["trait_ids"] = [trait for trait in dict.fromkeys([*mine, *values["trait_ids"]]) if trait not in taken]

    def _settle_college(self, known):
        """The college of a class is the graduate's; another one beside it is a contradiction."""
        values = self.values
        class_id = values.get("class_id", self.student.class_id.id if self.student else False)
        college = values.get("college_id")
        if not class_id:
            return
        if isinstance(class_id, Missing):
            values["college_id"] = class_id.parent
            return
        own = known.class_colleges.get(class_id)
        if college and own and college != own:
            self.refuse(
                known,
                "college",
                known.env._(
                    "The class of this graduate, %(class_)s, belongs to %(college)s.",
                    class_=known.class_names[class_id],
                    college=known.college_names[own],
                ),
                known.env._("Correct the college, or name a class of it."),
            )
        elif own:
            values["college_id"] = own

    # -- what must be made first -------------------------------------------------------------

    def get_missing(self):
        """What the row needs that is not there yet."""
        for value in self.values.values():
            for one in value if isinstance(value, list) else (value,):
                if isinstance(one, Missing):
                    yield one

    def replace_missing(self, made):
        """Put ids in the place of what has been made."""
        for name, value in self.values.items():
            if isinstance(value, Missing):
                self.values[name] = made[value]
            elif isinstance(value, list) and any(isinstance(one, Missing) for one in value):
                self.values[name] = list(dict.fromkeys(made.get(one, one) for one in value))
