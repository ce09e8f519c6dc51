"""`acquit order` takes every order that signals and Updates take, with all its terms."""

import re
from datetime import date
from enum import Enum
from typing import Any, get_args, get_type_hints

import pytest

from cli.order import read_typed
from cli.tree import run
from domain.errors import InvalidInput
from tests.support.doors import ORDERS, Also

ACTOR = {"kind": "operator", "id": "ops-7"}
ABOUT = {"loan_id": "L-1", "number": 3}
WHO: dict[str, Any] = {"id": "o-1", "actor": ACTOR, "approver": None, "reason": "asked"}


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """The help of the command, in one line."""
    run(["order", "--help"])
    return " ".join(capsys.readouterr().out.split())


def test_the_help_names_every_order_with_its_terms(shown: str) -> None:
    """Nobody has to look elsewhere for what an order does and may say."""
    rows = shown.partition("Kinds and their terms:")[2]
    assert len(ORDERS) > 10
    for kind, order in ORDERS.items():
        row = rows.partition(f" {kind} {order.description()} ")[2]
        said = re.findall(
            r"\[?(\w+)(?:=(?:LOAN\[:MINOR\],\.\.\.|\w+(?: \| \w+)*))?\]?(?:, |$| )", row
        )
        assert tuple(said[: len(order.terms())]) == order.terms()


@pytest.mark.parametrize("kind", ORDERS)
def test_every_term_of_an_order_can_be_typed(kind: str) -> None:
    """A whole number is typed as digits, whichever term it is; the books get what was typed."""
    hints = get_type_hints(ORDERS[kind])
    samples: dict[Any, str] = {int: "7", date: "2026-03-10", str: "CNY"}
    # What may be left out is annotated as `X | None`.
    plain = {name: next(iter(get_args(hint)), hint) for name, hint in hints.items()}
    typed = {
        name: next(iter(plain[name])).value
        if issubclass(plain[name], Enum)
        else samples[plain[name]]
        for name in ORDERS[kind].terms()
        if name != "also"
    }
    terms = [f"{name}={text}" for name, text in typed.items()]
    order = read_typed(kind, terms, WHO, ORDERS, ABOUT)
    assert {name: str(getattr(order, name)) for name in typed} == typed
    assert (order.loan_id, order.number, order.id) == ("L-1", 3, "cli/L-1/3/o-1")


def test_other_loans_of_a_payment_are_typed_with_their_amounts() -> None:
    """`also=L-2,L-3:400`: the first by what fell due first, the second as the payer designated."""
    terms = "reference=T amount_minor=1000 currency=CNY value_on=2026-03-10 also=L-2,L-3:400"
    order = read_typed("record_payment", terms.split(), WHO, ORDERS, ABOUT)
    assert getattr(order, "also", ()) == (Also("L-2"), Also("L-3", 400))
    for wrong, field in (("L-2:ten", "also[1].amount_minor"), ("", "also"), ("L-2:0", "also")):
        with pytest.raises(InvalidInput) as refused:
            read_typed("record_payment", [*terms.split()[:-1], f"also={wrong}"], WHO, ORDERS, ABOUT)
        assert refused.value.field == field


@pytest.mark.parametrize("term", ["loan_id=L-2", "number=2", "from_driver=true"])
def test_what_the_command_line_sets_cannot_be_typed(term: str) -> None:
    """An order is about the installment that was named, and nobody types that he is a driver."""
    with pytest.raises(InvalidInput, match="no such field") as refused:
        read_typed("hold", [term], WHO, ORDERS, ABOUT)
    assert refused.value.field == term.partition("=")[0]
