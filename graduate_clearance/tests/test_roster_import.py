"""Rosters: what rows mean, what is wrong with them, who may bring them in, and that nothing is done twice."""

import base64
import csv
import io
from unittest.mock import patch

import openpyxl

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.sql_db import db_connect
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..models.clearance_import_template import COLUMNS
from ..models.clearance_student_import import _LOCK, ImportBusyError
from ..roster_columns import fold_header, get_check_character
from ..workbook import MIMETYPE
from .common import ClearanceCommon

#: a region that does not exist: these are nobody's
_CARD = "99000020040101001"


def card(serial=1, birthday="20040101"):
    """An ID-card number with its check character; odd serials are men's."""
    digits = f"990000{birthday}{serial:03}"
    return digits + get_check_character(digits)


class RosterCase(ClearanceCommon):
    def setUp(self):
        super().setUp()
        self.Student = self.env["clearance.student"].with_user(self.manager)
        # A test must not commit.
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1000.0)
        # Another transaction sees nothing of a test.
        self.patch(self.registry["clearance.roster.import"], "_tell_progress", lambda roster, count: True)

    def row(self, number="R1", **cells):
        return {"student_number": number, "name": f"Name {number}", "class": "M1", **cells}

    def bring(self, *rows, **options):
        """Import rows as a manager; the outcomes."""
        return self.Student._import_rows(rows, **options)

    def find(self, number):
        return self.env["clearance.student"].with_context(active_test=False).search([("student_number", "=", number)])

    def wrong(self, row, **options):
        """Problem of a row that is refused."""
        (outcome,) = self.bring(row, **{"mode": "good", **options})
        self.assertEqual(outcome.code, "refused", outcome.problems)
        return outcome.problems[0]


