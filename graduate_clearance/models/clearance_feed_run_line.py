from odoo import fields, models

#: what can become of a row; those of the gate, and those that never reach it
OUTCOMES = [
    ("done", "Changed"),
    ("already", "Already so"),
    ("kept", "Kept as people decided"),
    ("old", "Older than what is known"),
    ("stale", "Too old to settle anything"),
    ("duplicate", "Named again in the same report"),
    ("unknown", "No such graduate"),
    ("no_step", "Graduate without this step"),
    ("bad", "Unreadable"),
    ("missing", "Prerequisites not settled"),
    ("withdrawn", "Taken out of the session"),
    ("session_closed", "Session not open"),
    ("not_allowed", "Not possible from the present state"),
]


class ClearanceFeedRunLine(models.Model):
    """One row of a run that did not do what it said."""

    _name = "clearance.feed.run.line"
    _description = "Row of a Source System"
    _log_access = False
    _order = "id"
    _rec_name = "student_number"

    run_id = fields.Many2one("clearance.feed.run", required=True, readonly=True, index=True, ondelete="cascade")
    row = fields.Integer(readonly=True, aggregator=None, help="Its place in the report, from 1; 0: not named in it.")
    student_number = fields.Char(readonly=True)
    outcome = fields.Selection(OUTCOMES, readonly=True)
    message = fields.Char("What happened", readonly=True)
