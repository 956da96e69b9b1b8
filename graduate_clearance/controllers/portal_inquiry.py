from werkzeug.exceptions import NotFound

from odoo.exceptions import UserError
from odoo.http import request, route

from .portal import ClearancePortal


class ClearanceInquiryPortal(ClearancePortal):
    """Asking the desk, and choosing what mails to get."""

    # GET leads back: whoever has to log in first is sent here by the login page.
    @route("/my/clearance/step/<int:status_id>/ask", type="http", auth="user", methods=["GET", "POST"], website=True)
    def portal_clearance_ask(self, status_id, message="", **kw):
        """Send a message to the desk of a step."""
        status = self._get_own_status(status_id)
        if not status:
            return request.redirect("/my/clearance")
        if request.httprequest.method == "GET":
            return self._back_to_step(status, "talk")
        try:
            request.env["clearance.inquiry"]._ask(status, message)
        except UserError as error:
            return self._render_refused(status, message, str(error))
        self._flash("success", request.env._("Your message has been sent. The answer will appear here."))
        return self._back_to_step(status, "talk")

    def _render_refused(self, status, message, error):
        """The page of the step again, with what was typed and why it was not sent."""
        thread = status._get_portal_thread()
        if not thread or thread["closed"]:
            self._flash("danger", error)
            return self._back_to_step(status, "talk")
        thread.update(draft=message, error=error)
        values = self._prepare_step_page_values(status, thread=thread)
        if not values["step"]:
            self._flash("danger", error)
            return request.redirect(status.form_id.access_url)
        response = request.render("graduate_clearance.portal_clearance_step_page", values)
        response.status_code = 422
        return response

    @route(
        "/my/clearance/step/<int:status_id>/talk/<int:attachment_id>",
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_clearance_talk_file(self, status_id, attachment_id, **kw):
        """Download a file that a desk has sent with its answer; never shown by the browser itself."""
        status = self._get_own_status(status_id)
        attachment = status and status._get_portal_talk_file(attachment_id)
        if not attachment:
            raise NotFound()
        stream = request.env["ir.binary"]._get_stream_from(attachment)
        return stream.get_response(as_attachment=True)

    @route("/my/clearance/<int:form_id>/mails", type="http", auth="user", methods=["GET", "POST"], website=True)
    def portal_clearance_mails(self, form_id, wanted="", **kw):
        """Keep whether the graduate wants mails."""
        form = self._get_own_form(form_id)
        if not form:
            return request.redirect("/my/clearance")
        if request.httprequest.method == "POST":
            # sudo: graduates write nothing of their record; this one wish is theirs, on their own form.
            form.sudo().student_id._set_mail_opt_out(wanted != "1")
            self._flash(
                "success",
                request.env._("You get mails again when something changes.")
                if wanted == "1"
                else request.env._("You get no more mails. News about your clearance is on this page."),
            )
        return request.redirect(f"{form.access_url}/changes#mails")

    # Without a login and without a token of the session: mail programmes call it (RFC 8058).
    @route(
        "/clearance/mails/<int:student_id>/<string:token>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        website=True,
        csrf=False,
        sitemap=False,
    )
    def clearance_mail_opt_out(self, student_id, token, **kw):
        """End the mails to a graduate, by the link in one of them.

        Only a press on the button does, or the mail programme's own: programmes that look
        at links beforehand change nothing.  The page names nobody.
        """
        student = request.env["clearance.student"]._browse_opt_out(student_id, token)
        if not student:
            raise NotFound()
        done = request.httprequest.method == "POST"
        if done:
            student._set_mail_opt_out(True)
        return request.render("graduate_clearance.portal_mail_opt_out", {"done": done})
