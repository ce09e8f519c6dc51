"""Where the reading of one statement file stands, kept page by page in the books' own database."""

from collections import Counter
from dataclasses import dataclass, field, replace

from temporalio.exceptions import ApplicationError

from domain.errors import AcquitError
from ports.archive import Archive, Reached
from ports.statements import StatementPage, StatementRefused, StatementSummary

AGAIN_MOST = 1000
"""Most pages that are remembered as to be read again. With one more, what follows is too."""


@dataclass(slots=True)
class Failures:
    """The lines that the books did not take in this try: how many, and the first to try again.

    Attributes:
        by_statement: how many by the place of their statement in the file.
        passing: how many of them another try may help.
        first: the first of those, in words.
    """

    by_statement: Counter[int] = field(default_factory=Counter)
    passing: int = 0
    first: str = ""

    def add(self, position: int, line_id: str, error: Exception) -> bool:
        """One more line, of the statement at this place in the file; whether a try may help it.

        What a rule of ours refuses, it refuses each time.
        """
        self.by_statement[position] += 1
        if isinstance(error, AcquitError):
            return False
        self.passing += 1
        self.first = self.first or f"{line_id}: {error}"
        return True


class Reading:
    """One try to read a file, from where an earlier one was.

    Attributes:
        lines: by the place of their statement, those of earlier tries included.
        known: lines that the books knew before, likewise.
        waits: whether a line may wait that nothing explains, as far as this try can tell.
    """

    def __init__(
        self,
        archive: Archive,
        sha256: str,
        summaries: tuple[StatementSummary, ...],
        reached: Reached | None,
    ) -> None:
        self._archive, self._sha256 = archive, sha256
        self._last_statement = len(summaries) - 1
        self._reached = self._behind = reached
        self._has_room = True
        self.lines: Counter[int] = Counter()
        self.known = 0 if reached is None else reached.known
        self.failures = Failures()
        self.waits = reached is not None

    @classmethod
    async def of(
        cls, archive: Archive, sha256: str, summaries: tuple[StatementSummary, ...]
    ) -> "Reading":
        """A try from where the books say that an earlier one was."""
        return cls(archive, sha256, summaries, await archive.reached(sha256))

    def passed(self, page: StatementPage) -> bool:
        """Count the page; whether an earlier try has booked it."""
        self.lines[page.position] += len(page.lines)
        return self._behind is not None and self._behind.passed(page.position, page.number)

    async def done(self, page: StatementPage, known: int, *, again: bool) -> None:
        """Remember that the page is booked, before the next one is.

        The last page of a file is not remembered: what comes next is the end of the reading.

        Args:
            page: was not passed.
            known: lines on it that the books knew before.
            again: the next try, should there be one, is to read the page again.

        Raises:
            ApplicationError: `ReadElsewhere`: another worker reads the file too.
        """
        self.known += known
        if not self._has_room or (page.is_last and page.position == self._last_statement):
            return
        now = _with(self._reached, (page.position, page.number), 0 if again else known, again=again)
        if len(now.again) > AGAIN_MOST:
            self._has_room = False
            return
        if not await self._archive.reach(self._sha256, self._reached, now):
            text = f"file {self._sha256} is read by another worker just now"
            raise ApplicationError(text, type="ReadElsewhere")
        self._reached = now


def _with(reached: Reached | None, place: tuple[int, int], known: int, *, again: bool) -> Reached:
    """What is reached with one more page."""
    before = reached or Reached(*place)
    pages = tuple(one for one in before.again if one != place)
    if again:
        pages = (*pages, place)
    position, number = max((before.position, before.page), place)
    return replace(before, position=position, page=number, known=before.known + known, again=pages)


def refused(refusal: StatementRefused) -> ApplicationError:
    """The fault of a file that is refused; not tried again, and without personal data."""
    refusal = refusal.hidden()
    return ApplicationError(
        str(refusal),
        {
            "field": refusal.field,
            "value": str(refusal.value),
            "rule": refusal.rule,
            "line": refusal.line,
        },
        type="StatementRefused",
        non_retryable=True,
    )
