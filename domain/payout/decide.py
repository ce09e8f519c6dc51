"""Decides the commands on payouts: actions of the driver, orders of people."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar, assert_never

from domain.calendar import local_day
from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.debit.attempt import AttemptState
from domain.kernel.change import Done, Refusal, Superseded
from domain.kernel.command import Command
from domain.kernel.order import is_same_person, refusal_of_form
from domain.kernel.view import Action
from domain.money import amount_text
from domain.payment.portion import RefundStage
from domain.payout import agenda, bookings, casekeys
from domain.payout.commands import (
    AnyOrderOnPayout,
    ApprovePayout,
    Became,
    CancelPayout,
    EscalateRefund,
    InstructPayout,
    PayoutActionCommand,
    PayoutCommand,
    RaisePayout,
    RecordLearnt,
    RefusePayout,
    ReviewPayout,
    SettlePayout,
)
from domain.payout.decision import Decision
from domain.payout.lifecycle import PayoutEvent, PayoutState, advance
from domain.payout.payout import Payout, PayoutOrder, PayoutOrdered, Sending

C_co = TypeVar("C_co", covariant=True)
_E, _S = PayoutEvent, PayoutState


def today(work: Decision[Any], payout: Payout) -> date:
    """The local day of a payout's channel."""
    return local_day(work.at, work.payout_rules.channel(payout.channel).timezone)


# --- actions of the driver -----------------------------------------------------------------------


def decide_payout(work: Decision[C_co], command: PayoutCommand) -> C_co | Refusal:
    """Apply a command to one payout, or refuse it by a named rule."""
    payout = work.payout(command.payout)
    if payout is None:
        if command.evidence:
            return work.finish_payout(Done(note="unknown payout"), "")
        return Refusal("payout.unknown", f"no payout {command.payout}")
    if isinstance(command, PayoutActionCommand) and not _is_next(work, payout, command):
        return work.finish_payout(Superseded(), payout.key)
    done: C_co | Refusal = _STEPS[type(command)](work, payout, command)
    return done


def _is_next(work: Decision[Any], payout: Payout, command: PayoutActionCommand) -> bool:
    """Whether an action is still what comes next, and is due."""
    action: Action | None = agenda.next_action(payout, work.payout_rules, work.at)
    if action is None or command.generation != payout.generation:
        return False
    return action.key == command.action and action.not_before <= work.at


def _instruct(work: Decision[C_co], payout: Payout, _command: InstructPayout) -> C_co:
    """Book the order before it leaves; one that never left gets another lease."""
    channel = work.payout_rules.channel(payout.channel)
    until = work.at + channel.lease
    if payout.sending is not None:
        sends = abs(payout.sending.sends) + 1
        sending = replace(payout.sending, send_until=until, sends=sends, asked_at=work.at)
        again = replace(payout, sending=sending)
        work.move_payout(again, _E.SENT_AGAIN, f"send {sends}")
        return work.finish_payout(PayoutOrdered(_order(again, until)), payout.key)
    lacking = work.standing(payout.key).lacking(payout.minor)
    work.follow_amount(_shortage(payout, lacking))
    if lacking:
        short = replace(payout, looks=payout.looks + 1, looked_at=work.at)
        work.move_payout(replace(short, needs_operator="shortage"), _E.SHORT, f"{lacking} lacking")
        return work.finish_payout(Done(note="the account holds too little"), payout.key)
    sending = Sending(sent_at=work.at, send_until=until)
    out = replace(payout, sending=sending, needs_operator="")
    covers = work.move_refund(payout, RefundStage.ORDERED)
    work.post(bookings.instructed(payout, today(work, payout), covers))
    work.move_payout(out, _E.INSTRUCTED, f"order {payout.order_no}")
    return work.finish_payout(PayoutOrdered(_order(out, until)), payout.key)


def _order(payout: Payout, until: Any) -> PayoutOrder:  # noqa: ANN401  (an instant)
    return PayoutOrder(
        payout=payout.key,
        order_no=payout.order_no,
        channel=payout.channel,
        account=payout.account,
        beneficiary=payout.beneficiary,
        amount_minor=payout.minor,
        currency=payout.currency,
        send_until=until,
    )


def _shortage(payout: Payout, lacking: int) -> Case:
    said = amount_text(lacking, payout.currency)
    key = casekeys.shortage(payout.currency, payout.account)
    if payout.refund is not None:
        key = casekeys.refund_shortage(payout.order_no)
    text = f"{said} are lacking on {payout.account} to pay {payout.key} and leave others theirs"
    return Case(
        key,
        CaseKind.SHORTAGE,
        f"{text}; whoever owes the account tops it up",
        amount_minor=lacking,
        currency=payout.currency,
    )


