"""Changing a step of an open session: effect first, then the choice, and its record."""

from contextlib import contextmanager
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon


class StepChangeCommon(ClearanceCommon):
    def _start(self, step, user=None, **values):
        """A wizard that shows the effect of ``values``, as ``user`` (the manager)."""
        user = user or self.manager
        action = step.with_user(user)._open_change(values)
        return self.env["clearance.step.change"].with_user(user).browse(action["res_id"])

    def _note(self):
        """The text of the last record of the session."""
        return self.clearance.message_ids[:1].body or ""

    def _snapshot(self):
        """Everything that a change may touch."""
        self.env.invalidate_all()
        return (
            self.env["clearance.status"].with_context(active_test=False).search([]).read(),
            self.env["clearance.form"].search([]).read(["state", "cleared_at"]),
            self.clearance.with_context(active_test=False).step_ids.read(),
            self.env["clearance.log"].search_count([]),
            len(self.clearance.message_ids),
        )


@tagged("post_install", "-at_install")
class TestStepChangeEffect(StepChangeCommon):
    """What is shown is what happens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()

    def test_nothing_is_written_before(self):
        before = self._snapshot()
        wizard = self._start(self.degree, station_id=self.library.id, required=False, prerequisite_ids=self.talk.ids)
        self.assertTrue(wizard.is_shown)
        self.assertEqual(self._snapshot(), before)

    def test_new_prerequisite(self):
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        self.settle_steps(self.degree, students=self.students[:2])
        wizard = self._start(self.degree, prerequisite_ids=(self.books | self.fees | self.talk).ids)
        self.assertEqual((wizard.blocked, wizard.freed, wizard.review), (4, 0, 2))
        line = wizard.line_ids
        self.assertEqual((line.step_id, line.blocked, line.review, line.forced), (self.degree, 4, 2, 0))
        self.assertIn("Return books and Pay arrears → Return books, Pay arrears, and Exit talk", wizard.changes)
        wizard.action_apply()
        self.assertEqual(self.degree.prerequisite_ids, self.books | self.fees | self.talk)
        self.assertEqual(self.statuses(self.degree).mapped("needs_review"), [True] * 2 + [False] * 4)
        self.assertFalse(any(self.statuses(self.degree).mapped("ready")))
        for word in ("Degree certificate", "Exit talk", "Blocked from now on: 4", "2, marked for another look"):
            self.assertIn(word, self._note())
        self.assertEqual(self.clearance.message_ids[0].author_id, self.manager.partner_id)

    def test_not_marked_by_choice(self):
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree)
        wizard = self._start(self.degree, prerequisite_ids=(self.books | self.fees | self.talk).ids)
        self.assertEqual(wizard.review, 6)
        wizard.mark_review = False
        wizard.action_apply()
        self.assertFalse(any(self.statuses(self.degree).mapped("needs_review")))
        self.assertIn("6, left as they are by choice", self._note())

    def test_removed_prerequisite(self):
        self.settle_steps(self.books, self.card, self.loan)
        self.assertFalse(any(self.statuses(self.degree).mapped("ready")))
        wizard = self._start(self.degree, prerequisite_ids=self.books.ids)
        self.assertEqual((wizard.blocked, wizard.freed, wizard.review), (0, 6, 0))
        wizard.action_apply()
        self.assertTrue(all(self.statuses(self.degree).mapped("ready")))

    def test_retired(self):
        self.settle_steps(self.books, self.fees, self.loan)
        self.decide(self.status(self.students[0], self.card, self.affairs), "approve")
        wizard = self._start(self.card, active=False)
        self.assertEqual((wizard.applies_before, wizard.applies_after), (6, 0))
        self.assertEqual(wizard.to_not_required, 5)
        self.assertIn("1 graduates", wizard.warnings)
        lines = {line.step_id: line.freed for line in wizard.line_ids}
        self.assertEqual(lines, {self.degree: 5})
        wizard.action_apply()
        self.assertEqual(self.statuses(self.card).mapped("state"), ["approved"] + ["not_required"] * 5)
        self.assertTrue(all(self.statuses(self.degree).mapped("ready")))
        wizard = self._start(self.card, active=True)
        self.assertEqual(wizard.to_required, 5)
        self.assertEqual({line.step_id: line.blocked for line in wizard.line_ids}, {self.degree: 5})
        wizard.action_apply()
        self.assertTrue(self.card.active)
        self.assertEqual(self.statuses(self.card).mapped("state"), ["approved"] + ["pending"] * 5)

    def test_rejected_step_blocks_no_longer_once_it_is_retired(self):
        """What people decided is left as it is, yet a retired step holds nobody back."""
        self.settle_steps(self.books, self.fees, self.loan)
        self.decide(self.statuses(self.card, self.affairs), "reject", "Card lost")
        wizard = self._start(self.card, active=False)
        self.assertEqual((wizard.to_not_required, wizard.freed), (0, 6))
        wizard.action_apply()
        self.assertEqual(self.statuses(self.card).mapped("state"), ["rejected"] * 6)
        self.assertTrue(all(self.statuses(self.degree).mapped("ready")))

    def test_required_again_marks_in_any_case(self):
        """What relied on a step that is asked for again is marked by the gate, all the way down."""
        self.card.required = False
        self.clearance._open()
        self.settle_steps(self.books, self.fees, self.loan, self.degree, self.diploma)
        wizard = self._start(self.card, required=True)
        self.assertEqual(wizard.to_required, 6)
        lines = {line.step_id: (line.review, line.forced) for line in wizard.line_ids}
        self.assertEqual(lines, {self.degree: (6, 6), self.diploma: (6, 6)})
        wizard.mark_review = False
        wizard.action_apply()
        self.assertEqual(self.statuses(self.degree).mapped("needs_review"), [True] * 6)
        self.assertEqual(self.statuses(self.diploma).mapped("needs_review"), [True] * 6)
        self.assertIn("12 marked for another look", self._note())

    def test_optional_from_now_on(self):
        self.settle_steps(self.books, self.fees, self.loan)
        wizard = self._start(self.card, required=False)
        self.assertEqual((wizard.optional, wizard.freed), (6, 6))
        wizard.action_apply()
        self.assertEqual(self.statuses(self.card).mapped("state"), ["optional"] * 6)
        self.assertTrue(all(self.statuses(self.degree).mapped("ready")))

    def test_applies_to_others(self):
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree)
        wizard = self._start(self.loan, student_domain="[]")
        self.assertEqual((wizard.applies_before, wizard.applies_after, wizard.to_required), (1, 6, 5))
        self.assertEqual(wizard.review, 5, "their degree certificates relied on nothing to be confirmed")
        wizard.action_apply()
        self.assertEqual(self.statuses(self.loan).mapped("state"), ["approved"] + ["pending"] * 5)
        self.assertEqual(self.statuses(self.degree).mapped("needs_review"), [False] + [True] * 5)
        self.assertIn("1 → 6", self._note())
        wizard = self._start(self.loan, student_domain="[('student_number', '=', 'nobody')]")
        self.assertIn("It applies to no graduate", wizard.warnings)

    def test_other_desk_and_nobody(self):
        empty = self.env["clearance.station"].create({"name": "Empty office"})
        wizard = self._start(self.card, station_id=empty.id)
        self.assertEqual(wizard.rerouted, 6)
        self.assertIn("Nobody can confirm it for 6 graduates (0 before)", wizard.warnings)
        # The degree waited for everything at the office that the card leaves.
        self.assertEqual(wizard.freed, 0, "books and fees are still missing")
        wizard.action_apply()
        self.assertEqual(self.statuses(self.card).station_id, empty)
        self.assertNotIn(self.card, self.degree.blocking_step_ids)
        wizard = self._start(self.card, mode="supervisor")
        self.assertIn("Nobody can confirm it for 5 graduates (6 before)", wizard.warnings)

    def test_desk_that_takes_nobody(self):
        split = self.env["clearance.station"].create({"name": "Split office"})
        self.env["clearance.station"].create(
            {"name": "South", "parent_id": split.id, "room_ids": [Command.link(self.south.id)]}
        )
        wizard = self._start(self.card, station_id=split.id)
        self.assertIn("No desk takes 3 graduates (0 before)", wizard.warnings)

    def test_window(self):
        now = fields.Datetime.now()
        self.settle_steps(self.card, students=self.students[:2])
        wizard = self._start(self.card, deadline=fields.Datetime.to_string(now - timedelta(hours=1)))
        self.assertIn("4 graduates cannot settle it", wizard.warnings)
        self.assertIn("with the session →", wizard.changes)
        wizard.action_apply()
        self.assertEqual(self.decide(self.status(self.students[3], self.card, self.affairs), "approve"), ["too_late"])

    @mute_logger("odoo.sql_db")
    def test_what_cannot_be_is_refused_while_it_is_shown(self):
        with self.assertRaisesRegex(ValidationError, "Return books → .*Return books"):
            self._start(self.books, prerequisite_ids=self.diploma.ids)
        with self.assertRaisesRegex(ValidationError, "not valid"):
            self._start(self.books, student_domain="[('no_such_field', '=', 1)]")
        now = fields.Datetime.now()
        with self.assertRaises(Exception) as caught:
            self._start(
                self.books,
                open_from=fields.Datetime.to_string(now),
                deadline=fields.Datetime.to_string(now - timedelta(days=1)),
            )
        self.assertRegex(str(caught.exception), "window|end after|ends before|Return books")
        self.assertFalse(self.books.deadline)

    def test_new_entry_step(self):
        wizard = self._start(self.talk, is_entry=True)
        self.assertEqual(wizard.blocked, sum(len(self.statuses(step).filtered("ready")) for step in self._others()))
        wizard.action_apply()
        self.assertFalse(any(self.statuses(step).filtered("ready") for step in self._others()))

    def _others(self):
        return self.clearance.step_ids - self.talk

    def test_retired_prerequisites_are_kept(self):
        """They are not shown, so that they are not taken away either."""
        self.degree.prerequisite_ids += self.talk
        self.talk.active = False
        self.clearance._open()
        wizard = self._start(self.degree, prerequisite_ids=self.books.ids)
        wizard.action_apply()
        self.assertEqual(self.degree.with_context(active_test=False).prerequisite_ids, self.books | self.talk)

    def test_queries_do_not_grow(self):
        def show():
            self.env.invalidate_all()
            self._start(self.card, prerequisite_ids=self.talk.ids)

        show()
        bound = 36
        with self.assertQueryCount(bound):
            show()
        self.env["clearance.student"].create(
            [
                {
                    "student_number": f"T268{number:02}",
                    "name": f"More {number}",
                    "class_id": self.class_m1.id,
                    "graduation_year": 2026,
                }
                for number in range(30)
            ]
        )
        for number in range(20):
            self._create_step(f"More {number}", self.library, prerequisite_ids=[Command.link(self.card.id)])
        self.clearance._open()
        with self.assertQueryCount(bound):
            show()


@tagged("post_install", "-at_install")
class TestStepChangeChoice(StepChangeCommon):
    """Who may, who came first, and what is remembered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()

    @contextmanager
    def _later(self):
        with freeze_time(fields.Datetime.now() + timedelta(minutes=1)):
            yield

    def test_overtaken_by_the_same_field(self):
        wizard = self._start(self.card, required=False)
        with self._later():
            self.card.required = False
            self.card.station_id = self.library
        answer = wizard.action_apply()
        self.assertEqual(answer["res_id"], wizard.id, "shown again, not applied")
        self.assertIn("Student Affairs → Library", wizard.notice)
        self.assertEqual(wizard.station_id, self.library, "what was not entered here is taken over")
        self.assertTrue(wizard.is_shown)
        self.assertFalse(wizard.changes, "it is so already")

    def test_overtaken_keeps_what_was_entered(self):
        wizard = self._start(self.card, station_id=self.finance.id)
        with self._later():
            self.card.with_user(self.manager).station_id = self.library
        wizard.action_apply()
        self.assertEqual(self.card.station_id, self.library, "not overwritten silently")
        self.assertIn("Student Affairs → Library", wizard.notice)
        self.assertIn("Library → Finance", wizard.changes)
        wizard.action_apply()
        self.assertEqual(self.card.station_id, self.finance)

    def test_overtaken_by_another_step(self):
        wizard = self._start(self.degree, prerequisite_ids=self.books.ids)
        with self._later():
            self.card.prerequisite_ids = self.talk
        answer = wizard.action_apply()
        self.assertEqual(answer.get("res_id"), wizard.id)
        self.assertIn("other steps", wizard.notice)
        self.assertEqual(self.degree.prerequisite_ids, self.books | self.fees)
        wizard.action_apply()
        self.assertEqual(self.degree.prerequisite_ids, self.books)

    def test_values_changed_after_the_effect_was_shown(self):
        wizard = self._start(self.card, required=False)
        wizard.station_id = self.library
        self.assertFalse(wizard.is_shown)
        answer = wizard.action_apply()
        self.assertEqual(answer.get("res_id"), wizard.id, "the effect of what would be written is shown first")
        self.assertTrue(self.card.required)
        wizard.action_apply()
        self.assertEqual((self.card.required, self.card.station_id), (False, self.library))

    def test_form_of_the_wizard(self):
        action = self.card.with_user(self.manager).action_change()
        wizard = self.env["clearance.step.change"].with_user(self.manager).browse(action["res_id"])
        self.assertFalse(wizard.is_shown, "nothing is entered yet")
        with Form(wizard) as form:
            form.required = False
        wizard.action_show()
        self.assertTrue(wizard.is_shown)
        with Form(wizard) as form:
            form.deadline = fields.Datetime.now()
            self.assertFalse(form.is_shown)

    def test_nothing_changed(self):
        wizard = self._start(self.card)
        wizard.action_show()
        with self.assertRaisesRegex(UserError, "Nothing of “Return student card” has been changed"):
            wizard.action_apply()

    def test_changes_of_other_steps_go_on_waiting(self):
        with self._later():
            self.loan.student_domain = "[]"
            wizard = self._start(self.card, required=False)
            wizard.action_apply()
            self.assertTrue(self.clearance.has_changes, "of the loan")
            self.assertEqual(self.status(self.students[1], self.loan).state, "not_required")
            wizard = self._start(self.loan)
            self.assertTrue(wizard.pending)
            self.assertEqual(wizard.to_required, 5)
            wizard.action_apply()
            self.assertFalse(self.clearance.has_changes)
            self.assertIn("Put in force as it stands", self._note())
        self.assertEqual(self.status(self.students[1], self.loan).state, "pending")

    def test_roster_is_left_alone(self):
        """A change of a step takes nobody in or out: that is asked for by updating the session."""
        self.clearance.student_domain = "[('student_number', '=', 'T26000')]"
        self._start(self.card, required=False).action_apply()
        self.assertNotIn("withdrawn", self.forms.mapped("state"))

    def test_new_step_is_put_in_force(self):
        with self._later():
            survey = self._create_step("Survey", self.counselling)
            self.degree.prerequisite_ids += survey
            wizard = self._start(survey)
            self.assertEqual((wizard.pending, wizard.added), (True, 6))
            self.assertEqual((wizard.applies_before, wizard.applies_after), (0, 6))
            wizard.action_apply()
        self.assertEqual(self.statuses(survey).mapped("state"), ["pending"] * 6)

    def test_draft_and_closed(self):
        other = self.clearance.copy()
        with self.assertRaisesRegex(UserError, "is not open"):
            other.step_ids[0].with_user(self.manager).action_change()
        wizard = self._start(self.card, required=False)
        self.clearance.action_close()
        for act in (wizard.action_show, wizard.action_apply):
            with self.assertRaisesRegex(UserError, "is not open"):
                act()
        self.assertTrue(self.card.required)

    def test_only_for_those_who_may_change_the_step(self):
        values = {"step_id": self.card.id, "station_id": self.library.id, "mode": "station"}
        values["initial_state"] = "pending"
        for user in (
            self.auditor,
            self.deferral,
            self.librarian,
            self.affairs,
            self.counsellor,
            self.lead,
            self.stranger,
            self.graduate,
        ):
            with self.subTest(user.login), mute_logger("odoo.models"):
                with self.assertRaises(AccessError):
                    self.card.with_user(user).action_change()
                with self.assertRaises(AccessError):
                    self.env["clearance.step.change"].with_user(user).create(values)
        wizard = self._start(self.card, required=False)
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            wizard.with_user(self.lead).action_apply()
        self.assertTrue(self.card.required)

    def test_lead_changes_a_step_of_the_own_college(self):
        self.clearance.college_steps = True
        keys = self._create_step("Lab keys", self.mech_desk, college_id=self.mech.id)
        self.clearance._open()
        wizard = self._start(keys, self.lead, prerequisite_ids=self.talk.ids)
        self.assertEqual((wizard.applies_after, wizard.blocked), (3, 3))
        wizard.action_apply()
        self.assertEqual(keys.prerequisite_ids, self.talk)
        self.assertEqual(self.clearance.message_ids[0].author_id, self.lead.partner_id)
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            self.clearance.with_user(self.lead).write({"name": "Mine"})

    def test_can_change(self):
        self.assertTrue(self.card.with_user(self.manager).can_change)
        self.assertFalse(self.card.with_user(self.lead).can_change)
        self.clearance.action_close()
        self.assertFalse(self.card.with_user(self.manager).can_change)

    def test_form_of_a_step_of_an_open_session(self):
        """People change what matters by the wizard; the server still takes imports."""
        with Form(self.card.with_user(self.manager)) as form:
            form.name = "Return the student card"
            for fname in ("required", "mode", "station_id", "deadline"):
                with self.assertRaises(AssertionError):
                    form[fname] = form[fname]
        with self._later():
            self.card.with_user(self.manager).write({"required": False})
        self.assertTrue(self.clearance.has_changes)
        with Form(self.env["clearance.step"].with_user(self.manager)) as form:
            form.name = "Added while open"
            form.session_id = self.clearance
            form.station_id = self.library


