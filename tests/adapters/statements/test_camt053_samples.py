"""The reader against files that others made."""

from pathlib import Path

import pytest

from adapters.statements.anyfile import StatementFileReader
from domain.statement.statement import DocumentKind, FaultRule, Statement
from ports.statements import StatementRefused
from tests.support.totals import control_totals

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "statements" / "camt"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample statements are not here")


def statements(name: str) -> list[Statement]:
    with (SAMPLES / name).open("rb") as source:
        return list(StatementFileReader().read(source))


def test_a_third_decimal_of_zero_is_the_same_amount() -> None:
    """8.850 EUR is 885 cents; that this file's own balances differ by 0.05 is reported."""
    (one,) = statements("camt053.v2.five.decimals.xml")
    assert (one.opening_minor, one.closing_minor) == (1815, 2705)
    assert [line.amount_minor for line in one.lines] == [885]
    assert [fault.rule for fault in control_totals(one)] == [FaultRule.BALANCE_DIFFERS]


def test_two_statements_in_one_file_are_two_statements() -> None:
    """A file with several statements gives each its own balances, and both add up."""
    first, second = statements("camt053.v2.multi.statement.xml")
    assert [(one.opening_minor, one.closing_minor) for one in (first, second)] == [
        (1815, 2700),
        (2700, 2000),
    ]
    assert second.lines[0].amount_minor == -700
    assert second.lines[0].items[0].end_to_end_id == "000000002"
    assert control_totals(first) == control_totals(second) == ()


@pytest.mark.parametrize("name", ["camt053.v2.minimal.xml", "camt053.v8.xml"])
def test_a_balance_in_another_currency_is_a_fault_and_no_refusal(name: str) -> None:
    """A closing balance in kronor under a euro account is evidence: kept, and reported."""
    (one,) = statements(name)
    assert (one.currency, one.opening_minor, one.closing_minor) == ("EUR", 1815, None)
    assert {fault.rule for fault in control_totals(one)} == {
        FaultRule.OTHER_CURRENCY,
        FaultRule.CLOSING_MISSING,
    }


def test_a_zero_amount_in_another_currency_does_not_replace_the_booked_one() -> None:
    """A transaction of 0 kronor inside an entry of 8.85 euro leaves the item at 8.85 euro."""
    (one,) = statements("camt053.v8.xml")
    (item,) = one.lines[0].items
    assert (item.end_to_end_id, item.amount_minor) == ("MUELL/FINP/RA12345", 885)
    assert one.lines[0].servicer_ref == "AAAASESS-FP-CN_98765/01"


def test_a_later_page_of_a_paged_statement_has_an_id_of_its_own() -> None:
    """Pages share the bank's id and count entries anew; line ids must not collide."""
    (one,) = statements("camt053.v8.xml")
    assert one.id == "253EURNL26VAYB8060476890/p2"


def test_a_file_without_a_statement_is_refused() -> None:
    """The wrong file is refused by the name of what it lacks."""
    with pytest.raises(StatementRefused) as caught:
        statements("camt053.v2.wrong.xml")
    assert caught.value.field == "BkToCstmrStmt/Stmt"


def test_a_notification_is_read_as_one() -> None:
    """A debit of 200,000 kronor with three payments in francs, where the bank counts two."""
    (one,) = statements("camt054.v4.xml")
    assert (one.kind, one.id) == (DocumentKind.NOTIFICATION, "AAAASESS-FP-ACCR001/p2")
    assert (one.account, one.currency, one.balances) == ("CH2801234000123456789", "SEK", ())
    (line,) = one.lines
    assert (line.amount_minor, line.printed) == (-20_000_000, "200000")
    assert (line.servicer_ref, line.code) == ("ACSR160617103200001", "PMNT/ICDT/DMCT")
    assert (line.batch_ref, line.batch_count) == ("UXC06170000006PI00001", 2)
    assert [item.end_to_end_id for item in line.items] == [
        "UXC06170000006PI00001EE00001",
        "UXC06170000006PI00001EE00002",
        "UXC06170000006PI00001EE00002",
    ]
    assert [item.counterparty.name for item in line.items if item.counterparty] == [
        "Example Creditor 3 - V1",
        "Example Creditor 3 - V2",
        "Example Creditor 3 - V3",
    ]


def test_every_sample_is_either_read_or_refused_by_name() -> None:
    """No file of the folder ends in anything but statements or a refusal."""
    names = sorted(path.name for path in SAMPLES.glob("*.xml"))
    refused = [name for name in names if _outcome(name) == "refused"]
    assert len(names) == 6
    assert refused == ["camt053.v2.wrong.xml"]


def _outcome(name: str) -> str:
    try:
        return "read" if statements(name) else "empty"
    except StatementRefused:
        return "refused"
