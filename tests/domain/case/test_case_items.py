"""Lines of one file that fail alike: items of one case beyond the first two hundred."""

from dataclasses import replace
from datetime import date

import pytest

from domain.case import agenda
from domain.case.case import ByHand, Case, Resolution
from domain.case.item import ALIKE_MOST, Alike
from domain.case.words import CASE_WORDS
from domain.loan.change import Change
from domain.loan.decide import casework
from domain.statement.broken import RecordStatementBreak, StatementBreak
from domain.statement.statement import LineItem, StatementLine
from tests.support.doors import BookLine, MatchLine, ResolveCase
from tests.support.memory import RULES, STRANGE, TESTER, MemoryBooks, board

DAY = date(2026, 3, 2)
FILE = "f" * 64
FEW = 2


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines that failed alike are cases of their own; the third is an item."""
    assert ALIKE_MOST == 200
    monkeypatch.setattr(casework, "ALIKE_MOST", FEW)


def book(
    books: MemoryBooks, number: int, minor: int = 100, file: str = FILE, text: str = ""
) -> Case | None:
    """Book a line that nothing explains; the case of the items as it is then."""
    items = (LineItem(None, None, None, minor),)
    line = StatementLine(
        f"A/{number}", STRANGE.name, DAY, DAY, minor, "CNY", None, items=items, text=text
    )
    command = BookLine(
        id=f"line/{number}{text}", actor=TESTER, statement_id="S", line=line, file=file
    )
    assert isinstance(books.apply(command), Change)
    return collected(books)


def collected(books: MemoryBooks) -> Case | None:
    key = Alike("unmatched_line", "CNY", FILE).case
    return books.cases.get(key) or books.resolved.get(key)


def fail(books: MemoryBooks, number: int, mark: str = "", file: str = FILE) -> None:
    command = RecordStatementBreak(
        id=f"break/{number}{mark}",
        actor=TESTER,
        what=StatementBreak.LINE_FAILED,
        subject=f"A/{number}",
        text="not booked",
        file=file,
        cause="Fault",
        amount_minor=100,
        currency="CNY",
    )
    assert isinstance(books.apply(command), Change)


def test_the_first_are_cases_and_all_further_ones_are_items() -> None:
    """Each keeps its amount and text; the case has their number and their sum."""
    books = MemoryBooks()
    for number in range(FEW):
        assert book(books, number) is None
    first = book(books, 10, 70)
    found = book(books, 11, -50)
    assert first is not None
    assert found is not None
    assert (first.items, first.amount_minor) == (1, 70)
    assert (found.items, found.items_ever, found.amount_minor) == (2, 2, 20)
    assert len(books.cases) == FEW + 1
    assert {(item.line, item.amount_minor) for item in books.items.values()} == {
        ("A/10", 70),
        ("A/11", -50),
    }
    view = agenda.view_of(found, RULES.case_policy, books.at)
    assert (view.detail.items, view.detail.items_ever) == (2, 2)
    assert "2 of 2 lines are open" in list(CASE_WORDS.parts(view))


def test_lines_of_other_files_and_of_none_are_not_counted_with_them() -> None:
    """What nobody knows the file of is always a case of its own."""
    books = MemoryBooks()
    for number in range(FEW):
        book(books, number)
    for number, file in ((10, "e" * 64), (11, ""), (12, ""), (13, "")):
        book(books, number, file=file)
    assert books.items == {}
    assert len(books.cases) == FEW + 4


def explain(books: MemoryBooks, number: int, minor: int = 100, amount: int | None = None) -> None:
    """A person says that a line pays the loan."""
    done = books.apply(
        MatchLine(
            id=f"match/{number}/{amount}",
            actor=TESTER,
            reason="the payer called",
            loan_id="L1",
            number=1,
            line=f"A/{number}",
            reference=f"T-{number}",
            amount_minor=minor if amount is None else amount,
        )
    )
    assert isinstance(done, Change), done


def test_an_item_is_cleared_by_what_explains_its_line_and_the_last_ends_the_case() -> None:
    """With the reason in the journal; a line of the file that comes later opens it again."""
    books = MemoryBooks()
    books.apply(board())
    for number in range(FEW + 2):
        book(books, number)
    explain(books, FEW)
    found = collected(books)
    assert found is not None
    assert (found.is_open, found.items, found.amount_minor) == (True, 1, 100)
    explain(books, FEW + 1)
    ended = collected(books)
    assert ended is not None
    assert (ended.resolution, ended.items, ended.items_ever) == (Resolution.CLEARED, 0, 2)
    last = [move for move in books.transitions if move.subject == ended.subject][-1]
    assert last.event == "case_resolved"
    assert "A/3: it was explained" in last.detail
    again = book(books, 50)
    assert again is not None
    assert (again.is_open, again.generation, again.items, again.items_ever) == (True, 2, 1, 3)


def test_a_line_that_is_explained_in_part_stays_an_item() -> None:
    """It is the same item, of the rest; its case does not end in between, though it is the last."""
    books = MemoryBooks()
    books.apply(board())
    for number in range(FEW + 1):
        book(books, number)
    explain(books, FEW, amount=40)
    found = collected(books)
    assert found is not None
    assert (found.items, found.items_ever, found.amount_minor) == (1, 1, 60)
    assert (found.is_open, found.generation) == (True, 1)
    assert [item.amount_minor for item in books.items.values()] == [60]


def test_a_line_that_failed_is_cleared_when_it_is_booked() -> None:
    """As a case of its own and as an item; failing once more adds nothing."""
    books = MemoryBooks()
    for number in range(FEW + 2):
        fail(books, number)
        fail(books, number, "/again")
    [found] = [case for case in books.cases.values() if case.items]
    assert (found.kind, found.items, len(books.cases)) == ("line_failed", 2, FEW + 1)
    for number in range(FEW + 2):
        book(books, number, file="")
    assert not [case for case in books.cases.values() if case.kind == "line_failed"]
    assert books.resolved[found.key].items == 0
    assert {item.reason for item in books.items.values()} == {"it was booked"}


def test_an_item_that_has_ended_ends_once() -> None:
    """The line comes again in other words: what it said of its failure is answered already."""
    books = MemoryBooks()
    for number in range(FEW + 1):
        fail(books, number)
    book(books, FEW, file="")
    before = dict(books.items), len(books.transitions)
    book(books, FEW, file="", text="in other words")
    assert (dict(books.items), len(books.transitions)) == before


def test_a_line_that_failed_names_those_of_its_file_that_failed_alike() -> None:
    """So that the books count them; without a file there is nothing to count."""
    broken = RecordStatementBreak(
        id="b",
        actor=TESTER,
        what=StatementBreak.LINE_FAILED,
        subject="A/1",
        text="not booked",
        file=FILE,
        cause="Fault",
        currency="CNY",
    )
    group = f"line_failed/Fault/CNY/{FILE}"
    named = broken.scope()
    assert (named.lines, named.groups) == (("A/1",), (group,))
    assert named.cases == ("line_failed/A/1", f"items/{group}")
    assert replace(broken, file="").scope().groups == ()


def test_items_of_a_case_that_was_ended_by_hand_still_end_one_by_one() -> None:
    """It says how many were left, and one that fails again opens it again with the others."""
    books = MemoryBooks()
    for number in range(FEW + 3):
        fail(books, number)
    [key] = [key for key, case in books.cases.items() if case.items]
    order = ResolveCase(id="r", actor=TESTER, reason="known", case=key, resolution=ByHand.ACCEPTED)
    assert isinstance(books.apply(order), Change)
    book(books, FEW, file="")
    assert (books.resolved[key].items, books.resolved[key].resolution) == (2, "accepted")
    fail(books, FEW, "/later")
    assert (books.cases[key].items, books.cases[key].items_ever) == (3, 3)
    assert books.cases[key].amount_minor == 300


def test_a_file_that_is_refused_as_a_whole_is_one_case() -> None:
    """It names no line, so it is never an item."""
    books = MemoryBooks()
    terms = {
        "actor": TESTER,
        "what": StatementBreak.FILE_REFUSED,
        "subject": "f1",
        "text": "no XML",
    }
    for name in ("a", "b"):
        books.apply(RecordStatementBreak(id=name, **terms))  # type: ignore[arg-type]
    (case,) = books.cases.values()
    assert (case.key, case.line) == ("statement_refused/f1", None)
