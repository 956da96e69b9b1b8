from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..texts import join_names


class ClearanceStep(models.Model):
    """One thing to settle at a station in a session (离校步骤)."""

    _name = "clearance.step"
    _description = "Clearance Step"
    _inherit = ["clearance.window.mixin"]
    _order = "session_id, sequence, id"
    _check_company_auto = True
    _window_fields = ("open_from", "deadline")

    #: a change of one of these in an open session has an effect to be shown and applied
    _APPLIED_FIELDS = {
        "station_id",
        "required",
        "initial_state",
        "student_domain",
        "prerequisite_ids",
        "prerequisite_station_ids",
        "is_entry",
        "active",
    }

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Stable name within the session, for templates, files and interfaces.")
    sequence = fields.Integer(default=10)
    stage = fields.Char(translate=True, help="Steps of the same stage are shown together.")
    session_id = fields.Many2one("clearance.session", required=True, index=True, ondelete="cascade", check_company=True)
    session_state = fields.Selection(related="session_id.state", string="Session state")
    company_id = fields.Many2one(related="session_id.company_id", store=True, index=True)
    station_id = fields.Many2one(
        "clearance.station", required=True, index=True, ondelete="restrict", check_company=True
    )
    mode = fields.Selection(
        [
            ("station", "Station"),
            ("counsellor", "Counsellor"),
            ("supervisor", "Supervisor"),
            ("feed", "Source system"),
            ("graduate", "Graduate"),
        ],
        "Who decides",
        required=True,
        default="station",
        help="Who settles this step. A source system settles it automatically; "
        "the station may still decide, with a reason.",
    )
    required = fields.Boolean(default=True, help="★ An optional step never blocks anything and is never missing.")
    initial_state = fields.Selection(
        [("pending", "Not done"), ("approved", "Approved")],
        required=True,
        default="pending",
        help="Where the step stands when the session opens.",
    )
    student_domain = fields.Char(
        "Applies to",
        required=True,
        default="[]",
        help="Graduates who have this step; for the others it is not required.",
    )
    prerequisite_ids = fields.Many2many(
        "clearance.step",
        "clearance_step_prerequisite_rel",
        "step_id",
        "prerequisite_id",
        "Prerequisites",
        domain="[('session_id', '=', session_id), ('id', '!=', id)]",
        copy=False,
        help="Steps that must be settled before this one can be confirmed.",
    )
    prerequisite_station_ids = fields.Many2many(
        "clearance.station",
        "clearance_step_prerequisite_station_rel",
        "step_id",
        "station_id",
        "Prerequisite stations",
        check_company=True,
        help="Every step of these stations must be settled before.",
    )
    blocking_step_ids = fields.Many2many(
        "clearance.step",
        "clearance_step_blocking_rel",
        "step_id",
        "prerequisite_id",
        "All prerequisites",
        compute="_compute_blocking_step_ids",
        store=True,
        copy=False,
        # Without it a step that is retired would stay in the table, unseen, and go on blocking.
        context={"active_test": False},
        help="Prerequisites, those of whole stations included. What the gate looks at.",
    )
    is_entry = fields.Boolean(
        "Opens the form",
        help="Every other step waits for this one. Where the graduate settles it alone, such as a questionnaire, "
        "the page shows nothing else until it is done (CUG Wuhan).",
    )
    waits_for = fields.Char(compute="_compute_waits_for", help="Prerequisites in one line.")
    open_from = fields.Datetime("Opens", help="Empty: with the session.")
    deadline = fields.Datetime(help="Empty: with the session.")
    place = fields.Char(translate=True, help="Empty: as the station says.")
    opening_hours = fields.Char(translate=True, help="Empty: as the station says.")
    contact = fields.Char(translate=True, help="Empty: as the station says.")
    phone = fields.Char(help="Empty: as the station says.")
    map_url = fields.Char("Map", help="Address of a map that shows the place. Empty: as the station says.")
    instructions = fields.Text(translate=True, help="Empty: as the station says.")
    handout = fields.Char(
        "Hands out",
        translate=True,
        help="What the graduate collects here, such as a certificate or a membership letter. "
        "Those who have this step find it on their list of documents.",
    )
    feed_id = fields.Many2one(
        "clearance.feed",
        "Source system",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The system that settles this step, and says what a graduate owes.",
    )
    college_id = fields.Many2one(
        "clearance.college",
        "Added by",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="A step that this college has added for its own graduates. Empty: a step of the campus.",
    )
    responsible = fields.Char(
        "Responsible office",
        translate=True,
        help="Who answers for this step, where it is not the station alone (Nanjing City). Empty: the station.",
    )
    to_be_announced = fields.Boolean(
        "Time to be announced", help="Graduates read so, instead of the window of the session."
    )
    office_acts = fields.Boolean(
        "Office acts by itself",
        help="The office checks this in its own papers: graduates read that it is looked at, and need not come "
        "unless it is refused (CUG Wuhan, Hunan Nonferrous).",
    )
    deferral_months = fields.Integer(
        "Deferred for (months)",
        help="How long a deferral of this step lasts as a rule, such as two years for a household registration "
        "that stays (Nanjing City) or for exams made up later (Hunan Nonferrous). 0: until it is restored.",
    )
    continues_id = fields.Many2one(
        "clearance.step",
        "Goes on with",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        domain="[('session_id', '=', session_id), ('id', '!=', id)]",
        help="Another step whose application is looked at here again: a check-out that counsellor, college and "
        "dorm keeper confirm one after the other (Nanjing City).",
    )
    requirement_ids = fields.One2many("clearance.requirement", "step_id", "What it asks for", copy=True)
    answer_definition = fields.PropertiesDefinition("Answers", copy=False)
    changed_at = fields.Datetime("Last change that matters", readonly=True, copy=False, default=fields.Datetime.now)
    active = fields.Boolean(default=True, help="A retired step is no longer asked for.")
    due_count = fields.Integer("Due", compute="_compute_counts")
    open_count = fields.Integer("Not done", compute="_compute_counts")
    done_rate = fields.Float("Done (%)", compute="_compute_counts")

    _code_uniq = models.UniqueIndex(
        "(session_id, code) WHERE code IS NOT NULL", "This session already has a step with this code."
    )
    _deferral_positive = models.Constraint("CHECK(deferral_months >= 0)", "A deferral lasts 0 months or more.")
    # It becomes a link on the pages of graduates: no other scheme.
    _map_is_web_address = models.Constraint(
        "CHECK(map_url = '' OR map_url ~* '^https?://')",
        "The address of a map begins with https:// or http://.",
    )

    @api.depends("name", "station_id.name")
    @api.depends_context("clearance_full_name")
    def _compute_display_name(self):
        """The name; ``station: step`` where ``clearance_full_name`` is set."""
        full = self.env.context.get("clearance_full_name")
        for step in self:
            step.display_name = f"{step.station_id.name}: {step.name}" if full else step.name

    @api.depends(
        "active",
        "is_entry",
        "session_id.step_ids.is_entry",
        "prerequisite_ids.active",
        "prerequisite_station_ids.parent_path",
        "session_id.step_ids.station_id.parent_path",
        "session_id.step_ids.active",
    )
    def _compute_blocking_step_ids(self):
        for step in self:
            steps = step.prerequisite_ids.filtered("active")
            if not step.is_entry:
                steps |= step.session_id.step_ids.filtered(lambda other: other.active and other.is_entry)
            for station in step.prerequisite_station_ids:
                path = station.parent_path or ""
                steps |= step.session_id.step_ids.filtered(
                    lambda other, path=path: (
                        other.active and path and (other.station_id.parent_path or "").startswith(path)
                    )
                )
            step.blocking_step_ids = steps - step

    @api.depends("prerequisite_ids.name", "prerequisite_station_ids.name")
    @api.depends_context("lang")
    def _compute_waits_for(self):
        for step in self:
            names = step.prerequisite_station_ids.mapped("name") + step.prerequisite_ids.mapped("name")
            step.waits_for = join_names(self.env, names)

    def _compute_counts(self):
        groups = self.env["clearance.status"]._read_group(
            [("step_id", "in", self.ids), ("state", "!=", "not_required")],
            ["step_id", "is_open"],
            ["__count"],
        )
        counts = {}
        for step, is_open, count in groups:
            counts.setdefault(step.id, {})[is_open] = count
        for step in self:
            own = counts.get(step.id, {})
            step.due_count = due = sum(own.values())
            step.open_count = own.get(True, 0)
            step.done_rate = 100 * (due - step.open_count) / due if due else 0

    @api.constrains("prerequisite_ids", "prerequisite_station_ids", "station_id", "session_id", "active", "is_entry")
    def _check_prerequisites(self):
        for step in self:
            strangers = step.prerequisite_ids.filtered(lambda other, step=step: other.session_id != step.session_id)
            if strangers:
                raise ValidationError(
                    self.env._(
                        "“%(prerequisite)s” belongs to another session and cannot be a prerequisite of “%(step)s”.",
                        prerequisite=strangers[0].name,
                        step=step.name,
                    )
                )
        for session in self.session_id:
            session.step_ids._raise_on_cycle()

    @api.constrains("station_id", "session_id", "active")
    def _check_scope_of_desks(self):
        """Desks below the station that could not be told apart; see ``clearance.station``."""
        below = self.env["clearance.station"].search([("id", "child_of", self.filtered("active").station_id.ids)])
        below.child_ids._check_scope()

    @api.constrains("student_domain")
    def _check_student_domain(self):
        for step in self:
            self.env["clearance.applicability"]._check(step.student_domain, step.company_id, step.name)

    @api.constrains("open_from", "deadline", "session_id", "active")
    def _check_within_session(self):
        """A step is settled within the window of its session."""
        for step in self.filtered("active"):
            session = step.session_id
            for time in filter(None, (step.open_from, step.deadline)):
                if not session.open_from <= time <= session.open_until:
                    raise ValidationError(
                        self.env._(
                            "Step “%(step)s”: %(time)s lies outside the window of session “%(session)s”, "
                            "%(start)s to %(end)s.",
                            step=step.name,
                            time=step._format_time(time),
                            session=session.name,
                            start=step._format_time(session.open_from),
                            end=step._format_time(session.open_until),
                        )
                    )

    def copy(self, default=None):
        """Duplicate steps; one that stays in its session leaves its code behind, which is there once."""
        default = dict(default or {})
        if "session_id" not in default or default["session_id"] in self.session_id.ids:
            default.setdefault("code", False)
        return super().copy(default)

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps.session_id._check_not_closed()
        return steps

    def write(self, vals):
        self.session_id._check_not_closed()
        if vals.keys() & self._APPLIED_FIELDS:
            vals = dict(vals, changed_at=fields.Datetime.now())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_opened(self):
        for step in self:
            if step.session_id.state != "draft":
                raise UserError(
                    self.env._(
                        "Step “%(step)s” belongs to a session that has been opened: retire it (archive) instead.",
                        step=step.name,
                    )
                )

    def _get_window_name(self):
        return self.env._("Step “%s”", self.name)

    def _get_initial_state(self):
        """The state a status of this step starts in."""
        self.ensure_one()
        if self.initial_state == "approved":
            return "approved"
        return "pending" if self.required else "optional"

    def _find_cycle(self):
        """Find a circle among the prerequisites of these steps.

        :return: the steps of the first circle found, in order and with the first
            one repeated at its end; an empty list when there is none
        """
        done, path = set(), []

        def visit(step):
            if step in path:
                return [*path[path.index(step) :], step]
            if step in done:
                return []
            path.append(step)
            for prerequisite in step.blocking_step_ids:
                if cycle := visit(prerequisite):
                    return cycle
            path.pop()
            done.add(step)
            return []

        for step in self:
            if cycle := visit(step):
                return cycle
        return []

    def _raise_on_cycle(self):
        cycle = self._find_cycle()
        if cycle:
            raise ValidationError(
                self.env._(
                    "These steps wait for each other: %(cycle)s. Remove one of these prerequisites.",
                    cycle=" → ".join(step.name for step in cycle),
                )
            )

    def action_open_statuses(self):
        """Open this step's statuses."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_status_action")
        return {
            **action,
            "display_name": self.name,
            "domain": [("step_id", "=", self.id)],
            "context": {},
        }
