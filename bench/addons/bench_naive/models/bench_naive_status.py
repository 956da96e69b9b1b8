from odoo import api, fields, models
from odoo.exceptions import UserError


class BenchNaiveStatus(models.Model):
    _name = "bench.naive.status"
    _description = "Step of a Form, the usual way"
    _inherit = ["mail.thread"]

    form_id = fields.Many2one("bench.naive.form", required=True, index=True, ondelete="cascade")
    step_id = fields.Many2one("clearance.step", required=True, index=True)
    student_id = fields.Many2one(related="form_id.student_id", store=True, index=True)
    session_id = fields.Many2one(related="form_id.session_id", store=True, index=True)
    station_id = fields.Many2one(related="step_id.station_id", store=True, index=True)
    class_id = fields.Many2one(related="student_id.class_id", store=True, index=True)
    state = fields.Selection(
        [("pending", "Not done"), ("approved", "Approved"), ("not_required", "Not required")],
        default="pending",
        required=True,
        tracking=True,
    )
    user_id = fields.Many2one("res.users", tracking=True)
    date = fields.Datetime()
    blocked = fields.Boolean(compute="_compute_blocked", store=True)

    @api.depends("form_id.status_ids.state", "step_id.blocking_step_ids")
    def _compute_blocked(self):
        for status in self:
            status.blocked = any(
                other.state == "pending"
                for other in status.form_id.status_ids
                if other.step_id in status.step_id.blocking_step_ids
            )

    def action_confirm(self):
        """Confirm one by one."""
        for status in self:
            if status.blocked:
                raise UserError(self.env._("Something else has to be settled first."))
            status.write({"state": "approved", "user_id": self.env.uid, "date": fields.Datetime.now()})
