"""What a tape would be answered, before anything is written."""

from dataclasses import replace
from datetime import date

import pytest

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.errors import Conflict
from domain.kernel.change import Applied, Refused
from tests.support.booksbench import StillClock
from tests.support.doors import Past
from tests.support.memory import board


async def test_a_rehearsal_answers_as_the_books_would_and_writes_nothing(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """New, known, another loan under the same name, and refused: one answer for each."""
    await books.apply(board("L1"))
    before = (await queries.verify()).items
    other = replace(board("L1"), id="other", borrower="b-2")
    first, *rest = board("L3").schedule
    late = replace(board("L3"), schedule=(*rest, first))
    new, known, conflict, refused = await books.rehearse([board("L2"), board("L1"), other, late])
    assert isinstance(new, Applied)
    assert not new.replayed
    assert isinstance(known, Applied)
    assert known.replayed
    assert isinstance(conflict, Conflict)
    assert isinstance(refused, Refused)
    assert (await queries.verify()).items == before
    assert (await queries.counts())["installments"] == {"SCHEDULED": 3}
    boarded = await books.apply(board("L2"))
    assert isinstance(boarded, Applied)
    assert not boarded.replayed


@pytest.mark.parametrize("day_said", [Past.OWED, Past.IGNORE])
async def test_a_loan_that_was_refused_once_and_boarded_since_is_known(
    books: SqlBooks, clock: StillClock, day_said: Past
) -> None:
    """What was said of past installments is said once; the sender that was refused learns it."""
    clock.to(date(2026, 4, 20))
    silent = replace(board(), id="board/silent", past=Past.REFUSE)
    first = await books.apply(silent)
    assert isinstance(first, Refused)
    assert first.rule == "schedule.past"
    assert isinstance(await books.apply(replace(board(), past=day_said)), Applied)
    again = await books.apply(silent)
    assert isinstance(again, Applied)
    assert again.replayed
    new_id = await books.apply(replace(silent, id="board/later"))
    assert isinstance(new_id, Applied)
    assert new_id.replayed
