from odoo import api, models


class ClearanceRoleMixin(models.AbstractModel):
    """Naming somebody on a record gives the role that goes with it.

    An operator named at a station, a counsellor of a class, a supervisor of a
    graduate or a lead of a college must at least be able to open the
    application.  Models list the fields that name people in ``_role_fields``.
    """

    _name = "clearance.role.mixin"
    _description = "Clearance: people named on a record hold its role"

    #: field name -> external id of the group its users need
    _role_fields = {}

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._grant_roles(self._role_fields)
        return records

    def write(self, vals):
        result = super().write(vals)
        self._grant_roles(self._role_fields.keys() & vals.keys())
        return result

    def _grant_roles(self, fnames):
        """Add the users named in ``fnames`` to the groups of those fields."""
        for fname in fnames:
            group = self.env.ref(self._role_fields[fname])
            newcomers = self[fname] - group.all_user_ids
            if newcomers:
                # sudo: who may name people on this record needs no right on users;
                # the role opens the application and shows nothing but the records
                # that name the user, which is what was just decided.
                newcomers.sudo().write({"group_ids": [(4, group.id)]})
