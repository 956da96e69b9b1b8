"""Personal data of closed sessions: what goes, what stays, and who decides."""

import base64
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import clearance_session_purge
from .test_portal import PortalCommon
from .test_security import SecurityCase

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
KEPT_MONTHS = 6


class PurgeMixin:
    """A session with everything in it that goes: a sending, a draft, a question, a deferral, a paper."""

    @classmethod
    def fill(cls):
        cls.settings = cls.env["clearance.settings"]._get(cls.campus)
        cls.settings.retention_months = KEPT_MONTHS
        cls.account, cls.proof = cls.env["clearance.requirement"].create(
            [
                {"step_id": cls.card.id, "name": "Account", "kind": "char"},
                {"step_id": cls.card.id, "name": "Proof", "kind": "file"},
            ]
        )
        cls.file_ids = []
        for number, student in enumerate(cls.students[:2]):
            cls._fill_one(student, number)

    @classmethod
    def _fill_one(cls, student, number):
        """Everything for one graduate: five files."""
        user = cls.graduate if number == 0 else cls.other_graduate
        find = cls.env["clearance.status"].search
        status = find([("form_id.student_id", "=", student.id), ("step_id", "=", cls.card.id)])
        own = status.with_user(user)
        Submission = cls.env["clearance.submission"].with_user(user)
        files = {cls.proof.id: [(f"proof{number}.pdf", PDF)]}
        Submission._submit(own, {cls.account.id: f"6222 {number}"}, files)
        Submission._submit(own, {cls.account.id: f"6333 {number}"}, {})
        Submission._keep(own, {cls.account.id: f"6444 {number}"}, {})
        books = find([("form_id.student_id", "=", student.id), ("step_id", "=", cls.books.id)])
        inquiry = cls.env["clearance.inquiry"].with_user(user)._ask(books.with_user(user), "See my receipt")
        cls.env["clearance.override"].create({"status_id": books.id, "reason": "Proof shown"})
        deferral = cls.env["clearance.override"].search([("status_id", "=", books.id)])
        cls.env["ir.attachment"].create(
            [
                {"name": "receipt.pdf", "raw": PDF, "res_model": "clearance.inquiry", "res_id": inquiry.id},
                {"name": "evidence.pdf", "raw": PDF, "res_model": "clearance.override", "res_id": deferral.id},
                {"name": "paper.pdf", "raw": PDF, "res_model": "clearance.status", "res_id": status.id},
            ]
        )

    @classmethod
    def files(cls):
        """All files of the session."""
        forms = cls.env["clearance.form"].search([("session_id", "=", cls.clearance.id)])
        found = cls.env["ir.attachment"]
        for model, records in (
            ("clearance.submission", cls.env["clearance.submission"].search([("form_id", "in", forms.ids)])),
            ("clearance.inquiry", cls.env["clearance.inquiry"].search([("form_id", "in", forms.ids)])),
            ("clearance.override", cls.env["clearance.override"].search([("form_id", "in", forms.ids)])),
            ("clearance.status", forms.status_ids),
        ):
            found |= found.search([("res_model", "=", model), ("res_id", "in", records.ids)])
        return found

    def close(self, months=KEPT_MONTHS, session=None):
        """Close the session, so long ago."""
        session = session or self.clearance
        session.action_close()
        session._set_state("closed", closed_at=fields.Datetime.now() - relativedelta(months=months, hours=1))
        self.env.flush_all()

    @contextmanager
    def committed(self, results=None):
        """Keep the scheduled action from committing; ``results``: time left after each part."""
        calls = []
        results = iter(results or [])

        def commit(cron, processed=0, *, remaining=None, deactivate=False):
            calls.append((processed, remaining))
            return next(results, 60.0)

        with patch.object(self.registry["ir.cron"], "_commit_progress", commit):
            yield calls

    def run_cron(self, **kwargs):
        with self.committed(**kwargs) as calls:
            self.env["clearance.session"]._cron_purge()
        self.env.invalidate_all()
        return calls

    def purges(self, *domain):
        return self.env["clearance.purge"].search([("session_id", "=", self.clearance.id), *domain], order="id")


