"""A small campus shaped like Hunan UST, with one user per role."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests.common import TransactionCase, new_test_user

from odoo.addons.graduate_clearance.models import clearance_session_portal


class ClearanceCommon(TransactionCase):
    """Two colleges, three classes, six graduates; the session is made, not opened.

    Steps and what they wait for (both certificates are handed out by the desk of the
    graduate's own college)::

        library: books (source system) ─┐
        finance: fees (source system) ──┼─► certificates: degree ─► certificates: diploma
        affairs: card, loan (borrowers)─┘
        library: deposit (optional)         counselling: talk (counsellor)

    The session is called ``clearance`` because ``HttpCase`` has a ``session`` of its own.
    Forms settle after the commit, which a test never reaches: here they settle at once.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.classPatch(cls.registry["clearance.form"], "_settle_after_commit", lambda forms: forms._settle())
        # Pages tell of a new text at once, where people wait a second for it.
        cls.classPatch(clearance_session_portal, "KEPT", 0)
        cls.campus = cls.env["res.company"].create({"name": "Test Campus"})
        cls.env.user.company_ids += cls.campus
        cls.env.user.company_id = cls.campus
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.campus.ids))
        cls._create_users()
        cls._create_structure()
        cls._create_stations()
        cls._create_students()
        cls._create_session()

    @classmethod
    def _create_user(cls, login, group=None, **values):
        groups = "base.group_user" + (f",graduate_clearance.{group}" if group else "")
        return new_test_user(
            cls.env, login, groups=groups, company_id=cls.campus.id, company_ids=cls.campus.ids, **values
        )

    @classmethod
    def _create_users(cls):
        cls.manager = cls._create_user("t_manager", "group_manager")
        cls.auditor = cls._create_user("t_auditor", "group_auditor")
        cls.deferral = cls._create_user("t_deferral", "group_deferral")
        # These roles come with being named on a station, class, graduate or college.
        cls.librarian = cls._create_user("t_librarian")
        cls.cashier = cls._create_user("t_cashier")
        cls.affairs = cls._create_user("t_affairs")
        cls.mech_clerk = cls._create_user("t_mech_clerk")
        cls.arts_clerk = cls._create_user("t_arts_clerk")
        cls.counsellor = cls._create_user("t_counsellor")
        cls.supervisor = cls._create_user("t_supervisor")
        cls.lead = cls._create_user("t_lead")
        cls.stranger = cls._create_user("t_stranger")

    @classmethod
    def _create_structure(cls):
        cls.mech, cls.arts = cls.env["clearance.college"].create(
            [
                {"name": "College of Mechanics", "code": "ME", "lead_ids": [Command.link(cls.lead.id)]},
                {"name": "College of Arts", "code": "AR"},
            ]
        )
        cls.class_m1, cls.class_m2, cls.class_a1 = cls.env["clearance.class"].create(
            [
                {"name": "M1", "college_id": cls.mech.id, "counsellor_id": cls.counsellor.id},
                {"name": "M2", "college_id": cls.mech.id},
                {"name": "A1", "college_id": cls.arts.id},
            ]
        )
        Room = cls.env["clearance.room"]
        cls.north = Room.create({"name": "North", "kind": "campus"})
        cls.south = Room.create({"name": "South", "kind": "campus"})
        cls.room_n = Room.create({"name": "0101", "parent_id": cls.north.id})
        cls.room_s = Room.create({"name": "0202", "parent_id": cls.south.id})
        cls.loan_trait = cls.env["clearance.trait"].create({"name": "Loan", "code": "test_loan"})

    @classmethod
    def _create_stations(cls):
        Station = cls.env["clearance.station"]
        cls.library = Station.create(
            {
                "name": "Library",
                "operator_ids": [Command.link(cls.librarian.id)],
                "place": "2nd floor",
                "phone": "0000-1",
            }
        )
        cls.finance = Station.create({"name": "Finance", "operator_ids": [Command.link(cls.cashier.id)]})
        cls.affairs_office = Station.create({"name": "Student Affairs", "operator_ids": [Command.link(cls.affairs.id)]})
        cls.counselling = Station.create({"name": "Counselling"})
        cls.certificates = Station.create({"name": "Certificates", "instructions": "Bring your card."})
        cls.mech_desk, cls.arts_desk = Station.create(
            [
                {
                    "name": f"{college.name} Certificates",
                    "parent_id": cls.certificates.id,
                    "college_ids": [Command.link(college.id)],
                    "operator_ids": [Command.link(clerk.id)],
                }
                for college, clerk in ((cls.mech, cls.mech_clerk), (cls.arts, cls.arts_clerk))
            ]
        )

    @classmethod
    def _create_students(cls):
        classes = [cls.class_m1, cls.class_m1, cls.class_m2, cls.class_a1, cls.class_a1, cls.class_a1]
        cls.students = cls.env["clearance.student"].create(
            [
                {
                    "student_number": f"T26{number:03}",
                    "name": f"Test Graduate {number}",
                    "email": f"t26{number:03}@example.com",
                    "class_id": class_.id,
                    "room_id": (cls.room_n if number % 2 else cls.room_s).id,
                    "graduation_year": 2025 if number == 5 else 2026,
                    "id_number": f"99000019990101{number:03}X",
                    "trait_ids": [Command.link(cls.loan_trait.id)] if number == 0 else [],
                    "supervisor_id": cls.supervisor.id if number == 3 else False,
                }
                for number, class_ in enumerate(classes)
            ]
        )
        cls.graduate = new_test_user(
            cls.env,
            "T26000",
            groups="base.group_portal",
            name="Test Graduate 0",
            partner_id=cls.students[0].partner_id.id,
            company_id=cls.campus.id,
            company_ids=cls.campus.ids,
        )
        cls.other_graduate = new_test_user(
            cls.env,
            "T26001",
            groups="base.group_portal",
            name="Test Graduate 1",
            partner_id=cls.students[1].partner_id.id,
            company_id=cls.campus.id,
            company_ids=cls.campus.ids,
        )

    @classmethod
    def _create_session(cls):
        now = fields.Datetime.now()
        cls.clearance = cls.env["clearance.session"].create(
            {
                "name": "2026 undergraduates",
                "year": 2026,
                "open_from": now - timedelta(days=1),
                "open_until": now + timedelta(days=10),
                "student_domain": "[('student_number', '=like', 'T26%')]",
            }
        )
        cls.books = cls._create_step("Return books", cls.library, mode="feed")
        cls.fees = cls._create_step("Pay arrears", cls.finance, mode="feed")
        cls.card = cls._create_step("Return student card", cls.affairs_office)
        cls.loan = cls._create_step(
            "Confirm loan",
            cls.affairs_office,
            student_domain=f"[('trait_ids', 'in', [{cls.loan_trait.id}])]",
        )
        cls.deposit = cls._create_step("Deposit refund", cls.library, required=False)
        cls.talk = cls._create_step("Exit talk", cls.counselling, mode="counsellor")
        cls.degree = cls._create_step(
            "Degree certificate",
            cls.certificates,
            prerequisite_ids=[Command.set((cls.books | cls.fees).ids)],
            prerequisite_station_ids=[Command.set(cls.affairs_office.ids)],
        )
        cls.diploma = cls._create_step(
            "Graduation certificate", cls.certificates, prerequisite_ids=[Command.set(cls.degree.ids)]
        )

    @classmethod
    def _create_step(cls, name, station, **values):
        return cls.env["clearance.step"].create(
            {
                "name": name,
                "session_id": cls.clearance.id,
                "station_id": station.id,
                "sequence": 10 * (len(cls.clearance.step_ids) + 1),
                **values,
            }
        )

    @classmethod
    def open_session(cls):
        """Open the session and return its forms in the order of ``students``."""
        cls.clearance._open()
        forms = cls.env["clearance.form"].search([("session_id", "=", cls.clearance.id)])
        return forms.sorted(lambda form: form.student_id.student_number)

    def status(self, student, step, user=None):
        """The status of a graduate's step, as ``user`` where given."""
        status = (
            self.env["clearance.status"]
            .with_context(active_test=False)
            .search([("form_id.student_id", "=", student.id), ("step_id", "=", step.id)])
        )
        return status.with_user(user) if user else status

    def statuses(self, step, user=None):
        """All statuses of a step, in the order of ``students``."""
        found = self.env["clearance.status"].search([("step_id", "=", step.id)])
        found = found.sorted(lambda status: status.student_number)
        return found.with_user(user) if user else found

    def decide(self, statuses, decision, reason=None, door="api"):
        """Codes of the outcomes of a decision."""
        return [outcome.code for outcome in statuses._decide(decision, door, reason)]

    def send(self, student, step):
        """Have something sent for a graduate's step, without deciding on it; see ``clearance.submission``."""
        return self.env["clearance.submission"].create({"status_id": self.status(student, step).id, "state": "sent"})

    def settle_steps(self, *steps, students=None):
        """Settle steps as source system and manager, whoever had to do it."""
        for step in steps:
            statuses = self.statuses(step)
            if students is not None:
                statuses = statuses.filtered(lambda status: status.student_id in students)
            door = "feed" if step.mode == "feed" else "api"
            statuses.filtered("is_open")._decide("approve", door)
