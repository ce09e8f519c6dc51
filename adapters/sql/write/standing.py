"""What lies on the account of a payout that is to be instructed: cash, and what others are due."""

from typing import Any

from sqlalchemy import and_, bindparam, func, select

from adapters.sql.schema import tables
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset
from domain.ledger import accounts
from domain.payout.commands import InstructPayout
from domain.payout.lifecycle import LIVE, WAITING
from domain.payout.payout import Payout
from domain.payout.standing import Standing

_B, _I, _O, _P = (
    tables.balances.c,
    tables.payable_items.c,
    tables.payouts.c,
    tables.postings.c,
)
_WAITING = tuple(sorted(state.value for state in WAITING))
_UNDER_WAY = tuple(sorted(state.value for state in LIVE - WAITING))


def _sum(column: Any, *where: Any) -> Any:  # noqa: ANN401  (columns, conditions, a scalar)
    return select(func.coalesce(func.sum(column), 0)).where(*where).scalar_subquery()


_THERE = and_(_O.account == bindparam("account"), _O.currency == bindparam("currency"))
_OTHER = _O.payee != bindparam("payee")
_LOOK = select(
    _sum(_B.minor, _B.account == bindparam("place"), _B.currency == bindparam("currency")).label(
        "cash"
    ),
    _sum(_O.minor, _THERE, _O.state.in_(_UNDER_WAY)).label("paying"),
    _sum(_O.minor, _THERE, _O.state.in_(_WAITING), _OTHER).label("waiting"),
    _sum(
        _I.minor - _I.taken_minor,
        _I.place == bindparam("place"),
        _I.currency == bindparam("currency"),
        _I.party != bindparam("payee"),
    ).label("due"),
    _sum(
        -_P.minor,
        _P.account == bindparam("held"),
        _P.place == bindparam("place"),
        _P.currency == bindparam("currency"),
    ).label("held"),
)
"""One row. Only the owner of an account can hold its share there."""


async def look(unit: Unit, work: Workset, command: InstructPayout) -> None:
    """Look at the account of the payout of a command, if it was never sent."""
    payout = work.payouts.get(command.payout)
    if payout is not None and payout.sending is None:
        work.standings[payout.key] = await _standing(unit, work, payout)


async def _standing(unit: Unit, work: Workset, payout: Payout) -> Standing:
    account = work.rules.accounts.get(payout.account)
    owner = account.owner if account is not None else ""
    found = await unit.rows(
        _LOOK,
        {
            "account": payout.account,
            "currency": payout.currency,
            "payee": payout.payee,
            "place": payout.place,
            "held": accounts.held_by(owner),
        },
    )
    row = found[0]
    others = int(row.waiting) + int(row.due) + int(row.held)
    return Standing(int(row.cash), int(row.paying), others)
