import ast

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..texts import join_names, join_parts

#: what a batch may do; all but the last one are decisions of the gate
DECISIONS = [
    ("approve", "Confirm"),
    ("reject", "Reject"),
    ("reopen", "Reopen"),
    ("lift", "Lift the restriction"),
]

#: how the rows of a batch come about
KINDS = [
    ("criteria", "Chosen graduates"),
    ("debts", "Debts list"),
    ("sheet", "Filled-in list"),
]

#: days after which a draft that nobody has run is forgotten
_DRAFT_DAYS = 30

#: how many names of classes or rooms a label shows
_NAMES_SHOWN = 2


class ClearanceBatch(models.Model):
    """A bulk decision that is a record: whom, what, what became of it, and the way back.

    Hunan UST confirms student cards by class and electricity by room.  A draft holds the
    criteria; its preview tells for each row what would happen; a run decides the rows
    that the preview had promised, and no others; an undoing takes back what nobody has
    changed since.  Rows are ``clearance.batch.line``.

    Rows are chosen and told in ``clearance_batch_preview.py``, decided and undone in
    ``clearance_batch_run.py``.
    """

    _name = "clearance.batch"
    _description = "Batch"
    _inherit = ["clearance.criteria.mixin"]
    _order = "id desc"
    _rec_names_search = ["step_id", "reason"]
    _check_company_auto = True

    _DRAFT_STATES = frozenset({"draft", "previewed"})
    #: what people fill in, as long as nothing has been done
    _CRITERIA = frozenset(
        {
            "kind",
            "session_id",
            "step_id",
            "decision",
            "reason_id",
            "reason",
            "date_end",
            "class_ids",
            "room_ids",
            "college_ids",
            "form_domain",
            "numbers",
            "numbers_file",
            "numbers_filename",
            "excluded_numbers",
            "is_complete",
            "as_of",
        }
    )

    name = fields.Char("Batch", compute="_compute_name")
    kind = fields.Selection(KINDS, required=True, default="criteria", index=True)
    session_id = fields.Many2one(
        "clearance.session",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('state', '=', 'open')]",
    )
    company_id = fields.Many2one(related="session_id.company_id", string="Campus", store=True, index=True)
    available_step_ids = fields.Many2many("clearance.step", compute="_compute_available_step_ids")
    step_id = fields.Many2one(
        "clearance.step",
        compute="_compute_step_id",
        compute_sudo=False,  # which steps there are depends on who asks
        store=True,
        readonly=False,
        index="btree_not_null",
        ondelete="cascade",
        domain="[('id', 'in', available_step_ids)]",
    )
    station_id = fields.Many2one(related="step_id.station_id")
    decision = fields.Selection(DECISIONS, required=True, default=lambda self: self._get_decisions()[0])
    decision_choices = fields.Json(compute="_compute_decision_choices")
    reason_id = fields.Many2one("clearance.reason", "Preset", domain="[('id', 'in', available_reason_ids)]")
    available_reason_ids = fields.Many2many("clearance.reason", compute="_compute_available_reason_ids")
    reason = fields.Char(
        compute="_compute_reason",
        store=True,
        readonly=False,
        help="The graduates read it; it is kept in the log.",
    )
    reason_required = fields.Boolean(compute="_compute_reason_required")
    date_end = fields.Date(
        "Until",
        compute="_compute_date_end",
        compute_sudo=False,  # as the step
        store=True,
        readonly=False,
        help="Last day of the deferral. Empty: until it is restored.",
    )
    date_end_rule = fields.Char(compute="_compute_date_end_rule", help="Why the end date is filled in.")

    class_ids = fields.Many2many("clearance.class", string="Classes", check_company=True)
    room_ids = fields.Many2many(
        "clearance.room",
        string="Rooms or buildings",
        check_company=True,
        help="A building stands for all its rooms.",
    )
    college_ids = fields.Many2many("clearance.college", string="Colleges", check_company=True)
    form_domain = fields.Char("Search", default="[]", help="A search among the graduates' forms.")
    numbers = fields.Text("Student numbers", help="One a line, or with commas or blanks between them.")
    numbers_file = fields.Binary("File of student numbers", attachment=True)
    numbers_filename = fields.Char("Name of the file")
    excluded_numbers = fields.Text("Leave out", help="Student numbers that the batch must not touch.")
    has_numbers = fields.Boolean(compute="_compute_has_numbers")
    criteria = fields.Char("Whom", compute="_compute_criteria")

    user_id = fields.Many2one(
        "res.users", "Who", required=True, readonly=True, index=True, copy=False, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("previewed", "Preview"),
            ("running", "Running"),
            ("stopped", "Stopped"),
            ("done", "Done"),
            ("partly_undone", "Partly undone"),
            ("undone", "Undone"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    previewed_at = fields.Datetime(readonly=True, copy=False)
    ran_at = fields.Datetime("Last moved", readonly=True, copy=False, help="When rows were last decided.")
    done_at = fields.Datetime("Done at", readonly=True, copy=False)
    warning = fields.Text(readonly=True, copy=False, help="What the preview found odd about the criteria.")
    line_ids = fields.One2many("clearance.batch.line", "batch_id", "Rows", readonly=True, copy=False)
    # Counted once rows change: a list of batches must not count a hundred thousand rows.
    row_count = fields.Integer("Rows counted", readonly=True, copy=False)
    todo_count = fields.Integer("To do", readonly=True, copy=False)
    ran_count = fields.Integer("Gone through", readonly=True, copy=False)
    done_count = fields.Integer("Done rows", readonly=True, copy=False)
    already_count = fields.Integer("Already so", readonly=True, copy=False)
    refused_count = fields.Integer("Refused", readonly=True, copy=False)
    not_concerned_count = fields.Integer("Not concerned", readonly=True, copy=False)
    excluded_count = fields.Integer("Left out", readonly=True, copy=False)
    undone_count = fields.Integer("Undone rows", readonly=True, copy=False)
    kept_count = fields.Integer("Not undone", readonly=True, copy=False)
    progress = fields.Float("Progress (%)", compute="_compute_progress")
    is_own = fields.Boolean(compute="_compute_is_own", help="The user may run and undo it.")

    # -- what the form offers ----------------------------------------------------

    @api.model
    def default_get(self, fields):
        """Start with the only open session, or with the one of the step asked for."""
        values = super().default_get(fields)
        if "session_id" in fields and not values.get("session_id"):
            step = self.env["clearance.step"].browse(self.env.context.get("default_step_id") or [])
            session = step.session_id or self._find_only_session()
            values["session_id"] = session.id
        return values

    @api.model
    def _find_only_session(self):
        """The only open session of the user's campus, if there is just one."""
        sessions = self.env["clearance.session"].search(
            [("state", "=", "open"), ("company_id", "=", self.env.company.id)], limit=2
        )
        return sessions if len(sessions) == 1 else sessions.browse()

    @api.model
    def _get_decisions(self):
        """Decisions that the user's roles know: whoever acts at a desk decides, officers lift.

        Only to offer what makes sense; the gate and the deferrals say who may.
        """
        decides = self._is_manager() or any(
            self.env.user.has_group(f"graduate_clearance.group_{role}")
            for role in ("operator", "counsellor", "supervisor")
        )
        lifts = self.env.user.has_group("graduate_clearance.group_deferral")
        keys = [key for key, _label in DECISIONS if (lifts if key == "lift" else decides)]
        return keys or ["approve"]

    @api.model
    def _is_manager(self):
        return self.env.su or self.env.user.has_group("graduate_clearance.group_manager")

    @api.depends_context("uid")
    def _compute_decision_choices(self):
        self.decision_choices = self._get_decisions()

    @api.depends("session_id", "decision")
    @api.depends_context("uid", "default_station_id")
    def _compute_available_step_ids(self):
        """Steps where the user may act; at one station, where ``default_station_id`` says so.

        Only to offer what makes sense: each row is looked at by the gate.
        """
        Station = self.env["clearance.station"]
        manager = self._is_manager()
        mine = self._get_tree_ids(Station.browse() if manager else Station.search([("is_mine", "=", True)]))
        modes = {
            role for role in ("counsellor", "supervisor") if self.env.user.has_group(f"graduate_clearance.group_{role}")
        }
        here = self._get_tree_ids(Station.browse(self.env.context.get("default_station_id") or []))
        for batch in self:
            steps = batch.session_id.step_ids
            if batch.decision == "lift":
                steps = steps.blocking_step_ids & steps
            elif not manager:
                steps = steps.filtered(
                    lambda step: (
                        step.mode in modes
                        or (step.mode not in ("counsellor", "supervisor") and step.station_id.id in mine)
                    )
                )
            if here:
                steps = steps.filtered(lambda step: step.station_id.id in here)
            batch.available_step_ids = steps

    @api.model
    def _get_tree_ids(self, stations):
        """Ids of these stations and of all above them: a step names one, and desks below it act."""
        return {int(part) for path in stations.mapped("parent_path") for part in (path or "").split("/") if part}

    @api.depends("session_id", "decision")
    @api.depends_context("uid", "default_station_id")
    def _compute_step_id(self):
        for batch in self:
            steps = batch.available_step_ids
            if batch.step_id._origin not in steps._origin:
                batch.step_id = steps if len(steps) == 1 else False

    @api.depends("decision", "step_id")
    def _compute_available_reason_ids(self):
        reasons = self.env["clearance.reason"].search([("decision", "in", self.mapped("decision"))])
        for batch in self:
            stations = self._get_tree_ids(batch.step_id.station_id)
            batch.available_reason_ids = reasons.filtered(
                lambda reason, batch=batch, stations=stations: (
                    reason.decision == batch.decision
                    and (not reason.station_id or not stations or reason.station_id.id in stations)
                )
            )

    @api.depends("reason_id")
    def _compute_reason(self):
        for batch in self:
            batch.reason = batch.reason_id.name or batch.reason

    @api.depends("decision", "step_id")
    def _compute_date_end(self):
        """How long a deferral of the step lasts as a rule; a date that somebody has typed stays."""
        for batch in self:
            ends = {step: step._get_deferral_end() for step in batch.session_id.step_ids._origin}
            if not batch.date_end or batch.date_end in ends.values():
                lifts = batch.decision == "lift"
                batch.date_end = lifts and ends.get(batch.step_id._origin, False)

    @api.depends("decision", "step_id.deferral_months", "date_end")
    @api.depends_context("lang")
    def _compute_date_end_rule(self):
        for batch in self:
            step = batch.step_id
            ruled = batch.decision == "lift" and step.deferral_months and batch.date_end == step._get_deferral_end()
            batch.date_end_rule = ruled and step._get_deferral_rule()

    @api.depends("decision", "step_id.mode")
    def _compute_reason_required(self):
        for batch in self:
            batch.reason_required = batch.decision != "approve" or batch.step_id.mode == "feed"

    @api.depends("numbers", "numbers_filename")
    def _compute_has_numbers(self):
        for batch in self:
            batch.has_numbers = bool(batch.numbers or batch.numbers_filename)

    # -- labels --------------------------------------------------------------------

    @api.depends("class_ids", "room_ids", "college_ids", "form_domain", "numbers", "numbers_filename")
    @api.depends_context("lang")
    def _compute_criteria(self):
        for batch in self:
            narrowed = [
                batch._join_names(batch.class_ids, self.env._("class %s"), self.env._("%s classes")),
                batch._join_names(batch.room_ids, "%s", self.env._("%s rooms or buildings")),
                batch._join_names(batch.college_ids, "%s", self.env._("%s colleges")),
                self.env._("a search") if batch._get_domain_text() else "",
            ]
            parts = [join_parts(self.env, narrowed)]
            if batch.numbers_filename:
                parts.append(batch.numbers_filename)
            elif batch.numbers:
                parts.append(self.env._("a list of student numbers"))
            batch.criteria = " + ".join(filter(None, parts))

    @api.model
    def _join_names(self, records, few, many):
        if not records:
            return ""
        if len(records) > _NAMES_SHOWN:
            return many % len(records)
        return few % join_names(self.env, records.mapped("display_name"))

    @api.depends("step_id.name", "decision", "criteria", "row_count")
    @api.depends_context("lang")
    def _compute_name(self):
        for batch in self:
            parts = [batch.step_id.name, batch.criteria]
            if batch.decision != "approve":
                parts.insert(0, batch._get_decision_label())
            if batch.row_count:
                parts.append(self.env._("%s rows", f"{batch.row_count:,}"))
            batch.name = " · ".join(filter(None, parts)) or self.env._("New batch")

    def _get_decision_label(self):
        return dict(self._fields["decision"]._description_selection(self.env)).get(self.decision, "")

    @api.depends("todo_count", "ran_count")
    def _compute_progress(self):
        for batch in self:
            batch.progress = 100 * batch.ran_count / ((batch.ran_count + batch.todo_count) or 1)

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_is_own(self):
        manager = self._is_manager()
        for batch in self:
            batch.is_own = manager or batch.user_id == self.env.user

    # -- keeping it true -------------------------------------------------------------

    @api.constrains("session_id", "step_id")
    def _check_step_id(self):
        for batch in self:
            if batch.step_id and batch.step_id.session_id != batch.session_id:
                raise ValidationError(
                    self.env._("“%(step)s” is not a step of this session.", step=batch.step_id.name),
                )

    @api.constrains("form_domain")
    def _check_form_domain(self):
        for batch in self:
            batch._get_form_domain()

    @api.constrains("numbers", "numbers_file")
    def _check_numbers(self):
        for batch in self:
            if (batch.numbers or "").strip() and batch.numbers_filename:
                raise ValidationError(self.env._("Paste student numbers or upload a file of them, not both."))

    def _get_domain_text(self):
        text = (self.form_domain or "").strip()
        return "" if text == "[]" else text

    def _get_form_domain(self):
        """The search as a domain on forms.

        :raise ValidationError: when it is no valid domain
        """
        try:
            domain = Domain(ast.literal_eval(self._get_domain_text() or "[]"))
            domain.validate(self.env["clearance.form"])
        except (ValueError, SyntaxError, TypeError) as error:
            raise ValidationError(self.env._("The search is not valid: %s", error)) from error
        return domain

    @api.model
    def _get_untouched_values(self):
        counts = {name: 0 for name in self._fields if name.endswith("_count")}
        return {**counts, "previewed_at": False, "ran_at": False, "done_at": False, "warning": False}

    @api.model
    def _get_stale_values(self):
        return {"state": "draft", "row_count": 0, "todo_count": 0}

    @api.model
    def _get_refusals(self):
        return {
            "fields": self.env._("A batch is previewed, run and undone by its buttons."),
            "started": self.env._("This batch has been run: its criteria can no longer be changed."),
        }

    def write(self, vals):
        """Change the criteria, as long as nothing has been done; a batch stays of its kind."""
        if any(batch.kind != vals.get("kind", batch.kind) for batch in self):
            raise UserError(self.env._("A batch stays of the kind that it was made as."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_run(self):
        for batch in self:
            if batch.state not in ("draft", "previewed"):
                raise UserError(self.env._("A batch that has been run is kept. Undo it instead."))

    @api.autovacuum
    def _gc_drafts(self):
        """Forget drafts and previews that nobody has touched for a month; what has been run is kept."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=_DRAFT_DAYS)
        self.search([("state", "in", ("draft", "previewed")), ("write_date", "<", limit)], limit=1000).unlink()

    def _lock(self):
        """Hold this batch until the end of the transaction; who comes second waits, and sees what was done.

        A second click fails to serialise then, is retried by Odoo, and finds the rows done.
        """
        self.ensure_one()
        self.check_access("write")
        self.flush_recordset()
        self.env.cr.execute(SQL("SELECT id FROM clearance_batch WHERE id = %s FOR UPDATE", self.id))
        self.invalidate_recordset(["state", "todo_count", "ran_count"], flush=False)

    # -- buttons -----------------------------------------------------------------------

    def action_edit(self):
        """Back from the preview to the criteria."""
        for batch in self:
            batch._lock()
            if batch.state != "previewed":
                raise UserError(self.env._("Only a batch that has not been run can be changed."))
        self._record(state="draft", row_count=0, todo_count=0)

    def action_open_lines(self):
        """Open the rows of this batch; context ``outcome`` shows those of one outcome."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_batch_line_action")
        # Columns that have something to say.
        context = {
            "clearance_numbers": self.has_numbers,
            "clearance_preview": self.state == "previewed",
            "clearance_kept": bool(self.kept_count),
            "clearance_rows_differ": self.kind != "criteria",
        }
        outcome = self.env.context.get("outcome")
        if outcome in dict(self.env["clearance.batch.line"]._fields["outcome"].selection):
            context[f"search_default_{outcome}"] = 1
        return {
            **action,
            "display_name": self.name,
            "domain": [("batch_id", "=", self.id)],
            "context": context,
        }

    def action_open_log(self):
        """Open the log lines that this batch has written."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_log_action")
        return {**action, "display_name": self.name, "domain": [("batch_id", "=", self.id)], "context": {}}

    @api.model
    def _action_from_forms(self, forms):
        """A new batch for these forms; behind the action “Batch…” of their list.

        :param forms: forms of one session
        :raise UserError: when they are of several sessions
        """
        if len(forms.session_id) > 1:
            raise UserError(self.env._("These graduates are of several sessions. Choose those of one."))
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_batch_action")
        return {
            **action,
            "views": [(False, "form")],
            "view_mode": "form",
            "context": {
                "default_session_id": forms.session_id.id,
                "default_numbers": "\n".join(forms.student_id.mapped("student_number")),
            },
        }
