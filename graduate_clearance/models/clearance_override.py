from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .clearance_status_gate import _clean


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

    #: what a person may say; all the rest is recorded or follows from the status
    _GIVEN_FIELDS = frozenset({"status_id", "reason", "date_end"})
    _CORRECTED_FIELDS = frozenset({"reason", "date_end"})

    status_id = fields.Many2one("clearance.status", "Deferred step", required=True, index=True, ondelete="restrict")
    form_id = fields.Many2one(related="status_id.form_id", store=True, index=True)
    student_number = fields.Char(related="form_id.student_number")
    step_id = fields.Many2one(related="status_id.step_id", store=True)
    session_id = fields.Many2one(related="form_id.session_id", store=True)
    college_id = fields.Many2one(related="form_id.college_id", store=True)
    class_id = fields.Many2one(related="form_id.class_id")
    company_id = fields.Many2one(related="form_id.company_id", store=True, index=True)
    status_state = fields.Selection(related="status_id.state", string="State of the step")
    reason = fields.Char(required=True, tracking=True)
    date_end = fields.Date("Until", tracking=True, help="Empty: until it is restored.")
    date_end_rule = fields.Char(compute="_compute_date_end_rule", help="Why the end date is filled in.")
    granted_by_id = fields.Many2one(
        "res.users", "Granted by", required=True, readonly=True, default=lambda self: self.env.user
    )
    granted_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    restored_by_id = fields.Many2one("res.users", "Restored by", readonly=True)
    restored_at = fields.Datetime("Ended on", readonly=True)
    reminded_at = fields.Datetime("Reminded on", readonly=True, help="When people were reminded of the end date.")
    told_at = fields.Datetime("End told on", readonly=True, help="When people were told that the deferral has ended.")
    in_force = fields.Boolean(compute="_compute_in_force", search="_search_in_force")
    state = fields.Selection(
        [
            ("in_force", "Restriction lifted"),
            ("settled", "Settled since"),
            ("ended", "Ended by date"),
            ("restored", "Restored"),
        ],
        "Restriction",
        compute="_compute_state",
        search="_search_state",
    )
    evidence_ids = fields.One2many(
        "ir.attachment", "res_id", domain=[("res_model", "=", "clearance.override")], readonly=True
    )
    evidence_count = fields.Integer("Evidence files", compute="_compute_evidence_count", aggregator=None)

    _one_per_status = models.UniqueIndex(
        "(status_id) WHERE restored_at IS NULL",
        "The restriction of this step is lifted already.",
    )
    _untold_idx = models.Index("(date_end) WHERE date_end IS NOT NULL AND told_at IS NULL")

    @api.depends("restored_at", "date_end")
    def _compute_in_force(self):
        today = self._today()
        for override in self:
            override.in_force = not override.restored_at and (not override.date_end or override.date_end >= today)

    def _search_in_force(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("restored_at", "=", False) & (
            Domain("date_end", "=", False) | Domain("date_end", ">=", self._today())
        )
        return domain if True in value else ~domain

    @api.depends("in_force", "restored_by_id", "status_id.is_open")
    def _compute_state(self):
        for override in self:
            if override.restored_by_id:
                override.state = "restored"
            elif not override.in_force:
                override.state = "ended"
            else:
                # sudo: officers do not see settled statuses; whether it is one is all that is asked.
                override.state = "in_force" if override.status_id.sudo().is_open else "settled"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented

        # In SQL: officers do not see settled statuses.
        def is_open(model, alias, query):
            return SQL(
                "EXISTS (SELECT 1 FROM clearance_status status WHERE status.id = %s AND status.is_open IS TRUE)",
                SQL.identifier(alias, "status_id"),
            )

        is_open = Domain.custom(to_sql=is_open)
        in_force, restored = Domain("in_force", "=", True), Domain("restored_by_id", "!=", False)
        states = {
            "restored": restored,
            "ended": ~restored & ~in_force,
            "settled": in_force & ~is_open,
            "in_force": in_force & is_open,
        }
        return Domain.OR(domain for state, domain in states.items() if state in value)

    @api.depends("form_id.display_name", "step_id.name")
    def _compute_display_name(self):
        for override in self:
            override.display_name = f"{override.form_id.display_name} · {override.step_id.name}"

    def _compute_evidence_count(self):
        # sudo: papers are open to whoever reads the deferral; only their number leaves here.
        groups = (
            self.env["ir.attachment"]
            .sudo()
            ._read_group(
                [("res_model", "=", self._name), ("res_id", "in", self.ids), ("res_field", "=", False)],
                ["res_id"],
                ["__count"],
            )
        )
        counts = dict(groups)
        for override in self:
            override.evidence_count = counts.get(override.id, 0)

    @api.onchange("status_id")
    def _onchange_status_id(self):
        """A deferral lasts as long as the step says; where it says nothing, until it is restored."""
        if not self._origin:
            self.date_end = self.status_id and self.status_id.step_id._get_deferral_end()

    @api.depends("status_id", "date_end")
    @api.depends_context("lang")
    def _compute_date_end_rule(self):
        for override in self:
            step = override.status_id.sudo().step_id  # sudo: how long the step's deferral lasts is no secret
            ruled = not override._origin and step.deferral_months and override.date_end == step._get_deferral_end()
            override.date_end_rule = ruled and step._get_deferral_rule()

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Lift restrictions, all of them or none.

        :raise UserError: when a step is settled already (the sources disable the button),
            is lifted already, is not the user's, or its session is not open
        """
        groups = {}
        for vals in vals_list:
            self._check_given(vals, self._GIVEN_FIELDS)
            key = (vals.get("reason"), vals.get("date_end") or None)
            groups.setdefault(key, []).append(vals.get("status_id"))
        for (reason, date_end), status_ids in groups.items():
            for outcome in self._lift(status_ids, reason, date_end, door="form"):
                self._refuse(outcome)
        granted = self.search([("status_id", "in", [vals["status_id"] for vals in vals_list]), ("in_force", "=", True)])
        by_status = {override.status_id.id: override.id for override in granted}
        return self.browse(by_status[vals["status_id"]] for vals in vals_list)

    def write(self, vals):
        """Only reason, end date and papers of a deferral may be corrected, while it lasts."""
        self._check_given(vals, self._CORRECTED_FIELDS)
        if self._CORRECTED_FIELDS & vals.keys():
            if any(override.restored_at for override in self):
                raise UserError(self.env._("This deferral has ended. Lift the restriction again instead."))
            if "reason" in vals and not _clean(vals["reason"]):
                raise UserError(self.env._("A reason is required: which proof was shown?"))
        result = super().write(vals)
        if "date_end" in vals:
            self._record(reminded_at=False)
            self._follow_up(self)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A deferral cannot be deleted. Restore the restriction instead."))

    def action_restore(self):
        """Let the steps restrict again.

        Callable by deferral officers and managers (who may write deferrals).

        :raise UserError: when the restriction has been restored already, or the session
            is not open
        """
        for outcome in self._restore(self.ids, door="form"):
            if outcome.code == "already":
                raise UserError(
                    self.env._(
                        "The restriction of “%s” has been restored already.",
                        self._get_step_name(outcome),
                    )
                )
            self._refuse(outcome)

    def _refuse(self, outcome):
        """Raise what has stopped one row."""
        if outcome.code == "done":
            return
        if outcome.code == "settled":
            raise UserError(
                self.env._("“%(step)s” is settled: there is no restriction to lift.", step=self._get_step_name(outcome))
            )
        if outcome.code == "already":
            raise UserError(self.env._("The restriction of this step is lifted already."))
        [(_outcome, message)] = self.env["clearance.status"]._explain([outcome])
        if outcome.code in ("not_yours", "unknown"):
            raise AccessError(self.env._("This step is not on your campus."))
        raise UserError(message)

    @api.model
    def _get_step_name(self, outcome):
        # sudo: the name of a step is no secret to who has just named its status.
        return self.env["clearance.status"].sudo().browse(outcome.status_id).step_id.name

    @api.model
    def _check_given(self, vals, allowed):
        """Who did what when is recorded, and where it belongs follows from the status."""
        own = {name for name, field in self._fields.items() if field.store and field.column_type}
        if (own & vals.keys()) - allowed - {"message_main_attachment_id"}:
            raise UserError(self.env._("A deferral is lifted and restored by its buttons."))

    def _record(self, **vals):
        """Write past what :meth:`write` refuses.

        A context key would not do for that: remote callers choose their context.
        """
        # sudo: what is recorded follows from what the user was allowed to do.
        return super(ClearanceOverride, self.sudo()).write(vals)  # pylint: disable=super-method-mismatch

    @api.model
    def _today(self):
        """The day on the campus, whose clock decides when a deferral ends."""
        # sudo: graduates may not read the campus' contact; its time zone is no secret.
        zone = self.env.company.sudo().partner_id.tz or self.env.user.tz or "UTC"
        return fields.Date.context_today(self.with_context(tz=zone))

    # -- papers ----------------------------------------------------------------

    def _add_evidence(self, attachments):
        """Keep files on each of these deferrals.

        :param attachments: files that :meth:`_get_fresh_evidence` has let through
        """
        if not attachments:
            return
        values = [{"res_model": self._name, "res_id": override.id} for override in self]
        # sudo: the files are the user's own, the deferrals those just granted.
        attachments = attachments.sudo()
        for vals in values[1:]:
            for attachment in attachments:
                attachment.copy({"name": attachment.name, **vals})
        if values:
            attachments.write(values[0])

    @api.model
    def _get_fresh_evidence(self, attachment_ids):
        """Files that the user has just uploaded and that belong to nothing yet.

        :raise AccessError: for any other file: linked, it would be shown to whoever
            reads the deferral
        """
        # sudo: who uploaded the files is looked at before anything is done with them.
        attachments = self.env["ir.attachment"].sudo().browse(int(file_id) for file_id in attachment_ids).exists()
        if len(attachments) != len(set(attachment_ids)) or any(
            attachment.create_uid != self.env.user
            or attachment.res_id
            or attachment.res_field
            or attachment.type != "binary"
            or attachment.public
            or attachment.res_model not in (False, self._name)
            for attachment in attachments
        ):
            raise AccessError(self.env._("Only files that you have just uploaded can be kept as evidence."))
        return attachments

    @api.autovacuum
    def _gc_evidence(self):
        """Delete files uploaded for a deferral that was never granted."""
        yesterday = fields.Datetime.now() - timedelta(days=1)
        self.env["ir.attachment"].search(
            [("res_model", "=", self._name), ("res_id", "=", 0), ("create_date", "<", yesterday)], limit=1000
        ).unlink()

    # -- in SQL ----------------------------------------------------------------

    @api.model
    def _campus_today_sql(self, company_id):
        """Today, as the clock of a campus says.

        :param SQL company_id: expression of the campus' id
        """
        return SQL(
            """(SELECT (%(now)s::timestamp AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(partner.tz, %(zone)s))::date
                  FROM res_company company
                  JOIN res_partner partner ON partner.id = company.partner_id
                 WHERE company.id = %(company)s)""",
            now=self.env.cr.now(),
            zone=self.env.context.get("tz") or "UTC",
            company=company_id,
        )

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
                          AND (deferral.date_end IS NULL OR deferral.date_end >= %(today)s))""",
            status=status_id,
            today=self._campus_today_sql(SQL("deferral.company_id")),
        )
