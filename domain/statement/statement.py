"""A bank's booked statement: its lines, its head, and what can be wrong with it.

Amounts are whole minor units, signed as they move our account: a credit is positive. What does not
add up is a value (`Fault`), never an exception: a statement is evidence and is always kept.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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
    """

    end_to_end_id: str | None
    mandate_ref: str | None
    tx_id: str | None
    amount_minor: int
    charges_minor: int = 0
    return_reason: str | None = None
    remittance: tuple[str, ...] = ()

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
    """One booked entry, whole: a single movement or a batch with its items.

    Attributes:
        id: `account/booking date/mark`, at most 120 characters, whatever statement holds the line;
            see `domain.statement.identity`.
        reversal: the bank calls it a reversal; the sign of the amount already says its direction.
        batch_count: how many transactions the bank says it booked in one amount.
        charges_minor: charges of the entry as a whole, where no single item bears them.
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
