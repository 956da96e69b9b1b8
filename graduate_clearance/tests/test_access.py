"""Accounts for thousands of graduates: whose, with which login, and nobody else's."""

import re
from unittest.mock import patch

from lxml import html

from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..models import clearance_access
from .common import ClearanceCommon
from .test_security import SecurityCase

_INTERNALS = ("_give", "_look", "_note", "_open_accounts", "_invite")


class AccessCase(ClearanceCommon):
    """Two of the six graduates have an account already."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.write({"lang": "en_US", "tz": "Asia/Shanghai"})
        cls.Users = cls.env["res.users"].with_context(active_test=False)

    def setUp(self):
        super().setUp()
        # A test must not commit.
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1000.0)

    def preview(self, students=None, user=None, **values):
        """A list with a preview, as a manager."""
        Access = self.env(user=user or self.manager)["clearance.access"]
        if students is None:
            values.setdefault("session_id", self.clearance.id)
            access = Access.create(values)
            access.action_preview()
            return access
        access = Access.browse(Access._action_for(students.with_user(Access.env.user))["res_id"])
        if values:
            access.write(values)
            access.action_preview()
        return access

    def give(self, *args, **kwargs):
        """A list that has been run."""
        access = self.preview(*args, **kwargs)
        access.action_start()
        self.run_cron()
        return access

    def run_cron(self):
        self.env["clearance.access"]._cron_run()
        self.env.invalidate_all()

    def row(self, access, student):
        return access.line_ids.filtered(lambda line: line.student_id == student)

    def said(self, access, student):
        """Outcome and reason of a graduate."""
        row = self.row(access, student)
        return row.outcome, row.code

    def account(self, student):
        """The accounts of these graduates."""
        return self.Users.search([("partner_id", "in", student.partner_id.ids)])

    def make_student(self, number, **values):
        return self.env["clearance.student"].create(
            {"student_number": number, "name": f"Graduate {number}", "class_id": self.class_m1.id, **values}
        )


@tagged("post_install", "-at_install")
class TestAccess(AccessCase):
    def test_preview_does_nothing(self):
        self.students[2].email = False
        before = self.Users.search_count([])
        access = self.preview()
        self.assertEqual(
            (access.row_count, access.todo_count, access.already_count, access.no_mail_count, access.failed_count),
            (6, 4, 2, 1, 0),
        )
        self.assertEqual(self.Users.search_count([]), before)
        self.assertEqual((access.state, access.user_id, access.name), ("draft", self.manager, "2026 undergraduates"))

    def test_accounts(self):
        student = self.students[2]
        student.partner_id.lang = student.partner_id.tz = False
        mails, notes = (self.env[model].search_count([]) for model in ("mail.mail", "mail.message"))
        access = self.give()
        self.assertEqual(
            (access.state, access.created_count, access.already_count, access.todo_count, access.progress),
            ("done", 4, 2, 0, 100),
        )
        self.assertTrue(access.started_at and access.done_at)
        user = self.account(student)
        self.assertEqual(user.login, "T26002")
        self.assertEqual(user.group_ids, self.env.ref("base.group_portal"))
        self.assertEqual((user.share, user.active), (True, True))
        self.assertEqual((user.company_id, user.company_ids), (self.campus, self.campus))
        self.assertEqual((user.lang, user.tz), ("en_US", "Asia/Shanghai"))
        self.assertEqual(user.name, "Test Graduate 2")
        self.env.cr.execute("SELECT count(*) FROM res_users WHERE id = %s AND password IS NULL", [user.id])
        self.assertEqual(self.env.cr.fetchone(), (1,))
        # No mail unless asked, and no note on a contact either.
        self.assertEqual([self.env[model].search_count([]) for model in ("mail.mail", "mail.message")], [mails, notes])
        self.assertFalse(student.partner_id.signup_type)

    def test_what_is_known_of_the_graduate_stays(self):
        student = self.students[2]
        student.partner_id.tz = "Europe/Paris"
        self.campus.partner_id.lang = False
        self.give(student)
        self.assertEqual(self.account(student).tz, "Europe/Paris")
        self.assertEqual(student.email, "t26002@example.com")

    def test_again_changes_nothing(self):
        self.give()
        count = self.Users.search_count([])
        access = self.preview()
        self.assertEqual((access.todo_count, access.already_count), (0, 6))
        with self.assertRaisesRegex(UserError, "nothing to do"):
            access.action_start()
        self.assertEqual(self.Users.search_count([]), count)

    # -- for whom ------------------------------------------------------------------

    def test_session_before_and_after_it_opens(self):
        late = self.make_student("T26009")
        self.assertIn(late, self.preview().line_ids.student_id)
        self.open_session()
        self.students[3].graduation_state = "postponed"
        self.students[4].graduation_state = "left"
        access = self.preview()
        self.assertEqual(self.env["clearance.form"].search_count([("state", "=", "withdrawn")]), 2)
        # Whose form says why there is nothing to do may read it; who has left may not.
        self.assertEqual(access.line_ids.student_id, self.students - self.students[4] + late)

    def test_colleges_and_classes(self):
        self.students[1].active = False
        self.assertEqual(
            self.preview(scope="college", college_ids=[Command.set(self.arts.ids)]).line_ids.student_id,
            self.students[3:],
        )
        access = self.preview(scope="class", class_ids=[Command.set((self.class_m1 | self.class_m2).ids)])
        self.assertEqual(access.line_ids.student_id, self.students[0] + self.students[2])

    def test_nobody(self):
        empty = self.env["clearance.class"].create({"name": "Empty", "college_id": self.mech.id})
        for values in ({"scope": "class"}, {"scope": "class", "class_ids": [Command.set(empty.ids)]}):
            with self.assertRaisesRegex(UserError, "Nobody"):
                self.preview(**values)

    def test_chosen_in_a_list(self):
        self.students[3].active = False
        self.students[4].graduation_state = "left"
        action = self.env.ref("graduate_clearance.clearance_access_action_students").with_user(self.manager)
        result = action.with_context(active_model="clearance.student", active_ids=self.students[2:].ids).run()
        access = self.env["clearance.access"].browse(result["res_id"])
        self.assertEqual((access.scope, access.row_count, access.excluded_count), ("selection", 4, 2))
        self.assertEqual(self.said(access, self.students[3]), ("excluded", "archived"))
        self.assertEqual(self.said(access, self.students[4]), ("excluded", "left"))
        self.assertEqual(access.name, "4 graduates")
        forms = self.open_session()
        action = self.env.ref("graduate_clearance.clearance_access_action_forms").with_user(self.manager)
        result = action.with_context(active_model="clearance.form", active_ids=forms.ids).run()
        access = self.env["clearance.access"].browse(result["res_id"])
        self.assertEqual(access.line_ids.student_id, forms.student_id)

    def test_new_criteria_need_a_new_preview(self):
        access = self.preview()
        access.send_mail = True
        self.assertFalse(access.previewed_at)
        with self.assertRaisesRegex(UserError, "preview"):
            access.action_start()

    def test_looked_at_again_when_it_runs(self):
        access = self.preview()
        access.action_start()
        self.students[2].active = False
        self.students[3].graduation_state = "left"
        self.run_cron()
        self.assertEqual(self.said(access, self.students[2]), ("excluded", "archived"))
        self.assertEqual(self.said(access, self.students[3]), ("excluded", "left"))
        self.assertFalse(self.account(self.students[2] | self.students[3]))
        self.assertEqual((access.created_count, access.state), (2, "done"))

    # -- whose account ---------------------------------------------------------------

    def test_archived_account_is_taken_back(self):
        user = self.other_graduate
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        before = self.env.cr.fetchone()
        user.write({"login": "chosen", "active": False})
        access = self.give()
        self.assertEqual(self.said(access, self.students[1]), ("reactivated", False))
        self.assertTrue(user.active)
        self.assertEqual((user.login, user.group_ids), ("chosen", self.env.ref("base.group_portal")))
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        self.assertEqual(self.env.cr.fetchone(), before)
        self.assertEqual(access.created_count, 5)

    def test_access_that_was_revoked_stays_so(self):
        wizard = self.env["portal.wizard"].create({"partner_ids": [Command.set(self.students[1].partner_id.ids)]})
        wizard.user_ids.action_revoke_access()
        access = self.give()
        self.assertEqual(self.said(access, self.students[1]), ("failed", "not_portal"))
        self.assertFalse(self.other_graduate.active)

    def test_archived_account_with_more_rights(self):
        group = self.env["res.groups"].create({"name": "Something more"})
        self.other_graduate.write({"group_ids": [Command.link(group.id)], "active": False})
        access = self.give()
        self.assertEqual(self.said(access, self.students[1]), ("failed", "not_portal"))
        self.assertFalse(self.other_graduate.active)

    def test_staff_are_left_alone(self):
        """A manager who makes somebody's contact a graduate's comes by nothing of theirs."""
        admin = self.env.ref("base.user_admin")
        archived = self._create_user("t_gone", "group_manager")
        archived.active = False
        mails = self.env["mail.mail"].search_count([])
        system = (admin, archived, self.env.ref("base.public_user"), self.env.ref("base.template_portal_user_id"))
        self.env.cr.execute("SELECT id, login, password, active FROM res_users ORDER BY id")
        before = self.env.cr.fetchall()
        groups = {user: user.group_ids for user in system}
        for user, code in zip(system, ("staff", "staff", "not_portal", "not_portal"), strict=True):
            for send_mail in (False, True):
                with self.subTest(user=user.login, send_mail=send_mail):
                    student = self.make_student(f"X{user.id}{send_mail}", email="somebody@example.com")
                    # As if the list had been started before the contacts were swapped, too.
                    access = self.preview(student, send_mail=send_mail)
                    access.action_start()
                    user.partner_id.company_id = False
                    student.with_user(self.manager).partner_id = user.partner_id
                    user.partner_id.email = user.email or "somebody@example.com"
                    self.run_cron()
                    self.assertEqual(self.said(access, student), ("failed", code))
                    self.assertFalse(user.partner_id.signup_type)
                    student.unlink()
        self.env.cr.execute("SELECT id, login, password, active FROM res_users ORDER BY id")
        self.assertEqual(self.env.cr.fetchall(), before)
        self.assertEqual({user: user.group_ids for user in system}, groups)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_contacts_of_other_campuses_and_organisations(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        partners = self.env["res.partner"].create(
            [
                {"name": "Of another campus", "company_id": other.id},
                {"name": "Ltd", "is_company": True},
                {"name": "Customer elsewhere"},
            ]
        )
        new_test_user(
            self.env,
            "customer",
            groups="base.group_portal",
            partner_id=partners[2].id,
            company_id=other.id,
            company_ids=other.ids,
        )
        students = self.students[2:5]
        for student, partner in zip(students, partners, strict=True):
            student.partner_id = partner
        access = self.give(students | self.students[5])
        self.assertEqual(
            [self.said(access, student)[1] for student in students],
            ["other_company", "organisation", "other_company_account"],
        )
        self.assertEqual(access.created_count, 1)
        self.assertEqual(len(self.account(students)), 1)

    def test_contact_of_two_graduates(self):
        self.students[3].partner_id = self.students[2].partner_id
        access = self.preview()
        self.assertEqual(self.said(access, self.students[2]), ("failed", "shared"))
        self.assertEqual(self.row(access, self.students[2]).detail, "T26003")
        self.assertEqual(self.row(access, self.students[3]).detail, "T26002")
        self.assertEqual(access.duplicate_count, 2)
        self.students[3].graduation_state = "left"
        self.assertEqual(self.said(self.preview(), self.students[2]), ("todo", False))

    def test_login_of_somebody_else(self):
        """In whatever spelling: a directory does not tell upper case from lower case."""
        self._create_user("t26002")
        self._create_user("gone").write({"login": "T26003", "active": False})
        access = self.give()
        for student in self.students[2:4]:
            self.assertEqual(self.said(access, student), ("failed", "login_taken"))
            row = self.row(access, student)
            self.assertEqual((row.student_number, row.login), (student.student_number, student.student_number))
            self.assertFalse(self.account(student))
        self.assertEqual((access.created_count, access.failed_count, access.duplicate_count), (2, 2, 2))

    def test_login_by_mail(self):
        self.students[2].email = "Two Names <Two@Example.COM>"
        self.students[3].email = False
        self.students[4].email = "nobody at home"
        self.students[5].email = "two@example.com"
        access = self.preview(login_from="email")
        self.assertEqual(
            [self.said(access, student) for student in self.students[2:]],
            [("failed", "duplicate"), ("failed", "no_mail"), ("failed", "bad_mail"), ("failed", "duplicate")],
        )
        self.assertEqual(self.row(access, self.students[4]).detail, "nobody at home")
        self.students[5].email = "five@example.com"
        self.give(login_from="email")
        self.assertEqual(self.account(self.students[2]).login, "two@example.com")
        # The address itself stays as it was written.
        self.assertEqual(self.students[2].email, "Two Names <Two@Example.COM>")

    # -- mail ------------------------------------------------------------------------

    def test_invitations_wait_in_the_queue_in_the_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("auth_signup.portal_set_password_email")
        template.with_context(lang="fr_FR").subject = "Votre compte"
        self.students[3].email = False
        self.students[4].partner_id.lang = "fr_FR"
        self.students[5].email = "wrong"
        self.other_graduate.active = False
        with patch.object(self.registry["ir.mail_server"], "send_email") as send:
            access = self.give(send_mail=True)
        send.assert_not_called()
        self.assertEqual(self.said(access, self.students[3]), ("failed", "no_mail"))
        self.assertEqual(self.said(access, self.students[5]), ("failed", "bad_mail"))
        self.assertFalse(self.account(self.students[3] | self.students[5]))
        self.assertFalse(self.row(access, self.students[0]).mail_id, "Who had access is not written to.")
        rows = [self.row(access, student) for student in self.students[:5]]
        self.assertEqual([row.mail_state for row in rows], [False, "outgoing", "outgoing", False, "outgoing"])
        mails = [rows[number].sudo().mail_id for number in (1, 2, 4)]
        self.assertEqual([mail.subject for mail in mails], ["Your account at Test Campus"] * 2 + ["Votre compte"])
        self.assertEqual(mails[1].recipient_ids, self.students[2].partner_id)
        self.assertIn("T26002", mails[1].body_html)
        self.assertIn("/web/signup?", mails[1].body_html)
        self.assertNotIn("T26004", mails[1].body_html)

    def test_invitation_that_cannot_be_sent(self):
        access = self.give(send_mail=True)
        mail = self.row(access, self.students[2]).sudo().mail_id
        mail.write({"state": "exception", "failure_reason": "Mailbox full"})
        self.env.invalidate_all()
        self.assertEqual((access.mail_failed_count, access.failed_count), (1, 0))
        action = access.with_context(outcome="mail_failed").action_open_lines()
        self.assertEqual(action["context"], {"search_default_mail_failed": 1})
        found = access.line_ids.search([*action["domain"], ("mail_state", "=", "exception")])
        self.assertEqual((found.student_id, found.mail_failure), (self.students[2], "Mailbox full"))
        access.action_retry()
        self.assertEqual(mail.state, "outgoing")
        mail.unlink()
        self.assertFalse(self.row(access, self.students[2]).mail_state)

    def test_invitation_that_cannot_be_written(self):
        """Neither mail nor account: tried again, it does both."""
        template = self.env.ref("auth_signup.portal_set_password_email")
        subject = template.subject
        template.subject = "{{ 1 / (0 if object.login == 'T26003' else 1) }}"
        row_logger = "odoo.addons.graduate_clearance.models.clearance_access_line"
        with mute_logger("odoo.addons.mail.models.mail_render_mixin", row_logger):
            access = self.give(send_mail=True)
        self.assertEqual(self.said(access, self.students[3]), ("failed", "error"))
        self.assertFalse(self.account(self.students[3]))
        self.assertEqual(access.created_count, 3)
        template.subject = subject
        access.action_retry()
        self.run_cron()
        self.assertEqual(self.said(access, self.students[3]), ("created", False))
        self.assertTrue(self.row(access, self.students[3]).mail_id)

    # -- running ------------------------------------------------------------------------

    def test_failure_of_one(self):
        Line = self.registry["clearance.access.line"]
        prepare = Line._prepare_account

        def fail(line, finding):
            if line.student_id == self.students[3]:
                raise ValueError("The directory\nis on fire")
            return prepare(line, finding)

        self.patch(Line, "_prepare_account", fail)
        with self.assertLogs("odoo.addons.graduate_clearance.models.clearance_access_line", "WARNING") as logged:
            access = self.give()
        self.assertIn("T26003", logged.output[0])
        self.assertEqual((access.state, access.created_count, access.failed_count), ("done", 3, 1))
        self.assertEqual(self.said(access, self.students[3]), ("failed", "error"))
        self.assertEqual(self.row(access, self.students[3]).detail, "The directory")
        self.assertEqual(access.failed_line_ids.student_id, self.students[3])
        action = access.failed_line_ids.action_open_student()
        self.assertEqual((action["res_model"], action["res_id"]), ("clearance.student", self.students[3].id))
        self.patch(Line, "_prepare_account", prepare)
        access.action_retry()
        self.assertEqual(access.state, "running")
        self.run_cron()
        self.assertEqual((access.state, access.created_count, access.failed_count), ("done", 4, 0))

    def test_failure_of_the_database(self):
        """A login that somebody else takes in the same moment."""
        Line = self.registry["clearance.access.line"]
        prepare = Line._prepare_account

        def collide(line, finding):
            values = prepare(line, finding)
            return {**values, "login": "T26000"} if line.student_id == self.students[3] else values

        self.patch(Line, "_prepare_account", collide)
        with mute_logger("odoo.sql_db", "odoo.addons.graduate_clearance.models.clearance_access_line"):
            access = self.give()
        self.assertEqual((access.state, access.created_count, access.failed_count), ("done", 3, 1))
        self.assertEqual(self.said(access, self.students[3]), ("failed", "error"))

    def test_account_made_meanwhile(self):
        """Somebody signs on for the first time while the list is at work: an account all the same."""
        Line = self.registry["clearance.access.line"]
        prepare = Line._prepare_account

        def overtake(line, finding):
            if line.student_id == self.students[3] and not self.account(self.students[3]):
                self.overtaken = True
                raise ValueError("Too late")
            return prepare(line, finding)

        look = Line._look

        def look_later(lines):
            if getattr(self, "overtaken", False) and len(lines) == 1 and not self.account(self.students[3]):
                new_test_user(
                    self.env,
                    "T26003",
                    groups="base.group_portal",
                    partner_id=self.students[3].partner_id.id,
                    company_id=self.campus.id,
                    company_ids=self.campus.ids,
                )
            return look(lines)

        self.patch(Line, "_prepare_account", overtake)
        self.patch(Line, "_look", look_later)
        access = self.give()
        self.assertEqual(self.said(access, self.students[3]), ("already", False))
        self.assertEqual((access.state, access.failed_count), ("done", 0))

    def test_goes_on_where_it_was_interrupted(self):
        self.patch(clearance_access, "CHUNK", 2)
        access = self.preview()
        access.action_start()
        # No time is left after the first part.
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda _cron, processed=0, **kw: 0 if processed else 9)
        self.run_cron()
        self.assertEqual((access.state, access.created_count, access.todo_count), ("running", 2, 2))
        self.run_cron()
        self.run_cron()
        self.assertEqual((access.state, access.created_count, access.todo_count), ("done", 4, 0))

    def test_stop_and_continue(self):
        self.patch(clearance_access, "CHUNK", 2)
        access = self.preview()
        access.action_start()

        def stop_after_the_first(_cron, processed=0, **kwargs):
            if processed:
                access.action_stop()
            return 1000.0

        self.patch(self.registry["ir.cron"], "_commit_progress", stop_after_the_first)
        self.run_cron()
        self.assertEqual((access.state, access.created_count, access.todo_count), ("stopped", 2, 2))
        self.run_cron()
        self.assertEqual(access.created_count, 2)
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1000.0)
        access.action_start()
        self.run_cron()
        self.assertEqual((access.state, access.created_count), ("done", 4))

    def test_scheduled_action_is_told(self):
        cron = self.env.ref("graduate_clearance.ir_cron_give_access")
        Trigger = self.env["ir.cron.trigger"]
        before = Trigger.search_count([("cron_id", "=", cron.id)])
        access = self.preview()
        access.action_start()
        self.assertEqual(Trigger.search_count([("cron_id", "=", cron.id)]), before + 1)
        self.assertEqual(cron.code, "model._cron_run()")

    def refuse_to_go_on(self, change):
        """Start as a manager who then is changed, and run."""
        access = self.preview()
        access.action_start()
        self.manager.write(change)
        with self.assertLogs("odoo.addons.graduate_clearance.models.clearance_access", "WARNING"):
            self.run_cron()
        self.assertEqual((access.sudo().state, access.sudo().created_count), ("stopped", 0))

    def test_of_who_is_no_manager_any_more(self):
        self.refuse_to_go_on({"group_ids": [Command.set([self.env.ref("base.group_user").id])]})

    def test_of_who_has_left(self):
        self.refuse_to_go_on({"active": False})

    def test_queries_do_not_grow_faster_than_graduates(self):
        counts = []
        for size in (10, 40):
            students = self.env["clearance.student"].browse()
            for number in range(size):
                students += self.make_student(f"Q{size}{number:03}", email=f"q{size}{number}@example.com")
            with self.env.cr.savepoint() as savepoint:
                self.give(students[:2])
                savepoint.rollback()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            access = self.give(students)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(access.created_count, size)
        each = (counts[1] - counts[0]) / 30
        self.assertLess(each, 8, counts)
        self.assertLess(counts[0], 90 + 10 * 8, counts)


@tagged("post_install", "-at_install")
class TestAccessRights(SecurityCase):
    """Asked as a remote caller would ask."""

    def setUp(self):
        super().setUp()
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1000.0)

    def make(self, user=None, **values):
        values = {"scope": "session", "session_id": self.clearance.id, **values}
        (access_id,) = self.rpc(user or self.manager, "clearance.access", "create", [values])
        return self.env["clearance.access"].sudo().browse(access_id)

    def test_only_managers(self):
        access = self.make()
        self.rpc(self.manager, "clearance.access", "action_preview", access.ids)
        for user in (
            self.auditor,
            self.deferral,
            self.librarian,
            self.counsellor,
            self.supervisor,
            self.lead,
            self.stranger,
            self.graduate,
            self.manager_b,
        ):
            with self.subTest(user=user.login):
                self.assert_denied(user, "clearance.access", "read", access.ids, ["state"])
                for method in ("action_preview", "action_start", "action_stop", "action_retry"):
                    self.assert_denied(user, "clearance.access", method, access.ids)
                self.assert_denied(user, "clearance.access", "create", [{"session_id": self.clearance.id}])
                self.assert_denied(user, "clearance.access.line", "read", access.line_ids.ids, ["login"])
        self.assertEqual(access.state, "draft")

    def test_of_the_own_campus_only(self):
        self.assert_denied(self.manager, "clearance.access", "create", [{"company_id": self.campus_b.id}])
        self.assert_denied(self.manager, "clearance.access", "create", [{"session_id": self.session_b.id}])
        Access = self.env(user=self.manager, context={})["clearance.access"]
        with self.assertRaises(AccessError):
            Access._action_for(self.student_b.with_user(self.manager))
        # Both campuses at once, as somebody who manages both.
        self.manager.company_ids += self.campus_b
        both = self.env(user=self.manager, context={"allowed_company_ids": self.manager.company_ids.ids})
        with self.assertRaisesRegex(UserError, "several campuses"):
            both["clearance.access"]._action_for((self.students[2] + self.student_b).with_env(both))

    def test_graduate_who_moves_to_another_campus(self):
        student = self.env["clearance.student"].create(
            {"student_number": "T26077", "name": "Mover", "company_id": self.campus.id}
        )
        Access = self.env(user=self.manager, context={})["clearance.access"]
        access = Access.browse(Access._action_for(student.with_user(self.manager))["res_id"])
        access.action_start()
        student.sudo().write({"company_id": self.campus_b.id})
        student.sudo().partner_id.company_id = self.campus_b
        self.env["clearance.access"].sudo()._cron_run()
        self.assertEqual((access.line_ids.outcome, access.line_ids.code), ("failed", "gone"))
        self.assertFalse(self.env["res.users"].search([("login", "=", "T26077")]))

    def test_nothing_but_the_criteria_can_be_written(self):
        access = self.make()
        admin = self.env.ref("base.user_admin")
        for values in ({"state": "running"}, {"user_id": admin.id}, {"previewed_at": "2026-01-01"}, {"line_ids": []}):
            with self.subTest(values=values):
                self.assert_denied(self.manager, "clearance.access", "write", access.ids, values)
                self.assert_denied(self.manager, "clearance.access", "create", [values])
        context = {"default_state": "running", "default_user_id": admin.id, "default_previewed_at": "2026-01-01"}
        (access_id,) = self.rpc(
            self.manager, "clearance.access", "create", [{"session_id": self.clearance.id}], context=context
        )
        made = access.browse(access_id)
        self.assertEqual((made.state, made.user_id, made.previewed_at), ("draft", self.manager, False))
        self.assert_denied(self.manager, "clearance.access", "action_start", access.ids)

    def test_rows_are_written_by_their_run(self):
        access = self.make()
        self.rpc(self.manager, "clearance.access", "action_preview", access.ids)
        row = access.line_ids[0]
        admin = self.env.ref("base.user_admin")
        student = self.env["clearance.student"].create({"student_number": "Z1", "partner_id": admin.partner_id.id})
        for method, values in (
            ("write", [row.ids, {"student_id": student.id}]),
            ("write", [row.ids, {"login": "admin"}]),
            ("create", [[{"access_id": access.id, "student_id": student.id}]]),
            ("unlink", [row.ids]),
        ):
            self.assert_denied(self.manager, "clearance.access.line", method, *values)

    def test_what_has_been_started_is_kept(self):
        access = self.make()
        self.rpc(self.manager, "clearance.access", "action_preview", access.ids)
        self.rpc(self.manager, "clearance.access", "action_start", access.ids)
        self.assert_denied(self.manager, "clearance.access", "write", access.ids, {"send_mail": True})
        self.assert_denied(self.manager, "clearance.access", "unlink", access.ids)
        draft = self.make()
        self.rpc(self.manager, "clearance.access", "unlink", draft.ids)
        self.assertFalse(draft.exists())

    def test_private_parts(self):
        access = self.make()
        self.rpc(self.manager, "clearance.access", "action_preview", access.ids)
        for method in ("_start", "_run", "_cron_run", "_record", "_take", "_action_for"):
            with self.subTest(method=method):
                self.assert_denied(self.manager, "clearance.access", method, access.ids)
        for method in _INTERNALS:
            with self.subTest(method=method):
                self.assert_denied(self.manager, "clearance.access.line", method, access.line_ids.ids)

    def test_action_is_offered_to_managers_only(self):
        for action in ("students", "forms"):
            action = self.env.ref(f"graduate_clearance.clearance_access_action_{action}")
            context = {"active_model": action.model_id.model, "active_ids": self.students.ids}
            with self.assertRaises(AccessError):
                action.with_user(self.lead).with_context(**context).run()

    def test_button_of_the_session(self):
        name = str(self.env.ref("graduate_clearance.clearance_access_action_session").id)
        for user, offered in ((self.manager, True), (self.lead, False)):
            arch = self.rpc(user, "clearance.session", "get_view", view_type="form")["arch"]
            self.assertEqual(bool(html.fromstring(arch).xpath("//button[@name=$name]", name=name)), offered)


@tagged("post_install", "-at_install")
class TestSignIn(AccessCase, HttpCase):
    """What graduates do with the account."""

    def post(self, url, **values):
        """Fill in the form of a page and send it; answer the page that follows."""
        token = html.fromstring(self.url_open(url).content).xpath("//input[@name='csrf_token']/@value")[0]
        return self.url_open(url, data={"csrf_token": token, **values})

    def sent(self):
        """Mails that have left."""
        Server = self.registry["ir.mail_server"]
        self.patch(Server, "_disable_send", lambda *args: False)
        self.patch(Server, "_connect__", lambda *args, **kwargs: None)
        sending = patch.object(Server, "send_email", autospec=True)
        self.addCleanup(sending.stop)
        return sending.start()

    def test_password_reset_with_the_student_number(self):
        self.give()
        send = self.sent()
        page = self.post("/web/reset_password", login="T26002")
        self.assertIn("Password reset instructions", page.text)
        (call,) = send.call_args_list
        message = call.args[1]
        self.assertIn("t26002@example.com", message["To"])
        body = message.get_body(("html",)).get_content()
        link = html.fromstring(body).xpath("//a[contains(@href, '/web/reset_password')]/@href")[0]
        url = re.sub(r"^https?://[^/]+", "", link)
        self.post(url, name="", login="T26002", password="a-New-Secret-26", confirm_password="a-New-Secret-26")
        self.authenticate("T26002", "a-New-Secret-26")
        # No form yet: a page that says so.
        self.assertIn("You take part in no clearance session.", self.url_open("/my/clearance").text)

    def test_invitation_leads_in(self):
        access = self.give(self.students[2], send_mail=True)
        body = access.line_ids.sudo().mail_id.body_html
        link = html.fromstring(body).xpath("//a[contains(@href, '/web/signup')]/@href")[0]
        url = re.sub(r"^https?://[^/]+", "", link)
        self.post(url, name="x", login="x", password="a-New-Secret-26", confirm_password="a-New-Secret-26")
        self.authenticate("T26002", "a-New-Secret-26")
        self.assertEqual(self.url_open("/my/clearance").status_code, 200)

    def test_single_sign_on_by_student_number(self):
        """As a directory does it (auth_ldap): whoever it vouches for is looked up by login."""
        self.open_session()
        Users = self.registry["res.users"]
        check = Users._check_credentials

        def vouch(user, credential, env):
            try:
                return check(user, credential, env)
            except AccessDenied:
                if credential.get("password") != "known to the directory":
                    raise
                return {"uid": user.env.uid, "auth_method": "ldap", "mfa": "default"}

        self.patch(Users, "_check_credentials", vouch)
        with mute_logger("odoo.addons.base.models.res_users"):
            page = self.post("/web/login", login="T26002", password="known to the directory")
            self.assertIn("Wrong login", page.text)
        self.give()
        self.post("/web/login", login="T26002", password="known to the directory")
        page = self.url_open("/my/clearance")
        self.assertIn("T26002", page.text)
        self.assertNotIn("T26003", page.text)

    def test_without_a_password_nobody_gets_in(self):
        self.give()
        for password in ("", "T26002", "False", "None"):
            page = self.post("/web/login", login="T26002", password=password)
            self.assertNotIn("/my", page.url)
