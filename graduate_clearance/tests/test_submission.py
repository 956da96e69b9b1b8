"""What a step asks for, and what graduates send: by every door, with every bad input."""

import base64
import functools
import io
import json
import zipfile
from datetime import timedelta

from lxml import html
from PIL import Image
from psycopg2 import IntegrityError

from odoo import fields, http
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger
from odoo.tools.misc import limited_field_access_token

from odoo.addons.graduate_clearance import upload
from odoo.addons.graduate_clearance.models.clearance_submission import MOST_SENDINGS, SubmissionError

from .common import ClearanceCommon
from .test_portal import PortalCommon

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HTML = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
WEBP = base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
HEIC = b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00heicmif1" + b"\x00" * 40


def picture(kind="PNG", size=(3, 2), colour=0):
    """A small picture of a format of Pillow."""
    file = io.BytesIO()
    Image.new("RGB", size, (colour, 0, 0)).save(file, kind)
    return file.getvalue()


def archive(*names, **contents):
    """A zip archive with parts of these names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in names:
            target.writestr(name, contents.get(name, "<x/>"))
    return file.getvalue()


def word(*more):
    return archive("[Content_Types].xml", "_rels/.rels", "word/document.xml", *more)


def workbook(*more):
    return archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", *more)


class TestUpload(BaseCase):
    """What a file is: by its content only."""

    def test_kinds_by_content(self):
        for expected, content in [
            (upload.PDF, PDF),
            (upload.JPEG, picture("JPEG")),
            (upload.PNG, picture()),
            (upload.WEBP, WEBP),
            (upload.HEIC, HEIC),
            (upload.WORD, word()),
            (upload.EXCEL, workbook("xl/printerSettings/printerSettings1.bin")),
        ]:
            with self.subTest(expected=expected):
                self.assertEqual(upload.read_mimetype(content), expected)

    def test_everything_else_is_refused(self):
        bomb = bytearray(picture())
        bomb[16:24] = (100_000).to_bytes(4, "big") * 2  # says that it is 100,000 pixels wide and high
        encrypted = bytearray(word())
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            encrypted[encrypted.index(mark) + offset] |= 1
        for name, content in {
            "empty": b"",
            "html": HTML,
            "svg": SVG,
            "svg with an xml head": b'<?xml version="1.0"?>' + SVG,
            "text": b"hello",
            "gif": picture("GIF"),
            "bmp": picture("BMP"),
            "avif": b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif",
            "video": b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2",
            "program": b"MZ\x90\x00" + b"\x00" * 100,
            "html before pdf": HTML + PDF,
            "half a jpeg head": b"\xff\xd8\xff",
            "png head only": b"\x89PNG\r\n\x1a\n",
            "riff but no picture": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
            "decompression bomb": bytes(bomb),
            "old word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
            "zip": archive("a.txt"),
            "open document": archive("mimetype", "content.xml"),
            "macros": word("word/vbaProject.bin"),
            "macros renamed": workbook("xl/other.bin"),
            "controls": word("word/activeX/activeX1.xml"),
            "embedded object": word("word/embeddings/oleObject1.bin"),
            "web page inside": word("word/afchunk.html"),
            "no list of parts": archive("word/document.xml"),
            "outside": word("../evil.xml"),
            "encrypted": bytes(encrypted),
            "broken archive": word()[:-30],
            "archive behind something else": PDF[:0] + b"MZ" + word(),
        }.items():
            with self.subTest(name=name):
                self.assertIsNone(upload.read_mimetype(content))

    def test_names(self):
        for name, mimetype, expected in [
            ("scan.pdf", upload.PDF, "scan.pdf"),
            ("SCAN.PDF", upload.PDF, "SCAN.pdf"),
            ("photo.jpeg", upload.JPEG, "photo.jpeg"),
            ("photo.png", upload.JPEG, "photo.jpg"),
            ("form.pdf.exe", upload.PDF, "form.pdf"),
            ("form.html", upload.PDF, "form.pdf"),
            ("of 1. June 2026", upload.PDF, "of 1. June 2026.pdf"),
            ("../../etc/passwd", upload.PNG, "passwd.png"),
            ("C:\\Users\\me\\scan.pdf", upload.PDF, "scan.pdf"),
            ('a\x00b\r\nc"<d>.pdf', upload.PDF, "abc d.pdf"),
            ("fdp.\u202eexe.pdf", upload.PDF, "fdp.exe.pdf"),
            ("还款确认书.pdf", upload.PDF, "还款确认书.pdf"),
            ("", upload.PDF, "file.pdf"),
            (".pdf", upload.PDF, "file.pdf"),
            ("...", upload.PNG, "file.png"),
            ("x" * 300 + ".pdf", upload.PDF, "x" * 80 + ".pdf"),
        ]:
            with self.subTest(name=name):
                self.assertEqual(upload.clean_name(name, mimetype), expected)


class SubmissionCommon(ClearanceCommon):
    """Five steps that ask for something, as campuses do; and an open session."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dormitory = cls.env["clearance.station"].create({"name": "Dormitory"})
        cls.ask(
            cls.loan,
            signed={"name": "Signed confirmation", "kind": "file", "template": base64.b64encode(PDF), "file_max_mb": 1},
        )
        cls.ask(
            cls.card,
            holder={"name": "Account holder"},
            bank={"name": "Bank", "kind": "selection", "choices": ["North Bank", "South Bank"]},
            account={"name": "Account number"},
        )
        cls.room = cls._create_step("Leave the room", cls.dormitory)
        cls.ask(
            cls.room,
            date={"name": "Day of leaving", "kind": "date"},
            keys={"name": "Number of keys", "kind": "float"},
            pledge={"name": "I have read the rules", "kind": "boolean"},
            photo={"name": "Photo", "kind": "file", "file_types": "image", "file_max_count": 1},
        )
        cls.destination = cls._create_step("Destination", cls.affairs_office)
        cls.ask(
            cls.destination,
            plan={"name": "What you will do", "kind": "selection", "choices": ["Work", "Study"]},
            where={"name": "Where", "kind": "text"},
            proof={"name": "Proof", "kind": "file", "required": False, "file_types": "office"},
        )
        cls.household = cls._create_step("Household stays", cls.affairs_office, required=False)
        cls.ask(
            cls.household,
            years={"name": "How long", "kind": "selection", "choices": ["One year", "Two years"]},
            promise={"name": "I will move it in time", "kind": "boolean"},
            paper={"name": "Application", "kind": "file", "file_types": "pdf", "file_max_count": 2},
        )
        cls.notice = cls._create_step("Safety notice", cls.dormitory, mode="graduate")
        if not hasattr(cls, "forms"):
            cls.forms = cls.open_session()
        else:
            cls.clearance._open()
        cls.student = cls.students[0]

    @classmethod
    def ask(cls, step, **questions):
        """Let a step ask for something; requirements are kept as ``cls.q[step][key]``."""
        if "q" not in cls.__dict__:
            cls.q = {}
        for key, values in questions.items():
            choices = [Command.create({"name": name}) for name in values.pop("choices", ())]
            requirement = cls.env["clearance.requirement"].create(
                {"step_id": step.id, "choice_ids": choices, "template_name": "form.pdf", **values}
            )
            cls.q.setdefault(step, {})[key] = requirement

    def send_as(self, user, step, student=None, **values):
        """Send a step; files are lists, a choice is its number, everything else is typed."""
        status = self.status(student or self.student, step, user)
        answers, files = self.sort_values(step, values)
        return self.env["clearance.submission"].with_user(user)._submit(status, answers, files)

    def sort_values(self, step, values):
        answers, files = {}, {}
        for key, value in values.items():
            requirement = self.q[step][key]
            if requirement.kind == "file":
                files[requirement.id] = value
            elif requirement.kind == "selection" and isinstance(value, int):
                answers[requirement.id] = requirement.choice_ids[value].id
            else:
                answers[requirement.id] = value
        return answers, files

    def send_refused(self, step, **values):
        """Problems by key, where something is wrong with what is sent."""
        error = self.refusal(lambda: self.send_as(self.graduate, step, **values))
        self.assertIsInstance(error, SubmissionError)
        keys = {requirement.id: key for key, requirement in self.q[step].items()}
        return {keys[requirement_id]: " ".join(texts) for requirement_id, texts in error.problems.items()}

    def refusal(self, call):
        """The error that a call ends in; unlike ``assertRaises`` it takes nothing back."""
        try:
            call()
        except UserError as error:
            return error
        return self.fail("was not refused")

    def rows(self, submission):
        """What staff read: value, or names of files, by label."""
        return {
            row["label"]: [file["name"] for file in row["files"]] or row["value"]
            for row in submission._get_answer_rows()
        }

    def sendings(self, step, student=None):
        status = self.status(student or self.student, step)
        return self.env["clearance.submission"].search([("status_id", "=", status.id)], order="id")

    def lines(self, step, student=None):
        """Door and action of a status's log lines, the first one first."""
        status = self.status(student or self.student, step)
        lines = self.env["clearance.log"].search([("status_id", "=", status.id)], order="id")
        return [(line.door, line.action) for line in lines]

    def ask_of(self, step, user=None):
        return self.status(self.student, step, user or self.graduate)._get_portal_ask()

    #: complete and right
    GOOD_CARD = {"holder": "Test Graduate 0", "bank": 1, "account": "0000 0000 0000 0000"}
    GOOD_ROOM = {"date": "2026-06-25", "keys": "2", "pledge": True, "photo": [("room.png", picture())]}


