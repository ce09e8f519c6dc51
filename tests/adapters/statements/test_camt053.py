"""The reader on small files of our own: entries, returns, batches and charges as banks do them."""

import hashlib
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest

from adapters.statements.camt import CamtReader
from domain.statement.statement import LineItem, Statement, StatementLine
from ports.statements import StatementRefused
from tests.adapters.statements import camt_writer
from tests.support.totals import control_totals

DAY = date(2026, 1, 5)
ENTRY = (
    '<Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}<Sts>BOOK</Sts>'
    "<BookgDt><Dt>2026-01-05</Dt></BookgDt>{details}</Ntry>"
)


def read(entries: str, before: str = "", version: int = 2) -> Statement:
    """The one statement of a file whose entries are written out by the test."""
    namespace = camt_writer.NAMESPACE.format(version)
    text = (
        f'<Document xmlns="{namespace}"><BkToCstmrStmt>\n<Stmt><Id>S1</Id>'
        f"<Acct><Id><Othr><Id>A1</Id></Othr></Id><Ccy>CNY</Ccy></Acct>{before}\n"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    )
    (statement,) = CamtReader().read(BytesIO(text.encode()))
    return statement


def entry(amount: str, sign: str, details: str = "", more: str = "") -> str:
    return ENTRY.format(
        amount=amount, sign=sign, more=more, details=f"<NtryDtls>{details}</NtryDtls>"
    )


def test_a_returned_debit_keeps_amount_fee_and_reason_apart() -> None:
    """53.00 booked is 50.00 returned and 3.00 charged; without EndToEndId the mandate remains."""
    line = read(
        entry(
            "53.00",
            "DBIT",
            "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId><MndtId>M1</MndtId></Refs>"
            '<AmtDtls><InstdAmt><Amt Ccy="CNY">50.00</Amt></InstdAmt></AmtDtls>'
            '<Chrgs><Amt Ccy="CNY">3.00</Amt></Chrgs>'
            "<RtrInf><Rsn><Cd>MS03</Cd></Rsn></RtrInf></TxDtls>",
        )
    ).lines[0]
    assert line.amount_minor == -5300
    assert line.items == (LineItem(None, "M1", None, -5000, 300, "MS03"),)


def test_a_transaction_amount_that_already_holds_the_fee_is_taken_apart() -> None:
    """Some banks repeat the booked 53.00 on the transaction: the item is still 50.00 and 3.00."""
    details = (
        '<TxDtls><Amt Ccy="CNY">53.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Chrgs><Rcrd>'
        '<Amt Ccy="CNY">3.00</Amt><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs></TxDtls>'
    )
    (item,) = read(entry("53.00", "DBIT", details)).lines[0].items
    assert (item.amount_minor, item.charges_minor) == (-5000, 300)


def test_charges_booked_on_their_own_are_not_in_this_line() -> None:
    """A charge that says it is not included leaves the item at its full amount."""
    details = (
        '<TxDtls><Amt Ccy="CNY">50.00</Amt><Chrgs><Rcrd><Amt Ccy="CNY">3.00</Amt>'
        "<ChrgInclInd>false</ChrgInclInd></Rcrd></Chrgs></TxDtls>"
    )
    (item,) = read(entry("50.00", "CRDT", details)).lines[0].items
    assert (item.amount_minor, item.charges_minor) == (5000, 0)


def test_charges_of_the_entry_belong_to_its_only_transaction() -> None:
    """A fee stated on the entry is the fee of its one transaction."""
    details = '<TxDtls><AmtDtls><InstdAmt><Amt Ccy="CNY">50.00</Amt></InstdAmt></AmtDtls></TxDtls>'
    fee = '<Chrgs><Amt Ccy="CNY">0.30</Amt></Chrgs>'
    line = read(entry("49.70", "CRDT", details, fee)).lines[0]
    assert (line.items[0].amount_minor, line.items[0].charges_minor) == (5000, 30)
    assert line.charges_minor == 0


def test_a_return_without_a_reason_is_a_return() -> None:
    """RtrInf alone says that money came back; the reason is then named as unstated."""
    (item,) = read(entry("5.00", "DBIT", "<TxDtls><RtrInf/></TxDtls>")).lines[0].items
    assert (item.return_reason, item.amount_minor) == ("UNSTATED", -500)


