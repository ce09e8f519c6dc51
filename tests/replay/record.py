"""Record one history for each path of the workflows, for `test_replay.py`.

    python -m tests.replay.record [NAME ...]

Needs the dev server. A recorded file is never edited: a path that changes is recorded under a new
name, and the old file must keep replaying for as long as such workflows may be open somewhere.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.healing import HealOrder
from activities.sweeps import SweepOrder
from domain.debit.outcome import NO_ANSWER
from domain.kernel.view import Action
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind
from domain.loanclosure.rules import LegKind
from ports.rail import RailUnavailable
from sandbox.devserver import DevServer
from sandbox.serverbinary import find_server
from tests.fakes.books import Pace
from tests.fakes.bulk import PLAIN
from tests.fakes.rails import NSF, OK, PENDING
from tests.support.bulk import BulkStage
from tests.support.casestage import CaseStage, quick
from tests.support.closurestage import ClosureStage, asked_soon
from tests.support.payoutstage import PayoutStage
from tests.support.stage import Handle, Stage, sent, stage, until
from workflows import names, policies
from workflows.installment import InstallmentWorkflow

HERE = Path(__file__).parent / "histories"
HOLD = sent("hold", "h-1", "asked by the borrower")
UNHOLD = sent("unhold", "u-1", "settled")
SLOW = Pace(present=timedelta(hours=1))
DAY = date(2026, 12, 1)

Recorded = dict[str, Any]
Scenario = Callable[[Client, str], Awaitable[Any]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(record: Scenario) -> Scenario:
    SCENARIOS[getattr(record, "__name__", "")] = record
    return record


async def cleared(scene: Stage) -> None:
    await until(lambda: scene.books.current.state is State.CLEARING)
    await asyncio.sleep(0.3)


@scenario
async def happy(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def waiting_for_settlement_open(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
    return handle


@scenario
async def declined_then_paid(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark, presents=[NSF, OK])
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def unknown_then_inquired(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark, presents=[NO_ANSWER], inquiries=[PENDING, OK])
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def rail_down(client: Client, mark: str) -> Any:
    down = RailUnavailable("connect")
    scene = stage(client, mark=mark, presents=[down, down, down, OK])
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def settlement_late(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = Pace(review=timedelta(seconds=1))
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: bool(scene.books.applied("review")))
        await asyncio.sleep(0.3)
        await scene.settle(handle)
    return handle


@scenario
async def books_fail(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.fail_next = [ConnectionError("books away")] * 3
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def held_before_first_task_then_released(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    handle = await scene.open()
    await handle.signal("hold", HOLD)
    async with scene.workers():
        await until(lambda: scene.books.current.detail.hold == "all")
        await handle.signal("unhold", UNHOLD)
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def order_with_the_final_view(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    handle = await scene.open()
    await handle.signal(InstallmentWorkflow.wake, scene.books.settle())
    await handle.signal("hold", HOLD)
    async with scene.workers():
        await handle.result()
    return handle


@scenario
async def update_applied_and_refused(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await handle.execute_update(InstallmentWorkflow.override, HOLD)
        scene.books.refuse = "authority"
        refused = sent("write_off", "w-1", "gone")
        try:
            await handle.execute_update(InstallmentWorkflow.override, refused)
        except WorkflowUpdateFailedError:
            await scene.settle(handle)
    return handle


@scenario
async def cancel_request_becomes_a_hold(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: bool(scene.books.commands))
        await handle.cancel()
        await until(lambda: scene.books.current.detail.hold == "all")
        await scene.settle(handle)
    return handle


@scenario
async def cancel_request_during_a_debit(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    answer = scene.rail.stop_after_send = asyncio.Event()
    async with scene.workers():
        handle = await scene.open()
        await scene.rail.sent.wait()
        await handle.cancel()
        await until(lambda: bool(scene.books.applied("hold")))
        answer.set()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def cancelled_by_order(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("cancel", sent("cancel", "c", "refinanced"))
        await handle.result()
    return handle


@scenario
async def unknown_signal(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("holdd", {"id": "h"})
        await asyncio.sleep(0.5)
        await scene.settle(handle)
    return handle


@scenario
async def unread_signals(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("hold", {"id": "h", "reason": "who asks?"})
        await handle.signal("hold", RawValue(Payload(metadata={"encoding": b"of/tomorrow"})))
        await asyncio.sleep(0.5)
        await scene.settle(handle)
    return handle


@scenario
async def date_moved_by_news(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: bool(scene.books.commands))
        await asyncio.sleep(0.3)
        soon = scene.books.action(ActionKind.PRESENT, timedelta(seconds=1))
        moved = scene.books.change(due_on=date(2026, 12, 3), next_action=soon)
        await handle.signal(InstallmentWorkflow.wake, moved)
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def action_of_a_later_release(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    later = Action("SING", scene.books.now(), "a rule of tomorrow", "call/1")
    scene.books.change(next_action=later)
    async with scene.workers():
        handle = await scene.open()
        await asyncio.sleep(0.5)
        await scene.settle(handle)
    return handle


@scenario
async def too_early_by_the_clock_of_the_books(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.behind = timedelta(seconds=1)
    async with scene.workers():
        handle = await scene.open()
        await cleared(scene)
        await scene.settle(handle)
    return handle


@scenario
async def person_asked(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.stuck = True
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: bool(scene.books.applied("raise_operator")))
        await asyncio.sleep(0.5)
        await scene.settle(handle)
    return handle


@scenario
async def reopened_under_a_higher_generation(client: Client, mark: str) -> Any:
    scene = stage(client, mark=mark)
    scene.books.pace = SLOW
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: bool(scene.books.commands))
        await handle.signal(InstallmentWorkflow.wake, scene.books.change(generation=2))
        await handle.result()
    return handle


@scenario
async def long_history_continued(client: Client, mark: str) -> Any:
    usual, policies.EVENTS_MOST = policies.EVENTS_MOST, 20
    scene = stage(client, mark=mark, presents=[NO_ANSWER], inquiries=[*[PENDING] * 4, OK])
    try:
        async with scene.workers():
            handle = await scene.open()
            await cleared(scene)
            await scene.settle(handle)
    finally:
        policies.EVENTS_MOST = usual
    return client.get_workflow_handle(handle.id)


@scenario
async def case_handed_up_and_resolved(client: Client, mark: str) -> Any:
    scene = CaseStage(client, quick(1.0), mark)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.case.owner == "team-lead")
        await handle.signal("note_case", sent("note_case", "n", "asked the bank"))
        await until(lambda: bool(scene.books.case.notes))
        done = sent("resolve_case", "r", "the bank answered", resolution="corrected")
        await handle.execute_update("override", done)
        await handle.result()
    return handle


@scenario
async def sweep_that_remits(client: Client, mark: str) -> Any:
    scene = BulkStage(client, f"bulk-{mark}")
    scene.queries.to_roll = ["L-1", "L-2"]
    sha256 = scene.source.offer("f1", b"s1", DAY)
    order = SweepOrder(f"t-{mark}", DAY, accounts=("acc",))
    async with scene.workers():
        handle = await scene.starter.sweep(order, DAY)
        await handle.result()
        await client.get_workflow_handle(names.statement_id(order.tenant, sha256)).result()
    return handle


@scenario
async def statement_booked(client: Client, mark: str) -> Any:
    return await _statement(client, mark, b"s1")


@scenario
async def statement_refused(client: Client, mark: str) -> Any:
    return await _statement(client, mark, b"nonsense")


async def _statement(client: Client, mark: str, content: bytes) -> Any:
    scene = BulkStage(client, f"bulk-{mark}")
    sha256 = scene.archive.put(content)
    async with scene.workers():
        await scene.starter.start_statement(f"t-{mark}", sha256)
        handle = client.get_workflow_handle(names.statement_id(f"t-{mark}", sha256))
        await asyncio.gather(handle.result(), return_exceptions=True)
    return handle


@scenario
async def heal_that_remits(client: Client, mark: str) -> Any:
    scene = BulkStage(client, f"bulk-{mark}")
    async with scene.workers():
        await scene.starter.heal(f"t-{mark}", HealOrder())
    return client.get_workflow_handle(f"heal/t-{mark}/now")


@scenario
async def payout_closed(client: Client, mark: str) -> Any:
    scene = PayoutStage(client, mark)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state == "PAID")
        await scene.line(handle)
        await scene.ended(handle)
    return handle


@scenario
async def refund_closed(client: Client, mark: str) -> Any:
    scene = PayoutStage(client, mark, refund=True)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state == "PAID")
        await scene.line(handle)
        await scene.ended(handle)
    return handle


@scenario
async def payout_unknown_then_inquired(client: Client, mark: str) -> Any:
    scene = PayoutStage(client, mark)
    scene.channel.lose = 1
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state == "PAID")
        await scene.line(handle)
        await scene.ended(handle)
    return handle


@scenario
async def loan_closed(client: Client, mark: str) -> Any:
    scene = ClosureStage(client, mark)
    async with scene.workers(), asked_soon():
        handle = await scene.open()
        await until(lambda: scene.books.scene.leg(LegKind.TELL_BORROWER).tries == 1)
        scene.books.scene.told(LegKind.TELL_BORROWER)
        await scene.wake(handle)
        proof = {"leg": "release_guarantor", "proof": "letter 7", "approver": "ops-9"}
        await handle.signal("state_leg_done", sent("state_leg_done", "s-1", "done", **proof))
        await scene.ended(handle)
    return handle


@scenario
async def boarded(client: Client, mark: str) -> Any:
    return await _board(client, mark, "12000.00")


@scenario
async def board_refused(client: Client, mark: str) -> Any:
    return await _board(client, mark, "0")


@scenario
async def board_unread(client: Client, mark: str) -> Any:
    scene = BulkStage(client, f"bulk-{mark}")
    async with scene.workers():
        handle = await client.start_workflow(
            "BoardLoan", {"tenant": 1}, id=f"board/t-{mark}/L-1", task_queue=scene.queue
        )
        await asyncio.gather(handle.result(), return_exceptions=True)
    return handle


async def _board(client: Client, mark: str, principal: str) -> Any:
    scene = BulkStage(client, f"bulk-{mark}")
    asked = replace(PLAIN, tenant=f"t-{mark}", principal=principal)
    async with scene.workers():
        handle = await scene.starter.board(asked)
        await asyncio.gather(handle.result(), return_exceptions=True)
    return handle


def scrubbed(node: Any) -> Any:
    """The history without stack traces and names of machines; neither matters to a replay."""
    if isinstance(node, dict):
        kept = {key: scrubbed(value) for key, value in node.items() if key != "stackTrace"}
        return {key: "recorder" if key == "identity" else value for key, value in kept.items()}
    if isinstance(node, list):
        return [scrubbed(item) for item in node]
    return node


async def record(chosen: list[str]) -> None:
    HERE.mkdir(exist_ok=True)
    async with DevServer(await find_server(os.environ)) as server:
        client = await Client.connect(
            server.address, namespace=server.namespace, data_converter=pydantic_data_converter
        )
        for name in chosen:
            mark = name.replace("_", "-")
            handle: Handle = await asyncio.wait_for(SCENARIOS[name](client, mark), 90)
            history = scrubbed(json.loads((await handle.fetch_history()).to_json()))
            path = HERE / f"{name}.json"
            path.write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
            sys.stdout.write(f"{path.name}: {len(history['events'])} events\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:] or list(SCENARIOS)))
