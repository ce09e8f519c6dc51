"""Decorators for handlers that read their own payloads.

Left to the SDK, a start that cannot be decoded fails its task for ever, an undecodable signal is
dropped with a line in a worker's log, and an Update is refused without naming a field. A handler
wrapped here is registered with the raw payload as its only parameter, reads it itself, and turns
what it cannot read into a failure (start, Update) or into an entry of the story (signal). For type
checkers, and so for our own senders, it keeps the parameter that it is written with.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, cast, get_args, get_type_hints

from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.errors import InvalidInput
from workflows.reading import NOT_SHOWN, read, read_kind, read_tolerantly

P = ParamSpec("P")
R = TypeVar("R")
Reader = Callable[[bytes, str], Any]

ENCODING = b"json/plain"


class KeepsAccount(Protocol):
    """A workflow that counts and logs signals that it could not read."""

    def unread(self, name: str, fault: InvalidInput) -> None:
        """Note a signal that is not acted upon, and the rule that it breaks."""
        ...


def failing(fault: InvalidInput) -> ApplicationError:
    """The failure that a sender reads: type `InvalidInput`; field, value and rule as its detail."""
    detail = {"field": fault.field, "value": fault.value, "rule": fault.rule}
    return ApplicationError(str(fault), detail, type="InvalidInput", non_retryable=True)


def reads_or_fails(
    handler: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Coroutine[Any, Any, R]]:
    """Wrap `run`, or an Update: what cannot be read raises `InvalidInput` to the sender."""
    reader, name = _reader_of(handler)
    call = cast("Callable[..., Coroutine[Any, Any, R]]", handler)

    async def reading(self: object, *sent: object) -> R:
        try:
            value = reader(*_content(sent, name))
        except InvalidInput as fault:
            raise failing(fault) from None
        return await call(self, value)

    return cast("Callable[P, Coroutine[Any, Any, R]]", _registered(reading, handler))


def checks(validator: Callable[P, None]) -> Callable[P, None]:
    """Wrap the validator of an Update that is wrapped by `reads_or_fails`."""
    reader, name = _reader_of(validator)
    call = cast("Callable[..., None]", validator)

    def reading(self: object, *sent: object) -> None:
        try:
            value = reader(*_content(sent, name))
        except InvalidInput as fault:
            raise failing(fault) from None
        call(self, value)

    return cast("Callable[P, None]", _registered(reading, validator))


def reads_or_notes(
    handler: Callable[P, Coroutine[Any, Any, None]],
) -> Callable[P, Coroutine[Any, Any, None]]:
    """Wrap a signal: nobody waits for an answer, so what cannot be read is counted and logged."""
    reader, name = _reader_of(handler)
    call = cast("Callable[..., Coroutine[Any, Any, None]]", handler)

    async def reading(self: KeepsAccount, *sent: object) -> None:
        try:
            value = reader(*_content(sent, name))
        except InvalidInput as fault:
            self.unread(handler.__name__, fault)
        else:
            await call(self, value)

    return cast("Callable[P, Coroutine[Any, Any, None]]", _registered(reading, handler))


def _content(sent: tuple[object, ...], name: str) -> tuple[bytes, str]:
    """The JSON of the one payload that was sent."""
    if len(sent) != 1 or not isinstance(sent[0], RawValue):
        raise InvalidInput(name, f"{len(sent)} arguments", "one argument, a JSON object")
    payload = sent[0].payload
    encoding = payload.metadata.get("encoding", b"")
    if encoding != ENCODING:
        raise InvalidInput(name, NOT_SHOWN, f"JSON (encoding {ENCODING.decode()})")
    return payload.data, name


def _reader_of(handler: Callable[..., Any]) -> tuple[Reader, str]:
    """How the parameter of a handler is read, and its name.

    A request with a `kind` is read strictly, a union of them by its kind, and so is an application;
    a view is what our own programs send, perhaps of another release.
    """
    (name, wanted) = next(pair for pair in get_type_hints(handler).items() if pair[0] != "return")
    members: tuple[type, ...] = get_args(wanted)
    if members:
        kinds: Mapping[str, type] = {_kind(member): member for member in members}
        return (lambda data, whole: read_kind(data, kinds, whole)), name
    if name == "view":
        return (lambda data, whole: read_tolerantly(data, wanted, whole)), name
    return (lambda data, whole: read(data, wanted, whole)), name


def _kind(member: type) -> str:
    (kind,) = get_args(get_type_hints(member)["kind"])
    return str(kind)


def _registered(reading: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    """Show the SDK one raw parameter; without this it would look for none, and decode by guess."""
    reading.__name__, reading.__qualname__ = handler.__name__, handler.__qualname__
    reading.__doc__, reading.__module__ = handler.__doc__, handler.__module__
    only = inspect.Parameter("sent", inspect.Parameter.POSITIONAL_ONLY, annotation=RawValue)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    reading.__signature__ = inspect.Signature([this, only])  # type: ignore[attr-defined]
    returns = get_type_hints(handler).get("return")
    reading.__annotations__ = {"sent": RawValue, "return": returns}
    return reading
