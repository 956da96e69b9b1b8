from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_amount

from ..fields import PlainMany2one
from ..texts import join_parts

#: debts that a text names one by one; of the others it says how many they are
_NAMED = 5
#: a row of ``debt`` as the rows of a batch keep it
_ITEM = SQL(
    "jsonb_build_object('item', debt.item, 'quantity', debt.quantity, 'amount', debt.amount, 'remark', debt.remark)"
)


class ClearanceDebt(models.Model):
    """One thing that a graduate owes on a step, as the office has listed it (欠费欠物).

    Guiyang Vocational's offices report every debt and every unreturned item before the days in the hall; South
    China Normal's colleges get the list.  Written by debts lists only (``clearance_batch_debts.py``), with
    the line of the log that says so.  What settles the step ends its debts in the gate's own statement, and
    what undoes that brings them back: ``line_id`` and ``ended_line_id`` name the lines of the log.
    They stay as history then.

    Who may see a debt is who may see the step (record rules); nobody writes one.
    """

    _name = "clearance.debt"
    _description = "Debt"
    _log_access = False
    _order = "id"
    _rec_name = "item"

    status_id = fields.Many2one("clearance.status", required=True, readonly=True, index=True, ondelete="cascade")
    form_id = fields.Many2one(related="status_id.form_id", string="Graduate")
    step_id = fields.Many2one(related="status_id.step_id")
    station_id = fields.Many2one(related="status_id.station_id")
    session_id = fields.Many2one(related="status_id.session_id")
    company_id = fields.Many2one(related="status_id.company_id", string="Campus")
    currency_id = fields.Many2one(related="company_id.currency_id")
    item = fields.Char(readonly=True)
    quantity = fields.Float(readonly=True)
    amount = fields.Monetary(readonly=True)
    remark = fields.Char(readonly=True)
    batch_id = PlainMany2one("clearance.batch", "Debts list", readonly=True)
    as_of = fields.Datetime(readonly=True, required=True, help="When the office knew this.")
    listed_by_id = PlainMany2one("res.users", "Listed by", readonly=True)
    line_id = PlainMany2one("clearance.log", "Log line", readonly=True)
    active = fields.Boolean("Owed", default=True, readonly=True, help="Unset once it is settled or listed anew.")
    ended_line_id = PlainMany2one("clearance.log", "Ended by", readonly=True)

    _owed_idx = models.Index("(status_id) WHERE active IS TRUE")

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Refused: debts come from lists of offices."""
        raise UserError(self.env._("Debts come from the lists of offices. Upload one."))

    def write(self, vals):  # pylint: disable=method-required-super
        """Refused for everybody, superuser included."""
        raise UserError(self.env._("What an office has listed is kept as it was. Upload a new list."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What an office has listed is kept as it was. Upload a new list."))

    # -- writing -----------------------------------------------------------------

    @api.model
    def _follow_sql(self, call):
        """What a decision does to debts: part of the gate's statement.

        Its own table and its own rows, at the same moment: a decision and a list that is taken in meanwhile
        both write the status, so one of them is retried and sees the other.

        :param call: what is asked of the gate
        """
        if call.lines:
            return SQL(
                """,
                debts AS (
                    UPDATE clearance_debt debt
                       SET active = (debt.ended_line_id = ANY(%(lines)s)) IS TRUE,
                           ended_line_id = CASE WHEN debt.ended_line_id = ANY(%(lines)s) THEN NULL ELSE logged.id END
                      FROM logged
                     WHERE debt.status_id = logged.status_id
                       AND (debt.ended_line_id = ANY(%(lines)s)
                            OR (debt.line_id = ANY(%(lines)s) AND debt.active IS TRUE))
                )
                """,
                lines=list(call.lines),
            )
        if call.move.target not in ("approved", "not_required"):
            return SQL()
        return SQL(
            """,
            debts AS (
                UPDATE clearance_debt debt
                   SET active = FALSE, ended_line_id = logged.id
                  FROM logged
                 WHERE debt.status_id = logged.status_id AND debt.active IS TRUE
            )
            """
        )

    @api.model
    def _write_listed(self, batch, line_ids):
        """Write what rows of a list say, instead of what was listed before.

        Raw SQL because a list of ten thousand rows is written in one statement, out of what its
        preview has kept; the gate has let these rows through in the same transaction.

        :param batch: the ``clearance.batch`` of the list
        :param list line_ids: of its rows, just told
        """
        self.env.cr.execute(
            SQL(
                """
                WITH listed AS (
                    SELECT line.id, line.status_id, line.log_id, line.figure
                      FROM clearance_batch_line line
                     WHERE line.id = ANY(%(ids)s) AND line.batch_id = %(batch)s AND line.ran AND line.code = 'done'
                ),
                ended AS (
                    UPDATE clearance_debt debt
                       SET active = FALSE, ended_line_id = listed.log_id
                      FROM listed
                     WHERE debt.status_id = listed.status_id AND debt.active IS TRUE
                )
                INSERT INTO clearance_debt (
                    status_id, item, quantity, amount, remark, batch_id, as_of, listed_by_id, line_id, active
                )
                SELECT listed.status_id, said.value ->> 'item', (said.value ->> 'quantity')::float8,
                       (said.value ->> 'amount')::numeric, said.value ->> 'remark',
                       %(batch)s, %(as_of)s, %(uid)s, listed.log_id, TRUE
                  FROM listed
                 CROSS JOIN LATERAL jsonb_array_elements(listed.figure -> 'items') WITH ORDINALITY said(value, nth)
                 ORDER BY listed.id, said.nth
                """,
                ids=line_ids,
                batch=batch.id,
                as_of=batch.as_of,
                uid=self.env.uid,
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _items_sql(self, status_id):
        """What is owed on a status, as a list is kept in the rows of its batch: JSON, or ``NULL``.

        :param SQL status_id: expression of its id
        """
        return SQL(
            """(SELECT jsonb_agg(%s ORDER BY debt.id) FROM clearance_debt debt
                 WHERE debt.status_id = %s AND debt.active IS TRUE)""",
            _ITEM,
            status_id,
        )

    @api.model
    def _portal_sql(self):
        """What is owed on ``status`` for the graduate's page: the debts as JSON, their latest moment, and whether
        they are what the latest decision on it says.
        """
        return SQL(
            """
            SELECT jsonb_agg(%s ORDER BY debt.id) AS debts,
                   max(debt.as_of) AS debts_as_of, bool_or(line.date = status.decided_at) AS is_reason
              FROM clearance_debt debt
              LEFT JOIN clearance_log line ON line.id = debt.line_id
             WHERE debt.status_id = status.id AND debt.active IS TRUE
            """,
            _ITEM,
        )

    # -- telling -----------------------------------------------------------------

    @api.model
    def _describe_item(self, item, currency):
        """One debt in words: “Atlas × 2: ¥35.00 (second floor)”; empty where nothing is said.

        :param dict item: ``item``, ``quantity``, ``amount``, ``remark``, each may be missing
        :param currency: of the campus
        """
        quantity, amount = item.get("quantity"), item.get("amount")
        values = {
            "item": item.get("item") or "",
            "quantity": f"{quantity:g}" if quantity else "",
            "amount": format_amount(self.env, amount, currency) if amount else "",
            "remark": item.get("remark") or "",
        }
        text = values["item"]
        if quantity:
            text = (
                self.env._("%(item)s × %(quantity)s", **values) if text else self.env._("%(quantity)s items", **values)
            )
        if amount:
            text = self.env._("%(what)s: %(amount)s", what=text, **values) if text else values["amount"]
        if values["remark"]:
            text = self.env._("%(what)s (%(remark)s)", what=text, **values) if text else values["remark"]
        return text

    @api.model
    def _describe_items(self, items, currency):
        """Several debts in words, the first of them by name, with the total where there are several amounts."""
        texts = [self._describe_item(item, currency) for item in items[:_NAMED]]
        if len(items) > _NAMED:
            texts.append(self.env._("%s more", len(items) - _NAMED))
        text = join_parts(self.env, texts)
        amounts = [item["amount"] for item in items if item.get("amount")]
        if len(amounts) > 1:
            total = format_amount(self.env, sum(amounts), currency)
            text = self.env._("%(debts)s; together %(amount)s", debts=text, amount=total)
        return text

    @api.model
    def _get_listed(self, status_ids):
        """What is owed on statuses by the lists of offices, for screens; the caller has checked access.

        One query, whatever the number of statuses.

        :return: dict ``{status id: {"items", "texts", "text", "office", "as_of" (UTC text), "who"}}`` of those
            on which something is owed
        """
        # sudo: debts of statuses that the caller shows anyway.
        debts = self.sudo().search_fetch([("status_id", "in", list(status_ids))])
        found = {}
        for status, listed in debts.grouped("status_id").items():
            items = [
                {"item": debt.item, "quantity": debt.quantity, "amount": debt.amount, "remark": debt.remark}
                for debt in listed
            ]
            currency = status.company_id.currency_id
            found[status.id] = {
                "items": items,
                "texts": [self._describe_item(item, currency) for item in items],
                "text": self._describe_items(items, currency),
                "office": status.station_id.name,
                "as_of": fields.Datetime.to_string(max(listed.mapped("as_of"))),
                "who": listed[-1].listed_by_id.name or "",
            }
        return found

    @api.model
    def _get_rows(self, domain):
        """What is still owed, for a spreadsheet: lists of offices and figures of source systems as one list.

        Under the user's rights; one query for the rows and one for each kind of name, whatever their number.

        :param domain: on ``clearance.debt.report`` (``session_id``, ``college_id``, ``class_id``, ``station_id``,
            ``step_id``, ``form_id``, ``source`` …)
        :return: list of dicts, by college, class, student number, step: ``college``, ``class``, ``student_number``,
            ``name``, ``station``, ``step``, ``state``, ``lifted`` (bool), ``source`` (who says so: name of the
            office or of the system), ``by_system`` (bool), ``item``, ``quantity``, ``amount``, ``remark``, ``as_of``
            (UTC datetime), ``silent`` (bool: the system has been silent for too long)
        """
        return self.env["clearance.debt.report"]._get_rows(domain)
