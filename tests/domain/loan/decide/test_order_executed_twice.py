"""Returns of an order that was executed twice: the sequence of the reports does not matter."""

from collections.abc import Callable
from itertools import permutations

import pytest

from domain.case.kinds import CaseKind
from domain.debit.outcome import OutcomeClass
from domain.loan.change import Change
from tests.support import invariants
from tests.support.doors import MatchLine, UndoMatch
from tests.support.memory import board, schedule
from tests.support.scene import Scene

LINES = schedule(((10000, 100), (10000, 100), (10000, 100)))


def scene() -> tuple[Scene, str]:
    """A loan of 101.00 a month whose first debit is out; its order number."""
    s = Scene.boarded(lines=LINES)
    return s, s.present()


def last_line(s: Scene) -> str:
    """The id of the newest line."""
    return next(reversed(s.books.lines))


NEWS: tuple[Callable[[Scene, str], object], ...] = (
    lambda s, order: s.apply_outcome(order, bank_ref="B1", source="webhook"),
    lambda s, order: s.apply_outcome(order, bank_ref="B2", source="webhook"),
    lambda s, order: s.returned(order, 10100, bank_ref="B1"),
    lambda s, order: s.returned(order, 10100, bank_ref="B2"),
)


@pytest.mark.parametrize("places", list(permutations(range(4))))
def test_two_executions_that_both_come_back_leave_the_debt_as_it_was(
    places: tuple[int, ...],
) -> None:
    """Reported in any order, all that was taken has gone back, and no case says otherwise."""
    s, order = scene()
    for place in places:
        NEWS[place](s, order)
    portions = s.books.loans["L1"].portions
    assert [(r.amount_minor, r.net_minor) for r in portions] == [(10100, 0)] * 2
    assert not any(payment.excess_minor for payment in s.books.payments.values())
    assert s.books.item().owed.total == 10100
    assert not any(key.startswith(("return/", "booking/")) for key in s.books.cases)
    assert s.balances.get("clearing/simbank", 0) == 0
    invariants.check(s.books)


@pytest.mark.parametrize("known", [True, False])
def test_the_strictest_reason_of_all_executions_decides_whether_a_machine_tries_again(
    *, known: bool
) -> None:
    """One came back for want of funds and one by the payer's will: nobody knows which was which.

    `known`: the second execution is known before the return without a name takes its money back.
    """
    s, order = scene()
    s.apply_outcome(order, bank_ref="B1", source="webhook")
    for second in (known, not known):
        if second:
            s.apply_outcome(order, bank_ref="B2", source="webhook")
        else:
            s.returned(order, 10100)
    s.returned(order, 10100, bank_ref="B2", code="MD06")
    assert s.state == "DELINQUENT"
    assert s.books.item().attempts[0].code == "MD06"
    invariants.check(s.books)


@pytest.mark.parametrize("known", [True, False])
def test_a_reason_of_another_execution_forbids_a_retry_of_what_is_still_owed(
    *, known: bool
) -> None:
    """Twice 60.00 of 101.00 were taken, and the second came back by the payer's will."""
    s, order = scene()
    s.apply_outcome(order, OutcomeClass.PARTIAL, 6000, bank_ref="B1", source="webhook")
    assert s.state == "RETRYING"
    for second in (known, not known):
        if second:
            s.apply_outcome(order, minor=6000, bank_ref="B2", source="webhook")
        else:
            s.returned(order, 6000, bank_ref="B2", code="MD06")
    assert (s.state, s.books.item().owed.total) == ("DELINQUENT", 4100)
    invariants.check(s.books)


def test_the_reason_of_a_return_is_forgotten_with_the_return() -> None:
    """The line of the surplus that came back is undone: its hard reason forbids nothing."""
    s, order = scene()
    for ref in ("B1", "B2"):
        s.apply_outcome(order, bank_ref=ref, source="webhook")
        s.credit(order, 10100, tx=ref)
    s.return_line(order, 10100, tx="B2", code="MD06")
    assert s.payment(f"R-{order}#2").returned_for == (OutcomeClass.PAYER_STOP, "MD06")
    s.order(UndoMatch, line=last_line(s), reference=f"R-{order}#2")
    assert s.payment(f"R-{order}#2").returned_for is None
    assert s.books.item().attempts[0].other_returned_for is None
    s.returned(order, 10100, bank_ref="B1")
    assert s.books.item().attempts[0].code == "AM04"
    invariants.check(s.books)


def test_a_person_matches_the_line_of_an_execution_that_nobody_has_reported() -> None:
    """The order's money is proven, so a line under its number shows another execution of it."""
    s, order = scene()
    s.apply_outcome(order, bank_ref="B1", source="webhook")
    s.credit(order, 10100, tx="B1")
    s.credit("UNREADABLE", 10100)
    matched = s.order(MatchLine, line=last_line(s), reference=order, amount_minor=10100)
    assert isinstance(matched, Change)
    assert s.portion(f"R-{order}#2").settled_minor == 10100
    assert f"double_execution/R-{order}#2" in s.books.cases
    assert not s.books.lines[last_line(s)].is_open
    invariants.check(s.books)


