"""BAI2: records and continuations, funds types, codes, control totals, and what is refused."""

from datetime import date
from io import BytesIO

import pytest

from adapters.statements.bai2 import Bai2Reader
from adapters.statements.guarded import Limits
from domain.statement.statement import (
    BalanceKind,
    DocumentKind,
    FaultRule,
    Statement,
    StatementLine,
)
from ports.statements import REFUSALS_MOST, StatementRefused
from tests.adapters.statements import bai2_writer

DAY = date(2026, 1, 5)
# Balances 5000.00 and 6123.45, credits of 1000.00 and 350.00, a debit of 226.55.
WHOLE = """01,122099999,123456789,260106,0200,1,,,2/
02,123456789,122099999,1,260105,2359,USD,2/
03,0975312468,,010,500000,,,015,612345,,/
88,100,135000,2,Z,400,22655,1,/
16,195,100000,V,260106,1200,SR1,E2E-1,Loan A/B, first part
88,and more / text
16,257,35000,S,1,2,3,SR2,E2E-2,RETURN R01 NSF
16,475,22655,Z,,,/
49,1427655,7/
98,1427655,1,9/
99,1427655,1,11/
"""


def read(text: str) -> list[Statement]:
    return list(Bai2Reader().read(BytesIO(text.encode())))


def refused(text: str, limits: Limits | None = None) -> StatementRefused:
    with pytest.raises(StatementRefused) as caught:
        Bai2Reader(limits).survey(BytesIO(text.encode()))
    return caught.value


def account(*details: str, head: str = "03,A1,USD", total: int = 0, group: str = "2") -> str:
    """A file of one account with these detail records and right counts."""
    lines = len(details) + 2
    return (
        "01,B,US,260106,0200,1,,,2/\n"
        f"02,US,B,1,260105,2359,USD,{group}/\n{head}/\n"
        + "".join(f"{one}\n" for one in details)
        + f"49,{total},{lines}/\n98,{total},1,{lines + 2}/\n99,{total},1,{lines + 4}/\n"
    )


def lines(*details: str, total: int) -> tuple[StatementLine, ...]:
    (one,) = read(account(*details, total=total))
    return one.lines


def test_a_report_of_one_account_reads_whole() -> None:
    """Balances, the bank's totals, value dates, references, and a text that holds anything."""
    survey = Bai2Reader().survey(BytesIO(WHOLE.encode()))
    (one,) = survey.statements
    assert (survey.format, one.faults, one.lines, one.sum_minor) == ("BAI2", (), 3, 112_345)
    head = one.head
    assert (head.id, head.account, head.currency) == ("122099999-20260105", "0975312468", "USD")
    assert (head.opening_minor, head.closing_minor, head.booked_on) == (500_000, 612_345, DAY)
    assert head.kind is DocumentKind.STATEMENT
    (statement,) = read(WHOLE)
    first, second, third = statement.lines
    assert (first.amount_minor, first.value_on) == (100_000, date(2026, 1, 6))
    assert (first.servicer_ref, first.items[0].end_to_end_id) == ("SR1", "E2E-1")
    assert first.text == "Loan A/B, first part and more / text"
    assert (second.amount_minor, second.items[0].return_reason) == (35_000, "R01")
    assert (second.servicer_ref, second.value_on) == ("SR2", DAY)
    assert (third.amount_minor, third.items, third.text) == (-22_655, (), "")
    assert (third.printed, third.code) == ("22655", "475")


def test_totals_of_the_bank_are_compared() -> None:
    """Number and sum of credits and debits as the account's record states them."""
    wrong = WHOLE.replace("88,100,135000,2,Z", "88,100,135000,3,Z")
    (one,) = Bai2Reader().survey(BytesIO(wrong.encode())).statements
    assert [fault.rule for fault in one.faults] == [FaultRule.SUMMARY_COUNT_DIFFERS]


@pytest.mark.parametrize(
    ("detail", "servicer", "customer", "text"),
    [
        ("16,195,5,Z,B,C,text", "B", "C", "text"),
        ("16,195,5,0,B,C,/", "B", "C", ""),
        ("16,195,5,1,B,C/", "B", "C", ""),
        ("16,195,5,2,B/", "B", None, ""),
        ("16,195,5,,B,C,a,b/c,d", "B", "C", "a,b/c,d"),
        ("16,195,5,V,260107,,B,C,text", "B", "C", "text"),
        ("16,195,5,S,5,0,0,B,C,text", "B", "C", "text"),
        ("16,195,5,D,2,0,3,1,2,B,C,text", "B", "C", "text"),
        ("16,195,5,D,0,B,C,text", "B", "C", "text"),
        ("16,195,5/\n88,Z,B/\n88,C,text", "B", "C", "text"),
        ("16,195,5,Z,B,C,one\n88,two, three", "B", "C", "one two, three"),
    ],
)
def test_every_funds_type_and_continuation(
    detail: str, servicer: str, customer: str | None, text: str
) -> None:
    """The references stand behind fields whose number the funds type says; the text is the rest."""
    more = detail.count("\n")
    content = account(detail, total=5)
    for count in ("49,5,3/", "98,5,1,5/", "99,5,1,7/"):
        fields = count.rstrip("/").split(",")
        right = ",".join([*fields[:-1], str(int(fields[-1]) + more)])
        content = content.replace(count, f"{right}/")
    (one,) = read(content)
    (line,) = one.lines
    assert (line.servicer_ref, line.text) == (servicer, text)
    assert (line.items[0].end_to_end_id if line.items else None) == customer


