"""The worked cases of money and evidence, each with what is posted and what remains."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from domain.debit.outcome import OutcomeClass
from domain.ledger import accounts
from domain.loan.change import Change
from domain.loan.decide.money import surplus_case
from domain.pricing.amounts import Component
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import Waive, WriteOff
from tests.support.memory import PRODUCT, board, schedule
from tests.support.scene import ACCOUNT, Scene

HUNDRED = schedule(((10000, 0), (10000, 0), (10000, 0)))
BANK = accounts.bank(ACCOUNT)
PLAIN = replace(PRODUCT, penalty=None)


def scene(**terms: object) -> Scene:
    """Three installments of 100.00 without interest; no penalty unless the product says so."""
    return Scene.boarded(**{"lines": HUNDRED, "product": PLAIN, **terms})


def closed(after: Scene, number: int = 1) -> None:
    """Lines come, the return window passes; the installment must be closed and the books whole."""
    after.settle()
    after.until(after.today.fromordinal(after.today.toordinal() + 6))
    assert after.books.item(number).state.value == "CLOSED", after.books.view(number)
    invariants.check(after.books)


def test_a_debit_confirmed_and_booked_posts_charge_portion_and_settlement() -> None:
    """Fell due, confirmed, settled, held by the funder: four entries and nothing else."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000)
    s.credit(order, 10000)
    assert s.posted() == [
        ("fell_due", {"owed/1/principal": 10000, "claim/funder-1": -10000}),
        (
            "confirmed",
            {
                "clearing/simbank": 10000,
                "owed/1/principal": -10000,
                "claim/funder-1": 10000,
                "payable/funder-1": -10000,
            },
        ),
        ("settled", {BANK: 10000, "clearing/simbank": -10000}),
        ("direct_settlement", {"payable/funder-1": 10000, "held_by/funder-1": -10000}),
    ]
    assert s.state == "SETTLED"
    assert s.balances == {BANK: 10000, "held_by/funder-1": -10000}
    closed(s)


def test_a_transfer_while_a_debit_is_in_doubt_waits_and_pays_when_it_is_declined() -> None:
    """Money that waits is applied by the very change that ends the attempt, without a retry."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.TECH)
    assert s.state == "IN_DOUBT"
    transfer = s.pay(10000)
    assert s.balances[f"suspense/{transfer}"] == -10000
    before = s.mark
    s.apply_outcome(order, OutcomeClass.NSF, source="webhook")
    assert s.posted(before) == [
        (
            "applied",
            {
                f"suspense/{transfer}": 10000,
                "owed/1/principal": -10000,
                "claim/funder-1": 10000,
                "payable/funder-1": -10000,
            },
        )
    ]
    assert s.state == "CLEARING"
    assert f"surplus/{transfer}/L1" not in s.books.cases
    closed(s)


def test_a_transfer_while_a_debit_is_in_doubt_is_paid_ahead_when_the_debit_succeeds() -> None:
    """The debit pays its own installment; the transfer is free money and pays the next one."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.TECH)
    transfer = s.pay(10000)
    before = s.mark
    s.apply_outcome(order, minor=10000, source="webhook")
    assert [event for event, _ in s.posted(before)] == ["confirmed", "advanced"]
    assert s.balances == {
        "clearing/simbank": 10000,
        "clearing/transfer": 10000,
        "payable/funder-1": -10000,
        "advance/L1": -10000,
    }
    closed(s)
    s.until(HUNDRED[1].due_on)
    assert s.books.item(2).state.value == "CLOSED"
    assert not s.books.item(2).attempts
    assert s.portion(transfer).advance_minor == 0


