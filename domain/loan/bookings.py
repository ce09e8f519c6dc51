"""One pure function for each business event: what is posted, and for which item.

Every function takes the loan and the installment *before* the event and gives a balanced entry.
A charge makes claims by the product's shares; what draws them is split over the claims that remain.
Money carries its shares with it (`Allocated.shares`), so that its return is exactly the opposite.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from domain.ledger import accounts
from domain.ledger.entry import Entry, Posting
from domain.loan.aggregate import Allocated, Installment, Loan, Match, Receipt
from domain.loan.sharing import Held, drawn_from
from domain.loan.split import claims_after
from domain.pricing.amounts import Amounts, Component
from domain.statement.statement import StatementLine


def charge(loan: Loan, item: Installment, amounts: Amounts, event: str, value_on: date) -> Entry:
    """Book a charge: Dr owed, Cr claim by share. Negative amounts reverse a charge."""
    after = claims_after(item.claims, item.charged, item.charged + amounts, loan.product.shares)
    postings = [
        *_owed(loan, item.number, amounts),
        *(
            _posting(loan, accounts.claim(party), -minor, item.number, component)
            for party, claim in after.items()
            for component, minor in (claim - item.claims.get(party, Amounts())).items()
        ),
    ]
    return _entry(event, value_on, postings)


def receive(loan: Loan, receipt: Receipt, paid: Sequence[Allocated], event: str) -> Entry:
    """Book reported money: Dr clearing, Cr owed, rest Cr suspense; Dr claim, Cr payable."""
    rest = receipt.amount_minor - sum(part.minor for part in paid)
    return _entry(
        event,
        receipt.value_on,
        [
            _money(loan, receipt.clearing_account, receipt.amount_minor, receipt),
            _money(loan, accounts.suspense(receipt.id), -rest, receipt),
            *_covers(loan, receipt, paid),
        ],
    )


def apply_money(loan: Loan, receipt: Receipt, paid: Sequence[Allocated], on: date) -> Entry:
    """Apply what waits in suspense: Dr suspense, Cr owed; Dr claim, Cr payable."""
    total = sum(part.minor for part in paid)
    waiting = _money(loan, accounts.suspense(receipt.id), total, receipt)
    return _entry("applied", on, [waiting, *_covers(loan, receipt, paid)])


def unapply(loan: Loan, receipt: Receipt, parts: Sequence[Allocated], on: date) -> Entry:
    """Put applied money back into suspense: the opposite of `apply_money`, share by share."""
    return _opposite(apply_money(loan, receipt, parts, on), "unapplied")


def take_back(
    loan: Loan,
    receipt: Receipt,
    unpaid: Sequence[Allocated],
    waited: int,
    ahead: int,
    on: date,
    event: str = "returned",
) -> Entry:
    """Book a reported return or a withdrawn payment: the opposite of allocation and split.

    Dr owed (`unpaid`, amounts above zero), Dr suspense (`waited`), Dr advance (`ahead`), Cr
    clearing; Dr payable, Cr claim, exactly as they were credited and debited.
    """
    total = sum(part.minor for part in unpaid) + waited + ahead
    return _entry(
        event,
        on,
        [
            *_undone(_covers(loan, receipt, unpaid)),
            _money(loan, accounts.suspense(receipt.id), waited, receipt),
            _money(loan, accounts.advance(loan.id), ahead, receipt),
            _money(loan, receipt.clearing_account, -total, receipt),
        ],
    )


def settle(loan: Loan, receipt: Receipt, bank: str, match: Match, line: str, on: date) -> Entry:
    """Book a bank line that proves a receipt: Dr bank, Dr fee, Cr clearing.

    The match is negative for the line of a return, whose booked amount includes the bank's fee. The
    lender bears the fee.
    """
    source = _money(loan, accounts.bank(bank), match.booked_minor, receipt, line)
    event = "settled" if match.minor > 0 else "return_settled"
    return _entry(event, on, [source, *_proof(loan, receipt, match, line)])


def identify(loan: Loan, receipt: Receipt, match: Match, line: str, on: date, event: str) -> Entry:
    """Book part of a waiting line as proof of a receipt: Dr suspense/line, Dr fee, Cr clearing.

    A negative match is of the line of a return, or takes an earlier match back. Money that waits on
    a line belongs to no receipt, so the posting to suspense/line names none.
    """
    account = accounts.suspense_line(line)
    source = replace(_money(loan, account, match.booked_minor, receipt, line), receipt=None)
    return _entry(event, on, [source, *_proof(loan, receipt, match, line)])


def hold(loan: Loan, receipt: Receipt, moved: Held, on: date) -> Entry:
    """Book cash on a party's own account: Dr payable, Cr held by. Negative: it left again."""
    return _entry(
        "direct_settlement",
        on,
        [
            replace(
                _posting(loan, account, minor, number, component),
                receipt=receipt.id,
                order_no=receipt.order_no,
            )
            for (party, number, component), held in moved.items()
            for account, minor in (
                (accounts.payable(party), held),
                (accounts.held_by(party), -held),
            )
        ],
    )


def to_advance(loan: Loan, receipt: Receipt, minor: int, on: date) -> Entry:
    """Book money paid ahead: Dr suspense, Cr advance. Negative: back to suspense."""
    return _entry(
        "advanced",
        on,
        [
            _money(loan, accounts.suspense(receipt.id), minor, receipt),
            _money(loan, accounts.advance(loan.id), -minor, receipt),
        ],
    )


