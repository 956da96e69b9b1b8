"""bin/bench: a database to measure in, and then the package bench/ of the clone.

What bench/ finds when `python -m bench ARGUMENTS…` is started, in the root of the clone:

- `odoo` can be imported; ODOO_RC names the settings, which Odoo reads by itself;
- PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE lead to a new database with the addons installed and no demo data.
  The server is private, with fsync off and otherwise PostgreSQL's defaults, and stops afterwards;
- every argument of bin/bench; its exit code is the answer.

A server of the user's (PGHOST) is used instead, as it is.
"""

from __future__ import annotations

import os

from . import environment, postgres, python_env, workspace
from .console import SetupError, foreground
from .instance import Instance
from .layout import ADDON, ROOT, addons

DATABASE = "bench"


def main(argv: list[str]) -> int:
    if not (ROOT / "bench" / "__main__.py").exists() or not addons():
        raise SetupError(f"{ROOT} holds no {ADDON} with a bench/.", "Run this in a complete clone of the project.")
    odoo = environment.enter()
    command = [python_env.PYTHON, "-m", "bench", *argv]
    if {"-h", "--help"} & set(argv):
        return foreground(command, cwd=ROOT)
    with workspace.alone(DATABASE), postgres.running("test", durable=False) as server:
        instance = Instance("test", odoo, server)
        workspace.prepare(instance, DATABASE, keep=False)
        env = {**os.environ, **server.environment(), "PGDATABASE": DATABASE, "ODOO_RC": str(instance.config)}
        return foreground(command, cwd=ROOT, env=env)
