"""A session for the next year, made from one that has been; its configuration as a file."""

import ast
from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..texts import join_names

#: what is made with a session, and the times that move with it
_MOVED = {
    "step_ids": ("open_from", "deadline"),
    "slot_ids": ("open_from", "open_until"),
    "duty_ids": ("deadline",),
}


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    # A second manager who loads the same template in the same moment is refused too.
    _template_year_uniq = models.UniqueIndex(
        "(company_id, template_id, year) WHERE template_id IS NOT NULL AND active IS TRUE",
        "This campus already has a session of this template for this year.",
    )

    # -- copying -----------------------------------------------------------------------------

    def copy(self, default=None):
        """Copy sessions with everything but what people have done.

        Steps (what they ask for with blank forms, what they wait for and go on with), time
        slots and duties come along; retired ones do not.  With another ``open_from`` all
        windows move by as many days, the time of day on the campus stays.
        """
        # What is retired is not carried over, whatever the caller's context says.
        copies = super(ClearanceSession, self.with_context(active_test=True)).copy(default)
        return copies.with_env(self.env)

    def copy_data(self, default=None):
        sessions = self.with_context(active_test=True)
        vals_list = super(ClearanceSession, sessions).copy_data(default)
        if default and default.get("open_from"):
            for session, vals in zip(self, vals_list, strict=True):
                session._move_windows(vals, default)
        return vals_list

    def _move_windows(self, vals, default):
        """Move the times in ``vals`` by as many days as the session's first day moves."""
        first = fields.Datetime.to_datetime(default["open_from"])
        days = (self._get_local(first).date() - self._get_local(self.open_from).date()).days
        if not default.get("open_until"):
            vals["open_until"] = self._move(self.open_until, days)
        for fname, names in _MOVED.items():
            for command in vals.get(fname, ()) if fname not in default else ():
                line = command[2]
                line.update({name: self._move(line[name], days) for name in names if line.get(name)})

    def _get_local(self, moment):
        return self._get_campus_time(moment).replace(tzinfo=None)

    def _move(self, moment, days):
        """A moment so many days later, at the same time of day on the campus."""
        local = self._get_campus_zone().localize(self._get_local(moment) + timedelta(days=days))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    def _copy_prerequisites_to(self, new_session):
        """What steps go on with is carried over like what they wait for."""
        result = super()._copy_prerequisites_to(new_session)
        twin = self._get_twins(new_session)
        for step, new_step in twin.items():
            if step.continues_id in twin:
                new_step.continues_id = twin[step.continues_id]
        return result

    def _copy_to_year(self, year, first_day=None, name=None):
        """A copy of this session for another year, in draft, with the same desks and operators.

        :param int year: graduation year of the new session
        :param date first_day: its first day; default: the same day and month
        :param str name: default: this one's, with the new year
        :return: ``(session, findings)``; the findings say what to check, see
            :meth:`_load_configuration`
        :raise UserError: when the dates are out of reach
        :raise AccessError: unless the caller may create sessions (managers)
        """
        self.ensure_one()
        self.check_access("read")
        self.browse().check_access("create")
        with self.env.cr.savepoint():
            session = self.copy(
                {
                    "name": name or self.name,
                    "year": year,
                    "open_from": self._get_first_moment(year, first_day),
                    "copied_from_id": self.id,
                }
            ).with_context(tracking_disable=True)
            moved = self._move_texts(session, name)
            findings = self._get_copy_findings(session, moved)
        session = session.with_env(self.env)
        session._post_findings(findings)
        return session, findings

    def _get_first_moment(self, year, first_day):
        """When a copy begins: at the same time of day."""
        local = self._get_local(self.open_from)
        Configuration = self.env["clearance.configuration"]
        first_day = first_day or Configuration._get_same_day(local.date(), local.year + year - self.year)
        if not 1950 <= first_day.year <= 2200 or not 1950 <= year <= 2200:
            raise UserError(self.env._("The year must lie between %(first)s and %(last)s.", first=1950, last=2200))
        return self._move(self.open_from, (first_day - local.date()).days)

    def _move_texts(self, session, name):
        """Let names and filters of the copy speak of its own year.

        :return: names of what has a filter by graduation year, which has moved
        """
        Configuration = self.env["clearance.configuration"]
        for lang in sorted(Configuration._get_languages()):
            if not name:
                old = self.with_context(lang=lang).name
                session.with_context(lang=lang).name = Configuration._move_year(old, self.year, session.year)
            for step in session.with_context(lang=lang).step_ids.filtered("stage"):
                stage = Configuration._move_year(step.stage, self.year, session.year)
                if stage != step.stage:
                    step.stage = stage
        if not name and session.name == self.name:
            session.name = self.env._("%(name)s (%(year)s)", name=self.name, year=session.year)
        moved = []
        for record in [session, *session.step_ids]:
            domain = Configuration._move_domain_years(record.student_domain, session.year - self.year)
            if domain != record.student_domain:
                record.student_domain = domain
                moved.append(record.display_name)
        return moved

    def _get_copy_findings(self, session, moved):
        """What to check in a copy of this session."""
        Configuration = self.env["clearance.configuration"]
        findings = []
        retired = self.with_context(active_test=False).step_ids.filtered(lambda step: not step.active)
        if retired:
            findings.append(
                Configuration._find(
                    "retired", self.env._("Retired steps were left out"), retired.mapped("name"), "info"
                )
            )
        if moved:
            findings.append(
                Configuration._find(
                    "years", self.env._("Filters by graduation year moved with the session"), moved, "info"
                )
            )
        if lines := self._find_former_operators(session):
            findings.append(Configuration._find("operators", self.env._("Operators who have left"), lines))
        if lines := self._find_named_classes(session):
            findings.append(
                Configuration._find("classes", self.env._("Filters and desks that name classes of the old year"), lines)
            )
        forms = session.step_ids.filtered(lambda step: any(asked.template for asked in step.requirement_ids))
        if forms:
            findings.append(Configuration._find_blank_forms(forms))
        return findings + Configuration._find_in_session(session, self.year)

    def _find_former_operators(self, session):
        """Stations whose operators have been archived."""
        # sudo: names of former operators, for a manager.
        stations = self.env["clearance.configuration"]._get_stations(session).sudo().with_context(active_test=False)
        return [
            f"{station.display_name}: {join_names(self.env, gone.mapped('name'))}"
            for station in stations
            if (gone := station.operator_ids.filtered(lambda user: not user.active))
        ]

    def _find_named_classes(self, session):
        """Where classes are named: they are others each year."""
        Applicability = self.env["clearance.applicability"]
        lines = [
            record.display_name
            for record in [session, *session.step_ids]
            if Applicability._get_keys(record.student_domain, session.company_id, "clearance.class")
        ]
        stations = self.env["clearance.configuration"]._get_stations(session)
        return lines + stations.filtered("class_ids").mapped("display_name")

    # -- actions -------------------------------------------------------------------------------

    def action_copy_wizard(self):
        """Ask for year and first day, then copy this session to it."""
        self.ensure_one()
        self.check_access("write")
        action = self._get_load_action({"default_source": "session", "default_session_id": self.id})
        return {**action, "name": self.env._("Copy to Next Year")}

    def action_load_wizard(self):
        """Ask for a template, a file or a session to make a session from."""
        self.browse().check_access("create")
        return self._get_load_action({})

    def _get_load_action(self, context):
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_session_load_action")
        return {**action, "context": {"dialog_size": "large", **context}}

    def action_export(self):
        """Download the configuration of this session as a file."""
        self.ensure_one()
        self._check_configurable()
        # Told here rather than by an empty download.
        self._get_configuration()
        return {
            "type": "ir.actions.act_url",
            "url": f"/clearance/session/{self.id}/configuration",
            "target": "download",
        }

    def action_save_as_template(self):
        """Keep the configuration of this session as a template of the campus."""
        self.ensure_one()
        self._check_configurable()
        template = self.env["clearance.template"].create(
            {
                "name": self.name,
                "company_id": self.company_id.id,
                "document": self._get_configuration(),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "clearance.template",
            "res_id": template.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _check_configurable(self):
        """Only managers take a configuration away: logins of operators are in it."""
        self.check_access("write")


class ClearanceConfiguration(models.AbstractModel):
    _inherit = "clearance.configuration"

    @api.model
    def _move_domain_years(self, text, by):
        """A filter of the database with its graduation years moved."""
        if not by:
            return text
        domain = ast.literal_eval(text or "[]")
        moved = self._move_conditions(domain, by, self.env["clearance.student"])
        return text if moved == list(domain) else repr(moved)

    def _move_conditions(self, domain, by, model):
        found = []
        for item in domain:
            if isinstance(item, list | tuple) and len(item) == 3 and isinstance(item[0], str):
                path, operator, value = item
                field, _owner = self._follow(model, path)
                if operator in ("any", "not any") and field is not None and field.comodel_name:
                    value = self._move_conditions(value, by, self.env[field.comodel_name])
                elif field is not None and field.name == "graduation_year":
                    value = self._add_years(value, by)
                item = type(item)((path, operator, value))
            found.append(item)
        return found
