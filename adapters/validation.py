"""Pydantic's list of errors in the words of the house: field, value, rule."""

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ValidationError

from domain.errors import InvalidInput

_VALUE_SHOWN = 80


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
    return text if len(text) <= _VALUE_SHOWN else f"{text[: _VALUE_SHOWN - 1]}…"


def _rule(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "must be given"
        case "extra_forbidden":
            return "no such field"
        case _:
            plain = message.removeprefix("Value error, ")
            return plain[:1].lower() + plain[1:]