@pytest.mark.parametrize(
    "order", list(permutations(["answer", "webhook", "inquiry", "line"])), ids="-".join
)
def test_one_success_reported_four_ways_in_any_order_is_booked_once(order: tuple[str, ...]) -> None:
    """Answer, webhook, inquiry and line bring one fact: equal balances in every order."""
    s = scene()
    number = s.present()
    for way in order:
        if way == "line":
            s.credit(number, 10000, tx="B1")
        else:
            s.apply_outcome(
                number, minor=10000, source=way, bank_ref=None if way == "answer" else "B1"
            )
    assert s.balances == {BANK: 10000, "held_by/funder-1": -10000}
    assert s.state == "SETTLED"
    assert not s.books.cases.keys() - {"no_reminder/L1/1"}
    closed(s)


@pytest.mark.parametrize(
    "order", list(permutations(["good", "reported", "line", "gone"])), ids="-".join
)
def test_a_success_and_its_return_in_any_order_leave_the_same_balances(
    order: tuple[str, ...],
) -> None:
    """Confirmation, its line, the report of the return and the line of the return with a fee."""
    s = scene()
    number = s.present()
    for way in order:
        match way:
            case "good":
                s.apply_outcome(number, minor=10000, source="webhook", bank_ref="B1")
            case "line":
                s.credit(number, 10000, tx="B1")
            case "reported":
                s.returned(number, 10000, bank_ref="B1")
            case _:
                s.return_line(number, 10000, fee=300, tx="B1")
    assert s.balances == {
        "owed/1/principal": 10000,
        "claim/funder-1": -10000,
        BANK: -300,
        "rail_fees/simbank": 300,
    }
    assert s.state == "RETRYING"
    invariants.check(s.books)


@pytest.mark.parametrize("late", ["webhook", "line"])
def test_a_late_success_of_an_attempt_thought_not_executed_is_money_with_a_case(late: str) -> None:
    """It pays its own installment at once; nothing is debited again."""
    s = scene()
    order = s.present()
    s.books.at += s.books.rules.rails["simbank"].query_window * 2
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.state == "RETRYING"
    before = s.mark
    if late == "line":
        s.credit(order, 10000)
    else:
        s.apply_outcome(order, minor=10000, source="webhook")
    events = [event for event, _ in s.posted(before)]
    assert events[:2] == ["confirmed_late", "applied"]
    assert f"late_success/R-{order}" in s.books.cases
    assert s.books.item().owed.total == 0
    closed(s)


def test_a_late_success_while_the_next_attempt_is_live_waits_and_becomes_a_surplus() -> None:
    """Two debits took the money: the earlier one pays, the other waits in suspense with a case."""
    s = scene()
    first = s.present()
    s.apply_outcome(first, OutcomeClass.NSF)
    second = s.present()
    s.apply_outcome(first, minor=10000, source="webhook", bank_ref="B1")
    assert s.balances[f"suspense/R-{first}"] == -10000
    s.apply_outcome(second, minor=10000, bank_ref="B2")
    assert s.books.cases[f"surplus/R-{second}/L1"].amount_minor == 10000
    assert s.balances[f"suspense/R-{second}"] == -10000
    assert s.books.item(2).owed.total == 0
    s.until(HUNDRED[1].due_on)
    assert s.books.item(2).owed.total == 10000, "a debit's surplus never pays another installment"
    invariants.check(s.books)


def test_40_confirmed_60_presented_and_the_40_returned_leaves_40_owed() -> None:
    """The return does not touch the live attempt; when that is paid the rest is tried again."""
    s = scene()
    first = s.present()
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    assert s.state == "RETRYING"
    second = s.present()
    assert s.books.item().live_attempt is not None
    assert s.books.item().attempts[1].amount_minor == 6000
    before = s.mark
    s.books.at += timedelta(minutes=5)
    s.returned(first, 4000)
    one, two = s.books.item().attempts
    assert one.ended_at is not None
    assert one.ended_at <= two.intended_at < s.books.at == one.returned_at
    assert s.posted(before) == [
        (
            "returned",
            {
                "owed/1/principal": 4000,
                "payable/funder-1": 4000,
                "claim/funder-1": -4000,
                "clearing/simbank": -4000,
            },
        )
    ]
    assert s.state == "PRESENTED"
    s.apply_outcome(second, minor=6000)
    assert s.state == "RETRYING"
    assert s.books.item().owed.total == 4000
    third = s.present()
    s.apply_outcome(third, minor=4000)
    assert s.state == "CLEARING"
    closed(s)


