"""Lists filled in without network: what is downloaded, what people make of it, what comes back."""

import base64
import csv
import io

import openpyxl

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged

from ..demo.campus import Campus
from ..station_sheet import MARK, expand_number, may_be_number, squeeze
from ..texts import join_names, join_parts
from .test_batch import BatchCommon
from .test_campaign import CampusCommon

NUMBER, NAME, STEP, STATE, WAITS, DECISION, REMARK, MARKS = (
    "Student number",
    "Full name",
    "Step",
    "State",
    "Waits for",
    "Decision",
    "Remark",
    "Mark (do not change)",
)


class List:
    """A list as a spreadsheet program has it: header and rows, to be changed and saved."""

    def __init__(self, content):
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.sheet = self.book.worksheets[0]
        values = [[cell.value for cell in row] for row in self.sheet.iter_rows()]
        self.head = next(index for index, row in enumerate(values) if DECISION in row)
        self.top, self.header, self.rows = values[: self.head], values[self.head], values[self.head + 1 :]

    def find(self, number, step=None):
        return next(row for row in self.rows if row[0] == number and (not step or row[self.at(STEP)] == step.name))

    def at(self, column):
        return self.header.index(column)

    def fill(self, number, decision, remark=None, step=None):
        row = self.find(number, step)
        row[self.at(DECISION)], row[self.at(REMARK)] = decision, remark
        return row

    def line(self, number, step=None):
        """The number of a row as spreadsheets count."""
        return self.head + 2 + self.rows.index(self.find(number, step))

    def drop(self, column):
        index = self.at(column)
        for row in (self.header, *self.rows):
            del row[index]

    def save(self, top=True):
        book = openpyxl.Workbook()
        for row in (*(self.top if top else ()), self.header, *self.rows):
            book.active.append(row)
        output = io.BytesIO()
        book.save(output)
        return output.getvalue()

    def save_csv(self, encoding="utf-8-sig"):
        output = io.StringIO()
        csv.writer(output).writerows([*self.top, self.header, *self.rows])
        return output.getvalue().encode(encoding, "replace")


class SheetCommon(BatchCommon):
    def take(self, user=None, session=None, **values):
        """What ``user`` chooses to take along."""
        Sheet = self.env["clearance.station.sheet"].with_user(user or self.affairs)
        return Sheet.create(
            {
                "session_id": (session or self.clearance).id,
                **{
                    name: [Command.set(value.ids)] if name.endswith("_ids") else value for name, value in values.items()
                },
            }
        )

    def download(self, user=None, **values):
        _name, book = self.take(user, **values)._write_book()
        return List(book.content)

    def upload(self, content, user=None, filename="list.xlsx", **values):
        """The preview of what comes back."""
        sheet = self.take(user, file=base64.b64encode(content), filename=filename, **values)
        return self.env["clearance.batch"].with_user(user or self.affairs).browse(sheet.action_upload()["res_id"])

    def answers(self, batch):
        """``(number, outcome)`` of each row, in the order of writing."""
        return [(line.given, line.outcome) for line in batch.line_ids.sorted("id")]

    def message(self, batch, number):
        line = self.line(batch, number)
        return line.conflict or line.message


