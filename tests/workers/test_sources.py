"""Which bank account has which source of statements."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from adapters.products.files import read_products
from adapters.rails.http import Watch, unwatched
from adapters.sources.simbank import SimbankStatements
from tests.support.railsfile import rails_file
from workers.clock import WallClock
from workers.rails import RailEntry, read_rails
from workers.settings import Settings
from workers.sources import accounts_of, open_sources

PRODUCTS = read_products(Settings().products)


async def test_every_account_of_a_product_has_the_source_of_its_bank(tmp_path: Path) -> None:
    """By account and not by rail; two products on one account have one source."""
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:1"))
    async with AsyncExitStack() as closing:
        sources = await open_sources(
            registry, PRODUCTS, WallClock(), closing, lambda _entry: unwatched
        )
        assert tuple(sources) == accounts_of(PRODUCTS)
        assert len(sources) < len(PRODUCTS)
        assert all(isinstance(source, SimbankStatements) for source in sources.values())


async def test_two_rails_that_settle_on_one_account_give_it_one_source(tmp_path: Path) -> None:
    """The first by name that can be reached; where that one cannot, the other."""
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:1", ["other", "simbank"]))
    file = next(iter(PRODUCTS.values()))
    product = file.product
    both = {
        rail: replace(file, product=replace(product, id=rail, rail=rail))
        for rail in ("simbank", "other")
    }
    closed = {**registry, "other": replace(registry["other"], login=None)}
    for known, first in ((registry, "other"), (closed, "simbank")):
        asked: list[str] = []

        def watch(entry: RailEntry, asked: list[str] = asked) -> Watch:
            asked.append(entry.name)
            return unwatched

        async with AsyncExitStack() as closing:
            sources = await open_sources(known, both, WallClock(), closing, watch)
            assert (tuple(sources), asked) == ((product.account,), [first])


async def test_where_no_rail_is_configured_there_is_no_source() -> None:
    """The sweep then says of each account that it has none."""
    async with AsyncExitStack() as closing:
        found = await open_sources({}, PRODUCTS, WallClock(), closing, lambda _entry: unwatched)
        assert found == {}
