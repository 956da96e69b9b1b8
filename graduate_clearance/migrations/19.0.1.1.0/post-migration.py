"""Deferral officers read how deferrals ended and find them below their desk; of those long over nobody is told now."""

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

_BEFORE = "[('action', 'in', ('lift', 'restore'))]"
_AFTER = "[('action', 'in', ('lift', 'restore', 'expired'))]"


def migrate(cr, version):
    """From 19.0.1.0.0: what records that are not updated, and columns that are new, should hold."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    rule = env.ref("graduate_clearance.clearance_log_rule_deferral", raise_if_not_found=False)
    if rule and rule.domain_force == _BEFORE:
        rule.domain_force = _AFTER
    # A menu of its own now, with the desk and the list below it.
    env.ref("graduate_clearance.clearance_override_menu").action = False
    cr.execute(
        SQL(
            """
            UPDATE clearance_override
               SET told_at = COALESCE(restored_at, now() AT TIME ZONE 'UTC')
             WHERE date_end < current_date AND told_at IS NULL
            """
        )
    )
