"""Names that others rely on: workflow ids, task queues, search attributes. Names are API."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.errors import InvalidInput
from domain.loan.view import InstallmentView

WORKFLOWS = "workflows"
"""Workflow tasks, and local activities that only touch the books."""
BOOKS = "books"
"""Bulk work on the books: sweeps, statements, boarding, healing."""

TENANT = SearchAttributeKey.for_keyword("TenantId")
LOAN = SearchAttributeKey.for_keyword("LoanId")
STATE = SearchAttributeKey.for_keyword("InstallmentState")
RAIL = SearchAttributeKey.for_keyword("Rail")
FAILURE = SearchAttributeKey.for_keyword("FailureCode")
OPERATOR = SearchAttributeKey.for_bool("NeedsOperator")
DUE = SearchAttributeKey.for_datetime("DueDate")
NUMBER = SearchAttributeKey.for_int("InstallmentNo")
ATTEMPT = SearchAttributeKey.for_int("AttemptNo")
SEARCH_ATTRIBUTES = {
    key.name: key.indexed_value_type.name.capitalize()
    for key in (TENANT, LOAN, STATE, RAIL, FAILURE, OPERATOR, DUE, NUMBER, ATTEMPT)
}
"""Names and types as a server is told them when the namespace is created."""

MEMO_BOOKS = "books"
MEMO_REQUEST = "request"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def key(field: str, value: str) -> str:
    """Return a part of an id, checked.

    Raises:
        InvalidInput: it holds other characters than letters, digits and `._-`, or more than 80.
    """
    if not _KEY.fullmatch(value):
        raise InvalidInput(field, value[:80], _KEY.pattern)
    return value


def debit_queue(rail: str) -> str:
    """One queue for each rail, so that one bank's limits never stall the others."""
    return f"debit.{rail}"


def installment_id(tenant: str, loan_id: str, number: int, generation: int) -> str:
    """Id of an installment's driver: `installment/{tenant}/{loan}/{number}/{generation}`."""
    tenant, loan_id = key("tenant", tenant), key("loan_id", loan_id)
    return f"installment/{tenant}/{loan_id}/{number}/{generation}"


def driver_id(view: InstallmentView) -> str:
    """Id of the driver that an installment's current generation must have."""
    return installment_id(view.tenant, view.loan_id, view.number, view.generation)


def statement_id(tenant: str, sha256: str) -> str:
    """Id of the reading of one statement file: `statement/{tenant}/{first 16 of its hash}`."""
    return f"statement/{key('tenant', tenant)}/{sha256[:16]}"


def board_id(tenant: str, loan_id: str) -> str:
    """Id of the boarding of one loan: `board/{tenant}/{loan}`."""
    return f"board/{key('tenant', tenant)}/{key('loan_id', loan_id)}"


def sweep_id(tenant: str, timezone: str, day: date) -> str:
    """Id of the bulk work of one day in one zone: `sweep/{tenant}/{zone, / as .}/{day}`."""
    return f"sweep/{key('tenant', tenant)}/{timezone.replace('/', '.')}/{day}"


def attributes(view: InstallmentView, *, lost: bool = False) -> TypedSearchAttributes:
    """What an installment shows to searches in the Temporal UI; no amounts, nothing personal.

    `lost`: an order was lost on its way to the books, so a person is needed whatever they hold.
    """
    pairs: list[SearchAttributePair[str] | SearchAttributePair[int] | SearchAttributePair[bool]]
    pairs = [
        SearchAttributePair(TENANT, view.tenant),
        SearchAttributePair(LOAN, view.loan_id),
        SearchAttributePair(STATE, view.state.value),
        SearchAttributePair(RAIL, view.rail),
        SearchAttributePair(NUMBER, view.number),
        SearchAttributePair(ATTEMPT, view.attempt_no),
        SearchAttributePair(OPERATOR, bool(view.needs_operator) or lost),
    ]
    if view.failure_code:
        pairs.append(SearchAttributePair(FAILURE, view.failure_code))
    due = SearchAttributePair(DUE, datetime.combine(view.due_on, time(), UTC))
    return TypedSearchAttributes([*pairs, due])
