"""The log of runs, the alarm when a system falls silent, and what people see of it all."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from ..models import clearance_feed_run
from .test_feed_push import FeedCase


@tagged("post_install", "-at_install")
class TestFeedRun(FeedCase):
    """Runs and their rows."""

    def test_what_a_run_keeps(self):
        self.decide(self.status(self.students[3], self.books, self.librarian), "reject", "Owes a key")
        moment = self.now - timedelta(minutes=5)
        answer = self.push(
            ("T26000", 0), ("T26001", 2), ("T26003", 0), ("X", 0), ("T26002", -1), key="night", as_of=self.iso(moment)
        )
        run = self.env["clearance.feed.run"].browse(answer["run"])
        self.assertEqual(
            (run.feed_id, run.kind, run.state, run.key, run.user_id, run.as_of, run.received),
            (self.feed, "push", "done", "night", self.sender, moment, 5),
        )
        self.assertEqual(
            (run.done_count, run.already_count, run.kept_count, run.unknown_count, run.bad_count, run.other_count),
            (1, 1, 1, 1, 1, 0),
        )
        self.assertLessEqual(run.started_at, run.ended_at)
        lines = [(line.row, line.student_number, line.outcome) for line in run.line_ids]
        self.assertEqual(lines, [(5, "T26002", "bad"), (3, "T26003", "kept"), (4, "X", "unknown")])
        self.assertIn("“-1”", run.line_ids[0].message)
        self.assertIn("Library system", run.display_name)

    def test_few_rows_are_listed_of_many(self):
        """Those first that somebody has to look at; the answer names them all."""
        self.patch(clearance_feed_run, "_MOST_LINES", 3)
        answer = self.push(*((f"X{number}", 0) for number in range(5)), ("T26000", -1))
        run = self.env["clearance.feed.run"].browse(answer["run"])
        self.assertEqual((len(answer["rows"]), run.line_count, len(run.line_ids)), (6, 6, 3))
        self.assertEqual(run.line_ids[0].outcome, "bad")

    def test_a_failure_is_kept(self):
        run = self.feed._record_failure("pull", "The file cannot be read.", key="abc")
        self.assertEqual(
            (run.state, run.error, run.kind, run.received), ("failed", "The file cannot be read.", "pull", 0)
        )
        self.assertTrue(self.feed.is_silent)

    def test_rows_go_first_then_runs(self):
        self.push(("X", 0))
        old, older = self.feed.run_ids, self.feed._record_failure("pull", "Gone")
        new = self.env["clearance.feed.run"].browse(self.push(("X", 0))["run"])
        old.started_at = self.now - timedelta(days=15)
        older.started_at = self.now - timedelta(days=91)
        self.env["clearance.feed.run"]._gc_runs()
        self.assertEqual(self.feed.run_ids, new | old)
        self.assertFalse(old.line_ids)
        self.assertTrue(new.line_ids)

    def test_who_reads_runs(self):
        self.push(("X", 0))
        for user in (self.manager, self.auditor):
            with self.subTest(user=user.login):
                run = self.feed.run_ids.with_user(user)
                self.assertEqual(run.line_ids.student_number, "X")
                for operation in ("write", "unlink"):
                    self.assertFalse(run.has_access(operation))
                    self.assertFalse(run.line_ids.has_access(operation))
                self.assertFalse(run.has_access("create"))
                self.assertEqual(self.feed.with_user(user).run_count, 1)
        for user in (self.librarian, self.lead, self.counsellor, self.graduate, self.sender, self.stranger):
            for model in ("clearance.feed.run", "clearance.feed.run.line"):
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])

    def test_runs_of_another_campus(self):
        campus_b = self.env["res.company"].create({"name": "Campus B"})
        feed = self.env["clearance.feed"].sudo().create({"name": "Library B", "company_id": campus_b.id})
        run = feed._record_failure("pull", "Gone")
        self.assertNotIn(run, self.env["clearance.feed.run"].with_user(self.manager).search([]))
        with self.assertRaises(AccessError):
            run.with_user(self.manager).read(["error"])

    def test_from_the_system_to_its_runs(self):
        self.push(("T26000", 0))
        action = self.feed.with_user(self.manager).action_open_runs()
        found = self.env[action["res_model"]].with_user(self.manager).search(action["domain"])
        self.assertEqual(found, self.feed.run_ids)


@tagged("post_install", "-at_install")
class TestFeedAlarm(FeedCase):
    """Somebody is told of a silence, once, and that it is over."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.feed.responsible_id = cls.manager
        cls.other_feed.silent_after = 10_000

    def be_silent(self, hours=25):
        self.feed.heard_at = fields.Datetime.now() - timedelta(hours=hours)

    def alarm(self):
        """Let the clock strike; answer the activities there are."""
        self.env["clearance.feed"]._get_watched()._watch()
        return self.feed.activity_ids

    def test_silent_once_and_over(self):
        self.push(("T26000", 1))
        self.assertFalse(self.alarm())
        self.be_silent()
        before = self.feed.message_ids
        activity = self.alarm()
        self.assertEqual((len(activity), activity.user_id), (1, self.manager))
        self.assertIn("24", activity.note)
        note = self.feed.message_ids - before
        self.assertIn("has not reported since", note[-1].body)
        self.assertEqual(self.alarm(), activity, "once a silence")
        before = self.feed.message_ids
        self.push(("T26000", 1))
        self.assertFalse(self.feed.activity_ids)
        self.assertFalse(self.feed.alarmed_at)
        self.assertIn("reports again", (self.feed.message_ids - before)[0].body)
        self.be_silent()
        self.assertEqual(len(self.alarm()), 1, "a new silence, a new alarm")

    def test_by_the_clock(self):
        self.be_silent()
        with self.enter_registry_test_mode():
            self.env.ref("graduate_clearance.ir_cron_feed_alarm").method_direct_trigger()
        self.assertEqual(len(self.feed.activity_ids), 1)

    def test_stale_words_do_not_end_it(self):
        self.be_silent()
        self.alarm()
        self.push(("T26000", 0), as_of=self.iso(self.now - timedelta(hours=24, minutes=30)))
        self.assertTrue(self.feed.alarmed_at)
        self.assertTrue(self.feed.activity_ids)

    def test_as_long_as_it_has_promised(self):
        self.be_silent(hours=23)
        self.assertFalse(self.alarm())
        self.feed.silent_after = 22
        self.assertTrue(self.alarm())

    def test_never_heard(self):
        """It has its time from the day it was set up, or its session began."""
        self.assertFalse(self.alarm())
        self.env.cr.execute(
            "UPDATE clearance_feed SET create_date = %s WHERE id = %s", (self.now - timedelta(days=9), self.feed.id)
        )
        self.feed.invalidate_recordset()
        self.clearance.open_from = self.now - timedelta(hours=20)
        self.assertFalse(self.alarm())
        self.clearance.open_from = self.now - timedelta(hours=30)
        self.assertIn("has not reported yet", self.alarm().note)

    def test_nobody_waits_for_it(self):
        self.be_silent()
        self.clearance.action_close()
        self.assertFalse(self.alarm())

    def test_put_away(self):
        self.be_silent()
        self.feed.active = False
        self.assertFalse(self.alarm())

    def test_nobody_responsible(self):
        self.be_silent()
        self.feed.responsible_id = False
        self.assertTrue(self.alarm().user_id.has_group("graduate_clearance.group_manager"))

    def test_the_responsible_person_has_gone(self):
        self.feed.responsible_id = self.stranger
        self.be_silent()
        self.assertTrue(self.alarm().user_id.has_group("graduate_clearance.group_manager"))


