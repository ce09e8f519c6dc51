"""Mandates as rows of their own: shared by loans, locked before them, and in the chain."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.schema.tables import mandates
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.unit import Unit
from domain.debit.mandate import Mandate
from domain.kernel.change import Applied, Done, Refused
from domain.story.events import Moved, RefusedBy
from tests.support.booksbench import StillClock, intend, present
from tests.support.doors import BoardLoan, EndMandate, RecordMandateEnded, ReplaceMandate
from tests.support.memory import RULES, TESTER, board
from tests.support.stories import effects, story

SHARED = Mandate("M-1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1))
DUE = date(2026, 3, 10)


def under(loan_id: str, **terms: Any) -> BoardLoan:
    """A loan under the shared mandate, or one with other terms."""
    return board(loan_id, mandate=replace(SHARED, **terms))


def report(day: date = DUE, ref: str = "M-1") -> RecordMandateEnded:
    return RecordMandateEnded(
        id=f"webhook/{ref}/{day}",
        actor=TESTER,
        rail="simbank",
        mandate=ref,
        ended_on=day,
        code="MD01",
        source="webhook",
    )


def replacement(loan: str, ref: str = "M-2") -> ReplaceMandate:
    return ReplaceMandate(
        id=f"cli/{loan}/{ref}",
        actor=TESTER,
        reason="a new account",
        mandate="M-1",
        loan=loan,
        ref=ref,
        account_token="acct-2",
        valid_from=date(2026, 1, 1),
    )


async def kept(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """The rows of all mandates: reference, state, last day, number of loans."""
    c = mandates.c
    async with engine.connect() as conn:
        rows = select(c.ref, c.state, c.ended_on, c.loans).order_by(c.ref)
        return [tuple(row) for row in await conn.execute(rows)]


async def whole(engine: AsyncEngine, queries: SqlQueries, clock: StillClock) -> None:
    """Journal and kept rows say the same, and the audit finds nothing."""
    assert (await queries.verify()).faults == ()
    async with engine.connect() as conn:
        assert (await audit_on(conn, RULES, clock.at)).findings == ()


@pytest.mark.parametrize("together", [True, False], ids=["one-group", "apart"])
async def test_loans_share_a_mandate_and_learn_of_its_end(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    *,
    together: bool,
) -> None:
    """Boarded, refused with other terms, replaced for one loan, ended for the rest."""
    given: list[Any] = [
        under("L1"),
        under("L2"),
        under("L3", cap_minor=5),
        under("L4"),
        replacement("L4"),
        report(),
    ]
    if together:
        answers: list[Any] = list(await books.apply_many(given))
    else:
        answers = [await books.apply(command) for command in given]
    assert isinstance(answers[2], Refused)
    assert answers[2].rule == "mandate.terms"
    assert answers[5].answer == Done(note="ended for 2 loans")
    assert await kept(engine) == [("M-1", "ENDED", DUE, 2), ("M-2", "ACTIVE", None, 1)]
    loans = {name: await queries.loan(name) for name in ("L1", "L2", "L4")}
    ends = {name: loan.mandate.ended_on for name, loan in loans.items() if loan is not None}
    assert ends == {"L1": DUE, "L2": DUE, "L4": None}
    again = await books.apply(replace(report(), id="inquiry/M-1"))
    assert isinstance(again, Applied)
    assert again.replayed
    await whole(engine, queries, clock)


async def test_a_mandate_is_read_with_its_loans_and_its_story(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """What became of it, by whose command and why; a loan's story says it too."""
    await books.apply_many([under("L1"), under("L2")])
    end = EndMandate(
        id="cli/end", actor=TESTER, reason="the payer wrote", mandate="M-1", ended_on=DUE
    )
    assert isinstance(await books.apply(end), Applied)
    refused = await books.apply(replace(end, id="cli/again"))
    assert isinstance(refused, Refused)
    found = await queries.mandate("M-1")
    assert found is not None
    assert (found.root.terms.ended_on, found.loans) == (DUE, ("L1", "L2"))
    done = [effect for _, effect in effects(found.story)]
    moves = [effect for effect in done if isinstance(effect, Moved)]
    assert [(one.event, one.source, one.target, one.detail) for one in moves] == [
        ("mandate_registered", "", "ACTIVE", "L1"),
        ("mandate_joined", "ACTIVE", "ACTIVE", "L2"),
        ("mandate_ended", "ACTIVE", "ENDED", f"{DUE} test"),
    ]
    assert done[3:] == [RefusedBy(None, "mandate.ended", f"it has ended on {DUE}")]
    assert found.story[2].reason == "the payer wrote"
    told = [effect for _, effect in effects(await story(queries, "L1"))]
    applied = [one for one in told if isinstance(one, Moved) and one.event == "mandate_applied"]
    assert [(one.source, one.target, one.detail) for one in applied] == [
        ("ENDED", "ENDED", f"M-1 has ended on {DUE}")
    ]
    assert await queries.mandate("M-9") is None


