"""Checks of each rail: configured, reachable, taking our signature; and its clock."""

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
from ports.rail import RailUnavailable
from workers.compose import open_rails
from workers.doctor.books import skew
from workers.doctor.findings import Finding, fail, ok, skip, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.products.translate import ProductFile
    from ports.clock import Clock
    from ports.rail import Rail
    from workers.doctor.findings import Examiner
    from workers.rails import RailEntry

TRIES = 5
"""Tries of the signed question, since the simulated bank refuses now and then on purpose."""
_PAUSE_S = 0.2
_REFUSED = frozenset({"http_401", "http_403"})
_ADDRESS = "check the rail's addresses and that this machine may reach them"
_UNKNOWN = "add its table to the file that ACQUIT_RAILS names (docs/operations.md, section 3)"


async def check_rails(
    registry: Mapping[str, RailEntry],
    products: Mapping[str, ProductFile],
    clock: Clock,
    examiner: Examiner,
    *,
    sandbox: bool = False,
) -> list[Finding]:
    """Each rail that is configured or that a product names, one after the other by name."""
    accounts = {file.product.rail: file.product.account for file in products.values()}
    found = []
    for name in sorted({*registry, *accounts}):
        entry, check = registry.get(name), f"rail {name}"
        if entry is None or entry.login is None:
            if name in accounts and registry:
                found.append(fail(check, "a product names it, and it is not configured", _UNKNOWN))
            continue
        if entry.of_kind.simulated and not sandbox:
            text = f"it is of kind {entry.kind}: its debits move no money"
            found.append(warn(check, text, "remove it where money is to move"))
        if name in accounts:
            ask = partial(_examine, entry, accounts[name], clock)
            found += await examiner.run(check, _ADDRESS, ask)
        else:
            found.append(skip(check, "no product names it, so there is no account to ask about"))
        found += await examiner.run(f"clock rail {name}", _ADDRESS, partial(_clock, entry))
    return found


async def _examine(entry: RailEntry, account: str, clock: Clock) -> Sequence[Finding]:
    """One rail, opened for this question alone: what is wrong with another does not matter."""
    check = f"rail {entry.name}"
    async with AsyncExitStack() as closing:
        try:
            rails = await open_rails({entry.name: entry}, clock, closing)
        except InvalidInput as error:
            return [fail(check, str(error), f"correct it in {entry.source}")]
        return await _ask(rails[entry.name], account, clock.now(), entry.source)


async def _ask(rail: Rail, account: str, now: datetime, source: str) -> Sequence[Finding]:
    """A signed question that changes nothing: which statements there are of today."""
    check, day = f"rail {rail.profile.name}", local_day(now, rail.profile.timezone)
    for left in reversed(range(TRIES)):
        try:
            offered = await rail.statements(account, day, day)
        except RailUnavailable as refusal:
            if refusal.why in _REFUSED:
                advice = f"check merchant and secrets against what the rail has: {source}"
                return [fail(check, f"it refuses our signature ({refusal.why})", advice)]
            if not left:
                return [fail(check, f"{TRIES} questions, no answer: {refusal.why}", _ADDRESS)]
            await asyncio.sleep(_PAUSE_S)
        else:
            return [ok(check, f"takes our signature, {len(offered)} statements on offer today")]
    raise AssertionError("the last try returns")


async def _clock(entry: RailEntry) -> Sequence[Finding]:
    check = f"clock rail {entry.name}"
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(entry.url or "")
    said = answer.headers.get("date")
    if said is None:
        return [skip(check, "its answers carry no date")]
    return [skew(check, parsedate_to_datetime(said) - datetime.now(UTC))]
