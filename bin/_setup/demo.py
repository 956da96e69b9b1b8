"""bin/demo: a campus to try the addon with, from nothing to a page to log in to."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from . import apt, environment, postgres
from .console import SetupError, say, step
from .instance import Instance
from .layout import ADDON, LOCAL, ROOT, addons, fingerprint

DATABASE = "demo"
FOLDER = LOCAL / "demo"
CAMPUS = FOLDER / "campus.json"
"""Which campus the database holds, and who can log in; written when it is complete."""
RUNNING = FOLDER / "running.json"
DEFAULTS = {"size": 600, "seed": 1, "lang": "en_US"}
LANGUAGES = ("en_US", "zh_CN", "zh_TW")
MOST = 30_000
START_SECONDS = 180

GENERATE = """
import json, os, secrets
wanted = json.loads(os.environ["CAMPUS"])
campus = env["clearance.demo"].generate(**wanted)
users = campus["users"]
# What Odoo ships with passwords everybody knows gets one that nobody does; the administrator's is shown.
admin = env.ref("base.user_admin")
for user in env["res.users"].search([("login", "not in", [user["login"] for user in users])]):
    user.password = password = secrets.token_urlsafe(9)
    if user == admin:
        users.append({"role": "Administrator", "login": user.login, "password": password})
# So that the first page does not keep the first visitor waiting.
for bundle in ("web.assets_web", "web.assets_frontend_minimal", "web.assets_frontend_lazy", "web.assets_frontend"):
    assets = env["ir.qweb"]._get_asset_bundle(bundle)
    assets.js()
    assets.css()
env.cr.commit()
with open(os.environ["RESULT"], "w") as file:
    json.dump(users, file)
"""


def main(argv: list[str]) -> int:
    options = _parse(argv)
    if options.stop:
        return _stop_everything()
    if not addons():
        raise SetupError(f"There is no addon {ADDON} in {ROOT}.", "Run this in a complete clone of the project.")
    if _running():
        return _answer_running(options)
    _check_campus(options)
    _check_port(options.host, options.port)

    odoo = environment.enter()
    with contextlib.ExitStack() as cleanup:
        server = postgres.ensure("demo", durable=True)
        cleanup.callback(postgres.stop, "demo")
        settings = {"http_interface": options.host, "http_port": options.port, "db_name": DATABASE}
        instance = Instance("demo", odoo, server, max_cron_threads=1, **settings)
        campus = _ensure_campus(instance, options)
        process = _serve(instance, options)
        cleanup.callback(_stop_serving)
        _wait_until_it_answers(process, options)
        _show(campus, options)
        if options.detach:
            cleanup.pop_all()
            return 0
        process.wait()
        raise SetupError("Odoo ended by itself.", f"Its log is in {FOLDER / 'odoo.log'}.")


# ------------------------------------------------------------------------ options


def _number(lowest: int, highest: int):
    def convert(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,12}", text) or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {lowest:,} to {highest:,}")
        return int(text)

    return convert


def _parse(argv: list[str]):
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Start Odoo with the addon and a campus to try it with. Ctrl-C ends it.",
        allow_abbrev=False,
    )
    parser.add_argument("--size", type=_number(1, MOST), help=f"graduates, up to {MOST:,} (default: 600)")
    parser.add_argument("--seed", type=_number(0, 2**31 - 1), help="the same seed makes the same campus (default: 1)")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the users (default: en_US)")
    parser.add_argument("--reset", action="store_true", help="throw the campus away and make a new one")
    parser.add_argument("--port", type=_number(1, 65535), default=8069, help="default: 8069")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens it to the network")
    parser.add_argument("--detach", action="store_true", help="leave it running; bin/demo --stop ends it")
    parser.add_argument("--stop", action="store_true", help="end a demo that was left running")
    parser.add_argument("--json", action="store_true", help="print url, db and users as one line of JSON")
    return parser.parse_args(argv)


def _wanted(options) -> dict:
    return {key: value for key in DEFAULTS if (value := getattr(options, key)) is not None}


def _check_campus(options) -> None:
    """Options that ask for another campus than the one that is there."""
    campus = _read(CAMPUS)
    if options.reset or not campus:
        return
    differs = [f"--{key} {campus[key]}" for key, value in _wanted(options).items() if campus[key] != value]
    if differs:
        raise SetupError(
            f"The demo database was made with {' '.join(differs)}.",
            "Add --reset to throw it away and make the one you ask for, or leave the option out.",
            code=2,
        )


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError:
        raise SetupError(f"Port {port} takes root's rights.", "Say --port with a number from 1024 up.", 2) from None
    except OSError as error:
        remedy = "Give --host an address of this machine; without --host it is 127.0.0.1."
        if error.errno == errno.EADDRINUSE:
            remedy = f"Say --port {port + 1 if port < 65535 else 8069}, for one, or end what uses the port."
        raise SetupError(f"Cannot listen on {host}:{port}: {error.strerror or error}.", remedy, 2) from None


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}


# ------------------------------------------------------------------------- campus


def _ensure_campus(instance: Instance, options) -> dict:
    campus = _read(CAMPUS)
    if options.reset or not campus or not instance.server.exists(DATABASE):
        return _make_campus(instance, {**DEFAULTS, **_wanted(options)})
    if campus["addons"] != fingerprint():
        with step("The addon has changed since: upgrading the demo database"):
            instance.modules(DATABASE, "-u", ADDON)
        campus["addons"] = fingerprint()
        _write(CAMPUS, campus)
    return campus


def _make_campus(instance: Instance, wanted: dict) -> dict:
    CAMPUS.unlink(missing_ok=True)
    apt.ensure_printing()
    instance.create(DATABASE)
    # The first one greets visitors, and one that is not named is not there.
    languages = ",".join(dict.fromkeys([wanted["lang"], "en_US", "zh_CN"]))
    with step("Installing the addon into a new database (about a minute)"):
        instance.modules(DATABASE, "-i", ADDON, f"--load-language={languages}")
    with step(f"Making a campus of {wanted['size']:,} graduates"):
        users = FOLDER / "users.json"
        instance.shell(DATABASE, GENERATE, CAMPUS=json.dumps(wanted), RESULT=str(users))
        campus = {**wanted, "addons": fingerprint(), "users": json.loads(users.read_text())}
        users.unlink()
    _write(CAMPUS, campus)
    return campus


def _write(path: Path, content: dict) -> None:
    """Only for our eyes: passwords are in it."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1))


