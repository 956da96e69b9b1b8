"""Figures of a session, worked out a second time: in plain SQL, from other tables."""

from odoo.tools import SQL

NAMES = ("due", "due_earlier", "open", "open_earlier")

#: who has a step, told apart from the steps' own filters: name -> condition on trait codes
_HOLDERS = {
    "Transfer Party or League membership": "codes && ARRAY['party_member', 'league_member']",
    "Confirm national loan": "'national_loan' = ANY(codes)",
    "Confirm origin loan": "'origin_loan' = ANY(codes)",
    "Return switch": "'network_switch' = ANY(codes)",
    "Degree certificate": "NOT 'withheld' = ANY(codes)",
    "Graduation certificate": "NOT 'withheld' = ANY(codes)",
    "Household transfer certificate": "'household' = ANY(codes)",
    "Withheld certificates": "'withheld' = ANY(codes)",
}


def expect(actual, expected, what):
    """Raise an error that names what differs."""
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")


def count(env, table, session):
    """Rows of a session in a table."""
    env.cr.execute(SQL("SELECT count(*) FROM %s WHERE session_id = %s", SQL.identifier(table), session.id))
    return env.cr.fetchone()[0]


def count_roster(env, session, step):
    """Graduates who have a step, and those of an earlier year among them, by the roster."""
    env.cr.execute(
        SQL(
            """
            SELECT count(*), count(*) FILTER (WHERE graduation_year < %(year)s)
              FROM (SELECT student.id, student.graduation_year,
                           array_remove(array_agg(trait.code::text), NULL) AS codes
                      FROM clearance_student student
                      LEFT JOIN clearance_student_clearance_trait_rel rel
                        ON rel.clearance_student_id = student.id
                      LEFT JOIN clearance_trait trait ON trait.id = rel.clearance_trait_id
                     WHERE student.company_id = %(company)s
                       AND student.graduation_state = 'due' AND student.active
                     GROUP BY student.id) graduate
             WHERE %(holds)s
            """,
            year=session.year,
            company=session.company_id.id,
            holds=SQL(_HOLDERS.get(step.name, "TRUE")),
        )
    )
    return env.cr.fetchone()


def count_from_log(env, session):
    """Figures by station and step, from where each status began and what the log says since."""
    env.cr.execute(
        SQL(
            """
            WITH told AS (
                SELECT DISTINCT ON (status_id) status_id, to_state, action
                  FROM clearance_log
                 WHERE session_id = %(session)s AND action NOT IN ('lift', 'restore')
                   AND status_id IS NOT NULL
                 ORDER BY status_id, id DESC
            ),
            now AS (
                SELECT status.station_id, status.step_id, step.required,
                       student.graduation_year < session.year AS earlier,
                       COALESCE(told.to_state, status.initial_state) AS state,
                       COALESCE(told.action = 'review', FALSE) AS doubtful
                  FROM clearance_form form
                  JOIN clearance_session session ON session.id = form.session_id
                  JOIN clearance_student student ON student.id = form.student_id
                  JOIN clearance_status status ON status.form_id = form.id
                  JOIN clearance_step step ON step.id = status.step_id
                  LEFT JOIN told ON told.status_id = status.id
                 WHERE session.id = %(session)s AND form.state <> 'withdrawn'
            ),
            judged AS (
                SELECT *, required AND (doubtful OR state IN ('pending', 'submitted', 'rejected')) AS is_open
                  FROM now
                 WHERE state <> 'not_required'
            )
            SELECT station_id, step_id, count(*), count(*) FILTER (WHERE earlier),
                   count(*) FILTER (WHERE is_open), count(*) FILTER (WHERE is_open AND earlier)
              FROM judged
             GROUP BY station_id, step_id
            """,
            session=session.id,
        )
    )
    return {row[:2]: row[2:] for row in env.cr.fetchall()}


def sum_by_step(session):
    """The figures on the screens, summed over the desks of a step; in the order of the steps."""
    sums = {}
    for row in session.get_statistics():
        own = sums.setdefault(row["step_id"], dict.fromkeys(NAMES, 0))
        for name in NAMES:
            own[name] += row[name]
    return sums
