"""`/v1/events`: what happened, in the order of the ledger, for programs that keep up with it."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from api.doors import After, Bound, Calling, Limit, Ports
from api.problems import ALWAYS, documented
from domain.access.rights import Right

router = APIRouter(prefix="/v1/events", tags=["events"])


class SubjectOut(BaseModel):
    """What an event is about."""

    kind: str
    key: str
    loan_id: str


class EventOut(BaseModel):
    """One move. Of two events of one subject the later one has the higher `version`."""

    version: int
    at: datetime
    event: str
    subject: SubjectOut
    source: str
    target: str
    order_no: str


class EventPage(BaseModel):
    """A page of events. `last` is given even at the end: ask again with it for what comes later."""

    items: list[EventOut]
    next: str | None
    last: str | None


@router.get("", summary="Read events", responses=documented(*ALWAYS, "request.cursor"))
async def list_events(
    caller: Calling, doors: Ports, after: After = "", limit: Limit = 50
) -> EventPage:
    """Moves of what the caller sees. Events that come meanwhile stand behind all earlier ones."""
    seen = await doors.seen(caller, Right.READ_EVENTS, "events")
    bound = Bound("events", (), seen)
    page, last = await doors.lists.happened(seen, bound.take(after), limit)
    items = [
        EventOut(
            version=one.seq,
            at=one.at,
            event=one.event,
            subject=SubjectOut(kind=one.kind, key=one.key, loan_id=one.loan_id),
            source=one.source,
            target=one.target,
            order_no=one.order_no,
        )
        for one in page.items
    ]
    return EventPage(items=items, next=bound.give(page.after), last=bound.give(last))
