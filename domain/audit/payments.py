"""Checks on payments at the bank: none is lost, and nothing is closed without its money."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from domain.audit.facts import BooksFacts, TruthFacts, TruthMovement
from domain.audit.findings import Finding, FindingKind
from domain.audit.tally import Tally
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank's log by order: what is left of what it took, and whether we could know it all."""

    net: dict[str, int]
    open: frozenset[str]
    """Orders with a movement that no statement shows us yet."""
    days: dict[str, set[str]]
    """`account/booking date` of an order's movements that a statement shows."""


def by_order(truth: TruthFacts, as_of: datetime) -> Bank:
    """Sort the bank's log by order, as far as it can be known at `as_of`."""
    shown = days_shown(truth, as_of)
    net: defaultdict[str, int] = defaultdict(int)
    waiting: set[str] = set()
    days: defaultdict[str, set[str]] = defaultdict(set)
    for order in truth.orders:
        net[order.order_no] += order.taken_minor
    for movement in truth.movements:
        if movement.order_no is None or movement.kind == "fee":
            continue
        if movement.kind == "return":
            net[movement.order_no] += movement.amount_minor
        if movement.statement_id in shown:
            days[movement.order_no].add(f"{movement.account}/{shown[movement.statement_id]}")
        else:
            waiting.add(movement.order_no)
    return Bank(dict(net), frozenset(waiting), dict(days))


def lost_payments(books: BooksFacts, bank: Bank, sums: Tally) -> Iterator[Finding]:
    """What the bank took for an order, less returns, is what the books have of it.

    An order whose final outcome the books still ask for, or whose movements no statement shows
    yet, is not lost: it is visibly open. Money that waits with a case about its line is not lost
    either, and what went back by a line that a person has still to match is explained by that case.
    """
    cased = {case.line for case in books.cases}
    for loan in books.loans:
        for item, attempt in loan.attempts():
            order_no = attempt.order_no
            gap = bank.net.get(order_no, 0) - sums.cash.get(order_no, 0)
            if gap == 0 or attempt.is_live or order_no in bank.open:
                continue
            subject = f"{loan.id}/{item.number} {order_no}"
            if gap < 0 and -gap <= _returns_waiting(books, sums, bank, loan, item, order_no):
                continue
            if gap < 0:
                text = "the books have money of this order that the bank has not"
                yield Finding(FindingKind.UNEXPLAINED, subject, text, -gap, loan.currency)
            elif all(-minor < gap for minor in _waiting(bank, sums, order_no, cased)):
                text = "the bank took this and the books do not have it"
                yield Finding(FindingKind.LOST_PAYMENT, subject, text, gap, loan.currency)


def _waiting(bank: Bank, sums: Tally, order_no: str, cased: set[str | None]) -> Iterator[int]:
    """What waits on each line of a day of an order that a case is about; a credit is below zero."""
    days = bank.days.get(order_no, set())
    for line, minor in sums.waiting_lines.items():
        if line in cased and line.rpartition("/")[0] in days:
            yield minor


def _returns_waiting(
    books: BooksFacts, sums: Tally, bank: Bank, loan: Loan, item: Installment, order_no: str
) -> int:
    """Minor units of debit lines that wait, on days of an order, with a case that names its item.

    A line of a return that names only the mandate may be about several debits: it waits for the
    person who says which one.
    """
    cased = {case.line for case in books.cases if case.is_about(loan.id, item.number)}
    return sum(minor for minor in _waiting(bank, sums, order_no, cased) if minor > 0)


def closed_not_paid(books: BooksFacts, bank: Bank, sums: Tally) -> Iterator[Finding]:
    """An installment is closed, and an order that paid it brought less at the bank.

    What went back by a line that waits with a case about the installment is a person's task.
    """
    for loan in books.loans:
        for item in loan.installments:
            if item.state is State.CLOSED:
                for order_no, less in _lacking(books, loan, item, bank, sums):
                    text, subject = f"order {order_no} brought less", f"{loan.id}/{item.number}"
                    yield Finding(FindingKind.CLOSED_NOT_PAID, subject, text, less, loan.currency)


def _lacking(
    books: BooksFacts, loan: Loan, item: Installment, bank: Bank, sums: Tally
) -> Iterator[tuple[str, int]]:
    for payment, paid in sums.paid_by.get((loan.id, item.number), {}).items():
        order_no = sums.orders_of.get(payment)
        less = paid - bank.net.get(order_no, 0) if order_no is not None else 0
        if order_no is not None and less > 0:
            waits = _returns_waiting(books, sums, bank, loan, item, order_no)
            if less > waits:
                yield order_no, less


def movements_shown(truth: TruthFacts, as_of: datetime) -> Iterator[tuple[str, TruthMovement]]:
    """Movements on statements that could be fetched by `as_of`, with `account/booking date`."""
    days = days_shown(truth, as_of)
    for movement in truth.movements:
        if movement.statement_id in days:
            yield f"{movement.account}/{days[movement.statement_id]}", movement


def days_shown(truth: TruthFacts, as_of: datetime) -> Mapping[str | None, date]:
    """The booking dates of statements that could be fetched by `as_of`, by their id."""
    return {s.id: s.day for s in truth.statements if s.available_at <= as_of}
