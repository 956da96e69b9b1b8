"""bin/test: prepare a database that has the addons, and run every check as one pytest run."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from . import apt, environment, node, postgres, python_env, workspace
from .console import SetupError, foreground
from .instance import Instance
from .layout import ADDON, ROOT, addons

BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
"""As odoo/tests/common.py looks for them."""

DESCRIPTION = """\
Prove the project: lint, Odoo's own lint, the addons' tests with a browser, and what spans everything.
Whatever is missing on the machine is installed first. All of it is one pytest run, whose summary comes last."""

EPILOG = """\
Everything else goes to pytest:
  bin/test -k deferral              tests whose name holds "deferral"
  bin/test --fast -x                no browser, no slow checks; keeps the database between runs
  bin/test graduate_clearance/tests/test_gate.py
"""


def main(argv: list[str]) -> int:
    options, pytest_arguments = _parse(argv)
    odoo = environment.enter()
    if not addons():
        raise SetupError(f"There is no addon {ADDON} in {ROOT}.", "Run this in a complete clone of the project.")
    if not options.fast:
        _ensure_tools()
    with workspace.alone(options.database), postgres.running("test", durable=False) as server:
        instance = Instance("test", odoo, server)
        workspace.prepare(instance, options.database, keep=options.fast)
        # What tests start themselves finds the same server and tools.
        env = {**os.environ, **server.environment()}
        env["PATH"] = os.pathsep.join([str(node.MODULES / ".bin"), env["PATH"]])
        command = [python_env.PYTHON, "-m", "pytest", *_arguments(instance, options), *pytest_arguments]
        return foreground(command, cwd=ROOT, env=env)


def _parse(argv: list[str]):
    parser = argparse.ArgumentParser(
        prog="bin/test",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--fast", action="store_true", help="leave out browser and slow checks, keep the database")
    parser.add_argument("--database", default="test", metavar="NAME", help="the database to test in (default: test)")
    options, rest = parser.parse_known_args(argv)
    if not options.database.replace("_", "").isalnum() or options.database.startswith("template"):
        raise SetupError(
            f"--database {options.database} is no usable name.", "Take letters, digits and _, not template….", 2
        )
    options.paths = any(os.path.exists(ROOT / argument.split("::")[0]) for argument in rest if argument[:1] != "-")
    return options, rest


def _ensure_tools() -> None:
    apt.ensure_commands({"git": "git", "pgrep": "procps"}, "Tests")
    node.ensure()
    if not any(map(shutil.which, BROWSERS)):
        # Without a browser Odoo would skip its tests in silence.
        apt.install(["chromium"], "Tests in a browser")
    apt.ensure_printing()


def _arguments(instance: Instance, options) -> list[str]:
    arguments = [f"--odoo-config={instance.config}", f"--odoo-database={options.database}", "--odoo-log-level=warn"]
    # pytest-odoo skips every HttpCase without this, and the browser with it.
    arguments += ["-m", "not slow"] if options.fast else ["--odoo-http"]
    if not options.paths:
        arguments += [*addons(), "tests"]
        if not options.fast:
            arguments += _odoo_lint(instance)
    return arguments


def _odoo_lint(instance: Instance) -> list[str]:
    """Odoo's own checks of addons, less the tests of its checkers and what walks through every file below the clone.

    What pylint and eslint say about our addons is asked in tests/lint."""
    folder: Path = instance.odoo.addon("test_lint") / "tests"
    left_out = ("test_checkers.py", "test_pylint.py", "test_eslint.py", "test_markers.py")
    return [str(folder), *(f"--ignore={folder / name}" for name in left_out)] if folder.exists() else []
