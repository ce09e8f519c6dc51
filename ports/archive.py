"""Files as they came, kept by content hash, and what was read out of statements."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO, Protocol

from domain.statement.statement import Fault
from domain.statement.versions import Version

FILE_BYTES_MOST = 1 << 30
"""The largest file that is kept and read, in bytes: one GiB."""
WAIT_MOST = timedelta(hours=1)
"""How long the controls of an account wait for a file that is kept and not read."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the reading of a file has come.

    Attributes:
        position, page: the last page that is booked: the place of its statement in the file and
            its own place in the statement, both from 0.
        known: lines so far that the books knew before, those of the pages in `again` left out.
        again: pages up to here that are to be read again, because a line on them failed or is in
            doubt.
    """

    position: int
    page: int
    known: int = 0
    again: tuple[tuple[int, int], ...] = ()

    def passed(self, position: int, page: int) -> bool:
        """Whether this page is booked and need not be read again."""
        place = (position, page)
        return place <= (self.position, self.page) and place not in self.again


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """What the books know of one statement, or of one page of it. Amounts in minor units.

    Attributes:
        opening_minor, closing_minor: None where the bank stated no booked balance.
        lines, sum_minor: booked lines and what they sum to.
        later_minor: the part of the sum that is booked after the day of the closing balance.
        first_on, last_on: the period that the bank states, else None.
        page: from 1. `is_last_page`: False where the bank says that more follow.
        own: what does not add up in the statement itself.
        versions: what each file said of it, where one said something else than another. The figures
            above are those of the version that counts.
    """

    statement_id: str
    account: str
    currency: str
    sequence: int | None
    booked_on: date | None
    opening_minor: int | None
    closing_minor: int | None
    lines: int
    sha256: str
    faults: tuple[str, ...]
    sum_minor: int = 0
    later_minor: int = 0
    first_on: date | None = None
    last_on: date | None = None
    page: int = 1
    is_last_page: bool = True
    own: tuple[Fault, ...] = ()
    versions: tuple[Version, ...] = ()

    @property
    def period(self) -> str:
        """First and last day in one text; empty where the bank states none."""
        if self.first_on is None or self.last_on is None:
            return ""
        return f"{self.first_on.isoformat()}/{self.last_on.isoformat()}"


@dataclass(frozen=True, slots=True)
class Look:
    """What is remembered of a file at a source, as it was when its stamp was last a new one.

    Attributes:
        since: when it was first seen with this stamp.
        sha256: of its content, once it is kept.
        refused: the stamp with which it could not be taken, now or earlier; empty: none.
    """

    stamp: str
    since: datetime
    sha256: str | None = None
    refused: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether it cannot be taken as it is now."""
        return self.refused == self.stamp


class Archive(Protocol):
    """Keeps files by hash, how far each is read, and one record for each statement read."""

    async def keep(self, kind: str, parts: AsyncIterator[bytes], account: str | None = None) -> str:
        """Keep a file that comes in parts of any size; the same content is kept once.

        A file is kept whole or not at all, and no more than a part of it is in memory.
        `account`: the bank account that it is handed in for. Of content that is kept and not read
        the account for which it came last counts.

        Returns:
            Its SHA-256 in lower-case hex, the name by which it is kept.

        Raises:
            InvalidInput: it is larger than `FILE_BYTES_MOST`. What `parts` raises comes through.
        """
        ...

    def open(self, sha256: str) -> AbstractAsyncContextManager[BinaryIO]:
        """A kept file from its beginning, seekable, on disk as long as the context lasts.

        Raises:
            KeyError: no such file is kept.
            InvariantBroken: the content no longer has the hash under which it is kept.
        """
        ...

    async def kept(self, sha256s: Sequence[str]) -> Mapping[str, bool]:
        """Which of these files are kept, each with whether it was read to its end."""
        ...

    async def look_at(self, source: str, stamps: Mapping[str, str]) -> Mapping[str, Look]:
        """Remember the files that a source offers now, by their stamps; what is known of each.

        Args:
            source: names the source for ever; a bank account has one.
            stamps: by id. A file that is not among them is forgotten.
        """
        ...

    async def looked(self, source: str, file_id: str, look: Look) -> None:
        """Remember what became of a file, unless it has another stamp by now."""
        ...

    async def reached(self, sha256: str) -> Reached | None:
        """How far the reading of a file has come; None where it has to begin."""
        ...

    async def reach(self, sha256: str, before: Reached | None, now: Reached) -> bool:
        """Remember how far a reading has come; False where it is no longer at `before`.

        Then another worker reads the file too, and this one has to stop.
        """
        ...

    async def record_statement(self, record: StatementRecord, *, ends_file: bool) -> bool:
        """Remember a statement that was read; False if its account, id and period are known.

        `ends_file`: it is the last of its file, which waits for no reader any more.
        """
        ...

    async def refused(self, sha256: str) -> None:
        """Remember that a file cannot be read: the controls of its account do not wait for it."""
        ...

    async def due_controls(self, account: str) -> frozenset[str] | None:
        """Hashes of files whose statements are recorded and not judged yet.

        None while another file of the account is kept and neither read nor refused: what one file
        lacks, that one may bring. Nothing waits longer than `WAIT_MOST`.
        """
        ...

    async def judged(self, sha256s: Collection[str]) -> None:
        """Remember that the controls of their account were judged with these files."""
        ...

    async def restate(self, before: StatementRecord, now: StatementRecord) -> bool:
        """Write another record of a known statement; False where it is no longer `before`.

        Then another worker has written it meanwhile.
        """
        ...

    async def open_controls(self, account: str) -> frozenset[str]:
        """Keys of the open cases about the statements of an account, the oldest 1,000 at most."""
        ...

    async def booked_minor(self, account: str, first: date, last: date) -> int:
        """What the booked lines of an account come to, by booking date, both days included."""
        ...

    async def statements(self, account: str | None = None) -> tuple[StatementRecord, ...]:
        """Known statements, by account and sequence."""
        ...

    async def brought_by(self, line_ids: Sequence[str]) -> Mapping[str, str]:
        """Of the lines that are booked, the id of the statement that brought each first."""
        ...
