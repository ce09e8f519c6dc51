"""Rows of tables: amounts, signs, days, kinds of rows, and what a table says as a whole."""

from datetime import date
from typing import Any

import pytest

from domain.statement.statement import (
    EntryStatus,
    FaultRule,
    Party,
)
from tests.adapters.statements.csv_tables import (
    HEAD,
    columns,
    only,
    read,
    refused,
    rules,
    survey,
    table,
)


@pytest.mark.parametrize(
    ("numbers", "written", "minor"),
    [
        ({}, "1012.35", 101_235),
        ({}, "-1012.35", -101_235),
        ({}, "1012.35-", -101_235),
        ({}, "+.5", 50),
        ({}, "7", 700),
        ({}, "7.10000", 710),
        ({"decimal": ",", "thousands": "."}, "1.012.345,60", 101_234_560),
        ({"decimal": ",", "thousands": " "}, "1 012,35", 101_235),
        ({"thousands": "'"}, "1'012.35", 101_235),
        ({"symbols": "¥元"}, "¥ 1012.35 元", 101_235),
        ({"surplus": "half-up"}, "0.005", 1),
        ({"surplus": "half-even"}, "-0.125", -12),
        ({"surplus": "down"}, "0.009", 0),
    ],
)
def test_amounts_are_written_in_many_ways(
    numbers: dict[str, Any], written: str, minor: int
) -> None:
    """The map says which mark is which; what the file prints is kept beside the amount."""
    line = only(f'2026-01-05,"{written}",R', rules(numbers=numbers))
    assert line.amount_minor == minor
    assert line.printed in written


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ({}, "1,012.35"),
        ({}, "1012,35"),
        ({}, "7.105"),
        ({}, "1.2.3"),
        ({}, "-7-"),
        ({}, ""),
        ({}, "seven"),
        ({}, "\uff11\uff12"),
        ({}, "9" * 19),
        ({"thousands": ","}, "1,01,2.35"),
        ({"thousands": ","}, ",123"),
        ({"decimal": ",", "thousands": "."}, "1.01"),
        ({"surplus": "down"}, "9" * 18),
    ],
)
def test_an_amount_in_another_form_is_refused(numbers: dict[str, Any], written: str) -> None:
    """Nothing is guessed: a mark at the wrong place may be another amount."""
    found = refused(table(f'2026-01-05,"{written}",R'), rules(numbers=numbers))
    assert (found.field, found.line) == ("Amount", 2)


@pytest.mark.parametrize(
    ("debits", "credit", "debit", "minor"),
    [
        ("unsigned", "5", "", 500),
        ("unsigned", "", "5", -500),
        ("unsigned", "", "-5", 500),
        ("unsigned", "0", "0", 0),
        ("signed", "", "-5", -500),
        ("signed", "0.00", "-5", -500),
        ("signed", "", "5", 500),
    ],
)
def test_debits_and_credits_in_columns_of_their_own(
    debits: str, credit: str, debit: str, minor: int
) -> None:
    """With or without a minus; the other of the two is a debit that is taken back."""
    by = rules(columns={"booked_on": "Date", "credit": "In", "debit": "Out", "debits": debits})
    line = only(f"2026-01-05,{credit},{debit}", by, head="Date,In,Out")
    assert line.amount_minor == minor


@pytest.mark.parametrize(("credit", "debit"), [("", ""), ("5", "5")])
def test_neither_or_both_of_two_columns_is_refused(credit: str, debit: str) -> None:
    """It cannot be told which of them is meant."""
    by = rules(columns={"booked_on": "Date", "credit": "In", "debit": "Out"})
    found = refused(table(f"2026-01-05,{credit},{debit}", head="Date,In,Out"), by)
    assert (found.field, found.line) == ("In or Out", 2)


def test_words_beside_the_amount_say_its_sign() -> None:
    """Words that the map does not name are refused with those that it does."""
    by = rules(columns=columns(sign="Side"), signs={"credit": ["CR", "+"], "debit": ["DR"]})
    head = f"{HEAD},Side"
    assert only("2026-01-05,5,R,DR", by, head).amount_minor == -500
    assert only("2026-01-05,-5,R,+", by, head).amount_minor == 500
    found = refused(table("2026-01-05,5,R,??", head=head), by)
    assert (found.field, found.rule) == ("Side", "one of +, CR, DR")


def test_charges_are_what_is_kept_of_the_amount() -> None:
    """100.00 less 0.60 is booked as 99.40, and a refund gives the charge back."""
    by = rules(columns=columns(charges="Fee"))
    line = only("2026-01-05,100.00,R,0.60", by, f"{HEAD},Fee")
    assert (line.amount_minor, line.items[0].amount_minor) == (9_940, 10_000)
    assert line.items[0].charges_minor == 60
    back = only("2026-01-05,-100.00,R,-0.60", by, f"{HEAD},Fee")
    assert (back.amount_minor, back.items[0].booked_minor) == (-9_940, -9_940)


