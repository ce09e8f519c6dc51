"""The error that reports all faults of one source at once."""

from collections.abc import Sequence
from pathlib import Path

from domain.errors import AcquitError, InvalidInput


class SourceRefused(AcquitError):
    """A file, or another source of input, that breaks rules.

    Args:
        source: the file or source, as the user named it.
        faults: what is wrong, in the order of the source; at least one.
    """

    def __init__(self, source: str, faults: Sequence[InvalidInput]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))


def refused(path: Path, field: str, value: object, rule: str) -> SourceRefused:
    """The error of a file with one fault, which no other follows."""
    return SourceRefused(str(path), [InvalidInput(field, value, rule)])
