"""A small world for comparisons: the real decisions in memory, and beside them the bank's own log.

The bank here does as the books are instructed, so that an untouched world compares clean;
tests then change one side and expect to see it reported.
"""

from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from domain.audit import (
    AuditReport,
    BooksFacts,
    ChainFact,
    Findings,
    TruthExecution,
    TruthFacts,
    TruthMovement,
    TruthNotice,
    TruthOrder,
    TruthStatement,
    compare,
)
from domain.debit.attempt import Attempt
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.command import Actor
from domain.ledger.chain import LEDGER
from domain.ledger.entry import JournalPosting
from domain.loan.aggregate import Loan
from domain.loan.change import Change, Ordered
from domain.loan.view import ActionKind
from domain.statement.statement import LineItem, StatementLine
from tests.support.doors import (
    AnyCommand,
    BoardLoan,
    BookLine,
    IntendDebit,
    QueueReminder,
    RecordDeliveryReport,
    RecordOutcome,
    RecordReturn,
    RollDay,
)
from tests.support.memory import DRIVER, TESTER, MemoryBooks, board

ACCOUNT = "ACCT-FUNDER-1-CNY"
BANK = Actor("rail", "simbank")
SECOND = timedelta(seconds=1)
IN_ORDER = AuditReport(0, {}, {}, 0, 0, 0, {}, {}, 0, 0, ChainFact(0, 0, "0" * 64), Findings())
"""The report on empty books: what is in order by itself."""


def booking_day(statement: str) -> date:
    """The day that a named statement books on: each name has one of its own."""
    return date(2026, 1, 1) + timedelta(days=int.from_bytes(statement.encode(), "big") % 10_000)


