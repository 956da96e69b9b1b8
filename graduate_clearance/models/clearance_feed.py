from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount

from ..texts import join_parts


class ClearanceFeed(models.Model):
    """A source system (library, finance) that settles steps by itself.

    What it says is heard as a whole: for each graduate what is owed, as of when.  The
    desk and the graduate's page show the figures with their time, and warn when the
    system has been silent for longer than it promises (CUG Wuhan and Nanjing City tell
    their graduates how far the data may lag).
    """

    _name = "clearance.feed"
    _description = "Source System"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit = fields.Char(translate=True, help="What its quantities count, such as “books”.")
    every = fields.Integer(
        "Reports every (minutes)",
        default=60,
        tracking=True,
        help="How often it reports; graduates read it as “updated about every hour”. 0: not known.",
    )
    silent_after = fields.Integer(
        "Silent after (hours)",
        default=24,
        tracking=True,
        help="When it has not reported for so long, the pages say that its figures may be out of date, and nothing "
        "is settled by older ones.",
    )
    heard_at = fields.Datetime("Last report", readonly=True, copy=False)
    is_silent = fields.Boolean("Silent", compute="_compute_is_silent", search="_search_is_silent")
    step_ids = fields.One2many("clearance.step", "feed_id", "Steps")
    step_count = fields.Integer("Number of steps", compute="_compute_step_count")
    run_ids = fields.One2many("clearance.feed.run", "feed_id", "Runs", groups="graduate_clearance.group_auditor")
    run_count = fields.Integer(
        "Number of runs", compute="_compute_run_count", groups="graduate_clearance.group_auditor"
    )
    active = fields.Boolean(default=True, tracking=True)

    _every_positive = models.Constraint("CHECK(every >= 0)", "A source system reports every 0 minutes or more.")
    _silent_after_positive = models.Constraint(
        "CHECK(silent_after > 0)", "A source system is silent after one hour or more."
    )

    @api.depends("heard_at", "silent_after")
    def _compute_is_silent(self):
        for feed in self:
            limit = fields.Datetime.now() - timedelta(hours=feed.silent_after)
            feed.is_silent = not feed.heard_at or feed.heard_at < limit

    def _search_is_silent(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain.custom(
            to_sql=lambda model, alias, query: self._silent_sql(alias), predicate=lambda feed: feed.is_silent
        )
        return domain if True in value else ~domain

    @api.depends("step_ids")
    def _compute_step_count(self):
        for feed in self:
            feed.step_count = len(feed.step_ids)

    @api.depends("run_ids")
    def _compute_run_count(self):
        counts = dict(
            self.env["clearance.feed.run"]._read_group([("feed_id", "in", self.ids)], ["feed_id"], ["__count"])
        )
        for feed in self:
            feed.run_count = counts.get(feed, 0)

    @api.model
    def _silent_sql(self, alias):
        """Whether the feed in table ``alias`` has been silent for longer than it promises."""
        return SQL(
            """(%(feed)s.heard_at IS NULL
                OR %(feed)s.heard_at < %(now)s - make_interval(hours => %(feed)s.silent_after))""",
            feed=SQL.identifier(alias),
            now=self.env.cr.now(),
        )

    # -- telling -----------------------------------------------------------------

    @api.model
    def _get_figures(self, status_ids):
        """What source systems say of these statuses, for screens; the caller has checked access.

        :return: dict ``{status id: {"text", "owed" (bool), "as_of" (UTC text), "silent" (bool), "feed"
            (name)}}`` of those that have a figure
        """
        # sudo: figures of statuses that the caller shows anyway.
        figures = self.env["clearance.figure"].sudo().search_fetch([("status_id", "in", list(status_ids))])
        found = {}
        for figure in figures:
            feed = figure.status_id.step_id.feed_id
            found[figure.status_id.id] = {
                "text": figure.note or feed._describe(figure.quantity, figure.amount),
                "owed": bool(figure.quantity or figure.amount),
                "as_of": fields.Datetime.to_string(figure.as_of) or "",
                "silent": bool(feed) and feed.is_silent,
                "feed": feed.name or "",
            }
        return found

    def _describe(self, quantity, amount):
        """What is owed in words: “2 books, ¥35.00”; “nothing owed” where it is nothing."""
        parts = []
        if quantity:
            parts.append(f"{quantity:g} {self.unit or ''}".strip())
        if amount:
            parts.append(format_amount(self.env, amount, self.currency_id or self.env.company.currency_id))
        return join_parts(self.env, parts) or self.env._("nothing owed")

    def action_open_steps(self):
        """Open the steps that this system settles."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_step_action")
        return {**action, "domain": [("feed_id", "=", self.id)], "context": {"default_feed_id": self.id}}

    def action_open_runs(self):
        """Open what this system has said, and what became of it."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_feed_run_action")
        return {**action, "domain": [("feed_id", "=", self.id)], "context": {}}
