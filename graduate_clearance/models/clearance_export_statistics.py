"""Spreadsheet: figures of a session by college, class and step."""

from odoo import models
from odoo.fields import Domain

from ..workbook import Column

#: of a group of graduates, and of a group of steps
_FIGURES = ("due", "due_earlier", "done", "deferred", "open", "open_earlier")


class ClearanceExport(models.AbstractModel):
    _inherit = "clearance.export"

    def _get_statistics_rows(self, choice):
        return "clearance.form", self._get_form_domain(choice)

    def _write_statistics(self, book, choice):
        """Write the figures: graduates by college and class; steps for all, by college and by class."""
        classes = self._get_form_figures(choice)
        steps = self._get_step_figures(choice)
        college, class_, station, step = (
            self.env._("College"),
            self.env._("Class"),
            self.env._("Station"),
            self.env._("Step"),
        )
        self._write_figures(book, choice, self.env._("By college"), [college], self._sum_up(classes, (0,)))
        self._write_figures(book, choice, self.env._("By class"), [college, class_], classes)
        self._write_figures(
            book, choice, self.env._("By step"), [step, station], self._sum_up(steps, (2, 3)), adds_up=False
        )
        self._write_figures(
            book,
            choice,
            self.env._("By college and step"),
            [college, step, station],
            self._sum_up(steps, (0, 2, 3)),
            adds_up=False,
        )
        self._write_figures(
            book, choice, self.env._("By class and step"), [college, class_, step, station], steps, adds_up=False
        )
        self._write_crossed(book, choice, self.env._("Not done, colleges"), [college], self._sum_up(steps, (0, 2)))
        self._write_crossed(
            book, choice, self.env._("Not done, classes"), [college, class_], self._sum_up(steps, (0, 1, 2))
        )

    # -- figures -------------------------------------------------------------------------------

    def _get_form_figures(self, choice):
        """Graduates of each class: dict ``{(college, class): {figure: number}}``, in order."""
        groups = self.env["clearance.form"]._read_group(
            self._get_form_domain(choice), ["college_id", "class_id", "state", "earlier_year"], ["__count"]
        )
        figures = {}
        for college, class_, state, earlier, count in groups:
            row = figures.setdefault((college, class_), dict.fromkeys(_FIGURES, 0))
            kind = {"cleared": "done", "deferred": "deferred"}.get(state, "open")
            self._add(row, kind, earlier, count)
        return self._in_order(figures)

    def _get_step_figures(self, choice):
        """Steps of each class: dict ``{(college, class, step, station): {figure: number}}``, in order.

        Who sees the figures of which steps the record rules of statuses say, as on the desk.
        """
        Status = self.env["clearance.status"]
        domain = self._get_status_domain(choice) & Domain("state", "!=", "not_required")
        groupby = ["college_id", "class_id", "step_id", "station_id", "earlier_year"]
        figures = {}
        for *key, earlier, is_open, count in Status._read_group(domain, [*groupby, "is_open"], ["__count"]):
            row = figures.setdefault(tuple(key), dict.fromkeys(_FIGURES, 0))
            self._add(row, "open" if is_open else "done", earlier, count)
        # What is deferred is open, too: it moves from one column to the other.
        lifted = domain & Domain("is_open", "=", True) & Domain("is_lifted", "=", True)
        for *key, earlier, count in Status._read_group(lifted, groupby, ["__count"]):
            row = figures[tuple(key)]
            row["deferred"] += count
            row["open"] -= count
            row["open_earlier"] -= count if earlier else 0
        return self._in_order(figures)

    def _add(self, row, kind, earlier, count):
        row["due"] += count
        row[kind] += count
        if earlier:
            row["due_earlier"] += count
            if kind == "open":
                row["open_earlier"] += count

    def _in_order(self, figures):
        """Rows in the order of colleges, classes and steps; what they are keyed by may be read only in part."""

        def position(key):
            # sudo: names of the structure, which everybody who sees the figures sees.
            for record in key:
                record = record.sudo()
                yield ("sequence" in record._fields and record.sequence) or 0
                yield record.display_name or ""
                yield record.id or 0

        return {key: figures[key] for key in sorted(figures, key=lambda key: tuple(position(key)))}

    def _sum_up(self, figures, parts):
        """Figures by some parts of their keys only: the indexes ``parts``."""
        summed = {}
        for key, row in figures.items():
            total = summed.setdefault(tuple(key[index] for index in parts), dict.fromkeys(_FIGURES, 0))
            for name in _FIGURES:
                total[name] += row[name]
        return self._in_order(summed)

    # -- sheets --------------------------------------------------------------------------------

    def _write_figures(self, book, choice, name, headers, figures, adds_up=True):
        """One row a group, and their sum where a graduate is in one group only."""
        columns = [
            *(Column(header) for header in headers),
            Column(self.env._("Due"), kind="number"),
            Column(self.env._("of an earlier year"), kind="bracket"),
            Column(self.env._("Cleared") if adds_up else self.env._("Done"), kind="number"),
            Column(self.env._("Deferred"), kind="number", width=10),
            Column(self.env._("Not done"), kind="number"),
            Column(self.env._("of an earlier year"), kind="bracket"),
            Column(self.env._("Clearance rate") if adds_up else self.env._("Done (%)"), kind="percent", width=12),
        ]
        sheet = book.sheet(name, columns, freeze=(0, len(headers)), **self._get_head(book, choice, name))
        for key, row in figures.items():
            sheet.row([*self._get_names(key), *self._get_figures(row, adds_up)])
        if adds_up and len(figures) > 1:
            total = {figure: sum(row[figure] for row in figures.values()) for figure in _FIGURES}
            sheet.row([self.env._("Total"), *[""] * (len(headers) - 1), *self._get_figures(total, adds_up)], "total")

    def _get_figures(self, row, of_graduates):
        """The figures in the order of the columns, with the rate.

        As on the desk: a graduate who is cleared with a deferral is cleared, a step that is deferred is not done.
        """
        done = row["done"] + (row["deferred"] if of_graduates else 0)
        return [*(row[name] for name in _FIGURES), done / row["due"] if row["due"] else None]

    def _get_names(self, key):
        # sudo: names of the structure, which everybody who sees the figures sees.
        names = [record.sudo().display_name for record in key]
        without = self.env._("(none)")
        return [name or without for name in names]

    def _write_crossed(self, book, choice, name, headers, figures):
        """Groups × steps: how many have each step left, deferred ones included."""
        used = {key[-1].id for key in figures}
        steps = self._get_matrix_steps(choice).filtered(lambda step: step.id in used)
        groups = {}
        for (*group, step), row in figures.items():
            groups.setdefault(tuple(group), {})[step.id] = row["open"] + row["deferred"]
        columns = [Column(header) for header in headers]
        columns += [Column(step.name, kind="number", width=14) for step in steps]
        sheet = book.sheet(name, columns, freeze=(0, len(headers)), **self._get_head(book, choice, name))
        for group, cells in groups.items():
            sheet.row([*self._get_names(group), *(cells.get(step.id) for step in steps)])
        if len(groups) > 1:
            sums = [sum(cells.get(step.id, 0) for cells in groups.values()) for step in steps]
            sheet.row([self.env._("Total"), *[""] * (len(headers) - 1), *sums], "total")
