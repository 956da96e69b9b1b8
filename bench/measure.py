"""Repetitions, medians and ratios."""

import statistics
import time
from dataclasses import dataclass, field

from . import odoo_env


@dataclass
class Result:
    """One line of the table; times in seconds."""

    name: str
    rows: int
    raw: list = field(default_factory=list)
    ours: list = field(default_factory=list)
    queries: int = 0
    target: float | None = None
    naive: list = field(default_factory=list)

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.raw)

    def to_dict(self):
        """The result as JSON shows it; milliseconds."""
        raw, ours, naive = (
            round(1000 * statistics.median(times), 3) if times else None for times in (self.raw, self.ours, self.naive)
        )
        return {
            "name": self.name,
            "rows": self.rows,
            "raw_ms": raw,
            "ours_ms": ours,
            "ratio": round(self.ratio, 2),
            "queries": self.queries,
            "target": self.target,
            "usual_ms": naive,
            "usual_ratio": round(naive / raw, 1) if naive else None,
            "repetitions": len(self.raw),
        }


class Meter:
    """Measures in one database, as one user after the other."""

    #: written by what is measured
    TABLES = ("clearance_form", "clearance_status", "clearance_log", "clearance_batch", "clearance_batch_line")

    def __init__(self, database, say=print):
        self.database = database
        self.say = say
        self.results = []

    def compare(self, name, rows, raw, ours, *, user_id=None, repetitions=5, target=None, writes=False):
        """Measure two ways of doing one thing, in turn, each in a transaction rolled back.

        :param raw: function of an environment that answers one SQL statement
        :param ours: function of an environment that prepares the work, as far as a request
            would have been prepared (who asks is known), and answers a function that does it
        """
        result = Result(name, rows, target=target)
        for number in range(repetitions + 1):
            pair = [(result.raw, self._time_raw, raw), (result.ours, self._time_ours, ours)]
            # Whoever comes second finds warmer caches: take turns.
            for times, clock, act in pair if number % 2 else reversed(pair):
                seconds, result.queries = clock(act, user_id, result.queries)
                # The first round only warms up.
                if number:
                    times.append(seconds)
                if writes:
                    odoo_env.vacuum(self.database, *self.TABLES)
        self.results.append(result)
        self.say(f"  {name}, {rows:,}: × {result.ratio:.2f} of {1000 * statistics.median(result.raw):,.1f} ms")
        return result

    def _time_raw(self, raw, user_id, queries):
        with odoo_env.environment(self.database, user_id) as env:
            statement = raw(env)
            self._know_user(env)
            # The addon turns this off where it costs more than it saves; so does the yardstick.
            env.cr.execute("SET LOCAL jit = off")
            start = time.perf_counter()
            env.cr.execute(statement)
            if env.cr.description:
                env.cr.fetchall()
            return time.perf_counter() - start, queries

    def _time_ours(self, ours, user_id, _queries):
        with odoo_env.environment(self.database, user_id) as env:
            act = ours(env)
            self._know_user(env)
            before = env.cr.sql_log_count
            start = time.perf_counter()
            act()
            env.flush_all()
            seconds = time.perf_counter() - start
            return seconds, env.cr.sql_log_count - before

    def _know_user(self, env):
        """What authentication has read when a request reaches the addon."""
        user = env.user
        user.mapped("tz")
        user.mapped("company_ids")
        env.companies.mapped("name")

    def time_usual(self, result, act, *, user_id=None, repetitions=3):
        """Time the usual way of doing the same and note it beside a result."""
        for _number in range(repetitions):
            with odoo_env.environment(self.database, user_id) as env:
                do = act(env)
                self._know_user(env)
                start = time.perf_counter()
                do()
                env.flush_all()
                # Tracking writes its messages before the commit.
                env.cr.precommit.run()
                env.flush_all()
                result.naive.append(time.perf_counter() - start)
        self.say(f"  {result.name}, {result.rows:,}, the usual way: {statistics.median(result.naive):,.2f} s")
