"""bin/bench runs; what it measures is nobody's business here."""

import json
import os
import subprocess
import sys

import pytest
from _setup import postgres
from _setup.layout import ROOT


def bench(*arguments):
    command = [sys.executable, ROOT / "bin" / "bench", *map(str, arguments)]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_load(tmp_path):
    """Graduates ask a server with workers; each gets the own page, and nothing is left behind."""
    report = tmp_path / "report.json"
    done = bench("--only", "load", "--size", 12, "--seconds", 0.1, "--json", report)
    assert not done.returncode, done.stderr
    load = json.loads(report.read_text())["load"]
    assert load["workers"] == 2
    assert {target["name"]: (target["errors"], target["complaint"]) for target in load["targets"]} == dict.fromkeys(
        (
            "a bare controller",
            "Odoo's own /my/home",
            "the form page",
            "the page of a step",
            "the poll for news",
            "the poll, nothing new",
        ),
        (0, ""),
    )
    assert all(target["requests"] for target in load["targets"])
    assert load["complaints"] == []
    assert "| the form page |" in done.stdout
    assert not postgres.ensure("test", durable=False).exists("bench_load")
    assert not subprocess.run(["pgrep", "-f", str(ROOT / "bench" / "load_")], capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--size", "0"], "--size is a number from 1 to 30,000"),
        (["--seconds", "0"], "--seconds is a number up to 600"),
        (["--only", "nothing"], "invalid choice: 'nothing'"),
    ],
)
def test_bench_refuses(arguments, complaint):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--database", "none", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert complaint in done.stderr
