"""Ceilings through real databases: refused for good at the door, pinned, and kept by the sweep."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied, Refused
from domain.pricing.caps import CapRules, legal_caps
from domain.pricing.frequency import Frequency
from domain.pricing.penalty import PenaltyRule
from domain.story.events import Moved, Posted
from tests.support.booksbench import StillClock, roll
from tests.support.memory import PRODUCT, RULES, board, schedule
from tests.support.stories import effects, story

CAPPED = replace(
    PRODUCT,
    caps=CapRules(legal_caps("cn-institutions-24"), Frequency(1, "month")),
    penalty=PenaltyRule(Decimal(36), 360, on_interest=False, grace_days=3),
)


async def test_a_dear_loan_is_refused_with_its_reason_and_stays_refused(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """The refusal is stored: the same command is answered the same way again."""
    dear = board(product=CAPPED, lines=schedule(((200_000, 8_030), (200_000, 4_000))))
    answers = [await books.apply(dear) for _ in range(2)]
    assert [isinstance(answer, Refused) and answer.rule for answer in answers] == ["loan.cost"] * 2
    assert isinstance(answers[1], Refused)
    assert answers[1].reason.endswith("24.0604 % is above 24 %")
    assert answers[1].replayed
    assert await queries.loan("L1") is None


async def test_a_penalty_at_its_cap_is_booked_and_explained_by_books_that_start_anew(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock
) -> None:
    """The pinned product carries its ceilings; the story says which rule stopped the charge."""
    lines = schedule(((200_000, 8_000), (200_000, 4_000)))
    async with SqlBooks(engine, clock, RULES) as first:
        assert isinstance(await first.apply(board(product=CAPPED, lines=lines)), Applied)
    async with SqlBooks(engine, clock, RULES) as second:
        for day in (date(2026, 3, 10), date(2026, 3, 30)):
            clock.to(day)
            assert isinstance(await second.apply(roll("L1", day)), Applied)
    loan = await queries.loan("L1")
    assert loan is not None
    # 16 days at 36 percent would be 32.00. From 10 February to 29 March are a month and 18 days
    # (counted back, and there is no 29 February): 2080.00 x (1.02 ** (18 / 30) - 1) = 24.86.
    assert loan.installment(1).owed.penalty == 2_486
    told = [effect for _, effect in effects(await story(queries, "L1", 1))]
    reported = {move.event: move.detail for move in told if isinstance(move, Moved)}
    accrued = [entry for entry in told if isinstance(entry, Posted)]
    penalty = [entry for entry in accrued if entry.event == "penalty_accrued"]
    assert "CN jin-gui [2025] 9" in reported["penalty_capped"]
    assert "at most 24 %: 7.14 CNY are not charged" in reported["penalty_capped"]
    assert 2_486 in {posting.minor for entry in penalty for posting in entry.postings}
    assert (await queries.verify()).faults == ()
