"""The graduate's page: what it says, what it costs and what it never shows."""

from datetime import timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

from lxml import html

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.graduate_clearance.models import clearance_session_portal

from .common import ClearanceCommon

_PHOTO = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class PortalCommon(ClearanceCommon, HttpCase):
    """Two graduates of the same class, each with a form in the open session."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()
        cls.form, cls.other_form = cls.forms[:2]
        cls.graduate.tz = "Asia/Shanghai"

    def login(self, user):
        self.authenticate(user.login, user.login)

    def page(self, url, user=None):
        """The page at ``url`` as a document, after redirects."""
        self.login(user or self.graduate)
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        document = html.fromstring(response.content)
        document.make_links_absolute(response.url)
        return document

    def hand_in(self, step, student=None):
        """A graduate sends something for a step."""
        student = student or self.students[0]
        self.send(student, step)
        codes = self.decide(self.status(student, step, self.graduate), "submit")
        self.assertEqual(codes, ["done"])

    def find(self, element, name):
        """Elements of a class within ``element``."""
        return element.xpath(".//*[hasclass($name)]", name=name)

    def text(self, *elements):
        """What people read in the first of these elements, in one line; empty without any."""
        return " ".join(elements[0].text_content().split()) if elements else ""

    def words(self, document, name):
        """What people read in the first element of a class."""
        return self.text(*self.find(document, name))

    def step(self, document, step):
        """The element of a step; None where the page does not list it."""
        return next(iter(document.xpath("//*[@id=$id]", id=f"step_{step.id}")), None)

    def step_words(self, document, step, name=None):
        """What people read about a step, or in its first element of a class."""
        element = self.step(document, step)
        return self.words(element, name) if name else self.text(element)


@tagged("post_install", "-at_install")
class TestPortal(PortalCommon):
    def test_states_in_words(self):
        self.settle_steps(self.books, students=self.students[:1])
        self.decide(self.status(self.students[0], self.card), "reject", "The photo is missing")
        self.hand_in(self.loan)
        document = self.page("/my/clearance")
        found = {
            step: self.text(*self.step(document, step).xpath(".//*[starts-with(@class, 'o_clearance_state_')]"))
            for step in (self.books, self.card, self.loan, self.fees, self.deposit)
        }
        self.assertEqual(
            found,
            {
                self.books: "Approved",
                self.card: "Rejected",
                self.loan: "Submitted",
                self.fees: "Not done",
                self.deposit: "Optional",
            },
        )
        (state,) = self.find(self.step(document, self.card), "o_clearance_state_rejected")
        marks = self.find(state, "o_clearance_icon")
        self.assertEqual([mark.get("aria-hidden") for mark in marks], ["true"])
        self.assertEqual(self.step_words(document, self.card, "o_clearance_reason"), "Reason: The photo is missing")
        self.assertIn("Automatically", self.step_words(document, self.books, "o_clearance_decided"))
        self.assertIn(self.env.user.name, self.step_words(document, self.card, "o_clearance_decided"))
        self.assertIn("Required:", self.text(*self.step(document, self.card).iter("h3")))
        self.assertNotIn("Required:", self.text(*self.step(document, self.deposit).iter("h3")))

    def test_review_in_words(self):
        student = self.students[0]
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree, students=student)
        self.decide(self.status(student, self.card), "reopen", "Wrong card")
        document = self.page("/my/clearance")
        self.assertIn("Needs another look", self.step_words(document, self.degree))
        self.assertEqual(
            self.step_words(document, self.degree, "o_clearance_blocked"),
            "Blocked by Student Affairs: Return student card",
        )

    def test_blocked_by(self):
        document = self.page("/my/clearance")
        # Many are folded, few are not.
        (folded,) = self.find(self.step(document, self.degree), "o_clearance_blocked")
        self.assertEqual(folded.tag, "details")
        self.assertEqual(self.text(*folded.iter("summary")), "Blocked by 4 steps")
        self.assertEqual(
            [self.text(name) for name in folded.iter("li")],
            [
                "Library: Return books",
                "Finance: Pay arrears",
                "Student Affairs: Return student card",
                "Student Affairs: Confirm loan",
            ],
        )
        self.assertEqual(
            self.step_words(document, self.diploma, "o_clearance_blocked"),
            "Blocked by College of Mechanics Certificates: Degree certificate",
        )
        self.assertFalse(self.step_words(document, self.card, "o_clearance_blocked"))

    def test_not_required_is_folded_away(self):
        document = self.page("/my/clearance", self.other_graduate)
        folded = self.find(document, "o_clearance_not_required")[0]
        self.assertIsNone(folded.get("open"))
        self.assertIn("Not required of you (1)", self.text(*folded.iter("summary")))
        self.assertIn("Confirm loan", self.text(folded))
        self.assertIsNone(self.step(document, self.loan))
        self.assertIsNotNone(self.step(self.page("/my/clearance"), self.loan))

    def test_headline_and_progress(self):
        self.card.deadline = fields.Datetime.now() + timedelta(days=2)
        self.settle_steps(self.books, self.fees, students=self.students[0])
        document = self.page("/my/clearance")
        # Seven steps are required of a borrower; the library's deposit is optional.
        deadline = self.text(*self.step(document, self.card).iter("time"))
        self.assertEqual(
            self.words(document, "o_clearance_headline"),
            f"5 of 7 left. Next: Student Affairs, Return student card, until {deadline}",
        )
        bar = document.xpath("//*[@role='progressbar']")[0]
        self.assertEqual((bar.get("aria-valuenow"), bar.get("aria-valuemax")), ("2", "7"))
        self.assertIn("width: 28%", self.find(bar, "progress-bar")[0].get("style"))

    def test_next_is_what_the_graduate_can_do(self):
        student = self.students[0]
        self.settle_steps(self.books, self.fees, students=student)
        self.hand_in(self.card)
        self.assertIn("Confirm loan", self.form._get_portal_values()["progress"]["next"])
        self.hand_in(self.loan)
        self.settle_steps(self.talk, students=student)
        self.assertEqual(self.form._get_portal_values()["progress"]["next"], "")
        document = self.page("/my/clearance")
        self.assertIn("Nothing waits for you right now", self.words(document, "o_clearance_headline"))

    def test_everything_settled(self):
        self.settle_steps(*self.clearance.step_ids - self.deposit, students=self.students[0])
        document = self.page("/my/clearance")
        self.assertEqual(self.words(document, "o_clearance_headline"), "Everything is settled.")
        self.assertIn("width: 100%", self.find(document, "progress-bar")[0].get("style"))

    def test_deferral(self):
        student = self.students[0]
        self.settle_steps(self.books, self.card, self.loan, self.talk, students=student)
        override = self.env["clearance.override"].create(
            {
                "status_id": self.status(student, self.fees).id,
                "reason": "Pays by instalments",
                "date_end": fields.Date.today() + timedelta(days=30),
            }
        )
        self.settle_steps(self.degree, self.diploma, students=student)
        document = self.page("/my/clearance")
        self.assertEqual(self.words(document, "o_clearance_headline"), "Cleared with deferral. 1 left to settle later.")
        self.assertEqual(self.step_words(document, self.fees, "o_clearance_state_lifted"), "Deferred")
        until = next(self.find(self.step(document, self.fees), "o_clearance_lifted")[0].iter("time"))
        self.assertEqual(until.get("datetime"), override.date_end.isoformat())
        override.action_restore()
        document = self.page("/my/clearance")
        self.assertIn("1 of 7 left.", self.words(document, "o_clearance_headline"))
        self.assertFalse(self.step_words(document, self.fees, "o_clearance_state_lifted"))

    def test_place_of_step_then_desk_then_station(self):
        self.certificates.write({"place": "Main hall", "phone": "0731-12, 0731-34"})
        self.mech_desk.place = "Room 5"
        self.degree.opening_hours = "9-12"

        def info(step):
            steps = {row["step_id"]: row for row in self.form._get_portal_steps()}
            return [steps[step.id][fname] for fname in ("place", "opening_hours", "instructions")]

        self.assertEqual(info(self.degree), ["Room 5", "9-12", "Bring your card."])
        self.degree.place = "Gym"
        self.assertEqual(info(self.degree), ["Gym", "9-12", "Bring your card."])
        self.assertEqual(info(self.books), ["2nd floor", None, None])
        document = self.page("/my/clearance")
        self.assertIn("College of Mechanics Certificates", self.step_words(document, self.degree))
        phones = self.find(self.step(document, self.degree), "o_clearance_phone")
        self.assertEqual([phone.get("href") for phone in phones], ["tel:073112", "tel:073134"])

    def test_stages_in_order_of_the_process(self):
        (self.books | self.card).stage = "First"
        self.degree.stage = "Last"
        document = self.page("/my/clearance")
        headings = [self.text(heading) for heading in document.xpath("//section/h2")]
        self.assertEqual(headings, ["First", "Other steps", "Last", "Optional: only if you want it"])
        first = document.xpath("//section[@aria-labelledby='clearance_section_0']//li")
        self.assertEqual([item.get("id") for item in first], [f"step_{self.books.id}", f"step_{self.card.id}"])

    def test_outline_for_assistive_technology(self):
        document = self.page("/my/clearance")
        (main,) = document.iter("main")
        levels = [int(h.tag[1]) for h in main.iter("h1", "h2", "h3", "h4", "h5", "h6")]
        self.assertEqual(levels.count(1), 1)
        self.assertFalse([pair for pair in pairwise(levels) if pair[1] > pair[0] + 1])
        ids = [element.get("id") for element in document.xpath("//*[@id]")]
        self.assertEqual(len(ids), len(set(ids)))
        labelled = {element.get("aria-labelledby") for element in main.xpath(".//*[@aria-labelledby]")}
        self.assertLessEqual(labelled, set(ids))

    def test_times_in_the_zone_of_the_user(self):
        self.clearance.open_until = fields.Datetime.now().replace(hour=9, minute=0) + timedelta(days=3)
        document = self.page("/my/clearance")
        self.assertIn("5:00", self.words(document, "o_clearance_window").replace("\u202f", " "))
        self.assertIn("Asia/Shanghai", self.words(document, "o_clearance_window"))

    def test_language_of_the_user(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.card.with_context(lang="zh_CN").name = "归还学生证"
        self.affairs_office.with_context(lang="zh_CN").name = "学生处"
        self.graduate.lang = "zh_CN"
        document = self.page("/my/clearance")
        self.assertIn("归还学生证", self.step_words(document, self.card))
        self.assertIn("学生处: 归还学生证", self.step_words(document, self.degree, "o_clearance_blocked"))
        self.assertIn("月", self.words(document, "o_clearance_window"))
        # What nobody translated stays readable.
        self.assertIn("Return books", self.step_words(document, self.books))

    def test_session_and_campus_texts(self):
        self.clearance.instructions = "Bring <b>two</b> copies."
        self.env["clearance.settings"]._get(self.campus).help = "Ask room 101."
        document = self.page("/my/clearance")
        self.assertIn("Bring <b>two</b> copies.", self.text(*document.iter("main")))
        self.assertIn("Ask room 101.", self.words(document, "o_clearance_help"))

    # -- where the session stands --------------------------------------------------

    def test_not_open_yet(self):
        self.clearance.open_from = fields.Datetime.now() + timedelta(days=1)
        document = self.page("/my/clearance")
        self.assertIn("Not open yet.", self.words(document, "o_clearance_phase_before"))
        self.assertNotIn("Next:", self.words(document, "o_clearance_headline"))
        self.assertIn("Not done", self.step_words(document, self.card))

    def test_time_is_over(self):
        self.clearance.open_until = fields.Datetime.now() - timedelta(hours=1)
        self.assertIn("The time is over.", self.words(self.page("/my/clearance"), "o_clearance_phase_over"))

    def test_closed(self):
        self.clearance.action_close()
        document = self.page("/my/clearance")
        self.assertIn("This session is closed.", self.words(document, "o_clearance_phase_closed"))
        self.assertIn("Not done", self.step_words(document, self.card))

    def test_code_for_the_desk(self):
        """What a desk scans leads to this form, and is drawn by Odoo itself."""
        document = self.page("/my/clearance")
        (image,) = document.xpath("//details[contains(@class, 'o_clearance_code')]//img")
        code = parse_qs(urlsplit(image.get("src")).query)["value"][0]
        self.assertEqual(code, self.form.get_base_url() + self.form.access_url)
        desk = self.env["clearance.desk"].with_user(self.affairs)
        self.assertEqual(desk.find(code, self.affairs_office.id), {"form_id": self.form.id})
        self.assertEqual(self.url_open(image.get("src")).headers["Content-Type"], "image/png")
        self.clearance.action_close()
        self.assertFalse(self.page("/my/clearance").xpath("//details[contains(@class, 'o_clearance_code')]"))

    def test_withdrawn(self):
        self.students[0].write({"graduation_state": "postponed", "graduation_note": "Thesis"})
        document = self.page("/my/clearance")
        self.assertIn("Reason: Thesis", self.words(document, "o_clearance_phase_withdrawn"))
        self.assertFalse(self.find(document, "o_clearance_step"))

    def test_in_no_session(self):
        nobody = new_test_user(
            self.env,
            "t_nobody",
            groups="base.group_portal",
            company_id=self.campus.id,
            company_ids=self.campus.ids,
        )
        document = self.page("/my/clearance", nobody)
        self.assertIn("You take part in no clearance session.", self.words(document, "o_clearance_none"))
        self.assertFalse(self.cards(self.page("/my", nobody)))

    def test_employee_in_no_session(self):
        document = self.page("/my/clearance", self.stranger)
        self.assertTrue(self.find(document, "o_clearance_none"))
        document = self.page("/my/clearance", self.manager)
        self.assertTrue(self.find(document, "o_clearance_none"))

    def test_several_sessions(self):
        second = self.clearance.copy({"name": "Second degree"})
        second._open()
        document = self.page("/my/clearance")
        links = {
            self.text(link): link.get("href").removeprefix(self.base_url())
            for link in self.find(document, "o_clearance_link")
        }
        forms = self.forms.search([("student_id", "=", self.students[0].id)])
        self.assertEqual(len(forms), 2)
        self.assertEqual(set(links.values()), {f"/my/clearance/{form.id}" for form in forms})
        self.clearance.action_close()
        document = self.page("/my/clearance")
        self.assertEqual(self.text(*document.iter("h1")), "Second degree")
        others = document.xpath("//nav[@aria-labelledby='clearance_others']//a")
        self.assertEqual([self.text(link) for link in others], ["2026 undergraduates In progress (closed)"])

    def test_breadcrumbs(self):
        document = self.page(f"/my/clearance/{self.form.id}")
        crumbs = document.xpath("//ol[hasclass('o_portal_submenu')]/li")
        self.assertEqual([self.text(crumb) for crumb in crumbs], ["", "Clearance", "2026 undergraduates"])

    # -- the home page -------------------------------------------------------------

    def counters(self):
        return self.make_jsonrpc_request("/my/counters", {"counters": ["clearance_count"]})

    def cards(self, document):
        return document.xpath("//*[@id='portal_service_category']//a[contains(@href, '/my/clearance')]")

    def test_home_card(self):
        document = self.page("/my")
        # Shown without JavaScript, too.
        self.assertNotIn("d-none", self.cards(document)[0].getparent().get("class"))
        self.assertEqual(self.counters()["clearance_count"], 7)
        self.settle_steps(self.books, students=self.students[0])
        self.assertEqual(self.counters()["clearance_count"], 6)
        self.clearance.action_close()
        self.assertEqual(self.counters()["clearance_count"], 0)
        self.assertTrue(self.cards(self.page("/my")))

    def test_counter_for_employees(self):
        self.login(self.stranger)
        self.assertEqual(self.counters()["clearance_count"], 0)

    def test_link_in_mails(self):
        url = f"/mail/view?model=clearance.form&res_id={self.form.id}"
        self.login(self.graduate)
        self.assertURLEqual(self.url_open(url).url, f"/my/clearance/{self.form.id}")
        self.login(self.other_graduate)
        self.assertURLEqual(self.url_open(url).url, "/my")

    # -- what it costs -------------------------------------------------------------

    def count_queries(self, url):
        self.url_open(url)
        self.env.flush_all()
        before = self.cr.sql_log_count
        self.assertEqual(self.url_open(url).status_code, 200)
        return self.cr.sql_log_count - before

    def test_queries_do_not_grow_with_steps(self):
        url = f"/my/clearance/{self.form.id}"
        self.login(self.graduate)
        few = self.count_queries(url)
        hall = self.library.create({"name": "Hall"})
        for number in range(15):
            station = self.library.create({"name": f"Desk {number}", "parent_id": hall.id})
            self.card.create(
                {
                    "name": f"More {number}",
                    "session_id": self.clearance.id,
                    "station_id": station.id,
                    "prerequisite_ids": [Command.link(self.card.id)],
                }
            )
        self.clearance._open()
        self.decide(self.statuses(self.talk, self.counsellor), "approve")
        self.assertEqual(len(self.form._get_portal_rows()), 23)
        self.assertEqual(self.count_queries(url), few)

    def test_steps_cost_one_query(self):
        """One query for the form, one for its steps; what all graduates read is kept.

        Whether that is still the same is asked once a second, and in tests each time.
        """
        head = self.form._get_portal_head()
        self.form._get_portal_rows(head)
        with self.assertQueryCount(2):
            self.form._get_portal_head()
        self.patch(clearance_session_portal, "KEPT", 60)
        with self.assertQueryCount(1):
            self.form._get_portal_head()
        with self.assertQueryCount(1):
            self.assertEqual(len(self.form._get_portal_rows(head)), 8)

    def test_read_only(self):
        """The page needs no transaction that can write: a replica may serve it."""
        self.login(self.graduate)
        before = self.url_open("/my/clearance")
        self.assertEqual(before.status_code, 200)
        paths = ("", "/<int:form_id>", "/<int:form_id>/changes", "/<int:form_id>/news", "/step/<int:status_id>")
        routes = {rule.rule: rule.endpoint.routing for rule in self.env["ir.http"].routing_map().iter_rules()}
        for path in paths:
            self.assertTrue(routes[f"/my/clearance{path}"]["readonly"], path)
        self.assertFalse(self.form.access_token)


@tagged("post_install", "-at_install")
class TestPortalSecurity(PortalCommon):
    """A graduate tries to reach what belongs to another."""

    def setUp(self):
        super().setUp()
        self.login(self.graduate)

    def call(self, model, method, *args, **kwargs):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    def assert_refused(self, model, method, *args, **kwargs):
        with self.assertRaises(JsonRpcException, msg=f"{model}.{method}"), mute_logger("odoo.http"):
            self.call(model, method, *args, **kwargs)

    # -- pages ---------------------------------------------------------------------

    def test_form_of_another(self):
        token = self.other_form._portal_ensure_token()
        for url in (
            f"/my/clearance/{self.other_form.id}",
            f"/my/clearance/{self.other_form.id}?access_token={token}",
            "/my/clearance/999999999",
        ):
            response = self.url_open(url)
            self.assertURLEqual(response.url, "/my", url)
            self.assertNotIn("T26001", response.text)
        self.login(self.other_graduate)
        self.assertIn("T26001", self.url_open(f"/my/clearance/{self.other_form.id}").text)

    def test_nobody_gets_in_without_login(self):
        token = self.form._portal_ensure_token()
        self.authenticate(None, None)
        for url in (
            "/my/clearance",
            f"/my/clearance/{self.form.id}?access_token={token}",
            f"/mail/view?model=clearance.form&res_id={self.form.id}&access_token={token}",
        ):
            response = self.url_open(url)
            self.assertIn("/web/login", response.url)
            self.assertNotIn("T26000", response.text)

    def test_images_and_attachments_of_another(self):
        attachment = self.env["ir.attachment"].create(
            {
                "name": "loan.txt",
                "raw": b"signed by the other",
                "res_model": "clearance.form",
                "res_id": self.other_form.id,
            }
        )
        with mute_logger("odoo.http"):
            response = self.url_open(f"/web/content/{attachment.id}")
        self.assertEqual(response.status_code, 404)
        self.login(self.manager)
        self.assertEqual(self.url_open(f"/web/content/{attachment.id}").text, "signed by the other")
        self.login(self.graduate)
        found = self.call("ir.attachment", "search_read", [("id", "=", attachment.id)], ["raw"])
        self.assertEqual(found, [])
        self.assert_refused("ir.attachment", "read", [attachment.id], ["raw"])
        self.assert_refused(
            "ir.attachment",
            "create",
            [{"name": "x", "res_model": "clearance.form", "res_id": self.other_form.id}],
        )
        photo = self.url_open(f"/web/image/clearance.form/{self.form.id}/image_128").content
        self.students[1].partner_id.image_1920 = _PHOTO
        url = f"/web/image/clearance.form/{self.other_form.id}/image_128"
        self.assertEqual(self.url_open(url).content, photo)
        self.login(self.other_graduate)
        self.assertNotEqual(self.url_open(url).content, photo)

    # -- remote calls --------------------------------------------------------------

    def test_search_finds_own_rows_only(self):
        forms = self.call("clearance.form", "search_read", [], ["student_id"])
        self.assertEqual([row["id"] for row in forms], self.form.ids)
        statuses = self.call("clearance.status", "search_read", [], ["form_id", "reason"])
        self.assertEqual({row["form_id"][0] for row in statuses}, {self.form.id})
        self.assertEqual(len(statuses), 8)
        self.assertEqual(self.call("clearance.form", "search_count", [("id", "=", self.other_form.id)]), 0)
        # A form is found by its graduate, whom a portal user cannot search.
        self.assert_refused("clearance.form", "name_search", "T26001")
        names = self.call("clearance.form", "name_search", "")
        self.assertEqual([row[0] for row in names], self.form.ids)
        names = self.call("clearance.status", "name_search", "", limit=1000)
        self.assertEqual({row[0] for row in names}, set(self.form.status_ids.ids))

    def test_sessions_are_out_of_reach(self):
        """A session names everybody who takes part; the page says what a graduate needs of it."""
        draft = self.clearance.copy({"name": "Next year"})
        notice = self.clearance.message_post(body="For colleagues", subtype_xmlid="mail.mt_note")
        for session in (self.clearance, draft):
            self.assert_refused("clearance.session", "read", session.ids, ["name", "form_ids"])
            self.assert_refused("clearance.session", "get_statistics", session.ids)
        self.assert_refused("clearance.session", "search_read", [], ["name"])
        self.assert_refused("mail.message", "read", notice.ids, ["body"])
        form = self.call("clearance.form", "read", self.form.ids, ["session_id", "session_state"])[0]
        self.assertEqual(form["session_id"], [self.clearance.id, "2026 undergraduates"])

    def test_models_out_of_reach(self):
        self.decide(self.status(self.students[1], self.card), "reject", "Secret")
        for model in (
            "clearance.session",
            "clearance.student",
            "clearance.log",
            "clearance.station",
            "clearance.step",
            "clearance.override",
            "clearance.college",
            "clearance.class",
            "clearance.room",
            "clearance.trait",
            "clearance.reason",
            "clearance.session.open",
            "clearance.status.decide",
        ):
            self.assert_refused(model, "search_read", [], ["id"])
            self.assert_refused(model, "name_search", "")
            self.assert_refused(model, "formatted_read_group", [], ["id"], ["__count"])

    def test_reading_foreign_ids(self):
        status = self.status(self.students[1], self.card)
        self.assert_refused("clearance.form", "read", self.other_form.ids, ["state"])
        self.assert_refused("clearance.form", "web_read", self.other_form.ids, {"record": {}})
        self.assert_refused("clearance.form", "read", [self.form.id, self.other_form.id], ["record"])
        self.assert_refused("clearance.status", "read", status.ids, ["state"])
        self.assert_refused("clearance.student", "read", self.students[0].ids, ["id_number"])
        self.assert_refused("clearance.form", "_get_portal_values", self.other_form.ids)

    def test_groups_and_exports(self):
        groups = self.call("clearance.status", "formatted_read_group", [], ["form_id"], ["__count"])
        self.assertEqual([group["form_id"][0] for group in groups], [self.form.id])
        groups = self.call("clearance.form", "formatted_read_group", [], ["college_id"], ["__count"])
        self.assertEqual([group["__count"] for group in groups], [1])
        self.assert_refused("clearance.form", "export_data", self.form.ids, ["student_id/id_number"])
        self.assert_refused("clearance.status", "export_data", self.status(self.students[1], self.card).ids, ["state"])

    def test_paths_to_others(self):
        """What cannot be read cannot be guessed by searching through it, either."""
        for domain in (
            [("student_id.id_number", "=like", "9%")],
            [("session_id.form_ids.student_id.id_number", "=like", "9%")],
            [("student_id.class_id.name", "=", "M1")],
            [("session_id.form_ids", "any", [("id", "=", self.other_form.id)])],
        ):
            self.assert_refused("clearance.form", "search", domain)
        self.assert_refused("clearance.form", "formatted_read_group", [], ["student_id.id_number"], ["__count"])

    def test_messages_of_another(self):
        secret = self.other_form.message_post(
            body="Secret of the other", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        mine = self.form.message_post(body="For me", message_type="comment", subtype_xmlid="mail.mt_comment")
        found = self.call("mail.message", "search_read", [("model", "=", "clearance.form")], ["body"])
        self.assertEqual([row["id"] for row in found if row["id"] in (secret | mine).ids], mine.ids)
        self.assert_refused("mail.message", "read", secret.ids, ["body"])
        token = self.other_form._portal_ensure_token()
        signature = self.other_form._sign_token(self.other_form.partner_id.id)
        thread = {"thread_model": "clearance.form", "thread_id": self.other_form.id}
        doors = [
            ("/mail/thread/messages", thread),
            ("/mail/chatter_fetch", thread),
            ("/mail/chatter_fetch", {**thread, "token": token}),
            ("/mail/chatter_fetch", {**thread, "hash": signature, "pid": self.other_form.partner_id.id}),
        ]
        for user in (self.graduate.login, None):
            self.authenticate(user, user)
            for route, params in doors:
                with mute_logger("odoo.http"):
                    response = self.url_open(route, json=self.build_rpc_payload(params))
                self.assertNotIn("Secret of the other", response.text, (user, route, params))
        self.login(self.graduate)
        answer = self.make_jsonrpc_request("/mail/chatter_fetch", {**thread, "thread_id": self.form.id})
        self.assertIn("For me", str(answer))

    def test_posting_to_another(self):
        before = self.other_form.message_ids
        token = self.other_form._portal_ensure_token()
        post = {
            "thread_model": "clearance.form",
            "thread_id": self.other_form.id,
            "post_data": {"body": "Hello", "message_type": "comment"},
        }
        for user in (self.graduate.login, None):
            self.authenticate(user, user)
            for extra in ({}, {"token": token}):
                with mute_logger("odoo.http"):
                    self.url_open("/mail/message/post", json=self.build_rpc_payload({**post, **extra}))
        self.login(self.graduate)
        self.assert_refused("clearance.form", "message_post", self.other_form.ids, body="Hello")
        self.other_form.invalidate_recordset()
        self.assertEqual(self.other_form.message_ids, before)

    # -- acting --------------------------------------------------------------------

    def decide_by_rpc(self, student, step, decision, reason="because"):
        status = self.status(student, step)
        return self.call("clearance.status", "decide", status.ids, decision, reason=reason)[0]["outcome"]

    def test_writing_is_refused(self):
        for status in (self.status(self.students[0], self.card), self.status(self.students[1], self.card)):
            self.assert_refused("clearance.status", "write", status.ids, {"state": "approved"})
            self.assert_refused("clearance.status", "unlink", status.ids)
            self.assert_refused("clearance.status", "action_approve", status.ids)
        for form in (self.form, self.other_form):
            self.assert_refused("clearance.form", "write", form.ids, {"state": "cleared"})
            self.assert_refused("clearance.form", "write", form.ids, {"access_token": "mine"})
            self.assert_refused("clearance.form", "unlink", form.ids)
        self.assert_refused("clearance.session", "write", self.clearance.ids, {"name": "Mine"})
        self.assert_refused("clearance.session", "action_close", self.clearance.ids)
        self.assertEqual(self.clearance.state, "open")

    def test_graduates_approve_nothing(self):
        for decision in ("approve", "reject", "reopen", "set_optional", "set_not_required"):
            for student in self.students[:2]:
                self.assertEqual(self.decide_by_rpc(student, self.card, decision), "not_yours", decision)
        self.assertEqual(
            set((self.form | self.other_form).status_ids.mapped("state")), {"pending", "optional", "not_required"}
        )

    def test_submit_and_withdraw_own(self):
        status = self.status(self.students[0], self.card)
        self.assertEqual(self.decide_by_rpc(self.students[1], self.card, "submit"), "not_yours")
        self.assertEqual(self.decide_by_rpc(self.students[0], self.card, "submit"), "not_sent")
        self.send(self.students[0], self.card)
        self.assertEqual(self.decide_by_rpc(self.students[0], self.card, "submit"), "done")
        self.assertEqual(status.state, "submitted")
        self.assertEqual(self.decide_by_rpc(self.students[1], self.card, "withdraw"), "not_yours")
        self.assertEqual(self.decide_by_rpc(self.students[0], self.card, "withdraw"), "done")
        self.assertEqual(status.state, "pending")


@tagged("post_install", "-at_install")
class TestPortalTour(PortalCommon):
    """A graduate with a browser."""

    def run_tour(self):
        self.settle_steps(self.books, students=self.students[0])
        self.decide(self.status(self.students[0], self.card), "reject", "The photo is missing")
        self.start_tour("/my", "clearance_portal_tour", login=self.graduate.login)

    def test_desktop(self):
        self.browser_size = "1280x800"
        self.run_tour()

    def test_phone(self):
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.run_tour()
