from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import split_every

from ..models.clearance_print import MOST_PRINTED


class ClearancePrintChoose(models.TransientModel):
    """Asks what to print of which class or college, and hands it out in parts that a PDF can take.

    Whatever is chosen, the record rules of forms decide what is printed; summaries are for those
    who see a whole college.
    """

    _name = "clearance.print.choose"
    _description = "Choose What to Print"

    kind = fields.Selection(
        [
            ("form", "Clearance forms"),
            ("signoff", "Sign-off sheets of classes"),
            ("summary", "Summaries of colleges, to be stamped"),
        ],
        "What",
        required=True,
        default="form",
    )
    company_id = fields.Many2one("res.company", "Campus", required=True, default=lambda self: self.env.company)
    session_id = fields.Many2one(
        "clearance.session",
        domain="[('state', '!=', 'draft'), ('company_id', '=', company_id)]",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env["clearance.session"]._get_printed(self.env.company),
    )
    college_ids = fields.Many2many(
        "clearance.college",
        string="Colleges",
        domain="[('company_id', '=', company_id)]",
        help="Empty: every college whose graduates you see.",
    )
    class_ids = fields.Many2many(
        "clearance.class",
        string="Classes",
        domain="[('company_id', '=', company_id)]",
        help="Empty: every class of these colleges whose graduates you see.",
    )
    selected_ids = fields.Json("Selected forms", help="Ids of forms that were selected or found in a list.")
    selected_count = fields.Integer("Selected graduates", compute="_compute_selected_count")
    which = fields.Selection(
        [("all", "All"), ("open", "Not cleared yet: sheets to be stamped"), ("cleared", "Cleared: certificates")],
        "Which of them",
        required=True,
        default="all",
    )
    split = fields.Selection(
        [("class", "One for each class"), ("few", "As few as possible, classes together")],
        "Files",
        required=True,
        default="class",
    )
    stage = fields.Selection([("choose", "Choose"), ("parts", "Parts")], required=True, default="choose")
    printed_count = fields.Integer("To print", compute="_compute_printed_count")
    part_count = fields.Integer("Number of files", compute="_compute_printed_count")
    outlook = fields.Char(compute="_compute_printed_count", help="What would be printed, in how many files.")
    part_ids = fields.One2many("clearance.print.part", "wizard_id", "Parts")

    @api.depends("selected_ids")
    def _compute_selected_count(self):
        for wizard in self:
            wizard.selected_count = len(wizard.selected_ids or ())

    @api.depends("kind", "session_id", "college_ids", "class_ids", "selected_ids", "which", "split")
    def _compute_printed_count(self):
        for wizard in self:
            parts = wizard._get_parts() if wizard.kind and wizard.session_id else []
            wizard.printed_count = sum(len(ids) for _name, ids in parts)
            wizard.part_count = len(parts)
            wizard.outlook = wizard._get_outlook()

    def _get_outlook(self):
        """What would be printed, and what one PDF takes."""
        if not self.printed_count:
            return False
        numbers = {"count": self.printed_count, "files": self.part_count, "most": MOST_PRINTED[self.kind]}
        if self.kind == "summary":
            return self.env._(
                "Colleges: %(count)s. PDF files: %(files)s. "
                "One file takes %(most)s colleges, so that the server finishes it in time.",
                **numbers,
            )
        return self.env._(
            "Graduates: %(count)s. PDF files: %(files)s. "
            "One file takes %(most)s graduates, so that the server finishes it in time.",
            **numbers,
        )

    @api.model
    def default_get(self, fields):  # pylint: disable=redefined-outer-name
        """What the user has selected: classes, colleges, a session, or forms."""
        values = super().default_get(fields)
        model, ids = self.env.context.get("active_model"), self.env.context.get("active_ids") or []
        found = self.env.context.get("clearance_forms")
        if found is not None:
            model = "clearance.form"
        if model == "clearance.class":
            values["class_ids"] = [Command.set(ids)]
        elif model == "clearance.college":
            values["college_ids"] = [Command.set(ids)]
        elif model == "clearance.session" and ids:
            values["session_id"] = ids[0]
        elif model == "clearance.form":
            # Not a guard, only what is looked for: the search shows what the user may see.
            forms = self.env["clearance.form"].search(Domain("id", "in", ids) if found is None else Domain(found))
            values["selected_ids"] = forms.ids
            groups = forms._read_group([("id", "in", forms.ids)], ["session_id"], ["__count"], order="__count desc")
            if groups:
                values["session_id"] = groups[0][0].id
        return values

    # -- buttons -------------------------------------------------------------------

    def action_print(self):
        """Print what is chosen, or show its parts where one PDF does not take it.

        :raise UserError: when there is nothing to print
        :raise AccessError: when the user may not have the summary of a chosen college
        """
        self.ensure_one()
        if self.kind == "summary":
            self.college_ids._check_summary_access(self.session_id)
        parts = self._get_parts()
        if not parts:
            raise UserError(
                self.env._(
                    "There is nothing to print: none of the graduates that you see fits. "
                    "Choose another session, class or college."
                )
            )
        if len(parts) == 1:
            return self._get_report_action(parts[0][1])
        self.part_ids = [
            Command.clear(),
            *(Command.create({"name": name, "record_ids": ids, "record_count": len(ids)}) for name, ids in parts),
        ]
        self.stage = "parts"
        return self._reopen()

    def action_choose(self):
        """Back to what to print."""
        self.ensure_one()
        self.stage = "choose"
        return self._reopen()

    def _reopen(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_print_choose_action")
        return {**action, "res_id": self.id}

    def _get_report_action(self, ids):
        """The report of these forms or colleges; it checks by itself what the user may have."""
        # sudo: the definition of the report.
        report = self.env.ref(f"graduate_clearance.clearance_{self.kind}_report").sudo()
        if self.kind == "summary":
            data = {"college_ids": ids, "session_id": self.session_id.id}
            return report.report_action(None, data=data, config=False)
        return report.report_action(self.env["clearance.form"].browse(ids), config=False)

    # -- parts -----------------------------------------------------------------------

    def _get_parts(self):
        """What is printed together: list of pairs (name, ids in the order of printing).

        Classes stay together as far as a PDF takes them.
        """
        if self.kind == "summary":
            colleges = self._get_colleges()
            return [
                (f"{part[0].name} – {part[-1].name}" if len(part) > 1 else part[0].name, [one.id for one in part])
                for part in split_every(MOST_PRINTED["summary"], colleges)
            ]
        most = MOST_PRINTED[self.kind]
        parts = []
        for college, classes in self._get_classes():
            together = []
            for name, ids in classes:
                pieces = list(split_every(most, ids, list))
                if len(pieces) > 1:
                    start = 1
                    for piece in pieces:
                        parts.append((f"{name} ({start}–{start + len(piece) - 1})", piece))
                        start += len(piece)
                elif self.split == "class":
                    parts.append((name, ids))
                elif together and len(together[-1][1]) + len(ids) <= most:
                    together[-1][0].append(name)
                    together[-1][1].extend(ids)
                else:
                    together.append(([name], list(ids)))
            for names, ids in together:
                name = f"{names[0]} – {names[-1]}" if len(names) > 1 else names[0]
                parts.append((f"{college} · {name}" if college else name, ids))
        return parts

    def _get_classes(self):
        """The forms to print by college and class: list of pairs (name of the college, [(name, ids), ...])."""
        forms = self.env["clearance.form"].search_fetch(
            self._get_form_domain(), ["college_id", "class_id"], order="college_id, class_id, student_id, id"
        )
        colleges = []
        for college, members in forms.grouped("college_id").items():
            classes = [
                (class_.name or self.env._("Without a class"), own.ids)
                for class_, own in members.grouped("class_id").items()
            ]
            colleges.append((college.name, classes))
        return colleges

    def _get_form_domain(self):
        domain = Domain("session_id", "=", self.session_id.id)
        if self.selected_ids:
            domain &= Domain("id", "in", self.selected_ids)
        if self.college_ids:
            domain &= Domain("college_id", "in", self.college_ids.ids)
        if self.class_ids:
            domain &= Domain("class_id", "in", self.class_ids.ids)
        if self.kind == "form":
            domain &= self._get_which_domain()
        return domain

    def _get_which_domain(self):
        states = self.env["clearance.form"]._get_live_state_domains()
        return {
            "all": ~states["withdrawn"],
            "open": states["open"],
            "cleared": states["cleared"] | states["deferred"],
        }[self.which]

    def _get_colleges(self):
        """Colleges that take part: those chosen, else all of whose graduates the user sees every one."""
        Form = self.env["clearance.form"]
        domain = [("session_id", "=", self.session_id.id)]
        if self.college_ids:
            domain.append(("college_id", "in", self.college_ids.ids))
        seen = Form._read_group(domain, ["college_id"], ["__count"])
        # sudo: how many there are is compared, not told.
        every = {college.id: count for college, count in Form.sudo()._read_group(domain, ["college_id"], ["__count"])}
        whole = [college for college, count in seen if college and count == every[college.id]]
        return sorted(whole, key=lambda college: (college.sequence, college.code or "", college.id))
