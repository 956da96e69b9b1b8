"""Odoo with workers, as a script of its own.

With workers Odoo starts its process for live messages by running its script anew with another first argument;
run as ``python -m odoo`` that script is ``odoo/__main__.py``, which Python cannot start so, and Odoo tries for ever.
"""

import contextlib
import ctypes
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def _end_with_parent():
    """Be told to end when the bench ends, however it does."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    # Python puts the script's folder first, whose modules are not to be found by the names of others.
    sys.path[:] = [path for path in sys.path if Path(path) != Path(__file__).parent]
    _end_with_parent()

    from odoo.cli import main

    main()
