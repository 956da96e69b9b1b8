from odoo import fields, models


class ClearanceCertificateRevoke(models.TransientModel):
    """Asks why certificates are revoked."""

    _name = "clearance.certificate.revoke"
    _description = "Revoke Certificates"

    certificate_ids = fields.Many2many("clearance.certificate", string="Certificates", readonly=True)
    reason = fields.Char(required=True, help="The graduate reads it; third parties only read that it is revoked.")

    def action_revoke(self):
        """Revoke them; only managers can."""
        self.ensure_one()
        self.certificate_ids._revoke(self.reason)
