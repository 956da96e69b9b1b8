from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

_PAGE, _LONGEST_PAGE, _COUNTED = 40, 200, 1000


class ClearanceDeferral(models.AbstractModel):
    """What the screen of deferral officers asks for and does (缓交办理点).

    Hunan UST's deferral station: find a graduate, see the steps that restrict later ones,
    lift or restore the restriction.  Every method can be called by deferral officers and
    managers only; whom they see comes through the record rules of forms.
    """

    _name = "clearance.deferral"
    _description = "Deferral Desk"

    @api.model
    @api.readonly
    def get_setup(self):
        """What the screen offers to choose from.

        :return: dict ``sessions`` (open ones: ``id``, ``name``) and ``reasons`` (see
            ``clearance.reason._get_presets``)
        :raise AccessError: the user is no deferral officer
        """
        self._check_officer()
        sessions = self.env["clearance.session"].search([("state", "=", "open")])
        return {
            "sessions": [{"id": session.id, "name": session.name} for session in sessions],
            "reasons": self.env["clearance.reason"]._get_presets(Domain("decision", "=", "lift")),
        }

    @api.model
    @api.readonly
    def search_graduates(self, query="", lifted=False, offset=0, limit=_PAGE, session_id=False):
        """One page of the graduates who take part in an open session.

        :param str query: part of a student number or name, pinyin initials, or a whole
            ID-card number
        :param bool lifted: only those for whom a restriction is lifted at present
        :param int session_id: of this session only
        :return: dict ``rows`` (list of ``form_id``, ``student_number``, ``name``,
            ``college``, ``class``, ``session``, ``form_state``, ``earlier_year`` and
            ``lifted``: how many restrictions), ``count`` (up to 1,000) and ``more``
            (whether there are more than that)
        :raise AccessError: the user is no deferral officer
        """
        self._check_officer()
        Desk, Form = self.env["clearance.desk"], self.env["clearance.form"]
        domain = Domain("session_id.state", "=", "open")
        if session_id:
            domain &= Domain("session_id", "=", session_id)
        if lifted:
            domain &= Desk._has_status(Domain("is_open", "=", True) & Domain("is_lifted", "=", True))
        if (query or "").strip():
            domain &= Desk._search_text_domain(query)
        limit = min(max(int(limit), 1), _LONGEST_PAGE)
        forms = Form.search_fetch(domain, order="student_id, id", offset=max(int(offset), 0), limit=limit)
        count = Form.search_count(domain, limit=_COUNTED + 1)
        return {"rows": self._prepare_rows(forms), "count": min(count, _COUNTED), "more": count > _COUNTED}

    def _prepare_rows(self, forms):
        groups = self.env["clearance.override"]._read_group(
            [("form_id", "in", forms.ids), ("in_force", "=", True), ("status_id.is_open", "=", True)],
            ["form_id"],
            ["__count"],
        )
        lifted = {form.id: count for form, count in groups}
        return [
            {
                "form_id": form.id,
                "student_number": form.student_number,
                "name": form.student_id.name,
                "college": form.college_id.name or "",
                "class": form.class_id.name or "",
                "session": form.session_id.name,
                "form_state": form.state,
                "earlier_year": form.earlier_year,
                "lifted": lifted.get(form.id, 0),
            }
            for form in forms
        ]

    # -- one graduate ----------------------------------------------------------

    @api.model
    @api.readonly
    def get_graduate(self, form_id):
        """A graduate with the steps that restrict later ones.

        :return: dict ``form_id``, ``session`` (``id``, ``name``, ``state``), ``form_state``
            (as the steps are now), ``due`` and ``open`` (numbers of required steps),
            ``person`` (see ``clearance.desk.get_graduate``), ``steps`` (see
            :meth:`_prepare_steps`), ``record`` (rows of the whole record, see
            ``clearance.form._get_records``) and ``history`` (deferrals that are over);
            times are UTC texts
        :raise AccessError: the user is no deferral officer, or the graduate is of another campus
        """
        self._check_officer()
        form = self.env["clearance.form"].browse(int(form_id)).exists()
        if not form:
            raise UserError(self.env._("This graduate is not in any session."))
        record = form._get_records().get(form.id, [])
        form_sudo = form.sudo()  # the form is readable: ``_get_records`` has checked it
        due = [row for row in record if row["required"] and row["state"] != "not_required"]
        overrides = self.env["clearance.override"].search([("form_id", "=", form.id)])
        deferrals = self._prepare_deferrals(overrides)
        in_force = {override.status_id.id: deferrals[override.id] for override in overrides if override.in_force}
        return {
            "form_id": form.id,
            "session": {
                "id": form_sudo.session_id.id,
                "name": form_sudo.session_id.name,
                "state": form_sudo.session_state,
            },
            "form_state": self._get_form_state(form_sudo, record),
            "due": len(due),
            "open": sum(row["is_open"] for row in due),
            "person": self.env["clearance.desk"]._get_person(form_sudo),
            "steps": self._prepare_steps(form_sudo, record, in_force),
            "record": record,
            "history": [deferrals[override.id] for override in overrides if not override.in_force],
        }

    @api.model
    def _get_form_state(self, form_sudo, record):
        """What ``clearance.form._settle`` will make of it: forms settle after the commit."""
        if form_sudo.state == "withdrawn":
            return "withdrawn"
        left = [row for row in record if row["is_open"]]
        if not left:
            return "cleared"
        return "deferred" if all(row["lifted"] for row in left) else "open"

    def _prepare_steps(self, form_sudo, record, deferrals):
        """The steps that some other step of this graduate waits for, in the order of the process.

        :param dict deferrals: those in force, by status
        :return: list of dicts ``status_id``, ``step``, ``station``, ``station_id``,
            ``stage``, ``state``, ``needs_review``, ``initial_state``, ``restricted``
            (whether it holds later steps back now), ``lifted`` (the deferral in force or
            ``False``), ``restricts`` (names of the steps that wait for it), ``can_lift``,
            ``can_restore``, ``why_not`` (text, where neither is possible), and where a deferral of
            the step lasts so long as a rule ``months`` and ``date_end`` (its last day, if granted today)
        """
        restricts = self._get_restricts(record)
        rules = self._get_rules(restricts)
        steps = []
        for row in record:
            if row["step_id"] not in restricts:
                continue
            why_not = self._get_obstacle(form_sudo, row)
            lifted = deferrals.get(row["id"], False)
            steps.append(
                {
                    "status_id": row["id"],
                    **{
                        key: row[key]
                        for key in ("step", "station", "station_id", "stage", "state", "needs_review", "initial_state")
                    },
                    "restricted": row["is_open"] and not lifted,
                    "lifted": lifted,
                    "restricts": restricts[row["step_id"]],
                    "can_lift": not why_not and not lifted,
                    "can_restore": not why_not and bool(lifted),
                    "why_not": why_not,
                    **rules[row["step_id"]],
                }
            )
        return steps

    def _get_restricts(self, record):
        """Names of the steps that wait for each step, of those that concern the graduate."""
        names = {row["step_id"]: row["step"] for row in record if row["state"] != "not_required"}
        self.env.cr.execute(
            SQL(
                """SELECT rel.prerequisite_id, rel.step_id
                     FROM clearance_step_blocking_rel rel
                     JOIN clearance_step step ON step.id = rel.step_id
                    WHERE rel.prerequisite_id = ANY(%(steps)s) AND rel.step_id = ANY(%(waiting)s)
                    ORDER BY step.sequence, step.id""",
                steps=[row["step_id"] for row in record],
                waiting=list(names),
            )
        )
        restricts = {}
        for step_id, waiting_id in self.env.cr.fetchall():
            restricts.setdefault(step_id, []).append(names[waiting_id])
        return restricts

    def _get_rules(self, step_ids):
        """How long a deferral of these steps lasts as a rule; ``months`` is 0 where it has no end."""
        # sudo: of steps that the officer is shown anyway.
        steps = self.env["clearance.step"].sudo().browse(step_ids)
        return {
            step.id: {
                "months": step.deferral_months,
                "date_end": fields.Date.to_string(step._get_deferral_end()) or "",
            }
            for step in steps
        }

    def _get_obstacle(self, form_sudo, row):
        """Why the restriction of a step can be neither lifted nor restored; empty when it can."""
        if form_sudo.session_state != "open":
            return self.env._("The session is not open.")
        if form_sudo.state == "withdrawn":
            return self.env._("The graduate has been taken out of this session.")
        if row["is_open"]:
            return ""
        if row["state"] == "not_required":
            return self.env._("This step does not concern the graduate: it restricts nothing.")
        if row["state"] == "optional":
            return self.env._("An optional step restricts nothing.")
        return self.env._("This step is settled: it restricts nothing any more.")

    def _prepare_deferrals(self, overrides):
        """Deferrals as the screen shows them.

        :return: dict ``{id: dict}`` with ``id``, ``status_id``, ``step``, ``reason``,
            ``date_end``, ``granted_by``, ``granted_at``, ``restored_by``, ``restored_at``,
            ``state`` and ``evidence`` (list of ``id``, ``name``)
        """
        evidence = self._get_evidence(overrides)
        deferrals = {}
        for override in overrides.sudo():  # sudo: names of people; the deferrals are readable
            deferrals[override.id] = {
                "id": override.id,
                "status_id": override.status_id.id,
                "step": override.step_id.name,
                "reason": override.reason,
                "date_end": fields.Date.to_string(override.date_end) or "",
                "granted_by": override.granted_by_id.name,
                "granted_at": fields.Datetime.to_string(override.granted_at),
                "restored_by": override.restored_by_id.name or "",
                "restored_at": fields.Datetime.to_string(override.restored_at) or "",
                "state": override.state,
                "evidence": evidence.get(override.id, []),
            }
        return deferrals

    def _get_evidence(self, overrides):
        attachments = self.env["ir.attachment"].search_fetch(
            [("res_model", "=", overrides._name), ("res_id", "in", overrides.ids), ("res_field", "=", False)],
            ["name", "res_id"],
            order="id",
        )
        evidence = {}
        for attachment in attachments:
            evidence.setdefault(attachment.res_id, []).append({"id": attachment.id, "name": attachment.name})
        return evidence

    # -- lifting and restoring -------------------------------------------------

    @api.model
    def lift(self, key, status_ids, reason, date_end=False, attachment_ids=()):
        """Lift the restriction of steps of one graduate, once for each key however often it is sent.

        :param str key: made by the screen for this action
        :param list status_ids: ids of the ``steps`` of :meth:`get_graduate`
        :param str reason: which proof was shown
        :param str date_end: last day, ``YYYY-MM-DD``; empty: until it is restored
        :param list attachment_ids: evidence, uploaded by the user and not linked to anything yet
        :return: dict ``outcomes`` (list of ``id``, ``code`` (see ``clearance.override._lift``),
            ``message`` (empty when done)) and ``graduate`` as :meth:`get_graduate` answers
        :raise AccessError: the user is no deferral officer, or names somebody else's file
        :raise UserError: no reason, or an end date that is none or in the past
        """
        self._check_officer()
        Override = self.env["clearance.override"]

        def act():
            attachments = Override._get_fresh_evidence(attachment_ids or ())
            outcomes = Override._lift(status_ids, reason, self._read_date(date_end), door="desk")
            done = [outcome.status_id for outcome in outcomes if outcome.code == "done"]
            if attachments and done:
                granted = Override.search([("status_id", "in", done), ("restored_at", "=", False)])
                granted._add_evidence(attachments)
            return self._explain(outcomes, self.env._("The restriction of this step is lifted already."))

        return self._act(key, act)

    @api.model
    def restore(self, key, override_ids, reason=""):
        """Let steps of one graduate restrict again, once for each key however often it is sent.

        :param list override_ids: ids of deferrals
        :param str reason: why, kept in the log
        :return: as :meth:`lift`
        :raise AccessError: the user is no deferral officer
        """
        self._check_officer()
        Override = self.env["clearance.override"]

        def act():
            outcomes = Override._restore(override_ids, reason, door="desk")
            return self._explain(outcomes, self.env._("The restriction of this step has been restored already."))

        return self._act(key, act)

    def _act(self, key, act):
        outcomes = self.env["clearance.request"]._once(key, act)
        # sudo: whose statuses these are; what is answered of the form is checked.
        statuses = self.env["clearance.status"].sudo().browse(outcome["id"] for outcome in outcomes if outcome["id"])
        form = statuses.exists()[:1].form_id.with_env(self.env)._filtered_access("read")
        return {"outcomes": outcomes, "graduate": self.get_graduate(form.id) if form else False}

    def _explain(self, outcomes, already):
        words = {"already": already, "not_yours": self.env._("This graduate is not on your campus.")}
        words["unknown"] = words["not_yours"]
        return [
            {"id": outcome.status_id, "code": outcome.code, "message": words.get(outcome.code, message)}
            for outcome, message in self.env["clearance.status"]._explain(outcomes)
        ]

    def _read_date(self, text):
        try:
            return fields.Date.to_date(text or None)
        except ValueError as error:
            raise UserError(self.env._("“%s” is no date.", text)) from error

    def _check_officer(self):
        if not self.env.su and not self.env.user.has_group("graduate_clearance.group_deferral"):
            raise AccessError(self.env._("Only deferral officers and managers may do this."))
