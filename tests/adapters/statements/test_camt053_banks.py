"""The reader on what banks do: totals of their own, pages, sums of batches, references in texts.

Small files of our own, shaped after published samples; their figures are written down here.
"""

import bz2
import gzip
import lzma
from io import BytesIO

import pytest

from adapters.statements.anyfile import StatementFileReader
from domain.statement.statement import Fault, FaultRule, LineItem, Statement
from ports.statements import StatementRefused
from tests.adapters.statements import camt_writer

NO_CURRENCY = "X" * 3
"""The code of ISO 4217 that means that no currency is involved."""
NAMESPACE = camt_writer.NAMESPACE.format(8)
ENTRY = """<Ntry>
<Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd>
<Sts><Cd>{status}</Cd></Sts>
<BookgDt><Dt>2014-12-31</Dt></BookgDt>
<ValDt><Dt>2015-01-02</Dt></ValDt>
<NtryDtls>{details}</NtryDtls>
</Ntry>
"""


def entry(amount: str, details: str = "", status: str = "BOOK") -> str:
    return ENTRY.format(amount=amount, details=details, status=status)


def balance(code: str, amount: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        "<Dt><Dt>2014-12-31</Dt></Dt></Bal>"
    )


def stmt(*inside: str, pages: str = "", account: str = "A1") -> str:
    return (
        f"<Stmt>\n<Id>S1</Id>{pages}<ElctrncSeqNb>7</ElctrncSeqNb>\n"
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>EUR</Ccy></Acct>\n"
        f"{''.join(inside)}</Stmt>"
    )


def file(*statements: str) -> bytes:
    text = f'<Document xmlns="{NAMESPACE}">\n<BkToCstmrStmt>\n{"".join(statements)}\n'
    return f"{text}</BkToCstmrStmt></Document>".encode()


def read(*inside: str) -> Statement:
    (one,) = StatementFileReader().read(BytesIO(file(stmt(*inside))))
    return one


def faults(content: bytes) -> list[tuple[Fault, ...]]:
    return [one.faults for one in StatementFileReader().survey(BytesIO(content)).statements]


def refused(content: bytes) -> StatementRefused:
    with pytest.raises(StatementRefused) as caught:
        StatementFileReader().survey(BytesIO(content))
    return caught.value


SUMMARY = (
    "<TxsSummry><TtlNtries><NbOfNtries>{number}</NbOfNtries><Sum>{sum}</Sum>"
    "<TtlNetNtry><Amt>{sum}</Amt><CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry></TtlNtries>"
    "<TtlCdtNtries><NbOfNtries>{number}</NbOfNtries><Sum>{sum}</Sum></TtlCdtNtries></TxsSummry>"
)
OPEN, CLOSE = balance("OPBD", "18.15"), balance("CLBD", "27.00")


def test_the_banks_own_totals_are_read_and_compared() -> None:
    """8.85 in one entry, and a summary that says two entries, or 8.86."""
    right = SUMMARY.format(number=1, sum="8.85")
    assert faults(file(stmt(OPEN, CLOSE, right, entry("8.85")))) == [()]
    two = SUMMARY.format(number=2, sum="8.85")
    assert faults(file(stmt(OPEN, CLOSE, two, entry("8.85")))) == [
        (Fault(FaultRule.SUMMARY_COUNT_DIFFERS, "S1", 2, 1),)
    ]
    more = SUMMARY.format(number=1, sum="8.86")
    assert faults(file(stmt(OPEN, CLOSE, more, entry("8.85")))) == [
        (Fault(FaultRule.SUMMARY_SUM_DIFFERS, "S1", 886, 885),)
    ]


def test_the_net_of_older_versions_and_pending_entries_are_read_as_well() -> None:
    """Up to version 3 the net is an amount with a sign beside it; a summary may count pending."""
    old = (
        "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries><TtlNetNtryAmt>9.85</TtlNetNtryAmt>"
        "<CdtDbtInd>CRDT</CdtDbtInd></TtlNtries></TxsSummry>"
    )
    pending = entry("1.00", status="PDNG")
    assert faults(file(stmt(OPEN, CLOSE, old, entry("8.85"), pending))) == [()]
    assert faults(file(stmt(OPEN, CLOSE, old, entry("8.85")))) != [()]


