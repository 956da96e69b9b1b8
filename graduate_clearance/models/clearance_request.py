from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: how long an answer is remembered; far longer than a desk stays without its network
_DAYS = 7
_KEY_LENGTH = 64


class ClearanceRequest(models.Model):
    """What was answered to a request, so that the same request sent again acts once.

    A desk on a bad connection cannot know whether its confirmation has arrived.  It
    sends it again under the same key, and gets the answer it has missed.
    """

    _name = "clearance.request"
    _description = "Answered Request"
    _log_access = False
    _rec_name = "key"

    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="cascade")
    key = fields.Char(required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    answer = fields.Json(readonly=True)

    _user_key_uniq = models.Constraint("UNIQUE(user_id, key)", "A request is answered once.")

    @api.model
    def _once(self, key, act):
        """Run ``act`` unless the user has had its answer under ``key`` before.

        Of two at the same time the second fails to serialise, is retried by Odoo, and
        then finds the answer of the first.

        :param str key: made by the client, at most 64 characters; without one ``act`` just runs
        :param act: function without arguments whose answer can be written as JSON
        :return: the answer of ``act``, now or then
        :raise UserError: when the key is too long
        """
        if not key:
            return act()
        if not isinstance(key, str) or len(key) > _KEY_LENGTH:
            raise UserError(self.env._("The key of a request has at most %s characters.", _KEY_LENGTH))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO clearance_request (user_id, key, date) VALUES (%s, %s, %s)
                ON CONFLICT (user_id, key) DO NOTHING RETURNING id
                """,
                self.env.uid,
                key,
                self.env.cr.now(),
            )
        )
        row = self.env.cr.fetchone()
        # sudo: the user's own answers, found by user and key; nobody reads this model otherwise.
        requests = self.sudo()
        if not row:
            return requests.search([("user_id", "=", self.env.uid), ("key", "=", key)]).answer
        answer = act()
        requests.browse(row[0]).answer = answer
        return answer

    @api.autovacuum
    def _gc_requests(self):
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=_DAYS)
        self.search([("date", "<", limit)]).unlink()
