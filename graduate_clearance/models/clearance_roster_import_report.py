"""Rosters as spreadsheets: the empty one to fill in, and what became of one."""

from odoo import api, models

from ..roster_columns import CHOICES
from ..workbook import Column, Workbook

#: rows of the sheet to mend; whoever has more mends the file itself
_MOST_TO_MEND = 10_000


class ClearanceRosterImport(models.Model):
    _inherit = "clearance.roster.import"

    # -- the empty one -------------------------------------------------------------------

    @api.model
    def _write_template(self, lang=None):
        """An empty roster with a sheet that explains its columns, in one of the two languages.

        :param str lang: ``zh_CN`` or ``en_US``; default: the user's
        :return: ``(name of the file, Workbook)``
        :raise AccessError: unless the user may import
        """
        self.check_access("create")
        lang = lang if lang in ("zh_CN", "en_US") else self.env.lang or "en_US"
        # The headers of both languages are known here, texts beside them where the language is installed.
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        env = (self.with_context(lang=lang) if lang in installed else self).env
        columns = env["clearance.student"]._get_import_columns()
        heads = {name: self._get_heads(name, column, lang) for name, column in columns.items()}
        with Workbook(env, title=env._("Roster")) as book:
            main = [name for name in columns if not name.startswith("trait.")]
            choices = {main.index(name): self._get_choices(env, name, lang) for name in CHOICES if name in main}
            book.sheet(
                env._("Roster"),
                [Column(heads[name][0], width=18) for name in main],
                validations=choices,
                autofilter=False,
            )
            self._explain(env, book, columns, heads)
        return env._("Roster template") + ".xlsx", book

    @api.model
    def _get_heads(self, name, column, lang):
        """The header of a column in a language, and in the other one."""
        chinese = next((word for word in column.aliases if not word.isascii()), column.label)
        if lang.startswith("zh"):
            english = self.env["clearance.student"].with_context(lang="en_US")._get_import_columns()[name].label
            return chinese, english
        return column.label, chinese

    @api.model
    def _get_choices(self, env, name, lang):
        """Words to choose from: those of the language of the template."""
        field = env["clearance.student"]._fields[name]
        labels = dict(field._description_selection(env))
        if lang.startswith("zh"):
            labels = {value: words[0] for value, words in CHOICES[name].items()}
        return [label for value, label in labels.items() if value]

    @api.model
    def _explain(self, env, book, columns, heads):
        """The sheet of explanations."""
        sheet = book.sheet(
            env._("Explanations"),
            [
                Column(env._("Column"), width=24),
                Column(env._("Also understood"), width=24),
                Column(env._("Needed"), width=14),
                Column(env._("What it holds"), width=60, kind="note"),
                Column(env._("Example"), width=26),
            ],
            notes=[
                env._("Columns may stand in any order, and be left out. Only the student number must be there."),
                env._("Empty cells leave what is known as it is."),
            ],
            autofilter=False,
        )
        for name, column in columns.items():
            text = column.help
            if name in CHOICES:
                text = " ".join(filter(None, (text, env._("One of the words that the cells offer."))))
            need = env._("Always") if name == "student_number" else env._("New graduates") if column.required else ""
            sheet.row([*heads[name], need, text, column.example])

    # -- what became of one ----------------------------------------------------------------

    def _write_report(self):
        """What became of each row, and the refused rows to mend and upload again.

        :return: ``(name of the file, Workbook)``
        :raise AccessError: unless the user may read this import
        """
        self.ensure_one()
        self.check_access("read")
        env = self.env
        outcomes = dict(env["clearance.roster.import.line"]._fields["outcome"]._description_selection(env))
        levels = dict(env["clearance.roster.import.line"]._fields["level"]._description_selection(env))
        with Workbook(env, self.company_id, title=self.name) as book:
            sheet = book.sheet(
                env._("Report"),
                [
                    Column(env._("Row"), kind="number"),
                    Column(env._("Student number"), width=18),
                    Column(env._("Full name"), width=18),
                    Column(env._("Outcome"), width=12),
                    Column(env._("Severity"), width=10),
                    Column(env._("Column"), width=16),
                    Column(env._("Value in the file"), width=24),
                    Column(env._("Problem"), kind="note"),
                    Column(env._("How to mend it"), kind="note"),
                    Column(env._("Changes"), kind="note"),
                ],
                title=self.name,
                notes=self._get_report_notes(),
                freeze=(0, 2),
            )
            for line in self._get_report_lines():
                sheet.row(
                    [
                        line["row"],
                        line["student_number"],
                        line["name"],
                        outcomes.get(line["outcome"]),
                        levels.get(line["level"]),
                        line["column"],
                        line["value"],
                        line["problem"],
                        line["remedy"],
                        line["changes"],
                    ]
                )
            if self.file and self.refused_count:
                self._write_rows_to_mend(book)
        stem = (self.filename or env._("Roster")).rpartition(".")[0] or env._("Roster")
        return env._("%s report", stem) + ".xlsx", book

    def _get_report_notes(self):
        env = self.env
        counts = env._(
            "%(created)s new, %(updated)s changed, %(unchanged)s without a change, %(refused)s refused",
            created=f"{self.created_count:,}",
            updated=f"{self.updated_count:,}",
            unchanged=f"{self.unchanged_count:,}",
            refused=f"{self.refused_count:,}",
        )
        if self.state == "done":
            head = env._("Written by %s.", self.user_id.name)
        elif self.state == "stopped":
            head = env._("Stopped: only these rows have been written.")
        else:
            head = env._("Checked by %s; nothing has been written.", self.user_id.name)
        return [head, counts]

    def _get_report_lines(self):
        """Lines as dicts, a thousand at a time."""
        Line = self.env["clearance.roster.import.line"]
        names = [
            "row",
            "student_number",
            "name",
            "outcome",
            "level",
            "column",
            "value",
            "problem",
            "remedy",
            "changes",
        ]
        last = (0, 0)
        while True:
            domain = [
                ("import_id", "=", self.id),
                "|",
                ("row", ">", last[0]),
                "&",
                ("row", "=", last[0]),
                ("id", ">", last[1]),
            ]
            lines = Line.search_read(domain, names, order="row, id", limit=1000)
            yield from lines
            if len(lines) < 1000:
                return
            last = (lines[-1]["row"], lines[-1]["id"])
            self.env.invalidate_all()

    def _write_rows_to_mend(self, book):
        """The refused rows as they stood in the file, with what is wrong: to be mended and uploaded by themselves."""
        env = self.env
        wrong = {}
        for line in self._get_report_lines():
            if line["level"] == "error" and (line["row"] in wrong or len(wrong) < _MOST_TO_MEND):
                text = f"{line['column']}: {line['problem']} {line['remedy']}"
                wrong.setdefault(line["row"], []).append(text)
        headers = {column.position: column.header for column in self.column_ids}
        places = sorted(headers)
        sheet = book.sheet(
            env._("Rows to mend"),
            [*(Column(headers[place]) for place in places), Column(env._("What is wrong"), kind="note")],
            autofilter=False,
        )
        for row in self._read_file_rows():
            if row.line in wrong:
                cells = [row.cells[place] if place < len(row.cells) else "" for place in places]
                sheet.row([*cells, "\n".join(wrong[row.line])])
