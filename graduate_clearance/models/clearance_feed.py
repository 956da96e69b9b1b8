from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_amount


class ClearanceFeed(models.Model):
    """A source system (library, finance) that settles steps by itself.

    What it says is heard as a whole: for each graduate what is owed, as of when.  The
    desk and the graduate's page show the figures with their time, and warn when the
    system has been silent for longer than it promises (CUG Wuhan and Nanjing City tell
    their graduates how far the data may lag).
    """

    _name = "clearance.feed"
    _description = "Source System"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit = fields.Char(translate=True, help="What its quantities count, such as “books”.")
    every = fields.Integer(
        "Reports every (minutes)",
        default=60,
        help="How often it reports; graduates read it as “updated about every hour”. 0: not known.",
    )
    silent_after = fields.Integer(
        "Silent after (hours)",
        default=24,
        help="When it has not reported for so long, the pages say that its figures may be out of date.",
    )
    heard_at = fields.Datetime("Last report", readonly=True, copy=False)
    is_silent = fields.Boolean("Silent", compute="_compute_is_silent", search="_search_is_silent")
    step_ids = fields.One2many("clearance.step", "feed_id", "Steps")
    step_count = fields.Integer("Number of steps", compute="_compute_step_count")
    active = fields.Boolean(default=True)

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

    @api.model
    def _silent_sql(self, alias):
        """Whether the feed in table ``alias`` has been silent for longer than it promises."""
        return SQL(
            """(%(feed)s.heard_at IS NULL
                OR %(feed)s.heard_at < %(now)s - make_interval(hours => %(feed)s.silent_after))""",
            feed=SQL.identifier(alias),
            now=self.env.cr.now(),
        )

    # -- hearing -----------------------------------------------------------------

    def _hear(self, step, rows, as_of):
        """Take down what the system says of one of its steps, and settle or reopen accordingly.

        Whoever owes nothing is settled; whoever owes something again is reopened; the gate
        keeps what a person has decided otherwise.  Nothing changes when nothing has changed.

        :param step: the ``clearance.step`` that it speaks of
        :param list rows: dicts ``student_number``, and ``quantity``, ``amount``, ``note`` where known
        :param datetime as_of: the moment (UTC) the figures are from; older ones than those
            known are ignored
        :return: dict ``{student number: code}`` of the gate, ``unknown`` for those without the
            step, ``old`` where newer figures are known
        """
        self.ensure_one()
        # sudo: the source system speaks for itself; who may let it in is asked at its door.
        feed = self.sudo()
        statuses = feed.env["clearance.status"].search([("step_id", "=", step.id), ("state", "!=", "not_required")])
        by_number = {status.student_number: status for status in statuses}
        known = {row["student_number"]: row for row in rows if row["student_number"] in by_number}
        fresh = feed._write_figures({by_number[number].id: row for number, row in known.items()}, as_of)
        outcomes = {row["student_number"]: "unknown" for row in rows}
        outcomes.update({number: "old" for number in known if by_number[number].id not in fresh})
        fresh_rows = {number: row for number, row in known.items() if by_number[number].id in fresh}
        outcomes.update(feed._decide_figures(by_number, fresh_rows))
        feed.heard_at = max(filter(None, (feed.heard_at, as_of)))
        return outcomes

    def _decide_figures(self, by_number, rows):
        """Settle who owes nothing, reopen who owes something; answer the gate's codes by number."""
        outcomes = {}
        owing = {number: row for number, row in rows.items() if row.get("quantity") or row.get("amount")}
        groups = {("approve", None): [number for number in rows if number not in owing]}
        for number, row in owing.items():
            if by_number[number].state == "approved":
                text = row.get("note") or self._describe(row.get("quantity"), row.get("amount"))
                groups.setdefault(("reopen", text), []).append(number)
            else:
                outcomes[number] = "already"
        for (decision, reason), numbers in groups.items():
            statuses = by_number[numbers[0]].browse(by_number[number].id for number in numbers) if numbers else None
            if statuses:
                decided = statuses._decide(decision, "feed", reason)
                outcomes.update(zip(numbers, (outcome.code for outcome in decided), strict=True))
        return outcomes

    def _write_figures(self, rows, as_of):
        """Write figures where they are newer than what is known.

        :param dict rows: by status id
        :return: set of the ids of statuses whose figures are of ``as_of`` now
        """
        if not rows:
            return set()
        values = list(rows.values())
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO clearance_figure AS figure (status_id, quantity, amount, note, as_of)
                SELECT told.status_id, told.quantity, told.amount, told.note, %(as_of)s
                  FROM unnest(%(ids)s::int[], %(quantities)s::float8[], %(amounts)s::float8[], %(notes)s::text[])
                       AS told(status_id, quantity, amount, note)
                    ON CONFLICT (status_id) DO UPDATE
                   SET quantity = EXCLUDED.quantity, amount = EXCLUDED.amount, note = EXCLUDED.note,
                       as_of = EXCLUDED.as_of
                 WHERE figure.as_of <= EXCLUDED.as_of
                RETURNING status_id
                """,
                ids=list(rows),
                quantities=[row.get("quantity") for row in values],
                amounts=[row.get("amount") for row in values],
                notes=[row.get("note") or None for row in values],
                as_of=as_of,
            )
        )
        self.env["clearance.figure"].invalidate_model()
        return {row[0] for row in self.env.cr.fetchall()}

    # -- telling -----------------------------------------------------------------

    @api.model
    def _get_figures(self, status_ids):
        """What source systems say of these statuses, for screens; the caller has checked access.

        :return: dict ``{status id: {"text", "as_of" (UTC text), "silent" (bool), "feed" (name)}}`` of
            those that have a figure
        """
        # sudo: figures of statuses that the caller shows anyway.
        figures = self.env["clearance.figure"].sudo().search_fetch([("status_id", "in", list(status_ids))])
        found = {}
        for figure in figures:
            feed = figure.status_id.step_id.feed_id
            found[figure.status_id.id] = {
                "text": figure.note or feed._describe(figure.quantity, figure.amount),
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
        return ", ".join(parts) or self.env._("nothing owed")

    def action_open_steps(self):
        """Open the steps that this system settles."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_step_action")
        return {**action, "domain": [("feed_id", "=", self.id)], "context": {"default_feed_id": self.id}}
