"""The interface for other systems: who gets what, what is refused and how."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL, mute_logger

from ..demo.campus import Campus
from .test_campaign import CampusCommon
from .test_security import SecurityCase

#: calls that read, and what they need
READS = {"get_sessions": {}, "get_steps": {}, "get_forms": {}, "get_statistics": {}, "get_changes": {}}


def show_own_lines(case):
    """Tell of lines of a transaction that is not over: a test has no other."""
    case.classPatch(
        case.registry["clearance.api"],
        "_horizon_sql",
        lambda self: SQL("(pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000)"),
    )


class ApiCommon(SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        show_own_lines(cls)
        cls.env["ir.config_parameter"].sudo().set_param("password.hashing.rounds", "1000")
        for step, code in (
            (cls.books, "books"),
            (cls.fees, "fees"),
            (cls.card, "card"),
            (cls.talk, "talk"),
            (cls.degree, "degree"),
        ):
            step.code = code
        cls.portal_stranger = cls._create_user("t_customer")
        cls.portal_stranger.group_ids = [Command.set(cls.env.ref("base.group_portal").ids)]

    def call(self, user, method, **arguments):
        """Call a method as a key of ``user`` would."""
        return self.rpc(user, "clearance.api", method, **arguments)

    def refused(self, user, method, error=UserError, **arguments):
        """The ``context`` of the error that a call is refused with."""
        with self.assertRaises(error) as caught, self.env.cr.savepoint():
            self.call(user, method, **arguments)
        self.assertIs(type(caught.exception), error, caught.exception)
        self.assertTrue(str(caught.exception))
        return caught.exception.context

    def numbers(self, user, **arguments):
        return [form["student_number"] for form in self.call(user, "get_forms", **arguments)["forms"]]

    def step_of(self, form, code):
        return next(step for step in form["steps"] if step["code"] == code)


@tagged("post_install", "-at_install")
class TestApiForm(ApiCommon):
    """A graduate's form in one call."""

    def test_own_form(self):
        form = self.call(self.graduate, "get_form")
        self.assertEqual(form["student"]["student_number"], "T26000")
        self.assertEqual(form["student"]["college"], {"id": self.mech.id, "code": "ME", "name": "College of Mechanics"})
        self.assertEqual(form["student"]["class"]["name"], "M1")
        self.assertEqual((form["state"], form["state_text"]), ("open", "In progress"))
        self.assertEqual(form["session"]["phase"], "open")
        self.assertRegex(form["session"]["opens"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(form["session"]["opens"], self.clearance.open_from.isoformat(timespec="seconds") + "Z")
        books = self.step_of(form, "books")
        self.assertEqual((books["state"], books["state_text"], books["turn"]), ("pending", "Not done", "todo"))
        self.assertEqual((books["place"], books["phone"], books["responsible"]), ("2nd floor", "0000-1", "Library"))
        self.assertEqual(books["station"], {"id": self.library.id, "name": "Library"})
        degree = self.step_of(form, "degree")
        self.assertEqual(degree["turn"], "blocked")
        self.assertEqual(
            [(wait["code"], wait["text"]) for wait in degree["waits_for"]],
            [
                ("books", "Library: Return books"),
                ("fees", "Finance: Pay arrears"),
                ("card", "Student Affairs: Return student card"),
                (None, "Student Affairs: Confirm loan"),
            ],
        )
        self.assertEqual(degree["instructions"], "Bring your card.")
        self.assertIsNone(form["certificate"])

    def test_same_as_the_page(self):
        """What the page says, and its version."""
        form = self.call(self.graduate, "get_form")
        page = self.forms[0].with_user(self.graduate)._get_portal_values()
        steps = [step for section in page["sections"] for step in section["steps"]] + page["not_required"]
        self.assertEqual(
            {step["id"]: (step["legend"], step["turn"], step["turn_text"], step["word"]) for step in steps},
            {
                step["status_id"]: (step["state"], step["turn"], step["turn_text"], step["state_text"])
                for step in form["steps"]
            },
        )
        self.assertEqual(form["version"], page["version"])
        self.assertEqual(form["progress"]["next"], page["progress"]["next"])
        self.assertEqual(form["url"], form["code"])

    def test_unchanged(self):
        version = self.call(self.graduate, "get_form")["version"]
        again = self.call(self.graduate, "get_form", version=version)
        self.assertEqual(again.keys(), {"form_id", "version", "as_of", "unchanged"})
        self.assertTrue(again["unchanged"])
        self.status(self.students[0], self.card)._decide("reject", "api", "No photo")
        form = self.call(self.graduate, "get_form", version=version)
        self.assertFalse(form["unchanged"])
        self.assertEqual(self.step_of(form, "card")["reason"], "No photo")
        self.assertEqual(self.step_of(form, "card")["state"], "rejected")

    def test_figure_deferral_slot(self):
        now = fields.Datetime.now()
        feed = self.env["clearance.feed"].create({"name": "Library system", "unit": "books"})
        feed.heard_at = now - timedelta(minutes=10)
        self.books.feed_id = feed
        status = self.status(self.students[0], self.books)
        self.env["clearance.figure"].create(
            {"status_id": status.id, "quantity": 2, "amount": 3.5, "as_of": now - timedelta(minutes=70)}
        )
        self.env["clearance.override"].with_user(self.deferral).create(
            {"status_id": self.status(self.students[0], self.fees).id, "reason": "Paper", "date_end": "2099-06-30"}
        )
        self.env["clearance.slot"].create(
            {
                "session_id": self.clearance.id,
                "college_ids": [Command.set(self.mech.ids)],
                "place": "Hall",
                "open_from": now - timedelta(hours=1),
                "open_until": now + timedelta(hours=1),
            }
        )
        form = self.call(self.graduate, "get_form")
        figure = self.step_of(form, "books")["figure"]
        self.assertEqual((figure["quantity"], figure["amount"], figure["owed"]), (2.0, 3.5, True))
        self.assertIn("2 books", figure["text"])
        self.assertIn(figure["age_minutes"], (70, 71))
        self.assertFalse(figure["silent"])
        self.assertEqual(figure["as_of"], (now - timedelta(minutes=70)).isoformat(timespec="seconds") + "Z")
        self.assertEqual(self.step_of(form, "fees")["deferral"]["until"], "2099-06-30")
        self.assertEqual(self.step_of(form, "fees")["turn"], "later")
        [slot] = form["slots"]
        self.assertEqual((slot["when"], slot["place"]), ("now", "Hall"))
        self.assertEqual(slot["opens"], (now - timedelta(hours=1)).isoformat(timespec="seconds") + "Z")
        feed.heard_at = now - timedelta(days=3)
        self.assertTrue(self.step_of(self.call(self.graduate, "get_form"), "books")["figure"]["silent"])
        [step] = [step for step in self.call(self.auditor, "get_steps") if step["code"] == "books"]
        self.assertEqual((step["source"]["name"], step["source"]["silent"]), ("Library system", True))

    def test_debts(self):
        """What an office has listed, as the page shows it."""
        status = self.status(self.students[0], self.card)
        # Written by debts lists in one statement; here without the upload.
        self.env.cr.execute(
            """INSERT INTO clearance_debt (status_id, item, quantity, amount, remark, as_of, active)
               VALUES (%s, 'Key', 2, 10, 'Room 101', now() AT TIME ZONE 'UTC', TRUE)""",
            [status.id],
        )
        debts = self.step_of(self.call(self.graduate, "get_form"), "card")["debts"]
        self.assertEqual(debts["office"], "Student Affairs")
        self.assertIn("Key", debts["text"])
        [item] = debts["items"]
        self.assertEqual((item["what"], item["remark"]), ("Key × 2", "Room 101"))
        self.assertRegex(debts["as_of"], r"Z$")

    def test_certificate(self):
        self.settle_steps(*self.clearance.step_ids, students=self.students[0])
        for user, arguments in ((self.graduate, {}), (self.auditor, {"student_number": "T26000"})):
            certificate = self.call(user, "get_form", **arguments)["certificate"]
            self.assertEqual((certificate["number"], certificate["verify_url"]), (None, None))
        # Asking issues nothing; printing does.
        self.assertFalse(self.env["clearance.certificate"].search([("form_id", "=", self.forms[0].id)]))
        issued = self.forms[0].with_user(self.graduate)._get_certificates()[self.forms[0].id]
        own = self.call(self.graduate, "get_form")
        self.assertEqual((own["state"], own["code"] != ""), ("cleared", True))
        self.assertEqual(own["certificate"]["number"], issued.number)
        self.assertEqual(own["certificate"]["verify_url"], issued.sudo().url)
        self.assertTrue(own["certificate"]["pdf_url"].endswith(f"/my/clearance/{self.forms[0].id}/certificate.pdf"))
        # Whoever reads it has it on paper; whoever prints only the sheet gets no address.
        for user, shown in ((self.auditor, True), (self.lead, True), (self.counsellor, True), (self.librarian, False)):
            with self.subTest(user=user.login):
                seen = self.call(user, "get_form", student_number="T26000")["certificate"]
                self.assertEqual(bool(seen["verify_url"]), shown)
                self.assertIsNone(seen["pdf_url"])

    def test_withdrawn(self):
        self.students[0].graduation_state = "postponed"
        form = self.call(self.graduate, "get_form")
        self.assertEqual((form["state"], form["session"]["phase"], form["steps"]), ("withdrawn", "withdrawn", []))
        self.assertTrue(form["withdrawn_reason"])

    def test_several_sessions(self):
        later = self.clearance.copy({"name": "Second", "student_domain": "[('student_number', '=', 'T26000')]"})
        later._open()
        self.assertEqual(self.call(self.graduate, "get_form")["session"]["id"], later.id)
        form = self.call(self.graduate, "get_form", session=self.clearance.id)
        self.assertEqual(form["session"]["id"], self.clearance.id)
        self.assertEqual(form["others"], [{"id": later.id, "name": "Second", "state": "open"}])
        later.action_close()
        self.assertEqual(self.call(self.graduate, "get_form")["session"]["id"], self.clearance.id)
        context = self.refused(self.graduate, "get_form", MissingError, session=self.session_b.id)
        self.assertEqual((context["code"], context["argument"]), ("unknown_session", "session"))

    def test_same_number_on_two_campuses(self):
        self.student_b.sudo().student_number = "T26000"
        both = self._create_user("t_both", "group_auditor")
        both.company_ids += self.campus_b
        context = self.refused(both, "get_form", student_number="T26000")
        self.assertEqual(context["code"], "ambiguous_student")
        self.assertEqual({choice["id"] for choice in context["choices"]}, {self.clearance.id, self.session_b.id})
        form = self.call(both, "get_form", student_number="T26000", session=self.session_b.id)
        self.assertEqual(form["student"]["name"], "Graduate of B")

    def test_number_as_people_type_it(self):
        for number in (" Ｔ２６０００ ", "T26000", "'T26000"):
            self.assertEqual(self.call(self.auditor, "get_form", student_number=number)["form_id"], self.forms[0].id)


@tagged("post_install", "-at_install")
class TestApiRoles(ApiCommon):
    """What each role gets by each call."""

    def _expected(self):
        mech = self.students[:3]
        return [
            (self.manager, self.students),
            (self.auditor, self.students),
            (self.deferral, self.students),
            (self.librarian, self.students),
            (self.mech_clerk, mech),
            (self.arts_clerk, self.students[3:]),
            (self.counsellor, self.students[:2]),
            (self.supervisor, self.students[3]),
            (self.lead, mech),
        ]

    def test_forms(self):
        for user, students in self._expected():
            with self.subTest(user=user.login):
                self.assertEqual(self.numbers(user), students.mapped("student_number"))
                for student in self.students:
                    number = student.student_number
                    if student in students:
                        form = self.call(user, "get_form", student_number=number)
                        self.assertEqual(form["student"]["student_number"], number)
                        # Who sees a form sees the whole record.
                        self.assertEqual(len(form["steps"]), 8)
                    else:
                        context = self.refused(user, "get_form", MissingError, student_number=number)
                        self.assertEqual(context["code"], "unknown_student")

    def test_graduate(self):
        self.assertEqual(self.call(self.graduate, "get_form", student_number="T26000")["form_id"], self.forms[0].id)
        for number in ("T26001", "B1", "nobody"):
            context = self.refused(self.graduate, "get_form", MissingError, student_number=number)
            self.assertEqual(context["code"], "unknown_student")
        for method, arguments in READS.items():
            self.assertEqual(self.refused(self.graduate, method, AccessError, **arguments)["code"], "staff_only")

    def test_no_role(self):
        for method, arguments in {**READS, "get_form": {}, "decide": {"items": [], "decision": "approve"}}.items():
            with self.subTest(method=method):
                context = self.refused(self.stranger, method, AccessError, **arguments)
                self.assertEqual(context["code"], "no_role")

    def test_nobody_s_form(self):
        for user in (self.portal_stranger, self.manager):
            self.assertEqual(self.refused(user, "get_form", MissingError)["code"], "no_form")

    def test_other_campus(self):
        self.assertEqual([session["id"] for session in self.call(self.manager_b, "get_sessions")], [self.session_b.id])
        self.assertEqual(self.numbers(self.manager_b), ["B1"])
        for method in ("get_steps", "get_forms", "get_statistics", "get_changes"):
            context = self.refused(self.manager_b, method, MissingError, session=self.clearance.id)
            self.assertEqual(context["code"], "unknown_session")
        self.assertEqual(
            self.refused(self.manager_b, "get_form", MissingError, student_number="T26000")["code"], "unknown_student"
        )
        self.settle_steps(self.card)
        self.assertFalse(self.call(self.manager_b, "get_changes")["changes"])
        status = self.status(self.students[0], self.talk)
        answer = self.call(
            self.manager_b,
            "decide",
            items=[{"status_id": status.id}, {"student_number": "T26000", "step": "talk"}],
            decision="approve",
        )
        self.assertEqual([row["outcome"] for row in answer["rows"]], ["not_yours", "unknown"])
        self.assertEqual(status.state, "pending")

    def test_statistics(self):
        """Graduates that the role shows; statuses of the own stations, classes, colleges."""
        figures = self.call(self.auditor, "get_statistics", by=["college", "class", "step", "station"])
        self.assertEqual(figures["session"]["due"], 6)
        self.assertEqual(
            [(row["code"], row["due"], row["due_earlier"]) for row in figures["college"]], [("AR", 3, 1), ("ME", 3, 0)]
        )
        self.assertEqual([(row["name"], row["due"]) for row in figures["class"]], [("A1", 3), ("M1", 2), ("M2", 1)])
        steps = {row["code"]: row for row in figures["step"]}
        self.assertEqual((steps["books"]["due"], steps["books"]["open"], steps["books"]["rate"]), (6, 6, 0.0))
        stations = {row["name"]: row["due"] for row in figures["station"]}
        self.assertEqual((stations["Library"], stations["College of Mechanics Certificates"]), (12, 6))
        own = self.call(self.librarian, "get_statistics", by="station")
        self.assertEqual([row["name"] for row in own["station"]], ["Library"])
        lead = self.call(self.lead, "get_statistics", by=["college", "step"])
        self.assertEqual([row["code"] for row in lead["college"]], ["ME"])
        self.assertEqual(lead["session"]["due"], 3)
        self.assertEqual({row["due"] for row in lead["step"] if row["code"] == "books"}, {3})
        counsellor = self.call(self.counsellor, "get_statistics", by="class")
        self.assertEqual([(row["name"], row["due"]) for row in counsellor["class"]], [("M1", 2)])

    def test_graduates_without_a_class(self):
        self.students[2].write({"class_id": False, "college_id": False})
        figures = self.call(self.auditor, "get_statistics", by="class")["class"]
        self.assertEqual([(row["name"], row["due"]) for row in figures], [("A1", 3), ("M1", 2), (None, 1)])

    def test_changes(self):
        self.settle_steps(self.card)
        self.decide(self.statuses(self.talk)[0], "approve")
        self.statuses(self.deposit)[0]._decide("set_not_required", "api", "No deposit")
        for user, count in [
            (self.auditor, 8),
            (self.manager, 8),
            (self.librarian, 1),
            (self.affairs, 6),
            (self.counsellor, 4),
            (self.lead, 5),
            (self.supervisor, 1),
            (self.deferral, 0),
            (self.arts_clerk, 0),
        ]:
            with self.subTest(user=user.login):
                self.assertEqual(len(self.call(user, "get_changes")["changes"]), count)
        change = self.call(self.librarian, "get_changes")["changes"][0]
        self.assertEqual(
            {key: change[key] for key in ("action", "from_state", "to_state", "reason", "door", "student_number")},
            {
                "action": "set_not_required",
                "from_state": "optional",
                "to_state": "not_required",
                "reason": "No deposit",
                "door": "api",
                "student_number": "T26000",
            },
        )
        self.assertEqual(change["step"], {"id": self.deposit.id, "code": None, "name": "Deposit refund"})
        self.assertEqual(change["station"], {"id": self.library.id, "name": "Library"})

    def test_decisions(self):
        """The auditor reads everything and decides nothing; everybody else what the gate allows."""
        items = [{"student_number": "T26000", "step": code} for code in ("card", "talk", "books")]
        for user, outcomes in [
            (self.auditor, ["not_yours", "not_yours", "not_yours"]),
            (self.lead, ["not_yours", "not_yours", "not_yours"]),
            (self.librarian, ["no_step", "no_step", "reason_required"]),
            (self.arts_clerk, ["unknown", "unknown", "unknown"]),
            (self.counsellor, ["not_yours", "done", "not_yours"]),
            (self.affairs, ["done", "no_step", "no_step"]),
            (self.graduate, ["not_yours", "not_yours", "not_yours"]),
            (self.other_graduate, ["unknown", "unknown", "unknown"]),
        ]:
            with self.subTest(user=user.login):
                answer = self.call(user, "decide", items=items, decision="approve")
                self.assertEqual([row["outcome"] for row in answer["rows"]], outcomes)
        line = self.env["clearance.log"].sudo().search([("session_id", "=", self.clearance.id)], limit=1)
        self.assertEqual((line.door, line.user_id, line.step_id), ("api", self.affairs, self.card))

    def test_a_graduate_hands_in(self):
        """Graduates take the moves of their page."""
        self.talk.sudo().mode = "graduate"
        self.env.flush_all()
        items = [{"student_number": "T26000", "step": "talk"}]
        self.assertEqual(self.call(self.graduate, "decide", items=items, decision="approve")["decided"], 1)
        status = self.status(self.students[0], self.talk)
        self.assertEqual((status.state, status.door, status.user_id), ("approved", "api", self.graduate))


@tagged("post_install", "-at_install")
class TestApiLists(ApiCommon):
    def test_steps(self):
        steps = {step["code"] or step["name"]: step for step in self.call(self.librarian, "get_steps")}
        self.assertEqual(len(steps), 8)
        self.assertEqual((steps["books"]["mode"], steps["books"]["mode_text"]), ("feed", "Source system"))
        self.assertEqual((steps["books"]["place"], steps["books"]["phone"]), ("2nd floor", "0000-1"))
        self.assertEqual(
            [other["code"] or other["name"] for other in steps["degree"]["prerequisites"]],
            ["books", "fees", "card", "Confirm loan"],
        )
        self.assertIsNone(steps["card"]["opens"])
        self.assertFalse(steps["Deposit refund"]["required"])
        self.card.write({"place": "Hall", "deadline": self.clearance.open_until - timedelta(days=1)})
        card = next(step for step in self.call(self.librarian, "get_steps") if step["code"] == "card")
        self.assertEqual(card["place"], "Hall")
        self.assertEqual(card["closes"], self.card.deadline.isoformat(timespec="seconds") + "Z")

    def test_pages(self):
        numbers, after, pages = [], None, 0
        while True:
            page = self.call(self.auditor, "get_forms", limit=4, after=after)
            numbers += [form["student_number"] for form in page["forms"]]
            after, pages = page["next"], pages + 1
            if after is None:
                break
        self.assertEqual((pages, numbers), (2, self.students.mapped("student_number")))
        exact = self.call(self.auditor, "get_forms", limit=6)
        self.assertIsNone(exact["next"])

    def test_filters(self):
        self.settle_steps(self.card, students=self.students[:2])
        self.settle_steps(*self.clearance.step_ids, students=self.students[5])
        self.statuses(self.talk)[0]._decide("reject", "api", "Come again")
        for filters, numbers in [
            ({"college": "ME"}, [0, 1, 2]),
            ({"college": "College of Arts"}, [3, 4, 5]),
            ({"college": self.arts.id, "class": "A1"}, [3, 4, 5]),
            ({"class": self.class_m1.id}, [0, 1]),
            ({"state": "cleared"}, [5]),
            ({"earlier_year": True}, [5]),
            ({"earlier_year": False, "college": "AR"}, [3, 4]),
            ({"step": "card"}, [0, 1, 2, 3, 4, 5]),
            ({"step": "card", "step_state": "open"}, [2, 3, 4]),
            ({"step": self.card.id, "step_state": "approved"}, [0, 1, 5]),
            ({"step": "talk", "step_state": "rejected"}, [0]),
            ({"step": self.loan.id}, [0]),
            ({"student_numbers": ["T26003", "T26001", "B1", "zzz"]}, [1, 3]),
            ({"student_numbers": []}, []),
            ({}, [0, 1, 2, 3, 4, 5]),
        ]:
            with self.subTest(filters=filters):
                self.assertEqual(self.numbers(self.auditor, filters=filters), [f"T2600{n}" for n in numbers])
        # Of other stations an operator learns nothing by filtering.
        self.assertEqual(self.numbers(self.librarian, filters={"step": "talk", "step_state": "rejected"}), [])

    def test_steps_of_forms(self):
        self.settle_steps(self.card)
        [form] = self.call(self.affairs, "get_forms", filters={"student_numbers": ["T26000"]}, with_steps=True)["forms"]
        steps = {step["code"] or step["step_id"]: step for step in form["steps"]}
        self.assertEqual(steps["card"]["state"], "approved")
        self.assertEqual(
            (steps["degree"]["waits"], steps["degree"]["ready"], steps["degree"]["yours"]), (True, False, False)
        )
        self.assertEqual((steps[self.loan.id]["ready"], steps[self.loan.id]["yours"]), (True, True))
        self.assertEqual((form["total"], form["left"], form["percent"]), (7, 6, 14))

    def test_which_session(self):
        """The only open one, unless named; two of them must be told apart."""
        second = self.clearance.copy({"name": "Second", "student_domain": "[('student_number', '=', 'T26003')]"})
        self.assertEqual(len(self.numbers(self.auditor)), 6)
        second._open()
        context = self.refused(self.auditor, "get_forms")
        self.assertEqual(context["code"], "session_required")
        self.assertEqual([choice["name"] for choice in context["choices"]], ["Second", "2026 undergraduates"])
        self.assertEqual(self.numbers(self.auditor, session=second.id), ["T26003"])

    def test_changes_go_on(self):
        """Page by page, then what comes; nothing twice."""
        start = self.call(self.auditor, "get_changes", since="now")
        self.assertEqual(start["changes"], [])
        before = self.call(self.auditor, "get_changes")["changes"]
        self.settle_steps(self.card)
        with patch.object(self.registry["clearance.api"], "_horizon_sql", lambda api: SQL("%s", self._next())):
            first = self.call(self.auditor, "get_changes", limit=len(before) + 4)
            self.assertTrue(first["more"])
            second = self.call(self.auditor, "get_changes", since=first["next"], limit=4)
            self.assertFalse(second["more"])
            lines = [change["id"] for change in before + first["changes"][len(before) :] + second["changes"]]
            self.assertEqual(lines, sorted(set(lines)))
            self.assertEqual(len(second["changes"]), 2)
            third = self.call(self.auditor, "get_changes", since=second["next"])
            self.assertEqual((third["changes"], third["more"]), ([], False))

    def _next(self):
        """A transaction later than any; the same each time."""
        self.env.cr.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint / 100000 * 100000 + 500000")
        return self.env.cr.fetchone()[0]


@tagged("post_install", "-at_install")
class TestApiDecide(ApiCommon):
    def _decide(self, user=None, **arguments):
        return self.call(user or self.affairs, "decide", **{"decision": "approve", "step": "card", **arguments})

    def test_bad_rows_stop_nothing(self):
        first = self.status(self.students[0], self.card)
        items = [
            {"status_id": first.id},
            {"student_number": "T26001"},
            {"student_number": "Ｔ２６００１", "step": self.card.id},
            {"student_number": "nobody"},
            {"student_number": "T26000", "step": "dance"},
            {"student_number": "T26000", "step": "degree"},
            {"student_number": ""},
            {"student_number": "T26000", "step": [1]},
            {"status_id": "7"},
            {"status_id": first.id, "student_number": "T26000"},
            {"number": "T26000"},
            "T26000",
            {"status_id": 2**31},
            {"status_id": 2**31 - 1},
        ]
        answer = self._decide(items=items)
        self.assertEqual(
            [row["outcome"] for row in answer["rows"]],
            ["done", "done", "duplicate", "unknown", "no_step", "no_step", *["bad"] * 7, "unknown"],
        )
        self.assertEqual(answer["decided"], 2)
        self.assertEqual(answer["counts"]["bad"], 7)
        self.assertEqual([row["row"] for row in answer["rows"]], list(range(1, 15)))
        for place, words in {
            2: "Row 2 names the same",
            3: "“nobody”",
            4: "“dance”",
            6: "items[6].student_number",
            7: "items[7].step",
            8: "items[8].status_id",
            11: "items[11]",
        }.items():
            self.assertIn(words, answer["rows"][place]["message"])
        self.assertEqual(set(self.statuses(self.card)[:2].mapped("state")), {"approved"})
        self.assertEqual(self.statuses(self.card)[2].state, "pending")

    def test_missing_prerequisites_have_names(self):
        [row] = self._decide(self.mech_clerk, items=[{"student_number": "T26001", "step": "degree"}])["rows"]
        self.assertEqual(row["outcome"], "missing")
        self.assertEqual(
            [(missing["step_id"], missing["text"]) for missing in row["missing"]],
            [
                (self.books.id, "Library: Return books"),
                (self.fees.id, "Finance: Pay arrears"),
                (self.card.id, "Student Affairs: Return student card"),
            ],
        )

    def test_once_for_a_key(self):
        arguments = {"items": [{"student_number": "T26000"}], "key": "k-1"}
        answer = self._decide(**arguments)
        self.assertEqual(answer["decided"], 1)
        self.status(self.students[0], self.card)._decide("reopen", "api", "Mistake")
        self.assertEqual(self._decide(**arguments), answer)
        self.assertEqual(self.status(self.students[0], self.card).state, "pending")
        # The same key for something else is a fault of the caller, and is not answered wrongly.
        for other in ({"items": [{"student_number": "T26001"}]}, {"decision": "reject"}, {"reason": "x"}):
            context = self.refused(
                self.affairs, "decide", **{"decision": "approve", "step": "card", **arguments, **other}
            )
            self.assertEqual((context["code"], context["given"]), ("key_reused", "k-1"))
        # A key of somebody else is another key.
        self.assertEqual(self._decide(self.manager, **arguments)["decided"], 1)

    def test_a_refused_call_leaves_its_key(self):
        arguments = {"items": [{"student_number": "T26000"}], "key": "k-2", "step": "card"}
        self.refused(self.affairs, "decide", decision="dance", **arguments)
        self.assertEqual(self.call(self.affairs, "decide", decision="approve", **arguments)["decided"], 1)

    def test_sessions(self):
        """A number and a step that two open sessions know are told apart by the session."""
        second = self.clearance.copy({"name": "Second"})
        second._open()
        items = [{"student_number": "T26000"}]
        self.assertEqual(self._decide(items=items)["counts"], {"ambiguous": 1})
        self.assertEqual(self._decide(items=items, session=second.id)["decided"], 1)
        self.assertEqual(self.status(self.students[0], self.card).state, "pending")
        context = self.refused(self.affairs, "decide", MissingError, items=items, decision="approve", session=2**30)
        self.assertEqual(context["code"], "unknown_session")

    def test_stations_that_take_one_at_a_time(self):
        self.affairs_office.write({f"bulk_{scope}": False for scope in ("class", "room", "college", "list")})
        answer = self._decide(items=[{"student_number": "T26000"}, {"student_number": "T26001"}])
        self.assertEqual(answer["counts"], {"many": 2})
        self.assertIn("Student Affairs", answer["rows"][0]["message"])

    def test_nothing_asked(self):
        self.assertEqual(self._decide(items=[]), {"decided": 0, "counts": {}, "rows": []})


@tagged("post_install", "-at_install")
class TestApiBadInput(ApiCommon):
    """Each refusal says what is wrong and where."""

    def test_refusals(self):
        for method, arguments, code, argument in [
            ("get_form", {"student_number": 1.5}, "bad_type", "student_number"),
            ("get_form", {"student_number": True}, "bad_type", "student_number"),
            ("get_form", {"student_number": []}, "bad_type", "student_number"),
            ("get_form", {"student_number": "a\0b"}, "bad_type", "student_number"),
            ("get_form", {"student_number": "a\ud800b"}, "bad_type", "student_number"),
            ("get_form", {"student_number": float("nan")}, "bad_type", "student_number"),
            ("get_form", {"student_number": "T26000", "version": 5}, "bad_type", "version"),
            ("get_form", {"student_number": "T26000", "session": "1"}, "bad_type", "session"),
            ("get_form", {"lang": 5}, "bad_type", "lang"),
            ("get_form", {"lang": "tlh_KX"}, "unknown_language", "lang"),
            ("get_steps", {"session": "2026"}, "bad_type", "session"),
            ("get_steps", {"session": True}, "bad_type", "session"),
            ("get_steps", {"session": 2**40}, "bad_type", "session"),
            ("get_steps", {"session": -1}, "bad_type", "session"),
            ("get_forms", {"limit": 0}, "bad_value", "limit"),
            ("get_forms", {"limit": 501}, "bad_value", "limit"),
            ("get_forms", {"limit": "10"}, "bad_type", "limit"),
            ("get_forms", {"after": "x"}, "bad_type", "after"),
            ("get_forms", {"with_steps": "yes"}, "bad_type", "with_steps"),
            ("get_forms", {"filters": [["id", "=", 1]]}, "bad_type", "filters"),
            ("get_forms", {"filters": {"domain": []}}, "bad_value", "filters"),
            ("get_forms", {"filters": {"college": 1.5}}, "bad_type", "filters.college"),
            ("get_forms", {"filters": {"state": "done"}}, "bad_value", "filters.state"),
            ("get_forms", {"filters": {"earlier_year": 1}}, "bad_type", "filters.earlier_year"),
            ("get_forms", {"filters": {"step_state": "open"}}, "missing_argument", "filters.step"),
            ("get_forms", {"filters": {"step": "card", "step_state": "?"}}, "bad_value", "filters.step_state"),
            ("get_forms", {"filters": {"student_numbers": "T26000"}}, "bad_type", "filters.student_numbers"),
            ("get_forms", {"filters": {"student_numbers": ["T26000", {}]}}, "bad_type", "filters.student_numbers[1]"),
            ("get_forms", {"filters": {"student_numbers": ["1"] * 2001}}, "too_many", "filters.student_numbers"),
            ("get_statistics", {"by": "colour"}, "bad_value", "by"),
            ("get_statistics", {"by": 5}, "bad_type", "by"),
            ("get_changes", {"since": 5}, "bad_type", "since"),
            ("get_changes", {"since": "5"}, "bad_cursor", "since"),
            ("get_changes", {"since": "1-1-1-1-1-1-1-1-1"}, "bad_cursor", "since"),
            ("get_changes", {"since": "1" * 10000}, "bad_cursor", "since"),
            ("get_changes", {"limit": 2001}, "bad_value", "limit"),
            ("decide", {}, "missing_argument", "items"),
            ("decide", {"items": {}, "decision": "approve"}, "bad_type", "items"),
            ("decide", {"items": [{}] * 2001, "decision": "approve"}, "too_many", "items"),
            ("decide", {"items": []}, "missing_argument", "decision"),
            ("decide", {"items": [], "decision": "undo"}, "bad_value", "decision"),
            ("decide", {"items": [], "decision": "approve", "reason": "x" * 501}, "too_long", "reason"),
            ("decide", {"items": [], "decision": "approve", "key": "x" * 65}, "too_long", "key"),
            ("decide", {"items": [], "decision": "approve", "key": 5}, "bad_type", "key"),
            ("decide", {"items": [], "decision": "approve", "step": {}}, "bad_type", "step"),
            ("decide", {"items": [], "decision": "approve", "session": "1"}, "bad_type", "session"),
        ]:
            with self.subTest(method=method, arguments=str(arguments)[:80]):
                context = self.refused(self.manager, method, **arguments)
                self.assertEqual((context["code"], context["argument"]), (code, argument))

    def test_unknown_records(self):
        for method, arguments, code, argument in [
            ("get_form", {"student_number": "B1"}, "unknown_student", "student_number"),
            ("get_steps", {"session": 2**30}, "unknown_session", "session"),
            ("get_forms", {"filters": {"college": "XX"}}, "unknown_college", "filters.college"),
            ("get_forms", {"filters": {"class": 2**30}}, "unknown_class", "filters.class"),
            ("get_forms", {"filters": {"step": "dance"}}, "unknown_step", "filters.step"),
        ]:
            with self.subTest(method=method, arguments=arguments):
                context = self.refused(self.manager, method, MissingError, **arguments)
                self.assertEqual((context["code"], context["argument"]), (code, argument))

    def test_cursor_of_another_database(self):
        """A restored copy numbers its transactions anew: rather tell twice than leave out."""
        self.settle_steps(self.card)
        for since in ("1-1-999999999999999-0-0-0-0-0", f"1-1-5-5-0-0-0-{10**17}"):
            answer = self.call(self.auditor, "get_changes", since=since)
            self.assertEqual(len(answer["changes"]), 6)
            self.assertEqual(self.call(self.auditor, "get_changes", since=answer["next"])["more"], False)

    def test_private(self):
        for method in ("_fail", "_enter", "_find_heads", "_get_people", "_decide_items"):
            with self.assertRaises(UserError):
                self.call(self.manager, method)

    def test_nothing_but_calls(self):
        """There are no records behind the interface."""
        for method, args in (("search_read", [[]]), ("create", [{}])):
            self.assert_denied(self.manager, "clearance.api", method, *args)


@tagged("post_install", "-at_install")
class TestApiLanguage(ApiCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.card.with_context(lang="zh_CN").name = "交回学生证"

    def _name(self, user, **arguments):
        form = self.call(user, "get_form", student_number="T26000", **arguments)
        return self.step_of(form, "card")["name"]

    def test_language(self):
        for lang in ("zh_CN", "zh-CN", "zh", "ZH-hk"):
            self.assertEqual(self._name(self.auditor, lang=lang), "交回学生证")
        for lang in ("en_US", "en-GB", "en"):
            self.assertEqual(self._name(self.auditor, lang=lang), "Return student card")
        self.assertEqual(self._name(self.auditor), "Return student card")
        self.assertEqual(self._name(self.auditor, context={"lang": "zh_CN"}), "交回学生证")
        self.auditor.lang = "zh_CN"
        self.assertEqual(self._name(self.auditor), "交回学生证")
        steps = self.call(self.auditor, "get_steps")
        self.assertIn("交回学生证", [step["name"] for step in steps])
        self.settle_steps(self.card)
        changes = self.call(self.auditor, "get_changes")["changes"]
        self.assertEqual({change["step"]["name"] for change in changes}, {"交回学生证"})

    def test_codes_stay(self):
        keep = ("state", "turn", "mode", "code")
        plain, chinese = (
            [[step[key] for key in keep] for step in self.call(self.graduate, "get_form", lang=lang)["steps"]]
            for lang in ("en_US", "zh_CN")
        )
        self.assertEqual(plain, chinese)

    def test_errors_of_an_unknown_language(self):
        for arguments in ({"lang": "tlh"}, {"context": {"lang": "tlh"}}):
            context = self.refused(self.auditor, "get_sessions", **arguments)
            self.assertEqual(context["code"], "unknown_language")
            self.assertIn("zh_CN", context["choices"])


@tagged("post_install", "-at_install")
class TestApiQueries(CampusCommon):
    """As many queries for many as for few."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        show_own_lines(cls)
        cls.campus = Campus(cls.env, 120)
        cls.campus.build_roster()
        cls.campus.session._open()
        cls.card = cls.campus.steps["card"]
        cls.env["clearance.status"].search([("step_id", "=", cls.card.id)], limit=90)._decide("approve", "api")
        cls.numbers = cls.campus.students.mapped("student_number")

    @contextmanager
    def _counting(self, user):
        self.env.flush_all()
        self.env.invalidate_all()
        user.mapped("tz")
        counted = []
        before = self.env.cr.sql_log_count
        yield counted
        self.env.flush_all()
        counted.append(self.env.cr.sql_log_count - before)

    def _count(self, user, method, **arguments):
        """Queries of a call, the second time: what is kept for everybody is kept by then."""

        def act():
            api = self.env(user=user, context={})["clearance.api"]
            return call_kw(api, method, [], {**arguments, "context": {}})

        with self.env.cr.savepoint() as savepoint:
            act()
            savepoint.rollback()
        with self.env.cr.savepoint() as savepoint:
            with self._counting(user) as counted:
                act()
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return counted[0]

    def assert_bounded(self, most, few, many):
        self.assertEqual(few, many)
        self.assertLessEqual(many, most)

    def test_form(self):
        manager, graduate = self.campus.people["manager"], self.campus.graduates[0]
        self.assertLessEqual(self._count(graduate, "get_form"), 6)
        self.assertLessEqual(self._count(manager, "get_form", student_number=self.numbers[0]), 6)

    def test_forms(self):
        for with_steps, most in ((False, 8), (True, 10)):
            few, many = (
                self._count(self.campus.people["manager"], "get_forms", limit=limit, with_steps=with_steps)
                for limit in (5, 100)
            )
            self.assert_bounded(most, few, many)

    def test_decisions(self):
        self.env.cr.execute("SELECT student_number FROM clearance_student WHERE company_id = %s", [self.company.id])
        numbers = [row[0] for row in self.env.cr.fetchall()][::-1]
        few, many = (
            self._count(
                self.campus.people["affairs"],
                "decide",
                items=[{"student_number": number, "step": self.card.id} for number in numbers[:size]]
                + [{"student_number": "nobody", "step": self.card.id}, {"status_id": 2**31 - 1}],
                decision="approve",
                key=f"size {size}",
            )
            for size in (5, 100)
        )
        self.assert_bounded(14, few, many)

    def test_statistics(self):
        by = ["college", "class", "step", "station"]
        few, many = {}, {}
        manager = self.campus.people["manager"]
        many = self._count(manager, "get_statistics", by=by)
        with self.env.cr.savepoint() as savepoint:
            some = self.campus.students[:20]
            self.campus.session.student_domain = f"[('id', 'in', {some.ids})]"
            self.campus.session._open()
            few = self._count(manager, "get_statistics", by=by)
            savepoint.rollback()
        self.assertEqual(few, many)
        self.assertLessEqual(many, 14)

    def test_changes(self):
        few, many = (self._count(self.campus.people["manager"], "get_changes", limit=limit) for limit in (5, 80))
        self.assert_bounded(4, few, many)


@tagged("post_install", "-at_install")
class TestApiKeys(ApiCommon, HttpCase):
    """Over the wire: with a key, with one that has ended, with none."""

    def _key(self, user, scope="rpc", days=1):
        keys = self.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate(scope, "test", fields.Datetime.now() + timedelta(days=days))

    def _post(self, method, key=None, cookies=None, **arguments):
        headers = {"X-Odoo-Database": self.env.cr.dbname}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return self.url_open(f"/json/2/clearance.api/{method}", json=arguments, headers=headers, method="POST")

    def _refused(self, status, *args, **kwargs):
        response = self._post(*args, **kwargs)
        self.assertEqual(response.status_code, status, response.text[:500])
        body = response.json()
        self.assertEqual(list(body), ["name", "message", "arguments", "context", "debug"])
        return body

    @mute_logger("odoo.http")
    def test_keys(self):
        for scope in ("rpc", None):
            response = self._post("get_form", self._key(self.graduate, scope))
            self.assertEqual(response.json()["student"]["student_number"], "T26000")
        self.assertEqual(self._post("get_form", self._key(self.auditor), student_number="T26003").status_code, 200)
        ended, other_scope = self._key(self.graduate, days=-1), self._key(self.graduate, scope="odoo.plugin")
        for key in (None, "no key", ended, other_scope):
            self.assertEqual(self._refused(401, "get_form", key)["name"], "werkzeug.exceptions.Unauthorized")
        key = self._key(self.librarian)
        self.librarian.password = "another one 2026"
        self.assertEqual(self._post("get_sessions", key).status_code, 200)
        self.librarian.active = False
        self.assertEqual(self._refused(401, "get_sessions", key)["name"], "werkzeug.exceptions.Unauthorized")

    @mute_logger("odoo.http")
    def test_a_session_is_no_key(self):
        """What a page of another site could make a browser send opens nothing."""
        self.authenticate("t_manager", "t_manager")
        for method in ("get_sessions", "get_form"):
            self._refused(401, method)
        status = self.status(self.students[0], self.talk)
        self._refused(401, "decide", items=[{"status_id": status.id}], decision="approve")
        self.assertEqual(status.state, "pending")

    @mute_logger("odoo.http")
    def test_errors_are_data(self):
        key = self._key(self.auditor)
        body = self._refused(404, "get_form", key, student_number="nobody")
        self.assertEqual(body["name"], "odoo.exceptions.MissingError")
        self.assertEqual(body["context"], {"code": "unknown_student", "argument": "student_number", "given": "nobody"})
        self.assertEqual(self._refused(422, "get_forms", key, limit=0)["context"]["code"], "bad_value")
        self.assertEqual(self._refused(403, "get_forms", self._key(self.graduate))["context"]["code"], "staff_only")
        self.assertEqual(self._refused(403, "get_form", self._key(self.stranger))["context"]["code"], "no_role")
        self.assertEqual(self._refused(422, "get_form", key, colour="red")["context"], {})
        self.assertEqual(self._refused(404, "get_colours", key)["context"], {})
        self.assertEqual(self._refused(403, "_enter", key, lang=None)["context"], {})

    def test_how_long_keys_last(self):
        """What docs/api.md says of keys that people make for themselves."""
        for user, days in ((self.graduate, 1), (self.auditor, 90)):
            keys = self.env["res.users.apikeys"].with_user(user)
            keys._check_expiration_date(fields.Datetime.now() + timedelta(days=days, hours=-1))
            for beyond in (fields.Datetime.now() + timedelta(days=days, hours=1), False):
                with self.assertRaises(UserError):
                    keys._check_expiration_date(beyond)
        description = self.env["res.users.apikeys.description"]
        with self.assertRaises(AccessError):
            description.with_user(self.graduate).check_access_make_key()
        self.env["ir.config_parameter"].sudo().set_param("portal.allow_api_keys", "1")
        description.with_user(self.graduate).check_access_make_key()
        self.env.ref("base.group_portal").api_key_duration = 30
        keys = self.env["res.users.apikeys"].with_user(self.graduate)
        keys._check_expiration_date(fields.Datetime.now() + timedelta(days=29))
