"""Whatever the number of rows, the number of queries stays the same."""

from contextlib import contextmanager

from odoo.tests.common import tagged

from ..demo.campus import Campus
from .test_campaign import CampusCommon

#: queries of an opening (half of them read session, steps and desks) and of a decision,
#: beyond those that find out who asks
_OPENING, _DECISION = 12, 3


@tagged("post_install", "-at_install")
class TestPerformance(CampusCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus = Campus(cls.env, 120)
        cls.campus.build_roster()

    @contextmanager
    def _counting(self):
        """Yield a list that holds the number of queries once the block is left."""
        # A second opening within the same second would find its time written already.
        self.campus.session.applied_at = "2000-01-01"
        self.env.flush_all()
        self.env.invalidate_all()
        counted = []
        self._find_out_who_asks()
        before = self.env.cr.sql_log_count
        yield counted
        self.env.flush_all()
        counted.append(self.env.cr.sql_log_count - before)

    def _find_out_who_asks(self):
        for user in (self.env.user, *self.campus.people.values()):
            user.mapped("tz")
        self.company.partner_id.mapped("tz")

    def _count(self, act):
        """Queries of ``act``, the second time: what is read once for all users is cached then."""
        with self.env.cr.savepoint() as savepoint:
            act()
            savepoint.rollback()
        with self._counting() as counted:
            act()
        return counted[0]

    def _open(self):
        self.campus.session._open()

    def _find(self, key, user):
        Status = self.env["clearance.status"].with_user(user)
        return Status.search([("step_id", "=", self.campus.steps[key].id), ("is_open", "=", True)])

    def test_opening(self):
        """As many queries for 20 graduates as for 120, first and again."""
        session, counts = self.campus.session, {}
        for size, graduates in ((20, self.campus.students[:20]), (120, self.campus.students)):
            with self.env.cr.savepoint() as savepoint:
                session.student_domain = f"[('id', 'in', {graduates.ids})]"
                counts[size] = self._count(self._open)
                self.assertEqual(session.form_count, size)
                counts[f"{size} again"] = self._count(self._open)
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
        self.assertEqual(counts[20], counts[120], counts)
        self.assertEqual(counts["20 again"], counts["120 again"], counts)
        self.assertLessEqual(max(counts.values()), _OPENING, counts)

    def test_decisions(self):
        """One row, a class of 40 or everybody: the same queries, none of them for a row."""
        self._open()
        user = self.campus.people["affairs"]
        cards = self._find("card", user)
        counts = {}
        for size in (1, 40, 120):
            with self.env.cr.savepoint() as savepoint:
                counts[size] = self._count(lambda rows=cards[:size]: rows._decide("approve", "batch"))
                savepoint.rollback()
        self.assertEqual(len(set(counts.values())), 1, counts)
        # One of these settles the forms, which in real life happens after the commit.
        self.assertLessEqual(counts[1], _DECISION + 1, counts)

    def test_refusals(self):
        """Certificates that wait for eight steps each cost no query a row, nor do their messages."""
        self._open()
        user = self.campus.people["college"]
        degrees = self._find("degree", user)
        counts = {}
        for size in (1, 40):
            rows = degrees[:size]
            counts[size] = self._count(lambda rows=rows: rows._explain(rows._decide("approve", "batch")))
        self.assertEqual(counts[1], counts[40], counts)

    def test_statistics(self):
        counts = {}
        for size, graduates in ((20, self.campus.students[:20]), (120, self.campus.students)):
            with self.env.cr.savepoint() as savepoint:
                self.campus.session.student_domain = f"[('id', 'in', {graduates.ids})]"
                self._open()
                counts[size] = self._count(self.campus.session.get_statistics)
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
        self.assertEqual(counts[20], counts[120], counts)

    def test_ready_list(self):
        """A page of what is ready at an operator's stations."""
        self._open()
        Status = self.env["clearance.status"].with_user(self.campus.people["affairs"])
        domain = [("is_mine", "=", True), ("ready", "=", True)]
        counts = {
            limit: self._count(lambda limit=limit: Status.search_fetch(domain, ["state"], limit=limit))
            for limit in (1, 80)
        }
        self.assertEqual(len(Status.search(domain, limit=80)), 80)
        self.assertEqual(counts[1], counts[80], counts)

    def test_records(self):
        """Whole records: of one graduate, as on a portal page, or of a class, as in the matrix."""
        self._open()
        forms = self.env["clearance.form"].search([("session_id", "=", self.campus.session.id)])
        clerk = self.campus.people["affairs"]
        counts = {size: self._count(forms[:size].with_user(clerk)._get_records) for size in (1, 40)}
        self.assertEqual(counts[1], counts[40], counts)
        graduate = self.campus.graduates[0]
        own = forms.filtered(lambda form: form.partner_id == graduate.partner_id).with_user(graduate)
        self.assertLessEqual(self._count(own._get_records), counts[1])
