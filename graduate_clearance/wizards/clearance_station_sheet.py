"""A list to fill in without network: chosen and downloaded, filled in, uploaded."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime, format_list, hmac

from ..workbook import Column, Workbook

#: rows of one list: more than a campus has at one desk
MOST_ROWS = 50_000

_SIGNED_FOR = "graduate_clearance.station_sheet"


class ClearanceStationSheet(models.TransientModel):
    """Which rows to take along, and the list that comes back.

    A hall without network, a dormitory building, a store of badges: an operator takes the open steps of
    the own stations along as a spreadsheet, writes a decision and a remark beside each, and uploads
    it.  What comes back is a ``clearance.batch`` of kind ``sheet``, with its preview, its run and
    its undoing; see ``models/clearance_batch_sheet.py``.

    Each row carries a hidden mark: which status it is, what that was when the list was made, and a signature,
    so that what others have decided meanwhile is seen, however the rows are sorted.
    """

    _name = "clearance.station.sheet"
    _description = "List to Fill In"

    session_id = fields.Many2one(
        "clearance.session",
        required=True,
        default=lambda self: self.env["clearance.batch"]._find_only_session(),
        domain="[('state', '=', 'open')]",
    )
    company_id = fields.Many2one(related="session_id.company_id")
    available_step_ids = fields.Many2many("clearance.step", compute="_compute_available_step_ids")
    step_ids = fields.Many2many(
        "clearance.step",
        string="Steps",
        domain="[('id', 'in', available_step_ids)]",
        help="Empty: every step that you decide on.",
    )
    class_ids = fields.Many2many("clearance.class", string="Classes", check_company=True)
    room_ids = fields.Many2many(
        "clearance.room",
        string="Rooms or buildings",
        check_company=True,
        help="A building stands for all its rooms.",
    )
    college_ids = fields.Many2many("clearance.college", string="Colleges", check_company=True)
    include = fields.Selection(
        [("open", "What is open"), ("all", "Everything, also what is settled")], "Rows to take along", default="open"
    )
    row_count = fields.Integer("Rows", compute="_compute_row_count")
    strict_note = fields.Char("Stations that take no lists", compute="_compute_strict_note")
    file = fields.Binary("List filled in")
    filename = fields.Char("Name of the list")

    @api.depends("session_id")
    @api.depends_context("uid", "default_station_id")
    def _compute_available_step_ids(self):
        for sheet in self:
            draft = self.env["clearance.batch"].new({"session_id": sheet.session_id.id, "decision": "approve"})
            sheet.available_step_ids = draft.available_step_ids._origin

    @api.depends("session_id", "step_ids", "class_ids", "room_ids", "college_ids", "include")
    @api.depends_context("uid")
    def _compute_row_count(self):
        # sudo: the domain holds the rules for deciding.
        Status = self.env["clearance.status"].sudo()
        for sheet in self:
            sheet.row_count = Status.search_count(sheet._get_domain()) if sheet.session_id else 0

    @api.depends("session_id", "step_ids")
    def _compute_strict_note(self):
        Station = self.env["clearance.station"]
        for sheet in self:
            sheet.strict_note = False
            if Station._get_strict_ids() and sheet.session_id:
                # sudo: how a desk works, for everybody alike.
                groups = self.env["clearance.status"].sudo()._read_group(sheet._get_domain(), ["station_id"])
                notes = filter(None, (station._explain_scopes(["list"]) for [station] in groups))
                sheet.strict_note = " ".join(notes)

    def _get_domain(self):
        """Statuses to take along: those that the user decides on, however they are found.

        To be searched as superuser: it holds the record rules for deciding.
        """
        self.ensure_one()
        domain = Domain("session_id", "=", self.session_id.id) & Domain("state", "!=", "not_required")
        if self.step_ids:
            domain &= Domain("step_id", "in", self.step_ids._origin.ids)
        if self.class_ids:
            domain &= Domain("class_id", "in", self.class_ids._origin.ids)
        if self.college_ids:
            domain &= Domain("college_id", "in", self.college_ids._origin.ids)
        if self.room_ids:
            domain &= Domain("room_id", "child_of", self.room_ids._origin.ids)
        if self.include != "all":
            domain &= Domain("state", "!=", "approved") | Domain("needs_review", "=", True)
        return domain & self.env["clearance.status"]._get_actionable_domain()

    # -- buttons -----------------------------------------------------------------------

    def action_download(self):
        """Download the list to fill in."""
        self.ensure_one()
        self._check_rows()
        return {"type": "ir.actions.act_url", "url": f"/clearance/station_sheet/{self.id}", "target": "download"}

    def action_upload(self):
        """Show what a list that has been filled in would do: the preview of a new batch.

        :raise UserError: when the file cannot be read, is of another session or campus, or says nothing
        """
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("Choose the file first: the list that you have filled in."))
        steps = self.step_ids
        batch = self.env["clearance.batch"].create(
            {
                "kind": "sheet",
                "session_id": self.session_id.id,
                # Says what rows are about that do not say it themselves.
                "step_id": steps.id if len(steps) == 1 else False,
                "numbers_file": self.with_context(bin_size=False).file,
                "numbers_filename": self.filename or self.env._("List"),
            }
        )
        batch.action_preview()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_batch_action")
        return {**action, "views": [(False, "form")], "view_mode": "form", "res_id": batch.id}

    def _check_rows(self):
        if not self.session_id:
            raise UserError(self.env._("Choose the session first."))
        if not self.row_count:
            raise UserError(
                self.env._(
                    "There is nothing to take along: no step of yours is open for these classes, rooms, colleges."
                )
            )
        if self.row_count > MOST_ROWS:
            raise UserError(
                self.env._(
                    "These are %(count)s rows; a list holds %(limit)s. Choose steps, classes or colleges.",
                    count=f"{self.row_count:,}",
                    limit=f"{MOST_ROWS:,}",
                )
            )

    # -- the list ------------------------------------------------------------------------

    def _write_book(self):
        """The list to fill in.

        :return: ``(filename, Workbook)``, the book finished
        :raise UserError: when there is nothing to take along, or too much
        """
        self.check_access("read")
        self._check_rows()
        rows = self._fetch_rows()
        labels = self._get_labels()
        with Workbook(self.env, self.company_id, title=self._get_title(rows)) as book:
            sheet = book.sheet(
                self.env._("List"),
                self._get_columns(labels),
                title=self._get_title(rows),
                notes=self._get_notes(rows),
                protect=True,
                freeze=(0, 2),
                validations={_DECISION: self._get_choices()},
                unlocked=(_REMARK,),
                hidden=(_MARK,),
            )
            sheet.rows(self._prepare_rows(rows))
            book.add_legend()
        # sudo: the zone of the campus.
        today = fields.Date.to_string(fields.Date.context_today(self.with_context(tz=self._get_zone())))
        return f"{self._get_title(rows)} {today}.xlsx", book

    def _get_zone(self):
        # sudo: the clock of the campus is no secret.
        return self.sudo().company_id.partner_id.tz or "UTC"

    def _get_title(self, rows):
        """What the list is about: its step or station where there is one, and the session."""
        steps, stations = {row["step"] for row in rows}, {row["station"] for row in rows}
        parts = [*(stations if len(stations) == 1 else ()), *(steps if len(steps) == 1 else ()), self.session_id.name]
        return " · ".join(parts)

    def _get_notes(self, rows):
        """The lines above the header: as of when, for whom, what to do."""
        choices = self._get_choices()
        moment = format_datetime(self.env, fields.Datetime.now(), tz=self._get_zone(), dt_format="yyyy-MM-dd HH:mm")
        return [
            self.env._(
                "As of %(moment)s, for %(user)s. %(count)s rows%(whom)s.",
                moment=moment,
                user=self.env.user.name,
                count=f"{len(rows):,}",
                whom=self._get_whom(),
            ),
            self.env._(
                "Write %(choices)s. A refusal needs a remark: the graduate reads it. Rows left empty stay as they are.",
                choices=format_list(self.env, choices, style="or"),
            ),
            self.env._(
                "Rows may be sorted, filtered and deleted. Upload the file under “%s”: "
                "what others have decided meanwhile is shown before anything happens.",
                # sudo: what the entry of the menu is called.
                self.env.ref("graduate_clearance.clearance_station_sheet_menu").sudo().name,
            ),
        ]

    def _get_whom(self):
        """Classes, rooms and colleges that were chosen, in brackets; empty where it is everybody."""
        names = [name for records in (self.class_ids, self.room_ids, self.college_ids) for name in _name_few(records)]
        return self.env._(" (%s)", format_list(self.env, names)) if names else ""

    def _get_columns(self, labels):
        return [
            Column(self.env._("Student number"), width=16),
            Column(self.env._("Full name"), width=14),
            Column(self.env._("Class")),
            Column(self.env._("Room")),
            Column(labels["step"][0]),
            Column(self.env._("State"), kind="state"),
            Column(self.env._("Waits for"), kind="note", width=28),
            Column(labels["decision"][0], width=14),
            Column(labels["remark"][0], kind="note", width=36),
            Column(self.env._("Remark so far"), kind="note", width=28),
            Column(self.env._("Mark (do not change)"), width=20),
        ]

    def _prepare_rows(self, rows):
        """Rows as :meth:`_get_columns` has them."""
        names = {}
        for row in rows:
            names.setdefault(row["step"], set()).add(row["step_id"])
        made = int(fields.Datetime.now().timestamp())
        for row in rows:
            # Two steps of one name: with the station before it.
            step = row["step"] if len(names[row["step"]]) == 1 else f"{row['station']}: {row['step']}"
            yield (
                row["student_number"],
                row["name"],
                row["class"],
                row["room"],
                step,
                "review" if row["needs_review"] else row["state"],
                "\n".join(row["waits_for"]),
                None,
                None,
                row["reason"],
                self._sign(row["id"], made, row["version"]),
            )

    def _fetch_rows(self):
        """What the list shows of each status.

        Raw SQL: names of graduates, classes and rooms, and what each row waits for, come in one query.

        :return: list of dicts
        """
        Status = self.env["clearance.status"]
        Step, Station = self.env["clearance.step"], self.env["clearance.station"]
        # sudo: the domain holds the rules for deciding.
        query = Status.sudo()._search(self._get_domain())
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                -- Compiling the statement takes longer than running it.
                SET LOCAL jit = off;
                WITH found AS (%(found)s)
                SELECT status.id, student.student_number, student.name, class.name AS class,
                       room.complete_name AS room, step.id AS step_id, %(step)s AS step, %(station)s AS station,
                       status.state, status.needs_review, status.reason, %(version)s AS version,
                       CASE WHEN status.is_open OR status.state = 'optional' THEN ARRAY(
                            SELECT missing.name FROM (%(missing)s) missing ORDER BY missing.sequence, missing.step_id
                       ) ELSE '{}' END AS waits_for
                  FROM found
                  JOIN clearance_status status ON status.id = found.id
                  JOIN clearance_form form ON form.id = status.form_id
                  JOIN clearance_student student ON student.id = form.student_id
                  JOIN clearance_step step ON step.id = status.step_id
                  JOIN clearance_station station ON station.id = status.station_id
                  LEFT JOIN clearance_class class ON class.id = form.class_id
                  LEFT JOIN clearance_room room ON room.id = form.room_id
                 ORDER BY %(order)s, student.student_number, step.sequence, step.id
                """,
                found=query.select(SQL.identifier("clearance_status", "id")),
                step=Step._field_to_sql("step", "name"),
                station=Station._field_to_sql("station", "name"),
                version=self.env["clearance.batch"]._version_sql(),
                missing=Status._missing_sql(
                    SQL("status.form_id"),
                    SQL("status.step_id"),
                    SQL(
                        """(SELECT concat(%s, ': ', %s)
                              FROM clearance_station prereq_station
                             WHERE prereq_station.id = prereq.station_id) AS name,
                           prereq_step.sequence, prereq.step_id""",
                        Station._field_to_sql("prereq_station", "name"),
                        Step._field_to_sql("prereq_step", "name"),
                    ),
                    SQL("JOIN clearance_step prereq_step ON prereq_step.id = prereq.step_id"),
                ),
                order=SQL("room.complete_name") if self.room_ids and not self.class_ids else SQL("class.name"),
            )
        )
        names = [column.name for column in self.env.cr.description]
        return [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]

    # -- words -----------------------------------------------------------------------------

    def _get_choices(self):
        """What is offered for the decision, in the user's language; reopened is only what is settled."""
        words = self._get_decision_words()
        return [word for word, decision in words.items() if decision != "reopen" or self.include == "all"]

    @api.model
    def _get_decision_words(self):
        """Words for the decisions in the user's language: dict ``{word: decision}``."""
        return {
            self.env._("✓ Confirm"): "approve",
            self.env._("✗ Reject"): "reject",
            self.env._("↺ Reopen"): "reopen",
        }

    @api.model
    def _get_labels(self):
        """Names of the columns that are read again: ``{kind: [name in each language, the user's first]}``."""
        labels = {}
        for sheet in self._in_each_language():
            for kind, label in (
                ("decision", sheet.env._("Decision")),
                ("remark", sheet.env._("Remark")),
                ("step", sheet.env._("Step")),
            ):
                labels.setdefault(kind, []).append(label)
        return labels

    @api.model
    def _get_all_words(self, company):
        """Words for decisions in every language, those of the campus for its states too."""
        words = {}
        for sheet in self._in_each_language():
            words |= sheet._get_decision_words()
        for sheet in self._in_each_language():
            legend = sheet.env["clearance.legend"]._get_words(company)
            for state, decision in (("approved", "approve"), ("rejected", "reject"), ("pending", None)):
                words.setdefault(legend[state], decision)
        return words

    @api.model
    def _in_each_language(self):
        """This model in each installed language, the user's first."""
        langs = [code for code, _name in self.env["res.lang"].get_installed()]
        own = self.env.lang or "en_US"
        return [self.with_context(lang=lang) for lang in (own, *(lang for lang in langs if lang != own))]

    # -- marks -------------------------------------------------------------------------------

    @api.model
    def _sign(self, status_id, made, version):
        """The mark of a row: see ``station_sheet.MARK``."""
        text = f"GC1.{int(status_id)}.{int(made)}.{version}"
        # sudo: the secret of the database, to sign with.
        return f"{text}.{hmac(self.env(su=True), _SIGNED_FOR, text)[:16]}"

    @api.model
    def _is_signed(self, mark):
        """Whether this database has made this mark."""
        text, _dot, signature = mark.rpartition(".")
        # sudo: the secret of the database, to sign with.
        return hmac(self.env(su=True), _SIGNED_FOR, text)[:16] == signature


#: indexes of columns, see ``_get_columns``
_DECISION, _REMARK, _MARK = 7, 8, 10
#: how many names a note shows of each kind
_NAMES_SHOWN = 3


def _name_few(records):
    names = records.mapped("display_name")
    return names if len(names) <= _NAMES_SHOWN else [*names[:_NAMES_SHOWN], "…"]
