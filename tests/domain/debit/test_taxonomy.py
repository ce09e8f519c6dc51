"""The one taxonomy, the attempt's table of moves, and a mandate's term."""

from dataclasses import replace
from datetime import date

import pytest

from domain.debit.codes import CodeRow, CodeTable, LocalText
from domain.debit.mandate import Mandate
from domain.debit.outcome import (
    EXCUSING,
    NO_ANSWER,
    Outcome,
    OutcomeClass,
    OutcomeStatus,
    status_of,
)

_O, _V = OutcomeClass, OutcomeStatus
EXPLICIT = {
    _O.SUCCESS: _V.CONFIRMED,
    _O.SUCCESS_DEFECTIVE: _V.CONFIRMED,
    _O.PARTIAL: _V.CONFIRMED,
    _O.PENDING: _V.PENDING,
    _O.NOT_FOUND: _V.NOT_FOUND,
    _O.TECH: _V.UNKNOWN,
    _O.DUPLICATE: _V.UNKNOWN,
    _O.UNKNOWN_CODE: _V.UNKNOWN,
}


@pytest.mark.parametrize("outcome_class", sorted(OutcomeClass))
def test_every_class_carries_one_final_outcome_and_only_refusals_decline(
    outcome_class: OutcomeClass,
) -> None:
    """Unknown is not declined: technical trouble and unmapped codes end nothing."""
    assert status_of(outcome_class) is EXPLICIT.get(outcome_class, _V.DECLINED)
    assert Outcome(outcome_class, "x").status is status_of(outcome_class)


def test_no_answer_is_unknown_and_takes_nothing() -> None:
    """A lost answer neither confirms nor declines, and excuses the borrower."""
    assert NO_ANSWER.status is _V.UNKNOWN
    assert NO_ANSWER.executed_minor == 0
    assert NO_ANSWER.outcome_class in EXCUSING
    assert _O.NSF not in EXCUSING


@pytest.mark.parametrize(
    ("day", "allowed"),
    [(1, False), (2, True), (9, True), (10, True), (11, False)],
)
def test_a_mandate_allows_its_term_both_ends_included(day: int, allowed: bool) -> None:
    """From the second to the tenth."""
    mandate = Mandate("M", "bank", "M-1", "tok", date(2026, 3, 2), date(2026, 3, 10))
    assert mandate.allows(date(2026, 3, day)) is allowed


def test_a_mandate_that_was_ended_allows_nothing_from_that_day() -> None:
    """The day of its end is already without authority; an open term has no other end."""
    ended = Mandate("M", "bank", "M-1", "tok", date(2026, 3, 2), ended_on=date(2026, 3, 5))
    assert ended.allows(date(2026, 3, 4))
    assert not ended.allows(date(2026, 3, 5))
    assert Mandate("M", "bank", "M-1", "tok", date(2026, 3, 2)).allows(date(2099, 1, 1))


def test_a_code_that_no_list_holds_is_the_unknown_row() -> None:
    """Looking up never fails; it answers with the row that says: ask again."""
    text = LocalText("问", "ask")
    unknown = CodeRow(
        "bank", "dd", "", "?", "?", _O.UNKNOWN_CODE, False, None, None, 0, "", "inquire", text,
        text, "none",
    )  # fmt: skip
    known = replace(unknown, code="51", outcome_class=_O.NSF)
    table = CodeTable("bank", "dd", {"51": known}, unknown)
    assert table.lookup("Z9") is unknown
    assert table.lookup("51") is known
