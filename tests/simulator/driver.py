"""A caller of the simulator that knows the wire contract and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx

from tests.support.base import ahead

SECRET, HOOK_SECRET, MERCHANT = "an api secret", "a webhook secret", "M-1"
SMS_SECRET = "an sms secret"
RAIL, SECOND, SECOND_SECRET = "simbank", "simbank-2", "the second rail's secret"
API = f"/rails/{RAIL}/dd/v1"
SHANGHAI = timezone(timedelta(hours=8))
CUTS = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@dataclass
class Bank:
    """One running simulator; `offset` is the clock offset set so far."""

    process: subprocess.Popen[str]
    args: list[str]
    http: httpx.AsyncClient
    smtp: str
    offset: float = 0.0
    nonces: Any = field(default_factory=lambda: itertools.count(time.time_ns()))

    @classmethod
    def start(
        cls, folder: Path, *args: str, seed: int = 7, profile: str = "calm", hooks: str = ""
    ) -> Bank:
        """Start `python -m simulator` over the database in `folder` and wait until it is ready.

        It has two rails that settle on the same accounts; webhooks of both go to `hooks`.
        """
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "simulator", "--db", str(folder / "sim.db")]
        argv += ["--seed", str(seed), "--profile", profile, "--ready-file", str(ready)]
        offset = ahead().total_seconds()
        argv += [f"--offset-s={offset}"]
        argv += ["--rails", str(_rails_file(folder, hooks)), "--sms-secret", SMS_SECRET]
        process = subprocess.Popen([*argv, *args], stdout=subprocess.DEVNULL, text=True)
        for _ in range(600):
            if ready.exists():
                where = json.loads(ready.read_text())
                http = httpx.AsyncClient(base_url=where["http"], timeout=30, trust_env=False)
                return cls(process, [*argv, *args], http, where["smtp"], offset)
            if process.poll() is not None:
                break
            time.sleep(0.05)
        process.kill()
        message = "the simulator did not get ready"
        raise RuntimeError(message)

    async def stop(self) -> int:
        """End the program politely; return its exit code."""
        await self.http.aclose()
        self.process.terminate()
        return await asyncio.to_thread(self.process.wait, 10)

    async def kill(self) -> None:
        """End the program with kill -9."""
        await self.http.aclose()
        self.process.kill()
        await asyncio.to_thread(self.process.wait, 10)

    def now(self) -> datetime:
        """Return the simulator's now, as seen from here."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    async def go_to(self, moment: datetime) -> None:
        """Move the clock on to an instant; an instant that has passed moves nothing."""
        offset = (moment - datetime.now(UTC)).total_seconds()
        if offset > self.offset:
            self.offset = offset
            (await self.http.post("/control/clock", json={"offset_s": offset})).raise_for_status()

    async def go_on(self, **span: float) -> None:
        """Move the clock on by a timedelta's arguments."""
        await self.go_to(self.now() + timedelta(**span))

    async def to_hour(self, hour: int, minute: int = 0) -> None:
        """Move the clock to the next time it is this hour in Shanghai, on a weekday."""
        here = self.now().astimezone(SHANGHAI)
        target = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
        while target <= here or target.weekday() > 4:
            target += timedelta(days=1)
        await self.go_to(target)

    def today(self) -> str:
        """Return today's date in Shanghai."""
        return self.now().astimezone(SHANGHAI).date().isoformat()

    def headers(self, method: str, target: str, body: bytes, **other: str) -> dict[str, str]:
        """Return the signature headers of a request."""
        stamp, nonce = str(int(self.now().timestamp())), f"n{next(self.nonces)}"
        own = SECOND_SECRET if target.startswith(f"/rails/{SECOND}/") else SECRET
        stamp, secret = other.get("stamp", stamp), other.get("secret", own)
        text = "\n".join((method, target, stamp, nonce, hashlib.sha256(body).hexdigest()))
        mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        head = {"X-Merchant-Id": MERCHANT, "X-Timestamp": stamp, "X-Nonce": nonce}
        return head | {"X-Signature": mac}

    async def call(
        self, method: str, target: str, body: Any = None, **other: str
    ) -> httpx.Response:
        """Send a signed request as it is, faults and all."""
        raw = b"" if body is None else json.dumps(body).encode()
        head = self.headers(method, target, raw, **other)
        return await self.http.request(method, target, content=raw, headers=head)

    async def insist(self, method: str, target: str, body: Any = None) -> Any:
        """Ask until there is an answer that can be read: at most twenty times."""
        for _ in range(20):
            try:
                answer = await self.call(method, target, body)
                if answer.status_code in {429, 500, 502, 503}:
                    continue
                return answer.json()
            except (*CUTS, ValueError):
                continue
        message = f"no answer to {method} {target}"
        raise AssertionError(message)

    def order(
        self, number: str, mandate: str, amount: int = 10_000, **other: Any
    ) -> dict[str, Any]:
        """Return the body of an order for today."""
        body: dict[str, Any] = {"order_no": number, "merchant_id": MERCHANT, "mandate_ref": mandate}
        body |= {"amount_minor": amount, "currency": "CNY", "value_on": self.today()}
        return body | {"purpose": f"installment {number}"} | other

    async def sign_up(self, mandate: str, *, rail: str = RAIL, **other: Any) -> Any:
        """Sign a mandate up at a rail."""
        body = {"account_token": f"tok-{mandate}", "cap_minor": None, "currency": "CNY"}
        body |= {"valid_from": "2020-01-01", "valid_to": None}
        return await self.insist("PUT", f"/rails/{rail}/dd/v1/mandates/{mandate}", body | other)

    async def debit(
        self, number: str, mandate: str, amount: int = 10_000, *, rail: str = RAIL, **other: Any
    ) -> Any:
        """Post an order until there is an answer other than busy."""
        body = self.order(number, mandate, amount, **other)
        for _ in range(20):
            answer = await self.insist("POST", f"/rails/{rail}/dd/v1/orders", body)
            if answer["code"] not in {"02", "06"}:
                return answer
        return answer

    async def inquire(self, number: str, *, rail: str = RAIL) -> Any:
        """Inquire after an order at a rail."""
        target = f"/rails/{rail}/dd/v1/orders/{number}?merchant_id={MERCHANT}"
        return await self.insist("GET", target)

    async def truth(self, whose: str = "") -> Any:
        """Return the truth log of all, or that of `/bank` or `/rails/NAME`."""
        return (await self.http.get(f"{whose}/control/truth")).json()

    async def quiet(self) -> None:
        """Wait until nothing is due, ten seconds at most."""

        async def idle() -> bool:
            return bool((await self.http.get("/control/next")).json()["due"] == 0)

        await until(idle)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    """Wait until a condition holds; raise TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.02)


def _rails_file(folder: Path, hooks: str) -> Path:
    """Write the file of rails: two of them, each with a secret of its own."""
    path = folder / "rails.toml"
    shared = {"merchant_id": MERCHANT, "webhook_secret": HOOK_SECRET}
    if hooks:
        shared["webhook_url"] = hooks
    lines = []
    for name, secret in ((RAIL, SECRET), (SECOND, SECOND_SECRET)):
        lines += [f"[rails.{name}]", f"api_secret = {json.dumps(secret)}"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in shared.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
