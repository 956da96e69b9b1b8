import ast

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Date
from odoo.tests import Form, HttpCase, tagged

from .common import ClearanceCommon

#: what the tour types of each step; it leaves most instructions and hints out
TYPED = (
    "name",
    "stage",
    "station",
    "mode",
    "required",
    "prerequisites",
    "prerequisite_stations",
    "deadline",
    "to_be_announced",
    "responsible",
    "contact",
    "phone",
    "handout",
    "feed",
    "deferral_months",
    "continues",
)
ASKED = ("name", "kind", "required", "file_types", "file_max_mb", "file_max_count")


@tagged("post_install", "-at_install")
class TestCampusTour(ClearanceCommon, HttpCase):
    """An administrator builds reference C (Nanjing City) in the browser, from nothing.

    The campus has colleges, classes and graduates, as an import leaves them, and users; no trait
    of its own, no source system, no station, no session.  What the clicks have made is compared
    with what the shipped template makes.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year = Date.today().year + 1
        cls.students.graduation_year = cls.year
        cls.students[-1].graduation_year = cls.year - 1
        cls.students.trait_ids = False
        cls.loan_trait.unlink()
        cls.arts.lead_ids = [Command.link(cls.lead.id)]
        # The third class has no counsellor: one is named where the checklist asks for one.
        cls.class_m2.counsellor_id = cls.counsellor
        for login in ("t_keeper", "t_league", "t_careers", "t_personnel", "t_security"):
            cls._create_user(login)

    @classmethod
    def _create_stations(cls):
        """None: the tour makes them."""

    @classmethod
    def _create_session(cls):
        """None: the tour makes it."""

    def test_from_nothing(self):
        """Traits, source systems, offices, session, steps, order, checklist, simulation, opening."""
        self.start_tour("/odoo/clearance-sessions", "clearance_campus", login=self.manager.login, timeout=600)
        session = self.env["clearance.session"].search([("company_id", "=", self.campus.id)])
        self.assertEqual((session.name, session.state), (f"{self.year} graduates", "open"))
        self._check_stations()
        self._check_as_template(session)
        self._check_forms(session)

    def _check_stations(self):
        """The offices of the notice, with a desk of each college below the college's."""
        stations = self.env["clearance.station"].search([("company_id", "=", self.campus.id)])
        self.assertEqual(
            {station.code: (station.parent_id.code, station.operator_ids.mapped("login")) for station in stations},
            {
                "finance": (False, ["t_cashier"]),
                "library": (False, ["t_librarian"]),
                "counsellor": (False, []),
                "college_office": (False, []),
                "college_office-ME": ("college_office", ["t_mech_clerk"]),
                "college_office-AR": ("college_office", ["t_arts_clerk"]),
                "dormitory": (False, ["t_keeper"]),
                "league": (False, ["t_league"]),
                "employment": (False, ["t_careers"]),
                "organisation": (False, ["t_personnel"]),
                "security": (False, ["t_security"]),
            },
        )

    def _check_as_template(self, session):
        """Step by step what the shipped template would have made on this campus."""
        template = self.env["clearance.template"]._get_by_key("nanjing_city")
        # The browser of a test is in Greenwich, and so is the campus.
        document = {**template._get_document(), "timezone": "UTC"}
        Session = self.env(user=self.manager)["clearance.session"]
        shipped, _findings = Session._load_configuration(document, year=self.year, template=template)
        # Stations, traits and source systems were found: not one more is made.
        self.assertEqual(shipped.step_ids.station_id, session.step_ids.station_id)
        self.assertEqual(shipped.step_ids.feed_id, session.step_ids.feed_id)
        self.assertEqual((shipped.open_from, shipped.open_until), (session.open_from, session.open_until))
        wanted, made = shipped._get_configuration(), session._get_configuration()
        self.assertEqual([step["code"] for step in made["steps"]], [step["code"] for step in wanted["steps"]])
        for step, other in zip(made["steps"], wanted["steps"], strict=True):
            self.assertEqual(self._pick(step, TYPED), self._pick(other, TYPED))
            self.assertEqual(
                [self._pick(asked, ASKED) for asked in step.get("requirements", ())],
                [self._pick(asked, ASKED) for asked in other.get("requirements", ())],
                step["code"],
            )
        for step, other in zip(session.step_ids, shipped.step_ids, strict=True):
            self.assertEqual(self._catch(step), self._catch(other), step.code)
        self.assertEqual(made["duties"], wanted["duties"])

    @staticmethod
    def _pick(entry, keys):
        """Of a part of a document these keys; texts in English, the tour types no other."""
        picked = {key: entry[key] for key in keys if key in entry}
        return {key: value["en_US"] if isinstance(value, dict) else value for key, value in picked.items()}

    def _catch(self, step):
        return self.students.filtered_domain(ast.literal_eval(step.student_domain))

    def _check_forms(self, session):
        """Each graduate has the steps that the notice gives them, at the desk of the own college."""
        always = {"fees", "card_refund", "library", "college_check"}
        check_out = {"checkout_counsellor", "checkout_college", "checkout_keeper"}
        household = {"household_stay", "household"}
        mech, arts = "college_office-ME", "college_office-AR"
        self.assertEqual(
            {form.student_id.student_number: self._get_due(form) for form in session.form_ids},
            {
                "T26000": (always | check_out | {"league", "files"}, mech),
                "T26001": (always | check_out | {"league", "files", "party"} | household, mech),
                "T26002": (always | check_out | {"files"}, mech),
                "T26003": (always | {"files_carried"}, arts),
                "T26004": (always | check_out | {"files"} | household, arts),
            },
        )

    def _get_due(self, form):
        """Codes of the steps of a form, and of the desk of the college's check."""
        statuses = form.status_ids.filtered(lambda status: status.state != "not_required")
        desk = statuses.filtered(lambda status: status.step_id.code == "college_check").station_id
        return set(statuses.step_id.mapped("code")), desk.code


