from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon


class DelegationCommon(ClearanceCommon):
    """A lead each for Mechanics and Arts; the session lets colleges add steps."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clearance.college_steps = True
        cls.arts_lead = cls._create_user("t_arts_lead")
        cls.arts.lead_ids = [Command.link(cls.arts_lead.id)]
        cls.newcomer = cls._create_user("t_newcomer")
        cls.shared_desk = cls.env["clearance.station"].create(
            {
                "name": "Both Colleges",
                "parent_id": cls.certificates.id,
                "college_ids": [Command.set((cls.mech | cls.arts).ids)],
                "room_ids": [Command.set(cls.south.ids)],
            }
        )

    def step_values(self, **values):
        return {
            "name": "Return lab keys",
            "session_id": self.clearance.id,
            "station_id": self.mech_desk.id,
            **values,
        }

    @mute_logger("odoo.models")
    def assert_refused(self, word, function, *args, **kwargs):
        """Refused by a message that names ``word``; nothing of it stays."""
        with self.assertRaises(UserError) as caught:
            function(*args, **kwargs)
        self.assertIn(word, str(caught.exception))

    def add_step(self, **values):
        return self.env["clearance.step"].with_user(self.lead).create(self.step_values(**values))


class TestStationDelegation(DelegationCommon):
    """What the lead of a college may do at stations, and what not, by every way in."""

    def test_own_desk(self):
        desk = self.mech_desk.with_user(self.lead)
        desk.write(
            {
                "operator_ids": [Command.link(self.newcomer.id), Command.unlink(self.mech_clerk.id)],
                "opening_hours": "9:00–11:30",
                "place": "Room 101",
                "contact": "Ms Wu",
                "phone": "0000-7",
                "map_url": "https://maps.example.com/101",
                "instructions": "Ring twice.",
            }
        )
        self.assertEqual(self.mech_desk.operator_ids, self.newcomer)
        self.assertEqual(self.mech_desk.instructions, "Ring twice.")
        groups = self.env.ref("graduate_clearance.group_operator")
        self.assertIn(groups, self.newcomer.all_group_ids, "being named gives the role")
        given = self.newcomer.group_ids - self.env.ref("base.group_user")
        self.assertEqual(given, groups, "and no other")

    def test_fields_of_managers(self):
        desk = self.mech_desk.with_user(self.lead)
        label = {
            "name": "Name",
            "code": "Code",
            "sequence": "Sequence",
            "active": "Active",
            "bulk_class": "By class",
            "fast_scan": "Fast scanning",
        }
        for fname, word in label.items():
            self.assert_refused(word, desk.write, {fname: False})
        self.assert_refused("Belongs to", desk.write, {"parent_id": self.library.id})
        self.assert_refused("Colleges", desk.write, {"college_ids": [Command.clear()]})
        self.assert_refused("Classes", desk.write, {"class_ids": [Command.clear()]})
        self.assert_refused("Desks below", desk.write, {"child_ids": [Command.create({"name": "Mine"})]})
        self.assert_refused("Steps", desk.write, {"step_ids": [Command.clear()]})
        self.assert_refused("Name", desk.write, {"place": "Here", "name": "Renamed"})
        self.assert_refused("Name", desk.update_field_translations, "name", {"en_US": "Renamed"})
        desk.update_field_translations("place", {"en_US": "Over there"})
        self.assertEqual(self.mech_desk.place, "Over there")
        self.assertEqual(self.mech_desk.name, "College of Mechanics Certificates")

    def test_readonly_fields_on_the_screen(self):
        definitions = self.env["clearance.station"].with_user(self.lead).fields_get(attributes=["readonly"])
        may = {fname for fname, definition in definitions.items() if not definition["readonly"]}
        self.assertEqual(may, set(self.env["clearance.station"]._LEAD_FIELDS))
        self.assertFalse(
            self.env["clearance.station"].with_user(self.manager).fields_get(["name"], ["readonly"])["name"]["readonly"]
        )

    def test_other_desks(self):
        for station in (self.arts_desk, self.shared_desk, self.certificates, self.library):
            with self.subTest(station.name):
                self.assert_refused(
                    station.name, station.with_user(self.lead).write, {"operator_ids": [Command.link(self.lead.id)]}
                )
                self.assertNotIn(self.lead, station.operator_ids)
                self.assertTrue(station.with_user(self.lead).is_locked)
        self.assert_refused(
            self.arts_desk.name, (self.mech_desk | self.arts_desk).with_user(self.lead).write, {"place": "Here"}
        )
        self.assert_refused("Mechanics", self.mech_desk.with_user(self.arts_lead).write, {"place": "Here"})
        self.assertFalse(self.mech_desk.with_user(self.lead).is_locked)

    @mute_logger("odoo.models")
    def test_make_and_unmake(self):
        Station = self.env["clearance.station"].with_user(self.lead)
        values = {"name": "New", "college_ids": [Command.link(self.mech.id)]}
        for act in (
            lambda: Station.create(values),
            lambda: self.mech_desk.with_user(self.lead).copy(),
            lambda: self.mech_desk.with_user(self.lead).unlink(),
            lambda: Station.name_create("New"),
        ):
            with self.assertRaises(AccessError):
                act()
        self.assert_refused("Active", self.mech_desk.with_user(self.lead).action_archive)

    @mute_logger("odoo.models")
    def test_import(self):
        stations = self.mech_desk | self.arts_desk
        rows = stations.export_data(["id"])["datas"]
        Station = self.env["clearance.station"].with_user(self.lead)
        result = Station.load(["id", "place"], [[rows[1][0], "Stolen"]])
        self.assertFalse(result["ids"])
        self.assertIn("Arts", result["messages"][0]["message"])
        result = Station.load(["id", "name"], [[rows[0][0], "Renamed"]])
        self.assertIn("Name", result["messages"][0]["message"])
        result = Station.load(["name"], [["New desk"]])
        self.assertFalse(result["ids"])
        result = Station.load(["id", "place"], [[rows[0][0], "Room 9"]])
        self.assertFalse(result["messages"])
        self.assertEqual(self.mech_desk.place, "Room 9")
        self.assertFalse(self.arts_desk.place)

    def test_by_way_of_other_models(self):
        step = self.add_step()
        hidden = [Command.update(self.arts_desk.id, {"place": "Stolen"})]
        self.assert_refused("Arts", step.write, {"prerequisite_station_ids": hidden})
        self.assert_refused("Degree", step.write, {"prerequisite_ids": [Command.update(self.degree.id, {"name": "X"})]})
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            self.mech.with_user(self.lead).write({"lead_ids": [Command.link(self.newcomer.id)]})

    def test_who_can_be_named(self):
        other_campus = self.env["res.company"].create({"name": "Other Campus"})
        stranger = new_test_user(
            self.env, "t_elsewhere", groups="base.group_user", company_id=other_campus.id, company_ids=other_campus.ids
        )
        desk = self.mech_desk.with_user(self.lead)
        for value in ([Command.link(self.graduate.id)], [Command.set(self.graduate.ids)], [self.graduate.id]):
            self.assert_refused(self.graduate.name, desk.write, {"operator_ids": value})
        self.assert_refused("Test Campus", desk.write, {"operator_ids": [Command.link(stranger.id)]})
        self.assert_refused(
            self.graduate.name,
            self.env["clearance.station"].with_user(self.manager).create,
            {"name": "Desk", "operator_ids": [Command.link(self.graduate.id)]},
        )
        self.assertEqual(self.mech_desk.operator_ids, self.mech_clerk)
        self.assertTrue(self.graduate.share)
        # Somebody who has left since does not keep others from being named.
        self.mech_clerk.write({"company_ids": [Command.set(other_campus.ids)], "company_id": other_campus.id})
        desk.operator_ids = [Command.link(self.newcomer.id)]
        self.assertIn(self.newcomer, self.mech_desk.operator_ids)

    @mute_logger("odoo.models")
    def test_other_roles(self):
        for user in (self.mech_clerk, self.counsellor, self.auditor, self.stranger, self.graduate):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.mech_desk.with_user(user).write({"place": "Here"})
        self.mech_desk.with_user(self.manager).write({"name": "Renamed", "place": "Here"})
        self.assertEqual(self.mech_desk.name, "Renamed")

    def test_search_own_desks(self):
        Station = self.env["clearance.station"].with_user(self.lead)
        self.assertEqual(Station.search([("is_delegated", "=", True)]), self.mech_desk)
        self.assertNotIn(self.mech_desk, Station.search([("is_delegated", "=", False)]))
        self.arts.lead_ids = [Command.link(self.lead.id)]
        self.assertEqual(
            Station.search([("is_delegated", "=", True)]), self.mech_desk | self.arts_desk | self.shared_desk
        )


class TestStepsOfColleges(DelegationCommon):
    """Steps that a lead adds: for the own graduates, at the own desks, in sessions that allow it."""

    def test_add_change_retire(self):
        step = self.add_step(
            prerequisite_ids=[Command.link(self.books.id)],
            requirement_ids=[
                Command.create({"name": "Which keys?", "kind": "char"}),
                Command.create(
                    {"name": "Where?", "kind": "selection", "choice_ids": [Command.create({"name": "Lab 1"})]}
                ),
            ],
        )
        self.assertEqual(step.college_id, self.mech, "the only college of the lead")
        self.assertEqual(len(step.sudo().answer_definition), 2)
        self.assertFalse(step.is_locked)
        step.write({"name": "Return all keys", "requirement_ids": [Command.delete(step.requirement_ids[0].id)]})
        self.assertEqual(step.requirement_ids.name, "Where?")
        step.action_archive()
        self.assertFalse(step.active)
        step.unlink()
        self.assertFalse(step.exists())

    def test_default_get(self):
        values = self.env["clearance.step"].with_user(self.lead).default_get(["college_id", "session_id", "name"])
        self.assertEqual(values["college_id"], self.mech.id)
        self.assertEqual(values["session_id"], self.clearance.id)
        values = self.env["clearance.step"].with_user(self.manager).default_get(["college_id", "session_id"])
        self.assertNotIn("college_id", values)
        self.arts.lead_ids = [Command.link(self.lead.id)]
        self.assert_refused("which of your colleges", self.add_step)

    def test_what_does_not_fit(self):
        self.assert_refused("Library", self.add_step, station_id=self.library.id)
        self.assert_refused("Both Colleges", self.add_step, station_id=self.shared_desk.id)
        self.assert_refused("Arts", self.add_step, station_id=self.arts_desk.id)
        self.assert_refused("College of Arts", self.add_step, college_id=self.arts.id, station_id=self.arts_desk.id)
        self.assert_refused("Opens the form", self.add_step, is_entry=True)
        Step = self.env["clearance.step"].with_user(self.lead).with_context(default_is_entry=True)
        self.assert_refused("Opens the form", Step.create, self.step_values())
        self.assert_refused("Code", self.add_step, code="keys")
        feed = self.env["clearance.feed"].create({"name": "Library system"})
        self.assert_refused("Source system", self.add_step, mode="feed", feed_id=feed.id)
        self.assert_refused("Last change", self.add_step().write, {"changed_at": "2020-01-01 00:00:00"})

    def test_sessions(self):
        self.clearance.college_steps = False
        self.assert_refused(self.clearance.name, self.add_step)
        self.clearance.college_steps = True
        step = self.add_step()
        self.clearance.college_steps = False
        self.assert_refused("no longer allows", step.write, {"name": "Changed"})
        self.assert_refused("no longer allows", step.unlink)
        self.clearance.college_steps = True
        other = self.clearance.copy()
        self.assert_refused("Session", step.write, {"session_id": other.id})
        self.open_session()
        self.clearance.action_close()
        self.assert_refused("closed", self.add_step)
        self.assert_refused("closed", step.write, {"name": "Changed"})
        self.assert_refused("closed", step.update_field_translations, "name", {"en_US": "Changed"})
        self.assertTrue(step.is_locked)

    def test_drafts_that_allow_it_are_seen(self):
        Session = self.env["clearance.session"]
        found = [("id", "=", self.clearance.id)]
        self.assertTrue(Session.with_user(self.lead).search(found))
        self.assertFalse(Session.with_user(self.mech_clerk).search(found))
        self.clearance.college_steps = False
        self.assertFalse(Session.with_user(self.lead).search(found))

    def test_steps_of_others(self):
        step = self.add_step()
        self.assert_refused("step of the campus", self.degree.with_user(self.lead).write, {"name": "X"})
        self.assert_refused("step of the campus", self.degree.with_user(self.lead).unlink)
        self.assert_refused(
            "step of the campus",
            self.degree.with_user(self.lead).write,
            {"prerequisite_ids": [Command.link(step.id)]},
        )
        self.assert_refused("College of Mechanics", step.with_user(self.arts_lead).write, {"name": "X"})
        self.assertTrue(step.with_user(self.arts_lead).is_locked)
        self.assert_refused("Added by", step.write, {"college_id": False})
        self.assert_refused("Added by", step.write, {"college_id": self.arts.id})
        self.assert_refused("Library", step.write, {"station_id": self.library.id})
        self.assert_refused("Opens the form", step.write, {"is_entry": True})
        self.assert_refused("create", self.degree.with_user(self.lead).copy)
        twin = step.copy()
        self.assertEqual(twin.college_id, self.mech)
        question = self.env["clearance.requirement"].create({"name": "Why?", "step_id": self.degree.id})
        for act in (
            lambda: question.with_user(self.lead).write({"name": "X"}),
            lambda: question.with_user(self.lead).write({"step_id": step.id}),
            lambda: step.write({"requirement_ids": [Command.link(question.id)]}),
            lambda: step.requirement_ids.create({"name": "X", "step_id": self.degree.id}),
            lambda: step.with_user(self.arts_lead).requirement_ids.create({"name": "X", "step_id": step.id}),
        ):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                act()
        self.assertEqual(question.step_id, self.degree)
        # What does not change is no change: imports name every column.
        step.write({"name": "Y", "session_id": self.clearance.id, "college_id": self.mech.id, "is_entry": False})
        self.assertEqual(step.name, "Y")

    def test_applications_of_others(self):
        """Going on with a step shows what was sent there: only with the college's own."""
        self.assert_refused("Degree certificate", self.add_step, continues_id=self.degree.id)
        first = self.add_step()
        second = self.add_step(name="Check keys", continues_id=first.id, prerequisite_ids=[Command.link(first.id)])
        self.assertEqual(second.continues_id, first)

    def test_filter_on_what_is_hidden(self):
        """The numbers of the effect would tell what a lead must not see."""
        self.add_step(student_domain="[('name', 'ilike', 'Test')]")
        hidden = {
            name
            for name, field in self.env["clearance.student"]._fields.items()
            if field.groups == "graduate_clearance.group_id_number"
        }
        for fname in hidden:
            self.assert_refused("cannot see", self.add_step, student_domain=f"[('{fname}', '=like', '9900%')]")
        self.assertIn("id_number", hidden)

    @mute_logger("odoo.models")
    def test_other_roles(self):
        step = self.add_step()
        for user in (self.mech_clerk, self.counsellor, self.auditor, self.stranger, self.graduate):
            with self.subTest(user.login):
                for act in (
                    lambda user=user: step.with_user(user).write({"name": "X"}),
                    lambda user=user: step.with_user(user).unlink(),
                    lambda user=user: step.with_user(user).create(self.step_values(college_id=self.mech.id)),
                    lambda user=user: step.with_user(user).action_put_in_force(),
                ):
                    with self.assertRaises(AccessError):
                        act()
        step.with_user(self.manager).write({"name": "By the manager", "is_entry": True})
        self.assertTrue(step.is_entry)

    def test_only_own_graduates(self):
        """Whatever the filter says; graduates of others do not even have a line."""
        everybody = self.add_step()
        artists = self.add_step(name="Artists", student_domain=f"[('college_id', '=', {self.arts.id})]")
        self.open_session()
        found = self.env["clearance.status"].search([("step_id", "=", everybody.id)])
        self.assertEqual(found.form_id.student_id, self.students[:3])
        self.assertEqual(set(found.mapped("state")), {"pending"})
        found = self.env["clearance.status"].search([("step_id", "=", artists.id)])
        self.assertEqual(set(found.mapped("state")), {"not_required"})
        self.assertEqual(found.form_id.student_id, self.students[:3])
        lines = {line["step_id"]: line for line in self.clearance._preview()["steps"]}
        self.assertEqual(lines[everybody.id]["applies"], 3)
        self.assertEqual(lines[everybody.id]["not_required"], 0)
        self.assertEqual(lines[everybody.id]["added"], 0, "opening again would add nothing")
        # Who comes from another college has the step, who leaves has it no longer.
        self.students[3].class_id = self.class_m2
        self.students[0].class_id = self.class_a1
        self.clearance._open()
        self.assertEqual(self.status(self.students[3], everybody).state, "pending")
        self.assertEqual(self.status(self.students[0], everybody).state, "not_required")
        self.assertFalse(self.status(self.students[4], everybody))

    def test_put_in_force(self):
        """A new step of an open session: its effect first, then these statuses and no others."""
        forms = self.open_session()
        before = self.env["clearance.status"].search_count([("session_id", "=", self.clearance.id)])
        with freeze_time(fields.Datetime.now() + timedelta(minutes=1)):
            step = self.add_step()
            self.loan.student_domain = "[]"  # a manager's change that waits to be applied
        self.clearance.student_domain = "[('student_number', '=', 'T26000')]"  # and another
        self.assertTrue(step.is_waiting)
        self.assertFalse(self.env["clearance.status"].search([("step_id", "=", step.id)]))
        action = step.action_put_in_force()
        wizard = self.env[action["res_model"]].with_user(self.lead).browse(action["res_id"])
        self.assertEqual(wizard.applies_after, 1)
        self.clearance.student_domain = "[('student_number', '=like', 'T26%')]"
        action = step.action_put_in_force()
        wizard = self.env[action["res_model"]].with_user(self.lead).browse(action["res_id"])
        self.assertEqual(wizard.applies_after, 3)
        self.assertEqual(wizard.added, 3)
        self.assertFalse(self.env["clearance.status"].search([("step_id", "=", step.id)]), "nothing before it is said")
        wizard.action_apply()
        self.assertEqual(
            self.env["clearance.status"].search([("step_id", "=", step.id)]).form_id.student_id, self.students[:3]
        )
        self.assertFalse(step.is_waiting)
        self.assertEqual(
            self.env["clearance.status"].search_count([("session_id", "=", self.clearance.id)]), before + 3
        )
        self.assertEqual(self.status(self.students[1], self.loan).state, "not_required", "left to the manager")
        self.assertTrue(self.clearance.has_changes)
        self.assertEqual(set(forms.mapped("state")), {"open"})
        note = self.clearance.message_ids[0]
        self.assertIn(step.name, note.body)
        self.assertEqual(note.author_id, self.lead.partner_id)
        self.assertEqual(
            self.decide(self.statuses(step, self.mech_clerk), "approve"), ["done"] * 3, "its desk confirms it"
        )

    def test_put_in_force_is_not_for_others(self):
        self.assert_refused("takes effect when it is opened", self.add_step().action_put_in_force)
        self.open_session()
        for step, user in ((self.card, self.lead), (self.add_step(name="More"), self.arts_lead)):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                step.with_user(user).action_put_in_force()
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.env["clearance.step.change"].with_user(user).create(
                    {
                        "step_id": step.id,
                        "station_id": step.station_id.id,
                        "mode": "station",
                        "initial_state": "pending",
                    }
                )

    @mute_logger("odoo.models")
    def test_import(self):
        Step = self.env["clearance.step"].with_user(self.lead)
        header = ["name", "session_id/.id", "station_id/.id"]
        result = Step.load(header, [["Return keys", str(self.clearance.id), str(self.mech_desk.id)]])
        self.assertFalse(result["messages"])
        self.assertEqual(Step.browse(result["ids"]).college_id, self.mech)
        result = Step.load(header, [["Return keys", str(self.clearance.id), str(self.library.id)]])
        self.assertIn("Library", result["messages"][0]["message"])
        result = Step.load([".id", "name"], [[str(self.degree.id), "Stolen"]])
        self.assertIn("step of the campus", result["messages"][0]["message"])

    def test_opened_sessions_keep_their_steps(self):
        step = self.add_step()
        self.open_session()
        self.assert_refused("retire it", step.unlink)

    def test_managers_keep_the_rule_too(self):
        step = self.add_step()
        self.assert_refused("Library", step.with_user(self.manager).write, {"station_id": self.library.id})
        step.with_user(self.manager).write({"station_id": self.library.id, "college_id": False})
        self.assertFalse(step.college_id)


