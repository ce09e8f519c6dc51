"""The readable account of a driver, for the `story` query and the Temporal UI."""

from collections import deque
from datetime import datetime
from typing import Any

from domain.kernel.view import View
from domain.registry import KINDS
from workflows.messages import Story

_LINES = 60


class Account:
    """The last lines of what happened, at most `_LINES`. The complete record is in the books."""

    def __init__(self, kind: str) -> None:
        self._kind = KINDS[kind]
        self._lines: deque[str] = deque(maxlen=_LINES)
        self.unknown_signals = 0
        self.unread_signals = 0

    def note(self, at: datetime, text: str) -> None:
        """Add a line."""
        self._lines.append(f"{at:%Y-%m-%d %H:%M} {text}")

    def moved(self, at: datetime, old: View[Any], new: View[Any]) -> None:
        """Add a line for what changed between two views, if anything that people ask about did."""
        news = [f"{old.state} -> {new.state}"] if new.state != old.state else []
        news += self._kind.words.changes(old, new)
        if new.needs_operator != old.needs_operator:
            who = f"needs an operator: {new.needs_operator}" if new.needs_operator else "answered"
            news.append(who)
        if news:
            self.note(at, ", ".join(news))

    def story(self, view: View[Any]) -> Story:
        """The story as the query gives it."""
        coming = self.coming(view)
        return Story(tuple(self._lines), coming, self.unknown_signals, self.unread_signals)

    def details(self, view: View[Any], lost: str = "") -> str:
        """The current details (Markdown) of the Temporal UI.

        They say where the subject stands, in the words of its kind, what happened last and what
        comes next: a reader of the UI has nothing else at hand.
        """
        last = self._lines[-1] if self._lines else "nothing yet"
        parts = [*self._kind.words.parts(view), f"last, UTC: {last}", f"next: {self.coming(view)}"]
        if person := lost or view.needs_operator:
            parts.append(f"**needs an operator:** {person}")
        return "\n\n".join(parts)

    def coming(self, view: View[Any]) -> str:
        """What comes next, in words."""
        action = view.next_action
        if view.is_final:
            return "nothing: the evidence is complete"
        if action is None:
            lacking = f"; missing: {', '.join(view.missing)}" if view.missing else ""
            return f"waiting for news{lacking}"
        if action.kind not in self._kind.actions:
            return f"waiting for a newer release: it knows what to do ({action.reason})"
        at = f"{action.not_before:%Y-%m-%d %H:%M}"
        return f"{action.kind} not before {at} UTC: {action.reason}"
