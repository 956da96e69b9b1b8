"""What has changed since a cursor: nothing is left out and nothing told twice."""

import re
from typing import NamedTuple

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .clearance_api import to_utc

_PAGE, MOST_CHANGES = 500, 2_000
_LONGEST_CURSOR = 200
_CURSOR = re.compile(r"1((?:-\d{1,18}){7})")
#: a line may be numbered a moment before its transaction is: so many numbers are looked at once more
_MARGIN = 1_000
#: transactions are numbered from the snapshot's end backwards, and so many forwards: what reads its own lines
_AHEAD = 2**20
_COLUMNS = (
    "id",
    "date",
    "user_id",
    "action",
    "from_state",
    "to_state",
    "reason",
    "door",
    "form_id",
    "status_id",
    "step_id",
    "station_id",
    "session_id",
)


class Cursor(NamedTuple):
    """How far a reader has come.

    Lines of the log are numbered when they are written and seen when they are committed: a slow batch
    commits low numbers after quick confirmations have committed higher ones, and a reader who remembers
    the highest number misses the batch.  So a cursor counts in transactions: those from ``begun`` up to
    ``ended`` are being told; everything below ``begun`` has been.
    """

    database: int  # transactions of another database (a restored copy) are numbered differently
    begun: int  # the first transaction that has not been told of
    ended: int  # the first that is left for later; 0: as many as are over at the time of the call
    after: int  # the last line told of this stretch
    floor: int  # lines up to here are of transactions before ``begun``
    seen: int  # the highest line at some earlier call, the next floor …
    bound: int  # … once everything before this transaction has been told of: the first unborn at that call

    def __str__(self):
        return "-".join(map(str, (1, *self)))


