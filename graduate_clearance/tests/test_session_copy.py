from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Datetime
from odoo.tests import tagged

from .common import ClearanceCommon
from .test_configuration import ConfigurationCase

utc = Datetime.to_datetime


@tagged("post_install", "-at_install")
class TestCopyToYear(ConfigurationCase):
    """A session of 2026 with everything, copied to 2027."""

    def setUp(self):
        super().setUp()
        self.old, _findings = self.load()
        self.old.invalidate_recordset()

    def copy_session(self, year=2027, **values):
        return self.old._copy_to_year(year, **values)

    def test_same_configuration(self):
        """Only year, names and times differ: exported and moved back it is the same document."""
        new, _findings = self.copy_session()
        old, copied = self.old._get_configuration(), new._get_configuration()
        old["steps"] = [step for step in old["steps"] if step.get("active", True)]
        self.assertEqual(copied["session"]["year"], 2027)
        for section in ("stations", "colleges", "traits", "feeds", "properties"):
            self.assertEqual(copied[section], old[section])
        times = {"open_from", "deadline", "from", "until", "stage", "domain"}
        for section in ("steps", "slots", "duties"):
            for one, other in zip(copied[section], old[section], strict=True):
                self.assertEqual(
                    {key: value for key, value in one.items() if key not in times},
                    {key: value for key, value in other.items() if key not in times},
                )
                self.assertEqual(one.keys(), other.keys())
        for key in ("digest", "college_steps", "working_days", "instructions"):
            self.assertEqual(copied["session"][key], old["session"][key])

    def test_draft_without_people(self):
        self.env["clearance.student"].create({"student_number": "C1", "name": "C", "graduation_year": 2026})
        self.old._open()
        self.assertTrue(self.old.form_ids)
        new, _findings = self.copy_session()
        self.assertEqual((new.state, new.copied_from_id, new.company_id), ("draft", self.old, self.campus))
        self.assertFalse(new.form_ids)
        self.assertFalse(new.applied_at)
        self.assertFalse(self.env["clearance.status"].search([("session_id", "=", new.id)]))

    def test_closed_session(self):
        """Last year's session is closed: that is what is copied."""
        self.env["clearance.student"].create({"student_number": "C1", "name": "C", "graduation_year": 2026})
        self.old._open()
        self.old.action_close()
        self.old.duty_ids.invalidate_recordset()
        new, _findings = self.copy_session()
        self.assertEqual((new.state, len(new.step_ids)), ("draft", 7))

    def test_names(self):
        new, findings = self.copy_session()
        self.assertEqual((new.name, new.year), ("2027 undergraduates", 2027))
        self.assertEqual(new.with_context(lang="zh_CN").name, "2027届本科生离校")
        survey = self.get_step(new, "survey")
        self.assertEqual(survey.stage, "Before June 2027")
        self.assertEqual(survey.with_context(lang="zh_CN").stage, "2027年6月前")
        self.assertIn("Questionnaire 2026", self.get_finding(findings, "old_year")["detail"])
        self.assertEqual(self.get_step(new, "books").with_context(lang="zh_CN").name, "归还图书")
        self.assertEqual(self.old.name, "2026 undergraduates")

    def test_name_without_year(self):
        self.old.name = "Undergraduates"
        self.old.with_context(lang="zh_CN").name = "本科生"
        self.assertEqual(self.copy_session()[0].name, "Undergraduates (2027)")
        self.assertEqual(self.copy_session(name="Mine")[0].name, "Mine")

    def test_windows(self):
        new, _findings = self.copy_session(first_day=date(2027, 6, 14))  # 357 days later
        self.assertEqual(new.open_from, utc("2027-06-14 00:30:00"))
        self.assertEqual(new.open_until, utc("2027-06-19 09:00:00"))
        self.assertEqual(self.get_step(new, "books").deadline, utc("2027-06-17 09:00:00"))
        self.assertEqual(self.get_step(new, "membership").open_from, utc("2027-06-15 00:30:00"))
        self.assertEqual(new.slot_ids[0].open_from, utc("2027-06-16 01:00:00"))
        self.assertEqual(new.slot_ids[0].open_until, utc("2027-06-16 04:00:00"))
        self.assertEqual(new.duty_ids.deadline, utc("2027-06-12 04:00:00"))
        self.assertEqual(self.old.open_from, utc("2026-06-22 00:30:00"))
        self.assertEqual(self.old.slot_ids[0].open_from, utc("2026-06-24 01:00:00"))

    def test_same_day_by_default(self):
        self.assertEqual(self.copy_session()[0].open_from, utc("2027-06-22 00:30:00"))

    def test_daylight_saving(self):
        self.campus.sudo().partner_id.tz = "Europe/Berlin"
        self.old.step_ids.write({"open_from": False, "deadline": False})
        self.old.write({"open_from": utc("2026-03-20 07:00:00"), "open_until": utc("2026-04-10 15:00:00")})
        new, _findings = self.copy_session(first_day=date(2027, 3, 30))
        self.assertEqual(new.open_from, utc("2027-03-30 06:00:00"))  # 8:00 in summer time
        self.assertEqual(new.open_until, utc("2027-04-20 15:00:00"))

    def test_steps(self):
        """What steps wait for and go on with points into the copy."""
        new, findings = self.copy_session()
        diploma, review = self.get_step(new, "diploma"), self.get_step(new, "review")
        self.assertEqual(diploma.prerequisite_ids, review | self.get_step(new, "own"))
        self.assertEqual(diploma.prerequisite_station_ids.mapped("code"), ["lib"])
        self.assertEqual(review.continues_id, self.get_step(new, "membership"))
        self.assertEqual(diploma.blocking_step_ids.session_id, new)
        self.assertFalse(self.get_step(new, "refund"))
        self.assertEqual(self.get_finding(findings, "retired")["detail"], "Refund")
        self.assertEqual(self.get_step(new, "own").college_id.code, "GEO")

    def test_order_of_steps(self):
        """Steps that were put in another order still find what they waited for."""
        review = self.get_step(self.old, "review")
        self.get_step(self.old, "membership").sequence = 500
        review.sequence = self.get_step(self.old, "own").sequence = 700
        # As the next request reads them: in their new order.
        self.env.flush_all()
        self.env.invalidate_all()
        new, _findings = self.copy_session()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(new.step_ids.mapped("code"), self.old.step_ids.mapped("code"))
        self.assertEqual(self.get_step(new, "review").prerequisite_ids.code, "membership")
        self.assertEqual(self.get_step(new, "review").continues_id.code, "membership")

    def test_retired_prerequisite(self):
        review = self.get_step(self.old, "review")
        review.write({"continues_id": False})
        self.get_step(self.old, "membership").active = False
        new, findings = self.copy_session()
        self.assertFalse(self.get_step(new, "review").prerequisite_ids)
        self.assertIn("Membership", self.get_finding(findings, "retired")["detail"])

    def test_retired_whatever_the_context(self):
        """Callers choose their context: it brings nothing retired back."""
        for copied in (
            self.old.with_context(active_test=False).copy(),
            self.old.with_context(active_test=False)._copy_to_year(2027)[0],
        ):
            self.assertEqual(len(copied.with_context(active_test=False).step_ids), 7)
            self.assertEqual(self.get_step(copied, "books").with_context(lang="zh_CN").name, "归还图书")

    def test_requirements(self):
        choice, form = self.get_step(self.old, "membership").requirement_ids
        choice.choice_ids[1].active = False
        self.env["clearance.requirement"].create(
            {"name": "Retired", "step_id": self.get_step(self.old, "own").id, "active": False}
        )
        new, findings = self.copy_session()
        new_choice, new_form = self.get_step(new, "membership").requirement_ids
        self.assertFalse((new_choice | new_form) & (choice | form))
        self.assertEqual(new_choice.with_context(active_test=False).choice_ids.mapped("name"), ["Home"])
        self.assertEqual(new_choice.with_context(lang="zh_CN").choice_ids.name, "家")
        self.assertEqual(new_form.with_context(bin_size=False).template, form.with_context(bin_size=False).template)
        self.assertFalse(self.get_step(new, "own").with_context(active_test=False).requirement_ids)
        self.assertEqual(
            [one["name"] for one in self.get_step(new, "membership").answer_definition], [f"r{new_choice.id}"]
        )
        self.assertEqual(self.get_finding(findings, "forms")["detail"], "Membership")

    def test_desks_and_operators_kept(self):
        new, _findings = self.copy_session()
        self.assertEqual(new.step_ids.station_id, self.old.step_ids.station_id)
        self.assertEqual(self.get_station("lib").operator_ids, self.operator)

    def test_operator_who_left(self):
        self.operator.sudo().active = False
        _new, findings = self.copy_session()
        self.assertIn("Library: c_operator", self.get_finding(findings, "operators")["detail"])
        self.assertIn("Library", self.get_finding(findings, "unstaffed")["detail"])

    def test_years_in_filters(self):
        books = self.get_step(self.old, "books")
        books.student_domain = (
            "['!', ('graduation_year', '<', 2026), ('form_ids', 'any', [('session_id.year', '=', 3)])]"
        )
        new, findings = self.copy_session(year=2028)
        self.assertIn("[2027, 2028]", new.student_domain)
        self.assertIn("('graduation_year', '<', 2028)", self.get_step(new, "books").student_domain)
        self.assertIn("('session_id.year', '=', 3)", self.get_step(new, "books").student_domain)
        self.assertEqual(
            self.get_finding(findings, "years")["detail"].splitlines(), ["2028 undergraduates", "Return books"]
        )
        self.assertEqual(self.get_step(new, "deposit").student_domain, "[('properties.housing', '=', 'off')]")

    def test_classes_told(self):
        college = self.env["clearance.college"].search([("code", "=", "GEO")])
        class_ = self.env["clearance.class"].create({"name": "G1", "college_id": college.id})
        self.get_step(self.old, "books").student_domain = f"[('class_id', 'in', [{class_.id}])]"
        self.get_station("rest").class_ids = class_
        _new, findings = self.copy_session()
        self.assertEqual(self.get_finding(findings, "classes")["detail"].splitlines(), ["Return books", "Other desk"])

    def test_findings_posted(self):
        new, findings = self.copy_session()
        self.assertTrue(findings)
        messages = new.message_ids.filtered(lambda message: "To be checked" in (message.body or ""))
        self.assertEqual(len(messages), 1)
        self.assertIn("Retired steps were left out", messages.body)

    def test_twice(self):
        """Copies of copies: nothing is lost on the way."""
        new, _findings = self.copy_session()
        third, _findings = new._copy_to_year(2028)
        self.assertEqual((third.name, third.copied_from_id), ("2028 undergraduates", new))
        self.assertEqual(len(third.step_ids), 7)

    def test_out_of_reach(self):
        for values in ({"year": 9999}, {"year": -1}, {"year": 10**9}, {"first_day": date(9999, 1, 1)}):
            with self.assertRaisesRegex(UserError, "must lie between"):
                self.copy_session(**values)

    def test_access(self):
        for group in ("group_operator", "group_college_lead", "group_deferral", "group_auditor"):
            user = self._create_user(f"c_copy_{group}", group)
            with self.assertRaises(AccessError):
                self.old.with_user(user)._copy_to_year(2027)
            with self.assertRaises(AccessError):
                self.old.with_user(user).copy()
            for action in ("action_copy_wizard", "action_export", "action_save_as_template"):
                with self.assertRaises(AccessError, msg=f"{group} {action}"):
                    getattr(self.old.with_user(user), action)()
        self.assertEqual(self.env["clearance.session"].search([]), self.old)

    def test_queries(self):
        """They do not grow with the graduates of the old session."""

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.copy_session()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        self.env["clearance.student"].create(
            [{"student_number": f"C{n:04}", "name": f"C{n}", "graduation_year": 2026} for n in range(100)]
        )
        self.old._open()
        count()  # the caches of the models touched by opening
        self.assertLessEqual(count(), few + 2)


