"""A library system with a database of its own: books lent and returned there make steps red and green here.

A real server, a real cron, two real databases; graduates look at their page over HTTP.
"""

import contextlib
import os
import re
import secrets
import subprocess
import time

import psycopg2
import pytest
import requests
from _setup import postgres
from _setup.layout import ADDON
from lxml import html

pytestmark = pytest.mark.slow

DATABASE = "library_clearance"
LIBRARY = "library_system"
READER = "library_system_reader"
#: seconds for the server to start, and for its cron to come round
PATIENCE = 120

TABLES = """
CREATE TABLE reader (id serial PRIMARY KEY, card_no text UNIQUE NOT NULL, name text);
CREATE TABLE loan (
    id serial PRIMARY KEY, reader_id int NOT NULL REFERENCES reader, title text, returned_at timestamptz
);
CREATE TABLE fine (reader_id int NOT NULL REFERENCES reader, yuan numeric(10, 2) NOT NULL, paid boolean DEFAULT false);
INSERT INTO reader (card_no, name) VALUES ('L26001', '甲'), ('L26002', '乙'), ('L26003', '丙'), ('S99', 'staff');
INSERT INTO loan (reader_id, title) SELECT id, '红楼梦' FROM reader WHERE card_no IN ('L26001', 'L26003', 'S99');
INSERT INTO loan (reader_id, title) SELECT id, '三国演义' FROM reader WHERE card_no = 'L26001';
INSERT INTO fine (reader_id, yuan) SELECT id, 3.50 FROM reader WHERE card_no = 'L26003';
"""
QUERY = """
-- what each reader still has to bring back and to pay
SELECT reader.card_no AS "学号",
       (SELECT count(*) FROM loan WHERE loan.reader_id = reader.id AND returned_at IS NULL) AS "册数",
       (SELECT coalesce(sum(yuan), 0) FROM fine WHERE fine.reader_id = reader.id AND NOT paid) AS "欠费"
  FROM reader ORDER BY reader.card_no;
"""
SET_UP = """
import os
from datetime import timedelta
from odoo import fields
from odoo.fields import Command

company = env.company
students = env["clearance.student"].create(
    [{"student_number": number, "name": f"Graduate {number}"} for number in ("L26001", "L26002", "L26003")]
)
now = fields.Datetime.now()
session = env["clearance.session"].create({
    "name": "2026", "open_from": now - timedelta(days=1), "open_until": now + timedelta(days=9),
    "student_domain": "[('student_number', '=like', 'L26%')]",
})
station = env["clearance.station"].create({"name": "Library"})
feed = env["clearance.feed"].create({
    "name": "Library system", "unit": "books", "pull_kind": "sql", "pull_dsn_name": "library",
    "pull_query": os.environ["QUERY"], "pull_interval": 60,
})
step = env["clearance.step"].create({
    "name": "Return books", "session_id": session.id, "station_id": station.id, "mode": "feed", "feed_id": feed.id,
})
session._open()
groups = {"manager": "graduate_clearance.group_manager"}
for login in ("manager", *students.mapped("student_number")):
    student = students.filtered(lambda student: student.student_number == login)
    env["res.users"].with_context(no_reset_password=True).create({
        "login": login, "password": os.environ["PASSWORD"], "lang": "en_US",
        "name": student.name or login,
        **({"partner_id": student.partner_id.id} if student else {}),
        "group_ids": [Command.set(env.ref(groups.get(login, "base.group_portal")).ids)],
    })
env.cr.commit()
print(f"MADE feed={feed.id} step={step.id}")
"""


