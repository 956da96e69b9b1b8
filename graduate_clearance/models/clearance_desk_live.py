"""Live figures of the desk, and how screens hear that something has changed."""

import time

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

#: seconds between two notes about the same station; screens wait longer before they
#: refresh, so that what happens in between is seen too
_QUIET = 1.0
_told = {}


class ClearanceDesk(models.AbstractModel):
    _inherit = "clearance.desk"

    @api.model
    @api.readonly
    def get_statistics(self, station_id, session_id=False, form_id=False):
        """Live figures of a station and each of its steps (Hunan UST's statistics pane).

        Figures of the station count graduates: due is who has a step there, open who has
        one that is not settled.  Optional steps are due, never open.

        :param int form_id: the graduate on the screen, whose version is answered too
        :return: dict ``as_of`` (UTC text), ``version``, ``station`` (dict) and ``steps``
            (list of dicts ``step_id``, ``name``): each with ``due``, ``due_earlier``,
            ``open``, ``open_earlier``, ``done``, ``rate`` (per cent), steps with
            ``submitted`` and ``rejected`` too
        :raise AccessError: for everybody who is not clearance staff
        """
        self._check_staff()
        self.env.cr.execute(self._statistics_sql(self._get_due_domain(station_id, session_id)))
        rows = self.env.cr.fetchall()
        names = ("due", "due_earlier", "open", "open_earlier", "submitted", "rejected")
        figures = {row[0]: self._prepare_figures(dict(zip(names, row[1:], strict=True))) for row in rows}
        station = figures.pop(None, None) or self._prepare_figures(dict.fromkeys(names, 0))
        steps = self.env["clearance.step"].sudo().browse(figures)  # sudo: names of steps that the user decides on
        if form_id:
            self.env["clearance.form"].browse(form_id).check_access("read")
        return {
            "as_of": fields.Datetime.to_string(self.env.cr.now()),
            "version": self._get_version(form_id) if form_id else False,
            "station": station,
            "steps": [
                {"step_id": step.id, "name": step.name, **figures[step.id]}
                for step in steps.sorted(lambda step: (step.sequence, step.id))
            ],
        }

    def _statistics_sql(self, domain):
        """Figures by step, and of the whole station in the row without a step; one pass over its statuses."""
        # sudo: the domain holds the rules for deciding.
        query = self.env["clearance.status"].sudo()._search(domain)
        self.env.flush_all()
        return SQL(
            """
            WITH found AS MATERIALIZED (%s),
            graduates AS (
                SELECT form_id, bool_or(is_open) AS is_open, bool_or(earlier_year) AS earlier_year
                  FROM found
                 GROUP BY form_id
            )
            SELECT step_id, count(*), count(*) FILTER (WHERE earlier_year), count(*) FILTER (WHERE is_open),
                   count(*) FILTER (WHERE is_open AND earlier_year),
                   count(*) FILTER (WHERE state = 'submitted'), count(*) FILTER (WHERE state = 'rejected')
              FROM found
             GROUP BY step_id
             UNION ALL
            SELECT NULL, count(*), count(*) FILTER (WHERE earlier_year), count(*) FILTER (WHERE is_open),
                   count(*) FILTER (WHERE is_open AND earlier_year), 0, 0
              FROM graduates
            """,
            query.select(
                *(
                    SQL.identifier("clearance_status", fname)
                    for fname in ("form_id", "step_id", "state", "is_open", "earlier_year")
                )
            ),
        )

    def _prepare_figures(self, figures):
        done = figures["due"] - figures["open"]
        return {**figures, "done": done, "rate": 100 * done / figures["due"] if figures["due"] else 0}

    # -- telling the others ----------------------------------------------------

    @api.model
    def _tell_after_commit(self, changed):
        """Tell screens, after the commit, that statuses of these stations have changed.

        At most about one note a second for each station: thousands of confirmations a
        minute must not flood the desks, which wait longer before they look.

        :param set changed: pairs of station id and session id
        """
        callbacks = self.env.cr.postcommit
        pending = callbacks.data.get("clearance.tell")
        if pending is not None:
            pending.update(changed)
            return
        pending = callbacks.data["clearance.tell"] = set(changed)
        registry = self.env.registry

        @callbacks.add
        def tell():
            callbacks.data.pop("clearance.tell", None)
            due = _take_due(registry.db_name, pending)
            if due:
                with registry.cursor() as cr:
                    api.Environment(cr, SUPERUSER_ID, {})["clearance.desk"]._tell(due)

    @api.model
    def _tell(self, changed):
        """Send a note to every member of the staff; it says where something happened, not what."""
        staff = self.env.ref("graduate_clearance.group_staff")
        for station_id, session_id in sorted(changed):
            staff._bus_send("clearance.changed", {"station_id": station_id, "session_id": session_id})


def _take_due(database, changed):
    """Those of ``changed`` that this process has not told about within the last second."""
    now = time.monotonic()
    due = {pair for pair in changed if now - _told.get((database, *pair), -_QUIET) >= _QUIET}
    _told.update({(database, *pair): now for pair in due})
    return due
