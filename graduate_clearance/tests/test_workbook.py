import io
import tempfile
import tracemalloc
from datetime import date
from pathlib import Path
from unittest.mock import patch
from zipfile import ZipFile

import openpyxl

from odoo import fields
from odoo.tests import tagged

from odoo.addons.graduate_clearance import workbook
from odoo.addons.graduate_clearance.table_file import read_rows
from odoo.addons.graduate_clearance.workbook import Column, Workbook

from .common import ClearanceCommon

_moment = fields.Datetime.to_datetime


@tagged("post_install", "-at_install")
class TestWorkbook(ClearanceCommon):
    """What is written is read back as it was meant, by another library."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.tz = "Asia/Shanghai"

    def _write(self, columns, rows, name="Sheet", **options):
        with Workbook(self.env, self.campus) as book:
            book.sheet(name, columns, **options).rows(rows)
        return openpyxl.load_workbook(io.BytesIO(book.content))

    def _write_texts(self, texts):
        """The cells of one column of texts."""
        book = self._write([Column("Text")], [[text] for text in texts])
        return [row[0] for row in book.worksheets[0].iter_rows(min_row=2)]

    def test_text_stays_text(self):
        texts = [
            "=1+1",
            '=HYPERLINK("http://example.com","x")',
            "+86 10",
            "-1",
            "@SUM(A1)",
            "{=1}",
            "http://example.com",
            "mailto:a@example.com",
            "internal:Sheet!A1",
            "0012",
            "20260001",
            "1e5",
            "TRUE",
            "2026-06-30",
            "<r><t>bold</t></r>",
            "<b>&amp;</b>",
            "  spaces  ",
            "line\nbreak",
            "陈𠮷野",
        ]
        cells = self._write_texts(texts)
        self.assertEqual([cell.value for cell in cells], texts)
        self.assertEqual({cell.data_type for cell in cells}, {"s"})
        self.assertFalse([cell for cell in cells if cell.hyperlink])
        self.assertEqual({cell.number_format for cell in cells}, {"@"}, "It stays text when somebody edits the cell.")

    def test_no_formula_and_no_link_in_the_file(self):
        with Workbook(self.env, self.campus) as book:
            book.sheet("=A1", [Column("=B1")], title="=C1", notes=["=D1"], bands=[("=E1", 1)]).row(["=F1"])
        with ZipFile(io.BytesIO(book.content)) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        self.assertNotIn("<f>", sheet)
        self.assertNotIn("hyperlink", sheet)
        self.assertIn("=F1", sheet)

    def test_signs_that_xml_forbids(self):
        cells = self._write_texts(["a\x00b\x08c\ufffed\ud800e", "tab\tkept", "_x0041_"])
        self.assertEqual(cells[0].value, "abcde")
        self.assertEqual(cells[1].value, "tab\tkept")
        # As the format wants it: a reader that knows the escape shows _x0041_, not A.
        self.assertIn(cells[2].value, ("_x0041_", "_x005F_x0041_"))

    def test_long_texts_are_cut(self):
        [cell] = self._write_texts(["x" * 40_000])
        self.assertEqual(len(cell.value), 32_767)

    def test_kinds(self):
        columns = [
            Column("Number", kind="number"),
            Column("Money", kind="money"),
            Column("Day", kind="date"),
            Column("Moment", kind="datetime"),
            Column("Rate", kind="percent"),
            Column("Bracket", kind="bracket"),
        ]
        row = [7653, 12.5, date(2026, 6, 30), _moment("2026-06-30 16:30:15"), 0.25, 10]
        sheet = self._write(columns, [row]).worksheets[0]
        cells = sheet[2]
        self.assertEqual(
            [cell.value for cell in cells],
            [7653, 12.5, _moment("2026-06-30"), _moment("2026-07-01 00:30:15"), 0.25, 10],
            "Moments are on the clock of the campus.",
        )
        self.assertEqual(
            [cell.number_format for cell in cells],
            ["#,##0", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "0.0%", "(#,##0);-#,##0;;"],
        )

    def test_a_moment_shows_on_the_day_of_the_campus(self):
        sheet = self._write([Column("Day", kind="date")], [[_moment("2026-06-30 16:30:00")]]).worksheets[0]
        self.assertEqual(sheet["A2"].value, _moment("2026-07-01"))

    def test_what_does_not_fit_its_kind_is_text(self):
        kinds = ("number", "number", "number", "money", "date", "datetime", "percent", "state")
        row = ["n/a", float("nan"), 12345678901234567890, True, "soon", date(1066, 10, 14), float("inf"), "unheard of"]
        sheet = self._write([Column(kind, kind=kind) for kind in kinds], [row]).worksheets[0]
        self.assertEqual(
            [cell.value for cell in sheet[2]],
            ["n/a", "nan", "12345678901234567890", "True", "soon", "1066-10-14", "inf", "unheard of"],
        )

    def test_nothing_leaves_the_cell_empty_and_zero_does_not(self):
        kinds = ("text", "number", "number", "date", "state")
        sheet = self._write([Column(kind, kind=kind) for kind in kinds], [[False, None, 0, False, ""]]).worksheets[0]
        self.assertEqual([cell.value for cell in sheet[2]], [None, None, 0, None, None])

    def test_states_in_the_words_and_colours_of_the_campus(self):
        Legend = self.env["clearance.legend"]
        Legend._make_missing(self.campus)
        approved = Legend.search([("company_id", "=", self.campus.id), ("state", "=", "approved")])
        approved.write({"name": "Settled here", "background": "#ffffff", "text": "#112233"})
        states = ["pending", "approved", "lifted", "cleared", "withdrawn"]
        sheet = self._write([Column("State", kind="state")], [[state] for state in states]).worksheets[0]
        cells = [row[0] for row in sheet.iter_rows(min_row=2)]
        self.assertEqual(
            [cell.value for cell in cells],
            ["↓ Not done", "✓ Settled here", "◇ Deferred", "✓ Cleared", "⊘ Withdrawn"],
        )
        self.assertEqual(cells[0].fill.fgColor.rgb, "FFFFF3CD")
        self.assertEqual(cells[1].fill.fgColor.rgb, "FFFFFFFF")
        self.assertEqual(cells[1].font.color.rgb, "FF112233")
        self.assertEqual(cells[1].border.left.style, "thin")
        self.assertEqual(len({cell.value[0] for cell in cells[:3]}), 3, "Never colour alone.")

    def test_every_state_has_a_sign_of_its_own(self):
        with Workbook(self.env, self.campus) as book:
            book.add_legend()
        sheet = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]
        signs = [row[0].value[0] for row in sheet.iter_rows(min_row=2)]
        self.assertEqual(len(signs), 8)
        self.assertEqual(len(set(signs)), 8)
        self.assertTrue(all(row[1].value for row in sheet.iter_rows(min_row=2)), "Each is explained.")

    def test_head(self):
        columns = [Column("Number"), Column("Name"), Column("State", kind="state")]
        book = self._write(
            columns, [["1", "A", "pending"], ["2", "B", "approved"]], title="Due", notes=["As of", "By"], freeze=(1, 2)
        )
        sheet = book.worksheets[0]
        self.assertEqual([sheet[f"A{line}"].value for line in (1, 2, 3, 4)], ["Due", "As of", "By", "Number"])
        self.assertEqual(sheet.freeze_panes, "C5")
        self.assertEqual(sheet.auto_filter.ref, "A4:C6")
        self.assertEqual(sheet.print_title_rows, "$4:$4")
        self.assertTrue(sheet["A4"].font.bold)

    def test_bands(self):
        columns = [Column(letter) for letter in "abcd"]
        sheet = self._write(columns, [list("wxyz")], bands=[("", 1), ("Library", 2), ("Finance", 1)]).worksheets[0]
        self.assertEqual([cell.value for cell in sheet[1]], [None, "Library", None, "Finance"])
        self.assertEqual([str(cells) for cells in sheet.merged_cells.ranges], ["B1:C1"])
        self.assertEqual(sheet.freeze_panes, "A3")

    def test_widths(self):
        columns = [Column("Name"), Column("Name"), Column("Given", width=11), Column("更多的汉字"), Column("Name")]
        row = ["Li", "汉字十个汉字十个汉字", "x" * 30, "", "x" * 200]
        sheet = self._write(columns, [row]).worksheets[0]
        widths = [round(sheet.column_dimensions[letter].width - 0.71) for letter in "ABCDE"]
        self.assertEqual(widths, [8, 21, 11, 13, 48], "Chinese counts double; what is given stays; there is an end.")

    def test_sheet_names(self):
        names = ["a/b:c[d]*?\\", "", "'quoted'", "History", "Same", "same", "College of Engineering: certificates"]
        names.append("College of Engineering: one desk")
        with Workbook(self.env, self.campus) as book:
            for name in names:
                book.sheet(name, [Column("x")])
        found = openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames
        self.assertEqual(found[:6], ["a b c d", "Sheet", "quoted", "History.", "Same", "same (2)"])
        self.assertEqual(found[6:], ["College of Engi…ng certificates", "College of Engineering one desk"])
        self.assertTrue(all(len(name) <= 31 for name in found))
        self.assertEqual(len({name.casefold() for name in found}), len(names))

    def test_protection(self):
        columns = [Column("Number"), Column("Decision"), Column("Remark"), Column("Key")]
        book = self._write(
            columns,
            [["1", None, None, "k"]],
            protect=True,
            validations={1: ["✓ done", "✗ not"]},
            unlocked=(2,),
            hidden=(3,),
        )
        sheet = book.worksheets[0]
        self.assertTrue(sheet.protection.sheet)
        self.assertEqual([cell.protection.locked for cell in sheet[2]], [True, False, False, True])
        self.assertTrue(sheet.column_dimensions["D"].hidden)
        [validation] = sheet.data_validations.dataValidation
        self.assertEqual((str(validation.sqref), validation.formula1), ("B2", '"✓ done,✗ not"'))

    def test_choices_that_do_not_fit_in_a_cell_stand_on_a_hidden_sheet(self):
        choices = ["yes, indeed", "no"]
        book = self._write([Column("A")], [["x"]], validations={0: choices})
        [validation] = book.worksheets[0].data_validations.dataValidation
        self.assertEqual(validation.formula1, "'_choices'!$A$1:$B$1")
        self.assertEqual(book["_choices"].sheet_state, "hidden")
        self.assertEqual([cell.value for cell in book["_choices"][1]], choices)

    def test_styles(self):
        with Workbook(self.env, self.campus) as book:
            sheet = book.sheet("S", [Column("a"), Column("b", kind="number")])
            sheet.row(["x", None], "total")
            sheet.row(["x", 5], {1: "rejected"})
        sheet = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]
        self.assertTrue(sheet["A2"].font.bold)
        self.assertEqual(sheet["B2"].fill.fgColor.rgb, "FFF1F3F5", "A row is coloured over its empty cells, too.")
        self.assertEqual(sheet["B3"].fill.fgColor.rgb, "FFF8D7DA")
        self.assertEqual(sheet["A3"].fill.fill_type, None)

    def test_goes_on_where_excel_has_no_more_rows(self):
        with patch.object(workbook, "MOST_ROWS", 5):
            book = self._write([Column("n", kind="number")], [[n] for n in range(9)], name="Log", title="Log")
        self.assertEqual(book.sheetnames, ["Log", "Log (2)", "Log (3)"])
        numbers = [row[0].value for sheet in book for row in sheet.iter_rows(min_row=3)]
        self.assertEqual(numbers, list(range(9)))
        self.assertEqual({sheet["A2"].value for sheet in book}, {"n"})

    def test_empty_sheet(self):
        sheet = self._write([Column("a"), Column("b")], []).worksheets[0]
        self.assertEqual([cell.value for cell in sheet[1]], ["a", "b"])
        self.assertEqual(sheet.auto_filter.ref, "A1:B1")

    def test_given_up_half_way_nothing_stays_behind(self):
        with tempfile.TemporaryDirectory() as folder, patch.object(tempfile, "tempdir", folder):
            with self.assertRaises(ZeroDivisionError), Workbook(self.env, self.campus) as book:
                book.sheet("S", [Column("a")]).rows([x] for x in (1, 1 // 0))
            self.assertFalse(list(Path(folder).iterdir()))

    def test_the_file_goes_away_with_the_book(self):
        with tempfile.TemporaryDirectory() as folder, patch.object(tempfile, "tempdir", folder):
            with Workbook(self.env, self.campus) as book:
                book.sheet("S", [Column("a")]).row(["x"])
            self.assertEqual(len(list(Path(folder).iterdir())), 1, "The rows are gone, the file is there.")
            del book
            self.assertFalse(list(Path(folder).iterdir()))

    def test_our_own_reader_reads_it(self):
        with Workbook(self.env, self.campus) as book:
            book.sheet("S", [Column("Number"), Column("State", kind="state")]).row(["=007", "approved"])
        rows = [row.cells[:2] for row in read_rows(self.env, book.content, "back.xlsx")]
        self.assertEqual(rows, [["Number", "State"], ["=007", "✓ Approved"]])

    def test_memory_does_not_grow_with_the_rows(self):
        columns = [Column("Number"), *(Column(f"Step {n}", kind="state") for n in range(20))]

        def get_peak(count):
            tracemalloc.start()
            with Workbook(self.env, self.campus) as book:
                book.sheet("S", columns).rows(([f"2026{n:06}"] + ["pending"] * 20) for n in range(count))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

        get_peak(10)
        self.assertLess(get_peak(2_000), 1.5 * get_peak(200))
