"""Whatever happened to a loan, another system can take it over as it stands."""

from datetime import date

import pytest

from domain.loan.accrual import owed_on
from domain.loan.aggregate import Installment, Loan
from domain.loan.change import Change
from domain.loan.handover import handed_over
from domain.loan.lifecycle import State
from domain.pricing.amounts import Amounts
from tests.attack.casesteps import CASE_STEPS
from tests.attack.findings import Finding
from tests.attack.histories import History
from tests.attack.machine import Attack
from tests.support import invariants
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


def _compare(loan: Loan, taken: Loan, today: date) -> None:
    for item, other in zip(loan.installments, taken.installments, strict=True):
        assert other.due_on == item.due_on
        owed = owed_on(loan, item, today) if item.owed.total else item.owed
        if other.fell_due and not item.fell_due:
            owed = item.scheduled  # its day has come, and nobody has rolled it
        elif item.fell_due and not other.fell_due and item.state is not State.CANCELLED:
            assert item.owed == item.scheduled  # it was charged ahead of its day
            owed = Amounts()
        assert (other.owed, other.forgiven) == (owed, item.forgiven), (loan.id, item.number)
        assert other.written_off == item.written_off
        assert _is_collected(other, taken) == _is_collected(item, loan)
        assert [a.order_no for a in other.attempts] == [a.order_no for a in item.attempts]
        assert (other.live_attempt is None) == (item.live_attempt is None)
        assert (other.state is State.CANCELLED) == (item.state is State.CANCELLED)


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
        for loan in attack.books.loans.values():
            names = {it.id: it.reference for it in attack.books.payments.values()}
            command = handed_over(loan, names, attack.today, "us", "handover 1", TESTER)
            answer = books.apply(command)
            assert isinstance(answer, Change), (seed, answer)
            invariants.check(books)
            free = sum(p.waiting_minor + p.advance_minor for p in loan.portions)
            if not free:
                _compare(loan, books.loans[loan.id], attack.today)
                taken += 1
    assert taken >= EACH
