"""Previews: what an order changes, and a digest that only that moves."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from domain.access.preview import Preview, preview_of
from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.kernel.order import OperatorOrder
from domain.loan.change import Change
from domain.pricing.amounts import Component
from domain.registry import decide
from tests.support.doors import Cancel, ChangeDate, Hold, NoteCase, RollDay, Waive
from tests.support.memory import TESTER, MemoryBooks, board


def _books() -> MemoryBooks:
    books = MemoryBooks()
    books.apply(board("L1"))
    books.apply(board("L2"))
    return books


def _cancel(loan_id: str = "L1") -> Cancel:
    return Cancel(id="c", actor=TESTER, reason="r", loan_id=loan_id, number=1)


def _preview(books: MemoryBooks, order: OperatorOrder) -> Preview:
    change = decide(books._aggregates(), order)
    assert isinstance(change, Change), change
    return preview_of(change)


def test_a_preview_shows_moves_entries_and_what_is_owed_afterwards() -> None:
    """Of what the order touches, and of nothing else."""
    found = _preview(_books(), _cancel())
    assert [(one.subject_key, one.target) for one in found.moves] == [("L1/1", "CANCELLED")]
    assert [(one.loan, one.number, one.state) for one in found.amounts] == [("L1", 1, "CANCELLED")]


def test_an_order_without_moves_shows_its_subject() -> None:
    """A hold moves nothing and posts nothing; its installment is shown as it is."""
    found = _preview(_books(), Hold(id="h", actor=TESTER, reason="r", loan_id="L1", number=2))
    assert [(one.loan, one.number) for one in found.amounts] == [("L1", 2)]


def test_entries_and_messages_to_people_are_shown() -> None:
    """A waiver of what is due posts the opposite of what was charged."""
    books = _books()
    books.at = datetime(2026, 3, 10, 4, tzinfo=UTC)
    books.apply(RollDay(id="roll", actor=TESTER, loan_id="L1", day=date(2026, 3, 10)))
    order = Waive(
        id="w", actor=TESTER, reason="r", loan_id="L1", number=1,
        component=Component.INTEREST, amount_minor=1,
    )  # fmt: skip
    found = _preview(books, order)
    assert len(found.entries) == 1
    assert sum(side.minor for side in found.entries[0].postings) == 0
    assert {side.loan for side in found.entries[0].postings} == {"L1"}


def test_an_order_on_a_case_shows_its_move_alone() -> None:
    """It is about no installment, so no amount is shown."""
    books = _books()
    books.cases["k"] = Case(
        key="k", kind=CaseKind.NEEDS_OPERATOR, loan_id=None, number=None, line=None, text="t",
        owner="ops", opened_at=books.at,
    )  # fmt: skip
    found = _preview(books, NoteCase(id="n", actor=TESTER, reason="r", case="k"))
    assert [(one.subject_kind, one.subject_key) for one in found.moves] == [("case", "k")]
    assert found.amounts == ()


def test_an_unrelated_event_leaves_the_digest() -> None:
    """Another loan and another instant change nothing; another state does."""
    books = _books()
    before = _preview(books, _cancel()).digest()
    books.apply(Cancel(id="x", actor=TESTER, reason="r", loan_id="L2", number=2))
    books.at += timedelta(hours=3)
    assert _preview(books, _cancel()).digest() == before
    moved = ChangeDate(
        id="d", actor=TESTER, reason="r", loan_id="L1", number=1, due_on=date(2026, 4, 1)
    )
    books.apply(moved)
    assert _preview(books, _cancel()).digest() != before


def test_the_digest_is_of_everything_that_is_shown() -> None:
    """A change of any part of the preview changes it."""
    found = _preview(_books(), _cancel())
    others = {
        replace(found, moves=()).digest(),
        replace(found, messages=("notice",)).digest(),
        replace(found, amounts=()).digest(),
    }
    assert len(others | {found.digest()}) == 4