class Library:
    """The library's own system: its database, and the account that may read it."""

    def __init__(self, server):
        self.server = server
        self.password = secrets.token_urlsafe(18)
        server.drop(LIBRARY)
        server.create(LIBRARY)
        self.run(TABLES)
        self._drop_reader()
        server.execute(f"CREATE ROLE {READER} LOGIN PASSWORD %s", [self.password])
        self.run(f"GRANT USAGE ON SCHEMA public TO {READER}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")

    def run(self, statement, parameters=None):
        return self.server.execute(statement, parameters or None, LIBRARY)

    @property
    def dsn(self):
        return psycopg2.extensions.make_dsn(
            host=self.server.host,
            port=self.server.port,
            user=READER,
            password=self.password,
            dbname=LIBRARY,
        )

    def lend(self, number, title):
        self.run("INSERT INTO loan (reader_id, title) SELECT id, %s FROM reader WHERE card_no = %s", [title, number])

    def take_back(self, number):
        self.run(
            "UPDATE loan SET returned_at = now() FROM reader WHERE reader.id = reader_id AND card_no = %s", [number]
        )

    def pay(self, number):
        self.run("UPDATE fine SET paid = true FROM reader WHERE reader.id = reader_id AND card_no = %s", [number])

    def close(self):
        self.server.drop(LIBRARY)
        self._drop_reader()

    def _drop_reader(self):
        self.server.execute(f"DROP ROLE IF EXISTS {READER}")


class Campus:
    """A server with the addon, pulled from a library, and people who look at it."""

    def __init__(self, installed, library, folder):
        self.password = secrets.token_urlsafe(18)
        self.port = postgres.free_port()
        self.log = folder / "server.log"
        self.instance = installed.instance
        self.server = self.instance.server
        installed.copy(DATABASE)
        said = self.instance.shell(DATABASE, SET_UP, PASSWORD=self.password, QUERY=QUERY)
        self.feed, self.step = map(int, re.search(r"MADE feed=(\d+) step=(\d+)", said).groups())
        self.process = self._start({"GRADUATE_CLEARANCE_FEED_DSN_LIBRARY": library.dsn})
        self.people = {}
        self._wait(self._is_up)

    def _start(self, environment):
        command = self.instance.command("-c", self.instance.config, "-d", DATABASE, f"--http-port={self.port}")
        command += [f"--db-filter=^{DATABASE}$", "--max-cron-threads=1"]
        with self.log.open("w") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})

    def _is_up(self):
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"http://127.0.0.1:{self.port}/web/health", timeout=PATIENCE).ok
        return False

    def _wait(self, condition):
        """Wait until something is so, which other processes make so."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(0.1)

    def close(self):
        self.process.terminate()
        self.process.wait(60)
        self.instance.drop(DATABASE)

    def _get_browser(self, login):
        """A session of somebody who has logged in as people do."""
        if login not in self.people:
            browser = requests.Session()
            browser.trust_env = False
            url = f"http://127.0.0.1:{self.port}/web/login"
            page = html.fromstring(browser.get(url, timeout=PATIENCE).content)
            token = page.xpath("//input[@name='csrf_token']/@value")[0]
            form = {"login": login, "password": self.password, "csrf_token": token}
            assert browser.post(url, data=form, timeout=PATIENCE).url != url
            self.people[login] = browser
        return self.people[login]

    def look(self, number):
        """What a graduate reads about the books: pair of the state and everything about the step, in one line."""
        response = self._get_browser(number).get(f"http://127.0.0.1:{self.port}/my/clearance", timeout=PATIENCE)
        (step,) = html.fromstring(response.content).xpath("//*[@id=$id]", id=f"step_{self.step}")
        state = step.xpath(".//*[starts-with(@class, 'o_clearance_state_')]")[0]
        return tuple(" ".join(element.text_content().split()) for element in (state, step))

    def call(self, login, method):
        """Press a button of the feed."""
        response = self._get_browser(login).post(
            f"http://127.0.0.1:{self.port}/web/dataset/call_button/clearance.feed/{method}",
            json={"params": {"model": "clearance.feed", "method": method, "args": [[self.feed]], "kwargs": {}}},
            timeout=PATIENCE,
        )
        return response.json()

    def pull(self):
        """“Pull Now”, as a manager; the notice that it answers."""
        return self.call("manager", "action_pull_now")["result"]["params"]

    def ask(self, statement, *parameters):
        return self.server.execute(statement, parameters, DATABASE)

    def let_the_cron_pull(self):
        """Make the pull due and wait until the server's cron has done it."""
        ((before,),) = self.ask("SELECT max(id) FROM clearance_feed_run")
        self.ask("UPDATE clearance_feed SET pull_next_at = now() AT TIME ZONE 'UTC' - interval '1 minute'")
        self.ask(
            "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' - interval '1 minute' WHERE id ="
            " (SELECT res_id FROM ir_model_data WHERE name = 'ir_cron_pull_feeds' AND module = %s)",
            ADDON,
        )
        self.server.execute("SELECT pg_notify('cron_trigger', %s)", [DATABASE])
        self._wait(lambda: self.ask("SELECT 1 FROM clearance_feed_run WHERE id > %s", before))


