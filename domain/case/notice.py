"""Messages to the team that has a case: when it is opened, late, transferred, or handed up.

They hold no personal data: the key of the case, its kind, age and amount, and how to look at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.lifecycle import CaseEvent
from domain.case.policy import CasePolicy
from domain.case.threshold import ThresholdAction, threshold_of
from domain.kernel.canonical import digest
from domain.kernel.message import About, BackOff, Message, Topic

_MARK = 32
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CaseNotice:
    """What is sent about a case.

    Attributes:
        to: the owner of the case, whose addresses are looked up where the message is sent.
        values: what the template shows, as text.
    """

    message_id: str
    to: str
    values: Mapping[str, str]

    def about(self) -> About:
        """No loan: the case may be about none, and says itself what it is about."""
        return About()


CASE_NOTICE = Topic(
    name="case_notice",
    payload=CaseNotice,
    about=CaseNotice.about,
    ordered=False,
    back_off=BackOff(timedelta(seconds=2), timedelta(minutes=15), tries=100),
    when_dead="a team was not sent a message about its case; `acquit cases` lists the case itself",
)
"""Carries a message about a case to its team. Each stands for itself."""


def level_of(case: Case, event: CaseEvent, policy: CasePolicy) -> str:
    """Why the owner of a case is sent a message about a move; empty where nobody is sent one.

    Each level comes once in a generation of a case. An owner without an address is sent nothing,
    and nobody is sent anything about a message that was not delivered: that one could fail too.
    """
    if case.owner not in policy.addresses or case.kind is CaseKind.DEAD_LETTER:
        return ""
    match event:
        case CaseEvent.OPENED | CaseEvent.REOPENED if _is_announced(case, policy):
            return "opened"
        case CaseEvent.REMINDED:
            return "late"
        case CaseEvent.TRANSFERRED:
            return f"transferred-{case.transfers}"
        case CaseEvent.ESCALATED:
            return f"escalated-{case.escalation}"
        case _:
            return ""


def _is_announced(case: Case, policy: CasePolicy) -> bool:
    """Whether its owner learns at once that it is open: its kind says so, or the rule it is of."""
    rule = policy.thresholds.get(threshold_of(case.key))
    is_told = rule is not None and rule.action is ThresholdAction.NOTIFY
    return case.kind in policy.announced or (case.kind is CaseKind.THRESHOLD and is_told)


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
    body = CaseNotice(message_id, case.owner, values)
    return CASE_NOTICE.message(f"{CASE_NOTICE.name}/{message_id}", body)
