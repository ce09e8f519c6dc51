"""Applies the retry policy to an installment of a loan at an instant."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.calendar import BankingCalendar, local_day
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.history import FAILED, NEVER_PRESENTED, History
from domain.debit.mandate import BARRING, Mandate
from domain.debit.outcome import OutcomeClass
from domain.debit.presentment import earliest_slot, value_day
from domain.debit.rail import RailProfile
from domain.debit.retry import SOFT, NoRetry, RetryAt, next_attempt
from domain.debit.slot import last_value_day
from domain.loan.aggregate import Installment, Loan, Rulebook

NEVER_AGAIN = frozenset(
    {
        OutcomeClass.ACCOUNT,
        OutcomeClass.MANDATE,
        OutcomeClass.PAYER_STOP,
        OutcomeClass.DISPUTE,
        OutcomeClass.DECEASED,
        OutcomeClass.LATE_RETURN,
    }
)
"""Reasons after which nobody may debit under the same mandate, not even on an order."""
NO_REASON = "line"
"""Code of a return of which only a booked line without a reason is known."""
Reason = tuple[OutcomeClass | None, str]
"""Why an order failed or its money went back: class and code."""


ON_ORDER = "overdue when it was brought over: debited on an order alone"


def retry_decision(
    loan: Loan, item: Installment, rules: Rulebook, at: datetime | None = None
) -> RetryAt | NoRetry:
    """What the retry policy says after the attempts so far (since an operator reset them).

    `at`: now; a slot that was missed moves on to the next one, as long as the last day allows. What
    law, rail and mandate forbid counts over all attempts, also those before a reset.
    """
    if item.debit_on_order:
        return NoRetry("opening.on_order", ON_ORDER)
    if (item.attempts or loan.mandate.bar) and (no := not_debitable(loan, item, rules)):
        return no
    known = tuple(as_failed(attempt) for attempt in item.attempts)
    attempts = tuple(a for a in known if a.number > item.retries_reset_at) or known
    history = _history(loan, item, attempts, rules)
    decision = next_attempt(history)
    if at is None or isinstance(decision, NoRetry) or at <= decision.not_before:
        return decision
    rail, calendar = history.rail, history.calendar
    slot = not_missed(decision.not_before, at, rail, calendar)
    value_on = value_day(rail, calendar, local_day(slot, rail.timezone))
    rule, last_day = last_value_day(history)
    if value_on > last_day:
        return NoRetry(rule, f"the next value day {value_on} lies after {last_day} ({rule})")
    return replace(decision, not_before=slot, value_on=value_on)


def not_debitable(loan: Loan, item: Installment, rules: Rulebook) -> NoRetry | None:
    """What forbids any further presentment, even on an order: no mandate, or a limit reached."""
    known = [as_failed(attempt) for attempt in item.attempts]
    presented = [attempt for attempt in known if attempt.state not in NEVER_PRESENTED]
    last = presented[-1] if presented else None
    mandate = loan.mandate
    if last is not None and (hard := _forbidding(last, mandate)) is not None:
        return NoRetry(f"class.{hard}", f"{hard} needs a new authority first")
    if mandate.bar is not None:
        return NoRetry("mandate.barred", f"{mandate.bar}; a person clears it, or a new mandate")
    rail = rules.rail(loan.product.rail)
    limits = [("rail.attempts_max", rail.attempts_max)]
    if mandate.attempts_max is not None:
        limits.append(("mandate.attempts_max", mandate.attempts_max))
    limits.extend(
        (limit.id, limit.presentations_max)
        for limit in rules.limits.get(rail.name, ())
        if limit.presentations_max is not None and last is not None and limit.covers(last.code)
    )
    rule, most = min(limits, key=lambda limit: limit[1])
    if len(presented) >= most:
        return NoRetry(rule, f"presented {len(presented)} of {most} times")
    return None


def _forbidding(attempt: Attempt, mandate: Mandate) -> OutcomeClass | None:
    """The reason of an attempt that forbids others under a mandate, unless it was cleared since."""
    if attempt.mandate_ref != mandate.ref:
        return None
    stands = [(it.outcome_class, it.code) for it in attempt.hard if not it.is_cleared]
    if stands:
        return max(stands, key=severity)[0]
    own, known = attempt.outcome_class, {it.outcome_class for it in attempt.hard}
    return own if own in NEVER_AGAIN and own not in known else None


def as_failed(attempt: Attempt) -> Attempt:
    """The attempt as the policy counts it: one that took too little counts as NSF.

    Where its order was also refused, or money of it went back, it counts as ended for that reason.
    """
    if attempt.state is not AttemptState.CONFIRMED:
        return by_strictest(attempt)
    outcome_class, code = strictest_reason(attempt) or (OutcomeClass.NSF, attempt.code)
    state = AttemptState.DECLINED
    return replace(attempt, state=state, outcome_class=outcome_class, code=code)


def by_strictest(attempt: Attempt) -> Attempt:
    """The attempt, ended for the strictest reason that is known of its order.

    A confirmed one stands as it is. One that was thought not executed has been presented where
    money of it went back.
    """
    reason = strictest_reason(attempt)
    if reason is None or attempt.state is AttemptState.CONFIRMED:
        return attempt
    state = AttemptState.DECLINED if attempt.state in NEVER_PRESENTED else attempt.state
    return replace(attempt, state=state, outcome_class=reason[0], code=reason[1])


def strictest_reason(attempt: Attempt) -> Reason | None:
    """The reason that forbids most of all for which its order failed or its money went back.

    None where neither is known of it.
    """
    own = ((attempt.outcome_class, attempt.code),) if attempt.state in FAILED else ()
    others = (it for it in (attempt.other_returned_for, attempt.refused_for) if it is not None)
    return max((*own, *others), key=severity, default=None)


def severity(reason: Reason) -> tuple[int, str]:
    """How much a reason forbids, the more the higher; reasons that forbid the same, by code.

    After a soft one a machine may try again, after one that no table holds or a hard one it may
    not, and after one of `NEVER_AGAIN` nobody may. One that bars the mandate forbids most.
    """
    outcome_class, code = reason
    if outcome_class in SOFT:
        return 0, code
    if outcome_class is OutcomeClass.UNKNOWN_CODE:
        return 1, code
    if outcome_class in BARRING:
        return 4, code
    return (3 if outcome_class in NEVER_AGAIN else 2), code


def _history(
    loan: Loan, item: Installment, attempts: tuple[Attempt, ...], rules: Rulebook
) -> History:
    product = loan.product
    rail = rules.rail(product.rail)
    return History(
        attempts=attempts,
        due_on=item.due_on,
        plan=product.retry,
        rail=rail,
        mandate=loan.mandate,
        calendar=rules.calendar(rail.calendar),
        timezone=product.timezone,
        limits=rules.limits.get(rail.name, ()),
    )


def ends_on(loan: Loan, item: Installment, rules: Rulebook, at: datetime) -> date:
    """The first day on which no retry is possible any more, if nothing is presented until then."""
    decision = retry_decision(loan, item, rules, at)
    if isinstance(decision, NoRetry):
        return local_day(at, loan.product.timezone)
    _, last_day = last_value_day(_history(loan, item, item.attempts, rules))
    return last_day + timedelta(days=1)


def not_missed(
    planned: datetime, at: datetime, rail: RailProfile, calendar: BankingCalendar
) -> datetime:
    """A planned slot; one that has passed while the rail is closed moves to its next opening."""
    if planned >= at:
        return planned
    slot = earliest_slot(at, rail, calendar)
    return planned if slot == at else slot
