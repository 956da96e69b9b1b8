"""How a campus shows states: words and colours, in one place for every screen."""

import json
import re

from odoo.exceptions import ValidationError
from odoo.tests import BaseCase, tagged
from odoo.tools import file_open, mute_logger

from ..models.clearance_legend import COLORS, get_contrast
from .test_certificate import CertificateCase
from .test_portal import PortalCommon
from .test_security import SecurityCase


class LegendMixin:
    def legend(self, state, campus=None):
        campus = campus or self.campus
        return self.env["clearance.legend"].search([("company_id", "=", campus.id), ("state", "=", state)])


class TestContrast(BaseCase):
    def test_contrast(self):
        self.assertAlmostEqual(get_contrast("#000000", "#ffffff"), 21)
        self.assertAlmostEqual(get_contrast("#FFFFFF", "#000000"), 21)
        self.assertAlmostEqual(get_contrast("#777777", "#ffffff"), 4.478, 3)
        self.assertEqual(get_contrast("#12345", "#ffffff"), 0)
        for state, (text, background, _border) in COLORS.items():
            self.assertGreaterEqual(get_contrast(text, background), 7, state)

    def test_usual_colours_are_those_of_the_style_sheet(self):
        with file_open("graduate_clearance/static/src/legend/legend.scss") as file:
            text = file.read()
        found = re.findall(r'"(\w+)": \(\s*(#\w{6}),\s*(#\w{6}),\s*(#\w{6}),', text)
        found = {state: tuple(colors) for state, *colors in found}
        self.assertEqual({state: found[state] for state in COLORS}, COLORS)