@tagged("post_install", "-at_install")
class TestCollegeDesks(ClearanceCommon):
    """A desk for each college at once, below a station that exists once per college."""

    def test_made_for_colleges_that_have_none(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        law = self.env["clearance.college"].create({"name": "College of Law", "code": "LA"})
        law.with_context(lang="zh_CN").name = "法学院"
        station = self.certificates
        station.code = "certificates"
        station.with_context(lang="zh_CN").name = "证书"
        self.env["clearance.station"].create({"name": "Elsewhere", "code": "certificates-XX"})
        station.with_user(self.manager).action_make_college_desks()
        desk = station.child_ids - self.mech_desk - self.arts_desk
        self.assertEqual((desk.name, desk.code), ("College of Law: Certificates", "certificates-LA"))
        self.assertIn("法学院", desk.with_context(lang="zh_CN").name)
        self.assertIn("证书", desk.with_context(lang="zh_CN").name)
        self.assertEqual((desk.college_ids, desk.company_id), (law, self.campus))
        with self.assertRaisesRegex(UserError, "Every college has a desk of “Certificates”"):
            station.with_user(self.manager).action_make_college_desks()

    def test_a_code_that_is_taken_is_left_out(self):
        self.library.code = "library"
        self.env["clearance.station"].create({"name": "Elsewhere", "code": "library-ME"})
        self.library.with_user(self.manager).action_make_college_desks()
        self.assertEqual(set(self.library.child_ids.mapped("code")), {False, "library-AR"})

    def test_by_managers_only(self):
        for user in (self.lead, self.mech_clerk, self.auditor, self.graduate):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.mech_desk.with_user(user).action_make_college_desks()
        self.assertFalse(self.mech_desk.child_ids)

    def test_a_step_that_goes_on_waits(self):
        """The form adds what a step goes on with to what it waits for, unless that comes before anyway."""
        with Form(self.degree.with_user(self.manager)) as form:
            form.continues_id = self.card  # comes before with its whole station
        self.assertEqual(self.degree.prerequisite_ids, self.books | self.fees)
        with Form(self.loan.with_user(self.manager)) as form:
            form.continues_id = self.talk
        self.assertEqual(self.loan.prerequisite_ids, self.talk)
