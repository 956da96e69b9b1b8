"""Debts lists of offices: what is read, what becomes of whom, what is shown, and the way back."""

import base64
import csv
import io
from datetime import timedelta

import openpyxl

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..debts_list import parse
from . import test_batch

HEADERS = ("Student number", "Item", "Quantity", "Amount", "Remark")


def make_csv(rows, headers=HEADERS, encoding="utf-8"):
    file = io.StringIO()
    csv.writer(file).writerows([headers, *rows])
    return file.getvalue().encode(encoding)


def make_workbook(rows, headers=HEADERS):
    book = openpyxl.Workbook()
    for row in (headers, *rows):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class DebtsCommon(test_batch.BatchCommon):
    def debts(self, *rows, user=None, step=None, content=None, filename="owed.csv", **values):
        """The draft of a debts list, on student cards unless another step is named."""
        content = make_csv(rows) if content is None else content
        return self.batch(
            user,
            step,
            kind="debts",
            numbers_file=base64.b64encode(content),
            numbers_filename=filename,
            **values,
        )

    def take_in(self, *rows, **values):
        """A debts list, run to the end."""
        batch = self.debts(*rows, **values)
        batch.action_preview()
        if batch.todo_count:
            self.finish(batch)
        return batch

    def owed(self, student, step=None):
        """What is owed by the lists: ``(item, quantity, amount, remark)``."""
        status = self.status(student, step or self.card)
        debts = self.env["clearance.debt"].search([("status_id", "=", status.id)])
        return [(debt.item, debt.quantity, debt.amount, debt.remark or "") for debt in debts]

    def outcomes(self, batch):
        return [(line.given or line.form_id.student_number, line.outcome) for line in batch.line_ids.sorted("id")]

    def log_count(self):
        return self.env["clearance.log"].search_count([])


