"""What the screens of a desk ask for, as one SQL statement each."""

from odoo.tools import SQL


def search_page(station_id, text, limit):
    """A page of the graduates of a station whose number or name holds a text, with their statuses there."""
    return SQL(
        """
        WITH page AS (
            SELECT form.id, form.state, form.earlier_year, student.student_number, student.name,
                   form.class_id, form.room_id, form.college_id
              FROM clearance_form form
              JOIN clearance_student student ON student.id = form.student_id
             WHERE (student.student_number ILIKE %(text)s OR student.name ILIKE %(text)s)
               AND EXISTS (SELECT 1 FROM clearance_status status
                            WHERE status.form_id = form.id AND status.station_id = %(station)s
                              AND status.state <> 'not_required' AND status.active IS TRUE)
             ORDER BY student.student_number
             LIMIT %(limit)s
        )
        SELECT page.*, class.name, room.complete_name, college.name->>'en_US',
               array_agg(json_build_object('id', status.id, 'step', step.name->>'en_US', 'state', status.state,
                                           'open', status.is_open))
          FROM page
          LEFT JOIN clearance_class class ON class.id = page.class_id
          LEFT JOIN clearance_room room ON room.id = page.room_id
          LEFT JOIN clearance_college college ON college.id = page.college_id
          JOIN clearance_status status ON status.form_id = page.id AND status.station_id = %(station)s
          JOIN clearance_step step ON step.id = status.step_id
         WHERE status.state <> 'not_required'
         GROUP BY page.id, page.state, page.earlier_year, page.student_number, page.name, page.class_id,
                  page.room_id, page.college_id, class.name, room.complete_name, college.name
         ORDER BY page.student_number
        """,
        text=f"%{text}%",
        station=station_id,
        limit=limit,
    )


def station_figures(station_id, session_id):
    """Figures of a station and of each of its steps."""
    return SQL(
        """
        WITH found AS MATERIALIZED (
            SELECT form_id, step_id, state, is_open, earlier_year
              FROM clearance_status
             WHERE station_id = %s AND session_id = %s AND state <> 'not_required' AND active IS TRUE
        )
        SELECT step_id, count(*), count(*) FILTER (WHERE earlier_year), count(*) FILTER (WHERE is_open),
               count(*) FILTER (WHERE is_open AND earlier_year),
               count(*) FILTER (WHERE state = 'submitted'), count(*) FILTER (WHERE state = 'rejected')
          FROM found
         GROUP BY step_id
         UNION ALL
        SELECT NULL, count(DISTINCT form_id), count(DISTINCT form_id) FILTER (WHERE earlier_year),
               count(DISTINCT form_id) FILTER (WHERE is_open),
               count(DISTINCT form_id) FILTER (WHERE is_open AND earlier_year), 0, 0
          FROM found
        """,
        station_id,
        session_id,
    )


def matrix(env, form_ids):
    """Every step of some forms in one row a form: state, blocked, lifted, and whether the user decides on it."""
    return SQL(
        """
        WITH cell AS MATERIALIZED (
            SELECT id, form_id, step_id, station_id, state, needs_review, is_open
              FROM clearance_status
             WHERE form_id = ANY(%(forms)s)
        ),
        lifted AS MATERIALIZED (
            SELECT deferral.status_id
              FROM clearance_override deferral
              JOIN cell ON cell.id = deferral.status_id
             WHERE deferral.restored_at IS NULL
               AND (deferral.date_end IS NULL OR deferral.date_end >= current_date)
        ),
        blocked AS MATERIALIZED (
            SELECT DISTINCT cell.id
              FROM cell
              JOIN clearance_step_blocking_rel rel ON rel.step_id = cell.step_id
              JOIN cell prereq ON prereq.form_id = cell.form_id AND prereq.step_id = rel.prerequisite_id
             WHERE cell.is_open AND prereq.is_open
               AND prereq.id NOT IN (SELECT status_id FROM lifted)
        )
        SELECT cell.form_id, array_agg(ARRAY[cell.step_id::text, cell.id::text, cell.state,
               (cell.needs_review)::text, (cell.is_open AND blocked.id IS NULL)::text,
               (lifted.status_id IS NOT NULL)::text,
               (cell.station_id IN (SELECT clearance_station_id FROM clearance_station_res_users_rel
                                     WHERE res_users_id = %(uid)s))::text])
          FROM cell
          LEFT JOIN blocked ON blocked.id = cell.id
          LEFT JOIN lifted ON lifted.status_id = cell.id
         GROUP BY cell.form_id
        """,
        forms=form_ids,
        uid=env.uid,
    )


