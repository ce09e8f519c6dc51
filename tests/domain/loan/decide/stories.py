"""Stories of loans, in full in `recorded/NAME.txt`: what each decision says, posts and sends.

`python -m tests.domain.loan.decide.stories [NAME ...]` records them anew; read the difference as
you would read the books of a borrower before you commit it.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from domain.debit.attempt import AttemptState
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import HoldKind
from domain.loan.opening import OpeningItem
from domain.pricing.amounts import Amounts, Component
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    Cancel,
    ChangeDate,
    Charge,
    Hold,
    IntendDebit,
    MatchLine,
    Past,
    QueueReminder,
    RaiseOperator,
    RecordDeliveryReport,
    RecordPayment,
    RecordUnparsedEvent,
    RecordUnsent,
    RenewSend,
    RetryNow,
    Review,
    UndoMatch,
    Unhold,
    Waive,
    WithdrawPayment,
    WriteOff,
)
from tests.support.memory import PRODUCT, board, later, schedule, with_shares
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid
from tests.support.recording import RecordingBooks
from tests.support.scene import Scene

RECORDED = Path(__file__).parent / "recorded"
QUIET = replace(PRODUCT, reminders=replace(PRODUCT.reminders, rules=()))
TWO = schedule(((10000, 100),) * 2)
CALM = replace(QUIET, penalty=None)
DUE = date(2026, 3, 10)
DAY = timedelta(days=1)


def boarded(**terms: Any) -> Scene:
    """A scene that tells what happens; its loan has two installments of 101.00."""
    scene = Scene(RecordingBooks())
    usual: dict[str, Any] = {"lines": TWO, "product": QUIET}
    scene.books.apply(board(**usual | terms))
    return scene


def on_rail(scene: Scene, **terms: Any) -> None:
    """Give the rail other capabilities."""
    rail = replace(scene.books.rules.rails["simbank"], **terms)
    scene.books.rules = replace(scene.books.rules, rails={"simbank": rail})


def paid_on_time() -> Scene:
    """Reminded, debited, confirmed, reported again, proven by the bank, released and closed."""
    s = boarded(product=PRODUCT)
    s.action()
    sms = s.books.item().notices[0].message_id
    s.give(RecordDeliveryReport, message_id=sms, delivered=True)
    s.give(RecordDeliveryReport, message_id=sms, delivered=False)
    s.until(DUE)
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PENDING)
    s.apply_outcome(order, minor=10100, bank_ref="B-1", source="webhook")
    s.apply_outcome(order, minor=10100, bank_ref="B-1", source="inquiry", asked_at=s.books.at)
    s.until(s.today + DAY)
    s.credit(order, 10100, fee=7, tx="B-1")
    s.until(s.today + 10 * DAY)
    return s


def declined_until_the_plan_is_spent() -> Scene:
    """No funds four times with penalty meanwhile; a person begins the plan anew and it is paid."""
    s = boarded()
    for _ in range(4):
        s.apply_outcome(s.present(), OutcomeClass.NSF, code="AM04")
    s.until(s.today + DAY)
    s.order(RetryNow, reason="paid his salary")
    order = s.present()
    s.apply_outcome(order, minor=s.books.item().attempts[-1].amount_minor)
    s.settle()
    s.until(s.today + 8 * DAY)
    return s


def in_doubt() -> Scene:
    """Sent, nobody knows; leases, repeats, inquiries, a person; the bank line decides."""
    s = boarded()
    order = s.present()
    s.order(RenewSend, order_no="nobody's")
    s.order(RenewSend, order_no=order)
    on_rail(s, idempotent=False)
    later(s.books, s.books.item().attempts[0].send_until)
    s.order(RenewSend, order_no=order)
    on_rail(s, idempotent=True)
    s.order(RenewSend, order_no=order)
    s.apply_outcome(order, OutcomeClass.UNKNOWN_CODE, source="timeout")
    s.apply_outcome(order, OutcomeClass.PENDING, source="inquiry", asked_at=s.books.at)
    s.order(RaiseOperator, reason="")
    s.order(RaiseOperator, reason="the rail does not answer")
    later(s.books, s.books.at + timedelta(hours=1))
    s.order(Hold, reason="look first", what=HoldKind.DEBIT)
    s.order(RenewSend, order_no=order)
    s.order(Unhold, reason="looked")
    s.pay(100, ref="T-1")
    s.order(RenewSend, order_no=order)
    s.until(s.today + 2 * DAY)
    s.credit(order, 10100, tx="B-1")
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.order(RenewSend, order_no=order)
    return s


def never_left() -> Scene:
    """An order that could not be sent: sent again, withdrawn because a transfer paid, not found."""
    s = boarded()
    order = s.present()
    s.give(RecordUnsent, order_no=order, sends=1)
    s.give(RecordUnsent, order_no=order, sends=1)
    s.give(RecordUnsent, order_no="nobody's", sends=1)
    s.action()
    s.give(RecordUnsent, order_no=order, sends=2)
    s.pay(10100, ref="T-1")
    s.action()
    second = s.present(2)
    s.apply_outcome(second, OutcomeClass.NOT_FOUND, source="inquiry", asked_at=s.books.at)
    s.until(s.today + 2 * DAY)
    s.apply_outcome(second, OutcomeClass.NOT_FOUND, source="inquiry", asked_at=s.books.at)
    return s


def returned_after_closure() -> Scene:
    """Closed, returned with a fee, tried again, returned for good, written off, recovered."""
    s = boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.credit(order, 10100, tx="B-1")
    s.until(s.today + 9 * DAY)
    s.returned(order, 10100, bank_ref="B-1")
    s.returned(order, 10100, bank_ref="B-1")
    s.return_line(order, 10100, fee=300, tx="B-1")
    again = s.present()
    s.apply_outcome(again, minor=s.books.item().attempts[-1].amount_minor, bank_ref="B-2")
    s.settle()
    s.returned(again, s.books.item().attempts[-1].amount_minor, OutcomeClass.ACCOUNT, "B-2", "AC04")
    s.settle()
    s.order(WriteOff, reason="moved abroad")
    s.until(s.today + DAY)
    s.pay(4000, ref="T-1")
    s.pay(20000, ref="T-2")
    s.settle()
    return s


def returned_in_part() -> Scene:
    """40 of 101 come, the rest is refused; the 40 are returned without a reference and matched."""
    s = boarded()
    order = s.present()
    s.apply_outcome(order, minor=4000, bank_ref="B-1")
    s.credit(order, 4000, tx="B-1")
    s.apply_outcome(s.present(), OutcomeClass.MANDATE, code="MD01")
    s.return_line(None, 4000, tx=None)
    s.settle()
    return s


def transfers() -> Scene:
    """Money paid another way: ahead, too much, in pieces; and what is no payment at all."""
    s = boarded()
    s.pay(5000, ref="T-1")
    common: dict[str, Any] = {
        "currency": "CNY",
        "value_on": s.today,
        "amount_minor": 100,
        "reference": "T-9",
    }
    for wrong in (
        {"currency": "EUR"},
        {"amount_minor": 0},
        {"amount_minor": 10**15 + 1},
        {"value_on": s.today + DAY},
        {"reference": "T-1"},
        {"reason": ""},
    ):
        s.order(RecordPayment, **(common | wrong))
    s.order(RecordPayment, 3, **common)
    s.until(DUE)
    s.pay(30000, ref="T-2")
    s.credit("T-1", 5000, fee=10)
    s.line(LineItem("T-2", None, None, 20000), LineItem("T-2", None, None, 10000))
    s.until(s.today + 40 * DAY)
    return s


def lines_matched_by_hand() -> Scene:
    """A line without a name, a match, its undoing, a withdrawal; and what cannot be matched."""
    s = boarded()
    s.until(DUE)
    s.line(LineItem(None, None, None, 10100, 5), id="A")
    s.line(LineItem("T-7", None, None, 700), id="B", currency="EUR")
    s.line(LineItem(None, None, None, -900), id="C", minor=-900)
    match: dict[str, Any] = {"line": "A", "reference": "T-1", "amount_minor": 10095}
    for wrong in (
        {"line": "Z"},
        {"line": "B"},
        {"amount_minor": 0},
        {"amount_minor": 10096},
        {"line": "C", "amount_minor": 900},
    ):
        s.order(MatchLine, **(match | wrong))
    s.order(MatchLine, **match)
    s.books.apply(board("L2", QUIET, TWO))
    s.line(LineItem(None, None, None, 10100), id="D")
    s.order(MatchLine, loan="L2", line="D", reference="T-1", amount_minor=1)
    s.order(MatchLine, line="D", reference="T-1", amount_minor=1)
    s.order(UndoMatch, line="Z", reference="T-1")
    s.order(UndoMatch, line="A", reference="T-2")
    s.order(WithdrawPayment, reference="T-1")
    s.order(WithdrawPayment, reference="T-2")
    s.order(UndoMatch, line="A", reference="T-1")
    s.order(WithdrawPayment, reference="T-1")
    s.order(WithdrawPayment, reference="T-1")
    s.pay(10095, ref="T-2")
    s.order(MatchLine, **(match | {"reference": "T-2", "amount_minor": 10095}))
    return s


def orders_of_a_person() -> Scene:
    """Hold, move, waive, cancel, write off: done where the table allows, refused where not."""
    s = boarded()
    s.order(Unhold)
    s.order(Hold, what=HoldKind.CONTACT, reason="ill")
    s.order(Hold, what=HoldKind.ALL, reason="disputed")
    s.order(RetryNow)
    s.order(Unhold, reason="agreed")
    s.order(RetryNow)
    s.order(Waive, component=Component.INTEREST, amount_minor=100)
    s.order(WriteOff)
    s.order(ChangeDate, due_on=s.today - DAY)
    s.order(ChangeDate, due_on=s.today + 367 * DAY)
    s.order(ChangeDate, due_on=DUE + DAY)
    s.until(DUE + 2 * DAY)
    s.order(Waive, component=Component.INTEREST, amount_minor=101)
    s.order(Waive, component=Component.INTEREST, amount_minor=40)
    order = s.present()
    for kind, values in (
        (RetryNow, {}),
        (ChangeDate, {"due_on": s.today}),
        (Waive, {"component": Component.FEE, "amount_minor": 1}),
        (Cancel, {}),
        (WriteOff, {}),
    ):
        s.order(kind, **values)
    s.apply_outcome(order, OutcomeClass.NSF)
    s.pay(60, ref="T-1")
    s.order(Cancel)
    s.order(ChangeDate, 2, due_on=s.today)
    s.order(Cancel, 2, reason="goods sent back")
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=10000, reason="goodwill")
    s.order(Hold, reason="too late")
    s.order(ChangeDate, due_on=s.today)
    s.order(Cancel)
    s.settle()
    return s


def edges_of_orders() -> Scene:
    """The farthest day, the smallest waiver and charge; a retry before the plan is spent."""
    s = boarded(product=CALM)
    s.order(ChangeDate, due_on=s.today + 366 * DAY)
    s.order(ChangeDate, due_on=DUE)
    s.order(Charge, component=Component.FEE, amount_minor=5)
    s.until(DUE)
    for component, minor in (
        (Component.PENALTY, 5),
        (Component.COST, 0),
        (Component.COST, 10**15 + 1),
        (Component.COST, 1),
        (Component.FEE, 5),
    ):
        s.order(Charge, component=component, amount_minor=minor, reason="lawyer")
    s.order(Waive, component=Component.FEE, amount_minor=1)
    order = s.present()
    s.order(Charge, component=Component.FEE, amount_minor=5)
    s.apply_outcome(order, OutcomeClass.NSF)
    s.order(RetryNow, reason="he has money now")
    s.order(ChangeDate, due_on=s.today + DAY, reason="payday is tomorrow")
    s.apply_outcome(s.present(), minor=10105, bank_ref="B-1")
    return s


def cancelled_when_due() -> Scene:
    """A charge of a cancelled installment goes back; money paid ahead has nothing to wait for."""
    s = boarded()
    s.until(DUE)
    s.order(Cancel, reason="goods sent back")
    s.pay(10100, ref="T-1")
    s.order(Cancel, 2, reason="goods sent back")
    s.order(ChangeDate, 2, due_on=s.today)
    return s


def reminders_that_fail() -> Scene:
    """The first channel fails, the second as well: debited all the same, and a person sees it."""
    s = boarded(product=PRODUCT)
    s.give(RecordDeliveryReport, message_id="nobody's", delivered=True)
    s.action()
    s.give(RecordDeliveryReport, message_id=s.books.item().notices[0].message_id, delivered=False)
    stale = s.books.view().next_action
    assert stale is not None
    s.order(QueueReminder, action=stale.key, generation=2)
    s.action()
    s.order(QueueReminder, action=stale.key)
    s.order(IntendDebit, action="present/1")
    s.order(Review, action="review/1")
    s.give(RecordDeliveryReport, message_id=s.books.item().notices[1].message_id, delivered=False)
    s.present()
    s.give(RecordDeliveryReport, message_id=s.books.item().notices[0].message_id, delivered=True)
    return s


def late_proof() -> Scene:
    """Confirmed, and no bank line comes: a case, a person's task, and both end with the line."""
    s = boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.until(s.today + 7 * DAY)
    s.action()
    s.credit(order, 10100, tx="B-1")
    return s