@pytest.mark.parametrize(
    ("reported", "net"),
    [
        ("<TtlNetNtryAmt>-8.85</TtlNetNtryAmt><CdtDbtInd>DBIT</CdtDbtInd>", -885),
        ("<TtlNetNtryAmt>8.85</TtlNetNtryAmt><CdtDbtInd>DBIT</CdtDbtInd>", -885),
        ("<TtlNetNtryAmt>-8.85</TtlNetNtryAmt>", -885),
        ("<TtlNetNtryAmt>8.85</TtlNetNtryAmt>", None),
        ("", None),
    ],
)
def test_totals_are_numbers_and_may_have_a_sign(reported: str, net: int | None) -> None:
    """The schema allows -8.85 in a total: the file is read, and the figure is held to."""
    total = f"<TxsSummry><TtlNtries><Sum>-8.85</Sum>{reported}</TtlNtries></TxsSummry>"
    content = file(stmt(OPEN, balance("CLBD", "9.30"), total, debit("8.85")))
    (one,) = StatementFileReader().survey(BytesIO(content)).statements
    assert one.faults == ()
    assert one.head.summary is not None
    assert (one.head.summary.entries.sum_minor, one.head.summary.net) == (885, net)


def test_a_total_that_is_no_number_is_refused() -> None:
    """Two signs, or none of a number: field and rule are named."""
    for wrong in ("--8.85", "-", "8,85"):
        total = f"<TxsSummry><TtlNtries><Sum>{wrong}</Sum></TtlNtries></TxsSummry>"
        said = refused(file(stmt(OPEN, CLOSE, total, entry("8.85"))))
        assert (said.field, said.rule) == ("TtlNtries/Sum", "a decimal, at most 18 digits")


def debit(amount: str) -> str:
    return entry(amount).replace("CRDT", "DBIT")


def test_a_long_text_for_people_is_cut() -> None:
    """Nothing is matched by it, so no file is refused for its length."""
    long = entry("8.85").replace("</Ntry>", f"<AddtlNtryInf>{'x' * 600}</AddtlNtryInf></Ntry>")
    (statement,) = StatementFileReader().read(BytesIO(file(stmt(OPEN, CLOSE, long))))
    assert statement.lines[0].text == "x" * 500


def test_items_in_another_currency_are_worth_what_they_came_to() -> None:
    """Two transactions in kronor, booked as 8.85 euro: each with its counter value."""
    details = "".join(
        f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>"
        f'<Amt Ccy="SEK">{kronor}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f'<AmtDtls><InstdAmt><Amt Ccy="SEK">{kronor}</Amt></InstdAmt>'
        f'<CntrValAmt><Amt Ccy="EUR">{euro}</Amt></CntrValAmt></AmtDtls></TxDtls>'
        for name, kronor, euro in (("E1", "50.00", "5.00"), ("E2", "38.50", "3.85"))
    )
    content = file(stmt(OPEN, CLOSE, entry("8.85", details)))
    (statement,) = StatementFileReader().read(BytesIO(content))
    assert [item.amount_minor for item in statement.lines[0].items] == [500, 385]
    assert faults(content) == [()]


def pages(number: int, last: str) -> str:
    return f"<StmtPgntn><PgNb>{number}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>"


def test_pages_of_one_file_add_up_together() -> None:
    """18.15 + 8.85 on two pages is 27.00, whether a page states interim balances or none."""
    half, rest = entry("5.00"), entry("3.85")
    first = stmt(OPEN, balance("ITBD", "23.15"), half, pages=pages(1, "false"))
    second = stmt(balance("ITBD", "23.15"), CLOSE, rest, pages=pages(2, "true"))
    assert faults(file(first, second)) == [(), ()]
    bare = stmt(OPEN, half, pages=pages(1, "false"))
    assert faults(file(bare, stmt(CLOSE, rest, pages=pages(2, "true")))) == [(), ()]
    assert faults(file(bare, stmt(CLOSE, half, pages=pages(2, "true")))) != [(), ()]
    wrong = stmt(CLOSE, entry("3.86"), pages=pages(2, "true"))
    assert faults(file(first, wrong)) == [
        (),
        (Fault(FaultRule.BALANCE_DIFFERS, "S1/p2", 2700, 2701),),
    ]


