"""One pure function for each business event: what is posted, and for which item.

Every function takes the loan and the installment *before* the event and gives a balanced entry. One
about a payment takes it as it was and as it becomes: what lies where (`placing`) moves by the
difference, beside what the event itself says. A charge makes claims by the product's shares; what
draws them is split over the claims that remain. Money carries its shares with it
(`Allocated.shares`), so that its return is exactly the opposite.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from domain.ledger import accounts
from domain.ledger.entry import Entry, Posting
from domain.loan.aggregate import Installment, LineState, Loan, Match
from domain.loan.placing import Lent, placed
from domain.loan.sharing import Held, drawn_from, where_held
from domain.loan.split import claims_after
from domain.payment.portion import Allocated, Portion, ShareItem
from domain.pricing.amounts import Amounts, Component

_ORDER = {
    "clearing": 0,
    "opening": 0,
    "suspense": 1,
    "advance": 2,
    "payable": 3,
    "receivable": 4,
}
"""In which order an entry names what moves of a payment."""


def charge(loan: Loan, item: Installment, amounts: Amounts, event: str, value_on: date) -> Entry:
    """Book a charge: Dr owed, Cr claim by share. Negative amounts reverse a charge."""
    after = claims_after(item.claims, item.charged, item.charged + amounts, loan.product.shares)
    postings = [
        *_owed(loan, item.number, amounts),
        *(
            _posting(loan, accounts.claim(party), -minor, item.number, component, party)
            for party, claim in after.items()
            for component, minor in (claim - item.claims.get(party, Amounts())).items()
        ),
    ]
    return _entry(event, value_on, postings)


def receive(
    loan: Loan,
    was: Portion | None,
    becomes: Portion,
    paid: Sequence[Allocated],
    event: str,
    on: date,
) -> Entry:
    """Book reported money: Dr clearing, Cr owed, rest Cr suspense; Dr claim, Cr payable."""
    return _entry(event, on, [*moved_items(loan, was, becomes), *_covers(loan, becomes, paid)])


def apply_money(
    loan: Loan, was: Portion, becomes: Portion, paid: Sequence[Allocated], on: date
) -> Entry:
    """Apply what waits in suspense: Dr suspense, Cr owed; Dr claim, Cr payable."""
    return receive(loan, was, becomes, paid, "applied", on)


def take_back(
    loan: Loan,
    was: Portion,
    becomes: Portion,
    unpaid: Sequence[Allocated],
    on: date,
    event: str = "returned",
) -> Entry:
    """Book a reported return or a withdrawn payment: the opposite of allocation and split.

    Dr owed (`unpaid`), Dr suspense, Dr advance, Cr clearing; Dr payable, Cr claim, exactly as they
    were credited and debited.
    """
    undone = _undone(_covers(loan, was, unpaid))
    return _entry(event, on, [*moved_items(loan, was, becomes), *undone])


def unapply(
    loan: Loan, was: Portion, becomes: Portion, parts: Sequence[Allocated], on: date
) -> Entry:
    """Put applied money back into suspense: the opposite of `apply_money`, share by share."""
    return take_back(loan, was, becomes, parts, on, "unapplied")


def settle(loan: Loan, was: Portion, becomes: Portion, match: Match, line: LineState) -> Entry:
    """Book a bank line that proves a payment: Dr bank, Dr fee, Cr clearing.

    The match is negative for the line of a return, whose booked amount includes the bank's fee. The
    lender bears the fee.
    """
    event = "settled" if match.minor > 0 else "return_settled"
    source = _on_line(line, accounts.bank(line.account), match.booked_minor)
    proof = _proof(loan, was, becomes, match, line)
    return _entry(event, line.booked_on, [_for(source, loan, was), *proof])


def identify(
    loan: Loan,
    was: Portion,
    becomes: Portion,
    match: Match,
    line: LineState,
    on: date,
    event: str,
) -> Entry:
    """Book part of a waiting line as proof of a payment: Dr suspense/line, Dr fee, Cr clearing.

    A negative match is of the line of a return, or takes an earlier match back. Money that waits on
    a line belongs to no payment, so the posting to suspense/line names none.
    """
    source = _on_line(line, accounts.suspense_line(line.id), match.booked_minor)
    source = replace(_for(source, loan, was), payment=None)
    return _entry(event, on, [source, *_proof(loan, was, becomes, match, line)])


def hold(loan: Loan, portion: Portion, moved: Held, on: date) -> Entry:
    """Book cash on a party's own account: Dr payable, Cr held by. Negative: it left again.

    Of money that was brought over, the former system has passed on every share.
    """
    return _entry(
        "passed_on_before" if portion.is_brought_over else "direct_settlement",
        on,
        [
            replace(
                _posting(loan, account, minor, number, component, party),
                payment=portion.id,
                order_no=portion.order_no,
                place=where_held(loan, portion, party),
            )
            for (party, number, component), held in moved.items()
            for account, minor in (
                (accounts.payable(party), held),
                (accounts.held_by(party), -held),
            )
        ],
    )


def hold_for_others(loan: Loan, portion: Portion, moved: Lent, on: date) -> Entry:
    """Book others' shares on a party's own account: Dr receivable, Cr held by. Negative: undone."""
    own = loan.product.own_accounts
    return _entry(
        "held_for_others",
        on,
        [
            replace(
                _posting(loan, account, minor, number, component, party),
                payment=portion.id,
                order_no=portion.order_no,
                place=own[holder],
            )
            for (holder, party, number, component), held in moved.items()
            for account, minor in (
                (accounts.receivable(holder), held),
                (accounts.held_by(holder), -held),
            )
        ],
    )


def taken_back(loan: Loan, portion: Portion, parts: Mapping[ShareItem, int], on: date) -> Entry:
    """Book shares that a party has to give back: Dr receivable, Cr payable.

    A payout has taken them, and what they were shares of was taken back since.
    """
    return _entry("taken_back", on, _of_parties(loan, portion, parts))


def set_off(parts: Iterable[tuple[Loan, Portion, ShareItem, int]], on: date) -> Entry:
    """Book a set-off: Dr payable of the first shares, Cr receivable of the others.

    A part of a share that is due is above zero, one of a share that is to be given back below.
    """
    postings: list[Posting] = []
    for loan, portion, item, minor in parts:
        account = accounts.payable if minor > 0 else accounts.receivable
        posting = _share(loan, portion, item, account(item.party), minor)
        postings.append(posting)
    return _entry("set_off", on, postings)


def to_advance(loan: Loan, was: Portion, becomes: Portion, on: date) -> Entry:
    """Book money paid ahead: Dr suspense, Cr advance; or back to suspense."""
    return _entry("advanced", on, moved_items(loan, was, becomes))


def waive(loan: Loan, item: Installment, amounts: Amounts, reason: str, on: date) -> Entry:
    """Book a waiver: Dr forgiven by party, Cr owed. What was forgiven offsets the claim."""
    parts = drawn_from(item, amounts, loan.product.shares)
    postings = [
        *_owed(loan, item.number, -amounts),
        *(
            _posting(loan, accounts.forgiven(party, reason), minor, item.number, component, party)
            for party, part in parts.items()
            for component, minor in part.items()
        ),
    ]
    return _entry("waived", on, postings)


def write_off(loan: Loan, item: Installment, on: date) -> Entry:
    """Book a write-off: Dr written off by party, Cr owed. The debt stays collectable."""
    postings = [
        *_owed(loan, item.number, -item.owed),
        *(
            _written_off(loan, party, item.number, component, minor)
            for party, claim in item.claims.items()
            for component, minor in claim.items()
        ),
    ]
    return _entry("written_off", on, postings)


def recover(
    loan: Loan, was: Portion, becomes: Portion, parts: Sequence[Allocated], on: date
) -> Entry:
    """Book money on a written-off debt: Dr suspense, Cr written off; Dr claim, Cr payable."""
    recovered = _recovered(loan, becomes, parts)
    return _entry("recovered", on, [*moved_items(loan, was, becomes), *recovered])


def recovery_reversed(
    loan: Loan, was: Portion, becomes: Portion, parts: Sequence[Allocated], on: date
) -> Entry:
    """Book the return of recovered money: the opposite of `recover`."""
    undone = _undone(_recovered(loan, was, parts))
    return _entry("recovery_reversed", on, [*moved_items(loan, was, becomes), *undone])


def cancel(loan: Loan, item: Installment, on: date) -> Entry:
    """Book a cancellation: Dr claim, Cr owed for what was charged and not collected."""
    return charge(loan, item, -item.owed, "cancelled", on)


def stray_line(line: LineState, minor: int) -> Entry:
    """Book a line that nothing explains: Dr bank, Cr suspense/line; the opposite for a debit."""
    return _entry(
        "unmatched_line",
        line.booked_on,
        [
            _on_line(line, accounts.bank(line.account), minor),
            _on_line(line, accounts.suspense_line(line.id), -minor),
        ],
    )


def line_fee(line: LineState, minor: int, clearing: str) -> Entry:
    """Book the fee of a line as a whole: Dr rail fees, Cr bank. The lender bears it.

    It is a fee of the rail whose `clearing` account the line settles, as a fee of one item is.
    """
    return _fee(line, minor, clearing, accounts.bank(line.account))


def waiting_fee(line: LineState, clearing: str) -> Entry:
    """Book the fee of a line that waited whole: Dr rail fees, Cr suspense/line.

    It is a fee of the rail whose `clearing` account the line settles.
    """
    return _fee(line, line.charges_minor, clearing, accounts.suspense_line(line.id))


def _fee(line: LineState, minor: int, clearing: str, source: str) -> Entry:
    return _entry(
        "rail_fee",
        line.booked_on,
        [_on_line(line, _rail_fees(clearing), minor), _on_line(line, source, -minor)],
    )


def _proof(
    loan: Loan, was: Portion, becomes: Portion, match: Match, line: LineState
) -> Iterator[Posting]:
    """Dr fee, Cr clearing: what a booked line proves of a payment, and its items move there."""
    is_ours = accounts.family(was.clearing_account) == "clearing"
    clearing = was.clearing_account if is_ours else accounts.clearing(loan.product.rail)
    fees = _on_line(line, _rail_fees(clearing), match.fee_minor)
    yield _for(fees, loan, was)
    yield from (replace(posting, line=line.id) for posting in moved_items(loan, was, becomes))


def _rail_fees(clearing: str) -> str:
    """The account for fees of the rail that a clearing account belongs to."""
    return accounts.rail_fees(clearing.removeprefix("clearing/"))


def moved_items(loan: Loan, was: Portion | None, becomes: Portion) -> Iterator[Posting]:
    """What changes of where the items of a payment lie: sums to zero with cash and covers."""
    before, after = placed(loan, was), placed(loan, becomes)
    for position in sorted(before | after, key=lambda position: _ORDER[position.item.family]):
        (account, number, component, party), place = position
        if minor := after.get(position, 0) - before.get(position, 0):
            part = component.value if component else None
            posting = Posting(account, minor, loan.currency, loan.id, number, part)
            yield _for(replace(posting, party=party, place=place), loan, becomes)


def _covers(loan: Loan, portion: Portion, paid: Sequence[Allocated]) -> Iterator[Posting]:
    """Cr owed for each part, Dr claim for the parties' shares of it."""
    for part in paid:
        name = accounts.owed(loan.id, part.number, part.component)
        yield _for(_posting(loan, name, -part.minor, part.number, part.component), loan, portion)
    yield from _drawn(loan, portion, paid)


