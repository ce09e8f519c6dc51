"""Loans in progress by the rows of their history: payments, debits and what else was done."""

from datetime import date
from pathlib import Path

from adapters.tapes.report.openingtotals import opening_totals
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.opening import OpeningAttempt, OpeningItem, OpeningPart, OpeningPayment
from domain.pricing.amounts import Amounts
from tests.support.progresstapes import (
    LOAN,
    PAID,
    PAID_ROWS,
    Read,
    event,
    opening_of,
    read_openings,
)


def test_a_history_and_a_row_that_say_the_same_are_the_same_loan(
    read: Read, tmp_path: Path
) -> None:
    """Days are not stated in either, so neither says when its money came."""
    by_history = read(*reversed(PAID_ROWS))
    by_row = read_openings(tmp_path, PAID)
    both = read(*PAID_ROWS, row={"paid_through": "2026-05-10", "paid_interest": "42.00"})
    identities = {report.rows[0].identity() for report in (by_history, by_row, both)}
    assert len(identities) == 1
    assert by_history.fault_count == 0


def test_money_is_placed_by_installment_component_and_day(read: Read) -> None:
    """One transfer of March paid the second and a part of the third; the order of rows is free."""
    said = read(
        event("paid", 3, on="2026-03-12", principal="50", reference="R 7"),
        event("paid", 1, on="2026-02-10", principal="100", interest="12.40"),
        event("paid", 2, on="2026-03-12", principal="100", interest="10.27", reference="R 7"),
        event("paid", 3, on="2026-03-12", interest="1", reference="R 7"),
    )
    assert opening_of(said).payments == (
        OpeningPayment(
            on=date(2026, 2, 10),
            parts=(OpeningPart(number=1, amounts=Amounts(10_000, 1_240)),),
        ),
        OpeningPayment(
            on=date(2026, 3, 12),
            reference="R 7",
            parts=(
                OpeningPart(number=2, amounts=Amounts(10_000, 1_027)),
                OpeningPart(number=3, amounts=Amounts(5_000, 100)),
            ),
        ),
    )


def test_debits_keep_number_day_mandate_outcome_and_the_class_of_their_code(read: Read) -> None:
    """Codes of answers and reasons of returns have lists of their own; others are unknown."""
    tried = {"amount": "112.40", "on": "2026-02-10"}
    late = {"amount": "110.33", "on": "2026-04-10"}
    said = read(
        event("attempt", 1, order_no="A1", outcome="declined", code="64", **tried),
        event("attempt", 1, order_no="A2", outcome="declined", code="ZZ9", **tried),
        event("attempt", 1, order_no="A3", outcome="confirmed", code="00", **tried),
        event("paid", 1, on="2026-02-10", order_no="A3", principal="100", interest="12.40"),
        event("attempt", 2, order_no="A4", outcome="returned", code="AM04", **late),
        event("attempt", 2, order_no="A5", outcome="declined", **late),
        event("attempt", 2, order_no="A6", outcome="returned", **late),
        event("attempt", 2, order_no="A7", outcome="not_executed", **late, mandate_ref="MD-OLD"),
        event("attempt", 3, order_no="A8", outcome="pending", amount="5", on="2026-05-22"),
    )
    found = {attempt.order_no: attempt for attempt in opening_of(said).attempts}
    assert list(found) == ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"]
    assert found["A1"] == OpeningAttempt(
        number=1,
        order_no="A1",
        mandate_ref="MD-L-1",
        value_on=date(2026, 2, 10),
        amount_minor=11_240,
        state=AttemptState.DECLINED,
        outcome_class=OutcomeClass.NSF,
        code="64",
    )
    classes = {name: attempt.outcome_class for name, attempt in found.items()}
    assert classes == {
        "A1": OutcomeClass.NSF,
        "A2": OutcomeClass.UNKNOWN_CODE,
        "A3": None,
        "A4": OutcomeClass.NSF,
        "A5": OutcomeClass.DECLINED,
        "A6": OutcomeClass.LATE_RETURN,
        "A7": None,
        "A8": None,
    }
    assert found["A3"].state is AttemptState.CONFIRMED
    assert (found["A7"].state, found["A7"].mandate_ref) == (AttemptState.NOT_EXECUTED, "MD-OLD")
    assert (found["A8"].state, found["A8"].value_on) == (AttemptState.ACCEPTED, date(2026, 5, 22))
    assert opening_of(said).payments[0].order_no == "A3"


