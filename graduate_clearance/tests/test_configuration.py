import copy
import json
from datetime import date
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Datetime
from odoo.tests import tagged
from odoo.tests.common import TransactionCase, new_test_user

from odoo.addons.graduate_clearance.models import clearance_configuration

from .common import ClearanceCommon

utc = Datetime.to_datetime
PDF = "JVBERi0xLjQKJSVFT0YK"

DOCUMENT = {
    "format": "graduate_clearance",
    "version": 1,
    "timezone": "Asia/Shanghai",
    "session": {
        "name": {"en_US": "2026 undergraduates", "zh_CN": "2026届本科生离校"},
        "year": 2026,
        "open_from": "2026-06-22 08:30",
        "open_until": "2026-06-27 17:00",
        "domain": [["graduation_year", "in", [2025, 2026]], ["level", "=", "undergraduate"]],
        "instructions": {"en_US": "Read this.", "zh_CN": "请阅读。"},
        "digest": False,
        "college_steps": True,
        "working_days": True,
    },
    "colleges": [
        {"code": "GEO", "name": {"en_US": "College of Geology", "zh_CN": "地质学院"}},
        {"code": "RES", "name": "College of Resources"},
    ],
    "traits": [
        {"code": "member", "name": {"en_US": "Party member", "zh_CN": "党员"}, "description": "Of the Party"},
        {"code": "loan", "name": "Borrower"},
    ],
    "properties": [
        {
            "name": "housing",
            "string": {"en_US": "Lives", "zh_CN": "居住"},
            "type": "selection",
            "selection": [["on", "On campus"], ["off", {"en_US": "Off campus", "zh_CN": "校外"}]],
        },
    ],
    "feeds": [
        {
            "key": "library",
            "name": "Library system",
            "unit": {"en_US": "books", "zh_CN": "本"},
            "every": 60,
            "silent_after": 12,
        }
    ],
    "stations": [
        {
            "code": "lib",
            "name": {"en_US": "Library", "zh_CN": "图书馆"},
            "sequence": 5,
            "place": "Hall 1",
            "map_url": "https://example.com/map",
            "opening_hours": "8–12",
            "contact": "Office",
            "phone": "1",
            "instructions": "Bring books.",
            "bulk": ["class", "list"],
            "fast_scan": False,
            "operators": ["c_operator", "c_nobody"],
        },
        {
            "code": "certificates",
            "name": "Certificates",
            "college_desks": {"name": {"en_US": "%s certificates", "zh_CN": "%s证书"}},
        },
        {"code": "college", "name": "College"},
        {"code": "college_geo", "name": "Geology desk", "parent": "college", "colleges": ["GEO"]},
        {"code": "rest", "name": "Other desk", "parent": "college", "colleges": ["RES"]},
    ],
    "steps": [
        {
            "code": "survey",
            "name": "Questionnaire 2026",
            "station": "college",
            "mode": "graduate",
            "is_entry": True,
            "stage": {"en_US": "Before June 2026", "zh_CN": "2026年6月前"},
        },
        {
            "code": "books",
            "name": {"en_US": "Return books", "zh_CN": "归还图书"},
            "station": "lib",
            "mode": "feed",
            "feed": "library",
            "deadline": "2026-06-25 17:00",
            "domain": [],
        },
        {
            "code": "deposit",
            "name": "Deposit",
            "station": "lib",
            "required": False,
            "initial_state": "approved",
            "domain": [["properties.housing", "=", "off"]],
            "to_be_announced": True,
            "office_acts": True,
        },
        {
            "code": "membership",
            "name": "Membership",
            "station": "college",
            "responsible": "Organisation",
            "domain": ["|", ["trait_ids.code", "=", "member"], ["college_id.code", "not in", ["RES"]]],
            "open_from": "2026-06-23 08:30",
            "deferral_months": 24,
            "handout": "A letter",
            "requirements": [
                {
                    "name": {"en_US": "Where to?", "zh_CN": "去哪里?"},
                    "kind": "selection",
                    "choices": [{"en_US": "Home", "zh_CN": "家"}, "Elsewhere"],
                    "help": "One of them",
                },
                {
                    "name": "Signed form",
                    "kind": "file",
                    "required": False,
                    "file_types": "pdf",
                    "file_max_mb": 2,
                    "file_max_count": 1,
                    "template": PDF,
                    "template_name": "form.pdf",
                },
            ],
        },
        {
            "code": "review",
            "name": "Review of the membership",
            "station": "college",
            "prerequisites": ["membership"],
            "continues": "membership",
            "place": "Room 2",
        },
        {"code": "own", "name": "Geology's own", "station": "college_geo", "college": "GEO"},
        {
            "code": "diploma",
            "name": "Diploma",
            "station": "certificates",
            "prerequisites": ["review", "own"],
            "prerequisite_stations": ["lib"],
        },
        {"code": "refund", "name": "Refund", "station": "lib", "active": False},
    ],
    "slots": [
        {
            "colleges": ["GEO"],
            "place": "Hall",
            "from": "2026-06-24 09:00",
            "until": "2026-06-24 12:00",
            "planned_count": 474,
        },
        {"from": "2026-06-24 13:00", "until": "2026-06-24 16:30"},
    ],
    "duties": [{"name": "Report debts", "station": "lib", "with_colleges": True, "deadline": "2026-06-20 12:00"}],
}


class _UndoError(Exception):
    """Leaves a savepoint."""


