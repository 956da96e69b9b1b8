"""bin/i18n: Bring the folders i18n up to date with the sources, for those who change a text.

Exports the template (.pot) of every addon from a fresh database, and gives each translation (.po) beside it the same
terms: what is translated stays, what has no source any more goes, what is new is listed.  Translate it in the .po file,
with any editor or with Poedit; tests/lint/test_translations.py fails while something is missing.

The files look as Odoo writes them, less the dates in the header: the same sources give the same files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import environment, postgres, workspace
from .console import SetupError, say
from .instance import Instance
from .layout import ROOT, addons

DATABASE = "i18n"
DATES = ("POT-Creation-Date", "PO-Revision-Date")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="bin/i18n", description=__doc__.partition(": ")[2], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(argv)
    odoo = environment.enter()
    if not addons():
        raise SetupError(f"There is no addon in {ROOT}.", "Run this in a complete clone of the project.")
    with workspace.alone(DATABASE), postgres.running("test", durable=False) as server:
        instance = Instance("test", odoo, server)
        workspace.prepare(instance, DATABASE, keep=False)
        # Addons without a text have no folder i18n.
        templates = [export(instance, name) for name in addons() if (ROOT / name / "i18n").is_dir()]
        instance.drop(DATABASE)
    missing = sum(merge(path, template) for template in templates for path in sorted(template.parent.glob("*.po")))
    return 1 if missing else 0


def export(instance: Instance, addon: str) -> Path:
    """Write an addon's template as Odoo does, without the dates."""
    import polib

    template = ROOT / addon / "i18n" / f"{addon}.pot"
    options = ("-c", instance.config, "-d", DATABASE, "-o", template)
    instance.run("i18n", "export", *options, addon, log=instance.folder / "i18n.log")
    file = polib.pofile(str(template))
    for date in DATES:
        file.metadata.pop(date, None)
    file.save()
    say(f"{template.relative_to(ROOT)}: {len(file)} terms")
    return template


def merge(path: Path, template: Path) -> int:
    """Give a translation the terms of the template; answer how many are not translated."""
    import polib

    old, new = polib.pofile(str(path)), polib.pofile(str(template))
    known = {entry.msgid: entry for entry in old if not entry.obsolete}
    for entry in new:
        before = known.pop(entry.msgid, None)
        if before:
            entry.msgstr = before.msgstr
            entry.flags = before.flags
            entry.tcomment = before.tcomment
    new.metadata = {key: value for key, value in old.metadata.items() if key not in DATES}
    new.header = old.header
    new.save(str(path))
    missing = [entry.msgid for entry in new if not entry.translated()]
    say(f"{path.relative_to(ROOT)}: {len(new) - len(missing)} translated, {len(missing)} missing")
    for entry in known.values():
        say(f"  gone:    {entry.msgid!r} → {entry.msgstr!r}")
    for text in missing:
        say(f"  missing: {text!r}")
    return len(missing)
