"""The feed of changes while people are at work: nothing is left out, nothing told twice."""

import random
import threading
import time
from datetime import timedelta

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def campus(registry):
    """Forty graduates with one step, committed: ids of the statuses."""
    from odoo import fields

    with environment(registry) as env:
        now = fields.Datetime.now()
        env["clearance.student"].create(
            [{"student_number": f"C{number}", "name": f"Graduate {number}"} for number in range(40)]
        )
        session = env["clearance.session"].create(
            {
                "name": "Session",
                "open_from": now - timedelta(days=1),
                "open_until": now + timedelta(days=1),
                "student_domain": "[('student_number', '=like', 'C%')]",
            }
        )
        station = env["clearance.station"].create({"name": "Desk"})
        env["clearance.step"].create({"name": "card", "session_id": session.id, "station_id": station.id})
        session._open()
        return session.form_ids.status_ids.ids


class environment:
    """A transaction of its own, committed at the end."""

    def __init__(self, registry):
        self.registry = registry

    def __enter__(self):
        from odoo import SUPERUSER_ID, api

        self.cr = self.registry.cursor()
        admin = api.Environment(self.cr, SUPERUSER_ID, {}).ref("base.user_admin").id
        return api.Environment(self.cr, admin, {})

    def __exit__(self, kind, *_rest):
        if kind is None:
            self.cr.commit()
        self.cr.close()


def read(registry, since, limit=500):
    with environment(registry) as env:
        return env["clearance.api"].get_changes(since=since, limit=limit)


def wait_for(registry, since, count):
    """Ask until so many changes have come; others in the cluster may hold them back for a moment."""
    found, until = [], time.monotonic() + 30
    while len(found) < count and time.monotonic() < until:
        answer = read(registry, since)
        found, since = found + answer["changes"], answer["next"]
        time.sleep(0.05)
    return found, since


def decide(env, status_ids, decision="approve"):
    outcomes = env["clearance.status"].browse(status_ids)._decide(decision, "api", "Because")
    assert {outcome.code for outcome in outcomes} == {"done"}


def test_a_slow_batch_is_not_missed(registry, campus):
    """Its lines have lower numbers than those of a quick confirmation that was committed before."""
    since = read(registry, "now")["next"]
    slow = environment(registry)
    decide(slow.__enter__(), campus[:5])
    with environment(registry) as env:
        decide(env, campus[5:6])
    early = read(registry, since)
    slow.__exit__(None)
    late, since = wait_for(registry, early["next"], 6 - len(early["changes"]))
    told = early["changes"] + late
    assert sorted(change["status_id"] for change in told) == sorted(campus[:6])
    assert len({change["id"] for change in told}) == 6
    assert read(registry, since)["changes"] == []


def test_work_elsewhere_holds_nothing_back(registry, campus):
    """A server numbers the transactions of all its databases together; only those of this one count."""
    from odoo import sql_db

    since = read(registry, "now")["next"]
    with sql_db.db_connect("postgres").cursor() as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        with environment(registry) as env:
            decide(env, campus[6:8])
        told, since = wait_for(registry, since, 2)
        elsewhere.rollback()
    assert sorted(change["status_id"] for change in told) == sorted(campus[6:8])


def test_older_work_holds_back_until_it_is_over(registry, campus):
    """Whoever has begun to write may still write lines: they come in their turn."""
    since = read(registry, "now")["next"]
    older = environment(registry)
    older_env = older.__enter__()
    older_env.cr.execute("SELECT pg_current_xact_id()")
    with environment(registry) as env:
        decide(env, campus[8:9])
    early = read(registry, since)
    assert early["changes"] == []
    decide(older_env, campus[9:10])
    older.__exit__(None)
    told, since = wait_for(registry, early["next"], 2)
    assert sorted(change["status_id"] for change in told) == sorted(campus[8:10])


def test_what_is_rolled_back_is_not_told(registry, campus):
    _none, since = wait_for(registry, read(registry, "now")["next"], 0)
    gone = environment(registry)
    decide(gone.__enter__(), campus[10:15])
    gone.__exit__(RuntimeError)
    with environment(registry) as env:
        decide(env, campus[15:17])
    told, since = wait_for(registry, since, 2)
    assert sorted(change["status_id"] for change in told) == sorted(campus[15:17])


def test_everybody_at_work(registry, campus):
    """Four people confirm, reopen, linger and give up, in savepoints too, while one reads in small pages."""
    since = read(registry, "now")["next"]
    with environment(registry) as env:
        env.cr.execute("SELECT COALESCE(max(id), 0) FROM clearance_log")
        first = env.cr.fetchone()[0]
    failures, over = [], threading.Event()

    def work(number):
        chance = random.Random(number)  # noqa: S311
        own = campus[20 + 5 * number : 25 + 5 * number]
        try:
            for turn in range(12):
                transaction = environment(registry)
                env = transaction.__enter__()
                with env.cr.savepoint():
                    decide(env, own, "reopen" if turn % 2 else "approve")
                time.sleep(chance.random() / 20)
                # Every third time it comes to nothing, and is done once more.
                if turn % 3 == 2:
                    transaction.__exit__(RuntimeError)
                    with environment(registry) as env:
                        decide(env, own, "reopen" if turn % 2 else "approve")
                else:
                    transaction.__exit__(None)
        except Exception as error:
            failures.append(error)

    told = []

    def poll():
        nonlocal since
        quiet_until = None
        while True:
            answer = read(registry, since, limit=7)
            told.extend(change["id"] for change in answer["changes"])
            since = answer["next"]
            if over.is_set() and not answer["changes"]:
                quiet_until = quiet_until or time.monotonic() + 1
                if time.monotonic() > quiet_until:
                    return

    people = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    reader = threading.Thread(target=poll)
    for thread in (*people, reader):
        thread.start()
    for thread in people:
        thread.join()
    over.set()
    reader.join(60)
    assert not failures
    with environment(registry) as env:
        env.cr.execute("SELECT id FROM clearance_log WHERE id > %s", [first])
        written = sorted(row[0] for row in env.cr.fetchall())
    assert len(written) == 4 * 12 * 5
    assert sorted(told) == written
