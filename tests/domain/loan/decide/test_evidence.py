"""Evidence is taken in every state, and what does not fit becomes a case, never silence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.case.case import Resolution
from domain.debit.attempt import AttemptState
from domain.debit.outcome import Outcome, OutcomeClass
from domain.errors import IllegalTransition, InvariantBroken
from domain.loan.change import Change
from domain.loan.decide import decide
from domain.loan.decide.attempts import put_attempt
from domain.loan.decide.closing import close_out
from domain.loan.decide.money import place_waiting
from domain.loan.decide.outcomes import end_unpaid
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.statement.broken import StatementBreak
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    EndStatementBreak,
    RecordDeliveryReport,
    RecordOutcome,
    RecordPayment,
    RecordReturn,
    RecordStatementBreak,
    RecordUnparsedEvent,
    RecordUnsent,
    RollDay,
    Scope,
)
from tests.support.memory import TESTER, MemoryBooks, board, schedule
from tests.support.scene import ACCOUNT, Scene


def test_news_about_orders_that_nobody_sent_is_kept_as_cases() -> None:
    """Outcome, return and unsent of an unknown order: one case for each rail and order."""
    s = Scene.boarded()
    for change in (
        s.apply_outcome("X1", minor=5),
        s.returned("X1", 5),
        s.give(RecordUnsent, order_no="X1", sends=1),
        s.give(RollDay, loan_id="nobody", day=s.today),
    ):
        assert isinstance(change, Change)
        assert not change.loans
    assert {"unknown_order/simbank/X1", "unknown_order/-/X1"} <= s.books.cases.keys()


def test_same_or_weaker_news_has_no_effect() -> None:
    """After a final outcome: pending, unknown, the same refusal again."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    before = s.books.item()
    for outcome_class in (
        OutcomeClass.PENDING,
        OutcomeClass.TECH,
        OutcomeClass.NSF,
        OutcomeClass.NOT_FOUND,
    ):
        s.apply_outcome(order, outcome_class, source="webhook")
    assert s.books.item() == before


def test_not_found_counts_from_the_instant_of_asking_not_of_booking() -> None:
    """Asked inside the rail's window and booked after it (the books were away): still in doubt."""
    s = Scene.boarded()
    order = s.present()
    attempt = s.books.item().attempts[0]
    ends = attempt.send_until + s.books.rules.rails["simbank"].query_window
    s.books.at = ends + timedelta(hours=1)
    s.apply_outcome(
        order, OutcomeClass.NOT_FOUND, source="inquiry", asked_at=ends - timedelta(seconds=1)
    )
    assert s.state == "IN_DOUBT"
    assert s.books.item().live_attempt is not None
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry", asked_at=ends)
    assert s.books.item().attempts[0].state is AttemptState.NOT_EXECUTED


def test_the_instant_of_asking_is_no_part_of_what_an_outcome_is() -> None:
    """A repeated try of one command carries another instant and stays the same command."""
    said = Outcome(OutcomeClass.NOT_FOUND, "404")
    first = RecordOutcome(
        id="o1", actor=TESTER, rail="r", order_no="X1", outcome=said, source="inquiry"
    )
    asked = replace(first, asked_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert asked.identity() == first.identity()


def test_accepted_stays_presented_until_the_rail_is_late() -> None:
    """A final outcome is expected in its usual time; after it the installment is in doubt."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PENDING, batch_ref="batch-9")
    assert s.state == "PRESENTED"
    assert s.books.item().attempts[0].batch_ref == "batch-9"
    s.apply_outcome(order, OutcomeClass.TECH, source="inquiry")
    assert s.books.item().attempts[0].state is AttemptState.ACCEPTED
    s.books.at += timedelta(hours=5)
    s.apply_outcome(order, OutcomeClass.PENDING, source="inquiry")
    assert s.state == "IN_DOUBT"
    s.apply_outcome(order, OutcomeClass.TECH, source="inquiry")
    assert s.books.item().attempts[0].state is AttemptState.UNKNOWN


def test_not_found_proves_nothing_before_the_window_nor_from_a_webhook() -> None:
    """Only an inquiry after the rail's query window is evidence of no execution."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.state == "IN_DOUBT"
    s.books.at += timedelta(hours=2)
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="webhook")
    assert s.state == "IN_DOUBT"
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.state == "RETRYING"
    assert s.books.item().attempts[0].state is AttemptState.NOT_EXECUTED


