"""Applications that several offices look at one after the other, and deferrals with a rule."""

import ast
from datetime import timedelta

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, TransactionCase, tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon
from .test_submission import PDF


class ApplicationCommon(ClearanceCommon):
    """Nanjing City's check-out: an application, then counsellor, college and dorm keeper look at it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keeper = cls._create_user("t_keeper")
        cls.other_keeper = cls._create_user("t_other_keeper")
        cls.dorm, cls.north_dorm, cls.south_dorm = cls.env["clearance.station"].create(
            [{"name": "Dormitories"}, {"name": "North keeper"}, {"name": "South keeper"}]
        )
        cls.north_dorm.write({"parent_id": cls.dorm.id, "room_ids": [Command.set(cls.north.ids)]})
        cls.south_dorm.write({"parent_id": cls.dorm.id, "room_ids": [Command.set(cls.south.ids)]})
        cls.north_dorm.operator_ids = cls.keeper
        cls.south_dorm.operator_ids = cls.other_keeper
        cls.application = cls._create_step("Check-out application", cls.counselling, mode="counsellor")
        cls.why, cls.paper = cls.env["clearance.requirement"].create(
            [
                {"step_id": cls.application.id, "name": "Why", "kind": "char"},
                {"step_id": cls.application.id, "name": "Pledge", "kind": "file"},
            ]
        )
        cls.secretary = cls._create_step(
            "College secretary",
            cls.certificates,
            continues_id=cls.application.id,
            prerequisite_ids=[Command.set(cls.application.ids)],
        )
        cls.check_out = cls._create_step(
            "Check-out on site",
            cls.dorm,
            continues_id=cls.application.id,
            prerequisite_ids=[Command.set(cls.secretary.ids)],
        )
        cls.open_session()

    def apply(self, student=None, why="I leave on Friday"):
        """Send the application of a graduate; answer the submission as superuser."""
        student = student or self.students[1]
        user = {self.students[0]: self.graduate, self.students[1]: self.other_graduate}[student]
        status = self.status(student, self.application, user)
        submissions = self.env["clearance.submission"].with_user(user)
        files = {self.paper.id: [("pledge.pdf", PDF)]}
        return submissions._submit(status, {self.why.id: why}, files).with_env(self.env).sudo()

    def readers(self, record):
        """Which of the people of this campus may read a record."""
        people = {
            "manager": self.manager,
            "auditor": self.auditor,
            "deferral": self.deferral,
            "counsellor": self.counsellor,
            "secretary": self.mech_clerk,
            "other secretary": self.arts_clerk,
            "keeper": self.keeper,
            "other keeper": self.other_keeper,
            "library": self.librarian,
            "lead": self.lead,
            "supervisor": self.supervisor,
            "stranger": self.stranger,
        }
        return {name for name, user in people.items() if record.with_user(user).has_access("read")}


@tagged("post_install", "-at_install")
class TestApplication(ApplicationCommon, TransactionCase):
    # The graduate of room North (students[1]) and of room South (students[0]), both of Mechanics.
    EVERYBODY = frozenset({"manager", "auditor", "counsellor", "secretary", "keeper"})

    def test_who_reads_what_was_sent(self):
        sent = self.apply()
        for record in (sent, sent.file_ids, sent.file_ids.attachment_id):
            with self.subTest(record=record._name):
                self.assertEqual(self.readers(record), self.EVERYBODY)

    def test_each_keeper_reads_the_own_campus_only(self):
        north, south = self.apply(), self.apply(self.students[0])
        Submission = self.env["clearance.submission"]
        for keeper, sent in ((self.keeper, north), (self.other_keeper, south)):
            self.assertEqual(Submission.with_user(keeper).search([]).ids, sent.ids)
            self.assertEqual(Submission.with_user(keeper).search([("is_passed_on", "=", True)]).ids, sent.ids)
            self.assertFalse(sent.with_user(keeper).can_decide)
        self.assertFalse(Submission.with_user(self.counsellor).search([("is_passed_on", "=", True)]))
        self.assertEqual(
            Submission.with_user(self.counsellor).search([("is_passed_on", "!=", True)], order="id").ids,
            (north + south).ids,
        )
        with self.assertRaises(AccessError):
            south.with_user(self.keeper).read(["answers"])

    def test_drafts_are_the_graduates_own(self):
        status = self.status(self.students[1], self.application, self.other_graduate)
        submissions = self.env["clearance.submission"].with_user(self.other_graduate)
        draft = submissions._keep(status, {self.why.id: "half"}, {}).sudo()
        self.assertEqual(self.readers(draft), set())

    def test_without_the_rule_on_steps_nobody_further_reads(self):
        sent = self.apply()
        (self.secretary | self.check_out).continues_id = False
        self.env.invalidate_all()
        self.assertEqual(self.readers(sent), {"manager", "auditor", "counsellor"})

    def test_what_does_not_concern_the_graduate_gives_no_reason_to_read(self):
        sent = self.apply()
        status = self.status(self.students[1], self.check_out, self.keeper)
        self.assertEqual(self.decide(status, "set_not_required", "Lives with the parents"), ["done"])
        self.env.invalidate_all()
        self.assertEqual(self.readers(sent), self.EVERYBODY - {"keeper"})

    def test_a_new_keeper_reads_a_former_one_does_not(self):
        sent = self.apply()
        self.north_dorm.operator_ids = self.stranger
        self.env.invalidate_all()
        self.assertEqual(self.readers(sent), self.EVERYBODY - {"keeper"} | {"stranger"})

    def test_a_supervisor_who_goes_on_with_it(self):
        self.check_out.mode = "supervisor"
        self.students[1].supervisor_id = self.supervisor
        sent = self.apply()
        self.env.invalidate_all()
        self.assertEqual(self.readers(sent), self.EVERYBODY - {"keeper"} | {"supervisor"})

    def test_another_campus_sees_nothing(self):
        sent = self.apply()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.keeper.write({"company_ids": [Command.link(elsewhere.id)], "company_id": elsewhere.id})
        other = sent.with_user(self.keeper).with_context(allowed_company_ids=elsewhere.ids)
        self.assertFalse(other.has_access("read"))

    def test_nobody_changes_it(self):
        sent = self.apply()
        for user in (self.keeper, self.mech_clerk):
            with self.assertRaises(AccessError):
                sent.with_user(user).write({"state": "past"})
            with self.assertRaises(AccessError):
                sent.file_ids.attachment_id.with_user(user).unlink()
            # Another's step is not decided on by way of its submission either.
            outcome = self.status(self.students[1], self.application, user)._decide("approve", "api")
            self.assertEqual(outcome[0].code, "not_yours")

    def test_the_desk_shows_it_with_its_step(self):
        sent = self.apply()
        status = self.status(self.students[1], self.check_out)
        desk = self.env["clearance.desk"].with_user(self.keeper)
        (step,) = desk.get_graduate(status.form_id.id, self.north_dorm.id)["steps"]
        (sending,) = step["sent"]
        self.assertEqual((sending["id"], sending["for_step"]), (sent.id, "Check-out application"))
        self.assertEqual(sending["answers"][0]["value"], "I leave on Friday")
        self.assertEqual(sending["answers"][1]["files"][0]["id"], sent.file_ids.attachment_id.id)
        self.assertEqual(status.with_user(self.keeper).sent, step["sent"])
        # Of the step that it was sent for it is what it was.
        (own,) = self.status(self.students[1], self.application, self.counsellor).sent
        self.assertEqual((own["id"], own["for_step"]), (sent.id, ""))

    def test_own_sendings_come_first(self):
        key = self.env["clearance.requirement"].create({"step_id": self.check_out.id, "name": "Key", "kind": "char"})
        self.apply()
        status = self.status(self.students[1], self.check_out, self.other_graduate)
        self.env["clearance.submission"].with_user(self.other_graduate)._submit(status, {key.id: "no. 7"}, {})
        sent = status.with_user(self.keeper).sent
        self.assertEqual([sending["for_step"] for sending in sent], ["", "Check-out application"])

    def test_looking_costs_the_same_for_many(self):
        self.apply(), self.apply(self.students[0])
        statuses = self.statuses(self.secretary, self.mech_clerk)
        Submission = self.env["clearance.submission"].with_user(self.mech_clerk)
        for few in (statuses[:1], statuses):
            self.env.invalidate_all()
            Submission.search([])
            with self.assertQueryCount(3):
                Submission._get_onward_of(few.ids)

    def test_it_opens_the_own_step(self):
        sent = self.apply()
        for user, step, station in (
            (self.keeper, self.check_out, self.north_dorm),
            (self.mech_clerk, self.secretary, self.mech_desk),
            (self.counsellor, self.application, self.counselling),
        ):
            own = sent.with_user(user)
            self.assertEqual(own.can_decide, user == self.counsellor)
            status_id = own.action_open_status()["res_id"]
            self.assertEqual(self.env["clearance.status"].browse(status_id).step_id, step)
            self.assertTrue(self.env["clearance.status"].browse(status_id).with_user(user).has_access("read"))
            self.assertEqual(own.action_open_desk()["context"]["clearance_station_id"], station.id)

    def test_whose_turn_it_is(self):
        """The list of what is to be reviewed has it for each office, one after the other."""
        sent = self.apply()
        self.apply(self.students[0])
        (to_review,) = self._get_filters("to_review")
        for user, step in (
            (self.counsellor, self.application),
            (self.mech_clerk, self.secretary),
            (self.keeper, self.check_out),
        ):
            for other in {self.counsellor, self.mech_clerk, self.keeper} - {user}:
                found = self.env["clearance.submission"].with_user(other).search(to_review)
                self.assertFalse(found.filtered("is_my_turn") & sent, other.login)
            own = sent.with_user(user)
            self.assertIn(own, self.env["clearance.submission"].with_user(user).search(to_review))
            self.assertEqual(own.is_my_turn, user != self.counsellor)
            own.action_confirm()
            self.assertEqual(self.status(self.students[1], step).state, "approved")
            self.env.invalidate_all()
        # Through the list, as the log says; the other graduate is where they were.
        lines = self.env["clearance.log"].search([("form_id", "=", sent.form_id.id), ("action", "=", "approve")])
        self.assertEqual(lines.mapped("door"), ["list"] * 3)
        self.assertEqual(self.status(self.students[0], self.application).state, "submitted")

    def _get_filters(self, *names):
        arch = etree.fromstring(self.env["clearance.submission"].get_view(view_type="search")["arch"])
        return [ast.literal_eval(arch.find(f".//filter[@name='{name}']").get("domain")) for name in names]

    def test_rejecting_rejects_the_own_step(self):
        sent = self.apply()
        self.settle_steps(self.application, students=self.students[1])
        self.env.invalidate_all()
        action = sent.with_user(self.mech_clerk).action_reject()
        self.assertEqual(action["context"]["default_status_ids"], self.status(self.students[1], self.secretary).ids)
        with self.assertRaises(UserError):
            sent.with_user(self.keeper).action_confirm()
        self.assertEqual(self.status(self.students[1], self.application).state, "approved")

    def test_the_whole_way(self):
        student = self.students[1]
        self.apply()
        for user, step, before in (
            (self.counsellor, self.application, None),
            (self.mech_clerk, self.secretary, self.application),
            (self.keeper, self.check_out, self.secretary),
        ):
            for later in (self.secretary, self.check_out) if before is None else ():
                operator = {self.secretary: self.mech_clerk, self.check_out: self.keeper}[later]
                self.assertEqual(self.decide(self.status(student, later, operator), "approve"), ["missing"])
            self.assertEqual(self.decide(self.status(student, step, user), "approve"), ["done"])
            self.assertTrue(self.readers(self.env["clearance.submission"].search([])) >= self.EVERYBODY)


@tagged("post_install", "-at_install")
class TestApplicationRules(ApplicationCommon, TransactionCase):
    """With which step a step may go on."""

    def _refuses(self, text, step, **values):
        with self.assertRaisesRegex(ValidationError, text), self.env.cr.savepoint():
            step.write(values)

    def test_not_with_itself(self):
        self._refuses("cannot go on with itself", self.application, continues_id=self.application.id)

    def test_not_with_another_session(self):
        other = self.clearance.copy()
        self._refuses("belongs to another session", self.degree, continues_id=other.step_ids[0].id)

    def test_no_chain_of_chains(self):
        self._refuses(
            "“College secretary” itself goes on with “Check-out application”",
            self.check_out,
            continues_id=self.secretary.id,
        )
        self._refuses(
            "“Check-out application” itself goes on with “Return student card”",
            self.application,
            continues_id=self.card.id,
            prerequisite_ids=[Command.link(self.card.id)],
        )

    def test_the_application_comes_before(self):
        self._refuses("has to come before", self.talk, continues_id=self.application.id)
        self._refuses("“College secretary” goes on with", self.secretary, prerequisite_ids=[Command.clear()])
        self._refuses("“Check-out on site” goes on with", self.secretary, active=False)
        # By a whole station, or because it opens the form, it comes before, too.
        self.secretary.write({"prerequisite_ids": [Command.clear()], "prerequisite_station_ids": self.counselling.ids})
        self.application.is_entry = True
        self.secretary.prerequisite_station_ids = False
        self._refuses("has to come before", self.application, is_entry=False)

    def test_not_with_a_source_system(self):
        self.deposit.prerequisite_ids = self.books
        self._refuses("settled by a source system", self.deposit, continues_id=self.books.id)

    def test_it_goes_along_with_the_configuration(self):
        """In a file in whatever order, and in a copy."""
        document = self.clearance._get_configuration()
        document["steps"].reverse()
        loaded, _findings = self.env["clearance.session"]._load_configuration(document, year=self.clearance.year + 1)
        for session in (loaded, self.clearance.copy()):
            names = {step.name: step.continues_id.name for step in session.step_ids if step.continues_id}
            self.assertEqual(names, dict.fromkeys(("College secretary", "Check-out on site"), "Check-out application"))
            self.assertEqual(session.step_ids.continues_id.session_id, session)

    def test_an_application_may_be_retired(self):
        self.application.active = False
        self.assertEqual(self.check_out.continues_id, self.application)


@tagged("post_install", "-at_install")
class TestApplicationUrls(ApplicationCommon, HttpCase):
    """The file itself, by the addresses that the desk and the graduate's page use."""

    def _open_file(self, url, user):
        self.authenticate(user.login, user.login)
        with mute_logger("odoo.http"):
            return self.url_open(url, allow_redirects=False)

    def test_the_file(self):
        sent = self.apply()
        attachment = sent.file_ids.attachment_id
        for user in (self.counsellor, self.mech_clerk, self.keeper, self.manager):
            with self.subTest(user=user.login):
                response = self._open_file(f"/web/content/{attachment.id}?download=true", user)
                self.assertEqual((response.status_code, response.content), (200, PDF))
        for user in (self.arts_clerk, self.other_keeper, self.librarian, self.stranger, self.graduate):
            with self.subTest(user=user.login):
                response = self._open_file(f"/web/content/{attachment.id}", user)
                self.assertEqual(response.status_code, 404)
                self.assertNotIn(PDF, response.content)

    def test_the_graduates_address_is_the_graduates(self):
        sent = self.apply()
        url = f"/my/clearance/file/{sent.file_ids.id}"
        self.assertEqual(self._open_file(url, self.other_graduate).content, PDF)
        for user in (self.graduate, self.stranger):
            self.assertNotEqual(self._open_file(url, user).content, PDF)


