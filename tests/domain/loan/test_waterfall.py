"""Allocation: the published vectors, every direction, every future, and what always holds."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput, InvariantBroken
from domain.loan.named_waterfalls import named
from domain.loan.waterfall import (
    Allocation,
    Direction,
    Future,
    OpenItem,
    Waterfall,
    allocate,
    days_past_due,
)
from domain.pricing.amounts import Amounts, Component

ORDER = (Component.PENALTY, Component.FEE, Component.PRINCIPAL, Component.INTEREST)
TODAY = date(2024, 5, 1)
PAST = [
    OpenItem(3, date(2024, 3, 1), Amounts(principal=250, penalty=20)),
    OpenItem(4, date(2024, 4, 1), Amounts(principal=250, penalty=20)),
]


def waterfall(
    direction: Direction = Direction.HORIZONTAL, future: Future = Future.NEXT
) -> Waterfall:
    """Penalty, fee, principal, interest."""
    return Waterfall(ORDER, direction, future)


def paid(
    items: list[OpenItem], amount: int, rule: Waterfall, designated: tuple[int, ...] = ()
) -> list[tuple[int, str, int]]:
    """What an amount pays on 1 May 2024, as plain tuples."""
    parts, _ = allocate(items, amount, rule, TODAY, designated)
    return [(part.number, part.component.value, part.minor) for part in parts]


def test_horizontal_finishes_one_installment_before_the_next() -> None:
    """Apache Fineract Loan.feature: 35 on two past due pays #3 penalty 20 and principal 15."""
    found = paid(PAST, 35, waterfall(Direction.HORIZONTAL))
    assert found == [(3, "penalty", 20), (3, "principal", 15)]


def test_vertical_finishes_one_component_before_the_next() -> None:
    """Apache Fineract Loan.feature: 35 on two past due pays penalties 20 of #3 and 15 of #4."""
    found = paid(PAST, 35, waterfall(Direction.VERTICAL))
    assert found == [(3, "penalty", 20), (4, "penalty", 15)]


@pytest.mark.parametrize(
    ("future", "rest", "left"),
    [
        (Future.NEXT, [(3, "principal", 50)], 0),
        (Future.LAST, [(4, "principal", 50)], 0),
        (Future.REDUCE, [], 50),
        (Future.ADVANCE, [], 50),
    ],
)
def test_money_that_is_left_goes_where_the_future_rule_says(
    future: Future, rest: list[tuple[int, str, int]], left: int
) -> None:
    """Apache Fineract Loan.feature: 4 x 100, first paid, 150 on the due date of #2."""
    items = [
        OpenItem(2, TODAY, Amounts(principal=100)),
        OpenItem(3, date(2024, 6, 1), Amounts(principal=100)),
        OpenItem(4, date(2024, 7, 1), Amounts(principal=100)),
    ]
    for direction in Direction:
        rule = waterfall(direction, future)
        assert paid(items, 150, rule) == [(2, "principal", 100), *rest]
        assert allocate(items, 150, rule, TODAY)[1] == left


def test_the_last_installments_are_paid_one_by_one_from_the_end() -> None:
    """Three to come: the third, the second, the first."""
    items = [OpenItem(n, date(2024, 6, n), Amounts(principal=10)) for n in (1, 2, 3)]
    found = paid(items, 25, waterfall(future=Future.LAST))
    assert found == [(3, "principal", 10), (2, "principal", 10), (1, "principal", 5)]


def test_past_due_comes_before_due_even_vertically() -> None:
    """All components of what is past due, then what is due today."""
    items = [
        OpenItem(5, TODAY, Amounts(principal=100, interest=10, penalty=1)),
        OpenItem(4, date(2024, 4, 1), Amounts(principal=100, interest=10)),
    ]
    found = paid(items, 112, waterfall(Direction.VERTICAL))
    assert found == [
        (4, "principal", 100),
        (4, "interest", 10),
        (5, "penalty", 1),
        (5, "principal", 1),
    ]


def test_india_takes_all_interest_before_any_principal() -> None:
    """Reserve Bank of India: overdue and current interest together come first."""
    items = [
        OpenItem(4, date(2024, 4, 1), Amounts(principal=100, interest=10)),
        OpenItem(5, TODAY, Amounts(principal=100, interest=10)),
    ]
    found = paid(items, 25, named("rbi-india"))
    assert found == [(4, "interest", 10), (5, "interest", 10), (4, "principal", 5)]


