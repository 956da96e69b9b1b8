from markupsafe import Markup

from odoo import api, fields, models


class ClearanceSessionOpen(models.TransientModel):
    """Shows what opening a session (again) would do, then does it."""

    _name = "clearance.session.open"
    _description = "Open or Update a Session"

    #: numbers that the record of the session tells
    _RECORDED = ("latecomer_count", "withdrawn_count", "reinstated_count", "status_count")

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
            "problems": "\n".join(session._get_problems()) or False,
            "line_ids": [fields.Command.create(by_step[step.id]) for step in steps if step.id in by_step],
        }

    def action_open_checklist(self):
        """Leave this and look at the whole checklist of the session."""
        self.ensure_one()
        return self.session_id.action_open_simulation()

    def action_open(self):
        """Open or update the session, with the changes of the steps that are ticked."""
        self.ensure_one()
        session, steps = self.session_id, self.line_ids.filtered("apply").step_id
        is_update = session.state == "open"
        session._open(steps=steps)
        marked = session._mark_unfounded(steps) if self.mark_review else None
        self._record(is_update, marked)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _record(self, is_update, marked):
        """Record in the session what was chosen and with which effect, as it was shown.

        Once updated, the session no longer tells of changes of steps that were left out:
        the record is where they can still be found.
        """
        title = (
            self.env._("Session updated with its roster and steps")
            if is_update
            else self.env._("Session opened for %s graduates", self.member_count)
        )
        facts = [f"{self._get_label(fname)}: {self[fname]}" for fname in self._RECORDED if self[fname]]
        facts += [
            f"{line.step_id.name}: {', '.join(effect)}"
            for line in self.line_ids.filtered("apply")
            if is_update and (effect := line._tell_effect())
        ]
        if left_out := self.line_ids.filtered(lambda line: not line.apply).step_id:
            facts.append(
                self.env._(
                    "Left out by choice, so that their statuses stay as they are: %s",
                    ", ".join(step.name for step in left_out),
                )
            )
        if marked:
            facts.append(self.env._("Marked for another look: %s", len(marked)))
        elif marked is None and self.review_count:
            facts.append(self.env._("To look at again, left as they are by choice: %s", self.review_count))
        items = Markup("").join(Markup("<li>%s</li>") % fact for fact in facts)
        self.session_id.message_post(body=Markup("<p>%s</p><ul>%s</ul>") % (title, items), subtype_xmlid="mail.mt_note")

    def _get_label(self, fname):
        return self._fields[fname]._description_string(self.env)


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

    def _tell_effect(self):
        """The effect on this step that was shown, in words; empty when there is none."""
        self.ensure_one()
        names = ("added", "to_not_required", "to_required", "rerouted", "review")
        return [f"{self._fields[name]._description_string(self.env)} {self[name]}" for name in names if self[name]]
