"""What must hold of loans and lines at rest, from postings, cases and what the bank reported."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.calendar import local_day
from domain.case.case import Case
from domain.loan.aggregate import Installment
from domain.loan.lifecycle import State
from tests.attack.bank import Bank
from tests.attack.findings import Finding
from tests.attack.setup import FIRST_DUE, FUNDER_ACCOUNT, PENALTIES, Setup
from tests.attack.tally import Tally
from tests.support.memory import SHANGHAI, MemoryBooks

COMPONENTS = ("principal", "interest", "fee", "penalty", "cost")
BLOCKS_RELEASE = frozenset({"contradiction", "line_contradiction", "unknown_code"})
"""Kinds of cases that money.md section 6 lets stand in the way of release, as far as they exist."""
OWING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT, State.PRESENTED, State.IN_DOUBT})
PAID = frozenset({State.CLEARING, State.SETTLED, State.RELEASED, State.CLOSED})


@dataclass(slots=True)
class Sent:
    """An order that went out, and what the rail has reported of it."""

    loan: str
    number: int
    minor: int
    is_over: bool = False
    is_acknowledged: bool = False
    never_left: bool = False
    not_found: bool = False
    """An inquiry that left after the query window did not find it."""


@dataclass(slots=True)
class Rest:
    """Judges what stands in the books, whatever has happened."""

    setup: Setup
    books: MemoryBooks
    bank: Bank
    tally: Tally = field(default_factory=Tally)
    sent: dict[str, Sent] = field(default_factory=dict)
    due: dict[tuple[str, int], date] = field(default_factory=dict)
    """The earliest day that an installment whose date was moved was ever due on."""
    looked_at: dict[tuple[str, int], Installment] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    """Lines of which a person has said that they are not what their references say."""
    read: int = 0
    is_lying: bool = False
    """The rail or the bank contradicts itself: what it reported of an order need not agree."""

    def cases(self, loan: str, number: int | None = None) -> list[Case]:
        """Open cases about a loan, or about one of its installments."""
        found = [case for case in self.books.cases.values() if case.loan_id == loan]
        return [case for case in found if number is None or case.number in {number, None}]

    def check_loan(self, loan_id: str) -> None:
        loan = self.books.loans[loan_id]
        for item in loan.installments:
            key = (loan_id, item.number)
            if key in self.tally.touched or self.looked_at.get(key) is not item:
                self._check_item(*key)
                self.tally.touched.discard(key)
                self.looked_at[key] = item
        for portion in self.tally.of_loan[loan_id]:
            self._check_portion(loan_id, portion)
        self._check_parties(loan_id)

    def _check_item(self, loan: str, number: int) -> None:
        item, tally = self.books.item(number, loan), self.tally
        where = f"{loan}/{number} {item.state.value}"
        for part in COMPONENTS:
            key = (loan, number, part)
            owed, forgiven, written_off = (
                tally.item(family, *key) for family in ("owed", "forgiven", "written_off")
            )
            if min(owed, forgiven, written_off) < 0:
                raise Finding("item.sign", f"{where} {part}: {owed}, {forgiven}, {written_off}")
            claim = -tally.item("claim", *key)
            if claim != owed + forgiven + written_off:
                raise Finding("item.claim", f"{where} {part}: claim {claim}, owed {owed}")
            held = (
                getattr(item.owed, part),
                getattr(item.forgiven, part),
                getattr(item.written_off, part),
                getattr(item.charged, part),
            )
            if held != (owed, forgiven, written_off, tally.charged[key]):
                raise Finding("item.view", f"{where} {part}: {held} is not what is posted")
        owed = tally.total("owed", loan, number)
        if item.state in OWING and not owed:
            raise Finding("item.owes_nothing", f"{where} owes nothing and did not end")
        if item.state in PAID and owed:
            raise Finding("item.owes", f"{where} owes {owed}")
        self._check_penalty(loan, number)

    def _check_penalty(self, loan: str, number: int) -> None:
        """Never more than the rule's rate on all that was due for the days that have passed."""
        rule = PENALTIES[self.setup.penalty]
        charged = self.tally.charged[(loan, number, "penalty")]
        scheduled = self.books.item(number, loan).scheduled
        if charged < 0 or (charged and rule is None):
            raise Finding("penalty.sign", f"{loan}/{number}: {charged}")
        if rule is None:
            return
        first = self.due.get((loan, number), self.first_due(number))
        ahead = 4 if self.setup.lead else 1
        days = (local_day(self.books.at, SHANGHAI) - first).days + ahead
        bearing = scheduled.principal + (scheduled.interest if rule.on_interest else 0)
        most = bearing * float(rule.annual_rate_percent) / 100 / rule.day_basis * max(days, 0)
        if charged > most * 1.25 + 1:
            raise Finding("penalty.too_much", f"{loan}/{number}: {charged} of {most:.0f}")

    def first_due(self, number: int) -> date:
        return FIRST_DUE + timedelta(days=self.setup.shift + (number - 1) * self.setup.apart)

    def _check_portion(self, loan: str, portion: str) -> None:
        tally = self.tally
        waits = -tally.portions[("suspense", loan, portion)]
        ahead = -tally.portions[("advance", loan, portion)]
        where = f"{loan} {portion}"
        if min(waits, ahead) < 0:
            raise Finding("payment.sign", f"{where}: waits {waits}, ahead {ahead}")
        key = (loan, portion)
        if tally.back[key] > tally.came[key]:
            raise Finding("payment.back", f"{where}: {tally.back[key]} of {tally.came[key]} back")
        put = sum(v for k, v in tally.applied.items() if k[:2] == key)
        if tally.came[key] - tally.back[key] != put + waits + ahead:
            raise Finding("payment.conservation", f"{where}: {put} + {waits} + {ahead}")
        if any(v < 0 for k, v in tally.applied.items() if k[:2] == key):
            raise Finding("payment.applied", f"{where}: less than nothing on an installment")
        for item, minor in tally.lying[key].items():
            if minor > 0:
                raise Finding(
                    "payment.place", f"{where}: {minor} taken from {item}, which has none"
                )
        proven, returned = tally.legs(*key)
        if proven > tally.came[key] or returned > tally.back[key]:
            raise Finding("payment.proven", f"{where}: {proven}, {returned} by lines")
        if waits and not self._may_wait(loan, portion, waits):
            raise Finding("suspense.no_case", f"{where}: {waits} wait without a case")
        if ahead and not self._is_something_to_come(loan):
            raise Finding("advance.nothing_to_come", f"{where}: {ahead} are paid ahead of nothing")

    def _may_wait(self, loan: str, portion: str, waits: int) -> bool:
        cased = sum(c.amount_minor for c in self.cases(loan) if c.payment == portion)
        if cased >= waits:
            return True
        order_no = self.tally.order_of.get((loan, portion))
        live = [item for item in self.books.loans[loan].installments if item.live_attempt]
        if order_no is not None:
            number = self.sent[order_no].number
            live = [item for item in live if item.number == number]
        return bool(live)

    def _is_something_to_come(self, loan: str) -> bool:
        items = self.books.loans[loan].installments
        return any(item.state is State.SCHEDULED for item in items)

    def _check_parties(self, loan: str) -> None:
        """No party's remaining claim, nor what is payable to it, is below zero or lost."""
        remaining: dict[tuple[object, object, object], int] = {}
        payable: dict[object, int] = {}
        for (family, *rest), minor in self.tally.parties.items():
            party, of_loan, number, part = rest
            if of_loan != loan:
                continue
            if family in {"claim", "forgiven", "written_off"}:
                key = (party, number, part)
                remaining[key] = remaining.get(key, 0) - minor
            elif family == "payable":
                payable[party] = payable.get(party, 0) - minor
        for key, minor in remaining.items():
            if minor < 0:
                raise Finding("party.claim", f"{loan} {key}: {minor}")
        for party, minor in payable.items():
            if minor < 0:
                raise Finding("party.payable", f"{loan} {party}: {minor}")
        self._check_collected(loan, sum(payable.values()))

    def _check_collected(self, loan: str, payable: int) -> None:
        tally = self.tally
        held = {k: -v for k, v in tally.portions.items() if k[:2] == ("held_by", loan)}
        put = sum(v for k, v in tally.applied.items() if k[0] == loan)
        if payable + sum(held.values()) != put:
            raise Finding("party.collected", f"{loan}: {payable} + {held} of {put}")
        for (_, _, portion), minor in held.items():
            lines = [(str(k[2]), v) for k, v in tally.proven.items() if k[:2] == (loan, portion)]
            there = sum(v for line, v in lines if self._account(line) == FUNDER_ACCOUNT)
            if minor < 0 or minor > max(there, 0):
                text = f"{loan} {portion}: held {minor}, {there} lie on its account"
                raise Finding("party.held", text)

    def _account(self, line: str) -> str:
        return self.bank.lines[line].account

    def check_line(self, line_id: str) -> None:
        waits = -self.tally.accounts[(f"suspense/line/{line_id}",)]
        if waits and not any(case.line == line_id for case in self.books.cases.values()):
            raise Finding("line.no_case", f"{line_id}: {waits} wait without a case")
        if self.books.lines[line_id].open_minor != waits:
            raise Finding("line.view", f"{line_id}: {waits} wait")

    def check_reported(self, order_no: str, sent: Sent) -> None:
        """The books have what was reported of an order, or an open case; never more."""
        taken, back = self.bank.reported_of(order_no)
        came, gone = self.tally.came[(order_no,)], self.tally.back[(order_no,)]
        if came >= taken.stop and not self.is_lying:
            raise Finding("order.phantom", f"{order_no}: {came} booked, {taken.stop - 1} reported")
        if came in taken and gone in back:
            return
        if self.cases(sent.loan, sent.number):
            return
        if any(self.is_open(line) for line in self.bank.booked if self._names(line, order_no)):
            return
        if not self.is_lying:
            text = f"{order_no}: reported {taken} taken and {back} back; booked {came} and {gone}"
            raise Finding("order.lost", text)

    def _names(self, line_id: str, order_no: str) -> bool:
        return any(truth.order_no == order_no for truth in self.bank.truths[line_id])

    def left_of(self, line_id: str, names: set[str]) -> bool:
        """Whether a line names one of these and has not proven all that it says of it."""
        for item in self.bank.lines[line_id].items:
            name = item.end_to_end_id
            if name in names:
                proven = sum(
                    minor
                    for (of, portion, line, _), minor in self.tally.proven.items()
                    if line == line_id and self.is_named(name, str(of), str(portion))
                )
                if proven != item.amount_minor:
                    return True
        return False

    def is_named(self, name: str, loan: str, portion: str) -> bool:
        """Whether a line's reference is that of a payment: its order's number, or the payer's."""
        order_no = self.tally.order_of.get((loan, portion))
        if order_no is None:
            return any(sent.reference == name for sent in self.bank.transfers)
        return order_no == name

    def is_pressing(self, line_id: str) -> bool:
        """Whether a line is open and nobody has said that it is about something else."""
        return self.is_open(line_id) and line_id not in self.undone

    def is_open(self, line_id: str) -> bool:
        waits = self.tally.accounts[(f"suspense/line/{line_id}",)]
        # Items that wait of a line that nets to zero leave nothing in suspense.
        return waits != 0 or self.books.lines[line_id].is_open
