"""The format is found by content; hostile files of every format are refused in bounded memory."""

import tracemalloc
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from adapters.refusals import SourceRefused
from adapters.statements.anyfile import MAPS_MOST, StatementFileReader, read_maps
from adapters.statements.csv_map import CsvMap
from adapters.statements.formats import Format, format_of
from domain.statement.statement import Statement, StatementLine
from ports.statements import StatementRefused
from tests.adapters.statements import bai2_writer, camt_writer, swift_writer
from tests.adapters.statements.endless import Endless

DAY = date(2026, 1, 5)
LINE = StatementLine("", "A", DAY, DAY, 1, "CNY", "REF")
STATEMENT = Statement("S", "A", "CNY", 1, DAY, 0, 1, (LINE,))
RULES = CsvMap.model_validate(
    {
        "name": "mine",
        "kind": "statement",
        "account": "A",
        "currency": "CNY",
        "columns": {"booked_on": "Date", "amount": "Amount"},
    }
)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (camt_writer.document(STATEMENT), Format.CAMT),
        (b"\xef\xbb\xbf\r\n <Document/>", Format.CAMT),
        ("<Document/>".encode("utf-16"), Format.CAMT),
        (swift_writer.message(STATEMENT).encode(), Format.SWIFT),
        (b"\xef\xbb\xbf\r\n:20:X\r\n", Format.SWIFT),
        (b"{1:F01BANKDEFFAABC}{4:\r\n:20:X\r\n", Format.SWIFT),
        (b"0000 01INGBNL2AABCD00001\r\n940 00\r\n:20:X\r\n:25:1\r\n:28C:1\r\n", Format.SWIFT),
        (bai2_writer.document(STATEMENT).encode(), Format.BAI2),
        (b"01,B,US,260105,,1,,,2/\n", Format.BAI2),
        (b"01,02,03\n", Format.TEXT),
        (b"Date,Amount\n", Format.TEXT),
        ("交易时间,金额\n".encode("gb18030"), Format.TEXT),
    ],
)
def test_the_format_is_found_by_the_first_bytes(content: bytes, found: Format) -> None:
    """Names of files say nothing; envelope lines and marks of encodings stand before the format."""
    assert format_of(content) is found


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"\x01\x02\x00\x03", "binary data"),
        ("Date,Amount".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04", "zip archive or spreadsheet (xlsx)"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_holds_no_text_is_refused_by_its_name(content: bytes, value: str) -> None:
    """An archive is not unpacked: what is inside of it may have any size."""
    with pytest.raises(StatementRefused) as caught:
        StatementFileReader([RULES]).survey(BytesIO(content))
    assert (caught.value.value, caught.value.line) == (value, 1)


MANY = 6_000


def _swift() -> Iterator[str]:
    yield ":20:X\r\n:25:A\r\n:28C:1/1\r\n:60F:C260105CNY0,00\r\n"
    for _ in range(MANY):
        yield ":61:2601050105C0,01NTRFNONREF//REF\r\n:86:166?00UMSATZ?20EREF+E1\r\n"
    yield f":62F:C260105CNY{MANY // 100},00\r\n-\r\n"


def _bai2() -> Iterator[str]:
    yield "01,B,US,260106,0200,1,,,2/\n02,US,B,1,260105,2359,CNY,2/\n03,A,CNY/\n"
    for _ in range(MANY):
        yield "16,195,1,Z,REF,E1,text\n"
    yield f"49,{MANY},{MANY + 2}/\n98,{MANY},1,{MANY + 4}/\n99,{MANY},1,{MANY + 6}/\n"


def _csv() -> Iterator[str]:
    yield "Date,Amount\r\n"
    for _ in range(MANY):
        yield "2026-01-05,0.01\r\n"


@pytest.mark.parametrize("parts", [_swift, _bai2, _csv])
def test_memory_does_not_grow_with_the_file(parts: object) -> None:
    """6,000 entries from a stream that cannot seek need no more room than a few pages."""
    assert callable(parts)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    source = cast("BinaryIO", Endless(parts()))
    lines = sum(len(page.lines) for page in StatementFileReader([RULES]).pages(source))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == MANY
    assert peak - before < 5 << 20


@pytest.mark.parametrize(
    "start",
    [
        ":20:X\r\n:25:A\r\n:28C:1/1\r\n:60F:C260105CNY0,00\r\n:61:",
        "01,B,US,260106,0200,1,,,2/\n16,195,",
        "Date,Amount\r\n2026-01-05,",
        'Date,Amount\r\n2026-01-05,"',
    ],
)
@pytest.mark.parametrize("more", ["x", "x\n"])
def test_endless_lines_and_fields_are_refused_while_they_are_small(start: str, more: str) -> None:
    """One line, or one field of lines, that does not end for 10 MiB is never held whole."""

    def parts() -> Iterator[str]:
        yield start
        for _ in range(160):
            yield more * ((64 << 10) // len(more))

    content = "".join(parts()).encode()
    tracemalloc.start()
    with pytest.raises(StatementRefused):
        StatementFileReader([RULES]).survey(BytesIO(content))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_folder_of_maps_is_read_by_name_and_has_a_limit(tmp_path: Path) -> None:
    """Broken maps and too many of them stop a worker at its start, not at its first file."""
    text = (
        'name = "{}"\nkind = "report"\naccount = "A"\ncurrency = "CNY"\n'
        '[columns]\nbooked_on = "D"\namount = "S"\n'
    )
    for name in ("b", "a"):
        (tmp_path / f"{name}.toml").write_text(text.format(name))
    assert [one.name for one in read_maps(tmp_path)] == ["a", "b"]
    for number in range(MAPS_MOST):
        (tmp_path / f"c{number}.toml").write_text("")
    with pytest.raises(SourceRefused, match="maps"):
        read_maps(tmp_path)
