"""Checks of each rail: configured, reachable, taking our signature; and its clock."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx

from adapters.rails.http import unwatched
from domain.calendar import local_day
from domain.errors import InvalidInput
from ports.rail import RailUnavailable
from ports.statementsource import SourceUnavailable
from workers.compose import open_rails
from workers.doctor.books import skew
from workers.doctor.findings import Finding, fail, ok, skip, warn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from adapters.products.translate import ProductFile
    from domain.ledger.bankaccount import BankAccount
    from ports.clock import Clock
    from workers.doctor.findings import Examiner
    from workers.rails import RailEntry

T = TypeVar("T")
NOBODYS_ORDER = "ACQUIT-DOCTOR"
"""An order number that is never given to a debit."""
TRIES = 5
"""Tries of the signed question, since the simulated bank refuses now and then on purpose."""
_PAUSE_S = 0.2
_REFUSED = frozenset({"http_401", "http_403"})
_ADDRESS = "check the rail's addresses and that this machine may reach them"
_UNKNOWN = "add its table to the file that ACQUIT_RAILS names (docs/operations.md, section 3)"


async def check_rails(
    registry: Mapping[str, RailEntry],
    products: Mapping[str, ProductFile],
    accounts: Mapping[str, BankAccount],
    clock: Clock,
    examiner: Examiner,
    *,
    sandbox: bool = False,
) -> list[Finding]:
    """Each rail that is configured or that a product names, one after the other by name."""
    named = {file.product.rail for file in products.values()}
    found = []
    for name in sorted({*registry, *named}):
        entry, check = registry.get(name), f"rail {name}"
        if entry is None or entry.login is None:
            if name in named and registry:
                advice = f"`acquit up --rail {name}` simulates it" if sandbox else _UNKNOWN
                found.append(fail(check, "a product names it, and it is not configured", advice))
            continue
        if entry.of_kind.simulated and not sandbox:
            text = f"it is of kind {entry.kind}: its debits move no money"
            found.append(warn(check, text, "remove it where money is to move"))
        settled = sorted(it.name for it in accounts.values() if name in it.rails)
        ask = partial(_examine, entry, settled[0] if settled else None, clock)
        found += await examiner.run(check, _ADDRESS, ask)
        found += await examiner.run(f"clock rail {name}", _ADDRESS, partial(_clock, entry))
    return found


async def _examine(entry: RailEntry, account: str | None, clock: Clock) -> Sequence[Finding]:
    """Signed questions that change nothing: after an order that nobody sent, after statements.

    The rail is opened for them alone: what is wrong with another does not matter.
    """
    check = f"rail {entry.name}"
    async with AsyncExitStack() as closing:
        try:
            rail = (await open_rails({entry.name: entry}, clock, closing))[entry.name]
            await _answered(lambda: rail.inquire(NOBODYS_ORDER, entry.merchant_id))
            if account is None or entry.login is None:
                return [ok(check, "takes our signature; no account is registered for it")]
            day = local_day(clock.now(), rail.profile.timezone)
            at_bank = entry.of_kind.sources(entry.login, (account,), clock.now, unwatched)
            source = (await closing.enter_async_context(at_bank))[account]
            offered = await _answered(lambda: source.offered(day, day))
        except InvalidInput as error:
            return [fail(check, str(error), f"correct it in {entry.source}")]
        except (RailUnavailable, SourceUnavailable) as refusal:
            if refusal.why in _REFUSED:
                advice = f"check merchant and secrets against what the rail has: {entry.source}"
                return [fail(check, f"it refuses our signature ({refusal.why})", advice)]
            return [fail(check, f"{TRIES} questions, no answer: {refusal.why}", _ADDRESS)]
    return [ok(check, f"takes our signature, {len(offered)} statements on offer today")]


async def _answered(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer to a question, asked again where it may be answered later.

    Raises:
        RailUnavailable, SourceUnavailable: no answer after `TRIES` tries, or our signature was
            refused.
    """
    for left in reversed(range(TRIES)):
        try:
            return await ask()
        except (RailUnavailable, SourceUnavailable) as refusal:
            if refusal.why in _REFUSED or not left:
                raise
            await asyncio.sleep(_PAUSE_S)
    raise AssertionError("the last try returns")


async def _clock(entry: RailEntry) -> Sequence[Finding]:
    check = f"clock rail {entry.name}"
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(entry.url or "")
    said = answer.headers.get("date")
    if said is None:
        return [skip(check, "its answers carry no date")]
    return [skew(check, parsedate_to_datetime(said) - datetime.now(UTC))]