def _recovered(loan: Loan, portion: Portion, parts: Sequence[Allocated]) -> Iterator[Posting]:
    """Cr written off for the shares of each part, Dr claim for them."""
    for part in parts:
        for party, minor in part.shares:
            posting = _written_off(loan, party, part.number, part.component, -minor)
            yield _for(posting, loan, portion)
    yield from _drawn(loan, portion, parts)


def _drawn(loan: Loan, portion: Portion, parts: Sequence[Allocated]) -> Iterator[Posting]:
    """Dr claim for what each party gets."""
    for part in parts:
        for party, minor in part.shares:
            account = accounts.claim(party)
            posting = _posting(loan, account, minor, part.number, part.component, party)
            yield _for(posting, loan, portion)


def _of_parties(loan: Loan, portion: Portion, parts: Mapping[ShareItem, int]) -> Iterator[Posting]:
    """Dr receivable, Cr payable of the parties of some shares."""
    for item, minor in parts.items():
        yield _share(loan, portion, item, accounts.receivable(item.party), minor)
        yield _share(loan, portion, item, accounts.payable(item.party), -minor)


def _share(loan: Loan, portion: Portion, item: ShareItem, account: str, minor: int) -> Posting:
    part = Component(item.component)
    posting = _posting(loan, account, minor, item.number, part, item.party)
    return _for(replace(posting, place=item.place), loan, portion)


