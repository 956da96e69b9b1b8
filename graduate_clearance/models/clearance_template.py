import base64
import binascii
import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import file_open

from .clearance_configuration import MOST_BYTES

_KEY = re.compile(r"^[a-z0-9_]+$")


class ClearanceTemplate(models.Model):
    """A configuration to make sessions from: shipped, imported or saved from a session.

    Shipped ones are files of this addon and stay as they are; managers archive those they do
    not need, and copy those they want to change.  Others hold their document themselves.
    """

    _name = "clearance.template"
    _description = "Session Template"
    _order = "sequence, id"
    _rec_names_search = ["name", "description"]

    #: what may be changed about a shipped template
    _FREE_FIELDS = {"active"}

    name = fields.Char(required=True, translate=True)
    key = fields.Char(readonly=True, copy=False, help="Name of the file of a shipped template.")
    description = fields.Text(translate=True)
    sequence = fields.Integer(default=100)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", "Campus", index=True, help="Empty: every campus.")
    document = fields.Json(copy=False)
    file = fields.Binary("Configuration file", store=False, help="A file that was downloaded from a session.")
    file_name = fields.Char(store=False)
    is_shipped = fields.Boolean("Shipped", compute="_compute_is_shipped", search="_search_is_shipped")
    step_count = fields.Integer("Number of steps", compute="_compute_content")
    station_count = fields.Integer("Number of stations", compute="_compute_content")
    outline = fields.Html("What it has", compute="_compute_outline", sanitize=False)
    session_ids = fields.One2many("clearance.session", "template_id", "Sessions")
    session_count = fields.Integer("Number of sessions", compute="_compute_session_count")

    _key_uniq = models.Constraint("UNIQUE(key)", "There is another template with this key.")

    @api.depends("key")
    def _compute_is_shipped(self):
        for template in self:
            template.is_shipped = bool(template.key)

    def _search_is_shipped(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("key", "!=" if True in value else "=", False)]

    @api.depends("key", "document")
    def _compute_content(self):
        for template in self:
            content = template._get_content()
            template.step_count = len(content.get("steps", ()))
            template.station_count = len(content.get("stations", ()))

    @api.depends("key", "document")
    @api.depends_context("lang")
    def _compute_outline(self):
        for template in self:
            values = self.env["clearance.configuration"]._get_outline(template._get_content())
            template.outline = self.env["ir.qweb"]._render("graduate_clearance.template_outline", values)

    @api.depends("session_ids")
    def _compute_session_count(self):
        counts = dict(
            self.env["clearance.session"]._read_group([("template_id", "in", self.ids)], ["template_id"], ["__count"])
        )
        for template in self:
            template.session_count = counts.get(template, 0)

    @api.constrains("key")
    def _check_key(self):
        for template in self:
            if template.key and not _KEY.match(template.key):
                raise ValidationError(
                    self.env._("The key “%s” may have small letters, digits and _ only.", template.key)
                )

    @api.constrains("key", "document")
    def _check_content(self):
        for template in self.filtered(lambda template: not template.key):
            self.env["clearance.configuration"]._raise_problems(
                self.env["clearance.configuration"]._get_shape_problems(template.document)
            )

    @api.onchange("file")
    def _onchange_file(self):
        """Name a new template after the session in its file."""
        if self.file and not self.name:
            document = self._read_file(self.file)
            content = self.env["clearance.configuration"]._get_content(document)
            if content:
                self.name = self.env["clearance.configuration"]._translate_texts(content["session"]["name"])

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("key"):
                self._refuse_key()
        return super().create([self._prepare_document(vals) for vals in vals_list])

    def write(self, vals):
        self.check_access("write")
        if "key" in vals:
            self._refuse_key()
        if vals.keys() - self._FREE_FIELDS:
            self._check_not_shipped()
        return super().write(self._prepare_document(vals))

    def copy_data(self, default=None):
        """A copy is the campus' own, also that of a shipped template."""
        return [
            {
                **vals,
                "document": template._get_document(),
                "name": (default or {}).get("name") or self.env._("%s (copy)", template.name),
            }
            for template, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def copy_translations(self, new, excluded=()):
        # The name says that it is a copy, in the language of who has made it.
        return super().copy_translations(new, excluded=[*excluded, "name"])

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        self._check_not_shipped()
        return super()._update_field_translations(field_name, translations, digest, source_lang)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        self._check_not_shipped()

    def _check_not_shipped(self):
        """Shipped templates come with the addon, which alone changes them."""
        # sudo-free: the installation of the addon runs as superuser, people never do.
        shipped = self.filtered("key")
        if shipped and not self.env.su:
            raise UserError(
                self.env._(
                    "Template “%s” is shipped and stays as it is. Duplicate it to change it, or archive it.",
                    shipped[0].name,
                )
            )

    def _refuse_key(self):
        if not self.env.su:
            raise UserError(self.env._("Keys belong to shipped templates."))

    # -- the document ------------------------------------------------------------------------

    @api.model
    def _get_by_key(self, key):
        """The shipped template of a key, archived or not; empty when there is none."""
        return self.with_context(active_test=False).search([("key", "=", key)], limit=1).with_env(self.env)

    def _get_document(self):
        """The document, as ``clearance.session._load_configuration`` takes it.

        :raise UserError: when the file of a shipped template cannot be read
        """
        self.ensure_one()
        self.check_access("read")
        if not self.key:
            return self.document
        # The key has letters, digits and _ only: no way out of the folder.
        try:
            with file_open(f"graduate_clearance/data/templates/{self.key}.json", "rb") as file:
                content = file.read()
        except FileNotFoundError as error:
            raise UserError(self.env._("The file of template “%s” is missing.", self.name)) from error
        return self.env["clearance.configuration"]._parse(content)

    def _get_content(self):
        """The checked document; {} when there is none or it has problems."""
        self.ensure_one()
        try:
            return self.env["clearance.configuration"]._get_content(self._get_document())
        except UserError:
            return {}

    @api.model
    def _prepare_document(self, vals):
        """Values with the document of an uploaded file."""
        vals = dict(vals)
        vals.pop("file_name", None)
        if file := vals.pop("file", None):
            vals["document"] = self._read_file(file)
        return vals

    @api.model
    def _read_file(self, file):
        """What an uploaded file says.

        :param file: base64, as the web client sends it
        """
        if len(file) > MOST_BYTES * 4 // 3 + 4:
            raise UserError(
                self.env._("The file is larger than %s MB: no configuration is.", MOST_BYTES // (1024 * 1024))
            )
        try:
            content = base64.b64decode(file)
        except (TypeError, ValueError, binascii.Error) as error:
            raise UserError(self.env._("The file did not arrive in one piece. Choose it again.")) from error
        return self.env["clearance.configuration"]._parse(content)

    # -- actions -----------------------------------------------------------------------------

    def action_new_session(self):
        """Make a session from this template: ask for the year first."""
        self.ensure_one()
        self.env["clearance.session"].check_access("create")
        return self.env["clearance.session"]._get_load_action(
            {"default_source": "template", "default_template_id": self.id}
        )

    def action_download(self):
        """Download the document."""
        self.ensure_one()
        self._get_document()
        return {
            "type": "ir.actions.act_url",
            "url": f"/clearance/template/{self.id}/configuration",
            "target": "download",
        }

    def action_import(self):
        """Ask for a file to make a template from."""
        self.browse().check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import a Template"),
            "res_model": "clearance.template",
            "view_mode": "form",
            "views": [(self.env.ref("graduate_clearance.clearance_template_view_form_import").id, "form")],
            "target": "new",
        }

    def action_open_sessions(self):
        """Open the sessions made from this template."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_session_action")
        return {**action, "domain": [("template_id", "=", self.id)], "context": {}}
