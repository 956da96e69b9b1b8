"""Sessions that are running already begin no daily mail by themselves: a manager switches it on."""

from odoo.tools import SQL


def migrate(cr, version):
    """From 19.0.1.1.0: what new columns should hold on records that exist."""
    cr.execute(SQL("UPDATE clearance_session SET digest = FALSE"))
