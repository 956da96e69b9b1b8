"""Configuration, and opening a session from the roster, once and again."""

from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestConfiguration(ClearanceCommon):
    def test_a_step_duplicated_leaves_its_code_behind(self):
        self.card.code = "card"
        self.assertFalse(self.card.copy().code)
        other = self.clearance.create(
            {
                "name": "2027 undergraduates",
                "year": 2027,
                "open_from": self.clearance.open_from,
                "open_until": self.clearance.open_until,
            }
        )
        self.assertEqual(self.card.copy({"session_id": other.id}).code, "card")

    def test_cycle_is_refused_and_named(self):
        with self.assertRaisesRegex(ValidationError, "Degree certificate → .*Graduation certificate"):
            self.degree.prerequisite_ids += self.diploma

    def test_cycle_by_way_of_a_station(self):
        with self.assertRaisesRegex(ValidationError, "→"):
            self.card.prerequisite_station_ids += self.certificates

    def test_station_prerequisite_follows_its_steps(self):
        self.assertEqual(self.degree.blocking_step_ids, self.books | self.fees | self.card | self.loan)
        badge = self._create_step("Return badge", self.affairs_office)
        self.assertIn(badge, self.degree.blocking_step_ids)
        badge.active = False
        self.assertNotIn(badge, self.degree.blocking_step_ids)
        self.card.station_id = self.library
        self.assertNotIn(self.card, self.degree.blocking_step_ids)

    def test_prerequisite_of_another_session(self):
        other = self.clearance.copy()
        with self.assertRaisesRegex(ValidationError, "another session"):
            self.degree.prerequisite_ids += other.step_ids[0]

    def test_copy_keeps_steps_and_prerequisites(self):
        other = self.clearance.copy()
        self.assertEqual(other.state, "draft")
        self.assertEqual(other.step_ids.mapped("name"), self.clearance.step_ids.mapped("name"))
        degree = other.step_ids.filtered(lambda step: step.name == "Degree certificate")
        self.assertEqual(degree.blocking_step_ids.mapped("name"), self.degree.blocking_step_ids.mapped("name"))
        self.assertEqual(degree.blocking_step_ids.session_id, other)

    def test_bad_domain_says_where(self):
        for domain in ("[('no_such_field', '=', 1)]", "[oops", "[('name', '=')]"):
            with self.subTest(domain=domain), self.assertRaisesRegex(ValidationError, "Return books"):
                self.books.student_domain = domain
        with self.assertRaisesRegex(ValidationError, "2026 undergraduates"):
            self.clearance.student_domain = "[('no_such_field', '=', 1)]"

    def test_windows_end_after_they_start(self):
        now = fields.Datetime.now()
        for record, start, end in [
            (self.clearance, "open_from", "open_until"),
            (self.card, "open_from", "deadline"),
        ]:
            with self.assertRaises(ValidationError):
                record.write({start: now, end: now - timedelta(days=1)})

    @mute_logger("odoo.sql_db")
    def test_student_number_is_unique_per_campus(self):
        values = {"student_number": "T26000", "name": "Twin"}
        with self.assertRaises(psycopg2.errors.UniqueViolation), self.env.cr.savepoint():
            self.env["clearance.student"].create(values)
        campus = self.env["res.company"].create({"name": "Other campus"})
        twin = self.env["clearance.student"].create({**values, "company_id": campus.id})
        self.assertEqual(twin.display_name, "T26000 Twin")

    def test_trees_have_no_cycle(self):
        with self.assertRaises(UserError):
            self.certificates.parent_id = self.mech_desk
        with self.assertRaises(UserError):
            self.north.parent_id = self.room_n

    def test_being_named_gives_the_role(self):
        for user, group in [
            (self.librarian, "group_operator"),
            (self.counsellor, "group_counsellor"),
            (self.supervisor, "group_supervisor"),
            (self.lead, "group_college_lead"),
        ]:
            self.assertTrue(user.has_group(f"graduate_clearance.{group}"), user.login)
        self.assertFalse(self.stranger.has_group("graduate_clearance.group_staff"))
        self.library.operator_ids += self.stranger
        self.assertTrue(self.stranger.has_group("graduate_clearance.group_operator"))

    def test_masked_id_number(self):
        student = self.students[0]
        self.assertEqual(student.id_number_masked, "990*************0X")
        self.assertEqual(student._mask_id_number("1234567"), "*******")
        self.assertFalse(student._mask_id_number(False))

    def test_graduates_without_contact_get_one(self):
        partner = self.env["res.partner"].create({"name": "Known Already"})
        known, new = self.env["clearance.student"].create(
            [
                {"student_number": "X1", "partner_id": partner.id},
                {"student_number": "X2", "name": "New One", "phone": "000"},
            ]
        )
        self.assertEqual(known.name, "Known Already")
        self.assertEqual((new.partner_id.name, new.phone), ("New One", "000"))


