"""The webhook door over real HTTP: what is proven is handed on, what is not changes nothing."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from adapters.rails.http import RailHttp
from adapters.rails.simbank import SimbankConfig, SimbankRail
from api.webhooks import BODY_BYTES_MAX, build_app
from domain.debit.outcome import OutcomeClass, OutcomeStatus
from ports.rail import DeliveryReport, OutcomeReport, Report, ReturnReport, UnparsedEvent
from tests.adapters.rails.bank import build_mandate, build_order, running_bank
from tests.api.served import served

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
NEW, OLD = "whsec_" + base64.b64encode(b"the new secret").decode(), "the old secret"
ORDER = {
    "order_no": "O-1", "code": "00", "text": "success", "status": "SUCCESS",
    "amount_minor": 500, "executed_minor": 500, "bank_ref": "BK1",
    "executed_at": "2026-03-04T01:00:00Z", "batch_ref": None,
}  # fmt: skip
FINISHED = {"type": "order.finished", "order": ORDER}
RETURNED = {
    "type": "order.returned", "order_no": "O-1", "bank_ref": "BK1", "amount_minor": 500,
    "fee_minor": 300, "reason": "AM04", "returned_on": "2026-03-06",
}  # fmt: skip
DELIVERY = {
    "type": "notice.delivery_report", "message_id": "N-1", "status": "failed", "reason": "no_route",
    "at": "2026-03-04T01:30:00.000Z",
}  # fmt: skip


@dataclass
class KeepingIntake:
    """Keeps every fact once, by event id, as the books do; can be set to fail first."""

    kept: dict[str, Report] = field(default_factory=dict)
    calls: list[tuple[str, Report]] = field(default_factory=list)
    failures: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, rail: str, report: Report) -> None:
        """Keep a report."""
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the books are away")
        self.calls.append((rail, report))
        self.kept.setdefault(report.event_id, report)
        self.came.set()


@dataclass
class Door:
    """A served webhook door with what stands behind it."""

    client: httpx.AsyncClient
    intake: KeepingIntake
    counted: Counter[tuple[str, str]]

    async def post(
        self,
        body: object,
        *,
        event: str = "wh_1",
        secret: str = NEW,
        at: datetime = NOW,
        rail: str = "simbank",
        **changes: str,
    ) -> int:
        """Deliver one signed webhook and give the status; headers can be changed after signing."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = signed(raw, event, secret, at) | {
            name.replace("_", "-"): value for name, value in changes.items()
        }
        answer = await self.client.post(f"/webhooks/{rail}", content=raw, headers=headers)
        return answer.status_code


