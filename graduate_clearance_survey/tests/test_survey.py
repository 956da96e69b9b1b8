"""A step that is settled by answering a questionnaire: whose answer, when, and nothing but that."""

from datetime import timedelta

from lxml import html

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.graduate_clearance.tests.common import ClearanceCommon


class SurveyCommon(ClearanceCommon):
    """A questionnaire with one question, and a step that waits for nothing but it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.survey = cls._create_survey("How was it?")
        cls.ask = cls._create_step("Questionnaire", cls.affairs_office, mode="graduate", survey_id=cls.survey.id)

    @classmethod
    def _create_survey(cls, title, **values):
        return cls.env["survey.survey"].create(
            {
                "title": title,
                "access_mode": "public",
                "users_login_required": True,
                "questions_layout": "one_page",
                "question_and_page_ids": [
                    Command.create(
                        {
                            "title": "What was best?",
                            "question_type": "char_box",
                            "constr_mandatory": True,
                            "sequence": 1,
                        }
                    )
                ],
                **values,
            }
        )

    def answer(self, user=None, partner=None, survey=None, **values):
        """An answer to the end, as the pages of the survey make it."""
        answer = (survey or self.survey)._create_answer(user=user or False, partner=partner or False, **values)
        answer._mark_in_progress()
        answer._mark_done()
        return answer

    def state(self, student, step=None):
        return self.status(student, step or self.ask).state


@tagged("post_install", "-at_install")
class TestSurvey(SurveyCommon):
    def test_only_where_the_graduate_settles_the_step(self):
        with self.assertRaisesRegex(ValidationError, "the graduate has to settle it"):
            self.card.survey_id = self.survey
        with self.assertRaisesRegex(ValidationError, "the graduate has to settle it"):
            self.ask.mode = "station"

    def test_answers_must_be_known_to_be_the_graduates(self):
        for values in ({"users_login_required": False}, {"access_mode": "token"}):
            survey = self._create_survey("Anybody", **values)
            with self.assertRaisesRegex(ValidationError, "require a login"):
                self._create_step("Anybody", self.affairs_office, mode="graduate", survey_id=survey.id)
            with self.assertRaisesRegex(ValidationError, "require a login"):
                self.survey.write(values)
        self._create_survey("Not of a step").users_login_required = False
        self.open_session()
        self.clearance.action_close()
        self.survey.users_login_required = False

    def test_copied_with_the_session(self):
        copied = self.clearance.copy().step_ids.filtered(lambda step: step.name == "Questionnaire")
        self.assertEqual((copied.survey_id, copied.mode), (self.survey, "graduate"))

    def test_approving_alone_is_refused(self):
        self.open_session()
        status = self.status(self.students[0], self.ask, self.graduate)
        self.assertEqual(self.decide(status, "approve", door="portal"), ["not_sent"])
        with self.assertRaises(UserError):
            self.env["clearance.submission"].with_user(self.graduate)._confirm(status)
        self.assertEqual(self.state(self.students[0]), "pending")

    def test_answered(self):
        self.open_session()
        self.answer(self.graduate)
        status = self.status(self.students[0], self.ask)
        self.assertEqual((status.state, status.door, status.user_id), ("approved", "portal", self.graduate))
        self.assertEqual(self.state(self.students[1]), "pending")
        line = self.env["clearance.log"].search([("status_id", "=", status.id)])
        self.assertEqual((line.action, line.door, line.user_id), ("approve", "portal", self.graduate))

    def test_what_does_not_count(self):
        self.open_session()
        other = self._create_survey("Another one")
        not_done = self.survey._create_answer(user=self.graduate)
        not_done._mark_in_progress()
        self.answer(self.graduate, survey=other)
        self.answer(self.other_graduate)
        # Of nobody known.
        self.answer(email=self.students[0].email)
        test = self.answer(self.env.user, test_entry=True)
        test.partner_id = self.students[0].partner_id
        test._mark_done()
        self.assertEqual(self.state(self.students[0]), "pending")
        status = self.status(self.students[0], self.ask, self.graduate)
        self.assertEqual(self.decide(status, "approve", door="portal"), ["not_sent"])

    def test_graduate_without_an_account(self):
        """An answer that is brought in for somebody: confirmed by its graduate, once there is an account."""
        self.open_session()
        self.answer(partner=self.students[2].partner_id)
        self.assertEqual(self.state(self.students[2]), "pending")
        self.clearance._open()
        self.assertEqual(self.state(self.students[2]), "approved")

    def test_staff_do_not_settle_it_with_their_rights(self):
        """A graduate whose contact has a staff account: the gate would let a manager pass everything."""
        self.graduate.active = False
        self.students[0].partner_id.with_context(active_test=False).user_ids.partner_id = self.env[
            "res.partner"
        ].create({"name": "Elsewhere"})
        self.manager.partner_id = self.students[0].partner_id
        self.open_session()
        self.answer(self.manager)
        self.assertEqual(self.state(self.students[0]), "pending")

    def test_answered_before_the_session_opened(self):
        self.answer(self.graduate)
        self.answer(self.other_graduate, test_entry=False)
        self.answer(partner=self.students[3].partner_id)
        self.open_session()
        self.assertEqual(
            [self.state(student) for student in self.students],
            ["approved"] * 2 + ["pending", "approved"] + ["pending"] * 2,
        )
        status = self.status(self.students[3], self.ask)
        self.assertEqual(status.door, "roster")

    def test_opening_again_overrules_nobody(self):
        self.open_session()
        self.answer(self.graduate)
        status = self.status(self.students[0], self.ask)
        self.assertEqual(self.decide(status.with_user(self.manager), "reopen", "Please answer again"), ["done"])
        self.env.cr.execute(
            "UPDATE clearance_status SET decided_at = decided_at + interval '1 minute' WHERE id = %s", [status.id]
        )
        self.env.invalidate_all()
        self.clearance._open()
        self.assertEqual(status.state, "pending")
        own = status.with_user(self.graduate)
        self.assertEqual(self.decide(own, "approve", door="portal"), ["not_sent"])
        again = self.answer(self.graduate)
        again.end_datetime = "2100-01-01"
        again._settle_clearance()
        self.assertEqual(status.state, "approved")

    def test_optional_step(self):
        self.ask.required = False
        self.open_session()
        self.assertEqual(self.state(self.students[0]), "optional")
        self.answer(self.graduate)
        self.assertEqual(self.state(self.students[0]), "approved")

    def test_prerequisite_first(self):
        """Answered too early, it waits; then the graduate confirms."""
        self.ask.prerequisite_ids = self.card
        forms = self.open_session()
        self.answer(self.graduate)
        self.assertEqual(self.state(self.students[0]), "pending")
        self.settle_steps(self.card, students=self.students[0])
        status = self.status(self.students[0], self.ask, self.graduate)
        self.assertEqual(self.row(forms[0])["action"]["label"], "You have answered: confirm")
        self.assertEqual(self.decide(status, "approve", door="portal"), ["done"])

    def test_closed_session(self):
        self.open_session()
        self.clearance.action_close()
        self.answer(self.graduate)
        self.assertEqual(self.state(self.students[0]), "pending")

    def test_several_sessions(self):
        """A second degree: one questionnaire for both."""
        self.clearance.name = "First"
        second = self.clearance.copy({"name": "Second"})
        self.open_session()
        second._open()
        self.answer(self.graduate)
        statuses = self.env["clearance.status"].search(
            [("step_id.survey_id", "=", self.survey.id), ("form_id.student_id", "=", self.students[0].id)]
        )
        self.assertEqual(statuses.mapped("state"), ["approved"] * 2)

    def test_managers_may_choose_but_not_read_answers(self):
        answer = self.answer(self.graduate)
        survey = self.survey.with_user(self.manager)
        self.assertEqual(survey.title, "How was it?")
        kept = self._create_survey("Of others", restrict_user_ids=[Command.set(self.env.user.ids)])
        self.assertFalse(survey.search([("id", "=", kept.id)]))
        for record in (survey, answer.with_user(self.manager)):
            self.assertFalse(record.has_access("write"))
        self.assertFalse(answer.with_user(self.manager).has_access("read"))
        self.assertFalse(survey.with_user(self.librarian).has_access("read"))

    # -- the page ------------------------------------------------------------------

    def row(self, form, step=None):
        """What the page says of a step."""
        rows = form.with_user(form.partner_id.user_ids)._get_portal_steps()
        return next(row for row in rows if row["step_id"] == (step or self.ask).id)

    def test_action(self):
        forms = self.open_session()
        action = self.row(forms[0])["action"]
        self.assertEqual(action["kind"], "link")
        self.assertEqual(action["label"], "Answer the questionnaire")
        self.assertEqual(action["url"], f"/survey/start/{self.survey.access_token}")
        status = self.status(self.students[0], self.ask, self.graduate)
        self.assertFalse(status._get_portal_ask())
        self.survey.active = False
        self.assertEqual(self.row(forms[0])["action"]["kind"], "none")
        self.survey.active = True
        self.answer(self.graduate)
        self.assertEqual(self.row(forms[0])["action"]["kind"], "none")
        self.assertEqual(self.row(forms[0], self.card)["action"]["kind"], "none")

    def test_questionnaire_and_something_to_send(self):
        """Where a step asks for both, the questionnaire comes first."""
        self.env["clearance.requirement"].create(
            {"step_id": self.ask.id, "name": "Your address", "kind": "char", "required": True}
        )
        forms = self.open_session()
        status = self.status(self.students[0], self.ask, self.graduate)
        self.assertEqual(self.row(forms[0])["action"]["kind"], "link")
        self.assertEqual(status._get_portal_ask()["refusal"], "Answer the questionnaire first.")
        self.answer(self.graduate)
        self.assertEqual(self.state(self.students[0]), "pending", "There is something to send still.")
        self.assertEqual(self.row(forms[0])["action"]["kind"], "send")
        self.assertTrue(status._get_portal_ask()["can_send"])

    def test_page_notices_the_answer(self):
        forms = self.open_session()
        Form = self.env["clearance.form"]

        def version():
            head = Form.with_user(self.graduate)._get_portal_heads([("id", "=", forms[0].id)])[0]
            return Form._get_portal_version(head)

        before = version()
        self.assertEqual(version(), before)
        self.answer(self.other_graduate)
        self.assertEqual(version(), before)
        # What the answer settles is seen anyway; here it settles nothing.
        self.status(self.students[0], self.ask).step_id.open_from = self.clearance.open_until - timedelta(hours=1)
        before = version()
        self.answer(self.graduate)
        self.assertEqual(self.state(self.students[0]), "pending")
        self.assertNotEqual(version(), before)

    def test_queries_do_not_grow_with_questionnaires(self):
        forms = self.open_session()
        form = forms[0].with_user(self.graduate)

        def count():
            form._get_portal_values()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            form._get_portal_values()
            return self.env.cr.sql_log_count - before

        one = count()
        for number in range(3):
            self._create_step(f"More {number}", self.affairs_office, mode="graduate", survey_id=self.survey.id)
        self.clearance._open()
        self.assertEqual(count(), one)


@tagged("post_install", "-at_install")
class TestSurveyPages(SurveyCommon, HttpCase):
    """Through the pages of the survey itself."""

    def setUp(self):
        super().setUp()
        self.authenticate("T26000", "T26000")

    def page(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        document = html.fromstring(response.content)
        document.make_links_absolute(response.url)
        return document

    def text(self, document):
        return " ".join(document.text_content().split())

    def call(self, url, **params):
        return self.url_open(url, json=self.build_rpc_payload(params)).json()["result"]

    def fill_in(self, link):
        """Answer the questionnaire behind a link; answer its last page."""
        start = self.url_open(link)
        self.assertEqual(start.status_code, 200)
        survey_token, answer_token = start.url.rstrip("/").split("/")[-2:]
        self.call(f"/survey/begin/{survey_token}/{answer_token}", lang_code="en_US")
        question = self.survey.question_ids
        _answers, empty = self.call(f"/survey/submit/{survey_token}/{answer_token}", **{str(question.id): ""})
        self.assertEqual(empty.get("error"), "validation")
        self.assertEqual(self.state(self.students[0]), "pending")
        _answers, done = self.call(f"/survey/submit/{survey_token}/{answer_token}", **{str(question.id): "Friends"})
        return html.fromstring(done["survey_content"])

    def test_questionnaire_before_the_form_opens(self):
        """CUG Wuhan: nothing but the questionnaire, then the whole form."""
        self.ask.is_entry = True
        forms = self.open_session()
        page = self.page("/my/clearance")
        self.assertIn("Questionnaire", self.text(page))
        for step in (self.card, self.degree, self.loan):
            self.assertNotIn(step.name, self.text(page))
        self.assertEqual(
            self.decide(self.status(self.students[0], self.card, self.affairs), "approve"),
            ["missing"],
            "The desk waits for it too.",
        )
        (link,) = page.xpath("//a[contains(@href, '/survey/start/')]/@href")
        last = self.fill_in(link)
        self.env.invalidate_all()
        self.assertEqual(self.state(self.students[0]), "approved")
        (back,) = last.xpath("//a[contains(., 'Back to my clearance form')]/@href")
        self.assertEqual(back, f"/my/clearance/{forms[0].id}")
        page = self.page(back)
        for step in (self.card, self.degree, self.loan):
            self.assertIn(step.name, self.text(page))
        self.assertFalse(page.xpath("//a[contains(@href, '/survey/')]"))
        self.assertEqual(
            self.decide(self.status(self.students[0], self.card, self.affairs), "approve"),
            ["done"],
        )
        self.assertEqual(self.state(self.students[1]), "pending")

    def test_page_of_the_step(self):
        self.open_session()
        status = self.status(self.students[0], self.ask)
        page = self.page(f"/my/clearance/step/{status.id}")
        self.assertIn("settles by itself once you have answered", self.text(page))
        self.assertFalse(page.xpath("//form[contains(@action, '/confirm')]"))
        (link,) = page.xpath("//section[@id='questionnaire']//a/@href")
        self.fill_in(link)
        page = self.page(f"/my/clearance/step/{status.id}")
        self.assertIn("Approved", self.text(page))
        self.assertFalse(page.xpath("//*[@id='questionnaire']"))

    def test_nobody_can_answer_for_another(self):
        self.open_session()
        answer = self.survey._create_answer(user=self.other_graduate)
        url = f"{self.survey.access_token}/{answer.access_token}"
        question = str(self.survey.question_ids.id)
        for login in ("T26000", None):
            with self.subTest(login=login):
                self.authenticate(login, login)
                self.call(f"/survey/begin/{url}", lang_code="en_US")
                _answers, result = self.call(f"/survey/submit/{url}", **{question: "Mine"})
                self.assertIn(result.get("error"), ("answer_wrong_user", "survey_auth"))
        self.assertEqual([self.state(student) for student in self.students[:2]], ["pending"] * 2)

    @mute_logger("odoo.http")
    def test_who_is_not_signed_in_is_asked_to(self):
        self.open_session()
        self.authenticate(None, None)
        page = self.url_open(self.survey.get_start_url())
        self.assertIn("/web/login", page.text)
        self.assertFalse(self.env["survey.user_input"].search([("survey_id", "=", self.survey.id)]))

    def test_last_page_of_any_other_survey(self):
        """Surveys that have nothing to do with clearance look as before."""
        self.open_session()
        other = self._create_survey("Lunch")
        self.survey = other
        start = self.url_open(other.get_start_url())
        survey_token, answer_token = start.url.rstrip("/").split("/")[-2:]
        self.call(f"/survey/begin/{survey_token}/{answer_token}", lang_code="en_US")
        _answers, done = self.call(
            f"/survey/submit/{survey_token}/{answer_token}", **{str(other.question_ids.id): "Noodles"}
        )
        self.assertIn("Thank you", done["survey_content"])
        self.assertNotIn("/my/clearance", done["survey_content"])
