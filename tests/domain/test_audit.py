"""The audit finds what is planted, and nothing in a world in which all went right."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from domain.audit import AuditReport, BooksFacts, FindingKind, TruthFacts, audit
from domain.calendar import DayWindow
from domain.case.kinds import CaseKind
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import Installment
from domain.loan.lifecycle import State
from domain.pricing.amounts import Amounts
from domain.statement.statement import LineItem
from tests.support.auditbench import ACCOUNT, World, booking_day, paid_and_closed
from tests.support.doors import RecordPayment, Review, WithdrawPayment
from tests.support.memory import DRIVER, PRODUCT, TESTER, board

DUE = date(2026, 3, 10)


@pytest.fixture
def world() -> World:
    """Give a world in which one installment went from reminder to closure."""
    return paid_and_closed()


def presented() -> tuple[World, Attempt]:
    """Give a world in which a debit of the first installment is out."""
    world = World()
    world.board()
    world.to(DUE, 1, 30)
    world.roll(DUE)
    return world, world.intend()


def kinds(report: AuditReport) -> set[FindingKind]:
    """Give the kinds of what was found."""
    return {finding.kind for finding in report.findings}


def change(world: World, **fields: object) -> None:
    """Change the first installment behind the books' back."""
    loan = world.books.loans["L1"]
    first = replace(loan.installments[0], **fields)  # type: ignore[arg-type]
    world.put(replace(loan, installments=(first, *loan.installments[1:])))


def first_attempt(world: World, **fields: object) -> Attempt:
    """Change the first attempt behind the books' back; gives what it was before."""
    item: Installment = world.books.item()
    old = item.attempts[0]
    change(world, attempts=(replace(old, **fields), *item.attempts[1:]))  # type: ignore[arg-type]
    return old


def test_a_world_in_which_all_went_right_is_clean(world: World) -> None:
    """Nothing is found, and everything that happened is counted once."""
    report = world.audit()
    assert report.findings == ()
    assert report.clean
    said = report.as_dict()
    assert said["installments"] == {"CLOSED": 1, "SCHEDULED": 2}
    assert said["attempts"] == {"SUCCESS": 1}
    assert (said["receipts"], said["returns"], said["reminders"]) == (1, 0, 1)
    assert said["ledger"] == {
        "entries": world.entries,
        "postings": len(world.postings),
        "balanced": True,
        "chain_ok": True,
        "head": "0" * 64,
    }


def test_a_return_and_a_second_attempt_that_pays_are_clean() -> None:
    """Money that came, went back with a fee and came again is explained line by line."""
    world, attempt = presented()
    ref = world.execute(attempt)
    world.confirm(attempt, ref)
    world.to(date(2026, 3, 11), 1)
    world.line(attempt.amount_minor, attempt.order_no)
    world.to(date(2026, 3, 12), 1)
    world.returned(attempt, ref, attempt.amount_minor)
    world.move(ref, -attempt.amount_minor, attempt.order_no, "return", "S2")
    world.move(ref, -300, attempt.order_no, "fee", "S2")
    world.line(-attempt.amount_minor, attempt.order_no, statement="S2", fee=300)
    world.to(date(2026, 3, 13), 2)
    again = world.intend()
    world.confirm(again, world.execute(again, statement="S3"))
    world.line(again.amount_minor, again.order_no, statement="S3")
    report = world.audit()
    assert report.findings == ()
    assert (report.returns, report.closing) == (1, 1)
    assert report.attempts == {"RETURNED": 1, "SUCCESS": 1}


def test_a_payment_recorded_by_mistake_is_no_return() -> None:
    """It was taken back in the books alone: no money came, so none went back."""
    world, _ = presented()
    payment = RecordPayment(
        id="p", loan_id="L1", number=1, actor=TESTER, reason="said so", reference="T-1",
        amount_minor=5_000, currency="CNY", value_on=DUE,
    )  # fmt: skip
    world.apply(payment)
    world.apply(
        WithdrawPayment(
            id="w", loan_id="L1", number=1, actor=TESTER, reason="none came", reference="T-1"
        )
    )
    assert world.audit().returns == 0


