"""One entry for each business event: balanced, by item, and its opposite undoes it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.entry import Entry
from domain.loan import bookings
from domain.loan.aggregate import Installment, LineState, Loan, Match
from domain.loan.decide.folding import folded
from domain.loan.decide.money import proven
from domain.loan.lifecycle import State
from domain.loan.sharing import share_out
from domain.loan.split import claims_after
from domain.loan.waterfall import Allocation
from domain.payment.portion import Allocated, Portion
from domain.pricing.amounts import Amounts, Component
from tests.support.memory import PRODUCT, board, with_shares

DAY = date(2026, 3, 10)
SHARED = with_shares(
    PRODUCT,
    ("funder-1", Fraction(90, 100)),
    ("platform", Fraction(8, 100)),
    remainder="insurer",
)
AMOUNTS = st.builds(Amounts, *(st.integers(0, 10_000) for _ in Component))
ITEM = Installment(1, DAY, Amounts(principal=1))
PAYMENT = Portion("R1", "debit", 500, DAY, "clearing/simbank", 1, "O1")
LINE = LineState("line-9", "A", "S1", DAY, 93, "CNY", 93)


def loan(item: Installment) -> Loan:
    """A loan of one installment whose shares are split in three."""
    order = board(product=SHARED)
    return Loan(
        "L1", "t", "b", "CNY", 1, DAY, order.product, order.mandate, (item,), portions=(PAYMENT,)
    )


def moved(*entries: Entry) -> dict[str, int]:
    """What entries move together, zeros left out."""
    sums: Counter[str] = Counter()
    for entry in entries:
        for posting in entry.postings:
            sums[posting.account] += posting.minor
    return {account: minor for account, minor in sums.items() if minor}


def having(
    minor: int, paid: Sequence[Allocated] = (), *, ahead: int = 0, returned: int = 0
) -> Portion:
    """The payment of an amount, some of it on installments, what is left of it waiting."""
    rest = minor - sum(part.minor for part in paid) - ahead - returned
    known = replace(PAYMENT, amount_minor=minor, allocations=tuple(paid), waiting_minor=rest)
    return replace(known, advance_minor=ahead, returned_minor=returned)


def by_item(entry: Entry, *families: str) -> set[tuple[object, ...]]:
    """What the postings of some families of accounts say that they are for, and where they lie."""
    return {
        (p.account, p.loan, p.number, p.component, p.payment, p.order_no, p.party, p.place)
        for p in entry.postings
        if p.account.partition("/")[0] in families
    }


def charged_item(amounts: Amounts) -> Installment:
    """Installment 1 with everything charged and nothing drawn."""
    claims = claims_after({}, Amounts(), amounts, SHARED.shares)
    return replace(ITEM, charged=amounts, owed=amounts, claims=claims)


def parts(item: Installment, amounts: Amounts) -> tuple[Allocated, ...]:
    """Allocations to installment 1, with their shares."""
    allocations = [Allocation(1, component, minor) for component, minor in amounts.items()]
    return share_out(loan(item), allocations)


def after(item: Installment, entry: Entry) -> Installment:
    """The installment once an entry is posted."""
    for posting in entry.postings:
        item = folded(item, posting)
    return item


@given(charged=AMOUNTS, more=AMOUNTS)
def test_a_charge_and_its_reversal_leave_nothing(charged: Amounts, more: Amounts) -> None:
    """Dr owed, Cr claim by share; the negative one takes exactly that back."""
    if not more.total:
        return
    before = charged_item(charged)
    there = bookings.charge(loan(before), before, more, "fell_due", DAY)
    charged_more = replace(after(before, there), charged=charged + more)
    back = bookings.charge(loan(charged_more), charged_more, -more, "reversed", DAY)
    assert moved(there, back) == {}
    owed = sum(minor for name, minor in moved(there).items() if name.startswith("owed/"))
    assert owed == more.total


@given(owed=AMOUNTS, data=st.data())
def test_money_applied_in_parts_shares_out_exactly_and_a_return_undoes_it(
    owed: Amounts, data: st.DataObject
) -> None:
    """However it is cut, payables end at the split of the whole; taken back, nothing is left."""
    whole = [m for m in owed.values() if m]
    if not whole:
        return
    item = charged_item(owed)
    came, shared = having(owed.total), parts(item, owed)
    once = bookings.apply_money(loan(item), came, having(owed.total, shared), shared, DAY)
    entries: list[Entry] = []
    paid: list[Allocated] = []
    while item.owed.total:
        some = Amounts(*(data.draw(st.integers(0, m)) for m in item.owed.values()))
        shared = parts(item, some if some.total else item.owed)
        was, becomes = having(owed.total, paid), having(owed.total, [*paid, *shared])
        entries.append(bookings.apply_money(loan(item), was, becomes, shared, DAY))
        paid.extend(shared)
        item = after(item, entries[-1])
    assert moved(*entries) == moved(once)
    whole_back = having(owed.total, returned=owed.total)
    back = bookings.take_back(loan(item), having(owed.total, paid), whole_back, paid, DAY)
    rest = moved(*entries, back)
    assert rest == {"suspense/R1": owed.total, "clearing/simbank": -owed.total}


def test_a_portion_splits_into_what_pays_and_what_waits() -> None:
    """Dr clearing for all of it; the rest waits under the payment's own name."""
    item = charged_item(Amounts(principal=300))
    paid = parts(item, Amounts(principal=300))
    entry = bookings.receive(loan(item), None, having(500, paid), paid, "confirmed", DAY)
    assert moved(entry) == {
        "clearing/simbank": 500,
        "suspense/R1": -200,
        "owed/L1/1/principal": -300,
        "claim/funder-1": 270,
        "claim/platform": 24,
        "claim/insurer": 6,
        "payable/funder-1": -270,
        "payable/platform": -24,
        "payable/insurer": -6,
    }
    there = "clearing/simbank"
    assert by_item(entry, "owed", "claim", "payable", "clearing") == {
        ("owed/L1/1/principal", "L1", 1, "principal", "R1", "O1", None, None),
        (there, "L1", 1, None, "R1", "O1", None, there),
        *(
            (f"{name}/{party}", "L1", 1, "principal", "R1", "O1", party, place)
            for party in ("funder-1", "platform", "insurer")
            for name, place in (("claim", None), ("payable", there))
        ),
    }


