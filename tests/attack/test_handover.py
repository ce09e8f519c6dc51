"""Whatever happened to a loan, another system can take it over as it stands."""

from datetime import date

import pytest

from domain.loan.accrual import owed_on
from domain.loan.aggregate import Installment, Loan
from domain.loan.change import Change
from domain.loan.handover import handed_over, names_of
from domain.loan.lifecycle import FINAL, State
from domain.payment.portion import Portion
from domain.pricing.amounts import Amounts
from tests.attack.casesteps import CASE_STEPS
from tests.attack.findings import Finding
from tests.attack.histories import History
from tests.attack.machine import Attack
from tests.support import invariants
from tests.support.doors import RollDay
from tests.support.memory import TESTER, MemoryBooks

CHUNKS, EACH = 4, 100


def _stopped_in_between(seed: int) -> Attack:
    """An attack after some of the steps of its history, with news still to come."""
    history = History.drawn(seed, avoid=CASE_STEPS)
    attack = Attack(history.setup)
    for name, values in history.steps[: 1 + seed % (len(history.steps) + 1)]:
        getattr(attack, name)(**values)
    return attack


def _is_collected(item: Installment, loan: Loan) -> Amounts:
    """What money pays of an installment, by component."""
    parts = (part for portion in loan.portions for part in portion.allocations)
    paid = Amounts()
    for part in parts:
        if part.number == item.number:
            paid = paid.plus(part.component, part.minor)
    return paid


def _compare(loan: Loan, taken: Loan, today: date, seed: int) -> None:
    for item, other in zip(loan.installments, taken.installments, strict=True):
        assert other.due_on == item.due_on
        owed = owed_on(loan, item, today) if item.owed.total else item.owed
        if item.fell_due and not other.fell_due and item.state is not State.CANCELLED:
            assert item.owed == item.scheduled  # it was charged ahead of its day
            owed = Amounts()
        assert (other.owed, other.forgiven) == (owed, item.forgiven), (seed, item.number)
        assert other.written_off == item.written_off
        marks = (item.is_written_off, item.written_off_on if item.is_written_off else None)
        assert (other.is_written_off, other.written_off_on) == marks
        assert _is_collected(other, taken) == _is_collected(item, loan)
        assert [a.order_no for a in other.attempts] == [a.order_no for a in item.attempts]
        assert (other.live_attempt is None) == (item.live_attempt is None)
        assert (other.state is State.CANCELLED) == (item.state is State.CANCELLED)
        hold = (item.hold, item.hold_reason, item.hold_since)
        if item.state not in FINAL:
            assert (other.hold, other.hold_reason, other.hold_since) == hold
        if other.owed == item.owed:
            assert _claims(other) == _claims(item)
    assert _orders(taken) == _orders(loan)
    assert sum(_free(p) for p in taken.portions if not p.is_debit) == sum(
        _free(p) for p in loan.portions if not p.is_debit
    )


def _claims(item: Installment) -> int:
    parts = (*item.claims.values(), *item.written_off_claims.values())
    return sum(claim.total for claim in parts)


def _free(portion: Portion) -> int:
    return portion.waiting_minor + portion.advance_minor


def _orders(loan: Loan) -> dict[str, tuple[int, int, int, int]]:
    """By order number: what it took, what pays, what waits, and what was taken back."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for portion in (portion for portion in loan.portions if portion.order_no is not None):
        paid = sum(part.minor for part in portion.allocations)
        now = (portion.amount_minor, paid, portion.waiting_minor, portion.returned_minor)
        before = found.get(str(portion.order_no), (0, 0, 0, 0))
        found[str(portion.order_no)] = tuple(a + b for a, b in zip(before, now, strict=True))  # type: ignore[assignment]
    return found


def _suspense(books: MemoryBooks, loan: Loan) -> int:
    names = {f"suspense/{portion.id}" for portion in loan.portions if portion.is_debit}
    return sum(minor for name, minor in books.balances().items() if name in names)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_loan_is_taken_over_as_it_stands(chunk: int) -> None:
    """What is owed, paid, waived, written off and ordered is the same on the other books."""
    taken = 0
    for seed in range(chunk * EACH, (chunk + 1) * EACH):
        try:
            attack = _stopped_in_between(seed)
        except Finding:
            continue
        books = MemoryBooks(at=attack.books.at, rules=attack.books.rules)
        for loan_id in list(attack.books.loans):
            # What fell due by today is charged there, so it is charged here as well.
            roll = RollDay(id="rolled", actor=TESTER, loan_id=loan_id, day=attack.today)
            attack.books.apply(roll)
            loan = attack.books.loans[loan_id]
            names = {it.id: names_of(it) for it in attack.books.payments.values()}
            command = handed_over(loan, names, attack.today, "us", "handover 1", TESTER)
            answer = books.apply(command)
            assert isinstance(answer, Change), (seed, answer)
            invariants.check(books)
            other = books.loans[loan.id]
            _compare(loan, other, attack.today, seed)
            assert _suspense(books, other) == _suspense(attack.books, loan)
            taken += 1
    assert taken >= EACH
