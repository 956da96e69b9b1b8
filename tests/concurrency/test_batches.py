"""Two people and one batch, or two batches over the same graduates, on real connections."""

import pytest
from test_two_people import Campus, Colleague

pytestmark = pytest.mark.slow


@pytest.fixture
def people(registry):
    return Batches(registry)


class Batches(Campus):
    """Three graduates, and batches over them."""

    def decide(self, env, what, *decision, **options):
        """A decision, or whatever a colleague does instead."""
        if callable(what):
            return what(env)
        return super().decide(env, what, *decision, **options)

    def preview(self, *positions, step="card", **values):
        """Id of a batch over these graduates, in this order."""
        with self.session() as env:
            forms = env["clearance.form"].browse(self.forms[position] for position in positions)
            batch = env["clearance.batch"].create(
                {
                    "session_id": forms.session_id.id,
                    "step_id": self.steps[step],
                    "numbers": "\n".join(forms.mapped("student_number")),
                    **values,
                }
            )
            batch.action_preview()
            assert batch.todo_count == len(positions)
            return batch.id

    def run(self, batch_id, **options):
        """Running a batch, as something that a colleague does."""
        return lambda env: env["clearance.batch"].browse(batch_id).run(**options)

    def undo(self, batch_id, **options):
        return lambda env: env["clearance.batch"].browse(batch_id).undo(**options)

    def counts(self, batch_id):
        """``(state, done, already, undone, not undone)``"""
        with self.session() as env:
            batch = env["clearance.batch"].browse(batch_id)
            return batch.state, batch.done_count, batch.already_count, batch.undone_count, batch.kept_count

    def lines(self, batch_id):
        """Actions that a batch has written to the log."""
        with self.session() as env:
            return env["clearance.log"].search([("batch_id", "=", batch_id)], order="id").mapped("action")


def test_two_batches_over_the_same_graduates(people):
    first, second = people.preview(0, 1), people.preview(2, 1, 0)
    with people.session() as env:
        assert people.run(first)(env)["done"] == 2
        colleague = Colleague(people, people.run(second))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "1 done, 2 already so"
    assert people.counts(first) == ("done", 2, 0, 0, 0)
    assert people.counts(second) == ("done", 1, 2, 0, 0)
    assert people.look("card", 3) == [("approved", False)] * 3
    assert people.lines(first) + people.lines(second) == ["approve"] * 3


def test_undoing_one_of_two_leaves_what_the_other_has_done(people):
    first, second = people.preview(0, 1), people.preview(1, 2)
    for batch in (first, second):
        with people.session() as env:
            people.run(batch)(env)
    with people.session() as env:
        assert people.undo(second)(env)["message"] == "1 undone"
    assert people.look("card", 3) == [("approved", False), ("approved", False), ("pending", False)]


def test_double_click_runs_once(people):
    batch = people.preview(0, 1, 2)
    with people.session() as env:
        people.run(batch)(env)
        colleague = Colleague(people, people.run(batch))
        colleague.wait_until_blocked()
    answer = colleague.result()
    assert (answer["done"], answer["remaining"]) == (3, 0)
    assert people.lines(batch) == ["approve"] * 3


def test_two_browsers_share_the_parts_of_a_batch(people):
    batch = people.preview(0, 1, 2)
    with people.session() as env:
        assert people.run(batch, limit=2)(env)["remaining"] == 1
        colleague = Colleague(people, people.run(batch, limit=2))
        colleague.wait_until_blocked()
    assert colleague.result()["remaining"] == 0
    assert people.counts(batch) == ("done", 3, 0, 0, 0)
    assert people.lines(batch) == ["approve"] * 3


def test_double_click_undoes_once(people):
    batch = people.preview(0, 1)
    with people.session() as env:
        people.run(batch)(env)
    with people.session() as env:
        people.undo(batch)(env)
        colleague = Colleague(people, people.undo(batch))
        colleague.wait_until_blocked()
    assert colleague.result()["handled"] == 0
    assert people.lines(batch) == ["approve", "approve", "undo", "undo"]


def test_undo_leaves_what_is_being_changed(people):
    batch = people.preview(0, 1)
    with people.session() as env:
        people.run(batch)(env)
    with people.session() as env:
        assert people.decide(env, "card", "reject") == ["done"]
        colleague = Colleague(people, people.undo(batch))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "1 undone, 1 left as they are"
    assert people.counts(batch) == ("partly_undone", 0, 0, 1, 1)
    assert people.look("card", 2) == [("rejected", False), ("pending", False)]


def test_run_waits_for_a_reopened_prerequisite(people):
    people.settle("card", "books", count=3)
    batch = people.preview(0, 1, step="degree")
    with people.session() as env:
        assert people.decide(env, "card", "reopen") == ["done"]
        colleague = Colleague(people, people.run(batch))
        colleague.wait_until_blocked()
    assert colleague.result()["message"] == "1 done, 1 refused"
    assert people.look("degree", 2) == [("pending", False), ("approved", False)]


@pytest.mark.parametrize("change", ["criteria", "tick", "preview", "edit"])
def test_nothing_is_changed_under_a_run(people, change):
    from odoo.exceptions import UserError

    batch_id = people.preview(0, 1)

    def meddle(env):
        batch = env["clearance.batch"].browse(batch_id)
        try:
            if change == "criteria":
                batch.excluded_numbers = "1"
                env.flush_all()
            elif change == "tick":
                batch.line_ids[0].write({"excluded": True})
            elif change == "preview":
                batch.action_preview()
            else:
                batch.action_edit()
        except UserError as error:
            return error.args[0]
        return "changed"

    with people.session() as env:
        people.run(batch_id)(env)
        colleague = Colleague(people, meddle)
        colleague.wait_until_blocked()
    assert colleague.result() != "changed"
    assert people.counts(batch_id) == ("done", 2, 0, 0, 0)
