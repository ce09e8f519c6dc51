"""Money that comes, is applied, is taken back and is proven."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from domain.ledger import bookings
from domain.loan.aggregate import Allocated, Installment, Loan, Receipt
from domain.loan.change import CaseChange
from domain.loan.decide.charges import fall_due, true_up_penalty
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.waterfall import Allocation, OpenItem, allocate

ONE_DAY = timedelta(days=1)


def receive_debit(work: Work, loan_id: str, receipt: Receipt, number: int) -> None:
    """A debit confirmed for its own installment: the waterfall only orders its components."""
    fall_due(work, loan_id, number)
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
    true_up_penalty(work, loan_id, number, work.today(loan_id) - ONE_DAY)


def receive_free(work: Work, loan_id: str, receipt: Receipt, event: str) -> None:
    """Money that belongs to no live order: it waits in suspense until it is placed."""
    work.post(bookings.receive(work.loan(loan_id), receipt, (), event))
    work.put_receipt(loan_id, replace(receipt, waiting_minor=receipt.amount_minor))


def place_waiting(work: Work, loan_id: str) -> None:
    """Apply what waits, by the waterfall; the part for an installment with a live attempt waits on.

    What is left of a debit is a surplus and a case; what is left of a transfer is paid ahead while
    installments are still to come.
    """
    for receipt in work.loan(loan_id).receipts:
        if receipt.waiting_minor > 0:
            _place(work, loan_id, receipt.id)


def _place(work: Work, loan_id: str, receipt_id: str) -> None:
    receipt = work.receipt(loan_id, receipt_id)
    surplus = work.cases.get(f"surplus/{receipt_id}")
    free = receipt.waiting_minor - (surplus.amount_minor if surplus else 0)
    if free <= 0:
        return
    for item in work.loan(loan_id).installments:
        true_up_penalty(work, loan_id, item.number, _paid_through(work, loan_id, item, receipt))
    loan = work.loan(loan_id)
    open_items = [_open(item) for item in loan.installments if _open(item).owed.total]
    mine = tuple(i.number for i in open_items if i.number == receipt.number)
    if receipt.source == "debit":  # the payer agreed to this debit, not to pay other installments
        open_items = [entry for entry in open_items if entry.number == receipt.number]
    paid, rest = allocate(open_items, free, loan.product.waterfall, receipt.value_on, mine)
    live = {item.number for item in loan.installments if item.live_attempt is not None}
    now = [part for part in paid if part.number not in live]
    _apply(work, loan_id, receipt_id, now)
    for number in {part.number for part in now}:
        true_up_penalty(work, loan_id, number, work.today(loan_id) - ONE_DAY)
    if rest > 0:
        _place_rest(work, loan_id, receipt_id, rest)


def _paid_through(work: Work, loan_id: str, item: Installment, receipt: Receipt) -> date:
    yesterday = work.today(loan_id) - ONE_DAY
    return min(receipt.value_on, yesterday) if item.live_attempt is None else item.due_on


def _open(item: Installment) -> OpenItem:
    """What free money can pay: what is owed, or what was given up and is still collectable."""
    amounts = item.given_up if item.state is State.WRITTEN_OFF else item.owed
    return OpenItem(item.number, item.due_on, amounts)


def _place_rest(work: Work, loan_id: str, receipt_id: str, rest: int) -> None:
    receipt = work.receipt(loan_id, receipt_id)
    loan = work.loan(loan_id)
    to_come = any(not item.fell_due and item.state is State.SCHEDULED for item in loan.installments)
    if receipt.source != "debit" and to_come:
        work.post(bookings.to_advance(loan, receipt, rest, receipt.value_on))
        work.put_receipt(
            loan_id,
            replace(
                receipt,
                waiting_minor=receipt.waiting_minor - rest,
                advance_minor=receipt.advance_minor + rest,
            ),
        )
        return
    work.open_case(surplus_case(loan, receipt, rest))


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


def draw_advance(work: Work, loan_id: str, number: int) -> None:
    """An installment fell due: what was paid ahead pays it, oldest receipt first."""
    for known in work.loan(loan_id).receipts:
        receipt = work.receipt(loan_id, known.id)
        loan, item = work.loan(loan_id), work.item(loan_id, number)
        if receipt.advance_minor <= 0 or not item.owed.total:
            continue
        paid, _ = allocate(
            [_open(item)], receipt.advance_minor, loan.product.waterfall, item.due_on, (number,)
        )
        total = sum(part.minor for part in paid)
        work.post(bookings.to_advance(loan, receipt, -total, item.due_on))
        work.put_receipt(
            loan_id,
            replace(
                receipt,
                advance_minor=receipt.advance_minor - total,
                waiting_minor=receipt.waiting_minor + total,
            ),
        )
        _apply(work, loan_id, receipt.id, paid)


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
    open_minor = _open(item).owed.total
    if open_minor == 0:
        event = Event.RECOVERED_IN_FULL if item.state is State.WRITTEN_OFF else Event.PAID_IN_FULL
    else:
        event = Event.PAID_IN_PART
    if work.can(loan_id, number, event):
        work.move(loan_id, number, event, detail)
        work.close_case(f"no_reminder/{loan_id}/{number}")


def take_back(work: Work, loan_id: str, receipt_id: str, minor: int, on: date) -> list[int]:
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
    work.post(bookings.take_back(work.loan(loan_id), receipt, plain, waited, ahead, on))
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
    if work.receipt(loan_id, receipt_id).waiting_minor == 0:
        work.close_case(f"surplus/{receipt_id}")
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


@dataclass(frozen=True, slots=True)
class Proof:
    """What a booked line says of a receipt: minor units (negative: of its return), fee, line."""

    account: str
    minor: int
    fee_minor: int
    line: str
    on: date


def prove(work: Work, loan_id: str, receipt_id: str, proof: Proof) -> None:
    """A booked line proves (part of) a receipt, or of its return."""
    receipt = work.receipt(loan_id, receipt_id)
    work.post(
        bookings.settle(
            work.loan(loan_id),
            receipt,
            proof.account,
            proof.minor,
            proof.fee_minor,
            proof.line,
            proof.on,
        )
    )
    work.put_receipt(
        loan_id,
        replace(
            receipt,
            settled_minor=receipt.settled_minor + max(proof.minor, 0),
            return_settled_minor=receipt.return_settled_minor + max(-proof.minor, 0),
            lines=(*receipt.lines, proof.line),
        ),
    )
    numbers = {part.number for part in receipt.allocations}
    for number in sorted(numbers | ({receipt.number} if receipt.number else set())):
        work.touch(loan_id, number)


def _with(receipt: Receipt, paid: Sequence[Allocation], waiting: int) -> Receipt:
    parts = tuple(Allocated(part.number, part.component, part.minor) for part in paid)
    return replace(receipt, allocations=(*receipt.allocations, *parts), waiting_minor=waiting)
