"""`/v1/cases`: what a person has to look at."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.doors import After, Bound, Calling, Limit, Ports
from api.money import MoneyOut, money
from api.problems import ALWAYS, Problem, documented
from api.v1.orders import Key
from domain.access.rights import Right
from domain.case.case import CASE
from domain.case.lifecycle import CaseState
from domain.kernel.subject import Subject
from domain.kernel.view import View

router = APIRouter(prefix="/v1/cases", tags=["cases"])


class CaseOut(BaseModel):
    """A case; its notes, which may hold personal data, are only counted."""

    key: str
    kind: str
    state: str
    generation: int
    version: int
    text: str
    loan_id: str
    number: int | None
    amount: MoneyOut | None
    owner: str
    assignee: str
    cause: str
    cause_code: str
    opened_at: datetime
    resolve_by: datetime
    late_from: datetime | None
    resolution: str
    notes: int


class CasePage(BaseModel):
    """A page of cases."""

    items: list[CaseOut]
    next: str | None


def _out(view: View[Any]) -> CaseOut:
    labels, detail = view.labels, view.detail
    return CaseOut(
        key=view.subject.key,
        kind=labels.code,
        state=view.state,
        generation=view.generation,
        version=view.version,
        text=detail.text,
        loan_id=labels.loan_id,
        number=labels.number,
        amount=money(labels.amount_minor, labels.currency) if labels.currency else None,
        owner=detail.owner,
        assignee=detail.assignee,
        cause=detail.cause,
        cause_code=detail.cause_code,
        opened_at=detail.opened_at,
        resolve_by=detail.resolve_by,
        late_from=detail.late_from,
        resolution=detail.resolution,
        notes=detail.notes,
    )


@router.get("", summary="List cases", responses=documented(*ALWAYS, "request.cursor"))
async def list_cases(
    caller: Calling,
    doors: Ports,
    state: Annotated[list[CaseState] | None, Query(max_length=4)] = None,
    after: After = "",
    limit: Limit = 50,
) -> CasePage:
    """Cases by their keys; those about no loan are seen with a role that holds everywhere."""
    seen = await doors.seen(caller, Right.READ_CASES, "cases")
    states = tuple(sorted(set(state or ())))
    bound = Bound("cases", states, seen)
    page = await doors.lists.views(CASE, seen, states, bound.take(after), limit)
    return CasePage(items=[_out(view) for view in page.items], next=bound.give(page.after))


@router.get("/{key:path}", summary="Get a case", responses=documented(*ALWAYS, "resource.unknown"))
async def get_case(key: Key, caller: Calling, doors: Ports) -> CaseOut:
    """One case, open or resolved."""
    about = Subject(CASE, key)
    portfolio = await doors.orders.portfolio(about)
    await doors.check(caller, Right.READ_CASES, portfolio, f"case {key}")
    view = await doors.drivers.view(about)
    if view is None:
        raise Problem("resource.unknown")
    return _out(view)
