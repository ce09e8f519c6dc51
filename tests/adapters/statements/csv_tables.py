"""Small tables and maps for tests, and how they read."""

from io import BytesIO
from typing import Any

import pytest

from adapters.statements.csv_bill import CsvReader
from adapters.statements.csv_map import CsvMap
from adapters.statements.guarded import Limits
from domain.statement.statement import (
    Statement,
    StatementLine,
)
from ports.statements import FileSurvey, StatementRefused

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
