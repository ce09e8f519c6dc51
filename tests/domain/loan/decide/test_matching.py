"""Lines that wait for their payment, payments that wait for their line, and links undone."""

from dataclasses import replace
from typing import Any

import pytest

from domain.calendar import ONE_DAY
from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.kernel.change import Refusal
from domain.ledger import accounts
from domain.loan.change import Aggregates, Change
from domain.loan.decide.closing import close_out
from domain.loan.decide.work import Work
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    Also,
    AssignCase,
    MatchLine,
    RecordPayment,
    Scope,
    UndoMatch,
    WithdrawPayment,
)
from tests.support.memory import PRODUCT, TESTER, board, schedule
from tests.support.scene import ACCOUNT, Scene

HUNDRED = schedule(((10000, 0), (10000, 0), (10000, 0)))
BANK = accounts.bank(ACCOUNT)
FUNDED = {BANK: 10000, "held_by/funder-1": -10000}


def scene() -> Scene:
    """A loan of three times 100.00 on the day when the first falls due."""
    s = Scene.boarded(lines=HUNDRED, product=replace(PRODUCT, penalty=None))
    s.until(HUNDRED[0].due_on)
    return s


def came(s: Scene, ref: str | None = None, minor: int = 10000, fee: int = 0) -> str:
    """A booked credit; the line's id."""
    s.line(LineItem(ref, None, None, minor, fee))
    return next(reversed(s.books.lines))


def match(s: Scene, line: str, ref: str = "T-1", minor: int = 10000, loan: str = "L1") -> object:
    """An operator says whose money a line is; the note or the rule of the refusal."""
    return said(s.order(MatchLine, loan=loan, line=line, reference=ref, amount_minor=minor))


def said(answer: Change | Refusal) -> object:
    """The note of an answer, or the rule of a refusal."""
    return answer.rule if isinstance(answer, Refusal) else getattr(answer.answer, "note", None)


def test_a_line_that_comes_before_its_payment_is_recorded_proves_it_then() -> None:
    """The order of the two does not matter: same balances, no case left, nobody asked."""
    s = scene()
    line = came(s, "T-1")
    assert s.balances[f"suspense/line/{line}"] == -10000
    s.pay(10000, ref="T-1")
    assert (s.balances, s.state) == (FUNDED, "SETTLED")
    assert not s.books.cases.keys() - {"no_reminder/L1/1"}
    assert s.payment("T-1").lines == (line,)
    invariants.check(s.books)


@pytest.mark.parametrize("early_first", [True, False])
@pytest.mark.parametrize(("early", "late"), [("line-A", "line-B"), ("line-B", "line-A")])
def test_lines_of_one_reference_are_taken_by_booking_date(
    early: str, late: str, early_first: bool
) -> None:
    """Two parts of 60.00 for a payment of 100.00: whichever came first, and whatever its id."""
    s, day = scene(), HUNDRED[0].due_on
    lines = [(early, day - ONE_DAY), (late, day)]
    for name, booked_on in lines if early_first else reversed(lines):
        s.line(LineItem("RENT", None, None, 6000), id=name, booked_on=booked_on)
    s.pay(10000, ref="RENT")
    assert {name: s.books.lines[name].open_minor for name in (early, late)} == {
        early: 0,
        late: 2000,
    }
    invariants.check(s.books)


def test_lines_of_one_reference_and_day_are_taken_by_their_ids() -> None:
    """So that the same lines leave the same books, in whatever order they came."""
    s = scene()
    for name in ("line-B", "line-A"):
        s.line(LineItem("RENT", None, None, 6000), id=name)
    s.pay(10000, ref="RENT")
    assert [s.books.lines[name].open_minor for name in ("line-A", "line-B")] == [0, 2000]


@pytest.mark.parametrize("line_first", [True, False])
def test_more_than_was_recorded_keeps_its_installment_open_in_either_order(
    line_first: bool,
) -> None:
    """A line of 500.00 for a payment of 100.00: what is left of it may be about this payment."""
    s = scene()
    if line_first:
        came(s, "RENT", 50000)
    s.pay(10000, ref="RENT")
    if not line_first:
        came(s, "RENT", 50000)
    s.until(s.today + 10 * ONE_DAY)
    case = next(c for c in s.books.cases.values() if c.kind == "unmatched_line")
    assert (s.state, case.loan_id, case.number) == ("RELEASED", "L1", 1)


