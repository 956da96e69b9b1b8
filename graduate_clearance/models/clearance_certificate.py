import re
import secrets

from psycopg2.errors import ReadOnlySqlTransaction, UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import NO_ACCESS, Domain

from ..texts import join_names

#: what people can read off paper and type without mistaking one character for another
#: (Crockford's base 32: no I, L, O and U)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISTAKEN = str.maketrans("ILO", "110")
_CODE_LENGTH = 12
_TOKEN_BYTES = 24
_TOKEN = re.compile(r"[\w-]{32}", re.ASCII)
_TYPED = re.compile(r"(\d{4})(\d{6,12})([0-9A-Z]{12})")
#: stands for what was not given; no token, number or code is like it
_NOTHING = "-"


class ClearanceCertificate(models.Model):
    """A printed form that says that a graduate is cleared, and can be verified.

    What a third party is told is worked out when it asks: a step reopened after the
    printing makes the paper worthless, and settling it again gives it back its worth.

    Nobody holds the right to write here: certificates are issued by printing
    (``clearance.form._get_certificates``) and ended by :meth:`_revoke`.
    """

    _name = "clearance.certificate"
    _description = "Certificate of Clearance"
    _order = "id desc"
    _rec_name = "number"

    form_id = fields.Many2one("clearance.form", required=True, readonly=True, index=True, ondelete="restrict")
    student_id = fields.Many2one(related="form_id.student_id", string="Graduate")
    class_id = fields.Many2one(related="form_id.class_id")
    college_id = fields.Many2one(related="form_id.college_id")
    session_id = fields.Many2one(related="form_id.session_id", store=True)
    company_id = fields.Many2one(related="form_id.company_id", store=True, index=True)
    number = fields.Char(compute="_compute_number", store=True, help="Printed on the certificate.")
    # Whoever holds one of these two sees the verification page: no role reads them, by
    # whatever door; who may print the certificate gets them on paper.
    token = fields.Char(required=True, readonly=True, copy=False, groups=NO_ACCESS)
    code = fields.Char(required=True, readonly=True, copy=False, groups=NO_ACCESS)
    url = fields.Char(
        "Verification page",
        compute="_compute_url",
        compute_sudo=True,
        groups="graduate_clearance.group_manager",
        help="Where anybody who holds the certificate can see whether it is valid.",
    )
    issued_at = fields.Datetime("Issued on", required=True, readonly=True, default=fields.Datetime.now)
    issued_by_id = fields.Many2one("res.users", "Issued by", readonly=True, default=lambda self: self.env.uid)
    revoked_at = fields.Datetime("Revoked on", readonly=True)
    revoked_by_id = fields.Many2one("res.users", "Revoked by", readonly=True)
    revoke_reason = fields.Char("Reason", readonly=True, help="The graduate reads it; third parties do not.")
    state = fields.Selection(
        [
            ("cleared", "Valid"),
            ("deferred", "Valid, with deferral"),
            ("open", "No longer cleared"),
            ("withdrawn", "Graduate withdrawn"),
            ("revoked", "Revoked"),
        ],
        compute="_compute_state",
        search="_search_state",
        help="What the statuses amount to now, unless the office has revoked the certificate.",
    )

    _one_per_form = models.UniqueIndex(
        "(form_id) WHERE revoked_at IS NULL", "There is a certificate of this form already."
    )
    _number_uniq = models.UniqueIndex("(number)", "There is a certificate with this number already.")
    _token_uniq = models.UniqueIndex("(token)", "There is a certificate with this token already.")

    @api.depends("issued_at")
    def _compute_number(self):
        """Year and running number; of all campuses together, so that no two ever have the same."""
        for certificate in self:
            year = (certificate.issued_at or fields.Datetime.now()).year
            certificate.number = f"{year}-{certificate.id:06}" if isinstance(certificate.id, int) else False

    @api.depends("token")
    def _compute_url(self):
        for certificate in self:
            certificate.url = f"{certificate.get_base_url()}/clearance/verify/{certificate.token}"

    @api.depends("revoked_at", "form_id.state", "form_id.status_ids.is_open")
    def _compute_state(self):
        # sudo: who reads a certificate may know whether it is valid; one word leaves here.
        states = self.sudo().form_id._get_live_states()
        for certificate in self:
            certificate.state = "revoked" if certificate.revoked_at else states.get(certificate.form_id.id)

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        revoked = Domain("revoked_at", "!=", False)
        domains = [
            ~revoked & Domain("form_id", "any!", domain)
            for state, domain in self.env["clearance.form"]._get_live_state_domains().items()
            if state in value
        ]
        if "revoked" in value:
            domains.append(revoked)
        return Domain.OR(domains)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A certificate cannot be deleted. Revoke it instead."))

    # -- life ------------------------------------------------------------------

    @api.model
    def _issue(self, forms):
        """Issue a certificate of each of these forms.

        The caller has checked that they are cleared and that the user may.

        :raise ConcurrencyError: when another has been issued in the same instant; the
            request is then tried again, and finds it
        """
        if not forms:
            return self.browse()
        if self.env.cr.readonly:
            # Odoo serves reports from a replica. It asks again with a cursor that can write; said
            # before the database says it, which would leave an error in the log.
            raise ReadOnlySqlTransaction("issuing certificates")
        values = [
            {
                "form_id": form.id,
                "token": secrets.token_urlsafe(_TOKEN_BYTES),
                "code": "".join(secrets.choice(_ALPHABET) for _place in range(_CODE_LENGTH)),
            }
            for form in forms
        ]
        try:
            with self.env.cr.savepoint():
                # sudo: no role may create certificates at will; the caller has checked this one.
                return self.sudo().create(values).sudo(False)
        except UniqueViolation as error:
            raise ConcurrencyError(self.env._("There is a certificate of this form already.")) from error

    def action_revoke(self):
        """Ask for the reason and revoke; for managers."""
        self._check_revocable()
        return {
            "name": self.env._("Revoke Certificate"),
            "type": "ir.actions.act_window",
            "res_model": "clearance.certificate.revoke",
            "view_mode": "form",
            "target": "new",
            "context": {"default_certificate_ids": self.ids},
        }

    def _check_revocable(self):
        """Stop who may not revoke these, and what is revoked already."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("graduate_clearance.group_manager"):
            raise AccessError(self.env._("Only a manager revokes certificates."))
        revoked = self.filtered("revoked_at")
        if revoked:
            raise UserError(self.env._("Revoked already: %s", join_names(self.env, revoked.mapped("number"))))

    def _revoke(self, reason):
        """End these certificates; for managers.

        :param str reason: the graduate reads it
        :raise AccessError: for anybody else
        :raise UserError: without a reason, or when one is revoked already
        """
        self._check_revocable()
        reason = " ".join((reason or "").split())
        if not reason:
            raise UserError(self.env._("Say why: the graduate will ask."))
        # sudo: no role may write certificates; that this user may revoke is checked above.
        self.sudo().write({"revoked_at": fields.Datetime.now(), "revoked_by_id": self.env.uid, "revoke_reason": reason})
        for certificate in self:
            certificate.form_id.message_post(
                body=self.env._("Certificate %(number)s revoked: %(reason)s", number=certificate.number, reason=reason),
                subtype_xmlid="mail.mt_note",
            )

    # -- verification ----------------------------------------------------------

    def _get_typed_code(self):
        """What is printed for those who type: the number and the code, in groups of four."""
        self.ensure_one()
        # sudo: asked for by what prints the certificate, for who may print it.
        code = self.sudo().code
        groups = [code[place : place + 4] for place in range(0, _CODE_LENGTH, 4)]
        return "-".join([self.number, *groups])

    @api.model
    def _find_by_secret(self, text):
        """The certificate that ``text`` opens, as superuser; empty when there is none.

        One indexed query whatever the text is, so that a number that exists, without
        its code, takes as long as one that does not.  Comparing in constant time would
        add nothing: to profit from the time that an index takes, one would have to
        measure steps of nanoseconds through ten look-ups a minute, and then still lack
        nearly all of 192 random bits (of a code: 60, with the number known).

        :param str text: a token, or number and code as people type them
        """
        text = (text or "").strip()[:200]
        token, number, code = _NOTHING, _NOTHING, _NOTHING
        if _TOKEN.fullmatch(text):
            token = text
        else:
            typed = re.sub(r"[^0-9A-Z]", "", text.upper()).translate(_MISTAKEN)
            if parts := _TYPED.fullmatch(typed):
                number, code = f"{parts[1]}-{parts[2]}", parts[3]
        # sudo: anybody may ask; what the certificate opens to them is _get_verification.
        return self.sudo().search(
            Domain("token", "=", token) | (Domain("number", "=", number) & Domain("code", "=", code)), limit=1
        )

    @api.model
    def _get_verification(self, text):
        """What a third party who holds a certificate is told, and nothing more.

        Neither the steps nor the class, nor anything else that the graduate would not
        have printed on the certificate's cover.

        :param str text: see :meth:`_find_by_secret`
        :return: None when there is no such certificate, else dict with ``offered`` (False, and
            nothing else, where the campus does not let certificates be verified), ``number`` (of
            the certificate), ``name``, ``masked`` (the name is not shown in full), ``session``,
            ``campus``, ``style`` (how the campus shows states), ``state`` (``cleared``,
            ``deferred``, ``withdrawn`` or ``revoked``), ``issued`` and ``since`` (dates; since
            is empty unless valid)
        """
        certificate = self._find_by_secret(text)
        if not certificate:
            return None
        form = certificate.form_id
        settings = self.env["clearance.settings"]._get(form.company_id)
        if not settings.verification:
            return {"offered": False}
        masked = settings.verification_name != "full"
        # The office has revoked it, or a step has been reopened: either way it is worth nothing now.
        state = "revoked" if certificate.state == "open" else certificate.state
        return {
            "offered": True,
            "number": certificate.number,
            "name": self._mask_name(form.student_id.name) if masked else form.student_id.name,
            "masked": masked,
            "style": self.env["clearance.legend"]._get_style(form.company_id),
            "session": form.session_id.name,
            "campus": form.company_id.name,
            "state": state,
            "issued": form._get_print_date(certificate.issued_at),
            "since": form._get_print_date(form.cleared_at) if state in ("cleared", "deferred") else "",
        }

    @api.model
    def _mask_name(self, name):
        """Leave of a name what confirms it to those who know it, and hide its length.

        ``张三丰`` becomes ``张**``, ``Ana Maria Bell`` becomes ``A*** B***``.
        """
        words = re.findall(r"\w+", name or "")
        if not words:
            return "***"
        if _is_han(words[0][0]):
            return f"{words[0][0]}**"
        return " ".join(f"{word[0]}***" for word in (words if len(words) < 2 else (words[0], words[-1])))


def _is_han(character):
    """Whether it is a Chinese character (unified ideographs and their extensions)."""
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"