class ClearanceApi(models.AbstractModel):
    _inherit = "clearance.api"

    @api.model
    @api.readonly
    def get_changes(self, since=None, session=None, limit=_PAGE, lang=None):
        """Changes of statuses and forms since an earlier call, out of the log; for staff.

        Shown are the lines that the caller's role shows.  A line appears once all transactions of this database
        that are older than its own are over: on a campus at work within a second.  The number of queries does
        not depend on the number of changes.

        :param str since: ``next`` of an earlier answer; None: from the beginning; ``now``: only what comes
        :param int session: id; of this session alone
        :param int limit: changes in one answer, 1 to 2,000
        :return: dict ``changes``, ``next`` (for the next call) and ``more`` (ask again at once); a change is a dict
            ``id``, ``at``, ``action`` (``approve``, ``reject``, ``reopen``, ``submit``, ``withdraw``, ``set_optional``,
            ``set_not_required``, ``undo``, ``review``, ``lift``, ``restore``, ``expired``, ``form_withdrawn``,
            ``form_reinstated``, ``owe``), ``action_text``, ``session_id``, ``form_id``, ``student_number``,
            ``status_id``, ``step`` and ``station`` (each ``id``, ``name``, steps with ``code``; or null),
            ``from_state``, ``to_state``, ``reason``, ``door``, ``user`` (a name)
        :raise AccessError: ``no_role``, ``staff_only``
        :raise MissingError: ``unknown_session``
        :raise UserError: ``bad_cursor``, ``bad_type``, ``bad_value``
        """
        caller = self._enter(lang)
        caller._check_limit(limit, MOST_CHANGES)
        if session is not None:
            session = caller._find_session(session).id
        horizon = caller._get_horizon()
        cursor = caller._read_cursor(since, horizon)
        rows = [] if since == "now" else caller._read_changes(cursor, horizon, session, limit + 1)
        more = len(rows) > limit
        cursor = cursor._replace(after=rows[limit - 1]["id"]) if more else caller._close_stretch(cursor, horizon)
        actions = dict(caller.env["clearance.log"]._fields["action"]._description_selection(caller.env))
        return {
            "changes": [caller._prepare_change(row, actions) for row in rows[:limit]],
            "next": str(cursor),
            "more": more,
        }

    # -- cursors -------------------------------------------------------------------

    @api.model
    def _get_horizon(self):
        """Where the log stands now, in one query.

        :return: dict ``database``, ``ended`` (the first transaction that is not over), ``bound`` (the first that has
            not begun) and ``line`` (the highest that is to be seen)
        """
        self.env.flush_all()
        [horizon] = self.env.execute_query_dict(
            SQL(
                """
                SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,
                       %s AS ended,
                       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS bound,
                       COALESCE((SELECT max(id) FROM clearance_log), 0) AS line
                """,
                self._horizon_sql(),
            )
        )
        return horizon

    @api.model
    def _horizon_sql(self):
        """The first transaction of this database that is not over: what is older is committed for good, or gone.

        A server numbers the transactions of all its databases in one row; those known to be of another one are
        passed over, so that no work elsewhere holds changes back.
        """
        return SQL(
            """
            COALESCE(
                (SELECT min(running.id::text::bigint)
                   FROM pg_snapshot_xip(pg_current_snapshot()) AS running(id)
                  WHERE NOT EXISTS (
                        SELECT 1
                          FROM pg_stat_activity other
                         WHERE other.backend_xid = running.id::xid AND other.datname <> current_database())),
                pg_snapshot_xmax(pg_current_snapshot())::text::bigint
            )
            """
        )

    def _read_cursor(self, since, horizon):
        """The stretch that is to be told now."""
        database, ended = horizon["database"], horizon["ended"]
        start = Cursor(database, 0, ended, 0, 0, horizon["line"], horizon["bound"])
        if since is None:
            return start
        if since == "now":
            return start._replace(begun=ended)
        text = self._check_text(since, "since")
        match = _CURSOR.fullmatch(text) if len(text) <= _LONGEST_CURSOR else None
        if not match:
            self._fail(
                "bad_cursor",
                self.env._("“since” is not what an earlier answer gave as “next”."),
                argument="since",
                given=text[:100],
            )
        cursor = Cursor(*map(int, match[1].strip("-").split("-")))
        if cursor.database != database or cursor.begun > ended:
            # A restored copy: tell what may be new by its number, rather too much than too little.
            return start._replace(floor=cursor.floor)
        return cursor if cursor.ended else cursor._replace(ended=ended)

    def _close_stretch(self, cursor, horizon):
        """Everything before ``ended`` has been told of: the next stretch begins there.

        Who had not begun at an earlier call took numbers above the highest line of that call; so once everything
        before has been told of, no line up to it is looked at again.
        """
        cursor = cursor._replace(begun=cursor.ended, ended=0, after=0)
        if cursor.begun < cursor.bound:
            return cursor
        floor = max(cursor.floor, cursor.seen - _MARGIN)
        return cursor._replace(floor=floor, seen=horizon["line"], bound=horizon["bound"])

    # -- lines ---------------------------------------------------------------------

    def _read_changes(self, cursor, horizon, session, limit):
        """Lines of a stretch, in one query; the record rules of the log stand in it.

        Raw SQL because a transaction is no field, and because names come with the lines: the log has no foreign
        keys.  The lines are found first: the database expects few of them, and would join all there are.
        """
        domain = Domain("id", ">", max(cursor.floor, cursor.after))
        if session:
            domain &= Domain("session_id", "=", session)
        query = self.env["clearance.log"]._search(domain, limit=limit, order="id")
        transaction = self._transaction_sql(horizon)
        query.add_where(SQL("%s < %s", transaction, cursor.ended))
        if cursor.begun:
            query.add_where(SQL("%s >= %s", transaction, cursor.begun))
        return self.env.execute_query_dict(
            SQL(
                """
                WITH line AS MATERIALIZED (%(lines)s)
                SELECT line.*, student.student_number, step.code AS step_code, %(step)s AS step,
                       %(station)s AS station, partner.name AS user
                  FROM line
             LEFT JOIN clearance_form form ON form.id = line.form_id
             LEFT JOIN clearance_student student ON student.id = form.student_id
             LEFT JOIN clearance_step step ON step.id = line.step_id
             LEFT JOIN clearance_station station ON station.id = line.station_id
             LEFT JOIN res_users person ON person.id = line.user_id
             LEFT JOIN res_partner partner ON partner.id = person.partner_id
                 ORDER BY line.id
                """,
                lines=query.select(*(SQL.identifier("clearance_log", column) for column in _COLUMNS)),
                step=self.env["clearance.step"]._field_to_sql("step", "name"),
                station=self.env["clearance.station"]._field_to_sql("station", "name"),
            )
        )

    @api.model
    def _transaction_sql(self, horizon):
        """The full number of the transaction that wrote a line: ``xmin`` holds its last 32 bits."""
        return SQL(
            "(%(end)s - mod(%(end)s - clearance_log.xmin::text::bigint, %(turn)s))",
            end=horizon["bound"] + _AHEAD,
            turn=2**32,
        )

    @api.model
    def _prepare_change(self, row, actions):
        """A line of the log as programs read it.

        :param dict actions: words for the codes of actions
        """
        return {
            "id": row["id"],
            "at": to_utc(row["date"]),
            "action": row["action"],
            "action_text": actions.get(row["action"], ""),
            "session_id": row["session_id"],
            "form_id": row["form_id"],
            "student_number": row["student_number"],
            "status_id": row["status_id"],
            "step": row["step_id"] and {"id": row["step_id"], "code": row["step_code"] or None, "name": row["step"]},
            "station": row["station_id"] and {"id": row["station_id"], "name": row["station"]},
            "from_state": row["from_state"],
            "to_state": row["to_state"],
            "reason": row["reason"] or "",
            "door": row["door"],
            "user": row["user"],
        }