# ------------------------------------------------------------------------ serving


def _url(options) -> str:
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::", "") else options.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{options.port}"


def _serve(instance: Instance, options) -> subprocess.Popen:
    # Printed forms fetch their pictures from here, and codes on them lead here.
    for key in ("web.base.url", "report.url"):
        instance.server.execute(
            "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s) "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            [key, _url(options)],
            DATABASE,
        )
    with (FOLDER / "odoo.log").open("w") as log:
        # A session of its own: signals of this terminal reach it through us alone.
        process = subprocess.Popen(
            instance.command("-c", instance.config),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _write(RUNNING, {"pid": process.pid, "url": _url(options), "config": str(instance.config)})
    return process


def _wait_until_it_answers(process: subprocess.Popen, options) -> None:
    log = FOLDER / "odoo.log"
    with step("Starting Odoo"):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise SetupError(f"Odoo ended while starting:\n{tail}", f"The whole log is in {log}.")
            if _answers(f"{_url(options)}/web/login"):
                return
            time.sleep(0.2)
        raise SetupError(f"Odoo does not answer after {START_SECONDS} s.", f"Look into {log}.")


def _answers(url: str) -> bool:
    """Whether this very page comes; without a database Odoo would lead elsewhere."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    try:
        return opener.open(url, timeout=60).url == url
    except OSError:
        return False


def _running() -> dict:
    """The demo of this clone that runs now, if one does."""
    running = _read(RUNNING)
    if running:
        with contextlib.suppress(OSError):
            if running["config"].encode() in Path(f"/proc/{running['pid']}/cmdline").read_bytes():
                return running
    return {}


def _answer_running(options) -> int:
    if options.reset:
        raise SetupError("The demo is running.", "End it first: bin/demo --stop", 2)
    _check_campus(options)
    say("The demo is running already.")
    _show(_read(CAMPUS), options, url=_running()["url"])
    return 0


def _stop_serving() -> None:
    running = _running()
    for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        deadline = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            if running:
                os.kill(running["pid"], number)
        while _running() and time.monotonic() < deadline:
            time.sleep(0.1)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(running["pid"], os.WNOHANG)
    RUNNING.unlink(missing_ok=True)


def _stop_everything() -> int:
    if (LOCAL / "pg").exists():
        environment.enter()
    was_running = bool(_running())
    _stop_serving()
    if (LOCAL / "pg").exists():
        postgres.stop("demo")
    say("Stopped." if was_running else "No demo was running.")
    return 0


# ------------------------------------------------------------------------- answer


def _show(campus: dict, options, url: str = "") -> None:
    url = url or _url(options)
    users = [{key: user[key] for key in ("role", "login", "password")} for user in campus["users"]]
    if options.json:
        print(json.dumps({"url": url, "db": DATABASE, "users": users}, ensure_ascii=False), flush=True)
        return
    rows = [("Role", "Login", "Password"), *(tuple(user.values()) for user in users)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["   ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    rule = "─" * max(map(len, lines))
    ending = "bin/demo --stop ends it" if options.detach else "Ctrl-C ends it"
    print("\n".join(["", rule, f"Open {url}    ({ending})", rule, *lines, rule, ""]), flush=True)
    if not options.json and options.host not in ("127.0.0.1", "localhost", "::1"):
        print("This demo is open to the network; the passwords above are all that protects it.", file=sys.stderr)
