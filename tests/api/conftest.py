"""One API, two databases: every test that asks for `stage` runs on both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from tests.support.apistage import ApiStage, api_stage, with_loans


@pytest.fixture(params=["sqlite", "postgres"])
def books_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def stage(books_url: str, tmp_path: Path) -> AsyncIterator[ApiStage]:
    """Give a served API with three loans in two portfolios."""
    await upgrade(books_url)
    engine = books_engine(books_url)
    async with api_stage(engine, tmp_path) as made:
        await with_loans(made)
        yield made
    await engine.dispose()
