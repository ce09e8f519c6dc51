"""Orders that wait for a second person: implements `ports.orderrequests.OrderRequests`."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, delete, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.access.log import write_event
from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.read.reader import Key, cut, page_of
from adapters.sql.schema.tables import loans, order_amounts, order_requests, persons
from domain.access.approval import WAITING_MOST, Request, RequestState
from domain.access.orders import ALL_ORDERS
from domain.access.person import EVERYWHERE
from domain.access.preview import Preview
from domain.access.review import WINDOW, Needed, Spent
from domain.errors import InvalidInput
from domain.kernel.order import OperatorOrder
from ports.access import AccessEvent
from ports.orderrequests import Asked, Weighed
from ports.paging import Page

_R, _A = order_requests.c, order_amounts.c
_KEY: Key = ((_R.asked_at, datetime), (_R.id, str))
_PREVIEW = TypeAdapter(Preview)
_COUNTS = frozenset({RequestState.ASKED, RequestState.APPROVED, RequestState.DONE})


class SqlOrderRequests:
    """Requests in rows; a change names the state that it was decided on."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(
        self, weighed: Weighed, ask: Callable[[Spent], Needed], request: Callable[[Needed], Asked]
    ) -> Asked | Needed:
        """See the port."""
        async with self._engine.begin() as conn:
            await self._lock(conn, weighed)
            known = await _one(conn, select(order_requests).where(_command(weighed.command_id)))
            if known is not None:
                return known
            counted = select(_A.command_id).where(_A.command_id == weighed.command_id)
            if (await conn.execute(counted)).first() is not None:
                return Needed(four_eyes=False, rule="")
            needed = ask(await _spent(conn, weighed))
            if needed.four_eyes:
                await _must_have_room(conn, weighed.requester)
            if weighed.amount_minor:
                await conn.execute(insert(order_amounts).values(**_weight(weighed)))
            if not needed.four_eyes:
                return needed
            asked = request(needed)
            await conn.execute(insert(order_requests).values(**_row(asked, weighed.loan_id)))
            return asked

    async def drop(self, command_id: str) -> None:
        """See the port."""
        async with self._engine.begin() as conn:
            await conn.execute(delete(order_amounts).where(_A.command_id == command_id))

    async def request(self, request_id: str) -> Asked | None:
        """See the port."""
        async with look(self._engine) as conn:
            return await _one(conn, select(order_requests).where(_R.id == request_id))

    async def of_command(self, command_id: str) -> Asked | None:
        """See the port."""
        async with look(self._engine) as conn:
            return await _one(conn, select(order_requests).where(_command(command_id)))

    async def requests(
        self, state: str, portfolios: frozenset[str], after: str, limit: int
    ) -> Page[Asked]:
        """See the port."""
        here = true() if EVERYWHERE in portfolios else _R.portfolio.in_(sorted(portfolios))
        listed = select(order_requests).where(_R.state == state, here)
        page = page_of("requests", listed, _KEY, after, limit)
        async with look(self._engine) as conn:
            found = (await conn.execute(page)).fetchall()
        rows, cursor = cut("requests", found, len(_KEY), limit)
        return Page(tuple(_read(row) for row in rows), cursor)

    async def decide(self, before: Request, now: Request, event: AccessEvent) -> bool:
        """See the port."""
        same = (_R.id == before.id) & (_R.state == before.state.value)
        decided = update(order_requests).where(same)
        values = {
            "state": now.state.value,
            "approver": now.approver or None,
            "decided_at": now.decided_at,
            "why": now.why,
        }
        async with self._engine.begin() as conn:
            if not (await conn.execute(decided.values(**values))).rowcount:
                return False
            if now.state not in _COUNTS:
                await conn.execute(delete(order_amounts).where(_A.command_id == now.order.id))
            await write_event(conn, event)
        return True

    async def _lock(self, conn: AsyncConnection, weighed: Weighed) -> None:
        """Have the sums of one requester and one loan read by one order at a time."""
        if not is_postgres(self._engine):
            return  # a transaction that may write is alone there
        for asked in (
            select(persons.c.id).where(persons.c.id == weighed.requester),
            select(loans.c.id).where(loans.c.id == weighed.loan_id),
        ):
            await conn.execute(asked.with_for_update())


def _command(command_id: str) -> Any:  # noqa: ANN401  (a condition)
    return _R.command_id == command_id


async def _spent(conn: AsyncConnection, weighed: Weighed) -> Spent:
    """What was ordered of this kind and currency in the window."""
    same = (
        _A.kind == weighed.kind,
        _A.currency == weighed.currency,
        _A.at > weighed.at - WINDOW,
    )
    total = select(func.coalesce(func.sum(_A.amount_minor), 0)).where(*same)
    of_loan = total.where(_A.loan_id == weighed.loan_id)
    of_requester = total.where(_A.requester == weighed.requester)
    return Spent(
        int((await conn.execute(of_loan)).scalar_one()),
        int((await conn.execute(of_requester)).scalar_one()),
    )


async def _must_have_room(conn: AsyncConnection, requester: str) -> None:
    waiting = select(func.count()).where(
        _R.requester == requester, _R.state == RequestState.ASKED.value
    )
    if (await conn.execute(waiting)).scalar_one() >= WAITING_MOST:
        raise InvalidInput("order", "", f"at most {WAITING_MOST} requests of a person that wait")


def _weight(weighed: Weighed) -> dict[str, object]:
    return {
        "command_id": weighed.command_id,
        "requester": weighed.requester,
        "loan_id": weighed.loan_id,
        "kind": weighed.kind,
        "currency": weighed.currency,
        "amount_minor": weighed.amount_minor,
        "at": weighed.at,
    }


def _row(asked: Asked, loan_id: str) -> dict[str, object]:
    it = asked.request
    return {
        "id": it.id,
        "requester": it.requester,
        "command_id": it.order.id,
        "kind": it.order.kind,
        "loan_id": loan_id,
        "portfolio": it.portfolio,
        "rule": it.rule,
        "body": _adapter(type(it.order)).dump_json(it.order).decode(),
        "command_digest": it.command_digest,
        "preview": _PREVIEW.dump_json(asked.preview).decode(),
        "preview_digest": it.preview_digest,
        "state": it.state.value,
        "asked_at": it.asked_at,
        "expires_at": it.expires_at,
        "why": it.why,
    }


async def _one(conn: AsyncConnection, asked: Select[Any]) -> Asked | None:
    row = (await conn.execute(asked)).first()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Asked:
    order: OperatorOrder = _adapter(ALL_ORDERS[row.kind]).validate_json(row.body)
    return Asked(
        Request(
            row.id,
            row.requester,
            order,
            row.rule,
            row.portfolio,
            row.command_digest,
            row.preview_digest,
            row.asked_at,
            row.expires_at,
            RequestState(row.state),
            row.approver or "",
            row.decided_at,
            row.why,
        ),
        _PREVIEW.validate_json(row.preview),
    )


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
