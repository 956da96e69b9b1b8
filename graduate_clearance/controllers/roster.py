"""Downloads around rosters and Odoo's own import: templates, the report of an import."""

from odoo.http import Controller, request, route


class ClearanceRosterController(Controller):
    """For managers of the campus; everybody else is refused."""

    @route("/clearance/roster/template", type="http", auth="user", methods=["GET"], readonly=True, sitemap=False)
    def roster_template(self, lang=None, **_kw):
        """An empty roster to fill in.

        :param str lang: ``zh_CN`` or ``en_US``; default: the user's language
        :raise AccessError: answered as 403, unless the user may import
        """
        return request.env["clearance.export"]._stream(*request.env["clearance.roster.import"]._write_template(lang))

    @route(
        "/clearance/roster/<int:import_id>/report",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def roster_report(self, import_id, **_kw):
        """What became of the rows of an import.

        :raise AccessError: answered as 403, unless the user may read the import
        :raise MissingError: answered as 404
        """
        roster = request.env["clearance.roster.import"].browse(import_id)
        roster.check_access("read")
        return request.env["clearance.export"]._stream(*roster._write_report())

    @route(
        "/clearance/import_template/<model>",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
        sitemap=False,
    )
    def import_template(self, model, **_kw):
        """A template for Odoo's own import.

        :raise AccessError: answered as 403, unless the user may create such records
        :raise UserError: answered as 422: there is none for this model
        """
        return request.env["clearance.export"]._stream(*request.env["clearance.import.template"]._write(model))
