"""Checks on payments: none is lost, nothing is closed without one, none stays unclosed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.audit.facts import BooksFacts, TruthFacts, TruthMovement
from domain.audit.findings import Finding, FindingKind
from domain.audit.tally import Tally
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State

_ELSEWHERE = frozenset({State.CLOSED, State.CANCELLED, State.WRITTEN_OFF, State.SUBROGATED})
"""States in which owing nothing does not mean that closure is awaited."""
_OWING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT})
_SLACK_DAYS = 10
"""Longest holiday of a banking calendar that a deadline in banking days may have to cross."""


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
    """A closed installment owes nothing, was paid with money, and each party has its share.

    What went back by a line that waits with a case about the installment is a person's task.
    """
    for loan in books.loans:
        for item in loan.installments:
            if item.state is State.CLOSED:
                for text, minor in _lacking(books, loan, item, bank, sums):
                    subject = f"{loan.id}/{item.number}"
                    yield Finding(FindingKind.CLOSED_NOT_PAID, subject, text, minor, loan.currency)


def _lacking(
    books: BooksFacts, loan: Loan, item: Installment, bank: Bank, sums: Tally
) -> Iterator[tuple[str, int]]:
    key = (loan.id, item.number)
    if (owed := sums.owed(key)) != 0:
        yield "closed and still owed", owed
    if item.scheduled.total > 0 and key not in sums.owed_moves:
        yield "closed and never charged", item.scheduled.total
    for receipt, paid in sums.paid_by.get(key, {}).items():
        clearing = sums.by_receipt.get(("clearing", receipt), 0)
        if paid > 0 and clearing != 0:
            yield f"receipt {receipt} is not proven at the bank", clearing
        order_no = sums.orders_of.get(receipt)
        less = paid - bank.net.get(order_no, 0) if order_no is not None else 0
        if order_no is not None and less > 0:
            waits = _returns_waiting(books, sums, bank, loan, item, order_no)
            if less > waits:
                yield f"order {order_no} brought less", less
        yield from _elsewhere(loan, receipt, sums)
    for (component, party), minor in sums.payable_by_item.get(key, {}).items():
        if minor != 0:
            yield f"{component} of {party} has not reached it", -minor


def _elsewhere(loan: Loan, receipt: str, sums: Tally) -> Iterator[tuple[str, int]]:
    """What of a receipt lies on accounts that the product does not name."""
    cash: defaultdict[str, int] = defaultdict(int)
    for line, minor in sums.proofs.get(receipt, {}).items():
        account = sums.lines[line].account if line in sums.lines else "no account"
        cash[account] += minor
    for account, minor in cash.items():
        if minor != 0 and account not in loan.product.accounts:
            yield f"receipt {receipt} lies on {account}", minor


def stuck(books: BooksFacts, sums: Tally) -> Iterator[Finding]:
    """Installments that were charged, owe nothing by the journal, and stand as if they did."""
    for loan in books.loans:
        for item in loan.installments:
            key = (loan.id, item.number)
            if item.state in _OWING and key in sums.owed_moves and sums.owed(key) == 0:
                text = f"{item.state.value} and nothing is owed"
                yield Finding(FindingKind.STUCK, f"{loan.id}/{item.number}", text)


@dataclass(frozen=True, slots=True)
class Unclosed:
    """A paid installment that is not closed: time since its last money, and if a case is open."""

    loan: Loan
    item: Installment
    age: timedelta
    is_late: bool
    has_case: bool

    def finding(self) -> Finding:
        """The finding for the report."""
        text = f"{self.item.state.value} for {self.age.days} days after the last money"
        subject = f"{self.loan.id}/{self.item.number}"
        minor = self.item.scheduled.total
        return Finding(FindingKind.PAID_NOT_CLOSED, subject, text, minor, self.loan.currency)


def paid_not_closed(books: BooksFacts, sums: Tally) -> Iterator[Unclosed]:
    """Installments that owe nothing by the journal, were paid, and are not closed.

    Late: more days have passed since the last money than the product's settlement deadline and
    return window can need, holidays included.
    """
    cased = {(case.loan_id, case.number) for case in books.cases}
    for loan in books.loans:
        rules = loan.product.closure
        banking_days = rules.settlement_banking_days + rules.return_window_banking_days
        patience = timedelta(days=2 * banking_days + _SLACK_DAYS)
        for item in loan.installments:
            key = (loan.id, item.number)
            paid_at = sums.paid_at.get(key)
            if item.state in _ELSEWHERE or sums.owed(key) != 0:
                continue
            if paid_at is not None:
                age = books.as_of - paid_at
                yield Unclosed(loan, item, age, age > patience, key in cased)


def movements_shown(truth: TruthFacts, as_of: datetime) -> Iterator[tuple[str, TruthMovement]]:
    """Movements on statements that could be fetched by `as_of`, with `account/booking date`."""
    days = days_shown(truth, as_of)
    for movement in truth.movements:
        if movement.statement_id in days:
            yield f"{movement.account}/{days[movement.statement_id]}", movement


def days_shown(truth: TruthFacts, as_of: datetime) -> Mapping[str | None, date]:
    """The booking dates of statements that could be fetched by `as_of`, by their id."""
    return {s.id: s.day for s in truth.statements if s.available_at <= as_of}
