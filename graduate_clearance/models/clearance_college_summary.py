"""The summary of a college on paper, to be stamped: how many are due, cleared, deferred, open."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_list
from odoo.tools.misc import formatLang, get_lang

_FIGURES = ("due", "cleared", "deferred", "open")


class ClearanceSession(models.Model):
    _inherit = "clearance.session"

    @api.model
    def _get_printed(self, companies):
        """The session to print when none is named: the one that is open, else the latest."""
        sessions = self.search([("state", "!=", "draft"), ("company_id", "in", companies.ids)])
        return (sessions.filtered(lambda session: session.state == "open") or sessions)[:1]


class ClearanceCollege(models.Model):
    _inherit = "clearance.college"

    def _get_summaries(self, session):
        """What the printed summary of these colleges says, one dict a college that takes part.

        Figures are texts such as ``474 (10)``: those in brackets are of earlier years, and are part of the
        others (Hunan UST).  The number of queries depends on neither colleges nor graduates.

        :param session: a ``clearance.session``
        :return: list of dicts with ``lang``, ``campus``, ``session``, ``college``, ``as_of`` (moment, in the time
            of the campus), ``figures`` (dict: ``due``, ``cleared``, ``deferred``, ``open`` and ``rate``),
            ``withdrawn`` (text, empty for none), ``classes`` (rows of graduates: ``name``, ``counsellor`` and
            figures) and ``steps`` (rows of required steps: ``name``, ``station`` and figures, with ``cleared`` for
            done)
        :raise AccessError: when the user may not see every graduate of one of the colleges
        :raise UserError: when nobody of them takes part
        """
        session.check_access("read")
        self._check_summary_access(session)
        graduates, steps = self._count_graduates(session), self._count_steps(session)
        # sudo: all forms of these colleges are readable (checked above); names of session, classes and counsellors.
        colleges = self.sudo().filtered(lambda college: college.id in graduates)
        if not colleges:
            raise UserError(
                self.env._("None of these colleges has graduates in “%s”. Choose another session.", session.name or "–")
            )
        form = self.env["clearance.form"].search([("session_id", "=", session.id)], limit=1)
        as_of = form._get_print_moment(self.env.cr.now())
        return [
            {
                "lang": get_lang(self.env).iso_code.replace("_", "-"),
                "campus": college.company_id.name,
                "session": session.name,
                "college": college.name,
                "as_of": as_of,
                **college._prepare_summary(graduates[college.id], steps.get(college.id, {})),
            }
            for college in colleges
        ]

    def _check_summary_access(self, session):
        """A sum over the few graduates that somebody sees would pass for that of the college.

        :raise AccessError: naming the colleges of whose graduates the user sees some only
        """
        Form = self.env["clearance.form"]
        domain = [("session_id", "=", session.id), ("college_id", "in", self.ids)]
        seen = dict(Form._read_group(domain, ["college_id"], ["__count"]))
        # sudo: how many there are is compared, not told.
        every = Form.sudo()._read_group(domain, ["college_id"], ["__count"])
        hidden = [college.name for college, count in every if seen.get(college.sudo(False), 0) < count]
        if hidden:
            raise AccessError(
                self.env._(
                    "The summary of a college is for its leads, for managers and auditors: %s",
                    format_list(self.env, hidden),
                )
            )

    def _count_graduates(self, session):
        """Forms by college, class and what they amount to now.

        :return: dict ``{college id: {class: {figure: [number, of earlier years]}}}``; figures are ``due``,
            ``cleared``, ``deferred``, ``open`` and ``withdrawn``, which is not due
        """
        # sudo: counted for those who may see every one of them (checked before).
        Form = self.env["clearance.form"].sudo()
        own = Domain("session_id", "=", session.id) & Domain("college_id", "in", self.ids)
        counts = {}
        for state, domain in Form._get_live_state_domains().items():
            groups = Form._read_group(own & domain, ["college_id", "class_id", "earlier_year"], ["__count"])
            for college, class_, earlier, count in groups:
                row = counts.setdefault(college.id, {}).setdefault(class_, _get_row())
                for figure in (state,) if state == "withdrawn" else (state, "due"):
                    _add(row[figure], count, earlier)
        return counts

    def _count_steps(self, session):
        """Required steps by college, and whether they are settled, deferred or open.

        :return: dict ``{college id: {step: {figure: [number, of earlier years]}}}``
        """
        # sudo: as for the graduates.
        Status = self.env["clearance.status"].sudo()
        own = Domain(
            [
                ("session_id", "=", session.id),
                ("college_id", "in", self.ids),
                ("active", "=", True),
                ("required", "=", True),
                ("state", "!=", "not_required"),
            ]
        )
        by = ["college_id", "step_id", "is_open", "earlier_year"]
        lifted = own & Domain("is_open", "=", True) & Domain("is_lifted", "=", True)
        counts = {}
        for college, step, is_open, earlier, count in Status._read_group(own, by, ["__count"]):
            row = counts.setdefault(college.id, {}).setdefault(step, _get_row())
            for figure in ("due", "open" if is_open else "cleared"):
                _add(row[figure], count, earlier)
        for college, step, _is_open, earlier, count in Status._read_group(lifted, by, ["__count"]):
            row = counts[college.id][step]
            _add(row["deferred"], count, earlier)
            _add(row["open"], -count, earlier)
        return counts

    def _prepare_summary(self, classes, steps):
        """The figures of one college; see :meth:`_get_summaries`."""
        total = _get_row()
        for row in classes.values():
            for figure, (count, earlier) in row.items():
                total[figure][0] += count
                total[figure][1] += earlier
        withdrawn = self._format_figure(total["withdrawn"]) if total["withdrawn"][0] else ""
        by_name = sorted(classes.items(), key=lambda item: (not item[0], item[0].name or "", item[0].id))
        in_order = sorted(steps.items(), key=lambda item: (item[0].sequence, item[0].id))
        return {
            "figures": self._format_row(total),
            "withdrawn": withdrawn,
            "classes": [
                {"name": class_.name, "counsellor": class_.counsellor_id.name, **self._format_row(row)}
                for class_, row in by_name
            ],
            "steps": [
                {"name": step.name, "station": step.station_id.name, **self._format_row(row)} for step, row in in_order
            ],
        }

    def _format_row(self, row):
        due, open_ = row["due"][0], row["open"][0]
        # Rounded down: nobody reads 100 % where somebody is missing.
        rate = formatLang(self.env, (1000 * (due - open_) // due) / 10, digits=1) if due else ""
        return {
            **{figure: self._format_figure(row[figure]) for figure in _FIGURES},
            "rate": f"{rate} %" if due else "–",
        }

    def _format_figure(self, figure):
        """A number, and in brackets how many of them are of earlier years."""
        count, earlier = (formatLang(self.env, number, digits=0) for number in figure)
        return f"{count} ({earlier})" if figure[1] else count


def _get_row():
    return {figure: [0, 0] for figure in (*_FIGURES, "withdrawn")}


def _add(figure, count, earlier):
    figure[0] += count
    figure[1] += count if earlier else 0
