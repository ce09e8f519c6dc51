"""The same drivers as durable workflows of DBOS, which keeps its steps in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from dbos import DBOS, DBOSConfig, SetWorkflowID
from pydantic import TypeAdapter

from activities.actions import ActionOrder
from benchmarks.loops import Perform, order_of, performing
from benchmarks.world import World
from domain.loan.view import InstallmentView

_VIEW, _ORDER = TypeAdapter(InstallmentView), TypeAdapter(ActionOrder)
_NEWS_WITHIN_S = 3600.0
_now: dict[str, Perform] = {}
"""How actions are performed in this run: DBOS knows its workflows and steps by module and name."""
_ended: dict[str, asyncio.Future[None]] = {}


@DBOS.step()
async def perform(order: str) -> str:
    """One action, by the same activities as everybody's."""
    return _VIEW.dump_json(await _now["perform"](_ORDER.validate_json(order))).decode()


@DBOS.workflow()
async def drive(text: str) -> None:
    """The driver's loop; steps and messages are kept, so that another process could go on."""
    view = _VIEW.validate_json(text)
    while not view.is_final:
        action = view.next_action
        if action is not None and action.not_before <= datetime.now(UTC):
            order = _ORDER.dump_json(order_of(view, action)).decode()
            view = view.newer(_VIEW.validate_json(await perform(order)))
        elif (news := await DBOS.recv_async("news", _NEWS_WITHIN_S)) is not None:
            view = view.newer(_VIEW.validate_json(news))
    ended(view.labels.loan_id).set_result(None)


def ended(name: str) -> asyncio.Future[None]:
    """Resolved at the end of a driver."""
    if name not in _ended:
        _ended[name] = asyncio.get_running_loop().create_future()
    return _ended[name]


class DurableDrivers:
    """Implements `ports.drivers.Drivers` by DBOS."""

    def __init__(self, world: World) -> None:
        _now["perform"] = performing(world)

    async def open(self, view: InstallmentView) -> None:
        """Start the workflow of an installment; its id makes that happen once."""
        with SetWorkflowID(view.labels.loan_id):
            await DBOS.start_workflow_async(drive, _VIEW.dump_json(view).decode())

    async def wake(self, view: InstallmentView) -> None:
        """Send it a newer view; the outbox has opened it before."""
        await DBOS.send_async(view.labels.loan_id, _VIEW.dump_json(view).decode(), "news")

    async def running(self, view: InstallmentView) -> bool:
        """Whether it has not ended."""
        return not ended(view.labels.loan_id).done()


@asynccontextmanager
async def durable(url: str) -> AsyncIterator[None]:
    """DBOS on an empty PostgreSQL database, with its defaults."""
    address = url.replace("postgresql+asyncpg", "postgresql")
    config: DBOSConfig = {
        "name": "acquit-bench",
        "system_database_url": address,
        "log_level": "WARNING",
    }
    DBOS(config=config)
    DBOS.launch()
    try:
        yield
    finally:
        DBOS.destroy()
