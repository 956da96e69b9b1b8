from odoo import api, models
from odoo.exceptions import AccessDenied, ValidationError


class ResUsers(models.Model):
    _inherit = "res.users"

    def _is_clearance_feed(self):
        """Whether this is the user of a source system, which may send its reports and nothing else."""
        self.ensure_one()
        return self.has_group("graduate_clearance.group_feed")

    @api.constrains("group_ids")
    def _check_clearance_feed(self):
        """A person who may send for a source system would send under a name that people trust."""
        group = self.env.ref("graduate_clearance.group_feed", raise_if_not_found=False)
        if not group:
            return
        for user in self:
            groups = user.all_group_ids
            if group in groups and groups - group:
                raise ValidationError(
                    self.env._("The user of a source system has no other rights: “%s” has some.", user.name)
                )

    def _check_credentials(self, credential, env):
        """Users of source systems come with their key to the JSON-2 API, and nowhere else.

        Neither a password nor a key opens the web client, the portal, XML-RPC or JSON-RPC to them.
        """
        if self.env.user._is_clearance_feed():
            raise AccessDenied()
        return super()._check_credentials(credential, env)
