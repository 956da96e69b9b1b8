from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: how long runs are kept, and how long the rows that they list
_DAYS = 90
_LINE_DAYS = 14
#: rows listed in a run; the answer names all of them
_MOST_LINES = 2_000
#: outcomes with a counter of their own; all others are counted together
_COUNTED = ("done", "already", "kept", "old", "stale", "unknown", "bad")
#: rows that need somebody to look come first where not all are listed
_ORDER = ("bad", "missing", "kept", "stale", "old", "duplicate", "no_step", "unknown")


class ClearanceFeedRun(models.Model):
    """What a source system has said at one time, and what became of it.

    Written by ``clearance.feed._take_in``; nobody edits it.
    """

    _name = "clearance.feed.run"
    _description = "Run of a Source System"
    _log_access = False
    _order = "id desc"
    _rec_name = "feed_id"

    feed_id = fields.Many2one(
        "clearance.feed", "Source system", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="feed_id.company_id", string="Campus", store=True, index=True)
    kind = fields.Selection(
        [("push", "Sent by the system"), ("pull", "Fetched")], "How", required=True, readonly=True, default="push"
    )
    state = fields.Selection([("done", "Done"), ("failed", "Failed")], required=True, readonly=True, default="done")
    key = fields.Char(readonly=True, help="What the system has called this report, so that it counts once.")
    user_id = fields.Many2one("res.users", "As", readonly=True, ondelete="set null")
    started_at = fields.Datetime("Started", required=True, readonly=True, default=fields.Datetime.now)
    ended_at = fields.Datetime("Ended", readonly=True)
    duration = fields.Float("Seconds", readonly=True, aggregator="avg")
    as_of = fields.Datetime("Figures as of", readonly=True, help="The latest moment that its rows are from.")
    complete = fields.Boolean("Whole report", readonly=True, help="Whoever was not named owed nothing.")
    received = fields.Integer(readonly=True)
    done_count = fields.Integer("Changed", readonly=True)
    already_count = fields.Integer("Already so", readonly=True)
    kept_count = fields.Integer("Kept", readonly=True, help="A person has decided otherwise; both are shown.")
    old_count = fields.Integer("Older", readonly=True, help="Something newer was known already.")
    stale_count = fields.Integer(
        "Too old", readonly=True, help="Older than the system promises: shown, and nothing settled."
    )
    unknown_count = fields.Integer("Unknown", readonly=True, help="No graduate of the campus has this number.")
    bad_count = fields.Integer("Unreadable", readonly=True)
    other_count = fields.Integer(
        "Refused", readonly=True, help="Such as prerequisites that are not settled, or graduates without the step."
    )
    counts = fields.Json("All counts", readonly=True)
    error = fields.Char(readonly=True)
    line_ids = fields.One2many("clearance.feed.run.line", "run_id", "Rows that did not do what they said")
    line_count = fields.Integer("Rows to look at", readonly=True)

    _feed_key_idx = models.Index("(feed_id, key) WHERE key IS NOT NULL")
    _started_idx = models.Index("(started_at)")

    @api.depends("feed_id.name", "started_at")
    def _compute_display_name(self):
        for run in self:
            moment = fields.Datetime.context_timestamp(run, run.started_at) if run.started_at else None
            run.display_name = f"{run.feed_id.name} · {moment:%Y-%m-%d %H:%M:%S}" if moment else run.feed_id.name

    @api.model
    def _record(self, values, counts, rows):
        """Write down a run and the rows that did not do what they said.

        :param dict values: of the run
        :param dict counts: number of rows by outcome
        :param list rows: dicts ``row``, ``student_number``, ``outcome``, ``message``, those to list
        :return: the run
        """
        run = self.create(
            {
                **values,
                "counts": counts,
                "line_count": len(rows),
                "other_count": sum(count for code, count in counts.items() if code not in _COUNTED),
                **{f"{code}_count": counts.get(code, 0) for code in _COUNTED},
            }
        )
        run._insert_lines(rows)
        return run

    def _insert_lines(self, rows):
        """List rows, those first that somebody has to look at; raw SQL, because ``create`` takes 100 at a time."""
        if not rows:
            return
        order = {code: place for place, code in enumerate(_ORDER)}
        rows = sorted(rows, key=lambda row: (order.get(row["outcome"], 1), row["row"]))[:_MOST_LINES]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO clearance_feed_run_line (run_id, "row", student_number, outcome, message)
                SELECT %s, * FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[])
                """,
                self.id,
                *([row[field] for row in rows] for field in ("row", "student_number", "outcome", "message")),
            )
        )
        self.invalidate_recordset(["line_ids"])

    @api.autovacuum
    def _gc_runs(self):
        """Drop old runs, and the rows of those that are not new."""
        now = fields.Datetime.now()
        self.search([("started_at", "<", now - timedelta(days=_DAYS))]).unlink()
        self.env["clearance.feed.run.line"].search(
            [("run_id.started_at", "<", now - timedelta(days=_LINE_DAYS))]
        ).unlink()
