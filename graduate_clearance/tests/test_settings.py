"""What managers set for their campus: who may, and what follows on the server."""

from datetime import timedelta
from unittest.mock import patch

from lxml import html
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..controllers.portal_certificate import LOOKUPS, UNKNOWN
from .test_batch import BatchCommon
from .test_certificate import CertificateCase
from .test_desk import DeskCase
from .test_news import NewsCommon
from .test_portal import PortalCommon
from .test_security import SecurityCase


class SettingsMixin:
    def set(self, **values):
        """Change the settings of the campus, as its manager."""
        settings = self.env["clearance.settings"]._get(self.campus)
        settings.with_user(self.manager).with_context(allowed_company_ids=self.campus.ids).write(values)
        return settings


@tagged("post_install", "-at_install")
class TestSettings(SettingsMixin, SecurityCase):
    def test_every_campus_has_its_own(self):
        Settings = self.env["clearance.settings"]
        companies = self.env["res.company"].with_context(active_test=False).search([])
        self.assertEqual(Settings.search([]).company_id, companies)
        own = Settings._get(self.campus)
        self.assertEqual(own.company_id, self.campus)
        self.assertNotEqual(Settings._get(self.campus_b), own)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            Settings.create({"company_id": self.campus.id})

    def test_made_where_missing(self):
        """A campus that came into the database without the hook; its graduates find them too."""
        Settings = self.env["clearance.settings"]
        Settings._get(self.campus).unlink()
        self.assertFalse(self.students[0].settings_id)
        made = Settings._get(self.campus)
        self.assertEqual(made.company_id, self.campus)
        self.assertEqual(self.students.settings_id, made)
        self.assertEqual(Settings._get(self.campus), made)
        Settings._make_missing()
        self.assertEqual(Settings.search_count([("company_id", "=", self.campus.id)]), 1)

    def test_graduates_have_those_of_their_campus(self):
        self.assertEqual(self.students.settings_id, self.env["clearance.settings"]._get(self.campus))
        self.assertEqual(self.student_b.settings_id, self.env["clearance.settings"]._get(self.campus_b))

    def test_who_may(self):
        own = self.env["clearance.settings"]._get(self.campus).id
        self.rpc(self.manager, "clearance.settings", "write", [own], {"help": "Room 1"})
        for user in (self.librarian, self.counsellor, self.lead, self.auditor, self.deferral, self.graduate):
            self.assert_denied(user, "clearance.settings", "write", [own], {"help": "Room 2"})
        self.assert_denied(self.manager_b, "clearance.settings", "write", [own], {"help": "Room 2"})
        self.assert_denied(self.manager_b, "clearance.settings", "read", [own])
        for user in (self.stranger, self.graduate):
            self.assert_denied(user, "clearance.settings", "read", [own])
        # One a campus, for good.
        self.assert_denied(self.manager, "clearance.settings", "create", [{"company_id": self.campus.id}])
        self.assert_denied(self.manager, "clearance.settings", "unlink", [own])
        for method in ("_get", "_make_missing", "_is_verification_offered"):
            self.assert_denied(self.graduate, "clearance.settings", method)

    def test_menu_opens_the_own_campus(self):
        action = self.env.ref("graduate_clearance.clearance_settings_action")
        for user, campus in ((self.manager, self.campus), (self.manager_b, self.campus_b)):
            opened = action.with_user(user).with_context(allowed_company_ids=campus.ids).run()
            self.assertEqual(opened["res_id"], self.env["clearance.settings"]._get(campus).id)
            self.assertEqual(opened["res_model"], "clearance.settings")
        with self.assertRaises(AccessError):
            action.with_user(self.librarian).run()
        self.assert_denied(self.graduate, "clearance.settings", "action_open")

    def test_clock_of_the_campus(self):
        """Odoo keeps it on the company's contact, which managers need not be able to write."""
        settings = self.env["clearance.settings"]._get(self.campus)
        self.set(timezone="Asia/Shanghai")
        self.assertEqual(self.campus.partner_id.tz, "Asia/Shanghai")
        with self.assertRaises(AccessError):
            settings.with_user(self.librarian).timezone = "Europe/Berlin"
        self.assertEqual(settings.timezone, "Asia/Shanghai")

    def test_impossible_values(self):
        own = self.env["clearance.settings"]._get(self.campus)
        for values in ({"digest_hour": 24}, {"digest_hour": -1}, {"retention_months": -1}):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                own.write(values)
                own.flush_recordset()

    def test_new_stations_take_over(self):
        self.set(bulk_class=False, fast_scan=False)
        Station = self.env["clearance.station"].with_user(self.manager).with_context(allowed_company_ids=None)
        first, second = Station.create([{"name": "Gym"}, {"name": "Pool", "bulk_class": True}])
        self.assertEqual((first.bulk_class, first.bulk_room, first.fast_scan), (False, True, False))
        self.assertEqual((second.bulk_class, second.bulk_room, second.fast_scan), (True, True, False))
        self.assertTrue(self.library.bulk_class, "stations that are there keep their own")
        other = self.env["clearance.station"].create({"name": "Gym B", "company_id": self.campus_b.id})
        self.assertTrue(other.bulk_class and other.fast_scan, "the campus of the station counts")
        first.bulk_class = True
        self.set(bulk_class=False)
        self.assertTrue(first.bulk_class)

    def test_new_sessions_take_over(self):
        self.set(digest=False)
        window = {"open_from": self.clearance.open_from, "open_until": self.clearance.open_until}
        Session = self.env["clearance.session"]
        first = Session.create({"name": "One", "company_id": self.campus.id, **window})
        second = Session.create({"name": "Two", "company_id": self.campus.id, "digest": True, **window})
        self.assertEqual((first.digest, second.digest), (False, True))
        self.assertTrue(Session.create({"name": "B", "company_id": self.campus_b.id, **window}).digest)
        self.assertFalse(first.copy().digest)
        self.assertTrue(self.clearance.digest)


