"""What source systems send: a report of many rows, beside one statement that does the same with them."""

import resource
import time
import tracemalloc

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL

from . import odoo_env
from .measure import Meter

#: rows of one report: an hour of a busy system, and the largest that is promised
COUNTS = (10_000, 50_000)
_CHUNK = 5_000


def measure(database, say=print, counts=COUNTS, repetitions=3):
    """Make as many graduates as the largest report has rows, then send reports of each size.

    :return: dict ``results`` (of :class:`Meter`), ``memory`` (see :func:`measure_memory`)
    """
    sender_id = make_campus(database, max(counts), say)
    meter = Meter(database, say)
    for count in counts:
        meter.compare(
            "push",
            count,
            lambda env, count=count: one_statement(env, make_rows(count)),
            lambda env, count=count: lambda: check(env["clearance.feed"].push(make_rows(count)), count),
            user_id=sender_id,
            repetitions=repetitions,
            target=2.5,
            writes=True,
        )
    return {"results": meter.results, "memory": measure_memory(database, sender_id, counts, say)}


def make_campus(database, count, say=print):
    """Graduates with one step that the library's system settles, half of them settled; answer who sends."""
    start = time.monotonic()
    with odoo_env.open_cursor(database) as cr:
        env = odoo_env.make_environment(cr)
        env = env(context={**env.context, "tracking_disable": True, "mail_create_nolog": True})
        for first in range(0, count, _CHUNK):
            env["clearance.student"].create(
                [
                    {"student_number": f"F{number:07}", "name": f"Graduate {number}"}
                    for number in range(first, min(first + _CHUNK, count))
                ]
            )
            cr.commit()
            env.invalidate_all()
        station = env["clearance.station"].create({"name": "Library"})
        now = fields.Datetime.now()
        session = env["clearance.session"].create(
            {
                "name": "Reports",
                "open_from": fields.Datetime.subtract(now, days=1),
                "open_until": fields.Datetime.add(now, days=1),
                "student_domain": "[('student_number', '=like', 'F%')]",
            }
        )
        feed = env["clearance.feed"].create({"name": "Library system", "unit": "books"})
        books, degree = env["clearance.step"].create(
            [
                {"name": name, "session_id": session.id, "station_id": station.id, "sequence": number, **values}
                for number, (name, values) in enumerate(
                    (("Return books", {"mode": "feed", "feed_id": feed.id}), ("Degree certificate", {}))
                )
            ]
        )
        degree.prerequisite_ids = [Command.set(books.ids)]
        session._open()
        feed._make_key()
        env["clearance.status"].search([("step_id", "=", books.id)])[::2]._decide("approve", "feed")
        sender_id = feed.push_user_id.id
        cr.commit()
    odoo_env.vacuum(database, *Meter.TABLES, "clearance_student", "clearance_figure", "res_partner")
    say(f"  {count:,} graduates made in {time.monotonic() - start:.0f} s")
    return sender_id


