from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class ClearanceDuty(models.Model):
    """What an office does for a session, with whom and by when.

    A table of responsibilities says which office leads and whether the colleges take part
    (Nanjing City); deadlines of the preparatory phase, such as reporting debts to the
    colleges by 30 June, stand here too (Guiyang).  Managers write them; the operators of the
    lead office, and leads of colleges where these take part, say when they are done.
    """

    _name = "clearance.duty"
    _description = "Duty of an Office"
    _order = "session_id, sequence, deadline, id"
    _check_company_auto = True

    #: kept by the buttons
    _KEPT_FIELDS = frozenset(("done_at", "done_by_id"))

    name = fields.Char("What", required=True, translate=True)
    sequence = fields.Integer(default=10)
    session_id = fields.Many2one("clearance.session", required=True, index=True, ondelete="cascade", check_company=True)
    session_state = fields.Selection(related="session_id.state", string="Session state")
    company_id = fields.Many2one(related="session_id.company_id", store=True, index=True)
    station_id = fields.Many2one(
        "clearance.station", "Lead office", required=True, index=True, ondelete="restrict", check_company=True
    )
    with_colleges = fields.Boolean("Together with the colleges")
    deadline = fields.Datetime("By")
    done_at = fields.Datetime("Done at", readonly=True, copy=False)
    done_by_id = fields.Many2one("res.users", "Done by", readonly=True, copy=False)
    state = fields.Selection(
        [("open", "To do"), ("overdue", "Overdue"), ("done", "Done")],
        compute="_compute_state",
        search="_search_state",
    )
    is_mine = fields.Boolean("My duty", compute="_compute_is_mine", search="_search_is_mine")
    can_mark = fields.Boolean("May say that it is done", compute="_compute_can_mark")

    @api.depends("deadline", "done_at")
    def _compute_state(self):
        now = fields.Datetime.now()
        for duty in self:
            if duty.done_at:
                duty.state = "done"
            else:
                duty.state = "overdue" if duty.deadline and duty.deadline < now else "open"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        undone = Domain("done_at", "=", False)
        late = Domain("deadline", "<", fields.Datetime.now())
        domains = {
            "done": ~undone,
            "overdue": undone & late,
            "open": undone & (Domain("deadline", "=", False) | ~late),
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    @api.depends("station_id.operator_ids", "with_colleges")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        leads = self.env["clearance.duty"]._leads_college()
        for duty in self:
            duty.is_mine = self.env.user in duty.station_id.operator_ids or (duty.with_colleges and leads)

    def _search_is_mine(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("station_id.operator_ids", "in", self.env.uid)
        if self._leads_college():
            domain |= Domain("with_colleges", "=", True)
        return domain if True in value else ~domain

    @api.depends("is_mine", "session_id.state")
    @api.depends_context("uid")
    def _compute_can_mark(self):
        is_manager = self.env.user.has_group("graduate_clearance.group_manager")
        for duty in self:
            duty.can_mark = duty.session_state != "closed" and (is_manager or duty.is_mine)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_kept_untouched(vals)
        duties = super().create(vals_list)
        duties.session_id._check_not_closed()
        return duties

    def write(self, vals):
        self._check_kept_untouched(vals)
        self.session_id._check_not_closed()
        result = super().write(vals)
        self.session_id._check_not_closed()
        return result

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        self.session_id._check_not_closed()
        return super()._update_field_translations(field_name, translations, digest, source_lang)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_closed(self):
        self.session_id._check_not_closed()

    @api.model
    def _check_kept_untouched(self, vals):
        """Who has said that a duty is done, and when, is kept as it was."""
        if not self.env.su and (touched := self._KEPT_FIELDS & {key for key, value in vals.items() if value}):
            raise AccessError(
                self.env._(
                    "“%(field)s” of a duty is kept by its buttons “Done” and “Not Done”.",
                    field=self._fields[sorted(touched)[0]]._description_string(self.env),
                )
            )

    @api.model
    def _leads_college(self):
        """Whether the user leads a college of the campus."""
        return bool(self.env["clearance.college"].search_count([("lead_ids", "in", self.env.uid)], limit=1))

    # -- doing them ------------------------------------------------------------

    def action_done(self):
        """Say that these are done: operators of the lead office, leads where colleges take part, managers.

        :raise AccessError: one of them is another office's
        :raise UserError: its session is closed
        """
        self._mark(True)

    def action_undo(self):
        """Say that these are not done after all; the same people as :meth:`action_done`."""
        self._mark(False)

    def _mark(self, done):
        self.check_access("read")
        for duty in self:
            if not duty.can_mark:
                duty._raise_not_mine()
        changing = self.filtered(lambda duty: bool(duty.done_at) != done)
        # sudo: checked above; of all the values of a duty these two only.
        changing.sudo().write(
            {
                "done_at": fields.Datetime.now() if done else False,
                "done_by_id": self.env.uid if done else False,
            }
        )
        for duty in changing:
            duty._tell(done)

    def _raise_not_mine(self):
        # sudo: the name of a session of the own campus, which may still be a draft.
        session = self.sudo().session_id
        if session.state == "closed":
            session._check_not_closed()
        raise AccessError(
            self.env._(
                "“%(duty)s” is a duty of %(station)s: its operators say whether it is done.",
                duty=self.name,
                station=self.station_id.name,
            )
            if not self.with_colleges
            else self.env._(
                "“%(duty)s” is a duty of %(station)s and the colleges: operators and leads say whether it is done.",
                duty=self.name,
                station=self.station_id.name,
            )
        )

    def _tell(self, done):
        """Keep in the session's record who has said so."""
        body = (
            self.env._("Done: %(duty)s (%(station)s)", duty=self.name, station=self.station_id.name)
            if done
            else self.env._("Not done after all: %(duty)s (%(station)s)", duty=self.name, station=self.station_id.name)
        )
        # sudo: operators may not write on the session, what they may say is recorded there all the same.
        self.sudo().session_id.message_post(body=body, subtype_xmlid="mail.mt_note")