def strangers() -> Scene:
    """Evidence about nobody: orders, reports, lines and returns that the books do not know."""
    s = boarded()
    s.apply_outcome("nobody's", minor=5)
    s.returned("nobody's", 5)
    s.give(RecordUnparsedEvent, rail="simbank", event_id="E-1", type="surprise")
    s.line(minor=700, id="A")
    s.line(LineItem("nobody's", "M-0", "X-1", -700, 0, "AM04"), id="B")
    s.line(LineItem("L1", None, None, 300), LineItem(None, None, None, 400), id="C", minor=690)
    s.order(RaiseOperator, 9)
    s.order(Hold, 9)
    s.order(Hold, loan="L9")
    return s


def executed_twice() -> Scene:
    """The bank takes an order's money twice, and once more after it was thought not executed."""
    s = boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.apply_outcome(order, minor=10100, bank_ref="B-2")
    s.credit(order, 10100, tx="B-1")
    s.credit(order, 10100, tx="B-2")
    s.returned(order, 10100, bank_ref="B-2")
    s.return_line(order, 10100, tx="B-2")
    second = s.present(2)
    s.apply_outcome(second, OutcomeClass.NSF)
    s.apply_outcome(second, minor=10100, bank_ref="B-3")
    return s


def returns_that_are_the_first_news() -> Scene:
    """A line takes back what was never confirmed, without a reason; the rail then says the same."""
    s = boarded(product=CALM)
    order = s.present()
    s.line(LineItem(order, "M-L1", "X-1", -10100, 0))
    s.returned(order, 10100, bank_ref="B-9", code="AM04")
    s.returned(order, 10100, bank_ref="B-9", code="AM04")
    second = s.present(2)
    s.returned(second, 10100, OutcomeClass.ACCOUNT, bank_ref="B-2", code="AC04")
    s.settle()
    return s


