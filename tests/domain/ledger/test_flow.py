"""The flow of a payment: where its money lay, for whom, how long, and which hops it made."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvariantBroken
from domain.ledger.accounts import CASH, family
from domain.ledger.entry import JournalPosting
from domain.ledger.flow import Flow, Hop, Paid, flows

DAY = date(2026, 3, 10)
RAIL, K = "clearing/simbank", "bank/K"
Part = tuple[str, int, str | None]


def entry(
    seq: int,
    event: str,
    *parts: Part,
    payment: str | None = "P",
    line: str | None = None,
    item: tuple[str, int, str] | None = None,
) -> list[JournalPosting]:
    """The postings of one entry, a day after the one before: account, minor units, place."""
    on = DAY + timedelta(days=seq)
    loan, number, component = item or (None, None, None)
    return [
        JournalPosting(
            account,
            minor,
            "CNY",
            payment=payment,
            place=place,
            line=line,
            loan=loan,
            number=number,
            component=component,
            seq=seq,
            event=event,
            at=datetime(on.year, on.month, on.day, tzinfo=UTC),
            posted_on=on,
            value_on=on,
            ledger="main",
        )
        for account, minor, place in parts
    ]


PAID = ("L1", 1, "principal")
CONFIRMED = entry(
    1,
    "confirmed",
    (RAIL, 100, RAIL),
    ("owed/L1/1/principal", -100, None),
    ("claim/F", 100, None),
    ("payable/F", -90, RAIL),
    ("payable/C", -10, RAIL),
    item=PAID,
)
SETTLED = entry(
    4,
    "settled",
    (K, 100, K),
    (RAIL, -100, RAIL),
    ("payable/F", 90, RAIL),
    ("payable/C", 10, RAIL),
    ("payable/F", -90, K),
    ("payable/C", -10, K),
    line="K/1",
)
HELD = entry(5, "held", ("payable/C", 10, K), ("held_by/C", -10, K))


def only(postings: Iterable[JournalPosting]) -> Flow:
    """The one flow that the postings tell."""
    (flow,) = flows(postings)
    return flow


def told(flow: Flow) -> list[tuple[str, str, int, int, int | None]]:
    """Account, place, amount, and the entries by which it came and left."""
    return [
        (stay.account, stay.place, stay.minor, stay.came.seq, stay.left.seq if stay.left else None)
        for stay in flow.stays
    ]


def test_a_debit_is_followed_from_the_rail_to_the_account_and_to_its_parties() -> None:
    """Cash goes from the clearing to the bank account; shares follow it, one of them is held."""
    flow = only([*CONFIRMED, *SETTLED, *HELD])
    assert told(flow) == [
        (RAIL, RAIL, 100, 1, 4),
        ("payable/C", RAIL, 10, 1, 4),
        ("payable/F", RAIL, 90, 1, 4),
        (K, K, 100, 4, None),
        ("payable/C", K, 10, 4, 5),
        ("payable/F", K, 90, 4, None),
        ("held_by/C", K, 10, 5, None),
    ]
    assert flow.accounts == (RAIL, K)
    assert [(hop.source, hop.target, hop.minor) for hop in flow.hops] == [
        (None, RAIL, 100),
        (RAIL, K, 100),
    ]
    assert flow.paid == (Paid(*PAID, 100),)
    assert {stay.line for stay in flow.stays if stay.came.seq == 4} == {"K/1"}
    assert [stay.account for stay in flow.open] == [K, "payable/F", "held_by/C"]


def test_dwell_is_counted_from_coming_to_leaving_and_to_today_while_it_lies_there() -> None:
    """Three days with the rail; on the account until the day that is asked about, never less."""
    cash = [stay for stay in only([*CONFIRMED, *SETTLED]).stays if stay.is_cash]
    assert [stay.dwell_days(DAY + timedelta(days=10)) for stay in cash] == [3, 6]
    assert [stay.dwell_days(DAY) for stay in cash] == [3, 0]


def test_a_return_puts_back_what_was_paid_and_takes_the_cash_away() -> None:
    """Half of it goes back to the payer: what came first leaves first, the rest stays."""
    back = entry(
        6, "returned", ("owed/L1/1/principal", 50, None), (RAIL, -50, RAIL), item=PAID
    ) + entry(7, "return_settled", (RAIL, 50, RAIL), (K, -50, K))
    flow = only([*CONFIRMED, *SETTLED, *back])
    assert flow.paid == (Paid(*PAID, 50),)
    assert [
        (stay.account, stay.minor, stay.left.seq if stay.left else None)
        for stay in flow.stays
        if stay.is_cash
    ] == [(RAIL, 100, 4), (K, 50, 7), (K, 50, None), (RAIL, -50, 7)]
    assert flow.hops[-2:] == (
        Hop(flow.hops[-2].mark, 50, RAIL, None),
        Hop(flow.hops[-1].mark, 50, K, RAIL),
    )


def test_money_from_one_account_may_go_to_several_and_the_other_way_round() -> None:
    """Each hop has one source and one target, and together they are all that moved."""
    one = entry(1, "confirmed", (RAIL, 100, RAIL), ("suspense/P", -100, RAIL))
    split = entry(2, "settled", (RAIL, -100, RAIL), (K, 60, K), ("bank/FA", 40, "bank/FA"))
    joined = entry(3, "swept", (K, -60, K), ("bank/FA", -40, "bank/FA"), ("bank/Z", 100, "bank/Z"))
    flow = only([*one, *split, *joined])
    assert [(hop.source, hop.target, hop.minor) for hop in flow.hops] == [
        (None, RAIL, 100),
        (RAIL, K, 60),
        (RAIL, "bank/FA", 40),
        (K, "bank/Z", 60),
        ("bank/FA", "bank/Z", 40),
    ]


def test_each_payment_has_its_own_flow_and_what_is_about_none_is_left_out() -> None:
    """A line that proves two payments and keeps a fee tells two flows."""
    both = [
        *entry(1, "settled", (K, 5, K), (RAIL, -5, RAIL), payment="Q", line="K/1"),
        *entry(1, "settled", (K, 7, K), (RAIL, -7, RAIL), line="K/1"),
        *entry(2, "fee", ("rail_fees/simbank", 1, K), (K, -1, K), payment=None),
    ]
    assert [(flow.payment, flow.stays[0].minor) for flow in flows(both)] == [("P", 7), ("Q", 5)]
    assert flows([]) == ()


def test_an_entry_that_two_lines_stand_behind_names_none_of_them() -> None:
    """Which of two lines brought the money is not guessed."""
    part = entry(1, "settled", (K, 5, K), line="K/1")
    flow = only([*part, *entry(1, "settled", (K, 5, K), line="K/2")])
    assert [(stay.minor, stay.line) for stay in flow.stays] == [(10, None)]


def test_money_without_a_place_is_an_error() -> None:
    """The books never write such a posting: one that is read is no trail to follow."""
    with pytest.raises(InvariantBroken, match="at no place"):
        flows(entry(1, "confirmed", (RAIL, 1, None)))


MOVES = st.lists(
    st.tuples(
        st.sampled_from((RAIL, K, "payable/F", "suspense/P", "receivable/F")),
        st.integers(-50, 50).filter(bool),
    ),
    max_size=30,
)


@given(MOVES)
def test_what_lies_somewhere_is_the_balance_of_the_account(moves: list[tuple[str, int]]) -> None:
    """Stays that have not ended sum to the postings of each account; hops sum to the cash."""
    postings = [
        part
        for seq, (account, minor) in enumerate(moves, start=1)
        for part in entry(seq, "moved", (account, minor, "X"))
    ]
    balances: defaultdict[str, int] = defaultdict(int)
    for account, minor in moves:
        debit = account.startswith(("clearing", "bank", "receivable"))
        balances[account] += minor if debit else -minor
    found: defaultdict[str, int] = defaultdict(int)
    cash: defaultdict[str, int] = defaultdict(int)
    for flow in flows(postings):
        for stay in flow.open:
            found[stay.account] += stay.minor
        for hop in flow.hops:
            assert hop.minor > 0
            if hop.target is not None:
                cash[hop.target] += hop.minor
            if hop.source is not None:
                cash[hop.source] -= hop.minor
        signs = {(stay.account, stay.minor > 0) for stay in flow.open}
        assert len(signs) == len({account for account, _ in signs})
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in balances.items() if v}
    of_cash = {k: v for k, v in balances.items() if v and family(k) in CASH}
    assert {k: v for k, v in cash.items() if v} == of_cash
