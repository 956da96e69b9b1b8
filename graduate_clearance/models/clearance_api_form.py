"""A graduate's form in one call, for an app or a portal of the campus."""

from datetime import datetime

from odoo import api, models
from odoo.exceptions import MissingError
from odoo.fields import Domain
from odoo.tools.misc import get_lang

from ..portal_clock import PortalClock
from .clearance_api import to_utc


class ApiClock(PortalClock):
    """Says when something is for programs too: ``utc`` beside the words."""

    def moment(self, value):
        moment = super().moment(value)
        return moment and {**moment, "utc": to_utc(value)}

    def span(self, start, end):
        return {**super().span(start, end), "opens": to_utc(start), "closes": to_utc(end)}


def _utc(moment):
    return moment["utc"] if moment else None


class ClearanceApi(models.AbstractModel):
    _inherit = "clearance.api"

    @api.model
    @api.readonly
    def get_form(self, student_number=None, session=None, version=None, lang=None):
        """A graduate's form with everything that the graduate's page says: one call for an app.

        A graduate leaves out the number and gets the own form; staff name the graduate and get the form where
        their role shows it.  The answer is built from what the page itself is built from, so that both say the
        same.  Five queries at most beyond those that find out who asks, whatever the number of steps.

        :param str student_number: whose form; None: the caller's own
        :param int session: id; None: the open session, else the latest
        :param str version: that of an earlier answer: where nothing has changed since, the answer is
            ``form_id``, ``version``, ``as_of`` and ``unchanged`` alone
        :return: dict with

            - ``form_id``, ``version``, ``as_of``, ``unchanged``, ``url`` (the page), ``code`` (what a desk scans),
              ``timezone``
            - ``student``: ``name``, ``student_number``, ``college``, ``class`` (each ``id``, ``code``, ``name``, or
              null), ``room``, ``major``, ``level``, ``graduation_year``, ``earlier_year``, ``campus``, ``currency``
            - ``session``: ``id``, ``name``, ``state``, ``phase`` (``before``, ``open``, ``over``, ``closed`` or
              ``withdrawn``), ``opens``, ``closes``, ``instructions``, ``help``; ``others``: other forms of the
              graduate, ``id``, ``name``, ``state`` of their sessions
            - ``state`` (``open``, ``cleared``, ``deferred`` or ``withdrawn``), ``state_text``, ``withdrawn_reason``
            - ``progress``: ``total``, ``left``, ``percent``, ``next`` (text), ``next_status_id``
            - ``first``: ids of statuses to be settled before the campus shows any others (a questionnaire)
            - ``steps``: see :meth:`_prepare_api_step`
            - ``slots``: when to come to the hall: ``opens``, ``closes``, ``text``, ``place``, ``when`` (``past``,
              ``now``, ``next``, ``later``)
            - ``documents``: what to collect: ``name``, ``station``, ``place``, ``state`` (``collected``, ``ready``,
              ``after``)
            - ``certificate``: see :meth:`_prepare_certificate`; null unless cleared
        :raise AccessError: ``no_role``
        :raise MissingError: ``unknown_student`` (nobody has the number, or is shown to the caller), ``no_form``
            (the caller has none), ``unknown_session`` (the graduate has no form in it)
        :raise UserError: ``bad_type``, ``ambiguous_student`` (two campuses of the caller know the number)
        """
        caller = self._enter(lang, staff=False)
        heads = caller._find_heads(student_number)
        head = caller._choose_head(heads, session)
        form = caller.env["clearance.form"].browse(head["id"])
        current = form._get_portal_version(head)
        answer = {
            "form_id": head["id"],
            "version": current,
            "as_of": to_utc(caller.env.cr.now().replace(microsecond=0)),
            "unchanged": version is not None and caller._check_text(version, "version") == current,
        }
        return answer if answer["unchanged"] else {**answer, **caller._prepare_form(form, head, heads)}

    # -- which one -----------------------------------------------------------------

    def _find_heads(self, student_number):
        """The forms of one graduate that the caller may read, see ``clearance.form._get_portal_heads``."""
        Form = self.env["clearance.form"].with_context(active_test=False)
        if student_number is None:
            # A manager may read every form; who names nobody is a graduate.
            heads = Form._get_portal_heads([("partner_id", "=", self.env.user.partner_id.id)])
            if not heads:
                self._fail("no_form", self.env._("You have no clearance form."), MissingError)
            return heads
        number = self._check_number(student_number, "student_number")
        # "any!": forms are searched under the caller's rules; the number only says which.
        heads = Form._get_portal_heads(Domain("student_id", "any!", [("student_number", "=", number)]))
        if not heads:
            message = self.env._("Nobody with the student number “%s” is shown to you.", number)
            self._fail_unknown("unknown_student", "student_number", number, message)
        return heads

    def _choose_head(self, heads, session):
        if session is not None:
            heads = [head for head in heads if head["session_id"] == self._check_id(session, "session")]
            if not heads:
                message = self.env._("The graduate has no form in the session with the id %s.", session)
                self._fail_unknown("unknown_session", "session", session, message)
        # sudo: how many people these readable forms belong to.
        if (
            len(heads) > 1
            and len(self.env["clearance.form"].sudo().browse([one["id"] for one in heads]).student_id) > 1
        ):
            self._fail(
                "ambiguous_student",
                self.env._("Several graduates have this number; name the session."),
                argument="session",
                choices=[{"id": head["session_id"], "name": head["session"]} for head in heads],
            )
        return next((head for head in heads if head["session_state"] == "open"), heads[0])

    # -- what it says --------------------------------------------------------------

    def _prepare_form(self, form, head, heads):
        plan = self.env["clearance.session"].browse(head["session_id"])._get_portal_plan(head["plan"])
        clock = ApiClock(get_lang(self.env).code, form._get_portal_timezone(plan["timezone"]))
        phase = form._get_portal_phase(head, clock)
        steps = form._get_portal_steps(head, clock) if phase != "withdrawn" else []
        progress = form._get_portal_progress(steps, head, clock)
        state = "withdrawn" if phase == "withdrawn" else progress["state"]
        states = dict(form._fields["state"]._description_selection(self.env))
        person = self._get_people([form.id])[form.id]
        base = form.get_base_url()
        url = f"{base}/my/clearance/{form.id}"
        return {
            "url": url,
            "code": url if phase in ("before", "open", "over") else "",
            "timezone": clock.zone.zone,
            "student": person,
            "session": {
                "id": head["session_id"],
                "name": head["session"],
                "state": head["session_state"],
                "phase": phase,
                "opens": to_utc(head["open_from"]),
                "closes": to_utc(head["open_until"]),
                "instructions": plan["instructions"] or "",
                "help": plan["help"] or "",
            },
            "others": [
                {"id": other["session_id"], "name": other["session"], "state": other["session_state"]}
                for other in heads
                if other["id"] != head["id"]
            ],
            "state": state,
            "state_text": states[state],
            "withdrawn_reason": head["withdrawn_reason"] or "",
            "progress": {
                **{key: progress[key] for key in ("total", "left", "percent", "next")},
                "next_status_id": progress["next_id"] or None,
            },
            "first": [step["id"] for step in form._get_portal_first(steps)] if phase == "open" else [],
            "steps": [self._prepare_api_step(step, steps, base, clock) for step in steps],
            "slots": self._prepare_slots(form, head, plan, clock) if phase in ("before", "open") else [],
            "documents": [
                {**{key: document[key] for key in ("name", "station", "state")}, "place": document["place"] or ""}
                for document in form._get_portal_documents(steps)
            ],
            "certificate": self._prepare_certificate(form, base)
            if state in ("cleared", "deferred") and steps
            else None,
        }

    def _prepare_api_step(self, step, steps, base, clock):
        """A step as programs read it.

        :param dict step: see ``clearance.form._prepare_portal_step``
        :param list steps: all of them
        :return: dict with

            - ``status_id`` (what :meth:`decide` takes), ``step_id``, ``code``, ``name``, ``stage``, ``mode``
            - ``required``, ``state`` (``pending``, ``submitted``, ``rejected``, ``approved``, ``optional``,
              ``not_required``, or ``review``: approved, and needs another look), ``state_text`` (the
              campus' word), ``settled``, ``reason``, ``decided_at``, ``decided_by`` (null where no person did),
              ``door``
            - ``turn``: whose turn it is: ``todo`` (the graduate's), ``others``, ``blocked``, ``later``,
              ``optional`` or ``done``; ``turn_text``; ``waits_for``: the steps before it that are not settled,
              list of ``status_id``, ``step_id``, ``code``, ``text``
            - ``opens``, ``closes``, ``early``, ``over``, ``to_be_announced``
            - ``station`` (``id``, ``name``), ``responsible``, ``place``, ``map_url``, ``opening_hours``, ``contact``,
              ``phone``, ``instructions``, ``handout``
            - ``figure``: what a source system says, see :meth:`_prepare_figure`; null where it says nothing
            - ``debts``: what an office has listed as owed: ``text``, ``total``, ``office``, ``as_of`` and ``items``
              (``what``, ``amount``, ``remark``, texts); null where nothing is owed
            - ``deferral``: ``until`` (date or null), ``text``; null when none is in force
            - ``action``: what the graduate can do on the page: ``kind`` (``send``, ``replace``, ``confirm``, ``link``
              or ``none``), ``label``, ``url``
        """
        return {
            "status_id": step["id"],
            "step_id": step["step_id"],
            "code": step["code"] or None,
            "name": step["name"],
            "stage": step["stage"] or "",
            "mode": step["mode"],
            "required": step["required"],
            "state": step["legend"],
            "state_text": step["word"],
            "settled": step["settled"],
            "reason": step["reason"] or "",
            "decided_at": _utc(step["decided_at"]),
            "decided_by": step["user"] or None,
            "door": step["door"] or None,
            "turn": step["turn"],
            "turn_text": step["turn_text"],
            "waits_for": self._prepare_waits_for(step, steps),
            "opens": to_utc(step["open_from"]),
            "closes": _utc(step["deadline"]),
            "early": step["early"],
            "over": step["over"],
            "to_be_announced": step["unannounced"],
            "station": {"id": step["station_id"], "name": step["station"]},
            "responsible": step["responsible"],
            **{
                fname: step[fname] or ""
                for fname in ("place", "map_url", "opening_hours", "contact", "phone", "instructions", "handout")
            },
            "figure": self._prepare_figure(step, clock) if step["figure"] else None,
            "debts": self._prepare_debts(step["debts"]) if step["debts"] else None,
            "deferral": (
                {"until": _utc(step["lifted_until"]), "text": step["lifted_word"]}
                if step["lifted"] and not step["settled"]
                else None
            ),
            "action": {**step["action"], "url": f"{base}{step['action']['url']}"},
        }

    def _prepare_waits_for(self, step, steps):
        if not step["blocked_by"]:
            return []
        return [
            {
                "status_id": other["id"],
                "step_id": other["step_id"],
                "code": other["code"] or None,
                "text": f"{other['station']}: {other['name']}",
            }
            for other in steps
            if other["step_id"] in step["blocking"] and other["is_open"] and not other["lifted"]
        ]

    def _prepare_figure(self, step, clock):
        """What a source system says, and how old it is.

        :return: dict ``text``, ``owed`` (bool), ``kept`` (a person has decided otherwise), ``quantity``, ``amount``,
            ``source`` (name), ``as_of`` (null where it has not said anything yet), ``age_minutes``, ``silent`` (it
            has not reported for longer than it promises: the figure may be out of date), ``heard_at``
        """
        figure = step["figure"]
        as_of = figure["as_of"] and datetime.fromisoformat(figure["as_of"]["utc"][:-1])
        return {
            "text": figure["text"],
            "owed": figure["owed"],
            "kept": figure["kept"],
            "quantity": step["quantity"] or 0.0,
            "amount": step["amount"] or 0.0,
            "source": figure["feed"],
            "as_of": _utc(figure["as_of"]),
            "age_minutes": max(0, int((clock.now - as_of).total_seconds() // 60)) if as_of else None,
            "silent": figure["silent"],
            "heard_at": _utc(figure["heard_at"]),
        }

    def _prepare_debts(self, debts):
        return {**{key: debts[key] for key in ("items", "text", "total", "office")}, "as_of": _utc(debts["as_of"])}

    def _prepare_slots(self, form, head, plan, clock):
        return [
            {**{key: slot[key] for key in ("opens", "closes", "text", "when")}, "place": slot["place"] or ""}
            for slot in form._get_portal_slots(head, plan, clock)
        ]

    def _prepare_certificate(self, form, base):
        """The certificate of a cleared form.

        It is issued by the first printing, by whoever may print it; this call changes nothing.

        :return: dict ``number``, ``issued_at`` and ``verify_url`` (where third parties see whether it is valid): null
            before it is issued, and for those who may not have it on paper; ``print_url`` and ``pdf_url`` (for the
            browser of the graduate) on the own form, else null
        """
        Certificate = self.env["clearance.certificate"]
        found = Certificate.search([("form_id", "=", form.id), ("revoked_at", "=", False)])
        own = form.partner_id == self.env.user.partner_id and form._get_portal_certificate()
        return {
            "number": found.number or None,
            "issued_at": to_utc(found.issued_at),
            # sudo: who may read a certificate may print it, and the address stands on the paper.
            "verify_url": found.sudo().url or None,
            "print_url": f"{base}{own['url']}" if own else None,
            "pdf_url": f"{base}{own['pdf_url']}" if own else None,
        }
