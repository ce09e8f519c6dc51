"""Statement files: refused whole or booked whole, with control totals before and after."""

import hashlib

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.statements import STATEMENTS_SHOWN, StatementActivities, StatementOrder
from ports.statements import StatementRefused
from tests.fakes.bulk import FakeArchive, FakeLedger, FakeReader, statement
from tests.support.doors import RecordStatementBreak


class Bench:
    def __init__(self) -> None:
        self.archive, self.ledger = FakeArchive(), FakeLedger()
        self.reader = FakeReader(
            {
                "s1": statement("s1", 1, 0, 100, 200, 300),
                "s2": statement("s2", 2, 600, -50),
                "s4": statement("s4", 4, 999, 1),
                "s1bis": statement("s1bis", 1, 0, 100),
            }
        )
        self.activities = StatementActivities(self.archive, self.reader, self.ledger)

    def order(self, content: bytes) -> StatementOrder:
        return StatementOrder("t1", self.archive.put(content))


async def test_every_line_is_booked_once_and_the_statement_recorded() -> None:
    """Two statements in one file, three pages: four lines on the books, two records, no faults."""
    bench = Bench()
    order = bench.order(b"s1,s2")
    booked = await ActivityEnvironment().run(bench.activities.book, order)
    assert (booked.statements, booked.lines, booked.known_before) == (2, 4, 0)
    assert booked.faults == ()
    assert bench.archive.record("s1").lines == 3


async def test_file_read_twice_changes_nothing() -> None:
    """The same file again: every line was known, every statement was known."""
    bench = Bench()
    order = bench.order(b"s1")
    await ActivityEnvironment().run(bench.activities.book, order)
    again = await ActivityEnvironment().run(bench.activities.book, order)
    assert (again.known_before, again.statements_known_before) == (3, 1)
    assert len(bench.ledger.applied) == 3


async def test_gap_and_broken_chain_are_noted_not_refused() -> None:
    """A statement that does not follow the last one is booked, and says so in its record."""
    bench = Bench()
    await ActivityEnvironment().run(bench.activities.book, bench.order(b"s1"))
    booked = await ActivityEnvironment().run(bench.activities.book, bench.order(b"s4"))
    assert [fault.partition(":")[0] for fault in booked.faults] == ["sequence_gap", "chain_broken"]
    assert bench.archive.record("s4").faults == booked.faults


async def test_repeated_number_under_another_id_is_noted() -> None:
    """Two statements with one electronic number: one of them is not what it says."""
    bench = Bench()
    await ActivityEnvironment().run(bench.activities.book, bench.order(b"s1"))
    booked = await ActivityEnvironment().run(bench.activities.book, bench.order(b"s1bis"))
    assert booked.faults[0].startswith("sequence_repeated")


async def test_refused_file_names_field_value_rule_and_line() -> None:
    """A broken file fails before any line is booked, and is never tried again by itself."""
    bench = Bench()
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(bench.activities.survey, bench.order(b"s1,nonsense"))
    assert refused.value.type == "StatementRefused"
    assert refused.value.non_retryable
    assert refused.value.details[0]["line"] == 3
    (case,) = bench.ledger.applied.values()
    assert isinstance(case, RecordStatementBreak)
    assert case.subject == hashlib.sha256(b"s1,nonsense").hexdigest()


async def test_a_survey_shows_the_first_statements_and_counts_all_lines() -> None:
    """A file of thousands of statements makes no history that the server refuses."""
    bench = Bench()
    content = ",".join(["s1"] * (STATEMENTS_SHOWN + 5)).encode()
    surveyed = await ActivityEnvironment().run(bench.activities.survey, bench.order(content))
    assert len(surveyed.statements) == STATEMENTS_SHOWN
    assert surveyed.lines == 3 * (STATEMENTS_SHOWN + 5)


async def test_reading_that_differs_from_the_survey_is_a_fault() -> None:
    """Fewer lines booked than surveyed: no record is made, and somebody sees it."""
    bench = Bench()
    bench.reader.drops_last_line = True
    with pytest.raises(ApplicationError, match="2 booked, 3 surveyed"):
        await ActivityEnvironment().run(bench.activities.book, bench.order(b"s1"))
    assert bench.archive.records == {}


async def test_line_that_fails_is_tried_again_with_its_file() -> None:
    """A fault of the books on one line fails the try; the next one books what is missing."""
    bench = Bench()
    order = bench.order(b"s2")
    apply_many = bench.ledger.apply_many

    async def poisoned(commands: object) -> object:
        return [RuntimeError("deadlock")]

    bench.ledger.apply_many = poisoned  # type: ignore[method-assign, assignment]
    with pytest.raises(ApplicationError, match="deadlock"):
        await ActivityEnvironment().run(bench.activities.book, order)
    bench.ledger.apply_many = apply_many  # type: ignore[method-assign]
    booked = await ActivityEnvironment().run(bench.activities.book, order)
    assert booked.lines == 1


def test_a_refusal_hides_what_may_name_a_person_or_an_account() -> None:
    """Names, accounts and remarks go to no case and no history; days, amounts and codes do."""
    shown = ("2026-13-05", "1,234.5x"[:7], "CRDT", "none", "-12.00")
    hidden = ("Liu Yang", "6222020200112233", "DE02120300000000202051", "rent of May", "x" * 90)
    found = StatementRefused.of(
        [StatementRefused("Ntry/Nm", value, "a rule", 7) for value in (*shown, *hidden)]
    ).hidden()
    values = [one.value for one in (found, *found.others)]
    assert values[: len(shown)] == list(shown)
    assert values[len(shown) :] == [
        f"({min(len(value), 80)} characters, not shown)" for value in hidden
    ]
    assert {one.line for one in (found, *found.others)} == {7}
    assert StatementRefused("encoding", "byte 0xff", "text").hidden().value == "byte 0xff"
