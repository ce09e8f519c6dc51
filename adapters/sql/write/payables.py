"""What parties are due of payments, item by item: a projection of where a portion's money lies."""

from datetime import date

from sqlalchemy import BigInteger, bindparam, delete, update

from adapters.sql.rows import Row
from adapters.sql.schema import tables
from adapters.sql.write.putting import INSERTS
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Held, Workset
from domain.loan.payables import Key, payable_items, remitted_items

COLUMNS = ("loan_id", "payment", "number", "component", "party", "place")
"""The key of an item, as columns of its table."""
KEY_OF_ITEM = COLUMNS[:4]
"""The part of the key that an item of a payout has; party and place are those of the payout."""
_I = tables.payable_items.c
_SAME = tuple(_I[name] == bindparam(f"key_{name}") for name in COLUMNS)
_DELETE = delete(tables.payable_items).where(*_SAME)
"""A party is due nothing of an item any more, and no payout has taken any of it."""
_UPDATE = (
    update(tables.payable_items)
    .where(*_SAME)
    .values(
        minor=bindparam("now_minor", type_=BigInteger),
        taken_minor=_I.taken_minor - bindparam("learnt_minor", type_=BigInteger),
    )
)
"""What the loan has learnt to be remitted is neither due nor taken any more."""


async def write_payable_items(unit: Unit, work: Workset, held: list[Held]) -> None:
    """Write what parties are due of the portions that changed; what is due no more is removed."""
    was: dict[Key, int] = {}
    now: dict[Key, int] = {}
    learnt: dict[Key, int] = {}
    currencies = {item.loan.id: item.loan.currency for item in held}
    for item in held:
        before = work.loan_before(item.loan.id)
        old = {portion.id: portion for portion in before.portions} if before else {}
        for portion in item.loan.portions:
            known = old.get(portion.id)
            if known is portion:
                continue
            now |= payable_items(item.loan, portion)
            if before is not None and known is not None:
                was |= payable_items(before, known)
                if portion.remitted != known.remitted:
                    _learn(
                        learnt, remitted_items(before, known), remitted_items(item.loan, portion)
                    )
    gone = [_keyed(key) for key in sorted(was.keys() - now.keys())]
    new = [key for key in sorted(now) if key not in was]
    changed = [key for key in sorted(now) if key in was and was[key] != now[key]]
    await unit.many(_DELETE, gone)
    await unit.many(
        INSERTS["payable_items"], [_row(key, now[key], currencies, work.posted_on) for key in new]
    )
    updates = [
        {**_keyed(key), "now_minor": now[key], "learnt_minor": learnt.get(key, 0)}
        for key in changed
    ]
    await unit.many(_UPDATE, updates)


def _learn(learnt: dict[Key, int], was: dict[Key, int], now: dict[Key, int]) -> None:
    """Add what a loan has learnt to be remitted since; what came back was not taken any more."""
    for key, minor in now.items():
        learnt[key] = max(0, minor - was.get(key, 0))


def _row(key: Key, minor: int, currencies: dict[str, str], since: date) -> Row:
    named = dict(zip(COLUMNS, key, strict=True))
    return {
        **named,
        "currency": currencies[key[0]],
        "minor": minor,
        "taken_minor": 0,
        "since": since,
    }


def _keyed(key: Key) -> Row:
    """A key by the names of the parameters that a statement looks it up with."""
    return {f"key_{name}": value for name, value in zip(COLUMNS, key, strict=True)}
