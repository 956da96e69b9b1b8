import re
from contextlib import closing

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

#: lines of a pasted list that are named one by one
_NAMED_LINES = 50


class ClearanceTraitAssign(models.TransientModel):
    """Gives traits to many graduates, or takes them away: by class, by list, by hand.

    What will change is shown before anything is written: who gets or loses a trait, which
    lines of a pasted list name nobody, and what that does to steps of open sessions.
    """

    _name = "clearance.trait.assign"
    _description = "Assign Traits"

    company_id = fields.Many2one(
        "res.company", "Campus", required=True, readonly=True, default=lambda self: self.env.company
    )
    trait_ids = fields.Many2many(
        "clearance.trait", string="Traits", domain="[('company_id', 'in', (company_id, False))]"
    )
    operation = fields.Selection(
        [
            ("give", "Give"),
            ("take", "Take away"),
            ("exact", "Give exactly these: take all others away"),
            ("only", "Give, and take away from everybody else"),
        ],
        "What to do",
        required=True,
        default="give",
        help="The last two are for complete lists: all traits of these graduates, or all graduates with this trait, "
        "such as a list of every borrower.",
    )
    whom = fields.Selection(
        [
            ("selected", "The graduates chosen in the roster"),
            ("class", "Colleges and classes"),
            ("list", "A list of student numbers"),
        ],
        required=True,
        default="class",
    )
    college_ids = fields.Many2many("clearance.college", string="Colleges", domain="[('company_id', '=', company_id)]")
    class_ids = fields.Many2many("clearance.class", string="Classes", domain="[('company_id', '=', company_id)]")
    year = fields.Integer("Graduation year", help="Only graduates of this year. 0: of every year.")
    numbers = fields.Text(
        "Student numbers",
        help="One a line, as copied from a column of a spreadsheet; what follows on a line is left out.",
    )
    student_ids = fields.Many2many("clearance.student", string="Graduates")
    student_count = fields.Integer("Graduates chosen", compute="_compute_student_count")
    state = fields.Selection([("edit", "To be filled in"), ("checked", "Checked")], default="edit", readonly=True)
    matched_count = fields.Integer("Graduates meant", readonly=True)
    gain_count = fields.Integer("Get a trait", readonly=True)
    lose_count = fields.Integer("Lose a trait", readonly=True)
    same_count = fields.Integer("Stay as they are", readonly=True)
    unknown = fields.Text("Not found", readonly=True)
    duplicates = fields.Text("Named twice", readonly=True)
    effect_ids = fields.One2many("clearance.trait.assign.effect", "wizard_id", "Effect on open sessions", readonly=True)

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "clearance.student":
            values["whom"] = "selected"
            values["student_ids"] = [Command.set(self.env.context.get("active_ids") or [])]
        return values

    @api.depends("student_ids")
    def _compute_student_count(self):
        for wizard in self:
            wizard.student_count = len(wizard.student_ids)

    @api.onchange(
        "trait_ids", "operation", "whom", "college_ids", "class_ids", "year", "numbers", "student_ids", "company_id"
    )
    def _onchange_anything(self):
        """What was checked is something else now."""
        self.state = "edit"

    # -- whom ----------------------------------------------------------------------

    def _find_students(self):
        """The graduates meant, as far as the user may write them.

        :return: ``(students, unknown, duplicates)``: pairs (line, number) that name nobody,
            triples (line, number, line before) of those named again
        :raise UserError: when nobody has been said
        """
        self.ensure_one()
        Student = self.env["clearance.student"]
        own = Domain("company_id", "=", self.company_id.id)
        if self.whom == "list":
            lines, duplicates = self._read_numbers()
            found = Student.search(own & Domain("student_number", "in", list(lines)))
            known = set(found.mapped("student_number"))
            return found, [(line, number) for number, line in lines.items() if number not in known], duplicates
        if self.whom == "selected":
            if not self.student_ids:
                raise UserError(self.env._("Choose graduates in the roster first."))
            return Student.search(own & Domain("id", "in", self.student_ids.ids)), [], []
        if not self.college_ids and not self.class_ids:
            raise UserError(self.env._("Choose the colleges or classes whose graduates are meant."))
        domain = Domain("college_id", "in", self.college_ids.ids) | Domain("class_id", "in", self.class_ids.ids)
        if self.year:
            domain &= Domain("graduation_year", "=", self.year)
        return Student.search(own & domain), [], []

    def _read_numbers(self):
        """The student numbers of the pasted list.

        :return: ``(lines, duplicates)``: dict number to its first line, and triples
            (line, number, first line) of those that come again
        :raise UserError: when there is none
        """
        lines, duplicates = {}, []
        for position, line in enumerate((self.numbers or "").splitlines(), 1):
            # A spreadsheet puts tabs between its columns, a person a comma or a blank.
            number = re.split(r"[\s,;，；、]+", line.strip(" \t\ufeff\"'"), maxsplit=1)[0].strip("\"'")
            if not number:
                continue
            if number in lines:
                duplicates.append((position, number, lines[number]))
            else:
                lines[number] = position
        if not lines:
            raise UserError(self.env._("Paste the student numbers, one a line."))
        return lines, duplicates

    # -- what changes ----------------------------------------------------------------

    def _plan(self, students):
        """What is to be written.

        :param students: the graduates meant
        :return: list of pairs (trait, graduates who get it), and of (trait, graduates who lose it)
        """
        Student = self.env["clearance.student"]
        own = Domain("company_id", "=", self.company_id.id)
        gains, losses = [], []
        traits = self.trait_ids
        looked_at = (
            Domain("trait_ids", "!=", False) if self.operation == "exact" else Domain("trait_ids", "in", traits.ids)
        )
        having = dict(Student._read_group(own & looked_at, ["trait_ids"], ["id:recordset"]))
        for trait, holders in having.items():
            if self.operation in ("take", "exact") and (trait in traits) == (self.operation == "take"):
                losses.append((trait, holders & students))
            elif self.operation == "only" and trait in traits:
                losses.append((trait, holders - students))
        if self.operation != "take":
            gains = [(trait, students - having.get(trait, Student)) for trait in traits]
        return [pair for pair in gains if pair[1]], [pair for pair in losses if pair[1]]

    def _write_plan(self, gains, losses):
        """Write traits, two statements each; return the graduates they concern.

        In SQL: the ORM writes who changed the graduates a hundred at a time, and asks each
        time what else follows, which for the roster is done once, by the caller.
        """
        field = self.env["clearance.student"]._fields["trait_ids"]
        names = {name: SQL.identifier(getattr(field, name)) for name in ("relation", "column1", "column2")}
        touched = self.env["clearance.student"].union(*(some for _trait, some in gains + losses))
        touched.check_access("write")
        self.env.flush_all()
        for trait, students in gains:
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %(relation)s (%(column1)s, %(column2)s) SELECT unnest(%(students)s), %(trait)s"
                    " ON CONFLICT DO NOTHING",
                    students=students.ids,
                    trait=trait.id,
                    **names,
                )
            )
        for trait, students in losses:
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %(relation)s WHERE %(column1)s = ANY(%(students)s) AND %(column2)s = %(trait)s",
                    students=students.ids,
                    trait=trait.id,
                    **names,
                )
            )
        self.env.cr.execute(
            SQL(
                "UPDATE clearance_student SET write_uid = %s, write_date = %s WHERE id = ANY(%s)",
                self.env.uid,
                self.env.cr.now(),
                touched.ids,
            )
        )
        touched.invalidate_recordset(["trait_ids", "write_uid", "write_date"])
        touched.modified(["trait_ids"])
        return touched

    def _check_input(self):
        self.ensure_one()
        self.check_access("write")
        self.env["clearance.student"].check_access("write")
        if not self.trait_ids and self.operation != "exact":
            raise UserError(self.env._("Choose the traits first."))

    def action_check(self):
        """Show what would be written, and what it does to open sessions."""
        self._check_input()
        students, unknown, duplicates = self._find_students()
        gains, losses = self._plan(students)
        gaining = students.browse().union(*(some for _trait, some in gains))
        losing = students.browse().union(*(some for _trait, some in losses))
        self.write(
            {
                "state": "checked",
                "matched_count": len(students),
                "gain_count": len(gaining),
                "lose_count": len(losing),
                "same_count": len(students - gaining - losing),
                "unknown": self._tell(
                    [self.env._("line %(line)s: %(number)s", line=line, number=number) for line, number in unknown]
                ),
                "duplicates": self._tell(
                    [
                        self.env._(
                            "line %(line)s: %(number)s, as on line %(first)s", line=line, number=number, first=first
                        )
                        for line, number, first in duplicates
                    ]
                ),
                "effect_ids": [Command.clear(), *map(Command.create, self._get_effect(gains, losses))],
            }
        )
        return self._reopen()

    def action_back(self):
        """Back to what was filled in."""
        self.ensure_one()
        self.state = "edit"
        return self._reopen()

    def action_apply(self):
        """Write the traits, then bring open sessions up to date once.

        Repeatable: where nothing is left to change, nothing is written.
        """
        self._check_input()
        gains, losses = self._plan(self._find_students()[0])
        touched = self._write_plan(gains, losses)
        if touched:
            touched._refresh_open_sessions()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Traits of %s graduates changed.", len(touched))
                if touched
                else self.env._("Nothing to change: they all stand as they should."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _tell(self, lines):
        """Lines as one text, the first of them by name."""
        more = len(lines) - _NAMED_LINES
        rest = [self.env._("and %s more", more)] if more > 0 else []
        return "\n".join(lines[:_NAMED_LINES] + rest) or False

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Assign Traits"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "large"},
        }

    # -- what that does to open sessions -------------------------------------------------

    def _get_effect(self, gains, losses):
        """Values of a line for each step that looks at these traits.

        Which graduates a step applies to is asked before and after the change, which is then
        taken back; forms and statuses are not touched for that.
        """
        traits = self.env["clearance.trait"].union(*(trait for trait, _some in gains + losses))
        steps = traits.step_ids.filtered(lambda step: step.session_state == "open")
        if not steps:
            return []
        concerned = self.env["clearance.student"].union(*(some for _trait, some in gains + losses))
        before = self._get_applying(steps, concerned)
        with closing(self.env.cr.savepoint()):
            self._write_plan(gains, losses)
            after = self._get_applying(steps, concerned)
        return [
            {
                "step_id": step.id,
                "begins_count": len(after[step.id] - before[step.id]),
                "ceases_count": len(before[step.id] - after[step.id]),
            }
            for step in steps
        ]

    def _get_applying(self, steps, students):
        """Step id to the ids of the graduates it applies to, who have a form in its session."""
        self.env.flush_all()
        applying = {step.id: set() for step in steps}
        for session, own in steps.grouped("session_id").items():
            # sudo: the same count as opening makes; numbers only are shown.
            forms = self.env["clearance.form"].sudo()
            members = set(
                forms.search(
                    [("session_id", "=", session.id), ("student_id", "in", students.ids), ("state", "!=", "withdrawn")]
                ).student_id.ids
            )
            self.env.cr.execute(session._applies_sql(students, own))
            for step_id, student_id in self.env.cr.fetchall():
                if student_id in members:
                    applying[step_id].add(student_id)
        return applying


class ClearanceTraitAssignEffect(models.TransientModel):
    """What assigning traits does to one step of an open session."""

    _name = "clearance.trait.assign.effect"
    _description = "Effect of Traits on a Step"

    wizard_id = fields.Many2one("clearance.trait.assign", required=True, ondelete="cascade", index=True)
    step_id = fields.Many2one("clearance.step", required=True, readonly=True, ondelete="cascade")
    session_id = fields.Many2one(related="step_id.session_id")
    begins_count = fields.Integer("Begins to apply", readonly=True)
    ceases_count = fields.Integer("Ceases to apply", readonly=True)
