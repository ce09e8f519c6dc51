"""A bank's booked statement: its lines, its head, and what can be wrong with it.

Amounts are whole minor units, signed as they move our account: a credit is positive. What does not
add up is a value (`Fault`), never an exception: a statement is evidence and is always kept.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from domain.kernel.canonical import ADDED_LATER


class DocumentKind(StrEnum):
    """What a bank says with a file; only a statement moves the bank account."""

    STATEMENT = "statement"
    """Booked entries of a closed period, with balances (camt.053, MT940, a BAI2 final report)."""
    REPORT = "report"
    """Entries of a day that is not over, or balances on the way (camt.052, MT942)."""
    NOTIFICATION = "notification"
    """Single debits and credits told as they happen, without balances (camt.054)."""


class EntryStatus(StrEnum):
    """How far an entry is; only a booked one is money."""

    BOOKED = "booked"
    """On the account."""
    PENDING = "pending"
    """Expected by the bank; it may still change or go away."""
    FUTURE = "future"
    """Booked on a day to come."""
    INFORMATION = "information"
    """Told for information; it moves no balance."""


class BalanceKind(StrEnum):
    """Which balance a bank states."""

    OPENING_BOOKED = "opening_booked"
    """What the account held before the first entry."""
    CLOSING_BOOKED = "closing_booked"
    """What the account holds after the last entry."""
    INTERIM_BOOKED = "interim_booked"
    """Booked so far: between the pages of a statement, or during a day."""
    OPENING_AVAILABLE = "opening_available"
    """What could be drawn at the opening."""
    CLOSING_AVAILABLE = "closing_available"
    """What can be drawn at the closing."""
    INTERIM_AVAILABLE = "interim_available"
    """What can be drawn at the moment of the report."""
    FORWARD_AVAILABLE = "forward_available"
    """What will be available on a later day, as far as the bank knows."""
    OTHER = "other"
    """A balance of the bank's own kind."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One balance as stated: signed minor units of its currency, and its day."""

    kind: BalanceKind
    minor: int
    currency: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Who stands on the other side of an entry, as far as the bank says; None where it does not."""

    name: str | None = None
    account: str | None = None
    bank: str | None = None


@dataclass(frozen=True, slots=True)
class LineItem:
    """One transaction inside a booked entry.

    Attributes:
        end_to_end_id: our order number, or None where the bank gave none (`NOTPROVIDED`).
        amount_minor: what was ordered or returned, before charges, signed like the line.
        charges_minor: what the bank kept of it inside the booked amount; negative is given back.
        return_reason: the bank's reason code; set only on a returned transaction.
        remittance: references in the payer's message: structured ones (a creditor reference, a QR
            reference) first, then free texts that are one word.
        counterparty: payer of a credit, payee of a debit.
        other_refs: further references as `(kind, value)`, for people. No match is made by them,
            but for a loan's virtual account or reference, which its check digits tell.
    """

    end_to_end_id: str | None
    mandate_ref: str | None
    tx_id: str | None
    amount_minor: int
    charges_minor: int = 0
    return_reason: str | None = None
    remittance: tuple[str, ...] = ()
    counterparty: Party | None = field(default=None, metadata=ADDED_LATER)
    other_refs: tuple[tuple[str, str], ...] = field(default=(), metadata=ADDED_LATER)

    @property
    def booked_minor(self) -> int:
        """What the item adds to the booked amount: charges always lower our account."""
        return self.amount_minor - self.charges_minor

    @property
    def references(self) -> tuple[str, ...]:
        """Every reference that may name a payment, each once, the end-to-end id first."""
        named = (self.end_to_end_id, *self.remittance)
        return tuple(dict.fromkeys(ref for ref in named if ref))


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry, whole: a single movement or a batch with its items.

    Attributes:
        id: `account/booking date/mark`, at most 120 characters, whatever statement holds the line;
            see `domain.statement.identity`. Empty for an entry that is not booked.
        reversal: the bank calls it a reversal; the sign of the amount already says its direction.
        batch_count: how many transactions the bank says it booked in one amount.
        charges_minor: charges of the entry as a whole, where no single item bears them.
        status: only booked entries are ever given to the books.
        printed: the amount as the file has it, without sign: `8.850`, `8,85`.
        code: the bank's own code for what happened, such as `PMNT/RDDT/ESDD`, `NTRF` or `195`.
    """

    id: str
    account: str
    booked_on: date
    value_on: date
    amount_minor: int
    currency: str
    servicer_ref: str | None
    reversal: bool = False
    items: tuple[LineItem, ...] = ()
    batch_ref: str | None = None
    batch_count: int | None = None
    text: str = ""
    charges_minor: int = 0
    status: EntryStatus = field(default=EntryStatus.BOOKED, metadata=ADDED_LATER)
    printed: str = field(default="", metadata=ADDED_LATER)
    code: str = field(default="", metadata=ADDED_LATER)


