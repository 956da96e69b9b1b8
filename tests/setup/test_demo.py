"""bin/demo from a fresh clone: the first start, a login for each role, the second start, the end."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from _setup.layout import ROOT
from _setup.postgres import free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The files of the clone, and nothing it has made."""
    folder = tmp_path_factory.mktemp("clone")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    yield folder
    command = Demo(folder, "--stop")
    subprocess.run(command.args, env=command.env, capture_output=True, timeout=60)


class Demo:
    """A call of bin/demo in a clone, as from a terminal that knows nothing of this test run."""

    def __init__(self, folder, *arguments):
        python = os.path.realpath(sys.executable)
        self.args = [python, str(folder / "bin" / "demo"), *arguments]
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "ODOO_RC"))}

    def run(self):
        return subprocess.run(self.args, env=self.env, capture_output=True, text=True, timeout=600)


def log_in(url, db, login, password):
    body = json.dumps({"jsonrpc": "2.0", "params": {"db": db, "login": login, "password": password}}).encode()
    request = urllib.request.Request(f"{url}/web/session/authenticate", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer).get("result", {}).get("uid")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_of(folder):
    return subprocess.run(["pgrep", "-fa", str(folder / ".local")], capture_output=True, text=True).stdout


def test_from_nothing_to_a_login_and_back(clone):
    port = free_port()
    options = ("--size", "8", "--seed", "3", "--port", str(port), "--detach", "--json")
    first = Demo(clone, *options).run()
    assert not first.returncode, first.stderr
    answer = json.loads(first.stdout.splitlines()[-1])
    assert answer["url"] == f"http://127.0.0.1:{port}"
    assert len(answer["users"]) >= 2
    for user in answer["users"]:
        assert log_in(answer["url"], answer["db"], user["login"], user["password"]), user
    for known in ("admin", "demo", "portal"):
        assert not log_in(answer["url"], answer["db"], known, known), f"{known} has a password everybody knows"
    complaints = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)
    for log in ("modules.log", "shell.log"):
        assert not complaints.findall((clone / ".local" / "demo" / log).read_text())

    running = Demo(clone, "--json").run()
    assert json.loads(running.stdout) == answer

    stopped = Demo(clone, "--stop").run()
    assert (stopped.returncode, stopped.stderr.strip()) == (0, "Stopped.")
    assert not listens(port)
    assert not processes_of(clone)


def test_the_second_start_is_quick_and_ends_by_ctrl_c(clone):
    port = free_port()
    command = Demo(clone, "--port", str(port))
    started = time.monotonic()
    process = subprocess.Popen(
        command.args,
        env=command.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Open http" in line:
                break
        assert f"Open http://127.0.0.1:{port}" in said
        assert time.monotonic() - started < 15
        assert listens(port)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.stdout.close()
    assert not listens(port)
    assert not processes_of(clone)


@pytest.mark.parametrize("difference", [("--size", "9"), ("--seed", "4"), ("--lang", "zh_CN")])
def test_another_campus_is_not_made_unasked(clone, difference):
    done = Demo(clone, *difference, "--port", str(free_port())).run()
    assert done.returncode == 2
    assert "The demo database was made with" in done.stderr
    assert "--reset" in done.stderr
