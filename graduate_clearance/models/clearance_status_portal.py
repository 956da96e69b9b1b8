"""The history of one step on the page of its graduate."""

from odoo import models
from odoo.tools import SQL

from .clearance_status_gate import MACHINE_DOORS

#: how many lines a page shows, the latest ones
_SHOWN = 50


class ClearanceStatus(models.Model):
    _inherit = "clearance.status"

    def _get_portal_history(self):
        """What has happened on this step; the caller has checked that it is the user's own.

        One query; raw SQL because the log has no foreign keys, and graduates do not read it.

        :return: list of dicts, the latest first: ``at`` (moment), ``text`` (what), ``by`` (name; empty
            when it was no person), ``mine`` (the reader did it), ``reason``
        """
        self.ensure_one()
        self.env.flush_all()
        clock = self.form_id._get_portal_clock()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT log.date, log.action, log.to_state, log.reason, log.door, log.user_id, partner.name
                  FROM clearance_log log
             LEFT JOIN res_users person ON person.id = log.user_id
             LEFT JOIN res_partner partner ON partner.id = person.partner_id
                 WHERE log.form_id = %s AND log.status_id = %s
                 ORDER BY log.id DESC
                 LIMIT %s
                """,
                self.form_id.id,
                self.id,
                _SHOWN,
            )
        )
        return [
            {
                "at": clock.moment(row["date"]),
                "text": self._describe_portal_change(row),
                "by": "" if row["door"] in MACHINE_DOORS else row["name"] or "",
                "mine": row["user_id"] == self.env.uid and row["door"] not in MACHINE_DOORS,
                "reason": row["reason"] or "",
            }
            for row in rows
        ]

    def _describe_portal_change(self, row):
        """A line of the log in the graduate's words."""
        if row["action"] == "undo":
            states = dict(self._fields["state"]._description_selection(self.env))
            return self.env._("Corrected: %s", states.get(row["to_state"], ""))
        return {
            "approve": self.env._("Approved"),
            "reject": self.env._("Not approved"),
            "reopen": self.env._("Opened again"),
            "submit": self.env._("Sent"),
            "withdraw": self.env._("Taken back"),
            "set_optional": self.env._("Made optional"),
            "set_not_required": self.env._("Not required any more"),
            "owe": self.env._("Told what is owed"),
            "review": self.env._("To be looked at once more"),
            "lift": self.env._("Deferred: may be settled later"),
            "restore": self.env._("No longer deferred"),
            "expired": self.env._("The deferral has ended"),
        }.get(row["action"], "")
