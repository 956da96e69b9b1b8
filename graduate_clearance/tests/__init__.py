from . import (
    test_assets,
    test_campaign,
    test_gate,
    test_hoot,
    test_performance,
    test_portal,
    test_roster,
    test_security,
    test_tours,
    test_views,
)
