"""Printing forms: what stands on paper, and which of them are certificates."""

import base64

from babel.dates import format_date as babel_format_date

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_list
from odoo.tools.misc import babel_locale_parse, format_datetime, get_lang

from ..portal_clock import PortalClock
from .clearance_status_gate import MACHINE_DOORS

#: forms that print as a certificate
_SETTLED = ("cleared", "deferred")
_QR_SIZE = 280


class ClearanceForm(models.Model):
    _inherit = "clearance.form"

    certificate_count = fields.Integer("Certificates", compute="_compute_certificates", aggregator=None)
    may_reissue = fields.Boolean(
        "Can get another certificate",
        compute="_compute_certificates",
        help="Cleared, and the last certificate was revoked.",
    )

    def _compute_certificates(self):
        groups = self.env["clearance.certificate"]._read_group(
            [("form_id", "in", self.ids)], ["form_id"], ["__count", "revoked_at:count"]
        )
        counts = {form.id: (count, revoked) for form, count, revoked in groups}
        for form in self:
            form.certificate_count, revoked = counts.get(form.id, (0, 0))
            form.may_reissue = form.certificate_count == revoked > 0 and form.state in _SETTLED

    # -- buttons ---------------------------------------------------------------

    def action_print(self):
        """Print these forms: certificates where they are cleared, sheets to be stamped where not."""
        self.check_access("read")
        # sudo: the definition of the report.
        report = self.env.ref("graduate_clearance.clearance_form_report").sudo()
        return report.report_action(self, config=False)

    def action_open_certificates(self):
        """Open the certificates that this form has had."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("graduate_clearance.clearance_certificate_action")
        return {**action, "domain": [("form_id", "=", self.id)], "context": {}}

    def action_issue_certificate(self):
        """Issue a certificate in place of one that was revoked; for managers.

        Printing issues the first one by itself.  After a revocation it does not: whoever
        was refused by the office would only have to print again.

        :raise AccessError: for anybody else
        :raise UserError: when the form is not cleared, or has a valid certificate
        """
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("graduate_clearance.group_manager"):
            raise AccessError(self.env._("Only a manager issues a certificate in place of a revoked one."))
        if self._get_live_states()[self.id] not in _SETTLED:
            raise UserError(self.env._("This form is not cleared."))
        Certificate = self.env["clearance.certificate"]
        if Certificate.search_count([("form_id", "=", self.id), ("revoked_at", "=", False)], limit=1):
            raise UserError(self.env._("There is a certificate of this form already."))
        Certificate._issue(self)

    # -- whether they are cleared, now ---------------------------------------------

    def _get_live_states(self):
        """What these forms amount to at this moment.

        The remembered state follows each decision after its commit, and an end date the
        next night.  Whom a paper is shown needs to know now: a form counts as cleared when it is
        remembered so *and* its statuses say so.

        :return: dict ``{form id: "open" | "cleared" | "deferred" | "withdrawn"}``
        """
        # sudo: the caller may read the forms; only one word about each leaves here.
        left = (
            self.env["clearance.status"]
            .sudo()
            .search([("form_id", "in", self.ids), ("is_open", "=", True), ("active", "=", True)])
        )
        by_form = left.grouped("form_id")
        states = {}
        for form in self.sudo():
            states[form.id] = form.state
            own = by_form.get(form)
            if form.state in _SETTLED:
                states[form.id] = "cleared" if not own else "deferred" if all(own.mapped("is_lifted")) else "open"
        return states

    @api.model
    def _get_live_state_domains(self):
        """The same as domains: dict ``{state: Domain}``."""
        left = Domain("is_open", "=", True) & Domain("active", "=", True)
        lifted = Domain("status_ids", "any!", left & Domain("is_lifted", "=", True))
        blocked = Domain("status_ids", "any!", left & Domain("is_lifted", "=", False))
        settled = Domain("state", "in", _SETTLED)
        return {
            "cleared": settled & ~blocked & ~lifted,
            "deferred": settled & ~blocked & lifted,
            "open": Domain("state", "=", "open") | (settled & blocked),
            "withdrawn": Domain("state", "=", "withdrawn"),
        }

    # -- certificates ------------------------------------------------------------

    def _get_portal_certificate(self):
        """What the graduate may print once cleared.

        :return: dict with ``url`` (a page to print) and ``pdf_url``, or False
        """
        self.ensure_one()
        if self.state not in _SETTLED:
            return False
        return self._get_portal_print_urls()

    def _get_portal_print_urls(self):
        """Where the graduate prints the form, cleared or not."""
        url = f"{self.access_url}/certificate"
        return {"url": url, "pdf_url": f"{url}.pdf"}

    def _get_certificates(self):
        """The certificates to print on these forms; the first of each is issued by printing it.

        Those who see a form but not its certificate (operators, deferral officers) print
        the sheet, as do auditors where none has been issued: they change nothing.

        :return: dict ``{form id: certificate}`` of those cleared whose certificate the user
            may have
        """
        Certificate = self.env["clearance.certificate"]
        states = self._get_live_states()
        settled = self.filtered(lambda form: states[form.id] in _SETTLED)
        # sudo: whether there has been one decides whether one is issued; what the user
        # may not read is left out below.
        found = Certificate.sudo().search([("form_id", "in", settled.ids)])
        missing = (settled - found.form_id.sudo(False))._filter_issuable()
        valid = found.filtered(lambda certificate: not certificate.revoked_at).sudo(False)
        valid |= Certificate._issue(missing)
        return {certificate.form_id.id: certificate for certificate in valid._filtered_access("read")}

    def _filter_issuable(self):
        """Those of these forms whose certificate the user may issue: own, or of own class, college, campus."""
        user = self.env.user
        if self.env.su or user.has_group("graduate_clearance.group_manager"):
            return self
        # sudo: the forms are readable; counsellor and leads are looked at, not shown.
        return self.filtered(
            lambda form: (
                form.partner_id == user.partner_id
                or form.sudo().class_id.counsellor_id == user
                or user in form.sudo().college_id.lead_ids
            )
        )

    def _get_revoked_certificate(self):
        """The certificate that stands in the way of a new one: revoked, and none issued since."""
        self.ensure_one()
        found = self.env["clearance.certificate"].search([("form_id", "=", self.id)])
        return found[:1] if all(found.mapped("revoked_at")) else found.browse()

    # -- what stands on paper -----------------------------------------------------

    def _get_sheets(self):
        """What the printed form says, one dict a form, in their order.

        The number of queries does not depend on the number of forms, but for a
        certificate that is issued on the way.

        :return: list of dicts with ``id``, ``lang``, ``state`` (see :meth:`_get_live_states`),
            ``campus``, ``session``, ``student``, ``student_number``, ``college``, ``class``,
            ``major``, ``level``, ``since`` and ``printed`` (dates), ``left`` and ``total``
            (numbers of required steps), ``rows`` (:meth:`_prepare_sheet_row`), ``visits`` (texts: when
            to come, on a sheet to be stamped; see :meth:`_get_sheet_visits`) and ``certificate``
            (False, or :meth:`_prepare_sheet_certificate`)
        :raise AccessError: when the user may not read one of the forms
        """
        records = self._get_records()
        states = self._get_live_states()
        certificates = self._get_certificates()
        lifted_until = self._get_lifted_until()
        steps = self._get_sheet_steps(records)
        visits = self._get_sheet_visits()
        Legend = self.env["clearance.legend"]
        # sudo: the campuses of readable forms.
        words = {company: Legend._get_words(company) for company in self.sudo().company_id}
        levels = dict(self.env["clearance.student"]._fields["level"]._description_selection(self.env))
        sheets = []
        # sudo: the forms are readable (checked with their records); names of the graduate,
        # class, college, session and campus are what a printed form says.
        for form in self.sudo():
            rows = [
                form._prepare_sheet_row(row, words[form.company_id], lifted_until, steps)
                for row in records.get(form.id, ())
                if row["state"] != "not_required" and (row["required"] or row["state"] == "approved")
            ]
            required = [row for row in rows if row["required"]]
            certificate = certificates.get(form.id)
            sheets.append(
                {
                    "id": form.id,
                    "lang": get_lang(self.env).iso_code.replace("_", "-"),
                    "state": states[form.id],
                    "campus": form.company_id.name,
                    "session": form.session_id.name,
                    "student": form.student_id.name,
                    "student_number": form.student_id.student_number,
                    "college": form.college_id.name,
                    "class": form.class_id.name,
                    "major": form.major,
                    "level": levels.get(form.level),
                    "since": form._get_print_date(form.cleared_at),
                    "printed": form._get_print_date(fields.Datetime.now()),
                    "left": sum(row["is_open"] for row in required),
                    "total": len(required),
                    "rows": rows,
                    "visits": visits.get(form.id, []),
                    "certificate": form._prepare_sheet_certificate(certificate) if certificate else False,
                }
            )
        return sheets

    def _get_lifted_until(self):
        """End dates of the deferrals in force: dict ``{status id: date or False}``."""
        # sudo: the forms are readable, and so is what is deferred of them.
        deferrals = self.env["clearance.override"].sudo().search([("form_id", "in", self.ids), ("in_force", "=", True)])
        return {deferral.status_id.id: deferral.date_end for deferral in deferrals}

    def _get_sheet_steps(self, records):
        """Steps by id, for what ``_get_records`` does not tell of them.

        :param dict records: of forms that are readable
        """
        ids = {row["step_id"] for rows in records.values() for row in rows}
        # sudo: their rows are readable, and steps are told to whoever has them.
        steps = self.env["clearance.step"].sudo().browse(ids)
        steps.fetch(["responsible", "to_be_announced", "open_from", "deadline"])
        return {step.id: step for step in steps}

    def _get_sheet_visits(self):
        """When to come with the sheet: time slots of the college, days on which offices work.

        :return: dict ``{form id: [texts]}`` of forms that are open, in sessions that are
        """
        lang = get_lang(self.env).code
        visits = {}
        # sudo: when to come is said to whoever takes part; the forms are readable.
        for session, forms in self.sudo().grouped("session_id").items():
            if session.state != "open":
                continue
            clock = PortalClock(lang, forms[0]._get_print_timezone())
            days = clock.runs(session._get_working_runs())
            working = [self.env._("Offices work on %s", format_list(self.env, days))] if days else []
            slots = [slot for slot in session.slot_ids if slot.open_until >= clock.now]
            for form in forms.filtered(lambda form: form.state == "open"):
                own = [slot for slot in slots if not slot.college_ids or form.college_id in slot.college_ids]
                times = [(clock.span(slot.open_from, slot.open_until)["text"], slot.place) for slot in own]
                visits[form.id] = [" · ".join(filter(None, time)) for time in times] + working
        return visits

    def _prepare_sheet_row(self, row, words, lifted_until, steps):
        """One step as a stamp.

        :param dict row: a row of ``_get_records``
        :param dict words: the word for each state
        :param dict lifted_until: see :meth:`_get_lifted_until`
        :param dict steps: see :meth:`_get_sheet_steps`
        :return: dict with ``step``, ``station``, ``responsible`` (office, where it is not the station),
            ``time`` (its own window or that it is to be announced; only of what is open),
            ``required``, ``is_open``, ``legend``, ``word``, ``style`` (its colours, where the campus has
            changed them), ``settled``, ``lifted``, ``lifted_word``, ``lifted_style``, ``until`` (date),
            ``who`` and ``when`` (only of what is settled; who is empty where a source system has settled it)
        """
        settled = row["state"] == "approved" and not row["needs_review"]
        legend = "review" if row["needs_review"] else row["state"]
        lifted = row["is_open"] and row["lifted"]
        step = steps[row["step_id"]]
        Legend = self.env["clearance.legend"]
        return {
            "step": row["step"],
            "station": row["station"],
            "responsible": step.responsible if step.responsible != row["station"] else "",
            "time": self._get_sheet_time(step) if row["is_open"] else "",
            "required": row["required"],
            "is_open": row["is_open"],
            "legend": legend,
            "word": words[legend],
            "style": Legend._get_print_style(legend, self.company_id) or None,
            "lifted_word": words["lifted"],
            "lifted_style": Legend._get_print_style("lifted", self.company_id) or None,
            "settled": settled,
            "lifted": lifted,
            "until": self._get_print_date(lifted and lifted_until.get(row["id"])),
            "who": row["user"] if settled and row["door"] not in MACHINE_DOORS else "",
            "when": self._get_print_moment(settled and fields.Datetime.to_datetime(row["decided_at"])),
        }

    def _get_sheet_time(self, step):
        """The window of a step in a few words; empty where it has none of its own."""
        start, end = self._get_print_moment(step.open_from), self._get_print_moment(step.deadline)
        if start and end:
            return f"{start} – {end}"
        if start or end:
            return self.env._("from %s", start) if start else self.env._("until %s", end)
        return self.env._("Time to be announced") if step.to_be_announced else ""

    def _prepare_sheet_certificate(self, certificate):
        """What makes a printed form a certificate.

        :return: dict with ``number``, ``code`` (to type), ``issued`` (date), ``url``, ``address``
            (of the page to type the code on) and ``qr`` (a picture as ``data:`` URI, so that
            nothing is fetched while printing); all but number and date are empty where the campus
            does not let certificates be verified
        """
        # sudo: the user may have the certificate, and so the way to verify it.
        certificate = certificate.sudo()
        values = {
            "number": certificate.number,
            "issued": self._get_print_date(certificate.issued_at),
            **dict.fromkeys(("code", "url", "address", "qr"), ""),
        }
        if not self.env["clearance.settings"]._get(certificate.company_id).verification:
            return values
        picture = self.env["ir.actions.report"].barcode(
            "QR", certificate.url, width=_QR_SIZE, height=_QR_SIZE, barLevel="M"
        )
        return {
            **values,
            "code": certificate._get_typed_code(),
            "url": certificate.url,
            "address": f"{certificate.get_base_url()}/clearance/verify",
            "qr": f"data:image/png;base64,{base64.b64encode(picture).decode()}",
        }

    def _get_print_timezone(self):
        """Paper tells the time of the campus, whoever prints it."""
        # sudo: its time zone is no secret.
        return self.sudo().company_id.partner_id.tz or self.env.user.tz or "UTC"

    def _get_print_date(self, value):
        """A day with its year; paper is kept for long.  Empty without a value."""
        if not value:
            return ""
        if hasattr(value, "hour"):
            value = fields.Datetime.context_timestamp(self.with_context(tz=self._get_print_timezone()), value)
        return babel_format_date(value, format="long", locale=babel_locale_parse(get_lang(self.env).code))

    def _get_print_moment(self, value):
        """Day and time, as a date stamp has them in every language.  Empty without a value."""
        if not value:
            return ""
        return format_datetime(self.env, value, tz=self._get_print_timezone(), dt_format="yyyy-MM-dd HH:mm")
