"""Hundreds of attempts on one installment cost the audit and the roll in proportion, and no more.

What is counted are steps of the virtual machine of SQLite, a thousand at a time, and calls: never
seconds.
"""

import cProfile
import pstats
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from adapters.sql.engine import books_engine
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.change import Change
from tests.support.booksbench import StillClock, roll
from tests.support.doors import BoardLoan, Past
from tests.support.memory import RULES, MemoryBooks, board
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid

FEW, MANY = 100, 400
MORE = MANY // FEW


def tried(attempts: int, outcome_class: OutcomeClass, state: AttemptState) -> BoardLoan:
    """A loan of which a former system has ordered so many debits of one installment."""
    made = tuple(
        ordered(2, f"OLD-{n}", outcome_class=outcome_class, state=state) for n in range(attempts)
    )
    said = opening(payments=(paid((1, WHOLE)),), attempts=made)
    return replace(board(), opening=said, past=Past.OWED)


async def steps_of_audit(folder: Path, command: BoardLoan) -> int:
    """Thousands of steps that SQLite takes for one audit of the loan."""
    folder.mkdir()
    path = folder / "books.db"
    path.touch()
    await upgrade(url := f"sqlite+aiosqlite:///{path}")
    engine, clock, steps = books_engine(url), StillClock(), [0]
    clock.at = APRIL

    def step() -> int:
        steps[0] += 1
        return 0

    @event.listens_for(engine.sync_engine, "connect")
    def count(dbapi: object, _: object) -> None:
        dbapi.run_async(lambda driver: driver.set_progress_handler(step, 1_000))  # type: ignore[attr-defined]

    async with SqlBooks(engine, clock, RULES) as books:
        await books.apply(command)
        async with engine.connect() as conn:
            steps[0] = 0
            report = await audit_on(conn, RULES, clock.at)
    await engine.dispose()
    assert report.findings == ()
    return steps[0]


@pytest.mark.parametrize("outcome_class", [OutcomeClass.NSF, OutcomeClass.ACCOUNT])
async def test_the_audit_takes_steps_in_proportion(
    tmp_path: Path, outcome_class: OutcomeClass
) -> None:
    """Four times the attempts take about four times the steps; the square would be sixteen."""
    few, many = [
        await steps_of_audit(tmp_path / str(n), tried(n, outcome_class, AttemptState.DECLINED))
        for n in (FEW, MANY)
    ]
    assert few > 10
    assert many <= 2 * MORE * few


def calls(act: Callable[[], object]) -> int:
    """How many calls something makes."""
    profile = cProfile.Profile()
    profile.runcall(act)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", [AttemptState.DECLINED, AttemptState.RETURNED])
def test_a_day_that_begins_makes_calls_in_proportion(state: AttemptState) -> None:
    """The roll of a loan looks at each attempt, and at the money of each, a few times."""
    found = []
    for attempts in (FEW, MANY):
        books = MemoryBooks(at=APRIL)
        command = tried(attempts, OutcomeClass.NSF, state)
        assert isinstance(books.apply(command), Change)
        found.append(calls(lambda books=books: books.apply(roll("L1", date(2026, 4, 20)))))  # type: ignore[misc]
    few, many = found
    assert many <= 2 * MORE * few
