"""What parties are due of payments, and have to give back of them, item by item.

Both are projections of portions. What payouts have taken of an item, and no loan has learnt of, is
kept with it and nowhere else.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import BigInteger, ColumnElement, Table, bindparam, delete, select, update

from adapters.sql.engine import among, listed
from adapters.sql.rows import Row
from adapters.sql.schema import tables
from adapters.sql.write.putting import INSERTS
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Held, Workset
from domain.loan.aggregate import Loan
from domain.loan.payables import Key, learnt_of, payable_items, receivable_items
from domain.payment.portion import Portion

COLUMNS = ("loan_id", "payment", "number", "component", "party", "place")
"""The key of an item, as columns of its tables."""
KEY_OF_ITEM = COLUMNS[:4]
"""The part of the key that an item of a payout has; party and place are those of the payout."""
_I, _R = tables.payable_items.c, tables.receivable_items.c
_Of = Callable[[Loan, Portion], dict[Key, int]]


def _same(table: Table) -> tuple[ColumnElement[bool], ...]:
    return tuple(table.c[name] == bindparam(f"key_{name}") for name in COLUMNS)


_DELETE_DUE = delete(tables.payable_items).where(*_same(tables.payable_items))
"""A party is due nothing of an item any more, and no payout has taken any of it."""
_UPDATE_DUE = (
    update(tables.payable_items)
    .where(*_same(tables.payable_items))
    .values(
        minor=bindparam("now_minor", type_=BigInteger),
        taken_minor=_I.taken_minor - bindparam("learnt_minor", type_=BigInteger),
    )
)
"""What the loan has learnt to be remitted is neither due nor taken any more."""
_DELETE_OWED = delete(tables.receivable_items).where(*_same(tables.receivable_items))
_UPDATE_OWED = (
    update(tables.receivable_items)
    .where(*_same(tables.receivable_items))
    .values(minor=bindparam("now_minor", type_=BigInteger))
)


async def look_at(unit: Unit, work: Workset, items: Sequence[Key]) -> None:
    """Read and lock what payouts have taken of some items; no payout takes more of them then."""
    loans = listed(sorted({key[0] for key in items}), postgres=unit.postgres)
    payments = listed(sorted({key[1] for key in items}), postgres=unit.postgres)
    statement = (
        select(*(_I[name] for name in COLUMNS), _I.taken_minor)
        .where(
            among(_I.loan_id, "loans", postgres=unit.postgres),
            among(_I.payment, "payments", postgres=unit.postgres),
        )
        .order_by(*(_I[name] for name in COLUMNS))
        .with_for_update()
    )
    rows = await unit.rows(statement, {"loans": loans, "payments": payments})
    found: dict[Key, int] = {tuple(row[:6]): row.taken_minor for row in rows}
    work.taken_items.update(found | {key: found.get(key, 0) for key in items})


async def write_payable_items(unit: Unit, work: Workset, held: list[Held]) -> None:
    """Write what parties are due, and have to give back, of the portions that changed."""
    was, now = _items(work, held, payable_items)
    learnt: dict[Key, int] = {}
    for item in held:
        learnt |= learnt_of(work.loan_before(item.loan.id), item.loan)
    currencies = {item.loan.id: item.loan.currency for item in held}
    gone, new, changed = _differences(was, now)
    await unit.many(_DELETE_DUE, [_keyed(key) for key in gone])
    more = {"taken_minor": 0, "since": work.posted_on}
    rows = [_row(key, now[key], currencies) | more for key in new]
    await unit.many(INSERTS["payable_items"], rows)
    moved = [
        {**_keyed(key), "now_minor": now[key], "learnt_minor": learnt.get(key, 0)}
        for key in changed
    ]
    await unit.many(_UPDATE_DUE, moved)
    was, now = _items(work, held, receivable_items)
    gone, new, changed = _differences(was, now)
    await unit.many(_DELETE_OWED, [_keyed(key) for key in gone])
    await unit.many(INSERTS["receivable_items"], [_row(key, now[key], currencies) for key in new])
    await unit.many(_UPDATE_OWED, [{**_keyed(key), "now_minor": now[key]} for key in changed])


def _items(work: Workset, held: list[Held], of: _Of) -> tuple[dict[Key, int], dict[Key, int]]:
    """Items of the portions that changed, as they were and as they are."""
    was: dict[Key, int] = {}
    now: dict[Key, int] = {}
    for item in held:
        before = work.loan_before(item.loan.id)
        old = {portion.id: portion for portion in before.portions} if before else {}
        for portion in item.loan.portions:
            known = old.get(portion.id)
            if known is portion:
                continue
            now |= of(item.loan, portion)
            if before is not None and known is not None:
                was |= of(before, known)
    return was, now


def _differences(
    was: dict[Key, int], now: dict[Key, int]
) -> tuple[Iterable[Key], Iterable[Key], Iterable[Key]]:
    """Keys that are gone, new, and changed, each in order."""
    changed = [key for key in sorted(now) if key in was and was[key] != now[key]]
    return sorted(was.keys() - now.keys()), sorted(now.keys() - was.keys()), changed


def _row(key: Key, minor: int, currencies: dict[str, str]) -> Row:
    named = dict(zip(COLUMNS, key, strict=True))
    return {**named, "currency": currencies[key[0]], "minor": minor}


def _keyed(key: Key) -> Row:
    """A key by the names of the parameters that a statement looks it up with."""
    return {f"key_{name}": value for name, value in zip(COLUMNS, key, strict=True)}
