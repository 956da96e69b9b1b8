"""The gate: a step with a questionnaire is not settled before it is answered."""

from odoo import api, models
from odoo.tools import SQL


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    @api.model
    def _sent_sql(self, move):
        sent = super()._sent_sql(move)
        if move.target != "approved":
            return sent
        return SQL("(%s) AND (step.survey_id IS NULL OR %s)", sent, self._answered_sql())

    @api.model
    def _answered_sql(self):
        """Whether the graduate of ``status`` has answered the questionnaire of ``step``.

        The own answer, to the end, and not a try-out of its author.  Where an office has
        decided since, as by reopening the step, it has to be answered again.
        """
        return SQL(
            """EXISTS (SELECT 1
                         FROM survey_user_input answer
                         JOIN clearance_form answer_form ON answer_form.partner_id = answer.partner_id
                        WHERE answer_form.id = status.form_id
                          AND answer.survey_id = step.survey_id
                          AND answer.state = 'done'
                          AND answer.test_entry IS NOT TRUE
                          AND (status.decided_at IS NULL
                               OR status.door IN ('portal', 'roster')
                               OR answer.end_datetime >= status.decided_at))"""
        )

    @api.model
    def _get_answered_ids(self, which):
        """Ids of statuses whose questionnaire is answered, in one query.

        Raw SQL because the gate asks the same in its statement: there is one definition.

        :param SQL which: a condition on ``status`` and ``step``
        """
        self.env.flush_all()
        statement = SQL(
            """SELECT status.id
                 FROM clearance_status status
                 JOIN clearance_step step ON step.id = status.step_id
                WHERE step.survey_id IS NOT NULL AND %s AND %s""",
            which,
            self._answered_sql(),
        )
        return [row[0] for row in self.env.execute_query(statement)]

    def _get_portal_ask(self):
        """No button to confirm what is settled by a questionnaire, before that is answered."""
        ask = super()._get_portal_ask()
        # sudo: the caller has checked that it is the user's own; whether its step has a questionnaire.
        if not ask or ask["state"] != "open" or not self.sudo().step_id.survey_id:
            return ask
        if self._get_answered_ids(SQL("status.id = %s", self.id)):
            return ask
        if ask["kind"] == "confirm":
            return False
        return {**ask, "state": "shut", "can_send": False, "refusal": self.env._("Answer the questionnaire first.")}
