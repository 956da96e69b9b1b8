"""What only the server may say about sources: what is allowed, and secrets.

It stands in the section ``[graduate_clearance]`` of ``odoo.conf``, or in environment variables
``GRADUATE_CLEARANCE_<NAME>``, which win.  A server with several databases has a section for each that pulls,
``[graduate_clearance:<database>]``; then that one alone counts, so that one campus cannot use another's secrets.
Nothing of it is ever written to the database or to the log.
"""

import configparser
import os
import re

from odoo.exceptions import UserError
from odoo.tools import config

SECTION = "graduate_clearance"
_PREFIX = "GRADUATE_CLEARANCE_"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def get(env, name):
    """A setting of the server.

    :param str name: such as ``feed_hosts``
    :return: its text, empty when it is not set
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read(config["config"] or [], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        # Not from the error: a parser quotes the line, which may hold a secret.
        said = env._("The server's configuration file cannot be read. Ask the server's administrator.")
        raise UserError(said) from None
    own = f"{SECTION}:{env.cr.dbname}"
    if parser.has_section(own):
        return parser.get(own, name, fallback="").strip()
    value = os.environ.get(_PREFIX + name.upper())
    if value is None:
        value = parser.get(SECTION, name, fallback="")
    return value.strip()


def get_list(env, name):
    """A setting that lists several things, separated by commas or on lines of their own."""
    return [item.strip() for item in re.split(r"[,\n]", get(env, name)) if item.strip()]


def get_secret(env, kind, name):
    """A secret by its name, such as ``feed_dsn_library``.

    :param str kind: ``dsn`` or ``token``
    :param str name: small letters, digits and ``_``
    :raise UserError: when there is none
    """
    key = f"feed_{kind}_{name}"
    value = get(env, key) if _NAME.fullmatch(name or "") else ""
    if not value:
        raise UserError(
            env._("The server's configuration has no “%(key)s”. Ask the server's administrator to set it.", key=key)
        )
    return value