@tagged("post_install", "-at_install")
class TestDuplicate(ClearanceCommon):
    """The plain Duplicate of the web client."""

    def test_duplicate(self):
        slot = self.env["clearance.slot"].create(
            {
                "session_id": self.clearance.id,
                "open_from": self.clearance.open_from,
                "open_until": self.clearance.open_until,
                "college_ids": [Command.set(self.mech.ids)],
            }
        )
        new = self.clearance.with_user(self.manager).copy()
        self.assertEqual(new.name, "2026 undergraduates (copy)")
        self.assertEqual((new.open_from, new.open_until), (self.clearance.open_from, self.clearance.open_until))
        self.assertEqual((new.slot_ids.open_from, new.slot_ids.college_ids), (slot.open_from, self.mech))
        self.assertEqual(new.env.user, self.manager)
        degree = new.step_ids.filtered(lambda step: step.name == "Degree certificate")
        self.assertEqual(degree.prerequisite_ids.mapped("name"), ["Return books", "Pay arrears"])

    def test_several(self):
        other = self.clearance.copy({"name": "Other"})
        copies = (self.clearance | other).copy()
        self.assertEqual(len(copies), 2)
        for session in copies:
            self.assertEqual(session.step_ids.prerequisite_ids.session_id, session)

    def test_moved(self):
        """Another first day moves everything with it, however the copy is asked for."""
        self.books.deadline = self.clearance.open_until
        new = self.clearance.copy({"open_from": "2030-06-01 08:00:00"})
        length = self.clearance.open_until.date() - self.clearance.open_from.date()
        self.assertEqual((new.open_until.date() - new.open_from.date()), length)
        self.assertEqual(new.step_ids.filtered("deadline").deadline, new.open_until)
