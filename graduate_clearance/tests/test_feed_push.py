"""Reports of source systems: what is taken from them, from whom, and what becomes of each row."""

import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessDenied, AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw, get_public_method
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..feed_rows import LONGEST_NOTE, MOST_ROWS
from ..models import clearance_feed_push
from .common import ClearanceCommon


class FeedCase(ClearanceCommon):
    """The library and the finance office report; the library's system has a user of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()
        cls.feed, cls.other_feed = cls.env["clearance.feed"].create(
            [
                {"name": "Library system", "unit": "books", "company_id": cls.campus.id},
                {"name": "Finance", "company_id": cls.campus.id},
            ]
        )
        cls.books.write({"feed_id": cls.feed.id, "code": "books"})
        cls.fees.write({"feed_id": cls.other_feed.id, "code": "fees"})
        cls.feed.with_user(cls.manager)._make_key()
        cls.sender = cls.feed.push_user_id
        cls.now = fields.Datetime.now().replace(microsecond=0)

    def push(self, *rows, user=None, **options):
        """Push as the library's system; each row a dict, or a pair of number and quantity."""
        rows = [{"student_number": row[0], "quantity": row[1]} if isinstance(row, tuple) else row for row in rows]
        return self.env["clearance.feed"].with_user(user or self.sender).push(rows, **options)

    def take(self, *rows, **options):
        """Outcomes by row, those that went as they said included."""
        return [row["outcome"] for row in self.push(*rows, verbose=True, **options)["rows"]]

    def state(self, number=0, step=None):
        return self.status(self.students[number], step or self.books).state

    def figure(self, number=0, step=None):
        status = self.status(self.students[number], step or self.books)
        return self.env["clearance.feed"]._get_figures(status.ids).get(status.id)

    def iso(self, moment):
        return f"{moment.isoformat()}Z"


