"""Short ways to say what happens to a loan: actions performed, outcomes applied, lines booked."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from domain.calendar import local_day, local_instant
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus, status_of
from domain.kernel.change import Refusal
from domain.kernel.command import Actor
from domain.loan.change import Change, Ordered
from domain.loan.view import ActionKind, InstallmentView
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.statement.statement import LineItem, StatementLine
from tests.support.doors import (
    BookLine,
    IntendDebit,
    QueueReminder,
    RecordOutcome,
    RecordPayment,
    RecordReturn,
    Review,
    RollDay,
)
from tests.support.memory import (
    PRODUCT,
    SHANGHAI,
    TESTER,
    MemoryBooks,
    board,
    later,
    registering,
)

DRIVER = Actor("workflow", "installment")
ACCOUNT = "ACCT-FUNDER-1-CNY"


@dataclass
class Scene:
    """Books with one loan, and a counter for ids."""

    books: MemoryBooks = field(default_factory=MemoryBooks)
    count: int = 0

    @classmethod
    def boarded(cls, **terms: Any) -> Self:
        """A scene whose loan L1 is on the books; the accounts of its product are registered."""
        product = terms.get("product", PRODUCT)
        scene = cls(MemoryBooks(rules=registering(product)))
        assert isinstance(scene.books.apply(board(**terms)), Change)
        return scene

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.books.at, SHANGHAI)

    def give(self, kind: type, *, actor: Actor = TESTER, **values: Any) -> Change | Refusal:
        """Apply a command of a kind under a fresh id."""
        self.count += 1
        reason = values.pop("reason", "a test")
        command = kind(id=f"c{self.count}", actor=actor, reason=reason, **values)
        return self.books.apply(command, from_driver=actor == DRIVER)

    def order(
        self, kind: type, number: int = 1, loan: str = "L1", **values: Any
    ) -> Change | Refusal:
        """Give an order about an installment."""
        return self.give(kind, loan_id=loan, number=number, **values)

    def until(self, day: date, hour: int = 1, loan: str = "L1") -> None:
        """Let days pass, each rolled at its first hour."""
        while self.today < day:
            morning = local_instant(self.today + timedelta(days=1), time(hour), SHANGHAI)
            later(self.books, morning)
            self.give(RollDay, loan_id=loan, day=self.today)

    def action(self, number: int = 1, loan: str = "L1") -> Change | Refusal:
        """Perform the next action of an installment when its time has come."""
        view = self.books.view(number, loan)
        action = view.next_action
        assert action is not None, view
        while self.today < local_day(action.not_before, SHANGHAI):
            self.until(self.today + timedelta(days=1), loan=loan)
        later(self.books, max(self.books.at, action.not_before))
        return self.action_of(view)

    def action_of(self, view: InstallmentView) -> Change | Refusal:
        """Perform the next action of a view, which may be an old one."""
        action, loan, number = view.next_action, view.labels.loan_id, view.labels.number
        assert action is not None, view
        kinds: dict[str, type] = {
            ActionKind.REMIND: QueueReminder,
            ActionKind.PRESENT: IntendDebit,
            ActionKind.REVIEW: Review,
        }
        values = {"action": action.key, "generation": view.generation, "seen": view.version}
        return self.give(kinds[action.kind], actor=DRIVER, loan_id=loan, number=number, **values)

    def present(self, number: int = 1, loan: str = "L1") -> str:
        """Perform actions until a debit is intended; its order number."""
        for _ in range(10):
            change = self.action(number, loan)
            if isinstance(change, Change) and isinstance(change.answer, Ordered):
                return change.answer.order.order_no
        raise AssertionError(self.books.view(number, loan))

    def apply_outcome(
        self,
        order_no: str,
        outcome_class: OutcomeClass = OutcomeClass.SUCCESS,
        minor: int | None = None,
        source: str = "answer",
        asked_at: datetime | None = None,
        **more: Any,
    ) -> Change | Refusal:
        """The rail says something of an order; a success without an amount is of what it orders."""
        if minor is None:
            taken = status_of(outcome_class) is OutcomeStatus.CONFIRMED
            minor = self._ordered(order_no) if taken else 0
        outcome = Outcome(outcome_class, more.pop("code", outcome_class.value), minor, **more)
        actor = DRIVER if source in {"answer", "inquiry"} else TESTER
        return self.give(
            RecordOutcome,
            actor=actor,
            rail="simbank",
            order_no=order_no,
            outcome=outcome,
            source=source,
            asked_at=asked_at,
        )

    def _ordered(self, order_no: str) -> int:
        found = [a for loan in self.books.loans.values() for _, a in loan.attempts()]
        return next((a.amount_minor for a in found if a.order_no == order_no), 1)

    def returned(
        self,
        order_no: str,
        minor: int,
        outcome_class: OutcomeClass = OutcomeClass.NSF,
        bank_ref: str | None = None,
        code: str = "AM04",
        currency: str | None = None,
    ) -> Change | Refusal:
        """The rail reports a return."""
        return self.give(
            RecordReturn,
            rail="simbank",
            order_no=order_no,
            bank_ref=bank_ref,
            amount_minor=minor,
            outcome_class=outcome_class,
            code=code,
            returned_on=self.today,
            currency=currency,
        )

    def line(self, *items: LineItem, minor: int | None = None, **more: Any) -> Change | Refusal:
        """A booked line with its items."""
        self.count += 1
        file = more.pop("file", "")
        charges = more.get("charges_minor", 0)
        amount = sum(i.booked_minor for i in items) - charges if minor is None else minor
        line = StatementLine(
            id=more.pop("id", f"line-{self.count}"),
            account=more.pop("account", ACCOUNT),
            booked_on=more.pop("booked_on", self.today),
            value_on=more.pop("value_on", self.today),
            amount_minor=amount,
            currency=more.pop("currency", "CNY"),
            servicer_ref=more.pop("servicer_ref", None),
            items=items,
            **more,
        )
        return self.give(BookLine, statement_id=f"S-{self.today}", line=line, file=file)

    def credit(self, ref: str, minor: int, fee: int = 0, tx: str | None = None) -> Change | Refusal:
        """A booked credit of one order or payment reference."""
        return self.line(LineItem(ref, None, tx, minor, fee))

    def return_line(
        self, ref: str | None, minor: int, fee: int = 0, tx: str | None = None, code: str = "AM04"
    ) -> Change | Refusal:
        """A booked debit of a returned order; without `ref` only the mandate is named."""
        return self.line(LineItem(ref, "M-L1", tx, -minor, fee, code))

    def pay(
        self,
        minor: int,
        number: int = 1,
        ref: str | None = None,
        value_on: date | None = None,
        loan: str = "L1",
    ) -> str:
        """A person reports a transfer; the id that the books give it."""
        reference = ref or f"T{self.count + 1}"
        change = self.order(
            RecordPayment,
            number,
            loan,
            reference=reference,
            amount_minor=minor,
            currency=self.books.loans[loan].currency,
            value_on=value_on or self.today,
        )
        assert isinstance(change, Change), change
        return change.loans[loan].portions[-1].id

    def portion(self, payment_id: str, loan: str = "L1") -> Portion:
        """The portion of a payment in a loan, by the payment's id or its payer's reference."""
        portions = self.books.loans[loan].portions
        payments = self.books.payments
        return next(it for it in portions if payment_id in {it.id, payments[it.id].reference})

    def payment(self, payment_id: str) -> Payment:
        """A payment as it is now, by its id or by its payer's reference."""
        return self.books.payments[self.portion(payment_id).id]

    def posted(self, since: int = 0) -> list[tuple[str, dict[str, int]]]:
        """Entries from one on: the event, and what each account moved by (accounts of L1 short).

        An account whose items only went from one place to another did not move.
        """
        found = []
        for entry in self.books.entries[since:]:
            moved: dict[str, int] = {}
            for posting in entry.postings:
                name = posting.account.replace("/L1/", "/")
                moved[name] = moved.get(name, 0) + posting.minor
            found.append((entry.event, {name: minor for name, minor in moved.items() if minor}))
        return found

    @property
    def mark(self) -> int:
        """How many entries there are, to look at those that follow."""
        return len(self.books.entries)

    @property
    def balances(self) -> dict[str, int]:
        """What every account of L1 holds, debit positive, zeros left out."""
        return {k.replace("/L1/", "/"): v for k, v in self.books.balances().items()}

    def settle(self) -> None:
        """Let the bank book what is reported and not proven yet."""
        for portion in self.books.loans["L1"].portions:
            payment = self.books.payments[portion.id]
            ref = payment.order_no or payment.reference
            if portion.unsettled_minor:
                self.credit(ref, portion.unsettled_minor, tx=payment.bank_ref)
            if back := portion.unproven_return_minor:
                self.return_line(ref, back, tx=payment.bank_ref)

    @property
    def state(self) -> str:
        """State of the first installment."""
        return self.books.item().state.value
