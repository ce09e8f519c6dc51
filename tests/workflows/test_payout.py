"""The driver of a payout on a real server, killed at each point: nothing lost, nothing twice."""

import pytest
from temporalio.client import Client

from tests.support.payoutstage import LOANS, PayoutStage
from tests.support.stage import sent, until


async def test_a_payout_is_sent_proven_and_learnt(temporal_client: Client) -> None:
    """One send, one line, and every loan knows: the driver ends."""
    scene = PayoutStage(temporal_client)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state == "PAID")
        await scene.line(handle)
        closure = await scene.ended(handle)
    assert (closure.state, len(scene.channel.sent)) == ("CLOSED", 1)
    knows = [len(scene.books.memory.loans[name].portions[0].moves) for name in LOANS]
    assert knows == [1, 1, 1]
    scene.books.scene.check()


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("", "instruct_payout", 0),
        ("record_payout_outcome", "", 0),
        ("", "record_payout_outcome", 0),
        ("record_remitted", "", 0),
        ("", "record_remitted", 0),
        ("record_learnt", "", 0),
        ("", "record_learnt", 0),
        ("", "", 1),
    ],
)
async def test_whatever_dies_nothing_is_lost_or_sent_twice(
    temporal_client: Client, before: str, after: str, lost: int
) -> None:
    """A worker that dies at a point: the order is asked about, and never sent again."""
    scene = PayoutStage(temporal_client)
    scene.books.dies_before = {before} - {""}
    scene.books.dies_after = {after} - {""}
    scene.channel.lose = lost
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state in {"PAID", "FAILED"}, 45)
        if scene.books.now.state == "PAID":
            await scene.line(handle)
        closure = await scene.ended(handle)
    executed = len(scene.channel.executed)
    assert (closure.state, executed) in {("CLOSED", 1), ("FAILED", 0)}
    assert len(scene.channel.sent) == executed
    assert not scene.books.dies_before | scene.books.dies_after
    scene.books.scene.check()


async def test_a_declined_payout_ends_its_driver(temporal_client: Client) -> None:
    """Its items are open again; whoever corrects it asks for another one."""
    scene = PayoutStage(temporal_client)
    scene.channel.decline = True
    async with scene.workers():
        closure = await scene.ended(await scene.open())
    assert closure.state == "FAILED"
    assert not +scene.books.memory.taken
    assert [case.kind for case in scene.books.memory.cases.values()] == ["payout_failed"]


async def test_a_cancel_request_takes_back_only_what_has_not_left(
    temporal_client: Client,
) -> None:
    """The books refuse to take back an order that is out, and the driver goes on to its end."""
    scene = PayoutStage(temporal_client)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state == "PAID")
        await handle.cancel()
        await handle.signal("cancel_payout", sent("cancel_payout", "c-1", "too late"))
        await scene.line(handle)
        assert (await scene.ended(handle)).state == "CLOSED"


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("", "", 0),
        ("", "instruct_payout", 0),
        ("record_payout_outcome", "", 0),
        ("", "record_payout_outcome", 0),
        ("", "", 1),
    ],
)
async def test_a_refund_is_sent_once_whatever_dies(
    temporal_client: Client, before: str, after: str, lost: int
) -> None:
    """One order and one line: its payer has the duplicate back, or it waits again with a case."""
    scene = PayoutStage(temporal_client, refund=True)
    scene.books.dies_before = {before} - {""}
    scene.books.dies_after = {after} - {""}
    scene.channel.lose = lost
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.now.state in {"PAID", "FAILED"}, 45)
        if scene.books.now.state == "PAID":
            await scene.line(handle)
        closure = await scene.ended(handle)
    executed = len(scene.channel.executed)
    assert (closure.state, executed) in {("CLOSED", 1), ("FAILED", 0)}
    assert len(scene.channel.sent) == executed
    portion = scene.books.scene.portion("T-AGAIN", LOANS[0])
    assert (portion.refunded_minor, portion.waiting_minor) in {(10000, 0), (0, 10000)}
    assert not scene.books.dies_before | scene.books.dies_after
    scene.books.scene.check()
