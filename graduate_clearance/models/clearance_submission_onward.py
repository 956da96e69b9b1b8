"""Applications that several offices look at, one after the other."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ClearanceSubmission(models.Model):
    _inherit = "clearance.submission"

    is_passed_on = fields.Boolean(
        "Goes on with me",
        compute="_compute_is_passed_on",
        search="_search_is_passed_on",
        help="A later step of the graduate that you decide on goes on with what was sent here.",
    )
    is_my_turn = fields.Boolean(
        compute="_compute_is_my_turn",
        search="_search_is_my_turn",
        help="The offices before have settled their steps: the next one is the user's.",
    )
    can_decide = fields.Boolean("Mine to decide", compute="_compute_can_decide")

    @api.depends("status_id")
    @api.depends_context("uid")
    def _compute_is_passed_on(self):
        self._compute_by_search("is_passed_on")

    @api.depends("status_id")
    @api.depends_context("uid")
    def _compute_is_my_turn(self):
        self._compute_by_search("is_my_turn")

    def _compute_by_search(self, fname):
        # sudo: whose task it is, is in the search; rules on submissions ask this themselves.
        found = self.sudo().search([("id", "in", self.ids), (fname, "=", True)])
        for submission in self:
            submission[fname] = submission.sudo() in found

    def _search_is_passed_on(self, operator, value):
        """Sent for a step with which a step goes on that the user decides on, for the same graduate."""
        return self._search_onward("is_passed_on", Domain.TRUE, operator, value)

    def _search_is_my_turn(self, operator, value):
        """As :meth:`_search_is_passed_on`, where that step is open and nothing is missing."""
        return self._search_onward("is_my_turn", Domain("ready", "=", True), operator, value)

    def _search_onward(self, fname, which, operator, value):
        """Search set-wise, from the few steps that go on with another: where none does, it costs nothing.

        :param Domain which: which of the statuses that go on with it
        """
        if operator != "in":
            return NotImplemented

        def to_sql(model, alias, query):
            onward = self._get_onward_query(which)
            return SQL(
                "(%(sent)s.form_id, %(sent)s.step_id) IN (%(onward)s)",
                sent=SQL.identifier(alias),
                onward=onward.select(SQL("clearance_status.form_id, onward.continues_id")),
            )

        # In memory (for a single record that is opened) the field says it.
        domain = Domain.custom(to_sql=to_sql, predicate=lambda submission: submission[fname])
        return domain if True in value else ~domain

    @api.model
    def _get_onward_query(self, which=Domain.TRUE):
        """Statuses that the user may decide on, of steps (``onward``) that go on with another.

        Who decides is asked of the rules of the gate.  What does not concern the graduate gives
        no reason to read what was sent.

        :param Domain which: only these statuses
        """
        # Rules are looked at as superuser: it is the user who is asked about.
        Status = self.env(su=False)["clearance.status"]
        domain = Domain("step_id.continues_id", "!=", False) & Domain("state", "!=", "not_required")
        domain &= which & Status._get_actionable_domain()
        # sudo: the domain is the access check.
        query = Status.sudo().with_context(active_test=False)._search(domain)
        query.add_join("JOIN", "onward", "clearance_step", SQL("onward.id = clearance_status.step_id"))
        return query

    @api.depends("status_id")
    @api.depends_context("uid")
    def _compute_can_decide(self):
        # sudo: of submissions that the user reads; whose steps they are is what is asked.
        mine = set(self.sudo().status_id.with_env(self.env)._actionable_query().get_result_ids())
        for submission in self:
            submission.can_decide = submission.sudo().status_id.id in mine

    def _get_own_statuses(self):
        """The statuses on which the user decides: what these were sent for, or what goes on with them.

        One a submission, in any order; where the user decides on neither, what it was sent for.
        """
        passed_on = self.filtered(lambda sending: sending.is_passed_on and not sending.can_decide)
        if not passed_on:
            return self.status_id
        query = self._get_onward_query()
        keys = [SQL("(%s, %s)", sending.form_id.id, sending.step_id.id) for sending in passed_on]
        query.add_where(SQL("(clearance_status.form_id, onward.continues_id) IN (%s)", SQL(", ").join(keys)))
        query.order = SQL("clearance_status.form_id, onward.continues_id, onward.sequence, onward.id")
        # The first one of several that are the user's.
        first = query.select(SQL("DISTINCT ON (clearance_status.form_id, onward.continues_id) clearance_status.id"))
        statuses = self.status_id.browse(row[0] for row in self.env.execute_query(first))
        return (self - passed_on).status_id | statuses

    @api.model
    def _get_onward_of(self, status_ids):
        """Which of these statuses go on with what was sent for another step of their graduate.

        Whether the user may read what was sent there is left to the rules.

        :return: dict ``{id of the status it was sent for: [ids of those that go on with it]}``
        """
        # sudo: how steps hang together, of statuses that the caller shows anyway.
        statuses = self.env["clearance.status"].sudo().with_context(active_test=False)
        following = statuses.browse(status_ids).filtered("step_id.continues_id")
        if not following:
            return {}
        asked = statuses.search_fetch(
            [("form_id", "in", following.form_id.ids), ("step_id", "in", following.step_id.continues_id.ids)],
            ["form_id", "step_id"],
        )
        by_key = {(status.form_id.id, status.step_id.id): status.id for status in asked}
        onward = {}
        for status in following:
            asked_id = by_key.get((status.form_id.id, status.step_id.continues_id.id))
            if asked_id:
                onward.setdefault(asked_id, []).append(status.id)
        return onward
