"""Entries of MT940: marks, days, references, and the details of several countries."""

from datetime import date

import pytest

from domain.statement.statement import (
    EntryStatus,
    Party,
)
from tests.adapters.statements.swift_messages import (
    IBAN,
    faults,
    item,
    message,
    only,
    read,
    refused,
)


@pytest.mark.parametrize(
    ("mark", "minor", "reversal", "status"),
    [
        ("C", 1250, False, EntryStatus.BOOKED),
        ("D", -1250, False, EntryStatus.BOOKED),
        ("CR", 1250, False, EntryStatus.BOOKED),
        ("DR", -1250, False, EntryStatus.BOOKED),
        ("RC", -1250, True, EntryStatus.BOOKED),
        ("RD", 1250, True, EntryStatus.BOOKED),
        ("RCR", -1250, True, EntryStatus.BOOKED),
        ("RDR", 1250, True, EntryStatus.BOOKED),
        ("EC", 1250, False, EntryStatus.PENDING),
        ("ED", -1250, False, EntryStatus.PENDING),
    ],
)
def test_the_mark_says_direction_reversal_and_status(
    mark: str, minor: int, reversal: bool, status: EntryStatus
) -> None:
    """A letter of the currency (FUNDS code) behind the mark changes nothing: CR is a credit."""
    line = only(f":61:2601050105{mark}12,50NTRFNONREF")
    assert (line.amount_minor, line.reversal, line.status) == (minor, reversal, status)
    assert (line.printed, line.code) == ("12,50", "NTRF")


@pytest.mark.parametrize(
    ("dates", "booked", "valued"),
    [
        ("2601050105", date(2026, 1, 5), date(2026, 1, 5)),
        ("260105", date(2026, 1, 5), date(2026, 1, 5)),
        ("2512311231", date(2025, 12, 31), date(2025, 12, 31)),
        ("2512310102", date(2026, 1, 2), date(2025, 12, 31)),
        ("2601021231", date(2025, 12, 31), date(2026, 1, 2)),
        ("2402280229", date(2024, 2, 29), date(2024, 2, 28)),
        ("9912310103", date(2000, 1, 3), date(1999, 12, 31)),
    ],
)
def test_the_booking_day_has_no_year_and_takes_the_nearest(
    dates: str, booked: date, valued: date
) -> None:
    """Over the turn of the year in both directions, and on the 29th of February."""
    line = only(f":61:{dates}C1,NTRFNONREF")
    assert (line.booked_on, line.value_on) == (booked, valued)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (":61:2602300105C1,NTRFNONREF", ":61: value date"),
        (":61:2601050230C1,NTRFNONREF", ":61: booking date"),
        (":61:2601051301C1,NTRFNONREF", ":61: booking date"),
        (":61:2601050105C1NTRFNONREF", ":61: amount"),
        (":61:2601050105C1.50NTRFNONREF", ":61: amount"),
        (":61:2601050105C1,505NTRFNONREF", ":61: amount"),
        (":61:2601050105X1,NTRFNONREF", ":61:"),
        (":61:2601050105C1,", ":61:"),
        (":61:", ":61:"),
    ],
)
def test_a_broken_entry_is_refused_by_its_part_and_line(entry: str, field: str) -> None:
    """The 30th of February, a missing comma, a third decimal, an unknown mark."""
    found = refused(message(":61:2601050105C1,NTRFNONREF", entry))
    assert (found.field, found.line) == (field, 6)
    assert found.rule


def test_all_broken_entries_are_reported_at_once() -> None:
    """Two statements with a fault each, and a closing balance that is none."""
    bad = message(":61:2602300105C1,NTRFNONREF") + message(":61:2601050105C1NTRF", closes="C0")
    found = refused(bad)
    assert [(one.field, one.line) for one in (found, *found.others)] == [
        (":61: value date", 5),
        (":61: amount", 12),
        (":62F:", 13),
    ]


def test_an_entry_of_zero_is_an_entry() -> None:
    """Notices without money are booked entries of nothing, and change no sum."""
    text = message(":61:2601050105C0,00NTRFNONREF//B1", ":61:2601050105D0,NTRFNONREF//B2")
    assert [line.amount_minor for one in read(text) for line in one.lines] == [0, 0]
    assert faults(text) == [()]


def test_references_of_an_entry() -> None:
    """The customer's reference stands before two strokes, the bank's behind them."""
    line = only(":61:2601050105C1,NTRFORDER-1//BANK-1", "second line of it")
    assert (line.servicer_ref, line.items[0].end_to_end_id) == ("BANK-1", "ORDER-1")
    assert line.id == "A1/2026-01-05/BANK-1"
    assert line.text == "second line of it"
    assert only(":61:2601050105C1,NTRFNONREF").items == ()
    assert only(":61:2601050105C1,NTRFKREF+//B").items == ()


GERMAN = (
    ":86:166?00GUTSCHRIFT?100399?20EREF+EndToEndIdTFNR20004000?2101?22MREF+M-77?23SVWZ+Rate 3 zu",
    "m Vertrag 47?24und mehr?30BANKDEFF?31DE42100100100043921105?32Renate Beispiel lang genuge",
    "?33r Name?60noch mehr",
)


def test_german_details_are_put_together_again() -> None:
    """Values go on in the next subfield where their own is full, and lines are cut anywhere."""
    found = item(":61:2601050105C1,NTRFNONREF//B", *GERMAN)
    assert (found.end_to_end_id, found.mandate_ref) == ("EndToEndIdTFNR2000400001", "M-77")
    assert found.counterparty == Party(
        "Renate Beispiel lang genuger Name", "DE42100100100043921105", "BANKDEFF"
    )
    text = only(":61:2601050105C1,NTRFNONREF//B", *GERMAN).text
    assert text == "Rate 3 zum Vertrag 47 und mehr noch mehr GUTSCHRIFT"


