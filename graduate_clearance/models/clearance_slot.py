from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_datetime


class ClearanceSlot(models.Model):
    """A time slot in the hall where many offices sit together.

    Guiyang Vocational lets its colleges come one after the other, with the number of
    heads each; whoever comes at another time is told when to come.
    """

    _name = "clearance.slot"
    _description = "Time Slot in the Hall"
    _order = "open_from, id"
    _check_company_auto = True

    session_id = fields.Many2one("clearance.session", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="session_id.company_id", store=True, index=True)
    college_ids = fields.Many2many(
        "clearance.college", string="Colleges", check_company=True, help="Empty: every college."
    )
    place = fields.Char(translate=True)
    open_from = fields.Datetime("From", required=True)
    open_until = fields.Datetime("Until", required=True)

    _window = models.Constraint("CHECK(open_until > open_from)", "A time slot must end after it starts.")

    @api.depends("open_from", "open_until", "place")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for slot in self:
            start = format_datetime(self.env, slot.open_from, dt_format="d MMM HH:mm") if slot.open_from else ""
            end = format_datetime(self.env, slot.open_until, dt_format="HH:mm") if slot.open_until else ""
            slot.display_name = " ".join(filter(None, (f"{start}–{end}", slot.place)))

    @api.model_create_multi
    def create(self, vals_list):
        slots = super().create(vals_list)
        slots.session_id._check_not_closed()
        return slots

    def write(self, vals):
        self.session_id._check_not_closed()
        result = super().write(vals)
        self.session_id._check_not_closed()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_closed(self):
        self.session_id._check_not_closed()

    @api.model
    def _get_slots(self, form):
        """The slots of a form's graduate, in order of time."""
        college = Domain("college_ids", "=", False) | Domain("college_ids", "in", form.college_id.ids)
        return self.search(Domain("session_id", "=", form.session_id.id) & college)
