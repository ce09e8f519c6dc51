"""Decides the commands on the closure of a loan: actions of the driver, news, orders of people."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, assert_never

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.kernel.change import Answer, Done, Refusal, Superseded
from domain.kernel.command import Command
from domain.kernel.order import refusal_of_form, refusal_without_approver
from domain.kernel.view import Action
from domain.loanclosure import agenda, casekeys
from domain.loanclosure.agenda import ClosureFacts, leg_of
from domain.loanclosure.certificate import Certificate
from domain.loanclosure.closure import Leg, LegOrdered, LoanClosure, reference_of
from domain.loanclosure.commands import (
    AnyOrderOnClosure,
    BeginLeg,
    ClosureActionCommand,
    ClosureCommand,
    HoldClosure,
    LegStatus,
    RaiseClosure,
    RecordCertificate,
    RecordLegNews,
    RecordSealed,
    ResumeClosure,
    RetryLeg,
    ReviewLeg,
    StateLegDone,
    WaiveLeg,
)
from domain.loanclosure.lifecycle import ClosureEvent, ClosureState, LegEvent, LegState
from domain.loanclosure.rules import DoneBy, LegKind

C_co = TypeVar("C_co", covariant=True)
_E, _S, _V = ClosureEvent, ClosureState, LegEvent


class Decision(Protocol[C_co]):
    """The part of a decision being worked out that the closure of a loan needs."""

    @property
    def at(self) -> datetime:
        """The instant of the command, UTC."""
        ...

    def closure(self, loan_id: str) -> LoanClosure | None:
        """The closure of a loan as it is now in this decision."""
        ...

    def closure_facts(self, loan_id: str) -> ClosureFacts:
        """What its agenda looks up."""
        ...

    def move_closure(self, closure: LoanClosure, event: ClosureEvent, detail: str = "") -> None:
        """Move a closure along the table and write the move to the journal."""
        ...

    def put_closure(self, closure: LoanClosure) -> None:
        """Replace a closure without a move."""
        ...

    def tell_borrower(self, closure: LoanClosure, leg: Leg, channel: str) -> None:
        """Queue the message of a leg to the borrower; its reference is the message's id."""
        ...

    def open_case(self, case: Case) -> None:
        """Open a case unless one of its key is open; one that was resolved is opened again."""
        ...

    def close_case(self, key: str, why: str = "") -> None:
        """End the case of a key, if one is open."""
        ...

    def finish_closure(self, answer: Answer, loan_id: str) -> C_co:
        """End the decision with the view of a closure; an empty id names none."""
        ...


def decide_closure(work: Decision[C_co], command: ClosureCommand) -> C_co | Refusal:
    """Apply a command to the closure of a loan, or refuse it by a named rule."""
    closure = work.closure(command.loan_id)
    if closure is None:
        if command.evidence:
            return work.finish_closure(Done(note="the loan is not being closed"), "")
        return Refusal("closure.unknown", f"loan {command.loan_id} is not being closed")
    if isinstance(command, ClosureActionCommand) and not _is_next(work, closure, command):
        return work.finish_closure(Superseded(), closure.loan_id)
    done: C_co | Refusal = _STEPS[type(command)](work, closure, command)
    return done


def _is_next(work: Decision[Any], closure: LoanClosure, command: ClosureActionCommand) -> bool:
    """Whether an action is still what comes next, and is due."""
    facts = work.closure_facts(closure.loan_id)
    action: Action | None = agenda.next_action(closure, facts, work.at)
    if action is None or command.generation != closure.generation:
        return False
    return action.key == command.action and action.not_before <= work.at


# --- one leg -------------------------------------------------------------------------------------


def move_leg(work: Decision[Any], leg: Leg, loan_id: str, event: LegEvent, detail: str = "") -> Leg:
    """Move one leg along its table, write it to the journal, and end or open its cases."""
    closure = _known(work, loan_id)
    before, now = closure.leg(leg.kind), leg.after(event, work.at)
    if event is _V.RETRIED:
        now = replace(now, due_at=None)  # it has its time anew from the next request on
    source = before.state if before is not None else now.state
    text = f"{leg.kind}: {source} to {now.state}" + (f", {detail}" if detail else "")
    work.move_closure(closure.with_leg(now), _E.LEG_MOVED, text)
    if now.state is LegState.REJECTED:
        what = f"{leg.kind} of loan {loan_id} is refused: {now.code}"
        work.open_case(_case(work, loan_id, CaseKind.CLOSURE_REJECTED, leg.kind, what))
    elif now.state is LegState.OVERDUE and event is _V.DEADLINE_PASSED:
        what = f"{leg.kind} of loan {loan_id} is not done in time"
        work.open_case(_case(work, loan_id, CaseKind.CLOSURE_OVERDUE, leg.kind, what))
    if now.is_over:
        work.close_case(casekeys.overdue(loan_id, leg.kind), f"{leg.kind} is {now.state}")
    if now.is_over or event is _V.RETRIED:
        work.close_case(casekeys.rejected(loan_id, leg.kind), f"{leg.kind} is {now.state}")
    return now


