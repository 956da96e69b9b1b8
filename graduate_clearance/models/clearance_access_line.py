import logging

from odoo import fields, models
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .clearance_access_facts import AccountFacts

_logger = logging.getLogger(__name__)

OUTCOMES = [
    ("todo", "To do"),
    ("created", "Account made"),
    ("reactivated", "Account taken back"),
    ("already", "Has access already"),
    ("failed", "Failed"),
    ("excluded", "Left out"),
]

#: why there is no account, or none from here
CODES = [
    ("archived", "The graduate is archived"),
    ("left", "The graduate has left without graduating"),
    ("gone", "The graduate is not on this campus any more"),
    ("staff", "The contact has a staff account, which is left as it is"),
    ("other_company", "The contact belongs to another campus"),
    ("other_company_account", "The contact has an account on another campus"),
    ("organisation", "The contact is an organisation"),
    ("not_portal", "The contact has an account that is not just for the portal, or whose access was revoked"),
    ("shared", "Another graduate has the same contact"),
    ("no_mail", "There is no mail address"),
    ("bad_mail", "The mail address is not valid"),
    ("no_number", "There is no student number"),
    ("login_taken", "Somebody else has this login"),
    ("duplicate", "Another graduate of this list would get the same login"),
    ("error", "An error occurred"),
]


