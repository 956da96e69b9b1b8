"""The operator's screens, measured."""

import itertools

from . import odoo_env, raw, raw_screens


class Screens:
    """What an operator of student affairs asks of the desk, in an opened session."""

    def __init__(self, bench):
        self.bench = bench
        self.meter = bench.meter
        self.session_id = bench.session_id
        self.user_id = bench.users["affairs"]
        self.station_id = bench.campus.stations["affairs"].id
        self.step_id = bench.campus.steps["card"].id
        self.keys = map("bench-{}".format, itertools.count())
        with odoo_env.environment(bench.database, self.user_id) as env:
            domain = [("step_id", "=", self.step_id), ("is_open", "=", True)]
            self.open_ids = env["clearance.status"].search(domain, order="class_id, id").ids
            first = env["clearance.status"].browse(self.open_ids[0])
            self.form_id = first.form_id.id
            self.number = first.student_number

    def measure(self):
        """A page found, a graduate opened, figures refreshed, a card scanned and saved."""
        self._compare("desk: a page found", 40, self._find_raw, self._find)
        self._compare("desk: a graduate opened", 1, lambda env: raw.records([self.form_id]), self._open)
        self._compare("desk: figures of the station", self.bench.size, self._figures_raw, self._figures)
        self._compare("desk: from scan to saved", 1, self._scan_raw, self._scan, writes=True)
        for count in (40, 2_000):
            self._measure_matrix(min(count, self.bench.size))
        self._measure_batch()

    def _measure_matrix(self, count):
        with odoo_env.environment(self.bench.database, self.user_id) as env:
            form_ids = env["clearance.form"].search([], order="class_id, id", limit=count).ids
        self._compare(
            "matrix: cells of a page",
            count,
            lambda env: raw_screens.matrix(env, form_ids),
            lambda env: env["clearance.form"].browse(form_ids).get_matrix,
        )

    def _measure_batch(self):
        """A batch for everybody: shown before, gone through in parts, taken back."""
        with odoo_env.open_cursor(self.bench.database) as cr:
            env = odoo_env.make_environment(cr, self.user_id)
            values = {"session_id": self.session_id, "step_id": self.step_id, "form_domain": "[('id', '>', 0)]"}
            self.batch_id = env["clearance.batch"].create(values).id
        self._compare(
            "batch: preview",
            self.bench.size,
            lambda env: raw_screens.batch_preview(self.batch_id, self.session_id, self.step_id),
            lambda env: env["clearance.batch"].browse(self.batch_id).action_preview,
            writes=True,
            repetitions=5,
        )
        with odoo_env.open_cursor(self.bench.database) as cr:
            odoo_env.make_environment(cr, self.user_id)["clearance.batch"].browse(self.batch_id).action_preview()
        self._compare(
            "batch: run",
            len(self.open_ids),
            lambda env: raw.confirmation(env, self.open_ids),
            lambda env: lambda: self._run(env),
            writes=True,
            repetitions=5,
        )
        with odoo_env.open_cursor(self.bench.database) as cr:
            line_ids = self._run(odoo_env.make_environment(cr, self.user_id))
        self._compare(
            "batch: undo",
            len(line_ids),
            lambda env: raw_screens.undoing(env, line_ids),
            lambda env: lambda: self._undo(env),
            writes=True,
            repetitions=5,
        )

    def _run(self, env):
        """Go through the batch as the browser does, and answer its log lines."""
        batch = env["clearance.batch"].browse(self.batch_id)
        while batch.run()["remaining"]:
            pass
        env.cr.execute("SELECT log_id FROM clearance_batch_line WHERE batch_id = %s AND log_id > 0", [self.batch_id])
        return [row[0] for row in env.cr.fetchall()]

    def _undo(self, env):
        batch, after, remaining = env["clearance.batch"].browse(self.batch_id), 0, 1
        while remaining:
            answer = batch.undo(after=after)
            after, remaining = answer["after"], answer["remaining"]

    def _compare(self, name, rows, one_statement, ours, repetitions=15, **options):
        self.meter.compare(name, rows, one_statement, ours, user_id=self.user_id, repetitions=repetitions, **options)

    def _find_raw(self, env):
        return raw_screens.search_page(self.station_id, self.number[:4], 40)

    def _find(self, env):
        desk = env["clearance.desk"]
        return lambda: desk.search_graduates(self.station_id, query=self.number[:4])

    def _open(self, env):
        desk = env["clearance.desk"]
        return lambda: desk.get_graduate(self.form_id, self.station_id)

    def _figures_raw(self, env):
        return raw_screens.station_figures(self.station_id, self.session_id)

    def _figures(self, env):
        desk = env["clearance.desk"]
        return lambda: desk.get_statistics(self.station_id)

    def _scan_raw(self, env):
        return raw.confirmation(env, self.open_ids[:1])

    def _scan(self, env):
        desk = env["clearance.desk"]
        return lambda: desk.scan(next(self.keys), self.number, self.station_id, [self.step_id])
