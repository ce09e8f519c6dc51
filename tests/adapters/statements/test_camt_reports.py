"""camt.052 and camt.054, every version, pending entries, and what people are shown of an entry."""

from io import BytesIO

import pytest

from adapters.statements.camt import CamtReader
from domain.matching.reference import virtual_account
from domain.statement.statement import (
    BalanceKind,
    DocumentKind,
    EntryStatus,
    FaultRule,
    Party,
    Statement,
)
from ports.statements import REFUSALS_MOST, StatementRefused

MESSAGES = {
    "052": ("BkToCstmrAcctRpt", "Rpt", DocumentKind.REPORT),
    "053": ("BkToCstmrStmt", "Stmt", DocumentKind.STATEMENT),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", DocumentKind.NOTIFICATION),
}


def document(message: str, version: int, *inside: str) -> bytes:
    root, name, _ = MESSAGES[message]
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.{version:02d}"
    return (
        f'<Document xmlns="{space}">\n<{root}>\n<GrpHdr><MsgId>M</MsgId></GrpHdr>\n<{name}>'
        f"<Id>R1</Id><Acct><Id><IBAN>DE02</IBAN></Id><Ccy>EUR</Ccy></Acct>\n{''.join(inside)}"
        f"</{name}></{root}></Document>"
    ).encode()


def balance(code: str, amount: str, side: str = "CRDT") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>2026-01-05</Dt></Dt></Bal>\n"
    )


def entry(amount: str, status: str = "<Cd>BOOK</Cd>", details: str = "", more: str = "") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{more}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-01-05</Dt></BookgDt>{details}</Ntry>\n"
    )


def read(content: bytes) -> Statement:
    (one,) = CamtReader().read(BytesIO(content))
    return one


@pytest.mark.parametrize("message", sorted(MESSAGES))
@pytest.mark.parametrize("version", [*range(2, 14), 14, 37])
def test_every_version_and_later_ones_are_read(message: str, version: int) -> None:
    """Two entries in each version of each message, and in versions that nobody has written yet."""
    status = "<Cd>BOOK</Cd>" if version >= 8 else "BOOK"
    content = document(message, version, entry("1.50", status), entry("2.50", status))
    one = read(content)
    assert [line.amount_minor for line in one.lines] == [150, 250]
    assert one.kind is MESSAGES[message][2]
    survey = CamtReader().survey(BytesIO(content))
    assert survey.format == f"camt.{message}.001.{version:02d}"


@pytest.mark.parametrize("space", ["camt.053.001.01", "camt.055.001.08", "camt.053.002.08", "camt"])
def test_other_messages_are_refused(space: str) -> None:
    """The first version, other messages and other variants are not guessed at."""
    content = document("053", 8).replace(b"camt.053.001.08", space.encode())
    with pytest.raises(StatementRefused) as caught:
        read(content)
    assert (caught.value.field, caught.value.line) == ("Document/xmlns", 1)


def test_the_root_must_be_that_of_the_message() -> None:
    """A namespace of one message around another is broken, not a matter of taste."""
    content = document("052", 8).replace(b"camt.052", b"camt.053")
    with pytest.raises(StatementRefused) as caught:
        read(content)
    assert caught.value.field == "Document/BkToCstmrStmt"
    assert caught.value.value == "BkToCstmrAcctRpt"


def test_a_report_owes_no_balances_and_keeps_its_totals() -> None:
    """No balance is missing in a report; the number of entries that it states is compared."""
    totals = "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"
    interim = balance("ITBD", "5.00") + balance("ITAV", "4.00")
    (one,) = (
        CamtReader().survey(BytesIO(document("052", 8, interim, totals, entry("1.00")))).statements
    )
    assert [fault.rule for fault in one.faults] == [FaultRule.SUMMARY_COUNT_DIFFERS]
    assert [(found.kind, found.minor) for found in one.head.balances] == [
        (BalanceKind.INTERIM_BOOKED, 500),
        (BalanceKind.INTERIM_AVAILABLE, 400),
    ]


def test_every_balance_is_kept_as_stated() -> None:
    """Available and forward balances and those of the bank's own kind, besides the booked ones."""
    own = balance("OPBD", "1.00").replace("<Cd>OPBD</Cd>", "<Prtry>MINE</Prtry>")
    codes = ("OPBD", "CLBD", "OPAV", "CLAV", "FWAV")
    stated = "".join(balance(code, f"{n}.00", "DBIT") for n, code in enumerate(codes, 1))
    one = read(document("053", 8, stated, own))
    assert [found.kind.value for found in one.balances] == [
        "opening_booked",
        "closing_booked",
        "opening_available",
        "closing_available",
        "forward_available",
        "other",
    ]
    assert (one.opening_minor, one.closing_minor) == (-100, -200)


def test_entries_that_are_not_booked_are_shown_and_are_no_lines() -> None:
    """Pending, future and information: each with its status, without an id, and outside the sum."""
    states = ("<Cd>PDNG</Cd>", "<Cd>FUTR</Cd>", "<Cd>INFO</Cd>", "<Prtry>HELD</Prtry>")
    entries = [entry("1.00"), *(entry("7.00", status) for status in states)]
    content = document("053", 8, balance("OPBD", "0.00"), balance("CLBD", "1.00"), *entries)
    one = read(content)
    assert [line.amount_minor for line in one.lines] == [100]
    assert [(line.status, line.id) for line in one.pending] == [
        (EntryStatus.PENDING, ""),
        (EntryStatus.FUTURE, ""),
        (EntryStatus.INFORMATION, ""),
        (EntryStatus.INFORMATION, ""),
    ]
    (found,) = CamtReader().survey(BytesIO(content)).statements
    assert (found.faults, found.lines, found.left_out) == ((), 1, 4)


