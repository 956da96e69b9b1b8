from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests.common import tagged

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestUndo(ClearanceCommon):
    """A decision taken back leaves the status as it was, with who and why; through the gate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.open_session()

    def _decide(self, statuses, decision, reason=None):
        """Decide, and answer the ids of the log lines."""
        outcomes = statuses._decide(decision, "desk", reason)
        self.assertEqual({outcome.code for outcome in outcomes}, {"done"})
        return [outcome.line for outcome in outcomes]

    def _undo(self, lines, user, reason=None):
        return [outcome.code for outcome in self.env["clearance.status"].with_user(user)._undo(lines, "desk", reason)]

    def test_each_move(self):
        """Back to each state from each decision, with the remark that had belonged to it."""
        card = self.status(self.students[0], self.card, self.affairs)
        self.assertEqual(self._undo(self._decide(card, "approve"), self.affairs), ["done"])
        self.assertRecordValues(
            card, [{"state": "pending", "user_id": False, "decided_at": False, "reason": False, "door": False}]
        )
        self._decide(card, "reject", "Card is missing")
        rejected_at = card.decided_at
        lines = self._decide(card, "approve")
        self.assertFalse(card.is_open)
        self.assertEqual(self._undo(lines, self.affairs), ["done"])
        self.assertRecordValues(
            card,
            [
                {
                    "state": "rejected",
                    "reason": "Card is missing",
                    "user_id": self.affairs.id,
                    "decided_at": rejected_at,
                    "is_open": True,
                }
            ],
        )

    def test_optional_keeps_its_star(self):
        card = self.status(self.students[0], self.card, self.manager)
        lines = self._decide(card, "set_optional", "Lost in the flood")
        self.assertFalse(card.required)
        self.assertEqual(self._undo(lines, self.manager), ["done"])
        self.assertRecordValues(card, [{"state": "pending", "required": True, "is_open": True}])
        self._decide(card, "set_optional", "Lost in the flood")
        lines = self._decide(card, "approve")
        self.assertEqual(self._undo(lines, self.manager), ["done"])
        self.assertRecordValues(card, [{"state": "optional", "required": False, "is_open": False}])

    def test_log_tells(self):
        card = self.status(self.students[0], self.card, self.affairs)
        self._undo(self._decide(card, "approve"), self.affairs)
        last = self.env["clearance.log"].search([("status_id", "=", card.id)], limit=1)
        self.assertRecordValues(
            last,
            [{"action": "undo", "from_state": "approved", "to_state": "pending", "door": "desk"}],
        )
        self.assertEqual(last.user_id, self.affairs)

    def test_changed_since(self):
        """What somebody has decided on since stays; an undoing is not undone."""
        card = self.status(self.students[0], self.card, self.affairs)
        first = self._decide(card, "approve")
        second = self._decide(card.with_user(self.manager), "reject", "Another's card")
        self.assertEqual(self._undo(first, self.affairs), ["changed"])
        self.assertEqual(card.state, "rejected")
        self.assertEqual(self._undo(second, self.manager), ["done"])
        undoing = self.env["clearance.log"].search([("status_id", "=", card.id)], limit=1)
        self.assertEqual(self._undo(undoing.ids, self.manager), ["not_allowed"])

    def test_twice(self):
        card = self.status(self.students[0], self.card, self.affairs)
        lines = self._decide(card, "approve")
        self.assertEqual(self._undo(lines, self.affairs), ["done"])
        self.assertEqual(self._undo(lines, self.affairs), ["changed"])

    def test_both_lines_of_a_status(self):
        """Of two decisions on one status only the latest can be taken back."""
        card = self.status(self.students[0], self.card, self.affairs)
        lines = self._decide(card, "reject", "Missing") + self._decide(card, "approve")
        self.assertEqual(self._undo(lines, self.affairs), ["changed", "done"])
        self.assertEqual(card.state, "rejected")

    def test_somebody_elses(self):
        """Another's decision is taken back with a reason only, and only where one may decide."""
        card = self.status(self.students[0], self.card, self.affairs)
        lines = self._decide(card, "approve")
        self.assertEqual(self._undo(lines, self.librarian), ["not_yours"])
        self.assertEqual(self._undo(lines, self.auditor), ["not_yours"])
        self.assertEqual(self._undo(lines, self.graduate), ["not_yours"])
        self.assertEqual(self._undo(lines, self.manager), ["reason_required"])
        self.assertEqual(self._undo(lines, self.manager, "Wrong person"), ["done"])
        self.assertEqual(card.state, "pending")

    def test_unknown_lines(self):
        self.assertEqual(self._undo([987654321], self.affairs), ["unknown"])
        self.assertEqual(self._undo([], self.affairs), [])

    def test_closed_session(self):
        card = self.status(self.students[0], self.card, self.affairs)
        lines = self._decide(card, "approve")
        self.clearance.action_close()
        self.assertEqual(self._undo(lines, self.affairs), ["session_closed"])

    def test_after_the_deadline(self):
        """The wrong button a minute before the end may still be taken back."""
        card = self.status(self.students[0], self.card, self.affairs)
        lines = self._decide(card, "approve")
        self.card.deadline = fields.Datetime.now() - timedelta(minutes=1)
        self.assertEqual(self.decide(self.status(self.students[1], self.card, self.affairs), "approve"), ["too_late"])
        self.assertEqual(self._undo(lines, self.affairs), ["done"])

    def test_what_relied_on_an_undone_approval(self):
        """As after a reopening, it needs another look; undoing that undoing is a new approval."""
        student = self.students[1]
        self.settle_steps(self.books, self.fees, students=student)
        lines = self._decide(self.status(student, self.card, self.affairs), "approve")
        degree = self.status(student, self.degree, self.mech_clerk)
        self._decide(degree, "approve")
        self.assertEqual(self._undo(lines, self.affairs), ["done"])
        self.assertRecordValues(degree, [{"state": "approved", "needs_review": True, "is_open": True}])

    def test_undone_reopening_takes_its_marks_back(self):
        """Marks for another look go with the reopening that had caused them, all the way down."""
        student = self.students[1]
        self.settle_steps(self.books, self.fees, students=student)
        card = self.status(student, self.card, self.affairs)
        self._decide(card, "approve")
        degree = self.status(student, self.degree, self.mech_clerk)
        diploma = self.status(student, self.diploma, self.mech_clerk)
        self._decide(degree, "approve")
        self._decide(diploma, "approve")
        lines = self._decide(card, "reopen", "Another's card")
        self.assertEqual((degree | diploma).mapped("needs_review"), [True, True])
        self.assertEqual(self._undo(lines, self.affairs), ["done"])
        self.assertRecordValues(degree | diploma, [{"needs_review": False, "is_open": False}] * 2)
        log = self.env["clearance.log"].search([("status_id", "=", diploma.id)], order="id")
        self.assertEqual(log.mapped("action"), ["approve", "review", "undo"])

    def test_marks_with_another_cause_stay(self):
        """Two steps were reopened, one of them is undone: the other still asks for a look."""
        student = self.students[1]
        self.settle_steps(self.books, self.fees, students=student)
        card = self.status(student, self.card, self.affairs)
        self._decide(card, "approve")
        degree = self.status(student, self.degree, self.mech_clerk)
        self._decide(degree, "approve")
        lines = self._decide(card, "reopen", "Another's card")
        self._decide(self.status(student, self.fees, self.manager), "reopen", "A fee was forgotten")
        self.assertEqual(self._undo(lines, self.affairs), ["done"])
        self.assertTrue(degree.needs_review)

    def test_undone_rejection_needs_its_prerequisites(self):
        """An approval that comes back is an approval: nothing it relies on may be open."""
        student = self.students[1]
        self.settle_steps(self.books, self.fees, self.card, students=student)
        degree = self.status(student, self.degree, self.mech_clerk)
        self._decide(degree, "approve")
        lines = self._decide(degree, "reject", "Misprinted")
        self._decide(
            self.status(student, self.card, self.affairs),
            "reopen",
            "Another's card",
        )
        outcome = self.env["clearance.status"].with_user(self.mech_clerk)._undo(lines, "desk")[0]
        self.assertEqual(outcome.code, "missing")
        self.assertEqual(outcome.missing, ((self.affairs_office.id, self.card.id),))
        self.assertEqual(degree.state, "rejected")

    def test_mark_comes_back_with_its_confirmation(self):
        """Confirmed again by mistake: undone, it needs another look as before."""
        student = self.students[1]
        self.settle_steps(self.books, self.fees, self.card, students=student)
        degree = self.status(student, self.degree, self.mech_clerk)
        self._decide(degree, "approve")
        card = self.status(student, self.card, self.affairs)
        self._decide(card, "reopen", "Another's card")
        self._decide(card, "approve")
        lines = self._decide(degree, "approve")
        self.assertEqual(self._undo(lines, self.mech_clerk), ["done"])
        self.assertRecordValues(degree, [{"state": "approved", "needs_review": True, "is_open": True}])

    def test_form_follows(self):
        """A form that was cleared by mistake is in progress again."""
        student = self.students[3]
        self.settle_steps(self.books, self.fees, self.card, self.talk, self.degree, students=student)
        diploma = self.status(student, self.diploma, self.arts_clerk)
        lines = self._decide(diploma, "approve")
        self.assertEqual(diploma.form_id.state, "cleared")
        self.assertEqual(self._undo(lines, self.arts_clerk), ["done"])
        self.assertEqual(diploma.form_id.state, "open")

    def test_dry_run_writes_nothing(self):
        card = self.status(self.students[0], self.card, self.affairs)
        degree = self.status(self.students[0], self.degree, self.mech_clerk)
        count = self.env["clearance.log"].search_count([])
        self.assertEqual([o.code for o in card._decide("approve", "batch", dry_run=True)], ["done"])
        outcome = degree._decide("approve", "batch", dry_run=True)[0]
        self.assertEqual((outcome.code, outcome.line), ("missing", None))
        self.assertEqual(len(outcome.missing), 4)
        self.assertEqual(card.state, "pending")
        lines = self._decide(card, "approve")
        undone = card._undo(lines, "batch", dry_run=True)
        self.assertEqual([o.code for o in undone], ["done"])
        self.assertEqual(card.state, "approved")
        self.assertEqual(self.env["clearance.log"].search_count([]), count + 1)

    def test_nobody_names_it_as_a_decision(self):
        card = self.status(self.students[0], self.card, self.affairs)
        with self.assertRaisesRegex(UserError, "no decision “undo”"):
            card.decide("undo")

    def test_from_the_log(self):
        card = self.status(self.students[0], self.card, self.affairs)
        lines = self.env["clearance.log"].browse(self._decide(card, "approve"))
        with self.assertRaisesRegex(UserError, "not yours"):
            lines.with_user(self.auditor).action_undo()
        answer = lines.with_user(self.affairs).action_undo()
        self.assertEqual(answer["params"]["message"], "1 done")
        self.assertEqual(card.state, "pending")
        with self.assertRaisesRegex(UserError, "left as it is"):
            lines.with_user(self.affairs).action_undo()

    def test_queries(self):
        """As many queries for one row as for six."""
        cards = self.statuses(self.card, self.affairs)
        counts = {}
        for size in (1, 6):
            lines = self._decide(cards[:size], "approve")
            self.env.invalidate_all()
            self.affairs.mapped("tz")
            before = self.env.cr.sql_log_count
            self.assertEqual(set(self._undo(lines, self.affairs)), {"done"})
            counts[size] = self.env.cr.sql_log_count - before
        self.assertLessEqual(counts[6], counts[1], counts)


