"""The Python environment in .local/venv: the locked packages, and Odoo on the path."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import apt
from .console import SetupError, run, say, step
from .layout import LOCAL, ROOT
from .odoo_source import Odoo

LOCK = ROOT / "requirements" / "requirements.lock"
VENV = LOCAL / "venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "made-from"
VERSIONS = ((3, 10), (3, 13))
"""The first and the last Python that Odoo 19 runs on."""


def active() -> bool:
    """Whether this very process runs in the environment."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def ensure(odoo: Odoo) -> None:
    recipe = f"{odoo.home}\n{hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n"
    if STAMP.exists() and STAMP.read_text() == recipe and PYTHON.exists():
        return
    base = _interpreter()
    shutil.rmtree(VENV, ignore_errors=True)
    with step(f"Installing Python packages for {Path(base).name} (once)"):
        _install(base)
    site_packages = next(VENV.glob("lib/python3.*/site-packages"))
    (site_packages / "odoo.pth").write_text(f"{odoo.home}\n")
    STAMP.write_text(recipe)


def _interpreter() -> str:
    """A Python that Odoo 19 runs on: the one named, this one, or another one installed."""
    named = os.environ.get("ODOO_PYTHON")
    candidates = [named] if named else [sys.executable, *(f"python3.{minor}" for minor in (12, 11, 13, 10))]
    for candidate in filter(None, map(shutil.which, filter(None, candidates))):
        probe = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True
        )
        if not probe.returncode and VERSIONS[0] <= tuple(map(int, probe.stdout.split())) <= VERSIONS[1]:
            return candidate
    raise SetupError(
        f"Odoo 19 needs Python 3.10 to 3.13; {named or 'this machine'} has {'.'.join(map(str, sys.version_info[:2]))}."
        if not named
        else f"ODOO_PYTHON={named} is no Python from 3.10 to 3.13, which Odoo 19 needs.",
        "Install one of them, or name it in ODOO_PYTHON=/path/to/python3.12.",
    )


def _install(base: str) -> None:
    uv = shutil.which("uv") or _uv(base)
    if uv:
        env = {**os.environ, **_index_of_pip(base)}
        run([uv, "venv", "-q", "--no-config", "--python", base, VENV], env=env)
        run([uv, "pip", "install", "-q", "--no-config", "--python", PYTHON, "-r", LOCK], env=env, remedy=_NETWORK)
    else:
        run([base, "-m", "venv", VENV])
        run([PYTHON, "-m", "pip", "install", "-q", "-r", LOCK], remedy=_NETWORK)


_NETWORK = "Check that pip reaches its package index (pip.conf, PIP_INDEX_URL, proxy) and run the command again."


def _uv(base: str) -> str | None:
    """The installer uv out of a small environment of its own; nothing when only pip is to be had."""
    if subprocess.run([base, "-c", "import ensurepip"], capture_output=True).returncode:
        # Debian keeps it in a package of its own, named after the version.
        apt.install([f"{Path(os.path.realpath(base)).name}-venv"], "Making a Python environment")
    bootstrap = LOCAL / "uv"
    try:
        run([base, "-m", "venv", "--clear", bootstrap])
        run([bootstrap / "bin" / "python", "-m", "pip", "install", "-q", "-c", LOCK, "uv"])
    except SetupError as error:
        say(f"  uv is not to be had, going on with pip: {error}")
        return None
    return str(bootstrap / "bin" / "uv")


def _index_of_pip(base: str) -> dict[str, str]:
    """Who set up a mirror for pip means it for uv too, which does not read pip's configuration."""
    if "UV_DEFAULT_INDEX" in os.environ:
        return {}
    asked = subprocess.run([base, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True)
    index = os.environ.get("PIP_INDEX_URL") or ("" if asked.returncode else asked.stdout.strip())
    return {"UV_DEFAULT_INDEX": index} if index else {}