def test_an_early_line_with_a_fee_costs_the_lender_the_fee() -> None:
    """What the bank kept is a fee whether the payment was known or not."""
    s = scene()
    line = came(s, "T-1", fee=25)
    before = s.mark
    s.pay(10000, ref="T-1")
    assert s.posted(before)[1] == (
        "identified",
        {f"suspense/line/{line}": 9975, "rail_fees/transfer": 25, "clearing/transfer": -10000},
    )
    assert s.state == "SETTLED"
    invariants.check(s.books)


def test_an_early_line_of_less_proves_so_much_and_no_more() -> None:
    """The rest of the payment is unproven, as it would be had the line come second."""
    s = scene()
    came(s, "T-1", minor=6000)
    s.pay(10000, ref="T-1")
    assert (s.portion("T-1").unsettled_minor, s.state) == (4000, "CLEARING")
    invariants.check(s.books)


def test_an_early_line_of_more_waits_with_the_rest() -> None:
    """The case about the line says what is left of it."""
    s = scene()
    line = came(s, "T-1", minor=10300)
    s.pay(10000, ref="T-1")
    assert s.books.cases[f"line/{line}"].amount_minor == 300
    assert s.state == "SETTLED"
    invariants.check(s.books)


def test_a_second_early_line_of_one_payment_waits_on() -> None:
    """Paid twice under one reference: one of the lines proves the payment, the other is a case."""
    s = scene()
    lines = [came(s, "T-1"), came(s, "T-1")]
    s.pay(10000, ref="T-1")
    assert sorted(s.books.lines[line].open_minor for line in lines) == [0, 10000]
    assert s.state == "SETTLED"
    invariants.check(s.books)


@pytest.mark.parametrize("kind", [MatchLine, UndoMatch])
def test_an_order_about_a_match_names_its_loan_its_line_and_its_reference(kind: Any) -> None:
    """All are looked up and locked before anything is decided, and what waits under the name."""
    more = {"amount_minor": 1} if kind is MatchLine else {}
    order = kind(
        id="m",
        actor=TESTER,
        reason="a test",
        loan_id="L1",
        number=1,
        line="A/S/1",
        reference="T-1",
        **more,
    )
    waiting, refs = ("T-1", "order/T-1") if kind is MatchLine else (), ("T-1",)
    named = Scope(orders=refs, loans=("L1",), payments=refs, lines=("A/S/1",), waiting=waiting)
    assert order.scope() == named


def test_a_withdrawal_names_the_payments_that_it_can_mean() -> None:
    """All loans that share one are locked with it."""
    terms: dict[str, Any] = {
        "id": "w",
        "actor": TESTER,
        "reason": "a test",
        "loan_id": "L1",
        "number": 1,
    }
    order = WithdrawPayment(reference="T-1", **terms)
    assert order.scope() == Scope(loans=("L1",), payments=("T-1",))


def test_a_payment_that_is_not_locked_is_not_changed() -> None:
    """What a portion says of proof and the sums of its payment change together or not at all."""
    s = scene()
    s.pay(10000, ref="T-1")
    loans = dict(s.books.loans)
    work = Work(Aggregates(s.books.at, s.books.rules, loans=loans), close_out=close_out)
    portion = loans["L1"].portions[0]
    work.put_portion("L1", replace(portion, waiting_minor=0))
    with pytest.raises(InvariantBroken, match="not among those that are locked"):
        work.put_portion("L1", replace(portion, settled_minor=1))


def test_an_early_line_in_another_currency_proves_nothing() -> None:
    """Same reference, other money."""
    s = scene()
    s.line(LineItem("T-1", None, None, 10000), currency="EUR")
    s.pay(10000, ref="T-1")
    assert s.state == "CLEARING"


def test_a_person_matches_a_line_without_a_reference() -> None:
    """A transfer that says nothing is received as of its own value date, proven at once."""
    s = scene()
    line = came(s)
    before = s.mark
    assert match(s, line) == "matched"
    paid = s.portion("T-1").id
    assert s.posted(before) == [
        ("payment_recorded", {"clearing/transfer": 10000, f"suspense/{paid}": -10000}),
        ("identified", {f"suspense/line/{line}": 10000, "clearing/transfer": -10000}),
        (
            "applied",
            {
                f"suspense/{paid}": 10000,
                "owed/1/principal": -10000,
                "claim/funder-1": 10000,
                "payable/funder-1": -10000,
            },
        ),
        ("direct_settlement", {"payable/funder-1": 10000, "held_by/funder-1": -10000}),
    ]
    assert (s.balances, s.state) == (FUNDED, "SETTLED")
    assert not s.books.cases.keys() - {"no_reminder/L1/1"}
    invariants.check(s.books)