# --- double debits -------------------------------------------------------------------------------


def test_an_intent_before_the_final_outcome_of_the_last_is_a_double_debit(world: World) -> None:
    """Two attempts that overlap in the books are found whatever came of them."""
    item = world.books.item()
    end = item.attempts[0].ended_at
    assert end is not None
    second = replace(
        item.attempts[0], number=2, order_no="N2", intended_at=end - timedelta(seconds=1)
    )
    change(world, attempts=(*item.attempts, second))
    assert world.audit().count(FindingKind.DOUBLE_DEBIT) == 1


def test_the_return_of_an_earlier_attempt_is_no_lack_of_its_final_outcome(world: World) -> None:
    """A partial debit, another for the rest, then the return of the first: one after the other."""
    item = world.books.item()
    first = item.attempts[0]
    assert first.ended_at is not None
    second = replace(first, number=2, order_no="N2", intended_at=first.ended_at)
    gone = replace(
        first, state=AttemptState.RETURNED, returned_at=second.intended_at + timedelta(days=3)
    )
    change(world, attempts=(gone, second))
    assert world.audit().count(FindingKind.DOUBLE_DEBIT) == 0


def with_a_second_order(world: World, *, received: timedelta) -> TruthFacts:
    """Add an attempt after the first, which the bank gets so long after the first's order."""
    item = world.books.item()
    first = item.attempts[0]
    assert first.ended_at is not None
    second = replace(first, number=2, order_no="N2", intended_at=first.ended_at)
    change(world, attempts=(first, second))
    order = world.orders[first.order_no]
    world.orders["N2"] = replace(
        order, order_no="N2", executions=(), received_at=order.received_at + received
    )
    return world.truth()


def test_an_order_sent_while_the_bank_has_no_final_outcome_yet_is_a_double_debit(
    world: World,
) -> None:
    """The books may think that the first order ended: what the bank had not decided counts."""
    truth = with_a_second_order(world, received=timedelta(hours=1))
    first = replace(truth.orders[0], final_status=None)
    report = audit(world.facts(), replace(truth, orders=(first, *truth.orders[1:])))
    texts = [f.text for f in report.findings if f.kind is FindingKind.DOUBLE_DEBIT]
    assert len(texts) == 1
    assert "at the bank" in texts[0]


def test_an_order_sent_before_the_first_was_executed_is_a_double_debit(world: World) -> None:
    """Executed later than the second order came: the second was sent too early."""
    truth = with_a_second_order(world, received=timedelta(hours=1))
    late = replace(
        truth.orders[0].executions[0],
        executed_at=truth.orders[1].received_at + timedelta(hours=1),
    )
    first = replace(truth.orders[0], executions=(late,))
    report = audit(world.facts(), replace(truth, orders=(first, *truth.orders[1:])))
    assert report.count(FindingKind.DOUBLE_DEBIT) == 1


def test_a_second_order_after_a_final_outcome_is_no_double_debit(world: World) -> None:
    """One after the other is what retrying is."""
    truth = with_a_second_order(world, received=timedelta(hours=1))
    assert audit(world.facts(), truth).count(FindingKind.DOUBLE_DEBIT) == 0


def test_an_order_that_never_left_hides_nothing(world: World) -> None:
    """Where the bank never had the first order only the books can be compared."""
    truth = with_a_second_order(world, received=timedelta(hours=1))
    report = audit(world.facts(), replace(truth, orders=truth.orders[1:]))
    assert report.count(FindingKind.DOUBLE_DEBIT) == 0