class ClearanceAccessLine(models.Model):
    """What became of the account of one graduate.

    Thousands at once, written by their run only: managers read them.
    """

    _name = "clearance.access.line"
    _description = "Account of a Graduate"
    _log_access = False
    _order = "id"
    _rec_name = "student_id"

    access_id = fields.Many2one("clearance.access", required=True, readonly=True, index=True, ondelete="cascade")
    student_id = fields.Many2one("clearance.student", "Graduate", readonly=True, index=True, ondelete="cascade")
    student_number = fields.Char(related="student_id.student_number")
    class_id = fields.Many2one(related="student_id.class_id")
    college_id = fields.Many2one(related="student_id.college_id")
    email = fields.Char(related="student_id.email")
    login = fields.Char(readonly=True, help="What the graduate signs in with, or would.")
    has_mail = fields.Boolean("Mail address", readonly=True, help="Has a valid mail address.")
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True, default="todo")
    code = fields.Selection(CODES, "Why", readonly=True)
    detail = fields.Char("Details", readonly=True)
    # Related fields look at the mail as superuser: managers may know how their invitations fare.
    mail_id = fields.Many2one("mail.mail", "Invitation", readonly=True, index="btree_not_null", ondelete="set null")
    mail_state = fields.Selection(
        related="mail_id.state", string="Invitation waits", help="Empty once it has been sent."
    )
    mail_failure = fields.Text(related="mail_id.failure_reason", string="Why it was not sent")

    # Counted while it runs, and looked through for what is left.
    _access_outcome_idx = models.Index("(access_id, outcome, id)")

    def action_open_student(self):
        """Open the graduate of a row, to put right what was in the way."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "clearance.student",
            "res_id": self.student_id.id,
            "views": [(False, "form")],
        }

    # -- looking ---------------------------------------------------------------------

    def _look(self):
        """Find out what would become of these rows, which are of one list, and write it down."""
        facts = AccountFacts(self.access_id, self.student_id)
        return {line: line._note(facts.find(line.student_id)) for line in self}

    def _note(self, finding, **values):
        """Write a finding down; answer it.

        :param values: what differs from the finding
        """
        # sudo: rows are written by their run, nobody else may.
        self.sudo().write(
            {
                "outcome": finding.outcome,
                "code": finding.code,
                "detail": finding.detail,
                "login": finding.login,
                "has_mail": finding.has_mail,
                **values,
            }
        )
        return finding

    # -- giving ----------------------------------------------------------------------

    def _give(self):
        """Give these rows, which are of one list, their accounts.

        All in one go, which is quick; where that fails one by one, so that only what
        cannot be done is left, with the reason on its row.  A row that somebody else is at
        work on in this very moment stays to be done.
        """
        findings = self._look()
        ready = self.filtered(lambda line: findings[line].outcome == "todo")
        if not ready or ready._try_to_open(findings) is None:
            return
        for line in ready:
            error = line._try_to_open(findings)
            # Somebody else may have made the account meanwhile, a first sign-on for one.
            if error and line._look()[line].outcome == "todo":
                line._note_error(findings[line], error)

    def _note_error(self, finding, error):
        if isinstance(error, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            return
        _logger.warning("no account for %s: %s", self.login, error)
        self._note(finding, outcome="failed", code="error", detail=str(error).partition("\n")[0])

    def _try_to_open(self, findings):
        """Open the accounts of these rows, all or none of them.

        :return: the error, or None
        """
        try:
            with self.env.cr.savepoint():
                self._open_accounts(findings)
        except Exception as error:  # whatever it is, it must not stop the others
            return error
        return None

    def _open_accounts(self, findings):
        new = self.filtered(lambda line: not findings[line].user_id)
        old = self - new
        # sudo: managers do not administer users, and get no right to.  What is done here is
        # what Odoo lets everybody do who may edit contacts (its own “Grant portal access”),
        # and less: only for graduates of the own campus, only with the portal's group, never
        # for a contact with another account (see AccountFacts), never a password or a login
        # of an account that is there.
        Users = self.env["res.users"].sudo().with_context(**self._quiet)
        made = Users.create([line._prepare_account(findings[line]) for line in new])
        taken_back = Users.browse(findings[line].user_id for line in old)
        taken_back.write({"active": True})
        # Errors of the database belong to these rows.
        self.env.flush_all()
        for lines, outcome in ((new, "created"), (old, "reactivated")):
            for line in lines:
                line._note(findings[line], outcome=outcome)
        if self.access_id.send_mail:
            (new | old)._invite(made | taken_back)

    @property
    def _quiet(self):
        """No mail to the graduate, no note in the contact's chatter: the rows tell it all."""
        return {"no_reset_password": True, "mail_create_nolog": True, "mail_notrack": True, "tracking_disable": True}

    def _prepare_account(self, finding):
        """Values of a new account.  It has no password: one signs in by single sign-on or resets it."""
        company = self.access_id.company_id
        # sudo: the graduate's own contact and the campus' one
        partner, campus = self.student_id.sudo().partner_id, company.sudo().partner_id
        values = {
            "login": finding.login,
            "partner_id": partner.id,
            "company_id": company.id,
            "company_ids": [Command.set(company.ids)],
            "group_ids": [Command.set([self.env["ir.model.data"]._xmlid_to_res_id("base.group_portal")])],
        }
        # On the contact: what is known of the graduate stays.
        for name in ("lang", "tz"):
            if not partner[name] and campus[name]:
                values[name] = campus[name]
        return values

    # -- inviting ----------------------------------------------------------------------

    def _invite(self, users):
        """Queue Odoo's own invitation to these users, each in the own language; nothing is sent here.

        What goes wrong in writing one is an error of its row, account and all; what goes
        wrong in sending it is seen by ``mail_state``.

        :param users: the accounts of these rows, as superuser
        """
        users.partner_id.signup_prepare()
        template = self.env.ref("auth_signup.portal_set_password_email").sudo()  # sudo: managers read no templates
        # sudo: the graduate's own contact
        lines = {line.student_id.sudo().partner_id: line for line in self}
        for lang, addressees in users.grouped("lang").items():
            writer = template.with_context(lang=lang, dbname=self.env.cr.dbname, medium="portalinvite")
            mails = writer.send_mail_batch(addressees.ids, force_send=False)
            for mail in mails:
                user = addressees.browse(mail.res_id)
                lines[user.partner_id].sudo().mail_id = mail  # sudo: rows are written by their run
