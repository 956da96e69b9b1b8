"""An addon comes, is upgraded and goes, and Odoo has nothing to complain about."""

import re

import pytest
from _setup import odoo_source, postgres, workspace
from _setup.instance import Instance
from _setup.layout import ADDON, addons

DATABASE = "lifecycle"
COMPLAINT = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)
UNINSTALL = """
env["ir.module.module"].search([("name", "in", %r), ("state", "=", "installed")]).button_immediate_uninstall()
"""


@pytest.fixture(scope="module")
def instance():
    instance = Instance("test", odoo_source.ensure(), postgres.ensure("test", durable=False))
    instance.copy(instance.template(workspace.dependencies()), DATABASE)
    yield instance
    instance.drop(DATABASE)


@pytest.mark.slow
def test_install_upgrade_uninstall(instance):
    names = ",".join(addons())
    logs = {
        "install": instance.modules(DATABASE, "-i", names),
        "upgrade": instance.modules(DATABASE, "-u", names),
        "uninstall": instance.shell(DATABASE, UNINSTALL % addons()),
    }
    assert not {what: complaints for what, log in logs.items() if (complaints := COMPLAINT.findall(log))}

    def ask(statement, pattern):
        return instance.server.execute(statement, [pattern], DATABASE)

    assert not ask("SELECT name FROM ir_module_module WHERE name LIKE %s AND state <> 'uninstalled'", f"{ADDON}%")
    assert not ask("SELECT tablename FROM pg_tables WHERE tablename LIKE %s", "clearance\\_%")
    assert not ask("SELECT proname FROM pg_proc WHERE proname LIKE %s", "clearance\\_%")
    assert not ask("SELECT module, name FROM ir_model_data WHERE module LIKE %s", f"{ADDON}%")
    again = instance.modules(DATABASE, "-i", names)
    assert not COMPLAINT.findall(again)
