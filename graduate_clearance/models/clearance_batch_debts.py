"""Debts lists of offices: who owes what on a step, uploaded as a file (欠费欠物)."""

import base64
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..debts_list import parse
from ..texts import join_parts
from ..workbook import Column, Workbook
from .clearance_batch_preview import AskedRow, GivenRow
from .clearance_status_gate import Outcome

#: rows, headers and numbers named in a message
_SHOWN = 10
#: a clock that goes wrong by so much is nobody's fault
_CLOCKS_DIFFER = timedelta(minutes=10)


class ClearanceBatch(models.Model):
    """A debts list is a batch whose rows come from a file, each with what its graduate owes.

    Who is listed: a step that was confirmed is reopened, one that is open stays as it is; in both cases what is
    owed is its reason, and is kept item by item (``clearance.debt``).  Who is not listed is left alone; when the
    office says that the list is complete, it settles those too, through the gate as anybody: where other steps
    are in the way the step stays open, and what was owed is taken off.

    A row does what its preview has shown or nothing: where somebody has decided on the step since,
    another list perhaps, it is refused.  The same list again finds everything done.
    """

    _inherit = "clearance.batch"

    is_complete = fields.Boolean(
        "The list is complete",
        help="Whoever is not on it owes nothing: their step is settled, as far as nothing else is in the way.",
    )
    as_of = fields.Datetime(
        default=fields.Datetime.now,
        help="When the office knew this. The graduates read it.",
    )

    @api.constrains("as_of")
    def _check_as_of(self):
        for batch in self:
            if batch.as_of and batch.as_of > fields.Datetime.now() + _CLOCKS_DIFFER:
                raise ValidationError(self.env._("“As of” lies in the future. Say when the office knew this."))

    @api.model_create_multi
    def create(self, vals_list):
        """A debts list asks the gate for each row what the row needs; of itself it settles."""
        kind = self.default_get(["kind"]).get("kind")
        return super().create(
            [{**vals, "decision": "approve"} if vals.get("kind", kind) == "debts" else vals for vals in vals_list]
        )

    @api.depends("kind", "is_complete")
    def _compute_reason_required(self):
        result = super()._compute_reason_required()
        for batch in self:
            if batch.kind == "debts" and not batch.is_complete:
                batch.reason_required = False
        return result

    @api.depends("kind", "is_complete")
    @api.depends_context("lang")
    def _compute_criteria(self):
        result = super()._compute_criteria()
        for batch in self:
            if batch.kind == "debts":
                text = self.env._("complete debts list %s") if batch.is_complete else self.env._("debts list %s")
                batch.criteria = (text % (batch.numbers_filename or "")).strip()
        return result

    # -- the template ------------------------------------------------------------------

    def action_download_template(self):
        """Download an empty list with the columns that are read."""
        return {"type": "ir.actions.act_url", "url": "/clearance/debts/template", "target": "download"}

    @api.model
    def _make_debts_template(self):
        """An empty debts list in the user's language, as a workbook.

        :return: bytes
        :raise AccessError: for whoever makes no batches
        """
        self.check_access("create")
        columns = [
            Column(self.env._("Student number"), width=18),
            Column(self.env._("Item"), width=32),
            Column(self.env._("Quantity"), width=12, kind="number"),
            Column(self.env._("Amount"), width=14, kind="money"),
            Column(self.env._("Remark"), width=40),
        ]
        with Workbook(self.env, self.env.company, title=self.env._("Debts list")) as book:
            book.sheet(self.env._("Debts list"), columns, autofilter=False)
            notes = book.sheet(
                self.env._("How to fill it in"), [Column(self.env._("How to fill it in"), width=100)], autofilter=False
            )
            notes.rows(
                [
                    [self.env._("One row for each thing that is owed; a graduate may have several rows.")],
                    [self.env._("Only the student number must be there. Other columns may stay, they are not read.")],
                    [self.env._("Format the column of student numbers as text where numbers begin with a nought.")],
                    [
                        self.env._(
                            "Amounts are in %s; a nought means that nothing is owed.", self.env.company.currency_id.name
                        )
                    ],
                    [self.env._("The graduates read item, quantity, amount and remark.")],
                ]
            )
        return book.content

    # -- choosing the rows -----------------------------------------------------------

    def _check_ready(self):
        super()._check_ready()
        if self.kind != "debts":
            return
        if self.decision != "approve":
            raise UserError(self.env._("A debts list says what is owed; it takes no other decision."))
        if not self.numbers_filename:
            raise UserError(self.env._("Upload the list first: a CSV or Excel file. The template shows its columns."))

    def _choose_rows(self):
        if self.kind != "debts":
            return super()._choose_rows()
        if not self.as_of:
            # For whoever has emptied it: the list is of now.
            self._record(as_of=fields.Datetime.now())
        debts = self._parse_debts().debts
        if not debts and not self.is_complete:
            raise UserError(self.env._("There is nobody on the list, and it is not said to be complete."))
        unreadable = [debt for debt in debts if debt.problems]
        if unreadable and self.is_complete:
            # Whom such a row means is unknown: settling the others would settle that graduate too.
            raise UserError(
                self.env._(
                    "The list is said to be complete, but some rows cannot be read. Mend them first:\n%s",
                    self._name_rows(unreadable),
                )
            )
        self._insert_rows(self._group_debts(debts), self._get_unlisted_domain() if self.is_complete else None)
        return self._look_at_rows()

    def _parse_debts(self):
        """The uploaded list, as :class:`~..debts_list.DebtsList`."""
        content = base64.b64decode(self.with_context(bin_size=False).numbers_file or b"")
        return parse(self.env, content, self.numbers_filename)

    def _name_rows(self, debts):
        """Rows that cannot be read, one a line."""
        lines = [
            self.env._("Row %(row)s: %(problems)s", row=debt.line, problems=" ".join(debt.problems))
            for debt in debts[:_SHOWN]
        ]
        if len(debts) > _SHOWN:
            lines.append(self.env._("… and %s more", len(debts) - _SHOWN))
        return "\n".join(lines)

    def _group_debts(self, debts):
        """One :class:`GivenRow` a graduate, in the order of the list: all that is owed together.

        A row that cannot be read makes the whole graduate refused: half of what is owed is a wrong figure.
        """
        groups = {}
        for debt in debts:
            # Each row without a number stands for itself.
            groups.setdefault(debt.number.upper() or debt.line, []).append(debt)
        # sudo: the currency of the campus.
        currency = self.sudo().company_id.currency_id
        return [self._prepare_listed(group, currency) for group in groups.values()]

    def _prepare_listed(self, debts, currency):
        """The row of one graduate, from the rows of the list that name it."""
        first = debts[0]
        if bad := [debt for debt in debts if debt.problems]:
            return GivenRow(first.line, first.number, note=self._name_rows(bad), code="bad")
        owed = [debt for debt in debts if not debt.is_zero]
        if not owed:
            # Office lists may name everybody, with a nought.
            if self.is_complete:
                return GivenRow(first.line, first.number, decision="approve")
            note = self.env._("Owes nothing. Say that the list is complete to settle those who owe nothing.")
            return GivenRow(first.line, first.number, note=note, code="nothing_owed")
        items = [
            {"item": debt.item, "quantity": debt.quantity, "amount": debt.amount, "remark": debt.remark}
            for debt in owed
        ]
        text = self.env["clearance.debt"]._describe_items(items, currency)
        return GivenRow(
            first.line,
            first.number,
            decision="owe",
            reason=text or self.env._("Something is owed; ask %s.", self.step_id.station_id.name),
            figure={"items": items},
        )

    def _get_unlisted_domain(self):
        """Forms on which the user may settle the step, and on which it is open or something was owed."""
        Status = self.env["clearance.status"]
        # sudo: on which steps something is owed; those of others are left out by the domain below.
        owing = self.env["clearance.debt"].sudo()._search([("active", "=", True)]).subselect("status_id")
        domain = (
            Domain("step_id", "=", self.step_id.id)
            & Domain("active", "=", True)
            & (Domain("is_open", "=", True) | (Domain("state", "=", "optional") & Domain("id", "in", owing)))
            & Status._get_actionable_domain()
        )
        # sudo: the domain is the access check.
        return Domain("id", "in", Status.sudo()._search(domain).subselect("form_id"))

    def _look_at_rows(self):
        """Remember how the steps stand now, and ask to reopen where a confirmed one is listed.

        Raw SQL for the rows just written.
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE clearance_batch_line line
                   SET figure = COALESCE(line.figure, '{}') || jsonb_build_object('seen', %(seen)s),
                       row_decision = CASE WHEN line.row_decision = 'owe' AND status.state = 'approved'
                                           THEN 'reopen' ELSE line.row_decision END
                  FROM clearance_status status
                 WHERE status.id = line.status_id AND line.batch_id = %(batch)s
                """,
                seen=self._seen_sql(),
                batch=self.id,
            )
        )
        self._invalidate_rows()

    def _forecast(self):
        """As any batch; who is listed stands above those who are settled because they are not."""
        result = super()._forecast()
        if self.kind == "debts":
            self.env.cr.execute(
                SQL(
                    """UPDATE clearance_batch_line SET position = 0
                        WHERE batch_id = %s AND outcome = 'todo' AND line_number IS NOT NULL""",
                    self.id,
                )
            )
            self._invalidate_rows()
        return result

    def _seen_sql(self):
        """What tells one decision on ``status`` from the next."""
        return SQL("md5(concat_ws(' ', status.state, status.decided_at, status.user_id, status.door, status.reason))")

    def _get_warnings(self):
        warnings = super()._get_warnings()
        if self.kind != "debts":
            return warnings
        if unread := self._parse_debts().unread:
            shown = unread[:_SHOWN] + (["…"] if len(unread) > _SHOWN else [])
            warnings.append(self.env._("These columns are not read: %s", join_parts(self.env, shown)))
        if self.is_complete and (warning := self._get_stranger_warning()):
            warnings.append(warning)
        if newer := self._get_newer():
            warnings.append(self.env._("Graduates of whom a list with a later “as of” is known: %s", f"{newer:,}"))
        return warnings

    def _get_stranger_warning(self):
        """A mistyped number names nobody, and whom it means would be settled."""
        strangers = self.line_ids.filtered(lambda line: line.code == "no_graduate")
        if not strangers:
            return ""
        shown = strangers[:_SHOWN].mapped("given") + (["…"] if len(strangers) > _SHOWN else [])
        return self.env._(
            "Numbers of the list that are no graduate's (%(count)s): %(numbers)s. Where one is mistyped, whoever is"
            " meant would be settled as owing nothing.",
            count=f"{len(strangers):,}",
            numbers=join_parts(self.env, shown),
        )

    def _get_newer(self):
        """How many of the rows to do replace what is known from a later moment."""
        self.env.cr.execute(
            SQL(
                """SELECT count(DISTINCT line.id)
                     FROM clearance_batch_line line
                     JOIN clearance_debt debt ON debt.status_id = line.status_id AND debt.active IS TRUE
                    WHERE line.batch_id = %s AND line.outcome = 'todo' AND debt.as_of > %s""",
                self.id,
                self.as_of,
            )
        )
        return self.env.cr.fetchone()[0]

    # -- deciding ----------------------------------------------------------------------

    def _decide_rows(self, rows, dry_run=False):
        if self.kind != "debts":
            return super()._decide_rows(rows, dry_run)
        facts = self._get_facts([row.status_id for row in rows])
        changed = {status_id for status_id, fact in facts.items() if fact["changed"]}
        decide = super()._decide_rows
        outcomes = decide([row for row in rows if row.status_id not in changed], dry_run)
        found = {outcome.status_id: outcome for outcome in outcomes}
        if dry_run:
            # The same list again changes nothing.
            found.update(
                (row.status_id, Outcome(row.status_id, "already"))
                for row in rows
                if found[row.status_id].code == "done" and row.decision == "owe" and facts[row.status_id]["same"]
            )
        found.update(self._take_off(rows, found, facts, lambda asked: decide(asked, dry_run)))
        found.update((status_id, Outcome(status_id, "changed")) for status_id in changed)
        return [found[row.status_id] for row in rows]

    def _get_facts(self, status_ids):
        """How the statuses of rows stand: one query.

        :return: dict ``{status id: {"changed" (since the preview), "same" (as listed), "owing" (by a list)}}``
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT status.id, (line.figure ->> 'seen') IS DISTINCT FROM %(seen)s AS changed,
                       COALESCE(owed.items = line.figure -> 'items', FALSE) AS same,
                       owed.items IS NOT NULL AS owing
                  FROM clearance_batch_line line
                  JOIN clearance_status status ON status.id = line.status_id
                 CROSS JOIN LATERAL (SELECT %(items)s AS items) owed
                 WHERE line.batch_id = %(batch)s AND line.status_id = ANY(%(ids)s)
                """,
                seen=self._seen_sql(),
                items=self.env["clearance.debt"]._items_sql(SQL("status.id")),
                batch=self.id,
                ids=status_ids,
            )
        )
        return {row[0]: {"changed": row[1], "same": row[2], "owing": row[3]} for row in self.env.cr.fetchall()}

    def _take_off(self, rows, found, facts, decide):
        """Steps that cannot be settled for want of others: what was owed on them is taken off.

        :param decide: asks the gate for rows
        :return: dict ``{status id: Outcome}``, with what is missing
        """
        ids = [
            row.status_id
            for row in rows
            if row.decision == "approve"
            and row.status_id in found
            and found[row.status_id].code == "missing"
            and facts[row.status_id]["owing"]
        ]
        if not ids:
            return {}
        text = self.env._("Nothing is owed any more.")
        outcomes = decide([AskedRow(status_id, "owe", text) for status_id in ids])
        return {
            outcome.status_id: outcome._replace(missing=found[outcome.status_id].missing)
            if outcome.code == "done"
            else found[outcome.status_id]
            for outcome in outcomes
        }

    def _tell_rows(self, line_ids, outcomes, ran):
        result = super()._tell_rows(line_ids, outcomes, ran)
        if ran and self.kind == "debts":
            self.env["clearance.debt"]._write_listed(self, line_ids)
        return result

    def _describe(self, outcomes):
        messages = super()._describe(outcomes)
        if self.kind != "debts":
            return messages
        taken_off = self.env._("What was owed is taken off; the step stays open.")
        return [
            " ".join((taken_off, message)) if outcome.code == "done" and outcome.missing else message
            for outcome, message in zip(outcomes, messages, strict=True)
        ]
