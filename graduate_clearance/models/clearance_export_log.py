"""Spreadsheets: the log, and deferrals."""

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..workbook import Column


class ClearanceExport(models.AbstractModel):
    _inherit = "clearance.export"

    # -- log -----------------------------------------------------------------------------------

    def _get_log_rows(self, choice):
        return "clearance.log", self._get_log_domain(choice)

    def _get_log_domain(self, choice):
        domain = Domain("company_id", "=", choice.company.id) & self._get_period_domain(choice, "date")
        domain &= self._get_chosen_domain(choice, "form_id.class_id")
        domain &= self._get_shown_domain(choice, "clearance.log")
        return domain

    def _write_log(self, book, choice):
        """Write the log, newest first."""
        Log = self.env["clearance.log"]
        actions, doors = (dict(Log._fields[fname]._description_selection(self.env)) for fname in ("action", "door"))
        name = self._get_kinds()["log"]
        sheet = book.sheet(name, self._get_log_columns(), freeze=(0, 1), **self._get_head(book, choice))
        for moment, who, action, door, *rest in self._fetch(self._log_sql(choice)):
            sheet.row([moment, who, actions.get(action, action), *rest, doors.get(door, door)])
        book.add_legend()

    def _get_log_columns(self):
        return [
            Column(self.env._("When"), kind="datetime"),
            Column(self.env._("Who")),
            Column(self.env._("Action"), width=22),
            Column(self.env._("Station")),
            Column(self.env._("Step")),
            *self._get_person_columns(),
            Column(self.env._("State before"), kind="state"),
            Column(self.env._("State after"), kind="state"),
            Column(self.env._("Why"), kind="note"),
            Column(self.env._("Batch"), kind="number"),
            Column(self.env._("Through"), width=16),
        ]

    def _log_sql(self, choice):
        """One row a line of the log.

        SQL because a session leaves some hundred thousand lines; they come through their record
        rules.  What a line names may be gone: everything is joined where it is still there.
        """
        query = self.env["clearance.log"]._search(self._get_log_domain(choice))
        query.add_join("LEFT JOIN", "form", "clearance_form", SQL("form.id = clearance_log.form_id"))
        person, _orders = self._join_person(query, SQL.identifier("form", "student_id"))
        query.add_join("LEFT JOIN", "station", "clearance_station", SQL("station.id = clearance_log.station_id"))
        query.add_join("LEFT JOIN", "step", "clearance_step", SQL("step.id = clearance_log.step_id"))
        query.add_join("LEFT JOIN", "who", "res_users", SQL("who.id = clearance_log.user_id"))
        query.add_join("LEFT JOIN", "who_is", "res_partner", SQL("who_is.id = who.partner_id"))
        # sudo: whoever may read a line reads what it names.
        sudo = self.sudo().env
        return SQL(
            """
            SELECT clearance_log.date, who_is.name, clearance_log.action, clearance_log.door,
                   %(station)s, %(step)s, %(person)s,
                   clearance_log.from_state, clearance_log.to_state, clearance_log.reason, clearance_log.batch_id
              FROM %(tables)s
             WHERE %(where)s
             ORDER BY clearance_log.id DESC
            """,
            station=sudo["clearance.station"]._field_to_sql("station", "name", query),
            step=sudo["clearance.step"]._field_to_sql("step", "name", query),
            person=person,
            tables=query.from_clause,
            where=query.where_clause,
        )

    # -- deferrals -----------------------------------------------------------------------------

    def _get_deferrals_rows(self, choice):
        return "clearance.override", self._get_deferral_domain(choice)

    def _get_deferral_domain(self, choice):
        domain = Domain("company_id", "=", choice.company.id) & self._get_period_domain(choice, "granted_at")
        domain &= self._get_chosen_domain(choice, "form_id.class_id", "status_id.station_id")
        domain &= self._get_shown_domain(choice, "clearance.override")
        if not self._may_export_all():
            own = self._get_own_domain("form_id.class_id.counsellor_id", "form_id.student_id.supervisor_id")
            domain &= own | Domain("status_id.station_id.operator_ids", "in", self.env.uid)
        return domain

    def _write_deferrals(self, book, choice):
        """Write the deferrals, newest first: those in force and those that have ended."""
        words = dict(self.env["clearance.override"]._fields["state"]._description_selection(self.env))
        name = self._get_kinds()["deferrals"]
        sheet = book.sheet(name, self._get_deferral_columns(), freeze=(0, 2), **self._get_head(book, choice))
        for *values, state in self._fetch(self._deferral_sql(choice)):
            # Those that matter now in the colour of a deferral; the word says it to everybody.
            sheet.row([*values, words[state]], {len(values): "lifted"} if state == "in_force" else None)
        book.add_legend()

    def _get_deferral_columns(self):
        return [
            *self._get_person_columns(),
            Column(self.env._("Station")),
            Column(self.env._("Step")),
            Column(self.env._("State of the step"), kind="state", width=22),
            Column(self.env._("Reason"), kind="note"),
            Column(self.env._("Until"), kind="date"),
            Column(self.env._("Granted by")),
            Column(self.env._("Granted on"), kind="datetime"),
            Column(self.env._("Restored by")),
            Column(self.env._("Ended on"), kind="datetime"),
            Column(self.env._("Restriction"), width=22),
        ]

    def _deferral_sql(self, choice):
        """One row a deferral, its state worked out as ``clearance.override`` does, for all at once."""
        query = self.env["clearance.override"]._search(self._get_deferral_domain(choice))
        query.add_join("JOIN", "form", "clearance_form", SQL("form.id = clearance_override.form_id"))
        person, _orders = self._join_person(query, SQL.identifier("form", "student_id"))
        query.add_join("JOIN", "status", "clearance_status", SQL("status.id = clearance_override.status_id"))
        query.add_join("LEFT JOIN", "station", "clearance_station", SQL("station.id = status.station_id"))
        query.add_join("LEFT JOIN", "step", "clearance_step", SQL("step.id = status.step_id"))
        for alias, column in (("granted", "granted_by_id"), ("restored", "restored_by_id")):
            query.left_join("clearance_override", column, "res_users", "id", alias)
            query.left_join(f"clearance_override__{alias}", "partner_id", "res_partner", "id", "is")
        # sudo: whoever may read a deferral reads what it names, and the state of its step.
        sudo = self.sudo().env
        return SQL(
            """
            SELECT %(person)s, %(station)s, %(step)s, %(code)s,
                   clearance_override.reason, clearance_override.date_end,
                   clearance_override__granted__is.name, clearance_override.granted_at,
                   clearance_override__restored__is.name, clearance_override.restored_at,
                   CASE WHEN clearance_override.restored_by_id IS NOT NULL THEN 'restored'
                        WHEN NOT %(in_force)s THEN 'ended'
                        WHEN status.is_open THEN 'in_force'
                        ELSE 'settled' END
              FROM %(tables)s
             WHERE %(where)s
             ORDER BY clearance_override.id DESC
            """,
            person=person,
            station=sudo["clearance.station"]._field_to_sql("station", "name", query),
            step=sudo["clearance.step"]._field_to_sql("step", "name", query),
            code=self._code_sql(SQL("status"), SQL("FALSE")),
            in_force=SQL(
                "(clearance_override.restored_at IS NULL AND (clearance_override.date_end IS NULL"
                " OR clearance_override.date_end >= %s))",
                self.env["clearance.override"]._campus_today_sql(SQL("clearance_override.company_id")),
            ),
            tables=query.from_clause,
            where=query.where_clause,
        )
