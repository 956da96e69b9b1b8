import re

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: through which doors a screen that calls this may decide
_DOORS = ("desk", "matrix", "scan")
ID_NUMBER = re.compile(r"\d{15}|\d{17}[\dX]")
#: what the QR code on a graduate's page says: its address
_PAGE_ADDRESS = re.compile(r"/my/clearance/(\d+)")


class ClearanceDesk(models.AbstractModel):
    """What the screens of people who decide ask for and do.

    Hunan UST's desk: search and live figures on the left, the graduate and the steps of
    this station in the middle, the whole record on the right.  Every method can be called
    by clearance staff; what they see comes through the record rules of forms and statuses,
    and every decision through the gate.
    """

    _name = "clearance.desk"
    _description = "Operator's Desk"

    @api.model
    @api.readonly
    def get_stations(self):
        """Stations where the user may decide, with their open sessions, steps and reasons.

        Operators get their own stations, counsellors and supervisors those whose steps are
        given to them, managers all.

        :return: dict ``stations`` (list of ``id``, ``name``, ``fast_scan``, ``sessions``, ``steps``, ``until``:
            the last day of a substitute, in words, or False),
            ``reasons`` (see ``clearance.reason._get_presets``), ``is_manager``
        :raise AccessError: for everybody who is not clearance staff
        """
        self._check_staff()
        steps = self.env["clearance.step"].search([("session_id.state", "=", "open")])
        groups = self.env["clearance.status"]._read_group(
            self.env["clearance.status"]._get_actionable_domain() & Domain("step_id", "in", steps.ids),
            ["station_id", "step_id"],
        )
        stations = {}
        for station, step in groups:
            stations.setdefault(station, self.env["clearance.step"])
            stations[station] |= step
        last_days = self.env["clearance.substitute"]._get_last_days()
        return {
            "stations": [
                {
                    **self._prepare_station(station, stations[station].sorted(lambda step: (step.sequence, step.id))),
                    "until": last_days.get(station.id, False),
                }
                for station in sorted(stations, key=lambda station: (station.sequence, station.name, station.id))
            ],
            "reasons": self.env["clearance.reason"]._get_presets(),
            "is_manager": self.env.user.has_group("graduate_clearance.group_manager"),
        }

    def _prepare_station(self, station, steps):
        return {
            "id": station.id,
            "name": station.name,
            "fast_scan": station.fast_scan,
            "sessions": [{"id": session.id, "name": session.name} for session in steps.session_id],
            "steps": [
                {
                    "id": step.id,
                    "name": step.name,
                    "session_id": step.session_id.id,
                    "mode": step.mode,
                    "required": step.required,
                    "stage": step.stage or "",
                }
                for step in steps
            ],
        }

    # -- finding ---------------------------------------------------------------

    @api.model
    @api.readonly
    def find(self, code, station_id):
        """The graduate whose card, number or portal page has been scanned.

        :param str code: a student number, the QR code of the graduate's portal page, or an
            ID-card number
        :return: dict ``form_id``, or ``error`` (``unknown`` or ``not_here``) and ``message``
        :raise AccessError: for everybody who is not clearance staff
        """
        self._check_staff()
        form, error = self._find(code, station_id)
        return {"form_id": form.id} if form else error

    def _find(self, code, station_id):
        """The form a code means, and else what to answer."""
        code = (code or "").strip()
        # sudo: only whether there is one; the form is searched under the user's rules.
        students = self.env["clearance.student"].sudo().with_context(active_test=False)
        here = Domain("session_id.state", "=", "open") & self._has_status(self._get_station_domain(station_id))
        Form = self.env["clearance.form"]
        if page := _PAGE_ADDRESS.search(code):
            form = Form.search(Domain("id", "=", int(page[1])) & here)
            known = bool(form)
        else:
            known = students.search(
                Domain("student_number", "=ilike", escape_like(code))
                | (Domain("id_number", "=ilike", code) if ID_NUMBER.fullmatch(code.upper()) else Domain.FALSE)
            )
            form = Form.search(Domain("student_id", "in", known.ids) & here, order="state desc, id desc", limit=1)
        if form:
            return form, None
        if known:
            message = self.env._("“%s” has nothing to settle at this station.", code)
            return form, {"error": "not_here", "message": message}
        return form, {"error": "unknown", "message": self.env._("Nobody has the number or code “%s”.", code)}

    # -- deciding --------------------------------------------------------------

    @api.model
    def decide(self, key, decision, status_ids, reason="", door="desk", form_id=False, station_id=False, seen=None):
        """Decide on statuses, once for each key however often it is sent.

        :param str key: made by the screen for this action
        :param str decision: as in ``clearance.status.decide``
        :param list status_ids: ids of statuses
        :param str door: ``desk``, ``matrix`` or ``scan``
        :param int form_id: answer this graduate's fresh values too, as :meth:`get_graduate`
        :param dict seen: ``{status id: id of what the graduate had sent, as shown}``; where it
            is something else by now, the outcome is ``resent``
        :return: dict ``outcomes`` (list of ``id``, ``code``, ``message``, ``line``: the log
            line to undo it by) and ``graduate``
        :raise AccessError: for everybody who is not clearance staff
        :raise UserError: unknown decision
        """
        self._check_staff()
        self._check_door(door)
        statuses = self.env["clearance.status"].browse(status_ids)
        if door == "scan":
            # sudo: where these steps are decided; the gate looks at who decides.
            self._check_fast(statuses.sudo().exists().station_id)
        return self._act(
            key,
            lambda: statuses._decide_seen(decision, door, reason, seen),
            form_id=form_id,
            station_id=station_id,
        )

    @api.model
    def undo(self, key, line_ids, reason="", door="desk", form_id=False, station_id=False):
        """Take decisions back, where nobody has decided on the step since.

        Parameters and answer as in :meth:`decide`; ``line_ids`` are its ``line``.
        """
        self._check_staff()
        self._check_door(door)
        Status = self.env["clearance.status"]
        return self._act(key, lambda: Status._undo(line_ids, door, reason), form_id=form_id, station_id=station_id)

    def _check_door(self, door):
        if door not in _DOORS:
            raise UserError(self.env._("There is no door “%s”.", door))

    def _check_fast(self, stations):
        """Stop scans that confirm at once where a station does not want them.

        Its operators look at each graduate first; what they then confirm comes through the desk.
        """
        # sudo: how a desk works, for everybody alike.
        if slow := stations.sudo().exists().filtered(lambda station: not station.fast_scan)[:1]:
            raise UserError(
                self.env._(
                    "%(station)s has no fast scanning: open the graduate, look, then confirm.", station=slow.name
                )
            )

    def _act(self, key, act, form_id, station_id):
        """Run a decision once, and answer its outcomes with the graduate as it is now."""
        Status = self.env["clearance.status"]

        def answer():
            return [
                {"id": outcome.status_id, "code": outcome.code, "message": message, "line": outcome.line or False}
                for outcome, message in Status._explain(act())
            ]

        outcomes = self.env["clearance.request"]._once(key, answer)
        return {"outcomes": outcomes, "graduate": form_id and self.get_graduate(form_id, station_id)}

    @api.model
    def scan(self, key, code, station_id, step_ids=()):
        """Find a graduate and confirm at once what is open at this station ("fast mode").

        Steps of source systems are left out: overruling one asks for a reason.

        :param list step_ids: confirm these steps only; empty: every step of the station
        :return: dict ``result`` (``done``, ``already``, ``refused`` or ``unknown``),
            ``form_id``, ``name``, ``student_number``, ``class``, ``message``, ``outcomes``
            (with ``step``) and ``graduate``
        :raise AccessError: for everybody who is not clearance staff
        """
        self._check_staff()
        self._check_fast(self.env["clearance.station"].browse(station_id))
        form, error = self._find(code, station_id)
        if not form:
            nobody = dict.fromkeys(("form_id", "name", "student_number", "class", "graduate"), False)
            return {**nobody, "result": "unknown", "message": error["message"], "outcomes": []}
        statuses = self._get_scanned(form, station_id, step_ids)
        done = self._act(key, lambda: statuses._decide("approve", "scan"), form_id=form.id, station_id=station_id)
        steps = {row["id"]: row["step"] for row in done["graduate"]["steps"]}
        outcomes = [{**outcome, "step": steps.get(outcome["id"], "")} for outcome in done["outcomes"]]
        person = done["graduate"]["person"]
        return {
            "result": self._sum_up(outcomes),
            "form_id": form.id,
            "name": person["name"],
            "student_number": person["student_number"],
            "class": person["class"],
            "message": "\n".join(outcome["message"] for outcome in outcomes if outcome["message"]),
            "outcomes": outcomes,
            "graduate": done["graduate"],
        }

    def _get_scanned(self, form, station_id, step_ids):
        """The statuses that a scan confirms: open, at this station, not settled by a machine."""
        domain = Domain("form_id", "=", form.id) & self._get_station_domain(station_id)
        domain &= Domain("is_open", "=", True) & Domain("step_id.mode", "!=", "feed")
        if step_ids:
            domain &= Domain("step_id", "in", list(step_ids))
        # sudo: the domain holds the rules for deciding; the gate looks again.
        found = self.env["clearance.status"].sudo().search(domain)
        return found.with_env(self.env)

    def _sum_up(self, outcomes):
        codes = {outcome["code"] for outcome in outcomes}
        if codes - {"done", "already"}:
            return "refused"
        return "done" if "done" in codes else "already"

    def _get_search_domain(self, station_id, session_id, query, step_id):
        """Statuses at the station that concern graduates, of those who are looked for."""
        domain = self._get_due_domain(station_id, session_id)
        if step_id:
            domain &= Domain("step_id", "=", step_id)
        if (query or "").strip():
            # sudo: graduates by text; whether they concern the user the other conditions say.
            forms = self.env["clearance.form"].sudo()._search(self._search_text_domain(query))
            domain &= Domain("form_id", "in", forms)
        return domain

    def _get_due_domain(self, station_id, session_id=False):
        """Statuses at a station that concern graduates of open sessions."""
        domain = (
            self._get_station_domain(station_id)
            & Domain("state", "!=", "not_required")
            & Domain("session_id.state", "=", "open")
        )
        return domain & Domain("session_id", "=", session_id) if session_id else domain

    def _get_station_domain(self, station_id):
        return (
            self.env["clearance.status"]._get_actionable_domain()
            & Domain("station_id", "=", station_id)
            & Domain("active", "=", True)
        )

    def _has_status(self, domain):
        """A domain on forms: some status of theirs meets ``domain``."""
        # sudo: the domain holds the rules for deciding, which are narrower than those for reading.
        query = self.env["clearance.status"].sudo()._search(domain)
        condition = query.select(SQL("clearance_status.form_id"))

        def to_sql(model, alias, _query):
            return SQL("%s IN (%s)", SQL.identifier(alias, "id"), condition)

        return Domain.custom(to_sql=to_sql)

    def _check_staff(self):
        if not self.env.user.has_group("graduate_clearance.group_staff"):
            raise AccessError(self.env._("Only clearance staff may do this."))


def escape_like(text):
    """Text that ``ilike`` takes literally."""
    return re.sub(r"([%_\\])", r"\\\1", text)
