from . import clearance_session_open, clearance_status_decide