@tagged("post_install", "-at_install")
class TestFeedRows(FeedCase):
    """What becomes of rows."""

    def test_zero_settles_and_owing_reopens(self):
        answer = self.push(("T26000", 0), ("T26001", 2))
        self.assertEqual(answer["counts"], {"done": 1, "already": 1})
        self.assertEqual((answer["received"], answer["rows"]), (2, []))
        self.assertEqual((self.state(0), self.state(1)), ("approved", "pending"))
        self.assertEqual(self.figure(1)["text"], "2 books")
        self.assertEqual(self.take(("T26000", 1), ("T26001", 0)), ["done", "done"])
        status = self.status(self.students[0], self.books)
        self.assertEqual((status.state, status.reason, status.door), ("pending", "1 books", "feed"))
        self.assertEqual(status.user_id, self.sender)

    def test_its_own_words(self):
        self.push(("T26000", 0))
        self.push({"student_number": "T26000", "quantity": 1, "note": "“Moby Dick”\nsince May"})
        self.assertEqual(self.status(self.students[0], self.books).reason, "“Moby Dick” since May")
        self.assertEqual(self.figure()["text"], "“Moby Dick” since May")

    def test_each_reopening_has_its_own_reason(self):
        self.push(*((f"T2600{number}", 0) for number in range(6)))
        self.push(*((f"T2600{number}", number + 1) for number in range(6)))
        reasons = self.statuses(self.books).mapped("reason")
        self.assertEqual(reasons, [f"{number + 1} books" for number in range(6)])

    def test_the_same_again_changes_nothing(self):
        rows = [("T26000", 0), ("T26001", 2), ("X", 1)]
        self.push(*rows)
        lines = self.env["clearance.log"].search_count([])
        self.assertEqual(self.take(*rows), ["already", "already", "unknown"])
        self.assertEqual(self.env["clearance.log"].search_count([]), lines)

    def test_each_row_has_its_moment(self):
        """What arrives out of order is told apart row by row."""
        older, newer = self.iso(self.now - timedelta(hours=2)), self.iso(self.now - timedelta(hours=1))
        self.push(
            {"student_number": "T26000", "quantity": 0, "as_of": newer},
            {"student_number": "T26001", "quantity": 3, "as_of": older},
        )
        outcomes = self.take(
            {"student_number": "T26000", "quantity": 5, "as_of": older},
            {"student_number": "T26001", "quantity": 0, "as_of": newer},
        )
        self.assertEqual(outcomes, ["old", "done"])
        self.assertEqual((self.state(0), self.state(1)), ("approved", "approved"))
        self.assertEqual(self.figure(0)["text"], "nothing owed")

    def test_moments_of_any_zone(self):
        told = (self.now - timedelta(hours=3) + timedelta(hours=8)).isoformat()
        self.push({"student_number": "T26000", "quantity": 1, "as_of": f"{told}+08:00"})
        self.assertEqual(self.figure()["as_of"], fields.Datetime.to_string(self.now - timedelta(hours=3)))

    def test_the_moment_of_the_report(self):
        moment = self.now - timedelta(hours=2)
        self.push(("T26000", 1), as_of=self.iso(moment))
        self.assertEqual(self.figure()["as_of"], fields.Datetime.to_string(moment))
        self.assertEqual(self.feed.heard_at, moment)

    def test_stale_words_settle_nothing(self):
        """Older than the system promises: shown, and neither settled nor reopened."""
        stale = self.iso(self.now - timedelta(hours=25))
        self.assertEqual(self.take(("T26000", 0), as_of=stale), ["stale"])
        self.assertEqual(self.state(), "pending")
        self.assertEqual((self.figure()["text"], self.figure()["silent"]), ("nothing owed", True))
        self.assertTrue(self.feed.is_silent)
        status = self.status(self.students[1], self.books)
        status._decide("approve", "feed")
        self.assertEqual(self.take(("T26001", 2), as_of=stale), ["stale"])
        self.assertEqual(status.state, "approved")

    def test_a_persons_decision_is_kept_and_both_are_shown(self):
        status = self.status(self.students[0], self.books)
        self.decide(status.with_user(self.librarian), "approve", "Paid for the lost book")
        answer = self.push(("T26000", 1))
        self.assertEqual(answer["rows"][0]["outcome"], "kept")
        self.assertTrue(answer["rows"][0]["message"])
        self.assertEqual((status.state, status.reason), ("approved", "Paid for the lost book"))
        self.assertEqual(self.figure()["text"], "1 books")
        # The other way round as well: a person says no, the system says nothing is owed.
        other = self.status(self.students[1], self.books)
        self.decide(other.with_user(self.librarian), "reject", "The key of the carrel is missing")
        self.assertEqual(self.take(("T26001", 0)), ["kept"])
        self.assertEqual(other.state, "rejected")

    def test_twice_in_one_report(self):
        """The latest word counts, of two from the same moment the later row."""
        older = self.iso(self.now - timedelta(hours=1))
        outcomes = self.take(
            ("T26000", 0),
            {"student_number": "T26000", "quantity": 4, "as_of": older},
            ("T26001", 3),
            ("T26001", 0),
        )
        self.assertEqual(outcomes, ["done", "duplicate", "duplicate", "done"])
        self.assertEqual((self.state(0), self.state(1)), ("approved", "approved"))

    def test_unknown_and_without_the_step(self):
        self.settle_steps(self.talk)
        status = self.status(self.students[1], self.books)
        self.decide(status, "set_not_required", "Never had a card")
        self.assertEqual(self.take(("X1", 0), ("T26001", 0), ("T26000", 0)), ["unknown", "no_step", "done"])

    def test_graduates_of_other_campuses_are_unknown(self):
        campus_b = self.env["res.company"].create({"name": "Campus B"})
        self.env["clearance.student"].sudo().create({"student_number": "B1", "name": "Of B", "company_id": campus_b.id})
        self.assertEqual(self.take(("B1", 0)), ["unknown"])

    def test_sessions_that_are_not_open(self):
        self.clearance.action_close()
        self.assertEqual(self.take(("T26000", 0)), ["no_step"])
        self.assertEqual(self.state(), "pending")

    def test_prerequisites_hold(self):
        """The gate has the last word; what had to wait is settled once it may be."""
        self.degree.feed_id = self.feed
        self.degree.code = "degree"
        answer = self.push({"student_number": "T26001", "quantity": 0, "step": "degree"})
        self.assertEqual(answer["rows"][0]["outcome"], "missing")
        self.assertIn("Return books", answer["rows"][0]["message"])
        self.settle_steps(self.books, self.fees, self.card)
        self.feed._watch()
        self.assertEqual(self.state(1, self.degree), "approved")

    def test_what_waited_is_not_settled_by_stale_words(self):
        self.degree.write({"feed_id": self.feed.id, "code": "degree"})
        self.push({"student_number": "T26001", "quantity": 0, "step": "degree"})
        self.settle_steps(self.books, self.fees, self.card)
        figure = self.env["clearance.figure"].search(
            [("status_id", "=", self.status(self.students[1], self.degree).id)]
        )
        figure.sudo().as_of = self.now - timedelta(hours=30)
        self.feed._watch()
        self.assertEqual(self.state(1, self.degree), "pending")

    def test_several_steps(self):
        self.fees.feed_id = self.feed
        answer = self.push(("T26000", 0))
        self.assertEqual(answer["rows"][0]["outcome"], "bad")
        self.assertEqual(answer["rows"][0]["problems"][0]["field"], "step")
        self.assertIn("books", answer["rows"][0]["message"])
        outcomes = self.take(
            {"student_number": "T26000", "quantity": 0, "step": "books"},
            {"student_number": "T26000", "amount": 12.5, "step": "fees"},
        )
        self.assertEqual(outcomes, ["done", "already"])
        self.assertEqual((self.state(0), self.state(0, self.fees)), ("approved", "pending"))

    def test_two_sessions_at_once(self):
        """A row speaks of the graduate's step in every open session."""
        again = self.clearance.copy({"name": "Once more", "student_domain": "[('student_number', '=', 'T26000')]"})
        again._open()
        self.assertEqual(self.take(("T26000", 0)), ["done"])
        statuses = self.env["clearance.status"].search(
            [("form_id.student_id", "=", self.students[0].id), ("step_id.feed_id", "=", self.feed.id)]
        )
        self.assertEqual(statuses.mapped("state"), ["approved", "approved"])

    def test_a_reopening_marks_what_relied_on_it(self):
        self.push(("T26001", 0))
        self.settle_steps(self.fees, self.card, self.degree, students=self.students[1])
        self.push(("T26001", 1))
        self.assertTrue(self.status(self.students[1], self.degree).needs_review)

    def test_less_than_the_smallest_coin_is_nothing(self):
        self.push({"student_number": "T26000", "amount": 0.000001})
        self.assertEqual(self.state(), "approved")

    def test_money_as_text(self):
        self.push({"student_number": "T26000", "amount": "12.50"}, {"student_number": "T26001", "amount": "0.00"})
        self.assertIn("12.50", self.figure()["text"])
        self.assertEqual(self.state(1), "approved")

    def test_numbers_as_people_write_them(self):
        self.assertEqual(self.take((" Ｔ２６０００ ", 0)), ["done"])
        self.assertEqual(self.take((2026001, 0)), ["unknown"], "A number is a text without quotes.")

    # -- whole reports -------------------------------------------------------------

    def test_whoever_is_not_named_owes_nothing(self):
        answer = self.push(("T26002", 1), complete=True)
        self.assertTrue(answer["complete"])
        self.assertEqual((answer["counts"], answer["unnamed"]), ({"already": 1}, {"done": 5}))
        self.assertEqual(self.statuses(self.books).filtered("is_open").student_id, self.students[2])
        run = self.env["clearance.feed.run"].browse(answer["run"])
        self.assertEqual((run.complete, run.received, run.done_count, run.already_count), (True, 1, 5, 1))
        answer = self.push(("T26003", 1), complete=True)
        self.assertEqual(answer["unnamed"], {"done": 1, "already": 4})
        self.assertEqual(self.statuses(self.books).filtered("is_open").student_id, self.students[3])

    def test_a_report_that_went_wrong_is_not_whole(self):
        """An export that broke off, one without a name, one whose numbers have lost their zeros."""
        reports = {
            "nobody": [],
            "unknown": [("0026000", 1)],
            "nameless": [("T26002", 1), {"quantity": 3}],
            "no row": [("T26002", 1), "T26003"],
        }
        for name, rows in reports.items():
            with self.subTest(name):
                answer = self.push(*rows, complete=True)
                self.assertFalse(answer["complete"])
                self.assertTrue(answer["message"])
                self.assertEqual(answer["unnamed"], {})
                self.assertEqual(self.env["clearance.feed.run"].browse(answer["run"]).error, answer["message"])
                self.assertEqual(set(self.statuses(self.books).mapped("state")), {"pending"})

    def test_whoever_is_named_in_a_bad_row_is_left_alone(self):
        answer = self.push(("T26000", -1), ("T26001", 1), complete=True)
        self.assertEqual((answer["counts"], answer["unnamed"]), ({"bad": 1, "already": 1}, {"done": 4}))
        self.assertEqual(self.state(0), "pending")

    def test_unnamed_whom_a_person_decided_on(self):
        self.decide(self.status(self.students[5], self.books, self.librarian), "reject", "Owes a key")
        answer = self.push(("T26000", 1), complete=True)
        self.assertEqual(answer["unnamed"], {"done": 4, "kept": 1})
        self.assertEqual([(row["row"], row["student_number"]) for row in answer["rows"]], [(0, "T26005")])

    def test_an_older_whole_report_takes_nothing_back(self):
        self.push(("T26000", 1))
        answer = self.push(("T26001", 1), complete=True, as_of=self.iso(self.now - timedelta(hours=1)))
        self.assertEqual(answer["unnamed"], {"old": 1, "done": 4})
        self.assertEqual((self.state(0), self.figure(0)["text"]), ("pending", "1 books"))

    # -- bad rows ------------------------------------------------------------------

    def test_bad_rows_are_named_and_good_ones_done(self):
        soon = self.iso(self.now + timedelta(hours=1))
        bad = {
            "student_number": [
                {"quantity": 0},
                {"student_number": None, "quantity": 0},
                {"student_number": "  ", "quantity": 0},
                {"student_number": True, "quantity": 0},
                {"student_number": ["T26000"], "quantity": 0},
                {"student_number": 1.5, "quantity": 0},
                {"student_number": "T" * 65, "quantity": 0},
                {"student_number": "T26\x00000", "quantity": 0},
                {"student_number": "T26\ud800", "quantity": 0},
                {"student_number": -5, "quantity": 0},
            ],
            "amount": [
                {"student_number": "T26000", "amount": amount}
                for amount in (
                    "much",
                    "1,234.50",
                    "1e5",
                    "-1",
                    -0.01,
                    float("nan"),
                    float("inf"),
                    -float("inf"),
                    True,
                    [],
                    {},
                    10**400,
                    1e13,
                    "9" * 30,
                    "１２",
                )
            ],
            "quantity": [
                {"student_number": "T26000", "quantity": "two"},
                {"student_number": "T26000"},
                {"student_number": "T26000", "quantity": None, "amount": ""},
                {"student_number": "T26000", "note": "2 books"},
            ],
            "as_of": [
                {"student_number": "T26000", "quantity": 0, "as_of": moment}
                for moment in (
                    soon,
                    "yesterday",
                    "2026-06-30",
                    "2026-06-30T08:00:00",
                    1782000000,
                    True,
                    [],
                    "0001-01-01T00:00+14:00",
                    "\x00",
                )
            ],
            "note": [
                {"student_number": "T26000", "quantity": 1, "note": note}
                for note in ("x" * (LONGEST_NOTE + 1), "x" * 10_000_000, 5, "a\x00b", "\ud83d")
            ],
            "step": [
                {"student_number": "T26000", "quantity": 0, "step": step} for step in ("fees", "nothing", 7, "\ud800")
            ],
            "qty": [{"student_number": "T26000", "qty": 2, "quantity": 0}],
            "": [None, "T26000", 7, ["T26000", 0]],
        }
        rows = [(field, row) for field, some in bad.items() for row in some]
        answer = (
            self.env["clearance.feed"]
            .with_user(self.sender)
            .push([*(row for _field, row in rows), {"student_number": "T26005", "quantity": 0}], key="bad")
        )
        self.assertEqual(answer["counts"], {"bad": len(rows), "done": 1})
        self.assertEqual(self.state(5), "approved")
        self.assertEqual(self.state(0), "pending")
        for index, ((field, row), told) in enumerate(zip(rows, answer["rows"], strict=True), 1):
            with self.subTest(index=index, field=field, row=str(row)[:80].encode("ascii", "replace")):
                self.assertEqual((told["row"], told["outcome"]), (index, "bad"))
                self.assertEqual([problem["field"] for problem in told["problems"]], [field])
                self.assertIn(f"Row {index}", told["message"])
                self.assertLess(len(told["message"]), 300)
        self.assertIn("“much”", answer["rows"][10]["message"])
        # It can be sent on as it is, and stands in the run.
        json.dumps(answer, ensure_ascii=False).encode()
        run = self.env["clearance.feed.run"].browse(answer["run"])
        self.assertEqual((run.bad_count, len(run.line_ids), run.line_count), (len(rows), len(rows), len(rows)))

    def test_all_problems_of_a_row(self):
        answer = self.push({"student_number": "", "quantity": -1, "as_of": "soon"})
        self.assertEqual(
            [problem["field"] for problem in answer["rows"][0]["problems"]], ["student_number", "quantity", "as_of"]
        )

    def test_problems_in_the_callers_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        words = self.env["clearance.feed"].with_context(lang="zh_CN")._get_outcome_words()
        told = (
            self.env["clearance.feed"]
            .with_user(self.sender)
            .with_context(lang="zh_CN")
            .push([{"student_number": "X", "quantity": 0}])
        )
        self.assertEqual(told["rows"][0]["message"], words["unknown"])

    def test_reasons_in_the_language_of_the_campus(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.feed.with_context(lang="zh_CN").unit = "本书"
        self.campus.partner_id.lang = "zh_CN"
        self.push(("T26000", 0))
        self.push(("T26000", 2))
        self.assertEqual(self.status(self.students[0], self.books).reason, "2 本书")

    def test_reports_that_are_none(self):
        Feed = self.env["clearance.feed"].with_user(self.sender)
        row = {"student_number": "T26000", "quantity": 0}
        for rows in (None, "T26000", 7, {"student_number": "T26000"}, [row] * (MOST_ROWS + 1)):
            with self.subTest(type(rows)), self.assertRaises(UserError):
                Feed.push(rows)
        for as_of in ("yesterday", "2026-06-30T08:00:00", self.iso(self.now + timedelta(days=1)), 7, [], "\x00"):
            with self.subTest(as_of), self.assertRaisesRegex(UserError, "as_of"):
                Feed.push([row], as_of=as_of)
        self.assertEqual(self.state(), "pending")
        self.assertFalse(self.feed.run_ids)

    def test_clocks_may_differ_a_little(self):
        self.assertEqual(self.take(("T26000", 0), as_of=self.iso(self.now + timedelta(minutes=3))), ["done"])

    def test_a_report_without_rows_says_that_the_system_is_there(self):
        self.push()
        self.assertFalse(self.feed.is_silent)

    def test_a_report_of_bad_rows_says_nothing(self):
        self.push(("T26000", -1))
        self.assertTrue(self.feed.is_silent)

    # -- keys ----------------------------------------------------------------------

    def test_the_same_key_counts_once(self):
        first = self.push(("T26000", 0), ("X", 1), key="2026-06-30/1")
        self.push(("T26000", 3), key="2026-06-30/2")
        self.assertEqual(self.push(("T26000", 0), ("X", 1), key="2026-06-30/1"), first)
        self.assertEqual(self.state(), "pending")
        self.assertEqual(self.feed.run_ids.mapped("key"), ["2026-06-30/2", "2026-06-30/1"])

    def test_long_answers_are_not_kept_whole(self):
        self.patch(clearance_feed_push, "_REMEMBERED", 2)
        rows = [(f"X{number}", 0) for number in range(5)]
        self.assertEqual(len(self.push(*rows, key="k")["rows"]), 5)
        again = self.push(*rows, key="k")
        self.assertEqual((len(again["rows"]), again["counts"]), (2, {"unknown": 5}))

    def test_a_key_is_of_one_report(self):
        self.push(("T26000", 0), key="k")
        for options in ({}, {"complete": True}, {"as_of": self.iso(self.now)}):
            with self.subTest(options), self.assertRaisesRegex(UserError, "“k”"):
                self.push(("T26000", 1), key="k", **options)
        self.assertEqual(self.state(), "approved")

    def test_keys_that_are_none(self):
        for key in ("k" * 65, 7, ["k"], "a\x00", "\ud800"):
            with self.subTest(str(key)[:5].encode("ascii", "replace")), self.assertRaises(UserError):
                self.push(("T26000", 0), key=key)
        self.assertEqual(self.state(), "pending")

    # -- speed ---------------------------------------------------------------------

    def test_queries_do_not_grow(self):
        """Two graduates or four, settled and reopened, beside rows that cannot be done."""
        for turn in (0, 1):  # both ways once: what is asked of the registry for the first time is no matter of rows
            self.push(*((f"T2600{number}", (number + turn) % 2) for number in range(6)))
        counts = []
        for numbers in ((0, 1), (2, 3, 4, 5)):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            rows = [(f"T2600{number}", number % 2) for number in numbers]
            bad = [("X", 0), ("T26000", -1)] * len(numbers)
            self.assertEqual(self.push(*rows, *bad)["counts"]["done"], len(numbers))
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 30)


