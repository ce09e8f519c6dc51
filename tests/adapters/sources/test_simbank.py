"""The simulated bank's statements: the contract over real HTTP, and every fault on the line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import pytest_asyncio

from adapters.rails.http import RailHttp
from adapters.rails.simbank.calls import SimbankCalls
from adapters.sources.simbank import SimbankStatements
from domain.calendar import local_day
from ports.statementsource import SourceUnavailable, StatementFile, StatementSource
from tests.adapters.rails.bank import (
    API_SECRET,
    MERCHANT,
    SimulatedBank,
    build_mandate,
    build_order,
    running_bank,
)
from tests.adapters.rails.test_simbank_faults import (
    LIMITS,
    Script,
    answering,
    cut,
    half,
    request_of,
    silent,
)
from tests.adapters.sources.contract import SourceContract, StatedBank, content_of

ACCOUNT = "ACCT-FUNDER-1-CNY"
DAYS = (date(2026, 1, 1), date(2026, 1, 2))
S = StatementFile("S", ACCOUNT)
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


def source_of(bank: SimulatedBank, account: str) -> SimbankStatements:
    """The source of an account of a running bank."""
    calls = SimbankCalls(bank.at_bank, {MERCHANT: API_SECRET}, bank.now)
    return SimbankStatements(calls, MERCHANT, account)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatedBank]:
    """A calm bank that has executed a debit and let eight days pass."""
    async with running_bank(tmp_path_factory.mktemp("stated")) as bank:
        await bank.rail.put_mandate(build_mandate("M-stmt"), "CNY")
        profile = bank.rail.profile
        order = build_order(profile, bank.now(), order_no="C-stmt", mandate_ref="M-stmt")
        await bank.rail.present(order)
        await bank.to_hour(10, days=8)
        yield bank


@pytest.fixture
def bank(running: SimulatedBank) -> StatedBank:
    """Give the source of the account that was paid."""
    last = local_day(running.now(), running.rail.profile.timezone)
    first = date.fromordinal(last.toordinal() - 8)
    return StatedBank(source_of(running, ACCOUNT), ACCOUNT, first, last)


@pytest.fixture
def nobody(running: SimulatedBank) -> StatementSource:
    """Give the source of an account that the bank does not have."""
    return source_of(running, "NO-SUCH-ACCOUNT")


class TestSimbankStatements(SourceContract):
    """The contract of all sources, over the simulator."""


@asynccontextmanager
async def scripted(script: Script, *, file_s: float = 1.0) -> AsyncIterator[SimbankStatements]:
    """A source whose bank plays `script` on every connection."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limits = replace(LIMITS, file_s=file_s)
    async with server, RailHttp(f"http://127.0.0.1:{port}", limits) as http:
        calls = SimbankCalls(http, {MERCHANT: API_SECRET}, lambda: NOW)
        yield SimbankStatements(calls, MERCHANT, ACCOUNT)


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, each in time, without end."""
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
    while True:  # until the other side hangs up
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "script",
    [cut, half, silent, answering(503, b"busy"), answering(429, b""), answering(404, b"{}")],
    ids=["cut", "half", "silent", "503", "429", "404"],
)
async def test_a_bank_that_gives_no_whole_answer_is_asked_again(script: Script) -> None:
    """Neither a list nor a file is believed that did not come whole."""
    async with scripted(script) as source:
        with pytest.raises(SourceUnavailable):
            await source.offered(*DAYS)
        with pytest.raises(SourceUnavailable):
            await content_of(source, S)


async def test_a_file_that_drips_in_for_ever_is_given_up() -> None:
    """Every read is in time, and the whole has its own limit."""
    async with scripted(dripping, file_s=0.3) as source:
        with pytest.raises(SourceUnavailable, match="total"):
            await content_of(source, S)


async def test_a_file_may_be_larger_than_any_other_answer() -> None:
    """The limit of answers about orders is not that of files, which come in parts."""
    content = b"x" * (LIMITS.answer_max + 1)
    async with scripted(answering(200, content)) as source:
        assert await content_of(source, S) == content
        with pytest.raises(SourceUnavailable, match="too_large"):
            await source.offered(*DAYS)


async def test_without_a_secret_nothing_is_asked() -> None:
    """A merchant that cannot sign has no statements, and the address learns nothing."""
    async with RailHttp("http://127.0.0.1:1", LIMITS) as http:
        source = SimbankStatements(SimbankCalls(http, {}, lambda: NOW), MERCHANT, ACCOUNT)
        with pytest.raises(SourceUnavailable, match="no_secret"):
            await source.offered(*DAYS)
        with pytest.raises(SourceUnavailable, match="no_secret"):
            await content_of(source, S)


async def test_what_the_reader_of_a_file_raises_comes_through() -> None:
    """A full disk here is not an absent bank."""
    async with scripted(answering(200, b"x" * 100)) as source:
        with pytest.raises(TimeoutError, match="ours"):
            async with source.open(S):
                raise TimeoutError("ours")