def _known(work: Decision[Any], loan_id: str) -> LoanClosure:
    closure = work.closure(loan_id)
    assert closure is not None  # noqa: S101  (whoever calls has looked it up)
    return closure


def _case(work: Decision[Any], loan_id: str, kind: CaseKind, leg: LegKind, text: str) -> Case:
    overdue = kind is CaseKind.CLOSURE_OVERDUE
    key = casekeys.overdue(loan_id, leg) if overdue else casekeys.rejected(loan_id, leg)
    currency = work.closure_facts(loan_id).currency
    return Case(key, kind, text, loan_id=loan_id, currency=currency, code=leg.value)


# --- actions of the driver -----------------------------------------------------------------------


def _begin(work: Decision[C_co], closure: LoanClosure, command: BeginLeg) -> C_co:
    """Ask for a leg, or ask about it: the reference stays as long as one request is out."""
    leg = closure.leg(leg_of(command.action))
    assert leg is not None  # noqa: S101  (the action names one of its legs)
    if leg.state is LegState.REJECTED:
        leg = move_leg(work, leg, closure.loan_id, _V.RETRIED)
    if leg.state is LegState.PENDING:
        leg = _requested(work, closure, leg)
    else:
        leg = replace(leg, inquiries=leg.inquiries + 1, asked_at=work.at)
        work.put_closure(_known(work, closure.loan_id).with_leg(leg))
    return work.finish_closure(LegOrdered(leg.kind, leg.reference), closure.loan_id)


def _requested(work: Decision[Any], closure: LoanClosure, leg: Leg) -> Leg:
    facts, tries = work.closure_facts(closure.loan_id), leg.tries + 1
    rule = facts.rules.rule(leg.kind)
    leg = replace(
        leg,
        tries=tries,
        reference=reference_of(closure, leg.kind, tries),
        asked_at=work.at,
        inquiries=0,
        due_at=work.at + rule.within,
    )
    to = f" to {rule.channel}" if rule.channel else ""
    leg = move_leg(work, leg, closure.loan_id, _V.REQUESTED, f"request {leg.reference}{to}")
    if facts.rules.done_by(leg.kind) is DoneBy.NOTICE:
        channel = rule.channels[min(tries, len(rule.channels)) - 1]
        work.tell_borrower(_known(work, closure.loan_id), leg, channel)
    return leg


def _review(work: Decision[C_co], closure: LoanClosure, command: ReviewLeg) -> C_co:
    """A leg is late: the borrower is told over the next channel, anything else is a case."""
    leg = closure.leg(leg_of(command.action))
    assert leg is not None  # noqa: S101  (the action names one of its legs)
    if leg.state is LegState.REQUESTED and _has_next_channel(work, closure, leg):
        move_leg(work, leg, closure.loan_id, _V.RETRIED, "nobody has said that it arrived")
    else:
        move_leg(work, leg, closure.loan_id, _V.DEADLINE_PASSED)
    return work.finish_closure(Done(note=f"{leg.kind} is late"), closure.loan_id)


def _has_next_channel(work: Decision[Any], closure: LoanClosure, leg: Leg) -> bool:
    rules = work.closure_facts(closure.loan_id).rules
    is_notice = rules.done_by(leg.kind) is DoneBy.NOTICE
    return is_notice and leg.tries < len(rules.rule(leg.kind).channels)


def _sealed(work: Decision[C_co], closure: LoanClosure, command: RecordSealed) -> C_co:
    """A signed head covers it."""
    by = f"{command.size} {command.root}"
    work.move_closure(replace(closure, sealed_by=by, needs_operator=""), _E.SEALED, by)
    return work.finish_closure(Done(note="sealed"), closure.loan_id)


# --- news ----------------------------------------------------------------------------------------


def _news(work: Decision[C_co], closure: LoanClosure, command: RecordLegNews) -> C_co:
    """What a counterparty said; the same or weaker news has no effect, that of an old request."""
    leg, news = closure.of_reference(command.reference), command.news
    if leg is None:
        return work.finish_closure(Done(note="not its last request"), closure.loan_id)
    event = _EVENTS.get(news.status)
    leg = replace(leg, code=news.code or leg.code, proof=news.proof or leg.proof)
    if news.status is LegStatus.REJECTED:
        leg = replace(leg, may_retry=news.may_retry)
    if event is not None and leg.can(event):
        was = leg.state
        if (event, was) != (_V.ACKNOWLEDGED, LegState.ACKNOWLEDGED):
            move_leg(work, leg, closure.loan_id, event, news.proof or news.code)
    return work.finish_closure(Done(note=news.status.value), closure.loan_id)


_EVENTS: Mapping[LegStatus, LegEvent] = MappingProxyType(
    {
        LegStatus.ACKNOWLEDGED: _V.ACKNOWLEDGED,
        LegStatus.REJECTED: _V.REJECTED,
        LegStatus.DONE: _V.PROVEN,
        LegStatus.NOT_NEEDED: _V.FOUND_UNNEEDED,
    }
)
"""What news does to a leg; an unusable answer does nothing to it."""