def test_money_taken_twice_by_the_bank_is_clean_with_a_case_and_found_without(
    world: World,
) -> None:
    """A second execution waits in suspense; only the case makes it an answer."""
    attempt = world.books.item().attempts[0]
    world.to(date(2026, 3, 17), 1)
    ref = world.execute(attempt, statement="S4")
    world.line(attempt.amount_minor, attempt.order_no, statement="S4", ref=ref)
    assert world.audit().findings == ()
    world.books.cases.clear()
    report = world.audit()
    assert kinds(report) == {FindingKind.DOUBLE_DEBIT}
    assert report.findings[0].minor == attempt.amount_minor


def test_allocating_more_than_was_charged_is_a_double_debit(world: World) -> None:
    """An owed account below zero says that somebody paid what was not due."""
    paid = next(p for p in world.postings if p.account.startswith("owed/") and p.minor < 0)
    world.postings.append(replace(paid, seq=99))
    assert FindingKind.DOUBLE_DEBIT in kinds(world.audit())


# --- intents -------------------------------------------------------------------------------------


def test_an_order_that_nobody_intended_is_found(world: World) -> None:
    """The bank has what the books never wrote down before sending."""
    order = next(iter(world.orders.values()))
    world.orders["X"] = replace(order, order_no="X", executions=())
    assert kinds(world.audit()) == {FindingKind.NO_INTENT}


def test_an_order_with_another_amount_or_before_its_intent_is_found(world: World) -> None:
    """Intent first, and the same content: both are looked at."""
    order = next(iter(world.orders.values()))
    early = order.received_at - timedelta(minutes=1)
    world.orders[order.order_no] = replace(order, amount_minor=1, received_at=early)
    report = world.audit()
    assert kinds(report) == {FindingKind.NO_INTENT}
    assert len(report.findings) == 2


# --- payments ------------------------------------------------------------------------------------


def test_a_success_that_never_reached_the_books_is_a_lost_payment() -> None:
    """The bank took it, a statement shows it, and the books think that nothing was executed."""
    world, attempt = presented()
    world.execute(attempt)
    ended = world.books.at + timedelta(seconds=5)
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=ended)
    report = world.audit()
    assert report.count(FindingKind.LOST_PAYMENT) == 1
    assert report.unexplained_minor == attempt.amount_minor


def test_an_unknown_that_is_still_asked_about_is_not_lost() -> None:
    """Visibly open is not lost: the attempt is live in the books."""
    world, attempt = presented()
    world.execute(attempt, statement=None)
    report = world.audit()
    assert report.findings == ()
    assert report.open_attempts == 1


def test_money_that_no_statement_shows_yet_is_not_judged() -> None:
    """A movement that has not been on a statement, or on one that is late, cannot be known."""
    world, attempt = presented()
    world.execute(attempt, statement="LATE")
    world.statements = [
        replace(item, available_at=world.books.at + timedelta(days=3)) for item in world.statements
    ]
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=world.books.at)
    assert world.audit().findings == ()


def test_money_of_an_order_that_waits_by_its_line_with_a_case_is_not_lost() -> None:
    """An unexplained line holds it, and the case about the line says so."""
    world, attempt = presented()
    world.execute(attempt)
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=world.books.at)
    world.line(attempt.amount_minor, None)
    assert world.audit().findings == ()


def test_money_that_only_the_books_have_is_unexplained() -> None:
    """A confirmation without an execution is money from nowhere."""
    world, attempt = presented()
    world.confirm(attempt, "BK-0")
    report = world.audit()
    assert kinds(report) == {FindingKind.UNEXPLAINED}
    assert report.unexplained_minor == attempt.amount_minor


def test_an_installment_closed_without_its_money_is_found(world: World) -> None:
    """Closed, and the order that paid it brought nothing that is still there."""
    attempt = world.books.item().attempts[0]
    world.move("BK-1", -attempt.amount_minor, attempt.order_no, "return", None)
    report = world.audit()
    assert kinds(report) == {FindingKind.CLOSED_NOT_PAID}


