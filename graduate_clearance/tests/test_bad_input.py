import functools
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ClearanceCommon


@tagged("post_install", "-at_install")
class TestBadInput(ClearanceCommon):
    """What is wrong is told with what and where, and nothing is half done."""

    def refused(self, pattern, error=ValidationError):
        return self.assertRaisesRegex(error, pattern)

    # -- filters on graduates ----------------------------------------------------------

    def test_domains(self):
        for domain, said in [
            ("[('no_such_field', '=', 1)]", "no_such_field"),
            ("[('class_id.no_such_field', '=', 1)]", "no_such_field.*class_id.no_such_field"),
            ("[('class_id', 'any', [('no_such_field', '=', 1)])]", "no_such_field"),
            ("[('properties.no_such_property', '=', True)]", "no_such_property"),
            ("[('graduation_year', '=', 'soon')]", "soon"),
            ("[('name', '=')]", "complete conditions"),
            ("[('name', 'is like', 'x')]", "complete conditions"),
            ("['&', ('name', '=', 'x')]", "complete conditions"),
            ("{'name': 'x'}", "not a list"),
            ("'name'", "not a list"),
            ("[oops", "can be read"),
            ("[('name', '=', uid)]", "can be read"),
            ("__import__('os')", "can be read"),
        ]:
            for record, name in [(self.books, "Return books"), (self.clearance, "2026 undergraduates")]:
                before = record.student_domain
                with self.subTest(domain=domain, record=name):
                    with self.refused(f"(?s){name}.*{said}"), self.env.cr.savepoint():
                        record.student_domain = domain
                    self.assertEqual(record.student_domain, before)

    def test_good_domains_pass(self):
        for domain in (
            "[]",
            "[('trait_ids', '=', False)]",
            "['|', ('level', '=', 'postgraduate'), ('class_id.counsellor_id', '!=', False)]",
            "[('active', 'in', [True, False])]",
            "[(1, '=', 1)]",
            "[('room_id', 'child_of', 1)]",
            "[('graduation_year', 'in', True)]",  # odd, yet Odoo reads it
        ):
            with self.subTest(domain=domain):
                self.books.student_domain = domain

    def test_unknown_trait_code_is_named(self):
        """It is no error, a trait may be made later: but it catches nobody, so it is told."""
        self.card.student_domain = "[('trait_ids.code', 'in', ['test_loan', 'borowed_switch'])]"
        told = self.get_finding("filters")
        self.assertEqual(told["level"], "warning")
        self.assertRegex(told["detail"], "Return student card.*Trait.*borowed_switch")
        self.assertNotIn("test_loan", told["detail"])
        self.clearance.student_domain = "[('college_id.code', '=', 'XX')]"
        self.assertRegex(self.get_finding("filters")["detail"], "2026 undergraduates.*College.*XX")

    def get_finding(self, key):
        """What the checklist before the opening says about something."""
        findings = self.clearance.with_user(self.manager)._get_findings()
        return next(finding for finding in findings if finding["key"] == key)

    def test_trait_code_of_another_campus_is_unknown(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        self.env["clearance.trait"].create({"name": "Theirs", "code": "theirs", "company_id": other.id})
        self.card.student_domain = "[('trait_ids.code', '=', 'theirs')]"
        self.assertIn("theirs", self.get_finding("filters")["detail"])

    def test_opening_with_a_filter_gone_bad(self):
        """A field may have been removed since: the opening says so and nothing is half open."""
        self.env.cr.execute(
            "UPDATE clearance_step SET student_domain = %s WHERE id = %s",
            ["[('properties.gone', '=', True)]", self.card.id],
        )
        self.env.invalidate_all()
        with self.refused("Return student card.*gone"), self.env.cr.savepoint():
            self.clearance.with_user(self.manager)._open()
        self.assertEqual(self.clearance.state, "draft")
        self.assertFalse(self.clearance.form_ids)

    # -- prerequisites -------------------------------------------------------------------

    def test_cycle_is_told_with_its_path(self):
        with self.refused("Graduation certificate.*→.*Degree certificate|Degree.*→.*Graduation"):
            self.degree.prerequisite_ids += self.diploma

    def test_cycle_by_a_station(self):
        with self.refused("→"):
            self.card.prerequisite_station_ids = [Command.link(self.certificates.id)]

    def test_prerequisite_of_another_session(self):
        other = self.clearance.copy({"name": "Another"})
        with self.refused("“Return books” belongs to another session.*“Return student card”"):
            self.card.prerequisite_ids = [Command.link(other.step_ids[0].id)]

    # -- windows ---------------------------------------------------------------------------

    def in_zone(self, hour):
        """A moment of a summer day, and how it reads in Shanghai."""
        return fields.Datetime.to_datetime(f"2026-06-24 {hour:02}:00:00")

    def test_window_that_ends_before_it_starts(self):
        env = self.env(user=self.manager)
        self.manager.tz = "Asia/Shanghai"
        start, end = self.in_zone(6), self.in_zone(4)
        # 6:00 UTC is 14:00 in Shanghai, 4:00 is noon.
        times = "06/24/2026 12:00:00 PM.*06/24/2026 02:00:00 PM"
        self.clearance.write({"open_from": self.in_zone(0), "open_until": self.in_zone(23)})
        slot = env["clearance.slot"].create(
            {"session_id": self.clearance.id, "open_from": self.in_zone(1), "open_until": self.in_zone(2)}
        )
        makers = {
            "2027 graduates": lambda: env["clearance.session"].create(
                {"name": "2027 graduates", "open_from": start, "open_until": end}
            ),
            "Late step": lambda: env["clearance.step"].create(
                {
                    "name": "Late step",
                    "session_id": self.clearance.id,
                    "station_id": self.library.id,
                    "open_from": start,
                    "deadline": end,
                }
            ),
            "2026 undergraduates": lambda: env["clearance.slot"].create(
                {"session_id": self.clearance.id, "open_from": start, "open_until": end}
            ),
            "Return student card": lambda: self.card.with_env(env).write({"open_from": start, "deadline": end}),
            "slot of session “2026": lambda: slot.write({"open_from": start, "open_until": end}),
        }
        for name, make in makers.items():
            with self.subTest(name=name), self.refused(f"(?s){name}.*{times}"), self.env.cr.savepoint():
                make()
        with self.refused("2026 undergraduates"), self.env.cr.savepoint():
            self.clearance.with_env(env).write({"open_from": start, "open_until": start})

    def test_step_outside_the_window_of_its_session(self):
        hour = timedelta(hours=1)
        for values in (
            {"deadline": self.clearance.open_until + hour},
            {"open_from": self.clearance.open_from - hour},
            {"deadline": self.clearance.open_from - hour},
        ):
            with (
                self.subTest(values=values),
                self.refused("Return student card.*outside.*2026 undergraduates"),
                self.env.cr.savepoint(),
            ):
                self.card.write(values)
        self.card.write({"open_from": self.clearance.open_from, "deadline": self.clearance.open_until})

    def test_session_moved_away_from_its_steps(self):
        self.card.deadline = self.clearance.open_until
        shorter = self.clearance.open_until - timedelta(hours=1)
        with self.refused("Return student card.*outside"), self.env.cr.savepoint():
            self.clearance.open_until = shorter
        # Both in one go is how a window is moved.
        self.clearance.write({"open_until": shorter, "step_ids": [Command.update(self.card.id, {"deadline": shorter})]})
        self.assertEqual(self.card.deadline, shorter)
        # A retired step does not stand in the way.
        self.card.active = False
        self.clearance.open_until = shorter - timedelta(hours=1)

    # -- stations ----------------------------------------------------------------------------

    def desk(self, name, parent, **values):
        return self.env["clearance.station"].create({"name": name, "parent_id": parent.id, **values})

    def test_two_desks_with_the_same_scope(self):
        with (
            self.refused(
                "“College of Mechanics Certificates” and “Twin” are desks of “Certificates”.*College of Mechanics"
            ),
            self.env.cr.savepoint(),
        ):
            self.desk("Twin", self.certificates, college_ids=[Command.link(self.mech.id)])
        twin = self.desk("Twin", self.certificates, class_ids=[Command.link(self.class_m1.id)])
        with self.refused("College of Arts Certificates.*Twin"), self.env.cr.savepoint():
            twin.write({"class_ids": [Command.clear()], "college_ids": [Command.set(self.arts.ids)]})
        # Elsewhere, retired or below another station it is no clash.
        self.desk("Elsewhere", self.library, college_ids=[Command.link(self.mech.id)])
        retired = self.desk("Old", self.certificates, college_ids=[Command.link(self.mech.id)], active=False)
        with self.refused("Old"), self.env.cr.savepoint():
            retired.active = True

    def test_desks_for_everybody_clash_once_a_step_is_routed_to_them(self):
        hall = self.env["clearance.station"].create({"name": "Hall"})
        left, right = self.desk("Left", hall), self.desk("Right", hall)
        self._create_step("Left only", left)
        self._create_step("Right only", right)
        with self.refused("“Left” and “Right”.*“Hall”.*everybody"), self.env.cr.savepoint():
            self._create_step("Either", hall)
        right.room_ids = self.north
        self._create_step("Either", hall)
        with self.refused("“Left” and “Right”"), self.env.cr.savepoint():
            right.room_ids = False

    # -- templates -----------------------------------------------------------------------------

    def test_template_loaded_twice(self):
        template = self.env["clearance.template"].with_user(self.manager)._get_by_key("hunan_nonferrous")
        Session = self.env["clearance.session"].with_user(self.manager)
        load = functools.partial(Session._load_configuration, template._get_document(), template=template)
        session, _findings = load(year=2031)
        steps = self.env["clearance.step"].search_count([])
        with self.refused(f"(?s)loaded for 2031 already.*{session.name}", UserError), self.env.cr.savepoint():
            load(year=2031)
        self.assertEqual(self.env["clearance.step"].search_count([]), steps)
        other, _findings = load(year=2032)
        self.assertNotEqual(other, session)

    # -- opening -------------------------------------------------------------------------------

    def test_session_without_graduates(self):
        self.clearance.student_domain = "[('student_number', '=', 'nobody')]"
        with self.refused("Nobody takes part in session “2026 undergraduates”", UserError):
            self.clearance._open()
        self.assertEqual(self.clearance.state, "draft")

    def test_session_without_steps(self):
        self.clearance.step_ids.unlink()
        with self.refused("“2026 undergraduates” has no steps", UserError):
            self.clearance._open()
        self.assertEqual(self.clearance.state, "draft")
