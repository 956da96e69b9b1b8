from odoo import fields, models


class ClearanceReason(models.Model):
    """A preset reason, so that graduates read clear words and statistics can count them."""

    _name = "clearance.reason"
    _description = "Preset Reason"
    _order = "sequence, id"

    name = fields.Char("Reason", required=True, translate=True)
    decision = fields.Selection(
        [
            ("reject", "Reject"),
            ("reopen", "Reopen"),
            ("set_not_required", "Not required"),
            ("lift", "Deferral"),
        ],
        required=True,
        default="reject",
    )
    station_id = fields.Many2one(
        "clearance.station",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: offered at every station.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", "Campus", index=True, help="Empty: every campus.")
