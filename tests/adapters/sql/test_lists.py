"""Lists that people narrow: filters combine, pages hold under inserts, indexes are read."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.cursors import read_cursor, write_cursor
from adapters.sql.read.lists import subjects_statement
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.errors import InvalidInput
from ports.paging import Page, walk
from ports.subjectfilter import SubjectFilter
from tests.support.booksbench import NOON, StillClock, apply_all, intend, present, roll
from tests.support.doors import RaiseOperator
from tests.support.explaining import Explain
from tests.support.memory import PRODUCT, TESTER, board

_OTHER = replace(PRODUCT, id="other")


async def keys(queries: SqlQueries, **wanted: Any) -> list[str]:
    """The keys of all subjects that fit."""
    page = await queries.subjects(SubjectFilter(**wanted), "", 100)
    assert page.after == ""
    return [item.view.subject.key for item in page.items]


@pytest_asyncio.fixture
async def filled(books: SqlBooks, queries: SqlQueries, clock: StillClock) -> date:
    """Two loans of two borrowers and products; of one the first installment has fallen due."""
    other = replace(board("L2", product=_OTHER), borrower="b-2")
    await apply_all(books, [board("L1"), other])
    day = date(2026, 3, 10)
    clock.to(day)
    await books.apply(roll("L1", day))
    ask = RaiseOperator(id="ask", actor=TESTER, reason="lost", loan_id="L1", number=2)
    await books.apply(ask)
    return day


async def test_every_filter_narrows(filled: date, queries: SqlQueries, clock: StillClock) -> None:
    """Each by itself, and each has another answer than no filter at all."""
    everything = await keys(queries)
    assert sorted(everything) == [f"L{loan}/{number}" for loan in (1, 2) for number in (1, 2, 3)]
    of_1, of_2 = ([key for key in everything if key.startswith(name)] for name in ("L1", "L2"))
    due = ["L1/1"]
    rest = [key for key in everything if key not in due]
    answers: list[tuple[dict[str, Any], list[str]]] = [
        ({"loan_id": "L2"}, of_2),
        ({"borrower": "b-1"}, of_1),
        ({"product": "other@1"}, of_2),
        ({"states": ("DUE",)}, due),
        ({"states": ("DUE", "SCHEDULED")}, [*rest, *due]),
        ({"currency": "CNY", "owed_least": 1}, everything),
        ({"currency": "CNY", "owed_most": 1}, []),
        ({"currency": "EUR"}, []),
        ({"needs_operator": True}, ["L1/2"]),
        ({"needs_operator": False}, [key for key in everything if key != "L1/2"]),
        ({"since_before": clock.at - timedelta(days=1)}, rest),
        ({"rail": "nowhere"}, []),
        ({"owner": "nobody"}, []),
        ({"action_by": clock.at - timedelta(days=400)}, []),
    ]
    for wanted, expected in answers:
        assert sorted(await keys(queries, **wanted)) == sorted(expected), wanted
    actions = await queries.subjects(SubjectFilter(states=("DUE",)), "", 1)
    [due_view] = [item.view for item in actions.items]
    assert due_view.next_action is not None
    found = await keys(queries, action=due_view.next_action.kind)
    assert "L1/1" in found


async def test_filters_combine(filled: date, queries: SqlQueries) -> None:
    """What is asked for holds all together."""
    assert await keys(queries, borrower="b-1", states=("DUE",)) == ["L1/1"]
    assert await keys(queries, borrower="b-2", states=("DUE",)) == []
    assert await keys(queries, borrower="b-1", product="other@1") == []


async def test_those_longest_in_their_state_come_first_and_say_since_when(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Since when is kept with the state; a change that leaves the state leaves the instant."""
    await apply_all(books, [board("L0"), board("L1")])
    for day, loan in ((10, "L1"), (11, "L0"), (11, "L1")):
        clock.to(date(2026, 3, day))
        await books.apply(roll(loan, date(2026, 3, day)))
    page = await queries.subjects(SubjectFilter(states=("DUE",)), "", 10)
    found = [(item.view.subject.key, item.since.day, item.borrower) for item in page.items]
    assert found == [("L1/1", 10, "b-1"), ("L0/1", 11, "b-1")]
    assert {item.product for item in page.items} == {PRODUCT.ref}


async def test_cases_are_a_kind_like_any_other(filled: date, queries: SqlQueries) -> None:
    """Owner and amount narrow them as well."""
    assert await keys(queries, kind="case", owner="operations") == ["operator/L1/2"]
    assert await keys(queries, kind="case", owner="complaints") == []


