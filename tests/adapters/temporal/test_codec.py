"""What histories carry is unreadable without the keys, and keys can be renewed under way."""

import json
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from adapters.temporal.codec import (
    ENCODING,
    EncryptionCodec,
    Keyring,
    PayloadUnreadable,
    converter,
    new_key,
)
from adapters.temporal.worker import WORKFLOWS, runner
from domain.errors import InvalidInput
from domain.loan.lifecycle import State
from tests.support.stage import counted, stage, until

OLD, NEW = new_key("2026-01"), new_key("2026-07")
SECRET = "L-canary-17"


def codec(*lines: str) -> EncryptionCodec:
    return EncryptionCodec(Keyring.parse("\n".join(lines)))


async def sealed(*lines: str) -> Payload:
    (payload,) = pydantic_data_converter.payload_converter.to_payloads([SECRET])
    return (await codec(*lines).encode([payload]))[0]


async def test_payload_comes_back_and_shows_only_its_key() -> None:
    """Outside stands which key; inside, metadata included, nothing can be read."""
    payload = await sealed(OLD)
    assert dict(payload.metadata) == {"encoding": ENCODING, "encryption-key-id": b"2026-01"}
    assert SECRET.encode() not in payload.SerializeToString()
    (opened,) = await codec(OLD).decode([payload])
    assert pydantic_data_converter.payload_converter.from_payload(opened) == SECRET


async def test_equal_payloads_are_never_equal_when_encrypted() -> None:
    """A fresh nonce each time: nobody learns that two loans carry the same amount."""
    assert (await sealed(OLD)).data != (await sealed(OLD)).data


async def test_renewed_key_encrypts_and_the_old_one_still_reads() -> None:
    """First line encrypts, every line decrypts: rotation needs no rewriting of histories."""
    before = await sealed(OLD)
    rotated = codec(NEW, OLD)
    assert (await sealed(NEW, OLD)).metadata["encryption-key-id"] == b"2026-07"
    assert len(await rotated.decode([before, await sealed(NEW, OLD)])) == 2


async def test_missing_key_is_named() -> None:
    """A worker that lacks a key says which one, so that somebody can bring it."""
    with pytest.raises(PayloadUnreadable, match="no key '2026-01'"):
        await codec(NEW).decode([await sealed(OLD)])


async def test_wrong_key_under_the_right_name_is_refused() -> None:
    """A key of the same name is not the same key."""
    with pytest.raises(PayloadUnreadable, match="changed since"):
        await codec(new_key("2026-01")).decode([await sealed(OLD)])


@pytest.mark.parametrize("place", [0, 11, 12, -1])
async def test_one_changed_bit_is_noticed(place: int) -> None:
    """Nonce, text and tag are all covered."""
    payload = await sealed(OLD)
    data = bytearray(payload.data)
    data[place] ^= 1
    payload.data = bytes(data)
    with pytest.raises(PayloadUnreadable, match="changed since"):
        await codec(OLD).decode([payload])


async def test_cut_or_relabelled_payload_is_refused() -> None:
    """Neither half a payload nor one under another key's name is read."""
    payload = await sealed(OLD, NEW)
    payload.metadata["encryption-key-id"] = b"2026-07"
    with pytest.raises(PayloadUnreadable):
        await codec(OLD, NEW).decode([payload])
    payload = await sealed(OLD)
    payload.data = payload.data[:5]
    with pytest.raises(PayloadUnreadable):
        await codec(OLD).decode([payload])


async def test_what_was_written_in_clear_stays_readable() -> None:
    """Encryption can be switched on while installments are open."""
    (clear,) = pydantic_data_converter.payload_converter.to_payloads([SECRET])
    assert await codec(OLD).decode([clear]) == [clear]


@pytest.mark.parametrize(
    "text",
    ["", "no-colon", "a:short", "a:!!!", f"{OLD}\n{OLD}", f":{OLD}", f"a b:{OLD[8:]}"],
    # Keys are made afresh in every process: names of tests must not hold them.
    ids=["empty", "no colon", "short", "no base64", "twice", "no id", "bad id"],
)
def test_faulty_keyring_is_refused_without_showing_a_key(text: str) -> None:
    """The message names the line or the id; key material is never in it."""
    with pytest.raises(InvalidInput) as refused:
        Keyring.parse(text)
    assert OLD[8:] not in str(refused.value)
    assert OLD[8:] not in repr(Keyring.parse(OLD))


async def test_failures_are_encrypted_with_their_stacks() -> None:
    """Error texts are data too."""
    scrambling, failure = converter(Keyring.parse(OLD)), Failure()
    await scrambling.encode_failure(ApplicationError(SECRET), failure)
    assert SECRET.encode() not in failure.SerializeToString()
    assert str(await scrambling.decode_failure(failure)).endswith(SECRET)


async def test_driver_runs_encrypted_and_its_history_replays(temporal_client: Client) -> None:
    """A whole installment: nothing of it legible on the server, and the replay finds it again."""
    config = temporal_client.config()
    data = converter(Keyring.parse(f"{NEW}\n{OLD}"))
    config["data_converter"] = data
    scene = stage(Client(**config))
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.current.state is State.CLEARING)
        await scene.settle(handle)
    history = await handle.fetch_history()
    assert (await counted(handle)).total() <= 24
    _no_plain_payload(json.loads(history.to_json()))
    reported = WorkflowHistory.from_json(handle.id, history.to_json())
    replayer = Replayer(workflows=WORKFLOWS, data_converter=data, workflow_runner=runner())
    await replayer.replay_workflow(reported)
    blind = converter(Keyring.parse(OLD))
    replayer = Replayer(workflows=WORKFLOWS, data_converter=blind, workflow_runner=runner())
    with pytest.raises((RuntimeError, WorkflowFailureError)):
        await replayer.replay_workflow(reported)


CLEAR = ("searchAttributes", "markerRecordedEventAttributes/details/data")
"""The server searches the first; the SDK keeps its own times of a local activity in the second."""


def _no_plain_payload(node: object, path: Path = Path()) -> None:
    """Walk a history: every payload is encrypted, but for what servers and SDK keep in clear."""
    match node:
        case {"metadata": {"encoding": encoding}} if not any(part in str(path) for part in CLEAR):
            assert encoding == "YmluYXJ5L2VuY3J5cHRlZA==", path
        case dict():
            for key, value in node.items():
                _no_plain_payload(value, path / str(key))
        case list():
            for value in node:
                _no_plain_payload(value, path)
        case _:
            pass
