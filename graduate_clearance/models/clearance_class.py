from odoo import fields, models


class ClearanceClass(models.Model):
    """A class of graduates with its counsellor (班级)."""

    _name = "clearance.class"
    _description = "Class"
    _inherit = ["clearance.role.mixin"]
    _order = "name, id"
    _rec_names_search = ["name", "code"]
    _check_company_auto = True
    _role_fields = {"counsellor_id": "graduate_clearance.group_counsellor"}

    name = fields.Char(required=True)
    code = fields.Char()
    active = fields.Boolean(default=True)
    college_id = fields.Many2one(
        "clearance.college", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(related="college_id.company_id", store=True, index=True)
    counsellor_id = fields.Many2one(
        "res.users",
        index="btree_not_null",
        domain="[('share', '=', False)]",
        help="Looks after this class and acts on the steps given to counsellors.",
    )
    student_ids = fields.One2many("clearance.student", "class_id", "Graduates")
    student_count = fields.Integer("Number of graduates", compute="_compute_student_count")

    _name_college_uniq = models.Constraint("UNIQUE(college_id, name)", "This college already has a class of this name.")

    def _compute_student_count(self):
        counts = dict(
            self.env["clearance.student"]._read_group([("class_id", "in", self.ids)], ["class_id"], ["__count"])
        )
        for class_ in self:
            class_.student_count = counts.get(class_, 0)