@tagged("post_install", "-at_install")
class TestDebtsList(test_batch.BatchCommon):
    """Reading a file, without a batch."""

    def _parse(self, content, filename="owed.csv"):
        return parse(self.env, content, filename)

    def test_columns_in_either_language(self):
        """Order, case, brackets and extra columns do not matter; rows of a title are passed over."""
        rows = [("2026 级欠费名单",), ("备注", "姓名", "学号", "金额(元)", "物品名称", "数量", "座位")]
        rows.append(("二楼", "张三", "T26000", "1,234.50", "钥匙", "2", "A1"))
        for content in ("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode("gb18030"),):
            found = self._parse(content)
            [debt] = found.debts
            self.assertEqual(
                (debt.line, debt.number, debt.item, debt.quantity, debt.amount, debt.remark),
                (3, "T26000", "钥匙", 2.0, 1234.5, "二楼"),
            )
            self.assertEqual(found.unread, ["座位"])

    def test_workbook(self):
        book = make_workbook([("T26000", "=1+1", 2, 35.300000000000004, None), (20260001, None, None, "¥ 20 元", "x")])
        first, second = self._parse(book, "owed.xlsx").debts
        # A formula that no program has worked out has no value.
        self.assertEqual((first.item, first.quantity, first.amount), ("", 2.0, 35.3))
        self.assertEqual((second.number, second.amount, second.problems), ("20260001", 20.0, ()))

    def test_what_cannot_be_read_is_named(self):
        """Row, column and value of each problem."""
        rows = [
            ("T26000", "Key", "two", "", ""),
            ("", "Key", "1", "", ""),
            ("2.02E+11", "Key", "", "", ""),
            ("T26001", "Key", "", "-5", ""),
            ("T26002", "x" * 201, "", "1.234,50", ""),
            ("T26003", "", "", "99999999999", ""),
        ]
        debts = self._parse(make_csv(rows)).debts
        self.assertEqual([debt.line for debt in debts], [2, 3, 4, 5, 6, 7])
        texts = [" ".join(debt.problems) for debt in debts]
        self.assertEqual(texts[0], "Quantity: “two” is not a number.")
        self.assertEqual(texts[1], "The student number is missing.")
        self.assertIn("“2.02E+11”: format its column as text", texts[2])
        self.assertIn("Amount: “-5” is less than nothing", texts[3])
        self.assertIn("Amount: “1.234,50” is not a number.", texts[4])
        self.assertIn("is longer than 200 characters", texts[4])
        self.assertIn("Amount: “99999999999” is too much.", texts[5])

    def test_no_header(self):
        for content in (b"T26000,Key\nT26001,Key\n", make_csv([], headers=("Name", "Item"))):
            with self.assertRaisesRegex(UserError, "no column headed “student number”"):
                self._parse(content)

    def test_files_that_are_none(self):
        for content, filename, message in (
            (b"", "a.csv", "is empty"),
            (b"%PDF-1.4", "a.pdf", "neither CSV nor Excel"),
            (b"PK\x03\x04 broken", "a.xlsx", "damaged"),
        ):
            with self.assertRaisesRegex(UserError, message):
                self._parse(content, filename)

    def test_own_template(self):
        """The template is read by what it is the template of, in each language."""
        self.env["res.lang"]._activate_lang("zh_CN")
        for lang in ("en_US", "zh_CN"):
            batch = self.env["clearance.batch"].with_context(lang=lang).with_user(self.librarian)
            content = batch._make_debts_template()
            book = openpyxl.load_workbook(io.BytesIO(content))
            book.worksheets[0].append(["T26000", "Key", 1, 5, "lost"])
            file = io.BytesIO()
            book.save(file)
            [debt] = self._parse(file.getvalue(), "t.xlsx").debts
            self.assertEqual(
                (debt.number, debt.item, debt.quantity, debt.amount, debt.remark), ("T26000", "Key", 1.0, 5.0, "lost")
            )

    def test_signs_that_no_text_has(self):
        [debt] = self._parse(b"Number,Item\nT26000,Ke\x07y\n").debts
        self.assertEqual(debt.item, "Ke y")


@tagged("post_install", "-at_install")
class TestDebts(DebtsCommon):
    def test_preview_tells_and_does_nothing(self):
        self.decide(self.status(self.students[1], self.card, self.affairs), "approve")
        before = self.log_count()
        batch = self.debts(
            ("T26000", "Key", 1, "20", "room 0101"),
            ("t26000", "Towel", 2, "", ""),
            ("T26001", "Card", "", "15", ""),
            ("T29999", "Card", "", "15", ""),
            ("T26002", "Card", "many", "", ""),
        )
        batch.action_preview()
        self.assertEqual(
            [(line.line_number, line.given, line.row_decision, line.outcome) for line in batch.line_ids.sorted("id")],
            [
                (2, "T26000", "owe", "todo"),
                (4, "T26001", "reopen", "todo"),
                (5, "T29999", "owe", "refused"),
                (6, "T26002", False, "refused"),
            ],
        )
        first, _second, _unknown, bad = batch.line_ids.sorted("id")
        self.assertEqual(first.row_reason, "Key × 1: $ 20.00 (room 0101), Towel × 2".replace("$ ", "$\xa0"))
        self.assertEqual(bad.message, "Row 6: Quantity: “many” is not a number.")
        self.assertEqual((self.log_count(), self.env["clearance.debt"].search_count([])), (before, 0))
        self.assertEqual(batch.name, "Return student card · debts list owed.csv · 4 rows")

    def test_listed(self):
        """Open stays open, confirmed is reopened, rejected stays rejected; each reads what it owes."""
        reopened, rejected = (self.status(self.students[i], self.card, self.affairs) for i in (1, 2))
        self.decide(reopened, "approve")
        self.decide(rejected, "reject", "Not yours")
        batch = self.take_in(
            ("T26000", "Key", 1, "20", ""), ("T26001", "Key", 1, "", ""), ("T26002", "Book", "", "5.5", "torn")
        )
        self.assertEqual(self.states(), ["pending", "pending", "rejected", "pending", "pending", "pending"])
        self.assertEqual((batch.state, batch.done_count), ("done", 3))
        self.assertEqual(self.owed(self.students[0]), [("Key", 1.0, 20.0, "")])
        self.assertEqual(self.owed(self.students[2]), [("Book", 0.0, 5.5, "torn")])
        self.assertEqual(rejected.reason, "Book: $\xa05.50 (torn)")
        lines = self.env["clearance.log"].search([("batch_id", "=", batch.id)], order="id")
        self.assertEqual(sorted(lines.mapped("action")), ["owe", "owe", "reopen"])
        self.assertEqual(set(lines.mapped("user_id")), {self.affairs})
        self.assertEqual(
            self.env["clearance.debt"].search([]).mapped("line_id"), lines.sorted(lambda line: line.form_id.id)
        )
        self.assertEqual(self.states(students=self.students[3]), ["pending"], "Not listed: left alone.")

    def test_same_list_again_changes_nothing(self):
        rows = [("T26000", "Key", 1, "20", ""), ("T26000", "Towel", 2, "", ""), ("T26001", "", "", "35.00", "")]
        self.take_in(*rows, is_complete=True)
        before, states = self.log_count(), self.states()
        again = self.take_in(*rows, is_complete=True)
        self.assertEqual(set(self.outcomes(again)), {("T26000", "already"), ("T26001", "already")})
        self.assertEqual((self.log_count(), self.states()), (before, states))
        self.assertEqual(self.env["clearance.debt"].with_context(active_test=False).search_count([]), 3)

    def test_another_list_replaces_what_was_owed(self):
        self.take_in(("T26000", "Key", 1, "20", ""), ("T26000", "Towel", 1, "", ""))
        self.take_in(("T26000", "Key", 1, "10", "half paid"))
        self.assertEqual(self.owed(self.students[0]), [("Key", 1.0, 10.0, "half paid")])
        history = self.env["clearance.debt"].with_context(active_test=False).search([], order="id")
        self.assertEqual(history.mapped("active"), [False, False, True])

    def test_complete_list_settles_the_others(self):
        """Through the gate: what waits for other steps stays open, and is told; what was owed there is taken off."""
        batch = self.take_in(("T26000", "Key", 1, "", ""), is_complete=True)
        self.assertEqual(self.states(), ["pending"] + ["approved"] * 5)
        self.assertEqual((batch.done_count, batch.row_count), (6, 6))
        self.take_in(("T26000", "Diploma fee", "", "9", ""), step=self.degree, user=self.mech_clerk)
        again = self.take_in(("T26001", "Fee", "", "9", ""), step=self.degree, user=self.mech_clerk, is_complete=True)
        self.assertEqual(self.owed(self.students[0], self.degree), [])
        self.assertEqual(self.states(self.degree), ["pending"] * 6)
        line = self.line(again, "T26000")
        self.assertEqual(line.outcome, "done")
        self.assertIn("What was owed is taken off; the step stays open. Not settled yet: ", line.message)
        third = self.line(again, "T26002")
        self.assertEqual((third.outcome, third.code), ("refused", "missing"))
        self.assertFalse(self.line(again, "T26003"), "Another college's desk.")

    def test_empty_complete_list_settles_everybody(self):
        batch = self.take_in(content=make_csv([]), is_complete=True)
        self.assertEqual((batch.done_count, set(self.states())), (6, {"approved"}))
        with self.assertRaisesRegex(UserError, "nobody on the list"):
            self.take_in(content=make_csv([]))

    def test_noughts(self):
        """A list that names everybody, with a nought for who owes nothing."""
        rows = [("T26000", "Fee", "", "12", ""), ("T26001", "Fee", "", "0", ""), ("T26002", "Fee", "0", "0.00", "")]
        batch = self.debts(*rows)
        batch.action_preview()
        self.assertEqual(self.line(batch, "T26001").code, "nothing_owed")
        self.assertIn("Owes nothing", self.line(batch, "T26001").message)
        self.take_in(*rows, is_complete=True)
        self.assertEqual(self.states(), ["pending"] + ["approved"] * 5)
        self.assertFalse(self.owed(self.students[1]))

    def test_number_alone(self):
        self.take_in(content=b"\xe5\xad\xa6\xe5\x8f\xb7\nT26000\n")
        self.assertEqual(self.status(self.students[0], self.card).reason, "Something is owed; ask Student Affairs.")

    def test_complete_list_with_rows_that_cannot_be_read(self):
        """Whom such a row means is unknown: nobody is settled, and it is said why."""
        batch = self.debts(("T26000", "Key", "", "", ""), ("2.02E+11", "Key", "", "", ""), is_complete=True)
        with self.assertRaisesRegex(UserError, "(?s)some rows cannot be read.*Row 3: A spreadsheet has shortened"):
            batch.action_preview()
        self.assertEqual((batch.state, batch.row_count), ("draft", 0))
        batch.write({"is_complete": False})
        batch.action_preview()
        self.assertEqual(self.outcomes(batch), [("T26000", "todo"), ("2.02E+11", "refused")])

    def test_warnings(self):
        batch = self.debts(
            content=make_csv(
                [("T26000", "Key", 1, 1, "", "A"), ("T29999", "Key", 1, 1, "", "A")], headers=(*HEADERS, "Shelf")
            ),
            is_complete=True,
        )
        batch.action_preview()
        self.assertIn("These columns are not read: Shelf", batch.warning)
        self.assertIn("Numbers of the list that are no graduate's (1): T29999.", batch.warning)

    def test_older_list(self):
        self.take_in(("T26000", "Key", 1, "", ""))
        older = self.debts(("T26000", "Towel", 1, "", ""), as_of=fields.Datetime.now() - timedelta(days=2))
        older.action_preview()
        self.assertIn("Graduates of whom a list with a later “as of” is known: 1", older.warning)
        with self.assertRaisesRegex(ValidationError, "lies in the future"):
            older.write({"as_of": fields.Datetime.now() + timedelta(days=1)})

    def test_decided_since_the_preview(self):
        """A row does what its preview has shown, or nothing."""
        batch = self.debts(("T26000", "Key", 1, "", ""), ("T26001", "Key", 1, "", ""), is_complete=True)
        batch.action_preview()
        paid = self.status(self.students[0], self.card, self.manager)
        self.decide(paid, "approve")
        self.decide(self.status(self.students[2], self.card, self.manager), "reject", "Still missing")
        self.finish(batch)
        self.assertEqual(self.line(batch, "T26000").code, "changed")
        self.assertEqual(self.line(batch, "T26002").code, "changed")
        self.assertIn("decided on this step since", self.line(batch, "T26000").message)
        self.assertEqual(self.states()[:3], ["approved", "pending", "rejected"])
        self.assertFalse(self.owed(self.students[0]))

    def test_two_lists_previewed_together(self):
        first, second = self.debts(("T26000", "Key", 1, "", "")), self.debts(("T26000", "Towel", 1, "", ""))
        first.action_preview()
        second.action_preview()
        self.finish(first)
        self.finish(second)
        self.assertEqual(self.line(second, "T26000").code, "changed")
        self.assertEqual(self.owed(self.students[0]), [("Key", 1.0, 0.0, "")])

    def test_settling_by_hand_ends_debts(self):
        """As history; taken back, they are owed again."""
        self.take_in(("T26000", "Key", 1, "20", ""))
        card = self.status(self.students[0], self.card, self.affairs)
        [outcome] = card._decide("approve", "desk")
        self.assertEqual(self.owed(self.students[0]), [])
        [debt] = self.env["clearance.debt"].with_context(active_test=False).search([])
        self.assertEqual((debt.active, debt.ended_line_id.id), (False, outcome.line))
        card._undo([outcome.line], "desk")
        self.assertEqual(self.owed(self.students[0]), [("Key", 1.0, 20.0, "")])
        self.assertEqual((card.state, card.reason), ("pending", "Key × 1: $\xa020.00"))

    def test_excluded_rows(self):
        batch = self.debts(("T26000", "Key", 1, "", ""), ("T26001", "Key", 1, "", ""), is_complete=True)
        batch.action_preview()
        (self.line(batch, "T26000") | self.line(batch, "T26005")).action_exclude()
        self.finish(batch)
        self.assertFalse(self.owed(self.students[0]))
        self.assertEqual(self.states()[5], "pending")
        self.assertEqual((batch.done_count, batch.excluded_count), (4, 2))

    def test_closed_session(self):
        batch = self.debts(("T26000", "Key", 1, "", ""), is_complete=True)
        batch.action_preview()
        self.clearance.action_close()
        self.finish(batch)
        self.assertEqual(set(batch.line_ids.mapped("code")), {"session_closed"})
        self.assertFalse(self.env["clearance.debt"].search_count([]))

    def test_listed_stand_first(self):
        batch = self.debts(("T26004", "Key", 1, "", ""), is_complete=True)
        batch.action_preview()
        self.assertEqual(batch.line_ids[0].given, "T26004")

    def test_in_parts(self):
        batch = self.debts(*((f"T2600{i}", "Key", 1, "", "") for i in range(6)))
        batch.action_preview()
        self.assertEqual(self.finish(batch, limit=4), 2)
        self.assertEqual(self.env["clearance.debt"].search_count([]), 6)

    def test_step_of_a_source_system(self):
        """A person's list needs no more than its debts to open; to settle it needs a reason."""
        batch = self.debts(("T26000", "Atlas", 1, "", ""), step=self.books, user=self.librarian, is_complete=True)
        with self.assertRaisesRegex(UserError, "Give the reason first"):
            batch.action_preview()
        batch.write({"reason": "System down since Monday"})
        batch.action_preview()
        self.finish(batch)
        self.assertEqual(self.states(self.books), ["pending"] + ["approved"] * 5)
        feed = self.env["clearance.feed"].create({"name": "Library system"})
        self.books.feed_id = feed
        outcomes = feed._hear(
            self.books, [{"student_number": "T26000", "quantity": 0, "amount": 0}], fields.Datetime.now()
        )
        self.assertEqual(outcomes, {"T26000": "kept"}, "The office's word stands; both are shown.")
        self.assertEqual(self.owed(self.students[0], self.books), [("Atlas", 1.0, 0.0, "")])

    def test_undo(self):
        """States, reasons and debts as they were before."""
        self.take_in(("T26000", "Key", 1, "20", ""))
        approved = self.status(self.students[1], self.card, self.affairs)
        self.decide(approved, "approve")
        before = [(status.state, status.reason, status.user_id, status.door) for status in self.statuses(self.card)]
        batch = self.take_in(("T26000", "Towel", 1, "", ""), ("T26001", "Card", "", "", ""), is_complete=True)
        self.assertEqual(self.states()[:3], ["pending", "pending", "approved"])
        self.undo(batch)
        after = [(status.state, status.reason, status.user_id, status.door) for status in self.statuses(self.card)]
        self.assertEqual(after, before)
        self.assertEqual(self.owed(self.students[0]), [("Key", 1.0, 20.0, "")])
        self.assertEqual(self.owed(self.students[1]), [])
        self.assertEqual((batch.state, batch.undone_count), ("undone", 6))

    def test_undo_of_what_was_listed_anew(self):
        first = self.take_in(("T26000", "Key", 1, "", ""), ("T26001", "Key", 1, "", ""))
        self.take_in(("T26000", "Towel", 1, "", ""))
        self.undo(first)
        self.assertEqual((first.state, first.undone_count, first.kept_count), ("partly_undone", 1, 1))
        self.assertEqual(self.owed(self.students[0]), [("Towel", 1.0, 0.0, "")])
        self.assertEqual(self.owed(self.students[1]), [])

    def test_optional_step(self):
        """An optional step never blocks; what is owed on it is told all the same, and taken off again."""
        self.take_in(("T26000", "Deposit form", 1, "", ""), step=self.deposit, user=self.librarian)
        self.assertEqual(self.states(self.deposit)[0], "optional")
        self.assertEqual(self.owed(self.students[0], self.deposit), [("Deposit form", 1.0, 0.0, "")])
        self.take_in(content=make_csv([]), step=self.deposit, user=self.librarian, is_complete=True)
        self.assertEqual(self.owed(self.students[0], self.deposit), [])

    def test_many_items_in_one_text(self):
        self.take_in(*(("T26000", f"Book {i}", "", "10", "") for i in range(8)))
        self.assertEqual(len(self.owed(self.students[0])), 8)
        self.assertEqual(
            self.status(self.students[0], self.card).reason,
            "Book 0: $\xa010.00, Book 1: $\xa010.00, Book 2: $\xa010.00, Book 3: $\xa010.00, Book 4: $\xa010.00,"
            " 3 more; together $\xa080.00",
        )

    def test_kind_is_told_once(self):
        batch = self.debts(("T26000", "Key", 1, "", ""))
        with self.assertRaisesRegex(UserError, "stays of the kind"):
            batch.write({"kind": "criteria"})
        self.assertEqual(batch.copy().kind, "debts")
        with self.assertRaisesRegex(UserError, "Upload the list first"):
            self.batch(kind="debts").action_preview()
        officer = self.batch(self.deferral, kind="debts", decision="lift")
        self.assertEqual(officer.decision, "approve")

    def test_nobody_writes_debts(self):
        self.take_in(("T26000", "Key", 1, "", ""))
        debt = self.env["clearance.debt"].search([])
        for env in (self.env, self.env(user=self.manager)):
            for call in (
                lambda env=env: debt.with_env(env).write({"amount": 0}),
                lambda env=env: debt.with_env(env).unlink(),
                lambda env=env: env["clearance.debt"].create({"status_id": debt.status_id.id}),
            ):
                with self.assertRaises(UserError), mute_logger("odoo.addons.base.models.ir_model"):
                    call()


@tagged("post_install", "-at_install")
class TestDebtsAccess(DebtsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.feed = cls.env["clearance.feed"].create({"name": "Library system", "unit": "books"})
        cls.books.feed_id = cls.feed

    def setUp(self):
        super().setUp()
        self.take_in(*((f"T2600{i}", "Key", 1, "20", "") for i in range(6)))
        told = [{"student_number": f"T2600{i}", "quantity": 2, "amount": 0} for i in (0, 3)]
        self.feed._hear(self.books, told, fields.Datetime.now())

    def _numbers(self, user, model):
        found = self.env[model].with_user(user).search([])
        return sorted(found.mapped("form_id.student_id.student_number")) if found else []

    def test_who_sees_what(self):
        all_keys = [f"T2600{i}" for i in range(6)]
        everything = sorted([*all_keys, "T26000", "T26003"])
        for user, debts, report in (
            (self.affairs, all_keys, all_keys),
            (self.librarian, [], ["T26000", "T26003"]),
            (self.counsellor, ["T26000", "T26001"], ["T26000", "T26000", "T26001"]),
            (self.supervisor, ["T26003"], ["T26003", "T26003"]),
            (self.lead, ["T26000", "T26001", "T26002"], ["T26000", "T26000", "T26001", "T26002"]),
            (self.deferral, all_keys, everything),
            (self.auditor, all_keys, everything),
            (self.manager, all_keys, everything),
        ):
            with self.subTest(user=user.login):
                for model, expected in (("clearance.debt", debts), ("clearance.debt.report", report)):
                    found = self.env[model].with_user(user).search([]).sudo()
                    self.assertEqual(sorted(row.form_id.student_id.student_number for row in found), expected)
                rows = self.env["clearance.debt"].with_user(user)._get_rows([])
                self.assertEqual(sorted(row["student_number"] for row in rows), report)

    def test_nobody_else_sees_anything(self):
        for user in (self.graduate, self.other_graduate, self.stranger):
            for model in ("clearance.debt", "clearance.debt.report"):
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(user).search_read([])

    def test_another_campus(self):
        other = self.env["res.company"].create({"name": "Other campus"})
        manager = new_test_user(
            self.env,
            "t_other_manager",
            groups="base.group_user,graduate_clearance.group_manager",
            company_id=other.id,
            company_ids=other.ids,
        )
        for model in ("clearance.debt", "clearance.debt.report"):
            found = self.env[model].with_user(manager).with_context(allowed_company_ids=other.ids).search([])
            self.assertFalse(found)

    def test_another_offices_list_is_refused(self):
        """Whoever uploads: row by row the gate says whose step it is."""
        for user in (self.librarian, self.counsellor, self.lead):
            with self.subTest(user=user.login):
                if user == self.lead:
                    with self.assertRaises(AccessError):
                        self.debts(("T26000", "Card", 1, "", ""), user=user)
                    continue
                batch = self.take_in(("T26000", "Card", 1, "", ""), user=user, is_complete=True)
                self.assertEqual(self.outcomes(batch), [("T26000", "refused")])
        self.assertEqual(self.owed(self.students[0]), [("Key", 1.0, 20.0, "")])

    def test_template_by_url(self):
        for user, status in ((self.librarian, 200), (self.manager, 200), (self.auditor, 403), (self.graduate, 403)):
            with self.subTest(user=user.login), mute_logger("odoo.http", "odoo.addons.base.models.ir_model"):
                self.authenticate(user.login, user.login)
                answer = self.url_open("/clearance/debts/template")
                self.assertEqual(answer.status_code, status)
                if status == 200:
                    book = openpyxl.load_workbook(io.BytesIO(answer.content))
                    self.assertEqual([cell.value for cell in book.worksheets[0][1]], list(HEADERS))
        self.authenticate(None, None)
        answer = self.url_open("/clearance/debts/template", allow_redirects=False)
        self.assertEqual(answer.status_code, 303, "To the login.")

    def test_saying_what_is_owed_by_rpc(self):
        """The gate's own decision: keeps the state, needs a reason, and is nobody's but the office's."""

        def answer(user, student=0, reason="Owes a key"):
            status = self.status(self.students[student], self.loan if student == 0 else self.card, user)
            return status.decide("owe", reason)[0]["outcome"]

        for user, expected in (
            (self.graduate, "not_yours"),
            (self.librarian, "not_yours"),
            (self.counsellor, "not_yours"),
            (self.auditor, "not_yours"),
            (self.affairs, "done"),
            (self.manager, "done"),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(answer(user), expected)
        self.assertEqual(answer(self.affairs, reason=" "), "reason_required")
        loan = self.status(self.students[0], self.loan)
        self.assertEqual((loan.state, loan.is_open, loan.reason), ("pending", True, "Owes a key"))
        card = self.status(self.students[3], self.card, self.affairs)
        self.decide(card, "approve")
        self.assertEqual(answer(self.affairs, student=3), "not_allowed")

    def test_rows_for_a_spreadsheet(self):
        rows = self.env["clearance.debt"].with_user(self.counsellor)._get_rows([("class_id", "=", self.class_m1.id)])
        by_system = [row for row in rows if row["by_system"]]
        self.assertEqual([row["student_number"] for row in rows], ["T26000", "T26000", "T26001"])
        [row] = by_system
        self.assertEqual(
            {key: row[key] for key in ("class", "name", "station", "step", "source", "item", "quantity", "silent")},
            {
                "class": "M1",
                "name": "Test Graduate 0",
                "station": "Library",
                "step": "Return books",
                "source": "Library system",
                "item": "books",
                "quantity": 2.0,
                "silent": False,
            },
        )

    def test_settled_steps_are_not_owed(self):
        self.decide(self.statuses(self.card, self.affairs)[0], "approve")
        self.feed._hear(self.books, [{"student_number": "T26000", "quantity": 0, "amount": 0}], fields.Datetime.now())
        rows = self.env["clearance.debt"].with_user(self.counsellor)._get_rows([])
        self.assertEqual([row["student_number"] for row in rows], ["T26001"])


@tagged("post_install", "-at_install")
class TestDebtsShown(DebtsCommon, HttpCase):
    """What is owed, where people look."""

    def _get_step(self, student, step):
        form = self.status(student, step).form_id
        return next(row for row in form._get_portal_steps() if row["step_id"] == step.id)

    def test_portal(self):
        """Items, amounts, as of when and by which office; the reason is not said twice."""
        as_of = fields.Datetime.now() - timedelta(hours=3)
        self.take_in(("T26000", "Key", 2, "20", "room 0101"), ("T26000", "<b>", "", "5", ""), as_of=as_of)
        self.authenticate(self.graduate.login, self.graduate.login)
        page = self.url_open("/my/clearance").text
        for text in ("You owe:", "Key × 2", "room 0101", "As listed by Student Affairs", "&lt;b&gt;", "25.00"):
            self.assertIn(text, page)
        self.assertNotIn("<b></span>", page)
        step = self._get_step(self.students[0], self.card)
        self.assertEqual(step["reason"], "")
        self.assertEqual([item["what"] for item in step["debts"]["items"]], ["Key × 2", "<b>"])
        self.assertEqual(step["debts"]["as_of"]["iso"][:16], as_of.isoformat()[:16])
        self.authenticate(self.other_graduate.login, self.other_graduate.login)
        self.assertNotIn("You owe:", self.url_open("/my/clearance").text)

    def test_reason_of_a_later_decision(self):
        self.take_in(("T26000", "Key", 2, "20", ""))
        self.decide(self.status(self.students[0], self.card, self.affairs), "reject", "Come in person")
        step = self._get_step(self.students[0], self.card)
        self.assertEqual((step["reason"], bool(step["debts"])), ("Come in person", True))

    def test_portal_after_settling(self):
        self.take_in(("T26000", "Key", 2, "20", ""))
        self.decide(self.status(self.students[0], self.card, self.affairs), "approve")
        self.assertFalse(self._get_step(self.students[0], self.card)["debts"])

    def test_news_and_history(self):
        self.take_in(("T26000", "Key", 2, "20", ""))
        form = self.status(self.students[0], self.card).form_id
        self.assertEqual(
            form._get_portal_news()[0]["text"],
            "Student Affairs: Return student card — what you owe has been listed",
        )

    def test_page_asks_again(self):
        """A screen that waits for news hears of a list."""
        form = self.status(self.students[0], self.card).form_id
        before = form._get_portal_version(form._get_portal_head())
        self.take_in(("T26000", "Key", 2, "20", ""))
        self.assertNotEqual(form._get_portal_version(form._get_portal_head()), before)

    def test_desk(self):
        """At the own desk item by item, at another's as a warning."""
        self.take_in(("T26000", "Key", 2, "20", "room 0101"))
        form = self.status(self.students[0], self.card).form_id
        own = self.env["clearance.desk"].with_user(self.affairs).get_graduate(form.id, self.affairs_office.id)
        step = next(step for step in own["steps"] if step["step_id"] == self.card.id)
        self.assertEqual(step["debts"]["texts"], ["Key × 2: $\xa020.00 (room 0101)"])
        self.assertEqual((step["debts"]["office"], step["debts"]["who"]), ("Student Affairs", self.affairs.name))
        other = self.env["clearance.desk"].with_user(self.cashier).get_graduate(form.id, self.finance.id)
        [warning] = [warning["text"] for warning in other["warnings"] if "says the office" in warning["text"]]
        self.assertIn("Student Affairs: Return student card (Key × 2: $\xa020.00 (room 0101), as of ", warning)
        row = next(row for row in other["record"] if row["step_id"] == self.card.id)
        self.assertEqual(row["reason"], "Key × 2: $\xa020.00 (room 0101)")

        self.assertFalse(
            [warning for warning in own["warnings"] if "says the office" in warning["text"]], "Said with the step."
        )

    def test_what_is_owed_elsewhere_is_refused_to_the_desk(self):
        """A desk reads what is owed elsewhere with the graduate's record, never by searching for it."""
        self.take_in(("T26000", "Key", 2, "20", ""))
        self.assertFalse(self.env["clearance.debt"].with_user(self.cashier).search([]))


@tagged("post_install", "-at_install")
class TestDebtsPerformance(test_batch.TestBatchPerformance):
    """The number of statements does not grow with the number of rows."""

    def test_queries_do_not_grow_with_rows(self):
        """A complete list of 20 and of 100 of 120 graduates, a list after it, the way back, and what is shown."""
        counts = {}
        for size in (20, 100):
            with self.env.cr.savepoint() as savepoint:
                counts[size] = self._play("card", size)
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
        self.assertEqual(counts[20], counts[100], counts)
        # Preview, run and undo of the first list; preview and run of the second; the rows of the report.
        self.assertLessEqual(max(counts[20]), 32, counts)

    def _play(self, step, size):
        for again in (False, True):
            with self.env.cr.savepoint() as savepoint:
                counts = self._play_lists(self.campus.steps[step], size)
                if not again:
                    savepoint.rollback()
        return counts

    def _play_lists(self, step, size):
        numbers = [student.student_number for student in self.campus.students[:size]]
        first = self._list(step, [(number, item, 1, "2.50", "x") for number in numbers for item in ("Key", "Card")])
        second = self._list(step, [(number, number, 2, "", "") for number in numbers])
        manager = self.campus.session.with_user(self.env.user).env
        counts = []
        for act in (
            first.action_preview,
            first.run,
            second.action_preview,
            second.run,
            lambda: manager["clearance.debt"]._get_rows([]),
            second.undo,
        ):
            with self._counting() as counted:
                act()
            counts += counted
        self.assertEqual((first.done_count, second.undone_count), (first.row_count, size))
        return counts

    def _list(self, step, rows):
        return (
            self.env["clearance.batch"]
            .with_user(self.user)
            .create(
                {
                    "kind": "debts",
                    "session_id": self.campus.session.id,
                    "step_id": step.id,
                    "numbers_file": base64.b64encode(make_csv(rows)),
                    "numbers_filename": "owed.csv",
                    "is_complete": True,
                }
            )
        )
