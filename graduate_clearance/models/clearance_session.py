import ast

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class ClearanceSession(models.Model):
    """One run of clearance for one population, with a window of days (离校会话)."""

    _name = "clearance.session"
    _description = "Clearance Session"
    _inherit = ["mail.thread", "clearance.window.mixin"]
    _order = "year desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, index=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        [("draft", "Draft"), ("open", "Open"), ("closed", "Closed")],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
    )
    year = fields.Integer(
        "Graduation year",
        required=True,
        aggregator=None,
        default=lambda self: fields.Date.context_today(self).year,
        help="Graduates of an earlier year take part as earlier-year graduates.",
    )
    student_domain = fields.Char(
        "Who takes part",
        required=True,
        default="[]",
        help="Graduates of this campus who take part in this session.",
    )
    open_from = fields.Datetime("From", required=True, tracking=True)
    open_until = fields.Datetime("Until", required=True, tracking=True)
    instructions = fields.Text(translate=True, help="What every graduate of this session reads first.")
    digest = fields.Boolean(
        "Daily mail to graduates",
        compute="_compute_digest",
        store=True,
        readonly=False,
        precompute=True,
        help="Graduates get one mail on each day on which something has changed on their form, unless they opt out.",
    )
    step_ids = fields.One2many("clearance.step", "session_id", "Steps", copy=True)
    form_ids = fields.One2many("clearance.form", "session_id", "Forms")
    slot_ids = fields.One2many("clearance.slot", "session_id", "Time slots", copy=True)
    applied_at = fields.Datetime("Steps applied", readonly=True, copy=False)
    has_changes = fields.Boolean("Steps changed", compute="_compute_has_changes")
    form_count = fields.Integer("Due", compute="_compute_progress")
    earlier_year_count = fields.Integer("Of earlier years", compute="_compute_progress")
    cleared_count = fields.Integer("Cleared", compute="_compute_progress")
    open_count = fields.Integer("Not done", compute="_compute_progress")
    withdrawn_count = fields.Integer("Withdrawn", compute="_compute_progress")
    clearance_rate = fields.Float("Clearance rate (%)", compute="_compute_progress")
    step_count = fields.Integer("Number of steps", compute="_compute_step_count")
    active = fields.Boolean(default=True)
    closed_at = fields.Datetime("Closed on", readonly=True, copy=False)
    template_id = fields.Many2one("clearance.template", readonly=True, copy=False, index="btree_not_null")
    copied_from_id = fields.Many2one("clearance.session", "Copied from", readonly=True, copy=False)
    college_steps = fields.Boolean(
        "Colleges may add steps",
        help="College leads add steps for their own graduates, settled at their own desks (Sun Yat-sen).",
    )
    calendar_id = fields.Many2one(
        "resource.calendar",
        "Working days",
        check_company=True,
        help="Days on which the offices work within the window. Graduates read them on their page. Empty: every day.",
    )
    duty_ids = fields.One2many("clearance.duty", "session_id", "Duties", copy=True)

    @api.depends("company_id")
    def _compute_digest(self):
        """As the campus has it for new sessions."""
        for session in self:
            session.digest = self.env["clearance.settings"]._get(session.company_id).digest

    @api.depends("applied_at", "state", "step_ids.changed_at")
    def _compute_has_changes(self):
        for session in self:
            # sudo-free: whoever reads the session reads its steps; archived ones count too.
            steps = session.with_context(active_test=False).step_ids
            changed = steps.filtered(lambda step, applied=session.applied_at: applied and step.changed_at > applied)
            session.has_changes = session.state == "open" and bool(changed)

    def _compute_progress(self):
        """Figures of the whole session as far as the user may see its forms."""
        groups = self.env["clearance.form"]._read_group(
            [("session_id", "in", self.ids)],
            ["session_id", "state", "earlier_year"],
            ["__count"],
        )
        for session in self:
            rows = [row for row in groups if row[0] == session]
            due = [row for row in rows if row[1] != "withdrawn"]
            session.withdrawn_count = sum(row[3] for row in rows if row[1] == "withdrawn")
            session.form_count = sum(row[3] for row in due)
            session.earlier_year_count = sum(row[3] for row in due if row[2])
            session.open_count = sum(row[3] for row in due if row[1] == "open")
            session.cleared_count = session.form_count - session.open_count
            session.clearance_rate = 100 * session.cleared_count / session.form_count if session.form_count else 0

    @api.depends("step_ids")
    def _compute_step_count(self):
        for session in self:
            session.step_count = len(session.step_ids)

    @api.constrains("student_domain")
    def _check_student_domain(self):
        for session in self:
            self.env["clearance.applicability"]._check(session.student_domain, session.company_id, session.name)

    @api.constrains("open_from", "open_until")
    def _check_window_of_steps(self):
        self.step_ids._check_within_session()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_state_untouched(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_state_untouched(vals)
        if vals.keys() - {"active"}:
            self._check_not_closed()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for session in self:
            if session.state != "draft":
                raise UserError(
                    self.env._(
                        "Session “%(session)s” has been opened: archive it instead, its record must be kept.",
                        session=session.name,
                    )
                )

    def copy(self, default=None):
        """Copy sessions with their steps and the prerequisites among these."""
        copies = super().copy(default)
        for session, new_session in zip(self, copies, strict=True):
            session._copy_prerequisites_to(new_session)
        return copies

    def copy_data(self, default=None):
        return [
            dict(vals, name=self.env._("%s (copy)", session.name)) if "name" not in (default or {}) else vals
            for session, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def _copy_prerequisites_to(self, new_session):
        """Translate the prerequisites of this session's steps to the copied ones."""
        self.ensure_one()
        twin = self._get_twins(new_session)
        for step, new_step in twin.items():
            new_step.prerequisite_ids = [
                fields.Command.set([twin[prereq].id for prereq in step.prerequisite_ids if prereq in twin])
            ]

    def _get_twins(self, new_session):
        """Which step of a copy is which of this session: lines are copied in the order of their ids.

        :return: dict from step to step
        """
        return dict(zip(self.step_ids.sorted("id"), new_session.step_ids.sorted("id"), strict=True))

    def _check_not_closed(self):
        for session in self:
            if session.state == "closed":
                raise UserError(self.env._("Session “%(session)s” is closed: it is read-only.", session=session.name))

    def _set_state(self, state, **vals):
        """Move sessions to another state, past what :meth:`write` refuses.

        A context key would not do for that: remote callers choose their context.
        """
        return super().write({"state": state, **vals})  # pylint: disable=super-method-mismatch

    @api.model
    def _check_state_untouched(self, vals):
        if vals.get("state", "draft") != "draft" or ("state" in vals and self):
            raise UserError(self.env._("A session is opened and closed by its buttons."))

    def _get_population_domain(self):
        """Graduates who take part: of this campus, due to graduate, as the session says."""
        self.ensure_one()
        return (
            Domain("company_id", "=", self.company_id.id)
            & Domain("graduation_state", "=", "due")
            & Domain(ast.literal_eval(self.student_domain or "[]"))
        )

    # -- actions ---------------------------------------------------------------

    def action_open_wizard(self):
        """Show what opening (again) would do; nothing is written before it is confirmed."""
        self.ensure_one()
        self.check_access("write")
        self._check_not_closed()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Open session") if self.state == "draft" else self.env._("Update session"),
            "res_model": "clearance.session.open",
            "view_mode": "form",
            "target": "new",
            "context": {"default_session_id": self.id, "dialog_size": "extra-large"},
        }

    def action_close(self):
        """Close open sessions: from then on nothing in them changes."""
        self.check_access("write")
        for session in self:
            if session.state != "open":
                raise UserError(self.env._("Session “%(session)s” is not open.", session=session.name))
        self.form_ids._settle()
        self._set_state("closed", closed_at=fields.Datetime.now())

    def action_reopen(self):
        """Open closed sessions once more, as they were left."""
        self.check_access("write")
        for session in self:
            if session.state != "closed":
                raise UserError(self.env._("Session “%(session)s” is not closed.", session=session.name))
        self._set_state("open", closed_at=False)

    def action_open_forms(self):
        """Open the forms of this session."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_form_action")
        return {**action, "context": {"search_default_session_id": self.id}}

    def action_open_statuses(self):
        """Open the statuses of this session, grouped by station and step."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_status_report_action")
        return {**action, "context": {"search_default_session_id": self.id}}

    # -- figures ---------------------------------------------------------------

    @api.readonly
    def get_statistics(self):
        """Live figures of this session, per station and per step, in one query.

        Hunan UST shows them beside every desk: due, of earlier years, not done.
        Operators see the figures of their own stations, leads of their colleges:
        what the record rules of statuses let through is counted.

        :return: list of dicts ``station_id``, ``step_id`` (ids), ``due``,
            ``due_earlier``, ``open``, ``open_earlier``, ``submitted``, ``rejected``
            (numbers of graduates) and ``done_rate`` (per cent), ordered by step
        :raise AccessError: when the user may not read this session
        """
        self.ensure_one()
        self.check_access("read")
        groups = self.env["clearance.status"]._read_group(
            [("session_id", "=", self.id), ("state", "!=", "not_required")],
            ["station_id", "step_id", "state", "is_open", "earlier_year"],
            ["__count"],
        )
        figures = {}
        for station, step, state, is_open, earlier, count in groups:
            row = figures.setdefault(
                (step, station),
                {
                    "station_id": station.id,
                    "step_id": step.id,
                    "due": 0,
                    "due_earlier": 0,
                    "open": 0,
                    "open_earlier": 0,
                    "submitted": 0,
                    "rejected": 0,
                },
            )
            row["due"] += count
            row["due_earlier"] += count if earlier else 0
            row["open"] += count if is_open else 0
            row["open_earlier"] += count if is_open and earlier else 0
            if state in ("submitted", "rejected"):
                row[state] += count
        for row in figures.values():
            row["done_rate"] = 100 * (row["due"] - row["open"]) / row["due"]
        order = sorted(figures, key=lambda key: (key[0].sequence, key[0].id, key[1].id))
        return [figures[key] for key in order]
