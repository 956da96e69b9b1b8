from odoo import api, models
from odoo.tools import SQL


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    def _portal_head_sql(self):
        """With the versions of the questionnaires and of what the graduate has answered."""
        return SQL(
            """
            %s,
            (SELECT md5(string_agg(concat(survey.xmin, survey.ctid), ',' ORDER BY survey.id))
               FROM clearance_step step
               JOIN survey_survey survey ON survey.id = step.survey_id
              WHERE step.session_id = clearance_form.session_id) AS survey_plan,
            (SELECT md5(string_agg(concat(answer.xmin, answer.ctid), ',' ORDER BY answer.id))
               FROM clearance_step step
               JOIN survey_user_input answer ON answer.survey_id = step.survey_id
              WHERE step.session_id = clearance_form.session_id
                AND answer.partner_id = clearance_form.partner_id) AS survey_version
            """,
            super()._portal_head_sql(),
        )

    @api.model
    def _get_portal_heads(self, domain):
        """A page says something else when its questionnaires or answers have changed, too."""
        heads = super()._get_portal_heads(domain)
        for head in heads:
            head["plan"] = f"{head['plan']}{head.pop('survey_plan') or ''}"
            head["version"] = f"{head['version']}{head.pop('survey_version') or ''}"
        return heads

    def _get_portal_rows(self, head=None):
        """Rows with ``answered``: whether the questionnaire of the step is; one query where there are any."""
        rows = super()._get_portal_rows(head)
        asked = [row["id"] for row in rows if row["has_survey"]]
        # sudo: of the form whose access the caller has checked.
        Status = self.env["clearance.status"].sudo()
        answered = set(Status._get_answered_ids(SQL("status.id = ANY(%s)", asked))) if asked else set()
        for row in rows:
            row["answered"] = row["id"] in answered
        return rows

    def _get_portal_action(self, row):
        """The questionnaire first; who has answered it in advance only confirms."""
        action = super()._get_portal_action(row)
        if not row["has_survey"] or action["kind"] not in ("confirm", "send"):
            return action
        if not row["answered"]:
            if row["blocked_by"] or not row["survey_url"]:
                return {"kind": "none", "label": "", "url": row["url"]}
            return {"kind": "link", "label": self.env._("Answer the questionnaire"), "url": row["survey_url"]}
        if action["kind"] == "confirm":
            return {**action, "label": self.env._("You have answered: confirm")}
        return action
