"""The graduate's page: whose turn it is, what is owed, when to come, what to collect, what is new."""

from datetime import timedelta
from itertools import pairwise

from lxml import html
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.fields import Command
from odoo.http import root
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.graduate_clearance.models import clearance_session_portal

from .test_portal import PortalCommon


class PageCommon(PortalCommon):
    def values(self, form=None):
        return (form or self.form).with_user(self.graduate)._get_portal_values()

    def values_of(self, step, form=None):
        """What the page says of a step, as a dict."""
        found = {row["step_id"]: row for row in (form or self.form).with_user(self.graduate)._get_portal_steps()}
        return found[step.id]

    def url(self, step, student=None):
        return f"/my/clearance/step/{self.status(student or self.students[0], step).id}"

    def ask_for(self, step, **values):
        """Let a step ask for something."""
        return self.env["clearance.requirement"].create({"step_id": step.id, "name": "Account", **values})


@tagged("post_install", "-at_install")
class TestTurns(PageCommon):
    """Of each step the page says clearly whose turn it is."""

    def turn(self, step):
        values = self.values_of(step)
        return values["turn"], values["turn_text"]

    def test_yours(self):
        self.assertEqual(self.turn(self.card), ("todo", "Yours to do now"))
        self.decide(self.status(self.students[0], self.card), "reject", "No photo")
        self.assertEqual(self.turn(self.card)[0], "todo")
        document = self.page("/my/clearance")
        self.assertIn("o_clearance_turn_todo", self.step(document, self.card).get("class"))
        self.assertEqual(self.step_words(document, self.card, "o_clearance_turn"), "Yours to do now")

    def test_waits_for_whom(self):
        self.hand_in(self.card)
        self.assertEqual(self.turn(self.card), ("others", "Student Affairs reviews what you sent"))
        self.assertEqual(self.turn(self.talk), ("others", "Waits for your counsellor"))
        self.talk.mode = "supervisor"
        self.assertEqual(self.turn(self.talk), ("others", "Waits for your supervisor"))
        self.ask_for(self.talk)
        self.assertEqual(self.turn(self.talk)[0], "todo")
        self.hand_in(self.talk)
        self.assertEqual(self.turn(self.talk), ("others", "Your supervisor reviews what you sent"))

    def test_rejected_by_the_counsellor_is_yours_again(self):
        self.decide(self.status(self.students[0], self.talk), "reject", "Come by")
        self.assertEqual(self.turn(self.talk)[0], "todo")

    def test_blocked_and_looked_at_once_more(self):
        self.assertEqual(self.turn(self.degree), ("blocked", ""))
        student = self.students[0]
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree, students=student)
        self.decide(self.status(student, self.card), "reopen", "Wrong card")
        self.assertEqual(self.turn(self.degree), ("blocked", ""))
        self.settle_steps(self.card, students=student)
        self.assertEqual(
            self.turn(self.degree), ("others", "College of Mechanics Certificates looks at this once more")
        )

    def test_blocked_by_what_the_gate_says(self):
        """The page works out for itself what blocks a step, and comes to the same."""
        student = self.students[0]
        status = self.status(student, self.card)

        def compare():
            missing = self.form.status_ids._get_missing()
            names = self.form.status_ids._get_step_names(pair for pairs in missing.values() for pair in pairs)
            for row in self.form._get_portal_rows():
                settled = row["state"] in ("approved", "not_required") and not row["needs_review"]
                expected = [] if settled else [names[pair] for pair in missing.get(row["id"], ())]
                self.assertEqual(row["blocked_by"], expected, row["name"])

        compare()
        self.settle_steps(self.books, self.loan, students=student)
        compare()
        self.env["clearance.override"].create({"status_id": self.status(student, self.fees).id, "reason": "x"})
        compare()
        self.settle_steps(self.card, self.degree, students=student)
        compare()
        self.decide(status, "reopen", "Wrong card")
        compare()
        self.decide(status, "set_not_required", "None was issued")
        compare()

    def test_a_step_added_a_moment_ago(self):
        """A process that has not heard of a new step yet asks again."""
        self.patch(clearance_session_portal, "KEPT", 60)
        before = len(self.form._get_portal_steps())
        self.card.name = "Hand in the card"
        self.assertEqual(self.values_of(self.card)["name"], "Return student card")
        self._create_step("Another", self.library.create({"name": "New desk"}))
        self.clearance._open()
        self.assertEqual(len(self.form._get_portal_steps()), before + 1)
        self.assertEqual(self.values_of(self.card)["name"], "Hand in the card")

    def test_done_optional_and_later(self):
        self.settle_steps(self.books, students=self.students[0])
        self.assertEqual(self.turn(self.books), ("done", ""))
        self.assertEqual(self.turn(self.deposit), ("optional", ""))
        self.card.open_from = fields.Datetime.now() + timedelta(days=2)
        values = self.values_of(self.card)
        self.assertEqual(values["turn"], "later")
        self.assertEqual(values["turn_text"], f"Begins {values['opens']['text']}")
        self.env["clearance.override"].create({"status_id": self.status(self.students[0], self.fees).id, "reason": "x"})
        self.assertEqual(self.turn(self.fees), ("later", ""))

    def test_overview(self):
        self.hand_in(self.card)
        self.settle_steps(self.books, students=self.students[0])
        document = self.page("/my/clearance")
        chips = [self.text(chip) for chip in self.find(document, "o_clearance_chip")]
        self.assertEqual(
            chips,
            ["All", "Yours to do now (2)", "Waits for others (2)", "Blocked (2)", "Optional (1)", "Done (1)"],
        )
        for turn, count in (("todo", 2), ("others", 2), ("blocked", 2), ("optional", 1), ("done", 1)):
            self.assertEqual(len(self.find(document, f"o_clearance_turn_{turn}")), count, turn)

    def test_what_is_done_is_compact(self):
        self.card.instructions = "Bring the card."
        self.settle_steps(self.card, students=self.students[0])
        document = self.page("/my/clearance")
        self.assertNotIn("Bring the card.", self.step_words(document, self.card))
        self.assertIn("Bring the card.", self.words(self.page(self.url(self.card)), "o_clearance_live_part"))

    def test_optional_apart(self):
        document = self.page("/my/clearance")
        (section,) = self.find(document, "o_clearance_section_optional")
        self.assertEqual([item.get("id") for item in section.iter("li")], [f"step_{self.deposit.id}"])

    # -- what can be done ------------------------------------------------------------

    def action(self, step):
        return self.values_of(step)["action"]

    def test_actions(self):
        self.assertEqual(self.action(self.card)["kind"], "none")
        self.ask_for(self.card)
        self.assertEqual(self.action(self.card)["kind"], "send")
        self.assertEqual(self.action(self.card)["url"], f"{self.url(self.card)}#ask")
        document = self.page("/my/clearance")
        (button,) = self.find(self.step(document, self.card), "btn")
        self.assertEqual(self.text(button), "Fill in and send Return student card")
        self.hand_in(self.card)
        self.assertEqual(self.action(self.card)["kind"], "replace")
        self.decide(self.status(self.students[0], self.card), "reject", "Not readable")
        self.assertEqual(self.action(self.card)["label"], "Correct and send again")
        self.settle_steps(self.card, students=self.students[0])
        self.assertEqual(self.action(self.card)["kind"], "none")

    def test_read_and_confirm(self):
        self.card.mode = "graduate"
        self.assertEqual(self.action(self.card)["kind"], "confirm")
        self.diploma.mode = "graduate"
        self.assertEqual(self.action(self.diploma)["kind"], "none")  # blocked

    def test_no_action_outside_the_window(self):
        self.ask_for(self.card)
        now = fields.Datetime.now()
        self.card.deadline = now - timedelta(hours=1)
        self.assertEqual(self.action(self.card)["kind"], "none")
        self.assertIn("is over", self.turn(self.card)[1])
        self.card.write({"deadline": False, "open_from": now + timedelta(hours=1)})
        self.assertEqual(self.action(self.card)["kind"], "none")
        self.card.open_from = False
        self.clearance.open_until = now - timedelta(hours=1)
        self.assertEqual(self.action(self.card)["kind"], "none")


