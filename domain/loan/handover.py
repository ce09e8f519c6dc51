"""States a loan as it stands, so that another system can take it over: the way back of boarding.

What is stated is what the borrower owes and what was done about it. Shares of parties follow from
the product, and open cases are not part of it. What a debit took beyond what was owed stays with
the debit; other money that is not placed is stated as paid ahead. Whatever is overdue waits there
for an order of a person, so that nothing which is disputed here is debited there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from domain.calendar import local_day
from domain.debit.attempt import Attempt, AttemptState
from domain.kernel.command import Actor
from domain.loan.accrual import owed_on
from domain.loan.aggregate import Loan
from domain.loan.boarding import BoardLoan, Past
from domain.loan.lifecycle import State
from domain.loan.opening import (
    Opening,
    OpeningAdvance,
    OpeningAttempt,
    OpeningHold,
    OpeningItem,
    OpeningPart,
    OpeningPayment,
)
from domain.loan.openingrules import is_booking_name
from domain.loan.retrying import Reason, by_strictest, strictest_reason
from domain.payment.payment import Payment
from domain.payment.portion import BROUGHT_SUM, Portion
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import ScheduleLine


@dataclass(frozen=True, slots=True)
class PaymentNames:
    """What others call a payment: its payer, and the rail each booking of it."""

    reference: str = ""
    bookings: tuple[str, ...] = ()


def names_of(payment: Payment) -> PaymentNames:
    """The names of a payment; those of bookings that no file could hold are left out."""
    known = payment.bookings
    is_whole = all(is_booking_name(name) for name in known)
    return PaymentNames(payment.reference, known if is_whole else ())


def handed_over(
    loan: Loan,
    names: Mapping[str, PaymentNames],
    as_of: date,
    holder: str,
    evidence: str,
    by: Actor,
) -> BoardLoan:
    """The command that would take the loan on empty books as it stands at the end of a day.

    Args:
        loan: as it is now.
        names: what payers and rails call its payments, by their ids; those without one may lack.
        as_of: the day; nothing of a later one may be known yet.
        holder: who holds what was paid so far, to the other system: we, or our client.
        evidence: what the statement is called.
        by: who hands it over.
    """
    return BoardLoan(
        id=f"handover/{loan.id}",
        actor=by,
        loan_id=loan.id,
        tenant=loan.tenant,
        borrower=loan.borrower,
        currency=loan.currency,
        principal_minor=loan.principal_minor,
        disbursed_on=loan.disbursed_on,
        product=loan.product,
        mandate=replace(loan.mandate, bars=(), cleared_at=None),
        schedule=tuple(_lines(loan)),
        past=Past.REFUSE,
        opening=_opening(loan, names, as_of, holder, evidence),
    )


def orders_with_news(loan: Loan, since: date) -> frozenset[str]:
    """Debit orders of which something became known after a day, or of which money went back.

    When money went back is not kept with it, so such an order is among them whatever the day.
    """
    zone = loan.product.timezone
    returned = {portion.order_no for portion in loan.portions if portion.returned_minor}
    return frozenset(
        known.order_no
        for _, known in loan.attempts()
        if known.order_no in returned
        or (known.last_news_at is not None and local_day(known.last_news_at, zone) > since)
    )


def _lines(loan: Loan) -> Iterator[ScheduleLine]:
    left, before = loan.principal_minor, loan.disbursed_on
    for item in loan.installments:
        owed = item.scheduled
        left -= owed.principal
        days = (item.due_on - before).days
        yield ScheduleLine(
            item.number, item.due_on, days, owed.principal, owed.interest, owed.fee, left
        )
        before = item.due_on


def _opening(
    loan: Loan, names: Mapping[str, PaymentNames], as_of: date, holder: str, evidence: str
) -> Opening:
    debits = _debits(loan)
    references = {key: it.reference for key, it in names.items() if it.reference}
    bookings = {key: it.bookings for key, it in names.items()}
    free = [it for it in loan.portions if it.order_no not in debits and _free(it)]
    payments = tuple(_payments(loan, references, as_of, debits, bookings))
    return Opening(
        as_of=as_of,
        holder=holder,
        evidence=evidence,
        payments=payments,
        attempts=tuple(_attempts(loan, {it.order_no: it for it in payments}, debits)),
        items=tuple(_items(loan, as_of)),
        advance_minor=sum(_free(portion) for portion in free),
        advance_ref=references.get(free[0].id) or free[0].id if free else "",
        advances=tuple(
            OpeningAdvance(
                number=portion.number or len(loan.installments),
                minor=_free(portion),
                reference=references.get(portion.id) or portion.id,
            )
            for portion in free[1:]
        ),
        holds=tuple(_holds(loan)),
        bars=loan.mandate.bars,
    )


def _free(portion: Portion) -> int:
    """Minor units of it that pay nothing and were not taken back."""
    return portion.waiting_minor + portion.advance_minor


def _parts(portions: Iterable[Portion]) -> tuple[OpeningPart, ...]:
    """Where portions lie, by installment."""
    found: dict[int, Amounts] = {}
    for part in (part for portion in portions for part in portion.allocations):
        found[part.number] = found.get(part.number, Amounts()).plus(part.component, part.minor)
    return tuple(OpeningPart(number=number, amounts=found[number]) for number in sorted(found))


def _debits(loan: Loan) -> dict[str, list[Portion]]:
    """What each debit order of the loan took, execution by execution."""
    known = {attempt.order_no for _, attempt in loan.attempts()}
    found: dict[str, list[Portion]] = {}
    for portion in loan.portions:
        if portion.order_no in known:
            found.setdefault(portion.order_no, []).append(portion)
    return found


def _payments(
    loan: Loan,
    references: Mapping[str, str],
    as_of: date,
    debits: Mapping[str, list[Portion]],
    bookings: Mapping[str, tuple[str, ...]],
) -> Iterator[OpeningPayment]:
    """The money that is left, in the order of its coming; all that one order took is one payment.

    What no order brought is stated as far as it pays installments.
    """
    for portion in loan.portions:
        day = max(loan.disbursed_on, min(portion.value_on, as_of))
        group = debits.get(portion.order_no or "")
        if group is None:
            if parts := _parts([portion]):
                yield OpeningPayment(
                    on=None if portion.source == BROUGHT_SUM else day,
                    parts=parts,
                    reference=references.get(portion.id, ""),
                )
        elif portion is group[0] and any(it.net_minor for it in group):
            yield OpeningPayment(
                on=None if portion.source == BROUGHT_SUM else day,
                parts=_parts(group),
                order_no=portion.order_no or "",
                reference=references.get(portion.id, ""),
                unplaced_minor=sum(map(_free, group)),
                returned_minor=sum(it.returned_minor for it in group),
                bank_refs=_bookings(group, bookings),
            )


def _bookings(group: Iterable[Portion], bookings: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The rail's names of what one order took; none where it has not named all of it."""
    names = [bookings.get(portion.id, ()) for portion in group]
    return tuple(dict.fromkeys(ref for refs in names for ref in refs)) if all(names) else ()


