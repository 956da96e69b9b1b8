from . import (
    clearance_form,
    clearance_session,
    clearance_status,
    clearance_step,
    survey_survey,
    survey_user_input,
)
