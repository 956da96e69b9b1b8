"""The first days of the demo session, played through the gate like any other decision."""

from odoo.fields import Domain

from . import content


class FirstDays:
    """Some steps done, some refused, some waiting: what a desk sees in the first week."""

    #: the first graduates have a story of their own; chance leaves them alone
    _CLEARED, _DEFERRED, _POSTPONED = 1, 2, 3

    def __init__(self, campus):
        self.campus = campus
        self.env = campus.env
        self.rng = campus.rng("first days")
        self.own_story = campus.students[:4]

    def play(self):
        """Take the decisions of three days."""
        self._hear_source_systems()
        self._approve_share("origin_loan", 0.6)
        self._approve_share("national_loan", 0.3)
        self._approve_share("switch", 0.4)
        self._approve_groups("card", "class_id", 0.4)
        self._approve_groups("membership", "class_id", 0.35)
        self._approve_groups("equipment", "class_id", 0.3)
        self._approve_groups("electricity", "room_id", 0.35)
        self._approve_groups("inventory", "room_id", 0.2)
        self._approve_share("deposit", 0.1)
        self._reject_some()
        self._submit_some()
        self._tell_own_stories()
        forms = self.env["clearance.form"].search([("session_id", "=", self.campus.session.id)])
        # Whoever made the campus sees it settled, also before the commit.
        forms._settle()

    # -- what happens at the desks ---------------------------------------------------

    def _find(self, key, domain=()):
        """Open statuses of a step, of graduates without a story of their own."""
        return self.env["clearance.status"].search(
            Domain("step_id", "=", self.campus.steps[key].id)
            & Domain("state", "in", ("pending", "optional"))
            & Domain("form_id.student_id", "not in", self.own_story.ids)
            & Domain(list(domain))
        )

    def _decide(self, statuses, decision="approve", door="list", reason=None):
        """Let the operators of the stations decide, each on their own."""
        for station, own in statuses.grouped("station_id").items():
            own.with_user(station.operator_ids[:1])._decide(decision, door, reason)

    def _sample(self, records, share):
        return records.browse(sorted(self.rng.sample(records.ids, round(len(records) * share))))

    def _hear_source_systems(self):
        """18 of 28 owe no book, most owe no money; some of the others hear why not."""
        for key, share, owed in (
            ("books", 18 / 28, content.BOOKS_OWED),
            ("arrears", 0.88, content.ARREARS_OWED),
        ):
            statuses = self._find(key)
            settled = self._sample(statuses, share)
            settled._decide("approve", "feed")
            owing = self._sample(statuses - settled, 0.3)
            owing._decide("reject", "feed", self.campus.say(owed))

    def _approve_share(self, key, share):
        self._decide(self._sample(self._find(key), share))

    def _approve_groups(self, key, field, share):
        """Confirm by class or by room; now and then somebody is left out."""
        groups = self._find(key).grouped(field)
        groups.pop(self.env["clearance.status"][field], None)
        chosen = self.env["clearance.status"]
        for group in self.rng.sample(list(groups), min(len(groups), 1 + round(len(groups) * share))):
            chosen |= self._sample(groups[group], 0.9 if len(groups[group]) > 4 else 1)
        self._decide(chosen, door="batch")

    def _reject_some(self):
        for key, reason in content.REJECTIONS.items():
            statuses = self._find(key)
            some = self._sample(statuses, min(1, max(3, len(statuses) / 50) / (len(statuses) or 1)))
            self._decide(some, "reject", "form", self.campus.say(reason))

    def _submit_some(self):
        """A few graduates have sent their loan papers from the portal."""
        waiting = self._find("national_loan", [("college_id", "=", self.campus.colleges[:1].id)])[:8]
        students = waiting.form_id.student_id
        users = self.campus._create_users([self.campus.portal_values(student) for student in students])
        by_partner = {user.partner_id: user for user in users + self.campus.graduates}
        first = self._get_statuses(self.campus.students[0], "national_loan")
        for status in waiting + first:
            status.with_user(by_partner[status.form_id.partner_id])._decide("submit", "portal")

    # -- single graduates --------------------------------------------------------------

    def _get_statuses(self, student, *keys):
        steps = [self.campus.steps[key].id for key in keys]
        return self.env["clearance.status"].search([("form_id.student_id", "=", student.id), ("step_id", "in", steps)])

    def _settle(self, student, but=()):
        """Take a graduate through all stations; ``but`` leaves steps out."""
        for plan in content.STEPS:
            if plan.key not in but:
                status = self._get_statuses(student, plan.key).filtered("is_open")
                if plan.mode == "feed":
                    status._decide("approve", "feed")
                else:
                    self._decide(status, door="form")

    def _tell_own_stories(self):
        students = self.campus.students
        if len(students) > self._CLEARED:
            self._settle(students[self._CLEARED])
        if len(students) > self._DEFERRED:
            self._defer(students[self._DEFERRED])
        if len(students) > self._POSTPONED:
            students[self._POSTPONED].write(
                {"graduation_state": "postponed", "graduation_note": self.campus.say(content.POSTPONED)}
            )

    def _defer(self, student):
        """Arrears stay open, their restriction is lifted, the certificates are handed out."""
        arrears = self._get_statuses(student, "arrears")
        arrears._decide("reject", "feed", self.campus.say(content.ARREARS_OWED))
        self.env["clearance.override"].with_user(self.campus.people["deferral"]).create(
            {"status_id": arrears.id, "reason": self.campus.say(content.DEFERRAL)}
        )
        self._settle(student, but=("arrears",))