@tagged("post_install", "-at_install")
class TestSheetDownload(SheetCommon):
    def test_what_is_in_it(self):
        """The open steps of the own stations, with state and what they wait for; marks are hidden."""
        self.decide(self.status(self.students[1], self.card, self.affairs), "reject", "Card lost")
        self.decide(self.status(self.students[2], self.card, self.affairs), "approve")
        taken = self.download()
        self.assertEqual(
            [(row[0], row[taken.at(STEP)]) for row in taken.rows],
            [
                ("T26003", "Return student card"),
                ("T26004", "Return student card"),
                ("T26005", "Return student card"),
                ("T26000", "Return student card"),
                ("T26000", "Confirm loan"),
                ("T26001", "Return student card"),
            ],
        )
        self.assertIn("Rejected", taken.find("T26001")[taken.at(STATE)])
        self.assertEqual(taken.find("T26001")[taken.at("Remark so far")], "Card lost")
        self.assertIsNone(taken.find("T26001")[taken.at(REMARK)], "only what is new is written there")
        self.assertTrue(all(MARK.fullmatch(row[taken.at(MARKS)]) for row in taken.rows))
        everything = self.download(include="all")
        self.assertEqual(len(everything.rows), 7)
        self.assertIn("Approved", everything.find("T26002")[everything.at(STATE)])

    def test_looks(self):
        """Header and numbers stay in sight, cells are locked but for two columns, one is chosen from a list."""
        taken = self.download(step_ids=self.card, class_ids=self.class_m1)
        sheet = taken.sheet
        header = taken.head + 1
        self.assertEqual(sheet.freeze_panes, f"C{header + 1}")
        self.assertTrue(sheet.auto_filter.ref.startswith(f"A{header}:"))
        self.assertTrue(sheet.protection.sheet)
        self.assertFalse(sheet.protection.autoFilter, "filters work in the protected sheet")
        open_columns = {
            column for column, cell in zip(taken.header, sheet[header + 1], strict=True) if not cell.protection.locked
        }
        self.assertEqual(open_columns, {DECISION, REMARK})
        hidden = {
            column
            for column, cell in zip(taken.header, sheet[header], strict=True)
            if sheet.column_dimensions[cell.column_letter].hidden
        }
        self.assertEqual(hidden, {MARKS})
        [validation] = sheet.data_validations.dataValidation
        self.assertEqual(validation.type, "list")
        self.assertEqual(validation.formula1, '"✓ Confirm,✗ Reject"')
        letter = sheet.cell(header, taken.at(DECISION) + 1).column_letter
        self.assertTrue(str(validation.sqref).startswith(f"{letter}{header + 1}"))
        self.assertEqual(sheet.cell(1, 1).value, "Student Affairs · Return student card · 2026 undergraduates")
        notes = " ".join(row[0] for row in taken.top if row and row[0])
        self.assertRegex(notes, r"As of \d{4}-\d\d-\d\d \d\d:\d\d, for t_affairs")
        self.assertIn("2 rows (M1)", notes)

    def test_narrowed(self):
        def numbers(**values):
            return sorted({row[0] for row in self.download(step_ids=self.card, **values).rows})

        self.assertEqual(numbers(class_ids=self.class_a1), ["T26003", "T26004", "T26005"])
        self.assertEqual(numbers(college_ids=self.mech), ["T26000", "T26001", "T26002"])
        self.assertEqual(numbers(room_ids=self.north), ["T26001", "T26003", "T26005"])
        self.assertEqual(numbers(room_ids=self.north, class_ids=self.class_m1), ["T26001"])

    def test_waits_for(self):
        taken = self.download(self.mech_clerk, step_ids=self.diploma)
        self.assertEqual(taken.rows[0][taken.at(WAITS)], "College of Mechanics Certificates: Degree certificate")

    def test_two_steps_of_one_name(self):
        self.loan.name = self.card.name
        self.loan.station_id = self.affairs_office
        taken = self.download(class_ids=self.class_m1)
        self.assertEqual({row[taken.at(STEP)] for row in taken.rows}, {"Student Affairs: Return student card"})

    def test_each_role_takes_the_own_rows_only(self):
        for user, numbers in (
            (self.affairs, {f"T2600{number}" for number in range(6)}),
            (self.librarian, {f"T2600{number}" for number in range(6)}),
            (self.mech_clerk, {"T26000", "T26001", "T26002"}),
            (self.counsellor, {"T26000", "T26001"}),
        ):
            with self.subTest(user=user.login):
                self.assertEqual({row[0] for row in self.download(user).rows}, numbers)
        self.assertEqual(len(self.download(self.manager).rows), len(self.clearance.step_ids) * 6 - 5)
        for user in (self.lead, self.auditor, self.deferral, self.stranger, self.graduate):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.take(user)

    def test_somebody_elses_choice(self):
        sheet = self.take(self.affairs)
        with self.assertRaises(AccessError):
            sheet.with_user(self.librarian).action_download()
        with self.assertRaises(AccessError):
            sheet.with_user(self.librarian)._write_book()

    def test_steps_of_others_are_not_taken_along(self):
        """However they are chosen: record rules say whose they are."""
        with self.assertRaisesRegex(UserError, "nothing to take along"):
            self.take(self.librarian, step_ids=self.card).action_download()

    def test_screen(self):
        form = Form(self.env["clearance.station.sheet"].with_user(self.affairs))
        self.assertEqual(form.session_id, self.clearance)
        self.assertEqual(form.row_count, 7)
        form.step_ids.add(self.loan)
        self.assertEqual(form.row_count, 1)
        self.assertFalse(form.strict_note)
        sheet = form.save()
        self.assertEqual(sheet.available_step_ids, self.card | self.loan)
        action = sheet.action_download()
        self.assertEqual(action["type"], "ir.actions.act_url")

    def test_station_that_takes_no_lists_says_so_before(self):
        self.affairs_office.bulk_list = False
        self.assertIn("Student Affairs takes no batches", self.take().strict_note)
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        with self.assertRaisesRegex(UserError, "Student Affairs takes no batches"):
            self.upload(taken.save())

    def test_formulas_stay_text(self):
        self.students[0].name = '=HYPERLINK("http://evil.example","x")'
        taken = self.download(step_ids=self.card, class_ids=self.class_m1)
        cell = next(cell for row in taken.sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value))
        self.assertEqual(cell.data_type, "s")

    def test_in_chinese(self):
        """Words in the user's language; a list comes back in whatever language it was taken."""
        self.env["res.lang"]._activate_lang("zh_CN")
        taken = self.download()
        taken.fill("T26000", "通过", step=self.card)
        taken.fill("T26001", "驳回", "卡已丢失")
        taken.header[taken.at(DECISION)], taken.header[taken.at(REMARK)] = "办理意见", "备注"
        taken.header[0] = "学号"
        batch = self.upload(taken.save())
        self.assertEqual(batch.line_ids.sorted("id").mapped("row_decision"), ["approve", "reject"])