def test_pages_are_bounded_by_entries_of_any_status() -> None:
    """Five pending entries and five booked ones in pages of two: no page holds more than two."""
    entries = [entry("1.00", "<Cd>PDNG</Cd>") + entry("2.00") for _ in range(5)]
    pages = list(CamtReader(page_lines=2).pages(BytesIO(document("053", 8, *entries))))
    sizes = [len(page.lines) + len(page.pending) for page in pages]
    assert sizes == [2, 2, 2, 2, 2]
    assert pages[-1].left_out == 5


DETAILS = (
    "<NtryDtls><TxDtls><Refs><MsgId>MSG</MsgId><AcctSvcrRef>AS</AcctSvcrRef>"
    "<InstrId>IN</InstrId><EndToEndId>E1</EndToEndId><UETR>U</UETR></Refs>"
    "<RltdPties><Dbtr>{debtor}</Dbtr><DbtrAcct><Id><IBAN>DE77</IBAN></Id></DbtrAcct>"
    "<Cdtr><Nm>Payee</Nm></Cdtr></RltdPties>"
    "<RltdAgts><DbtrAgt><FinInstnId><{bic}>BANKDEFF</{bic}></FinInstnId></DbtrAgt></RltdAgts>"
    "</TxDtls></NtryDtls>"
)


@pytest.mark.parametrize(
    ("debtor", "bic"), [("<Nm>Payer</Nm>", "BIC"), ("<Pty><Nm>Payer</Nm></Pty>", "BICFI")]
)
def test_the_other_side_and_all_references_are_shown(debtor: str, bic: str) -> None:
    """Of a credit the debtor, of a debit the creditor; names stand in `Pty` since version 8."""
    details = DETAILS.format(debtor=debtor, bic=bic)
    (item,) = read(document("053", 8, entry("1.00", details=details))).lines[0].items
    assert item.counterparty == Party("Payer", "DE77", "BANKDEFF")
    assert dict(item.other_refs) == {
        "MsgId": "MSG",
        "AcctSvcrRef": "AS",
        "InstrId": "IN",
        "UETR": "U",
    }
    debit = entry("1.00", details=details).replace("CRDT", "DBIT")
    (paid,) = read(document("053", 8, debit)).lines[0].items
    assert paid.counterparty == Party(name="Payee")


def test_the_virtual_account_that_a_credit_came_to_is_shown() -> None:
    """An account with right check digits is a reference of a credit; any other is left out."""
    number = f"622800{virtual_account('L1')}"
    details = (
        "<NtryDtls><TxDtls><RltdPties><CdtrAcct><Id><Othr><Id>{}</Id></Othr></Id></CdtrAcct>"
        "</RltdPties></TxDtls></NtryDtls>"
    )
    credit = entry("1.00", details=details.format(number))
    (item,) = read(document("053", 8, credit)).lines[0].items
    assert item.other_refs == (("CdtrAcct", number),)
    plain = entry("1.00", details=details.format(number[:-1] + "x"))
    for other in (plain, credit.replace("CRDT", "DBIT")):
        (item,) = read(document("053", 8, other)).lines[0].items
        assert item.other_refs == ()


def test_amounts_are_shown_as_printed() -> None:
    """8.850 is 885 cents and is shown as 8.850; a zero entry is an entry."""
    one = read(document("053", 8, entry("8.850"), entry("0"), entry(".5")))
    assert [(line.amount_minor, line.printed) for line in one.lines] == [
        (885, "8.850"),
        (0, "0"),
        (50, ".5"),
    ]


def test_a_reversal_is_marked_and_keeps_its_direction() -> None:
    """The bank takes back a debit: a credit entry that says so."""
    one = read(document("053", 8, entry("1.00", more="<RvslInd>true</RvslInd>")))
    assert (one.lines[0].amount_minor, one.lines[0].reversal) == (100, True)


def test_all_fields_that_break_a_rule_are_reported_at_once() -> None:
    """Three entries with a fault of their own in a file: three refusals, each with its line."""
    bad = [
        entry("1.005"),
        entry("1.00"),
        entry("1.00").replace("2026-01-05", "2026-02-30"),
        entry("1.00", "<Cd></Cd>"),
    ]
    with pytest.raises(StatementRefused) as caught:
        read(document("053", 8, *bad))
    found = (caught.value, *caught.value.others)
    assert [(one.field, one.line) for one in found] == [
        ("Ntry/Amt", 5),
        ("Ntry/BookgDt/Dt", 7),
        ("Ntry/Sts", 8),
    ]
    assert str(caught.value).count("\n") == 2


def test_the_number_of_refusals_is_limited() -> None:
    """A file that is wrong on every line is not read to its end."""
    with pytest.raises(StatementRefused) as caught:
        read(document("053", 8, *[entry("1.005")] * 100))
    assert len(caught.value.others) == REFUSALS_MOST - 1
    assert caught.value.others[-1].line == 4 + REFUSALS_MOST


def test_no_page_comes_after_what_is_refused() -> None:
    """Entries that were read before it may have been given; none behind it is."""
    entries = [entry("1.00"), entry("1.00"), entry("x"), entry("1.00"), entry("1.00")]
    pages = CamtReader(page_lines=1).pages(BytesIO(document("053", 8, *entries)))
    assert [len(next(pages).lines) for _ in range(2)] == [1, 1]
    with pytest.raises(StatementRefused):
        next(pages)
