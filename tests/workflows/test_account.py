"""What a driver says about itself in the Temporal UI."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from domain.kernel.view import Action
from domain.loan.view import INSTALLMENT, InstallmentView
from sandbox.views import VIEWS, saved_views
from tests.fakes.books import FakeBooks
from tests.support.views import changed
from workflows import names
from workflows.account import Account
from workflows.installment import InstallmentWorkflow

NOW = datetime(2026, 12, 1, 1, tzinfo=UTC)


def view(**fields: object) -> InstallmentView:
    return changed(FakeBooks("r", "L-1").current, **fields)


def test_the_details_name_amount_code_cases_and_zone() -> None:
    """A reader of the Temporal UI needs no other place to know how an installment stands."""
    shown = Account(INSTALLMENT).details(
        view(
            attempt_no=2,
            attempt_state="DECLINED",
            code="51",
            failure_class="NSF",
            cases=("contradiction", "mandate"),
            needs_operator="mandate",
            timezone="Asia/Shanghai",
        )
    )
    assert "100.00 CNY owed, due 2026-12-01 (Asia/Shanghai)" in shown
    assert "debit 2 declined (code 51: not enough money on the account)" in shown
    assert "open cases: contradiction, mandate" in shown
    assert "**needs an operator:** mandate" in shown
    assert "UTC" in shown


def test_an_order_that_was_lost_is_named_first() -> None:
    """What the books do not know yet is shown by the driver itself."""
    shown = Account(INSTALLMENT).details(
        view(needs_operator="mandate"), "order hold not taken: away"
    )
    assert "**needs an operator:** order hold not taken: away" in shown


def test_details_of_a_later_release_are_shown_as_far_as_they_can_be() -> None:
    """An unknown class and an unknown action are named and stop nothing."""
    later = Action("SING", NOW, "a rule of tomorrow", "call/1")
    strange = view(attempt_no=1, code="9", failure_class="NEW", next_action=later)
    shown = Account(INSTALLMENT).details(strange)
    assert "(code 9: NEW)" in shown
    assert "waiting for a newer release: it knows what to do (a rule of tomorrow)" in shown
    bare = Account(INSTALLMENT).details(view(attempt_no=1, code="9"))
    assert "(code 9)" in bare


def test_every_signal_of_a_driver_says_what_it_does() -> None:
    """The list of signals in the Temporal UI shows a sentence beside each name."""
    handlers = [getattr(InstallmentWorkflow, name) for name in dir(InstallmentWorkflow)]
    found = [
        getattr(handler, "__temporal_signal_definition")
        for handler in handlers
        if hasattr(handler, "__temporal_signal_definition")
    ]
    assert len(found) >= 14
    assert [item.name for item in found if not item.description] == []


def test_saved_views_are_links_with_queries_of_our_own_columns() -> None:
    """`acquit up` prints a link for each list that people open often."""
    lines = list(saved_views("http://127.0.0.1:8233/", "default"))
    assert len(lines) == len(VIEWS) == 5
    known = {key.name for key in (names.OPERATOR, names.STATE)}
    for line, (name, query) in zip(lines, VIEWS, strict=True):
        assert line.strip().startswith(name)
        link = urlsplit(line.split()[-1])
        assert link.path == "/namespaces/default/workflows"
        assert parse_qs(link.query) == {"query": [query]}
    assert any(name in query for name in known for _, query in VIEWS)
    assert list(saved_views(None, "default")) == []
