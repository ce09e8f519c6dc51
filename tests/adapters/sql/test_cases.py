"""Cases on both databases: found, worked on, opened again, swept in pages, and in the chain."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.cases import CaseActivities
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.schema.tables import cases, outbox, subjects
from adapters.sql.write.books import SqlBooks
from domain.audit.findings import FindingKind
from domain.case.case import ByHand
from domain.case.kinds import CaseKind
from domain.case.policy import CasePolicy, ServiceLevel
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.canonical import NAME_MOST
from domain.kernel.change import Applied, Refused
from domain.kernel.subject import Subject
from domain.loan.view import installment
from domain.statement.broken import RecordStatementBreak
from ports.casefilter import CaseFilter
from tests.support.booksbench import StillClock, line
from tests.support.doors import (
    AssignCase,
    NoteCase,
    RaiseOperator,
    RecordOutcome,
    ReopenCase,
    ResolveCase,
    WaitCase,
)
from tests.support.memory import RULES, TESTER, board
from tests.support.stories import WHOLE, names

KEY = "operator/L1/1"


def asked(number: int = 1, name: str = "ask") -> RaiseOperator:
    return RaiseOperator(
        id=f"{name}/{number}", actor=TESTER, reason="x", loan_id="L1", number=number
    )


def stranger(order_no: str, name: str = "") -> RecordOutcome:
    """News of an order that nobody knows: a case that is about no loan."""
    return RecordOutcome(
        id=name or f"news/{order_no}",
        actor=TESTER,
        rail="simbank",
        order_no=order_no,
        outcome=Outcome(OutcomeClass.NSF, name or "51"),
        source="webhook",
    )


def order(kind: type, case: str = KEY, **values: object) -> object:
    given = {"id": f"{kind.__name__}/{case}/{values}"[:100], "actor": TESTER, "reason": "a test"}
    return kind(case=case, **{**given, **values})


async def test_a_case_is_worked_on_and_found_by_what_it_is_about(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Assigned, noted, resolved: the answer carries its view, lists find it, stories tell it."""
    await books.apply(board())
    await books.apply(asked())
    listed, count = await queries.case_list(CaseFilter(loan_id="L1"), clock.at, "", 10)
    assert (count, [view.subject.key for view in listed.items]) == (1, [KEY])
    answer = await books.apply(order(AssignCase, assignee="ann"))  # type: ignore[arg-type]
    assert isinstance(answer, Applied)
    assert answer.view is not None
    assert (answer.view.subject, answer.view.state) == (Subject("case", KEY), "ASSIGNED")
    await books.apply(order(NoteCase))  # type: ignore[arg-type]
    await books.apply(order(ResolveCase, resolution=ByHand.CORRECTED))  # type: ignore[arg-type]
    assert (await queries.waiting("L1")).items == ()
    kept = await queries.case(KEY)
    assert kept is not None
    assert (kept.resolution, len(kept.notes)) == ("corrected", 1)
    told = names((await queries.history(kept.subject, *WHOLE)).items)
    assert told == ["case_opened", "case_assigned", "case_noted", "case_resolved"]
    ended, _ = await queries.case_list(CaseFilter(resolved=True), clock.at, "", 10)
    assert [view.subject.key for view in ended.items] == [KEY]
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.needs_operator == ""
    assert (await queries.verify()).faults == ()


