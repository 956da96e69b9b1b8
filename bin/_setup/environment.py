"""From whatever Python the user has into the one that has Odoo."""

from __future__ import annotations

import os
import sys

from . import layout, odoo_source, python_env


def enter() -> odoo_source.Odoo:
    """Prepare Odoo and its Python environment, and go on in that environment.

    On the first call the running command is started anew in the environment; there the call returns.
    """
    layout.LOCAL.mkdir(exist_ok=True)
    odoo = odoo_source.ensure()
    if python_env.active():
        return odoo
    python_env.ensure(odoo)
    # Odoo starts in half the time with its byte code at hand; beside the sources it would litter clone and ODOO_HOME.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(layout.cache() / "pycache")
    os.environ["PATH"] = f"{python_env.VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    sys.stdout.flush()
    return os.execv(python_env.PYTHON, [str(python_env.PYTHON), *sys.argv])
