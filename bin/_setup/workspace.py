"""A database with the addons as they are now, for tests and benchmarks."""

from __future__ import annotations

import ast
import contextlib

from .console import SetupError, lock, step
from .instance import Instance
from .layout import LOCAL, ROOT, addons, fingerprint


@contextlib.contextmanager
def alone(database: str):
    """Two runs in one database would spoil each other."""
    LOCAL.mkdir(exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(lock(LOCAL / f"{database}.lock"))
        except BlockingIOError:
            raise SetupError(f"Another run uses the database {database}.", "Wait until it has ended.") from None
        yield


def prepare(instance: Instance, database: str, *, keep: bool) -> None:
    """A database with the addons as they are now."""
    installed = instance.folder / f"{database}.installed"
    current = fingerprint()
    if keep and instance.server.exists(database) and installed.exists():
        if installed.read_text() == current:
            return
        arguments = ("-u", ",".join(addons()))
    else:
        instance.copy(instance.template(dependencies()), database)
        arguments = ("-i", ",".join(addons()))
    installed.unlink(missing_ok=True)
    with step(f"Bringing {', '.join(addons())} into the database {database}"):
        instance.modules(database, *arguments, log=instance.folder / f"{database}.modules.log")
    installed.write_text(current)


def dependencies() -> list[str]:
    """What our addons need from Odoo: the stuff of the template database."""
    needed = set()
    for name in addons():
        needed.update(ast.literal_eval((ROOT / name / "__manifest__.py").read_text()).get("depends", ()))
    return sorted(needed - set(addons()))
