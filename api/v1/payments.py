"""`/v1/payments`: money that came, and every posting about it."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from api.caller import Caller
from api.doors import After, Bound, Calling, Doors, Limit, Ports
from api.money import MoneyOut, money
from api.problems import ALWAYS, Problem, documented
from domain.access.rights import Right
from domain.payment.payment import Payment

router = APIRouter(prefix="/v1/payments", tags=["payments"])
PaymentId = Annotated[str, Path(max_length=160, description="Its id, which is ours.")]
_ONE = documented(*ALWAYS, "resource.unknown")
_LIST = documented(*ALWAYS, "request.cursor")


class PaymentOut(BaseModel):
    """Money that came in one piece: what of it is proven by bank lines, and what went back."""

    id: str
    source: str
    reference: str
    order_no: str | None
    value_on: date
    received_at: datetime
    amount: MoneyOut
    settled: MoneyOut
    returned: MoneyOut
    loans: list[str]
    lines: list[str]


class PaymentPage(BaseModel):
    """A page of payments."""

    items: list[PaymentOut]
    next: str | None


class TrailPostingOut(BaseModel):
    """One side of an entry about a payment: debit positive."""

    sequence: int
    event: str
    at: datetime
    posted_on: date
    value_on: date
    account: str
    amount: MoneyOut
    loan: str | None
    number: int | None
    component: str | None
    party: str | None
    place: str | None
    line: str | None


class TrailPage(BaseModel):
    """A page of postings, in the order of the ledger."""

    items: list[TrailPostingOut]
    next: str | None


@router.get("", summary="List payments", responses=_LIST)
async def list_payments(
    caller: Calling,
    doors: Ports,
    loan_id: Annotated[str, Query(pattern=r"^[A-Za-z0-9._-]{0,80}$")] = "",
    after: After = "",
    limit: Limit = 50,
) -> PaymentPage:
    """Payments by their ids; one that also pays a loan that the caller does not see is left out."""
    seen = await doors.seen(caller, Right.READ_MONEY, "payments")
    bound = Bound("payments", (loan_id,), seen)
    page = await doors.lists.payments(seen, loan_id, bound.take(after), limit)
    return PaymentPage(items=[_out(one) for one in page.items], next=bound.give(page.after))


@router.get("/{payment_id}", summary="Get a payment", responses=_ONE)
async def get_payment(payment_id: PaymentId, caller: Calling, doors: Ports) -> PaymentOut:
    """One payment."""
    return _out(await _payment(doors, caller, payment_id))


@router.get(
    "/{payment_id}/trail",
    summary="Follow the money of a payment",
    responses=documented(*ALWAYS, "resource.unknown", "request.cursor"),
)
async def get_trail(
    payment_id: PaymentId, caller: Calling, doors: Ports, after: After = "", limit: Limit = 50
) -> TrailPage:
    """Every posting about a payment, from its first report to the bank line that proves it."""
    payment = await _payment(doors, caller, payment_id)
    bound = Bound("trail", (payment.id,), frozenset())
    page = await doors.ledger.trail(payment.id, bound.take(after), limit)
    items = [
        TrailPostingOut(
            sequence=one.seq,
            event=one.event,
            at=one.at,
            posted_on=one.posted_on,
            value_on=one.value_on,
            account=one.account,
            amount=money(one.minor, one.currency),
            loan=one.loan,
            number=one.number,
            component=one.component,
            party=one.party,
            place=one.place,
            line=one.line,
        )
        for one in page.items
    ]
    return TrailPage(items=items, next=bound.give(page.after))


async def _payment(doors: Doors, caller: Caller, payment_id: str) -> Payment:
    """A payment all of whose loans the caller sees.

    Raises:
        Problem: there is none in what it sees.
    """
    found = await doors.lists.payment(payment_id)
    if found is None or not found.loans:
        await doors.check(caller, Right.READ_MONEY, None, f"payment {payment_id}")
    if found is None:
        raise Problem("resource.unknown")
    for loan_id in found.loans:
        await doors.check_loan(caller, Right.READ_MONEY, loan_id)
    return found


def _out(one: Payment) -> PaymentOut:
    return PaymentOut(
        id=one.id,
        source=one.source,
        reference=one.reference,
        order_no=one.order_no,
        value_on=one.value_on,
        received_at=one.received_at,
        amount=money(one.amount_minor, one.currency),
        settled=money(one.settled_minor, one.currency),
        returned=money(one.returned_minor, one.currency),
        loans=list(one.loans),
        lines=list(one.lines),
    )
