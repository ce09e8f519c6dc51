"""One pure function for each business event: what is posted, and for which item.

Every function takes the loan and the installment *before* the event and gives a balanced entry.
Shares of the parties follow what has been drawn of the claims so far (`drawn`), so that partial
payments, waivers and returns never drift by a unit.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from domain.ledger import accounts
from domain.ledger.entry import Entry, Posting
from domain.loan.aggregate import Installment, Loan, Match, Receipt
from domain.loan.amounts import Amounts, Component
from domain.loan.split import split_delta
from domain.loan.waterfall import Allocation
from domain.reconciliation.statement import StatementLine


def drawn(item: Installment) -> Amounts:
    """What has been taken out of the claims: paid or forgiven, not given up or subrogated."""
    return item.charged - item.owed - item.given_up - item.subrogated


def charge(loan: Loan, item: Installment, amounts: Amounts, event: str, value_on: date) -> Entry:
    """Fell due, accrued, called: Dr owed, Cr claim by share. Negative amounts reverse a charge."""
    deltas = split_delta(item.charged, item.charged + amounts, loan.product.shares)
    postings = [
        *_owed(loan, item.number, amounts),
        *(
            _posting(loan, accounts.claim(party), -minor, item.number, component)
            for party, part in deltas.items()
            for component, minor in part.items()
        ),
    ]
    return _entry(event, value_on, postings)


def receive(loan: Loan, receipt: Receipt, paid: Sequence[Allocation], event: str) -> Entry:
    """Reported as taken or paid: Dr clearing, Cr owed, rest Cr suspense; Dr claim, Cr payable."""
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


def apply_money(
    loan: Loan,
    receipt: Receipt,
    paid: Sequence[Allocation],
    on: date,
    source: str | None = None,
) -> Entry:
    """Dr suspense (or the account `source`), Cr owed; Dr claim, Cr payable; negative un-applies."""
    total = sum(part.minor for part in paid)
    return _entry(
        "applied" if total > 0 else "unapplied",
        on,
        [
            _money(loan, source or accounts.suspense(receipt.id), total, receipt),
            *_covers(loan, receipt, paid),
        ],
    )


def take_back(
    loan: Loan,
    receipt: Receipt,
    unpaid: Sequence[Allocation],
    waited: int,
    ahead: int,
    on: date,
    event: str = "returned",
) -> Entry:
    """A return is reported, a payment withdrawn: the opposite of allocation and split.

    It follows the draws: Dr owed (`unpaid`, amounts above zero), Dr suspense (`waited`), Dr advance
    (`ahead`), Cr clearing; Dr payable, Cr claim.
    """
    total = sum(part.minor for part in unpaid) + waited + ahead
    undone = [replace(part, minor=-part.minor) for part in unpaid]
    return _entry(
        event,
        on,
        [
            *_covers(loan, receipt, undone),
            _money(loan, accounts.suspense(receipt.id), waited, receipt),
            _money(loan, accounts.advance(loan.id), ahead, receipt),
            _money(loan, receipt.clearing_account, -total, receipt),
        ],
    )


def settle(loan: Loan, receipt: Receipt, bank: str, match: Match, line: str, on: date) -> Entry:
    """A booked line proves a receipt: Dr bank, Dr fee, Cr clearing.

    The match is negative for the line of a return, whose booked amount includes the bank's fee. The
    house bears the fee.
    """
    source = _money(loan, accounts.bank(bank), match.booked_minor, receipt, line)
    event = "settled" if match.minor > 0 else "return_settled"
    return _entry(event, on, [source, *_proof(loan, receipt, match, line)])


def identify(loan: Loan, receipt: Receipt, match: Match, line: str, on: date, event: str) -> Entry:
    """Part of a line that waits proves a receipt after all: Dr suspense/line, Dr fee, Cr clearing.

    A negative match is of the line of a return, or takes an earlier match back. On the line the
    money is nobody's, so that posting names no receipt.
    """
    account = accounts.suspense_line(line)
    source = replace(_money(loan, account, match.booked_minor, receipt, line), receipt=None)
    return _entry(event, on, [source, *_proof(loan, receipt, match, line)])


def hold_direct(loan: Loan, receipt: Receipt, minor: int, on: date) -> Entry:
    """Cash lies on the funder's own account: Dr payable, Cr held by. Negative: it left again."""
    party = loan.product.funder
    return _entry(
        "held_direct",
        on,
        [
            _money(loan, accounts.payable(party), minor, receipt),
            _money(loan, accounts.held_by(party), -minor, receipt),
        ],
    )


def to_advance(loan: Loan, receipt: Receipt, minor: int, on: date) -> Entry:
    """Future money: Dr suspense, Cr advance. Negative: back to suspense."""
    return _entry(
        "advanced",
        on,
        [
            _money(loan, accounts.suspense(receipt.id), minor, receipt),
            _money(loan, accounts.advance(loan.id), -minor, receipt),
        ],
    )


