"""Tables by a map: wallets and banks, encodings, amounts, kinds of rows, and what is refused."""

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.refusals import SourceRefused
from adapters.statements.anyfile import StatementFileReader, read_maps
from adapters.statements.csv_bill import CsvReader
from adapters.statements.csv_map import CsvMap, read_map
from adapters.statements.guarded import Limits
from domain.statement.statement import (
    DocumentKind,
    EntryStatus,
    FaultRule,
    Party,
    Statement,
    StatementLine,
)
from ports.statements import REFUSALS_MOST, FileSurvey, StatementRefused

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "statements"
MAPS = EXAMPLES / "maps"
HEAD = "Date,Amount,Reference"
BASE: dict[str, Any] = {
    "name": "mine",
    "kind": "statement",
    "account": "A1",
    "currency": "CNY",
    "columns": {"booked_on": "Date", "amount": "Amount", "reference": "Reference"},
}


def rules(**more: Any) -> CsvMap:
    return CsvMap.model_validate({**BASE, **more})


def columns(**more: Any) -> dict[str, Any]:
    return {**BASE["columns"], **more}


def table(*rows: str, head: str = HEAD) -> bytes:
    return "".join(f"{row}\r\n" for row in (head, *rows)).encode()


def read(content: bytes, by: CsvMap | None = None) -> Statement:
    (one,) = CsvReader([by or rules()]).read(BytesIO(content))
    return one


def survey(content: bytes, by: CsvMap | None = None) -> FileSurvey:
    return CsvReader([by or rules()]).survey(BytesIO(content))


def only(row: str, by: CsvMap, head: str = HEAD) -> StatementLine:
    one = read(table(row, head=head), by)
    (line,) = (*one.lines, *one.pending)
    return line


def refused(
    content: bytes, by: CsvMap | None = None, limits: Limits | None = None
) -> StatementRefused:
    with pytest.raises(StatementRefused) as caught:
        CsvReader([by or rules()], limits).survey(BytesIO(content))
    return caught.value


def example(name: str) -> FileSurvey:
    with (EXAMPLES / f"{name}.csv").open("rb") as source:
        return StatementFileReader([read_map(MAPS / f"{name}.toml")]).survey(source)


@pytest.mark.parametrize(
    ("name", "kind", "account", "figures"),
    [
        ("wechat-trades", "report", "1900000109", (None, 141_100, None, 3, 0)),
        ("wechat-account", "statement", "WECHAT-1900000109", (100_000, 90_628, 190_628, 3, 0)),
        ("alipay-account", "statement", "20880000000000000156", (500_000, 150_493, 650_493, 3, 0)),
        (
            "bank-two-columns",
            "statement",
            "DE02120300000000202051",
            (2_500_000, 101_235, 2_601_235, 3, 1),
        ),
        ("bank-sign-column", "statement", "000123456789", (2_500_000, 101_085, 2_601_085, 2, 0)),
    ],
)
def test_each_example_reads_and_adds_up(
    name: str, kind: str, account: str, figures: tuple[int | None, ...]
) -> None:
    """Opening balance, sum, closing balance, lines, and entries that are not booked."""
    found = example(name)
    assert found.format == f"csv {name}"
    (one,) = found.statements
    assert (one.head.kind.value, one.head.account, one.faults) == (kind, account, ())
    assert figures == (
        one.head.opening_minor,
        one.sum_minor,
        one.head.closing_minor,
        one.lines,
        one.left_out,
    )


def test_the_map_of_a_file_is_found_by_its_columns() -> None:
    """With all maps at hand each example is read by its own, whatever its encoding."""
    reader = StatementFileReader(read_maps(MAPS))
    names = sorted(path.stem for path in MAPS.glob("*.toml"))
    assert len(names) == 5
    for name in names:
        with (EXAMPLES / f"{name}.csv").open("rb") as source:
            assert reader.survey(source).format == f"csv {name}"


def test_a_table_that_no_map_explains_is_refused_by_its_first_line() -> None:
    """The refusal says how to give a map."""
    for maps in ([], read_maps(MAPS)):
        with pytest.raises(StatementRefused) as caught:
            StatementFileReader(maps).survey(BytesIO(b"a,b,c\r\n1,2,3\r\n"))
        assert (caught.value.field, caught.value.value) == ("format", "a,b,c")
        assert "--map" in caught.value.rule


