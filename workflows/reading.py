"""Reads JSON from outside as one of our types, or names the first rule that it breaks.

It is strict, because a wrong guess about what a sender meant is worse than a refusal: no number for
a text, no text for a number, no field that we do not know. What is refused here is part of a
history: once released, a rule is loosened only for workflows that start after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from domain.errors import InvalidInput
from domain.kernel.order import OperatorOrder
from domain.kernel.view import View
from domain.text import shortened
from ports.boarding import is_private

T = TypeVar("T")
Ordered = TypeVar("Ordered", bound=OperatorOrder)

NOT_SHOWN = "(not shown)"
_SHOWN_MOST = 80

_NOTHING: Mapping[str, object] = MappingProxyType({})
_RULES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "must be given",
        "unexpected_keyword_argument": "no such field",
        "string_type": "text in quotes, amounts and dates as well",
        "int_type": "a whole number, without quotes",
        "dataclass_type": "one JSON object",
        "tuple_type": "a JSON array",
    }
)


def read(data: bytes, wanted: type[T], name: str, given: Mapping[str, object] = _NOTHING) -> T:
    """Read JSON as `wanted`, a dataclass; `name` is what a fault of the whole is reported under.

    `given` are fields that the reader sets and no sender knows. A field that we do not know is
    refused unless it is empty: a newer sender may name a field that it makes no use of.

    Raises:
        InvalidInput: the first rule that is broken, with the path of the field.
    """
    sent = read_object(data, name)
    known = {item.name for item in fields(wanted)} - given.keys()  # type: ignore[arg-type]
    kept = {key: value for key, value in sent.items() if key in known or not _is_empty(value)}
    for key in kept:
        if key in given:
            raise InvalidInput(key, NOT_SHOWN, _RULES["unexpected_keyword_argument"])
    whole = to_json({**kept, **given})
    try:
        found: T = _adapter(wanted).validate_json(whole, strict=True, extra="forbid")
    except ValidationError as error:
        raise _first(error) from None
    return found


def read_order(
    data: bytes, orders: Mapping[str, type[Ordered]], subject: Mapping[str, object], name: str
) -> Ordered:
    """Read the wire form of an order, the fields of its subject apart, as the order of its `kind`.

    Where there is only one order that it can be, it may leave out its kind.

    Raises:
        InvalidInput: as of `read`; `kind` is missing or unknown; or what is wrong in shape.
    """
    kind = read_object(data, name).get("kind", next(iter(orders)) if len(orders) == 1 else None)
    if kind is None:
        raise InvalidInput("kind", "", "must be given")
    if not isinstance(kind, str) or kind not in orders:
        raise InvalidInput("kind", shown("kind", kind), f"one of {', '.join(orders)}")
    order = read(data, orders[kind], name, subject)
    for field, rule in order.misshapen():
        raise InvalidInput(field, shown(field, getattr(order, field)), rule)
    return order


def read_tolerantly(data: bytes, wanted: type[T], name: str) -> T:
    """Read JSON of our own programs, of whatever release: fields that we do not know are left out.

    Raises:
        InvalidInput: it does not hold what `wanted` needs.
    """
    try:
        found: T = _adapter(wanted).validate_json(data)
    except ValidationError as error:
        raise _first(error, name) from None
    return found


def shaped(view: View[Any], detail: type[Any]) -> View[Any]:
    """A view whose detail is of its kind's type, and not the JSON object that it travelled as.

    Raises:
        InvalidInput: the detail does not hold what its kind needs.
    """
    if isinstance(view.detail, detail):
        return view
    try:
        return replace(view, detail=_adapter(detail).validate_python(view.detail))
    except ValidationError as error:
        raise _first(error, "detail") from None


def read_object(data: bytes, name: str) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        InvalidInput: anything else. Its content is not repeated: nobody knows what it is.
    """
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput(name, NOT_SHOWN, f"JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput(name, shown(name, value), "one JSON object")
    return value


def shown(field: str, value: object) -> str:
    """A value as a failure may repeat it: short, as JSON unless it is text, nothing private."""
    if is_private(field) or isinstance(value, dict | list):
        return NOT_SHOWN
    text = value if isinstance(value, str) else to_json(value).decode()
    return shortened(text, _SHOWN_MOST)


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _first(error: ValidationError, whole: str = "") -> InvalidInput:
    """The first fault; a misspelt name comes before the field that it leaves missing."""
    found = error.errors(include_url=False, include_context=False)
    item = next((one for one in found if one["type"] == "unexpected_keyword_argument"), found[0])
    kind, field = item["type"], _path(item["loc"]) or whole
    rule = _RULES.get(kind, item["msg"][:1].lower() + item["msg"][1:])
    match kind:
        case "missing":
            return InvalidInput(field, "", rule)
        case "unexpected_keyword_argument":
            return InvalidInput(field, NOT_SHOWN, rule)
        case _:
            return InvalidInput(field, shown(field, item["input"]), rule)


def _path(steps: tuple[int | str, ...]) -> str:
    """`schedule[1][2]`, counted from one as people and the rows of a tape are."""
    text = ""
    for step in steps:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step[:_SHOWN_MOST]}"
    return text.removeprefix(".")
