"""What staff see of a submission, and what they decide on it."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .clearance_status_gate import Outcome


class ClearanceSubmission(models.Model):
    _inherit = "clearance.submission"

    student_id = fields.Many2one(related="form_id.student_id", string="Graduate")
    class_id = fields.Many2one(related="form_id.class_id", string="Class")
    college_id = fields.Many2one(related="form_id.college_id")
    session_id = fields.Many2one(related="form_id.session_id")
    station_id = fields.Many2one(related="status_id.station_id")
    company_id = fields.Many2one(related="form_id.company_id", string="Campus")
    step_state = fields.Selection(related="status_id.state", string="State of the step")
    step_legend = fields.Selection(related="status_id.legend", string="Where the step stands")
    step_reason = fields.Char(related="status_id.reason", string="Remark")
    blocked_by = fields.Char(related="status_id.blocked_by", string="Waits for")
    is_mine = fields.Boolean(related="status_id.is_mine", string="At my stations")

    def action_confirm(self):
        """Confirm the steps for which this was sent, or the user's own that go on with it, through the gate.

        Callable by everybody; the gate refuses row by row what the caller may not do.  What
        has been replaced since it was shown is refused too.

        :return: a notice of what happened
        :raise UserError: when nothing could be confirmed
        """
        self.check_access("read")
        door = "form" if self.env.context.get("clearance_door") == "form" else "list"
        current = self.filtered(lambda sending: sending.state == "sent")
        seen = {sending.status_id.id: sending.id for sending in current}
        outcomes = current._get_own_statuses()._decide_seen("approve", door, seen=seen)
        outcomes += [Outcome(status_id, "resent") for status_id in self.status_id.ids if status_id not in seen]
        return self.status_id._answer_on_screen(self.status_id._explain(outcomes))

    def action_reject(self):
        """Ask for the reason, then reject what was sent, or the user's own step that goes on with it.

        :raise UserError: when the graduate has replaced all of it
        """
        self.check_access("read")
        current = self.filtered(lambda sending: sending.state == "sent")
        if not current:
            raise UserError(self.status_id._get_resent_message())
        return current._get_own_statuses().action_reject()

    def action_open_desk(self):
        """Open the graduate at the desk of the step's station, or of the user's own that goes on with it."""
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "graduate_clearance.desk",
            "name": self.env._("Desk"),
            "context": {
                "clearance_form_id": self.form_id.id,
                "clearance_station_id": self._get_own_statuses().station_id.id,
            },
        }

    def action_open_status(self):
        """Open the step that this was sent for, or the user's own that goes on with it."""
        self.ensure_one()
        status = self._get_own_statuses()
        return {
            "type": "ir.actions.act_window",
            "name": status.step_id.name,
            "res_model": "clearance.status",
            "res_id": status.id,
            "views": [(False, "form")],
        }

    @api.model
    def _get_sent(self, status_ids):
        """What graduates have sent for some statuses, as far as the user may see it.

        :param status_ids: ids of statuses
        :return: dict ``{status id: [sending, ...]}``, the newest first; a sending is a dict
            ``id``, ``number``, ``state`` (``sent``, or ``past`` when replaced or withdrawn),
            ``sent_at`` (UTC text), ``answers`` (see :meth:`_get_answer_rows`) and ``for_step``: name of
            the step it was sent for, where the status goes on with another step's application; empty
            for what was sent for the status itself, which comes first
        """
        onward = self._get_onward_of(status_ids)
        sendings = self.search([("status_id", "in", [*status_ids, *onward]), ("state", "!=", "draft")])
        found, passed_on = {}, {}
        for sending in sendings.sorted(lambda sending: (sending.state == "sent", sending.number), reverse=True):
            status = sending.status_id
            values = sending._prepare_sent()
            if status.id in status_ids:
                found.setdefault(status.id, []).append({**values, "for_step": ""})
            for following_id in onward.get(status.id, ()):
                passed_on.setdefault(following_id, []).append({**values, "for_step": sending.step_id.name})
        return {key: found.get(key, []) + passed_on.get(key, []) for key in found.keys() | passed_on.keys()}

    def _prepare_sent(self):
        return {
            "id": self.id,
            "number": self.number,
            "state": self.state,
            "sent_at": fields.Datetime.to_string(self.sent_at) or "",
            "answers": self._get_answer_rows(),
        }
