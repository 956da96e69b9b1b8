"""Spreadsheet: graduates × all steps of a session, as the matrix shows them."""

import itertools

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, groupby

from ..workbook import Column

#: tabs among which a person still finds one
MOST_SHEETS = 100

#: which columns of a row say what sheet it goes to
_SHEET_KEYS = {"class": slice(2, 4), "college": slice(2, 3), "none": slice(0, 0)}


class ClearanceExport(models.AbstractModel):
    _inherit = "clearance.export"

    def _get_matrix_rows(self, choice):
        return "clearance.form", self._get_form_domain(choice)

    def _write_matrix(self, book, choice):
        """Write the matrix: a sheet a class, a college, or one for all."""
        split = self._get_split(choice, "clearance.form", self._get_form_domain(choice))
        steps = self._get_matrix_steps(choice)
        blank = dict.fromkeys(steps.ids, "not_required")
        columns, bands = self._get_matrix_columns(steps), self._get_matrix_bands(steps)
        key = _SHEET_KEYS[split]
        for names, rows in self._by_sheet(self._fetch(self._matrix_sql(choice, split)), key):
            name = self._get_sheet_name(split, names)
            sheet = book.sheet(
                name or self._get_kinds()["matrix"],
                columns,
                freeze=(0, 2),
                bands=bands,
                **self._get_head(book, choice, name),
            )
            for *person, earlier, state, left, step_ids, codes in rows:
                cells = blank | dict(zip(step_ids or (), codes or (), strict=True))
                mark = self.env._("yes") if earlier else ""
                sheet.row([*person, mark, state, left or 0, *(cells[step_id] for step_id in blank)])
        book.add_legend()

    def _get_split(self, choice, model, domain):
        """``class``, ``college`` or ``none``: as chosen, else the finest that leaves tabs to find something in."""
        return self._choose_split(choice.split, self._count_sheets(model, domain), ("class", "college"))

    def _choose_split(self, chosen, counts, usual):
        """What there is a sheet for each of.

        :param dict counts: how many sheets each would be: ``{split: number}``
        :param usual: where nothing is chosen, the first of these that leaves tabs to find something in
        :raise UserError: when what has been chosen would be too many sheets
        """
        if counts.get(chosen, 0) > MOST_SHEETS:
            raise UserError(
                self.env._(
                    "That would be %(count)s sheets, and nobody finds anything in more than %(limit)s. "
                    "Choose a college, or sheets by college.",
                    count=counts[chosen],
                    limit=MOST_SHEETS,
                )
            )
        if chosen == "none" or chosen in counts:
            return chosen
        return next((split for split in usual if 1 <= counts[split] <= MOST_SHEETS), "none")

    def _by_sheet(self, rows, key):
        """Rows that come in the order of their sheets, as ``(names, rows)`` of one sheet after the other.

        :param slice key: which columns of a row say what sheet it goes to
        """
        # Odoo's own would read all of them into memory first.
        return itertools.groupby(rows, lambda row: row[key])  # pylint: disable=bad-builtin-groupby

    def _count_sheets(self, model, domain):
        """How many classes and colleges there are among rows: dict ``{split: number}``."""
        groups = self.env[model]._read_group(domain, ["college_id", "class_id"])
        return {"class": len(groups), "college": len({college for college, _class in groups})}

    def _get_sheet_name(self, split, names):
        """What a sheet is called; None where there is one for all."""
        if split == "none":
            return None
        if not names[-1]:
            return self.env._("Without a class") if split == "class" else self.env._("Without a college")
        return names[-1]

    def _get_matrix_steps(self, choice):
        """The steps in the order of the process, those of a station together.

        A step that has been retired shows only where it had concerned somebody.
        """
        # sudo: whoever sees a form sees the names of its steps and their stations.
        Step = self.env["clearance.step"].sudo().with_context(active_test=False)
        steps = Step.search([("session_id", "=", choice.session.id)])
        retired = steps.filtered(lambda step: not step.active)
        domain = [("step_id", "in", retired.ids), ("state", "!=", "not_required")]
        # sudo: only whether a retired step was anybody's, for its column.
        used = {step.id for (step,) in self.env["clearance.status"].sudo()._read_group(domain, ["step_id"])}
        shown = steps.filtered(lambda step: step.active or step.id in used)
        stations = list(dict.fromkeys((step.stage, step.station_id) for step in shown))
        return shown.sorted(lambda step: stations.index((step.stage, step.station_id)))

    def _get_matrix_columns(self, steps):
        return [
            *self._get_person_columns(),
            Column(self.env._("Earlier year"), width=9),
            Column(self.env._("Form"), kind="state", width=24),
            Column(self.env._("Steps left"), kind="number"),
            *(Column(f"★ {step.name}" if step.required else step.name, kind="state") for step in steps),
        ]

    def _get_matrix_bands(self, steps):
        """Stations above their steps."""
        before = len(self._get_matrix_columns(steps.browse()))
        stations = groupby(steps, lambda step: (step.stage, step.station_id))
        return [("", before), *((station.name, len(list(own))) for (_stage, station), own in stations)]

    def _matrix_sql(self, choice, split):
        """One row a graduate, with its steps as arrays.

        SQL because two hundred thousand cells read as records cost ten times as much; the forms
        come through their record rules, and whoever may read a form sees its whole record.
        """
        query = self.env["clearance.form"]._search(self._get_form_domain(choice))
        person, order = self._join_person(query, SQL.identifier("clearance_form", "student_id"))
        orders = {"none": order["number"], "college": order["college"], "class": order["class"]}
        return SQL(
            """
            WITH lifted AS MATERIALIZED (
                SELECT granted.status_id FROM clearance_override granted
                 WHERE granted.session_id = %(session)s AND %(in_force)s
            )
            SELECT %(person)s, clearance_form.earlier_year, clearance_form.state,
                   cells.open_count, cells.step_ids, cells.codes
              FROM %(tables)s
              LEFT JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE status.is_open) AS open_count,
                          array_agg(status.step_id) AS step_ids,
                          array_agg(%(code)s) AS codes
                     FROM clearance_status status
                    WHERE status.form_id = clearance_form.id
                   ) cells ON TRUE
             WHERE %(where)s
             ORDER BY %(order)s
            """,
            session=choice.session.id,
            in_force=self.env["clearance.override"]._in_force_sql(SQL("granted.status_id")),
            person=person,
            tables=query.from_clause,
            where=query.where_clause,
            order=orders[split],
            code=self._code_sql(SQL("status"), SQL("status.id IN (SELECT status_id FROM lifted)")),
        )

    # -- shared with the other sheets ----------------------------------------------------------

    def _get_person_columns(self):
        """Who a row is about; :meth:`_join_person` selects the same."""
        return [
            Column(self.env._("Student number"), width=16),
            Column(self.env._("Full name")),
            Column(self.env._("College")),
            Column(self.env._("Class")),
            Column(self.env._("Dorm room")),
        ]

    def _join_person(self, query, student_id):
        """Join the graduate to a query.

        :param SQL student_id: the graduate's id
        :return: ``(SQL of the five columns, dict of orders: number, college, class)``
        """
        # sudo: whoever may read a form or a status reads whose it is.
        models_ = {name: self.env[f"clearance.{name}"].sudo() for name in ("student", "college", "class", "room")}
        query.add_join(
            "LEFT JOIN",
            "person",
            "clearance_student",
            SQL("%s = %s", SQL.identifier("person", "id"), student_id),
        )
        for name in ("college", "class", "room"):
            query.left_join("person", f"{name}_id", models_[name]._table, "id", name)
        student, college = models_["student"], models_["college"]
        number = SQL("%s, %s", SQL.identifier("person", "student_number"), SQL.identifier("person", "id"))
        by_college = SQL(
            "%s, %s, %s",
            SQL.identifier("person__college", "sequence"),
            SQL.identifier("person__college", "code"),
            SQL.identifier("person__college", "id"),
        )
        by_class = SQL(
            "%s, %s, %s", by_college, SQL.identifier("person__class", "name"), SQL.identifier("person__class", "id")
        )
        columns = SQL(
            "%s, %s, %s, %s, %s",
            student._field_to_sql("person", "student_number", query),
            student._field_to_sql("person", "name", query),
            college._field_to_sql("person__college", "name", query),
            models_["class"]._field_to_sql("person__class", "name", query),
            models_["room"]._field_to_sql("person__room", "complete_name", query),
        )
        return columns, {
            "number": number,
            "college": SQL("%s, %s, %s", by_college, SQL.identifier("person__class", "name"), number),
            "class": SQL("%s, %s", by_class, number),
        }

    def _code_sql(self, status, is_lifted):
        """What the legend shows for a status; a deferral shows while the step is open."""
        return SQL(
            "CASE WHEN %(s)s.is_open AND %(lifted)s THEN 'lifted' WHEN %(s)s.needs_review THEN 'review'"
            " ELSE %(s)s.state END",
            s=status,
            lifted=is_lifted,
        )
