"""What a fault on the line means, by whether the order can have left; over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.rails.http import HttpLimits, RailHttp
from adapters.rails.simbank import SIMBANK, SimbankConfig, SimbankRail
from adapters.rails.simbank.calls import signature
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass, OutcomeStatus
from domain.errors import InvalidInput
from ports.rail import RailUnavailable, Recalled
from tests.adapters.rails.bank import API_SECRET, CONFIG, build_mandate, build_order

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
LIMITS = HttpLimits(connect_s=1, read_s=0.3, write_s=1, pool_s=0.2, total_s=1, answer_max=4096)
ORDER = build_order(SIMBANK, NOW)
GOOD = {
    "order_no": "ORDER-1", "code": "00", "text": "success", "status": "SUCCESS",
    "amount_minor": 10_000, "executed_minor": 10_000, "bank_ref": "BK1",
    "executed_at": "2026-03-04T02:00:00.000Z", "batch_ref": None,
}  # fmt: skip
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[SimbankRail]:
    """A rail whose bank plays `script` on every connection."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, RailHttp(f"http://127.0.0.1:{port}", LIMITS) as http:
        yield SimbankRail(http, CONFIG, lambda: NOW, nonce=lambda: "nonce-1")


async def request_of(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Read one request: its first line, headers in lower case, body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", "0")))


def answering(status: int, body: bytes, *headers: str) -> Script:
    """A bank that reads one request and answers this."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        lines = (f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close")
        writer.write("\r\n".join((*lines, *headers)).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return script


def saying(http: int = 200, /, **changes: Any) -> Script:
    """A bank that answers the good answer with these changes."""
    return answering(http, json.dumps(GOOD | changes).encode())


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and close without a byte."""
    await request_of(reader)


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close in the middle of the answer."""
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + json.dumps(GOOD).encode()[:40])
    await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing for longer than anyone waits."""
    await request_of(reader)
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a byte at a time, each within the read time-out, all of it beyond the total."""
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


MAYBE_SENT = {
    "cut": cut,
    "half": half,
    "silent": silent,
    "dripping": dripping,
    "500": answering(500, b"upstream error"),
    "502": answering(502, b""),
    "503": answering(503, b"upstream error"),
    "503 with a success in it": saying(503),
    "not JSON": answering(200, b'{"order_no": "ORD\x00'),
    "JSON of another kind": answering(200, b"[]"),
    "too large": answering(200, b" " * 5000),
    "an amount that is no whole number": saying(executed_minor=99.5),
    "redirect": answering(302, b"", "location: http://127.0.0.1:1/"),
    "an unknown refusal": answering(404, b"not here"),
}


@pytest.mark.parametrize("name", MAYBE_SENT)
async def test_a_fault_after_the_order_left_is_no_answer(name: str) -> None:
    """Once a byte may have left, nothing but an inquiry may say what became of the order."""
    async with scripted(MAYBE_SENT[name]) as rail:
        assert await rail.present(ORDER) == NO_ANSWER


@pytest.mark.parametrize("name", MAYBE_SENT)
async def test_an_inquiry_without_a_usable_answer_is_never_a_final_outcome(name: str) -> None:
    """An inquiry that fails says nothing about the order: it is simply asked again."""
    async with scripted(MAYBE_SENT[name]) as rail:
        with pytest.raises(RailUnavailable):
            await rail.inquire("ORDER-1", "M-1")


NOT_BELIEVED: dict[str, dict[str, Any]] = {
    "another order": {"order_no": "ORDER-2"},
    "another order, unknown to the bank": {
        "order_no": "ORDER-2",
        "code": "34",
        "status": "NOT_FOUND",
        "executed_minor": 0,
    },
    "an amount below zero": {"executed_minor": -1},
    "an amount of zero": {"executed_minor": 0},
}


@pytest.mark.parametrize("name", NOT_BELIEVED)
async def test_an_answer_that_cannot_be_true_is_no_final_outcome_and_says_what_is_wrong(
    name: str,
) -> None:
    """Sent, asked or recalled: the order stays unknown, and the books record why."""
    async with scripted(saying(**NOT_BELIEVED[name])) as rail:
        for said in (
            await rail.present(ORDER),
            await rail.inquire("ORDER-1", "M-1"),
            await rail.cancel("ORDER-1", "M-1") if "order_no" in NOT_BELIEVED[name] else None,
        ):
            if said is not None:
                assert isinstance(said, Outcome)
                assert (said.status, bool(said.flaw)) == (OutcomeStatus.UNKNOWN, True)


async def test_the_currency_of_an_answer_reaches_the_books() -> None:
    """Only the books know the order's own currency, so they compare."""
    async with scripted(saying(currency="EUR")) as rail:
        assert (await rail.present(ORDER)).currency == "EUR"


async def test_a_refused_connection_proves_that_nothing_left() -> None:
    """Nobody listens: the same order number may be sent later."""
    async with RailHttp("http://127.0.0.1:1", LIMITS) as http:
        rail = SimbankRail(http, CONFIG, lambda: NOW)
        with pytest.raises(RailUnavailable, match="connect"):
            await rail.present(ORDER)


async def test_an_exhausted_pool_proves_that_nothing_left() -> None:
    """An order that waited for a connection and got none was never written to one."""
    limits = HttpLimits(connections=1, read_s=2, pool_s=0.1)
    async with scripted(silent) as slow, RailHttp(slow._calls._http._base, limits) as http:
        rail = SimbankRail(http, CONFIG, lambda: NOW)
        first = asyncio.create_task(rail.present(ORDER))
        await asyncio.sleep(0.05)
        with pytest.raises(RailUnavailable, match="pool"):
            await rail.present(ORDER)
        assert await first == NO_ANSWER


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("retry-after: 7", 7.0), ("retry-after: 999999", 3600.0), ("retry-after: nan", None),
     ("retry-after: -1", None), ("retry-after: Wed, 21 Oct 2026 07:28:00 GMT", None)],
)  # fmt: skip
async def test_a_throttled_order_was_not_accepted_and_says_how_long_to_wait(
    header: str, seconds: float | None
) -> None:
    """429 comes before the bank counts an order; the wait is bounded and never nonsense."""
    async with scripted(answering(429, json.dumps(GOOD).encode(), header)) as rail:
        with pytest.raises(RailUnavailable, match="http_429") as refused:
            await rail.present(ORDER)
        assert refused.value.retry_after_s == seconds