def test_unapplied_money_has_its_own_name() -> None:
    """The opposite of applied: Dr owed, Cr suspense; Dr payable, Cr claim."""
    item = charged_item(Amounts(penalty=10))
    paid = parts(item, Amounts(penalty=10))
    entry = bookings.unapply(loan(item), having(500, paid), having(500), paid, DAY)
    assert entry.event == "unapplied"
    assert moved(entry)["owed/L1/1/penalty"] == 10
    assert moved(entry)["suspense/R1"] == -10


def test_a_return_follows_the_draws() -> None:
    """From the installment, from suspense and from what was paid ahead."""
    item = charged_item(Amounts(interest=100))
    paid = parts(item, Amounts(interest=100))
    was, becomes = having(150, paid, ahead=30), having(150, returned=150)
    entry = bookings.take_back(loan(item), was, becomes, paid, DAY)
    found = moved(entry)
    assert found["clearing/simbank"] == -150
    assert (found["owed/L1/1/interest"], found["suspense/R1"], found["advance/L1"]) == (100, 20, 30)


def test_a_line_proves_money_or_its_return_and_the_house_bears_the_fee() -> None:
    """A debit of 5.00 that comes back with a fee of 0.30 costs the bank account 5.30."""
    known = having(500)
    match = Match("L1", "R1", 500, 6)
    settled = proven(known, match, LINE)
    came = bookings.settle(loan(ITEM), known, settled, match, LINE)
    assert (came.event, moved(came)) == (
        "settled",
        {"bank/A": 494, "rail_fees/simbank": 6, "clearing/simbank": -500},
    )
    told = replace(settled, waiting_minor=0, returned_minor=500)
    match = Match("L1", "R1", -500, 30)
    went = bookings.settle(loan(ITEM), told, proven(told, match, LINE), match, LINE)
    assert (went.event, moved(went)) == (
        "return_settled",
        {"bank/A": -530, "rail_fees/simbank": 30, "clearing/simbank": 500},
    )
    assert {posting.line for posting in (*came.postings, *went.postings)} == {"line-9"}