class TestUnstaffed(DelegationCommon):
    """Stations on which work falls and nobody is there to do it."""

    def get_unstaffed(self, user=None):
        Station = self.env["clearance.station"].with_user(user or self.manager)
        return Station.search([("is_unstaffed", "=", True), ("company_id", "=", self.campus.id)]).sudo()

    def test_nobody(self):
        self.assertEqual(self.get_unstaffed(), self.shared_desk, "counselling is done by counsellors")
        self.shared_desk.active = False
        self.assertFalse(self.get_unstaffed())
        self.affairs_office.operator_ids = [Command.clear()]
        self.mech_desk.operator_ids = [Command.clear()]
        self.assertEqual(self.get_unstaffed(), self.affairs_office | self.mech_desk)
        self.assertTrue(self.mech_desk.is_unstaffed)
        self.assertFalse(self.certificates.is_unstaffed, "one of its desks has somebody")
        self.library.operator_ids = [Command.clear()]
        self.assertTrue(self.library.is_unstaffed, "the deposit is refunded by people")
        self.deposit.active = False
        self.assertNotIn(self.library, self.get_unstaffed(), "the source system does the rest")
        self.arts_clerk.active = False
        self.assertIn(self.arts_desk, self.get_unstaffed(), "who has left does nothing")
        self.assertIn(self.certificates, self.get_unstaffed(), "none of its desks has anybody")
        everything = self.env["clearance.station"].search([("company_id", "=", self.campus.id)])
        rest = self.env["clearance.station"].search([("is_unstaffed", "!=", True), ("company_id", "=", self.campus.id)])
        self.assertEqual(rest, everything - self.get_unstaffed())

    def test_takes_somebody_itself(self):
        """Graduates whom no desk below takes stay with the station above."""
        third = self.env["clearance.college"].create({"name": "Third"})
        class_ = self.env["clearance.class"].create({"name": "T1", "college_id": third.id})
        self.students[5].class_id = class_
        self.shared_desk.active = False
        self.assertNotIn(self.certificates, self.get_unstaffed())
        self.open_session()
        self.assertEqual(self.status(self.students[5], self.degree).station_id, self.certificates)
        self.assertEqual(self.get_unstaffed(), self.certificates)

    def test_closed_sessions_ask_for_nobody(self):
        self.open_session()
        self.affairs_office.operator_ids = [Command.clear()]
        self.assertIn(self.affairs_office, self.get_unstaffed())
        self.clearance.action_close()
        self.assertFalse(self.get_unstaffed())

    def test_inactive_station_between(self):
        below = self.env["clearance.station"].create({"name": "Window 1", "parent_id": self.mech_desk.id})
        self.assertIn(below, self.get_unstaffed())
        self.mech_desk.active = False
        self.assertNotIn(below, self.get_unstaffed(), "nobody is routed there")

    def test_own_desks(self):
        self.mech_desk.operator_ids = [Command.clear()]
        self.arts_desk.operator_ids = [Command.clear()]
        Station = self.env["clearance.station"].with_user(self.lead)
        found = Station.search([("is_unstaffed", "=", True), ("is_delegated", "=", True)])
        self.assertEqual(found, self.mech_desk)

    def test_queries(self):
        def measure(stations):
            stations.flush_recordset()
            self.env.invalidate_all()
            with self.assertQueryCount(4):
                stations.mapped("is_unstaffed")

        some = self.env["clearance.station"].create([{"name": f"Desk {number}"} for number in range(5)])
        self.env["clearance.step"].create(
            [self.step_values(name=f"Step {number}", station_id=station.id) for number, station in enumerate(some)]
        )
        measure(some[:1])
        measure(some)


