"""The readable account of a driver, for the `story` query and the Temporal UI."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from domain.loan.view import ActionKind, InstallmentView
from domain.money import decimal_text
from workflows.messages import Story

_LINES = 60
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "SUCCESS_DEFECTIVE": "money was taken, with a fault",
        "PARTIAL": "less than ordered was taken",
        "NOT_FOUND": "the rail does not know the order",
        "NSF": "not enough money on the account",
        "LIMIT": "a limit of the rail or of the payer's bank",
        "DECLINED": "refused without a usable reason",
        "ACCOUNT": "the account is closed, blocked or wrong",
        "MANDATE": "no valid mandate",
        "PAYER_STOP": "stopped by the payer",
        "DISPUTE": "disputed by the payer",
        "DECEASED": "the payer has died",
        "RISK_REJECT": "blocked by risk rules",
        "TECH": "technical fault or no answer",
        "DATA_ERROR": "our message was wrong",
        "DUPLICATE": "the rail has seen this number",
        "LATE_RETURN": "taken back after success",
        "UNKNOWN_CODE": "a code that no table holds",
    }
)
"""What the classes of codes mean, in words; a class that is not here is shown by its name."""


class Account:
    """The last lines of what happened, at most `_LINES`. The complete record is in the books."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES)
        self.unknown_signals = 0
        self.unread_signals = 0

    def note(self, at: datetime, text: str) -> None:
        """Add a line."""
        self._lines.append(f"{at:%Y-%m-%d %H:%M} {text}")

    def moved(self, at: datetime, old: InstallmentView, new: InstallmentView) -> None:
        """Add a line for what changed between two views, if anything that people ask about did."""
        news: list[str] = []
        if new.state != old.state:
            news.append(f"{old.state.value} -> {new.state.value}")
        if (new.attempt_no, new.attempt_state) != (old.attempt_no, old.attempt_state):
            code = f" ({new.failure_code})" if new.failure_code else ""
            news.append(f"attempt {new.attempt_no} {new.attempt_state}{code}")
        if new.due_on != old.due_on:
            news.append(f"due on {new.due_on}")
        if new.hold != old.hold:
            news.append(f"hold {new.hold}" if new.hold else "no longer held")
        if new.needs_operator != old.needs_operator:
            who = f"needs an operator: {new.needs_operator}" if new.needs_operator else "answered"
            news.append(who)
        if news:
            self.note(at, ", ".join(news))

    def story(self, view: InstallmentView) -> Story:
        """The story as the query gives it."""
        return Story(tuple(self._lines), coming(view), self.unknown_signals, self.unread_signals)

    def details(self, view: InstallmentView, lost: str = "") -> str:
        """The current details (Markdown) of the Temporal UI.

        They name the amount owed, the last code with its class, open cases, and the zone of each
        time: a reader of the UI has nothing else at hand.
        """
        last = self._lines[-1] if self._lines else "nothing yet"
        parts = [f"**{view.state.value}**, {owed(view)}, due {view.due_on} ({view.timezone})"]
        if view.attempt_no:
            parts.append(f"debit {view.attempt_no} {view.attempt_state.lower()}{_code(view)}")
        parts += [f"last, UTC: {last}", f"next: {coming(view)}"]
        if view.cases:
            parts.append(f"open cases: {', '.join(view.cases)}")
        if person := lost or view.needs_operator:
            parts.append(f"**needs an operator:** {person}")
        return "\n\n".join(parts)


def owed(view: InstallmentView) -> str:
    """What is owed, as people write an amount: `101.00 CNY owed`."""
    return f"{decimal_text(view.owed_minor, view.currency)} {view.currency} owed"


def _code(view: InstallmentView) -> str:
    """The code of the last debit and what it means."""
    if not view.failure_code:
        return ""
    meaning = MEANINGS.get(view.failure_class, view.failure_class)
    return f" (code {view.failure_code}{f': {meaning}' if meaning else ''})"


def coming(view: InstallmentView) -> str:
    """What comes next, in words."""
    action = view.next_action
    if view.is_final:
        return "nothing: the evidence is complete"
    if action is not None and action.kind is ActionKind.OTHER:
        return f"waiting for a newer release: it knows what to do ({action.reason})"
    if action is None:
        lacking = f"; missing: {', '.join(view.missing)}" if view.missing else ""
        return f"waiting for news{lacking}"
    return f"{action.kind.value} not before {action.not_before:%Y-%m-%d %H:%M} UTC: {action.reason}"
