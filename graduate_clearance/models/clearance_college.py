from odoo import fields, models


class ClearanceCollege(models.Model):
    """An academic unit (学院 / 院系 / 系部)."""

    _name = "clearance.college"
    _description = "College"
    _inherit = ["clearance.role.mixin"]
    _order = "sequence, code, id"
    _rec_names_search = ["name", "code"]
    _check_company_auto = True
    _role_fields = {"lead_ids": "graduate_clearance.group_college_lead"}

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Short code of the college in the student system.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, index=True, default=lambda self: self.env.company
    )
    lead_ids = fields.Many2many(
        "res.users",
        string="Leads",
        domain="[('share', '=', False)]",
        help="See the college's graduates and statistics.",
    )
    class_ids = fields.One2many("clearance.class", "college_id", "Classes")
    student_count = fields.Integer("Graduates", compute="_compute_student_count")

    _code_company_uniq = models.UniqueIndex(
        "(company_id, code) WHERE code IS NOT NULL",
        "This campus already has a college with this code.",
    )

    def _compute_student_count(self):
        counts = dict(
            self.env["clearance.student"]._read_group([("college_id", "in", self.ids)], ["college_id"], ["__count"])
        )
        for college in self:
            college.student_count = counts.get(college, 0)
