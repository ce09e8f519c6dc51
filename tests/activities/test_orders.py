"""Requests of people and upstream: shape, the command they become, and what comes back."""

from dataclasses import fields, replace
from datetime import date
from typing import get_args

import pytest
from pydantic import TypeAdapter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.boarding import BoardActivities
from activities.orders import OrderActivities
from domain.errors import InvalidInput
from domain.kernel.command import Actor
from domain.loan.view import Action, ActionKind, InstallmentView
from domain.pricing.amounts import Component
from ports.boarding import LoanApplication
from tests.fakes.books import FakeBooks
from tests.fakes.bulk import PLAIN, FakeLedger
from tests.support.doors import BoardLoan, Order, Waive
from workflows.messages import (
    MESSAGE,
    Override,
    RecordPaymentRequest,
    WaiveRequest,
    command_of,
    misshapen,
)

ANN = Actor("operator", "op-7")
KNOWN = {"loan_id", "number", "from_driver"}


def kind_of(member: type) -> str:
    return next(str(item.default) for item in fields(member) if item.name == "kind")


def test_every_request_has_the_fields_of_its_command() -> None:
    """A request and its command differ in what the driver knows, and each order has one."""
    commands = {kind_of(command): command for command in get_args(Order)}
    requests = {kind_of(request): request for request in get_args(Override)}
    assert commands.keys() == requests.keys()
    for kind, request in requests.items():
        names = {item.name for item in fields(commands[kind])} - KNOWN
        assert {item.name for item in fields(request)} == names


def test_request_travels_as_json_and_becomes_the_command() -> None:
    """A request read from JSON is distinguished by its kind and keeps every field."""
    adapter: TypeAdapter[Override] = TypeAdapter(Override)
    asked = WaiveRequest(
        id="w",
        actor=ANN,
        reason="hardship",
        approver="op-9",
        component=Component.FEE,
        amount_minor=500,
    )
    command = command_of(adapter.validate_json(adapter.dump_json(asked)), "L-1", 3, MESSAGE)
    assert isinstance(command, Waive)
    assert (command.loan_id, command.number, command.amount_minor) == ("L-1", 3, 500)
    assert (command.actor, command.approver) == (ANN, "op-9")


def test_shape_is_checked_field_by_field() -> None:
    """Every fault of shape is named; amounts are more than zero; a payment has a reference."""
    asked = RecordPaymentRequest(
        id="",
        actor=Actor("", ""),
        reason=" ",
        reference="",
        amount_minor=0,
        currency="CNY",
        value_on=date(2026, 12, 1),
    )
    assert [field for field, _ in misshapen(asked)] == [
        "id",
        "actor",
        "reason",
        "amount_minor",
        "reference",
    ]


def test_view_of_a_later_release_is_read_tolerantly() -> None:
    """An unknown kind of action becomes OTHER, an unknown state keeps its name, fields are left."""
    view = FakeBooks("r", "L-1").current
    adapter = TypeAdapter(InstallmentView)
    body = adapter.dump_python(view, mode="json")
    body["next_action"]["kind"] = "TELEPHONE"
    body["mood"] = "sunny"
    body["state"] = "MEDIATED"
    read = adapter.validate_python(body)
    assert (read.state, read.state.is_known) == ("MEDIATED", False)
    assert adapter.validate_json(adapter.dump_json(read)) == read
    assert isinstance(read.next_action, Action)
    assert read.next_action.kind is ActionKind.OTHER


async def test_refused_order_is_an_answer() -> None:
    """A refusal comes back as a value with its rule, so that nothing tries it again."""
    books = FakeBooks("r", "L-1", refuse="waiver.limit")
    order = command_of(
        WaiveRequest(id="w", actor=ANN, reason="x", component=Component.FEE, amount_minor=1),
        "L-1",
        1,
        MESSAGE,
    )
    answer = await ActivityEnvironment().run(OrderActivities(books).apply, order)
    assert (answer.refused_by, answer.why) == ("waiver.limit", "not now")


class FakeBoarding:
    """Refuses a principal of zero; otherwise hands out one command."""

    def __init__(self, command: BoardLoan) -> None:
        self._command = command

    def command(self, application: LoanApplication) -> BoardLoan:
        if application.principal == "0":
            raise InvalidInput("principal", "0", "above zero")
        return self._command


def board_command() -> BoardLoan:
    nothing: object = None
    return BoardLoan(
        id="board/t1/L-1",
        actor=ANN,
        loan_id="L-1",
        tenant="t1",
        borrower="B-1",
        currency="CNY",
        principal_minor=1_200_000,
        disbursed_on=date(2026, 11, 1),
        product=nothing,  # type: ignore[arg-type]
        mandate=nothing,  # type: ignore[arg-type]
        schedule=(),
    )


async def test_wrong_application_names_field_value_and_rule() -> None:
    """Upstream reads in the failed workflow what was wrong; it is not tried again."""
    activities = BoardActivities(FakeLedger(), FakeBoarding(board_command()))
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(activities.board, replace(PLAIN, principal="0"))
    assert refused.value.type == "InvalidInput"
    assert refused.value.non_retryable
    assert refused.value.details[0] == {"field": "principal", "value": "0", "rule": "above zero"}


async def test_loan_boarded_twice_is_boarded_once() -> None:
    """The second time the answer says that it was there before."""
    activities = BoardActivities(FakeLedger(), FakeBoarding(board_command()))
    first = await ActivityEnvironment().run(activities.board, PLAIN)
    again = await ActivityEnvironment().run(activities.board, PLAIN)
    assert (first.again, again.again) == (False, True)


async def test_loan_that_the_books_refuse_is_a_readable_failure() -> None:
    """A refused boarding names its rule."""
    activities = BoardActivities(FakeLedger(refuse="product.closed"), FakeBoarding(board_command()))
    with pytest.raises(ApplicationError, match=r"product\.closed"):
        await ActivityEnvironment().run(activities.board, PLAIN)
