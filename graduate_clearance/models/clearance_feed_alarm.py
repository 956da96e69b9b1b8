"""The alarm: somebody is told when a source system has been silent for longer than it promises."""

from datetime import timedelta

from odoo import api, fields, models

_ACTIVITY = "graduate_clearance.mail_activity_type_silent_feed"


class ClearanceFeed(models.Model):
    _inherit = "clearance.feed"

    responsible_id = fields.Many2one(
        "res.users",
        "Person responsible",
        default=lambda self: self.env.user,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
        help="Who is told when this system falls silent. Empty: a manager of the campus.",
    )
    alarmed_at = fields.Datetime("Alarm since", readonly=True, copy=False)

    @api.model
    def _cron_alarm(self):
        """Look after all systems that somebody may wait for, each in a transaction of its own."""
        feeds = self._get_watched()
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=len(feeds))
        for feed in feeds:
            feed._watch()
            if not commit(1):
                break

    @api.model
    def _get_watched(self):
        return self.search([("step_ids", "!=", False)])

    def _watch(self):
        """Tell of systems that have fallen silent, and settle what had to wait for other steps."""
        for feed in self:
            if not feed.alarmed_at and feed._is_overdue():
                feed._raise_alarm()
            feed._settle_waiting()

    def _is_overdue(self):
        """Whether this system, which somebody waits for, has been silent for longer than it promises.

        One that has never reported is given its time from when it was set up and its first open
        session began.
        """
        sessions = self._get_open_steps().session_id
        if not sessions:
            return False
        since = self.heard_at or max(self.create_date, min(sessions.mapped("open_from")))
        return since < fields.Datetime.now() - timedelta(hours=self.silent_after)

    def _raise_alarm(self):
        """Note the silence and ask the responsible person to look into it: once a silence."""
        self.alarmed_at = fields.Datetime.now()
        person = self._get_alarmed_person()
        feed = self.with_context(lang=(person or self.env.user).lang, tz=(person or self.env.user).tz)
        text = feed._describe_silence()
        feed.message_post(body=text)
        if person:
            feed.activity_schedule(_ACTIVITY, user_id=person.id, note=text)

    def _describe_silence(self):
        if not self.heard_at:
            return self.env._(
                "It has not reported yet, though its steps are open. Graduates and desks read that nothing is known."
            )
        moment = fields.Datetime.context_timestamp(self, self.heard_at)
        return self.env._(
            "It has not reported since %(moment)s, longer than the %(hours)s hours that it promises. Graduates and "
            "desks read that its figures may be out of date.",
            moment=moment.strftime("%Y-%m-%d %H:%M"),
            hours=self.silent_after,
        )

    def _get_alarmed_person(self):
        """Whom to tell: the responsible person, else the manager of the campus who has been there longest."""
        group = self.env.ref("graduate_clearance.group_manager")
        managers = self.env["res.users"].search(
            [
                ("all_group_ids", "in", group.ids),
                ("company_ids", "in", self.company_id.ids),
                ("share", "=", False),
            ],
            order="id",
        )
        candidates = self.responsible_id.filtered("active") | managers
        for user in candidates:
            if self.with_user(user).with_context(allowed_company_ids=self.company_id.ids).has_access("read"):
                return user
        return candidates.browse()

    def _clear_alarm(self):
        """It speaks again: what was asked of people is done."""
        self.alarmed_at = False
        lang = self.responsible_id.lang or self.env.user.lang
        feed = self.with_context(lang=lang)
        feed.message_post(body=feed.env._("It reports again."))
        feed.activity_unlink([_ACTIVITY])

    def _note_heard(self, moment):
        """Remember how fresh what the system has said is; older words do not make it less so."""
        if moment and (not self.heard_at or moment > self.heard_at):
            self.heard_at = moment
        if self.alarmed_at and not self.is_silent:
            self._clear_alarm()

    def _settle_waiting(self):
        """Settle steps of which nothing is owed, and which only had to wait for others when that was said.

        A system that reports changes only would never say it again.  What is older than the system
        promises settles nothing.
        """
        ready = self.env["clearance.status"].search(
            [("step_id", "in", self._get_open_steps().ids), ("ready", "=", True)]
        )
        limit = fields.Datetime.now() - timedelta(hours=self.silent_after)
        figures = self.env["clearance.figure"].search(
            [
                ("status_id", "in", ready.ids),
                ("as_of", ">=", limit),
                ("quantity", "in", (0, False)),
                ("amount", "in", (0, False)),
            ]
        )
        figures.status_id._decide("approve", "feed")
