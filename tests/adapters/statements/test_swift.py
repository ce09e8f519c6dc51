"""MT940 and MT942: entries, reversals, pages, details of several countries, and what is refused."""

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from adapters.statements.anyfile import StatementFileReader
from adapters.statements.guarded import Limits
from adapters.statements.mt940 import SwiftReader
from domain.statement.statement import (
    BalanceKind,
    DocumentKind,
    EntryStatus,
    Fault,
    FaultRule,
    LineItem,
    Party,
    Statement,
    StatementLine,
)
from ports.statements import StatementRefused

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "statements" / "mt940"
IBAN = "DE02120300000000202051"


def message(
    *entries: str, opens: str = "C260105EUR100,00", closes: str = "C260105EUR100,00"
) -> str:
    return "\r\n".join(
        [":20:X", ":25:A1", ":28C:7/1", f":60F:{opens}", *entries, f":62F:{closes}", "-", ""]
    )


def read(text: str) -> list[Statement]:
    return list(SwiftReader().read(BytesIO(text.encode())))


def only(*entries: str) -> StatementLine:
    (one,) = read(message(*entries))
    (line,) = (*one.lines, *one.pending)
    return line


def item(*entries: str) -> LineItem:
    (found,) = only(*entries).items
    return found


def refused(text: str | bytes, limits: Limits | None = None) -> StatementRefused:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(StatementRefused) as caught:
        SwiftReader(limits).survey(BytesIO(content))
    return caught.value


def faults(text: str) -> list[tuple[Fault, ...]]:
    survey = SwiftReader().survey(BytesIO(text.encode()))
    return [one.faults for one in survey.statements]


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
    "m Vertrag 47?24und mehr?30BANKDEFF?31DE42100100100043921105?32Renate Beispiel lang genug",
    "?33er Name?60noch mehr",
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


def test_what_is_no_message_is_refused() -> None:
    """Text without a message, a message that begins in its middle, entries before a balance."""
    assert refused("hello\r\nworld\r\n").field == ":20:"
    assert refused("hello\r\n" * 30).field == ":20:"
    assert refused(":25:A1\r\n:28C:1\r\n").rule == "a message begins with :20:"
    early = message().replace(":60F:", ":61:260105C1,NTRFX\r\n:60F:")
    assert refused(early).rule == "an opening balance before the entries"


def test_a_file_cut_off_anywhere_is_refused_or_says_what_is_missing() -> None:
    """No prefix of a statement that ends before its closing balance is taken for one."""
    whole = message(
        ":61:2601050105C1,00NTRFNONREF//B", ":86:166?20EREF+E1", closes="C260105EUR101,00"
    )
    end = whole.index(":62F:") + len(":62F:C260105EUR101")
    for length in range(end):
        assert refused(whole[:length]).field
    assert faults(whole) == [()]


def test_hostile_files_are_refused_within_limits() -> None:
    """NUL bytes, endless lines and fields, too many statements and entries, UTF-16, archives."""
    entry = ":61:2601050105C1,00NTRFNONREF"
    assert refused(message(entry + "\x00")).value == "a NUL byte"
    assert refused(message(":86:" + "x" * 100_000)).field == "line"
    assert refused(message(entry, ":86:x", *["y"] * 600)).field == ":86:"
    assert refused(message(entry, ":86:x", *["y" * 40_000] * 2)).field == ":86:"
    assert refused(message() * 3, Limits(statements=2)).field == ":20:"
    assert refused(message(entry, entry, entry), Limits(entries=2)).field == ":61:"
    assert refused(message(), Limits(size_bytes=50)).field == "file"
    assert refused(message(*[f":{n}X:a" for n in range(10, 99)] * 3)).rule
    assert refused(message().encode("utf-16")).value == "UTF-16"
    assert refused(b"PK\x03\x04" + message().encode()).field == "format"


def test_ends_of_lines_and_letters_of_old_files() -> None:
    """CR LF, LF and CR, and letters in Windows-1252 or UTF-8, read alike."""
    text = message(":61:2601050105C1,00NTRFNONREF//B", ":86:166?20SVWZ+Müller & Söhne")
    texts = set()
    for end in ("\r\n", "\n", "\r"):
        for encoding in ("utf-8", "cp1252", "utf-8-sig"):
            content = text.replace("\r\n", end).encode(encoding)
            (one,) = StatementFileReader().read(BytesIO(content))
            texts.add(one.lines[0].text)
    assert texts == {"Müller & Söhne"}


needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample statements are not here")


@needs_samples
def test_a_german_file_of_many_accounts_reads_as_its_bank_meant_it() -> None:
    """Twenty accounts, five of them on several pages, 97 lines, every balance right."""
    with (SAMPLES / "betterplace-sepa_mt9401.sta").open("rb") as source:
        survey = StatementFileReader().survey(source)
    assert survey.format == "MT940"
    assert len(survey.statements) == 26
    assert len({one.head.account for one in survey.statements}) == 20
    assert sum(one.lines for one in survey.statements) == 97
    assert [one.faults for one in survey.statements] == [()] * 26
    first = survey.statements[0]
    assert (first.head.opening_minor, first.sum_minor) == (-123_471_836, -290_987)
    with (SAMPLES / "betterplace-sepa_mt9401.sta").open("rb") as source:
        lines = [line for one in StatementFileReader().read(source) for line in one.lines]
    reasons = [found.return_reason for line in lines for found in line.items]
    assert {reason for reason in reasons if reason} == {"AC01", "AC06", "MS03"}
    assert [line.amount_minor for line in lines if line.reversal] == [-20_488, -20_488]
    batches = [line.batch_ref for line in lines if line.batch_ref]
    assert "TFNr 01005 PayId CTSc-01 EBB" in batches


@needs_samples
def test_the_dutch_files_read_and_say_what_does_not_add_up() -> None:
    """Both were made from other figures: a balance and totals that differ are faults."""
    with (SAMPLES / "jejik-abnamro.sta").open("rb") as source:
        whole, page = SwiftReader().survey(source).statements
    assert (whole.head.account, whole.head.id, whole.lines) == ("517852257", "2011-19321", 8)
    assert whole.faults == (Fault(FaultRule.BALANCE_DIFFERS, "2011-19321", 87_684, 292_384),)
    assert (page.head.is_last_page, page.sum_minor, page.faults) == (False, -2_449, ())
    with (SAMPLES / "jejik-ing.sta").open("rb") as source:
        (one,) = SwiftReader().survey(source).statements
    assert (one.head.account, one.lines, one.sum_minor) == ("0001234567", 7, -4_559)
    assert (one.head.opening_minor, one.head.closing_minor) == (0, 347)
    assert [fault.rule for fault in one.faults] == [
        FaultRule.BALANCE_DIFFERS,
        FaultRule.SUMMARY_COUNT_DIFFERS,
        FaultRule.SUMMARY_SUM_DIFFERS,
    ]


@needs_samples
def test_the_30th_of_february_is_refused_with_its_reason() -> None:
    """A day that does not exist is not moved to one that does."""
    found = refused((SAMPLES / "self-provided-february_30.sta").read_bytes())
    assert (found.field, found.value, found.line) == (":61: value date", "160230", 6)
    assert found.rule == "a date that exists, as YYMMDD"
