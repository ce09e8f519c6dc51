"""How a kind of subject is put into words, for drivers, the Temporal UI and the command line."""

from collections.abc import Iterator
from typing import Any, Protocol

from domain.kernel.view import View


class Words(Protocol):
    """Says in words what a view shows that only its kind has."""

    def changes(self, old: View[Any], new: View[Any]) -> Iterator[str]:
        """What changed between two views that people ask about, each in a few words."""
        ...

    def parts(self, view: View[Any]) -> Iterator[str]:
        """What is, in Markdown: a line each."""
        ...

    def summary(self, view: View[Any]) -> str:
        """What the subject is, in one line; nothing personal and no amounts."""
        ...
