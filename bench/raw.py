"""The SQL statements the addon is measured against: one each, written for this campus alone.

They write the same tables with the same indexes, check, lock and log the same.
"""

from odoo.tools import SQL

_HOLDERS = {
    "membership": ["party_member", "league_member"],
    "national_loan": ["national_loan"],
    "origin_loan": ["origin_loan"],
    "switch": ["network_switch"],
    "household": ["household"],
    "withheld": ["withheld"],
}
_WITHOUT = {"degree": ["withheld"], "graduation": ["withheld"]}


def _plan_sql(session, keys):
    """A row a step: id, sequence, station, required, traits of which a graduate holds one, and lacks all."""
    return SQL(", ").join(
        SQL(
            "(%s, %s, %s, %s, %s::text[], %s::text[])",
            step.id,
            step.sequence,
            step.station_id.id,
            step.required,
            _HOLDERS.get(keys.get(step.id)),
            _WITHOUT.get(keys.get(step.id)),
        )
        for step in session.step_ids
    )


def opening(env, session, keys):
    """Write the forms and statuses of a session.

    :param dict keys: step id -> key of the campus' plan, for the steps that are not for all
    """
    return SQL(
        """
        WITH form AS (
            INSERT INTO clearance_form (
                session_id, student_id, company_id, partner_id, college_id, class_id, room_id,
                earlier_year, state, create_uid, create_date, write_uid, write_date
            )
            SELECT %(session)s, id, company_id, partner_id, college_id, class_id, room_id,
                   graduation_year < %(year)s, 'open', 1, %(now)s, 1, %(now)s
              FROM clearance_student
             WHERE company_id = %(company)s AND level = 'undergraduate' AND graduation_state = 'due' AND active
             ORDER BY id
         RETURNING *
        ),
        holder AS (
            SELECT rel.clearance_student_id AS student_id, array_agg(trait.code::text) AS codes
              FROM clearance_student_clearance_trait_rel rel
              JOIN clearance_trait trait ON trait.id = rel.clearance_trait_id
             GROUP BY rel.clearance_student_id
        ),
        desk AS (
            SELECT station.id, station.parent_id, rel.clearance_college_id AS college_id
              FROM clearance_station station
              JOIN clearance_college_clearance_station_rel rel ON rel.clearance_station_id = station.id
        )
        INSERT INTO clearance_status (
            form_id, step_id, session_id, station_id, company_id, college_id, class_id,
            room_id, earlier_year, active, required, state, initial_state, is_open, needs_review
        )
        SELECT form.id, step.id, form.session_id, COALESCE(desk.id, step.station_id), form.company_id,
               form.college_id, form.class_id, form.room_id, form.earlier_year, TRUE, step.required,
               cell.state, cell.state, cell.state = 'pending', FALSE
          FROM form
         CROSS JOIN (VALUES %(plan)s) step(id, sequence, station_id, required, holds, lacks)
          LEFT JOIN holder ON holder.student_id = form.student_id
          LEFT JOIN desk ON desk.parent_id = step.station_id AND desk.college_id = form.college_id
         CROSS JOIN LATERAL (
               SELECT CASE WHEN step.holds IS NOT NULL AND (step.holds && holder.codes) IS NOT TRUE
                             OR step.lacks && holder.codes
                           THEN 'not_required'
                           WHEN step.required THEN 'pending' ELSE 'optional' END AS state
               ) cell
         ORDER BY form.id, step.sequence, step.id
        """,
        session=session.id,
        year=session.year,
        company=session.company_id.id,
        now=env.cr.now(),
        plan=_plan_sql(session, keys),
    )


