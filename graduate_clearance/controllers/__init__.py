from . import (
    configuration,
    debts,
    portal,
    portal_certificate,
    portal_inquiry,
    portal_submission,
    roster,
    spreadsheet,
    station_sheet,
)
