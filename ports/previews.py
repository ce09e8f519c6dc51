"""What an order would change, and applying it only if it still changes just that."""

from typing import Protocol

from domain.access.preview import Preview
from domain.errors import AcquitError
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command


class PreviewChanged(AcquitError):
    """The order would change something else than its preview showed; nothing was written."""

    def __init__(self, command_id: str, found: Preview) -> None:
        super().__init__(f"command {command_id} would change something else than was previewed")
        self.found = found


class Previews(Protocol):
    """Orders that are shown before they are given."""

    async def preview(self, command: Command) -> Preview | Applied | Refused:
        """What the command would change as the books are now; nothing is written.

        Returns:
            Its preview; or its refusal; or, where it was applied before, the answer that it got.

        Raises:
            Conflict: the id was used for another content.
        """
        ...

    async def apply_as_previewed(self, command: Command, digest: str) -> Applied | Refused:
        """Apply a command if it changes what the preview of this digest showed.

        One that was applied before gets its stored answer. An empty digest compares nothing.

        Raises:
            PreviewChanged: it would change something else.
            Conflict: the id was used for another content.
        """
        ...
