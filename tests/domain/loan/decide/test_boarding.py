"""Boarding looks at the day: nothing that is past is debited unless somebody said so."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.loan.lifecycle import State
from domain.pricing.caps import Cap, CapRules, Measure
from domain.pricing.frequency import Frequency
from tests.support.doors import BoardLoan, Past, RollDay
from tests.support.memory import PRODUCT, TESTER, MemoryBooks, board

APRIL = datetime(2026, 4, 20, 1, tzinfo=UTC)
"""The first two of three installments (10 March, April and May) are past."""


def refused(books: MemoryBooks, command: BoardLoan) -> Refusal:
    """What the books say to a loan that they do not take; nothing of it is kept."""
    answer = books.apply(command)
    assert isinstance(answer, Refusal)
    assert books.loans == {}
    return answer


def test_a_loan_with_past_installments_is_refused_unless_it_is_said_what_became_of_them() -> None:
    """The refusal counts them, names the first, and says both ways."""
    answer = refused(MemoryBooks(at=APRIL), replace(board(), past=Past.REFUSE))
    assert answer.rule == "schedule.past"
    assert answer.reason == (
        "2 of 3 installments fell due before 2026-04-20, the first on 2026-03-10; "
        "say past: ignore (settled elsewhere) or owed (debited at once)"
    )


def test_what_falls_due_on_the_day_of_boarding_is_not_past() -> None:
    """Nor is anything later; the day is that of the product's zone."""
    morning = datetime(2026, 3, 9, 16, 30, tzinfo=UTC)  # half past midnight of the 10th in Shanghai
    books = MemoryBooks(at=morning)
    assert isinstance(books.apply(replace(board(), past=Past.REFUSE)), Change)
    later = MemoryBooks(at=morning + timedelta(days=1))
    assert refused(later, replace(board(), past=Past.REFUSE)).rule == "schedule.past"


def test_past_installments_settled_elsewhere_are_never_collected() -> None:
    """They keep their numbers and are cancelled; the others fall due as if nothing had been."""
    books = MemoryBooks(at=APRIL)
    assert isinstance(books.apply(replace(board(), past=Past.IGNORE)), Change)
    states = [item.state for item in books.loans["L1"].installments]
    assert states == [State.CANCELLED, State.CANCELLED, State.SCHEDULED]
    assert books.messages == []
    books.at = datetime(2026, 5, 11, 1, tzinfo=UTC)
    books.apply(RollDay(id="roll", actor=TESTER, loan_id="L1", day=date(2026, 5, 11)))
    assert books.item(3).state is State.DUE
    assert {item.owed.total for item in books.loans["L1"].installments[:2]} == {0}
    reported = [one.detail for one in books.transitions if one.event == "cancelled"]
    assert reported == ["it fell due before boarding and was settled elsewhere"] * 2


def test_past_installments_that_are_owed_are_opened_at_once() -> None:
    """Said explicitly, they fall due with the first day, and their drivers start."""
    books = MemoryBooks(at=APRIL)
    assert isinstance(books.apply(replace(board(), past=Past.OWED)), Change)
    assert [message.topic for message in books.messages] == ["open", "open"]
    books.apply(RollDay(id="roll", actor=TESTER, loan_id="L1", day=date(2026, 4, 20)))
    assert [books.item(number).state for number in (1, 2)] == [State.DUE, State.DUE]


@pytest.mark.parametrize(("days", "taken"), [(1_830, True), (1_831, False)])
def test_installments_are_owed_for_at_most_five_years(days: int, *, taken: bool) -> None:
    """An older one is a typing error, or barred by time; penalty would be counted for ten years."""
    at = datetime(2026, 3, 10, 1, tzinfo=UTC) + timedelta(days=days)
    answer = MemoryBooks(at=at).apply(replace(board(), past=Past.OWED))
    assert isinstance(answer, Change) is taken
    assert taken or getattr(answer, "reason", "").endswith("on 2026-03-10, before 2026-03-11")


def test_a_loan_that_is_past_as_a_whole_leaves_nothing_to_collect() -> None:
    """Ignoring all of it is a mistake, not a loan."""
    books = MemoryBooks(at=datetime(2026, 6, 1, tzinfo=UTC))
    answer = refused(books, replace(board(), past=Past.IGNORE))
    assert answer.reason.endswith("before 2026-06-01: nothing is left to collect")


def test_past_installments_of_a_product_with_ceilings_cannot_be_ignored() -> None:
    """What the borrower paid elsewhere is part of what the loan costs."""
    cap = Cap("ours", Decimal(30), Measure.NOMINAL)
    capped = replace(PRODUCT, caps=CapRules((cap,), Frequency(1, "month")))
    answer = refused(MemoryBooks(at=APRIL), replace(board(product=capped), past=Past.IGNORE))
    assert answer.rule == "schedule.past"
    assert "counts towards the ceilings" in answer.reason


@pytest.mark.parametrize(("ahead", "taken"), [(366, True), (367, False)])
def test_a_loan_is_boarded_at_most_a_year_before_it_is_lent(ahead: int, *, taken: bool) -> None:
    """A later day is a typing error, and is named."""
    lent = date(2026, 3, 2) + timedelta(days=ahead)
    rows = tuple(
        replace(line, due_on=lent + timedelta(days=30 * line.number)) for line in board().schedule
    )
    command = replace(board(), disbursed_on=lent, schedule=rows)
    answer = MemoryBooks().apply(command)
    assert isinstance(answer, Change) is taken
    assert taken or getattr(answer, "rule", "") == "loan.disbursed_on"


def test_two_installments_may_fall_due_on_one_day() -> None:
    """Days of closure move both to the banking day that follows; each is debited for itself."""
    first, second, third = board().schedule
    rows = (first, replace(second, due_on=first.due_on), third)
    books = MemoryBooks()
    assert isinstance(books.apply(replace(board(), schedule=rows)), Change)
    books.at = datetime(2026, 3, 10, 1, tzinfo=UTC)
    books.apply(RollDay(id="roll", actor=TESTER, loan_id="L1", day=date(2026, 3, 10)))
    assert [books.item(number).state for number in (1, 2, 3)] == [
        State.DUE,
        State.DUE,
        State.SCHEDULED,
    ]


@pytest.mark.parametrize("field", ["rail", "calendar"])
def test_a_product_that_names_what_is_not_known_here_boards_nothing(field: str) -> None:
    """Its rail could never be asked and its days never be counted: refused, not a fault later."""
    product = replace(PRODUCT, **{field: "sepa"})  # type: ignore[arg-type]
    answer = refused(MemoryBooks(), board(product=product))
    assert answer.rule == f"product.{field}"
    assert answer.reason.startswith("sepa of test@1 is no ")