def waive(loan: Loan, item: Installment, amounts: Amounts, reason: str, on: date) -> Entry:
    """Dr forgiven by party, Cr owed. The claim stays and is offset by what was forgiven."""
    deltas = split_delta(drawn(item), drawn(item) + amounts, loan.product.shares)
    postings = [
        *_owed(loan, item.number, -amounts),
        *(
            _posting(loan, accounts.forgiven(party, reason), minor, item.number, component)
            for party, part in deltas.items()
            for component, minor in part.items()
        ),
    ]
    return _entry("waived", on, postings)


def write_off(loan: Loan, item: Installment, on: date) -> Entry:
    """Dr written off by party, Cr owed: given up in the books, still collectable."""
    deltas = split_delta(drawn(item), drawn(item) + item.owed, loan.product.shares)
    postings = [
        *_owed(loan, item.number, -item.owed),
        *(
            _given_up(loan, party, item.number, component, minor)
            for party, part in deltas.items()
            for component, minor in part.items()
        ),
    ]
    return _entry("written_off", on, postings)


def recover(loan: Loan, receipt: Receipt, item: Installment, amounts: Amounts, on: date) -> Entry:
    """Money on what was written off: Dr suspense, Cr written off; Dr claim, Cr payable.

    Negative amounts give back what a return takes away.
    """
    shares = _shares(loan, item, drawn(item), drawn(item) + amounts)
    deltas = split_delta(drawn(item), drawn(item) + amounts, loan.product.shares)
    postings = [
        _money(loan, accounts.suspense(receipt.id), amounts.total, receipt),
        *(
            replace(_given_up(loan, party, item.number, component, -minor), receipt=receipt.id)
            for party, part in deltas.items()
            for component, minor in part.items()
        ),
        *shares,
    ]
    return _entry("recovered" if amounts.total > 0 else "recovery_reversed", on, postings)


def cancel(loan: Loan, item: Installment, on: date) -> Entry:
    """Dr claim, Cr owed: what was charged and not collected is taken back."""
    return charge(loan, item, -item.owed, "cancelled", on)


def stray_line(account: str, line: str, minor: int, currency: str, on: date) -> Entry:
    """A line that nothing explains: Dr bank, Cr suspense/line (or the opposite for a debit)."""
    return _entry(
        "unmatched_line",
        on,
        [
            Posting(accounts.bank(account), minor, currency, line=line),
            Posting(accounts.suspense_line(line), -minor, currency, line=line),
        ],
    )


def line_fee(line: StatementLine, clearing: str) -> Entry:
    """A fee of a booked line as a whole: Dr rail fees, Cr bank. The house bears it.

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
    """The fee of a line that waited whole: Dr rail fees, Cr suspense/line.

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


def by_number(paid: Iterable[Allocation]) -> dict[int, Amounts]:
    """Allocations summed by installment."""
    result: dict[int, Amounts] = {}
    for part in paid:
        result[part.number] = result.get(part.number, Amounts()).plus(part.component, part.minor)
    return result


def _proof(loan: Loan, receipt: Receipt, match: Match, line: str) -> Iterator[Posting]:
    """Dr fee, Cr clearing: what a booked line says of a receipt."""
    fees = _rail_fees(receipt.clearing_account)
    yield _money(loan, fees, match.fee_minor, receipt, line)
    yield _money(loan, receipt.clearing_account, -match.minor, receipt, line)


def _rail_fees(clearing: str) -> str:
    """The account for fees of the rail that a clearing account belongs to."""
    return accounts.rail_fees(clearing.removeprefix("clearing/"))


def _covers(loan: Loan, receipt: Receipt, paid: Sequence[Allocation]) -> Iterator[Posting]:
    """Cr owed for each part, and the parties' shares of it."""
    for part in paid:
        name = accounts.owed(loan.id, part.number, part.component)
        posting = _posting(loan, name, -part.minor, part.number, part.component)
        yield replace(posting, receipt=receipt.id, order_no=receipt.order_no)
    for number, amounts in by_number(paid).items():
        item = loan.installment(number)
        yield from _shares(loan, item, drawn(item), drawn(item) + amounts)


def _shares(loan: Loan, item: Installment, before: Amounts, after: Amounts) -> Iterator[Posting]:
    """Dr claim, Cr payable for what the parties get between two drawn totals."""
    for party, part in split_delta(before, after, loan.product.shares).items():
        for component, minor in part.items():
            yield _posting(loan, accounts.claim(party), minor, item.number, component)
            yield _posting(loan, accounts.payable(party), -minor, item.number, component)


def _given_up(loan: Loan, party: str, number: int, component: Component, minor: int) -> Posting:
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