def test_a_debit_pays_its_own_installment_though_an_older_one_is_overdue() -> None:
    """Debit of the second while the first is overdue: the waterfall only orders its components."""
    s = scene()
    first = s.present(1)
    s.apply_outcome(first, OutcomeClass.PAYER_STOP)
    assert s.state == "DELINQUENT"
    second = s.present(2)
    s.apply_outcome(second, minor=10000)
    assert s.books.item(1).owed.total == 10000
    assert s.books.item(2).state.value == "CLEARING"


def test_a_prepayment_of_half_a_unit_too_much_is_drawn_and_the_rest_stays_visible() -> None:
    """100.50 for the last one: drawn when it falls due, 0.50 ends in suspense with a case."""
    s = scene(lines=schedule(((10000, 0), (10000, 0))))
    s.apply_outcome(s.present(1), minor=10000)
    transfer = s.pay(10050, number=2)
    assert s.balances["advance/L1"] == -10050
    assert s.books.view(2).next_action is None, "no reminder and no debit of what is paid ahead"
    before = s.mark
    s.until(HUNDRED[1].due_on)
    moved = [entry for entry in s.posted(before) if entry[0] != "settled"]
    assert moved[:3] == [
        ("fell_due", {"owed/2/principal": 10000, "claim/funder-1": -10000}),
        ("advanced", {f"suspense/{transfer}": -10000, "advance/L1": 10000}),
        (
            "applied",
            {
                f"suspense/{transfer}": 10000,
                "owed/2/principal": -10000,
                "claim/funder-1": 10000,
                "payable/funder-1": -10000,
            },
        ),
    ]
    assert moved[3:] == [("advanced", {f"suspense/{transfer}": -50, "advance/L1": 50})]
    assert s.books.cases[f"surplus/{transfer}/L1"].amount_minor == 50
    assert "advance/L1" not in s.balances
    closed(s, 2)


def test_a_return_after_settlement_and_closure_reopens_under_a_higher_generation() -> None:
    """History stays; what it paid is owed again, the cash is no longer held, a driver is opened."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000)
    closed(s)
    generation = s.books.item().generation
    before, said = s.mark, len(s.books.messages)
    s.returned(order, 10000)
    assert s.posted(before) == [
        (
            "returned",
            {
                "owed/1/principal": 10000,
                "payable/funder-1": 10000,
                "claim/funder-1": -10000,
                "clearing/simbank": -10000,
            },
        ),
        ("direct_settlement", {"payable/funder-1": -10000, "held_by/funder-1": 10000}),
    ]
    item = s.books.item()
    assert (item.state.value, item.generation) == ("RETRYING", generation + 1)
    assert [message.topic for message in s.books.messages[said:]] == ["open"]
    s.return_line(order, 10000, fee=300)
    assert s.balances == {
        "owed/1/principal": 10000,
        "claim/funder-1": -10000,
        BANK: -300,
        "rail_fees/simbank": 300,
    }


def test_a_returned_portion_is_proven_on_both_legs_before_the_installment_settles_again() -> None:
    """Paid again by another debit; the first one and its return lack their lines: not settled."""
    s = scene()
    first = s.present()
    s.apply_outcome(first, minor=10000)
    s.returned(first, 10000)
    second = s.present()
    s.apply_outcome(second, minor=10000)
    s.credit(second, 10000)
    assert s.state == "CLEARING"
    assert "unproven" in s.books.view().missing
    s.credit(first, 10000)
    assert s.state == "CLEARING"
    s.return_line(first, 10000)
    assert s.state == "SETTLED"
    closed(s)


def test_a_debit_and_a_return_settled_in_one_net_line_are_both_proven() -> None:
    """The bank books 60.00 for a debit of 100.00 and a return of 40.00 of another: named items."""
    s = scene()
    first = s.present(1)
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    s.credit(first, 4000)
    s.returned(first, 4000)
    second = s.present(1)
    s.apply_outcome(second, minor=10000)
    before = s.mark
    s.line(LineItem(second, None, None, 10000), LineItem(first, None, None, -4000))
    assert s.posted(before)[:2] == [
        ("settled", {BANK: 10000, "clearing/simbank": -10000}),
        ("return_settled", {BANK: -4000, "clearing/simbank": 4000}),
    ]
    assert s.balances == {BANK: 10000, "held_by/funder-1": -10000}
    assert s.state == "SETTLED"


@pytest.mark.parametrize("first_news", ["line", "webhook"])
def test_a_second_execution_reported_by_line_and_webhook_is_one_surplus(first_news: str) -> None:
    """The bank takes the money twice on its own: suspense with a case, whichever news is first."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000, bank_ref="B1")
    s.credit(order, 10000, tx="B1")

    def line() -> None:
        s.credit(order, 10000, tx="B2")

    def webhook() -> None:
        s.apply_outcome(order, minor=10000, source="webhook", bank_ref="B2")

    for news in (line, webhook) if first_news == "line" else (webhook, line):
        news()
    assert s.balances == {
        BANK: 20000,
        "held_by/funder-1": -10000,
        f"suspense/R-{order}#2": -10000,
    }
    assert {f"double_execution/R-{order}#2", f"surplus/R-{order}#2/L1"} <= s.books.cases.keys()
    closed(s)


