"""The examples of docs/api.md, run as they stand there against a server."""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .common import ClearanceCommon
from .test_api import show_own_lines

_logger = logging.getLogger(__name__)

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: what an integrator must not meet: the page names no call that there is not, and leaves out none
_CALLS = {"get_form", "get_sessions", "get_steps", "get_forms", "decide", "get_statistics", "get_changes"}


def find_page():
    """The page, beside the addon; None where the addon was installed without it (a wheel)."""
    page = Path(__file__).resolve().parents[2] / "docs" / "api.md"
    return page if page.exists() else None


@tagged("post_install", "-at_install")
class TestApiDocs(ClearanceCommon, HttpCase):
    """A campus on which the examples have something to find."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        show_own_lines(cls)
        cls.env["ir.config_parameter"].sudo().set_param("password.hashing.rounds", "1000")
        cls.clearance.student_domain = "[]"
        for number, student in enumerate(cls.students, 1):
            student.student_number = f"20260101{number:02}"
        for step, code in ((cls.books, "books"), (cls.card, "card"), (cls.degree, "degree"), (cls.talk, "talk")):
            step.code = code
        cls.diploma.handout = "Graduation certificate"
        now = fields.Datetime.now()
        feed = cls.env["clearance.feed"].create({"name": "Library system", "unit": "books"})
        feed.heard_at = now - timedelta(minutes=10)
        cls.books.feed_id = feed
        cls.env["clearance.slot"].create(
            {
                "session_id": cls.clearance.id,
                "college_ids": [Command.set(cls.mech.ids)],
                "place": "Library hall",
                "open_from": now - timedelta(hours=1),
                "open_until": now + timedelta(hours=1),
            }
        )
        cls.forms = cls.open_session()
        books = cls.env["clearance.status"].search([("step_id", "=", cls.books.id)], order="id", limit=1)
        cls.env["clearance.figure"].create({"status_id": books.id, "quantity": 2, "as_of": now - timedelta(minutes=70)})
        cls.env["clearance.status"].search([("step_id", "=", cls.talk.id)])._decide("approve", "api")
        cls.app = new_test_user(
            cls.env,
            "campus-app",
            groups="graduate_clearance.group_auditor",
            company_id=cls.campus.id,
            company_ids=cls.campus.ids,
        )
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=None))
        page = find_page()
        cls.text = page.read_text(encoding="utf-8") if page else ""

    def setUp(self):
        super().setUp()
        if not self.text:
            self.skipTest("docs/api.md is not beside the addon: its examples are run from the repository.")
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")},
            "CLEARANCE_URL": self.base_url(),
            "CLEARANCE_DATABASE": get_db_name(),
            "GRADUATE_KEY": self._make_key(self.graduate),
            "CAMPUS_KEY": self._make_key(self.app),
            "DESK_KEY": self._make_key(self.affairs),
            "PYTHONIOENCODING": "utf-8",
        }

    def _make_key(self, user):
        keys = self.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "docs", fields.Datetime.now() + timedelta(days=1))

    def _blocks(self, *kinds):
        return [(kind, code) for kind, code in _BLOCK.findall(self.text) if kind in kinds]

    def _run(self, *command):
        """Run an example as somebody at a terminal would, and answer what it prints."""
        self.env.flush_all()
        with self.allow_requests(all_requests=True):
            done = subprocess.run(
                command, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8", timeout=120
            )
        self.env.invalidate_all()
        self.assertEqual(done.returncode, 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}")
        self.assertEqual(done.stderr, "", command[-1])
        return done.stdout

    def assert_like(self, example, answer, where="answer"):
        """The same keys and types; of lists the first, of texts that there is one where the example has."""
        if isinstance(example, dict):
            self.assertIsInstance(answer, dict, where)
            self.assertLessEqual(example.keys(), answer.keys(), where)
            for key, value in example.items():
                if not (where.endswith(".counts") or key == "debug"):
                    self.assert_like(value, answer[key], f"{where}.{key}")
        elif isinstance(example, list):
            self.assertIsInstance(answer, list, where)
            self.assertEqual(bool(example), bool(answer), where)
            for number, (value, other) in enumerate(zip(example, answer, strict=False)):
                self.assert_like(value, other, f"{where}[{number}]")
        elif isinstance(example, int | float) and not isinstance(example, bool):
            self.assertIsInstance(answer, int | float, where)
        elif example and isinstance(example, str) and example.endswith("Z") and example[:4].isdecimal():
            self.assertRegex(answer, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", where)
        elif example not in ("", None):
            self.assertIs(type(answer), type(example), where)

    # -- the examples --------------------------------------------------------------

    @mute_logger("odoo.http")
    def test_curl(self):
        """Each command, and its answer against the one that is printed below it."""
        if not shutil.which("curl"):
            _logger.warning("curl is not installed: the curl examples of docs/api.md were NOT run.")
            self.skipTest("curl is not installed: only the Python examples of docs/api.md are run.")
        answers, compared = [], 0
        for kind, code in self._blocks("bash", "json"):
            if kind == "bash":
                answers = [json.loads(self._run("bash", "-euo", "pipefail", "-c", code))]
            else:
                # An answer may stand below an example that has been compared already.
                self.assert_like(json.loads(code), answers.pop())
                compared += 1
        self.assertGreaterEqual(compared, 7)

    @mute_logger("odoo.http")
    def test_python(self):
        """Each script, named in its first line; later ones import the first."""
        ran = []
        for _kind, code in self._blocks("python"):
            name = re.match(r"# (\w+\.py)", code)
            if not name:
                continue
            (self.folder / name[1]).write_text(code, encoding="utf-8")
            ran.append(name[1])
            printed = self._run(sys.executable, name[1])
            if name[1] not in ("clearance.py",):
                self.assertTrue(printed.strip(), f"{name[1]} found nothing to print")
        self.assertEqual(ran[0], "clearance.py")
        self.assertGreaterEqual(len(ran), 6)
        rejected = self.status(self.students[1], self.card)
        self.assertEqual((rejected.state, rejected.door, rejected.user_id), ("rejected", "api", self.affairs))

    def test_a_key_from_the_shell(self):
        """The example for Odoo's shell makes a key that opens the interface."""
        [code] = [code for _kind, code in self._blocks("python") if code.startswith("# odoo shell")]
        # A test does not commit.
        names = {"env": self.env, "print": lambda key: None}
        exec(code.replace("env.cr.commit()", ""), names)  # noqa: S102
        self.environment["CAMPUS_KEY"] = names["key"]
        self.environment["PYTHONPATH"] = str(self.folder)
        [helper] = [code for _kind, code in self._blocks("python") if code.startswith("# clearance.py")]
        (self.folder / "clearance.py").write_text(helper, encoding="utf-8")
        script = "import os; from clearance import call; print(len(call(os.environ['CAMPUS_KEY'], 'get_sessions')))"
        self.assertEqual(self._run(sys.executable, "-c", script).strip(), "1")

    # -- the words -----------------------------------------------------------------

    def test_nothing_is_left_out(self):
        """Every call stands on the page, with its arguments and the codes of its refusals."""
        api = type(self.env["clearance.api"])
        public = {
            name
            for cls in api.mro()
            if cls.__module__.startswith("odoo.addons.graduate_clearance.models.clearance_api")
            for name, value in vars(cls).items()
            if callable(value) and not name.startswith("_")
        }
        self.assertEqual(public, _CALLS)
        for name in _CALLS:
            self.assertIn(f"`{name}`", self.text)
        folder = Path(__file__).resolve().parents[1] / "models"
        source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("clearance_api*.py")))
        codes = set(re.findall(r'_fail\(\s*"(\w+)"', source))
        self.assertGreater(len(codes), 10)
        for code in codes | {"unknown_student", "unknown_session", "unknown_step"}:
            self.assertIn(f"`{code}`", self.text, "an error that the page does not know")
        for model, fname in (("clearance.log", "action"), ("clearance.status", "state"), ("clearance.step", "mode")):
            for code, _label in self.env[model]._fields[fname].selection:
                self.assertIn(f"`{code}`", self.text, f"a code that the page does not know: {model} {fname}")
