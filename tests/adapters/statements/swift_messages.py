"""Small MT940 messages for tests, and how they read."""

from io import BytesIO

import pytest

from adapters.statements.guarded import Limits
from adapters.statements.mt940 import SwiftReader
from domain.statement.statement import (
    Fault,
    LineItem,
    Statement,
    StatementLine,
)
from ports.statements import StatementRefused

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
