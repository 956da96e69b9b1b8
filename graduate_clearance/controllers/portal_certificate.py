import logging
import math
from urllib.parse import quote

from odoo.exceptions import UserError
from odoo.http import content_disposition, request, route

from ..rate_limit import RateLimit, get_source
from .portal import ClearancePortal

_logger = logging.getLogger(__name__)

#: look-ups of one address within a minute: all of them, and those that found nothing.
#: A fair where many certificates are shown behind one address stays below the first.
LOOKUPS = RateLimit(60, 60)
UNKNOWN = RateLimit(10, 60)

_REPORT = "graduate_clearance.clearance_form_report"

#: what is said about one person is for who asks, now: kept by nobody, found by no search
#: engine, and its address (which is the secret) told to no other site
_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Frame-Options": "DENY",
}


class ClearanceCertificatePortal(ClearancePortal):
    """Printing the form, and verifying what was printed."""

    # -- the graduate prints -----------------------------------------------------------

    # Not read-only: the first printing issues the certificate.
    @route("/my/clearance/<int:form_id>/certificate", type="http", auth="user", website=True)
    def portal_clearance_certificate(self, form_id, **kw):
        """The form as a page to print: a certificate when cleared, else the sheet to be stamped."""
        form = self._get_own_form(form_id)
        if not form:
            return request.redirect("/my/clearance")
        values = {
            "page_name": "clearance",
            "sheet": form._get_sheets()[0],
            "form_url": form.access_url,
            "urls": form._get_portal_print_urls(),
            "flashes": self._pop_flashes(),
        }
        if values["sheet"]["state"] in ("cleared", "deferred") and not values["sheet"]["certificate"]:
            values["revoked"] = self._prepare_revoked(form)
        response = request.render("graduate_clearance.portal_certificate", values)
        response.headers.update(_PRIVATE)
        return response

    def _prepare_revoked(self, form):
        """Why a cleared form does not print as a certificate, as plain values."""
        revoked = form._get_revoked_certificate()
        return revoked and {
            "number": revoked.number,
            "date": form._get_print_date(revoked.revoked_at),
            "reason": revoked.revoke_reason,
        }

    @route("/my/clearance/<int:form_id>/certificate.pdf", type="http", auth="user", website=True)
    def portal_clearance_certificate_pdf(self, form_id, **kw):
        """The same as a PDF; the page to print instead where this server makes none."""
        form = self._get_own_form(form_id)
        if not form:
            return request.redirect("/my/clearance")
        pdf = self._render_certificate(form)
        if not pdf:
            self._flash(
                "warning", request.env._("This server cannot make PDF files at the moment. Print this page instead.")
            )
            return request.redirect(form._get_portal_print_urls()["url"])
        # sudo: the number of the graduate's own form.
        name = request.env._("Clearance %s", form.sudo().student_number)
        headers = {
            **_PRIVATE,
            "Content-Type": "application/pdf",
            "Content-Length": len(pdf),
            "Content-Disposition": content_disposition(f"{name}.pdf"),
        }
        return request.make_response(pdf, headers=list(headers.items()))

    def _render_certificate(self, form):
        """The printed form as PDF, or None where the server cannot make one."""
        Report = request.env["ir.actions.report"]
        if Report.get_wkhtmltopdf_state() not in ("ok", "upgrade"):
            return None
        try:
            content, kind = Report._render_qweb_pdf(_REPORT, form.ids)
        except UserError as error:
            _logger.warning("No PDF of clearance form %s: %s", form.id, error)
            return None
        return content if kind == "pdf" else None

    # -- anybody verifies ----------------------------------------------------------------

    @route("/clearance/verify", type="http", auth="public", website=True, readonly=True, methods=["GET"], sitemap=False)
    def clearance_verify_form(self, code="", **kw):
        """Where the code on a certificate is typed in."""
        if not request.env["clearance.settings"]._is_verification_offered():
            return self._render_not_offered()
        code = code.strip().rstrip("/").rpartition("/")[2][:200]  # or its address, pasted
        if code:
            return request.redirect(f"/clearance/verify/{quote(code, safe='')}")
        return self._render_verify("graduate_clearance.verify_form", {})

    @route(
        "/clearance/verify/<string:code>",
        type="http",
        auth="public",
        website=True,
        readonly=True,
        methods=["GET"],
        sitemap=False,
    )
    def clearance_verify(self, code, **kw):
        """What a third party is told about a certificate.

        :param str code: the token of the QR code, or number and code as printed
        """
        source = (request.db, get_source(request.httprequest.remote_addr))
        wait = math.ceil(max(LOOKUPS.wait(source), UNKNOWN.wait(source)))
        if wait:
            response = self._render_verify("graduate_clearance.verify_later", {"wait": wait}, 429)
            response.headers["Retry-After"] = str(wait)
            return response
        LOOKUPS.count(source)
        found = request.env["clearance.certificate"]._get_verification(code)
        if not found:
            UNKNOWN.count(source)
            if not request.env["clearance.settings"]._is_verification_offered():
                return self._render_not_offered()
            return self._render_verify("graduate_clearance.verify_unknown", {}, 404)
        if not found["offered"]:
            return self._render_not_offered()
        values = {"found": found, "legend_style": found["style"]}
        return self._render_verify("graduate_clearance.verify_found", values)

    def _render_not_offered(self):
        """Where a campus does not let certificates be verified, there is no such page."""
        return self._render_verify("graduate_clearance.verify_not_offered", {}, 404)

    def _render_verify(self, template, values, status=200):
        response = request.render(template, {"page_name": "clearance_verify", **values}, status=status)
        # Now, not when the answer is sent: what fails to render must not look like an answer.
        response.flatten()
        response.headers.update(_PRIVATE)
        return response

    # -- the door --------------------------------------------------------------------------

    @route("/clearance", type="http", auth="public", website=True, readonly=True, methods=["GET"])
    def clearance_landing(self, **kw):
        """What this is and how to get in; who is in already goes on to the own form."""
        if not request.env.user._is_public():
            return request.redirect("/my/clearance")
        return request.render("graduate_clearance.clearance_landing", self._prepare_landing_values())

    def _prepare_landing_values(self):
        # sudo: whether there is a link to the public page for forgotten passwords.
        reset = request.env["ir.config_parameter"].sudo().get_param("auth_signup.reset_password")
        return {
            "page_name": "clearance_landing",
            "campus": request.env.company.name,
            "reset": reset == "True",
            "helps": self._get_landing_helps(),
            "verification": request.env["clearance.settings"]._is_verification_offered(),
        }

    def _get_landing_helps(self):
        """Whom graduates without an account may ask, campus by campus: dicts ``campus`` and ``help``."""
        # sudo: the name of a campus, and what it wants every graduate to know.
        companies = request.env["res.company"].sudo().search([])
        companies = companies.sorted(lambda company: company != request.env.company)
        Settings = request.env["clearance.settings"]
        helps = [{"campus": company.name, "help": Settings._get(company).help} for company in companies]
        return [campus for campus in helps if campus["help"]]
