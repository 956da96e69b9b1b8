"""The process map: the steps of a session and what waits for what, to read and to change."""

from collections import deque

from odoo import api, models
from odoo.exceptions import UserError


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def action_open_map(self):
        """Open the process map of this session."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.client"]._for_xml_id("graduate_clearance.clearance_map_action")
        # The web client keeps `active_id` in the address, so that the page can be loaded again.
        return {**action, "context": {"active_id": self.id}, "params": {"session_id": self.id}}

    # -- reading ---------------------------------------------------------------

    @api.readonly
    def get_process_map(self):
        """The steps of this session as a graph.

        Callable by everybody who may read the session.  The number of queries does not
        depend on the number of steps.

        :return: dict ``session`` (``id``, ``name``, ``state``), ``can_edit`` (whether the user
            may change any step), ``steps`` (list of dicts, see :meth:`_prepare_map_steps`),
            ``edges`` (list of dicts, see :meth:`_prepare_map_edges`), ``stations`` (whole
            stations that a step can wait for: ``id``, ``name``, ``step_ids``) and ``cycle``
            (ids of steps that wait for each other, in order; empty when there are none)
        :raise AccessError: when the user may not read this session
        """
        self.ensure_one()
        self.check_access("read")
        steps = self.with_context(active_test=False).step_ids
        editable = self._get_editable_steps(steps)
        active_steps = steps.filtered("active")
        return {
            "session": {"id": self.id, "name": self.name, "state": self.state},
            "can_edit": bool(editable),
            "steps": self._prepare_map_steps(steps, editable),
            "edges": self._prepare_map_edges(active_steps),
            "stations": self._prepare_map_stations(active_steps),
            "cycle": active_steps._find_cycle()[:-1],
        }

    def _get_editable_steps(self, steps):
        """Those of ``steps`` that the user may change: managers all, leads their colleges' own."""
        if self.state == "closed":
            return steps.browse()
        return steps._filtered_access("write")

    def _prepare_map_steps(self, steps, editable):
        """Cards of the map, in the order of the process.

        :return: list of dicts: ids and texts as the card shows them, ``mode`` (a key) and
            ``decides`` (its word), ``due`` and ``open`` (graduates as far as the user sees
            them; None before the session opens, and where a user who sees a part sees none),
            ``prerequisite_station_ids`` and ``editable``
        """
        modes = dict(steps._fields["mode"]._description_selection(self.env))
        counts = self._count_map_graduates(steps)
        user = self.env.user
        sees_all = user.has_groups("graduate_clearance.group_manager,graduate_clearance.group_auditor")
        # Who sees a part only is not told that nobody has the steps of others.
        nobody = (0, 0) if sees_all and self.state != "draft" else (None, None)
        return [
            {
                "id": step.id,
                "name": step.name,
                "stage": step.stage or "",
                "station_id": step.station_id.id,
                "station": step.station_id.name,
                "station_sequence": step.station_id.sequence,
                "required": step.required,
                "mode": step.mode,
                "decides": modes[step.mode],
                "is_entry": step.is_entry,
                "active": step.active,
                "college": step.college_id.name or "",
                "due": counts.get(step.id, nobody)[0],
                "open": counts.get(step.id, nobody)[1],
                "prerequisite_station_ids": step.prerequisite_station_ids.ids,
                "editable": step in editable,
            }
            for step in steps
        ]

    def _count_map_graduates(self, steps):
        """``{step id: (graduates who have it, of these not done)}``.

        A draft's numbers would mean to evaluate the whole roster: the simulation shows them.
        """
        if self.state == "draft":
            return {}
        groups = self.env["clearance.status"]._read_group(
            [("session_id", "=", self.id), ("step_id", "in", steps.ids), ("state", "!=", "not_required")],
            ["step_id", "is_open"],
            ["__count"],
        )
        counts = {}
        for step, is_open, count in groups:
            due, not_done = counts.get(step.id, (0, 0))
            counts[step.id] = (due + count, not_done + (count if is_open else 0))
        return counts

    def _prepare_map_edges(self, steps):
        """What waits for what, and why.

        :return: list of dicts ``from`` (id of the step that comes first), ``to`` (id of the
            step that waits) and ``sources``: dicts ``kind`` (``step``: a prerequisite of
            its own, ``station``: of a whole station, with ``station_id`` and ``station``,
            ``entry``: the first opens the form for all)
        """
        return [
            {"from": prerequisite.id, "to": step.id, "sources": step._get_wait_sources(prerequisite)}
            for step in steps
            for prerequisite in step.blocking_step_ids
        ]

    def _prepare_map_stations(self, steps):
        """Stations with steps of this session at them or below: what a step may wait for as a whole."""
        below = {}
        for step in steps:
            for station_id in (step.station_id.parent_path or "").split("/"):
                if station_id:
                    below.setdefault(int(station_id), []).append(step.id)
        stations = self.env["clearance.station"].with_context(clearance_full_name=True).browse(below)
        return [
            {"id": station.id, "name": station.display_name, "step_ids": below[station.id]}
            for station in stations.sorted(lambda station: (station.sequence, station.display_name, station.id))
        ]

    # -- changing --------------------------------------------------------------

    def set_prerequisite(self, step_id, prerequisite_id, wanted):
        """Let a step wait for another one, or no longer.

        Callable by who may change the step (managers; leads for their colleges' own steps).
        In a draft it is written at once; in an open session nothing is written, but the
        wizard is answered that shows the effect first.

        :param int step_id: the step that waits
        :param int prerequisite_id: the step that comes first
        :param bool wanted: whether it is to wait
        :return: dict ``code`` (``done``, ``already``, ``cycle`` or ``ask``), ``message`` (for
            people), ``cycle`` (ids of the steps that would wait for each other, each for the
            next one), ``action`` (the wizard, for ``ask``) and ``map`` (see
            :meth:`get_process_map`, for ``done``)
        :raise AccessError: the user may not change the step
        :raise UserError: the session is closed, a step is not of this session or retired, or
            the prerequisite comes from a whole station or from the step that opens the form
        """
        step, prerequisite = self._get_map_step(step_id), self._get_map_step(prerequisite_id)
        if step == prerequisite:
            raise UserError(self.env._("“%s” cannot wait for itself.", step.name))
        if not wanted:
            step._check_wait_removable(prerequisite)
        return self._set_wait(step, "prerequisite_ids", prerequisite, prerequisite, wanted)

    def set_prerequisite_station(self, step_id, station_id, wanted):
        """Let a step wait for every step of a station, or no longer.

        As :meth:`set_prerequisite`, with the same answer.

        :param int station_id: a station with steps of this session at it or below it
        """
        step = self._get_map_step(step_id)
        station = self.env["clearance.station"].with_context(active_test=False)
        station = station.search([("id", "=", int(station_id)), ("company_id", "=", self.company_id.id)])
        if not station:
            raise UserError(self.env._("There is no such station on this campus."))
        path = station.parent_path
        below = self.step_ids.filtered(lambda other: (other.station_id.parent_path or "").startswith(path)) - step
        if wanted and not below:
            raise UserError(
                self.env._(
                    "No other step of this session is settled at “%s”: there is nothing to wait for.", station.name
                )
            )
        return self._set_wait(step, "prerequisite_station_ids", station, below, wanted)

    def _get_map_step(self, step_id):
        """The step ``step_id`` of this session; refuses others."""
        self.ensure_one()
        self.check_access("read")
        step = self.with_context(active_test=False).step_ids.filtered(lambda other: other.id == int(step_id))
        if not step:
            raise UserError(self.env._("There is no such step in session “%s”.", self.name))
        return step

    def _set_wait(self, step, fname, record, prerequisites, wanted):
        """Link or unlink ``record`` in ``step[fname]``, so that it waits for ``prerequisites``."""
        step.check_access("write")
        self._check_not_closed()
        answer = {"code": "done", "message": "", "cycle": [], "action": False, "map": False}
        if (record in step[fname]) == wanted:
            return {**answer, "code": "already"}
        if wanted:
            (step | prerequisites)._check_not_retired()
            if cycle := step._find_wait_cycle(prerequisites):
                return {**answer, "code": "cycle", "cycle": cycle.ids, "message": self._explain_cycle(cycle)}
        records = step[fname] | record if wanted else step[fname] - record
        if self.state == "open":
            return {**answer, "code": "ask", "action": step._open_change({fname: records.ids})}
        step[fname] = records
        return {**answer, "map": self.get_process_map()}

    @api.model
    def _explain_cycle(self, cycle):
        return self.env._(
            "Not added: these steps would wait for each other: %s.",
            " → ".join(step.name for step in [*cycle, cycle[0]]),
        )


