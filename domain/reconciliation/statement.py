"""A bank's booked statement as the house sees it, and the sums that must hold inside it.

Amounts are whole minor units, signed as they move our account: a credit is positive. What does not
add up is a value (`Fault`), never an exception: a statement is evidence and is always kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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
    """

    end_to_end_id: str | None
    mandate_ref: str | None
    tx_id: str | None
    amount_minor: int
    charges_minor: int = 0
    return_reason: str | None = None

    @property
    def booked_minor(self) -> int:
        """What the item adds to the booked amount: charges always lower our account."""
        return self.amount_minor - self.charges_minor


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One booked entry, whole: a single movement or a batch with its items.

    Attributes:
        id: `account/statement/entry number`, at most 120 characters, the same on every reading.
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
class Statement:
    """One account and one period. As the head of a page it carries no lines.

    Attributes:
        id: the bank's own; later pages of one paged statement end in `/p2`, `/p3` ...
        sequence: the bank's electronic number, dense per account, where it gives one.
        opening_minor, closing_minor: booked balances in `currency`; None where none is stated.
        other_currencies: currencies of booked balances that are not `currency`.
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


class FaultRule(StrEnum):
    """What a statement can get wrong; each member names the rule that is broken."""

    OPENING_MISSING = "opening_missing"
    """No booked opening balance in the account's currency."""
    CLOSING_MISSING = "closing_missing"
    """No booked closing balance in the account's currency."""
    BALANCE_DIFFERS = "balance_differs"
    """Opening plus lines is not closing."""
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
    CHAIN_BROKEN = "chain_broken"
    """The opening balance is not the closing balance of the statement before."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: where, what the bank stated, what was counted (minor units or a number)."""

    rule: FaultRule
    where: str
    stated: int | None = None
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Running sums over the lines of one statement, so that no page needs the others."""

    lines: int = 0
    sum_minor: int = 0
    faults: tuple[Fault, ...] = field(default=())

    def plus(self, head: Statement, lines: Iterable[StatementLine]) -> "Totals":
        """The totals after one more page of `head`; keeps at most `FAULTS_KEPT` faults of lines."""
        count, total, faults = self.lines, self.sum_minor, list(self.faults)
        for line in lines:
            count += 1
            total += line.amount_minor if line.currency == head.currency else 0
            faults.extend(_line_faults(head, line))
        return Totals(count, total, tuple(faults[:FAULTS_KEPT]))

    def closed(self, head: Statement) -> tuple[Fault, ...]:
        """Every fault, once the last line is in; those of the balances come first."""
        return (*_balance_faults(head, self.sum_minor), *self.faults)


FAULTS_KEPT = 1000
"""A file that is wrong on every line must not fill the memory with saying so."""


def control_totals(statement: Statement) -> tuple[Fault, ...]:
    """Check one whole statement: balances, currency, items and batch counts. Empty: it adds up."""
    return Totals().plus(statement, statement.lines).closed(statement)


def follows(previous: Statement, current: Statement) -> tuple[Fault, ...]:
    """Check that `current` comes directly after `previous` on the same account.

    Numbers are compared only where both are given: many banks leave them out.
    """
    faults: list[Fault] = []
    if previous.sequence is not None and current.sequence is not None:
        expected = previous.sequence + 1
        if current.sequence > expected:
            rule = FaultRule.SEQUENCE_GAP
            faults.append(Fault(rule, current.id, current.sequence, expected))
        elif current.sequence < expected:
            rule = FaultRule.SEQUENCE_REPEATED
            faults.append(Fault(rule, current.id, current.sequence, expected))
    before, after = previous.closing_minor, current.opening_minor
    if before is not None and after is not None and before != after:
        faults.append(Fault(FaultRule.CHAIN_BROKEN, current.id, after, before))
    return tuple(faults)


def _balance_faults(head: Statement, sum_minor: int) -> Iterator[Fault]:
    for currency in head.other_currencies:
        yield Fault(FaultRule.OTHER_CURRENCY, f"{head.id} balance {currency}")
    if head.opening_minor is None:
        yield Fault(FaultRule.OPENING_MISSING, head.id)
    if head.closing_minor is None:
        yield Fault(FaultRule.CLOSING_MISSING, head.id)
    if head.opening_minor is not None and head.closing_minor is not None:
        counted = head.opening_minor + sum_minor
        if counted != head.closing_minor:
            yield Fault(FaultRule.BALANCE_DIFFERS, head.id, head.closing_minor, counted)


def _line_faults(head: Statement, line: StatementLine) -> Iterator[Fault]:
    if line.currency != head.currency:
        yield Fault(FaultRule.OTHER_CURRENCY, line.id)
    if not line.items:
        return
    counted = sum(item.booked_minor for item in line.items) - line.charges_minor
    if counted != line.amount_minor:
        yield Fault(FaultRule.ITEMS_DIFFER, line.id, line.amount_minor, counted)
    if line.batch_count is not None and line.batch_count != len(line.items):
        yield Fault(FaultRule.BATCH_COUNT_DIFFERS, line.id, line.batch_count, len(line.items))