class ConfigurationCase(TransactionCase):
    """Campuses that have nothing, and a manager of both."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.campus = cls._create_campus("First Campus")
        cls.other = cls._create_campus("Second Campus")
        cls.manager = cls._create_user("c_manager", "group_manager")
        cls.operator = cls._create_user("c_operator")
        cls.env = cls.env(user=cls.manager, context={**cls.env.context, "allowed_company_ids": cls.campus.ids})

    @classmethod
    def _create_campus(cls, name):
        campus = cls.env["res.company"].create({"name": name})
        campus.partner_id.tz = "Asia/Shanghai"
        return campus

    @classmethod
    def _create_user(cls, login, group=None):
        groups = "base.group_user" + (f",graduate_clearance.{group}" if group else "")
        campuses = cls.campus | cls.other
        return new_test_user(
            cls.env(user=SUPERUSER_ID), login, groups=groups, company_id=cls.campus.id, company_ids=campuses.ids
        )

    def setUp(self):
        super().setUp()
        self.document = copy.deepcopy(DOCUMENT)

    def at(self, campus):
        """The environment of the manager on a campus."""
        return self.env(context={**self.env.context, "allowed_company_ids": campus.ids})

    def load(self, document=None, campus=None, **values):
        Session = self.at(campus or self.campus)["clearance.session"]
        return Session._load_configuration(self.document if document is None else document, **values)

    def dump(self, session):
        return self.env["clearance.configuration"]._dump(session._get_configuration())

    def get_problems(self, document=None, **values):
        plan = self.env["clearance.configuration"]._plan(self.document if document is None else document, **values)
        return plan.problems

    def get_step(self, session, code):
        return session.with_context(active_test=False).step_ids.filtered(lambda step: step.code == code)

    def get_station(self, code, campus=None):
        return self.at(campus or self.campus)["clearance.station"].search(
            [("code", "=", code), ("company_id", "=", (campus or self.campus).id)]
        )

    def get_entry(self, section, code):
        return next(entry for entry in self.document[section] if entry["code"] == code)

    def keys(self, findings):
        return {finding["key"] for finding in findings}

    def get_finding(self, findings, key):
        return next(finding for finding in findings if finding["key"] == key)


@tagged("post_install", "-at_install")
class TestLoad(ConfigurationCase):
    def test_session(self):
        session, _findings = self.load()
        self.assertEqual(session.state, "draft")
        self.assertEqual((session.company_id, session.year, session.name), (self.campus, 2026, "2026 undergraduates"))
        self.assertEqual(session.with_context(lang="zh_CN").name, "2026届本科生离校")
        self.assertEqual(session.with_context(lang="zh_CN").instructions, "请阅读。")
        # 8:30 in Shanghai.
        self.assertEqual(session.open_from, utc("2026-06-22 00:30:00"))
        self.assertEqual(session.open_until, utc("2026-06-27 09:00:00"))
        self.assertFalse(session.digest)
        self.assertTrue(session.college_steps)
        self.assertEqual(session.calendar_id, self.campus.resource_calendar_id)
        self.assertEqual(
            session.student_domain, "[('graduation_year', 'in', [2025, 2026]), ('level', '=', 'undergraduate')]"
        )
        self.assertEqual(session.create_uid, self.manager)

    def test_steps(self):
        session, _findings = self.load()
        self.assertEqual(
            session.step_ids.mapped("code"), ["survey", "books", "deposit", "membership", "review", "own", "diploma"]
        )
        books, deposit, membership = (self.get_step(session, code) for code in ("books", "deposit", "membership"))
        self.assertEqual((books.mode, books.station_id.code, books.feed_id.unit), ("feed", "lib", "books"))
        self.assertEqual(books.with_context(lang="zh_CN").name, "归还图书")
        self.assertEqual(books.deadline, utc("2026-06-25 09:00:00"))
        self.assertEqual((deposit.required, deposit.initial_state, deposit.to_be_announced), (False, "approved", True))
        self.assertEqual(
            (membership.responsible, membership.deferral_months, membership.handout), ("Organisation", 24, "A letter")
        )
        self.assertTrue(self.get_step(session, "survey").is_entry)
        self.assertFalse(self.get_step(session, "refund").active)
        self.assertEqual(self.get_step(session, "own").college_id.code, "GEO")
        review, diploma = self.get_step(session, "review"), self.get_step(session, "diploma")
        self.assertEqual(review.continues_id, membership)
        self.assertEqual(diploma.prerequisite_ids.mapped("code"), ["review", "own"])
        self.assertEqual(diploma.prerequisite_station_ids.mapped("code"), ["lib"])
        self.assertLessEqual({"books", "survey"}, set(diploma.blocking_step_ids.mapped("code")))

    def test_requirements(self):
        session, findings = self.load()
        choice, form = self.get_step(session, "membership").requirement_ids
        self.assertEqual((choice.kind, choice.choice_ids.mapped("name")), ("selection", ["Home", "Elsewhere"]))
        chinese = choice.with_context(lang="zh_CN")
        self.assertEqual((chinese.name, chinese.choice_ids.mapped("name")), ("去哪里?", ["家", "Elsewhere"]))
        self.assertEqual((form.kind, form.required, form.file_types), ("file", False, "pdf"))
        self.assertEqual((form.file_max_mb, form.file_max_count, form.template_name), (2, 1, "form.pdf"))
        self.assertEqual(form.with_context(bin_size=False).template.decode(), PDF)
        self.assertEqual(self.get_finding(findings, "forms")["detail"], "Membership")
        self.assertEqual(
            [one["name"] for one in self.get_step(session, "membership").answer_definition], [f"r{choice.id}"]
        )

    def test_stations(self):
        self.load()
        library = self.get_station("lib")
        self.assertEqual(library.with_context(lang="zh_CN").name, "图书馆")
        self.assertEqual((library.sequence, library.place, library.phone), (5, "Hall 1", "1"))
        self.assertEqual(
            (library.bulk_class, library.bulk_room, library.bulk_college, library.bulk_list), (True, False, False, True)
        )
        self.assertFalse(library.fast_scan)
        self.assertEqual(library.operator_ids, self.operator)
        self.assertTrue(self.operator.has_group("graduate_clearance.group_operator"))
        desk = self.get_station("college_geo")
        self.assertEqual((desk.parent_id.code, desk.college_ids.mapped("code")), ("college", ["GEO"]))

    def test_college_desks(self):
        """One for each college of the campus, those of the file and others; none is made twice."""
        self.env["clearance.college"].create({"name": "College of Arts", "code": "ART"})
        self.load()
        desks = self.get_station("certificates").child_ids
        self.assertEqual(set(desks.mapped("code")), {"certificates-ART", "certificates-GEO", "certificates-RES"})
        geology = desks.filtered(lambda desk: desk.code == "certificates-GEO")
        self.assertEqual((geology.name, geology.college_ids.code), ("College of Geology certificates", "GEO"))
        self.assertEqual(geology.with_context(lang="zh_CN").name, "地质学院证书")
        self.load()
        self.assertEqual(self.get_station("certificates").child_ids, desks)

    def test_campus_records(self):
        """Colleges, traits, fields of graduates and source systems, in every language."""
        self.load()
        college = self.env["clearance.college"].search([("code", "=", "GEO")])
        self.assertEqual((college.company_id, college.with_context(lang="zh_CN").name), (self.campus, "地质学院"))
        trait = self.env["clearance.trait"].search([("code", "=", "member"), ("company_id", "=", self.campus.id)])
        self.assertEqual((trait.with_context(lang="zh_CN").name, trait.description), ("党员", "Of the Party"))
        definition = self.env["clearance.settings"]._get(self.campus).student_properties_definition
        self.assertEqual(
            [(one["name"], one["type"], one["selection"]) for one in definition],
            [("housing", "selection", [["on", "On campus"], ["off", "Off campus"]])],
        )
        feed = self.env["clearance.feed"].search([("company_id", "=", self.campus.id)])
        self.assertEqual((feed.name, feed.every, feed.silent_after), ("Library system", 60, 12))
        self.load(campus=self.other)
        self.assertEqual(len(self.env["clearance.college"].sudo().search([("code", "=", "GEO")])), 2)

    def test_properties_merged(self):
        """What a campus has added to its graduates stays, the same name is taken once."""
        settings = self.env["clearance.settings"]._get(self.campus)
        mine = {"name": "mine", "string": "Mine", "type": "char"}
        settings.student_properties_definition = [mine]
        self.load()
        self.load()
        names = [one["name"] for one in settings.student_properties_definition]
        self.assertEqual(names, ["mine", "housing"])
        settings.student_properties_definition = [{"name": "housing", "string": "Housing", "type": "char"}]
        self.assertIn("properties[1] “Lives”", self.get_problems()[0])

    def test_slots_and_duties(self):
        session, _findings = self.load()
        slot, other = session.slot_ids
        self.assertEqual((slot.college_ids.code, slot.planned_count, slot.place), ("GEO", 474, "Hall"))
        self.assertEqual(slot.open_from, utc("2026-06-24 01:00:00"))
        self.assertFalse(other.college_ids)
        duty = session.duty_ids
        self.assertEqual((duty.name, duty.station_id.code, duty.with_colleges), ("Report debts", "lib", True))
        self.assertEqual(duty.deadline, utc("2026-06-20 04:00:00"))

    # -- another year ------------------------------------------------------------------------

    def test_year(self):
        """Names and windows move to the year that is asked for."""
        session, findings = self.load(year=2027)
        self.assertEqual((session.year, session.name), (2027, "2027 undergraduates"))
        self.assertEqual(session.with_context(lang="zh_CN").name, "2027届本科生离校")
        self.assertEqual(session.open_from, utc("2027-06-22 00:30:00"))
        self.assertEqual(self.get_step(session, "survey").stage, "Before June 2027")
        self.assertIn("[2026, 2027]", session.student_domain)
        self.assertIn("session, domain", self.get_finding(findings, "years")["detail"])
        # Names of steps stay, and are told.
        self.assertIn("Questionnaire 2026", self.get_finding(findings, "old_year")["detail"])

    def test_first_day(self):
        session, _findings = self.load(first_day=date(2027, 6, 14))
        self.assertEqual(session.year, 2027)
        self.assertEqual(session.open_from, utc("2027-06-14 00:30:00"))
        self.assertEqual(session.open_until, utc("2027-06-19 09:00:00"))
        self.assertEqual(self.get_step(session, "books").deadline, utc("2027-06-17 09:00:00"))
        self.assertEqual(session.slot_ids[0].open_from, utc("2027-06-16 01:00:00"))
        self.assertEqual(session.duty_ids.deadline, utc("2027-06-12 04:00:00"))

    def test_daylight_saving(self):
        """The time of day stays, whatever the clock does in between."""
        self.campus.sudo().partner_id.tz = self.document["timezone"] = "Europe/Berlin"
        self.document["session"].update(open_from="2026-03-20 08:00", open_until="2026-04-10 17:00")
        self.document["slots"] = self.document["duties"] = []
        for entry in self.document["steps"]:
            entry.pop("deadline", None)
            entry.pop("open_from", None)
        session, _findings = self.load(first_day=date(2027, 3, 29))
        self.assertEqual(session.open_from, utc("2027-03-29 06:00:00"))  # winter time became summer time
        self.assertEqual(session.open_until, utc("2027-04-19 15:00:00"))

    def test_leap_day(self):
        self.document["session"].update(year=2028, open_from="2028-02-29 08:00", open_until="2028-06-27 17:00")
        self.document["steps"] = [{"code": "a", "name": "A", "station": "lib"}]
        self.document["slots"] = self.document["duties"] = []
        session, _findings = self.load(year=2029)
        self.assertEqual(session.open_from, utc("2029-02-28 00:00:00"))

    def test_name(self):
        session, _findings = self.load(name="  Mine ")
        self.assertEqual((session.name, session.with_context(lang="zh_CN").name), ("Mine", "Mine"))

    def test_year_out_of_reach(self):
        for year in (-5, 1, 9999, 10**9):
            self.assertIn("must lie between", "".join(self.get_problems(year=year)))
        self.assertIn("must lie between", "".join(self.get_problems(first_day=date(9999, 12, 31))))

    # -- filters -----------------------------------------------------------------------------

    def get_domain(self, domain, **values):
        self.get_entry("steps", "books")["domain"] = domain
        session, findings = self.load(**values)
        return self.get_step(session, "books").student_domain, findings

    def test_college_step_at_a_desk_of_the_campus(self):
        college = self.env["clearance.station"].create({"name": "College", "code": "college"})
        self.env["clearance.station"].create({"name": "Mine", "code": "college_geo", "parent_id": college.id})
        problems = self.get_problems()
        self.assertEqual(len(problems), 1)
        self.assertIn("steps[6] “Geology's own”: a step of a college needs a desk of this college alone", problems[0])

    def test_domain_codes(self):
        """Codes become records, which the domain builder shows in words."""
        text, _findings = self.get_domain(["|", ["trait_ids.code", "=", "member"], ["college_id.code", "!=", "RES"]])
        trait = self.env["clearance.trait"].search([("code", "=", "member"), ("company_id", "=", self.campus.id)])
        college = self.env["clearance.college"].search([("code", "=", "RES")])
        self.assertEqual(text, f"['|', ('trait_ids', 'in', [{trait.id}]), ('college_id', 'not in', [{college.id}])]")

    def test_domain_negation(self):
        """“Not in” a trait means without it, as people mean it."""
        text, _findings = self.get_domain([["trait_ids.code", "not in", ["member", "loan"]]])
        traits = self.env["clearance.trait"].search([("company_id", "=", self.campus.id)], order="code desc")
        self.assertEqual(text, f"[('trait_ids', 'not in', [{traits[0].id}, {traits[1].id}])]")
        student = self.env["clearance.student"].create(
            {"student_number": "C1", "name": "C", "trait_ids": [Command.set(traits[0].ids)]}
        )
        self.assertFalse(student.filtered_domain([("trait_ids", "not in", traits.ids)]))

    def test_domain_nested(self):
        text, _findings = self.get_domain(
            [["class_id", "any", [["college_id.code", "in", ["GEO"]], ["name", "ilike", "1"]]]]
        )
        college = self.env["clearance.college"].search([("code", "=", "GEO")])
        self.assertEqual(text, f"[('class_id', 'any', [('college_id', 'in', [{college.id}]), ('name', 'ilike', '1')])]")

    def test_domain_references(self):
        college = self.env["clearance.college"].create({"code": "GEO", "name": "Geology"})
        class_ = self.env["clearance.class"].create({"name": "G/1", "college_id": college.id})
        north = self.env["clearance.room"].create({"name": "North", "kind": "campus"})
        building = self.env["clearance.room"].create({"name": "3", "kind": "building", "parent_id": north.id})
        text, _findings = self.get_domain(
            [
                ["class_id", "in", [{"ref": ["clearance.class", "GEO/G/1"]}]],
                ["room_id", "child_of", {"ref": ["clearance.room", "North/3"]}],
            ]
        )
        self.assertEqual(text, f"[('class_id', 'in', [{class_.id}]), ('room_id', 'child_of', {building.id})]")

    def test_domain_problems(self):
        for domain, words in (
            ([["no_such_field", "=", 1]], "no_such_field"),
            ([["college_id.no_such_field", "=", 1]], "no_such_field"),
            ([["properties.unknown", "=", 1]], "unknown"),
            ([["trait_ids.code", "=", "nothing"]], "nothing"),
            ([["college_id.code", "in", ["GEO", "XXX"]]], "XXX"),
            ([["college_id", "=", 3]], "means nothing in another database"),
            ([["id", "in", [1, 2]]], "means nothing in another database"),
            ([["class_id", "=", {"ref": ["clearance.class", "GEO/none"]}]], "GEO/none"),
            ([["class_id", "=", {"ref": ["res.users", "c_manager"]}]], "c_manager"),
            ([["name", "=", {"ref": ["clearance.class", "GEO/none"]}]], "refers to records"),
            ([["graduation_year", "=", "abc"]], "domain"),
            ([["trait_ids", "any", 3]], "list of conditions"),
            ([["name", "any", [["a", "=", 1]]]], "name"),
            (["&", ["name", "=", "a"]], "lacks a condition"),
            (["!"], "lacks a condition"),
            ([["name", "~", "a"]], "comparison"),
            ([["name", "="]], "comparison"),
            ([[1, 2, 3]], "field"),
            (["name"], "condition"),
            ([["name", "=", {"a": 1}]], "value"),
            ([["name", "in", [["a"]]]], "value"),
            ([["graduation_year", "=", 10**12]], "value"),
            ([["name", "=", "a\x00"]], "value"),
            ({"a": 1}, "list of conditions"),
        ):
            with self.subTest(domain=domain):
                self.get_entry("steps", "books")["domain"] = domain
                problems = self.get_problems()
                self.assertTrue(problems)
                self.assertIn("steps[2] “Return books”, domain", problems[0])
                self.assertIn(words, problems[0])

    # -- what is there already ---------------------------------------------------------------

    def test_matched_by_code(self):
        mine = self.env["clearance.station"].create({"name": "My Library", "code": "lib", "place": "Hall 9"})
        _session, findings = self.load()
        self.assertEqual((mine.name, mine.place, mine.sequence), ("My Library", "Hall 9", 10))
        self.assertFalse(mine.operator_ids)
        detail = self.get_finding(findings, "stations")["detail"]
        for label in ("My Library", "Name", "Place", "Operators"):
            self.assertIn(label, detail)

    def test_matched_by_name(self):
        """By name in any language, below the same station only."""
        library = self.env["clearance.station"].with_context(lang="zh_CN").create({"name": "图书馆"})
        college = self.env["clearance.station"].create({"name": "College"})
        desk = self.env["clearance.station"].create({"name": "Other desk", "parent_id": college.id})
        stranger = self.env["clearance.station"].create({"name": "Geology desk"})
        session, _findings = self.load()
        self.assertEqual(self.get_step(session, "books").station_id, library)
        self.assertEqual(self.get_step(session, "membership").station_id, college)
        self.assertIn(desk, college.child_ids)
        self.assertEqual(len(college.child_ids), 2)
        self.assertNotIn(stranger, college.child_ids)

    def test_matched_by_scope(self):
        """A desk of the same station that takes the same graduates is the same desk."""
        geology = self.env["clearance.college"].create({"name": "Geology", "code": "GEO"})
        college = self.env["clearance.station"].create({"name": "College", "code": "college"})
        desk = self.env["clearance.station"].create(
            {"name": "Own name", "parent_id": college.id, "college_ids": [Command.set(geology.ids)]}
        )
        session, findings = self.load()
        self.assertEqual(self.get_step(session, "own").station_id, desk)
        self.assertIn("Own name: Name", self.get_finding(findings, "stations")["detail"])

    def test_matched_records(self):
        college = self.env["clearance.college"].create({"name": "College of Geology"})
        shared = self.env["clearance.trait"].create({"name": "Shared", "code": "member", "company_id": False})
        feed = self.env["clearance.feed"].create({"name": "Library system"})
        session, _findings = self.load()
        self.assertEqual(self.get_station("college_geo").college_ids, college)
        self.assertFalse(college.code)
        self.assertIn(f"('trait_ids', 'in', [{shared.id}])", self.get_step(session, "membership").student_domain)
        self.assertEqual(self.get_step(session, "books").feed_id, feed)

    def test_archived_matched(self):
        """What is archived is not made a second time; a code exists once."""
        trait = self.env["clearance.trait"].create({"name": "Member", "code": "member", "active": False})
        station = self.env["clearance.station"].create({"name": "Old", "code": "lib", "active": False})
        session, findings = self.load()
        self.assertIn(f"[{trait.id}]", self.get_step(session, "membership").student_domain)
        self.assertEqual(self.get_step(session, "books").station_id, station)
        self.assertIn("Active", self.get_finding(findings, "stations")["detail"])

    def test_colleges_left_out(self):
        """Without its colleges a desk is left out, a slot too, and a filter is told."""
        self.document["steps"] = [step for step in self.document["steps"] if step["code"] != "own"]
        self.get_entry("steps", "diploma")["prerequisites"] = ["review"]
        self.env["clearance.college"].create({"name": "Geology", "code": "GEO"})
        session, findings = self.load(create_colleges=False)
        self.assertFalse(self.env["clearance.college"].search([("code", "=", "RES")]))
        self.assertFalse(self.get_station("rest"))
        self.assertTrue(self.get_station("college_geo"))
        self.assertEqual(self.get_finding(findings, "colleges")["detail"], "College of Resources")
        self.assertIn("steps[4] “Membership”, domain: RES", self.get_finding(findings, "lost")["detail"])
        self.assertIn("('college_id', 'not in', [])", self.get_step(session, "membership").student_domain)
        self.assertEqual(len(session.slot_ids), 2)

    def test_slot_of_college_left_out(self):
        self.document["steps"] = [{"code": "a", "name": "A", "station": "lib"}]
        session, _findings = self.load(create_colleges=False)
        self.assertEqual(len(session.slot_ids), 1)
        self.assertFalse(session.slot_ids.college_ids)

    def test_step_of_college_left_out(self):
        problems = self.get_problems(create_colleges=False)
        self.assertEqual(len(problems), 1)
        self.assertIn("steps[6] “Geology's own”: belongs to colleges", problems[0])

    def test_operators(self):
        """Only internal people of the campus are named; the others are told."""
        archived = self._create_user("c_archived")
        archived.sudo().active = False
        portal = new_test_user(self.env(su=True), "c_portal", groups="base.group_portal")
        elsewhere = new_test_user(
            self.env(user=SUPERUSER_ID),
            "c_elsewhere",
            groups="base.group_user",
            company_id=self.other.id,
            company_ids=self.other.ids,
        )
        self.get_entry("stations", "lib")["operators"] = ["c_operator", "c_archived", "c_portal", "c_elsewhere", "c_no"]
        _session, findings = self.load()
        self.assertEqual(self.get_station("lib").with_context(active_test=False).operator_ids, self.operator)
        detail = self.get_finding(findings, "operators")["detail"].splitlines()
        self.assertEqual(len(detail), 4)
        self.assertIn("c_archived: is archived.", detail)
        self.assertIn("c_no: there is no such user.", detail)
        for user in (portal, elsewhere):
            self.assertIn(f"{user.login}: does not work on this campus.", detail)
            self.assertFalse(user.has_group("graduate_clearance.group_operator"))

    # -- findings ------------------------------------------------------------------------------

    def test_findings(self):
        session, findings = self.load(year=2027)
        self.assertLessEqual({"days", "old_year", "years", "unstaffed", "operators", "forms"}, self.keys(findings))
        for finding in findings:
            self.assertEqual(set(finding), {"key", "level", "title", "detail", "action"})
            self.assertIn(finding["level"], ("error", "warning", "info", "ok"))
        # 2027-06-27 is a Sunday, 06-25 a Friday.
        days = self.get_finding(findings, "days")["detail"]
        self.assertIn("The session ends", days)
        self.assertNotIn("Return books", days)
        messages = session.message_ids.filtered(lambda message: "To be checked" in (message.body or ""))
        self.assertEqual(len(messages), 1)
        for finding in findings:
            self.assertIn(finding["title"].replace("’", "’"), messages.body)

    def test_findings_escaped(self):
        self.get_entry("steps", "survey")["name"] = "<img src=x onerror=alert(1)> 2026"
        session, _findings = self.load(year=2027)
        self.assertNotIn("<img", "".join(session.message_ids.mapped("body")))

    def test_timezone_told(self):
        self.campus.sudo().partner_id.tz = "Europe/Berlin"
        _session, findings = self.load()
        self.assertIn("Europe/Berlin", self.get_finding(findings, "timezone")["detail"])
        self.campus.sudo().partner_id.tz = False
        self.document["session"]["name"] = "Again"
        _session, findings = self.load()
        self.assertIn("has no time zone", self.get_finding(findings, "timezone")["detail"])

    # -- access and scale ----------------------------------------------------------------------

    def test_access(self):
        """Whoever may not make sessions loads nothing, whatever the document."""
        for group in (
            "group_operator",
            "group_counsellor",
            "group_college_lead",
            "group_deferral",
            "group_auditor",
            None,
        ):
            user = self._create_user(f"c_user_{group}", group)
            with self.assertRaises(AccessError):
                self.env["clearance.session"].with_user(user)._load_configuration(self.document)
        self.assertFalse(self.get_station("lib"))

    def test_one_transaction(self):
        """An error at the last moment leaves nothing, also for a caller who goes on."""
        Configuration = self.registry["clearance.configuration"]
        with patch.object(Configuration, "_make_duties", side_effect=UserError("late")), self.assertRaises(UserError):
            self.load()
        self.assertFalse(self.env["clearance.session"].search([]))
        self.assertFalse(self.get_station("lib"))
        self.assertFalse(self.env["clearance.college"].search([]))
        self.assertFalse(self.env["clearance.settings"]._get(self.campus).student_properties_definition)

    def test_queries(self):
        """They grow with the document, not with the graduates."""

        def count(year):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.load(year=year)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self.load()  # stations and colleges are there from now on, caches warm
        self.load(year=2027)
        few = count(2028)
        self.env["clearance.student"].create(
            [
                {"student_number": f"C{number:04}", "name": f"C{number}", "graduation_year": 2029}
                for number in range(300)
            ]
        )
        self.assertLessEqual(count(2029), few)


@tagged("post_install", "-at_install")
class TestBadDocument(ConfigurationCase):
    """Each says what and where, all at once; nothing is made."""

    def assert_refused(self, *words):
        with self.assertRaises(UserError) as refused:
            self.load()
        for word in words:
            self.assertIn(word, str(refused.exception))
        self.assertFalse(self.env["clearance.session"].search([]))
        self.assertFalse(self.env["clearance.station"].search([]))
        return str(refused.exception)

    def test_no_configuration(self):
        for self.document in (None, [], "x", 3, {}, {"format": "other"}, {"format": []}):
            self.assert_refused("graduate_clearance")

    def test_version(self):
        for version in (None, 2, "1", True, [1]):
            self.document["version"] = version
            self.assert_refused("version 1")

    def test_every_problem_at_once(self):
        self.document["extra"] = 1
        self.document["session"].pop("name")
        self.document["session"]["open_from"] = "22 June"
        self.get_entry("stations", "lib")["colour"] = "red"
        self.get_entry("steps", "books")["mode"] = "nobody"
        self.document["slots"][0]["planned_count"] = -1
        # What can be read is looked at all the same.
        self.get_entry("steps", "membership")["domain"] = [["no_such_field", "=", 1]]
        self.get_entry("steps", "diploma")["station"] = "nowhere"
        self.get_entry("steps", "membership")["prerequisites"] = ["diploma"]
        self.document["slots"][1]["until"] = "2026-06-24 12:30"
        message = self.assert_refused(
            "“extra” is no key",
            "session: “name” is missing",
            "session, open_from: must be a time such as “2026-06-22 08:30”, not 22 June",
            "stations[1] “Library”: unknown key “colour”",
            "steps[2] “Return books”, mode: must be one of station",
            "slots[1], planned_count: must be a whole number",
            "steps[4] “Membership”, domain: there is no field “no_such_field”",
            "steps[7] “Diploma”, station: there is no station “nowhere”",
            "wait for each other: Membership → Diploma → Review of the membership → Membership",
            "slots[2]: would end (2026-06-24 12:30) before it starts (2026-06-24 13:00)",
        )
        self.assertEqual(message.count("•"), 10)

    def test_unreadable_codes(self):
        """One that cannot be read is told once, not wherever it is named."""
        self.get_entry("stations", "lib")["code"] = 3
        self.document["traits"] = "x"
        message = self.assert_refused("stations[1] “Library”, code: must be a text", "traits: must be a list")
        self.assertEqual(message.count("•"), 2)

    def test_missing_names(self):
        for section in ("colleges", "traits", "feeds", "stations", "steps", "duties"):
            for name in (None, "", "  ", {}, {"en_US": ""}):
                with self.subTest(section=section, name=name):
                    document = copy.deepcopy(DOCUMENT)
                    document[section][0]["name"] = name
                    problems = self.get_problems(document)
                    self.assertTrue(any(f"{section}[1]" in problem and "name" in problem for problem in problems))

    def test_duplicate_codes(self):
        self.get_entry("steps", "deposit")["code"] = "books"
        self.get_entry("stations", "rest")["code"] = "college_geo"
        self.assert_refused(
            "steps[3] “Deposit”: the code “books” is taken by steps[2] “Return books”",
            "stations[5] “Other desk”: the code “college_geo” is taken by stations[4] “Geology desk”",
        )

    def test_unknown_codes(self):
        self.get_entry("steps", "books").update(station="x1", feed="x2")
        self.get_entry("steps", "diploma").update(prerequisites=["x3"], prerequisite_stations=["x4"])
        self.get_entry("steps", "review")["continues"] = "x5"
        self.get_entry("stations", "rest")["parent"] = "x6"
        self.document["duties"][0]["station"] = "x7"
        self.assert_refused(*(f"“x{number}”" for number in range(1, 8)))

    def test_unknown_college(self):
        self.get_entry("stations", "rest")["colleges"] = ["XXX"]
        self.document["slots"][1]["colleges"] = ["YYY"]
        self.assert_refused("stations[5] “Other desk”, colleges", "XXX", "slots[2], colleges", "YYY")

    def test_unknown_places(self):
        self.get_entry("stations", "rest").update(classes=["GEO/9"], rooms=["North/9"])
        self.assert_refused("stations[5] “Other desk”, classes", "GEO/9", "rooms", "North/9")

    def test_cycle(self):
        self.get_entry("steps", "membership")["prerequisites"] = ["diploma"]
        self.assert_refused("wait for each other", "Membership → Diploma → Review of the membership → Membership")

    def test_cycle_by_station(self):
        self.get_entry("steps", "books")["prerequisites"] = ["diploma"]
        self.assert_refused("wait for each other", "Return books", "Diploma")

    def test_cycle_by_entry(self):
        self.get_entry("steps", "survey")["prerequisites"] = ["books"]
        self.assert_refused("wait for each other", "Questionnaire 2026")

    def test_waits_for_itself(self):
        self.get_entry("steps", "own")["prerequisites"] = ["own"]
        self.assert_refused("Geology's own → Geology's own")

    def test_station_circle(self):
        self.get_entry("stations", "college")["parent"] = "college_geo"
        self.assert_refused("stations[3] “College”: belongs to itself")

    def test_continues(self):
        self.get_entry("steps", "review")["prerequisites"] = []
        self.assert_refused("steps[5] “Review of the membership”, continues", "has to come before")
        self.get_entry("steps", "review").update(continues="books", prerequisites=["books"])
        self.assert_refused("is settled by a source system")
        self.get_entry("steps", "review").update(continues="review", prerequisites=[])
        self.assert_refused("goes on with itself")

    def test_windows(self):
        self.document["session"]["open_until"] = "2026-06-22 08:30"
        self.document["slots"][0]["until"] = "2026-06-24 08:00"
        self.get_entry("steps", "membership")["deadline"] = "2026-06-22 09:00"
        self.assert_refused(
            "session: would end (2026-06-22 08:30) before it starts",
            "slots[1]: would end (2026-06-24 08:00) before it starts (2026-06-24 09:00)",
            "steps[4] “Membership”: would end",
        )

    def test_step_outside_session(self):
        self.get_entry("steps", "books")["deadline"] = "2026-07-25 17:00"
        self.assert_refused("steps[2] “Return books”, deadline: 2026-07-25 17:00 lies outside the window")

    def test_same_scope(self):
        self.get_entry("stations", "rest")["colleges"] = ["GEO"]
        self.assert_refused("stations[5] “Other desk”: takes the same graduates as stations[4] “Geology desk”")

    def test_same_scope_as_on_the_campus(self):
        geology = self.env["clearance.college"].create({"name": "Geology", "code": "GEO"})
        college = self.env["clearance.station"].create({"name": "College", "code": "college"})
        Station = self.env["clearance.station"]
        Station.create({"name": "Mine", "parent_id": college.id, "college_ids": [Command.set(geology.ids)]})
        Station.create({"name": "Geology desk", "code": "college_geo"})
        self.get_entry("stations", "rest")["colleges"] = ["GEO"]
        self.get_entry("stations", "college_geo").update(colleges=["RES"])
        self.get_entry("steps", "own")["station"] = "rest"
        plan = self.env["clearance.configuration"]._plan(self.document)
        # The desk on the campus is taken for the one of the file that takes the same graduates.
        self.assertEqual(plan.stations["rest"].name, "Mine")

    def test_step_of_a_college(self):
        self.get_entry("steps", "own")["station"] = "lib"
        self.assert_refused("steps[6] “Geology's own”: a step of a college needs a desk of this college alone")

    def test_questions(self):
        questions = self.get_entry("steps", "membership")["requirements"]
        questions[0]["choices"] = []
        questions[1].update(file_max_mb=0, template="no base64!", file_types="exe")
        questions.append({"name": "Text", "kind": "char", "choices": ["a"], "file_max_count": 2})
        self.get_entry("steps", "books")["requirements"] = [{"name": "What?"}]
        message = self.assert_refused(
            "requirements[1] “Where to?”: needs choices",
            "requirements[2] “Signed form”, template: must be a file in base64",
            "requirements[2] “Signed form”, file_max_mb",
            "requirements[2] “Signed form”, file_types",
            "requirements[3] “Text”: only a question of the kind “selection” has choices",
        )
        self.assertIn("steps[4] “Membership”", message)

    def test_question_of_a_source_system(self):
        self.get_entry("steps", "books")["requirements"] = [{"name": "What?"}]
        self.assert_refused("steps[2] “Return books”: a step that a source system settles")

    def test_addresses(self):
        self.get_entry("stations", "lib")["map_url"] = "javascript:alert(1)"
        self.assert_refused("stations[1] “Library”, map_url")

    def test_texts(self):
        for name in ("a\x00b", "\ud800", "x" * 60_000, {"english": 3}, {"en_US": ["a"]}, {"": "a"}):
            document = copy.deepcopy(DOCUMENT)
            document["session"]["name"] = name
            self.assertTrue(self.get_problems(document), name)

    def test_no_steps(self):
        self.document["steps"] = []
        self.assert_refused("at least one step")

    def test_too_many(self):
        self.document["steps"] = [{"code": str(n), "name": "S", "station": "lib"} for n in range(301)]
        self.assert_refused("steps: has 301 entries, at most 300")

    def test_most_problems(self):
        """A hopeless file does not fill the screen."""
        self.document["stations"] = [{"nonsense": n} for n in range(500)]
        message = self.assert_refused("more.")
        self.assertLess(message.count("\n"), 110)

    def test_long_chain(self):
        """As many steps as are read, one after the other."""
        self.document["steps"] = [
            {"code": f"s{n}", "name": f"S{n}", "station": "lib", "prerequisites": [f"s{n + 1}"] if n < 299 else []}
            for n in range(300)
        ]
        self.assertFalse(self.get_problems())

    def test_any_json(self):
        """Whatever stands wherever: a message or a session, never a traceback."""
        values = [None, True, -1, 10**30, "x", "a\x00", [], ["x"], [[]], {}, {"x": 1}, [{"ref": 1}]]
        tried = set()
        for path in self._get_paths(DOCUMENT):
            # The same key of several steps is read in the same way.
            kind = tuple("*" if isinstance(key, int) else key for key in path)
            if kind in tried:
                continue
            tried.add(kind)
            for value in values:
                with self.subTest(path=path, value=value):
                    problems = self.get_problems(self._replace(path, value))
                    self.assertTrue(all(isinstance(problem, str) for problem in problems))
        self.assertGreater(len(tried), 120)

    def _replace(self, path, value=None):
        """The document with another value at a path, or without it."""
        document = copy.deepcopy(DOCUMENT)
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return document

    def test_absent_keys_load(self):
        """What the check lets through can be made, whatever key is absent."""
        tried = 0
        for path in self._get_paths(DOCUMENT):
            if len(path) > 3 or isinstance(path[-1], int):
                continue
            document = self._replace(path)
            if self.get_problems(document):
                continue
            with self.subTest(path=path), self.assertRaises(_UndoError), self.env.cr.savepoint():
                session, _findings = self.load(document)
                self.assertTrue(session._get_configuration())
                raise _UndoError
            tried += 1
        self.assertGreater(tried, 40)

    def _get_paths(self, value, path=()):
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in items:
            yield (*path, key)
            yield from self._get_paths(part, (*path, key))


@tagged("post_install", "-at_install")
class TestFile(ConfigurationCase):
    def parse(self, content):
        return self.env["clearance.configuration"]._parse(content)

    def test_parse(self):
        self.assertEqual(self.parse(b'\xef\xbb\xbf{"a": 1}'), {"a": 1})

    def test_not_json(self):
        for content, words in (
            (b"", "line 1, column 1"),
            (b"{'a': 1}", "no JSON"),
            (b'{"a": 1,\n}', "line"),
            (b"\xff\xfe\x00", "UTF-8"),
            (b"PK\x03\x04", "no JSON"),
            (b'{"a": NaN}', "NaN"),
            (b'{"a": 1, "a": 2}', "twice"),
            (b"[" * 200_000, "cannot be read"),
            (b'{"a": ' + b"9" * 10_000 + b"}", "cannot be read"),
        ):
            with self.subTest(content=content[:20]), self.assertRaisesRegex(UserError, words):
                self.parse(content)

    def test_too_large(self):
        with patch.object(clearance_configuration, "MOST_BYTES", 100), self.assertRaisesRegex(UserError, "larger"):
            self.parse(b" " * 101)

    def test_dump(self):
        text = self.env["clearance.configuration"]._dump({"b": "学", "a": [1]}).decode()
        self.assertEqual(text, '{\n    "b": "学",\n    "a": [\n        1\n    ]\n}\n')


@tagged("post_install", "-at_install")
class TestExport(ConfigurationCase):
    def test_round_trip(self):
        """Export, load on another campus, export again: equal byte for byte."""
        first, _findings = self.load()
        exported = self.dump(first)
        second, findings = self.load(json.loads(exported), campus=self.other)
        self.assertEqual(self.dump(second), exported)
        self.assertEqual(self.dump(first), exported)
        self.assertNotIn("stations", self.keys(findings))
        self.assertEqual(second.company_id, self.other)
        self.assertFalse(first.step_ids.station_id & second.step_ids.station_id)

    def test_loaded_again_on_the_same_campus(self):
        """Everything is found: nothing is made but the session."""
        first, _findings = self.load()
        stations = self.env["clearance.station"].search([])
        second, findings = self.load(first._get_configuration())
        self.assertEqual(self.env["clearance.station"].search([]), stations)
        self.assertNotIn("stations", self.keys(findings))
        self.assertEqual(self.dump(first), self.dump(second))

    def test_language_of_the_user(self):
        session, _findings = self.load()
        exported = self.dump(session)
        self.assertEqual(self.dump(session.with_context(lang="zh_CN", active_test=False)), exported)
        self.assertIn("归还图书", exported.decode())

    def test_keys_as_given(self):
        """What was loaded comes out again; keys that say nothing are left out."""
        session, _findings = self.load()
        document = session._get_configuration()
        for section in ("colleges", "traits", "feeds", "slots", "duties"):
            used = [entry for entry in DOCUMENT[section] if entry.get("code") != "loan"]
            if section == "feeds":  # source systems have no code of their own
                used[0] = {**used[0], "key": "library_system"}
            expected = json.loads(json.dumps(used))
            self.assertEqual(document[section], expected, section)
        steps = {step["code"]: step for step in document["steps"]}
        for entry in DOCUMENT["steps"]:
            for key, value in entry.items():
                if key not in ("domain", "requirements", "feed"):
                    self.assertEqual(steps[entry["code"]].get(key, []), value, (entry["code"], key))
        self.assertEqual(steps["membership"]["requirements"][1], DOCUMENT["steps"][3]["requirements"][1])
        self.assertEqual(
            steps["membership"]["domain"],
            ["|", ["trait_ids.code", "in", ["member"]], ["college_id.code", "not in", ["RES"]]],
        )
        self.assertEqual(document["session"]["domain"], DOCUMENT["session"]["domain"])

    def test_domains(self):
        """What people click or write comes back with the same meaning."""
        session, _findings = self.load()
        step = self.get_step(session, "books")
        geology = self.env["clearance.college"].search([("code", "=", "GEO")])
        class_ = self.env["clearance.class"].create({"name": "G1", "college_id": geology.id})
        other_geology = None
        for domain, expected in (
            (f"[('college_id', '=', {geology.id})]", [["college_id.code", "in", ["GEO"]]]),
            (f"[('college_id', 'not in', ({geology.id}, False))]", [["college_id.code", "not in", ["GEO", False]]]),
            ("[('college_id', '=', False)]", [["college_id", "=", False]]),
            ("[('college_id', 'ilike', 'Geo')]", [["college_id", "ilike", "Geo"]]),
            ("[('trait_ids.code', '!=', 'member')]", [["trait_ids", "any", [["code", "!=", "member"]]]]),
            (
                f"['!', ('class_id', 'in', [{class_.id}])]",
                ["!", ["class_id", "in", [{"ref": ["clearance.class", "GEO/G1"]}]]],
            ),
            (f"[('class_id.college_id', '=', {geology.id})]", [["class_id.college_id.code", "in", ["GEO"]]]),
            (
                f"[('class_id', 'any', [('college_id', 'in', [{geology.id}])])]",
                [["class_id", "any", [["college_id.code", "in", ["GEO"]]]]],
            ),
            (f"[('college_id', 'in', [{geology.id}, 999999])]", [["college_id.code", "in", ["GEO"]]]),
            ("[(1, '=', 1)]", [[1, "=", 1]]),
        ):
            with self.subTest(domain=domain):
                step.student_domain = domain
                document = session._get_configuration()
                entry = next(entry for entry in document["steps"] if entry["code"] == "books")
                self.assertEqual(entry["domain"], expected)
                if not other_geology:
                    other_geology = self.at(self.other)["clearance.college"].create(
                        {"code": "GEO", "name": "College of Geology", "company_id": self.other.id}
                    )
                    self.at(self.other)["clearance.class"].create({"name": "G1", "college_id": other_geology.id})
                again, _findings = self.load(document, campus=self.other)
                entries = again._get_configuration()["steps"]
                self.assertEqual(next(one for one in entries if one["code"] == "books")["domain"], expected)

    def test_people_refused(self):
        """A filter that names people has no place in a file."""
        session, _findings = self.load()
        student = self.env["clearance.student"].create({"student_number": "C1", "name": "Somebody"})
        step = self.get_step(session, "books")
        for domain in (
            f"[('id', 'in', [{student.id}])]",
            f"[('supervisor_id', '=', {self.manager.id})]",
            f"[('partner_id', '=', {student.partner_id.id})]",
        ):
            step.student_domain = domain
            with self.assertRaisesRegex(UserError, "Step “Return books”"):
                session._get_configuration()

    def test_no_ids_nor_people(self):
        """Ids, states and names of people stay here; logins of operators go along."""
        session, _findings = self.load()
        self.operator.sudo().name = "Invented Name"
        student = self.env["clearance.student"].create(
            {"student_number": "C900001", "name": "Somebody Else", "graduation_year": 2026}
        )
        session._open()
        self.assertTrue(session.form_ids)
        text = self.dump(session).decode()
        self.assertIn('"c_operator"', text)
        for secret in ("Invented Name", "Somebody Else", student.student_number, "id", "state"):
            self.assertNotIn(f'"{secret}"', text)

    def test_calendar_and_zone(self):
        session, _findings = self.load()
        session.calendar_id = False
        document = session._get_configuration()
        self.assertFalse(document["session"]["working_days"])
        self.assertEqual(document["timezone"], "Asia/Shanghai")


@tagged("post_install", "-at_install")
class TestExportWithoutCodes(ClearanceCommon):
    """A campus that never wrote a code."""

    def test_round_trip(self):
        self.campus.partner_id.tz = "Asia/Shanghai"
        self.loan_trait.code = False
        self.mech.code = self.arts.code = False
        Configuration = self.env["clearance.configuration"]
        exported = Configuration._dump(self.clearance._get_configuration())
        document = json.loads(exported)
        self.assertEqual(
            [step["code"] for step in document["steps"]],
            [
                "return_books",
                "pay_arrears",
                "return_student_card",
                "confirm_loan",
                "deposit_refund",
                "exit_talk",
                "degree_certificate",
                "graduation_certificate",
            ],
        )
        other = self.env["res.company"].create({"name": "Other"})
        other.partner_id.tz = "Asia/Shanghai"
        self.env.user.company_ids += other
        everybody = self.librarian | self.cashier | self.affairs | self.mech_clerk | self.arts_clerk
        everybody.company_ids += other
        Session = self.env(context={**self.env.context, "allowed_company_ids": other.ids})["clearance.session"]
        session, findings = Session._load_configuration(document)
        self.assertEqual(Configuration._dump(session._get_configuration()), exported)
        self.assertNotIn("operators", {finding["key"] for finding in findings})
        desk = session.step_ids.station_id.child_ids.filtered("college_ids")
        self.assertEqual(len(desk), 2)

    def test_same_names(self):
        """Steps and stations of one name get codes of their own."""
        self.deposit.name = self.card.name = "图书"
        codes = [step["code"] for step in self.clearance._get_configuration()["steps"]]
        self.assertEqual(len(set(codes)), len(codes))
        self.assertIn("step", codes)
