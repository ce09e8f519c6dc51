"""Key figures of case work by team and person: how many came and ended, in time, and how fast."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.case.case import Case
from domain.case.policy import CasePolicy

NOBODY = ""
"""The person of a case that nobody has taken."""
_MEDIAN, _P95 = 50, 95


@dataclass(frozen=True, slots=True)
class KpiRow:
    """The figures of one team and person in a period.

    Attributes:
        opened: cases that were opened in it, whatever became of them.
        ended: cases that were ended in it. `in_time`: of these, within the service level.
        median, p95: of the time from opening to end, pauses left out; None where none ended.
    """

    team: str
    person: str
    opened: int
    ended: int
    in_time: int
    median: timedelta | None
    p95: timedelta | None


@dataclass(slots=True)
class _Sums:
    opened: int = 0
    in_time: int = 0
    seconds: "array[int]" = field(default_factory=lambda: array("q"))


class KpiTally:
    """Takes cases one by one; eight bytes of each that ended stay in memory.

    Args:
        begin: first instant of the period. `end`: the first behind it.
        policy: the service levels.
    """

    def __init__(self, begin: datetime, end: datetime, policy: CasePolicy) -> None:
        self._begin, self._end, self._policy = begin, end, policy
        self._sums: dict[tuple[str, str], _Sums] = {}

    def take(self, case: Case) -> None:
        """Count a case where it was opened or ended in the period."""
        opened_at, resolved_at = case.opened_at, case.resolved_at
        if opened_at is None:
            return
        sums = self._sums.setdefault((case.owner, case.assignee), _Sums())
        sums.opened += self._begin <= opened_at < self._end
        if not case.is_open and resolved_at is not None and self._begin <= resolved_at < self._end:
            worked = resolved_at - opened_at - timedelta(seconds=case.waited_s)
            sums.seconds.append(max(0, worked // timedelta(seconds=1)))
            sums.in_time += worked <= self._policy.level(case.kind).resolution

    def rows(self) -> Iterator[KpiRow]:
        """The figures by team and person, those without a case in the period left out."""
        for (team, person), sums in sorted(self._sums.items()):
            ended = sorted(sums.seconds)
            if sums.opened or ended:
                middle, most = _percentile(ended, _MEDIAN), _percentile(ended, _P95)
                yield KpiRow(team, person, sums.opened, len(ended), sums.in_time, middle, most)


def _percentile(ascending: list[int], percent: int) -> timedelta | None:
    """The least value that so many percent do not exceed (nearest rank)."""
    if not ascending:
        return None
    rank = -(-len(ascending) * percent // 100)
    return timedelta(seconds=ascending[max(rank, 1) - 1])
