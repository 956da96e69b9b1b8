"""Source systems that are asked: files in a folder, addresses, databases; and what must never get through."""

import contextlib
import json
import logging
import os
import tempfile
import threading
import time
import tracemalloc
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

import psycopg2
import pytz
import requests

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.sql_db import connection_info_for
from odoo.tests import tagged
from odoo.tools import config, mute_logger

from ..feed_sources import database, folder, settings, table, web
from .common import ClearanceCommon

SECRET = "s3cret-Zq81"
moment = fields.Datetime.to_datetime
SHANGHAI = pytz.timezone("Asia/Shanghai")


class PullCase(ClearanceCommon):
    """A library system that is pulled, and a server whose settings a test writes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.campus.partner_id.tz = "Asia/Shanghai"
        cls.system = cls._create_user("t_system", "group_manager")
        cls.system.group_ids += cls.env.ref("base.group_system")
        cls.feed = cls.env["clearance.feed"].create(
            {"name": "Library system", "company_id": cls.campus.id, "unit": "books", "silent_after": 24}
        )
        cls.books.feed_id = cls.feed
        cls.forms = cls.open_session()

    def setUp(self):
        super().setUp()
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.serve(feed_folders=str(self.root))

    def serve(self, **values):
        """Set what the server's configuration says."""
        names = {f"GRADUATE_CLEARANCE_{name.upper()}": value for name, value in values.items()}
        self.enterContext(patch.dict(os.environ, names))

    def set_up(self, **values):
        self.feed.write({f"pull_{name}": value for name, value in values.items()})

    def pull(self, feed=None):
        """Pull as the cron does, and answer the latest run."""
        feed = feed or self.feed
        feed._pull()
        self.env.invalidate_all()
        return self.env["clearance.feed.run"].search([("feed_id", "=", feed.id)], limit=1)

    def refused(self, function, *args, **kwargs):
        """The words of a refusal; none of them, nor what stands behind them, holds a secret."""
        with self.assertRaises(UserError) as caught:
            result = function(self.env, *args, **kwargs)
            if hasattr(result, "__enter__"):
                with result as (_columns, rows):
                    list(rows)
        self.assertTrue(caught.exception.__suppress_context__ or not caught.exception.__context__)
        self.assertNotIn(SECRET, str(caught.exception))
        return caught.exception.args[0]

    def states(self):
        return [self.status(student, self.books).state for student in self.students]


