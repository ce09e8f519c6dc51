"""What parties are due of a portion, item by item, and what they have to give back of it."""

from collections.abc import Iterable, Mapping

from domain.loan.aggregate import Loan
from domain.loan.placing import lying
from domain.payment.portion import Portion, ShareFate, ShareItem, ShareMove

Key = tuple[str, str, int, str, str, str]
"""Loan, payment, installment, component, party and place of an item."""
BANK = "bank/"
"""Begins the places from which a payout may take an item."""


def payable_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units that each party is due of a portion, by item and place.

    What a party holds, what the loan has learnt to be remitted, and what was set off is not due any
    more.
    """
    found = _credited(loan, portion)
    for key, minor in remitted_items(loan, portion).items():
        found[key] = found.get(key, 0) - minor
    return {key: minor for key, minor in found.items() if minor}


def _credited(loan: Loan, portion: Portion) -> dict[Key, int]:
    """What the postings of a portion leave payable to each party; items of payouts stand beside."""
    found: dict[Key, int] = {}
    for (item, place), minor in lying(loan, portion).items():
        if item.family == "payable":
            key = (item.number, item.component, item.party)
            named = ShareItem(*key, place)  # type: ignore[arg-type]  # a share names all of them
            found[key_of(loan, portion, named)] = -minor
    return found


def remitted_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units of a portion that payouts have taken to their parties, by item and place."""
    found = portion.moved(ShareFate.REMITTED)
    return {key_of(loan, portion, share): minor for share, minor in found.items()}


def learnt_of(was: Loan | None, now: Loan) -> dict[Key, int]:
    """What a loan has learnt since to be remitted: minor units by item, above zero.

    What came back is no part of it: it was taken by no payout any more.
    """
    found: dict[Key, int] = {}
    known = {portion.id: portion for portion in was.portions} if was is not None else {}
    for portion in now.portions:
        before = known.get(portion.id)
        if was is None or before is None or before.moves == portion.moves:
            continue
        earlier = remitted_items(was, before)
        for key, minor in remitted_items(now, portion).items():
            if (more := minor - earlier.get(key, 0)) > 0:
                found[key] = more
    return found


def receivable_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units that parties have to give back of a portion, by item and place."""
    found = portion.moved(ShareFate.TAKEN_BACK)
    for share, minor in portion.moved(ShareFate.RECOVERED).items():
        found[share] -= minor
    return {key_of(loan, portion, share): minor for share, minor in found.items() if minor}


def lowered(loan: Loan, was: Portion, now: Portion) -> tuple[Key, ...]:
    """The items on bank accounts of which less is credited to a party now than was."""
    if not was.proven_on or was == now:
        return ()
    before, after = _credited(loan, was), _credited(loan, now)
    return tuple(
        sorted(
            key
            for key, minor in before.items()
            if key[5].startswith(BANK) and after.get(key, 0) < minor
        )
    )


def lacking(
    loan: Loan, portion: Portion, items: Iterable[Key], taken: Mapping[Key, int]
) -> dict[ShareItem, int]:
    """What payouts have taken of some items beyond what is credited to their parties.

    `taken`: minor units in payouts of which the loan has not learnt; what it does not name is zero.
    """
    credited, remitted = _credited(loan, portion), remitted_items(loan, portion)
    lacks = {key: taken.get(key, 0) + remitted.get(key, 0) - credited.get(key, 0) for key in items}
    return {ShareItem(*key[2:]): minor for key, minor in lacks.items() if minor > 0}


def key_of(loan: Loan, portion: Portion, share: ShareItem) -> Key:
    """The key of a share of a portion."""
    return (loan.id, portion.id, *share)


def with_moves(
    known: tuple[ShareMove, ...], fate: ShareFate, parts: Mapping[ShareItem, int], ref: str = ""
) -> tuple[ShareMove, ...]:
    """The moves with some parts added; parts of one item, fate and payout are one move."""
    found = {move[:3]: move.minor for move in known}
    for item, minor in parts.items():
        name = (fate, ref, item)
        found[name] = found.get(name, 0) + minor
    return tuple(ShareMove(*name, minor) for name, minor in found.items() if minor)
