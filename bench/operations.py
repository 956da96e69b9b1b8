"""What is measured."""

import time

from odoo.addons.graduate_clearance.demo.campus import Campus
from odoo.addons.graduate_clearance.demo.content import STEPS
from odoo.addons.graduate_clearance.demo.first_days import FirstDays

from . import odoo_env, raw
from .measure import Meter

CERTIFICATES = ("degree", "graduation", "registration", "household")


class Bench:
    """A campus of a certain size in a database of its own, and the operations on it."""

    def __init__(self, database, size, say=print):
        self.database = database
        self.size = size
        self.say = say
        self.meter = Meter(database, say)
        self.log = None
        self._cursor = odoo_env.open_cursor(database)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._cursor.close()

    # -- preparing ---------------------------------------------------------------------

    def make_campus(self, step_count=0):
        """Make the roster and a draft session with so many steps, at least the campus' 16."""
        start = time.monotonic()
        self.campus = Campus(odoo_env.make_environment(self._cursor), self.size)
        self.campus.build_roster()
        self._add_steps(step_count)
        self.session_id = self.campus.session.id
        self.users = {login: user.id for login, user in self.campus.people.items()}
        self.graduate_id = self.campus.graduates[:1].id
        self.keys = {step.id: key for key, step in self.campus.steps.items()}
        self._commit()
        self.say(f"  {self.size:,} graduates made in {time.monotonic() - start:.0f} s")

    def _commit(self):
        self._cursor.commit()
        self.campus.env.invalidate_all()
        odoo_env.vacuum(
            self.database,
            *Meter.TABLES,
            "clearance_student",
            "clearance_student_clearance_trait_rel",
            "clearance_override",
            "res_partner",
        )

    def _add_steps(self, count):
        """Put steps in until there are so many."""
        for number in range(len(STEPS), count):
            self.campus.steps["inventory"].copy({"name": f"Further step {number}", "sequence": 200 + number})

    def open_for_good(self):
        """Open the session and play its first days."""
        self.campus.session._open()
        FirstDays(self.campus).play()
        self._commit()

    def settle_before_certificates(self):
        """Everybody may collect: what the certificates wait for is settled."""
        before = [step_id for step_id, key in self.keys.items() if key not in (*CERTIFICATES, "withheld")]
        domain = [("session_id", "=", self.session_id), ("step_id", "in", before), ("is_open", "=", True)]
        self.campus.env["clearance.status"].search(domain)._decide("approve", "batch", "Settled for the bench")
        self._commit()

    # -- writing -----------------------------------------------------------------------

    def measure_opening(self, repetitions):
        """Open the session: forms and statuses for everybody."""

        def one_statement(env):
            session = env["clearance.session"].browse(self.session_id)
            return raw.opening(env, session, self.keys)

        def ours(env):
            return env["clearance.session"].with_context(tracking_disable=True).browse(self.session_id)._open

        return self.meter.compare(
            f"open, {len(self.campus.session.step_ids)} steps",
            self.size,
            one_statement,
            ours,
            repetitions=repetitions,
            target=1.2,
            writes=True,
        )

    def measure_simulation(self, repetitions):
        """Who would have which step where and when; and the whole checklist, beside the same statement."""
        roster = {"kind": "roster", "id": False}

        def one_statement(env):
            return raw.simulation(env["clearance.session"].browse(self.session_id), self.keys)

        def simulate(env):
            return lambda: env["clearance.simulation"].get_steps(self.session_id, roster)

        def check(env):
            return lambda: env["clearance.simulation"].get_checklist(self.session_id)

        for name, ours in (("simulate", simulate), ("simulate, with the checklist", check)):
            self.meter.compare(
                f"{name}, {len(self.campus.session.step_ids)} steps",
                self.size,
                one_statement,
                ours,
                user_id=self.users["manager"],
                repetitions=repetitions,
            )

    def _find_certificates(self, user_id, count):
        """The first ``count`` open certificates that a user may hand out, class by class."""
        with odoo_env.environment(self.database, user_id) as env:
            steps = [step_id for step_id, key in self.keys.items() if key in CERTIFICATES]
            domain = [("step_id", "in", steps), ("is_open", "=", True)]
            return env["clearance.status"].search(domain, order="class_id, step_id, id", limit=count).ids

    def measure_confirmation(self, count, repetitions):
        """Hand out certificates, each of which waits for up to eleven steps."""
        as_manager = count > self.size / 20
        user_id = self.users["manager" if as_manager else "college"]
        ids = self._find_certificates(user_id, count)
        if len(ids) < count:
            self.say(f"  (confirm {count:,} left out: this campus has {len(ids):,} certificates to hand out)")
            return None
        target = 1.5 if count == 40 else 1.25 if count >= 2000 else None
        result = self.meter.compare(
            "confirm" + (" (as manager)" if as_manager else ""),
            count,
            lambda env: raw.confirmation(env, ids, own_stations=not as_manager),
            lambda env: lambda: _check(env["clearance.status"].browse(ids)._decide("approve", "batch")),
            user_id=user_id,
            repetitions=repetitions,
            target=target,
            writes=True,
        )
        self._measure_settling(ids, repetitions)
        return result

    def _measure_settling(self, ids, repetitions):
        """What follows a decision after its commit."""
        with odoo_env.environment(self.database) as env:
            form_ids = env["clearance.status"].browse(ids).form_id.ids
        self.meter.compare(
            "settle forms, after the commit",
            len(form_ids),
            lambda env: raw.settling(form_ids),
            lambda env: env["clearance.form"].browse(form_ids)._settle,
            repetitions=repetitions,
            writes=True,
        )

    # -- reading -----------------------------------------------------------------------

    def measure_ready(self, repetitions):
        """A page of 80 that an operator can confirm now, and a count up to 1,000."""
        domain = [("is_mine", "=", True), ("ready", "=", True)]
        fnames = ["form_id", "step_id", "station_id", "state", "reason"]
        for login in ("affairs", "college"):
            self.meter.compare(
                f"ready page, operator of {login}",
                80,
                lambda env: raw.ready_page(env, 80),
                lambda env: lambda: env["clearance.status"].search_fetch(domain, fnames, limit=80),
                user_id=self.users[login],
                repetitions=repetitions,
                target=1.5,
            )
        self.meter.compare(
            "ready, counted up to 1,000",
            1000,
            lambda env: raw.ready_count(env, 1000),
            lambda env: lambda: env["clearance.status"].search_count(domain, limit=1000),
            user_id=self.users["affairs"],
            repetitions=repetitions,
            target=1.5,
        )

    def measure_statistics(self, repetitions):
        """Figures by station and step, of the campus and of an operator."""
        for login, own_stations in (("manager", False), ("affairs", True)):
            self.meter.compare(
                f"statistics, {login}",
                self.size,
                lambda env, own=own_stations: raw.statistics(
                    env, env["clearance.session"].browse(self.session_id), own
                ),
                lambda env: env["clearance.session"].browse(self.session_id).get_statistics,
                user_id=self.users[login],
                repetitions=repetitions,
                target=1.5,
            )

    def measure_records(self, count, name, login, repetitions):
        """Whole records, as the matrix of a class or a graduate's page shows them."""
        user_id = self.users.get(login) or self.graduate_id
        with odoo_env.environment(self.database, user_id) as env:
            form_ids = env["clearance.form"].search([], order="class_id, id", limit=count).ids
        self.meter.compare(
            name,
            len(form_ids),
            lambda env: raw.records(form_ids),
            lambda env: env["clearance.form"].browse(form_ids)._get_records,
            user_id=user_id,
            repetitions=repetitions,
            target=1.5,
        )

    def measure_log(self):
        """What a line of the log takes on disk, with its indexes."""
        odoo_env.vacuum(self.database, "clearance_log")
        with odoo_env.environment(self.database) as env:
            env.cr.execute("SELECT count(*), pg_total_relation_size('clearance_log') FROM clearance_log")
            lines, size = env.cr.fetchone()
        self.log = {"lines": lines, "bytes_per_line": round(size / lines) if lines else 0}
        self.say(f"  log: {lines:,} lines, {self.log['bytes_per_line']} bytes each with indexes")

    # -- the usual way -----------------------------------------------------------------

    def measure_usual(self, results):
        """The same decisions on tracked records, written one by one."""
        self._cursor.close()
        odoo_env.install(self.database, "bench_naive")
        counts = [result.rows for result in results if result.rows <= 2000]
        ids = self._make_usual(max(counts))
        odoo_env.vacuum(self.database, "bench_naive_form", "bench_naive_status")
        for result in results:
            if result.rows <= 2000:
                self.meter.time_usual(
                    result,
                    lambda env, some=ids[: result.rows]: env["bench.naive.status"].browse(some).action_confirm,
                    user_id=self.users["manager"],
                    repetitions=3 if result.rows <= 40 else 1,
                )

    def _make_usual(self, count):
        """Tracked forms with all settled but the certificates; answer ids of these, form by form."""
        with odoo_env.open_cursor(self.database) as cr:
            env = odoo_env.make_environment(cr)
            quick = env(context={**env.context, "tracking_disable": True, "mail_create_nolog": True})
            forms = env["clearance.form"].search(
                [("session_id", "=", self.session_id)], order="class_id, id", limit=-(-count // 2)
            )
            made = quick["bench.naive.form"].create(
                [{"student_id": form.student_id.id, "session_id": self.session_id} for form in forms]
            )
            twins = dict(zip(forms.ids, made.ids, strict=True))
            states = {"optional": "not_required", "submitted": "pending", "rejected": "pending"}
            made = quick["bench.naive.status"].create(
                [
                    {
                        "form_id": twins[status.form_id.id],
                        "step_id": status.step_id.id,
                        "state": states.get(status.state, status.state),
                    }
                    for status in forms.status_ids
                ]
            )
            steps = [step_id for step_id, key in self.keys.items() if key in CERTIFICATES]
            return made.filtered(lambda status: status.step_id.id in steps and status.state == "pending").ids[:count]


def _check(outcomes):
    """Measure nothing that did not happen."""
    codes = {outcome.code for outcome in outcomes}
    if codes != {"done"}:
        raise AssertionError(f"not everything was confirmed: {codes}")
