from odoo import models
from odoo.exceptions import ValidationError


class ClearanceSettings(models.Model):
    """Fields that a campus gives its graduates: those that filters look at stay."""

    _inherit = "clearance.settings"

    def write(self, vals):
        if "student_properties_definition" not in vals:
            return super().write(vals)
        before = {settings: settings._get_property_labels() for settings in self}
        result = super().write(vals)
        for settings, labels in before.items():
            settings._check_properties_in_use(labels)
        return result

    def _get_property_labels(self):
        """Name to label of the fields of graduates."""
        self.ensure_one()
        return {one["name"]: one.get("string") or one["name"] for one in self.student_properties_definition or []}

    def _check_properties_in_use(self, before):
        """Refuse that a field is removed while a session or step looks at it.

        :param dict before: name to label of the fields there were
        :raise ValidationError: naming the session or step, and the field by its label
        """
        self.ensure_one()
        gone = before.keys() - self._get_property_labels().keys()
        if not gone:
            return
        # sudo: a filter counts also where the user could not read its step.
        sessions = (
            self.env["clearance.session"]
            .sudo()
            .search([("company_id", "=", self.company_id.id), ("state", "!=", "closed")])
        )
        Applicability = self.env["clearance.applicability"]
        for record in [*sessions, *sessions.step_ids]:
            for name in gone & Applicability._get_property_names(record.student_domain):
                raise ValidationError(
                    self.env._(
                        "“%(record)s” looks at the field “%(field)s” of graduates: change that first, "
                        "then remove the field.",
                        record=record.display_name,
                        field=before[name],
                    )
                )
