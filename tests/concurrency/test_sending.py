"""A graduate who presses twice, or sends while the office decides, on real connections."""

import pytest
from test_two_people import Campus, Colleague

pytestmark = pytest.mark.slow


@pytest.fixture
def people(registry):
    return Sending(registry)


class Sending(Campus):
    """One graduate with an account, whose card step asks for two things."""

    def __init__(self, registry):
        super().__init__(registry)
        with self.session() as env:
            partner = env["clearance.form"].browse(self.forms[0]).partner_id
            user = env["res.users"].with_context(no_reset_password=True)
            group = env.ref("base.group_portal")
            values = {"login": f"send{Campus.count}", "partner_id": partner.id, "group_ids": [(6, 0, group.ids)]}
            self.user = user.create({"name": partner.name, **values}).id
            questions = env["clearance.requirement"].create(
                [{"name": name, "step_id": self.steps["card"], "required": False} for name in ("holder", "account")]
            )
            self.questions = questions.ids

    def submissions(self, env):
        return env(user=self.user)["clearance.submission"], self.statuses(env(user=self.user), "card")

    def send(self, *texts, after=None):
        """Sending, as something that the graduate does."""

        def act(env):
            submissions, status = self.submissions(env)
            answers = dict(zip(self.questions, texts, strict=False))
            return submissions._submit(status, answers, {}, after=after).id

        return act

    def keep(self, question, text):
        def act(env):
            submissions, status = self.submissions(env)
            return submissions._keep(status, {self.questions[question]: text}, {}).id

        return act

    def sendings(self):
        with self.session() as env:
            found = env["clearance.submission"].search([("form_id", "=", self.forms[0])], order="id")
            return [(sending.state, [row["value"] for row in sending._get_answer_rows()]) for sending in found]


def test_pressed_twice(people):
    with people.session() as env:
        first = people.send("Me", "1", after=0)(env)
        colleague = Colleague(people, act=people.send("Me", "1", after=0))
        colleague.wait_until_blocked()
    assert colleague.result() == first
    assert people.sendings() == [("sent", ["Me", "1"])]
    assert people.log("card") == ["submit"]


def test_two_drafts_become_one(people):
    with people.session() as env:
        first = people.keep(0, "Me")(env)
        colleague = Colleague(people, act=people.keep(1, "1"))
        colleague.wait_until_blocked()
    assert colleague.result() == first
    assert colleague.tries == 2, "the first try could not see the draft"
    with people.session() as env:
        typed = env["clearance.submission"].browse(first).typed
        assert typed == {str(people.questions[0]): "Me", str(people.questions[1]): "1"}


def test_replaced_while_the_office_approves(people):
    from odoo.exceptions import UserError

    def replace(env):
        try:
            return people.send("Me", "2")(env)
        except UserError as error:
            return str(error)

    with people.session() as env:
        people.send("Me", "1")(env)
    with people.session() as env:
        assert people.decide(env, "card", "approve") == ["done"]
        colleague = Colleague(people, act=replace)
        colleague.wait_until_blocked()
    assert colleague.result() == "This cannot be done from the present state."
    assert people.look("card") == [("approved", False)]
    assert people.sendings() == [("sent", ["Me", "1"])]


def test_withdrawn_while_the_office_approves(people):
    with people.session() as env:
        people.send("Me", "1")(env)
    with people.session() as env:
        submissions, status = people.submissions(env)
        submissions._withdraw(status)
        colleague = Colleague(people, "card", "approve")
        colleague.wait_until_blocked()
    # As a plain decision on the step; the desk says what it has seen, and is told otherwise.
    assert colleague.result() == ["done"]
    assert people.sendings() == [("past", ["Me", "1"])]
    assert people.log("card") == ["approve", "withdraw", "submit"]
