"""The comparison with the bank's log finds what is planted, and nothing where all went right."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from domain.audit import AuditReport, FindingKind, TruthFacts, compare
from domain.case.kinds import CaseKind
from domain.debit.attempt import Attempt, AttemptState
from domain.loan.aggregate import Installment
from domain.statement.statement import LineItem
from tests.support.auditbench import IN_ORDER, World, paid_and_closed

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
    report = world.compared()
    assert report.findings == ()
    assert report.clean
    said = report.as_dict()
    assert (said["reminders"], said["posts"], said["lost_payments"]) == (1, 1, 0)


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
    assert world.compared().findings == ()


# --- double debits -------------------------------------------------------------------------------


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
    report = compare(IN_ORDER, world.facts(), replace(truth, orders=(first, *truth.orders[1:])))
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
    report = compare(IN_ORDER, world.facts(), replace(truth, orders=(first, *truth.orders[1:])))
    assert report.count(FindingKind.DOUBLE_DEBIT) == 1


def test_a_second_order_after_a_final_outcome_is_no_double_debit(world: World) -> None:
    """One after the other is what retrying is."""
    truth = with_a_second_order(world, received=timedelta(hours=1))
    assert compare(IN_ORDER, world.facts(), truth).count(FindingKind.DOUBLE_DEBIT) == 0


def test_an_order_that_never_left_hides_nothing(world: World) -> None:
    """Where the bank never had the first order only the books can be compared."""
    truth = with_a_second_order(world, received=timedelta(hours=1))
    report = compare(IN_ORDER, world.facts(), replace(truth, orders=truth.orders[1:]))
    assert report.count(FindingKind.DOUBLE_DEBIT) == 0


def test_money_taken_twice_by_the_bank_and_booked_is_explained(world: World) -> None:
    """A second execution waits in suspense: both sides have it."""
    attempt = world.books.item().attempts[0]
    world.to(date(2026, 3, 17), 1)
    ref = world.execute(attempt, statement="S4")
    world.line(attempt.amount_minor, attempt.order_no, statement="S4", ref=ref)
    assert world.compared().findings == ()


# --- intents -------------------------------------------------------------------------------------


def test_an_order_that_nobody_intended_is_found(world: World) -> None:
    """The bank has what the books never wrote down before sending."""
    order = next(iter(world.orders.values()))
    world.orders["X"] = replace(order, order_no="X", executions=())
    assert kinds(world.compared()) == {FindingKind.NO_INTENT}


def test_an_order_with_another_amount_or_before_its_intent_is_found(world: World) -> None:
    """Intent first, and the same content: both are looked at."""
    order = next(iter(world.orders.values()))
    early = order.received_at - timedelta(minutes=1)
    world.orders[order.order_no] = replace(order, amount_minor=1, received_at=early)
    report = world.compared()
    assert kinds(report) == {FindingKind.NO_INTENT}
    assert len(report.findings) == 2


# --- payments ------------------------------------------------------------------------------------


def test_a_success_that_never_reached_the_books_is_a_lost_payment() -> None:
    """The bank took it, a statement shows it, and the books think that nothing was executed."""
    world, attempt = presented()
    world.execute(attempt)
    ended = world.books.at + timedelta(seconds=5)
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=ended)
    report = world.compared()
    assert report.count(FindingKind.LOST_PAYMENT) == 1
    assert report.unexplained_minor == attempt.amount_minor


def test_an_unknown_that_is_still_asked_about_is_not_lost() -> None:
    """Visibly open is not lost: the attempt is live in the books."""
    world, attempt = presented()
    world.execute(attempt, statement=None)
    assert world.compared().findings == ()


def test_money_that_no_statement_shows_yet_is_not_judged() -> None:
    """A movement that has not been on a statement, or on one that is late, cannot be known."""
    world, attempt = presented()
    world.execute(attempt, statement="LATE")
    world.statements = [
        replace(item, available_at=world.books.at + timedelta(days=3)) for item in world.statements
    ]
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=world.books.at)
    assert world.compared().findings == ()


def test_money_of_an_order_that_waits_by_its_line_with_a_case_is_not_lost() -> None:
    """An unexplained line holds it, and the case about the line says so."""
    world, attempt = presented()
    world.execute(attempt)
    first_attempt(world, state=AttemptState.NOT_EXECUTED, ended_at=world.books.at)
    world.line(attempt.amount_minor, None)
    assert world.compared().findings == ()


def test_money_that_only_the_books_have_is_unexplained() -> None:
    """A confirmation without an execution is money from nowhere."""
    world, attempt = presented()
    world.confirm(attempt, "BK-0")
    report = world.compared()
    assert kinds(report) == {FindingKind.UNEXPLAINED}
    assert report.unexplained_minor == attempt.amount_minor


def test_an_installment_closed_without_its_money_is_found(world: World) -> None:
    """Closed, and the order that paid it brought nothing that is still there."""
    attempt = world.books.item().attempts[0]
    world.move("BK-1", -attempt.amount_minor, attempt.order_no, "return", None)
    report = world.compared()
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
    assert {FindingKind.CLOSED_NOT_PAID, FindingKind.UNEXPLAINED} <= kinds(world.compared())
    item = LineItem(None, "M-L1", None, -attempt.amount_minor, return_reason="AM04")
    world.line(-attempt.amount_minor, None, statement="S2", name="2", items=(item,))
    assert {case.kind for case in world.books.cases.values()} >= {CaseKind.UNMATCHED_LINE}
    assert world.compared().findings == ()


def test_a_line_that_names_nobody_explains_no_return(world: World) -> None:
    """A debit line of the same day and amount waits, and its case is about no installment."""
    attempt = world.books.item().attempts[0]
    world.move("MV-1", -attempt.amount_minor, attempt.order_no, "return", "S2")
    world.line(-attempt.amount_minor, None, statement="S2", name="2")
    assert {FindingKind.CLOSED_NOT_PAID, FindingKind.UNEXPLAINED} <= kinds(world.compared())


# --- the bank's lines ----------------------------------------------------------------------------


def test_each_bank_movement_that_only_one_side_has_is_counted_by_itself(world: World) -> None:
    """Two differences of opposite sign do not cancel: item by item, both signs."""
    world.move("BK-S", 500, None, "credit", "S1")
    world.line(-500, None, name="9")
    world.books.cases.clear()
    report = world.compared()
    assert kinds(report) == {FindingKind.UNEXPLAINED}
    assert report.unexplained_minor == 500 + 500


def test_a_strangers_money_with_a_case_is_explained(world: World) -> None:
    """It waits in suspense, and a person has been asked."""
    world.move("BK-S", 500, None, "credit", "S5")
    world.line(500, None, statement="S5")
    assert world.compared().findings == ()


def test_a_batch_is_one_line_of_the_bank(world: World) -> None:
    """Movements that the bank books in one amount are compared as one."""
    for minor in (300, 200):
        world.move(f"BK-{minor}", minor, None, "credit", "S6")
    world.movements[-2:] = [replace(item, batch_ref="B1") for item in world.movements[-2:]]
    world.line(500, None, statement="S6")
    assert world.compared().findings == ()


# --- conduct -------------------------------------------------------------------------------------


def test_a_message_outside_the_allowed_hours_is_found(world: World) -> None:
    """What counts is when the provider took it, in the borrower's hours."""
    late = datetime.fromisoformat("2026-03-07T14:30:00+00:00")
    world.notices = [replace(item, received_at=late) for item in world.notices]
    report = world.compared()
    assert kinds(report) == {FindingKind.CONTACT}
    assert "22:30" in report.findings[0].text


def test_a_message_that_the_books_do_not_know_is_found(world: World) -> None:
    """Nothing is sent that the books did not order."""
    world.notices = [replace(item, message_id="stray") for item in world.notices]
    assert kinds(world.compared()) == {FindingKind.CONTACT}
