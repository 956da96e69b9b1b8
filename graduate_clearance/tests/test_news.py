"""What graduates are told: the news on their page, the daily mail, and how to end it."""

import re
from ast import literal_eval
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import SQL

from ..models import clearance_form_news
from .test_inquiry import InquiryCommon


class NewsCommon(InquiryCommon):
    def news(self, form=None, user=None, lang="en_US", **kwargs):
        form = (form or self.form).with_user(user or self.graduate).with_context(lang=lang)
        return form._get_portal_news(**kwargs)

    def words(self, document_or_news, name=None):
        if name:
            return super().words(document_or_news, name)
        return [change["text"] for change in document_or_news]

    def decide_one(self, step, decision, reason=None, user=None, student=None):
        """Decide on a step of the first graduate, as the manager."""
        status = self.status(student or self.students[0], step, user or self.manager)
        reason = reason or ("Seen on paper" if step.mode == "feed" else None)
        self.assertEqual(self.decide(status, decision, reason), ["done"])

    @contextmanager
    def committed(self, results=None):
        """Keep the scheduled action from committing; ``results``: time left after each batch."""
        calls = []
        results = iter(results or [])

        def commit(cron, processed=0, *, remaining=None, deactivate=False):
            calls.append((processed, remaining))
            return next(results, 60.0)

        with patch.object(self.registry["ir.cron"], "_commit_progress", commit):
            yield calls

    def digest(self):
        """Run the daily mail; the mails made."""
        before = self.mails()
        with self.committed():
            self.env["clearance.form"]._cron_digest()
        return self.mails() - before

    def mails(self):
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "clearance.form"), ("res_id", "in", self.forms.ids)], order="id")
        )

    def next_day(self):
        """As if all mails had been sent yesterday."""
        told = self.env["clearance.form"].search([("told_at", "!=", False)])
        for form in told:
            form.told_at -= timedelta(days=1)
        self.env.flush_all()

    def text_of(self, mail):
        return " ".join(re.sub(r"<[^>]+>", " ", mail.body_html).split())

    def old_line(self, form, step, days):
        """A line of the log as it was written some days ago."""
        status = form.status_ids.filtered(lambda status: status.step_id == step)
        self.env.cr.execute(
            SQL(
                """INSERT INTO clearance_log
                          (date, user_id, action, from_state, to_state,
                           form_id, status_id, step_id, station_id, company_id)
                   VALUES (%s, %s, 'approve', 'pending', 'approved', %s, %s, %s, %s, %s)""",
                fields.Datetime.now() - timedelta(days=days),
                self.manager.id,
                form.id,
                status.id,
                step.id,
                status.station_id.id,
                self.campus.id,
            )
        )


