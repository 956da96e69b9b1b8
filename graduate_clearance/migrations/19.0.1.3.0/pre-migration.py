"""Closed sessions remember since when: before anything else writes on them."""

from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column


def migrate(cr, version):
    """From 19.0.1.2.0: nobody could change a closed session, so its last change was its closing."""
    if column_exists(cr, "clearance_session", "closed_at"):
        return
    create_column(cr, "clearance_session", "closed_at", "timestamp")
    cr.execute(SQL("UPDATE clearance_session SET closed_at = write_date WHERE state = 'closed'"))
