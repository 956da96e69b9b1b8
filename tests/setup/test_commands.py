"""The commands as a user types them: what they refuse, and how they say it."""

import os
import socket
import subprocess
import sys

import pytest
from _setup.layout import ROOT


def call(command, *arguments, **env):
    return subprocess.run(
        [sys.executable, ROOT / "bin" / command, *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["demo", "test", "bench", "i18n"])
def test_commands_are_executable(command):
    assert os.access(ROOT / "bin" / command, os.X_OK)


@pytest.mark.parametrize("command", ["demo", "test", "i18n"])
def test_help_names_the_options(command):
    done = call(command, "--help")
    assert done.returncode == 0
    assert f"usage: bin/{command}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--size", "0"], "'0' is not a number from 1 to 30,000"),
        (["--size", "-1"], "'-1' is not a number from 1 to 30,000"),
        (["--size", "30001"], "'30001' is not a number from 1 to 30,000"),
        (["--size", "many"], "'many' is not a number"),
        (["--size", "1e3"], "'1e3' is not a number"),
        (["--size", "9" * 30], "is not a number"),
        (["--size"], "expected one argument"),
        (["--seed", "x"], "'x' is not a number"),
        (["--port", "0"], "'0' is not a number from 1 to 65,535"),
        (["--port", "65536"], "'65536' is not a number from 1 to 65,535"),
        (["--lang", "xx_XX"], "invalid choice: 'xx_XX'"),
        (["--sise", "5"], "unrecognized arguments: --sise"),
        (["--host", "203.0.113.1"], "Cannot listen on 203.0.113.1:8069"),
    ],
)
def test_demo_refuses(arguments, complaint):
    done = call("demo", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_refuses_a_port_in_use():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = call("demo", "--port", str(port))
    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in done.stderr
    assert "--port" in done.stderr.split("→")[1]


@pytest.mark.parametrize("name", ["a;b", "template0", ""])
def test_test_refuses_a_database_name(name):
    done = call("test", "--database", name)
    assert done.returncode == 2
    assert "is no usable name" in done.stderr


def test_odoo_home_without_odoo(tmp_path):
    done = call("test", "--fast", "--database", "unused", ODOO_HOME=str(tmp_path))
    assert done.returncode == 1
    assert f"No Odoo in {tmp_path}" in done.stderr
    assert "→ Point ODOO_HOME to" in done.stderr


def test_odoo_home_of_another_series(tmp_path):
    release = tmp_path / "odoo" / "release.py"
    release.parent.mkdir()
    release.write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    done = call("bench" if (ROOT / "bench").exists() else "test", ODOO_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "is not Odoo 19" in done.stderr
