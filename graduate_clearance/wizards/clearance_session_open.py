from odoo import api, fields, models


class ClearanceSessionOpen(models.TransientModel):
    """Shows what opening a session (again) would do, then does it."""

    _name = "clearance.session.open"
    _description = "Open or Update a Session"

    session_id = fields.Many2one("clearance.session", required=True, readonly=True, ondelete="cascade")
    session_state = fields.Selection(related="session_id.state")
    member_count = fields.Integer("Graduates", readonly=True)
    earlier_year_count = fields.Integer("Of earlier years", readonly=True)
    latecomer_count = fields.Integer("New forms", readonly=True)
    withdrawn_count = fields.Integer("Taken out", readonly=True)
    reinstated_count = fields.Integer("Taken back", readonly=True)
    status_count = fields.Integer("New statuses", readonly=True)
    problems = fields.Text(readonly=True)
    line_ids = fields.One2many("clearance.session.open.line", "wizard_id", "Steps")
    review_count = fields.Integer("To look at again", readonly=True)
    mark_review = fields.Boolean(
        "Mark for another look",
        default=True,
        help="Mark approvals that lack a prerequisite now, so that the desks look at them again.",
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        session = self.env["clearance.session"].browse(values.get("session_id"))
        if session:
            values.update(self._prepare_preview(session))
        return values

    @api.model
    def _prepare_preview(self, session):
        """Values of a wizard that shows the effect on ``session``."""
        preview = session._preview()
        lines = preview["steps"]
        steps = session.with_context(active_test=False).step_ids
        by_step = {line["step_id"]: line for line in lines}
        return {
            "member_count": preview["members"],
            "earlier_year_count": preview["earlier_year"],
            "latecomer_count": preview["latecomers"],
            "withdrawn_count": preview["withdrawn"],
            "reinstated_count": preview["reinstated"],
            "status_count": sum(line["added"] for line in lines),
            "review_count": sum(line["review"] for line in lines),
            "problems": "\n".join(self._find_problems(steps.filtered("active"), preview)) or False,
            "line_ids": [fields.Command.create(by_step[step.id]) for step in steps if step.id in by_step],
        }

    @api.model
    def _find_problems(self, steps, preview):
        """Sentences about what would go wrong, each naming the step."""
        problems = []
        if not steps:
            problems.append(self.env._("The session has no steps."))
        if not preview["members"]:
            problems.append(self.env._("No graduate fits the filter of the session."))
        if cycle := steps._find_cycle():
            problems.append(self.env._("These steps wait for each other: %s.", " → ".join(step.name for step in cycle)))
        by_step = {line["step_id"]: line for line in preview["steps"]}
        for step in steps:
            line = by_step.get(step.id)
            if not line:
                continue
            name = step.with_context(clearance_full_name=True).display_name
            if not line["applies"] and preview["members"]:
                problems.append(self.env._("%s: applies to no graduate. Is a trait missing?", name))
            if line["no_desk"]:
                problems.append(
                    self.env._("%(step)s: no desk takes %(count)s graduates.", step=name, count=line["no_desk"])
                )
            if line["nobody"]:
                problems.append(
                    self.env._(
                        "%(step)s: nobody can confirm it for %(count)s graduates.", step=name, count=line["nobody"]
                    )
                )
        return problems

    def action_open(self):
        """Open or update the session, with the changes of the steps that are ticked."""
        self.ensure_one()
        steps = self.line_ids.filtered("apply").step_id
        self.session_id._open(steps=steps)
        if self.mark_review:
            self.session_id._mark_unfounded(steps)
        return {"type": "ir.actions.client", "tag": "soft_reload"}


class ClearanceSessionOpenLine(models.TransientModel):
    """The effect on one step."""

    _name = "clearance.session.open.line"
    _description = "Effect of Opening on a Step"

    wizard_id = fields.Many2one("clearance.session.open", required=True, ondelete="cascade", index=True)
    step_id = fields.Many2one(
        "clearance.step", required=True, readonly=True, ondelete="cascade", context={"active_test": False}
    )
    station_id = fields.Many2one(related="step_id.station_id")
    retired = fields.Boolean(compute="_compute_retired")
    apply = fields.Boolean(default=True, help="Leave a step out to keep its statuses as they are.")
    applies = fields.Integer("Applies to", readonly=True)
    not_required = fields.Integer(readonly=True)
    added = fields.Integer("New", readonly=True)
    to_not_required = fields.Integer("No longer required", readonly=True)
    to_required = fields.Integer("Required again", readonly=True)
    rerouted = fields.Integer("Other desk", readonly=True)
    no_desk = fields.Integer("No desk", readonly=True)
    nobody = fields.Integer("Nobody can confirm", readonly=True)
    review = fields.Integer("To look at again", readonly=True)

    @api.depends("step_id")
    def _compute_retired(self):
        for line in self:
            line.retired = not line.step_id.active
