"""A real browser that visits many pages in one test, and what can be asked of a page in it."""

import json
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urljoin

from _setup.node import MODULES

from odoo.http import root
from odoo.tests.common import HOST, ChromeBrowser

AXE = MODULES / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SCRIPTS = Path(__file__).with_name("in_page.js")

#: what people have in front of them: width and height in CSS pixels
PHONE = (390, 844)
DESKTOP = (1280, 800)
#: a desktop window of 1280 × 800 enlarged to 200 %
ZOOMED = (640, 400)
#: what WCAG 1.4.10 asks for: 1280 pixels enlarged to 400 %
NARROW = (320, 640)


class Page:
    """A page that the browser has open."""

    def __init__(self, browser, name):
        self.browser = browser
        self.name = name

    def __str__(self):
        width, _height = self.browser.size
        return f"{self.name} ({width} px)"

    def evaluate(self, expression):
        """The value of a JavaScript expression, a promise being waited for."""
        answer = self.browser.send(
            "Runtime.evaluate", timeout=60, expression=expression, awaitPromise=True, returnByValue=True
        )
        if details := answer.get("exceptionDetails"):
            raise AssertionError(f"{expression[:80]}…: {details.get('exception', {}).get('description', details)}")
        return answer["result"].get("value")

    def call(self, name, *arguments):
        """What a function of in_page.js answers."""
        if not self.evaluate("Boolean(window.inPage)"):
            self.evaluate(SCRIPTS.read_text())
        return self.evaluate(f"inPage.{name}({', '.join(map(json.dumps, arguments))})")

    def find_barriers(self, without=()):
        """What axe-core finds against WCAG 2.2 AA, everything that can be unfolded being open.

        :param without: selectors of what is not ours
        :return: list of texts, and the number of rules that were kept
        """
        self.evaluate(AXE.read_text() + ";0")
        found = self.call("findBarriers", list(RULES), list(without))
        return found["barriers"], found["passes"]

    def press(self, key, code, *, shift=False):
        """Press and release a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.browser.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                modifiers=8 if shift else 0,
            )


class Visitor:
    """The browser of a test case, as visitors use it one after the other."""

    def __init__(self, test_case, browser, sessions):
        self.test_case = test_case
        self.login = None
        self.size = None
        self._browser = browser
        self._sessions = sessions

    def send(self, method, *, timeout=20, **params):
        """A command of Chrome's own protocol."""
        return self._browser._websocket_request(method, params=params, timeout=timeout)

    def log_in(self, login):
        """Become somebody else, or nobody."""
        if login != self.login:
            self._browser.set_cookie("session_id", self._sessions[login], "/", HOST)
            self.login = login

    def resize(self, size):
        if size != self.size:
            width, height = size
            self.send(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            # As on a phone, where they take no room.
            self.send("Emulation.setScrollbarsHidden", hidden=True)
            self.size = size

    def visit(self, url, *, login=None, size=DESKTOP, name=""):
        """Open a page and wait until it stands still."""
        self.log_in(login)
        self.resize(size)
        self._browser.navigate_to(urljoin(self.test_case.base_url(), url), wait_stop=True)
        page = Page(self, name or url)
        self._settle(page)
        return page

    def follow(self, page, script):
        """Let a script lead to another page."""
        page.evaluate(f"window.isOld = true; {script}; 0")
        self._settle(page)

    def _settle(self, page):
        self._wait_for(page, "!window.isOld && document.readyState === 'complete'")
        status = page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")
        self.test_case.assertEqual(status, 200, f"what {page} answers")
        # A page of Odoo's layout says so when its scripts have started.
        self._wait_for(page, "!document.querySelector('#wrapwrap') || document.body.hasAttribute('is-ready')")
        page.call("standStill")

    def _wait_for(self, page, condition):
        self.test_case.assertTrue(self._browser._wait_ready(condition), f"{page} is never ready: {condition}")

    def check_errors(self):
        """Fail over what a page has said to the console, or thrown."""
        if self._browser._result.done():
            self._browser._result.result()


def browse(test_case, logins, act):
    """Start a browser, let ``act(visitor)`` use it, and end it.

    Starting, ending and the test's own transaction are Odoo's affair; what it would do in between, run one script
    on one page, is replaced.  Meanwhile that transaction belongs to the server: ``act`` must not touch the database.

    :param logins: who may become the visitor; None is nobody
    """
    sessions = {login: _log_in(test_case, login) for login in {None, *logins}}

    def drive(browser, _code, _timeout, error_checker=None):
        visitor = Visitor(test_case, browser, sessions)
        visitor.log_in(None)
        act(visitor)
        visitor.check_errors()
        # What a page still asks for would meet the end of the test.
        browser.navigate_to("about:blank", wait_stop=True)

    with patch.object(ChromeBrowser, "_wait_code_ok", drive):
        # A picture: a page that is left while its scripts open their database keeps the next from starting.
        test_case.browser_js("/logo.png", "", "document.readyState === 'complete'")


def _log_in(test_case, login):
    """A session of somebody's, which outlives the next one's login."""
    session = test_case.authenticate(login, login)
    test_case.session = None
    test_case.addCleanup(root.session_store.delete, session)
    return session.sid
