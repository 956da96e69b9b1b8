"""Files as people and attackers hand them in: what is read, what is refused, and that neither costs much."""

import bz2
import io
import struct
import time
import tracemalloc
import zipfile
import zlib
from datetime import date
from unittest.mock import patch

import openpyxl

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged

from .. import table_file, xlsx_file
from ..table_file import read_rows

_MOMENT = fields.Datetime.to_datetime("2026-06-30 17:01:02")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = "xl/worksheets/sheet1.xml"
_LAUGHS = "".join(
    [
        '<!DOCTYPE x [<!ENTITY a0 "ha">',
        *(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)),
        "]>",
    ]
)
_OUTSIDE = '<!DOCTYPE x [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>'


def sheet(rows, before=""):
    """A part that is a worksheet."""
    return f'{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def text(reference, value):
    """A cell with a text of its own."""
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def parts(rows="", **changed):
    """The parts of a small workbook; ``rows`` is the XML of its sheet's rows."""
    return {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="a" Type="{_OFFICE}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="b"'
        f' Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        _SHEET: sheet(rows),
        **changed,
    }


def pack(contents, kind=zipfile.ZIP_DEFLATED):
    """An archive of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def save(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class TableCase(TransactionCase):
    def read_table(self, content, name="list.csv", **options):
        content = content.encode() if isinstance(content, str) else content
        return [tuple(row) for row in read_rows(self.env, content, name, **options)]

    def cells(self, *args, **options):
        return [cells for _line, cells in self.read_table(*args, **options)]

    def refuse(self, content, name="list.xlsx", **options):
        """The words of a refusal, which must not cost much."""
        begun = time.monotonic()
        tracemalloc.start()
        try:
            with self.assertRaises(UserError) as caught:
                self.read_table(content, name, **options)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertIn(name, caught.exception.args[0])
        self.assertLess(peak, 64 * 1024**2)
        self.assertLess(time.monotonic() - begun, 30)
        return caught.exception.args[0]


@tagged("post_install", "-at_install")
class TestTableFileText(TableCase):
    def test_encodings(self):
        content = "学号,姓名\nT1,张三\n"
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk", "gb2312"):
            with self.subTest(encoding=encoding):
                self.assertEqual(self.cells(content.encode(encoding)), [["学号", "姓名"], ["T1", "张三"]])
        rare = "T1,㐀𠀀é€\n"
        self.assertEqual(self.cells(rare.encode("gb18030")), [["T1", "㐀𠀀é€"]])
        for content, row in (
            (b"a,b\nT1,\xff\xff\n", 2),
            (b"a,b\n\nT1,x\x00y\n", 3),
            ("学号\nT1\n".encode("utf-16-le"), 2),
            (b"\xff\xfea", 1),
            (b"a\n" * 10 + b"\x81", 11),
        ):
            with self.subTest(content=content):
                self.assertIn(f"Row {row} ", self.refuse(content, "list.csv"))

    def test_separators_quotes_and_lines(self):
        expected = [["a", "b;,\tc"], ["1", "two\nlines"]]
        for separator in ",;\t":
            with self.subTest(separator=separator):
                content = f'a{separator}"b;,\tc"\r\n\r\n 1 {separator}"two\nlines"'
                self.assertEqual(self.cells(content), expected)
        self.assertEqual(self.read_table("a\n\n,,\nb\n"), [(1, ["a"]), (4, ["b"])])
        self.assertEqual(self.cells("a\rb\r"), [["a"], ["b"]])
        # It would swallow all that follows.
        self.assertIn("Row 2 ", self.refuse('a,b\n1,"x\nT2,3\nT3,4\n', "list.csv"))
        self.assertIn("Row 3 ", self.refuse('a,b\nT1,1\nT2,"x"y\n', "list.csv"))
        self.assertEqual(self.cells('T1,5" nail\n'), [["T1", '5" nail']])

    def test_formulas_stay_text(self):
        for value in ("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0"):
            with self.subTest(value=value):
                quoted = value.replace('"', '""')
                self.assertEqual(self.cells(f'T1,"{quoted}"'), [["T1", value]])

    def test_bounds(self):
        self.assertIn("empty", self.refuse(b"", "list.csv"))
        self.assertIn("empty", self.refuse(b" \r\n\t", "list.csv"))
        self.assertIn("larger", self.refuse(b"a" * 1001, "list.csv", most_bytes=1000))
        self.assertIn("more than 2 rows", self.refuse(b"a\nb\nc\n", "list.csv", most_rows=2))
        self.assertEqual(len(self.read_table(b"a\n\n\n\nb\n", most_rows=2)), 2)
        self.assertEqual(len(self.cells("," * 5000 + "x,y\na" + ",b" * 300)[0]), 200)
        self.assertIn("row 2", self.refuse("a\n" + "x" * 32_768, "list.csv"))
        self.assertEqual(len(self.cells("x" * 32_767)[0][0]), 32_767)

    def test_told_by_content(self):
        book = openpyxl.Workbook()
        book.active.append(["T1"])
        content = save(book)
        for name in ("list.csv", "list.xls", "list", "list.XLSX", "list.txt"):
            with self.subTest(name=name):
                self.assertEqual(self.cells(content, name), [["T1"]])
        self.assertEqual(self.cells("a\tb\n1\t2\n", "export.xls"), [["a", "b"], ["1", "2"]])
        self.assertEqual(self.cells("学号\tb\n".encode("utf-16"), "export.xls"), [["学号", "b"]])
        self.assertEqual(self.cells("PKU,b\n"), [["PKU", "b"]], "A word is no archive.")
        self.assertIn("damaged", self.refuse(b"a,b\n"))
        old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
        for name in ("list.xls", "list.xlsx", "list.csv"):
            with self.subTest(name=name):
                self.assertIn(".xls), or protected", self.refuse(old, name))
        for content, name in (
            (b"%PDF-1.4", "list.pdf"),
            (b"<html><table>", "list.xls"),
            (b"\xef\xbb\xbf <?xml version='1.0'?><Workbook/>", "list.xls"),
            (b"\x00\x01\x02", "list.xls"),
            (b"a,b", "list"),
            (b"a,b", "list.exe"),
        ):
            with self.subTest(name=name, content=content):
                self.assertIn("neither CSV nor Excel", self.refuse(content, name))


@tagged("post_install", "-at_install")
class TestTableFileWorkbook(TableCase):
    def test_values(self):
        book = openpyxl.Workbook()
        values = [
            "T1", 20260001, 1.5, 3.0, True, None, _MOMENT, date(2026, 6, 30), "=1+1", " x ",
            "=not a formula",
        ]  # fmt: skip
        book.active.append(values)
        book.active["K1"].data_type = "s"
        book.active["L1"] = 0.5
        book.active["L1"].number_format = "h:mm"
        book.active["M1"] = 46203
        book.active["M1"].number_format = '[Red]0.00" days"'
        self.assertEqual(
            self.cells(save(book), "list.xlsx"),
            [
                [
                    "T1", "20260001", "1.5", "3", "1", "", "2026-06-30 17:01:02", "2026-06-30", "", "x",
                    "=not a formula", "12:00:00", "46203",
                ]
            ],
        )  # fmt: skip

    def test_as_openpyxl_reads_it(self):
        """Written by the library that campuses' scripts use, and by the one that Odoo uses."""
        import xlsxwriter

        file = io.BytesIO()
        book = xlsxwriter.Workbook(file)
        page = book.add_worksheet()
        moment = book.add_format({"num_format": "yyyy/m/d hh:mm"})
        page.write_row(0, 0, ["学号", "Zeit", "n"])
        page.write_string(1, 0, "T1")
        page.write_datetime(1, 1, _MOMENT, moment)
        page.write_rich_string(1, 2, "a", book.add_format({"bold": True}), "b", "c")
        page.write_formula(2, 0, "=A2", None, "T2")
        page.write_formula(2, 1, "=1+1", None, 2)
        page.write_boolean(2, 2, False)
        page.write_string(9, 199, "far")
        page.write_string(9, 200, "further")
        book.close()
        rows = self.read_table(file.getvalue(), "list.xlsx")
        self.assertEqual([line for line, _cells in rows], [1, 2, 3, 10])
        self.assertEqual(rows[0][1], ["学号", "Zeit", "n"])
        self.assertEqual(rows[1][1], ["T1", "2026-06-30 17:01:02", "abc"])
        self.assertEqual(rows[2][1], ["T2", "2", "0"], "The values that the formulas had.")
        self.assertEqual(rows[3][1][-1], "far")
        self.assertEqual(len(rows[3][1]), 200)

    def test_formulas_are_never_worked_out(self):
        rows = (
            '<row r="1"><c r="A1"><f>1+1</f><v>7</v></c><c r="B1"><f>1+1</f></c>'
            '<c r="C1" t="str"><f>HYPERLINK("http://x")</f><v>shown</v></c><c r="D1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
            '<c r="E1" t="str"><f>CONCAT("=",1)</f><v>=1+1</v></c></row>'
        )
        self.assertEqual(self.cells(pack(parts(rows)), "a.xlsx"), [["7", "", "shown", "#DIV/0!", "=1+1"]])

    def test_dates(self):
        styles = (
            f'<styleSheet xmlns="{_MAIN}"><numFmts>'
            '<numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/>'
            '<numFmt numFmtId="171" formatCode="0.0&quot; days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/>'
            '</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="31"/><xf numFmtId="170"/><xf numFmtId="171"/>'
            '<xf numFmtId="57"/></cellXfs></styleSheet>'
        )
        relations = parts()["xl/_rels/workbook.xml.rels"].replace(
            "</", f'<Relationship Id="s" Type="{_OFFICE}/styles" Target="/xl/styles.xml"/></'
        )
        rows = "".join(f'<c s="{style}"><v>46203</v></c>' for style in range(5))
        rows += '<c s="1"><v>60</v></c><c s="1"><v>1</v></c><c s="1"><v>1e99</v></c>'
        rows += '<c t="d"><v>2026-06-30T08:00:00Z</v></c>'
        changed = {"xl/_rels/workbook.xml.rels": relations, "xl/styles.xml": styles}
        book = parts(f"<row>{rows}</row>", **changed)
        day = "2026-06-30"
        expected = [
            "46203", day, day, "46203", day, "1900-02-28", "1900-01-01", "1e+99", "2026-06-30 08:00:00"
        ]  # fmt: skip
        self.assertEqual(self.cells(pack(book), "a.xlsx"), [expected])
        book["xl/workbook.xml"] = book["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
        self.assertEqual(self.cells(pack(book), "a.xlsx")[0][1], "2030-07-01")

    def test_other_spellings(self):
        """What other programs write: prefixes, the strict kind, no references, sounds of words."""
        strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
        for rows in (
            f'<x:worksheet xmlns:x="{_MAIN}"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c><x:c t="inlineStr"><x:is><x:r>'
            "<x:t>学</x:t></x:r><x:r><x:t>号</x:t></x:r><x:rPh><x:t>xuehao</x:t></x:rPh></x:is></x:c></x:row>"
            "</x:sheetData></x:worksheet>",
            f'<worksheet xmlns="{strict}"><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B1" t="inlineStr"><is>'
            "<t>学号</t></is></c></row></sheetData></worksheet>",
            sheet(f'<row r="1"><c r="A1"><v>1</v></c>{text("B1", "学号")}</row>').encode("utf-16"),
        ):  # fmt: skip
            with self.subTest(rows=rows[:40]):
                self.assertEqual(self.cells(pack(parts(**{_SHEET: rows})), "a.xlsx"), [["1", "学号"]])

    def test_the_first_visible_sheet(self):
        book = openpyxl.Workbook()
        book.active.sheet_state = "hidden"
        book.active.append(["hidden"])
        book.create_sheet().append(["seen"])
        book.create_sheet().append(["later"])
        self.assertEqual(self.cells(save(book), "a.xlsx"), [["seen"]])

    # -- what means harm -------------------------------------------------------------

    def test_declarations(self):
        cell = f'<row r="1">{text("A1", "&a9;")}</row>'
        comment = "<!--" + "x" * 300_000 + "-->"
        for before in (_LAUGHS, _OUTSIDE, comment + _LAUGHS, '<?xml version="1.0"?>\n' + comment + _OUTSIDE):
            for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
                with self.subTest(before=before[:20], encoding=encoding):
                    harmful = sheet(cell, before).encode(encoding)
                    answer = self.refuse(pack(parts(**{_SHEET: harmful})))
                    self.assertIn("DOCTYPE" if encoding in ("utf-8", "utf-16") else "d", answer)
        for name in ("_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
            with self.subTest(part=name):
                book = parts()
                book[name] = _LAUGHS + book[name]
                self.assertIn("DOCTYPE", self.refuse(pack(book)))

    def test_declarations_in_parts_by_another_name(self):
        """Whatever a part is called: what is parsed is looked at."""
        book = parts()
        del book[_SHEET]
        book["xl/media/image1.png"] = sheet(f"<row>{text('A1', '&a9;')}</row>", _OUTSIDE)
        relations = book["xl/_rels/workbook.xml.rels"]
        book["xl/_rels/workbook.xml.rels"] = relations.replace("worksheets/sheet1.xml", "media/image1.png")
        self.assertIn("DOCTYPE", self.refuse(pack(book)))

    def test_entities_without_a_declaration(self):
        self.assertIn("damaged", self.refuse(pack(parts(f"<row>{text('A1', '&a9;')}</row>"))))
        self.assertEqual(self.cells(pack(parts(f"<row>{text('A1', '&lt;&#x5b66;')}</row>")), "a.xlsx"), [["<学"]])

    def test_bombs(self):
        megabyte = bytes(1024**2)
        self.assertIn("unpacks", self.refuse(pack({**parts(), "xl/media/a.bin": megabyte * 61})))
        self.assertIn("unpacks", self.refuse(pack({**parts(), **{f"a{number}": megabyte * 7 for number in range(10)}})))
        self.assertIn("unpacks", self.refuse(pack({**parts(), **{f"a{number}": b"" for number in range(2000)}})))
        inner = pack({"b": megabyte * 50})
        book = {**parts(f"<row>{text('A1', 'x')}</row>"), **{f"{number}.zip": inner for number in range(50)}}
        self.assertEqual(self.cells(pack(book), "a.xlsx"), [["x"]], "Archives in it are not opened.")

    def test_sizes_that_lie(self):
        """A directory that says less than there is: no more than it says is read."""
        rows = "<row/>" * 500_000
        content = pack(parts(rows))
        size = len(sheet(rows))
        lying = content.replace(struct.pack("<L", size), struct.pack("<L", 100))
        self.assertNotEqual(lying, content)
        self.assertIn("damaged", self.refuse(lying))
        boasting = content.replace(struct.pack("<L", size), struct.pack("<L", 2**31))
        self.assertIn("unpacks", self.refuse(boasting))

    def test_packed_in_other_ways(self):
        """Others than the usual unpack a piece as a whole: forty bytes may be a gigabyte."""
        bomb = bz2.compress(bytes(200 * 1024**2))
        content = pack({**parts(), _SHEET: b"x"}, zipfile.ZIP_BZIP2)
        self.assertLess(len(bomb), 1000)
        self.assertIn("damaged", self.refuse(content))
        self.assertIn("damaged", self.refuse(pack(parts(), zipfile.ZIP_LZMA)))

    def test_protected(self):
        content = bytearray(pack(parts()))
        position = content.rfind(b"PK\x01\x02")
        content[position + 8] |= 1
        self.assertIn("password", self.refuse(bytes(content)))

    def test_rows_without_end(self):
        def measure(count):
            rows = "".join(f'<row r="{number}"><c r="A{number}" s="1"/></row>' for number in range(2, count))
            content = pack(parts(f'<row r="1">{text("A1", "x")}</row>{rows}<row r="{count}">{text("A1", "y")}</row>'))
            del rows
            tracemalloc.start()
            try:
                self.assertEqual(self.read_table(content, "a.xlsx"), [(1, ["x"]), (count, ["y"])])
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        small, large = measure(50_000), measure(xlsx_file.MOST_ROWS)
        self.assertLess(large, 2 * small)
        far = pack(parts(f'<row r="{xlsx_file.MOST_ROWS}">{text("A1", "y")}</row>'))
        begun = time.monotonic()
        self.assertEqual(len(self.read_table(far, "a.xlsx")), 1)
        self.assertLess(time.monotonic() - begun, 10, "Rows that are not there are not counted through.")
        for row in (
            '<row r="1048577"/>',
            '<row r="2000000000"/>',
            '<row r="0"/>',
            '<row r="-5"/>',
            "<row/>" * 1_048_577,
        ):
            with self.subTest(row=row[:20]):
                self.assertIn("unpacks", self.refuse(pack(parts(row))))
        with patch.object(xlsx_file, "_MOST_CELLS", 1000):
            self.assertIn("unpacks", self.refuse(pack(parts("<row>" + "<c/>" * 1001 + "</row>"))))

    def test_huge_cells(self):
        fits, huge = "x" * 32_767, "x" * 5_000_000
        self.assertEqual(self.cells(pack(parts(f"<row>{text('A1', fits)}</row>")), "a.xlsx"), [[fits]])
        self.assertIn("row 7", self.refuse(pack(parts(f'<row r="7">{text("A7", huge)}</row>'))))
        self.assertIn("row 1", self.refuse(pack(parts(f"<row><c><v>{'1' * 5_000_000}</v></c></row>"))))
        shared = parts('<row r="3"><c r="A3" t="s"><v>0</v></c></row>')
        shared["xl/_rels/workbook.xml.rels"] = shared["xl/_rels/workbook.xml.rels"].replace(
            "</", f'<Relationship Id="s" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></'
        )
        shared["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}"><si><t>{huge}</t></si></sst>'
        self.assertIn("row 3", self.refuse(pack(shared)))
        shared["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}">{"<si/>" * 1001}</sst>'
        with patch.object(xlsx_file, "_MOST_TEXTS", 1000):
            self.assertIn("unpacks", self.refuse(pack(shared)))
        # An attribute and a comment of ten megabytes, which a parser begins anew with each piece.
        self.assertEqual(
            self.cells(pack(parts(f'<!--{huge * 2}--><row x="{huge * 2}">{text("A1", "x")}</row>')), "a.xlsx"), [["x"]]
        )

    def test_broken(self):
        good = pack(parts(f"<row>{text('A1', 'x')}</row>"))
        for number, content in enumerate(
            (
                b"PK\x03\x04 broken",
                b"PK\x05\x06" + bytes(18),
                good[: len(good) // 2],
                good[:-30],
                pack({"content.xml": "<office/>", "mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
                pack({**parts(), "xl/workbook.xml": "<workbook/>"}),
                pack({**parts(), "xl/workbook.xml": "no XML"}),
                pack({**parts(), _SHEET: "<worksheet>"}),
                pack({**parts(), _SHEET: ""}),
                pack(parts('<row r="x"/>')),
                pack(parts('<row><c r="1A"><v>1</v></c></row>')),
                pack(parts('<row><c r="AAAA1"><v>1</v></c></row>')),
                pack(parts('<row><c t="s"><v>5</v></c></row>')),
                pack(parts("<row><c><v>five</v></c></row>")),
                pack(parts('<row><c t="d"><v>soon</v></c></row>')),
                pack({**parts(), "_rels/.rels": parts()["_rels/.rels"].replace("xl/workbook.xml", "../../etc/passwd")}),
                self._break_sum(good),
            )
        ):
            with self.subTest(number=number):
                self.assertIn("damaged", self.refuse(content))

    def _break_sum(self, content):
        """The content with another check sum than its sheet's."""
        right = struct.pack("<L", zlib.crc32(sheet(f"<row>{text('A1', 'x')}</row>").encode()))
        self.assertIn(right, content)
        return content.replace(right, b"\x00\x00\x00\x01")

    def test_many_rows_in_flat_memory(self):
        book = openpyxl.Workbook(write_only=True)
        page = book.create_sheet()
        for number in range(20_000):
            page.append([f"T{number % 100}", number, "x" * 20])
        content = save(book)
        peaks = []
        for limit in (2_000, 20_000):
            tracemalloc.start()
            rows = read_rows(self.env, content, "a.xlsx")
            self.assertEqual(sum(1 for _pair in zip(range(limit), rows, strict=False)), limit)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            rows.close()
        self.assertLess(peaks[1], 1.5 * peaks[0])
        self.assertEqual(table_file.MOST_COLUMNS, 200)
