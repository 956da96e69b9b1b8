"""One step on a graduate's page: what it says, whose turn it is and what can be done."""

import re
from datetime import datetime

from odoo import api, models
from odoo.tools.misc import get_lang

from ..texts import join_parts
from .clearance_session_portal import split_phones
from .clearance_status_gate import MACHINE_DOORS

#: a map is a page of the web and nothing else: no script, no file of the reader
MAP_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)

#: debts that the line of what to do next names
_DEBTS_NAMED = 3


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    def _get_portal_steps(self, head=None, clock=None):
        """The steps of this form in the order of the process, as the page shows them.

        :param dict head: a row of :meth:`_get_portal_heads`, where the caller has it
        """
        head = head or self._get_portal_head()
        clock = clock or self._get_portal_clock()
        plan = self.env["clearance.session"].browse(head["session_id"])._get_portal_plan(head["plan"])
        page = {
            "words": plan["words"],
            "clock": clock,
            "phase": self._get_portal_phase(head, clock),
            "feeds": head["feeds"],
            "currency": plan["currency"],
        }
        return [self._prepare_portal_step(row, page) for row in self._get_portal_rows(head)]

    def _prepare_portal_step(self, row, page):
        """Turn a row of :meth:`_get_portal_rows` into what the page shows.

        :param dict page: what all steps need: ``words`` (for each state), ``clock``, ``phase``,
            ``feeds``, ``currency``
        :return: the row and

            - ``url``: the page of this step
            - ``legend``, ``word``: a state and how it is called; ``lifted_word``: how a deferral is; ``settled``
            - ``turn``, ``turn_text``: whose turn it is, see :meth:`_get_portal_turn`; ``todo``: required,
              and the graduate's turn
            - ``opens``, ``deadline``, ``decided_at``, ``lifted_until``: moments or False; ``left``:
              how long until the deadline, as text; ``early``, ``over``: outside its own window
            - ``user``: who decided, False when it was no person; ``phones``; ``map_url`` when it is safe
            - ``figure``: see :meth:`_get_portal_figure`; ``debts``: see :meth:`_get_portal_debts`
            - ``action``: see :meth:`_get_portal_action`
        """
        clock = page["clock"]
        legend = "review" if row["needs_review"] else row["state"]
        settled = row["state"] in ("approved", "not_required") and not row["needs_review"]
        step = {
            **row,
            "url": f"/my/clearance/step/{row['id']}",
            "phase": page["phase"],
            "legend": legend,
            "word": page["words"][legend],
            "lifted_word": page["words"]["lifted"],
            "settled": settled,
            "early": bool(row["open_from"] and row["open_from"] > clock.now),
            "over": bool(row["deadline"] and row["deadline"] < clock.now),
            "opens": clock.moment(row["open_from"]),
            "deadline": clock.moment(row["deadline"]),
            "left": self._get_portal_left(row["deadline"], clock) if row["deadline"] and not settled else "",
            "decided_at": clock.moment(row["decided_at"]),
            "user": False if row["door"] in MACHINE_DOORS else row["user"],
            "lifted_until": clock.moment(row["lifted"] and row["lifted_until"]),
            "phones": split_phones(row["phone"] or ""),
            "map_url": row["map_url"] if MAP_URL.match(row["map_url"] or "") else False,
            "figure": self._get_portal_figure(row, page, settled),
            "debts": False if settled else self._get_portal_debts(row, page),
        }
        if step["debts"] and step["debts"]["are_reason"]:
            # Told once, item by item.
            step["reason"] = ""
        step["turn"] = self._get_portal_turn(step)
        step["turn_text"] = self._get_portal_turn_text(step)
        step["todo"] = step["turn"] == "todo" and step["is_open"]
        step["action"] = self._get_portal_action(step)
        return step

    # -- whose turn it is ------------------------------------------------------------

    @api.model
    def _get_portal_turn(self, step):
        """Whose turn it is.

        :return: ``done``; ``later`` (deferred, or its time has not begun or is to be announced); ``others`` (waits for
            somebody else); ``blocked`` (by other steps); ``optional`` (may be left alone);
            ``todo`` (the graduate's)
        """
        if step["settled"]:
            return "done"
        if step["lifted"]:
            return "later"
        if step["state"] == "submitted":
            return "others"
        if step["blocked_by"]:
            return "blocked"
        if step["early"]:
            return "later"
        if step["needs_review"]:
            return "todo" if step["mode"] == "graduate" else "others"
        if step["state"] == "optional":
            return "optional"
        if self._is_portal_waiting(step):
            return "others"
        # What is to be sent can be sent; for the desk there is no time to come yet.
        return "later" if step["unannounced"] and not step["asks"] and step["state"] != "rejected" else "todo"

    @api.model
    def _is_portal_waiting(self, step):
        """Whether an open step that nothing blocks waits for somebody who acts without being asked."""
        if step["state"] == "rejected" or step["asks"] or step["debts"]:
            return False
        if step["mode"] == "feed":
            return bool(step["figure"]) and not step["figure"]["owed"] and not step["figure"]["kept"]
        return step["office_acts"] or step["mode"] in ("counsellor", "supervisor")

    def _get_portal_turn_text(self, step):
        """Who has to do something, in one line; empty where the state says it all."""
        turn = step["turn"]
        if turn == "todo":
            if step["over"]:
                return self.env._("The time for this step is over. Ask the office what is still possible.")
            return self.env._("Yours to do now") if step["phase"] == "open" else ""
        if turn == "others":
            return self._get_portal_wait_text(step)
        if turn == "later" and step["opens"] and step["early"]:
            return self.env._("Begins %s", step["opens"]["text"])
        return ""

    def _get_portal_wait_text(self, step):
        """Whom a step waits for, and for what."""
        mode = step["mode"]
        if step["state"] == "submitted":
            if mode == "counsellor":
                return self.env._("Your counsellor reviews what you sent")
            if mode == "supervisor":
                return self.env._("Your supervisor reviews what you sent")
            return self.env._("%s reviews what you sent", step["station"])
        if mode == "counsellor":
            return self.env._("Waits for your counsellor")
        if mode == "supervisor":
            return self.env._("Waits for your supervisor")
        if step["needs_review"]:
            return self.env._("%s looks at this once more", step["station"])
        if step["office_acts"] and mode != "feed":
            return self.env._("%s checks this by itself", step["station"])
        return self.env._("Settles by itself: you owe nothing")

    # -- what can be done --------------------------------------------------------------

    def _get_portal_action(self, row):
        """What the graduate can do about a step now; addons that settle steps otherwise override it.

        :param dict row: a step, as :meth:`_prepare_portal_step` makes it
        :return: dict ``kind`` (``send``, ``confirm``, ``replace``, ``link`` or ``none``),
            ``label`` and ``url``
        """
        url = f"{row['url']}#ask"
        if row["settled"] or row["phase"] != "open" or row["early"] or row["over"]:
            return {"kind": "none", "label": "", "url": row["url"]}
        if row["state"] == "submitted":
            return {"kind": "replace", "label": self.env._("See or replace what you sent"), "url": url}
        if row["mode"] == "graduate" and not row["asks"]:
            if row["blocked_by"]:
                return {"kind": "none", "label": "", "url": row["url"]}
            return {"kind": "confirm", "label": self.env._("Read and confirm"), "url": url}
        if row["asks"] and not row["needs_review"]:
            again = row["state"] == "rejected"
            label = self.env._("Correct and send again") if again else self.env._("Fill in and send")
            return {"kind": "send", "label": label, "url": url}
        return {"kind": "none", "label": "", "url": row["url"]}

    # -- what a source system says -------------------------------------------------------

    def _get_portal_figure(self, row, page, settled=False):
        """What a source system says of a step.

        :return: False when it says nothing, or nothing else than that the step is settled; else a
            dict ``text`` (what is owed; empty when nothing is known), ``owed`` (bool), ``kept`` (a
            person has decided otherwise), ``feed`` (name), ``as_of`` (moment or False), ``every``
            (text, may be empty), ``silent`` and ``heard_at`` (moment or False)
        """
        feed = page["feeds"].get(str(row["feed_id"]))
        if not feed and not row["as_of"]:
            return False
        feed = feed or {"name": "", "unit": "", "every": 0, "heard_at": None, "silent": False}
        owed = bool(row["quantity"] or row["amount"])
        person = row["decided_at"] and row["door"] not in MACHINE_DOORS
        kept = bool(person and row["as_of"] and owed == settled)
        if settled and not kept:
            return False
        clock = page["clock"]
        return {
            "text": self._describe_portal_figure(row, feed, page) if row["as_of"] else "",
            "owed": owed or not row["as_of"],
            "kept": kept,
            "feed": feed["name"],
            "as_of": clock.recent(row["as_of"]),
            "every": self._get_portal_every(feed["every"]),
            "silent": feed["silent"],
            "heard_at": clock.moment(feed["heard_at"] and datetime.fromisoformat(feed["heard_at"])),
        }

    def _describe_portal_figure(self, row, feed, page):
        """What is owed in words, as ``clearance.feed._describe`` says it to the desk."""
        if row["note"]:
            return row["note"]
        parts = []
        if row["quantity"]:
            parts.append(f"{row['quantity']:g} {feed['unit'] or ''}".strip())
        if row["amount"]:
            parts.append(self._format_portal_amount(row["amount"], page["currency"]))
        return join_parts(self.env, parts) or self.env._("nothing owed")

    # -- what an office says -----------------------------------------------------------------

    def _get_portal_debts(self, row, page):
        """What an office has listed as owed on a step; see ``clearance.debt``.

        :return: False when nothing is owed; else a dict ``items`` (dicts ``what``, ``amount`` and ``remark``,
            texts), ``total`` (text, where there are several amounts), ``text`` (all of it, short), ``as_of``
            (moment), ``office`` (name), ``are_reason`` (the latest decision says the same)
        """
        if not row["debts"]:
            return False
        currency = page["currency"]
        items = [self._prepare_portal_debt(debt, currency) for debt in row["debts"]]
        amounts = [debt["amount"] for debt in row["debts"] if debt["amount"]]
        total = self._format_portal_amount(sum(amounts), currency) if len(amounts) > 1 else ""
        names = [item["what"] or item["amount"] or item["remark"] for item in items]
        if len(names) > _DEBTS_NAMED:
            names[_DEBTS_NAMED:] = [self.env._("%s more", len(names) - _DEBTS_NAMED)]
        return {
            "items": items,
            "total": total,
            "text": join_parts(self.env, names),
            "as_of": page["clock"].recent(row["debts_as_of"]),
            "office": row["station"],
            "are_reason": row["debts_are_reason"] and row["door"] == "batch",
        }

    def _prepare_portal_debt(self, debt, currency):
        """One debt in the words of the page."""
        quantity = f"{debt['quantity']:g}" if debt["quantity"] else ""
        what = debt["item"] or ""
        if quantity:
            what = (
                self.env._("%(item)s × %(quantity)s", item=what, quantity=quantity)
                if what
                else self.env._("%(quantity)s items", quantity=quantity)
            )
        return {
            "what": what,
            "amount": self._format_portal_amount(debt["amount"], currency) if debt["amount"] else "",
            "remark": debt["remark"] or "",
        }

    def _format_portal_amount(self, amount, currency):
        """An amount as ``format_amount`` of Odoo would write it, without reading the currency."""
        lang = self.env["res.lang"].browse(get_lang(self.env).id)
        text = lang.format(f"%.{currency['digits']}f", amount, grouping=True)
        symbol = currency["symbol"] or ""
        return f"{symbol}\N{NO-BREAK SPACE}{text}" if currency["before"] else f"{text}\N{NO-BREAK SPACE}{symbol}"

    def _get_portal_every(self, minutes):
        """How often a source system reports, in words."""
        if not minutes:
            return ""
        if minutes == 60:
            return self.env._("updated about every hour")
        if minutes == 24 * 60:
            return self.env._("updated about once a day")
        if minutes % 60:
            return self.env._("updated about every %s minutes", minutes)
        return self.env._("updated about every %s hours", minutes // 60)
