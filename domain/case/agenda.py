"""What comes next for a case, and its view."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from domain.case.case import Case
from domain.case.kinds import CASE_RULES
from domain.case.lifecycle import CASE_FINAL, CaseState
from domain.case.policy import CasePolicy
from domain.case.view import CaseDetail, CaseView
from domain.kernel.view import Action, Labels, View

NO_TENANT = "none"
"""The tenant of a case that is about no loan."""


class CaseAction(StrEnum):
    """What a sweep, or the driver of a case, is asked to do."""

    REMIND = "REMIND"
    """Nobody has taken it: remind its owner."""
    ESCALATE = "ESCALATE"
    """It should have ended: hand it to the next of the chain."""
    RESUME = "RESUME"
    """The day has come until which it was put aside."""


def next_action(case: Case, policy: CasePolicy) -> Action | None:
    """The next thing to do about a case by itself; None when only people can do something."""
    return min(_actions(case, policy), key=lambda action: action.not_before, default=None)


def _actions(case: Case, policy: CasePolicy) -> Iterator[Action]:
    if not case.is_open or case.opened_at is None:
        return
    if case.state is CaseState.WAITING and case.waits_until is not None:
        key = f"resume/{case.waits_until.isoformat()}"
        yield Action(CaseAction.RESUME, case.waits_until, "the wait ends", key)
        return
    level, began = policy.level(case.kind), _began(case, case.opened_at)
    if case.acted_at is None and not case.reminded:
        at = began + level.first_action
        yield Action(CaseAction.REMIND, at, "nobody has taken it", f"remind/{case.generation}")
    if to := policy.next_of_chain(case):
        steps = case.escalation - case.chain_from
        at = began + level.resolution + steps * level.escalate_every
        key = f"escalate/{case.generation}/{case.escalation}"
        yield Action(CaseAction.ESCALATE, at, f"it has not ended; it goes to {to}", key)


def _began(case: Case, opened_at: datetime) -> datetime:
    """From when its clocks count: they stood still while it was put aside."""
    return opened_at + timedelta(seconds=case.waited_s)


def view_of(case: Case, policy: CasePolicy, at: datetime) -> CaseView:
    """The view of a case at an instant."""
    level = policy.level(case.kind)
    opened_at = case.opened_at or at
    began = _began(case, opened_at)
    resolve_by = began + level.resolution
    first_by = began + level.first_action if case.acted_at is None else None
    waits = case.is_open and case.state is not CaseState.WAITING
    return View(
        tenant=case.tenant or NO_TENANT,
        subject=case.subject,
        generation=case.generation,
        version=case.version,
        state=case.state.value,
        labels=Labels(
            loan_id=case.loan_id or "",
            number=case.number,
            due_on=resolve_by.date(),
            currency=case.currency,
            amount_minor=case.amount_minor,
            code=case.kind.value,
            owner=case.assignee or case.owner,
        ),
        detail=CaseDetail(
            text=case.text,
            cause=(case.cause or CASE_RULES[case.kind].cause).value,
            owner=case.owner,
            assignee=case.assignee,
            line=case.line or "",
            payment=case.payment or "",
            opened_at=opened_at,
            first_action_by=first_by,
            resolve_by=resolve_by,
            late_from=min(first_by or resolve_by, resolve_by) if waits else None,
            waits_until=case.waits_until,
            escalation=case.escalation,
            resolution=case.resolution.value if case.resolution else "",
            notes=len(case.notes),
            items=case.items,
            items_ever=case.items_ever,
            cause_code=case.code,
            links=case.links,
            suggestion=case.suggestion,
        ),
        is_final=case.state in CASE_FINAL,
        next_action=next_action(case, policy),
        needs_operator=case.kind.value if case.is_open else "",
        as_of=at,
    )
