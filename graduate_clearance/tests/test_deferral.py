"""Deferrals: the desk of the officers, lifting in bulk, end dates, and the way to the diploma."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged

from ..models.clearance_override_end import REMIND_DAYS
from .common import ClearanceCommon

PROOF = "Agreement on deferred payment"


class DeferralCase(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()
        cls.Override = cls.env["clearance.override"]

    def setUp(self):
        super().setUp()
        self.today = self.Override._today()

    def desk(self, user=None):
        return self.env["clearance.deferral"].with_user(user or self.deferral)

    def lift(self, statuses, reason=PROOF, user=None, **values):
        """Codes of what became of these statuses."""
        Override = self.Override.with_user(user or self.deferral)
        return [outcome.code for outcome in Override._lift(statuses.ids, reason, **values)]

    def grant(self, status, **values):
        self.assertEqual(self.lift(status, **values), ["done"])
        return self.Override.search([("status_id", "=", status.id), ("restored_at", "=", False)])

    def get_step(self, graduate, step):
        return next(row for row in graduate["steps"] if row["step"] == step.name)

    @contextmanager
    def days_later(self, days):
        """Some days later, for Python and for the gate's SQL."""
        later = fields.Datetime.now() + timedelta(days=days)
        with (
            patch.object(type(self.cr), "now", lambda cursor: later),
            patch.object(fields.Datetime, "now", lambda *args: later),
            patch.object(type(self.Override), "_today", lambda model: later.date()),
        ):
            self.env.invalidate_all()
            yield
        self.env.invalidate_all()

    def run_cron(self):
        """The scheduled action; a test does not commit."""
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", return_value=1) as progress:
            self.Override._cron_tell()
        return progress

    def get_lines(self, status):
        return self.env["clearance.log"].search([("status_id", "=", status.id)], order="id")

    def get_messages(self, form):
        return form.message_ids.filtered(lambda message: form.partner_id in message.partner_ids)


