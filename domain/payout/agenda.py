"""What comes next for a payout, and its view."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from domain.calendar import BankingCalendar, local_day, local_instant
from domain.debit.attempt import AttemptState
from domain.debit.presentment import earliest_slot
from domain.debit.rail import RailProfile
from domain.errors import InvariantBroken
from domain.kernel.view import Action, Labels, View
from domain.payout.lifecycle import LIVE, OUT, PAYOUT_FINAL, PayoutState
from domain.payout.payout import Payout, Sending
from domain.payout.policy import RELOOK, RemittancePolicy
from domain.payout.refundstatus import refund_detail
from domain.payout.view import PayoutDetail, PayoutView

T = TypeVar("T")
RESEND_AFTER = timedelta(minutes=10)
"""Wait before an order is sent again that provably never left."""
REVIEW_AT = time(12, 0)
LINE_WITHIN = 3
"""Banking days within which a line is expected of a payee whom the policy no longer names."""


class PayoutAction(StrEnum):
    """What the driver of a payout is asked to do."""

    INSTRUCT = "INSTRUCT"
    """Send the order, once."""
    INQUIRE = "INQUIRE"
    """Ask the channel what became of the order."""
    REVIEW = "REVIEW"
    """No line has come in time: have a person look."""
    LEARN = "LEARN"
    """Let its loans know that it is proven."""
    UNLEARN = "UNLEARN"
    """Let its loans know that it came back."""
    ESCALATE = "ESCALATE"
    """A refund has not left by its deadline: have a person look."""


@dataclass(frozen=True, slots=True)
class PayoutRules:
    """What rules about payouts look up: the policy of payees, channels and calendars by name."""

    policy: RemittancePolicy
    channels: Mapping[str, RailProfile]
    calendars: Mapping[str, BankingCalendar]

    def channel(self, name: str) -> RailProfile:
        """A channel's capabilities by its name.

        Raises:
            InvariantBroken: there is none of this name.
        """
        return _named(self.channels, name, "payout channel")

    def calendar(self, name: str) -> BankingCalendar:
        """A banking calendar by its name.

        Raises:
            InvariantBroken: there is none of this name.
        """
        return _named(self.calendars, name, "calendar")


def _named(found: Mapping[str, T], name: str, what: str) -> T:
    if name not in found:
        raise InvariantBroken(f"no {what} {name!r} in the rule book")
    return found[name]


def is_final(payout: Payout) -> bool:
    """Whether nothing is left to do about a payout."""
    return payout.state in PAYOUT_FINAL


def next_action(payout: Payout, rules: PayoutRules, at: datetime) -> Action | None:
    """The next thing to do about a payout, or None when it only waits for news.

    The deadline of a refund comes before whatever is later than it.
    """
    usual, deadline = _usual(payout, rules, at), _refund_deadline(payout, rules)
    known = [action for action in (usual, deadline) if action is not None]
    return min(known, key=lambda action: action.not_before, default=None)


def _usual(payout: Payout, rules: PayoutRules, at: datetime) -> Action | None:
    """What comes next by its state."""
    match payout.state:
        case PayoutState.APPROVED:
            base = payout.since if payout.looked_at is None else payout.looked_at + RELOOK
            slot = _slot(base, rules.channel(payout.channel), rules, at)
            return Action(PayoutAction.INSTRUCT, slot, "approved", f"instruct/{payout.looks}")
        case PayoutState.INSTRUCTED | PayoutState.IN_DOUBT if payout.sending is not None:
            return _while_out(payout.sending, rules.channel(payout.channel), rules, at)
        case PayoutState.PAID if not payout.is_late:
            return _line_deadline(payout, rules)
        case PayoutState.PROVEN:
            return Action(PayoutAction.LEARN, payout.since, "its line is booked", "learn")
        case PayoutState.RETURNED:
            kind = PayoutAction.UNLEARN if payout.learnt else PayoutAction.LEARN
            return Action(kind, payout.since, "it came back", kind.lower())
        case _:
            return None


def _refund_deadline(payout: Payout, rules: PayoutRules) -> Action | None:
    """The deadline of a refund that no line shows, as long as nobody has been told."""
    refund = payout.refund
    if refund is None or refund.is_overdue or payout.state not in LIVE:
        return None
    instant = local_instant(refund.due_on, REVIEW_AT, rules.channel(payout.channel).timezone)
    return Action(PayoutAction.ESCALATE, instant, f"due by {refund.due_on}", "escalate")


def _while_out(sending: Sending, channel: RailProfile, rules: PayoutRules, at: datetime) -> Action:
    """Send an order that never left again; ask about any other. Waits grow, the last repeats."""
    asked = sending.inquiries
    if sending.never_left:
        base = (sending.asked_at or sending.sent_at) + RESEND_AFTER
        slot, why = _slot(base, channel, rules, at), "the order never left; sent again"
        return Action(PayoutAction.INSTRUCT, slot, why, f"instruct/again/{asked}")
    if sending.state is AttemptState.ACCEPTED and not asked:
        instant = sending.sent_at + channel.expected_by
    else:
        wait = channel.inquiry[min(asked, len(channel.inquiry) - 1)]
        instant = max(sending.asked_at or sending.send_until, sending.sent_at) + wait
    reason = f"order {sending.state.value.lower()}, inquiry {asked + 1}"
    return Action(PayoutAction.INQUIRE, instant, reason, f"inquire/{asked}")


def _slot(base: datetime, channel: RailProfile, rules: PayoutRules, at: datetime) -> datetime:
    """The first instant from `base` on at which the channel takes orders; a missed one is now."""
    calendar = rules.calendar(channel.calendar)
    slot = earliest_slot(base, channel, calendar)
    if slot >= at:
        return slot
    now = earliest_slot(at, channel, calendar)
    return slot if now == at else now


def _line_deadline(payout: Payout, rules: PayoutRules) -> Action:
    """The review of a payout that is said to be executed and that no line shows."""
    policy = rules.policy.payees.get(payout.payee)
    channel = rules.channel(payout.channel)
    days = policy.line_within_banking_days if policy is not None else LINE_WITHIN
    executed_on = local_day(payout.since, channel.timezone)
    day = rules.calendar(channel.calendar).add_banking_days(executed_on, days)
    instant = local_instant(day, REVIEW_AT, channel.timezone)
    return Action(PayoutAction.REVIEW, instant, f"its line is expected by {day}", "review")


def view_of(payout: Payout, rules: PayoutRules, at: datetime) -> PayoutView:
    """The view of a payout at an instant."""
    sending = payout.sending
    return View(
        tenant=payout.tenant,
        subject=payout.subject,
        generation=payout.generation,
        version=payout.version,
        state=payout.state.value,
        labels=Labels(
            due_on=payout.cut_off_on,
            currency=payout.currency,
            amount_minor=payout.minor,
            rail=payout.channel,
            code=sending.code if sending else "",
            attempt_no=abs(sending.sends) if sending else 0,
            owner=payout.payee,
        ),
        detail=PayoutDetail(
            account=payout.account,
            number=payout.number,
            order_no=payout.order_no,
            items=payout.items.count,
            attempt_state=sending.state.value if sending else "",
            requested_by=payout.requested_by,
            approved_by=payout.approved_by,
            line=payout.line,
            return_line=payout.return_line,
            cut_off_on=payout.cut_off_on,
            refund=None if payout.refund is None else refund_detail(payout, payout.refund),
        ),
        is_final=is_final(payout),
        next_action=next_action(payout, rules, at),
        missing=("outcome",) if payout.state in OUT else (),
        needs_operator=payout.needs_operator,
        as_of=at,
    )