@pytest.mark.parametrize(
    ("overdue_days", "first"), [(90, "penalty"), (91, "principal"), (400, "principal")]
)
def test_chinese_card_debt_turns_to_principal_first_after_ninety_days(
    overdue_days: int, first: str
) -> None:
    """Credit-card rule art. 57: up to 90 days interest and fees first, from 91 on principal."""
    item = OpenItem(1, TODAY - timedelta(days=overdue_days), Amounts(principal=50, penalty=5))
    assert paid([item], 3, named("cn-credit-card")) == [(1, first, 3)]


def test_an_order_without_principal_has_nothing_to_turn_to() -> None:
    """Days past due do not add a component to the order."""
    rule = Waterfall((Component.FEE,), Direction.VERTICAL, Future.NEXT, 91)
    assert rule.order_at(200) == (Component.FEE,)


def test_the_borrower_may_designate_what_is_paid_first() -> None:
    """Civil Code art. 560: #4 before #3, and once only when it is named twice."""
    assert paid(PAST, 300, waterfall(), designated=(4, 4)) == [
        (4, "penalty", 20),
        (4, "principal", 250),
        (3, "penalty", 20),
        (3, "principal", 10),
    ]


def test_days_past_due_count_from_the_oldest_open_date() -> None:
    """An item that owes nothing is not open; nothing past due is zero days."""
    items = [OpenItem(1, date(2024, 1, 1), Amounts()), *PAST]
    assert days_past_due(items, TODAY) == 61
    assert days_past_due([OpenItem(1, date(2024, 4, 30), Amounts(fee=1))], TODAY) == 1
    assert days_past_due([], TODAY) == 0
    assert days_past_due(PAST, date(2024, 2, 1)) == 0


@pytest.mark.parametrize(
    "name",
    [
        "cn-civil-code",
        "cn-credit-card",
        "cn-contract",
        "rbi-india",
        "mifos-standard",
        "principal-interest-penalties-fees",
        "interest-principal-penalties-fees",
        "early-repayment",
        "heavensfamily",
        "creocore",
        "due-penalty-fee-interest-principal-in-advance-principal-penalty-fee-interest",
        "due-penalty-interest-principal-fee-in-advance-penalty-interest-principal-fee",
    ],
)
def test_statutes_contracts_and_fineract_strategies_have_names(name: str) -> None:
    """Every order of the catalogue of rules; each pays every component of what is due."""
    assert set(named(name).order) == set(Component)


def test_an_order_may_be_written_with_commas() -> None:
    """Anything else is refused, and the refusal lists components and names."""
    found = named("principal, interest")
    assert found == Waterfall(
        (Component.PRINCIPAL, Component.INTEREST), Direction.HORIZONTAL, Future.NEXT
    )
    with pytest.raises(InvalidInput, match=r"principal,tips.*penalty.*cn-contract"):
        named("principal,tips")


EACH = Amounts(principal=16, interest=8, fee=4, penalty=2, cost=1)
"""Amounts that tell the components apart: any sum of them is a sum of only those."""


@pytest.mark.parametrize(
    ("name", "due", "in_advance"),
    [
        # Fineract, TransactionProcessor classes: late and on time, then before the due date.
        ("mifos-standard", "cost penalty fee interest principal", None),
        ("creocore", "cost penalty fee interest principal", None),
        ("principal-interest-penalties-fees", "principal interest penalty fee cost", None),
        ("interest-principal-penalties-fees", "interest principal penalty fee cost", None),
        ("heavensfamily", "principal interest fee penalty cost", None),
        ("early-repayment", "interest principal penalty fee cost", "principal"),
        (
            "due-penalty-fee-interest-principal-in-advance-principal-penalty-fee-interest",
            "cost penalty fee interest principal",
            "principal cost penalty fee interest",
        ),
        (
            "due-penalty-interest-principal-fee-in-advance-penalty-interest-principal-fee",
            "cost penalty interest principal fee",
            None,
        ),
        # Civil Code art. 561; usual contracts.
        ("cn-civil-code", "cost fee interest penalty principal", None),
        ("cn-contract", "cost fee penalty interest principal", None),
    ],
)
def test_a_named_order_pays_what_is_due_and_what_is_not_due_yet(
    name: str, due: str, in_advance: str | None
) -> None:
    """31 a head: one installment due today, one in a month, more money than both owe."""
    items = [OpenItem(1, TODAY, EACH), OpenItem(2, date(2024, 6, 1), EACH)]
    found = paid(items, 100, named(name))
    ahead = (in_advance or due).split()
    assert [component for number, component, _ in found if number == 1] == due.split()
    assert [component for number, component, _ in found if number == 2] == ahead
    designated = paid(items, 31, named(name), designated=(2,))
    assert designated == [
        (2, component, EACH.of(Component(component))) for component in due.split()
    ]