@pytest.mark.parametrize("way", ["report", "line", "line then report", "report then line"])
@pytest.mark.parametrize("which", ["B1", "B2"])
def test_a_return_of_one_of_two_executions_keeps_the_installment_paid(way: str, which: str) -> None:
    """One of two debits goes back: the other one pays, and nothing is debited again."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000, bank_ref="B1")
    s.apply_outcome(order, minor=10000, source="webhook", bank_ref="B2")
    for news in way.split(" then "):
        if news == "line":
            s.return_line(order, 10000, tx=which)
        else:
            s.returned(order, 10000, bank_ref=which)
    assert s.books.item().owed.total == 0
    assert s.state == "CLEARING"
    assert "owed/1/principal" not in s.balances
    assert not any(key.startswith("surplus/") for key in s.books.cases)
    s.settle()
    assert s.balances == {BANK: 10000, "held_by/funder-1": -10000}
    closed(s)


def test_a_return_that_names_only_the_mandate_is_matched_by_exact_amount() -> None:
    """NOTPROVIDED: the newest debit of that amount under the mandate is taken back."""
    s = scene()
    first = s.present(1)
    s.apply_outcome(first, minor=10000, bank_ref="B1")
    s.credit(first, 10000)
    s.return_line(None, 10000, fee=300)
    assert s.balances == {
        "owed/1/principal": 10000,
        "claim/funder-1": -10000,
        BANK: -300,
        "rail_fees/simbank": 300,
    }
    s.returned(first, 10000, bank_ref="B1")
    assert s.balances["owed/1/principal"] == 10000
    assert s.payment(f"R-{first}").unreported_minor == 0


def test_of_two_debits_that_fit_alike_a_bare_return_takes_none() -> None:
    """Same mandate, amount and day: the line waits in suspense with a case, never a guess."""
    s = scene()
    s.books.apply(
        board(
            "L2",
            PLAIN,
            HUNDRED,
            replace(s.books.loans["L1"].mandate, ref="M-L1"),
        )
    )
    orders = [s.present(1), s.present(1, loan="L2")]
    for order in orders:
        s.apply_outcome(order, minor=10000)
    s.return_line(None, 10000)
    waiting = [line for line in s.books.lines.values() if line.open_minor]
    assert [line.open_minor for line in waiting] == [-10000]
    assert f"line/{waiting[0].id}" in s.books.cases
    s.returned(orders[1], 10000)
    assert s.books.item(1, "L1").owed.total == 0
    assert s.books.item(1, "L2").owed.total == 10000


def test_a_batch_of_three_booked_at_294_of_300_with_the_fee_named() -> None:
    """One line for three orders: the lender bears the fee, every payment is proven in full."""
    s = scene()
    for loan in ("L2", "L3"):
        s.books.apply(board(loan, PLAIN, HUNDRED))
    orders = [s.present(1, loan=loan) for loan in ("L1", "L2", "L3")]
    for order in orders:
        s.apply_outcome(order, minor=10000, batch_ref="batch-1")
    before = s.mark
    s.line(minor=29400, batch_ref="batch-1", batch_count=3, charges_minor=600)
    assert s.posted(before).count(("settled", {BANK: 10000, "clearing/simbank": -10000})) == 3
    assert s.balances == {
        BANK: 29400,
        "rail_fees/simbank": 600,
        "held_by/funder-1": -30000,
    }
    assert all(s.books.item(1, loan).state.value == "SETTLED" for loan in ("L1", "L2", "L3"))
    invariants.check(s.books)


def test_a_settlement_at_294_of_300_with_the_fee_on_the_item() -> None:
    """The fee stands with the order itself: proven in full, the fee is the lender's."""
    s = scene(lines=schedule(((30000, 0),)))
    order = s.present()
    s.apply_outcome(order, minor=30000)
    s.credit(order, 30000, fee=600)
    assert s.balances == {BANK: 29400, "rail_fees/simbank": 600, "held_by/funder-1": -30000}
    closed(s)