class ClearanceStep(models.Model):
    _inherit = "clearance.step"

    def _get_wait_sources(self, prerequisite):
        """Why this step waits for ``prerequisite``; see ``_prepare_map_edges``."""
        self.ensure_one()
        sources = []
        if prerequisite in self.prerequisite_ids:
            sources.append({"kind": "step"})
        path = prerequisite.station_id.parent_path or ""
        sources += [
            {"kind": "station", "station_id": station.id, "station": station.name}
            for station in self.prerequisite_station_ids
            if path.startswith(station.parent_path or "/")
        ]
        if prerequisite.is_entry and not self.is_entry:
            sources.append({"kind": "entry"})
        return sources

    def _check_wait_removable(self, prerequisite):
        """Refuse to remove what comes from elsewhere, and say where it is changed."""
        if prerequisite in self.prerequisite_ids:
            return
        values = {"step": self.name, "prerequisite": prerequisite.name}
        for source in self._get_wait_sources(prerequisite):
            if source["kind"] == "station":
                raise UserError(
                    self.env._(
                        "“%(step)s” waits for “%(prerequisite)s” because it waits for the whole station “%(station)s”. "
                        "Remove the station from what it waits for, or settle “%(prerequisite)s” at another station.",
                        station=source["station"],
                        **values,
                    )
                )
            raise UserError(
                self.env._(
                    "“%(step)s” waits for “%(prerequisite)s” because that opens the form: every step does. "
                    "Switch “Opens the form” off on “%(prerequisite)s”.",
                    **values,
                )
            )

    def _check_not_retired(self):
        for step in self:
            if not step.active:
                raise UserError(
                    self.env._("“%s” is retired: nothing waits for it, and it waits for nothing.", step.name)
                )

    def _find_wait_cycle(self, prerequisites):
        """The steps that would wait for each other if this one waited for ``prerequisites``.

        :return: the shortest such circle, each step waiting for the next one and the last for
            this one; empty when there is none
        """
        self.ensure_one()
        came_from = {step: self for step in prerequisites if step != self}
        queue = deque(came_from)
        while queue:
            step = queue.popleft()
            for other in step.blocking_step_ids:
                if other == self:
                    path = [step]
                    while path[-1] != self:
                        path.append(came_from[path[-1]])
                    return self.browse().concat(*reversed(path))
                if other not in came_from:
                    came_from[other] = step
                    queue.append(other)
        return self.browse()
