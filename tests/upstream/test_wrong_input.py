"""Whatever upstream sends: a readable failure or an entry of the story, never a stuck task."""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from tests.fakes.bulk import PLAIN
from tests.support.bulk import BulkStage
from tests.support.stage import Handle, Stage, stage
from workflows.installment import InstallmentWorkflow

GOOD = asdict(PLAIN)
ACTOR = {"kind": "upstream", "id": "core-1"}
HOLD = {"id": "h-1", "actor": ACTOR, "reason": "asked by the borrower"}


def raw(data: bytes, encoding: str = "json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


@pytest_asyncio.fixture(scope="module")
async def scene(temporal_client: Client) -> AsyncIterator[BulkStage]:
    """Give workers for boarding, shared by the tests of this file."""
    made = BulkStage(temporal_client, f"bulk-{uuid.uuid4().hex[:8]}")
    async with made.workers():
        yield made


async def board(scene: BulkStage, *sent: Any) -> Any:
    """Start `BoardLoan` as a plain client would; its result, within ten seconds."""
    handle = await scene.client.start_workflow(
        "BoardLoan", args=sent, id=f"board/t/{uuid.uuid4().hex}", task_queue=scene.queue
    )
    return await asyncio.wait_for(handle.result(), 10)


async def refusal(scene: BulkStage, *sent: Any) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await board(scene, *sent)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


def opening(**row: Any) -> dict[str, Any]:
    """An opening with one row of history."""
    history = [{"installment": "1", **row}]
    as_of = GOOD["disbursed_on"]
    return {"as_of": as_of, "holder": "old-bank", "evidence": "list 7", "history": history}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


async def test_plain_dictionary_boards_a_loan(scene: BulkStage) -> None:
    """A sender needs none of our types."""
    answer = await board(scene, {**GOOD, "loan_id": "L-dict"})
    assert answer["loan_id"] == "L-dict"


@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        (without("loan_id"), "loan_id", ""),
        ({}, "tenant", ""),
        ({**GOOD, "mandate_capp": "100"}, "mandate_capp", "(not shown)"),
        ({**GOOD, "principal": 12000}, "principal", "12000"),
        ({**GOOD, "principal": 12000.5}, "principal", "12000.5"),
        ({**GOOD, "principal": None}, "principal", "null"),
        ({**GOOD, "periods": True}, "periods", "true"),
        ({**GOOD, "borrower": 110101199003070000}, "borrower", "(not shown)"),
        ({**GOOD, "tenant": ["demo"]}, "tenant", "(not shown)"),
        ({**GOOD, "schedule": "monthly"}, "schedule", "monthly"),
        ({**GOOD, "schedule": [["2026-12-01", "1", "2"]]}, "schedule[1][4]", ""),
        ({**GOOD, "schedule": [["2026-12-01", 1, "2", "0"]]}, "schedule[1][2]", "1"),
        ({**GOOD, "principal": "0"}, "principal", "0"),
        ({**GOOD, "opening": "2026"}, "opening", "2026"),
        ({**GOOD, "opening": {"as_of": "2026-01-01"}}, "opening.holder", ""),
        (
            {**GOOD, "opening": opening(event="paid", referenz="")},
            "opening.history[1].referenz",
            "(not shown)",
        ),
        (
            {**GOOD, "opening": opening(event="paid", principal="1", reference=44)},
            "opening.history[1].reference",
            "(not shown)",
        ),
        ({**GOOD, "periods": ["9" * 9000]}, "periods", "(not shown)"),
        ({**GOOD, "n" * 9000: "1"}, "n" * 80, "(not shown)"),
        ("a loan, please", "application", "a loan, please"),
        (None, "application", "null"),
        ([GOOD], "application", "(not shown)"),
    ],
)
async def test_wrong_application_fails_with_field_value_and_rule(
    scene: BulkStage, sent: Any, field: str, value: str | None
) -> None:
    """Upstream reads what was wrong in the failure itself; nothing is retried, nothing is stuck."""
    refused = await refusal(scene, json_of(sent))
    assert refused.type == "InvalidInput"
    assert refused.non_retryable
    assert (refused.details[0]["field"], refused.details[0]["value"]) == (field, value)
    assert refused.details[0]["rule"]
    assert field in refused.message
    assert len(refused.message) < 400


def json_of(sent: Any) -> RawValue:
    return raw(json.dumps(sent).encode())


@pytest.mark.parametrize(
    "sent",
    [
        (raw(b'{"tenant": '),),
        (raw(b"\xff\xfe\x00"),),
        (raw(b""),),
        (raw(b"[" * 5000),),
        (raw(b"{}", "binary/encrypted"),),
        (raw(b"{}", "json/protobuf"),),
        (RawValue(Payload()),),
        (None,),
        (),
        (GOOD, GOOD),
        (GOOD, raw(b"{", "json/plain")),
        (GOOD, raw(b"?", "of/tomorrow")),
    ],
    ids=lambda sent: str(sent)[:30],
)
async def test_undecodable_start_fails_readably_and_at_once(
    scene: BulkStage, sent: tuple[Any, ...]
) -> None:
    """Bytes that are no JSON, another encoding, no argument or two: the workflow ends."""
    refused = await refusal(scene, *sent)
    if len(sent) == 2 and isinstance(sent[1], RawValue):
        assert refused.message == "Failed decoding arguments"  # the SDK's own words
        return
    assert refused.type == "InvalidInput"
    assert refused.details[0]["field"] == "application"


