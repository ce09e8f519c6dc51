"""`/v1/loans/{loan}/installments/{number}` and `/v1/installments`: views, stories, attempts."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.doors import After, Bound, Calling, Limit, Ports
from api.money import MoneyOut, money
from api.problems import ALWAYS, Problem, documented
from api.v1.loans import LoanId, Number, StoryPage, loan_of, story_page
from domain.access.rights import Right
from domain.kernel.view import View
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT, installment

router = APIRouter(prefix="/v1", tags=["installments"])
_ONE = documented(*ALWAYS, "resource.unknown")
_LIST = documented(*ALWAYS, "request.cursor")


class ActionOut(BaseModel):
    """What comes next, not before an instant, and why."""

    kind: str
    not_before: datetime
    reason: str


class InstallmentOut(BaseModel):
    """Where an installment stands, what it asks for, what comes next, and what closure lacks."""

    loan_id: str
    number: int
    generation: int
    version: int
    state: str
    is_final: bool
    due_on: date | None
    asked: MoneyOut
    rail: str
    code: str
    attempt_no: int
    hold: str
    next_action: ActionOut | None
    missing: list[str]
    needs_operator: str
    as_of: datetime | None


class InstallmentPage(BaseModel):
    """A page of installments."""

    items: list[InstallmentOut]
    next: str | None


class AttemptOut(BaseModel):
    """One presentment."""

    number: int
    order_no: str
    state: str
    amount: MoneyOut
    value_on: date
    rail: str
    outcome_class: str | None
    code: str


class AttemptsOut(BaseModel):
    """All attempts of an installment, the first one first."""

    items: list[AttemptOut]


def installment_out(view: View[Any]) -> InstallmentOut:
    """The view of an installment as it is sent."""
    labels, action = view.labels, view.next_action
    return InstallmentOut(
        loan_id=labels.loan_id,
        number=labels.number or 0,
        generation=view.generation,
        version=view.version,
        state=view.state,
        is_final=view.is_final,
        due_on=labels.due_on,
        asked=money(labels.amount_minor, labels.currency),
        rail=labels.rail,
        code=labels.code,
        attempt_no=labels.attempt_no,
        hold=view.detail.hold,
        next_action=None
        if action is None
        else ActionOut(kind=action.kind, not_before=action.not_before, reason=action.reason),
        missing=list(view.missing),
        needs_operator=view.needs_operator,
        as_of=view.as_of,
    )


@router.get("/installments", summary="List installments", responses=_LIST)
async def list_installments(
    caller: Calling,
    doors: Ports,
    state: Annotated[list[State] | None, Query(max_length=20)] = None,
    after: After = "",
    limit: Limit = 50,
) -> InstallmentPage:
    """Installments of the loans that the caller sees, by loan and number."""
    seen = await doors.seen(caller, Right.READ_LOANS, "installments")
    states = tuple(sorted(set(state or ())))
    bound = Bound("installments", states, seen)
    page = await doors.lists.views(INSTALLMENT, seen, states, bound.take(after), limit)
    items = [installment_out(view) for view in page.items]
    return InstallmentPage(items=items, next=bound.give(page.after))


_PATH = "/loans/{loan_id}/installments/{number}"


@router.get(_PATH, summary="Get an installment", responses=_ONE)
async def get_installment(
    loan_id: LoanId, number: Number, caller: Calling, doors: Ports
) -> InstallmentOut:
    """An installment as the books have it now."""
    await doors.check_loan(caller, Right.READ_LOANS, loan_id)
    view = await doors.drivers.view(installment(loan_id, number))
    if view is None:
        raise Problem("resource.unknown")
    return installment_out(view)


@router.get(
    f"{_PATH}/story",
    summary="Read what happened to an installment",
    responses=documented(*ALWAYS, "resource.unknown", "request.cursor"),
)
async def get_story(
    loan_id: LoanId,
    number: Number,
    caller: Calling,
    doors: Ports,
    after: After = "",
    limit: Limit = 50,
) -> StoryPage:
    """What commands did to an installment, causes before effects."""
    loan = await loan_of(doors, caller, loan_id)
    if number > len(loan.installments):
        raise Problem("resource.unknown")
    return await story_page(doors, loan, number, after, limit)


@router.get(f"{_PATH}/attempts", summary="List the attempts of an installment", responses=_ONE)
async def get_attempts(
    loan_id: LoanId, number: Number, caller: Calling, doors: Ports
) -> AttemptsOut:
    """Every presentment with what the rail said."""
    loan = await loan_of(doors, caller, loan_id)
    if number > len(loan.installments):
        raise Problem("resource.unknown")
    return AttemptsOut(
        items=[
            AttemptOut(
                number=one.number,
                order_no=one.order_no,
                state=one.state,
                amount=money(one.amount_minor, loan.currency),
                value_on=one.value_on,
                rail=one.rail,
                outcome_class=one.outcome_class,
                code=one.code,
            )
            for one in loan.installment(number).attempts
        ]
    )