def test_doubt_that_lasts_becomes_a_persons_task_and_never_a_final_outcome() -> None:
    """Inquiry after inquiry without an answer: visible, still asked, never declined by time."""
    s = Scene.boarded()
    order = s.present()
    for _ in range(8):
        s.books.at += timedelta(days=2)
        s.apply_outcome(order, OutcomeClass.TECH, source="inquiry")
    assert s.state == "IN_DOUBT"
    assert s.books.item().needs_operator
    assert s.books.view().next_action is not None
    s.apply_outcome(order, OutcomeClass.NSF, source="inquiry")
    assert s.books.item().needs_operator == ""


def test_a_code_that_no_table_holds_is_a_case_until_the_final_outcome() -> None:
    """Unmapped is never failed."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.UNKNOWN_CODE, code="ZZ")
    assert s.state == "IN_DOUBT"
    assert f"code/{order}" in s.books.cases
    s.apply_outcome(order, minor=10100, source="webhook")
    assert f"code/{order}" not in s.books.cases


@pytest.mark.parametrize("outcome_class", [OutcomeClass.NSF, OutcomeClass.NOT_FOUND])
def test_a_refusal_after_success_is_a_case_and_moves_no_money(outcome_class: OutcomeClass) -> None:
    """Declined after confirmed, also after it was returned: somebody has to ask."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    before = s.mark
    s.apply_outcome(order, outcome_class, source="webhook")
    assert f"contradiction/{order}" in s.books.cases
    assert s.posted(before) == []
    assert s.state == "CLEARING"


def test_success_again_with_another_amount_is_a_case_and_books_nothing() -> None:
    """One booking, two amounts: the books keep the first and say so."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B1")
    before = s.mark
    s.apply_outcome(order, minor=9000, source="webhook", bank_ref="B1")
    assert s.posted(before) == []
    assert f"amount/{order}" in s.books.cases


def test_a_defective_success_is_booked_and_looked_at() -> None:
    """The money is there; what else went wrong is a case."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.SUCCESS_DEFECTIVE, 10100)
    assert s.state == "CLEARING"
    assert f"defective/{order}" in s.books.cases


def test_success_after_a_return_under_another_booking_is_new_money() -> None:
    """The rail executed once more after the return: it pays, with a case."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B1")
    s.returned(order, 10100, bank_ref="B1")
    s.apply_outcome(order, minor=10100, source="webhook", bank_ref="B1")
    assert s.books.item().owed.total == 10100, "the same booking again is no news"
    s.apply_outcome(order, minor=10100, source="webhook", bank_ref="B2")
    assert s.books.item().owed.total == 0
    assert f"double_execution/R-{order}#2" in s.books.cases


def test_a_return_of_more_than_was_taken_takes_back_what_there_is_and_is_a_case() -> None:
    """Never more than the payment holds, and never silently less than was said."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order)
    s.returned(order, 11100)
    assert s.books.item().owed.total == 10100
    assert s.books.cases[f"return/{order}/"].amount_minor == 1000
    s.returned(order, 11100)
    invariants.check(s.books)


def test_a_return_of_a_refused_order_says_that_it_was_executed() -> None:
    """Executed and taken back without any other news: two legs to be proven, owed as before."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    s.returned(order, 10100, bank_ref="B1")
    assert s.books.item().owed.total == 10100
    assert s.portion(f"R-{order}").returned_minor == 10100
    s.settle()
    assert s.portion(f"R-{order}").is_proven


def test_the_same_return_under_two_names_is_one() -> None:
    """First without the bank's reference, then with it."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.returned(order, 10100)
    before = s.mark
    s.returned(order, 10100, bank_ref="B1")
    assert s.posted(before) == []
    assert not any(key.startswith("return/") for key in s.books.cases)


