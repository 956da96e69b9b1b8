"""What a step asks for, as the graduate's page shows it: plain values, for a template."""

from odoo import models

from .clearance_requirement_answer import LONGEST


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    def _follow_up(self, call, rows):
        """A withdrawal takes back what was sent, through whatever door it came."""
        if call.decision == "withdraw":
            # sudo: the gate has let these statuses through.
            submissions = self.env["clearance.submission"].sudo()
            submissions.search([("status_id", "in", self.ids), ("state", "=", "sent")]).write({"state": "past"})
        return super()._follow_up(call, rows)

    def _ask_gate_about_sending(self):
        """What the gate would say if the graduate sent something now; nothing is written.

        :return: an ``Outcome``; ``done``, ``not_sent`` and (where the graduate settles the
            step alone) ``missing`` mean that it may be filled in
        """
        self.ensure_one()
        status = self.sudo()  # sudo: the caller has checked that it is the user's own
        if status.state == "submitted":
            decision = "withdraw"
        else:
            decision = "approve" if status.mode == "graduate" else "submit"
        return self._decide(decision, "portal", dry_run=True)[0]

    # -- values --------------------------------------------------------------------

    def _get_portal_ask(self):
        """What the step asks of the graduate, who calls this and whose form it is.

        The number of queries does not depend on how much is asked for.

        :return: False when the step asks for nothing; else a dict with

            - ``kind``: ``send``, or ``confirm`` (nothing to fill in: read and confirm)
            - ``state``: ``open`` (to be filled in or confirmed), ``submitted`` (lies with the
              office), ``settled``, or ``shut`` (cannot be sent now; ``refusal`` says why)
            - ``can_send``, ``can_withdraw``: whether there are buttons
            - ``alone``: the graduate settles this step without an office
            - ``refusal``, ``reason`` (of a rejection): texts, may be empty
            - ``blocked_by``: names ``station: step`` of what must be settled before
            - ``after``: id of the latest sending (0: none), to be sent along
            - ``sent``: False, or what lies with the office: dict ``number``, ``at`` (a moment)
              and ``rows`` (see ``clearance.submission._get_answer_rows``)
            - ``fields``: see :meth:`_prepare_portal_field`
            - ``problems``: list of dicts ``label``, ``text``, ``href``
            - ``drafted``: whether a draft is kept
            - ``url``: address of the step; ``/send`` and so on are below it
        """
        self.ensure_one()
        status = self.sudo()  # sudo: the caller has checked that it is the user's own
        submissions = self.env["clearance.submission"].sudo()  # sudo: those of this status only
        requirements = status.step_id._get_asked()
        latest = submissions._get_latest(status)
        alone = status.mode == "graduate"
        if not requirements and not latest and not alone:
            return False
        # What needs another look is the office's to look at, unless there is none.
        settled = status.state in ("approved", "not_required") and not (status.needs_review and alone)
        if settled and not latest and not alone:
            return False
        ask = {
            "kind": "send" if requirements else "confirm",
            "alone": alone,
            "reason": status.reason if status.state == "rejected" else "",
            "after": str(latest.id or 0),  # a text: QWeb leaves out an attribute that is 0
            "sent": latest._get_portal_sent() if latest.state == "sent" else False,
            "url": f"/my/clearance/step/{status.id}",
            **self._get_portal_ask_state(settled),
        }
        draft = submissions._get_draft(status)
        source = draft or latest
        problems = draft._get_problems() if draft.tried and ask["can_send"] else {}
        ask["drafted"] = bool(draft)
        ask["fields"] = self._get_portal_fields(requirements, source, problems) if ask["can_send"] else []
        ask["problems"] = [
            {"label": field["label"], "text": text, "href": f"#{field['input']}"}
            for field in ask["fields"]
            for text in field["problems"]
        ]
        return ask

    def _get_portal_ask_state(self, settled):
        """What can be done now: the part of :meth:`_get_portal_ask` that the gate knows."""
        values = {"can_send": False, "can_withdraw": False, "refusal": "", "blocked_by": []}
        if settled:
            return {**values, "state": "settled"}
        status = self.sudo()  # sudo: see _get_portal_ask
        outcome = self._ask_gate_about_sending()
        if status.state == "submitted":
            values["can_send"] = values["can_withdraw"] = outcome.code == "done"
            return {**values, "state": "submitted"}
        if outcome.code not in ("done", "not_sent", "missing"):
            return {**values, "state": "shut", "refusal": self._explain([outcome])[0][1]}
        pairs = self._get_missing().get(self.id, ())
        names = self._get_step_names(pairs)
        return {**values, "state": "open", "can_send": True, "blocked_by": [names[pair] for pair in pairs]}

    def _get_portal_fields(self, requirements, source, problems):
        """The form: one dict a requirement, filled in from a draft or an earlier sending."""
        typed = source._get_typed()
        files = source.file_ids.grouped("requirement_id")
        return [
            self._prepare_portal_field(
                requirement,
                typed.get(str(requirement.id), ""),
                files.get(requirement, source.file_ids.browse()),
                problems.get(requirement.id, []),
            )
            for requirement in requirements.with_context(bin_size=True)  # whether there is a form, not the form
        ]

    def _prepare_portal_field(self, requirement, typed, files, problems):
        """Plain values of one input.

        :return: dict with ``input`` (its id), ``name`` (of the input), ``label``, ``kind``,
            ``required``, ``hint``, ``value``, ``longest`` (characters), ``problems`` (texts),
            ``described_by`` (ids), and for choices ``choices`` (dicts ``value``, ``name``,
            ``chosen``), for files ``files`` (see ``clearance.submission.file._get_values``),
            ``limits`` (in words), ``accept``, ``most``, ``most_bytes`` and ``blank`` (address
            of a form to download, or False)
        """
        key = f"ask_{requirement.id}"
        field = {
            "input": key,
            "name": f"{'f' if requirement.kind == 'file' else 'r'}{requirement.id}",
            "label": requirement.name,
            "kind": requirement.kind,
            "required": requirement.required,
            "hint": requirement.help or "",
            "value": typed,
            "longest": LONGEST.get(requirement.kind),
            "problems": problems,
        }
        described_by = [f"{key}_hint"] if requirement.help else []
        if requirement.kind == "selection":
            field["choices"] = [
                {"value": choice.id, "name": choice.name, "chosen": typed == str(choice.id)}
                for choice in requirement._get_offered()
            ]
        if requirement.kind == "file":
            described_by.append(f"{key}_limits")
            field.update(
                files=files._get_values(),
                limits=requirement._get_limit_words(),
                accept=requirement._get_accept(),
                most=requirement.file_max_count,
                most_bytes=requirement._get_file_limit(),
                blank=bool(requirement.template) and f"/my/clearance/step/{self.id}/blank/{requirement.id}",
            )
        if problems:
            described_by.append(f"{key}_problem")
        field["described_by"] = " ".join(described_by) or None
        return field
