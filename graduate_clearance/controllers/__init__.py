from . import configuration, portal, portal_certificate, portal_inquiry, portal_submission