def test_a_name_on_two_lines_is_two_words() -> None:
    """A subfield that is not full ends a line of the name."""
    found = item(":61:2601050105C1,NTRFX", ":86:166?20EREF+E?32Firma?33Beispiel GmbH")
    assert found.counterparty == Party("Firma Beispiel GmbH")


def test_a_purpose_of_one_word_may_be_a_reference() -> None:
    """Payers write the number of their loan and nothing else."""
    found = item(":61:2601050105C1,NTRFNONREF", ":86:166?00GUTSCHRIFT?20SVWZ+LOAN-4711-0003")
    assert found.references == ("LOAN-4711-0003",)
    plain = item(":61:2601050105C1,NTRFNONREF", ":86:166?00GUTSCHRIFT?20LOAN-4711-0004")
    assert plain.references == ("LOAN-4711-0004",)


@pytest.mark.parametrize(
    ("entry", "info", "amount", "charges", "reason"),
    [
        # 53.00 come back: 50.00 that were collected, and 3.00 for the bank.
        ("D53,00", "109?00RUECKLAST?20MREF+M1?21OAMT+50,00?22COAM+3,00?34914", -5000, 300, "MS03"),
        ("D53,00", "109?00RUECKLAST?20MREF+M1?21OAMT+EUR 50,00?34912", -5000, 300, "MD06"),
        ("D53,00", "109?00RUECKLAST?20MREF+M1?21COAM+EUR 3,00?34907", -5000, 300, "907"),
        ("D50,00", "109?00RUECKLAST?20MREF+M1", -5000, 0, "UNSTATED"),
        ("D53,00", "109?00RUECKLAST?20MREF+M1?21OAMT+99,00?22COAM+3,00?34914", -5300, 0, "MS03"),
        ("C47,00", "166?00GUT?20EREF+E1?21OAMT+50,00?22COAM+3,00", 5000, 300, None),
        ("D53,00", "/RTRN/MS03/MARF/M1/OCMT/EUR50,/CHGS/EUR3,/", -5000, 300, "MS03"),
        ("D53,00", "/RTRN/AM04/MARF/M1/OCMT/USD50,/", -5300, 0, "AM04"),
    ],
)
def test_a_return_is_its_amount_and_the_charges_of_the_bank(
    entry: str, info: str, amount: int, charges: int, reason: str | None
) -> None:
    """What was collected goes back, and what the bank took for it is a fee of the same entry."""
    found = item(f":61:2601050105{entry}NRTINONREF//B", f":86:{info}")
    assert (found.amount_minor, found.charges_minor) == (amount, charges)
    assert found.return_reason == reason


def test_amounts_of_a_return_may_stand_below_the_entry() -> None:
    """The second line of `:61:` holds them in the form that SWIFT gives."""
    found = item(":61:2601050105D53,NRTINONREF//B", "/OCMT/EUR50,/CHGS/EUR3,/", ":86:109?20MREF+M1")
    assert (found.amount_minor, found.charges_minor, found.mandate_ref) == (-5000, 300, "M1")


def test_slash_codes_of_dutch_banks() -> None:
    """ING writes the other side in one code; ABN AMRO writes a code for each part of it."""
    ing = item(
        ":61:2601050105C1,NTRFEREF//B",
        f":86:/EREF/E2E/1//MARF/M-1//CSID/NL12ZZZ//CNTP/{IBAN}/BANKDEFF/Renate B",
        "eispiel/Berlin//REMI/USTD//Rate 3 van de lening/",
    )
    assert (ing.end_to_end_id, ing.mandate_ref) == ("E2E/1", "M-1")
    assert ing.counterparty == Party("Renate Beispiel", IBAN, "BANKDEFF")
    abn = only(
        ":61:2601050105C1,N247NONREF",
        f":86:/TRTP/SEPA OVERBOEKING/IBAN/{IBAN}/BIC/BANKDEFF",
        "/NAME/R BEISPIEL/REMI/LOAN-4711/EREF/NOTPROVIDED",
    )
    assert abn.items[0].references == ("LOAN-4711",)
    assert abn.items[0].counterparty == Party("R BEISPIEL", IBAN, "BANKDEFF")
    structured = item(":61:2601050105C1,NTRFX", ":86:/EREF/E1//REMI/STRD/CUR/9000000000000001/")
    assert structured.references == ("E1", "9000000000000001")


@pytest.mark.parametrize(
    ("info", "batch", "count"),
    [
        (":86:192?00SAMMLER?20KREF+PAYINF-1", "PAYINF-1", None),
        (":86:/PREF/PAYINF-1//NRTX/23/", "PAYINF-1", 23),
        (":86:/PREF/PAYINF-1/", "PAYINF-1", None),
    ],
)
def test_a_batch_has_its_reference_and_no_items(info: str, batch: str, count: int | None) -> None:
    """One amount for many payments: matched by the batch, with or without a number of payments."""
    line = only(":61:2601050105C1,NTRFNONREF//B", info)
    assert (line.batch_ref, line.batch_count, line.items) == (batch, count, ())


def test_a_batch_without_details_takes_the_customers_reference() -> None:
    """Nothing but the code of a batch: the reference in the entry names it."""
    line = only(":61:2601050105C1,NTRFPAYINF-2//B", ":86:192?00SAMMLER")
    assert (line.batch_ref, line.items) == ("PAYINF-2", ())
