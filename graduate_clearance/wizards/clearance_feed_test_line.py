from odoo import fields, models

from ..models.clearance_feed_run_line import OUTCOMES


class ClearanceFeedTestLine(models.TransientModel):
    """One of the first rows of a source that is tested."""

    _name = "clearance.feed.test.line"
    _description = "Row of a Tested Source System"
    _order = "row"
    _rec_name = "student_number"

    test_id = fields.Many2one("clearance.feed.test", required=True, readonly=True, index=True, ondelete="cascade")
    row = fields.Integer(readonly=True)
    student_number = fields.Char(readonly=True)
    # As text: what is no number is shown as it stands.
    quantity = fields.Char(readonly=True)
    amount = fields.Char(readonly=True)
    as_of = fields.Char("Time (UTC)", readonly=True)
    note = fields.Char("Remark", readonly=True)
    step = fields.Char(readonly=True)
    outcome = fields.Selection(OUTCOMES, "Would become", readonly=True)
    message = fields.Char("Why", readonly=True)
