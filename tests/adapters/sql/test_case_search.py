"""Cases are found on both databases by words and by whatever else they are narrowed by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.caselists import of_cases
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import case_links, case_words, cases
from adapters.sql.write.books import SqlBooks
from domain.case.case import ByHand
from domain.case.kinds import Cause
from domain.case.links import Link, LinkTo
from domain.errors import InvalidInput
from domain.kernel.change import Applied
from ports.casefilter import CaseFilter
from tests.adapters.sql.test_cases import KEY, asked, order, stranger
from tests.support.booksbench import StillClock, line
from tests.support.doors import (
    AssignCase,
    NoteCase,
    ReopenCase,
    ResolveCase,
    TransferCase,
)
from tests.support.memory import board

ORDER_KEY = "unknown_order/simbank/X-1"
LINE = "ACCT-FUNDER-1-CNY/S1/1"
LINE_KEY = f"line/{LINE}"


async def given(books: SqlBooks, *commands: object) -> None:
    for command in commands:
        assert isinstance(await books.apply(command), Applied)  # type: ignore[arg-type]


@pytest.fixture
async def three(books: SqlBooks, clock: StillClock) -> SqlBooks:
    """Three cases, each a day after the other: of an installment, of an order, of a line."""
    await given(books, board(), asked())
    clock.ahead(timedelta(days=1))
    await given(books, stranger("X-1"))
    clock.ahead(timedelta(days=1))
    await given(books, replace(line("nobody", 700, day=clock.at.date()), id="stray"))
    return books


async def keys(queries: SqlQueries, clock: StillClock, **wanted: object) -> list[str]:
    """The keys that a filter finds, in pages of one, and that their number is what is counted."""
    found: list[str] = []
    after = ""
    while True:
        wish = CaseFilter(**{"resolved": None, **wanted})  # type: ignore[arg-type]
        page, count = await queries.case_list(wish, clock.at, after, 1)
        found += [view.subject.key for view in page.items]
        if not (after := page.after):
            assert count == len(found)
            return found


async def test_resolved_cases_are_found_by_the_words_of_their_notes(
    three: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Every word, by its beginning, whatever its case; in the text and in any note."""
    await given(
        three,
        order(NoteCase, reason="Called the Bank: 余额不足"),
        order(NoteCase, reason="they pay tomorrow"),
        order(ResolveCase, resolution=ByHand.CORRECTED),
    )
    for looked_for in ("bank", "BAN tomor", "余额", "额不足", "called zebra"):
        found = await keys(queries, clock, text=looked_for, resolved=True)
        assert found == ([KEY] if looked_for != "called zebra" else [])
    assert await keys(queries, clock, text="bank", resolved=False) == []
    assert await keys(queries, clock, text="order hold") == [ORDER_KEY], "reports ... not hold"
    assert await keys(queries, clock, text="ank") == []


@pytest.mark.parametrize("looked_for", ["%", "_", "' DROP TABLE cases --", "\\", "*"])
async def test_signs_of_the_database_mean_nothing(
    three: SqlBooks, queries: SqlQueries, clock: StillClock, looked_for: str
) -> None:
    """What has no word is refused and not shown; words between signs are words."""
    if looked_for == "' DROP TABLE cases --":
        assert await keys(queries, clock, text=looked_for) == []
        return
    with pytest.raises(InvalidInput) as refused:
        await keys(queries, clock, text=looked_for)
    assert looked_for not in str(refused.value).replace("1 to 10 words", "")
    assert three.counters is not None


async def test_too_many_words_are_refused(queries: SqlQueries, clock: StillClock) -> None:
    """Each costs a look-up."""
    with pytest.raises(InvalidInput, match="1 to 10 words"):
        await keys(queries, clock, text=" ".join(f"w{number}" for number in range(11)))