@tagged("post_install", "-at_install")
class TestNews(NewsCommon):
    def test_words(self):
        self.decide_one(self.card, "approve")
        self.decide_one(self.fees, "reject", "12.50 is missing")
        self.decide_one(self.card, "reopen", "Wrong card")
        inquiry = self.ask()
        self.answer(inquiry)
        news = self.news()
        self.assertEqual(
            self.words(news),
            [
                "Library: Return books — the desk has answered you",
                "Student Affairs: Return student card — open again",
                "Finance: Pay arrears — not approved",
                "Student Affairs: Return student card — approved",
            ],
        )
        self.assertEqual([change["reason"] for change in news], ["", "", "12.50 is missing", ""])
        self.assertEqual(
            [change["url"] for change in news[:2]],
            [
                f"/my/clearance/step/{self.own.id}#talk",
                f"/my/clearance/step/{self.status(self.students[0], self.card).id}",
            ],
        )
        self.assertEqual(news[0]["at"].keys(), {"iso", "text"})

    def test_every_action_has_words(self):
        actions = dict(self.env["clearance.log"]._fields["action"].selection)
        row = {"station": "Library", "step": "Books", "to_state": "pending"}
        for action in actions:
            text = self.form._describe_change({**row, "kind": action})
            self.assertNotIn(text, ("", "Library: Books"), action)
        self.assertEqual(self.form._describe_change({**row, "kind": "undo"}), "Library: Books — corrected: Not done")

    def test_taken_out(self):
        self.students[0].write({"graduation_state": "postponed", "graduation_note": "Thesis"})
        self.assertEqual(self.words(self.news())[0], "You have been taken out of this session")
        self.assertEqual(self.news()[0]["url"], self.form.access_url)

    def test_only_the_latest_and_only_the_own(self):
        for step in (self.books, self.fees, self.card, self.loan):
            self.decide_one(step, "approve")
        self.decide_one(self.card, "approve", student=self.students[1])
        self.assertEqual(
            self.words(self.news(limit=2)),
            ["Student Affairs: Confirm loan — approved", "Student Affairs: Return student card — approved"],
        )
        self.assertEqual(len(self.news(self.other_form, self.other_graduate)), 1)

    def test_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.card.with_context(lang="zh_CN").name = "归还校园卡"
        self.affairs_office.with_context(lang="zh_CN").name = "学生处"
        self.decide_one(self.card, "approve")
        self.assertIn("学生处: 归还校园卡", self.news(lang="zh_CN")[0]["text"])

    def test_queries_do_not_grow(self):
        def count():
            self.news(limit=20)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.news(limit=20)
            return self.env.cr.sql_log_count - before

        self.decide_one(self.card, "approve")
        few = count()
        for step in (self.books, self.fees, self.loan):
            self.decide_one(step, "approve")
        self.answer(self.ask())
        self.assertEqual(count(), few)
        self.assertLessEqual(few, 8)

    # -- the wish ------------------------------------------------------------------

    def post(self, url, user=None, **data):
        self.login(user or self.graduate)
        return self.url_open(url, data={"csrf_token": Request.csrf_token(self), **data}, allow_redirects=False)

    def test_opt_out_on_the_page(self):
        setting = self.form.with_user(self.graduate)._get_portal_mail_setting()
        self.assertEqual(
            setting,
            {
                "digest": True,
                "on": True,
                "email": self.students[0].email,
                "url": f"/my/clearance/{self.form.id}/mails",
            },
        )
        response = self.post(setting["url"], wanted="0")
        self.assertEqual(response.status_code, 303)
        self.assertTrue(self.students[0].mail_opt_out)
        self.assertFalse(self.form.with_user(self.graduate)._get_portal_mail_setting()["on"])
        self.post(setting["url"], wanted="1")
        self.assertFalse(self.students[0].mail_opt_out)

    def test_one_wish_for_all_records_of_a_person(self):
        second = self.students[0].copy({"student_number": "X2", "partner_id": self.students[0].partner_id.id})
        self.students[0]._set_mail_opt_out(True)
        self.assertTrue(second.mail_opt_out)

    def test_nobody_chooses_for_another(self):
        for user in (self.other_graduate, self.manager, self.librarian):
            response = self.post(f"/my/clearance/{self.form.id}/mails", user, wanted="0")
            self.assertURLEqual(response.headers["Location"], "/my/clearance")
        self.assertFalse(self.students[0].mail_opt_out)
        self.login(self.graduate)
        response = self.url_open(f"/my/clearance/{self.form.id}/mails", data={"wanted": "0"})
        self.assertEqual(response.status_code, 400, "no token of the session")
        self.url_open(f"/my/clearance/{self.form.id}/mails?wanted=0")
        self.assertFalse(self.students[0].mail_opt_out, "looking changes nothing")
        with self.assertRaises(AccessError):
            self.students[0].with_user(self.graduate).mail_opt_out = True

    def test_opt_out_by_the_link_in_a_mail(self):
        path = self.students[0]._get_opt_out_path()
        self.authenticate(None, None)
        response = self.url_open(path)
        self.assertEqual(response.status_code, 200)
        self.assertNotIn(self.students[0].name, response.text, "the page names nobody")
        self.assertNotIn(self.students[0].student_number, response.text)
        self.assertFalse(self.students[0].mail_opt_out, "looking changes nothing")
        other = self.students[1]
        for wrong in (
            f"/clearance/mails/{other.id}/{self.students[0]._get_opt_out_token()}",
            f"/clearance/mails/{self.students[0].id}/x",
            f"/clearance/mails/999999999/{self.students[0]._get_opt_out_token()}",
        ):
            self.assertEqual(self.url_open(wrong, data={"List-Unsubscribe": "One-Click"}).status_code, 404)
        self.assertFalse(other.mail_opt_out)
        self.assertEqual(self.url_open(path, data={"List-Unsubscribe": "One-Click"}).status_code, 200)
        self.assertTrue(self.students[0].mail_opt_out)
        self.url_open(path, data={"wanted": "1"})
        self.assertTrue(self.students[0].mail_opt_out, "the link can only end the mails")