def waive(loan: Loan, item: Installment, amounts: Amounts, reason: str, on: date) -> Entry:
    """Book a waiver: Dr forgiven by party, Cr owed. What was forgiven offsets the claim."""
    parts = drawn_from(item, amounts, loan.product.shares)
    postings = [
        *_owed(loan, item.number, -amounts),
        *(
            _posting(loan, accounts.forgiven(party, reason), minor, item.number, component)
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


def recover(loan: Loan, receipt: Receipt, parts: Sequence[Allocated], on: date) -> Entry:
    """Book money on a written-off debt: Dr suspense, Cr written off; Dr claim, Cr payable."""
    total = sum(part.minor for part in parts)
    postings = [
        _money(loan, accounts.suspense(receipt.id), total, receipt),
        *(
            replace(
                _written_off(loan, party, part.number, part.component, -minor), receipt=receipt.id
            )
            for part in parts
            for party, minor in part.shares
        ),
        *_shares(loan, parts),
    ]
    return _entry("recovered", on, postings)


def recovery_reversed(loan: Loan, receipt: Receipt, parts: Sequence[Allocated], on: date) -> Entry:
    """Book the return of recovered money: the opposite of `recover`."""
    return _opposite(recover(loan, receipt, parts, on), "recovery_reversed")


def cancel(loan: Loan, item: Installment, on: date) -> Entry:
    """Book a cancellation: Dr claim, Cr owed for what was charged and not collected."""
    return charge(loan, item, -item.owed, "cancelled", on)


def stray_line(account: str, line: str, minor: int, currency: str, on: date) -> Entry:
    """Book a line that nothing explains: Dr bank, Cr suspense/line; the opposite for a debit."""
    return _entry(
        "unmatched_line",
        on,
        [
            Posting(accounts.bank(account), minor, currency, line=line),
            Posting(accounts.suspense_line(line), -minor, currency, line=line),
        ],
    )


def line_fee(line: StatementLine, clearing: str) -> Entry:
    """Book the fee of a line as a whole: Dr rail fees, Cr bank. The lender bears it.

    It is a fee of the rail whose `clearing` account the line settles, as a fee of one item is.
    """
    minor, currency = line.charges_minor, line.currency
    return _entry(
        "rail_fee",
        line.booked_on,
        [
            Posting(_rail_fees(clearing), minor, currency, line=line.id),
            Posting(accounts.bank(line.account), -minor, currency, line=line.id),
        ],
    )


def waiting_fee(line: str, clearing: str, minor: int, currency: str, on: date) -> Entry:
    """Book the fee of a line that waited whole: Dr rail fees, Cr suspense/line.

    It is a fee of the rail whose `clearing` account the line settles.
    """
    return _entry(
        "rail_fee",
        on,
        [
            Posting(_rail_fees(clearing), minor, currency, line=line),
            Posting(accounts.suspense_line(line), -minor, currency, line=line),
        ],
    )


def _proof(loan: Loan, receipt: Receipt, match: Match, line: str) -> Iterator[Posting]:
    """Dr fee, Cr clearing: what a booked line proves of a receipt."""
    fees = _rail_fees(receipt.clearing_account)
    yield _money(loan, fees, match.fee_minor, receipt, line)
    yield _money(loan, receipt.clearing_account, -match.minor, receipt, line)


def _rail_fees(clearing: str) -> str:
    """The account for fees of the rail that a clearing account belongs to."""
    return accounts.rail_fees(clearing.removeprefix("clearing/"))


def _covers(loan: Loan, receipt: Receipt, paid: Sequence[Allocated]) -> Iterator[Posting]:
    """Cr owed for each part, and the parties' shares of it."""
    for part in paid:
        name = accounts.owed(loan.id, part.number, part.component)
        posting = _posting(loan, name, -part.minor, part.number, part.component)
        yield replace(posting, receipt=receipt.id, order_no=receipt.order_no)
    yield from _shares(loan, paid)


def _shares(loan: Loan, paid: Sequence[Allocated]) -> Iterator[Posting]:
    """Dr claim, Cr payable for what each party gets."""
    for part in paid:
        for party, minor in part.shares:
            yield _posting(loan, accounts.claim(party), minor, part.number, part.component)
            yield _posting(loan, accounts.payable(party), -minor, part.number, part.component)


def _undone(postings: Iterable[Posting]) -> Iterator[Posting]:
    return (replace(posting, minor=-posting.minor) for posting in postings)


def _opposite(entry: Entry, event: str) -> Entry:
    return Entry(event, entry.value_on, tuple(_undone(entry.postings)))


def _written_off(loan: Loan, party: str, number: int, component: Component, minor: int) -> Posting:
    account = accounts.written_off(party, loan.id, number, component)
    return _posting(loan, account, minor, number, component)


def _owed(loan: Loan, number: int, amounts: Amounts) -> Iterator[Posting]:
    for component, minor in amounts.items():
        account = accounts.owed(loan.id, number, component)
        yield _posting(loan, account, minor, number, component)


def _posting(loan: Loan, account: str, minor: int, number: int, component: Component) -> Posting:
    return Posting(account, minor, loan.currency, loan.id, number, component.value)


def _money(
    loan: Loan, account: str, minor: int, receipt: Receipt, line: str | None = None
) -> Posting:
    return Posting(
        account,
        minor,
        loan.currency,
        loan.id,
        receipt.number,
        receipt=receipt.id,
        order_no=receipt.order_no,
        line=line,
    )


def _entry(event: str, value_on: date, postings: Iterable[Posting]) -> Entry:
    return Entry(event, value_on, tuple(posting for posting in postings if posting.minor))
