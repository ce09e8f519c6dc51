"""Compares the payouts that are kept with their items, the journal, and what lists show of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql import readrows, rows
from adapters.sql.engine import among, listed
from adapters.sql.schema import tables
from domain.ledger import accounts
from domain.ledger.chain import Verification
from domain.loan.payables import Key
from domain.payment.portion import RefundPart, RefundStage
from domain.payout.items import PayoutItem, Summing
from domain.payout.lifecycle import GONE, LIVE, WAITING, PayoutState
from domain.payout.payout import PAYOUT, Payout, Refund

PAGE = 200
"""Payouts that are compared together; their items are read one payout after the other."""
ROWS = 5_000
"""Items in memory at a time."""
_O, _P, _S, _T = (
    tables.payouts.c,
    tables.postings.c,
    tables.subjects.c,
    tables.transitions.c,
)


async def recount_payouts(conn: AsyncConnection, found: Verification) -> int:
    """Put every difference into `found`: columns, state, items, postings, and the row in lists."""
    counted, after, postgres = 0, "", conn.dialect.name == "postgresql"
    last = (
        select(func.max(_T.seq))
        .where(_T.loan_id == "", _T.subject_kind == PAYOUT)
        .where(among(_T.subject_key, "values", postgres=postgres))
        .group_by(_T.subject_key)
    )
    moves = select(_T.subject_key, _T.target).where(_T.seq.in_(last))
    posted = (
        select(_P.payout, _P.account, func.sum(_P.minor).label("minor"))
        .where(among(_P.payout, "values", postgres=postgres))
        .group_by(_P.payout, _P.account)
    )
    shown = select(_S.key, _S.state, _S.version, _S.is_final, _S.amount_minor).where(
        _S.kind == PAYOUT, among(_S.key, "values", postgres=postgres)
    )
    while True:
        page = select(tables.payouts).where(_O.key > after).order_by(_O.key).limit(PAGE)
        kept: list[Any] = list(await conn.execute(page))
        if not kept:
            return counted
        after = kept[-1].key
        names = {"values": listed([row.key for row in kept], postgres=postgres)}
        states = {row.subject_key: row.target for row in await conn.execute(moves, names)}
        sums: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in await conn.execute(posted, names):
            sums[row.payout][row.account] = int(row.minor)
        views = {row.key: row for row in await conn.execute(shown, names)}
        for row in kept:
            try:
                payout = readrows.read_payout(row.body)
            except ValidationError:
                found.fault(f"payout {row.key} cannot be read back")
                continue
            _compare(payout, row, states.get(row.key, ""), views.get(row.key), found)
            _compare_postings(payout, sums[row.key], found)
            counted += 1 + await _compare_items(conn, payout, found)


def _compare(payout: Payout, kept: Any, state: str, shown: Any, found: Verification) -> None:  # noqa: ANN401
    name = f"payout {payout.key}"
    for column, mine in rows.payout_row(payout).items():
        held = kept._mapping[column]  # noqa: SLF001  (the public way to a row's columns by name)
        if column != "body" and held != mine:
            found.fault(f"{name}: column {column} is {held}, its body says {mine}")
    if payout.state.value != state:
        text = f"is kept as {payout.state.value}, its moves end at {state or 'nothing'}"
        found.fault(f"{name} {text}")
    row = (payout.state.value, payout.version, payout.minor)
    if shown is None or (shown.state, shown.version, shown.amount_minor) != row:
        found.fault(f"lists do not show {name} as it is")


def _compare_postings(payout: Payout, sums: dict[str, int], found: Verification) -> None:
    """What its entries leave payable, and as paying."""
    out = payout.minor if payout.state in (LIVE | GONE) - WAITING else 0
    source = accounts.payable(payout.payee)
    if payout.refund is not None:
        source = accounts.suspense(payout.refund.payment)
        # What its payer owes back is a part of what left suspense, or came there again.
        owed = sums.get(accounts.receivable(payout.payee), 0)
        sums = {**sums, source: sums.get(source, 0) + owed}
    expected = {
        source: out,
        accounts.paying(payout.payee): -out if payout.state in LIVE else 0,
    }
    for account, mine in expected.items():
        if (posted := sums.get(account, 0)) != mine:
            text = f"leaves {mine} on {account}, its postings say {posted}"
            found.fault(f"payout {payout.key} {text}")


async def _compare_items(conn: AsyncConnection, payout: Payout, found: Verification) -> int:
    """Count, sum and digest of its items, read a page at a time; how many there are.

    A refund has none in rows: its parts stand in the portions of its payment.
    """
    if payout.refund is not None:
        return await _compare_parts(conn, payout, payout.refund, found)
    of, summing = tables.payout_items.c, Summing()
    names = (of.loan_id, of.payment, of.number, of.component)
    items = select(*names, of.minor).where(of.payout == payout.key).order_by(*names)
    async with conn.stream(items, execution_options={"max_row_buffer": ROWS}) as read:
        async for row in read:
            summing.take(PayoutItem(*row))
    if summing.result() != payout.items:
        text = f"is kept with {payout.items.count} items of {payout.items.minor}"
        now = summing.result()
        more = f"there are {now.count} of {now.minor}, or others than were hashed"
        found.fault(f"payout {payout.key} {text}, {more}")
    return summing.result().count


_STAGES: Mapping[PayoutState, RefundStage] = MappingProxyType(
    {
        **dict.fromkeys(WAITING, RefundStage.RESERVED),
        **dict.fromkeys(LIVE - WAITING, RefundStage.ORDERED),
        **dict.fromkeys(GONE, RefundStage.PROVEN),
    }
)
"""How far the money of a refund is in each state that holds it."""


async def _compare_parts(
    conn: AsyncConnection, payout: Payout, refund: Refund, found: Verification
) -> int:
    """What a refund takes of the portions of its payment; how many there are."""
    stage = _STAGES.get(payout.state)
    kept = select(tables.portions).where(tables.portions.c.id == refund.payment)
    parts = dict(refund.parts)
    for row in await conn.execute(kept):
        try:
            portion = readrows.read_portion(row.body)
        except ValidationError:
            continue  # said where loans are compared
        mine = [part for part in portion.refunds if part.payout == payout.key]
        minor = parts.pop(row.loan_id, 0)
        expected = [RefundPart(payout.key, payout.account, minor, stage)] if stage and minor else []
        if mine != expected:
            text = f"takes {minor} of loan {row.loan_id} as {stage or 'nothing'}"
            found.fault(f"payout {payout.key} {text}, its portion says otherwise")
    if parts or sum(minor for _, minor in refund.parts) != payout.minor:
        found.fault(f"payout {payout.key} takes {payout.minor} of other loans than have it")
    return len(refund.parts)


def taken_of(
    paid: Iterable[tuple[Payout, Key, int]], learnt: set[tuple[str, Key]], found: Verification
) -> dict[Key, int]:
    """What is in payouts that the loan has not learnt of; what it should have learnt, or not."""
    taken: dict[Key, int] = {}
    for payout, key, minor in paid:
        knows = (payout.key, key) in learnt
        is_proven = payout.state in GONE or payout.state is PayoutState.RETURNED
        waits = is_proven and not payout.learnt and not knows
        if payout.state in LIVE or waits:
            taken[key] = taken.get(key, 0) + minor
        must = payout.state is PayoutState.CLOSED
        if knows != must and (must or not is_proven):
            said = "has not learnt" if must else "takes for remitted"
            found.fault(f"loan {key[0]} {said} an item of payout {payout.key}")
    return taken
