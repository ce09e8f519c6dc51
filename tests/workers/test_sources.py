"""Which bank account has which source of statements."""

from contextlib import AsyncExitStack
from pathlib import Path

from adapters.rails.http import Watch, unwatched
from adapters.sources.simbank import SimbankStatements
from domain.ledger.bankaccount import BankAccount, Purpose
from tests.support.railsfile import rails_file
from workers.clock import WallClock
from workers.rails import RailEntry, read_rails
from workers.sources import fetched_accounts, open_sources


def registered(name: str, *rails: str) -> BankAccount:
    """An account on which rails settle."""
    return BankAccount(name, "us", Purpose.COLLECTION, "CNY", frozenset(rails))


async def test_every_account_that_rails_settle_on_has_the_source_of_its_bank(
    tmp_path: Path,
) -> None:
    """By account and not by rail; statements of an account without rails are not fetched."""
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:1"))
    known = (registered("B", "simbank"), registered("A", "simbank"), registered("COSTS"))
    accounts = {it.name: it for it in known}
    assert fetched_accounts(accounts) == ("A", "B")
    async with AsyncExitStack() as closing:
        sources = await open_sources(
            registry, accounts, WallClock(), closing, lambda _entry: unwatched
        )
        assert tuple(sources) == ("A", "B")
        assert all(isinstance(source, SimbankStatements) for source in sources.values())


async def test_two_rails_that_settle_on_one_account_give_it_one_source(tmp_path: Path) -> None:
    """The first by name that can be reached; where that one cannot, the other."""
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:1", ["other", "simbank"]))
    closed = {**registry, "other": RailEntry("other", "simbank")}
    for known, first in ((registry, "other"), (closed, "simbank")):
        asked: list[str] = []

        def watch(entry: RailEntry, asked: list[str] = asked) -> Watch:
            asked.append(entry.name)
            return unwatched

        async with AsyncExitStack() as closing:
            accounts = {"A": registered("A", "simbank", "other")}
            sources = await open_sources(known, accounts, WallClock(), closing, watch)
            assert (tuple(sources), asked) == (("A",), [first])


async def test_where_no_rail_is_configured_there_is_no_source() -> None:
    """The sweep then says of each account that it has none."""
    async with AsyncExitStack() as closing:
        accounts = {"A": registered("A", "simbank")}
        found = await open_sources({}, accounts, WallClock(), closing, lambda _entry: unwatched)
        assert found == {}