def test_a_hard_return_ends_in_delinquency() -> None:
    """A disputed debit is not tried again."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.returned(order, 10100, OutcomeClass.DISPUTE, code="MD06")
    assert s.state == "DELINQUENT"


@pytest.mark.parametrize("code", ["AM04", "MD06"])
def test_the_reason_on_a_return_line_decides_what_follows(code: str) -> None:
    """No funds may be tried again; any other reason may not."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.credit(order, 10100)
    s.return_line(order, 10100, code=code)
    assert s.state == ("RETRYING" if code == "AM04" else "DELINQUENT")


def test_a_line_in_another_currency_proves_nothing() -> None:
    """It waits in suspense: of an order, of a transfer, of a return."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    transfer = s.pay(500)
    for item in (
        LineItem(order, None, None, 10100),
        LineItem(transfer, None, None, 500),
        LineItem(order, None, None, -10100),
        LineItem(None, "M-L1", None, -10100),
        LineItem(None, None, None, -10100),
    ):
        s.line(item, currency="EUR")
    assert not any(line.matches for line in s.books.lines.values())
    assert s.state == "CLEARING"
    cases = [case for case in s.books.cases.values() if case.line]
    assert {case.kind.value for case in cases} == {"other_currency"}
    assert [case.loan_id for case in cases] == ["L1", "L1", "L1", "L1", None]


def test_a_return_line_in_another_currency_does_not_end_a_live_order() -> None:
    """It names our order, and is not about our money."""
    s = Scene.boarded()
    order = s.present()
    s.line(LineItem(order, None, None, -10100), currency="EUR")
    assert s.books.item().live_attempt is not None


def test_a_transfer_is_proven_by_its_line_and_not_twice() -> None:
    """A second line of the same reference waits in suspense with a case."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    transfer = s.pay(10100)
    s.credit(transfer, 10100)
    assert s.state == "SETTLED"
    s.credit(transfer, 10100)
    line = list(s.books.lines.values())[-1]
    assert line.open_minor == 10100
    s.credit(transfer, 0)


def test_more_on_the_line_than_was_reported_raises_the_payment() -> None:
    """60 reported, 100 booked: all of it is this order's money, and pays its installment."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PARTIAL, 6000)
    s.credit(order, 10000)
    line = list(s.books.lines.values())[-1]
    assert (line.open_minor, [m.payment for m in line.matches]) == (0, [f"R-{order}"])
    assert s.books.item().owed.total == 100


def test_a_line_that_is_known_is_not_booked_again() -> None:
    """Also when it reaches the decision itself."""
    s = Scene.boarded()
    order = s.present()
    s.credit(order, 10100)
    s.books.said.clear()
    before = s.mark
    s.line(LineItem(order, None, None, 10100), id=next(iter(s.books.lines)))
    assert s.posted(before) == []


def test_a_batch_booked_before_any_final_outcome_confirms_and_settles_its_orders() -> None:
    """Count and sum agree with the orders in the batch: that is their final outcome."""
    s = Scene.boarded()
    s.books.apply(board("L2"))
    orders = [s.present(1), s.present(1, loan="L2")]
    for order in orders:
        s.apply_outcome(order, OutcomeClass.PENDING, batch_ref="batch-1")
    s.line(minor=20200, batch_ref="batch-1", batch_count=2)
    assert [s.books.item(1, loan).state for loan in ("L1", "L2")] == [State.SETTLED] * 2
    invariants.check(s.books)


def test_a_batch_that_does_not_add_up_waits_whole() -> None:
    """Another count or sum: nothing is guessed; settled members do not count twice."""
    s = Scene.boarded()
    first = s.present(1)
    s.apply_outcome(first, minor=10100, batch_ref="batch-1")
    s.apply_outcome(s.present(2), OutcomeClass.NSF, batch_ref="batch-1")
    s.apply_outcome(s.present(3), OutcomeClass.NSF, batch_ref="batch-2")
    s.line(minor=10100, batch_ref="batch-1", batch_count=2)
    s.line(minor=9999, batch_ref="batch-1")
    s.line(minor=9999, batch_ref="batch-7")
    assert [line.open_minor for line in s.books.lines.values()] == [10100, 9999, 9999]
    s.line(minor=10100, batch_ref="batch-1", batch_count=1)
    assert s.portion(f"R-{first}").is_proven
    s.line(minor=10100, batch_ref="batch-1", batch_count=1)
    assert list(s.books.lines.values())[-1].open_minor == 10100


def test_money_at_an_account_of_the_bank_is_moved_by_lines_only() -> None:
    """Bank balance is the sum of booked lines, whatever they explain."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.credit(order, 10100, fee=100)
    s.line(LineItem("?", None, None, 77), minor=77)
    assert s.balances[f"bank/{ACCOUNT}"] == 10077


