"""Help texts move to the settings of the campus; retired steps block no longer."""

from odoo.tools import SQL
from odoo.tools.sql import column_exists


def migrate(cr, version):
    """From 19.0.1.2.0; the settings of every campus were made while data was loaded."""
    _move_help(cr)
    _free_from_retired(cr)


def _move_help(cr):
    """What campuses tell their graduates stands in their settings now."""
    if not column_exists(cr, "res_company", "clearance_help"):
        return
    cr.execute(
        SQL(
            """
            UPDATE clearance_settings settings
               SET help = campus.clearance_help
              FROM res_company campus
             WHERE campus.id = settings.company_id AND campus.clearance_help IS NOT NULL AND settings.help IS NULL
            """
        )
    )


def _free_from_retired(cr):
    """A step that was retired went on blocking where a person had rejected it."""
    cr.execute(
        SQL(
            """
            DELETE FROM clearance_step_blocking_rel blocking
                  USING clearance_step step
                  WHERE step.id = blocking.prerequisite_id AND step.active IS NOT TRUE
            """
        )
    )
