import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

#: what is offered first where the wizard is opened from a list or a record
_KIND_OF_MODEL = {
    "clearance.session": "statistics",
    "clearance.college": "matrix",
    "clearance.class": "matrix",
    "clearance.station": "due",
    "clearance.form": "matrix",
    "clearance.status": "due",
    "clearance.override": "deferrals",
    "clearance.log": "log",
    "clearance.debt.report": "debts",
}
#: fields that take what is ticked in a list
_FIELD_OF_MODEL = {
    "clearance.session": "session_id",
    "clearance.college": "college_ids",
    "clearance.class": "class_ids",
    "clearance.station": "station_ids",
}


class ClearanceExportChoose(models.TransientModel):
    """Asks which spreadsheet of what.

    Opened from the menu, and from wherever the rows are seen: of a list it takes what is ticked, or
    what its filters show.  What the user may not export is said before anything is downloaded.
    """

    _name = "clearance.export.choose"
    _description = "Choose a Spreadsheet"

    kind = fields.Selection(
        [
            ("matrix", "Class matrix: graduates × steps"),
            ("due", "Due list: who still has what"),
            ("statistics", "Statistics: by college, class and step"),
            ("debts", "Debts: what is owed"),
            ("deferrals", "Deferrals"),
            ("log", "Log"),
        ],
        "Spreadsheet",
        required=True,
        default="due",
    )
    session_id = fields.Many2one(
        "clearance.session",
        domain="[('state', '!=', 'draft')]",
        default=lambda self: self._default_session_id(),
        ondelete="cascade",
    )
    college_ids = fields.Many2many("clearance.college", string="Colleges", help="Empty: all that you see.")
    class_ids = fields.Many2many(
        "clearance.class",
        string="Classes",
        domain="[('college_id', 'in', college_ids)] if college_ids else []",
        help="Empty: all that you see.",
    )
    station_ids = fields.Many2many(
        "clearance.station", string="Stations", help="With all that is part of them. Empty: all that you see."
    )
    date_from = fields.Date("From")
    date_to = fields.Date("To")
    split = fields.Selection(
        [
            ("none", "One sheet for all"),
            ("station", "A sheet for each station"),
            ("college", "A sheet for each college"),
            ("class", "A sheet for each class"),
        ],
        "Sheets",
        help="Empty: the finest that leaves tabs in which something is found.",
    )
    shown_model = fields.Char(readonly=True)
    shown_domain = fields.Char(readonly=True)
    shown_only = fields.Boolean("Only what the list shows", default=True)
    row_count = fields.Integer("Rows", compute="_compute_row_count")
    problem = fields.Char(compute="_compute_row_count")

    @api.model
    def default_get(self, fields):
        """Take over what is ticked in a list, else what the list shows."""
        values = super().default_get(fields)
        model, ids = self.env.context.get("active_model"), self.env.context.get("active_ids") or []
        if not ids and self.env.context.get("active_id"):
            ids = [self.env.context["active_id"]]
        if model in _KIND_OF_MODEL and model not in _FIELD_OF_MODEL and ids:
            values.setdefault("shown_model", model)
            values.setdefault("shown_domain", json.dumps([("id", "in", ids)]))
        return {**values, **self._take_over(values.get("shown_model") or model, values.get("shown_domain"), ids)}

    def _take_over(self, model, domain, ids):
        """Values that follow from where the wizard is opened."""
        if model not in _KIND_OF_MODEL:
            return {}
        values = {}
        if "default_kind" not in self.env.context:
            values["kind"] = _KIND_OF_MODEL[model]
        if model == "clearance.session":
            values["session_id"] = ids[0] if ids else self._default_session_id().id
        elif model in _FIELD_OF_MODEL and ids:
            values[_FIELD_OF_MODEL[model]] = [Command.set(ids)]
        elif model in ("clearance.form", "clearance.status", "clearance.debt.report"):
            rows = self.env[model].search(self._parse(domain), limit=1, order="session_id desc")
            if rows and "default_session_id" not in self.env.context:
                values["session_id"] = rows.session_id.id
        elif model in ("clearance.log", "clearance.override") and "default_session_id" not in self.env.context:
            values["session_id"] = False
        return values

    def _parse(self, domain):
        shown = self.env["clearance.export"]._parse_shown(("clearance.form", domain))
        return shown[1]

    @api.model
    def _default_session_id(self):
        return self.env["clearance.session"].search(
            [("state", "!=", "draft"), ("company_id", "=", self.env.company.id)], order="state desc, id desc", limit=1
        )

    @api.depends(
        "kind", "session_id", "college_ids", "class_ids", "station_ids", "date_from", "date_to", "split", "shown_only"
    )
    @api.depends_context("uid")
    def _compute_row_count(self):
        Export = self.env["clearance.export"]
        for wizard in self:
            wizard.row_count, wizard.problem = 0, False
            try:
                wizard.row_count = Export._count(wizard._get_choice())
            except (AccessError, UserError) as error:
                wizard.problem = error.args[0]
                continue
            if not wizard.row_count:
                wizard.problem = Export._explain_nothing(wizard.kind)

    def _get_choice(self):
        """What has been chosen, checked; see ``clearance.export._prepare_choice``."""
        self.ensure_one()
        shown = (self.shown_model, self.shown_domain) if self.shown_model and self.shown_only else None
        dated = self.kind in ("log", "deferrals")
        return self.env["clearance.export"]._prepare_choice(
            self.kind,
            session_id=self.session_id.id,
            college_ids=self.college_ids.ids,
            class_ids=self.class_ids.ids,
            station_ids=self.station_ids.ids if self.kind not in ("matrix", "statistics") else [],
            shown=shown,
            date_from=(dated and self.date_from) or None,
            date_to=(dated and self.date_to) or None,
            split=self.split or None,
        )

    def action_download(self):
        """Download the spreadsheet; the file is written as it is asked for.

        :raise AccessError: when the user may not export it
        :raise UserError: when there is nothing to export
        """
        self.ensure_one()
        self._get_choice()
        if self.problem:
            raise UserError(self.problem)
        return {
            "type": "ir.actions.act_url",
            "url": f"/clearance/spreadsheet/{self.kind}?choice={self.id}",
            "target": "download",
        }
