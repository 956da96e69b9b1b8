from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from ..demo.campus import Campus
from .common import ClearanceCommon
from .test_campaign import CampusCommon

READY, LIFTED, MINE, BLOCKED = 1, 2, 4, 8


@tagged("post_install", "-at_install")
class TestMatrix(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()

    def _cell(self, matrix, student, step):
        """Code and flags of a cell."""
        status = self.status(student, step)
        status_id, code, flags = matrix["cells"][status.form_id.id][step.id]
        self.assertEqual(status_id, status.id)
        return code, flags

    def _get_own_steps(self, user, forms=None):
        columns = (forms or self.forms).with_user(user).get_matrix()["columns"]
        return {step["id"] for column in columns for step in column["steps"] if step["mine"]}

    def test_shape(self):
        """Stations in the order of the process with their steps; every step of every form."""
        matrix = self.forms.with_user(self.auditor).get_matrix()
        self.assertEqual(matrix["session"], {"id": self.clearance.id, "name": "2026 undergraduates", "state": "open"})
        self.assertEqual(matrix["sessions"], [{"id": self.clearance.id, "name": "2026 undergraduates", "count": 6}])
        self.assertEqual(
            [(column["station"], [step["name"] for step in column["steps"]]) for column in matrix["columns"]],
            [
                ("Library", ["Return books", "Deposit refund"]),
                ("Finance", ["Pay arrears"]),
                ("Student Affairs", ["Return student card", "Confirm loan"]),
                ("Counselling", ["Exit talk"]),
                ("Certificates", ["Degree certificate", "Graduation certificate"]),
            ],
        )
        deposit = matrix["columns"][0]["steps"][1]
        self.assertEqual((deposit["required"], deposit["mode"], deposit["mine"]), (False, "station", False))
        self.assertEqual(set(matrix["cells"]), set(self.forms.ids))
        for cells in matrix["cells"].values():
            self.assertEqual(set(cells), set(self.clearance.step_ids.ids))

    def test_states_and_flags(self):
        first, second = self.students[:2]
        self.decide(self.status(first, self.card, self.affairs), "approve")
        self.decide(self.status(second, self.card, self.affairs), "reject", "Card is missing")
        self.env["clearance.override"].create(
            {"status_id": self.status(second, self.fees).id, "reason": "Proof of a loan"}
        )
        matrix = self.forms.with_user(self.affairs).get_matrix()
        self.assertEqual(self._cell(matrix, first, self.card), ("a", MINE))
        self.assertEqual(self._cell(matrix, second, self.card), ("r", READY | MINE))
        self.assertEqual(self._cell(matrix, first, self.loan), ("p", READY | MINE))
        self.assertEqual(self._cell(matrix, second, self.loan), ("n", MINE))
        self.assertEqual(self._cell(matrix, second, self.fees), ("p", READY | LIFTED))
        self.assertEqual(self._cell(matrix, first, self.deposit), ("o", 0))
        self.assertEqual(self._cell(matrix, first, self.degree), ("p", BLOCKED))

    def test_what_waits(self):
        """Blocked exactly where the statuses say so, and the other way round."""
        self.settle_steps(self.books, self.fees, self.card, self.loan, students=self.students[:3])
        matrix = self.forms.with_user(self.manager).get_matrix()
        for status in self.env["clearance.status"].search([("form_id", "in", self.forms.ids)]):
            _code, flags = self._cell(matrix, status.student_id, status.step_id)
            with self.subTest(status=status.display_name):
                self.assertEqual(bool(flags & READY), status.ready)
                self.assertEqual(bool(flags & BLOCKED), bool(status.blocked_by))
        self.assertTrue(self.status(self.students[0], self.degree).ready)

    def test_another_look(self):
        student = self.students[0]
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree, students=student)
        self.decide(self.status(student, self.card, self.affairs), "reopen", "Wrong card")
        matrix = self.forms.with_user(self.manager).get_matrix()
        self.assertEqual(self._cell(matrix, student, self.degree), ("v", MINE | BLOCKED))

    def test_own_steps(self):
        """What the user may decide on, by role; the gate says the same."""
        mech = self.forms.filtered(lambda form: form.college_id == self.mech)
        for user, forms, expected in (
            (self.affairs, self.forms, self.card | self.loan),
            (self.librarian, self.forms, self.books | self.deposit),
            (self.mech_clerk, mech, self.degree | self.diploma),
            (self.manager, self.forms, self.clearance.step_ids),
            (self.auditor, self.forms, self.env["clearance.step"]),
            (self.deferral, self.forms, self.env["clearance.step"]),
            (self.lead, mech, self.env["clearance.step"]),
            (self.counsellor, self.forms[:2], self.talk),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(self._get_own_steps(user, forms), set(expected.ids))

    def test_nobody_acts_in_a_closed_session(self):
        self.clearance.action_close()
        self.assertFalse(self._get_own_steps(self.affairs))
        self.assertFalse(self._get_own_steps(self.manager))

    def test_access(self):
        """Whole records of readable forms only; graduates have a page of their own."""
        mech = self.forms.filtered(lambda form: form.college_id == self.mech)
        self.assertEqual(len(mech.with_user(self.mech_clerk).get_matrix()["cells"]), 3)
        for user, forms in (
            (self.mech_clerk, self.forms),
            (self.counsellor, self.forms),
            (self.supervisor, self.forms),
            (self.stranger, self.forms[:1]),
            (self.graduate, self.forms[:1]),
            (self.graduate, self.forms[1:2]),
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                forms.with_user(user).get_matrix()

    def test_several_sessions(self):
        """The session of most of the forms, or the one asked for."""
        other = self.clearance.copy({"name": "Second session", "student_domain": "[('student_number', '=', 'T26005')]"})
        other._open()
        forms = self.forms | self.env["clearance.form"].search([("session_id", "=", other.id)])
        matrix = forms.with_user(self.auditor).get_matrix()
        self.assertEqual(
            [(item["id"], item["count"]) for item in matrix["sessions"]], [(self.clearance.id, 6), (other.id, 1)]
        )
        self.assertEqual(set(matrix["cells"]), set(self.forms.ids))
        matrix = forms.with_user(self.auditor).get_matrix(other.id)
        self.assertEqual(matrix["session"]["name"], "Second session")
        self.assertEqual(set(matrix["cells"]), set((forms - self.forms).ids))
        steps = {step["id"] for column in matrix["columns"] for step in column["steps"]}
        self.assertEqual(steps, set(other.step_ids.ids))

    def test_nothing(self):
        matrix = self.env["clearance.form"].with_user(self.auditor).get_matrix()
        self.assertEqual(matrix, {"session": False, "sessions": [], "columns": [], "cells": {}})

    def test_story(self):
        student = self.students[1]
        status = self.status(student, self.card)
        form = status.form_id.with_user(self.affairs)
        story = form.get_cell_story(status.id)
        self.assertEqual((story["step"], story["station"]), ("Return student card", "Student Affairs"))
        self.assertEqual(story["actions"], ["approve", "reject"])
        self.assertEqual((story["log"], story["undo"]), ([], False))
        self.decide(status.with_user(self.affairs), "reject", "Card is missing", door="matrix")
        story = form.get_cell_story(status.id)
        self.assertEqual((story["state"], story["initial_state"]), ("rejected", "pending"))
        self.assertEqual(story["actions"], ["approve", "reopen"])
        self.assertEqual(story["reason"], "Card is missing")
        line = self.env["clearance.log"].search([("status_id", "=", status.id)])
        self.assertEqual(story["undo"], {"line": line.id, "mine": True})
        (entry,) = story["log"]
        self.assertEqual(
            (entry["user"], entry["action"], entry["from"], entry["to"], entry["reason"], entry["door"]),
            (
                self.affairs.name,
                "Rejected",
                "Not done",
                "Rejected",
                "Card is missing",
                "Matrix",
            ),
        )
        self.assertEqual(form.with_user(self.manager).get_cell_story(status.id)["undo"]["mine"], False)

    def test_story_of_what_waits(self):
        status = self.status(self.students[0], self.degree)
        story = status.form_id.with_user(self.mech_clerk).get_cell_story(status.id)
        self.assertIn("Library: Return books", story["blocked_by"])
        self.assertEqual(story["actions"], ["reject"])

    def test_story_of_a_source_system(self):
        status = self.status(self.students[0], self.books)
        story = status.form_id.with_user(self.librarian).get_cell_story(status.id)
        self.assertTrue(story["needs_reason"])
        self.assertIn("approve", story["actions"])

    def test_story_for_readers(self):
        """Who may only look sees the story and no button."""
        status = self.status(self.students[0], self.card)
        self.decide(status.with_user(self.affairs), "approve")
        for user in (self.auditor, self.lead, self.counsellor, self.librarian, self.mech_clerk):
            with self.subTest(user=user.login):
                story = status.form_id.with_user(user).get_cell_story(status.id)
                self.assertEqual((story["actions"], story["undo"]), ([], False))
                self.assertEqual(len(story["log"]), 1)

    def test_story_access(self):
        status = self.status(self.students[0], self.card)
        form = status.form_id
        for user in (self.arts_clerk, self.supervisor, self.stranger, self.graduate):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                form.with_user(user).get_cell_story(status.id)
        with self.assertRaises(UserError, msg="A status of another form"):
            self.forms[1].with_user(self.affairs).get_cell_story(status.id)
        self.assertFalse(self.env["clearance.log"].search([]), "Looking writes nothing.")


@tagged("post_install", "-at_install")
class TestMatrixQueries(CampusCommon):
    def test_queries(self):
        """As many queries for one graduate as for 120."""
        campus = Campus(self.env, 120)
        campus.build_roster()
        campus.session._open()
        forms = self.env["clearance.form"].search([("session_id", "=", campus.session.id)])
        self.assertEqual(len(forms), 120)
        for key in ("affairs", "manager", "auditor"):
            user = campus.people[key]
            counts = [self._count(forms[:size].with_user(user)) for size in (1, 120)]
            self.assertEqual(counts[0], counts[1], key)
            self.assertLessEqual(counts[0], 12, key)

    def _count(self, forms):
        forms.get_matrix()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        forms.get_matrix()
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestMatrixTour(ClearanceCommon, HttpCase):
    def test_class_batch(self):
        """Student Affairs settles a class: one waits for somebody else, then all is taken back."""
        self.card.prerequisite_ids = self.talk
        self.open_session()
        arts = self.students[3:]
        self.settle_steps(self.talk, students=arts[:2])
        self.start_tour("/odoo/clearance-matrix", "clearance_matrix", login=self.affairs.login)
        cards = self.env["clearance.status"].search(
            [("step_id", "=", self.card.id), ("form_id.student_id", "in", arts.ids)]
        )
        self.assertEqual(cards.mapped("state"), ["pending"] * 3)
        log = self.env["clearance.log"].search([("user_id", "=", self.affairs.id)], order="id")
        self.assertEqual(log.mapped("action"), ["approve", "approve", "undo", "undo"])
        self.assertEqual(set(log.mapped("door")), {"matrix"})
        self.assertEqual(log.step_id, self.card, "Only the chosen step was set.")