@tagged("post_install", "-at_install")
class TestUpdateRecord(StepChangeCommon):
    """The Update wizard leaves a record of what was chosen."""

    def _wizard(self):
        Wizard = self.env["clearance.session.open"].with_user(self.manager)
        return Wizard.with_context(default_session_id=self.clearance.id).create({})

    def test_opening(self):
        self._wizard().action_open()
        self.assertIn("opened for 6 graduates", self._note())

    def test_applied_left_out_and_marked(self):
        self.open_session()
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree)
        self.degree.prerequisite_ids += self.talk
        self.loan.student_domain = "[]"
        self.deposit.active = False
        wizard = self._wizard()
        wizard.line_ids.filtered(lambda line: line.step_id == self.deposit).apply = False
        wizard.action_open()
        note = self._note()
        self.assertIn("Left out by choice, so that their statuses stay as they are: Deposit refund", note)
        self.assertIn("Confirm loan: Required again 5", note)
        self.assertIn("Marked for another look: 1", note)
        self.assertEqual(self.clearance.message_ids[0].author_id, self.manager.partner_id)

    def test_not_marked_by_choice(self):
        self.open_session()
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree)
        self.degree.prerequisite_ids += self.talk
        wizard = self._wizard()
        wizard.mark_review = False
        wizard.action_open()
        self.assertIn("left as they are by choice: 6", self._note())
