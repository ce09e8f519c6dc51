"""One transfer that pays several loans of one payer: how it is divided, proven and taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.ledger import accounts
from domain.loan.change import Change
from domain.loan.waiting import among_loans
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    Also,
    MatchLine,
    RecordPayment,
    RollDay,
    UndoMatch,
    WithdrawPayment,
    WriteOff,
)
from tests.support.memory import PRODUCT, board, registering, schedule
from tests.support.scene import ACCOUNT, Scene

CALM = replace(
    PRODUCT, penalty=None, reminders=replace(PRODUCT.reminders, rules=()), currency="CNY"
)
BANK = accounts.bank(ACCOUNT)
FIRST = schedule(((15000, 0), (15000, 0)))
SECOND = schedule(((10000, 0), (10000, 0)), first=FIRST[0].due_on + timedelta(days=1))


def scene() -> Scene:
    """Two loans of one payer, of twice 150.00 and twice 100.00; one installment of each is due."""
    s = Scene.boarded(lines=FIRST, product=CALM)
    assert isinstance(s.books.apply(board("L2", CALM, SECOND)), Change)
    roll(s, 9)
    return s


def roll(s: Scene, days: int) -> None:
    """Let days pass for every loan."""
    for _ in range(days):
        s.until(s.today + timedelta(days=1))
        for loan_id in sorted(s.books.loans.keys() - {"L1"}):
            s.give(RollDay, loan_id=loan_id, day=s.today)


def pay(s: Scene, minor: int, *also: Also, **more: Any) -> object:
    """A person records a transfer for L1 and others; the note, or the rule against it."""
    terms: dict[str, Any] = {"reference": "T-1", "currency": "CNY", "value_on": s.today} | more
    answer = said(s.order(RecordPayment, amount_minor=minor, also=also, **terms))
    return str(answer).partition(": ")[0]


def said(answer: Change | Refusal) -> object:
    """The note of an answer, or the rule of a refusal."""
    return answer.rule if isinstance(answer, Refusal) else getattr(answer.answer, "note", None)


def parts(s: Scene) -> dict[str, int]:
    """What of the one payment stands in each loan, net of returns."""
    (payment,) = s.books.payments.values()
    found = {name: s.books.loans[name].portion(payment.id) for name in payment.loans}
    return {name: portion.net_minor for name, portion in found.items() if portion is not None}


def states(s: Scene) -> tuple[str, str]:
    """The states of the first installment of each loan."""
    return s.books.item(1, "L1").state.value, s.books.item(1, "L2").state.value


def test_one_transfer_pays_two_loans_and_one_line_proves_both() -> None:
    """250.00 for 150.00 and 100.00: divided by itself, and settled by a single bank line."""
    s = scene()
    assert pay(s, 25000, Also("L2")) == "payment recorded"
    assert (parts(s), states(s)) == ({"L1": 15000, "L2": 10000}, ("CLEARING", "CLEARING"))
    s.credit("T-1", 25000)
    assert states(s) == ("SETTLED", "SETTLED")
    assert s.books.balances() == {BANK: 25000, "held_by/funder-1": -25000}
    assert not s.books.cases
    invariants.check(s.books)


def test_the_answer_says_how_a_payment_was_divided() -> None:
    """Whoever recorded it need not look into each loan."""
    s = scene()
    terms = {"reference": "T-1", "currency": "CNY", "value_on": s.today, "amount_minor": 25000}
    answer = said(s.order(RecordPayment, 1, "L1", also=(Also("L2"),), **terms))
    assert answer == "payment recorded: 150.00 CNY to L1, 100.00 CNY to L2"


def test_a_line_that_came_first_proves_both_once_the_payment_is_recorded() -> None:
    """The order of news does not matter: the same balances, and nothing waits."""
    s = scene()
    s.credit("T-1", 25000)
    assert pay(s, 25000, Also("L2")) == "payment recorded"
    assert (states(s), s.books.cases) == (("SETTLED", "SETTLED"), {})
    assert s.books.balances() == {BANK: 25000, "held_by/funder-1": -25000}
    invariants.check(s.books)


def test_two_lines_prove_one_payment_loan_by_loan() -> None:
    """A first line of 160.00 proves L1 and a part of L2; the second proves the rest."""
    s = scene()
    pay(s, 25000, Also("L2"))
    s.credit("T-1", 16000)
    assert states(s) == ("SETTLED", "CLEARING")
    s.credit("T-1", 9000)
    assert states(s) == ("SETTLED", "SETTLED")
    invariants.check(s.books)


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (14000, {"L1": 14000}),
        (16000, {"L1": 15000, "L2": 1000}),
        (30000, {"L1": 20000, "L2": 10000}),
        (60000, {"L1": 40000, "L2": 20000}),
    ],
)
def test_what_fell_due_first_is_paid_first_over_all_loans(
    minor: int, expected: dict[str, int]
) -> None:
    """Money goes to what fell due first over all loans, then to what is to come.

    The named loan keeps the rest.
    """
    s = scene()
    pay(s, minor, Also("L2"))
    assert parts(s) == expected
    invariants.check(s.books)


def test_a_payer_may_say_how_much_is_for_which_loan() -> None:
    """What is designated goes there, the rest by what fell due first among the others."""
    s = scene()
    s.books.apply(board("L3", CALM, SECOND))
    roll(s, 1)
    pay(s, 20000, Also("L2", 4000), Also("L3"))
    assert parts(s) == {"L1": 15000, "L2": 4000, "L3": 1000}
    assert s.books.item(1, "L2").owed.total == 6000
    invariants.check(s.books)


@pytest.mark.parametrize("late", [0, 21])
def test_money_is_divided_by_what_was_owed_on_its_value_date(late: int) -> None:
    """200.00 valued when both fell due pay both, whenever they become known."""
    both = schedule(((10000, 0),))
    daily = replace(PRODUCT, reminders=CALM.reminders)
    s = Scene.boarded(lines=both, product=daily)
    s.books.apply(board("L2", daily, both))
    roll(s, 8)
    for loan_id in ("L1", "L2"):
        s.apply_outcome(s.present(1, loan_id), OutcomeClass.DISPUTE)
    roll(s, late)
    assert pay(s, 20000, Also("L2"), value_on=both[0].due_on) == "payment recorded"
    assert (parts(s), states(s)) == ({"L1": 10000, "L2": 10000}, ("CLEARING", "CLEARING"))
    invariants.check(s.books)


def test_a_loan_that_gets_nothing_has_no_portion() -> None:
    """All of it is designated for the other loan."""
    s = scene()
    pay(s, 10000, Also("L2", 10000))
    assert parts(s) == {"L2": 10000}
    assert states(s) == ("DUE", "CLEARING")
    invariants.check(s.books)


@pytest.mark.parametrize(
    ("minor", "also", "without", "with_it"),
    [
        (10000, (Also("L2", 10000),), "L1", "L2"),
        (5000, (Also("L2"),), "L2", "L1"),
    ],
)
def test_a_loan_that_gets_nothing_says_so_once(
    minor: int, also: tuple[Also, ...], without: str, with_it: str
) -> None:
    """Whoever reads the story of that loan sees where the payment went."""
    s = scene()
    before = len(s.books.transitions)
    pay(s, minor, *also)
    said_so = [one for one in s.books.transitions[before:] if one.event == "got_nothing"]
    [payment_id] = s.books.payments
    amount = f"{minor // 100}.00 CNY"
    assert [(one.loan_id, one.source, one.target, one.detail) for one in said_so] == [
        (without, "DUE", "DUE", f"payment {payment_id} of {amount} went to {with_it}")
    ]
    invariants.check(s.books)


def test_money_is_not_given_twice_to_what_a_live_debit_asks_for() -> None:
    """L1 is being debited: the transfer pays L2 first, and only its rest waits beside the debit."""
    s = scene()
    order = s.present()
    pay(s, 12000, Also("L2"))
    assert parts(s) == {"L1": 2000, "L2": 10000}
    s.apply_outcome(order)
    assert s.books.loans["L1"].portions[0].advance_minor == 2000
    invariants.check(s.books)


def test_a_return_takes_back_what_was_applied_last() -> None:
    """100.00 of 250.00 come back: L2 owes again, L1 stays paid, and the line proves it."""
    s = scene()
    pay(s, 25000, Also("L2"))
    s.credit("T-1", 25000)
    s.line(LineItem("T-1", None, None, -10000))
    assert (parts(s), s.books.item(1, "L2").owed.total) == ({"L1": 15000, "L2": 0}, 10000)
    assert s.books.item(1, "L1").owed.total == 0
    assert s.books.balances()[BANK] == 15000
    s.line(LineItem("T-1", None, None, -12000))
    assert parts(s) == {"L1": 3000, "L2": 0}
    invariants.check(s.books)


def test_a_payment_that_was_none_is_withdrawn_from_every_loan() -> None:
    """What it had paid is owed again in both; it cannot be withdrawn once a line proves it."""
    s = scene()
    pay(s, 25000, Also("L2"))
    line = s.books.lines
    s.credit("T-1", 25000)
    (line_id,) = line
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment.proven"
    assert said(s.order(UndoMatch, loan="L2", line=line_id, reference="T-1")) == "match undone"
    assert states(s) == ("CLEARING", "CLEARING")
    assert said(s.order(WithdrawPayment, loan="L2", reference="T-1")) == "payment withdrawn"
    assert (s.books.item(1, "L1").owed.total, s.books.item(1, "L2").owed.total) == (15000, 10000)
    assert pay(s, 25000, Also("L2")) == "payment recorded"
    invariants.check(s.books)


def test_a_person_matches_one_line_for_two_loans() -> None:
    """The line is the first news of the payment, and its money is divided as a record would be."""
    s = scene()
    s.credit("UNREADABLE", 25000)
    (line_id,) = s.books.lines
    terms: dict[str, Any] = {"line": line_id, "amount_minor": 25000, "also": (Also("L2"),)}
    assert said(s.order(MatchLine, reference="T-1", **terms)) == "matched"
    assert (states(s), s.books.cases) == (("SETTLED", "SETTLED"), {})
    s.credit("AGAIN", 100)
    terms |= {"line": list(s.books.lines)[1], "amount_minor": 100, "also": (Also("L9"),)}
    assert said(s.order(MatchLine, reference="T-2", **terms)) == "payment.also"
    invariants.check(s.books)


def test_a_known_payment_is_matched_for_the_loans_it_was_recorded_for() -> None:
    """Whoever matches its line cannot name other loans, and need not name its own."""
    s = scene()
    pay(s, 25000, Also("L2"))
    s.credit("UNREADABLE", 25000)
    line_id = next(iter(s.books.lines))
    terms: dict[str, Any] = {"line": line_id, "reference": "T-1", "amount_minor": 25000}
    assert said(s.order(MatchLine, also=(Also("L2"),), **terms)) == "match.also"
    assert said(s.order(MatchLine, **terms)) == "matched"
    assert states(s) == ("SETTLED", "SETTLED")
    invariants.check(s.books)


def test_money_for_a_loan_that_is_written_off_is_recovered() -> None:
    """It is still collectable and counts by its due date."""
    s = scene()
    s.apply_outcome(s.present(1, "L2"), OutcomeClass.DISPUTE)
    assert said(s.order(WriteOff, 1, "L2")) == "written off"
    assert s.books.item(1, "L2").state.value == "WRITTEN_OFF"
    pay(s, 25000, Also("L2"))
    assert s.books.item(1, "L2").written_off.total == 0
    invariants.check(s.books)


@pytest.mark.parametrize("recorded", ["before", "after"])
def test_what_a_transfer_pays_in_another_loan_depends_on_its_value_date_alone(
    recorded: str,
) -> None:
    """50.00 of yesterday go ahead of the debit of today, whichever of them becomes known first.

    Nobody said which installment of L2 they are for: neither what owes when they are recorded.
    """
    s = scene()
    roll(s, 40)
    order = s.present(1, "L2")
    day = s.today - timedelta(days=1)
    if recorded == "before":
        pay(s, 10000, Also("L2", 5000), value_on=day)
        s.apply_outcome(order)
    else:
        s.apply_outcome(order)
        pay(s, 10000, Also("L2", 5000), value_on=day)
    (transfer,) = (p for p in s.books.loans["L2"].portions if p.source == "transfer")
    assert transfer.number is None
    assert [(part.number, part.minor) for part in transfer.allocations] == [(1, 5000)]
    assert (s.books.item(1, "L2").owed.total, s.books.item(2, "L2").owed.total) == (0, 10000)
    assert [case.amount_minor for case in s.books.cases.values()] == [5000]
    invariants.check(s.books)


def test_what_went_back_without_proof_keeps_every_installment_of_the_other_loan_from_release() -> (
    None
):
    """100.00 came for L2 by report alone and went back by a line: the line that brought it lacks.

    An installment of L2 that another payment has paid waits for it; undoing the match of the return
    ends that.
    """
    s = scene()
    pay(s, 10000, Also("L2", 10000))
    s.line(LineItem("T-1", None, None, -10000))
    s.pay(10000, ref="T-2", loan="L2")
    s.credit("T-2", 10000)
    assert s.books.item(1, "L2").state.value == "CLEARING"
    s.credit("T-1", 10000)
    assert s.books.item(1, "L2").state.value == "SETTLED"
    invariants.check(s.books)


@pytest.mark.parametrize(
    ("also", "rule"),
    [
        ((Also("L1"),), "payment.also"),
        ((Also("L2"), Also("L2", 5)), "payment.also"),
        ((Also("L9"),), "payment.also"),
        ((Also("L2", 0),), "payment.also"),
        ((Also("L2", -50),), "payment.also"),
        ((Also("L2", 20000), Also("L3", 6000)), "payment.also"),
        ((Also("OTHER"),), "payment.payer"),
        ((Also("EUR"),), "payment.currency"),
    ],
)
def test_loans_that_one_payment_cannot_pay_are_refused(also: tuple[Also, ...], rule: str) -> None:
    """Each once, known, of the same payer and currency, and never more than the whole."""
    s = scene()
    s.books.apply(board("L3", CALM, SECOND))
    s.books.apply(replace(board("OTHER", CALM, SECOND), borrower="b-2"))
    euro = replace(CALM, currency="EUR", id="euro", account="ACCT-FUNDER-1-EUR")
    s.books.rules = registering(euro, rules=s.books.rules)
    s.books.apply(board("EUR", euro, SECOND))
    assert pay(s, 25000, *also) == rule
    assert not s.books.payments


def test_a_payment_has_the_limits_of_all_its_loans() -> None:
    """Its amount may be as much as all of them ask for, its day must suit each."""
    s = scene()
    assert pay(s, 300_001) == "payment.amount"
    assert pay(s, 300_001, Also("L2"), reference="T-2") == "payment recorded"
    young = replace(board("L3", CALM, SECOND), disbursed_on=s.today)
    s.books.apply(young)
    day = s.today - timedelta(days=1)
    assert pay(s, 100, Also("L3"), reference="T-3", value_on=day) == "payment.value_on"


@given(st.integers(1, 100_000))
def test_all_of_a_payment_is_given_to_some_loan(minor: int) -> None:
    """No unit is lost and none is made, whatever the amount."""
    s = scene()
    loans = list(s.books.loans.values())
    found = among_loans(loans, minor, s.today, s.today)
    assert sum(found.values()) == minor
    assert min(found.values()) >= 0