def test_a_refund_of_a_wallet_takes_other_columns() -> None:
    """The trade's number for a payment, the refund's number for a refund, each with its sign."""
    by = read_map(MAPS / "wechat-trades.toml")
    one = read((EXAMPLES / "wechat-trades.csv").read_bytes(), by)
    assert [(line.amount_minor, line.servicer_ref) for line in one.lines] == [
        (101_235, "4200000001202605060000000001"),
        (49_865, "4200000001202605060000000002"),
        (-10_000, "50000000012026050600001"),
    ]
    assert [line.items[0].end_to_end_id for line in one.lines] == [
        "LOAN-0001-1-A1",
        "LOAN-0002-3-A1",
        "REFUND-0002-3",
    ]
    assert dict(one.lines[0].items[0].other_refs)["fee"] == "6.07410"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_wallets_bill_comes_in_gbk_or_utf_8(encoding: str) -> None:
    """Same rows, same lines, whatever the bytes; a byte order mark decides."""
    by = read_map(MAPS / "wechat-account.toml")
    text = (EXAMPLES / "wechat-account.csv").read_bytes().decode("utf-8-sig")
    one = read(text.encode(encoding), by)
    assert [line.text for line in one.lines] == ["第1期还款", "费率0.60%", "退款"]


@pytest.mark.parametrize(
    ("name", "old", "new", "rule"),
    [
        ("wechat-trades", "`3,`1511.00", "`4,`1511.00", FaultRule.SUMMARY_COUNT_DIFFERS),
        ("wechat-trades", "`3,`1511.00", "`3,`1511.01", FaultRule.SUMMARY_SUM_DIFFERS),
        ("wechat-trades", "`1511.00,`100.00,", "`1511.00,`90.00,", FaultRule.SUMMARY_SUM_DIFFERS),
        ("wechat-account", "`1906.28", "`1906.29", FaultRule.BALANCE_DIFFERS),
        ("alipay-account", "2笔", "3笔", FaultRule.SUMMARY_COUNT_DIFFERS),
        ("alipay-account", "共-6.07元", "共-6.08元", FaultRule.SUMMARY_SUM_DIFFERS),
        (
            "bank-two-columns",
            "Summe;;;;;;;;;498,65",
            "Summe;;;;;;;;;1,00",
            FaultRule.SUMMARY_SUM_DIFFERS,
        ),
        ("bank-sign-column", '"26,010.85"', '"26,010.86"', FaultRule.BALANCE_DIFFERS),
    ],
)
def test_counts_sums_and_balances_of_the_bank_are_compared(
    name: str, old: str, new: str, rule: FaultRule
) -> None:
    """One figure of an example is changed: the file reads, and the figure is a fault."""
    by = read_map(MAPS / f"{name}.toml")
    encoding = "gb18030" if name.startswith("alipay") else "utf-8"
    text = (EXAMPLES / f"{name}.csv").read_bytes().decode(encoding)
    assert old in text
    (one,) = survey(text.replace(old, new, 1).encode(encoding), by).statements
    assert [fault.rule for fault in one.faults] == [rule]


def test_a_total_that_is_missing_means_a_file_cut_off() -> None:
    """The map names a total: without it the rest of the file may be missing."""
    by = read_map(MAPS / "alipay-account.toml")
    text = (EXAMPLES / "alipay-account.csv").read_bytes().decode("gb18030")
    cut = text[: text.index("#支出合计")]
    assert refused(cut.encode("gb18030"), by).field == "total of debits"


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


def test_cells_in_the_ways_of_spreadsheets() -> None:
    """Quotes, `="..."`, blanks and tabs around, a line break inside, blank rows, empty ends."""
    by = rules(columns=columns(text="Text"))
    content = table('2026-01-05 ,\t5.00,="R1","a ""b""\r\nc",,', ",,,", "", head=f"{HEAD},Text,,")
    (line,) = read(content, by).lines
    assert (line.amount_minor, line.servicer_ref, line.text) == (500, "R1", 'a "b" c')


