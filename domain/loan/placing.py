"""Where the money of a portion lies, item by item.

What a portion paid, what of it waits and what was paid ahead lie wherever its cash lies: in the
clearing while it is only reported, on a bank account once a booked line proves it there. Which item
lies where follows from the portion alone, so a line that proves money moves items from the clearing
to its account, and a line undone moves them back.

What was ordered to be refunded lies there no more; what a payer owes back lies where its refund
left. The clearing account makes up the difference at each place. On a bank account it holds what is
said to have left there, or come there, while the line that shows it is still to come.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from domain.ledger import accounts
from domain.loan.aggregate import Loan
from domain.loan.sharing import Held, held, where_held
from domain.payment.portion import Portion, RefundStage, ShareFate
from domain.pricing.amounts import Component

Lent = Mapping[tuple[str, str, int, Component], int]
"""Minor units by holder, the party that is due them, installment and component."""
_SEVERAL = 2


class Item(NamedTuple):
    """One item of a portion: an account, and the party's share of what was paid."""

    account: str
    number: int | None = None
    component: Component | None = None
    party: str | None = None

    @property
    def family(self) -> str:
        """The family of its account."""
        return accounts.family(self.account)


class Position(NamedTuple):
    """An item at a place."""

    item: Item
    place: str


def placed(loan: Loan, portion: Portion | None) -> dict[Position, int]:
    """The items of a portion by place, debit positive; of no portion there are none.

    Each party that is routed to an account of its own has its share there first. What is left goes
    by the order of the product's parties, then what waits, then what was paid ahead: to the bank
    accounts in the order of their proofs, and last to the clearing. At each place the items sum to
    zero with the cash that lies there.
    """
    if portion is None:
        return {}
    cash = {accounts.bank(name): minor for name, minor in portion.cash.items()}
    rooms = cash | {portion.clearing_account: portion.clearing_minor}
    found: defaultdict[Position, int] = defaultdict(int)
    for place, minor in _owed_back(portion):
        payer = Item(accounts.receivable(loan.borrower))
        found[Position(payer, place)] += minor
        rooms[place] += minor
    there = held(loan, portion)
    for (party, number, component), minor in there.items():
        place = where_held(loan, portion, party)
        found[Position(_share(party, number, component), place)] -= minor
        rooms[place] -= minor
    for item, whole in _elsewhere(loan, portion, there):
        left = whole
        for place, room in rooms.items():
            part = max(0, min(left, room))
            found[Position(item, place)] -= part
            rooms[place] -= part
            left -= part
    sums: defaultdict[str, int] = defaultdict(int)
    for (_, place), minor in found.items():
        sums[place] -= minor
    for place in rooms:
        found[Position(Item(portion.clearing_account), place)] = sums[place] - cash.get(place, 0)
    return {position: minor for position, minor in found.items() if minor}


def held_for_others(loan: Loan, portion: Portion) -> Lent:
    """Shares of parties that have an account of their own and lie on another party's account.

    The party whose account it is holds them and owes them.
    """
    own = loan.product.own_accounts
    if len(own) < _SEVERAL or portion.is_brought_over:
        return {}
    holders = {place: party for party, place in own.items()}
    parties = set(holders.values())
    return {
        (holders[place], item.party, item.number, item.component): -minor
        for (item, place), minor in placed(loan, portion).items()
        if item.party in parties
        and item.number is not None
        and item.component is not None
        and holders.get(place, item.party) != item.party
    }


def lying(loan: Loan, portion: Portion) -> dict[Position, int]:
    """The items of a portion by place, with what parties hold and have to give back shown so."""
    found = placed(loan, portion)
    own = loan.product.own_accounts
    for (holder, party, number, component), minor in held_for_others(loan, portion).items():
        for account, sign in ((accounts.receivable(holder), 1), (accounts.held_by(holder), -1)):
            found[Position(Item(account, number, component, party), own[holder])] = sign * minor
    for (party, number, component), minor in held(loan, portion).items():
        share = _share(party, number, component)
        place = where_held(loan, portion, party)
        found.pop(Position(share, place))
        theirs = share._replace(account=accounts.held_by(party))
        found[Position(theirs, place)] = -minor
    _add_moves(found, portion)
    return {position: minor for position, minor in found.items() if minor}


def _add_moves(found: dict[Position, int], portion: Portion) -> None:
    """Add what was taken back after a payout and what was set off: payable against receivable.

    What was remitted is not here: the items of the payout stand for that posting.
    """
    signs = {
        ShareFate.TAKEN_BACK: (-1, 1),
        ShareFate.SET_OFF: (1, 0),
        ShareFate.RECOVERED: (0, -1),
    }
    for fate, (payable, receivable) in signs.items():
        for (number, part, party, place), minor in portion.moved(fate).items():
            share = _share(party, number, Component(part))
            theirs = share._replace(account=accounts.receivable(party))
            for item, sign in ((share, payable), (theirs, receivable)):
                position = Position(item, place)
                found[position] = found.get(position, 0) + sign * minor


def _elsewhere(loan: Loan, portion: Portion, there: Held) -> Iterator[tuple[Item, int]]:
    """Yield each item of a portion with what of it its own party does not hold yet.

    They come in the order in which the items get a place.
    """
    shares: defaultdict[tuple[str, int, Component], int] = defaultdict(int)
    for payee in loan.product.payees:
        for part in portion.allocations:
            shares[payee.party, part.number, part.component] += part.share_of(payee.party)
    for key, minor in shares.items():
        yield _share(*key), minor - there.get(key, 0)
    yield Item(accounts.suspense(portion.id)), portion.suspense_minor
    yield Item(accounts.advance(loan.id)), portion.advance_minor


def _owed_back(portion: Portion) -> Iterator[tuple[str, int]]:
    """What a payer owes back of a portion, by the place that its refunds left, the last first."""
    left = portion.owed_back_minor
    for part in reversed(portion.refunds):
        if part.stage is not RefundStage.RESERVED and (minor := min(left, part.minor)):
            yield accounts.bank(part.account), minor
            left -= minor


def _share(party: str, number: int, component: Component) -> Item:
    return Item(accounts.payable(party), number, component, party)
