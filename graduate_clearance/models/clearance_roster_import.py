import base64
import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from ..roster_columns import fold_header
from ..table_file import read_rows

#: days after which a draft that nobody starts is forgotten, the file of what is done, and its rows
_DRAFT_DAYS = 30
_FILE_DAYS = 7
_LINE_DAYS = 90

#: the header is looked for in so many rows: files begin with a title
_HEADER_ROWS = 10
_SAMPLES = 3
#: what looks like an ID-card number is shown masked, whatever the column is called
_ID_NUMBER = re.compile(r"\d{14,17}[\dXx]")
#: files of up to so many bytes are checked at once, larger ones in the background
_SMALL_FILE = 100 * 1024


class ClearanceRosterImport(models.Model):
    """Bringing a file of graduates in: looked at first, then written in the background.

    A manager uploads the file, looks at what each column means and has it checked: each problem is
    told with its row, column, value and remedy.  Then it is written: everything or nothing, or the
    good rows.  The file is read, checked and written in ``clearance_roster_import_run.py``; what a
    row means is said in ``clearance_student_import.py``.
    """

    _name = "clearance.roster.import"
    _inherit = ["clearance.criteria.mixin"]
    _description = "Import of a Roster"
    _order = "id desc"
    _check_company_auto = True

    #: what people fill in, as long as nothing has been written
    _CRITERIA = frozenset(
        {
            "file",
            "filename",
            "column_ids",
            "mode",
            "make_college",
            "make_class",
            "make_room",
            "make_trait",
            "wipe",
            "level",
            "graduation_year",
        }
    )
    _CRITERIA_OF_NEW = frozenset({"company_id"})
    _DRAFT_STATES = frozenset({"draft", "checked"})

    name = fields.Char("Roster", compute="_compute_name")
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, readonly=True, index=True, default=lambda self: self.env.company
    )
    file = fields.Binary(
        attachment=True,
        copy=False,
        help="Excel (.xlsx) or CSV. It is deleted a week after the import is done; the report stays for three months.",
    )
    filename = fields.Char("Name of the file", copy=False)
    header_row = fields.Integer(readonly=True, copy=False)
    column_ids = fields.One2many("clearance.roster.import.column", "import_id", "Columns", copy=False)
    mode = fields.Selection(
        [
            ("all", "Everything or nothing"),
            ("good", "The good rows, leave out the others"),
        ],
        "Write",
        required=True,
        default="all",
    )
    make_college = fields.Boolean("Colleges", help="Make colleges that the file names and the campus does not have.")
    make_class = fields.Boolean("Classes", help="Make missing classes, each in the college of its row.")
    make_room = fields.Boolean("Rooms", help="Make missing rooms, with their buildings and floors.")
    make_trait = fields.Boolean("Traits", help="Make missing traits.")
    wipe = fields.Boolean(
        "The file is complete",
        help="Empty cells empty what is known, and traits that a row does not name are taken away. "
        "Otherwise empty cells say nothing.",
    )
    level = fields.Selection(
        selection=lambda self: self.env["clearance.student"]._fields["level"]._description_selection(self.env),
        required=True,
        default="undergraduate",
        help="Of new graduates whose row does not say.",
    )
    graduation_year = fields.Integer(
        required=True,
        default=lambda self: fields.Date.context_today(self).year,
        help="Of new graduates whose row does not say.",
    )
    user_id = fields.Many2one(
        "res.users", "Who", required=True, readonly=True, index=True, copy=False, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("checking", "Being checked"),
            ("checked", "Checked"),
            ("running", "Running"),
            ("stopped", "Stopped"),
            ("done", "Done"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    error = fields.Text(readonly=True, copy=False, help="Why it did not go on.")
    total = fields.Integer("Rows in the file", readonly=True, copy=False, help="Known once it has been checked.")
    # Written on the way in a transaction of its own, see _tell_progress.
    written_count = fields.Integer("Gone through", readonly=True, copy=False)
    started_at = fields.Datetime("Started", readonly=True, copy=False)
    done_at = fields.Datetime("Done at", readonly=True, copy=False)
    line_ids = fields.One2many("clearance.roster.import.line", "import_id", "Lines", readonly=True, copy=False)
    problem_ids = fields.One2many(
        "clearance.roster.import.line",
        "import_id",
        "Problems",
        domain=[("level", "!=", False)],
        readonly=True,
        copy=False,
    )
    # Read from the rows, never written: the run would write the same record as who stops it.
    row_count = fields.Integer("Rows", compute="_compute_counts")
    created_count = fields.Integer("New", compute="_compute_counts")
    updated_count = fields.Integer("Changed", compute="_compute_counts")
    unchanged_count = fields.Integer("No change", compute="_compute_counts")
    refused_count = fields.Integer("Refused", compute="_compute_counts")
    warning_count = fields.Integer("Warnings", compute="_compute_counts")
    todo_count = fields.Integer("To write", compute="_compute_counts")
    is_waiting = fields.Boolean(compute="_compute_is_waiting", help="Another import comes first.")

    # -- labels and figures --------------------------------------------------------------

    @api.depends("filename")
    @api.depends_context("lang")
    def _compute_name(self):
        for roster in self:
            roster.name = roster.filename or self.env._("New import")

    @api.depends("line_ids.outcome", "line_ids.level", "line_ids.first")
    def _compute_counts(self):
        Line = self.env["clearance.roster.import.line"]
        domain = [("import_id", "in", self.ids)]
        counts = {}
        for roster, outcome, count in Line._read_group(
            [*domain, ("first", "=", True)], ["import_id", "outcome"], ["__count"]
        ):
            counts[roster.id, outcome] = count
        warnings = dict(Line._read_group([*domain, ("level", "=", "warning")], ["import_id"], ["__count"]))
        for roster in self:
            found = {name: counts.get((roster.id, name), 0) for name in ("created", "updated", "unchanged", "refused")}
            for name, count in found.items():
                roster[f"{name}_count"] = count
            roster.row_count = sum(found.values())
            roster.warning_count = warnings.get(roster, 0)
            blocked = roster.mode == "all" and found["refused"]
            roster.todo_count = 0 if blocked else found["created"] + found["updated"]

    @api.depends("state")
    def _compute_is_waiting(self):
        # sudo: of other campuses it is only told that something comes first.
        others = self.sudo().search([("state", "in", ("checking", "running"))], order="id", limit=1)
        for roster in self:
            roster.is_waiting = roster.state in ("checking", "running") and bool(others) and others.id < roster.id

    # -- keeping it true -------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Make drafts; see ``clearance.criteria.mixin``.

        :raise UserError: when a file cannot be read
        """
        rosters = super().create(vals_list)
        for roster in rosters:
            roster._read_header()
        return rosters

    def write(self, vals):
        """Change the criteria, as long as nothing has been written; a check is then out of date.

        :raise UserError: when a file cannot be read, or it has been started
        """
        checked = self._filter_checked() if vals else self.browse()
        result = super().write(vals)
        checked._drop_lines()
        if "file" in vals:
            for roster in self:
                roster._read_header()
        return result

    @api.model
    def _get_untouched_values(self):
        nothing = {"error": False, "total": 0, "written_count": 0, "started_at": False, "done_at": False}
        return {**nothing, "problem_ids": [], "column_ids": []}

    @api.model
    def _get_stale_values(self):
        return {"state": "draft", "error": False, "total": 0}

    @api.model
    def _get_refusals(self):
        return {
            "fields": self.env._("A roster is checked, started and stopped by its buttons."),
            "started": self.env._("This import has been started: file and choices can no longer be changed."),
        }

    def _forget_check(self):
        """What was found is out of date.

        :raise UserError: once it has been started
        """
        if any(roster.state not in self._DRAFT_STATES for roster in self):
            raise UserError(self._get_refusals()["started"])
        self._filter_checked()._drop_lines()
        # For drafts without a check too: a start at the same moment must collide with this.
        self._record(**self._get_stale_values())

    def _filter_checked(self):
        """Those that have been looked at, and may have rows."""
        return self.filtered(lambda roster: roster.state == "checked" or roster.error)

    def _drop_lines(self):
        # sudo: lines are written by their import, nobody else may.
        self.line_ids.sudo().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if any(roster.state in ("running", "stopped", "done") for roster in self):
            raise UserError(self.env._("What has been started is kept, to tell who brought what in."))

    @api.autovacuum
    def _gc_files(self):
        """Forget files and rows with their personal data some time after they were of use."""
        now = fields.Datetime.now()
        ended = self.search([("state", "in", ("done", "stopped")), ("filename", "!=", False)])
        week_ago = fields.Datetime.subtract(now, days=_FILE_DAYS)
        ended.filtered(lambda roster: roster.file and (roster.done_at or roster.write_date) < week_ago)._record(
            file=False
        )
        drafts = [("state", "in", ("draft", "checked"))]
        self.search(
            [*drafts, ("write_date", "<", fields.Datetime.subtract(now, days=_DRAFT_DAYS))], limit=1000
        ).unlink()
        old = fields.Datetime.subtract(now, days=_LINE_DAYS)
        self.search([("state", "in", ("done", "stopped")), ("started_at", "<", old)])._drop_lines()

    # -- the file ------------------------------------------------------------------------

    def _get_content(self):
        """The file as bytes.

        :raise UserError: when there is none, or none any more
        """
        self.ensure_one()
        if not self.file:
            raise UserError(
                self.env._("The file has been deleted, as files are a week after their import. Upload it again.")
                if self.state == "done"
                else self.env._("Choose a file first.")
            )
        return base64.b64decode(self.with_context(bin_size=False).file)

    def _read_header(self):
        """Find the header of the file, and what each column means.

        The row with most headers that are known counts, among the first ten: many files begin
        with a title.
        """
        self.ensure_one()
        # sudo: columns are made by their import; managers say what they mean.
        self.column_ids.sudo().unlink()
        if not self.file:
            self._record(header_row=0)
            return
        first = []
        for row in read_rows(self.env, self._get_content(), self.filename):
            first.append(row)
            if len(first) >= _HEADER_ROWS + _SAMPLES:
                break
        words = self._get_header_words()
        header = max(first[:_HEADER_ROWS], key=lambda row: self._count_known(row, words))
        samples = [row.cells for row in first if row.line > header.line][:_SAMPLES]
        self._record(header_row=header.line)
        used = set()
        values = []
        for position, text in enumerate(header.cells):
            column = words.get(fold_header(text)) or False
            if column in used:
                column = False
            used.add(column)
            shown = [cells[position] for cells in samples if position < len(cells) and cells[position]]
            if text or shown:
                values.append(
                    {
                        "import_id": self.id,
                        "position": position,
                        "header": text[:200],
                        "sample": self._show_samples(shown),
                        "column": column,
                    }
                )
        self.env["clearance.roster.import.column"].sudo().create(values)  # sudo: as above

    def _show_samples(self, texts):
        mask = self.env["clearance.student"]._mask_id_number
        return " · ".join(_ID_NUMBER.sub(lambda match: mask(match[0]), text[:40]) for text in texts)

    @api.model
    def _count_known(self, row, words):
        return len({words.get(fold_header(cell)) for cell in row.cells} - {None, ""})

    def _get_header_words(self):
        """What headers mean: what the campus remembers, then the words of both languages.

        :return: dict folded header -> name of a column; ``""``: passed over
        """
        self.ensure_one()
        words = {}
        Student = self.env["clearance.student"].with_company(self.company_id)
        # The user's own language last: it wins.
        for code in [*(code for code, _name in self.env["res.lang"].get_installed()), self.env.lang]:
            for name, column in Student.with_context(lang=code)._get_import_columns().items():
                for word in (*reversed(column.aliases), name, column.label):
                    words.setdefault(fold_header(word), name)
        remembered = self.env["clearance.roster.column"]._get_meanings(self.company_id)
        known = Student._get_import_columns()
        return words | {header: name for header, name in remembered.items() if not name or name in known}

    def _get_mapping(self):
        """Which cell of a row means what.

        :return: dict name of a column -> position
        :raise UserError: when there is no student number, or two columns mean the same
        """
        self.ensure_one()
        mapping = {}
        labels = dict(self.env["clearance.roster.import.column"]._get_choices())
        for column in self.column_ids.filtered("column"):
            if column.column in mapping:
                raise UserError(
                    self.env._(
                        "Two columns of the file mean “%s”. Take the meaning away from one.", labels[column.column]
                    )
                )
            mapping[column.column] = column.position
        if "student_number" not in mapping:
            raise UserError(
                self.env._(
                    "No column of the file is known to be the student number. Say below which one it is. "
                    "The columns are: %s",
                    format_list(self.env, [header for header in self.column_ids.mapped("header") if header][:20]),
                )
            )
        return mapping

    # -- buttons -------------------------------------------------------------------------

    def action_check(self):
        """Find out what would become of each row; nothing is written.

        Small files at once, larger ones in the background.

        :raise UserError: when there is no file or no student number in it, or it has been started
        """
        for roster in self:
            roster.check_access("write")
            if roster.state not in ("draft", "checked"):
                raise UserError(self.env._("This import has been started."))
            content = roster._get_content()
            roster._get_mapping()
            roster._drop_lines()
            roster._record(state="checking", error=False, total=0, user_id=self.env.uid)
            if len(content) <= _SMALL_FILE:
                roster._check(None)
            else:
                roster._trigger()

    def action_start(self):
        """Begin to write, or go on after a stop, as the user who presses the button.

        :raise UserError: without a check, or when there is nothing to do
        """
        for roster in self:
            roster.check_access("write")
            if roster.state not in ("checked", "stopped"):
                raise UserError(self.env._("Check the file first."))
            if roster.state == "checked" and not roster.todo_count:
                raise UserError(
                    self.env._("Rows are refused: mend the file, or choose to write the good rows.")
                    if roster.refused_count
                    else self.env._("There is nothing to do: everything is as the file says.")
                )
            if roster.state == "checked":
                roster._drop_lines()
                meanings = {column.header: column.column for column in roster.column_ids if column.header}
                self.env["clearance.roster.column"]._remember(roster.company_id, meanings)
            roster._record(
                state="running",
                error=False,
                user_id=self.env.uid,
                started_at=roster.started_at or fields.Datetime.now(),
                written_count=roster.row_count,
            )
            roster._trigger()

    def action_stop(self):
        """Stop; of everything-or-nothing nothing is then written, of the good rows those that are written stay."""
        for roster in self:
            roster.check_access("write")
            if roster.state == "running" and roster.mode == "good":
                roster._record(state="stopped")
            elif roster.state == "running":
                roster._record(state="draft", error=self.env._("It was stopped: nothing has been written."))
            elif roster.state == "checking":
                roster._drop_lines()
                roster._record(state="draft")

    def action_open_lines(self):
        """Open the rows; context ``outcome`` shows those of one outcome."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_roster_import_line_action")
        outcome = self.env.context.get("outcome")
        known = {*dict(self.env["clearance.roster.import.line"]._fields["outcome"].selection), "problem", "warning"}
        return {
            **action,
            "display_name": self.name,
            "domain": [("import_id", "=", self.id)],
            "context": {f"search_default_{outcome}": 1} if outcome in known else {},
        }

    def action_report(self):
        """Download what became of each row."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": f"/clearance/roster/{self.id}/report", "target": "download"}

    @api.model
    def action_template(self):
        """Download an empty roster; context ``template_lang`` says in which language."""
        lang = self.env.context.get("template_lang")
        url = "/clearance/roster/template" + (f"?lang={lang}" if lang in ("en_US", "zh_CN") else "")
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _trigger(self, moment=None):
        """Have the scheduled action take it up."""
        self.env.ref("graduate_clearance.ir_cron_import_roster")._trigger(moment)
