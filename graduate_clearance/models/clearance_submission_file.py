from odoo import api, fields, models

from .. import upload


class ClearanceSubmissionFile(models.Model):
    """A file that a graduate has sent, or keeps in a draft.

    The content is an attachment of the submission: whoever may read the submission may
    read it, and nobody else, by whatever address or method.
    """

    _name = "clearance.submission.file"
    _description = "File That a Graduate Sent"
    _order = "id"

    submission_id = fields.Many2one(
        "clearance.submission", required=True, readonly=True, index=True, ondelete="cascade"
    )
    requirement_id = fields.Many2one(
        "clearance.requirement", required=True, readonly=True, index=True, ondelete="restrict"
    )
    attachment_id = fields.Many2one("ir.attachment", required=True, readonly=True, index=True, ondelete="cascade")
    name = fields.Char(related="attachment_id.name")
    mimetype = fields.Char(related="attachment_id.mimetype")
    file_size = fields.Integer(related="attachment_id.file_size")

    def unlink(self):
        attachments = self.attachment_id
        result = super().unlink()
        attachments.unlink()
        return result

    @api.model
    def _attach(self, submission, requirement, name, content, mimetype):
        """Keep a file that has been checked; see ``clearance.requirement._check_file``.

        :param submission: a draft
        :param str name: as the browser gave it
        """
        attachment = self.env["ir.attachment"].with_context(image_no_postprocess=True)
        attachment = attachment.create(
            {
                "name": upload.clean_name(name, mimetype),
                "raw": content,
                "mimetype": mimetype,
                "res_model": submission._name,
                "res_id": submission.id,
                "company_id": submission.form_id.company_id.id,
            }
        )
        return self.create(
            {"submission_id": submission.id, "requirement_id": requirement.id, "attachment_id": attachment.id}
        )

    def _copy_to(self, submission):
        """Copies of these files, to go on from an earlier sending."""
        for file in self:
            attachment = file.attachment_id.with_context(image_no_postprocess=True)
            file.create(
                {
                    "submission_id": submission.id,
                    "requirement_id": file.requirement_id.id,
                    "attachment_id": attachment.copy({"res_id": submission.id, "name": attachment.name}).id,
                }
            )

    def _get_values(self):
        """Plain values of these files, for pages.

        :return: list of dicts ``id`` (of the attachment), ``file_id``, ``name``, ``mimetype``,
            ``size`` (bytes), ``size_text`` and ``url`` (for their graduate)
        """
        return [
            {
                "id": file.attachment_id.id,
                "file_id": file.id,
                "name": file.name,
                "mimetype": file.mimetype,
                "size": file.file_size,
                "size_text": file._get_size_text(),
                "url": f"/my/clearance/file/{file.id}",
            }
            for file in self
        ]

    def _get_size_text(self):
        if self.file_size < 1024 * 1024:
            return f"{max(1, round(self.file_size / 1024))} KB"
        return f"{self.file_size / 1024 / 1024:.1f} MB"