@tagged("post_install", "-at_install")
class TestFirstThings(PageCommon):
    """A questionnaire before the form opens, a review before everything."""

    def test_only_what_opens_the_form(self):
        self.card.write({"is_entry": True, "mode": "graduate"})
        self.talk.is_entry = True
        document = self.page("/my/clearance")
        steps = [element.get("id") for element in self.find(document, "o_clearance_step")]
        self.assertEqual(steps, [f"step_{self.card.id}", f"step_{self.talk.id}"])
        self.assertIn("First: Return student card", self.words(document, "o_clearance_headline"))
        self.assertIn("6 other steps appear once it is done", self.words(document, "o_clearance_section_first"))
        self.assertFalse(self.find(document, "o_clearance_overview"))
        # The page of another step is not there yet, either.
        self.login(self.graduate)
        self.assertURLEqual(self.url_open(self.url(self.fees)).url, f"/my/clearance/{self.form.id}")
        self.settle_steps(self.card, students=self.students[0])
        document = self.page("/my/clearance")
        self.assertEqual(len(self.find(document, "o_clearance_step")), 8)

    def test_a_review_hides_nothing(self):
        self.talk.write({"is_entry": True, "mode": "supervisor"})
        document = self.page("/my/clearance")
        self.assertEqual(len(self.find(document, "o_clearance_step")), 8)
        self.assertEqual(
            self.step_words(document, self.card, "o_clearance_blocked"), "Blocked by Counselling: Exit talk"
        )

    def test_a_form_that_is_over_shows_all(self):
        self.card.write({"is_entry": True, "mode": "graduate"})
        self.clearance.open_until = fields.Datetime.now() - timedelta(hours=1)
        self.assertEqual(len(self.find(self.page("/my/clearance"), "o_clearance_step")), 8)