async def test_a_refused_signature_is_unavailability_and_not_the_borrowers_failure() -> None:
    """A wrong key or clock of ours ends no installment; it is mended and sent again."""
    async with scripted(answering(401, b'{"code":"11","text":"signature"}')) as rail:
        with pytest.raises(RailUnavailable, match="http_401"):
            await rail.present(ORDER)
        with pytest.raises(RailUnavailable, match="http_401"):
            await rail.inquire("ORDER-1", "M-1")


async def test_a_message_that_the_bank_cannot_read_is_our_data_error() -> None:
    """An explicit refusal of the message ends the attempt; a person mends it."""
    async with scripted(answering(400, b'{"code":"13","text":"field"}')) as rail:
        outcome = await rail.present(ORDER)
        assert (outcome.outcome_class, outcome.status) == (
            OutcomeClass.DATA_ERROR,
            OutcomeStatus.DECLINED,
        )


@pytest.mark.parametrize("code", ["02", "06", "39"])
async def test_a_closed_or_busy_bank_is_asked_and_not_believed(code: str) -> None:
    """TECH at sending is unknown; at inquiring it is no answer about the order."""
    busy = saying(code=code, status="ERROR", executed_minor=0, bank_ref=None)
    async with scripted(busy) as rail:
        assert (await rail.present(ORDER)).status is OutcomeStatus.UNKNOWN
        with pytest.raises(RailUnavailable, match=f"code_{code}"):
            await rail.inquire("ORDER-1", "M-1")


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "success without money": {"executed_minor": 0},
    "declined with money": {"code": "64", "status": "DECLINED"},
    "declined by a code of success": {"status": "DECLINED", "executed_minor": 0},
    "success by a code of refusal": {"code": "64"},
    "cancelled with money": {"status": "CANCELLED"},
    "a status of tomorrow": {"status": "FROZEN"},
    "a code of tomorrow": {"code": "Z9"},
    "not found by a code of refusal": {"code": "64", "status": "NOT_FOUND", "executed_minor": 0},
    "an error that is a refusal": {"code": "64", "status": "ERROR", "executed_minor": 0},
    "pending by a code of success": {"status": "PENDING"},
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
async def test_code_and_status_that_contradict_each_other_are_never_a_final_outcome(
    name: str,
) -> None:
    """An answer that tells two stories is asked again and seen by a person."""
    async with scripted(saying(**CONTRADICTIONS[name])) as rail:
        outcome = await rail.present(ORDER)
        assert (outcome.outcome_class, outcome.status) == (
            OutcomeClass.UNKNOWN_CODE,
            OutcomeStatus.UNKNOWN,
        )
        assert outcome.executed_minor == 0


