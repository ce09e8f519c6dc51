"""Sets items aside for payouts that are requested, and opens those of payouts that end unpaid.

Both are a few statements for any number of items. They are set aside before the request is decided,
within a savepoint: whatever is not kept by the decision is as if it had never been done. Rows that
somebody else is writing are left out: nobody waits for anybody, and they go into the next payout.
"""

from sqlalchemy import and_, bindparam, exists, insert, select, update

from adapters.sql.faults import Raced
from adapters.sql.schema import tables
from adapters.sql.write.payables import KEY_OF_ITEM
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset
from domain.ledger import accounts
from domain.payout.commands import RequestPayout
from domain.payout.items import ItemSum, PayoutItem, Summing

PAGE = 5_000
"""Rows of items in memory at a time."""
_I, _T, _P = tables.payable_items.c, tables.payout_items.c, tables.payments.c
_PROVEN = exists().where(
    _P.id == _I.payment,
    _P.settled_minor == _P.amount_minor,
    _P.returned_minor == _P.return_settled_minor,
)
"""Of payments that booked lines prove wholly, what came and what went back of it."""
OPEN = and_(_I.minor > _I.taken_minor, _PROVEN)
"""What a payout may take."""
_KEY = tuple(_I[name] for name in KEY_OF_ITEM)
_SET_ASIDE = insert(tables.payout_items).from_select(
    ["payout", *KEY_OF_ITEM, "minor"],
    select(bindparam("payout", type_=_T.payout.type), *_KEY, _I.minor - _I.taken_minor)
    .where(
        _I.place == bindparam("place"),
        _I.currency == bindparam("currency"),
        _I.party == bindparam("party"),
        OPEN,
    )
    .with_for_update(of=tables.payable_items, skip_locked=True),
)
_SAME = and_(
    _T.payout == bindparam("of_payout"),
    *(_I[name] == _T[name] for name in KEY_OF_ITEM),
    _I.party == bindparam("of_party"),
    _I.place == bindparam("of_place"),
)
_TAKE = update(tables.payable_items).values(taken_minor=_I.taken_minor + _T.minor).where(_SAME)
_RELEASE = update(tables.payable_items).values(taken_minor=_I.taken_minor - _T.minor).where(_SAME)
_ITEMS = (
    select(*(_T[name] for name in KEY_OF_ITEM), _T.minor, _I.since)
    .join(tables.payable_items, _SAME)
    .order_by(*(_T[name] for name in KEY_OF_ITEM))
)


async def set_aside(unit: Unit, work: Workset, command: RequestPayout) -> None:
    """Set aside all that is open for a request, unless it was asked before; see the module."""
    key = command.payout
    known = command.id in work.seen or key in work.payouts or key in work.asides
    if known or command.payee not in work.rules.remittance.payees:
        return
    work.asides[key] = await unit.conn.begin_nested()
    place = accounts.bank(command.account)
    whose = {"place": place, "currency": command.currency, "party": command.payee}
    await unit.many(_SET_ASIDE, [{"payout": key, **whose}])
    of = {"of_payout": key, "of_party": command.payee, "of_place": place}
    await unit.many(_TAKE, [of])
    work.taken[key] = await _summed(unit, of)


async def _summed(unit: Unit, of: dict[str, str]) -> ItemSum:
    """What the items come to; a page of them is in memory at a time."""
    summing = Summing()
    unit.counters.statements += 1
    options = {"max_row_buffer": PAGE}
    async with unit.conn.stream(_ITEMS, of, execution_options=options) as rows:
        async for row in rows:
            summing.take(PayoutItem(*row[:5]), row.since)
    return summing.result()


async def settle_asides(work: Workset) -> None:
    """Keep what the decisions keep; undo the rest. Called before anything else is written.

    Raises:
        Raced: of several requests of one group an earlier one keeps nothing: each is tried alone.
    """
    undone = False
    for key, savepoint in work.asides.items():
        if key in work.keeps:
            if undone:
                raise Raced(key)
            await savepoint.commit()
            continue
        if not undone:
            await savepoint.rollback()
        undone = True


async def release_items(unit: Unit, work: Workset) -> None:
    """Open the items of payouts that were not executed."""
    of = [
        {"of_payout": key, "of_party": payout.payee, "of_place": payout.place}
        for key in work.releases
        for payout in (work.payouts[key],)
    ]
    await unit.many(_RELEASE, of)
