"""The graduate's pages for everybody: WCAG 2.2 AA by axe-core, by keyboard, enlarged and on a narrow screen."""

import base64
import json
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from portal_browser import DESKTOP, NARROW, PHONE, ZOOMED, browse

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.graduate_clearance.tests.common import ClearanceCommon

pytestmark = pytest.mark.slow

#: where our pages stand in Odoo's layout
OURS = "main"
MOST_TABS = 250
SEND_NOTHING = """(() => {
    const form = document.querySelector("form[action$='/send']");
    form.noValidate = true;
    form.querySelector("[type=submit]:not([name=keep])").click();
})()"""
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Stop(NamedTuple):
    """A page to look at."""

    name: str
    url: str
    login: str | None = None
    #: what leads from there to the page that is meant
    script: str = ""


class Graduates(ClearanceCommon, HttpCase):
    """Graduates who have come to different points, and what each of them can look at."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._write_everything()
        cls.forms = cls.open_session()
        cls.users = [cls._find_user(student) for student in cls.students]
        cls.nobody = cls._create_portal_user("t_nobody")
        fresh, midway, cleared, deferred, withdrawn, twice = range(6)
        cls._report_figure(fresh, cls.fees)
        cls._play_midway(midway)
        cls._send(cleared)
        cls._settle(cleared, *cls.clearance.step_ids)
        cls._defer(deferred, cls.fees)
        cls._settle(deferred, *cls.clearance.step_ids - cls.fees)
        cls.students[withdrawn].write({"graduation_state": "postponed", "graduation_note": "Thesis"})
        cls._send(twice)
        cls._add_session(twice)
        printed = cls.forms._get_certificates()
        cls.certificate, cls.revoked = (printed[cls.forms[number].id] for number in (cleared, deferred))
        cls.revoked._revoke("Printed by mistake")
        cls.stops = cls._list_stops(cls.users)
        cls.env.flush_all()

    # -- what there is to see ------------------------------------------------------

    @classmethod
    def _write_everything(cls):
        """Everything that an administrator may have written."""
        cls.clearance.instructions = "Bring your student card to every desk."
        cls.env["clearance.settings"]._get(cls.campus).help = "Ask room 101, 0731-1234."
        cls.library.write(
            {
                "opening_hours": "8:00 – 17:00",
                "contact": "Ms Li",
                "phone": "0731-12, 0731-34",
                "instructions": "Ring the bell.",
                "map_url": "https://map.example.com/library",
            }
        )
        now = fields.Datetime.now()
        cls.card.write({"deadline": now + timedelta(days=2), "instructions": "Bring it.", "stage": "First"})
        cls.degree.handout = "Degree certificate"
        cls.papers = cls._create_step("Where you go", cls.affairs_office, stage="First")
        cls.notice = cls._create_step("Read the notice", cls.affairs_office, mode="graduate", instructions="Lock up.")
        cls._ask_everything()
        cls.fees.feed_id = cls.env["clearance.feed"].create({"name": "Cashier", "every": 60, "silent_after": 3})
        cls.env["clearance.slot"].create(
            {
                "session_id": cls.clearance.id,
                "college_ids": [Command.set(cls.mech.ids)],
                "place": "Hall",
                "open_from": now + timedelta(days=1),
                "open_until": now + timedelta(days=1, hours=2),
            }
        )

    @classmethod
    def _ask_everything(cls):
        """Every kind of question, each with a hint."""
        choices = [Command.create({"name": name}) for name in ("Work", "Further studies")]
        cls.questions = cls.env["clearance.requirement"].create(
            [
                {"step_id": cls.papers.id, "name": f"Question {kind}", "kind": kind, "help": f"Hint {kind}", **values}
                for kind, values in {
                    "char": {},
                    "text": {"required": False},
                    "float": {},
                    "date": {},
                    "selection": {"choice_ids": choices},
                    "boolean": {},
                    "file": {"template": base64.b64encode(b"%PDF-1.4"), "template_name": "form.pdf"},
                }.items()
            ]
        )

    @classmethod
    def _create_portal_user(cls, login, **values):
        return new_test_user(
            cls.env,
            login,
            groups="base.group_portal",
            company_id=cls.campus.id,
            company_ids=cls.campus.ids,
            **values,
        )

    @classmethod
    def _find_user(cls, student):
        return student.partner_id.user_ids or cls._create_portal_user(
            student.student_number, name=student.name, partner_id=student.partner_id.id, tz="Asia/Shanghai"
        )

    # -- what has happened ---------------------------------------------------------

    @classmethod
    def _find_status(cls, number, step):
        form = cls.forms[number]
        return cls.env["clearance.status"].search([("form_id", "=", form.id), ("step_id", "=", step.id)])

    @classmethod
    def _settle(cls, number, *steps):
        last = [cls.degree, cls.diploma]
        for step in sorted(steps, key=lambda step: last.index(step) if step in last else -1):
            status = cls._find_status(number, step).filtered("is_open")
            if step.mode == "graduate":
                status.with_user(cls.users[number])._decide("approve", "portal")
            else:
                status._decide("approve", "feed" if step.mode == "feed" else "api")

    @classmethod
    def _play_midway(cls, number):
        """One step approved, two rejected, one deferred, certificates blocked; a desk was asked and has answered."""
        cls._settle(number, cls.books)
        cls._find_status(number, cls.card)._decide("reject", "api", "The photo is missing")
        cls._send(number)
        cls._find_status(number, cls.papers)._decide("reject", "api", "The date is wrong")
        cls._defer(number, cls.fees)
        user = cls.users[number]
        inquiry = (
            cls.env["clearance.inquiry"]
            .with_user(user)
            ._ask(cls._find_status(number, cls.card).with_user(user), "Is a copy enough?")
        )
        inquiry.with_user(cls.affairs).message_post(
            body="No, bring the card.", message_type="comment", subtype_xmlid="mail.mt_comment"
        )

    @classmethod
    def _send(cls, number):
        """The graduate sends what is asked for."""
        typed = {
            "char": "Changsha",
            "float": "12.5",
            "date": "2026-07-01",
            "selection": str(cls.questions.choice_ids[:1].id),
            "boolean": "1",
        }
        answers = {question.id: typed[question.kind] for question in cls.questions if question.kind in typed}
        paper = {question.id: [("paper.png", PICTURE)] for question in cls.questions if question.kind == "file"}
        user = cls.users[number]
        status = cls._find_status(number, cls.papers).with_user(user)
        cls.env["clearance.submission"].with_user(user)._submit(status, answers, paper)

    @classmethod
    def _report_figure(cls, number, step):
        """What the source system has said, hours ago."""
        hours_ago = fields.Datetime.now() - timedelta(hours=5)
        step.feed_id.heard_at = hours_ago
        cls.env["clearance.figure"].create(
            {"status_id": cls._find_status(number, step).id, "quantity": 2, "amount": 30.5, "as_of": hours_ago}
        )

    @classmethod
    def _defer(cls, number, step):
        cls.env["clearance.override"].create(
            {
                "status_id": cls._find_status(number, step).id,
                "reason": "Pays by instalments",
                "date_end": fields.Date.today() + timedelta(days=30),
            }
        )

    @classmethod
    def _add_session(cls, number):
        """A second degree."""
        second = cls.clearance.copy(
            {"name": "Second degree", "student_domain": f"[('id', '=', {cls.students[number].id})]"}
        )
        second._open()

    # -- pages -----------------------------------------------------------------------

    @classmethod
    def _list_stops(cls, users):
        """Every kind of page, in the states that look different."""
        fresh, midway, cleared, deferred, withdrawn, twice = (user.login for user in users)

        def step(number, step):
            return f"/my/clearance/step/{cls._find_status(number, step).id}"

        form = "/my/clearance"
        return [
            Stop("form, fresh", form, fresh),
            Stop("form, midway", form, midway),
            Stop("form, cleared", form, cleared),
            Stop("form, deferred", form, deferred),
            Stop("form, withdrawn", form, withdrawn),
            Stop("choice of forms", form, twice),
            Stop("no form", form, cls.nobody.login),
            Stop("changes", f"{form}/{cls.forms[1].id}/changes", midway),
            Stop("step, with a figure", step(0, cls.fees), fresh),
            Stop("step, asks", step(0, cls.papers), fresh),
            Stop("step, sent with mistakes", step(0, cls.papers), fresh, SEND_NOTHING),
            Stop("step, to confirm", step(0, cls.notice), fresh),
            Stop("step, rejected, with messages", step(1, cls.card), midway),
            Stop("step, to send again", step(1, cls.papers), midway),
            Stop("step, deferred", step(1, cls.fees), midway),
            Stop("step, blocked", step(1, cls.degree), midway),
            Stop("step, settled", step(2, cls.papers), cleared),
            Stop("step, submitted", step(5, cls.papers), twice),
            Stop("certificate", f"{form}/{cls.forms[2].id}/certificate", cleared),
            Stop("sheet", f"{form}/{cls.forms[1].id}/certificate", midway),
            Stop("landing", "/clearance"),
            Stop("verify", "/clearance/verify"),
            Stop("verify, valid", urlsplit(cls.certificate.url).path),
            Stop("verify, revoked", urlsplit(cls.revoked.url).path),
        ]

    def speak_chinese(self):
        """Everybody reads Chinese, in the words of the addon's and Odoo's own translations."""
        self.env["res.lang"]._activate_lang("zh_CN")
        modules = self.env["ir.module.module"].search([("name", "in", ("graduate_clearance", "portal", "web"))])
        modules._update_translations(["zh_CN"])
        self.env["res.users"].search([("share", "=", True)]).lang = "zh_CN"
        self.env.flush_all()

    def visit_all(self, look, sizes):
        """Look at every page at every size, and fail with everything that was found."""
        found = []

        def act(visitor):
            for stop in self.stops:
                for size in sizes:
                    page = visitor.visit(stop.url, login=stop.login, size=size, name=stop.name)
                    if stop.script:
                        visitor.follow(page, stop.script)
                    found.extend(f"{page}\n    {text}" for text in look(page))

        browse(self, {stop.login for stop in self.stops}, act)
        self.assertFalse(found, f"{len(found)} barriers:\n" + "\n".join(found))


@tagged("post_install", "-at_install")
class TestPortalPages(Graduates):
    #: Odoo's own: in its footer the button for the language lacks contrast
    without = (".js_language_selector",)

    def look_with_axe(self, page):
        barriers, passes = page.find_barriers(self.without)
        self.assertGreater(passes, 0, f"axe has looked at nothing of {page}")
        return barriers

    def look_for_overflow(self, page):
        return page.call("findOverflow", OURS)

    def look_by_keyboard(self, page):
        page.call("unfold")
        page.call("listInteractive", OURS)
        for _number in range(MOST_TABS):
            page.press("Tab", 9)
            if not page.call("noteFocus"):
                break
        return page.call("summariseFocus") + page.call("findSmallTargets", OURS)

    def test_axe_english(self):
        self.visit_all(self.look_with_axe, (PHONE, DESKTOP))

    def test_axe_chinese(self):
        self.speak_chinese()
        languages = set()

        def look(page):
            languages.add(page.evaluate("document.documentElement.lang"))
            return self.look_with_axe(page)

        self.visit_all(look, (PHONE, DESKTOP))
        self.assertEqual(languages, {"zh-CN"})

    def test_nobody_scrolls_sideways(self):
        """At 320 px and at 200 %."""
        self.visit_all(self.look_for_overflow, (NARROW, ZOOMED))

    def test_nobody_scrolls_sideways_chinese(self):
        self.speak_chinese()
        self.visit_all(self.look_for_overflow, (NARROW,))

    def test_keyboard(self):
        """Everything is reached with Tab, shows that it has the focus, and is large enough to be hit."""
        self.visit_all(self.look_by_keyboard, (DESKTOP,))

    def test_barriers_are_found(self):
        """These checks can fail."""
        found, stop = [], self.stops[0]
        barriers = """
            <input>
            <div style="width: 1300px">wide</div>
            <a href="#x" style="outline: none; box-shadow: none; text-decoration: none">unmarked</a>
            <button type="button" style="width: 12px; height: 12px; padding: 0"></button>
            <span tabindex="0" onfocus="this.blur()">unreachable</span>
        """

        def act(visitor):
            page = visitor.visit(stop.url, login=stop.login)
            page.evaluate(f"document.querySelector('main').insertAdjacentHTML('beforeend', {json.dumps(barriers)}); 0")
            for look in (self.look_with_axe, self.look_for_overflow, self.look_by_keyboard):
                found.extend(look(page))

        browse(self, [stop.login], act)
        for text in ("label at ", "button-name at ", "reaches from", "px is small: button"):
            self.assertTrue([one for one in found if text in one], (text, found))
        for text in ("does not show the focus: a", "not reached with Tab: span"):
            self.assertTrue([one for one in found if one.startswith(text)], (text, found))
