"""Lines of returns that come before what they are about is known: they are booked with its news."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change, Lacks
from domain.loan.decide import decide, waitingreturns
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import MatchLine, RecordReturn, UndoMatch, WithdrawPayment
from tests.support.memory import TESTER, board, schedule
from tests.support.scene import Scene

LINES = schedule(((10000, 100), (10000, 100), (10000, 100)))
ORDERED = 10100


def scene() -> tuple[Scene, str]:
    """A loan of 101.00 a month whose first debit is out; its order number."""
    s = Scene.boarded(lines=LINES)
    return s, s.present()


def last_line(s: Scene) -> str:
    """The id of the newest line."""
    return next(reversed(s.books.lines))


def match(s: Scene, line: str, ref: str, minor: int) -> str:
    """A person says what a line is about; the rule of a refusal."""
    answer = s.order(MatchLine, line=line, reference=ref, amount_minor=minor)
    return answer.rule if isinstance(answer, Refusal) else ""


TWICE: tuple[Callable[[Scene, str], object], ...] = (
    lambda s, order: s.apply_outcome(order, bank_ref="B1", source="webhook"),
    lambda s, order: s.apply_outcome(order, bank_ref="B2", source="webhook"),
    lambda s, order: s.line(LineItem(order, None, "B1", -ORDERED, 0, "AM04")),
    lambda s, order: s.line(LineItem(order, None, "B2", -ORDERED, 0, "AM04")),
)


@pytest.mark.parametrize("places", list(permutations(range(4))))
def test_returns_of_two_executions_are_booked_in_any_order_of_news(
    places: tuple[int, ...],
) -> None:
    """The line of the second return may come before the second execution is known."""
    s, order = scene()
    for place in places:
        TWICE[place](s, order)
    assert not any(line.is_open for line in s.books.lines.values())
    assert [(p.amount_minor, p.net_minor) for p in s.books.loans["L1"].portions] == [
        (ORDERED, 0)
    ] * 2
    assert not any(key.startswith("line/") for key in s.books.cases)
    invariants.check(s.books)


BARE: tuple[Callable[[Scene, str], object], ...] = (
    lambda s, order: s.apply_outcome(order, bank_ref="B1", source="webhook"),
    lambda s, order: s.returned(order, 5050, bank_ref="B1"),
    lambda s, _: s.return_line(None, 5050),
)


@pytest.mark.parametrize("places", list(permutations(range(3))))
def test_a_line_that_names_only_the_mandate_is_booked_with_the_report(
    places: tuple[int, ...],
) -> None:
    """Whether report or line came first, the same return is proven and no case waits."""
    s, order = scene()
    for place in places:
        BARE[place](s, order)
    assert not s.books.lines[last_line(s)].is_open
    assert s.portion(f"R-{order}").return_settled_minor == 5050
    invariants.check(s.books)


def test_the_credit_line_of_an_order_books_the_return_that_waited_for_it() -> None:
    """Nothing but lines tells of the debit: what came is known by the second of them."""
    s, order = scene()
    s.return_line(None, ORDERED)
    line = last_line(s)
    assert s.books.lines[line].is_open
    s.credit(order, ORDERED)
    assert not s.books.lines[line].is_open
    assert s.books.item().owed.total == ORDERED
    invariants.check(s.books)


@pytest.mark.parametrize("is_bare_first", [True, False])
def test_of_two_reported_returns_the_bare_line_is_what_the_named_one_leaves(
    *, is_bare_first: bool
) -> None:
    """While both wait, nobody can say which of them the bare line is."""
    s, order = scene()
    s.apply_outcome(order)
    s.returned(order, 5050, bank_ref="B1")
    s.returned(order, 4000, bank_ref="B1")
    for ref in (None, order) if is_bare_first else (order, None):
        s.return_line(ref, 4000 if ref else 5050)
    assert not any(line.is_open for line in s.books.lines.values())
    assert s.portion(f"R-{order}").return_settled_minor == 9050
    invariants.check(s.books)


def test_an_unreported_bare_line_is_of_no_order_of_a_later_day() -> None:
    """Nothing comes back before it was ordered, though just so much came."""
    s, order = scene()
    s.apply_outcome(order)
    early = s.today - timedelta(days=1)
    s.line(LineItem(None, "M-L1", None, -ORDERED, 0, "AM04"), booked_on=early, value_on=early)
    assert s.books.lines[last_line(s)].is_open
    invariants.check(s.books)


def test_what_the_bank_kept_on_top_is_no_return_of_another_execution() -> None:
    """3.00 more than was taken stay open when a second execution becomes known."""
    s, order = scene()
    s.apply_outcome(order, bank_ref="B1")
    s.return_line(order, ORDERED + 300)
    line = last_line(s)
    s.apply_outcome(order, bank_ref="B2", source="webhook")
    assert s.books.lines[line].open_minor == -300
    invariants.check(s.books)


def test_what_is_undone_waits_for_a_person() -> None:
    """News of the order does not book again what a person has taken back."""
    s, order = scene()
    s.apply_outcome(order, bank_ref="B1")
    s.return_line(order, ORDERED)
    line = last_line(s)
    s.order(UndoMatch, line=line, reference=order)
    s.apply_outcome(order, bank_ref="B2", source="webhook")
    assert s.books.lines[line].open_minor == -ORDERED
    invariants.check(s.books)


def test_a_bare_line_waits_for_no_more_orders_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of many orders under a mandate it waits for the latest."""
    monkeypatch.setattr(waitingreturns, "ORDERS_MOST", 1)
    s, first = scene()
    s.apply_outcome(first, OutcomeClass.NSF)
    second = s.present(2)
    s.return_line(None, 777)
    (item,) = s.books.lines[last_line(s)].waiting
    assert item.orders == (second,)


