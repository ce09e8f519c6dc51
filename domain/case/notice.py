"""Messages to the team that has a case: when it is opened, late, or handed up.

They hold no personal data: the key of the case, its kind, age and amount, and how to look at it.
"""

from datetime import datetime, timedelta

from domain.case.case import Case
from domain.case.lifecycle import CaseEvent
from domain.case.policy import CasePolicy
from domain.kernel.canonical import digest
from domain.kernel.change import Message

TOPIC = "case_notice"
_MARK = 32
_HOUR = timedelta(hours=1)


def level_of(case: Case, event: CaseEvent, policy: CasePolicy) -> str:
    """Why the owner of a case is sent a message about a move; empty where nobody is sent one.

    Each level comes once in a generation of a case. An owner without an address is sent nothing.
    """
    if case.owner not in policy.addresses:
        return ""
    match event:
        case CaseEvent.OPENED | CaseEvent.REOPENED if case.kind in policy.announced:
            return "opened"
        case CaseEvent.REMINDED:
            return "late"
        case CaseEvent.ESCALATED:
            return f"escalated-{case.escalation}"
        case _:
            return ""


def notice(case: Case, level: str, at: datetime) -> Message:
    """The message for the outbox; its id is the same for one case, generation and level."""
    message_id = f"case/{digest(case.key)[:_MARK]}/{case.generation}/{level}"
    values = {
        "case": case.key,
        "kind": case.kind.value,
        "level": level.partition("-")[0],
        "owner": case.owner,
        "age_hours": str((at - (case.opened_at or at)) // _HOUR),
        "amount_minor": str(case.amount_minor) if case.amount_minor else "",
        "currency": case.currency,
        "link": f"acquit case {case.key}",
    }
    body = {"message_id": message_id, "to": case.owner, "values": values}
    return Message(TOPIC, f"{TOPIC}/{message_id}", body)
