"""The interface for other systems, measured beside one SQL statement each."""

import itertools

from odoo.tools import SQL

from . import odoo_env, raw

_keys = map("bench-api-{}".format, itertools.count())


def measure(bench, repetitions=15):
    """A graduate's form for an app, a page of a list, decisions by number, figures, changes."""
    Api(bench, repetitions).measure()


class Api:
    """What an app, a data centre and a card system ask for in an opened session."""

    def __init__(self, bench, repetitions):
        self.bench = bench
        self.repetitions = repetitions
        self.session_id = bench.session_id
        self.card_id = bench.campus.steps["card"].id
        with odoo_env.environment(bench.database, bench.users["affairs"]) as env:
            domain = [("step_id", "=", self.card_id), ("is_open", "=", True)]
            open_cards = env["clearance.status"].search(domain, order="class_id, id", limit=2_000)
            self.open_ids = open_cards.ids
            self.numbers = open_cards.mapped("student_number")
            self.form_id = env["clearance.form"].search([("partner_id.user_ids", "=", bench.graduate_id)]).id

    def measure(self):
        """Compare each call with the statement that answers as much."""
        self._compare("API: a graduate's form", 1, form_sql(self.form_id), "get_form", self.bench.graduate_id)
        self._compare(
            "API: a page of forms, every step",
            100,
            page_sql(self.session_id, 100),
            "get_forms",
            self.bench.users["manager"],
            session=self.session_id,
            limit=100,
            with_steps=True,
        )
        self._compare(
            "API: figures by college",
            self.bench.size,
            college_sql(self.session_id),
            "get_statistics",
            self.bench.users["manager"],
            session=self.session_id,
            by="college",
        )
        self._compare("API: changes", 500, changes_sql(500), "get_changes", self.bench.users["manager"], limit=500)
        for count in (40, 2_000):
            if count <= len(self.open_ids):
                self._measure_decisions(count)

    def _compare(self, name, rows, statement, method, user_id, **arguments):
        self.bench.meter.compare(
            name,
            rows,
            lambda env: statement,
            lambda env: lambda: getattr(env["clearance.api"], method)(**arguments),
            user_id=user_id,
            repetitions=self.repetitions,
        )

    def _measure_decisions(self, count):
        """The raw statement knows the statuses; the call looks them up by student number."""
        items = [{"student_number": number, "step": self.card_id} for number in self.numbers[:count]]

        def decide(env):
            answer = env["clearance.api"].decide(items=items, decision="approve", key=next(_keys))
            if answer["decided"] != count:
                raise AssertionError(f"not everything was confirmed: {answer['counts']}")

        self.bench.meter.compare(
            "API: decisions by number",
            count,
            lambda env: raw.confirmation(env, self.open_ids[:count]),
            lambda env: lambda: decide(env),
            user_id=self.bench.users["affairs"],
            repetitions=self.repetitions if count <= 40 else 5,
            writes=True,
        )