def test_a_recalled_order_leaves_the_installment_due() -> None:
    """The rail agreed that it was not executed: presented again at the next slot."""
    s = Scene.boarded()
    order = s.present()
    work = Work(s.books._aggregates(), close_out=close_out)
    attempt = work.item("L1", 1).attempts[0]
    recalled = replace(
        attempt,
        state=AttemptState.RECALLED,
        outcome_class=OutcomeClass.NOT_FOUND,
        ended_at=s.books.at,
    )
    end_unpaid(work, "L1", 1, recalled)
    assert work.item("L1", 1).state is State.DUE
    assert work.view("L1", 1).next_action is not None
    assert order


def test_an_attempt_moves_only_along_its_table() -> None:
    """A refused attempt does not become live again, whoever asks."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    work = Work(s.books._aggregates(), close_out=close_out)
    again = replace(work.item("L1", 1).attempts[0], state=AttemptState.ACCEPTED)
    with pytest.raises(IllegalTransition):
        put_attempt(work, "L1", 1, again)


def test_money_that_cannot_come_to_rest_is_a_broken_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loop that must end says so when it does not."""
    s = Scene.boarded()
    s.pay(100, value_on=s.today)
    work = Work(s.books._aggregates(), close_out=close_out)

    def restless(work: Work, loan_id: str, _portion: str) -> None:
        work.put_loan(replace(work.loan(loan_id)))

    monkeypatch.setattr("domain.loan.decide.money._place", restless)
    with pytest.raises(InvariantBroken, match="rest"):
        place_waiting(work, "L1")


def test_a_portion_that_is_not_there_is_a_fault_of_ours() -> None:
    """Asked by name only after it was found."""
    s = Scene.boarded()
    with pytest.raises(InvariantBroken):
        Work(s.books._aggregates(), close_out=close_out).portion("L1", "nobody")


def test_a_notice_message_that_has_gone_from_its_loan_changes_nothing() -> None:
    """The index knows the message and the loan does not: no effect, no error."""
    s = Scene.boarded()
    aggregates = replace(s.books._aggregates(), messages={"N-gone": "L1"})
    command = RecordDeliveryReport(id="n", actor=TESTER, message_id="N-gone", delivered=True)
    change = decide(aggregates, command)
    assert isinstance(change, Change)
    assert not change.loans


def test_boarding_says_which_rule_a_schedule_breaks() -> None:
    """Each rule has its name; a loan is boarded once."""
    good = schedule()
    broken = {
        "schedule.numbers": good[1:],
        "schedule.principal": (replace(good[0], principal=9999), *good[1:]),
        "schedule.negative": (replace(good[0], interest=-1), *good[1:]),
        "schedule.empty": (
            replace(good[0], principal=0, interest=0),
            replace(good[1], principal=20000),
            good[2],
        ),
        "schedule.order": (replace(good[0], due_on=good[2].due_on), *good[1:]),
        "schedule.before_disbursement": (replace(good[0], due_on=date(2026, 2, 9)), *good[1:]),
    }
    for expected, lines in broken.items():
        command = replace(board(lines=good), schedule=lines)
        answer = MemoryBooks().apply(command)
        assert getattr(answer, "rule", "") == expected
    other = replace(board(), currency="EUR")
    assert getattr(MemoryBooks().apply(other), "rule", "") == "loan.currency"
    mandate = replace(board().mandate, rail="sepa")
    assert getattr(MemoryBooks().apply(board(mandate=mandate)), "rule", "") == "mandate.rail"
    s = Scene.boarded()
    assert getattr(s.books.apply(replace(board(), id="b2")), "rule", "") == "loan.known"


