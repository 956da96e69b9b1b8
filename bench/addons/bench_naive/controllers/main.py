from odoo.http import Controller, request, route


class BenchController(Controller):
    @route("/bench/bare", type="http", auth="user", readonly=True)
    def bench_bare(self):
        """What a request costs before anything is done for it: who asks is known, a word comes back."""
        return request.make_response(request.session.login, [("Content-Type", "text/plain; charset=utf-8")])