def test_the_reversal_flag_does_not_turn_the_sign_round() -> None:
    """CRDT with RvslInd true is money coming in: a debit was reversed."""
    line = read(entry("5.00", "CRDT", more="<RvslInd>true</RvslInd>")).lines[0]
    assert (line.reversal, line.amount_minor) == (True, 500)


def test_a_batch_is_one_line_with_many_items() -> None:
    """One entry for three debits keeps each order number and the bank's own count."""
    details = "<Btch><PmtInfId>B7</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>" + "".join(
        f'<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy="CNY">{n}.00</Amt></TxDtls>'
        for n in (1, 2, 3)
    )
    line = read(entry("6.00", "CRDT", details), version=8).lines[0]
    assert (line.batch_ref, line.batch_count, line.amount_minor) == ("B7", 3, 600)
    assert [(item.end_to_end_id, item.amount_minor) for item in line.items] == [
        ("E1", 100),
        ("E2", 200),
        ("E3", 300),
    ]


def test_a_batch_without_details_is_reported_by_reference_and_count() -> None:
    """A batch that lists nothing is still matched by its reference, count and sum."""
    details = "<Btch><PmtInfId>B7</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>"
    line = read(entry("6.00", "CRDT", details)).lines[0]
    assert (line.batch_ref, line.batch_count, line.items) == ("B7", 3, ())


def test_what_is_not_booked_is_left_out_and_counted() -> None:
    """A pending entry moves no money and is no line; ids of the booked ones do not shift."""
    pending = entry("9.00", "CRDT").replace("BOOK", "PDNG")
    document = camt_writer.document(Statement("S", "A", "CNY", 1, DAY, 0, 0))
    text = document.decode().replace("</Stmt>", f"{pending}{entry('1.00', 'CRDT')}</Stmt>")
    (page,) = CamtReader().pages(BytesIO(text.encode()))
    (booked,) = read(entry("1.00", "CRDT")).lines
    assert page.left_out == 1
    assert [line.id for line in page.lines] == [booked.id.replace("A1/", "A/")]


def test_a_zero_amount_is_a_line() -> None:
    """Banks book zero; it is kept and moves nothing."""
    assert read(entry("0", "CRDT")).lines[0].amount_minor == 0


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.001", "CNY"),
        ("10.5", "JPY"),
        ("1.0001", "KWD"),
        ("-1.00", "CNY"),
        ("1e3", "CNY"),
        ("", "CNY"),
        ("1,00", "CNY"),
        ("1.00", "cny"),
        ("1.00", ""),
        ("9" * 19, "CNY"),
    ],
)
def test_an_amount_that_is_not_exact_is_refused_with_field_and_line(
    amount: str, currency: str
) -> None:
    """No amount is rounded or guessed; the refusal names the element and its line."""
    text = entry(amount, "CRDT").replace('"CNY"', f'"{currency}"')
    with pytest.raises(StatementRefused) as caught:
        read(text)
    assert caught.value.line == 3
    assert caught.value.field in {"Ntry/Amt", "Ntry/Amt/@Ccy"}


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("1.0010", "KWD", 1001), ("10.000", "JPY", 10), (".5", "CNY", 50), ("+5.", "CNY", 500)],
)
def test_every_exact_spelling_of_an_amount_is_read(amount: str, currency: str, minor: int) -> None:
    """Surplus zeros and XML's short decimals are the same number."""
    line = read(entry(amount, "CRDT").replace('"CNY"', f'"{currency}"')).lines[0]
    assert (line.amount_minor, line.currency) == (minor, currency)


def test_a_previous_closing_balance_opens_where_no_opening_is_given() -> None:
    """PRCD stands for OPBD; available and forward balances are not booked ones."""
    before = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{minor}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2026-01-05</Dt></Dt></Bal>"
        for code, minor, sign in (
            ("FWAV", "9.00", "CRDT"),
            ("PRCD", "2.00", "DBIT"),
            ("CLBD", "3.00", "CRDT"),
            ("CLAV", "4.00", "CRDT"),
        )
    )
    one = read(entry("5.00", "CRDT"), before)
    assert (one.opening_minor, one.closing_minor) == (-200, 300)
    assert control_totals(one) == ()


def test_a_date_that_does_not_exist_is_refused() -> None:
    """30 February is refused by name, not moved to March."""
    with pytest.raises(StatementRefused) as caught:
        read(entry("1.00", "CRDT").replace("2026-01-05", "2026-02-30"))
    assert (caught.value.field, caught.value.value) == ("Ntry/BookgDt/Dt", "2026-02-30")


