"""Graduates coming in by the thousand: looked at row by row, written in sets."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_list

from .. import roster_columns as columns
from ..roster_known import CREATABLE, Missing, RosterKnown
from ..roster_row import RosterRow
from .clearance_student import _PERSONAL_FIELDS

#: rows looked at and written in one go
PART = 1000

#: first half of the key of the lock that a campus' import holds; any number that nothing else uses
_LOCK = 0x636C7231

#: fields of the contact
_CONTACT = ("name", "email", "phone")


class ImportBusyError(UserError):
    """Another import is writing on this campus."""


class ClearanceStudent(models.Model):
    _inherit = "clearance.student"

    # -- what may be overridden ----------------------------------------------------------

    @api.model
    def _get_import_columns(self):
        """The columns that a roster may have, in the order of the template.

        Override to add columns; what their cells say arrives in
        :meth:`_prepare_student_values` under the name given here.

        :return: dict ``name -> ImportColumn`` (see ``roster_columns.py``); labels in the user's language.
            Fields of the campus are named ``properties.<name>``, yes-or-no columns of a trait
            ``trait.<code or id>``
        """
        column = columns.ImportColumn
        return {
            "student_number": column(
                self.env._("Student number"),
                columns.parse_number,
                ("学号", "学生学号", "学籍号", "學號", "student no", "student id", "number"),
                required=True,
                example="2022010101",
                help=self.env._("Tells who is who: a row whose number is known here changes that graduate."),
            ),
            "name": column(
                self.env._("Full name"),
                columns.parse_name,
                ("姓名", "学生姓名", "name", "student name"),
                required=True,
                example="李明",
            ),
            "gender": column(
                self.env._("Gender"), columns.parse_choice("gender"), ("性别", "sex"), example=self.env._("Female")
            ),
            "id_number": column(
                self.env._("ID-card number"),
                columns.parse_id_number,
                ("身份证号", "身份证号码", "身份证", "身份证件号", "证件号码", "公民身份号码", "id number", "id card"),
                example="990000200401010011",
                help=self.env._("18 characters, the last one checks the others. Passports are taken as they are."),
            ),
            "college": column(
                self.env._("College"),
                columns.parse_text,
                ("学院", "院系", "系部", "学院名称", "院系名称", "所在学院", "学院代码", "department", "faculty"),
                help=self.env._("Name or code. Needed where several colleges have a class of the same name."),
            ),
            "class": column(
                self.env._("Class"), columns.parse_text, ("班级", "班级名称", "行政班", "所在班级", "班号")
            ),
            "major": column(self.env._("Major"), columns.parse_text, ("专业", "专业名称", "所学专业")),
            "level": column(
                self.env._("Level"),
                columns.parse_choice("level"),
                ("培养层次", "层次", "学历层次", "学历", "学生类别", "education level"),
            ),
            "graduation_year": column(
                self.env._("Graduation year"),
                columns.parse_year,
                ("毕业年份", "毕业年度", "毕业届", "届", "届别", "毕业时间", "毕业日期", "year"),
                example="2026",
            ),
            "room": column(
                self.env._("Dorm room"),
                columns.parse_text,
                ("寝室", "宿舍", "宿舍号", "寝室号", "房间", "房间号", "宿舍地址", "room", "dormitory"),
                example="2区-3栋-3层-0309",
                help=self.env._("Campus, building, floor and room, with hyphens between them."),
            ),
            "traits": column(
                self.env._("Traits"),
                columns.parse_text,
                ("标记", "学生标记", "标签", "trait", "tags"),
                help=self.env._("Several with a comma between them."),
            ),
            "email": column(
                self.env._("Mail address"),
                columns.parse_email,
                ("邮箱", "电子邮箱", "电子邮件", "email", "e-mail", "mail"),
                example="liming@example.com",
            ),
            "phone": column(
                self.env._("Telephone"),
                columns.parse_phone,
                ("手机", "手机号", "手机号码", "电话", "联系电话", "phone", "mobile"),
                example="000-0000-0000",
            ),
            "supervisor": column(
                self.env._("Supervisor"),
                columns.parse_text,
                ("导师", "指导教师", "导师姓名", "导师工号", "tutor"),
                help=self.env._("Login, mail address or name of a member of staff."),
            ),
            "graduation_state": column(
                self.env._("Graduation"),
                columns.parse_choice("graduation_state"),
                ("毕业状态", "学籍状态", "毕业情况", "status", "graduation state"),
                help=self.env._("Only those who graduate take part in a session."),
            ),
            "graduation_note": column(
                self.env._("Why postponed or called off"),
                columns.parse_text,
                ("延期原因", "异动原因", "graduation note"),
            ),
            **self._get_campus_columns(),
        }

    @api.model
    def _get_campus_columns(self):
        """Columns of the campus' own fields, and one with yes or no for each trait."""
        found = {}
        for definition in self.env["clearance.settings"]._get().student_properties_definition or ():
            parse = columns.parse_property(definition)
            if parse:
                found[f"properties.{definition['name']}"] = columns.ImportColumn(definition["string"], parse)
        for trait in self.env["clearance.trait"].search([("company_id", "in", (False, self.env.company.id))]):
            names = {trait.with_context(lang=code).name for code, _name in self.env["res.lang"].get_installed()}
            found[f"trait.{trait.code or trait.id}"] = columns.ImportColumn(
                self.env._("%s (yes or no)", trait.name),
                columns.parse_yes_no,
                tuple(word for name in sorted(names) for word in (name, f"是否{name}")),
                help=self.env._("Yes gives the trait, no takes it away."),
            )
        return found

    @api.model
    def _match_students(self, rows):
        """Find the graduates of the campus (the current company) who are there already.

        :param list rows: dicts of read values, see :meth:`_prepare_student_values`
        :return: dict ``student number -> clearance.student``, archived ones included
        """
        numbers = [row["student_number"] for row in rows]
        domain = [("company_id", "=", self.env.company.id), ("student_number", "in", numbers)]
        students = self.with_context(active_test=False).search(domain)
        return {student.student_number: student for student in students}

    @api.model
    def _match_partners(self, rows):
        """Find the contacts of new graduates who are there already, so that nobody is doubled.

        In this order: the contact of the portal user whose login is the student number, the
        contact with the number as its reference, and the contact with the same mail address
        *and* the same name (relatives share an address).  Never the contact of a member of
        staff, of an organisation, of another campus, or of another graduate.

        :param list rows: dicts of read values, see :meth:`_prepare_student_values`
        :return: dict ``student number -> res.partner``; more than one contact: which is meant
            cannot be told
        """
        numbers = {row["student_number"]: row for row in rows}
        mails = {row["email"] for row in rows if row.get("email")}
        # sudo: whose accounts these are; only their contacts are used, as far as the user may see them.
        users = self.env["res.users"].sudo().search([("login", "in", list(numbers)), ("share", "=", True)])
        domain = Domain("id", "in", users.partner_id.ids) | Domain("ref", "in", list(numbers))
        if mails:
            domain |= Domain("email_normalized", "in", list(mails))
        domain &= Domain("company_id", "in", (False, self.env.company.id)) & Domain("is_company", "=", False)
        partners = self._filter_free(self.env["res.partner"].search(domain))
        by_login = {user.login: partners & user.sudo(False).partner_id for user in users}
        by_ref = partners.grouped("ref")
        by_person = partners.grouped(lambda partner: (partner.email_normalized, columns.fold(partner.name or "")))
        found = {}
        taken = set()
        for number, row in numbers.items():
            person = row.get("email") and (row["email"], columns.fold(row.get("name") or ""))
            same = by_login.get(number) or by_ref.get(number) or by_person.get(person, ())
            same = self.env["res.partner"].union(*(partner for partner in same if partner.id not in taken))
            if same:
                found[number] = same
                taken.update(same.ids)
        return found

    @api.model
    def _filter_free(self, partners):
        """Those of these contacts who are neither staff nor somebody's contact as a graduate."""
        # sudo: whose contacts they are is looked at on every campus, and nothing told but that they are taken.
        users = self.env["res.users"].sudo().with_context(active_test=False)
        staff = users.search([("partner_id", "in", partners.ids), ("share", "=", False)]).partner_id
        students = self.sudo().with_context(active_test=False)
        return partners - staff - students.search([("partner_id", "in", partners.ids)]).partner_id

    @api.model
    def _prepare_student_values(self, row, known):
        """Values of a graduate, from what a row says.

        Called for new graduates and for those who are there; only what the row says stands in
        the answer.  Override to fill in further fields::

            def _prepare_student_values(self, row, known):
                return {**super()._prepare_student_values(row, known), "card_number": row.get("card_number")}

        :param dict row: read values by column name; ids for ``class_id``, ``college_id``, ``room_id``,
            ``supervisor_id`` and ``trait_ids`` (a list), as far as the row says something. Where a check
            finds that something would have to be made, a :class:`~.roster_known.Missing` stands there
        :param known: the :class:`~.roster_known.RosterKnown` of this import: ``known.company``, ``known.wipe``
        :return: dict of values as for ``create``, ``name``, ``email`` and ``phone`` of the contact included;
            traits are a list of ids, not of commands
        """
        names = (
            "student_number",
            "name",
            "email",
            "phone",
            "gender",
            "id_number",
            "class_id",
            "college_id",
            "room_id",
            "major",
            "level",
            "graduation_year",
            "graduation_state",
            "graduation_note",
            "supervisor_id",
            "trait_ids",
            "properties",
        )
        return {name: row[name] for name in names if name in row}

    # -- importing -----------------------------------------------------------------------

    @api.model
    def _import_rows(self, rows, company=None, create=(), mode="all", dry_run=False, wipe=False, defaults=None):
        """Bring graduates in: make who is not there yet, change what is said otherwise, leave the rest.

        For glue addons, the import of files, and tests.  The rights of the caller count, who must
        be allowed to create and write graduates and contacts.  Again with the same rows
        nothing is changed and nothing written.  Open sessions follow once at the end.

        :param rows: iterable of dicts: texts by column name (see :meth:`_get_import_columns`), and
            ``line``, the row of the file (else they are counted from 1)
        :param company: the campus; default: the current company
        :param create: what to make where it is missing: ``"college"``, ``"class"``, ``"room"``, ``"trait"``
        :param str mode: ``"all"``: nothing is written when a row is refused; ``"good"``: the good rows are
        :param bool dry_run: write nothing, only tell what would happen
        :param bool wipe: empty cells empty what is known, and traits that a row does not name are taken away;
            otherwise empty cells say nothing, and traits are added
        :param dict defaults: ``level`` and ``graduation_year`` of new graduates whose row does not say
        :return: list of :class:`~.roster_row.RosterRow` in the order of the rows: ``line``, ``student_number``,
            ``code`` (``created``, ``updated``, ``unchanged``, ``refused``, or ``held``: good, but not written because
            another row was refused), ``problems`` (dicts ``column``, ``value``, ``problem``, ``remedy``, ``level``:
            ``error`` or ``warning``), ``student_id``, ``changes``
        :raise ImportBusyError: (a ``UserError``) while another import of this campus is writing
        :raise AccessError: unless the caller may create and change graduates
        """
        Student = self.with_company(company or self.env.company)
        known = Student._start_import(create, wipe, defaults, dry_run)
        if dry_run:
            return [row for part in Student._import_parts(rows, known, dry_run=True) for row in part]
        savepoint = self.env.cr.savepoint()
        with savepoint:
            done = []
            refused = False
            for part in Student._import_parts(rows, known, stop=mode == "all"):
                done += part
                refused = refused or any(row.code == "refused" for row in part)
            if refused and mode == "all":
                savepoint.rollback()
                self.env.invalidate_all(flush=False)
                self._hold(done)
            else:
                Student._end_import(known)
        return done

    @api.model
    def _start_import(self, create=(), wipe=False, defaults=None, dry_run=False):
        """Look whether the user may import, and read what the campus has.

        :return: the :class:`~.roster_known.RosterKnown`
        """
        for model in (self, self.env["res.partner"]):
            for operation in ("create", "write"):
                model.check_access(operation)
        unknown = set(create) - set(CREATABLE)
        if unknown:
            raise UserError(
                self.env._("An import does not make this: %s", format_list(self.env, sorted(map(str, unknown))))
            )
        if not dry_run:
            self._lock_import()
        known = RosterKnown(self.env, self.env.company, create, wipe, defaults)
        known.columns = self._get_import_columns()
        return known

    @api.model
    def _lock_import(self):
        """Let one import write on a campus at a time: two of the same file would make everybody twice.

        :raise ImportBusyError: while another one is at it
        """
        # No record to lock: an advisory lock, which goes with the transaction.
        self.env.cr.execute(SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK, self.env.company.id))
        if not self.env.cr.fetchone()[0]:
            raise ImportBusyError(
                self.env._("Another roster is being imported on this campus right now. Try again when it is done.")
            )

    @api.model
    def _import_parts(self, rows, known, dry_run=False, stop=False):
        """Import rows part by part, so that memory does not grow with the file.

        :param bool stop: from the first refused row on only look, do not write
        :return: iterator of lists of :class:`~.roster_row.RosterRow`
        """
        part = []
        for number, cells in enumerate(rows, 1):
            part.append(RosterRow(cells, number))
            if len(part) == PART:
                yield self._import_part(part, known, dry_run, stop)
                dry_run = dry_run or (stop and any(row.code == "refused" for row in part))
                part = []
        if part:
            yield self._import_part(part, known, dry_run, stop)

    @api.model
    def _import_part(self, part, known, dry_run=False, stop=False):
        """Look at some rows and write them; answer them with what became of each."""
        for row in part:
            row.parse(known)
        good = [row for row in part if not row.is_refused]
        students = self._match_students([row.values for row in good])
        new = [row for row in good if row.number not in students]
        partners = self._match_partners([row.values for row in new])
        for row in good:
            row.student = students.get(row.number)
            row.partner = partners.get(row.number)
            row.check(known)
        good = [row for row in good if not row.is_refused]
        if dry_run or (stop and len(good) < len(part)):
            self._plan_rows(good, known)
        else:
            self._make_missing(good, known)
            self._plan_rows(good, known)
            good = [row for row in good if not row.is_refused]
            self._write_rows(good, known)
        self.env.invalidate_all()
        return part

    @api.model
    def _make_missing(self, rows, known):
        """Make the colleges, classes, rooms and traits that these rows need."""
        wanted = [missing for row in rows for missing in row.get_missing()]
        if wanted:
            made = known.make(wanted)
            for row in rows:
                row.replace_missing(made)

    @api.model
    def _plan_rows(self, rows, known):
        """Find out what each row means: a new graduate, changes of one, or nothing."""
        for row in rows:
            vals = self._prepare_student_values(row.values, known)
            if not row.student:
                row.code, row.vals = "created", {**known.defaults, **vals}
                continue
            row.vals = {name: value for name, value in vals.items() if not self._is_same(row.student, name, value)}
            row.code = "updated" if row.vals else "unchanged"
            row.student_id = row.student.id
            if row.vals:
                row.changes = self._describe_changes(row.student, row.vals, known)
        self._refuse_staff([row for row in rows if row.student and row.vals.keys() & set(_CONTACT)], known)

    @api.model
    def _refuse_staff(self, rows, known):
        """Refuse to change name, mail or telephone of members of staff who are graduates here."""
        partners = self.env["res.partner"].union(*(row.student.partner_id for row in rows))
        # sudo: which contacts are of staff; the user is told that it is so, and why nothing happens.
        users = self.env["res.users"].sudo().with_context(active_test=False)
        staff = users.search([("partner_id", "in", partners.ids), ("share", "=", False)]).partner_id
        for row in rows:
            if row.student.partner_id in staff:
                name = next(name for name in _CONTACT if name in row.vals)
                row.refuse(
                    known,
                    name,
                    self.env._("The contact of this graduate is a member of staff, and not changed by a roster."),
                    self.env._("Give the graduate a contact of their own, or leave the cell empty."),
                )

    @api.model
    def _is_same(self, student, name, value):
        """Whether a graduate has this value already."""
        field = self._fields[name]
        if name == "properties":
            mine = student._get_property_values()
            return all(mine.get(key) == part for key, part in value.items())
        if field.type in ("many2many", "one2many"):
            return set(student[name].ids) == set(value)
        if field.type == "many2one":
            return student[name].id == value
        return (student[name] or False) == (value or False)

    def _get_property_values(self):
        """The campus' own fields as they are stored; read as usual, a selection answers its label."""
        self.ensure_one()
        return dict(self.properties._values or {})

    @api.model
    def _describe_changes(self, student, vals, known):
        """What a row changes, for people: ``Class: M1 → M2``."""
        texts = []
        for name, value in vals.items():
            if name == "properties":
                continue
            field = self._fields[name]
            label = field._description_string(self.env)
            if name == "id_number":
                before, after = student.id_number_masked, self._mask_id_number(value)
            else:
                before = self._show_value(field, student[name], known)
                after = self._show_value(field, value, known)
            texts.append(
                self.env._("%(field)s: %(before)s → %(after)s", field=label, before=before or "–", after=after or "–")
            )
        if "properties" in vals:
            texts.append(self._fields["properties"]._description_string(self.env))
        return " · ".join(texts)

    @api.model
    def _show_value(self, field, value, known):
        if isinstance(value, models.BaseModel):
            return format_list(self.env, value.mapped("display_name")) if value else ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, "")
        if field.relational:
            names = known.get_names(field.comodel_name)
            ids = value if isinstance(value, list) else [value] if value else []
            return format_list(
                self.env, [id_.name if isinstance(id_, Missing) else names.get(id_, str(id_)) for id_ in ids]
            )
        return str(value or "")

    @api.model
    def _hold(self, rows):
        """Say that nothing was written."""
        for row in rows:
            if row.code in ("created", "updated"):
                row.code = "held"
                if not row.student:
                    row.student_id = False

    @api.model
    def _end_import(self, known):
        """Let open sessions follow, once for all rows."""
        students = self.browse(known.moved)
        known.moved = []
        if students:
            students._refresh_open_sessions()

    @api.model
    def _is_moving(self, vals):
        """Whether steps and desks may depend on these values."""
        return bool(vals.keys() - _PERSONAL_FIELDS)
