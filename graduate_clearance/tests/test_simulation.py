"""The simulation of a session and its checklist: each finding appears, and disappears once mended."""

import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests.common import tagged
from odoo.tools import SQL

from ..demo.campus import Campus
from ..models.clearance_simulation_roster import Simulation
from .common import ClearanceCommon
from .test_campaign import CampusCommon

ROSTER = {"kind": "roster", "id": False}


class SimulationCase(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.tz = "Asia/Shanghai"
        # A session in which everything is in order.
        cls.library_feed, cls.finance_feed = cls.env["clearance.feed"].create(
            [{"name": "Library"}, {"name": "Finance"}]
        )
        for feed, step in ((cls.library_feed, cls.books), (cls.finance_feed, cls.fees)):
            feed.heard_at = fields.Datetime.now()
            step.feed_id = feed
        (cls.class_m2 | cls.class_a1).counsellor_id = cls.counsellor

    def finding(self, key, session=None):
        """The finding ``key`` of the checklist, as it is now."""
        self.env.flush_all()
        self.env.invalidate_all()
        (found,) = [finding for finding in (session or self.clearance)._get_findings() if finding["key"] == key]
        return found

    def assertFinding(self, key, level, text="", records=None, count=None):  # noqa: N802
        found = self.finding(key)
        self.assertEqual(found["level"], level, found)
        self.assertIn(text, found["detail"])
        if records is not None:
            self.assertEqual(found["action"], (records._name, records.ids))
        if count is not None:
            self.assertEqual(found["count"], count)

    def assertInOrder(self, key):  # noqa: N802
        found = self.finding(key)
        self.assertEqual((found["level"], found["detail"], found["action"]), ("ok", "", None))

    def write_raw(self, records, column, value):
        """What constraints refuse now may be there from before."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                SQL.identifier(records._table),
                SQL.identifier(column),
                value,
                records.ids,
            )
        )
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestFindings(SimulationCase):
    def test_everything_in_order(self):
        """Every point is told, in its section, and all are green."""
        findings = self.clearance._get_findings()
        self.assertEqual({f["key"]: f["level"] for f in findings if f["level"] != "ok"}, {})
        keys = [finding["key"] for finding in findings]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual(
            set(keys),
            {"steps", "graduates", "cleared_before", "filters", "cycle", "applies", "place"}
            | {"desk", "operator", "counsellor", "supervisor", "lead", "feed", "heard", "load"}
            | {"window", "days", "order", "announced", "slots", "duties"}
            | {"session_texts", "step_texts", "station_texts"},
        )
        self.assertEqual({f["section"] for f in findings}, {"who", "decides", "time", "texts"})
        self.assertEqual(self.clearance._get_problems(), [])

    def test_nothing_is_written(self):
        """Neither forms nor statuses nor the session: not one row is newer."""
        before = self.clearance.write_date, self.clearance.state
        self.clearance._get_findings()
        self.assertFalse(self.clearance.form_ids)
        self.assertFalse(self.env["clearance.status"].search_count([("session_id", "=", self.clearance.id)]))
        self.assertEqual((self.clearance.write_date, self.clearance.state), before)

    def test_no_steps(self):
        self.clearance.step_ids.active = False
        self.assertFinding("steps", "error", "The session has no steps.", self.clearance)
        # Nothing can be said of what steps would need.
        self.assertFinding("operator", "info", "before there are steps")
        self.card.active = True
        self.assertInOrder("steps")
        self.assertInOrder("operator")

    def test_no_graduates(self):
        self.clearance.student_domain = "[('student_number', '=', 'nobody')]"
        self.assertFinding("graduates", "error", "No graduate fits", self.clearance)
        self.assertFinding("applies", "info", "before somebody takes part")
        self.clearance.student_domain = "[]"
        self.assertInOrder("graduates")
        self.assertInOrder("applies")
        self.assertIn("6 graduates", self.finding("graduates")["title"])

    def test_last_years_graduates(self):
        """Whom a closed session has cleared is not meant to come again."""
        last = self.clearance.copy({"name": "Last year"})
        last._open()
        form = last.form_ids[0]
        self.write_raw(form, "state", "cleared")
        # As long as it is open, it may be cleared in both.
        self.assertInOrder("cleared_before")
        self.write_raw(last, "state", "closed")
        self.assertFinding("cleared_before", "warning", "Last year cleared 1 of", form.student_id, 1)
        self.clearance.student_domain = f"[('id', '!=', {form.student_id.id})]"
        self.assertInOrder("cleared_before")

    def test_broken_filter(self):
        """A field that has gone since: the step is named and left out, the rest is told."""
        self.write_raw(self.card, "student_domain", "[('shoe_size', '=', 42)]")
        self.assertFinding("filters", "error", "Return student card", self.card)
        self.assertIn("shoe_size", self.finding("filters")["detail"])
        self.assertNotIn(self.card, self.clearance._simulate().steps)
        self.write_raw(self.card, "student_domain", "[]")
        self.assertInOrder("filters")
        self.write_raw(self.clearance, "student_domain", "[('shoe_size', '=', 42)]")
        self.assertFinding("filters", "error", "shoe_size", self.clearance)
        self.assertEqual(self.finding("graduates")["level"], "error")

    def test_unknown_code(self):
        self.loan.student_domain = "[('trait_ids.code', 'in', ['test_loan', 'lone'])]"
        self.assertFinding("filters", "warning", "lone", self.loan)
        self.loan.student_domain = "[('trait_ids.code', 'in', ['test_loan'])]"
        self.assertInOrder("filters")

    def test_cycle(self):
        """Stations may come to wait for each other when they are moved; waves end all the same."""
        self.env.flush_all()
        self.env.cr.execute("INSERT INTO clearance_step_blocking_rel VALUES (%s, %s)", (self.card.id, self.diploma.id))
        self.env.invalidate_all()
        self.assertFinding("cycle", "error", "Return student card → ")
        steps = self.env["clearance.simulation"].get_steps(self.clearance.id, ROSTER)["steps"]
        waves = {step["id"]: step["usual"] for step in steps}
        self.assertEqual((waves[self.diploma.id], waves[self.card.id]), (False, False))
        self.assertEqual(waves[self.fees.id], 1)
        self.env.cr.execute("DELETE FROM clearance_step_blocking_rel WHERE step_id = %s", (self.card.id,))
        self.assertInOrder("cycle")

    def test_step_of_nobody(self):
        self.students[0].trait_ids = False
        self.assertFinding("applies", "warning", "Student Affairs: Confirm loan: applies to no graduate", self.loan, 1)
        self.students[1].trait_ids = self.loan_trait
        self.assertInOrder("applies")

    def test_graduates_whom_no_desk_takes(self):
        self.arts_desk.active = False
        arts = self.students.filtered(lambda student: student.college_id == self.arts)
        self.assertFinding("desk", "error", "Certificates: Degree certificate: no desk takes 3 graduates.", arts, 3)
        # The list can be opened, and shows them.
        action = self.env["clearance.simulation"].open_finding(self.clearance.id, "desk")
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), arts)
        self.arts_desk.active = True
        self.assertInOrder("desk")
        self.assertFalse(self.env["clearance.simulation"].open_finding(self.clearance.id, "desk"))

    def test_desk_without_operator(self):
        """Also where the only operator has left the university."""
        text = "Certificates: Degree certificate: nobody can confirm it for 3 graduates."
        self.mech_desk.operator_ids = False
        self.assertFinding("operator", "error", text, self.mech_desk, 1)
        self.mech_desk.operator_ids = self.mech_clerk
        self.assertInOrder("operator")
        self.mech_clerk.active = False
        self.assertFinding("operator", "error", text, self.mech_desk, 1)

    def test_class_without_counsellor(self):
        (self.class_m1 | self.class_m2).counsellor_id = False
        text = "Counselling: Exit talk: nobody can confirm it for 3 graduates."
        self.assertFinding("counsellor", "error", text, self.class_m1 | self.class_m2, 2)
        (self.class_m1 | self.class_m2).counsellor_id = self.counsellor
        self.assertInOrder("counsellor")
        self.students[0].class_id = False
        self.assertFinding("counsellor", "error", "1 of them are in no class", self.students[0], 1)

    def test_graduate_without_supervisor(self):
        self.talk.mode = "supervisor"
        self.assertFinding("supervisor", "error", "for 5 graduates", self.students - self.students[3], 5)
        self.students.supervisor_id = self.supervisor
        self.assertInOrder("supervisor")

    def test_college_without_lead(self):
        self.clearance.college_steps = True
        self.assertFinding("lead", "warning", "College of Arts", self.arts, 1)
        self.arts.lead_ids = self.lead
        self.assertInOrder("lead")

    def test_step_without_source_system(self):
        self.books.feed_id = False
        self.assertFinding("feed", "warning", "Library: Return books: no source system", self.books)
        self.library.operator_ids = False
        self.assertFinding("feed", "error", "Library: Return books: nobody can confirm it for 6 graduates.", self.books)
        self.books.feed_id = self.library_feed
        self.assertInOrder("feed")

    def test_silent_source_system(self):
        self.library_feed.heard_at = False
        self.assertFinding("heard", "warning", "Library: never heard from", self.library_feed)
        self.library_feed.heard_at = fields.Datetime.now() - timedelta(days=100)
        self.assertFinding("heard", "warning", "last heard from on", self.library_feed)
        self.library_feed.heard_at = fields.Datetime.now()
        self.assertInOrder("heard")

    def test_many_graduates_and_one_operator(self):
        """2,000 graduates, one operator, ten days: 200 a day; two operators see 100 each."""
        self.clearance.write({"open_from": "2026-06-01 00:00:00", "open_until": "2026-06-10 08:00:00"})
        for size, people, busy in ((1200, 1, False), (2000, 1, True), (2000, 2, False)):
            self.affairs_office.operator_ids = [Command.set((self.affairs | self.cashier).ids[:people])]
            simulation = self.clearance._simulate()
            # A large roster without making it.
            profile = simulation.profiles[0]._replace(student_ids=list(range(size)))
            simulation = Simulation(self.clearance, simulation.steps, [profile], {})
            found = self.clearance._find_overload(simulation)
            said = (
                "Student Affairs: 2,000 graduates, operators: 1, working days: 10. That is 200 for each"
                in found["detail"]
            )
            self.assertEqual(said, busy, found)
            self.assertEqual(self.affairs_office.id in (found["action"] or (None, []))[1], busy)
        self.assertInOrder("load")

    def test_load_counts_each_graduate_once(self):
        """Two steps at one desk are one visit; optional and automatic ones none; days are those of the steps."""
        load = self.clearance._simulate().get_load(self.mech_desk.id)
        self.assertEqual((load["heads"], load["operators"]), (3, 1))
        self.assertEqual(self.clearance._simulate().get_load(self.library.id)["heads"], 0)
        self.card.deadline = self.clearance.open_from + timedelta(days=2)
        self.loan.deadline = self.card.deadline
        self.assertEqual(self.clearance._simulate().get_load(self.affairs_office.id)["days"], 3)

    def test_graduate_without_room(self):
        """The room matters to those who have a step where desks are told apart by it."""
        self.students[0].room_id = False
        self.assertInOrder("place")
        desk = self.env["clearance.station"].create(
            {
                "name": "North Affairs",
                "parent_id": self.affairs_office.id,
                "room_ids": [Command.link(self.north.id)],
                "operator_ids": [Command.link(self.affairs.id)],
            }
        )
        self.assertFinding("place", "warning", "Student Affairs: 1 graduates without a room", self.students[0], 1)
        self.students[0].room_id = self.room_n
        self.assertInOrder("place")
        desk.write({"room_ids": False, "class_ids": [Command.link(self.class_m1.id)]})
        self.students[5].class_id = False
        self.assertFinding("place", "warning", "without a class", self.students[5], 1)

    def test_window_is_over(self):
        self.clearance.write({"open_from": "2020-06-01", "open_until": "2020-06-10"})
        self.assertFinding("window", "error", "The session has ended on", self.clearance)
        self.clearance.open_until = fields.Datetime.now() + timedelta(days=3)
        self.assertInOrder("window")

    def test_step_outside_window(self):
        """From before this was refused."""
        self.write_raw(self.card, "deadline", self.clearance.open_from - timedelta(days=1))
        self.assertFinding("window", "error", "Student Affairs: Return student card: its deadline is before", self.card)
        self.write_raw(self.card, "deadline", self.clearance.open_until + timedelta(days=1))
        self.assertFinding("window", "warning", "after the session ends", self.card)
        self.card.deadline = self.clearance.open_until
        self.assertInOrder("window")

    def test_slot_outside_window(self):
        slot = self._create_slot(open_from=self.clearance.open_from - timedelta(days=1))
        self.assertFinding("window", "warning", "Time slot", self.clearance)
        slot.open_from = self.clearance.open_from
        self.assertInOrder("window")

    def _create_slot(self, **values):
        return self.env["clearance.slot"].create(
            {
                "session_id": self.clearance.id,
                "open_from": self.clearance.open_from,
                "open_until": self.clearance.open_from + timedelta(hours=3),
                "place": "Hall",
                **values,
            }
        )

    def test_days_off(self):
        """A deadline on a Saturday, where offices work from Monday to Friday."""
        calendar = self.env["resource.calendar"].create(
            {"name": "Offices", "company_id": self.campus.id, "tz": "Asia/Shanghai"}
        )
        self.clearance.write(
            {"open_from": "2026-06-22 00:00:00", "open_until": "2026-06-30 09:00:00", "calendar_id": calendar.id}
        )
        self.assertInOrder("days")
        self.card.deadline = "2026-06-27 09:00:00"
        self.assertFinding("days", "warning", "Student Affairs: Return student card: deadline on", self.clearance, 1)
        # Half past five in the morning of Monday in Shanghai is Sunday elsewhere.
        self.card.deadline = "2026-06-28 21:30:00"
        self.assertInOrder("days")
        slot = self._create_slot(open_from="2026-06-27 01:00:00", open_until="2026-06-27 03:00:00")
        self.assertFinding("days", "warning", "Time slot", count=1)
        slot.unlink()
        calendar.attendance_ids.unlink()
        self.assertFinding("days", "error", "Nobody works on any day")

    def test_deadline_before_that_of_a_prerequisite(self):
        self.degree.deadline = self.clearance.open_until - timedelta(days=2)
        self.assertFinding("order", "warning", "Certificates: Degree certificate ends on", self.degree)
        (self.books | self.fees | self.card | self.loan).deadline = self.degree.deadline
        self.assertInOrder("order")
        self.books.write({"deadline": False, "open_from": self.clearance.open_until - timedelta(days=1)})
        self.assertFinding("order", "error", "Library: Return books", self.degree)
        # What is optional holds nobody up.
        self.books.required = False
        self.assertInOrder("order")

    def test_time_to_be_announced(self):
        self.card.to_be_announced = True
        self.assertFinding("announced", "info", "Return student card", self.card)
        self.assertEqual(self.clearance._get_problems(), [], "nothing is wrong about it")
        self.card.to_be_announced = False
        self.assertInOrder("announced")

    def test_slots(self):
        """Heads that do not match, slots that share a college, colleges without one."""
        slot = self._create_slot(college_ids=[Command.set(self.mech.ids)], planned_count=4)
        self.assertFinding("slots", "warning", "4 heads are planned, 3 take part", self.clearance, 2)
        self.assertIn("College of Arts: no time slot for 3 graduates.", self.finding("slots")["detail"])
        slot.planned_count = 3
        other = self._create_slot(college_ids=[Command.set(self.arts.ids)])
        self.assertInOrder("slots")
        slot.planned_count = 2
        other.write({"planned_count": 4, "college_ids": [Command.set((self.mech | self.arts).ids)]})
        self.assertInOrder("slots")

    def test_duties(self):
        duty = self.env["clearance.duty"].create(
            {"name": "Report what is owed", "session_id": self.clearance.id, "station_id": self.counselling.id}
        )
        self.assertFinding("duties", "warning", "Report what is owed: has no deadline.", duty, 2)
        self.assertIn("nobody works at Counselling", self.finding("duties")["detail"])
        duty.write({"deadline": fields.Datetime.now(), "station_id": self.library.id})
        self.assertInOrder("duties")

    def test_missing_translations(self):
        """What is there in one language only, once two are installed."""
        self.assertInOrder("step_texts")
        self.env["res.lang"]._activate_lang("zh_CN")
        self.assertFinding("step_texts", "warning", "Student Affairs: Return student card: Name in Chinese")
        self.assertFinding("session_texts", "warning", "2026 undergraduates: Name in Chinese", self.clearance)
        found = self.finding("station_texts")
        self.assertIn("Library: Name and Place in Chinese", found["detail"])
        # Of stations where nobody goes nothing is asked; those above desks pass on their texts.
        unused = self.env["clearance.station"].create({"name": "Unused"})
        self.assertNotIn(unused.id, found["action"][1])
        self.assertIn(self.certificates.id, found["action"][1])
        question = self.env["clearance.requirement"].create({"name": "Which bank?", "step_id": self.card.id})
        zh = {"lang": "zh_CN"}
        for step in self.clearance.step_ids:
            step.with_context(**zh).name = "环节"
        for feed in self.library_feed | self.finance_feed:
            feed.with_context(**zh).name = "系统"
        self.assertFinding("step_texts", "warning", "Which bank?: Question in Chinese", self.card, 1)
        question.with_context(**zh).name = "哪家银行？"
        self.assertInOrder("step_texts")
        self.clearance.with_context(**zh).name = "离校"
        self.assertInOrder("session_texts")

    def test_wizard_takes_its_problems_from_here(self):
        self.mech_desk.operator_ids = False
        wizard = self.env["clearance.session.open"].with_context(default_session_id=self.clearance.id).create({})
        self.assertEqual(wizard.problems, "\n".join(self.clearance._get_problems()))
        self.assertIn("Graduation certificate: nobody can confirm it for 3 graduates.", wizard.problems)

    def test_long_findings_are_cut(self):
        """Twenty lines are shown, the rest is counted."""
        for number in range(25):
            self._create_step(f"Step {number}", self.library, student_domain="[('id', '=', 0)]")
        lines = self.finding("applies")["detail"].split("\n")
        self.assertEqual((len(lines), lines[-1]), (21, "… and 5 more"))


@tagged("post_install", "-at_install")
class TestSimulation(SimulationCase):
    def get_steps(self, scope=None):
        answer = self.env["clearance.simulation"].get_steps(self.clearance.id, scope or ROSTER)
        return {step["id"]: step for step in answer["steps"]}

    def test_waves(self):
        """One after the last of the prerequisites that apply to the same graduate."""
        steps = self.get_steps()
        for step, usual in ((self.books, 1), (self.talk, 1), (self.degree, 2), (self.diploma, 3)):
            self.assertEqual((steps[step.id]["usual"], steps[step.id]["latest"]), (usual, usual), step.name)
        # The one borrower waits for one more step on the way to the card.
        self.card.prerequisite_ids = self.loan
        steps = self.get_steps()
        self.assertEqual((steps[self.card.id]["usual"], steps[self.card.id]["latest"]), (1, 2))
        self.assertEqual((steps[self.degree.id]["usual"], steps[self.degree.id]["latest"]), (2, 3))
        self.assertEqual(steps[self.loan.id]["count"], 1)

    def test_what_holds_nobody_up(self):
        """Optional steps, those settled from the start, and those that another graduate has."""
        self.deposit.prerequisite_ids = self.fees
        self.degree.prerequisite_ids = self.deposit
        steps = self.get_steps()
        self.assertEqual(steps[self.deposit.id]["usual"], 2, "it waits itself")
        self.assertEqual(steps[self.degree.id]["usual"], 2, "for the card")
        (self.card | self.loan).initial_state = "approved"
        steps = self.get_steps()
        self.assertEqual(steps[self.card.id]["usual"], 0)
        self.assertEqual(steps[self.degree.id]["usual"], 1)
        self.assertEqual(steps[self.degree.id]["waits_for"], ["Student Affairs"])

    def test_waves_are_those_of_the_gate(self):
        """Each wave can be confirmed after the one before it, and not earlier."""
        self.card.prerequisite_ids = self.loan
        simulation = self.clearance._simulate()
        forms = self.open_session()
        for profile in simulation.profiles:
            for form in forms.filtered(lambda form, ids=profile.student_ids: form.student_id.id in ids):
                self.play_waves(form, simulation.get_waves(profile.steps))

    def play_waves(self, form, waves):
        statuses = form.status_ids.filtered(lambda status: status.state != "not_required")
        self.assertEqual({status.step_id.id for status in statuses}, set(waves))
        for wave in sorted(set(waves.values())):
            own = statuses.filtered(lambda status, wave=wave: waves[status.step_id.id] == wave)
            later = statuses.filtered(lambda status, wave=wave: waves[status.step_id.id] > wave)
            outcomes = later._decide("approve", "api", "too early", dry_run=True)
            self.assertLessEqual({outcome.code for outcome in outcomes}, {"missing"}, f"wave {wave}")
            self.assertEqual(set(self.decide(own, "approve", "in time")), {"done"})

    def test_desks(self):
        """Each graduate goes to the desk of the own college, as opening routes them."""
        steps = self.get_steps()
        desks = {desk["id"]: desk["count"] for desk in steps[self.degree.id]["desks"]}
        self.assertEqual(desks, {self.mech_desk.id: 3, self.arts_desk.id: 3})
        stations = self.env["clearance.simulation"].get_stations(self.clearance.id, ROSTER)["stations"]
        found = {station["id"]: station for station in stations}
        self.assertEqual(found[self.mech_desk.id]["above"], "Certificates")
        self.assertEqual(found[self.mech_desk.id]["operators"], [self.mech_clerk.name])
        self.assertEqual([step["count"] for step in found[self.affairs_office.id]["steps"]], [6, 1])
        self.assertFalse(found[self.counselling.id]["needs_operator"])
        self.open_session()
        for step in self.clearance.step_ids:
            statuses = self.statuses(step).filtered(lambda status: status.state != "not_required")
            counts = {station.id: len(group) for station, group in statuses.grouped("station_id").items()}
            self.assertEqual({d["id"]: d["count"] for d in steps[step.id]["desks"]}, counts, step.name)

    def test_no_desk(self):
        """Those whom no desk takes stand apart, and can be listed."""
        self.arts_desk.active = False
        simulation = self.env["clearance.simulation"]
        desks = self.get_steps()[self.degree.id]["desks"]
        self.assertEqual([(desk["id"], desk["count"]) for desk in desks], [(self.mech_desk.id, 3), (False, 3)])
        action = simulation.open_graduates(self.clearance.id, ROSTER, step_id=self.degree.id, station_id=0)
        self.assertEqual(self.env["clearance.student"].search(action["domain"]), self.students[3:])

    def test_scopes(self):
        for scope, count, loans in (
            ({"kind": "college", "id": self.mech.id}, 3, 1),
            ({"kind": "class", "id": self.class_m2.id}, 1, 0),
            ({"kind": "student", "id": self.students[0].id}, 1, 1),
        ):
            answer = self.env["clearance.simulation"].get_steps(self.clearance.id, scope)
            self.assertEqual(answer["graduates"], count, scope)
            (loan,) = [step for step in answer["steps"] if step["id"] == self.loan.id]
            self.assertEqual((loan["count"], bool(loan["usual"])), (loans, bool(loans)))
        for scope in ({"kind": "everything", "id": 1}, {"kind": "class", "id": "1"}, {"kind": "class"}):
            with self.assertRaises(UserError):
                self.env["clearance.simulation"].get_steps(self.clearance.id, scope)

    def test_open_graduates(self):
        def found(**which):
            action = self.env["clearance.simulation"].open_graduates(self.clearance.id, ROSTER, **which)
            domain = action.get("domain") or [("id", "=", action["res_id"])]
            return self.env["clearance.student"].search(domain)

        self.assertEqual(found(step_id=self.loan.id), self.students[0])
        self.assertEqual(found(step_id=self.degree.id, station_id=self.mech_desk.id), self.students[:3])
        self.assertEqual(found(station_id=self.library.id), self.students)

    def test_one_graduate(self):
        self.card.prerequisite_ids = self.loan
        answer = self.env["clearance.simulation"].get_graduate(self.clearance.id, self.students[0].id)
        self.assertTrue(answer["takes_part"])
        self.assertEqual([wave["wave"] for wave in answer["waves"]], [1, 2, 3, 4])
        steps = {step["name"]: step for wave in answer["waves"] for step in wave["steps"]}
        self.assertEqual(steps["Exit talk"]["who"], [self.counsellor.name])
        self.assertEqual(steps["Return books"]["who"], ["Library"])
        self.assertEqual(steps["Degree certificate"]["desk"], self.mech_desk.name)
        self.assertEqual(steps["Degree certificate"]["who"], [self.mech_clerk.name])
        self.assertEqual(
            steps["Degree certificate"]["waits_for"],
            ["Return books", "Pay arrears", "Return student card", "Confirm loan"],
        )
        self.assertEqual(steps["Return student card"]["waits_for"], ["Confirm loan"])
        other = self.env["clearance.simulation"].get_graduate(self.clearance.id, self.students[1].id)
        self.assertEqual(other["not_required"], ["Confirm loan"])

    def test_graduate_who_does_not_take_part(self):
        """Why not, in words."""
        student = self.students[0]
        get = self.env["clearance.simulation"].get_graduate
        student.write({"graduation_state": "postponed", "graduation_note": "Two exams"})
        answer = get(self.clearance.id, student.id)
        self.assertEqual((answer["takes_part"], answer["waves"]), (False, []))
        self.assertEqual(answer["why_not"], "Graduation postponed: Two exams")
        student.graduation_state = "due"
        self.clearance.student_domain = "[('level', '=', 'postgraduate')]"
        self.assertIn("The filter of the session", get(self.clearance.id, student.id)["why_not"])

    def test_step_of_a_college(self):
        """A college's own step applies to its graduates alone; the others have no line for it."""
        self.clearance.college_steps = True
        own = self._create_step("Return lab key", self.mech_desk, college_id=self.mech.id)
        self.assertEqual(self.get_steps()[own.id]["count"], 3)
        stranger = self.env["clearance.simulation"].get_graduate(self.clearance.id, self.students[5].id)
        self.assertNotIn("Return lab key", stranger["not_required"])

    def test_search(self):
        search = self.env["clearance.simulation"].search_graduates
        self.assertEqual([row["student_number"] for row in search(self.clearance.id, "t26003")], ["T26003"])
        self.assertEqual(len(search(self.clearance.id, "Test Graduate")), 6)
        self.assertEqual(search(self.clearance.id, "  "), [])

    def test_open_and_draft_are_alike(self):
        """The plan of an open session is that of the roster, whatever has been decided."""
        before = self.get_steps()
        self.open_session()
        self.settle_steps(self.books, self.card)
        self.assertEqual(self.get_steps(), before)


@tagged("post_install", "-at_install")
class TestSimulationAccess(SimulationCase):
    """Managers and auditors see everything, leads their own college, nobody else anything."""

    def rpc(self, user, method, *args):
        """Call as the web client would; the answer must travel as JSON."""
        self.env.invalidate_all()
        env = self.env(user=user, context={})
        answer = call_kw(env["clearance.simulation"], method, list(args), {"context": {}})
        return json.loads(json.dumps(answer))

    def assertDenied(self, user, method, *args):  # noqa: N802
        with self.assertRaises(UserError, msg=f"{user.login} {method} {args}"), self.env.cr.savepoint():
            self.rpc(user, method, *args)

    def get_calls(self):
        session = self.clearance.id
        return [
            ("get_setup", session),
            ("get_checklist", session),
            ("open_finding", session, "desk"),
            ("get_steps", session, ROSTER),
            ("get_stations", session, ROSTER),
            ("open_graduates", session, ROSTER),
            ("search_graduates", session, "T26"),
            ("get_graduate", session, self.students[0].id),
        ]

    def test_managers_and_auditors(self):
        for user in (self.manager, self.auditor):
            for method, *args in self.get_calls():
                self.rpc(user, method, *args)
            setup = self.rpc(user, "get_setup", self.clearance.id)
            self.assertEqual((setup["may_check"], setup["may_write"]), (True, user == self.manager))
            self.assertEqual([college["name"] for college in setup["colleges"]], [self.arts.name, self.mech.name])
            self.assertEqual(len(self.rpc(user, "search_graduates", self.clearance.id, "T26")), 6)

    def test_other_roles(self):
        users = self.deferral, self.librarian, self.counsellor, self.supervisor, self.stranger, self.graduate
        for user in users:
            for method, *args in self.get_calls():
                self.assertDenied(user, method, *args)

    def test_college_lead(self):
        lead, session = self.lead, self.clearance.id
        own = {"kind": "college", "id": self.mech.id}
        self.assertDenied(lead, "get_steps", session, own)  # a draft in which leads have no part
        self.clearance.college_steps = True
        self.assertDenied(lead, "get_checklist", session)
        self.assertDenied(lead, "open_finding", session, "desk")
        other = {"kind": "college", "id": self.arts.id}
        for method in ("get_steps", "get_stations", "open_graduates"):
            self.assertDenied(lead, method, session, ROSTER)
            self.assertDenied(lead, method, session, other)
            self.assertDenied(lead, method, session, {"kind": "class", "id": self.class_a1.id})
            self.assertDenied(lead, method, session, {"kind": "student", "id": self.students[5].id})
            self.rpc(lead, method, session, own)
        self.assertEqual(self.rpc(lead, "get_steps", session, own)["graduates"], 3)
        self.assertEqual(
            self.rpc(lead, "get_steps", session, {"kind": "class", "id": self.class_m2.id})["graduates"], 1
        )
        setup = self.rpc(lead, "get_setup", session)
        self.assertEqual([college["id"] for college in setup["colleges"]], self.mech.ids)
        self.assertEqual((setup["may_check"], setup["may_write"]), (False, False))
        found = self.rpc(lead, "search_graduates", session, "T26")
        self.assertEqual({row["id"] for row in found}, set(self.students[:3].ids))
        self.rpc(lead, "get_graduate", session, self.students[0].id)
        self.assertDenied(lead, "get_graduate", session, self.students[5].id)

    def test_other_campus(self):
        campus = self.env["res.company"].create({"name": "Campus B"})
        stranger = self._create_user("t_manager_b", "group_manager")
        stranger.write({"company_id": campus.id, "company_ids": [Command.set(campus.ids)]})
        for method, *args in self.get_calls():
            self.assertDenied(stranger, method, *args)

    def test_what_is_not_there(self):
        self.assertDenied(self.manager, "get_setup", 0)
        self.assertDenied(self.manager, "get_graduate", self.clearance.id, 0)
        self.assertFalse(self.rpc(self.manager, "open_finding", self.clearance.id, "nothing"))

    def test_action(self):
        action = self.clearance.with_user(self.auditor).action_open_simulation()
        self.assertEqual((action["tag"], action["params"]), ("clearance_simulation", {"session_id": self.clearance.id}))


@tagged("post_install", "-at_install")
class TestSimulationQueries(CampusCommon):
    """The number of queries is that of the plan, not of the graduates."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus = Campus(cls.env, 120)
        cls.campus.build_roster()

    def count(self, act):
        act()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act()
        return self.env.cr.sql_log_count - before

    def test_queries(self):
        session = self.campus.session
        simulation = self.env["clearance.simulation"]
        # Something is wrong with every graduate, so that findings have to name them.
        self.env["clearance.class"].search([]).counsellor_id = False
        self.campus.steps["card"].mode = "counsellor"
        self.campus.steps["switch"].mode = "supervisor"
        self.campus.stations["library"].operator_ids = False
        counts = {}
        for size in (20, 120):
            session.student_domain = f"[('id', 'in', {self.campus.students[:size].ids})]"
            counts[size] = [
                self.count(session._get_findings),
                self.count(lambda: simulation.get_steps(session.id, ROSTER)),
                self.count(lambda: simulation.get_stations(session.id, ROSTER)),
            ]
            self.assertEqual(simulation.get_steps(session.id, ROSTER)["graduates"], size)
        for few, many in zip(counts[20], counts[120], strict=True):
            self.assertLessEqual(many, few, counts)
