from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import format_date

#: substitutions begun or ended in one transaction of the scheduled action
_BATCH = 100


class ClearanceSubstitute(models.Model):
    """Somebody who stands in at a station until a day.

    From the first day to the last, as the clock of the campus says, the substitute is one of
    the station's operators, with all that goes with it; a scheduled action puts them in and
    takes them out.  Whoever was an operator before stays one, and so does whoever stands in
    there by another substitution.  Managers name substitutes everywhere, leads of a college
    at its desks.
    """

    _name = "clearance.substitute"
    _description = "Substitute at a Station"
    _order = "date_until desc, id desc"
    _check_company_auto = True

    #: kept by the record itself
    _KEPT_FIELDS = frozenset(("started_at", "ended_at", "is_granted"))
    #: a change of one of these begins the substitution anew
    _TERMS = frozenset(("station_id", "user_id", "date_from", "date_until"))

    station_id = fields.Many2one(
        "clearance.station",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        domain=lambda self: self._get_station_domain(),
    )
    company_id = fields.Many2one(related="station_id.company_id", store=True, index=True)
    user_id = fields.Many2one(
        "res.users",
        "Substitute",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    date_from = fields.Date("From", required=True, default=fields.Date.context_today)
    date_until = fields.Date("Until", required=True, help="The last day.")
    state = fields.Selection(
        [("planned", "Planned"), ("running", "Running"), ("ended", "Ended")],
        compute="_compute_state",
        store=True,
        index=True,
    )
    started_at = fields.Datetime(readonly=True, copy=False)
    ended_at = fields.Datetime(readonly=True, copy=False)
    is_granted = fields.Boolean(
        "Operator through this",
        readonly=True,
        copy=False,
        help="Was no operator of the station before, and will be none after the last day.",
    )
    is_locked = fields.Boolean("Kept by somebody else", compute="_compute_is_locked")

    @api.model
    def _get_station_domain(self):
        """Stations to choose from: leads name substitutes at their colleges' desks."""
        return [] if self.env["clearance.station"]._keeps_all_stations() else [("is_delegated", "=", True)]

    @api.depends("started_at", "ended_at")
    def _compute_state(self):
        for substitution in self:
            if substitution.ended_at:
                substitution.state = "ended"
            else:
                substitution.state = "running" if substitution.started_at else "planned"

    @api.depends("station_id")
    @api.depends_context("uid")
    def _compute_is_locked(self):
        for substitution in self:
            substitution.is_locked = bool(substitution.station_id) and substitution.station_id.is_locked

    @api.depends("user_id", "station_id", "date_until")
    def _compute_display_name(self):
        for substitution in self:
            substitution.display_name = self.env._(
                "%(user)s at %(station)s until %(day)s",
                user=substitution.user_id.name,
                station=substitution.station_id.name,
                day=format_date(self.env, substitution.date_until),
            )

    @api.constrains("date_from", "date_until")
    def _check_period(self):
        for substitution in self:
            if substitution.date_until < substitution.date_from:
                raise ValidationError(
                    self.env._(
                        "%(user)s at “%(station)s”: the last day, %(until)s, comes before the first, %(start)s.",
                        user=substitution.user_id.name,
                        station=substitution.station_id.name,
                        until=format_date(self.env, substitution.date_until),
                        start=format_date(self.env, substitution.date_from),
                    )
                )

    @api.constrains("user_id", "station_id")
    def _check_user(self):
        for substitution in self:
            station, user = substitution.station_id, substitution.user_id
            self.env["clearance.station"]._check_named(station.name, station.company_id, user)
            if not user.active:
                raise ValidationError(
                    self.env._(
                        "%(user)s is archived and cannot stand in at “%(station)s”.",
                        user=user.name,
                        station=station.name,
                    )
                )
            if user in station.operator_ids and not substitution._get_siblings():
                raise ValidationError(
                    self.env._(
                        "%(user)s is an operator of “%(station)s” already: no substitution is needed.",
                        user=user.name,
                        station=station.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_kept_untouched(vals)
        self._check_stations([vals.get("station_id") for vals in vals_list])
        substitutions = super().create(vals_list)
        for substitution in substitutions:
            if substitution.date_until < substitution._get_today():
                raise ValidationError(
                    self.env._(
                        "%(user)s at “%(station)s”: the last day, %(until)s, is over.",
                        user=substitution.user_id.name,
                        station=substitution.station_id.name,
                        until=format_date(self.env, substitution.date_until),
                    )
                )
        substitutions._apply()
        substitutions._schedule()
        return substitutions

    def write(self, vals):
        self._check_kept_untouched(vals)
        self._check_stations([*self.station_id.ids, vals.get("station_id")])
        if not vals.keys() & self._TERMS:
            return super().write(vals)
        self.check_access("write")
        self._withdraw()
        result = super().write(vals)
        self._record(started_at=False, ended_at=False)
        self._apply()
        self._schedule()
        return result

    def unlink(self):
        self.check_access("unlink")
        self._withdraw()
        return super().unlink()

    def _check_stations(self, station_ids):
        """Say which station is not the user's to name substitutes at; see ``_check_own_desks``."""
        self.env["clearance.station"].browse(filter(None, station_ids))._check_own_desks()

    @api.model
    def _check_kept_untouched(self, vals):
        if not self.env.su and (touched := self._KEPT_FIELDS & {key for key, value in vals.items() if value}):
            raise AccessError(
                self.env._(
                    "“%(field)s” of a substitution is kept by the system.",
                    field=self._fields[sorted(touched)[0]]._description_string(self.env),
                )
            )

    def _record(self, **vals):
        """Write what the record keeps about itself, past :meth:`write`."""
        # sudo: bookkeeping; callers have checked who may name substitutes here.
        return super(ClearanceSubstitute, self.sudo()).write(vals)  # pylint: disable=super-method-mismatch

    # -- beginning and ending ------------------------------------------------------

    def action_end(self):
        """End running substitutions now, and call off planned ones."""
        self._check_stations(self.station_id.ids)
        self.check_access("write")
        self._end()

    def action_keep(self):
        """Let a substitute stay as one of the station's own operators."""
        self._check_stations(self.station_id.ids)
        self.check_access("write")
        for substitution in self:
            if substitution.state != "running":
                raise UserError(
                    self.env._(
                        "%(user)s does not stand in at “%(station)s” now.",
                        user=substitution.user_id.name,
                        station=substitution.station_id.name,
                    )
                )
            (substitution | substitution._get_siblings())._record(is_granted=False)
        self._record(ended_at=fields.Datetime.now())

    def _apply(self):
        """Begin and end what is due today, as the clock of the campus says; idempotent."""
        for substitution in self.filtered(lambda record: not record.ended_at):
            today = substitution._get_today()
            if substitution.date_until < today:
                substitution._end()
            elif not substitution.started_at and substitution.date_from <= today:
                substitution._begin()

    def _begin(self):
        """Make the substitute an operator of the station, who cannot be is left waiting."""
        self.ensure_one()
        user, station = self.user_id, self.station_id
        if not user.active or user.share or station.company_id not in user.sudo().company_ids:
            return  # has left since: begins when the person is back
        was_operator = user in station.operator_ids
        self._record(started_at=fields.Datetime.now(), is_granted=not was_operator or bool(self._get_siblings()))
        if not was_operator:
            station.operator_ids = [Command.link(user.id)]

    def _end(self):
        """End these for good."""
        ending = self.filtered(lambda record: not record.ended_at)
        ending._withdraw()
        ending._record(ended_at=fields.Datetime.now())

    def _withdraw(self):
        """Take out the substitutes who are operators through these and nothing else."""
        for substitution in self.filtered("is_granted"):
            substitution._record(is_granted=False)
            if not substitution._get_siblings():
                # Somebody archived is taken out too, and would otherwise be back with the account.
                station = substitution.station_id.with_context(active_test=False)
                station.operator_ids = [Command.unlink(substitution.user_id.id)]

    def _get_siblings(self):
        """Other running substitutions through which the same person is operator there."""
        self.ensure_one()
        return self._search_running(self.station_id).filtered(
            lambda other: other != self and other.user_id == self.user_id
        )

    @api.model
    def _search_running(self, stations):
        """Running substitutions at these stations whose substitutes were no operators before."""
        return self.search([("station_id", "in", stations.ids), ("is_granted", "=", True), ("started_at", "!=", False)])

    @api.model
    def _get_last_days(self):
        """Until when the user stands in where: ``{station id: last day, as the user writes dates}``."""
        mine = self.search([("user_id", "=", self.env.uid), ("is_granted", "=", True)], order="date_until")
        return {record.station_id.id: format_date(self.env, record.date_until) for record in mine}

    # -- the clock -----------------------------------------------------------------

    def _get_zone(self):
        # sudo: the time zone of the own campus.
        return pytz.timezone(self.company_id.sudo().partner_id.tz or self.env.user.tz or "UTC")

    def _get_today(self):
        """Today on the clock of the campus."""
        self.ensure_one()
        return pytz.utc.localize(fields.Datetime.now()).astimezone(self._get_zone()).date()

    def _get_midnight(self, day):
        """When a day begins on the campus, in UTC without zone, as Odoo keeps moments."""
        local = self._get_zone().localize(datetime.combine(day, time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    def _schedule(self):
        """Have the scheduled action run when these begin and when they are over."""
        now = fields.Datetime.now()
        moments = {
            moment
            for substitution in self.filtered(lambda record: not record.ended_at)
            for moment in (
                substitution._get_midnight(substitution.date_from),
                substitution._get_midnight(substitution.date_until + timedelta(days=1)),
            )
            if moment > now
        }
        if moments:
            # sudo: when the action runs; what it does follows from these records alone.
            self.env.ref("graduate_clearance.ir_cron_substitutes").sudo()._trigger(at=sorted(moments))

    @api.model
    def _cron_apply(self):
        """Begin and end substitutions that are due.  It may be run as often as one likes."""
        # No campus is more than a day ahead of UTC.
        tomorrow = fields.Date.today() + timedelta(days=1)
        domain = Domain("ended_at", "=", False) & (
            Domain("date_until", "<", tomorrow) | Domain("started_at", "=", False) & Domain("date_from", "<=", tomorrow)
        )
        due = self.search(domain, order="id")
        remaining = len(due)
        for start in range(0, len(due), _BATCH):
            batch = due[start : start + _BATCH].exists()
            batch._apply()
            remaining = max(remaining - _BATCH, 0)
            if not self.env["ir.cron"]._commit_progress(len(batch), remaining=remaining):
                return