@tagged("post_install", "-at_install")
class TestPurge(PurgeMixin, PortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fill()

    def snapshot(self):
        """What must stay: statuses and the log."""
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM clearance_log WHERE session_id = %s ORDER BY id", [self.clearance.id])
        log = self.env.cr.fetchall()
        self.env.cr.execute("SELECT * FROM clearance_status WHERE session_id = %s ORDER BY id", [self.clearance.id])
        return log, self.env.cr.fetchall()

    def test_what_goes_and_what_stays(self):
        self.assertEqual(len(self.files()), 12, "three sendings and drafts with a file each, and three papers; twice")
        self.settle_steps(*self.clearance.step_ids - self.deposit, students=self.students[1])
        self.assertTrue(self.other_form.with_user(self.manager)._get_sheets()[0]["certificate"])
        certificate = self.env["clearance.certificate"].search([("form_id", "=", self.other_form.id)])
        files = self.files()
        stored = files.mapped("store_fname")
        self.close()
        before = self.snapshot()
        self.run_cron()
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(certificate.exists().state, "cleared")
        self.assertFalse(files.exists())
        self.env.cr.execute("SELECT count(*) FROM ir_attachment WHERE id = ANY(%s)", [files.ids])
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertTrue(all(stored))
        self.assertFalse(
            self.env["clearance.submission.file"].search([("submission_id.form_id", "in", self.forms.ids)])
        )
        sendings = self.env["clearance.submission"].search([("form_id", "in", self.forms.ids)])
        self.assertEqual(len(sendings), 4, "that something was sent, and when, stays; drafts go")
        self.assertTrue(all(sendings.mapped("sent_at")))
        self.env.cr.execute("SELECT count(*) FROM clearance_submission WHERE answers::text LIKE '%6%33%'")
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertFalse(any(self.students.mapped("id_number")))
        inquiry = self.env["clearance.inquiry"].search([("form_id", "=", self.form.id)])
        self.assertIn("See my receipt", inquiry.message_ids[0].body)
        (purge,) = self.purges()
        self.assertEqual(
            (purge.state, purge.is_trial, purge.number_count, purge.answer_count, purge.file_count),
            ("done", False, 6, 6, 12),
        )
        self.assertEqual(purge.byte_count, 12 * len(PDF))
        self.assertEqual(purge.retention_months, KEPT_MONTHS)
        self.assertTrue(self.clearance.purged_at)
        self.assertIn("6 ID-card numbers, 6 sendings, 12 files", self.clearance.message_ids[0].body)
        self.run_cron()
        self.assertEqual(self.purges(), purge, "nothing is left to delete or to record")

    def test_uploaded_lists(self):
        """Lists that offices have uploaded name people and what they owed."""
        batch = self.env["clearance.batch"].create(
            {
                "kind": "debts",
                "session_id": self.clearance.id,
                "step_id": self.card.id,
                "numbers_filename": "owed.csv",
                "numbers_file": base64.b64encode(b"Student number,Item\nT26001,Lab coat\n"),
            }
        )
        batch.action_preview()
        batch.run()
        self.close()
        self.run_cron()
        self.assertFalse(batch.numbers_file)
        self.assertEqual((batch.numbers_filename, batch.state), ("owed.csv", "done"), "that there was one stays")
        self.assertEqual(self.purges().file_count, 13)

    def test_too_early(self):
        self.close(months=KEPT_MONTHS - 1)
        self.assertFalse(self.clearance.is_purge_due)
        self.run_cron()
        self.assertEqual(len(self.files()), 12)
        self.assertTrue(all(self.students.mapped("id_number")))
        self.assertFalse(self.purges())
        with self.assertRaisesRegex(UserError, "is kept until"):
            self.clearance.with_user(self.manager).action_purge()

    def test_never(self):
        self.settings.retention_months = 0
        self.close(months=100)
        self.assertFalse(self.clearance.purge_at)
        self.run_cron()
        self.assertEqual(len(self.files()), 12)
        with self.assertRaisesRegex(UserError, "is kept for ever"):
            self.clearance.with_user(self.manager).action_purge()

    def test_open_session(self):
        self.clearance._set_state("open", closed_at=fields.Datetime.now() - timedelta(days=999))
        self.run_cron()
        self.assertEqual(len(self.files()), 12)
        for method in ("action_purge", "action_try_purge"):
            with self.assertRaisesRegex(UserError, "is not closed"):
                getattr(self.clearance.with_user(self.manager), method)()

    def other_session(self, state, months=0):
        """Another session for the first graduate."""
        session = self.env["clearance.session"].create(
            {
                "name": "Second",
                "open_from": self.clearance.open_from,
                "open_until": self.clearance.open_until,
                "student_domain": "[('student_number', '=', 'T26000')]",
                "step_ids": [Command.create({"name": "Any", "station_id": self.affairs_office.id})],
            }
        )
        if state != "draft":
            session._open()
        if state == "closed":
            self.close(months, session)
        return session

    def assert_number_kept(self, other):
        self.close()
        self.run_cron()
        self.assertTrue(self.students[0].id_number)
        self.assertFalse(any(self.students[1:].mapped("id_number")))
        self.assertEqual(self.purges().number_count, 5)
        # Once the other session needs it no longer, it goes: with this session's next turn, or the other's.
        if other.state == "draft":
            other.unlink()
        else:
            if other.state == "open":
                other.action_close()
            other._set_state("closed", closed_at=fields.Datetime.now() - relativedelta(months=KEPT_MONTHS, hours=2))
        self.run_cron()
        self.assertFalse(self.students[0].id_number)

    def test_number_that_an_open_session_needs(self):
        self.assert_number_kept(self.other_session("open"))

    def test_number_that_a_session_being_prepared_needs(self):
        self.assert_number_kept(self.other_session("draft"))

    def test_number_that_a_session_closed_later_needs(self):
        self.assert_number_kept(self.other_session("closed", KEPT_MONTHS - 2))

    def test_in_parts(self):
        self.patch(clearance_session_purge, "_STEP", 5)
        self.patch(type(self.clearance)._purge_step, "__defaults__", (5,))
        self.close()
        calls = self.run_cron(results=[60.0, 60.0, 0.0])
        self.assertEqual(calls, [(0, 24), (5, None), (5, None)])
        (purge,) = self.purges()
        self.assertEqual((purge.state, purge.file_count), ("running", 10))
        self.assertEqual(len(self.files()), 2)
        self.assertFalse(self.clearance.purged_at)
        self.run_cron()
        self.assertEqual(self.purges(), purge, "the same record goes on")
        self.assertEqual((purge.state, purge.number_count, purge.answer_count, purge.file_count), ("done", 6, 6, 12))

    def test_reopened_meanwhile(self):
        self.patch(type(self.clearance)._purge_step, "__defaults__", (5,))
        self.close()
        self.run_cron(results=[60.0, 0.0])
        self.clearance.action_reopen()
        self.run_cron()
        self.assertEqual(len(self.files()), 7)

    def test_by_hand_in_the_background(self):
        self.patch(type(self.clearance)._purge_step, "__defaults__", (5,))
        self.close()
        cron = self.env.ref("graduate_clearance.ir_cron_purge")
        Trigger = self.env["ir.cron.trigger"]
        before = Trigger.search_count([("cron_id", "=", cron.id)])
        action = self.clearance.with_user(self.manager).action_purge()
        self.assertEqual(Trigger.search_count([("cron_id", "=", cron.id)]), before + 1)
        purge = self.env["clearance.purge"].browse(action["res_id"])
        self.assertEqual((purge.state, purge.user_id), ("running", self.manager))
        self.run_cron()
        self.assertEqual((purge.state, purge.file_count, purge.user_id), ("done", 12, self.manager))

    def test_dry_run(self):
        self.close(months=1)
        session = self.clearance.with_user(self.manager)
        self.assertEqual((session.purge_number_count, session.purge_answer_count, session.purge_file_count), (6, 6, 12))
        action = session.action_try_purge()
        purge = self.env["clearance.purge"].browse(action["res_id"])
        self.assertEqual(
            (purge.is_trial, purge.state, purge.number_count, purge.answer_count, purge.file_count),
            (True, "done", 6, 6, 12),
        )
        self.assertEqual(purge.user_id, self.manager)
        self.assertEqual(len(self.files()), 12)
        self.assertTrue(all(self.students.mapped("id_number")))
        self.assertFalse(self.clearance.purged_at)

    def test_works_again(self):
        """Reopened, a purged session goes on: pages, desk, sending, closing, purging."""
        self.close()
        self.clearance.with_user(self.manager).action_purge()
        self.assertIn("was deleted on", self.words(self.page(f"/my/clearance/{self.form.id}"), "o_clearance_privacy"))
        self.clearance.with_user(self.manager).action_reopen()
        self.assertFalse(self.clearance.is_purge_due)
        card = self.status(self.students[0], self.card)
        self.assertEqual(card.state, "submitted")
        self.page(f"/my/clearance/step/{card.id}")
        shown = self.env["clearance.desk"].with_user(self.affairs).get_graduate(self.form.id, self.affairs_office.id)
        (sent,) = [step["sent"] for step in shown["steps"] if step["id"] == card.id]
        self.assertTrue(sent)
        self.assertNotIn("6333", str(sent))
        self.assertNotIn("proof0", str(sent))
        Submission = self.env["clearance.submission"].with_user(self.graduate)
        Submission._submit(card.with_user(self.graduate), {self.account.id: "6555"}, {self.proof.id: [("a.pdf", PDF)]})
        self.assertEqual(self.decide(card.with_user(self.affairs), "approve"), ["done"])
        self.close()
        self.run_cron()
        self.assertEqual(self.purges().mapped("file_count"), [12, 1])
        self.assertFalse(self.files())

    def test_queries(self):
        """As many for one graduate's papers as for two."""
        self.close()
        counts = {}
        for size, keep in ((1, self.students[1]), (2, None)):
            with self.env.cr.savepoint() as savepoint:
                if keep:
                    form = self.forms.filtered(lambda form, keep=keep: form.student_id == keep)
                    self.files().filtered(
                        lambda file, form=form: self.env[file.res_model].browse(file.res_id).form_id == form
                    ).unlink()
                with self.env.cr.savepoint() as warming:
                    self.run_cron()
                    warming.rollback()
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.run_cron()
                counts[size] = self.env.cr.sql_log_count - before
                self.assertEqual(self.purges().file_count, 6 * size)
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertEqual(counts[1], counts[2])


@tagged("post_install", "-at_install")
class TestPurgeAccess(PurgeMixin, SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fill()

    def setUp(self):
        super().setUp()
        self.close()

    def test_who_may(self):
        own = self.clearance.ids
        others = (
            self.librarian,
            self.counsellor,
            self.lead,
            self.deferral,
            self.auditor,
            self.stranger,
            self.graduate,
            self.manager_b,
        )
        for method in ("action_purge", "action_try_purge"):
            for user in others:
                self.assert_denied(user, "clearance.session", method, own)
        self.assertEqual(len(self.files()), 12)
        for method in ("_purge_step", "_cron_purge", "_make_purge", "_purge_numbers", "_set_state"):
            self.assert_denied(self.manager, "clearance.session", method, own)
        self.rpc(self.manager, "clearance.session", "action_try_purge", own)
        self.rpc(self.manager, "clearance.session", "action_purge", own)
        self.assertFalse(self.files())

    def test_what_is_shown(self):
        (row,) = self.rpc(self.auditor, "clearance.session", "read", self.clearance.ids, ["purge_file_count"])
        self.assertEqual(row["purge_file_count"], 12)
        for user in (self.librarian, self.graduate):
            self.assert_denied(user, "clearance.session", "read", self.clearance.ids, ["purge_file_count"])
        for user in (self.librarian, self.lead, self.graduate, self.stranger):
            self.assert_denied(user, "clearance.session", "action_open_purge")
        for user in (self.manager, self.auditor):
            action = self.rpc(user, "clearance.session", "action_open_purge")
            self.assertEqual(action["res_model"], "clearance.session")

    @mute_logger("odoo.sql_db")
    def test_the_record_is_for_good(self):
        self.rpc(self.manager, "clearance.session", "action_purge", self.clearance.ids)
        purge = self.purges()
        for user in (self.manager, self.auditor, self.librarian, self.graduate):
            self.assert_denied(user, "clearance.purge", "write", purge.ids, {"file_count": 0})
            self.assert_denied(user, "clearance.purge", "unlink", purge.ids)
            self.assert_denied(user, "clearance.purge", "create", [{"session_id": self.clearance.id}])
        self.assert_denied(self.manager, "clearance.purge", "_record", purge.ids)
        for act in (lambda: purge.write({"file_count": 0}), purge.unlink):
            with self.assertRaisesRegex(UserError, "is kept as it was written"):
                act()
        self.assertEqual(self.seen(self.auditor, "clearance.purge", [("id", "=", purge.id)]), {purge.id})
        self.assertEqual(self.seen(self.manager_b, "clearance.purge"), set())
        self.assert_denied(self.librarian, "clearance.purge", "read", purge.ids)

    def test_other_campuses_keep_theirs(self):
        self.env["clearance.settings"]._get(self.campus_b).retention_months = 0
        self.student_b.id_number = "990000199901010001"
        self.close(100, self.session_b)
        self.run_cron()
        self.assertTrue(self.student_b.id_number)
        self.assertFalse(self.students[0].id_number)
