"""What deviates from a product's steps: a clean course has nothing, each planted fault is named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.audit.conformance import Deviates, Deviation, Step, deviations
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State
from tests.support.auditbench import World, paid_and_closed
from tests.support.memory import RULES

AT = datetime(2026, 3, 20, 4, tzinfo=UTC)
Steps = tuple[Step, ...]


def at(day: int, hour: int = 2, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


CLOSED_STEPS: Steps = (
    Step("boarded", at(2)),
    Step("reminder_queued", at(7)),
    Step("fell_due", at(10, 1, 30)),
    Step("debit_intended", at(10, 1, 30)),
    Step("paid_in_full", at(10, 1, 30)),
    Step("payments_settled", at(11, 1)),
    Step("release_proven", at(16, 1)),
    Step("evidence_complete", at(16, 1)),
)


@pytest.fixture
def loan() -> Loan:
    """Give a loan whose first installment was debited once and closed."""
    return paid_and_closed().books.loans["L1"]


@pytest.fixture
def refused() -> Loan:
    """Give a loan whose first debit was refused, and whose second one waits for its day."""
    world = World()
    world.board()
    world.to(date(2026, 3, 7), 2)
    world.remind()
    world.to(date(2026, 3, 10), 1, 30)
    world.roll(date(2026, 3, 10))
    world.decline(world.intend())
    return world.books.loans["L1"]


def changed(loan: Loan, **values: object) -> Loan:
    """The loan with its first installment changed."""
    first, *others = loan.installments
    return replace(loan, installments=(replace(first, **values), *others))  # type: ignore[arg-type]


def found(
    loan: Loan, steps: Steps = CLOSED_STEPS, now: datetime = AT, number: int = 1
) -> list[Deviation]:
    return list(deviations(loan, number, steps, RULES, now))


def said(every: list[Deviation]) -> list[tuple[str, Deviates, str]]:
    return [(one.step, one.kind, one.rule) for one in every]


REFUSED_STEPS = (*CLOSED_STEPS[:4], Step("attempt_ended_retryable", at(10, 1, 30)))
REMINDER, FIRST, FURTHER = "reminder 3 days before", "first debit", "further debit"


def test_a_clean_course_has_no_deviation(loan: Loan, refused: Loan) -> None:
    """Closed in time; refused and waiting for its next day; not due yet."""
    assert found(loan) == []
    assert found(loan, CLOSED_STEPS[:1], number=2) == []
    assert found(refused, REFUSED_STEPS, at(10, 4)) == []


def _notices(**values: object) -> Callable[[Installment], dict[str, object]]:
    return lambda item: {"notices": (replace(item.notices[0], **values),)}  # type: ignore[arg-type]


def _second(**values: object) -> Callable[[Installment], dict[str, object]]:
    """One more message of the same rule."""

    def change(item: Installment) -> dict[str, object]:
        first = item.notices[0]
        return {"notices": (first, replace(first, **values))}  # type: ignore[arg-type]

    return change


REMINDERS: dict[str, tuple[Callable[[Installment], dict[str, object]], Deviates, str]] = {
    "none": (lambda _: {"notices": ()}, Deviates.MISSING, "reminders.0"),
    "for another day": (_notices(due_on=date(2026, 3, 9)), Deviates.MISSING, "reminders.0"),
    "twice": (_second(), Deviates.TOO_MANY, "reminders.0.channels"),
    "over a third channel": (_second(step=2), Deviates.TOO_MANY, "reminders.0.channels"),
    "too early": (_notices(queued_at=at(6)), Deviates.TOO_EARLY, "reminders.0"),
    "after the day": (_notices(queued_at=at(11)), Deviates.TOO_LATE, "reminders.0"),
    "before the hours": (_notices(queued_at=at(8, 23)), Deviates.TOO_EARLY, "reminders.allowed"),
    "after the hours": (_notices(queued_at=at(8, 14)), Deviates.TOO_LATE, "reminders.allowed"),
}


@pytest.mark.parametrize("fault", REMINDERS)
def test_reminders_follow_their_plan(loan: Loan, fault: str) -> None:
    """Each at its time, once for each channel, in the hours of contact."""
    change, kind, rule = REMINDERS[fault]
    values = change(loan.installments[0])
    assert said(found(changed(loan, **values))) == [(REMINDER, kind, rule)]


def test_channels_follow_each_other(loan: Loan) -> None:
    """The second channel before the first is out of order."""
    first = loan.installments[0].notices[0]
    values = (replace(first, step=1), first)
    kind = Deviates.OUT_OF_ORDER
    assert said(found(changed(loan, notices=values))) == [(REMINDER, kind, "reminders.0.channels")]


def test_what_people_ordered_is_no_deviation(loan: Loan) -> None:
    """A hold, or a moved due date, and nothing is missing or too early any more."""
    bare = changed(loan, notices=())
    held = (CLOSED_STEPS[0], Step("held", at(3)), *CLOSED_STEPS[1:])
    assert found(bare, held) == []
    early = changed(loan, notices=(replace(loan.installments[0].notices[0], queued_at=at(6)),))
    assert found(early, held) == []
    assert found(changed(loan, notices=(), attempts=())) == []
    late = (Step("boarded", at(9)), *CLOSED_STEPS[1:])
    assert found(bare, late) == []
    assert said(found(bare, ())) == [
        ("closing", Deviates.MISSING, f"closing.{event}")
        for event in ("payments_settled", "release_proven", "evidence_complete")
    ]


def test_it_falls_due_on_its_day(loan: Loan) -> None:
    """Neither days later nor before."""
    steps, later = CLOSED_STEPS[:1], datetime(2026, 4, 20, tzinfo=UTC)
    assert said(found(loan, steps, later, number=2)) == [
        ("falling due", Deviates.MISSING, "due_on")
    ]
    early = (*CLOSED_STEPS[:2], Step("fell_due", at(9)), *CLOSED_STEPS[3:])
    assert said(found(loan, early)) == [("falling due", Deviates.TOO_EARLY, "due_on")]
    moved = (*early[:2], Step("due_date_changed", at(8)), *early[2:])
    assert found(loan, moved) == []


def test_the_first_debit_goes_out_on_the_due_date(loan: Loan) -> None:
    """Too early, too late, or not at all."""
    attempt = loan.installments[0].attempts[0]
    early = changed(loan, attempts=(replace(attempt, intended_at=at(9)),))
    assert said(found(early)) == [(FIRST, Deviates.TOO_EARLY, "present_at")]
    late = changed(loan, attempts=(replace(attempt, intended_at=at(13)),))
    assert said(found(late)) == [(FIRST, Deviates.TOO_LATE, "present_at")]
    boarded_late = (Step("boarded", at(12)), *CLOSED_STEPS[1:])
    assert found(late, boarded_late) == []
    never = changed(loan, attempts=(), state=State.DUE)
    assert said(found(never)) == [(FIRST, Deviates.MISSING, "present_at")]
    assert found(never, now=at(10, 2)) == []
    assert found(never, boarded_late) == []
    strict = replace(loan.product.reminders, require_delivered=True)
    asked = replace(never, product=replace(loan.product, reminders=strict))
    assert found(asked) == []
    former = changed(loan, attempts=(replace(attempt, is_brought_over=True),))
    assert found(former) == []


def second_debit(loan: Loan, when: datetime, **values: object) -> Loan:
    """The loan with a further debit."""
    item = loan.installments[0]
    again = replace(
        item.attempts[0],
        number=2,
        order_no="L1-2",
        intended_at=when,
        value_on=when.date(),
        state=AttemptState.INTENDED,
        outcome_class=None,
        code="",
        ended_at=None,
    )
    first = replace(item.attempts[0], **values)  # type: ignore[arg-type]
    return changed(loan, attempts=(first, again), state=State.PRESENTED)


def test_a_further_debit_follows_the_plan(refused: Loan) -> None:
    """On its day it is as expected; before it is too early, without it something is missing."""
    assert found(second_debit(refused, at(11, 1, 30)), REFUSED_STEPS, at(12)) == []
    early = second_debit(refused, at(10, 8))
    assert said(found(early, REFUSED_STEPS, at(12))) == [
        (FURTHER, Deviates.TOO_EARLY, "retry.plan")
    ]
    before = second_debit(refused, at(10, 1))
    order = (FURTHER, Deviates.OUT_OF_ORDER, "attempt.live")
    assert order in said(found(before, REFUSED_STEPS, at(12)))
    assert said(found(refused, REFUSED_STEPS, at(20))) == [
        (FURTHER, Deviates.MISSING, "retry.plan")
    ]
    ordered = (*REFUSED_STEPS, Step("retry_ordered", at(10, 5)))
    assert found(early, ordered, at(12)) == []
    assert found(refused, ordered, at(20)) == []


def test_what_may_not_be_debited_again_is_named_by_its_rule(refused: Loan) -> None:
    """After a hard refusal nothing follows by itself; limits are those of the audit."""
    hard = second_debit(refused, at(11, 1, 30), outcome_class=OutcomeClass.ACCOUNT)
    assert said(found(hard, REFUSED_STEPS, at(12))) == [
        (FURTHER, Deviates.TOO_MANY, "retry.limits"),
        (FURTHER, Deviates.TOO_MANY, "class.ACCOUNT"),
    ]
    confirmed = second_debit(refused, at(11, 1, 30), state=AttemptState.CONFIRMED)
    assert found(confirmed, REFUSED_STEPS, at(12)) == []


def test_the_way_to_closing_is_complete_and_in_order(loan: Loan) -> None:
    """A move that is missing, two that are swapped, a release inside the return window."""
    without = (*CLOSED_STEPS[:5], *CLOSED_STEPS[6:])
    rule = "closing.payments_settled"
    assert said(found(loan, without)) == [("closing", Deviates.MISSING, rule)]
    swapped = (*CLOSED_STEPS[:5], *reversed(CLOSED_STEPS[5:7]), CLOSED_STEPS[7])
    assert said(found(loan, swapped)) == [("closing", Deviates.OUT_OF_ORDER, "closing")]
    early = (*CLOSED_STEPS[:6], Step("release_proven", at(11, 2)), CLOSED_STEPS[7])
    assert said(found(loan, early)) == [("closing", Deviates.TOO_EARLY, "closure.return_window")]
    elsewhere = (*CLOSED_STEPS[:5], Step("closed_elsewhere", at(11)))
    assert found(loan, elsewhere) == []


def test_a_deviation_says_where_and_what(loan: Loan) -> None:
    """The installment, and the facts in words."""
    (one,) = found(changed(loan, notices=()))
    assert one.subject == "L1/1"
    assert one.text == "planned at 2026-03-07 02:00 UTC, none was queued"
