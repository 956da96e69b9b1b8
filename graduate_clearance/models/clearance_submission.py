"""What graduates send: from what is typed to what lies with the office."""

from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError
from odoo.tools import SQL, mute_logger

#: nobody sends a form so often; somebody who fills a disk does
MOST_SENDINGS = 50
#: days after which a draft that nobody has gone on with is deleted
_DRAFT_DAYS = 180

#: answers of the gate that stand in the way of sending but not of filling in: ``missing`` says
#: that a step which the graduate settles alone waits for others
_CAN_FILL_IN = ("done", "not_sent", "missing")


class SubmissionError(ValidationError):
    """Something is missing or wrong in what a graduate wants to send.

    ``problems`` is a dict ``{requirement id: [texts]}``.
    """

    def __init__(self, message, problems):
        super().__init__(message)
        self.problems = problems


class ClearanceSubmission(models.Model):
    """What a graduate has sent for a step: one record a sending.

    A *draft* holds what was typed, as it was typed, and the files that were accepted; it is
    its graduate's alone.  Sending turns it into *sent*: the typed text becomes answers
    (Odoo properties, defined by what the step asks for), and the gate is asked to submit
    the step, or to approve it where the graduate settles it alone.  What is sent again,
    replaced or withdrawn becomes *past* and stays for the record.

    Nobody has the right to create, change or delete any of this, superusers aside: it is
    written by :meth:`_submit` and the other methods here on behalf of the graduate whose
    form it is, whom they check.
    """

    _name = "clearance.submission"
    _description = "What a Graduate Sent"
    _order = "id desc"
    _rec_name = "number"

    status_id = fields.Many2one("clearance.status", required=True, readonly=True, index=True, ondelete="cascade")
    form_id = fields.Many2one(related="status_id.form_id", store=True, index=True, precompute=True)
    step_id = fields.Many2one(related="status_id.step_id", store=True, index=True, precompute=True)
    state = fields.Selection(
        [("draft", "Draft"), ("sent", "Sent"), ("past", "Replaced or withdrawn")],
        required=True,
        default="draft",
        readonly=True,
    )
    number = fields.Integer(readonly=True, help="1 is the first sending for this step; a draft has none.")
    sent_at = fields.Datetime("Sent", readonly=True)
    answers = fields.Properties(definition="step_id.answer_definition", copy=False)
    file_ids = fields.One2many("clearance.submission.file", "submission_id", "Files", readonly=True)
    typed = fields.Json(readonly=True, help="Of a draft: texts by requirement, as they were typed.")
    refused = fields.Json(readonly=True, help="Of a draft: what was wrong with files of the last attempt.")
    tried = fields.Boolean(readonly=True, help="Of a draft: somebody has tried to send it.")

    _one_current = models.UniqueIndex(
        "(status_id, state) WHERE state <> 'past'", "A step has one draft and one sending at a time."
    )

    @api.depends("status_id", "number")
    def _compute_display_name(self):
        for submission in self:
            # sudo: names of the graduate and the step of a sending that the user may read.
            status = submission.sudo().status_id
            submission.display_name = f"{status.display_name} · {submission.number}" if status else ""

    @api.autovacuum
    def _gc_drafts(self):
        """Delete drafts that nobody goes on with: they may hold bank accounts and papers."""
        limit = fields.Datetime.now() - timedelta(days=_DRAFT_DAYS)
        self.search([("state", "=", "draft"), ("write_date", "<", limit)])._delete()

    # -- reading -----------------------------------------------------------------

    def _get_answer_rows(self):
        """What stands in a sending, for people.

        For sendings, not for drafts.  Makes no access check of its own: the caller has
        made sure that the user may read this record.

        :return: list of dicts ``requirement_id``, ``label``, ``kind``, ``value`` (text in the
            user's language, empty when not answered) and ``files`` (list of dicts, see
            ``clearance.submission.file._get_values``), in the order of the requirements;
            retired ones only where they were answered
        """
        self.ensure_one()
        # sudo: see above; what a step asks is no secret to who reads the answers.
        submission = self.sudo()
        answers = submission._get_values_by_requirement()
        files = submission.file_ids.grouped("requirement_id")
        rows = []
        for requirement in submission.step_id.with_context(active_test=False).requirement_ids:
            value = answers.get(requirement.id)
            if requirement.active or value is not None or requirement in files:
                rows.append(
                    {
                        "requirement_id": requirement.id,
                        "label": requirement.name,
                        "kind": requirement.kind,
                        "value": requirement._format_answer(value),
                        "files": files.get(requirement, submission.file_ids.browse())._get_values(),
                    }
                )
        return rows

    def _get_portal_sent(self):
        """A sending for its graduate's page: dict ``number``, ``at`` (a moment), ``rows``."""
        self.ensure_one()
        return {
            "number": self.number,
            "at": self.form_id._get_portal_moment(self.sent_at),
            "rows": self._get_answer_rows(),
        }

    def _get_values_by_requirement(self):
        """Answers as they are stored: dict ``{requirement id: value}``, answered ones only."""
        self.ensure_one()
        # Keys of choices, not their words.
        answers = self.with_context(property_selection_get_key=True).answers or {}
        return {int(name[1:]): value for name, value in answers.items() if value not in (None, False)}

    @api.model
    def _get_latest(self, status):
        """The latest sending of a status, withdrawn ones included; an empty one when there is none."""
        return self.search([("status_id", "=", status.id), ("state", "!=", "draft")], order="number desc", limit=1)

    def _get_draft(self, status):
        return self.search([("status_id", "=", status.id), ("state", "=", "draft")])

    # -- sending -----------------------------------------------------------------

    @api.model
    def _submit(self, status, answers, files, after=None):
        """Take what a graduate fills in, and send it through the gate.

        To be called with the rights of the graduate.  Nothing is lost when something is
        in the way: what was typed and every good file stay in the draft, provided that
        the caller catches the error and lets the transaction go on.  What was submitted
        already is replaced, which is a withdrawal and a submission in one transaction.

        :param status: the ``clearance.status`` of the user's own form
        :param dict answers: ``{requirement id: what was typed}``; see ``_clean_typed`` of
            ``clearance.requirement`` for what else than text is understood.  Requirements
            left out stay as they are in the draft; those of other steps are ignored.
        :param dict files: ``{requirement id: [(name, bytes), ...]}``: files to add
        :param int after: id of the latest sending that the user has seen (0: none); when
            another one has come since, as by a second click, it is answered and nothing done
        :return: the ``clearance.submission``
        :raise AccessError: not the user's own form
        :raise SubmissionError: something is missing or wrong
        :raise UserError: the gate's words; nothing is sent
        """
        status_sudo = self._hold_own(status)
        submissions_sudo = self.sudo()  # sudo: of the user's own status, checked by _hold_own
        latest = submissions_sudo._get_latest(status_sudo)
        if after is not None and latest.id != (after or False) and status_sudo.state in ("submitted", "approved"):
            return latest.with_env(self.env)
        self._raise_unless_open(status)
        draft = submissions_sudo._fill_in(status_sudo, answers, files)
        draft.tried = True
        draft._raise_on_problems()
        draft._send(status)
        return draft.with_env(self.env)

    @api.model
    def _keep(self, status, answers, files):
        """Keep what a graduate fills in without sending it; arguments as for :meth:`_submit`.

        :raise UserError: the step cannot be sent any more, or not yet
        """
        status_sudo = self._hold_own(status)
        self._raise_unless_open(status)
        # sudo: of the user's own status, checked by _hold_own.
        draft = self.sudo()._fill_in(status_sudo, answers, files)
        draft.tried = bool(draft.refused)
        return draft.with_env(self.env)

    @api.model
    def _remove_file(self, status, file_id):
        """Take a file out of the draft, or out of what a new one starts from.

        :param int file_id: id of a ``clearance.submission.file`` of the same status
        :raise UserError: the step cannot be sent any more, or not yet
        """
        status_sudo = self._hold_own(status)
        self._raise_unless_open(status)
        # sudo: of the user's own status, checked by _hold_own; files of others are not found.
        submissions_sudo = self.sudo()
        draft = submissions_sudo._get_draft(status_sudo) or submissions_sudo._start_draft(status_sudo)
        file = draft.file_ids.search([("id", "=", file_id), ("submission_id.status_id", "=", status.id)])
        checksum = file.attachment_id.checksum
        draft.file_ids.filtered(
            lambda twin: twin.requirement_id == file.requirement_id and twin.attachment_id.checksum == checksum
        ).unlink()

    @api.model
    def _withdraw(self, status):
        """Take back what was sent, while nobody has decided.

        :raise UserError: the gate's words
        """
        self._hold_own(status)
        self._pass_gate(status, "withdraw", already_done=True)

    @api.model
    def _confirm(self, status):
        """Settle a step that the graduate settles alone and that asks for nothing but that.

        :raise UserError: the gate's words
        """
        self._hold_own(status)
        self._pass_gate(status, "approve", already_done=True)

    # -- steps of sending ----------------------------------------------------------

    @api.model
    def _hold_own(self, status):
        """Check that this is a step of the user's own form, and hold it until the end.

        Two requests of the same graduate, or one and a decision of the office, come one
        after the other; the second is tried again by Odoo where the first has changed
        what it had read.

        :return: the status as superuser
        :raise AccessError: somebody else's, or none
        """
        status.ensure_one()
        status.check_access("read")
        # sudo: readable by the user (checked above); whose form it is, is what is asked.
        status_sudo = status.sudo()
        if status_sudo.form_id.partner_id != self.env.user.partner_id:
            raise AccessError(self.env._("This is not a step of your own form."))
        # Raw SQL because the ORM's lock does not wait.
        self.env.cr.execute(SQL("SELECT 1 FROM clearance_status WHERE id = %s FOR NO KEY UPDATE", status.id))
        status_sudo.invalidate_recordset(["state"], flush=False)
        return status_sudo

    @api.model
    def _raise_unless_open(self, status):
        """Raise, in the gate's words, when nothing can be sent for a step now."""
        outcome = status._ask_gate_about_sending()
        if outcome.code not in _CAN_FILL_IN:
            raise UserError(status._explain([outcome])[0][1])
        if self.sudo()._get_latest(status).number >= MOST_SENDINGS:  # sudo: a number of the user's own
            raise UserError(self.env._("You have sent this too often. Ask the office."))

    @api.model
    def _pass_gate(self, status, decision, already_done=False):
        """Ask the gate for a decision of the graduate, and raise in its words when it refuses.

        :param bool already_done: a second click finds it done: nothing to complain about
        """
        outcome = status._decide(decision, "portal")[0]
        if outcome.code != "done" and not (already_done and outcome.code == "already"):
            raise UserError(status._explain([outcome])[0][1])

    def _fill_in(self, status, answers, files):
        """Put answers and files into the draft; start one where there is none.

        A new draft goes on from the latest sending: whoever was rejected, withdraws or
        replaces has nothing to type again.
        """
        draft = self._get_draft(status) or self._start_draft(status)
        typed, refused = dict(draft.typed or {}), {}
        for requirement in status.step_id._get_asked():
            if requirement.kind == "file":
                problems = draft._add_files(requirement, files.get(requirement.id, ()))
                if problems:
                    refused[str(requirement.id)] = problems
            elif requirement.id in answers:
                typed[str(requirement.id)] = requirement._clean_typed(answers[requirement.id])
        draft.write({"typed": typed, "refused": refused})
        return draft

    def _start_draft(self, status):
        latest = self._get_latest(status)
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                draft = self.create({"status_id": status.id, "typed": latest._get_typed(), "refused": {}})
        except IntegrityError as error:
            # Another request has started it in this moment: try again, and find it.
            raise ConcurrencyError(str(error)) from error
        asked = status.step_id._get_asked().filtered(lambda requirement: requirement.kind == "file")
        latest.file_ids.filtered(lambda file: file.requirement_id in asked)._copy_to(draft)
        return draft

    def _get_typed(self):
        """Texts to go on from: of a draft what was typed, of a sending its answers."""
        if self.state == "draft":
            return self.typed or {}
        values = self._get_values_by_requirement() if self else {}
        return {
            str(requirement.id): requirement._to_typed(values[requirement.id])
            for requirement in self.step_id._get_asked()
            if requirement.id in values
        }

    def _add_files(self, requirement, files):
        """Add files to a draft as far as they are good.

        Where one file is asked for, another takes its place.

        :param files: pairs of name and content
        :return: list of texts: what is wrong with the others
        """
        problems = []
        kept = self.file_ids.filtered(lambda file: file.requirement_id == requirement)
        for name, content in files:
            mimetype, problem = requirement._check_file(name, content)
            if problem:
                problems.append(problem)
                continue
            if self.env["ir.attachment"]._compute_checksum(content) in kept.mapped("attachment_id.checksum"):
                continue  # the same once more, as by a second click
            if requirement.file_max_count == 1:
                kept.unlink()
                kept = kept.browse()
            elif len(kept) >= requirement.file_max_count:
                problems.append(
                    self.env._(
                        "“%(file)s” is one too many: at most %(count)s files. Remove one first.",
                        file=requirement._shorten_name(name),
                        count=requirement.file_max_count,
                    )
                )
                continue
            kept |= kept._attach(self, requirement, name, content, mimetype)
        return problems

    def _get_problems(self):
        """What is missing or wrong in a draft.

        :return: dict ``{requirement id: [texts]}``, in the order of the requirements
        """
        self.ensure_one()
        typed, refused = self.typed or {}, self.refused or {}
        problems = {}
        for requirement in self.step_id._get_asked():
            texts = list(refused.get(str(requirement.id), ()))
            if requirement.kind == "file":
                has_file = requirement in self.file_ids.requirement_id
                problem = requirement._explain_unanswered() if requirement.required and not has_file else None
            else:
                problem = requirement._parse_typed(typed.get(str(requirement.id), ""))[1]
            if problem and not texts:
                texts.append(problem)
            if texts:
                problems[requirement.id] = texts
        return problems

    def _raise_on_problems(self):
        problems = self._get_problems()
        if not problems:
            return
        names = {requirement.id: requirement.name for requirement in self.step_id._get_asked()}
        lines = [f"- {names[requirement_id]}: {' '.join(texts)}" for requirement_id, texts in problems.items()]
        raise SubmissionError(
            self.env._("Not sent. Please look at this:\n%(problems)s", problems="\n".join(lines)), problems
        )

    def _send(self, status):
        """Send this draft, which has no problems; all of it or nothing.

        :param status: with the rights of the graduate, for the gate
        """
        with self.env.cr.savepoint():
            if self.status_id.state == "submitted":
                self._pass_gate(status, "withdraw")
            latest = self._get_latest(self.status_id)
            latest.filtered(lambda earlier: earlier.state == "sent").state = "past"
            latest.flush_recordset()
            asked = self.step_id._get_asked()
            self.file_ids.filtered(lambda file: file.requirement_id not in asked).unlink()
            self.write(
                {
                    "state": "sent",
                    "number": latest.number + 1,
                    "sent_at": fields.Datetime.now(),
                    "answers": self._get_parsed(),
                    "typed": False,
                    "refused": False,
                    "tried": False,
                }
            )
            self._pass_gate(status, "approve" if self.step_id.mode == "graduate" else "submit")

    def _get_parsed(self):
        """Answers of a draft as its properties hold them; what is not answered is left out."""
        values = {}
        for requirement in self.step_id._get_asked():
            if requirement.kind != "file":
                value, _problem = requirement._parse_typed((self.typed or {}).get(str(requirement.id), ""))
                if value is not None:
                    values[f"r{requirement.id}"] = value
        return values

    def _delete(self):
        """Delete drafts, files included."""
        self.file_ids.unlink()
        self.unlink()