def batch_preview(batch_id, session_id, step_id):
    """Write the rows of a batch for everybody in a session: what is missing, named."""
    return SQL(
        """
        INSERT INTO clearance_batch_line (
            batch_id, form_id, status_id, code, message, excluded, excluded_by_list, ran, outcome, position
        )
        SELECT %(batch)s, status.form_id, status.id,
               CASE WHEN missing.names IS NULL THEN 'done' ELSE 'missing' END, missing.names, FALSE, FALSE, FALSE,
               CASE WHEN missing.names IS NULL THEN 'todo' ELSE 'refused' END, 1
          FROM clearance_status status
          JOIN clearance_form form ON form.id = status.form_id
          JOIN clearance_student student ON student.id = form.student_id
          LEFT JOIN clearance_class class ON class.id = form.class_id
         CROSS JOIN LATERAL (
               SELECT string_agg((station.name->>'en_US') || ': ' || (other.name->>'en_US'), '; ') AS names
                 FROM clearance_step_blocking_rel rel
                 JOIN clearance_status prereq
                   ON prereq.form_id = status.form_id AND prereq.step_id = rel.prerequisite_id
                 JOIN clearance_step other ON other.id = prereq.step_id
                 JOIN clearance_station station ON station.id = prereq.station_id
                WHERE rel.step_id = status.step_id AND prereq.is_open IS TRUE AND prereq.active IS TRUE
                  AND NOT EXISTS (
                      SELECT 1 FROM clearance_override deferral
                       WHERE deferral.status_id = prereq.id AND deferral.restored_at IS NULL
                         AND (deferral.date_end IS NULL OR deferral.date_end >= current_date))
               ) missing
         WHERE status.step_id = %(step)s AND form.session_id = %(session)s AND status.active IS TRUE
         ORDER BY class.name, student.student_number
        """,
        batch=batch_id,
        step=step_id,
        session=session_id,
    )


def undoing(env, line_ids):
    """Take confirmations back that are the latest decision on their status, and log it."""
    return SQL(
        """
        WITH line AS MATERIALIZED (
            SELECT log.id, log.status_id, log.from_state
              FROM clearance_log log
             WHERE log.id = ANY(%(lines)s)
               AND NOT EXISTS (SELECT 1 FROM clearance_log later
                                WHERE later.form_id = log.form_id AND later.status_id = log.status_id
                                  AND later.id > log.id)
        ),
        written AS (
            UPDATE clearance_status status
               SET state = line.from_state, is_open = status.required, user_id = NULL, decided_at = NULL,
                   door = NULL, reason = NULL
              FROM line, clearance_session session
             WHERE status.id = line.status_id AND status.state = 'approved'
               AND session.id = status.session_id AND session.state = 'open'
         RETURNING status.*
        )
        INSERT INTO clearance_log (
            date, user_id, action, from_state, to_state, door, form_id,
            status_id, step_id, station_id, session_id, college_id, company_id
        )
        SELECT %(now)s, %(uid)s, 'undo', 'approved', state, 'batch', form_id,
               id, step_id, station_id, session_id, college_id, company_id
          FROM written
        """,
        lines=line_ids,
        now=env.cr.now(),
        uid=env.uid,
    )
