"""Source systems that report at once, and beside people at their desks, on real connections."""

from datetime import timedelta

import pytest
from test_two_people import Campus, Colleague

pytestmark = pytest.mark.slow


@pytest.fixture
def people(registry):
    return Systems(registry)


class Systems(Campus):
    """Three graduates; the library's system reports on books, that of the card office on cards."""

    def __init__(self, registry):
        super().__init__(registry)
        self.senders = {}
        with self.session() as env:
            for step in ("books", "card"):
                feed = env["clearance.feed"].create({"name": f"{step} {Campus.count}", "unit": step})
                env["clearance.step"].browse(self.steps[step]).feed_id = feed
                feed._make_key()
                self.senders[step] = feed.push_user_id.id

    def push(self, env, *quantities, step="books", ago=0, **options):
        """Outcomes of a report on the first graduates, in their order."""
        from odoo import fields

        forms = env["clearance.form"].browse(self.forms[: len(quantities)])
        as_of = fields.Datetime.now() - timedelta(minutes=ago)
        rows = [
            {"student_number": number, "quantity": quantity, "as_of": f"{as_of.isoformat()}Z"}
            for number, quantity in zip(forms.mapped("student_number"), quantities, strict=True)
        ]
        Feed = env["clearance.feed"].with_user(self.senders[step])
        answer = Feed.push(rows, verbose=True, **options)
        return [row["outcome"] for row in answer["rows"]]

    def runs(self, step="books"):
        with self.session() as env:
            return env["clearance.feed.run"].search_count([("user_id", "=", self.senders[step])])

    def figure(self, step="books"):
        with self.session() as env:
            status = self.statuses(env, step)
            return env["clearance.feed"]._get_figures(status.ids)[status.id]["text"]


def test_two_reports_at_once(people):
    """The older one comes second, and does not take the newer one back."""
    with people.session() as env:
        assert people.push(env, 2, 0, 0) == ["already", "done", "done"]
        colleague = Colleague(people, act=lambda env: people.push(env, 0, 1, 0, ago=5))
        colleague.wait_until_blocked()
    assert colleague.result() == ["old", "old", "old"]
    assert colleague.tries == 2
    assert people.look("books", 3) == [("pending", False), ("approved", False), ("approved", False)]
    assert people.figure() == "2 books"
    assert people.runs() == 2


def test_the_newer_report_comes_second(people):
    with people.session() as env:
        assert people.push(env, 0, ago=5) == ["done"]
        colleague = Colleague(people, act=lambda env: people.push(env, 1))
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"]
    assert people.look("books") == [("pending", False)]
    assert people.log("books") == ["reopen", "approve"]


def test_the_same_report_twice_at_once(people):
    """A system that did not wait for its answer sends again, under the same key."""
    rows = [{"student_number": "nobody", "quantity": 1}]

    def send(env):
        return env["clearance.feed"].with_user(people.senders["books"]).push(rows, key="night")

    with people.session() as env:
        first = send(env)
        colleague = Colleague(people, act=send)
        colleague.wait_until_blocked()
    assert colleague.result() == first
    assert people.runs() == 1


def test_two_systems_do_not_wait_for_each_other(people):
    with people.session() as env:
        assert people.push(env, 0, 0, 0) == ["done"] * 3
        with people.session() as other:
            other.cr.execute("SET LOCAL lock_timeout = '2s'")
            assert people.push(other, 0, 0, 0, step="card") == ["done"] * 3


def test_a_report_while_a_desk_confirms(people):
    """Both settle the step in the same moment: one decision."""
    with people.session() as env:
        assert people.decide(env, "books", "approve") == ["done"]
        colleague = Colleague(people, act=lambda env: people.push(env, 0))
        colleague.wait_until_blocked()
    assert colleague.result() == ["already"]
    assert people.log("books") == ["approve"]


def test_a_report_while_a_desk_decides_otherwise(people):
    """The person's decision stands, whoever came first."""
    with people.session() as env:
        assert people.decide(env, "books", "reject") == ["done"]
        colleague = Colleague(people, act=lambda env: people.push(env, 0))
        colleague.wait_until_blocked()
    assert colleague.result() == ["kept"]
    assert people.look("books") == [("rejected", False)]
    assert people.figure() == "nothing owed"


def test_a_desk_while_a_report_comes_in(people):
    with people.session() as env:
        assert people.push(env, 0) == ["done"]
        colleague = Colleague(people, "books", "reject")
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"]
    assert people.look("books") == [("rejected", False)]
    assert people.log("books") == ["reject", "approve"]


def test_owing_while_a_desk_confirms(people):
    """The system says that something is owed, a person says that it is settled: both stand."""
    with people.session() as env:
        assert people.decide(env, "books", "approve") == ["done"]
        with people.session() as other:
            assert people.push(other, 2) == ["already"], "it is open as far as the system can see"
    assert people.look("books") == [("approved", False)]
    assert people.figure() == "2 books"


def test_a_reopening_marks_an_approval_of_the_same_moment(people):
    people.settle("card")
    with people.session() as env:
        assert people.push(env, 0) == ["done"]
    with people.session() as env:
        assert people.decide(env, "degree", "approve") == ["done"]
        colleague = Colleague(people, act=lambda env: people.push(env, 1))
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"]
    assert people.look("degree") == [("approved", True)]