class TestSubstitutes(DelegationCommon):
    """Who stands in: operator from the first day to the last, as the clock of the campus says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.tz = "Asia/Shanghai"

    def stand_in(self, start, end, user=None, station=None, by=None):
        return (
            self.env["clearance.substitute"]
            .with_user(by or self.manager)
            .create(
                {
                    "station_id": (station or self.library).id,
                    "user_id": (user or self.newcomer).id,
                    "date_from": start,
                    "date_until": end,
                }
            )
        )

    def run_cron(self, now):
        with freeze_time(now), self.enter_registry_test_mode():
            self.env.ref("graduate_clearance.ir_cron_substitutes").method_direct_trigger()
        self.env.invalidate_all()

    @freeze_time("2026-06-10 04:00:00")
    def test_from_first_day_to_last(self):
        substitution = self.stand_in("2026-06-15", "2026-06-30")
        self.assertEqual(substitution.state, "planned")
        self.assertNotIn(self.newcomer, self.library.operator_ids)
        cron = self.env.ref("graduate_clearance.ir_cron_substitutes")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertEqual(
            set(triggers.mapped("call_at")),
            {fields.Datetime.to_datetime("2026-06-14 16:00:00"), fields.Datetime.to_datetime("2026-06-30 16:00:00")},
            "midnights in Shanghai",
        )
        self.run_cron("2026-06-14 15:59:00")
        self.assertEqual(substitution.state, "planned")
        for _time in range(2):
            self.run_cron("2026-06-14 16:00:00")
            self.assertEqual(substitution.state, "running")
            self.assertEqual(self.library.operator_ids, self.librarian | self.newcomer)
        self.assertIn(self.env.ref("graduate_clearance.group_operator"), self.newcomer.all_group_ids)
        self.run_cron("2026-06-30 15:59:00")
        self.assertEqual(substitution.state, "running")
        for _time in range(2):
            self.run_cron("2026-06-30 16:00:00")
            self.assertEqual(substitution.state, "ended")
            self.assertEqual(self.library.operator_ids, self.librarian)

    @freeze_time("2026-06-10 04:00:00")
    def test_at_once(self):
        substitution = self.stand_in("2026-06-01", "2026-06-12")
        self.assertEqual(substitution.state, "running")
        self.assertIn(self.newcomer, self.library.operator_ids)
        substitution.action_end()
        self.assertEqual(substitution.state, "ended")
        self.assertNotIn(self.newcomer, self.library.operator_ids)
        self.run_cron("2026-06-11 04:00:00")
        self.assertNotIn(self.newcomer, self.library.operator_ids, "ended early stays ended")
        substitution.date_until = "2026-06-20"
        self.assertEqual(substitution.state, "running", "taken up again")
        substitution.unlink()
        self.assertNotIn(self.newcomer, self.library.operator_ids)

    @freeze_time("2026-06-10 04:00:00")
    def test_extend_and_shorten(self):
        substitution = self.stand_in("2026-06-10", "2026-06-12")
        substitution.date_until = "2026-06-20"
        self.run_cron("2026-06-15 04:00:00")
        self.assertEqual(substitution.state, "running")
        self.assertIn(self.newcomer, self.library.operator_ids)
        with freeze_time("2026-06-15 04:00:00"):
            substitution.date_until = "2026-06-14"
        self.assertEqual(substitution.state, "ended")
        self.assertNotIn(self.newcomer, self.library.operator_ids)
        later = self.stand_in("2026-06-10", "2026-06-12")
        later.write({"date_from": "2026-06-18", "date_until": "2026-06-19"})
        self.assertEqual(later.state, "planned")
        self.assertNotIn(self.newcomer, self.library.operator_ids)

    @freeze_time("2026-06-10 04:00:00")
    def test_overlapping(self):
        first = self.stand_in("2026-06-10", "2026-06-12")
        second = self.stand_in("2026-06-11", "2026-06-20")
        self.run_cron("2026-06-11 04:00:00")
        self.assertEqual((first | second).mapped("state"), ["running", "running"])
        self.run_cron("2026-06-13 04:00:00")
        self.assertEqual(first.state, "ended")
        self.assertIn(self.newcomer, self.library.operator_ids, "the second goes on")
        self.run_cron("2026-06-21 04:00:00")
        self.assertNotIn(self.newcomer, self.library.operator_ids)

    @freeze_time("2026-06-10 04:00:00")
    def test_operator_before(self):
        """Named by name before the first day: stays after the last."""
        substitution = self.stand_in("2026-06-15", "2026-06-20")
        self.library.operator_ids = [Command.link(self.newcomer.id)]
        self.run_cron("2026-06-16 04:00:00")
        self.assertEqual(substitution.state, "running")
        self.assertFalse(substitution.is_granted)
        self.run_cron("2026-06-21 04:00:00")
        self.assertEqual(substitution.state, "ended")
        self.assertIn(self.newcomer, self.library.operator_ids)

    @freeze_time("2026-06-10 04:00:00")
    def test_let_stay(self):
        substitution = self.stand_in("2026-06-10", "2026-06-12")
        substitution.action_keep()
        self.assertEqual(substitution.state, "ended")
        self.run_cron("2026-06-15 04:00:00")
        self.assertIn(self.newcomer, self.library.operator_ids)
        self.assert_refused("does not stand in", substitution.action_keep)

    @freeze_time("2026-06-10 04:00:00")
    def test_taken_out_by_hand(self):
        """Taken out and named again by name: no operator of the past is taken out at the end."""
        substitution = self.stand_in("2026-06-10", "2026-06-12")
        self.library.operator_ids = [Command.unlink(self.newcomer.id)]
        self.assertEqual(substitution.state, "ended")
        self.library.operator_ids = [Command.link(self.newcomer.id)]
        self.run_cron("2026-06-15 04:00:00")
        self.assertIn(self.newcomer, self.library.operator_ids)

    @freeze_time("2026-06-10 04:00:00")
    def test_archived(self):
        planned = self.stand_in("2026-06-12", "2026-06-20")
        running = self.stand_in("2026-06-10", "2026-06-20", station=self.finance)
        self.newcomer.active = False
        self.run_cron("2026-06-12 04:00:00")
        self.assertEqual(planned.state, "planned", "waits for the person to be back")
        self.run_cron("2026-06-21 04:00:00")
        self.assertEqual((planned | running).mapped("state"), ["ended", "ended"])
        self.newcomer.active = True
        self.assertEqual(self.finance.operator_ids, self.cashier)
        self.newcomer.active = False
        self.assert_refused("archived", self.stand_in, "2026-06-12", "2026-06-20")

    @freeze_time("2026-06-10 04:00:00")
    def test_bad_input(self):
        self.assert_refused("comes before the first", self.stand_in, "2026-06-12", "2026-06-11")
        self.assert_refused("06/09/2026, is over", self.stand_in, "2026-06-01", "2026-06-09")
        self.assert_refused("operator of “Library” already", self.stand_in, "2026-06-12", "2026-06-13", self.librarian)
        self.assert_refused("no member of staff", self.stand_in, "2026-06-12", "2026-06-13", self.graduate)
        substitution = self.stand_in("2026-06-12", "2026-06-13")
        self.assert_refused("kept by the system", substitution.write, {"is_granted": True})
        self.assert_refused("kept by the system", substitution.write, {"started_at": "2026-06-01"})

    @freeze_time("2026-06-10 04:00:00")
    def test_leads(self):
        substitution = self.stand_in("2026-06-10", "2026-06-12", station=self.mech_desk, by=self.lead)
        self.assertIn(self.newcomer, self.mech_desk.operator_ids)
        substitution.date_until = "2026-06-14"
        substitution.action_end()
        self.assertNotIn(self.newcomer, self.mech_desk.operator_ids)
        self.mech_desk.with_user(self.lead).write(
            {"substitute_ids": [Command.create({"user_id": self.newcomer.id, "date_until": "2026-06-13"})]}
        )
        self.assertIn(self.newcomer, self.mech_desk.operator_ids)
        for station in (self.library, self.arts_desk, self.shared_desk):
            self.assert_refused(station.name, self.stand_in, "2026-06-10", "2026-06-12", station=station, by=self.lead)
            self.assertNotIn(self.newcomer, station.operator_ids)
        others = self.stand_in("2026-06-10", "2026-06-12")
        self.assertTrue(others.with_user(self.lead).is_locked)
        self.assert_refused("Library", others.with_user(self.lead).write, {"date_until": "2026-07-01"})
        self.assert_refused("Library", others.with_user(self.lead).write, {"station_id": self.mech_desk.id})
        self.assert_refused("Library", others.with_user(self.lead).action_end)
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            others.with_user(self.lead).unlink()
        self.assert_refused("Library", substitution.with_user(self.lead).write, {"station_id": self.library.id})
        self.assert_refused(
            "Library",
            self.mech_desk.with_user(self.lead).write,
            {"substitute_ids": [Command.link(others.id)]},
        )

    @freeze_time("2026-06-10 04:00:00")
    @mute_logger("odoo.models")
    def test_other_roles(self):
        substitution = self.stand_in("2026-06-10", "2026-06-12", station=self.mech_desk)
        for user in (self.arts_lead, self.mech_clerk, self.counsellor, self.auditor, self.graduate):
            with self.subTest(user.login):
                for act in (
                    lambda user=user: self.stand_in("2026-06-10", "2026-06-12", station=self.mech_desk, by=user),
                    substitution.with_user(user).action_end,
                    substitution.with_user(user).action_keep,
                    substitution.with_user(user).unlink,
                    lambda user=user: substitution.with_user(user).write({"date_until": "2026-06-30"}),
                ):
                    with self.assertRaises(AccessError):
                        act()
        self.assertEqual(substitution.with_user(self.auditor).state, "running", "read by staff")


@tagged("post_install", "-at_install")
class TestDelegationTour(DelegationCommon, HttpCase):
    def call(self, model, method, *args):
        """What the server answers the browser of who is logged in."""
        params = {"model": model, "method": method, "args": args, "kwargs": {}}
        return self.make_jsonrpc_request(f"/web/dataset/call_kw/{model}/{method}", params)

    @mute_logger("odoo.http")
    def test_by_rpc(self):
        """By address, as a browser does: nothing that the screens do not offer."""
        step = self.add_step()
        self.authenticate(self.lead.login, self.lead.login)
        hidden = [Command.update(self.newcomer.id, {"name": "X"})]
        for model, record, values in (
            ("clearance.station", self.library, {"operator_ids": [Command.link(self.lead.id)]}),
            ("clearance.station", self.mech_desk, {"name": "X"}),
            ("clearance.station", self.mech_desk, {"operator_ids": hidden}),
            ("clearance.station", self.mech_desk, {"operator_ids": [Command.link(self.graduate.id)]}),
            ("clearance.step", self.degree, {"name": "X"}),
            ("clearance.step", step, {"is_entry": True}),
            ("clearance.step", step, {"prerequisite_ids": [Command.update(self.degree.id, {"name": "X"})]}),
            ("clearance.session", self.clearance, {"college_steps": True}),
            ("clearance.session", self.clearance, {"step_ids": [Command.update(step.id, {"name": "X"})]}),
            ("clearance.college", self.mech, {"lead_ids": [Command.link(self.newcomer.id)]}),
        ):
            with self.subTest(model=model, values=values), self.assertRaises(JsonRpcException):
                self.call(model, "write", record.ids, values)
        self.assertTrue(self.call("clearance.station", "write", self.mech_desk.ids, {"place": "Room 1"}))
        self.env.invalidate_all()
        self.assertEqual(self.newcomer.name, "t_newcomer (base.group_user)")
        self.assertEqual(self.mech_desk.place, "Room 1")

    def test_lead(self):
        """A lead's day: an operator, hours, a step of the college put in force, a substitute."""
        self.mech_desk.operator_ids = [Command.clear()]
        self.open_session()
        self.start_tour("/odoo/clearance-college-desks", "clearance_delegation", login=self.lead.login)
        self.assertIn(self.newcomer, self.mech_desk.operator_ids)
        self.assertEqual(self.mech_desk.opening_hours, "9:00–11:30")
        step = self.env["clearance.step"].search([("name", "=", "Return lab keys")])
        self.assertEqual(step.college_id, self.mech)
        self.assertEqual(step.station_id, self.mech_desk)
        found = self.env["clearance.status"].search([("step_id", "=", step.id)])
        self.assertEqual(found.form_id.student_id, self.students[:3])
        substitution = self.env["clearance.substitute"].search([("station_id", "=", self.mech_desk.id)])
        self.assertEqual(substitution.user_id, self.librarian)
        self.assertEqual(substitution.state, "running")
