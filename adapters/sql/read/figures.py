"""Counts what the rules of the case policy watch: implements `ports.figures.Figures`.

Each figure is one statement over what waits, found by an index of that alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any, assert_never

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import (
    DEAD,
    UNCLEARED,
    UNDELIVERED,
    UNPROVEN,
    attempts,
    balances,
    cases,
    entries,
    files,
    outbox,
    payments,
    postings,
    subjects,
    transitions,
)
from adapters.sql.schema.types import Instant
from domain.case.case import CASE
from domain.case.kinds import CaseKind
from domain.case.threshold import Figure, Threshold, Waits, threshold_of
from domain.debit.attempt import AttemptState
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT
from domain.pricing.amounts import Component
from ports.gauges import FILES_DAYS

_PAID = (State.CLEARING, State.SETTLED, State.RELEASED)
_LINES = "suspense/line/"
_AFTER_LINES = "suspense/line0"
"""The first account name after all of `suspense/line/`."""


class SqlFigures:
    """Counts on SQLite and PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def figure(self, rule: Threshold, now: datetime) -> Figure:
        """See the port."""
        async with look(self._engine) as conn:
            postgres = is_postgres(self._engine)
            [(count, minor, since)] = await conn.execute(asked(rule, now, postgres=postgres))
        return Figure(int(count), int(minor or 0), since)

    async def open_rules(self) -> Sequence[str]:
        """See the port."""
        named = select(cases.c.key).where(
            cases.c.kind == CaseKind.THRESHOLD.value, cases.c.closed_at.is_(None)
        )
        async with look(self._engine) as conn:
            return [threshold_of(row.key) for row in await conn.execute(named)]


def asked(rule: Threshold, now: datetime, *, postgres: bool) -> Select[Any]:
    """The statement of a rule: how many, the sum of their amounts, and since when the oldest."""
    match rule.of:
        case Waits.CASES:
            return _cases(rule)
        case Waits.LINES:
            return _waiting(rule, balances.c.account >= _LINES, balances.c.account < _AFTER_LINES)
        case Waits.SUSPENSE:
            lines = and_(balances.c.account >= _LINES, balances.c.account < _AFTER_LINES)
            all_of = and_(balances.c.account >= "suspense/", balances.c.account < "suspense0")
            return _waiting(rule, all_of, ~lines)
        case Waits.CLEARING:
            return _clearing(rule)
        case Waits.IN_DOUBT:
            return _in_doubt(rule)
        case Waits.PAID_NOT_CLOSED:
            return _installments(rule, _PAID, _paid_minor(postgres=postgres))
        case Waits.DELINQUENT:
            return _installments(rule, (State.DELINQUENT,), subjects.c.amount_minor)
        case Waits.DEAD_LETTERS:
            counted = _counted(func.count(), literal(0), outbox.c.dead_at)
            return counted.select_from(outbox).where(DEAD)
        case Waits.MESSAGES:
            due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
            since = func.coalesce(outbox.c.not_before, outbox.c.queued_at)
            return (
                _counted(func.count(), literal(0), since)
                .select_from(outbox)
                .where(UNDELIVERED, due)
            )
        case Waits.FILES:
            lately = files.c.kept_at > now - timedelta(days=FILES_DAYS)
            counted = _counted(func.count(), literal(0), files.c.kept_at)
            return counted.where(files.c.read_at.is_(None), lately)
        case _:
            assert_never(rule.of)


def _installments(rule: Threshold, states: Sequence[State], minor: Any) -> Select[Any]:  # noqa: ANN401  (a column)
    """Installments in some states, since they came into them."""
    of = subjects.c
    names = [state.value for state in states]
    counted = _counted(func.count(), minor, of.state_since).select_from(subjects)
    return counted.where(
        of.kind == INSTALLMENT, of.state.in_(names), _of(of.currency, rule.currency)
    )


def _paid_minor(*, postgres: bool) -> ColumnElement[int]:
    """What was charged of an installment that owes nothing, without what was forgiven."""
    held = subjects.c.body
    body: Any = cast(held, JSON) if postgres else type_coerce(held, JSON)

    def sum_of(name: str) -> Any:  # noqa: ANN401  (a column)
        parts = (cast(body[(name, part.value)].as_string(), BigInteger) for part in Component)
        return reduce(add, (func.coalesce(part, 0) for part in parts))

    found: ColumnElement[int] = sum_of("charged") - sum_of("forgiven")
    return found


def _counted(count: Any, minor: Any, since: Any) -> Select[Any]:  # noqa: ANN401  (columns)
    return select(count, func.sum(func.abs(minor)), func.min(since, type_=Instant()))


def _of(column: ColumnElement[str], currency: str) -> ColumnElement[bool]:
    return column == currency if currency else true()


def _cases(rule: Threshold) -> Select[Any]:
    """Open cases; those of rules are left out, or one would keep itself open."""
    of = subjects.c
    kind = cases.c.kind
    chosen = kind == rule.kind.value if rule.kind else kind != CaseKind.THRESHOLD.value
    counted = _counted(func.count(), of.amount_minor, cases.c.opened_at)
    joined = cases.join(subjects, and_(of.kind == CASE, of.key == cases.c.key))
    return counted.select_from(joined).where(
        cases.c.closed_at.is_(None), chosen, _of(of.currency, rule.currency)
    )


def _waiting(rule: Threshold, *accounts: ColumnElement[bool]) -> Select[Any]:
    """Accounts that each hold the money of one thing; since their first entry."""
    first = (
        select(func.min(entries.c.at))
        .select_from(postings.join(entries, entries.c.seq == postings.c.seq))
        .where(postings.c.account == balances.c.account)
        .scalar_subquery()
    )
    waits = (
        select(balances.c.minor, first.label("since"))
        .where(*accounts, balances.c.minor != 0, _of(balances.c.currency, rule.currency))
        .subquery()
    )
    return _counted(func.count(), waits.c.minor, waits.c.since).select_from(waits)


def _clearing(rule: Threshold) -> Select[Any]:
    """Payments that lines do not prove whole; since the entry that first reported each."""
    of = payments.c
    first = (
        select(func.min(entries.c.at))
        .select_from(postings.join(entries, entries.c.seq == postings.c.seq))
        .where(postings.c.payment == of.id)
        .scalar_subquery()
    )
    lacks = UNPROVEN - (of.returned_minor - of.return_settled_minor)
    waits = (
        select(lacks.label("minor"), first.label("since"))
        .where(UNCLEARED, _of(of.currency, rule.currency))
        .subquery()
    )
    return _counted(func.count(), waits.c.minor, waits.c.since).select_from(waits)


def _in_doubt(rule: Threshold) -> Select[Any]:
    """Attempts whose outcome nobody knows; since each first became so."""
    item = and_(
        subjects.c.kind == INSTALLMENT,
        subjects.c.loan_id == attempts.c.loan_id,
        subjects.c.number == attempts.c.number,
    )
    since = (
        select(func.min(transitions.c.at))
        .where(
            transitions.c.loan_id == attempts.c.loan_id,
            transitions.c.subject_key == subjects.c.key,
            transitions.c.order_no == attempts.c.order_no,
            transitions.c.target == AttemptState.UNKNOWN.value,
        )
        .scalar_subquery()
    )
    waits = (
        select(attempts.c.amount_minor.label("minor"), since.label("since"))
        .select_from(attempts.join(subjects, item))
        .where(
            attempts.c.state == AttemptState.UNKNOWN.value,
            _of(subjects.c.currency, rule.currency),
        )
        .subquery()
    )
    return _counted(func.count(), waits.c.minor, waits.c.since).select_from(waits)