def test_a_return_that_waits_by_its_line_with_a_case_is_a_persons_task(world: World) -> None:
    """Two debits fit a line that names only the mandate: a case about each says so, in sight."""
    attempt = world.books.item().attempts[0]
    world.to(date(2026, 4, 10), 1, 30)
    world.roll(date(2026, 4, 10))
    second = world.intend(number=2)
    world.confirm(second, world.execute(second, statement="S2"))
    world.line(second.amount_minor, second.order_no, statement="S2")
    world.move("MV-1", -attempt.amount_minor, attempt.order_no, "return", "S2")
    assert {FindingKind.CLOSED_NOT_PAID, FindingKind.UNEXPLAINED} <= kinds(world.audit())
    item = LineItem(None, "M-L1", None, -attempt.amount_minor, return_reason="AM04")
    world.line(-attempt.amount_minor, None, statement="S2", name="2", items=(item,))
    assert {case.kind for case in world.books.cases.values()} >= {CaseKind.UNMATCHED_LINE}
    report = world.audit()
    assert report.findings == ()
    assert report.open_cases["unmatched_line"] >= 2


def test_a_line_that_names_nobody_explains_no_return(world: World) -> None:
    """A debit line of the same day and amount waits, and its case is about no installment."""
    attempt = world.books.item().attempts[0]
    world.move("MV-1", -attempt.amount_minor, attempt.order_no, "return", "S2")
    world.line(-attempt.amount_minor, None, statement="S2", name="2")
    assert {FindingKind.CLOSED_NOT_PAID, FindingKind.UNEXPLAINED} <= kinds(world.audit())


def test_an_installment_closed_and_still_owed_is_found() -> None:
    """The journal says what is owed, whatever the state says."""
    world = World()
    world.board()
    world.to(DUE, 1, 30)
    world.roll(DUE)
    change(world, state=State.CLOSED)
    assert kinds(world.audit()) == {FindingKind.CLOSED_NOT_PAID}


def test_an_installment_closed_and_never_charged_is_found() -> None:
    """Nothing owed because nothing was ever charged is not paid."""
    world = World()
    world.board()
    change(world, state=State.CLOSED)
    assert kinds(world.audit()) == {FindingKind.CLOSED_NOT_PAID}


def test_an_installment_closed_before_its_receipt_is_proven_is_found() -> None:
    """What is only reported does not close anything."""
    world, attempt = presented()
    world.confirm(attempt, world.execute(attempt, statement=None))
    change(world, state=State.CLOSED)
    assert kinds(world.audit()) == {FindingKind.CLOSED_NOT_PAID}


def test_an_installment_that_is_paid_and_does_not_close_in_time_is_found() -> None:
    """Within its time it is only counted; later it is a finding unless a case says so."""
    world, attempt = presented()
    world.confirm(attempt, world.execute(attempt))
    world.line(attempt.amount_minor, attempt.order_no)
    assert world.audit().closing == 1
    world.books.at += timedelta(days=60)
    report = world.audit()
    assert kinds(report) == {FindingKind.PAID_NOT_CLOSED}
    assert report.paid_not_closed == 1


def test_an_unproven_receipt_that_has_a_case_is_late_and_known() -> None:
    """The monitor counts it; the audit leaves it to the person who has the case."""
    world, attempt = presented()
    world.confirm(attempt, world.execute(attempt, statement=None))
    world.to(date(2026, 5, 8))
    view = world.books.view()
    assert view.next_action is not None
    world.apply(
        Review(id="review/1", actor=DRIVER, loan_id="L1", number=1, action=view.next_action.key)
    )
    report = world.audit()
    assert report.paid_not_closed == 1
    assert report.count(FindingKind.PAID_NOT_CLOSED) == 0


# --- the bank's lines ----------------------------------------------------------------------------


def test_each_bank_movement_that_only_one_side_has_is_counted_by_itself(world: World) -> None:
    """Two differences of opposite sign do not cancel: item by item, both signs."""
    world.move("BK-S", 500, None, "credit", "S1")
    world.line(-500, None, name="9")
    world.books.cases.clear()
    report = world.audit()
    assert kinds(report) == {FindingKind.UNEXPLAINED}
    assert report.unexplained_minor == 500 + 500 + 500