@dataclass
class World:
    """Books and bank. Times are UTC; the product's day is in Shanghai, eight hours ahead."""

    books: MemoryBooks = field(default_factory=MemoryBooks)
    postings: list[JournalPosting] = field(default_factory=list)
    orders: dict[str, TruthOrder] = field(default_factory=dict)
    movements: list[TruthMovement] = field(default_factory=list)
    notices: list[TruthNotice] = field(default_factory=list)
    statements: list[TruthStatement] = field(default_factory=list)
    entries: int = 0
    commands: int = 0

    def to(self, day: date, hour: int = 2, minute: int = 0) -> None:
        """Let time pass to an instant, UTC."""
        self.books.at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)

    def apply(self, command: AnyCommand) -> Change:
        """Apply a command and keep its entries with the instant at which they were posted."""
        known = len(self.books.entries)
        change = self.books.apply(command)
        assert isinstance(change, Change), change
        for entry in self.books.entries[known:]:
            self.entries += 1
            self.postings.extend(
                JournalPosting(
                    *astuple(item),
                    seq=self.entries,
                    event=entry.event,
                    at=self.books.at,
                    posted_on=self.books.at.date(),
                    value_on=entry.value_on,
                    ledger=LEDGER,
                )
                for item in entry.postings
            )
        return change

    def id(self, kind: str) -> str:
        """A new command id."""
        self.commands += 1
        return f"{kind}/{self.commands}"

    def board(self, command: BoardLoan | None = None) -> None:
        """Take a loan on the books."""
        self.apply(command or board())

    def roll(self, day: date, loan_id: str = "L1") -> None:
        """A local day has begun."""
        self.apply(RollDay(id=self.id("roll"), actor=TESTER, loan_id=loan_id, day=day))

    def remind(self, number: int = 1, loan_id: str = "L1") -> str:
        """Send the reminder that is due; the provider takes it a second later."""
        view = self.books.view(number, loan_id)
        assert view.next_action is not None
        assert view.next_action.kind is ActionKind.REMIND, view
        command = QueueReminder(
            id=self.id("remind"),
            actor=DRIVER,
            loan_id=loan_id,
            number=number,
            action=view.next_action.key,
        )
        self.apply(command)
        message_id = self.books.item(number, loan_id).notices[-1].message_id
        self.notices.append(TruthNotice(message_id, "sms", self.books.at + SECOND))
        portion = RecordDeliveryReport(
            id=self.id("reported"), actor=BANK, message_id=message_id, delivered=True
        )
        self.apply(portion)
        return message_id

    def intend(self, number: int = 1, loan_id: str = "L1") -> Attempt:
        """Intend the debit that is due, and let the bank have the order a second later."""
        view = self.books.view(number, loan_id)
        assert view.next_action is not None
        assert view.next_action.kind is ActionKind.PRESENT, view
        command = IntendDebit(
            id=self.id("intend"),
            actor=DRIVER,
            loan_id=loan_id,
            number=number,
            action=view.next_action.key,
        )
        change = self.apply(command)
        assert isinstance(change.answer, Ordered), change.answer
        order = change.answer.order
        self.orders[order.order_no] = TruthOrder(
            order.rail,
            order.order_no,
            order.merchant_id,
            order.mandate_ref,
            order.amount_minor,
            order.currency,
            self.books.at + SECOND,
            1,
            (),
            None,
            "05",
        )
        return self.books.item(number, loan_id).attempts[-1]

    def execute(
        self, attempt: Attempt, minor: int | None = None, *, statement: str | None = "S1"
    ) -> str:
        """The bank takes money for an order and books it; gives its reference."""
        order = self.orders[attempt.order_no]
        amount = order.amount_minor if minor is None else minor
        bank_ref = f"BK-{attempt.order_no}-{len(order.executions) + 1}"
        done = TruthExecution(bank_ref, amount, self.books.at + SECOND, self.books.at.date())
        self.orders[attempt.order_no] = replace(
            order, executions=(*order.executions, done), final_status="SUCCESS", code="00"
        )
        self.move(bank_ref, amount, attempt.order_no, "debit", statement)
        return bank_ref

    def move(
        self, ref: str, minor: int, order_no: str | None, kind: str, statement: str | None
    ) -> None:
        """The bank moves our account; the statement can be fetched at once."""
        number = len(self.movements) + 1
        self.movements.append(
            TruthMovement(
                f"MV{number}",
                ACCOUNT,
                order_no,
                kind,
                minor,
                "CNY",
                self.books.at.date(),
                statement,
                ref,
            )
        )
        if statement is not None and statement not in {item.id for item in self.statements}:
            self.statements.append(
                TruthStatement(statement, ACCOUNT, self.books.at, booking_day(statement))
            )

    def apply_outcome(self, attempt: Attempt, outcome: Outcome) -> None:
        """The books record an order."""
        self.apply(
            RecordOutcome(
                id=self.id("outcome"),
                actor=BANK,
                rail="simbank",
                order_no=attempt.order_no,
                outcome=outcome,
                source="answer",
            )
        )

    def confirm(self, attempt: Attempt, bank_ref: str, minor: int | None = None) -> None:
        """The books record that money was taken."""
        taken = attempt.amount_minor if minor is None else minor
        self.apply_outcome(attempt, Outcome(OutcomeClass.SUCCESS, "00", taken, bank_ref))

    def decline(self, attempt: Attempt, outcome_class: OutcomeClass = OutcomeClass.NSF) -> None:
        """The bank refuses and the books record it."""
        order = self.orders[attempt.order_no]
        self.orders[attempt.order_no] = replace(order, final_status="DECLINED", code="64")
        self.apply_outcome(attempt, Outcome(outcome_class, "64"))

    def line(
        self,
        minor: int,
        order_no: str | None,
        *,
        statement: str = "S1",
        name: str = "1",
        fee: int = 0,
        ref: str | None = None,
        items: tuple[LineItem, ...] = (),
    ) -> str:
        """The books get a line of a statement; its booked amount is less the fee."""
        if order_no is not None:
            items = (LineItem(order_no, None, ref, minor, fee),)
        booked = StatementLine(
            id=f"{ACCOUNT}/{booking_day(statement)}/{name}",
            account=ACCOUNT,
            booked_on=self.books.at.date(),
            value_on=self.books.at.date(),
            amount_minor=minor - fee,
            currency="CNY",
            servicer_ref=ref,
            items=items,
        )
        self.apply(
            BookLine(id=f"line/{booked.id}", actor=TESTER, statement_id=statement, line=booked)
        )
        return booked.id

    def returned(self, attempt: Attempt, bank_ref: str, minor: int) -> None:
        """The rail reports that a debit was taken back."""
        self.apply(
            RecordReturn(
                id=self.id("return"),
                actor=BANK,
                rail="simbank",
                order_no=attempt.order_no,
                bank_ref=bank_ref,
                amount_minor=minor,
                outcome_class=OutcomeClass.NSF,
                code="64",
                returned_on=self.books.at.date(),
            )
        )

    def facts(self) -> BooksFacts:
        """What a comparison reads of the books."""
        return BooksFacts(
            self.books.at,
            tuple(self.books.loans.values()),
            tuple(self.postings),
            tuple(self.books.cases.values()),
        )

    def truth(self) -> TruthFacts:
        """What a comparison reads of the bank."""
        return TruthFacts(
            tuple(self.orders.values()),
            tuple(self.movements),
            tuple(self.notices),
            tuple(self.statements),
        )

    def compared(self) -> AuditReport:
        """What the comparison adds to a report on books that are in order by themselves."""
        return compare(IN_ORDER, self.facts(), self.truth())

    def put(self, loan: Loan) -> None:
        """Change a loan behind the books' back."""
        self.books.loans[loan.id] = loan


def paid_and_closed() -> World:
    """One installment from reminder to closure; the two others are still to come."""
    world = World()
    world.board()
    world.to(date(2026, 3, 7), 2)
    world.remind()
    world.to(date(2026, 3, 10), 1, 30)
    world.roll(date(2026, 3, 10))
    attempt = world.intend()
    world.confirm(attempt, world.execute(attempt))
    world.to(date(2026, 3, 11), 1)
    world.line(attempt.amount_minor, attempt.order_no)
    world.to(date(2026, 3, 16), 1)
    world.roll(date(2026, 3, 16))
    return world