@pytest.mark.parametrize(
    ("changes", "outcome_class", "taken"),
    [
        ({}, OutcomeClass.SUCCESS, 10_000),
        ({"code": "A6"}, OutcomeClass.SUCCESS_DEFECTIVE, 10_000),
        ({"code": "42"}, OutcomeClass.SUCCESS_DEFECTIVE, 10_000),
        ({"status": "PARTIAL", "executed_minor": 1}, OutcomeClass.PARTIAL, 1),
        ({"status": "SUCCESS", "executed_minor": 1}, OutcomeClass.SUCCESS_DEFECTIVE, 1),
        ({"executed_minor": 10_001}, OutcomeClass.SUCCESS_DEFECTIVE, 10_001),
        ({"status": "PARTIAL"}, OutcomeClass.SUCCESS_DEFECTIVE, 10_000),
    ],
)
async def test_money_is_reported_exactly_as_it_was_taken(
    changes: dict[str, Any], outcome_class: OutcomeClass, taken: int
) -> None:
    """Less, more or oddly labelled: the cash is what the bank took, and odd cash has a class."""
    async with scripted(saying(**changes)) as rail:
        outcome = await rail.present(ORDER)
        assert (outcome.outcome_class, outcome.executed_minor) == (outcome_class, taken)
        assert (outcome.bank_ref, outcome.executed_on) == ("BK1", date(2026, 3, 4))


async def test_requests_are_signed_over_what_is_really_sent() -> None:
    """The signature covers method, path with query as sent, stamp, nonce and body."""
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request_of(reader))

    async with scripted(script) as rail:
        with pytest.raises(RailUnavailable):
            await rail.inquire("A:B~1", "M-1")
        await rail.present(ORDER)
        await rail.present(ORDER)
    line, headers, body = seen[0]
    target = line.split(" ")[1]
    stamp = str(int(NOW.timestamp()))
    assert target == "/dd/v1/orders/A%3AB~1?merchant_id=M-1"
    assert headers["x-signature"] == signature(API_SECRET, ("GET", target, stamp, "nonce-1"), body)
    assert (headers["x-timestamp"], headers["x-merchant-id"]) == (stamp, "M-1")
    assert seen[1][2] == seen[2][2], "every send of one order has the same bytes"
    assert json.loads(seen[1][2])["purpose"] == "LOAN-1/1"


async def test_what_cannot_be_sent_is_reported_before_anything_leaves() -> None:
    """No secret for the merchant: mend and ask again; no way to write the order: our data error."""
    async with RailHttp("http://127.0.0.1:1", LIMITS) as http:
        rail = SimbankRail(http, CONFIG, lambda: NOW)
        with pytest.raises(RailUnavailable, match="no_secret"):
            await rail.inquire("ORDER-1", "M-2")
        with pytest.raises(RailUnavailable, match="no_secret"):
            await rail.present(build_order(SIMBANK, NOW, merchant_id="M-2"))
        outcome = await rail.present(build_order(SIMBANK, NOW, order_no="has a blank"))
    assert (outcome.outcome_class, outcome.code) == (OutcomeClass.DATA_ERROR, "UNSAYABLE")
    with pytest.raises(InvalidInput, match="merchant_id"):
        SimbankConfig("M-2", {"M-1": "x"}, ())
    with pytest.raises(InvalidInput, match="base_url"):
        RailHttp("file:///etc/passwd")