@tagged("post_install", "-at_install")
class TestLift(DeferralCase):
    """``clearance.override._lift``, ``_restore`` and ``_undo``: what the screen and batches build on."""

    def test_outcomes(self):
        student = self.students[1]
        self.settle_steps(self.books, students=student)
        fees, books, loan, deposit = (
            self.status(student, step) for step in (self.fees, self.books, self.loan, self.deposit)
        )
        self.assertEqual(self.lift(fees | books | loan | deposit), ["done", "settled", "settled", "settled"])
        self.assertEqual(self.lift(fees), ["already"])
        self.assertEqual(self.lift(self.env["clearance.status"].browse(2**30)), ["unknown"])
        self.forms[2].student_id.graduation_state = "postponed"
        self.assertEqual(self.lift(self.status(self.students[2], self.fees)), ["withdrawn"])
        self.clearance.action_close()
        self.assertEqual(self.lift(self.status(self.students[3], self.fees)), ["session_closed"])

    def test_outcomes_have_their_log_line(self):
        statuses = self.statuses(self.fees)
        outcomes = self.Override.with_user(self.deferral)._lift(statuses.ids, f" {PROOF} ", door="desk")
        self.assertEqual([outcome.status_id for outcome in outcomes], statuses.ids)
        lines = self.env["clearance.log"].browse(outcome.line for outcome in outcomes)
        self.assertEqual(lines.status_id, statuses)
        self.assertEqual([line.status_id.id for line in lines], statuses.ids)
        self.assertEqual(set(lines.mapped("action")), {"lift"})
        self.assertEqual(set(lines.mapped("door")), {"desk"})
        self.assertEqual(set(lines.mapped("reason")), {PROOF})
        self.assertEqual(lines.user_id, self.deferral)
        self.assertEqual(set(lines.mapped("from_state")), {"pending"})
        overrides = self.Override.search([("status_id", "in", statuses.ids)])
        self.assertEqual(overrides.granted_by_id, self.deferral)
        self.assertEqual(overrides.form_id, self.forms)
        self.assertEqual(overrides.company_id, self.campus)
        self.assertEqual(overrides.step_id, self.fees)
        self.assertEqual(overrides.college_id, self.mech | self.arts)

    def test_dry_run_writes_nothing(self):
        fees = self.status(self.students[1], self.fees)
        before = self.env["clearance.log"].search_count([])
        self.assertEqual(self.lift(fees, reason="", dry_run=True), ["done"], "a preview needs no reason yet")
        self.assertFalse(self.Override.search([]))
        override = self.grant(fees)
        Override = self.Override.with_user(self.deferral)
        self.assertEqual(Override._restore(override.ids, dry_run=True)[0].code, "done")
        self.assertTrue(override.in_force)
        self.assertEqual(self.env["clearance.log"].search_count([]), before + 1)

    def test_bad_input(self):
        fees = self.status(self.students[1], self.fees)
        for values in (
            {"reason": ""},
            {"reason": "  "},
            {"reason": None},
            {"date_end": self.today - timedelta(days=1)},
        ):
            with self.subTest(**values), self.assertRaises(UserError):
                self.lift(fees, **values)
        with self.assertRaises(ValueError):
            self.lift(fees, door="window")
        self.assertFalse(self.Override.search([]))

    def test_only_officers(self):
        fees = self.status(self.students[0], self.fees)
        override = self.grant(self.status(self.students[1], self.fees))
        for user in (self.cashier, self.counsellor, self.lead, self.auditor, self.graduate, self.stranger):
            with self.subTest(user=user.login):
                Override = self.Override.with_user(user)
                for refused in (
                    lambda model=Override: model._lift(fees.ids, PROOF),
                    lambda model=Override: model._lift(fees.ids, PROOF, dry_run=True),
                    lambda model=Override: model._restore(override.ids),
                    lambda model=Override: model._undo([1], "desk"),
                ):
                    with self.assertRaises(AccessError):
                        refused()
        self.assertEqual(self.lift(fees, user=self.manager), ["done"])

    def test_restore(self):
        fees = self.status(self.students[1], self.fees)
        override = self.grant(fees)
        Override = self.Override.with_user(self.deferral)
        outcomes = Override._restore([override.id, 2**30], "Agreement broken")
        self.assertEqual([outcome.code for outcome in outcomes], ["done", "unknown"])
        self.assertEqual(outcomes[0].status_id, fees.id)
        line = self.env["clearance.log"].browse(outcomes[0].line)
        self.assertEqual((line.action, line.reason, line.door), ("restore", "Agreement broken", "desk"))
        self.assertEqual(override.restored_by_id, self.deferral)
        self.assertEqual(override.state, "restored")
        self.assertEqual(Override._restore(override.ids)[0].code, "already")
        with self.assertRaisesRegex(UserError, "Pay arrears"):
            override.action_restore()

    def test_undo(self):
        """A batch is undone by its log lines, where nothing has happened since."""
        Override = self.Override.with_user(self.deferral)
        lines = [outcome.line for outcome in Override._lift(self.statuses(self.fees).ids, PROOF)]
        granted = self.Override.search([], order="status_id")
        Override._restore(granted[0].ids)
        Override._restore(granted[1].ids)
        self.assertEqual(self.lift(granted[1].status_id), ["done"])
        codes = [outcome.code for outcome in Override._undo([*lines, 2**30], "batch", dry_run=True)]
        expected = ["changed", "changed", *["done"] * 4, "unknown"]
        self.assertEqual(codes, expected)
        outcomes = Override._undo([*lines, 2**30], "batch")
        self.assertEqual([outcome.code for outcome in outcomes], expected)
        self.assertEqual([outcome.status_id for outcome in outcomes[:6]], granted.status_id.ids)
        in_force = self.Override.search([("in_force", "=", True)])
        self.assertEqual(in_force.status_id, granted[1].status_id, "granted anew since: not touched")
        done = self.env["clearance.log"].browse(outcome.line for outcome in outcomes if outcome.line)
        self.assertEqual(set(done.mapped("action")), {"restore"})
        self.assertEqual(len(done), 4)

    def test_undo_of_others_needs_a_reason(self):
        fees = self.status(self.students[1], self.fees)
        line = self.Override.with_user(self.deferral)._lift(fees.ids, PROOF)[0].line
        Override = self.Override.with_user(self.manager)
        self.assertEqual(Override._undo([line], "batch")[0].code, "reason_required")
        self.assertEqual(Override._undo([line], "batch", "Wrong list")[0].code, "done")

    def test_constant_number_of_statements(self):
        """As many for one row as for all, both ways."""
        Override = self.Override.with_user(self.deferral)
        first = Override._lift(self.status(self.students[0], self.books).ids, PROOF)  # warm caches
        Override._undo([first[0].line], "batch")
        counts = {}
        for students in (self.students[:1], self.students[1:]):
            statuses = self.statuses(self.fees).filtered(
                lambda status, students=students: status.student_id in students
            )
            self.env.flush_all()
            start = self.cr.sql_log_count
            outcomes = Override._lift(statuses.ids, PROOF)
            lifted = self.cr.sql_log_count - start
            start = self.cr.sql_log_count
            undone = Override._undo([outcome.line for outcome in outcomes], "batch")
            counts[len(statuses)] = (lifted, self.cr.sql_log_count - start)
            self.assertEqual({outcome.code for outcome in [*outcomes, *undone]}, {"done"})
        self.assertEqual(counts[1], counts[5])
        self.assertLessEqual(max(counts[1]), 8)

    def test_create_is_the_same_way(self):
        fees, card = (self.status(self.students[1], step) for step in (self.fees, self.card))
        Override = self.Override.with_user(self.deferral)
        overrides = Override.create([{"status_id": status.id, "reason": PROOF} for status in (card, fees)])
        self.assertEqual(overrides.status_id.ids, [card.id, fees.id])
        self.assertEqual(self.get_lines(fees).mapped("action"), ["lift"])
        with self.assertRaisesRegex(UserError, "lifted already"):
            Override.create({"status_id": fees.id, "reason": PROOF})
        with self.assertRaises(UserError):
            Override.create({"status_id": self.status(self.students[2], self.fees).id})

    def test_a_deferral_that_is_over_stays_as_it_is(self):
        override = self.grant(self.status(self.students[1], self.fees)).with_user(self.deferral)
        override.write({"reason": "Agreement no. 7", "date_end": self.today})
        for vals in (
            {"told_at": False},
            {"company_id": self.env.company.id},
            {"form_id": self.forms[0].id},
            {"granted_by_id": self.manager.id},
            {"reason": " "},
        ):
            with self.subTest(**vals), self.assertRaises(UserError):
                override.write(vals)
        override.action_restore()
        with self.assertRaises(UserError):
            override.write({"date_end": False})


