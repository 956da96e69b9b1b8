"""What a graduate's page says about a form: plain values, for a template or for JSON."""

import re

import pytz
from babel.dates import format_skeleton, format_time

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import babel_locale_parse, get_lang

from .clearance_status_gate import MACHINE_DOORS


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    # -- who gets in -----------------------------------------------------------

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        """The url of the page, without a token: the page asks for a login anyway."""
        return super()._get_share_url(redirect, signup_partner, pid, share_token=False)

    @api.model
    def _get_thread_with_access(self, thread_id, **kwargs):
        """The thread under the user's own rights: no token opens its messages either.

        They are about one person's debts, and whoever is forwarded a mail holds the
        token that Odoo puts into its link.
        """
        kwargs = {key: value for key, value in kwargs.items() if key not in ("hash", "pid", "token")}
        return super()._get_thread_with_access(thread_id, **kwargs)

    # -- values ----------------------------------------------------------------

    def _get_portal_values(self):
        """What the graduate's page shows of this form; the caller has checked access.

        The number of queries does not depend on the number of steps, and no record
        leaves here: a page that renders plain values answers twice as many requests.

        :return: dict with ``id``, ``student``, ``student_number``, ``code`` (what a desk
            scans: the address of the page; empty once there is nothing to do), ``session`` (name),
            ``instructions``, ``help``, ``phase`` (see :meth:`_get_portal_phase`),
            ``withdrawn_reason``, ``opens``, ``closes`` (moments), ``timezone``,
            ``progress`` (:meth:`_get_portal_progress`), ``stages`` (list of dicts ``name``
            and ``steps``) and ``not_required`` (steps that do not apply); a step is a dict
            as made by :meth:`_prepare_portal_step`, a moment has ``iso`` and ``text``
        """
        self.ensure_one()
        # sudo: the caller has checked that the user may read this form; its session, its
        # graduate's name and its campus' advice are part of the page.
        form = self.sudo()
        session = form.session_id
        phase = form._get_portal_phase()
        steps = form._get_portal_steps() if phase != "withdrawn" else []
        return {
            "id": form.id,
            "student": form.student_id.name,
            "student_number": form.student_id.student_number,
            "code": f"{form.get_base_url()}{form.access_url}" if phase in ("before", "open", "over") else "",
            "session": session.name,
            "instructions": session.instructions,
            "help": form.company_id.clearance_help,
            "phase": phase,
            "withdrawn_reason": form.withdrawn_reason,
            "opens": form._get_portal_moment(session.open_from),
            "closes": form._get_portal_moment(session.open_until),
            "timezone": form._get_portal_timezone(),
            "progress": form._get_portal_progress(steps),
            "stages": form._group_portal_stages(step for step in steps if step["state"] != "not_required"),
            "not_required": [step for step in steps if step["state"] == "not_required"],
        }

    def _get_portal_phase(self):
        """Where the session stands for this graduate.

        :return: ``withdrawn``, ``before`` (not begun), ``open``, ``over`` (the window has
            passed, the offices may still be at work) or ``closed``
        """
        self.ensure_one()
        session = self.session_id
        now = fields.Datetime.now()
        if self.state == "withdrawn":
            return "withdrawn"
        if session.state == "closed":
            return "closed"
        if session.state == "draft" or now < session.open_from:
            return "before"
        return "over" if now > session.open_until else "open"

    def _get_portal_steps(self):
        """The steps of this form in the order of the process, as the page shows them."""
        words = dict(self.env["clearance.status"]._fields["legend"]._description_selection(self.env))
        return [self._prepare_portal_step(row, words) for row in self._get_portal_rows()]

    def _prepare_portal_step(self, row, words):
        """Turn a row of :meth:`_get_portal_rows` into what the page shows.

        :param dict words: the word for each state
        """
        machine = row["door"] in MACHINE_DOORS
        legend = "review" if row["needs_review"] else row["state"]
        settled = row["state"] in ("approved", "not_required") and not row["needs_review"]
        return {
            **row,
            "legend": legend,
            "word": words[legend],
            "settled": settled,
            "todo": not settled
            and not row["blocked_by"]
            and row["state"] != "submitted"
            and not row["lifted"]
            and row["is_open"],
            "opens": self._get_portal_moment(row["open_from"]),
            "deadline": self._get_portal_moment(row["deadline"]),
            "decided_at": self._get_portal_moment(row["decided_at"]),
            "user": False if machine else row["user"],
            "lifted_until": self._get_portal_moment(row["lifted"] and row["lifted_until"]),
            "phones": self._get_portal_phones(row["phone"]),
        }

    def _get_portal_progress(self, steps):
        """How far the graduate is, and what comes next.

        Worked out from the statuses: the form's own state follows a moment later.

        :return: dict with ``total``, ``left``, ``percent``, ``state`` (``open``, ``cleared``
            or ``deferred``), ``headline`` (text), ``next`` (text, empty when nothing waits for
            the graduate) and ``next_id`` (id of that status, or False)
        """
        due = [step for step in steps if step["required"] and step["state"] != "not_required"]
        left = [step for step in due if step["is_open"]]
        todo = next((step for step in left if step["todo"]), None)
        done = len(due) - len(left)
        state = "open"
        if all(step["lifted"] for step in left):
            state = "deferred" if left else "cleared"
        return {
            "total": len(due),
            "left": len(left),
            "percent": 100 * done // len(due) if due else 100,
            "state": state,
            "headline": self._get_portal_headline(state, len(left), len(due)),
            "next": self._get_portal_next(todo) if todo else "",
            "next_id": todo["id"] if todo else False,
        }

    def _get_portal_headline(self, state, left, total):
        if state == "cleared":
            return self.env._("Everything is settled.")
        if state == "deferred":
            return self.env._("Cleared with deferral.")
        return self.env._("%(left)s of %(total)s left.", left=left, total=total)

    def _get_portal_next(self, step):
        """Where to go next, in one line: station, step, place, until when."""
        parts = [step["station"], step["name"], step["place"]]
        until = step["deadline"] or self._get_portal_moment(self.session_id.open_until)
        parts.append(self.env._("until %s", until["text"]))
        return ", ".join(filter(None, parts))

    def _group_portal_stages(self, steps):
        """Put steps of the same stage together, in the order in which stages begin."""
        stages = {}
        for step in steps:
            stages.setdefault(step["stage"] or "", []).append(step)
        return [{"name": name, "steps": stage} for name, stage in stages.items()]

    def _get_portal_phones(self, phone):
        """Split what stands in a phone field into numbers one can call."""
        texts = filter(None, (text.strip() for text in re.split(r"[/,;、，；]", phone or "")))
        return [{"text": text, "href": "tel:" + re.sub(r"[^\d+*#]", "", text)} for text in texts]

    def _get_portal_timezone(self):
        """The time zone of the page: the user's, else the campus'."""
        return self.env.user.tz or self.company_id.partner_id.tz or "UTC"

    def _get_portal_moment(self, value):
        """A date or time for people and for machines, in their zone and language.

        :return: dict with ``text`` and ``iso``, or False
        """
        if not value:
            return False
        locale = babel_locale_parse(get_lang(self.env).code)
        skeleton = "MMMEd" if value.year == fields.Date.today().year else "yMMMd"
        if not hasattr(value, "hour"):
            return {"iso": value.isoformat(), "text": format_skeleton(skeleton, value, locale=locale)}
        local = pytz.utc.localize(value).astimezone(pytz.timezone(self._get_portal_timezone()))
        date = format_skeleton(skeleton, local.replace(tzinfo=None), locale=locale)
        time = format_time(local.time(), "short", locale=locale)
        return {"iso": local.isoformat(timespec="minutes"), "text": f"{date} {time}"}

    # -- the one query -----------------------------------------------------------

    def _get_portal_rows(self):
        """Every step of this form with all that its graduate is told, in one query.

        Raw SQL because a graduate's page is opened by thousands on one morning, and
        through the ORM (statuses, steps, desks and the stations above them, people,
        deferrals, prerequisites) it would take a dozen queries.  What blocks a step
        and what a deferral is in force is asked where it is defined.

        :return: list of dicts, in the order of the process
        """
        self.ensure_one()
        self.env.flush_all()
        Status = self.env["clearance.status"]
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT status.id, status.step_id, status.state, status.required, status.is_open,
                       status.needs_review, status.decided_at, status.reason, status.door,
                       %(step_name)s AS name, %(stage)s AS stage, step.mode,
                       step.open_from, step.deadline, %(desk_name)s AS station,
                       partner.name AS user, %(lifted)s AS lifted,
                       deferral.date_end AS lifted_until,
                       COALESCE(waits.names, ARRAY[]::text[]) AS blocked_by,
                       %(info)s
                  FROM clearance_status status
                  JOIN clearance_step step ON step.id = status.step_id
                  JOIN clearance_station desk ON desk.id = status.station_id
             LEFT JOIN res_users person ON person.id = status.user_id
             LEFT JOIN res_partner partner ON partner.id = person.partner_id
             LEFT JOIN clearance_override deferral
                    ON deferral.status_id = status.id AND deferral.restored_at IS NULL
             LEFT JOIN LATERAL (%(waits)s) waits
                    ON status.needs_review OR status.state NOT IN ('approved', 'not_required')
             LEFT JOIN LATERAL (%(desk_info)s) desk_info ON TRUE
                 WHERE status.form_id = %(form)s AND status.active IS TRUE
                   AND (step.active IS TRUE OR status.state <> 'not_required')
                 ORDER BY step.sequence, step.id
                """,
                step_name=self.env["clearance.step"]._field_to_sql("step", "name"),
                stage=self.env["clearance.step"]._field_to_sql("step", "stage"),
                desk_name=self.env["clearance.station"]._field_to_sql("desk", "name"),
                lifted=self.env["clearance.override"]._in_force_sql(SQL("status.id")),
                waits=self._portal_waits_sql(
                    Status._missing_sql(
                        SQL("status.form_id"),
                        SQL("status.step_id"),
                        SQL("prereq.station_id, prereq.step_id"),
                    )
                ),
                info=self._portal_info_sql(),
                desk_info=self._portal_desk_info_sql(),
                form=self.id,
            )
        )

    def _portal_waits_sql(self, missing):
        """Names ``station: step`` of the prerequisites that are missing, as one array."""
        return SQL(
            """
            SELECT array_agg((%(station)s) || ': ' || (%(step)s) ORDER BY other.sequence, other.id) AS names
              FROM (%(missing)s) missing
              JOIN clearance_step other ON other.id = missing.step_id
              JOIN clearance_station place ON place.id = missing.station_id
            """,
            station=self.env["clearance.station"]._field_to_sql("place", "name"),
            step=self.env["clearance.step"]._field_to_sql("other", "name"),
            missing=missing,
        )

    def _portal_info_sql(self):
        """What the step says itself, else what its desk says."""
        Step = self.env["clearance.step"]
        return SQL(", ").join(
            SQL(
                "COALESCE(NULLIF(%s, ''), %s) AS %s",
                Step._field_to_sql("step", fname),
                SQL.identifier("desk_info", fname),
                SQL.identifier(fname),
            )
            for fname in self.env["clearance.station"]._INFO_FIELDS
        )

    def _portal_desk_info_sql(self):
        """What the desk that the graduate is routed to says, else the nearest above it."""
        Station = self.env["clearance.station"]
        columns = SQL(", ").join(
            SQL(
                "(array_agg(%(value)s ORDER BY length(above.parent_path) DESC)"
                " FILTER (WHERE %(value)s <> ''))[1] AS %(name)s",
                value=Station._field_to_sql("above", fname),
                name=SQL.identifier(fname),
            )
            for fname in Station._INFO_FIELDS
        )
        return SQL(
            """
            SELECT %s
              FROM clearance_station above
             WHERE above.id = ANY(string_to_array(trim(TRAILING '/' FROM desk.parent_path), '/')::int[])
            """,
            columns,
        )
