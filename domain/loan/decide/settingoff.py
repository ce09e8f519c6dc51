"""Set-off: what a party is due pays what it has to give back, before anything is sent to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from domain.kernel.change import Done, Refusal
from domain.ledger import accounts
from domain.loan import bookings
from domain.loan.change import Change
from domain.loan.decide.givingback import follow_receivables
from domain.loan.decide.work import Work
from domain.loan.payables import Key, payable_items, receivable_items, with_moves
from domain.loan.remitting import LOANS_MOST, SetOff
from domain.money import amount_text
from domain.payment.portion import Portion, ShareFate, ShareItem


@dataclass(slots=True)
class _Open:
    """A share that is due or to be given back, and how much of it is left: minor units."""

    loan_id: str
    portion: Portion
    item: ShareItem
    minor: int


def set_off(work: Work, command: SetOff) -> Change | Refusal:
    """Pair what is due with what is to be given back: of the same loan first, then the oldest."""
    if len(command.loans) > LOANS_MOST:
        return Refusal("set_off.loans", f"at most {LOANS_MOST} loans at once")
    owed = list(_found(work, command, is_due=False))
    due = list(_found(work, command, is_due=True)) if owed else []
    pairs = [*_paired(owed, due, same_loan=True), *_paired(owed, due, same_loan=False)]
    if pairs:
        parts = [part for pair in pairs for part in pair]
        day = max(work.today(part.loan_id) for part in parts)
        booked = ((work.loan(it.loan_id), it.portion, it.item, it.minor) for it in parts)
        work.post(bookings.set_off(booked, day))
        for part in parts:
            _move(work, part)
    minor = sum(first.minor for first, _ in pairs)
    return work.finish(Done(note=f"{amount_text(minor, command.currency)} set off"))


def _found(work: Work, command: SetOff, *, is_due: bool) -> Iterator[_Open]:
    """Yield what the party is due, as far as no payout has taken it, or has to give back.

    The oldest first: by value date, then in the order of the keys. Only what booked lines prove
    wholly is due.
    """
    whose = (command.party, accounts.bank(command.account))
    found: list[tuple[date, Key, _Open]] = []
    for loan_id in sorted(work.loans):
        loan = work.loan(loan_id)
        for portion in loan.portions if loan.currency == command.currency else ():
            items = payable_items(loan, portion) if is_due else receivable_items(loan, portion)
            mine = {key: minor for key, minor in items.items() if key[4:] == whose}
            if is_due:
                mine = _not_taken(work, mine) if portion.is_proven else {}
            for key, minor in mine.items():
                one = _Open(loan_id, portion, ShareItem(*key[2:]), minor)
                found.append((portion.value_on, key, one))
    yield from (one for *_, one in sorted(found, key=lambda each: each[:2]))


def _not_taken(work: Work, due: Mapping[Key, int]) -> dict[Key, int]:
    """What of some items no payout has taken; what payouts have taken must be known of each."""
    work.asked_items.extend(due)
    left = {key: minor - work.taken_items.get(key, 0) for key, minor in due.items()}
    return {key: minor for key, minor in left.items() if minor > 0}


def _paired(
    owed: list[_Open], due: list[_Open], *, same_loan: bool
) -> Iterator[tuple[_Open, _Open]]:
    """Yield a part of what is due with as much, below zero, of what is to be given back."""
    for back in owed:
        for share in due:
            minor = min(back.minor, share.minor)
            if minor and (share.loan_id == back.loan_id or not same_loan):
                back.minor -= minor
                share.minor -= minor
                yield replace(share, minor=minor), replace(back, minor=-minor)


def _move(work: Work, part: _Open) -> None:
    """Write what became of a share into its portion."""
    fate = ShareFate.SET_OFF if part.minor > 0 else ShareFate.RECOVERED
    portion = work.portion(part.loan_id, part.portion.id)
    parts = {part.item: abs(part.minor)}
    work.put_portion(part.loan_id, replace(portion, moves=with_moves(portion.moves, fate, parts)))
    work.touch(part.loan_id, part.item.number)
    if fate is ShareFate.RECOVERED:
        follow_receivables(work, part.loan_id, portion.id, parts)
