from werkzeug.exceptions import Forbidden, NotFound

from odoo.exceptions import UserError
from odoo.http import Controller, content_disposition, request, route


class ClearanceConfigurationController(Controller):
    """Downloads of configurations.

    A browser saves whatever a download answers: somebody who may not have it is told so with
    a status of its own (403), and not led to a login page that would end up as the file.
    """

    @route(
        "/clearance/session/<int:session_id>/configuration",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def clearance_session_configuration(self, session_id, **kw):
        """The configuration of a session, for managers of its campus."""
        session = self._browse("clearance.session", session_id, "write")
        try:
            document = session._get_configuration()
        except UserError as error:
            raise NotFound(str(error)) from error
        return self._respond(session, document)

    @route(
        "/clearance/template/<int:template_id>/configuration",
        type="http",
        auth="public",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def clearance_template_configuration(self, template_id, **kw):
        """The document of a template, for whoever may read it: managers and auditors."""
        template = self._browse("clearance.template", template_id, "read")
        try:
            document = template._get_document()
        except UserError as error:
            raise NotFound(str(error)) from error
        return self._respond(template, document)

    def _browse(self, model, record_id, operation):
        """A record that the user may act on.

        :raise Forbidden: for everybody else, whether it is there or not
        """
        record = request.env[model].browse(record_id)
        # sudo: whether it exists is told to nobody: the answer is the same as without access.
        if not record.sudo().exists() or not record.has_access(operation):
            raise Forbidden()
        return record

    def _respond(self, record, document):
        content = request.env["clearance.configuration"]._dump(document)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": len(content),
            "Content-Disposition": content_disposition(f"{record.name}.json"),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return request.make_response(content, headers=list(headers.items()))
