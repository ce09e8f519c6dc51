"""Rows of a history that contradict the loan or each other, by line, field, value and rule."""

import pytest

from tests.support.progresstapes import PAID_ROWS, TAKEN, TRIED, Read, event


@pytest.mark.parametrize(
    ("events", "line", "field", "value", "rule"),
    [
        ([event("payed", principal="1")], 2, "event", "payed", "paid, waived, written_off"),
        ([event("", principal="1")], 2, "event", "", "must be given"),
        ([event("paid", 13, principal="1")], 2, "installment", "13", "1 to 12"),
        ([event("paid", 0, principal="1")], 2, "installment", "0", "1 to 12"),
        ([event("paid", principal="1,5")], 2, "principal", "1,5", "plain decimal"),
        ([event("paid", principal="-1")], 2, "principal", "-1", "not negative"),
        ([event("paid")], 2, "principal", "", "an amount of this or"),
        ([event("paid", principal="0.00")], 2, "principal", "0.00", "an amount of this or"),
        ([event("paid", on="2026-05-21", fee="1")], 2, "on", "2026-05-21", "to as_of 2026-05-20"),
        (
            [event("paid", on="2026-01-09", fee="1")],
            2,
            "on",
            "2026-01-09",
            "disbursed_on 2026-01-10",
        ),
        ([event("paid", on="9 May", fee="1")], 2, "on", "9 May", "YYYY-MM-DD"),
        ([event("paid", principal="100.01")], 2, "principal", "100.01", "at most 100.00 CNY"),
        ([event("paid", fee="1")], 2, "fee", "1", "at most 0.00 CNY, which installment 1 has"),
        (
            [PAID_ROWS[0], event("waived", interest="0.01")],
            3,
            "interest",
            "0.01",
            "at most 0.00 CNY",
        ),
        (
            [event("paid", penalty="2"), event("penalty", penalty="1")],
            2,
            "penalty",
            "2",
            "at most 1.00 CNY",
        ),
        ([event("penalty", penalty="1")] * 2, 3, "installment", "1", "one row of penalty"),
        ([event("penalty")], 2, "penalty", "", "must be given"),
        ([event("penalty", penalty="1", fee="1")], 2, "fee", "1", "empty in a row of penalty"),
        ([event("paid", fee="1", outcome="x")], 2, "outcome", "x", "empty in a row of paid"),
        ([event("written_off")], 2, "on", "", "must be given"),
        (
            [
                event("waived", principal="100", interest="12.40"),
                event("written_off", on="2026-05-01"),
            ],
            3,
            "installment",
            "1",
            "one of which something was left then",
        ),
        ([event("attempt", **TRIED, outcome_class="BAD")], 2, "outcome_class", "BAD", "SUCCESS,"),
        (
            [event("attempt", **{**TRIED, "outcome": "returned"}, outcome_class="PENDING")],
            2,
            "outcome_class",
            "PENDING",
            "that of a failure; it means PENDING",
        ),
        ([event("charged", penalty="1")], 2, "penalty", "1", "empty in a row of charged"),
        (
            [event("charged", fee="1"), event("paid", fee="1.01")],
            3,
            "fee",
            "1.01",
            "at most 1.00 CNY",
        ),
        ([event("paid", cost="1")], 2, "cost", "1", "at most 0.00 CNY"),
        (
            [PAID_ROWS[0], event("cancelled")],
            3,
            "installment",
            "1",
            "one of which nothing was paid, waived, charged, written off or ordered",
        ),
        (
            [
                event("attempt", **{**TRIED, "outcome": "pending"}),
                event("cancelled", on="2026-03-01"),
            ],
            3,
            "installment",
            "1",
            "one of which nothing was paid, waived, charged, written off or ordered",
        ),
        ([*TAKEN, event("attempt", **TRIED)], 4, "order_no", "A1", "each order once"),
        (
            [event("attempt", **{**TRIED, "amount": "0"})],
            2,
            "amount",
            "0",
            "above zero",
        ),
        ([event("attempt", **{**TRIED, "outcome": "ok"})], 2, "outcome", "ok", "confirmed, decl"),
        (
            [event("attempt", **{**TRIED, "outcome": "declined", "code": "00"})],
            2,
            "code",
            "00",
            "that of a failure; it means SUCCESS",
        ),
        (
            [event("attempt", **{**TRIED, "order_no": "A 1"})],
            2,
            "order_no",
            "A 1",
            "1 to 35 visible",
        ),
        (
            [event("attempt", **{**TRIED, "outcome": "declined", "on": "2026-06-21"})],
            2,
            "on",
            "2026-06-21",
            "to as_of 2026-05-20 and 31 days more",
        ),
        (
            [event("paid", order_no="A9", fee="1", principal="1")],
            2,
            "fee",
            "1",
            "at most 0.00 CNY",
        ),
        (
            [event("paid", order_no="A9", principal="1")],
            2,
            "order_no",
            "A9",
            "the order of a confirmed attempt of this loan",
        ),
        (
            [*TAKEN, event("paid", 2, order_no="A1", principal="1")],
            4,
            "order_no",
            "A1",
            "it was one of 1",
        ),
        (
            [*TAKEN, event("paid", order_no="A1", on="2026-02-11", interest="1")],
            4,
            "order_no",
            "A1",
            "one payment for each order",
        ),
        (
            [event("attempt", **{**TRIED, "amount": "99.99"}), TAKEN[1]],
            3,
            "order_no",
            "A1",
            "at most 99.99 CNY, which it asked for",
        ),
        (
            [event("paid", principal="1", reference="x" * 141)],
            2,
            "reference",
            "(not shown)",
            "at most 140 characters",
        ),
        (
            [event("paid", principal="1", reference="a\x1bb")],
            2,
            "reference",
            "(not shown)",
            "on one",
        ),
    ],
)
def test_a_bad_row_of_a_history_is_named_and_its_loan_is_bad(
    read: Read, events: list[dict[str, str]], line: int, field: str, value: str, rule: str
) -> None:
    """The fault names the line of the history file, not that of the tape."""
    report = read(*events)
    (fault,) = report.faults
    assert (fault.file, fault.line, fault.field, fault.value) == ("history", line, field, value)
    assert rule in fault.rule
    assert str(fault).startswith(f"history line {line}: {field}: ")
    assert not report.rows


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ({"paid_principal": "400.01"}, "paid_principal", "400.00 CNY, to which the history sums"),
        ({"waived_fee": "1"}, "waived_fee", "0.00 CNY, to which"),
        ({"written_off_interest": "1"}, "written_off_interest", "0.00 CNY, to which"),
        ({"written_off_on": "2026-05-01"}, "written_off_on", "as the history says: nothing"),
        ({"balance": "799.99"}, "balance", "800.00 CNY, to which"),
        ({"penalty_accrued": "1"}, "penalty_accrued", "0.00 CNY, to which"),
        ({"paid_through": "2026-06-10"}, "paid_through", "leaves 108.27 CNY of installment 5"),
        ({"paid_through": "2027-06-10"}, "paid_through", "not after the last due date 2027-01-11"),
        ({"next_due_on": "2026-07-10"}, "next_due_on", "2026-06-10, when installment 5 falls due"),
    ],
)
def test_a_row_that_contradicts_its_history_is_named(
    read: Read, row: dict[str, str], field: str, rule: str
) -> None:
    """What the history says is compared with everything that the row states beside it."""
    assert read(*PAID_ROWS, row={"balance": "800", "next_due_on": "2026-06-10"}).fault_count == 0
    (fault,) = read(*PAID_ROWS, row=row).faults
    assert (fault.file, fault.line, fault.field) == ("tape", 2, field)
    assert rule in fault.rule


def test_the_same_payment_is_not_stated_twice(read: Read) -> None:
    """A row that was copied would be money that never came."""
    row = event("paid", 1, principal="10", on="2026-02-11")
    (fault,) = read(row, row).faults
    assert (fault.file, fault.line, fault.field) == ("history", 3, "installment")
    assert read(row, {**row, "reference": "second"}).fault_count == 0
