"""What the passes of matching propose stands in the case of the line, or in its item of one."""

import pytest

from domain.case import agenda
from domain.case.case import Case
from domain.case.item import ALIKE_MOST
from domain.kernel.change import Refusal
from domain.kernel.command import Scope
from domain.loan.change import Change
from domain.loan.decide import casework
from domain.loan.matching import Basis, SuggestMatch
from tests.domain.case.test_case_items import book
from tests.support.doors import MatchLine
from tests.support.memory import RULES, TESTER, MemoryBooks, board


def suggest(books: MemoryBooks, number: int, text: str, mark: str = "") -> Change:
    """Have the case of a line suggest something."""
    command = SuggestMatch(
        id=f"s/{number}/{text}{mark}", actor=TESTER, line=f"A/{number}", text=text
    )
    change = books.apply(command)
    assert isinstance(change, Change)
    assert command.scope() == Scope(lines=(command.line,)), "only this line is locked"
    return change


def case_of(books: MemoryBooks, number: int) -> Case:
    """The open case of a line."""
    return books.cases[f"line/A/{number}"]


def test_the_case_of_a_line_says_what_is_suggested() -> None:
    """It is in the view, its clocks go on, and saying it again moves nothing."""
    books = MemoryBooks()
    book(books, 1)
    assert suggest(books, 1, "accept it").cases.keys() == {"line/A/1"}
    case = case_of(books, 1)
    assert case.suggestion == "accept it"
    assert case.acted_at is None
    view = agenda.view_of(case, RULES.case_policy, books.at)
    assert view.detail.suggestion == "accept it"
    assert not suggest(books, 1, "accept it", "again").cases
    suggest(books, 1, "ask the bank")
    assert case_of(books, 1).suggestion == "ask the bank"


def test_a_line_without_a_case_gets_no_suggestion() -> None:
    """What is explained meanwhile needs none."""
    assert not suggest(MemoryBooks(), 1, "accept it").cases


def test_a_line_that_is_an_item_says_it_in_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many lines of one file each item has its own suggestion, in place of an earlier one."""
    assert ALIKE_MOST > 1
    monkeypatch.setattr(casework, "ALIKE_MOST", 1)
    books = MemoryBooks()
    book(books, 1)
    book(books, 2)
    book(books, 3)
    suggest(books, 2, "accept it")
    suggest(books, 2, "ask the bank")
    assert not suggest(books, 2, "ask the bank", "again").items
    texts = {item.line: item.text for item in books.items.values()}
    assert texts["A/2"].endswith("are not explained; suggested: ask the bank")
    assert "suggested" not in texts["A/3"]


@pytest.mark.parametrize("approver", [None, " "])
def test_a_forced_match_is_refused_without_an_approver(approver: str | None) -> None:
    """By hand against what the passes say: somebody else must agree, and then it is posted."""
    books = MemoryBooks()
    books.apply(board())
    book(books, 1)

    def force(name: str, agreed: str | None) -> Change | Refusal:
        return books.apply(
            MatchLine(
                id=name,
                actor=TESTER,
                reason="the sender says so",
                approver=agreed,
                loan_id="L1",
                number=1,
                line="A/1",
                reference="T-1",
                amount_minor=100,
                basis=Basis.FORCED,
            )
        )

    refused = force("f1", approver)
    assert isinstance(refused, Refusal)
    assert refused.rule == "match.approver"
    assert isinstance(force("f2", "lead-1"), Change)
