from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

#: the route takes 128 MB at once: 5 files of this size
MOST_MB = 20
MOST_FILES = 10


class ClearanceRequirement(models.Model):
    """One thing that a step asks its graduates for: an answer or files.

    A step says what it asks for here; Odoo's properties hold the answers, so that they
    can be searched, grouped and shown in the back end without code.  The definition of
    these properties on the step follows its requirements
    (``clearance.step._mirror_requirements``): ``r<id>`` for an answer, ``c<id>`` for a
    choice.  What properties lack stands here: translations, stars, hints, order, files.

    **Changes while a session is open.**  Wording, hint, star, order and limits change at
    once, for answers still to be given; what has been sent is not judged again.  Once
    somebody has answered, a requirement keeps its kind and its step, and neither it nor
    an answered choice is deleted: it is retired (archived).  A retired one is not asked
    any more, and what was answered to it stays readable, for its property stays in the
    definition.  In a closed session nothing changes.
    """

    _name = "clearance.requirement"
    _description = "What a Step Asks For"
    _order = "step_id, sequence, id"

    name = fields.Char("Question", required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, help="A retired question is not asked any more; answers given stay.")
    step_id = fields.Many2one("clearance.step", required=True, index=True, ondelete="cascade")
    kind = fields.Selection(
        [
            ("char", "Line of text"),
            ("text", "Text"),
            ("float", "Numeric value"),
            ("date", "Date"),
            ("selection", "Choice"),
            ("boolean", "Tick"),
            ("file", "Files"),
        ],
        required=True,
        default="char",
        help="A tick that is required must be set: “I have read …”.",
    )
    required = fields.Boolean(default=True)
    help = fields.Char("Hint", translate=True)
    choice_ids = fields.One2many("clearance.requirement.choice", "requirement_id", "Choices", copy=True)
    file_types = fields.Selection(
        [
            ("document", "PDF or picture"),
            ("pdf", "PDF"),
            ("image", "Picture"),
            ("office", "PDF, picture, Word or Excel"),
        ],
        "Allowed files",
        required=True,
        default="document",
        help="Told by what is in the file, not by its name.",
    )
    file_max_mb = fields.Integer("Largest file (MB)", required=True, default=5)
    file_max_count = fields.Integer("Most files", required=True, default=3)
    template = fields.Binary("Blank form", attachment=True, help="A form to download, fill in, sign and send back.")
    template_name = fields.Char("File name of the blank form")

    _file_size = models.Constraint(f"CHECK(file_max_mb BETWEEN 1 AND {MOST_MB})", f"A file may have 1 to {MOST_MB} MB.")
    _file_count = models.Constraint(
        f"CHECK(file_max_count BETWEEN 1 AND {MOST_FILES})", f"A question may take 1 to {MOST_FILES} files."
    )

    @api.constrains("kind", "choice_ids")
    def _check_choices(self):
        for requirement in self:
            if requirement.kind == "selection" and not requirement._get_offered():
                raise ValidationError(
                    self.env._("“%(question)s” needs choices to choose from.", question=requirement.name)
                )

    @api.constrains("step_id", "active")
    def _check_step(self):
        self.step_id._check_requirements()

    @api.model_create_multi
    def create(self, vals_list):
        requirements = super().create(vals_list)
        requirements.step_id.session_id._check_not_closed()
        requirements.step_id._mirror_requirements()
        return requirements

    def write(self, vals):
        self.step_id.session_id._check_not_closed()
        for fname in vals.keys() & {"kind", "step_id"}:
            changing = self.filtered(
                lambda requirement, fname=fname: (
                    requirement._fields[fname].convert_to_write(requirement[fname], requirement) != vals[fname]
                )
            )
            changing._raise_on_answers()
        steps = self.step_id
        result = super().write(vals)
        self.step_id.session_id._check_not_closed()
        (steps | self.step_id)._mirror_requirements()
        return result

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        result = super()._update_field_translations(field_name, translations, digest, source_lang)
        self.step_id._mirror_requirements()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_answered(self):
        self.step_id.session_id._check_not_closed()
        self._raise_on_answers()

    def unlink(self):
        steps = self.step_id
        # sudo: files of drafts, which nobody but their graduates can see, go with the question.
        files = self.env["clearance.submission.file"].sudo()
        files = files.search([("requirement_id", "in", self.ids), ("submission_id.state", "=", "draft")])
        self.check_access("unlink")
        files.unlink()
        result = super().unlink()
        steps._mirror_requirements()
        return result

    def _raise_on_answers(self):
        """Raise when somebody has answered one of these."""
        answered = self._filter_answered()
        if answered:
            raise UserError(
                self.env._(
                    "“%(question)s” has been answered: retire it (archive) and ask another question instead.",
                    question=answered[0].name,
                )
            )

    def _filter_answered(self):
        """Those of these that stand in something sent, now or earlier.

        Raw SQL because the ORM cannot ask which of many properties a row has; each
        question is looked for among the sendings of its own step only.
        """
        if not self.ids:
            return self
        self.env["clearance.submission"].flush_model(["answers", "state", "step_id"])
        self.env["clearance.submission.file"].flush_model(["requirement_id", "submission_id"])
        self.env.cr.execute(
            SQL(
                """
                SELECT requirement.id
                  FROM clearance_requirement requirement
                 WHERE requirement.id = ANY(%s)
                   AND EXISTS (
                        SELECT 1 FROM clearance_submission submission
                         WHERE submission.step_id = requirement.step_id AND submission.state <> 'draft'
                           AND (submission.answers ? ('r' || requirement.id)
                                OR EXISTS (SELECT 1 FROM clearance_submission_file file
                                            WHERE file.submission_id = submission.id
                                              AND file.requirement_id = requirement.id)))
                """,
                self.ids,
            )
        )
        answered = {row[0] for row in self.env.cr.fetchall()}
        return self.filtered(lambda requirement: requirement.id in answered)

    def _get_offered(self):
        """Choices offered now, whatever the context says about archived records."""
        return self.choice_ids.filtered("active")

    def _get_property(self):
        """The definition of the property that holds the answers; None for files."""
        self.ensure_one()
        if self.kind == "file":
            return None
        definition = {"name": f"r{self.id}", "string": self.name, "type": self.kind}
        if self.kind == "selection":
            choices = self.with_context(active_test=False).choice_ids
            choices = choices.sorted(lambda choice: (not choice.active, choice.sequence, choice.id))
            definition["selection"] = [[f"c{choice.id}", choice.name] for choice in choices]
        return definition