def test_the_day_of_a_date_time_is_the_banks_own() -> None:
    """A booking at 00:30 in Shanghai is of that day, though it is still yesterday in UTC."""
    text = entry("1.00", "CRDT").replace(
        "<Dt>2026-01-05</Dt>", "<DtTm>2026-01-06T00:30:00+08:00</DtTm>"
    )
    assert read(text).lines[0].booked_on == date(2026, 1, 6)


def test_pages_are_bounded_and_their_ids_are_unique_and_stable() -> None:
    """1,201 entries make pages of 500, 500 and 201, with the same ids on every reading."""
    line = StatementLine("", "A", DAY, DAY, 1, "CNY", "same ref")
    file = camt_writer.document(Statement("S", "A", "CNY", 1, DAY, 0, 1201, (line,) * 1201))
    pages = list(CamtReader().pages(BytesIO(file)))
    assert [(page.number, len(page.lines), page.is_last) for page in pages] == [
        (0, 500, False),
        (1, 500, False),
        (2, 201, True),
    ]
    ids = [line.id for page in pages for line in page.lines]
    assert len(set(ids)) == 1201
    assert ids == [one.id for page in CamtReader().pages(BytesIO(file)) for one in page.lines]
    assert max(map(len, ids)) <= 120


def test_equal_lines_are_counted_anew_in_the_next_statement_of_a_file() -> None:
    """The second is a copy, or of another account: its first line is no second booking."""
    line = StatementLine("", "A", DAY, DAY, 5, "CNY", "SR-1", items=(LineItem("E", None, None, 5),))
    first = Statement("S1", "A", "CNY", 1, DAY, 0, 10, (line, line), period=(DAY, DAY))
    other = replace(first, account="B", id="S2")
    read_back = CamtReader().read(BytesIO(camt_writer.document(first, other)))
    mark = f"{DAY.isoformat()}/SR-1"
    assert [[line.id for line in statement.lines] for statement in read_back] == [
        [f"A/{mark}", f"A/{mark}*2"],
        [f"B/{mark}", f"B/{mark}*2"],
    ]


def test_a_statement_without_entries_is_one_empty_page() -> None:
    """A quiet day is a statement as well: its balances and its number count."""
    file = camt_writer.document(Statement("S", "A", "CNY", 4, DAY, 50, 50))
    (page,) = CamtReader().pages(BytesIO(file))
    assert (page.lines, page.is_last, page.head.sequence) == ((), True, 4)


def test_a_survey_names_the_file_by_its_bytes_and_every_fault() -> None:
    """Hash, size, counts and faults come from one pass, before anything is booked."""
    line = StatementLine("", "A", DAY, DAY, 100, "CNY", None)
    good = Statement("S1", "A", "CNY", 1, DAY, 0, 200, (line, line))
    bad = replace(good, id="S2", sequence=2, closing_minor=201)
    file = camt_writer.document(good, bad)
    survey = CamtReader().survey(BytesIO(file))
    assert (survey.sha256, survey.size_bytes) == (hashlib.sha256(file).hexdigest(), len(file))
    assert [(one.head.id, one.lines, one.sum_minor) for one in survey.statements] == [
        ("S1", 2, 200),
        ("S2", 2, 200),
    ]
    assert [len(one.faults) for one in survey.statements] == [0, 1]


def test_balances_after_entries_are_refused() -> None:
    """Pages carry the balances, so balances that come late are refused, not lost."""
    balance = "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp></Bal>"
    with pytest.raises(StatementRefused) as caught:
        read(entry("1.00", "CRDT") + balance)
    assert caught.value.field == "Stmt/Bal"


@pytest.mark.parametrize(
    ("gone", "field"),
    [
        ("<Sts>BOOK</Sts>", "Ntry/Sts"),
        ("<CdtDbtInd>CRDT</CdtDbtInd>", "Ntry/Amt"),
        ("<BookgDt><Dt>2026-01-05</Dt></BookgDt>", "Ntry/BookgDt"),
    ],
)
def test_an_entry_without_what_it_needs_is_refused(gone: str, field: str) -> None:
    """Status, direction and day are never assumed."""
    with pytest.raises(StatementRefused) as caught:
        read(entry("1.00", "CRDT").replace(gone, ""))
    assert caught.value.field == field
