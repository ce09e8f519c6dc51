"""Sealing as an activity: real books and folders; what fails holds up nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.sealing import SealActivities, Sealed
from adapters.anchors.folder import FolderAnchor
from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.errors import InvalidInput
from tests.support.booksbench import StillClock
from tests.support.forging import a_signer
from tests.support.memory import RULES, board
from tests.support.unlocked import unlock


@pytest_asyncio.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a migrated database."""
    await upgrade(sqlite_url)
    made = books_engine(sqlite_url)
    yield made
    await made.dispose()


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Give a folder of its own that is a witness."""
    folder = tmp_path / "vault"
    folder.mkdir()
    return folder


async def write(engine: AsyncEngine, name: str) -> None:
    async with SqlBooks(engine, StillClock(), RULES) as books:
        await books.apply(board(name))


def sealing(engine: AsyncEngine, *folders: Path, mark: int = 1) -> SealActivities:
    checkpoints = SqlCheckpoints(engine, StillClock(), a_signer(mark))
    anchors = [FolderAnchor(folder.name, folder) for folder in folders]
    return SealActivities(checkpoints, anchors, StillClock())


async def seal(activities: SealActivities) -> Sealed:
    done = await ActivityEnvironment().run(activities.seal)
    assert isinstance(done, Sealed)
    return done


async def test_a_checkpoint_is_made_and_witnessed_once(engine: AsyncEngine, vault: Path) -> None:
    """As long as nothing is written, another round does nothing."""
    assert await seal(sealing(engine, vault)) == Sealed()
    await write(engine, "L1")
    activities = sealing(engine, vault)
    done = await seal(activities)
    assert (done.witnessed, done.faults) == ((vault.name,), ())
    (file,) = vault.iterdir()
    before = file.stat().st_ino
    assert await seal(activities) == done
    assert [path.stat().st_ino for path in vault.iterdir()] == [before]
    await write(engine, "L2")
    assert (await seal(activities)).size > done.size
    assert len(list(vault.iterdir())) == 2


async def test_a_witness_that_is_away_holds_up_no_other_and_is_asked_again(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """It is named each time; the others are not asked again."""
    first, last = tmp_path / "a-vault", tmp_path / "z-vault"
    last.mkdir()
    await write(engine, "L1")
    done = await seal(sealing(engine, first, last))
    assert done.witnessed == ("z-vault",)
    assert [fault.startswith("anchor a-vault: ") for fault in done.faults] == [True]
    first.mkdir()
    done = await seal(sealing(engine, first, last))
    assert (done.witnessed, done.faults) == (("a-vault", "z-vault"), ())


async def test_a_witness_that_contradicts_is_named_apart(engine: AsyncEngine, vault: Path) -> None:
    """It holds another checkpoint of this size: no later try changes that."""
    await write(engine, "L1")
    await seal(sealing(engine, vault))
    (file,) = vault.iterdir()
    file.chmod(0o644)
    file.write_text("another")
    again = vault.with_name("again")
    vault.rename(again)
    done = await seal(sealing(engine, again))
    assert done.contradicted == ("again",)


async def test_a_faulty_journal_is_a_failure_of_its_own_kind(
    engine: AsyncEngine, vault: Path
) -> None:
    """It is never tried again by itself, and nothing is signed or witnessed."""
    await write(engine, "L1")
    await unlock(engine)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE commands SET reason = 'x'"))
    with pytest.raises(ApplicationError, match="nothing is signed") as failed:
        await seal(sealing(engine, vault))
    assert failed.value.type == "JournalFaulty"
    assert list(vault.iterdir()) == []


async def test_without_a_key_nothing_is_signed(engine: AsyncEngine) -> None:
    """The failure names the setting."""
    await write(engine, "L1")
    activities = SealActivities(SqlCheckpoints(engine, StillClock(), None), (), StillClock())
    with pytest.raises(InvalidInput, match="ACQUIT_SIGNING_KEY"):
        await seal(activities)
    assert StillClock().now() == datetime(2026, 3, 2, 4, tzinfo=UTC)
