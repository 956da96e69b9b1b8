"""Odoo 19 itself: the user's own (ODOO_HOME), or unpacked from Debian's package into the cache."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import apt
from .console import SetupError, say, step
from .layout import cache

SERIES = 19
LANGUAGES = {"zh_CN", "zh_TW"}
"""Translations kept: all of them together are three quarters of the package."""

PACKAGES = {
    "odoo-19": "sid",
    # What Debian took out of Odoo and left as links into packages of their own.
    "libjs-jquery": "sid",
    "libjs-underscore": "sid",
    "libjs-jquery-form": "sid",
    "fonts-montserrat": "sid",
    "fonts-roboto-unhinted": "sid",
    "fonts-ocr-b": "sid",
    # Odoo wants Font Awesome 4.7, sid has 7.
    "fonts-font-awesome": "bookworm",
    "fonts-inconsolata": "bookworm",
}
DIST_PACKAGES = Path("usr/lib/python3/dist-packages")


@dataclass(frozen=True)
class Odoo:
    home: Path
    """The folder to put on Python's path: it holds the package `odoo`."""
    version: str

    def addons_path(self) -> list[Path]:
        """Folders of addons beside odoo/addons, which Odoo finds by itself."""
        checkout = self.home / "addons"
        return [checkout] if (checkout / "web").is_dir() else []

    def addon(self, name: str) -> Path:
        candidates = [*self.addons_path(), self.home / "odoo" / "addons"]
        return next(
            (path / name for path in candidates if (path / name / "__manifest__.py").exists()), candidates[-1] / name
        )


def ensure() -> Odoo:
    own = os.environ.get("ODOO_HOME")
    if own:
        return _inspect(Path(own).expanduser().resolve())
    tree = cache() / "odoo-19"
    if not tree.exists():
        _unpack_into(tree)
    return _inspect(tree / DIST_PACKAGES, (tree / "VERSION").read_text().strip())


def _inspect(home: Path, version: str = "") -> Odoo:
    release = home / "odoo" / "release.py"
    remedy = "Point ODOO_HOME to a git checkout of Odoo 19 or to the folder that holds its `odoo` package."
    if not release.exists():
        raise SetupError(f"No Odoo in {home}: {release} is missing.", remedy)
    found = re.search(r"^version_info = \((\d+), (\d+)", release.read_text(), re.MULTILINE)
    if not found or int(found[1]) != SERIES:
        raise SetupError(f"The Odoo in {home} is not Odoo {SERIES}.", remedy)
    return Odoo(home, version or f"{found[1]}.{found[2]}")


def _unpack_into(tree: Path) -> None:
    apt.ensure_commands({"dpkg-deb": "dpkg"}, "Unpacking Odoo")
    tree.parent.mkdir(parents=True, exist_ok=True)
    # Made beside its place and renamed at the end: an interrupted run leaves nothing half done.
    with tempfile.TemporaryDirectory(prefix="odoo-", dir=tree.parent) as work:
        downloads, fresh = Path(work, "debs"), Path(work, "tree")
        downloads.mkdir()
        fresh.mkdir()
        with step("Downloading Odoo 19 (about 130 MB, once)"):
            files = apt.download(PACKAGES, downloads)
        version = next(path.name.split("_")[1] for path in files if path.name.startswith("odoo-19_"))
        with step(f"Unpacking Odoo {version}"):
            for path in files:
                _extract(path, fresh)
        _mend(fresh / DIST_PACKAGES)
        (fresh / "VERSION").write_text(version + "\n")
        try:
            fresh.rename(tree)
        except OSError:
            if not tree.exists():  # else another run was quicker
                raise
    say(f"  Odoo {version} is in {tree}")


def _wanted(name: str) -> bool:
    if name.endswith(".po"):
        return Path(name).stem in LANGUAGES
    # The package carries its addons twice.
    return not name.startswith(f"{DIST_PACKAGES}/addons/") and not name.startswith(("etc/", "usr/share/doc/"))


def _extract(deb: Path, target: Path) -> None:
    unpacker = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    with unpacker, tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive:
        for member in archive:
            if _wanted(os.path.normpath(member.name)) and not member.isdir():
                archive.extract(member, target)
        unpacker.stdout.read()  # padding after the archive's end
    if unpacker.returncode:
        raise SetupError(f"Unpacking {deb.name} failed.", "Run the command again; it downloads the package anew.")


def _mend(dist_packages: Path) -> None:
    """Give back what Debian's package lists but does not hold; else every page of the web client logs an error."""
    selfie = dist_packages / "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    if not selfie.exists():
        selfie.parent.mkdir(parents=True, exist_ok=True)
        selfie.write_text("// Not part of this package: background blur in video calls is off.\n")
