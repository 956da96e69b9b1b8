from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import get_lang

from ..portal_clock import PortalClock


class ClearanceSlot(models.Model):
    """A time slot in the hall where many offices sit together.

    Guiyang Vocational lets its colleges come one after the other, with the number of
    heads each; whoever comes at another time is told when to come.
    """

    _name = "clearance.slot"
    _description = "Time Slot in the Hall"
    _inherit = ["clearance.window.mixin"]
    _order = "open_from, id"
    _check_company_auto = True

    session_id = fields.Many2one("clearance.session", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="session_id.company_id", store=True, index=True)
    college_ids = fields.Many2many(
        "clearance.college", string="Colleges", check_company=True, help="Empty: every college."
    )
    place = fields.Char(translate=True)
    planned_count = fields.Integer("Heads planned", help="How many graduates are to come. 0: not said.")
    head_count = fields.Integer(
        "Heads",
        compute="_compute_head_count",
        help="Graduates of these colleges who take part: those with a form, before the opening those of the roster.",
    )
    difference = fields.Integer(
        compute="_compute_head_count", help="More (+) or fewer (−) heads than planned. 0 where no number is planned."
    )
    open_from = fields.Datetime("From", required=True)
    open_until = fields.Datetime("Until", required=True)

    @api.depends("open_from", "open_until", "place")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        clock = PortalClock(get_lang(self.env).code, str(self.env.tz))
        for slot in self:
            complete = slot.open_from and slot.open_until
            time = clock.span(slot.open_from, slot.open_until)["text"] if complete else ""
            slot.display_name = " ".join(filter(None, (time, slot.place)))

    @api.depends("session_id", "college_ids", "planned_count")
    def _compute_head_count(self):
        heads = self._get_heads(self.session_id._origin)
        for slot in self:
            counts = heads.get(slot.session_id._origin, {})
            colleges = slot.college_ids._origin
            slot.head_count = sum(count for college, count in counts.items() if not colleges or college in colleges)
            slot.difference = slot.planned_count and slot.head_count - slot.planned_count

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

    def _get_window_name(self):
        return self.env._("A time slot of session “%s”", self.session_id.name)

    @api.model
    def _get_heads(self, sessions):
        """How many graduates of which college take part, now: whoever sees a slot sees its heads.

        :return: dict ``{session: {college: number}}``
        """
        heads = {session: {} for session in sessions}
        drafts = sessions.filtered(lambda session: session.state == "draft")
        # sudo: numbers only; an operator sees the graduates of the own desk alone.
        groups = (
            self.env["clearance.form"]
            .sudo()
            ._read_group(
                [("session_id", "in", (sessions - drafts).ids), ("state", "!=", "withdrawn")],
                ["session_id", "college_id"],
                ["__count"],
            )
        )
        for session, college, count in groups:
            heads[session][college] = count
        for session in drafts:
            # sudo: as above; the roster is counted as it is.
            Student = self.env["clearance.student"].sudo()
            heads[session] = dict(Student._read_group(session._get_population_domain(), ["college_id"], ["__count"]))
        return heads

    @api.model
    def _get_slots(self, form):
        """The slots of a form's graduate, in order of time."""
        college = Domain("college_ids", "=", False) | Domain("college_ids", "in", form.college_id.ids)
        return self.search(Domain("session_id", "=", form.session_id.id) & college)
