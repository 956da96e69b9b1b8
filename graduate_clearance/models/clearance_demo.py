from odoo import api, models

from ..demo.campus import Campus


class ClearanceDemo(models.AbstractModel):
    """Makes an invented campus to try the addon on; nothing here can be called remotely."""

    _name = "clearance.demo"
    _description = "Clearance Demo Campus"

    @api.private
    def generate(self, size=120, seed=1, lang="en_US"):
        """Make a campus of invented people with an open session, shaped like Hunan UST.

        :param int size: number of graduates
        :param int seed: the same seed and size make the same campus
        :param str lang: language of the users made
        :return: dict ``{"users": [{"role", "login", "password"}, ...]}``
        """
        return Campus(self.env, size, seed, lang).build()
