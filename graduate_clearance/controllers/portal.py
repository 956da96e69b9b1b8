from odoo.http import request, route
from odoo.tools.misc import get_lang

from odoo.addons.portal.controllers.portal import CustomerPortal


class ClearancePortal(CustomerPortal):
    """The graduate's side of the clearance.

    Nothing here takes an access token: the page lists what one person owes to whom,
    so it asks for a login, and the record rules say whose form it is.
    """

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "clearance_count" in counters:
            values["clearance_count"] = self._get_clearance_count()
        if not counters:
            # The page itself: its card is there for graduates even when nothing is left,
            # and without JavaScript, which fills in the counters.
            values["has_clearance_form"] = bool(self._get_clearance_forms())
        return values

    def _get_clearance_count(self):
        """Number of open steps of the user in sessions that are open."""
        forms = self._get_clearance_forms()
        return sum(forms.filtered(lambda form: form.session_state == "open").mapped("open_count"))

    def _get_clearance_forms(self):
        """The user's own forms, the latest first; none for those who may not read any."""
        Form = request.env["clearance.form"]
        if not Form.has_access("read"):
            return Form
        # A manager may read every form; on this page everybody is a graduate.
        return Form.search([("partner_id", "=", request.env.user.partner_id.id)], order="id desc")

    # -- for every page of the graduate's side ---------------------------------------

    def _get_own_form(self, form_id):
        """The user's own form, with the user's rights.

        What is not the user's looks like what does not exist, also to a manager who
        may read every form: on these pages everybody is a graduate.

        :param int form_id: as it came in the address
        :return: the ``clearance.form``, or None
        """
        form = request.env["clearance.form"].browse(form_id).exists()
        if form and form.has_access("read") and form.partner_id == request.env.user.partner_id:
            return form
        return None

    def _get_own_status(self, status_id):
        """One step of the user's own form, with the user's rights.

        :param int status_id: as it came in the address
        :return: the ``clearance.status``, or None
        """
        status = request.env["clearance.status"].browse(status_id).exists()
        if status and status.has_access("read") and self._get_own_form(status.form_id.id):
            return status
        return None

    def _prepare_page_values(self, page_name, **values):
        """Values of any page: its name, what the last action came to, its language and the campus' colours.

        Odoo's portal leaves the language out; screen readers would read Chinese as English.
        """
        style = values.get("clearance", {}).get("style") or request.env["clearance.legend"]._get_style()
        return {
            "page_name": page_name,
            "html_data": {"lang": get_lang(request.env).code.replace("_", "-"), "style": style or None},
            "flashes": self._pop_flashes(),
            **values,
        }

    def _flash(self, level, text):
        """Say something on the next page that the user sees.

        :param str level: ``success``, ``warning`` or ``danger``
        :param str text: a sentence for people, in their language
        """
        flashes = request.session.get("clearance_flashes", [])
        # A handful: an answer that nobody looks at must not fill the session.
        request.session["clearance_flashes"] = [*flashes, [level, str(text)]][-5:]

    def _pop_flashes(self):
        """What :meth:`_flash` has left for this page; shown once.

        :return: list of dicts ``level`` and ``text``
        """
        # Looked at first: a session that nothing is taken out of need not be saved.
        if not request.session.get("clearance_flashes"):
            return []
        return [{"level": level, "text": text} for level, text in request.session.pop("clearance_flashes")]

    def _back_to_step(self, status, anchor=""):
        """Send the browser to the page of a step, after a form was sent.

        :param status: the ``clearance.status``
        :param str anchor: where on the page: ``ask``, ``talk`` or ``history``
        """
        return request.redirect(f"/my/clearance/step/{status.id}" + (f"#{anchor}" if anchor else ""))

    # -- the form --------------------------------------------------------------------

    def _get_clearance_heads(self, form_id=None):
        """The user's own forms as plain values, the latest first; see ``_get_portal_heads``.

        :param int form_id: this one only
        """
        # A manager may read every form; on these pages everybody is a graduate.
        domain = [("partner_id", "=", self._fetch_who_asks().id)]
        if form_id:
            domain.append(("id", "=", form_id))
        return request.env["clearance.form"]._get_portal_heads(domain)

    def _fetch_who_asks(self):
        """The partner of the user.

        Of user, partner and campus a page shows two names and needs a time zone: left to
        itself, it would fetch a hundred columns of theirs.
        """
        user = request.env.user
        user.fetch(["partner_id", "company_id"])
        user.partner_id.fetch(["name", "tz"])
        # sudo: its name stands on every page.
        request.env.company.sudo().fetch(["name"])
        return user.partner_id

    def _get_current_clearance_heads(self, heads):
        """Those of the user's forms that matter now: of open sessions where there are any."""
        opened = [head for head in heads if head["session_state"] == "open"]
        running = [head for head in opened if head["state"] != "withdrawn"]
        return running or opened or heads

    def _prepare_clearance_links(self, heads):
        """Plain values of forms to choose from."""
        states = dict(request.env["clearance.form"]._fields["state"]._description_selection(request.env))
        return [
            {
                "url": f"/my/clearance/{head['id']}",
                "session": head["session"],
                "closed": head["session_state"] == "closed",
                "state": head["state"],
                "word": states[head["state"]],
            }
            for head in heads
        ]

    def _prepare_clearance_values(self, head, others=()):
        """Values of the page of a form.

        The layout's own values (a salesperson) would cost queries and show nothing here.

        :param dict head: of a form of the user, see :meth:`_get_clearance_heads`
        :param others: heads of the user's other forms
        """
        form = request.env["clearance.form"].browse(head["id"])
        return self._prepare_page_values(
            "clearance",
            clearance=form._get_portal_values(head),
            others=self._prepare_clearance_links(others) if others else [],
        )

    @route("/my/clearance", type="http", auth="user", website=True, readonly=True)
    def portal_my_clearance(self, **kw):
        """The user's form; a choice where there are several, an explanation where none."""
        heads = self._get_clearance_heads()
        current = self._get_current_clearance_heads(heads)
        if len(current) == 1:
            values = self._prepare_clearance_values(current[0], [head for head in heads if head not in current])
            return request.render("graduate_clearance.portal_clearance_form", values)
        values = self._prepare_page_values(
            "clearance",
            forms=self._prepare_clearance_links(heads),
            help=request.env["clearance.settings"]._get().help,
        )
        return request.render("graduate_clearance.portal_my_clearance", values)

    @route("/my/clearance/<int:form_id>", type="http", auth="user", website=True, readonly=True)
    def portal_clearance_form(self, form_id, **kw):
        """One form of the user; what is not the user's looks like what does not exist."""
        heads = self._get_clearance_heads(form_id)
        if not heads:
            return request.redirect("/my")
        values = self._prepare_clearance_values(heads[0])
        return request.render("graduate_clearance.portal_clearance_form", values)

    @route("/my/clearance/<int:form_id>/changes", type="http", auth="user", website=True, readonly=True)
    def portal_clearance_changes(self, form_id, **kw):
        """What has changed on a form lately, and whether mails tell of it.

        A page of its own: the form says where everything stands, and is opened a hundred
        times for once that somebody asks how it came about.
        """
        form = self._get_own_form(form_id)
        if not form:
            return request.redirect("/my/clearance")
        values = self._prepare_page_values(
            "clearance_changes",
            # sudo: the name of the session of the user's own form.
            clearance={"session": form.sudo().session_id.name, "url": form.access_url},
            news=form._get_portal_news(limit=30),
            mails=form._get_portal_mail_setting(),
        )
        return request.render("graduate_clearance.portal_clearance_changes", values)

    @route("/my/clearance/<int:form_id>/news", type="http", auth="user", readonly=True, sitemap=False)
    def portal_clearance_news(self, form_id, **kw):
        """Whether the page of a form would say something else by now: asked by open pages.

        One query and no page: answers 304 while nothing has changed.

        :return: JSON ``{"version": text}``, the same as on the page and as its ETag
        """
        heads = self._get_clearance_heads(form_id)
        if not heads:
            return request.make_json_response({"version": ""}, status=404)
        version = request.env["clearance.form"]._get_portal_version(heads[0])
        headers = [("ETag", f'"{version}"'), ("Cache-Control", "private, no-cache")]
        if request.httprequest.if_none_match.contains(version):
            return request.make_response("", headers=headers, status=304)
        return request.make_json_response({"version": version}, headers=headers)

    # -- one step --------------------------------------------------------------------

    def _prepare_step_page_values(self, status, **extra):
        """Values of the page of one step.

        :param status: a ``clearance.status`` of the user, see :meth:`_get_own_status`
        :param extra: values that take the place of others, such as an ``ask`` with errors
        :return: dict; ``step`` is False when the page of the form does not show it
        """
        clearance = status.form_id._get_portal_values()
        lists = [clearance["not_required"], *(section["steps"] for section in clearance["sections"])]
        step = next((step for steps in lists for step in steps if step["id"] == status.id), False)
        if not step:
            return {"step": False}
        return self._prepare_page_values(
            "clearance_step",
            clearance=clearance,
            step=step,
            history=status._get_portal_history(),
            **{
                "ask": extra["ask"] if "ask" in extra else status._get_portal_ask(),
                "thread": extra["thread"] if "thread" in extra else status._get_portal_thread(),
                **extra,
            },
        )

    @route("/my/clearance/step/<int:status_id>", type="http", auth="user", website=True, readonly=True)
    def portal_clearance_step(self, status_id, **kw):
        """One step: what to do, what was sent, what was said, what has happened."""
        status = self._get_own_status(status_id)
        if not status:
            return request.redirect("/my/clearance")
        values = self._prepare_step_page_values(status)
        if not values["step"]:
            return request.redirect(status.form_id.access_url)
        return request.render("graduate_clearance.portal_clearance_step_page", values)
