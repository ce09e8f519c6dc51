"""The orders that a driver takes, and how one is read from its wire form."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_json

from domain.errors import InvalidInput
from domain.loan.view import InstallmentDetail
from tests.fakes.books import FakeBooks
from tests.support.doors import ORDERS, Actor, Hold, MatchLine, Unhold
from tests.support.stage import sent
from tests.support.tree import ROOT
from workflows.installment import InstallmentWorkflow
from workflows.messages import MESSAGE, DriverOrder, PendingOrder
from workflows.overrides import TakesOrders, takes
from workflows.reading import read_order

ABOUT = {"loan_id": "L1", "number": 3}


def signals(driver: type) -> dict[str, str | None]:
    """The signals of a driver by name, with their descriptions, as the SDK finds them."""
    handlers = (getattr(driver, name) for name in dir(driver))
    found = (getattr(each, "__temporal_signal_definition", None) for each in handlers)
    return {each.name: each.description for each in found if each is not None and each.name}


def read(order: dict[str, Any], **orders: Any) -> Any:
    return read_order(json.dumps(order).encode(), orders or ORDERS, ABOUT, "order")


@pytest.mark.parametrize("kind", ORDERS)
def test_an_order_that_waits_is_the_same_in_the_next_run(kind: str) -> None:
    """Its kind tells it from all others, and nothing of it is lost on the way."""
    samples: dict[str, Any] = {
        "what": "debit",
        "component": "fee",
        "currency": "CNY",
        "line": "A/S/1",
        "reference": "T-1",
        "amount_minor": 100,
        "fee_minor": 3,
        "value_on": "2026-03-10",
        "due_on": "2026-03-10",
        "also": [{"loan_id": "L-2", "amount_minor": 5}, {"loan_id": "L-3"}],
        "order_no": "O-1",
        "outcome_class": "SUCCESS",
        "basis": "forced",
        "proof": "letter of the bank",
        "taken_on": "2026-03-10",
    }
    terms = {name: samples[name] for name in ORDERS[kind].terms()}
    waiting = PendingOrder(read(sent(kind, "o-1", "a test", **terms)).received(MESSAGE), 3)
    run = replace(DriverOrder.of(FakeBooks("r", "L1").current), pending=(waiting,))
    assert type(waiting.order) is ORDERS[kind]
    known = TypeAdapter(DriverOrder[InstallmentDetail])
    assert known.validate_json(to_json(run)) == run


@pytest.mark.parametrize("page", ["overrides.md", "upstream.md"])
def test_the_pages_for_people_and_for_upstream_name_every_order(page: str) -> None:
    """What can be ordered can be read about."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert [kind for kind in ORDERS if f"`{kind}`" not in text] == []


def test_a_driver_has_a_signal_for_each_of_its_orders_and_no_other() -> None:
    """The Temporal UI offers them by name, each with what its order does."""
    wanted = {kind: order.description() for kind, order in ORDERS.items()}
    found = signals(InstallmentWorkflow)
    assert found.pop("wake")
    assert found == wanted


def test_each_kind_of_driver_has_its_own_orders() -> None:
    """What one driver takes is neither given to the base of all nor to another driver."""

    @takes({"unhold": Unhold})
    class Other(TakesOrders):
        """Drives something else."""

    assert signals(Other).keys() == {"wake", "unhold"}
    assert (Other.orders.keys(), InstallmentWorkflow.orders) == ({"unhold"}, ORDERS)
    assert signals(TakesOrders).keys() == {"wake"}


def test_the_wire_form_becomes_the_command() -> None:
    """Every field that was sent is in the command; the receiver adds what it knows."""
    terms = {"line": "A/S/1", "reference": "T-1", "amount_minor": 100, "fee_minor": 3}
    assert read(sent("match_line", "o-1", "a test", approver="ops-2", **terms)) == MatchLine(
        id="o-1",
        actor=Actor("operator", "op-7"),
        reason="a test",
        approver="ops-2",
        loan_id="L1",
        number=3,
        line="A/S/1",
        reference="T-1",
        amount_minor=100,
        fee_minor=3,
    )


def test_a_signal_may_leave_out_the_kind_that_its_name_says_and_the_update_may_not() -> None:
    """Where several kinds are taken nobody guesses which is meant."""
    order = sent("hold", "o-1", "a test")
    del order["kind"]
    assert isinstance(read(order, hold=Hold), Hold)
    with pytest.raises(InvalidInput, match="kind: '' is refused: must be given"):
        read(order)


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ({"loan_id": "L2"}, "loan_id", "no such field"),
        ({"number": 4}, "number", "no such field"),
        ({"from_driver": True}, "from_driver", "no such field"),
        ({"from_driver": False}, "from_driver", "no such field"),
        ({"kind": "foreclose"}, "kind", "one of hold, unhold, "),
        ({"reason": " "}, "reason", "1 to 1000 characters"),
        ({"actor": {"kind": "driver", "id": "x"}}, "actor", "a kind of your own"),
    ],
)
def test_what_is_wrong_is_refused_by_field_and_rule(
    more: dict[str, Any], field: str, rule: str
) -> None:
    """A sender says neither what an order is about nor that it is a driver's."""
    with pytest.raises(InvalidInput) as refused:
        read({**sent("hold", "o-1", "a test"), **more})
    assert refused.value.field == field
    assert refused.value.rule.startswith(rule)
