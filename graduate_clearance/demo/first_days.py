"""The first days of the demo session, played through the gate like any other decision."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Domain

from . import content
from .papers import make_photo, make_room_photo


class FirstDays:
    """Some steps done, some refused, some waiting: what a desk sees in the first week."""

    #: the first graduates have a story of their own; chance leaves them alone
    _CLEARED, _DEFERRED, _POSTPONED = 1, 2, 3

    def __init__(self, campus):
        self.campus = campus
        self.env = campus.env
        self.rng = campus.rng("first days")
        self.users = {}  # partner -> user, of the graduates who have been on their page
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
        if content.APPLICATIONS[0].key in self.campus.steps:
            self._approve_groups("notice", "class_id", 0.4)
            self._approve_share("destination", 0.5)
        self._submit_some()
        self._tell_own_stories()
        if content.APPLICATIONS[0].key in self.campus.steps:
            self._apply_some()
            self._ask_a_desk()
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
            self._hear_figures(key, statuses - settled)
            owing = self._sample(statuses - settled, 0.3)
            owing._decide("reject", "feed", self.campus.say(owed))

    def _hear_figures(self, key, owing):
        """What the source system says of everybody, ten minutes ago."""
        step = self.campus.steps[key]
        if not step.feed_id:
            return
        heavy = {"books": self.own_story[:1], "arrears": self.own_story[self._DEFERRED : self._DEFERRED + 1]}[key]
        numbers = {status.student_number for status in owing} | set(heavy.mapped("student_number"))
        owed, rows = content.OWED[key], []
        for number, student in enumerate(self.campus.students):
            row = {"student_number": student.student_number, "quantity": 0, "amount": 0}
            if student.student_number in numbers:
                row["quantity" if key == "books" else "amount"] = owed[number % len(owed)]
            rows.append(row)
        step.feed_id._hear(step, rows, fields.Datetime.now() - timedelta(minutes=10))

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

    # -- what graduates send -----------------------------------------------------------

    def _submit_some(self):
        """A few graduates have sent their loan papers from their page; one has sent a bad photo."""
        waiting = self._find("national_loan", [("college_id", "=", self.campus.colleges[:1].id)])[:8]
        students = waiting.form_id.student_id
        users = self.campus._create_users([self.campus.portal_values(student) for student in students])
        self.users = {user.partner_id: user for user in users + self.campus.graduates}
        first = self._get_statuses(self.campus.students[0], "national_loan")
        for status in waiting + first:
            self._send(status, {"repayment": 0}, {"confirmation": self._take_photo()})
        self._decide(waiting[:1], "reject", "desk", self.campus.say(content.LOAN_REJECTED))
        # Sent again before anybody has looked: the desk shows what counts, and folds the other.
        for status in waiting[1:2]:
            self._send(status, {"repayment": 1}, {"confirmation": self._take_photo()})
        self.senders = waiting.form_id.student_id

    def _apply_some(self):
        """Some of the same graduates declare where they go, apply for their check-out, claim a balance."""
        say = self.campus.say
        employed = {"kind": 0, "where": say(content.EMPLOYER), "city": say(content.CITY)}
        first = self.campus.students[:1]
        self._send_for(first, "destination", {**employed, "city": say(content.NO_CITY)})
        declared = self._get_statuses(first, "destination").filtered(lambda status: status.state == "submitted")
        self._decide(declared, "reject", "desk", say(content.NO_CITY_REJECTED))
        leaving = fields.Date.to_string(fields.Date.context_today(self.campus.company) + timedelta(days=4))
        checkout = {"leaving": leaving, "keys": 1, "pledge": True}
        for number, student in enumerate(self.senders):
            self._send_for(student, "destination", {**employed, "kind": number % 3})
            self._send_for(student, "inventory", checkout, {"photo": self._take_room_photo()} if number % 2 else {})
            if number < 3:
                self._send_for(student, "refund", {"bank": number, "account": content.ACCOUNT % (number + 1)})
                application = {"application": self._take_photo(content.STAY_FORM)}
                self._send_for(student, "stay", {"years": 1, "reason": say(content.STAY_REASON)}, application)

    def _send_for(self, student, key, answers, files=None):
        """Send what a step asks for, where the student has it and nobody has decided."""
        status = self._get_statuses(student, key).filtered(lambda status: status.state in ("pending", "optional"))
        if status:
            self._send(status, answers, files or {})

    def _send(self, status, answers, files):
        """Send as the graduate; choices by their rank, files as pairs of name and content."""
        user = self.users[status.form_id.partner_id]
        key = next(key for key, step in self.campus.steps.items() if step == status.step_id)
        asks = {ask: requirement for (step, ask), requirement in self.campus.asks.items() if step == key}
        typed = {}
        for ask, value in answers.items():
            choices = asks[ask].choice_ids.sorted("sequence")
            typed[asks[ask].id] = choices[value].id if choices else value
        papers = {asks[ask].id: [file] for ask, file in files.items()}
        self.env["clearance.submission"].with_user(user)._submit(status.with_user(user), typed, papers)

    def _take_photo(self, title=content.LOAN_PHOTO):
        return f"{self.campus.say(title)}.png", make_photo(self.rng)

    def _take_room_photo(self):
        return f"{self.campus.say(content.ROOM_PHOTO)}.jpg", make_room_photo(self.rng)

    def _ask_a_desk(self):
        """The first graduate has asked a desk something, and has been answered."""
        status = self._get_statuses(self.campus.students[0], "card")
        if not status:
            return
        # Nothing leaves the demo: the mail about the answer is thrown away.
        user = self.users[status.form_id.partner_id]
        quiet = {"mail_notify_force_send": False}
        Inquiry = self.env["clearance.inquiry"].with_user(user).with_context(**quiet)
        inquiry = Inquiry._ask(status.with_user(user), self.campus.say(content.QUESTION))
        inquiry.with_user(status.station_id.operator_ids[:1]).with_context(**quiet).message_post(
            body=self.campus.say(content.ANSWER), message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.env["mail.mail"].search([("model", "=", inquiry._name), ("res_id", "=", inquiry.id)]).unlink()

    # -- single graduates --------------------------------------------------------------

    def _get_statuses(self, student, *keys):
        steps = [self.campus.steps[key].id for key in keys]
        return self.env["clearance.status"].search([("form_id.student_id", "=", student.id), ("step_id", "in", steps)])

    def _settle(self, student, but=()):
        """Take a graduate through all stations; ``but`` leaves steps out."""
        for plan in (*content.APPLICATIONS, *content.STEPS):
            if plan.key in self.campus.steps and plan.key not in but:
                status = self._get_statuses(student, plan.key).filtered("is_open")
                if plan.mode == "graduate":
                    user = self.users[student.partner_id]
                    status.with_user(user)._decide("approve", "portal")
                elif plan.mode == "feed":
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
