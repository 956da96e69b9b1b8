"""The interface for other systems: who calls, in which language, and what is wrong with a call."""

import re

from odoo import api, models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.tools import SQL, format_list

from ..number_list import clean_number

#: how much of a bad value an error repeats
_SHOWN = 100
#: ids are what PostgreSQL's ``integer`` holds
_LARGEST_ID = 2**31 - 1
#: half a character, which JSON can spell and UTF-8 cannot
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def to_utc(value):
    """A date, or a time (UTC) as programs write it: ``2026-06-22T01:00:00Z``; None where there is none."""
    if not value:
        return None
    return f"{value.isoformat(timespec='seconds')}Z" if hasattr(value, "hour") else value.isoformat()


def _show(value):
    """A value of a call as an error repeats it: whole numbers as they are, of anything else the beginning."""
    if value is None or isinstance(value, int):
        return value
    return (value if isinstance(value, str) else repr(value))[:_SHOWN]


class ClearanceApi(models.AbstractModel):
    """What an integrator needs, in few calls over Odoo's JSON-2 (``/json/2/clearance.api/<method>``).

    The public methods of this model are the whole interface; ``docs/api.md`` describes them with
    examples that the tests execute.  All of them

    - act under the rules of who calls: an operator sees the own stations, a graduate the own form;
    - take ``lang``, the language of the words in the answer (``zh_CN``; ``zh-CN`` and ``zh`` do too);
      without it those of the context, else the caller's own are taken;
    - answer codes that stay as they are, with words beside (``state``, ``state_text``), and times
      in UTC as ISO 8601 writes them (``2026-06-22T01:00:00Z``);
    - refuse with an error of Odoo whose ``context`` holds a ``code`` that stays as it is, and says what
      is wrong and where (``argument``, ``given``, ``choices``, ``most``): see :meth:`_fail`.
    """

    _name = "clearance.api"
    _description = "Interface for Other Systems"

    # -- sessions and steps --------------------------------------------------------

    @api.model
    @api.readonly
    def get_sessions(self, lang=None):
        """Sessions that the caller may see, with their figures; for staff.

        Three queries, whatever the number of sessions.

        :return: list of dicts, the latest first: ``id``, ``name``, ``year``, ``state`` (``draft``, ``open`` or
            ``closed``), ``state_text``, ``opens``, ``closes``, ``campus``, and figures of the graduates that the
            caller may see: ``due``, ``due_earlier``, ``cleared``, ``open``, ``withdrawn``, ``rate`` (per cent)
        :raise AccessError: ``no_role``, ``staff_only``
        """
        caller = self._enter(lang)
        return [caller._prepare_session(session) for session in caller.env["clearance.session"].search([])]

    def _prepare_session(self, session):
        states = dict(session._fields["state"]._description_selection(self.env))
        return {
            "id": session.id,
            "name": session.name,
            "year": session.year,
            "state": session.state,
            "state_text": states[session.state],
            "opens": to_utc(session.open_from),
            "closes": to_utc(session.open_until),
            # sudo: the name of a campus whose session the caller reads.
            "campus": session.company_id.sudo().name,
            "due": session.form_count,
            "due_earlier": session.earlier_year_count,
            "cleared": session.cleared_count,
            "open": session.open_count,
            "withdrawn": session.withdrawn_count,
            "rate": round(session.clearance_rate, 2),
        }

    @api.model
    @api.readonly
    def get_steps(self, session=None, lang=None):
        """The steps of a session in the order of the process, with desk, hours, window and prerequisites; for staff.

        :param int session: id; may be left out where the caller sees one open session only
        :return: list of dicts

            - ``id``, ``code``, ``name``, ``stage``, ``required``, ``handout``
            - ``mode``: who decides (``station``, ``counsellor``, ``supervisor``, ``feed``, ``graduate``); ``mode_text``
            - ``station`` (``id``, ``name``), ``responsible``; ``place``, ``map_url``, ``opening_hours``, ``contact``,
              ``phone``, ``instructions``: its own, else those of the desk
            - ``opens``, ``closes`` (its own window; null: with the session), ``to_be_announced``
            - ``prerequisites``: list of ``id``, ``code``, ``name``
            - ``source``: the system that settles it: ``name``, ``heard_at``, ``silent``; else null
        :raise AccessError: ``no_role``, ``staff_only``
        :raise MissingError: ``unknown_session``
        :raise UserError: ``session_required``, ``bad_type``
        """
        caller = self._enter(lang)
        session = caller._find_session(session)
        common = session._get_portal_common(fresh=True)
        plan = session._get_portal_plan(common["plan"])
        modes = dict(caller.env["clearance.step"]._fields["mode"]._description_selection(caller.env))
        return [
            {
                **caller._prepare_plan_step(step_id, step, plan),
                "mode_text": modes[step["mode"]],
                "source": caller._prepare_source(common["feeds"].get(str(step["feed_id"]))),
            }
            for step_id, step in plan["steps"].items()
            if step["active"]
        ]

    def _prepare_plan_step(self, step_id, step, plan):
        """A step of ``clearance.session._get_portal_plan``: there what a step leaves to its desk is known already."""
        station = plan["stations"][step["station_id"]]
        return {
            "id": step_id,
            "code": step["code"] or None,
            "name": step["name"],
            "stage": step["stage"] or "",
            "mode": step["mode"],
            "required": step["required"],
            "station": {"id": step["station_id"], "name": station["name"]},
            "responsible": step["responsible"] or station["name"],
            "opens": to_utc(step["open_from"]),
            "closes": to_utc(step["deadline"]),
            "to_be_announced": step["to_be_announced"],
            **{fname: step[fname] or station[fname] or "" for fname in self.env["clearance.station"]._INFO_FIELDS},
            "handout": step["handout"] or "",
            "prerequisites": [
                {"id": other_id, "code": other["code"] or None, "name": other["name"]}
                for other_id, other in plan["steps"].items()
                if other_id in step["blocking"]
            ],
        }

    def _prepare_source(self, feed):
        if not feed:
            return None
        heard_at = feed["heard_at"]
        return {"name": feed["name"], "heard_at": heard_at and f"{heard_at[:19]}Z", "silent": feed["silent"]}

    # -- who calls -----------------------------------------------------------------

    def _enter(self, lang, staff=True):
        """Let a caller in.

        :param str lang: the language asked for, or None
        :param bool staff: unset where graduates may call too
        :return: this model in the language of the answer
        :raise AccessError: ``no_role`` or ``staff_only``
        """
        caller = self.with_context(lang=self._find_language(lang))
        if self.env.user.has_group("graduate_clearance.group_staff"):
            return caller
        if not self.env.user.has_group("base.group_portal"):
            caller._fail("no_role", caller.env._("Your user has no role in clearance."), AccessError)
        if staff:
            caller._fail(
                "staff_only", caller.env._("This is for staff; graduates ask for their own form."), AccessError
            )
        return caller

    def _find_language(self, lang):
        """The installed language that is meant: as it is, else of the same tongue, else the caller's own."""
        context_lang = self.env.context.get("lang")
        unspoken = self.with_context(lang=None)
        if lang is None:
            lang = context_lang
        if not lang:
            return self.env["res.users"].context_get()["lang"]
        unspoken._check_text(lang, "lang")
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        wanted = lang.replace("-", "_").lower()
        tongue = wanted.split("_")[0]
        for code in installed:
            if code.lower() == wanted:
                return code
        for code in installed:
            if code.lower().split("_")[0] == tongue:
                return code
        return unspoken._fail(
            "unknown_language",
            unspoken.env._("“%s” is not a language of this campus.", lang[:_SHOWN]),
            argument="lang",
            given=_show(lang),
            choices=installed,
        )

    # -- what is wrong -------------------------------------------------------------

    @api.model
    def _fail(self, code, message, error=UserError, **details):
        """Refuse a call, for people and for programs.

        JSON-2 answers ``name``, ``message``, ``arguments`` and ``context`` of an error; Odoo takes the last
        from the exception.  The exceptions stay those of Odoo, so that the HTTP status and ``name`` are what any
        client of Odoo knows (403 AccessError, 404 MissingError, 422 UserError).

        :param str code: a name that never changes, in ``context.code``
        :param str message: what is wrong, in the language of the caller
        :param error: the class of the error
        :param details: further keys of ``context``: ``argument`` (where), ``given``, ``choices``, ``most`` …
        """
        exception = error(message)
        exception.context = {"code": code, **details}
        raise exception

    def _fail_type(self, value, where, wanted):
        """Refuse a value of the wrong type.

        :param str where: the path of the value in the call, such as ``items[3].step``
        :param str wanted: ``text``, ``number``, ``id``, ``yes_no``, ``list`` or ``object``
        """
        if value is None:
            self._fail("missing_argument", self.env._("“%s” is missing.", where), argument=where, expected=wanted)
        words = {
            "text": self.env._("a text"),
            "number": self.env._("a whole number"),
            "id": self.env._("the number of a record (an id)"),
            "yes_no": self.env._("true or false"),
            "list": self.env._("a list"),
            "object": self.env._("an object"),
        }
        self._fail(
            "bad_type",
            self.env._("“%(where)s” must be %(wanted)s.", where=where, wanted=words[wanted]),
            argument=where,
            given=_show(value),
            expected=wanted,
        )

    def _check_text(self, value, where):
        """A text that is not empty, and that the database can hold."""
        if not isinstance(value, str) or not value.strip() or "\0" in value or _SURROGATE.search(value):
            self._fail_type(value, where, "text")
        return value.strip()

    def _check_flag(self, value, where):
        if not isinstance(value, bool):
            self._fail_type(value, where, "yes_no")
        return value

    def _check_list(self, value, where, most):
        """A list of at most so many values.

        :raise UserError: ``bad_type``, ``too_many``
        """
        if not isinstance(value, list | tuple):
            self._fail_type(value, where, "list")
        if len(value) > most:
            self._fail(
                "too_many",
                self.env._(
                    "“%(where)s” has %(given)s entries; one call takes at most %(most)s.",
                    where=where,
                    given=len(value),
                    most=most,
                ),
                argument=where,
                given=len(value),
                most=most,
            )
        return value

    def _check_limit(self, value, most):
        if isinstance(value, bool) or not isinstance(value, int):
            self._fail_type(value, "limit", "number")
        if not 1 <= value <= most:
            self._fail(
                "bad_value",
                self.env._("“limit” is a number from 1 to %s.", most),
                argument="limit",
                given=_show(value),
                most=most,
            )
        return value

    def _check_id(self, value, where):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST_ID:
            self._fail_type(value, where, "id")
        return value

    def _check_choice(self, value, where, choices):
        """One of some codes.

        :raise UserError: ``bad_type``, ``bad_value``
        """
        text = self._check_text(value, where)
        if text not in choices:
            self._fail(
                "bad_value",
                self.env._(
                    "“%(where)s” cannot be “%(given)s”; possible is %(choices)s.",
                    where=where,
                    given=text[:_SHOWN],
                    choices=format_list(self.env, list(choices), style="or"),
                ),
                argument=where,
                given=_show(text),
                choices=list(choices),
            )
        return text

    def _check_number(self, value, where):
        """A student number, without what input methods and spreadsheets add to it."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        number = clean_number(self._check_text(value, where))
        return number or self._fail_type(value, where, "text")

    # -- what is meant -------------------------------------------------------------

    def _fail_unknown(self, code, where, given, message):
        self._fail(code, message, MissingError, argument=where, given=_show(given))

    def _find_session(self, session):
        """The session that is meant, under the caller's rules.

        :param int session: id, or None: the one open session that the caller sees
        :raise MissingError: ``unknown_session``, also where it is not the caller's
        :raise UserError: ``session_required`` when there are several open ones or none
        """
        Session = self.env["clearance.session"].with_context(active_test=False)
        if session is not None:
            found = Session.search([("id", "=", self._check_id(session, "session"))])
            if not found:
                message = self.env._("There is no session with the id %s.", session)
                self._fail_unknown("unknown_session", "session", session, message)
            return found
        found = Session.search([("state", "=", "open"), ("active", "=", True)])
        if len(found) != 1:
            self._fail(
                "session_required",
                self.env._("Name the session: %s of them are open.", len(found)),
                argument="session",
                choices=[{"id": one.id, "name": one.name} for one in found],
            )
        return found

    def _find_step(self, session, step, where):
        """The step of a session that is meant by its id or code.

        :raise MissingError: ``unknown_step``
        """
        domain = [("session_id", "=", session.id)]
        if isinstance(step, str):
            domain.append(("code", "=", self._check_text(step, where)))
        else:
            domain.append(("id", "=", self._check_id(step, where)))
        found = self.env["clearance.step"].with_context(active_test=False).search(domain)
        if not found:
            message = self.env._(
                "Session “%(session)s” has no step “%(step)s”.", session=session.name, step=str(step)[:_SHOWN]
            )
            self._fail_unknown("unknown_step", where, step, message)
        return found

    # -- who it is -----------------------------------------------------------------

    def _get_people(self, form_ids):
        """Who these forms belong to; the caller has checked that the user may read the forms.

        One query, whatever their number; raw SQL because through the ORM each table would be one.

        :return: dict ``{form id: {"name", "student_number", "college", "class", "room", "major", "level",
            "earlier_year", "graduation_year", "campus", "currency"}}``
        """
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT form.id, student.name, student.student_number, form.earlier_year,
                       student.major, student.level, student.graduation_year,
                       form.college_id, college.code AS college_code, %(college)s AS college,
                       form.class_id, class.code AS class_code, class.name AS class, room.complete_name AS room,
                       company.name AS campus, currency.name AS currency
                  FROM clearance_form form
                  JOIN clearance_student student ON student.id = form.student_id
                  JOIN res_company company ON company.id = form.company_id
                  JOIN res_currency currency ON currency.id = company.currency_id
             LEFT JOIN clearance_college college ON college.id = form.college_id
             LEFT JOIN clearance_class class ON class.id = form.class_id
             LEFT JOIN clearance_room room ON room.id = form.room_id
                 WHERE form.id = ANY(%(forms)s)
                """,
                college=self.env["clearance.college"]._field_to_sql("college", "name"),
                forms=list(form_ids),
            )
        )
        return {row.pop("id"): self._prepare_person(row) for row in rows}

    def _prepare_person(self, row):
        def unit(name):
            key = row[f"{name}_id"]
            return {"id": key, "code": row[f"{name}_code"] or None, "name": row[name]} if key else None

        return {
            **{key: row[key] for key in ("name", "student_number", "graduation_year", "earlier_year", "level")},
            "college": unit("college"),
            "class": unit("class"),
            "room": row["room"] or "",
            "major": row["major"] or "",
            "campus": row["campus"],
            "currency": row["currency"],
        }


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    def _get_portal_plan_fields(self):
        """What the interface says of a step besides."""
        return [*super()._get_portal_plan_fields(), "code", "required"]

    def _prepare_portal_plan_step(self, step):
        return {**super()._prepare_portal_plan_step(step), "station_id": step.station_id.id}