@tagged("post_install", "-at_install")
class TestRosterRows(RosterCase):
    def test_new_graduates(self):
        outcomes = self.bring(
            self.row(
                "R1",
                name="李 明",
                gender="男",
                id_number=card(),
                college="College of Mechanics",
                room="North - 0101",
                level="硕士研究生",
                major="Mining",
                graduation_year="2027届",
                traits="test_loan",
                email="R1 <r1@EXAMPLE.com>",
                phone="000 0000-1",
                supervisor="t_supervisor",
                graduation_state="延期毕业",
                graduation_note="Illness",
            ),
            self.row("R2", gender="Female", level="Higher vocational"),
            self.row("R3", **{"class": "a1"}),
        )
        self.assertEqual([outcome.code for outcome in outcomes], ["created"] * 3, [o.problems for o in outcomes])
        student = self.find("R1")
        self.assertEqual(student.id, outcomes[0].student_id)
        self.assertEqual(
            (student.name, student.gender, student.id_number, student.level, student.graduation_year, student.major),
            ("李 明", "male", card(), "postgraduate", 2027, "Mining"),
        )
        self.assertEqual(
            (student.class_id, student.college_id, student.room_id), (self.class_m1, self.mech, self.room_n)
        )
        self.assertEqual((student.trait_ids, student.supervisor_id), (self.loan_trait, self.supervisor))
        self.assertEqual((student.email, student.phone, student.partner_id.ref), ("r1@example.com", "000 0000-1", "R1"))
        self.assertEqual((student.graduation_state, student.graduation_note), ("postponed", "Illness"))
        self.assertTrue(self.supervisor.has_group("graduate_clearance.group_supervisor"))
        second, third = self.find("R2"), self.find("R3")
        self.assertEqual((second.gender, second.level, third.college_id), ("female", "higher_vocational", self.arts))

    def test_written_in_sets_as_by_the_orm(self):
        """Every stored column is what ``create`` would have written; only the first row goes through it."""
        cells = {"email": "same@example.com", "phone": "000-1", "room": "North-0101", "level": "本科"}
        self.bring(*(self.row(f"R{number}", name="曾 Same", **cells) for number in range(4)))
        self.patch(self.registry["clearance.student"], "_import_in_sets", False)
        self.bring(self.row("R9", name="曾 Same", **cells))
        by_orm = self.find("R9")
        for number in range(4):
            student = self.find(f"R{number}")
            for mine, theirs in ((student, by_orm), (student.partner_id, by_orm.partner_id)):
                self.assertEqual(self.columns(mine), self.columns(theirs))
            self.assertEqual(student.partner_id.commercial_partner_id, student.partner_id)
            self.assertEqual(student.name_initials, by_orm.name_initials)

    def columns(self, record):
        """The row of a record, without what tells one from another."""
        record.env.flush_all()
        record.env.cr.execute(SQL("SELECT * FROM %s WHERE id = %s", SQL.identifier(record._table), record.id))
        (row,) = record.env.cr.dictfetchall()
        own = {"id", "student_number", "ref", "partner_id", "commercial_partner_id"}
        return {name: value for name, value in row.items() if name not in own}

    def test_again_writes_nothing(self):
        rows = [self.row(f"R{number}", email=f"r{number}@example.com", traits="Loan") for number in range(5)]
        self.bring(*rows)
        written = []
        execute = type(self.env.cr).execute

        def spy(cr, query, *args, **kwargs):
            text = (query.code if hasattr(query, "code") else str(query)).lstrip().upper()
            if text.startswith(("INSERT", "UPDATE", "DELETE")):
                written.append(text)
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", spy):
            outcomes = self.bring(*rows)
            self.env.flush_all()
        self.assertEqual({outcome.code for outcome in outcomes}, {"unchanged"})
        self.assertFalse(written)

    def test_check_writes_nothing(self):
        before = self.env["res.partner"].search_count([]), self.env["clearance.class"].search_count([])
        (outcome,) = self.bring(self.row(**{"class": "New", "college": "ME"}), create=("class",), dry_run=True)
        self.assertEqual((outcome.code, outcome.student_id), ("created", False))
        self.assertFalse(self.find("R1"))
        self.assertEqual(
            (self.env["res.partner"].search_count([]), self.env["clearance.class"].search_count([])), before
        )

    # -- what is wrong -------------------------------------------------------------------

    def test_problems_name_column_value_and_remedy(self):
        wrong_check = card()[:-1] + ("0" if card()[-1] != "0" else "1")
        for column, value, problem, remedy in (
            ("class", "Z9", "no class", "missing classes"),
            ("college", "Alchemy", "no college", "missing colleges"),
            ("room", "North-9999", "no such room", "missing rooms"),
            ("room", "North", "building or a floor", "Add the room"),
            ("traits", "Loan, Pilot", "Pilot", "missing traits"),
            ("level", "博学", "not known", "Undergraduate"),
            ("gender", "maybe", "not known", "Male"),
            ("graduation_year", "26", "no year", "2026"),
            ("graduation_year", "1800", "no year", "2026"),
            ("email", "nobody", "no mail address", "empty"),
            ("phone", "call me", "no telephone", "digits"),
            ("supervisor", "Nobody", "Nobody of the staff", "later"),
            ("id_number", wrong_check, "check character", f"ends in {card()[-1]}"),
            ("id_number", card(birthday="20040231"), "birthday", "7th to 14th"),
            ("id_number", card(birthday="29990101"), "birthday", "7th to 14th"),
            ("id_number", "1234567", "7 characters", "18 characters"),
            ("id_number", "9.9E+17", "rounded", "as text"),
            ("student_number", "2.026E+11", "rounded", "as text"),
            ("student_number", "", "empty", "Fill it in"),
            ("name", "", "empty", "Fill it in"),
            ("name", "x" * 200, "longer than 128", "another column"),
        ):
            with self.subTest(column=column, value=value):
                found = self.wrong({**self.row(), column: value})
                label = self.Student._get_import_columns()[column].label
                self.assertEqual((found["column"], found["level"]), (label, "error"))
                self.assertIn(problem, found["problem"])
                self.assertIn(remedy, found["remedy"])
                if column == "id_number":
                    self.assertEqual(found["value"], self.Student._mask_id_number(value))
                else:
                    self.assertEqual(found["value"], value.strip()[:200])
        self.assertFalse(self.find("R1"))

    def test_good_id_numbers(self):
        known = [card(1), card(2).lower(), f"'{card(3)}", "E12345678", "990000040101001"]
        outcomes = self.bring(*(self.row(f"R{i}", id_number=number) for i, number in enumerate(known)))
        self.assertEqual({outcome.code for outcome in outcomes}, {"created"}, [o.problems for o in outcomes])
        self.assertEqual(self.find("R1").id_number, card(2))
        # GB 11643 gives this one as its example, with a region of its own.
        self.assertEqual(get_check_character(_CARD), card()[-1])

    def test_oddities_hold_nothing_up(self):
        first, second = self.bring(
            self.row("R1", id_number=card(1), gender="女"), self.row("R2", id_number=card(1), gender="男")
        )
        self.assertEqual((first.code, second.code), ("created", "created"))
        self.assertIn("says otherwise", first.problems[0]["problem"])
        self.assertEqual(first.problems[0]["level"], "warning")
        self.assertIn("Row 1 has the same", second.problems[0]["problem"])

    def test_same_number_twice(self):
        outcomes = self.bring(self.row("R1", line=7), self.row("Ｒ1", line=9), mode="good")
        self.assertEqual([outcome.code for outcome in outcomes], ["created", "refused"])
        self.assertIn("Row 7", outcomes[1].problems[0]["problem"])

    def test_class_in_several_colleges(self):
        self.env["clearance.class"].create({"name": "M1", "college_id": self.arts.id})
        self.assertIn("Several colleges", self.wrong(self.row())["problem"])
        (outcome,) = self.bring(self.row(college="AR"))
        self.assertEqual(self.find("R1").college_id, self.arts)
        self.assertIn("no such class", self.wrong(self.row("R2", college="ME", **{"class": "A1"}))["problem"])
        self.assertEqual(outcome.code, "created")

    def test_archived(self):
        self.students[0].active = False
        self.assertIn("archived", self.wrong(self.row("T26000"))["problem"])
        self.class_m2.active = False
        self.assertIn("archived", self.wrong(self.row("R1", **{"class": "M2"}), create=("class",))["problem"])

    def test_all_or_nothing(self):
        bad = self.row("R2", level="x")
        outcomes = self.bring(self.row("R1"), bad, self.row("T26000", name="Other"))
        self.assertEqual([outcome.code for outcome in outcomes], ["held", "refused", "held"])
        self.assertFalse(self.find("R1"))
        self.assertEqual(self.students[0].name, "Test Graduate 0")
        outcomes = self.bring(self.row("R1"), bad, self.row("T26000", name="Other"), mode="good")
        self.assertEqual([outcome.code for outcome in outcomes], ["created", "refused", "updated"])
        self.assertEqual(self.students[0].name, "Other")

    def test_all_or_nothing_over_several_parts(self):
        self.patch(
            self.registry["clearance.student"], "_import_parts", self.registry["clearance.student"]._import_parts
        )
        with patch("odoo.addons.graduate_clearance.models.clearance_student_import.PART", 2):
            rows = [self.row(f"R{number}", **({"level": "x"} if number == 5 else {})) for number in range(8)]
            outcomes = self.bring(*rows, create=("class",))
        self.assertEqual([outcome.code for outcome in outcomes], ["held"] * 5 + ["refused"] + ["held"] * 2)
        self.assertFalse(self.env["clearance.student"].search([("student_number", "=like", "R%")]))

    @mute_logger("odoo.sql_db")
    def test_what_the_database_refuses_stops_nobody_else(self):
        insert = self.registry["clearance.student"]._insert_students

        def choosy(model, vals_list):
            if any(vals["student_number"] == "R3" for vals in vals_list):
                raise ValidationError("Not this one")  # pylint: disable=translation-required
            return insert(model, vals_list)

        self.patch(self.registry["clearance.student"], "_insert_students", choosy)
        outcomes = self.bring(*(self.row(f"R{number}") for number in range(8)), mode="good")
        self.assertEqual([o.line for o in outcomes if o.code == "refused"], [4])
        self.assertIn("Not this one", outcomes[3].problems[0]["problem"])
        self.assertEqual(self.env["clearance.student"].search_count([("student_number", "=like", "R%")]), 7)
        self.assertFalse(self.env["res.partner"].search([("ref", "=", "R3")]))

    # -- making what is missing ------------------------------------------------------------

    def test_make_what_is_missing(self):
        cells = {"college": "College of Law", "class": "L1", "room": "2区-3栋-3层-0309", "traits": "Pilot；Loan"}
        outcomes = self.bring(
            self.row("R1", **cells),
            self.row("R2", **{**cells, "class": "l 1", "room": "2区－3栋－3层－0310"}),
            self.row("R3", **{**cells, "class": "Never", "level": "x"}),
            create=("college", "class", "room", "trait"),
            mode="good",
        )
        self.assertEqual([outcome.code for outcome in outcomes], ["created", "created", "refused"])
        first, second = self.find("R1"), self.find("R2")
        self.assertEqual((first.college_id.name, first.college_id.company_id), ("College of Law", self.campus))
        self.assertEqual((second.class_id, first.class_id.name), (first.class_id, "L1"))
        self.assertEqual(first.class_id.college_id, first.college_id)
        self.assertEqual(
            (first.room_id.complete_name, second.room_id.parent_id), ("2区-3栋-3层-0309", first.room_id.parent_id)
        )
        kinds, place = [], first.room_id
        while place:
            kinds.append(place.kind)
            place = place.parent_id
        self.assertEqual(kinds, ["room", "floor", "building", "campus"])
        self.assertEqual(set(first.trait_ids.mapped("name")), {"Pilot", "Loan"})
        self.assertFalse(self.env["clearance.class"].search([("name", "=", "Never")]), "The row was refused.")

    def test_a_class_is_made_in_the_college_of_its_row(self):
        self.assertIn(
            "does not name its college", self.wrong(self.row(**{"class": "L1"}), create=("class",))["problem"]
        )
        with self.assertRaisesRegex(UserError, "station"):
            self.bring(self.row(), create=("station",))

    # -- who is there already --------------------------------------------------------------

    def test_contacts_are_linked_not_doubled(self):
        Partner = self.env["res.partner"]
        user = new_test_user(
            self.env,
            "R1",
            groups="base.group_portal",
            name="Portal",
            company_id=self.campus.id,
            company_ids=self.campus.ids,
        )
        by_ref = Partner.create({"name": "By reference", "ref": "R2"})
        by_mail = Partner.create({"name": "Name R3", "email": "R3@example.com"})
        relative = Partner.create({"name": "Somebody else", "email": "r4@example.com"})
        count = Partner.search_count([])
        outcomes = self.bring(
            *(self.row(f"R{number}", email=f"r{number}@example.com") for number in range(1, 5)),
            self.row("R5", name="Name R3", email="r3@example.com"),
        )
        self.assertEqual({outcome.code for outcome in outcomes}, {"created"})
        self.assertEqual(self.find("R1").partner_id, user.partner_id)
        self.assertEqual(self.find("R2").partner_id, by_ref)
        self.assertEqual(self.find("R3").partner_id, by_mail)
        self.assertNotEqual(self.find("R4").partner_id, relative)
        self.assertNotEqual(self.find("R5").partner_id, by_mail, "Taken by R3.")
        self.assertEqual(Partner.search_count([]), count + 2)
        self.assertEqual((by_ref.name, by_ref.email), ("Name R2", "r2@example.com"), "The roster is right.")

    def test_whose_contact_is_not_taken(self):
        """Not that of staff, of an organisation, of another campus, of another graduate."""
        Partner = self.env["res.partner"]
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        staff = self.librarian.partner_id
        staff.write({"ref": "R1", "email": "r1@example.com", "name": "Name R1"})
        new_test_user(self.env, "R2", groups="base.group_user")
        firm = Partner.create({"name": "Name R3", "ref": "R3", "is_company": True})
        far = Partner.create({"name": "Name R4", "ref": "R4", "company_id": elsewhere.id})
        self.students[0].partner_id.ref = "R5"
        self.bring(*(self.row(f"R{number}", email=f"r{number}@example.com") for number in range(1, 6)))
        taken = staff + firm + far + self.students[0].partner_id
        taken += self.env["res.users"].search([("login", "=", "R2")]).partner_id
        for number in range(1, 6):
            self.assertNotIn(self.find(f"R{number}").partner_id, taken)
        self.assertEqual(self.students[0].name, "Test Graduate 0")

    def test_which_contact_cannot_be_told(self):
        self.env["res.partner"].create([{"name": "One", "ref": "R1"}, {"name": "Two", "ref": "R1"}])
        self.assertIn("Several contacts", self.wrong(self.row())["problem"])

    # -- changes ---------------------------------------------------------------------------

    def test_changes(self):
        student = self.students[2]
        (outcome,) = self.bring(
            {"student_number": "T26002", "name": "New Name", "class": "A1", "room": "North-0101", "phone": "000-2"}
        )
        self.assertEqual(outcome.code, "updated")
        self.assertEqual((student.name, student.partner_id.name, student.phone), ("New Name", "New Name", "000-2"))
        self.assertEqual((student.class_id, student.college_id), (self.class_a1, self.arts))
        self.assertEqual((student.partner_id.complete_name, student.name_initials), ("New Name", " nn"))
        self.assertIn("Class: M2 → A1", outcome.changes)
        self.assertEqual(student.email, "t26002@example.com", "Nothing was said of it.")

    def test_changes_in_sets_and_one_by_one_are_the_same(self):
        def bring(number, **cells):
            return self.bring({"student_number": f"T2600{number}", **cells})[0]

        cells = {"name": "曾 Other", "traits": "Loan", "supervisor": "t_supervisor", "level": "大专", "phone": "000-7"}
        bring(1, **cells)
        self.patch(self.registry["clearance.student"], "_import_in_sets", False)
        bring(2, **cells)
        one, two = self.students[1], self.students[2]
        for name in ("name", "name_initials", "trait_ids", "supervisor_id", "level", "phone", "write_uid"):
            self.assertEqual(one[name], two[name], name)
        self.assertEqual(one.partner_id.write_uid, self.manager)

    def test_empty_cells_wipe_only_when_asked(self):
        student = self.students[0]
        row = {"student_number": "T26000", "name": "", "room": "", "email": "", "traits": "", "level": ""}
        self.assertEqual(self.bring(row)[0].code, "unchanged")
        self.assertEqual(self.bring(row, wipe=True)[0].code, "updated")
        self.assertFalse(student.room_id or student.email or student.trait_ids)
        self.assertEqual((student.name, student.level), ("Test Graduate 0", "undergraduate"))

    def test_traits_are_added_unless_the_file_is_complete(self):
        pilot = self.env["clearance.trait"].create({"name": "Pilot", "code": "pilot", "company_id": self.campus.id})
        student = self.students[0]
        row = {"student_number": "T26000", "traits": "飞行员, pilot"}
        pilot.with_context(lang="en_US").name = "Pilot"
        self.assertIn("飞行员", self.wrong(row)["problem"])
        self.bring({**row, "traits": "pilot"})
        self.assertEqual(student.trait_ids, self.loan_trait + pilot)
        self.bring({"student_number": "T26000", "trait.test_loan": "否"})
        self.assertEqual(student.trait_ids, pilot)
        self.bring({"student_number": "T26000", "trait.test_loan": "是", "trait.pilot": ""})
        self.assertEqual(student.trait_ids, self.loan_trait + pilot)
        self.bring({"student_number": "T26000", "traits": "loan"}, wipe=True)
        self.assertEqual(student.trait_ids, self.loan_trait)
        self.assertIn("neither yes nor no", self.wrong({"student_number": "T26000", "trait.pilot": "maybe"})["problem"])

    def test_fields_of_the_campus(self):
        settings = self.env["clearance.settings"]._get(self.campus)
        settings.student_properties_definition = [
            {"name": "bank", "string": "Bank", "type": "char"},
            {"name": "beds", "string": "Beds", "type": "integer"},
            {"name": "size", "string": "Size", "type": "selection", "selection": [["s", "Small"], ["l", "Large"]]},
        ]
        self.students.settings_id = settings
        rows = [
            {"student_number": "T26000", "properties.bank": "A"},
            self.row("R1", **{"properties.bank": "B", "properties.beds": "2", "properties.size": "Large"}),
            self.row("R2", **{"properties.size": "s"}),
        ]
        self.bring(*rows)
        self.bring({"student_number": "T26000", "properties.beds": "3"})
        self.assertEqual(self.students[0]._get_property_values(), {"bank": "A", "beds": 3})
        self.assertEqual(self.find("R1")._get_property_values(), {"bank": "B", "beds": 2, "size": "l"})
        self.assertEqual({outcome.code for outcome in self.bring(*rows)}, {"unchanged"})
        self.assertIn("no number", self.wrong(self.row("R3", **{"properties.beds": "two"}))["problem"])

    def test_staff_who_are_graduates_are_not_changed(self):
        """Nobody comes by an account of the staff through a roster."""
        admin = self.env.ref("base.user_admin")
        self.students[0].partner_id = admin.partner_id
        mail = admin.email
        found = self.wrong({"student_number": "T26000", "email": "mine@example.com"})
        self.assertIn("member of staff", found["problem"])
        self.assertEqual(admin.email, mail)
        (outcome,) = self.bring({"student_number": "T26000", "major": "Law"})
        self.assertEqual(outcome.code, "updated")

    def test_contradiction_of_class_and_college(self):
        self.assertIn(
            "belongs to College of Mechanics", self.wrong({"student_number": "T26000", "college": "AR"})["problem"]
        )

    def test_open_sessions_follow_once(self):
        self.open_session()
        calls = []
        refresh = self.registry["clearance.student"]._refresh_open_sessions
        self.patch(
            self.registry["clearance.student"],
            "_refresh_open_sessions",
            lambda students: (calls.append(len(students)), refresh(students))[1],
        )
        self.assertEqual(self.status(self.students[1], self.loan).state, "not_required")
        self.bring(
            {"student_number": "T26001", "traits": "Loan"},
            {"student_number": "T26002", "graduation_state": "退学"},
            {"student_number": "T26003", "phone": "000-1"},
            {"student_number": "T26004", "name": "Test Graduate 4"},
        )
        self.assertEqual(calls, [2])
        self.assertEqual(self.status(self.students[1], self.loan).state, "pending")
        self.assertEqual(self.students[2].form_ids.state, "withdrawn")

    # -- how much it takes -------------------------------------------------------------------

    def test_queries_do_not_grow(self):
        def rows(start, count, **cells):
            return [
                self.row(f"R{start + number}", email=f"r{start + number}@example.com", room="North-0101", **cells)
                for number in range(count)
            ]

        self.bring(*rows(0, 3))
        for start, count in ((100, 20), (1000, 400)):
            some = rows(start, count, traits="Loan")
            with self.subTest(count=count):
                self.env.invalidate_all()
                with self.assertQueryCount(45):
                    self.bring(*some)
                    self.env.flush_all()
                self.env.invalidate_all()
                with self.assertQueryCount(20):
                    self.bring(*some)
                for number, row in enumerate(some):
                    row.update(name=f"Other {number}", room="South-0202", traits="")
                self.env.invalidate_all()
                with self.assertQueryCount(45):
                    self.assertEqual({outcome.code for outcome in self.bring(*some)}, {"updated"})
                    self.env.flush_all()

    # -- who may -----------------------------------------------------------------------------

    def test_only_managers_of_the_campus(self):
        for user in (
            self.librarian,
            self.counsellor,
            self.lead,
            self.deferral,
            self.auditor,
            self.stranger,
            self.graduate,
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["clearance.student"].with_user(user)._import_rows([self.row()])
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        with self.assertRaises(AccessError):
            self.bring(self.row(), company=elsewhere)
        self.assertFalse(self.find("R1"))

    def test_one_at_a_time(self):
        connection = db_connect(self.env.cr.dbname)
        with connection.cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, self.campus.id])
            self.bring(self.row(), dry_run=True)
            with self.assertRaisesRegex(ImportBusyError, "right now"):
                self.bring(self.row())
            other.rollback()
        self.assertEqual(self.bring(self.row())[0].code, "created")


