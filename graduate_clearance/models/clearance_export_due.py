"""Spreadsheet: who still has what, by station, college or class."""

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..workbook import Column

#: columns of a row that say what sheet it goes to: station; college and class
_SHEET_KEYS = {"station": slice(0, 1), "college": slice(4, 5), "class": slice(4, 6), "none": slice(0, 0)}


class ClearanceExport(models.AbstractModel):
    _inherit = "clearance.export"

    def _get_due_rows(self, choice):
        return "clearance.status", self._get_unsettled_domain(choice)

    def _get_unsettled_domain(self, choice):
        """What is required and not settled; what is deferred is, too."""
        return self._get_status_domain(choice) & Domain("is_open", "=", True)

    def _write_due(self, book, choice):
        """Write the due list: an overview, then a sheet a station, college or class, or one for all."""
        split = self._get_due_split(choice)
        self._write_due_overview(book, choice)
        for names, rows in self._by_sheet(
            self._fetch(self._due_sql(self._get_unsettled_domain(choice), split)), _SHEET_KEYS[split]
        ):
            name = names[0] if split == "station" else self._get_sheet_name(split, names)
            sheet = book.sheet(
                name or self._get_kinds()["due"],
                self._get_due_columns(),
                freeze=(0, 4),
                **self._get_head(book, choice, name),
            )
            sheet.rows(rows)
        book.add_legend()

    def _get_due_split(self, choice):
        """As chosen; else a sheet a station, and a class where classes have been chosen."""
        counts = self._count_sheets("clearance.status", self._get_unsettled_domain(choice))
        counts["station"] = len(
            self.env["clearance.status"]._read_group(self._get_unsettled_domain(choice), ["station_id"])
        )
        return self._choose_split(choice.split, counts, ("class",) if choice.classes else ("station",))

    def _write_due_overview(self, book, choice):
        """How many have something left, by station and step."""
        groups = self.env["clearance.status"]._read_group(
            self._get_unsettled_domain(choice), ["step_id", "station_id", "state"], ["__count"]
        )
        figures = {}
        for step, station, state, count in groups:
            row = figures.setdefault((step, station), dict.fromkeys(("total", "submitted", "rejected"), 0))
            row["total"] += count
            if state in row:
                row[state] += count
        columns = [
            Column(self.env._("Station"), width=28),
            Column(self.env._("Step"), width=32),
            Column(self.env._("Graduates"), kind="number"),
            Column(self.env._("To be looked at"), kind="number", width=14),
            Column(self.env._("Refused"), kind="number"),
        ]
        sheet = book.sheet(self.env._("Overview"), columns, **self._get_head(book, choice, self.env._("Overview")))
        # sudo: whoever may read a status reads the names of its step and station.
        for step, station in self._in_order(figures):
            sheet.row([station.sudo().name, step.sudo().name, *figures[step, station].values()])

    def _get_due_columns(self):
        return [
            Column(self.env._("Station")),
            Column(self.env._("Step")),
            *self._get_person_columns(),
            Column(self.env._("State"), kind="state", width=22),
            Column(self.env._("Remark"), kind="note"),
            Column(self.env._("Quantity"), kind="number"),
            Column(self.env._("Amount"), kind="money"),
            Column(self.env._("Owes"), kind="note", width=30),
            Column(self.env._("Known as of"), kind="datetime"),
            Column(self.env._("Deferred until"), kind="date", width=15),
        ]

    def _due_sql(self, domain, split):
        """One row a step that is not settled.

        SQL because a campus has a hundred thousand of them before the first day; the statuses
        come through their record rules.
        """
        query = self.env["clearance.status"]._search(domain)
        query.add_join("JOIN", "form", "clearance_form", SQL("form.id = clearance_status.form_id"))
        person, orders = self._join_person(query, SQL.identifier("form", "student_id"))
        # sudo: whoever may read a status reads the names of its step and station.
        Station, Step = self.env["clearance.station"].sudo(), self.env["clearance.step"].sudo()
        query.add_join("JOIN", "station", "clearance_station", SQL("station.id = clearance_status.station_id"))
        query.add_join("JOIN", "step", "clearance_step", SQL("step.id = clearance_status.step_id"))
        query.add_join("LEFT JOIN", "figure", "clearance_figure", SQL("figure.status_id = clearance_status.id"))
        lifted = self.env["clearance.override"]._in_force_sql(SQL("granted.status_id"))
        query.add_join(
            "LEFT JOIN",
            "deferred",
            SQL("(SELECT granted.status_id, granted.date_end FROM clearance_override granted WHERE %s)", lifted),
            SQL("deferred.status_id = clearance_status.id"),
        )
        by_step = SQL("step.sequence, step.id")
        order = {
            "station": SQL("station.sequence, station.id, %s, %s", by_step, orders["class"]),
            "none": SQL("%s, %s", by_step, orders["class"]),
        }.get(split) or SQL("%s, %s", orders[split], by_step)
        return SQL(
            """
            SELECT %(station)s, %(step)s, %(person)s, %(code)s, clearance_status.reason,
                   NULLIF(figure.quantity, 0), NULLIF(figure.amount, 0), figure.note, figure.as_of, deferred.date_end
              FROM %(tables)s
             WHERE %(where)s
             ORDER BY %(order)s
            """,
            station=Station._field_to_sql("station", "name", query),
            step=Step._field_to_sql("step", "name", query),
            person=person,
            code=self._code_sql(SQL("clearance_status"), SQL("deferred.status_id IS NOT NULL")),
            tables=query.from_clause,
            where=query.where_clause,
            order=order,
        )

    # -- debts ---------------------------------------------------------------------------------

    def _get_debts_rows(self, choice):
        return "clearance.debt.report", self._get_debts_domain(choice)

    def _get_debts_domain(self, choice):
        """What is owed on the steps that are meant, and that the user may export."""
        statuses = self.env["clearance.status"]._search(self._get_status_domain(choice))
        domain = Domain("session_id", "=", choice.session.id) & Domain("status_id", "in", statuses)
        return domain & self._get_shown_domain(choice, "clearance.debt.report")

    def _write_debts(self, book, choice):
        """Write what graduates owe: a sheet a class, a college or a station, or one for all."""
        split = self._get_debts_split(choice)
        for names, rows in self._by_sheet(self._fetch(self._debts_sql(choice, split)), _SHEET_KEYS[split]):
            name = names[0] if split == "station" else self._get_sheet_name(split, names)
            sheet = book.sheet(
                name or self._get_kinds()["debts"],
                self._get_debts_columns(),
                freeze=(0, 4),
                **self._get_head(book, choice, name),
            )
            sheet.rows(rows)
        book.add_legend()

    def _get_debts_split(self, choice):
        """As chosen; else a sheet a class, or a college where there are too many."""
        groups = self.env["clearance.debt.report"]._read_group(
            self._get_debts_domain(choice), ["college_id", "class_id", "station_id"]
        )
        counts = {
            "class": len({group[:2] for group in groups}),
            "college": len({group[0] for group in groups}),
            "station": len({group[2] for group in groups}),
        }
        return self._choose_split(choice.split, counts, ("class", "college"))

    def _get_debts_columns(self):
        return [
            Column(self.env._("Station")),
            Column(self.env._("Step")),
            *self._get_person_columns(),
            Column(self.env._("State"), kind="state", width=22),
            Column(self.env._("Item"), kind="note", width=30),
            Column(self.env._("Quantity"), kind="number"),
            Column(self.env._("Amount"), kind="money"),
            Column(self.env._("Remark"), kind="note"),
            Column(self.env._("Said by"), width=24),
            Column(self.env._("As of"), kind="datetime"),
        ]

    def _debts_sql(self, choice, split):
        """The rows of ``clearance.debt._get_rows`` with whose they are, as they come.

        SQL so that they need not all be in memory; they come through their record rules.
        """
        query = self.env["clearance.debt.report"]._search(self._get_debts_domain(choice))
        table = SQL.identifier(query.table)
        query.add_join("JOIN", "form", "clearance_form", SQL("form.id = %s.form_id", table))
        person, orders = self._join_person(query, SQL.identifier("form", "student_id"))
        # sudo: names of what the user sees in these rows anyway.
        sudo = self.sudo().env
        for alias in ("station", "step"):
            condition = SQL("%s = %s", SQL.identifier(alias, "id"), SQL.identifier(query.table, f"{alias}_id"))
            query.add_join("JOIN", alias, f"clearance_{alias}", condition)
        query.add_join("LEFT JOIN", "feed", "clearance_feed", SQL("feed.id = %s.feed_id", table))
        station = sudo["clearance.station"]._field_to_sql("station", "name", query)
        by_step = SQL("step.sequence, step.id")
        order = {
            "station": SQL("station.sequence, station.id, %s, %s", by_step, orders["class"]),
            "none": SQL("%s, %s", orders["class"], by_step),
        }.get(split) or SQL("%s, %s", orders[split], by_step)
        return SQL(
            """
            SELECT %(station)s, %(step)s, %(person)s, CASE WHEN %(lifted)s THEN 'lifted' ELSE %(table)s.state END,
                   %(table)s.item, NULLIF(%(table)s.quantity, 0), NULLIF(%(table)s.amount, 0), %(table)s.remark,
                   COALESCE(%(feed)s, %(station)s), %(table)s.as_of
              FROM %(tables)s
             WHERE %(where)s
             ORDER BY %(order)s, %(table)s.id
            """,
            station=station,
            step=sudo["clearance.step"]._field_to_sql("step", "name", query),
            feed=sudo["clearance.feed"]._field_to_sql("feed", "name", query),
            person=person,
            lifted=self.env["clearance.override"]._in_force_sql(SQL("%s.status_id", table)),
            table=table,
            tables=query.from_clause,
            where=query.where_clause,
            order=order,
        )