async def test_lists_narrow_by_owner_and_lateness_and_go_on_after_a_case(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A page begins after the case that ended the one before, whatever was opened since."""
    await books.apply(board())
    for number in (1, 2, 3):
        await books.apply(asked(number))
        clock.ahead(timedelta(minutes=1))
    first, count = await queries.case_list(CaseFilter(), clock.at, "", 2)
    assert (count, len(first.items)) == (3, 2)
    rest, _ = await queries.case_list(CaseFilter(), clock.at, first.after, 2)
    assert [view.labels.number for view in (*first.items, *rest.items)] == [1, 2, 3]
    await books.apply(order(AssignCase, assignee="ann"))  # type: ignore[arg-type]
    for owner in ("ann", "operations"):
        mine, _ = await queries.case_list(CaseFilter(owner=owner), clock.at, "", 9)
        assert len(mine.items) == (1 if owner == "ann" else 3)
    assert (await queries.case_list(CaseFilter(late=True), clock.at, "", 9))[1] == 0
    clock.ahead(timedelta(days=2))
    late, _ = await queries.case_list(CaseFilter(late=True), clock.at, "", 9)
    assert [view.labels.number for view in late.items] == [2, 3], "the first was taken in time"


async def test_a_resolved_case_about_no_loan_is_opened_again(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Nobody names its key beforehand: the books find it under the chain head and begin anew."""
    await books.apply(stranger("X-1"))
    key = "unknown_order/simbank/X-1"
    await books.apply(order(ResolveCase, key, resolution=ByHand.NO_FAULT))  # type: ignore[arg-type]
    again = await books.apply(stranger("X-1", "52"))
    assert isinstance(again, Applied)
    kept = await queries.case(key)
    assert kept is not None
    assert (kept.generation, kept.is_open) == (2, True)
    assert books.counters.retries == 1
    await books.apply(order(ReopenCase, key))  # type: ignore[arg-type]
    assert (await queries.verify()).faults == ()


async def test_an_unknown_case_is_refused(books: SqlBooks) -> None:
    """By name, and without anything written about it but the refusal."""
    answer = await books.apply(order(NoteCase, "no/such"))  # type: ignore[arg-type]
    assert isinstance(answer, Refused)
    assert answer.rule == "case.unknown"


async def test_many_cases_start_no_driver_and_are_swept_together(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Their clocks are one sweep in pages; a driver is started for the one that is assigned."""
    await swept_together(engine, books, queries, clock, 1_200)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_hundred_thousand_deadlines_are_one_sweep(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """As above at full size: no workflow, a commit for hundreds of cases."""
    await swept_together(engine, books, queries, clock, 100_000)


async def swept_together(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock, many: int
) -> None:
    """Open so many cases, assign one, let a day pass and sweep them twice."""
    for first in range(0, many, 1_000):
        await books.apply_many(failed_lines(first, min(first + 1_000, many)))
    await books.apply(order(AssignCase, "line_failed/line-000007", assignee="ann"))  # type: ignore[arg-type]
    async with engine.connect() as conn:
        assert (await conn.execute(select(func.count()).select_from(outbox))).scalar() == 1
    activities = CaseActivities(books, queries, clock)
    clock.ahead(timedelta(hours=25))
    commits = books.counters.commits
    swept = await ActivityEnvironment().run(activities.sweep)
    assert (swept.acted, swept.failed) == (many - 1, 0)
    assert books.counters.commits - commits <= many / 200
    again = await ActivityEnvironment().run(activities.sweep)
    assert again.acted == 0
    async with engine.connect() as conn:
        assert (await conn.execute(select(func.count()).select_from(outbox))).scalar() == 1
        of = subjects.c
        count = select(func.count()).where(of.kind == "case", of.next_action_kind == "ESCALATE")
        assert (await conn.execute(count)).scalar() == many


async def test_a_case_that_cannot_be_read_holds_up_no_other(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Neither one whose view is broken nor one whose body is; both are counted as failed."""
    await books.apply_many(failed_lines(0, 600))
    async with engine.begin() as conn:
        for column, number in (("view", 3), ("body", 590)):
            key = f"line_failed/line-{number:06}"
            await conn.execute(update(subjects).where(subjects.c.key == key).values({column: "{}"}))
    clock.ahead(timedelta(hours=25))
    activities = CaseActivities(books, queries, clock)
    swept = await ActivityEnvironment().run(activities.sweep)
    assert (swept.acted, swept.failed) == (598, 2)


def failed_lines(first: int, last: int) -> list[RecordStatementBreak]:
    """Lines that could not be booked, each a case of its own, since nobody knows their file."""
    return [
        RecordStatementBreak(
            id=f"break/{number}",
            actor=TESTER,
            what=CaseKind.LINE_FAILED,  # type: ignore[arg-type]
            subject=f"line-{number:06}",
            text="cannot be booked",
        )
        for number in range(first, last)
    ]


async def test_two_processes_that_open_one_case_open_it_once(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Neither holds a lock that the other wants; whoever comes second sees the first."""
    async with SqlBooks(engine, clock, RULES) as other:
        await books.apply(stranger("X-2"))
        await other.apply(stranger("X-2", "52"))
    found = (await queries.waiting()).items
    assert [case.key for case in found] == ["unknown_order/simbank/X-2"]
    assert found[0].generation == 1


async def test_a_case_that_was_put_aside_while_it_was_swept_is_handed_up_later(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What a sweep failed to do once, the next does: its answer is not that of the sweep before."""
    await books.apply(stranger("X-3"))
    key = "unknown_order/simbank/X-3"
    clock.ahead(timedelta(days=1))
    activities = CaseActivities(books, queries, clock)
    await ActivityEnvironment().run(activities.sweep)
    clock.ahead(timedelta(days=4))
    until = (clock.at + timedelta(days=2)).date()

    class Between:
        """Somebody puts the case aside when the sweep has read its page."""

        async def due_swept(self, *args: Any) -> Any:
            page = await queries.due_swept(*args)
            await books.apply(order(WaitCase, key, until=until))  # type: ignore[arg-type]
            return page

    await ActivityEnvironment().run(CaseActivities(books, Between(), clock).sweep)
    clock.ahead(timedelta(days=9))
    for _ in range(3):
        await ActivityEnvironment().run(activities.sweep)
    kept = await queries.case(key)
    assert kept is not None
    assert (kept.escalation, kept.owner) == (2, "head-of-operations")
    assert (await ActivityEnvironment().run(activities.sweep)).acted == 0


async def test_clocks_that_a_new_policy_sets_later_run_out_once(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A sweep that finds the old instant writes the new one, and comes again when that is due."""
    await books.apply(stranger("X-4"))
    clock.ahead(timedelta(days=1))
    slow = ServiceLevel(first_action=timedelta(days=3))
    rules = replace(RULES, case_policy=CasePolicy(usual=slow))
    async with SqlBooks(engine, clock, rules) as other:
        activities = CaseActivities(other, queries, clock)
        swept = [(await ActivityEnvironment().run(activities.sweep)).acted for _ in range(3)]
        assert swept == [1, 0, 0]
        clock.ahead(timedelta(days=2))
        await ActivityEnvironment().run(activities.sweep)
    kept = await queries.case("unknown_order/simbank/X-4")
    assert kept is not None
    assert kept.reminded
    assert (await queries.verify()).faults == ()


async def test_a_case_that_a_group_opens_and_names_is_one_case(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Evidence that names no case finds it open; it does not begin it anew over what was noted."""
    key = "unknown_order/simbank/X-5"
    await books.apply_many([stranger("X-5"), stranger("X-5", "52")])
    await books.apply(order(AssignCase, key, assignee="ann"))  # type: ignore[arg-type]
    noted = order(NoteCase, key)
    await books.apply_many([noted, stranger("X-5", "53")])  # type: ignore[list-item]
    kept = await queries.case(key)
    assert kept is not None
    assert (kept.generation, kept.assignee, len(kept.notes)) == (1, "ann", 1)
    assert kept.driver.opened
    told = names((await queries.history(kept.subject, *WHOLE)).items)
    assert told == ["case_opened", "case_assigned", "case_noted"]


async def test_a_line_that_fails_again_opens_the_case_that_was_ended(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Said to be corrected, read once more and refused: its money is still not on the books."""

    def broken(run: str) -> RecordStatementBreak:
        what: Any = CaseKind.LINE_FAILED
        given = {"actor": TESTER, "what": what, "subject": "line-1", "text": "cannot be booked"}
        return RecordStatementBreak(id=f"break/{run}", **given)

    key = "line_failed/line-1"
    await books.apply_many([broken("1"), broken("2")])
    await books.apply(order(ResolveCase, key, resolution=ByHand.CORRECTED))  # type: ignore[arg-type]
    await books.apply(broken("3"))
    kept = await queries.case(key)
    assert kept is not None
    assert (kept.generation, kept.is_open) == (2, True)


async def test_a_case_of_the_longest_key_is_worked_on_and_swept(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What is named after a key, with more around it, is still no longer than its column."""
    what: Any = CaseKind.LINE_FAILED
    given = {"actor": TESTER, "what": what, "text": "cannot be booked"}
    subject = "\u00e9" * (NAME_MOST - len("line_failed/"))
    await books.apply(RecordStatementBreak(id="break", subject=subject, **given))
    key = f"line_failed/{subject}"
    clock.ahead(timedelta(days=2))
    swept = await ActivityEnvironment().run(CaseActivities(books, queries, clock).sweep)
    assert (swept.acted, swept.failed) == (1, 0)
    for number in (1, 2):
        noted: Any = order(NoteCase, key, id="i" * 119 + str(number))
        await books.apply(noted.received("cli"))
    taken: Any = order(AssignCase, key, id="take", assignee="ann")
    await books.apply(taken.received("cli"))
    kept = await queries.case(key)
    assert kept is not None
    assert (kept.reminded, len(kept.notes), kept.assignee) == (True, 2, "ann")


async def test_an_account_that_is_not_registered_has_one_case_for_all_its_lines(
    books: SqlBooks, engine: AsyncEngine, clock: StillClock
) -> None:
    """In one group and in a later one; the audit asks for no more than that case."""
    day = clock.at.date()
    first, *others = [
        line("whoever", 500 + number, day=day, name=str(number), account="ACCT-NEW")
        for number in range(4)
    ]
    answers = await books.apply_many([first, *others[:2]])
    assert all(isinstance(answer, Applied) for answer in answers)
    assert isinstance(await books.apply(others[2]), Applied)
    async with engine.connect() as conn:
        keys = select(cases.c.key).where(cases.c.kind == "unregistered_account")
        assert [row.key for row in await conn.execute(keys)] == ["unregistered/ACCT-NEW"]
        report = await audit_on(conn, RULES, clock.at)
    assert report.count(FindingKind.UNEXPLAINED) == 0
