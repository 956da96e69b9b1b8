"""What source systems say: figures, what follows from them, and their silence."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestFeed(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()
        cls.feed = cls.env["clearance.feed"].create(
            {"name": "Library system", "company_id": cls.campus.id, "unit": "books", "silent_after": 24}
        )
        cls.books.feed_id = cls.feed
        cls.now = fields.Datetime.now().replace(microsecond=0)

    def hear(self, as_of=None, **owed):
        """Let the library speak; numbers of books by student number."""
        rows = [{"student_number": number, "quantity": quantity} for number, quantity in owed.items()]
        return self.feed._hear(self.books, rows, as_of or self.now)

    def figures(self, student):
        status = self.status(student, self.books)
        return self.env["clearance.feed"]._get_figures(status.ids).get(status.id)

    def test_zero_settles_and_owing_reopens(self):
        self.assertEqual(self.hear(T26000=0, T26001=2), {"T26000": "done", "T26001": "already"})
        first, second = (self.status(student, self.books) for student in self.students[:2])
        self.assertEqual((first.state, first.door, second.state), ("approved", "feed", "pending"))
        self.assertEqual(self.figures(self.students[1])["text"], "2 books")
        self.assertEqual(self.figures(self.students[0])["text"], "nothing owed")
        later = self.now + timedelta(minutes=5)
        self.assertEqual(self.hear(later, T26000=1, T26001=0), {"T26000": "done", "T26001": "done"})
        self.assertEqual((first.state, first.reason, second.state), ("pending", "1 books", "approved"))
        self.assertEqual(self.feed.heard_at, later)

    def test_the_same_again_changes_nothing(self):
        self.hear(T26000=0, T26001=2)
        lines = self.env["clearance.log"].search_count([])
        self.assertEqual(self.hear(T26000=0, T26001=2), {"T26000": "already", "T26001": "already"})
        self.assertEqual(self.env["clearance.log"].search_count([]), lines)

    def test_older_words_are_ignored(self):
        self.hear(T26000=0)
        self.assertEqual(self.hear(self.now - timedelta(hours=1), T26000=3), {"T26000": "old"})
        self.assertEqual(self.status(self.students[0], self.books).state, "approved")
        self.assertEqual(self.figures(self.students[0])["text"], "nothing owed")
        self.assertEqual(self.feed.heard_at, self.now)

    def test_a_persons_decision_stands(self):
        status = self.status(self.students[0], self.books)
        self.assertEqual(self.decide(status.with_user(self.librarian), "approve", "Paid for the lost book"), ["done"])
        self.assertEqual(self.hear(T26000=1), {"T26000": "kept"})
        self.assertEqual(status.state, "approved")
        # Both are shown: the decision, and what the system says.
        self.assertEqual(self.figures(self.students[0])["text"], "1 books")

    def test_unknown_numbers(self):
        self.assertEqual(self.hear(X1=0, T26000=0), {"X1": "unknown", "T26000": "done"})

    def test_silence(self):
        self.assertTrue(self.feed.is_silent)
        self.hear(T26001=2)
        self.assertFalse(self.feed.is_silent)
        self.assertFalse(self.figures(self.students[1])["silent"])
        self.feed.heard_at = self.now - timedelta(hours=25)
        self.assertTrue(self.figures(self.students[1])["silent"])
        Feed = self.env["clearance.feed"]
        self.assertIn(self.feed, Feed.search([("is_silent", "=", True)]))
        self.assertNotIn(self.feed, Feed.search([("is_silent", "=", False)]))

    def test_amounts_in_the_currency_of_the_campus(self):
        self.campus.currency_id = self.env.ref("base.CNY")
        self.fees.feed_id = self.feed.copy({"name": "Finance", "unit": False})
        self.fees.feed_id._hear(self.fees, [{"student_number": "T26000", "amount": 1234.5}], self.now)
        status = self.status(self.students[0], self.fees)
        self.assertIn("1,234.50", self.env["clearance.feed"]._get_figures(status.ids)[status.id]["text"])
        self.assertIn("¥", self.env["clearance.feed"]._get_figures(status.ids)[status.id]["text"])

    def test_queries_do_not_grow(self):
        counts = []
        self.hear(self.now - timedelta(days=1), T26005=0)
        for size in (1, 5):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.hear(self.now - timedelta(hours=6 - size), **{f"T2600{number}": 0 for number in range(5 - size, 5)})
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def test_who_may_touch_it(self):
        self.hear(T26000=2)
        for user in (self.librarian, self.lead, self.graduate):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.feed.with_user(user).write({"name": "Mine"})
                with self.assertRaises(AccessError):
                    self.env["clearance.figure"].with_user(user).search([])
        with self.assertRaises(AccessError):
            self.feed.with_user(self.graduate).read(["name"])
        with self.assertRaises(AccessError):
            self.env["clearance.figure"].with_user(self.manager).search([], limit=1).write({"quantity": 0})
