from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClearanceCommon


class ApplicabilityCase(ClearanceCommon):
    """The campus of the tests, with two fields of its own on graduates."""

    DEFINITION = (
        {"name": "dual", "string": "Double degree", "type": "boolean"},
        {
            "name": "zone",
            "string": "Dorm zone",
            "type": "selection",
            "selection": [["east", "East zone"], ["west", "West zone"]],
        },
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = cls.env["clearance.settings"]._get(cls.campus).sudo(False)
        cls.settings.student_properties_definition = list(cls.DEFINITION)
        cls.Applicability = cls.env["clearance.applicability"]

    def words(self, domain, **values):
        self.card.write({"student_domain": str(domain), **values})
        return self.card.applies_to


@tagged("post_install", "-at_install")
class TestWords(ApplicabilityCase):
    def test_everybody(self):
        self.assertEqual(self.card.applies_to, "Everybody")
        self.assertEqual(self.clearance.population, "Student Number begins with “T26”")

    def test_traits_read_the_same_by_record_and_by_code(self):
        by_record = self.words([("trait_ids", "in", self.loan_trait.ids)])
        by_code = self.words([("trait_ids.code", "=", "test_loan")])
        self.assertEqual(by_record, "Traits: Loan")
        self.assertEqual(by_code, by_record)
        self.assertEqual(self.words([("college_id.code", "in", ["ME", "AR"])]), self._college("Mechanics or Arts"))
        self.assertEqual(
            self.words([("college_id", "in", (self.mech | self.arts).ids)]), self._college("Mechanics or Arts")
        )

    def _college(self, names):
        return "College: " + " or ".join(f"College of {name}" for name in names.split(" or "))

    def test_alternatives_of_one_field_are_one(self):
        domain = ["|", ("trait_ids.code", "=", "test_loan"), ("trait_ids.code", "=", "nope")]
        self.assertEqual(self.words(domain), "Traits: Loan or (unknown: nope)")

    def test_and_or_not(self):
        loan = ("trait_ids", "in", self.loan_trait.ids)
        mech = ("college_id", "=", self.mech.id)
        level = ("level", "=", "postgraduate")
        self.assertEqual(self.words([loan, mech]), "Traits: Loan; College: College of Mechanics")
        self.assertEqual(
            self.words(["|", "&", loan, mech, level]),
            "(Traits: Loan; College: College of Mechanics), or Level: Postgraduate",
        )
        self.assertEqual(self.words([loan, "|", mech, level])[-1], ")")
        self.assertEqual(self.words(["!", loan]), "Traits: not Loan")
        self.assertEqual(self.words(["!", "&", loan, mech]), "Traits: not Loan, or College: not College of Mechanics")
        self.assertEqual(self.words(["!", ("trait_ids.code", "=", "test_loan")]), "Traits: not Loan")

    def test_operators(self):
        for domain, words in [
            ([("college_id", "not in", self.arts.ids)], "College: not College of Arts"),
            ([("room_id", "child_of", self.north.id)], "Room: within North"),
            ([("room_id", "=", False)], "Room: not set"),
            ([("room_id", "!=", False)], "Room: set"),
            ([("graduation_year", "<=", 2025)], "Graduation Year: up to 2025"),
            ([("major", "ilike", "geo")], "Major contains “geo”"),
            ([("class_id.counsellor_id", "!=", False)], "Class → Counsellor: set"),
            ([("class_id", "any", [("name", "=", "M1")])], "Class: (Name: M1)"),
            ([("properties.dual", "=", True)], "Double degree: yes"),
            ([("properties.dual", "!=", True)], "Double degree: no"),
            ([("properties.zone", "in", ["west"])], "Dorm zone: West zone"),
            ([("trait_ids", "in", [])], "Traits: (nothing chosen)"),
        ]:
            with self.subTest(domain=domain):
                self.assertEqual(self.words(domain), words)

    def test_step_of_a_college(self):
        self.clearance.college_steps = True
        self.assertEqual(
            self.words([], college_id=self.mech.id, station_id=self.mech_desk.id),
            "Everybody, within College of Mechanics",
        )

    def test_words_follow_the_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.loan_trait.with_context(lang="zh_CN").name = "贷款"
        self.words([("trait_ids.code", "=", "test_loan")])
        self.assertIn("贷款", self.card.with_context(lang="zh_CN").applies_to)

    def test_names_the_user_may_not_read_stay_hidden(self):
        partner = self.env["res.partner"].create({"name": "Secret", "company_id": self.env.ref("base.main_company").id})
        domain = str([("partner_id", "in", partner.ids)])
        Applicability = self.Applicability.with_user(self.librarian)
        self.assertNotIn("Secret", Applicability.get_catch(domain)["words"])

    def test_queries_do_not_grow_with_steps(self):
        """A list of steps says whom each is for."""
        steps = self.env["clearance.step"].browse(self.clearance.step_ids.ids)
        for step in steps:
            step.student_domain = f"[('trait_ids', 'in', {self.loan_trait.ids}), ('college_id.code', '=', 'ME')]"

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            records.mapped("student_domain"), records.mapped("company_id.name")
            before = self.env.cr.sql_log_count
            records.mapped("applies_to")
            return self.env.cr.sql_log_count - before

        count(steps)
        few = count(steps[:2])
        self.assertEqual(count(steps), few)


@tagged("post_install", "-at_install")
class TestCatch(ApplicabilityCase):
    """The figure beneath the builder, while it is edited."""

    def catch(self, domain, user=None, **within):
        return self.Applicability.with_user(user or self.manager).get_catch(str(domain), **within)

    def test_step_counts_within_the_session(self):
        self.students[5].student_number = "X26005"
        found = self.catch([("trait_ids.code", "=", "test_loan")], session_id=self.clearance.id)
        self.assertEqual((found["count"], found["total"]), (1, 5))
        self.assertEqual(found["words"], "Traits: Loan")
        self.assertFalse(found["problem"])
        self.assertEqual(self.env["clearance.student"].search(found["domain"]), self.students[0])

    def test_session_counts_within_the_campus(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        self.env["clearance.student"].create({"student_number": "O1", "name": "Else", "company_id": other.id})
        self.students[1].graduation_state = "postponed"
        found = self.catch([("college_id", "=", self.mech.id)], company_id=self.campus.id)
        self.assertEqual((found["count"], found["total"]), (2, 5))

    def test_step_of_a_college_counts_within_it(self):
        found = self.catch([], session_id=self.clearance.id, college_id=self.mech.id)
        self.assertEqual((found["count"], found["total"]), (3, 3))

    def test_problem_and_warning_are_told(self):
        found = self.catch([("nope", "=", 1)], session_id=self.clearance.id)
        self.assertIn("nope", found["problem"])
        self.assertNotIn("count", found)
        found = self.catch([("trait_ids.code", "=", "nope")], session_id=self.clearance.id)
        self.assertFalse(found["problem"])
        self.assertEqual(found["count"], 0)
        self.assertIn("nope", found["warnings"][0])

    def test_people_count_whom_they_see(self):
        self.open_session()
        for user, total in [(self.manager, 6), (self.auditor, 6), (self.lead, 3), (self.counsellor, 2)]:
            with self.subTest(user=user.login):
                found = self.catch([], user=user, session_id=self.clearance.id)
                self.assertEqual((found["count"], found["total"]), (total, total))
        for user in (self.stranger, self.graduate):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.catch([], user=user, session_id=self.clearance.id)

    def test_a_filter_is_no_way_to_the_id_numbers(self):
        found = self.catch([("id_number", "=like", "99%")], user=self.librarian)
        self.assertTrue(found["problem"])
        self.assertNotIn("count", found)

    def test_other_campus_is_refused(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        with self.assertRaises(AccessError):
            self.catch([], company_id=other.id)

    def test_queries_do_not_grow_with_graduates(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.catch([("trait_ids.code", "=", "test_loan")], session_id=self.clearance.id)
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        self.env["clearance.student"].create(
            [{"student_number": f"T26{n}", "name": f"More {n}", "class_id": self.class_m1.id} for n in range(100, 400)]
        )
        self.assertEqual(count(), few)


@tagged("post_install", "-at_install")
class TestCampusFields(ApplicabilityCase):
    """Fields that a campus gives its graduates (Odoo properties), and what hangs on them."""

    def states(self, step):
        return [self.status(student, step).state for student in self.students]

    def test_step_applies_by_a_field(self):
        self.students[1].properties = {"dual": True}
        self.students[2].properties = {"dual": False, "zone": "east"}
        self.card.student_domain = "[('properties.dual', '=', True)]"
        self.loan.student_domain = "[('properties.zone', 'in', ['east', 'west'])]"
        self.open_session()
        self.assertEqual([s == "pending" for s in self.states(self.card)], [False, True] + [False] * 4)
        self.assertEqual([s == "pending" for s in self.states(self.loan)], [False, False, True] + [False] * 3)

    def test_open_session_follows_a_change(self):
        self.card.student_domain = "[('properties.dual', '=', True)]"
        self.open_session()
        self.assertEqual(set(self.states(self.card)), {"not_required"})
        self.students[3].with_user(self.manager).write({"properties": {"dual": True}})
        self.assertEqual(self.states(self.card)[3], "pending")
        self.students[3].with_user(self.manager).write({"properties": {"dual": False}})
        self.assertEqual(self.states(self.card)[3], "not_required")

    def test_population_by_a_field(self):
        self.students[4].properties = {"zone": "west"}
        self.clearance.student_domain = "[('properties.zone', '=', 'west')]"
        forms = self.open_session()
        self.assertEqual(forms.student_id, self.students[4])

    def test_graduates_that_were_there_before(self):
        """Settings made later are found by the graduates of the campus."""
        campus = self.env["res.company"].create({"name": "Late Campus"})
        student = self.env["clearance.student"].create(
            {"student_number": "L1", "name": "Late", "company_id": campus.id}
        )
        self.env["clearance.settings"].search([("company_id", "=", campus.id)]).unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(student.settings_id)
        settings = self.env["clearance.settings"]._get(campus)
        settings.student_properties_definition = list(self.DEFINITION)
        self.assertEqual(student.settings_id, settings.sudo(False))
        student.properties = {"dual": True}
        self.assertTrue(student.properties["dual"])

    def test_only_managers_define_fields(self):
        """As Odoo's form does it: the definition comes along with the values."""
        values = self.students[0].read(["properties"])[0]["properties"]
        new = [*values, {"name": "band", "string": "Band", "type": "char", "value": "A", "definition_changed": True}]
        self.students[0].with_user(self.manager).write({"properties": new})
        self.assertIn("Band", [one["string"] for one in self.settings.student_properties_definition])
        for user in (self.librarian, self.lead, self.counsellor, self.auditor, self.deferral):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.settings.with_user(user).student_properties_definition = []
                with self.assertRaises(AccessError):
                    self.students[0].with_user(user).properties = {"dual": True}

    def test_staff_reads_them(self):
        self.students[0].properties = {"zone": "east"}
        self.open_session()
        values = self.students[0].with_user(self.librarian).read(["properties"])[0]["properties"]
        self.assertEqual({one["name"]: one.get("value") for one in values}, {"dual": None, "zone": "east"})
        groups = (
            self.env["clearance.student"]
            .with_user(self.manager)
            ._read_group([("id", "in", self.students.ids)], ["properties.zone"], ["__count"])
        )
        self.assertEqual(dict(groups), {"east": 1, False: 5})

    def test_import_and_export(self):
        Student = self.env["clearance.student"].with_user(self.manager)
        self.students[0].properties = {"dual": True, "zone": "east"}
        result = Student.load(
            [".id", "properties.zone"], [[str(self.students[0].id), "West zone"], [str(self.students[1].id), "east"]]
        )
        self.assertFalse(result["messages"])
        exported = (self.students[0] | self.students[1]).export_data(
            ["student_number", "properties.zone", "properties.dual"]
        )
        # What the file does not speak of stays.
        self.assertEqual(exported["datas"], [["T26000", "West zone", True], ["T26001", "East zone", ""]])
        result = Student.load([".id", "properties.zone"], [[str(self.students[0].id), "Moon"]])
        self.assertIn("Moon", result["messages"][0]["message"])

    def test_a_field_in_use_is_not_removed(self):
        self.card.student_domain = "[('properties.dual', '=', True)]"
        with self.assertRaisesRegex(ValidationError, "Return student card.*Double degree"):
            self.settings.student_properties_definition = list(self.DEFINITION[1:])
        self.clearance.student_domain = "[('properties.zone', '=', 'east')]"
        with self.assertRaisesRegex(ValidationError, "2026 undergraduates.*Dorm zone"):
            self.settings.student_properties_definition = list(self.DEFINITION[:1])
        self.card.student_domain = "[]"
        self.settings.student_properties_definition = list(self.DEFINITION[1:])

    def test_roster_is_not_slower_for_it(self):
        """Reading and creating graduates costs as many queries for few as for many."""
        Student = self.env["clearance.student"].with_user(self.manager)

        def create(numbers):
            before = self.env.cr.sql_log_count
            made = Student.create(
                [{"student_number": f"P{n}", "partner_id": self.students[0].partner_id.id} for n in numbers]
            )
            self.env.flush_all()
            return made, self.env.cr.sql_log_count - before

        def read(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            Student.web_search_read([("id", "in", records.ids)], {"name": {}, "settings_id": {}, "properties": {}})
            return self.env.cr.sql_log_count - before

        create(range(3))
        few, few_create = create(range(10, 13))
        many, many_create = create(range(100, 160))
        self.assertEqual(many_create, few_create)
        read(few)
        self.assertEqual(read(many), read(few))
        self.assertEqual(many.settings_id, self.settings)

    def test_traits_of_the_template_kind_open(self):
        """Codes in domains decide as records do."""
        self.loan.student_domain = "[('trait_ids.code', '=', 'test_loan')]"
        self.students[2].trait_ids = [Command.link(self.loan_trait.id)]
        self.open_session()
        self.assertEqual([s == "pending" for s in self.states(self.loan)], [True, False, True] + [False] * 3)
