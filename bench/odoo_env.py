"""Odoo, and databases to measure in."""

import contextlib
import logging
from pathlib import Path

import psycopg2
from psycopg2 import sql

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

import odoo.addons

ADDONS = Path(__file__).parent / "addons"


def start(config_file):
    """Read Odoo's settings, and add the addon that is there to compare with."""
    config.parse_config([*(["-c", config_file] if config_file else []), "--log-level=error"], setup_logging=True)
    odoo.addons.__path__.append(str(ADDONS))
    for name in ("odoo.sql_db", "odoo.modules.loading", "odoo.registry"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextlib.contextmanager
def administer(database):
    """A connection that commits every statement; for what a transaction cannot do."""
    _name, info = odoo.sql_db.connection_info_for(database)
    connection = psycopg2.connect(**info)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def let_go(database):
    """Close what Odoo holds of a database."""
    Registry.delete(database)
    odoo.sql_db.close_db(database)


@contextlib.contextmanager
def copy_of(source, suffix):
    """A database like ``source``, dropped at the end."""
    name = f"{source}_{suffix}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    let_go(source)
    with administer("postgres") as cursor:
        cursor.execute(drop)
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)))
    try:
        yield name
    finally:
        let_go(name)
        with administer("postgres") as cursor:
            cursor.execute(drop)


def open_cursor(database):
    """A transaction of Odoo's."""
    return Registry(database).cursor()


def make_environment(cr, user_id=None):
    """An environment as a request finds it: nothing in its cache."""
    return api.Environment(cr, user_id or SUPERUSER_ID, {"lang": "en_US"})


@contextlib.contextmanager
def environment(database, user_id=None):
    """An environment whose changes are rolled back."""
    with open_cursor(database) as cr:
        yield make_environment(cr, user_id)
        cr.rollback()


def install(database, module):
    """Install a module, and load the registry with it."""
    let_go(database)
    Registry.new(database, update_module=True, install_modules=[module])


def vacuum(database, *tables):
    """Remove what rolled back repetitions have left, so that none slows the next."""
    with administer(database) as cursor:
        cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
