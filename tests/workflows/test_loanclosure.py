"""The driver of a closure on a real server, killed at each point: no leg lost, none done twice."""

from datetime import timedelta

import pytest
from temporalio.client import Client

from domain.loanclosure import agenda
from domain.loanclosure.certificate import read_settlement
from domain.loanclosure.commands import LegNews, LegStatus
from domain.loanclosure.rules import LegKind
from ports.bureaus import ReportKind
from tests.support.closures import only
from tests.support.closurestage import SIGNER, ClosureStage
from tests.support.stage import sent, until

_K = LegKind
STATED = {"leg": "release_guarantor", "proof": "letter 7", "approver": "ops-9"}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have requests asked about after moments; the books compute when, not the driver."""
    monkeypatch.setattr(agenda, "WAITS", (timedelta(milliseconds=300),))
    monkeypatch.setattr(agenda, "ASK_AGAIN_AFTER", timedelta(milliseconds=300))


async def finish(scene: ClosureStage) -> None:
    """Drive a closure with all its legs to its end."""
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.scene.leg(_K.TELL_BORROWER).tries == 1, 45)
        scene.books.scene.told(_K.TELL_BORROWER)
        await scene.wake(handle)
        await handle.signal("state_leg_done", sent("state_leg_done", "s-1", "done", **STATED))
        closure = await scene.ended(handle)
    assert closure.state == "CLOSED"


async def test_a_closure_goes_through_all_its_legs(temporal_client: Client) -> None:
    """Bureau, mandate, certificate, borrower and seal: each once, and the driver ends."""
    scene = ClosureStage(temporal_client)
    await finish(scene)
    closure = scene.books.scene.closure
    assert len(scene.bureau.taken) == 1
    report = next(iter(scene.bureau.taken.values()))
    assert (report.kind, report.owed_minor, report.as_of) == (
        ReportKind.SETTLED,
        0,
        closure.value_on,
    )
    assert scene.rail.ended == ["M-L1"]
    assert closure.certificate is not None
    assert closure.certificate.key == SIGNER.public.hex()
    assert read_settlement(closure.certificate.text).settled_on == closure.value_on
    assert closure.sealed_by.startswith("7 ")
    scene.books.scene.check()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("begin_leg", ""),
        ("", "begin_leg"),
        ("record_leg_news", ""),
        ("", "record_leg_news"),
        ("record_certificate", ""),
        ("", "record_certificate"),
        ("record_mandate_ended", ""),
        ("", "record_mandate_ended"),
        ("record_sealed", ""),
        ("", "record_sealed"),
    ],
)
async def test_whatever_dies_no_leg_is_lost_or_done_twice(
    temporal_client: Client, before: str, after: str
) -> None:
    """A worker that dies at a point: the bureau has one report, the loan one certificate."""
    scene = ClosureStage(temporal_client)
    scene.books.dies_before = {before} - {""}
    scene.books.dies_after = {after} - {""}
    await finish(scene)
    assert not scene.books.dies_before | scene.books.dies_after
    assert len(scene.bureau.taken) == 1
    assert len(scene.books.scene.closure.certificates) == 1
    scene.books.scene.check()


async def test_a_lost_report_is_sent_again_under_its_reference(temporal_client: Client) -> None:
    """The bureau knows nothing of it; the second one is the same request."""
    scene = ClosureStage(temporal_client, rules=only(_K.TELL_BUREAU))
    scene.bureau.lose = 2
    async with scene.workers():
        assert (await scene.ended(await scene.open())).state == "CLOSED"
    assert len(scene.bureau.calls) == 3
    assert len(set(scene.bureau.calls)) == 1


async def test_a_rejected_report_is_made_again_where_that_may_help(temporal_client: Client) -> None:
    """It is another request, with a reference of its own."""
    scene = ClosureStage(temporal_client, rules=only(_K.TELL_BUREAU))
    scene.bureau.rejects = [LegNews(LegStatus.REJECTED, "B01", may_retry=True)]
    async with scene.workers():
        assert (await scene.ended(await scene.open())).state == "CLOSED"
    assert len(set(scene.bureau.calls)) == 2


async def test_a_mandate_with_other_loans_is_left_alone(temporal_client: Client) -> None:
    """The rail is not asked."""
    scene = ClosureStage(temporal_client, rules=only(_K.END_MANDATE))
    scene.books.others = 2
    async with scene.workers():
        assert (await scene.ended(await scene.open())).state == "CLOSED"
    assert scene.rail.ended == []
    assert scene.books.scene.leg(_K.END_MANDATE).state == "NOT_NEEDED"


async def test_a_cancel_request_holds_the_closure(temporal_client: Client) -> None:
    """It acts no more until somebody lets it go on."""
    scene = ClosureStage(temporal_client, rules=only(_K.TELL_BUREAU))
    scene.bureau.rejects = [LegNews(LegStatus.REJECTED, "B09")]
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.scene.leg_state(_K.TELL_BUREAU) == "REJECTED")
        await handle.cancel()
        await until(lambda: scene.books.now.detail.is_held)
        for kind, more in (("resume_closure", {}), ("retry_leg", {"leg": "tell_bureau"})):
            await handle.signal(kind, sent(kind, kind, "go on", **more))
        assert (await scene.ended(handle)).state == "CLOSED"
