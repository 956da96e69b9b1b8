"""Rows of a query to a PostgreSQL database that the server knows.

The query is not trusted.  The session reads only, which the source's own server enforces; the query is opened as a
cursor by a block of PL/pgSQL, which takes exactly one statement that answers rows, so that nothing can be put behind
it; and the answer has its time.
"""

import contextlib
import time

import psycopg2
from psycopg2 import errorcodes

from odoo.exceptions import UserError

from ..table_file import MOST_ROWS
from . import settings

#: rows fetched at once
PART = 2_000
#: seconds for the whole answer
PATIENCE = 60
MOST_COLUMNS = 200
_LONGEST_QUERY = 20_000
_CURSOR = "clearance_feed"
_OPEN = f"""
DO $clearance$
DECLARE
    rows refcursor := '{_CURSOR}';
BEGIN
    OPEN rows NO SCROLL FOR EXECUTE current_setting('graduate_clearance.query');
END
$clearance$
"""


def check_query(env, query):
    """Refuse what cannot be a query; whether it is one, its server says.

    :return: the query without a semicolon at its end
    """
    query = (query or "").strip().rstrip(";").strip()
    if not query or "\x00" in query or len(query) > _LONGEST_QUERY:
        raise UserError(env._("Give one SELECT statement that answers a row for each graduate."))
    return query


@contextlib.contextmanager
def open_query(env, dsn_name, query, tell_detail=False):
    """Run a query, and read its answer part by part.

    :param str dsn_name: name of the connection in the server's configuration (``feed_dsn_<name>``)
    :param str query: one SELECT statement
    :param bool tell_detail: whether messages hold what the source's server says of the query: for those who may
        see the query
    :return: context manager that gives the list of columns and an iterator of rows
    :raise UserError: in plain words, without the connection and without any secret
    """
    query = check_query(env, query)
    dsn = settings.get_secret(env, "dsn", dsn_name)
    connection = _connect(env, dsn)
    try:
        deadline = time.monotonic() + PATIENCE
        cursor = _open_cursor(connection, query, deadline)
        first = _fetch(connection, cursor, deadline)
        columns = [column.name for column in cursor.description or ()]
        if len(columns) > MOST_COLUMNS:
            raise UserError(env._("The query answers more than %s columns.", MOST_COLUMNS))
        yield columns, _iterate(env, connection, cursor, first, deadline, tell_detail)
    except psycopg2.Error as error:
        raise UserError(_explain(env, error, tell_detail)) from None
    except (OverflowError, UnicodeError, ValueError):
        raise UserError(_explain_value(env)) from None
    finally:
        with contextlib.suppress(psycopg2.Error):
            connection.close()


def _connect(env, dsn):
    try:
        connection = psycopg2.connect(
            dsn,
            connect_timeout=10,
            application_name="graduate_clearance",
            # A source that is cut off is noticed after half a minute.
            keepalives=1,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=4,
        )
    except (psycopg2.Error, UnicodeError, ValueError) as error:
        raise UserError(_explain_connection(env, str(error))) from None
    return connection


def _open_cursor(connection, query, deadline):
    """A cursor over the answer of the query, in a transaction that can only read."""
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    connection.set_client_encoding("UTF8")
    with connection.cursor() as cursor:
        # Names are looked up in the server's own schema first, and never among temporary ones before others.
        cursor.execute("SET LOCAL search_path = pg_catalog, public, pg_temp")
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', '5s', true)")
        cursor.execute("SELECT pg_catalog.set_config('graduate_clearance.query', %s, true)", [query])
        _limit_time(cursor, deadline)
        cursor.execute(_OPEN)
    # A named cursor that is not executed fetches from the one of that name.
    return connection.cursor(_CURSOR)


def _limit_time(cursor, deadline):
    """Leave a statement what is left of the time; said anew each time, for the query could have changed it."""
    left = max(1, int(1000 * (deadline - time.monotonic())))
    cursor.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", [str(left)])


def _fetch(connection, cursor, deadline):
    with connection.cursor() as plain:
        _limit_time(plain, deadline)
    return cursor.fetchmany(PART)


def _iterate(env, connection, cursor, part, deadline, tell_detail):
    """The rows, with no more than a part of them in memory."""
    count = 0
    try:
        while part:
            count += len(part)
            if count > MOST_ROWS:
                raise UserError(env._("The query answers more than %s rows.", f"{MOST_ROWS:,}"))
            yield from part
            part = _fetch(connection, cursor, deadline) if len(part) == PART else None
    except psycopg2.Error as error:
        raise UserError(_explain(env, error, tell_detail)) from None
    except (OverflowError, UnicodeError, ValueError):
        raise UserError(_explain_value(env)) from None


def _explain_connection(env, text):
    """Why there is no connection, in plain words: the original names hosts and users."""
    text = text.lower()
    if "authentication failed" in text or "no password supplied" in text or "pg_hba" in text:
        return env._("The source's database refuses the login. Ask the server's administrator to check it.")
    if "does not exist" in text:
        return env._("The source's server has no such database or user. Ask the server's administrator to check it.")
    if "timeout" in text or "timed out" in text:
        return env._("The source's database does not answer in time.")
    return env._(
        "The source's database cannot be reached: it is not running, or what the server's configuration says of it is "
        "wrong."
    )


def _explain_value(env):
    return env._("The answer of the query holds a value that cannot be read: a wrong encoding, or a date out of range.")


def _explain(env, error, tell_detail):
    """Why a query failed, in plain words by the code of the error."""
    said = {
        errorcodes.QUERY_CANCELED: env._("The query took longer than %s seconds.", PATIENCE),
        errorcodes.LOCK_NOT_AVAILABLE: env._("A table of the source is locked by somebody else."),
        errorcodes.READ_ONLY_SQL_TRANSACTION: env._("The query would write to the source, which is not allowed."),
        errorcodes.INVALID_CURSOR_DEFINITION: env._("Give one SELECT statement, nothing else, that answers rows."),
        errorcodes.FEATURE_NOT_SUPPORTED: env._("Give one SELECT statement, nothing else, that answers rows."),
        errorcodes.UNDEFINED_TABLE: env._("The query names a table that the source does not have."),
        errorcodes.UNDEFINED_COLUMN: env._("The query names a column that the source does not have."),
        errorcodes.INSUFFICIENT_PRIVILEGE: env._("The source's user may not read what the query asks for."),
        errorcodes.SYNTAX_ERROR: env._("The query is not correct SQL."),
    }.get(error.pgcode)
    if not said:
        if not error.pgcode or error.pgcode[:2] in ("08", "57"):
            return env._("The connection to the source's database broke off.")
        said = env._("The query fails (error %s of PostgreSQL).", error.pgcode)
    detail = error.diag.message_primary if tell_detail else ""
    return f"{said} {detail}".strip()
