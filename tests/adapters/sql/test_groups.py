"""Commands that wait together are committed together; one bad command harms no other."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.deciding import Domain
from domain.errors import InvariantBroken
from domain.kernel.change import Applied, Refusal
from domain.loan.aggregate import Loan
from domain.loan.change import Aggregates, Change
from domain.loan.decide import decide
from domain.loan.view import installment
from tests.support.booksbench import StillClock, apply_all, confirm, intend, order_of, roll
from tests.support.doors import AnyCommand, Hold, RecordOutcome, Unhold
from tests.support.memory import RULES, TESTER, board

DUE = date(2026, 3, 10)


def hold(name: str, loan_id: str = "L1", number: int = 1, reason: str = "borrower called") -> Hold:
    return Hold(id=name, actor=TESTER, reason=reason, loan_id=loan_id, number=number)


def moody(aggregates: Aggregates, command: AnyCommand) -> Change | Refusal:
    """Decide as always, but raise, clash or lie where the reason says so."""
    change = decide(aggregates, command)
    if command.reason == "raise":
        raise InvariantBroken("asked to")
    if command.reason == "clash" and isinstance(change, Change):
        return replace(change, loans={name: _clashing(loan) for name, loan in change.loans.items()})
    if command.reason == "stray" and isinstance(change, Change):
        stray = replace(next(iter(change.loans.values())), id="L2")
        return replace(change, loans={"L2": stray})
    return change


def _clashing(loan: Loan) -> Loan:
    """The loan with the attempt of its first installment in its second one as well."""
    stolen = loan.installment(1).attempts
    second = replace(loan.installment(2), attempts=stolen)
    return replace(loan, installments=(loan.installment(1), second, *loan.installments[2:]))


async def test_two_hundred_commands_are_one_transaction_of_few_statements(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """The number of statements does not grow with the number of commands or loans."""
    names = [f"L{index:03}" for index in range(200)]
    await apply_all(books, [board(name) for name in names])
    clock.to(DUE)
    for cached in (False, True):
        before = replace(books.counters)
        day = date(2026, 3, 11) if cached else DUE
        await apply_all(books, [roll(name, day) for name in names])
        assert books.counters.commits - before.commits == 1
        assert books.counters.statements - before.statements <= 24
    report = await queries.verify()
    assert report.faults == ()
    assert report.transitions >= 200


async def test_a_group_takes_what_waits_and_never_waits_to_fill(books: SqlBooks) -> None:
    """A lone command is committed at once; those that came meanwhile share the next commit."""
    await books.apply(board())
    before = books.counters.commits
    tasks = [asyncio.create_task(books.apply(hold(f"h-{index}"))) for index in range(50)]
    await asyncio.gather(*tasks)
    assert books.counters.commits - before <= 2


async def test_commands_on_one_loan_see_each_other_in_order(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Hold, unhold and hold again in one group end in a hold, each decided on the one before."""
    await books.apply(board())
    unhold = Unhold(id="u-1", actor=TESTER, reason="settled", loan_id="L1", number=1)
    results = await books.apply_many([hold("h-1"), unhold, hold("h-2"), hold("h-1")])
    views = [result.view for result in results if isinstance(result, Applied)]
    versions = [view.version for view in views if view is not None]
    assert len(set(versions)) == 1
    assert isinstance(results[3], Applied)
    assert results[3].replayed
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.detail.hold == "all"
    assert view.version == versions[0]


async def test_a_loan_boarded_in_a_group_is_known_to_the_rest_of_it(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Boarding, a hold and a second boarding of the same loan in one transaction."""
    twin = replace(board(), id="board/twin")
    results = await books.apply_many([board(), hold("h-1"), twin])
    assert all(isinstance(result, Applied) for result in results)
    assert isinstance(results[2], Applied)
    assert results[2].replayed
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.detail.hold == "all"


async def test_a_command_that_raises_is_taken_out_and_the_rest_go_on(
    engine: AsyncEngine, clock: StillClock, queries: SqlQueries
) -> None:
    """The poisoned command gets its fault, the others their answers, in one commit."""
    async with SqlBooks(engine, clock, RULES, domain=Domain(decide=moody)) as books:
        await apply_all(books, [board(name) for name in ("L1", "L2", "L3")])
        before = books.counters.commits
        results = await books.apply_many(
            [hold("a", "L1"), hold("b", "L2", reason="raise"), hold("c", "L3")]
        )
        assert books.counters.commits - before == 1
        assert isinstance(results[1], InvariantBroken)
        assert isinstance(results[0], Applied)
        assert isinstance(results[2], Applied)
        with pytest.raises(InvariantBroken):
            await books.apply(hold("b", "L2", reason="raise"))
    view = await queries.view(installment("L2", 1))
    assert view is not None
    assert view.detail.hold == ""


async def test_a_change_of_a_loan_that_was_not_named_is_refused_loudly(
    engine: AsyncEngine, clock: StillClock, queries: SqlQueries
) -> None:
    """A decision that reaches beyond its locks writes nothing."""
    async with SqlBooks(engine, clock, RULES, domain=Domain(decide=moody)) as books:
        await books.apply(board())
        with pytest.raises(InvariantBroken):
            await books.apply(hold("a", reason="stray"))
    assert await queries.loan("L2") is None


async def test_a_command_that_the_database_refuses_fails_alone(
    engine: AsyncEngine, clock: StillClock, queries: SqlQueries
) -> None:
    """An order number used twice breaks a key: only that command fails, with nothing written."""
    async with SqlBooks(engine, clock, RULES, domain=Domain(decide=moody)) as books:
        await apply_all(books, [board("L1"), board("L2")])
        clock.to(DUE)
        await apply_all(books, [roll("L1", DUE), roll("L2", DUE)])
        action = await queries.view(installment("L1", 1))
        assert action is not None
        assert action.next_action is not None
        order_no = order_of(await intend(books, "L1", 1, action.next_action.key))
        poison: RecordOutcome = replace(confirm(order_no, 10100), reason="clash")
        results = await books.apply_many([hold("a", "L2"), poison, hold("b", "L2", 2)])
        assert isinstance(results[1], InvariantBroken)
        assert isinstance(results[0], Applied)
        assert isinstance(results[2], Applied)
        assert not results[0].replayed
        settled = await books.apply(confirm(order_no, 10100))
        assert isinstance(settled, Applied)
    assert (await queries.verify()).faults == ()


async def test_a_caller_that_gives_up_does_not_stop_the_command(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """What was queued is applied; the caller finds out by sending the same id again."""
    await books.apply(board())
    task = asyncio.create_task(books.apply(hold("h-1")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = await books.apply(hold("h-1"))
    assert isinstance(again, Applied)
    assert again.replayed


async def test_more_commands_than_may_wait_are_asked_to_come_again(
    engine: AsyncEngine, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue has a limit: what exceeds it is refused by name and nothing of it is booked."""
    monkeypatch.setattr("adapters.sql.write.books.QUEUE_MAX", 4)
    names = [f"L{index}" for index in range(10)]
    async with SqlBooks(engine, clock, RULES) as books:
        calls = [asyncio.ensure_future(books.apply(board(name))) for name in names]
        results = await asyncio.gather(*calls, return_exceptions=True)
        busy = [result for result in results if isinstance(result, ConnectionError)]
        assert 0 < len(busy) < len(names)
        assert "apply again with the same id" in str(busy[0])
        again = await books.apply_many([board(name) for name in names])
        assert all(isinstance(result, Applied) for result in again), again
    queries = SqlQueries(engine, clock, RULES)
    assert (await queries.counts())["commands"] == {"board_loan": len(names)}