def test_rows_are_entries_pending_skipped_or_totals() -> None:
    """The first rule that fits is taken; rows of other words are refused unless the map says so."""
    kinds = [
        {"column": "State", "equals": ["done"]},
        {"column": "State", "equals": ["back"], "sign": "debit", "reversal": True},
        {"column": "State", "equals": ["open"], "take": "pending"},
        {"column": "State", "equals": ["void"], "take": "skip"},
    ]
    by = rules(rows=kinds)
    states = ("done", "back", "open", "void")
    content = table(*(f"2026-01-05,5,R{state},{state}" for state in states), head=f"{HEAD},State")
    one = read(content, by)
    assert [(line.amount_minor, line.reversal) for line in one.lines] == [
        (500, False),
        (-500, True),
    ]
    assert [line.status for line in one.pending] == [EntryStatus.PENDING]
    odd = content.replace(b"void", b"what")
    assert refused(odd, by).rule == "one of back, done, open, void"
    assert len(read(odd, rules(rows=kinds, otherwise="skip")).lines) == 2
    assert len(read(odd, rules(rows=kinds, otherwise="entry")).lines) == 3


def test_all_that_a_row_may_say() -> None:
    """Dates, references, mandate, batch, reason, other side, code, currency and further names."""
    names = {
        "value_on": "Value",
        "end_to_end_id": "E2E",
        "mandate_ref": "Mandate",
        "batch_ref": "Batch",
        "return_reason": "Reason",
        "remittance": "Message",
        "text": "Message",
        "name": "Name",
        "other_account": "Other",
        "code": "Code",
        "other": {"slip": "Slip"},
    }
    head = f"{HEAD},Value,E2E,Mandate,Batch,Reason,Message,Name,Other,Code,Slip"
    row = "2026-01-05,5,R,2026-01-07,E1,M1,B1,MS03,LOAN-1,Payer,DE1,C1,S1"
    line = only(row, rules(columns=columns(**names)), head)
    (item,) = line.items
    assert (line.value_on, line.batch_ref, line.code) == (date(2026, 1, 7), "B1", "C1")
    assert (item.references, item.mandate_ref) == (("E1", "LOAN-1"), "M1")
    assert (item.return_reason, item.counterparty) == ("MS03", Party("Payer", "DE1"))
    assert item.other_refs == (("slip", "S1"),)
    blank = only("2026-01-05,5,R,,,,,,,,,,", rules(columns=columns(**names)), head)
    assert (blank.items, blank.value_on, blank.batch_ref) == ((), date(2026, 1, 5), None)


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("2026-02-30", ["%Y-%m-%d"]),
        ("05.01.2026", ["%Y-%m-%d"]),
        ("", ["%Y-%m-%d"]),
        ("31/04/2026", ["%d/%m/%Y", "%Y-%m-%d"]),
    ],
)
def test_a_day_that_does_not_exist_is_refused(text: str, formats: list[str]) -> None:
    """With the forms that the map allows; no day is moved."""
    found = refused(table(f"{text},5,R"), rules(dates={"formats": formats}))
    assert (found.field, found.line) == ("Date", 2)
    assert formats[0] in found.rule


def test_currencies_and_accounts_of_rows() -> None:
    """Another currency is a fault of the line; another account is not one statement any more."""
    by = rules(currency=None, columns=columns(currency="Ccy"))
    head = f"{HEAD},Ccy"
    content = table("2026-01-05,5,R1,CNY", "2026-01-05,5,R2,USD", head=head)
    (one,) = survey(content, by).statements
    assert [fault.rule for fault in one.faults if fault.rule is FaultRule.OTHER_CURRENCY]
    assert refused(table("2026-01-05,5,R,ZZZ", head=head), by).field == "Ccy"
    assert refused(table(head=head), by).field == "currency"
    by = rules(account=None, columns=columns(account="Acc"))
    head = f"{HEAD},Acc"
    found = refused(table("2026-01-05,5,R,A1", "2026-01-05,5,R,A2", head=head), by)
    assert (found.field, found.value, found.line) == ("Acc", "A2", 3)
    assert refused(table("2026-01-05,5,R,", head=head), by).field == "Acc"


def test_opening_and_closing_come_from_the_balance_of_each_row() -> None:
    """In both orders; a row that is missing breaks the sum."""
    by = {"columns": columns(balance="Balance")}
    rows = ["2026-01-05,5.00,R1,105.00", "2026-01-06,-2.00,R2,103.00", "2026-01-07,1.00,R3,104.00"]
    head = f"{HEAD},Balance"
    up = survey(table(*rows, head=head), rules(**by)).statements[0]
    down = survey(table(*rows[::-1], head=head), rules(order="descending", **by)).statements[0]
    for one in (up, down):
        assert (one.head.opening_minor, one.head.closing_minor) == (10_000, 10_400)
        assert one.faults == ()
        assert one.head.period == (date(2026, 1, 5), date(2026, 1, 7))
    (gap,) = survey(table(rows[0], rows[2], head=head), rules(**by)).statements
    assert [fault.rule for fault in gap.faults] == [FaultRule.BALANCE_DIFFERS]


def test_a_table_without_rows_is_a_statement_of_what_stands_around_it() -> None:
    """Balances and days from the lines before the header, and nothing booked."""
    found = {
        "opening": "Opening: (.+)",
        "closing": "Closing: (.+)",
        "first_on": "From (\\S+)",
        "last_on": "to (\\S+)",
    }
    content = b"Opening: 7.00\r\nClosing: 7.00\r\nFrom 2026-01-01 to 2026-01-31\r\n" + table()
    (one,) = survey(content, rules(found=found)).statements
    assert (one.lines, one.faults, one.head.id) == (0, (), "mine-20260131")
    assert one.head.period == (date(2026, 1, 1), date(2026, 1, 31))
    turned = content.replace(b"to 2026-01-31", b"to 2025-01-31")
    assert refused(turned, rules(found=found)).field == "last_on"