def signed(raw: bytes, event: str, secret: str, at: datetime) -> dict[str, str]:
    """Headers of a delivery, by the Standard Webhooks text and not by our code."""
    stamp = int(at.timestamp())
    key = secret.encode()
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret[len("whsec_") :])
    digest = hmac.new(key, f"{event}.{stamp}.".encode() + raw, hashlib.sha256).digest()
    return {
        "webhook-id": event,
        "webhook-timestamp": str(stamp),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    """A door with one rail and two secrets, at a fixed instant."""
    intake, counted = KeepingIntake(), Counter[tuple[str, str]]()
    config = SimbankConfig("M-1", {"M-1": "x"}, (NEW, OLD))
    async with RailHttp("http://127.0.0.1:1") as http:
        rail = SimbankRail(http, config, lambda: NOW)

        def count(name: str, what: str) -> None:
            counted[name, what] += 1

        app = build_app({"simbank": rail}, intake, lambda: NOW, count)
        async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield Door(client, intake, counted)


async def test_a_proven_outcome_is_handed_on_and_then_acknowledged(door: Door) -> None:
    """The report carries the rail's name, the event's id and the outcome in our words."""
    assert await door.post(FINISHED) == 200
    [(rail, report)] = door.intake.calls
    assert rail == "simbank"
    assert isinstance(report, OutcomeReport)
    assert (report.event_id, report.order_no) == ("wh_1", "O-1")
    assert report.outcome.status is OutcomeStatus.CONFIRMED
    assert (report.outcome.executed_minor, report.outcome.bank_ref) == (500, "BK1")


async def test_returns_and_delivery_reports_are_translated_with_class_and_day(door: Door) -> None:
    """A return carries amount, fee and the class of its reason; a delivery report its fate."""
    assert await door.post(RETURNED, event="wh_r") == 200
    assert await door.post(DELIVERY, event="wh_n") == 200
    assert door.intake.kept["wh_r"] == ReturnReport(
        "wh_r", "O-1", "BK1", 500, 300, OutcomeClass.NSF, "AM04", date(2026, 3, 6)
    )
    assert door.intake.kept["wh_n"] == DeliveryReport(
        "wh_n", "N-1", False, "no_route", datetime(2026, 3, 4, 1, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_signature": "v1," + base64.b64encode(b"0" * 32).decode()},
        {"webhook_signature": "v1,not base64"},
        {"webhook_signature": "v2," + base64.b64encode(b"0" * 32).decode()},
        {"webhook_signature": ""},
        {"webhook_id": "wh_2"},
        {"webhook_id": ""},
        {"webhook_timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook_timestamp": "yesterday"},
        {"webhook_timestamp": "-1"},
    ],
)
async def test_a_forged_report_is_refused_and_leaves_nothing_but_a_count(
    door: Door, changes: dict[str, Any]
) -> None:
    """Signature, id and stamp are bound together: change one and the report is nobody's."""
    assert await door.post(FINISHED, **changes) == 401
    assert door.intake.calls == []
    assert door.counted == {("simbank", "forged"): 1}


async def test_a_changed_body_or_a_strangers_secret_is_forged(door: Door) -> None:
    """One flipped byte under a good signature proves nothing."""
    raw = json.dumps(FINISHED).encode()
    headers = signed(raw, "wh_1", NEW, NOW)
    for body, sent in (
        (raw.replace(b"500", b"501"), headers),
        (raw + b" ", headers),
        (raw, signed(raw, "wh_1", "a guess", NOW)),
        (raw, {}),
    ):
        answer = await door.client.post("/webhooks/simbank", content=body, headers=sent)
        assert answer.status_code == 401
    assert door.intake.calls == []


@pytest.mark.parametrize(("seconds", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
async def test_a_report_is_good_for_five_minutes_either_way(
    door: Door, seconds: int, status: int
) -> None:
    """A recorded delivery cannot be played again later, nor one from the future kept for then."""
    assert await door.post(FINISHED, at=NOW - timedelta(seconds=seconds)) == status
    assert len(door.intake.calls) == (1 if status == 200 else 0)


async def test_both_secrets_hold_while_one_is_being_changed(door: Door) -> None:
    """Rotation loses no report: old, new, and a delivery that is signed by both."""
    raw = json.dumps(FINISHED).encode()
    old, new = signed(raw, "wh_b", OLD, NOW), signed(raw, "wh_b", NEW, NOW)
    both = f"v1,AAAA {old['webhook-signature']} {new['webhook-signature']}"
    assert await door.post(FINISHED, secret=OLD) == 200
    assert await door.post(FINISHED, event="wh_b", webhook_signature=both) == 200


async def test_a_replayed_delivery_is_acknowledged_and_is_still_one_fact(door: Door) -> None:
    """The same event id reaches the intake again, which keeps it once; the rail is answered 200."""
    assert [await door.post(FINISHED) for _ in range(3)] == [200, 200, 200]
    assert len(door.intake.kept) == 1
    assert len({report for _, report in door.intake.calls}) == 1


async def test_every_order_of_arrival_leaves_the_same_facts(door: Door) -> None:
    """The door adds no order of its own: what is kept does not depend on who came first."""
    events = {"wh_f": FINISHED, "wh_r": RETURNED, "wh_n": DELIVERY}
    facts = set()
    for order in itertools.permutations(events):
        door.intake.kept.clear()
        statuses = await asyncio.gather(*(door.post(events[name], event=name) for name in order))
        assert set(statuses) == {200}
        facts.add(frozenset(door.intake.kept.values()))
    assert len(facts) == 1


async def test_received_is_said_only_after_it_is_kept(door: Door) -> None:
    """When the books are away the rail receives a server error and delivers again."""
    door.intake.failures = 1
    assert await door.post(FINISHED) == 500
    assert door.intake.kept == {}
    assert await door.post(FINISHED) == 200
    assert len(door.intake.kept) == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"type": "order.merged", "x": 1}, "order.merged"),
        ({"type": "order.finished", "order": {**ORDER, "executed_minor": "500"}}, "order.finished"),
        ({**RETURNED, "amount_minor": 0}, "order.returned"),
        ({**DELIVERY, "at": "2026-03-04T01:30:00"}, "notice.delivery_report"),
        ({"type": 7}, "unreadable"),
        ({"type": "a\nb"}, "unreadable"),
        ({"type": "t" * 500}, "t" * 60),
        ([], "unreadable"),
        (b"", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[" * 20_000, "unreadable"),
    ],
)
async def test_a_proven_report_that_cannot_be_read_is_kept_as_unknown(
    door: Door, body: object, shown: str
) -> None:
    """The rail did say something: it is acknowledged, kept and looked at, never guessed."""
    assert await door.post(body) == 200
    assert door.intake.calls == [("simbank", UnparsedEvent("wh_1", shown))]


async def test_a_body_that_is_too_large_is_not_read(door: Door) -> None:
    """By its declared length, or as it flows in without one."""
    assert await door.post(b"x" * (BODY_BYTES_MAX + 1)) == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(BODY_BYTES_MAX // 1024 + 2):
            yield b"x" * 1024

    answer = await door.client.post("/webhooks/simbank", content=endless())
    assert answer.status_code == 413
    assert await door.post(b"x" * BODY_BYTES_MAX) == 200
    assert door.counted["simbank", "too_large"] == 2


async def test_a_rail_that_we_do_not_have_is_not_found(door: Door) -> None:
    """The name in the path selects the secret, so an unknown one is refused at once."""
    assert await door.post(FINISHED, rail="nobody") == 404
    assert (await door.client.get("/webhooks/simbank")).status_code == 405
    assert door.intake.calls == []
    assert door.counted == {("", "no_rail"): 1}


async def test_a_sender_that_is_too_slow_is_let_go(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that does not arrive holds no place for longer than the limit."""
    monkeypatch.setattr("api.webhooks.BODY_SECONDS_MAX", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(0.3)
        yield b"}"

    answer = await door.client.post("/webhooks/simbank", content=slow())
    assert answer.status_code == 408
    assert door.counted == {("simbank", "too_slow"): 1}


async def test_what_the_simulated_bank_sends_by_itself_arrives_proven(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """End to end: an order presented over HTTP comes back as a signed webhook, the same news."""
    intake = KeepingIntake()
    async with running_bank(tmp_path_factory.mktemp("webhooks")) as bank:
        app = build_app({"simbank": bank.rail}, intake, bank.now)
        async with served(app) as url:
            configured: dict[str, Any] = {"webhook_url": f"{url}/webhooks/simbank"}
            (
                await bank.control.post("/rails/simbank/control/config", json=configured)
            ).raise_for_status()
            await bank.rail.put_mandate(build_mandate("M-hook"), "CNY")
            order = build_order(bank.rail.profile, bank.now(), order_no="W-1", mandate_ref="M-hook")
            reported = await bank.rail.present(order)
            await bank.advance(bank.offset + timedelta(minutes=1))
            await asyncio.wait_for(intake.came.wait(), 15)
    report = intake.calls[0][1]
    assert isinstance(report, OutcomeReport)
    assert (report.order_no, report.outcome) == ("W-1", reported)
