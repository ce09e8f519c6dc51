"""Money that comes, is applied, is taken back and is proven."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from domain.errors import InvariantBroken
from domain.ledger import bookings
from domain.loan.aggregate import Allocated, Installment, LineState, Loan, Match, Receipt
from domain.loan.amounts import Component
from domain.loan.change import CaseChange
from domain.loan.decide.charges import charge_to_date, owed_on, true_up_penalty
from domain.loan.decide.disputes import settle_disputes
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.waterfall import Allocation, OpenItem, allocate

ROUNDS_MOST = 20
"""Each round applies what the one before set free; two are usual."""


def receive_debit(work: Work, loan_id: str, receipt: Receipt, number: int) -> None:
    """A debit confirmed for its own installment: the waterfall only orders its components."""
    true_up_penalty(work, loan_id, number, receipt.value_on)
    loan = work.loan(loan_id)
    item = loan.installment(number)
    paid, rest = allocate(
        [OpenItem(number, item.due_on, item.owed)],
        receipt.amount_minor,
        loan.product.waterfall,
        receipt.value_on,
        designated=(number,),
    )
    work.post(bookings.receive(loan, receipt, paid, "confirmed"))
    work.put_receipt(loan_id, _with(receipt, paid, waiting=rest))
    charge_to_date(work, loan_id, number)


def receive_free(work: Work, loan_id: str, receipt: Receipt, event: str) -> None:
    """Money that belongs to no live order: it waits in suspense until it is placed."""
    work.post(bookings.receive(work.loan(loan_id), receipt, (), event))
    work.put_receipt(loan_id, replace(receipt, waiting_minor=receipt.amount_minor))


def place_waiting(work: Work, loan_id: str) -> None:
    """Apply what waits or was paid ahead, by the waterfall and by value date.

    The part that falls on an installment with a live attempt waits on. What is left of a debit is a
    surplus and a case; what is left of a transfer is paid ahead while installments are to come.
    Placing may take back a penalty that earlier money had paid, so it goes round until all rests.
    """
    for _ in range(ROUNDS_MOST):
        before = work.loan(loan_id)
        for receipt in before.receipts:
            _place(work, loan_id, receipt.id)
        if work.loan(loan_id) is before:
            return
    raise InvariantBroken(f"money of loan {loan_id} does not come to rest")


def waits_for(work: Work, loan_id: str, number: int) -> int:
    """Minor units of free money that would pay an installment if it had no live attempt."""
    loan = work.loan(loan_id)
    frees = [(r, r.waiting_minor + r.advance_minor) for r in loan.receipts]
    parts = [p for r, free in frees if free for p in _by_waterfall(work, loan, r, free)[0]]
    return sum(part.minor for part in parts if part.number == number)


def _place(work: Work, loan_id: str, receipt_id: str) -> None:
    loan, receipt = work.loan(loan_id), work.receipt(loan_id, receipt_id)
    free = receipt.waiting_minor + receipt.advance_minor
    paid, rest = _by_waterfall(work, loan, receipt, free) if free else ((), 0)
    live = {item.number for item in loan.installments if item.live_attempt is not None}
    now = [part for part in paid if part.number not in live]
    numbers = list(dict.fromkeys(part.number for part in now))
    for number in numbers:
        true_up_penalty(work, loan_id, number, receipt.value_on)
    now = _within_owed(work, loan_id, now)
    _draw(work, loan_id, receipt_id, sum(part.minor for part in now))
    _apply(work, loan_id, receipt_id, now)
    for number in numbers:
        charge_to_date(work, loan_id, number)
    _park(work, loan_id, receipt_id, rest)


def _within_owed(work: Work, loan_id: str, parts: Sequence[Allocation]) -> list[Allocation]:
    """Under a cap the penalty of one installment leaves less for the next: the rest waits on."""
    cut = []
    for part in parts:
        item = work.item(loan_id, part.number)
        charged = part.component is Component.PENALTY and item.state is not State.WRITTEN_OFF
        minor = min(part.minor, item.owed.penalty) if charged else part.minor
        if minor:
            cut.append(replace(part, minor=minor))
    return cut


def _by_waterfall(
    work: Work, loan: Loan, receipt: Receipt, free: int
) -> tuple[tuple[Allocation, ...], int]:
    """Where free money goes: what is owed is never future to it, however early its value date."""
    items = list(loan.installments)
    if receipt.source == "debit":  # the payer agreed to this debit, not to pay other installments
        items = [item for item in items if item.number == receipt.number]
    entries = [_open(loan, item, receipt.value_on) for item in items]
    entries = [entry for entry in entries if entry.owed.total]
    past = [entry.due_on for entry in entries if entry.due_on <= work.today(loan.id)]
    as_of = max([receipt.value_on, *past])
    # Charged before its day (a rail with a lead, a moved date): due as of now.
    entries = [replace(entry, due_on=min(entry.due_on, as_of)) for entry in entries]
    mine = tuple(entry.number for entry in entries if entry.number == receipt.number)
    return allocate(entries, free, loan.product.waterfall, as_of, mine)


def _open(loan: Loan, item: Installment, value_on: date) -> OpenItem:
    """What free money can pay: what is owed, or what was given up and is still collectable."""
    given_up = item.state is State.WRITTEN_OFF
    amounts = item.given_up if given_up else owed_on(loan, item, value_on)
    return OpenItem(item.number, item.due_on, amounts)


def _draw(work: Work, loan_id: str, receipt_id: str, minor: int) -> None:
    """Have so much of a receipt in suspense, from what it paid ahead where that is short."""
    short = minor - work.receipt(loan_id, receipt_id).waiting_minor
    if short > 0:
        _move_ahead(work, loan_id, receipt_id, -short)


def _park(work: Work, loan_id: str, receipt_id: str, rest: int) -> None:
    """What nothing owed can take: paid ahead while something is to come, else a surplus."""
    loan, receipt = work.loan(loan_id), work.receipt(loan_id, receipt_id)
    to_come = any(item.state is State.SCHEDULED for item in loan.installments)
    ahead = rest if receipt.source != "debit" and to_come else 0
    if delta := ahead - receipt.advance_minor:
        _move_ahead(work, loan_id, receipt_id, delta)
    key, surplus = f"surplus/{receipt_id}", rest - ahead
    known = work.cases.get(key)
    if known is not None and known.amount_minor != surplus:
        work.close_case(key)
    if surplus:
        work.open_case(surplus_case(loan, receipt, surplus))


def _move_ahead(work: Work, loan_id: str, receipt_id: str, minor: int) -> None:
    loan, receipt = work.loan(loan_id), work.receipt(loan_id, receipt_id)
    work.post(bookings.to_advance(loan, receipt, minor, work.today(loan_id)))
    work.put_receipt(
        loan_id,
        replace(
            receipt,
            waiting_minor=receipt.waiting_minor - minor,
            advance_minor=receipt.advance_minor + minor,
        ),
    )


def surplus_case(loan: Loan, receipt: Receipt, minor: int) -> CaseChange:
    """More money than is owed: it waits in suspense until somebody decides."""
    return CaseChange(
        "open",
        f"surplus/{receipt.id}",
        "surplus",
        f"{minor} {loan.currency} minor units of receipt {receipt.id} are not owed",
        loan_id=loan.id,
        number=receipt.number,
        receipt=receipt.id,
        amount_minor=minor,
        currency=loan.currency,
    )


def _apply(work: Work, loan_id: str, receipt_id: str, paid: Sequence[Allocation]) -> None:
    if not paid:
        return
    today = work.today(loan_id)
    outside = {
        n for n in {p.number for p in paid} if work.item(loan_id, n).state is State.WRITTEN_OFF
    }
    plain = [part for part in paid if part.number not in outside]
    if plain:
        receipt = work.receipt(loan_id, receipt_id)
        work.post(bookings.apply_money(work.loan(loan_id), receipt, plain, today))
    for number, amounts in bookings.by_number(p for p in paid if p.number in outside).items():
        loan, receipt = work.loan(loan_id), work.receipt(loan_id, receipt_id)
        item = loan.installment(number)
        work.post(bookings.recover(loan, receipt, item, amounts, today))
    receipt = work.receipt(loan_id, receipt_id)
    total = sum(part.minor for part in paid)
    work.put_receipt(loan_id, _with(receipt, paid, waiting=receipt.waiting_minor - total))
    for number in dict.fromkeys(part.number for part in paid):
        raise_paid(work, loan_id, number, f"receipt {receipt_id}")


def raise_paid(work: Work, loan_id: str, number: int, detail: str) -> None:
    """Raise the event of money that was applied to an installment."""
    item = work.item(loan_id, number)
    given_up = item.state is State.WRITTEN_OFF
    if (item.given_up if given_up else item.owed).total:
        event = Event.PAID_IN_PART
    else:
        event = Event.RECOVERED_IN_FULL if given_up else Event.PAID_IN_FULL
    work.move(loan_id, number, event, detail)
    work.close_case(f"no_reminder/{loan_id}/{number}")


def take_back(
    work: Work, loan_id: str, receipt_id: str, minor: int, on: date, event: str = "returned"
) -> list[int]:
    """A receipt is taken back: un-apply it, newest allocations first; the numbers it had paid."""
    receipt = work.receipt(loan_id, receipt_id)
    waited = min(minor, receipt.waiting_minor)
    ahead = min(minor - waited, receipt.advance_minor)
    unpaid, kept = _newest(receipt.allocations, minor - waited - ahead)
    plain = [p for p in unpaid if work.item(loan_id, p.number).state is not State.WRITTEN_OFF]
    outside = [p for p in unpaid if work.item(loan_id, p.number).state is State.WRITTEN_OFF]
    for number, amounts in bookings.by_number(outside).items():
        loan = work.loan(loan_id)
        item = loan.installment(number)
        work.post(bookings.recover(loan, receipt, item, -amounts, on))
        waited += amounts.total
    work.post(bookings.take_back(work.loan(loan_id), receipt, plain, waited, ahead, on, event))
    back = sum(part.minor for part in plain) + waited + ahead
    from_outside = bookings.by_number(outside).values()
    work.put_receipt(
        loan_id,
        replace(
            receipt,
            allocations=kept,
            waiting_minor=receipt.waiting_minor
            - (waited - sum(amounts.total for amounts in from_outside)),
            advance_minor=receipt.advance_minor - ahead,
            returned_minor=receipt.returned_minor + back,
        ),
    )
    return list(dict.fromkeys(part.number for part in unpaid))


def _newest(
    allocations: Sequence[Allocated], minor: int
) -> tuple[list[Allocation], tuple[Allocated, ...]]:
    """The newest allocations worth `minor`, and what is left of the others."""
    taken: list[Allocation] = []
    kept: list[Allocated] = []
    for part in reversed(allocations):
        size = min(minor, part.minor)
        if size:
            taken.append(Allocation(part.number, part.component, size))
            minor -= size
        if part.minor > size:
            kept.append(replace(part, minor=part.minor - size))
    return taken, tuple(reversed(kept))


def prove(work: Work, match: Match, line: LineState) -> None:
    """A booked line, as it comes, proves (part of) a receipt, or of its return."""
    loan, receipt = work.loan(match.loan_id), work.receipt(match.loan_id, match.receipt)
    work.post(bookings.settle(loan, receipt, line.account, match, line.id, line.booked_on))
    count_proof(work, match, line.id)


def count_proof(work: Work, match: Match, line: str) -> None:
    """What is posted of a proof becomes a fact of its receipt; its installments are looked at."""
    receipt = work.receipt(match.loan_id, match.receipt)
    known = line in receipt.lines
    work.put_receipt(
        match.loan_id,
        replace(
            receipt,
            settled_minor=receipt.settled_minor + max(match.minor, 0),
            return_settled_minor=receipt.return_settled_minor + max(-match.minor, 0),
            lines=receipt.lines if known else (*receipt.lines, line),
        ),
    )
    settle_disputes(work, match.loan_id, work.receipt(match.loan_id, match.receipt))
    for number in numbers_of(receipt):
        work.touch(match.loan_id, number)


def numbers_of(receipt: Receipt) -> tuple[int, ...]:
    """The installments that a receipt paid or was taken for."""
    numbers = {part.number for part in receipt.allocations}
    return tuple(sorted(numbers | ({receipt.number} if receipt.number else set())))


def _with(receipt: Receipt, paid: Sequence[Allocation], waiting: int) -> Receipt:
    parts = tuple(Allocated(part.number, part.component, part.minor) for part in paid)
    return replace(receipt, allocations=(*receipt.allocations, *parts), waiting_minor=waiting)
