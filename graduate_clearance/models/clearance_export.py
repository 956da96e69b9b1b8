import itertools
import json
import logging
from datetime import date
from typing import NamedTuple

import pytz
from werkzeug.wsgi import wrap_file

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.http import content_disposition, request
from odoo.tools import SQL, format_list

from ..workbook import MIMETYPE, Workbook

_logger = logging.getLogger(__name__)
#: of cursors: several may be read at a time
_numbers = itertools.count()

#: rows fetched at a time: few statements, and little memory
_PAGE = 500
#: rows that a request can write before a server's usual limit of time (120 s)
MOST_ROWS = 400_000

#: kinds that are about one session
_OF_SESSION = ("matrix", "due", "statistics", "debts")
#: lists whose rows may be named by a domain
_SHOWN = ("clearance.form", "clearance.status", "clearance.log", "clearance.override", "clearance.debt.report")
#: kinds of which one without the right to export gets the own graduates
_OWN_CLASSES = ("matrix", "due", "deferrals", "debts")


class Choice(NamedTuple):
    """What goes into a spreadsheet; made by ``clearance.export._prepare_choice``, which checks it."""

    kind: str
    company: models.BaseModel
    session: models.BaseModel
    colleges: models.BaseModel
    classes: models.BaseModel
    stations: models.BaseModel
    #: ``(name of a model, domain on it)``: what a list showed; None: no further condition
    shown: tuple | None = None
    date_from: date | None = None
    date_to: date | None = None
    split: str | None = None


