from odoo.exceptions import AccessError, MissingError
from odoo.http import request, route

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

    def _get_current_clearance_forms(self, forms):
        """Those of the user's forms that matter now: of open sessions where there are any."""
        opened = forms.filtered(lambda form: form.session_state == "open")
        running = opened.filtered(lambda form: form.state != "withdrawn")
        return running or opened or forms

    def _prepare_clearance_links(self, forms):
        """Plain values of forms to choose from."""
        states = dict(forms._fields["state"]._description_selection(request.env))
        return [
            {
                "url": form.access_url,
                # sudo: the name of the session of a form that the user may read.
                "session": form.sudo().session_id.name,
                "closed": form.session_state == "closed",
                "state": form.state,
                "word": states[form.state],
            }
            for form in forms
        ]

    def _prepare_clearance_values(self, form, others=None):
        """Values of the page of ``form``, which the user may read.

        The layout's own values (a salesperson) would cost queries and show nothing here.
        """
        return {
            "page_name": "clearance",
            "clearance": form._get_portal_values(),
            "others": self._prepare_clearance_links(others) if others else [],
        }

    @route("/my/clearance", type="http", auth="user", website=True, readonly=True)
    def portal_my_clearance(self, **kw):
        """The user's form; a choice where there are several, an explanation where none."""
        forms = self._get_clearance_forms()
        current = self._get_current_clearance_forms(forms)
        if len(current) == 1:
            values = self._prepare_clearance_values(current, forms - current)
            return request.render("graduate_clearance.portal_clearance_form", values)
        values = {
            "page_name": "clearance",
            "forms": self._prepare_clearance_links(forms),
            "help": request.env.company.clearance_help,
        }
        return request.render("graduate_clearance.portal_my_clearance", values)

    @route("/my/clearance/<int:form_id>", type="http", auth="user", website=True, readonly=True)
    def portal_clearance_form(self, form_id, **kw):
        """One form of the user; what is not the user's looks like what does not exist."""
        try:
            form_sudo = self._document_check_access("clearance.form", form_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        values = self._prepare_clearance_values(form_sudo.with_user(request.env.user))
        return request.render("graduate_clearance.portal_clearance_form", values)
