from collections import Counter

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Command

from ..texts import join_names


class ClearanceStepChange(models.TransientModel):
    """Changes a step of an open session: shows the effect first, records the choice.

    For whoever may write the step: managers, and college leads for their colleges' own
    steps.  It writes with the rights of the user; what follows from the change (statuses,
    the record in the session) is written for the user.
    """

    _name = "clearance.step.change"
    _description = "Change a Step of an Open Session"
    _check_company_auto = True

    #: what can be changed here, in the order in which it is told; more than ``_APPLIED_FIELDS``
    #: of the step: who decides and the window have an effect at once
    _VALUES = (
        "station_id",
        "mode",
        "required",
        "initial_state",
        "student_domain",
        "prerequisite_ids",
        "prerequisite_station_ids",
        "is_entry",
        "open_from",
        "deadline",
        "active",
    )

    step_id = fields.Many2one(
        "clearance.step", required=True, readonly=True, ondelete="cascade", context={"active_test": False}
    )
    session_id = fields.Many2one(related="step_id.session_id")
    company_id = fields.Many2one(related="step_id.company_id")
    station_id = fields.Many2one("clearance.station", required=True, check_company=True)
    mode = fields.Selection(selection=lambda self: self._get_selection("mode"), string="Who decides", required=True)
    required = fields.Boolean(help="★ An optional step never blocks anything and is never missing.")
    initial_state = fields.Selection(
        selection=lambda self: self._get_selection("initial_state"),
        required=True,
        help="Where the step stands for those who get it now.",
    )
    student_domain = fields.Char("Applies to", required=True, default="[]")
    prerequisite_ids = fields.Many2many(
        "clearance.step",
        "clearance_step_change_prerequisite_rel",
        "change_id",
        "step_id",
        string="Prerequisites",
        domain="[('session_id', '=', session_id), ('id', '!=', step_id)]",
    )
    prerequisite_station_ids = fields.Many2many(
        "clearance.station",
        "clearance_step_change_station_rel",
        "change_id",
        "station_id",
        string="Prerequisite stations",
        check_company=True,
    )
    is_entry = fields.Boolean("Opens the form")
    open_from = fields.Datetime("Opens", help="Empty: with the session.")
    deadline = fields.Datetime(help="Empty: with the session.")
    active = fields.Boolean("In use", default=True, help="A step that is not in use is retired: no longer asked for.")

    shown = fields.Json(readonly=True, help="What the step held, and which values the effect is of.")
    is_shown = fields.Boolean(compute="_compute_is_shown", help="The effect of the present values is shown.")
    notice = fields.Text(readonly=True, help="What has happened to the step while the wizard was open.")
    changes = fields.Html(readonly=True)
    pending = fields.Boolean("Not in force yet", readonly=True)
    applies_before = fields.Integer("Graduates who had it", readonly=True)
    applies_after = fields.Integer("Graduates who have it", readonly=True)
    added = fields.Integer("New", readonly=True)
    to_not_required = fields.Integer("No longer required", readonly=True)
    to_required = fields.Integer("Required again", readonly=True)
    optional = fields.Integer("Optional from now on", readonly=True)
    rerouted = fields.Integer("Other desk", readonly=True)
    line_ids = fields.One2many("clearance.step.change.line", "wizard_id", "Effect on steps", readonly=True)
    blocked = fields.Integer("Blocked from now on", readonly=True)
    freed = fields.Integer("No longer blocked", readonly=True)
    review = fields.Integer("To look at again", readonly=True)
    warnings = fields.Text(readonly=True)
    mark_review = fields.Boolean(
        "Mark for another look",
        default=True,
        help="Mark approvals that lack a prerequisite by this change, so that the desks look at them again.",
    )

    @api.model
    def _get_selection(self, fname):
        return self.env["clearance.step"]._fields[fname]._description_selection(self.env)

    @api.depends("shown", *_VALUES)
    def _compute_is_shown(self):
        for wizard in self:
            wizard.is_shown = bool(wizard.shown) and wizard.shown["to"] == wizard._get_values(wizard)

    # -- starting --------------------------------------------------------------

    @api.model
    def _start(self, step, values):
        """A wizard with the present values of ``step``, and ``values`` over them."""
        if step.session_state != "open":
            raise UserError(
                self.env._(
                    "Session “%(session)s” is not open: change “%(step)s” on its form.",
                    session=step.session_id.name,
                    step=step.name,
                )
            )
        present = self._get_values(step)
        wizard = self.create({"step_id": step.id, **self._to_write({**present, **values})})
        wizard.shown = {"from": present, "to": False, "waits": False}
        if values or wizard._is_pending():
            wizard._show()
        return wizard

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # Nothing of a step is shown, and nothing made for it, to those who may not change it.
            self.env["clearance.step"].browse(vals["step_id"]).check_access("write")
        return super().create(vals_list)

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change “%s”", self.step_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    @api.model
    def _get_values(self, record):
        """The values of a step or wizard that can be changed, as Json holds them."""
        values = {}
        for fname in self._VALUES:
            value = record[fname]
            if record._fields[fname].type == "many2one":
                value = value.id
            elif record._fields[fname].type == "many2many":
                value = sorted(value._origin.ids)
            elif record._fields[fname].type == "datetime":
                value = fields.Datetime.to_string(value)
            values[fname] = value
        return values

    @api.model
    def _to_write(self, values, present=None):
        """Values as ``write`` takes them.

        :param dict present: what there is; records not named by either stay as they are,
            such as retired prerequisites
        """
        vals = {}
        for fname, value in values.items():
            if isinstance(value, list):
                before = set(present[fname]) if present else set()
                vals[fname] = [Command.link(id_) for id_ in value if id_ not in before]
                vals[fname] += [Command.unlink(id_) for id_ in sorted(before - set(value))]
            else:
                vals[fname] = value
        return vals

    def _is_pending(self):
        """The step has been changed, or added, without being put in force since."""
        applied = self.session_id.applied_at
        return bool(applied and self.step_id.changed_at > applied)

    def _is_new(self):
        """The step has not been in force yet: nobody has it."""
        # sudo: whether there are any, for who may change the step.
        return not self.env["clearance.status"].sudo().search_count([("step_id", "=", self.step_id.id)], limit=1)

    # -- showing ---------------------------------------------------------------

    def action_show(self):
        """Show the effect of the values entered; nothing is written on the step."""
        self.ensure_one()
        self._check_may_change()
        self.notice = False
        self._catch_up()
        self._show()
        return self._reopen()

    def _check_may_change(self):
        self.step_id.check_access("write")
        if self.step_id.session_state != "open":
            raise UserError(self.env._("Session “%s” is not open: nothing was changed.", self.session_id.name))

    def _get_wanted(self):
        """What differs from the step as it is: values by field."""
        present = self._get_values(self.step_id)
        return {fname: value for fname, value in self._get_values(self).items() if value != present[fname]}

    def _show(self):
        """Work out the effect of the values entered, and keep it to be shown."""
        present = self._get_values(self.step_id)
        wanted = self._get_wanted()
        waits = self.session_id._get_waits()
        effect = self.session_id._get_change_effect(self.step_id, self._to_write(wanted, present))
        after, lines = effect["after"], self._prepare_lines(effect["steps"])
        totals = Counter()
        for line in lines:
            totals.update({fname: line[fname] for fname in ("blocked", "freed", "review")})
        self.write(
            {
                "shown": {"from": present, "to": self._get_values(self), "waits": [list(pair) for pair in waits]},
                "changes": self._describe(present, wanted),
                "pending": self._is_pending(),
                "applies_before": 0 if self._is_new() else effect["before"]["applies"],
                "applies_after": after["applies"],
                "optional": effect["optional"],
                **{fname: after[fname] for fname in ("added", "to_not_required", "to_required", "rerouted")},
                **{fname: totals[fname] for fname in ("blocked", "freed", "review")},
                "warnings": "\n".join(self._find_warnings(effect)) or False,
                "line_ids": [Command.clear(), *map(Command.create, lines)],
            }
        )

    def _prepare_lines(self, rows):
        steps = self.session_id.with_context(active_test=False).step_ids
        return [
            {
                "step_id": step.id,
                **{fname: rows[step.id][fname] for fname in ("blocked", "freed", "forced")},
                "review": rows[step.id]["review"] + rows[step.id]["forced"],
            }
            for step in steps
            if step.id in rows
        ]

    def _find_warnings(self, effect):
        """Sentences about what would go wrong, or is left as it is."""
        after = effect["after"]
        warnings = []
        if after["no_desk"]:
            warnings.append(
                self.env._(
                    "No desk takes %(count)s graduates (%(before)s before).",
                    count=after["no_desk"],
                    before=effect["before"]["no_desk"],
                )
            )
        if after["nobody"]:
            warnings.append(
                self.env._(
                    "Nobody can confirm it for %(count)s graduates (%(before)s before).",
                    count=after["nobody"],
                    before=effect["before"]["nobody"],
                )
            )
        if self.active and not after["applies"]:
            warnings.append(self.env._("It applies to no graduate. Is a trait missing?"))
        if effect["shut"]:
            warnings.append(
                self.env._("Now is outside its window: %s graduates cannot settle it at present.", effect["shut"])
            )
        if effect["kept"]:
            warnings.append(
                self.env._(
                    "%s graduates to whom it applies no longer keep what people decided about it.", effect["kept"]
                )
            )
        return warnings

    # -- applying --------------------------------------------------------------

    def action_apply(self):
        """Write the change whose effect is shown, put it in force, and record the choice."""
        self.ensure_one()
        self._check_may_change()
        step, session = self.step_id, self.session_id
        self._lock()
        if self._catch_up() or not self.is_shown:
            self._show()
            return self._reopen()
        present, wanted = self._get_values(step), self._get_wanted()
        if not wanted and not self._is_pending():
            raise UserError(self.env._("Nothing of “%s” has been changed.", step.name))
        waits = session._get_waits()
        if wanted:
            step.write(self._to_write(wanted, present))
            session.step_ids._raise_on_cycle()
        marked = session._put_in_force(step, waits, self.mark_review)
        self._record(self._describe(present, wanted), marked)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "“%s” is changed. What was chosen stands in the record of the session.", step.name
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _lock(self):
        """Of two who change the same step at once, one comes first; the other one is told."""
        try:
            self.step_id.lock_for_update(allow_referencing=True)
        except LockError as error:
            raise UserError(
                self.env._("Somebody else is changing “%s” at this moment: try again.", self.step_id.name)
            ) from error
        self.step_id.invalidate_recordset()

    def _catch_up(self):
        """Take over what others have changed since the effect was shown, and say so.

        What the user has entered is kept, and told beside what it would overwrite.

        :return: whether anything has changed
        """
        shown = self.shown or {}
        present = self._get_values(self.step_id)
        known = shown.get("from") or present
        entered = self._get_values(self)
        theirs = {fname: value for fname, value in present.items() if value != known[fname]}
        if theirs:
            mine = {fname: value for fname, value in theirs.items() if entered[fname] == known[fname]}
            self.write({"shown": {**shown, "from": present}, **self._to_write(mine, entered)})
            self.notice = self.env._(
                "%(user)s has changed this step meanwhile:\n%(changes)s\nWhat you have entered is kept: "
                "look at its effect once more.",
                # sudo: who changed a step that the user may write is no secret to this user.
                user=self.step_id.sudo().write_uid.name,
                changes="\n".join(f"{label}: {old} → {new}" for label, old, new in self._get_changes(known, theirs)),
            )
            return True
        if shown.get("waits") and shown["waits"] != [list(pair) for pair in self.session_id._get_waits()]:
            self.notice = self.env._(
                "What other steps wait for has been changed meanwhile: look at the effect once more."
            )
            return True
        return False

    # -- telling and recording -------------------------------------------------

    def _get_changes(self, present, wanted):
        """The changes for people: list of ``(label, old value, new value)``."""
        return [
            (
                self._fields[fname]._description_string(self.env),
                self._format(fname, present[fname]),
                self._format(fname, value),
            )
            for fname, value in wanted.items()
        ]

    def _format(self, fname, value):
        field = self._fields[fname]
        if field.type == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field.type == "datetime":
            value = fields.Datetime.to_datetime(value)
            return (value and self._format_datetime(value)) or self.env._("with the session")
        if field.relational:
            records = self.env[field.comodel_name].browse(value).exists()
            return join_names(self.env, records.mapped("name")) or self.env._("nothing")
        if fname == "student_domain":
            return self.env["clearance.applicability"]._get_words([(value, self.company_id)])[0]
        return value or ""

    def _format_datetime(self, value):
        value = fields.Datetime.context_timestamp(self, value)
        return value.strftime("%Y-%m-%d %H:%M")

    def _describe(self, present, wanted):
        """The changes as a list, for the screen and for the record."""
        items = Markup("").join(
            Markup("<li><b>%s</b>: %s → %s</li>") % change for change in self._get_changes(present, wanted)
        )
        return Markup("<ul>%s</ul>") % items if items else False

    def _record(self, changes, marked):
        """Record in the session: who, what, with which effect in numbers, and what was chosen."""
        facts = [
            (self.env._("Applies to"), f"{self.applies_before} → {self.applies_after}"),
            *(
                (self._fields[fname]._description_string(self.env), self[fname])
                for fname in ("added", "to_not_required", "to_required", "optional", "rerouted", "blocked", "freed")
                if self[fname]
            ),
        ]
        if self.review:
            facts.append((self._fields["review"]._description_string(self.env), self._tell_choice(marked)))
        body = Markup("<p>%s</p>%s<ul>%s</ul>") % (
            self.env._("Step “%s” changed while the session is open", self.step_id.name),
            changes or Markup("<p>%s</p>") % self.env._("Put in force as it stands."),
            Markup("").join(Markup("<li>%s: %s</li>") % fact for fact in facts),
        )
        # sudo: college leads may not write the session; what they may change is recorded there all the same.
        self.session_id.sudo().message_post(body=body, subtype_xmlid="mail.mt_note")

    def _tell_choice(self, marked):
        forced = sum(self.line_ids.mapped("forced"))
        if self.mark_review:
            return self.env._("%(count)s, marked for another look", count=len(marked) + forced)
        if forced:
            return self.env._(
                "%(count)s; %(forced)s marked for another look, the others left as they are by choice",
                count=self.review,
                forced=forced,
            )
        return self.env._("%s, left as they are by choice", self.review)


class ClearanceStepChangeLine(models.TransientModel):
    """The effect on one step: on the one that is changed, or on one that waits for it."""

    _name = "clearance.step.change.line"
    _description = "Effect of a Change on a Step"

    wizard_id = fields.Many2one("clearance.step.change", required=True, ondelete="cascade", index=True)
    step_id = fields.Many2one(
        "clearance.step", required=True, readonly=True, ondelete="cascade", context={"active_test": False}
    )
    station_id = fields.Many2one(related="step_id.station_id")
    blocked = fields.Integer("Blocked from now on", readonly=True)
    freed = fields.Integer("No longer blocked", readonly=True)
    review = fields.Integer("To look at again", readonly=True)
    forced = fields.Integer("Marked in any case", readonly=True, help="They rely on a step that is required again.")