async def test_field_of_a_later_release_that_is_empty_is_no_error(scene: BulkStage) -> None:
    """Senders may be newer than workers, as long as they make no use of what is new."""
    answer = await board(scene, {**GOOD, "loan_id": "L-new", "broker": "", "tags": [], "x": None})
    assert answer["loan_id"] == "L-new"


async def test_payload_beyond_the_limit_of_the_server_is_refused_at_the_start(
    scene: BulkStage,
) -> None:
    """What no history may hold never becomes a workflow."""
    row = ["2026-12-01", "1.00", "1.00", "0.00"]
    with pytest.raises(RPCError, match=r"(?i)size|large|limit"):
        await board(scene, {**GOOD, "schedule": [row] * 70_000})


# --- signals and the Update ----------------------------------------------------------------------


async def story_with(handle: Handle, unread: int) -> tuple[str, ...]:
    async with asyncio.timeout(20):
        while (tale := await handle.query(InstallmentWorkflow.story)).unread_signals < unread:
            await asyncio.sleep(0.05)
    assert tale.unread_signals == unread
    return tale.happened


WRONG_SIGNALS: list[tuple[str, tuple[Any, ...], str]] = [
    ("hold", ({**HOLD, "what": "everything"},), "what: "),
    ("hold", ({**HOLD, "until": "2027-01-01"},), "until: no such field"),
    ("hold", ({"id": "h-1", "reason": "x"},), "actor: must be given"),
    ("hold", ({**HOLD, "actor": {"kind": "upstream"}},), "actor.id: must be given"),
    ("hold", ({**HOLD, "reason": " "},), "reason: 1 to"),
    ("hold", ({**HOLD, "kind": "unhold"},), "kind: "),
    ("hold", (), "order: one argument"),
    ("hold", (HOLD, HOLD), "order: one argument"),
    ("hold", (raw(b"{"),), "order: JSON"),
    ("hold", (raw(b"{}", "binary/encrypted"),), "order: JSON"),
    ("unhold", (None,), "order: JSON"),
    ("waive", ({**HOLD, "component": "principal", "amount_minor": "100"},), "amount_minor: "),
    ("waive", ({**HOLD, "component": "principal", "amount_minor": 1.5},), "amount_minor: "),
    ("change_date", ({**HOLD, "due_on": "01.12.2026"},), "due_on: "),
    ("wake", ({"loan_id": "L-1"},), "tenant: must be given"),
]


async def test_wrong_signals_are_counted_reported_and_logged(
    temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for the answer to a signal: each that cannot be read leaves a trace."""
    scene: Stage = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    with caplog.at_level(logging.WARNING):
        async with scene.workers():
            handle = await scene.open()
            for name, sent, _ in WRONG_SIGNALS:
                await handle.signal(name, args=sent)
            tale = await story_with(handle, len(WRONG_SIGNALS))
            assert scene.books.applied("hold") == []
            await handle.signal("hold", HOLD)
            await scene.settle(handle)
    assert len(scene.books.applied("hold")) == 1
    refused = [line for line in tale if "not taken" in line]
    logged = [entry.getMessage() for entry in caplog.records if "not taken" in entry.getMessage()]
    for (name, _, rule), line, entry in zip(WRONG_SIGNALS, refused, logged, strict=True):
        assert f"{name} not taken: {rule}" in line
        assert f"signal {name} not taken: {rule}" in entry


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ((HOLD,), "kind"),
        (({**HOLD, "kind": "foreclose"},), "kind"),
        (({**HOLD, "kind": ["hold"]},), "kind"),
        (({**HOLD, "kind": "waive"},), "component"),
        (({**HOLD, "kind": "hold", "amount_minor": 5},), "amount_minor"),
        (({**HOLD, "kind": "hold", "reason": ""},), "reason"),
        ((raw(b"{"),), "order"),
        ((), "order"),
    ],
)
async def test_wrong_update_is_refused_with_field_value_and_rule(
    temporal_client: Client, sent: tuple[Any, ...], field: str
) -> None:
    """An Update that cannot be read is refused before it is accepted; the history keeps nothing."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await asyncio.wait_for(handle.execute_update("override", args=sent), 20)
        refused = failed.value.cause
        assert isinstance(refused, ApplicationError)
        assert refused.type == "InvalidInput"
        assert refused.details[0].keys() == {"field", "value", "rule"}
        assert refused.details[0]["field"] == field
        assert scene.books.applied("hold") == []
        await scene.settle(handle)