@pytest.mark.parametrize("strange_first", [True, False])
def test_a_return_under_a_strange_name_is_a_case_while_a_return_lacks_its_line(
    *, strange_first: bool
) -> None:
    """Both came back, one under no name and one under a strange one; one line shows a return."""
    s, order = scene()
    for ref in ("B1", "B2"):
        s.apply_outcome(order, bank_ref=ref, source="webhook")
        s.credit(order, 10100, tx=ref)
    s.return_line(order, 10100, tx="B1")
    for strange in (strange_first, not strange_first):
        s.returned(order, 10100, bank_ref="X9" if strange else None)
    assert f"booking/{order}/X9" in s.books.cases
    s.return_line(order, 10100, tx="B2")
    assert f"booking/{order}/X9" not in s.books.cases
    invariants.check(s.books)


def test_a_strange_name_may_be_that_of_an_execution_which_nobody_has_named() -> None:
    """A line shows a second execution without telling its name: the case about the name ends."""
    s, order = scene()
    s.apply_outcome(order, bank_ref="B1", source="webhook")
    s.credit(order, 10100, tx="B1")
    s.returned(order, 10100, bank_ref="X9")
    assert f"booking/{order}/X9" in s.books.cases
    s.credit(order, 10100)
    assert [s.payment(p.id).bank_ref for p in s.books.loans["L1"].portions] == ["B1", None]
    assert f"booking/{order}/X9" not in s.books.cases
    invariants.check(s.books)


def test_a_return_without_a_name_makes_room_for_one_with_its_name() -> None:
    """Half of one execution without a name, then the whole of the other: both have gone back."""
    s, order = scene()
    for ref in ("B1", "B2"):
        s.apply_outcome(order, bank_ref=ref, source="webhook")
        s.credit(order, 10100, tx=ref)
    s.returned(order, 5050)
    s.return_line(order, 5050, tx="B2")
    s.returned(order, 10100, bank_ref="B1")
    assert [r.net_minor for r in s.books.loans["L1"].portions] == [0, 5050]
    s.return_line(None, 10100)
    assert all(r.is_proven for r in s.books.loans["L1"].portions)
    assert not s.books.lines[last_line(s)].is_open
    assert s.books.item().owed.total == 5050
    invariants.check(s.books)


def test_a_fee_inside_a_return_is_no_return_of_another_execution() -> None:
    """What a line shows beyond one payment is of another only as far as reports have said so."""
    s, order = scene()
    for ref in ("B1", "B2"):
        s.apply_outcome(order, bank_ref=ref, source="webhook")
        s.credit(order, 10100, tx=ref)
    s.return_line(order, 10400, tx="B2")
    assert s.books.lines[last_line(s)].open_minor == -300
    assert sum(r.returned_minor for r in s.books.loans["L1"].portions) == 10100
    invariants.check(s.books)


@pytest.mark.parametrize("return_first", [True, False])
def test_a_whole_that_comes_back_of_which_a_part_was_reported_raises_the_payment(
    *, return_first: bool
) -> None:
    """The two reports of one amount are a case, and its lines end it."""
    s, order = scene()
    news: list[Callable[[], object]] = [
        lambda: s.apply_outcome(order, OutcomeClass.PARTIAL, 4000, bank_ref="B1"),
        lambda: s.returned(order, 10100, bank_ref="B1"),
    ]
    for tell in reversed(news) if return_first else news:
        tell()
    portion = s.portion(f"R-{order}")
    assert (portion.amount_minor, portion.returned_minor) == (10100, 10100)
    cases = {k: c.kind for k, c in s.books.cases.items() if not k.startswith("no_reminder")}
    assert cases == {f"amount/{order}": CaseKind.CONTRADICTION}
    s.settle()
    assert f"amount/{order}" not in s.books.cases
    assert s.books.item().owed.total == 10100
    invariants.check(s.books)


def test_a_second_part_that_comes_back_raises_a_payment_that_is_not_believed() -> None:
    """Of 40.00 reported, 50.00 and 51.00 came back: 101.00 was taken, and one case says so."""
    s, order = scene()
    s.apply_outcome(order, OutcomeClass.PARTIAL, 4000, bank_ref="B1")
    s.returned(order, 5000, bank_ref="B1")
    s.returned(order, 5100, bank_ref="B1")
    assert s.portion(f"R-{order}").returned_minor == 10100
    assert f"amount/{order}" in s.books.cases
    invariants.check(s.books)


@pytest.mark.parametrize("minor", [15100, 12000])
def test_what_came_back_beyond_the_order_waits_for_what_was_taken_beyond_it(minor: int) -> None:
    """More than ordered comes back before anybody tells that so much was taken."""
    s, order = scene()
    s.returned(order, 15100, bank_ref="B1")
    assert s.books.cases[f"return/{order}/B1"].amount_minor == 5000
    s.apply_outcome(order, minor=minor, bank_ref="B1", source="webhook")
    payment = s.payment(f"R-{order}")
    assert (payment.returned_minor, payment.excess_minor) == (minor, 15100 - minor)
    assert (f"return/{order}/B1" in s.books.cases) is (minor < 15100)
    invariants.check(s.books)


@pytest.mark.parametrize("twins", [False, True])
def test_a_bare_return_line_proves_the_part_that_was_reported(*, twins: bool) -> None:
    """A mandate says whose, a report how much of which; two reports alike leave it to a person."""
    s, order = scene()
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.returned(order, 5050)
    if twins:
        s.books.apply(board("L2", lines=LINES, mandate=s.books.loans["L1"].mandate))
        other = s.present(loan="L2")
        s.apply_outcome(other)
        s.returned(other, 5050)
    s.return_line(None, 5050)
    assert s.books.lines[last_line(s)].is_open is twins
    assert s.portion(f"R-{order}").is_proven is not twins
    invariants.check(s.books)