def test_a_part_of_a_debit_comes_back_component_by_component() -> None:
    """0.50 of 101.00: the newest allocation first, the rest stays paid."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B1")
    s.returned(order, 50, bank_ref="B1")
    assert s.books.item().owed.total == 50
    assert sum(part.minor for part in s.portion(f"R-{order}").allocations) == 10050
    s.return_line(order, 50, tx="B1")
    s.return_line(order, 10000, tx="B1")
    assert s.books.item().owed.total == 10050
    invariants.check(s.books)


def test_a_return_of_nothing_moves_nothing() -> None:
    """An amount of zero is no return."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    before = s.mark
    s.returned(order, 0)
    assert s.posted(before) == []


def test_a_return_reported_by_two_services_of_one_rail_is_known_by_its_booking() -> None:
    """The same booking under another rail's name: already gone."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B1")
    s.returned(order, 10100, bank_ref="B1")
    before = s.mark
    s.give(
        RecordReturn,
        rail="simbank-2",
        order_no=order,
        bank_ref="B1",
        amount_minor=10100,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=s.today,
    )
    assert s.posted(before) == []


def test_a_line_without_any_reference_waits() -> None:
    """No item, no batch: suspense and a case."""
    s = Scene.boarded()
    s.line(minor=123)
    assert next(iter(s.books.lines.values())).open_minor == 123


def test_a_line_that_comes_again_with_another_amount_is_a_case_and_books_nothing() -> None:
    """A bank issues a statement anew under its old id: the first booking stands, a person looks."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.line(LineItem(order, None, None, 10100), id="A/S/1")
    s.line(LineItem(order, None, None, 10100), id="A/S/1")
    assert not [case for case in s.books.cases.values() if case.kind == "line_contradiction"]
    before = s.mark
    s.line(LineItem(order, None, None, 9100), id="A/S/1")
    s.line(LineItem(order, None, None, 9100), id="A/S/1")
    found = [case for case in s.books.cases.values() if case.kind == "line_contradiction"]
    assert [(case.line, case.amount_minor) for case in found] == [("A/S/1", 9100)]
    assert s.mark == before


def test_a_report_that_nobody_can_read_is_a_case() -> None:
    """The rail takes our 200 for kept and will not say it again: a person has to ask."""
    s = Scene.boarded()

    s.give(RecordUnparsedEvent, rail="simbank", event_id="e-7", type="order.tickled")

    assert s.books.cases["unparsed/simbank/e-7"].kind == "unparsed_event"
    assert s.books.entries == []


def test_a_statement_file_or_line_that_was_not_taken_is_a_case() -> None:
    """Nothing is posted and nothing is lost: a person sees what it was, once."""
    s = Scene.boarded()
    for _ in range(2):
        s.give(
            RecordStatementBreak,
            what=StatementBreak.LINE_FAILED,
            subject="A/2026-01-05/SR-1",
            text="line A/2026-01-05/SR-1 was not booked",
        )
    case = s.books.cases["line_failed/A/2026-01-05/SR-1"]
    assert (case.kind, case.text) == ("line_failed", "line A/2026-01-05/SR-1 was not booked")
    assert s.books.entries == []


def test_what_a_statement_lacked_ends_its_case() -> None:
    """The case tells what came; one that is not there, or has ended, is left as it is."""
    s = Scene.boarded()
    about: dict[str, Any] = {"what": StatementBreak.GAP, "subject": "A/S3/"}
    s.give(EndStatementBreak, text="nothing was open", **about)
    assert s.books.cases == {}
    s.give(RecordStatementBreak, text="number 2 lacks", **about)
    assert list(s.books.cases) == ["statement_gap/A/S3/"]
    for _ in range(2):
        s.give(EndStatementBreak, text="2 has come", **about)
    assert s.books.cases == {}
    assert s.books.resolved["statement_gap/A/S3/"].resolution is Resolution.CLEARED
    end = EndStatementBreak(id="e", actor=TESTER, text="2 has come", **about)
    assert end.scope() == Scope(cases=("statement_gap/A/S3/",))


def test_a_payment_names_the_loan_and_its_reference() -> None:
    """All are looked up and locked: one transfer is one loan's, and its line may have come."""
    command = RecordPayment(
        id="p",
        actor=TESTER,
        reason="a test",
        loan_id="L1",
        number=1,
        reference="T-1",
        amount_minor=1,
        currency="CNY",
        value_on=date(2026, 3, 2),
    )

    assert command.scope() == Scope(loans=("L1",), payments=("T-1",), waiting=("T-1",))
