"""The line of a batch that comes before the outcomes of its orders waits for the last of them."""

import pytest

from domain.debit.outcome import Outcome, OutcomeClass
from domain.loan.aggregate import of_batch, of_order
from tests.support import invariants
from tests.support.doors import MatchLine, RecordOutcome
from tests.support.memory import TESTER, board, schedule
from tests.support.scene import Scene

LINES = schedule(((10000, 100), (10000, 100), (10000, 100)))
LINE = "batch-line"


def scene(orders: int = 2) -> tuple[Scene, list[str]]:
    """Loans whose first debits are out, and nobody has said in which batch; their order numbers."""
    s = Scene.boarded(lines=LINES)
    for number in range(2, orders + 1):
        s.books.apply(board(f"L{number}", lines=LINES))
    return s, [s.present(loan=f"L{number}") for number in range(1, orders + 1)]


def states(s: Scene) -> list[str]:
    """The state of the first installment of each loan."""
    return [s.books.item(1, loan).state.value for loan in s.books.loans]


@pytest.mark.parametrize("fee", [0, 30])
def test_the_last_outcome_that_makes_count_and_sum_agree_explains_the_line(fee: int) -> None:
    """Until then it waits whole; a word that names the batch again changes nothing."""
    s, orders = scene()
    minor = 20200 - fee
    s.line(id=LINE, minor=minor, batch_ref="B-1", batch_count=2, charges_minor=fee)
    s.apply_outcome(orders[0], batch_ref="B-1")
    assert s.books.lines[LINE].open_minor == minor
    s.apply_outcome(orders[1], batch_ref="B-1", source="webhook")
    assert (states(s), s.books.lines[LINE].is_open) == (["SETTLED", "SETTLED"], False)
    assert not [case for case in s.books.cases.values() if case.line]
    before = s.mark
    s.apply_outcome(orders[1], batch_ref="B-1", source="inquiry")
    assert s.mark == before
    invariants.check(s.books)


def test_a_known_success_that_is_reported_again_names_its_batch() -> None:
    """The answer came without the batch, the line before the report that names it."""
    s, orders = scene(1)
    s.apply_outcome(orders[0])
    s.line(id=LINE, minor=10100, batch_ref="B-1", batch_count=1)
    s.apply_outcome(orders[0], batch_ref="B-1", source="webhook")
    assert states(s) == ["SETTLED"]
    invariants.check(s.books)


def test_the_line_is_the_final_outcome_of_orders_that_are_named_after_it() -> None:
    """Both are accepted only; as soon as the batch is known, its line says that both were taken."""
    s, orders = scene()
    s.line(id=LINE, minor=20200, batch_ref="B-1", batch_count=2)
    for order in orders:
        s.apply_outcome(order, OutcomeClass.PENDING, batch_ref="B-1")
    assert states(s) == ["SETTLED", "SETTLED"]
    invariants.check(s.books)


def test_what_a_person_has_matched_of_a_batch_is_not_booked_again() -> None:
    """Part of the line is explained by hand: the rest is a person's too."""
    s, orders = scene()
    s.line(id=LINE, minor=20200, batch_ref="B-1", batch_count=2)
    s.apply_outcome(orders[0])
    s.order(MatchLine, line=LINE, reference=orders[0], amount_minor=10100)
    s.apply_outcome(orders[0], batch_ref="B-1", source="webhook")
    s.apply_outcome(orders[1], batch_ref="B-1")
    assert s.books.lines[LINE].open_minor == 10100
    assert states(s) == ["SETTLED", "CLEARING"]
    invariants.check(s.books)


def test_a_payers_reference_never_takes_the_line_of_a_batch() -> None:
    """Whatever a payer writes, what waits for the orders of a batch is not theirs."""
    s, _ = scene(1)
    s.line(id=LINE, minor=10100, batch_ref="B-1", batch_count=1)
    s.pay(10100, ref=of_batch("B-1"))
    assert s.books.lines[LINE].open_minor == 10100
    invariants.check(s.books)


def test_a_batch_in_another_currency_proves_nothing() -> None:
    """Its sum is that of another currency: it waits for a person."""
    s, orders = scene(1)
    s.line(id=LINE, minor=10100, batch_ref="B-1", batch_count=1, currency="EUR")
    s.apply_outcome(orders[0], batch_ref="B-1")
    assert (states(s), s.books.lines[LINE].is_open) == (["CLEARING"], True)


@pytest.mark.parametrize("batch", [None, "B-1"])
def test_an_outcome_looks_for_a_line_only_where_it_names_a_batch(batch: str | None) -> None:
    """Most outcomes name none; every one looks for the lines of returns of its order."""
    outcome = Outcome(OutcomeClass.PENDING, "P", batch_ref=batch)
    command = RecordOutcome(
        id="o1", actor=TESTER, rail="simbank", order_no="N-1", outcome=outcome, source="answer"
    )
    batches = () if batch is None else (of_batch(batch),)
    assert command.scope().waiting == (*batches, of_order("N-1"))
