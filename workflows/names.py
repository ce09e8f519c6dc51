"""Names that others rely on: workflow ids, task queues, search attributes. Names are API."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.case.case import CASE
from domain.errors import InvalidInput
from domain.kernel import canonical
from domain.kernel.view import View
from domain.loan.view import INSTALLMENT
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.payout.payout import PAYOUT

WORKFLOWS = "workflows"
"""Workflow tasks, and local activities that only touch the books."""
BOOKS = "books"
"""Bulk work on the books: sweeps, statements, boarding, healing."""

TENANT = SearchAttributeKey.for_keyword("TenantId")
KIND = SearchAttributeKey.for_keyword("Kind")
KEY = SearchAttributeKey.for_keyword("Key")
LOAN = SearchAttributeKey.for_keyword("LoanId")
STATE = SearchAttributeKey.for_keyword("State")
RAIL = SearchAttributeKey.for_keyword("Rail")
CODE = SearchAttributeKey.for_keyword("Code")
OWNER = SearchAttributeKey.for_keyword("Owner")
OPERATOR = SearchAttributeKey.for_bool("NeedsOperator")
DUE = SearchAttributeKey.for_datetime("DueDate")
NUMBER = SearchAttributeKey.for_int("Number")
ATTEMPT = SearchAttributeKey.for_int("AttemptNo")
KEYS = (TENANT, KIND, KEY, LOAN, STATE, RAIL, CODE, OWNER, OPERATOR, DUE, NUMBER, ATTEMPT)
SEARCH_ATTRIBUTES = {key.name: key.indexed_value_type.name.capitalize() for key in KEYS}
"""Names and types as a server gets them when the namespace is created.

One set for every kind of subject: a server that keeps its visibility in SQL has few columns.
"""

DRIVERS = {
    INSTALLMENT: "Installment",
    CASE: "Case",
    PAYOUT: "Payout",
    LOAN_CLOSURE: "LoanClosure",
}
"""The type of workflow that drives each kind of subject that has drivers."""
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


def driver_id(view: View[Any]) -> str:
    """Id of the driver of a subject's generation: `{kind}/{tenant}/{key}/{generation}`.

    A key that holds other characters than ids do stands there as its digest.

    Raises:
        InvalidInput: the tenant breaks the rule of `key`.
    """
    tenant, named = key("tenant", view.tenant), view.subject.key
    if not all(_KEY.fullmatch(part) for part in named.split("/")):
        named = canonical.digest(named)[:32]
    return f"{view.subject.kind}/{tenant}/{named}/{view.generation}"


def statement_id(tenant: str, sha256: str) -> str:
    """Id of the reading of one statement file: `statement/{tenant}/{first 16 of its hash}`."""
    return f"statement/{key('tenant', tenant)}/{sha256[:16]}"


def board_id(tenant: str, loan_id: str) -> str:
    """Id of the boarding of one loan: `board/{tenant}/{loan}`."""
    return f"board/{key('tenant', tenant)}/{key('loan_id', loan_id)}"


def sweep_id(tenant: str, timezone: str, day: date) -> str:
    """Id of the bulk work of one day in one zone: `sweep/{tenant}/{zone, / as .}/{day}`."""
    return f"sweep/{key('tenant', tenant)}/{timezone.replace('/', '.')}/{day}"


def attributes(view: View[Any], *, lost: bool = False) -> TypedSearchAttributes:
    """What a subject shows to searches in the Temporal UI; no amounts, nothing personal.

    What it has none of is left out. `lost`: an order was lost on its way to the books, so a person
    is needed whatever they hold.
    """
    labels = view.labels
    texts = {
        TENANT: view.tenant,
        KIND: view.subject.kind,
        KEY: view.subject.key,
        LOAN: labels.loan_id,
        STATE: view.state,
        RAIL: labels.rail,
        CODE: labels.code,
        OWNER: labels.owner,
    }
    pairs: list[SearchAttributePair[Any]]
    pairs = [SearchAttributePair(name, text) for name, text in texts.items() if text]
    pairs.append(SearchAttributePair(OPERATOR, bool(view.needs_operator) or lost))
    if labels.number is not None:
        pairs.append(SearchAttributePair(NUMBER, labels.number))
    if labels.rail:
        pairs.append(SearchAttributePair(ATTEMPT, labels.attempt_no))
    if labels.due_on is not None:
        due = datetime.combine(labels.due_on, time(), UTC)
        pairs.append(SearchAttributePair(DUE, due))
    return TypedSearchAttributes(pairs)