def _undone(postings: Iterable[Posting]) -> Iterator[Posting]:
    return (replace(posting, minor=-posting.minor) for posting in postings)


def _written_off(loan: Loan, party: str, number: int, component: Component, minor: int) -> Posting:
    account = accounts.written_off(party, loan.id, number, component)
    return _posting(loan, account, minor, number, component, party)


def _owed(loan: Loan, number: int, amounts: Amounts) -> Iterator[Posting]:
    for component, minor in amounts.items():
        account = accounts.owed(loan.id, number, component)
        yield _posting(loan, account, minor, number, component)


def _posting(
    loan: Loan,
    account: str,
    minor: int,
    number: int,
    component: Component,
    party: str | None = None,
) -> Posting:
    part = component.value
    return Posting(account, minor, loan.currency, loan.id, number, part, party=party)


def _on_line(line: LineState, account: str, minor: int) -> Posting:
    """A posting of money that a line moves: it lies on the line's account."""
    place = accounts.bank(line.account)
    return Posting(account, minor, line.currency, line=line.id, place=place)


def _for(posting: Posting, loan: Loan, portion: Portion) -> Posting:
    """A posting that is for a payment, and unless it says so, for what that was taken for."""
    number = portion.number if posting.number is None else posting.number
    return replace(
        posting, loan=loan.id, number=number, payment=portion.id, order_no=portion.order_no
    )


def _entry(event: str, value_on: date, postings: Iterable[Posting]) -> Entry:
    return Entry(event, value_on, tuple(posting for posting in postings if posting.minor))
