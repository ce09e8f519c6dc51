"""Which failures a machine may try again, how often, and which rule says no."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.debit.attempt import LIVE, AttemptState
from domain.debit.codes import RetryLimit
from domain.debit.outcome import OutcomeClass
from domain.debit.retry import HARD, NEVER_PRESENTED_MAX, SOFT, RetryAt, RetryPlan
from domain.errors import InvalidInput, InvariantBroken
from tests.domain.debit.cases import DUE, MANDATE, PLAN, RAIL, at, attempt, decide, rule, slot

_O, _A = OutcomeClass, AttemptState
NEXT_DAY = DUE + timedelta(days=1)


@pytest.mark.parametrize("outcome_class", sorted(set(OutcomeClass) - SOFT))
def test_only_soft_refusals_are_tried_again(outcome_class: OutcomeClass) -> None:
    """Everything but NSF, LIMIT and DECLINED stops the machine and names the class."""
    assert rule(attempt(outcome_class=outcome_class)) == f"class.{outcome_class}"


@pytest.mark.parametrize("outcome_class", sorted(SOFT))
def test_a_soft_refusal_is_tried_again_on_the_next_banking_day(outcome_class: OutcomeClass) -> None:
    """The first wait of the plan, at the plan's hour."""
    assert slot(attempt(outcome_class=outcome_class)) == at(NEXT_DAY, 9)


@pytest.mark.parametrize("state", sorted(LIVE))
def test_nothing_is_presented_beside_an_order_that_has_no_final_outcome_yet(
    state: AttemptState,
) -> None:
    """Unknown is not declined: one live attempt stops all others, however many ended before."""
    assert rule(attempt(1), attempt(2, state=state, ended_at=None)) == "attempt.live"
    assert rule(attempt(1, state=state, ended_at=None), attempt(2)) == "attempt.live"


def test_an_installment_that_was_never_presented_has_no_retry() -> None:
    """The first presentment is decided elsewhere."""
    assert rule() == "history.empty"


def test_a_class_is_needed_to_try_again() -> None:
    """A refusal that nobody understood is not repeated, nor is a success."""
    assert rule(attempt(outcome_class=None)) == "class.NONE"
    assert rule(attempt(outcome_class=_O.SUCCESS, state=_A.CONFIRMED)) == "class.SUCCESS"
    assert rule(attempt(outcome_class=_O.NSF, state=_A.CONFIRMED)) == "class.NSF"


def test_a_returned_debit_is_tried_again_by_the_reason_of_its_return() -> None:
    """Taken back for lack of funds is soft; taken back by the payer is not."""
    assert slot(attempt(outcome_class=_O.NSF, state=_A.RETURNED)) == at(NEXT_DAY, 9)
    assert rule(attempt(outcome_class=_O.DISPUTE, state=_A.RETURNED)) == "class.DISPUTE"
    assert rule(attempt(outcome_class=_O.SUCCESS, state=_A.RETURNED)) == "class.SUCCESS"


def test_a_refusal_without_a_reason_is_tried_once_more_and_no_more() -> None:
    """Whatever a product allows, a second DECLINED ends the machine's part."""
    first, second = attempt(1, _O.DECLINED), attempt(2, _O.DECLINED, NEXT_DAY)
    assert isinstance(decide(first), RetryAt)
    assert rule(first, second) == "product.declined_retries"
    generous = replace(PLAN, declined_retries=5)
    assert rule(first, second, plan=generous) == "class.DECLINED"
    assert rule(first, plan=replace(PLAN, declined_retries=0)) == "product.declined_retries"


def test_declined_counts_are_their_own_and_other_reasons_do_not_use_them_up() -> None:
    """NSF, then DECLINED: the one retry after DECLINED is still there."""
    assert isinstance(decide(attempt(1), attempt(2, _O.DECLINED, NEXT_DAY)), RetryAt)
    assert isinstance(decide(attempt(1, _O.DECLINED), attempt(2, on=NEXT_DAY)), RetryAt)
    returned = attempt(1, _O.DECLINED, state=_A.RETURNED)
    assert isinstance(decide(returned, attempt(2, _O.DECLINED, NEXT_DAY)), RetryAt)


@pytest.mark.parametrize("state", [_A.NOT_EXECUTED, _A.RECALLED])
@pytest.mark.parametrize("outcome_class", [_O.TECH, _O.NOT_FOUND, _O.PENDING, None])
def test_what_was_proven_not_executed_is_presented_at_the_next_open_moment(
    state: AttemptState, outcome_class: OutcomeClass | None
) -> None:
    """It cost the payer nothing, so no wait applies; only the rail's window does."""
    ended = attempt(state=state, outcome_class=outcome_class, ended_at=at(DUE, 10, 15))
    assert slot(ended) == at(DUE, 10, 15)
    night = replace(ended, ended_at=at(DUE, 21))
    assert slot(night) == at(NEXT_DAY, 7)


