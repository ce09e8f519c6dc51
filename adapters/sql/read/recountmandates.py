"""Compares the mandates that are kept with the journal, and with the loans under them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql import readrows, rows
from adapters.sql.engine import among, listed
from adapters.sql.schema import tables
from domain.debit.mandate import MANDATE, MandateEvent, MandateRoot
from domain.ledger.chain import Verification

PAGE = 50
"""Mandates that are compared together; each may have 200 loans."""
_T = tables.transitions.c
_STATES = (MandateEvent.REGISTERED.value, MandateEvent.ENDED.value)
_BARS = (MandateEvent.BARRED.value, MandateEvent.CLEARED.value)


async def recount_mandates(conn: AsyncConnection, found: Verification) -> int:
    """Put every difference into `found`: state, `ended_on`, bar, number and terms of loans."""
    counted, after, postgres = 0, "", conn.dialect.name == "postgresql"
    refs, loans = tables.mandates.c.ref, tables.loans.c
    moves = (
        select(_T.subject_key, _T.target, _T.event, _T.detail)
        .where(_T.loan_id == "", _T.subject_kind == MANDATE, _T.event.in_((*_STATES, *_BARS)))
        .where(among(_T.subject_key, "values", postgres=postgres))
        .order_by(_T.seq)
    )
    under = select(loans.id, loans.mandate_ref, loans.body)
    under = under.where(among(loans.mandate_ref, "values", postgres=postgres))
    while True:
        page = select(tables.mandates).where(refs > after).order_by(refs).limit(PAGE)
        kept: list[Any] = list(await conn.execute(page))
        if not kept:
            return counted
        after = kept[-1].ref
        names = {"values": listed([row.ref for row in kept], postgres=postgres)}
        said: defaultdict[str, list[Any]] = defaultdict(list)
        for move in await conn.execute(moves, names):
            said[move.subject_key].append(move)
        mine: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for loan in await conn.execute(under, names):
            mine[loan.mandate_ref][loan.id] = loan.body
        for row in kept:
            try:
                root = readrows.read_mandate(row.body)
            except ValidationError:
                found.fault(f"mandate {row.ref} cannot be read back")
                continue
            _compare(root, row, said[row.ref], mine[row.ref], found)
            counted += 1


def _compare(
    root: MandateRoot,
    kept: Row[Any],
    moves: Iterable[Row[Any]],
    loans: Mapping[str, str],
    found: Verification,
) -> None:
    name, held = f"mandate {kept.ref}", kept._mapping  # noqa: SLF001  (columns by name)
    for column, expected in rows.mandate_row(root).items():
        if column != "body" and held[column] != expected:
            text = f"column {column} is {held[column]}, its body says {expected}"
            found.fault(f"{name}: {text}")
    state, days = "", [""]
    bars: list[str] = []
    for move in moves:
        if move.event in _BARS:
            bars = [*bars, move.detail] if move.event == MandateEvent.BARRED else []
            continue
        state = move.target
        if move.event == MandateEvent.ENDED:
            days.append(move.detail.partition(" ")[0])
    if root.state.value != state:
        found.fault(f"{name} is kept as {root.state.value}, its moves end at {state or 'nothing'}")
    ended = str(root.terms.ended_on or "")
    if ended != days[-1]:
        found.fault(f"{name} is kept as ended on {ended or 'no day'}, its moves say {days[-1]}")
    barred = "; ".join(map(str, root.terms.bars))
    if barred != (said := "; ".join(bars)):
        found.fault(
            f"{name} is kept as barred by {barred or 'nothing'}, its moves say {said or 'no bar'}"
        )
    if root.loans != len(loans):
        found.fault(f"{name} is kept with {root.loans} loans, {len(loans)} are under it")
    terms = json.loads(kept.body)["terms"]
    for loan_id in sorted(loans):
        if json.loads(loans[loan_id])["mandate"] != terms:
            found.fault(f"loan {loan_id} keeps other terms than its {name}")
