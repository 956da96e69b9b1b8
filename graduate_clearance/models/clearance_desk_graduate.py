"""The middle pane of the desk: who it is, and the steps of this station."""

from odoo import api, fields, models
from odoo.tools import SQL

from .clearance_status_gate import MOVES


class ClearanceDesk(models.AbstractModel):
    _inherit = "clearance.desk"

    @api.model
    @api.readonly
    def get_graduate(self, form_id, station_id):
        """A graduate as the desk of a station shows them.

        :return: dict ``form_id``, ``version`` (changes with every change of a status, every
            sending and every message), ``session``, ``form_state``, ``due``, ``open``, ``person``, ``warnings``,
            ``steps`` (of this station; see :meth:`_prepare_steps`; with ``debts``, see
            ``clearance.debt._get_listed``), ``record`` (rows of the
            whole record, see ``clearance.form._get_records``), ``others`` (forms in other open sessions);
            times are UTC texts
        :raise AccessError: when the user may not read the form
        """
        self._check_staff()
        form = self.env["clearance.form"].browse(form_id)
        record = form._get_records().get(form.id, [])
        form_sudo = form.sudo()  # the form is readable: ``_get_records`` has checked it
        figures = self.env["clearance.feed"]._get_figures([row["id"] for row in record])
        owing = [row["id"] for row in record if row["state"] not in ("approved", "not_required") or row["needs_review"]]
        listed = self.env["clearance.debt"]._get_listed(owing)
        own = [row for row in record if row["station_id"] == station_id]
        steps = [
            {**step, "debts": listed.get(step["id"], False)} for step in self._prepare_steps(form_sudo, own, figures)
        ]
        due = [row for row in record if row["required"] and row["state"] != "not_required"]
        return {
            "form_id": form.id,
            "version": self._get_version(form.id),
            "session": {
                "id": form_sudo.session_id.id,
                "name": form_sudo.session_id.name,
                "state": form_sudo.session_state,
            },
            # As the steps are now: forms settle after the commit.
            "form_state": self.env["clearance.deferral"]._get_form_state(form_sudo, record),
            "due": len(due),
            "open": sum(row["is_open"] for row in due),
            "person": self._get_person(form_sudo),
            "warnings": self._get_warnings(form_sudo, record, steps, figures, listed),
            "steps": steps,
            "record": record,
            "others": self._get_other_forms(form),
        }

    def _get_version(self, form_id):
        """A text that changes when something has been decided, sent or said about a form.

        Raw SQL because screens ask for it all the time: three values, none of them read out.
        """
        self.env["clearance.submission"].flush_model(["form_id", "state"])
        self.env["clearance.inquiry"].flush_model(["form_id", "said_count", "waiting"])
        self.env.cr.execute(
            SQL(
                """
                SELECT (SELECT max(id) FROM clearance_log WHERE form_id = %(form)s),
                       (SELECT max(id) FROM clearance_submission WHERE form_id = %(form)s AND state = 'sent'),
                       (SELECT sum(said_count) + count(*) FILTER (WHERE waiting)
                          FROM clearance_inquiry WHERE form_id = %(form)s)
                """,
                form=form_id,
            )
        )
        return "-".join(str(value or 0) for value in self.env.cr.fetchone())

    @api.model
    def _get_person(self, form_sudo):
        """Who it is, for somebody who may read the form; the ID-card number is masked."""
        student = form_sudo.student_id

        def label(fname):
            return dict(student._fields[fname]._description_selection(self.env)).get(student[fname], "")

        has_photo = bool(student.partner_id.image_128)
        return {
            "name": student.name,
            "student_number": student.student_number,
            "gender": label("gender"),
            "college": form_sudo.college_id.name or "",
            "class": form_sudo.class_id.name or "",
            "class_id": form_sudo.class_id.id,
            "room": form_sudo.room_id.complete_name or "",
            "room_id": form_sudo.room_id.id,
            "major": student.major or "",
            "level": label("level"),
            "id_number": student.id_number_masked,
            "earlier_year": form_sudo.earlier_year,
            "graduation_year": student.graduation_year,
            "photo": has_photo and f"/web/image/clearance.form/{form_sudo.id}/image_128",
        }

    def _prepare_steps(self, form_sudo, rows, figures):
        """The rows of this station's steps, with what the desk needs besides.

        :param dict figures: see ``clearance.feed._get_figures``
        :return: list of dicts, each its row and ``ready``, ``instructions``, ``open_from`` and
            ``deadline`` (UTC texts), ``to_be_announced`` (no window of its own yet), ``responsible``
            (office that answers for it where it is not the station; may be empty), ``actions``,
            ``needs_reason``, ``source`` (what the source system said last, or False), ``figure``
            (what it says is owed, or False), ``undo`` and, for who may decide on the step, ``sent`` (see
            ``clearance.submission._get_sent``), ``inquiry`` (dict ``id``, ``waiting``,
            ``count``, or False) and ``attachments`` (papers that the desk has kept)
        """
        ids = [row["id"] for row in rows]
        Status = self.env["clearance.status"]
        mine = set(Status.browse(ids)._actionable_query().get_result_ids())
        statuses = {status.id: status for status in Status.sudo().browse(ids)}  # sudo: their form is readable
        lines = self._get_last_lines(form_sudo.id, ids)
        attachments = self._get_attachments(mine)
        sent = self.env["clearance.submission"]._get_sent(mine)
        inquiries = self.env["clearance.inquiry"]._get_open_counts(list(mine))
        steps = []
        for row in rows:
            status = statuses[row["id"]]
            step = status.step_id
            missing = row["is_open"] and bool(row["blocked_by"])
            last = lines["last"].get(row["id"])
            steps.append(
                {
                    **row,
                    "ready": row["is_open"] and not missing,
                    "instructions": step.instructions or status.station_id.instructions or "",
                    "open_from": fields.Datetime.to_string(step.open_from) or "",
                    "deadline": fields.Datetime.to_string(step.deadline) or "",
                    "to_be_announced": step.to_be_announced,
                    "responsible": step.responsible or "",
                    "actions": self._get_actions(row) if row["id"] in mine and status.active else [],
                    "needs_reason": row["mode"] == "feed",
                    "source": lines["source"].get(row["id"], False),
                    "figure": figures.get(row["id"], False),
                    "sent": sent.get(row["id"], []),
                    "inquiry": self._prepare_inquiry(inquiries.get(row["id"])),
                    "attachments": attachments.get(row["id"], []),
                    "undo": bool(last and row["id"] in mine) and last,
                }
            )
        return steps

    def _prepare_inquiry(self, found):
        return bool(found) and dict(zip(("id", "waiting", "count"), found, strict=True))

    def _get_actions(self, row):
        """Decisions that the state of a status allows."""

        def allows(decision):
            move = MOVES[decision]
            return row["state"] in move.sources or (row["needs_review"] and row["state"] == move.target)

        return [decision for decision in ("approve", "reject", "reopen", "set_not_required") if allows(decision)]

    def _get_last_lines(self, form_id, status_ids):
        """The latest decision on each status, where it can be undone, and what the source system said last."""
        # sudo: lines of statuses on a form that the user may read.
        lines = (
            self.env["clearance.log"]
            .sudo()
            .search_fetch([("form_id", "=", form_id), ("status_id", "in", status_ids)], order="id")
        )
        last, source = {}, {}
        for line in lines:
            if line.action in MOVES or line.action in ("review", "undo"):
                last[line.status_id.id] = line.action in MOVES and {
                    "line": line.id,
                    "mine": line.user_id == self.env.user,
                }
            if line.door == "feed" and line.action in MOVES:
                source[line.status_id.id] = {
                    "text": line.reason or "",
                    "at": fields.Datetime.to_string(line.date),
                    "state": line.to_state,
                }
        return {"last": last, "source": source}

    def _get_attachments(self, status_ids):
        """Papers that a desk has kept with these statuses."""
        attachments = self.env["ir.attachment"].search_fetch(
            [("res_model", "=", "clearance.status"), ("res_id", "in", list(status_ids)), ("res_field", "=", False)],
            ["name", "mimetype", "file_size", "res_id"],
        )
        found = {}
        for attachment in attachments:
            found.setdefault(attachment.res_id, []).append(
                {
                    "id": attachment.id,
                    "name": attachment.name,
                    "mimetype": attachment.mimetype,
                    "size": attachment.file_size,
                }
            )
        return found

    def _get_other_forms(self, form):
        others = self.env["clearance.form"].search(
            [
                ("student_id", "=", form.sudo().student_id.id),  # sudo: of a form that is readable
                ("id", "!=", form.id),
                ("session_id.state", "=", "open"),
            ]
        )
        return [{"form_id": other.id, "session": other.session_id.name} for other in others]
