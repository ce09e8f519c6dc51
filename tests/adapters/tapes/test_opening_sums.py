"""Loans in progress by the sums of their row: exact, or refused by field, value and rule."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.files.rows import Row
from adapters.tapes.loan.loans import BoardingRules, Shift, loan_of
from adapters.tapes.report.openingtotals import opening_totals
from domain.errors import InvalidInput
from domain.loan.boarding import BoardLoan
from domain.loan.debthistory import DebtSums
from domain.loan.opening import Opening, OpeningItem
from domain.money import decimal_text
from domain.pricing import schedule
from domain.pricing.amounts import Amounts
from tests.support.progresstapes import LOAN, NEW, PAID, PRODUCTS, ROOT, read_openings

RULES = BoardingRules(CANONICAL_MAP, PRODUCTS, load_calendar)
BALANCE = {**PAID, "paid_principal": "600", "paid_interest": "42", "balance": "600"}
LOST = {
    **PAID,
    "paid_principal": "400",
    "paid_interest": "42",
    "balance": "0",
    "written_off_on": "2026-05-18",
    "written_off_principal": "800",
    "written_off_interest": "8.27",
}


def brought(values: dict[str, str], rules: BoardingRules = RULES) -> tuple[BoardLoan, Opening]:
    """The command of one row, and its opening."""
    row = {"borrower": "b", "mandate_ref": "M-1", "account_token": "a", **values}
    command = loan_of(Row(2, row, row), 0, rules).command
    assert command.opening is not None
    return command, command.opening


def test_installments_that_are_paid_through_were_paid_as_scheduled() -> None:
    """No sum is given: what was paid is what the rows ask for; the date is that of the terms.

    The fourth installment falls due on Monday, 11 May, as the 10th is a Sunday.
    """
    command, opening = brought(dict(PAID))
    (payment,) = opening.payments
    assert payment.on is None
    assert [part.number for part in payment.parts] == [1, 2, 3, 4]
    assert payment.parts[3].amounts == Amounts(principal=10_000, interest=900)
    assert command.schedule[3].due_on == date(2026, 5, 11)
    assert (opening.items, opening.attempts, opening.advance_minor) == ((), (), 0)
    assert (opening.as_of, opening.holder) == (date(2026, 5, 20), "old-bank")
    stated = {"paid_principal": "400.00", "paid_interest": "42", "paid_fee": "0"}
    assert brought({**PAID, **stated})[0].identity() == command.identity()
    assert brought({**PAID, "next_due_on": "2026-06-10"})[0].identity() == command.identity()
    assert brought({**PAID, "paid_through": "2026-05-11"})[0].identity() == command.identity()


def test_nothing_is_paid_through_unless_the_row_says_so() -> None:
    """A loan in progress may have been paid nothing at all."""
    _, opening = brought(dict(LOAN))
    assert (opening.payments, opening.items) == ((), ())


def test_what_was_forgiven_stands_in_the_last_of_the_closed_rows() -> None:
    """Money fills them in their order; 15.00 of 42.00 was waived: 9.00 of April, 6.00 of March."""
    _, opening = brought({**PAID, "waived_interest": "15"})
    assert opening.items == (
        OpeningItem(number=3, waived=Amounts(interest=600)),
        OpeningItem(number=4, waived=Amounts(interest=900)),
    )
    parts = {part.number: part.amounts for part in opening.payments[0].parts}
    assert parts[3] == Amounts(principal=10_000, interest=433)
    assert parts[4] == Amounts(principal=10_000)


def test_penalty_that_is_settled_stands_on_the_last_closed_row_and_accrued_on_the_overdue() -> None:
    """Paid 2.00 and waived 1.00 were charged on the fourth; the fifth owes 0.40 since 10 June."""
    values = {
        **PAID,
        "as_of": "2026-06-20",
        "paid_penalty": "2",
        "waived_penalty": "1",
        "penalty_accrued": "0.4",
    }
    _, opening = brought(values)
    assert opening.items == (
        OpeningItem(number=4, charged=Amounts(penalty=300), waived=Amounts(penalty=100)),
        OpeningItem(number=5, charged=Amounts(penalty=40)),
    )
    assert opening.payments[0].parts[3].amounts.penalty == 200


def test_closed_rows_stand_for_what_was_charged_where_the_balance_is_stated() -> None:
    """200.00 more than scheduled were repaid: they stand in the fourth row, and 600.00 follow."""
    command, opening = brought(BALANCE)
    assert [line.principal for line in command.schedule[:4]] == [10_000, 10_000, 10_000, 30_000]
    assert [line.principal for line in command.schedule[4:]] == [7_500] * 8
    assert [line.interest for line in command.schedule[:5]] == [1240, 1027, 1033, 900, 620]
    assert command.schedule[4].due_on == date(2026, 6, 10)
    schedule.check(command.schedule, 120_000)
    (payment,) = opening.payments
    assert sum(part.amounts.total for part in payment.parts) == 64_200


def test_a_stated_balance_of_a_loan_on_schedule_changes_nothing() -> None:
    """Both ways of a row say the same of it: it has one identity."""
    same = {**PAID, "paid_principal": "400", "paid_interest": "42", "balance": "800"}
    assert brought(same)[0].identity() == brought(dict(PAID))[0].identity()
    nothing = {**LOAN, "balance": "1200"}
    assert brought(nothing)[0].identity() == brought(dict(LOAN))[0].identity()


def test_the_next_due_date_of_what_is_outstanding_may_be_another_one() -> None:
    """It falls due on the 20th from now on."""
    command, _ = brought({**BALANCE, "next_due_on": "2026-06-20"})
    assert [line.due_on.day for line in command.schedule[5:7]] == [20, 20]
    usual, _ = brought({**BALANCE, "next_due_on": "2026-06-10"})
    assert usual.identity() == brought(BALANCE)[0].identity()


def test_a_loan_that_was_paid_off_early_has_no_rows_to_come() -> None:
    """Four of twelve rows, the last with all that was left; it ends there."""
    values = {**PAID, "paid_principal": "1200", "paid_interest": "42", "balance": "0"}
    command, opening = brought(values)
    assert [line.principal for line in command.schedule] == [10_000, 10_000, 10_000, 90_000]
    assert opening.items == ()


def test_what_was_written_off_is_one_row_due_on_the_day_of_it() -> None:
    """The rest of the principal with the interest and penalty that were lost with it."""
    command, opening = brought({**LOST, "written_off_penalty": "1.5"})
    last = command.schedule[-1]
    assert (last.number, last.due_on) == (5, date(2026, 5, 18))
    assert (last.principal, last.interest, last.balance) == (80_000, 827, 0)
    assert opening.items == (
        OpeningItem(number=5, charged=Amounts(penalty=150), written_off_on=date(2026, 5, 18)),
    )
    schedule.check(command.schedule, 120_000)


def test_a_loan_may_be_written_off_years_after_its_last_payment(tmp_path: Path) -> None:
    """The day of the write-off is no due date, so it is not taken for a typing error."""
    values = {**LOST, "as_of": "2029-01-20", "written_off_on": "2029-01-18"}
    assert read_openings(tmp_path, values).fault_count == 0


def test_a_bullet_is_paid_or_outstanding_as_a_whole(tmp_path: Path) -> None:
    """Its one row is due a year after the lending: open with its principal, or paid through."""
    text = (ROOT / "examples" / "products" / "cn-business.toml").read_text(encoding="utf-8")
    product = tmp_path / "bullet.toml"
    product.write_text(text.replace('"equal-principal"', '"bullet"'), encoding="utf-8")
    rules = replace(RULES, products=read_products(product))
    whole, _ = brought({**LOAN, "balance": "1200", "next_due_on": "2027-01-10"}, rules)
    assert [(line.principal, line.due_on) for line in whole.schedule] == [
        (120_000, date(2027, 1, 11))
    ]
    early = {**LOAN, "paid_through": "2027-01-11", "paid_interest": "10"}
    paid, _ = brought({**early, "paid_principal": "1200", "balance": "0"}, rules)
    assert [line.total for line in paid.schedule] == [121_000]
    with pytest.raises(InvalidInput, match="zero: all 1 installments are paid through"):
        brought({**early, "paid_principal": "1100", "balance": "100"}, rules)
    with pytest.raises(InvalidInput, match="2027-01-10, when installment 1 falls due"):
        brought({**LOAN, "balance": "1200", "next_due_on": "2026-02-10"}, rules)


def test_the_mandate_of_a_loan_in_progress_may_be_older_than_the_loan_and_have_ended() -> None:
    """The borrower signed it for an earlier loan, and the bank ended it before the cut-over."""
    dates = {"mandate_valid_from": "2025-03-01", "mandate_ended_on": "2026-05-01"}
    mandate = brought({**PAID, **dates})[0].mandate
    assert mandate.valid_from == date(2025, 3, 1)
    assert mandate.ended_on == date(2026, 5, 1)


@pytest.mark.parametrize(
    ("row", "field", "value", "rule"),
    [
        ({**NEW, "paid_through": "2026-05-10"}, "paid_through", "2026-05-10", "with as_of"),
        ({**NEW, "mandate_valid_from": "2025-01-01"}, "mandate_valid_from", "2025-01-01", "as_of"),
        ({**PAID, "as_of": "20260520"}, "as_of", "20260520", "written YYYY-MM-DD"),
        ({**PAID, "holder": "old bank"}, "holder", "old bank", "1 to 40 letters"),
        ({**PAID, "holder": ""}, "holder", "", "must be given"),
        ({**PAID, "evidence": ""}, "evidence", "", "must be given"),
        ({**PAID, "evidence": "x" * 81}, "evidence", "(not shown)", "1 to 80 characters"),
        ({**PAID, "loans": "1"}, "loans", "1", "empty but in a control row"),
        ({**PAID, "paid_through": "2026-02-09"}, "paid_through", "2026-02-09", "2026-02-10"),
        ({**PAID, "paid_through": "2027-01-12"}, "paid_through", "2027-01-12", "2027-01-11"),
        (
            {**PAID, "paid_principal": "400.01"},
            "paid_principal",
            "400.01",
            "with what was waived 400.00 CNY, which installments 1 to 4 ask for",
        ),
        ({**PAID, "waived_interest": "43"}, "waived_interest", "43", "42.00 CNY"),
        ({**PAID, "paid_fee": "1"}, "paid_fee", "1", "0.00 CNY"),
        ({**PAID, "paid_fee": "-1"}, "paid_fee", "-1", "not negative"),
        ({**LOAN, "paid_penalty": "1"}, "paid_penalty", "1", "no installment is paid through"),
        ({**PAID, "next_due_on": "2026-06-11"}, "next_due_on", "2026-06-11", "2026-06-10, when"),
        (
            {**PAID, "paid_through": "2027-01-10", "next_due_on": "2027-02-10"},
            "next_due_on",
            "2027-02-10",
            "all 12 installments are paid through",
        ),
        ({**PAID, "written_off_fee": "1"}, "written_off_fee", "1", "together with balance"),
        (
            {**PAID, "penalty_accrued": "1"},
            "penalty_accrued",
            "1",
            "zero, as no installment is overdue on 2026-05-20",
        ),
        ({**PAID, "advance": "5"}, "advance_ref", "", "given with what was paid ahead"),
        ({**PAID, "advance_ref": "R-5"}, "advance", "", "given with what was paid ahead"),
        ({**BALANCE, "balance": "600.01"}, "balance", "600.01", "600.00 CNY: the principal less"),
        (
            {**LOAN, "paid_principal": "600", "balance": "600"},
            "paid_principal",
            "600",
            "no installment is paid through",
        ),
        (
            {**BALANCE, "paid_principal": "200", "paid_interest": "0", "balance": "1000"},
            "paid_through",
            "2026-05-10",
            "200.00 CNY leaves nothing for installment 3 of 4",
        ),
        (
            {**BALANCE, "paid_through": "2027-01-11"},
            "paid_through",
            "2027-01-11",
            "642.00 CNY leaves nothing for installment 7 of 12",
        ),
        (
            {**BALANCE, "paid_principal": "1150", "balance": "50", "paid_through": "2027-01-11"},
            "balance",
            "50",
            "zero: all 12 installments are paid through",
        ),
        ({**BALANCE, "next_due_on": "2026-05-10"}, "next_due_on", "2026-05-10", "after 2026-05-10"),
        (
            {**BALANCE, "next_due_on": "2036-06-10"},
            "schedule[5].due_on",
            "2036-06-10",
            "at most 366 days after",
        ),
        (
            {**PAID, "paid_principal": "1200", "balance": "0", "next_due_on": "2026-06-10"},
            "next_due_on",
            "2026-06-10",
            "nothing falls due",
        ),
        ({**LOST, "written_off_on": ""}, "written_off_on", "", "given with what was written off"),
        ({**LOST, "written_off_on": "2026-05-21"}, "written_off_on", "2026-05-21", "as_of"),
        ({**LOST, "written_off_on": "2026-05-10"}, "written_off_on", "2026-05-10", "2026-05-11"),
        ({**LOST, "next_due_on": "2026-06-10"}, "next_due_on", "2026-06-10", "is written off"),
        (
            {**LOST, "written_off_principal": "700", "balance": "100"},
            "balance",
            "100",
            "zero, where the rest is written off",
        ),
        (
            {
                **PAID,
                "paid_principal": "1200",
                "balance": "0",
                "written_off_on": "2026-05-18",
                "written_off_penalty": "5",
            },
            "written_off_principal",
            "",
            "above zero",
        ),
        (
            {**PAID, "mandate_valid_from": "2026-04-01", "mandate_ended_on": "2026-03-01"},
            "mandate_ended_on",
            "2026-03-01",
            "not before 2026-04-01",
        ),
    ],
)
def test_a_row_that_contradicts_itself_is_named_by_line_field_value_and_rule(
    tmp_path: Path, row: dict[str, str], field: str, value: str, rule: str
) -> None:
    """The loan beside it is good, and the control row agrees with both: there is one fault."""
    other = {**PAID, "loan_id": "L-0"}
    report = read_openings(tmp_path, other, row)
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.value, fault.file) == (3, field, value, "tape")
    assert rule in fault.rule
    assert [command.loan_id for command in report.rows] == ["L-0"]


def test_a_loan_in_progress_is_cut_after_what_is_past_and_never_moved(tmp_path: Path) -> None:
    """A rehearsal keeps its history and the next installments, on the days that they have."""
    (whole,) = read_openings(tmp_path, PAID).rows
    shift = Shift(date(2026, 6, 1))
    (command,) = read_openings(tmp_path, PAID, months=3, shift=shift).rows
    assert [line.due_on for line in command.schedule] == [
        line.due_on for line in whole.schedule[:7]
    ]
    assert command.opening == whole.opening
    assert command.principal_minor == sum(line.principal for line in whole.schedule[:7])


AMOUNT = st.integers(0, 200_000)


@settings(max_examples=300, deadline=None)
@given(
    principal=st.integers(1_200, 10_000_000),
    rate=st.integers(0, 36),
    closed=st.integers(1, 12),
    share=st.integers(0, 100),
    interest=st.integers(0, 99),
    fee=AMOUNT,
    penalty=AMOUNT,
    waived=st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100)),
)
def test_sums_of_a_row_are_kept_whatever_they_are(
    principal: int,
    rate: int,
    closed: int,
    share: int,
    interest: int,
    fee: int,
    penalty: int,
    waived: tuple[int, int, int],
) -> None:
    """The schedule repays the principal; paid and waived by component are as stated, and balance.

    What was repaid reaches the last closed row, so that none of them asks for nothing.

    Interest is a share of what the closed rows ask for (`interest` in percent).
    """
    terms = {"principal": decimal_text(principal, "CNY"), "annual_rate": str(rate)}
    plain, _ = brought({**LOAN, **terms})
    interest = sum(line.interest for line in plain.schedule[:closed]) * interest // 99
    least = min(principal, (closed - 1) * (principal // 12 + 1) + 1)
    repaid = principal if closed == 12 else max(least, principal * share // 100)
    lost = repaid * waived[0] // 100
    lost_interest, lost_penalty = interest * waived[1] // 100, penalty * waived[2] // 100
    money = {
        "principal": principal,
        "paid_principal": repaid - lost,
        "waived_principal": lost,
        "paid_interest": interest - lost_interest,
        "waived_interest": lost_interest,
        "paid_fee": fee,
        "paid_penalty": penalty - lost_penalty,
        "waived_penalty": lost_penalty,
        "balance": principal - repaid,
    }
    texts = {name: decimal_text(minor, "CNY") for name, minor in money.items()}
    through = f"{2026 + closed // 12}-{closed % 12 + 1:02d}-10"
    values = {
        **LOAN,
        **texts,
        "annual_rate": str(rate),
        "paid_through": through,
    }
    command, _ = brought(values)
    schedule.check(command.schedule, principal)
    (totals,) = opening_totals([command])
    assert (totals.currency, totals.loans, totals.advance) == ("CNY", 1, 0)
    assert totals.sums._replace(owed=Amounts()) == DebtSums(
        Amounts(repaid - lost, interest - lost_interest, fee, penalty - lost_penalty),
        Amounts(lost, lost_interest, 0, lost_penalty),
    )
    assert (totals.sums.owed.principal, totals.sums.owed.penalty) == (principal - repaid, 0)
