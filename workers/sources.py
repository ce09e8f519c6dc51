"""Which source gives the statement files of which bank account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AsyncExitStack

    from adapters.products.translate import ProductFile
    from adapters.rails.http import Watch
    from ports.clock import Clock
    from ports.statementsource import StatementSource
    from workers.rails import RailEntry


def accounts_of(products: Mapping[str, ProductFile]) -> tuple[str, ...]:
    """The bank accounts that products name, in order."""
    return tuple(sorted({file.product.account for file in products.values()}))


async def open_sources(
    registry: Mapping[str, RailEntry],
    products: Mapping[str, ProductFile],
    clock: Clock,
    closing: AsyncExitStack,
    watch: Callable[[RailEntry], Watch],
) -> Mapping[str, StatementSource]:
    """The statement sources that this installation has, by bank account; closed with `closing`.

    An account's files come from the bank that one of the rails of its products settles on: the
    first by name that can be reached.
    """
    rails: dict[str, str] = {}
    for product in sorted((file.product for file in products.values()), key=lambda it: it.rail):
        if product.rail in registry and registry[product.rail].login is not None:
            rails.setdefault(product.account, product.rail)
    opened: dict[str, StatementSource] = {}
    for name in sorted(set(rails.values())):
        entry = registry[name]
        if entry.login is not None:
            accounts = sorted(account for account, rail in rails.items() if rail == name)
            at_bank = entry.of_kind.sources(entry.login, accounts, clock.now, watch(entry))
            opened |= await closing.enter_async_context(at_bank)
    return opened
