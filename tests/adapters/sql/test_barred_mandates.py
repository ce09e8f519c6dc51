"""Hard refusals on real databases: every loan under the mandate learns of them; no debit goes."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.schema.tables import mandates
from adapters.sql.write.books import SqlBooks
from domain.debit.mandate import Mandate
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Applied, Refused
from tests.support.booksbench import StillClock, intend, order_of, present, roll
from tests.support.doors import (
    BoardLoan,
    ClearMandate,
    Past,
    RecordOutcome,
    ReplaceMandate,
    RetryNow,
)
from tests.support.memory import RULES, TESTER, board
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid

DUE = date(2026, 3, 10)


def under(loan_id: str, ref: str = "M-1", account: str = "acct-1") -> BoardLoan:
    """A loan under a mandate to debit an account."""
    terms = Mandate(ref, "simbank", "merchant-1", account, date(2026, 1, 1))
    return board(loan_id, mandate=terms)


def refused(order_no: str, outcome_class: OutcomeClass, code: str) -> RecordOutcome:
    """The rail refuses an order."""
    return RecordOutcome(
        id=f"webhook/{order_no}/{code}",
        actor=TESTER,
        rail="simbank",
        order_no=order_no,
        outcome=Outcome(outcome_class, code),
        source="webhook",
    )


def cleared(ref: str) -> ClearMandate:
    """Two people say that debits may go out again."""
    return ClearMandate(
        id=f"cli/clear/{ref}",
        actor=TESTER,
        reason="the bank wrote",
        approver="ops-8",
        mandate=ref,
        proof="letter 7",
    )


async def bars(engine: AsyncEngine) -> dict[str, str | None]:
    """The account of each mandate, where it is barred with it."""
    async with engine.connect() as conn:
        rows = select(mandates.c.ref, mandates.c.barred_account)
        return {row.ref: row.barred_account for row in await conn.execute(rows)}


async def barred_payers(engine: AsyncEngine) -> dict[str, str | None]:
    """The payer of each mandate, where it is barred with them."""
    async with engine.connect() as conn:
        rows = select(mandates.c.ref, mandates.c.barred_payer)
        return {row.ref: row.barred_payer for row in await conn.execute(rows)}


async def findings(engine: AsyncEngine, clock: StillClock) -> list[str]:
    """What the self-audit finds, in words."""
    async with engine.connect() as conn:
        return [one.text for one in (await audit_on(conn, RULES, clock.at)).findings]


async def test_all_loans_of_mandate_and_account_are_barred_in_the_same_transaction(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """The command names an order alone; a clearance reaches every loan of its mandate."""
    await books.apply_many([under("L2", "M-L1"), under("L3", "M-3"), under("L4", "M-4", "acct-2")])
    order = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    commits = books.counters.commits
    assert isinstance(await books.apply(refused(order, OutcomeClass.ACCOUNT, "AC04")), Applied)
    assert books.counters.commits == commits + 1
    assert await bars(engine) == {"M-L1": "acct-1", "M-3": "acct-1", "M-4": None}
    found = {name: await queries.loan(name) for name in ("L1", "L2", "L3", "L4")}
    barred = {name: loan.mandate.bar is not None for name, loan in found.items() if loan}
    assert barred == {"L1": True, "L2": True, "L3": True, "L4": False}
    await books.apply(under("L5", "M-5"))
    assert (await bars(engine))["M-5"] == "acct-1"
    await books.apply_many([roll(name, DUE) for name in ("L2", "L3", "L5")])
    now = RetryNow(id="r", actor=TESTER, reason="now", loan_id="L2", number=1)
    answer = await books.apply(now)
    assert isinstance(answer, Refused)
    assert answer.rule == "mandate.barred"
    assert (await queries.verify()).faults == ()
    assert await findings(engine, clock) == []
    assert isinstance(await books.apply(cleared("M-L1")), Applied)
    assert isinstance(await books.apply(replace(now, id="r2")), Applied)
    assert (await bars(engine))["M-L1"] is None
    assert (await queries.verify()).faults == ()


@pytest.mark.parametrize("outcome_class", [OutcomeClass.ACCOUNT, OutcomeClass.DECEASED])
async def test_an_account_is_barred_while_a_loan_comes_under_another_mandate_of_it(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    outcome_class: OutcomeClass,
) -> None:
    """Whoever comes second sees the first: no mandate of the account, or payer, is missed."""
    order = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    async with SqlBooks(engine, clock, RULES) as others:
        answers = await asyncio.gather(
            others.apply(refused(order, outcome_class, "AC04")),
            *(books.apply(under(f"L{n}", f"M-{n}")) for n in range(2, 6)),
        )
    assert all(isinstance(answer, Applied) for answer in answers), answers
    loans = [await queries.loan(f"L{n}") for n in range(1, 6)]
    assert all(loan is not None and loan.mandate.bar is not None for loan in loans)
    assert (await queries.verify()).faults == ()


async def test_a_death_bars_all_mandates_of_the_payer_on_whatever_account(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Also those that come later, or put a loan under another mandate; other payers' do not."""
    await books.apply_many(
        [
            under("L2", "M-2", "acct-2"),
            replace(under("L3", "M-3"), borrower="b-2"),
        ]
    )
    order = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    assert isinstance(await books.apply(refused(order, OutcomeClass.DECEASED, "MD07")), Applied)
    assert await barred_payers(engine) == {"M-L1": "b-1", "M-2": "b-1", "M-3": None}
    await books.apply(under("L4", "M-4", "acct-4"))
    await books.apply(
        ReplaceMandate(
            id="cli/new",
            actor=TESTER,
            reason="signed anew",
            mandate="M-2",
            loan="L2",
            ref="M-5",
            account_token="acct-5",
            valid_from=date(2026, 1, 1),
        )
    )
    found = [await queries.loan(name) for name in ("L1", "L2", "L3", "L4")]
    assert [loan.mandate.bar is not None for loan in found if loan] == [True, True, False, True]
    assert (await queries.verify()).faults == ()
    assert await findings(engine, clock) == []


