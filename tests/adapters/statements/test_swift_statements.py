"""MT940 and MT942 as wholes: pages, messages, balances, totals, and heads that are refused."""

from datetime import date
from io import BytesIO

import pytest

from adapters.statements.mt940 import SwiftReader
from domain.statement.statement import (
    BalanceKind,
    DocumentKind,
    FaultRule,
)
from tests.adapters.statements.swift_messages import IBAN, faults, message, read, refused


def test_pages_of_one_statement_share_its_id_and_add_up_together() -> None:
    """Three pages in one file: interim balances between, no fault; equal lines are counted on."""

    def page(number: int, opens: str, closes: str) -> str:
        first = "60F" if number == 1 else "60M"
        last = "62F" if number == 3 else "62M"
        lines = (f":20:P{number}", ":25:A1", f":28C:7/{number}", f":{first}:{opens}")
        same = ":61:2601050105C1,00NTRFNONREF//SAME"
        return "\r\n".join((*lines, same, f":{last}:{closes}", "-", ""))

    text = "".join(
        (
            page(1, "C260104EUR0,00", "C260105EUR1,00"),
            page(2, "C260105EUR1,00", "C260105EUR2,00"),
            page(3, "C260105EUR2,00", "C260105EUR3,00"),
        )
    )
    found = read(text)
    assert [one.id for one in found] == ["2026-7", "2026-7/p2", "2026-7/p3"]
    assert [one.whole_id for one in found] == ["2026-7"] * 3
    assert [one.lines[0].id.rpartition("/")[2] for one in found] == ["SAME", "SAME*2", "SAME*3"]
    assert faults(text) == [(), (), ()]
    wrong = text.replace(":62F:C260105EUR3,00", ":62F:C260105EUR3,01")
    assert [[fault.rule for fault in each] for each in faults(wrong)] == [
        [],
        [],
        [FaultRule.BALANCE_DIFFERS],
    ]


def test_pages_over_the_turn_of_the_year_stay_one_statement() -> None:
    """A page that opens in January belongs to the statement that began in December."""
    first = message(opens="C251231EUR1,00", closes="C251231EUR1,00").replace(":62F:", ":62M:")
    second = message(opens="C260101EUR1,00", closes="C260102EUR1,00").replace(":60F:", ":60M:")
    found = read(first + second.replace("7/1", "7/2"))
    assert [one.id for one in found] == ["2025-7", "2025-7/p2"]


def test_pages_in_files_of_their_own_are_one_statement() -> None:
    """What they share does not depend on the days of a page: the books join them by it."""
    first = message(opens="C260104EUR1,00", closes="C260105EUR1,00").replace(":62F:", ":62M:")
    second = message(opens="C260105EUR1,00", closes="C260106EUR1,00").replace(":60F:", ":60M:")
    (one,), (other,) = read(first), read(second.replace("7/1", "7/2"))
    assert (one.whole_id, one.period) == (other.whole_id, other.period)
    assert [one.page, other.page] == [1, 2]


def test_a_page_without_a_number_follows_the_one_before() -> None:
    """Some banks number the statement only; an interim opening balance says that it goes on."""
    first = message(closes="C260105EUR1,00").replace(":62F:", ":62M:").replace("7/1", "7")
    second = message(opens="C260105EUR1,00").replace(":60F:", ":60M:").replace("7/1", "7")
    assert [one.page for one in read(first + second)] == [1, 2]


def test_several_messages_in_one_file_with_and_without_blocks() -> None:
    """SWIFT blocks, envelope lines of banks, and a file that just goes on: three statements."""
    body = message().removesuffix("-\r\n")
    blocks = f"{{1:F01BANKDEFFAABC0000000000}}{{2:O940}}{{4:\r\n{body}-}}{{5:}}\r\n"
    inline = f"{{1:F01X}}{{4:{body}-}}\r\n"
    loose = f"ABNANL2A\r\n940\r\nABNANL2A\r\n{body}-{'X' * 3}\r\n"
    assert len(read(blocks + inline + loose + body)) == 4
    assert len(read(body + body)) == 2


def test_two_accounts_in_one_file_are_two_statements() -> None:
    """Each has its own balances and counts its equal lines anew."""
    same = ":61:2601050105C1,00NTRFNONREF//SAME"
    one = message(same, closes="C260105EUR101,00")
    found = read(one + one.replace(":25:A1", ":25:A2"))
    assert [line.id for each in found for line in each.lines] == [
        "A1/2026-01-05/SAME",
        "A2/2026-01-05/SAME",
    ]


def test_a_statement_without_a_number_is_known_by_its_reference() -> None:
    """Numbers of zeros are none; the reference of the message and the days name the statement."""
    (one,) = read(message().replace(":28C:7/1", ":28C:0/1"))
    assert (one.id, one.sequence) == ("X", None)
    assert one.period == (date(2026, 1, 5), date(2026, 1, 5))


