"""Figures that rules of the case policy watch, in both databases, and the sweep of rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.cases import CaseActivities, CasesSwept
from adapters.sql.read.figures import SqlFigures
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import files, outbox
from adapters.sql.write.books import SqlBooks
from domain.case.kinds import CaseKind
from domain.case.policy import CasePolicy
from domain.case.threshold import Figure, Measure, Threshold, Waits
from domain.debit.outcome import Outcome, OutcomeClass
from domain.pricing.amounts import Component
from tests.support.booksbench import (
    RAIL,
    StillClock,
    apply_all,
    confirm,
    intend,
    line,
    order_of,
    present,
    roll,
)
from tests.support.doors import RecordOutcome, RecordPayment, Waive
from tests.support.memory import RULES, TESTER, board

DUE = date(2026, 3, 10)


def rule(of: Waits, measure: Measure = Measure.COUNT, **terms: object) -> Threshold:
    held = {"at_least": 2, **terms}
    return Threshold(f"{of.value.replace('_', '-')}", of, measure, **held)  # type: ignore[arg-type]


def pay(number: int, minor: int = 10100) -> RecordPayment:
    return RecordPayment(
        id=f"pay/{number}",
        actor=TESTER,
        reason="reported",
        loan_id="L1",
        number=number,
        reference=f"P-{number}",
        amount_minor=minor,
        currency="CNY",
        value_on=DUE,
    )


async def figure(engine: AsyncEngine, clock: StillClock, asked: Threshold) -> Figure:
    return await SqlFigures(engine).figure(asked, clock.now())


async def test_lines_that_wait_are_counted_summed_and_aged(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """By currency where one is named; a line that is explained counts no more."""
    await apply_all(books, [board()])
    assert await figure(engine, clock, rule(Waits.LINES)) == Figure()
    clock.to(DUE)
    await books.apply(roll("L1", DUE))
    first = clock.now()
    await books.apply(line("T-1", 500, day=DUE, name="1"))
    clock.ahead(timedelta(hours=3))
    await books.apply(line("T-2", -200, day=DUE, name="2"))
    await books.apply(line("P-1", 10100, day=DUE, name="3"))
    waits = await figure(engine, clock, rule(Waits.LINES))
    assert waits == Figure(3, 10800, first)
    assert waits.value(Measure.AGE, clock.now()) == 3
    assert (await figure(engine, clock, rule(Waits.LINES, currency="EUR"))).count == 0
    await apply_all(books, [pay(1)])
    assert await figure(engine, clock, rule(Waits.LINES, currency="CNY")) == Figure(2, 700, first)


async def test_money_that_is_reported_or_not_applied_is_counted(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """Unproven is what no line shows; suspense is what nothing owed takes. They are apart."""
    await apply_all(books, [board()])
    clock.to(DUE)
    await books.apply(roll("L1", DUE))
    at = clock.now()
    await apply_all(books, [pay(1, 40_000)])
    assert await figure(engine, clock, rule(Waits.CLEARING)) == Figure(1, 40_000, at)
    assert (await figure(engine, clock, rule(Waits.CLEARING, currency="EUR"))).count == 0
    assert (await figure(engine, clock, rule(Waits.CLEARING, currency="CNY"))).count == 1
    suspense = await figure(engine, clock, rule(Waits.SUSPENSE))
    waiting = (await SqlQueries(engine, clock, RULES).balances("suspense/")).items
    assert suspense.amount_minor == sum(abs(one.minor) for one in waiting)
    await books.apply(line("P-1", 40_000, day=DUE, name="1"))
    assert await figure(engine, clock, rule(Waits.CLEARING)) == Figure()
    assert await figure(engine, clock, rule(Waits.LINES)) == Figure()


async def test_messages_and_files_that_nobody_takes_are_counted(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """Due messages alone; files that are read count no more, nor those kept long ago."""
    now = clock.now()
    hour = timedelta(hours=1)
    async with engine.begin() as conn:
        rows = [
            {"queued_at": now - 5 * hour, "not_before": None, "delivered_at": None},
            {"queued_at": now - 9 * hour, "not_before": now - hour, "delivered_at": None},
            {"queued_at": now - 9 * hour, "not_before": now + hour, "delivered_at": None},
            {"queued_at": now - 9 * hour, "not_before": None, "delivered_at": now},
        ]
        same = {"topic": "wake", "stream": "s", "body": "{}"}
        await conn.execute(insert(outbox), [{**same, **row} for row in rows])
        kept = [
            ("a" * 64, now - 7 * hour, None),
            ("b" * 64, now - 8 * hour, now),
            ("c" * 64, now - timedelta(days=30), None),
        ]
        await conn.execute(
            insert(files),
            [
                {"sha256": name, "kind": "statement", "size": 1, "kept_at": at, "read_at": read}
                for name, at, read in kept
            ],
        )
    assert await figure(engine, clock, rule(Waits.MESSAGES)) == Figure(2, 0, now - 5 * hour)
    assert await figure(engine, clock, rule(Waits.FILES)) == Figure(1, 0, now - 7 * hour)


async def test_installments_that_are_paid_and_not_closed_are_counted(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """Their amount is what was paid, waivers left out; since they came into their state."""
    await apply_all(books, [board()])
    clock.to(DUE)
    await books.apply(roll("L1", DUE))
    paid = rule(Waits.PAID_NOT_CLOSED)
    assert await figure(engine, clock, paid) == Figure()
    waive: dict[str, Any] = {
        "component": Component.INTEREST,
        "amount_minor": 40,
        "loan_id": "L1",
        "number": 1,
    }
    await apply_all(books, [Waive(id="w", actor=TESTER, reason="x", approver="b", **waive)])
    at = clock.now()
    await apply_all(books, [pay(1, 10060)])
    clock.ahead(timedelta(hours=5))
    waits = await figure(engine, clock, paid)
    assert waits == Figure(1, 10060, at)
    assert waits.value(Measure.AGE, clock.now()) == 5
    assert await figure(engine, clock, replace(paid, currency="CNY")) == waits
    assert (await figure(engine, clock, replace(paid, currency="EUR"))).count == 0


async def test_delinquent_installments_are_counted_with_what_they_owe(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A hard refusal makes one delinquent; what is paid counts no more."""
    action = await present(books, queries, clock, "L1")
    asked = rule(Waits.DELINQUENT)
    assert await figure(engine, clock, asked) == Figure()
    order_no = order_of(await intend(books, "L1", 1, action))
    clock.ahead(timedelta(hours=1))
    outcome = Outcome(OutcomeClass.ACCOUNT, "14")
    news: dict[str, Any] = {
        "rail": "simbank",
        "order_no": order_no,
        "outcome": outcome,
        "source": "webhook",
    }
    await apply_all(books, [RecordOutcome(id="refused", actor=RAIL, **news)])
    assert await figure(engine, clock, asked) == Figure(1, 10100, clock.now())
    await apply_all(books, [pay(1)])
    assert (await figure(engine, clock, asked)).count == 0


