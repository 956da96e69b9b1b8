"""Sign-off sheets, summaries and what is printed for many: what stands on them, for whom, in which parts."""

import io
import json
import re
from unittest.mock import patch

from lxml import html
from PyPDF2 import PdfFileReader

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..models import clearance_certificate_report, clearance_print
from .test_security import SecurityCase

_SIGNOFF = "graduate_clearance.report_clearance_signoff"
_SUMMARY = "graduate_clearance.report_clearance_summary"


class PrintCase(SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.tz = "Asia/Shanghai"
        cls.mech_forms, cls.arts_forms = cls.forms[:3], cls.forms[3:]

    @classmethod
    def add_graduates(cls, count, class_=None, **values):
        """More graduates of a class with their forms."""
        start = cls.env["clearance.student"].search_count([("company_id", "=", cls.campus.id)]) + 100
        students = cls.env["clearance.student"].create(
            [
                {
                    "student_number": f"T26{number:04}",
                    "name": f"王{number}",
                    "class_id": (class_ or cls.class_m1).id,
                    "company_id": cls.campus.id,
                    "graduation_year": 2026,
                    **values,
                }
                for number in range(start, start + count)
            ]
        )
        cls.clearance.with_company(cls.campus)._open()
        return cls.env["clearance.form"].search([("student_id", "in", students.ids)])

    def as_user(self, record, user):
        self.env.invalidate_all()
        return record.with_user(user).with_context(allowed_company_ids=None)

    def signoff(self, forms, user=None):
        return self.as_user(forms, user or self.manager)._get_signoff_sheets()

    def summary(self, colleges, user=None, session=None):
        user = user or self.manager
        return self.as_user(colleges, user)._get_summaries(self.as_user(session or self.clearance, user))

    def count_queries(self, call):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        call()
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestSignoff(PrintCase):
    def words(self, row):
        return [mark["word"] for mark in row["cells"]]

    def test_one_sheet_a_class(self):
        """By college and class, graduates by number, steps in the order of the process."""
        sheets = self.signoff(self.forms[::-1])
        self.assertEqual(
            [(sheet["college"], sheet["class"], sheet["count"], sheet["total"]) for sheet in sheets],
            [
                ("College of Arts", "A1", 3, 3),
                ("College of Mechanics", "M1", 2, 2),
                ("College of Mechanics", "M2", 1, 1),
            ],
        )
        sheet = sheets[1]
        self.assertEqual((sheet["counsellor"], sheet["session"]), (self.counsellor.name, "2026 undergraduates"))
        self.assertRegex(sheet["as_of"], r"^\d{4}-\d\d-\d\d \d\d:\d\d$")
        (page,) = sheet["pages"]
        self.assertEqual(
            [step["name"] for step in page["steps"]],
            [
                *("Return books", "Deposit refund", "Pay arrears", "Return student card", "Confirm loan"),
                *("Exit talk", "Degree certificate", "Graduation certificate"),
            ],
        )
        self.assertEqual([row["student_number"] for row in page["rows"]], ["T26000", "T26001"])
        self.assertEqual([row["position"] for row in page["rows"]], [1, 2])

    def test_what_concerns_nobody_takes_no_room(self):
        """Only the borrower's class has a column for the loan."""
        by_class = {sheet["class"]: sheet for sheet in self.signoff(self.forms)}
        for name, expected in (("M1", True), ("M2", False), ("A1", False)):
            steps = [step["name"] for step in by_class[name]["pages"][0]["steps"]]
            self.assertEqual("Confirm loan" in steps, expected, name)

    def test_states(self):
        """Each state in the campus' words, a deferral as such, and how many steps are left."""
        self.env["clearance.legend"]._make_missing(self.campus)
        legend = self.env["clearance.legend"].search([("company_id", "=", self.campus.id), ("state", "=", "approved")])
        legend.write({"name": "Stamped", "text": "#000000"})
        first, second = self.students[:2]
        self.settle_steps(self.card, students=first)
        self.decide(self.status(second, self.card, self.affairs), "reject", "Card is missing")
        self.env["clearance.override"].create(
            {"status_id": self.status(second, self.fees).id, "reason": "Proof of a loan"}
        )
        (sheet,) = self.signoff(self.forms[:2])
        (page,) = sheet["pages"]
        names = [step["name"] for step in page["steps"]]
        own, other = (dict(zip(names, self.words(row), strict=True)) for row in page["rows"])
        self.assertEqual(own["Return student card"], "Stamped")
        self.assertEqual(own["Return books"], "Not done")
        self.assertEqual(own["Deposit refund"], "Optional")
        self.assertEqual(other["Return student card"], "Rejected")
        self.assertEqual(other["Pay arrears"], "Deferred")
        self.assertEqual(other["Confirm loan"], "Not required")
        self.assertEqual([row["left"] for row in page["rows"]], [6, 5])
        self.assertEqual(
            {mark["word"] for mark in sheet["key"]},
            {"Not done", "Rejected", "Stamped", "Optional", "Not required", "Deferred"},
        )
        (mark,) = [mark for mark in sheet["key"] if mark["legend"] == "approved"]
        self.assertIn("color:#000000", mark["style"])

    def test_left_is_what_the_form_says(self):
        """The number of steps left is that of the form, whatever waits for what."""
        self.settle_steps(self.books, self.fees, self.card, students=self.students[:4])
        for sheet in self.signoff(self.forms):
            for row in sheet["pages"][0]["rows"]:
                form = self.forms.filtered(lambda form, row=row: form.student_number == row["student_number"])
                self.assertEqual(row["left"], form.open_count)

    def test_part_of_a_class(self):
        """A supervisor's sheet says that it is not the whole class."""
        (sheet,) = self.signoff(self.forms[3], self.supervisor)
        self.assertEqual((sheet["count"], sheet["total"]), (1, 3))

    def test_withdrawn(self):
        self.students[1].write({"graduation_state": "postponed", "graduation_note": "Illness"})
        (sheet,) = self.signoff(self.forms[:2])
        rows = sheet["pages"][0]["rows"]
        self.assertTrue(rows[1]["withdrawn"])
        self.assertFalse(rows[1]["cells"])
        self.assertTrue(rows[0]["cells"])

    def test_earlier_year(self):
        (sheet,) = self.signoff(self.arts_forms)
        self.assertEqual([row["earlier_year"] for row in sheet["pages"][0]["rows"]], [False, False, True])

    def test_pages(self):
        """Fifteen graduates a page; more steps than a page is wide make further pages for everybody."""
        forms = self.forms[:2] | self.add_graduates(38)
        (sheet,) = self.signoff(forms)
        self.assertEqual([len(page["rows"]) for page in sheet["pages"]], [15, 15, 10])
        positions = [row["position"] for page in sheet["pages"] for row in page["rows"]]
        self.assertEqual(positions, list(range(1, 41)))
        with patch.object(clearance_print, "_STEPS_A_PAGE", 3):
            (sheet,) = self.signoff(forms)
        steps = [tuple(step["id"] for step in page["steps"]) for page in sheet["pages"]]
        self.assertEqual([len(ids) for ids in steps], [3] * 6 + [2] * 3)
        self.assertEqual({step_id for ids in steps for step_id in ids}, set(self.clearance.step_ids.ids))
        self.assertEqual([page["signed"] for page in sheet["pages"]], [False] * 6 + [True] * 3)
        for page in sheet["pages"]:
            self.assertTrue(all(len(row["cells"]) == len(page["steps"]) for row in page["rows"]))

    def test_no_steps(self):
        """A class whom nothing concerns has a sheet to sign all the same."""
        self.env.cr.execute(
            """UPDATE clearance_status SET state = 'not_required', is_open = FALSE, required = FALSE
                WHERE form_id = %s""",
            [self.forms[2].id],
        )
        (sheet,) = self.signoff(self.forms[2])
        (page,) = sheet["pages"]
        self.assertEqual((page["steps"], len(page["rows"]), page["signed"]), ([], 1, True))

    def test_queries(self):
        self.add_graduates(30)
        forms = self.env["clearance.form"].search([("session_id", "=", self.clearance.id)])
        self.signoff(forms)
        few, many = (self.count_queries(lambda part=part: self.signoff(part)) for part in (forms[:3], forms))
        self.assertEqual(few, many)

    def test_access(self):
        self.signoff(self.mech_forms, self.lead)
        for user, forms in (
            (self.lead, self.forms),
            (self.counsellor, self.mech_forms),
            (self.supervisor, self.forms[:1]),
            (self.manager_b, self.forms[:1]),
            (self.stranger, self.forms[:1]),
            (self.graduate, self.forms[:1]),
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.signoff(forms, user)


@tagged("post_install", "-at_install")
class TestSummary(PrintCase):
    def test_figures(self):
        """Due, cleared, deferred and open add up; earlier years stand in brackets."""
        everything = self.clearance.step_ids - self.deposit
        self.settle_steps(*everything, students=self.students[3])
        self.settle_steps(*(everything - self.card - self.degree - self.diploma), students=self.students[5])
        self.env["clearance.override"].create({"status_id": self.status(self.students[5], self.card).id, "reason": "x"})
        self.settle_steps(self.degree, self.diploma, students=self.students[5])
        (sheet,) = self.summary(self.arts)
        self.assertEqual((sheet["college"], sheet["session"]), ("College of Arts", "2026 undergraduates"))
        self.assertEqual(
            sheet["figures"], {"due": "3 (1)", "cleared": "1", "deferred": "1 (1)", "open": "1", "rate": "66.6 %"}
        )
        ((name, row),) = [(row["name"], row) for row in sheet["classes"]]
        self.assertEqual((name, row["due"], row["open"]), ("A1", "3 (1)", "1"))
        steps = {row["name"]: row for row in sheet["steps"]}
        self.assertEqual(
            {key: steps["Return student card"][key] for key in ("due", "cleared", "deferred", "open", "station")},
            {"due": "3 (1)", "cleared": "1", "deferred": "1 (1)", "open": "1", "station": "Student Affairs"},
        )
        self.assertNotIn("Deposit refund", steps, "Optional steps hold nobody back.")
        self.assertNotIn("Confirm loan", steps, "Nobody here has a loan.")

    def test_what_ended_is_not_counted(self):
        """A deferral that has ended since the forms were last settled does not pass for one."""
        everything = self.clearance.step_ids - self.deposit
        self.settle_steps(*(everything - self.card - self.degree - self.diploma), students=self.students[5])
        override = self.env["clearance.override"].create(
            {"status_id": self.status(self.students[5], self.card).id, "reason": "x"}
        )
        self.settle_steps(self.degree, self.diploma, students=self.students[5])
        self.assertEqual(self.forms[5].state, "deferred")
        self.env.flush_all()
        self.env.cr.execute("UPDATE clearance_override SET date_end = CURRENT_DATE - 3 WHERE id = %s", [override.id])
        (sheet,) = self.summary(self.arts)
        self.assertEqual((sheet["figures"]["deferred"], sheet["figures"]["open"]), ("0", "3 (1)"))

    def test_withdrawn_are_not_due(self):
        self.students[1].graduation_state = "postponed"
        (sheet,) = self.summary(self.mech)
        self.assertEqual((sheet["figures"]["due"], sheet["withdrawn"]), ("2", "1"))

    def test_rate_is_never_rounded_up(self):
        college = self.mech
        row = {figure: [0, 0] for figure in ("due", "cleared", "deferred", "open", "withdrawn")}
        row["due"][0], row["open"][0] = 10000, 1
        self.assertEqual(college._format_row(row)["rate"], "99.9 %")
        row["open"][0] = 0
        self.assertEqual(college._format_row(row)["rate"], "100.0 %")
        row["due"][0] = 0
        self.assertEqual(college._format_row(row)["rate"], "–")

    def test_queries(self):
        self.summary(self.mech | self.arts)
        few = self.count_queries(lambda: self.summary(self.mech))
        self.add_graduates(30)
        many = self.count_queries(lambda: self.summary(self.mech | self.arts))
        self.assertEqual(few, many)

    def test_access(self):
        """Whoever sees some of a college only gets no sum that would pass for the college's."""
        for user in (self.manager, self.auditor, self.deferral, self.lead):
            self.assertTrue(self.summary(self.mech, user))
        for user, colleges in (
            (self.lead, self.mech | self.arts),
            (self.counsellor, self.mech),
            (self.supervisor, self.arts),
            (self.stranger, self.mech),
            (self.manager_b, self.mech),
            (self.graduate, self.mech),
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.summary(colleges, user)
        with self.assertRaisesRegex(AccessError, "College of Arts$"):
            self.summary(self.mech | self.arts, self.lead)

    def test_nobody_takes_part(self):
        college = self.env["clearance.college"].create({"name": "Empty", "company_id": self.campus.id})
        with self.assertRaisesRegex(UserError, "2026 undergraduates"):
            self.summary(college)

    def test_pages(self):
        """Rows are counted out; the last page has the signatures below at least one row."""
        Report = self.env["report.graduate_clearance.report_clearance_summary"]
        row = {"name": "Class", "counsellor": "Somebody"}
        sheet = {"classes": [row] * 40, "steps": [{"name": "环节" * 30, "station": "Library"}] * 20}
        pages = Report._split_rows(sheet)
        self.assertGreater(len(pages), 2)
        for kind, count in (("classes", 40), ("steps", 20)):
            tables = [table for page in pages for table in page if table["kind"] == kind]
            self.assertEqual(sum(len(table["rows"]) for table in tables), count)
            self.assertEqual([table["continued"] for table in tables], [False] + [True] * (len(tables) - 1))
        self.assertTrue(pages[-1][-1]["rows"])


@tagged("post_install", "-at_install")
class TestPrintChoose(PrintCase):
    def choose(self, user, context=None, **values):
        self.env.invalidate_all()
        Wizard = self.env["clearance.print.choose"].with_user(user).with_context(**(context or {}))
        return Wizard.with_context(allowed_company_ids=self.campus.ids).create(values)

    def printed(self, action):
        """Forms of a report action, or ids of its colleges."""
        self.assertEqual(action["type"], "ir.actions.report")
        if action.get("data"):
            return action["data"]["college_ids"]
        return self.env["clearance.form"].browse(action["context"]["active_ids"])

    def test_a_class(self):
        wizard = self.choose(
            self.counsellor, {"active_model": "clearance.class", "active_ids": self.class_m1.ids}, kind="form"
        )
        self.assertEqual((wizard.session_id, wizard.printed_count, wizard.part_count), (self.clearance, 2, 1))
        action = wizard.action_print()
        self.assertEqual(self.printed(action), self.forms[:2])
        self.assertEqual(action["report_name"], "graduate_clearance.report_clearance_form")
        wizard.kind = "signoff"
        action = wizard.action_print()
        self.assertEqual((action["report_name"], self.printed(action)), (_SIGNOFF, self.forms[:2]))

    def test_a_college_in_parts(self):
        """One file a class, or as few as possible; a class that is too large in pieces."""
        self.add_graduates(5)
        values = {"kind": "form", "college_ids": [Command.set(self.mech.ids)]}
        wizard = self.choose(self.lead, **values)
        self.assertEqual((wizard.printed_count, wizard.part_count), (8, 2))
        self.assertIn("Graduates: 8. PDF files: 2. One file takes 100 graduates", wizard.outlook)
        action = wizard.action_print()
        self.assertEqual((action["res_model"], action["res_id"]), (wizard._name, wizard.id))
        self.assertEqual(wizard.part_ids.mapped(lambda part: (part.name, part.record_count)), [("M1", 7), ("M2", 1)])
        wizard.action_choose()
        wizard.split = "few"
        self.assertEqual(len(self.printed(wizard.action_print())), 8)
        with patch.dict(clearance_print.MOST_PRINTED, {"form": 3}):
            wizard.action_print()
        self.assertEqual(
            wizard.part_ids.mapped(lambda part: (part.name, part.record_count)),
            [("M1 (1–3)", 3), ("M1 (4–6)", 3), ("M1 (7–7)", 1), ("College of Mechanics · M2", 1)],
        )
        part = wizard.part_ids[1]
        forms = self.printed(part.action_print())
        numbers = forms.mapped("student_number")
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(wizard.part_ids.mapped("printed"), [False, True, False, False])
        everybody = [number for part in wizard.part_ids for number in self.printed(part.action_print()).ids]
        self.assertEqual(len(set(everybody)), 8)

    def test_thousands(self):
        """Whatever is chosen, no file is larger than a PDF takes; the parts cost no query each."""
        self.add_graduates(20)
        wizard = self.choose(self.manager, kind="form")
        few = self.count_queries(wizard._get_parts)
        self.add_graduates(60, self.class_a1)
        with patch.dict(clearance_print.MOST_PRINTED, {"form": 10}):
            parts = wizard._get_parts()
            self.assertLessEqual(self.count_queries(wizard._get_parts), few)
        self.assertEqual(sum(len(ids) for _name, ids in parts), 86)
        self.assertTrue(all(0 < len(ids) <= 10 for _name, ids in parts))

    def test_selected_and_found(self):
        for context in (
            {"active_model": "clearance.form", "active_ids": self.forms[1:4].ids},
            {"clearance_forms": [("id", "in", self.forms[1:4].ids)]},
            # Left by the list of classes, from where the matrix was opened.
            {
                "active_model": "clearance.class",
                "active_ids": self.class_a1.ids,
                "clearance_forms": [("id", "in", self.forms[1:4].ids)],
            },
        ):
            wizard = self.choose(self.manager, context, kind="signoff", split="few")
            self.assertEqual((wizard.selected_count, wizard.printed_count), (3, 3))
            self.assertFalse(wizard.class_ids)

    def test_which(self):
        self.settle_steps(*(self.clearance.step_ids - self.deposit), students=self.students[0])
        self.students[1].graduation_state = "left"
        for which, expected in (("all", self.forms[0] | self.forms[2:]), ("open", self.forms[2:])):
            wizard = self.choose(self.manager, kind="form", which=which, split="few")
            self.assertEqual(wizard.printed_count, len(expected), which)
        wizard = self.choose(self.manager, kind="form", which="cleared")
        self.assertEqual(self.printed(wizard.action_print()), self.forms[0])

    def test_summaries(self):
        """Without a choice, those of the colleges that the user sees whole."""
        for user, expected in ((self.lead, self.mech), (self.manager, self.arts | self.mech)):
            wizard = self.choose(user, kind="summary")
            self.assertEqual(set(self.printed(wizard.action_print())), set(expected.ids))
        with self.assertRaises(AccessError):
            self.choose(self.lead, kind="summary", college_ids=[Command.set(self.arts.ids)]).action_print()
        with self.assertRaises(UserError):
            self.choose(self.counsellor, kind="summary").action_print()

    def test_others_are_left_out(self):
        """A wizard that names what the user may not see prints nothing of it."""
        wizard = self.choose(self.counsellor, kind="form", class_ids=[Command.set(self.class_a1.ids)])
        with self.assertRaisesRegex(UserError, "nothing to print"):
            wizard.action_print()
        wizard = self.choose(self.counsellor, kind="form", selected_ids=self.forms.ids)
        self.assertEqual(self.printed(wizard.action_print()), self.forms[:2])
        part = self.env["clearance.print.part"].with_user(self.counsellor)
        part = part.create({"wizard_id": wizard.id, "record_ids": self.forms[5].ids})
        action = part.action_print()
        with self.assertRaises(AccessError):
            self.env["report.graduate_clearance.report_clearance_form"].with_user(self.counsellor)._get_report_values(
                self.printed(action).ids
            )

    def test_who_may_ask(self):
        for user in (self.graduate, self.stranger):
            self.assert_denied(user, "clearance.print.choose", "create", [{"kind": "form"}])
        # What others have chosen is nobody's business.
        other = self.choose(self.manager, kind="form", split="few", class_ids=[Command.set(self.class_m1.ids)])
        self.assertEqual(other.printed_count, 2)
        self.assertEqual(self.printed(self.rpc(self.manager, other._name, "action_print", other.ids)), self.forms[:2])
        for user in (self.lead, self.arts_clerk):
            self.assert_denied(user, other._name, "action_print", other.ids)

    def test_offered(self):
        """The wizard is offered on classes, colleges, sessions and forms, to the staff only."""
        for model in ("class", "college", "session", "form"):
            action = self.env.ref(f"graduate_clearance.clearance_print_choose_action_{model}")
            bound = self.env["ir.actions.actions"].with_user(self.counsellor).get_bindings(f"clearance.{model}")
            self.assertIn(action.id, [one["id"] for one in bound.get("action", ())], model)


@tagged("post_install", "-at_install")
class TestFormParts(PrintCase):
    def test_long_forms(self):
        """A form of many steps is parted, all rows kept; what ends it has a row above it."""
        Report = self.env["report.graduate_clearance.report_clearance_form"]
        row = {"station": "Library", "step": "归还图书", "responsible": "", "time": "", "settled": False}
        for count in range(40):
            for certificate in (False, {"number": "1"}):
                sheet = {"rows": [row] * count, "visits": ["x"], "certificate": certificate}
                parts = Report._split_rows(sheet)
                self.assertEqual(sum(map(len, parts)), count)
                self.assertTrue(all(parts) or count == 0)
        self.assertEqual(len(Report._split_rows({"rows": [row] * 10, "visits": [], "certificate": False})), 1)
        self.assertEqual(len(Report._split_rows({"rows": [row] * 24, "visits": [], "certificate": False})), 2)

    def test_bound(self):
        """Each report refuses more than one PDF takes."""
        self.assertEqual(clearance_certificate_report._MAX_FORMS, clearance_print.MOST_PRINTED["form"])
        Report = self.env["report.graduate_clearance.report_clearance_signoff"]
        with patch.dict(clearance_print.MOST_PRINTED, {"signoff": 2, "summary": 1}):
            with self.assertRaisesRegex(UserError, "at most 2"):
                Report._get_report_values(self.forms.ids)
            Report._get_report_values(self.forms[:2].ids)
            with self.assertRaisesRegex(UserError, "at most 1"):
                self.env["report.graduate_clearance.report_clearance_summary"]._get_report_values(
                    (self.mech | self.arts).ids
                )


@tagged("post_install", "-at_install")
class TestPrintPages(PrintCase, HttpCase):
    """What the addresses of reports answer, as each role asks them."""

    def ask(self, user, address, kind="html", expected=200):
        self.authenticate(user.login, user.login)
        with mute_logger("odoo.http"):
            response = self.url_open(f"/report/{kind}/{address}", timeout=120)
        self.assertEqual(response.status_code, expected, (user.login, address))
        return response

    def options(self, **values):
        return f"{_SUMMARY}?options={json.dumps(values)}"

    def force_pdf(self):
        """Have PDF files made in tests too; False where this machine makes none."""
        Report = self.registry["ir.actions.report"]
        if self.env["ir.actions.report"].get_wkhtmltopdf_state() not in ("ok", "upgrade"):
            return False
        # Made before: within a test wkhtmltopdf asks for them in the read-only transaction of its report.
        for bundle in ("web.report_assets_common", "web.report_assets_pdf"):
            self.env["ir.qweb"]._get_asset_bundle(bundle, js=False, autoprefix=True).css()
        original = Report._pre_render_qweb_pdf

        def forced(report, *args, **kwargs):
            return original(report.with_context(force_report_rendering=True), *args, **kwargs)

        self.patch(Report, "_pre_render_qweb_pdf", forced)
        return True

    def test_signoff_by_role(self):
        ids = ",".join(map(str, self.mech_forms.ids))
        for user in (self.manager, self.auditor, self.lead, self.librarian, self.deferral):
            text = self.ask(user, f"{_SIGNOFF}/{ids}").text
            for number in self.mech_forms.mapped("student_number"):
                self.assertIn(number, text)
        for user in (self.counsellor, self.supervisor, self.arts_clerk, self.stranger, self.graduate, self.manager_b):
            for kind in ("html", "pdf"):
                response = self.ask(user, f"{_SIGNOFF}/{ids}", kind, expected=403)
                self.assertNotIn("T2600", response.text)
        # Not even the own row: the sheet is the counsellor's.
        response = self.ask(self.graduate, f"{_SIGNOFF}/{self.forms[0].id}", expected=403)
        self.assertNotIn("T26000", response.text)

    def test_summary_by_role(self):
        for user in (self.manager, self.auditor, self.lead, self.deferral):
            self.assertIn("College of Mechanics", self.ask(user, f"{_SUMMARY}/{self.mech.id}").text)
        for user in (self.counsellor, self.arts_clerk, self.stranger, self.graduate, self.manager_b):
            for kind in ("html", "pdf"):
                for address in (
                    f"{_SUMMARY}/{self.mech.id}",
                    self.options(college_ids=self.mech.ids, session_id=self.clearance.id),
                ):
                    response = self.ask(user, address, kind, expected=403)
                    self.assertNotIn("clearance_summary", response.text)
        # Another campus' session is not read through one's own college, nor the other way round.
        self.ask(self.lead, self.options(college_ids=self.mech.ids, session_id=self.session_b.id), expected=403)

    def test_bad_addresses(self):
        """What is no id is left out; nothing to print is said in words."""
        for address in (
            f"{_SUMMARY}/0",
            self.options(college_ids="x", session_id=["y"]),
            self.options(college_ids=[{"a": 1}, None, "1; DROP"], session_id="-1"),
            self.options(college_ids=[2**70]),
        ):
            self.authenticate(self.manager.login, self.manager.login)
            with mute_logger("odoo.http", "odoo.sql_db"):
                response = self.url_open(f"/report/html/{address}")
            self.assertIn(response.status_code, (400, 404, 422), address)
        self.ask(self.manager, f"{_SIGNOFF}/999999999")

    def test_what_stands_there(self):
        self.students[0].name = "<script>alert(1)</script> Eve"
        self.students[1].graduation_state = "postponed"
        ids = ",".join(map(str, self.mech_forms.ids))
        document = html.fromstring(self.ask(self.manager, f"{_SIGNOFF}/{ids}").content)
        self.assertFalse(document.xpath("//section//script"))
        self.assertEqual(len(document.xpath("//section")), 2)
        first = document.xpath("//section")[0]
        self.assertEqual(len(first.xpath(".//table[contains(@class, 'signoff_table')]")), 1)
        self.assertTrue(first.xpath(".//thead/tr/th[@scope='col']"))
        for cell in first.xpath(".//td[contains(@class, 'signoff_cell')]"):
            self.assertTrue(cell.xpath(".//i[contains(@class, 'o_clearance_icon')]"))
            self.assertTrue(cell.text_content().strip())
        text = " ".join(first.text_content().split())
        for part in ("Sign-off sheet: M1", "As of 20", "Counsellor (signature)", "College (stamp)", "Withdrawn", "Eve"):
            self.assertIn(part, text)
        text = " ".join(
            html.fromstring(self.ask(self.manager, f"{_SUMMARY}/{self.arts.id}").content).text_content().split()
        )
        for part in (
            "Summary of the clearance: College of Arts",
            "By class",
            "By step",
            "Stamp of the college",
            "3 (1)",
        ):
            self.assertIn(part, text)

    def test_pdf_of_signoff(self):
        """Forty graduates: three pages, each with its head, nobody cut off."""
        forms = self.forms[:2] | self.add_graduates(38)
        if not self.force_pdf():
            self.skipTest("no wkhtmltopdf")
        response = self.ask(self.counsellor, f"{_SIGNOFF}/{','.join(map(str, forms.ids))}", "pdf")
        reader = PdfFileReader(io.BytesIO(response.content))
        self.assertEqual(reader.getNumPages(), 3)
        numbers = []
        for page in reader.pages:
            text = re.sub(r"\s", "", page.extractText())
            for part in ("Sign-offsheet:M1", "Studentnumber", "Counsellor(signature)"):
                self.assertIn(part, text)
            self.assertGreater(page.mediaBox.getWidth(), page.mediaBox.getHeight())
            numbers += re.findall(r"T26\d{3,4}", text)
        self.assertEqual(sorted(set(numbers)), sorted(forms.mapped("student_number")))

    def test_pdf_of_summary(self):
        if not self.force_pdf():
            self.skipTest("no wkhtmltopdf")
        address = self.options(college_ids=(self.mech | self.arts).ids, session_id=self.clearance.id)
        reader = PdfFileReader(io.BytesIO(self.ask(self.manager, address, "pdf").content))
        self.assertEqual(reader.getNumPages(), 2)
        text = [re.sub(r"\s", "", page.extractText()) for page in reader.pages]
        self.assertEqual(
            [f"CollegeofArts{'' if 'CollegeofArts' in page else '?'}" for page in text][-1][:13], "CollegeofArts"
        )
        for page in text:
            self.assertIn("Stampofthecollege", page)

    def test_pdf_of_a_long_form(self):
        """Of a form on two pages the second says whose it is."""
        for number in range(18):
            self._create_step(f"Further step {number}", self.affairs_office)
        self.clearance.with_company(self.campus)._open()
        if not self.force_pdf():
            self.skipTest("no wkhtmltopdf")
        report = "graduate_clearance.report_clearance_form"
        response = self.ask(self.counsellor, f"{report}/{self.forms[0].id},{self.forms[1].id}", "pdf")
        reader = PdfFileReader(io.BytesIO(response.content))
        self.assertEqual(reader.getNumPages(), 4)
        for page, number in zip(reader.pages, ("T26000", "T26000", "T26001", "T26001"), strict=True):
            self.assertIn(number, page.extractText())