def make_rows(count):
    """A report: a third owes something, the others do not; both for settled and for open steps."""
    return [{"student_number": f"F{number:07}", "quantity": number // 2 % 3 // 2 * 2} for number in range(count)]


def check(answer, count):
    """Measure nothing that did not happen."""
    if set(answer["counts"]) != {"done", "already"} or sum(answer["counts"].values()) != count:
        raise AssertionError(f"not everything was taken in: {answer['counts']}")


def one_statement(env, rows):
    """Write figures, settle, reopen, write the log and the run: one statement, without a check of any row."""
    feed = env["clearance.feed"].sudo().search([("push_user_id", "=", env.uid)])
    return SQL(
        """
        WITH told AS MATERIALIZED (
            SELECT status.id, told.quantity, status.state
              FROM unnest(%(numbers)s::text[], %(quantities)s::float8[]) AS told(number, quantity)
              JOIN clearance_student student
                ON student.student_number = told.number AND student.company_id = %(company)s
              JOIN clearance_form form ON form.student_id = student.id
              JOIN clearance_status status ON status.form_id = form.id AND status.active
              JOIN clearance_step step ON step.id = status.step_id AND step.feed_id = %(feed)s
              JOIN clearance_session session ON session.id = step.session_id AND session.state = 'open'
        ),
        figured AS (
            INSERT INTO clearance_figure AS figure (status_id, quantity, as_of)
            SELECT id, quantity, %(now)s FROM told
                ON CONFLICT (status_id) DO UPDATE
               SET quantity = EXCLUDED.quantity, amount = NULL, note = NULL, as_of = EXCLUDED.as_of
             WHERE figure.as_of <= EXCLUDED.as_of
         RETURNING status_id
        ),
        wanted AS (
            SELECT told.id, told.state AS from_state,
                   CASE WHEN told.quantity > 0 THEN 'pending' ELSE 'approved' END AS to_state,
                   CASE WHEN told.quantity > 0 THEN told.quantity::text || ' books' END AS reason
              FROM told
             -- Hashed: joined, the database compares each row with each, where it expects few.
             WHERE (told.id IN (SELECT status_id FROM figured)) IS TRUE
        ),
        written AS (
            UPDATE clearance_status status
               SET state = wanted.to_state, is_open = wanted.to_state = 'pending', needs_review = FALSE,
                   user_id = %(uid)s, decided_at = %(now)s, door = 'feed', reason = wanted.reason
              FROM wanted
             WHERE status.id = wanted.id AND status.state <> wanted.to_state
               AND (status.decided_at IS NULL OR status.door IN ('feed', 'roster'))
               AND NOT EXISTS (
                   SELECT 1 FROM clearance_step_blocking_rel rel
                     JOIN clearance_status prereq
                       ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
                    WHERE rel.step_id = status.step_id AND prereq.is_open IS TRUE AND prereq.active IS TRUE)
         RETURNING status.*, wanted.from_state
        ),
        marked AS (
            UPDATE clearance_status status
               SET needs_review = TRUE, is_open = status.required
              FROM written
              JOIN clearance_step_blocking_rel rel ON rel.prerequisite_id = written.step_id
             WHERE written.state = 'pending' AND status.form_id = written.form_id AND status.step_id = rel.step_id
               AND status.state = 'approved'
         RETURNING status.id
        ),
        logged AS (
            INSERT INTO clearance_log (
                date, user_id, action, from_state, to_state, reason, door, form_id,
                status_id, step_id, station_id, session_id, college_id, company_id
            )
            SELECT %(now)s, %(uid)s, CASE WHEN state = 'approved' THEN 'approve' ELSE 'reopen' END, from_state, state,
                   reason, 'feed', form_id, id, step_id, station_id, session_id, college_id, company_id
              FROM written
            RETURNING id
        ),
        heard AS (
            UPDATE clearance_feed SET heard_at = %(now)s WHERE id = %(feed)s
        )
        INSERT INTO clearance_feed_run (feed_id, company_id, kind, state, started_at, received, done_count)
        SELECT %(feed)s, %(company)s, 'push', 'done', %(now)s, %(received)s, (SELECT count(*) FROM logged)
        """,
        numbers=[row["student_number"] for row in rows],
        quantities=[row["quantity"] for row in rows],
        company=feed.company_id.id,
        feed=feed.id,
        uid=env.uid,
        now=fields.Datetime.now(),
        received=len(rows),
    )


def measure_memory(database, sender_id, counts=COUNTS, say=print):
    """What a report takes in memory besides its own rows: list of dicts ``rows``, ``peak_mb``, ``process_mb``."""
    found = []
    for count in counts:
        rows = make_rows(count)
        with odoo_env.environment(database, sender_id) as env:
            tracemalloc.start()
            env["clearance.feed"].push(rows)
            _now, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append({"rows": count, "peak_mb": round(peak / 1024**2, 1), "process_mb": round(process)})
        say(f"  push, {count:,}: {peak / 1024**2:.0f} MB besides its rows")
    return found
