from . import (
    test_gate,
    test_roster,
    test_security,
)