def _certificate(work: Decision[C_co], closure: LoanClosure, command: RecordCertificate) -> C_co:
    """A certificate was signed; one that came too late is kept, revoked at once."""
    known = {one.generation for one in closure.certificates}
    if command.generation in known:
        return work.finish_closure(Done(note="it has a certificate"), closure.loan_id)
    leg = closure.leg(LegKind.ISSUE_CERTIFICATE)
    stands = leg is not None and leg.can(_V.PROVEN) and command.generation == closure.generation
    given = Certificate(
        command.generation,
        command.text,
        command.key,
        command.signature,
        work.at,
        None if stands else work.at,
        "" if stands else "the closure was revoked while it was signed",
    )
    work.put_closure(replace(closure, certificates=(*closure.certificates, given)))
    if leg is not None and stands:
        leg = replace(leg, proof=f"certificate {given.code}")
        move_leg(work, leg, closure.loan_id, _V.PROVEN, leg.proof)
    return work.finish_closure(Done(note=given.code), closure.loan_id)


def borrower_told(
    work: Decision[Any], loan_id: str, reference: str, channel: str, *, delivered: bool
) -> None:
    """What became of a message to the borrower, if it was one of a leg that waits for that."""
    closure = work.closure(loan_id)
    leg = closure.of_reference(reference) if closure is not None else None
    if closure is None or leg is None:
        return
    if delivered and leg.can(_V.PROVEN):
        proof = f"delivered over {channel}"
        move_leg(work, replace(leg, proof=proof), loan_id, _V.PROVEN, proof)
    elif not delivered and leg.state is LegState.REQUESTED:
        if _has_next_channel(work, closure, leg):
            move_leg(work, leg, loan_id, _V.RETRIED, f"not delivered over {channel}")
        else:
            failed = replace(leg, code="not_delivered")
            move_leg(work, failed, loan_id, _V.REJECTED, f"not delivered over {channel}")


def _raise(work: Decision[C_co], closure: LoanClosure, command: RaiseClosure) -> C_co:
    """The driver cannot go on by itself: a visible task for a person."""
    if not closure.needs_operator:
        why = command.reason or "the driver needs a person"
        work.put_closure(replace(closure, needs_operator=why))
    return work.finish_closure(Done(note="a person is asked"), closure.loan_id)


# --- orders of people ----------------------------------------------------------------------------


def _order_given(
    work: Decision[C_co], closure: LoanClosure, order: AnyOrderOnClosure
) -> C_co | Refusal:
    if refusal := refusal_of_form(order):
        return refusal
    match order:
        case HoldClosure() | ResumeClosure():
            return _held(work, closure, order)
        case RetryLeg():
            event, changed = _V.RETRIED, {"may_retry": False, "code": ""}
        case StateLegDone():
            event, changed = _V.PROVEN, {"proof": f"by hand: {order.proof}"}
        case WaiveLeg():
            event, changed = _V.WAIVED, {"proof": f"waived: {order.reason}"}
        case _:
            assert_never(order)  # type: ignore[arg-type]
    if not isinstance(order, RetryLeg) and (
        refusal := refusal_without_approver(order, "what proves a closure is said by two")
    ):
        return refusal
    leg = closure.leg(order.leg)
    if leg is None or not leg.can(event):
        state = leg.state if leg is not None else "no part of it"
        return Refusal("closure.leg", f"{order.leg} is {state}")
    work.put_closure(replace(closure, needs_operator=""))
    by = f"{order.actor.kind}/{order.actor.id}"
    move_leg(work, replace(leg, **changed), closure.loan_id, event, f"ordered by {by}")  # type: ignore[arg-type]
    return work.finish_closure(Done(note=order.kind), closure.loan_id)


def _held(
    work: Decision[C_co], closure: LoanClosure, order: HoldClosure | ResumeClosure
) -> C_co | Refusal:
    """Stop the actions of a closure, or let it go on."""
    holds = isinstance(order, HoldClosure)
    if agenda.is_final(closure) or bool(closure.held) is holds:
        return Refusal("closure.hold", "it has ended, is held already, or is not held")
    changed = replace(closure, held=order.reason if holds else "", needs_operator="")
    work.move_closure(changed, _E.HELD if holds else _E.RESUMED, order.reason)
    return work.finish_closure(Done(note=order.kind), closure.loan_id)


_Step = Callable[[Decision[Any], LoanClosure, Any], Any]
_STEPS: dict[type[Command], _Step] = {
    BeginLeg: _begin,
    ReviewLeg: _review,
    RecordSealed: _sealed,
    RecordLegNews: _news,
    RecordCertificate: _certificate,
    RaiseClosure: _raise,
    **dict.fromkeys((RetryLeg, StateLegDone, WaiveLeg, HoldClosure, ResumeClosure), _order_given),
}
HANDLERS: Mapping[type[Command], Callable[[Decision[Any], Any], Any]] = MappingProxyType(
    dict.fromkeys(_STEPS, decide_closure)
)
"""Who decides each command on the closure of a loan."""
