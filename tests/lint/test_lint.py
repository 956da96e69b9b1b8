"""One test a linter, so that each is counted and can be run alone: bin/test -k ruff."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from _setup.layout import ROOT, addons

BINARIES = Path(sys.executable).parent


def files(*patterns):
    """Files of the project that git knows or would take, given relative to its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def assert_clean(program, *arguments, **env):
    """Run a linter in the project's root; what it says is the failure's text."""
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=600
    )
    assert not done.returncode, f"{Path(program).name} says:\n{done.stdout}\n{done.stderr}"


def node_tool(name):
    program = shutil.which(name, path=ROOT / "node_modules" / ".bin")
    assert program, f"{name} is not installed; bin/test does it"
    return program


def test_ruff_check():
    assert_clean(BINARIES / "ruff", "check", "--quiet", ".")


def test_ruff_format():
    assert_clean(BINARIES / "ruff", "format", "--check", "--quiet", ".")


@pytest.mark.slow
def test_pylint_odoo():
    assert_clean(BINARIES / "pylint", *addons())


@pytest.mark.slow
def test_pylint_checkers_of_odoo():
    """SQL injection, translations and unlink overrides, as Odoo checks its own code.

    Odoo's test_lint runs the same over all of its addons, which takes a quarter of an hour.
    """
    import odoo.addons.test_lint as test_lint

    checkers = Path(test_lint.__file__).parent / "tests"
    assert_clean(
        BINARIES / "pylint",
        "--rcfile=/dev/null",
        "--score=no",
        # pylint-odoo is not loaded here, so what is said to it inline is unknown.
        "--disable=all,unknown-option-value",
        "--enable=used-before-assignment,undefined-variable,eval-used,unreachable,function-redefined,"
        "sql-injection,missing-gettext,gettext-variable,gettext-placeholders,gettext-repr,raise-unlink-override",
        "--load-plugins=_odoo_checker_sql_injection,_odoo_checker_gettext,_odoo_checker_unlink_override",
        *addons(),
        PYTHONPATH=str(checkers),
    )


@pytest.mark.slow
@pytest.mark.parametrize("addon", addons())
def test_oca_module(addon):
    assert_clean(BINARIES / "oca-checks-odoo-module", f"{addon}/__manifest__.py")


@pytest.mark.slow
def test_oca_po():
    translations = files("*.po", "*.pot")
    if not translations:
        pytest.skip("no translations yet")
    assert_clean(BINARIES / "oca-checks-po", *translations)


@pytest.mark.slow
def test_eslint():
    assert_clean(node_tool("eslint"), "--max-warnings=0", *files("*.js", "*.mjs"))


@pytest.mark.slow
def test_prettier():
    assert_clean(node_tool("prettier"), "--check", "--log-level=warn", *files("*.js", "*.mjs", "*.scss", "*.xml"))
