import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_time

from ..models.clearance_configuration import MOST_PROBLEMS


class ClearanceSessionLoad(models.TransientModel):
    """Makes a draft session from a template, a file or a session of an earlier year.

    The first page shows what will be made, and what stands against it, before anything is
    written; the second what has to be checked afterwards.
    """

    _name = "clearance.session.load"
    _description = "New Session from a Template"

    source = fields.Selection(
        [("template", "A template"), ("file", "A file"), ("session", "Another session")],
        "Made from",
        required=True,
        default="template",
    )
    template_id = fields.Many2one("clearance.template", ondelete="cascade")
    file = fields.Binary("Configuration file", attachment=False)
    file_name = fields.Char()
    session_id = fields.Many2one("clearance.session", "Session to copy", ondelete="cascade")
    year = fields.Integer(
        "Graduation year",
        compute="_compute_year",
        store=True,
        readonly=False,
        help="Years in names, and in filters by graduation year, become this one.",
    )
    first_day = fields.Date(
        "First day",
        compute="_compute_first_day",
        store=True,
        readonly=False,
        help="All windows move with it; the time of day stays.",
    )
    name = fields.Char("Name of the session", compute="_compute_name", store=True, readonly=False)
    create_colleges = fields.Boolean(
        "Make missing colleges",
        default=True,
        help="Otherwise they are left out, with their desks.",
    )
    missing_colleges = fields.Char("Colleges not on this campus", compute="_compute_preview")
    problems = fields.Text(compute="_compute_preview")
    preview = fields.Html("What will be made", compute="_compute_preview", sanitize=False)
    is_ready = fields.Boolean(compute="_compute_preview")
    is_chosen = fields.Boolean(compute="_compute_is_chosen")
    made_session_id = fields.Many2one("clearance.session", "New session", readonly=True, ondelete="cascade")
    finding_ids = fields.One2many("clearance.session.load.finding", "wizard_id", "To check", readonly=True)

    # -- what is proposed ----------------------------------------------------------------------

    @api.depends("source", "template_id", "file", "session_id")
    def _compute_year(self):
        for wizard in self:
            year, open_from, open_until = wizard._get_times()
            wizard.year = wizard._get_next_year(year, open_from, open_until) if year else False

    @api.depends("year")
    def _compute_first_day(self):
        Configuration = self.env["clearance.configuration"]
        for wizard in self:
            year, open_from, _open_until = wizard._get_times()
            wizard.first_day = (
                Configuration._get_same_day(open_from.date(), open_from.year + wizard.year - year)
                if year and wizard.year
                else False
            )

    @api.depends("year")
    def _compute_name(self):
        Configuration = self.env["clearance.configuration"]
        for wizard in self:
            year, _open_from, _open_until = wizard._get_times()
            name = wizard._get_old_name()
            wizard.name = Configuration._move_year(name, year, wizard.year) if name and wizard.year else name

    @api.depends("source", "template_id", "file", "session_id")
    def _compute_is_chosen(self):
        for wizard in self:
            wizard.is_chosen = bool(wizard._get_times()[0])

    def _get_times(self):
        """Year, first and last moment (on the clock of the campus) of what the session is made from."""
        if self.source == "session":
            session = self.session_id
            if not session:
                return 0, None, None
            return session.year, session._get_local(session.open_from), session._get_local(session.open_until)
        head = self._get_content().get("session")
        return (head["year"], head["open_from"], head["open_until"]) if head else (0, None, None)

    def _get_old_name(self):
        if self.source == "session":
            return self.session_id.name
        head = self._get_content().get("session")
        return self.env["clearance.configuration"]._translate_texts(head["name"]) if head else False

    def _get_next_year(self, year, open_from, open_until):
        """The first year in which the window is not over yet; after that of a session to copy."""
        today = fields.Date.context_today(self)
        offset = today.year - open_from.year
        Configuration = self.env["clearance.configuration"]
        last = Configuration._get_same_day(open_until.date(), open_until.year + offset)
        if last < today:
            offset += 1
        if self.source == "session":
            offset = max(offset, 1)
        return year + offset

    # -- what will be made -----------------------------------------------------------------------

    def _get_document(self):
        """The document the session is made from; None while there is none.

        :raise UserError: when a file cannot be read
        """
        if self.source == "template":
            return self.template_id._get_document() if self.template_id else None
        if self.source == "file" and self.file:
            file = self.with_context(bin_size=False).file
            return self.env["clearance.template"]._read_file(file)
        return None

    def _get_content(self):
        try:
            document = self._get_document()
        except UserError:
            return {}
        return self.env["clearance.configuration"]._get_content(document) if document is not None else {}

    def _get_plan(self):
        """The plan of loading; None while there is nothing to load.

        :raise UserError: when a file cannot be read
        """
        document = self._get_document()
        if document is None:
            return None
        return self.env["clearance.configuration"]._plan(
            document,
            year=self.year or None,
            first_day=self.first_day or None,
            name=self.name,
            create_colleges=self.create_colleges,
            template=self.template_id._origin if self.source == "template" else None,
        )

    @api.depends("source", "template_id", "file", "session_id", "year", "first_day", "name", "create_colleges")
    def _compute_preview(self):
        for wizard in self:
            wizard.update({"missing_colleges": False, "problems": False, "preview": False, "is_ready": False})
            if wizard.source == "session":
                if wizard.session_id:
                    wizard.is_ready = bool(wizard.year)
                    wizard._set_preview(wizard._describe_session())
                continue
            try:
                plan = wizard._get_plan()
            except UserError as error:
                wizard.problems = str(error)
                continue
            if plan is None:
                continue
            say = self.env["clearance.configuration"]._translate_texts
            bullet = "• " if len(plan.problems) > 1 else ""
            wizard.problems = "\n".join(f"{bullet}{problem}" for problem in plan.problems[:MOST_PROBLEMS]) or False
            wizard.is_ready = not plan.problems
            if plan.content.get("colleges") and plan.colleges:
                wizard.missing_colleges = ", ".join(
                    say(entry["name"]) for entry in plan.content["colleges"] if not plan.colleges[entry["code"]]
                )
            if not plan.problems:
                wizard._set_preview(wizard._describe_plan(plan))

    def _set_preview(self, values):
        self.preview = self.env["ir.qweb"]._render("graduate_clearance.session_load_preview", values)

    def _format_window(self, start, end):
        """A window, given on the clock of what the session is made from, as text."""
        return " – ".join(
            f"{format_date(self.env, moment.date(), date_format='medium')} "
            f"{format_time(self.env, moment.time(), time_format='short')}"
            for moment in (start, end)
        )

    def _describe_plan(self, plan):
        Configuration = self.env["clearance.configuration"]
        content, session = plan.content, plan.content["session"]
        rows = [
            {
                "label": self.env._("Steps"),
                "made": [Configuration._translate_texts(one["name"]) for one in content["steps"]],
            }
        ]
        for label, section, key, found in (
            (self.env._("Stations"), "stations", "code", plan.stations),
            (self.env._("Colleges"), "colleges", "code", plan.colleges),
            (self.env._("Traits"), "traits", "code", plan.traits),
            (self.env._("Source systems"), "feeds", "key", plan.feeds),
        ):
            there = [one for one in content[section] if found[one[key]]]
            new = [
                one
                for one in content[section]
                if not found[one[key]] and one[key] not in plan.skipped and one[key] not in plan.left_out
            ]
            rows.append(
                {
                    "label": label,
                    "made": [Configuration._translate_texts(one["name"]) for one in new],
                    "found": [Configuration._translate_texts(one["name"]) for one in there],
                }
            )
        known = self.env["clearance.applicability"]._get_definitions(plan.company)
        rows.append(
            {
                "label": self.env._("Fields of graduates"),
                "made": [one["string"] for one in content["properties"] if one["name"] not in known],
                "found": [one["string"] for one in content["properties"] if one["name"] in known],
            }
        )
        for label, section in ((self.env._("Time slots"), "slots"), (self.env._("Duties"), "duties")):
            rows.append({"label": label, "count": len(content[section])})
        window = [session[key] + timedelta(days=plan.shift_days) for key in ("open_from", "open_until")]
        return {
            "window": self._format_window(*window),
            "rows": [row for row in rows if row.get("made") or row.get("found") or row.get("count")],
            "desks": any(one.get("college_desks") for one in content["stations"]),
        }

    def _describe_session(self):
        session = self.session_id
        retired = session.with_context(active_test=False).step_ids - session.step_ids
        rows = [
            {"label": self.env._("Steps"), "made": session.step_ids.mapped("name")},
            {"label": self.env._("Retired steps, left out"), "count": len(retired)},
            {"label": self.env._("Time slots"), "count": len(session.slot_ids)},
            {"label": self.env._("Duties"), "count": len(session.duty_ids)},
        ]
        window = ""
        if self.first_day:
            start, end = session._get_local(session.open_from), session._get_local(session.open_until)
            moved = self.first_day - start.date()
            window = self._format_window(start + moved, end + moved)
        return {
            "window": window,
            "rows": [row for row in rows if row.get("made") or row.get("count")],
            "desks": False,
        }

    # -- making it -------------------------------------------------------------------------------

    def action_load(self):
        """Make the session and show what has to be checked."""
        self.ensure_one()
        if self.made_session_id:
            return self._reopen()
        session, findings = self._copy_session() if self.source == "session" else self._load_document()
        self.made_session_id = session
        # sudo: lines of the user's own wizard, which nobody writes by hand.
        self.env["clearance.session.load.finding"].sudo().create(
            [
                {
                    "wizard_id": self.id,
                    "level": finding["level"],
                    "title": finding["title"],
                    "detail": finding["detail"],
                    "target": json.dumps(finding["action"]) if finding["action"] else False,
                }
                for finding in findings
            ]
        )
        return self._reopen()

    def _copy_session(self):
        if not self.session_id:
            raise UserError(self.env._("Choose the session to copy."))
        if not self.year:
            raise UserError(self.env._("Say for which year the session is."))
        return self.session_id._copy_to_year(self.year, self.first_day or None, self._get_new_name())

    def _get_new_name(self):
        """The name that the user wrote; None where it is the one proposed, which comes in every language."""
        year, _open_from, _open_until = self._get_times()
        proposed = self.env["clearance.configuration"]._move_year(self._get_old_name() or "", year, self.year)
        return self.name if self.name and self.name != proposed else None

    def _load_document(self):
        document = self._get_document()
        if document is None:
            raise UserError(
                self.env._("Choose a template.") if self.source == "template" else self.env._("Choose a file.")
            )
        return self.env["clearance.session"]._load_configuration(
            document,
            year=self.year or None,
            first_day=self.first_day or None,
            name=self._get_new_name(),
            create_colleges=self.create_colleges,
            template=self.template_id if self.source == "template" else None,
        )

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Session"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "large"},
        }

    def action_open_session(self):
        """Open the session that has been made."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "clearance.session",
            "res_id": self.made_session_id.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }


class ClearanceSessionLoadFinding(models.TransientModel):
    """Something to look at in what has been made."""

    _name = "clearance.session.load.finding"
    _description = "What to Check in a New Session"
    _order = "wizard_id, id"

    wizard_id = fields.Many2one("clearance.session.load", required=True, ondelete="cascade", index=True)
    level = fields.Selection(
        [("error", "Wrong"), ("warning", "To check"), ("info", "To know"), ("ok", "In order")], required=True
    )
    title = fields.Char(required=True)
    detail = fields.Text()
    target = fields.Char()

    def action_open_target(self):
        """Open the records it is about."""
        self.ensure_one()
        self.check_access("read")
        if not self.target:
            return False
        model, ids = json.loads(self.target)
        action = {
            "type": "ir.actions.act_window",
            "name": self.title,
            "res_model": model,
            "target": "current",
        }
        if len(ids) == 1:
            return {**action, "res_id": ids[0], "view_mode": "form", "views": [(False, "form")]}
        return {
            **action,
            "domain": [("id", "in", ids)],
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "context": {"active_test": False},
        }