def form_sql(form_id):
    """Everything that ``get_form`` says of one form: its head, its graduate, every step, figures, deferrals."""
    return SQL(
        """
        SELECT form.id, form.state, form.withdrawn_reason, session.name->>'en_US', session.state, session.open_from,
               session.open_until, session.instructions->>'en_US', student.name, student.student_number, student.major,
               college.name->>'en_US', class.name, room.complete_name, campus.name,
               status.id, status.state, status.required, status.is_open, status.needs_review, status.decided_at,
               status.reason, status.door, decider.name,
               step.id, step.code, step.name->>'en_US', step.stage->>'en_US', step.mode, step.open_from, step.deadline,
               station.id, station.name->>'en_US', COALESCE(step.place, station.place)->>'en_US',
               COALESCE(step.opening_hours, station.opening_hours)->>'en_US',
               COALESCE(step.contact, station.contact)->>'en_US', COALESCE(step.phone, station.phone),
               COALESCE(step.instructions, station.instructions)->>'en_US', step.handout->>'en_US',
               deferral.id, deferral.date_end, figure.quantity, figure.amount, figure.note, figure.as_of,
               feed.name->>'en_US', feed.heard_at,
               CASE WHEN status.is_open THEN ARRAY(
                   SELECT prereq.step_id
                     FROM clearance_step_blocking_rel rel
                     JOIN clearance_status prereq
                       ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
                    WHERE rel.step_id = status.step_id AND prereq.is_open IS TRUE AND prereq.active IS TRUE
                      AND NOT EXISTS (
                          SELECT 1 FROM clearance_override lifted
                           WHERE lifted.status_id = prereq.id AND lifted.restored_at IS NULL
                             AND (lifted.date_end IS NULL OR lifted.date_end >= current_date))) END
          FROM clearance_form form
          JOIN clearance_session session ON session.id = form.session_id
          JOIN clearance_student student ON student.id = form.student_id
          JOIN res_company campus ON campus.id = form.company_id
          LEFT JOIN clearance_college college ON college.id = form.college_id
          LEFT JOIN clearance_class class ON class.id = form.class_id
          LEFT JOIN clearance_room room ON room.id = form.room_id
          JOIN clearance_status status ON status.form_id = form.id AND status.active IS TRUE
          JOIN clearance_step step ON step.id = status.step_id
          JOIN clearance_station station ON station.id = status.station_id
          LEFT JOIN res_users person ON person.id = status.user_id
          LEFT JOIN res_partner decider ON decider.id = person.partner_id
          LEFT JOIN clearance_feed feed ON feed.id = step.feed_id
          LEFT JOIN clearance_figure figure ON figure.status_id = status.id
          LEFT JOIN clearance_override deferral
            ON deferral.status_id = status.id AND deferral.restored_at IS NULL
               AND (deferral.date_end IS NULL OR deferral.date_end >= current_date)
         WHERE form.id = %s
         ORDER BY step.sequence, step.id
        """,
        form_id,
    )


def page_sql(session_id, limit):
    """A page of forms with who it is, how far, and the state of every step."""
    return SQL(
        """
        WITH page AS (
            SELECT * FROM clearance_form WHERE session_id = %s ORDER BY id LIMIT %s
        )
        SELECT page.id, page.state, page.cleared_at, student.name, student.student_number, student.major,
               college.name->>'en_US', class.name, room.complete_name,
               count(*) FILTER (WHERE status.required AND status.state <> 'not_required'),
               count(*) FILTER (WHERE status.is_open),
               array_agg(json_build_array(status.id, status.step_id, status.state, status.needs_review, EXISTS (
                   SELECT 1
                     FROM clearance_step_blocking_rel rel
                     JOIN clearance_status prereq
                       ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
                    WHERE rel.step_id = status.step_id AND prereq.is_open IS TRUE AND prereq.active IS TRUE)))
          FROM page
          JOIN clearance_student student ON student.id = page.student_id
          JOIN clearance_status status ON status.form_id = page.id
          LEFT JOIN clearance_college college ON college.id = page.college_id
          LEFT JOIN clearance_class class ON class.id = page.class_id
          LEFT JOIN clearance_room room ON room.id = page.room_id
         GROUP BY page.id, page.state, page.cleared_at, student.name, student.student_number, student.major,
                  college.name, class.name, room.complete_name
         ORDER BY page.id
        """,
        session_id,
        limit,
    )


def college_sql(session_id):
    """Graduates of a session by college and state."""
    return SQL(
        """
        SELECT college.id, college.code, college.name->>'en_US', form.state, form.earlier_year, count(*)
          FROM clearance_form form
          LEFT JOIN clearance_college college ON college.id = form.college_id
         WHERE form.session_id = %s
         GROUP BY college.id, form.state, form.earlier_year
        """,
        session_id,
    )


def changes_sql(limit):
    """The first lines of the log, with names."""
    return SQL(
        """
        SELECT log.id, log.date, log.action, log.session_id, log.form_id, student.student_number, log.status_id,
               step.id, step.code, step.name->>'en_US', station.id, station.name->>'en_US', log.from_state,
               log.to_state, log.reason, log.door, partner.name
          FROM (SELECT * FROM clearance_log ORDER BY id LIMIT %s) log
          LEFT JOIN clearance_form form ON form.id = log.form_id
          LEFT JOIN clearance_student student ON student.id = form.student_id
          LEFT JOIN clearance_step step ON step.id = log.step_id
          LEFT JOIN clearance_station station ON station.id = log.station_id
          LEFT JOIN res_users person ON person.id = log.user_id
          LEFT JOIN res_partner partner ON partner.id = person.partner_id
         ORDER BY log.id
        """,
        limit,
    )