def test_a_return_under_a_payers_reference_waits_for_no_order() -> None:
    """It is about a transfer, of which more came back than was sent."""
    s, _ = scene()
    s.pay(500, ref="RENT")
    for _ in range(2):
        s.line(LineItem("RENT", "M-L1", None, -500, 0, "AM04"))
    (item,) = s.books.lines[last_line(s)].waiting
    assert (item.ref, item.orders) == ("RENT", ())


def test_an_id_means_one_payment_though_a_payer_has_written_it() -> None:
    """A transfer under the id of a debit's payment: the debit is still matched by its id."""
    s, order = scene()
    s.apply_outcome(order)
    s.pay(ORDERED, ref=f"R-{order}")
    s.line(LineItem(None, None, None, ORDERED))
    line = last_line(s)
    assert match(s, line, f"R-{order}", ORDERED) == ""
    assert s.portion(f"R-{order}").settled_minor == ORDERED
    s.order(UndoMatch, line=line, reference=f"R-{order}")
    assert not s.portion(f"R-{order}").settled_minor
    invariants.check(s.books)


def test_a_transfer_is_withdrawn_by_its_id_though_another_is_called_so() -> None:
    """Its own id names it alone; a payer's reference that is alike names another."""
    s, _ = scene()
    s.pay(500, ref="RENT")
    mine = s.payment("RENT").id
    s.pay(600, ref=mine)
    s.order(WithdrawPayment, reference=mine)
    assert s.books.payments[mine].is_withdrawn
    assert [p.is_withdrawn for p in s.books.payments.values() if p.reference == mine] == [False]
    invariants.check(s.books)


def test_a_person_matches_each_of_two_returns_of_one_reference() -> None:
    """Two payments alike in name and amount both came back: each line is placed by our ids."""
    s, _ = scene()
    for day in (3, 4):
        s.pay(ORDERED, ref="RENT", value_on=s.today.replace(day=day))
        s.credit("RENT", ORDERED)
    for _ in range(2):
        s.line(LineItem("RENT", None, None, -ORDERED, 0, "AM04"))
    ids = [p.id for p in s.books.payments.values() if p.reference == "RENT"]
    lines = [name for name, line in s.books.lines.items() if line.amount_minor < 0]
    assert match(s, lines[0], "RENT", ORDERED) == "match.several"
    assert [match(s, *pair, ORDERED) for pair in zip(lines, ids, strict=True)] == ["", ""]
    assert not any(line.is_open for line in s.books.lines.values())
    invariants.check(s.books)


