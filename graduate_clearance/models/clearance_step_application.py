from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.exceptions import ValidationError


class ClearanceStep(models.Model):
    """Steps that go on with what graduates sent for another step, and how long a deferral lasts.

    A check-out of Nanjing City is one application that counsellor, college and dorm keeper look at
    one after the other: three steps, of which the later ones go on with the first.  Who decides on
    one of them reads what was sent (``clearance_submission_onward.py``).
    """

    _inherit = "clearance.step"

    @api.constrains(
        "continues_id",
        "prerequisite_ids",
        "prerequisite_station_ids",
        "station_id",
        "session_id",
        "is_entry",
        "active",
        "mode",
    )
    def _check_continues_id(self):
        """A step goes on with an application that is sent, and decided on, before.

        Looked at for all steps of the session: what comes before what may change anywhere.
        """
        for step in self.session_id.step_ids.filtered("continues_id"):
            if problem := step._explain_continues_id():
                raise ValidationError(problem)

    @api.onchange("continues_id")
    def _onchange_continues_id(self):
        """What a step goes on with comes before it: added where the form may still say so."""
        if not self.continues_id or (self._origin and self.session_state == "open"):
            return
        if self.continues_id._origin not in self._get_all_before()._origin:
            self.prerequisite_ids |= self.continues_id

    def _explain_continues_id(self):
        """Why this step cannot go on with ``continues_id``, in words; empty where it can."""
        asking = self.continues_id
        names = {"step": self.name, "asking": asking.name}
        if asking == self:
            return self.env._("“%(step)s” cannot go on with itself.", **names)
        if asking.session_id != self.session_id:
            return self.env._(
                "“%(asking)s” belongs to another session: “%(step)s” cannot go on with what is sent there.", **names
            )
        if asking.continues_id:
            return self.env._(
                "“%(asking)s” itself goes on with “%(first)s”. Let “%(step)s” go on with “%(first)s”, where "
                "the graduate sends the application.",
                first=asking.continues_id.name,
                **names,
            )
        if not asking.active:
            return ""  # retired: nothing new is sent, what was sent stays readable
        if asking.mode == "feed":
            return self.env._(
                "“%(asking)s” is settled by a source system and asks for nothing that “%(step)s” could go on with.",
                **names,
            )
        if asking not in self._get_all_before():
            return self.env._(
                "“%(step)s” goes on with what is sent for “%(asking)s”, so “%(asking)s” has to come before: make "
                "it a prerequisite of “%(step)s”, directly or through others.",
                **names,
            )
        return ""

    def _get_all_before(self):
        """All steps that come before these, directly or through others."""
        before = following = self.browse()
        following = self.blocking_step_ids
        while following:
            before |= following
            following = following.blocking_step_ids - before
        return before

    def _get_deferral_end(self):
        """The last day of a deferral of this step that is granted today, as the step says.

        :return: a date on the clock of the campus, or False where it lasts until it is restored
        """
        self.ensure_one()
        if not self.deferral_months:
            return False
        return self.env["clearance.override"]._today() + relativedelta(months=self.deferral_months)

    def _get_deferral_rule(self):
        """How long a deferral of this step lasts as a rule, in words."""
        return self.env._(
            "Filled in: “%(step)s” is deferred for %(months)s months as a rule.",
            step=self.name,
            months=self.deferral_months,
        )