class RosterFileCase(RosterCase):
    HEADER = ("学号*", "姓名", "班级", "培养层次", "邮箱", "Something")

    def text(self, *rows, header=HEADER, title=("2026届毕业生名册",)):
        buffer = io.StringIO()
        csv.writer(buffer).writerows([title, header, *rows] if title else [header, *rows])
        return buffer.getvalue()

    def make(self, *rows, user=None, encoding="gb18030", **values):
        content = self.text(*(rows or [self.cells("R1"), self.cells("R2")])).encode(encoding)
        return (
            self.env["clearance.roster.import"]
            .with_user(user or self.manager)
            .create({"file": base64.b64encode(content), "filename": "roster.csv", **values})
        )

    def cells(self, number, level="本科", **_):
        return [number, f"Name {number}", "M1", level, f"{number}@example.com", "x"]

    def run_cron(self):
        self.env["clearance.roster.import"]._cron_run()
        self.env.invalidate_all()

    def meanings(self, roster):
        return {column.header: column.column for column in roster.column_ids}


@tagged("post_install", "-at_install")
class TestRosterFile(RosterFileCase):
    def test_from_file_to_graduates(self):
        roster = self.make()
        self.assertEqual((roster.header_row, roster.state, roster.user_id), (2, "draft", self.manager))
        self.assertEqual(
            self.meanings(roster),
            {
                "学号*": "student_number",
                "姓名": "name",
                "班级": "class",
                "培养层次": "level",
                "邮箱": "email",
                "Something": False,
            },
        )
        roster.action_check()
        self.assertEqual((roster.state, roster.total, roster.created_count, roster.todo_count), ("checked", 2, 2, 2))
        self.assertEqual(roster.line_ids.mapped("row"), [3, 4])
        self.assertFalse(self.find("R1"))
        roster.action_start()
        self.assertEqual(roster.state, "running")
        self.run_cron()
        self.assertEqual((roster.state, roster.created_count, roster.error), ("done", 2, False))
        self.assertEqual(self.find("R1").create_uid, self.manager)
        self.assertEqual(roster.line_ids.student_id, self.find("R1") + self.find("R2"))

    def test_same_file_again(self):
        for _time in range(2):
            roster = self.make()
            roster.action_check()
            if roster.todo_count:
                roster.action_start()
                self.run_cron()
        self.assertEqual((roster.state, roster.unchanged_count, roster.todo_count), ("checked", 2, 0))
        with self.assertRaisesRegex(UserError, "nothing to do"):
            roster.action_start()

    def test_headers_are_remembered_by_campus(self):
        roster = self.make()
        columns = {column.header: column for column in roster.column_ids}
        columns["Something"].column = "major"
        columns["邮箱"].column = False
        roster.action_check()
        self.assertEqual(self.env["clearance.roster.column"].search_count([]), 0)
        roster.action_start()
        self.run_cron()
        self.assertEqual(self.find("R1").major, "x")
        self.assertFalse(self.find("R1").email)
        again = self.meanings(self.make())
        self.assertEqual((again["Something"], again["邮箱"]), ("major", False))
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.manager.company_ids += elsewhere
        self.env = self.env(context={**self.env.context, "allowed_company_ids": [self.campus.id, elsewhere.id]})
        other = self.make(company_id=elsewhere.id)
        self.assertEqual(self.meanings(other)["邮箱"], "email")

    def test_both_languages_of_headers(self):
        columns = self.Student._get_import_columns()
        words = self.env["clearance.roster.import"].new({"company_id": self.campus.id})._get_header_words()
        for name, column in columns.items():
            for word in (column.label, *column.aliases[:1]):
                self.assertEqual(words.get(fold_header(word)), name, word)
        self.assertEqual(words[fold_header(" * 学 号（必填）：")], "student_number")

    def test_files_that_cannot_be_read(self):
        Roster = self.env["clearance.roster.import"].with_user(self.manager)
        for name, content in (
            ("a.pdf", b"%PDF-1.4"),
            ("a.xlsx", b"PK broken"),
            ("a.csv", b"  "),
            ("a.csv", b"\xff\xfe\x00"),
        ):
            with self.subTest(name=name, content=content), self.assertRaises(UserError):
                Roster.create({"file": base64.b64encode(content), "filename": name})
        roster = self.make()
        roster.column_ids.filtered(lambda column: column.column == "student_number").column = False
        with self.assertRaisesRegex(UserError, "known to be the student number"):
            roster.action_check()
        roster.column_ids[:2].column = "student_number"
        with self.assertRaisesRegex(UserError, "Two columns"):
            roster.action_check()
        with self.assertRaisesRegex(UserError, "Choose a file"):
            Roster.create({}).action_check()

    def test_problems_and_the_good_rows(self):
        roster = self.make(self.cells("R1"), self.cells("R2", level="x"), self.cells("R1"))
        roster.action_check()
        self.assertEqual((roster.refused_count, roster.todo_count), (2, 0))
        self.assertEqual(roster.problem_ids.mapped("row"), [4, 5])
        self.assertEqual(
            roster.problem_ids[0].read(["column", "value", "level"])[0],
            {"id": roster.problem_ids[0].id, "column": "Level", "value": "x", "level": "error"},
        )
        with self.assertRaisesRegex(UserError, "good rows"):
            roster.action_start()
        roster.mode = "good"
        self.assertEqual((roster.state, len(roster.line_ids)), ("draft", 0), "New choices need a new check.")
        roster.action_check()
        roster.action_start()
        self.run_cron()
        self.assertEqual((roster.state, roster.created_count, roster.refused_count), ("done", 1, 2))

    def test_refused_since_the_check(self):
        roster = self.make()
        roster.action_check()
        roster.action_start()
        self.class_m1.active = False
        self.run_cron()
        self.assertEqual(roster.state, "checking")
        self.run_cron()
        self.assertEqual((roster.state, roster.refused_count), ("checked", 2))
        self.assertIn("Nothing was written", roster.error)
        self.assertFalse(self.find("R1"))

    def test_large_files_are_checked_in_the_background(self):
        with patch("odoo.addons.graduate_clearance.models.clearance_roster_import._SMALL_FILE", 10):
            roster = self.make()
            roster.action_check()
            self.assertEqual(roster.state, "checking")
            second = self.make()
            second.action_check()
        self.assertEqual((roster.is_waiting, second.is_waiting), (False, True))
        self.run_cron()
        self.assertEqual((roster.state, second.state), ("checked", "checked"))

    def test_goes_on_after_a_break(self):
        rows = [self.cells(f"R{number}") for number in (0, 1, 2, 3, 2)]
        roster = self.make(*rows, mode="good")
        with patch("odoo.addons.graduate_clearance.models.clearance_student_import.PART", 2):
            roster.action_check()
            roster.action_start()
            self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 0)
            self.run_cron()
            self.assertEqual((roster.state, roster.created_count, roster.written_count), ("running", 2, 2))
            roster.action_stop()
            self.run_cron()
            self.assertEqual((roster.state, roster.created_count), ("stopped", 2))
            roster.action_start()
            self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1000)
            self.run_cron()
        self.assertEqual((roster.state, roster.created_count, roster.refused_count), ("done", 4, 1))

    def test_stop_of_everything_or_nothing(self):
        roster = self.make()
        roster.action_check()
        roster.action_start()
        # Somebody presses the button while it is written, in a transaction that this one does not see.
        self.patch(self.registry["clearance.roster.import"], "_tell_progress", lambda roster, count: False)
        self.run_cron()
        self.assertFalse(self.find("R1") or roster.line_ids)
        self.assertNotEqual(roster.state, "done")
        roster.action_stop()
        self.assertEqual(roster.state, "draft")
        self.assertIn("nothing has been written", roster.error)

    def test_waits_for_another_import(self):
        roster = self.make()
        roster.action_check()
        roster.action_start()
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, self.campus.id])
            self.run_cron()
            self.assertEqual(roster.state, "running")
            other.rollback()
        self.run_cron()
        self.assertEqual(roster.state, "done")

    @mute_logger("odoo.addons.graduate_clearance.models.clearance_roster_import_run")
    def test_who_is_no_longer_a_manager(self):
        roster = self.make()
        roster.action_check()
        roster.action_start()
        self.manager.write({"group_ids": [Command.unlink(self.env.ref("graduate_clearance.group_manager").id)]})
        self.run_cron()
        self.assertFalse(self.find("R1"))
        self.assertIn("no longer a manager", roster.sudo().error)

    def test_files_and_rows_are_forgotten(self):
        roster = self.make()
        roster.action_check()
        roster.action_start()
        self.run_cron()
        draft = self.make()
        self.env["clearance.roster.import"]._gc_files()
        self.assertTrue(roster.file and roster.line_ids and draft.exists())
        self.env.flush_all()
        self.env.cr.execute("UPDATE clearance_roster_import SET done_at = done_at - interval '8 days'")
        self.env.invalidate_all()
        self.env["clearance.roster.import"]._gc_files()
        self.assertFalse(roster.file)
        self.assertTrue(roster.line_ids)
        self.assertFalse(
            self.env["ir.attachment"].search([("res_model", "=", roster._name), ("res_id", "=", roster.id)])
        )
        roster._write_report()
        self.env.cr.execute(
            "UPDATE clearance_roster_import SET started_at = started_at - interval '91 days', "
            "write_date = write_date - interval '91 days'"
        )
        self.env.invalidate_all()
        self.env["clearance.roster.import"]._gc_files()
        self.assertFalse(roster.line_ids or draft.exists())

    def test_what_cannot_be_forged(self):
        Roster = self.env["clearance.roster.import"].with_user(self.manager)
        with self.assertRaisesRegex(UserError, "buttons"):
            Roster.create({"state": "checked"})
        roster = Roster.with_context(default_state="done", default_user_id=self.auditor.id).create({})
        self.assertEqual((roster.state, roster.user_id), ("draft", self.manager))
        for vals in ({"state": "done"}, {"total": 3}, {"user_id": self.auditor.id}, {"line_ids": []}):
            with self.assertRaisesRegex(UserError, "buttons"):
                roster.write(vals)
        roster = self.make()
        roster.action_check()
        with self.assertRaisesRegex(UserError, "Only what a column means"):
            roster.column_ids[0].position = 3
        with self.assertRaises(AccessError):
            roster.line_ids[0].outcome = "created"
        roster.action_start()
        with self.assertRaisesRegex(UserError, "has been started"):
            roster.mode = "good"
        with self.assertRaisesRegex(UserError, "has been started"):
            roster.column_ids[0].column = False
        with self.assertRaisesRegex(UserError, "kept"):
            roster.unlink()

    def test_roles(self):
        roster = self.make()
        roster.action_check()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env,
            "t_far",
            groups="graduate_clearance.group_manager",
            company_id=elsewhere.id,
            company_ids=elsewhere.ids,
        )
        for user in (
            self.librarian,
            self.counsellor,
            self.lead,
            self.deferral,
            self.auditor,
            self.stranger,
            self.graduate,
            stranger,
        ):
            mine = roster.with_user(user)
            calls = [mine.action_check, mine.action_start, mine.action_stop, mine._write_report]
            calls.append(lambda mine=mine: mine.write({"mode": "good"}))
            calls.append(lambda mine=mine: mine.line_ids.read(["student_number"]) or mine.read(["file"]))
            if user != stranger:
                calls.append(mine._write_template)
                calls.append(lambda mine=mine: mine.create({}))
                calls.append(lambda mine=mine: mine.env["clearance.roster.column"].search([]))
            for call in calls:
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    call()
        self.assertEqual(roster.state, "checked")

    def test_report(self):
        roster = self.make(self.cells("R1"), self.cells("=R2", level="x"))
        roster.action_check()
        name, book = roster._write_report()
        self.assertEqual(name, "roster report.xlsx")
        sheets = openpyxl.load_workbook(io.BytesIO(book.content))
        report, mend = sheets.worksheets[:2]
        rows = list(report.iter_rows(values_only=True))
        self.assertIn("1 new, 0 changed, 0 without a change, 1 refused", rows[2][0])
        self.assertEqual(rows[-1][:7], (4, "=R2", "Name =R2", "Refused", "Error", "Level", "x"))
        self.assertEqual(report.cell(len(rows), 2).data_type, "s")
        rows = list(mend.iter_rows(values_only=True))
        self.assertEqual(rows[0][:3], ("学号*", "姓名", "班级"))
        self.assertEqual((len(rows), rows[1][0]), (2, "=R2"))
        self.assertIn("not known", rows[1][-1])
        # Mended, it can be uploaded as it is.
        again = self.env["clearance.roster.import"].with_user(self.manager).create({})
        sheets.remove(report)
        mend.cell(2, 4, "本科")
        buffer = io.BytesIO()
        sheets.save(buffer)
        again.write({"file": base64.b64encode(buffer.getvalue()), "filename": "mended.xlsx"})
        again.action_check()
        self.assertEqual((again.created_count, again.refused_count), (1, 0))