@tagged("post_install", "-at_install")
class TestFeedSender(FeedCase):
    """Who may send, and what else they may do: nothing."""

    def test_only_the_systems_own_user(self):
        self.other_feed.with_user(self.manager)._make_key()
        people = (
            self.manager,
            self.auditor,
            self.librarian,
            self.lead,
            self.graduate,
            self.stranger,
            self.env.ref("base.user_admin"),
            self.env.ref("base.public_user"),
            self.env.user,
        )
        for user in people:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.push(("T26000", 0), user=user)
        self.assertEqual(self.state(), "pending")

    def test_not_for_another_system(self):
        with self.assertRaises(AccessError):
            self.push(("T26000", 0), feed=self.other_feed.id)
        with self.assertRaises(AccessError):
            self.push(("T26000", 0), feed=0)
        for feed in ("Finance", True, [self.feed.id], 1.5):
            with self.subTest(feed), self.assertRaises(UserError):
                self.push(("T26000", 0), feed=feed)
        self.assertEqual(self.take(("T26000", 0), feed=self.feed.id), ["done"])
        self.assertEqual(self.state(0, self.fees), "pending")

    def test_one_user_for_several_systems(self):
        self.other_feed.push_user_id = self.sender
        with self.assertRaisesRegex(UserError, "Finance"):
            self.push(("T26000", 0))
        self.assertEqual(self.take(("T26000", 0), feed=self.other_feed.id), ["done"])
        self.assertEqual((self.state(0, self.fees), self.state(0)), ("approved", "pending"))

    def test_not_for_a_system_put_away(self):
        self.feed.active = False
        for context in ({}, {"active_test": False}):
            with self.subTest(context), self.assertRaises(AccessError):
                self.env["clearance.feed"].with_user(self.sender).with_context(**context).push([])

    def test_the_callers_context_changes_nothing(self):
        self.books.active = False
        Feed = self.env["clearance.feed"].with_user(self.sender)
        answer = Feed.with_context(active_test=False, clearance_door="desk", allowed_company_ids=[1]).push(
            [{"student_number": "T26000", "quantity": 0}], verbose=True
        )
        self.assertEqual(answer["rows"][0]["outcome"], "no_step")

    def test_it_may_do_nothing_else(self):
        """No access to any record of any model, however it is asked."""
        self.env.invalidate_all()
        env = self.env(user=self.sender)
        allowed = {
            (name, operation)
            for name in self.registry
            if not env[name]._abstract
            for operation in ("read", "write", "create", "unlink")
            if env[name].has_access(operation)
        }
        self.assertEqual(allowed, set())
        for name in ("clearance.student", "clearance.status", "clearance.feed", "clearance.figure", "res.partner"):
            for method, arguments in (("search", [[]]), ("search_count", [[]]), ("read", [[1], ["id"]])):
                with self.subTest(model=name, method=method), self.assertRaises(AccessError):
                    call_kw(env[name], method, arguments, {})

    def test_it_decides_nothing_by_the_gate(self):
        status = self.status(self.students[0], self.card)
        outcomes = call_kw(self.env(user=self.sender)["clearance.status"], "decide", [status.ids, "approve"], {})
        self.assertEqual([outcome["outcome"] for outcome in outcomes], ["not_yours"])

    def test_what_it_enters_by_is_not_public(self):
        for method in ("_take_in", "_hear", "_record_failure", "_make_key", "_cron_alarm"):
            with self.subTest(method), self.assertRaises(AccessError):
                get_public_method(self.env["clearance.feed"], method)

    def test_it_is_no_person(self):
        for group in ("base.group_user", "base.group_portal", "graduate_clearance.group_operator"):
            with self.subTest(group), self.assertRaises(ValidationError), self.cr.savepoint():
                self.sender.group_ids = [Command.link(self.env.ref(group).id)]
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.librarian.group_ids = [Command.link(self.env.ref("graduate_clearance.group_feed").id)]
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self.feed.push_user_id = self.librarian
        self.assertTrue(self.sender.share)

    def test_not_of_another_campus(self):
        campus_b = self.env["res.company"].create({"name": "Campus B"})
        feed = self.env["clearance.feed"].sudo().create({"name": "Library B", "company_id": campus_b.id})
        with self.assertRaises(ValidationError):
            feed.push_user_id = self.sender

    def test_no_other_way_in(self):
        """Neither with a password nor with its key, on a screen or by XML-RPC."""
        key = self.feed.with_user(self.manager)._make_key()
        self.sender.sudo().password = "a long password"
        for interactive in (True, False):
            for password in ("a long password", key):
                with self.subTest(interactive=interactive), self.assertRaises(AccessDenied):
                    self.env["res.users"].with_user(self.sender)._check_credentials(
                        {"type": "password", "login": self.sender.login, "password": password},
                        {"interactive": interactive},
                    )

    # -- keys ----------------------------------------------------------------------

    def test_who_makes_keys(self):
        for user in (self.auditor, self.librarian, self.lead, self.graduate, self.sender):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.feed.with_user(user)._make_key()
                with self.assertRaises(AccessError):
                    self.feed.with_user(user).action_revoke_key()
        self.assertTrue(self.feed.push_key_until)

    def test_who_sees_the_user(self):
        with self.assertRaises(AccessError):
            self.feed.with_user(self.librarian).read(["push_user_id"])
        self.assertTrue(self.feed.with_user(self.manager).push_user_id)

    def test_a_new_key_ends_the_old_one(self):
        Keys = self.env["res.users.apikeys"]
        old = self.feed.with_user(self.manager)._make_key()
        self.assertEqual(Keys._check_credentials(scope="rpc", key=old), self.sender.id)
        new = self.feed.with_user(self.manager)._make_key()
        self.assertFalse(Keys._check_credentials(scope="rpc", key=old))
        self.assertEqual(Keys._check_credentials(scope="rpc", key=new), self.sender.id)
        self.assertEqual(self.feed.push_user_id, self.sender)
        self.assertNotIn(new, str(self.feed.message_ids.mapped("body")))
        self.feed.with_user(self.manager).action_revoke_key()
        self.assertFalse(Keys._check_credentials(scope="rpc", key=new))
        self.assertFalse(self.feed.push_key_until)

    def test_a_deleted_system_takes_its_user_along(self):
        key = self.feed.with_user(self.manager)._make_key()
        self.other_feed.push_user_id = self.sender
        self.books.feed_id = self.fees.feed_id = False
        self.feed.unlink()
        self.assertTrue(self.sender.active, "It sends for another system.")
        self.other_feed.with_user(self.manager).unlink()
        self.assertFalse(self.sender.active)
        self.assertFalse(self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key))

    def test_a_copy_has_no_user(self):
        self.assertFalse(self.feed.copy().push_user_id)


