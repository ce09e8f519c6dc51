"""The simulator as a process of its own, for the tests of rails and of the webhook door."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from adapters.rails.http import RailHttp
from adapters.rails.simbank import SimbankConfig, SimbankRail
from domain.calendar import local_day, local_instant
from domain.debit.attempt import DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.rail import RailProfile
from tests.support.base import ahead

ROOT = Path(__file__).resolve().parents[3]
MERCHANT, API_SECRET, WEBHOOK_SECRET = "M-1", "api-secret-for-tests", "webhook-secret-for-tests"
CONFIG = SimbankConfig(
    merchant_id=MERCHANT,
    api_secrets={MERCHANT: API_SECRET},
    webhook_secrets=(WEBHOOK_SECRET,),
)
RAILS = f"""
[rails.simbank]
merchant_id = "{MERCHANT}"
api_secret = "{API_SECRET}"
webhook_secret = "{WEBHOOK_SECRET}"
"""
START_S, STOP_S = 30, 10


def build_order(profile: RailProfile, now: datetime, **changes: Any) -> DebitOrder:
    """An order of 100.00 CNY for today, with a lease that still runs."""
    fields: dict[str, Any] = {
        "order_no": "ORDER-1",
        "merchant_id": MERCHANT,
        "mandate_ref": "MANDATE-1",
        "rail": profile.name,
        "amount_minor": 10_000,
        "currency": "CNY",
        "value_on": local_day(now, profile.timezone),
        "loan_id": "LOAN-1",
        "number": 1,
        "send_until": now + timedelta(seconds=60),
    }
    return DebitOrder(**(fields | changes))


def build_mandate(ref: str, **changes: Any) -> Mandate:
    """A mandate without a cap that has been valid for long."""
    fields: dict[str, Any] = {
        "ref": ref,
        "rail": "simbank",
        "merchant_id": MERCHANT,
        "account_token": "tok-account-1",
        "valid_from": date(2020, 1, 1),
    }
    return Mandate(**(fields | changes))


@dataclass
class SimulatedBank:
    """A running simulator: its rail, its clock, and the truth it keeps."""

    http: RailHttp
    at_bank: RailHttp
    control: httpx.AsyncClient
    offset: timedelta = timedelta()
    rail: SimbankRail = field(init=False)

    def __post_init__(self) -> None:
        self.rail = SimbankRail(self.http, CONFIG, self.now)

    def now(self) -> datetime:
        """The bank's instant: wall plus its offset."""
        return datetime.now(UTC) + self.offset

    async def advance(self, offset: timedelta) -> None:
        """Move the bank's clock to wall plus `offset`; what became due has happened."""
        answer = await self.control.post(
            "/control/clock", json={"offset_s": offset.total_seconds()}
        )
        answer.raise_for_status()
        self.offset = offset

    async def to_hour(self, hour: int, days: int = 1) -> None:
        """Move the clock to so many days ahead, at this hour of the bank's time zone."""
        zone = self.rail.profile.timezone
        day = local_day(self.now(), zone) + timedelta(days=days)
        at = datetime.min.time().replace(hour=hour)
        await self.advance(self.offset + (local_instant(day, at, zone) - self.now()))

    async def truth(self, table: str = "orders") -> list[dict[str, Any]]:
        """What really happened, by the bank's own log."""
        answer = await self.control.get("/control/truth")
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()[table]
        return rows

    async def executions(self, order_no: str) -> list[dict[str, Any]]:
        """The executions of one order; none where the bank never had it."""
        orders = [row for row in await self.truth() if row["order_no"] == order_no]
        return [item for row in orders for item in row["executions"]]


@asynccontextmanager
async def running_bank(
    folder: Path, profile: str = "calm", seed: int = 7, rails: str = RAILS
) -> AsyncIterator[SimulatedBank]:
    """Start a simulator with a database in `folder`, at ten in the morning of its time zone."""
    offset, tables = ahead(), folder / "simulator-rails.toml"
    tables.write_text(rails, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--db", str(folder / f"{profile}.db"),
        "--seed", str(seed), "--profile", profile, "--rails", str(tables),
        f"--offset-s={offset.total_seconds()}",
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
        url = json.loads(line)["http"]
        async with (
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as control,
            RailHttp(f"{url}/rails/simbank") as http,
            RailHttp(f"{url}/bank") as at_bank,
        ):
            bank = SimulatedBank(http, at_bank, control, offset)
            await bank.to_hour(10)
            yield bank
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
