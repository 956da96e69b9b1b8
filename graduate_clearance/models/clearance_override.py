from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .clearance_log import LOGGED_COLUMNS


class ClearanceOverride(models.Model):
    """A deferral (缓交): one step of one form stays open but stops restricting.

    Hunan UST's deferral station; Nanjing's two-year stay of the household
    registration is one with an end date.
    """

    _name = "clearance.override"
    _description = "Deferral"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _rec_name = "status_id"

    #: who did what when: never what a caller says
    _RECORDED_FIELDS = frozenset({"granted_by_id", "granted_at", "restored_by_id", "restored_at"})

    status_id = fields.Many2one("clearance.status", "Deferred step", required=True, index=True, ondelete="restrict")
    form_id = fields.Many2one(related="status_id.form_id", store=True, index=True)
    step_id = fields.Many2one(related="status_id.step_id", store=True)
    session_id = fields.Many2one(related="form_id.session_id", store=True)
    college_id = fields.Many2one(related="form_id.college_id", store=True)
    company_id = fields.Many2one(related="form_id.company_id", store=True, index=True)
    status_state = fields.Selection(related="status_id.state", string="State of the step")
    reason = fields.Char(required=True)
    date_end = fields.Date("Until", help="Empty: until it is restored.")
    granted_by_id = fields.Many2one(
        "res.users", "Granted by", required=True, readonly=True, default=lambda self: self.env.user
    )
    granted_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    restored_by_id = fields.Many2one("res.users", "Restored by", readonly=True)
    restored_at = fields.Datetime(readonly=True)
    in_force = fields.Boolean(compute="_compute_in_force", search="_search_in_force")

    _one_per_status = models.UniqueIndex(
        "(status_id) WHERE restored_at IS NULL",
        "The restriction of this step is lifted already.",
    )

    @api.depends("restored_at", "date_end")
    def _compute_in_force(self):
        today = self._today()
        for override in self:
            override.in_force = not override.restored_at and (not override.date_end or override.date_end >= today)

    def _search_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = fields.Domain("restored_at", "=", False) & (
            fields.Domain("date_end", "=", False) | fields.Domain("date_end", ">=", self._today())
        )
        return domain if True in value else ~domain

    @api.model_create_multi
    def create(self, vals_list):
        """Lift restrictions.

        :raise UserError: when a step is settled already (the sources disable the button),
            or its session is not open
        """
        for vals in vals_list:
            self._check_untouched(vals, self._RECORDED_FIELDS)
        Status = self.env["clearance.status"]
        # sudo: a deferral officer may name any status of the own campus (record rule on
        # deferrals, checked by ``super``); only its states are looked at here.
        statuses = Status.sudo().browse(vals.get("status_id") for vals in vals_list)
        # Until this is committed nobody settles these steps or reopens them.
        self.env.cr.execute(SQL("SELECT id FROM clearance_status WHERE id = ANY(%s) FOR SHARE", statuses.ids))
        for status in statuses:
            if status.session_id.state != "open":
                raise UserError(self.env._("The session is not open."))
            if not status.is_open:
                raise UserError(
                    self.env._(
                        "“%(step)s” is settled: there is no restriction to lift.",
                        step=status.step_id.name,
                    )
                )
        self._expire(statuses)
        overrides = super().create(vals_list)
        overrides._log("lift")
        return overrides

    def write(self, vals):
        """Only the end date and the papers of a deferral may be corrected."""
        self._check_untouched(vals, self._RECORDED_FIELDS | {"status_id"})
        result = super().write(vals)
        if "date_end" in vals:
            # sudo: settling sums up; whoever may change the deferral may cause it.
            self.sudo().form_id._settle_after_commit()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A deferral cannot be deleted. Restore the restriction instead."))

    def action_restore(self):
        """Let the steps restrict again.

        Callable by deferral officers and managers (who may write deferrals).

        :raise UserError: when the restriction has been restored already
        """
        self.check_access("write")
        for override in self:
            if override.restored_at:
                raise UserError(self.env._("The restriction of “%s” has been restored already.", override.step_id.name))
            if override.session_id.state != "open":
                raise UserError(self.env._("The session is not open."))
        self._end(restored_by_id=self.env.uid)
        self._log("restore")

    def _end(self, **vals):
        """End deferrals, past what :meth:`write` refuses.

        A context key would not do for that: remote callers choose their context.
        """
        vals["restored_at"] = fields.Datetime.now()
        return super().write(vals)  # pylint: disable=super-method-mismatch

    @api.model
    def _check_untouched(self, vals, fnames):
        if fnames & vals.keys():
            raise UserError(self.env._("A deferral is lifted and restored by its buttons."))

    @api.model
    def _today(self):
        """The day on the campus, whose clock decides when a deferral ends."""
        # sudo: graduates may not read the campus' contact; its time zone is no secret.
        zone = self.env.company.sudo().partner_id.tz or self.env.user.tz or "UTC"
        return fields.Date.context_today(self.with_context(tz=zone))

    def _expire(self, statuses):
        """Mark deferrals that ended by date, so that a new one can be granted."""
        # sudo: ending what has ended by its own date asks for no right.
        ended = self.sudo().search(
            [("status_id", "in", statuses.ids), ("restored_at", "=", False), ("in_force", "=", False)]
        )
        ended._end()
        ended.flush_recordset()  # the unique index must not see them any more

    def _log(self, action):
        """Write one log line a deferral and settle the forms."""
        self.env.flush_all()
        for reason, overrides in self.grouped("reason").items():
            self.env.cr.execute(
                SQL(
                    """
                    WITH changed AS (
                        SELECT %s, status.state AS from_state, status.state AS to_state
                          FROM clearance_status status
                          JOIN clearance_override deferral ON deferral.status_id = status.id
                         WHERE deferral.id = ANY(%s)
                    )
                    %s
                    """,
                    LOGGED_COLUMNS,
                    overrides.ids,
                    self.env["clearance.log"]._insert_sql("changed", action, "form", reason),
                )
            )
        self.env["clearance.status"]._invalidate_cache(["ready", "blocked_by", "is_lifted"])
        self.env["clearance.form"]._invalidate_cache(["record"])
        # sudo: settling sums up; whoever may lift a restriction may cause it.
        self.sudo().form_id._settle_after_commit()

    @api.model
    def _in_force_sql(self, status_id):
        """A condition: a deferral of the status ``status_id`` is in force today.

        Today is what the clock of the campus says; asked within the statement, so that
        no decision costs a query for it.

        :param SQL status_id: expression of the status' id
        """
        return SQL(
            """EXISTS (SELECT 1 FROM clearance_override deferral
                        WHERE deferral.status_id = %(status)s AND deferral.restored_at IS NULL
                          AND (deferral.date_end IS NULL
                               OR deferral.date_end >= (
                                      SELECT (%(now)s::timestamp AT TIME ZONE 'UTC'
                                              AT TIME ZONE COALESCE(partner.tz, %(zone)s))::date
                                        FROM res_company company
                                        JOIN res_partner partner ON partner.id = company.partner_id
                                       WHERE company.id = deferral.company_id)))""",
            status=status_id,
            now=self.env.cr.now(),
            zone=self.env.context.get("tz") or "UTC",
        )
