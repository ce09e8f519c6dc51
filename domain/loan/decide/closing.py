"""The step that ends every command: a loan comes to rest before anything is written."""

from domain.errors import InvariantBroken
from domain.loan.decide.charges import charge_to_date
from domain.loan.decide.filing import take_out_unwanted
from domain.loan.decide.money import ROUNDS_MOST, place_waiting, raise_paid
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State


def close_out(work: Work, loan_id: str) -> None:
    """True up penalty, take unwanted orders out of files, place what waits, until nothing changes.

    A waiver, a charge or a sweep can leave less penalty than was booked, or money that waits, or
    nothing owed: whatever a command did, the installment is where its amounts say.

    Raises:
        InvariantBroken: it does not come to rest within `ROUNDS_MOST` rounds.
    """
    for _ in range(ROUNDS_MOST):
        before = work.loan(loan_id)
        for number in _accruing(work, loan_id):
            charge_to_date(work, loan_id, number)
        take_out_unwanted(work, loan_id)
        place_waiting(work, loan_id)
        for number in work.touched(loan_id):
            _raise_paid_up(work, loan_id, number)
        if work.loan(loan_id) is before:
            return
    raise InvariantBroken(f"loan {loan_id} does not come to rest")


def _accruing(work: Work, loan_id: str) -> tuple[int, ...]:
    """Installments whose penalty may have changed, the oldest first.

    Under a ceiling the penalty of one leaves less or more for those that fell due after it.
    """
    loan, touched = work.loan(loan_id), set(work.touched(loan_id))
    items = sorted(loan.installments, key=lambda item: (item.due_on, item.number))
    capped = loan.product.caps is not None
    return tuple(item.number for item in items if capped or item.number in touched)


def _raise_paid_up(work: Work, loan_id: str, number: int) -> None:
    """An installment that has fallen due and owes nothing any more leaves the states that owe."""
    item = work.item(loan_id, number)
    written_off = item.state is State.WRITTEN_OFF
    left = item.written_off if written_off else item.owed
    event = Event.RECOVERED_IN_FULL if written_off else Event.PAID_IN_FULL
    if left.total or not item.fell_due or item.live_attempt is not None:
        return
    if work.can(loan_id, number, event):
        raise_paid(work, loan_id, number, "nothing is owed")