def returns_of_more_and_of_less() -> Scene:
    """One unit comes back, then a second return of more than was ever taken."""
    s = boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.apply_outcome(order, minor=1, bank_ref="B-2")
    s.returned(order, 1, bank_ref="B-2")
    s.returned(order, 1, bank_ref="B-1")
    s.returned(order, 10100, bank_ref="B-1")
    s.return_line(order, 1, tx="B-2")
    s.return_line(order, 1, tx="B-1")
    s.return_line(order, 10099, tx="B-1")
    return s


def bare_returns() -> Scene:
    """A line that names only the mandate takes back the one debit that fits, of two alike none."""
    s = boarded(product=CALM)
    for number in (1, 2):
        order = s.present(number)
        s.apply_outcome(order, minor=10100, bank_ref=f"B-{number}")
        s.credit(order, 10100, tx=f"B-{number}")
    s.return_line(None, 10100)
    s.line(LineItem(None, None, None, -10100, 0, "AM04"))
    s.returned(s.books.item(1).attempts[0].order_no, 10100, bank_ref="B-1")
    s.return_line(None, 10100, code="MD06")
    return s


def batches() -> Scene:
    """Two orders booked in one amount less a fee; the line is said again, in other figures."""
    s = boarded(product=CALM)
    orders = [s.present(number) for number in (1, 2)]
    for order in orders:
        s.apply_outcome(order, OutcomeClass.PENDING, batch_ref="BATCH-1")
    s.line(minor=20199, batch_ref="BATCH-1", batch_count=2, id="A")
    s.line(minor=20150, batch_ref="BATCH-1", batch_count=2, charges_minor=50, id="B")
    s.line(minor=20150, batch_ref="BATCH-1", batch_count=2, charges_minor=50, id="B")
    s.line(minor=20151, batch_ref="BATCH-1", batch_count=2, charges_minor=50, id="B")
    s.line(minor=20150, batch_ref="BATCH-1", currency="EUR", id="B")
    s.line(LineItem(orders[0], None, None, 10100), charges_minor=3, id="C")
    s.line(LineItem("T-1", None, None, 500, 2), LineItem(None, None, None, 0), id="D")
    s.pay(500, ref="T-1")
    return s