@tagged("post_install", "-at_install")
class TestBulkScopes(SettingsMixin, BatchCommon):
    """What a station does not take at once, no door takes."""

    def test_batches(self):
        ways = {
            "class": {"class_ids": self.class_m1},
            "room": {"room_ids": self.room_n},
            "college": {"college_ids": self.mech},
            "list": {"numbers": "T26000, T26001"},
        }
        searches = {"list": {"form_domain": "[('class_id.name', '=', 'M1')]"}}
        for scope, values in [*ways.items(), *searches.items()]:
            self.affairs_office.write({f"bulk_{way}": way != scope for way in ways})
            for user in (self.affairs, self.manager):
                with self.assertRaises(UserError) as caught:
                    self.preview(user, **values)
                words = "by list or search" if scope == "list" else f"by {scope}"
                self.assertEqual(str(caught.exception), f"Student Affairs takes no batches {words}.")
            for other, others in ways.items():
                if other != scope:
                    self.assertTrue(self.preview(**others).todo_count, (scope, other))
        self.affairs_office.write(dict.fromkeys(("bulk_class", "bulk_room", "bulk_college", "bulk_list"), False))
        with self.assertRaisesRegex(UserError, "Student Affairs takes no batches by class or by list or search"):
            self.preview(class_ids=self.class_m1, numbers="T26003")

    def test_refused_between_preview_and_run(self):
        batch = self.preview(class_ids=self.class_m1)
        self.affairs_office.bulk_class = False
        self.finish(batch)
        self.assertEqual((batch.done_count, batch.refused_count), (0, 2))
        self.assertEqual(set(batch.line_ids.mapped("message")), {"Student Affairs takes no batches by class."})
        self.assertEqual(self.states(students=self.students[:2]), ["pending", "pending"])

    def test_the_desk_of_the_graduate_counts(self):
        """A step of the station above: each desk below works in its own way."""
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        self.mech_desk.bulk_college = False
        batch = self.preview(self.manager, self.degree, college_ids=self.mech | self.arts)
        self.assertEqual((batch.todo_count, batch.refused_count), (3, 3))
        refused = batch.line_ids.filtered(lambda line: line.outcome == "refused")
        self.assertEqual(refused.college_id, self.mech)
        self.assertEqual(
            set(refused.mapped("message")), {"College of Mechanics Certificates takes no batches by college."}
        )
        self.finish(batch)
        self.assertEqual(batch.done_count, 3)
        # What the station above says is nobody's way of working.
        self.mech_desk.bulk_college = True
        self.certificates.bulk_college = False
        self.assertEqual(self.preview(self.manager, self.degree, college_ids=self.mech).todo_count, 3)

    def test_undoing_and_lifting_go_on(self):
        batch = self.preview(class_ids=self.class_m1)
        self.finish(batch)
        self.affairs_office.write(dict.fromkeys(("bulk_class", "bulk_room", "bulk_college", "bulk_list"), False))
        self.undo(batch)
        self.assertEqual(self.states(students=self.students[:2]), ["pending", "pending"])
        lifting = self.batch(self.deferral, decision="lift", reason="Proof shown", class_ids=self.class_m1)
        lifting.action_preview()
        self.assertEqual(lifting.todo_count, 2)

    def test_many_without_a_batch(self):
        """The grid, lists and the interface: what the graduates have in common counts."""
        self.affairs_office.bulk_list = False
        cards = self.statuses(self.card, self.affairs)
        one_class, mixed = cards[:2], cards[:4]
        for door in ("matrix", "list", "kanban", "api", "desk"):
            outcomes = mixed._decide("approve", door)
            self.assertEqual({outcome.code for outcome in outcomes}, {"many"}, door)
            messages = {message for _outcome, message in mixed._explain(outcomes)}
            self.assertEqual(
                messages, {"Student Affairs takes many graduates at once only by class, by room, or by college."}
            )
        self.assertEqual(self.decide(self.statuses(self.card), "approve"), ["many"] * 6, "superusers too")
        self.assertEqual(self.decide(one_class, "approve", door="matrix"), ["done", "done"])
        self.affairs_office.bulk_class = False
        self.assertEqual(self.decide(one_class, "reopen", "Again"), ["done", "done"], "of one college")
        self.affairs_office.bulk_college = False
        # Rooms alternate: 0 and 2 share one.
        self.assertEqual(self.decide(cards[0] | cards[1], "approve"), ["many", "many"])
        self.assertEqual(self.decide(cards[0] | cards[2], "approve"), ["done", "done"])
        self.affairs_office.bulk_room = False
        outcomes = (cards[1] | cards[3])._decide("approve", "matrix")
        self.assertEqual(
            {message for _outcome, message in cards._explain(outcomes)},
            {"Student Affairs takes one graduate at a time."},
        )
        self.assertEqual(self.decide(cards[1], "approve", door="matrix"), ["done"])

    def test_many_steps_of_one_graduate(self):
        self.affairs_office.write(dict.fromkeys(("bulk_class", "bulk_room", "bulk_college", "bulk_list"), False))
        own = self.status(self.students[0], self.card, self.affairs) | self.status(
            self.students[0], self.loan, self.affairs
        )
        self.assertEqual(self.decide(own, "approve", door="desk"), ["done", "done"])

    def test_other_stations_go_on(self):
        self.affairs_office.write(dict.fromkeys(("bulk_class", "bulk_room", "bulk_college", "bulk_list"), False))
        both = self.statuses(self.card, self.manager)[:2] | self.statuses(self.talk, self.manager)[:2]
        self.assertEqual(self.decide(both, "approve"), ["many", "many", "done", "done"])

    def test_machines_go_on(self):
        self.library.write(dict.fromkeys(("bulk_class", "bulk_room", "bulk_college", "bulk_list"), False))
        self.assertEqual(self.decide(self.statuses(self.books), "approve", door="feed"), ["done"] * 6)

    def test_costs_nothing(self):
        """Strict stations or none: the gate asks as many queries, for two rows and for six."""
        cards = self.statuses(self.card, self.affairs)
        counts = {}
        for strict in (False, True):
            self.counselling.bulk_list = not strict
            for size in (2, 6):
                cards[:size]._decide("approve", "api", dry_run=True)
                self.env.flush_all()
                before = self.env.cr.sql_log_count
                cards[:size]._decide("approve", "api", dry_run=True)
                counts[strict, size] = self.env.cr.sql_log_count - before
        self.assertEqual(len(set(counts.values())), 1, counts)


