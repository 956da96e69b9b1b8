from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import retrying
from odoo.tools import SQL


class ClearanceForm(models.Model):
    """One graduate's sheet in one session (离校单)."""

    _name = "clearance.form"
    _description = "Clearance Form"
    _inherit = ["portal.mixin", "mail.thread"]
    _order = "session_id desc, student_id, id"
    _rec_names_search = ["student_id"]
    _mail_post_access = "read"
    _check_company_auto = True

    session_id = fields.Many2one("clearance.session", required=True, readonly=True, index=True, ondelete="restrict")
    session_state = fields.Selection(related="session_id.state", string="Session state")
    student_id = fields.Many2one(
        "clearance.student", "Graduate", required=True, readonly=True, index=True, ondelete="restrict"
    )
    student_number = fields.Char(related="student_id.student_number")
    # Copies of what the student system says, kept by the roster (clearance_session_roster.py)
    # so that rules and filters need no join.
    company_id = fields.Many2one("res.company", "Campus", required=True, readonly=True, index=True)
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True, index=True, ondelete="restrict")
    college_id = fields.Many2one("clearance.college", readonly=True, index=True, ondelete="restrict")
    class_id = fields.Many2one("clearance.class", readonly=True, index="btree_not_null", ondelete="restrict")
    room_id = fields.Many2one("clearance.room", readonly=True, index="btree_not_null", ondelete="restrict")
    earlier_year = fields.Boolean("Of an earlier year", readonly=True)
    major = fields.Char(related="student_id.major")
    level = fields.Selection(related="student_id.level")
    image_128 = fields.Image(related="student_id.image_128")
    state = fields.Selection(
        [
            ("open", "In progress"),
            ("cleared", "Cleared"),
            ("deferred", "Cleared with deferral"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True,
        readonly=True,
        default="open",
        help="What the statuses amount to, remembered after each decision.",
    )
    withdrawn_reason = fields.Char(readonly=True)
    cleared_at = fields.Datetime("Cleared since", readonly=True)
    status_ids = fields.One2many("clearance.status", "form_id", "Statuses", readonly=True)
    is_mine = fields.Boolean("At my stations", compute="_compute_is_mine", search="_search_is_mine")
    due_count = fields.Integer("Steps due", compute="_compute_progress")
    open_count = fields.Integer("Steps left", compute="_compute_progress")
    progress = fields.Float("Progress (%)", compute="_compute_progress")
    record = fields.Json(
        "Clearance record",
        compute="_compute_record",
        help="Every step of this form over all stations, as screens show it.",
    )

    _session_student_uniq = models.Constraint("UNIQUE(session_id, student_id)", "A graduate has one form in a session.")

    @api.depends("student_id.display_name")
    def _compute_display_name(self):
        for form in self:
            form.display_name = form.student_id.display_name

    def _compute_access_url(self):  # pylint: disable=missing-return
        super()._compute_access_url()
        for form in self:
            form.access_url = f"/my/clearance/{form.id}"

    @api.depends_context("uid")
    def _compute_is_mine(self):
        # sudo: the record rules ask this to find out what the user may read.
        mine = self.sudo().search([("id", "in", self.ids), ("is_mine", "=", True)])
        for form in self:
            form.is_mine = form in mine

    def _search_is_mine(self, operator, value):
        """Forms of graduates routed to a station where the user is an operator.

        A record rule looks at it for every form that an operator opens: as a path over
        statuses and stations, Odoo would read all of them to evaluate it.
        """
        if operator != "in":
            return NotImplemented
        uid = self.env.uid

        def to_sql(model, alias, query):
            return SQL(
                """EXISTS (SELECT 1
                             FROM clearance_status status
                             JOIN clearance_station_res_users_rel operator
                               ON operator.clearance_station_id = status.station_id
                            WHERE status.form_id = %s AND operator.res_users_id = %s)""",
                SQL.identifier(alias, "id"),
                uid,
            )

        domain = Domain.custom(to_sql=to_sql, predicate=lambda form: form.is_mine)
        return domain if True in value else ~domain

    @api.depends("status_ids.state", "status_ids.is_open")
    def _compute_progress(self):
        # sudo: whoever may read a form may know how far it is; only numbers leave here.
        groups = (
            self.env["clearance.status"]
            .sudo()
            ._read_group(
                [("form_id", "in", self.ids), ("state", "!=", "not_required"), ("required", "=", True)],
                ["form_id", "is_open"],
                ["__count"],
            )
        )
        counts = {}
        for form, is_open, count in groups:
            counts.setdefault(form.id, {})[is_open] = count
        for form in self:
            own = counts.get(form.id, {})
            form.open_count = own.get(True, 0)
            form.due_count = sum(own.values())
            done = form.due_count - form.open_count
            form.progress = 100 * done / (form.due_count or 1)
            if not form.due_count and form.state != "withdrawn":
                form.progress = 100

    @api.depends("status_ids.state", "status_ids.is_open")
    @api.depends_context("lang")
    def _compute_record(self):
        records = self._get_records()
        figures = self.env["clearance.feed"]._get_figures([row["id"] for rows in records.values() for row in rows])
        for form in self:
            form.record = [{**row, "figure": figures.get(row["id"], False)} for row in records.get(form.id, [])]

    def write(self, vals):
        fixed = {"session_id", "student_id", "state", "company_id", "partner_id"} & vals.keys()
        if fixed:
            raise UserError(self.env._("A form follows its statuses and its graduate; it cannot be changed by hand."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A form cannot be deleted. Take the graduate out of the session instead."))

    def _get_records(self):
        """The whole record of these forms, in the order of the process.

        Operators see it read-only over all stations (Hunan UST's desk, right pane);
        a graduate's page and the printed form show the same rows.  One query for
        the rows, whatever their number.

        :return: dict ``{form id: [row, ...]}``; a row is a dict with ``id``,
            ``step_id``, ``step``, ``stage``, ``station_id``, ``station``, ``state``,
            ``initial_state``, ``required``, ``is_open``, ``needs_review``, ``mode``,
            ``lifted`` (a deferral is in force), ``blocked_by`` (list of
            ``station: step``), ``user``, ``decided_at`` (UTC text), ``reason``, ``door``
        :raise AccessError: when the user may not read one of the forms
        """
        self.check_access("read")
        # sudo: the forms are readable (checked above) and a form's reader sees its whole
        # record, also the steps of other stations; names of stations, steps and people only.
        Status = self.sudo().env["clearance.status"]
        rows = Status._get_record_rows(self.ids)
        records = {}
        for row in rows:
            records.setdefault(row.pop("form_id"), []).append(row)
        return records

    # -- settling --------------------------------------------------------------

    def _settle_after_commit(self):
        """Settle these forms as soon as the present transaction is committed.

        Not within it: a row per form that every desk writes would make desks wait
        for each other.  Two desks giving the last two approvals in the same instant
        each settle after their own commit, so the later one sees both.
        """
        callbacks = self.env.cr.postcommit
        pending = callbacks.data.get("clearance.settle")
        if pending is not None:
            pending.update(self.ids)
            return
        pending = callbacks.data["clearance.settle"] = set(self.ids)
        registry = self.env.registry

        @callbacks.add
        def settle():
            ids = sorted(pending)
            pending.clear()
            callbacks.data.pop("clearance.settle", None)
            with registry.cursor() as cr:
                # superuser: settling only sums up what the gate has let through.
                env = api.Environment(cr, SUPERUSER_ID, {})
                retrying(env["clearance.form"].browse(ids)._settle, env)

    def _settle(self):
        """Remember what the statuses of these forms amount to: cleared, with a deferral, or open."""
        if self.ids:
            self._settle_where(SQL("form.id = ANY(%s)", self.ids))

    @api.model
    def _settle_where(self, which, lock=True):
        """Settle the forms of a condition.

        Idempotent.  The forms are locked first, even those that stay as they are: of
        two settlings that overlap the one with the older snapshot then either waits
        or fails to serialise, so the last one to finish has seen every decision.

        :param SQL which: a condition on ``form``
        :param bool lock: unset where nobody else can see the forms yet
        """
        self.env.flush_all()
        self.env.cr.execute(self._settle_sql(which, lock))
        self.invalidate_model(["state", "cleared_at"], flush=False)

    @api.model
    def _settle_sql(self, which, lock):
        """An ``UPDATE`` of the forms whose statuses amount to something else by now."""
        return SQL(
            """
            WITH form AS MATERIALIZED (
                SELECT form.id, form.state
                  FROM clearance_form form
                 WHERE %(which)s
                 ORDER BY form.id
                   %(lock)s
            ),
            verdict AS (
                SELECT form.id,
                       CASE WHEN form.state = 'withdrawn' THEN 'withdrawn'
                            WHEN count(status.id) = 0 THEN 'cleared'
                            WHEN bool_and(%(lifted)s) THEN 'deferred'
                            ELSE 'open' END AS state
                  FROM form
                  LEFT JOIN clearance_status status
                    ON status.form_id = form.id AND status.is_open IS TRUE
                       AND status.active IS TRUE
                 GROUP BY form.id, form.state
            )
            UPDATE clearance_form form
               SET state = verdict.state,
                   cleared_at = CASE WHEN verdict.state IN ('cleared', 'deferred')
                                     THEN COALESCE(form.cleared_at, now() AT TIME ZONE 'UTC')
                                END
              FROM verdict
             WHERE form.id = verdict.id AND form.state <> verdict.state
            """,
            which=which,
            lock=SQL("FOR NO KEY UPDATE") if lock else SQL(),
            lifted=self.env["clearance.override"]._in_force_sql(SQL("status.id")),
        )

    @api.model
    def _cron_settle(self):
        """Settle every form of the open sessions.

        Deferrals end by date, and a crash between a commit and its settling must not
        leave a form wrong for ever.
        """
        self.search([("session_id.state", "=", "open"), ("state", "!=", "withdrawn")])._settle()