@pytest.mark.parametrize("order", [(), (Component.FEE, Component.FEE)])
def test_an_order_names_each_component_once(order: tuple[Component, ...]) -> None:
    """And at least one; the order in advance likewise."""
    with pytest.raises(InvalidInput, match="order"):
        Waterfall(order, Direction.VERTICAL, Future.NEXT)
    with pytest.raises(InvalidInput, match="in_advance"):
        Waterfall(ORDER, Direction.VERTICAL, Future.NEXT, in_advance=order)


def test_what_cannot_be_allocated_is_refused() -> None:
    """A negative amount, a number twice, an unknown designation, a threshold of no days."""
    with pytest.raises(InvalidInput, match="amount"):
        allocate(PAST, -1, waterfall(), TODAY)
    with pytest.raises(InvalidInput, match="items"):
        allocate([PAST[0], PAST[0]], 1, waterfall(), TODAY)
    with pytest.raises(InvalidInput, match="designated"):
        allocate(PAST, 1, waterfall(), TODAY, designated=(9,))
    with pytest.raises(InvalidInput, match="dpd"):
        Waterfall(ORDER, Direction.VERTICAL, Future.NEXT, 0)
    with pytest.raises(InvariantBroken):
        OpenItem(1, TODAY, Amounts(principal=-1))
    assert allocate(PAST, 0, waterfall(), TODAY) == ((), 0)


AMOUNTS = st.builds(Amounts, *[st.integers(0, 500)] * 5)
ITEMS = st.lists(st.tuples(st.integers(-90, 90), AMOUNTS), min_size=1, max_size=6).map(
    lambda rows: [
        OpenItem(number, TODAY + timedelta(days=days), owed)
        for number, (days, owed) in enumerate(rows, start=1)
    ]
)
RULES = st.builds(
    Waterfall,
    st.permutations(list(Component)).map(tuple),
    st.sampled_from(Direction),
    st.sampled_from(Future),
    st.sampled_from([None, 1, 91]),
    st.booleans(),
    st.sampled_from([None, (Component.PRINCIPAL,), (Component.PRINCIPAL, Component.FEE)]),
)


@given(ITEMS, st.integers(0, 20_000), RULES)
def test_allocation_never_exceeds_what_is_owed_and_loses_nothing(
    items: list[OpenItem], amount: int, rule: Waterfall
) -> None:
    """Parts and rest sum to the amount; each part is above zero and within its own debt."""
    parts, rest = allocate(items, amount, rule, TODAY)
    assert sum(part.minor for part in parts) + rest == amount
    owed = {item.number: item.owed for item in items}
    assert len({(part.number, part.component) for part in parts}) == len(parts)
    assert all(0 < part.minor <= owed[part.number].of(part.component) for part in parts)
    ahead = rule.in_advance or rule.order if rule.future in {Future.NEXT, Future.LAST} else ()
    reachable = sum(
        item.owed.total if item.due_on <= TODAY else sum(map(item.owed.of, ahead)) for item in items
    )
    assert rest == max(0, amount - reachable)


@given(ITEMS, st.integers(0, 3_000), st.integers(0, 3_000), RULES)
def test_two_payments_pay_what_one_payment_pays(
    items: list[OpenItem], one: int, two: int, rule: Waterfall
) -> None:
    """With an order that does not look at days past due, payments may be cut anywhere."""
    rule = replace(rule, principal_first_from_dpd=None)
    first, rest = allocate(items, one, rule, TODAY)
    second, _ = allocate(_after(items, first), two + rest, rule, TODAY)
    together, _ = allocate(items, one + two, rule, TODAY)
    sums: dict[tuple[int, Component], int] = {}
    for part in (*first, *second):
        key = (part.number, part.component)
        sums[key] = sums.get(key, 0) + part.minor
    assert sums == {(part.number, part.component): part.minor for part in together}


def _after(items: list[OpenItem], parts: tuple[Allocation, ...]) -> list[OpenItem]:
    left = []
    for item in items:
        owed = item.owed
        for part in parts:
            if part.number == item.number:
                owed = owed.plus(part.component, -part.minor)
        left.append(OpenItem(item.number, item.due_on, owed))
    return left
