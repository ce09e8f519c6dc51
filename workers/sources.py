"""Which source gives the statement files of which bank account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.rails.http import RailHttp, Watch, unwatched
from adapters.rails.simbank.calls import SimbankCalls
from adapters.rails.simbank.profile import SIMBANK
from adapters.sources.simbank import SimbankStatements
from workers.credentials import rail_login

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from adapters.products.translate import ProductFile
    from ports.clock import Clock
    from ports.statementsource import StatementSource
    from workers.settings import Settings
    from workers.stackfile import StackRecord


def accounts_of(products: Mapping[str, ProductFile]) -> tuple[str, ...]:
    """The bank accounts that products name, in order."""
    return tuple(sorted({file.product.account for file in products.values()}))


async def open_sources(
    settings: Settings,
    record: StackRecord | None,
    products: Mapping[str, ProductFile],
    clock: Clock,
    closing: AsyncExitStack,
    watch: Watch = unwatched,
) -> Mapping[str, StatementSource]:
    """The statement sources that this installation has, by bank account; closed with `closing`.

    An account's files come from the bank of the rail whose product names it.

    Raises:
        InvalidInput: a secret is missing.
    """
    login = rail_login(settings, record)
    accounts = {f.product.account for f in products.values() if f.product.rail == SIMBANK.name}
    if login is None or not accounts:
        return {}
    http = await closing.enter_async_context(RailHttp(login.url, watch=watch))
    calls = SimbankCalls(http, {login.merchant_id: login.api_secret}, clock.now)
    return {name: SimbankStatements(calls, login.merchant_id, name) for name in sorted(accounts)}
