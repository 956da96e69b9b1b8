from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests.common import tagged

from ..demo.campus import Campus
from ..models import clearance_desk_live
from .common import ClearanceCommon
from .test_campaign import CampusCommon
from .test_security import SecurityCase

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class DeskCase(ClearanceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.forms = cls.open_session()

    def desk(self, user):
        return self.env["clearance.desk"].with_user(user)

    def form(self, number):
        return self.forms[number]

    def search(self, user, station, **filters):
        """Student numbers, shortened, of the first page."""
        answer = self.desk(user).search_graduates(station.id, **filters)
        return [row["student_number"][-1] for row in answer["rows"]]


@tagged("post_install", "-at_install")
class TestDeskSearch(DeskCase):
    def test_stations(self):
        """Everybody gets the stations where they may decide, managers all."""

        def names(user):
            return [station["name"] for station in self.desk(user).get_stations()["stations"]]

        self.assertEqual(names(self.affairs), ["Student Affairs"])
        self.assertEqual(names(self.mech_clerk), ["College of Mechanics Certificates"])
        self.assertEqual(names(self.counsellor), ["Counselling"])
        self.assertEqual(names(self.auditor), [])
        self.assertEqual(len(names(self.manager)), 6)
        station = self.desk(self.affairs).get_stations()["stations"][0]
        self.assertEqual([step["name"] for step in station["steps"]], ["Return student card", "Confirm loan"])
        self.assertEqual([session["id"] for session in station["sessions"]], self.clearance.ids)

    def test_presets(self):
        """A reason of a station is offered at its desks, one without a station everywhere."""
        Reason = self.env["clearance.reason"]
        mine, others = Reason.create(
            [
                {"name": "Certificate misprinted", "decision": "reject", "station_id": self.certificates.id},
                {"name": "Book lost", "decision": "reject", "station_id": self.library.id},
            ]
        )
        presets = {preset["id"]: preset for preset in self.desk(self.mech_clerk).get_stations()["reasons"]}
        self.assertIn(self.mech_desk.id, presets[mine.id]["station_ids"])
        self.assertEqual(presets[others.id]["station_ids"], self.library.ids)
        everywhere = self.env.ref("graduate_clearance.reason_reject_items")
        self.assertIs(presets[everywhere.id]["station_ids"], False)

    def test_closed_sessions_are_no_work(self):
        self.clearance.action_close()
        self.assertEqual(self.desk(self.affairs).get_stations()["stations"], [])
        self.assertEqual(self.search(self.affairs, self.affairs_office), [])

    def test_by_text(self):
        for query, found in {
            "": "012345",
            "T26003": "3",
            "26004": "4",
            "graduate 2": "2",
            "tg2": "2",
            "TG": "012345",
            "99000019990101004X": "4",
            "99000019990101004x": "4",
            "9900001999010100": "",  # a part of an ID-card number finds nobody
            "%": "",
            "T26_00": "",
            "nobody": "",
        }.items():
            with self.subTest(query=query):
                self.assertEqual("".join(self.search(self.affairs, self.affairs_office, query=query)), found)

    def test_pinyin_initials(self):
        """Chinese names are found by the first letters of their pinyin, in each reading."""
        self.students[0].name = "曾晓雯"
        self.students[1].name = "欧阳倩"
        for query, found in {"zxw": "0", "cxw": "0", "oyq": "1", "oy": "1", "xw": "", "晓": "0"}.items():
            with self.subTest(query=query):
                self.assertEqual("".join(self.search(self.affairs, self.affairs_office, query=query)), found)

    def test_by_state(self):
        self.status(self.students[1], self.card, self.affairs)._decide("approve", "desk")
        self.status(self.students[2], self.card, self.affairs)._decide("reject", "desk", "Another's card")
        self.status(self.students[3], self.card, self.graduate)
        for state, found in {"all": "012345", "open": "02345", "done": "1", "rejected": "2", "submitted": ""}.items():
            with self.subTest(state=state):
                self.assertEqual("".join(self.search(self.affairs, self.affairs_office, state=state)), found)

    def test_by_step(self):
        """Graduate 0 has both steps of the station, the others the card alone."""
        office = self.affairs_office
        self.assertEqual(self.search(self.affairs, office, step_id=self.loan.id), ["0"])
        self.status(self.students[0], self.card, self.affairs)._decide("approve", "desk")
        self.assertEqual(self.search(self.affairs, office, state="done"), [])
        self.assertEqual(self.search(self.affairs, office, state="done", step_id=self.card.id), ["0"])

    def test_by_prerequisites(self):
        desk = self.mech_desk
        self.settle_steps(self.books, self.fees, self.card, students=self.students[1])
        self.assertEqual(self.search(self.mech_clerk, desk, ready="met"), ["1"])
        # The degree is ready, the diploma waits for it.
        self.assertEqual(self.search(self.mech_clerk, desk, ready="unmet"), ["0", "1", "2"])
        self.assertEqual(self.search(self.mech_clerk, desk, ready="unmet", step_id=self.degree.id), ["0", "2"])

    def test_pages(self):
        answer = self.desk(self.affairs).search_graduates(self.affairs_office.id, offset=4, limit=4)
        self.assertEqual([row["student_number"] for row in answer["rows"]], ["T26004", "T26005"])
        self.assertEqual(answer["count"], 6)
        beyond = self.desk(self.affairs).search_graduates(self.affairs_office.id, offset=40)
        self.assertEqual((beyond["rows"], beyond["count"]), ([], 6))

    def test_row(self):
        self.status(self.students[0], self.card, self.affairs)._decide("approve", "desk")
        row = self.desk(self.affairs).search_graduates(self.affairs_office.id, limit=1)["rows"][0]
        self.assertEqual((row["name"], row["class"], row["room"]), ("Test Graduate 0", "M1", "South-0202"))
        self.assertEqual(
            [(step["step"], step["legend"], step["ready"]) for step in row["steps"]],
            [("Return student card", "approved", False), ("Confirm loan", "pending", True)],
        )

    def test_bad_filters(self):
        for filters in ({"state": "sleeping"}, {"ready": "maybe"}):
            with self.assertRaisesRegex(UserError, "There is no filter"):
                self.search(self.affairs, self.affairs_office, **filters)

    def test_another_station(self):
        """Nobody searches at a station where they decide nothing."""
        self.assertEqual(self.search(self.affairs, self.library), [])
        self.assertEqual(self.search(self.mech_clerk, self.arts_desk), [])
        self.assertEqual(self.search(self.counsellor, self.counselling), ["0", "1"])
        self.assertEqual(self.search(self.manager, self.counselling), list("012345"))

    def test_find(self):
        desk, office = self.desk(self.affairs), self.affairs_office
        for code in (
            "T26002",
            "t26002",
            " T26002 ",
            "99000019990101002X",
            f"https://x.org/my/clearance/{self.form(2).id}",
        ):
            with self.subTest(code=code):
                self.assertEqual(desk.find(code, office.id), {"form_id": self.form(2).id})
        for code in ("T2600", "T26_02", "", "/my/clearance/987654"):
            with self.subTest(code=code):
                self.assertEqual(desk.find(code, office.id)["error"], "unknown")
        # The clerk of the arts is not told more than that.
        answer = self.desk(self.arts_clerk).find("T26002", self.arts_desk.id)
        self.assertEqual(answer["error"], "not_here")
        self.assertNotIn("Test Graduate", str(answer))


@tagged("post_install", "-at_install")
class TestDeskGraduate(DeskCase):
    def get(self, number=0, user=None, station=None):
        user, station = user or self.affairs, station or self.affairs_office
        return self.desk(user).get_graduate(self.form(number).id, station.id)

    def warnings(self, *args, **kwargs):
        return {warning["kind"]: warning["text"] for warning in self.get(*args, **kwargs)["warnings"]}

    def test_person(self):
        answer = self.get()
        person = answer["person"]
        self.assertEqual((person["name"], person["class"], person["room"]), ("Test Graduate 0", "M1", "South-0202"))
        self.assertEqual(person["id_number"], "990*************0X")
        self.assertEqual((answer["due"], answer["open"], answer["form_state"]), (7, 7, "open"))
        self.assertEqual([row["step"] for row in answer["record"]][:2], ["Return books", "Pay arrears"])

    def test_steps(self):
        card, loan = self.get()["steps"]
        self.assertEqual((card["step"], card["ready"], card["undo"]), ("Return student card", True, False))
        self.assertEqual(card["actions"], ["approve", "reject", "set_not_required"])
        self.assertEqual(loan["step"], "Confirm loan")
        status = self.status(self.students[0], self.card, self.affairs)
        line = status._decide("approve", "desk")[0].line
        card = self.get()["steps"][0]
        self.assertEqual(card["actions"], ["reject", "reopen", "set_not_required"])
        self.assertEqual(card["undo"], {"line": line, "mine": True})
        self.assertEqual(self.get(user=self.manager)["steps"][0]["undo"], {"line": line, "mine": False})

    def test_reading_is_not_deciding(self):
        """Who may look but not act gets no buttons."""
        for user in (self.auditor, self.lead, self.deferral):
            steps = self.get(user=user)["steps"]
            self.assertEqual([step["actions"] for step in steps], [[], []])

    def test_source_system(self):
        """What the system says stands beside what a person has decided against it."""
        books = self.status(self.students[0], self.books)
        step = self.get(user=self.librarian, station=self.library)["steps"][0]
        self.assertEqual((step["needs_reason"], step["source"]), (True, False))
        books._decide("reject", "feed", "2 books")
        books.with_user(self.librarian)._decide("approve", "desk", "Found on the shelf")
        step = self.get(user=self.librarian, station=self.library)["steps"][0]
        self.assertEqual((step["state"], step["reason"]), ("approved", "Found on the shelf"))
        self.assertEqual((step["source"]["text"], step["source"]["state"]), ("2 books", "rejected"))

    def test_attachments(self):
        status = self.status(self.students[0], self.card)
        self.env["ir.attachment"].create({"name": "card.png", "res_model": "clearance.status", "res_id": status.id})
        self.assertEqual([file["name"] for file in self.get()["steps"][0]["attachments"]], ["card.png"])
        answer = self.get(user=self.mech_clerk)
        self.assertEqual([step["attachments"] for step in answer["steps"]], [[], []], "papers are for the own station")

    def test_warnings(self):
        self.assertEqual(set(self.warnings()), {"debt"})
        found = self.warnings(user=self.mech_clerk, station=self.mech_desk)
        self.assertIn("Library: Return books", found["blocked"])
        self.assertIn("Student Affairs: Confirm loan", found["blocked"])
        self.status(self.students[0], self.books)._decide("reject", "feed", "2 books")
        self.assertIn("Library: Return books (2 books)", self.get()["warnings"][0]["text"])
        self.assertEqual(set(self.warnings(5, self.arts_clerk, self.arts_desk)), {"blocked", "debt", "earlier_year"})

    def test_warning_of_a_deferral(self):
        fees = self.status(self.students[0], self.fees)
        self.env["clearance.override"].create({"status_id": fees.id, "reason": "Loan"})
        self.assertIn("Finance: Pay arrears", self.warnings()["lifted"])

    def test_warning_of_windows(self):
        self.card.deadline = fields.Datetime.now() - timedelta(hours=1)
        self.loan.open_from = fields.Datetime.now() + timedelta(hours=1)
        texts = [warning["text"] for warning in self.get()["warnings"] if warning["kind"] == "window"]
        self.assertEqual(len(texts), 2)
        self.assertIn("“Return student card” ended", texts[0])
        self.assertIn("“Confirm loan” begins", texts[1])

    def test_warning_of_rejection_and_review(self):
        self.status(self.students[1], self.card, self.affairs)._decide("reject", "desk", "Another's card")
        self.assertIn("Another's card", self.warnings(1)["rejected"])
        self.settle_steps(self.books, self.fees, self.card, self.degree, students=self.students[1])
        self.status(self.students[1], self.card, self.affairs)._decide("reopen", "desk", "Another's card")
        self.assertIn("Degree certificate", self.warnings(1, self.mech_clerk, self.mech_desk)["review"])

    def test_warning_of_the_wrong_slot(self):
        """Guiyang Vocational: colleges come to the hall one after the other."""
        now = fields.Datetime.now()
        Slot = self.env["clearance.slot"]
        Slot.create(
            {
                "session_id": self.clearance.id,
                "college_ids": [Command.set(self.arts.ids)],
                "open_from": now - timedelta(hours=1),
                "open_until": now + timedelta(hours=1),
            }
        )
        self.assertNotIn("slot", self.warnings(0))
        slot = Slot.create(
            {
                "session_id": self.clearance.id,
                "college_ids": [Command.set(self.mech.ids)],
                "place": "Library hall",
                "open_from": now + timedelta(hours=1),
                "open_until": now + timedelta(hours=2),
            }
        )
        self.assertIn("Library hall", self.warnings(0)["slot"])
        self.assertNotIn("slot", self.warnings(3))
        slot.open_from = now - timedelta(hours=1)
        self.assertNotIn("slot", self.warnings(0))

    def test_warning_of_the_withdrawn(self):
        self.students[1].write({"graduation_state": "postponed", "graduation_note": "Thesis"})
        self.assertIn("taken out", self.warnings(1, self.manager)["withdrawn"])
        self.assertEqual(self.get(1, self.manager)["steps"][0]["actions"], [])

    def test_version(self):
        before = self.get()["version"]
        self.assertEqual(self.get()["version"], before)
        self.status(self.students[0], self.books)._decide("approve", "feed")
        self.assertNotEqual(self.get()["version"], before)
        live = self.desk(self.affairs).get_statistics(self.affairs_office.id, form_id=self.form(0).id)
        self.assertEqual(live["version"], self.get()["version"])

    def test_another_session(self):
        """A second degree: the other form is one click away."""
        second = self.clearance.copy({"name": "Second degrees"})
        second._open()
        other = second.form_ids.filtered(lambda form: form.student_id == self.students[0])
        self.assertEqual(self.get()["others"], [{"form_id": other.id, "session": "Second degrees"}])


@tagged("post_install", "-at_install")
class TestDeskDecisions(DeskCase):
    def decide_on(self, key, decision, status, reason="", user=None, **kwargs):
        return self.desk(user or self.affairs).decide(key, decision, status.ids, reason, **kwargs)

    def codes(self, answer):
        return [outcome["code"] for outcome in answer["outcomes"]]

    def test_decide_and_undo(self):
        status = self.status(self.students[0], self.card)
        place = {"form_id": self.form(0).id, "station_id": self.affairs_office.id}
        answer = self.decide_on("k1", "approve", status, **place)
        self.assertEqual(self.codes(answer), ["done"])
        self.assertEqual(answer["graduate"]["steps"][0]["state"], "approved")
        self.assertEqual((status.user_id, status.door), (self.affairs, "desk"))
        answer = self.desk(self.affairs).undo("k2", [answer["outcomes"][0]["line"]], **place)
        self.assertEqual(self.codes(answer), ["done"])
        self.assertEqual(answer["graduate"]["steps"][0]["state"], "pending")

    def test_sent_twice(self):
        """A retry acts once, even when a colleague has reopened the step meanwhile."""
        status = self.status(self.students[0], self.card)
        first = self.decide_on("k1", "approve", status)
        status.with_user(self.manager)._decide("reopen", "desk", "Another's card")
        again = self.decide_on("k1", "approve", status)
        self.assertEqual(again["outcomes"], first["outcomes"])
        self.assertEqual(status.state, "pending", "the retry has not undone what the colleague did")
        self.assertEqual(self.codes(self.decide_on("k2", "approve", status)), ["done"])

    def test_refusals(self):
        """Every refusal has its reason in words; the gate has the last one."""
        degree = self.status(self.students[0], self.degree)
        answer = self.decide_on("", "approve", degree, user=self.mech_clerk)
        self.assertEqual(self.codes(answer), ["missing"])
        self.assertIn("Student Affairs: Confirm loan", answer["outcomes"][0]["message"])
        self.assertEqual(self.codes(self.decide_on("", "approve", degree)), ["not_yours"])
        self.assertEqual(self.codes(self.decide_on("", "reject", degree, user=self.mech_clerk)), ["reason_required"])
        with self.assertRaisesRegex(UserError, "no decision"):
            self.decide_on("", "explode", degree)
        for door in ("feed", "roster", "nowhere"):
            with self.assertRaisesRegex(UserError, "There is no door"):
                self.decide_on("", "approve", degree, door=door)

    def test_scan(self):
        office = self.affairs_office.id
        answer = self.desk(self.affairs).scan("k1", "T26000", office)
        self.assertEqual((answer["result"], answer["name"]), ("done", "Test Graduate 0"))
        self.assertEqual([o["step"] for o in answer["outcomes"]], ["Return student card", "Confirm loan"])
        self.assertEqual(self.status(self.students[0], self.loan).door, "scan")
        self.assertEqual(self.desk(self.affairs).scan("k2", "T26000", office)["result"], "already")
        self.assertEqual(self.desk(self.affairs).scan("k3", "T99999", office)["result"], "unknown")

    def test_scan_again_with_the_same_key(self):
        office = self.affairs_office.id
        first = self.desk(self.affairs).scan("k1", "T26000", office)
        again = self.desk(self.affairs).scan("k1", "T26000", office)
        self.assertEqual((again["result"], again["outcomes"]), ("done", first["outcomes"]))

    def test_scan_one_step(self):
        self.desk(self.affairs).scan("", "T26000", self.affairs_office.id, self.card.ids)
        self.assertEqual(self.status(self.students[0], self.card).state, "approved")
        self.assertEqual(self.status(self.students[0], self.loan).state, "pending")

    def test_scan_refused(self):
        answer = self.desk(self.mech_clerk).scan("", "T26001", self.mech_desk.id)
        self.assertEqual(answer["result"], "refused")
        self.assertIn("Library: Return books", answer["message"])

    def test_scan_leaves_source_systems_alone(self):
        answer = self.desk(self.librarian).scan("", "T26001", self.library.id)
        self.assertEqual((answer["result"], answer["outcomes"]), ("already", []))
        self.assertEqual(self.status(self.students[1], self.books).state, "pending")

    def test_statistics(self):
        """As Hunan UST shows them: graduates of the station, then each step, earlier years apart."""
        office = self.affairs_office.id
        self.status(self.students[0], self.card, self.affairs)._decide("approve", "desk")
        self.status(self.students[5], self.card, self.affairs)._decide("approve", "desk")
        answer = self.desk(self.affairs).get_statistics(office)
        station = answer["station"]
        self.assertEqual(
            [station[name] for name in ("due", "due_earlier", "open", "open_earlier", "done")], [6, 1, 5, 0, 1]
        )
        card, loan = answer["steps"]
        self.assertEqual([card[name] for name in ("name", "due", "open", "done")], ["Return student card", 6, 4, 2])
        self.assertEqual([loan[name] for name in ("due", "open", "rate")], [1, 1, 0])
        self.assertEqual(self.desk(self.affairs).get_statistics(self.library.id)["station"]["due"], 0)
        self.assertEqual(self.desk(self.counsellor).get_statistics(self.counselling.id)["station"]["due"], 2)

    def test_telling(self):
        """One note a second and station, to the staff alone."""
        staff = self.env.ref("graduate_clearance.group_staff")
        pair, other = (self.affairs_office.id, self.clearance.id), (self.library.id, self.clearance.id)
        sent = []
        with (
            patch.object(type(staff), "_bus_send", lambda group, kind, payload: sent.append((group, kind, payload))),
            patch.object(clearance_desk_live, "_told", {}),
        ):
            with patch("time.monotonic", lambda: 100.0):
                self.assertEqual(clearance_desk_live._take_due("db", {pair}), {pair})
                self.assertEqual(clearance_desk_live._take_due("db", {pair, other}), {other})
            with patch("time.monotonic", lambda: 101.0):
                self.assertEqual(clearance_desk_live._take_due("db", {pair}), {pair})
            self.env["clearance.desk"]._tell({pair})
        self.assertEqual(sent, [(staff, "clearance.changed", {"station_id": pair[0], "session_id": pair[1]})])

    def test_gate_tells(self):
        """Whatever the door, a decision leaves a note for after the commit."""
        self.env.cr.postcommit.clear()
        self.status(self.students[0], self.card, self.affairs)._decide("approve", "list")
        self.status(self.students[0], self.loan, self.affairs)._decide("approve", "list")
        told = self.env.cr.postcommit.data["clearance.tell"]
        self.assertEqual(told, {(self.affairs_office.id, self.clearance.id)})
        self.env.cr.postcommit.clear()


class SubmissionCase(DeskCase):
    """The student card's step asks for the reason of a loss and a paper."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reason, cls.paper = cls.env["clearance.requirement"].create(
            [
                {"name": "What has become of it?", "step_id": cls.card.id, "kind": "text"},
                {"name": "Report of the loss", "step_id": cls.card.id, "kind": "file", "required": False},
            ]
        )
        cls.own = cls.env["clearance.status"].search(
            [("step_id", "=", cls.card.id), ("form_id.student_id", "=", cls.students[0].id)]
        )
        cls.others = cls.env["clearance.status"].search(
            [("step_id", "=", cls.card.id), ("form_id.student_id", "=", cls.students[1].id)]
        )

    def submit(self, words="Lost on the train", user=None, status=None, files=()):
        user, status = user or self.graduate, status or self.own
        Submission = self.env["clearance.submission"].with_user(user)
        sending = Submission._submit(
            status.with_user(user), {self.reason.id: words}, {self.paper.id: [(name, PDF) for name in files]}
        )
        return self.env["clearance.submission"].browse(sending.id)

    def get(self, user=None, station=None):
        station = station or self.affairs_office
        return self.desk(user or self.affairs).get_graduate(self.form(0).id, station.id)

    def decide_on(self, decision="approve", seen=None, reason="", user=None):
        answer = self.desk(user or self.affairs).decide("", decision, self.own.ids, reason, seen=seen)
        return answer["outcomes"][0]


@tagged("post_install", "-at_install")
class TestDeskSubmissions(SubmissionCase):
    """What graduates send is shown where it is decided on, and decided on as it is shown."""

    def test_what_was_sent(self):
        self.assertEqual([step["sent"] for step in self.get()["steps"]], [[], []])
        sending = self.submit(files=["report.pdf"])
        (shown,) = self.get()["steps"][0]["sent"]
        self.assertEqual((shown["id"], shown["number"], shown["state"]), (sending.id, 1, "sent"))
        self.assertEqual(shown["sent_at"], fields.Datetime.to_string(sending.sent_at))
        words, paper = shown["answers"]
        self.assertEqual((words["label"], words["value"]), ("What has become of it?", "Lost on the train"))
        self.assertEqual((paper["label"], paper["value"]), ("Report of the loss", ""))
        (file,) = paper["files"]
        self.assertEqual((file["name"], file["mimetype"]), ("report.pdf", "application/pdf"))
        attachment = self.env["ir.attachment"].browse(file["id"])
        attachment.with_user(self.affairs).check_access("read")

    def test_the_latest_comes_first(self):
        first = self.submit()
        second = self.submit("Found in the train")
        shown = self.get()["steps"][0]["sent"]
        self.assertEqual(
            [(sending["id"], sending["number"], sending["state"]) for sending in shown],
            [(second.id, 2, "sent"), (first.id, 1, "past")],
        )

    def test_a_draft_is_not_shown(self):
        self.env["clearance.submission"].with_user(self.graduate)._keep(
            self.own.with_user(self.graduate), {self.reason.id: "Lo"}, {}
        )
        self.assertEqual(self.get()["steps"][0]["sent"], [])

    def test_only_to_who_decides(self):
        self.submit(files=["report.pdf"])
        for user in (self.mech_clerk, self.auditor, self.lead, self.deferral):
            with self.subTest(user=user.login):
                self.assertEqual([step["sent"] for step in self.get(user)["steps"]], [[], []])
        self.assertEqual(len(self.get(self.manager)["steps"][0]["sent"]), 1)

    def test_version(self):
        versions = [self.get()["version"]]
        self.submit()
        versions.append(self.get()["version"])
        self.submit("Found in the train")
        versions.append(self.get()["version"])
        self.env["clearance.inquiry"].with_user(self.graduate)._ask(self.own.with_user(self.graduate), "Open today?")
        versions.append(self.get()["version"])
        self.assertEqual(len(set(versions)), 4)
        live = self.desk(self.affairs).get_statistics(self.affairs_office.id, form_id=self.form(0).id)
        self.assertEqual(live["version"], versions[-1])

    def test_decide_on_what_was_shown(self):
        sending = self.submit()
        outcome = self.decide_on(seen={str(self.own.id): sending.id})
        self.assertEqual(outcome["code"], "done")
        self.assertEqual(self.own.state, "approved")

    def test_replaced_meanwhile(self):
        """What the graduate has put in its place is looked at before anybody decides on it."""
        first = self.submit()
        second = self.submit("Found in the train")
        for decision, reason in (("approve", ""), ("reject", "Unreadable")):
            outcome = self.decide_on(decision, {str(self.own.id): first.id}, reason)
            self.assertEqual(outcome["code"], "resent")
            self.assertIn("something else", outcome["message"])
            self.assertEqual(self.own.state, "submitted")
        self.assertEqual(self.decide_on(seen={str(self.own.id): second.id})["code"], "done")

    def test_sent_or_withdrawn_meanwhile(self):
        sending = self.submit()
        self.assertEqual(self.decide_on(seen={str(self.own.id): False})["code"], "resent")
        self.env["clearance.submission"].with_user(self.graduate)._withdraw(self.own.with_user(self.graduate))
        self.assertEqual(self.decide_on(seen={str(self.own.id): sending.id})["code"], "resent")
        self.assertEqual(self.decide_on(seen={str(self.own.id): False})["code"], "done")

    def test_a_colleagues_decision_is_the_gates_matter(self):
        sending = self.submit()
        self.own.with_user(self.manager)._decide("approve", "desk")
        self.assertEqual(self.decide_on(seen={str(self.own.id): sending.id})["code"], "already")

    def test_others_are_told_nothing(self):
        """Whoever may not decide learns by trying neither what nor whether something was sent."""
        sending = self.submit()
        for seen in (False, sending.id, sending.id + 1):
            outcome = self.decide_on(seen={str(self.own.id): seen}, user=self.mech_clerk)
            self.assertEqual(outcome["code"], "not_yours")

    def test_questions(self):
        self.assertIs(self.get()["steps"][0]["inquiry"], False)
        inquiry = (
            self.env["clearance.inquiry"]
            .with_user(self.graduate)
            ._ask(self.own.with_user(self.graduate), "Open today?")
        )
        self.assertEqual(self.get()["steps"][0]["inquiry"], {"id": inquiry.id, "waiting": True, "count": 1})
        for user in (self.mech_clerk, self.auditor):
            self.assertEqual([step["inquiry"] for step in self.get(user)["steps"]], [False, False])

    def test_as_many_queries_for_much_as_for_little(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            self.affairs.mapped("tz")
            before = self.env.cr.sql_log_count
            self.get()
            return self.env.cr.sql_log_count - before

        self.submit(files=["report.pdf"])
        count()
        few = count()
        for number in range(3):
            self.submit(f"Lost for the {number}. time", files=[f"report{number}.pdf"])
        self.env["clearance.requirement"].create({"name": "Anything else?", "step_id": self.card.id, "required": False})
        many = count()
        self.assertLessEqual(many, few)
        self.assertLessEqual(few, 45)


@tagged("post_install", "-at_install")
class TestDeskFigures(DeskCase):
    """What source systems count: at their own station, and as a warning everywhere."""

    def setUp(self):
        super().setUp()
        self.feed = self.env["clearance.feed"].create({"name": "Library system", "unit": "books"})
        self.books.feed_id = self.feed

    def hear(self, quantity, ago):
        moment = fields.Datetime.now() - ago
        self.feed._hear(self.books, [{"student_number": "T26000", "quantity": quantity}], moment)
        return moment

    def test_figure(self):
        moment = self.hear(2, timedelta(minutes=10))
        books, deposit = self.desk(self.librarian).get_graduate(self.form(0).id, self.library.id)["steps"]
        self.assertEqual(
            books["figure"],
            {
                "text": "2 books",
                "owed": True,
                "as_of": fields.Datetime.to_string(moment),
                "silent": False,
                "feed": "Library system",
            },
        )
        self.assertIs(deposit["figure"], False)

    def test_warning(self):
        self.hear(2, timedelta(minutes=10))
        warnings = self.desk(self.affairs).get_graduate(self.form(0).id, self.affairs_office.id)["warnings"]
        self.assertIn("Library: Return books (2 books, as of", warnings[0]["text"])
        self.assertNotIn("silent", {warning["kind"] for warning in warnings})

    def test_silence(self):
        self.hear(2, timedelta(hours=25))
        warnings = self.desk(self.affairs).get_graduate(self.form(0).id, self.affairs_office.id)["warnings"]
        silent = [warning["text"] for warning in warnings if warning["kind"] == "silent"]
        self.assertEqual(len(silent), 1)
        self.assertIn("Library system", silent[0])


@tagged("post_install", "-at_install")
class TestSubmissionReview(SubmissionCase):
    """Staff go through what was sent, one by one or in bulk; every row passes the gate."""

    def review(self, *sendings, user=None):
        return self.env["clearance.submission"].concat(*sendings).with_user(user or self.affairs)

    def test_to_review(self):
        first = self.submit()
        second = self.submit("Found", self.other_graduate, self.others)
        Submission = self.env["clearance.submission"].with_user(self.affairs)
        domain = [("state", "=", "sent"), ("step_state", "=", "submitted")]
        self.assertEqual(Submission.search(domain), first + second)
        self.assertEqual(Submission.search([*domain, ("is_mine", "=", True)]), first + second)
        self.own.with_user(self.affairs)._decide("approve", "desk")
        self.assertEqual(Submission.search(domain), second)

    def test_confirm_in_bulk(self):
        sendings = self.review(self.submit(), self.submit("Found", self.other_graduate, self.others))
        notice = sendings.action_confirm()["params"]
        self.assertEqual((notice["type"], notice["message"]), ("success", "2 done"))
        self.assertEqual((self.own + self.others).mapped("state"), ["approved", "approved"])
        lines = self.env["clearance.log"].search([("user_id", "=", self.affairs.id)])
        self.assertEqual(lines.mapped("door"), ["list", "list"])

    def test_confirm_on_the_form(self):
        self.review(self.submit()).with_context(clearance_door="form").action_confirm()
        self.assertEqual((self.own.state, self.own.door), ("approved", "form"))

    def test_replaced(self):
        old = self.submit()
        new = self.submit("Found in the train")
        with self.assertRaisesRegex(UserError, "something else"):
            self.review(old).action_confirm()
        with self.assertRaisesRegex(UserError, "something else"):
            self.review(old).action_reject()
        self.assertEqual(self.own.state, "submitted")
        other = self.submit("Found", self.other_graduate, self.others)
        notice = self.review(old, other).action_confirm()["params"]
        self.assertEqual(notice["type"], "warning")
        self.assertIn("1 done, 1 refused", notice["message"])
        self.assertEqual(self.review(new).action_confirm()["params"]["message"], "1 done")

    def test_reject(self):
        action = self.review(self.submit()).action_reject()
        wizard = self.env["clearance.status.decide"].with_user(self.affairs).with_context(**action["context"])
        wizard.create({"reason": "Unreadable"}).action_decide()
        self.assertEqual((self.own.state, self.own.reason), ("rejected", "Unreadable"))
        self.assertEqual(self.own.submission_ids.state, "sent", "it stays to be looked at, and to go on from")

    def test_prerequisites_count_here_too(self):
        self.card.prerequisite_ids = self.talk
        sending = self.submit()
        with self.assertRaisesRegex(UserError, "Counselling: Exit talk"):
            self.review(sending).action_confirm()

    def test_ways_on(self):
        sending = self.review(self.submit())
        context = sending.action_open_desk()["context"]
        self.assertEqual(context["clearance_form_id"], self.form(0).id)
        self.assertEqual(context["clearance_station_id"], self.affairs_office.id)
        self.assertEqual(sending.action_open_status()["res_id"], self.own.id)

    def test_on_the_step(self):
        """The form of the step shows what was sent, to who may see it."""
        sending = self.submit()
        shown = self.own.with_user(self.affairs).sent
        self.assertEqual([row["id"] for row in shown], [sending.id])
        self.assertIs(self.others.with_user(self.affairs).sent, False)
        self.assertTrue(self.own.with_user(self.auditor).sent)

    def test_answers_are_groups(self):
        """Odoo's properties: answers can be searched and grouped without code."""
        where = self.env["clearance.requirement"].create(
            {
                "name": "Where?",
                "step_id": self.card.id,
                "kind": "selection",
                "choice_ids": [Command.create({"name": "Train"}), Command.create({"name": "Hall"})],
            }
        )
        train = where.choice_ids[0]
        Submission = self.env["clearance.submission"]
        for user, status in ((self.graduate, self.own), (self.other_graduate, self.others)):
            values = {self.reason.id: "Lost", where.id: train.id}
            Submission.with_user(user)._submit(status.with_user(user), values, {})
        groups = Submission.with_user(self.affairs).formatted_read_group(
            [("step_id", "=", self.card.id), ("state", "=", "sent")], [f"answers.r{where.id}"], ["__count"]
        )
        self.assertEqual([group["__count"] for group in groups], [2])
        found = Submission.with_user(self.affairs).search([(f"answers.r{where.id}", "=", f"c{train.id}")])
        self.assertEqual(found.status_id, self.own + self.others)


@tagged("post_install", "-at_install")
class TestSubmissionReviewAccess(SecurityCase):
    """By RPC, as each role."""

    def test_confirm(self):
        self.env["clearance.requirement"].create({"name": "Why?", "step_id": self.card.id})
        status = self.status(self.students[0], self.card)
        sending = self.send(self.students[0], self.card)
        status.with_user(self.graduate)._decide("submit", "portal")
        self.assertEqual(status.state, "submitted")
        for user in (self.stranger, self.librarian, self.mech_clerk, self.manager_b, self.other_graduate):
            for method in ("action_confirm", "action_reject", "action_open_desk"):
                with self.subTest(user=user.login, method=method):
                    self.assert_denied(user, "clearance.submission", method, sending.ids)
        for user in (self.graduate, self.auditor):
            with self.subTest(user=user.login):
                self.assert_denied(user, "clearance.submission", "action_confirm", sending.ids)
        self.assertEqual(status.state, "submitted")
        self.rpc(self.affairs, "clearance.submission", "action_confirm", sending.ids)
        self.assertEqual(status.state, "approved")
        for method in ("_get_sent", "_get_answer_rows"):
            self.assert_denied(self.manager, "clearance.submission", method, sending.ids)


@tagged("post_install", "-at_install")
class TestDeskAccess(SecurityCase):
    """By RPC, as each role."""

    def test_staff_only(self):
        form, office = self.forms[0].id, self.affairs_office.id
        calls = {
            "get_stations": [],
            "search_graduates": [office],
            "get_graduate": [form, office],
            "get_statistics": [office],
            "find": ["T26000", office],
            "scan": ["", "T26000", office],
            "decide": ["", "approve", self.forms[0].status_ids.ids],
            "undo": ["", [1]],
        }
        for user in (self.graduate, self.stranger):
            for method, arguments in calls.items():
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaisesRegex(AccessError, "clearance staff"),
                ):
                    self.rpc(user, "clearance.desk", method, *arguments)

    def test_others_graduates(self):
        """A clerk reads and finds nobody of another college or campus."""
        self.assert_denied(self.arts_clerk, "clearance.desk", "get_graduate", self.forms[0].id, self.arts_desk.id)
        self.assert_denied(self.manager, "clearance.desk", "get_graduate", self.form_b.id, self.station_b.id)
        self.assert_denied(
            self.arts_clerk, "clearance.desk", "get_statistics", self.arts_desk.id, form_id=self.forms[0].id
        )
        answer = self.rpc(self.arts_clerk, "clearance.desk", "search_graduates", self.mech_desk.id)
        self.assertEqual(answer["rows"], [])
        found = self.rpc(self.manager, "clearance.desk", "find", "B1", self.station_b.id)
        self.assertNotIn("form_id", found)
        self.assertNotIn("Library B", str(self.rpc(self.manager, "clearance.desk", "get_stations")))

    def test_requests_are_nobodys_business(self):
        self.rpc(
            self.affairs, "clearance.desk", "decide", "k1", "approve", self.status(self.students[0], self.card).ids
        )
        for user in (self.affairs, self.manager, self.graduate):
            self.assert_denied(user, "clearance.request", "search_read", [])

    def test_private_methods(self):
        for method in ("_find", "_tell", "_act", "_get_person"):
            self.assert_denied(self.manager, "clearance.desk", method)

    def test_slots(self):
        now = fields.Datetime.now()
        values = {
            "session_id": self.clearance.id,
            "open_from": fields.Datetime.to_string(now),
            "open_until": fields.Datetime.to_string(now + timedelta(hours=1)),
        }
        self.assert_denied(self.affairs, "clearance.slot", "create", [values])
        slot = self.rpc(self.manager, "clearance.slot", "create", [values])
        self.assertEqual(self.seen(self.affairs, "clearance.slot"), set(slot))
        self.assertEqual(self.seen(self.manager_b, "clearance.slot"), set())
        self.assert_denied(self.graduate, "clearance.slot", "search_read", [])
        self.rpc(self.manager, "clearance.session", "action_close", self.clearance.ids)
        self.assert_denied(self.manager, "clearance.slot", "create", [values])
        self.assert_denied(self.manager, "clearance.slot", "write", slot, {"place": "Hall"})
        self.assert_denied(self.manager, "clearance.slot", "unlink", slot)