@tagged("post_install", "-at_install")
class TestSheetUpload(SheetCommon):
    def test_there_and_back(self):
        """Preview, run through the gate, undo: as any batch."""
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓ Confirm")
        taken.fill("T26001", "✗ Reject", "Card is broken")
        taken.fill("T26002", "✓ Confirm", "Handed in at the hall")
        batch = self.upload(taken.save())
        self.assertEqual((batch.kind, batch.state, batch.todo_count), ("sheet", "previewed", 3))
        self.assertEqual(set(self.states()), {"pending"}, "nothing has happened yet")
        self.assertIn("Rows without a decision, which stay as they are: 3.", batch.warning)
        filled = [row[0] for row in taken.rows if row[taken.at(DECISION)]]
        self.assertEqual(self.answers(batch), [(number, "todo") for number in filled], "in the order of the file")
        line = self.line(batch, "T26001")
        self.assertEqual(line.line_number, taken.line("T26001"))
        self.assertEqual((line.row_decision, line.row_reason, line.step_id), ("reject", "Card is broken", self.card))
        self.finish(batch)
        self.assertEqual(batch.state, "done")
        self.assertEqual(self.states(), ["approved", "rejected", "approved", "pending", "pending", "pending"])
        self.assertEqual(
            self.statuses(self.card)[:3].mapped("reason"), [False, "Card is broken", "Handed in at the hall"]
        )
        lines = self.env["clearance.log"].search([("batch_id", "=", batch.id)])
        self.assertEqual(set(lines.mapped("action")), {"approve", "reject"})
        self.assertEqual((lines.user_id, set(lines.mapped("door"))), (self.affairs, {"batch"}))
        self.undo(batch)
        self.assertEqual(batch.state, "undone")
        self.assertEqual(set(self.states()), {"pending"})

    def test_the_same_file_twice(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        taken.fill("T26001", "✗", "broken")
        self.finish(self.upload(taken.save()))
        count = self.env["clearance.log"].search_count([])
        again = self.upload(taken.save())
        self.assertEqual({outcome for _number, outcome in self.answers(again)}, {"already"})
        self.assertFalse(again.line_ids.filtered("conflict"))
        again.run()
        self.assertEqual(self.env["clearance.log"].search_count([]), count)

    def test_after_an_undoing_it_works_again(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        batch = self.upload(taken.save())
        self.finish(batch)
        self.undo(batch)
        again = self.upload(taken.save())
        self.assertEqual(self.answers(again), [("T26000", "todo")])
        self.assertFalse(again.line_ids.conflict)

    def test_any_mark(self):
        """What people write for yes and no."""
        taken = self.download(step_ids=self.card, class_ids=self.class_m1)
        row = taken.find("T26000")
        for text, decision in (
            *(
                (mark, "approve")
                for mark in ("✓", "√", "✔️", "1", 1, "１", 1.0, True, "是", "Yes", " OK ", "已办理", "Approved")
            ),
            *((mark, "reject") for mark in ("✗", "×", "否", "No", "未通过", "不通过", "0", False)),
            ("↺ Reopen", "reopen"),
        ):
            with self.subTest(text=text):
                row[taken.at(DECISION)], row[taken.at(REMARK)] = text, "why"
                self.assertEqual(self.upload(taken.save()).line_ids.row_decision, decision)

    def test_unclear_cells_are_named(self):
        """Row, column and what stands there."""
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "x")
        taken.fill("T26001", "maybe")
        taken.fill("T26002", None, "came on Monday")
        taken.fill("T26003", "✗")
        taken.fill("T26004", "未办理", "later")
        taken.fill("T26005", "✓")
        batch = self.upload(taken.save())
        for number, pattern in (
            ("T26000", "“Decision”, “x”: To some this is a tick"),
            ("T26001", "“Decision”, “maybe”: Not a decision. Write “✓ Confirm”"),
            ("T26002", "“Remark”, “came on Monday”: A remark without a decision"),
            ("T26003", "“Remark” is empty: The graduate reads why"),
            ("T26004", "“Remark”, “later”: A remark without a decision"),
        ):
            with self.subTest(number=number):
                line = self.line(batch, number)
                self.assertEqual(line.outcome, "refused")
                self.assertEqual(line.line_number, taken.line(number))
                self.assertRegex(line.message, pattern)
        self.assertEqual((batch.todo_count, batch.refused_count), (1, 5))
        self.finish(batch)
        self.assertEqual(self.states(), ["pending"] * 5 + ["approved"])

    def test_step_of_a_source_system_needs_a_remark(self):
        taken = self.download(self.librarian, step_ids=self.books)
        taken.fill("T26000", "✓")
        taken.fill("T26001", "✓", "Paid for the book")
        batch = self.upload(taken.save(), self.librarian)
        self.assertEqual(self.line(batch, "T26000").outcome, "refused")
        self.assertIn("source system settles “Return books”", self.message(batch, "T26000"))
        self.assertEqual(self.line(batch, "T26001").outcome, "todo")

    def test_missing_prerequisites(self):
        taken = self.download(self.mech_clerk, step_ids=self.degree)
        taken.fill("T26000", "✓")
        batch = self.upload(taken.save(), self.mech_clerk)
        self.assertEqual(self.answers(batch), [("T26000", "refused")])
        self.assertIn("Library: Return books", self.message(batch, "T26000"))

    def test_steps_that_wait_for_each_other_in_one_list(self):
        """Both are confirmed, in their order, wherever they stand in the file."""
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        taken = self.download(self.mech_clerk)
        for step in (self.degree, self.diploma):
            taken.fill("T26000", "✓", step=step)
        taken.fill("T26001", "✓", step=self.diploma)
        taken.rows.reverse()
        batch = self.upload(taken.save(), self.mech_clerk)
        by_step = {(line.given, line.step_id): line for line in batch.line_ids}
        self.assertEqual(by_step["T26000", self.diploma].outcome, "todo")
        self.assertIn("After the rows of this list", by_step["T26000", self.diploma].row_note)
        self.assertEqual(by_step["T26001", self.diploma].outcome, "refused", "its degree is not in the list")
        self.finish(batch, limit=1)
        self.assertEqual(batch.done_count, 2)
        self.assertEqual(self.status(self.students[0], self.diploma).state, "approved")

    def test_left_out_first_half(self):
        """A step whose prerequisite has been unticked meanwhile is refused by the gate."""
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        taken = self.download(self.mech_clerk)
        for step in (self.degree, self.diploma):
            taken.fill("T26000", "✓", step=step)
        batch = self.upload(taken.save(), self.mech_clerk)
        batch.line_ids.filtered(lambda line: line.step_id == self.degree).action_exclude()
        self.finish(batch)
        self.assertEqual((batch.done_count, batch.refused_count, batch.excluded_count), (0, 1, 1))

    def test_without_decisions(self):
        with self.assertRaises(UserError) as caught:
            self.upload(self.download().save())
        self.assertIn("No row of list.xlsx has a decision", str(caught.exception))
        self.assertFalse(self.env["clearance.batch"].search([("kind", "=", "sheet")]))
        with self.assertRaisesRegex(UserError, "Choose the file"):
            self.take().action_upload()

    def test_no_list_at_all(self):
        for content, filename, pattern in (
            ("学号,姓名\nT26000,甲\n".encode("gb18030"), "名单.csv", "名单.csv has no column “Decision”"),
            (b"PK\x03\x04 broken", "list.xlsx", "damaged"),
            (b"\xd0\xcf\x11\xe0", "list.xls", "neither CSV nor Excel"),
            (b" ", "list.csv", "empty"),
            (b"Decision,Remark\nyes,\n", "list.csv", "does not say whom"),
            (b"Student number,Decision,Result\nT26000,yes,no\n", "list.csv", "two columns “Result”"),
        ):
            with self.subTest(filename=filename, pattern=pattern), self.assertRaisesRegex(UserError, pattern):
                self.upload(content, filename=filename)

    def test_access_of_the_batch(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        batch = self.upload(taken.save())
        for user in (self.librarian, self.mech_clerk, self.counsellor, self.stranger, self.graduate):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                batch.with_user(user).run()
        with self.assertRaises(AccessError):
            batch.with_user(self.auditor).run()
        self.assertEqual(batch.with_user(self.auditor).row_count, 1, "auditors see it")
        self.assertEqual(set(self.states()), {"pending"})

    def test_batch_made_by_rpc(self):
        """Without the screen: the same checks."""
        Batch = self.env["clearance.batch"].with_user(self.affairs)
        values = {"kind": "sheet", "session_id": self.clearance.id}
        with self.assertRaisesRegex(UserError, "Choose the file"):
            Batch.create(values).action_preview()
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        file = {"numbers_file": base64.b64encode(taken.save()), "numbers_filename": "list.xlsx"}
        with self.assertRaises(UserError):
            Batch.create({**values, **file, "decision": "lift"}).action_preview()
        with self.assertRaises(UserError):
            Batch.create({**values, **file, "sheet_blank_count": 3})
        batch = Batch.create({**values, **file})
        batch.action_preview()
        self.assertEqual(self.answers(batch), [("T26000", "todo")])
        with self.assertRaises(UserError):
            batch.line_ids.write({"row_decision": "reject"})
        with self.assertRaises(UserError):
            batch.line_ids.write({"seen": "x"})


@tagged("post_install", "-at_install")
class TestSheetConflicts(SheetCommon):
    def test_decided_since(self):
        """By whom and when; left out unless it is taken in by hand."""
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        taken.fill("T26001", "✓")
        self.decide(self.status(self.students[0], self.card, self.manager), "reject", "Card is another's")
        batch = self.upload(taken.save())
        line = self.line(batch, "T26000")
        self.assertEqual(line.outcome, "excluded")
        self.assertRegex(line.conflict, r"Since the list was made: “Rejected”, t_manager.*, .+\. “Card is another's”")
        self.assertIn("Rows that have changed since the list was made: 1.", batch.warning)
        self.assertEqual(batch.line_ids[0], line, "conflicts are seen first")
        # Previewed again it stays left out; taken in, it stays taken in.
        batch.action_preview()
        self.assertEqual(self.line(batch, "T26000").outcome, "excluded")
        self.line(batch, "T26000").action_include()
        batch.action_preview()
        self.assertEqual(self.line(batch, "T26000").outcome, "todo")
        # Until something else has happened.
        self.decide(self.status(self.students[0], self.card, self.manager), "reopen", "Looked again")
        batch.action_preview()
        self.assertEqual(self.line(batch, "T26000").outcome, "excluded")
        self.finish(batch)
        self.assertEqual(self.states()[:2], ["pending", "approved"])

    def test_taken_in(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        self.decide(self.status(self.students[0], self.card, self.manager), "reject", "no")
        batch = self.upload(taken.save())
        batch.line_ids.write({"excluded": False})
        self.finish(batch)
        self.assertEqual(self.states()[0], "approved")

    def test_decided_alike_is_no_conflict(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        self.decide(self.status(self.students[0], self.card, self.manager), "approve")
        batch = self.upload(taken.save())
        self.assertEqual(self.answers(batch), [("T26000", "already")])
        self.assertFalse(batch.line_ids.conflict)

    def test_decided_between_preview_and_run(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        taken.fill("T26001", "✓")
        taken.fill("T26002", "✓")
        batch = self.upload(taken.save())
        self.decide(self.status(self.students[0], self.card, self.manager), "reject", "no")
        self.decide(self.status(self.students[1], self.card, self.manager), "approve")
        self.finish(batch)
        self.assertEqual(self.line(batch, "T26000").code, "changed")
        self.assertIn("decided on this step since", self.line(batch, "T26000").message)
        self.assertEqual(self.line(batch, "T26001").outcome, "already")
        self.assertEqual(self.states()[:3], ["rejected", "approved", "approved"])

    def test_said_by_a_source_system_since(self):
        taken = self.download(self.librarian, step_ids=self.books)
        taken.fill("T26000", "✗", "Two books")
        self.settle_steps(self.books, students=self.students[0])
        batch = self.upload(taken.save(), self.librarian)
        self.assertEqual(batch.line_ids.outcome, "excluded")
        self.assertRegex(batch.line_ids.conflict, "“Approved”, Source system")

    def test_sent_something_else_since(self):
        self.send(self.students[0], self.card)
        self.status(self.students[0], self.card).sudo()._decide("submit", "portal")
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        self.assertIn("Submitted", taken.find("T26000")[taken.at(STATE)])
        sending = self.env["clearance.submission"].search([("state", "=", "sent")])
        sending.state = "past"
        self.env.flush_all()
        self.send(self.students[0], self.card)
        self.env.flush_all()
        batch = self.upload(taken.save())
        self.assertEqual(batch.line_ids.outcome, "excluded")
        self.assertIn("The graduate has sent something else", batch.line_ids.conflict)

    def test_retired_step(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        self.card.active = False
        batch = self.upload(taken.save())
        self.assertEqual(batch.line_ids.outcome, "refused")
        self.assertIn("“Return student card” has been retired", batch.line_ids.message)

    def test_withdrawn_graduate(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26001", "✓")
        self.students[1].graduation_state = "postponed"
        batch = self.upload(taken.save())
        self.assertEqual(self.answers(batch), [("T26001", "refused")])
        self.assertIn("taken out of this session", batch.line_ids.message)

    def test_row_of_another_station(self):
        taken = self.download(self.manager, step_ids=self.card | self.deposit)
        taken.fill("T26000", "✓", step=self.card)
        taken.fill("T26000", "✓", step=self.deposit)
        batch = self.upload(taken.save(), self.librarian)
        by_step = {line.step_id: line for line in batch.line_ids}
        self.assertEqual((by_step[self.card].code, by_step[self.card].outcome), ("not_yours", "refused"))
        self.assertEqual(by_step[self.deposit].outcome, "todo")
        self.finish(batch)
        self.assertEqual(self.states()[0], "pending")

    def test_somebody_elses_graduate_is_a_number_only(self):
        taken = self.download(self.manager, step_ids=self.degree)
        taken.fill("T26003", "✓")
        batch = self.upload(taken.save(), self.mech_clerk)
        [line] = batch.line_ids
        self.assertEqual((line.code, line.given), ("not_yours", "T26003"))
        self.assertFalse(line.form_id or line.status_id)
        self.assertNotIn("Graduate 3", str(line.sudo().read()))

    def test_list_of_another_session(self):
        other = self.clearance.copy({"name": "2027 undergraduates"})
        other._open()
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        with self.assertRaisesRegex(UserError, r"another session \(2026 undergraduates\), not of “2027"):
            self.upload(taken.save(), session=other)
        # Rows of two sessions in one file: those of the other one are refused.
        second = self.download(session=other)
        second.fill("T26001", "✓", step=other.step_ids.filtered(lambda step: step.name == self.card.name))
        taken.rows += second.rows
        batch = self.upload(taken.save())
        self.assertEqual(
            [(line.given, line.code) for line in batch.line_ids.sorted("id")],
            [("T26000", "done"), ("T26001", "not_in_session")],
        )

    def test_list_of_another_database(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        taken.fill("T26001", "✓")
        content = taken.save()
        # sudo: the secret that another database would have.
        self.env["ir.config_parameter"].sudo().set_param("database.secret", "another")
        with self.assertRaisesRegex(UserError, "list.xlsx was not made here"):
            self.upload(content)

    def test_changed_mark(self):
        """A single hidden cell that has been changed: that row only."""
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        row = taken.fill("T26001", "✓")
        mark = row[taken.at(MARKS)].split(".")
        mark[1] = str(int(mark[1]) + 1)
        row[taken.at(MARKS)] = ".".join(mark)
        batch = self.upload(taken.save())
        self.assertEqual(self.line(batch, "T26001").outcome, "refused")
        self.assertIn("hidden column of this row has been changed", self.message(batch, "T26001"))
        self.assertEqual(self.line(batch, "T26000").outcome, "todo")

    def test_closed_session(self):
        taken = self.download(step_ids=self.card)
        taken.fill("T26000", "✓")
        self.clearance.action_close()
        batch = self.upload(taken.save())
        self.assertEqual(batch.line_ids.code, "session_closed")


@tagged("post_install", "-at_install")
class TestSheetMangled(SheetCommon):
    """What spreadsheet programs and their users do to a file."""

    def _fill(self, **values):
        taken = self.download(step_ids=self.card, **values)
        taken.fill("T26000", "✓")
        taken.fill("T26001", "✗", "broken")
        return taken

    def _check(self, batch):
        self.assertEqual(
            {line.given: (line.row_decision, line.outcome) for line in batch.line_ids},
            {"T26000": ("approve", "todo"), "T26001": ("reject", "todo")},
        )

    def test_sorted_and_deleted(self):
        taken = self._fill()
        taken.rows = [row for row in reversed(taken.rows) if row[0] != "T26003"]
        self._check(self.upload(taken.save()))

    def test_title_deleted(self):
        self._check(self.upload(self._fill().save(top=False)))

    def test_columns_moved_and_hidden(self):
        taken = self._fill()
        for row in (taken.header, *taken.rows):
            row.insert(0, row.pop())
            row.append(row.pop(3))
        taken.drop(NAME)
        self._check(self.upload(taken.save()))

    def test_saved_as_csv_in_gb18030(self):
        self.students[0].name = "王小明"
        taken = self._fill()
        content = taken.save_csv("gb18030")
        self.assertNotEqual(content, taken.save_csv("utf-8"))
        self._check(self.upload(content, filename="离校名单.csv"))

    def test_marks_that_gb2312_does_not_know(self):
        """Excel on a Chinese Windows writes a question mark for ✓: that is told, not guessed."""
        taken = self._fill()
        taken.fill("T26001", "✗ Reject", "broken")
        batch = self.upload(taken.save_csv("gbk"), filename="list.csv")
        self.assertIn("“Decision”, “?”: Not a decision", self.message(batch, "T26000"))
        self.assertEqual(self.line(batch, "T26001").row_decision, "reject", "the word beside the sign is still there")

    def test_doubled_rows(self):
        taken = self._fill()
        taken.rows.append(list(taken.find("T26000")))
        contradiction = list(taken.find("T26001"))
        contradiction[taken.at(DECISION)] = "✓"
        taken.rows.append(contradiction)
        batch = self.upload(taken.save())
        rows = [(line.given, line.code) for line in batch.line_ids.sorted("id")]
        self.assertEqual(
            sorted(rows),
            [("T26000", "done"), ("T26000", "duplicate"), ("T26001", "duplicate"), ("T26001", "duplicate")],
        )
        messages = batch.line_ids.filtered(lambda line: line.code == "duplicate").mapped("message")
        self.assertTrue(any("Given twice, in rows" in message for message in messages))
        self.assertTrue(any("say different things" in message for message in messages))
        self.finish(batch)
        self.assertEqual(self.states()[:2], ["approved", "pending"])

    def test_hidden_column_deleted(self):
        """Found by number and step, with a warning: conflicts cannot be told."""
        taken = self._fill()
        taken.drop(MARKS)
        self.decide(self.status(self.students[0], self.card, self.manager), "reject", "no")
        batch = self.upload(taken.save())
        self._check(batch)
        self.assertIn("Rows found by student number and step: 2.", batch.warning)
        self.assertFalse(batch.line_ids.filtered("conflict"))
        self.finish(batch)
        self.assertEqual(self.states()[:2], ["approved", "rejected"])

    def test_step_column_deleted_too(self):
        taken = self._fill()
        taken.drop(MARKS)
        taken.drop(STEP)
        batch = self.upload(taken.save())
        self.assertEqual({line.outcome for line in batch.line_ids}, {"refused"})
        self.assertIn("not said which step", batch.line_ids[0].message)
        self._check(self.upload(taken.save(), step_ids=self.card))

    def test_step_by_name_code_and_station(self):
        self.card.code = "card"
        for text in ("return student card", "Student Affairs: Return student card", "CARD", " Return  student card。"):
            with self.subTest(text=text):
                content = f"学号,环节,决定\nT26000,{text},1\n".encode()
                self.assertEqual(self.upload(content, filename="list.csv").line_ids.outcome, "todo")
        batch = self.upload("学号,环节,决定\nT26000,Return key,1\n".encode(), filename="list.csv")
        self.assertIn("“Return key” is not a step of this session", batch.line_ids.message)
        self.loan.name = self.card.name
        batch = self.upload("学号,环节,决定\nT26000,Return student card,1\n".encode(), filename="list.csv")
        self.assertIn("Several steps are called", batch.line_ids.message)

    def test_written_by_hand(self):
        """Rows that were never in the list."""
        content = "学号,环节,决定\n" + "".join(
            f"{number},Return student card,是\n" for number in ("T26000", "X99", "t26001", "2.03E+11", "")
        )
        batch = self.upload(content.encode(), filename="list.csv")
        self.assertEqual(
            [(line.line_number, line.given, line.code) for line in batch.line_ids.sorted("id")],
            [
                (2, "T26000", "done"),
                (3, "X99", "no_graduate"),
                (4, "t26001", "done"),
                (5, "2.03E+11", "no_graduate"),
                (6, "", "bad"),
            ],
        )
        self.assertIn("shortened this number", batch.line_ids.sorted("id")[3].message)

    def test_numbers_with_exponents(self):
        self.clearance.student_domain = "[]"
        self.students[0].student_number = "20260001"
        self.students[1].student_number = "00123456"
        taken = self.download(step_ids=self.card)
        taken.fill("20260001", "✓")[0] = "2.0260001E7"
        taken.fill("00123456", "✓")[0] = 123456
        batch = self.upload(taken.save())
        self.assertEqual(
            [(line.form_id.student_number, line.outcome) for line in batch.line_ids.sorted("given", reverse=True)],
            [("20260001", "todo"), ("00123456", "todo")],
        )
        # A float, as a workbook holds it; and without the mark.
        taken.find("2.0260001E7")[0] = 2.0260001e7
        self.assertEqual(self.upload(taken.save()).todo_count, 2)
        content = b"Student number,Step,Decision\n2.0260001E7,Return student card,1\n"
        self.assertEqual(self.upload(content, filename="list.csv").line_ids.outcome, "todo")

    def test_sorted_in_part(self):
        """Only the visible columns were sorted: the row does not know any more whom it is about."""
        taken = self._fill()
        first, second = taken.find("T26000"), taken.find("T26001")
        first[0], second[0] = second[0], first[0]
        batch = self.upload(taken.save())
        self.assertEqual({line.code for line in batch.line_ids}, {"bad"})
        self.assertIn("only some of the columns have been sorted", batch.line_ids[0].message)

    def test_two_lists_in_one_file(self):
        taken, more = self._fill(class_ids=self.class_m1), self.download(step_ids=self.card, class_ids=self.class_m2)
        more.fill("T26002", "✓")
        taken.rows += [*more.top, more.header, *more.rows]
        batch = self.upload(taken.save())
        self.assertEqual(sorted(line.given for line in batch.line_ids), ["T26000", "T26001", "T26002"])
        self.assertEqual(batch.todo_count, 3)

    def test_long_remark(self):
        taken = self._fill()
        taken.fill("T26001", "✗", "x" * 1001)
        batch = self.upload(taken.save())
        self.assertIn("Longer than", self.message(batch, "T26001"))

    def test_words(self):
        self.assertEqual(squeeze(" ✔️ Confirm。 "), "✔confirm")
        self.assertEqual(expand_number("2.0260001E7"), "20260001")
        self.assertEqual(expand_number("2.03E+11"), "2.03E+11")
        self.assertEqual(expand_number("T26E5"), "T26E5")
        self.assertTrue(may_be_number("2.03E+11", "202600012345"))
        self.assertFalse(may_be_number("2.03E+11", "204000012345"))
        self.assertTrue(may_be_number("123", "00123"))
        self.assertFalse(may_be_number("124", "00123"))


@tagged("post_install", "-at_install")
class TestSheetUrl(SheetCommon, HttpCase):
    def test_download(self):
        sheet = self.take(self.affairs, step_ids=self.card)
        url = sheet.action_download()["url"]
        self.authenticate("t_affairs", "t_affairs")
        answer = self.url_open(url)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("spreadsheetml", answer.headers["Content-Type"])
        self.assertIn("filename*=UTF-8''Student%20Affairs", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        taken = List(answer.content)
        self.assertEqual(len(taken.rows), 6)
        self.assertIn("t_affairs", str(taken.top))

    def test_nothing_left(self):
        sheet = self.take(self.affairs, step_ids=self.card)
        self.decide(self.statuses(self.card, self.affairs), "approve")
        self.authenticate("t_affairs", "t_affairs")
        self.assertEqual(self.url_open(f"/clearance/station_sheet/{sheet.id}").status_code, 404)

    def test_others(self):
        url = f"/clearance/station_sheet/{self.take(self.affairs).id}"
        self.assertEqual(self.url_open(url).status_code, 403, "nobody is logged in")
        users = (self.librarian, self.manager, self.auditor, self.lead, self.stranger, self.graduate)
        for user in users:
            with self.subTest(user=user.login):
                self.authenticate(user.login, user.login)
                self.assertEqual(self.url_open(url).status_code, 403)
                self.assertEqual(self.url_open("/clearance/station_sheet/999999999").status_code, 403)


@tagged("post_install", "-at_install")
class TestSheetQueries(CampusCommon):
    """As many queries for 20 graduates as for 120."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus = Campus(cls.env, 120)
        cls.campus.build_roster()
        cls.campus.session._open()

    def _count(self, act):
        act()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        result = act()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before, result

    def _take(self, classes):
        Sheet = self.env["clearance.station.sheet"]
        return Sheet.create({"session_id": self.campus.session.id, "class_ids": [Command.set(classes.ids)]})

    def test_download_and_upload(self):
        classes = self.env["clearance.form"].search([("session_id", "=", self.campus.session.id)]).class_id
        counts = []
        for chosen in (classes[:1], classes):
            sheet = self._take(chosen)
            queries, (_name, book) = self._count(sheet._write_book)
            taken = List(book.content)
            for row in taken.rows:
                row[taken.at(DECISION)], row[taken.at(REMARK)] = "✗", f"Remark {row[0]}"
            content = base64.b64encode(taken.save())

            def upload(content=content):
                batch = self.env["clearance.batch"].create(
                    {
                        "kind": "sheet",
                        "session_id": self.campus.session.id,
                        "numbers_file": content,
                        "numbers_filename": "list.xlsx",
                    }
                )
                batch.action_preview()
                return batch

            previews, batch = self._count(upload)
            self.assertEqual(batch.todo_count, len(taken.rows))
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            batch.run()
            counts.append((len(taken.rows), queries, previews, self.env.cr.sql_log_count - before))
            self.assertEqual(batch.done_count, len(taken.rows))
            batch.undo(reason="again")
        (few, *small), (many, *large) = counts
        self.assertGreater(many, 3 * few)
        self.assertEqual(small, large, "download, preview and run: as many queries for a class as for all")


@tagged("post_install", "-at_install")
class TestTexts(BatchCommon):
    """Lists of names and lines of parts, in the way of the user's language."""

    def test_names_and_parts(self):
        self.assertEqual(join_names(self.env, []), "")
        self.assertEqual(join_names(self.env, ["A"]), "A")
        self.assertEqual(join_names(self.env, iter(["A", "B", "C"])), "A, B, and C")
        self.assertEqual(
            join_parts(self.env, ["3 done", "", "2 refused", "1 left out"]), "3 done, 2 refused, 1 left out"
        )
        self.assertEqual(join_parts(self.env, []), "")
        self.env["res.lang"]._activate_lang("zh_CN")
        chinese = self.env(context={**self.env.context, "lang": "zh_CN"})
        self.assertEqual(join_names(chinese, ["甲", "乙", "丙"]), "甲、乙和丙")

    def test_where_people_read_them(self):
        """No comma of English between Chinese names: at the desk, in a batch, of what a step waits for."""
        self.env["res.lang"]._activate_lang("zh_CN")
        degree = self.status(self.students[1], self.degree).with_context(lang="zh_CN")
        self.assertNotIn(", ", degree.blocked_by)
        self.assertIn("和", degree.blocked_by)
        batch = self.batch(class_ids=self.class_m1 | self.class_m2).with_context(lang="zh_CN")
        self.assertIn("M1和M2", batch.criteria)
        self.assertEqual(self.degree.with_context(lang="zh_CN").waits_for.count("和"), 1)