async def test_dead_letters_are_counted_until_somebody_decides(
    engine: AsyncEngine, clock: StillClock
) -> None:
    """Since each was tried for the last time; one that was dropped counts no more."""
    now, hour = clock.now(), timedelta(hours=1)
    same: dict[str, Any] = {
        "topic": "wake",
        "stream": "s",
        "body": "{}",
        "queued_at": now - 9 * hour,
    }
    rows: list[dict[str, Any]] = [
        {"dead_at": None, "dropped_at": None},
        {"dead_at": now - 3 * hour, "dropped_at": None},
        {"dead_at": now - 4 * hour, "dropped_at": now},
    ]
    async with engine.begin() as conn:
        await conn.execute(insert(outbox), [{**same, **row} for row in rows])
    asked = rule(Waits.DEAD_LETTERS)
    assert await figure(engine, clock, asked) == Figure(1, 0, now - 3 * hour)


def sweep_of(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    rules: Sequence[Threshold],
) -> CaseActivities:
    by_name = {one.name: one for one in rules}
    return CaseActivities(books, queries, clock, SqlFigures(engine), by_name)


async def swept(activities: CaseActivities, clock: StillClock) -> CasesSwept:
    clock.ahead(timedelta(minutes=5))
    return await ActivityEnvironment().run(activities.sweep)