@tagged("post_install", "-at_install")
class TestRosterUrl(RosterFileCase, HttpCase):
    def test_template_in_both_languages(self):
        self.authenticate("t_manager", "t_manager")
        for lang, first in (("en_US", ("Student number", "Full name")), ("zh_CN", ("学号", "姓名"))):
            response = self.url_open(f"/clearance/roster/template?lang={lang}")
            self.assertEqual(response.status_code, 200)
            book = openpyxl.load_workbook(io.BytesIO(response.content))
            rows = list(book.worksheets[0].iter_rows(values_only=True))
            self.assertEqual(rows[0][:2], first)
            self.assertGreater(book.worksheets[1].max_row, 15)
            # What it says is what is understood.
            roster = (
                self.env["clearance.roster.import"]
                .with_user(self.manager)
                .create({"file": base64.b64encode(response.content), "filename": "template.xlsx"})
            )
            self.assertTrue(all(roster.column_ids.mapped("column")), self.meanings(roster))

    def test_addresses_are_for_managers_of_the_campus(self):
        roster = self.make()
        roster.action_check()
        report = f"/clearance/roster/{roster.id}/report"
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        new_test_user(
            self.env,
            "t_far",
            groups="graduate_clearance.group_manager",
            company_id=elsewhere.id,
            company_ids=elsewhere.ids,
        )
        self.authenticate("t_manager", "t_manager")
        response = self.url_open(report)
        self.assertEqual(response.status_code, 200)
        self.assertIn("roster%20report.xlsx", response.headers["Content-Disposition"])
        self.assertEqual(self.url_open("/clearance/roster/999999999/report").status_code, 404)
        for login in (
            "t_librarian",
            "t_counsellor",
            "t_lead",
            "t_deferral",
            "t_auditor",
            "t_stranger",
            "T26000",
            "t_far",
        ):
            with self.subTest(login=login), mute_logger("odoo.http", "odoo.addons.base.models.ir_rule"):
                self.authenticate(login, login)
                self.assertIn(self.url_open(report).status_code, (403, 404))
                if login != "t_far":
                    self.assertEqual(self.url_open("/clearance/roster/template").status_code, 403)
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open(report).url)


