import ast

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class ClearanceStep(models.Model):
    """One thing to settle at a station in a session (离校步骤)."""

    _name = "clearance.step"
    _description = "Clearance Step"
    _order = "session_id, sequence, id"
    _check_company_auto = True

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
    requirement_ids = fields.One2many("clearance.requirement", "step_id", "What it asks for", copy=True)
    answer_definition = fields.PropertiesDefinition("Answers", copy=False)
    changed_at = fields.Datetime("Last change that matters", readonly=True, copy=False, default=fields.Datetime.now)
    active = fields.Boolean(default=True, help="A retired step is no longer asked for.")
    due_count = fields.Integer("Due", compute="_compute_counts")
    open_count = fields.Integer("Not done", compute="_compute_counts")
    done_rate = fields.Float("Done (%)", compute="_compute_counts")

    _window = models.Constraint(
        "CHECK(open_from IS NULL OR deadline IS NULL OR deadline > open_from)",
        "A step must end after it opens.",
    )
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
            step.waits_for = ", ".join(names)

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

    @api.constrains("prerequisite_ids", "prerequisite_station_ids", "station_id", "session_id", "active")
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

    @api.constrains("student_domain")
    def _check_student_domain(self):
        for step in self:
            self._validate_student_domain(step.student_domain, step.name)

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

    @api.model
    def _validate_student_domain(self, domain, where):
        """Raise a clear error when ``domain`` is no valid domain on graduates.

        :param str domain: the domain as text
        :param str where: name of the session or step, for the message
        """
        try:
            Domain(ast.literal_eval(domain or "[]")).validate(self.env["clearance.student"])
        except (ValueError, SyntaxError, TypeError) as error:
            raise ValidationError(
                self.env._("“%(where)s”: the filter on graduates is not valid: %(error)s", where=where, error=error)
            ) from error

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
