"""The readable account that a driver keeps of itself: for the `story` query and the Temporal UI."""

from collections import deque
from datetime import datetime

from domain.loan.view import InstallmentView
from workflows.messages import Story

_LINES = 60


class Account:
    """The last lines of what happened. Bounded; the whole truth is in the books."""

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

    def told(self, view: InstallmentView) -> Story:
        """The story as the query gives it."""
        return Story(tuple(self._lines), coming(view), self.unknown_signals, self.unread_signals)

    def details(self, view: InstallmentView, lost: str = "") -> str:
        """The current details (Markdown) of the Temporal UI."""
        last = self._lines[-1] if self._lines else "nothing yet"
        person = f"\n\n**needs an operator:** {view.needs_operator}" if view.needs_operator else ""
        return f"**{view.state.value}** due {view.due_on}\n\n{last}\n\nnext: {coming(view)}{person}"


def coming(view: InstallmentView) -> str:
    """What comes next, in words."""
    beat = view.next_beat
    if view.is_final:
        return "nothing: the evidence is complete"
    if beat is None:
        lacking = f"; missing: {', '.join(view.missing)}" if view.missing else ""
        return f"waiting for news{lacking}"
    return f"{beat.kind.value} not before {beat.not_before:%Y-%m-%d %H:%M} UTC: {beat.reason}"
