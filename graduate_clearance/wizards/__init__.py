from . import (
    clearance_certificate_revoke,
    clearance_session_load,
    clearance_session_open,
    clearance_status_decide,
    clearance_step_change,
    clearance_trait_assign,
)