@tagged("post_install", "-at_install")
class TestLegend(LegendMixin, SecurityCase):
    def labels(self, model, fname, lang="en_US", campus=None):
        Model = self.env[model].with_context(lang=lang, allowed_company_ids=(campus or self.campus).ids)
        return dict(Model.fields_get([fname])[fname]["selection"])

    def test_every_campus_has_each_state(self):
        for company in self.env["res.company"].search([]):
            legends = self.env["clearance.legend"].search([("company_id", "=", company.id)])
            self.assertEqual(legends.mapped("state"), list(COLORS))
            self.assertEqual(legends[0].display_name, "Not done")
        self.assertEqual(self.env["clearance.legend"]._get_changes(self.campus), {"words": {}, "colors": {}})

    def test_words_everywhere(self):
        self.legend("approved").name = "Checked"
        Legend = self.env["clearance.legend"]
        self.assertEqual(Legend._get_words(self.campus)["approved"], "Checked")
        self.assertEqual(Legend._get_words(self.campus)["pending"], "Not done")
        self.assertEqual(Legend._get_words(self.campus_b)["approved"], "Approved")
        for model, fname in (
            ("clearance.status", "state"),
            ("clearance.status", "initial_state"),
            ("clearance.status", "legend"),
            ("clearance.log", "to_state"),
            ("clearance.override", "status_state"),
            ("clearance.inquiry", "legend"),
        ):
            self.assertEqual(self.labels(model, fname)["approved"], "Checked", (model, fname))
            self.assertEqual(self.labels(model, fname, campus=self.campus_b)["approved"], "Approved")
        searches = self.env["clearance.status"].with_context(allowed_company_ids=self.campus.ids)
        self.assertIn('name="approved" string="Checked"', searches.get_view(view_type="search")["arch"])
        searches = searches.with_context(allowed_company_ids=self.campus_b.ids)
        self.assertIn('name="approved" string="Approved"', searches.get_view(view_type="search")["arch"])
        card = self.status(self.students[0], self.card).with_context(allowed_company_ids=self.campus.ids)
        self.decide(card, "approve")
        self.assertEqual(card.export_data(["state"])["datas"], [["Checked"]])
        story = self.forms[0].with_user(self.manager).with_context(allowed_company_ids=self.campus.ids)
        self.assertEqual(story.get_cell_story(card.id)["log"][0]["to"], "Checked")

    def test_words_in_each_language(self):
        """Who changes a word in one language changes it in no other."""
        self.env["res.lang"]._activate_lang("fr_FR")
        approved = self.legend("approved")
        usual = self.labels("clearance.status", "state", "fr_FR")["approved"]
        approved.with_context(lang="fr_FR").name = "Vu"
        self.assertEqual(self.labels("clearance.status", "state", "fr_FR")["approved"], "Vu")
        self.assertEqual(self.labels("clearance.status", "state")["approved"], "Approved")
        approved.with_context(lang="en_US").name = "Seen"
        self.assertEqual(self.labels("clearance.status", "state", "fr_FR")["approved"], "Vu")
        self.assertEqual(self.labels("clearance.status", "state")["approved"], "Seen")
        rejected = self.legend("rejected")
        rejected.name = "No"
        words = self.labels("clearance.status", "state", "fr_FR")
        self.assertNotEqual(words["rejected"], "No", "an English word is for readers of English")
        approved.name = False
        self.assertEqual(self.labels("clearance.status", "state")["approved"], "Approved")
        self.assertEqual(self.labels("clearance.status", "state", "fr_FR")["approved"], usual)
        approved.name = "   "
        self.assertEqual(self.labels("clearance.status", "state")["approved"], "Approved")

    def test_colours(self):
        approved = self.legend("approved")
        approved.write({"text": "#FFFFFF", "background": "#003366"})
        Legend = self.env["clearance.legend"]
        self.assertEqual(
            Legend._get_style(self.campus),
            "--clearance-approved-text:#ffffff;--clearance-approved-background:#003366",
        )
        self.assertEqual(
            Legend._get_print_style("approved", self.campus),
            "color:#ffffff;background-color:#003366;border-color:#62b08a",
        )
        self.assertEqual(Legend._get_print_style("pending", self.campus), "")
        self.assertEqual(Legend._get_style(self.campus_b), "")
        self.assertTrue(approved.is_changed)
        approved.with_user(self.manager).with_context(allowed_company_ids=None).action_reset()
        self.assertEqual(Legend._get_style(self.campus), "")
        self.assertFalse(approved.is_changed)

    def test_reset_takes_words_too(self):
        self.legend("approved").name = "Checked"
        self.legend("approved").action_reset()
        self.assertEqual(self.env["clearance.legend"]._get_words(self.campus)["approved"], "Approved")

    def test_unreadable(self):
        with self.assertRaises(ValidationError) as caught, self.env.cr.savepoint():
            self.legend("approved").write({"text": "#777777", "background": "#ffffff"})
        self.assertIn("“Approved”: the text #777777 on #ffffff has a contrast of 4.48 : 1", str(caught.exception))
        with self.assertRaisesRegex(ValidationError, r"contrast of 1\.00 : 1"), self.env.cr.savepoint():
            self.legend("approved").text = "#d1e7dd"
        self.legend("approved").write({"text": "#767676", "background": "#ffffff"})

    def test_no_style_slips_in(self):
        for bad in ("red", "#12345", "#1234567", "#12345g", "#000;}body{display:none", "#000000;x:url(//e)", "", False):
            for part in ("text", "background", "border"):
                with (
                    self.assertRaises(Exception) as caught,
                    mute_logger("odoo.sql_db"),
                    self.env.cr.savepoint(),
                ):
                    self.legend("approved").write({part: bad})
                    self.env.flush_all()
                self.assertIn("colour" if bad else "", str(caught.exception))
        # Whatever way it came into the database, it does not come out.
        self.env.cr.execute(
            "UPDATE clearance_legend SET border = '#000;}body{display:none' WHERE id = %s", [self.legend("approved").id]
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertEqual(self.env["clearance.legend"]._get_style(self.campus), "")

    def test_who_may(self):
        own = self.legend("approved").id
        self.rpc(self.manager, "clearance.legend", "write", [own], {"name": "Checked"})
        for user in (self.librarian, self.lead, self.auditor, self.stranger, self.graduate, self.manager_b):
            self.assert_denied(user, "clearance.legend", "write", [own], {"name": "No"})
            self.assert_denied(user, "clearance.legend", "action_reset", [own])
        self.assert_denied(self.manager, "clearance.legend", "create", [{"state": "pending"}])
        self.assert_denied(self.manager, "clearance.legend", "unlink", [own])
        self.assertEqual(self.rpc(self.librarian, "clearance.legend", "get_changes")["words"], {"approved": "Checked"})
        self.assertEqual(self.rpc(self.manager_b, "clearance.legend", "get_changes")["words"], {})
        for user in (self.stranger, self.graduate):
            self.assert_denied(user, "clearance.legend", "get_changes")
        for method in ("_get_words", "_get_style", "_make_missing"):
            self.assert_denied(self.manager, "clearance.legend", method)

    def test_costs_nothing(self):
        """Words and colours are read once, however many ask."""
        Status = self.env["clearance.status"].with_context(allowed_company_ids=self.campus.ids)
        Status.fields_get(["state"])
        with self.assertQueryCount(0):
            for _time in range(3):
                Status.fields_get(["state", "legend"])
                self.env["clearance.legend"]._get_words(self.campus)
                self.env["clearance.legend"]._get_style(self.campus)


@tagged("post_install", "-at_install")
class TestLegendPages(LegendMixin, PortalCommon):
    def test_page_of_a_graduate(self):
        url = f"/my/clearance/{self.form.id}"
        document = self.page(url)
        self.assertIn("Not done", self.step_words(document, self.card))
        self.assertFalse(document.get("style"))
        version = self.form._get_portal_version(self.form._get_portal_head())
        self.legend("pending").write({"name": "To do", "background": "#ffffff"})
        self.env.flush_all()
        self.assertNotEqual(
            self.form._get_portal_version(self.form._get_portal_head()), version, "open pages hear of it"
        )
        document = self.page(url)
        self.assertIn("To do", self.step_words(document, self.card))
        self.assertNotIn("Not done", self.step_words(document, self.card))
        self.assertEqual(document.get("style"), "--clearance-pending-background:#ffffff")
        self.legend("lifted").name = "Postponed"
        self.env["clearance.override"].with_user(self.deferral).create(
            {"status_id": self.status(self.students[0], self.card).id, "reason": "Proof shown"}
        )
        self.assertIn("Postponed", self.step_words(self.page(url), self.card))

    def test_web_client_is_told(self):
        self.legend("approved").write({"name": "Checked", "background": "#ffffff"})
        self.env.flush_all()
        self.login(self.manager)
        text = self.url_open("/odoo").text
        changes = {"words": {"approved": "Checked"}, "colors": {"approved": {"background": "#ffffff"}}}
        self.assertIn(f'"{self.campus.id}": {json.dumps(changes)}', text)
        self.login(self.graduate)
        self.assertNotIn("Checked", self.url_open("/my").text)


@tagged("post_install", "-at_install")
class TestLegendOnPaper(LegendMixin, CertificateCase):
    def test_paper(self):
        self.legend("approved").write({"name": "Stamped", "background": "#ffffff"})
        self.legend("lifted").name = "Postponed"
        self.clear(self.form, but=[self.card])
        self.defer(self.form, self.card)
        rows = {row["step"]: row for row in self.sheet(self.form, self.manager)["rows"]}
        self.assertEqual(rows["Return books"]["word"], "Stamped")
        self.assertIn("background-color:#ffffff", rows["Return books"]["style"])
        self.assertEqual(rows["Return student card"]["lifted_word"], "Postponed")
        self.assertIsNone(rows["Return student card"]["style"])
