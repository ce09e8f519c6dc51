"""Decides the orders on a case, and what its clocks do."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, assert_never

from domain.case import agenda
from domain.case.agenda import CaseAction
from domain.case.case import NOTES_MOST, Case, Note, Resolution
from domain.case.commands import (
    ActOnCase,
    AssignCase,
    CaseCommand,
    CaseOrder,
    NoteCase,
    ReopenCase,
    ResolveCase,
    TransferCase,
    WaitCase,
)
from domain.case.kinds import CASE_RULES, Blocks, CaseKind
from domain.case.lifecycle import CASE_FINAL, CaseEvent, advance
from domain.case.policy import CasePolicy
from domain.case.threshold import Measure, RecordFigure, ThresholdAction
from domain.kernel.change import Answer, Done, Refusal, Superseded
from domain.kernel.command import Command
from domain.kernel.driver import DriverRecord
from domain.kernel.order import refusal_of_form, refusal_without_approver

C_co = TypeVar("C_co", covariant=True)
WAIT_MOST = timedelta(days=366)


class Decision(Protocol[C_co]):
    """The part of a decision being worked out that cases need."""

    @property
    def at(self) -> datetime:
        """The instant of the command, UTC."""
        ...

    @property
    def case_policy(self) -> CasePolicy:
        """The clocks and owners of cases."""
        ...

    def case(self, key: str) -> Case | None:
        """The case as it is now in this decision, resolved ones included."""
        ...

    def open_case(self, case: Case) -> None:
        """Open a case unless one of its key is open; one that was resolved is opened again."""
        ...

    def close_case(self, key: str, why: str = "") -> None:
        """End the case of a key, if one is open: what it waited for has come."""
        ...

    def move_case(self, case: Case, event: CaseEvent, detail: str = "") -> None:
        """Write the new case, and its move to the journal."""
        ...

    def show_case(self, key: str) -> None:
        """Write the view of a case anew: whoever read it acts on what is not so any more."""
        ...

    def finish_case(self, answer: Answer, key: str) -> C_co:
        """End the decision with the view of a case."""
        ...


def decide_case(work: Decision[C_co], command: CaseCommand) -> C_co | Refusal:
    """Apply a command to one case, or refuse it by a named rule."""
    case = work.case(command.case)
    if case is None:
        return Refusal("case.unknown", f"no case {command.case}")
    if isinstance(command, CaseOrder) and (refusal := _refused(work, case, command)):
        return refusal
    done: C_co = _STEPS[type(command)](work, case, command)
    return done


def record_figure(work: Decision[C_co], command: RecordFigure) -> C_co:
    """Open the case of a rule that a figure breaks; end it when the figure is below the limit."""
    rule = work.case_policy.thresholds.get(command.threshold)
    if rule is None or not rule.is_broken(command.value):
        why = "no such rule any more" if rule is None else rule.words(command.value)
        work.close_case(command.case, why)
        return work.finish_case(Done(note=why), command.case)
    known = work.case(rule.case)
    if known is None or not known.is_open:
        minor = command.value if rule.measure is Measure.AMOUNT else 0
        text = f"rule {rule.name}: {rule.words(command.value)}"
        case = Case(rule.case, CaseKind.THRESHOLD, text, amount_minor=minor)
        work.open_case(replace(case, currency=rule.currency, code=rule.name))
        opened = work.case(rule.case)
        if opened is not None and rule.action is ThresholdAction.ESCALATE:
            _hand_up(work, opened)
    return work.finish_case(Done(note=rule.words(command.value)), rule.case)


def _hand_up(work: Decision[Any], case: Case) -> None:
    """Give a case to the next of its chain of owners, if there is one."""
    if to := work.case_policy.next_of_chain(case):
        case = replace(case, owner=to, escalation=case.escalation + 1)
        work.move_case(case, CaseEvent.ESCALATED, to)


def resolved(case: Case, at: datetime, resolution: Resolution) -> Case:
    """The case ended; its owner and assignee stay, for whoever reads it later."""
    return replace(
        case,
        state=advance(case.state, CaseEvent.RESOLVED),
        resolution=resolution,
        resolved_at=at,
        waits_since=None,
        waits_until=None,
    )


def reopened(case: Case, at: datetime) -> Case:
    """The case opened again under a higher generation: its clocks begin anew, its notes stay."""
    return replace(
        case,
        state=advance(case.state, CaseEvent.REOPENED),
        generation=case.generation + 1,
        opened_at=at,
        assignee="",
        acted_at=None,
        waited_s=0,
        reminded=False,
        escalation=0,
        team="",
        chain_from=0,
        resolution=None,
        resolved_at=None,
        driver=DriverRecord(),
    )


def _refused(work: Decision[Any], case: Case, order: CaseOrder) -> Refusal | None:
    """The rule that an order breaks, if it breaks one."""
    if case.state in CASE_FINAL and not isinstance(order, NoteCase | ReopenCase):
        return Refusal("case.resolved", "it is resolved; open it again first")
    if refusal := refusal_of_form(order):
        return refusal
    match order:
        case NoteCase() if len(case.notes) >= NOTES_MOST:
            return Refusal("case.notes", f"it holds {NOTES_MOST} notes, the most that one can")
        case ReopenCase() if case.state not in CASE_FINAL:
            return Refusal("case.open", "it is open")
        case ReopenCase() if CASE_RULES[case.kind].ends:
            # What ended it has come once: nothing would end it again, nor by hand.
            return Refusal("case.evidence", "evidence ended it, and evidence alone opens it again")
        case WaitCase() if not work.at < _midnight(order) <= work.at + WAIT_MOST:
            return Refusal("case.wait", f"a day after today, at most {WAIT_MOST.days} days ahead")
        case TransferCase(to=to) if to not in work.case_policy.teams:
            return Refusal("case.team", f"one of {', '.join(work.case_policy.teams)}")
        case ResolveCase():
            rule = CASE_RULES[case.kind]
            if rule.ends:
                return Refusal("case.evidence", f"it ends when {rule.ends}, not by hand")
            if rule.blocks is not Blocks.NOTHING:
                return refusal_without_approver(order, "it keeps a gate shut")
        case _:
            pass
    return None


def _midnight(order: WaitCase) -> datetime:
    return datetime.combine(order.until, time(), UTC)


def _assign(work: Decision[C_co], case: Case, order: AssignCase) -> C_co:
    if case.assignee == order.assignee and case.waits_until is None:
        return work.finish_case(Done(note="assigned already"), case.key)
    state = advance(case.state, CaseEvent.ASSIGNED)
    case = _taken_up(_acted(case, work.at), work.at)
    case = replace(case, state=state, assignee=order.assignee)
    work.move_case(case, CaseEvent.ASSIGNED, order.assignee)
    return work.finish_case(Done(note=f"assigned to {order.assignee}"), case.key)


def _note(work: Decision[C_co], case: Case, order: NoteCase) -> C_co:
    note = Note(work.at, f"{order.actor.kind}/{order.actor.id}", order.reason)
    case = replace(_acted(case, work.at), notes=(*case.notes, note))
    work.move_case(case, CaseEvent.NOTED, f"note {len(case.notes)}")
    return work.finish_case(Done(note="noted"), case.key)


def _wait(work: Decision[C_co], case: Case, order: WaitCase) -> C_co:
    state = advance(case.state, CaseEvent.WAIT_ORDERED)
    since = case.waits_since or work.at
    case = replace(_acted(case, work.at), state=state, waits_since=since)
    case = replace(case, waits_until=_midnight(order))
    work.move_case(case, CaseEvent.WAIT_ORDERED, order.until.isoformat())
    return work.finish_case(Done(note=f"put aside until {order.until}"), case.key)


def _transfer(work: Decision[C_co], case: Case, order: TransferCase) -> C_co:
    """Another team has it from now on: its first action and its end are due when they were."""
    if case.owner == order.to:
        return work.finish_case(Done(note=f"with {order.to} already"), case.key)
    case = replace(
        case,
        state=advance(case.state, CaseEvent.TRANSFERRED),
        owner=order.to,
        assignee="",
        team=order.to,
        transfers=case.transfers + 1,
        chain_from=case.escalation,
    )
    work.move_case(case, CaseEvent.TRANSFERRED, order.to)
    return work.finish_case(Done(note=f"transferred to {order.to}"), case.key)


def _resolve(work: Decision[C_co], case: Case, order: ResolveCase) -> C_co:
    how = Resolution(order.resolution.value)
    case = resolved(replace(case, cause=order.cause or case.cause), work.at, how)
    work.move_case(case, CaseEvent.RESOLVED, how.value)
    return work.finish_case(Done(note=f"resolved: {order.resolution.value}"), case.key)


def _reopen(work: Decision[C_co], case: Case, _order: ReopenCase) -> C_co:
    again = replace(reopened(case, work.at), owner=work.case_policy.owner(case.kind))
    work.move_case(again, CaseEvent.REOPENED)
    return work.finish_case(Done(note="opened again"), case.key)


def _act(work: Decision[C_co], case: Case, command: ActOnCase) -> C_co:
    """What its clocks ask for; an action that is not next, or not due, is superseded."""
    action = agenda.next_action(case, work.case_policy)
    is_next = action is not None and (action.key, case.generation) == (
        command.action,
        command.generation,
    )
    if action is None or not is_next or action.not_before > work.at:
        if not case.driver.opened:
            work.show_case(case.key)
        return work.finish_case(Superseded(), case.key)
    kind = CaseAction(action.kind)
    match kind:
        case CaseAction.REMIND:
            work.move_case(replace(case, reminded=True), CaseEvent.REMINDED, case.owner)
        case CaseAction.ESCALATE:
            _hand_up(work, case)
        case CaseAction.RESUME:
            event = CaseEvent.WAIT_ENDED_ASSIGNED if case.assignee else CaseEvent.WAIT_ENDED
            case = replace(_taken_up(case, work.at), state=advance(case.state, event))
            work.move_case(case, event)
        case _:
            assert_never(kind)
    return work.finish_case(Done(note=action.reason), case.key)


def _taken_up(case: Case, at: datetime) -> Case:
    """The case put aside no more: its clocks stood still for so long."""
    until = min(at, case.waits_until or at)
    waited = until - (case.waits_since or until)
    waited_s = case.waited_s + int(waited.total_seconds())
    return replace(case, waits_since=None, waits_until=None, waited_s=waited_s)


def _acted(case: Case, at: datetime) -> Case:
    """The case, in which a person has done something by now."""
    return case if case.acted_at is not None else replace(case, acted_at=at)


_Step = Callable[[Decision[Any], Case, Any], Any]
_STEPS: Mapping[type[CaseCommand], _Step] = MappingProxyType(
    {
        ActOnCase: _act,
        AssignCase: _assign,
        NoteCase: _note,
        WaitCase: _wait,
        ResolveCase: _resolve,
        ReopenCase: _reopen,
        TransferCase: _transfer,
    }
)
HANDLERS: Mapping[type[Command], Callable[[Decision[Any], Any], Any]] = MappingProxyType(
    {**dict.fromkeys(_STEPS, decide_case), RecordFigure: record_figure}
)
"""The function that decides each command on a case."""
