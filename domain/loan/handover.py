"""States a loan as it stands, so that another system can take it over: the way back of boarding.

What is stated is what the borrower owes and what was done about it. Shares of parties follow from
the product, open cases and holds are not part of it, and money that is not placed is stated as paid
ahead. Whatever is overdue waits there for an order of a person, so that nothing which is held or
disputed here is debited there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from domain.debit.attempt import AttemptState
from domain.kernel.command import Actor
from domain.loan.accrual import owed_on
from domain.loan.aggregate import Loan
from domain.loan.boarding import BoardLoan, Past
from domain.loan.lifecycle import State
from domain.loan.opening import Opening, OpeningAttempt, OpeningItem, OpeningPart, OpeningPayment
from domain.loan.retrying import by_strictest
from domain.payment.portion import BROUGHT_SUM, Portion
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import ScheduleLine


def handed_over(
    loan: Loan, references: Mapping[str, str], as_of: date, holder: str, evidence: str, by: Actor
) -> BoardLoan:
    """The command that would take the loan on empty books as it stands at the end of a day.

    Args:
        loan: as it is now.
        references: what the payers called its payments, by their ids; those without one may lack.
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
        mandate=loan.mandate,
        schedule=tuple(_lines(loan)),
        past=Past.REFUSE,
        opening=_opening(loan, references, as_of, holder, evidence),
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
    loan: Loan, references: Mapping[str, str], as_of: date, holder: str, evidence: str
) -> Opening:
    placed = [(portion, _parts(portion)) for portion in loan.portions]
    free = [
        (portion, portion.net_minor - sum(part.amounts.total for part in parts))
        for portion, parts in placed
    ]
    names = [references.get(portion.id) or portion.id for portion, minor in free if minor]
    payments = tuple(_payments(loan, references, as_of, placed))
    brought = {
        paid.order_no: sum(part.amounts.total for part in paid.parts)
        for paid in payments
        if paid.order_no
    }
    return Opening(
        as_of=as_of,
        holder=holder,
        evidence=evidence,
        payments=payments,
        attempts=tuple(_attempts(loan, brought)),
        items=tuple(_items(loan, as_of)),
        advance_minor=sum(minor for _, minor in free),
        advance_ref=names[0] if names else "",
    )


def _parts(portion: Portion) -> tuple[OpeningPart, ...]:
    """Where a portion lies, by installment."""
    found: dict[int, Amounts] = {}
    for part in portion.allocations:
        found[part.number] = found.get(part.number, Amounts()).plus(part.component, part.minor)
    return tuple(OpeningPart(number=number, amounts=found[number]) for number in sorted(found))


def _payments(
    loan: Loan,
    references: Mapping[str, str],
    as_of: date,
    placed: list[tuple[Portion, tuple[OpeningPart, ...]]],
) -> Iterator[OpeningPayment]:
    orders = {attempt.order_no: (item.number, attempt) for item, attempt in loan.attempts()}
    named: Counter[str] = Counter()
    for portion, parts in placed:
        if not parts:
            continue
        order_no = portion.order_no or ""
        number, attempt = orders.get(order_no, (0, None))
        named[order_no] += 1
        is_its = (
            attempt is not None
            and attempt.state is AttemptState.CONFIRMED
            and named[order_no] == 1
            and [part.number for part in parts] == [number]
            and parts[0].amounts.total <= attempt.amount_minor
        )
        on = max(loan.disbursed_on, min(portion.value_on, as_of))
        yield OpeningPayment(
            on=None if portion.source == BROUGHT_SUM else on,
            parts=parts,
            order_no=order_no if is_its else "",
            reference=references.get(portion.id) or ("" if is_its else order_no),
        )


def _attempts(loan: Loan, brought: Mapping[str, int]) -> Iterator[OpeningAttempt]:
    """The attempts as the rail knows them; of one that may not have left, nobody knows yet.

    A confirmed one is stated with what it brought to its own installment. Where that is nothing,
    its money is stated elsewhere, and the attempt is left out.
    """
    for item, known in loan.attempts():
        is_confirmed = known.order_no in brought
        attempt = known if is_confirmed else by_strictest(known)
        if attempt.state is AttemptState.CONFIRMED and not is_confirmed:
            continue
        intended = attempt.state is AttemptState.INTENDED
        yield OpeningAttempt(
            number=item.number,
            order_no=attempt.order_no,
            mandate_ref=attempt.mandate_ref,
            value_on=attempt.value_on,
            amount_minor=brought[attempt.order_no] if is_confirmed else attempt.amount_minor,
            state=AttemptState.UNKNOWN if intended else attempt.state,
            outcome_class=attempt.outcome_class,
            code=attempt.code,
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
                written_off_on=item.written_off_on if item.written_off.total else None,
            )
        if found != OpeningItem(number=item.number):
            yield found
