from odoo import api, fields, models
from odoo.fields import Domain


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

    @api.model
    def _get_presets(self, domain=Domain.TRUE):
        """The reasons that screens of this campus offer.

        :param domain: which of them
        :return: list of dicts ``id``, ``name``, ``decision`` and ``station_ids``: where it is
            offered, which is at its station and the desks below it; ``False`` for everywhere
        """
        reasons = self.search(Domain("company_id", "in", [False, *self.env.companies.ids]) & domain)
        desks = self.env["clearance.station"].search([("id", "child_of", reasons.station_id.ids)])
        return [
            {
                "id": reason.id,
                "name": reason.name,
                "decision": reason.decision,
                "station_ids": bool(reason.station_id)
                and desks.filtered(
                    lambda desk, path=reason.station_id.parent_path: (desk.parent_path or "").startswith(path)
                ).ids,
            }
            for reason in reasons
        ]