@tagged("post_install", "-at_install")
class TestDeskQueries(CampusCommon):
    """Whatever the number of graduates, the desk asks as often."""

    def setUp(self):
        super().setUp()
        self.campus = Campus(self.env, 120)
        self.campus.build_roster()

    def _count(self, act):
        act()  # what is read once for all is cached then
        self.env.flush_all()
        self.env.invalidate_all()
        self.campus.people["affairs"].mapped("tz")
        before = self.env.cr.sql_log_count
        act()
        return self.env.cr.sql_log_count - before

    def test_desk(self):
        clerk = self.campus.people["affairs"]
        station = self.campus.stations["affairs"]
        counts = {}
        for graduates in (self.campus.students[:20], self.campus.students):
            self.campus.session.student_domain = f"[('id', 'in', {graduates.ids})]"
            self.campus.session._open()
            desk = self.env["clearance.desk"].with_user(clerk)
            form = self.campus.session.form_ids.filtered("status_ids")[:1]
            acts = {
                "stations": lambda desk=desk: desk.get_stations(),
                "search": lambda desk=desk: desk.search_graduates(station.id, query="2", limit=100),
                "ready": lambda desk=desk: desk.search_graduates(station.id, ready="met", limit=100),
                "statistics": lambda desk=desk: desk.get_statistics(station.id),
                "graduate": lambda desk=desk, form=form: desk.get_graduate(form.id, station.id),
            }
            for name, act in acts.items():
                counts.setdefault(name, []).append(self._count(act))
        for name, (few, many) in counts.items():
            with self.subTest(name):
                self.assertEqual(few, many, counts)
        self.assertLessEqual(counts["statistics"][1], 6, counts)
        self.assertLessEqual(counts["graduate"][1], 40, counts)
