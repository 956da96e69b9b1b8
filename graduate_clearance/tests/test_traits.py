from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ClearanceCommon


class TraitCase(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.switch = cls.env["clearance.trait"].create({"name": "Switch", "code": "test_switch"})
        cls.Assign = cls.env["clearance.trait.assign"].with_user(cls.manager)

    def assign(self, traits=None, **values):
        traits = self.loan_trait if traits is None else traits
        return self.Assign.create({"trait_ids": [Command.set(traits.ids)], **values})

    def having(self, trait):
        return self.students.filtered(lambda student: trait in student.trait_ids)

    def states(self, step):
        return [self.status(student, step).state for student in self.students]


@tagged("post_install", "-at_install")
class TestTraitAssign(TraitCase):
    def test_give_by_class(self):
        wizard = self.assign(whom="class", class_ids=[Command.set(self.class_m1.ids)])
        wizard.action_check()
        self.assertEqual(wizard.state, "checked")
        self.assertEqual((wizard.matched_count, wizard.gain_count, wizard.lose_count, wizard.same_count), (2, 1, 0, 1))
        self.assertEqual(self.having(self.loan_trait), self.students[0])
        wizard.action_apply()
        self.assertEqual(self.having(self.loan_trait), self.students[:2])

    def test_give_by_college_and_year(self):
        wizard = self.assign(self.switch, whom="class", college_ids=[Command.set(self.arts.ids)], year=2025)
        wizard.action_apply()
        self.assertEqual(self.having(self.switch), self.students[5])
        wizard.write({"year": 0})
        wizard.action_apply()
        self.assertEqual(self.having(self.switch), self.students[3:])

    def test_pasted_list(self):
        """A column of a spreadsheet, with the next column along, blank lines, and mistakes."""
        numbers = '\ufeffT26001\tTest Graduate 1\n\n T26002 , x\r\nT26999\n\'T26001\nT26003；王\n"T26000"\nX\n'
        wizard = self.assign(whom="list", numbers=numbers)
        wizard.action_check()
        self.assertEqual((wizard.matched_count, wizard.gain_count, wizard.same_count), (4, 3, 1))
        self.assertEqual(wizard.unknown, "line 4: T26999\nline 8: X")
        self.assertEqual(wizard.duplicates, "line 5: T26001, as on line 1")
        wizard.action_apply()
        self.assertEqual(self.having(self.loan_trait), self.students[:4])

    def test_long_lists_of_mistakes_are_cut(self):
        wizard = self.assign(whom="list", numbers="\n".join(f"N{n}" for n in range(80)))
        wizard.action_check()
        self.assertEqual(len(wizard.unknown.splitlines()), 51)
        self.assertIn("30", wizard.unknown.splitlines()[-1])

    def test_selected_in_the_roster(self):
        """From the action menu of the list."""
        chosen = self.students[2:4]
        Wizard = self.Assign.with_context(active_model="clearance.student", active_ids=chosen.ids)
        with Form(Wizard) as form:
            self.assertEqual(form.whom, "selected")
            form.trait_ids.add(self.switch)
        form.record.action_apply()
        self.assertEqual(self.having(self.switch), chosen)
        action = self.env.ref("graduate_clearance.clearance_trait_assign_action")
        bound = self.env["ir.actions.actions"].with_user(self.manager).get_bindings("clearance.student")
        self.assertIn(action.id, [one["id"] for one in bound.get("action", ())])
        bound = self.env["ir.actions.actions"].with_user(self.counsellor).get_bindings("clearance.student")
        self.assertNotIn(action.id, [one["id"] for one in bound.get("action", ())])

    def test_take_away(self):
        wizard = self.assign(operation="take", whom="class", college_ids=[Command.set((self.mech | self.arts).ids)])
        wizard.action_check()
        self.assertEqual((wizard.gain_count, wizard.lose_count, wizard.same_count), (0, 1, 5))
        wizard.action_apply()
        self.assertFalse(self.having(self.loan_trait))

    def test_exactly_these_traits(self):
        wizard = self.assign(self.switch, operation="exact", whom="class", class_ids=[Command.set(self.class_m1.ids)])
        wizard.action_check()
        self.assertEqual((wizard.gain_count, wizard.lose_count), (2, 1))
        wizard.action_apply()
        self.assertEqual(self.students[:2].trait_ids, self.switch)
        none = self.assign(self.switch.browse(), operation="exact", whom="list", numbers="T26000")
        none.action_apply()
        self.assertFalse(self.students[0].trait_ids)

    def test_only_these_graduates(self):
        """A complete list, as of borrowers: who is not on it loses the trait."""
        wizard = self.assign(operation="only", whom="list", numbers="T26004\nT26005")
        wizard.action_check()
        self.assertEqual((wizard.gain_count, wizard.lose_count), (2, 1))
        wizard.action_apply()
        self.assertEqual(self.having(self.loan_trait), self.students[4:])

    def test_nothing_said(self):
        for values, said in [
            ({"whom": "class"}, "colleges or classes"),
            ({"whom": "list", "numbers": " \n \n"}, "Paste"),
            ({"whom": "selected"}, "roster"),
        ]:
            for method in ("action_check", "action_apply"):
                with self.subTest(said=said, method=method), self.assertRaisesRegex(UserError, said):
                    getattr(self.assign(**values), method)()
        with self.assertRaisesRegex(UserError, "traits"):
            self.assign(self.switch.browse(), whom="list", numbers="T26000").action_check()

    def test_effect_on_open_sessions(self):
        """Shown before anything is written, and as it then happens."""
        self.students[5].trait_ids = [Command.link(self.loan_trait.id)]
        self.open_session()
        self.assertEqual(self.states(self.loan)[0], "pending")
        log = self.env["clearance.log"].search_count([])
        wizard = self.assign(operation="only", whom="list", numbers="T26001\nT26002\nT26005")
        wizard.action_check()
        [effect] = wizard.effect_ids
        self.assertEqual((effect.step_id, effect.session_id), (self.loan, self.clearance))
        self.assertEqual((effect.begins_count, effect.ceases_count), (2, 1))
        self.assertEqual(self.having(self.loan_trait), self.students[0] | self.students[5])
        self.assertEqual(self.env["clearance.log"].search_count([]), log)
        wizard.action_apply()
        self.assertEqual(
            [state == "pending" for state in self.states(self.loan)], [False, True, True, False, False, True]
        )

    def test_decided_steps_stay(self):
        self.open_session()
        self.decide(self.status(self.students[0], self.loan, self.affairs), "approve")
        self.assign(operation="take", whom="list", numbers="T26000").action_apply()
        self.assertEqual(self.status(self.students[0], self.loan).state, "approved")

    def test_again_changes_nothing(self):
        self.open_session()
        wizard = self.assign(whom="class", college_ids=[Command.set(self.mech.ids)])
        wizard.action_apply()
        self.env.flush_all()
        lines = self.env["clearance.log"].search_count([])
        stamps = self.students.mapped("write_date")
        self.patch(type(self.students), "_refresh_open_sessions", lambda students: self.fail("nothing has changed"))
        wizard.action_check()
        self.assertEqual((wizard.gain_count, wizard.lose_count, wizard.same_count), (0, 0, 3))
        wizard.action_apply()
        self.assertEqual(self.env["clearance.log"].search_count([]), lines)
        self.assertEqual(self.students.mapped("write_date"), stamps)

    def test_one_refresh_for_all(self):
        self.open_session()
        calls = []
        refresh = type(self.students)._refresh_open_sessions
        self.patch(
            type(self.students), "_refresh_open_sessions", lambda students: (calls.append(students), refresh(students))
        )
        self.assign(
            self.loan_trait | self.switch, whom="class", college_ids=[Command.set(self.arts.ids)]
        ).action_apply()
        self.assertEqual(calls, [self.students[3:]])

    def test_other_campus_is_left_alone(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        theirs = self.env["clearance.student"].create(
            {"student_number": "T26001", "name": "Theirs", "company_id": other.id, "trait_ids": self.switch.ids}
        )
        self.assign(self.switch, operation="only", whom="list", numbers="T26001").action_apply()
        self.assertEqual(theirs.trait_ids, self.switch)
        self.assertEqual(self.having(self.switch), self.students[1])
        # A manager of both campuses assigns on one of them at a time.
        self.manager.company_ids += other
        both = {"allowed_company_ids": (self.campus | other).ids}
        chosen = theirs | self.students[2]
        wizard = self.Assign.with_context(**both, active_model="clearance.student", active_ids=chosen.ids).create(
            {"trait_ids": self.loan_trait.ids}
        )
        wizard.action_check()
        self.assertEqual(wizard.matched_count, 1)
        wizard.action_apply()
        self.assertEqual(theirs.trait_ids, self.switch)
        self.assertIn(self.loan_trait, self.students[2].trait_ids)

    def test_only_managers_assign(self):
        wizard = self.assign(whom="list", numbers="T26001")
        for user in (
            self.auditor,
            self.deferral,
            self.librarian,
            self.counsellor,
            self.supervisor,
            self.lead,
            self.stranger,
            self.graduate,
        ):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.Assign.with_user(user).create({"whom": "list", "numbers": "T26001"})
                for method in ("action_check", "action_apply"):
                    with self.assertRaises(AccessError):
                        getattr(wizard.with_user(user), method)()
        self.assertEqual(self.having(self.loan_trait), self.students[0])

    def test_flat_queries(self):
        """Checking and writing cost as many queries for a class as for a college ten times as large."""
        self.clearance.student_domain = "[]"
        self.env["clearance.student"].create(
            [{"student_number": f"F{n}", "name": f"F {n}", "class_id": self.class_m2.id} for n in range(400)]
        )
        self.open_session()

        def cost(trait, numbers):
            found = []
            for method in ("action_check", "action_apply"):
                wizard = self.assign(trait, whom="list", numbers="\n".join(numbers))
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                getattr(wizard, method)()
                self.env.flush_all()
                found.append(self.env.cr.sql_log_count - before)
            return found

        cost(self.loan_trait, ["F0"])
        few = cost(self.loan_trait, [f"F{n}" for n in range(10, 20)])
        many = cost(self.loan_trait, [f"F{n}" for n in range(20, 400)])
        self.assertEqual(many, few)


@tagged("post_install", "-at_install")
class TestTraits(TraitCase):
    def test_count_and_steps(self):
        self.card.student_domain = "[('trait_ids.code', '=', 'test_switch'), ('college_id', '=', 1)]"
        self.students[1:4].trait_ids = [Command.link(self.switch.id)]
        traits = self.loan_trait | self.switch
        self.assertEqual(traits.with_user(self.manager).mapped("student_count"), [1, 3])
        self.assertEqual([trait.step_ids for trait in traits.with_user(self.manager)], [self.loan, self.card])
        action = self.switch.with_user(self.manager).action_open_students()
        self.assertEqual(self.env["clearance.student"].search(action["domain"]), self.students[1:4])
        self.clearance._open()
        self.clearance.action_close()
        self.env.invalidate_all()
        self.assertFalse(traits.step_ids)

    def test_count_is_of_the_own_graduates(self):
        self.open_session()
        self.assertEqual(self.loan_trait.with_user(self.lead).student_count, 1)
        self.students[:4].trait_ids = [Command.link(self.switch.id)]
        self.assertEqual(self.switch.with_user(self.lead).student_count, 3)

    def test_one_query_for_all_counts(self):
        traits = self.env["clearance.trait"].create([{"name": f"T{n}", "code": f"t_{n}"} for n in range(30)])
        self.students.trait_ids = traits
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(1):
            traits.mapped("student_count")

    def test_found_by_code(self):
        Trait = self.env["clearance.trait"]
        self.assertEqual([found[0] for found in Trait.name_search("test_switch")], self.switch.ids)

    def test_import_by_name_and_by_code(self):
        Student = self.env["clearance.student"].with_user(self.manager)
        result = Student.load(
            ["student_number", "name", "class_id", "trait_ids"],
            [
                ["I1", "Import 1", "M1", "Loan"],
                ["I2", "Import 2", "M1", "test_switch,Loan"],
                ["I3", "Import 3", "M1", ""],
            ],
        )
        self.assertFalse(result["messages"])
        one, two, three = Student.browse(result["ids"])
        self.assertEqual(one.trait_ids, self.loan_trait)
        self.assertEqual(two.trait_ids, self.loan_trait | self.switch)
        self.assertFalse(three.trait_ids)

    def test_import_names_an_unknown_trait(self):
        Student = self.env["clearance.student"].with_user(self.manager)
        result = Student.load(["student_number", "name", "trait_ids"], [["I1", "Import", "Lone"], ["I2", "X", "Loan"]])
        [message] = result["messages"]
        self.assertIn("Lone", message["message"])
        self.assertEqual(message["rows"], {"from": 0, "to": 0})
        self.assertFalse(result["ids"])

    def test_import_reaches_open_sessions_at_once(self):
        """In one go for the whole file, not once a row."""
        self.open_session()
        calls = []
        refresh = type(self.students)._refresh_open_sessions
        self.patch(
            type(self.students), "_refresh_open_sessions", lambda students: (calls.append(students), refresh(students))
        )
        rows = [[str(student.id), "Loan" if student in self.students[2:4] else ""] for student in self.students]
        result = self.env["clearance.student"].with_user(self.manager).load([".id", "trait_ids"], rows)
        self.assertFalse(result["messages"])
        self.assertEqual(len(calls), 1)
        self.assertEqual(
            [state == "pending" for state in self.states(self.loan)], [False, False, True, True, False, False]
        )

    def test_import_is_for_managers(self):
        for user in (self.lead, self.counsellor, self.librarian):
            with self.subTest(user=user.login):
                result = (
                    self.env["clearance.student"]
                    .with_user(user)
                    .load([".id", "trait_ids"], [[str(self.students[1].id), "Loan"]])
                )
                self.assertFalse(result["ids"])
        self.assertEqual(self.having(self.loan_trait), self.students[0])
