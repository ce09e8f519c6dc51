"""Which bank account has which source of statements."""

from contextlib import AsyncExitStack

from adapters.products.files import read_products
from adapters.sources.simbank import SimbankStatements
from workers.clock import WallClock
from workers.settings import Settings
from workers.sources import accounts_of, open_sources


def settings(**more: object) -> Settings:
    return Settings.model_validate(more)


async def test_every_account_of_a_product_has_the_source_of_its_bank() -> None:
    """By account and not by rail; two products on one account have one source."""
    products = read_products(settings().products)
    given = settings(
        simulator_url="http://127.0.0.1:1", rail_api_secret="a" * 20, webhook_secret="b" * 20
    )
    async with AsyncExitStack() as closing:
        sources = await open_sources(given, None, products, WallClock(), closing)
        assert tuple(sources) == accounts_of(products)
        assert len(sources) < len(products)
        assert all(isinstance(source, SimbankStatements) for source in sources.values())


async def test_where_no_bank_is_configured_there_is_no_source() -> None:
    """The sweep then says of each account that it has none."""
    async with AsyncExitStack() as closing:
        products = read_products(settings().products)
        assert await open_sources(settings(), None, products, WallClock(), closing) == {}