def test_a_page_alone_is_not_judged_and_its_summary_may_be_of_the_whole() -> None:
    """What lacks may be in another file; a summary of page or whole is right on every page."""
    whole = SUMMARY.format(number=2, sum="8.85")
    first = stmt(OPEN, whole, entry("5.00"), pages=pages(1, "false"))
    own = SUMMARY.format(number=1, sum="3.85")
    second = stmt(CLOSE, own, entry("3.85"), pages=pages(2, "true"))
    assert faults(file(first)) == [()]
    assert faults(file(first, second)) == [(), ()]
    bad = stmt(CLOSE, SUMMARY.format(number=9, sum="3.85"), entry("3.85"), pages=pages(2, "true"))
    assert [fault.rule for fault in faults(file(first, bad))[1]] == [
        FaultRule.SUMMARY_COUNT_DIFFERS,
        FaultRule.SUMMARY_SUM_DIFFERS,
    ]


BATCH = "<Btch><PmtInfId>B7</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>"


def test_a_batch_summed_in_one_transaction_has_no_items() -> None:
    """Three debits in one TxDtls of their sum: known by the batch, and no count differs."""
    summed = (
        "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        '<Amt Ccy="EUR">8.85</Amt></TxDtls>'
    )
    line = read(entry("8.85", BATCH + summed)).lines[0]
    assert (line.batch_ref, line.batch_count, line.items) == ("B7", 3, ())
    assert faults(file(stmt(OPEN, CLOSE, entry("8.85", BATCH + summed)))) == [()]


def test_one_of_three_transactions_is_still_one_of_three() -> None:
    """A single transaction that is not the whole sum stays, and the count differs."""
    part = '<TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs><Amt Ccy="EUR">5.00</Amt></TxDtls>'
    rules = [
        fault.rule for fault in faults(file(stmt(OPEN, CLOSE, entry("8.85", BATCH + part))))[0]
    ]
    assert rules == [FaultRule.ITEMS_DIFFER, FaultRule.BATCH_COUNT_DIFFERS]


def test_a_transaction_that_names_nothing_but_its_batch_is_the_batch() -> None:
    """Some banks give no Btch and name the batch in the only transaction."""
    named = "<TxDtls><Refs><PmtInfId>B8</PmtInfId></Refs></TxDtls>"
    line = read(entry("8.85", named)).lines[0]
    assert (line.batch_ref, line.items) == ("B8", ())
    own = "<TxDtls><Refs><EndToEndId>E1</EndToEndId><PmtInfId>B8</PmtInfId></Refs></TxDtls>"
    assert len(read(entry("8.85", own)).lines[0].items) == 1


def test_references_inside_a_batch_are_kept_item_by_item() -> None:
    """QR reference, creditor reference and one-word text name their payment; prose does not."""
    details = "".join(
        f'<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>'
        f"<RmtInf>{info}</RmtInf></TxDtls>"
        for amount, info in (
            (
                "5.00",
                "<Strd><CdtrRefInf><Ref>210000000003139471430009017</Ref></CdtrRefInf></Strd>",
            ),
            ("2.85", "<Ustrd>RF18539007547034</Ustrd>"),
            ("1.00", "<Ustrd>thank you very much</Ustrd>"),
        )
    )
    items = read(entry("8.85", details)).lines[0].items
    assert [item.references for item in items] == [
        ("210000000003139471430009017",),
        ("RF18539007547034",),
        (),
    ]
    assert items[0] == LineItem(None, None, None, 500, remittance=items[0].references)


