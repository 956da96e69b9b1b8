from lxml import etree

from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestViews(ClearanceCommon):
    """Every screen opens for everybody who finds it in the menu."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()
        cls.roles = (
            cls.manager | cls.auditor | cls.deferral | cls.librarian | cls.counsellor | cls.supervisor | cls.lead
        )

    def _get_menus(self, user):
        """Names of the menus of this addon and their actions (model, id), as ``user`` sees them."""
        menus = self.env["ir.ui.menu"].with_user(user).load_menus(False)
        root = self.env.ref("graduate_clearance.clearance_menu").id
        return {
            menu["xmlid"].split(".")[-1]: (menu["action_model"], menu["action_id"])
            for menu in menus.values()
            if menu["id"] and menu["app_id"] == root and menu["id"] != root
        }

    def _get_actions(self, user):
        # As the web client's loader does: who sees the menu may load its action.
        Action = self.env["ir.actions.act_window"]
        return Action.browse({id_ for model, id_ in self._get_menus(user).values() if model == Action._name})

    def test_menus_by_role(self):
        """Everybody finds the own work, and nothing that belongs to others."""
        sent = {"clearance_submission_menu", "clearance_inquiry_menu"}
        batches = {"clearance_batch_menu", "clearance_batch_menu_debts", "clearance_station_sheet_menu"}
        desk = {"clearance_desk_menu", *batches, *sent}
        given = {"clearance_desk_menu_given", *batches, *sent}
        certificates = {"clearance_certificate_menu", "clearance_print_menu"}
        deferrals = {"clearance_override_menu", "clearance_deferral_menu", "clearance_override_menu_all"}
        own = {
            self.librarian: {*desk, "clearance_status_menu", "clearance_station_menu_mine"},
            self.counsellor: {
                *given,
                *certificates,
                "clearance_form_menu_counsellor",
                "clearance_status_menu_given",
            },
            self.supervisor: {*given, "clearance_form_menu_supervisor", "clearance_status_menu_given"},
            self.lead: {*certificates, "clearance_form_menu_college_lead"},
            self.deferral: {*deferrals, "clearance_print_menu", "clearance_batch_menu"},
            self.auditor: {*certificates, "clearance_feed_run_menu", "clearance_submission_menu"},
            self.manager: {
                *desk,
                *deferrals,
                *certificates,
                "clearance_access_menu",
                "clearance_roster_import_menu",
                "clearance_roster_column_menu",
                "clearance_college_menu",
                "clearance_feed_menu",
                "clearance_feed_run_menu",
                "clearance_step_menu",
            },
        }
        personal = set().union(*own.values())
        for user, expected in own.items():
            with self.subTest(user=user.login):
                menus = set(self._get_menus(user))
                self.assertEqual(menus & personal, expected)
                shared = {"clearance_session_menu", "clearance_form_menu", "clearance_log_menu"}
                self.assertLessEqual({*shared, "clearance_export_choose_menu"}, menus)
        self.assertFalse(self._get_menus(self.stranger), "No role, no application.")

    def test_every_view_loads_for_every_role(self):
        for user in self.roles:
            for action in self._get_actions(user):
                with self.subTest(user=user.login, action=action.name, model=action.res_model):
                    self._check_action(action, user)

    def _check_action(self, action, user):
        values = action.read(["views", "search_view_id"])[0]
        views = [*values["views"], (values["search_view_id"] and values["search_view_id"][0], "search")]
        model = self.env[action.res_model].with_user(user).with_context(**self._get_context(action, user))
        archs = {kind: etree.fromstring(view["arch"]) for kind, view in model.get_views(views)["views"].items()}
        self._check_search(archs["search"], model, action)
        for kind in archs.keys() & {"list", "kanban", "form"}:
            self._check_read(archs[kind], model)
        for kind in archs.keys() & {"pivot", "graph"}:
            self._check_groups(archs[kind], model)

    def _get_context(self, action, user):
        return safe_eval(action.context or "{}", {"uid": user.id})

    def _check_search(self, arch, model, action):
        """All filters and groupings run; those on by default exist."""
        names = set()
        for node in arch.iter("filter"):
            names.add(node.get("name"))
            if node.get("domain"):
                model.search_count(safe_eval(node.get("domain"), {"uid": model.env.uid}), limit=1)
            if node.get("context"):
                group_by = safe_eval(node.get("context"))["group_by"]
                # Of properties the web client offers each one by itself.
                if model._fields[group_by.split(":")[0]].type != "properties":
                    model.formatted_read_group([], [group_by], ["__count"])
        names |= {node.get("name") for node in arch.iter("field")}
        for key in model.env.context:
            if key.startswith("search_default_"):
                self.assertIn(key.removeprefix("search_default_"), names, action.name)

    def _check_read(self, arch, model):
        """The fields of the view itself, without those of lists within it, can be read."""
        if model._name == "res.config.settings":
            return
        names = {
            node.get("name")
            for node in arch.iter("field")
            if not any(parent.tag == "field" for parent in node.iterancestors())
        }
        model.web_search_read([], {name: {} for name in names}, limit=3)

    def _check_groups(self, arch, model):
        names = [node.get("name") for node in arch.iter("field") if node.get("type") != "measure"]
        specs = [f"{name}:day" if model._fields[name].type == "datetime" else name for name in names]
        self.assertTrue(model.formatted_read_group([], specs, ["__count"]) or not model.search_count([]))

    def test_names_used_by_buttons(self):
        """Filters that the methods of the models switch on by name are there."""
        for record, method in (
            (self.library, "action_open_statuses"),
            (self.card, "action_open_statuses"),
            (self.clearance, "action_open_forms"),
            (self.clearance, "action_open_statuses"),
            (self.students[0], "action_open_forms"),
        ):
            action = getattr(record.with_user(self.manager), method)()
            model = self.env[action["res_model"]].with_user(self.manager)
            views = model.get_views([*action["views"], (False, "search")])["views"]
            arch = etree.fromstring(views["search"]["arch"])
            names = {node.get("name") for node in arch.iter("filter", "field")}
            wanted = {key.removeprefix("search_default_") for key in action["context"] if "search_default_" in key}
            self.assertLessEqual(wanted, names)

    def test_id_number_on_the_roster(self):
        """The number in full is for its group; others see it masked."""
        view = [(self.env.ref("graduate_clearance.clearance_student_view_form").id, "form")]
        for user, shown, hidden in (
            (self.manager, "id_number", "id_number_masked"),
            (self.lead, "id_number_masked", "id_number"),
        ):
            arch = self.env["clearance.student"].with_user(user).get_views(view)["views"]["form"]["arch"]
            names = {node.get("name") for node in etree.fromstring(arch).iter("field")}
            self.assertIn(shown, names)
            self.assertNotIn(hidden, names)

    def test_states_are_columns_in_order(self):
        """The kanban's columns follow the process, empty usual ones included."""
        groups = (
            self.env["clearance.status"]
            .with_user(self.librarian)
            .with_context(read_group_expand=True)
            .web_read_group([("is_mine", "=", True)], ["state"], ["__count"])["groups"]
        )
        self.assertEqual([group["state"] for group in groups], ["pending", "rejected", "approved", "optional"])

    def test_decide_form(self):
        """The wizard fills in the preset's words and asks for a reason where one is needed."""
        status = self.status(self.students[0], self.card, self.affairs)
        preset = self.env["clearance.reason"].search([("decision", "=", "reject")], limit=1)
        action = status.action_reject()
        wizard = self.env["clearance.status.decide"].with_user(self.affairs).with_context(**action["context"])
        with Form(wizard) as form:
            self.assertTrue(form.reason_required)
            form.reason_id = preset
            self.assertEqual(form.reason, preset.name)
        form.record.action_decide()
        self.assertEqual((status.state, status.reason), ("rejected", preset.name))

    def test_session_form_draft_to_open(self):
        """The session's form with steps written in its list; the wizard opens it."""
        form = Form(self.env["clearance.session"].with_user(self.manager))
        form.name = "2026 again"
        form.open_from, form.open_until = self.clearance.open_from, self.clearance.open_until
        with form.step_ids.new() as step:
            step.name = "Return key"
            step.station_id = self.affairs_office
        session = form.save()
        Wizard = self.env["clearance.session.open"].with_user(self.manager)
        wizard = Form(Wizard.with_context(default_session_id=session.id))
        self.assertEqual(wizard.member_count, 6)
        self.assertFalse(wizard.problems)
        wizard.save().action_open()
        self.assertEqual((session.state, session.form_count), ("open", 6))
