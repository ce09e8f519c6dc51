"""Decorators for handlers that read their own payloads.

Left to the SDK, a start that cannot be decoded fails its task for ever, an undecodable signal is
dropped with a line in a worker's log, and an Update is refused without naming a field. A handler
wrapped here is registered with the raw payload as its only parameter. It reads that by itself
(`raw`), or the wrapper does and turns what it cannot read into a failure (start) or into an entry
of the story (signal); for type checkers it keeps the parameter that it is written with.
"""

import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints

from temporalio.common import RawValue

from activities.answers import invalid
from domain.errors import InvalidInput
from workflows.reading import NOT_SHOWN, read, read_tolerantly

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

ENCODING = b"json/plain"


class KeepsAccount(Protocol):
    """A workflow that counts and logs signals that it could not read."""

    def unread(self, name: str, fault: InvalidInput) -> None:
        """Note a signal that is not acted upon, and the rule that it breaks."""
        ...


def reads_or_fails(
    handler: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Coroutine[Any, Any, R]]:
    """Wrap `run`: what cannot be read raises `InvalidInput` to the sender."""
    reader = _reader_of(handler)
    call = cast("Callable[..., Coroutine[Any, Any, R]]", handler)

    async def reading(self: object, *sent: object) -> R:
        try:
            value = reader(sent)
        except InvalidInput as fault:
            raise invalid(fault) from None
        return await call(self, value)

    return cast("Callable[P, Coroutine[Any, Any, R]]", _registered(reading, handler))


def reads_or_notes(
    handler: Callable[P, Coroutine[Any, Any, None]],
) -> Callable[P, Coroutine[Any, Any, None]]:
    """Wrap a signal: nobody waits for an answer, so what cannot be read is counted and logged."""
    reader = _reader_of(handler)
    call = cast("Callable[..., Coroutine[Any, Any, None]]", handler)

    async def reading(self: KeepsAccount, *sent: object) -> None:
        try:
            value = reader(sent)
        except InvalidInput as fault:
            self.unread(handler.__name__, fault)
        else:
            await call(self, value)

    return cast("Callable[P, Coroutine[Any, Any, None]]", _registered(reading, handler))


def raw(handler: Callable[Concatenate[S, ...], R]) -> Callable[[S, Any], R]:
    """Register a handler that reads what was sent by itself, with the raw payload as parameter.

    Without this the SDK would look for no parameter, and decode by guess.
    """
    only = inspect.Parameter("sent", inspect.Parameter.POSITIONAL_ONLY, annotation=RawValue)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    returns = get_type_hints(handler).get("return")
    shown = cast("Any", handler)
    shown.__signature__ = inspect.Signature([this, only])
    shown.__annotations__ = {"sent": RawValue, "return": returns}
    return cast("Callable[[S, Any], R]", handler)


def content(sent: Sequence[object], name: str) -> bytes:
    """The JSON of the one payload that was sent.

    Raises:
        InvalidInput: there are several, none, or one of another encoding.
    """
    if len(sent) != 1 or not isinstance(sent[0], RawValue):
        raise InvalidInput(name, f"{len(sent)} arguments", "one argument, a JSON object")
    payload = sent[0].payload
    encoding = payload.metadata.get("encoding", b"")
    if encoding != ENCODING:
        raise InvalidInput(name, NOT_SHOWN, f"JSON (encoding {ENCODING.decode()})")
    return payload.data


def _reader_of(handler: Callable[..., Any]) -> Callable[[Sequence[object]], Any]:
    """How the parameter of a handler is read.

    An application is read strictly; a view is what our own programs send, perhaps of another
    release.
    """
    (name, wanted) = next(pair for pair in get_type_hints(handler).items() if pair[0] != "return")
    reader = read_tolerantly if name == "view" else read
    return lambda sent: reader(content(sent, name), wanted, name)


def _registered(reading: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    """Show the SDK one raw parameter, under the name of the handler."""
    reading.__name__, reading.__qualname__ = handler.__name__, handler.__qualname__
    reading.__doc__, reading.__module__ = handler.__doc__, handler.__module__
    reading.__annotations__["return"] = get_type_hints(handler).get("return")
    return raw(reading)
