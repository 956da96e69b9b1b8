"""The addon packed as a Python package."""

import ast
import os
import subprocess
import sys
import zipfile

import pytest
from _setup.layout import ROOT, addons


@pytest.mark.slow
@pytest.mark.parametrize("addon", addons())
def test_wheel(addon, tmp_path):
    """Built with what the environment has, without fetching anything."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT / addon]
    # The version as the manifest says it, without the count of commits since.
    env = {**os.environ, "WHOOL_POST_VERSION_STRATEGY_OVERRIDE": "none"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    version = ast.literal_eval((ROOT / addon / "__manifest__.py").read_text())["version"]
    assert wheel.name == f"odoo_addon_{addon}-{version}-py3-none-any.whl"
    held = zipfile.ZipFile(wheel).namelist()
    assert f"odoo/addons/{addon}/__manifest__.py" in held
    assert all(name.startswith((f"odoo/addons/{addon}/", f"odoo_addon_{addon}-")) for name in held)
    assert not [name for name in held if "__pycache__" in name or name.endswith((".pyc", ".log"))]
    metadata = next(name for name in held if name.endswith("/METADATA"))
    described = zipfile.ZipFile(wheel).read(metadata).decode()
    assert "License-Expression: LGPL-3.0" in described or "License: LGPL-3" in described
    tracked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "."]
    sources = subprocess.run(tracked, cwd=ROOT / addon, capture_output=True, text=True, check=True).stdout.split("\n")
    shipped = {name for name in sources if name.endswith((".py", ".xml", ".csv", ".js", ".scss", ".po"))}
    assert shipped <= {name.removeprefix(f"odoo/addons/{addon}/") for name in held}
