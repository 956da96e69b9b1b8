"""Two people at once, on two real connections: nothing is lost, nothing slips through.

A test of Odoo's own shares one connection among all users, so none of this can be seen there.
"""

import threading
import time
from datetime import timedelta

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def people(registry):
    """Three graduates with two free steps and one that waits for both; committed."""
    return Campus(registry)


class Campus:
    count = 0

    def __init__(self, registry):
        from odoo import fields
        from odoo.fields import Command

        self.registry = registry
        Campus.count += 1
        with self.session() as env:
            now = fields.Datetime.now()
            students = env["clearance.student"].create(
                [{"student_number": f"C{Campus.count}-{number}", "name": f"Graduate {number}"} for number in range(3)]
            )
            session = env["clearance.session"].create(
                {
                    "name": f"Session {Campus.count}",
                    "open_from": now - timedelta(days=1),
                    "open_until": now + timedelta(days=1),
                    "student_domain": str([("id", "in", students.ids)]),
                }
            )
            station = env["clearance.station"].create({"name": "Desk"})
            steps = env["clearance.step"].create(
                [
                    {"name": name, "session_id": session.id, "station_id": station.id, "sequence": number}
                    for number, name in enumerate(("card", "books", "degree"))
                ]
            )
            steps[2].prerequisite_ids = [Command.set(steps[:2].ids)]
            session._open()
            self.steps = dict(zip(steps.mapped("name"), steps.ids, strict=True))
            self.forms = session.form_ids.sorted("student_id").ids

    def session(self):
        """An environment with a real transaction of its own, committed at the end."""
        return Session(self.registry)

    def statuses(self, env, step, count=1):
        domain = [("step_id", "=", self.steps[step]), ("form_id", "in", self.forms[:count])]
        return env["clearance.status"].search(domain, order="id")

    def decide(self, env, step, decision, count=1, reverse=False):
        statuses = self.statuses(env, step, count)
        statuses = statuses.browse(reversed(statuses.ids)) if reverse else statuses
        return [outcome.code for outcome in statuses._decide(decision, "api", "a reason")]

    def undo(self, env, step, count=1, reason=None):
        """Take back the latest decision on each status of a step."""
        latest = env["clearance.log"].search([("status_id", "in", self.statuses(env, step, count).ids)], order="id")
        lines = {line.status_id.id: line.id for line in latest}
        return [outcome.code for outcome in env["clearance.status"]._undo(list(lines.values()), "desk", reason)]

    def lift(self, env, step):
        """Lift the restriction of a step of the first graduate."""
        return env["clearance.override"]._lift(self.statuses(env, step).ids, "Proof", door="desk")[0].code

    def settle(self, *steps, count=1):
        with self.session() as env:
            for step in steps:
                assert set(self.decide(env, step, "approve", count)) == {"done"}

    def look(self, step, count=1):
        with self.session() as env:
            return [(status.state, status.needs_review) for status in self.statuses(env, step, count)]

    def form_state(self):
        with self.session() as env:
            return env["clearance.form"].browse(self.forms[0]).state

    def log(self, step):
        with self.session() as env:
            lines = env["clearance.log"].search([("status_id", "in", self.statuses(env, step).ids)])
            return lines.mapped("action")


class Session:
    def __init__(self, registry):
        from odoo import SUPERUSER_ID, api

        self.cr = registry.cursor()
        self.env = api.Environment(self.cr, SUPERUSER_ID, {})

    def __enter__(self):
        return self.env

    def __exit__(self, kind, *_error):
        if kind is None:
            self.cr.commit()
        self.cr.close()


class Colleague(threading.Thread):
    """Somebody else's request, run and retried as Odoo runs and retries a request."""

    def __init__(self, people, *decision, act=None, **options):
        super().__init__(daemon=True)
        self.people = people
        self.decide = act or (lambda env: people.decide(env, *decision, **options))
        self.tries = 0
        self.answer = self.pid = None
        self.begun = threading.Event()
        self.start()

    def run(self):
        from odoo.service.model import retrying
        from odoo.tools import mute_logger

        # A serialization failure is meant here: Odoo logs it, and tries again.
        with mute_logger("odoo.sql_db"), self.people.session() as env:

            def attempt():
                self.tries += 1
                env.cr.execute("SELECT pg_backend_pid()")
                self.pid = env.cr.fetchone()[0]
                self.begun.set()
                return self.decide(env)

            self.answer = retrying(attempt, env)

    def wait_until_blocked(self):
        """Return as soon as the database makes this request wait for another."""
        assert self.begun.wait(30)
        limit = time.monotonic() + 30
        with self.people.session() as env:
            while time.monotonic() < limit:
                env.cr.execute("SELECT cardinality(pg_blocking_pids(%s))", [self.pid])
                if env.cr.fetchone()[0]:
                    return
                assert self.is_alive(), f"went through without waiting: {self.answer}"
        pytest.fail("was never made to wait")

    def result(self):
        self.join(60)
        assert not self.is_alive(), "still waiting"
        return self.answer


def test_reopening_waits_for_an_approval_that_relies_on_it(people):
    people.settle("card", "books")
    with people.session() as env:
        assert people.decide(env, "degree", "approve") == ["done"]
        colleague = Colleague(people, "card", "reopen")
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"]
    assert colleague.tries == 2, "the first try could not see the approval"
    assert people.look("card") == [("pending", False)]
    assert people.look("degree") == [("approved", True)]
    assert people.form_state() == "open"


def test_approval_waits_for_a_reopening(people):
    people.settle("card", "books")
    with people.session() as env:
        assert people.decide(env, "card", "reopen") == ["done"]
        colleague = Colleague(people, "degree", "approve")
        colleague.wait_until_blocked()
    assert colleague.result() == ["missing"]
    assert people.look("degree") == [("pending", False)]


