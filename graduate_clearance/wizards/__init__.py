from . import (
    clearance_certificate_revoke,
    clearance_export_choose,
    clearance_feed_test,
    clearance_feed_test_line,
    clearance_print_choose,
    clearance_print_part,
    clearance_session_load,
    clearance_session_open,
    clearance_station_sheet,
    clearance_status_decide,
    clearance_step_change,
    clearance_trait_assign,
)