def test_a_strangers_money_with_a_case_is_explained(world: World) -> None:
    """It waits in suspense, and a person has been asked."""
    world.move("BK-S", 500, None, "credit", "S5")
    world.line(500, None, statement="S5")
    assert world.audit().findings == ()


def test_a_batch_is_one_line_of_the_bank(world: World) -> None:
    """Movements that the bank books in one amount are compared as one."""
    for minor in (300, 200):
        world.move(f"BK-{minor}", minor, None, "credit", "S6")
    world.movements[-2:] = [replace(item, batch_ref="B1") for item in world.movements[-2:]]
    world.line(500, None, statement="S6")
    assert world.audit().findings == ()


def test_a_suspense_line_without_a_bank_line_is_found(world: World) -> None:
    """Suspense about a line that was never booked is money from nowhere."""
    line = f"{ACCOUNT}/{booking_day('S7')}/1"
    at = world.books.at
    cash = replace(world.postings[0], seq=50, at=at, loan=None, number=None, component=None)
    world.postings += [
        replace(cash, account=f"suspense/line/{line}", minor=-700, line=line),
        replace(cash, account="rail_fees/simbank", minor=700, line=line),
    ]
    assert FindingKind.UNEXPLAINED in kinds(world.audit())


# --- the ledger by itself ------------------------------------------------------------------------


def test_an_entry_that_does_not_sum_to_zero_is_found(world: World) -> None:
    """One posting changed by a unit is enough."""
    world.postings[0] = replace(world.postings[0], minor=world.postings[0].minor + 1)
    report = world.audit()
    assert report.count(FindingKind.UNBALANCED) == 1
    assert not report.balanced


@pytest.mark.parametrize("field", ["owed", "forgiven", "written_off", "subrogated"])
def test_an_installment_that_differs_from_its_accounts_is_found(world: World, field: str) -> None:
    """Every amount of the aggregate is the balance of its account."""
    change(world, **{field: Amounts(interest=5)})
    assert FindingKind.ITEMS_DIFFER in kinds(world.audit())


@pytest.mark.parametrize(
    "fields",
    [
        {"settled_minor": 7},
        {"waiting_minor": 7},
        {"advance_minor": 7},
        {"proven_on": ((ACCOUNT, 7),)},
    ],
)
def test_a_receipt_that_differs_from_its_accounts_is_found(
    world: World, fields: dict[str, Any]
) -> None:
    """Clearing, suspense, advance and what is held are sums of their open receipts."""
    loan = world.books.loans["L1"]
    receipt = replace(loan.receipts[0], **fields)
    world.put(replace(loan, receipts=(receipt,)))
    assert FindingKind.ITEMS_DIFFER in kinds(world.audit())


def test_payable_that_is_not_what_was_collected_is_found(world: World) -> None:
    """Shares due to payees are what was allocated, less what lies with the payee already."""
    paid = next(p for p in world.postings if p.account.startswith("payable/"))
    world.postings.append(replace(paid, seq=70, minor=3))
    world.postings.append(replace(paid, seq=70, minor=-3, account="claim/funder-1"))
    report = world.audit()
    assert kinds(report) == {FindingKind.ITEMS_DIFFER, FindingKind.CLOSED_NOT_PAID}


def test_a_broken_chain_and_a_missing_posting_are_found(world: World) -> None:
    """What recomputing the hashes found is a finding, and so is a posting that was not counted."""
    facts = world.facts()
    broken = replace(facts.chain, faults=("item 3 has another hash",), postings=1)
    report = audit(replace(facts, chain=broken), world.truth())
    assert report.count(FindingKind.CHAIN) == 2
    assert not report.chain_ok


# --- conduct and limits --------------------------------------------------------------------------


