"""Deferrals that end by their date, and how people are told."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .clearance_log import LOGGED_COLUMNS

#: how many days before its end date people are reminded of a deferral
REMIND_DAYS = 7

#: deferrals told about in one transaction of the scheduled action
_TELL_BATCH = 100


class ClearanceOverride(models.Model):
    _inherit = "clearance.override"

    def _end_by_date(self):
        """Mark these as ended by their date, one log line each; idempotent."""
        ending = self.filtered(lambda override: not override.told_at)
        if not ending:
            return
        now = fields.Datetime.now()
        ending.filtered(lambda override: not override.restored_at)._record(restored_at=now)
        ending._record(told_at=now)
        ending.flush_recordset()  # the unique index must not see them any more
        self.env.cr.execute(
            SQL(
                """
                WITH changed AS (
                    SELECT %s, status.state AS from_state, status.state AS to_state
                      FROM clearance_override deferral
                      JOIN clearance_status status ON status.id = deferral.status_id
                     WHERE deferral.id = ANY(%s)
                     ORDER BY deferral.id
                )
                %s
                """,
                LOGGED_COLUMNS,
                ending.ids,
                self.env["clearance.log"]._insert_sql("changed", "expired"),
            )
        )
        self._follow_up(ending)

    @api.model
    def _cron_tell(self):
        """Tell people of deferrals that have ended by date, and of those that soon will.

        The gate looks at the date itself; this is for people: a line in the log, a
        message to the graduate (in the graduate's language, e-mailed and kept on the
        form) and one to the officer who granted it.  Every deferral once: it may be run
        as often as one likes.
        """
        for search, tell in (
            (self._search_ended, self._tell_ended),
            (self._search_ending, self._tell_ending),
        ):
            domain = search()
            remaining = self.search_count(domain)
            while overrides := self.search(domain, limit=_TELL_BATCH, order="id"):
                tell(overrides)
                remaining = max(remaining - len(overrides), 0)
                if not self.env["ir.cron"]._commit_progress(len(overrides), remaining=remaining):
                    return

    @api.model
    def _search_ended(self):
        """Ended by date, and nobody knows."""
        return (
            Domain("date_end", "!=", False)
            & Domain("told_at", "=", False)
            & Domain("restored_by_id", "=", False)
            & self._get_ending_domain(0)
        )

    @api.model
    def _search_ending(self):
        """In force, ending within :data:`REMIND_DAYS` days, and nobody knows.

        Neither those whose debt is settled, nor those granted for a shorter time: who
        has just brought the proof knows.
        """

        def lasts(model, alias, query):
            return SQL(
                "%s - %s::date > %s",
                SQL.identifier(alias, "date_end"),
                SQL.identifier(alias, "granted_at"),
                REMIND_DAYS,
            )

        return (
            Domain("date_end", "!=", False)
            & Domain("told_at", "=", False)
            & Domain("reminded_at", "=", False)
            & Domain("restored_at", "=", False)
            & Domain("status_id.is_open", "=", True)
            & Domain("session_id.state", "=", "open")
            & self._get_ending_domain(REMIND_DAYS + 1)
            & Domain.custom(to_sql=lasts)
        )

    @api.model
    def _get_ending_domain(self, days):
        """Deferrals whose end date is before that of ``days`` after today, on the clock of their campus."""

        def to_sql(model, alias, query):
            return SQL(
                "%s < %s + %s",
                SQL.identifier(alias, "date_end"),
                self._campus_today_sql(SQL.identifier(alias, "company_id")),
                days,
            )

        return Domain.custom(to_sql=to_sql)

    @api.model
    def _tell_ended(self, overrides):
        """Log that these have ended, and tell graduates and officers where it matters."""
        overrides._end_by_date()
        # A new deferral may have been granted since, the debt settled, the graduate withdrawn.
        overrides._filter_restricting()._tell(
            "graduate_clearance.deferral_ended", "graduate_clearance.deferral_ended_officer"
        )

    @api.model
    def _tell_ending(self, overrides):
        """Remind graduates and officers of the end date."""
        overrides._record(reminded_at=fields.Datetime.now())
        overrides._filter_live()._tell(
            "graduate_clearance.deferral_ending", "graduate_clearance.deferral_ending_officer"
        )

    def _filter_live(self):
        """Those of open sessions, of graduates who are still in them, with a step still open."""
        return self.filtered(
            lambda override: (
                override.status_id.is_open
                and override.form_id.state != "withdrawn"
                and override.session_id.state == "open"
            )
        )

    def _filter_restricting(self):
        """Those of :meth:`_filter_live` whose step restricts again."""
        return self._filter_live().filtered(lambda override: not override.status_id.is_lifted)

    def _tell(self, graduate_template, officer_template):
        """Send one message a graduate and one an officer, each in their language."""
        for form, overrides in self.grouped("form_id").items():
            if form.partner_id:
                overrides._tell_graduate(form, graduate_template)
        for officer, overrides in self.grouped("granted_by_id").items():
            if officer.active and not officer.share:
                overrides._tell_officer(officer, officer_template)

    def _tell_graduate(self, form, template):
        form = form.with_context(lang=form.partner_id.lang or self.env.lang)
        overrides = self.with_env(form.env)
        form.message_post_with_source(
            template,
            render_values={"form": form, "overrides": overrides},
            subject=self._get_subject(template, form.env),
            subtype_xmlid="mail.mt_comment",
            partner_ids=form.partner_id.ids,
        )

    def _tell_officer(self, officer, template):
        env = self.with_context(lang=officer.lang or self.env.lang).env
        body = env["ir.qweb"]._render(template, {"overrides": self.with_env(env), "officer": officer})
        env["mail.thread"].message_notify(
            partner_ids=officer.partner_id.ids,
            subject=self._get_subject(template, env),
            body=body,
        )

    @api.model
    def _get_subject(self, template, env):
        if "ending" in template:
            return env._("A deferral ends soon")
        return env._("A deferral has ended")
