from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..texts import join_names


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
    bulk_class = fields.Boolean(
        "By class",
        compute="_compute_ways",
        store=True,
        readonly=False,
        precompute=True,
    )
    bulk_room = fields.Boolean(
        "By room",
        compute="_compute_ways",
        store=True,
        readonly=False,
        precompute=True,
    )
    bulk_college = fields.Boolean(
        "By college",
        compute="_compute_ways",
        store=True,
        readonly=False,
        precompute=True,
    )
    bulk_list = fields.Boolean(
        "By list or search",
        compute="_compute_ways",
        store=True,
        readonly=False,
        precompute=True,
    )
    fast_scan = fields.Boolean(
        "Fast scanning",
        compute="_compute_ways",
        store=True,
        readonly=False,
        precompute=True,
        help="Each scan confirms at once.",
    )
    substitute_ids = fields.One2many("clearance.substitute", "station_id", "Substitutes")
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

    @api.depends("company_id")
    def _compute_ways(self):
        """As the campus has it for new stations."""
        for station in self:
            settings = self.env["clearance.settings"]._get(station.company_id)
            for fname in settings._STATION_DEFAULTS:
                station[fname] = settings[fname]

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

    @api.constrains("parent_id", "active", "college_ids", "class_ids", "room_ids")
    def _check_scope(self):
        """Of two desks side by side that take the same graduates, neither can be chosen.

        Where neither is limited to anybody, this matters once a step of a station above is to be
        routed; until then they are just two desks of one office.
        """
        for station, twin in self.parent_id._find_twins():
            scope = station._get_scope()
            if not any(scope) and not station._get_steps_above():
                continue
            raise ValidationError(
                self.env._(
                    "“%(one)s” and “%(two)s” are desks of “%(parent)s” and take the same graduates (%(scope)s), "
                    "so that neither can be chosen. Change the colleges, classes or rooms of one of them.",
                    one=station.name,
                    two=twin.name,
                    parent=station.parent_id.name,
                    scope=join_names(self.env, (name for records in scope for name in records.mapped("display_name")))
                    or self.env._("everybody"),
                )
            )

    def _get_scope(self):
        """Whom this station is limited to: colleges, classes, rooms."""
        self.ensure_one()
        return self.college_ids, self.class_ids, self.room_ids

    def _find_twins(self):
        """Pairs of desks right below one of these stations whose scopes are equal."""
        # sudo: a clash is one also with a desk that the user cannot see.
        seen, twins = {}, []
        for desk in self.sudo().child_ids.filtered("active"):
            key = (desk.parent_id.id, *(frozenset(records.ids) for records in desk._get_scope()))
            if key in seen:
                twins.append((seen[key], desk))
            seen.setdefault(key, desk)
        return twins

    def _get_steps_above(self):
        """Steps of running sessions that name a station above this one, and are routed down to it."""
        self.ensure_one()
        above = [int(number) for number in (self.parent_path or "").split("/")[:-1] if number]
        return self.env["clearance.step"].search(
            [("station_id", "in", above), ("station_id", "!=", self.id), ("session_id.state", "!=", "closed")], limit=1
        )

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