def simulation(session, keys):
    """Count who has which step at which desk in which wave, before anything is written.

    This campus has two waves: everything, then the certificates.  Graduates of one college with
    the same steps are counted together, which is what makes it quick.

    :param dict keys: see :func:`opening`
    """
    return SQL(
        """
        WITH plan(id, sequence, station_id, required, holds, lacks) AS (VALUES %(plan)s),
        holder AS (
            SELECT rel.clearance_student_id AS student_id, array_agg(trait.code::text) AS codes
              FROM clearance_student_clearance_trait_rel rel
              JOIN clearance_trait trait ON trait.id = rel.clearance_trait_id
             GROUP BY rel.clearance_student_id
        ),
        alike AS (
            SELECT student.college_id, own.step_ids, count(*) AS heads
              FROM clearance_student student
              LEFT JOIN holder ON holder.student_id = student.id
             CROSS JOIN LATERAL (
                   SELECT array_agg(plan.id) AS step_ids
                     FROM plan
                    WHERE (plan.holds IS NULL OR plan.holds && holder.codes)
                      AND (plan.lacks && holder.codes) IS NOT TRUE
                   ) own
             WHERE student.company_id = %(company)s AND student.level = 'undergraduate'
               AND student.graduation_state = 'due' AND student.active
             GROUP BY student.college_id, own.step_ids
        ),
        desk AS (
            SELECT station.id, station.parent_id, rel.clearance_college_id AS college_id
              FROM clearance_station station
              JOIN clearance_college_clearance_station_rel rel ON rel.clearance_station_id = station.id
        )
        SELECT plan.id, COALESCE(desk.id, plan.station_id), waits.wave, sum(alike.heads)
          FROM alike
          JOIN plan ON plan.id = ANY(alike.step_ids)
          LEFT JOIN desk ON desk.parent_id = plan.station_id AND desk.college_id = alike.college_id
         CROSS JOIN LATERAL (
               SELECT CASE WHEN EXISTS (
                          SELECT 1
                            FROM clearance_step_blocking_rel rel
                            JOIN plan before ON before.id = rel.prerequisite_id AND before.required
                           WHERE rel.step_id = plan.id AND rel.prerequisite_id = ANY(alike.step_ids))
                      THEN 2 ELSE 1 END AS wave
               ) waits
         GROUP BY 1, 2, 3
        """,
        plan=_plan_sql(session, keys),
        company=session.company_id.id,
    )


def confirmation(env, status_ids, own_stations=True):
    """Confirm statuses: operator, session and prerequisites checked, prerequisites locked, log written."""
    station = SQL(
        "EXISTS (SELECT 1 FROM clearance_station_res_users_rel mine"
        " WHERE mine.clearance_station_id = status.station_id AND mine.res_users_id = %s)",
        env.uid,
    )
    return SQL(
        """
        WITH missing AS (
            SELECT DISTINCT status.id
              FROM clearance_status status
              JOIN clearance_step_blocking_rel rel ON rel.step_id = status.step_id
              JOIN clearance_status prereq
                ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
             WHERE status.id = ANY(%(ids)s) AND prereq.is_open IS TRUE AND prereq.active IS TRUE
               AND NOT EXISTS (
                   SELECT 1 FROM clearance_override deferral
                    WHERE deferral.status_id = prereq.id AND deferral.restored_at IS NULL
                      AND (deferral.date_end IS NULL OR deferral.date_end >= current_date))
        ),
        held AS MATERIALIZED (
            SELECT prereq.id
              FROM clearance_status status
              JOIN clearance_step_blocking_rel rel ON rel.step_id = status.step_id
              JOIN clearance_status prereq
                ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
             WHERE status.id = ANY(%(ids)s)
             ORDER BY prereq.id
               FOR SHARE OF prereq
        ),
        written AS (
            UPDATE clearance_status status
               SET state = 'approved', is_open = FALSE, needs_review = FALSE, user_id = %(uid)s,
                   decided_at = %(now)s, door = 'batch', reason = NULL
              FROM clearance_session session
             WHERE status.id = ANY(%(ids)s) AND session.id = status.session_id AND session.state = 'open'
               AND status.state IN ('pending', 'submitted', 'rejected', 'optional') AND status.active
               AND %(mine)s
               AND NOT EXISTS (SELECT 1 FROM missing WHERE missing.id = status.id)
               AND (SELECT count(*) FROM held) >= 0
         RETURNING status.*
        )
        INSERT INTO clearance_log (
            date, user_id, action, from_state, to_state, door, form_id,
            status_id, step_id, station_id, session_id, college_id, company_id
        )
        SELECT %(now)s, %(uid)s, 'approve', 'pending', state, 'batch', form_id,
               id, step_id, station_id, session_id, college_id, company_id
          FROM written
        """,
        ids=status_ids,
        uid=env.uid,
        now=env.cr.now(),
        mine=station if own_stations else SQL("TRUE"),
    )


