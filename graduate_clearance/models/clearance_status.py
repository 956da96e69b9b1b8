from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import PlainMany2one, StateSelection
from ..texts import join_names

STATES = [
    ("pending", "Not done"),
    ("submitted", "Submitted"),
    ("rejected", "Rejected"),
    ("approved", "Approved"),
    ("optional", "Optional"),
    ("not_required", "Not required"),
]

#: every way in to the gate
DOORS = [
    ("list", "List"),
    ("form", "Form"),
    ("kanban", "Kanban"),
    ("desk", "Desk"),
    ("scan", "Scan"),
    ("matrix", "Matrix"),
    ("batch", "Batch"),
    ("portal", "Portal"),
    ("api", "API"),
    ("feed", "Source system"),
    ("roster", "Roster"),
    ("bulk", "Bulk (before batches)"),  # stands in logs of 19.0.1.0.0 only
]


class ClearanceStatus(models.Model):
    """One step of one form (环节状态): the only truth about where a graduate stands.

    Hundreds of thousands of rows: no ``mail.thread``, no log-access columns, two
    foreign keys.  Statuses are written by the opening of a session and by the gate
    (``clearance_status_gate.py``), never by ``create`` or ``write``.
    """

    _name = "clearance.status"
    _description = "Step of a Form"
    _log_access = False
    _order = "id"
    _rec_name = "step_id"

    form_id = fields.Many2one("clearance.form", required=True, readonly=True, index=True, ondelete="cascade")
    step_id = fields.Many2one("clearance.step", required=True, readonly=True, index=True, ondelete="restrict")
    student_id = fields.Many2one(related="form_id.student_id", string="Graduate")
    student_number = fields.Char(related="form_id.student_id.student_number")
    # Copies for rules and filters: form and step guarantee them, the roster keeps them.
    session_id = PlainMany2one("clearance.session", readonly=True, required=True)
    station_id = PlainMany2one("clearance.station", readonly=True, required=True)
    company_id = PlainMany2one("res.company", "Campus", readonly=True, required=True)
    college_id = PlainMany2one("clearance.college", readonly=True)
    class_id = PlainMany2one("clearance.class", "Class", readonly=True)
    room_id = PlainMany2one("clearance.room", readonly=True)
    earlier_year = fields.Boolean("Of an earlier year", readonly=True)
    active = fields.Boolean(default=True, readonly=True, help="Unset while the graduate is taken out of the session.")
    required = fields.Boolean(readonly=True, help="★ Optional steps never block.")
    state = StateSelection(STATES, required=True, readonly=True, group_expand="_expand_states")
    initial_state = StateSelection(STATES, required=True, readonly=True)
    needs_review = fields.Boolean(
        "Needs another look",
        readonly=True,
        help="Was approved, and then a step that it relied on was reopened.",
    )
    is_open = fields.Boolean("Not settled", readonly=True, help="Required and not settled: blocks later steps.")
    user_id = PlainMany2one("res.users", "Decided by", readonly=True)
    decided_at = fields.Datetime(readonly=True)
    door = fields.Selection(DOORS, "Decided through", readonly=True)
    reason = fields.Char("Remark", readonly=True)
    mode = fields.Selection(related="step_id.mode", string="Who decides")
    is_mine = fields.Boolean("At my stations", compute="_compute_is_mine", search="_search_is_mine")
    ready = fields.Boolean(
        compute="_compute_ready", search="_search_ready", help="Open, and every prerequisite is settled."
    )
    blocked_by = fields.Char(compute="_compute_ready", help="Prerequisites that are not settled.")
    is_lifted = fields.Boolean("Deferred", compute="_compute_is_lifted", search="_search_is_lifted")
    legend = StateSelection([*STATES, ("review", "Needs another look")], compute="_compute_legend")

    _form_step_uniq = models.Constraint("UNIQUE(form_id, step_id)", "A form has each step once.")
    # One definition of "open", whoever writes the row.
    _is_open_meaning = models.Constraint(
        "CHECK(is_open = (required AND (needs_review OR state IN ('pending', 'submitted', 'rejected'))))",
        "A status is open when it is required and not settled.",
    )
    _open_form_idx = models.Index("(form_id, step_id) WHERE is_open IS TRUE AND active IS TRUE")
    _open_station_idx = models.Index("(station_id, id) WHERE is_open IS TRUE AND active IS TRUE")
    _station_idx = models.Index("(station_id, step_id, state)")

    @api.model
    def _expand_states(self, states, domain):
        """Columns of the kanban in the order of the process; the rare ones only where used."""
        usual = {"pending", "rejected", "approved"}
        return [state for state, _label in STATES if state in usual or state in states]

    @api.depends("step_id.name", "form_id.display_name")
    def _compute_display_name(self):
        for status in self:
            status.display_name = f"{status.form_id.display_name} · {status.step_id.name}"

    @api.depends("station_id.operator_ids")
    @api.depends_context("uid")
    def _compute_is_mine(self):
        for status in self:
            status.is_mine = self.env.user in status.station_id.operator_ids

    def _search_is_mine(self, operator, value):
        if operator != "in":
            return NotImplemented
        # Ids rather than a path: the planner then knows how much waits at these stations.
        # sudo: whose stations they are is what is asked; nothing else is read.
        Station = self.env["clearance.station"].sudo().with_context(active_test=False)
        domain = Domain("station_id", "in", Station.search([("operator_ids", "in", self.env.uid)]).ids)
        return domain if True in value else ~domain

    @api.depends("state", "is_open")
    @api.depends_context("lang")
    def _compute_ready(self):
        # What is settled waits for nothing.
        missing = self.filtered(lambda status: status.is_open or status.state == "optional")._get_missing()
        names = self._get_step_names(pair for pairs in missing.values() for pair in pairs)
        for status in self:
            pairs = missing.get(status.id, ())
            status.ready = status.is_open and not pairs
            status.blocked_by = join_names(self.env, (names[pair] for pair in pairs))

    def _search_ready(self, operator, value):
        """Open and nothing missing; worked out while reading, over a partial index."""
        if operator != "in":
            return NotImplemented

        def to_sql(model, alias, query):
            table = SQL.identifier(alias)
            return SQL(
                "(%(t)s.is_open IS TRUE AND %(t)s.active IS TRUE AND NOT EXISTS (%(missing)s))",
                t=table,
                missing=self._missing_sql(SQL("%s.form_id", table), SQL("%s.step_id", table)),
            )

        domain = Domain.custom(to_sql=to_sql, predicate=lambda status: status.ready)
        return domain if True in value else ~domain

    def _compute_is_lifted(self):
        lifted = self.search([("id", "in", self.ids), ("is_lifted", "=", True)])
        for status in self:
            status.is_lifted = status in lifted

    def _search_is_lifted(self, operator, value):
        if operator != "in":
            return NotImplemented
        Override = self.env["clearance.override"]

        def to_sql(model, alias, query):
            return Override._in_force_sql(SQL("%s.id", SQL.identifier(alias)))

        domain = Domain.custom(to_sql=to_sql, predicate=lambda status: status.is_lifted)
        return domain if True in value else ~domain

    @api.depends("state", "needs_review")
    def _compute_legend(self):
        for status in self:
            status.legend = "review" if status.needs_review else status.state

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Refused: statuses come into being when a session is opened."""
        raise UserError(self.env._("Statuses are made by opening a session."))

    def write(self, vals):  # pylint: disable=method-required-super
        """Refused for everybody, superuser included: decisions go through the gate."""
        raise UserError(self.env._("A status is changed by a decision only: confirm, reject or reopen it."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A status cannot be deleted."))

    # -- reading ---------------------------------------------------------------

    def _missing_sql(self, form_id, step_id, columns=None, join=None):
        """Select the unsettled prerequisites of a status that are not lifted.

        The one place that says what blocks a step; the gate, the ``ready`` filter and
        every screen build on it.

        :param SQL form_id: expression of the form's id
        :param SQL step_id: expression of the step's id
        :param SQL columns: what to select of the prerequisite ``prereq``
        :param SQL join: further tables to select from
        """
        return SQL(
            """
            SELECT %(columns)s
              FROM clearance_step_blocking_rel rel
              JOIN clearance_status prereq
                ON prereq.form_id = %(form)s AND prereq.step_id = rel.prerequisite_id
              %(join)s
             WHERE rel.step_id = %(step)s
               AND prereq.is_open IS TRUE AND prereq.active IS TRUE
               AND NOT %(lifted)s
            """,
            columns=columns or SQL("1"),
            join=join or SQL(),
            form=form_id,
            step=step_id,
            lifted=self.env["clearance.override"]._in_force_sql(SQL("prereq.id")),
        )

    def _get_missing(self):
        """Unsettled prerequisites of these statuses, in one query.

        :return: dict ``{status id: [(station id, step id), ...]}`` of those that miss any
        """
        if not self.ids:
            return {}
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT status.id, missing.station_id, missing.step_id
                  FROM clearance_status status
                 CROSS JOIN LATERAL (%(missing)s) missing
                  JOIN clearance_step step ON step.id = missing.step_id
                 WHERE status.id = ANY(%(ids)s)
                 ORDER BY status.id, step.sequence, step.id
                """,
                ids=self.ids,
                missing=self._missing_sql(
                    SQL("status.form_id"), SQL("status.step_id"), SQL("prereq.station_id, prereq.step_id")
                ),
            )
        )
        missing = {}
        for status_id, station_id, step_id in self.env.cr.fetchall():
            missing.setdefault(status_id, []).append((station_id, step_id))
        return missing

    @api.model
    def _get_step_names(self, pairs):
        """Names as the refusal shows them: ``station: step`` (Hunan UST's wording).

        :param pairs: iterable of ``(station id, step id)``
        :return: dict ``{pair: name}``
        """
        pairs = set(pairs)
        # sudo: the name of the desk to go to next is no secret to who waits for it.
        stations = self.env["clearance.station"].sudo().browse({pair[0] for pair in pairs})
        steps = self.env["clearance.step"].sudo().browse({pair[1] for pair in pairs})
        station_names = {station.id: station.name for station in stations}
        step_names = {step.id: step.name for step in steps}
        return {pair: f"{station_names[pair[0]]}: {step_names[pair[1]]}" for pair in pairs}

    @api.model
    def _get_record_rows(self, form_ids):
        """Rows of whole records; see ``clearance.form._get_records`` for their shape.

        :param list form_ids: ids of forms the caller has checked
        """
        self.env.flush_all()
        self.env.cr.execute(self._record_rows_sql(form_ids))
        names = [column.name for column in self.env.cr.description]
        rows = [dict(zip(names, row, strict=True)) for row in self.env.cr.fetchall()]
        for row in rows:
            row["decided_at"] = fields.Datetime.to_string(row["decided_at"]) or ""
        return rows

    def _record_rows_sql(self, form_ids):
        """The statement of :meth:`_get_record_rows`.

        Raw SQL because this is the page that every graduate and every desk looks at:
        names, deferrals and what blocks a step come with the rows, in one go.  A
        graduate taken out of the session keeps a record to look at.
        """
        Step, Station = self.env["clearance.step"], self.env["clearance.station"]
        return SQL(
            """
            SELECT status.form_id, status.id,
                   step.id AS step_id, %(step)s AS step, COALESCE(%(stage)s, '') AS stage, step.mode,
                   station.id AS station_id, %(station)s AS station,
                   status.state, status.initial_state, status.required, status.is_open, status.needs_review,
                   %(lifted)s AS lifted,
                   CASE WHEN status.is_open THEN ARRAY(
                        SELECT missing.name FROM (%(missing)s) missing ORDER BY missing.sequence, missing.step_id
                   ) ELSE '{}' END AS blocked_by,
                   COALESCE(partner.name, '') AS user, status.decided_at,
                   COALESCE(status.reason, '') AS reason, COALESCE(status.door, '') AS door
              FROM clearance_status status
              JOIN clearance_step step ON step.id = status.step_id
              JOIN clearance_station station ON station.id = status.station_id
              LEFT JOIN res_users decider ON decider.id = status.user_id
              LEFT JOIN res_partner partner ON partner.id = decider.partner_id
             WHERE status.form_id = ANY(%(forms)s)
             ORDER BY status.form_id, step.sequence, step.id
            """,
            step=Step._field_to_sql("step", "name"),
            stage=Step._field_to_sql("step", "stage"),
            station=Station._field_to_sql("station", "name"),
            lifted=self.env["clearance.override"]._in_force_sql(SQL("status.id")),
            missing=self._missing_sql(
                SQL("status.form_id"),
                SQL("status.step_id"),
                SQL(
                    """(SELECT concat(%s, ': ', %s)
                          FROM clearance_station prereq_station WHERE prereq_station.id = prereq.station_id) AS name,
                       prereq_step.sequence, prereq.step_id""",
                    Station._field_to_sql("prereq_station", "name"),
                    Step._field_to_sql("prereq_step", "name"),
                ),
                SQL("JOIN clearance_step prereq_step ON prereq_step.id = prereq.step_id"),
            ),
            forms=form_ids,
        )