def _review(work: Decision[C_co], payout: Payout, _command: ReviewPayout) -> C_co:
    """A payout that is said to be executed, and that no line shows, is a person's task."""
    why = "no bank line has come that shows it"
    work.move_payout(replace(payout, is_late=True, needs_operator=why), _E.LATE, why)
    work.open_case(doubt(payout, f"payout {payout.key} is said to be executed; {why}"))
    return work.finish_payout(Done(note=why), payout.key)


def _escalate(work: Decision[C_co], payout: Payout, _command: EscalateRefund) -> C_co:
    """A refund that has not left by its deadline is a person's task."""
    refund = payout.refunded
    why = f"refund of {refund.payment} was due by {refund.due_on} and is {payout.state}"
    work.move_payout(replace(payout, refund=replace(refund, is_overdue=True)), _E.OVERDUE, why)
    work.open_case(
        refund_case(payout, casekeys.overdue(payout.order_no), CaseKind.REFUND_OVERDUE, why)
    )
    return work.finish_payout(Done(note=why), payout.key)


def refund_case(payout: Payout, key: str, kind: CaseKind, text: str) -> Case:
    """A case about a refund; it names the first of its loans."""
    refund = payout.refunded
    return Case(
        key,
        kind,
        text,
        loan_id=refund.parts[0][0],
        number=refund.number,
        payment=refund.payment,
        amount_minor=payout.minor,
        currency=payout.currency,
    )


def _learnt(work: Decision[C_co], payout: Payout, _command: RecordLearnt) -> C_co:
    """Every loan knows: of the proof, or of the return once all of them knew of the proof."""
    if payout.learnt:
        work.move_payout(payout, _E.RETURN_LEARNT)
        return work.finish_payout(Done(note="every loan knows that it came back"), payout.key)
    work.move_payout(replace(payout, learnt=True), _E.LEARNT)
    return work.finish_payout(Done(note="every loan knows that it is proven"), payout.key)


def doubt(payout: Payout, text: str) -> Case:
    """The case of a payout of which nobody knows, or on which two sources differ."""
    return Case(
        casekeys.in_doubt(payout.order_no),
        CaseKind.PAYOUT_IN_DOUBT,
        text,
        amount_minor=payout.minor,
        currency=payout.currency,
    )


def fail(work: Decision[Any], payout: Payout, code: str, *, with_case: bool = True) -> None:
    """A payout was not executed: its items are open again, and a case says why."""
    work.post(bookings.failed(payout, today(work, payout), work.move_refund(payout, None)))
    work.move_payout(replace(payout, needs_operator=""), _E.FAILED, code)
    work.release_items(payout.key)
    work.close_case(casekeys.in_doubt(payout.order_no), "it was not executed")
    if payout.refund is not None:
        end_refund(work, payout, f"it was not executed: {code}", with_case=with_case)
    elif with_case:
        whose = (payout.payee, payout.currency, payout.account)
        text = f"payout {payout.key} was not executed: {code}; correct it before the next request"
        work.open_case(
            Case(
                casekeys.failed(*whose),
                CaseKind.PAYOUT_FAILED,
                text,
                amount_minor=payout.minor,
                currency=payout.currency,
            )
        )


def end_refund(work: Decision[Any], payout: Payout, why: str, *, with_case: bool = True) -> None:
    """A refund has not reached its payer: its money waits again, and a case says why."""
    work.close_case(casekeys.overdue(payout.order_no), why)
    if with_case:
        text = f"refund {payout.key} did not reach its payer: {why}"
        key = casekeys.unreachable(payout.order_no)
        work.open_case(refund_case(payout, key, CaseKind.REFUND_UNREACHABLE, text))


# --- orders of people ----------------------------------------------------------------------------


