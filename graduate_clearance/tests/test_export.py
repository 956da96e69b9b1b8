import base64
import io
import json
import tracemalloc
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import unquote

import openpyxl
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tests.common import new_test_user
from odoo.tools import mute_logger

from odoo.addons.graduate_clearance.models import clearance_export, clearance_export_matrix

from .common import ClearanceCommon

KINDS = ("matrix", "due", "statistics", "debts", "deferrals", "log")


class ExportCommon(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.tz = "Asia/Shanghai"
        cls.students[1].name = "=cmd|' /C calc'!A0"
        cls.forms = cls.open_session()

    def write_book(self, kind, user=None, **choice):
        """A spreadsheet as openpyxl reads it, as ``user``."""
        Export = self.env["clearance.export"].with_user(user or self.manager)
        if user:
            Export = Export.with_context(**user.env.context)
        choice.setdefault("session_id", self.clearance.id)
        name, book = Export._write(Export._prepare_choice(kind, **choice))
        self.assertTrue(name.endswith(".xlsx"))
        return openpyxl.load_workbook(io.BytesIO(book.content))

    def lift(self, status, reason, date_end=None):
        """Grant a deferral."""
        [outcome] = self.env["clearance.override"].with_user(self.deferral)._lift(status.ids, reason, date_end)
        self.assertEqual(outcome.code, "done")

    def read_sheet(self, sheet):
        """The rows below the header, each as a dict by column; the header is what is frozen last."""
        header = int("".join(filter(str.isdigit, sheet.freeze_panes))) - 1
        names = [cell.value for cell in sheet[header]]
        rows = sheet.iter_rows(min_row=header + 1, values_only=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def read_all(self, book):
        """The rows of all sheets but overview and legend."""
        return [row for sheet in book if sheet.title not in ("Legend", "Overview") for row in self.read_sheet(sheet)]

    def numbers(self, book):
        return {row["Student number"] for row in self.read_all(book)}


@tagged("post_install", "-at_install")
class TestExport(ExportCommon):
    """What stands in the spreadsheets."""

    def test_matrix(self):
        self.decide(self.status(self.students[0], self.card), "approve")
        self.decide(self.status(self.students[0], self.loan), "reject", "Not signed")
        self.lift(self.status(self.students[0], self.fees), "Agreement shown")
        book = self.write_book("matrix")
        self.assertEqual(book.sheetnames, ["A1", "M1", "M2", "Legend"])
        sheet = book["M1"]
        first, second = self.read_sheet(sheet)
        self.assertEqual(
            {key: first[key] for key in ("Student number", "Full name", "College", "Class", "Dorm room")},
            {
                "Student number": "T26000",
                "Full name": "Test Graduate 0",
                "College": "College of Mechanics",
                "Class": "M1",
                "Dorm room": "South-0202",
            },
        )
        self.assertEqual(first["★ Return student card"], "✓ Approved")
        self.assertEqual(first["★ Confirm loan"], "✗ Rejected")
        self.assertEqual(first["★ Pay arrears"], "◇ Deferred")
        self.assertEqual(first["Deposit refund"], "○ Optional", "★ marks what is required.")
        self.assertEqual(second["★ Confirm loan"], "– Not required")
        self.assertEqual(first["Form"], "↓ In progress")
        self.assertEqual(first["Steps left"], 6)
        self.assertEqual(second["Full name"], "=cmd|' /C calc'!A0")
        self.assertEqual(sheet.freeze_panes, "C6")
        self.assertEqual(sheet.auto_filter.ref, "A5:P7")

    def test_matrix_names_stations_above_their_steps(self):
        sheet = self.write_book("matrix", class_ids=self.class_m1.ids)["M1"]
        bands = {cell.column_letter: cell.value for cell in sheet[4] if cell.value}
        steps = {cell.value: cell.column_letter for cell in sheet[5]}
        self.assertEqual(bands[steps["★ Return student card"]], "Student Affairs")
        self.assertEqual(bands[steps["★ Return books"]], "Library")
        self.assertEqual(len(bands), 5, "The steps of a station stand together.")

    def test_matrix_colours(self):
        sheet = self.write_book("matrix", class_ids=self.class_m1.ids)["M1"]
        [column] = [cell.column for cell in sheet[5] if cell.value == "★ Return books"]
        self.assertEqual(sheet.cell(6, column).fill.fgColor.rgb, "FFFFF3CD")

    def test_matrix_marks_graduates_of_an_earlier_year(self):
        rows = self.read_sheet(self.write_book("matrix", class_ids=self.class_a1.ids)["A1"])
        self.assertEqual([row["Earlier year"] for row in rows], [None, None, "yes"])

    def test_matrix_in_one_sheet_and_by_college(self):
        book = self.write_book("matrix", split="none")
        self.assertEqual(book.sheetnames, ["Class matrix", "Legend"])
        self.assertEqual(len(self.read_sheet(book.worksheets[0])), 6)
        book = self.write_book("matrix", split="college")
        self.assertEqual(book.sheetnames, ["College of Arts", "College of Mechanics", "Legend"])

    def test_retired_steps_show_where_they_had_concerned_somebody(self):
        self.decide(self.statuses(self.card), "approve")
        self.card.active = False
        self.diploma.active = False
        self.clearance._open()
        self.env["clearance.status"].flush_model()
        names = {cell.value for cell in self.write_book("matrix")["M1"][5]}
        domain = [("step_id", "=", self.card.id), ("state", "!=", "not_required")]
        used = bool(self.env["clearance.status"].with_context(active_test=False).search_count(domain))
        self.assertEqual("★ Return student card" in names, used)

    def test_withdrawn_graduates_are_left_out(self):
        self.students[2].graduation_state = "postponed"
        self.assertNotIn("T26002", self.numbers(self.write_book("matrix")))
        self.assertNotIn("T26002", self.numbers(self.write_book("due")))

    def test_head_says_of_what_when_and_by_whom(self):
        moment = "2026-06-30 09:05"
        with patch.object(type(self.env.cr), "now", lambda cr: fields.Datetime.to_datetime("2026-06-30 01:05:00")):
            sheet = self.write_book("matrix", class_ids=self.class_m1.ids)["M1"]
        self.assertEqual(sheet["A1"].value, "Class matrix: M1")
        self.assertIn("2026 undergraduates", sheet["A2"].value)
        self.assertEqual(
            sheet["A3"].value, f"As of {moment} (Asia/Shanghai), exported by {self.manager.name}", "The campus' clock."
        )

    def test_due_by_station(self):
        self.decide(self.status(self.students[0], self.card), "reject", "=SUM(1)")
        book = self.write_book("due")
        self.assertEqual(book.sheetnames[0], "Overview")
        self.assertIn("Finance", book.sheetnames)
        self.assertNotIn("Deposit refund", {row["Step"] for row in self.read_all(book)}, "Optional is never due.")
        row = next(row for row in self.read_sheet(book["Student Affairs"]) if row["Student number"] == "T26000")
        self.assertEqual((row["State"], row["Remark"]), ("✗ Rejected", "=SUM(1)"))
        [overview] = [row for row in self.read_sheet(book["Overview"]) if row["Step"] == "Return student card"]
        self.assertEqual((overview["Graduates"], overview["Refused"]), (6, 1))

    def test_due_is_what_is_open(self):
        self.decide(self.statuses(self.card), "approve")
        domain = [("session_id", "=", self.clearance.id), ("is_open", "=", True)]
        count = self.env["clearance.status"].search_count(domain)
        for split in ("none", "station", "college", "class"):
            with self.subTest(split=split):
                self.assertEqual(len(self.read_all(self.write_book("due", split=split))), count)

    def test_due_shows_figures_and_deferrals(self):
        status = self.status(self.students[0], self.fees)
        self.env["clearance.figure"].create({"status_id": status.id, "amount": 120.5, "note": "Tuition"})
        until = fields.Date.today() + timedelta(days=90)
        self.lift(status, "Agreement shown", until)
        rows = self.read_sheet(self.write_book("due", station_ids=self.finance.ids)["Finance"])
        [row] = [row for row in rows if row["Student number"] == "T26000"]
        self.assertEqual((row["Amount"], row["Owes"], row["State"]), (120.5, "Tuition", "◇ Deferred"))
        self.assertEqual(row["Deferred until"].date(), until)

    def test_due_of_a_station_takes_its_desks_along(self):
        book = self.write_book("due", station_ids=self.certificates.ids)
        self.assertEqual({row["Station"] for row in self.read_all(book)}, {self.mech_desk.name, self.arts_desk.name})

    def test_statistics(self):
        self.decide(self.statuses(self.card), "approve")
        self.lift(self.status(self.students[5], self.fees), "Agreement shown")
        book = self.write_book("statistics")
        arts = next(row for row in self.read_sheet(book["By college"]) if row["College"] == "College of Arts")
        self.assertEqual((arts["Due"], arts["Cleared"], arts["Clearance rate"]), (3, 0, 0))
        total = self.read_sheet(book["By college"])[-1]
        self.assertEqual((total["College"], total["Due"]), ("Total", 6))
        steps = {(row["Step"], row["Station"]): row for row in self.read_sheet(book["By step"])}
        card = steps["Return student card", "Student Affairs"]
        self.assertEqual((card["Due"], card["Done"], card["Done (%)"]), (6, 6, 1))
        fees = steps["Pay arrears", "Finance"]
        self.assertEqual((fees["Due"], fees["Deferred"], fees["Not done"], fees["Done (%)"]), (6, 1, 5, 0))
        [header] = [row for row in book["By college"].iter_rows() if row[0].value == "College"]
        brackets = [cell.offset(1).number_format for cell in header if cell.value == "of an earlier year"]
        self.assertEqual(brackets, ["(#,##0);-#,##0;;"] * 2, "In brackets, as on the desk, and yet a number.")

    def test_statistics_agree_with_the_desk(self):
        self.decide(self.statuses(self.card)[:4], "approve")
        rows = {
            (row["Step"], row["Station"]): (row["Due"], row["Not done"] + row["Deferred"], row["Done (%)"])
            for row in self.read_sheet(self.write_book("statistics")["By step"])
        }
        expected = {
            (
                self.env["clearance.step"].browse(row["step_id"]).name,
                self.env["clearance.station"].browse(row["station_id"]).name,
            ): (row["due"], row["open"], row["done_rate"] / 100)
            for row in self.clearance.with_user(self.manager).get_statistics()
        }
        self.assertEqual(rows.keys(), expected.keys())
        for key, figures in rows.items():
            self.assertEqual(figures[:2], expected[key][:2])
            self.assertAlmostEqual(figures[2], expected[key][2])

    def test_statistics_crossed(self):
        self.decide(self.statuses(self.card)[:1], "approve")
        rows = self.read_sheet(self.write_book("statistics")["Not done, classes"])
        self.assertEqual([row["Return student card"] for row in rows], [3, 1, 1, 5])

    def test_log(self):
        self.decide(self.statuses(self.card, self.manager), "approve")
        rows = self.read_sheet(self.write_book("log")["Log"])
        newest = rows[0]
        self.assertEqual((newest["Action"], newest["Who"]), ("Confirmed", self.manager.name))
        self.assertEqual((newest["State before"], newest["State after"]), ("↓ Not done", "✓ Approved"))
        self.assertEqual(len(rows), self.env["clearance.log"].search_count([("session_id", "=", self.clearance.id)]))

    def test_log_of_some_days(self):
        """Days begin at midnight on the campus."""
        self.decide(self.statuses(self.card), "approve")
        today = self.clearance._get_campus_time(self.env.cr.now()).date()
        self.assertTrue(self.read_all(self.write_book("log", date_from=today, date_to=today)))
        with self.assertRaisesRegex(UserError, "nothing to export"):
            self.write_book("log", date_from=today + timedelta(days=1))
        with self.assertRaisesRegex(UserError, "nothing to export"):
            self.write_book("log", date_to=today - timedelta(days=1))

    def test_deferrals(self):
        status = self.status(self.students[0], self.fees)
        self.lift(status, "+86 agreement")
        [row] = self.read_sheet(self.write_book("deferrals")["Deferrals"])
        self.assertEqual((row["Reason"], row["Restriction"]), ("+86 agreement", "Restriction lifted"))
        self.env["clearance.override"].search([("status_id", "=", status.id)]).with_user(self.deferral).action_restore()
        [row] = self.read_sheet(self.write_book("deferrals", session_id=None)["Deferrals"])
        self.assertEqual((row["Restriction"], row["Restored by"]), ("Restored", self.deferral.name))

    def test_deferrals_in_the_words_of_their_list(self):
        """The state that SQL works out is that of the model, for each of them."""
        statuses = self.statuses(self.fees)
        ends = [None, fields.Date.today() + timedelta(days=2), None]
        for status, end in zip(statuses[:3], ends, strict=True):
            self.lift(status, "x", end)
        self.decide(statuses[2].with_user(self.manager), "approve", "paid")
        overrides = self.env["clearance.override"].search([("session_id", "=", self.clearance.id)])
        with freeze_time(fields.Datetime.now() + timedelta(days=5)):
            now = fields.Datetime.now()
            with patch.object(type(self.env.cr), "now", lambda cr: now):
                overrides.invalidate_recordset()
                words = dict(overrides._fields["state"]._description_selection(self.env))
                rows = self.read_sheet(self.write_book("deferrals")["Deferrals"])
                self.assertEqual(
                    [row["Restriction"] for row in rows], [words[override.state] for override in overrides]
                )
                self.assertEqual(len({row["Restriction"] for row in rows}), 3)

    def test_debts_are_the_rows_of_the_debts_list(self):
        status = self.status(self.students[0], self.fees)
        self.env["clearance.figure"].create({"status_id": status.id, "amount": 120.5, "note": "Tuition"})
        batch = self.env["clearance.batch"].with_user(self.affairs)
        batch = batch.create(
            {
                "kind": "debts",
                "session_id": self.clearance.id,
                "step_id": self.card.id,
                "numbers_filename": "owed.csv",
                "numbers_file": base64.b64encode(b"Student number,Item,Quantity\nT26001,Lab coat,2\n"),
            }
        )
        batch.action_preview()
        batch.run()
        rows = self.read_all(self.write_book("debts"))
        expected = (
            self.env["clearance.debt"].with_user(self.manager)._get_rows([("session_id", "=", self.clearance.id)])
        )
        self.assertEqual(len(rows), 2)
        self.assertEqual(
            [[row[name] or "" for name in ("Student number", "Step", "Item", "Quantity", "Amount")] for row in rows],
            [
                [row[name] or "" for name in ("student_number", "step", "item", "quantity", "amount")]
                for row in expected
            ],
        )
        self.assertEqual([row["Remark"] or "" for row in rows], [row["remark"] for row in expected])

    def test_in_the_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.mech.with_context(lang="fr_FR").name = "Faculté de mécanique"
        self.card.with_context(lang="fr_FR").name = "Rendre la carte"
        self.manager.lang = "fr_FR"
        Export = self.env["clearance.export"].with_user(self.manager).with_context(lang="fr_FR")
        _name, book = Export._write(Export._prepare_choice("matrix", self.clearance.id, class_ids=self.class_m1.ids))
        sheet = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]
        self.assertEqual(sheet["C6"].value, "Faculté de mécanique")
        self.assertIn("★ Rendre la carte", [cell.value for cell in sheet[5]])

    def test_file_name(self):
        self.class_m1.name = "机械/22-1"
        Export = self.env["clearance.export"].with_user(self.manager)
        choice = Export._prepare_choice("matrix", self.clearance.id, class_ids=self.class_m1.ids)
        name, _book = Export._write(choice)
        self.assertRegex(name, r"^2026 undergraduates - Class matrix - 机械22-1 - \d{4}-\d\d-\d\d \d{4}\.xlsx$")

    def test_nothing_to_export(self):
        self.decide(self.statuses(self.card), "approve")
        with self.assertRaisesRegex(UserError, "nothing to export"):
            self.write_book("due", station_ids=self.affairs_office.ids, class_ids=self.class_a1.ids)

    def test_a_draft_has_nothing(self):
        draft = self.clearance.copy()
        with self.assertRaisesRegex(UserError, "not been opened"):
            self.write_book("matrix", session_id=draft.id)

    def test_bounds(self):
        with patch.object(clearance_export, "MOST_ROWS", 3), self.assertRaisesRegex(UserError, "3 is the most"):
            self.write_book("due")
        with patch.object(clearance_export_matrix, "MOST_SHEETS", 2):
            with self.assertRaisesRegex(UserError, "3 sheets"):
                self.write_book("matrix", split="class")
            self.assertEqual(
                len(self.write_book("matrix").worksheets), 3, "By college where there are too many classes."
            )

    def test_lists_name_their_rows(self):
        shown = ("clearance.form", json.dumps([["class_id", "=", self.class_m2.id]]))
        self.assertEqual(self.numbers(self.write_book("matrix", shown=shown)), {"T26002"})
        self.assertEqual(self.numbers(self.write_book("due", shown=shown)), {"T26002"})
        shown = ("clearance.status", json.dumps([["step_id", "=", self.card.id]]))
        self.assertEqual(
            {row["Step"] for row in self.read_all(self.write_book("due", shown=shown))}, {"Return student card"}
        )
        for shown in (("clearance.form", "[['x'"), ("res.users", "[]"), ("clearance.form", '["&"]')):
            with self.subTest(shown=shown), self.assertRaises(UserError):
                self.write_book("matrix", shown=shown)

    def test_queries_do_not_grow_with_the_graduates(self):
        def count(kind, domain):
            self.env.invalidate_all()
            Export = self.env["clearance.export"].with_user(self.manager)
            before = self.env.cr.sql_log_count
            shown = ("clearance.form", json.dumps(domain)) if kind not in ("log", "deferrals") else None
            Export._write(Export._prepare_choice(kind, self.clearance.id, shown=shown, split="none"))
            return self.env.cr.sql_log_count - before

        self.lift(self.status(self.students[0], self.fees), "x")
        self.env["clearance.figure"].create(
            [{"status_id": status.id, "amount": 1} for status in self.statuses(self.fees)]
        )
        for kind in ("matrix", "due", "statistics", "debts"):
            with self.subTest(kind=kind):
                count(kind, [])
                few = count(kind, [["student_number", "=", "T26000"]])
                self.assertLessEqual(count(kind, []), few + 2)

    def test_memory_does_not_grow_with_the_graduates(self):
        """Ten times the rows of a page after the other: the same memory."""

        def get_peak(copies):
            def fetch(export, statement):
                rows = list(original(export, statement))
                return (row for _copy in range(copies) for row in rows)

            with patch.object(type(Export), "_fetch", fetch):
                tracemalloc.start()
                Export._write(Export._prepare_choice("matrix", self.clearance.id, split="none"))
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            return peak

        Export = self.env["clearance.export"].with_user(self.manager)
        original = type(Export)._fetch
        get_peak(1)
        self.assertLess(get_peak(300), 1.5 * get_peak(30))

    def test_rows_are_fetched_in_pages(self):
        with patch.object(clearance_export, "_PAGE", 2):
            self.assertEqual(len(self.numbers(self.write_book("matrix", split="none"))), 6)


@tagged("post_install", "-at_install")
class TestExportAccess(ExportCommon):
    """Who gets what: by the methods behind every door, and by address."""

    def _export(self, kind, user, **choice):
        try:
            return self.write_book(kind, user, **choice)
        except AccessError as error:
            return str(error)

    def test_nobody_but_staff(self):
        public = self.env.ref("base.public_user")
        for user in (self.graduate, self.stranger, public):
            for kind in KINDS:
                with self.subTest(user=user.login, kind=kind), self.assertRaises(AccessError):
                    self.write_book(kind, user)

    def test_a_counsellor_gets_own_classes(self):
        for kind in ("matrix", "due"):
            with self.subTest(kind=kind):
                self.assertEqual(self.numbers(self.write_book(kind, self.counsellor)), {"T26000", "T26001"})
        self.assertIn("A1", self._export("matrix", self.counsellor, class_ids=self.class_a1.ids))
        self.assertIn("whom you may export", self._export("due", self.counsellor, college_ids=self.arts.ids))

    def test_a_counsellor_who_is_an_operator_gets_no_more(self):
        self.finance.operator_ids += self.counsellor
        self.assertEqual(self.numbers(self.write_book("matrix", self.counsellor)), {"T26000", "T26001"})
        due = self.read_all(self.write_book("due", self.counsellor))
        self.assertEqual(len({row["Student number"] for row in due}), 6)
        others = {row["Station"] for row in due if row["Class"] != "M1"}
        self.assertEqual(others, {"Finance"}, "Of others, what is due at the own station.")

    def test_a_supervisor_gets_own_graduates(self):
        self.assertEqual(self.numbers(self.write_book("matrix", self.supervisor)), {"T26003"})

    def test_an_operator_gets_the_due_list_of_own_stations(self):
        rows = self.read_all(self.write_book("due", self.cashier))
        self.assertEqual({row["Station"] for row in rows}, {"Finance"})
        self.assertEqual(len(rows), 6)
        for kind in ("matrix", "debts"):
            self.assertIn("right", self._export(kind, self.cashier))
        statistics = self.read_sheet(self.write_book("statistics", self.cashier)["By step"])
        self.assertEqual({row["Station"] for row in statistics}, {"Finance"}, "Figures as on the desk.")
        with self.assertRaisesRegex(UserError, "nothing"):
            self.write_book("due", self.cashier, station_ids=self.library.ids)

    def test_whoever_lacks_the_right_is_told_so(self):
        self.assertEqual(len(self.numbers(self.write_book("due", self.auditor))), 6)
        auditors = self.env.ref("graduate_clearance.group_auditor")
        auditors.implied_ids -= self.env.ref("base.group_allow_export")
        with self.assertRaisesRegex(UserError, "Without the right"):
            self.write_book("due", self.auditor)
        form = self._open_wizard(self.auditor, kind="due")
        self.assertIn("Without the right", form.problem)

    def test_with_the_right_to_export_an_operator_gets_what_the_rules_show(self):
        self.cashier.group_ids += self.env.ref("base.group_allow_export")
        self.assertEqual(len(self.numbers(self.write_book("matrix", self.cashier))), 6)
        self.mech_clerk.group_ids += self.env.ref("base.group_allow_export")
        self.assertEqual(self.numbers(self.write_book("matrix", self.mech_clerk)), {"T26000", "T26001", "T26002"})

    def test_a_lead_gets_the_college(self):
        self.assertEqual(self.numbers(self.write_book("matrix", self.lead)), {"T26000", "T26001", "T26002"})
        self.assertIn("College of Arts", self._export("matrix", self.lead, college_ids=self.arts.ids))
        rows = self.read_sheet(self.write_book("statistics", self.lead)["By college"])
        self.assertEqual([row["College"] for row in rows], ["College of Mechanics"])

    def test_the_log_is_for_those_who_may_export(self):
        self.decide(self.statuses(self.card, self.manager), "approve")
        for user in (self.counsellor, self.cashier, self.supervisor):
            with self.subTest(user=user.login):
                self.assertIn("Export", self._export("log", user))
        self.assertEqual(len(self.read_all(self.write_book("log", self.lead))), 3, "Of the college.")
        for user in (self.manager, self.auditor):
            self.assertEqual(len(self.read_all(self.write_book("log", user))), 6)

    def test_deferrals_of_own_graduates(self):
        self.lift(self.status(self.students[0], self.fees), "x")
        self.lift(self.status(self.students[4], self.books), "x")
        for user, numbers in (
            (self.counsellor, {"T26000"}),
            (self.cashier, {"T26000"}),
            (self.librarian, {"T26004"}),
            (self.deferral, {"T26000", "T26004"}),
            (self.manager, {"T26000", "T26004"}),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self.numbers(self.write_book("deferrals", user)), numbers)

    def test_a_filter_of_the_client_shows_no_more(self):
        shown = ("clearance.form", "[]")
        self.assertEqual(self.numbers(self.write_book("matrix", self.counsellor, shown=shown)), {"T26000", "T26001"})
        shown = ("clearance.form", '["|", [1, "=", 1], [1, "=", 1]]')
        self.assertEqual(self.numbers(self.write_book("due", self.counsellor, shown=shown)), {"T26000", "T26001"})

    def test_other_campuses(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        stranger = new_test_user(
            self.env,
            "t_other",
            groups="base.group_user,graduate_clearance.group_manager",
            company_id=other.id,
            company_ids=other.ids,
        )
        stranger = stranger.with_context(allowed_company_ids=other.ids)
        for choice in ({}, {"class_ids": self.class_m1.ids}, {"station_ids": self.library.ids}):
            with self.subTest(choice=choice), self.assertRaisesRegex(AccessError, "may not see it"):
                self.write_book("matrix", stranger, **choice)
        with self.assertRaisesRegex(UserError, "No session"):
            self.write_book("matrix", stranger, session_id=None)

    def test_what_is_not_there(self):
        for choice in ({"session_id": 2**30}, {"class_ids": [2**30]}, {"college_ids": [0]}):
            with self.subTest(choice=choice), self.assertRaisesRegex(AccessError, "There is no such"):
                self.write_book("matrix", **choice)
        with self.assertRaisesRegex(UserError, "no spreadsheet"):
            self.write_book("passwords")

    # -- wizard --------------------------------------------------------------------------------

    def _open_wizard(self, user, model=None, ids=(), **defaults):
        context = {f"default_{name}": value for name, value in defaults.items()}
        if model:
            context |= {"active_model": model, "active_ids": list(ids)}
        return Form(self.env["clearance.export.choose"].with_user(user).with_context(**context))

    def test_wizard_takes_over_what_is_ticked(self):
        form = self._open_wizard(self.manager, "clearance.class", self.class_m1.ids)
        self.assertEqual((form.kind, form.class_ids[:], form.row_count), ("matrix", self.class_m1, 2))
        form = self._open_wizard(self.manager, "clearance.station", self.finance.ids)
        self.assertEqual((form.kind, form.station_ids[:], form.row_count), ("due", self.finance, 6))
        form = self._open_wizard(self.manager, "clearance.session", self.clearance.ids)
        self.assertEqual((form.kind, form.session_id), ("statistics", self.clearance))
        form = self._open_wizard(self.manager, "clearance.form", self.forms[:3].ids)
        self.assertEqual((form.kind, form.row_count), ("matrix", 3))
        form.shown_only = False
        self.assertEqual(form.row_count, 6)

    def test_wizard_takes_over_what_a_list_shows(self):
        domain = json.dumps([["class_id", "=", self.class_a1.id], ["earlier_year", "=", False]])
        form = self._open_wizard(self.manager, shown_model="clearance.form", shown_domain=domain)
        self.assertEqual((form.kind, form.row_count), ("matrix", 2))

    def test_wizard_says_what_is_wrong_before(self):
        form = self._open_wizard(self.counsellor, kind="log")
        self.assertIn("Export", form.problem)
        form.kind = "matrix"
        self.assertFalse(form.problem)
        self.assertEqual(form.row_count, 2)
        form.class_ids.add(self.class_a1)
        self.assertIn("A1", form.problem)
        wizard = form.save()
        with self.assertRaises(AccessError):
            wizard.action_download()

    def test_wizard_opens_for_every_role(self):
        roles = self.manager | self.auditor | self.deferral | self.librarian | self.counsellor | self.supervisor
        for user in roles | self.lead:
            with self.subTest(user=user.login):
                form = self._open_wizard(user)
                self.assertEqual(form.session_id, self.clearance)
        with self.assertRaises(AccessError):
            self._open_wizard(self.stranger)

    def test_download_is_an_address(self):
        wizard = self._open_wizard(self.counsellor, kind="matrix").save()
        action = wizard.action_download()
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.assertEqual(action["url"], f"/clearance/spreadsheet/matrix?choice={wizard.id}")


@tagged("post_install", "-at_install")
class TestExportDownload(ExportCommon, HttpCase):
    """The address: for whom it opens, and what it answers."""

    def _get(self, kind, login=None, **parameters):
        self.authenticate(login, login) if login else self.logout()
        query = "&".join(f"{key}={value}" for key, value in parameters.items())
        return self.url_open(f"/clearance/spreadsheet/{kind}?{query}", allow_redirects=False)

    def test_download(self):
        self.class_m1.name = "机械22-1"
        answer = self._get("matrix", "t_manager", session_id=self.clearance.id, class_id=self.class_m1.id)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(
            answer.headers["Content-Type"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )
        self.assertEqual(int(answer.headers["Content-Length"]), len(answer.content))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        disposition = answer.headers["Content-Disposition"]
        self.assertTrue(disposition.startswith("attachment; filename*=UTF-8''2026"))
        self.assertIn("机械22-1", unquote(disposition))
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        self.assertEqual(book.sheetnames, ["机械22-1", "Legend"])

    def test_roles(self):
        allowed = {
            "t_manager": {"matrix", "due", "statistics"},
            "t_lead": {"matrix", "due", "statistics"},
            "t_counsellor": {"matrix", "due", "statistics"},
            "t_supervisor": {"matrix", "due", "statistics"},
            "t_cashier": {"due", "statistics"},
        }
        for login, kinds in allowed.items():
            for kind in ("matrix", "due", "statistics", "log"):
                with self.subTest(login=login, kind=kind), mute_logger("odoo.http"):
                    code = self._get(kind, login, session_id=self.clearance.id).status_code
                    expected = 200 if kind in kinds else 403
                    if kind == "log" and login in ("t_manager", "t_lead"):
                        expected = 422  # Nothing has been decided yet.
                    self.assertEqual(code, expected)

    @mute_logger("odoo.http")
    def test_refused(self):
        for login in ("T26000", "t_stranger"):
            for kind in KINDS:
                with self.subTest(login=login, kind=kind):
                    answer = self._get(kind, login, session_id=self.clearance.id)
                    self.assertEqual(answer.status_code, 403)
                    self.assertIn("clearance staff", answer.text)
        answer = self._get("matrix")
        self.assertEqual(answer.status_code, 303)
        self.assertIn("/web/login", answer.headers["Location"])

    @mute_logger("odoo.http")
    def test_bad_addresses(self):
        for code, kind, parameters in (
            (403, "matrix", {"session_id": 2**30}),
            (403, "matrix", {"class_id": self.class_a1.id, "session_id": self.clearance.id}),
            (422, "matrix", {"class_id": "1;DROP"}),
            (422, "passwords", {}),
            (403, "matrix", {"choice": 2**30}),
        ):
            with self.subTest(kind=kind, parameters=parameters):
                self.assertEqual(self._get(kind, "t_counsellor", **parameters).status_code, code)

    @mute_logger("odoo.http")
    def test_choices_are_personal(self):
        wizard = self.env["clearance.export.choose"].with_user(self.manager).create({"kind": "matrix"})
        wizard.session_id = self.clearance
        self.env.flush_all()
        self.assertEqual(self._get("matrix", "t_manager", choice=wizard.id).status_code, 200)
        answer = self._get("matrix", "t_counsellor", choice=wizard.id)
        self.assertEqual(answer.status_code, 403)
        self.assertIn("Choose the spreadsheet again", answer.text)
