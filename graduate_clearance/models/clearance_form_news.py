"""What graduates are told about their form: on their page, and in one mail a day."""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.tools import SQL, consteq, hmac

_logger = logging.getLogger(__name__)

#: graduates who are told in one transaction of the scheduled action
_DIGEST_BATCH = 100

#: how many changes of a form one mail lists
_DIGEST_LIMIT = 20

#: who was never told of a form hears of the last day only, and nobody of what is older than a week
_FIRST_DAYS = 1
_LATE_DAYS = 7


class ClearanceStudent(models.Model):
    _inherit = "clearance.student"

    mail_opt_out = fields.Boolean(
        "Wants no mails",
        help="The graduate has chosen to get no mails about clearance, and reads the news on the page only.",
    )

    def _set_mail_opt_out(self, opt_out):
        """Keep a graduate's wish, for all that person's records: one person has one wish.

        Who wants mails again is told of what happens from now on.
        """
        students = self.search([("partner_id", "in", self.partner_id.ids)])
        if opt_out:
            # The wish changes nothing about who takes part in a session.
            students.with_context(clearance_defer_roster=True).write({"mail_opt_out": True})
            return
        students.with_context(clearance_defer_roster=True).write({"mail_opt_out": False})
        students.form_ids._mark_told()

    def _get_opt_out_token(self):
        """The signature in the link of a mail: whoever has it can end the mails, and nothing else."""
        self.ensure_one()
        # sudo: the secret of the database is read to sign with.
        return hmac(self.env(su=True), "graduate_clearance.mail_opt_out", self.id)

    def _get_opt_out_path(self):
        return f"/clearance/mails/{self.id}/{self._get_opt_out_token()}"

    @api.model
    def _browse_opt_out(self, student_id, token):
        """The graduate whose mails a link ends.

        :return: the ``clearance.student`` as superuser; empty when the signature is not ours
        """
        # sudo: the signature is the key; nothing of the graduate is shown.
        student = self.sudo().browse(student_id).exists()
        return student if student and consteq(student._get_opt_out_token(), token) else student.browse()


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    told_line = fields.Integer(
        "Told up to", readonly=True, aggregator=None, help="The last line of the log that a mail has told about."
    )
    told_at = fields.Datetime("Last mail", readonly=True, help="When the last daily mail was made, or tried.")

    # -- on the page ---------------------------------------------------------------

    def _get_portal_news(self, limit=5):
        """The latest changes of this form and answers of desks; the caller has checked access.

        :param int limit: how many
        :return: list of dicts, the newest first: ``text``, ``reason`` (why not approved, else empty),
            ``at`` (moment), ``url`` (page of the step, or of the form) and ``kind`` (what happened:
            an action of ``clearance.log``, or ``answer``)
        """
        self.ensure_one()
        self.env.flush_all()
        rows = self.env.execute_query_dict(self._news_sql(limit))
        # sudo: the caller has checked access; the time zone of the campus is read to show times in.
        form = self.sudo()
        return [form._prepare_portal_news(row) for row in rows]

    def _prepare_portal_news(self, row):
        """Turn a row of the log into words for its graduate."""
        url = f"/my/clearance/step/{row['status_id']}" if row["status_id"] else self.access_url
        return {
            "text": self._describe_change(row),
            "reason": row["reason"] if row["kind"] in ("reject", "form_withdrawn") and row["reason"] else "",
            "at": self._get_portal_moment(row["at"]),
            "url": f"{url}#talk" if row["kind"] == "answer" else url,
            "kind": row["kind"],
        }

    def _describe_change(self, row):
        """What has happened, in a sentence that needs no knowledge of the office's words."""
        step = ": ".join(filter(None, (row["station"], row["step"])))
        words = {
            "approve": self.env._("%(step)s — approved", step=step),
            "reject": self.env._("%(step)s — not approved", step=step),
            "reopen": self.env._("%(step)s — open again", step=step),
            "submit": self.env._("%(step)s — sent, waits for the desk", step=step),
            "withdraw": self.env._("%(step)s — taken back by you", step=step),
            "set_optional": self.env._("%(step)s — no longer a must", step=step),
            "set_not_required": self.env._("%(step)s — not required of you", step=step),
            "owe": self.env._("%(step)s — what you owe has been listed", step=step),
            "review": self.env._("%(step)s — will be looked at once more", step=step),
            "lift": self.env._("%(step)s — deferred: you may settle it later", step=step),
            "restore": self.env._("%(step)s — no longer deferred", step=step),
            "expired": self.env._("%(step)s — the deferral has ended", step=step),
            "answer": self.env._("%(step)s — the desk has answered you", step=step),
            "form_withdrawn": self.env._("You have been taken out of this session"),
            "form_reinstated": self.env._("You take part in this session again"),
        }
        if row["kind"] == "undo":
            states = dict(self.env["clearance.status"]._fields["state"]._description_selection(self.env))
            return self.env._("%(step)s — corrected: %(state)s", step=step, state=states.get(row["to_state"], ""))
        return words.get(row["kind"], step)

    def _news_sql(self, limit):
        """Select the latest lines of the log and answers of a form, with the names of desks and steps.

        Raw SQL because the page is opened by thousands on one morning, and both come out of
        one query.
        """
        return SQL(
            """
            WITH news AS (
                (SELECT log.id AS line, log.date AS at, log.action AS kind, log.to_state, log.reason,
                        log.status_id, log.step_id, log.station_id
                   FROM clearance_log log
                  WHERE log.form_id = %(form)s
                  ORDER BY log.id DESC
                  LIMIT %(limit)s)
                UNION ALL
                SELECT 0, answer.at, 'answer', NULL, NULL, answer.status_id, answer.step_id, answer.station_id
                  FROM (%(answers)s) answer
            )
            SELECT news.*, %(step)s AS step, %(station)s AS station
              FROM news
         LEFT JOIN clearance_step step ON step.id = news.step_id
         LEFT JOIN clearance_station station ON station.id = news.station_id
             ORDER BY news.at DESC, news.line DESC
             LIMIT %(limit)s
            """,
            form=self.id,
            limit=limit,
            answers=self.env["clearance.inquiry"]._answers_sql(SQL("%s", self.id)),
            **self._news_names(),
        )

    @api.model
    def _news_names(self):
        """Names of step and desk in the language of the reader, for statements that join both."""
        return {
            "step": self.env["clearance.step"]._field_to_sql("step", "name"),
            "station": self.env["clearance.station"]._field_to_sql("station", "name"),
        }

    def _get_portal_mail_setting(self):
        """Whether the graduate gets mails, for the page of this form; the caller has checked access.

        :return: dict ``digest`` (the session sends a daily mail), ``on`` (the graduate wants mails),
            ``email`` (the own address, empty when there is none) and ``url`` (where to change the wish)
        """
        self.ensure_one()
        form = self.sudo()  # sudo: the graduate's own wish and address, on the own page.
        return {
            "digest": form.session_id.digest
            and self.env["clearance.settings"]._get(form.company_id).mails
            and form.session_id.state != "closed"
            and form.state != "withdrawn",
            "on": not form.student_id.mail_opt_out,
            "email": form.partner_id.email or "",
            "url": f"/my/clearance/{form.id}/mails",
        }

    # -- by mail -------------------------------------------------------------------

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Leave out graduates who want no mails, unless a person writes to them, and all where the campus sends none.

        What is written stays on the form, so nothing is lost to them.
        """
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        form = self.sudo()  # sudo: the graduate's own wish, for the graduate's own mails.
        if not form:
            return recipients
        kind = (msg_vals or {}).get("message_type") or message.sudo().message_type
        wanted = kind == "comment" or not form.student_id.mail_opt_out
        if wanted and self.env["clearance.settings"]._get(form.company_id).mails:
            return recipients
        return [recipient for recipient in recipients if recipient["id"] != form.partner_id.id]

    @api.model
    def _cron_digest(self):
        """Tell graduates by mail what has changed on their forms: one mail a day for each, at most.

        From the hour that their campus has chosen, by its clock; see ``clearance.settings``.
        It may be run as often as one likes.  Nobody is told twice, of what they have done
        themselves, or of a closed session.  A mail that cannot be made stops no other; it is
        tried again on the next day.
        """
        groups = self._get_digest_groups()
        for start in range(0, len(groups), _DIGEST_BATCH):
            batch = groups[start : start + _DIGEST_BATCH]
            self._send_digests(batch)
            remaining = len(groups) - start - len(batch)
            if not self.env["ir.cron"]._commit_progress(len(batch), remaining=remaining):
                return

    @api.model
    def _get_digest_groups(self):
        """Forms to tell about, those of one graduate together, in one query.

        Raw SQL because all forms of all open sessions are looked at against the log.

        :return: list of lists of form ids
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT array_agg(form.id ORDER BY form.id)
                  FROM clearance_form form
                  JOIN clearance_session session
                    ON session.id = form.session_id AND session.state = 'open' AND session.digest IS TRUE
                  JOIN clearance_student student ON student.id = form.student_id AND student.mail_opt_out IS NOT TRUE
                  JOIN res_partner partner ON partner.id = form.partner_id AND partner.active IS TRUE
                  JOIN res_company company ON company.id = form.company_id
                  JOIN clearance_settings settings ON settings.company_id = company.id AND settings.mails IS TRUE
                  JOIN res_partner campus ON campus.id = company.partner_id
                 WHERE partner.email_normalized <> ''
                   AND %(hour)s >= settings.digest_hour
                   AND NOT EXISTS (SELECT 1 FROM mail_blacklist blacklist
                                    WHERE blacklist.email = partner.email_normalized AND blacklist.active IS TRUE)
                   AND EXISTS (SELECT 1 FROM clearance_log log WHERE %(untold)s AND NOT %(own)s)
                   AND NOT EXISTS (SELECT 1 FROM clearance_form told
                                    WHERE told.partner_id = form.partner_id AND told.told_at IS NOT NULL
                                      AND %(told_on)s = %(today)s)
                 GROUP BY form.partner_id
                 ORDER BY form.partner_id
                """,
                untold=self._untold_sql(),
                own=self._own_line_sql(),
                told_on=self._campus_day_sql(SQL("told.told_at")),
                today=self._campus_day_sql(SQL("%s::timestamp", self.env.cr.now())),
                hour=self._campus_hour_sql(SQL("%s::timestamp", self.env.cr.now())),
            )
        )
        return [ids for (ids,) in rows]

    @api.model
    def _campus_day_sql(self, moment):
        """The day of a moment, as the clock of the ``campus`` says."""
        return SQL("%s::date", self._campus_clock_sql(moment))

    @api.model
    def _campus_hour_sql(self, moment):
        """The hour of a moment, as the clock of the ``campus`` says."""
        return SQL("date_part('hour', %s)", self._campus_clock_sql(moment))

    @api.model
    def _campus_clock_sql(self, moment):
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(campus.tz, 'UTC'))", moment)

    @api.model
    def _untold_sql(self):
        """A condition: nobody has told the graduate of ``form`` about the line ``log``.

        By the id of the line rather than by its date, which is that of the beginning of a
        transaction: what a long one writes would be passed over.
        """
        now = self.env.cr.now()
        return SQL(
            """log.form_id = form.id AND log.id > COALESCE(form.told_line, 0)
               AND log.date > CASE WHEN form.told_line > 0 THEN %s ELSE %s END""",
            now - timedelta(days=_LATE_DAYS),
            now - timedelta(days=_FIRST_DAYS),
        )

    @api.model
    def _own_line_sql(self):
        """A condition: the graduate of ``form`` has made the change ``log`` alone."""
        return SQL(
            """EXISTS (SELECT 1 FROM res_users actor
                        WHERE actor.id = log.user_id AND actor.partner_id = form.partner_id)"""
        )

    def _send_digests(self, groups):
        """Make the mails of a batch, and remember that these graduates have been told.

        :param list groups: lists of ids of forms, those of one graduate together
        """
        forms = self.browse([form_id for group in groups for form_id in group])
        changed = {form_id for form_id, rows in forms._get_digest_rows().items() if rows}
        # One mail for all forms of a graduate, made for the first of them that has news.
        first = [next(form_id for form_id in group if form_id in changed) for group in groups if changed & set(group)]
        failed = self._make_digests(first)
        self.browse(first).write({"told_at": self.env.cr.now()})
        unsent = {form_id for group in groups if failed & set(group) for form_id in group}
        forms.filtered(lambda form: form.id not in unsent)._mark_told()

    @api.model
    def _make_digests(self, form_ids):
        """Queue one mail for each of these forms.

        :return: set of ids of forms for which it could not be done
        """
        if not form_ids:
            return set()
        try:
            with self.env.cr.savepoint():
                self._queue_digests(form_ids)
            return set()
        except OperationalError:
            raise
        except Exception:  # pylint: disable=broad-except
            if len(form_ids) == 1:
                _logger.warning("No daily mail for clearance form %s", form_ids[0], exc_info=True)
                return set(form_ids)
        # Whichever mail stands in the way, the others go out.
        return set().union(*(self._make_digests([form_id]) for form_id in form_ids))

    @api.model
    def _queue_digests(self, form_ids):
        template = self.env.ref("graduate_clearance.mail_template_digest")
        mails = template.send_mail_batch(form_ids)
        for mail in mails:
            form = self.browse(mail.res_id)
            url = form.get_base_url() + form.student_id._get_opt_out_path()
            mail.headers = repr(
                {
                    # RFC 8058: the mail programme offers a button that asks nothing more.
                    "List-Unsubscribe": f"<{url}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Auto-Submitted": "auto-generated",
                    "X-Auto-Response-Suppress": "OOF",
                }
            )

    def _mark_told(self):
        """Remember that the graduates of these forms know everything up to now."""
        if not self.ids:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE clearance_form form
                   SET told_line = last.line
                  FROM (SELECT log.form_id, max(log.id) AS line
                          FROM clearance_log log
                         WHERE log.form_id = ANY(%s)
                         GROUP BY log.form_id) last
                 WHERE form.id = last.form_id AND form.told_line IS DISTINCT FROM last.line
                """,
                self.ids,
            )
        )
        self.invalidate_recordset(["told_line"], flush=False)

    # -- what the mail says; the template of the campus calls these ---------------------

    def _get_digest_headline(self):
        """How far the graduate is, for the subject."""
        self.ensure_one()
        if self.state == "withdrawn":
            return self.env._("you have been taken out of the session")
        if not self.open_count:
            return self.env._("everything is settled")
        return self.env._("%(left)s of %(total)s left", left=self.open_count, total=self.due_count)

    def _get_digest(self):
        """What the daily mail of this form says, in the language of the context.

        :return: dict ``name`` (of the graduate), ``forms`` (this one, and others of the same graduate
            that have changed: dicts ``session``, ``headline``, ``next`` (empty when nothing waits for
            the graduate), ``changes`` (see :meth:`_get_portal_news`), ``more`` (number of changes
            that are not listed) and ``url``) and ``opt_out_url``
        """
        self.ensure_one()
        others = self.search(
            [
                ("partner_id", "=", self.partner_id.id),
                ("id", "!=", self.id),
                ("session_id.state", "=", "open"),
                ("session_id.digest", "=", True),
            ],
            order="id",
        )
        rows = (self | others)._get_digest_rows()
        forms = self | others.filtered(lambda form: rows[form.id])
        base_url = self.get_base_url()
        return {
            "name": self.student_id.name,
            "forms": [form._prepare_digest_form(rows[form.id], base_url) for form in forms],
            "opt_out_url": base_url + self.student_id._get_opt_out_path(),
        }

    def _prepare_digest_form(self, rows, base_url):
        """One form in the daily mail."""
        progress = self._get_portal_values()["progress"] if self.state != "withdrawn" else {}
        changes = [self._prepare_portal_news(row) for row in rows[:_DIGEST_LIMIT]]
        return {
            "session": self.session_id.name,
            "headline": progress.get("headline", ""),
            "next": progress.get("next", ""),
            "changes": [{**change, "url": base_url + change["url"]} for change in changes],
            "more": len(rows) - len(changes),
            "url": base_url + self.access_url,
        }

    def _get_digest_rows(self):
        """What the graduates of these forms have not been told, in one query.

        Of each step only where it stands now: what was done and taken back in between, or
        what the graduate has answered to since, would only confuse.

        :return: dict ``{form id: [row, ...]}``, the newest first; see :meth:`_news_sql` for rows
        """
        self.env.flush_all()
        found = self.env.execute_query_dict(
            SQL(
                """
                WITH latest AS (
                    SELECT DISTINCT ON (log.form_id, log.status_id)
                           log.form_id, log.id AS line, log.date AS at, log.action AS kind, log.to_state, log.reason,
                           log.status_id, log.step_id, log.station_id, %(own)s AS own,
                           log.action = 'undo' AND log.to_state = first_value(log.from_state) OVER (
                               PARTITION BY log.form_id, log.status_id ORDER BY log.id
                           ) AS nothing
                      FROM clearance_form form
                      JOIN clearance_log log ON %(untold)s
                     WHERE form.id = ANY(%(forms)s) AND (form.state <> 'withdrawn' OR log.status_id IS NULL)
                     ORDER BY log.form_id, log.status_id, log.id DESC
                )
                SELECT latest.*, %(step)s AS step, %(station)s AS station
                  FROM latest
             LEFT JOIN clearance_step step ON step.id = latest.step_id
             LEFT JOIN clearance_station station ON station.id = latest.station_id
                 WHERE NOT latest.own AND NOT latest.nothing
                 ORDER BY latest.line DESC
                """,
                own=self._own_line_sql(),
                untold=self._untold_sql(),
                forms=self.ids,
                **self._news_names(),
            )
        )
        rows = {form_id: [] for form_id in self.ids}
        for row in found:
            rows[row["form_id"]].append(row)
        return rows