@pytest.mark.parametrize("outcome_class", [OutcomeClass.ACCOUNT, OutcomeClass.DECEASED])
@pytest.mark.parametrize("first", [0, 1], ids=["loan-first", "refusal-first"])
async def test_commands_of_one_group_learn_of_the_bars_and_mandates_of_each_other(
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    outcome_class: OutcomeClass,
    first: int,
) -> None:
    """A refusal, and a loan under a new mandate of the same account and payer, in one commit."""
    order = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    group = [under("L2", "M-2"), refused(order, outcome_class, "X")]
    answers = await books.apply_many(group[::-1] if first else group)
    assert all(isinstance(answer, Applied) for answer in answers), answers
    loan = await queries.loan("L2")
    assert loan is not None
    assert loan.mandate.bar is not None
    assert (await queries.verify()).faults == ()


async def test_bars_that_came_one_by_one_are_counted_from_the_journal(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Two of one order, cleared together; what comes after a clear stands alone."""
    order = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    await books.apply(refused(order, OutcomeClass.MANDATE, "MD01"))
    await books.apply(refused(order, OutcomeClass.ACCOUNT, "AC04"))
    loan = await queries.loan("L1")
    assert loan is not None
    assert len(loan.mandate.bars) == 2
    assert (await queries.verify()).faults == ()
    assert isinstance(await books.apply(cleared("M-L1")), Applied)
    assert isinstance(await books.apply(refused(order, OutcomeClass.ACCOUNT, "AC06")), Applied)
    assert isinstance(await books.apply(refused(order, OutcomeClass.DISPUTE, "R10")), Applied)
    loan = await queries.loan("L1")
    assert loan is not None
    assert [bar.outcome_class for bar in loan.mandate.bars] == [OutcomeClass.DISPUTE]
    assert (await queries.verify()).faults == ()


async def test_hard_refusals_of_a_former_system_bar_loans_that_are_here(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Boarded in one group or rehearsed, both loans under the mandate are barred."""
    clock.at = APRIL
    said = opening(
        payments=(paid((1, WHOLE)),),
        attempts=(ordered(2, outcome_class=OutcomeClass.MANDATE, code="77", mandate_ref="M-1"),),
    )
    first = replace(under("L1"), opening=opening(payments=(paid((1, WHOLE), (2, WHOLE)),)))
    second = replace(under("L2"), opening=said, past=Past.REFUSE)
    assert all(isinstance(it, Applied) for it in await books.rehearse([first, second]))
    answers = await books.apply_many([first, second])
    assert all(isinstance(answer, Applied) for answer in answers), answers
    loans = [await queries.loan(name) for name in ("L1", "L2")]
    assert [loan.mandate.bar is not None for loan in loans if loan] == [True, True]
    assert (await queries.verify()).faults == ()
    assert await findings(engine, clock) == []


@pytest.mark.parametrize("hidden", [False, True], ids=["kept", "moves-of-the-bar-removed"])
async def test_the_audit_finds_a_debit_after_a_hard_refusal(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    hidden: bool,
) -> None:
    """By the bar of the mandate, and by the refusal itself, whatever was made of it."""
    action = await present(books, queries, clock, "L1")
    await books.apply_many([under("L2", "M-L1"), roll("L2", DUE)])
    order = order_of(await intend(books, "L1", 1, action))
    if hidden:
        monkeypatch.setattr("domain.loan.decide.mandates.bar_mandates", lambda _: ())
    await books.apply(refused(order, OutcomeClass.DECEASED, "MD07"))
    monkeypatch.setattr("domain.loan.decide.driving.due_action", lambda *_: object())
    other = order_of(await intend(books, "L2", 2, "present/1"))
    found = await findings(engine, clock)
    text = f"intended under mandate M-L1 after {order} was refused for good"
    assert text in found
    assert ("intended while mandate M-L1 was barred" in found) is not hidden
    assert other


async def test_a_mandate_that_lost_its_bar_is_found(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Kept rows are compared with the moves of the journal."""
    order = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    await books.apply(refused(order, OutcomeClass.MANDATE, "77"))
    async with engine.begin() as conn:
        await conn.exec_driver_sql("UPDATE mandates SET body = replace(body, '\"77\"', '\"78\"')")
    faults = (await queries.verify()).faults
    assert any("is kept as barred by MANDATE 78" in fault for fault in faults), faults
    async with engine.begin() as conn:
        await conn.execute(delete(mandates))
