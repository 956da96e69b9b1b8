"""An Odoo of the project's own: its settings, its databases, its files."""

from __future__ import annotations

import configparser
import hashlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from . import python_env
from .console import SetupError, lock, step
from .layout import LOCAL, ROOT
from .odoo_source import Odoo
from .postgres import Server


class Instance:
    def __init__(self, name: str, odoo: Odoo, server: Server, **settings):
        self.odoo = odoo
        self.server = server
        self.folder = LOCAL / name
        self.config = self.folder / "odoo.conf"
        self.data = self.folder / "data"
        self._write_config(settings)

    def _write_config(self, settings: dict) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        parser = configparser.RawConfigParser()
        parser.read(self.config)
        options = {
            "addons_path": ",".join(map(str, [*self.odoo.addons_path(), ROOT])),
            "data_dir": self.data,
            "db_host": self.server.host,
            "db_port": self.server.port,
            "db_user": self.server.user,
            "db_password": self.server.password,
            # The database manager is off; should somebody turn it on, nobody knows its password.
            "admin_passwd": parser.get("options", "admin_passwd", fallback=None) or secrets.token_urlsafe(24),
            "list_db": False,
            "http_interface": "127.0.0.1",
            "workers": 0,
            **settings,
        }
        parser["options"] = {key: str(value) for key, value in options.items()}
        self.config.touch(mode=0o600)
        with self.config.open("w") as file:
            parser.write(file)

    # ------------------------------------------------------------------ running

    def command(self, *arguments) -> list[str]:
        return [str(python_env.PYTHON), "-m", "odoo", *map(str, arguments)]

    def run(self, *arguments, log: Path, script: str = "", **env: str) -> str:
        """Run Odoo to its end, what it says going to a file; answer what it said."""
        with log.open("w") as file:
            done = subprocess.run(
                self.command(*arguments),
                input=script,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, **env},
            )
        said = log.read_text(errors="replace")
        if done.returncode:
            tail = "\n".join(said.splitlines()[-20:])
            raise SetupError(f"Odoo ended with code {done.returncode}:\n{tail}", f"The whole log is in {log}.")
        return said

    def modules(self, database: str, *arguments, log: Path | None = None) -> str:
        """Install or upgrade: modules(db, '-i', 'mail')."""
        options = ("-c", self.config, "-d", database, "--no-http", "--stop-after-init", *arguments)
        return self.run(*options, log=log or self.folder / "modules.log")

    def shell(self, database: str, script: str, **env: str) -> str:
        """Run Python code that finds `env`, with the given variables in its environment."""
        options = ("shell", "-c", self.config, "-d", database, "--no-http")
        return self.run(*options, log=self.folder / "shell.log", script=script, **env)

    # ---------------------------------------------------------------- databases

    def filestore(self, database: str) -> Path:
        return self.data / "filestore" / database

    def drop(self, database: str) -> None:
        self.server.drop(database)
        shutil.rmtree(self.filestore(database), ignore_errors=True)

    def create(self, database: str) -> None:
        """A new, empty database."""
        self.drop(database)
        self.server.create(database)

    def copy(self, template: str, database: str) -> None:
        """A fresh database with its files, in about a second."""
        self.drop(database)
        self.server.create(database, template)
        if self.filestore(template).exists():
            # Odoo never changes a file of its store, it adds and removes: links do.
            shutil.copytree(self.filestore(template), self.filestore(database), copy_function=os.link)

    def template(self, modules: list[str], *arguments) -> str:
        """A database with modules installed, made once and kept for as long as its ingredients stay the same."""
        ingredients = [
            str(self.odoo.home),
            self.odoo.version,
            python_env.LOCK.read_text(),
            *sorted(modules),
            *map(str, arguments),
        ]
        key = hashlib.sha256("\n".join(ingredients).encode()).hexdigest()[:12]
        name = f"template_{key}"
        with lock(self.folder / "template.lock", wait=True):
            if not self.server.exists(name):
                unfinished = f"{name}_unfinished"
                self.create(unfinished)
                with step(f"Preparing a database with {', '.join(modules)} (once)"):
                    self.modules(unfinished, "-i", ",".join(modules), *arguments, log=self.folder / "template.log")
                self.server.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
                self.filestore(unfinished).rename(self.filestore(name))
        return name