@tagged("post_install", "-at_install")
class TestFeedShown(FeedCase):
    """A decision of a person and what the system says: both are shown, wherever the step is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status = cls.env["clearance.status"].search([("form_id", "=", cls.forms[0].id), ("step_id", "=", cls.books.id)])
        status.with_user(cls.librarian)._decide("approve", "desk", "Paid for the lost book")
        cls.kept = status

    def portal(self):
        form = self.forms[0].with_user(self.graduate)
        return next(step for step in form._get_portal_steps() if step["id"] == self.kept.id)

    def desk(self):
        opened = self.env["clearance.desk"].with_user(self.librarian).get_graduate(self.forms[0].id, self.library.id)
        return next(step for step in opened["steps"] if step["id"] == self.kept.id)

    def everywhere(self):
        """Reason and figure on the desk, in the story of the matrix, on the record and on the graduate's page."""
        form = self.forms[0].with_user(self.librarian)
        record = next(row for row in form.record if row["id"] == self.kept.id)
        story = form.get_cell_story(self.kept.id)
        rows = {"desk": self.desk(), "story": story, "record": record, "portal": self.portal()}
        return {
            name: (row["state"], row["reason"], row["figure"] and row["figure"]["text"]) for name, row in rows.items()
        }

    def test_approved_though_it_is_owed(self):
        self.assertEqual(self.push(("T26000", 2))["counts"], {"kept": 1})
        for name, told in self.everywhere().items():
            with self.subTest(name):
                self.assertEqual(told, ("approved", "Paid for the lost book", "2 books"))
        self.assertTrue(self.portal()["figure"]["kept"])

    def test_rejected_though_nothing_is_owed(self):
        self.kept.with_user(self.librarian)._decide("reject", "desk", "The key of the carrel is missing")
        self.push(("T26000", 0))
        for name, told in self.everywhere().items():
            with self.subTest(name):
                self.assertEqual(told, ("rejected", "The key of the carrel is missing", "nothing owed"))
        self.kept.with_user(self.librarian)._decide("reopen", "desk", "Come again")
        step = self.portal()
        self.assertEqual(step["turn"], "todo", "It does not settle by itself.")

    def test_of_one_mind(self):
        """What the graduate has settled, as the system says too, needs no figure."""
        self.push(("T26000", 0), ("T26001", 0))
        self.assertFalse(self.portal()["figure"])

    def test_silence_is_told(self):
        self.push(("T26000", 2))
        self.feed.heard_at = self.now - timedelta(hours=30)
        form = self.forms[0].with_user(self.librarian)
        record = next(row for row in form.record if row["id"] == self.kept.id)
        self.assertTrue(record["figure"]["silent"])
        self.assertTrue(self.desk()["figure"]["silent"])
        self.assertTrue(form.get_cell_story(self.kept.id)["figure"]["silent"])
        self.assertTrue(self.portal()["figure"]["silent"])

    def test_figures_of_steps_that_a_station_decides(self):
        """A system may tell of a step that the office settles itself."""
        self.card.feed_id = self.other_feed
        self.other_feed._hear(self.card, [{"student_number": "T26000", "amount": 20}], self.now)
        status = self.status(self.students[0], self.card)
        opened = (
            self.env["clearance.desk"].with_user(self.affairs).get_graduate(self.forms[0].id, self.affairs_office.id)
        )
        step = next(step for step in opened["steps"] if step["id"] == status.id)
        self.assertIn("20", step["figure"]["text"])


@tagged("post_install", "-at_install")
class TestFeedPage(FeedCase, HttpCase):
    def test_the_page_says_whose_word_counts(self):
        self.decide(self.status(self.students[0], self.books, self.librarian), "approve", "Paid for the lost book")
        self.push(("T26000", 2))
        self.authenticate("T26000", "T26000")
        text = self.url_open("/my/clearance").text
        for words in ("Paid for the lost book", "2 books", "o_clearance_kept"):
            with self.subTest(words):
                self.assertTrue(words in text, "not on the page")
