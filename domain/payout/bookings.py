"""One pure function for each event of a payout: what is posted, and at which place.

An entry of a payout names the payout, its payee and its account, and no loan: the rows of its items
stand for the posting. A refund is posted as what it changes of the portions of its payment, which
name the loan: its caller gives these postings, and they stand in the place of the payable.
"""

from collections.abc import Iterable
from datetime import date

from domain.ledger import accounts
from domain.ledger.bankaccount import US
from domain.ledger.entry import Entry, Posting
from domain.payout.payout import Payout

Covers = tuple[Posting, ...]
"""What a refund changes of its payment; of a remittance there is none."""


def instructed(payout: Payout, on: date, covers: Covers = ()) -> Entry:
    """Book an order to pay: Dr payable (of a refund: suspense), Cr paying."""
    return _entry(
        "payout_instructed",
        on,
        [
            *(covers or (_payable(payout, payout.minor),)),
            _posting(payout, accounts.paying(payout.payee), -payout.minor),
        ],
    )


def failed(payout: Payout, on: date, covers: Covers = ()) -> Entry:
    """Book that an order was not executed: Dr paying, Cr payable (of a refund: suspense)."""
    return _entry(
        "payout_failed",
        on,
        [
            _posting(payout, accounts.paying(payout.payee), payout.minor),
            *(covers or (_payable(payout, -payout.minor),)),
        ],
    )


def proven(payout: Payout, line: str, fee_minor: int, on: date) -> Entry:
    """Book the line that shows the order: Dr paying, Dr fee, Cr bank."""
    return _entry(
        "payout_proven",
        on,
        [
            _posting(payout, accounts.paying(payout.payee), payout.minor),
            _posting(payout, _bearer(payout), fee_minor),
            _posting(payout, payout.place, -payout.minor - fee_minor, line),
        ],
    )


def returned(
    payout: Payout, line: str, fee_minor: int, source: str, on: date, covers: Covers = ()
) -> Entry:
    """Book the line that shows that it came back: Dr bank (or what waits on it), fee, Cr payable.

    `source` is the bank account, or the account of the line's money that waited unexplained.
    """
    return _entry(
        "payout_returned",
        on,
        [
            _posting(payout, source, payout.minor - fee_minor, line),
            _posting(payout, _bearer(payout), fee_minor),
            *(covers or (_payable(payout, -payout.minor),)),
        ],
    )


def _payable(payout: Payout, minor: int) -> Posting:
    return _posting(payout, accounts.payable(payout.payee), minor)


def _bearer(payout: Payout) -> str:
    """The account of whoever bears what the bank keeps."""
    if payout.fees_borne_by == US:
        return accounts.rail_fees(payout.channel)
    return accounts.receivable(payout.fees_borne_by)


def _posting(payout: Payout, account: str, minor: int, line: str | None = None) -> Posting:
    return Posting(
        account,
        minor,
        payout.currency,
        line=line,
        party=payout.payee,
        place=payout.place,
        payout=payout.key,
    )


def _entry(event: str, on: date, postings: Iterable[Posting]) -> Entry:
    return Entry(event, on, tuple(posting for posting in postings if posting.minor))
