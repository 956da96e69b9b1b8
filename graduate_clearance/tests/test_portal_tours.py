"""The graduate's day in a real browser: on a phone, on a desktop, by keyboard, in both languages."""

import json
from urllib.parse import quote

from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_portal import PortalCommon

PHONE = "390x844"
DESKTOP = "1280x800"
#: a window of 640 at 200 %
NARROW = "320x640"

_CHINESE = {
    "books": "归还图书",
    "fees": "缴清欠款",
    "card": "归还学生证",
    "loan": "贷款确认",
    "deposit": "退押金",
    "talk": "毕业谈话",
    "degree": "领取学位证",
    "diploma": "领取毕业证",
}


@tagged("post_install", "-at_install")
class TestPageTours(PortalCommon):
    def setUp(self):
        super().setUp()
        self.affairs_office.write({"opening_hours": "8:30–11:30", "contact": "Counter 3", "phone": "0000-2"})
        self.env["clearance.requirement"].create({"step_id": self.card.id, "name": "Number of the card"})
        self.library.map_url = "https://www.openstreetmap.org/?mlat=0&mlon=0"
        self.degree.handout = "Degree certificate"
        self.settle_steps(self.books, self.fees, students=self.students[0])
        self.decide(self.status(self.students[0], self.card), "reject", "The photo is missing")

    def speak_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        for name, text in _CHINESE.items():
            self[name].with_context(lang="zh_CN").name = text
        self.library.with_context(lang="zh_CN").place = "图书馆二楼"
        self.graduate.lang = "zh_CN"

    def __getitem__(self, name):
        return getattr(self, name)

    def office(self):
        """What the tour needs to let offices decide while the graduate looks at the page."""
        names = ("card", "loan", "talk", "degree", "diploma")
        return {
            "db": self.env.cr.dbname,
            "users": {"affairs": [self.affairs.id, "t_affairs"], "manager": [self.manager.id, "t_manager"]},
            "statuses": {name: self.status(self.students[0], self[name]).id for name in names},
            "steps": {name: self[name].id for name in names},
        }

    def run_tour(self, name, size):
        self.browser_size = size
        self.touch_enabled = size == PHONE
        url = f"/my/clearance?office={quote(json.dumps(self.office()))}"
        # The offices come in by the old door, which says that it will be closed one day.
        with mute_logger("odoo.addons.rpc.controllers.jsonrpc"):
            self.start_tour(url, name, login=self.graduate.login)

    def run_day(self, size):
        self.run_tour("clearance_page_day", size)
        self.assertEqual(self.form.state, "cleared")
        sent = self.status(self.students[0], self.card).form_id.id
        log = self.env["clearance.log"].search([("form_id", "=", sent), ("door", "=", "portal")])
        self.assertEqual(log.mapped("action"), ["submit"])

    def test_day_on_a_phone(self):
        self.run_day(PHONE)

    def test_day_on_a_phone_in_chinese(self):
        self.speak_chinese()
        self.run_day(PHONE)

    def test_day_on_a_desktop(self):
        self.run_day(DESKTOP)

    def test_day_on_a_desktop_in_chinese(self):
        self.speak_chinese()
        self.run_day(DESKTOP)

    def test_keyboard(self):
        self.run_tour("clearance_page_keyboard", DESKTOP)

    def test_narrow(self):
        self.run_tour("clearance_page_narrow", NARROW)

    def test_narrow_in_chinese(self):
        self.speak_chinese()
        self.run_tour("clearance_page_narrow", NARROW)
