"""Orders that the books cannot take: tried within limits, shown to a person, in nobody's way."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from domain.loan.lifecycle import State
from tests.support.doors import RaiseOperator
from tests.support.stage import Handle, Stage, sent, stage, until
from workflows import names, policies
from workflows.installment import InstallmentWorkflow

HOLD = sent("hold", "h-1", "asked by the borrower")
AWAY = ConnectionError("the books are away")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and no retries by the server: each try of an order is one of ours."""
    monkeypatch.setattr(policies, "BOOKS_AWAY", timedelta(milliseconds=100))
    monkeypatch.setattr(policies, "ORDER_TRIES", 3)
    for config in (policies.STEADY, policies.ORDER):
        once = RetryPolicy(maximum_attempts=1, non_retryable_error_types=[*policies.NEVER_AGAIN])
        monkeypatch.setitem(config, "retry_policy", once)


async def needs_operator(handle: Handle) -> bool | None:
    return (await handle.describe()).typed_search_attributes.get(names.OPERATOR)


async def run_of(scene: Stage, handle: Handle) -> str | None:
    return (await scene.client.get_workflow_handle(handle.id).describe()).run_id


async def test_an_order_that_the_books_cannot_take_ends_with_a_person(
    temporal_client: Client,
) -> None:
    """It is tried so often and no oftener; then the books hold a task that names the order."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    scene.books.fail_kinds["hold"] = AWAY
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("hold", HOLD)
        await until(lambda: bool(scene.books.applied("raise_operator")))
        tries = scene.books.failed["hold"]
        await asyncio.sleep(1)
        assert scene.books.failed["hold"] == tries == 2 * 3  # each at once, then again
        [asked] = scene.books.applied("raise_operator")
        assert isinstance(asked, RaiseOperator)
        assert "order hold of operator/op-7 was not taken" in asked.reason
        await scene.settle(handle)


async def test_a_poisoned_order_is_not_tried_again(temporal_client: Client) -> None:
    """What the books call invalid stays invalid: a person is asked after the first try."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    scene.books.fail_kinds["hold"] = ValueError("no such thing")
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("hold", HOLD)
        await until(lambda: bool(scene.books.applied("raise_operator")))
        assert scene.books.failed["hold"] == 1
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(InstallmentWorkflow.override, HOLD)
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "InvalidInput"
        await scene.settle(handle)


async def test_an_order_that_waits_for_the_books_keeps_no_debit_back(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a signal is tried for hours the driver reminds, presents and records."""
    monkeypatch.setattr(policies, "BOOKS_AWAY", timedelta(hours=1))
    scene = stage(temporal_client)
    scene.books.fail_kinds["write_off"] = AWAY
    async with scene.workers():
        handle = await scene.open()
        gone = sent("write_off", "w-1", "gone")
        await handle.signal("write_off", gone)
        await until(lambda: scene.books.current.state is State.CLEARING)
        assert len(scene.rail.posted) == 1
        assert scene.books.failed["write_off"] == 2


async def test_a_waiting_order_travels_to_the_new_run(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long history goes on in a new run although an order waits, and the order is not lost."""
    monkeypatch.setattr(policies, "BOOKS_AWAY", timedelta(hours=1))
    monkeypatch.setattr(policies, "EVENTS_MOST", 20)
    scene = stage(temporal_client)
    scene.books.fail_kinds["hold"] = AWAY
    scene.books.pace = type(scene.books.pace)(present=timedelta(seconds=3))
    async with scene.workers():
        handle = await scene.open()
        first = handle.result_run_id
        await handle.signal("hold", HOLD)
        await until(lambda: scene.books.failed["hold"] == 2)
        async with asyncio.timeout(20):
            while await run_of(scene, handle) == first:
                await handle.signal(InstallmentWorkflow.wake, scene.books.current)
                await asyncio.sleep(0.05)
        del scene.books.fail_kinds["hold"]
        newest = temporal_client.get_workflow_handle(handle.id)
        if not scene.books.applied("hold"):  # its first try of the new run met the same fault
            monkeypatch.setattr(policies, "EVENTS_MOST", 0)
            await newest.signal(InstallmentWorkflow.wake, scene.books.change(code="x"))
        await until(lambda: bool(scene.books.applied("hold")))
        monkeypatch.setattr(policies, "EVENTS_MOST", 4000)


async def test_an_order_that_nobody_can_be_notified_about_is_shown_by_the_driver(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the books away for all, searches and people still see that a person is needed."""
    monkeypatch.setattr(policies, "ASKS_MOST", 2)
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    scene.books.fail_kinds = {"hold": AWAY, "raise_operator": AWAY}
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("hold", HOLD)
        await until(lambda: scene.books.failed["raise_operator"] == 2)
        await asyncio.sleep(0.5)
        assert scene.books.failed["raise_operator"] == 2
        assert await needs_operator(handle) is True
        closure = await scene.settle(handle)
    assert closure.state == State.CLOSED


async def test_more_orders_than_may_wait_are_shown_at_once(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of orders that wait is limited; one more asks for a person, not for memory."""
    monkeypatch.setattr(policies, "BOOKS_AWAY", timedelta(hours=1))
    monkeypatch.setattr(policies, "ORDERS_MOST", 1)
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    scene.books.fail_kinds["hold"] = AWAY
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("hold", HOLD)
        await until(lambda: scene.books.failed["hold"] == 2)
        await handle.signal("hold", HOLD)
        async with asyncio.timeout(20):
            while not await needs_operator(handle):
                await asyncio.sleep(0.05)
        assert scene.books.failed["hold"] == 2


async def test_an_id_of_ours_uses_up_no_command_of_the_driver(temporal_client: Client) -> None:
    """A signal may be called like a debit or a day: the debit goes out all the same."""
    scene = stage(temporal_client)
    books = scene.books
    async with scene.workers():
        handle = await scene.open()
        for taken in (
            f"{books.loan_id}/1/g1/PRESENT/2",
            f"driver/{books.loan_id}/1/g1/PRESENT/2",
            f"roll/{books.loan_id}/2026-12-01",
        ):
            noted = sent("write_off", taken, "a clash")
            await handle.signal("write_off", noted)
        await until(lambda: books.current.state is State.CLEARING)
        await scene.settle(handle)
    assert len(scene.rail.posted) == 1
    ids = [command.id for command in books.applied("write_off")]
    assert ids
    assert all(name.startswith(f"message/{books.loan_id}/1/") for name in ids)
