import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..texts import join_names

_logger = logging.getLogger(__name__)

#: accounts made in one transaction
CHUNK = 100

#: days after which a draft that nobody has started is forgotten
_DRAFT_DAYS = 30


class ClearanceAccess(models.Model):
    """Giving many graduates an account for the portal, in the background.

    A manager says for whom, looks at the preview, and starts it.  A scheduled action then
    makes the accounts as that manager, part by part, each part a transaction of its own:
    it goes on after a restart, and one graduate's failure stops nobody else's account.
    Rows are ``clearance.access.line``; what may be done to whose account is asked of
    ``clearance_access_facts.py``.
    """

    _name = "clearance.access"
    _description = "Portal Access"
    _inherit = ["clearance.criteria.mixin"]
    _order = "id desc"
    _check_company_auto = True

    #: what people fill in, as long as it has not been started
    _CRITERIA = frozenset({"scope", "session_id", "college_ids", "class_ids", "login_from", "send_mail"})
    _CRITERIA_OF_NEW = frozenset({"company_id"})

    name = fields.Char("For whom", compute="_compute_name")
    company_id = fields.Many2one(
        "res.company", "Campus", required=True, readonly=True, index=True, default=lambda self: self.env.company
    )
    scope = fields.Selection(
        [
            ("session", "A session"),
            ("college", "Colleges"),
            ("class", "Classes"),
            ("selection", "Graduates chosen in a list"),
        ],
        "Give it to",
        required=True,
        default="session",
    )
    session_id = fields.Many2one("clearance.session", index="btree_not_null", ondelete="cascade", check_company=True)
    college_ids = fields.Many2many("clearance.college", string="Colleges", check_company=True)
    class_ids = fields.Many2many("clearance.class", string="Classes", check_company=True)
    login_from = fields.Selection(
        [("number", "Student number"), ("email", "Mail address")],
        "Login",
        required=True,
        default="number",
        help="Single sign-on finds the account by it: most directories know the student number.",
    )
    send_mail = fields.Boolean(
        "Send invitations",
        help="Each new account gets Odoo's invitation to choose a password. "
        "Otherwise graduates come by single sign-on, or reset the password with their login.",
    )
    user_id = fields.Many2one(
        "res.users", "Who", required=True, readonly=True, index=True, copy=False, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("stopped", "Stopped"), ("done", "Done")],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    previewed_at = fields.Datetime(readonly=True, copy=False)
    started_at = fields.Datetime("Started", readonly=True, copy=False)
    done_at = fields.Datetime("Done at", readonly=True, copy=False)
    line_ids = fields.One2many("clearance.access.line", "access_id", "Rows", readonly=True, copy=False)
    failed_line_ids = fields.One2many(
        "clearance.access.line", "access_id", "Failures", domain=[("outcome", "=", "failed")], readonly=True, copy=False
    )
    # Read from the rows, never written: the run would write the same record as who stops it.
    row_count = fields.Integer("Graduates", compute="_compute_counts")
    todo_count = fields.Integer("To do", compute="_compute_counts")
    created_count = fields.Integer("Accounts made", compute="_compute_counts")
    already_count = fields.Integer("With access already", compute="_compute_counts")
    failed_count = fields.Integer("Failed", compute="_compute_counts")
    excluded_count = fields.Integer("Left out", compute="_compute_counts")
    no_mail_count = fields.Integer("To do without a mail address", compute="_compute_counts")
    duplicate_count = fields.Integer("Duplicates", compute="_compute_counts")
    mail_failed_count = fields.Integer("Invitations not sent", compute="_compute_mail_failed_count")
    progress = fields.Float("Progress (%)", compute="_compute_counts")

    _COUNTS = ("row", "todo", "created", "already", "failed", "excluded", "no_mail", "duplicate")

    # -- labels and figures --------------------------------------------------------------

    @api.depends("scope", "session_id.name", "college_ids.name", "class_ids.name", "line_ids")
    @api.depends_context("lang")
    def _compute_name(self):
        for access in self:
            names = (access.session_id or access.college_ids or access.class_ids).mapped("display_name")
            if access.scope == "selection":
                names = [self.env._("%s graduates", f"{access.row_count:,}")]
            elif len(names) > 3:
                names = [*names[:3], self.env._("… and %s more", len(names) - 3)]
            access.name = join_names(self.env, names) or self.env._("New portal access")

    @api.depends("line_ids.outcome", "line_ids.code", "line_ids.has_mail")
    def _compute_counts(self):
        groups = self.env["clearance.access.line"]._read_group(
            [("access_id", "in", self.ids)], ["access_id", "outcome", "code", "has_mail"], ["__count"]
        )
        counts = {access.id: dict.fromkeys(self._COUNTS, 0) for access in self}
        for access, outcome, code, has_mail, count in groups:
            found = counts[access.id]
            found["row"] += count
            found["created" if outcome == "reactivated" else outcome] += count
            if outcome == "todo" and not has_mail:
                found["no_mail"] += count
            if code in ("shared", "duplicate", "login_taken"):
                found["duplicate"] += count
        for access in self:
            found = counts[access.id]
            for name, count in found.items():
                access[f"{name}_count"] = count
            access.progress = 100 * (found["row"] - found["todo"]) / (found["row"] or 1)

    def _compute_mail_failed_count(self):
        groups = self.env["clearance.access.line"]._read_group(
            [("access_id", "in", self.ids), ("mail_state", "=", "exception")], ["access_id"], ["__count"]
        )
        counts = dict(groups)
        for access in self:
            access.mail_failed_count = counts.get(access, 0)

    # -- keeping it true -------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Make drafts, on the campus of their session."""
        return super().create([{**self._get_campus(vals), **vals} for vals in vals_list])

    @api.model
    def _get_untouched_values(self):
        return {"previewed_at": False, "started_at": False, "done_at": False, "failed_line_ids": []}

    @api.model
    def _get_stale_values(self):
        return {"previewed_at": False}

    @api.model
    def _get_refusals(self):
        return {
            "fields": self.env._("Portal access is previewed, started and stopped by its buttons."),
            "started": self.env._("This has been started: for whom and how can no longer be changed."),
        }

    @api.model
    def _get_campus(self, vals):
        """The campus of a new list: where there is a session, that one's."""
        session = self.env["clearance.session"].browse(vals.get("session_id") or [])
        return {"company_id": session.company_id.id} if session else {}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if any(access.state != "draft" for access in self):
            raise UserError(self.env._("What has been started is kept, to tell who gave access to whom."))

    @api.autovacuum
    def _gc_drafts(self):
        """Forget drafts that nobody has touched for a month; what has been started is kept."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=_DRAFT_DAYS)
        self.search([("state", "=", "draft"), ("write_date", "<", limit)], limit=1000).unlink()

    # -- for whom ------------------------------------------------------------------------

    @api.model
    def _action_for(self, records):
        """Open a preview for these graduates, or for those of these forms; behind the action of their lists.

        :param records: ``clearance.student`` or ``clearance.form``, of one campus
        :raise UserError: when they are of several campuses
        :raise AccessError: unless the user is a manager of that campus
        """
        students = records if records._name == "clearance.student" else records.student_id
        if len(students.company_id) > 1:
            raise UserError(self.env._("These graduates are of several campuses. Choose those of one."))
        access = self.create({"scope": "selection", "company_id": students.company_id.id or self.env.company.id})
        access._take(students)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Portal Access"),
            "res_model": self._name,
            "res_id": access.id,
            "views": [(False, "form")],
        }

    def _get_student_domain(self):
        """Graduates of the session, the colleges or the classes; without those who have left.

        Of a session that is not open yet those who will take part: accounts are made, and
        tried, before the day (Zhengzhou Light Industry).
        """
        self.ensure_one()
        if self.scope == "session":
            domain = self.session_id._get_population_domain() | Domain("form_ids.session_id", "=", self.session_id.id)
        else:
            field = {"college": "college_id", "class": "class_id"}[self.scope]
            domain = Domain(field, "in", self[f"{field}s"].ids)
        return domain & Domain("company_id", "=", self.company_id.id) & Domain("graduation_state", "!=", "left")

    def _find_students(self):
        """The graduates this is for, as far as the user sees them.

        :raise UserError: when nothing has been chosen
        """
        self.ensure_one()
        if self.scope == "selection":
            students = self.line_ids.student_id
        elif not self[{"session": "session_id", "college": "college_ids", "class": "class_ids"}[self.scope]]:
            students = self.env["clearance.student"]
        else:
            students = self.env["clearance.student"].search(self._get_student_domain())
        if not students:
            raise UserError(self.env._("Nobody is chosen, or nobody is left who could get access."))
        return students

    def _take(self, students):
        """Make the rows of these graduates, and look at each."""
        self.ensure_one()
        Line = self.env["clearance.access.line"]
        # sudo: rows are written by their list, nobody else may.
        self.line_ids.sudo().unlink()
        Line.sudo().create([{"access_id": self.id, "student_id": student.id} for student in students])
        # Looked at with the user's own rights.
        Line.search([("access_id", "=", self.id)])._look()
        self._record(previewed_at=fields.Datetime.now())

    # -- buttons -------------------------------------------------------------------------

    def action_preview(self):
        """Show what would become of each account; nothing is done to any.

        :raise UserError: when it has been started, or nobody is chosen
        """
        for access in self:
            access.check_access("write")
            if access.state != "draft":
                raise UserError(self.env._("This has been started."))
            access._take(access._find_students())

    def action_start(self):
        """Begin, or go on after a stop, as the user who presses the button.

        :raise UserError: without a fresh preview, or when there is nothing to do
        """
        for access in self:
            access.check_access("write")
            if access.state not in ("draft", "stopped") or not access.previewed_at:
                raise UserError(self.env._("Look at the preview first."))
            access._start()

    def action_stop(self):
        """Stop after the accounts that are just being made; the others stay to be done."""
        for access in self:
            access.check_access("write")
            if access.state == "running":
                access._record(state="stopped")

    def action_retry(self):
        """Look again at what has failed, and go on with what is no longer in the way.

        Invitations that could not be sent are queued again.
        """
        for access in self:
            access.check_access("write")
            if access.state not in ("done", "stopped"):
                raise UserError(self.env._("Only what has been run can be tried again."))
            # sudo: managers do not read mails; these are the invitations of their own list.
            access.line_ids.sudo().mail_id.filtered(lambda mail: mail.state == "exception").mark_outgoing()
            failed = access.failed_line_ids
            failed._look()
            if any(line.outcome == "todo" for line in failed):
                access._start()

    def action_open_lines(self):
        """Open the rows; context ``outcome`` shows those of one outcome."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_access_line_action")
        outcome = self.env.context.get("outcome")
        known = {*dict(self.env["clearance.access.line"]._fields["outcome"].selection), "mail_failed"}
        return {
            **action,
            "display_name": self.name,
            "domain": [("access_id", "=", self.id)],
            "context": {f"search_default_{outcome}": 1} if outcome in known else {},
        }

    # -- running -------------------------------------------------------------------------

    def _start(self):
        """Have the scheduled action take it up."""
        self.ensure_one()
        if not self.todo_count:
            raise UserError(self.env._("There is nothing to do."))
        self._record(
            state="running",
            user_id=self.env.uid,
            started_at=self.started_at or fields.Datetime.now(),
            done_at=False,
        )
        self.env.ref("graduate_clearance.ir_cron_give_access")._trigger()

    @api.model
    def _cron_run(self):
        """Make the accounts of everything that has been started."""
        started = self.search([("state", "=", "running")], order="id")
        commit = self.env["ir.cron"]._commit_progress
        commit(remaining=sum(started.mapped("todo_count")))
        for access in started:
            if not access._run(commit):
                break

    def _run(self, commit):
        """Make the accounts of one list, part by part, until it is done or stopped.

        :param commit: commits, and answers how many seconds are left
        :return: whether there is time for the next list
        """
        self.ensure_one()
        last = 0
        # Held while a part is made: who presses “Stop” waits for its end. Nothing of the list itself
        # is written on the way, so that the one who waits is not thrown back.
        while self.try_lock_for_update():
            self.invalidate_recordset()
            if self.state != "running" or not self._check_runner():
                break
            lines = self._get_next_lines(last)
            if lines:
                lines._give()
                last = lines[-1].id
            elif not self.todo_count:
                self._record(state="done", done_at=fields.Datetime.now())
            if not commit(sum(line.outcome != "todo" for line in lines)):
                return False
            if not lines:
                break
        return True

    def _check_runner(self):
        """Whether the one who started this may still do so; it is stopped where not."""
        user = self.user_id
        allowed = user.active and user.has_group("graduate_clearance.group_manager")
        if not allowed or self.company_id not in user.company_ids:
            _logger.warning("portal access %s is stopped: %s is not a manager any more", self.id, user.login)
            self._record(state="stopped")
            return False
        return True

    def _get_next_lines(self, last):
        """What is to be done next, with the rights of the manager who started it."""
        user = self.user_id
        context = {"lang": user.lang, "tz": user.tz, "allowed_company_ids": self.company_id.ids}
        Line = self.env["clearance.access.line"].with_user(user).with_context(**context)
        domain = [("access_id", "=", self.id), ("outcome", "=", "todo"), ("id", ">", last)]
        return Line.search(domain, limit=CHUNK, order="id")
