from odoo import api, fields, models

from ..roster_columns import fold_header


class ClearanceRosterColumn(models.Model):
    """What a column of the campus' files means, remembered from the last import.

    A header that nobody wanted is remembered too, with no meaning: next time it is passed over.
    """

    _name = "clearance.roster.column"
    _description = "Column of a Roster"
    _order = "header, id"
    _rec_name = "header"

    company_id = fields.Many2one(
        "res.company",
        "Campus",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    header = fields.Char(required=True, help="As it stands in files, without blanks and punctuation.")
    column = fields.Char("Meaning", help="Technical name of the column, empty: passed over.")

    _header_company_uniq = models.Constraint(
        "UNIQUE(company_id, header)", "What a header means is remembered once for each campus."
    )

    @api.model
    def _get_meanings(self, company):
        """What headers mean on a campus.

        :return: dict folded header -> name of a column; ``""``: passed over
        """
        found = self.search([("company_id", "=", company.id)])
        return {remembered.header: remembered.column or "" for remembered in found}

    @api.model
    def _remember(self, company, meanings):
        """Remember what headers mean, for the next file.

        :param dict meanings: header -> name of a column, or False
        """
        known = {remembered.header: remembered for remembered in self.search([("company_id", "=", company.id)])}
        folded = {fold_header(header): column or False for header, column in meanings.items() if fold_header(header)}
        new = []
        for header, column in folded.items():
            if header not in known:
                new.append({"company_id": company.id, "header": header, "column": column})
            elif known[header].column != column:
                known[header].column = column
        self.create(new)
