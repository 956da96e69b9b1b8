"""Debian packages: installing what is missing, and fetching single files of another suite without installing them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .console import SetupError, as_root, run, say, step

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def _privileged(command: list[str]) -> list[str] | None:
    """The command as root, or nothing when that takes a password."""
    if as_root():
        return command
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n", *command]
    return None


def install(packages: list[str], why: str, *, required: bool = True) -> bool:
    """Install Debian packages when we may; otherwise say which are missing."""
    command = _privileged(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]) if shutil.which("apt-get") else None
    by_hand = f"Install them yourself: apt-get install {' '.join(packages)}"
    if command is None:
        if required:
            raise SetupError(f"{why} needs packages of the system that are missing: {' '.join(packages)}", by_hand)
        say(f"  {why}: missing, and goes on without. {by_hand}")
        return False
    with step(f"{why}: installing {' '.join(packages)}"):
        try:
            run([*command, "update", "-q"])
            run([*command, "install", "-q", "-y", "--no-install-recommends", *packages])
        except SetupError as error:
            if required:
                raise SetupError(str(error), by_hand) from error
            # Debian 13 has no wkhtmltopdf, for one.
            say(f"  goes on without; apt says: {str(error).splitlines()[-1]}")
            return False
    return True


def ensure_commands(wanted: dict[str, str], why: str, *, required: bool = True) -> bool:
    """See that programs are there: {program: the package that has it}."""
    missing = sorted({package for program, package in wanted.items() if not shutil.which(program)})
    return not missing or install(missing, why, required=required)


def ensure_printing() -> None:
    """What PDFs with Chinese text need; everything else works without."""
    ensure_commands({"wkhtmltopdf": "wkhtmltopdf"}, "Printed forms", required=False)
    if not shutil.which("fc-list") or not run(["fc-list", ":lang=zh"]).strip():
        install(["fontconfig", "fonts-noto-cjk"], "Chinese text in printed forms", required=False)


def mirror() -> str:
    """The Debian archive this machine is set up for."""
    override = os.environ.get("ODOO_MIRROR")
    if override:
        return override
    remedy = (
        "Point ODOO_HOME to an Odoo 19 you have (a git checkout, or the folder that holds the `odoo` package), "
        "or set ODOO_MIRROR to the address of a Debian archive mirror."
    )
    if not shutil.which("apt-get"):
        raise SetupError("Odoo 19 is fetched as a Debian package, and this machine has no apt.", remedy)
    targets = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian", "Label: Debian")
    found = run(targets).split()
    if not found:
        # A fresh machine has no lists yet, and only they tell which archive is Debian's own.
        command = _privileged(["apt-get"])
        if command:
            run([*command, "update", "-q"])
            found = run(targets).split()
    if not found:
        raise SetupError("apt on this machine knows no Debian archive (Ubuntu has its own).", remedy)
    return found[0]


def download(packages: dict[str, str], folder: Path) -> list[Path]:
    """Fetch packages {name: suite} as files into an empty folder, with an apt state of their own.

    The system's package lists and installed packages are neither used nor touched, so this needs no rights.
    """
    source = mirror()
    if not KEYRING.exists():
        install(["debian-archive-keyring"], "Checking Debian's signatures")
    state = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    suites = sorted(set(packages.values()))
    (state / "sources.list").write_text(
        "".join(f"deb [signed-by={KEYRING}] {source} {suite} main\n" for suite in suites)
    )
    options = {
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::Status": state / "status",
        "Dir::Cache": state / "cache",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
    remedy = "Check the network and the mirror (ODOO_MIRROR), or point ODOO_HOME to an Odoo 19 you have."
    run([*apt, "update"], remedy=remedy)
    run([*apt, "download", *(f"{name}/{suite}" for name, suite in packages.items())], cwd=folder, remedy=remedy)
    shutil.rmtree(state)
    return sorted(folder.glob("*.deb"))
