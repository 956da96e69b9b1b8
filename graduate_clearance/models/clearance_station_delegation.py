from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import SQL


class ClearanceStation(models.Model):
    """A college's desks in the hands of its lead, and stations without anybody (Sun Yat-sen).

    A lead names and removes the operators of the desks that serve the lead's colleges and no
    other, and says where and when they are open.  Everything else about a station is the
    managers'; a record rule keeps leads to their own desks, and access to fields to the few
    that are theirs, whatever way a value comes in.
    """

    _inherit = "clearance.station"

    #: what the lead of a college may set at the college's desks
    _LEAD_FIELDS = frozenset(
        ("operator_ids", "substitute_ids", "place", "map_url", "opening_hours", "contact", "phone", "instructions")
    )

    is_delegated = fields.Boolean(
        "Desk of my colleges",
        compute="_compute_is_delegated",
        search="_search_is_delegated",
        help="Takes graduates of colleges that the user leads, and of no other.",
    )
    is_locked = fields.Boolean("Kept by somebody else", compute="_compute_is_locked")
    is_unstaffed = fields.Boolean(
        "Without anybody",
        compute="_compute_is_unstaffed",
        search="_search_is_unstaffed",
        help="Work falls on this station in a session that is open or being prepared, and nobody is there to do it.",
    )

    @api.depends("college_ids.lead_ids")
    @api.depends_context("uid")
    def _compute_is_delegated(self):
        own = self.with_context(active_test=False).search(Domain("id", "in", self.ids) & self._get_lead_domain())
        for station in self:
            station.is_delegated = station._origin in own

    def _search_is_delegated(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = self._get_lead_domain()
        return domain if True in value else ~domain

    @api.depends("is_delegated")
    @api.depends_context("uid")
    def _compute_is_locked(self):
        keeps_all = self._keeps_all_stations()
        for station in self:
            station.is_locked = not (keeps_all or station.is_delegated)

    @api.depends("operator_ids", "active")
    def _compute_is_unstaffed(self):
        domain = Domain("id", "in", self.ids) & Domain("is_unstaffed", "=", True)
        found = self.with_context(active_test=False).search(domain)
        for station in self:
            station.is_unstaffed = station._origin in found

    def _search_is_unstaffed(self, operator, value):
        if operator != "in":
            return NotImplemented
        for model, fnames in (
            ("clearance.station", ["active", "parent_id", "parent_path", "operator_ids"]),
            ("clearance.step", ["active", "mode", "session_id", "station_id"]),
            ("clearance.session", ["active", "state"]),
            ("res.users", ["active"]),
        ):
            self.env[model].flush_model(fnames)
        domain = Domain.custom(to_sql=lambda model, alias, query: self._unstaffed_sql(SQL.identifier(alias)))
        return domain if True in value else ~domain

    # -- access ----------------------------------------------------------------

    @api.model
    def _keeps_all_stations(self):
        """Managers keep every station; others at most the desks that a rule leaves to them."""
        return self.env.su or self.env.user.has_group("graduate_clearance.group_manager")

    @api.model
    def _get_lead_domain(self):
        """Desks whose scope is colleges that the user leads, and no other; as the record rule says it."""
        leads = Domain("lead_ids", "in", self.env.uid)
        return Domain("college_ids", "any", leads) & Domain("college_ids", "not any", ~leads)

    @api.model
    def _has_field_access(self, field, operation):
        allowed = super()._has_field_access(field, operation)
        if not allowed or operation == "read" or field.name in self._LEAD_FIELDS:
            return allowed
        return self._keeps_all_stations()

    @api.model
    def _check_field_access(self, field, operation):
        if operation == "write" and not field.groups and not self._has_field_access(field, operation):
            raise AccessError(
                self.env._(
                    "“%(field)s” of a station is set by managers. Leads of a college set who works at its desks, "
                    "where and when they are open, and what graduates read there.",
                    field=field._description_string(self.env),
                )
            )
        return super()._check_field_access(field, operation)

    def _check_own_desks(self):
        """Tell a lead which of these stations is not one of the college's desks.

        The record rule refuses them anyway, without saying why.

        :raise AccessError: naming the first station that the user may see but not keep
        """
        if self._keeps_all_stations() or not self.env.user.has_group("graduate_clearance.group_college_lead"):
            return
        foreign = (self - self._filtered_access("write"))._filtered_access("read")
        if foreign:
            raise AccessError(
                self.env._(
                    "“%(station)s” is not a desk of your colleges alone: managers set its operators and notices.",
                    station=foreign[0].with_context(clearance_full_name=True).display_name,
                )
            )

    # -- operators -------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
            self._check_named(vals.get("name"), company, self._read_named(vals.get("operator_ids")))
        return super().create(vals_list)

    def write(self, vals):
        self._check_own_desks()
        if "operator_ids" not in vals:
            return super().write(vals)
        for station in self:
            named = station._read_named(vals["operator_ids"]) - station.operator_ids
            self._check_named(station.name, station.company_id, named)
        result = super().write(vals)
        self._end_removed_substitutions()
        return result

    def _read_named(self, value):
        """The operators that this station would have with ``value`` of ``operator_ids``.

        :param value: commands, ids or users, as :meth:`write` takes them
        """
        unread = (Command.CREATE, Command.UPDATE, Command.DELETE)
        if isinstance(value, list | tuple):
            value = [item for item in value if not (isinstance(item, list | tuple) and item[0] in unread)]
        ids = self._fields["operator_ids"].convert_to_cache(value, self, validate=False)
        return self.env["res.users"].browse(ids)

    @api.model
    def _check_named(self, station_name, company, users):
        """Raise unless these people can be operators on the campus ``company``.

        Being named gives the role of an operator: that is for staff of the campus.

        :raise ValidationError: naming the first who is not
        """
        # sudo: only whether they belong to the staff of this campus.
        for user in users.sudo():
            if user.share:
                raise ValidationError(
                    self.env._(
                        "%(user)s is no member of staff and cannot work at station “%(station)s”.",
                        user=user.name,
                        station=station_name,
                    )
                )
            if company not in user.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not belong to campus %(campus)s and cannot work at station “%(station)s”.",
                        user=user.name,
                        campus=company.sudo().name,
                        station=station_name,
                    )
                )

    def _end_removed_substitutions(self):
        """Whoever is taken out by hand stands in no longer."""
        # sudo: bookkeeping of what has just been decided about the operators of these stations.
        running = self.env["clearance.substitute"].sudo()._search_running(self)
        running.filtered(
            lambda substitution: (
                substitution.user_id not in substitution.with_context(active_test=False).station_id.operator_ids
            )
        )._record(ended_at=fields.Datetime.now(), is_granted=False)

    # -- stations without anybody ------------------------------------------------

    def _unstaffed_sql(self, station):
        """A condition: work falls on the station, and nobody is there to do it.

        Work falls on a station where a step that stations decide names it, or one above it
        (which routes to it), in a session that is open or being prepared.  A station with
        desks below counts as staffed through these, unless graduates were routed to itself.
        Raw SQL, because stations, their operators and the steps above them meet in one query.

        :param SQL station: alias of the station's table
        """
        return SQL(
            """
            (%(station)s.active IS TRUE
             AND NOT EXISTS (%(operator)s)
             AND (EXISTS (
                    SELECT 1
                      FROM clearance_status status
                      JOIN clearance_step step ON step.id = status.step_id AND step.mode = 'station'
                      JOIN clearance_session session ON session.id = status.session_id AND session.state = 'open'
                     WHERE status.station_id = %(station)s.id
                       AND status.is_open IS TRUE AND status.active IS TRUE AND session.active IS TRUE)
                  OR EXISTS (
                    SELECT 1
                      FROM clearance_step step
                      JOIN clearance_session session ON session.id = step.session_id
                      JOIN clearance_station root ON root.id = step.station_id
                     WHERE step.active IS TRUE AND step.mode = 'station'
                       AND session.active IS TRUE AND session.state IN ('draft', 'open')
                       AND %(station)s.parent_path LIKE root.parent_path || '%%'
                       AND NOT EXISTS (
                            SELECT 1 FROM clearance_station shut
                             WHERE shut.active IS NOT TRUE
                               AND shut.parent_path LIKE root.parent_path || '_%%'
                               AND %(station)s.parent_path LIKE shut.parent_path || '%%'))
                 AND NOT EXISTS (
                    SELECT 1 FROM clearance_station desk
                     WHERE desk.active IS TRUE
                       AND desk.parent_path LIKE %(station)s.parent_path || '_%%'
                       AND EXISTS (%(desk_operator)s))))
            """,
            station=station,
            operator=self._operator_sql(SQL("%s.id", station)),
            desk_operator=self._operator_sql(SQL("desk.id")),
        )

    def _operator_sql(self, station_id):
        """Active operators of a station.

        :param SQL station_id: expression of the station's id
        """
        field = self._fields["operator_ids"]
        return SQL(
            "SELECT 1 FROM %s operator JOIN res_users person ON person.id = %s AND person.active IS TRUE WHERE %s = %s",
            SQL.identifier(field.relation),
            SQL.identifier("operator", field.column2),
            SQL.identifier("operator", field.column1),
            station_id,
        )
