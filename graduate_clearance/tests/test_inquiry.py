"""Asking the desk: who reads it, who may write, and what never shows."""

import json
from datetime import timedelta
from unittest.mock import patch

from lxml import html
from markupsafe import Markup

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.clearance_inquiry import MAX_LENGTH, MAX_PER_HOUR
from .test_portal import PortalCommon

_ANSWER = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
_NOTE = {"message_type": "comment", "subtype_xmlid": "mail.mt_note"}


class InquiryCommon(PortalCommon):
    """A graduate who has asked the library; ``asked`` is the conversation as superuser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = cls.env["clearance.status"].search([("form_id", "=", cls.form.id), ("step_id", "=", cls.books.id)])

    def ask(self, text="Where do I return them?", step=None, user=None):
        """Ask about a step of the first graduate, as that graduate."""
        user = user or self.graduate
        status = self.status(self.students[0], step, user) if step else self.own.with_user(user)
        return self.env["clearance.inquiry"].with_user(user)._ask(status, text)

    def answer(self, inquiry, user=None, body="On the 2nd floor.", **values):
        return inquiry.with_user(user or self.librarian).message_post(body=body, **{**_ANSWER, **values})

    def thread(self, status=None):
        return (status or self.own).with_user(self.graduate)._get_portal_thread()

    def said(self, status=None):
        return [message["body"].striptags() for message in self.thread(status)["messages"]]

    def send(self, status, text, user=None):
        """Send a message as the page does; the answer, redirects not followed."""
        self.login(user or self.graduate)
        return self.url_open(
            f"/my/clearance/step/{status.id}/ask",
            data={"csrf_token": Request.csrf_token(self), "message": text},
            allow_redirects=False,
        )

    def file(self, name="plan.txt", raw=b"2nd floor"):
        """A file that the librarian is about to send."""
        return (
            self.env["ir.attachment"]
            .with_user(self.librarian)
            .create({"name": name, "raw": raw, "res_model": "mail.compose.message"})
        )


@tagged("post_install", "-at_install")
class TestInquiry(InquiryCommon):
    # -- asking and answering --------------------------------------------------------

    def test_ask_and_answer(self):
        response = self.send(self.own, "Where do I return them?\nAnd when?")
        self.assertEqual(response.status_code, 303)
        self.assertURLEqual(response.headers["Location"], f"/my/clearance/step/{self.own.id}#talk")
        inquiry = self.env["clearance.inquiry"].search([("status_id", "=", self.own.id)])
        self.assertRecordValues(
            inquiry, [{"form_id": self.form.id, "station_id": self.library.id, "waiting": True, "said_count": 1}]
        )
        self.assertEqual(inquiry.message_ids.author_id, self.graduate.partner_id)
        self.assertEqual(inquiry.last_words, "Where do I return them? And when?")
        self.answer(inquiry)
        self.assertFalse(inquiry.waiting)
        self.assertEqual(
            [(message["own"], message["who"]) for message in self.thread()["messages"]],
            [(True, "You"), (False, self.librarian.name)],
        )
        document = self.page(f"/my/clearance/step/{self.own.id}")
        (talk,) = document.xpath("//section[@id='talk']")
        self.assertEqual(
            [self.text(body) for body in self.find(talk, "o_clearance_message_body")],
            ["Where do I return them?And when?", "On the 2nd floor."],
        )
        self.assertIn("Library", self.text(self.find(talk, "o_clearance_message_head")[1]))

    def test_one_conversation_a_step(self):
        first = self.ask()
        self.assertEqual(self.ask("Still there?"), first)
        self.assertNotEqual(self.ask("And this?", step=self.fees), first)
        self.assertEqual(self.said(), ["Where do I return them?", "Still there?"])

    def test_waiting_follows_the_last_word(self):
        inquiry = self.ask()
        note = inquiry.with_user(self.librarian).message_post(body="Who knows?", **_NOTE)
        self.assertTrue(inquiry.waiting, "a note answers nobody")
        answer = self.answer(inquiry)
        self.assertFalse(inquiry.waiting)
        inquiry.with_user(self.librarian).sudo()._message_update_content(answer.sudo(), body="")
        self.assertTrue(inquiry.waiting, "the answer has been taken back")
        self.assertEqual(inquiry.said_count, 1)
        self.assertTrue(note.exists())
        inquiry.with_user(self.librarian).action_put_aside()
        self.assertFalse(inquiry.waiting)
        self.ask("One more thing")
        self.assertTrue(inquiry.waiting)

    def test_counts_for_desks(self):
        inquiry = self.ask()
        other = self.status(self.students[0], self.fees)
        Inquiry = self.env["clearance.inquiry"]
        self.assertEqual(
            Inquiry.with_user(self.librarian)._get_open_counts([self.own.id, other.id]),
            {self.own.id: (inquiry.id, True, 1)},
        )
        for user in (self.cashier, self.graduate, self.auditor):
            self.assertEqual(Inquiry.with_user(user)._get_open_counts([self.own.id]), {})

    def test_desks_hear_of_it(self):
        told = []
        Desk = self.registry["clearance.desk"]
        with patch.object(Desk, "_tell_after_commit", lambda desk, changed: told.append(changed)):
            self.ask()
        self.assertEqual(told, [{(self.library.id, self.clearance.id)}])

    # -- who may read ------------------------------------------------------------------

    def test_readers(self):
        books = self.ask()
        talk = self.ask("When do we talk?", step=self.talk)
        readers = {
            self.librarian: books,
            self.counsellor: talk,
            self.manager: books | talk,
        }
        for user in (
            self.librarian,
            self.counsellor,
            self.manager,
            self.cashier,
            self.supervisor,
            self.lead,
            self.deferral,
            self.auditor,
            self.stranger,
            self.graduate,
            self.other_graduate,
        ):
            allowed = readers.get(user, books.browse())
            for inquiry in books | talk:
                with self.subTest(user=user.login, inquiry=inquiry.step_id.name):
                    self.assertEqual(inquiry.with_user(user).has_access("read"), inquiry in allowed)
                    self.assertEqual(
                        self.env["mail.message"]
                        .with_user(user)
                        .search_count([("model", "=", "clearance.inquiry"), ("res_id", "=", inquiry.id)])
                        > 0,
                        # What one has written oneself one may read: these are the graduate's words.
                        inquiry in allowed or user == self.graduate,
                    )
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(inquiry.with_user(user).has_access(operation))

    def test_supervisor_of_the_graduate(self):
        step = self._create_step("Thesis", self.counselling, mode="supervisor")
        self.clearance._open()
        student = self.students[3]
        user = self._portal_user(student)
        inquiry = self.env["clearance.inquiry"].with_user(user)._ask(self.status(student, step, user), "Is it fine?")
        self.assertTrue(inquiry.with_user(self.supervisor).has_access("read"))
        self.assertFalse(inquiry.with_user(self.counsellor).has_access("read"))

    def _portal_user(self, student):
        return self.env["res.users"].create(
            {
                "login": student.student_number,
                "partner_id": student.partner_id.id,
                "company_id": self.campus.id,
                "company_ids": self.campus.ids,
                "group_ids": self.env.ref("base.group_portal").ids,
            }
        )

    def test_rpc(self):
        inquiry = self.ask()
        calls = [
            ("clearance.inquiry", "read", [inquiry.ids, ["waiting"]]),
            ("clearance.inquiry", "message_post", [inquiry.ids], {"body": "Hello"}),
            ("clearance.inquiry", "action_put_aside", [inquiry.ids]),
            ("clearance.inquiry", "export_data", [inquiry.ids, ["last_words"]]),
        ]
        for user in (self.graduate, self.other_graduate, self.cashier, self.auditor, self.lead, self.stranger):
            for model, method, args, *kwargs in calls:
                with self.subTest(user=user.login, method=method), self.assertRaises(UserError):
                    recordset = self.env[model].with_user(user)
                    if args and isinstance(args[0], list):
                        recordset, args = recordset.browse(args[0]), args[1:]
                    getattr(recordset, method)(*args, **(kwargs[0] if kwargs else {}))
        self.assertEqual(inquiry.said_count, 1)
        for method in ("_ask", "_get_said", "_get_or_create"):
            self.assertTrue(method.startswith("_"), "nothing of this can be called from outside")

    def test_chatter_routes(self):
        inquiry = self.ask()
        self.answer(inquiry)
        fetch = {"thread_model": "clearance.inquiry", "thread_id": inquiry.id}
        post = {**fetch, "post_data": {"body": "Hello", **_ANSWER}}
        for user in (self.graduate, self.other_graduate, self.cashier, self.auditor):
            self.login(user)
            # Odoo answers with what one may read anywhere: the graduate's own words, and the answer received.
            found = set(self._rpc("/mail/thread/messages", fetch)["result"]["messages"])
            self.assertEqual(bool(found & set(inquiry.message_ids.ids)), user == self.graduate)
            with mute_logger("odoo.http"):
                self.assertIn("error", self._rpc("/mail/message/post", post))
        self.login(self.librarian)
        self.assertEqual(len(self._rpc("/mail/thread/messages", fetch)["result"]["messages"]), 2)
        self.assertIn("result", self._rpc("/mail/message/post", post))
        self.assertEqual(self.said()[-1], "Hello")

    def _rpc(self, url, params):
        response = self.url_open(url, data=json.dumps({"params": params}), headers={"Content-Type": "application/json"})
        return response.json()

    def test_no_token_opens_it(self):
        inquiry = self.ask()
        self.assertNotIn("access_token", inquiry._fields)
        Thread = self.env["clearance.inquiry"].with_user(self.other_graduate)
        for params in ({"token": ""}, {"token": "x"}, {"hash": "x", "pid": self.graduate.partner_id.id}):
            self.assertFalse(Thread._get_thread_with_access(inquiry.id, **params))
        self.authenticate(None, None)
        for url in (f"/my/clearance/step/{self.own.id}?access_token=x", f"/my/clearance/step/{self.own.id}/ask"):
            response = self.url_open(url, allow_redirects=False)
            self.assertEqual(response.status_code, 303)
            self.assertIn("/web/login", response.headers["Location"])

    def test_messages_by_rpc(self):
        inquiry = self.ask()
        answer = self.answer(inquiry, partner_ids=self.graduate.partner_id.ids)
        inquiry._message_subscribe(partner_ids=(self.cashier | self.other_graduate).partner_id.ids)
        comment = self.env.ref("mail.mt_comment").id
        for user, author in (
            (self.graduate, self.graduate),
            (self.graduate, self.librarian),
            (self.other_graduate, self.other_graduate),
            (self.cashier, self.cashier),
            (self.librarian, self.graduate),
        ):
            values = {
                "model": "clearance.inquiry",
                "res_id": inquiry.id,
                "parent_id": answer.id,
                "body": "Slipped in",
                "message_type": "comment",
                "subtype_id": comment,
                "author_id": author.partner_id.id,
            }
            with self.subTest(user=user.login, author=author.login), self.assertRaises(AccessError):
                self.env["mail.message"].with_user(user).create(values)
        own = inquiry.message_ids.filtered(lambda message: message.author_id == self.graduate.partner_id)
        with self.assertRaises(AccessError):
            own.with_user(self.graduate).body = "I never said that"
        with self.assertRaises(AccessError):
            own.with_user(self.graduate).unlink()
        self.assertEqual(self.said(), ["Where do I return them?", "On the 2nd floor."])

    def test_other_graduate(self):
        response = self.send(self.own, "Hello", user=self.other_graduate)
        self.assertURLEqual(response.headers["Location"], "/my/clearance")
        self.assertFalse(self.env["clearance.inquiry"].search([("status_id", "=", self.own.id)]))
        for user in (self.other_graduate, self.librarian, self.manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.ask(user=user)

    def test_it_follows_the_graduate_to_another_desk(self):
        inquiry = self.ask("Is it signed?", step=self.degree)
        inquiry.with_user(self.mech_clerk).message_subscribe(self.mech_clerk.partner_id.ids)
        self.assertFalse(inquiry.with_user(self.arts_clerk).has_access("read"))
        self.students[0].class_id = self.class_a1
        self.env.invalidate_all()
        self.assertTrue(inquiry.with_user(self.arts_clerk).has_access("read"))
        self.assertFalse(inquiry.with_user(self.mech_clerk).has_access("read"))
        with self.assertRaises(AccessError):
            self.answer(inquiry, self.mech_clerk)
        answer = self.answer(inquiry, self.arts_clerk)
        self.assertEqual(answer.notified_partner_ids, self.graduate.partner_id, "the former desk hears nothing more")

    # -- what shows ------------------------------------------------------------------

    def test_notes_never_show(self):
        inquiry = self.ask()
        file = self.file("secret.txt")
        inquiry.with_user(self.librarian).message_post(body="A difficult one", attachment_ids=file.ids, **_NOTE)
        inquiry.message_post(body="Assigned", message_type="notification", subtype_xmlid="mail.mt_comment")
        self.answer(inquiry, is_internal=True, body="Among us")
        self.assertEqual(self.said(), ["Where do I return them?"])
        self.login(self.graduate)
        response = self.url_open(f"/my/clearance/step/{self.own.id}")
        for words in ("A difficult one", "Assigned", "Among us", "secret.txt"):
            self.assertNotIn(words, response.text)
        self.assertEqual(self.url_open(f"/my/clearance/step/{self.own.id}/talk/{file.id}").status_code, 404)

    def test_files_of_answers(self):
        inquiry = self.ask()
        file = self.file("plan.html", b"<script>alert(1)</script>")
        self.answer(inquiry, body="", attachment_ids=file.ids)
        (shown,) = self.thread()["messages"][-1]["files"]
        self.assertEqual(shown["name"], "plan.html")
        self.login(self.graduate)
        response = self.url_open(shown["url"])
        self.assertEqual((response.status_code, response.content), (200, b"<script>alert(1)</script>"))
        self.assertTrue(response.headers["Content-Disposition"].startswith("attachment"))
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        other = self.status(self.students[0], self.fees)
        self.assertEqual(self.url_open(f"/my/clearance/step/{other.id}/talk/{file.id}").status_code, 404)
        self.assertEqual(self.url_open(f"/web/content/{file.id}").status_code, 404)
        for user in (self.other_graduate, self.cashier, self.manager):
            self.login(user)
            self.assertEqual(self.url_open(shown["url"]).status_code, 404, user.login)
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open(shown["url"], allow_redirects=False).headers["Location"])

    def test_nothing_active_in_messages(self):
        inquiry = self.ask("<script>alert(1)</script> <b>bold</b>")
        self.answer(inquiry, body=Markup("<h1 class='x' style='color:red'>Hi</h1><script>x()</script>"))
        self.assertEqual(
            self.said()[0], "<script>alert(1)</script> <b>bold</b>", "escaped, so stripping tags leaves it"
        )
        self.assertEqual(self.thread()["messages"][1]["body"], "<p>Hi</p>")
        document = self.page(f"/my/clearance/step/{self.own.id}")
        (talk,) = document.xpath("//section[@id='talk']")
        self.assertFalse(talk.xpath(".//script|.//b|.//h1"))
        self.assertIn("<script>alert(1)</script> <b>bold</b>", self.text(talk))

    # -- what is refused ---------------------------------------------------------------

    def test_empty_and_too_long(self):
        for text in ("", "   \r\n ", "\x00", None):
            with self.subTest(text=text), self.assertRaisesRegex(UserError, "Write your message"):
                self.ask(text)
        self.ask("x\r\n" * (MAX_LENGTH // 2))  # two characters a line, as the browser counts
        long = "<b>" + "x" * MAX_LENGTH
        response = self.send(self.own, long)
        self.assertEqual(response.status_code, 422)
        document = html.fromstring(response.content)
        self.assertEqual(document.xpath("//textarea[@name='message']")[0].text_content(), long, "nothing typed is lost")
        (error,) = document.xpath("//*[@role='alert' and @id='clearance_talk_error']")
        self.assertIn(f"{len(long)} characters", self.text(error))
        (area,) = document.xpath("//textarea[@name='message']")
        self.assertEqual(area.get("aria-invalid"), "true")
        self.assertIn("clearance_talk_error", area.get("aria-describedby"))

    def test_rate(self):
        start = fields.Datetime.now()
        clock = [start]
        with patch.object(fields.Datetime, "now", lambda: clock[0]):
            for number in range(MAX_PER_HOUR):
                self.ask(f"Question {number}", step=(self.books, self.fees)[number % 2])
            with self.assertRaisesRegex(UserError, "within an hour"):
                self.ask("One too many", step=self.card)
            clock[0] = start + timedelta(minutes=61)
            self.ask("An hour later", step=self.card)

    def test_closed_session(self):
        inquiry = self.ask()
        self.answer(inquiry)
        self.clearance.action_close()
        self.assertEqual(len(self.said()), 2)
        self.assertFalse(self.thread(self.status(self.students[0], self.fees)), "nothing to read, nobody to ask")
        with self.assertRaisesRegex(UserError, "not open"):
            self.ask("Too late")
        self.send(self.own, "Too late")
        self.assertEqual(inquiry.said_count, 2)
        document = self.page(f"/my/clearance/step/{self.own.id}")
        self.assertFalse(document.xpath("//textarea[@name='message']"))
        self.assertIn("On the 2nd floor.", self.text(*document.xpath("//section[@id='talk']")))

    def test_taken_out_of_the_session(self):
        self.students[0].write({"graduation_state": "postponed"})
        with self.assertRaisesRegex(UserError, "taken out"):
            self.ask()

    # -- mails -------------------------------------------------------------------------

    def test_answers_are_mailed(self):
        inquiry = self.ask()
        self.assertFalse(inquiry.message_ids.notification_ids, "staff is not mailed for each question")
        answer = self.answer(inquiry)
        self.assertEqual(answer.notified_partner_ids, self.graduate.partner_id)
        mail = self.env["mail.mail"].sudo().search([("mail_message_id", "=", answer.id)])
        self.assertEqual(mail.subject, "Library: Return books")
        self.assertIn(f"/my/clearance/step/{self.own.id}#talk", mail.body_html)
        self.assertNotIn("access_token", mail.body_html)
        self.assertNotIn(self.librarian.partner_id, inquiry.message_partner_ids, "answering is not following")

    def test_answers_in_the_language_of_the_graduate(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.books.with_context(lang="zh_CN").name = "归还图书"
        self.library.with_context(lang="zh_CN").name = "图书馆"
        self.graduate.lang = "zh_CN"
        inquiry = self.ask()
        self.assertEqual(self.thread()["desk"], "Library")
        self.assertEqual(
            self.own.with_user(self.graduate).with_context(lang="zh_CN")._get_portal_thread()["desk"], "图书馆"
        )
        answer = self.answer(inquiry)
        mail = self.env["mail.mail"].sudo().search([("mail_message_id", "=", answer.id)])
        self.assertEqual(mail.subject, "图书馆: 归还图书")
        self.assertIn('lang="zh_CN"', mail.body_html)

    def test_opted_out(self):
        inquiry = self.ask()
        self.students[0]._set_mail_opt_out(True)
        answer = self.answer(inquiry)
        self.assertFalse(answer.notified_partner_ids)
        self.assertEqual(self.said()[-1], "On the 2nd floor.")

    def test_nobody_speaks_for_another(self):
        inquiry = self.ask()
        for values in (
            {"author_id": self.graduate.partner_id.id},
            {"email_from": self.graduate.email_formatted},
        ):
            message = self.answer(inquiry, **values)
            self.assertEqual(message.author_id, self.librarian.partner_id)

    def test_only_readers_are_addressed(self):
        inquiry = self.ask()
        for outsider in (self.cashier, self.other_graduate, self.auditor):
            with self.subTest(user=outsider.login), self.assertRaisesRegex(UserError, "may not read"):
                self.answer(inquiry, partner_ids=outsider.partner_id.ids)
        message = self.answer(inquiry, partner_ids=self.manager.partner_id.ids, outgoing_email_to="x@example.com")
        self.assertEqual(message.notified_partner_ids, (self.manager | self.graduate).partner_id)
        self.assertFalse(message.outgoing_email_to)
        # Followed by who may not read it, by whatever way that came about.
        inquiry._message_subscribe(partner_ids=(self.cashier | self.other_graduate).partner_id.ids)
        self.assertEqual(self.answer(inquiry).notified_partner_ids, self.graduate.partner_id)

    def test_mails_that_come_in(self):
        inquiry = self.ask()
        root = inquiry.with_user(self.env.ref("base.user_root"))
        stranger = self.env["res.partner"].create({"name": "Stranger", "email": "stranger@example.com"})
        mail = {"message_type": "email", "subtype_xmlid": "mail.mt_comment"}
        for partner in (stranger, self.cashier.partner_id, self.other_graduate.partner_id):
            message = root.message_post(body="Let me in", author_id=partner.id, **mail)
            self.assertTrue(message.is_internal)
            self.assertFalse(message.notified_partner_ids)
        self.assertEqual(self.said(), ["Where do I return them?"])
        root.message_post(body="By mail", author_id=self.librarian.partner_id.id, **mail)
        self.assertFalse(inquiry.waiting)
        root.message_post(body="Thank you", author_id=self.graduate.partner_id.id, **mail)
        self.assertTrue(inquiry.waiting)
        self.assertEqual(self.said(), ["Where do I return them?", "By mail", "Thank you"])
        self.clearance.action_close()
        self.assertTrue(root.message_post(body="Late", author_id=self.graduate.partner_id.id, **mail).is_internal)

    # -- what it costs ---------------------------------------------------------------

    def test_queries_do_not_grow(self):
        inquiry = self.ask()
        self.answer(inquiry)

        def count():
            self.env.invalidate_all()
            self.thread()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.thread()
            return self.env.cr.sql_log_count - before

        few = count()
        for number in range(8):
            self.answer(inquiry, body=f"More {number}", attachment_ids=self.file().ids)
        self.assertEqual(count(), few)
        self.assertLessEqual(few, 14)

    def test_counts_for_desks_in_one_go(self):
        self.ask()
        self.ask("Fees?", step=self.fees)
        statuses = self.env["clearance.status"].search([("form_id", "=", self.form.id)])
        Inquiry = self.env["clearance.inquiry"].with_user(self.manager)

        def count(ids):
            Inquiry._get_open_counts(ids)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            Inquiry._get_open_counts(ids)
            return self.env.cr.sql_log_count - before

        self.assertEqual(count(self.own.ids), count(statuses.ids))

    # -- the backend --------------------------------------------------------------------

    def test_filters(self):
        books = self.ask()
        fees = self.ask("How much?", step=self.fees)
        self.answer(fees, self.cashier)
        Inquiry = self.env["clearance.inquiry"].with_user(self.manager)
        found = Inquiry.search([("form_id.session_id", "=", self.clearance.id), ("waiting", "=", True)])
        self.assertEqual(found, books)
        mine = self.env["clearance.inquiry"].with_user(self.cashier).search([("status_id.is_mine", "=", True)])
        self.assertEqual(mine, fees)
        groups = Inquiry.formatted_read_group(
            [("session_id", "=", self.clearance.id)], ["station_id"], ["__count"], order="station_id"
        )
        self.assertEqual({group["station_id"][0] for group in groups}, {self.library.id, self.finance.id})
