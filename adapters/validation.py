"""Turns pydantic's errors into ours (field, value, rule), and reads TOML files with them."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from adapters.inputfile import toml_tables
from adapters.refusals import SourceRefused
from domain.errors import InvalidInput
from domain.text import shortened

T = TypeVar("T")
_VALUE_SHOWN = 80


def read_toml(path: Path, most_bytes: int, make: Callable[[dict[str, Any]], T]) -> T:
    """What `make` makes of a TOML file's content.

    Numbers with a point are exact decimals: no amount or rate passes through a float.

    Raises:
        SourceRefused: names the file and every field, value and rule that is broken.
    """
    source, content = str(path), toml_tables(path, most_bytes)
    try:
        return make(content)
    except ValidationError as error:
        raise SourceRefused(source, faults_of(error)) from None
    except InvalidInput as fault:
        raise SourceRefused(source, [fault]) from None


def faults_of(error: ValidationError, hidden: Collection[str] = ()) -> tuple[InvalidInput, ...]:
    """One fault for each error; values of fields in `hidden` (and of secrets) are not shown."""
    found = []
    for item in error.errors(include_url=False, include_context=False):
        field = ".".join(str(part) for part in item["loc"]) or "file"
        secret = bool({str(part) for part in item["loc"]} & set(hidden))
        value: object = "(not shown)" if secret else _shown(item["type"], item["input"])
        found.append(InvalidInput(field, value, _rule(item["type"], item["msg"])))
    return tuple(found)


def _shown(kind: str, value: object) -> object:
    if kind == "missing":
        return None
    if isinstance(value, Mapping | BaseModel):
        return "(several)"  # a whole table: long, and it may hold what must not be shown
    text = value if isinstance(value, str) else repr(value)
    return shortened(text, _VALUE_SHOWN)


def _rule(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "must be given"
        case "extra_forbidden":
            return "no such field"
        case _:
            plain = message.removeprefix("Value error, ")
            return plain[:1].lower() + plain[1:]