def test_what_was_never_executed_uses_up_no_limit_but_its_own() -> None:
    """Nine attempts that came to nothing leave every presentment; the tenth calls a person."""
    nothing = [
        attempt(n, _O.TECH, state=_A.NOT_EXECUTED) for n in range(1, NEVER_PRESENTED_MAX + 1)
    ]
    single = replace(PLAN, attempts_max=1)
    assert isinstance(decide(*nothing[:-1], plan=single), RetryAt)
    assert rule(*nothing) == "attempt.not_executed_max"


def test_a_hard_reason_is_not_forgotten_behind_an_attempt_that_came_to_nothing() -> None:
    """What counts is the last real presentment, and any hard word since."""
    nothing = attempt(2, _O.TECH, NEXT_DAY, state=_A.NOT_EXECUTED)
    assert rule(attempt(1, _O.ACCOUNT), nothing) == "class.ACCOUNT"
    assert isinstance(decide(attempt(1, _O.NSF), nothing), RetryAt)
    for outcome_class in sorted(HARD):
        assert rule(replace(nothing, outcome_class=outcome_class)) == f"class.{outcome_class}"
    twice = (attempt(1, _O.DECLINED), attempt(2, _O.DECLINED, NEXT_DAY))
    assert rule(*twice, replace(nothing, number=3)) == "product.declined_retries"


@pytest.mark.parametrize(
    ("rail_max", "mandate_max", "plan_max", "named"),
    [
        (2, 3, 4, "rail.attempts_max"),
        (3, 2, 4, "mandate.attempts_max"),
        (3, 4, 2, "product.attempts_max"),
        (2, 2, 2, "rail.attempts_max"),
        (3, 2, 2, "mandate.attempts_max"),
        (3, None, 2, "product.attempts_max"),
    ],
)
def test_the_strictest_of_rail_mandate_and_product_wins_and_is_named(
    rail_max: int, mandate_max: int | None, plan_max: int, named: str
) -> None:
    """Two presentments are the least that anybody allows: the third is refused by that one."""
    changes = {
        "rail": replace(RAIL, attempts_max=rail_max),
        "mandate": replace(MANDATE, attempts_max=mandate_max),
        "plan": replace(PLAN, attempts_max=plan_max),
    }
    first, second = attempt(1), attempt(2, on=NEXT_DAY)
    allowed = decide(first, **changes)
    assert isinstance(allowed, RetryAt)
    assert f"presented 1 of 2 ({named})" in allowed.reason
    assert rule(first, second, **changes) == named


def test_a_limit_of_a_scheme_wins_over_everyone_when_it_is_stricter_or_equal() -> None:
    """The law is named before the rail, the rail before the product."""
    limit = RetryLimit("law.two", "the rule book", presentations_max=2)
    plan = replace(PLAN, attempts_max=2)
    assert rule(attempt(1), attempt(2, on=NEXT_DAY), limits=(limit,), plan=plan) == "law.two"
    other = replace(limit, applies_to=("R01",))
    assert rule(attempt(1), attempt(2, on=NEXT_DAY), limits=(other,), plan=plan) == (
        "product.attempts_max"
    )
    coded = (attempt(1, code="R01"), attempt(2, on=NEXT_DAY, code="R01"))
    assert rule(*coded, limits=(other,)) == "law.two"


def test_where_only_some_codes_may_be_presented_again_the_others_are_refused() -> None:
    """Bacs re-presents code 0 and nothing else."""
    limit = RetryLimit("bacs.code_0", "the rule book", only_codes=("0",))
    assert rule(attempt(code="1"), limits=(limit,)) == "bacs.code_0"
    assert isinstance(decide(attempt(code="0"), limits=(limit,)), RetryAt)
    nothing = attempt(code="34", outcome_class=_O.NOT_FOUND, state=_A.NOT_EXECUTED)
    assert isinstance(decide(nothing, limits=(limit,)), RetryAt)


def test_two_failures_in_a_row_over_the_payers_loans_need_new_authority() -> None:
    """12 CFR 1041.8 counts attempts on every loan of the payer; a success starts afresh."""
    limit = RetryLimit("cfpb", "12 CFR 1041.8", failures_in_a_row=2, across_loans=True)
    here = attempt(1)
    other = attempt(1, on=DUE - timedelta(days=9))
    paid = attempt(1, on=DUE - timedelta(days=3), outcome_class=_O.SUCCESS, state=_A.CONFIRMED)
    nothing = attempt(1, on=DUE - timedelta(days=1), outcome_class=_O.TECH, state=_A.NOT_EXECUTED)
    alive = attempt(9, on=DUE, state=_A.UNKNOWN, ended_at=None)
    assert isinstance(decide(here, limits=(limit,)), RetryAt)
    assert rule(here, limits=(limit,), elsewhere=(other,)) == "cfpb"
    assert rule(here, limits=(limit,), elsewhere=(nothing, alive, other)) == "cfpb"
    assert isinstance(decide(here, limits=(limit,), elsewhere=(other, paid)), RetryAt)
    alone = replace(limit, across_loans=False)
    assert isinstance(decide(here, limits=(alone,), elsewhere=(other,)), RetryAt)
    assert rule(here, attempt(2, on=NEXT_DAY), limits=(alone,)) == "cfpb"
    assert isinstance(decide(here, limits=(replace(alone, failures_in_a_row=None),)), RetryAt)


