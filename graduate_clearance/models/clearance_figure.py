from odoo import api, fields, models
from odoo.tools import SQL


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

    @api.model
    def _record(self, told):
        """Write figures where they are not older than what is known.

        One statement for all of them, in the order of their statuses, so that two reports that
        name the same graduates wait for each other instead of locking each other out.

        :param dict told: by status id, anything with ``quantity``, ``amount``, ``note`` and
            ``as_of`` (UTC); see ``FeedRow``
        :return: set of the ids of statuses whose figures are what was told now
        """
        if not told:
            return set()
        ids = sorted(told)
        rows = [told[status_id] for status_id in ids]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO clearance_figure AS figure (status_id, quantity, amount, note, as_of)
                SELECT * FROM unnest(%s::int[], %s::float8[], %s::float8[], %s::text[], %s::timestamp[])
                    ON CONFLICT (status_id) DO UPDATE
                   SET quantity = EXCLUDED.quantity, amount = EXCLUDED.amount, note = EXCLUDED.note,
                       as_of = EXCLUDED.as_of
                 WHERE figure.as_of IS NULL OR figure.as_of <= EXCLUDED.as_of
                RETURNING status_id
                """,
                ids,
                [row.quantity for row in rows],
                [row.amount for row in rows],
                [row.note or None for row in rows],
                [row.as_of for row in rows],
            )
        )
        self.invalidate_model(flush=False)
        return {row[0] for row in self.env.cr.fetchall()}