@tagged("post_install", "-at_install")
class TestDeferralDesk(DeferralCase):
    """``clearance.deferral``: the screen's server."""

    def test_only_officers(self):
        fees = self.status(self.students[0], self.fees)
        for user in (self.cashier, self.counsellor, self.lead, self.auditor, self.graduate, self.stranger):
            desk = self.desk(user)
            for refused in (
                desk.get_setup,
                desk.search_graduates,
                lambda desk=desk: desk.get_graduate(self.forms[0].id),
                lambda desk=desk: desk.lift("", fees.ids, PROOF),
                lambda desk=desk: desk.restore("", [1]),
            ):
                with self.subTest(user=user.login), self.assertRaisesRegex(AccessError, "deferral officers"):
                    refused()
        self.assertTrue(self.desk(self.manager).search_graduates()["rows"])

    def test_search(self):
        def find(query="", **values):
            return [row["student_number"] for row in self.desk().search_graduates(query, **values)["rows"]]

        numbers = [f"T2600{number}" for number in range(6)]
        self.assertEqual(find(), numbers)
        self.assertEqual(find("T26003"), ["T26003"])
        self.assertEqual(find("graduate 4"), ["T26004"])
        self.assertEqual(find("99000019990101002X"), ["T26002"], "the whole ID-card number")
        self.assertEqual(find("99000019990101002"), [], "not a part of it")
        self.assertEqual(find(offset=4), ["T26004", "T26005"])
        page = self.desk().search_graduates(limit=2)
        self.assertEqual((len(page["rows"]), page["count"], page["more"]), (2, 6, False))
        self.assertEqual(find(lifted=True), [])
        self.grant(self.status(self.students[1], self.fees))
        self.grant(self.status(self.students[1], self.card))
        self.assertEqual(find(lifted=True), ["T26001"])
        rows = self.desk().search_graduates()["rows"]
        self.assertEqual([row["lifted"] for row in rows], [0, 2, 0, 0, 0, 0])
        self.assertEqual(
            rows[1],
            {
                "form_id": self.forms[1].id,
                "student_number": "T26001",
                "name": "Test Graduate 1",
                "college": "College of Mechanics",
                "class": "M1",
                "session": "2026 undergraduates",
                "form_state": "open",
                "earlier_year": False,
                "lifted": 2,
            },
        )
        self.assertEqual(find(session_id=self.clearance.id), numbers)
        self.assertEqual(find(session_id=2**30), [])
        self.clearance.action_close()
        self.assertEqual(find(), [])

    def test_graduate(self):
        student = self.students[1]
        self.settle_steps(self.books, students=student)
        graduate = self.desk().get_graduate(self.forms[1].id)
        self.assertEqual(graduate["person"]["name"], "Test Graduate 1")
        self.assertEqual((graduate["form_state"], graduate["due"], graduate["open"]), ("open", 6, 5))
        names = [step["step"] for step in graduate["steps"]]
        self.assertEqual(
            names, ["Return books", "Pay arrears", "Return student card", "Confirm loan", "Degree certificate"]
        )
        books, fees, _card, loan, degree = graduate["steps"]
        self.assertEqual((books["can_lift"], books["restricted"]), (False, False))
        self.assertIn("settled", books["why_not"])
        self.assertEqual((fees["can_lift"], fees["restricted"], fees["why_not"]), (True, True, ""))
        self.assertEqual((fees["state"], fees["initial_state"], fees["lifted"]), ("pending", "pending", False))
        self.assertEqual(fees["restricts"], ["Degree certificate"])
        self.assertEqual(degree["restricts"], ["Graduation certificate"])
        self.assertEqual((loan["can_lift"], loan["state"]), (False, "not_required"))
        self.assertIn("does not concern", loan["why_not"])
        self.assertEqual(len(graduate["record"]), 8)
        with self.assertRaises(UserError):
            self.desk().get_graduate(2**30)

    def test_lift_and_restore(self):
        fees, books = (self.status(self.students[1], step) for step in (self.fees, self.books))
        self.settle_steps(self.books)
        until = fields.Date.to_string(self.today + timedelta(days=30))
        answer = self.desk().lift("a", [fees.id, books.id], PROOF, until)
        self.assertEqual([row["code"] for row in answer["outcomes"]], ["done", "settled"])
        self.assertEqual(answer["outcomes"][0]["message"], "")
        self.assertIn("nothing to lift", answer["outcomes"][1]["message"])
        step = self.get_step(answer["graduate"], self.fees)
        self.assertEqual((step["restricted"], step["can_lift"], step["can_restore"]), (False, False, True))
        self.assertEqual(step["lifted"]["reason"], PROOF)
        self.assertEqual(step["lifted"]["date_end"], until)
        self.assertEqual(step["lifted"]["granted_by"], self.deferral.name)
        self.assertEqual(self.get_lines(fees)[-1].door, "desk")
        again = self.desk().lift("a", [fees.id, books.id], PROOF, until)
        self.assertEqual(again["outcomes"], answer["outcomes"], "sent again, it acts once")
        answer = self.desk().lift("b", [fees.id], PROOF)
        self.assertEqual(answer["outcomes"][0]["code"], "already")
        answer = self.desk().restore("c", [step["lifted"]["id"]], "Agreement broken")
        self.assertEqual(answer["outcomes"][0]["code"], "done")
        step = self.get_step(answer["graduate"], self.fees)
        self.assertEqual((step["restricted"], step["can_lift"], step["lifted"]), (True, True, False))
        [past] = answer["graduate"]["history"]
        self.assertEqual((past["state"], past["restored_by"]), ("restored", self.deferral.name))
        self.assertEqual(self.get_lines(fees)[-1].reason, "Agreement broken")

    def test_bad_input(self):
        fees = self.status(self.students[1], self.fees)
        yesterday = fields.Date.to_string(self.today - timedelta(days=1))
        for values in ((fees.ids, ""), (fees.ids, PROOF, yesterday), (fees.ids, PROOF, "tomorrow")):
            with self.subTest(values=values), self.assertRaises(UserError):
                self.desk().lift("", *values)
        answer = self.desk().lift("", [2**30], PROOF)
        self.assertEqual((answer["outcomes"][0]["code"], answer["graduate"]), ("unknown", False))
        answer = self.desk().restore("", [2**30])
        self.assertEqual((answer["outcomes"][0]["code"], answer["graduate"]), ("unknown", False))
        self.clearance.action_close()
        answer = self.desk().lift("", fees.ids, PROOF)
        self.assertEqual(answer["outcomes"][0]["code"], "session_closed")
        self.assertTrue(answer["outcomes"][0]["message"])
        self.assertIn("not open", self.get_step(answer["graduate"], self.fees)["why_not"])

    def _upload(self, user=None, **values):
        return (
            self.env["ir.attachment"]
            .with_user(user or self.deferral)
            .create(
                {"name": "agreement.pdf", "raw": b"signed", "res_model": "clearance.override", "res_id": 0, **values}
            )
        )

    def test_evidence(self):
        fees, card = (self.status(self.students[1], step) for step in (self.fees, self.card))
        upload = self._upload()
        answer = self.desk().lift("k", [fees.id, card.id], PROOF, False, upload.ids)
        for step in (self.fees, self.card):
            [paper] = self.get_step(answer["graduate"], step)["lifted"]["evidence"]
            self.assertEqual(paper["name"], "agreement.pdf")
        overrides = self.Override.search([("status_id", "in", (fees | card).ids)])
        self.assertEqual(overrides.mapped("evidence_count"), [1, 1])
        self.assertEqual({file.raw for file in overrides.evidence_ids}, {b"signed"})
        self.assertIn(upload, overrides.evidence_ids)
        again = self.desk().lift("k", [fees.id, card.id], PROOF, False, upload.ids)
        self.assertEqual(again["outcomes"], answer["outcomes"])
        # Whoever reads the deferral reads its papers.
        self.assertEqual(overrides.evidence_ids.with_user(self.auditor).mapped("name"), ["agreement.pdf"] * 2)
        with self.assertRaises(AccessError):
            overrides.evidence_ids.with_user(self.librarian).mapped("name")

    def test_evidence_of_others_is_refused(self):
        fees = self.status(self.students[1], self.fees)
        secret = self._upload(self.manager)
        other = self.grant(self.status(self.students[2], self.fees))
        linked = self._upload(res_id=other.id)
        public = self._upload(public=True)
        for attachment in (secret, linked, public, self.env["ir.attachment"].browse(2**30)):
            with self.subTest(attachment=attachment), self.assertRaises(AccessError):
                self.desk().lift("", fees.ids, PROOF, False, attachment.ids)
        self.assertEqual(self.Override.search([]), other, "refused before anything is lifted")

    def test_left_over_uploads_are_deleted(self):
        old, new = self._upload(), self._upload()
        kept = self._upload()
        self.desk().lift("", self.status(self.students[1], self.fees).ids, PROOF, False, kept.ids)
        (old | kept).flush_recordset()
        self.cr.execute(
            "UPDATE ir_attachment SET create_date = create_date - interval '2 days' WHERE id = ANY(%s)",
            [(old | kept).ids],
        )
        self.Override._gc_evidence()
        self.assertFalse(old.exists())
        self.assertTrue(new.exists())
        self.assertTrue(kept.exists())

    def test_bounded_queries(self):
        """The search costs the same for one row and for all; the graduate a fixed number."""
        desk = self.desk()
        self.grant(self.status(self.students[1], self.fees))
        counts = []
        for query in ("T26001", "T26"):
            desk.search_graduates(query)
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            desk.search_graduates(query)
            counts.append(self.cr.sql_log_count - start)
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 14)
        desk.get_graduate(self.forms[1].id)
        self.env.invalidate_all()
        with self.assertQueryCount(20):
            desk.get_graduate(self.forms[1].id)

    def test_list_of_lifted_restrictions(self):
        override = self.grant(self.status(self.students[1], self.fees), date_end=self.today + timedelta(days=3))
        card = self.grant(self.status(self.students[2], self.card))
        Override = self.Override.with_user(self.deferral)
        soon = [("state", "=", "in_force"), ("date_end", ">=", "today"), ("date_end", "<=", "today +7d")]
        self.assertEqual(Override.search(soon), override)
        for query in ("T26001", "Graduate 1"):
            self.assertEqual(Override.search([("form_id", "ilike", query)]), override)
        self.settle_steps(self.card)
        self.env.invalidate_all()
        self.assertEqual(card.with_user(self.deferral).state, "settled")
        for state, expected in (("in_force", override), ("settled", card), ("ended", None), ("restored", None)):
            self.assertEqual(Override.search([("state", "=", state)]), expected or Override, state)
        self.assertEqual(card.with_user(self.deferral).display_name, "T26002 Test Graduate 2 · Return student card")
        fnames = [
            "student_number",
            "form_id",
            "step_id",
            "status_state",
            "state",
            "reason",
            "date_end",
            "evidence_count",
        ]
        exported = (override | card).with_user(self.deferral).export_data(fnames)["datas"]
        self.assertEqual([row[0] for row in exported], ["T26001", "T26002"])
        self.assertEqual([row[4] for row in exported], ["Restriction lifted", "Settled since"])


