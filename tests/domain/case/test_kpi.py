"""Key figures of case work: what counts in a period, for whom, and how times are counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.kpi import KpiRow, KpiTally
from domain.case.lifecycle import CaseState
from domain.case.policy import USUAL_POLICY

BEGIN, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CASE = Case("K", CaseKind.SURPLUS, "text", owner="operations", opened_at=BEGIN)


def ended(after: timedelta, **more: object) -> Case:
    opened = CASE.opened_at
    assert opened is not None
    made = replace(CASE, state=CaseState.RESOLVED, resolved_at=opened + after)
    return replace(made, **more)  # type: ignore[arg-type]


def rows(*cases: Case) -> list[KpiRow]:
    tally = KpiTally(BEGIN, END, USUAL_POLICY)
    for case in cases:
        tally.take(case)
    return list(tally.rows())


def test_figures_are_by_team_and_person() -> None:
    """A case that nobody has taken counts for its team alone."""
    found = rows(CASE, replace(CASE, assignee="li"), replace(CASE, owner="complaints"))
    assert [(row.team, row.person, row.opened, row.ended) for row in found] == [
        ("complaints", "", 1, 0),
        ("operations", "", 1, 0),
        ("operations", "li", 1, 0),
    ]
    assert found[0].median is found[0].p95 is None


def test_a_period_has_its_first_instant_and_not_its_last() -> None:
    """Opened before and ended in it counts as ended; after it nothing counts."""
    before = ended(DAY, opened_at=BEGIN - HOUR)
    (row,) = rows(before)
    assert (row.opened, row.ended) == (0, 1)
    assert rows(replace(CASE, opened_at=END)) == []
    assert rows(replace(CASE, opened_at=None)) == []
    late = ended(END - BEGIN)
    (row,) = rows(late)
    assert (row.opened, row.ended) == (1, 0)
    assert rows(replace(CASE, opened_at=BEGIN - DAY)) == []


def test_times_leave_pauses_out() -> None:
    """The service level is counted as the clocks of the case were."""
    level = USUAL_POLICY.level(CASE.kind).resolution
    (row,) = rows(ended(level), ended(level + HOUR), ended(level + HOUR, waited_s=3600))
    assert (row.ended, row.in_time) == (3, 2)
    assert row.median == level
    assert row.p95 == level + HOUR


def test_percentiles_are_of_the_nearest_rank() -> None:
    """Of twenty, the tenth and the nineteenth."""
    (row,) = rows(*(ended(number * HOUR) for number in range(20, 0, -1)))
    assert (row.median, row.p95) == (10 * HOUR, 19 * HOUR)


def test_a_case_that_was_opened_again_has_not_ended() -> None:
    """Whatever it says of an earlier end."""
    (row,) = rows(ended(DAY, state=CaseState.OPEN))
    assert row.ended == 0