def test_one_transfer_for_two_loans_is_matched_in_two_parts() -> None:
    """Each loan gets its part of the line; the line is explained when both have theirs."""
    s = scene()
    s.books.apply(board("L2", lines=HUNDRED, product=replace(PRODUCT, penalty=None)))
    s.until(HUNDRED[0].due_on.fromordinal(HUNDRED[0].due_on.toordinal() + 1), loan="L2")
    line = came(s, minor=20000)
    assert match(s, line, "A") == "matched"
    assert s.books.cases[f"line/{line}"].amount_minor == 10000
    assert match(s, line, "B", loan="L2") == "matched"
    assert s.books.lines[line].open_minor == 0
    assert {s.state, s.books.item(1, "L2").state.value} == {"SETTLED"}
    invariants.check(s.books)


def test_a_payment_recorded_under_another_reference_is_proven_by_a_match() -> None:
    """The person who recorded it mistyped; the line is tied to it by hand."""
    s = scene()
    s.pay(10000, ref="TYPO")
    line = came(s, "T-1")
    assert match(s, line, "TYPO") == "matched"
    assert (s.balances, s.state) == (FUNDED, "SETTLED")
    invariants.check(s.books)


def test_a_debit_and_its_return_are_proven_by_hand_where_the_bank_lost_their_references() -> None:
    """Both legs can be matched; the fee-less return line may not prove more than came back."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000)
    assert match(s, came(s), f"R-{order}") == "matched"
    assert s.state == "SETTLED"
    s.returned(order, 10000)
    back = came(s, minor=-10000)
    assert s.books.lines[back].open_minor == -10000
    assert match(s, back, f"R-{order}", 10001) == "match.amount"
    assert match(s, back, "T-9") == "match.return"
    assert match(s, back, f"R-{order}") == "matched"
    assert s.portion(f"R-{order}").is_proven
    invariants.check(s.books)


def test_a_match_that_cannot_be_is_refused_by_a_named_rule() -> None:
    """Nothing is guessed: unknown line, other money, too much, another loan's, no more to prove."""
    s = scene()
    s.books.apply(board("L2", lines=HUNDRED))
    line = came(s)
    euro = "line-eur"
    s.line(LineItem(None, None, None, 10000), currency="EUR", id=euro)
    assert match(s, "nowhere") == "match.line"
    assert match(s, euro) == "match.currency"
    assert match(s, line, minor=0) == "match.amount"
    assert match(s, line, minor=10001) == "match.amount"
    s.pay(6000, ref="MINE")
    assert match(s, line, "MINE", 6001) == "match.payment"
    assert match(s, line, "MINE", 6000, loan="L2") == "match.reference"
    assert match(s, line, "MINE", 6000) == "matched"
    assert s.books.lines[line].open_minor == 4000
    invariants.check(s.books)


def test_an_undone_match_reopens_what_was_closed_on_it() -> None:
    """Closed by that proof: without it the installment clears again, under a new driver."""
    s = scene()
    s.pay(10000, ref="T-1")
    line = came(s, "T-1")
    s.until(HUNDRED[1].due_on)
    assert s.state == "CLOSED"
    before, generation = s.mark, s.books.item().generation
    order = s.order(UndoMatch, line=line, reference="T-1", reason="another payer's money")
    assert said(order) == "match undone"
    assert s.posted(before)[:2] == [
        ("match_undone", {f"suspense/line/{line}": -10000, "clearing/transfer": 10000}),
        ("direct_settlement", {"payable/funder-1": -10000, "held_by/funder-1": 10000}),
    ]
    assert (s.state, s.books.item().generation) == ("CLEARING", generation + 1)
    assert f"line/{line}" in s.books.cases
    invariants.check(s.books)
    assert match(s, line) == "matched"
    assert s.state == "CLOSED", "the window has passed: proof is all that lacked"
    invariants.check(s.books)


