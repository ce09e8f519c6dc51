"""The simulator's direct-debit rail as a kind: what its table holds and how it is opened."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from adapters.rails.codes import limits_of, load_returns
from adapters.rails.http import RailHttp, Watch
from adapters.rails.kind import RailKind, RailLogin
from adapters.rails.simbank.client import SimbankConfig, SimbankRail
from adapters.rails.simbank.profile import SIMBANK
from ports.rail import Rail


@asynccontextmanager
async def open_simbank(
    login: RailLogin, clock: Callable[[], datetime], watch: Watch
) -> AsyncIterator[Rail]:
    """Open one rail; its connections are closed at the end of the block.

    Raises:
        InvalidInput: a secret cannot be a key.
    """
    config = SimbankConfig(
        merchant_id=login.merchant_id,
        api_secrets={login.merchant_id: login.secrets["api_secret"]},
        webhook_secrets=(login.secrets["webhook_secret"],),
    )
    rail, bank = login.addresses["url"], login.addresses["bank_url"]
    async with RailHttp(rail, watch=watch) as http, RailHttp(bank, watch=watch) as at_bank:
        yield SimbankRail(http, at_bank, config, clock, name=login.name)


SIMBANK_KIND = RailKind(
    profile=SIMBANK,
    limits=limits_of("simbank", "dd"),
    returns=load_returns("simbank"),
    addresses=("url", "bank_url"),
    secrets=("api_secret", "webhook_secret"),
    words=frozenset({"rails", "bank", "dd", "v1", "orders", "cancel", "mandates", "statements"}),
    simulated=True,
    open=open_simbank,
)