@pytest.mark.parametrize(
    ("code", "minor", "reversal", "returned"),
    [
        ("195", 5, False, False),
        ("399", 5, False, False),
        ("475", -5, False, False),
        ("699", -5, False, False),
        ("920", 5, False, False),
        ("999", -5, False, False),
        ("252", 5, True, False),
        ("452", -5, True, False),
        ("257", 5, False, True),
        ("555", -5, False, True),
    ],
)
def test_the_code_says_direction_reversal_and_return(
    code: str, minor: int, reversal: bool, returned: bool
) -> None:
    """Amounts have no sign of their own: 101 to 399 are credits, 401 to 699 debits."""
    (line,) = lines(f"16,{code},5,Z,B,C,text", total=5)
    assert (line.amount_minor, line.reversal) == (minor, reversal)
    assert bool(line.items[0].return_reason) is returned


def test_what_holds_no_money_is_no_entry() -> None:
    """Records of the code 890 and those without an amount count as records only; zero is one."""
    found = lines("16,890,,,,,hello", "16,195,,Z,B,C,/", "16,195,0,Z,B,C,/", total=0)
    assert [line.amount_minor for line in found] == [0]


@pytest.mark.parametrize(("currency", "minor"), [("USD", 12_345), ("JPY", 12_345), ("KWD", 12_345)])
def test_decimals_are_implied_by_the_currency(currency: str, minor: int) -> None:
    """12345 is 123.45 dollars, 12345 yen, 12.345 dinars: the minor units of each."""
    (one,) = read(account(f"16,195,{minor},Z,B,C,/", head=f"03,A1,{currency}", total=minor))
    assert (one.currency, one.lines[0].amount_minor) == (currency, minor)


@pytest.mark.parametrize(
    ("modifier", "closing", "kind"),
    [
        ("2", True, DocumentKind.STATEMENT),
        ("4", False, DocumentKind.STATEMENT),
        ("1", True, DocumentKind.REPORT),
        ("3", True, DocumentKind.REPORT),
        ("", True, DocumentKind.STATEMENT),
        ("", False, DocumentKind.REPORT),
    ],
)
def test_only_a_final_report_is_a_statement(
    modifier: str, closing: bool, kind: DocumentKind
) -> None:
    """Interim data never are; where the bank says nothing, a closing balance decides."""
    head = "03,A1,USD,015,7,," if closing else "03,A1,USD,030,7,,"
    (one,) = read(account(head=head, total=7, group=modifier))
    assert one.kind is kind


def test_balances_of_every_kind() -> None:
    """Ledger and available balances, signed; codes of the bank's own are kept as such."""
    stated = "010,-5,,,015,+7,,,030,1,,,040,2,,,045,3,,,060,4,,,072,6,,"
    (one,) = read(account(head=f"03,A1,USD,{stated}", total=18))
    assert [(found.kind, found.minor) for found in one.balances] == [
        (BalanceKind.OPENING_BOOKED, -5),
        (BalanceKind.CLOSING_BOOKED, 7),
        (BalanceKind.INTERIM_BOOKED, 1),
        (BalanceKind.OPENING_AVAILABLE, 2),
        (BalanceKind.CLOSING_AVAILABLE, 3),
        (BalanceKind.INTERIM_AVAILABLE, 4),
        (BalanceKind.OTHER, 6),
    ]


