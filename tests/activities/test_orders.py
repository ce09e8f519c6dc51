"""Orders of people and applications of upstream: what comes back from the books."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import TypeAdapter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.boarding import BoardActivities
from activities.subjects import SubjectActivities
from domain.errors import InvalidInput
from domain.kernel.command import Actor
from domain.kernel.view import Action
from domain.loan.view import InstallmentView
from domain.pricing.amounts import Component
from ports.boarding import LoanApplication
from tests.fakes.books import FakeBooks
from tests.fakes.bulk import PLAIN, FakeLedger
from tests.support.doors import BoardLoan, Waive

ANN = Actor("operator", "op-7")


def test_view_of_a_later_release_is_read_tolerantly() -> None:
    """Unknown kinds of actions and states keep their names, unknown fields are left out."""
    view = FakeBooks("r", "L-1").current
    adapter = TypeAdapter(InstallmentView)
    body = adapter.dump_python(view, mode="json")
    body["next_action"]["kind"] = "TELEPHONE"
    body["mood"] = "sunny"
    body["state"] = "MEDIATED"
    read = adapter.validate_python(body)
    assert read.state == "MEDIATED"
    assert adapter.validate_json(adapter.dump_json(read)) == read
    assert isinstance(read.next_action, Action)
    assert read.next_action.kind == "TELEPHONE"


async def test_refused_order_is_an_answer() -> None:
    """A refusal comes back as a value with its rule, so that nothing tries it again."""
    books = FakeBooks("r", "L-1", refuse="waiver.limit")
    order = Waive(
        id="message/L-1/1/w",
        actor=ANN,
        reason="x",
        loan_id="L-1",
        number=1,
        component=Component.FEE,
        amount_minor=1,
    )
    answer = await ActivityEnvironment().run(SubjectActivities(books, books, books).order, order)
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
