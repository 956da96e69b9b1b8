from collections import Counter

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_list

#: rows that are shown; all are tried
_SHOWN = 50
_LONGEST = 200


class ClearanceFeedTest(models.TransientModel):
    """What a pulled source says right now, and what would become of it; nothing is written.

    For system administrators, who set up where it is pulled from.
    """

    _name = "clearance.feed.test"
    _description = "Test of a Source System"
    _rec_name = "feed_id"

    feed_id = fields.Many2one("clearance.feed", required=True, readonly=True, ondelete="cascade")
    problem = fields.Char(readonly=True)
    source = fields.Char("File", readonly=True)
    columns = fields.Char("Read as", readonly=True)
    fields_read = fields.Char("Fields read", readonly=True)
    ignored = fields.Char("Not read", readonly=True)
    summary = fields.Char("What would happen", readonly=True)
    row_count = fields.Integer("Rows", readonly=True)
    line_ids = fields.One2many("clearance.feed.test.line", "test_id", "First rows", readonly=True)

    def _open(self, feed):
        """Test a feed, and show what was found.

        :param feed: a ``clearance.feed``; the caller has checked access
        """
        test = self.create({"feed_id": feed.id, **self._prepare_values(feed)})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Test: %s", feed.name),
            "res_model": self._name,
            "res_id": test.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def _prepare_values(self, feed):
        # sudo: only to read what system administrators, who alone get here, have set up.
        pulled = feed.sudo()
        if not pulled.pull_kind:
            return {"problem": self.env._("%s is not pulled: say from where first.", feed.name)}
        report = next(pulled._fetch_reports(test=True))
        values = {"problem": report.problem, "source": report.key, **self._prepare_columns(report)}
        if not report.problem:
            try:
                values.update(self._prepare_effect(pulled, report))
            except UserError as error:
                values["problem"] = error.args[0]
        return values

    def _prepare_columns(self, report):
        names = {
            "student_number": self.env._("student number"),
            "quantity": self.env._("quantity"),
            "amount": self.env._("amount"),
            "as_of": self.env._("time"),
            "note": self.env._("remark"),
            "step": self.env._("step"),
        }
        read = [
            self.env._("%(field)s: “%(column)s”", field=names[field], column=report.found[position][:40])
            for field, position in report.columns.items()
        ]
        used = set(report.columns.values())
        ignored = [name[:40] for position, name in enumerate(report.found) if position not in used and name]
        return {
            "columns": format_list(self.env, read) if read else False,
            "fields_read": " ".join(report.columns),
            "ignored": format_list(self.env, ignored[:20]) if ignored else False,
        }

    def _prepare_effect(self, feed, report):
        """Take the report in, in a transaction of its own that is thrown away."""
        with self.env.registry.cursor() as cr:
            try:
                answer = feed.with_env(feed.env(cr=cr))._take_in(
                    report.rows, "pull", as_of=report.as_of, complete=feed.pull_complete, verbose=True
                )
            finally:
                cr.rollback()
        outcomes = {row["row"]: row for row in answer["rows"] if row["row"]}
        return {
            "row_count": len(report.rows),
            "summary": feed._describe_counts(Counter(answer["counts"]) + Counter(answer["unnamed"])),
            "problem": answer["message"],
            "line_ids": [
                Command.create(self._prepare_line(number, row, outcomes.get(number, {})))
                for number, row in enumerate(report.rows[:_SHOWN], 1)
            ],
        }

    def _prepare_line(self, number, row, outcome):
        values = {field: self._show(row.get(field)) for field in ("quantity", "amount", "as_of", "note", "step")}
        code = outcome.get("outcome")
        return {
            "row": number,
            "student_number": self._show(row.get("student_number")),
            **values,
            "outcome": code,
            "message": outcome.get("message") if code not in ("done", "already") else False,
        }

    def _show(self, value):
        """A value of a source as text: whole numbers without decimals."""
        if isinstance(value, float):
            return f"{value:.12g}"
        return "" if value is None else str(value)[:_LONGEST]