def test_one_transfer_pays_an_overdue_installment_and_then_the_next() -> None:
    """Free money follows the waterfall over the loan that it names: past due before due."""
    s = scene()
    s.apply_outcome(s.present(1), OutcomeClass.PAYER_STOP)
    s.until(HUNDRED[1].due_on)
    transfer = s.pay(15000, number=1)
    assert s.books.item(1).owed.total == 0
    assert s.books.item(2).owed.total == 5000
    assert {p.number: p.minor for p in s.portion(transfer).allocations} == {1: 10000, 2: 5000}
    invariants.check(s.books)


def test_money_valued_before_the_due_day_and_reported_after_it_pays_what_is_owed_now() -> None:
    """What has fallen due by now is never future to money, however early its value date."""
    s = scene()
    s.apply_outcome(s.present(1), minor=10000)
    s.until(HUNDRED[1].due_on)
    s.pay(10000, number=1, value_on=HUNDRED[0].due_on)
    assert s.books.item(2).state.value == "CLEARING"


def test_an_unknown_debit_and_an_unknown_credit_of_one_amount_stay_two_lines() -> None:
    """Nothing is matched by amount alone: both wait in suspense, each with its case."""
    s = scene()
    s.line(LineItem("nobody-1", None, None, 5000))
    s.line(LineItem("nobody-2", None, None, -5000))
    lines = list(s.books.lines)
    assert s.balances == {f"suspense/line/{lines[0]}": -5000, f"suspense/line/{lines[1]}": 5000}
    assert {f"line/{line}" for line in lines} <= s.books.cases.keys()


def test_written_off_and_then_more_recovered_than_was_owed() -> None:
    """The recovery pays what was written off and the claim; what is too much waits with a case."""
    s = scene(lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), OutcomeClass.PAYER_STOP)
    before = s.mark
    s.order(WriteOff)
    assert s.posted(before) == [
        ("written_off", {"owed/1/principal": -10000, "written_off/funder-1/1/principal": 10000})
    ]
    assert s.state == "WRITTEN_OFF"
    before = s.mark
    transfer = s.pay(12000)
    assert s.posted(before)[1][0] == "recovered"
    assert s.state == "CLEARING"
    assert s.books.cases[f"surplus/{transfer}/L1"].amount_minor == 2000
    assert s.balances == {
        "clearing/transfer": 12000,
        f"suspense/{transfer}": -2000,
        "payable/funder-1": -10000,
    }
    closed(s)