def test_codes_mean_nothing_where_no_table_is_given(tmp_path: Path) -> None:
    """The reader guesses no class."""
    row = event(
        "attempt", amount="1", on="2026-02-10", order_no="A1", outcome="declined", code="64"
    )
    (command,) = read_openings(tmp_path, LOAN, history=[row]).rows
    assert command.opening is not None
    assert command.opening.attempts[0].outcome_class is OutcomeClass.UNKNOWN_CODE


def test_penalty_waivers_and_write_offs_stand_by_installment(read: Read) -> None:
    """Of 3.00 charged on the first 1.00 is paid; the rest of the third was written off in May."""
    said = read(
        *PAID_ROWS[:2],
        event("paid", 1, penalty="1"),
        event("penalty", 1, penalty="3"),
        event("waived", 1, on="2026-03-01", penalty="2"),
        event("waived", 3, interest="10.33"),
        event("written_off", 3, on="2026-05-01"),
        event("paid", 4, penalty="0.50"),
        row={"written_off_principal": "100", "balance": "900", "penalty_accrued": "0"},
    )
    assert opening_of(said).items == (
        OpeningItem(number=1, charged=Amounts(penalty=300), waived=Amounts(penalty=200)),
        OpeningItem(number=3, waived=Amounts(interest=1_033), written_off_on=date(2026, 5, 1)),
        OpeningItem(number=4, charged=Amounts(penalty=50)),
    )


def test_fees_costs_and_cancelled_installments_stand_by_installment(read: Read) -> None:
    """A fee of 2.00 was paid, a cost of 5.00 is owed, and the twelfth is never collected."""
    said = read(
        event("charged", 1, on="2026-03-01", fee="2"),
        event("charged", 1, cost="5"),
        event("paid", 1, fee="2"),
        event("cancelled", 12),
        row={"balance": "1100", "paid_fee": "2"},
    )
    assert opening_of(said).items == (
        OpeningItem(number=1, charged=Amounts(fee=200, cost=500)),
        OpeningItem(number=12, is_cancelled=True),
    )
    (totals,) = opening_totals(said.rows)
    assert (totals.sums.owed.principal, totals.sums.paid.fee) == (110_000, 200)


def test_a_class_that_is_given_wins_over_the_table(read: Read) -> None:
    """The former system knows more of its debit than a code says; also of one that succeeded."""
    tried = {"amount": "5", "on": "2026-02-10"}
    said = read(
        event("attempt", 1, order_no="A1", outcome="declined", outcome_class="DECEASED", **tried),
        event("attempt", 1, order_no="A2", outcome="unknown", outcome_class="TECH", **tried),
        event("attempt", 2, order_no="A3", outcome="confirmed", outcome_class="SUCCESS", **tried),
    )
    assert [attempt.outcome_class for attempt in opening_of(said).attempts] == [
        OutcomeClass.DECEASED,
        OutcomeClass.TECH,
        OutcomeClass.SUCCESS,
    ]


def test_a_row_of_sums_may_have_a_history_of_debits_alone(read: Read) -> None:
    """What the sums say stands; the attempts count for the limits of the scheme."""
    tried = event("attempt", 5, on="2026-05-19", amount="5", order_no="A1", outcome="pending")
    said = opening_of(read(tried, row={"paid_through": "2026-05-10"}))
    assert len(said.payments[0].parts) == 4
    assert [attempt.number for attempt in said.attempts] == [5]