@tagged("post_install", "-at_install")
class TestRequirement(SubmissionCommon):
    """What managers set up."""

    def test_definition_follows(self):
        questions = self.q[self.card]
        bank = questions["bank"]
        names = [entry["name"] for entry in self.card.answer_definition]
        self.assertEqual(names, [f"r{question.id}" for question in questions.values()])
        entry = self.card.answer_definition[1]
        self.assertEqual((entry["string"], entry["type"]), ("Bank", "selection"))
        self.assertEqual(
            entry["selection"],
            [[f"c{bank.choice_ids[0].id}", "North Bank"], [f"c{bank.choice_ids[1].id}", "South Bank"]],
        )
        self.assertFalse(self.loan.answer_definition, "files are no properties")
        bank.name = "Your bank"
        bank.choice_ids[0].name = "Northern Bank"
        bank.choice_ids = [Command.create({"name": "West Bank"})]
        entry = self.card.answer_definition[1]
        self.assertEqual(entry["string"], "Your bank")
        self.assertEqual([name for _key, name in entry["selection"]], ["Northern Bank", "South Bank", "West Bank"])
        bank.choice_ids[2].unlink()
        self.assertEqual(len(self.card.answer_definition[1]["selection"]), 2)
        questions["holder"].sequence = 90
        self.assertEqual(self.card.answer_definition[-1]["name"], f"r{questions['holder'].id}")
        questions["account"].unlink()
        self.assertEqual(len(self.card.answer_definition), 2)

    def test_definition_speaks_the_language_of_the_campus(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        holder = self.q[self.card]["holder"]
        holder.with_context(lang="zh_CN").name = "户名"
        self.assertEqual(self.card.answer_definition[0]["string"], "Account holder")
        self.campus.partner_id.lang = "zh_CN"
        holder.sequence = 9
        self.assertEqual(self.card.answer_definition[0]["string"], "户名")
        holder.update_field_translations("name", {"zh_CN": "开户人"})
        self.assertEqual(self.card.answer_definition[0]["string"], "开户人")

    def test_copied_with_the_session(self):
        copy = self.clearance.copy()
        step = copy.step_ids.filtered(lambda step: step.name == "Return student card")
        self.assertEqual(step.requirement_ids.mapped("name"), ["Account holder", "Bank", "Account number"])
        self.assertEqual(step.requirement_ids[1].choice_ids.mapped("name"), ["North Bank", "South Bank"])
        names = [entry["name"] for entry in step.answer_definition]
        self.assertEqual(names, [f"r{requirement.id}" for requirement in step.requirement_ids])
        self.assertFalse(set(names) & {entry["name"] for entry in self.card.answer_definition})
        loan = copy.step_ids.filtered(lambda step: step.name == "Confirm loan")
        self.assertEqual(base64.b64decode(loan.requirement_ids.template), PDF)

    def test_checks(self):
        requirement = self.env["clearance.requirement"]
        values = {"name": "X", "step_id": self.card.id}
        with self.assertRaisesRegex(ValidationError, "needs choices"), self.env.cr.savepoint():
            requirement.create({**values, "kind": "selection"})
        with self.assertRaisesRegex(ValidationError, "needs choices"), self.env.cr.savepoint():
            self.q[self.card]["bank"].choice_ids.unlink()
        with self.assertRaisesRegex(ValidationError, "needs choices"), self.env.cr.savepoint():
            self.q[self.card]["bank"].choice_ids.active = False
        with self.assertRaisesRegex(ValidationError, "settled by a source system"), self.env.cr.savepoint():
            requirement.create({**values, "step_id": self.books.id})
        with self.assertRaisesRegex(ValidationError, "settled by a source system"), self.env.cr.savepoint():
            self.card.mode = "feed"
        for limit in ({"file_max_mb": 0}, {"file_max_mb": 21}, {"file_max_count": 0}, {"file_max_count": 11}):
            with self.subTest(limit=limit), mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
                requirement.create({**values, "kind": "file", **limit})

    def test_answered_ones_are_retired_not_deleted(self):
        submission = self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        holder, bank = self.q[self.card]["holder"], self.q[self.card]["bank"]
        for change in (
            holder.unlink,
            lambda: holder.write({"kind": "text"}),
            lambda: holder.write({"step_id": self.room.id}),
            bank.choice_ids[1].unlink,
        ):
            with self.assertRaisesRegex(UserError, "retire it"), self.env.cr.savepoint():
                change()
        holder.write({"kind": "char", "step_id": self.card.id})
        bank.choice_ids[0].unlink()
        bank.choice_ids[0].copy({"name": "East Bank", "requirement_id": bank.id})
        bank.choice_ids.filtered(lambda choice: choice.name == "South Bank").active = False
        holder.active = False
        self.env.invalidate_all()
        self.q[self.card]["account"].name = "Number of the account"
        self.assertEqual(
            self.rows(submission),
            {
                "Account holder": "Test Graduate 0",
                "Bank": "South Bank",
                "Number of the account": "0000 0000 0000 0000",
            },
        )
        self.assertEqual(submission.answers[f"r{holder.id}"], "Test Graduate 0")
        self.assertEqual(submission.answers[f"r{bank.id}"], "South Bank")
        found = self.env["clearance.submission"].search(
            [("step_id", "=", self.card.id), (f"answers.r{holder.id}", "ilike", "graduate 0")]
        )
        self.assertEqual(found, submission)
        # Nobody is asked for it any more, and somebody else's is not missing.
        self.assertNotIn("Account holder", [field["label"] for field in self.ask_of(self.card)["fields"]])
        other = self.send_as(self.other_graduate, self.card, self.students[1], bank=0, account="1")
        self.assertEqual(self.rows(other), {"Bank": "East Bank", "Number of the account": "1"})

    def test_unanswered_ones_go_with_the_files_of_drafts(self):
        self.send_refused(self.room, photo=[("a.png", picture())])
        draft = self.sendings(self.room)
        attachment = draft.file_ids.attachment_id
        self.q[self.room]["photo"].unlink()
        self.assertFalse(attachment.exists())
        self.assertFalse(draft.file_ids)

    def test_closed_session_is_read_only(self):
        self.clearance.action_close()
        bank = self.q[self.card]["bank"]
        for change in (
            lambda: self.env["clearance.requirement"].create({"name": "X", "step_id": self.card.id}),
            lambda: bank.write({"name": "X"}),
            bank.unlink,
            bank.choice_ids[0].unlink,
            lambda: bank.choice_ids[0].write({"name": "X"}),
            bank.choice_ids[0].copy,
        ):
            with self.assertRaisesRegex(UserError, "read-only"), self.env.cr.savepoint():
                change()


@tagged("post_install", "-at_install")
class TestSending(SubmissionCommon):
    """From a graduate to the office, through the gate."""

    def test_loan_confirmation(self):
        self.assertEqual(self.send_refused(self.loan), {"signed": "Add a file."})
        submission = self.send_as(self.graduate, self.loan, signed=[("scan.pdf", PDF), ("p.HEIC", HEIC)])
        self.assertEqual(self.rows(submission), {"Signed confirmation": ["scan.pdf", "p.heic"]})
        self.assertEqual(submission.file_ids.mapped("mimetype"), ["application/pdf", "image/heic"])
        self.assertEqual(submission.file_ids[0].attachment_id.raw, PDF)

    def test_card_refund(self):
        submission = self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        self.assertEqual((submission.state, submission.number), ("sent", 1))
        self.assertTrue(submission.sent_at)
        self.assertEqual(self.status(self.student, self.card).state, "submitted")
        self.assertEqual(self.lines(self.card), [("portal", "submit")])
        self.assertEqual(
            self.rows(submission),
            {"Account holder": "Test Graduate 0", "Bank": "South Bank", "Account number": "0000 0000 0000 0000"},
        )
        self.assertFalse(submission.typed)

    def test_dorm_check_out(self):
        submission = self.send_as(self.graduate, self.room, **dict(self.GOOD_ROOM, keys="２.50"))
        self.assertEqual(
            self.rows(submission),
            {
                "Day of leaving": "06/25/2026",
                "Number of keys": "2.5",
                "I have read the rules": "Yes",
                "Photo": ["room.png"],
            },
        )
        keys = self.q[self.room]["keys"]
        self.assertEqual(submission.answers[f"r{keys.id}"], 2.5)
        self.assertTrue(submission.search([("id", "=", submission.id), (f"answers.r{keys.id}", ">", 2)]))

    def test_destination(self):
        submission = self.send_as(self.graduate, self.destination, plan=0, where="North\r\nSouth ")
        self.assertEqual(self.rows(submission), {"What you will do": "Work", "Where": "North\nSouth", "Proof": ""})
        self.status(self.student, self.destination)._decide("reject", "desk", "Which company?")
        submission = self.send_as(self.graduate, self.destination, proof=[("contract.docx", word())])
        self.assertEqual(self.rows(submission)["Proof"], ["contract.docx"])

    def test_household_stay(self):
        self.assertEqual(self.status(self.student, self.household).state, "optional")
        paper = [("1.pdf", PDF), ("2.pdf", PDF + b"\n")]
        submission = self.send_as(self.graduate, self.household, years=1, promise="on", paper=paper)
        self.assertEqual(
            self.rows(submission),
            {"How long": "Two years", "I will move it in time": "Yes", "Application": ["1.pdf", "2.pdf"]},
        )
        self.assertEqual(self.status(self.student, self.household).state, "submitted")

    def test_bad_answers(self):
        for values, problems in [
            ({}, {"date": "Fill this in.", "keys": "Fill this in.", "pledge": "Tick this to go on."}),
            ({"date": "  ", "keys": "\x00", "pledge": ""}, {"date": "Fill", "keys": "Fill", "pledge": "Tick"}),
            ({"date": "2026-02-30", "keys": "two"}, {"date": "not a date", "keys": "“two” is not a number"}),
            ({"date": "9999-12-31", "keys": "1e9"}, {"date": "year must lie", "keys": "not a number"}),
            ({"date": "0001-01-01", "keys": "nan"}, {"date": "year must lie", "keys": "not a number"}),
            ({"date": "25.06.2026", "keys": "inf"}, {"date": "not a date", "keys": "not a number"}),
            ({"date": "today", "keys": "9" * 400}, {"date": "not a date", "keys": "not a number"}),
            ({"date": "2026-06-25'--", "keys": "1,2"}, {"date": "not a date", "keys": "not a number"}),
        ]:
            with self.subTest(values=values):
                found = self.send_refused(self.room, **values)
                for key, words in problems.items():
                    self.assertIn(words, found[key])
        self.assertEqual(self.status(self.student, self.room).state, "pending")
        self.assertFalse(self.lines(self.room))

    def test_good_spellings(self):
        question = self.q[self.room]
        for typed, value in [("1,234.5", 1234.5), ("-.5", -0.5), ("３", 3.0), ("1 000", 1000.0), (7, 7.0), ("0", 0.0)]:
            self.assertEqual(question["keys"]._parse_typed(question["keys"]._clean_typed(typed)), (value, None), typed)
        for typed in ("2026-06-25", "2026/6/25", "2026年6月25日", " 2026.06.25", fields.Date.to_date("2026-06-25")):
            cleaned = question["date"]._clean_typed(typed)
            self.assertEqual(question["date"]._parse_typed(cleaned), ("2026-06-25", None), typed)

    def test_unknown_choice(self):
        for choice in ("999999", "North Bank", "c1 OR 1=1", self.q[self.destination]["plan"].choice_ids[0].id, "-1"):
            with self.subTest(choice=choice):
                status = self.status(self.student, self.card, self.graduate)
                answers = {self.q[self.card]["bank"].id: choice}
                submissions = self.env["clearance.submission"].with_user(self.graduate)
                error = self.refusal(functools.partial(submissions._submit, status, answers, {}))
                self.assertEqual(error.problems[self.q[self.card]["bank"].id], ["Choose one of the answers offered."])

    def test_too_long(self):
        problems = self.send_refused(self.card, **dict(self.GOOD_CARD, holder="x" * 501))
        self.assertEqual(problems, {"holder": "This is too long: at most 500 characters, here are 501."})
        self.assertEqual(self.ask_of(self.card)["fields"][0]["value"], "x" * 501, "nothing typed is lost")

    def test_requirements_of_others_are_not_looked_at(self):
        """Neither another step's nor another session's."""
        foreign = self.clearance.copy().step_ids.requirement_ids
        foreign |= self.q[self.destination]["where"] | self.q[self.household]["paper"]
        answers, files = self.sort_values(self.card, self.GOOD_CARD)
        answers.update({requirement.id: "evil" for requirement in foreign})
        files = {requirement.id: [("evil.pdf", PDF)] for requirement in foreign}
        status = self.status(self.student, self.card, self.graduate)
        submission = self.env["clearance.submission"].with_user(self.graduate)._submit(status, answers, files)
        self.assertFalse(submission.file_ids)
        self.assertEqual(set(self.rows(submission)), {"Account holder", "Bank", "Account number"})
        self.assertNotIn("evil", json.dumps(submission.read(["answers"]), default=str))

    def test_bad_files(self):
        large = PDF + b"\x00" * 1024 * 1024
        for files, words in [
            ([("scan.pdf", HTML)], "“scan.pdf” cannot be taken"),
            ([("photo.png", SVG)], "Allowed: PDF or picture."),
            ([("scan.pdf", large)], "“scan.pdf” is larger than 1 MB."),
            ([("empty.pdf", b"")], "“empty.pdf” is empty."),
            ([("letter.docx", word())], "cannot be taken"),
            ([("../a\x00\u202e<b>.pdf", HTML)], "“a b .pdf” cannot be taken"),
        ]:
            with self.subTest(words=words):
                self.assertIn(words, self.send_refused(self.loan, signed=files)["signed"])
        self.assertFalse(self.sendings(self.loan).file_ids)
        many = [(f"{number}.pdf", PDF + b"\n" * number) for number in range(4)]
        self.assertIn("“3.pdf” is one too many", self.send_refused(self.loan, signed=many)["signed"])
        self.assertEqual(self.sendings(self.loan).file_ids.mapped("name"), ["0.pdf", "1.pdf", "2.pdf"])
        # The good ones were kept: without the fourth it goes.
        submission = self.send_as(self.graduate, self.loan)
        self.assertEqual(len(submission.file_ids), 3)

    def test_one_file_takes_the_place_of_another(self):
        for colour in (1, 2):
            self.send_refused(self.room, photo=[(f"{colour}.png", picture(colour=colour))])
        self.assertEqual(self.sendings(self.room).file_ids.mapped("name"), ["2.png"])
        attachments = self.env["ir.attachment"].search(
            [("res_model", "=", "clearance.submission"), ("res_id", "=", self.sendings(self.room).id)]
        )
        self.assertEqual(attachments.mapped("name"), ["2.png"])

    def test_pictures_are_kept_as_they_are(self):
        photo = picture("JPEG", (3000, 2000))
        submission = self.send_as(self.graduate, self.room, **dict(self.GOOD_ROOM, photo=[("p.jpg", photo)]))
        self.assertEqual(submission.file_ids.attachment_id.raw, photo)

    def test_nothing_is_lost_when_something_is_missing(self):
        values = {"date": "2026-06-25", "keys": "many", "photo": [("room.png", picture())]}
        self.assertEqual(set(self.send_refused(self.room, **values)), {"keys", "pledge"})
        ask = self.ask_of(self.room)
        kept = {
            field["label"]: field["value"] or [file["name"] for file in field["files"]] for field in ask["fields"][:2]
        }
        self.assertEqual(kept, {"Day of leaving": "2026-06-25", "Number of keys": "many"})
        self.assertEqual([file["name"] for file in ask["fields"][3]["files"]], ["room.png"])
        self.assertEqual([problem["label"] for problem in ask["problems"]], ["Number of keys", "I have read the rules"])
        submission = self.send_as(self.graduate, self.room, keys="1", pledge=True)
        self.assertEqual(submission.number, 1)
        self.assertEqual(self.rows(submission)["Photo"], ["room.png"])
        self.assertEqual(len(self.sendings(self.room)), 1, "the draft became the sending")

    def test_kept_without_sending(self):
        status = self.status(self.student, self.card, self.graduate)
        answers, files = self.sort_values(self.card, {"holder": "Me"})
        self.env["clearance.submission"].with_user(self.graduate)._keep(status, answers, files)
        ask = self.ask_of(self.card)
        self.assertEqual((ask["drafted"], ask["problems"], ask["sent"]), (True, [], False))
        self.assertEqual(ask["fields"][0]["value"], "Me")
        self.assertEqual(status.state, "pending")

    def test_resent_after_rejection(self):
        first = self.send_as(self.graduate, self.room, **self.GOOD_ROOM)
        status = self.status(self.student, self.room)
        self.assertEqual(self.decide(status, "reject", "The photo is dark", "desk"), ["done"])
        ask = self.ask_of(self.room)
        self.assertEqual((ask["state"], ask["reason"], ask["problems"]), ("open", "The photo is dark", []))
        self.assertEqual([field["value"] for field in ask["fields"][:3]], ["2026-06-25", "2", "1"])
        self.assertEqual([file["name"] for file in ask["fields"][3]["files"]], ["room.png"])
        # As it is: nothing has to be typed or chosen again.
        second = self.send_as(self.graduate, self.room)
        self.assertEqual(self.rows(second), self.rows(first))
        self.assertEqual((first.state, second.state, second.number), ("past", "sent", 2))
        self.assertNotEqual(first.file_ids.attachment_id, second.file_ids.attachment_id)
        self.assertEqual(second.file_ids.attachment_id.raw, first.file_ids.attachment_id.raw)
        self.assertEqual(self.lines(self.room), [("portal", "submit"), ("desk", "reject"), ("portal", "submit")])

    def test_replaced_while_unreviewed(self):
        first = self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        second = self.send_as(self.graduate, self.card, account="1111")
        self.assertEqual((first.state, second.state), ("past", "sent"))
        self.assertEqual(self.rows(first)["Account number"], "0000 0000 0000 0000")
        self.assertEqual(self.rows(second), {**self.rows(first), "Account number": "1111"})
        self.assertEqual(self.lines(self.card), [("portal", "submit"), ("portal", "withdraw"), ("portal", "submit")])
        # A replacement with a mistake leaves with the office what is there.
        self.assertEqual(set(self.send_refused(self.card, account="")), {"account"})
        self.assertEqual(second.state, "sent")
        self.assertEqual(self.status(self.student, self.card).state, "submitted")

    def test_withdrawn(self):
        submissions = self.env["clearance.submission"].with_user(self.graduate)
        status = self.status(self.student, self.card, self.graduate)
        first = self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        submissions._withdraw(status)
        submissions._withdraw(status)
        self.assertEqual((first.state, status.state), ("past", "pending"))
        self.assertEqual(self.lines(self.card), [("portal", "submit"), ("portal", "withdraw")])
        ask = self.ask_of(self.card)
        self.assertEqual((ask["state"], ask["sent"], ask["fields"][0]["value"]), ("open", False, "Test Graduate 0"))
        self.assertEqual(self.decide(status, "submit"), ["not_sent"])
        # By RPC as on the page: nothing stays behind as sent.
        second = self.send_as(self.graduate, self.card)
        self.assertEqual(self.decide(status, "withdraw"), ["done"])
        self.assertEqual((second.state, second.number), ("past", 2))

    def test_second_click_sends_nothing_again(self):
        submissions = self.env["clearance.submission"].with_user(self.graduate)
        status = self.status(self.student, self.card, self.graduate)
        answers, files = self.sort_values(self.card, self.GOOD_CARD)
        first = submissions._submit(status, answers, files, after=0)
        self.assertEqual(submissions._submit(status, answers, files, after=0), first)
        self.assertEqual(self.lines(self.card), [("portal", "submit")])
        second = submissions._submit(status, answers, files, after=first.id)
        self.assertNotEqual(second, first)

    def test_decided_meanwhile(self):
        self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        self.assertEqual(self.decide(self.status(self.student, self.card), "approve"), ["done"])
        with self.assertRaisesRegex(UserError, "cannot be done from the present state"):
            self.send_as(self.graduate, self.card, account="2")
        self.assertEqual(self.rows(self.sendings(self.card))["Account number"], "0000 0000 0000 0000")

    def test_refused_by_the_gate_keeps_the_draft(self):
        """What it says between the look and the sending."""
        self.card.mode = "graduate"
        self.card.prerequisite_ids = self.talk
        error = self.refusal(lambda: self.send_as(self.graduate, self.card, **self.GOOD_CARD))
        self.assertRegex(str(error), "(?s)not settled yet.*Exit talk")
        draft = self.sendings(self.card)
        self.assertEqual((draft.state, draft.number, draft.answers), ("draft", 0, {}))
        self.assertEqual(self.ask_of(self.card)["fields"][0]["value"], "Test Graduate 0")
        self.assertFalse(self.lines(self.card))

    def test_time(self):
        now = fields.Datetime.now()
        hour = timedelta(hours=1)
        for values, words in [
            ({"deadline": now - hour}, "is over"),
            ({"open_from": now + hour, "deadline": False}, "has not begun"),
        ]:
            with self.subTest(words=words):
                self.card.write(values)
                with self.assertRaisesRegex(UserError, words):
                    self.send_as(self.graduate, self.card, **self.GOOD_CARD)
                ask = self.ask_of(self.card)
                self.assertEqual((ask["state"], ask["can_send"], ask["fields"]), ("shut", False, []))
                self.assertRegex(ask["refusal"], words)
        self.assertFalse(self.sendings(self.card))

    def test_too_late_to_withdraw(self):
        self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        self.card.deadline = fields.Datetime.now() - timedelta(hours=1)
        with self.assertRaisesRegex(UserError, "is over"):
            self.env["clearance.submission"].with_user(self.graduate)._withdraw(
                self.status(self.student, self.card, self.graduate)
            )
        ask = self.ask_of(self.card)
        self.assertEqual((ask["state"], ask["can_withdraw"], ask["can_send"]), ("submitted", False, False))
        self.assertEqual(len(ask["sent"]["rows"]), 3)

    def test_closed_session(self):
        self.send_refused(self.card, holder="Me")
        self.clearance.action_close()
        for method, args in (("_submit", ({}, {})), ("_keep", ({}, {})), ("_remove_file", (1,)), ("_withdraw", ())):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "not open"):
                submissions = self.env["clearance.submission"].with_user(self.graduate)
                getattr(submissions, method)(self.status(self.student, self.card, self.graduate), *args)
        self.assertEqual(self.ask_of(self.card)["state"], "shut")

    def test_withdrawn_graduate(self):
        self.student.graduation_state = "postponed"
        self.clearance._open()
        self.assertFalse(self.status(self.student, self.card).active)
        with self.assertRaisesRegex(UserError, "taken out"):
            self.send_as(self.graduate, self.card, **self.GOOD_CARD)

    def test_sent_early(self):
        """Offices review before the rest is settled (Hunan Nonferrous); only their confirming waits."""
        self.card.prerequisite_ids = self.talk
        ask = self.ask_of(self.card)
        self.assertEqual((ask["state"], ask["blocked_by"]), ("open", ["Counselling: Exit talk"]))
        self.assertEqual(self.send_as(self.graduate, self.card, **self.GOOD_CARD).state, "sent")
        self.assertEqual(self.decide(self.status(self.student, self.card), "approve"), ["missing"])

    def test_settled_alone(self):
        """A step that the graduate settles: with questions by sending, without by confirming."""
        submissions = self.env["clearance.submission"].with_user(self.graduate)
        status = self.status(self.student, self.notice, self.graduate)
        ask = status._get_portal_ask()
        self.assertEqual((ask["kind"], ask["state"], ask["fields"]), ("confirm", "open", []))
        submissions._confirm(status)
        submissions._confirm(status)
        self.assertEqual(status.state, "approved")
        self.assertEqual(self.lines(self.notice), [("portal", "approve")])
        self.assertEqual(status._get_portal_ask()["state"], "settled")
        self.household.mode = "graduate"
        status = self.status(self.student, self.household, self.graduate)
        with self.assertRaisesRegex(UserError, "Fill in and send"):
            submissions._confirm(status)
        self.send_as(self.graduate, self.household, years=0, promise=True, paper=[("a.pdf", PDF)])
        self.assertEqual(status.state, "approved")
        with self.assertRaisesRegex(UserError, "not yours"):
            submissions._confirm(self.status(self.student, self.card, self.graduate))

    def test_file_removed(self):
        submissions = self.env["clearance.submission"].with_user(self.graduate)
        status = self.status(self.student, self.loan, self.graduate)
        first = self.send_as(self.graduate, self.loan, signed=[("1.pdf", PDF), ("2.pdf", PDF + b"\n")])
        self.decide(status.with_user(self.manager), "reject", "Unreadable")
        # Out of what the next one starts from; the earlier sending stays as it was.
        submissions._remove_file(status, first.file_ids[0].id)
        self.assertEqual(first.file_ids.mapped("name"), ["1.pdf", "2.pdf"])
        (field,) = self.ask_of(self.loan)["fields"]
        self.assertEqual([file["name"] for file in field["files"]], ["2.pdf"])
        submissions._remove_file(status, field["files"][0]["file_id"])
        self.assertFalse(self.ask_of(self.loan)["fields"][0]["files"])
        self.assertEqual(self.send_refused(self.loan), {"signed": "Add a file."})
        other = self.send_as(self.graduate, self.household, years=0, promise=1, paper=[("1.pdf", PDF)])
        submissions._remove_file(status, other.file_ids.id)
        self.assertTrue(other.file_ids)

    def test_sent_too_often(self):
        submission = self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        submission.sudo().number = MOST_SENDINGS
        with self.assertRaisesRegex(UserError, "too often"):
            self.send_as(self.graduate, self.card, account="3")

    def test_asks_for_nothing(self):
        self.assertIs(self.ask_of(self.deposit), False)
        self.assertIs(self.status(self.students[1], self.loan, self.other_graduate)._get_portal_ask(), False)

    def test_old_drafts_are_deleted(self):
        self.send_refused(self.room, photo=[("a.png", picture())])
        self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        drafts = self.sendings(self.room)
        self.env.flush_all()
        self.env.cr.execute("UPDATE clearance_submission SET write_date = '2020-01-01'")
        self.env.invalidate_all()
        attachment = drafts.file_ids.attachment_id
        self.env["clearance.submission"]._gc_drafts()
        self.assertFalse(drafts.exists() or attachment.exists())
        self.assertTrue(self.sendings(self.card))

    def test_queries(self):
        """As many for one question as for twenty."""

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.ask_of(self.card)
            return self.env.cr.sql_log_count - before

        self.ask(self.card, paper={"name": "Paper", "kind": "file", "required": False, "file_max_count": 3})
        self.send_as(self.graduate, self.card, **self.GOOD_CARD, paper=[("a.pdf", PDF)])
        count()
        small = count()
        for number in range(9):
            kinds = {f"f{number}": "file", f"c{number}": "selection", f"t{number}": "text"}
            questions = {key: {"name": key, "kind": kind, "required": False} for key, kind in kinds.items()}
            questions[f"c{number}"]["choices"] = ["A", "B"]
            self.ask(self.card, **questions)
        more = {f"f{number}": [(f"{number}.pdf", PDF + b"\n" * number)] for number in range(9)}
        self.send_as(self.graduate, self.card, **more, **{f"c{number}": 1 for number in range(9)})
        self.assertEqual(len(self.ask_of(self.card)["fields"]), 31)
        self.assertEqual(count(), small)
        self.assertLess(small, 25)


