"""What stands between a graduate and an account for the portal: read for many at once, decided one by one."""

from ast import literal_eval
from collections import Counter
from typing import NamedTuple

from odoo.fields import Domain
from odoo.tools import email_normalize

from ..texts import join_names


class Finding(NamedTuple):
    """What is, or would become, of the account of a graduate.

    ``outcome`` and ``code`` as on ``clearance.access.line``; ``user_id`` is the archived
    account to take out of the archive, where there is one.
    """

    outcome: str
    code: str | bool = False
    detail: str | bool = False
    login: str | bool = False
    has_mail: bool = False
    user_id: int | bool = False


class AccountFacts:
    """Contacts, accounts and logins of some graduates, in a number of queries that does not depend on how many.

    The preview and the run ask the same questions here, so a preview promises nothing
    that the run would not look at again.
    """

    def __init__(self, access, students):
        """Read what is needed about ``students``.

        :param access: the ``clearance.access``, as the manager who gives the access
        :param students: ``clearance.student``; those whom this manager may not read, or of
            another campus, are reported as gone
        """
        self.env = access.env
        self.access = access
        self.by_mail = access.login_from == "email"
        # sudo: managers do not read groups.
        self.portal = self.env.ref("base.group_portal").sudo()
        self.system_ids = self._read_system_ids()
        visible = self.env["clearance.student"].with_context(active_test=False)
        self.students = visible.search([("id", "in", students.ids), ("company_id", "=", access.company_id.id)])
        self.student_ids = set(self.students.ids)
        # sudo: contacts and accounts are looked at to find out whether they may be used;
        # what the manager is told of them is the login that is in the way, and nothing else.
        self.partners = self.students.sudo().partner_id
        self.accounts = self._read_accounts()
        self.sharers = self._read_sharers()
        self.mails = {partner: email_normalize(partner.email) or "" for partner in self.partners}
        self.wanted = {student: self._wanted_login(student) for student in self.students}
        self.takers = self._read_takers()
        self.wishes = Counter(login.lower() for login in self.wanted.values() if login)

    def _read_system_ids(self):
        """Accounts that belong to nobody: the pattern for new ones and the public one."""
        named = (self.env.ref(name, False) for name in ("base.template_portal_user_id", "base.public_user"))
        # sudo: which account is the pattern is a setting of the system.
        pattern = self.env["ir.config_parameter"].sudo().get_param("base.template_portal_user_id", "False")
        return {user.id for user in named if user} | {literal_eval(pattern)}

    def _read_accounts(self):
        """Accounts by contact, archived ones included."""
        # sudo: as above
        Users = self.env["res.users"].sudo().with_context(active_test=False)
        return Users.search([("partner_id", "in", self.partners.ids)], order="active DESC, id DESC").grouped(
            "partner_id"
        )

    def _read_sharers(self):
        """Graduates by contact, of whatever campus: a contact that two have is nobody's own."""
        # sudo: as above; of another campus it is only told that there is somebody.
        Student = self.env["clearance.student"].sudo().with_context(active_test=True)
        domain = Domain("partner_id", "in", self.partners.ids) & Domain("graduation_state", "!=", "left")
        return Student.search(domain).grouped("partner_id")

    def _read_takers(self):
        """Accounts by login in lower case: a directory (LDAP) does not tell upper case from lower case."""
        logins = {spelt for login in self.wanted.values() if login for spelt in (login, login.lower(), login.upper())}
        # sudo: as above
        Users = self.env["res.users"].sudo().with_context(active_test=False)
        return {user.login.lower(): user for user in Users.search([("login", "in", list(logins))])}

    def _wanted_login(self, student):
        # sudo: as above
        return self.mails[student.sudo().partner_id] if self.by_mail else (student.student_number or "").strip()

    # -- the answer ----------------------------------------------------------------

    def find(self, student):
        """What becomes of the account of one of the graduates asked about.

        :return: a :class:`Finding`; ``todo`` where nothing is in the way
        """
        if student.id not in self.student_ids:
            return Finding("failed", "gone")
        # sudo: as above
        partner = student.sudo().partner_id
        finding = (
            self._find_reason_to_leave_out(student)
            or self._find_odd_contact(partner)
            or self._find_account(partner)
            or self._find_sharer(student, partner)
            or self._find_bad_mail(partner)
            or self._find_archived(partner)
            or self._find_taken_login(student, partner)
            or Finding("todo", login=self.wanted[student])
        )
        return finding._replace(has_mail=bool(self.mails[partner]))

    def _find_reason_to_leave_out(self, student):
        if not student.active:
            return Finding("excluded", "archived")
        if student.graduation_state == "left":
            return Finding("excluded", "left")
        return None

    def _find_odd_contact(self, partner):
        """A contact of another campus, or of an organisation, is not the graduate's own."""
        if partner.company_id and partner.company_id != self.access.company_id:
            return Finding("failed", "other_company")
        if partner.is_company:
            return Finding("failed", "organisation")
        return None

    def _find_account(self, partner):
        """Accounts that are left as they are: of staff, of the system, and those that work already.

        Staff who came to be the contact of a graduate, archived staff too, are not
        touched: nobody may come by rights of theirs through a roster.
        """
        accounts = self.accounts.get(partner, ())
        if any(not user.share for user in accounts):
            return Finding("failed", "staff")
        if any(user.id in self.system_ids for user in accounts):
            return Finding("failed", "not_portal")
        user = next((user for user in accounts if user.active), None)
        if not user:
            return None
        if self.portal not in user.group_ids:
            return Finding("failed", "not_portal", login=user.login)
        if self.access.company_id not in user.company_ids:
            return Finding("failed", "other_company_account", login=user.login)
        return Finding("already", login=user.login)

    def _find_sharer(self, student, partner):
        others = self.sharers.get(partner, student) - student
        if not others:
            return None
        own = others.filtered(lambda other: other.company_id == self.access.company_id)
        return Finding("failed", "shared", detail=join_names(self.env, own.mapped("student_number")) or False)

    def _find_bad_mail(self, partner):
        if self.mails[partner] or not (self.by_mail or self.access.send_mail):
            return None
        if (partner.email or "").strip():
            return Finding("failed", "bad_mail", detail=partner.email)
        return Finding("failed", "no_mail")

    def _find_archived(self, partner):
        """An archived account is taken back when it was for the portal and for nothing more.

        Revoking an access by hand makes it a public one: what somebody has taken away on
        purpose is not given back by the thousand.
        """
        user = next(iter(self.accounts.get(partner, ())), None)
        if not user:
            return None
        if self.portal not in user.group_ids or user.all_group_ids - self.portal.all_implied_ids:
            return Finding("failed", "not_portal", login=user.login)
        if self.access.company_id not in user.company_ids:
            return Finding("failed", "other_company_account", login=user.login)
        return Finding("todo", login=user.login, user_id=user.id)

    def _find_taken_login(self, student, partner):
        login = self.wanted[student]
        if not login:
            return Finding("failed", "no_number")
        taker = self.takers.get(login.lower())
        if taker and taker.partner_id != partner:
            return Finding("failed", "login_taken", login=login)
        if self.wishes[login.lower()] > 1:
            return Finding("failed", "duplicate", login=login)
        return None