async def test_lists_narrow_by_what_a_case_says(
    three: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Cause, code, line, order, team, assignee, resolution and days, each alone and together."""
    days = [clock.at.date() - timedelta(days=ago) for ago in (2, 1, 0)]
    await given(
        three,
        order(AssignCase, assignee="ann"),
        order(TransferCase, ORDER_KEY, to="settlement"),
        order(ResolveCase, resolution=ByHand.NO_FAULT, cause=Cause.WILFUL),
    )
    for wanted, expected in (
        ({"cause": "wilful"}, [KEY]),
        ({"cause": "counterparty"}, [ORDER_KEY]),
        ({"code": "names_nothing"}, [LINE_KEY]),
        ({"code": "51"}, [ORDER_KEY]),
        ({"line": LINE}, [LINE_KEY]),
        ({"links": (Link(LinkTo.ORDER, "X-1"),)}, [ORDER_KEY]),
        ({"links": (Link(LinkTo.COMMAND, "stray"),)}, [LINE_KEY]),
        ({"links": (Link(LinkTo.LINE, "X-1"),)}, []),
        ({"team": "settlement"}, [ORDER_KEY]),
        ({"team": "ann"}, []),
        ({"assignee": "ann"}, [KEY]),
        ({"resolution": "no_fault"}, [KEY]),
        ({"resolution": "corrected"}, []),
        ({"opened_from": days[1]}, [ORDER_KEY, LINE_KEY]),
        ({"opened_to": days[1]}, [KEY, ORDER_KEY]),
        ({"opened_from": days[1], "opened_to": days[1]}, [ORDER_KEY]),
        ({"resolved_from": days[2], "resolved_to": days[2]}, [KEY]),
        ({"resolved_to": days[1]}, []),
        ({"cause": "wilful", "code": "51"}, []),
        ({}, [KEY, ORDER_KEY, LINE_KEY]),
    ):
        assert await keys(queries, clock, **wanted) == expected, wanted


async def test_a_case_that_comes_again_is_found_by_what_it_said_and_says(
    three: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Nothing is taken out, and nothing is there twice; the recount finds every word and link."""
    resolve = order(ResolveCase, ORDER_KEY, resolution=ByHand.NO_FAULT)
    await given(three, resolve, order(ReopenCase, ORDER_KEY))
    await given(three, order(ResolveCase, ORDER_KEY, resolution=ByHand.ACCEPTED))
    await given(three, stranger("X-1", "52"))
    for command in ("news/X-1", "52"):
        named = (Link(LinkTo.COMMAND, command),)
        assert await keys(queries, clock, links=named) == [ORDER_KEY]
    assert await keys(queries, clock, code="52") == [ORDER_KEY]
    assert (await queries.verify()).faults == ()


@pytest.mark.parametrize("table", [case_links, case_words])
async def test_the_recount_sees_what_a_case_is_not_found_by_any_more(
    three: SqlBooks, engine: AsyncEngine, queries: SqlQueries, table: object
) -> None:
    """A row that somebody has removed by hand would hide a case."""
    assert three.counters is not None
    async with engine.begin() as conn:
        await conn.execute(delete(table).where(table.c.case_key == LINE_KEY))  # type: ignore[arg-type, attr-defined]
    [fault] = (await queries.verify()).faults
    assert fault.startswith(f"case {LINE_KEY} is not found by ")


async def test_words_are_found_by_their_index(three: SqlBooks, engine: AsyncEngine) -> None:
    """Not by a look at every word: the plan of the search itself names the index of the key."""
    assert three.counters is not None
    wanted = select(cases.c.key).where(
        *of_cases(CaseFilter(text="ba"), datetime(2026, 3, 1, tzinfo=UTC))
    )
    asked_plan = "EXPLAIN" if is_postgres(engine) else "EXPLAIN QUERY PLAN"
    compiled = wanted.compile(engine.sync_engine, compile_kwargs={"literal_binds": True})
    async with engine.begin() as conn:
        if is_postgres(engine):
            await conn.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await conn.exec_driver_sql(f"{asked_plan} {compiled}")
        plan = " ".join(str(row) for row in rows)
    index = "pk_case_words" if is_postgres(engine) else "SEARCH case_words USING"
    assert index in plan, plan
    assert "word" in plan.partition(index)[2], plan