@tagged("post_install", "-at_install")
class TestSubmissionAccess(SubmissionCommon):
    """Who reaches what has been sent, asked as a remote caller would ask."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=None))

    def setUp(self):
        super().setUp()
        self.sent = self.send_as(self.graduate, self.loan, signed=[("scan.pdf", PDF)])
        self.send_refused(self.room, photo=[("room.png", picture())])
        self.draft = self.sendings(self.room)

    def rpc(self, user, model, method, *args, **kwargs):
        self.env.invalidate_all()
        env = self.env(user=user, context={})
        return call_kw(env[model], method, list(args), kwargs)

    def assert_denied(self, user, model, method, *args, **kwargs):
        with self.subTest(user=user.login, model=model, method=method), self.assertRaises(UserError):
            self.rpc(user, model, method, *args, **kwargs)

    def found(self, user, model, records):
        return set(self.rpc(user, model, "search", [("id", "in", records.ids)]))

    def test_who_sees_what(self):
        both = self.sent | self.draft
        for user, visible in [
            (self.graduate, both),
            (self.affairs, self.sent),
            (self.manager, self.sent),
            (self.auditor, self.sent),
            (self.other_graduate, both.browse()),
            (self.librarian, both.browse()),
            (self.counsellor, both.browse()),
            (self.lead, both.browse()),
            (self.deferral, both.browse()),
        ]:
            with self.subTest(user=user.login):
                self.assertEqual(self.found(user, "clearance.submission", both), set(visible.ids))
                files, shown = both.file_ids, visible.file_ids
                self.assertEqual(self.found(user, "clearance.submission.file", files), set(shown.ids))
                if user.share:
                    shown = shown.browse()  # graduates reach attachments by the page's own route only
                attachments = files.attachment_id
                self.assertEqual(self.found(user, "ir.attachment", attachments), set(shown.attachment_id.ids))
                for file in files:
                    read = [user, "ir.attachment", "read", file.attachment_id.ids, ["name", "raw"]]
                    if file in shown:
                        self.assertTrue(self.rpc(*read))
                    else:
                        self.assert_denied(*read)
        self.assert_denied(self.stranger, "clearance.submission", "search", [])
        self.assert_denied(self.stranger, "ir.attachment", "read", both.file_ids.attachment_id.ids, ["raw"])

    def test_counsellors_see_what_is_theirs_to_decide(self):
        self.ask(self.talk, plan={"name": "Plan"})
        sent = self.send_as(self.graduate, self.talk, plan="None")
        self.assertEqual(self.found(self.counsellor, "clearance.submission", sent), set(sent.ids))
        self.assertFalse(self.found(self.affairs, "clearance.submission", sent))

    def test_nobody_writes(self):
        values = {"status_id": self.status(self.student, self.card).id, "state": "sent"}
        other = {"name": "x.pdf", "raw": "x", "res_model": "clearance.submission", "res_id": self.sent.id}
        for user in (self.graduate, self.other_graduate, self.affairs, self.manager, self.auditor, self.stranger):
            self.assert_denied(user, "clearance.submission", "create", values)
            self.assert_denied(user, "clearance.submission", "write", self.sent.ids, {"state": "past"})
            self.assert_denied(user, "clearance.submission", "unlink", self.sent.ids)
            self.assert_denied(user, "clearance.submission.file", "create", {"submission_id": self.sent.id})
            self.assert_denied(user, "clearance.submission.file", "unlink", self.sent.file_ids.ids)
            self.assert_denied(user, "ir.attachment", "create", other)
            self.assert_denied(user, "ir.attachment", "write", self.sent.file_ids.attachment_id.ids, {"raw": "x"})
            self.assert_denied(user, "ir.attachment", "unlink", self.sent.file_ids.attachment_id.ids)
        for method in ("_submit", "_keep", "_withdraw", "_confirm", "_remove_file", "_get_answer_rows", "_send"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                self.rpc(self.graduate, "clearance.submission", method, self.sent.ids)

    def test_graduates_reach_no_questions_by_rpc(self):
        for model in ("clearance.requirement", "clearance.requirement.choice", "clearance.step"):
            self.assert_denied(self.graduate, model, "search", [])

    def test_for_somebody_else(self):
        own = self.status(self.student, self.card)
        for user in (self.other_graduate, self.affairs, self.manager, self.stranger):
            submissions = self.env["clearance.submission"].with_user(user)
            for method, args in (("_submit", ({}, {})), ("_keep", ({}, {})), ("_withdraw", ()), ("_confirm", ())):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    getattr(submissions, method)(own.with_user(user), *args)

    def test_gate_by_rpc(self):
        status = self.status(self.student, self.card)
        (answer,) = self.rpc(self.graduate, "clearance.status", "decide", status.ids, "submit")
        self.assertEqual(answer["outcome"], "not_sent")
        self.assertIn("Fill in and send", answer["message"])
        (answer,) = self.rpc(self.other_graduate, "clearance.status", "decide", status.ids, "submit")
        self.assertEqual(answer["outcome"], "not_yours")

    def test_past_sendings_stay_readable(self):
        self.send_as(self.graduate, self.loan, signed=[("new.pdf", PDF + b"\n")])
        self.assertEqual(self.sent.state, "past")
        self.assertTrue(self.rpc(self.affairs, "clearance.submission", "read", self.sent.ids, ["state", "answers"]))
        self.assertTrue(self.rpc(self.affairs, "ir.attachment", "read", self.sent.file_ids.attachment_id.ids, ["raw"]))


@tagged("post_install", "-at_install")
class TestSubmissionPage(SubmissionCommon, PortalCommon):
    """The page and its forms, without JavaScript."""

    def url(self, step, student=None):
        return f"/my/clearance/step/{self.status(student or self.student, step).id}"

    def post(self, step, action="send", user=None, fields_=None, files=(), hidden=None, student=None):
        """Press a button on the page of a step, with what the page itself sends along."""
        url = self.url(step, student)
        if hidden is None:
            document = self.page(url, user)
            hidden = {
                element.get("name"): element.get("value")
                for element in document.xpath("//form[contains(@action, '/clearance/')]//input[@type='hidden']")
            }
        data = {**hidden, **(fields_ or {})}
        upload_ = [(name, (file_name, content, kind)) for name, file_name, content, kind in files]
        return self.url_open(f"{url}/{action}", data=data, files=upload_ or None, allow_redirects=False)

    def form_fields(self, step, **values):
        answers, _files = self.sort_values(step, values)
        return {f"r{requirement_id}": str(value) for requirement_id, value in answers.items()}

    def look(self, step):
        """The page of a step in the session that is open: it shows once what the last action came to."""
        return html.fromstring(self.url_open(self.url(step)).content)

    def section(self, step, user=None):
        return self.page(self.url(step), user).get_element_by_id("ask")

    def test_sent_and_shown(self):
        section = self.section(self.card)
        self.assertIn("To fill in and send", self.text(section))
        for question in self.q[self.card].values():
            (label,) = section.xpath(f".//label[@for='ask_{question.id}']")
            self.assertIn(question.name, self.text(label))
            self.assertIn("Required", self.text(label))
        response = self.post(self.card, fields_=self.form_fields(self.card, **self.GOOD_CARD))
        self.assertEqual(response.status_code, 303)
        self.assertURLEqual(response.headers["Location"], self.url(self.card))
        self.assertEqual(self.status(self.student, self.card).state, "submitted")
        document = self.look(self.card)
        self.assertIn("Sent.", self.words(document, "alert-success"))
        words = self.text(document.get_element_by_id("ask"))
        for part in ("The office has not looked at it yet", "South Bank", "0000 0000", "Withdraw", "Replace"):
            self.assertIn(part, words)
        response = self.post(self.card, "withdraw")
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.status(self.student, self.card).state, "pending")
        self.assertEqual(self.lines(self.card), [("portal", "submit"), ("portal", "withdraw")])

    def test_problems_are_named_and_tied(self):
        response = self.post(
            self.room,
            fields_={f"r{self.q[self.room]['keys'].id}": "many"},
            files=[(f"f{self.q[self.room]['photo'].id}", "room.png", HTML, "image/png")],
        )
        self.assertTrue(response.headers["Location"].endswith("#ask"))
        section = self.section(self.room)
        (summary,) = self.find(section, "o_clearance_problems")
        self.assertEqual(summary.get("role"), "alert")
        for key, question in self.q[self.room].items():
            with self.subTest(key=key):
                control = section.get_element_by_id(f"ask_{question.id}")
                self.assertEqual(control.get("aria-invalid"), "true")
                described = control.get("aria-describedby").split()
                self.assertIn(f"ask_{question.id}_problem", described)
                for target in described:
                    self.assertTrue(self.text(section.get_element_by_id(target)))
                self.assertTrue(summary.xpath(f".//a[contains(@href, '#ask_{question.id}')]"))
        self.assertEqual(section.get_element_by_id(f"ask_{self.q[self.room]['keys'].id}").get("value"), "many")
        self.assertIn("“room.png” cannot be taken", self.text(summary))
        self.assertFalse(self.sendings(self.room).file_ids)

    def test_garbage_sent_along(self):
        """What no page sends: it neither breaks nor gets through."""
        hidden = {"csrf_token": self.page(self.url(self.card)).xpath("//input[@name='csrf_token']")[0].get("value")}
        question = self.q[self.card]["holder"].id
        for fields_, files in [
            ({"after": "9" * 5000, f"r{question}": "\x00"}, []),
            ({"after": "٣", "r": "x", "rx": "x", "r-1": "x"}, []),
            ({}, [("after", "x.pdf", PDF, "application/pdf"), (f"r{question}", "x.pdf", PDF, "application/pdf")]),
            ({f"f{self.q[self.loan]['signed'].id}": "no file"}, [("f0", "x.pdf", PDF, "application/pdf")]),
        ]:
            with self.subTest(fields=fields_):
                response = self.post(self.card, fields_=fields_, files=files, hidden=hidden)
                self.assertEqual(response.status_code, 303)
        self.assertEqual(self.status(self.student, self.card).state, "pending")
        self.assertFalse(self.sendings(self.card).file_ids)

    def test_second_click(self):
        document = self.page(self.url(self.card))
        hidden = {
            element.get("name"): element.get("value") for element in document.xpath("//form//input[@type='hidden']")
        }
        for _click in range(2):
            response = self.post(self.card, fields_=self.form_fields(self.card, **self.GOOD_CARD), hidden=hidden)
            self.assertEqual(response.status_code, 303)
        self.assertEqual(len(self.sendings(self.card)), 1)
        self.assertEqual(self.lines(self.card), [("portal", "submit")])

    def test_files_on_the_page(self):
        name = f"f{self.q[self.loan]['signed'].id}"
        self.post(
            self.loan,
            fields_={"keep": "1"},
            files=[(name, "../a.pdf", PDF, "text/html"), (name, "b.exe", picture(), "application/x-msdownload")],
        )
        section = self.section(self.loan)
        (box,) = self.find(section, "o_clearance_files")
        self.assertEqual([self.text(link) for link in box.iter("a")], ["a.pdf", "b.png"])
        control = section.get_element_by_id(f"ask_{self.q[self.loan]['signed'].id}")
        self.assertEqual(control.get("accept"), "application/pdf,image/*")
        self.assertIn("PDF or picture, at most 1 MB, up to 3 files", self.text(section))
        (button,) = box.xpath(".//button[contains(., 'a.pdf')]")
        action = button.get("formaction").rpartition("/step/")[2].partition("/")[2]
        response = self.post(self.loan, action, files=[(name, "c.pdf", HTML, "application/pdf")])
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.sendings(self.loan).file_ids.mapped("name"), ["b.png"])
        self.assertIn("“c.pdf” cannot be taken", self.text(self.section(self.loan)))
        self.post(self.loan)
        self.assertEqual(self.status(self.student, self.loan).state, "submitted")

    def test_too_large_over_http(self):
        name = f"f{self.q[self.loan]['signed'].id}"
        self.post(self.loan, files=[(name, "large.pdf", PDF + b"\x00" * 3 * 1024 * 1024, "application/pdf")])
        self.assertIn("“large.pdf” is larger than 1 MB", self.text(self.section(self.loan)))

    def test_served_safely(self):
        submission = self.send_as(self.graduate, self.room, **self.GOOD_ROOM)
        submission |= self.send_as(self.graduate, self.loan, signed=[("scan.pdf", PDF)])
        self.login(self.graduate)
        for file in submission.file_ids:
            with self.subTest(name=file.name):
                response = self.url_open(f"/my/clearance/file/{file.id}")
                self.assertEqual(response.content, file.sudo().attachment_id.raw)
                self.assertEqual(response.headers["Content-Type"], file.mimetype)
                self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
                self.assertIn("default-src 'none'", response.headers["Content-Security-Policy"])
                self.assertIn("no-store", response.headers["Cache-Control"])
                shown = response.headers["Content-Disposition"].partition(";")[0]
                self.assertEqual(shown, "inline" if file.mimetype == "image/png" else "attachment")

    def test_blank_form(self):
        url = f"{self.url(self.loan)}/blank/{self.q[self.loan]['signed'].id}"
        (link,) = self.section(self.loan).xpath(".//a[contains(., 'Download the blank form')]")
        self.assertTrue(link.get("href").endswith(url))
        response = self.url_open(url)
        self.assertEqual((response.status_code, response.content), (200, PDF))
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertIn("form.pdf", response.headers["Content-Disposition"])
        # Neither by another step nor by another graduate, nor where there is none.
        self.assertEqual(
            self.url_open(f"{self.url(self.card)}/blank/{self.q[self.loan]['signed'].id}").status_code, 404
        )
        self.assertEqual(self.url_open(f"{self.url(self.room)}/blank/{self.q[self.room]['photo'].id}").status_code, 404)
        self.login(self.other_graduate)
        self.assertEqual(self.url_open(url).status_code, 404)

    def test_nothing_of_others(self):
        sent = self.send_as(self.graduate, self.loan, signed=[("scan.pdf", PDF)])
        file, attachment = sent.file_ids, sent.file_ids.attachment_id
        token = attachment.sudo().generate_access_token()[0]
        attachment.sudo().access_token = False
        self.env.flush_all()
        addresses = [
            f"/my/clearance/file/{file.id}",
            f"/my/clearance/file/{attachment.id + 100_000}",
            f"/web/content/{attachment.id}",
            f"/web/content/{attachment.id}?access_token={token}",
            f"/web/content/{attachment.id}?access_token=",
            f"/web/image/{attachment.id}",
            f"/web/content/clearance.submission.file/{file.id}/attachment_id",
            f"/web/content?model=ir.attachment&id={attachment.id}&field=raw&download=true",
        ]
        for user in (self.other_graduate, self.stranger, self.librarian, None):
            self.login(user) if user else self.authenticate(None, None)
            for address in addresses:
                with self.subTest(user=user and user.login, address=address), mute_logger("odoo.http"):
                    response = self.url_open(address)
                    self.assertNotIn(b"%PDF", response.content)
        self.login(self.affairs)
        self.assertEqual(self.url_open(f"/web/content/{attachment.id}").content, PDF)
        self.assertTrue(limited_field_access_token(attachment, "raw", scope="binary"), "which only the server makes")

    def test_posts_of_others(self):
        sent = self.send_as(self.graduate, self.loan, signed=[("scan.pdf", PDF)])
        actions = ["send", "withdraw", "confirm", f"file/{sent.file_ids.id}/remove"]
        for user in (self.other_graduate, self.stranger, self.affairs, self.manager):
            self.login(user)
            token = http.Request.csrf_token(self)
            for action in actions:
                with self.subTest(user=user.login, action=action):
                    response = self.post(self.loan, action, hidden={"csrf_token": token})
                    self.assertEqual(response.status_code, 303)
                    self.assertURLEqual(response.headers["Location"], "/my/clearance")
        self.authenticate(None, None)
        for action in actions:
            with self.subTest(action=action):
                response = self.post(self.loan, action, hidden={"csrf_token": http.Request.csrf_token(self)})
                self.assertIn("/web/login", response.headers["Location"])
        self.assertEqual(self.lines(self.loan), [("portal", "submit")])
        self.assertEqual(sent.state, "sent")

    def test_forms_need_their_token(self):
        self.login(self.graduate)
        with mute_logger("odoo.http"):
            response = self.post(self.notice, "confirm", hidden={"csrf_token": "x"})
        self.assertEqual(response.status_code, 400)
        self.assertEqual(self.status(self.student, self.notice).state, "pending")
        self.assertIn(self.url_open(f"{self.url(self.notice)}/confirm").status_code, (404, 405))

    def test_confirmed_on_the_page(self):
        self.assertIn("I have read this and confirm", self.text(self.section(self.notice)))
        self.assertEqual(self.post(self.notice, "confirm").status_code, 303)
        self.assertEqual(self.status(self.student, self.notice).state, "approved")
        self.assertIn("This step is settled", self.text(self.section(self.notice)))

    def test_rejected_on_the_page(self):
        self.send_as(self.graduate, self.destination, plan=1, where="North")
        self.decide(self.status(self.student, self.destination), "reject", "Which faculty?")
        section = self.section(self.destination)
        self.assertIn("Which faculty?", self.words(section, "o_clearance_reason"))
        where = section.get_element_by_id(f"ask_{self.q[self.destination]['where'].id}")
        self.assertEqual(where.text, "North")
        plan = section.get_element_by_id(f"ask_{self.q[self.destination]['plan'].id}")
        self.assertEqual([self.text(option) for option in plan.xpath("option[@selected]")], ["Study"])
        self.post(self.destination, fields_=self.form_fields(self.destination, where="North faculty"))
        self.assertEqual(self.status(self.student, self.destination).state, "submitted")
        self.assertEqual(self.rows(self.sendings(self.destination)[-1])["What you will do"], "Study")

    def test_what_is_typed_is_shown_as_text(self):
        evil = "<script>alert(1)</script>"
        self.send_as(self.graduate, self.card, **dict(self.GOOD_CARD, holder=evil))
        section = self.section(self.card)
        self.assertFalse(section.xpath(".//script"))
        self.assertIn(evil, self.text(section))

    def test_closed_on_the_page(self):
        self.send_as(self.graduate, self.card, **self.GOOD_CARD)
        document = self.page(self.url(self.card))
        hidden = {
            element.get("name"): element.get("value") for element in document.xpath("//form//input[@type='hidden']")
        }
        self.clearance.action_close()
        for action in ("send", "withdraw"):
            self.assertEqual(self.post(self.card, action, hidden=hidden).status_code, 303)
            self.assertIn("The session is not open.", self.words(self.look(self.card), "alert-danger"))
        section = self.section(self.card)
        self.assertIn("South Bank", self.text(section))
        self.assertFalse(section.xpath(".//form"))
        self.assertEqual(self.lines(self.card), [("portal", "submit")])
