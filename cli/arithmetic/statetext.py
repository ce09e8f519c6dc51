"""Open installments from a JSON file: what `acquit allocate` takes.

`{"currency": "CNY", "as_of": "2024-05-01", "installments": [{"number": 3, "due_on": "2024-03-01",
"owed": {"penalty": "20.00", "principal": "250.00"}}]}`; a bare list of installments will do, and
components may stand in the installment itself, as in the rows of `acquit schedule`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from adapters.inputfile import read_text
from cli.options import day_of
from domain.errors import InvalidInput
from domain.loan.waterfall import OpenItem
from domain.money import parse_minor
from domain.pricing.amounts import Amounts, Component

LONGEST_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class OpenState:
    """What is open, in which currency, and the day if the file names one."""

    items: tuple[OpenItem, ...]
    currency: str
    as_of: date | None


def read_json(name: str) -> object:
    """A JSON document; numbers stay exact decimals."""
    text = read_text(Path(name), LONGEST_BYTES)
    try:
        document: object = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise InvalidInput("file", name, "one JSON document in UTF-8") from None
    return document


def read_state(name: str, currency: str) -> OpenState:
    """Open installments of a file; the currency of the file wins over the one given."""
    document = read_json(name)
    holder = {"installments": document} if isinstance(document, list) else document
    if not isinstance(holder, dict) or not isinstance(holder.get("installments"), list):
        raise InvalidInput("state", name, 'a list, or an object with a list "installments"')
    code = str(holder.get("currency", currency))
    items = [_item(index, row, code) for index, row in enumerate(holder["installments"], start=1)]
    as_of = holder.get("as_of")
    return OpenState(tuple(items), code, day_of("as_of", str(as_of)) if as_of else None)


def _item(index: int, row: object, currency: str) -> OpenItem:
    where = f"installment {index}"
    if not isinstance(row, dict) or not isinstance(row.get("number"), int):
        raise InvalidInput(where, row, "an object with number, due_on and amounts owed")
    owed = row.get("owed", row)
    if not isinstance(owed, dict):
        raise InvalidInput(f"{where} owed", owed, "an object of amounts by component")
    if "owed" in row and (unknown := set(owed) - set(Component)):
        raise InvalidInput(f"{where} owed", min(unknown), f"one of {', '.join(Component)}")
    amounts = Amounts()
    for component in Component:
        field = f"{where} {component}"
        minor = parse_minor(owed.get(component.value, 0), currency, field)
        if minor < 0:
            raise InvalidInput(field, owed[component.value], "not negative")
        amounts = amounts.plus(component, minor)
    return OpenItem(row["number"], day_of(f"{where} due_on", str(row.get("due_on"))), amounts)
