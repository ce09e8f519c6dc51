"""`/v1/payouts`: money that goes out to payees."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.doors import After, Bound, Calling, Limit, Ports
from api.money import MoneyOut, money
from api.problems import ALWAYS, Problem, documented
from api.v1.orders import Key
from domain.access.person import EVERYWHERE
from domain.access.rights import Right
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.payout.lifecycle import PayoutState
from domain.payout.payout import PAYOUT

router = APIRouter(prefix="/v1/payouts", tags=["payouts"])


class PayoutOut(BaseModel):
    """A payout."""

    key: str
    payee: str
    account: str
    cut_off_on: date | None
    state: str
    generation: int
    version: int
    amount: MoneyOut
    items: int
    order_no: str
    requested_by: str
    approved_by: list[str]
    needs_operator: str


class PayoutPage(BaseModel):
    """A page of payouts."""

    items: list[PayoutOut]
    next: str | None


def _out(view: View[Any]) -> PayoutOut:
    labels, detail = view.labels, view.detail
    return PayoutOut(
        key=view.subject.key,
        payee=labels.owner,
        account=detail.account,
        cut_off_on=detail.cut_off_on,
        state=view.state,
        generation=view.generation,
        version=view.version,
        amount=money(labels.amount_minor, labels.currency),
        items=detail.items,
        order_no=detail.order_no,
        requested_by=detail.requested_by,
        approved_by=list(detail.approved_by),
        needs_operator=view.needs_operator,
    )


@router.get("", summary="List payouts", responses=documented(*ALWAYS, "request.cursor"))
async def list_payouts(
    caller: Calling,
    doors: Ports,
    state: Annotated[list[PayoutState] | None, Query(max_length=20)] = None,
    after: After = "",
    limit: Limit = 50,
) -> PayoutPage:
    """Payouts by their keys. They pay shares of many loans: a role must hold everywhere."""
    await doors.check_all(caller, Right.READ_PAYOUTS, "payouts")
    states, seen = tuple(sorted(set(state or ()))), frozenset({EVERYWHERE})
    bound = Bound("payouts", states, seen)
    page = await doors.lists.views(PAYOUT, seen, states, bound.take(after), limit)
    return PayoutPage(items=[_out(view) for view in page.items], next=bound.give(page.after))


@router.get(
    "/{key:path}", summary="Get a payout", responses=documented(*ALWAYS, "resource.unknown")
)
async def get_payout(key: Key, caller: Calling, doors: Ports) -> PayoutOut:
    """One payout."""
    await doors.check_all(caller, Right.READ_PAYOUTS, f"payout {key}")
    view = await doors.drivers.view(Subject(PAYOUT, key))
    if view is None:
        raise Problem("resource.unknown")
    return _out(view)
