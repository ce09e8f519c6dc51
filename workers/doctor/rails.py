"""Checks of our products' rails: configured, reachable, taking our signature; and their clocks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING

import httpx

from domain.calendar import local_day
from domain.errors import InvalidInput
from ports.statementsource import SourceUnavailable
from workers.compose import open_rails
from workers.doctor.books import skew
from workers.doctor.findings import Finding, fail, ok, skip
from workers.sources import open_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.products.translate import ProductFile
    from ports.clock import Clock
    from ports.rail import Rail
    from ports.statementsource import StatementSource
    from workers.doctor.findings import Examiner
    from workers.settings import Settings
    from workers.stackfile import StackRecord

TRIES = 5
"""Tries of the signed question, since the simulated bank refuses now and then on purpose."""
_PAUSE_S = 0.2
_REFUSED = frozenset({"http_401", "http_403"})
_ADDRESS = "check the rail's address and that this machine may reach it"
_SECRET = "check ACQUIT_MERCHANT_ID and ACQUIT_RAIL_API_SECRET against what the rail has"  # noqa: S105


async def check_rails(
    settings: Settings,
    record: StackRecord | None,
    products: Mapping[str, ProductFile],
    clock: Clock,
    examiner: Examiner,
) -> list[Finding]:
    """Each rail that a product names, by a signed question that changes nothing."""
    accounts = {file.product.rail: file.product.account for file in products.values()}
    found = []
    async with AsyncExitStack() as closing:
        try:
            rails = await open_rails(settings, record, clock, closing)
            sources = await open_sources(settings, record, products, clock, closing)
        except InvalidInput:
            return [skip(f"rail {name}", "its secrets are missing") for name in sorted(accounts)]
        for name, account in sorted(accounts.items()):
            check = f"rail {name}"
            if name not in rails:
                advice = "set its address (ACQUIT_SIMULATOR_URL for the simulated bank)"
                found.append(fail(check, "a product names it, and it is not configured", advice))
                continue
            ask = partial(_ask, rails[name], sources[account], clock.now())
            found += await examiner.run(check, _ADDRESS, ask)
    url = settings.simulator_url or (record.simulator_url if record else None)
    if url is not None:
        found += await examiner.run("clock rail", _ADDRESS, lambda: _clock(url))
    return found


async def _ask(rail: Rail, source: StatementSource, now: datetime) -> Sequence[Finding]:
    check, day = f"rail {rail.profile.name}", local_day(now, rail.profile.timezone)
    for left in reversed(range(TRIES)):
        try:
            offered = await source.offered(day, day)
        except SourceUnavailable as refusal:
            if refusal.why in _REFUSED:
                return [fail(check, f"it refuses our signature ({refusal.why})", _SECRET)]
            if not left:
                return [fail(check, f"{TRIES} questions, no answer: {refusal.why}", _ADDRESS)]
            await asyncio.sleep(_PAUSE_S)
        else:
            return [ok(check, f"takes our signature, {len(offered)} statements on offer today")]
    raise AssertionError("the last try returns")


async def _clock(url: str) -> Sequence[Finding]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url)
    said = answer.headers.get("date")
    if said is None:
        return [skip("clock rail", "its answers carry no date")]
    return [skew("clock rail", parsedate_to_datetime(said) - datetime.now(UTC))]