@tagged("post_install", "-at_install")
class TestFigures(PageCommon):
    """What a source system says, as of when, and that it may be out of date."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = fields.Datetime.now()
        cls.feed = cls.env["clearance.feed"].create({"name": "Library system", "unit": "books", "every": 60})
        cls.books.feed_id = cls.feed

    def hear(self, hours_ago=0, **row):
        self.feed._hear(
            self.books,
            [{"student_number": self.students[0].student_number, **row}],
            self.now - timedelta(hours=hours_ago),
        )

    def test_quantity_and_amount(self):
        self.campus.currency_id = self.env.ref("base.CNY")
        self.hear(quantity=2, amount=35.5)
        document = self.page("/my/clearance")
        self.assertIn("2 books, ¥ 35.50", self.step_words(document, self.books, "o_clearance_figure"))
        self.assertIn("updated about every hour", self.step_words(document, self.books, "o_clearance_figure"))
        self.assertFalse(self.step_words(document, self.books, "o_clearance_silent"))
        headline = self.words(document, "o_clearance_headline")
        self.assertIn("Next: Library, Return books, 2 books, ¥ 35.50, 2nd floor, until", headline)

    def test_as_the_desk_reads_it(self):
        """Page and desk use the same words."""
        self.campus.currency_id = self.env.ref("base.EUR")
        for row in (
            {"quantity": 2.5},
            {"amount": 1234.5},
            {"quantity": 1, "note": "One journal"},
            {"quantity": 1, "amount": 0.1},
        ):
            self.hear(**row)
            status = self.status(self.students[0], self.books)
            text = self.env["clearance.feed"]._get_figures(status.ids)[status.id]["text"]
            self.assertEqual(self.values_of(self.books)["figure"]["text"], text)

    def test_silent(self):
        self.hear(hours_ago=30, quantity=2)
        document = self.page("/my/clearance")
        self.assertIn(
            "Library system has not reported since", self.step_words(document, self.books, "o_clearance_silent")
        )
        self.hear(quantity=2)
        self.assertFalse(self.step_words(self.page("/my/clearance"), self.books, "o_clearance_silent"))

    def test_never_heard(self):
        document = self.page("/my/clearance")
        self.assertIn("has not reported yet", self.step_words(document, self.books, "o_clearance_silent"))
        self.assertEqual(self.values_of(self.books)["turn"], "todo")

    def test_nothing_owed(self):
        """Who owes nothing waits for the system; not where a person has decided otherwise, which it leaves alone."""
        rows = [{"student_number": "T26000", "quantity": 0}]
        self.feed._hear(self.books, rows, self.now - timedelta(hours=25))  # too old to settle anything
        values = self.values_of(self.books)
        self.assertEqual(values["figure"]["text"], "nothing owed")
        self.assertEqual((values["turn"], values["turn_text"]), ("others", "Settles by itself: you owe nothing"))
        self.hear()
        self.assertFalse(self.values_of(self.books)["figure"])  # settled
        self.decide(self.status(self.students[0], self.books), "reopen", "Look again")
        values = self.values_of(self.books)
        self.assertEqual((values["figure"]["text"], values["figure"]["kept"]), ("nothing owed", True))
        self.assertEqual((values["turn"], values["reason"]), ("todo", "Look again"))

    def test_how_often(self):
        words = {0: "", 30: "updated about every 30 minutes", 120: "updated about every 2 hours"}
        words[1440] = "updated about once a day"
        for every, text in words.items():
            self.feed.every = every
            self.assertEqual(self.values_of(self.books)["figure"]["every"], text)

    def test_figures_of_another(self):
        self.feed._hear(self.books, [{"student_number": "T26001", "quantity": 77}], self.now)
        self.assertNotIn("77", self.words(self.page("/my/clearance"), "o_clearance_live_part"))


@tagged("post_install", "-at_install")
class TestWhenAndWhere(PageCommon):
    def test_days_left(self):
        self.graduate.tz = "UTC"
        noon = fields.Datetime.now().replace(hour=12, minute=0)
        day = timedelta(days=1)
        clock = self.form._get_portal_clock("UTC")
        for moment, text in ((noon + 3 * day, "3 days left"), (noon + day, "tomorrow"), (noon - day, "over")):
            self.assertEqual(self.form._get_portal_left(moment, clock), text)
        self.assertEqual(self.form._get_portal_left(clock.now.replace(hour=23, minute=59, second=59), clock), "today")

    def test_days_left_on_the_page(self):
        self.card.deadline = fields.Datetime.now() + timedelta(days=3)
        document = self.page("/my/clearance")
        self.assertEqual(self.step_words(document, self.card, "o_clearance_left"), "3 days left")
        self.settle_steps(self.card, students=self.students[0])
        self.assertEqual(self.step_words(self.page("/my/clearance"), self.card, "o_clearance_left"), "")

    def test_map(self):
        self.library.map_url = "https://maps.example.com/?q=library"
        document = self.page("/my/clearance")
        (link,) = self.find(self.step(document, self.books), "o_clearance_map")
        self.assertEqual(link.get("href"), "https://maps.example.com/?q=library")
        self.assertIn("noopener", link.get("rel"))
        self.assertEqual(self.text(link), "2nd floor (map)")

    def test_map_is_a_page_of_the_web(self):
        for url in ("javascript:alert(1)", "data:text/html,x", "//evil.example.com", "file:///etc", " https://x.y"):
            for record in (self.library, self.card):
                with self.assertRaises(CheckViolation, msg=url), mute_logger("odoo.sql_db"), self.cr.savepoint():
                    record.map_url = url
                    record.flush_recordset()

    def test_rejected_says_whom_to_contact(self):
        self.affairs_office.write({"contact": "Room 101", "phone": "0000-2"})
        self.decide(self.status(self.students[0], self.card), "reject", "No photo")
        words = self.step_words(self.page("/my/clearance"), self.card, "o_clearance_reason")
        self.assertEqual(words, "Reason: No photo · Contact: Room 101 0000-2")

    def test_slots(self):
        now = fields.Datetime.now()
        hour = timedelta(hours=1)
        self.env["clearance.slot"].create(
            [
                {"session_id": self.clearance.id, "open_from": now + a * hour, "open_until": now + b * hour, **more}
                for a, b, more in (
                    (-5, -4, {}),
                    (-1, 1, {"place": "Library hall", "college_ids": [Command.set(self.mech.ids)]}),
                    (-1, 2, {"place": "Gym", "college_ids": [Command.set(self.arts.ids)]}),
                    (30, 31, {}),
                )
            ]
        )
        document = self.page("/my/clearance")
        slots = self.find(document, "o_clearance_slot")
        marks = [self.words(slot, "o_clearance_when") for slot in slots]
        self.assertEqual(marks, ["past", "now", ""])
        self.assertIn("Library hall", self.text(slots[1]))
        self.assertNotIn("Gym", self.words(document, "o_clearance_hall"))
        # The code to show stands open while it is needed.
        self.assertEqual(len(document.xpath("//details[@id='clearance_code'][@open]")), 1)
        # A change of who is to come when is seen at once.
        self.clearance.slot_ids.filtered("place")[0].college_ids = self.arts
        document = self.page("/my/clearance")
        marks = [self.words(slot, "o_clearance_when") for slot in self.find(document, "o_clearance_slot")]
        self.assertEqual(marks, ["past", "next"])

    def test_no_slots(self):
        self.assertFalse(self.find(self.page("/my/clearance"), "o_clearance_hall"))

    def test_documents(self):
        self.degree.handout = "Degree certificate"
        self.diploma.handout = "Diploma"
        self.loan.handout = "Receipt"
        document = self.page("/my/clearance")

        def states(document):
            found = {}
            for item in self.find(document, "o_clearance_document"):
                state = item.get("class").rpartition("_")[2]
                found[self.words(item, "o_clearance_link")] = state
            return found

        self.assertEqual(states(document), {"Receipt": "ready", "Degree certificate": "after", "Diploma": "after"})
        self.assertIn("After 4 other steps", self.words(document, "o_clearance_documents"))
        student = self.students[0]
        self.settle_steps(self.books, self.fees, self.card, self.loan, self.degree, students=student)
        document = self.page("/my/clearance")
        self.assertEqual(
            states(document), {"Receipt": "collected", "Degree certificate": "collected", "Diploma": "ready"}
        )
        # Who has no loan collects no receipt.
        others = self.page("/my/clearance", self.other_graduate)
        self.assertEqual(states(others), {"Degree certificate": "after", "Diploma": "after"})


@tagged("post_install", "-at_install")
class TestStepPage(PageCommon):
    def test_history(self):
        status = self.status(self.students[0], self.card)
        self.hand_in(self.card)
        self.decide(status.with_user(self.affairs), "reject", "Blurred")
        self.decide(self.status(self.students[1], self.card).with_user(self.affairs), "reject", "Of another")
        document = self.page(self.url(self.card))
        lines = [self.text(line) for line in self.find(document, "o_clearance_history")[0].iter("li")]
        self.assertEqual(len(lines), 2)
        self.assertIn(f"Not approved by {self.affairs.name} Blurred", lines[0])
        self.assertIn("Sent by you", lines[1])
        self.settle_steps(self.books, students=self.students[0])
        document = self.page(self.url(self.books))
        self.assertIn("Approved automatically", self.words(document, "o_clearance_history"))

    def test_outline(self):
        self.settle_steps(self.card, students=self.students[0])
        for step in (self.card, self.degree, self.loan):
            document = self.page(self.url(step))
            (main,) = document.iter("main")
            levels = [int(h.tag[1]) for h in main.iter("h1", "h2", "h3", "h4", "h5", "h6")]
            self.assertEqual(levels[0], 1)
            self.assertEqual(levels.count(1), 1)
            self.assertFalse([pair for pair in pairwise(levels) if pair[1] > pair[0] + 1])
            self.assertTrue(self.text(*document.iter("h1")).endswith(step.name))
            crumbs = [self.text(crumb) for crumb in document.xpath("//ol[hasclass('o_portal_submenu')]/li")]
            self.assertEqual(crumbs[1:], ["Clearance", "2026 undergraduates", step.name])

    def test_of_another(self):
        self.login(self.graduate)
        for url in (self.url(self.card, self.students[1]), "/my/clearance/step/999999999"):
            response = self.url_open(url)
            self.assertURLEqual(response.url, "/my/clearance")
            self.assertNotIn("T26001", response.text)
        # Who may read every form is a graduate here, too.
        self.login(self.manager)
        self.assertURLEqual(self.url_open(self.url(self.card)).url, "/my/clearance")
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open(self.url(self.card)).url)

    def test_withdrawn(self):
        url = self.url(self.card)
        self.students[0].write({"graduation_state": "postponed", "graduation_note": "Thesis"})
        self.login(self.graduate)
        self.assertURLEqual(self.url_open(url).url, f"/my/clearance/{self.form.id}")

    def test_not_required(self):
        document = self.page(self.url(self.loan, self.students[1]), self.other_graduate)
        self.assertEqual(self.words(document, "o_clearance_marks"), "Not required")

    def test_changes(self):
        self.decide(self.status(self.students[0], self.card), "reject", "Blurred")
        document = self.page(f"/my/clearance/{self.form.id}/changes")
        self.assertIn("Student Affairs: Return student card", self.text(*document.iter("main")))
        self.login(self.other_graduate)
        self.assertURLEqual(self.url_open(f"/my/clearance/{self.form.id}/changes").url, "/my/clearance")


@tagged("post_install", "-at_install")
class TestNews(PageCommon):
    """Open pages ask whether something has changed: cheaply, and only about the own form."""

    def ask(self, version=None, form=None):
        headers = {"If-None-Match": f'"{version}"'} if version else {}
        return self.url_open(f"/my/clearance/{(form or self.form).id}/news", headers=headers)

    def version(self):
        return self.ask().json()["version"]

    def assert_news(self, change, msg=None):
        """A change is news, once."""
        before = self.version()
        self.assertEqual(self.ask(before).status_code, 304)
        change()
        self.env.flush_all()
        response = self.ask(before)
        self.assertEqual(response.status_code, 200, msg)
        self.assertNotEqual(response.json()["version"], before, msg)

    def setUp(self):
        super().setUp()
        self.login(self.graduate)

    def test_the_page_and_its_news_agree(self):
        document = html.fromstring(self.url_open("/my/clearance").content)
        (live,) = self.find(document, "o_clearance_live")
        self.assertEqual(live.get("data-news"), f"/my/clearance/{self.form.id}/news")
        self.assertEqual(live.get("data-version"), self.version())
        document = html.fromstring(self.url_open(self.url(self.card)).content)
        (live,) = self.find(document, "o_clearance_live")
        self.assertEqual(live.get("data-version"), self.version())

    def test_what_is_news(self):
        student = self.students[0]
        feed = self.env["clearance.feed"].create({"name": "Library system"})
        self.books.feed_id = feed
        now = fields.Datetime.now()
        changes = {
            "decision": lambda: self.decide(self.status(student, self.card), "reject", "Blurred"),
            "figure": lambda: feed._hear(self.books, [{"student_number": "T26000", "quantity": 2}], now),
            "deferral": lambda: self.env["clearance.override"].create(
                {"status_id": self.status(student, self.fees).id, "reason": "x"}
            ),
            "sent": lambda: self.send(student, self.loan),
            "step": lambda: self.degree.write({"place": "Gym"}),
            "deadline": lambda: self.degree.write({"deadline": now + timedelta(days=4)}),
            "desk": lambda: self.mech_desk.write({"opening_hours": "8-9"}),
            "session": lambda: self.clearance.write({"instructions": "Hurry"}),
            "question": lambda: self.ask_for(self.card),
            "slot": lambda: self.clearance.write(
                {"slot_ids": [Command.create({"open_from": now, "open_until": now + timedelta(hours=1)})]}
            ),
            "campus": lambda: self.env["clearance.settings"]._get(self.campus).write({"help": "Room 1"}),
        }
        for name, change in changes.items():
            self.assert_news(change, name)

    def test_time_is_news(self):
        self.card.deadline = fields.Datetime.now() + timedelta(minutes=1)
        head = self.form._get_portal_head()
        before = self.form._get_portal_version(head)
        self.assertEqual(self.form._get_portal_version(head), before)
        later = fields.Datetime.now() + timedelta(minutes=2)
        self.patch(fields.Datetime, "now", lambda *args: later)
        self.assertNotEqual(self.form._get_portal_version(head), before)

    def test_others_are_no_news(self):
        before = self.version()
        self.decide(self.status(self.students[1], self.card), "reject", "Blurred")
        self.send(self.students[1], self.card)
        self.env.flush_all()
        self.assertEqual(self.ask(before).status_code, 304)

    def test_news_of_another(self):
        response = self.ask(form=self.other_form)
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.json(), {"version": ""})
        self.login(self.manager)
        self.assertEqual(self.ask().status_code, 404)

    def test_without_login(self):
        self.authenticate(None, None)
        self.assertIn("/web/login", self.ask().url)

    def test_cost(self):
        """Who asks, and one query."""
        self.patch(clearance_session_portal, "KEPT", 60)
        version = self.version()
        before = self.cr.sql_log_count
        self.assertEqual(self.ask(version).status_code, 304)
        self.assertLessEqual(self.cr.sql_log_count - before, 5)


@tagged("post_install", "-at_install")
class TestPagesInWords(PageCommon):
    """Every page says what to do next."""

    def test_two_forms(self):
        self.clearance.copy({"name": "Second degree"})._open()
        document = self.page("/my/clearance")
        self.assertIn("Choose one:", self.text(*document.iter("main")))

    def test_closed_with_something_left(self):
        self.clearance.action_close()
        words = self.words(self.page("/my/clearance"), "o_clearance_summary")
        self.assertIn("Ask your school how to make up for it.", words)

    def test_certificate(self):
        self.settle_steps(*self.clearance.step_ids - self.deposit, students=self.students[0])
        document = self.page("/my/clearance")
        links = [link.get("href") for link in self.find(document, "o_clearance_certificate")[0].iter("a")]
        base = f"{self.base_url()}/my/clearance/{self.form.id}/certificate"
        self.assertEqual(links, [base, f"{base}.pdf"])
        self.assertFalse(self.find(self.page("/my/clearance", self.other_graduate), "o_clearance_certificate"))

    def test_flashes_are_shown_once(self):
        self.login(self.graduate)
        session = self.session
        session["clearance_flashes"] = [["danger", "<b>No</b>"], ["success", "Sent."]]
        root.session_store.save(session)
        document = html.fromstring(self.url_open("/my/clearance").content)
        found = [(flash.get("role"), self.text(flash)) for flash in self.find(document, "o_clearance_flash")]
        self.assertEqual(found, [("alert", "<b>No</b>"), ("status", "Sent.")])
        document = html.fromstring(self.url_open("/my/clearance").content)
        self.assertFalse(self.find(document, "o_clearance_flash"))

    def test_size(self):
        """Twenty steps with all there is to say stay well below 100 KB."""
        for number in range(12):
            self._create_step(
                f"More {number}",
                self.certificates,
                instructions="Bring the original and a copy of it. " * 5,
                opening_hours="8:30–11:30",
                contact="Office",
                prerequisite_ids=[Command.set(self.card.ids)],
            )
        self.clearance._open()
        self.login(self.graduate)
        self.assertLess(len(self.url_open("/my/clearance").content), 100_000)

    def test_language_of_the_page(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.graduate.lang = "zh_CN"
        self.assertEqual(self.page("/my/clearance").getroottree().getroot().get("lang"), "zh-CN")
        # Its news are the same, in whatever language they are asked for.
        document = self.page("/my/clearance")
        (live,) = self.find(document, "o_clearance_live")
        answer = self.url_open(f"/my/clearance/{self.form.id}/news").json()
        self.assertEqual(answer["version"], live.get("data-version"))

    @mute_logger("odoo.http")
    def test_works_without_scripts(self):
        """What is folded is folded by the browser itself, and links lead to pages."""
        document = self.page("/my/clearance")
        (main,) = document.iter("main")
        self.assertFalse(list(main.iter("button")))
        for link in self.find(main, "o_clearance_step_name"):
            self.assertIn("/my/clearance/step/", link.get("href"))
