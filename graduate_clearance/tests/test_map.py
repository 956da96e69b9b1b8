"""The process map: what it tells, who may change it, and what is refused."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestMap(ClearanceCommon, HttpCase):
    def _map(self, user=None):
        session = self.clearance.with_user(user or self.manager)
        session.env.invalidate_all()
        return session.get_process_map()

    def _edges(self, user=None):
        names = {step.id: step.name for step in self.clearance.with_context(active_test=False).step_ids}
        return {
            (names[edge["from"]], names[edge["to"]]): [source["kind"] for source in edge["sources"]]
            for edge in self._map(user)["edges"]
        }

    def _set(self, step, prerequisite, wanted=True, user=None):
        return self.clearance.with_user(user or self.manager).set_prerequisite(step.id, prerequisite.id, wanted)

    # -- reading ---------------------------------------------------------------

    def test_edges_say_where_they_come_from(self):
        self.assertEqual(
            self._edges(),
            {
                ("Return books", "Degree certificate"): ["step"],
                ("Pay arrears", "Degree certificate"): ["step"],
                ("Return student card", "Degree certificate"): ["station"],
                ("Confirm loan", "Degree certificate"): ["station"],
                ("Degree certificate", "Graduation certificate"): ["step"],
            },
        )
        self.degree.prerequisite_ids += self.card
        survey = self._create_step("Survey", self.counselling, mode="graduate", is_entry=True)
        edges = self._edges()
        self.assertEqual(edges["Return student card", "Degree certificate"], ["step", "station"])
        self.assertEqual(edges["Survey", "Return books"], ["entry"])
        self.assertNotIn(("Return books", "Survey"), edges)
        survey.active = False
        self.assertNotIn(("Survey", "Return books"), self._edges(), "retired: nothing waits for it")

    def test_station_below_counts_as_the_station(self):
        desk = self.env["clearance.station"].create({"name": "Cards", "parent_id": self.affairs_office.id})
        badge = self._create_step("Return badge", desk)
        edge = next(edge for edge in self._map()["edges"] if edge["from"] == badge.id)
        self.assertEqual(
            edge["sources"],
            [{"kind": "station", "station_id": self.affairs_office.id, "station": "Student Affairs"}],
        )
        stations = {station["name"]: station["step_ids"] for station in self._map()["stations"]}
        self.assertEqual(stations["Student Affairs"], (self.card | self.loan | badge).ids)
        self.assertEqual(stations["Student Affairs / Cards"], badge.ids)

    def test_steps(self):
        self.deposit.active = False
        result = self._map()
        self.assertEqual(result["session"], {"id": self.clearance.id, "name": "2026 undergraduates", "state": "draft"})
        steps = {step["id"]: step for step in result["steps"]}
        self.assertEqual(len(steps), 8, "retired ones too")
        self.assertFalse(steps[self.deposit.id]["active"])
        books = steps[self.books.id]
        self.assertEqual(
            (books["name"], books["station"], books["decides"]), ("Return books", "Library", "Source system")
        )
        self.assertEqual((books["due"], books["open"]), (None, None), "a draft has no figures yet")
        self.assertEqual(steps[self.degree.id]["prerequisite_station_ids"], self.affairs_office.ids)
        self.assertEqual(result["cycle"], [])

    def test_figures_as_far_as_the_user_sees_them(self):
        self.open_session()
        self.settle_steps(self.books, students=self.students[:2])

        def figures(user, step):
            found = next(found for found in self._map(user)["steps"] if found["id"] == step.id)
            return found["due"], found["open"]

        self.assertEqual(figures(self.manager, self.books), (6, 4))
        self.assertEqual(figures(self.auditor, self.loan), (1, 1))
        self.assertEqual(figures(self.librarian, self.books), (6, 4))
        self.assertEqual(figures(self.mech_clerk, self.degree), (3, 3))
        self.assertEqual(figures(self.librarian, self.card), (None, None), "not told that nobody has it")

    def test_queries_do_not_grow(self):
        self.open_session()
        session = self.clearance.with_user(self.manager)
        session.get_process_map()
        with self.assertQueryCount(10):
            self._map()
        for number in range(25):
            self._create_step(
                f"More {number}",
                self.library if number % 2 else self.finance,
                prerequisite_ids=[Command.link(self.card.id)],
                prerequisite_station_ids=[Command.link(self.counselling.id)],
            )
        self.env.flush_all()
        with self.assertQueryCount(10):
            self._map()

    def test_who_reads_and_who_edits(self):
        self.open_session()
        editors = {}
        for user in (
            self.manager,
            self.auditor,
            self.deferral,
            self.librarian,
            self.counsellor,
            self.supervisor,
            self.lead,
        ):
            found = self._map(user)
            editors[user] = (found["can_edit"], {step["editable"] for step in found["steps"]})
        self.assertEqual(editors.pop(self.manager), (True, {True}))
        self.assertEqual(set(map(str, editors.values())), {"(False, {False})"})
        for user in (self.stranger, self.graduate):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self._map(user)

    def test_drafts_are_for_those_who_may_read_them(self):
        self.assertFalse(self._map(self.auditor)["can_edit"])
        for user in (self.librarian, self.lead, self.graduate):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self._map(user)

    def test_leads_edit_their_own_steps(self):
        self.clearance.college_steps = True
        keys = self._create_step("Lab keys", self.mech_desk, college_id=self.mech.id)
        found = self._map(self.lead)
        self.assertTrue(found["can_edit"])
        self.assertEqual([step["id"] for step in found["steps"] if step["editable"]], keys.ids)
        self.assertEqual(self._set(keys, self.card, user=self.lead)["code"], "done")
        self.assertEqual(keys.prerequisite_ids, self.card)
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            self._set(self.card, keys, user=self.lead)

    # -- changing --------------------------------------------------------------

    def test_add_and_remove(self):
        answer = self._set(self.card, self.talk)
        self.assertEqual(answer["code"], "done")
        self.assertEqual(self.card.prerequisite_ids, self.talk)
        self.assertIn({"from": self.talk.id, "to": self.card.id, "sources": [{"kind": "step"}]}, answer["map"]["edges"])
        self.assertEqual(self._set(self.card, self.talk)["code"], "already")
        self.assertEqual(self._set(self.card, self.talk, False)["code"], "done")
        self.assertFalse(self.card.prerequisite_ids)
        self.assertEqual(self._set(self.card, self.talk, False)["code"], "already")

    def test_whole_station(self):
        session = self.clearance.with_user(self.manager)
        answer = session.set_prerequisite_station(self.diploma.id, self.counselling.id, True)
        self.assertEqual(answer["code"], "done")
        self.assertEqual(self.diploma.blocking_step_ids, self.degree | self.talk)
        answer = session.set_prerequisite_station(self.diploma.id, self.counselling.id, False)
        self.assertEqual(answer["code"], "done")
        self.assertEqual(self.diploma.blocking_step_ids, self.degree)
        with self.assertRaisesRegex(UserError, "No other step .* “Counselling”"):
            session.set_prerequisite_station(self.talk.id, self.counselling.id, True)
        elsewhere = self.env["clearance.station"].create(
            {"name": "Elsewhere", "company_id": self.env["res.company"].create({"name": "Other"}).id}
        )
        with self.assertRaisesRegex(UserError, "no such station"):
            session.set_prerequisite_station(self.diploma.id, elsewhere.id, True)

    def test_cycle_is_refused_with_its_path(self):
        answer = self._set(self.books, self.diploma)
        self.assertEqual(answer["code"], "cycle")
        self.assertEqual(answer["cycle"], (self.books | self.diploma | self.degree).ids)
        self.assertIn("Return books → Graduation certificate → Degree certificate → Return books", answer["message"])
        self.assertFalse(self.books.prerequisite_ids)

    def test_cycle_by_way_of_a_station(self):
        answer = self.clearance.with_user(self.manager).set_prerequisite_station(
            self.card.id, self.certificates.id, True
        )
        self.assertEqual(answer["code"], "cycle")
        self.assertEqual(answer["cycle"], (self.card | self.degree).ids)
        self.assertFalse(self.card.prerequisite_station_ids)

    def test_what_opens_the_form_waits_for_nothing(self):
        self.talk.is_entry = True
        answer = self._set(self.talk, self.card)
        self.assertEqual((answer["code"], answer["cycle"]), ("cycle", (self.talk | self.card).ids))
        self.talk.is_entry = False
        self.talk.prerequisite_ids = self.card
        with self.assertRaisesRegex(ValidationError, "wait for each other"):
            self.talk.is_entry = True

    def test_what_comes_from_elsewhere_is_not_removed_by_itself(self):
        with self.assertRaisesRegex(UserError, "whole station “Student Affairs”"):
            self._set(self.degree, self.card, False)
        self.talk.is_entry = True
        with self.assertRaisesRegex(UserError, "opens the form"):
            self._set(self.books, self.talk, False)

    def test_refusals(self):
        with self.assertRaisesRegex(UserError, "cannot wait for itself"):
            self._set(self.card, self.card)
        other = self.clearance.copy().step_ids[0]
        with self.assertRaisesRegex(UserError, "no such step in session “2026 undergraduates”"):
            self._set(self.card, other)
        with self.assertRaisesRegex(UserError, "no such step"):
            self.clearance.with_user(self.manager).set_prerequisite(other.id, self.card.id, True)
        self.deposit.active = False
        for step, prerequisite in ((self.card, self.deposit), (self.deposit, self.card)):
            with self.assertRaisesRegex(UserError, "“Deposit refund” is retired"):
                self._set(step, prerequisite)
        for user in (self.auditor, self.deferral, self.librarian, self.counsellor, self.lead, self.graduate):
            with self.subTest(user.login), self.assertRaises(AccessError), mute_logger("odoo.models"):
                self._set(self.card, self.talk, user=user)
        self.assertFalse(self.card.prerequisite_ids)

    def test_open_session_asks_first(self):
        self.open_session()
        answer = self._set(self.card, self.talk)
        self.assertEqual(answer["code"], "ask")
        self.assertFalse(self.card.prerequisite_ids, "nothing is written before the effect was shown")
        wizard = self.env[answer["action"]["res_model"]].browse(answer["action"]["res_id"])
        self.assertEqual((wizard.step_id, wizard.prerequisite_ids), (self.card, self.talk))
        self.assertTrue(wizard.is_shown)
        self.assertEqual(wizard.blocked, 6)
        # What is refused is refused before anything is shown.
        self.assertEqual(self._set(self.books, self.diploma)["code"], "cycle")

    def test_closed_session_is_read_only(self):
        self.open_session()
        self.clearance.action_close()
        self.assertFalse(self._map()["can_edit"])
        with self.assertRaisesRegex(UserError, "closed"):
            self._set(self.card, self.talk)

    # -- by URL ----------------------------------------------------------------

    def _rpc(self, method, *args):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/clearance.session/{method}",
            {"model": "clearance.session", "method": method, "args": [self.clearance.ids, *args], "kwargs": {}},
        )

    def test_by_url(self):
        self.authenticate("t_auditor", "t_auditor")
        self.assertEqual(len(self._rpc("get_process_map")["steps"]), 8)
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http", "odoo.models"):
            self._rpc("set_prerequisite", self.card.id, self.talk.id, True)
        self.authenticate("T26000", "T26000")
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http", "odoo.models"):
            self._rpc("get_process_map")
        self.authenticate("t_manager", "t_manager")
        self.assertEqual(self._rpc("set_prerequisite", self.card.id, self.talk.id, True)["code"], "done")

    def test_action(self):
        action = self.clearance.with_user(self.auditor).action_open_map()
        self.assertEqual(
            (action["tag"], action["context"]), ("clearance_process_map", {"active_id": self.clearance.id})
        )
        with self.assertRaises(AccessError), mute_logger("odoo.models"):
            self.clearance.with_user(self.stranger).action_open_map()
