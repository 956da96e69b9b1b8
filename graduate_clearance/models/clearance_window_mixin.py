from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import format_datetime


class ClearanceWindowMixin(models.AbstractModel):
    """What has a window of time: sessions, steps, slots.

    Checked in Python rather than by the database, whose message could name neither the
    record nor the times.
    """

    _name = "clearance.window.mixin"
    _description = "Has a Window of Time"

    #: names of the fields where the window starts and ends; either may be empty
    _window_fields = ("open_from", "open_until")

    @api.constrains(lambda self: self._window_fields)
    def _check_window(self):
        start_name, end_name = self._window_fields
        for record in self:
            start, end = record[start_name], record[end_name]
            if start and end and end <= start:
                raise ValidationError(
                    self.env._(
                        "%(record)s would end (%(end)s) before it starts (%(start)s).",
                        record=record._get_window_name(),
                        start=record._format_time(start),
                        end=record._format_time(end),
                    )
                )

    def _get_window_name(self):
        """How a message about the window names this record."""
        self.ensure_one()
        return self.env._("“%s”", self.display_name)

    def _format_time(self, value):
        """A time by the clock of the user, else of the campus, as the user's language writes it."""
        # sudo: the clock of the campus, which the user may not administer.
        zone = self.env.user.tz or self.company_id.sudo().partner_id.tz
        return format_datetime(self.env, value, tz=zone, dt_format="medium")
