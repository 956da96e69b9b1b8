"""The one gate: moves, permission, windows, prerequisites, deferrals, log."""

from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestGate(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()

    # -- moves -------------------------------------------------------------------

    def test_approve_writes_status_and_one_log_line(self):
        status = self.status(self.students[0], self.card, self.affairs)
        [outcome] = status.decide("approve", "in order")
        self.assertEqual(outcome, {"id": status.id, "outcome": "done", "message": ""})
        self.assertEqual(status.state, "approved")
        self.assertEqual(status.initial_state, "pending")
        self.assertFalse(status.is_open)
        self.assertEqual(status.user_id, self.affairs)
        self.assertEqual((status.door, status.reason), ("api", "in order"))
        log = self.env["clearance.log"].search([("form_id", "=", status.form_id.id)])
        self.assertRecordValues(
            log,
            [
                {
                    "action": "approve",
                    "from_state": "pending",
                    "to_state": "approved",
                    "user_id": self.affairs.id,
                    "door": "api",
                    "reason": "in order",
                    "status_id": status.id,
                    "step_id": self.card.id,
                    "station_id": self.affairs_office.id,
                    "session_id": self.clearance.id,
                    "college_id": self.mech.id,
                    "company_id": self.campus.id,
                }
            ],
        )

    def test_again_is_already_and_leaves_no_second_line(self):
        status = self.status(self.students[0], self.card, self.affairs)
        self.assertEqual(self.decide(status, "approve"), ["done"])
        self.assertEqual(self.decide(status, "approve"), ["already"])
        lines = self.env["clearance.log"].search_count([("status_id", "=", status.id)])
        self.assertEqual(lines, 1)

    def test_one_outcome_a_row_in_order(self):
        statuses = self.statuses(self.card, self.affairs)
        self.decide(statuses[2], "approve")
        outcomes = statuses._decide("approve", "api")
        self.assertEqual([outcome.status_id for outcome in outcomes], statuses.ids)
        self.assertEqual([outcome.code for outcome in outcomes], ["done", "done", "already", "done", "done", "done"])

    def test_reject_and_reopen_need_a_reason(self):
        status = self.status(self.students[0], self.card, self.affairs)
        self.assertEqual(self.decide(status, "reject"), ["reason_required"])
        self.assertEqual(self.decide(status, "reject", "   "), ["reason_required"])
        self.assertEqual(status.state, "pending")
        self.assertEqual(self.decide(status, "reject", "No card"), ["done"])
        self.assertEqual((status.state, status.reason, status.is_open), ("rejected", "No card", True))
        self.assertEqual(self.decide(status, "reopen"), ["reason_required"])
        self.assertEqual(self.decide(status, "reopen", "Found"), ["done"])
        self.assertEqual(status.state, "pending")

    def test_table_of_moves(self):
        status = self.status(self.students[0], self.card)
        for decision, reason, code, state in [
            ("withdraw", None, "already", "pending"),
            ("submit", None, "done", "submitted"),
            ("submit", None, "already", "submitted"),
            ("withdraw", None, "done", "pending"),
            ("submit", None, "done", "submitted"),
            ("reject", "why", "done", "rejected"),
            ("withdraw", None, "not_allowed", "rejected"),
            ("submit", None, "done", "submitted"),
            ("approve", None, "done", "approved"),
            ("submit", None, "not_allowed", "approved"),
            ("set_optional", "why", "not_allowed", "approved"),
            ("set_not_required", "why", "done", "not_required"),
            ("approve", None, "not_allowed", "not_required"),
            ("reopen", "why", "done", "pending"),
            ("set_optional", "why", "done", "optional"),
        ]:
            with self.subTest(decision=decision, before=status.state):
                self.assertEqual(self.decide(status, decision, reason), [code])
                self.assertEqual(status.state, state)

    def test_unknown_decision(self):
        with self.assertRaisesRegex(UserError, "praise"):
            self.status(self.students[0], self.card).decide("praise")

    def test_vanished_row_is_unknown(self):
        ghost = self.env["clearance.status"].browse(2**30)
        self.assertEqual(self.decide(ghost, "approve"), ["unknown"])

    def test_no_other_way_in(self):
        status = self.status(self.students[0], self.card)
        for record in (status, status.sudo(), status.with_user(self.manager)):
            with self.assertRaises(UserError):
                record.write({"state": "approved"})
            with self.assertRaises(UserError):
                record.unlink()
            with self.assertRaises(UserError):
                record.create({"form_id": status.form_id.id, "step_id": self.card.id})
        self.assertEqual(status.state, "pending")

    # -- optional ----------------------------------------------------------------

    def test_optional_step_never_blocks(self):
        deposit = self.status(self.students[0], self.deposit, self.librarian)
        self.assertEqual((deposit.state, deposit.is_open), ("optional", False))
        self.assertEqual(self.decide(deposit, "submit"), ["done"])
        self.assertFalse(deposit.is_open)
        self.assertEqual(self.decide(deposit, "withdraw"), ["done"])
        self.assertEqual(deposit.state, "optional")
        self.assertEqual(self.decide(deposit, "approve"), ["done"])
        self.assertEqual(self.decide(deposit, "reopen", "mistake"), ["done"])
        self.assertEqual(deposit.state, "optional")

    def test_set_optional_takes_one_graduate_out_and_reopening_puts_back(self):
        status = self.status(self.students[0], self.card, self.affairs)
        self.assertEqual(self.decide(status, "set_optional", "abroad"), ["done"])
        self.assertEqual((status.state, status.required, status.is_open), ("optional", False, False))
        self.assertEqual(self.decide(status, "reopen", "back"), ["done"])
        self.assertEqual((status.state, status.required, status.is_open), ("pending", True, True))

    # -- permission --------------------------------------------------------------

    def test_only_the_station_decides(self):
        status = self.status(self.students[0], self.card)
        for user in (self.librarian, self.mech_clerk, self.counsellor, self.lead, self.auditor, self.deferral):
            with self.subTest(user=user.login):
                self.assertEqual(self.decide(status.with_user(user), "approve"), ["not_yours"])
        self.assertEqual(self.decide(status.with_user(self.stranger), "approve"), ["not_yours"])
        self.assertEqual(status.state, "pending")
        self.assertEqual(self.decide(status.with_user(self.manager), "approve"), ["done"])

    def test_desk_of_another_college(self):
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        mech, arts = self.status(self.students[0], self.degree), self.status(self.students[3], self.degree)
        self.assertEqual(self.decide((mech | arts).with_user(self.mech_clerk), "approve"), ["done", "not_yours"])
        self.assertEqual(self.decide((mech | arts).with_user(self.arts_clerk), "approve"), ["not_yours", "done"])

    def test_counsellor_step(self):
        own, other = self.status(self.students[0], self.talk), self.status(self.students[2], self.talk)
        self.assertEqual(self.decide((own | other).with_user(self.counsellor), "approve"), ["done", "not_yours"])
        self.counselling.operator_ids = self.librarian
        self.assertEqual(
            self.decide(other.with_user(self.librarian), "approve"),
            ["not_yours"],
            "a counsellor's step is not the station's",
        )

    def test_supervisor_step(self):
        self.clearance.write({})
        review = self._create_step("Review", self.counselling, mode="supervisor")
        self.clearance._open()
        own, other = self.status(self.students[3], review), self.status(self.students[0], review)
        self.assertEqual(self.decide((own | other).with_user(self.supervisor), "approve"), ["done", "not_yours"])

    def test_graduate_submits_and_withdraws_only_the_own(self):
        own = self.status(self.students[0], self.card).with_user(self.graduate)
        foreign = self.status(self.students[1], self.card).with_user(self.graduate)
        self.assertEqual(self.decide(own | foreign, "submit", door="portal"), ["not_sent", "not_yours"])
        self.send(self.students[0], self.card)
        self.send(self.students[1], self.card)
        self.assertEqual(self.decide(own | foreign, "submit", door="portal"), ["done", "not_yours"])
        self.assertEqual(self.decide(own | foreign, "withdraw", door="portal"), ["done", "not_yours"])
        for decision in ("approve", "reject", "reopen", "set_optional", "set_not_required"):
            with self.subTest(decision=decision):
                self.assertEqual(self.decide(own, decision, "please", "portal"), ["not_yours"])

    def test_graduate_settles_a_self_service_step(self):
        read = self._create_step("Read the guide", self.counselling, mode="graduate")
        self.clearance._open()
        own = self.status(self.students[0], read).with_user(self.graduate)
        self.send(self.students[0], read)
        self.assertEqual(self.decide(own, "submit", door="portal"), ["not_allowed"])
        self.assertEqual(self.decide(own, "approve", door="portal"), ["done"])

    def test_graduate_settles_alone_only_after_sending_what_is_required(self):
        read = self._create_step("Declare", self.counselling, mode="graduate")
        self.env["clearance.requirement"].create({"step_id": read.id, "name": "I have read it", "kind": "boolean"})
        self.clearance._open()
        own = self.status(self.students[0], read).with_user(self.graduate)
        self.assertEqual(self.decide(own, "approve", door="portal"), ["not_sent"])
        self.send(self.students[0], read)
        self.assertEqual(self.decide(own, "approve", door="portal"), ["done"])

    def test_everything_waits_for_what_opens_the_form(self):
        guide = self._create_step("Read the guide", self.counselling, mode="graduate", is_entry=True)
        self.clearance._open()
        card = self.status(self.students[0], self.card)
        self.assertEqual(self.decide(card.with_user(self.affairs), "approve"), ["missing"])
        self.assertEqual(card.blocked_by, "Counselling: Read the guide")
        own = self.status(self.students[0], guide).with_user(self.graduate)
        self.assertEqual(self.decide(own, "approve", door="portal"), ["done"])
        self.assertEqual(self.decide(card.with_user(self.affairs), "approve"), ["done"])
        guide.is_entry = False
        self.assertNotIn(guide, self.card.blocking_step_ids)

    # -- windows -----------------------------------------------------------------

    def test_closed_session_is_read_only_for_everybody(self):
        self.clearance.action_close()
        status = self.status(self.students[0], self.card)
        for record in (status.with_user(self.affairs), status.with_user(self.manager), status.sudo()):
            self.assertEqual(self.decide(record, "approve"), ["session_closed"])
        self.clearance.action_reopen()
        self.assertEqual(self.decide(status.with_user(self.affairs), "approve"), ["done"])

    def test_session_window(self):
        now = fields.Datetime.now()
        status = self.status(self.students[0], self.card)
        self.clearance.write({"open_from": now + timedelta(hours=1)})
        self.assertEqual(self.decide(status.with_user(self.affairs), "approve"), ["too_early"])
        self.clearance.write({"open_from": now - timedelta(days=2), "open_until": now - timedelta(hours=1)})
        self.assertEqual(self.decide(status.with_user(self.affairs), "approve"), ["too_late"])
        self.assertEqual(self.decide(status.with_user(self.manager), "approve"), ["done"], "managers may")

    def test_step_deadline_stops_confirming_not_correcting(self):
        status = self.status(self.students[0], self.card, self.affairs)
        self.decide(status, "approve")
        self.card.deadline = fields.Datetime.now() - timedelta(hours=1)
        other = self.status(self.students[1], self.card, self.affairs)
        self.assertEqual(self.decide(other, "approve"), ["too_late"])
        self.assertEqual(self.decide(status, "reopen", "mistake"), ["done"])

    # -- prerequisites -----------------------------------------------------------

    def test_refusal_names_station_and_step(self):
        status = self.status(self.students[0], self.degree, self.mech_clerk)
        [answer] = status.decide("approve")
        self.assertEqual(answer["outcome"], "missing")
        self.assertEqual(
            answer["message"].splitlines(),
            [
                "These steps are not settled yet:",
                "- Library: Return books",
                "- Finance: Pay arrears",
                "- Student Affairs: Return student card",
                "- Student Affairs: Confirm loan",
            ],
        )
        self.assertEqual(status.state, "pending")
        with self.assertRaisesRegex(UserError, "Library: Return books"):
            status.action_approve()

    def test_refusal_names_the_routed_desk(self):
        [answer] = self.status(self.students[0], self.diploma, self.mech_clerk).decide("approve")
        self.assertIn("- College of Mechanics Certificates: Degree certificate", answer["message"])

    def test_what_is_not_required_does_not_block(self):
        self.settle_steps(self.books, self.fees, self.card)
        answers = self.statuses(self.degree, self.manager)._decide("approve", "api")
        self.assertEqual([answer.code for answer in answers], ["missing"] + ["done"] * 5)
        self.assertEqual(answers[0].missing, ((self.affairs_office.id, self.loan.id),))

    def test_submitted_and_rejected_block(self):
        self.settle_steps(self.books, self.fees, self.loan)
        card = self.status(self.students[0], self.card)
        degree = self.status(self.students[0], self.degree, self.mech_clerk)
        self.decide(card, "submit")
        self.assertEqual(self.decide(degree, "approve"), ["missing"])
        self.decide(card, "reject", "torn")
        self.assertEqual(self.decide(degree, "approve"), ["missing"])
        self.decide(card, "approve")
        self.assertEqual(self.decide(degree, "approve"), ["done"])

    def test_two_steps_of_one_graduate_in_one_call(self):
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        degree = self.status(self.students[0], self.degree, self.mech_clerk)
        diploma = self.status(self.students[0], self.diploma, self.mech_clerk)
        self.assertEqual(self.decide(diploma | degree, "approve"), ["done", "done"])

    def test_every_door_waits_for_prerequisites(self):
        status = self.status(self.students[0], self.degree)
        doors = dict(self.env["clearance.status"]._fields["door"].selection)
        for door in doors:
            with self.subTest(door=door):
                self.assertEqual(self.decide(status.sudo(), "approve", "why", door), ["missing"])

    def test_ready_and_blocked_by(self):
        degree = self.statuses(self.degree)
        self.settle_steps(self.books, self.fees, self.card)
        self.assertEqual(degree.mapped("ready"), [False] + [True] * 5)
        self.assertEqual(degree[0].blocked_by, "Student Affairs: Confirm loan")
        Status = self.env["clearance.status"]
        mine = [("step_id", "=", self.degree.id)]
        self.assertEqual(Status.search([*mine, ("ready", "=", True)]), degree[1:].sorted("id"))
        self.assertEqual(Status.search([*mine, ("ready", "=", False)]), degree[:1])

    # -- source systems ----------------------------------------------------------

    def test_person_needs_a_reason_on_an_automatic_step(self):
        status = self.status(self.students[0], self.books, self.librarian)
        self.assertEqual(self.decide(status, "approve"), ["reason_required"])
        self.assertEqual(self.decide(status, "approve", "Book was paid for"), ["done"])

    def test_source_system_does_not_overwrite_a_person(self):
        status = self.status(self.students[0], self.books)
        self.decide(status.with_user(self.librarian), "approve", "Book was paid for")
        self.assertEqual(self.decide(status, "reopen", "1 book", "feed"), ["kept"])
        self.assertEqual(status.state, "approved")

    def test_source_system_corrects_itself(self):
        status = self.status(self.students[0], self.books)
        self.assertEqual(self.decide(status, "approve", None, "feed"), ["done"])
        self.assertEqual(self.decide(status, "approve", None, "feed"), ["already"])
        self.assertEqual(self.decide(status, "reopen", "1 book", "feed"), ["done"])
        self.assertEqual(status.state, "pending")

    # -- another look ------------------------------------------------------------

    def test_reopening_marks_dependants_all_the_way_down(self):
        student = self.students[1]
        form = self.forms[1]
        self.settle_steps(self.books, self.fees, self.card, self.talk, self.degree, self.diploma)
        self.assertEqual(form.state, "cleared")
        card = self.status(student, self.card)
        self.decide(card.with_user(self.affairs), "reopen", "Wrong card")
        degree, diploma = self.status(student, self.degree), self.status(student, self.diploma)
        for status in (degree, diploma):
            self.assertEqual((status.state, status.needs_review, status.is_open), ("approved", True, True))
        self.assertEqual(form.state, "open")
        self.assertFalse(form.cleared_at)
        self.assertFalse(self.status(self.students[2], self.degree).needs_review, "others are left alone")
        actions = self.env["clearance.log"].search([("form_id", "=", form.id)]).mapped("action")
        self.assertEqual(actions[:3].count("review"), 2)

        self.assertEqual(self.decide(degree.with_user(self.mech_clerk), "approve"), ["missing"])
        self.decide(card, "approve")
        self.assertEqual(self.decide(diploma.with_user(self.mech_clerk), "approve"), ["missing"])
        self.assertEqual(self.decide((degree | diploma).with_user(self.mech_clerk), "approve"), ["done"] * 2)
        self.assertEqual(form.state, "cleared")

    def test_rejecting_an_approved_step_marks_dependants(self):
        self.settle_steps(self.books, self.fees, self.card, self.degree)
        self.decide(self.status(self.students[1], self.fees), "reject", "Cheque bounced")
        self.assertTrue(self.status(self.students[1], self.degree).needs_review)

    # -- deferrals ---------------------------------------------------------------

    def _lift(self, status, **values):
        return (
            self.env["clearance.override"]
            .with_user(self.deferral)
            .create({"status_id": status.id, "reason": "Proof of deferred payment", **values})
        )

    def test_deferral_lifts_and_restores_the_restriction(self):
        self.settle_steps(self.books, self.card, self.talk)
        student = self.students[1]
        fees = self.status(student, self.fees)
        degree = self.status(student, self.degree, self.mech_clerk)
        self.assertEqual(self.decide(degree, "approve"), ["missing"])
        override = self._lift(fees)
        self.assertTrue(fees.is_lifted)
        self.assertEqual((fees.state, fees.is_open), ("pending", True), "the step stays open")
        override.action_restore()
        self.assertEqual(self.decide(degree, "approve"), ["missing"])
        self._lift(fees)
        self.assertEqual(self.decide(degree, "approve"), ["done"])
        actions = self.env["clearance.log"].search([("status_id", "=", fees.id)]).mapped("action")
        self.assertEqual(actions, ["lift", "restore", "lift"])

    def test_cleared_with_deferral_until_settled(self):
        self.settle_steps(self.books, self.card, self.talk)
        form = self.forms[1]
        self._lift(self.status(self.students[1], self.fees))
        self.settle_steps(self.degree, self.diploma, students=self.students[1])
        self.assertEqual(form.state, "deferred")
        self.settle_steps(self.fees, students=self.students[1])
        self.assertEqual(form.state, "cleared")

    def test_deferral_ends_by_itself(self):
        self.settle_steps(self.books, self.card)
        fees = self.status(self.students[1], self.fees)
        today = fields.Date.context_today(self.env["clearance.override"])
        override = self._lift(fees, date_end=today)
        degree = self.status(self.students[1], self.degree)
        self.assertTrue(degree.ready, "the last day counts")
        override.date_end = today - timedelta(days=1)
        self.env.invalidate_all()
        self.assertFalse(override.in_force)
        self.assertFalse(degree.ready)
        self.assertEqual(self.decide(degree, "approve"), ["missing"])
        self.assertTrue(self._lift(fees).in_force, "a new one can be granted")

    def test_settled_step_cannot_be_lifted(self):
        self.settle_steps(self.books)
        with self.assertRaisesRegex(UserError, "Return books"):
            self._lift(self.status(self.students[1], self.books))

    def test_lifted_once_only(self):
        fees = self.status(self.students[1], self.fees)
        self._lift(fees)
        with self.assertRaisesRegex(UserError, "lifted already"):
            self._lift(fees)

    # -- log ---------------------------------------------------------------------

    @mute_logger("odoo.sql_db")
    def test_log_is_append_only(self):
        self.settle_steps(self.card)
        log = self.env["clearance.log"].search([], limit=1)
        self.assertTrue(log)
        for record in (log, log.sudo()):
            with self.assertRaises(UserError):
                record.write({"reason": "never happened"})
            with self.assertRaises(UserError):
                record.unlink()
            with self.assertRaises(UserError):
                record.create({"action": "approve", "company_id": self.campus.id})
        for statement in ("UPDATE clearance_log SET reason = ''", "DELETE FROM clearance_log"):
            with self.assertRaises(psycopg2.errors.RaiseException), self.env.cr.savepoint():
                self.env.cr.execute(statement)

    # -- screens -----------------------------------------------------------------

    def test_bulk_says_what_happened(self):
        statuses = self.statuses(self.degree, self.manager)
        self.settle_steps(self.books, self.fees, self.card)
        action = statuses.action_approve()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("5 done", action["params"]["message"])
        self.assertIn("1 refused", action["params"]["message"])
        self.assertIn("T26000 Test Graduate 0", action["params"]["message"])
        self.assertIn("Student Affairs: Confirm loan", action["params"]["message"])

    def test_wizard_goes_through_the_gate(self):
        status = self.status(self.students[0], self.card, self.affairs)
        action = status.action_reject()
        wizard = (
            self.env["clearance.status.decide"].with_user(self.affairs).with_context(**action["context"]).create({})
        )
        self.assertTrue(wizard.reason_required)
        with self.assertRaisesRegex(UserError, "reason"):
            wizard.action_decide()
        wizard.reason = "No photo"
        wizard.with_context(clearance_door="form").action_decide()
        self.assertEqual((status.state, status.reason, status.door), ("rejected", "No photo", "form"))

    def test_door_of_a_screen_cannot_pretend(self):
        status = self.status(self.students[0], self.card, self.affairs)
        status.with_context(clearance_door="feed").action_approve()
        self.assertEqual(status.door, "list")

    def test_record_of_a_form(self):
        self._lift(self.status(self.students[0], self.fees))
        self.decide(self.status(self.students[0], self.card, self.affairs), "reject", "torn")
        rows = self.forms[0].with_user(self.librarian).record
        self.assertEqual([row["step"] for row in rows], self.clearance.step_ids.mapped("name"))
        by_step = {row["step_id"]: row for row in rows}
        self.assertEqual(by_step[self.card.id]["state"], "rejected")
        self.assertEqual(by_step[self.card.id]["reason"], "torn")
        self.assertEqual(by_step[self.card.id]["user"], self.affairs.name)
        self.assertTrue(by_step[self.fees.id]["lifted"])
        self.assertEqual(by_step[self.degree.id]["station"], "College of Mechanics Certificates")
        self.assertNotIn("Finance: Pay arrears", by_step[self.degree.id]["blocked_by"])
        self.assertIn("Library: Return books", by_step[self.degree.id]["blocked_by"])
