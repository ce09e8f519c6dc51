"""Why a debit is tried again, or is not, in the words that an operator reads."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.codes import RetryLimit
from domain.debit.outcome import OutcomeClass
from domain.debit.retry import NoRetry, RetryAt
from tests.domain.debit.cases import DUE, MANDATE, PLAN, attempt, decide

_O, _A = OutcomeClass, AttemptState
NEXT = DUE + timedelta(days=1)
TWICE = (attempt(1), attempt(2, on=NEXT))
DECLINED = (attempt(1, _O.DECLINED), attempt(2, _O.DECLINED, NEXT))
GONE = tuple(attempt(n, None, state=_A.NOT_EXECUTED, code="") for n in range(1, 11))


@pytest.mark.parametrize(
    ("attempts", "changed", "rule", "reason"),
    [
        ((), {}, "history.empty", "nothing was presented yet, so nothing is tried again"),
        (
            (attempt(state=_A.UNKNOWN, ended_at=None),),
            *({}, "attempt.live", "an earlier order has no final outcome yet"),
        ),
        (
            (attempt(),),
            {"mandate": replace(MANDATE, ended_on=DUE)},
            *("mandate.ended", "the mandate ended on 2026-03-02"),
        ),
        (
            (attempt(outcome_class=_O.ACCOUNT),),
            {},
            "class.ACCOUNT",
            "ACCOUNT (64) is never tried again",
        ),
        (
            (attempt(outcome_class=_O.ACCOUNT, code=""),),
            *({}, "class.ACCOUNT", "ACCOUNT is never tried again"),
        ),
        ((attempt(outcome_class=_O.TECH),), {}, "class.TECH", "TECH (64) in DECLINED"),
        ((attempt(outcome_class=None, code=""),), {}, "class.NONE", "None in DECLINED"),
        (DECLINED, {}, "product.declined_retries", "refused 2 times without a usable reason"),
        (
            DECLINED,
            {"plan": replace(PLAN, declined_retries=5)},
            *("class.DECLINED", "refused 2 times without a usable reason"),
        ),
        (
            GONE,
            *({}, "attempt.not_executed_max", "10 attempts came to nothing; a person looks"),
        ),
        (
            (attempt(code="51"),),
            {"limits": (RetryLimit("net.codes", "", only_codes=("64", "65")),)},
            *("net.codes", "code 51 is not among 64, 65"),
        ),
        (
            TWICE,
            {"plan": replace(PLAN, attempts_max=2)},
            *("product.attempts_max", "presented 2 times; product.attempts_max allows 2"),
        ),
        (
            TWICE,
            {"limits": (RetryLimit("cfpb.two", "", failures_in_a_row=2),)},
            "cfpb.two",
            "2 failures in a row on this installment: new authority is needed after 2",
        ),
        (
            TWICE[:1],
            {
                "limits": (RetryLimit("cfpb.two", "", failures_in_a_row=2, across_loans=True),),
                "elsewhere": (attempt(9, on=DUE - timedelta(days=1)),),
            },
            "cfpb.two",
            "2 failures in a row over the payer's loans: new authority is needed after 2",
        ),
        (
            (attempt(),),
            {"plan": replace(PLAN, stop_after_days=0)},
            "product.stop_after_days",
            "the next value day 2026-03-03 lies after 2026-03-02 (product.stop_after_days)",
        ),
        (
            (attempt(),),
            {"mandate": replace(MANDATE, valid_from=date(2026, 3, 9))},
            *("mandate.term", "the mandate begins on 2026-03-09"),
        ),
    ],
)
def test_a_final_outcome_against_trying_again_names_rule_and_figures(
    attempts: tuple[Attempt, ...], changed: dict[str, Any], rule: str, reason: str
) -> None:
    """So that nobody has to look up which of many limits was met."""
    assert decide(*attempts, **changed) == NoRetry(rule, reason)


@pytest.mark.parametrize(
    ("attempts", "changed", "reason"),
    [
        (
            (attempt(),),
            {},
            "NSF (64); presented 1 of 4 (product.attempts_max); value 2026-03-03",
        ),
        (
            GONE[:1],
            {},
            (
                "NOT_EXECUTED: proven not executed; presented 0 of 4 (product.attempts_max); "
                "value 2026-03-02"
            ),
        ),
        (
            (attempt(code=""),),
            {"mandate": replace(MANDATE, attempts_max=3)},
            "NSF; presented 1 of 3 (mandate.attempts_max); value 2026-03-03",
        ),
    ],
)
def test_a_final_outcome_to_try_again_says_what_came_before_and_what_is_left(
    attempts: tuple[Attempt, ...], changed: dict[str, Any], reason: str
) -> None:
    """The action of the driver carries these words."""
    found = decide(*attempts, **changed)
    assert isinstance(found, RetryAt)
    assert found.reason == reason
