from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class ClearanceStation(models.Model):
    """A desk that handles steps (离校点).

    Stations are a tree.  A step names one station; each status is routed to the
    deepest station below it whose scope takes the graduate, so that "College
    certificates" becomes "College of Mechanics certificates" (Hunan UST: a
    college's desk exists once per college and sees its own graduates only).
    """

    _name = "clearance.station"
    _description = "Station"
    _inherit = ["clearance.role.mixin"]
    _parent_store = True
    _order = "sequence, name, id"
    _rec_names_search = ["name", "code"]
    _check_company_auto = True
    _role_fields = {"operator_ids": "graduate_clearance.group_operator"}

    #: what a desk, and a step, says to graduates; empty means "as the station above"
    _INFO_FIELDS = ("place", "map_url", "opening_hours", "contact", "phone", "instructions")

    name = fields.Char(required=True, translate=True)
    code = fields.Char()
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, index=True, default=lambda self: self.env.company
    )
    parent_id = fields.Many2one("clearance.station", "Belongs to", index=True, ondelete="restrict", check_company=True)
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("clearance.station", "parent_id", "Desks below")
    operator_ids = fields.Many2many(
        "res.users",
        string="Operators",
        domain="[('share', '=', False)]",
        help="Act on the steps of the graduates routed to this station.",
    )
    college_ids = fields.Many2many(
        "clearance.college", string="Colleges", check_company=True, help="Empty: every college."
    )
    class_ids = fields.Many2many("clearance.class", string="Classes", check_company=True, help="Empty: every class.")
    room_ids = fields.Many2many(
        "clearance.room",
        string="Campuses and buildings",
        check_company=True,
        help="Takes graduates who live there. Empty: every place, and those without a room.",
    )
    place = fields.Char(translate=True)
    map_url = fields.Char("Map", help="Address of a map that shows the place.")
    opening_hours = fields.Char(translate=True)
    contact = fields.Char(translate=True)
    phone = fields.Char()
    instructions = fields.Text(translate=True, help="What graduates read about this desk.")
    step_ids = fields.One2many("clearance.step", "station_id", "Steps")
    is_mine = fields.Boolean("My station", compute="_compute_is_mine", search="_search_is_mine")
    due_count = fields.Integer("Due", compute="_compute_counts")
    open_count = fields.Integer("Not done", compute="_compute_counts")
    submitted_count = fields.Integer("To review", compute="_compute_counts")
    done_rate = fields.Float("Done (%)", compute="_compute_counts")

    _code_company_uniq = models.UniqueIndex(
        "(company_id, code) WHERE code IS NOT NULL",
        "This campus already has a station with this code.",
    )
    # It becomes a link on the pages of graduates: no other scheme.
    _map_is_web_address = models.Constraint(
        "CHECK(map_url = '' OR map_url ~* '^https?://')",
        "The address of a map begins with https:// or http://.",
    )

    @api.depends("parent_id")
    @api.depends_context("clearance_full_name")
    def _compute_display_name(self):
        """The plain name; with the names above it where ``clearance_full_name`` is set."""
        full = self.env.context.get("clearance_full_name")
        for station in self:
            names = [station.name or ""]
            parent = station.parent_id if full else None
            while parent:
                names.append(parent.name)
                parent = parent.parent_id
            station.display_name = " / ".join(reversed(names))

    @api.depends("operator_ids")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        for station in self:
            station.is_mine = self.env.user in station.operator_ids

    def _search_is_mine(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("operator_ids", "in", self.env.uid)
        return domain if True in value else ~domain

    def _compute_counts(self):
        """Figures of the open sessions, read from the statuses in one query."""
        groups = self.env["clearance.status"]._read_group(
            [
                ("station_id", "in", self.ids),
                ("session_id.state", "=", "open"),
                ("state", "!=", "not_required"),
            ],
            ["station_id", "is_open", "state"],
            ["__count"],
        )
        for station in self:
            rows = [row for row in groups if row[0] == station]
            station.due_count = sum(row[3] for row in rows)
            station.open_count = sum(row[3] for row in rows if row[1])
            station.submitted_count = sum(row[3] for row in rows if row[2] == "submitted")
            due = station.due_count
            station.done_rate = 100 * (due - station.open_count) / due if due else 0

    @api.constrains("parent_id")
    def _check_parent_id(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A station cannot belong to itself."))

    def action_open_statuses(self):
        """Open this station's statuses."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_status_action")
        return {
            **action,
            "display_name": self.name,
            "domain": [("station_id", "=", self.id)],
            "context": {"search_default_todo": 1},
        }