@tagged("post_install", "-at_install")
class TestFastScan(SettingsMixin, DeskCase):
    def test_refused(self):
        desk = self.desk(self.affairs)
        station = next(row for row in desk.get_stations()["stations"] if row["id"] == self.affairs_office.id)
        self.assertTrue(station["fast_scan"])
        self.affairs_office.fast_scan = False
        station = next(row for row in desk.get_stations()["stations"] if row["id"] == self.affairs_office.id)
        self.assertFalse(station["fast_scan"])
        with self.assertRaisesRegex(UserError, "Student Affairs has no fast scanning"):
            desk.scan("k1", "T26001", self.affairs_office.id)
        card = self.status(self.students[1], self.card)
        with self.assertRaisesRegex(UserError, "Student Affairs has no fast scanning"):
            desk.decide("k2", "approve", card.ids, door="scan")
        self.assertEqual(card.state, "pending")
        # To look first, and then to confirm, is what is wanted.
        self.assertEqual(desk.find("T26001", self.affairs_office.id)["form_id"], self.forms[1].id)
        self.assertEqual(desk.decide("k3", "approve", card.ids)["outcomes"][0]["code"], "done")

    def test_other_stations_go_on(self):
        self.affairs_office.fast_scan = False
        self.mech_desk.fast_scan = True
        self.settle_steps(self.books, self.fees, self.card, self.loan)
        answer = self.desk(self.mech_clerk).scan("k1", "T26001", self.mech_desk.id)
        self.assertEqual(answer["result"], "done")