@tagged("post_install", "-at_install")
class TestRoster(ClearanceCommon):
    def _states(self, step):
        return self.statuses(step).mapped("state")

    def test_preview_writes_nothing_and_tells_the_truth(self):
        preview = self.clearance._preview()
        self.assertEqual(preview["members"], 6)
        self.assertEqual(preview["earlier_year"], 1)
        self.assertEqual(preview["latecomers"], 6)
        self.assertFalse(self.clearance.form_ids)
        expected = {line["step_id"]: line for line in preview["steps"]}
        self.clearance._open()
        for step in self.clearance.step_ids:
            statuses = self.statuses(step)
            line = expected[step.id]
            self.assertEqual(line["added"], len(statuses), step.name)
            not_required = statuses.filtered(lambda status: status.state == "not_required")
            self.assertEqual(line["not_required"], len(not_required), step.name)
        again = self.clearance._preview()
        for line in again["steps"]:
            changes = {key: line[key] for key in ("added", "to_not_required", "to_required", "rerouted", "review")}
            self.assertFalse(any(changes.values()), f"nothing left to do: {changes}")

    def test_wizard_names_every_problem(self):
        self.class_m1.counsellor_id = False
        self.mech_desk.operator_ids = False
        self.env["clearance.station"].browse(self.arts_desk.id).active = False
        self._create_step("Return switch", self.library, student_domain="[('trait_ids.code', '=', 'switch')]")
        wizard = self.env["clearance.session.open"].with_context(default_session_id=self.clearance.id).create({})
        self.assertIn("Counselling: Exit talk: nobody can confirm it for 6 graduates", wizard.problems)
        self.assertIn("Certificates: Degree certificate: no desk takes 3 graduates", wizard.problems)
        self.assertIn("Certificates: Degree certificate: nobody can confirm it for 6 graduates", wizard.problems)
        self.assertIn("Library: Return switch: applies to no graduate", wizard.problems)
        self.assertEqual(self.clearance.state, "draft")
        wizard.action_open()
        self.assertEqual(self.clearance.state, "open")

    def test_opening_writes_forms_and_statuses(self):
        forms = self.open_session()
        self.assertEqual(self.clearance.state, "open")
        self.assertEqual(forms.student_id, self.students)
        self.assertEqual(forms.mapped("earlier_year"), [False] * 5 + [True])
        self.assertEqual(forms.mapped("college_id.code"), ["ME", "AR"])
        self.assertEqual(self._states(self.card), ["pending"] * 6)
        self.assertEqual(self._states(self.loan), ["pending"] + ["not_required"] * 5)
        self.assertEqual(self._states(self.deposit), ["optional"] * 6)
        status = self.status(self.students[3], self.degree)
        self.assertEqual(status.station_id, self.arts_desk)
        self.assertEqual((status.class_id, status.room_id), (self.class_a1, self.room_n))
        self.assertEqual((status.company_id, status.session_id), (self.campus, self.clearance))

    def test_routing_by_room_class_and_depth(self):
        north = self.env["clearance.station"].create(
            {"name": "Dorm North", "parent_id": self.library.id, "room_ids": [Command.link(self.north.id)]}
        )
        corner = self.env["clearance.station"].create(
            {
                "name": "Dorm North, class A1",
                "parent_id": north.id,
                "class_ids": [Command.link(self.class_a1.id)],
            }
        )
        self.students[4].room_id = False
        self.clearance._open()
        stations = self.statuses(self.books).mapped(lambda status: status.station_id)
        routed = [status.station_id for status in self.statuses(self.books)]
        self.assertEqual(routed, [self.library, north, self.library, corner, self.library, corner])
        self.assertEqual(stations, self.library | north | corner)

    def test_opening_again_changes_nothing(self):
        self.open_session()
        self.settle_steps(self.card)
        before = self.env["clearance.status"].search([]).read()
        lines = self.env["clearance.log"].search_count([])
        self.clearance._open()
        self.env.invalidate_all()
        self.assertEqual(self.env["clearance.status"].search([]).read(), before)
        self.assertEqual(self.env["clearance.log"].search_count([]), lines)

    def test_latecomer(self):
        self.open_session()
        late = self.env["clearance.student"].create(
            {"student_number": "T26900", "name": "Late", "class_id": self.class_m1.id, "graduation_year": 2026}
        )
        self.assertFalse(late.form_ids)
        self.assertEqual(self.clearance._preview()["latecomers"], 1)
        self.clearance._open()
        self.assertEqual(len(late.form_ids.status_ids), len(self.clearance.step_ids))

    def test_postponed_graduation_takes_out_and_back(self):
        forms = self.open_session()
        form, student = forms[1], self.students[1]
        self.decide(self.status(student, self.card), "approve")
        student.write({"graduation_state": "postponed", "graduation_note": "Thesis postponed"})
        self.assertEqual((form.state, form.withdrawn_reason), ("withdrawn", "Thesis postponed"))
        self.assertEqual(len(self.statuses(self.card)), 5, "not counted any more")
        self.assertEqual(self.decide(self.status(student, self.books), "approve", "x"), ["withdrawn"])
        student.graduation_state = "due"
        self.assertEqual(form.state, "open")
        self.assertEqual(self.status(student, self.card).state, "approved", "decisions are kept")
        actions = self.env["clearance.log"].search([("form_id", "=", form.id)]).mapped("action")
        self.assertEqual(actions, ["form_reinstated", "form_withdrawn", "approve"])

    def test_traits_are_re_evaluated(self):
        self.open_session()
        self.students[0].trait_ids = False
        self.students[1].trait_ids = self.loan_trait
        self.assertEqual(self._states(self.loan), ["not_required", "pending"] + ["not_required"] * 4)
        log = self.env["clearance.log"].search([("door", "=", "roster")])
        self.assertEqual(sorted(log.mapped("action")), ["reopen", "set_not_required"])

    def test_a_persons_decision_is_never_touched(self):
        self.open_session()
        status = self.status(self.students[0], self.loan)
        self.decide(status.with_user(self.affairs), "reject", "Not in the bank's system")
        self.students[0].trait_ids = False
        self.assertEqual((status.state, status.user_id), ("rejected", self.affairs))

    def test_newly_required_step_marks_dependants(self):
        self.open_session()
        self.settle_steps(self.books, self.fees, self.card, self.degree)
        self.students[1].trait_ids = self.loan_trait
        self.assertEqual(self.status(self.students[1], self.loan).state, "pending")
        self.assertTrue(self.status(self.students[1], self.degree).needs_review)

    def test_moving_to_another_class_moves_the_desk(self):
        self.open_session()
        self.students[0].class_id = self.class_a1
        status = self.status(self.students[0], self.degree)
        self.assertEqual(status.station_id, self.arts_desk)
        self.assertEqual((status.class_id, status.college_id), (self.class_a1, self.arts))
        self.assertEqual(status.form_id.college_id, self.arts)

    def test_step_added_while_open(self):
        self.open_session()
        self.assertFalse(self.clearance.has_changes)
        self.clearance.applied_at -= timedelta(minutes=1)
        survey = self._create_step("Survey", self.counselling)
        self.assertTrue(self.clearance.has_changes)
        wizard = self.env["clearance.session.open"].with_context(default_session_id=self.clearance.id).create({})
        self.assertEqual(wizard.line_ids.filtered(lambda line: line.step_id == survey).added, 6)
        wizard.action_open()
        self.assertEqual(self._states(survey), ["pending"] * 6)
        self.assertFalse(self.clearance.has_changes)

    def test_step_retired_while_open(self):
        self.open_session()
        self.decide(self.status(self.students[0], self.card), "approve")
        self.card.active = False
        wizard = self.env["clearance.session.open"].with_context(default_session_id=self.clearance.id).create({})
        line = wizard.line_ids.filtered(lambda line: line.step_id == self.card)
        self.assertEqual((line.to_not_required, line.retired), (5, True))
        wizard.action_open()
        self.assertEqual(self._states(self.card), ["approved"] + ["not_required"] * 5)

    def test_change_of_a_step_may_be_left_out(self):
        self.open_session()
        self.card.active = False
        wizard = self.env["clearance.session.open"].with_context(default_session_id=self.clearance.id).create({})
        wizard.line_ids.filtered(lambda line: line.step_id == self.card).apply = False
        wizard.action_open()
        self.assertEqual(self._states(self.card), ["pending"] * 6)

    def test_step_made_optional_while_open(self):
        self.open_session()
        self.card.required = False
        self.clearance._open()
        self.assertEqual(self._states(self.card), ["optional"] * 6)
        self.card.required = True
        self.clearance._open()
        self.assertEqual(self._states(self.card), ["pending"] * 6)
        self.assertEqual(self.statuses(self.card).mapped("is_open"), [True] * 6)

    def test_new_prerequisite_while_open(self):
        self.open_session()
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree)
        self.degree.prerequisite_ids += self.talk
        wizard = self.env["clearance.session.open"].with_context(default_session_id=self.clearance.id).create({})
        self.assertEqual(wizard.review_count, 6)
        wizard.action_open()
        self.assertEqual(self.statuses(self.degree).mapped("needs_review"), [True] * 6)

    def test_refusals(self):
        empty = self.clearance.copy({"student_domain": "[('student_number', '=', 'nobody')]"})
        with self.assertRaisesRegex(UserError, "Nobody takes part"):
            empty._open()
        self.assertEqual(empty.state, "draft")
        empty.step_ids.unlink()
        with self.assertRaisesRegex(UserError, "no steps"):
            empty._open()
        with self.assertRaises(AccessError):
            self.clearance.with_user(self.auditor)._open()
        with self.assertRaises(UserError):
            self.clearance.state = "open"

    def test_closed_session_is_read_only(self):
        self.open_session()
        self.clearance.action_close()
        for change in (
            lambda: self.clearance.write({"name": "Other"}),
            lambda: self.card.write({"name": "Other"}),
            lambda: self._create_step("Late step", self.library),
            self.clearance._open,
        ):
            with self.assertRaisesRegex(UserError, "closed"):
                change()
        with self.assertRaises(UserError):
            self.clearance.unlink()

    def test_opened_things_are_kept(self):
        forms = self.open_session()
        for record in (self.clearance, self.card, forms[0]):
            with self.assertRaises(UserError):
                record.unlink()
        with self.assertRaises(UserError):
            forms[0].state = "cleared"

    def test_other_campus_takes_no_part(self):
        campus = self.env["res.company"].create({"name": "Other campus"})
        self.env["clearance.student"].create(
            {"student_number": "T26777", "name": "Elsewhere", "company_id": campus.id, "graduation_year": 2026}
        )
        self.assertEqual(len(self.open_session()), 6)

    def test_progress_and_statistics(self):
        forms = self.open_session()
        self.settle_steps(self.books, self.card)
        self.assertEqual(forms[0].due_count, 7)
        self.assertEqual((forms[0].open_count, forms[1].open_count), (5, 4))
        self.assertAlmostEqual(forms[1].progress, 100 * 2 / 6)
        self.assertEqual((self.clearance.form_count, self.clearance.earlier_year_count), (6, 1))
        self.assertEqual(self.clearance.clearance_rate, 0)
        figures = {(row["step_id"], row["station_id"]): row for row in self.clearance.get_statistics()}
        row = figures[self.degree.id, self.arts_desk.id]
        self.assertEqual((row["due"], row["due_earlier"], row["open"], row["open_earlier"]), (3, 1, 3, 1))
        self.assertEqual(figures[self.card.id, self.affairs_office.id]["open"], 0)
        self.assertEqual(figures[self.card.id, self.affairs_office.id]["done_rate"], 100)
        self.assertEqual(figures[self.loan.id, self.affairs_office.id]["due"], 1)