def test_a_recovery_by_a_late_success_that_is_returned_is_written_off_again() -> None:
    """Write-off, recovery, return: as if the money had never come."""
    s = scene(lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PAYER_STOP)
    s.order(WriteOff)
    before = s.balances
    s.apply_outcome(order, minor=10000, source="webhook", bank_ref="B1")
    assert s.state == "CLEARING"
    s.returned(order, 10000, bank_ref="B1")
    assert s.state == "WRITTEN_OFF"
    assert s.books.item().written_off.principal == 10000
    assert s.balances == before
    invariants.check(s.books)


def test_a_partial_recovery_that_is_returned_raises_what_was_written_off() -> None:
    """While written off a return raises the written-off amount, never what is owed."""
    s = scene(lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PAYER_STOP)
    s.order(WriteOff)
    s.apply_outcome(order, OutcomeClass.PARTIAL, 4000, source="webhook", bank_ref="B1")
    assert s.state == "WRITTEN_OFF"
    assert s.books.item().written_off.principal == 6000
    before = s.mark
    s.returned(order, 4000, bank_ref="B1")
    assert [event for event, _ in s.posted(before)] == ["recovery_reversed", "returned"]
    assert s.state == "WRITTEN_OFF"
    assert s.books.item().written_off.principal == 10000
    assert s.books.item().owed.total == 0
    invariants.check(s.books)


def test_after_closure_a_stray_transfer_changes_no_closed_installment() -> None:
    """What was complete when it closed stays closed: the money waits with a case."""
    s = scene(lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), minor=10000)
    closed(s)
    transfer = s.pay(700)
    assert s.state == "CLOSED"
    assert s.books.cases[f"surplus/{transfer}/L1"].amount_minor == 700
    assert s.balances[f"suspense/{transfer}"] == -700


def test_an_installment_waived_whole_closes_without_any_portion() -> None:
    """Nothing was allocated, so nothing has to be proven; the window counts from the due date."""
    s = scene(lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    before = s.mark
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=10000)
    assert s.posted(before) == [
        ("waived", {"owed/1/principal": -10000, "forgiven/funder-1/goodwill": 10000})
    ]
    assert s.state == "SETTLED"
    s.until(s.today.fromordinal(s.today.toordinal() + 4))
    assert s.state == "CLOSED"
    invariants.check(s.books)


def test_a_debit_that_took_more_than_was_ordered_pays_its_own_and_no_other() -> None:
    """150 taken of an order of 100, two installments overdue: 50 is a surplus with a case."""
    s = scene()
    s.apply_outcome(s.present(1), OutcomeClass.PAYER_STOP)
    second = s.present(2)
    s.apply_outcome(second, minor=15000)
    assert s.books.item(1).owed.total == 10000
    assert s.books.cases[f"surplus/R-{second}/L1"].amount_minor == 5000
    assert f"overtaken/{second}" in s.books.cases
    loan, portion = s.books.loans["L1"], s.portion(f"R-{second}")
    said, kept = surplus_case(loan, portion, 5000), s.books.cases[f"surplus/R-{second}/L1"]
    assert (said.text, said.amount_minor) == (kept.text, kept.amount_minor)


def test_a_surplus_pays_its_own_installment_when_that_is_owed_again() -> None:
    """Twice executed, the first returned: the second is no surplus any more, its case closes."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10000, bank_ref="B1")
    s.apply_outcome(order, minor=10000, source="webhook", bank_ref="B2")
    assert f"surplus/R-{order}#2/L1" in s.books.cases
    change = s.returned(order, 10000, bank_ref="B1")
    assert isinstance(change, Change)
    assert f"surplus/R-{order}#2/L1" not in s.books.cases
    assert s.books.item().owed.total == 0
    assert sum(part.minor for part in s.portion(f"R-{order}#2").allocations) == 10000
