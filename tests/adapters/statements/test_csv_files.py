"""Tables that are broken or hostile, cells in many ways, and maps that break a rule."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.refusals import SourceRefused
from adapters.statements.csv_bill import CsvReader
from adapters.statements.csv_map import read_map
from adapters.statements.guarded import Limits
from domain.statement.statement import (
    DocumentKind,
    FaultRule,
)
from ports.statements import REFUSALS_MOST
from tests.adapters.statements.csv_tables import HEAD, columns, read, refused, rules, survey, table


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
        {"found": {"opening": "(a|a)*b"}},
        {"found": {"opening": "(a{2}){9,}b"}},
        {"found": {"opening": ".*.*.*(b)"}},
        {"found": {"opening": "a?a?a?a?a?(a)"}},
        {"found": {"opening": "(a)(?=b)"}},
        {"found": {"opening": "(a)\\1"}},
        {"dates": {"formats": ["%d.%m"]}},
        {"dates": {"formats": ["%d.%m.%Y %d"]}},
        {"dates": {"formats": ["%d.%m.%y %Y"]}},
        {"numbers": {"symbols": "5"}},
        {"numbers": {"symbols": "-"}},
        {"numbers": {"symbols": "."}},
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


@pytest.mark.parametrize(
    "pattern",
    [
        r"Opening balance,\"?([^\"]+)\"?$",
        r"IBAN;([A-Z]{2}[0-9A-Z ]+)",
        r"([0-9]{4})\+\*[*+?]",
        "(?:from|since) ([^ ]+)",
    ],
)
def test_a_pattern_of_few_repetitions_is_taken(pattern: str) -> None:
    """Signs that are escaped or in a class repeat nothing."""
    assert rules(found={"opening": pattern}).found.opening == pattern


def test_a_field_of_many_lines_is_refused_before_it_fills_the_memory() -> None:
    """A quote that is never closed joins what follows to one row: lines and size have a limit."""
    limits = Limits(field_lines=5, line_bytes=100)
    whole = 'Date,Amount,Reference\n2026-01-05,5,"R' + "\n" * 4 + '"\n'
    (one,) = CsvReader([rules()], limits).read(BytesIO(whole.encode()))
    assert len(one.lines) == 1
    for filling in ("\n" * 5 + "x", "x" * 50 + "\n" + "x" * 60):
        found = refused(f'Date,Amount,Reference\n2026-01-05,5,"R{filling}'.encode(), limits=limits)
        assert (found.field, "quote not closed" in found.rule) == ("row", True)


def test_patterns_are_searched_in_so_many_lines_only() -> None:
    """A million comments cost nothing, and what stands behind the first thousand is not found."""
    by = rules(file={"comment": "#"}, found={"opening": "Opening ([0-9]+)"})
    late = table("2026-01-05,5,R") + b"# x\n" * 1_000 + b"# Opening 7\n"
    assert read(late, by).opening_minor is None
    early = table("2026-01-05,5,R") + b"# x\n" * 999 + b"# Opening 7\n"
    assert read(early, by).opening_minor == 700