async def test_walking_while_loans_are_boarded_yields_each_earlier_one_once(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A page begins behind the last item of the one before, whatever was added since."""
    await apply_all(books, [board(f"L{number}") for number in range(3)])
    before = await keys(queries)
    found: list[str] = []
    after = ""
    for turn in range(100):
        page = await queries.subjects(SubjectFilter(), after, 2)
        found += [item.view.subject.key for item in page.items]
        if turn < 3:
            # Sorts before what was shown, among it, and behind it.
            clock.at = NOON + timedelta(minutes=turn - 1)
            await books.apply(board(f"K{turn}"))
        if not (after := page.after):
            break
    assert len(found) == len(set(found))
    assert set(before) <= set(found)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"kind": "song"}, "kind"),
        ({"states": ("LOST",)}, "state"),
        ({"action": "SING"}, "action"),
        ({"borrower": "a\nb"}, "borrower"),
        ({"owner": "x" * 321}, "owner"),
        ({"owed_least": 1}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"currency": "CNY", "owed_least": -1}, "owed_least"),
        ({"currency": "CNY", "owed_least": 5, "owed_most": 4}, "owed_most"),
        ({"action_by": datetime(2026, 1, 1)}, "action_by"),  # noqa: DTZ001  (that is the mistake)
    ],
)
def test_a_bad_filter_is_refused_by_field(wanted: dict[str, Any], field: str) -> None:
    """A filter with a bad value is refused with field, value and rule."""
    with pytest.raises(InvalidInput) as fault:
        SubjectFilter(**wanted)
    assert fault.value.field == field
    assert fault.value.rule


async def test_a_cursor_of_another_list_and_a_bad_limit_are_refused(
    filled: date, queries: SqlQueries
) -> None:
    """A cursor names its list; a limit has a most."""
    of_cases = (await queries.cases(limit=1)).after or (await queries.balances(limit=1)).after
    assert of_cases
    for after, limit, field in ((of_cases, 5, "after"), ("", 0, "limit"), ("", 10_001, "limit")):
        with pytest.raises(InvalidInput) as fault:
            await queries.subjects(SubjectFilter(), after, limit)
        assert fault.value.field == field


@pytest.mark.parametrize(
    "key",
    ["[" * 1_400, '["list", "2026-01-01T00:00:00", "k"]', '["list", "\\ud800", "k"]'],
)
def test_a_forged_cursor_is_refused_by_its_field(key: str) -> None:
    """Whatever it holds: nesting, an instant without a zone, half a character."""
    text = urlsafe_b64encode(key.encode()).decode().rstrip("=")
    for shape in ((datetime, str), (int, str)):
        with pytest.raises(InvalidInput) as fault:
            read_cursor("list", text, shape)
        assert fault.value.field == "after"


def test_a_cursor_with_a_number_that_no_row_has_is_refused() -> None:
    """A database would refuse it with an error of its own."""
    with pytest.raises(InvalidInput):
        read_cursor("list", write_cursor("list", [10**30]), (int,))


async def test_every_list_of_the_ledger_is_whole_in_pages(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Page by page the same as at once: balances, items, cases, a trail."""
    action = await present(books, queries, clock, "L1")
    await intend(books, "L1", 1, action)
    for number in (2, 3):
        ask = RaiseOperator(id=f"a{number}", actor=TESTER, reason="x", loan_id="L1", number=number)
        await books.apply(ask)
    account = next(b.account for b in (await queries.balances("claim/")).items)
    lists: dict[str, Callable[[str, int], Any]] = {
        "balances": lambda after, limit: queries.balances("", after, limit),
        "items": lambda after, limit: queries.items(account, after, limit),
        "cases": queries.cases,
        "waiting": lambda after, limit: queries.waiting("L1", after, limit),
    }
    for name, ask_for in lists.items():
        whole: Page[Any] = await ask_for("", 100)
        assert len(whole.items) > 1, name
        assert whole.after == ""
        paged = [item async for item in walk(partial(_one_each, ask_for))]
        assert tuple(paged) == whole.items, name


async def _one_each(ask: Callable[[str, int], Any], after: str) -> Page[Any]:
    page: Page[Any] = await ask(after, 1)
    return page


USUAL: dict[str, tuple[dict[str, Any], str]] = {
    "a state": ({"states": ("DUE",)}, "ix_subjects_kind_state_since"),
    "a state for long": (
        {"states": ("DUE",), "since_before": NOON},
        "ix_subjects_kind_state_since",
    ),
    "a borrower": ({"borrower": "b-17"}, "ix_subjects_borrower"),
    "a loan": ({"loan_id": "L17"}, "ix_subjects_loan_id_kind"),
    "waits for a person": ({"needs_operator": True}, "ix_subjects_needed"),
    "everything": ({}, "ix_subjects_kind_since"),
}


async def test_usual_filters_read_an_index(engine: AsyncEngine, books: SqlBooks) -> None:
    """Among thousands of installments none of them reads the table through."""
    await books.apply(board())
    await _fill(engine)
    words = "EXPLAIN" if is_postgres(engine) else "EXPLAIN QUERY PLAN"
    async with engine.connect() as conn:
        for name, (wanted, index) in USUAL.items():
            statement = subjects_statement(SubjectFilter(**wanted), "", 50)
            rows = await conn.execute(Explain(statement, words))
            plan = " ".join(str(row) for row in rows)
            assert index in plan, (name, plan)
            assert "Seq Scan" not in plan, (name, plan)


async def _fill(engine: AsyncEngine) -> None:
    """Five thousand installments of as many loans; one in a thousand waits for a person."""
    numbers = (
        "generate_series(10, 5009) AS n(i)"
        if is_postgres(engine)
        else "(WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 5009)"
        " SELECT i FROM n) AS n"
    )
    cells = {
        "key": "'L' || i || '/1'",
        "loan_id": "'L' || i",
        "borrower": "'b-' || i",
        "state": "CASE WHEN i < 20 THEN 'DUE' ELSE 'CLOSED' END",
        "needs_operator": "i % 1000 = 0",
    }
    async with engine.begin() as conn:
        columns = (await conn.execute(text("SELECT * FROM subjects LIMIT 0"))).keys()
        values = ", ".join(cells.get(name, name) for name in columns)
        await conn.execute(
            text(
                f"INSERT INTO subjects ({', '.join(columns)}) SELECT {values}"
                f" FROM (SELECT * FROM subjects WHERE number = 1) AS model, {numbers}"
            )
        )
        await conn.execute(text("ANALYZE subjects" if is_postgres(engine) else "ANALYZE"))
