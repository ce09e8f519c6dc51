"""One attack: every step that a history can take, those of people last."""

from datetime import timedelta

from domain.loan.aggregate import HoldKind
from domain.pricing.amounts import Component
from tests.attack.casesteps import CaseSteps
from tests.support.doors import (
    Cancel,
    ChangeDate,
    Charge,
    Hold,
    MatchLine,
    RetryNow,
    UndoMatch,
    Unhold,
    Waive,
    WithdrawPayment,
    WriteOff,
)


class Attack(CaseSteps):
    """An attack with everything that operators can order."""

    def hold(self, loan: int, number: int, what: str = "all") -> None:
        """An operator holds an installment."""
        self._order(Hold, loan, number, what=HoldKind(what))

    def unhold(self, loan: int, number: int) -> None:
        """An operator lets go."""
        self._order(Unhold, loan, number)

    def retry(self, loan: int, number: int) -> None:
        """An operator orders another presentment."""
        self._order(RetryNow, loan, number)

    def cancel(self, loan: int, number: int) -> None:
        """An operator cancels."""
        self._order(Cancel, loan, number)

    def write_off(self, loan: int, number: int) -> None:
        """An operator writes off."""
        self._order(WriteOff, loan, number)

    def change_date(self, loan: int, number: int, days: int) -> None:
        """An operator moves the due date."""
        self._order(ChangeDate, loan, number, due_on=self.today + timedelta(days=days))

    def waive(self, loan: int, number: int, component: str, minor: int) -> None:
        """An operator waives some or all of a component."""
        loan_id, of = self.which(loan, number)
        part = Component(component)
        owed = self.books.item(of, loan_id).owed.of(part)
        self._order(Waive, loan, number, component=part, amount_minor=min(minor, owed))

    def charge(self, loan: int, number: int, minor: int) -> None:
        """An operator charges a fee."""
        self._order(Charge, loan, number, component=Component.FEE, amount_minor=minor)

    def match(self, pick: int, loan: int, number: int, payment: int) -> None:
        """An operator says whose money a line is, and may be wrong."""
        lines = [line for line in self.books.lines.values() if line.open_minor]
        loan_id, _ = self.which(loan, number)
        known = list(self.oracle.tally.of_loan[loan_id])
        if lines:
            line = lines[pick % len(lines)]
            ref = known[payment % len(known)] if known else self.bank.name("M")
            minor = abs(line.open_minor)
            self.oracle.is_lying = True
            self._order(MatchLine, loan, number, line=line.id, reference=ref, amount_minor=minor)

    def undo(self, pick: int) -> None:
        """An operator takes a match back."""
        found = [(line, m) for line in self.books.lines.values() for m in line.matches]
        if found:
            line, match = found[pick % len(found)]
            self.give(
                UndoMatch, loan_id=match.loan_id, number=1, line=line.id, reference=match.payment
            )

    def withdraw(self, pick: int) -> None:
        """A payment that was recorded was none: no line will come for it."""
        sent = [t for t in self.bank.transfers if not t.back_minor and t.reported_minor]
        if sent:
            one = sent[pick % len(sent)]
            self.give(WithdrawPayment, loan_id=one.loan, number=one.number, reference=one.reference)
