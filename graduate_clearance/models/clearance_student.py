import re

try:
    import pypinyin
except ImportError:  # names in Chinese are then found by their characters alone
    pypinyin = None

from odoo import api, fields, models

#: fields of a student that say nothing about which steps apply or who sees them
_PERSONAL_FIELDS = {
    "name",
    "name_initials",
    "email",
    "phone",
    "id_number",
    "gender",
    "graduation_note",
    "mail_opt_out",
}

#: how many readings of a name are kept
_READINGS = 8


class ClearanceStudent(models.Model):
    """A graduate: what the student system knows that clearance needs."""

    _name = "clearance.student"
    _description = "Graduate"
    _inherit = ["clearance.role.mixin"]
    _order = "student_number, id"
    _rec_names_search = ["student_number", "name", "name_initials"]
    _check_company_auto = True
    _role_fields = {"supervisor_id": "graduate_clearance.group_supervisor"}

    student_number = fields.Char(required=True, index="trigram")
    partner_id = fields.Many2one("res.partner", "Contact", required=True, index=True, ondelete="restrict")
    name = fields.Char("Full name", related="partner_id.name", store=True, readonly=False, index="trigram")
    name_initials = fields.Char(
        compute="_compute_name_initials",
        store=True,
        index="trigram",
        help="First letters of the name, of Chinese characters those of their pinyin: 张伟 is found by “zw”.",
    )
    email = fields.Char(related="partner_id.email", readonly=False)
    phone = fields.Char(related="partner_id.phone", readonly=False)
    image_128 = fields.Image(related="partner_id.image_128")
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, index=True, default=lambda self: self.env.company
    )
    gender = fields.Selection([("female", "Female"), ("male", "Male"), ("other", "Other")])
    id_number = fields.Char(
        "ID-card number",
        copy=False,
        index="btree_not_null",
        groups="graduate_clearance.group_id_number",
        help="Visible only to those who need it; others see it masked.",
    )
    id_number_masked = fields.Char("ID-card number (masked)", compute="_compute_id_number_masked", compute_sudo=True)
    college_id = fields.Many2one(
        "clearance.college",
        compute="_compute_college_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    class_id = fields.Many2one("clearance.class", index="btree_not_null", ondelete="restrict", check_company=True)
    counsellor_id = fields.Many2one(related="class_id.counsellor_id")
    room_id = fields.Many2one("clearance.room", index="btree_not_null", ondelete="restrict", check_company=True)
    major = fields.Char()
    level = fields.Selection(
        [
            ("undergraduate", "Undergraduate"),
            ("postgraduate", "Postgraduate"),
            ("higher_vocational", "Higher vocational"),
            ("secondary_vocational", "Secondary vocational"),
        ],
        required=True,
        default="undergraduate",
    )
    graduation_year = fields.Integer(
        required=True,
        index=True,
        aggregator=None,
        default=lambda self: fields.Date.context_today(self).year,
    )
    graduation_state = fields.Selection(
        [
            ("due", "Graduating"),
            ("postponed", "Graduation postponed"),
            ("left", "Left without graduating"),
        ],
        required=True,
        default="due",
        help="Only those who graduate take part in a session; others are taken out of it.",
    )
    graduation_note = fields.Char("Why", help="Why the graduation is postponed or called off.")
    trait_ids = fields.Many2many("clearance.trait", string="Traits")
    settings_id = fields.Many2one(
        "clearance.settings", compute="_compute_settings_id", store=True, precompute=True, compute_sudo=True
    )
    properties = fields.Properties("Campus fields", definition="settings_id.student_properties_definition")
    supervisor_id = fields.Many2one("res.users", index="btree_not_null", domain="[('share', '=', False)]")
    form_ids = fields.One2many("clearance.form", "student_id", "Forms")
    form_count = fields.Integer(compute="_compute_form_count")
    current_form_id = fields.Many2one("clearance.form", "Clearance form", compute="_compute_current_form_id")
    record = fields.Json("Clearance record", compute="_compute_record")
    active = fields.Boolean(default=True)

    _number_company_uniq = models.Constraint(
        "UNIQUE(company_id, student_number)",
        "This campus already has a graduate with this student number.",
    )

    @api.depends("student_number", "name")
    def _compute_display_name(self):
        for student in self:
            student.display_name = " ".join(filter(None, (student.student_number, student.name)))

    @api.depends("name")
    def _compute_name_initials(self):
        for student in self:
            student.name_initials = self._get_initials(student.name)

    @api.depends("class_id.college_id")
    def _compute_college_id(self):
        for student in self:
            student.college_id = student.class_id.college_id or student.college_id

    @api.depends("company_id")
    def _compute_settings_id(self):
        settings = self.env["clearance.settings"].search([("company_id", "in", self.company_id.ids)])
        by_company = settings.grouped("company_id")
        for student in self:
            student.settings_id = by_company.get(student.company_id)

    @api.depends("id_number")
    def _compute_id_number_masked(self):
        for student in self:
            student.id_number_masked = self._mask_id_number(student.id_number)

    @api.depends("form_ids")
    def _compute_form_count(self):
        counts = dict(
            self.env["clearance.form"]._read_group([("student_id", "in", self.ids)], ["student_id"], ["__count"])
        )
        for student in self:
            student.form_count = counts.get(student, 0)

    @api.depends("form_ids.state")
    def _compute_current_form_id(self):
        """The form of an open session, else the latest one."""
        forms = self.env["clearance.form"].search([("student_id", "in", self.ids), ("session_id.state", "!=", "draft")])
        for student in self:
            own = forms.filtered(lambda form, student=student: form.student_id == student)
            own = own.filtered(lambda form: form.session_id.state == "open") or own
            student.current_form_id = own.sorted("id")[-1:]

    @api.depends("current_form_id")
    @api.depends_context("lang")
    def _compute_record(self):
        for student in self:
            student.record = student.current_form_id.record or []

    @api.model_create_multi
    def create(self, vals_list):
        """Create graduates; those without a contact get one from ``name``, ``email``, ``phone``."""
        vals_list = [dict(vals) for vals in vals_list]
        newcomers = [vals for vals in vals_list if not vals.get("partner_id")]
        partners = self.env["res.partner"].create([self._prepare_partner_values(vals) for vals in newcomers])
        for vals, partner in zip(newcomers, partners, strict=True):
            vals["partner_id"] = partner.id
            for fname in ("name", "email", "phone"):
                vals.pop(fname, None)
        return super().create(vals_list)

    def write(self, vals):
        result = super().write(vals)
        if not self.env.context.get("clearance_defer_roster") and vals.keys() - _PERSONAL_FIELDS:
            self._refresh_open_sessions()
        return result

    @api.model
    def load(self, fields, data):
        """Import graduates; open sessions follow once for the whole file."""
        result = super(ClearanceStudent, self.with_context(clearance_defer_roster=True)).load(fields, data)
        if result["ids"]:
            self.browse(result["ids"])._refresh_open_sessions()
        return result

    @api.model
    def _prepare_partner_values(self, vals):
        """Values of the contact made for a new graduate."""
        return {
            "name": vals.get("name") or vals.get("student_number"),
            "email": vals.get("email"),
            "phone": vals.get("phone"),
            "company_id": vals.get("company_id") or self.env.company.id,
            "ref": vals.get("student_number"),
        }

    @api.model
    def _get_initials(self, name):
        """First letters of a name, each reading of it after a blank.

        Many surnames have two readings (曾 is zeng as a name, ceng as a word): an
        operator who types either finds the graduate.  Readings are bounded, so that a
        name of many such characters stays short.
        """
        name = (name or "").strip()
        if not name:
            return False
        if name.isascii() or not pypinyin:
            letters = [[word[0].lower()] for word in re.split(r"[\s\-·.]+", name) if word]
        else:
            letters = pypinyin.pinyin(name, style=pypinyin.Style.FIRST_LETTER, heteronym=True, errors=list)
        readings = [""]
        for choices in letters:
            choices = sorted({choice[0].lower() for choice in choices if choice.strip()})
            if choices:
                readings = [reading + choice for reading in readings for choice in choices][:_READINGS]
        return "".join(f" {reading}" for reading in readings if reading) or False

    @api.model
    def _mask_id_number(self, number):
        """Hide the middle of an ID-card number: the birthday and what follows it."""
        number = number or ""
        if len(number) < 8:
            return re.sub(".", "*", number) or False
        return f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}"

    def _refresh_open_sessions(self):
        """Bring the forms these graduates have in open sessions up to date.

        A manager who adds a trait, a class or a postponement expects to see the
        effect at once; late-comers wait until the session is opened again.
        """
        # sudo: a write on the roster is followed by its consequences, whoever was
        # allowed to make it; nothing is read back to the caller.
        forms = (
            self.env["clearance.form"]
            .sudo()
            .search([("student_id", "in", self.ids), ("session_id.state", "=", "open")])
        )
        for session, session_forms in forms.grouped("session_id").items():
            session._update_roster(students=session_forms.student_id)

    def action_open_forms(self):
        """Open the forms of this graduate."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_form_action")
        return {**action, "domain": [("student_id", "=", self.id)], "context": {}}