def settling(form_ids):
    """Mark the forms that have nothing open as cleared."""
    return SQL(
        """
        UPDATE clearance_form form
           SET state = 'cleared', cleared_at = now() AT TIME ZONE 'UTC'
         WHERE form.id = ANY(%s) AND form.state = 'open'
           AND NOT EXISTS (
               SELECT 1 FROM clearance_status status
                WHERE status.form_id = form.id AND status.is_open IS TRUE AND status.active IS TRUE)
        """,
        form_ids,
    )


def _ready_sql(env):
    return SQL(
        """
        status.is_open IS TRUE AND status.active IS TRUE
        AND status.station_id IN (
            SELECT clearance_station_id FROM clearance_station_res_users_rel WHERE res_users_id = %s)
        AND NOT EXISTS (
            SELECT 1
              FROM clearance_step_blocking_rel rel
              JOIN clearance_status prereq
                ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
             WHERE rel.step_id = status.step_id AND prereq.is_open IS TRUE AND prereq.active IS TRUE
               AND NOT EXISTS (
                   SELECT 1 FROM clearance_override deferral
                    WHERE deferral.status_id = prereq.id AND deferral.restored_at IS NULL
                      AND (deferral.date_end IS NULL OR deferral.date_end >= current_date)))
        """,
        env.uid,
    )


def ready_page(env, limit):
    """A page of what an operator can confirm now."""
    return SQL(
        """
        SELECT status.id, status.form_id, status.step_id, status.station_id, status.state, status.reason
          FROM clearance_status status
         WHERE %s
         ORDER BY status.id
         LIMIT %s
        """,
        _ready_sql(env),
        limit,
    )


def ready_count(env, limit):
    """How many an operator can confirm now, counted up to a bound."""
    return SQL(
        "SELECT count(*) FROM (SELECT 1 FROM clearance_status status WHERE %s LIMIT %s) t", _ready_sql(env), limit
    )


def statistics(env, session, own_stations=False):
    """Figures by station and step."""
    mine = SQL(
        "station_id IN (SELECT clearance_station_id FROM clearance_station_res_users_rel WHERE res_users_id = %s)",
        env.uid,
    )
    return SQL(
        """
        SELECT station_id, step_id, count(*), count(*) FILTER (WHERE earlier_year),
               count(*) FILTER (WHERE is_open), count(*) FILTER (WHERE is_open AND earlier_year),
               count(*) FILTER (WHERE state = 'submitted'), count(*) FILTER (WHERE state = 'rejected')
          FROM clearance_status
         WHERE session_id = %s AND state <> 'not_required' AND active IS TRUE AND %s
         GROUP BY station_id, step_id
        """,
        session.id,
        mine if own_stations else SQL("TRUE"),
    )


def records(form_ids):
    """Every step of some forms, with names, deferrals and what blocks it."""
    return SQL(
        """
        SELECT status.form_id, status.id, step.id, step.name->>'en_US', step.stage->>'en_US', step.mode,
               station.id, station.name->>'en_US', status.state, status.initial_state, status.required,
               status.is_open, status.needs_review, partner.name, status.decided_at, status.reason, status.door,
               deferral.id IS NOT NULL,
               CASE WHEN status.is_open THEN ARRAY(
                   SELECT (other_station.name->>'en_US') || ': ' || (other.name->>'en_US')
                     FROM clearance_step_blocking_rel rel
                     JOIN clearance_status prereq
                       ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
                     JOIN clearance_step other ON other.id = prereq.step_id
                     JOIN clearance_station other_station ON other_station.id = prereq.station_id
                    WHERE rel.step_id = status.step_id AND prereq.is_open IS TRUE AND prereq.active IS TRUE
                      AND NOT EXISTS (
                          SELECT 1 FROM clearance_override lifted
                           WHERE lifted.status_id = prereq.id AND lifted.restored_at IS NULL
                             AND (lifted.date_end IS NULL OR lifted.date_end >= current_date))
                    ORDER BY other.sequence, other.id) END
          FROM clearance_status status
          JOIN clearance_step step ON step.id = status.step_id
          JOIN clearance_station station ON station.id = status.station_id
          LEFT JOIN res_users decider ON decider.id = status.user_id
          LEFT JOIN res_partner partner ON partner.id = decider.partner_id
          LEFT JOIN clearance_override deferral
            ON deferral.status_id = status.id AND deferral.restored_at IS NULL
               AND (deferral.date_end IS NULL OR deferral.date_end >= current_date)
         WHERE status.form_id = ANY(%s)
         ORDER BY status.form_id, step.sequence, step.id
        """,
        form_ids,
    )