@tagged("post_install", "-at_install")
class TestNativeImport(ClearanceCommon, HttpCase):
    """Odoo's own import and export go on working on what managers set up."""

    #: model -> a row for its template, by field
    ROWS = {
        "clearance.session": {
            "name": "Imported",
            "year": "2026",
            "open_from": "2026-06-01 00:00:00",
            "open_until": "2026-06-30 00:00:00",
        },
        "clearance.station": {
            "name": "Imported",
            "parent_id": "Library",
            "operator_ids": "t_librarian",
            "college_ids": "College of Arts",
            "place": "1st floor",
            "phone": "000-1",
        },
        "clearance.step": {
            "session_id": "2026 undergraduates",
            "name": "Imported",
            "station_id": "Library",
            "mode": "Station",
            "required": "1",
            "prerequisite_ids": "Return books",
        },
        "clearance.student": {
            "student_number": "N1",
            "name": "Imported",
            "gender": "Female",
            "college_id": "College of Mechanics",
            "class_id": "M1",
            "major": "Law",
            "level": "Undergraduate",
            "graduation_year": "2026",
            "room_id": "North-0101",
            "trait_ids": "Loan",
            "email": "n1@example.com",
            "phone": "000-1",
        },
        "clearance.college": {"name": "Imported", "code": "IM", "lead_ids": "t_lead"},
        "clearance.class": {
            "name": "Imported",
            "code": "IM",
            "college_id": "College of Arts",
            "counsellor_id": "t_counsellor",
        },
        "clearance.room": {"name": "0909", "kind": "Room", "parent_id": "North"},
        "clearance.trait": {"name": "Imported", "code": "imported", "description": "Told"},
        "clearance.reason": {"name": "Imported", "decision": "Reject", "station_id": "Library"},
        "clearance.slot": {
            "session_id": "2026 undergraduates",
            "college_ids": "College of Arts",
            "place": "Hall",
            "open_from": "2026-06-01 01:00:00",
            "open_until": "2026-06-01 04:00:00",
        },
        "clearance.feed": {"name": "Imported", "unit": "books", "every": "60", "silent_after": "120"},
    }

    def setUp(self):
        super().setUp()
        self.env = self.env(user=self.manager)

    def read_template(self, model):
        (template,) = self.env[model].get_import_templates()
        response = self.url_open(template["template"])
        self.assertEqual(response.status_code, 200, response.text[:300])
        return openpyxl.load_workbook(io.BytesIO(response.content))

    def test_every_model(self):
        self.assertEqual(self.ROWS.keys(), COLUMNS.keys())
        if "base_import.import" not in self.env:
            self.skipTest("Odoo's import is not installed.")
        self.authenticate("t_manager", "t_manager")
        for model, row in self.ROWS.items():
            with self.subTest(model=model):
                record = self.bring(model, row, self.read_template(model))
                self.take_back(record, list(row))

    def bring(self, model, row, book):
        """Fill in a template, and import it as the web client does."""
        sheet = book.worksheets[0]
        names = [name for name in COLUMNS[model] if name in self.env[model]._fields]
        for index, name in enumerate(names, 1):
            sheet.cell(2, index, row.get(name, ""))
        buffer = io.BytesIO()
        book.save(buffer)
        options = {
            "has_headers": True,
            "sheet": sheet.title,
            "quoting": '"',
            "separator": ",",
            "date_format": "%Y-%m-%d",
            "datetime_format": "%Y-%m-%d %H:%M:%S",
            "float_thousand_separator": "",
            "float_decimal_separator": ".",
            "advanced": True,
            "keep_matches": False,
        }
        wizard = self.env["base_import.import"].create(
            {"res_model": model, "file": buffer.getvalue(), "file_name": "filled.xlsx", "file_type": MIMETYPE}
        )
        preview = wizard.parse_preview(options)
        self.assertNotIn("error", preview)
        self.assertEqual({int(index): path[0] for index, path in preview["matches"].items()}, dict(enumerate(names)))
        result = wizard.execute_import(names, preview["headers"], options)
        self.assertFalse(result["messages"])
        return self.env[model].browse(result["ids"])

    def take_back(self, record, names):
        """What is exported can be imported again, and is the same."""
        record.invalidate_recordset()
        exported = record.export_data(["id", *names])["datas"]
        result = record.load(["id", *names], [[str(cell) for cell in row] for row in exported])
        self.assertEqual((result["ids"], result["messages"]), (record.ids, []))
        self.assertEqual(record.export_data(["id", *names])["datas"], exported)

    def test_who_may_have_templates(self):
        for login in ("t_librarian", "t_counsellor", "t_auditor", "T26000"):
            self.authenticate(login, login)
            for model in COLUMNS:
                with self.subTest(login=login, model=model):
                    self.assertEqual(self.url_open(f"/clearance/import_template/{model}").status_code, 403)
        self.authenticate("t_manager", "t_manager")
        self.assertEqual(self.url_open("/clearance/import_template/res.users").status_code, 422)
        self.assertFalse(self.env["res.users"].get_import_templates())
