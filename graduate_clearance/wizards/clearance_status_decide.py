from odoo import api, fields, models


class ClearanceStatusDecide(models.TransientModel):
    """Asks for a decision and its reason, for one status or for a selection."""

    _name = "clearance.status.decide"
    _description = "Decide on Steps"

    status_ids = fields.Many2many("clearance.status", string="Steps", readonly=True)
    status_count = fields.Integer("Selected", compute="_compute_status_count")
    decision = fields.Selection(
        [
            ("approve", "Confirm"),
            ("reject", "Reject"),
            ("reopen", "Reopen"),
            ("set_optional", "Set optional"),
            ("set_not_required", "Set not required"),
        ],
        required=True,
        default="approve",
    )
    reason_id = fields.Many2one("clearance.reason", "Preset", domain="[('decision', '=', decision)]")
    reason = fields.Char(
        compute="_compute_reason",
        store=True,
        readonly=False,
        help="The graduate reads it; it is kept in the log.",
    )
    reason_required = fields.Boolean(compute="_compute_reason_required")

    @api.depends("status_ids")
    def _compute_status_count(self):
        for wizard in self:
            wizard.status_count = len(wizard.status_ids)

    @api.depends("reason_id")
    def _compute_reason(self):
        for wizard in self:
            wizard.reason = wizard.reason_id.name or wizard.reason

    @api.depends("decision", "status_ids")
    def _compute_reason_required(self):
        for wizard in self:
            wizard.reason_required = wizard.decision != "approve" or "feed" in wizard.status_ids.mapped("mode")

    def action_decide(self):
        """Take the decision through the gate and say what happened."""
        self.ensure_one()
        return self.status_ids._decide_from_screen(self.decision, self.reason)
