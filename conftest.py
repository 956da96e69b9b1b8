"""For every test: what Odoo logs as an error fails the test that was running, as it does in Odoo's own runner."""

import logging

import pytest


class _Errors(logging.Handler):
    def __init__(self):
        super().__init__(logging.ERROR)
        self.texts = []

    def emit(self, record):
        text = record.getMessage()
        # A browser that is told to go leaves downloads unfinished; the test has passed by then.
        if not text.startswith("Error received after termination"):
            self.texts.append(f"{record.name}: {text}")

    def take(self):
        taken, self.texts = self.texts, []
        return "\n".join(taken)


_errors = _Errors()


def pytest_configure(config):
    logging.getLogger("odoo").addHandler(_errors)


@pytest.fixture(autouse=True)
def no_logged_errors():
    """Tests that mean to cause one catch it with assertLogs or mute_logger."""
    yield
    logged = _errors.take()
    assert not logged, f"logged as an error, though no test failed over it:\n{logged}"
