import re

from lxml import etree

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from .clearance_status import STATES

#: text, background and border of each state, as in static/src/legend/legend.scss
COLORS = {
    "pending": ("#664d03", "#fff3cd", "#d9b84a"),
    "submitted": ("#084298", "#dbe9ff", "#7fadf5"),
    "rejected": ("#842029", "#f8d7da", "#dc6f79"),
    "approved": ("#0f5132", "#d1e7dd", "#62b08a"),
    "optional": ("#495057", "#f8f9fa", "#868e96"),
    "not_required": ("#495057", "#ffffff", "#dee2e6"),
    "review": ("#7a3300", "#ffe2cc", "#e8965a"),
    "lifted": ("#432874", "#e8e0f7", "#a98bdd"),
}

#: the parts that have a colour: fields of the model, and parts of the names of CSS properties
PARTS = ("text", "background", "border")

#: text below this contrast cannot be read by many (WCAG 2.2, 1.4.3)
LEAST_CONTRAST = 4.5

_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


class ClearanceLegend(models.Model):
    """How a campus shows a state: its word and its colours.

    One record a state and campus.  Whatever shows a state asks here: by :meth:`_get_words`
    on the server, by ``LEGEND`` in static/src/legend/legend.js, and by the CSS properties
    ``--clearance-<state>-<part>`` that legend.scss reads.  Icons are the same everywhere, so that a
    graduate who changes campus still knows them.
    """

    _name = "clearance.legend"
    _description = "Legend of a Campus"
    _order = "sequence, id"

    state = fields.Selection(
        [*STATES, ("review", "Needs another look"), ("lifted", "Deferred")], required=True, readonly=True
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(
        "Word",
        translate=True,
        size=30,
        help="What this state is called, in each language. Empty: the usual word, in every language.",
    )
    usual_name = fields.Char("Usual word", compute="_compute_usual_name")
    text = fields.Char(
        "Text colour", compute="_compute_colors", store=True, readonly=False, precompute=True, required=True
    )
    background = fields.Char(
        "Background colour", compute="_compute_colors", store=True, readonly=False, precompute=True, required=True
    )
    border = fields.Char(
        "Border colour", compute="_compute_colors", store=True, readonly=False, precompute=True, required=True
    )
    contrast = fields.Float(
        compute="_compute_contrast",
        digits=(4, 1),
        aggregator=None,
        help="Of the text against its background: 4.5 at least, 7 is good.",
    )
    is_changed = fields.Boolean("Changed", compute="_compute_is_changed")
    company_id = fields.Many2one("res.company", "Campus", required=True, readonly=True, index=True, ondelete="cascade")

    _state_uniq = models.Constraint("UNIQUE(company_id, state)", "A campus shows a state in one way.")

    @api.depends("state")
    @api.depends_context("lang")
    def _compute_usual_name(self):
        usual = self._get_usual_words()
        for legend in self:
            legend.usual_name = usual.get(legend.state)

    @api.depends("usual_name")
    def _compute_display_name(self):
        for legend in self:
            legend.display_name = legend.usual_name

    @api.depends("state")
    def _compute_colors(self):
        for legend in self:
            legend.text, legend.background, legend.border = COLORS.get(legend.state, ("#000000", "#ffffff", "#000000"))

    @api.depends("text", "background")
    def _compute_contrast(self):
        for legend in self:
            legend.contrast = get_contrast(legend.text, legend.background)

    @api.depends("name", "text", "background", "border")
    @api.depends_context("lang")
    def _compute_is_changed(self):
        for legend in self:
            word = legend.name and legend.name != legend.usual_name
            legend.is_changed = word or bool(legend._get_changed_colors())

    @api.constrains("text", "background", "border")
    def _check_colors(self):
        """Colours go into style sheets, and words must be readable on them."""
        words = self._get_words()
        for legend in self:
            for part in PARTS:
                if not _COLOR.fullmatch(legend[part] or ""):
                    raise ValidationError(
                        self.env._(
                            "“%(state)s”: “%(color)s” is not a colour. Write it like #0f5132.",
                            state=words[legend.state],
                            color=legend[part] or "",
                        )
                    )
            if get_contrast(legend.text, legend.background) < LEAST_CONTRAST:
                raise ValidationError(
                    self.env._(
                        "“%(state)s”: the text %(text)s on %(background)s has a contrast of %(ratio)s : 1. "
                        "Many cannot read less than 4.5 : 1. Take a darker text or a lighter background.",
                        state=words[legend.state],
                        text=legend.text,
                        background=legend.background,
                        ratio=f"{get_contrast(legend.text, legend.background):.2f}",
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        if vals.get("name") and (self.env.lang or "en_US") != "en_US":
            # Odoo would take the first word that is written, in whatever language, for the English one.
            english = self.with_context(lang="en_US")
            for legend in english.filtered(lambda legend: not legend.name):
                super(ClearanceLegend, legend).write({"name": legend.usual_name})
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.model
    def _make_missing(self, companies):
        """Give these campuses the records of states for which they have none."""
        found = {(legend.company_id, legend.state) for legend in self.search([("company_id", "in", companies.ids)])}
        return self.create(
            [
                {"company_id": company.id, "state": state, "sequence": 10 * position}
                for company in companies
                for position, state in enumerate(COLORS, start=1)
                if (company, state) not in found
            ]
        )

    def action_reset(self):
        """Back to the usual word, in every language, and the usual colours; for managers."""
        self.check_access("write")
        self.write({"name": False})
        for legend in self:
            legend.write(dict(zip(PARTS, COLORS[legend.state], strict=True)))

    @api.model
    def action_open(self):
        """Open the legend of the user's current campus."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_legend_action")
        return {**action, "domain": [("company_id", "=", self.env.company.id)]}

    # -- for whatever shows a state ----------------------------------------------------

    @api.model
    def _get_words(self, company=None):
        """What each state is called on a campus, in the language of the user.

        :param company: a ``res.company``, by default the user's current one
        :return: dict ``{state: word}``, in the order of the process
        """
        return {**self._get_usual_words(), **self._get_changes(company)["words"]}

    @api.model
    def _get_style(self, company=None):
        """The colours that a campus has changed, for a ``style`` attribute.

        :return: str such as ``--clearance-pending-text:#664d03``; empty when none is changed
        """
        colors = self._get_changes(company)["colors"]
        return ";".join(
            f"--clearance-{state}-{part}:{color}" for state, parts in colors.items() for part, color in parts.items()
        )

    @api.model
    def _get_print_style(self, state, company=None):
        """The colours of one state for a ``style`` attribute of its badge.

        For print: the programme that makes PDF files knows no CSS properties.

        :return: str; empty when the campus has not changed the state
        """
        parts = self._get_changes(company)["colors"].get(state)
        if not parts:
            return ""
        looks = {**dict(zip(PARTS, COLORS[state], strict=True)), **parts}
        return f"color:{looks['text']};background-color:{looks['background']};border-color:{looks['border']}"

    @api.model
    def _get_changes(self, company=None):
        """What a campus has changed, in the language of the user.

        :return: dict ``words`` (``{state: word}``) and ``colors`` (``{state: {part: colour}}``);
            not to be changed, it is shared
        """
        return self._get_changes_of((company or self.env.company).id)

    @tools.ormcache("company_id", "self.env.lang")
    def _get_changes_of(self, company_id):
        # sudo: how a campus shows its states is for everybody to see.
        legends = self.sudo().search([("company_id", "=", company_id)])
        return {
            "words": {legend.state: word for legend in legends if (word := legend._get_own_word())},
            "colors": {legend.state: colors for legend in legends if (colors := legend._get_changed_colors())},
        }

    @api.model
    def _get_usual_words(self):
        """Words of campuses that have changed none: those of the statuses, and that of a deferral."""
        usual = self.env["clearance.status"]._fields["legend"].get_usual_words(self.env)
        return {**usual, "lifted": self.env._("Deferred")}

    def _get_own_word(self):
        """The word in the language of the user; none where only other languages have one."""
        self.ensure_one()
        if not self.name:
            return False
        words = self._fields["name"]._get_stored_translations(self) or {}
        return (words.get(self.env.lang or "en_US") or "").strip()

    def _get_changed_colors(self):
        """Colours that differ from the usual ones: dict ``{part: colour}``.

        What is no colour stays out, however it came into the database.
        """
        self.ensure_one()
        usual = dict(zip(PARTS, COLORS.get(self.state, ("", "", "")), strict=True))
        return {
            part: self[part].lower()
            for part in PARTS
            if self[part] and self[part].lower() != usual[part] and _COLOR.fullmatch(self[part])
        }

    @api.model
    @api.readonly
    def get_changes(self):
        """What the user's current campus has changed; see :meth:`_get_changes`.

        For screens of staff, once somebody has changed the legend.

        :raise AccessError: for everybody who is not clearance staff
        """
        self.check_access("read")
        return self._get_changes()


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Call the filters by state what the user's campus calls the states."""
        view = super().get_view(view_id, view_type, **options)
        words = self.env["clearance.legend"]._get_changes()["words"] if view_type == "search" else {}
        if words:
            arch = etree.fromstring(view["arch"])
            for node in arch.iter("filter"):
                node.set("string", words.get(node.get("name"), node.get("string") or ""))
            view["arch"] = etree.tostring(arch, encoding="unicode")
        return view


def get_contrast(text, background):
    """The contrast of two colours, from 1 (none) to 21 (black on white), as WCAG 2.2 defines it.

    :param str text: such as ``#0f5132``; likewise ``background``
    :return: float; 0 when one is no colour
    """
    if not (_COLOR.fullmatch(text or "") and _COLOR.fullmatch(background or "")):
        return 0
    darker, lighter = sorted((_get_luminance(text), _get_luminance(background)))
    return (lighter + 0.05) / (darker + 0.05)


def _get_luminance(color):
    """The relative luminance of a colour, from 0 to 1."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
