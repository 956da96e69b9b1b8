"""Where things are."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The clone: also the folder Odoo finds the project's addons in."""

LOCAL = ROOT / ".local"
"""Everything the commands make for this clone; ignored by git, safe to delete while nothing runs."""

ADDON = "graduate_clearance"


def cache() -> Path:
    """What several clones share: the downloaded Odoo and prepared databases."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graduate_clearance"
    return Path(os.environ.get("ODOO_CACHE") or default).expanduser().resolve()


def addons() -> list[str]:
    """The project's addons: the main one and its glue."""
    return sorted(path.parent.name for path in ROOT.glob(f"{ADDON}*/__manifest__.py"))


def fingerprint() -> str:
    """Changes when a file of the addons does."""
    digest = hashlib.sha256()
    for name in addons():
        for path in sorted((ROOT / name).rglob("*")):
            if path.is_file():
                digest.update(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n".encode())
    return digest.hexdigest()
