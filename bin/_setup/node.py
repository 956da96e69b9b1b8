"""The JavaScript tools that lint, and the one that looks for barriers in pages, in node_modules."""

from __future__ import annotations

import hashlib

from . import apt
from .console import run, step
from .layout import ROOT

MODULES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"
STAMP = MODULES / ".made-from"


def ensure() -> None:
    recipe = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == recipe:
        return
    apt.ensure_commands({"node": "nodejs", "npm": "npm"}, "Lint of JavaScript and XML, and checks of accessibility")
    with step("Installing eslint, prettier and axe-core (once)"):
        run(["npm", "ci", "--ignore-scripts"], cwd=ROOT, remedy="Check that npm reaches its package registry.")
    STAMP.write_text(recipe)
