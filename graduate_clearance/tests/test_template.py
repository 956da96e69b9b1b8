import base64
import json

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .test_configuration import DOCUMENT, ConfigurationCase

SHIPPED = {
    "hnust_undergraduate",
    "hnust_postgraduate",
    "cug_undergraduate",
    "cug_double_certificate",
    "cug_single_certificate",
    "nanjing_city",
    "guiyang_higher",
    "guiyang_secondary",
    "hunan_nonferrous",
}


def encode(document):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.b64encode(content)


class TemplateCase(ConfigurationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.auditor = cls._create_user("c_auditor", "group_auditor")
        cls.others = {
            group: cls._create_user(f"c_{group}", group)
            for group in (
                "group_operator",
                "group_counsellor",
                "group_supervisor",
                "group_college_lead",
                "group_deferral",
                None,
            )
        }
        cls.shipped = cls.env["clearance.template"]._get_by_key("hnust_undergraduate")

    def create_template(self, **values):
        return self.env["clearance.template"].create(
            {"name": "Own", "document": DOCUMENT, "company_id": self.campus.id, **values}
        )


@tagged("post_install", "-at_install")
class TestTemplate(TemplateCase):
    def test_shipped(self):
        """All five institutions, each of them loadable in both languages."""
        templates = self.env["clearance.template"].search([("is_shipped", "=", True)])
        self.assertEqual(set(templates.mapped("key")), SHIPPED)
        for template in templates:
            with self.subTest(key=template.key):
                document = template._get_document()
                self.assertFalse(self.env["clearance.configuration"]._get_shape_problems(document))
                self.assertEqual(template.step_count, len(document["steps"]))
                self.assertTrue(template.station_count)
                self.assertTrue(template.description)
                for section in ("stations", "steps", "colleges", "traits"):
                    for entry in document.get(section, ()):
                        self.assertEqual(set(entry["name"]), {"en_US", "zh_CN"}, entry["code"])
                steps = [step["name"] for step in document["steps"]]
                english, chinese = template.outline, template.with_context(lang="zh_CN").outline
                self.assertIn(steps[0]["en_US"], english.unescape())
                self.assertIn(steps[0]["zh_CN"], chinese)

    def test_campus_without_colleges(self):
        """Desks of colleges cannot be made before there are colleges: it is said."""
        campus = self.env["res.company"].sudo().create({"name": "Bare"})
        self.env.user.sudo().company_ids += campus
        document = self.env["clearance.template"]._get_by_key("hnust_undergraduate")._get_document()
        Session = self.env["clearance.session"].with_context(allowed_company_ids=campus.ids)
        session, findings = Session._load_configuration(document, year=2030, company=campus.sudo(False))
        (told,) = [finding for finding in findings if finding["key"] == "college_desks"]
        self.assertEqual(told["level"], "warning")
        self.assertIn(session.step_ids.filtered(lambda step: step.code == "degree").station_id.name, told["detail"])

    def test_shipped_round_trip(self):
        """Each shipped template survives: load, export, load elsewhere, export."""
        for template in self.env["clearance.template"].search([("is_shipped", "=", True)]):
            with self.subTest(key=template.key):
                first, findings = self.load(template._get_document(), year=2027, template=template)
                exported = self.dump(first)
                second, _findings = self.load(json.loads(exported), campus=self.other)
                self.assertEqual(self.dump(second), exported)
                self.assertNotIn("lost", self.keys(findings))
                self.assertNotIn("error", {finding["level"] for finding in findings})

    def test_shipped_stays(self):
        """Nobody changes or deletes what is shipped; it can be archived."""
        for values in (
            {"name": "x"},
            {"description": "x"},
            {"key": "x"},
            {"document": DOCUMENT},
            {"sequence": 1},
            {"file": encode(DOCUMENT)},
            {"company_id": self.campus.id},
        ):
            with self.assertRaises(UserError, msg=values):
                self.shipped.write(values)
        with self.assertRaisesRegex(UserError, "is shipped and stays"):
            self.shipped.unlink()
        with self.assertRaises(UserError):
            self.shipped.update_field_translations("name", {"zh_CN": "x"})
        with self.assertRaises(UserError):
            self.shipped.with_context(install_mode=True, clearance=True).write({"name": "x"})
        self.shipped.active = False
        self.assertEqual(self.env["clearance.template"]._get_by_key("hnust_undergraduate"), self.shipped)
        self.shipped.active = True

    def test_keys(self):
        """People make no shipped templates: a key is the name of a file."""
        for key in ("other", "../../etc/passwd", "hnust_undergraduate"):
            with self.assertRaisesRegex(UserError, "Keys belong"):
                self.create_template(key=key)
        with self.assertRaisesRegex(ValidationError, "small letters"):
            self.env["clearance.template"].sudo().create({"name": "x", "key": "../x"})
        own = self.create_template()
        with self.assertRaisesRegex(UserError, "Keys belong"):
            own.key = "other"

    def test_duplicate(self):
        """A copy of a shipped template is the campus' own."""
        own = self.shipped.copy()
        self.assertFalse(own.is_shipped)
        self.assertEqual(own._get_document(), self.shipped._get_document())
        self.assertIn("(copy)", own.name)
        self.assertEqual(own.step_count, self.shipped.step_count)
        own.name = "Mine"
        own.unlink()

    def test_access(self):
        """Managers use them, auditors read, others see nothing."""
        own = self.create_template()
        for template in (self.shipped, own):
            as_auditor = template.with_user(self.auditor)
            self.assertTrue(as_auditor.name)
            self.assertTrue(as_auditor._get_document())
            for method in ("action_new_session", "action_import"):
                with self.assertRaises(AccessError):
                    getattr(as_auditor, method)()
            for values in ({"name": "x"}, {"active": False}):
                with self.assertRaises(AccessError):
                    as_auditor.write(values)
            with self.assertRaises(AccessError):
                as_auditor.copy()
            with self.assertRaises(AccessError):
                as_auditor.unlink()
            for user in self.others.values():
                stranger = template.with_user(user)
                with self.assertRaises(AccessError):
                    stranger.read(["name"])
                for method in ("action_new_session", "action_download", "action_import", "_get_document"):
                    with self.assertRaises(AccessError, msg=method):
                        getattr(stranger, method)()

    def test_other_campus(self):
        """A template of one campus is not seen on another; a shared one is."""
        own, shared = self.create_template(), self.create_template(name="Shared", company_id=False)
        found = self.at(self.other)["clearance.template"].search([("is_shipped", "=", False)])
        self.assertEqual(found, shared)
        with self.assertRaises(AccessError):
            own.with_env(self.at(self.other)).read(["name"])

    def test_import(self):
        """A file makes a template, called as its session."""
        action = self.env["clearance.template"].action_import()
        with Form(self.env["clearance.template"], view=action["views"][0][0]) as form:
            form.file = encode(DOCUMENT).decode()
            self.assertEqual(form.name, "2026 undergraduates")
        template = form.record
        self.assertEqual((template._get_document(), template.step_count), (DOCUMENT, 8))
        self.assertFalse(template.is_shipped)

    def test_replace_by_a_file(self):
        own = self.create_template()
        document = {**DOCUMENT, "steps": DOCUMENT["steps"][:1], "duties": []}
        own.file = encode(document)
        self.assertEqual(own.step_count, 1)

    def test_bad_files(self):
        for file, words in (
            (encode(b"no json"), "no JSON"),
            (encode({"format": "x"}), "graduate_clearance"),
            (encode({**DOCUMENT, "x": 1}), "“x” is no key"),
            ("%%%", "no JSON"),
        ):
            with self.assertRaisesRegex(UserError, words):
                self.env["clearance.template"].create({"name": "x", "file": file})
        for document in (None, [], "x", {"format": "graduate_clearance"}, {**DOCUMENT, "steps": 3}):
            with self.assertRaises(UserError):
                self.create_template(document=document)
        own = self.create_template()
        with self.assertRaises(UserError):
            own.document = {"a": 1}

    def test_save_as_template(self):
        session, _findings = self.load()
        action = session.action_save_as_template()
        template = self.env["clearance.template"].browse(action["res_id"])
        self.assertEqual(template.name, session.name)
        self.assertEqual(template._get_document(), session._get_configuration())
        again, _findings = self.load(template._get_document(), year=2027, template=template)
        self.assertEqual((again.template_id, template.session_count), (template, 1))
        server_action = self.env.ref("graduate_clearance.clearance_session_action_save_as_template")
        context = {"active_model": session._name, "active_id": session.id, "active_ids": session.ids}
        result = server_action.with_context(**context).run()
        self.assertEqual(result["res_model"], "clearance.template")
        with self.assertRaises(AccessError):
            server_action.with_user(self.auditor).with_context(**context).run()

    def test_twice(self):
        """A template serves a campus once a year; the session that is there is named."""
        template = self.create_template()
        session, _findings = self.load(template._get_document(), template=template)
        with self.assertRaisesRegex(UserError, "has been loaded for 2026 already: session “2026 undergraduates”"):
            self.load(template._get_document(), template=template)
        self.load(template._get_document(), template=template, year=2027)
        self.load(template._get_document(), template=template, campus=self.other)
        session.active = False
        self.load(template._get_document(), template=template)

    @mute_logger("odoo.sql_db")
    def test_twice_at_once(self):
        """The database refuses the second of two that came in the same moment."""
        template = self.create_template()
        session, _findings = self.load(template._get_document(), template=template)
        other, _findings = self.load()
        with self.assertRaises(Exception) as refused, self.env.cr.savepoint():
            other.sudo().template_id = template
            self.env.flush_all()
        self.assertIn("template", str(refused.exception))
        self.assertEqual(session.template_id, template)


@tagged("post_install", "-at_install")
class TestLoadWizard(TemplateCase):
    def open_wizard(self, **context):
        action = self.env["clearance.session"].action_load_wizard()
        self.assertEqual(action["target"], "new")
        Wizard = self.env["clearance.session.load"].with_context(**action["context"], **context)
        return Form(Wizard)

    def test_template(self):
        """What will be made is shown first; then the session with what to check."""
        self.env["clearance.station"].create({"name": "Library", "code": "lib"})
        template = self.create_template()
        with self.open_wizard() as form:
            self.assertFalse(form.is_ready)
            form.template_id = template
            form.year = 2027
            self.assertEqual(str(form.first_day), "2027-06-22")
            self.assertEqual(form.name, "2027 undergraduates")
            self.assertTrue(form.is_ready)
            self.assertEqual(form.missing_colleges, "College of Geology, College of Resources")
            preview = form.preview
            for words in ("Return books", "Certificates", "Found: Library", "Party member", "Library system", "Lives"):
                self.assertIn(words, preview)
        self.assertFalse(self.env["clearance.session"].search([]))
        self.assertFalse(self.env["clearance.college"].search([]))
        wizard = form.record
        action = wizard.action_load()
        self.assertEqual((action["res_id"], action["target"]), (wizard.id, "new"))
        session = wizard.made_session_id
        self.assertEqual((session.year, session.template_id, session.name), (2027, template, "2027 undergraduates"))
        self.assertEqual(session.with_context(lang="zh_CN").name, "2027届本科生离校")
        self.assertIn("Stations of this campus that say something else", " ".join(wizard.finding_ids.mapped("title")))
        self.assertEqual(wizard.action_open_session()["res_id"], session.id)
        # Pressed twice, it is made once.
        wizard.action_load()
        self.assertEqual(self.env["clearance.session"].search([]), session)

    def test_buttons_above_lists(self):
        """As the web client calls them, without a record."""
        for model, method in (("clearance.session", "action_load_wizard"), ("clearance.template", "action_import")):
            action = call_kw(self.env[model], method, [[]], {})
            self.assertEqual(action["target"], "new")

    def test_next_year(self):
        """The year proposed is the first whose window is not over."""
        wizard = self.env["clearance.session.load"]
        for today, year in (("2026-06-27", 2026), ("2026-06-28", 2027), ("2030-01-01", 2030), ("2030-12-01", 2031)):
            with self.subTest(today=today), freeze_time(f"{today} 04:00:00"):
                form = Form(wizard)
                form.template_id = self.shipped
                form.template_id = template = self.create_template()
                self.assertEqual((form.template_id, form.year), (template, year))

    def test_first_day(self):
        with self.open_wizard() as form:
            form.template_id = self.create_template()
            form.year = 2027
            form.first_day = "2027-07-01"
            form.name = "Mine"
        session = self._make(form)
        self.assertEqual((str(session.open_from), session.name), ("2027-07-01 00:30:00", "Mine"))

    def _make(self, form):
        form.record.action_load()
        return form.record.made_session_id

    def test_without_colleges(self):
        document = {**DOCUMENT, "steps": DOCUMENT["steps"][:2]}
        with self.open_wizard() as form:
            form.source = "file"
            form.file = encode(document).decode()
            form.create_colleges = False
            self.assertTrue(form.missing_colleges)
        self._make(form)
        self.assertFalse(self.env["clearance.college"].search([]))
        self.assertIn("left out", " ".join(form.record.finding_ids.mapped("title")))

    def test_file(self):
        with self.open_wizard() as form:
            form.source = "file"
            self.assertFalse(form.is_ready)
            form.file = encode(DOCUMENT).decode()
            form.year = 2026
        self.assertEqual(len(self._make(form).step_ids), 7)

    def test_bad_files(self):
        """Every problem is on the screen before anything can be made."""
        document = {**DOCUMENT, "steps": [{**DOCUMENT["steps"][0], "station": "x"}], "x": 1}
        for file, words in (
            (b"no json", "no JSON"),
            (b"[]", "“format” must be"),
            (json.dumps(document).encode(), "“x” is no key"),
            (b"[" * 100_000, "cannot be read"),
        ):
            with self.subTest(words=words):
                form = self.open_wizard()
                form.source = "file"
                form.file = encode(file).decode()
                self.assertFalse(form.is_ready)
                self.assertFalse(form.preview)
                self.assertIn(words, form.problems)
                wizard = form.save()
                with self.assertRaisesRegex(UserError, words):
                    wizard.action_load()
        self.assertFalse(self.env["clearance.session"].search([]))

    def test_nothing_chosen(self):
        for source, words in (("template", "Choose a template"), ("file", "Choose a file"), ("session", "to copy")):
            wizard = self.env["clearance.session.load"].create({"source": source})
            with self.assertRaisesRegex(UserError, words):
                wizard.action_load()

    def test_twice(self):
        template = self.create_template()
        self.load(template=template, year=2027)
        form = self.open_wizard()
        form.template_id = template
        form.year = 2027
        self.assertIn("session “2027 undergraduates”", form.problems)
        form.year = 2028
        self.assertTrue(form.is_ready)

    def test_copy(self):
        old, _findings = self.load()
        action = old.action_copy_wizard()
        form = Form(self.env["clearance.session.load"].with_context(**action["context"]))
        with form:
            self.assertEqual((form.source, form.session_id, form.year), ("session", old, 2027))
            self.assertEqual((str(form.first_day), form.name), ("2027-06-22", "2027 undergraduates"))
            self.assertIn("Return books", form.preview)
            self.assertIn("Retired steps", form.preview)
            self.assertTrue(form.is_ready)
        new = self._make(form)
        self.assertEqual((new.copied_from_id, new.name), (old, "2027 undergraduates"))
        self.assertEqual(new.with_context(lang="zh_CN").name, "2027届本科生离校")
        self.assertIn("Retired steps were left out", form.record.finding_ids.mapped("title"))

    def test_findings_open_records(self):
        session, _findings = self.load()
        wizard = self.env["clearance.session.load"].create({"source": "session", "session_id": session.id})
        wizard.action_load()
        targets = wizard.finding_ids.filtered("target")
        self.assertTrue(targets)
        for finding in targets:
            action = finding.action_open_target()
            self.assertIn(action["res_model"], ("clearance.session", "clearance.station", "clearance.step"))
            self.assertTrue(action.get("res_id") or self.env[action["res_model"]].search(action["domain"]))
        with self.assertRaises(AccessError):
            targets[0].target = '["res.users", [1]]'

    def test_access(self):
        own = self.env["clearance.session.load"].create({"source": "template"})
        with self.assertRaises(AccessError):
            self.env["clearance.session"].with_user(self.auditor).action_load_wizard()
        for user in [self.auditor, *self.others.values()]:
            with self.assertRaises(AccessError):
                self.env["clearance.session.load"].with_user(user).create({"source": "template"})
            with self.assertRaises(AccessError):
                own.with_user(user).action_load()

    def test_session_of_another_campus(self):
        """A wizard opens no way to what its user cannot see."""
        foreign, _findings = self.load(campus=self.other)
        wizard = self.env["clearance.session.load"].create({"source": "session"})
        wizard.sudo().session_id = foreign
        wizard.invalidate_recordset()
        with self.assertRaises(AccessError):
            wizard.action_load()


@tagged("post_install", "-at_install")
class TestDownload(TemplateCase, HttpCase):
    def get(self, url, user=None):
        if user:
            self.authenticate(user.login, user.login)
        else:
            self.authenticate(None, None)
        return self.url_open(url, allow_redirects=False)

    def test_session(self):
        session, _findings = self.load()
        action = session.action_export()
        self.assertEqual(action["type"], "ir.actions.act_url")
        response = self.get(action["url"], self.manager)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.content, self.dump(session))
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(self.get(action["url"], self.manager).content, response.content)

    def test_session_refused(self):
        """Told so with a status; nobody is led to a login page that would be saved as the file."""
        session, _findings = self.load()
        portal = new_test_user(self.env(su=True), "c_portal", groups="base.group_portal")
        url = session.action_export()["url"]
        for user in (None, portal, self.auditor, *self.others.values()):
            response = self.get(url, user)
            self.assertEqual(response.status_code, 403, user and user.login)
            self.assertNotIn(b"graduate_clearance", response.content.split(b"<body")[0])
        self.assertEqual(self.get("/clearance/session/999999999/configuration", self.manager).status_code, 403)
        self.assertEqual(self.url_open(url, data={"a": 1}, allow_redirects=False).status_code, 405)

    def test_other_campus(self):
        foreign = self.env["res.company"].sudo().create({"name": "Third"})
        session, _findings = self.load()
        stranger = new_test_user(
            self.env(su=True),
            "c_stranger",
            groups="base.group_user,graduate_clearance.group_manager",
            company_id=foreign.id,
            company_ids=foreign.ids,
        )
        self.assertEqual(self.get(session.action_export()["url"], stranger).status_code, 403)

    def test_template(self):
        url = self.shipped.action_download()["url"]
        for user in (self.manager, self.auditor):
            response = self.get(url, user)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(json.loads(response.content), self.shipped._get_document())
        for user in (None, *self.others.values()):
            self.assertEqual(self.get(url, user).status_code, 403)
