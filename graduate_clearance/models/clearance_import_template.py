from odoo import api, models
from odoo.exceptions import UserError

from ..workbook import Column, Workbook

#: model -> fields of its template for Odoo's own import, in order
COLUMNS = {
    "clearance.session": ("name", "year", "open_from", "open_until"),
    "clearance.station": ("name", "parent_id", "operator_ids", "college_ids", "place", "phone", "instructions"),
    "clearance.step": ("session_id", "name", "station_id", "mode", "required", "prerequisite_ids"),
    "clearance.student": (
        "student_number",
        "name",
        "gender",
        "college_id",
        "class_id",
        "major",
        "level",
        "graduation_year",
        "room_id",
        "trait_ids",
        "email",
        "phone",
    ),
    "clearance.college": ("name", "code", "lead_ids"),
    "clearance.class": ("name", "code", "college_id", "counsellor_id"),
    "clearance.room": ("name", "kind", "parent_id"),
    "clearance.trait": ("name", "code", "description"),
    "clearance.reason": ("name", "decision", "station_id"),
    "clearance.slot": ("session_id", "college_ids", "place", "open_from", "open_until"),
    "clearance.feed": ("name", "unit", "every", "silent_after"),
}


class ClearanceImportTemplate(models.AbstractModel):
    """Spreadsheets that Odoo's own import offers to start from.

    Made when they are asked for: their headers are the labels of the fields in the user's language, which
    the import recognises, whatever they are called by then.
    """

    _name = "clearance.import.template"
    _description = "Template for Odoo's Import"

    @api.model
    def _get_templates(self, model):
        """What ``get_import_templates`` answers for a model of this addon."""
        # sudo: the name of a model.
        label = self.env._("Import Template for %s", self.env["ir.model"]._get(model).sudo().name)
        return [{"label": label, "template": f"/clearance/import_template/{model}"}]

    @api.model
    def _write(self, model):
        """The template of a model.

        :param str model: name of a model, as it came in the address
        :return: ``(name of the file, Workbook)``
        :raise UserError: when it has none
        :raise AccessError: unless the user may create such records
        """
        if model not in COLUMNS:
            raise UserError(self.env._("There is no template for this."))
        target = self.env[model]
        target.check_access("create")
        described = target.fields_get(COLUMNS[model], ["string", "type", "required", "help", "selection", "relation"])
        fields = [{"name": name, **described[name]} for name in COLUMNS[model] if name in described]
        # sudo: what a kind of record is called is no secret.
        label = self.env["ir.model"]._get(model).sudo().name
        with Workbook(self.env, title=label) as book:
            choices = {
                index: [choice for _value, choice in field["selection"]]
                for index, field in enumerate(fields)
                if field["type"] == "selection"
            }
            columns = [Column(field["string"], width=20) for field in fields]
            book.sheet(label, columns, validations=choices, autofilter=False)
            self._explain(book, fields)
        return f"{label}.xlsx", book

    @api.model
    def _explain(self, book, fields):
        env = self.env
        sheet = book.sheet(
            env._("Explanations"),
            [
                Column(env._("Column"), width=24),
                Column(env._("Technical name"), width=24),
                Column(env._("Needed"), width=10),
                Column(env._("What it holds"), width=70, kind="note"),
            ],
            autofilter=False,
        )
        for field in fields:
            texts = [field.get("help")]
            if field["type"] in ("many2one", "many2many"):
                texts.append(env._("Named by what it is called; several with a comma between them."))
            elif field["type"] == "datetime":
                texts.append(env._("Such as 2026-06-30 17:00:00."))
            elif field["type"] == "selection":
                texts.append(env._("One of the words that the cells offer."))
            needed = env._("Yes") if field["required"] else ""
            sheet.row([field["string"], field["name"], needed, " ".join(filter(None, texts))])
