"""Days, hours and offices: working days, what is to be announced, who is responsible, heads in the hall."""

from datetime import date, datetime, timedelta

import pytz
from lxml import html

from odoo import fields
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ClearanceCommon
from .test_page import PageCommon

ZONE = pytz.timezone("Asia/Shanghai")


def to_utc(text):
    """A moment on the clock of the campus as the database has it."""
    return ZONE.localize(fields.Datetime.to_datetime(text)).astimezone(pytz.utc).replace(tzinfo=None)


def take_working_hours(case):
    """Give the campus of a test case working hours from Monday to Friday, in another zone than its own."""
    case.campus.partner_id.tz = "Asia/Shanghai"
    return case.env["resource.calendar"].create(
        {"name": "Offices", "company_id": case.campus.id, "tz": "America/New_York"}
    )


def take_off(case, calendar, day, **values):
    """Make a day a holiday on the campus."""
    return case.env["resource.calendar.leaves"].create(
        {
            "name": "Holiday",
            "company_id": case.campus.id,
            "calendar_id": calendar.id if calendar else False,
            "date_from": to_utc(f"{day} 00:00:00"),
            "date_to": to_utc(f"{day} 23:59:59"),
            **values,
        }
    )


@tagged("post_install", "-at_install")
class TestWorkingDays(ClearanceCommon):
    """22 to 27 June 2026, on working days (Hunan Nonferrous)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = take_working_hours(cls)
        cls.clearance.write(
            {
                "open_from": to_utc("2026-06-15 09:00:00"),
                "open_until": to_utc("2026-06-27 17:30:00"),
                "calendar_id": cls.calendar.id,
            }
        )

    def days(self):
        return [day.day for day in self.clearance._get_working_days()]

    def test_week_days(self):
        self.assertEqual(self.clearance._get_working_days()[0], date(2026, 6, 15))
        self.assertEqual(self.days(), [15, 16, 17, 18, 19, 22, 23, 24, 25, 26])
        self.assertEqual(
            self.clearance._get_working_runs(),
            [(date(2026, 6, 15), date(2026, 6, 19)), (date(2026, 6, 22), date(2026, 6, 26))],
        )

    def test_holidays(self):
        """Of this calendar or of the whole campus; nobody's own, and no other campus'."""
        take_off(self, self.calendar, date(2026, 6, 19))
        self.assertEqual(self.days(), [15, 16, 17, 18, 22, 23, 24, 25, 26])
        take_off(self, None, date(2026, 6, 23))
        self.assertEqual(self.days(), [15, 16, 17, 18, 22, 24, 25, 26])
        other = self.env["res.company"].create({"name": "Other campus"})
        self.env["resource.calendar.leaves"].sudo().create(
            {
                "name": "Theirs",
                "company_id": other.id,
                "date_from": to_utc("2026-06-24 00:00:00"),
                "date_to": to_utc("2026-06-24 23:59:00"),
            }
        ).company_id = other
        one = self.env["resource.resource"].create({"name": "One", "calendar_id": self.calendar.id})
        take_off(self, self.calendar, date(2026, 6, 25), resource_id=one.id)
        take_off(self, self.calendar, date(2026, 6, 26), time_type="other")
        self.assertEqual(self.days(), [15, 16, 17, 18, 22, 24, 25, 26])

    def test_half_a_day_is_a_day(self):
        take_off(self, self.calendar, date(2026, 6, 22), date_to=to_utc("2026-06-22 12:00:00"))
        self.assertIn(22, self.days())

    def test_days_of_the_campus(self):
        """The window ends on the day of the campus, wherever the server and the calendar stand."""
        self.clearance.open_from = to_utc("2026-06-22 00:30:00")  # still the 21st in UTC
        self.clearance.open_until = to_utc("2026-06-26 00:30:00")
        self.assertEqual(self.days(), [22, 23, 24, 25, 26])
        self.campus.partner_id.tz = "America/New_York"
        self.assertEqual(self.days(), [22, 23, 24, 25])

    def test_without_working_hours(self):
        self.clearance.calendar_id = False
        self.assertEqual(self.days(), list(range(15, 28)))
        self.assertEqual(self.clearance._get_working_runs(), [])


@tagged("post_install", "-at_install")
class TestDaysOnPage(PageCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = take_working_hours(cls)

    def today(self):
        return datetime.now(ZONE).date()

    def work_every_day(self):
        self.calendar.attendance_ids.unlink()
        self.calendar.attendance_ids = [
            Command.create({"name": str(day), "dayofweek": str(day), "hour_from": 8, "hour_to": 12}) for day in range(7)
        ]
        self.clearance.calendar_id = self.calendar

    def test_one_line(self):
        self.assertFalse(self.find(self.page("/my/clearance"), "o_clearance_working"))
        self.work_every_day()
        off = self.today() + timedelta(days=3)
        take_off(self, self.calendar, off)
        before, after = self.values()["working_days"].split(" and ")
        self.assertTrue(before.startswith("Offices work on "))
        clock = self.form._get_portal_clock("Asia/Shanghai")
        # From today on: what is over is no use.
        self.assertEqual(
            [before.removeprefix("Offices work on "), after],
            clock.runs(
                [
                    (self.today() - timedelta(days=1), off - timedelta(days=1)),
                    (off + timedelta(days=1), self.today() + timedelta(days=10)),
                ]
            ),
        )
        self.assertEqual(self.words(self.page("/my/clearance"), "o_clearance_working"), self.values()["working_days"])

    def test_not_when_over(self):
        self.work_every_day()
        self.clearance.open_until = fields.Datetime.now() - timedelta(hours=1)
        self.assertFalse(self.find(self.page("/my/clearance"), "o_clearance_working"))

    def test_many_runs_are_cut(self):
        clock = self.form._get_portal_clock("Asia/Shanghai")
        days = [self.today() + timedelta(days=2 * number) for number in range(-3, 6)]
        self.assertEqual(len(clock.runs([(day, day) for day in days])), 4)
        self.assertEqual(clock.runs([(day, day) for day in days])[-1], "…")
        self.assertEqual(clock.runs([(day, day) for day in days[:3]]), [])

    def test_in_chinese(self):
        clock = self.form._get_portal_clock("Asia/Shanghai")
        clock.lang, clock.today = "zh_CN", date(2026, 6, 16)
        runs = [(date(2026, 6, 15), date(2026, 6, 18)), (date(2026, 6, 22), date(2026, 6, 26))]
        self.assertEqual(clock.runs(runs), ["6月15日至18日", "6月22日至26日"])

    def test_changes_are_seen_at_once(self):
        """Hours and holidays are no rows of the session, and change its page all the same."""
        self.clearance.calendar_id = self.calendar
        versions = [self.clearance._get_portal_common(fresh=True)["plan"]]
        off = self.env["resource.calendar.leaves"]

        def add():
            nonlocal off
            off = take_off(self, self.calendar, self.today())

        for change in (
            self.work_every_day,
            add,
            lambda: off.write({"date_from": off.date_from + timedelta(hours=1)}),
            lambda: take_off(self, None, self.today()),
            lambda: off.unlink(),  # noqa: PLW0108 - `off` is made by `add`
            lambda: self.clearance.write({"calendar_id": False}),
        ):
            change()
            self.env.flush_all()
            versions.append(self.clearance._get_portal_common(fresh=True)["plan"])
        self.assertEqual(len(set(versions)), len(versions))
        # What is nobody's business here changes nothing.
        take_off(self, None, self.today())
        self.env.flush_all()
        self.assertEqual(self.clearance._get_portal_common(fresh=True)["plan"], versions[-1])

    def test_costs_nothing_a_page(self):
        """Worked out once for all graduates, not for each page."""
        self.work_every_day()
        self.values()
        head = self.form._get_portal_head()
        clock = self.form._get_portal_clock("Asia/Shanghai")
        with self.assertQueryCount(0):
            plan = self.clearance._get_portal_plan(head["plan"])
            self.assertTrue(self.form._get_portal_working_days(plan, clock))

    # -- to be announced, responsible --------------------------------------------------------

    def test_to_be_announced(self):
        self.settle_steps(self.books, self.fees, self.loan, students=self.students[0])
        self.assertIn("until", self.values()["progress"]["next"])
        self.card.to_be_announced = True
        values = self.values_of(self.card)
        # There is no time to come yet, so it is nobody's turn.
        self.assertEqual((values["turn"], values["unannounced"]), ("later", True))
        self.assertEqual(self.values()["progress"]["next"], "")
        self.assertIn("Time to be announced", self.step_words(self.page("/my/clearance"), self.card))
        # What is to be sent can be sent before.
        self.ask_for(self.card)
        self.assertEqual(self.values_of(self.card)["turn"], "todo")
        self.assertTrue(self.values()["progress"]["next"].endswith("Time to be announced"))
        # Once the time is known, it is told.
        self.card.deadline = fields.Datetime.now() + timedelta(days=2)
        self.assertFalse(self.values_of(self.card)["unannounced"])
        self.assertNotIn("Time to be announced", self.step_words(self.page("/my/clearance"), self.card))
        # It is a matter of what is told: the office may be quicker.
        self.assertEqual(self.decide(self.status(self.students[0], self.card, self.affairs), "approve"), ["done"])

    def test_office_acts(self):
        """Nobody is sent to an office that looks at its own papers, until it finds something there."""
        self.assertEqual(self.values_of(self.card)["turn"], "todo")
        self.card.office_acts = True
        values = self.values_of(self.card)
        self.assertEqual((values["turn"], values["turn_text"]), ("others", "Student Affairs checks this by itself"))
        self.assertIn("Student Affairs checks this by itself", self.step_words(self.page("/my/clearance"), self.card))
        self.decide(self.status(self.students[0], self.card, self.affairs), "reject", "The card is missing")
        self.assertEqual(self.values_of(self.card)["turn"], "todo")

    def test_responsible(self):
        self.assertEqual(self.values_of(self.card)["responsible"], "Student Affairs")
        self.assertNotIn("Responsible", self.step_words(self.page("/my/clearance"), self.card))
        self.card.responsible = "Security Office"
        self.assertEqual(self.values_of(self.card)["responsible"], "Security Office")
        info = html.fromstring(f"<div>{self.values_of(self.card)['info']}</div>")
        self.assertEqual(self.text(info), "Responsible Security Office")
        # Not said twice.
        self.card.responsible = "Student Affairs"
        self.assertNotIn("Responsible", self.step_words(self.page("/my/clearance"), self.card))

    def test_desk(self):
        Desk = self.env["clearance.desk"].with_user(self.affairs)
        self.card.write({"responsible": "Security Office", "to_be_announced": True})
        found = {step["step_id"]: step for step in Desk.get_graduate(self.form.id, self.affairs_office.id)["steps"]}
        self.assertEqual(found[self.card.id]["responsible"], "Security Office")
        self.assertIs(found[self.card.id]["to_be_announced"], True)
        self.assertEqual(found[self.loan.id]["responsible"], "")

    # -- on paper ------------------------------------------------------------------------------

    def sheet(self):
        self.env.invalidate_all()
        return self.form.with_user(self.graduate).with_context(allowed_company_ids=None)._get_sheets()[0]

    def test_sheet(self):
        self.assertEqual(self.sheet()["visits"], [])
        self.work_every_day()
        now = fields.Datetime.now()
        for college, place, hours in ((self.mech, "Library hall", 5), (self.arts, "Gym", 5), (self.mech, "Past", -5)):
            self.env["clearance.slot"].create(
                {
                    "session_id": self.clearance.id,
                    "college_ids": [Command.link(college.id)],
                    "place": place,
                    "open_from": now + timedelta(hours=hours),
                    "open_until": now + timedelta(hours=hours + 1),
                }
            )
        self.card.write({"responsible": "Security Office", "to_be_announced": True})
        day = self.today() + timedelta(days=4)
        self.loan.deadline = to_utc(f"{day} 17:00:00")
        self.books.responsible = "Library"  # as the station
        sheet = self.sheet()
        self.assertEqual(len(sheet["visits"]), 2)
        self.assertTrue(sheet["visits"][0].endswith(" · Library hall"))
        self.assertTrue(sheet["visits"][1].startswith("Offices work on "))
        rows = {row["step"]: row for row in sheet["rows"]}
        self.assertEqual(
            (rows["Return student card"]["responsible"], rows["Return student card"]["time"]),
            ("Security Office", "Time to be announced"),
        )
        self.assertEqual(rows["Confirm loan"]["time"], f"until {day} 17:00")
        self.assertEqual((rows["Return books"]["responsible"], rows["Return books"]["time"]), ("", ""))
        printed = self.text(self.page(f"/my/clearance/{self.form.id}/certificate"))
        for text in (*sheet["visits"], "Security Office", "Time to be announced", f"until {day} 17:00"):
            self.assertIn(" ".join(text.split()), printed)
        # What is done, and who has nothing to come for, is told no time.
        self.settle_steps(self.card, students=self.students[0])
        self.assertEqual({row["step"]: row["time"] for row in self.sheet()["rows"]}["Return student card"], "")
        self.settle_steps(*self.clearance.step_ids - self.deposit, students=self.students[0])
        self.assertEqual(self.sheet()["visits"], [])


@tagged("post_install", "-at_install")
class TestHeads(ClearanceCommon):
    """Guiyang Vocational's table: how many heads are to come, and how many there are."""

    def slot(self, *colleges, planned=0, **values):
        return self.env["clearance.slot"].create(
            {
                "session_id": self.clearance.id,
                "college_ids": [Command.set([college.id for college in colleges])],
                "planned_count": planned,
                "open_from": "2026-07-10 01:00:00",
                "open_until": "2026-07-10 04:00:00",
                **values,
            }
        )

    def heads(self, slots):
        slots.invalidate_recordset()
        return [(slot.head_count, slot.difference) for slot in slots]

    def test_roster_then_forms(self):
        slots = self.slot(self.mech, planned=4) | self.slot(self.arts, planned=3) | self.slot()
        # Before the opening: the roster, as it changes.
        self.assertEqual(self.heads(slots), [(3, -1), (3, 0), (6, 0)])
        self.students[0].graduation_state = "postponed"
        self.assertEqual(self.heads(slots), [(2, -2), (3, 0), (5, 0)])
        self.students[0].graduation_state = "due"
        self.open_session()
        self.assertEqual(self.heads(slots), [(3, -1), (3, 0), (6, 0)])
        self.students[5].write({"graduation_state": "postponed", "graduation_note": "Thesis"})
        self.assertEqual(self.heads(slots), [(3, -1), (2, -1), (5, 0)])
        both = self.slot(self.mech, self.arts, planned=5)
        self.assertEqual(self.heads(both), [(5, 0)])

    def test_whoever_sees_a_slot(self):
        slots = self.slot(self.mech, planned=4) | self.slot(self.arts)
        self.assertEqual(self.heads(slots.with_user(self.librarian)), [(3, -1), (3, 0)])
        self.open_session()
        # Of the Arts, this desk sees nobody.
        self.assertEqual(self.heads(slots.with_user(self.mech_clerk)), [(3, -1), (3, 0)])

    def test_name(self):
        """When and where, as people of each language write it."""
        self.env["res.lang"]._activate_lang("zh_CN")
        slot = self.slot(self.mech, place="Hall").with_context(tz="Asia/Shanghai")
        self.assertRegex(slot.display_name, r"Jul 10.* 9:00\sAM–12:00\sPM Hall$")
        self.assertRegex(slot.with_context(lang="zh_CN").display_name, "7月10日.* 09:00–12:00 Hall$")

    def test_on_the_session(self):
        """A new line tells at once whom it takes."""
        with Form(self.clearance.with_user(self.manager)) as form, form.slot_ids.new() as line:
            line.open_from = "2026-07-10 01:00:00"
            line.open_until = "2026-07-10 04:00:00"
            line.planned_count = 2
            self.assertEqual((line.head_count, line.difference), (6, 4))
            line.college_ids.add(self.mech)
            self.assertEqual((line.head_count, line.difference), (3, 1))

    def test_queries_do_not_grow(self):
        self.open_session()
        slots = self.slot(self.mech) | self.slot(self.arts)
        more = slots.union(*(self.slot(self.mech, planned=number) for number in range(20)))
        for some in (slots, more):
            self.env.invalidate_all()
            with self.assertQueryCount(5):
                some.mapped("head_count")
