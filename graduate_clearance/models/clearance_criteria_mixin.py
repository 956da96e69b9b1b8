from odoo import api, models
from odoo.exceptions import UserError


class ClearanceCriteriaMixin(models.AbstractModel):
    """A record of something done to many graduates, of which people say no more than for whom.

    A draft holds criteria; a preview tells what would happen; buttons do it, and write by
    :meth:`_record` how far they are.  Whoever calls ``create`` or ``write``, also from afar, can
    change the criteria of a draft and nothing else: neither what was done, nor who did it.
    """

    _name = "clearance.criteria.mixin"
    _description = "Guarded by Its Criteria"

    #: what people fill in, as long as nothing has been done
    _CRITERIA = frozenset()
    #: what can be said besides when a draft is made
    _CRITERIA_OF_NEW = frozenset()
    #: states in which nothing has been done yet
    _DRAFT_STATES = frozenset({"draft"})

    @api.model_create_multi
    def create(self, vals_list):
        """Make drafts: only the criteria can be said, and they belong to who makes them."""
        for vals in vals_list:
            self._check_criteria(vals, self._CRITERIA_OF_NEW)
        # Said here, a remote caller's ``default_state`` or ``default_user_id`` counts for nothing.
        fixed = {"user_id": self.env.uid, "state": "draft", "line_ids": [], **self._get_untouched_values()}
        return super().create([{**vals, **fixed} for vals in vals_list])

    def write(self, vals):
        """Change the criteria, as long as nothing has been done; a preview is then out of date."""
        self._check_criteria(vals)
        if any(record.state not in self._DRAFT_STATES for record in self):
            raise UserError(self._get_refusals()["started"])
        result = super().write(vals)
        if vals:
            # For drafts without a preview too: a start at the same moment must collide with this.
            self._record(**self._get_stale_values())
        return result

    def copy_data(self, default=None):
        """Criteria and nothing else: a copy is a fresh draft."""
        return [
            {name: value for name, value in vals.items() if name in self._CRITERIA}
            for vals in super().copy_data(default)
        ]

    @api.model
    def _check_criteria(self, vals, more=frozenset()):
        if vals.keys() - self._CRITERIA - more:
            raise UserError(self._get_refusals()["fields"])

    def _record(self, **vals):
        """Write past what :meth:`write` refuses.

        A context key would not do for that: remote callers choose their context.
        """
        return super().write(vals)  # pylint: disable=super-method-mismatch

    # -- what each model says of itself ------------------------------------------------------

    @api.model
    def _get_untouched_values(self):
        """Values of a draft with which nothing has been done: dict, besides user, state and rows."""
        return {}

    @api.model
    def _get_stale_values(self):
        """What to record when the criteria have changed: dict."""
        return {}

    @api.model
    def _get_refusals(self):
        """What to say: dict ``fields`` (something else than criteria was written), ``started`` (it is too late)."""
        return {
            "fields": self.env._("Only the criteria can be changed; the rest is done by buttons."),
            "started": self.env._("This has been started: its criteria can no longer be changed."),
        }
