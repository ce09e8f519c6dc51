"""What comes next while a debit order has no final outcome: a second send, or an inquiry."""

from datetime import datetime, timedelta

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.presentment import earliest_slot
from domain.debit.rail import RailProfile
from domain.kernel.view import Action
from domain.loan.aggregate import HoldKind, Installment, Rulebook
from domain.loan.retrying import not_missed
from domain.loan.view import ActionKind

RESEND_AFTER = timedelta(minutes=10)
"""Wait before the same order is sent again when it provably never left."""
NO_DEBIT = frozenset({HoldKind.DEBIT, HoldKind.ALL})


def while_live(
    item: Installment, rules: Rulebook, at: datetime, *, is_doubtful: bool
) -> Action | None:
    """The next thing to do about the live order of an installment, if it has one.

    An order that never left is sent again unless the installment is held or `is_doubtful`: a case
    about one of its orders is open. Then it is only asked after, which ends it.
    """
    attempt = item.live_attempt
    if attempt is None:
        return None
    rail = rules.rail(attempt.rail)
    if attempt.never_left and item.hold not in NO_DEBIT and not is_doubtful:
        base = (attempt.asked_at or attempt.intended_at) + RESEND_AFTER
        calendar = rules.calendar(rail.calendar)
        slot = not_missed(earliest_slot(base, rail, calendar), at, rail, calendar)
        key = f"present/{attempt.number}/again/{attempt.inquiries}"
        return Action(ActionKind.PRESENT, slot, "the order never left; sent again", key)
    instant = inquiry_at(attempt, rail)
    reason = f"order {attempt.state.value.lower()}, inquiry {attempt.inquiries + 1}"
    return Action(
        ActionKind.INQUIRE, instant, reason, f"inquire/{attempt.order_no}/{attempt.inquiries}"
    )


def inquiry_at(attempt: Attempt, rail: RailProfile) -> datetime:
    """When to ask about a live order next; waits grow, the last one repeats."""
    if attempt.state is AttemptState.ACCEPTED and attempt.inquiries == 0:
        return attempt.leaves_at + rail.expected_by
    wait = rail.inquiry[min(attempt.inquiries, len(rail.inquiry) - 1)]
    base = max(attempt.asked_at or attempt.send_until, attempt.intended_at)
    return base + wait