@tagged("post_install", "-at_install")
class TestFeedHttp(FeedCase, HttpCase):
    """The same over HTTP, as the source system does it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = cls.feed.with_user(cls.manager)._make_key()

    def call(self, path="/json/2/clearance.feed/push", body=None, key=None):
        headers = {"Content-Type": "application/json", "Authorization": f"bearer {key or self.key}"}
        data = body if isinstance(body, str) else json.dumps(body or {})
        return self.url_open(path, data=data.encode(), headers=headers, allow_redirects=False)

    def test_push(self):
        rows = [
            {"student_number": "T26000", "quantity": 0, "as_of": self.iso(self.now)},
            {"student_number": "T26001", "quantity": "x"},
        ]
        answer = self.call(body={"rows": rows, "key": "1"})
        self.assertEqual(answer.status_code, 200, answer.text)
        told = answer.json()
        self.assertEqual(told["counts"], {"done": 1, "bad": 1})
        self.assertEqual(told["rows"][0]["problems"][0]["value"], "x")
        self.assertEqual(self.state(), "approved")
        self.assertEqual(self.call(body={"rows": rows, "key": "1"}).json(), told)
        self.assertEqual(len(self.feed.run_ids), 1)

    def test_numbers_that_json_does_not_know(self):
        body = (
            '{"rows": [{"student_number": "T26000", "amount": NaN}, {"student_number": "T26001", "amount": 1e999},'
            ' {"student_number": "\\ud800", "amount": 0}, {"student_number": "T26002", "amount": 0}]}'
        )
        told = self.call(body=body).json()
        self.assertEqual(told["counts"], {"bad": 3, "done": 1})

    def test_errors_as_data(self):
        cases = [
            ({"rows": "T26000"}, 422),
            ({}, 422),
            ({"rows": [], "wrong": 1}, 422),
            ({"rows": [], "as_of": "yesterday"}, 422),
            ({"rows": [], "feed": self.other_feed.id}, 403),
        ]
        for body, status in cases:
            with self.subTest(body):
                answer = self.call(body=body)
                self.assertEqual(answer.status_code, status, answer.text)
                self.assertTrue(answer.json()["message"])
        self.assertEqual(self.call(body="{").status_code, 400)

    def test_other_keys(self):
        for user in (self.manager, self.librarian):
            key = self.env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "test", None)
            with self.subTest(user=user.login):
                answer = self.call(body={"rows": []}, key=key)
                self.assertEqual(answer.status_code, 403, answer.text)
        self.assertEqual(self.call(body={"rows": []}, key="0" * 40).status_code, 401)
        self.feed.with_user(self.manager).action_revoke_key()
        self.assertEqual(self.call(body={"rows": []}).status_code, 401)

    def test_nothing_else_opens(self):
        paths = [
            "/json/2/clearance.feed/search_read",
            "/json/2/clearance.feed/action_make_key",
            "/json/2/clearance.status/decide",
            "/json/2/clearance.student/search_read",
            "/json/2/res.users/read",
            "/json/2/res.users/context_get",
            "/json/2/res.users/has_group",
            "/json/2/res.partner/search_read",
            "/json/2/res.lang/get_installed",
            "/json/2/clearance.feed/push/",
            "/json/2/clearance.feed//push",
            "/json/1/clearance.feed",
        ]
        for path in paths:
            with self.subTest(path), mute_logger("odoo.http"):
                answer = self.call(path, body={"domain": [], "ids": [self.sender.id], "rows": []})
                self.assertIn(answer.status_code, (301, 303, 307, 308, 403, 404, 405), answer.text)
        for path in ("/web", "/odoo", "/my", "/my/clearance", "/odoo/action-base.action_res_users"):
            with self.subTest(path):
                answer = self.url_open(path, headers={"Authorization": f"bearer {self.key}"}, allow_redirects=False)
                self.assertIn(answer.status_code, (302, 303), path)
                self.assertIn("/web/login", answer.headers["Location"])

    @mute_logger("odoo.addons.base.models.res_users")
    def test_no_log_in(self):
        self.sender.sudo().password = "a long password"
        with self.assertRaises(AccessDenied):
            self.authenticate(self.sender.login, "a long password")
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "params": {
                "service": "object",
                "method": "execute_kw",
                "args": [self.env.cr.dbname, self.sender.id, self.key, "res.users", "context_get", []],
            },
        }
        with mute_logger("odoo.http"):
            answer = self.url_open("/jsonrpc", data=json.dumps(body), headers={"Content-Type": "application/json"})
        self.assertEqual(answer.json()["error"]["data"]["name"], "odoo.exceptions.AccessDenied")

    def test_the_button_asks_for_the_password_first(self):
        self.authenticate(self.manager.login, self.manager.login)
        answer = self.make_jsonrpc_request(
            "/web/dataset/call_button/clearance.feed/action_make_key",
            {"model": "clearance.feed", "method": "action_make_key", "args": [self.feed.ids], "kwargs": {}},
        )
        self.assertEqual(answer["res_model"], "res.users.identitycheck")
        found = self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=self.key)
        self.assertEqual(found, self.sender.id, "The key is good until there is a new one.")
