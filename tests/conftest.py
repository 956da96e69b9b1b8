"""What several kinds of tests need that make databases of their own."""

from typing import NamedTuple

import pytest
from _setup import odoo_source, postgres, workspace
from _setup.instance import Instance
from _setup.layout import ADDON


class Installed(NamedTuple):
    """A database with the addon, to be copied and not to be opened."""

    instance: Instance
    database: str

    def copy(self, database):
        """A fresh database with the addon, in about a second."""
        self.instance.copy(self.database, database)


@pytest.fixture(scope="session")
def installed():
    """The addon, installed once for all tests that need a database of their own."""
    instance = Instance("test", odoo_source.ensure(), postgres.ensure("test", durable=False))
    installed = Installed(instance, "installed")
    instance.copy(instance.template(workspace.dependencies()), installed.database)
    instance.modules(installed.database, "-i", ADDON)
    yield installed
    instance.drop(installed.database)
