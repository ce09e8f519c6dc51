"""Decides whether and when a debit is presented again automatically; the strictest rule wins.

Rail, mandate, product and the limits of schemes and regulators each say how often, how long and how
soon. A refusal carries the id of the rule that refused, so that it can be counted and contested.
"""

from datetime import date

from domain.calendar import local_day
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.history import FAILED, NEVER_PRESENTED, History
from domain.debit.outcome import OutcomeClass
from domain.debit.plan import NoRetry, RetryAt, RetryPlan
from domain.debit.presentment import earliest_slot, unconfirmed, value_day
from domain.debit.slot import last_value_day, next_slot

__all__ = ["NoRetry", "RetryAt", "RetryPlan", "earliest_slot", "next_attempt"]

SOFT = frozenset({OutcomeClass.NSF, OutcomeClass.LIMIT, OutcomeClass.DECLINED})
"""Reasons of a refusal after which a machine may present again."""
HARD = frozenset(
    {
        OutcomeClass.ACCOUNT,
        OutcomeClass.MANDATE,
        OutcomeClass.PAYER_STOP,
        OutcomeClass.DISPUTE,
        OutcomeClass.DECEASED,
        OutcomeClass.RISK_REJECT,
        OutcomeClass.DATA_ERROR,
        OutcomeClass.LATE_RETURN,
    }
)
"""Reasons after which no machine presents again, however the attempt ended."""
NEVER_PRESENTED_MAX = 10
"""How many attempts of one installment may be proven not executed before a person has to look."""
DECLINED_MAX = 1
"""A refusal without a reason is tried once more at most, whatever a product says."""


def next_attempt(history: History) -> RetryAt | NoRetry:
    """When the machine may present an installment again, or the rule that says no."""
    if not history.attempts:
        return NoRetry("history.empty", "nothing was presented yet, so nothing is tried again")
    if any(attempt.is_live for attempt in history.attempts):
        return NoRetry("attempt.live", "an earlier order has no final outcome yet")
    refused = (
        _mandate_ended(history) or _by_class(history) or _by_count(history) or _in_a_row(history)
    )
    if refused is not None:
        return refused
    slot = next_slot(history)
    if isinstance(slot, NoRetry):
        return slot
    value_on = value_day(history.rail, history.calendar, local_day(slot, history.rail.timezone))
    return _too_late(history, value_on) or RetryAt(slot, _why(history, value_on), value_on)


def _mandate_ended(history: History) -> NoRetry | None:
    ended_on = history.mandate.ended_on
    if ended_on is None or ended_on > local_day(history.ended_at, history.timezone):
        return None
    return NoRetry("mandate.ended", f"the mandate ended on {ended_on}")


def _by_class(history: History) -> NoRetry | None:
    last, judged = history.last, history.judged
    for attempt in (last, judged):
        if attempt.outcome_class in HARD:
            return NoRetry(
                f"class.{attempt.outcome_class}", f"{_said(attempt)} is never tried again"
            )
    if judged.state in NEVER_PRESENTED:
        return None  # nothing was ever presented: this is still the first presentment
    if judged.outcome_class not in SOFT or judged.state not in FAILED:
        return NoRetry(
            f"class.{judged.outcome_class or 'NONE'}", f"{_said(judged)} in {judged.state}"
        )
    if judged.outcome_class is not OutcomeClass.DECLINED:
        return None
    declined = sum(
        1
        for a in history.presented
        if a.outcome_class is OutcomeClass.DECLINED and a.state is AttemptState.DECLINED
    )
    if declined > history.plan.declined_retries:
        rule = "product.declined_retries"
    elif declined > DECLINED_MAX:
        rule = "class.DECLINED"
    else:
        return None
    return NoRetry(rule, f"refused {declined} times without a usable reason")


def _by_count(history: History) -> NoRetry | None:
    unpresented = len(history.attempts) - len(history.presented)
    if unpresented >= NEVER_PRESENTED_MAX:
        return NoRetry(
            "attempt.not_executed_max", f"{unpresented} attempts came to nothing; a person looks"
        )
    code = history.judged.code
    for limit in history.covering:
        if limit.only_codes and history.presented and code not in limit.only_codes:
            return NoRetry(limit.id, f"code {code} is not among {', '.join(limit.only_codes)}")
    rule, most = history.strictest_count()
    presented = len(history.presented)
    if presented >= most:
        return NoRetry(rule, f"presented {presented} times; {rule} allows {most}")
    return None


def _in_a_row(history: History) -> NoRetry | None:
    """Limits on consecutive failures, where a regulator wants new authority after them."""
    for limit in history.covering:
        if limit.failures_in_a_row is None:
            continue
        failures = history.failures_in_a_row(across_loans=limit.across_loans)
        if failures >= limit.failures_in_a_row:
            scope = "over the payer's loans" if limit.across_loans else "on this installment"
            return NoRetry(
                limit.id,
                f"{failures} failures in a row {scope}: new authority is needed after "
                f"{limit.failures_in_a_row}",
            )
    return None


def _too_late(history: History, value_on: date) -> NoRetry | None:
    rule, last_day = last_value_day(history)
    if value_on > last_day:
        return NoRetry(rule, f"the next value day {value_on} lies after {last_day} ({rule})")
    if value_on < history.mandate.valid_from:
        return NoRetry("mandate.term", f"the mandate begins on {history.mandate.valid_from}")
    return None


def _why(history: History, value_on: date) -> str:
    last = history.last
    said = [f"{last.state}: proven not executed" if last.state in NEVER_PRESENTED else _said(last)]
    rule, most = history.strictest_count()
    said.append(f"presented {len(history.presented)} of {most} ({rule})")
    said.append(f"value {value_on}")
    said.extend(unconfirmed(history.calendar, value_on))
    return "; ".join(said)


def _said(attempt: Attempt) -> str:
    return (
        f"{attempt.outcome_class} ({attempt.code})" if attempt.code else f"{attempt.outcome_class}"
    )
