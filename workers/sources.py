"""Which source gives the statement files of which bank account."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from adapters.sources.folder import Folder, FolderStatements
from domain.errors import InvariantBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AsyncExitStack

    from adapters.rails.http import Watch
    from domain.ledger.bankaccount import BankAccount
    from ports.clock import Clock
    from ports.statementsource import StatementSource
    from workers.rails import RailEntry
    from workers.sourcesfile import SourceEntry

NO_ENTRIES: Mapping[str, SourceEntry] = MappingProxyType({})


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
    entries: Mapping[str, SourceEntry] = NO_ENTRIES,
) -> Mapping[str, StatementSource]:
    """The statement sources that this installation has, by bank account; closed with `closing`.

    An account's files come from the folder or server that its settings name (`entries`), else from
    the bank that its rails settle on, asked by way of the first of them by name that can be
    reached.
    """
    opened: dict[str, StatementSource] = {}
    for account in watched_accounts(entries):
        opened[account] = await open_source(entries[account], closing)
    reached = {name for name, entry in registry.items() if entry.login is not None}
    by_rail: dict[str, list[str]] = {}
    for account in fetched_accounts(accounts):
        is_by_rail = account not in entries or entries[account].kind == "rail"
        if (rails := accounts[account].rails & reached) and is_by_rail:
            by_rail.setdefault(min(rails), []).append(account)
    for name in sorted(by_rail):
        entry = registry[name]
        if entry.login is not None:
            at_bank = entry.of_kind.sources(entry.login, by_rail[name], clock.now, watch(entry))
            opened |= await closing.enter_async_context(at_bank)
    return opened


def watched_accounts(entries: Mapping[str, SourceEntry]) -> tuple[str, ...]:
    """The accounts whose files come from a folder or a server that is looked at often."""
    return tuple(sorted(account for account, entry in entries.items() if entry.at is not None))


async def open_source(entry: SourceEntry, closing: AsyncExitStack) -> StatementSource:
    """The source of an entry that names a folder or a server; closed with `closing`."""
    match entry.at:
        case Folder() as folder:
            return FolderStatements(entry.account, folder)
        case None:
            raise InvariantBroken(f"sources.{entry.name} names no place")
        case server:
            from adapters.sources.sftp import SftpStatements  # noqa: PLC0415  (loads the library)

            source = SftpStatements(entry.account, server)
            closing.push_async_callback(source.close)
            return source
