import ast

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain


class ClearanceStep(models.Model):
    """Steps that a college adds for its own graduates (Sun Yat-sen).

    Where a session allows it, the lead of a college adds, changes and retires steps for the
    college's own graduates, settled at the college's own desks.  Such a step concerns nobody
    else, whatever its filter says: graduates of other colleges do not even have a line for
    it.  It may wait for any step of the session; none of the others waits for it, unless one
    waits for everything at its station.
    """

    _inherit = "clearance.step"

    #: what the lead of a college may set at the college's steps; the rest is the managers'
    _LEAD_FIELDS = frozenset(
        (
            "name",
            "sequence",
            "stage",
            "session_id",
            "college_id",
            "station_id",
            "mode",
            "required",
            "initial_state",
            "student_domain",
            "prerequisite_ids",
            "prerequisite_station_ids",
            "open_from",
            "deadline",
            "to_be_announced",
            "office_acts",
            "deferral_months",
            "continues_id",
            "responsible",
            "place",
            "map_url",
            "opening_hours",
            "contact",
            "phone",
            "instructions",
            "handout",
            "requirement_ids",
            "active",
        )
    )

    is_waiting = fields.Boolean(
        "Not in force yet",
        compute="_compute_is_waiting",
        help="New, or changed since the forms of the open session were made.",
    )
    is_locked = fields.Boolean("Kept by somebody else", compute="_compute_is_locked")

    @api.depends("changed_at", "session_id.applied_at", "session_id.state")
    def _compute_is_waiting(self):
        for step in self:
            # sudo: the state of a session of the own campus; leads do not see every draft.
            session = step.session_id.sudo()
            applied = session.applied_at if session.state == "open" else False
            step.is_waiting = bool(applied and step.changed_at and step.changed_at > applied)

    @api.depends("session_id.state", "session_id.college_steps", "college_id")
    @api.depends_context("uid")
    def _compute_is_locked(self):
        """Nobody changes what is in a closed session; leads only what their college has added."""
        keeps_all = self._keeps_all_steps()
        for step in self:
            closed = step.session_state == "closed"
            step.is_locked = bool(step._origin) and (closed or not (keeps_all or step._origin._is_own()))

    @api.constrains("college_id", "station_id")
    def _check_college_desk(self):
        """A college's step is settled at a desk that takes graduates of this college alone."""
        for step in self.filtered("college_id"):
            # sudo: the scope of a station of the own campus.
            if step.station_id.sudo().college_ids != step.college_id:
                raise ValidationError(
                    self.env._(
                        "“%(step)s” is a step of %(college)s: it needs a desk of this college alone, "
                        "which “%(station)s” is not.",
                        step=step.name,
                        college=step.college_id.name,
                        station=step.station_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self._keeps_all_steps() and self.has_access("create"):
            vals_list = [self._prepare_own_values(vals) for vals in vals_list]
            for vals in vals_list:
                self._check_own_values(vals)
        return super().create(vals_list)

    def write(self, vals):
        if not self._keeps_all_steps() and self.browse().has_access("write"):
            self._check_own()
            for step in self:
                step._check_own_values(vals)
        return super().write(vals)

    def unlink(self):
        if not self._keeps_all_steps() and self.browse().has_access("unlink"):
            self._check_own()
        return super().unlink()

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        self.session_id._check_not_closed()
        return super()._update_field_translations(field_name, translations, digest, source_lang)

    # -- whom a step concerns ------------------------------------------------------

    def _get_applies_domain(self):
        """Graduates who have this step; ``Domain.TRUE`` where everybody has it."""
        self.ensure_one()
        domain = Domain(ast.literal_eval(self.student_domain or "[]"))
        if self.college_id:
            domain &= Domain("college_id", "=", self.college_id.id)
        return domain

    # -- what leads may do -----------------------------------------------------------

    @api.model
    def _keeps_all_steps(self):
        """Managers keep every step; leads at most those that their college has added."""
        return self.env.su or self.env.user.has_group("graduate_clearance.group_manager")

    def _is_own(self):
        """Whether the user leads the college that has added this step, in a session that allows it."""
        self.ensure_one()
        # sudo: who leads the college, and what the session allows; it may still be a draft.
        step = self.sudo()
        return bool(step.college_id and self.env.user in step.college_id.lead_ids and step.session_id.college_steps)

    def _check_own(self):
        """Tell a lead why one of these steps cannot be changed; a record rule refuses it anyway.

        :raise AccessError: naming the first step and what stands against it
        """
        for step in self._filtered_access("read"):
            if step._is_own():
                continue
            # sudo: names of a college and a session of the own campus.
            college, session = step.sudo().college_id, step.sudo().session_id
            if not college:
                why = self.env._("it is a step of the campus.")
            elif self.env.user not in college.lead_ids:
                why = self.env._("it is a step of %s.", college.name)
            else:
                why = self.env._("session “%s” no longer allows steps of colleges.", session.name)
            raise AccessError(self.env._("“%(step)s” cannot be changed: %(why)s", step=step.name, why=why))

    @api.model
    def _get_led_colleges(self):
        """Colleges that the user leads."""
        return self.env["clearance.college"].search([("lead_ids", "in", self.env.uid)])

    @api.model
    def default_get(self, fields):
        """What a lead need not say: the only college of the lead, the only session that allows such steps."""
        values = super().default_get(fields)
        if self._keeps_all_steps():
            return values
        if "college_id" in fields and not values.get("college_id") and len(led := self._get_led_colleges()) == 1:
            values["college_id"] = led.id
        if "session_id" in fields and not values.get("session_id"):
            sessions = self.env["clearance.session"].search(
                [("college_steps", "=", True), ("state", "!=", "closed")], limit=2
            )
            if len(sessions) == 1:
                values["session_id"] = sessions.id
        return values

    @api.model
    def _prepare_own_values(self, vals):
        """Values of a step that a lead adds, with defaults, those of the context included.

        :raise AccessError: naming a field that is not the lead's to set
        """
        vals = self._add_missing_default_values(vals)
        if not vals.get("college_id"):
            led = self._get_led_colleges()
            if len(led) != 1:
                raise ValidationError(
                    self.env._("“%(step)s”: say which of your colleges it is for.", step=vals.get("name"))
                )
            vals["college_id"] = led.id
        return vals

    def _check_own_values(self, vals):
        """Raise unless a lead may give this step, or a new one, these values.

        :raise AccessError: what is not the lead's: another college, another session, a field of managers
        :raise UserError: the session is closed or has no steps of colleges, or what is given does not fit
        """
        new = not self
        name = vals.get("name") or self.name
        vals = {fname: value for fname, value in vals.items() if new or self._differs(fname, value)}
        for fname in vals:
            if fname not in self._LEAD_FIELDS and (vals[fname] if fname != "changed_at" else not new):
                raise AccessError(
                    self.env._(
                        "“%(step)s”: “%(field)s” is set by managers.",
                        step=name,
                        field=self._fields[fname]._description_string(self.env) if fname in self._fields else fname,
                    )
                )
        if not new and (moved := {"session_id", "college_id"} & vals.keys()):
            raise AccessError(
                self.env._(
                    "“%(step)s” cannot be moved to another session or college (“%(field)s”). Add a step there instead.",
                    step=name,
                    field=self._fields[sorted(moved)[0]]._description_string(self.env),
                )
            )
        if new:
            self._check_own_session(name, vals.get("session_id"))
            self._check_own_college(name, vals["college_id"])
        if vals.get("continues_id"):
            self._check_own_application(name, vals["continues_id"])
        if "student_domain" in vals:
            self._check_own_filter(name, vals["student_domain"])

    def _differs(self, fname, value):
        """Whether ``value`` is a change; an import names everything in its columns."""
        field = self._fields.get(fname)
        if not field or field.type in ("one2many", "many2many"):
            return True
        return field.convert_to_cache(value, self, validate=False) != field.convert_to_cache(self[fname], self)

    @api.model
    def _check_own_session(self, name, session_id):
        # sudo: whether the session allows steps of colleges; one of another campus never does.
        session = self.env["clearance.session"].browse(session_id).sudo()
        if not session or session.company_id not in self.env.companies:
            return  # required and of the own campus: told by the field and the rules
        session._check_not_closed()
        if not session.college_steps:
            raise AccessError(
                self.env._(
                    "“%(step)s”: session “%(session)s” does not allow steps of colleges.",
                    step=name,
                    session=session.name,
                )
            )

    @api.model
    def _check_own_college(self, name, college_id):
        college = self.env["clearance.college"].browse(college_id)
        if self.env.user not in college.sudo().lead_ids:  # sudo: who leads it
            raise AccessError(
                self.env._(
                    "“%(step)s”: you are no lead of %(college)s.",
                    step=name,
                    college=college._filtered_access("read").name or self.env._("this college"),
                )
            )

    @api.model
    def _check_own_application(self, name, step_id):
        """Who goes on with an application sees what was sent: no way into those of other offices."""
        other = self.browse(step_id)
        if not other._is_own():
            raise AccessError(
                self.env._(
                    "“%(step)s” can only go on with an application made at a step of your own college, "
                    "not with “%(other)s”.",
                    step=name,
                    other=other._filtered_access("read").name or step_id,
                )
            )

    @api.model
    def _check_own_filter(self, name, student_domain):
        """A filter may only ask for what the lead may see: its effect, in numbers, tells of it."""
        try:
            domain = Domain(ast.literal_eval(student_domain or "[]"))
            self.env["clearance.student"].search_count(domain, limit=1)
        except AccessError as error:
            raise AccessError(
                self.env._(
                    "“%(step)s”: the filter on graduates asks for something that you cannot see.\n%(error)s",
                    step=name,
                    error=error,
                )
            ) from error
        except (ValueError, SyntaxError, TypeError, UserError):
            return  # told by the constraint, for everybody

    # -- putting steps in force ------------------------------------------------------

    def action_put_in_force(self):
        """Show what a new or changed step of an open session means, to put it in force; see ``clearance.step.change``.

        For managers, and leads with the steps of their colleges.

        :raise AccessError: the user may not change this step
        :raise UserError: the session is not open yet, or closed
        """
        self.ensure_one()
        self.check_access("write")
        if self.session_state != "open":
            raise UserError(
                self.env._(
                    "Session “%(session)s” is not open: “%(step)s” takes effect when it is opened.",
                    session=self.session_id.display_name,
                    step=self.name,
                )
            )
        return self._open_change({})