def _order_given(work: Decision[C_co], payout: Payout, order: AnyOrderOnPayout) -> C_co | Refusal:
    if refusal := refusal_of_form(order) or _not_allowed(payout, order):
        return refusal
    match order:
        case ApprovePayout():
            people = (order.actor.id, order.approver or "")
            work.move_payout(replace(payout, approved_by=people, needs_operator=""), _E.APPROVED)
        case RefusePayout():
            give_up(work, payout, _E.REFUSED, order.reason)
        case CancelPayout() if payout.sending is not None:
            fail(work, _ended(work, payout, AttemptState.RECALLED, "NEVER_LEFT"), "cancelled",
                 with_case=False)  # fmt: skip
        case CancelPayout():
            give_up(work, payout, _E.CANCELLED, order.reason)
        case SettlePayout(became=Became.EXECUTED):
            paid = _ended(work, payout, AttemptState.CONFIRMED, "BY_HAND")
            work.move_payout(replace(paid, needs_operator=""), _E.EXECUTED, order.reason)
            work.close_case(casekeys.in_doubt(payout.order_no), "a person has settled it")
        case SettlePayout():
            fail(work, _ended(work, payout, AttemptState.NOT_EXECUTED, "BY_HAND"), order.reason)
        case _:
            assert_never(order)  # type: ignore[arg-type]
    return work.finish_payout(Done(note=order.kind), payout.key)


def give_up(work: Decision[Any], payout: Payout, event: PayoutEvent, why: str) -> None:
    """A payout that was not instructed is not to be: its items are open, its money waits again."""
    work.move_payout(replace(payout, needs_operator=""), event, why)
    work.move_refund(payout, None)
    work.release_items(payout.key)
    if payout.refund is not None:
        end_refund(work, payout, why, with_case=False)
        work.close_case(casekeys.refund_shortage(payout.order_no), why)


def _ended(work: Decision[Any], payout: Payout, state: AttemptState, code: str) -> Payout:
    """The payout whose order has ended."""
    return with_sending(payout, state=state, code=code, ended_at=work.at)


def with_sending(payout: Payout, **changed: Any) -> Payout:  # noqa: ANN401  (fields of its sending)
    """The payout with some fields of its sending changed; one that was never out has none."""
    known = payout.sending
    return replace(payout, sending=None if known is None else replace(known, **changed))


def _not_allowed(payout: Payout, order: AnyOrderOnPayout) -> Refusal | None:
    """The rule that an order breaks, if it breaks one."""
    state, requester = payout.state, payout.requested_by.partition("/")[2]
    people = [order.actor.id, *([order.approver] if order.approver else [])]
    match order:
        case ApprovePayout() | RefusePayout() if state is not _S.REQUESTED:
            return Refusal("payout.state", f"it is {state}: nobody is asked")
        case ApprovePayout() if len(people) < 2:
            why = "two people approve what is above the machine's limit"
            return Refusal("payout.approver", why)
        case ApprovePayout() if any(is_same_person(one, requester) for one in people):
            return Refusal("payout.requester", "whoever requested it does not approve it")
        case CancelPayout() if state not in {_S.REQUESTED, _S.APPROVED} and not _is_here(payout):
            return Refusal("payout.state", f"it is {state}: nothing can be taken back")
        case SettlePayout() if state is not _S.IN_DOUBT:
            return Refusal("payout.state", f"it is {state}, not in doubt")
        case SettlePayout() if len(people) < 2:
            return Refusal("payout.approver", "a second person must agree")
        case _:
            return None


def _is_here(payout: Payout) -> bool:
    """Whether the order of a payout is known not to have left."""
    out = payout.state is _S.INSTRUCTED and payout.sending is not None
    return out and payout.sending is not None and payout.sending.never_left


def _raise(work: Decision[C_co], payout: Payout, command: RaisePayout) -> C_co:
    """The driver cannot go on by itself: a visible task for a person."""
    if not payout.needs_operator:
        why = command.reason or "the driver needs a person"
        work.put_payout(replace(payout, needs_operator=why))
    return work.finish_payout(Done(note="a person is asked"), payout.key)


_Step = Callable[[Decision[Any], Payout, Any], Any]
_STEPS: dict[type[Command], _Step] = {
    InstructPayout: _instruct,
    ReviewPayout: _review,
    EscalateRefund: _escalate,
    RecordLearnt: _learnt,
    RaisePayout: _raise,
    ApprovePayout: _order_given,
    RefusePayout: _order_given,
    CancelPayout: _order_given,
    SettlePayout: _order_given,
}


def moved(payout: Payout, event: PayoutEvent, at: Any) -> Payout:  # noqa: ANN401  (an instant)
    """The payout after an event; leaving a final state raises its generation."""
    state = payout.state if event is _E.REQUESTED else advance(payout.state, event)
    since = payout.since if state is payout.state else at
    return replace(payout, state=state, since=since)


HANDLERS: Mapping[type[Command], Callable[[Decision[Any], Any], Any]] = MappingProxyType(
    dict.fromkeys(_STEPS, decide_payout)
)
"""Who decides actions and orders; requests: see `requesting`, news of channels: `outcomes`."""
