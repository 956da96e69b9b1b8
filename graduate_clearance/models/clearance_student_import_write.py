"""Writing what an import has found out: new graduates in a handful of statements, changes in groups."""

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

_CONTACT = ("name", "email", "phone")
#: nothing is written into chatters: the import itself is the record of what it did
_QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "clearance_defer_roster": True,
}


class ClearanceStudent(models.Model):
    _inherit = "clearance.student"

    #: False: everything goes through ``create``. For an addon that must see each new graduate or contact there.
    _import_in_sets = True

    @api.model
    def _write_rows(self, rows, known):
        """Write rows that are known to be good.

        What the database or a constraint refuses all the same is found by halves, so that
        one row does not stop the others.
        """
        rows = [row for row in rows if row.code in ("created", "updated")]
        if not rows:
            return
        try:
            with self.env.cr.savepoint():
                self._write_new([row for row in rows if row.code == "created"])
                self._write_changes([row for row in rows if row.code == "updated"])
                self.env.flush_all()
        except (UserError, psycopg2.IntegrityError, psycopg2.DataError) as error:
            self.env.invalidate_all(flush=False)
            for row in rows:
                if row.code == "created":
                    row.student_id = False
            if len(rows) == 1:
                rows[0].refuse(
                    known,
                    "student_number",
                    self.env._("The graduate cannot be written: %s", str(error).partition("\n")[0]),
                    self.env._("Correct what the message says, or ask your administrator."),
                )
                return
            middle = len(rows) // 2
            self._write_rows(rows[:middle], known)
            self._write_rows(rows[middle:], known)
            return
        known.moved += [row.student_id for row in rows if row.code == "updated" and self._is_moving(row.vals)]

    # -- new graduates -------------------------------------------------------------------

    @api.model
    def _write_new(self, rows):
        """Write new graduates, with their contacts where none was found."""
        if not rows:
            return
        partners = self._write_contacts(rows)
        quiet = self.with_context(**_QUIET)
        vals_list, traits = [], []
        for row, partner in zip(rows, partners, strict=True):
            vals = {name: value for name, value in row.vals.items() if name not in ("email", "phone", "trait_ids")}
            vals |= {
                "partner_id": partner.id,
                "company_id": self.env.company.id,
                "name": row.vals.get("name") or partner.name,
            }
            vals_list.append(vals)
            traits.append(row.vals.get("trait_ids") or [])
        students = quiet._insert_students(vals_list)
        for row, student in zip(rows, students, strict=True):
            row.student_id = student.id
        self._insert_traits(students, traits)
        students._grant_roles(fname for fname in self._role_fields if any(vals.get(fname) for vals in vals_list))

    @api.model
    def _write_contacts(self, rows):
        """The contact of each row: a new one, or the one found, brought up to date."""
        quiet = self.env["res.partner"].with_context(**_QUIET)
        new = [row for row in rows if not row.partner]
        vals_list = [self._prepare_partner_values({"company_id": self.env.company.id, **row.vals}) for row in new]
        made = iter(self._insert(quiet, vals_list))
        partners = []
        for row in rows:
            partner = row.partner or next(made)
            partners.append(partner)
            if row.partner:
                changed = {name: row.vals[name] for name in _CONTACT if row.vals.get(name)}
                changed = {name: value for name, value in changed.items() if value != partner[name]}
                if changed:
                    partner.with_context(**_QUIET).write(changed)
        return partners

    @api.model
    def _insert_students(self, vals_list):
        settings = self.env["clearance.settings"]._get()
        for vals in vals_list:
            vals["settings_id"] = settings.id
            vals["name_initials"] = self._get_initials(vals["name"])
        return self._insert(self, vals_list)

    @api.model
    def _insert_traits(self, students, traits):
        """Give new graduates their traits."""
        pairs = [(student.id, trait) for student, ids in zip(students, traits, strict=True) for trait in ids]
        if not pairs:
            return
        field = self._fields["trait_ids"]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) SELECT * FROM unnest(%s::int[], %s::int[])",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
                [pair[0] for pair in pairs],
                [pair[1] for pair in pairs],
            )
        )
        students.modified(["trait_ids"])

    @api.model
    def _insert(self, model, vals_list):
        """Create records of a model in one statement.

        Ten thousand graduates through ``create`` take ten seconds, of which the database needs less
        than one.  So only the first record goes through ``create``, with all that Odoo and other addons do
        there: defaults, constraints, precomputed fields.  The others are copies of its row with values of their
        own; the ORM then recomputes the stored fields that depend on these.  The caller has checked that
        the user may create such records, and that the values fit together.

        :param vals_list: dicts of values of stored columns; where a name is missing the value is empty
        :return: the records, in the order of ``vals_list``
        """
        names = sorted(set().union(*vals_list)) if vals_list else []
        if len(vals_list) < 2 or not self._import_in_sets or any(not model._fields[name].column_type for name in names):
            return model.create(vals_list)
        empty = dict.fromkeys(names, False) | model.default_get(names)
        vals_list = [empty | vals for vals in vals_list]
        first = model.create(vals_list[:1])
        first.flush_recordset()
        records = first + model.browse(self._copy_rows(first, names, vals_list[1:]))
        rest = records - first
        rest.modified(names, create=True)
        for name in names:
            field = model._fields[name]
            if field.compute and field.store:
                self.env.remove_to_compute(field, rest)
        return records

    @api.model
    def _copy_rows(self, first, names, vals_list):
        """Write copies of the row of a record, each with its own values; answer their ids."""
        fields = first._fields
        self.env.cr.execute(
            SQL("SELECT nextval(%s) FROM generate_series(1, %s)", f"{first._table}_id_seq", len(vals_list))
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        own = {"id": (ids, "int4")}
        for name in names:
            convert = fields[name].convert_to_column_insert
            values = [convert(vals[name], first, vals) for vals in vals_list]
            own[name] = (values, fields[name].column_type[0])
        copied = [
            field.name for field in fields.values() if field.store and field.column_type and field.name not in own
        ]
        # A contact is its own commercial entity: so is its copy.
        # sudo: of a record just made, which of its values is itself.
        selves = {
            name
            for name in copied
            if fields[name].type == "many2one"
            and fields[name].comodel_name == first._name
            and first.sudo()[name].id == first.id
        }
        self.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(columns)s) SELECT %(values)s FROM unnest(%(arrays)s) AS own(%(own)s), "
                "%(table)s AS pattern WHERE pattern.id = %(first)s",
                table=SQL.identifier(first._table),
                columns=SQL(", ").join(map(SQL.identifier, [*own, *copied])),
                values=SQL(", ").join(
                    [
                        *(_own_sql(own, name) for name in own),
                        *(SQL.identifier(*(("own", "id") if name in selves else ("pattern", name))) for name in copied),
                    ]
                ),
                arrays=_arrays_sql(own),
                own=SQL(", ").join(map(SQL.identifier, own)),
                first=first.id,
            )
        )
        return ids

    # -- changes -------------------------------------------------------------------------

    @api.model
    def _write_changes(self, rows):
        """Write what rows say otherwise.

        Through ``write`` each graduate whose name or telephone changes costs nine queries; the
        first roster of a new year may change everybody's.
        """
        students = self.browse([row.student_id for row in rows]).with_context(**_QUIET)
        students.check_access("write")
        students.partner_id.check_access("write")
        if not self._import_in_sets or any(not self._can_set(name) for row in rows for name in row.vals):
            for row in rows:
                vals = row.vals
                if "trait_ids" in vals:
                    vals = {**vals, "trait_ids": [Command.set(vals["trait_ids"])]}
                students.browse(row.student_id).write(vals)
            return
        contacts, own, traits = {}, {}, {}
        for row, student in zip(rows, students, strict=True):
            contact = {name: row.vals[name] for name in _CONTACT if name in row.vals}
            rest = {name: value for name, value in row.vals.items() if name not in (*_CONTACT, "trait_ids")}
            if contact:
                contacts[student.partner_id] = contact
            if rest:
                own[student] = rest
            if "trait_ids" in row.vals:
                traits[student] = row.vals["trait_ids"]
        self._update(contacts)
        self._update(own)
        self._replace_traits(traits)
        students._grant_roles(fname for fname in self._role_fields if any(fname in vals for vals in own.values()))

    @api.model
    def _can_set(self, name):
        return name in _CONTACT or name == "trait_ids" or bool(self._fields[name].column_type)

    @api.model
    def _update(self, changes):
        """Write different values on many records of a model in one statement.

        The caller has checked that the user may, and that the values fit together.

        :param changes: dict record -> values of stored columns
        """
        if not changes:
            return
        first = next(iter(changes))
        records = first.union(*changes)
        names = sorted(set().union(*changes.values()))
        records.fetch(names)
        records.modified(names, before=True)
        records.flush_recordset()
        own = {"id": (list(map(int, changes)), "int4")}
        for name in names:
            field = first._fields[name]
            values = [
                field.convert_to_column_insert(
                    vals[name] if name in vals else field.convert_to_write(record[name], record), record, vals
                )
                for record, vals in changes.items()
            ]
            own[name] = (values, field.column_type[0])
        self.env.cr.execute(
            SQL(
                "UPDATE %(table)s SET %(columns)s, write_uid = %(uid)s, write_date = %(now)s "
                "FROM unnest(%(arrays)s) AS own(%(own)s) WHERE %(table)s.id = own.id",
                table=SQL.identifier(first._table),
                columns=SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), _own_sql(own, name)) for name in own if name != "id"
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
                arrays=_arrays_sql(own),
                own=SQL(", ").join(map(SQL.identifier, own)),
            )
        )
        records.invalidate_recordset(names, flush=False)
        records.modified(names)

    @api.model
    def _replace_traits(self, traits):
        """Give graduates these traits and no others.

        :param traits: dict student -> list of ids
        """
        if not traits:
            return
        students = self.browse().union(*traits)
        field = self._fields["trait_ids"]
        students.modified(["trait_ids"], before=True)
        self.env.cr.execute(
            SQL(
                "DELETE FROM %s WHERE %s = ANY(%s)",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                students.ids,
            )
        )
        students.invalidate_recordset(["trait_ids"], flush=False)
        self._insert_traits(students, [traits[student] for student in students])
        students.modified(["trait_ids"])


def _own_sql(own, name):
    """The value of a column in the rows that :func:`_arrays_sql` makes, as the column takes it."""
    _values, kind = own[name]
    return SQL("%s::%s", SQL.identifier("own", name), SQL(kind))


def _arrays_sql(own):
    """The arrays that ``unnest`` makes rows of."""
    return SQL(", ").join(_array_sql(values, kind) for values, kind in own.values())


def _array_sql(values, kind):
    """An array of a type; JSON as text, since arrays of it cannot be written otherwise."""
    return SQL("%s::%s[]", values, SQL("text" if kind == "jsonb" else kind))
