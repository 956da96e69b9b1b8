"""Asking the desk: one conversation a step, between its graduate and those who decide on it."""

import re
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, html2plaintext, html_sanitize, is_html_empty

from ..texts import join_names

#: how long a message of a graduate may be, and how many one may send within an hour
MAX_LENGTH = 2000
MAX_PER_HOUR = 10

#: how many messages a page shows, the latest ones
_SHOWN = 100

#: how much of a message lists show, in characters
_BEGINNING = 120

#: what people say to each other, as against what Odoo notes by itself
_SAID = ("comment", "email", "email_outgoing", "auto_comment")


class ClearanceInquiry(models.Model):
    """What a graduate asks a desk about a step, and what the desk answers.

    Read by those who decide on the step (the record rules look at the present station,
    class and supervisor of the status, so the conversation moves with the graduate), and
    answered by them in Odoo's chatter.  Graduates have no access to this model: their page
    shows what :meth:`clearance.status._get_portal_thread` picks, never a note of the staff.
    There is no access token either, so no link opens a conversation without a login.
    """

    _name = "clearance.inquiry"
    _description = "Question to a Desk"
    _inherit = ["mail.thread"]
    _order = "last_at desc, id desc"
    _mail_post_access = "read"

    status_id = fields.Many2one(
        "clearance.status", "Step of a graduate", required=True, readonly=True, ondelete="cascade"
    )
    form_id = fields.Many2one(related="status_id.form_id", store=True, index=True)
    student_id = fields.Many2one(related="form_id.student_id", string="Graduate")
    student_number = fields.Char(related="form_id.student_number")
    partner_id = fields.Many2one(related="form_id.partner_id")
    class_id = fields.Many2one(related="form_id.class_id")
    company_id = fields.Many2one(related="form_id.company_id")
    session_id = fields.Many2one(related="form_id.session_id")
    # Not stored: a graduate may be routed to another desk, and the question goes along.
    station_id = fields.Many2one(related="status_id.station_id")
    step_id = fields.Many2one(related="status_id.step_id")
    legend = fields.Selection(related="status_id.legend", string="State of the step")
    waiting = fields.Boolean(
        "Waits for an answer", readonly=True, help="The last word is the graduate's, and nobody has put it aside."
    )
    said_count = fields.Integer("Number of messages", readonly=True)
    last_at = fields.Datetime("Last message", readonly=True)
    answered_at = fields.Datetime("Last answer", readonly=True)
    put_aside_line = fields.Integer(
        "Put aside up to",
        readonly=True,
        aggregator=None,
        help="The last message that somebody has found to need no answer.",
    )
    last_words = fields.Char(compute="_compute_last_words", help="How the last message begins.")

    _status_uniq = models.Constraint("UNIQUE(status_id)", "A step of a graduate has one conversation.")
    _waiting_idx = models.Index("(last_at) WHERE waiting IS TRUE")

    @api.depends("status_id.display_name")
    def _compute_display_name(self):
        for inquiry in self:
            # sudo: whoever may read the question may know whose it is and what it is about.
            inquiry.display_name = inquiry.sudo().status_id.display_name

    @api.depends("last_at")
    def _compute_last_words(self):
        said = self._get_said()
        for inquiry in self:
            rows = said.get(inquiry.id)
            words = " ".join(html2plaintext(rows[-1]["body"] or "", include_references=False).split()) if rows else ""
            inquiry.last_words = words if len(words) <= _BEGINNING else f"{words[: _BEGINNING - 1]}…"

    # -- asking ------------------------------------------------------------------

    @api.model
    def _ask(self, status, text):
        """Send a message of the graduate, who is the user, to the desk of a step.

        :param status: the ``clearance.status`` it is about
        :param str text: plain text as typed
        :return: the conversation, as superuser
        :raise AccessError: when it is not a step of the user's own form
        :raise UserError: with words for the graduate, when nothing is to be sent
        """
        status.check_access("read")
        # sudo: readable (checked above); whose form it is is asked here.
        form = status.sudo().form_id
        if not form.partner_id or form.partner_id != self.env.user.partner_id:
            raise AccessError(self.env._("This is not a step of your form."))
        body = self._prepare_body(text)
        if obstacle := self._get_obstacle(form):
            raise UserError(obstacle)
        self._check_rate()
        # sudo: graduates have no access to conversations; all checks are made above.
        inquiry = self.sudo()._get_or_create(status)
        inquiry._message_subscribe(partner_ids=form.partner_id.ids)
        inquiry.message_post(body=body, message_type="comment", subtype_xmlid="mail.mt_comment")
        return inquiry

    @api.model
    def _prepare_body(self, text):
        """Turn what was typed into HTML that shows just that.

        :raise UserError: when it is empty or too long
        """
        lines = (text or "").replace("\x00", "").strip().splitlines()
        length = len("\n".join(lines))
        if not length:
            raise UserError(self.env._("Write your message first."))
        if length > MAX_LENGTH:
            raise UserError(
                self.env._(
                    "Your message has %(length)s characters; at most %(limit)s can be sent.",
                    length=length,
                    limit=MAX_LENGTH,
                )
            )
        return Markup("<p>%s</p>") % Markup("<br>").join(lines)

    @api.model
    def _get_obstacle(self, form):
        """Why the graduate of ``form`` cannot write now, in a sentence; empty when nothing stands against it."""
        if form.session_id.state != "open":
            return self.env._("The session is not open, so no message can be sent any more.")
        if form.state == "withdrawn":
            return self.env._("You have been taken out of this session, so no message can be sent here.")
        return ""

    @api.model
    def _check_rate(self):
        """Hold up a graduate who sends message after message.

        :raise UserError: after :data:`MAX_PER_HOUR` messages within an hour
        """
        partner = self.env.user.partner_id
        # sudo: counts the user's own messages only.
        inquiries = self.sudo().search([("form_id.partner_id", "=", partner.id)])
        sent = (
            self.env["mail.message"]
            .sudo()
            .search_count(
                [
                    ("model", "=", self._name),
                    ("res_id", "in", inquiries.ids),
                    ("author_id", "=", partner.id),
                    ("date", ">", fields.Datetime.now() - timedelta(hours=1)),
                ],
                limit=MAX_PER_HOUR,
            )
        )
        if sent >= MAX_PER_HOUR:
            raise UserError(
                self.env._(
                    "You have sent %(count)s messages within an hour. Please wait a while before you send more.",
                    count=sent,
                )
            )

    @api.model
    def _get_or_create(self, status):
        """The conversation about a step, made where there is none.

        Raw SQL because two first messages may come in the same instant: here the later
        one waits, fails to serialise and is tried again by Odoo, and then finds it.
        """
        inquiry = self.search([("status_id", "=", status.id)])
        if inquiry:
            return inquiry
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO clearance_inquiry (
                    status_id, form_id, waiting, said_count, put_aside_line,
                    create_uid, create_date, write_uid, write_date
                )
                VALUES (%(status)s, %(form)s, FALSE, 0, 0,
                        %(uid)s, %(now)s, %(uid)s, %(now)s)
                    ON CONFLICT (status_id) DO NOTHING
             RETURNING id
                """,
                status=status.id,
                form=status.form_id.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
            ),
            log_exceptions=False,
        )
        return self.browse(self.env.cr.fetchone()[0])

    # -- what was said ---------------------------------------------------------------

    @api.model
    def _said_sql(self, inquiry_id):
        """Select what graduate and desk have said to each other: no notes, nothing automatic.

        The one place that says what a graduate sees.

        :param SQL inquiry_id: expression of the conversation's id
        """
        return SQL(
            """
            SELECT message.id, message.date, message.body, message.author_id, author.name AS author,
                   ARRAY(SELECT json_build_object('id', file.id, 'name', file.name,
                                                  'mimetype', file.mimetype, 'size', file.file_size)
                           FROM message_attachment_rel rel
                           JOIN ir_attachment file ON file.id = rel.attachment_id
                          WHERE rel.message_id = message.id
                          ORDER BY file.id) AS files
              FROM mail_message message
              JOIN mail_message_subtype subtype ON subtype.id = message.subtype_id
         LEFT JOIN res_partner author ON author.id = message.author_id
             WHERE message.model = %(model)s AND message.res_id = %(inquiry)s
               AND message.message_type = ANY(%(said)s)
               AND message.is_internal IS NOT TRUE AND subtype.internal IS NOT TRUE
             ORDER BY message.id DESC
             LIMIT %(limit)s
            """,
            model=self._name,
            inquiry=inquiry_id,
            said=list(_SAID),
            limit=_SHOWN,
        )

    def _get_said(self):
        """What was said in these conversations, in one query.

        Raw SQL for the same words as on the graduate's page, whatever the user may read;
        the caller has checked access.

        :return: dict ``{id: [row, ...]}``, the oldest row first; see :meth:`_said_sql`
        """
        if not self.ids:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT inquiry.id AS inquiry_id, said.*
                  FROM clearance_inquiry inquiry
                 CROSS JOIN LATERAL (%(said)s) said
                 WHERE inquiry.id = ANY(%(ids)s)
                 ORDER BY inquiry.id, said.id
                """,
                said=self._said_sql(SQL("inquiry.id")),
                ids=self.ids,
            )
        )
        found = {}
        for row in rows:
            if self._says_something(row):
                found.setdefault(row["inquiry_id"], []).append(row)
        return found

    @api.model
    def _says_something(self, row):
        """Whether anything is left of a message: its author may have emptied it."""
        return bool(row["files"]) or not is_html_empty(row["body"])

    def _refresh(self):
        """Bring what is stored of these conversations up to date with their messages."""
        said = self._get_said()
        for inquiry in self:
            rows = said.get(inquiry.id, [])
            answers = [row for row in rows if row["author_id"] != inquiry.partner_id.id]
            last = rows[-1] if rows else None
            own = bool(last) and last["author_id"] == inquiry.partner_id.id
            inquiry.write(
                {
                    "said_count": len(rows),
                    "last_at": last["date"] if last else False,
                    "answered_at": answers[-1]["date"] if answers else False,
                    "waiting": own and last["id"] > inquiry.put_aside_line,
                }
            )
        # sudo: only the ids of desks leave here, for screens to look again.
        self.env["clearance.desk"]._tell_after_commit(
            {(inquiry.station_id.id, inquiry.session_id.id) for inquiry in self.sudo()}
        )

    @api.model
    def _answers_sql(self, form_id):
        """Select when each desk has last answered the graduate of a form, and about which step.

        :param SQL form_id: expression of the form's id
        """
        return SQL(
            """
            SELECT inquiry.answered_at AS at, status.id AS status_id, status.step_id, status.station_id
              FROM clearance_inquiry inquiry
              JOIN clearance_status status ON status.id = inquiry.status_id
             WHERE inquiry.form_id = %s AND inquiry.answered_at IS NOT NULL
            """,
            form_id,
        )

    @api.model
    def _get_open_counts(self, status_ids):
        """Conversations about these steps, of those that the user may read.

        :param list status_ids: ids of ``clearance.status``
        :return: dict ``{status id: (conversation id, whether it waits for an answer, number of messages)}``
        """
        if not self.has_access("read"):
            return {}
        found = self.search_fetch([("status_id", "in", status_ids)], ["status_id", "waiting", "said_count"])
        return {inquiry.status_id.id: (inquiry.id, inquiry.waiting, inquiry.said_count) for inquiry in found}

    def action_put_aside(self):
        """Say that the last message needs no answer, such as a word of thanks.

        :raise AccessError: for who may not read these conversations
        """
        self.check_access("read")
        # sudo: whoever may answer a question may also leave it; the field is written only here.
        inquiries = self.sudo()
        said = inquiries._get_said()
        for inquiry in inquiries.filtered(lambda inquiry: inquiry.id in said):
            inquiry.put_aside_line = said[inquiry.id][-1]["id"]
        inquiries._refresh()

    # -- the chatter -----------------------------------------------------------------

    def message_post(self, *, message_type="notification", author_id=None, email_from=None, partner_ids=None, **kwargs):
        """Post in this conversation; see ``mail.thread``.

        Nobody speaks in another's name, nobody is addressed who may not read it, and
        nobody follows it by answering once: operators come and go.  A mail from anybody
        but the graduate and those who may answer is kept as a note.
        """
        self.ensure_one()
        if not self.env.su:
            # Odoo lets followers post, too; the graduate is one, and a former operator may be.
            self.check_access("read")
            author_id, email_from = self.env.user.partner_id.id, None
        kwargs.pop("outgoing_email_to", None)
        if message_type == "email":
            partner_ids = self._filter_partners(partner_ids)
            if not self._listens_to(author_id or self.env.user.partner_id.id):
                kwargs.update(subtype_id=False, subtype_xmlid="mail.mt_note", is_internal=True)
        elif outsiders := set(partner_ids or ()) - set(self._filter_partners(partner_ids)):
            # sudo: names of people whom the author has just chosen.
            names = self.env["res.partner"].sudo().browse(outsiders).mapped("name")
            raise UserError(
                self.env._(
                    "%(names)s may not read this conversation. "
                    "It is between the graduate and those who decide on the step.",
                    names=join_names(self.env, filter(None, names)),
                )
            )
        thread = self.with_context(mail_post_autofollow_author_skip=True, mail_post_autofollow=False)
        return super(ClearanceInquiry, thread).message_post(
            message_type=message_type,
            author_id=author_id,
            email_from=email_from,
            partner_ids=partner_ids,
            **kwargs,
        )

    def _message_post_after_hook(self, message, msg_values):
        result = super()._message_post_after_hook(message, msg_values)
        # sudo: bookkeeping of the message just posted.
        self.sudo()._refresh()
        return result

    def _message_update_content(self, message, /, **kwargs):
        result = super()._message_update_content(message, **kwargs)
        # sudo: bookkeeping of the message just changed.
        self.sudo()._refresh()
        return result

    def _filter_partners(self, partner_ids):
        """Those who may read this conversation: its graduate, and users whom the rules let.

        :param list partner_ids: ids of ``res.partner``
        :return: list of ids
        """
        partner_ids = set(partner_ids or ())
        # sudo: only who may read what is asked.
        users = self.env["res.users"].sudo().search([("partner_id", "in", partner_ids), ("share", "=", False)])
        allowed = {user.partner_id.id for user in users if self._lets_read(user)}
        # sudo: only whether the graduate is among them is answered.
        return list(partner_ids & (allowed | set(self.sudo().partner_id.ids)))

    def _lets_read(self, user):
        """Whether ``user`` may read this, wherever that user works at the moment."""
        companies = user._get_company_ids()
        return self.with_user(user).with_context(allowed_company_ids=list(companies)).has_access("read")

    def _listens_to(self, partner_id):
        """Whether a mail of this person belongs to the conversation."""
        form = self.sudo().form_id  # sudo: only whether somebody may write here is answered.
        if partner_id == form.partner_id.id:
            return not self._get_obstacle(form)
        return bool(self._filter_partners([partner_id]))

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Leave out who may not read this (any more), and the graduate who wants no mails or is to get none."""
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        if not self:
            return recipients
        allowed = set(self._filter_partners([recipient["id"] for recipient in recipients if recipient["id"]]))
        form = self.sudo().form_id  # sudo: the graduate's own wish, for the graduate's own mails.
        settings = self.env["clearance.settings"]._get(form.company_id)
        if form.student_id.mail_opt_out or not (settings.mails and settings.inquiry_mails):
            allowed.discard(form.partner_id.id)
        return [recipient for recipient in recipients if recipient["id"] in allowed]

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        """Lead the graduate to the page of the step; staff are led to the conversation."""
        groups = super()._notify_get_recipients_groups(message, model_description, msg_vals=msg_vals)
        if not self:
            return groups
        inquiry = self.sudo()  # sudo: the address of a page that asks for a login.
        url = f"{inquiry.get_base_url()}/my/clearance/step/{inquiry.status_id.id}#talk"
        graduate = {
            "active": True,
            "has_button_access": True,
            "button_access": {"url": url, "title": self.env._("Read and Reply")},
        }
        partner_id = inquiry.partner_id.id
        return [("graduate", lambda data: data["id"] == partner_id, graduate), *groups]

    def _message_compute_subject(self):
        """Desk and step, in the graduate's language: mails are for the graduate."""
        self.ensure_one()
        # sudo: names of the step that the graduate has asked about.
        inquiry = self.sudo().with_context(lang=self.sudo().partner_id.lang or self.env.lang)
        return f"{inquiry.station_id.name}: {inquiry.step_id.name}"

    @api.model
    def _get_thread_with_access(self, thread_id, **kwargs):
        """The thread under the user's own rights: no token opens it (there is none)."""
        kwargs = {key: value for key, value in kwargs.items() if key not in ("hash", "pid", "token")}
        return super()._get_thread_with_access(thread_id, **kwargs)


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    def _get_portal_thread(self):
        """What the page of this step shows of the conversation with its desk; the caller has checked access.

        Two queries, however much was said.

        :return: False where there is nothing to read and nobody to write to, else a dict with
            ``url`` (where to send a message), ``desk`` (name), ``mode`` (who decides on the step),
            ``closed`` (why nothing can be sent, else empty), ``limit`` (characters), ``waiting``
            (the desk has not answered yet), ``draft``, ``error`` (texts; empty) and ``messages``,
            the oldest first: dicts with ``own``, ``who``, ``at`` (moment), ``body`` (markup) and
            ``files`` (list of dicts ``name``, ``url``, ``size`` (text))
        """
        self.ensure_one()
        # sudo: the caller has checked that the user may read this status; only the names of
        # desk and people and what was said to this graduate leave here.
        status = self.sudo()
        inquiry = self.env["clearance.inquiry"].sudo().search_fetch([("status_id", "=", status.id)], ["waiting"])
        rows = inquiry._get_said().get(inquiry.id, [])
        closed = inquiry._get_obstacle(status.form_id)
        if closed and not rows:
            return False
        return {
            "url": f"/my/clearance/step/{status.id}/ask",
            "desk": status.station_id.name,
            "mode": status.step_id.mode,
            "closed": closed,
            "limit": MAX_LENGTH,
            "waiting": bool(inquiry.waiting),
            "draft": "",
            "error": "",
            "messages": [status._prepare_portal_message(row) for row in rows],
        }

    def _prepare_portal_message(self, row):
        """Turn a row of ``clearance.inquiry._get_said`` into what the page shows."""
        form = self.form_id
        own = row["author_id"] == form.partner_id.id
        # Clean since it was posted; here what fits into a page: no styles, no headings.
        body = re.sub(r"<(/?)h[1-6]\b[^>]*>", r"<\1p>", row["body"] or "")
        return {
            "own": own,
            "who": self.env._("You") if own else row["author"] or self.station_id.name,
            "at": form._get_portal_moment(row["date"]),
            "body": html_sanitize(body, strip_style=True, strip_classes=True),
            "files": [
                {
                    "name": file["name"],
                    "size": f"{max(1, round((file['size'] or 0) / 1024))} KB",
                    "url": f"/my/clearance/step/{self.id}/talk/{file['id']}",
                }
                for file in row["files"]
            ],
        }

    def _get_portal_talk_file(self, attachment_id):
        """A file that came with a message of this step; the caller has checked access to the status.

        :return: the ``ir.attachment`` as superuser, or None when no message that the graduate sees has it
        """
        self.ensure_one()
        # sudo: as for the page itself; a file of an internal note is not among them.
        inquiry = self.env["clearance.inquiry"].sudo().search([("status_id", "=", self.id)])
        for row in inquiry._get_said().get(inquiry.id, []):
            if attachment_id in [file["id"] for file in row["files"]]:
                return self.env["ir.attachment"].sudo().browse(attachment_id)
        return None


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _get_forbidden_access(self, operation):
        """Let nobody slip words into a conversation with a desk.

        Odoo lets whoever follows a document, or was sent any message, write messages by
        RPC.  Here graduates write through their page only, which looks at the rest, and
        staff in their own name where they may read.
        """
        forbidden = super()._get_forbidden_access(operation)
        if operation == "read" or self.env.su:
            return forbidden
        # sudo: where the messages stand and who is named as their author is what is asked.
        said = (self - forbidden).sudo().filtered(lambda message: message.model == "clearance.inquiry")
        if not said:
            return forbidden
        if self.env.user.share:
            return forbidden + said.with_env(self.env)
        readable = self.env["clearance.inquiry"].browse(said.mapped("res_id"))._filtered_access("read")
        own = self.env.user.partner_id
        wrong = said.filtered(
            lambda message: message.res_id not in readable.ids or (operation == "create" and message.author_id != own)
        )
        return forbidden + wrong.with_env(self.env)