@tagged("post_install", "-at_install")
class TestDeferralRule(ClearanceCommon, TransactionCase):
    """How long a deferral of a step lasts as a rule."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fees.deferral_months = 24
        cls.books.deferral_months = 12
        cls.open_session()

    def setUp(self):
        super().setUp()
        self.today = self.env["clearance.override"]._today()
        self.end = self.today + relativedelta(months=24)

    def test_the_desk_is_told(self):
        form = self.status(self.students[1], self.fees).form_id
        steps = self.env["clearance.deferral"].with_user(self.deferral).get_graduate(form.id)["steps"]
        rules = {step["step"]: (step["months"], step["date_end"]) for step in steps}
        self.assertEqual(rules["Pay arrears"], (24, str(self.end)))
        self.assertEqual(rules["Return student card"], (0, ""))

    def _batch(self, **values):
        values = {"session_id": self.clearance.id, "decision": "lift", "reason": "Agreement", **values}
        values.setdefault("class_ids", [Command.set(self.class_m1.ids)])
        return self.env["clearance.batch"].with_user(self.deferral).create(values)

    def test_a_batch_fills_it_in(self):
        batch = self._batch(step_id=self.fees.id)
        self.assertEqual(batch.date_end, self.end)
        self.assertIn("24 months", batch.date_end_rule)
        batch.action_preview()
        self.assertFalse(batch.run()["remaining"])
        granted = self.env["clearance.override"].search([("step_id", "=", self.fees.id)])
        self.assertEqual(granted.mapped("date_end"), [self.end, self.end])

    def test_a_batch_keeps_what_is_said(self):
        told = self._batch(step_id=self.fees.id, date_end=self.today + timedelta(days=3))
        self.assertEqual((told.date_end, told.date_end_rule), (self.today + timedelta(days=3), False))
        self.assertFalse(self._batch(step_id=self.fees.id, date_end=False).date_end)
        self.assertFalse(self._batch(step_id=self.card.id).date_end)
        self.assertFalse(self._batch(step_id=self.fees.id, decision="approve").date_end)

    def test_the_screen_of_a_batch(self):
        typed = self.today + timedelta(days=3)
        with Form(self.env["clearance.batch"].with_user(self.deferral)) as screen:
            screen.decision = "lift"
            screen.step_id = self.fees
            self.assertEqual(fields.Date.to_date(screen.date_end), self.end)
            self.assertIn("24 months", screen.date_end_rule)
            screen.step_id = self.books
            self.assertEqual(
                fields.Date.to_date(screen.date_end), self.today + relativedelta(months=12), "it goes with the step"
            )
            screen.step_id = self.card
            self.assertFalse(screen.date_end)
            screen.date_end = typed
            screen.step_id = self.fees
            self.assertEqual(fields.Date.to_date(screen.date_end), typed, "what is typed stays")
            self.assertFalse(screen.date_end_rule)
            screen.reason = "Agreement"

    def test_the_screen_of_a_deferral(self):
        screen = Form(self.env["clearance.override"].with_user(self.deferral))
        screen.status_id = self.status(self.students[1], self.fees)
        self.assertEqual(fields.Date.to_date(screen.date_end), self.end)
        self.assertIn("24 months", screen.date_end_rule)
        screen.date_end = False
        screen.reason = "Agreement"
        self.assertFalse(screen.save().date_end)
