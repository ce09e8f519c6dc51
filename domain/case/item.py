"""Items of one case: bank lines of one file that failed alike, each with its own amount and end.

The first lines of a file that fail alike are cases of their own. Those beyond `ALIKE_MOST` are
items of one case, so that a file of bad lines gives people a list and not a flood.
"""

from dataclasses import dataclass
from datetime import datetime

ALIKE_MOST = 200
"""Cases of their own that lines of one file get while they fail alike."""


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One line that a case stands for, with others. Amount in minor units, signed.

    Attributes:
        case: the key of the case. `line`: the bank line, which is one item of a case at most.
        cleared_at: when it ended; None while it waits.
        reason: what cleared it, in words.
    """

    case: str
    line: str
    text: str
    amount_minor: int = 0
    currency: str = ""
    added_at: datetime | None = None
    cleared_at: datetime | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.cleared_at is None


@dataclass(frozen=True, slots=True)
class Alike:
    """What lines of one file have in common that fail alike.

    Attributes:
        kind: of their cases. `cause`: why they failed, or their currency: what is summed.
        file: SHA-256 of the file; empty where nobody knows it, and then no line is an item.
    """

    kind: str
    cause: str
    file: str

    @property
    def group(self) -> str:
        """The name under which their cases are counted; empty where no file is known."""
        return f"{self.kind}/{self.cause}/{self.file}" if self.file else ""

    @property
    def case(self) -> str:
        """The key of the case that has the further ones as items."""
        return f"items/{self.group}"

    @property
    def text(self) -> str:
        """What that case says."""
        return f"further lines of file {self.file[:16]} that failed alike; see its items"
