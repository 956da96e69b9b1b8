"""A whole campaign of Hunan UST's undergraduates, played through the gate to the last one."""

import time
from collections import Counter
from typing import NamedTuple

from odoo.tools import split_every

from . import campaign_figures as figures

#: as an operator reads it when nothing of a graduate is settled yet
_OPEN_AT_FIRST = [
    "{college}: desk: Transfer Party or League membership",
    "{college}: desk: Return teaching equipment",
    "Library: Return books",
    "Student Affairs: Return student card",
    "Utilities Centre: Clear electricity bill",
    "Dormitory Centre: Clear room inventory",
    "Finance Office: Pay arrears",
]
_CERTIFICATES = ("degree", "graduation", "registration", "household")


class Chapter(NamedTuple):
    """What a part of the campaign came to."""

    title: str
    calls: int
    done: int
    refused: int
    seconds: float


class Campaign:
    """Everybody clears: each decision is taken by the person whose task it is.

    The campus must have its roster and no open session.  Any step that does not come out
    as the manual says raises an ``AssertionError``.
    """

    def __init__(self, campus, commit=None):
        """Prepare to play.

        :param Campus campus: after ``build_roster``
        :param commit: called after each decision; default: nothing, the caller commits
        """
        self.campus = campus
        self.env = campus.env
        self.session = campus.session
        self.commit = commit or self.env.flush_all
        self.rng = campus.rng("campaign")
        self.chapters = []
        self.changes = 0  # log lines there must be
        self._calls = Counter()

    def play(self):
        """Play from the opening to the last graduate.

        :return: list of :class:`Chapter`
        """
        self._choose_people()
        for title, act in (
            ("Open the session", self._open),
            ("Certificates before anything is settled: refused", self._refuse_certificates),
            ("Origin loans, approved in bulk beforehand", self._approve_origin_loans),
            ("Library and finance report who owes nothing", self._hear_source_systems),
            ("Student cards, by class", self._collect_cards),
            ("Electricity and inventory, by room", self._clear_rooms),
            ("Membership and equipment, by class", self._clear_colleges),
            ("National loans and switches, one by one", self._clear_loans_and_switches),
            ("Library and finance report the rest", self._hear_the_rest),
            ("One deferral", self._defer_one),
            ("A withheld certificate", self._hand_out_withheld),
            ("Certificates, by class", self._hand_out_certificates),
            ("A mistake is taken back and put right", self._correct_one),
            ("The deferred arrears are paid", self._pay_deferred),
        ):
            self._run(title, act)
        self._check_end()
        return self.chapters

    # -- the machinery -----------------------------------------------------------------

    def _run(self, title, act):
        self._calls.clear()
        start = time.monotonic()
        act()
        seconds = time.monotonic() - start
        calls = self._calls
        self.chapters.append(Chapter(title, calls["calls"], calls["done"], calls["refused"], seconds))
        self._check_figures(title)

    def _decide(self, statuses, user=None, decision="approve", door="batch", reason=None):
        """Take a decision as ``user``, or as source system; answer the codes."""
        statuses = statuses.with_user(user) if user else statuses
        outcomes = statuses._decide(decision, door if user else "feed", reason)
        codes = Counter(outcome.code for outcome in outcomes)
        self._calls.update(calls=1, done=codes["done"], refused=len(outcomes) - codes["done"])
        self.changes += codes["done"]
        self.commit()
        return codes

    def _approve(self, statuses, user=None, door="batch"):
        """Approve all of these, or fail."""
        codes = self._decide(statuses, user, door=door)
        figures.expect(codes, {"done": len(statuses)} if statuses else {}, "approvals")

    def _find(self, *keys, user=None, domain=()):
        """Open statuses of steps, as far as ``user`` sees them."""
        Status = self.env["clearance.status"]
        Status = Status.with_user(user) if user else Status
        steps = [self.campus.steps[key].id for key in keys]
        return Status.search([("step_id", "in", steps), ("is_open", "=", True), *domain])

    def _find_of(self, student, *keys):
        return self._find(*keys, domain=[("form_id.student_id", "=", student.id)])

    def _operator(self, status):
        return status.sudo().station_id.operator_ids[:1]

    def _missing(self, status):
        """The names that a refused approval of ``status`` tells its operator."""
        status = status.with_user(self._operator(status))
        ((outcome, message),) = status._explain(status._decide("approve", "form"))
        self._calls.update(calls=1, refused=1)
        figures.expect(outcome.code, "missing", "outcome of a certificate")
        heading, *lines = message.split("\n")
        figures.expect(heading, "These steps are not settled yet:", "message")
        return [line.removeprefix("- ") for line in lines]

    # -- the acts ----------------------------------------------------------------------

    def _choose_people(self):
        """One of each story: arrears deferred, certificate withheld, a mistake."""
        withheld = self.campus.traits["withheld"]
        ordinary = self.campus.students.filtered(lambda student: withheld not in student.trait_ids)
        self.deferred, self.mistaken = ordinary[:2]
        self.withheld = (self.campus.students - ordinary)[:1]

    def _open(self):
        self.session.with_user(self.campus.people["manager"])._open()
        self._calls.update(calls=1, done=figures.count(self.env, "clearance_status", self.session))
        self.commit()
        for key, row in figures.sum_by_step(self.session).items():
            step = self.env["clearance.step"].browse(key)
            due = figures.count_roster(self.env, self.session, step)
            figures.expect((row["due"], row["due_earlier"]), due, f"due for {step.name}")

    def _refuse_certificates(self):
        first = self._find("degree", domain=[("form_id.student_id", "=", self.mistaken.id)])
        told = self._missing(first)
        borrowed = set(told) - {name.format(college=first.college_id.name) for name in _OPEN_AT_FIRST}
        loans = {"Confirm national loan", "Confirm origin loan", "Return switch"}
        figures.expect({name.rsplit(": ", 1)[1] for name in borrowed} <= loans, True, f"refusal {told}")
        clerk = self._operator(first)
        codes = self._decide(self._find("degree", user=clerk), clerk)
        figures.expect(set(codes), {"missing"}, "certificates of a whole college")

    def _approve_origin_loans(self):
        user = self.campus.people["affairs"]
        self._approve(self._find("origin_loan", user=user), user)

    def _hear_source_systems(self):
        """18 of 28 owe no book, nine of ten no money."""
        for key, share in (("books", 18 / 28), ("arrears", 0.9)):
            domain = [("form_id.student_id", "!=", self.deferred.id)]
            statuses = self._find(key, domain=domain)
            chosen = statuses.browse(sorted(self.rng.sample(statuses.ids, round(len(statuses) * share))))
            self._approve(chosen)
            # Whatever a source system says twice changes nothing.
            figures.expect(set(self._decide(chosen)), {"already"}, "second report")

    def _collect_cards(self):
        """In most classes somebody's card is missing: refused with the reason, settled later."""
        user = self.campus.people["affairs"]
        for statuses in self._find("card", user=user).grouped("class_id").values():
            lost = statuses[-1:]
            self._approve(statuses - lost, user)
            self._decide(lost, user, "reject", "form", "The card was lost: report the loss first")
        for status in self._find("card", user=user):
            self._approve(status, user, "form")

    def _clear_rooms(self):
        """By room; who has none comes alone."""
        for key, login in (("electricity", "utilities"), ("inventory", "dormitory")):
            user = self.campus.people[login]
            for room, statuses in self._find(key, user=user).grouped("room_id").items():
                for mates in [statuses] if room else statuses:
                    self._approve(mates, user)

    def _clear_colleges(self):
        for user, by_class in self._by_clerk("college"):
            for class_ in by_class:
                self._approve(self._find("equipment", user=user, domain=[("class_id", "=", class_.id)]), user)
                self._approve(self._find("membership", user=user, domain=[("class_id", "=", class_.id)]), user)

    def _by_clerk(self, key):
        """Pairs of a college's clerk and the classes of the college."""
        for college in self.campus.colleges:
            desk = self.campus.desks[key, college]
            yield (
                desk.operator_ids[:1],
                self.campus.classes.filtered(lambda class_, college=college: class_.college_id == college),
            )

    def _clear_loans_and_switches(self):
        for key in ("national_loan", "switch"):
            for station, statuses in self._find(key).grouped("station_id").items():
                user = station.operator_ids[:1]
                for status_id in statuses.ids:
                    # One by one, as at a desk: nothing read for the others.
                    self._approve(statuses.browse(status_id), user, "form")

    def _hear_the_rest(self):
        """All but the one who has a deferral; in portions, as an hourly report would."""
        for key in ("books", "arrears"):
            owing = self._find(key) - self._find_of(self.deferred, "arrears")
            for portion in split_every(500, owing.ids):
                self._approve(owing.browse(portion))

    def _defer_one(self):
        """Arrears stay open; lifted, they no longer hold the certificates back."""
        certificates = self._find_of(self.deferred, *_CERTIFICATES)
        figures.expect(self._missing(certificates[:1]), ["Finance Office: Pay arrears"], "the one thing left")
        officer = self.campus.people["deferral"]
        arrears = self._find_of(self.deferred, "arrears")
        self.env["clearance.override"].with_user(officer).create(
            {"status_id": arrears.id, "reason": "Agreement on deferred payment shown"}
        )
        self.changes += 1
        self.commit()
        self._approve(certificates, self._operator(certificates[0]), "form")
        figures.expect(self._form(self.deferred).state, "deferred", "form with a deferral")

    def _form(self, student):
        return self.env["clearance.form"].search(
            [("session_id", "=", self.session.id), ("student_id", "=", student.id)]
        )

    def _hand_out_withheld(self):
        """Academic affairs hands out what the college's desk may not."""
        user = self.campus.people["academic"]
        statuses = self._find("withheld", user=user)
        figures.expect(self.withheld in statuses.sudo().student_id, True, "withheld certificates")
        for status in statuses:
            self._approve(status, user, "form")

    def _hand_out_certificates(self):
        """The four boxes of a class at once."""
        for user, by_class in self._by_clerk("certificates"):
            for class_ in by_class:
                domain = [("class_id", "=", class_.id)]
                self._approve(self._find(*_CERTIFICATES, user=user, domain=domain), user)

    def _correct_one(self):
        """A step reopened takes the certificates and “cleared” back, until it is settled again."""
        Status = self.env["clearance.status"]
        inventory = Status.search(
            [
                ("form_id.student_id", "=", self.mistaken.id),
                ("step_id", "=", self.campus.steps["inventory"].id),
            ]
        )
        keeper = self.campus.people["dormitory"]
        self._decide(inventory, keeper, "reopen", "form", "Confirmed by mistake")
        doubtful = self._find_of(self.mistaken, *_CERTIFICATES)
        self.changes += len(doubtful)
        figures.expect(set(doubtful.mapped("needs_review")), {True}, "certificates to look at again")
        figures.expect(self._form(self.mistaken).state, "open", "form after a step was reopened")
        figures.expect(self._missing(doubtful[:1]), ["Dormitory Centre: Clear room inventory"], "what is left")
        self._approve(inventory, keeper, "form")
        self._approve(doubtful, self._operator(doubtful[0]), "form")

    def _pay_deferred(self):
        self._approve(self._find_of(self.deferred, "arrears"))
        figures.expect(self._form(self.deferred).state, "cleared", "form once the arrears are paid")

    # -- proofs ------------------------------------------------------------------------

    def _check_figures(self, when):
        """The screens' figures equal those worked out from the log alone."""
        shown = {
            (row["station_id"], row["step_id"]): tuple(row[name] for name in figures.NAMES)
            for row in self.session.get_statistics()
        }
        figures.expect(shown, figures.count_from_log(self.env, self.session), f"figures after “{when}”")
        lines = figures.count(self.env, "clearance_log", self.session)
        figures.expect(lines, self.changes, f"log lines after “{when}”")

    def _check_end(self):
        states = dict(
            self.env["clearance.form"]._read_group([("session_id", "=", self.session.id)], ["state"], ["__count"])
        )
        figures.expect(states, {"cleared": self.campus.size}, "forms at the end")
        still_open = {row["open"] for row in self.session.get_statistics()}
        figures.expect(still_open, {0}, "steps left at the end")

    def describe(self):
        """The campaign in words: a line a chapter, then the figures by step."""
        lines = [f"{'calls':>7} {'done':>8} {'refused':>8} {'s':>7}  chapter"]
        lines += [
            f"{chapter.calls:7,} {chapter.done:8,} {chapter.refused:8,} {chapter.seconds:7.1f}  {chapter.title}"
            for chapter in self.chapters
        ]
        lines += ["", f"{'due':>7} {'earlier':>8} {'left':>8}  step"]
        for step_id, row in figures.sum_by_step(self.session).items():
            name = self.env["clearance.step"].browse(step_id).with_context(clearance_full_name=True).display_name
            lines.append(f"{row['due']:7,} {row['due_earlier']:8,} {row['open']:8,}  {name}")
        return "\n".join([*lines, "", f"{self.changes:,} changes, each with its line in the log"])
