"""`acquit order` takes every order that signals and Updates take, with all its terms."""

import re
from datetime import date
from typing import Any, get_type_hints

import pytest

from cli.order import _request, order
from workflows.messages import REQUESTS, Request

HELP = " ".join((order.__doc__ or "").split())
TERMS = {
    kind: set(re.findall(r"\w+", terms))
    for kinds, terms in re.findall(r"((?:\w+ and )?\w+) \(([^)]*)\)", HELP)
    for kind in kinds.split(" and ")
}
WHO: dict[str, Any] = {"actor": {"kind": "operator", "id": "ops-7"}, "reason": "asked"}


def terms_of(kind: str) -> dict[str, Any]:
    """Give the terms that an order of a kind has besides who, why and its id, with their types."""
    hints = get_type_hints(REQUESTS[kind])
    return {name: hints[name] for name in hints if name not in {"kind", *get_type_hints(Request)}}


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_help_names_every_order_with_its_terms(kind: str) -> None:
    """Nobody has to look elsewhere for what an order may say."""
    assert re.search(rf"\b{kind}\b", HELP)
    assert set(terms_of(kind)) <= TERMS.get(kind, set())


@pytest.mark.parametrize("kind", REQUESTS)
def test_every_term_of_an_order_can_be_typed(kind: str) -> None:
    """A whole number is typed as digits, whichever term it is."""
    samples: dict[Any, str] = {int: "7", date: "2026-03-10", str: "CNY"}
    typed = {name: samples.get(hint, "") for name, hint in terms_of(kind).items()}
    typed |= {
        name: word for name, word in {"what": "all", "component": "fee"}.items() if name in typed
    }
    request = _request(kind, [f"{name}={text}" for name, text in typed.items()], WHO, "o-1")
    assert {name: str(getattr(request, name)) for name in typed} == typed
