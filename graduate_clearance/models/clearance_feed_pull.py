"""Fetching: source systems that do not report by themselves are asked when it is time."""

import logging
from collections import Counter
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_list

from .clearance_feed_run_line import OUTCOMES

_logger = logging.getLogger(__name__)

#: whoever may say where from and how: what stands there reaches into the server and its network
SYSTEM = "base.group_system"
#: minutes: how soon a failed pull is tried again, doubled each time, up to
_FIRST_RETRY = 5
_LAST_RETRY = 6 * 60
_SHORTEST = 5
#: how often a report is taken in anew that has met other reports and decisions
_TRIES = 3


class ClearanceFeed(models.Model):
    """Setting up a pull is for system administrators: it names folders, addresses and databases.

    Managers see that a system is pulled, when, and what went wrong, and may pull at once.  What the server
    allows and all secrets stand in its configuration (see ``feed_sources.settings``), never here.
    """

    _inherit = "clearance.feed"

    pull_kind = fields.Selection(
        [
            ("folder", "Files in a folder of the server"),
            ("http", "An address that answers JSON"),
            ("sql", "A query to a PostgreSQL database"),
        ],
        "Pulled from",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="Empty: the system reports by itself.",
    )
    pull_path = fields.Char(
        "Folder",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="Below one of the folders that the server allows (feed_folders).",
    )
    pull_pattern = fields.Char(
        "Names of files",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        default="*.csv",
        help="Such as “books*.csv” or “owed*.xlsx”.",
    )
    pull_files = fields.Selection(
        [("newest", "The newest"), ("each", "Each new one")],
        "Which of them",
        groups=SYSTEM,
        copy=False,
        default="newest",
    )
    pull_url = fields.Char(
        "Address",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="Its host must be one that the server allows (feed_hosts).",
    )
    pull_list_path = fields.Char(
        "Way to the list",
        groups=SYSTEM,
        copy=False,
        help="Names on the way to the list of rows in the answer, such as “data.items”. Empty: the answer is the list.",
    )
    pull_token_name = fields.Char(
        "Name of the secret",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="“library” sends what the server's configuration has as feed_token_library.",
    )
    pull_token_header = fields.Char(
        "Header of the secret", groups=SYSTEM, copy=False, help="Empty: Authorization, as Bearer."
    )
    pull_dsn_name = fields.Char(
        "Name of the connection",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="“library” connects to what the server's configuration has as feed_dsn_library.",
    )
    pull_query = fields.Text(
        "Query",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="One SELECT statement with a row for each graduate; it can only read.",
    )
    pull_number_column = fields.Char("Column of student numbers", groups=SYSTEM, copy=False)
    pull_quantity_column = fields.Char("Column of quantities", groups=SYSTEM, copy=False)
    pull_amount_column = fields.Char("Column of amounts", groups=SYSTEM, copy=False)
    pull_as_of_column = fields.Char(
        "Column of times",
        groups=SYSTEM,
        copy=False,
        help="When the system knew this; without a zone, by the clock of the campus.",
    )
    pull_note_column = fields.Char("Column of remarks", groups=SYSTEM, copy=False)
    pull_step_column = fields.Char(
        "Column of step codes", groups=SYSTEM, copy=False, help="Needed where the system settles several steps."
    )
    pull_complete = fields.Boolean(
        "Names everybody who owes",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        help="Whoever it does not name owes nothing, and is settled.",
    )
    pull_interval = fields.Integer(
        "Pulled every (minutes)",
        groups=SYSTEM,
        tracking=True,
        copy=False,
        default=60,
        help="0: only when somebody presses “Pull Now”.",
    )
    pull_failures = fields.Integer("Failures in a row", groups=SYSTEM, copy=False, readonly=True)
    #: ``{name of a file: fingerprint}`` of those that have been read
    pull_seen = fields.Json("Files read", groups=SYSTEM, copy=False, readonly=True)

    is_pulled = fields.Boolean("Pulled", compute="_compute_is_pulled", compute_sudo=True)
    pull_next_at = fields.Datetime("Next pull", readonly=True, copy=False)
    pull_last_at = fields.Datetime("Last pull", readonly=True, copy=False)
    pull_result = fields.Char("What it brought", readonly=True, copy=False)
    pull_problem = fields.Char("What went wrong", readonly=True, copy=False)

    _pull_interval_sensible = models.Constraint(
        f"CHECK(pull_interval = 0 OR pull_interval >= {_SHORTEST})",
        f"A source system is pulled every {_SHORTEST} minutes at most.",
    )

    @api.depends("pull_kind")
    def _compute_is_pulled(self):
        for feed in self:
            feed.is_pulled = bool(feed.pull_kind)

    @api.onchange("pull_interval")
    def _onchange_pull_interval(self):
        """Graduates read how often the figures are renewed."""
        if self.pull_kind and self.pull_interval:
            self.every = self.pull_interval

    @api.model_create_multi
    def create(self, vals_list):
        feeds = super().create(vals_list)
        # sudo: when to pull follows from what a system administrator has set, and from nothing else.
        feeds.sudo().filtered("pull_kind")._plan_pull()
        return feeds

    def write(self, vals):
        done = super().write(vals)
        if vals.keys() & self._get_pull_fields():
            # What is set up anew begins anew, at its time: there is a moment left to test it.
            self.write({"pull_failures": 0, "pull_seen": False, "pull_problem": False})
            self._plan_pull()
        return done

    @api.model
    def _get_pull_fields(self):
        """The fields that say what is pulled, and how."""
        kept = {"pull_failures", "pull_seen", "pull_next_at", "pull_last_at", "pull_result", "pull_problem"}
        return {name for name in self._fields if name.startswith("pull_")} - kept

    # -- when ------------------------------------------------------------------------

    def _plan_pull(self, soon=None):
        """Say when these systems are pulled next.

        :param int soon: in how many minutes, after a failure
        """
        cron = self.env.ref("graduate_clearance.ir_cron_pull_feeds", raise_if_not_found=False)
        for feed in self:
            minutes = soon or feed.pull_interval
            planned = feed.pull_kind and feed.pull_interval
            feed.pull_next_at = fields.Datetime.now() + timedelta(minutes=minutes) if planned else False
            if planned and cron:
                # sudo: whoever pulls may have it pulled again.
                cron.sudo()._trigger(feed.pull_next_at)

    def _plan_after_failure(self):
        """Try again soon, and later each time: a source that is down is not besieged."""
        self.pull_failures += 1
        minutes = _FIRST_RETRY * 2 ** min(self.pull_failures - 1, 10)
        self._plan_pull(min(minutes, max(self.pull_interval, _LAST_RETRY)))

    @api.model
    def _cron_pull(self):
        """Pull every system whose time has come; whatever becomes of one, the others follow."""
        commit = self.env["ir.cron"]._commit_progress
        domain = [("pull_kind", "!=", False), ("pull_next_at", "<=", fields.Datetime.now())]
        feeds = self.search(domain, order="pull_next_at, id")
        commit(remaining=len(feeds))
        for feed in feeds:
            feed._pull_or_recover(commit)
            if not commit(1):
                break

    def _claim_pull(self):
        """Make sure that nobody else pulls this system now.

        Its next time is set before it begins: should the server fall over, it is not pulled without end.
        """
        if not self.try_lock_for_update():
            return False
        self.invalidate_recordset(["pull_next_at"])
        if not self.pull_next_at or self.pull_next_at > fields.Datetime.now():
            return False
        self._plan_pull()
        return True

    def _pull_or_recover(self, commit):
        """Pull in the background: what fails is undone, told, and stops nothing else."""
        feed = self.with_context(lang=self.company_id.partner_id.lang)
        try:
            if self._claim_pull():
                commit()
                feed._pull(commit)
        except Exception as error:
            self.env.cr.rollback()
            if not isinstance(error, OperationalError):
                _logger.exception("Source system %s: what it said could not be taken in", self.id)
            feed._fail_pull(feed.env._("What it said could not be taken in: an error of the clearance itself."))

    # -- pulling -----------------------------------------------------------------------

    def _pull(self, commit=None):
        """Fetch what this system says, and take it in.

        What the source does wrong is recorded in the feed and its runs, not raised.

        :param commit: called before each report is taken in, so that what changed while the source was slow is seen;
            and reports that meet others are then tried again
        :return: whether nothing went wrong
        """
        self.ensure_one()
        now = fields.Datetime.now()
        counts, problems, count = Counter(), [], 0
        for report in self._fetch_reports():
            count += 1
            if not report.problem:
                try:
                    answer = self._take_in_report(report, commit)
                    counts.update(answer["counts"])
                    counts.update(answer["unnamed"])
                    problems += filter(None, [answer["message"]])
                except UserError as error:
                    report = report._replace(problem=error.args[0])
            if report.problem:
                self._record_failure("pull", report.problem, report.key)
                problems.append(report.problem)
            if report.fingerprint:
                self.pull_seen = {**(self.pull_seen or {}), report.key: report.fingerprint}
        if not problems and count:
            self._note_pull(now, self._describe_counts(counts))
        elif not problems:
            self._note_pull(now, self.env._("Nothing new."), keep_problem=True)
        else:
            self._note_failed_pull(now, problems[0])
        return not problems

    def _take_in_report(self, report, commit):
        """Take in one report; it is undone alone when it cannot be taken."""
        for remaining in reversed(range(_TRIES if commit else 1)):
            if commit:
                commit()
            try:
                with self.env.cr.savepoint():
                    return self._take_in(
                        report.rows,
                        "pull",
                        key=report.key,
                        as_of=report.as_of,
                        complete=self.pull_complete,
                    )
            except OperationalError:
                # Somebody has decided on the same graduates meanwhile. In a request, Odoo tries again by itself.
                if not remaining:
                    raise
                self.env.cr.rollback()
        return None

    def _note_pull(self, now, result, keep_problem=False):
        """Note a pull that went well; a file that could not be read stays told until another is."""
        values = {"pull_last_at": now, "pull_result": result}
        if not keep_problem:
            values.update(pull_problem=False, pull_failures=0)
        self.write(values)
        self._plan_pull()

    def _note_failed_pull(self, now, problem):
        self.write({"pull_last_at": now, "pull_result": False, "pull_problem": problem})
        self._plan_after_failure()

    def _fail_pull(self, problem):
        self._record_failure("pull", problem)
        self._note_failed_pull(fields.Datetime.now(), problem)

    def _describe_counts(self, counts):
        """What became of the rows, in words."""
        labels = dict(self.env["clearance.feed.run.line"]._fields["outcome"]._description_selection(self.env))
        parts = [
            self.env._("%(outcome)s: %(count)s", outcome=labels.get(code, code), count=counts[code])
            for code, _label in OUTCOMES
            if counts.get(code)
        ]
        return format_list(self.env, parts) if parts else self.env._("It named nobody.")

    # -- actions -----------------------------------------------------------------------

    def action_pull_now(self):
        """Fetch now what this system says; for managers.

        :return: a notice with what it brought, or what went wrong
        :raise AccessError: for others
        :raise UserError: when it is not pulled
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: how it is pulled is hidden from managers; that it is, is for them to ask.
        feed = self.sudo()
        if not feed.pull_kind:
            raise UserError(self.env._("%s is not pulled: it reports by itself.", self.name))
        if not feed.active:
            raise UserError(self.env._("%s is archived.", self.name))
        went_well = feed._pull()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if went_well else "danger",
                "sticky": not went_well,
                "message": feed.pull_result if went_well else feed.pull_problem,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_pull_test(self):
        """Show the first rows of the source and what they would do, without writing; for system administrators.

        :return: action that opens a ``clearance.feed.test``
        """
        self.ensure_one()
        self.check_access("write")
        if not self.env.user.has_group(SYSTEM):
            raise AccessError(self.env._("Only system administrators may test where a source system is pulled from."))
        return self.env["clearance.feed.test"]._open(self)