@tagged("post_install", "-at_install")
class TestMailPolicy(SettingsMixin, NewsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["clearance.session"].search([("id", "!=", cls.clearance.id)]).write({"digest": False})
        cls.env["clearance.settings"]._get(cls.campus).digest_hour = 0

    def at(self, text):
        """As if the transaction had begun at this moment (UTC)."""
        moment = fields.Datetime.to_datetime(text)
        return patch.object(type(self.env.cr), "now", lambda cr: moment)

    def notified(self, inquiry):
        message = inquiry.message_ids.sorted("id")[-1:]
        return self.env["mail.notification"].sudo().search([("mail_message_id", "=", message.id)]).res_partner_id

    def test_hour_by_the_clock_of_the_campus(self):
        self.campus.partner_id.tz = "Asia/Shanghai"
        self.set(digest_hour=7)
        self.decide_one(self.card, "approve")
        today = fields.Date.today()
        # 6:59 and 7:00 there.
        with self.at(f"{today - timedelta(days=0)} 22:59:00"):
            self.assertFalse(self.digest())
        with self.at(f"{today} 23:00:00"):
            self.assertEqual(len(self.digest()), 1)

    def test_off_altogether(self):
        inquiry = self.ask()
        self.set(mails=False)
        self.decide_one(self.card, "approve")
        self.assertFalse(self.digest())
        self.answer(inquiry)
        self.assertNotIn(self.graduate.partner_id, self.notified(inquiry))
        form = self.form.sudo()
        message = form.message_post(
            body="A deferral ends",
            subtype_xmlid="mail.mt_comment",
            partner_ids=(self.graduate.partner_id | self.librarian.partner_id).ids,
        )
        told = self.env["mail.notification"].search([("mail_message_id", "=", message.id)]).res_partner_id
        self.assertIn(self.librarian.partner_id, told, "staff get theirs")
        self.assertNotIn(self.graduate.partner_id, told)
        self.assertFalse(self.form._get_portal_mail_setting()["digest"])
        self.set(mails=True)
        self.assertEqual(len(self.digest()), 1)

    def test_answers(self):
        inquiry = self.ask()
        self.answer(inquiry)
        self.assertIn(self.graduate.partner_id, self.notified(inquiry))
        self.set(inquiry_mails=False)
        self.answer(inquiry, body="And until eight.")
        self.assertNotIn(self.graduate.partner_id, self.notified(inquiry))
        self.assertEqual(self.said()[-1], "And until eight.", "it stands on the page")


@tagged("post_install", "-at_install")
class TestVerification(SettingsMixin, CertificateCase, HttpCase):
    def setUp(self):
        super().setUp()
        for limit in (LOOKUPS, UNKNOWN):
            limit.clear()
            self.addCleanup(limit.clear)

    def content(self, response):
        (wrap,) = html.fromstring(response.content).xpath("//*[@id='wrap']")
        return " ".join(wrap.text_content().split())

    def test_off(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.set(verification=False)
        self.assertEqual(self.verify(certificate.token), {"offered": False})
        response = self.url_open(f"/clearance/verify/{certificate.token}")
        self.assertEqual(response.status_code, 404)
        self.assertIn("Certificates are not verified here", self.content(response))
        self.assertNotIn(certificate.number, response.text)
        # Another campus lets its certificates be verified: the page itself stays.
        self.assertEqual(self.url_open("/clearance/verify").status_code, 200)
        self.assertIn("No such certificate", self.content(self.url_open("/clearance/verify/nothing")))
        self.env["clearance.settings"].search([]).write({"verification": False})
        for url in ("/clearance/verify", "/clearance/verify?code=2026-000001", "/clearance/verify/nothing"):
            response = self.url_open(url)
            self.assertEqual(response.status_code, 404, url)
            self.assertIn("Certificates are not verified here", self.content(response), url)
        self.assertNotIn("/clearance/verify", self.url_open("/clearance").text)

    def test_paper_without_code(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.set(verification=False)
        printed = self.sheet(self.form, self.manager)["certificate"]
        self.assertEqual(printed["number"], certificate.number)
        self.assertEqual([printed[key] for key in ("code", "qr", "url", "address")], [""] * 4)
        self.authenticate(self.graduate.login, self.graduate.login)
        response = self.url_open(f"/my/clearance/{self.form.id}/certificate")
        self.assertIn(certificate.number, response.text)
        self.assertNotIn("data:image/png", response.text)
        self.assertNotIn("/clearance/verify", response.text)
        self.set(verification=True)
        self.assertIn(certificate._get_typed_code(), self.url_open(f"/my/clearance/{self.form.id}/certificate").text)

    def test_name(self):
        self.clear(self.form)
        certificate = self.issue(self.form)
        self.assertEqual(self.verify(certificate.token)["name"], "张**")
        self.set(verification_name="full")
        told = self.verify(certificate.token)
        self.assertEqual((told["name"], told["masked"]), ("张三丰", False))
        text = self.content(self.url_open(f"/clearance/verify/{certificate.token}"))
        self.assertIn("张三丰", text)
        self.assertNotIn("masked", text)


@tagged("post_install", "-at_install")
class TestSettingsPages(SettingsMixin, PortalCommon):
    def test_help_is_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        settings = self.set(help="Ask room 101.")
        settings.with_context(lang="fr_FR").help = "Salle 101."
        url = f"/my/clearance/{self.form.id}"
        self.assertIn("Ask room 101.", self.words(self.page(url), "o_clearance_help"))
        self.graduate.lang = "fr_FR"
        self.assertIn("Salle 101.", self.words(self.page(url), "o_clearance_help"))
        settings.with_context(lang="fr_FR").help = "Salle 102."
        self.assertIn("Salle 102.", self.words(self.page(url), "o_clearance_help"))

    def test_retention_is_told(self):
        url = f"/my/clearance/{self.form.id}"
        self.assertFalse(self.find(self.page(url), "o_clearance_privacy"))
        self.set(retention_months=12)
        self.assertIn("12 months after this session", self.words(self.page(url), "o_clearance_privacy"))

    def test_settings_of_system_administrators_lead_here(self):
        arch = self.env["res.config.settings"].with_user(self.env.ref("base.user_admin")).get_view()["arch"]
        action = self.env.ref("graduate_clearance.clearance_settings_action")
        self.assertTrue(html.fromstring(arch).xpath(f"//button[@name='{action.id}']"))


@tagged("post_install", "-at_install")
class TestMigration(SecurityCase):
    def test_closed_sessions_remember_since_when(self):
        self.assertFalse(self.clearance.closed_at)
        self.clearance.action_close()
        self.assertTrue(self.clearance.closed_at)
        self.clearance.action_reopen()
        self.assertFalse(self.clearance.closed_at)
        self.clearance.action_close()
        self.assertFalse(self.clearance.copy().closed_at)