@pytest.mark.parametrize(
    ("written", "account"),
    [
        (IBAN, IBAN),
        (f"{IBAN}EUR", IBAN),
        (f"{IBAN}USD", f"{IBAN}USD"),
        ("12030000/202051", "12030000/202051"),
        ("ACCT-EUR", "ACCT-EUR"),
    ],
)
def test_an_iban_loses_the_currency_behind_it(written: str, account: str) -> None:
    """So that a line has one name, whether camt.053 or MT940 brings it."""
    (one,) = read(message().replace(":25:A1", f":25:{written}"))
    assert one.account == account


def test_balances_of_every_kind() -> None:
    """Closing available and forward available ones follow the closing balance."""
    text = message().replace("\r\n-", "\r\n:64:C260105EUR90,00\r\n:65:D260106EUR1,00\r\n-")
    (one,) = read(text)
    assert [(found.kind, found.minor) for found in one.balances] == [
        (BalanceKind.OPENING_BOOKED, 10000),
        (BalanceKind.CLOSING_BOOKED, 10000),
        (BalanceKind.CLOSING_AVAILABLE, 9000),
        (BalanceKind.FORWARD_AVAILABLE, -100),
    ]


def test_totals_below_the_closing_balance_are_compared() -> None:
    """Number and sum of debits, then of credits; a text there is no total."""
    entries = (":61:260105D1,00NTRFX", ":61:260105C3,00NTRFX")

    def closed(info: str) -> str:
        text = message(*entries, closes="C260105EUR102,00")
        return text.replace("EUR102,00\r\n", f"EUR102,00\r\n:86:{info}\r\n")

    assert faults(closed("/SUM/1/1/1,00/3,00/")) == [()]
    assert faults(closed("D000001C000001D1,00C3,00")) == [()]
    assert faults(closed("thank you")) == [()]
    (found,) = faults(closed("/SUM/1/2/1,00/3,01/"))
    assert {fault.rule for fault in found} == {
        FaultRule.SUMMARY_COUNT_DIFFERS,
        FaultRule.SUMMARY_SUM_DIFFERS,
    }


MT942 = (
    ":20:R1\r\n:25:A1\r\n:28C:3/1\r\n:34F:EURD0,\r\n:34F:EURC0,\r\n:13D:2601051130+0100\r\n"
    ":61:2601050105C5,00NTRFNONREF//B1\r\n:86:166?20EREF+E1\r\n:61:260106EC7,00NTRFNONREF\r\n"
    ":90D:0EUR0,\r\n:90C:2EUR12,00\r\n-\r\n"
)


def test_an_interim_report_is_read_and_is_none_that_is_booked() -> None:
    """MT942: what was booked so far, what is expected, the bank's totals; no balance is owed."""
    survey = SwiftReader().survey(BytesIO(MT942.encode()))
    (one,) = survey.statements
    assert (survey.format, one.head.kind, one.faults) == ("MT942", DocumentKind.REPORT, ())
    assert (one.head.currency, one.head.booked_on) == ("EUR", date(2026, 1, 5))
    (report,) = read(MT942)
    assert [line.amount_minor for line in report.lines] == [500]
    assert [(line.amount_minor, line.id) for line in report.pending] == [(700, "")]
    (fault,) = faults(MT942.replace(":90C:2", ":90C:3"))[0]
    assert fault.rule is FaultRule.SUMMARY_COUNT_DIFFERS


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        (":25:A1\r\n", "", ":25:", 1),
        (":25:A1", ":25:A\x1b1", ":25:", 2),
        (":25:A1", f":25:{'A' * 51}", ":25:", 2),
        (":28C:7/1\r\n", "", ":28C:", 1),
        (":28C:7/1", ":28C:seven", ":28C:", 3),
        (":60F:C260105EUR100,00\r\n", "", ":60F:", 1),
        (":62F:C260105EUR100,00\r\n", "", ":62F:", 1),
        ("C260105EUR100,00", "C260230EUR100,00", ":60F:", 4),
        ("C260105EUR100,00", "X260105EUR100,00", ":60F:", 4),
        ("C260105EUR100,00", "C260105EUR100.00", ":60F:", 4),
        ("C260105EUR100,00", "C260105ZZZ100,00", ":60F:", 4),
        (":62F:C260105EUR", ":62F:C260105USD", ":62F:", 5),
        (":25:A1", ":25:A1\r\n:25:A2", ":25:", 3),
    ],
)
def test_a_broken_head_is_refused_by_its_field(old: str, new: str, field: str, line: int) -> None:
    """What is missing is refused at the message, what is wrong at its own line."""
    text = message()
    assert old in text
    found = refused(text.replace(old, new, 1))
    assert (found.field, found.line) == (field, line)