def test_secrets_never_show_in_a_repr() -> None:
    """A configuration that ends up in a log names the merchant and nothing more."""
    assert API_SECRET not in repr(CONFIG)
    assert "webhook-secret" not in repr(CONFIG)


async def test_mandates_without_an_answer_are_asked_again() -> None:
    """What changes nothing, or the same thing again, is simply repeated."""
    for script in (cut, answering(503, b'{"code":"06"}'), answering(429, b"")):
        async with scripted(script) as rail:
            with pytest.raises(RailUnavailable):
                await rail.put_mandate(build_mandate("M"), "CNY")
            with pytest.raises(RailUnavailable):
                await rail.end_mandate("M")


@pytest.mark.parametrize(
    "answer", [b'{"status": "ENDED"}', b"no JSON", b'{"status": "NEW"}', b'{"code": "13"}']
)
async def test_a_mandate_is_lodged_only_when_the_bank_says_active(answer: bytes) -> None:
    """Any other word is a refusal or no answer, never silence."""
    async with scripted(answering(200, answer)) as rail:
        with pytest.raises((RailUnavailable, InvalidInput)):
            await rail.put_mandate(build_mandate("M"), "CNY")
    async with scripted(answering(200, b'{"status": "ACTIVE"}')) as rail:
        with pytest.raises(RailUnavailable, match="mandate_not_ended"):
            await rail.end_mandate("M")


@pytest.mark.parametrize(
    ("changes", "http_status", "status"),
    [
        ({"code": "30"}, 200, OutcomeStatus.PENDING),
        ({"code": "03", "status": "PENDING", "executed_minor": 0}, 200, OutcomeStatus.PENDING),
        ({"code": "34", "status": "NOT_FOUND", "executed_minor": 0}, 200, OutcomeStatus.NOT_FOUND),
        ({"order_no": "ORDER-2"}, 200, OutcomeStatus.UNKNOWN),
        ({}, 500, OutcomeStatus.UNKNOWN),
    ],
)
async def test_only_the_banks_consent_makes_a_recall(
    changes: dict[str, Any], http_status: int, status: OutcomeStatus
) -> None:
    """Everything but a clear CANCELLED leaves the order to be inquired."""
    async with scripted(saying(http_status, **changes)) as rail:
        answer = await rail.cancel("ORDER-1", "M-1")
        assert not isinstance(answer, Recalled)
        assert answer.status is status
    async with scripted(cut) as rail:
        assert await rail.cancel("ORDER-1", "M-1") == NO_ANSWER


async def test_a_name_that_does_not_resolve_proves_that_nothing_left() -> None:
    """A failed look-up happens before any byte is written."""

    async def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("name or service not known", request=request)

    http = RailHttp("http://bank.invalid", LIMITS, transport=httpx.MockTransport(refuse))
    async with http:
        with pytest.raises(RailUnavailable) as refused:
            await SimbankRail(http, CONFIG, lambda: NOW).present(ORDER)
    assert "bank.invalid" not in str(refused.value)


async def test_an_answer_at_the_last_moment_of_the_lease_is_not_waited_for_twice() -> None:
    """The lease is looked at on the bank's clock, to the instant."""
    async with scripted(saying()) as rail:
        with pytest.raises(RailUnavailable, match="lease_over"):
            await rail.present(build_order(SIMBANK, NOW, send_until=NOW))
        ends = NOW + timedelta(microseconds=1)
        assert (await rail.present(build_order(SIMBANK, NOW, send_until=ends))).executed_minor