def _attempts(
    loan: Loan, paid: Mapping[str, OpeningPayment], debits: Mapping[str, list[Portion]]
) -> Iterator[OpeningAttempt]:
    """The attempts as the rail knows them; of one that may not have left, nobody knows yet.

    One that took money is stated with all that it took. It was returned as far as any of it was,
    and so was one whose money all went back, whatever the rail said of it before.
    """
    for item, known in loan.attempts():
        payment, state, reason = paid.get(known.order_no), known.state, _reason(known)
        taken = sum(portion.amount_minor for portion in debits.get(known.order_no, ()))
        if state is AttemptState.INTENDED:
            state = AttemptState.UNKNOWN
        elif taken:
            is_back = payment is None or payment.returned_minor > 0
            state = AttemptState.RETURNED if is_back else AttemptState.CONFIRMED
        else:
            state = by_strictest(known).state
        yield OpeningAttempt(
            number=item.number,
            order_no=known.order_no,
            mandate_ref=known.mandate_ref,
            value_on=known.value_on,
            amount_minor=taken or known.amount_minor,
            state=state,
            outcome_class=reason[0],
            code=reason[1],
            is_cleared=bool(known.hard) and all(it.is_cleared for it in known.hard),
            counts=known.number > item.retries_reset_at,
        )


def _reason(known: Attempt) -> Reason:
    """The strictest reason for which it failed or came back; of a plain success, its own."""
    return strictest_reason(known) or (known.outcome_class, known.code)


def _holds(loan: Loan) -> Iterator[OpeningHold]:
    for item in loan.installments:
        if item.hold is not None and item.state is not State.CANCELLED:
            yield OpeningHold(
                number=item.number,
                kind=item.hold,
                reason=item.hold_reason,
                since=item.hold_since,
            )


def _items(loan: Loan, as_of: date) -> Iterator[OpeningItem]:
    for item in loan.installments:
        found = OpeningItem(number=item.number, is_cancelled=item.state is State.CANCELLED)
        if item.fell_due and not found.is_cancelled:
            # Penalty of the last days may not be booked yet; over there it begins the day after.
            due = owed_on(loan, item, as_of).penalty - item.owed.penalty
            charged = (item.charged - item.scheduled).plus(Component.PENALTY, max(0, due))
            found = replace(
                found,
                charged=charged,
                waived=item.forgiven,
                written_off_on=item.written_off_on if item.is_written_off else None,
            )
        if found != OpeningItem(number=item.number):
            yield found
