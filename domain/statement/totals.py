"""The sums that must hold inside a statement, and between a statement and the one before it.

An entry counts by its booking date, never by its value date: an entry that is booked today and
valued tomorrow is in today's closing balance. An entry that a statement shows ahead of its booking
date is not.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from domain.statement.statement import Fault, FaultRule, Statement, StatementLine

FAULTS_KEPT = 1000
"""Most faults of lines that are kept: a file wrong on every line must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Number and sum of entries by direction; `debit_minor` is not negative."""

    credits: int = 0
    credit_minor: int = 0
    debits: int = 0
    debit_minor: int = 0

    def plus(self, minor: int) -> "Tally":
        """The tally after one more entry, signed."""
        if minor < 0:
            return Tally(self.credits, self.credit_minor, self.debits + 1, self.debit_minor - minor)
        return Tally(self.credits + 1, self.credit_minor + minor, self.debits, self.debit_minor)

    def joined(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.credits + other.credits,
            self.credit_minor + other.credit_minor,
            self.debits + other.debits,
            self.debit_minor + other.debit_minor,
        )


NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Totals:
    """Running sums over the lines of one statement, so that no page needs the others.

    Attributes:
        sum_minor: of all booked lines in the statement's currency.
        later_minor: the part of it that is booked after the day of the closing balance.
    """

    lines: int = 0
    sum_minor: int = 0
    later_minor: int = 0
    booked: Tally = NOTHING
    faults: tuple[Fault, ...] = field(default=())

    def plus(self, head: Statement, lines: Iterable[StatementLine]) -> "Totals":
        """The totals after one more page of `head`; keeps at most `FAULTS_KEPT` faults of lines."""
        count, total, later = self.lines, self.sum_minor, self.later_minor
        booked, faults = self.booked, list(self.faults)
        for line in lines:
            count += 1
            if line.currency == head.currency:
                total += line.amount_minor
                booked = booked.plus(line.amount_minor)
                if head.booked_on is not None and line.booked_on > head.booked_on:
                    later += line.amount_minor
            faults.extend(_line_faults(head, line))
        return Totals(count, total, later, booked, tuple(faults[:FAULTS_KEPT]))

    def closed(self, head: Statement, left_out: Tally | None = None) -> tuple[Fault, ...]:
        """Every fault, once the last line is in; those of the balances come first.

        A page of several is judged with its other pages, by `judge_pages`. `left_out` are entries
        that are not booked: some banks count them in their summary, some do not.
        """
        found = [*_currency_faults(head), *_missing_faults(head)]
        if not head.is_paged:
            found.extend(_balance_faults(head, self.sum_minor, self.later_minor))
            found.extend(summary_faults(head, self.booked, left_out or NOTHING))
        return (*found, *self.faults)


def judge_pages(pages: Sequence[tuple[Statement, int, int]]) -> tuple[Fault, ...]:
    """Check a paged statement by its pages, in any order: `(head, sum, sum booked later)` each.

    Faults are those of missing pages, else of the balances of the statement as a whole: it opens
    as its first page and closes as its last. Pages that state interim balances follow each other.
    """
    ordered = sorted(pages, key=lambda page: page[0].page)
    first, last = ordered[0][0], ordered[-1][0]
    expected = last.page if last.is_last_page else last.page + 1
    if expected != len(ordered):
        return (Fault(FaultRule.PAGE_MISSING, last.id, expected, len(ordered)),)
    head = Statement(
        last.id,
        last.account,
        last.currency,
        last.sequence,
        last.booked_on,
        first.opening_minor,
        last.closing_minor,
    )
    total = sum(booked for _, booked, _ in ordered)
    later = sum(ahead for _, _, ahead in ordered)
    return tuple(_balance_faults(head, total, later))


def follows(previous: Statement, current: Statement) -> tuple[Fault, ...]:
    """Check that `current` comes directly after `previous` on the same account.

    Numbers are compared only where both are given: many banks leave them out. The balances are
    compared all the same, where both are stated.
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


def summary_faults(head: Statement, booked: Tally, left_out: Tally) -> Iterator[Fault]:
    """What the bank's own summary states otherwise than its entries are, with or without pending.

    Number and sum are compared apart, since banks fill in one, the other, or both.
    """
    if head.summary is None:
        return
    counts = {one: _numbers(one) for one in (booked, booked.joined(left_out))}
    summary = head.summary
    stated_numbers = (summary.entries.number, summary.credits.number, summary.debits.number)
    stated_sums = (
        summary.entries.sum_minor,
        summary.net,
        summary.credits.sum_minor,
        summary.debits.sum_minor,
    )
    numbers = [number for number, _ in counts.values()]
    sums = [money for _, money in counts.values()]
    yield from _unlike(FaultRule.SUMMARY_COUNT_DIFFERS, head, stated_numbers, numbers)
    yield from _unlike(FaultRule.SUMMARY_SUM_DIFFERS, head, stated_sums, sums)


def _numbers(of: Tally) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counted as a summary states it: (all, credits, debits) and (gross, net, credits, debits)."""
    gross, net = of.credit_minor + of.debit_minor, of.credit_minor - of.debit_minor
    return (
        (of.credits + of.debits, of.credits, of.debits),
        (gross, net, of.credit_minor, of.debit_minor),
    )


def _unlike(
    rule: FaultRule,
    head: Statement,
    stated: tuple[int | None, ...],
    readings: list[tuple[int, ...]],
) -> Iterator[Fault]:
    """The first figure that differs, unless one reading agrees with every figure stated."""
    unlike = [
        [
            (said, count)
            for said, count in zip(stated, counted, strict=True)
            if said is not None and said != count
        ]
        for counted in readings
    ]
    if all(unlike):
        yield Fault(rule, head.id, *unlike[0][0])


def _currency_faults(head: Statement) -> Iterator[Fault]:
    for currency in head.other_currencies:
        yield Fault(FaultRule.OTHER_CURRENCY, f"{head.id} balance {currency}")


def _missing_faults(head: Statement) -> Iterator[Fault]:
    """The first page opens and the last page closes; pages between need no balances."""
    if head.opening_minor is None and head.page == 1:
        yield Fault(FaultRule.OPENING_MISSING, head.id)
    if head.closing_minor is None and head.is_last_page:
        yield Fault(FaultRule.CLOSING_MISSING, head.id)


def _balance_faults(head: Statement, sum_minor: int, later_minor: int) -> Iterator[Fault]:
    if head.opening_minor is not None and head.closing_minor is not None:
        counted = head.opening_minor + sum_minor - later_minor
        # A bank that dates its closing balance a day early is not wrong about its money.
        if head.closing_minor not in {counted, counted + later_minor}:
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
