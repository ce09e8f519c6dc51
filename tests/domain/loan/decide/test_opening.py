"""A loan in progress is brought over as the former system states it, and goes on from there."""

from datetime import date

from domain.loan.lifecycle import State
from domain.loan.opening import OpeningItem
from domain.pricing.amounts import Amounts
from tests.support import invariants
from tests.support.doors import Past, WithdrawPayment
from tests.support.openings import SHARED, WHOLE, balances, brought, opening, ordered, paid, states


def test_what_was_paid_is_closed_by_the_named_evidence_and_has_no_driver() -> None:
    """The holder had the money, every party its share; nothing of it is owed or claimed."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE)),)), SHARED)
    assert states(s) == [State.CLOSED, State.CLOSED, State.SCHEDULED]
    assert balances(s) == {
        "opening/oldbank": 20200,
        "held_by/funder-1": -18180,
        "held_by/platform": -1616,
        "held_by/insurer": -404,
    }
    assert not any(item.driver.opened for item in s.books.loans["L1"].installments[:2])
    assert s.books.cases == {}
    said = [move.detail for move in s.books.transitions if move.event == "closed_elsewhere"]
    assert said == ["brought over, export 7"] * 2


def test_a_loan_that_was_paid_as_a_whole_is_closed() -> None:
    """Also where its last installment is still to fall due."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE), (3, WHOLE)),)))
    assert states(s) == [State.CLOSED] * 3
    assert s.books.messages == []


def test_a_part_payment_leaves_the_rest_owed() -> None:
    """The rest is shared as what is left of the claims."""
    s = brought(opening(payments=(paid((1, Amounts(4000, 100))),)), SHARED)
    assert states(s) == [State.DELINQUENT, State.DELINQUENT, State.SCHEDULED]
    assert s.books.item(1).owed == Amounts(6000)
    assert s.books.item(1).claims["platform"].principal == 480


def test_what_was_waived_is_forgiven() -> None:
    """A waiver that covers the rest closes the installment."""
    waived = OpeningItem(number=1, charged=Amounts(penalty=50), waived=Amounts(0, 100, 0, 20))
    s = brought(
        opening(payments=(paid((1, Amounts(10000, 0, 0, 30)), (2, WHOLE)),), items=(waived,)),
        SHARED,
    )
    assert states(s)[:2] == [State.CLOSED, State.CLOSED]
    forgiven = {k: v for k, v in balances(s).items() if k.startswith("forgiven/")}
    assert sum(forgiven.values()) == 120
    assert s.books.balances()["opening/oldbank"] == 20130


def test_what_was_written_off_stays_collectable() -> None:
    """It is out of what is owed, and money that comes later recovers it."""
    off = OpeningItem(number=2, written_off_on=date(2026, 4, 15))
    s = brought(opening(payments=(paid((1, WHOLE)),), items=(off,)))
    assert states(s)[:2] == [State.CLOSED, State.WRITTEN_OFF]
    assert s.books.item(2).written_off == WHOLE
    s.pay(10100, 2)
    assert states(s)[1] is State.CLEARING
    invariants.check(s.books)


def test_money_paid_ahead_pays_what_falls_due_and_waits_for_its_line() -> None:
    """It lies with the holder until a booked line shows it; nothing closes before that."""
    said = opening(
        payments=(paid((1, WHOLE), (2, WHOLE)),), advance_minor=10100, advance_ref="OLD-X"
    )
    s = brought(said, SHARED)
    assert s.books.balances()["advance/L1"] == -10100
    assert s.books.balances()["opening/oldbank"] == 30300
    s.until(date(2026, 5, 11))
    assert s.books.item(3).state is State.CLEARING
    s.credit("OLD-X", 10100)
    assert s.books.balances()["opening/oldbank"] == 20200
    invariants.check(s.books)


