"""Certificates: who gets one, what it tells whom, and what it costs to guess."""

import io
import re
from unittest.mock import patch

import psycopg2
from lxml import html
from PyPDF2 import PdfFileReader

import odoo
from odoo import fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Command
from odoo.tests import BaseCase, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..controllers.portal_certificate import LOOKUPS, UNKNOWN
from ..rate_limit import RateLimit, get_source
from .test_security import SecurityCase

_REPORT = "graduate_clearance.report_clearance_form"


class CertificateCase(SecurityCase):
    """A campus whose graduates are not cleared yet, and a manager of another campus."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Certificate = cls.env["clearance.certificate"]
        cls.form, cls.other_form = cls.forms[:2]
        cls.students[0].name = "张三丰"
        cls.campus.partner_id.tz = "Asia/Shanghai"

    def clear(self, *forms, but=()):
        """Settle every step of these forms, but some."""
        students = self.env["clearance.student"].union(*(form.student_id for form in forms))
        self.settle_steps(
            *(step for step in self.clearance.step_ids - self.deposit if step not in but), students=students
        )

    def defer(self, form, step, **values):
        status = self.status(form.student_id, step)
        Override = self.env["clearance.override"].with_user(self.deferral)
        return Override.create({"status_id": status.id, "reason": "Proof shown", **values})

    def sheet(self, form, user):
        """What ``user`` prints of a form."""
        self.env.invalidate_all()
        return form.with_user(user).with_context(allowed_company_ids=None)._get_sheets()[0]

    def issue(self, form):
        """The certificate of a form, as the superuser sees it."""
        self.assertTrue(self.sheet(form, self.manager)["certificate"])
        return self.Certificate.search([("form_id", "=", form.id), ("revoked_at", "=", False)])

    def verify(self, text):
        self.env.invalidate_all()
        public = self.env(user=self.env.ref("base.public_user"))
        return public["clearance.certificate"]._get_verification(text)

    def verified_state(self, certificate):
        return self.verify(certificate.token)["state"]


@tagged("post_install", "-at_install")
class TestCertificate(CertificateCase):
    # -- life ------------------------------------------------------------------

    def test_first_print_issues(self):
        sheet = self.sheet(self.form, self.graduate)
        self.assertFalse(sheet["certificate"])
        self.assertEqual((sheet["state"], sheet["left"], sheet["total"]), ("open", 7, 7))
        self.clear(self.form)
        lines = self.env["clearance.log"].search_count([])
        decided = self.form.status_ids.mapped("decided_at")
        certificate = self.sheet(self.form, self.graduate)["certificate"]
        self.assertRegex(certificate["number"], r"^\d{4}-\d{6,}$")
        for user in (self.graduate, self.manager):
            again = self.sheet(self.form, user)["certificate"]
            # The QR code is drawn anew, and never comes out quite the same.
            self.assertEqual({**again, "qr": ""}, {**certificate, "qr": ""})
        issued = self.Certificate.search([("form_id", "=", self.form.id)])
        self.assertEqual(issued.mapped("number"), [certificate["number"]])
        self.assertEqual(issued.issued_by_id, self.graduate)
        self.assertIn(issued.token, certificate["url"])
        # Printing decides nothing.
        self.assertEqual(self.env["clearance.log"].search_count([]), lines)
        self.assertEqual(self.form.status_ids.mapped("decided_at"), decided)

    def test_who_issues(self):
        self.clear(*self.forms[:4])
        for user in (self.librarian, self.auditor, self.deferral, self.mech_clerk):
            self.assertFalse(self.sheet(self.form, user)["certificate"], user.login)
        self.assertFalse(self.sheet(self.forms[3], self.supervisor)["certificate"])
        self.assertFalse(self.Certificate.search([]))
        for form, user in (
            (self.form, self.counsellor),
            (self.other_form, self.other_graduate),
            (self.forms[2], self.lead),
            (self.forms[3], self.manager),
        ):
            self.assertTrue(self.sheet(form, user)["certificate"], user.login)
        # Once issued, auditors print it; those who only act at a station still do not.
        self.assertTrue(self.sheet(self.form, self.auditor)["certificate"])
        for user in (self.librarian, self.mech_clerk, self.deferral):
            self.assertFalse(self.sheet(self.form, user)["certificate"], user.login)

    def test_who_prints_nothing(self):
        self.clear(self.form)
        for user in (self.stranger, self.arts_clerk, self.other_graduate, self.manager_b):
            with self.assertRaises(AccessError, msg=user.login):
                self.sheet(self.form, user)
            self.assertFalse(self.Certificate.search([]))

    def test_issued_twice(self):
        """Of two who print in the same instant the second is tried again, and finds the certificate."""
        self.clear(self.form)
        certificate = self.issue(self.form)
        with self.assertRaises(ConcurrencyError), mute_logger("odoo.sql_db"):
            self.Certificate._issue(self.form)
        self.assertEqual(self.Certificate.search([("form_id", "=", self.form.id)]), certificate)

    def test_revoke(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.assertEqual(self.verified_state(certificate), "cleared")
        as_manager = certificate.with_user(self.manager)
        with self.assertRaises(UserError):
            as_manager._revoke("  ")
        self.rpc(self.manager, "clearance.certificate", "action_revoke", certificate.ids)
        wizard = self.env["clearance.certificate.revoke"].with_user(self.manager)
        wizard.create({"certificate_ids": [Command.set(certificate.ids)], "reason": "Lost"}).action_revoke()
        self.assertEqual(
            (certificate.state, certificate.revoked_by_id, certificate.revoke_reason), ("revoked", self.manager, "Lost")
        )
        self.assertEqual(self.verified_state(certificate), "revoked")
        note = self.form.message_ids[0]
        self.assertIn(certificate.number, note.body)
        self.assertTrue(note.subtype_id.internal)
        with self.assertRaises(UserError):
            as_manager._revoke("Again")
        with self.assertRaises(UserError):
            certificate.unlink()

    def test_after_revocation(self):
        self.clear(self.form)
        first = self.issue(self.form)
        first.with_user(self.manager)._revoke("Forged")
        # Whom the office has refused does not get another one by printing again.
        for user in (self.graduate, self.counsellor, self.manager):
            sheet = self.sheet(self.form, user)
            self.assertEqual((sheet["state"], sheet["certificate"]), ("cleared", False), user.login)
        for user in (self.graduate, self.counsellor, self.auditor, self.lead):
            self.assert_denied(user, "clearance.form", "action_issue_certificate", self.form.ids)
        self.assertTrue(self.form.with_user(self.manager).may_reissue)
        self.rpc(self.manager, "clearance.form", "action_issue_certificate", self.form.ids)
        second = self.Certificate.search([("form_id", "=", self.form.id)]) - first
        self.assertEqual(self.sheet(self.form, self.graduate)["certificate"]["number"], second.number)
        self.assertEqual(self.verified_state(first), "revoked")
        self.assertEqual(self.verified_state(second), "cleared")
        self.assert_denied(self.manager, "clearance.form", "action_issue_certificate", self.form.ids)
        self.assert_denied(self.manager, "clearance.form", "action_issue_certificate", self.other_form.ids)

    # -- what it is worth, at this moment --------------------------------------------

    def test_reopened(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        status = self.status(self.form.student_id, self.card)
        # The form is settled after the commit: whoever asks in between is told the truth, too.
        with patch.object(self.registry["clearance.form"], "_settle_after_commit", lambda forms: None):
            self.decide(status, "reopen", "Wrong card")
        self.assertEqual((self.form.state, self.verified_state(certificate)), ("cleared", "revoked"))
        self.assertEqual(certificate.state, "open")
        self.assertFalse(self.sheet(self.form, self.graduate)["certificate"])
        self.form._settle()
        self.assertEqual((self.form.state, self.verified_state(certificate)), ("open", "revoked"))
        self.assertEqual(self.verify(certificate.token)["since"], "")
        self.clear(self.form)
        self.assertEqual(self.verified_state(certificate), "cleared")

    def test_deferral(self):
        self.clear(self.form, but=[self.card, self.degree, self.diploma])
        today = fields.Date.context_today(self.env["res.users"].with_context(tz="Asia/Shanghai"))
        override = self.defer(self.form, self.card, date_end=today)
        self.clear(self.form, but=[self.card])
        sheet = self.sheet(self.form, self.graduate)
        row = next(row for row in sheet["rows"] if row["step"] == "Return student card")
        self.assertTrue(row["lifted"])
        self.assertIn(str(today.year), row["until"])
        self.assertEqual((row["who"], row["when"], row["settled"]), ("", "", False))
        certificate = self.issue(self.form)
        self.assertEqual(self.verified_state(certificate), "deferred")
        # Its last day is over before the nightly job has looked at the form.
        self.env.cr.execute(
            "UPDATE clearance_override SET date_end = %s WHERE id = %s",
            [fields.Date.subtract(today, days=1), override.id],
        )
        self.env.invalidate_all()
        self.assertEqual((self.form.state, self.verified_state(certificate)), ("deferred", "revoked"))

    def test_withdrawn(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.students[0].graduation_state = "postponed"
        self.assertEqual(self.form.state, "withdrawn")
        self.assertEqual(self.verified_state(certificate), "withdrawn")
        self.assertFalse(self.sheet(self.form, self.graduate)["certificate"])
        self.assertFalse(self.form._get_portal_certificate())

    def test_search_state(self):
        self.clear(*self.forms[:4])
        self.clear(self.forms[4], but=[self.diploma])
        self.defer(self.forms[4], self.diploma)
        certificates = {form: self.issue(form) for form in self.forms[:5]}
        self.decide(self.status(self.students[1], self.diploma), "reopen", "Wrong")
        self.students[2].graduation_state = "postponed"
        certificates[self.forms[3]].with_user(self.manager)._revoke("Lost")
        self.env.invalidate_all()
        expected = ["cleared", "open", "withdrawn", "revoked", "deferred"]
        for form, state in zip(self.forms, expected, strict=False):
            certificate = certificates[form]
            self.assertEqual(certificate.state, state)
            self.assertEqual(self.Certificate.search([("state", "=", state)]), certificate)
            others = self.Certificate.browse().union(*certificates.values()) - certificate
            self.assertEqual(self.Certificate.search([("state", "!=", state)]), others.sorted("id", reverse=True))
        # Whoever reads certificates but not the steps sees the same.
        found = self.rpc(self.lead, "clearance.certificate", "search_read", [("state", "=", "open")], ["state"])
        self.assertEqual([row["state"] for row in found], ["open"])

    # -- who reads what -------------------------------------------------------------

    def test_seen(self):
        self.clear(self.form, self.forms[2], self.forms[3])
        mine, mech, arts = (self.issue(form) for form in (self.form, self.forms[2], self.forms[3]))
        for user, certificates in (
            (self.manager, mine | mech | arts),
            (self.auditor, mine | mech | arts),
            (self.lead, mine | mech),
            (self.counsellor, mine),
            (self.graduate, mine),
            (self.other_graduate, self.Certificate),
            (self.librarian, self.Certificate),
            (self.mech_clerk, self.Certificate),
            (self.deferral, self.Certificate),
            (self.supervisor, self.Certificate),
            (self.manager_b, self.Certificate),
        ):
            self.assertEqual(self.seen(user, "clearance.certificate"), set(certificates.ids), user.login)
        self.assert_denied(self.stranger, "clearance.certificate", "search_read", [], ["number"])
        self.assert_denied(self.other_graduate, "clearance.certificate", "read", mine.ids, ["number"])

    def test_secrets_by_rpc(self):
        """Nobody reads token or code, nor finds out about them by searching."""
        self.clear(self.form)
        certificate = self.issue(self.form)
        for user in (self.manager, self.auditor, self.lead, self.counsellor, self.graduate):
            for secret in ("token", "code"):
                value = certificate[secret]
                for method, args in (
                    ("read", (certificate.ids, [secret])),
                    ("search_read", ([], [secret])),
                    ("web_read", (certificate.ids, {secret: {}})),
                    ("search", ([(secret, "=like", f"{value[:2]}%")],)),
                    ("search_count", ([(secret, "=", value)],)),
                    ("formatted_read_group", ([], [secret], ["__count"])),
                    ("export_data", (certificate.ids, [secret])),
                    ("search", ([], 0, None, secret)),
                ):
                    with self.subTest(user=user.login, method=method, secret=secret):
                        self.assert_denied(user, "clearance.certificate", method, *args)
            self.assertNotIn("token", self.rpc(user, "clearance.certificate", "fields_get"))
            (everything,) = self.rpc(user, "clearance.certificate", "search_read", [], [])
            # Managers see the address of the page, and only they.
            self.assertEqual(certificate.token in everything.pop("url", ""), user == self.manager)
            self.assertNotIn(certificate.token, str(everything))
        for user in (self.auditor, self.lead, self.counsellor, self.graduate):
            self.assert_denied(user, "clearance.certificate", "read", certificate.ids, ["url"])
        for user in (self.manager, self.graduate):
            for method in ("_find_by_secret", "_get_verification", "_get_typed_code", "_issue", "_revoke"):
                self.assert_denied(user, "clearance.certificate", method, certificate.ids)

    def test_writing_is_refused(self):
        self.clear(self.form, self.other_form)
        certificate = self.issue(self.form)
        everybody = (self.manager, self.auditor, self.lead, self.counsellor, self.librarian, self.graduate)
        for user in (*everybody, self.stranger, self.manager_b):
            with self.subTest(user=user.login):
                values = {"form_id": self.other_form.id, "token": "mine", "code": "MINE"}
                self.assert_denied(user, "clearance.certificate", "create", [values])
                self.assert_denied(user, "clearance.certificate", "write", certificate.ids, {"revoked_at": False})
                self.assert_denied(user, "clearance.certificate", "unlink", certificate.ids)
                if user != self.manager:
                    self.assert_denied(user, "clearance.certificate", "action_revoke", certificate.ids)
                if user not in (self.manager, self.manager_b):
                    self.assert_denied(user, "clearance.certificate.revoke", "create", [{"reason": "Mine"}])
        wizard = self.env["clearance.certificate.revoke"].with_user(self.manager_b)
        with self.assertRaises(AccessError):
            wizard.create({"certificate_ids": [Command.set(certificate.ids)], "reason": "Mine"}).action_revoke()
        self.assertFalse(certificate.revoked_at)

    def test_secrets_are_long_and_differ(self):
        self.clear(*self.forms)
        self.forms.with_user(self.manager)._get_sheets()
        certificates = self.Certificate.search([])
        self.assertEqual(len(certificates), 6)
        for field in ("token", "code", "number"):
            self.assertEqual(len(set(certificates.mapped(field))), 6, field)
        for certificate in certificates:
            self.assertRegex(certificate.token, r"^[\w-]{32}$")
            self.assertRegex(certificate.code, r"^[0-9A-HJKMNP-TV-Z]{12}$")
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            certificates[0].token = certificates[1].token
            certificates.flush_recordset()

    # -- verification ------------------------------------------------------------------

    def test_told_to_third_parties(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        told = self.verify(certificate.token)
        day = self.form._get_print_date(self.form.cleared_at)
        self.assertEqual(
            told,
            {
                "offered": True,
                "number": certificate.number,
                "name": "张**",
                "masked": True,
                "style": "",
                "session": "2026 undergraduates",
                "campus": "Test Campus",
                "state": "cleared",
                "issued": day,
                "since": day,
            },
        )

    def test_typed(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        certificate.code = "0123ABCD10KZ"
        typed = certificate._get_typed_code()
        self.assertEqual(typed, f"{certificate.number}-0123-ABCD-10KZ")
        for text in (
            typed,
            f" {typed.lower()} ",
            typed.replace("-", ""),
            typed.replace("-", " "),
            f"{certificate.number}-OI23-ABCD-LoKZ",  # read as letters
        ):
            self.assertEqual((self.verify(text) or {}).get("number"), certificate.number, text)
        for text in (
            certificate.number,
            certificate.code,
            f"{certificate.number}-0123-ABCD-10K0",
            f"2025{certificate.number[4:]}-0123-ABCD-10KZ",
            certificate.token[:-1],
            certificate.token.swapcase(),
            certificate.token + "A",
            "%" * 32,
            "_" * 32,
            "-",
            "",
            "\0" * 32,
            "x" * 10_000,
            f"{certificate.token}' OR '1'='1",
            None,
        ):
            self.assertIsNone(self.verify(text), text)

    def test_unknown_costs_one_query(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.env.flush_all()
        for text in ("A" * 32, f"{certificate.number}-0000-0000-0000", "2026-999999-0000-0000-0000", "nonsense"):
            with self.assertQueryCount(1):
                self.assertFalse(self.Certificate._find_by_secret(text))

    def test_mask(self):
        for name, masked in (
            ("张三", "张**"),
            ("张三丰", "张**"),
            ("欧阳娜娜", "欧**"),
            ("𠮷田", "𠮷**"),
            ("阿卜杜拉·买买提", "阿**"),
            ("Test Graduate", "T*** G***"),
            ("Ana Maria Lopez-Bell", "A*** B***"),
            ("Ng", "N***"),
            ("<b>Eve</b>", "b*** b***"),
            ("Élodie", "É***"),
            ("***", "***"),
            ("", "***"),
            (False, "***"),
        ):
            self.assertEqual(self.Certificate._mask_name(name), masked)

    # -- the sheet ---------------------------------------------------------------------

    def test_rows(self):
        self.settle_steps(self.books, students=self.students[0])
        self.decide(self.status(self.students[0], self.card, self.affairs), "approve")
        self.decide(self.status(self.students[0], self.fees), "reject", "Owes 1,234")
        sheet = self.sheet(self.form, self.graduate)
        rows = {row["step"]: row for row in sheet["rows"]}
        # Neither what is optional and open, nor what does not apply.
        self.assertNotIn("Deposit refund", rows)
        self.assertIn("Confirm loan", rows)
        self.assertNotIn("Confirm loan", [row["step"] for row in self.sheet(self.other_form, self.manager)["rows"]])
        self.assertEqual((rows["Return books"]["who"], rows["Return books"]["word"]), ("", "Approved"))
        self.assertEqual(rows["Return student card"]["who"], self.affairs.name)
        self.assertRegex(rows["Return student card"]["when"], r"^\d{4}-\d\d-\d\d \d\d:\d\d$")
        self.assertEqual((rows["Pay arrears"]["who"], rows["Pay arrears"]["when"]), ("", ""))
        self.assertNotIn("1,234", str(sheet))

    def test_queries_do_not_grow(self):
        self.clear(*self.forms)
        self.forms.with_user(self.manager)._get_sheets()
        counts = []
        for number in (1, 6):
            self.env.flush_all()
            self.env.invalidate_all()
            forms = self.forms[:number].with_user(self.manager)
            before = self.env.cr.sql_log_count
            self.assertEqual(len(forms._get_sheets()), number)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def test_too_many(self):
        Report = self.env["report.graduate_clearance.report_clearance_form"]
        self.patch(odoo.addons.graduate_clearance.models.clearance_certificate_report, "_MAX_FORMS", 5)
        with self.assertRaises(UserError):
            Report._get_report_values(self.forms.ids)
        self.assertEqual(len(Report._get_report_values(self.forms[:5].ids)["sheets"]), 5)


@tagged("post_install", "-at_install")
class TestCertificatePages(CertificateCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.graduate.tz = "Asia/Shanghai"

    def setUp(self):
        super().setUp()
        # Counted per process: what another test has looked up is not this one's.
        for limit in (LOOKUPS, UNKNOWN):
            limit.clear()
            self.addCleanup(limit.clear)

    def login(self, user):
        self.authenticate(user.login, user.login)

    def can_make_pdf(self):
        """Whether this machine makes PDF files; if so, have them made in tests too."""
        Report = self.registry["ir.actions.report"]
        if self.env["ir.actions.report"].get_wkhtmltopdf_state() not in ("ok", "upgrade"):
            return False
        original = Report._pre_render_qweb_pdf

        def forced(report, *args, **kwargs):
            return original(report.with_context(force_report_rendering=True), *args, **kwargs)

        self.patch(Report, "_pre_render_qweb_pdf", forced)
        return True

    def content(self, response):
        """What people read on a page, in one line."""
        (wrap,) = html.fromstring(response.content).xpath("//*[@id='wrap']")
        return " ".join(wrap.text_content().split())

    # -- printing ---------------------------------------------------------------------

    def test_page(self):
        url = f"/my/clearance/{self.form.id}/certificate"
        self.login(self.graduate)
        self.assertFalse(self.form._get_portal_certificate())
        text = self.content(self.url_open(url))
        for part in ("Clearance form", "张三丰", "T26000", "7 of 7 steps left", "This sheet is not a certificate"):
            self.assertIn(part, text)
        self.assertFalse(self.Certificate.search([]))
        self.clear(self.form)
        self.assertEqual(self.form._get_portal_certificate(), {"url": url, "pdf_url": f"{url}.pdf"})
        response = self.url_open(url)
        text = self.content(response)
        certificate = self.Certificate.search([("form_id", "=", self.form.id)])
        for part in ("Certificate of clearance", "Cleared.", certificate.number, certificate._get_typed_code()):
            self.assertIn(part, text)
        self.assertNotIn("not a certificate", text)
        self.assertIn('src="data:image/png;base64,', response.text)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        document = html.fromstring(response.content)
        self.assertEqual(len(document.xpath("//h1")), 1)
        self.assertEqual(document.get("lang"), "en-US")
        self.assertFalse(document.xpath("//*[@id='wrap']//script"))
        # Nothing of the certificate is fetched.
        (image,) = document.xpath("//*[@id='wrap']//img")
        self.assertTrue(image.get("alt"))

    def test_page_of_revoked(self):
        self.clear(self.form)
        self.issue(self.form).with_user(self.manager)._revoke("Name misspelt")
        self.login(self.graduate)
        text = self.content(self.url_open(f"/my/clearance/{self.form.id}/certificate"))
        self.assertIn("Name misspelt", text)
        self.assertIn("This sheet is not a certificate", text)

    def test_of_another(self):
        self.clear(self.form)
        for user in (self.other_graduate, self.librarian, self.manager, self.manager_b):
            self.login(user)
            for end in ("", ".pdf"):
                response = self.url_open(f"/my/clearance/{self.form.id}/certificate{end}")
                self.assertURLEqual(response.url, "/my/clearance", user.login)
                self.assertNotIn("T26000", response.text)
        self.authenticate(None, None)
        for end in ("", ".pdf"):
            response = self.url_open(f"/my/clearance/{self.form.id}/certificate{end}", allow_redirects=False)
            self.assertIn("/web/login", response.headers["Location"])
        self.login(self.graduate)
        self.assertURLEqual(self.url_open("/my/clearance/999999999/certificate").url, "/my/clearance")
        self.assertFalse(self.Certificate.search([]))

    def test_report_of_another(self):
        """The address of reports is open to every user; it shows nothing that they may not read."""
        self.clear(self.form)
        ids = f"{self.form.id},{self.other_form.id}"
        for user in (self.stranger, self.graduate, self.other_graduate, self.arts_clerk, self.manager_b):
            self.login(user)
            for kind in ("html", "pdf"):
                with mute_logger("odoo.http"):
                    response = self.url_open(f"/report/{kind}/{_REPORT}/{ids}")
                self.assertEqual(response.status_code, 403, user.login)
                self.assertNotIn("T2600", response.text)
        self.assertFalse(self.Certificate.search([]))
        self.login(self.counsellor)
        response = self.url_open(f"/report/html/{_REPORT}/{ids}")
        self.assertIn("T26000", response.text)
        self.assertIn("T26001", response.text)
        self.assertEqual(self.Certificate.search([]).form_id, self.form)

    def test_action(self):
        action = self.rpc(self.counsellor, "clearance.form", "action_print", self.forms[:2].ids)
        self.assertEqual(action["report_name"], _REPORT)
        self.assertEqual(action["context"]["active_ids"], self.forms[:2].ids)
        self.assert_denied(self.counsellor, "clearance.form", "action_print", self.forms.ids)
        self.assert_denied(self.other_graduate, "clearance.form", "action_print", self.form.ids)
        report = self.env.ref("graduate_clearance.clearance_form_report")
        for user, offered in ((self.counsellor, True), (self.graduate, False)):
            bound = self.env["ir.actions.actions"].with_user(user).get_bindings("clearance.form")
            self.assertEqual(report.id in [action["id"] for action in bound.get("report", ())], offered)

    def test_pdf(self):
        self.clear(self.form)
        self.login(self.graduate)
        url = f"/my/clearance/{self.form.id}/certificate.pdf"
        if not self.can_make_pdf():
            self.assert_falls_back(url)
            return
        response = self.url_open(url, timeout=60)
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        reader = PdfFileReader(io.BytesIO(response.content))
        self.assertEqual(reader.getNumPages(), 1)
        text = re.sub(r"\s", "", reader.getPage(0).extractText())
        certificate = self.Certificate.search([("form_id", "=", self.form.id)])
        for part in ("张三丰", "T26000", certificate.number, certificate._get_typed_code(), "Approved"):
            self.assertIn(part, text)

    def assert_falls_back(self, url):
        response = self.url_open(url)
        self.assertURLEqual(response.url, url.removesuffix(".pdf"))
        self.assertIn("cannot make PDF files", self.content(response))
        self.assertIn("张三丰", self.content(response))

    def test_without_wkhtmltopdf(self):
        Report = self.registry["ir.actions.report"]
        self.login(self.graduate)
        url = f"/my/clearance/{self.form.id}/certificate.pdf"
        for state in ("install", "broken", "workers"):
            self.patch(Report, "get_wkhtmltopdf_state", lambda report, state=state: state)
            self.assert_falls_back(url)
        self.patch(Report, "get_wkhtmltopdf_state", lambda report: "ok")

        def fail(report, *args, **kwargs):
            raise UserError(report._name)

        self.patch(Report, "_render_qweb_pdf", fail)
        with mute_logger("odoo.addons.graduate_clearance.controllers.portal_certificate"):
            self.assert_falls_back(url)

    def test_pdf_of_a_class(self):
        """Forty graduates, one file, each on a page of its own."""
        self.env["clearance.student"].with_company(self.campus).create(
            [
                {
                    "student_number": f"T26{number:03}",
                    "name": f"王{number}",
                    "class_id": self.class_m1.id,
                    "company_id": self.campus.id,
                    "graduation_year": 2026,
                }
                for number in range(100, 138)
            ]
        )
        self.clearance.with_company(self.campus)._open()
        self.clear(self.form)
        forms = self.env["clearance.form"].search(
            [("session_id", "=", self.clearance.id), ("class_id", "=", self.class_m1.id)]
        )
        self.assertEqual(len(forms), 40)
        self.login(self.counsellor)
        ids = ",".join(map(str, forms.ids))
        if not self.can_make_pdf():
            # The web client shows the same as a page then.
            response = self.url_open(f"/report/html/{_REPORT}/{ids}", timeout=60)
            self.assertEqual(len(re.findall(r"T26\d\d\d", response.text)), 40)
            return
        response = self.url_open(f"/report/pdf/{_REPORT}/{ids}", timeout=120)
        reader = PdfFileReader(io.BytesIO(response.content))
        self.assertEqual(reader.getNumPages(), 40)
        numbers = [re.search(r"T26\d\d\d", page.extractText()).group() for page in reader.pages]
        self.assertEqual(numbers, forms.mapped("student_number"))

    def test_names_are_escaped(self):
        self.students[0].name = "<script>alert(1)</script> Eve"
        self.library.name = "<img src=x onerror=alert(2)>"
        self.campus.name = "<b>Campus</b>"
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.login(self.graduate)
        page = self.url_open(f"/my/clearance/{self.form.id}/certificate").text
        report = self.url_open(f"/report/html/{_REPORT}/{self.form.id}").text
        public = self.url_open(f"/clearance/verify/{certificate.token}").text
        for text in (page, report, public):
            for markup in ("<script>alert", "<img src=x", "<b>Campus"):
                self.assertNotIn(markup, text)
        self.assertIn("&lt;script&gt;alert(1)", page)

    # -- verification ------------------------------------------------------------------

    def assert_private(self, response):
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("noindex", response.headers["X-Robots-Tag"])
        document = html.fromstring(response.content)
        self.assertTrue(document.xpath("//head/meta[@name='robots'][contains(@content, 'noindex')]"))
        self.assertEqual(len(document.xpath("//h1")), 1)

    def test_verify(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        for user in (None, self.other_graduate.login):
            self.authenticate(user, user)
            response = self.url_open(f"/clearance/verify/{certificate.token}")
            self.assertEqual(response.status_code, 200)
            self.assert_private(response)
            text = self.content(response)
            for part in ("Valid", "张**", "2026 undergraduates", "Test Campus", certificate.number, "Cleared since"):
                self.assertIn(part, text)
            for secret in ("三丰", "T26000", "M1", "Mechanics", "Library", "Return books", certificate.code):
                self.assertNotIn(secret, response.text)
            self.assertTrue(html.fromstring(response.content).xpath("//*[hasclass('o_clearance_state_cleared')]/i"))

    def test_verify_other_states(self):
        self.clear(*self.forms[:3])
        self.clear(self.forms[3], but=[self.diploma])
        self.defer(self.forms[3], self.diploma)
        certificates = [self.issue(form) for form in self.forms[:4]]
        self.decide(self.status(self.students[0], self.diploma), "reopen", "Stolen goods")
        self.students[1].write({"graduation_state": "postponed", "graduation_note": "Secret note"})
        certificates[2].with_user(self.manager)._revoke("Secret reason")
        for certificate, words in zip(
            certificates, ("Revoked", "Graduate withdrawn", "Revoked", "Valid, with deferral"), strict=True
        ):
            response = self.url_open(f"/clearance/verify/{certificate.token}")
            text = self.content(response)
            self.assertIn(words, text)
            self.assertEqual("Cleared since" in text, words.startswith("Valid"))
            for secret in ("Stolen", "Secret", "Graduation certificate"):
                self.assertNotIn(secret, response.text)

    def test_verify_unknown(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        answers = set()
        for code in ("A" * 32, "nonsense", certificate.number, f"{certificate.number}-0000-0000-0000", "%25", "'"):
            response = self.url_open(f"/clearance/verify/{code}")
            self.assertEqual(response.status_code, 404, code)
            self.assert_private(response)
            answers.add(self.content(response))
        self.assertEqual(len(answers), 1)

    def test_verify_form(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        response = self.url_open("/clearance/verify")
        self.assertEqual(response.status_code, 200)
        self.assert_private(response)
        document = html.fromstring(response.content)
        (field,) = document.xpath("//input[@name='code']")
        self.assertEqual(field.getparent().getparent().get("method"), "get")
        self.assertTrue(document.xpath("//label[@for=$id]", id=field.get("id")))
        for code in (
            certificate._get_typed_code(),
            certificate.token,
            self.base_url() + f"/clearance/verify/{certificate.token}",
        ):
            response = self.opener.get(f"{self.base_url()}/clearance/verify", params={"code": code}, timeout=20)
            self.assertEqual(response.status_code, 200, code)
            self.assertIn("张**", response.text)
        for code in ("../../web", "//example.com", "a?b=c#d", "\\\\example.com", "x" * 5000):
            response = self.opener.get(f"{self.base_url()}/clearance/verify", params={"code": code}, timeout=20)
            self.assertEqual(response.status_code, 404, code)
            self.assertTrue(response.url.startswith(f"{self.base_url()}/clearance/verify/"), response.url)

    def test_verify_limits(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        now = [1000.0]
        self.patch(LOOKUPS, "clock", lambda: now[0])
        self.patch(UNKNOWN, "clock", lambda: now[0])
        good = f"/clearance/verify/{certificate.token}"
        for number in range(10):
            self.assertEqual(self.url_open(f"/clearance/verify/none{number}").status_code, 404)
        for url in ("/clearance/verify/none10", good):
            response = self.url_open(url)
            self.assertEqual((response.status_code, response.headers["Retry-After"]), (429, "60"))
            self.assertIn("Too many look-ups", self.content(response))
            self.assertNotIn("张", response.text)
            self.assert_private(response)
        # Where the code is typed says nothing, so it stays open.
        self.assertEqual(self.url_open("/clearance/verify").status_code, 200)
        now[0] += 59.5
        self.assertEqual(self.url_open(good).headers["Retry-After"], "1")
        now[0] += 1
        self.assertEqual(self.url_open(good).status_code, 200)
        # What exists may be looked up more often, and not without end either.
        for _time in range(LOOKUPS.times - 1):
            LOOKUPS.count((self.env.cr.dbname, "127.0.0.1"))
        self.assertEqual(self.url_open(good).status_code, 429)

    def test_limits_by_address(self):
        """Behind a proxy each caller counts for itself; nobody else gives itself an address."""
        self.clear(self.form)
        good = f"/clearance/verify/{self.issue(self.form).token}"
        for _time in range(UNKNOWN.times):
            UNKNOWN.count((self.env.cr.dbname, "203.0.113.7"))

        def ask(address):
            headers = {"X-Forwarded-For": address, "X-Forwarded-Host": "campus.example"}
            return self.url_open(good, headers=headers).status_code

        self.assertEqual(ask("203.0.113.7"), 200)  # not behind a proxy: a claim
        with patch.dict(odoo.tools.config.options, {"proxy_mode": True}):
            self.assertEqual(ask("203.0.113.7"), 429)
            self.assertEqual(ask("203.0.113.8"), 200)

    def test_verify_is_read_only(self):
        self.assertEqual(self.url_open("/clearance").status_code, 200)
        routes = {
            rule.rule: rule.endpoint.routing
            for rule in self.env["ir.http"].routing_map().iter_rules()
            if rule.rule == "/clearance" or rule.rule.startswith("/clearance/verify")
        }
        self.assertEqual(len(routes), 3)
        for rule, routing in routes.items():
            self.assertTrue(routing["readonly"], rule)
            self.assertEqual((routing["auth"], routing["methods"]), ("public", ["GET"]))

    # -- the door ------------------------------------------------------------------------

    def test_landing(self):
        self.env["clearance.settings"]._get(self.campus).help = "Hall A,\nroom 102 <b>"
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("auth_signup.reset_password", "True")
        response = self.url_open("/clearance")
        document = html.fromstring(response.content)
        text = self.content(response)
        for part in ("Graduate clearance", "No account yet?", "student number", "room 102 <b>"):
            self.assertIn(part, text)
        links = document.xpath("//*[@id='wrap']//a/@href")
        self.assertEqual(links, ["/web/login?redirect=/my/clearance", "/web/reset_password", "/clearance/verify"])
        self.assertEqual(len(document.xpath("//h1")), 1)
        parameters.set_param("auth_signup.reset_password", "False")
        self.assertNotIn("/web/reset_password", self.url_open("/clearance").text)
        self.env["clearance.settings"]._get(self.campus).help = False
        self.assertIn("ask your counsellor", self.content(self.url_open("/clearance")))

    def test_landing_sends_on(self):
        new_test_user(self.env, "t_newcomer", groups="base.group_portal")
        for login in (self.graduate.login, self.manager.login, "t_newcomer"):
            self.authenticate(login, login)
            self.assertURLEqual(self.url_open("/clearance").url, "/my/clearance")


@tagged("post_install", "-at_install")
class TestRateLimit(BaseCase):
    def test_window(self):
        limit = RateLimit(2, 60)
        now = [0.0]
        limit.clock = lambda: now[0]
        self.assertEqual(limit.wait("a"), 0)
        limit.count("a")
        now[0] = 10
        limit.count("a")
        self.assertEqual((limit.wait("a"), limit.wait("b")), (50, 0))
        now[0] = 59
        self.assertEqual(limit.wait("a"), 1)
        now[0] = 60
        self.assertEqual(limit.wait("a"), 0)
        limit.count("a")
        self.assertEqual(limit.wait("a"), 0)
        limit.clear()
        self.assertEqual(len(limit), 0)

    def test_memory(self):
        limit = RateLimit(1, 60, size=3)
        for key in "abcd":
            limit.count(key)
        self.assertEqual(len(limit), 3)
        self.assertEqual([bool(limit.wait(key)) for key in "abcd"], [False, True, True, True])

    def test_source(self):
        for address, source in (
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("unix:", "unix:"),
            (None, ""),
        ):
            self.assertEqual(get_source(address), source)
