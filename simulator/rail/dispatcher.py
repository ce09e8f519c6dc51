"""Delivers queued webhooks to the merchant over HTTP, with bounded retries.

Retries follow the simulator's clock, so a driver of the clock decides when they happen.
"""

from __future__ import annotations

import asyncio
import sqlite3

import httpx

from simulator.clock import DAY, HOUR, MINUTE, SECOND
from simulator.rail.webhooks import sign
from simulator.world import RailSettings, World

BACKOFF = (5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, DAY)
BATCH, AT_ONCE = 64, 4
ONE_SHOT = frozenset({"forged", "stale"})
"""Flavours that the merchant should refuse, so they are not tried again."""


class Dispatcher:
    """Delivers what is due, a few messages at once."""

    def __init__(self, world: World) -> None:
        """Keep the world; the HTTP client is opened by `run`."""
        self._world = world

    async def run(self) -> None:
        """Deliver for ever: whenever something is queued, and four times a second besides."""
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=5.0, limits=limits, trust_env=False) as client:
            while True:
                self._world.wake.clear()
                if not await self._round(client):
                    await self._pause()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._world.wake.wait(), timeout=0.25)
        except TimeoutError:
            return

    async def _round(self, client: httpx.AsyncClient) -> int:
        rows = self._world.db.all(
            "SELECT * FROM webhooks WHERE state = 'queued' AND due_ms <= ?"
            " ORDER BY due_ms, webhook_id LIMIT ?",
            self._world.clock.now(),
            BATCH,
        )
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(row: sqlite3.Row) -> None:
            async with gate:
                self._record(row, delivered=await self._post(client, row))

        await asyncio.gather(*(one(row) for row in rows))
        return len(rows)

    def _of(self, row: sqlite3.Row) -> RailSettings:
        """Return the rail that a message goes out by; without any, one that reaches nobody."""
        name = row["rail"]
        return self._world.rails.get(name, RailSettings(name))

    async def _post(self, client: httpx.AsyncClient, row: sqlite3.Row) -> bool:
        url = self._of(row).webhook_url
        if not url:
            return True
        try:
            answer = await client.post(url, content=row["body"].encode(), headers=self._head(row))
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.is_success

    def _head(self, row: sqlite3.Row) -> dict[str, str]:
        stamp = self._world.clock.now() // SECOND
        if row["flavour"] == "stale":
            stamp -= 24 * 3600
        secret = self._of(row).webhook_secret
        if row["flavour"] == "forged":
            secret = "a guess"  # noqa: S105 - the point is that it is wrong
        return {
            "Content-Type": "application/json",
            "Webhook-Id": row["webhook_id"],
            "Webhook-Timestamp": str(stamp),
            "Webhook-Signature": sign(secret, row["webhook_id"], stamp, row["body"]),
        }

    def _record(self, row: sqlite3.Row, *, delivered: bool) -> None:
        tries = row["attempts"] + 1
        state, due = "delivered", row["due_ms"]
        if not self._of(row).webhook_url:
            state = "unsent"
        elif not delivered and (row["flavour"] in ONE_SHOT or tries > len(BACKOFF)):
            state = "undelivered"
        elif not delivered:
            state, due = "queued", self._world.clock.now() + BACKOFF[tries - 1]
        with self._world.db.tx():
            self._world.db.run(
                "UPDATE webhooks SET attempts = ?, state = ?, due_ms = ? WHERE id = ?",
                tries,
                state,
                due,
                row["id"],
            )