@tagged("post_install", "-at_install")
class TestRequest(ClearanceCommon):
    def _once(self, key, user=None):
        self.acts = getattr(self, "acts", 0)

        def act():
            self.acts += 1
            return [self.acts]

        return self.env["clearance.request"].with_user(user or self.affairs)._once(key, act)

    def test_same_key_acts_once(self):
        self.assertEqual([self._once("a"), self._once("a"), self._once("b")], [[1], [1], [2]])

    def test_keys_belong_to_people(self):
        self.assertEqual([self._once("a"), self._once("a", self.librarian)], [[1], [2]])

    def test_without_a_key(self):
        self.assertEqual([self._once(""), self._once(False)], [[1], [2]])

    def test_bad_keys(self):
        for key in ("x" * 65, ["a"], 7):
            with self.assertRaisesRegex(UserError, "at most 64"):
                self._once(key)

    def test_forgotten_after_a_week(self):
        self._once("a")
        request = self.env["clearance.request"].search([("key", "=", "a")])
        self.env["clearance.request"]._gc_requests()
        self.assertTrue(request.exists())
        self.env.cr.execute("UPDATE clearance_request SET date = date - interval '8 days' WHERE id = %s", request.ids)
        self.env.invalidate_all()
        self.env["clearance.request"]._gc_requests()
        self.assertFalse(request.exists())