async def test_the_sweep_opens_and_ends_the_cases_of_rules(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock
) -> None:
    """One command when a figure crosses its limit, none while it stays on its side."""
    rules = [rule(Waits.LINES), rule(Waits.CASES, at_least=4)]
    policy = CasePolicy(thresholds={one.name: one for one in rules})
    async with SqlBooks(engine, clock, replace(RULES, case_policy=policy)) as books:
        await apply_all(books, [board()])
        clock.to(DUE)
        await books.apply(roll("L1", DUE))
        activities = sweep_of(engine, books, queries, clock, rules)
        assert (await swept(activities, clock)).rules == 0
        await books.apply(line("T-1", 500, day=DUE, name="1"))
        await books.apply(line("P-1", 10100, day=DUE, name="2"))
        assert (await swept(activities, clock)).rules == 1
        case = await queries.case("threshold/lines")
        assert case is not None
        assert (case.is_open, case.kind) == (True, CaseKind.THRESHOLD)
        commands = books.counters.commands
        assert (await swept(activities, clock)).rules == 0, "cases of rules are not counted"
        assert books.counters.commands == commands
        await apply_all(books, [pay(1)])
        assert (await swept(activities, clock)).rules == 1
        case = await queries.case("threshold/lines")
        assert case is not None
        assert (case.is_open, case.resolution) == (False, "cleared")
        assert (await queries.verify()).faults == ()


async def test_a_rule_that_is_gone_or_cannot_be_counted_holds_up_no_other(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock
) -> None:
    """Its case ends with the rule; one that fails is counted as failed and comes again."""
    lines = rule(Waits.LINES, at_least=1)
    policy = CasePolicy(thresholds={lines.name: lines})
    async with SqlBooks(engine, clock, replace(RULES, case_policy=policy)) as books:
        await books.apply(line("T-1", 500, day=DUE, name="1"))
        assert (await swept(sweep_of(engine, books, queries, clock, [lines]), clock)).rules == 1

    class Failing(SqlFigures):
        async def figure(self, rule: Threshold, now: datetime) -> Figure:
            if rule.of is Waits.FILES:
                raise ConnectionError("away")
            return await super().figure(rule, now)

    broken, cases = rule(Waits.FILES, at_least=1), rule(Waits.CASES, at_least=1)
    policy = CasePolicy(thresholds={one.name: one for one in (broken, cases)})
    async with SqlBooks(engine, clock, replace(RULES, case_policy=policy)) as books:
        rules = {one.name: one for one in (broken, cases)}
        activities = CaseActivities(books, queries, clock, Failing(engine), rules)
        done = await swept(activities, clock)
        assert (done.rules, done.failed) == (2, 1)
        open_now = {case.key for case in (await queries.cases()).items}
        assert open_now & {"threshold/lines", "threshold/cases"} == {"threshold/cases"}


async def test_debits_in_doubt_are_counted_since_the_first_doubt(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """By amount and currency; evidence ends the doubt."""
    asked = rule(Waits.IN_DOUBT, currency="CNY")
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    assert await figure(engine, clock, asked) == Figure()
    clock.ahead(timedelta(minutes=1))
    doubt = clock.now()
    for code in ("T1", "T2"):
        answer = RecordOutcome(
            id=f"outcome/{code}",
            actor=RAIL,
            rail="simbank",
            order_no=order_no,
            outcome=Outcome(OutcomeClass.TECH, code),
            source="inquiry",
        )
        await books.apply(answer)
        clock.ahead(timedelta(hours=2))
    assert await figure(engine, clock, asked) == Figure(1, 10100, doubt)
    assert (await figure(engine, clock, replace(asked, currency="EUR"))).count == 0
    await books.apply(confirm(order_no, 10100))
    assert await figure(engine, clock, asked) == Figure()
