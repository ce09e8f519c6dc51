"""Lines whose match was undone, and names on a line that look like ours."""

from dataclasses import replace

import pytest

from domain.case.kinds import CaseKind
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import MatchLine, UndoMatch, WithdrawPayment
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import Scene

HUNDRED = schedule(((10000, 0), (10000, 0), (10000, 0)))


def scene() -> Scene:
    """A loan of three times 100.00 on the day when the first falls due."""
    s = Scene.boarded(lines=HUNDRED, product=replace(PRODUCT, penalty=None))
    s.until(HUNDRED[0].due_on)
    return s


def last_line(s: Scene) -> str:
    """The id of the newest line."""
    return next(reversed(s.books.lines))


def match(s: Scene, line: str, ref: str, minor: int, fee: int = 0) -> str:
    """An operator says whose money a line is; empty, or the rule of the refusal."""
    answer = s.order(MatchLine, line=line, reference=ref, amount_minor=minor, fee_minor=fee)
    return answer.rule if isinstance(answer, Refusal) else ""


@pytest.mark.parametrize("fee", [0, 25])
def test_an_undone_match_of_a_netted_line_can_be_made_again(fee: int) -> None:
    """What the match had explained waits in its own direction, with its fee."""
    s = scene()
    portion = s.pay(10000, ref="T-1")
    s.line(LineItem("T-1", None, None, 10000, fee), LineItem(None, None, None, fee - 10000))
    line, before = last_line(s), s.balances
    assert isinstance(s.order(UndoMatch, line=line, reference="T-1"), Change)
    assert s.portion(portion).unsettled_minor == 10000
    assert match(s, line, "T-1", 10000) == ""
    assert s.balances == before
    assert s.books.lines[line].open_minor == fee - 10000
    invariants.check(s.books)


def test_a_part_of_one_item_leaves_the_items_of_the_other_direction_alone() -> None:
    """A credit and a debit in one line, matched in part: the rest of both waits."""
    s = scene()
    s.line(LineItem(None, None, None, 10000), LineItem(None, None, None, -10000))
    line = last_line(s)
    assert match(s, line, "T-1", 4000) == ""
    assert [item.minor for item in s.books.lines[line].waiting] == [6000, -10000]
    invariants.check(s.books)


def test_an_undone_fee_waits_as_what_the_bank_took() -> None:
    """A match of nothing but a fee can be undone and made again."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10000)
    s.return_line(order, 10300)
    line = last_line(s)
    assert match(s, line, order, 0, fee=300) == ""
    before = s.balances
    s.order(UndoMatch, line=line, reference=order)
    assert s.books.lines[line].open_minor == -10300
    assert match(s, line, order, 10000, fee=300) == ""
    assert (s.balances, s.books.lines[line].waiting) == (before, ())
    invariants.check(s.books)


def test_a_reference_on_the_line_is_the_payers_though_it_looks_like_ours() -> None:
    """Who names what the line says does not mean the debit whose payment has that very id."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10000)
    s.pay(10000, ref=f"R-{order}")
    s.order(WithdrawPayment, reference=f"R-{order}")
    s.line(LineItem(f"R-{order}", None, None, -10000, 0, "AM04"))
    line = last_line(s)
    assert match(s, line, f"R-{order}", 10000) == "match.payment"
    assert not s.portion(f"R-{order}").returned_minor
    assert match(s, line, order, 10000) == ""
    assert s.books.item().owed.total == 10000
    invariants.check(s.books)


def test_a_late_success_of_which_a_part_came_back_first_is_a_case_of_the_whole() -> None:
    """The return shows a part of what was taken; the case follows when the whole is reported."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    s.returned(order, 4000, bank_ref="B1")
    s.apply_outcome(order, bank_ref="B1")
    case = s.books.cases[f"{CaseKind.LATE_SUCCESS}/R-{order}"]
    assert case.amount_minor == 10000
    invariants.check(s.books)
