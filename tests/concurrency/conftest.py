"""A database of its own with the addon, for each file of tests that needs more than one connection."""

import pytest

DATABASE = "concurrency"


@pytest.fixture(scope="module")
def registry(installed):
    from odoo import sql_db
    from odoo.modules.registry import Registry
    from odoo.tools import config

    installed.copy(DATABASE)
    testing, config["test_enable"] = config["test_enable"], False  # or it would run the addons' tests
    try:
        registry = Registry(DATABASE)
    finally:
        config["test_enable"] = testing
    yield registry
    Registry.delete(DATABASE)
    sql_db.close_db(DATABASE)
    installed.instance.drop(DATABASE)
