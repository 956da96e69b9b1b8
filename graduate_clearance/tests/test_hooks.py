"""The hooks that docs/hooks.md tells of: when they are called, and that what they answer counts.

The glue addon of that document is installed and used by tests/setup/test_glue.py.
"""

from odoo.tests import tagged

from ..roster_columns import ImportColumn, parse_text
from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestHooks(ClearanceCommon):
    """Another student system, by way of overrides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Student = cls.env["clearance.student"].with_user(cls.manager).with_company(cls.campus)
        cls.forms = cls.open_session()

    def setUp(self):
        super().setUp()
        self.calls = []

    def override(self, name, answer):
        """Put a method in the place of a hook; it gets the original first, as `super()` would be."""
        original = getattr(self.registry["clearance.student"], name)
        calls = self.calls

        def method(records, *args):
            calls.append(name)
            return answer(original(records, *args), *args)

        # Methods of models tell by an attribute that they are to be called on the model.
        method._api_model = True
        self.patch(self.registry["clearance.student"], name, method)

    def rows(self, *numbers, **cells):
        return [
            {"student_number": number, "name": f"Name {number}", "class": "M1", "college": "ME", **cells}
            for number in numbers
        ]

    def codes(self, rows, **options):
        return [row.code for row in self.Student._import_rows(rows, **options)]

    def find(self, number):
        return self.env["clearance.student"].search([("student_number", "=", number)])

    def test_columns(self):
        """A column of one's own is read, and what it says is written."""
        column = ImportColumn("Programme", parse_text, ("培养方案",))
        self.override("_get_import_columns", lambda found: {**found, "programme": column})
        self.override(
            "_prepare_student_values",
            lambda found, row, known: {**found, "major": row["programme"].upper()} if "programme" in row else found,
        )
        self.assertEqual(self.codes(self.rows("T26901", programme=" glue ")), ["created"])
        self.assertEqual(self.find("T26901").major, "GLUE")
        self.assertEqual(self.codes(self.rows("T26901", programme=" glue ")), ["unchanged"])
        self.assertEqual(self.codes(self.rows("T26901", programme="paste")), ["updated"])
        self.assertEqual(self.find("T26901").major, "PASTE")

    def test_partners(self):
        """The contact that the other system has is taken."""
        partner = self.env["res.partner"].create({"name": "Someone", "company_id": self.campus.id})
        count = self.env["res.partner"].search_count([])
        self.override("_match_partners", lambda found, rows: {**found, "T26902": partner})
        self.assertEqual(self.codes(self.rows("T26902")), ["created"])
        self.assertEqual(self.find("T26902").partner_id, partner)
        self.assertEqual(self.env["res.partner"].search_count([]), count)

    def test_students(self):
        """A number that was corrected is that of the same graduate, whose form stays."""
        student = self.students[0]
        self.override(
            "_match_students",
            lambda found, rows: {**found, "T26903": student.with_user(self.manager)},
        )
        self.assertEqual(self.codes(self.rows("T26903")), ["updated"])
        self.assertEqual(student.student_number, "T26903")
        self.assertEqual(self.forms[0].student_number, "T26903")

    def test_in_sets(self):
        """Hooks that look for records are asked once for many rows, that for values once a row."""
        for name in ("_get_import_columns", "_match_students", "_match_partners", "_prepare_student_values"):
            self.override(name, lambda found, *args: found)
        self.codes(self.rows(*(f"T27{number:03}" for number in range(30))))
        self.assertEqual(
            {name: self.calls.count(name) for name in set(self.calls)},
            {"_get_import_columns": 1, "_match_students": 1, "_match_partners": 1, "_prepare_student_values": 30},
        )

    def test_contact_values(self):
        """What a new contact gets may be added to."""
        self.override("_prepare_partner_values", lambda found, vals: {**found, "comment": "from elsewhere"})
        self.codes(self.rows("T26904"))
        self.assertIn("from elsewhere", self.find("T26904").partner_id.comment or "")

    def test_stays_in_step(self):
        """Again without a change: nothing; with one: that one, and open sessions follow."""
        self.assertEqual(self.codes(self.rows("T26001")), ["updated"])
        before = self.find("T26001").write_date
        self.assertEqual(self.codes(self.rows("T26001")), ["unchanged"])
        self.assertEqual(self.find("T26001").write_date, before)
        self.assertEqual(self.codes(self.rows("T26001", **{"class": "M2"})), ["updated"])
        self.assertEqual(self.forms[1].class_id, self.class_m2)
        self.assertEqual(self.codes(self.rows("T26001", graduation_state="left")), ["updated"])
        self.assertEqual(self.forms[1].state, "withdrawn")

    def test_one_bad_row(self):
        """Good rows are written, and the bad one says what is wrong."""
        rows = self.rows("T26905") + self.rows("T26906", **{"class": "No such class"})
        done = self.Student._import_rows(rows, mode="good")
        self.assertEqual([row.code for row in done], ["created", "refused"])
        (problem,) = [problem for problem in done[1].problems if problem["level"] == "error"]
        self.assertEqual(problem["value"], "No such class")
        self.assertTrue(problem["remedy"])
