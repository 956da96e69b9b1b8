"""What each role may see and do, asked as a remote caller would ask."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ClearanceCommon


class SecurityCase(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()
        # A second campus with a graduate, a form and a manager of its own.
        cls.campus_b = cls.env["res.company"].create({"name": "Campus B"})
        cls.manager_b = cls._create_user("t_manager_b", "group_manager")
        cls.manager_b.write({"company_id": cls.campus_b.id, "company_ids": [Command.set(cls.campus_b.ids)]})
        env_b = cls.env(user=cls.manager_b, context=dict(cls.env.context, allowed_company_ids=cls.campus_b.ids))
        cls.station_b = env_b["clearance.station"].create({"name": "Library B"})
        cls.student_b = env_b["clearance.student"].create(
            {"student_number": "B1", "name": "Graduate of B", "graduation_year": 2026}
        )
        cls.session_b = env_b["clearance.session"].create(
            {
                "name": "B",
                "open_from": cls.clearance.open_from,
                "open_until": cls.clearance.open_until,
                "step_ids": [Command.create({"name": "Books B", "station_id": cls.station_b.id})],
            }
        )
        cls.session_b._open()
        cls.form_b = cls.session_b.form_ids
        # Roles come with a campus: a call without one in its context uses the user's own.
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=None))

    def rpc(self, user, model, method, *args, **kwargs):
        """Call a method as the web client or an API key of ``user`` would."""
        context = dict(kwargs.pop("context", {}))
        self.env.invalidate_all()
        env = self.env(user=user, context={})
        return call_kw(env[model], method, list(args), {**kwargs, "context": context})

    def seen(self, user, model, domain=()):
        """Ids that ``user`` finds."""
        rows = self.rpc(user, model, "search_read", list(domain), fields=["id"])
        return {row["id"] for row in rows}

    def assert_denied(self, user, model, method, *args, **kwargs):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.rpc(user, model, method, *args, **kwargs)


@tagged("post_install", "-at_install")
class TestVisibility(SecurityCase):
    """Who sees which graduates, forms, statuses, log lines."""

    def _expected(self):
        mech, arts = self.students[:3], self.students[3:]
        return [
            (self.manager, self.students),
            (self.auditor, self.students),
            (self.deferral, self.students),
            (self.librarian, self.students),
            (self.mech_clerk, mech),
            (self.arts_clerk, arts),
            (self.counsellor, self.students[:2]),
            (self.supervisor, self.students[3]),
            (self.lead, mech),
            (self.graduate, self.students[0]),
        ]

    def test_students_and_forms(self):
        for user, students in self._expected():
            with self.subTest(user=user.login):
                forms = self.forms.filtered(lambda form, students=students: form.student_id in students)
                self.assertEqual(self.seen(user, "clearance.form"), set(forms.ids))
                if user == self.graduate:
                    self.assert_denied(user, "clearance.student", "search_read", [], fields=["id"])
                else:
                    self.assertEqual(self.seen(user, "clearance.student"), set(students.ids))

    def test_statuses(self):
        Status = self.env["clearance.status"].sudo()
        every = [("session_id", "=", self.clearance.id)]
        for user, domain in [
            (self.manager, []),
            (self.auditor, []),
            (self.deferral, [("is_open", "=", True)]),
            (self.librarian, [("station_id", "=", self.library.id)]),
            (self.mech_clerk, [("station_id", "=", self.mech_desk.id)]),
            (self.counsellor, [("class_id", "=", self.class_m1.id)]),
            (self.supervisor, [("form_id.student_id", "=", self.students[3].id)]),
            (self.lead, [("college_id", "=", self.mech.id)]),
            (self.graduate, [("form_id", "=", self.forms[0].id)]),
        ]:
            with self.subTest(user=user.login):
                self.assertEqual(self.seen(user, "clearance.status"), set(Status.search(every + domain).ids))

    def test_naming_and_removing_an_operator_takes_effect_at_once(self):
        finance = self.statuses(self.fees)
        self.assertFalse(self.seen(self.librarian, "clearance.status", [("step_id", "=", self.fees.id)]))
        self.finance.operator_ids += self.librarian
        self.assertEqual(
            self.seen(self.librarian, "clearance.status", [("step_id", "=", self.fees.id)]), set(finance.ids)
        )
        self.finance.operator_ids -= self.librarian
        self.assertFalse(self.seen(self.librarian, "clearance.status", [("step_id", "=", self.fees.id)]))
        self.library.operator_ids -= self.librarian
        for model in ("status", "form", "student"):
            self.assertFalse(self.seen(self.librarian, f"clearance.{model}"), model)

    def test_log(self):
        self.settle_steps(self.card)
        self.decide(self.statuses(self.talk)[0], "approve")
        lines = self.env["clearance.log"].sudo().search([("session_id", "=", self.clearance.id)])
        self.assertEqual(len(lines), 7)
        self.assertEqual(self.seen(self.auditor, "clearance.log"), set(lines.ids))
        card_lines = lines.filtered(lambda line: line.step_id == self.card)
        self.assertEqual(self.seen(self.affairs, "clearance.log"), set(card_lines.ids))
        self.assertFalse(self.seen(self.librarian, "clearance.log"))
        own = lines.filtered(lambda line: line.form_id.class_id == self.class_m1)
        self.assertEqual(self.seen(self.counsellor, "clearance.log"), set(own.ids))
        self.assert_denied(self.graduate, "clearance.log", "search_read", [], fields=["id"])

    def test_strangers_see_nothing(self):
        for model in ("student", "form", "status", "log", "override", "session", "step", "station"):
            with self.subTest(model=model):
                self.assert_denied(self.stranger, f"clearance.{model}", "search_read", [], fields=["id"])

    def test_every_way_of_reading(self):
        """What is hidden from search is hidden from each other way of asking too."""
        foreign, form = self.students[3], self.forms[3]
        status = self.status(foreign, self.card)
        user = self.mech_clerk
        for record in (foreign, form, status):
            with self.subTest(model=record._name):
                model = record._name
                self.assert_denied(user, model, "read", record.ids, ["display_name"])
                self.assert_denied(user, model, "web_read", record.ids, {"display_name": {}})
                self.assert_denied(user, model, "export_data", record.ids, ["display_name"])
                self.assertEqual(self.rpc(user, model, "search_count", [("id", "=", record.id)]), 0)
                groups = self.rpc(user, model, "formatted_read_group", [("id", "=", record.id)], [], ["__count"])
                self.assertEqual(groups[0]["__count"], 0)
        names = self.rpc(user, "clearance.student", "name_search", "T26003")
        self.assertFalse(names)
        self.assertTrue(self.rpc(self.arts_clerk, "clearance.student", "name_search", "T26003"))

    def test_whole_record_of_own_graduates_only(self):
        rows = self.rpc(self.mech_clerk, "clearance.form", "read", self.forms[0].ids, ["record"])
        self.assertEqual(len(rows[0]["record"]), len(self.clearance.step_ids))
        self.assert_denied(self.mech_clerk, "clearance.form", "read", self.forms[3].ids, ["record"])

    def test_drafts_are_for_those_who_prepare_them(self):
        draft = self.clearance.copy()
        self.assertIn(draft.id, self.seen(self.manager, "clearance.session"))
        self.assertNotIn(draft.id, self.seen(self.librarian, "clearance.session"))
        self.assert_denied(self.graduate, "clearance.session", "search_read", [], fields=["id"])

    def test_attachments_and_messages_follow_the_form(self):
        form = self.forms[3]
        message = form.with_user(self.manager).message_post(body="Only for those who see the form")
        attachment = (
            self.env["ir.attachment"]
            .with_user(self.manager)
            .create({"name": "proof.txt", "raw": b"secret", "res_model": form._name, "res_id": form.id})
        )
        for user in (self.mech_clerk, self.counsellor, self.lead, self.stranger, self.graduate):
            with self.subTest(user=user.login):
                self.assert_denied(user, "mail.message", "read", message.ids, ["body"])
                self.assert_denied(user, "ir.attachment", "read", attachment.ids, ["raw"])
                self.assert_denied(user, form._name, "message_post", form.ids, body="hello")
        self.assertTrue(self.rpc(self.arts_clerk, "mail.message", "read", message.ids, ["body"]))
        self.rpc(self.arts_clerk, form._name, "message_post", form.ids, body="hello")


@tagged("post_install", "-at_install")
class TestIdNumber(SecurityCase):
    """ID-card numbers are for those who need them; others see them masked."""

    def test_field(self):
        student = self.students[0]
        for user in (self.librarian, self.mech_clerk, self.counsellor, self.lead, self.auditor, self.deferral):
            with self.subTest(user=user.login):
                [row] = self.rpc(user, "clearance.student", "read", student.ids, ["id_number_masked"])
                self.assertEqual(row["id_number_masked"], "990*************0X")
                self.assert_denied(user, "clearance.student", "read", student.ids, ["id_number"])
                self.assert_denied(user, "clearance.student", "export_data", student.ids, ["id_number"])
                for domain in ([("id_number", "like", "99%")], [("form_ids.student_id.id_number", "!=", False)]):
                    self.assert_denied(user, "clearance.student", "search_read", domain, ["id"])
                self.assert_denied(user, "clearance.student", "formatted_read_group", [], ["id_number"], ["__count"])
                self.assert_denied(user, "clearance.student", "search_read", [], ["id"], order="id_number")
                for model, path in (("form", "student_id"), ("status", "form_id.student_id")):
                    self.assert_denied(
                        user, f"clearance.{model}", "search_read", [(f"{path}.id_number", "like", "9")], ["id"]
                    )
                self.assertNotIn("id_number", self.rpc(user, "clearance.student", "fields_get"))

    def test_manager_and_setting(self):
        [row] = self.rpc(self.manager, "clearance.student", "read", self.students[0].ids, ["id_number"])
        self.assertEqual(row["id_number"], self.students[0].id_number)
        self.env["res.config.settings"].create({"group_clearance_id_number": True}).execute()
        [row] = self.rpc(self.librarian, "clearance.student", "read", self.students[0].ids, ["id_number"])
        self.assertEqual(row["id_number"], self.students[0].id_number)


@tagged("post_install", "-at_install")
class TestDoing(SecurityCase):
    """Who may change what."""

    def test_nobody_writes_statuses_log_or_forms(self):
        self.settle_steps(self.card)
        status, form = self.status(self.students[0], self.card), self.forms[0]
        log = self.env["clearance.log"].sudo().search([("form_id", "=", form.id)], limit=1)
        for user in (self.manager, self.auditor, self.affairs, self.lead, self.graduate, self.stranger):
            with self.subTest(user=user.login):
                self.assert_denied(user, "clearance.status", "write", status.ids, {"state": "pending"})
                self.assert_denied(user, "clearance.status", "write", status.ids, {"reason": "x"})
                self.assert_denied(user, "clearance.status", "create", {"form_id": form.id, "step_id": self.card.id})
                self.assert_denied(user, "clearance.status", "unlink", status.ids)
                self.assert_denied(user, "clearance.form", "write", form.ids, {"state": "cleared"})
                self.assert_denied(user, "clearance.form", "unlink", form.ids)
                self.assert_denied(user, "clearance.form", "create", {"student_id": self.students[0].id})
                self.assert_denied(user, "clearance.log", "write", log.ids, {"reason": "x"})
                self.assert_denied(user, "clearance.log", "unlink", log.ids)
                self.assert_denied(user, "clearance.log", "create", {"action": "approve"})
        self.assertEqual(status.state, "approved")

    def test_the_gate_is_no_remote_method(self):
        status = self.status(self.students[0], self.card)
        for method in ("_decide", "_pass_gate", "_mark_for_review", "_get_record_rows", "_explain"):
            with self.subTest(method=method):
                self.assert_denied(self.affairs, "clearance.status", method, status.ids, "approve", "feed")
        for model, method in (
            ("clearance.session", "_open"),
            ("clearance.session", "_set_state"),
            ("clearance.form", "_settle"),
            ("clearance.demo", "generate"),
        ):
            with self.subTest(method=method):
                self.assert_denied(self.manager, model, method, [])

    def test_context_opens_no_door(self):
        for user in (self.affairs, self.manager):
            self.assert_denied(
                user,
                "clearance.session",
                "write",
                self.clearance.ids,
                {"state": "closed"},
                context={"clearance_session_transition": True},
            )
        values = self.clearance.copy_data()[0]
        self.assert_denied(self.manager, "clearance.session", "create", {**values, "state": "open"})
        override = self.env["clearance.override"].create(
            {"status_id": self.status(self.students[0], self.fees).id, "reason": "proof"}
        )
        for user in (self.affairs, self.deferral, self.manager):
            self.assert_denied(
                user,
                "clearance.override",
                "write",
                override.ids,
                {"restored_at": False},
                context={"clearance_restore": True},
            )
        values = {"status_id": self.status(self.students[1], self.fees).id, "reason": "proof"}
        self.assert_denied(self.deferral, "clearance.override", "create", {**values, "granted_by_id": self.manager.id})

    def test_decisions_by_rpc(self):
        own = self.status(self.students[0], self.card)
        foreign = self.status(self.students[0], self.books)
        answers = self.rpc(self.affairs, "clearance.status", "decide", (own | foreign).ids, "approve", "ok")
        self.assertEqual([answer["outcome"] for answer in answers], ["done", "not_yours"])
        answers = self.rpc(self.graduate, "clearance.status", "decide", own.ids, "reopen", "ok")
        self.assertEqual(answers[0]["outcome"], "not_yours")
        answers = self.rpc(self.stranger, "clearance.status", "decide", own.ids, "reopen", "ok")
        self.assertEqual(answers[0]["outcome"], "not_yours")
        self.assert_denied(self.stranger, "clearance.status", "action_approve", own.ids)

    def test_configuration_is_the_managers(self):
        records = (
            self.clearance | self.clearance,
            self.card,
            self.library,
            self.mech,
            self.class_m1,
            self.north,
            self.loan_trait,
            self.students[0],
        )
        for record in records:
            with self.subTest(model=record._name):
                model = record._name
                for user in (self.affairs, self.lead, self.counsellor, self.deferral, self.auditor, self.graduate):
                    self.assert_denied(user, model, "write", record.ids, {"active": True})
                    self.assert_denied(user, model, "unlink", record.ids)
                self.rpc(self.manager, model, "write", record.ids, {"active": True})
        for method in ("action_close", "action_reopen"):
            self.assert_denied(self.affairs, "clearance.session", method, self.clearance.ids)
        self.assert_denied(self.affairs, "clearance.session.open", "create", {"session_id": self.clearance.id})

    def test_deferrals_are_the_officers(self):
        status = self.status(self.students[0], self.fees)
        values = {"status_id": status.id, "reason": "proof"}
        for user in (self.cashier, self.auditor, self.lead, self.counsellor, self.graduate, self.stranger):
            with self.subTest(user=user.login):
                self.assert_denied(user, "clearance.override", "create", dict(values))
        override = self.rpc(self.deferral, "clearance.override", "create", dict(values))
        self.assert_denied(self.cashier, "clearance.override", "action_restore", [override])
        self.assert_denied(self.deferral, "clearance.override", "unlink", [override])
        self.assert_denied(self.deferral, "clearance.override", "write", [override], {"restored_at": False})
        self.rpc(self.deferral, "clearance.override", "action_restore", [override])


@tagged("post_install", "-at_install")
class TestCampuses(SecurityCase):
    """A campus is a company: nothing leaks between companies."""

    def test_nothing_leaks(self):
        models = {
            "clearance.student": (self.students[0], self.student_b),
            "clearance.form": (self.forms[0], self.form_b),
            "clearance.session": (self.clearance, self.session_b),
            "clearance.station": (self.library, self.station_b),
            "clearance.step": (self.card, self.session_b.step_ids),
            "clearance.status": (self.forms[0].status_ids[0], self.form_b.status_ids),
        }
        for model, (ours, theirs) in models.items():
            with self.subTest(model=model):
                ours, theirs = ours.sudo(), theirs.sudo()
                self.assertIn(ours.id, self.seen(self.manager, model))
                self.assertNotIn(theirs.id, self.seen(self.manager, model))
                self.assertIn(theirs.id, self.seen(self.manager_b, model))
                self.assertNotIn(ours.id, self.seen(self.manager_b, model))
                self.assert_denied(self.manager, model, "read", theirs.ids, ["display_name"])

    def test_no_decision_over_there(self):
        [answer] = self.rpc(self.manager, "clearance.status", "decide", self.form_b.sudo().status_ids.ids, "approve")
        self.assertEqual(answer["outcome"], "not_yours")
        self.assert_denied(
            self.deferral,
            "clearance.override",
            "create",
            {"status_id": self.form_b.sudo().status_ids.id, "reason": "x"},
        )

    def test_campuses_do_not_mix(self):
        self.assert_denied(self.manager, "clearance.step", "write", self.card.ids, {"station_id": self.station_b.id})


@tagged("post_install", "-at_install")
class TestOverHttp(SecurityCase, HttpCase):
    """The same questions over the wire."""

    def _call(self, model, method, *args, **kwargs):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    @mute_logger("odoo.http")
    def test_operator(self):
        self.authenticate("t_mech_clerk", "t_mech_clerk")
        rows = self._call("clearance.form", "search_read", [], ["student_number"])
        self.assertEqual({row["student_number"] for row in rows}, {"T26000", "T26001", "T26002"})
        status = self.status(self.students[0], self.card)
        [answer] = self._call("clearance.status", "decide", status.ids, "approve")
        self.assertEqual(answer["outcome"], "not_yours")
        for method, args in (
            ("write", [status.ids, {"state": "approved"}]),
            ("_decide", [status.ids, "approve", "feed"]),
        ):
            with self.assertRaises(Exception) as caught:
                self._call("clearance.status", method, *args)
            self.assertRegex(str(caught.exception), "(UserError|AccessError)")
        self.assertEqual(status.state, "pending")

    @mute_logger("odoo.http")
    def test_anonymous(self):
        with self.assertRaises(Exception) as caught:
            self._call("clearance.form", "search_read", [], ["id"])
        self.assertIn("Session", str(caught.exception))
