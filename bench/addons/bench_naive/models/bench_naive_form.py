from odoo import api, fields, models


class BenchNaiveForm(models.Model):
    _name = "bench.naive.form"
    _description = "Clearance Form, the usual way"
    _inherit = ["mail.thread"]

    student_id = fields.Many2one("clearance.student", required=True, index=True)
    session_id = fields.Many2one("clearance.session", required=True, index=True)
    status_ids = fields.One2many("bench.naive.status", "form_id")
    progress = fields.Float(compute="_compute_progress", store=True)
    state = fields.Selection(
        [("open", "In progress"), ("cleared", "Cleared")],
        compute="_compute_progress",
        store=True,
        tracking=True,
    )

    @api.depends("status_ids.state")
    def _compute_progress(self):
        for form in self:
            due = form.status_ids.filtered(lambda status: status.state != "not_required")
            done = due.filtered(lambda status: status.state == "approved")
            form.progress = 100 * len(done) / len(due) if due else 100
            form.state = "cleared" if len(done) == len(due) else "open"