def test_white_space_in_references_is_no_part_of_them() -> None:
    """A text wrapped over two lines is one line; a CR at the end of a reference is not in it."""
    details = (
        "<TxDtls><Refs><EndToEndId>\n  T-77&#13;\n</EndToEndId></Refs>"
        "<RmtInf><Ustrd>two\nlines&#x2028;here</Ustrd></RmtInf></TxDtls>"
    )
    line = read(entry("8.85", details)).lines[0]
    assert line.items[0].end_to_end_id == "T-77"
    assert line.text == "two lines here"


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        ("<Id>S1</Id>", "<Id>S\n1</Id>", "Stmt/Id", 4),
        ("<Id>S1</Id>", "<Id>S&#x85;1</Id>", "Stmt/Id", 4),
        ("<Id>S1</Id>", "", "Stmt/Id", 3),
        ("<Id>A1</Id>", "<Id>A&#9;1</Id>", "Stmt/Acct/Id/Othr/Id", 5),
        ("<Ccy>EUR</Ccy>", "<Ccy>ZZZ</Ccy>", "Stmt/Acct/Ccy", 5),
        ("<Ccy>EUR</Ccy>", f"<Ccy>{NO_CURRENCY}</Ccy>", "Stmt/Acct/Ccy", 5),
        ("2015-01-02", "2015-02-30", "Ntry/ValDt/Dt", 12),
        ("<Cd>BOOK</Cd>", "", "Ntry/Sts", 10),
        ('<Amt Ccy="EUR">8.85', f'<Amt Ccy="{NO_CURRENCY}">8.85', "Ntry/Amt/@Ccy", 8),
        ("CRDT</CdtDbtInd>\n<Sts>", "CREDIT</CdtDbtInd>\n<Sts>", "Ntry/CdtDbtInd", 9),
    ],
)
def test_a_refusal_names_the_line_of_its_field(old: str, new: str, field: str, line: int) -> None:
    """Not the line of the entry that was being read when the fault was found."""
    content = file(stmt(OPEN, CLOSE, "\n", entry("8.85"))).decode()
    assert old in content
    caught = refused(content.replace(old, new, 1).encode())
    assert (caught.field, caught.line) == (field, line)


def test_the_line_of_a_later_statement_and_of_its_second_balance() -> None:
    """Places are counted among what is left of the file, not from its start."""
    bad = stmt(OPEN, "\n", CLOSE.replace("CRDT", "UP"), "\n", entry("1.00"))
    content = file(stmt(OPEN, CLOSE, entry("8.85"), entry("1.00")), "\n", bad)
    caught = refused(content)
    assert caught.field == "Bal/CdtDbtInd"
    assert caught.line is not None
    assert "UP" in content.decode().splitlines()[caught.line - 1]


@pytest.mark.parametrize(
    ("content", "field", "named"),
    [
        (gzip.compress(b"<Document/>", mtime=0), "format", "gzip"),
        (b"PK\x03\x04", "format", "zip archive or spreadsheet (xlsx)"),
        (bz2.compress(b"<Document/>"), "format", "bzip2"),
        (lzma.compress(b"<Document/>"), "format", "xz"),
        (b"\xd0\xcf\x11\xe0", "format", "old spreadsheet or document (xls, doc)"),
        (b"%PDF-1.7", "format", "PDF"),
        (
            f'<Envelope><Document xmlns="{NAMESPACE}"/></Envelope>'.encode(),
            "root element",
            "Envelope",
        ),
        (b"<Document><BkToCstmrStmt/></Document>", "Document/xmlns", "none"),
    ],
)
def test_other_formats_are_refused_by_name(content: bytes, field: str, named: str) -> None:
    """Nobody has to guess that a good file of another kind is broken XML."""
    caught = refused(content)
    assert (caught.field, caught.value, caught.line) == (field, named, 1)


def test_the_period_is_what_the_bank_states_or_what_its_balances_say() -> None:
    """From and to, else the days of the balances, else the day of the message."""
    head = read(OPEN.replace("2014-12-31", "2014-12-01"), CLOSE)
    assert [str(day) for day in head.period or ()] == ["2014-12-01", "2014-12-31"]
    stated = "<FrToDt><FrDt>2014-12-30</FrDt><ToDt>2014-12-31</ToDt></FrToDt>"
    assert [str(day) for day in read(stated).period or ()] == ["2014-12-30", "2014-12-31"]
    message = read("<CreDtTm>2015-01-03T01:00:00Z</CreDtTm>")
    assert ([str(day) for day in message.period or ()], message.booked_on) == (
        ["2015-01-03", "2015-01-03"],
        None,
    )
    assert read().period is None


def test_a_day_whose_entry_is_valued_tomorrow_adds_up() -> None:
    """Published samples value an entry of 31 December on 2 January: it is December's money."""
    one = read(OPEN, CLOSE, entry("8.85"))
    assert (str(one.lines[0].booked_on), str(one.lines[0].value_on)) == ("2014-12-31", "2015-01-02")
    assert faults(file(stmt(OPEN, CLOSE, entry("8.85")))) == [()]
