"""Two debts lists for one step, or a list and a decision by hand, on real connections."""

import base64

import pytest
from test_batches import Batches
from test_two_people import Colleague

pytestmark = pytest.mark.slow


@pytest.fixture
def people(registry):
    return Debts(registry)


class Debts(Batches):
    """Three graduates, and lists of what they owe."""

    def list(self, items, step="card", complete=False):
        """Id of a previewed list: ``{position of the graduate: item}``."""
        with self.session() as env:
            forms = env["clearance.form"].browse(self.forms)
            rows = [f"{forms[position].student_number},{item}" for position, item in items.items()]
            batch = env["clearance.batch"].create(
                {
                    "kind": "debts",
                    "session_id": forms.session_id.id,
                    "step_id": self.steps[step],
                    "numbers_file": base64.b64encode("\n".join(["student number,item", *rows]).encode()),
                    "numbers_filename": "owed.csv",
                    "is_complete": complete,
                }
            )
            batch.action_preview()
            return batch.id

    def owed(self, step="card"):
        """What each graduate owes: texts of the items that stand."""
        with self.session() as env:
            statuses = self.statuses(env, step, 3).sorted("id")
            debts = env["clearance.debt"].search([("status_id", "in", statuses.ids)])
            return [debts.filtered(lambda debt, s=status: debt.status_id == s).mapped("item") for status in statuses]

    def codes(self, batch_id):
        with self.session() as env:
            return env["clearance.batch"].browse(batch_id).line_ids.sorted("form_id").mapped("code")


def test_two_lists_for_the_same_step(people):
    """Both were previewed, both run in the same second: the second leaves what the first has said."""
    first, second = people.list({0: "Key", 1: "Key"}), people.list({1: "Towel", 2: "Towel"})
    with people.session() as env:
        assert people.run(first)(env)["done"] == 2
        colleague = Colleague(people, people.run(second))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "1 done, 1 refused"
    assert people.owed() == [["Key"], ["Key"], ["Towel"]]
    assert people.codes(second) == ["changed", "done"]
    assert people.lines(first) + people.lines(second) == ["owe"] * 3


def test_complete_list_does_not_settle_whom_another_has_just_listed(people):
    first, second = people.list({0: "Key"}), people.list({1: "Towel"}, complete=True)
    with people.session() as env:
        people.run(first)(env)
        colleague = Colleague(people, people.run(second))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "2 done, 1 refused"
    assert people.owed() == [["Key"], ["Towel"], []]
    assert [state for state, _review in people.look("card", 3)] == ["pending", "pending", "approved"]


def test_confirmed_by_hand_while_a_list_is_taken_in(people):
    """Whoever confirms comes second: what the list has just said is ended with it."""
    batch = people.list({0: "Key"})
    with people.session() as env:
        people.run(batch)(env)
        colleague = Colleague(people, "card", "approve")
        colleague.wait_until_blocked()
    assert colleague.result() == ["done"]
    assert people.owed() == [[], [], []]
    assert people.look("card") == [("approved", False)]


def test_list_taken_in_while_somebody_confirms(people):
    """The list comes second: the graduate has paid since its preview, and stays confirmed."""
    batch = people.list({0: "Key"})
    with people.session() as env:
        assert people.decide(env, "card", "approve") == ["done"]
        colleague = Colleague(people, people.run(batch))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "0 done, 1 refused"
    assert people.owed() == [[], [], []]
    assert people.look("card") == [("approved", False)]


def test_double_click_on_a_list(people):
    batch = people.list({0: "Key", 1: "Key", 2: "Key"})
    with people.session() as env:
        people.run(batch)(env)
        colleague = Colleague(people, people.run(batch))
        colleague.wait_until_blocked()
    assert colleague.result()["remaining"] == 0
    assert people.owed() == [["Key"]] * 3
    assert people.lines(batch) == ["owe"] * 3


def test_list_undone_while_another_is_taken_in(people):
    """What the undoing brings back is what stood before; the other list finds it changed."""
    old = people.list({0: "Key"})
    with people.session() as env:
        people.run(old)(env)
    new = people.list({0: "Towel"})
    with people.session() as env:
        people.undo(old)(env)
        colleague = Colleague(people, people.run(new))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "0 done, 1 refused"
    assert people.owed() == [[], [], []]
