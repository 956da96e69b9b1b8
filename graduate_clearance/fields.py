"""Field types of this addon."""

from odoo import fields


class PlainMany2one(fields.Many2one):
    """A Many2one without a foreign key in the database.

    Statuses and log lines are written by the hundred thousand, and each foreign
    key costs a look-up for every row written: with six of them an opening takes
    twice as long as with two.  Use this type only for a column that is a *copy*
    of what a guarded column already says (a status copies its form's college),
    or where the past must outlive the record it names (the log).
    """

    def update_db_foreign_key(self, model, column):
        """Leave the column without a foreign key."""


class StateSelection(fields.Selection):
    """A state of a step, called what the user's campus calls it (see ``clearance.legend``).

    Whatever asks the field for its labels (lists, filters, groups, pivots, exports) gets the
    words of the campus.
    """

    def _description_selection(self, env):
        words = env["clearance.legend"]._get_changes()["words"]
        return [(value, words.get(value, label)) for value, label in self.get_usual_words(env).items()]

    def get_usual_words(self, env):
        """The words of campuses that have changed none: dict ``{value: word}``, in the user's language."""
        return dict(fields.Selection._description_selection(self, env))