def test_undoing_the_match_of_surplus_money_leaves_its_installment_alone() -> None:
    """The installment was paid by other money; only the surplus is unproven again."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000, bank_ref="B1")
    s.credit(order, 10000, tx="B1")
    s.apply_outcome(order, minor=10000, bank_ref="B2", source="webhook")
    line = came(s, order)
    portion = next(r for r in s.books.loans["L1"].portions if r.waiting_minor)
    assert s.state == "SETTLED"
    assert said(s.order(UndoMatch, line=line, reference=portion.id)) == "match undone"
    assert s.state == "SETTLED"
    invariants.check(s.books)


def test_only_a_match_that_stands_can_be_undone() -> None:
    """An unknown line, and a line that proves nothing of the payment."""
    s = scene()
    line = came(s, "OTHER")
    assert said(s.order(UndoMatch, line="nowhere", reference="T-1")) == "match.line"
    assert said(s.order(UndoMatch, line=line, reference="T-1")) == "match.none"


def test_a_payment_recorded_by_mistake_is_withdrawn() -> None:
    """What it paid is owed again; its legs offset each other and want no line any more."""
    s = scene()
    s.pay(15000, ref="T-1")
    assert s.state == "CLEARING"
    before = s.mark
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment withdrawn"
    assert s.posted(before) == [
        (
            "withdrawn",
            {
                "owed/1/principal": 10000,
                "claim/funder-1": -10000,
                "payable/funder-1": 10000,
                "advance/L1": 5000,
                "clearing/transfer": -15000,
            },
        )
    ]
    assert s.portion("T-1").is_proven
    assert s.state == "DUE", "no debit has failed: the first is still to come"
    invariants.check(s.books)
    order = s.present()
    s.apply_outcome(order, minor=10000)
    s.credit(order, 10000)
    s.until(HUNDRED[1].due_on)
    assert s.state == "CLOSED"


def test_a_withdrawn_payment_leaves_no_case_about_its_missing_line() -> None:
    """The line that never came is not asked for any more."""
    s = scene()
    s.pay(10000, ref="T-1")
    s.until(HUNDRED[0].due_on.fromordinal(HUNDRED[0].due_on.toordinal() + 14))
    s.action()
    assert "unsettled/L1/1" in s.books.cases
    s.order(WithdrawPayment, reference="T-1")
    assert "unsettled/L1/1" not in s.books.cases
    invariants.check(s.books)


def test_a_case_about_missing_lines_stays_while_another_payment_lacks_its_own() -> None:
    """Two payments of one installment: withdrawing one leaves the question about the other."""
    s = scene()
    s.pay(4000, ref="T-1")
    s.pay(6000, ref="T-2")
    s.until(HUNDRED[0].due_on.fromordinal(HUNDRED[0].due_on.toordinal() + 14))
    s.action()
    s.order(WithdrawPayment, reference="T-1")
    assert "unsettled/L1/1" in s.books.cases
    invariants.check(s.books)


def test_a_payment_withdrawn_after_a_failed_debit_is_tried_by_the_plan() -> None:
    """The debit had failed before the payment was reported: what follows is its retry."""
    s = scene()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.pay(10000, ref="T-1")
    assert s.state == "CLEARING"
    s.order(WithdrawPayment, reference="T-1")
    assert s.state == "RETRYING"
    invariants.check(s.books)


def test_only_an_unproven_payment_of_this_loan_is_withdrawn() -> None:
    """Money at the bank is not argued away, a debit is the rail's, and once is enough."""
    s = scene()
    s.pay(10000, ref="T-1")
    line = came(s, "T-1")
    assert said(s.order(WithdrawPayment, reference="T-2")) == "payment.unknown"
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment.proven"
    s.order(UndoMatch, line=line, reference="T-1")
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment withdrawn"
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment.withdrawn"
    again: dict[str, Any] = {
        "reference": "T-1",
        "amount_minor": 10000,
        "currency": "CNY",
        "value_on": s.today,
    }
    assert said(s.order(RecordPayment, **again)) == "payment recorded", "the first was none"
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment withdrawn"
    order = s.present()
    s.apply_outcome(order, minor=10000)
    assert said(s.order(WithdrawPayment, reference=f"R-{order}")) == "payment.unknown"
    invariants.check(s.books)


