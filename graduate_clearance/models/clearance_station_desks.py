from odoo import models
from odoo.exceptions import UserError


class ClearanceStation(models.Model):
    """A station that exists once per college (Hunan UST)."""

    _inherit = "clearance.station"

    def action_make_college_desks(self):
        """Make a desk right below this station for every college that none of its desks takes yet.

        Each is named after its college and this station in every installed language, takes the graduates
        of that college, and has the code of both where they have one.  Who works there is still to be said.

        :raise AccessError: for everybody but managers
        :raise UserError: when every college has its desk, or the campus no college
        """
        self.ensure_one()
        self.browse().check_access("create")
        self.check_access("write")
        colleges = self.env["clearance.college"].search([("company_id", "=", self.company_id.id)])
        if not colleges:
            raise UserError(self.env._("This campus has no college yet."))
        missing = colleges - self.child_ids.college_ids
        if not missing:
            raise UserError(self.env._("Every college has a desk of “%s” already.", self.name))
        codes = self._get_desk_codes(missing)
        configuration = self.env["clearance.configuration"]
        configuration._create_texts(
            "clearance.station",
            [
                {
                    "company_id": self.company_id.id,
                    "parent_id": self.id,
                    "sequence": self.sequence,
                    "college_ids": college.ids,
                    "code": codes[college],
                }
                for college in missing
            ],
            [
                {"name": {lang: self._name_desk(college, lang) for lang in configuration._get_languages()}}
                for college in missing
            ],
        )

    def _name_desk(self, college, lang):
        """The name of a college's desk of this station, in one language."""
        station, college = self.with_context(lang=lang), college.with_context(lang=lang)
        return station.env._("%(college)s: %(station)s", college=college.name, station=station.name)

    def _get_desk_codes(self, colleges):
        """``{college: code or False}`` for desks to be made, with codes that are still free."""
        wanted = {
            college: f"{self.code}-{college.code}" if self.code and college.code else False for college in colleges
        }
        there = (
            self.with_context(active_test=False)
            .search(
                [("company_id", "=", self.company_id.id), ("code", "in", [code for code in wanted.values() if code])]
            )
            .mapped("code")
        )
        return {college: code if code not in there else False for college, code in wanted.items()}
