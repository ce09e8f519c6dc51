"""One contract, two databases: every test that asks for `books_url` runs on both."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from tests.support.booksbench import StillClock
from tests.support.memory import RULES


@pytest.fixture(params=["sqlite", "postgres"])
def books_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def engine(books_url: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a migrated database."""
    await upgrade(books_url)
    made = books_engine(books_url)
    yield made
    await made.dispose()


@pytest.fixture
def clock() -> StillClock:
    """Give a clock that stands still until a test moves it."""
    return StillClock()


@pytest_asyncio.fixture
async def books(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[SqlBooks]:
    """Give books with the real decisions."""
    async with SqlBooks(engine, clock, RULES) as made:
        yield made


@pytest.fixture
def queries(engine: AsyncEngine, clock: StillClock) -> SqlQueries:
    """Give the read side of the same database."""
    return SqlQueries(engine, clock, RULES)