def contradictions() -> Scene:
    """Declined and then confirmed, confirmed in other amounts, confirmed and then declined."""
    s = boarded(product=CALM)
    order = s.present()
    s.apply_outcome(order, minor=9000, bank_ref="B-1")
    s.apply_outcome(order, minor=9100, bank_ref="B-1")
    s.apply_outcome(order, OutcomeClass.NSF, code="AM04")
    s.apply_outcome(order, OutcomeClass.PARTIAL, minor=0)
    second = s.present(2)
    s.apply_outcome(second, OutcomeClass.ACCOUNT, code="AC04")
    s.apply_outcome(second, minor=10100, bank_ref="B-2")
    s.order(Hold, 2, reason="look")
    s.settle()
    return s


def money_with_a_flaw() -> Scene:
    """Confirmed with a defect, named by the bank only later; confirmed for more than ordered."""
    s = boarded(product=CALM)
    order = s.present()
    s.apply_outcome(order, OutcomeClass.SUCCESS_DEFECTIVE, minor=10100, code="M1")
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.until(DUE + 31 * DAY)
    second = s.present(2)
    s.apply_outcome(second, minor=10107, bank_ref="B-2")
    s.settle()
    return s


def asked_without_progress() -> Scene:
    """Asked again and again: overdue, in doubt, a person is called; then it was never executed."""
    s = boarded(product=CALM)
    order = s.present()
    for _ in range(12):
        action = s.books.view().next_action
        later(s.books, action.not_before if action else s.books.at + timedelta(hours=1))
        s.apply_outcome(order, OutcomeClass.TECH, source="inquiry", asked_at=s.books.at)
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="webhook")
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry", asked_at=s.books.at)
    return s