@dataclass(frozen=True, slots=True)
class Stated:
    """A number and sum of entries in the bank's own summary; None where it gives none.

    `sum_minor` has no sign for entries of one direction; the net of all entries is signed.
    """

    number: int | None = None
    sum_minor: int | None = None


UNSTATED = Stated()


@dataclass(frozen=True, slots=True)
class Summary:
    """What the bank says its entries come to (`TxsSummry`).

    Attributes:
        entries: number of all entries and the sum of their amounts without sign.
        net: their signed sum.
    """

    entries: Stated = UNSTATED
    net: int | None = None
    credits: Stated = UNSTATED
    debits: Stated = UNSTATED


@dataclass(frozen=True, slots=True)
class Statement:
    """One account and one period, or one page of it. As the head of a page it carries no lines.

    Attributes:
        id: the bank's own; later pages of one paged statement end in `/p2`, `/p3` ...
        sequence: the bank's electronic number, dense per account, where it gives one.
        booked_on: the day of the closing balance, else the end of the period.
        opening_minor, closing_minor: booked balances in `currency`; None where none is stated.
        other_currencies: currencies of booked balances that are not `currency`.
        period: first and last day as the bank states them; ids may begin anew in the next one.
        page: from 1. `is_last_page`: False where the bank says that more follow.
        summary: the bank's own totals, where it gives them.
        kind: only a `STATEMENT` may move the bank account.
        balances: every balance as stated, in the order of the file.
        pending: entries that are not booked; the head of a page has none.
    """

    id: str
    account: str
    currency: str
    sequence: int | None
    booked_on: date | None
    opening_minor: int | None
    closing_minor: int | None
    lines: tuple[StatementLine, ...] = ()
    other_currencies: tuple[str, ...] = ()
    period: tuple[date, date] | None = None
    page: int = 1
    is_last_page: bool = True
    summary: Summary | None = None
    kind: DocumentKind = DocumentKind.STATEMENT
    balances: tuple[Balance, ...] = ()
    pending: tuple[StatementLine, ...] = ()

    @property
    def is_paged(self) -> bool:
        """Whether it is one page of several: then no page has to add up by itself."""
        return self.page > 1 or not self.is_last_page

    @property
    def whole_id(self) -> str:
        """The bank's id, which all pages share."""
        return self.id.removesuffix(f"/p{self.page}") if self.page > 1 else self.id


class FaultRule(StrEnum):
    """What a statement can get wrong; each member names the rule that is broken."""

    OPENING_MISSING = "opening_missing"
    """No booked opening balance in the account's currency."""
    CLOSING_MISSING = "closing_missing"
    """No booked closing balance in the account's currency."""
    BALANCE_DIFFERS = "balance_differs"
    """Opening plus the lines booked up to the day of the closing balance is not closing."""
    SUMMARY_COUNT_DIFFERS = "summary_count_differs"
    """The bank's summary states another number of entries than there are."""
    SUMMARY_SUM_DIFFERS = "summary_sum_differs"
    """The bank's summary states another sum of entries than they come to."""
    OTHER_CURRENCY = "other_currency"
    """A balance or a line in another currency than the statement's."""
    ITEMS_DIFFER = "items_differ"
    """The items of an entry, less charges, do not sum to its amount."""
    BATCH_COUNT_DIFFERS = "batch_count_differs"
    """An itemised batch holds another number of items than the bank says."""
    SEQUENCE_GAP = "sequence_gap"
    """Numbers are missing between two statements of one account."""
    SEQUENCE_REPEATED = "sequence_repeated"
    """A number comes again or goes backwards."""
    PAGE_MISSING = "page_missing"
    """Pages of a paged statement have not been read."""
    RESTATED = "restated"
    """A statement that was read before comes again with other balances or other lines."""
    KNOWN_LINES = "known_lines"
    """Lines are known from a statement that this one goes on from, or perhaps repeats."""
    CHAIN_BROKEN = "chain_broken"
    """The opening balance is not the closing balance of the statement before."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: where, what the bank stated, what was counted (minor units or a number)."""

    rule: FaultRule
    where: str
    stated: int | None = None
    counted: int | None = None
