"""How many graduates a desk takes at once, and by what."""

from odoo import api, models, tools
from odoo.tools import SQL, format_list


class ClearanceStation(models.Model):
    _inherit = "clearance.station"

    #: ways to name many graduates at once; ``bulk_<scope>`` says whether a station takes them
    _BULK_SCOPES = ("class", "room", "college", "list")

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        if any(f"bulk_{scope}" in vals for scope in self._BULK_SCOPES):
            self.env.registry.clear_cache()
        return super().write(vals)

    @api.model
    @tools.ormcache()
    def _get_strict_ids(self):
        """Ids of stations that do not take many graduates in every way.

        Kept, so that where there is none, a decision costs nothing more.
        """
        # sudo: ids only; the gate holds for everybody.
        strict = (
            self.sudo()
            .with_context(active_test=False)
            .search(["|", "|", "|", *((f"bulk_{scope}", "=", False) for scope in self._BULK_SCOPES)])
        )
        return tuple(strict.ids)

    @api.model
    def _refusing_sql(self, status_ids):
        """Select the ids of stations that do not take these statuses in one call.

        Who ticks graduates on a screen or names them to the interface says neither class nor room: what
        these graduates have in common counts.  One class at once goes where the station takes
        classes, any graduates at all where it takes lists.  Several steps of one graduate are not many.
        """
        return SQL(
            """
            SELECT station.id
              FROM clearance_status status
              JOIN clearance_station station ON station.id = status.station_id
             WHERE status.id = ANY(%s) AND station.id = ANY(%s)
             GROUP BY station.id
            HAVING min(status.form_id) <> max(status.form_id)
               AND NOT (station.bulk_list
                        OR station.bulk_class AND %s
                        OR station.bulk_room AND %s
                        OR station.bulk_college AND %s)
            """,
            list(status_ids),
            list(self._get_strict_ids()),
            *(
                SQL(
                    "min(%(column)s) = max(%(column)s) AND count(%(column)s) = count(*)",
                    column=SQL.identifier("status", f"{scope}_id"),
                )
                for scope in ("class", "room", "college")
            ),
        )

    def _get_bulk_names(self, scopes):
        """Ways to name many graduates, in words.

        :param scopes: of :attr:`_BULK_SCOPES`
        """
        names = {
            "class": self.env._("by class"),
            "room": self.env._("by room"),
            "college": self.env._("by college"),
            "list": self.env._("by list or search"),
        }
        return [names[scope] for scope in self._BULK_SCOPES if scope in scopes]

    def _explain_strict(self):
        """Why many graduates at once are refused at this station, and what it takes."""
        self.ensure_one()
        allowed = self._get_bulk_names([scope for scope in self._BULK_SCOPES if self[f"bulk_{scope}"]])
        if not allowed:
            return self.env._("%(station)s takes one graduate at a time.", station=self.name)
        return self.env._(
            "%(station)s takes many graduates at once only %(scopes)s.",
            station=self.name,
            scopes=format_list(self.env, allowed, style="or"),
        )

    def _explain_scopes(self, scopes):
        """Why a batch that names graduates in these ways is refused at this station; empty when it is not."""
        self.ensure_one()
        refused = self._get_bulk_names([scope for scope in scopes if not self[f"bulk_{scope}"]])
        if not refused:
            return ""
        return self.env._(
            "%(station)s takes no batches %(scopes)s.",
            station=self.name,
            scopes=format_list(self.env, refused, style="or"),
        )
