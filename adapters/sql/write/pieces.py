"""Writes the pieces of money that wait on bank lines, with the keys by which they may be matched.

Only lines that wait have rows here: one that is explained as it comes costs no statement.
"""

from sqlalchemy import bindparam, delete

from adapters.sql.rows import Row
from adapters.sql.schema import tables
from adapters.sql.write.putting import INSERTS
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset
from domain.loan.aggregate import LineState, WaitingItem
from domain.matching.model import Key

_TABLES = ("waiting_keys", "waiting_pieces")
_DELETES = {
    name: delete(table).where(table.c.line_id == bindparam("of_line"))
    for name, table in tables.metadata.tables.items()
    if name in _TABLES
}


async def write_pieces(unit: Unit, work: Workset) -> None:
    """Write what waits on the lines that changed, in place of what waited on them before."""
    known = work.roots_before["lines"]
    gone, pieces, keys = [], [], []
    for name, line in sorted(work.lines.items()):
        before = known.get(name)
        was, now = () if before is None else _of(before), _of(line)
        if was == now:
            continue
        if was:
            gone.append({"of_line": name})
        for position, (item, of) in enumerate(now):
            pieces.append(_piece_row(line, position, item))
            keys += [_key_row(name, position, key) for key in of]
    for name in _TABLES:
        await unit.many(_DELETES[name], gone)
    await unit.many(INSERTS["waiting_pieces"], pieces)
    await unit.many(INSERTS["waiting_keys"], keys)


def _of(line: LineState) -> tuple[tuple[WaitingItem, tuple[Key, ...]], ...]:
    """What waits on a line: its items, or what is open of one without any.

    What a line without items says counts as long as nothing of it is explained.
    """
    if line.waiting:
        return tuple((item, item.keys) for item in line.waiting)
    if not line.open_minor:
        return ()
    is_whole = not line.matches and not line.payouts
    keys, said = (line.keys, line.text) if is_whole else ((), "")
    minor = line.open_minor + line.charges_minor
    return ((WaitingItem("", minor, keys=keys, text=said), keys),)


def _piece_row(line: LineState, position: int, item: WaitingItem) -> Row:
    return {
        "line_id": line.id,
        "position": position,
        "account": line.account,
        "booked_on": line.booked_on,
        "value_on": line.value_on or line.booked_on,
        "minor": item.minor,
        "currency": line.currency,
        "batch_count": line.batch_count,
        "said": item.text,
    }


def _key_row(line_id: str, position: int, key: Key) -> Row:
    return {
        "line_id": line_id,
        "position": position,
        "via": key.of.value,
        "key": key.text,
    }