def test_last_two_approvals_in_the_same_instant(people):
    with people.session() as env:
        people.decide(env, "degree", "set_not_required")
    with people.session() as env_1, people.session() as env_2:
        assert people.decide(env_1, "card", "approve") == ["done"]
        assert people.decide(env_2, "books", "approve") == ["done"]
    assert people.form_state() == "cleared"


def test_double_click_acts_once(people):
    with people.session() as env:
        assert people.decide(env, "card", "approve") == ["done"]
        colleague = Colleague(people, "card", "approve")
        colleague.wait_until_blocked()
    assert colleague.result() == ["already"]
    assert people.log("card") == ["approve"]


def test_confirm_and_reject_at_once(people):
    with people.session() as env:
        assert people.decide(env, "card", "approve") == ["done"]
        colleague = Colleague(people, "card", "reject")
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"], "the second sees the first one's decision and corrects it"
    assert people.log("card") == ["reject", "approve"]


def test_stations_do_not_wait_for_each_other(people):
    with people.session() as env:
        assert people.decide(env, "card", "approve", count=3) == ["done"] * 3
        with people.session() as other:
            other.cr.execute("SET LOCAL lock_timeout = '2s'")
            assert people.decide(other, "books", "approve", count=3) == ["done"] * 3
    assert people.look("card", 3) == people.look("books", 3) == [("approved", False)] * 3


def test_two_batches_over_the_same_graduates(people):
    with people.session() as env:
        assert people.decide(env, "card", "approve", count=2) == ["done"] * 2
        colleague = Colleague(people, "card", "approve", count=3, reverse=True)
        colleague.wait_until_blocked()
    assert colleague.result() == ["done", "already", "already"]
    assert people.look("card", 3) == [("approved", False)] * 3
    assert people.log("card") == ["approve"]


def test_settling_survives_a_crash_between_commit_and_settling(people):
    session = people.session()
    with session as env:
        for step in ("card", "books", "degree"):
            people.decide(env, step, "approve")
        session.cr.postcommit.clear()
    assert people.form_state() == "open"
    with people.session() as env:
        env["clearance.form"]._cron_settle()
    assert people.form_state() == "cleared"


def test_undo_waits_for_a_colleague(people):
    """A decision is undone only where nobody has decided since, also in the same instant."""
    people.settle("card")
    with people.session() as env:
        lines = env["clearance.log"].search([("status_id", "in", people.statuses(env, "card").ids)]).ids
        assert people.decide(env, "card", "reject") == ["done"]
        colleague = Colleague(people, act=lambda env: env["clearance.status"]._undo(lines, "desk")[0].code)
        colleague.wait_until_blocked()
    assert colleague.result() == "changed"
    assert people.look("card") == [("rejected", False)]


def test_approval_waits_for_an_undoing_it_relies_on(people):
    people.settle("card", "books")
    with people.session() as env:
        assert people.undo(env, "card") == ["done"]
        colleague = Colleague(people, "degree", "approve")
        colleague.wait_until_blocked()
    assert colleague.result() == ["missing"]
    assert people.look("degree") == [("pending", False)]


def test_undone_reopening_against_another_reopening(people):
    """The mark for another look stays when somebody reopens the other prerequisite at the same time."""
    people.settle("card", "books", "degree")
    with people.session() as env:
        assert people.decide(env, "card", "reopen") == ["done"]
    assert people.look("degree") == [("approved", True)]
    with people.session() as env:
        assert people.decide(env, "books", "reopen") == ["done"]
        colleague = Colleague(people, act=lambda env: people.undo(env, "card"))
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"]
    assert people.look("card") == [("approved", False)]
    assert people.look("degree") == [("approved", True)]


def test_same_request_twice_at_once(people):
    """A retry that overtakes its first try: one acts, the other gets its answer."""

    def confirm(env):
        statuses = people.statuses(env, "card")
        return env["clearance.desk"].decide("key-1", "approve", statuses.ids)["outcomes"]

    with people.session() as env:
        first = confirm(env)
        colleague = Colleague(people, act=confirm)
        colleague.wait_until_blocked()
    assert colleague.result() == first
    assert colleague.tries == 2
    assert people.log("card") == ["approve"]


def test_desks_hear_of_a_decision(people):
    """After the commit, and at most once a second, however many are confirmed."""
    from odoo.addons.graduate_clearance.models import clearance_desk_live

    def notes():
        with people.session() as env:
            return env["bus.bus"].search_count([("message", "like", "clearance.changed")])

    clearance_desk_live._told.clear()
    before = notes()
    with people.session() as env:
        people.decide(env, "card", "approve")
        people.decide(env, "books", "approve")
        assert notes() == before, "nothing is said before the commit"
    assert notes() == before + 1
    for _time in range(3):
        with people.session() as env:
            people.decide(env, "card", "reopen")
        with people.session() as env:
            people.decide(env, "card", "approve")
    assert notes() <= before + 3


def test_lifted_once_by_two_officers(people):
    """Two officers at once: one deferral, one line in the log."""
    with people.session() as env:
        assert people.lift(env, "card") == "done"
        colleague = Colleague(people, act=lambda env: people.lift(env, "card"))
        colleague.wait_until_blocked()
    assert colleague.result() == "already"
    assert people.log("card") == ["lift"]


def test_settled_while_being_lifted(people):
    """What a desk settles in the same moment needs no deferral any more."""
    with people.session() as env:
        assert people.decide(env, "card", "approve") == ["done"]
        colleague = Colleague(people, act=lambda env: people.lift(env, "card"))
        colleague.wait_until_blocked()
    assert colleague.result() == "settled"
