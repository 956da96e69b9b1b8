"""Style sheets compile: Odoo shows an unstyled page instead of failing."""

from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestAssets(TransactionCase):
    def test_style_sheets_compile(self):
        for name in ("web.assets_backend", "web.assets_frontend"):
            with self.subTest(bundle=name):
                bundle = self.env["ir.qweb"]._get_asset_bundle(name, css=True, js=False)
                bundle.css()
                self.assertEqual(bundle.css_errors, [])
