from odoo import api, fields, models, tools

from odoo.addons.base.models.res_partner import _tz_get


class ClearanceSettings(models.Model):
    """What managers set for their campus: one record a campus.

    ``res.config.settings`` is for system administrators.  These are open to the managers
    of a campus, and every campus has its own: read them with :meth:`_get`.
    """

    _name = "clearance.settings"
    _description = "Clearance Settings of a Campus"
    _inherit = ["mail.thread"]
    _rec_name = "company_id"

    #: what new stations take over
    _STATION_DEFAULTS = ("bulk_class", "bulk_room", "bulk_college", "bulk_list", "fast_scan")

    company_id = fields.Many2one("res.company", "Campus", required=True, readonly=True, ondelete="cascade")
    student_properties_definition = fields.PropertiesDefinition("Fields of graduates")

    help = fields.Text("Whom graduates may ask", translate=True, help="Shown on every graduate's clearance page.")

    bulk_class = fields.Boolean("By class", default=True)
    bulk_room = fields.Boolean("By room", default=True)
    bulk_college = fields.Boolean("By college", default=True)
    bulk_list = fields.Boolean("By list or search", default=True)
    fast_scan = fields.Boolean("Fast scanning", default=True, help="Each scan confirms at once.")

    mails = fields.Boolean(
        "Mails to graduates",
        default=True,
        tracking=True,
        help="Off: clearance sends this campus' graduates neither daily mails nor mails about answers and deferrals.",
    )
    digest = fields.Boolean("Daily mail in new sessions", default=True)
    timezone = fields.Selection(
        _tz_get,
        "Time zone of the campus",
        compute="_compute_timezone",
        inverse="_inverse_timezone",
        help="By which windows, deadlines and working days are told and daily mails go out.",
    )
    digest_hour = fields.Integer(
        "Hour of the daily mail",
        default=7,
        help="Daily mails go out from this hour on, by the clock of the campus.",
    )
    inquiry_mails = fields.Boolean(
        "Mails about answers",
        default=True,
        help="Graduates get a mail when a desk answers their question. Off: they read the answer on their page.",
    )

    verification = fields.Boolean(
        "Certificates can be verified",
        default=True,
        tracking=True,
        help="Certificates carry a code, and who holds one sees on a public page whether it is valid.",
    )
    verification_name = fields.Selection(
        [("partly", "First letters only"), ("full", "In full")],
        "Name on the page",
        required=True,
        default="partly",
        tracking=True,
    )

    retention_months = fields.Integer(
        "Personal data is kept (months)",
        default=0,
        tracking=True,
        help="This long after a session was closed, ID-card numbers and files are deleted. 0: never.",
    )

    _company_uniq = models.Constraint("UNIQUE(company_id)", "A campus has its settings once.")
    _digest_hour_exists = models.Constraint(
        "CHECK(digest_hour BETWEEN 0 AND 23)", "The hour of the daily mail is between 0 and 23."
    )
    _retention_positive = models.Constraint(
        "CHECK(retention_months >= 0)", "Personal data is kept for 0 months (for ever) or more."
    )

    @api.depends("company_id.partner_id.tz")
    def _compute_timezone(self):
        for settings in self:
            # sudo: the clock of the campus.
            settings.timezone = settings.sudo().company_id.partner_id.tz or "UTC"

    def _inverse_timezone(self):
        for settings in self:
            # sudo: managers set the clock of their campus, which Odoo keeps on its contact.
            settings.sudo().company_id.partner_id.tz = settings.timezone

    @api.model_create_multi
    def create(self, vals_list):
        settings = super().create(vals_list)
        self.env.registry.clear_cache()
        settings._fill_students()
        return settings

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # -- where they are --------------------------------------------------------------

    @api.model
    def _get(self, company=None):
        """The settings of a campus; made when there are none yet.

        :param company: a ``res.company``, by default the user's current one
        :return: the ``clearance.settings``, as superuser; empty for an empty company
        """
        company = self.env.company if company is None else company
        company_id = company._origin.id
        # sudo: how a campus works is for everybody's pages to follow; callers show no more than they need.
        settings = self.sudo()
        if not company_id:
            return settings.browse()
        return settings.browse(self._get_ids_by_company().get(company_id)) or settings._make(company._origin)

    @tools.ormcache()
    def _get_ids_by_company(self):
        # sudo: as for _get.
        return {company.id: ids[0] for company, ids in self.sudo()._read_group([], ["company_id"], ["id:array_agg"])}

    @api.model
    def _is_verification_offered(self):
        """Whether some campus of this database lets certificates be verified: the public page knows no campus."""
        # sudo: a yes or no for anybody.
        return bool(self.sudo().search_count([("verification", "=", True)], limit=1))

    @api.model
    def _make(self, companies):
        """Make settings and legend of these campuses; the caller knows that they have none."""
        self.env["clearance.legend"]._make_missing(companies)
        return self.create([{"company_id": company.id} for company in companies])

    @api.model
    def _make_missing(self):
        """Give every campus its settings and its legend: when the addon is installed or updated."""
        # sudo: called while data is loaded; every campus counts.
        settings = self.sudo()
        companies = settings.env["res.company"].with_context(active_test=False).search([("id", "!=", False)])
        settings.env["clearance.legend"]._make_missing(companies)
        missing = companies.browse(set(companies.ids) - settings._get_ids_by_company().keys())
        return settings._make(missing)

    def _fill_students(self):
        """Let graduates who were there before the settings of their campus find them."""
        # sudo: bookkeeping, for every graduate of these campuses.
        Student = self.env["clearance.student"].sudo().with_context(active_test=False)
        students = Student.search([("settings_id", "=", False), ("company_id", "in", self.company_id.ids)])
        self.env.add_to_compute(Student._fields["settings_id"], students)

    # -- screens ---------------------------------------------------------------------

    @api.model
    def action_open(self):
        """Open the settings of the user's current campus."""
        settings = self._get().sudo(False)
        settings.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_settings_action_form")
        return {**action, "res_id": settings.id}

    def action_open_legend(self):
        """Open the words and colours of states."""
        return self.env["clearance.legend"].action_open()

    def action_open_purge(self):
        """Open the list of what personal data would be deleted."""
        return self.env["clearance.session"].action_open_purge()