def test_writing_off_and_recovering_leave_the_claim_paid() -> None:
    """Dr written off, Cr owed; then Dr suspense, Cr written off; Dr claim, Cr payable."""
    owed = Amounts(principal=200, interest=33)
    item = charged_item(owed)
    off = bookings.write_off(loan(item), item, DAY)
    gone = replace(after(item, off), state=State.WRITTEN_OFF, is_written_off=True)
    shared = parts(gone, owed)
    came, used = having(owed.total), having(owed.total, shared)
    back = bookings.recover(loan(gone), came, used, shared, DAY)
    assert back.event == "recovered"
    found = moved(off, back)
    assert found["suspense/R1"] == owed.total
    assert sum(m for n, m in found.items() if n.startswith("claim/")) == owed.total
    assert sum(m for n, m in found.items() if n.startswith("payable/")) == -owed.total
    assert not [name for name in found if name.startswith("written_off/")]
    again = bookings.recovery_reversed(loan(gone), used, came, shared, DAY)
    assert again.event == "recovery_reversed"
    assert moved(back, again) == {}
    assert after(after(gone, back), again) == gone


def test_a_waiver_is_borne_by_share_and_a_cancellation_takes_the_charge_back() -> None:
    """Dr forgiven by party, Cr owed; Dr claim, Cr owed."""
    owed = Amounts(penalty=100)
    item = charged_item(owed)
    waived = bookings.waive(loan(item), item, owed, "goodwill", DAY)
    assert moved(waived) == {
        "owed/L1/1/penalty": -100,
        "forgiven/funder-1/goodwill": 90,
        "forgiven/platform/goodwill": 8,
        "forgiven/insurer/goodwill": 2,
    }
    cancelled = bookings.cancel(loan(item), item, DAY)
    assert moved(cancelled)["owed/L1/1/penalty"] == -100
    assert moved(cancelled)["claim/funder-1"] == 90


def test_money_moves_ahead_and_back_and_to_its_holder() -> None:
    """Each is its own opposite with the sign turned."""
    one = loan(ITEM)
    assert moved(bookings.to_advance(one, having(50), having(50, ahead=50), DAY)) == {
        "suspense/R1": 50,
        "advance/L1": -50,
    }
    one = replace(one, product=PRODUCT)  # whose only party has an account of its own
    there = bookings.hold(one, PAYMENT, {("funder-1", 1, Component.FEE): 50}, DAY)
    assert moved(there) == {"payable/funder-1": 50, "held_by/funder-1": -50}
    for account in ("payable/funder-1", "held_by/funder-1"):
        item = (account, "L1", 1, "fee", "R1", "O1", "funder-1", f"bank/{PRODUCT.account}")
        assert item in by_item(there, "payable", "held_by")
    back = bookings.hold(one, PAYMENT, {("funder-1", 1, Component.FEE): -50}, DAY)
    assert moved(there, back) == {}


def test_a_line_that_nothing_explains_stands_under_its_own_name() -> None:
    """Money that nobody explains waits on its line."""
    assert moved(bookings.stray_line(LINE, -70)) == {
        "bank/A": -70,
        "suspense/line/line-9": 70,
    }


def test_a_fee_of_a_whole_line_is_the_rails_as_a_fee_of_an_item_is() -> None:
    """Both fees stand under the rail that the line settles, whatever account the line is on."""
    assert moved(bookings.line_fee(LINE, 7, PAYMENT.clearing_account)) == {
        "rail_fees/simbank": 7,
        "bank/A": -7,
    }


@given(first=AMOUNTS, second=AMOUNTS)
def test_amounts_add_up_by_component(first: Amounts, second: Amounts) -> None:
    """Sums, differences and totals agree, component by component."""
    both = first + second
    assert both - second == first
    assert both.total == first.total + second.total
    assert dict(both.items()) == {c: both.of(c) for c in Component if both.of(c)}
    assert (-both).total == -both.total
    assert Allocated(1, Component.FEE, 1).minor == 1
