"""Personal data of closed sessions: how long it is kept, and what goes then."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, human_size
from odoo.tools.misc import format_date

#: items (files, sendings, ID-card numbers) deleted in one transaction
_STEP = 500

#: who may see what would go
_GROUPS = "graduate_clearance.group_manager,graduate_clearance.group_auditor"


class ClearanceSession(models.Model):
    """Some months after a session was closed (``clearance.settings``), what was collected for it goes.

    That is: ID-card numbers of its graduates, unless another session still needs them; answers and
    files they sent, drafts, files of conversations with desks, evidence of deferrals, papers that
    desks have kept and lists that they have uploaded.  What stays is the record: statuses, the log, certificates.
    """

    _inherit = "clearance.session"

    purge_ids = fields.One2many("clearance.purge", "session_id", "Purges", groups=_GROUPS)
    purged_at = fields.Datetime("Personal data deleted on", readonly=True, copy=False)
    purge_at = fields.Date("Personal data goes on", compute="_compute_purge_at")
    is_purge_due = fields.Boolean("Time is up", compute="_compute_purge_at")
    holds_personal_data = fields.Boolean(compute="_compute_purge_counts")
    purge_number_count = fields.Integer("ID-card numbers", compute="_compute_purge_counts", groups=_GROUPS)
    purge_answer_count = fields.Integer("Sendings with answers", compute="_compute_purge_counts", groups=_GROUPS)
    purge_file_count = fields.Integer("Files", compute="_compute_purge_counts", groups=_GROUPS)
    purge_size = fields.Char("Size of files", compute="_compute_purge_counts", groups=_GROUPS)

    @api.depends("state", "closed_at", "company_id")
    def _compute_purge_at(self):
        for session in self:
            moment = session._get_purge_moment()
            session.purge_at = moment and fields.Datetime.context_timestamp(session, moment).date()
            session.is_purge_due = bool(moment) and moment <= fields.Datetime.now()

    def _get_purge_moment(self):
        """When personal data of this session is to go (UTC); False when never, or not closed."""
        months = self.env["clearance.settings"]._get(self.company_id).retention_months
        if self.state != "closed" or not self.closed_at or not months:
            return False
        return self.closed_at + relativedelta(months=months)

    def _compute_purge_counts(self):
        counts = self._count_purge_items()
        for session in self:
            found = counts.get(session.id, {})
            session.purge_number_count = found.get("number_count", 0)
            session.purge_answer_count = found.get("answer_count", 0)
            session.purge_file_count = found.get("file_count", 0)
            session.purge_size = human_size(int(found.get("byte_count", 0)))
            session.holds_personal_data = any(found.values())

    # -- what would go ---------------------------------------------------------------

    def _count_purge_items(self):
        """How much would go from these sessions, in one statement and one for drafts.

        :return: dict ``{session id: {"number_count", "answer_count", "file_count", "byte_count"}}``
        """
        if not self.ids:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT session.id,
                       (SELECT count(*) FROM (%(numbers)s) found) AS number_count,
                       (SELECT count(*) FROM (%(answers)s) found) AS answer_count,
                       files.file_count, files.byte_count
                  FROM clearance_session session
                 CROSS JOIN LATERAL (
                       SELECT count(*) AS file_count, COALESCE(sum(found.file_size), 0) AS byte_count
                         FROM (%(files)s) found
                       ) files
                 WHERE session.id = ANY(%(ids)s)
                """,
                numbers=self._purge_numbers_sql(SQL("session.id")),
                answers=self._purge_answers_sql(SQL("session.id")),
                files=self._purge_files_sql(SQL("session.id")),
                ids=self.ids,
            )
        )
        return {row.pop("id"): row for row in rows}

    def _purge_files_sql(self, session_id):
        """Select id and size of the files of a session: of sendings, questions, deferrals and steps; uploaded lists.

        Raw SQL, here and below, because an attachment names its record without a foreign key, and
        because these are counted for all sessions at once.
        """
        sources = ("clearance.submission", "clearance.inquiry", "clearance.override", "clearance.status")
        lists = SQL(
            """
            SELECT attachment.id, attachment.file_size
              FROM clearance_batch batch
              JOIN ir_attachment attachment
                ON attachment.res_model = 'clearance.batch' AND attachment.res_id = batch.id
             WHERE batch.session_id = %s
            """,
            session_id,
        )
        files = (
            SQL(
                """
                SELECT attachment.id, attachment.file_size
                  FROM clearance_form form
                  JOIN %(table)s source ON source.form_id = form.id
                  JOIN ir_attachment attachment
                    ON attachment.res_model = %(model)s AND attachment.res_id = source.id
                 WHERE form.session_id = %(session)s
                """,
                table=SQL.identifier(self.env[model]._table),
                model=model,
                session=session_id,
            )
            for model in sources
        )
        return SQL(" UNION ALL ").join([*files, lists])

    def _purge_answers_sql(self, session_id):
        """Select the ids of sendings that say something, and of drafts."""
        return SQL(
            """
            SELECT sent.id
              FROM clearance_form form
              JOIN clearance_submission sent ON sent.form_id = form.id
             WHERE form.session_id = %s
               AND (sent.state = 'draft' OR sent.answers IS NOT NULL AND sent.answers <> '{}'::jsonb)
            """,
            session_id,
        )

    def _purge_numbers_sql(self, session_id):
        """Select the ids of graduates of a session whose ID-card number no other session needs.

        Another one does when it is open, when it was closed too recently, or when it is being
        prepared and would take the graduate in.
        """
        return SQL(
            """
            SELECT student.id
              FROM clearance_form form
              JOIN clearance_student student ON student.id = form.student_id AND student.id_number <> ''
             WHERE form.session_id = %(session)s
               AND NOT EXISTS (
                   SELECT 1
                     FROM clearance_form other_form
                     JOIN clearance_session other ON other.id = other_form.session_id
                     JOIN clearance_settings settings ON settings.company_id = other.company_id
                    WHERE other_form.student_id = student.id
                      AND other.id <> form.session_id
                      AND (other.state <> 'closed'
                           OR other.closed_at + make_interval(months => settings.retention_months) > %(now)s))
               AND student.id NOT IN (%(awaited)s)
            """,
            session=session_id,
            now=fields.Datetime.now(),
            awaited=self._purge_awaited_sql(),
        )

    @api.model
    def _purge_awaited_sql(self):
        """Select the ids of graduates whom sessions that are being prepared would take in."""
        # sudo: whoever is awaited is left alone; nobody is shown.
        Student = self.env["clearance.student"].sudo()
        drafts = self.sudo().search([("state", "=", "draft")])
        domain = Domain.OR(draft._get_population_domain() for draft in drafts)
        return Student._search(domain).select(SQL("clearance_student.id"))

    # -- by hand ---------------------------------------------------------------------

    @api.model
    def action_open_purge(self):
        """Open the list of closed sessions with what would go from each, and when."""
        self._check_purge_access("read")
        return self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_session_action_purge")

    def action_try_purge(self):
        """Record what would go from these sessions; nothing is deleted.  For managers.

        :raise AccessError: for anybody else
        :raise UserError: when a session is not closed
        """
        self._check_purge_access("write")
        for session in self:
            if session.state != "closed":
                raise UserError(self.env._("Session “%s” is not closed: nothing would be deleted.", session.name))
        counts = self._count_purge_items()
        purges = self.env["clearance.purge"]
        for session in self:
            purges |= session._make_purge(
                is_trial=True, state="done", done_at=fields.Datetime.now(), **counts[session.id]
            )
        return self._show_purges(purges)

    def action_purge(self):
        """Delete the personal data of these sessions, whose time is up, now.  For managers.

        What is too much for one request goes on in the background.

        :raise AccessError: for anybody else
        :raise UserError: when a session is not closed, or its data is to be kept longer
        """
        self._check_purge_access("write")
        for session in self:
            session._raise_unless_due()
        purges = self.env["clearance.purge"]
        for session in self:
            purge = session._get_running_purge() or session._make_purge()
            purges |= purge
            session._purge_step(purge)
        if any(purge.state == "running" for purge in purges):
            # sudo: to go on with what the manager has begun.
            self.env.ref("graduate_clearance.ir_cron_purge").sudo()._trigger()
        return self._show_purges(purges)

    def _check_purge_access(self, operation):
        self.check_access(operation)
        allowed = _GROUPS.split(",") if operation == "read" else ["graduate_clearance.group_manager"]
        if not self.env.su and not any(self.env.user.has_group(group) for group in allowed):
            raise AccessError(self.env._("Only managers decide on personal data."))

    def _raise_unless_due(self):
        self.ensure_one()
        name = self.name
        if self.state != "closed":
            raise UserError(self.env._("Session “%s” is not closed: its data is needed.", name))
        if not self._get_purge_moment():
            raise UserError(
                self.env._(
                    "Personal data of “%s” is kept for ever. Say in the campus settings how long it is to be kept.",
                    name,
                )
            )
        if not self.is_purge_due:
            raise UserError(
                self.env._(
                    "Personal data of “%(session)s” is kept until %(day)s.",
                    session=name,
                    day=format_date(self.env, self.purge_at),
                )
            )
        if not self.try_lock_for_update(allow_referencing=True):
            raise UserError(self.env._("“%s” is being worked on at this moment. Try again.", name))

    def _show_purges(self, purges):
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_purge_action")
        if len(purges) == 1:
            return {**action, "views": [(False, "form")], "res_id": purges.id}
        return {**action, "domain": [("id", "in", purges.ids)]}

    # -- by the clock ----------------------------------------------------------------

    @api.model
    def _cron_purge(self):
        """Delete what is no longer to be kept, in parts; it may be run as often as one likes.

        Each session whose time is up is looked at again every time: an ID-card number that
        another session needed may have become free since.
        """
        sessions = self._get_due_sessions()
        counts = sessions._count_purge_items()
        left = {id_: sum(found.values()) - found["byte_count"] for id_, found in counts.items()}
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=int(sum(left.values())))
        for session in sessions:
            purge = session._get_running_purge()
            if not left[session.id] and not purge:
                continue
            # Held for one part at a time; whoever reopens the session in between stops it.
            while session.try_lock_for_update(allow_referencing=True) and session.is_purge_due:
                purge = purge or session._make_purge()
                if not commit(session._purge_step(purge)):
                    return
                if purge.state == "done":
                    break
                session.invalidate_recordset()

    @api.model
    def _get_due_sessions(self):
        """Sessions whose personal data is to go by now, the oldest first."""
        closed = self.with_context(active_test=False).search([("state", "=", "closed")], order="closed_at, id")
        return closed.filtered("is_purge_due")

    # -- doing it --------------------------------------------------------------------

    def _make_purge(self, **values):
        self.ensure_one()
        # sudo: nobody may make such records at will; the caller has checked the user, or is the clock.
        purges = self.env["clearance.purge"].sudo()
        return purges.create(
            {
                "session_id": self.id,
                "user_id": self.env.uid,
                "closed_at": self.closed_at,
                "retention_months": self.env["clearance.settings"]._get(self.company_id).retention_months,
                **values,
            }
        ).sudo(self.env.su)

    def _get_running_purge(self):
        self.ensure_one()
        # sudo: to go on with what a manager or the clock has begun.
        purge = (
            self.env["clearance.purge"]
            .sudo()
            .search([("session_id", "=", self.id), ("state", "=", "running")], limit=1)
        )
        return purge.sudo(self.env.su)

    def _purge_step(self, purge, limit=_STEP):
        """Delete the next items of a session that the caller holds, and add them to the record.

        :param purge: the running ``clearance.purge`` of this session; it is done once fewer items
            than ``limit`` were left
        :return: how many items went
        """
        self.ensure_one()
        self.env.flush_all()
        # sudo: what belongs to graduates and offices; the caller has checked the user, or is the clock.
        session, purge = self.sudo(), purge.sudo()
        deleted, left = {}, limit
        for delete in (session._purge_files, session._purge_answers, session._purge_numbers):
            if left:
                counts, count = delete(left)
                deleted.update(counts)
                left -= count
        purge._add(deleted)
        if left:
            purge._record(state="done", done_at=fields.Datetime.now())
            session._end_purge(purge)
        return limit - left

    def _purge_files(self, limit):
        self.env.cr.execute(SQL("%s LIMIT %s", self._purge_files_sql(SQL("%s", self.id)), limit))
        found = self.env.cr.fetchall()
        # What names them as files of a sending goes along (ondelete).
        self.env["ir.attachment"].browse(row[0] for row in found).unlink()
        return {"file_count": len(found), "byte_count": sum(row[1] or 0 for row in found)}, len(found)

    def _purge_answers(self, limit):
        self.env.cr.execute(SQL("%s LIMIT %s", self._purge_answers_sql(SQL("%s", self.id)), limit))
        submissions = self.env["clearance.submission"].browse(row[0] for row in self.env.cr.fetchall())
        drafts = submissions.filtered(lambda submission: submission.state == "draft")
        count = len(submissions)
        (submissions - drafts).write({"answers": False})
        drafts._delete()
        return {"answer_count": count}, count

    def _purge_numbers(self, limit):
        self.env.cr.execute(SQL("%s LIMIT %s", self._purge_numbers_sql(SQL("%s", self.id)), limit))
        students = self.env["clearance.student"].browse(row[0] for row in self.env.cr.fetchall())
        students.write({"id_number": False})
        return {"number_count": len(students)}, len(students)

    def _end_purge(self, purge):
        """Remember it on the session, whose graduates read it, and in its chatter."""
        # Past what a closed session refuses.
        self._set_state(self.state, purged_at=purge.done_at)
        self.message_post(
            body=self.env._(
                "Personal data deleted: %(numbers)s ID-card numbers, %(answers)s sendings, %(files)s files (%(size)s).",
                numbers=purge.number_count,
                answers=purge.answer_count,
                files=purge.file_count,
                size=purge.size,
            ),
            subtype_xmlid="mail.mt_note",
        )


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    def _get_portal_privacy(self, plan, clock):
        """How long the school keeps what the graduate has sent, in words; empty when for ever.

        :param dict plan: see ``clearance.session._get_portal_plan``
        """
        if plan["purged_at"]:
            return self.env._(
                "What you sent for this session was deleted on %s. What you settled and your certificate are kept.",
                clock.moment(plan["purged_at"])["text"],
            )
        if not plan["retention_months"]:
            return ""
        return self.env._(
            "%s months after this session is closed, the school deletes your ID-card number and the answers and "
            "files you sent. What you settled and your certificate are kept.",
            plan["retention_months"],
        )
