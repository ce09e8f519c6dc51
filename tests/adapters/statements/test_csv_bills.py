"""Bills of wallets and exports of banks by the maps of our examples."""

from io import BytesIO
from pathlib import Path

import pytest

from adapters.statements.anyfile import StatementFileReader, read_maps
from adapters.statements.csv_map import read_map
from domain.statement.statement import (
    FaultRule,
)
from ports.statements import FileSurvey, StatementRefused
from tests.adapters.statements.csv_tables import read, refused, survey

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "statements"
MAPS = EXAMPLES / "maps"


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
    "remark", ["one, two", "one\ntwo", 'a "b", c\n\nd, `e', "one\ntwo, three\nfour", "`"]
)
def test_commas_and_lines_in_a_remark_of_marked_cells_change_nothing_else(remark: str) -> None:
    """WeChat Pay quotes nothing: the back-ticks before cells say where a cell begins."""
    by = read_map(MAPS / "wechat-account.toml")
    text = (EXAMPLES / "wechat-account.csv").read_bytes().decode("utf-8-sig")
    whole = read(text.encode(), by)
    now = read(text.replace("第1期还款", remark).encode(), by)
    assert [line.amount_minor for line in now.lines] == [it.amount_minor for it in whole.lines]
    assert [it.items[0].end_to_end_id for it in now.lines if it.items] == [
        it.items[0].end_to_end_id for it in whole.lines if it.items
    ]
    assert now.closing_minor == whole.closing_minor


def test_a_marked_row_that_no_line_completes_is_refused_by_its_line() -> None:
    """What follows it is not swallowed: the next marked row begins a row of its own."""
    by = read_map(MAPS / "wechat-account.toml")
    text = (EXAMPLES / "wechat-account.csv").read_bytes().decode("utf-8-sig")
    header, first, *rest = text.splitlines()
    cut = "\n".join([header, first.rpartition(",`")[0], *rest, ""])
    found = refused(cut.encode(), by)
    assert (found.field, found.line) == ("columns", 2)
