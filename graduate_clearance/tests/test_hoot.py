import logging
import re

from odoo.tests import HttpCase, no_retry, tagged

SUITE = "@graduate_clearance"


class _Passed(logging.Handler):
    """Remembers how many tests Hoot says have passed: it succeeds when none was found, too."""

    count = 0

    def emit(self, record):
        if found := re.search(r"Passed (\d+) tests", record.getMessage()):
            self.count = int(found[1])


@tagged("post_install", "-at_install")
class TestHoot(HttpCase):
    @no_retry
    def test_hoot(self):
        """The widgets of this addon, in a browser without a server."""
        passed = _Passed()
        browser_logger = self._logger.getChild("browser")
        browser_logger.addHandler(passed)
        self.addCleanup(browser_logger.removeHandler, passed)
        level = browser_logger.level
        self.addCleanup(browser_logger.setLevel, level)
        browser_logger.setLevel(logging.INFO)
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={self._suite_id()}",
            "",
            "",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=lambda message: "[HOOT]" not in message,
        )
        self.assertGreaterEqual(passed.count, 265, "Hoot has not found the tests of this addon.")

    @staticmethod
    def _suite_id():
        """The id that Hoot gives to the suite: a hash of its name."""
        number = 0
        for char in SUITE:
            number = ((number << 5) - number + ord(char)) & 0xFFFFFFFF
        return f"{number:08x}"