@tagged("post_install", "-at_install")
class TestFeedPullFolder(PullCase):
    def put(self, name, content, age=60):
        """Put a file into the folder, written so many seconds ago."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (time.time() - age,) * 2)
        return path

    def test_a_file_settles_and_is_read_once(self):
        self.put("books.csv", "学号,姓名,未还册数,备注\nT26000,A,0,\nT26001,B,2,《红楼梦》\nX1,C,0,\n")
        self.set_up(kind="folder")
        run = self.pull()
        self.assertEqual((run.state, run.kind, run.received, run.unknown_count), ("done", "pull", 3, 1))
        self.assertEqual(self.states()[:3], ["approved", "pending", "pending"])
        figures = self.env["clearance.feed"]._get_figures(self.status(self.students[1], self.books).ids)
        self.assertEqual(next(iter(figures.values()))["text"], "《红楼梦》")
        # As of when the file was written, not of when it was read.
        self.assertAlmostEqual(
            self.feed.heard_at, fields.Datetime.now() - timedelta(seconds=60), delta=timedelta(seconds=20)
        )
        self.assertTrue(self.feed.pull_last_at)
        self.assertFalse(self.feed.pull_problem)
        self.assertEqual(self.pull(), run, "Nothing new: no run.")
        self.assertIn("Nothing new", self.feed.pull_result)

    def test_the_same_words_later_are_news(self):
        content = "student_number,quantity\nT26000,0\n"
        self.put("books.csv", content, age=7200)
        self.set_up(kind="folder")
        first, heard = self.pull(), self.feed.heard_at
        (self.root / "books.csv").rename(self.root / "renamed.csv")
        self.assertEqual(self.pull(), first, "A file is known under another name.")
        self.put("books.csv", content, age=60)
        second = self.pull()
        self.assertNotEqual(second, first)
        self.assertGreater(self.feed.heard_at, heard)

    def test_each_new_file_or_the_newest(self):
        self.put("books1.csv", "student_number,quantity\nT26000,1\nT26001,0\n", age=300)
        self.put("books2.csv", "student_number,quantity\nT26000,0\n", age=200)
        self.put("other.csv", "student_number,quantity\nT26002,0\n", age=100)
        self.set_up(kind="folder", pattern="BOOKS*", files="newest")
        self.pull()
        self.assertEqual(self.states()[:3], ["approved", "pending", "pending"])
        self.set_up(files="each")
        self.pull()
        self.assertEqual(self.states()[:3], ["approved", "approved", "pending"], "In the order of their time.")
        runs = self.env["clearance.feed.run"].search([("feed_id", "=", self.feed.id)])
        self.assertEqual(runs.mapped("key"), ["books2.csv", "books1.csv", "books2.csv"])

    def test_a_broken_file_does_not_stop_the_others(self):
        self.put("a.csv", b"student_number,quantity\nT26000,\x81\n", age=300)
        self.put("b.csv", "nothing,of use\n1,2\n", age=250)
        self.put("c.csv", "student_number,quantity\nT26001,0\n", age=200)
        self.set_up(kind="folder", files="each")
        self.pull()
        self.assertEqual(self.states()[:2], ["pending", "approved"])
        self.assertIn("a.csv", self.feed.pull_problem)
        runs = self.env["clearance.feed.run"].search([("feed_id", "=", self.feed.id)])
        self.assertEqual(runs.mapped("state"), ["done", "failed", "failed"])
        self.assertIn("student number", runs[1].error)
        self.assertIn("of use", runs[1].error, "It says what there is.")
        self.pull()
        self.assertEqual(len(runs), self.env["clearance.feed.run"].search_count([("feed_id", "=", self.feed.id)]))
        self.assertIn("a.csv", self.feed.pull_problem, "It stays told until something good comes.")
        self.put("d.csv", "student_number,quantity\nT26002,0\n")
        self.pull()
        self.assertFalse(self.feed.pull_problem)
        self.assertFalse(self.feed.pull_failures)

    def test_excel_with_a_title_above(self):
        import openpyxl

        book = openpyxl.Workbook()
        for row in (["Books not returned"], [], ["Student No.", "Quantity"], [26000, 1], ["T26000", 0]):
            book.active.append(row)
        path = self.put("books.xlsx", b"")
        book.save(path)
        os.utime(path, (time.time() - 60,) * 2)
        self.set_up(kind="folder", pattern="*.xlsx")
        run = self.pull()
        self.assertEqual((run.received, run.done_count, run.unknown_count), (2, 1, 1))

    def test_complete(self):
        self.put("books.csv", "student_number,quantity\nT26000,1\n")
        self.set_up(kind="folder", complete=True)
        self.pull()
        self.assertEqual(set(self.states()[1:]), {"approved"})
        self.assertEqual(self.states()[0], "pending")

    def test_bad_values_never_settle(self):
        self.put("books.csv", "student_number,quantity\nT26000,\nT26001,none\nT26002,-1\nT26003,nan\nT26004,0\n")
        self.set_up(kind="folder")
        run = self.pull()
        self.assertEqual((run.bad_count, run.done_count), (4, 1))
        self.assertEqual(self.states()[:5], ["pending"] * 4 + ["approved"])

    def test_paths(self):
        outside = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (outside / "books.csv").write_text("student_number,quantity\nT26000,0\n")
        os.utime(outside / "books.csv", (1, 1))
        inside = self.root / "library"
        inside.mkdir()
        (self.root / "link").symlink_to(outside)
        (inside / "link.csv").symlink_to(outside / "books.csv")
        for path in ("..", "library/..", "library/../..", "/etc", "./library", "a\\b", "a\x00b", "a\nb", str(outside)):
            with self.subTest(path=path):
                self.assertIn("relative", self.refused(folder.list_files, path, "*.csv"))
                with self.assertRaises(UserError):
                    self.set_up(kind="folder", path=path)
        for path in ("link", "none", "library/link.csv"):
            with self.subTest(path=path):
                self.assertIn("no such folder", self.refused(folder.list_files, path, "*.csv"))
        for pattern in ("", "../*.csv", "a/b.csv", "*\x00"):
            with self.subTest(pattern=pattern):
                self.assertIn("pattern", self.refused(folder.list_files, "library", pattern))
        self.assertEqual(folder.list_files(self.env, "library//", "*.csv"), [], "A link to a file is none.")
        found = folder.Found("link.csv", 1, 10**9)
        self.assertIn("cannot be opened", self.refused(folder.read_file, "library", found))
        self.serve(feed_folders="")
        self.assertIn("feed_folders", self.refused(folder.list_files, "library", "*.csv"))
        self.serve(feed_folders="library, relative/one")
        self.assertIn("feed_folders", self.refused(folder.list_files, "library", "*.csv"))

    def test_what_is_no_ordinary_file(self):
        os.mkfifo(self.root / "pipe.csv")
        (self.root / "folder.csv").mkdir()
        for name in ("books.csv.part", ".hidden.csv", "~$books.xlsx", "books.exe", "passwd"):
            self.put(name, "x")
        os.utime(self.root / "pipe.csv", (1, 1))
        self.assertEqual(folder.list_files(self.env, "", "*"), [])
        for name in ("pipe.csv", "folder.csv"):
            with self.subTest(name=name):
                found = folder.Found(name, 0, (self.root / name).stat().st_mtime_ns)
                self.assertIn("no ordinary file", self.refused(folder.read_file, "", found))
        self.serve(feed_folders="/dev")
        self.assertIn("no ordinary file", self.refused(folder.read_file, "", folder.Found("zero", 0, 0)))
        self.assertEqual(folder.list_files(self.env, "", "*"), [])

    def test_still_being_written(self):
        path = self.put("books.csv", "student_number,quantity\nT26000,0\n", age=5)
        self.assertEqual(folder.list_files(self.env, "", "*.csv"), [])
        os.utime(path, (time.time() - 60,) * 2)
        (found,) = folder.list_files(self.env, "", "*.csv")
        with path.open("a") as file:
            file.write("T26001,0\n")
        self.assertIn("still being written", self.refused(folder.read_file, "", found))
        # A clock that goes ahead is no reason never to read; nor are figures from the future.
        os.utime(path, (time.time() + 3600,) * 2)
        (found,) = folder.list_files(self.env, "", "*.csv")
        self.assertLessEqual(found.as_of, fields.Datetime.now())

    def test_names_in_other_encodings(self):
        path = os.fsencode(self.root) + "/未还.csv".encode("gb18030")
        with open(path, "w") as file:
            file.write("student_number,quantity\nT26000,0\n")
        os.utime(path, (time.time() - 60,) * 2)
        self.set_up(kind="folder", pattern="未还*")
        run = self.pull()
        self.assertEqual((run.key, run.done_count), ("未还.csv", 1))
        self.assertEqual(self.pull(), run)

    def test_unreadable(self):
        self.put("books.csv", "student_number,quantity\nT26000,0\n")
        self.set_up(kind="folder")
        # As root nothing is unreadable: the system's refusal is played.
        with patch.object(folder.os, "open", side_effect=self._refuse_file(os.open)):
            run = self.pull()
        self.assertEqual(run.state, "failed")
        self.assertIn("cannot be opened", run.error)
        self.pull()
        self.assertEqual(self.states()[0], "approved", "It is tried again.")

    def _refuse_file(self, real):
        def refuse(path, *args, **kwargs):
            if path == "books.csv":
                raise PermissionError(13, "Permission denied", path)
            return real(path, *args, **kwargs)

        return refuse

    def test_too_large(self):
        self.put("books.csv", b"student_number,quantity\n" + b"T26000,0\n" * 100)
        self.set_up(kind="folder")
        with patch("odoo.addons.graduate_clearance.table_file.MOST_BYTES", 100):
            self.assertIn("larger", self.pull().error)


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's ``answer`` says."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        with contextlib.suppress(ConnectionError):
            self.server.answer(self)

    def log_message(self, *args):
        pass

    def send(self, body=b"", status=200, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@tagged("post_install", "-at_install")
class TestFeedPullHttp(PullCase):
    def setUp(self):
        super().setUp()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.asked = []
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.origin}/owed.json"
        self.serve(feed_hosts=f"https://library.example.edu, {self.origin}", feed_token_library=SECRET)

    def answer(self, *args, **kwargs):
        self.server.answer = lambda handler: handler.send(*args, **kwargs)

    def test_a_list_settles(self):
        self.answer(
            {
                "data": {
                    "items": [
                        {"reader": {"number": "T26000"}, "owed": 0, "tags": [1]},
                        {"reader": {"number": "T26001"}, "owed": "2", "at": "2026-06-01 08:00"},
                        {"reader": {"number": "T26002"}, "owed": None},
                    ]
                }
            }
        )
        self.set_up(
            kind="http",
            url=self.url,
            list_path="data.items",
            token_name="library",
            number_column="reader.number",
            quantity_column="owed",
        )
        run = self.pull()
        self.assertEqual((run.state, run.received, run.done_count, run.bad_count), ("done", 3, 1, 1))
        self.assertEqual(self.states()[:3], ["approved", "pending", "pending"])
        path, headers = self.server.asked[0]
        self.assertEqual((path, headers["Authorization"]), ("/owed.json", f"Bearer {SECRET}"))
        self.assertEqual(headers["Accept-Encoding"], "identity")

    def test_secrets_stay_where_they_are(self):
        self.answer({"error": SECRET}, status=403)
        self.set_up(kind="http", url=self.url, token_name="library", token_header="X-Api-Key")
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger().debug("one line at least")
            run = self.pull()
        self.assertEqual(self.server.asked[0][1]["X-Api-Key"], SECRET)
        self.assertIn("refuses", run.error)
        said = [run.error, self.feed.pull_problem, *logs.output, json.dumps(self.feed.read(), default=str)]
        self.assertFalse([text for text in said if SECRET in text])
        self.assertIn("feed_token_other", self.refused(web.fetch, self.url, "other"))
        self.assertIn("feed_token_", self.refused(web.fetch, self.url, "../etc"))
        self.serve(feed_token_broken=f"{SECRET}\r\nX: y")
        self.assertIn("cannot be sent", self.refused(web.fetch, self.url, "broken"))
        self.serve(feed_token_library_host="https://library.example.edu")
        self.assertIn("another host", self.refused(web.fetch, self.url, "library"))
        self.serve(feed_token_library_host=self.origin)
        self.assertIn("refuses", self.refused(web.fetch, self.url, "library"))
        for header in ("Host", "Content-Length", "Cookie", "Proxy-Authorization", "A b", "A:b", "A\n"):
            with self.subTest(header=header):
                self.assertIn("header", self.refused(web.fetch, self.url, "library", header))

    def test_only_what_the_server_allows(self):
        port = self.server.server_port
        self.answer([])
        plain = {
            f"http://localhost:{port}/": "another name",
            f"http://127.1:{port}/": "short",
            f"http://2130706433:{port}/": "decimal",
            f"http://0x7f000001:{port}/": "hexadecimal",
            f"http://0177.0.0.1:{port}/": "octal",
            f"http://[::ffff:127.0.0.1]:{port}/": "IPv6",
            f"https://127.0.0.1:{port}/": "another scheme",
            f"http://127.0.0.1:{port + 1 if port < 65535 else 1}/": "another port",
            "http://127.0.0.1/": "the usual port",
            "http://library.example.edu/": "not as http",
            "https://library.example.edu.evil.example/": "longer",
            "https://sub.library.example.edu/": "below",
        }
        for url, what in plain.items():
            with self.subTest(what):
                self.assertIn("does not allow", self.refused(web.fetch, url))
                self.assertNotIn("example", self.refused(web.fetch, url))
        self.assertFalse(self.server.asked)
        self.assertIn("http://127.1:80.", self.refused(web.fetch, "http://127.1/", tell_detail=True))
        web.fetch(self.env, self.url.replace("http", "HTTP"))
        self.assertEqual(len(self.server.asked), 1)

    def test_odd_addresses(self):
        port = self.server.server_port
        for url in (
            "", "owed.json", "ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "http:127.0.0.1",
            f"http:\\\\127.0.0.1:{port}\\",
            f"https://library.example.edu\\.127.0.0.1:{port}/", f"http://127.0.0.1.:{port}/",
            f"http://127.0.0.1:{port}/#x", f"https://library.example.edu#@127.0.0.1:{port}/",
            f"http://127.0.0.1:{port}:80/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/",
            "https://ｌibrary.example.edu/", "https://lıbrary.example.edu/", "https://图书馆.example/",
            "https://library.example.edu%2eevil.example/", "https://library.example.edu/a b", "https:// x/",
            "https://library.example.edu/\r\nHost: evil", "https://library.example.edu/\x00", "https://[::1/",
            "https://library.example.edu/é",
        ):  # fmt: skip
            with self.subTest(url=url):
                self.assertIn("plain one", self.refused(web.parse_address, url))
        for url in (
            f"https://user:{SECRET}@library.example.edu/",
            f"https://library.example.edu@127.0.0.1:{port}/",
            f"http://127.0.0.1:{port}\\@library.example.edu/",
        ):
            with self.subTest(url=url):
                self.assertIn("user or a password", self.refused(web.parse_address, url))
                with self.assertRaises(UserError):
                    self.set_up(kind="http", url=url)
        for name in ("token", "api_key", "apiKey", "access_token", "password", "client_secret", "auth"):
            with self.subTest(parameter=name):
                url = f"https://library.example.edu/x?a=1&{name}={SECRET}"
                self.assertIn("secret", self.refused(web.parse_address, url))
                with self.assertRaises(UserError):
                    self.set_up(url=url)
        self.assertEqual(
            web.parse_address(self.env, "HTTPS://Library.Example.edu/a?x=1&y=%2F~$(b)[]").origin,
            "https://library.example.edu:443",
        )
        self.assertEqual(web.parse_address(self.env, "https://a?x=1").path, "?x=1")
        self.assertEqual(web.parse_address(self.env, "http://[::1]:8080").origin, "http://[::1]:8080")

    def test_nothing_is_followed(self):
        self.answer(b"", status=302, Location=f"{self.origin}/elsewhere")
        self.assertIn("redirect", self.refused(web.fetch, self.url))
        self.assertEqual(len(self.server.asked), 1)

    def test_the_environment_is_not_asked(self):
        self.answer([])
        proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
        netrc = self.root / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        with patch.dict(os.environ, {**proxies, "NETRC": str(netrc), "NO_PROXY": "", "no_proxy": ""}):
            self.assertEqual(web.fetch(self.env, self.url), [])
        self.assertNotIn("Authorization", self.server.asked[0][1])

    def test_odd_answers(self):
        deep = b"[" * 200_000 + b"]" * 200_000
        for body, expected in (
            (b"", "not JSON"), (b"<html>", "not JSON"), (b"[NaN]", "not JSON"), (deep, "not JSON"),
            (b"\xff\xfe\xff", "not JSON"),
            (b"[" + b"{}," * 1_000_000 + b"0]", "larger"), (b"[1" + b"1" * 100_000 + b"]", "not JSON"),
        ):  # fmt: skip
            with self.subTest(body=body[:10]):
                self.answer(body)
                self.assertIn(expected, self.refused(web.fetch, self.url))
        for status, expected in ((500, "error 500"), (404, "error 404"), (204, "error 204"), (401, "refuses")):
            with self.subTest(status=status):
                self.answer(b"", status=status)
                self.assertIn(expected, self.refused(web.fetch, self.url))
        self.answer(b"[]", Content_Encoding="gzip")
        self.assertIn("packed", self.refused(web.fetch, self.url))
        self.answer([], Link='<https://x/?page=2>; rel="next"')
        self.assertIn("pages", self.refused(web.fetch, self.url))
        self.server.answer = lambda handler: handler.connection.close()
        self.assertTrue(self.refused(web.fetch, self.url))

    def test_too_large(self):
        with patch.object(web, "MOST_BYTES", 100_000):
            self.answer(b"[]", Content_Length="100001")
            self.assertIn("larger", self.refused(web.fetch, self.url))
            # One that does not say so beforehand, and would never end.
            self.server.answer = self._flood
            self.assertIn("larger", self.refused(web.fetch, self.url))

    def _flood(self, handler):
        handler.send(b"[")
        while True:
            handler.wfile.write(b"1," * 50_000)

    def test_too_slow(self):
        released = threading.Event()
        self.addCleanup(released.set)

        def drip(handler):
            handler.send(b"[")
            while not released.wait(0.05):
                handler.wfile.write(b" ")

        self.server.answer = drip
        with patch.object(web, "PATIENCE", 0.5):
            self.assertIn("slow", self.refused(web.fetch, self.url))
        with patch.object(requests.Session, "get", side_effect=requests.exceptions.ReadTimeout(SECRET)):
            self.assertIn("slow", self.refused(web.fetch, self.url))
        with patch.object(requests.Session, "get", side_effect=requests.exceptions.SSLError(SECRET)):
            self.assertIn("certificate", self.refused(web.fetch, self.url))

    def test_not_there(self):
        self.server.shutdown()
        self.server.server_close()
        self.assertIn("cannot be reached", self.refused(web.fetch, self.url))

    def test_shapes(self):
        for document, path, expected in (
            ({"a": 1}, "", "not a list"),
            ({"a": {"b": 1}}, "a.b", "not a list"),
            ({"a": 1}, "a.b", "“b”"),
            ([1], "", "Row 1"),
            ([{"a": 1}, None], "", "Row 2"),
            ({"items": [], "next": "https://x"}, "items", "pages"),
            ([{str(number): 1 for number in range(300)}], "", "200 columns"),
        ):
            with self.subTest(document=str(document)[:40], path=path):
                self.assertIn(expected, self.refused(web.get_rows, document, path))
        with patch.object(web, "MOST_ROWS", 1):
            self.assertIn("more than 1 rows", self.refused(web.get_rows, [{}, {}], ""))
        columns, rows = web.get_rows(self.env, [{"a": {"b": {"c": 1, "d": {"e": 2}}}}, {"f": [1], "g": 3}], "")
        self.assertEqual((columns, list(rows)), (["a.b.c", "g"], [[1, None], [None, 3]]))

    def test_wrong_columns_are_named(self):
        self.answer([{"no": "T26000", "owes": 0}])
        self.set_up(kind="http", url=self.url, number_column="number")
        run = self.pull()
        self.assertIn("“number”", run.error)
        self.assertIn("no and owes", run.error)


@tagged("post_install", "-at_install")
class TestFeedPullSql(PullCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        _name, info = connection_info_for(cls.env.cr.dbname)
        wanted = {"host", "port", "user", "password", "dbname"}
        info["dbname"] = info.pop("database", None) or info.get("dbname") or cls.env.cr.dbname
        cls.dsn = psycopg2.extensions.make_dsn(**{key: value for key, value in info.items() if key in wanted})

    def setUp(self):
        super().setUp()
        self.serve(feed_dsn_library=self.dsn)

    def ask(self, query, dsn="library"):
        """Columns and rows of a query."""
        with database.open_query(self.env, dsn, query) as (columns, rows):
            return columns, list(rows)

    def refuse(self, query, dsn="library", **options):
        return self.refused(database.open_query, dsn, query, **options)

    def test_a_query_settles(self):
        self.set_up(
            kind="sql",
            dsn_name="library",
            query="""SELECT * FROM (VALUES
                ('T26000', 0, timestamp '2026-06-01 08:00', NULL), ('T26001 ', 3, '2026-06-01 09:00', 'three'),
                ('T26002', NULL, NULL, NULL)) AS owed("学号", "册数", "时间", "备注");""",
        )
        self.feed.silent_after = 24 * 365 * 20
        run = self.pull()
        self.assertEqual((run.state, run.received, run.done_count, run.bad_count), ("done", 3, 1, 1), run.error)
        self.assertEqual(self.states()[:3], ["approved", "pending", "pending"])
        figure = self.env["clearance.figure"].search([("status_id", "=", self.status(self.students[1], self.books).id)])
        self.assertEqual((figure.quantity, figure.note), (3, "three"))
        self.assertEqual(figure.as_of, moment("2026-06-01 01:00:00"), "By the clock of the campus.")

    def test_it_cannot_write(self):
        for query in (
            "WITH gone AS (DELETE FROM res_lang RETURNING id) SELECT * FROM gone",
            "DELETE FROM res_lang RETURNING id",
            "UPDATE res_lang SET name = 'x' RETURNING id",
            "INSERT INTO res_lang (name) VALUES ('x') RETURNING id",
            "SELECT 1; DELETE FROM res_lang",
            "SELECT 1; COMMIT; DELETE FROM res_lang; SELECT 1",
            "COMMIT; DELETE FROM res_lang",
            "SELECT 1) TO STDOUT; DELETE FROM res_lang; --",
            "ROLLBACK", "BEGIN", "SET TRANSACTION READ WRITE", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            "DO $$ BEGIN DELETE FROM res_lang; END $$", "TRUNCATE res_lang", "CREATE TABLE x (y int)",
            "COPY res_lang TO STDOUT", "COPY (SELECT 1) TO PROGRAM 'id'", "CALL x()", "LISTEN x", "VACUUM",
            "SELECT nextval('res_lang_id_seq')",
            "SELECT set_config('transaction_read_only', 'off', false)",
            "SELECT set_config('default_transaction_read_only', 'off', false), nextval('res_lang_id_seq')",
            "SELECT * INTO x FROM res_lang",
            "SELECT * FROM res_lang FOR UPDATE",
            "SELECT query_to_xml('DELETE FROM res_lang RETURNING id', true, true, '')",
        ):  # fmt: skip
            with self.subTest(query=query):
                self.assertTrue(self.refuse(query))
        self.assertIn("one SELECT", self.refuse("SELECT 1; SELECT 2"))
        self.assertIn("write", self.refuse("SELECT nextval('res_lang_id_seq')"))
        with psycopg2.connect(self.dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM res_lang")
            self.assertTrue(cursor.fetchone()[0])
        connection.close()

    def test_what_is_let_through_is_undone(self):
        """Older servers let large objects be made in a transaction that only reads; it ends with nothing done."""
        with contextlib.suppress(UserError):
            self.ask("SELECT lo_create(424242)")
        connection = psycopg2.connect(self.dsn)
        self.addCleanup(connection.close)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_largeobject_metadata WHERE oid = 424242")
            self.assertFalse(cursor.fetchall())

    def test_semicolons_and_comments_of_good_queries(self):
        self.assertEqual(self.ask("SELECT ';' AS a, 1 AS b -- ; DELETE\n;")[1], [(";", 1)])
        self.assertEqual(self.ask("/* all */ WITH a AS (SELECT 1 AS x) SELECT x, '%s' FROM a")[1], [(1, "%s")])
        self.assertEqual(self.ask("VALUES ('T1', 0)")[0], ["column1", "column2"])

    def test_names_are_looked_up_safely(self):
        self.assertEqual(self.ask("SHOW search_path")[1], [("pg_catalog, public, pg_temp",)])
        self.assertEqual(self.ask("SELECT current_setting('transaction_read_only')")[1], [("on",)])

    def test_time_is_limited(self):
        with patch.object(database, "PATIENCE", 0.3):
            self.assertIn("longer", self.refuse("SELECT pg_sleep(20)"))
            # Neither does it help to say otherwise, nor to be slow only later.
            query = (
                "SELECT set_config('statement_timeout', '0', false), n, pg_sleep(CASE WHEN n > 2100 THEN 20 ELSE 0 END)"
                " FROM generate_series(1, 3000) AS n"
            )
            self.assertIn("longer", self.refuse(query))

    def test_errors_in_plain_words(self):
        for query, expected in (
            ("SELEC 1", "not correct SQL"),
            ("SELECT * FROM no_such_table", "a table that"),
            ("SELECT no_such_column FROM res_lang", "a column that"),
            ("SELECT 1/0 AS student_number", "22012"),
            ("", "one SELECT"),
            ("SELECT 1\x00", "one SELECT"),
            ("SELECT 'x" + "x" * 30_000, "one SELECT"),
            ("SELECT '10000-01-01'::timestamp", "cannot be read"),
        ):
            with self.subTest(query=query[:40]):
                self.assertIn(expected, self.refuse(query))
        self.assertNotIn("no_such_table", self.refuse("SELECT * FROM no_such_table"))
        self.assertIn("no_such_table", self.refuse("SELECT * FROM no_such_table", tell_detail=True))

    def test_connections_that_fail(self):
        dsns = {
            psycopg2.extensions.make_dsn(self.dsn, password=SECRET, user="t_nobody"): "",
            psycopg2.extensions.make_dsn(self.dsn, port=1, password=SECRET): "cannot be reached",
            psycopg2.extensions.make_dsn(self.dsn, host="no-such-host.invalid", password=SECRET): "",
            f"postgresql://u:{SECRET}@": "",
            f"{SECRET} is no dsn": "cannot be reached",
            f"postgresql://u:{SECRET}@[::bad/x": "cannot be reached",
        }
        for dsn, expected in dsns.items():
            with self.subTest(dsn=dsn), patch.dict(os.environ, {"PGCONNECT_TIMEOUT": "2"}):
                self.serve(feed_dsn_broken=dsn)
                with self.assertLogs(level=logging.DEBUG) as logs:
                    logging.getLogger().debug("one line at least")
                    self.assertIn(expected, self.refuse("SELECT 1", "broken"))
                self.assertFalse([text for text in logs.output if SECRET in text])
        self.assertIn("feed_dsn_none", self.refuse("SELECT 1", "none"))
        self.assertIn("feed_dsn_", self.refuse("SELECT 1", "Library"))

    def test_many_rows_in_flat_memory(self):
        def measure(count):
            query = "SELECT 'T' || n AS student_number, 0 AS quantity, repeat('x', 200) FROM generate_series(1, %s) n"
            query %= count
            with database.open_query(self.env, "library", query) as (_columns, rows):
                tracemalloc.start()
                try:
                    self.assertEqual(sum(1 for _row in rows), count)
                    return tracemalloc.get_traced_memory()[1]
                finally:
                    tracemalloc.stop()

        small, large = measure(5_000), measure(50_000)
        self.assertLess(large, 1.5 * small)
        with patch.object(database, "MOST_ROWS", 3_000):
            self.assertIn("more than 3,000 rows", self.refuse("SELECT generate_series(1, 4000)"))

    def test_fifty_thousand_rows(self):
        self.set_up(
            kind="sql",
            dsn_name="library",
            query="SELECT 'T26' || lpad((n - 1)::text, 3, '0') AS student_number, n % 2 AS quantity"
            " FROM generate_series(1, 50000) n",
        )
        run = self.pull()
        self.assertEqual((run.state, run.received), ("done", 50_000), run.error)
        self.assertEqual(run.line_count, 50_000 - 6)
        self.assertEqual(self.states(), ["pending", "approved"] * 3)


@tagged("post_install", "-at_install")
class TestFeedPull(PullCase):
    def put(self, text="student_number,quantity\nT26000,0\n", name="books.csv"):
        (self.root / name).write_text(text)
        os.utime(self.root / name, (time.time() - 60,) * 2)

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("graduate_clearance.ir_cron_pull_feeds").method_direct_trigger()
        self.env.invalidate_all()

    def make_due(self, *feeds):
        for number, feed in enumerate(feeds):
            feed.pull_next_at = fields.Datetime.now() - timedelta(minutes=10 - number)

    def test_pulled_when_due(self):
        self.put()
        self.set_up(kind="folder", interval=30)
        due = fields.Datetime.now() + timedelta(minutes=30)
        self.assertAlmostEqual(self.feed.pull_next_at, due, delta=timedelta(minutes=1))
        triggers = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", self.env.ref("graduate_clearance.ir_cron_pull_feeds").id)]
        )
        self.assertIn(self.feed.pull_next_at, triggers.mapped("call_at"))
        self.run_cron()
        self.assertFalse(self.feed.pull_last_at, "Not before its time.")
        self.make_due(self.feed)
        self.run_cron()
        self.assertEqual(self.states()[0], "approved")
        self.assertAlmostEqual(self.feed.pull_next_at, due, delta=timedelta(minutes=1))
        self.set_up(interval=0)
        self.assertFalse(self.feed.pull_next_at, "By hand only.")
        self.set_up(interval=30)
        self.make_due(self.feed)
        self.feed.active = False
        last = self.feed.pull_last_at
        self.run_cron()
        self.assertEqual(self.feed.pull_last_at, last, "Archived.")

    def test_one_failure_does_not_stop_the_others(self):
        self.put()
        broken = self.feed.copy({"name": "Broken"})
        bug = self.feed.copy({"name": "With a bug"})
        broken.write({"pull_kind": "folder", "pull_path": "nowhere"})
        bug.write({"pull_kind": "folder", "pull_pattern": "*.csv"})
        self.set_up(kind="folder")
        self.make_due(bug, broken, self.feed)
        real = self.registry["clearance.feed"]._take_in

        def take_in(feed, *args, **kwargs):
            if feed.id == bug.id:
                feed.name = "Half done"
                feed.flush_recordset()
                raise ZeroDivisionError
            return real(feed, *args, **kwargs)

        self.patch(self.registry["clearance.feed"], "_take_in", take_in)
        with mute_logger("odoo.addons.graduate_clearance.models.clearance_feed_pull"):
            self.run_cron()
        self.assertEqual(self.states()[0], "approved")
        self.assertIn("no such folder", broken.pull_problem)
        self.assertIn("an error of the clearance", bug.pull_problem)
        self.assertEqual(bug.name, "With a bug", "What was half done is undone.")
        runs = self.env["clearance.feed.run"].search([("feed_id", "in", (broken + bug).ids)])
        self.assertEqual(set(runs.mapped("state")), {"failed"})

    def test_backoff(self):
        self.set_up(kind="folder", path="nowhere", interval=60)
        waits = []
        for _failure in range(9):
            self.make_due(self.feed)
            self.run_cron()
            waits.append(round((self.feed.pull_next_at - fields.Datetime.now()).total_seconds() / 60))
        self.assertEqual(waits, [5, 10, 20, 40, 80, 160, 320, 360, 360])
        self.assertEqual(self.feed.pull_failures, 9)
        (self.root / "nowhere").mkdir()
        self.put(name="nowhere/books.csv")
        self.make_due(self.feed)
        self.run_cron()
        self.assertEqual((self.feed.pull_failures, self.feed.pull_problem), (0, False))
        self.assertAlmostEqual(
            self.feed.pull_next_at, fields.Datetime.now() + timedelta(minutes=60), delta=timedelta(minutes=1)
        )

    def test_who_may_do_what(self):
        self.put()
        self.set_up(kind="folder")
        hidden = self.env["clearance.feed"]._get_pull_fields() | {"pull_seen", "pull_failures"}
        self.assertLessEqual({"pull_url", "pull_query", "pull_dsn_name", "pull_path", "pull_kind"}, hidden)
        for user in (self.manager, self.auditor, self.librarian):
            feed = self.feed.with_user(user)
            for name in hidden:
                with self.subTest(user=user.login, field=name):
                    with self.assertRaises(AccessError):
                        feed.read([name])
                    with self.assertRaises(AccessError):
                        feed.write({name: False})
                    with self.assertRaises(AccessError):
                        feed.search([(name, "!=", False)])
            self.assertTrue(feed.is_pulled)
            feed.read(["pull_next_at", "pull_last_at", "pull_problem", "pull_result"])
            with self.assertRaises(AccessError):
                feed.action_pull_test()
            with self.assertRaises(AccessError):
                self.env["clearance.feed.test"].with_user(user).create({"feed_id": self.feed.id})
            with self.assertRaises(AccessError):
                self.env["clearance.feed.test.line"].with_user(user).search([])
        for user in (self.auditor, self.librarian, self.counsellor, self.graduate):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.feed.with_user(user).action_pull_now()
        with self.assertRaises(AccessError):
            self.env["clearance.feed"].with_user(self.manager).create({"name": "X", "pull_kind": "sql"})
        mine = self.env["clearance.feed"].with_user(self.manager).create({"name": "X"})
        self.assertFalse(mine.is_pulled)
        copy = self.feed.with_user(self.manager).copy()
        self.assertFalse(copy.is_pulled, "What an administrator has set up is not copied.")
        notice = self.feed.with_user(self.manager).action_pull_now()
        self.assertEqual(notice["params"]["type"], "success")
        self.assertIn("Changed: 1", notice["params"]["message"])
        self.assertEqual(self.states()[0], "approved")
        self.feed.with_user(self.system).write({"pull_path": "nowhere"})
        notice = self.feed.with_user(self.manager).action_pull_now()
        self.assertEqual(notice["params"]["type"], "danger")
        self.assertIn("no such folder", notice["params"]["message"])
        with self.assertRaises(UserError):
            mine.action_pull_now()
        archs = {
            user: self.env["clearance.feed"].with_user(user).get_view(view_type="form")["arch"]
            for user in (self.manager, self.system)
        }
        self.assertNotIn("pull_url", archs[self.manager])
        self.assertNotIn("action_pull_test", archs[self.manager])
        self.assertIn("action_pull_now", archs[self.manager])
        self.assertIn("pull_url", archs[self.system])
        self.assertIn("action_pull_test", archs[self.system])

    def test_the_chatter_tells_managers_nothing(self):
        self.env.cr.precommit.run()
        self.set_up(kind="http", url="https://library.example.edu/owed", token_name="library")
        self.env.cr.precommit.run()  # when Odoo notes what has changed
        values = self.feed.message_ids.sudo().tracking_value_ids
        names = {"pull_kind", "pull_url", "pull_token_name"}
        self.assertLessEqual(names, set(values.field_id.mapped("name")), "System administrators see who set up what.")
        shown = values._filter_has_field_access(self.env(user=self.manager))
        self.assertFalse(names & set(shown.field_id.mapped("name")))

    def test_another_campus(self):
        other = self.env["res.company"].create({"name": "Other Campus"})
        foreign = self.env["clearance.feed"].create({"name": "Foreign", "company_id": other.id})
        foreign.write({"pull_kind": "folder"})
        for user in (self.manager, self.system):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                foreign.with_user(user).action_pull_now()

    def test_the_test_writes_nothing(self):
        self.put("姓名,学号,数量,金额\nA,T26000,0,\nB,T26001,2,3.5\nC,X1,0,\nD,T26002,many,\n")
        self.set_up(kind="folder")
        self.feed.heard_at = False
        before = self.states()
        logged = self.env["clearance.log"].search_count([])
        with self.enter_registry_test_mode():
            action = self.feed.with_user(self.system).action_pull_test()
        test = self.env["clearance.feed.test"].with_user(self.system).browse(action["res_id"])
        self.assertFalse(test.problem)
        self.assertEqual((test.row_count, test.source), (4, "books.csv"))
        self.assertEqual(test.line_ids.mapped("outcome"), ["done", "already", "unknown", "bad"])
        self.assertEqual(test.line_ids.mapped("quantity"), ["0", "2", "0", "many"])
        self.assertIn("学号", test.columns)
        self.assertIn("姓名", test.ignored)
        self.assertIn("Changed: 1", test.summary)
        self.env.invalidate_all()
        self.assertEqual(self.states(), before)
        self.assertEqual(self.env["clearance.log"].search_count([]), logged)
        self.assertFalse(self.env["clearance.feed.run"].search([("feed_id", "=", self.feed.id)]))
        self.assertFalse(self.feed.heard_at)
        self.assertFalse(self.feed.pull_seen)
        self.pull()
        self.assertEqual(self.states()[0], "approved", "A test does not use the file up.")
        with self.enter_registry_test_mode():
            action = self.feed.with_user(self.system).action_pull_test()
        test = self.env["clearance.feed.test"].with_user(self.system).browse(action["res_id"])
        self.assertEqual(test.line_ids[0].outcome, "already", "And a file that was read can be tested.")
        other = self.env["clearance.feed.test"].with_user(self.manager)
        with self.assertRaises(AccessError):
            other.browse(action["res_id"]).read(["summary"])

    def test_the_test_tells_what_is_wrong(self):
        self.set_up(kind="folder")
        action = self.feed.with_user(self.system).action_pull_test()
        self.assertIn("no file", self.env["clearance.feed.test"].browse(action["res_id"]).problem)
        self.set_up(kind=False)
        action = self.feed.with_user(self.system).action_pull_test()
        self.assertIn("not pulled", self.env["clearance.feed.test"].browse(action["res_id"]).problem)

    def test_an_unknown_error_is_told_by_its_kind_only(self):
        self.set_up(kind="folder")
        logger = "odoo.addons.graduate_clearance.models.clearance_feed_pull_fetch"
        with (
            patch.object(folder, "list_files", side_effect=RuntimeError(SECRET)),
            self.assertLogs(logger, "ERROR") as logs,
        ):
            run = self.pull()
        self.assertEqual(run.state, "failed")
        self.assertIn("RuntimeError", logs.output[0])
        self.assertFalse([text for text in (run.error, self.feed.pull_problem, *logs.output) if SECRET in text])

    def test_settings_of_the_server(self):
        path = self.root / "odoo.conf"
        path.write_text(
            "[options]\n[graduate_clearance]\nfeed_hosts = https://a\n https://b, https://c\n"
            f"feed_token_x = {SECRET}%\n"
        )
        with patch.dict(config.options, {"config": str(path)}):
            self.assertEqual(settings.get_list(self.env, "feed_hosts"), ["https://a", "https://b", "https://c"])
            self.assertEqual(settings.get_secret(self.env, "token", "x"), f"{SECRET}%")
            self.serve(feed_token_x="of the environment")
            self.assertEqual(settings.get_secret(self.env, "token", "x"), "of the environment")
            with path.open("a") as file:
                file.write(f"[graduate_clearance:{self.env.cr.dbname}]\nfeed_hosts = https://d\n")
            self.assertEqual(settings.get_list(self.env, "feed_hosts"), ["https://d"])
            self.assertIn("feed_token_x", self.refused(settings.get_secret, "token", "x"))
            path.write_text(f"[options]\n{SECRET}\n")
            self.assertIn("cannot be read", self.refused(settings.get, "feed_hosts"))

    def test_values(self):
        def row(*cells, columns=None):
            columns = columns or {"student_number": 0, "quantity": 1, "amount": 2, "as_of": 3, "note": 4}
            return table.read_row(cells, columns, SHANGHAI)

        self.assertEqual(
            row("Ｔ２６０００", "３", "¥1,234.50", "2026/6/1", "  x "),
            {
                "student_number": "T26000",
                "quantity": 3,
                "amount": 1234.5,
                "as_of": moment("2026-05-31 16:00:00"),
                "note": "x",
            },
        )
        self.assertEqual(row(2026001.0, 1, Decimal("2.5"))["student_number"], "2026001")
        self.assertEqual(row("1", "", "")["quantity"], "", "An empty cell is not zero.")
        self.assertEqual(row("1"), {"student_number": "1", "quantity": ""})
        self.assertEqual(row("1", "", "0"), {"student_number": "1", "amount": 0})
        for text in ("1,2", "12,34", "0x10", "1e3", "1_000", "two", "=1+1", "−1", "True", "--1"):
            with self.subTest(text=text):
                self.assertEqual(row("1", text)["quantity"], text)
        self.assertEqual(row("1", "35 元")["quantity"], 35)
        for text, expected in (
            ("2026-06-01T08:00:00Z", moment("2026-06-01 08:00:00")),
            ("2026-06-01T08:00:00+08:00", moment("2026-06-01 00:00:00")),
            ("2026-06-01 08:00", moment("2026-06-01 00:00:00")),
            (moment("2026-06-01 08:00:00").replace(tzinfo=pytz.utc), moment("2026-06-01 08:00:00")),
            (moment("2026-06-01 08:00:00"), moment("2026-06-01 00:00:00")),
            ("yesterday", "yesterday"),
            ("", ""),
        ):
            with self.subTest(text=text):
                self.assertEqual(table.read_time(text, SHANGHAI), expected)

    def test_in_the_language_of_the_campus(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.campus.partner_id.lang = "zh_CN"
        self.feed.with_context(lang="zh_CN").name = "图书系统"
        self.put("student_number,quantity\nT26000,0\n")
        self.set_up(kind="folder")
        seen = []
        real = self.registry["clearance.feed"]._take_in

        def take_in(feed, *args, **kwargs):
            seen.append(feed.env.lang)
            return real(feed, *args, **kwargs)

        self.patch(self.registry["clearance.feed"], "_take_in", take_in)
        self.make_due(self.feed)
        self.run_cron()
        self.assertEqual(seen, ["zh_CN"])

    def test_queries_do_not_grow(self):
        counts = []
        for size in (2, 6):
            rows = "".join(f"T2600{number},{size % 4}\n" for number in range(size))
            self.put("student_number,quantity\n" + rows, name=f"{size}.csv")
            self.set_up(kind="folder", pattern=f"{size}.csv")
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.feed._pull()
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])

    def test_commands_unused(self):
        """The step's own system may be changed without touching how it is pulled."""
        self.set_up(kind="folder", interval=60)
        self.feed.pull_seen = {"a.csv": "1:2"}
        self.feed.with_user(self.manager).write({"unit": "volumes", "step_ids": [Command.link(self.fees.id)]})
        self.assertEqual(self.feed.pull_seen, {"a.csv": "1:2"})
        self.feed.with_user(self.system).write({"pull_pattern": "b*.csv"})
        self.assertFalse(self.feed.pull_seen, "Set up anew: begun anew.")