@pytest.mark.parametrize(
    ("content", "field", "line"),
    [
        (b"Date,Sum\r\n", "header", None),
        (b"x\r\n" * 200, "header", None),
        (table(head="Date,Amount,Amount,Reference"), "header", 1),
        (table("2026-01-05,5"), "columns", 2),
        (table("2026-01-05,5,R,and more"), "columns", 2),
        (table('2026-01-05,5,"R'), "CSV", 2),
        (table('2026-01-05,5,"R"x'), "CSV", 2),
        (table("2026-01-05,5,\xff").replace("\xff".encode(), b"\xff"), "encoding", None),
        (table("2026-01-05,5,R\x00"), "line", 2),
        (table("2026-01-05,5," + "R" * 100_000), "line", 2),
        (table("2026-01-05,5,R").decode().encode("utf-16"), "encoding", 1),
    ],
)
def test_broken_tables_are_refused(content: bytes, field: str, line: int | None) -> None:
    """Headers, cells, quotes, bytes and lines that break a rule."""
    found = refused(content)
    assert found.field == field
    assert line is None or found.line == line


def test_a_byte_that_is_not_of_the_encoding_is_refused_wherever_it_stands() -> None:
    """Behind the beginning by which the encoding was chosen, with its line."""
    rows = [f"2026-01-05,5,R{n}" for n in range(6_000)]
    content = table(*rows) + b"2026-01-05,5,\xff\r\n"
    found = refused(content)
    assert (found.field, found.value, found.line) == ("encoding", "byte 0xff", 6_002)


def test_a_letter_that_is_cut_by_the_beginning_does_not_change_the_encoding() -> None:
    """The 64 KiB that are looked at may end within a letter."""
    for shift in range(3):
        rows = ["2026-01-05,5," + "x" * shift + "还款" * 10] * 2_000
        assert len(read(table(*rows)).lines) == 2_000


def test_all_broken_rows_are_reported_at_once() -> None:
    """Up to a limit, each with its line and column; then the reading stops."""
    found = refused(table("2026-01-05,x,R", "2026-01-05,5,R", "2026-13-05,5,R"))
    assert [(one.field, one.line) for one in (found, *found.others)] == [("Amount", 2), ("Date", 4)]
    many = refused(table(*["2026-01-05,x,R"] * 100))
    assert len(many.others) == REFUSALS_MOST - 1


def test_rows_and_size_have_limits() -> None:
    """As many rows as the limits allow, and not one more."""
    content = table(*["2026-01-05,5,R"] * 3)
    assert refused(content, limits=Limits(entries=2)).field == "rows"
    assert refused(content, limits=Limits(size_bytes=30)).field == "file"
    (one,) = CsvReader([rules()], Limits(entries=3)).read(BytesIO(content))
    assert len(one.lines) == 3


@pytest.mark.parametrize(
    "more",
    [
        {"account": None},
        {"currency": None},
        {"currency": "ZZZ"},
        {"kind": "booked"},
        {"name": "My Map"},
        {"columns": {"booked_on": "Date"}},
        {"columns": columns(credit="In")},
        {"columns": columns(sign="Side")},
        {"columns": {"booked_on": "Date", "credit": "In", "sign": "Side"}},
        {"columns": columns(colour="Red")},
        {"signs": {"credit": ["CR"]}},
        {"numbers": {"decimal": ",", "thousands": ","}},
        {"dates": {"formats": ["%B %d %Y"]}},
        {"dates": {"formats": ["%Y-%m"]}},
        {"found": {"opening": "no group"}},
        {"found": {"opening": "(a+)+"}},
        {"found": {"opening": "(["}},
        {"totals": [{"of": "all"}]},
        {"totals": [{"of": "all", "pattern": "(?P<what>x)"}]},
        {"totals": [{"of": "all", "pattern": "(?P<sum>x)", "sum": "Sum"}]},
    ],
)
def test_a_map_that_breaks_a_rule_is_refused(more: dict[str, Any]) -> None:
    """Before any file is read by it."""
    with pytest.raises(ValidationError):
        rules(**more)


def test_a_broken_map_file_names_file_and_field(tmp_path: Path) -> None:
    """As every file that people write."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nkind = "statement"\n')
    with pytest.raises(SourceRefused, match="columns"):
        read_map(path)


def test_statements_and_reports_are_what_the_map_says() -> None:
    """A list of trades owes no balances and is never booked."""
    (report,) = survey(table("2026-01-05,5,R"), rules(kind="report")).statements
    assert (report.head.kind, report.faults) == (DocumentKind.REPORT, ())
    (statement,) = survey(table("2026-01-05,5,R")).statements
    assert {fault.rule for fault in statement.faults} == {
        FaultRule.OPENING_MISSING,
        FaultRule.CLOSING_MISSING,
    }
