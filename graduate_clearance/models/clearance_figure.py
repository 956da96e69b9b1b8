from odoo import fields, models


class ClearanceFigure(models.Model):
    """What a source system says that a graduate owes on a step: books out, an amount.

    Written by ``clearance.feed`` in one statement for all graduates; a table of its own,
    because only few steps have a figure, and a decision does not touch it.
    """

    _name = "clearance.figure"
    _description = "Figure of a Source System"
    _log_access = False
    _rec_name = "status_id"

    status_id = fields.Many2one("clearance.status", required=True, readonly=True, ondelete="cascade")
    quantity = fields.Float(readonly=True, help="How many of what the source system counts, such as books.")
    amount = fields.Float(readonly=True, help="How much money, in the currency of the campus.")
    note = fields.Char(readonly=True, help="Its own words, shown instead of quantity and amount.")
    as_of = fields.Datetime(readonly=True, help="When the source system knew this.")

    _status_uniq = models.Constraint("UNIQUE(status_id)", "A step of a graduate has one figure.")
