"""What parties are due of payments, item by item: a projection of where a portion's money lies."""

from sqlalchemy import bindparam, delete

from adapters.sql.rows import Row
from adapters.sql.schema import tables
from adapters.sql.write.putting import put
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Held, Workset
from domain.loan.aggregate import Loan
from domain.loan.placing import lying
from domain.payment.portion import Portion

COLUMNS = ("loan_id", "payment", "number", "component", "party", "place")
"""The key of an item, as columns of its table."""
Key = tuple[str, str, int, str, str, str]
"""The values of `COLUMNS`."""
_DELETE_ITEMS = delete(tables.payable_items).where(
    *(tables.payable_items.c[name] == bindparam(f"key_{name}") for name in COLUMNS)
)
"""A party is due nothing of an item any more."""


def payable_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units that each party is due of a portion and does not hold, by item and place."""
    return {
        (loan.id, portion.id, item.number, item.component.value, item.party, place): -minor
        for (item, place), minor in lying(loan, portion).items()
        if item.family == "payable"
        and item.number is not None
        and item.component is not None
        and item.party is not None
    }


async def write_payable_items(unit: Unit, work: Workset, held: list[Held]) -> None:
    """Write what parties are due of the portions that changed; what is due no more is removed."""
    was: dict[Key, int] = {}
    now: dict[Key, int] = {}
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
    gone = [_keyed(key) for key in sorted(was.keys() - now.keys())]
    changed = [key for key in sorted(now) if was.get(key) != now[key]]
    pairs = [
        (key in was, {**_named(key), "currency": currencies[key[0]], "minor": now[key]})
        for key in changed
    ]
    await unit.many(_DELETE_ITEMS, gone)
    await put(unit, "payable_items", pairs)


def _named(key: Key) -> Row:
    """A key by the names of its columns."""
    return dict(zip(COLUMNS, key, strict=True))


def _keyed(key: Key) -> Row:
    """A key by the names of the parameters that a statement looks it up with."""
    return {f"key_{name}": value for name, value in _named(key).items()}
