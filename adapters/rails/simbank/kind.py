"""The simulator's direct-debit rail as a kind: what its table holds and how it is opened."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from adapters.rails.codes import limits_of, load_codes, load_returns
from adapters.rails.http import RailHttp, Watch
from adapters.rails.kind import RailKind, RailLogin
from adapters.rails.simbank.calls import SimbankCalls
from adapters.rails.simbank.client import SimbankConfig, SimbankRail
from adapters.rails.simbank.payouts import SimbankPayouts
from adapters.rails.simbank.profile import SIMBANK
from adapters.sources.simbank import SimbankStatements
from ports.payoutchannel import PayoutChannel
from ports.rail import Rail
from ports.statementsource import StatementSource


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
    async with RailHttp(login.addresses["url"], watch=watch) as http:
        yield SimbankRail(http, config, clock, name=login.name)


@asynccontextmanager
async def open_statements(
    login: RailLogin, accounts: Sequence[str], clock: Callable[[], datetime], watch: Watch
) -> AsyncIterator[Mapping[str, StatementSource]]:
    """Open the statements of accounts at the bank; its connections are closed after the block."""
    secrets = {login.merchant_id: login.secrets["api_secret"]}
    async with RailHttp(login.addresses["bank_url"], watch=watch) as http:
        calls = SimbankCalls(http, secrets, clock)
        yield {name: SimbankStatements(calls, login.merchant_id, name) for name in accounts}


@asynccontextmanager
async def open_payouts(
    login: RailLogin, clock: Callable[[], datetime], watch: Watch
) -> AsyncIterator[PayoutChannel]:
    """Open the channel of payouts; its connections are closed after the block."""
    secrets = {login.merchant_id: login.secrets["api_secret"]}
    async with RailHttp(login.addresses["bank_url"], watch=watch) as http:
        yield SimbankPayouts(SimbankCalls(http, secrets, clock), login.merchant_id, clock)


SIMBANK_KIND = RailKind(
    profile=SIMBANK,
    limits=limits_of("simbank", "dd"),
    codes=load_codes("simbank", "dd"),
    returns=load_returns("simbank"),
    addresses=("url", "bank_url"),
    secrets=("api_secret", "webhook_secret"),
    words=frozenset(
        {"rails", "bank", "dd", "v1", "orders", "cancel", "mandates", "statements", "payouts"}
    ),
    simulated=True,
    open=open_simbank,
    sources=open_statements,
    pays=open_payouts,
)