@pytest.fixture(scope="module")
def library():
    library = Library(postgres.ensure("test", durable=False))
    yield library
    library.close()


@pytest.fixture(scope="module")
def campus(installed, library, tmp_path_factory):
    campus = Campus(installed, library, tmp_path_factory.mktemp("feeds"))
    yield campus
    campus.close()


def test_books_make_steps_red_and_green(campus, library):
    """One story: lent, returned, lent again; by button and by cron; and the library goes away."""
    assert campus.look("L26001")[0] == "Not done"

    notice = campus.pull()
    assert notice["type"] == "success", notice
    assert campus.look("L26002") == ("Approved", campus.look("L26002")[1])
    state, words = campus.look("L26001")
    assert state == "Not done"
    assert "2 books" in words
    state, words = campus.look("L26003")
    assert state == "Not done"
    assert "1 books" in words
    assert "3.50" in words
    # Staff have loans too, and are no graduates.
    assert campus.ask("SELECT received, done_count, unknown_count FROM clearance_feed_run") == [(4, 1, 1)]

    library.take_back("L26001")
    library.take_back("L26003")
    assert campus.pull()["type"] == "success"
    assert campus.look("L26001")[0] == "Approved"
    assert campus.look("L26003")[0] == "Not done", "The fine is not paid."

    library.pay("L26003")
    library.lend("L26002", "水浒传")
    campus.let_the_cron_pull()
    assert campus.look("L26003")[0] == "Approved"
    state, words = campus.look("L26002")
    assert state == "Not done", "What was green is red again."
    assert "1 books" in words
    assert campus.ask(
        "SELECT door, action, count(*) FROM clearance_log WHERE door = 'feed' GROUP BY door, action ORDER BY action"
    ) == [("feed", "approve", 3), ("feed", "reopen", 1)]

    # The library locks us out: nothing changes, and people are told, without what we log in with.
    library.take_back("L26002")
    library.server.execute(f"ALTER ROLE {READER} PASSWORD %s", [secrets.token_urlsafe(18)])
    notice = campus.pull()
    assert notice["type"] == "danger"
    assert "refuses the login" in notice["message"]
    assert campus.look("L26002")[0] == "Not done"
    campus.let_the_cron_pull()
    assert campus.ask("SELECT pull_failures, pull_next_at > now() AT TIME ZONE 'UTC' FROM clearance_feed") == [
        (2, True)
    ]
    library.server.execute(f"ALTER ROLE {READER} PASSWORD %s", [library.password])
    assert campus.pull()["type"] == "success"
    assert campus.look("L26002")[0] == "Approved"


def test_nobody_gets_at_what_the_server_knows(campus, library):
    campus.pull()
    ((feed, runs),) = campus.ask(
        "SELECT (SELECT json_agg(feed)::text FROM clearance_feed feed),"
        " (SELECT json_agg(run)::text FROM clearance_feed_run run)"
    )
    answer = str(campus.call("manager", "action_pull_test"))
    for where, text in {"feed": feed, "runs": runs, "log": campus.log.read_text(), "answer": answer}.items():
        assert library.password not in text, where
        assert READER not in text, where
    assert "AccessError" in answer
    assert "AccessError" in str(campus.call("L26001", "action_pull_now"))
    complaints = re.findall(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) .*", campus.log.read_text(), re.MULTILINE)
    assert not complaints
