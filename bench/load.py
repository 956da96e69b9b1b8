"""Graduates on one morning: an Odoo with workers, and a client that keeps it busy."""

import contextlib
import functools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from odoo.http import get_default_session, root
from odoo.service import security
from odoo.tools import config

from . import odoo_env

FOLDER = Path(__file__).parent
WORKERS = 2
CONNECTIONS = 8
GRADUATES = 200
ROUNDS = 5
START_SECONDS = 120

HOME = "Odoo's own /my/home"
FORM = "the form page"
#: requests a second of the form page, as a multiple of Odoo's own page with the same modules
AIM = 1.5


class Load:
    """What an opened session's graduates ask of a server, each of them logged in."""

    def __init__(self, bench, seconds):
        self.bench = bench
        self.seconds = seconds
        self.say = bench.say

    def measure(self):
        """Ask every page in turn, in several rounds.

        :return: dict ``workers``, ``connections``, ``graduates``, ``client_share`` (of one core),
            ``connects_per_request``, ``complaints`` (what the server's log holds) and ``targets``,
            a list of dicts as made by :meth:`_sum_up`
        """
        people = self._prepare_people()
        try:
            with Server(self.bench.database) as server:
                server.wait_until_it_answers("/bench/bare", people[0]["cookie"])
                measured = self._ask(server.port, people)
                complaints = server.read_complaints()
        finally:
            for person in people:
                root.session_store.delete(root.session_store.get(person["sid"]))
        return self._report(measured, len(people), complaints)

    # -- who asks ----------------------------------------------------------------------

    def _prepare_people(self):
        """Graduates with a form, as users who are logged in already.

        :return: list of dicts ``number``, ``login``, ``sid``, ``cookie``, ``form`` and ``step`` (ids)
        """
        with odoo_env.open_cursor(self.bench.database) as cr:
            env = odoo_env.make_environment(cr)
            domain = [("session_id", "=", self.bench.session_id), ("state", "!=", "withdrawn")]
            forms = env["clearance.form"].search(domain, order="id", limit=GRADUATES)
            self._create_users(env, forms.student_id)
            return [self._log_in(env, form) for form in forms]

    def _create_users(self, env, students):
        """A user for each graduate who has none."""
        new = students.filtered(lambda student: not student.partner_id.user_ids)
        env["res.users"].with_context(no_reset_password=True, tracking_disable=True).create(
            [
                {
                    "login": student.student_number,
                    "partner_id": student.partner_id.id,
                    "company_id": student.company_id.id,
                    "company_ids": [(6, 0, student.company_id.ids)],
                    "group_ids": [(6, 0, env.ref("base.group_portal").ids)],
                    "tz": "Asia/Shanghai",
                }
                for student in new
            ]
        )
        env.flush_all()

    def _log_in(self, env, form):
        """What a login leaves behind: passwords are slow by design, and not what is measured."""
        user = form.student_id.partner_id.user_ids[:1]
        session = root.session_store.new()
        session.update(get_default_session(), db=self.bench.database)
        session.uid, session.login = user.id, user.login
        session.context = dict(env(user=user.id)["res.users"].context_get())
        session.session_token = security.compute_session_token(session, env)
        root.session_store.save(session)
        steps = form.status_ids.filtered("is_open") or form.status_ids
        return {
            "number": form.student_id.student_number,
            "login": user.login,
            "sid": session.sid,
            "cookie": f"session_id={session.sid}",
            "form": form.id,
            "step": steps[:1].id,
        }

    # -- what is asked -----------------------------------------------------------------

    def _ask(self, port, people):
        """Let the client work through the targets; the rest of this process sleeps meanwhile."""
        targets = [
            _target(people, "a bare controller", "/bench/bare", "{login}"),
            _target(people, HOME, "/my/home", "{number}"),
            _target(people, FORM, "/my/clearance", "{number}"),
            _target(people, "the page of a step", "/my/clearance/step/{step}", '"/my/clearance/{form}"'),
            _target(people, "the poll for news", "/my/clearance/{form}/news", '"version"'),
            _target(people, "the poll, nothing new", "/my/clearance/{form}/news", '"version"', etag=True),
        ]
        plan = {
            "host": "127.0.0.1",
            "port": port,
            "connections": CONNECTIONS,
            "rounds": ROUNDS,
            "seconds": self.seconds,
            "targets": targets,
        }
        done = subprocess.run(
            [sys.executable, "-I", str(FOLDER / "load_client.py")],
            input=json.dumps(plan),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    # -- what comes of it --------------------------------------------------------------

    def _report(self, measured, graduates, complaints):
        targets = [self._sum_up(target) for target in measured["targets"]]
        home = next(target["per_second"] for target in targets if target["name"] == HOME)
        for target in targets:
            target["times_home"] = round(target["per_second"] / home, 2)
            target["aim"] = AIM if target["name"] == FORM else None
        return {
            "workers": WORKERS,
            "connections": CONNECTIONS,
            "graduates": graduates,
            "rounds": ROUNDS,
            "seconds": self.seconds,
            "client_share": round(measured["cpu_share"], 3),
            "connects_per_request": round(measured["connects"] / sum(target["requests"] for target in targets), 2),
            "complaints": complaints,
            "targets": targets,
        }

    def _sum_up(self, target):
        """One line of the table; medians of the rounds, milliseconds."""
        rounds = target["rounds"]

        def median(value):
            return statistics.median(map(value, rounds))

        def percentile(share):
            return 1000 * median(lambda one: sorted(one["times"])[int(share * (len(one["times"]) - 1))])

        return {
            "name": target["name"],
            "requests": sum(len(one["times"]) for one in rounds),
            "per_second": round(median(lambda one: len(one["times"]) / one["seconds"]), 1),
            "p50_ms": round(percentile(0.5), 1),
            "p95_ms": round(percentile(0.95), 1),
            "bytes": rounds[-1]["bytes"],
            "errors": sum(one["errors"] for one in rounds),
            "complaint": target["complaint"],
        }


def _target(people, name, path, marker, etag=False):
    """One page, asked by everybody in turn; the marker is what its answer must hold to be that person's."""
    return {
        "name": name,
        "status": 200,
        "etag": etag,
        "asks": [[path.format(**person), person["cookie"], marker.format(**person)] for person in people],
    }


def show(report):
    """The report as a table."""
    lines = [
        f"{report['graduates']:,} graduates, {report['connections']} connections, {report['workers']} workers; "
        f"medians of {report['rounds']} rounds of {report['seconds']:g} s each; "
        f"the client took {100 * report['client_share']:.0f} % of a core",
        "",
        "| page | requests a second | p50 | p95 | KB | × /my/home | aim | errors |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for target in report["targets"]:
        aim = f"≥ {target['aim']}" if target["aim"] else ""
        lines.append(
            f"| {target['name']} | {target['per_second']:,.0f} "
            f"| {target['p50_ms']:,.1f} ms | {target['p95_ms']:,.1f} ms | {target['bytes'] / 1000:,.1f} "
            f"| {target['times_home']:.2f} | {aim} | {target['errors']:,} |"
        )
    lines += [f"  {target['name']}: {target['complaint']}" for target in report["targets"] if target["complaint"]]
    lines += [f"  the server said: {complaint}" for complaint in report["complaints"]]
    return "\n".join(lines)


class Server:
    """Odoo on a port of its own, answering for one database and nothing else; it ends with the block."""

    def __init__(self, database):
        self.database = database
        self.port = _free_port()
        self.process = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.log = Path(self._folder.name) / "odoo.log"
        addons = [*config["addons_path"], str(odoo_env.ADDONS)]
        command = [sys.executable, str(FOLDER / "load_server.py")]
        command += ["-c", config["config"]] if config["config"] else []
        command += [f"--database={self.database}", f"--db-filter=^{self.database}$"]
        command += [f"--http-port={self.port}", f"--gevent-port={_free_port()}", "--http-interface=127.0.0.1"]
        command += [f"--workers={WORKERS}", "--max-cron-threads=0", f"--logfile={self.log}"]
        command += [f"--addons-path={','.join(addons)}"]
        # A session of its own: signals of this terminal reach it through us alone, and all of it can be ended at once.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_exception):
        for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                break
        with contextlib.suppress(ProcessLookupError):
            # A worker that outlived its master would keep the database.
            os.killpg(self.process.pid, signal.SIGKILL)
        self._folder.cleanup()

    def wait_until_it_answers(self, path, cookie):
        """Until a page comes; the first one loads the registry."""
        url = f"http://127.0.0.1:{self.port}{path}"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            request = urllib.request.Request(url, headers={"Cookie": cookie})
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310
                if answer.url == url:
                    return
            time.sleep(0.1)
        tail = "\n".join(self._read_log()[-15:])
        raise RuntimeError(f"Odoo does not answer at {url}:\n{tail}")

    def _read_log(self):
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []

    def read_complaints(self, most=5):
        """What the server has said that it should not have to."""
        return [line for line in self._read_log() if {"WARNING", "ERROR", "CRITICAL"} & set(line.split()[:4])][:most]


@functools.cache
def _taken():
    return set()


def _free_port():
    """A port that nobody listens on, another one each time."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _taken():
            _taken().add(port)
            return port