@tagged("post_install", "-at_install")
class TestDeferralCampuses(DeferralCase):
    """An officer of another campus neither sees nor lifts anything here."""

    def test_other_campus(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        officer = new_test_user(
            self.env,
            "t_other_deferral",
            groups="base.group_user,graduate_clearance.group_deferral",
            company_id=other.id,
            company_ids=other.ids,
        )
        fees, card = (self.status(self.students[1], step) for step in (self.fees, self.card))
        override = self.grant(fees)
        desk = self.env["clearance.deferral"].with_user(officer).with_context(allowed_company_ids=other.ids)
        self.assertEqual(desk.search_graduates("T26")["rows"], [])
        with self.assertRaises(AccessError):
            desk.get_graduate(self.forms[1].id)
        answer = desk.lift("", card.ids, PROOF)
        self.assertEqual((answer["outcomes"][0]["code"], answer["graduate"]), ("not_yours", False))
        self.assertIn("campus", answer["outcomes"][0]["message"])
        answer = desk.restore("", override.ids)
        self.assertEqual((answer["outcomes"][0]["code"], answer["graduate"]), ("not_yours", False))
        with self.assertRaises(AccessError):
            desk.env["clearance.override"].create({"status_id": card.id, "reason": PROOF})
        line = self.get_lines(fees).id
        self.assertEqual(desk.env["clearance.override"]._undo([line], "batch", "why")[0].code, "not_yours")
        self.assertTrue(override.in_force)


@tagged("post_install", "-at_install")
class TestEndDates(DeferralCase):
    """The gate looks at the date itself; the scheduled action tells people."""

    def test_from_proof_to_diploma(self):
        """Lift, certificates, "cleared with deferral", end date, "in progress", settled, "cleared"."""
        student, form = self.students[1], self.forms[1]
        self.settle_steps(self.books, self.card, self.talk, students=student)
        fees = self.status(student, self.fees)
        degree, diploma = (self.status(student, step, self.mech_clerk) for step in (self.degree, self.diploma))
        self.assertEqual(self.decide(degree, "approve"), ["missing"])
        until = self.today + timedelta(days=5)
        answer = self.desk().lift("", fees.ids, PROOF, fields.Date.to_string(until))
        self.assertEqual(answer["graduate"]["form_state"], "open")
        self.assertEqual(self.decide(degree | diploma, "approve"), ["done", "done"])
        self.assertEqual(form.state, "deferred")
        self.assertTrue(form.cleared_at)
        self.assertEqual(self.desk().search_graduates("T26001")["rows"][0]["form_state"], "deferred")
        self.assertEqual(self.desk().get_graduate(form.id)["form_state"], "deferred")
        with self.days_later(5):
            self.assertTrue(fees.is_lifted, "the last day counts")
            self.run_cron()
            self.assertFalse(self.Override.search([("told_at", "!=", False)]))
        with self.days_later(6):
            self.assertFalse(fees.is_lifted)
            self.run_cron()
            self.assertEqual(form.state, "open")
            self.assertFalse(form.cleared_at)
            self.assertEqual(self.desk().get_graduate(form.id)["form_state"], "open")
            self.settle_steps(self.fees, students=student)
            self.assertEqual(form.state, "cleared")
        actions = self.get_lines(fees).mapped("action")
        self.assertEqual(actions, ["lift", "expired", "approve"])

    def test_ended(self):
        """One log line, one message to the graduate, one to the officer; only once."""
        fees = self.status(self.students[1], self.fees)
        override = self.grant(fees, date_end=self.today)
        form, partner = self.forms[1], self.forms[1].partner_id
        self.run_cron()
        self.assertFalse(self.get_messages(form))
        with self.days_later(1):
            progress = self.run_cron()
            self.assertEqual([call.args[0] for call in progress.call_args_list], [1])
            self.assertEqual(override.state, "ended")
            [message] = self.get_messages(form)
            self.assertIn("Pay arrears", message.body)
            self.assertIn(form.access_url, message.body)
            self.assertIn(partner, message.notified_partner_ids)
            notices = self.env["mail.message"].search([("partner_ids", "in", self.deferral.partner_id.ids)])
            self.assertEqual(len(notices), 1)
            self.assertIn("T26001", notices.body)
            self.run_cron()
            self.assertEqual(len(self.get_messages(form)), 1)
        lines = self.get_lines(fees)
        self.assertEqual(lines.mapped("action"), ["lift", "expired"])
        self.assertEqual(lines[-1].from_state, "pending")
        self.assertEqual(self.lift(fees), ["done"], "a new one can be granted")

    def test_one_message_for_all(self):
        """A graduate with two deferrals gets one message, so does the officer of many."""
        for student in self.students[:3]:
            for step in (self.fees, self.card):
                self.grant(self.status(student, step), date_end=self.today)
        with self.days_later(1):
            self.run_cron()
        self.assertEqual([len(self.get_messages(form)) for form in self.forms], [1, 1, 1, 0, 0, 0])
        notices = self.env["mail.message"].search([("partner_ids", "in", self.deferral.partner_id.ids)])
        self.assertEqual(len(notices), 1)

    def test_nobody_is_told_what_does_not_matter(self):
        """Settled, restored, granted anew, withdrawn: the end is noted, nobody is bothered."""
        settled, restored, anew, withdrawn = (
            self.grant(self.status(student, self.fees), date_end=self.today) for student in self.students[:4]
        )
        self.settle_steps(self.fees, students=self.students[0])
        restored.with_user(self.deferral).action_restore()
        self.students[3].graduation_state = "postponed"
        with self.days_later(1):
            self.assertEqual(self.lift(anew.status_id), ["done"])
            self.run_cron()
        self.assertFalse(self.get_messages(self.forms))
        self.assertEqual((settled | anew | withdrawn).mapped("state"), ["ended"] * 3)
        self.assertEqual(self.get_lines(restored.status_id).mapped("action"), ["lift", "restore"])
        self.assertEqual(self.get_lines(anew.status_id).mapped("action"), ["lift", "expired", "lift"], "in this order")

    def test_reminder(self):
        """Some days before, once; not when granted for a few days only."""
        override = self.grant(self.status(self.students[1], self.fees), date_end=self.today + timedelta(days=30))
        self.grant(self.status(self.students[2], self.fees), date_end=self.today + timedelta(days=REMIND_DAYS))
        self.run_cron()
        self.assertFalse(self.get_messages(self.forms))
        with self.days_later(30 - REMIND_DAYS):
            self.run_cron()
            self.run_cron()
            [message] = self.get_messages(self.forms[1])
            self.assertIn("ends soon", message.body)
            self.assertTrue(override.in_force)
            notices = self.env["mail.message"].search([("partner_ids", "in", self.deferral.partner_id.ids)])
            # The short one has ended meanwhile.
            self.assertEqual(len(notices), 2)
            override.with_user(self.deferral).date_end += timedelta(days=30)
            self.assertFalse(override.reminded_at, "prolonged: people are reminded again")

    def test_in_the_language_of_the_graduate(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.forms[1].partner_id.lang = "zh_CN"
        self.fees.with_context(lang="zh_CN").name = "缴还欠费"
        self.grant(self.status(self.students[1], self.fees), date_end=self.today)
        with self.days_later(1):
            self.run_cron()
        [message] = self.get_messages(self.forms[1])
        self.assertIn("缴还欠费", message.body)

    def test_in_portions(self):
        """More than fit in one transaction: each portion is committed, none is told twice."""
        for student in self.students[:5]:
            self.grant(self.status(student, self.fees), date_end=self.today)
        with self.days_later(1), patch("odoo.addons.graduate_clearance.models.clearance_override_end._TELL_BATCH", 2):
            progress = self.run_cron()
        self.assertEqual([call.args[0] for call in progress.call_args_list], [2, 2, 1])
        self.assertEqual([call.kwargs["remaining"] for call in progress.call_args_list], [3, 1, 0])
        self.assertEqual([len(self.get_messages(form)) for form in self.forms], [1, 1, 1, 1, 1, 0])

    def test_clock_of_the_campus(self):
        """A deferral ends with the day on the campus, not at the server's midnight."""
        self.campus.partner_id.tz = "Pacific/Kiritimati"  # UTC+14
        today = self.Override.with_company(self.campus)._today()
        fees = self.status(self.students[1], self.fees)
        self.assertEqual(self.lift(fees, date_end=today), ["done"])
        self.assertTrue(fees.is_lifted)
        self.run_cron()
        self.assertFalse(self.Override.search([("told_at", "!=", False)]))


@tagged("post_install", "-at_install")
class TestDeferralCron(TransactionCase):
    def test_scheduled(self):
        cron = self.env.ref("graduate_clearance.ir_cron_tell_deferrals")
        self.assertEqual((cron.interval_number, cron.interval_type), (1, "days"))
        self.assertTrue(cron.active)


@tagged("post_install", "-at_install")
class TestDeferralTour(DeferralCase, HttpCase):
    def test_from_proof_to_diploma(self):
        """Officer, college desk, the end date, the payment: what each sees on the screen."""
        student, form = self.students[1], self.forms[1]
        self.clearance.open_until = fields.Datetime.now() + timedelta(days=90)
        self.settle_steps(self.books, self.card, self.talk, students=student)
        self.start_tour("/odoo/clearance-deferral", "clearance_deferral_proof", login=self.deferral.login)
        self.start_tour("/odoo/clearance-desk", "clearance_deferral_diploma", login=self.mech_clerk.login)
        self.assertEqual(form.state, "deferred")
        override = self.Override.search([("form_id", "=", form.id)])
        with self.days_later((override.date_end - self.today).days + 1):
            self.run_cron()
            self.assertEqual(form.state, "open")
            self.start_tour("/odoo/clearance-deferral", "clearance_deferral_over", login=self.deferral.login)
            self.settle_steps(self.fees, students=student)
            self.start_tour("/odoo/clearance-desk", "clearance_deferral_paid", login=self.mech_clerk.login)
        self.assertEqual(form.state, "cleared")
        actions = self.get_lines(self.status(student, self.fees)).mapped("action")
        self.assertEqual(actions, ["lift", "expired", "approve"])

    def test_officer(self):
        """Find, lift with proof and end date, look at the list, restore; a settled step stays as it is."""
        self.settle_steps(self.books, students=self.students[1])
        self.start_tour("/odoo/clearance-deferral", "clearance_deferral", login=self.deferral.login)
        override = self.env["clearance.override"].search([])
        self.assertEqual(override.status_id, self.status(self.students[1], self.fees))
        self.assertEqual(override.granted_by_id, self.deferral)
        self.assertEqual(override.reason, "Proof of deferred payment shown")
        self.assertEqual(override.date_end.day, 15)
        self.assertEqual(override.evidence_ids.raw, b"signed")
        self.assertEqual(override.restored_by_id, self.deferral)
        log = self.env["clearance.log"].search([("user_id", "=", self.deferral.id)], order="id")
        self.assertEqual(log.mapped("action"), ["lift", "restore"])
        self.assertEqual(log.mapped("door"), ["desk", "desk"])
        self.assertEqual(log[1].reason, "Agreement broken")