def test_what_the_former_system_placed_stays_where_it_is() -> None:
    """Later news of an earlier value date places our money anew, and not that of before."""
    s = brought(opening(payments=(paid((1, WHOLE)), paid((2, Amounts(5000))))), past=Past.OWED)
    before = [portion.allocations for portion in s.books.loans["L1"].portions]
    s.pay(3000, 2, value_on=date(2026, 3, 5))
    s.pay(3000, 2, value_on=date(2026, 3, 1))
    assert [portion.allocations for portion in s.books.loans["L1"].portions][:2] == before
    invariants.check(s.books)


def test_what_was_cancelled_is_never_collected() -> None:
    """Nothing of it is charged, whatever was tried before."""
    gone = OpeningItem(number=1, is_cancelled=True)
    s = brought(opening(payments=(paid((2, WHOLE)),), items=(gone,), attempts=(ordered(1),)))
    assert states(s) == [State.CANCELLED, State.CLOSED, State.SCHEDULED]
    assert s.books.item(1).owed == Amounts()


def test_fees_and_costs_besides_the_schedule_are_owed() -> None:
    """They are charged as stated and paid like all that is owed."""
    more = OpeningItem(number=2, charged=Amounts(fee=25, penalty=40, cost=5))
    s = brought(opening(payments=(paid((1, WHOLE)),), items=(more,)), SHARED)
    assert s.books.item(2).owed == Amounts(10000, 100, 25, 40, 5)
    s.pay(10175, 2)  # with the penalty of the first day that is ours
    assert s.books.item(2).state is State.CLEARING
    invariants.check(s.books)


def test_what_was_paid_of_an_installment_that_is_to_come_is_not_debited() -> None:
    """The rest is debited on its due date, and no penalty is charged before."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE), (3, Amounts(4000))),)))
    assert states(s)[2] is State.DUE
    s.present(3)
    assert s.today == date(2026, 5, 11)  # the tenth is a Sunday
    assert s.books.item(3).attempts[-1].amount_minor == 6100


def test_a_line_under_the_reference_of_an_old_payment_is_other_money() -> None:
    """Payers use one reference again and again: what was paid before is proven already."""
    old = paid((1, WHOLE), on=date(2026, 3, 10), reference="LOAN 1")
    s = brought(opening(payments=(old,)))
    s.credit("LOAN 1", 10105)
    assert s.books.balances()["opening/oldbank"] == 10100
    assert [case.kind.value for case in s.books.cases.values()] == ["unmatched_line"]
    invariants.check(s.books)


def test_what_was_paid_ahead_and_not_remitted_is_a_case_that_says_who_has_it() -> None:
    """By holder, amount and payment; it ends with the line, or when the payment is taken back."""
    said = opening(
        payments=(paid((1, WHOLE), (2, WHOLE)),), advance_minor=10100, advance_ref="OLD-X"
    )
    for ends in ("line", "withdrawn"):
        s = brought(said)
        s.until(date(2026, 5, 10))
        while "unsettled/L1/3" not in s.books.cases:
            s.action(3)
        case = s.books.cases["unsettled/L1/3"]
        text = "101.00 CNY of it were paid ahead to oldbank, which has not remitted them"
        assert text in case.text
        assert (case.payment, case.code) == ("B-L1-advance", "not_remitted")
        if ends == "line":
            s.credit("OLD-X", 10100)
        else:
            s.order(WithdrawPayment, 3, reference="B-L1-advance")
            assert s.books.item(3).owed.total >= 10100
        assert "unsettled/L1/3" not in s.books.cases
        invariants.check(s.books)


def test_what_was_paid_ahead_and_nothing_owes_says_who_has_it() -> None:
    """Once it is remitted, it is a surplus like any other."""
    all_paid = opening(
        payments=(paid((1, WHOLE), (2, WHOLE), (3, WHOLE)),), advance_minor=500, advance_ref="X-1"
    )
    s = brought(all_paid)
    text = s.books.cases["surplus/B-L1-advance/L1"].text
    assert text.endswith("they were paid ahead to oldbank, which has not remitted them")
