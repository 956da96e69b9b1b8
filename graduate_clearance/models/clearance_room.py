from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ClearanceRoom(models.Model):
    """A node of the dormitories: campus - building - floor - room (寝室)."""

    _name = "clearance.room"
    _description = "Dorm Room"
    _parent_store = True
    _order = "complete_name, id"
    _rec_name = "complete_name"
    _rec_names_search = ["complete_name"]
    _check_company_auto = True

    name = fields.Char(required=True)
    kind = fields.Selection(
        [
            ("campus", "Campus"),
            ("building", "Building"),
            ("floor", "Floor"),
            ("room", "Room"),
        ],
        required=True,
        default="room",
    )
    parent_id = fields.Many2one("clearance.room", "Part of", index=True, ondelete="restrict", check_company=True)
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("clearance.room", "parent_id", "Contains")
    complete_name = fields.Char(compute="_compute_complete_name", store=True, recursive=True, index="trigram")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", "Campus company", required=True, index=True, default=lambda self: self.env.company
    )
    student_ids = fields.One2many("clearance.student", "room_id", "Graduates")

    _name_parent_uniq = models.UniqueIndex(
        "(company_id, COALESCE(parent_id, 0), name)",
        "There is already a place of this name here.",
    )

    @api.depends("name", "parent_id.complete_name")
    def _compute_complete_name(self):
        for room in self:
            parent = room.parent_id.complete_name
            room.complete_name = f"{parent}-{room.name}" if parent else room.name

    @api.constrains("parent_id")
    def _check_parent_id(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A dorm room cannot be part of itself."))
