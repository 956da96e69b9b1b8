"""What a graduate's page says about a form: plain values, for a template or for JSON."""

from odoo import api, models
from odoo.tools import format_list
from odoo.tools.misc import get_lang

from ..portal_clock import PortalClock
from ..texts import join_parts


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    # -- who gets in -----------------------------------------------------------

    def _get_share_url(self, redirect=False, signup_partner=False, pid=None, share_token=True):
        """The url of the page, without a token: the page asks for a login anyway."""
        return super()._get_share_url(redirect, signup_partner, pid, share_token=False)

    @api.model
    def _get_thread_with_access(self, thread_id, **kwargs):
        """The thread under the user's own rights: no token opens its messages either.

        They are about one person's debts, and whoever is forwarded a mail holds the
        token that Odoo puts into its link.
        """
        kwargs = {key: value for key, value in kwargs.items() if key not in ("hash", "pid", "token")}
        return super()._get_thread_with_access(thread_id, **kwargs)

    # -- values ----------------------------------------------------------------

    def _get_portal_values(self, head=None):
        """What the graduate's page shows of this form; the caller has checked access.

        Two queries, whatever the number of steps, and no record leaves here: a page that
        renders plain values answers twice as many requests.

        :param dict head: a row of :meth:`_get_portal_heads`, where the caller has it
        :return: dict with

            - ``id``, ``url``, ``student``, ``student_number``, ``session`` (name), ``instructions``,
              ``help``, ``privacy`` (how long what was sent is kept, in words), ``style`` (colours of
              states), ``timezone``
            - ``version``: see :meth:`_get_portal_version`
            - ``code``: what a desk scans, the address of the page; empty once there is nothing to do
            - ``working_days`` (text; empty unless the offices work on certain days only)
            - ``phase`` (see :meth:`_get_portal_phase`), ``withdrawn_reason``, ``opens``, ``closes``
              (moments), ``closes_left`` (text)
            - ``progress`` (:meth:`_get_portal_progress`) and ``overview`` (:meth:`_get_portal_overview`)
            - ``first``: steps to be settled before the page shows any others, empty most of the time;
              ``later``: how many others there are then
            - ``sections``: list of dicts ``kind`` (``first``, ``stage`` or ``optional``), ``name`` (of the
              stage) and ``steps``; ``not_required``: steps that do not apply; a step is a dict as
              made by :meth:`_prepare_portal_step`
            - ``slots`` (:meth:`_get_portal_slots`), ``documents`` (:meth:`_get_portal_documents`)
            - ``certificate``: see :meth:`_get_portal_certificate`; False before

            a moment has ``iso`` and ``text``
        """
        self.ensure_one()
        head = head or self._get_portal_head()
        plan = self.env["clearance.session"].browse(head["session_id"])._get_portal_plan(head["plan"])
        clock = self._get_portal_clock(plan["timezone"])
        phase = self._get_portal_phase(head, clock)
        steps = self._get_portal_steps(head, clock) if phase != "withdrawn" else []
        progress = self._get_portal_progress(steps, head, clock)
        first = self._get_portal_first(steps) if phase == "open" else []
        url = f"/my/clearance/{head['id']}"
        return {
            "id": head["id"],
            "url": url,
            "version": self._get_portal_version(head),
            "student": head["student"],
            "student_number": head["student_number"],
            "code": f"{self.get_base_url()}{url}" if phase in ("before", "open", "over") else "",
            "session": head["session"],
            "instructions": plan["instructions"],
            "help": plan["help"],
            "privacy": self._get_portal_privacy(plan, clock),
            "style": plan["style"],
            "phase": phase,
            "withdrawn_reason": head["withdrawn_reason"],
            "opens": clock.moment(head["open_from"]),
            "closes": clock.moment(head["open_until"]),
            "closes_left": self._get_portal_left(head["open_until"], clock) if phase == "open" else "",
            "timezone": clock.zone.zone,
            "working_days": self._get_portal_working_days(plan, clock) if phase in ("before", "open") else "",
            "progress": progress,
            "certificate": self._get_portal_certificate() if progress["state"] != "open" and steps else False,
            "first": first,
            **self._arrange_portal_steps(steps, first),
            "slots": self._get_portal_slots(head, plan, clock) if phase in ("before", "open") else [],
            "documents": self._get_portal_documents(steps) if not first else [],
        }

    def _arrange_portal_steps(self, steps, first):
        """Steps in the sections of the page; what comes after the first ones is only counted."""
        asked = [step for step in steps if step["state"] != "not_required"]
        if first:
            return {
                "overview": [],
                "later": len(asked) - len(first),
                "sections": [{"kind": "first", "name": "", "steps": first}],
                "not_required": [],
            }
        optional = [step for step in asked if not step["required"]]
        return {
            "overview": self._get_portal_overview(asked),
            "later": 0,
            "sections": self._group_portal_stages(step for step in asked if step["required"])
            + ([{"kind": "optional", "name": "", "steps": optional}] if optional else []),
            "not_required": [step for step in steps if step["state"] == "not_required"],
        }

    @api.model
    def _get_portal_phase(self, head, clock):
        """Where the session stands for this graduate.

        :param dict head: a row of :meth:`_get_portal_heads`
        :return: ``withdrawn``, ``before`` (not begun), ``open``, ``over`` (the window has
            passed, the offices may still be at work) or ``closed``
        """
        if head["state"] == "withdrawn":
            return "withdrawn"
        if head["session_state"] == "closed":
            return "closed"
        if head["session_state"] == "draft" or clock.now < head["open_from"]:
            return "before"
        return "over" if clock.now > head["open_until"] else "open"

    @api.model
    def _get_portal_first(self, steps):
        """The steps that open the form, while the graduate has one of them to settle alone.

        A questionnaire must be answered before the form opens (CUG Wuhan).  A supervisor's
        review that comes first keeps the others blocked, but hides nothing.
        """
        entries = [step for step in steps if step["is_entry"] and step["is_open"]]
        return entries if any(step["mode"] == "graduate" for step in entries) else []

    @api.model
    def _get_portal_overview(self, steps):
        """How many steps are whose turn.

        :return: list of dicts ``turn`` (see :meth:`_get_portal_turn`) and ``count``, where there are any
        """
        counts = dict.fromkeys(("todo", "others", "blocked", "later", "optional", "done"), 0)
        for step in steps:
            counts[step["turn"]] += 1
        return [{"turn": turn, "count": count} for turn, count in counts.items() if count]

    def _get_portal_progress(self, steps, head=None, clock=None):
        """How far the graduate is, and what comes next.

        Worked out from the statuses: the form's own state follows a moment later.

        :param list steps: see :meth:`_get_portal_steps`
        :param dict head: a row of :meth:`_get_portal_heads`, where the caller has it

        :return: dict with ``total``, ``left``, ``percent``, ``state`` (``open``, ``cleared``
            or ``deferred``), ``headline`` (text), ``next`` (text, empty when nothing waits for
            the graduate), ``next_id`` (id of that status, or False) and ``next_url``
        """
        closes = head["open_until"] if head else self.sudo().session_id.open_until  # sudo: a time of the own form
        due = [step for step in steps if step["required"] and step["state"] != "not_required"]
        left = [step for step in due if step["is_open"]]
        todo = next((step for step in left if step["todo"]), None)
        done = len(due) - len(left)
        state = "open"
        if all(step["lifted"] for step in left):
            state = "deferred" if left else "cleared"
        return {
            "total": len(due),
            "left": len(left),
            "percent": 100 * done // len(due) if due else 100,
            "state": state,
            "headline": self._get_portal_headline(state, len(left), len(due)),
            "next": self._get_portal_next(todo, closes, clock or self._get_portal_clock()) if todo else "",
            "next_id": todo["id"] if todo else False,
            "next_url": todo["url"] if todo else "",
        }

    def _get_portal_headline(self, state, left, total):
        if state == "cleared":
            return self.env._("Everything is settled.")
        if state == "deferred":
            return self.env._("Cleared with deferral.")
        return self.env._("%(left)s of %(total)s left.", left=left, total=total)

    def _get_portal_next(self, step, closes, clock):
        """Where to go next, in one line: station, step, what is owed, place, until when."""
        until = step["deadline"] or clock.moment(closes)
        owed = (step["debts"] or step["figure"] or {}).get("text")
        when = self.env._("Time to be announced") if step["unannounced"] else self.env._("until %s", until["text"])
        parts = [step["station"], step["name"], owed, step["place"], when]
        return join_parts(self.env, parts)

    def _group_portal_stages(self, steps):
        """Put steps of the same stage together, in the order in which stages begin."""
        stages = {}
        for step in steps:
            stages.setdefault(step["stage"] or "", []).append(step)
        return [{"kind": "stage", "name": name, "steps": stage} for name, stage in stages.items()]

    def _get_portal_working_days(self, plan, clock):
        """On which days the offices work from now on, in one line; empty when on every day."""
        days = clock.runs(plan["working_runs"])
        return self.env._("Offices work on %s", format_list(self.env, days)) if days else ""

    def _get_portal_slots(self, head, plan, clock):
        """When this graduate's college comes to the hall (Guiyang Vocational's time slots).

        :return: list of dicts ``text``, ``iso``, ``place`` and ``when`` (``past``, ``now``,
            ``next`` or ``later``)
        """
        if not plan["has_slots"]:
            return []
        session = self.env["clearance.session"].browse(head["session_id"])
        slots, is_next = [], True
        for slot in session._get_portal_slots(self, head["college_id"], head["plan"]):
            when = "past" if slot["until"] < clock.now else "now" if slot["from"] <= clock.now else "later"
            if when == "later" and is_next:
                when = "next"
            is_next = is_next and when not in ("now", "next")
            slots.append({"when": when, "place": slot["place"], **clock.span(slot["from"], slot["until"])})
        return slots

    @api.model
    def _get_portal_documents(self, steps):
        """What the graduate collects, and where it stands.

        :return: list of dicts ``name``, ``station``, ``place``, ``url`` (of the step), ``state``
            (``collected``, ``ready``, ``after``) and ``after`` (names ``station: step``)
        """
        return [
            {
                "name": step["handout"],
                "station": step["station"],
                "place": step["place"],
                "url": step["url"],
                "state": "collected" if step["settled"] else "after" if step["blocked_by"] else "ready",
                "after": step["blocked_by"],
            }
            for step in steps
            if step["handout"] and step["state"] != "not_required"
        ]

    # -- moments ---------------------------------------------------------------

    def _get_portal_timezone(self, campus=None):
        """The time zone of the page: the user's, else the campus'."""
        # sudo: the clock of the campus is no secret.
        return self.env.user.tz or campus or self.sudo().company_id.partner_id.tz or "UTC"

    def _get_portal_clock(self, campus=None):
        """What says when something is: in the language and the time zone of the user.

        :param str campus: the time zone of the campus, where the caller knows it
        """
        return PortalClock(get_lang(self.env).code, self._get_portal_timezone(campus))

    def _get_portal_moment(self, value):
        """A date or time for people and for machines, in their zone and language.

        :return: dict with ``text`` and ``iso``, or False
        """
        return self._get_portal_clock().moment(value)

    @api.model
    def _get_portal_left(self, value, clock):
        """How much time is left until a moment (UTC), in days as calendars count them."""
        if value < clock.now:
            return self.env._("over")
        days = clock.days_until(value)
        if days < 2:
            return self.env._("tomorrow") if days else self.env._("today")
        return self.env._("%s days left", days)