async def test_two_processes_that_board_under_one_new_mandate_make_one(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Both find no row to lock: the second begins anew and joins."""
    async with SqlBooks(engine, clock, RULES) as others:
        answers = await asyncio.gather(
            *(one.apply(under(f"L{n}")) for n, one in enumerate((books, others, books, others)))
        )
    assert all(isinstance(answer, Applied) for answer in answers)
    assert await kept(engine) == [("M-1", "ACTIVE", None, 4)]
    await whole(engine, queries, clock)


async def test_a_loan_that_is_boarded_while_its_mandate_ends_is_never_missed(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Either it is refused, or it learns of the end with the others."""
    await books.apply(under("L0"))
    async with SqlBooks(engine, clock, RULES) as others:
        await asyncio.gather(
            others.apply(report()), *(books.apply(under(f"L{n}")) for n in range(1, 6))
        )
    [(_, state, day, count)] = await kept(engine)
    assert (state, day) == ("ENDED", DUE)
    names = await queries.loans("", 100)
    assert len(names) == count
    loans = [await queries.loan(name) for name in names]
    assert {loan.mandate.ended_on for loan in loans if loan is not None} == {DUE}
    await whole(engine, queries, clock)


TAMPERINGS = {
    "UPDATE mandates SET state = 'ACTIVE'": "column state is ACTIVE",
    "UPDATE mandates SET loans = 7": "column loans is 7",
    "UPDATE mandates SET body = replace(body, '\"loans\":2', '\"loans\":1'), loans = 1": (
        "kept with 1 loans, 2 are under it"
    ),
    "UPDATE mandates SET ended_on = '2026-03-12', body = replace(body, '03-10', '03-12')": (
        "kept as ended on 2026-03-12, its moves say 2026-03-10"
    ),
    "UPDATE mandates SET body = replace(body, 'ENDED', 'ACTIVE'), state = 'ACTIVE'": (
        "is kept as ACTIVE, its moves end at ENDED"
    ),
    "UPDATE loans SET body = replace(body, '2026-03-10', '2026-03-12') WHERE id = 'L2'": (
        "loan L2 keeps other terms than its mandate M-1"
    ),
    "UPDATE mandates SET body = 'x'": "mandate M-1 cannot be read back",
    "DELETE FROM mandates": "moves of mandate M-1, which is not on the books",
}


@pytest.mark.parametrize("attack", TAMPERINGS)
async def test_a_changed_mandate_is_found(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, attack: str
) -> None:
    """State, last day, number of loans and the terms of each are what the journal says."""
    await books.apply_many([under("L1"), under("L2"), report()])
    async with engine.begin() as conn:
        assert (await conn.exec_driver_sql(attack)).rowcount == 1
    faults = (await queries.verify()).faults
    assert any(TAMPERINGS[attack] in fault for fault in faults), faults


async def test_a_reminder_and_an_intent_load_no_mandate(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loan keeps the terms: neither statement nor lock is spent on the row of its mandate."""
    action = await present(books, queries, clock, "L1")
    said: list[str] = []
    asked = Unit.rows

    async def watched(self: Unit, statement: Any, *given: Any) -> Any:
        said.append(str(statement))
        return await asked(self, statement, *given)

    monkeypatch.setattr(Unit, "rows", watched)
    assert isinstance(await intend(books, "L1", 1, action), Applied)
    assert [one for one in said if "FROM mandates" in one] == []
    assert any("FROM loans" in one for one in said)
    await books.apply(report(ref="M-L1"))
    assert any("FROM mandates" in one for one in said), "or the test sees nothing"