def test_a_message_outside_the_allowed_hours_is_found(world: World) -> None:
    """What counts is when the provider took it, in the borrower's hours."""
    late = datetime.fromisoformat("2026-03-07T14:30:00+00:00")
    world.notices = [replace(item, received_at=late) for item in world.notices]
    report = world.audit()
    assert kinds(report) == {FindingKind.CONTACT}
    assert "22:30" in report.findings[0].text


def test_a_message_that_the_books_do_not_know_is_found(world: World) -> None:
    """Nothing is sent that the books did not order."""
    world.notices = [replace(item, message_id="stray") for item in world.notices]
    assert kinds(world.audit()) == {FindingKind.CONTACT}


def test_a_message_queued_after_the_payment_is_found(world: World) -> None:
    """No reminder once payment is known."""
    item = world.books.item()
    at = datetime.fromisoformat("2026-03-12T02:00:00+00:00")
    change(world, notices=tuple(replace(notice, queued_at=at) for notice in item.notices))
    assert kinds(world.audit()) == {FindingKind.CONTACT}


def failed(count: int, world: World, outcome_class: OutcomeClass = OutcomeClass.NSF) -> BooksFacts:
    """Give the books with so many declined attempts, a day apart."""
    item = world.books.item()
    first = item.attempts[0]
    day = timedelta(days=1)
    attempts = tuple(
        replace(
            first,
            number=n + 1,
            order_no=f"N{n}",
            state=AttemptState.DECLINED,
            outcome_class=outcome_class,
            intended_at=first.intended_at + n * day,
            ended_at=first.intended_at + n * day,
        )
        for n in range(count)
    )
    change(world, attempts=attempts)
    return world.facts()


def test_more_attempts_than_the_strictest_limit_are_found(world: World) -> None:
    """Product, mandate and rail each limit; the lowest counts."""
    facts = failed(4, world)
    assert audit(facts, TruthFacts()).count(FindingKind.ATTEMPTS) == 0
    loan = world.books.loans["L1"]
    world.put(replace(loan, mandate=replace(loan.mandate, attempts_max=3)))
    assert audit(world.facts(), TruthFacts()).count(FindingKind.ATTEMPTS) == 1


def test_attempts_before_an_operators_order_are_counted_apart(world: World) -> None:
    """A person may begin anew; a machine may not."""
    failed(5, world)
    assert world.audit().count(FindingKind.ATTEMPTS) == 1
    change(world, retries_reset_at=2)
    assert world.audit().count(FindingKind.ATTEMPTS) == 0


def test_an_attempt_after_a_hard_refusal_is_found(world: World) -> None:
    """A closed account is never debited again."""
    facts = failed(2, world, OutcomeClass.ACCOUNT)
    assert audit(facts, TruthFacts()).count(FindingKind.ATTEMPTS) == 1


def test_too_many_attempts_of_one_day_are_found_where_the_rail_is_known(world: World) -> None:
    """The rail's limit per day counts days of the rail."""
    failed(3, world)
    attempts = world.books.item().attempts
    at = attempts[0].intended_at
    change(world, attempts=tuple(replace(attempt, intended_at=at) for attempt in attempts))
    assert world.audit().count(FindingKind.ATTEMPTS) == 1
    unknown = replace(world.facts(), rails={})
    assert audit(unknown, TruthFacts()).count(FindingKind.ATTEMPTS) == 0


def test_attempts_that_gave_no_class_are_counted_by_their_state() -> None:
    """An attempt that never came to anything is no outcome of the rail."""
    world, _ = presented()
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=world.books.at)
    assert world.audit().attempts == {"NOT_EXECUTED": 1}


def test_a_prepaid_and_a_cancelled_installment_are_not_awaited() -> None:
    """Only what was paid and can still close is waited for."""
    world = World()
    window = replace(PRODUCT.reminders, allowed=DayWindow(time(0), time(23), "UTC"))
    world.board(board(product=replace(PRODUCT, reminders=window)))
    change(world, state=State.CANCELLED)
    report = world.audit()
    assert (report.closing, report.paid_not_closed) == (0, 0)
    assert report.clean