@pytest.mark.parametrize(("minor", "rule"), [(ORDERED, ""), (ORDERED + 1, "match.payment")])
def test_a_person_says_that_a_line_is_the_return_of_an_order_nobody_confirmed(
    minor: int, rule: str
) -> None:
    """The order was executed then, for no more than was ordered: it is booked and taken back."""
    s, order = scene()
    s.line(LineItem(None, None, None, -minor, 0, "AM04"))
    line = last_line(s)
    assert match(s, line, order, minor) == rule
    assert s.books.lines[line].is_open is bool(rule)
    assert len(s.books.loans["L1"].portions) == (0 if rule else 1)
    assert s.books.item().owed.total == ORDERED
    invariants.check(s.books)


def test_the_number_of_another_loans_order_is_no_return_of_this_one() -> None:
    """A person looks at the wrong loan: refused, and nothing is booked."""
    s, _ = scene()
    s.books.apply(board("L2", lines=LINES))
    other = s.present(loan="L2")
    s.line(LineItem(None, None, None, -ORDERED, 0, "AM04"))
    line = last_line(s)
    assert match(s, line, other, ORDERED) == "match.return"
    assert s.books.lines[line].open_minor == -ORDERED


def test_a_line_that_a_new_payment_leaves_open_is_about_its_loan() -> None:
    """Two lines carry one reference; the payment recorded then takes one, the other may be its."""
    s, _ = scene()
    s.line(LineItem("RENT", None, None, 20200))
    other = last_line(s)
    s.line(LineItem("RENT", None, None, 6100))
    s.pay(6100, ref="RENT")
    assert s.books.lines[other].open_minor == 20200
    (case,) = [case for case in s.books.cases.values() if case.line == other]
    assert (case.loan_id, case.number, case.amount_minor) == ("L1", 1, 20200)
    invariants.check(s.books)


def test_an_id_on_the_line_is_the_debits_where_no_payer_is_known_to_use_it() -> None:
    """The bank gives our own id back: a person who names it means the debit."""
    s, order = scene()
    s.apply_outcome(order)
    s.credit(order, ORDERED)
    s.line(LineItem(f"R-{order}", None, None, -ORDERED, 0, "AM04"))
    line = last_line(s)
    assert s.books.lines[line].is_open
    assert match(s, line, f"R-{order}", ORDERED) == ""
    assert s.portion(f"R-{order}").return_settled_minor == ORDERED
    invariants.check(s.books)


def test_news_of_an_order_leaves_the_other_items_of_a_line_alone() -> None:
    """Two returns in one line: only the one that the order may be of is booked."""
    s, order = scene()
    s.line(
        LineItem("nobody", None, None, -700, 0, "AM04"),
        LineItem(None, "M-L1", None, -ORDERED, 0, "AM04"),
    )
    s.apply_outcome(order)
    assert s.books.lines[last_line(s)].open_minor == -700
    invariants.check(s.books)


def test_news_asks_for_the_mandate_of_a_bare_line_that_waits() -> None:
    """Another order under it may fit as well: whoever gave less is asked for all its loans."""
    s, order = scene()
    s.return_line(None, 5050)
    s.apply_outcome(order)
    report = RecordReturn(
        id="r",
        actor=TESTER,
        rail="simbank",
        order_no=order,
        bank_ref=None,
        amount_minor=5050,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=s.today,
    )
    whole = s.books._aggregates()
    with pytest.raises(Lacks) as lacks:
        decide(replace(whole, named_mandates=frozenset()), report)
    assert lacks.value.mandates == {"M-L1"}
    change = decide(replace(whole, named_mandates=frozenset({"M-L1"})), report)
    assert isinstance(change, Change)
    assert not change.lines[last_line(s)].is_open