def test_a_partly_proven_payment_is_withdrawn_only_after_its_match_is_undone() -> None:
    """Two lines prove it: undoing one leaves the other's proof standing."""
    s = scene()
    s.pay(10000, ref="T-1")
    one, two = came(s, "T-1", 4000), came(s, "T-1", 6000)
    s.order(UndoMatch, line=one, reference="T-1")
    assert (s.portion("T-1").settled_minor, s.payment("T-1").lines) == (6000, (two,))
    assert said(s.order(WithdrawPayment, reference="T-1")) == "payment.proven"
    invariants.check(s.books)


@pytest.mark.parametrize("ref", ["T-1", "210000000003139471430009017"])
@pytest.mark.parametrize("line_first", [True, False])
def test_a_reference_in_the_payers_message_names_the_payment(ref: str, *, line_first: bool) -> None:
    """A creditor reference proves like an end-to-end id, beside another one, in either order."""
    s = scene()
    item = LineItem("T-1", None, None, 10000, remittance=("210000000003139471430009017", "other"))
    if line_first:
        s.line(item)
    s.pay(10000, ref=ref)
    if not line_first:
        s.line(item)
    assert (s.balances, s.state) == (FUNDED, "SETTLED")
    assert not s.books.cases.keys() - {"no_reminder/L1/1"}
    invariants.check(s.books)


def test_one_item_is_taken_by_one_of_its_references_only() -> None:
    """A payment recorded under the second reference does not take another item's money."""
    s = scene()
    s.line(
        LineItem("T-1", None, None, 10000, remittance=("T-2",)),
        LineItem("T-3", None, None, 10000),
    )
    s.pay(10000, ref="T-1")
    s.pay(10000, 2, ref="T-2")
    assert s.portion("T-1").unsettled_minor == 0
    assert s.portion("T-2").unsettled_minor == 10000
    s.pay(10000, 3, ref="T-3")
    assert s.portion("T-3").unsettled_minor == 0
    invariants.check(s.books)


@pytest.mark.parametrize("declined", [False, True])
def test_a_line_matched_by_an_orders_number_is_that_orders_money(declined: bool) -> None:
    """It confirms the order as a line that names it does: the rail's success is no news then."""
    s = scene()
    order = s.present()
    if declined:
        s.apply_outcome(order, OutcomeClass.NSF, code="51")
    line = came(s)
    assert match(s, line, order) == "matched"
    before = s.mark
    s.apply_outcome(order, minor=10000, source="webhook")
    assert s.posted(before) == []
    assert (s.balances, s.state) == (FUNDED, "SETTLED")
    assert (f"late_success/R-{order}" in s.books.cases) is declined
    assert not s.books.lines[line].is_open
    invariants.check(s.books)


def test_the_number_of_another_loans_order_names_no_money_of_this_one() -> None:
    """The order would bring the same money again."""
    s = scene()
    s.books.apply(board("L2", lines=HUNDRED))
    order = s.present()
    assert match(s, came(s), order, loan="L2") == "match.reference"


def test_the_rest_of_a_line_keeps_the_work_on_its_case() -> None:
    """A person has the case, and matches a part: it is theirs still, of the same age."""
    s = scene()
    line = came(s, None, 10000)
    assert isinstance(s.give(AssignCase, case=f"line/{line}", assignee="ann"), Change)
    opened_at = s.books.cases[f"line/{line}"].opened_at
    s.until(s.today + ONE_DAY)
    assert match(s, line, "T-1", 4000) == "matched"
    left = s.books.cases[f"line/{line}"]
    assert (left.assignee, left.opened_at, left.generation) == ("ann", opened_at, 1)
    assert left.amount_minor == 6000
    assert match(s, line, "T-2", 6000) == "matched"
    assert f"line/{line}" not in s.books.cases
    invariants.check(s.books)


def test_money_of_a_debit_order_is_divided_over_no_other_loans() -> None:
    """An order is of one loan: what a person says of others is refused and not passed over."""
    s = scene()
    s.books.apply(board("L2", lines=HUNDRED))
    order = s.present()
    line = came(s, None, 10000)
    terms = {"line": line, "reference": order, "amount_minor": 10000, "also": (Also("L2"),)}
    assert said(s.order(MatchLine, 1, "L1", **terms)) == "match.also"
