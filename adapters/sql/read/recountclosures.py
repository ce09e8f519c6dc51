"""Compares what lists show of the closures of loans with their loans and with the journal."""

import json
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql import bodies
from adapters.sql.engine import among, listed
from adapters.sql.schema import tables
from domain.ledger.chain import Verification
from domain.loanclosure.closure import LOAN_CLOSURE, LoanClosure

PAGE = 500
"""Closures that are compared together."""
_L, _S, _T = tables.loans.c, tables.subjects.c, tables.transitions.c


async def recount_closures(conn: AsyncConnection, found: Verification) -> int:
    """Put every difference into `found`: state by journal, loan and lists; how many there are."""
    counted, after, postgres = 0, "", conn.dialect.name == "postgresql"
    last = (
        select(func.max(_T.seq))
        .where(_T.subject_kind == LOAN_CLOSURE)
        .where(among(_T.loan_id, "values", postgres=postgres))
        .group_by(_T.subject_key)
    )
    moves = select(_T.subject_key, _T.target).where(_T.seq.in_(last))
    shown = select(_S.key, _S.state, _S.version, _S.generation, _S.is_final, _L.body)
    shown = shown.select_from(tables.subjects.outerjoin(tables.loans, _L.id == _S.key))
    while True:
        page = shown.where(_S.kind == LOAN_CLOSURE, _S.key > after).order_by(_S.key).limit(PAGE)
        kept: list[Any] = list(await conn.execute(page))
        if not kept:
            return counted
        after = kept[-1].key
        names = {"values": listed([row.key for row in kept], postgres=postgres)}
        states = {row.subject_key: row.target for row in await conn.execute(moves, names)}
        for row in kept:
            counted += 1
            _compare(row, states.get(row.key, ""), found)


def _compare(row: Any, state: str, found: Verification) -> None:  # noqa: ANN401
    name = f"closure of loan {row.key}"
    try:
        closure = _closing(row.body)
    except (ValidationError, ValueError):
        found.fault(f"{name} cannot be read back")
        return
    if closure is None:
        found.fault(f"lists show a {name}, and the loan has none")
        return
    if closure.state.value != state:
        text = f"is kept as {closure.state.value}, its moves end at {state or 'nothing'}"
        found.fault(f"{name} {text}")
    if (row.state, row.version, row.generation) != (
        closure.state.value,
        closure.version,
        closure.generation,
    ):
        found.fault(f"lists do not show the {name} as it is")


def _closing(body: str | None) -> LoanClosure | None:
    held = None if body is None else json.loads(body).get("closing")
    return None if held is None else bodies.CLOSING.validate_python(held, strict=False)
