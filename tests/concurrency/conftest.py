"""A database of its own with the addon, for each file of tests that needs more than one connection."""

import pytest
from _setup import odoo_source, postgres, workspace
from _setup.instance import Instance
from _setup.layout import ADDON

DATABASE = "concurrency"


@pytest.fixture(scope="module")
def registry():
    from odoo import sql_db
    from odoo.modules.registry import Registry
    from odoo.tools import config

    instance = Instance("test", odoo_source.ensure(), postgres.ensure("test", durable=False))
    instance.copy(instance.template(workspace.dependencies()), DATABASE)
    instance.modules(DATABASE, "-i", ADDON)
    testing, config["test_enable"] = config["test_enable"], False  # or it would run the addons' tests
    try:
        registry = Registry(DATABASE)
    finally:
        config["test_enable"] = testing
    yield registry
    Registry.delete(DATABASE)
    sql_db.close_db(DATABASE)
    instance.drop(DATABASE)
