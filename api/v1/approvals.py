"""`/v1/approvals`: orders that wait for a second person. Keys read them and never approve."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from api.doors import After, Bound, Calling, Limit, Ports
from api.problems import ALWAYS, Problem, documented
from api.v1.orders import PreviewOut, preview_out
from domain.access.approval import RequestState
from domain.access.rights import Right
from ports.orderrequests import Asked

router = APIRouter(prefix="/v1/approvals", tags=["approvals"])


class RequestOut(BaseModel):
    """Who asks for what, by which rule it needs a second person, and what it would change."""

    id: str
    state: RequestState
    kind: str
    requester: str
    reason: str
    rule: str
    portfolio: str
    approver: str
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    why: str
    preview: PreviewOut


class RequestPage(BaseModel):
    """A page of requests."""

    items: list[RequestOut]
    next: str | None


def _out(asked: Asked) -> RequestOut:
    it: Any = asked.request
    return RequestOut(
        id=it.id,
        state=it.state,
        kind=it.order.kind,
        requester=it.requester,
        reason=it.order.reason,
        rule=it.rule,
        portfolio=it.portfolio,
        approver=it.approver,
        asked_at=it.asked_at,
        expires_at=it.expires_at,
        decided_at=it.decided_at,
        why=it.why,
        preview=preview_out(asked.preview),
    )


@router.get("", summary="List requests", responses=documented(*ALWAYS, "request.cursor"))
async def list_requests(
    caller: Calling,
    doors: Ports,
    state: Annotated[RequestState, Query()] = RequestState.ASKED,
    after: After = "",
    limit: Limit = 50,
) -> RequestPage:
    """Requests of the portfolios in which the caller may give orders, the oldest first."""
    seen = await doors.seen(caller, Right.ORDER, "approvals")
    bound = Bound("approvals", (state,), seen)
    page = await doors.requests.requests(state, seen, bound.take(after), limit)
    return RequestPage(items=[_out(one) for one in page.items], next=bound.give(page.after))


@router.get(
    "/{request_id}", summary="Get a request", responses=documented(*ALWAYS, "resource.unknown")
)
async def get_request(
    request_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")], caller: Calling, doors: Ports
) -> RequestOut:
    """One request, with what it would change."""
    asked = await doors.requests.request(request_id)
    portfolio = None if asked is None else asked.request.portfolio
    await doors.check(caller, Right.ORDER, portfolio, f"request {request_id}")
    if asked is None:
        raise Problem("resource.unknown")
    return _out(asked)
