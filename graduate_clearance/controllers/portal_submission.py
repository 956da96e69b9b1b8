from odoo.exceptions import UserError
from odoo.http import request, route

from .. import upload
from ..models.clearance_submission import SubmissionError
from .portal import ClearancePortal

#: of one request, all files together; each question has limits of its own
MOST_BYTES = 128 * 1024 * 1024

_POST = {"type": "http", "auth": "user", "methods": ["POST"], "website": True}
_GET = {"type": "http", "auth": "user", "methods": ["GET"], "website": True, "readonly": True}


class ClearanceSubmissionPortal(ClearancePortal):
    """Sending what a step asks for.

    Every form is sent as a plain form, and answered by a redirection: pages work without
    JavaScript, and reloading one sends nothing again.
    """

    @route("/my/clearance/step/<int:status_id>/send", max_content_length=MOST_BYTES, **_POST)
    def portal_clearance_send(self, status_id, **post):
        """Send what was filled in; ``keep`` only keeps it."""
        status = self._get_own_status(status_id)
        if not status:
            return request.redirect("/my/clearance")
        submissions, form = request.env["clearance.submission"], request.httprequest.form
        answers, files = self._read_answers(status), self._read_files(status)
        try:
            if "keep" in form:
                submissions._keep(status, answers, files)
                self._flash("success", request.env._("Kept. Nothing was sent yet."))
            else:
                after = form.get("after", "")[:18]
                submissions._submit(status, answers, files, after=int(after) if after.isdecimal() else None)
                self._flash("success", self._get_sent_words(status))
        except SubmissionError:
            # The page says what is wrong, beside each question.
            return self._back_to_step(status, "ask")
        except UserError as error:
            self._flash("danger", error)
        return self._back_to_step(status)

    def _get_sent_words(self, status):
        # sudo: who settles a step of the user's own form.
        if status.sudo().mode == "graduate":
            return request.env._("Done. This step is settled.")
        return request.env._("Sent. The office looks at it; until then you can withdraw or replace it.")

    @route("/my/clearance/step/<int:status_id>/file/<int:file_id>/remove", max_content_length=MOST_BYTES, **_POST)
    def portal_clearance_remove_file(self, status_id, file_id, **post):
        """Take a file out of the draft; what else was filled in is kept."""
        status = self._get_own_status(status_id)
        if not status:
            return request.redirect("/my/clearance")
        submissions = request.env["clearance.submission"]
        try:
            submissions._keep(status, self._read_answers(status), self._read_files(status))
            submissions._remove_file(status, file_id)
        except UserError as error:
            self._flash("danger", error)
            return self._back_to_step(status)
        return self._back_to_step(status, "ask")

    @route("/my/clearance/step/<int:status_id>/withdraw", **_POST)
    def portal_clearance_withdraw(self, status_id, **post):
        """Take back what was sent."""
        return self._act_on_step(status_id, "_withdraw", request.env._("Withdrawn. You can send it again."))

    @route("/my/clearance/step/<int:status_id>/confirm", **_POST)
    def portal_clearance_confirm(self, status_id, **post):
        """Settle a step by having read it."""
        return self._act_on_step(status_id, "_confirm", request.env._("Done. This step is settled."))

    def _act_on_step(self, status_id, method, words):
        status = self._get_own_status(status_id)
        if not status:
            return request.redirect("/my/clearance")
        try:
            getattr(request.env["clearance.submission"], method)(status)
            self._flash("success", words)
        except UserError as error:
            self._flash("danger", error)
        return self._back_to_step(status)

    # -- what comes in ---------------------------------------------------------------

    def _get_requirements(self, status):
        # sudo: what a step of the user's own form asks for.
        return status.sudo().step_id._get_asked()

    def _read_answers(self, status):
        """Answers of the form that was sent; a box that is not ticked is not sent along."""
        form = request.httprequest.form
        answers = {}
        for requirement in self._get_requirements(status):
            key = f"r{requirement.id}"
            if key in form or requirement.kind == "boolean":
                answers[requirement.id] = form.get(key, "")
        return answers

    def _read_files(self, status):
        """Files of the form that was sent, no more of each than it takes to refuse it."""
        uploads = request.httprequest.files
        files = {}
        for requirement in self._get_requirements(status):
            chosen = [file for file in uploads.getlist(f"f{requirement.id}") if file.filename]
            limit = requirement._get_file_limit() + 1
            # One more than allowed, which is told; the rest is not even read.
            for file in chosen[: requirement.file_max_count + 1]:
                file.seek(0)  # read before, where the request is tried again
                files.setdefault(requirement.id, []).append((file.filename, file.read(limit)))
        return files

    # -- what goes out ---------------------------------------------------------------

    @route("/my/clearance/file/<int:file_id>", **_GET)
    def portal_clearance_file(self, file_id, **kw):
        """A file that the user has sent: pictures in the page, everything else as a download."""
        # sudo: files of the user's own forms only, drafts included; whoever else may see one has the back end.
        files_sudo = request.env["clearance.submission.file"].sudo()
        own = [("id", "=", file_id), ("submission_id.form_id.partner_id", "=", request.env.user.partner_id.id)]
        file_sudo = files_sudo.search(own)
        if not file_sudo:
            raise request.not_found()
        inline = file_sudo.mimetype in upload.SHOWN
        return self._serve(file_sudo.attachment_id, "raw", file_sudo.name, inline)

    @route("/my/clearance/step/<int:status_id>/blank/<int:requirement_id>", **_GET)
    def portal_clearance_blank(self, status_id, requirement_id, **kw):
        """A blank form that a step of the user offers to download."""
        status = self._get_own_status(status_id)
        if not status:
            raise request.not_found()
        requirement = self._get_requirements(status).filtered(lambda own: own.id == requirement_id)
        if not requirement.with_context(bin_size=True).template:
            raise request.not_found()
        return self._serve(requirement, "template", requirement.template_name or requirement.name)

    def _serve(self, record_sudo, field, name, inline=False):
        """Answer with a file that the caller has checked; nothing in it may run.

        :param record_sudo: the record that holds it
        :param str field: its binary field
        :param bool inline: show it instead of offering to save it
        """
        stream = request.env["ir.binary"]._get_stream_from(record_sudo, field, filename=name)
        response = stream.get_response(as_attachment=not inline, content_security_policy="default-src 'none'; sandbox")
        # Papers of one person: not on the disk of a shared computer.
        response.headers["Cache-Control"] = "private, no-store"
        return response
