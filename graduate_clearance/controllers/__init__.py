from . import portal, portal_certificate, portal_inquiry, portal_submission