class ClearanceExport(models.AbstractModel):
    """Spreadsheets of what the screens show, written as a stream.

    What is in them the record rules decide: nobody exports what they cannot see.  Beyond
    that, lists of the whole campus and the log are for those who hold Odoo's right to
    export; without it a counsellor gets own classes, a supervisor own graduates, and an
    operator the due list of own stations.  Statistics are figures, and for all of the staff.
    """

    _name = "clearance.export"
    _description = "Spreadsheets"

    @api.model
    def _get_kinds(self):
        """What there is: dict ``{kind: name}`` in the language of the user."""
        return {
            "matrix": self.env._("Class matrix"),
            "due": self.env._("Due list"),
            "statistics": self.env._("Statistics"),
            "debts": self.env._("Debts"),
            "deferrals": self.env._("Deferrals"),
            "log": self.env._("Log"),
        }

    # -- choosing ------------------------------------------------------------------------------

    @api.model
    def _prepare_choice(
        self,
        kind,
        session_id=None,
        college_ids=(),
        class_ids=(),
        station_ids=(),
        shown=None,
        date_from=None,
        date_to=None,
        split=None,
    ):
        """A checked choice.

        :param str kind: a key of :meth:`_get_kinds`
        :param int session_id: needed for all but log and deferrals; by default the latest one that is open
        :param shown: ``(model name, domain as JSON)`` of a list whose rows are meant
        :param date_from: first day, likewise ``date_to`` the last one, on the clock of the campus; log and deferrals
        :param str split: ``none``, ``station``, ``college`` or ``class``: a sheet each; None: as fits
        :return: :class:`Choice`
        :raise AccessError: when the user may not export it, or may not see what is named
        :raise UserError: when it makes no sense
        """
        self._check_kind(kind)
        session = self._browse_chosen("clearance.session", [session_id] if session_id else [])
        if kind in _OF_SESSION and not session:
            session = self._get_usual_session()
        if kind in _OF_SESSION and session.state == "draft":
            raise UserError(
                self.env._("Session “%s” has not been opened yet: there is nothing to export.", session.name)
            )
        colleges = self._browse_chosen("clearance.college", college_ids)
        classes = self._browse_chosen("clearance.class", class_ids)
        stations = self._browse_chosen("clearance.station", station_ids)
        choice = Choice(
            kind,
            (session or colleges or classes or stations).company_id[:1] or self.env.company,
            session,
            colleges,
            classes,
            stations,
            self._parse_shown(shown),
            date_from,
            date_to,
            split,
        )
        self._check_chosen(choice)
        return choice

    def _check_kind(self, kind):
        """Stop those who may not export this kind at all."""
        user = self.env.user
        if not user.has_group("graduate_clearance.group_staff"):
            raise AccessError(self.env._("Spreadsheets are for clearance staff."))
        if kind not in self._get_kinds():
            raise UserError(self.env._("There is no spreadsheet “%s”.", kind))
        if self._may_export_all():
            return
        if kind == "log":
            raise AccessError(
                self.env._("The log may be exported by those who hold the right “Export” only. Ask for it.")
            )
        roles = ("group_counsellor", "group_supervisor")
        if kind in ("matrix", "debts") and not any(user.has_group(f"graduate_clearance.{role}") for role in roles):
            raise AccessError(
                self.env._(
                    "“%s” of graduates who are not of your own classes may be exported by those who hold the right "
                    "“Export” only. You can export the due list of your stations.",
                    self._get_kinds()[kind],
                )
            )

    def _may_export_all(self):
        """Whether the user may take along all that the record rules show."""
        return self.env.su or self.env.user.has_group("base.group_allow_export")

    def _browse_chosen(self, model, ids):
        """Records that are there and that the user may read."""
        records = self.env[model].browse(dict.fromkeys(ids))
        if records.with_context(active_test=False).search_count([("id", "in", records.ids)]) < len(records):
            raise AccessError(
                self.env._(
                    "There is no such %(kind)s, or you may not see it: %(ids)s.",
                    kind=records._description,
                    ids=format_list(self.env, list(map(str, records.ids))),
                )
            )
        return records

    def _get_usual_session(self):
        session = self.env["clearance.session"].search(
            [("state", "!=", "draft"), ("company_id", "=", self.env.company.id)], order="state desc, id desc", limit=1
        )
        if not session:
            raise UserError(self.env._("No session has been opened yet: there is nothing to export."))
        return session

    def _parse_shown(self, shown):
        """The rows of a list, as a client names them."""
        if not shown:
            return None
        model, domain = shown
        if model not in _SHOWN:
            raise UserError(self.env._("There is no spreadsheet of the list “%s”.", model))
        try:
            return model, Domain(json.loads(domain or "[]"))
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("The filter of the list cannot be read: %s", domain)) from error

    def _check_chosen(self, choice):
        """Say so when one of the classes or colleges named holds nobody whom the user may export."""
        if choice.kind not in ("matrix", "due", "statistics", "debts"):
            return
        for fname, records in (("class_id", choice.classes), ("college_id", choice.colleges)):
            if not records:
                continue
            domain = self._get_form_domain(choice) & Domain(fname, "in", records.ids)
            groups = self.env["clearance.form"]._read_group(domain, [fname])
            if hidden := records.filtered(lambda record, groups=groups: (record,) not in groups):
                raise AccessError(
                    self.env._(
                        "%(names)s: no graduate there whom you may export in session “%(session)s”.",
                        names=format_list(self.env, hidden.mapped("display_name")),
                        session=choice.session.name,
                    )
                )

    # -- domains -------------------------------------------------------------------------------

    def _get_chosen_domain(self, choice, classes="class_id", stations="station_id"):
        """What the choice names: session, colleges, classes and stations.

        :param str classes: path to the class
        :param str stations: path to the station; None where there is none
        """
        domain = Domain.TRUE
        if choice.session:
            domain &= Domain("session_id", "=", choice.session.id)
        if choice.colleges:
            domain &= Domain("college_id", "in", choice.colleges.ids)
        if choice.classes:
            domain &= Domain(classes, "in", choice.classes.ids)
        if stations and choice.stations:
            domain &= Domain(stations, "child_of", choice.stations.ids)
        return domain

    def _get_shown_domain(self, choice, model, path=None):
        """What is shown on the screen that the export was asked for from, where it shows this model.

        :param str path: to the records of the model, where others are meant
        """
        if not choice.shown or choice.shown[0] != model:
            return Domain.TRUE
        return Domain(path, "any", choice.shown[1]) if path else choice.shown[1]

    def _get_form_domain(self, choice):
        """Forms that are meant, and that the user may export; record rules come on top."""
        domain = self._get_chosen_domain(choice, stations=None) & Domain("state", "!=", "withdrawn")
        domain &= self._get_shown_domain(choice, "clearance.form")
        if choice.kind in _OWN_CLASSES and not self._may_export_all():
            domain &= self._get_own_domain("class_id.counsellor_id", "student_id.supervisor_id")
        return domain

    def _get_status_domain(self, choice):
        """Statuses that are meant, and that the user may export; record rules come on top."""
        domain = self._get_chosen_domain(choice) & Domain("active", "=", True)
        domain &= self._get_shown_domain(choice, "clearance.form", "form_id")
        domain &= self._get_shown_domain(choice, "clearance.status")
        if choice.kind in _OWN_CLASSES and not self._may_export_all():
            domain &= self._get_own_status_domain(choice)
        return domain

    def _get_own_status_domain(self, choice):
        """Statuses of own graduates; in a due list those of own stations too."""
        own = self._get_own_domain("class_id.counsellor_id", "form_id.student_id.supervisor_id")
        if choice.kind == "due":
            own |= Domain("is_mine", "=", True)
        return own

    def _get_own_domain(self, counsellor, supervisor):
        """Graduates of own classes, and own postgraduates.

        :param str counsellor: path to the counsellor of the class
        :param str supervisor: path to the supervisor of the graduate
        """
        return Domain(counsellor, "=", self.env.uid) | Domain(supervisor, "=", self.env.uid)

    def _get_period_domain(self, choice, fname):
        """Moments within the days of the choice, on the clock of the campus."""
        domain = Domain.TRUE
        if choice.date_from:
            domain &= Domain(fname, ">=", self._get_midnight(choice, choice.date_from))
        if choice.date_to:
            domain &= Domain(fname, "<", self._get_midnight(choice, fields.Date.add(choice.date_to, days=1)))
        return domain

    def _get_midnight(self, choice, day):
        """When a day begins on the campus, in UTC."""
        # sudo: the zone of a campus is no secret.
        zone = pytz.timezone(choice.company.sudo().partner_id.tz or "UTC")
        return zone.localize(fields.Datetime.to_datetime(day)).astimezone(pytz.utc).replace(tzinfo=None)

    # -- writing -------------------------------------------------------------------------------

    @api.model
    def _count(self, choice):
        """How many rows the spreadsheet would have, its sheets taken together."""
        model, domain = getattr(self, f"_get_{choice.kind}_rows")(choice)
        return self.env[model].search_count(domain)

    def _explain_nothing(self, kind):
        """What to say where no row is left."""
        if kind in _OWN_CLASSES and not self._may_export_all():
            return self.env._(
                "There is nothing to export: no row fits what you have chosen. Without the right “Export” "
                "you get your own graduates and stations only."
            )
        return self.env._("There is nothing to export: no row fits what you have chosen.")

    @api.model
    def _write(self, choice):
        """Write the spreadsheet.

        :return: ``(file name, finished Workbook)``
        :raise UserError: when it would have too many rows, or none
        """
        count = self._count(choice)
        if not count:
            raise UserError(self._explain_nothing(choice.kind))
        if count > MOST_ROWS:
            raise UserError(
                self.env._(
                    "That would be %(count)s rows, and %(limit)s is the most for one file. Choose a shorter period, "
                    "or a college.",
                    count=f"{count:,}",
                    limit=f"{MOST_ROWS:,}",
                )
            )
        name = self._get_kinds()[choice.kind]
        with Workbook(self.env, choice.company, title=name) as book:
            getattr(self, f"_write_{choice.kind}")(book, choice)
        _logger.info("User %d exported %s: %d rows of session %s", self.env.uid, choice.kind, count, choice.session.ids)
        return self._get_filename(choice, book), book

    def _get_filename(self, choice, book):
        moment = book._to_local(self.env.cr.now()).strftime("%Y-%m-%d %H%M")
        parts = [choice.session.name, self._get_kinds()[choice.kind]]
        for records in (choice.stations, choice.colleges, choice.classes):
            if len(records) == 1:
                parts.append(records.display_name)
        name = " - ".join(filter(None, [*parts, moment]))
        return "".join(sign for sign in name if sign.isprintable() and sign not in '\\/:*?"<>|')[:150] + ".xlsx"

    def _get_head(self, book, choice, name=None):
        """Title and notes of a sheet: of what, as of when, who exported it."""
        of = [choice.session.name] if choice.session else [choice.company.name]
        for records in (choice.stations, choice.colleges, choice.classes):
            of += records[:5].mapped("display_name")
            if len(records) > 5:
                of.append(self.env._("%s more", len(records) - 5))
        notes = [
            format_list(self.env, of, "unit") if len(of) > 1 else of[0],
            self.env._(
                "As of %(moment)s (%(zone)s), exported by %(user)s",
                moment=book._to_local(self.env.cr.now()).strftime("%Y-%m-%d %H:%M"),
                zone=book.zone.zone,
                user=self.env.user.name,
            ),
        ]
        if choice.date_from or choice.date_to:
            notes.append(
                self.env._("From %(first)s to %(last)s", first=choice.date_from or "…", last=choice.date_to or "…"),
            )
        if choice.shown:
            notes.append(self.env._("Only what the list showed when it was exported."))
        if not self._may_export_all() and choice.kind in _OWN_CLASSES:
            notes.append(self.env._("Of the exporter's own graduates and stations only."))
        title = self._get_kinds()[choice.kind]
        if name:
            title = self.env._("%(spreadsheet)s: %(part)s", spreadsheet=title, part=name)
        return {"title": title, "notes": notes}

    def _fetch(self, statement):
        """Rows of a statement, a page at a time.

        By a cursor of the database: as one statement the rows are of one moment and in one
        order, and only a page of them is ever in memory.

        :param SQL statement: with the record rules in it
        """
        cr = self.env.cr
        self.env.flush_all()
        name = SQL.identifier(f"clearance_export_{next(_numbers)}")
        # Everything will be read: the plan is to be the quickest for all rows, not for the first ones.
        cr.execute(
            SQL(
                "SET LOCAL jit = off; SET LOCAL cursor_tuple_fraction = 1; DECLARE %s NO SCROLL CURSOR FOR %s",
                name,
                statement,
            )
        )
        fetch = SQL("FETCH %s FROM %s", _PAGE, name)
        cr.execute(fetch)
        while cr.rowcount:
            yield from cr.fetchall()
            cr.execute(fetch)
        cr.execute(SQL("CLOSE %s", name))

    def _stream(self, filename, book):
        """Answer the present request with a finished workbook, as a download.

        The file is read as it is sent, and goes away with the answer.

        :param str filename: with or without ``.xlsx``; Chinese is written as RFC 5987 wants it
        :param book: a finished :class:`~odoo.addons.graduate_clearance.workbook.Workbook` without a file of the caller
        :return: werkzeug response
        """
        file = open(book.path, "rb")  # noqa: SIM115 (closed with the answer)
        size = file.seek(0, 2)
        file.seek(0)
        if not filename.lower().endswith(".xlsx"):
            filename += ".xlsx"
        response = request.make_response(
            wrap_file(request.httprequest.environ, file),
            headers=[
                ("Content-Type", MIMETYPE),
                ("Content-Length", str(size)),
                ("Content-Disposition", content_disposition(filename)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        response.direct_passthrough = True
        response.call_on_close(file.close)
        return response
