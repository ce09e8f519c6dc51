"""Which source gives the statement files of which bank account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AsyncExitStack

    from adapters.rails.http import Watch
    from domain.ledger.bankaccount import BankAccount
    from ports.clock import Clock
    from ports.statementsource import StatementSource
    from workers.rails import RailEntry


def fetched_accounts(accounts: Mapping[str, BankAccount]) -> tuple[str, ...]:
    """The registered accounts whose statements are fetched, in order: those that rails settle on.

    Statements of the others are handed in.
    """
    return tuple(sorted(name for name, account in accounts.items() if account.rails))


async def open_sources(
    registry: Mapping[str, RailEntry],
    accounts: Mapping[str, BankAccount],
    clock: Clock,
    closing: AsyncExitStack,
    watch: Callable[[RailEntry], Watch],
) -> Mapping[str, StatementSource]:
    """The statement sources that this installation has, by bank account; closed with `closing`.

    An account's files come from the bank that its rails settle on, asked by way of the first of
    them by name that can be reached.
    """
    reached = {name for name, entry in registry.items() if entry.login is not None}
    by_rail: dict[str, list[str]] = {}
    for account in fetched_accounts(accounts):
        if rails := accounts[account].rails & reached:
            by_rail.setdefault(min(rails), []).append(account)
    opened: dict[str, StatementSource] = {}
    for name in sorted(by_rail):
        entry = registry[name]
        if entry.login is not None:
            at_bank = entry.of_kind.sources(entry.login, by_rail[name], clock.now, watch(entry))
            opened |= await closing.enter_async_context(at_bank)
    return opened
