"""Orders on installments, cases and payouts: shown, given at once, or asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from api.doors import Calling, Doors, Ports
from api.idempotent import KeyHeader
from api.money import MoneyOut, money
from api.problems import ALWAYS, ON_WRITES, Problem, documented
from api.v1.loans import LoanId, Number
from api.v1.orderbodies import OrderIn, models_of, order_of
from domain.access.approval import Request
from domain.access.orders import right_of
from domain.access.preview import Preview
from domain.case.case import CASE
from domain.case.commands import CASE_ORDERS
from domain.errors import Conflict
from domain.kernel.change import Applied, Refused
from domain.kernel.order import OperatorOrder
from domain.kernel.subject import Subject
from domain.loan.commands import ORDERS
from domain.loan.view import installment
from domain.payout.commands import PAYOUT_ORDERS
from domain.payout.payout import PAYOUT
from domain.registry import KINDS
from ports.orderrequests import Asked

router = APIRouter(prefix="/v1", tags=["orders"])
Key = Annotated[str, Path(max_length=320, description="Its key, as lists give it.")]
_CODES = (*ALWAYS, "resource.unknown", "order.refused", "resource.conflict")
_GIVING = documented(*_CODES, *ON_WRITES)
_SHOWING = documented(*_CODES, "request.too_large")

if TYPE_CHECKING:
    InstallmentOrder: TypeAlias = OrderIn
    CaseOrderIn: TypeAlias = OrderIn
    PayoutOrder: TypeAlias = OrderIn
else:
    InstallmentOrder = models_of(ORDERS)
    CaseOrderIn = models_of(CASE_ORDERS)
    PayoutOrder = models_of(PAYOUT_ORDERS)


class PostingOut(BaseModel):
    """One side of an entry: debit positive."""

    account: str
    amount: MoneyOut
    loan: str | None
    number: int | None
    component: str | None
    party: str | None
    line: str | None


class EntryOut(BaseModel):
    """An entry that would be posted."""

    event: str
    postings: list[PostingOut]


class MoveOut(BaseModel):
    """A move of something that has states."""

    kind: str
    key: str
    source: str
    target: str
    event: str
    order_no: str | None


class AfterOut(BaseModel):
    """What an installment asks for afterwards."""

    loan_id: str
    number: int
    product: str
    state: str
    asked: MoneyOut


class PreviewOut(BaseModel):
    """What an order would change, and the digest that an approval binds."""

    digest: str
    entries: list[EntryOut]
    moves: list[MoveOut]
    messages: list[str]
    after: list[AfterOut]


class GivenOut(BaseModel):
    """What became of an order.

    `state`: `applied`; or `asked`, as long as it waits for a second person, then what became of the
    request (`done`, `refused`, `void`, `expired`), which is found at `request`.
    """

    order: str
    kind: str
    state: str
    note: str = ""
    request: str | None = None
    rule: str = ""


@router.post(
    "/loans/{loan_id}/installments/{number}/orders",
    summary="Give an order on an installment",
    responses=_GIVING | {202: {"model": GivenOut, "description": "It waits for a second person."}},
)
async def give(
    loan_id: LoanId,
    number: Number,
    body: InstallmentOrder,
    caller: Calling,
    doors: Ports,
    response: Response,
    key: KeyHeader = None,
) -> GivenOut:
    """Apply an order at once; where the table asks for it, only once a second person agrees."""
    about = installment(loan_id, number)
    return await _given(doors, caller, about, body, response, key)


@router.post(
    "/loans/{loan_id}/installments/{number}/orders/preview",
    summary="Show what an order would change",
    responses=_SHOWING,
)
async def show(
    loan_id: LoanId, number: Number, body: InstallmentOrder, caller: Calling, doors: Ports
) -> PreviewOut:
    """Entries, moves and messages that the order would make now; nothing is written."""
    return await _shown(doors, caller, installment(loan_id, number), body)


@router.post(
    "/cases/{key:path}/orders",
    summary="Give an order on a case",
    responses=_GIVING | {202: {"model": GivenOut, "description": "It waits for a second person."}},
)
async def give_on_case(
    key: Key,
    body: CaseOrderIn,
    caller: Calling,
    doors: Ports,
    response: Response,
    idempotency_key: KeyHeader = None,
) -> GivenOut:
    """As on an installment."""
    return await _given(doors, caller, Subject(CASE, key), body, response, idempotency_key)


@router.post(
    "/payouts/{key:path}/orders",
    summary="Give an order on a payout",
    responses=_GIVING | {202: {"model": GivenOut, "description": "It waits for a second person."}},
)
async def give_on_payout(
    key: Key,
    body: PayoutOrder,
    caller: Calling,
    doors: Ports,
    response: Response,
    idempotency_key: KeyHeader = None,
) -> GivenOut:
    """As on an installment."""
    return await _given(doors, caller, Subject(PAYOUT, key), body, response, idempotency_key)


async def _order(
    doors: Doors, caller: Calling, about: Subject, body: OrderIn, name: str
) -> tuple[OperatorOrder, str]:
    """The order as a command of this caller, and its portfolio.

    Raises:
        Problem: the caller may not, there is no such subject, or the order is wrong in shape.
    """
    orders: Mapping[str, type[Any]] = KINDS[about.kind].orders
    order = orders[body.kind]
    named = KINDS[about.kind].named(about)
    portfolio = await doors.orders.portfolio(about)
    await doors.check(caller, right_of(order), portfolio, f"{about.kind} {about.key}")
    view = await doors.drivers.view(about)
    if view is None:
        raise Problem("resource.unknown")
    made = order_of(body, order, named, caller.actor, name, view.labels.currency)
    return made.received(caller.door), portfolio or ""


async def _given(
    doors: Doors,
    caller: Calling,
    about: Subject,
    body: OrderIn,
    response: Response,
    key: str | None,
) -> GivenOut:
    async def work(name: str) -> GivenOut:
        order, portfolio = await _order(doors, caller, about, body, name)
        try:
            answer = await doors.orders.give(order, caller.person, portfolio)
        except Conflict:
            raise Problem("resource.conflict", field="Idempotency-Key") from None
        return _answer(answer, order, name)

    asked = body.model_dump(mode="json")
    resource = f"POST {about.kind} {about.key} orders"
    done = await doors.once.do(caller, key, asked, resource, work)
    if done.request is not None:
        response.status_code = 202
        response.headers["Location"] = f"/v1/approvals/{done.request}"
    return done


def _answer(answer: Applied | Refused | Asked, order: OperatorOrder, name: str) -> GivenOut:
    match answer:
        case Applied():
            note = getattr(answer.answer, "note", "")
            return GivenOut(order=name, kind=order.kind, state="applied", note=note)
        case Refused():
            raise Problem("order.refused", rule=answer.rule, detail=answer.reason)
        case Asked(Request() as request):
            return GivenOut(
                order=name,
                kind=order.kind,
                state=request.state,
                note=request.why,
                request=request.id,
                rule=request.rule,
            )


async def _shown(doors: Doors, caller: Calling, about: Subject, body: OrderIn) -> PreviewOut:
    order, _ = await _order(doors, caller, about, body, "preview")
    try:
        found = await doors.orders.preview(order)
    except Conflict:  # somebody gave an order under this very name
        raise Problem("resource.conflict") from None
    if isinstance(found, Refused):
        raise Problem("order.refused", rule=found.rule, detail=found.reason)
    if isinstance(found, Applied):
        raise Problem("resource.conflict")
    return preview_out(found)


def preview_out(preview: Preview) -> PreviewOut:
    """A preview as it is sent."""
    return PreviewOut(
        digest=preview.digest(),
        entries=[
            EntryOut(
                event=entry.event,
                postings=[
                    PostingOut(
                        account=side.account,
                        amount=money(side.minor, side.currency),
                        loan=side.loan,
                        number=side.number,
                        component=side.component,
                        party=side.party,
                        line=side.line,
                    )
                    for side in entry.postings
                ],
            )
            for entry in preview.entries
        ],
        moves=[
            MoveOut(
                kind=move.subject_kind,
                key=move.subject_key,
                source=move.source,
                target=move.target,
                event=move.event,
                order_no=move.order_no,
            )
            for move in preview.moves
        ],
        messages=list(preview.messages),
        after=[
            AfterOut(
                loan_id=one.loan,
                number=one.number,
                product=one.product,
                state=one.state,
                asked=money(one.owed_minor, one.currency),
            )
            for one in preview.amounts
        ],
    )