def test_an_ended_mandate_stops_everything_even_what_was_never_executed() -> None:
    """The end is looked at first, and again for the day that the next debit would be for."""
    ended = replace(MANDATE, ended_on=DUE)
    assert rule(attempt(), mandate=ended) == "mandate.ended"
    assert rule(attempt(state=_A.NOT_EXECUTED), mandate=ended) == "mandate.ended"
    assert rule(attempt(), mandate=replace(MANDATE, ended_on=NEXT_DAY)) == "mandate.ended"
    later = replace(MANDATE, ended_on=NEXT_DAY + timedelta(days=1))
    assert isinstance(decide(attempt(), mandate=later), RetryAt)


def test_the_next_debit_lies_within_the_mandates_term() -> None:
    """Both ends of the term count, the last day included."""
    assert isinstance(decide(attempt(), mandate=replace(MANDATE, valid_to=NEXT_DAY)), RetryAt)
    assert rule(attempt(), mandate=replace(MANDATE, valid_to=DUE)) == "mandate.term"
    assert isinstance(decide(attempt(), mandate=replace(MANDATE, valid_from=NEXT_DAY)), RetryAt)
    future = replace(MANDATE, valid_from=NEXT_DAY + timedelta(days=1))
    assert rule(attempt(), mandate=future) == "mandate.term"


def test_windows_end_by_the_strictest_last_day() -> None:
    """Days from the due date (product) and from the first presentment (rail, law)."""
    one = timedelta(days=1)
    assert isinstance(decide(attempt(), plan=replace(PLAN, stop_after_days=1)), RetryAt)
    assert rule(attempt(), plan=replace(PLAN, stop_after_days=0)) == "product.stop_after_days"
    assert isinstance(decide(attempt(), rail=replace(RAIL, retry_within_days=1)), RetryAt)
    assert rule(attempt(), rail=replace(RAIL, retry_within_days=0)) == "rail.retry_within_days"
    limit = RetryLimit("law.window", "the rule book", within_days=0)
    assert rule(attempt(), limits=(limit,)) == "law.window"
    early = attempt(1, on=DUE - one)
    assert rule(early, attempt(2), rail=replace(RAIL, retry_within_days=1)) == (
        "rail.retry_within_days"
    )
    nothing = attempt(1, on=DUE - one, outcome_class=_O.TECH, state=_A.NOT_EXECUTED)
    assert isinstance(decide(nothing, attempt(2), rail=replace(RAIL, retry_within_days=1)), RetryAt)


def test_an_attempt_that_ended_without_an_instant_is_a_broken_book() -> None:
    """A retry cannot be timed from nothing."""
    with pytest.raises(InvariantBroken, match="without an instant"):
        decide(attempt(ended_at=None))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempts_max", 0),
        ("wait_banking_days", ()),
        ("wait_banking_days", (1, -1)),
        ("paydays", (0,)),
        ("paydays", (32,)),
        ("payday_reach_days", -1),
        ("stop_after_days", -1),
        ("declined_retries", -1),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_name(field: str, value: Any) -> None:
    """The field that is wrong is named; the limits themselves are good."""
    with pytest.raises(InvalidInput, match=f"retry.{field}"):
        replace(PLAN, **{field: value})
    RetryPlan(1, (0,), (1, 31), 0, time(0), 0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(OutcomeClass)), st.sampled_from(sorted(AttemptState))),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 5),
)
def test_no_history_whatever_leads_to_more_presentments_than_allowed(
    ended: list[tuple[OutcomeClass, AttemptState]], most: int
) -> None:
    """Whenever a retry is granted, it is below every limit, unhurried, and on an open day."""
    attempts = tuple(
        attempt(n, outcome_class, DUE + timedelta(days=n), state=state)
        for n, (outcome_class, state) in enumerate(ended, start=1)
    )
    decision = decide(*attempts, mandate=replace(MANDATE, attempts_max=most))
    if not isinstance(decision, RetryAt):
        return
    presented = [a for a in attempts if a.state not in {_A.NOT_EXECUTED, _A.RECALLED}]
    assert len(presented) < min(most, PLAN.attempts_max, RAIL.attempts_max)
    assert not any(a.is_live for a in attempts)
    last = attempts[-1]
    assert last.outcome_class not in HARD
    assert last.ended_at is not None
    assert last.ended_at <= decision.not_before
    assert decision.value_on <= DUE + timedelta(days=PLAN.stop_after_days)
    assert MANDATE.allows(decision.value_on)
    assert date(2026, 3, 2) <= decision.value_on