@tagged("post_install", "-at_install")
class TestDigest(NewsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Nobody else's changes: the demo's sessions, or a session of another test.
        cls.env["clearance.session"].search([("id", "!=", cls.clearance.id)]).write({"digest": False})
        # At whatever hour the tests are run.
        cls.env["clearance.settings"]._get(cls.campus).digest_hour = 0

    def test_one_mail_with_all_changes(self):
        self.decide_one(self.card, "approve")
        self.decide_one(self.fees, "reject", "12.50 is missing")
        (mail,) = self.digest()
        self.assertEqual(mail.subject, "Clearance: 6 of 7 left")
        self.assertEqual(mail.recipient_ids, self.graduate.partner_id)
        self.assertEqual(mail.state, "outgoing")
        text = self.text_of(mail)
        self.assertIn("Student Affairs: Return student card — approved", text)
        self.assertIn("Finance: Pay arrears — not approved Reason: 12.50 is missing", text)
        self.assertIn("6 of 7 left. Next: Library, Return books, 2nd floor, until", text)
        base = self.form.get_base_url()
        self.assertIn(f'href="{base}/my/clearance/{self.form.id}"', mail.body_html)
        path = f"{base}{self.students[0]._get_opt_out_path()}"
        self.assertIn(path, mail.body_html)
        headers = literal_eval(mail.headers)
        self.assertEqual(headers["List-Unsubscribe"], f"<{path}>")
        self.assertEqual(headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        self.assertNotIn("access_token", mail.body_html)

    def test_not_twice_and_once_a_day(self):
        self.decide_one(self.card, "approve")
        self.assertEqual(len(self.digest()), 1)
        self.assertFalse(self.digest())
        self.decide_one(self.fees, "approve")
        self.assertFalse(self.digest(), "at most one mail a day")
        self.next_day()
        (mail,) = self.digest()
        self.assertIn("Pay arrears", self.text_of(mail))
        self.assertNotIn("student card — approved", self.text_of(mail))
        self.next_day()
        self.assertFalse(self.digest(), "nothing has changed")

    def test_nothing_of_what_graduates_do_themselves(self):
        consent = self._create_step("Read the notice", self.affairs_office, mode="graduate")
        self.clearance._open()
        self.decide_one(consent, "approve", user=self.graduate)
        self.assertFalse(self.digest())

    def test_only_where_a_step_stands_now(self):
        self.decide_one(self.card, "reject", "No photo")
        self.decide_one(self.card, "approve")
        (mail,) = self.digest()
        self.assertNotIn("not approved", self.text_of(mail))
        self.assertIn("student card — approved", self.text_of(mail))

    def test_nothing_of_what_was_taken_back(self):
        status = self.status(self.students[0], self.card, self.manager)
        (outcome,) = status._decide("approve", "desk")
        status._undo([outcome.line], "desk")
        self.assertFalse(self.digest())

    def test_answers_come_at_once_and_not_again(self):
        self.answer(self.ask())
        self.assertFalse(self.digest())

    def test_no_history(self):
        self.old_line(self.form, self.card, days=3)
        self.assertFalse(self.digest(), "who was never told hears of the last day only")
        self.decide_one(self.fees, "approve")
        (mail,) = self.digest()
        self.assertNotIn("student card — approved", self.text_of(mail))
        self.next_day()
        self.old_line(self.form, self.loan, days=9)
        self.assertFalse(self.digest(), "nobody hears of what is older than a week")
        self.old_line(self.form, self.loan, days=3)
        self.assertEqual(len(self.digest()), 1)

    def test_who_is_passed_over(self):
        students = self.students
        for student in students:
            self.decide_one(self.card, "approve", student=student)
        students[0]._set_mail_opt_out(True)
        students[1].partner_id.email = False
        students[2].partner_id.email = "nonsense"
        self.env["mail.blacklist"].create({"email": students[3].email})
        students[4].partner_id.active = False
        self.env.flush_all()
        self.assertEqual(self.digest().recipient_ids, students[5].partner_id)

    def test_no_mail_of_other_sessions(self):
        self.decide_one(self.card, "approve")
        self.clearance.digest = False
        self.assertFalse(self.digest())
        self.clearance.digest = True
        self.clearance.action_close()
        self.assertFalse(self.digest())

    def test_who_wants_mails_again(self):
        self.students[0]._set_mail_opt_out(True)
        self.decide_one(self.card, "approve")
        self.students[0]._set_mail_opt_out(False)
        self.assertFalse(self.digest(), "told of what happens from now on")
        self.decide_one(self.fees, "approve")
        self.assertEqual(len(self.digest()), 1)

    def test_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.card.with_context(lang="zh_CN").name = "归还校园卡"
        self.affairs_office.with_context(lang="zh_CN").name = "学生处"
        self.graduate.lang = "zh_CN"
        for student in self.students[:2]:
            self.decide_one(self.card, "approve", student=student)
        chinese, english = self.digest()
        self.assertEqual(chinese.recipient_ids, self.graduate.partner_id)
        self.assertIn("学生处: 归还校园卡", self.text_of(chinese))
        self.assertIn("Student Affairs: Return student card", self.text_of(english))

    def test_two_sessions_one_mail(self):
        second = self.clearance.copy({"name": "Second degree"})
        second._open()
        form = self.env["clearance.form"].search(
            [("session_id", "=", second.id), ("student_id", "=", self.students[0].id)]
        )
        self.forms |= form
        self.decide_one(self.card, "approve")
        status = form.status_ids.filtered(lambda status: status.step_id.name == "Pay arrears")
        self.decide(status, "approve", door="feed")
        (mail,) = self.digest()
        text = self.text_of(mail)
        for words in (self.clearance.name, "Second degree", "student card — approved", "Pay arrears — approved"):
            self.assertIn(words, text)
        self.next_day()
        self.assertFalse(self.digest())

    def test_taken_out(self):
        self.decide_one(self.card, "approve")
        self.students[0].write({"graduation_state": "postponed"})
        (mail,) = self.digest()
        self.assertEqual(mail.subject, "Clearance: you have been taken out of the session")
        self.assertIn("You have been taken out of this session", self.text_of(mail))
        self.assertNotIn("student card", self.text_of(mail))

    def test_names_are_escaped(self):
        self.affairs_office.name = "<b>Affairs</b>"
        self.decide_one(self.card, "approve")
        (mail,) = self.digest()
        self.assertIn("&lt;b&gt;Affairs&lt;/b&gt;", mail.body_html)

    def test_a_failure_stops_no_other(self):
        for student in self.students[:3]:
            self.decide_one(self.card, "approve", student=student)
        broken = self.forms[1]
        real = self.registry["clearance.form"]._prepare_digest_form

        def fail(form, *args):
            if form == broken:
                raise ValueError("broken")
            return real(form, *args)

        with (
            patch.object(self.registry["clearance.form"], "_prepare_digest_form", fail),
            self.assertLogs(clearance_form_news.__name__, "WARNING") as logged,
        ):
            mails = self.digest()
        self.assertEqual(mails.recipient_ids, (self.students[0] | self.students[2]).partner_id)
        self.assertEqual(len(logged.output), 1)
        self.assertFalse(self.digest(), "not on the same day")
        self.next_day()
        self.assertEqual(self.digest().recipient_ids, self.students[1].partner_id)

    def test_batches(self):
        for student in self.students[:3]:
            self.decide_one(self.card, "approve", student=student)
        with patch.object(clearance_form_news, "_DIGEST_BATCH", 2), self.committed([60.0, 60.0]) as calls:
            self.env["clearance.form"]._cron_digest()
        self.assertEqual(calls, [(2, 1), (1, 0)])

    def test_time_is_over(self):
        for student in self.students[:3]:
            self.decide_one(self.card, "approve", student=student)
        with patch.object(clearance_form_news, "_DIGEST_BATCH", 1), self.committed([0]) as calls:
            self.env["clearance.form"]._cron_digest()
        self.assertEqual(calls, [(1, 2)])
        self.assertEqual(len(self.digest()), 2, "the next run goes on where this one has stopped")

    def test_selecting_costs_the_same(self):
        Form = self.env["clearance.form"]

        def count():
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            groups = Form._get_digest_groups()
            Form.browse(form_id for group in groups for form_id in group)._get_digest_rows()
            return len(groups), self.env.cr.sql_log_count - before

        self.decide_one(self.card, "approve")
        self.assertEqual(count(), (1, 2))
        for student in self.students[1:]:
            self.decide_one(self.card, "approve", student=student)
        self.assertEqual(count(), (6, 2))

    def test_automatic_messages_respect_the_wish(self):
        values = {"body": "The deferral ends", "subtype_xmlid": "mail.mt_comment"}
        values["partner_ids"] = self.graduate.partner_id.ids
        self.assertEqual(self.form.message_post(**values).notified_partner_ids, self.graduate.partner_id)
        self.students[0]._set_mail_opt_out(True)
        self.assertFalse(self.form.message_post(**values).notified_partner_ids)
        written = self.form.message_post(message_type="comment", **values)
        self.assertEqual(written.notified_partner_ids, self.graduate.partner_id, "a person writes to them")