def test_several_groups_and_accounts_are_several_statements() -> None:
    """Two accounts in two groups: each adds up, and equal lines of each are counted anew."""
    line = StatementLine("", "A1", DAY, DAY, 5, "USD", "SAME")
    both = [Statement("", name, "USD", None, DAY, 0, 10, (line, line)) for name in ("A1", "A2")]
    found = read(bai2_writer.document(*both))
    assert [one.id for each in found for one in each.lines] == [
        "A1/2026-01-05/SAME",
        "A1/2026-01-05/SAME*2",
        "A2/2026-01-05/SAME",
        "A2/2026-01-05/SAME*2",
    ]
    survey = Bai2Reader().survey(BytesIO(bai2_writer.document(*both).encode()))
    assert [one.faults for one in survey.statements] == [(), ()]


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        ("49,1427655,7/", "49,1427654,7/", "49 control total", 9),
        ("49,1427655,7/", "49,1427655,8/", "49 number of records", 9),
        ("98,1427655,1,9/", "98,1,1,9/", "98 control total", 10),
        ("98,1427655,1,9/", "98,1427655,2,9/", "98 number of accounts", 10),
        ("98,1427655,1,9/", "98,1427655,1,8/", "98 number of records", 10),
        ("99,1427655,1,11/", "99,-1427655,1,11/", "99 control total", 11),
        ("99,1427655,1,11/", "99,1427655,0,11/", "99 number of groups", 11),
        ("99,1427655,1,11/", "99,1427655,1,12/", "99 number of records", 11),
        ("99,1427655,1,11/", "99,much,1,11/", "99 control total", 11),
        ("16,475,22655,Z", "16,475,22656,Z", "49 control total", 9),
        ("16,475,22655,Z", "16,475,226.55,Z", "16 amount", 8),
        ("16,475,22655,Z", "16,700,22655,Z", "16 type code", 8),
        ("V,260106,1200", "V,260230,1200", "16 value date", 5),
        (",1,,,2/", ",1,,,1/", "01 version", 1),
        (",1,260105,", ",4,260105,", "02 group status", 2),
        (",1,260105,", ",2,260105,", "02 group status", 2),
        (",1,260105,", ",1,260230,", "02 as-of date", 2),
        (",USD,2/", ",USD,5/", "02 as-of-date modifier", 2),
        (",USD,2/", ",ZZZ,2/", "03 currency", 3),
        ("03,0975312468", "03,", "03 account", 3),
        ("010,500000", "010,five", "03 amount of 010", 3),
        ("015,612345", "010,612345", "03 type code", 3),
        ("16,475", "17,475", "record", 8),
        ("16,475", "98,475", "record", 8),
    ],
)
def test_what_breaks_a_rule_is_refused_by_field_and_line(
    old: str, new: str, field: str, line: int
) -> None:
    """Control totals and counts of every level, dates, codes, the order of records."""
    assert old in WHOLE
    found = refused(WHOLE.replace(old, new, 1))
    assert (found.field, found.line) == (field, line)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    """No prefix of a file is taken for one: the last record closes it."""
    whole = WHOLE.rstrip("\n")
    for length in range(len(whole) - 1):
        assert refused(whole[:length]).rule


def test_all_broken_entries_are_reported_at_once() -> None:
    """Three of four details are broken: three refusals with their lines, and no page."""
    found = refused(
        account("16,195,x,Z,,,/", "16,195,5,Z,,,/", "16,100,5,Z,,,/", "16,195,5,V,1,,,,/", total=5)
    )
    assert [(one.field, one.line) for one in (found, *found.others)] == [
        ("16 amount", 4),
        ("16 type code", 6),
        ("16 value date", 7),
    ]
    many = refused(account(*["16,195,x,Z,,,/"] * 100))
    assert len(many.others) == REFUSALS_MOST - 1


def test_limits_and_hostile_content() -> None:
    """Statements, entries, lines of a record and fields are limited; NUL bytes are refused."""
    assert refused(account(*["16,195,1,Z,B,C,/"] * 3, total=3), Limits(entries=2)).field == "16"
    two = [Statement("", name, "USD", None, DAY, 0, 0) for name in ("A1", "A2")]
    assert refused(bai2_writer.document(*two), Limits(statements=1)).field == "03"
    endless = "16,195,1,Z,B,C,text\n" + "88,more\n" * 600
    assert refused(account(endless, total=1)).value == "too long"
    long = "16,195,1,Z,B,C,text\n" + f"88,{'m' * 40_000}\n" * 2
    assert refused(account(long, total=1)).value == "too long"
    wide = "03,A1,USD" + ",100,1,," * 1_000
    assert refused(account(head=wide, total=1000)).field == "03 fields"
    assert refused(WHOLE.replace("Loan", "Lo\x00n")).value == "a NUL byte"
    assert refused(WHOLE.replace("16,195,100000", f"16,195,{10**16}")).field == "16 amount"
    assert refused("88,1/\n").field == "record"


def test_a_stroke_that_ends_a_text_is_no_part_of_it() -> None:
    """Some banks end every record with one; a stroke inside a text stays."""
    (line,) = lines("16,142,100,,B1,C1,RENT 5/2026/", total=100)
    assert line.text == "RENT 5/2026"
    (line,) = lines("16,142,100,,B1,C1,RENT/", "88,MAY/", total=100)
    assert line.text == "RENT MAY"