def several_payees() -> Scene:
    """90/8/2: paid in two parts, returned, forgiven and written off to the unit."""
    product = with_shares(
        QUIET,
        ("funder-1", Fraction(90, 100)),
        ("platform", Fraction(8, 100)),
        ("insurer", Fraction(2, 100)),
        remainder="funder-1",
    )
    s = boarded(product=product)
    order = s.present()
    s.apply_outcome(order, minor=3333, bank_ref="B-1")
    s.credit(order, 3333, tx="B-1")
    s.pay(3333, ref="T-1")
    s.returned(order, 3333, OutcomeClass.ACCOUNT, bank_ref="B-1")
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=11)
    s.order(WriteOff, reason="moved abroad")
    s.pay(2000, ref="T-2")
    return s


def what_limits_a_debit() -> Scene:
    """A cap of the mandate, its end, and a rail that takes the same amount again or nothing."""
    ends = Mandate(
        *("M-L1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1), date(2026, 3, 20)),
        cap_minor=6000,
    )
    s = boarded(mandate=ends)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    on_rail(s, same_amount_on_retry=True)
    s.pay(5000, ref="T-1")
    s.action()
    s.order(RetryNow, reason="he asks for it")
    s.until(date(2026, 4, 10))
    s.action(2)
    s.order(RetryNow, 2)
    none = boarded(mandate=replace(ends, cap_minor=0))
    none.action()
    assert isinstance(s.books, RecordingBooks)
    assert isinstance(none.books, RecordingBooks)
    s.books.lines_written += none.books.lines_written
    return s


def brought_over() -> Scene:
    """A loan in progress: closed, returned after the cut-over, overdue, and money paid ahead."""
    taken = ordered(1, state=AttemptState.CONFIRMED, outcome_class=None, code="00")
    scene = Scene(RecordingBooks(at=APRIL))
    scene.books.apply(
        replace(
            board(product=QUIET),
            past=Past.REFUSE,
            opening=opening(
                payments=(
                    paid((1, WHOLE), on=DUE, order_no="OLD-1"),
                    paid((2, Amounts(10000, 60))),
                ),
                attempts=(taken,),
                items=(OpeningItem(number=2, charged=Amounts(penalty=7), waived=Amounts(0, 40)),),
                advance_minor=10100,
                advance_ref="OLD-X",
            ),
        )
    )
    scene.returned("OLD-1", 10100)
    scene.return_line("OLD-1", 10100)
    scene.credit("OLD-X", 10100)
    scene.until(date(2026, 5, 12))
    return scene


def never_boarded() -> Scene:
    """What a loan may not be."""
    s = boarded()
    one, two = TWO
    usual = board("L2", QUIET, TWO)
    for wrong in (
        replace(usual, loan_id="L1"),
        replace(usual, schedule=()),
        replace(usual, schedule=(two,)),
        replace(usual, currency="EUR"),
        replace(usual, principal_minor=1),
        replace(usual, schedule=(replace(one, interest=-1), two)),
        replace(usual, schedule=(one, replace(two, due_on=one.due_on))),
        replace(
            usual, schedule=(replace(one, interest=0, principal=0), two), principal_minor=10000
        ),
        replace(usual, mandate=replace(usual.mandate, rail="other")),
    ):
        s.books.apply(wrong)
    return s


STORIES: dict[str, Callable[[], Scene]] = {
    story.__name__: story
    for story in (
        paid_on_time,
        declined_until_the_plan_is_spent,
        in_doubt,
        never_left,
        returned_after_closure,
        returned_in_part,
        transfers,
        lines_matched_by_hand,
        orders_of_a_person,
        edges_of_orders,
        cancelled_when_due,
        reminders_that_fail,
        late_proof,
        strangers,
        executed_twice,
        returns_that_are_the_first_news,
        returns_of_more_and_of_less,
        bare_returns,
        batches,
        contradictions,
        money_with_a_flaw,
        asked_without_progress,
        several_payees,
        what_limits_a_debit,
        brought_over,
        never_boarded,
    )
}


def lines_of(name: str) -> Iterator[str]:
    """The lines of a story between its docstring and what lacks for closure, books in order."""
    story = STORIES[name]
    yield story.__doc__ or ""
    books = story().books
    assert isinstance(books, RecordingBooks)
    invariants.check(books)
    yield from books.lines_written
    yield from books.lacks()


def main(names: list[str]) -> None:
    """Record the stories named, or all."""
    RECORDED.mkdir(exist_ok=True)
    for name in names or STORIES:
        text = "\n".join(lines_of(name)) + "\n"
        (RECORDED / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
