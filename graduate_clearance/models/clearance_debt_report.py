from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import PlainMany2one, StateSelection
from .clearance_status import STATES


class ClearanceDebtReport(models.Model):
    """What graduates still owe: the debts that offices have listed and the figures of source systems.

    A view of the database, so that counsellors have one list of their classes, to search, group and export.
    Only steps that are not settled: whoever has paid owes nothing, whatever was listed once.
    """

    _name = "clearance.debt.report"
    _description = "What Is Owed"
    _auto = False
    _log_access = False
    _order = "college_id, class_id, student_number, step_id, id"
    _rec_name = "form_id"
    _rec_names_search = ["student_number", "form_id", "item"]

    status_id = PlainMany2one("clearance.status", "Status", readonly=True)
    form_id = PlainMany2one("clearance.form", "Graduate", readonly=True)
    student_number = fields.Char(readonly=True)
    student_name = fields.Char("Full name", readonly=True)
    step_id = PlainMany2one("clearance.step", "Step", readonly=True)
    station_id = PlainMany2one("clearance.station", "Office", readonly=True)
    session_id = PlainMany2one("clearance.session", "Session", readonly=True)
    college_id = PlainMany2one("clearance.college", "College", readonly=True)
    class_id = PlainMany2one("clearance.class", "Class", readonly=True)
    room_id = PlainMany2one("clearance.room", "Room", readonly=True)
    company_id = PlainMany2one("res.company", "Campus", readonly=True)
    currency_id = PlainMany2one("res.currency", "Currency", readonly=True)
    state = StateSelection([*STATES, ("review", "Needs another look")], "State of the step", readonly=True)
    is_lifted = fields.Boolean("Deferred", readonly=True)
    source = fields.Selection([("office", "Office"), ("system", "Source system")], "Said by", readonly=True)
    feed_id = PlainMany2one("clearance.feed", "Source system", readonly=True)
    item = fields.Char("What", readonly=True)
    quantity = fields.Float(readonly=True)
    amount = fields.Monetary(readonly=True)
    remark = fields.Char(readonly=True)
    as_of = fields.Datetime("As of", readonly=True)
    listed_by_id = PlainMany2one("res.users", "Listed by", readonly=True)
    batch_id = PlainMany2one("clearance.batch", "Debts list", readonly=True)

    @property
    def _table_query(self):
        """Both sources as one table; ids of the two never meet."""
        columns = SQL(
            """status.id AS status_id, status.form_id, student.student_number, student.name AS student_name,
               status.step_id, status.station_id, status.session_id, status.college_id, status.class_id,
               status.room_id, status.company_id, campus.currency_id,
               CASE WHEN status.needs_review THEN 'review' ELSE status.state END AS state, %s AS is_lifted""",
            self.env["clearance.override"]._in_force_sql(SQL("status.id")),
        )
        joins = SQL(
            """JOIN clearance_form form ON form.id = status.form_id
               JOIN clearance_student student ON student.id = form.student_id
               JOIN res_company campus ON campus.id = status.company_id"""
        )
        where = SQL(
            """status.active IS TRUE AND (status.needs_review OR status.state NOT IN ('approved', 'not_required'))"""
        )
        return SQL(
            """
            SELECT debt.id * 2 AS id, %(columns)s, 'office' AS source, NULL::int AS feed_id, debt.item,
                   debt.quantity, debt.amount, debt.remark, debt.as_of, debt.listed_by_id, debt.batch_id
              FROM clearance_debt debt
              JOIN clearance_status status ON status.id = debt.status_id
              %(joins)s
             WHERE debt.active IS TRUE AND %(where)s
             UNION ALL
            SELECT figure.id * 2 + 1, %(columns)s, 'system', step.feed_id, %(unit)s,
                   figure.quantity, figure.amount::numeric, figure.note, figure.as_of, NULL::int, NULL::int
              FROM clearance_figure figure
              JOIN clearance_status status ON status.id = figure.status_id
              JOIN clearance_step step ON step.id = status.step_id
              LEFT JOIN clearance_feed feed ON feed.id = step.feed_id
              %(joins)s
             WHERE (figure.quantity > 0 OR figure.amount > 0) AND %(where)s
            """,
            columns=columns,
            joins=joins,
            where=where,
            unit=self.env["clearance.feed"]._field_to_sql("feed", "unit"),
        )

    @api.depends("form_id", "item")
    def _compute_display_name(self):
        for row in self:
            row.display_name = " · ".join(filter(None, (row.form_id.display_name, row.item)))

    @api.model
    def _get_rows(self, domain):
        """The rows of a domain with their names, for a spreadsheet; see ``clearance.debt._get_rows``."""
        columns = [name for name, field in self._fields.items() if field.store and name != "id"]
        # sudo: names of what the user sees in these rows anyway, and whether a system is silent.
        rows = self.search_fetch(domain, columns).sudo()
        return [
            {
                "college": row.college_id.name or "",
                "class": row.class_id.name or "",
                "student_number": row.student_number,
                "name": row.student_name,
                "station": row.station_id.name,
                "step": row.step_id.name,
                "state": row.state,
                "lifted": row.is_lifted,
                "source": row.feed_id.name or row.station_id.name,
                "by_system": row.source == "system",
                "item": row.item or "",
                "quantity": row.quantity,
                "amount": row.amount,
                "remark": row.remark or "",
                "as_of": row.as_of,
                "silent": row.source == "system" and row.feed_id.is_silent,
            }
            for row in rows
        ]

    def action_open_form(self):
        """Open the graduate's form."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "clearance.form",
            "res_id": self.form_id.id,
            "views": [(False, "form")],
        }
