"""Deciding on what has been looked at: a graduate may send something else meanwhile."""

from odoo import api, fields, models

from .clearance_status_gate import Outcome


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    submission_ids = fields.One2many(
        "clearance.submission", "status_id", "Sent", domain=[("state", "!=", "draft")], readonly=True
    )
    sent = fields.Json("What was sent", compute="_compute_sent")

    @api.depends("submission_ids.state")
    @api.depends_context("uid", "lang")
    def _compute_sent(self):
        sent = self.env["clearance.submission"]._get_sent(self.ids)
        for status in self:
            status.sent = sent.get(status.id, False)

    def _decide_seen(self, decision, door, reason=None, seen=None):
        """Take a decision on what was on the screen; what the graduate has replaced since is refused.

        A replacement that comes in the same instant writes the same status, so that one of
        the two fails to serialise, is retried by Odoo, and then sees the other.

        :param dict seen: ``{status id: id of the sending shown, or False where none was to be
            reviewed}``; statuses that are not named are decided on as they are
        :return: as :meth:`_decide`, with the code ``resent`` where something else was shown
        """
        resent = self._get_resent(seen or {})
        outcomes = (self - resent)._decide(decision, door, reason)
        found = {outcome.status_id: outcome for outcome in outcomes}
        return [found.get(status_id) or Outcome(status_id, "resent") for status_id in self.ids]

    def _get_resent(self, seen):
        """Those of these statuses for which something else is to be looked at now than ``seen``.

        What a colleague has decided meanwhile is left to the gate.
        """
        shown = {int(status_id): sending or False for status_id, sending in seen.items()}
        domain = [("id", "in", [status_id for status_id in self.ids if status_id in shown])]
        # Under the user's rules: nobody is told of what others have sent.
        statuses = self.search_fetch([*domain, ("state", "in", ("submitted", "pending", "optional"))], ["state"])
        lying = statuses.filtered(lambda status: status.state == "submitted")
        sendings = self.env["clearance.submission"].search_fetch(
            [("status_id", "in", lying.ids), ("state", "=", "sent")], ["status_id"]
        )
        now = {sending.status_id.id: sending.id for sending in sendings}
        return statuses.filtered(lambda status: shown[status.id] != now.get(status.id, False))

    def _get_resent_message(self):
        return self.env._("The graduate has sent something else, or withdrawn it, since it was shown. Look again.")

    @api.model
    def _explain(self, outcomes):
        return [
            (outcome, self._get_resent_message() if outcome.code == "resent" else message)
            for outcome, message in super()._explain(outcomes)
        ]
