"""Reads what a message of the outbox carries, as the type that its topic says."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from domain.kernel.message import Topic

P = TypeVar("P")


def read_payload(topic: Topic[P], body: Mapping[str, object]) -> P:
    """The payload of a message from its body, plain JSON values.

    Raises:
        ValidationError: the body is not what the topic carries.
    """
    payload: P = _adapter(topic).validate_python(body)
    return payload


@cache
def _adapter(topic: Topic[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(topic.payload)
