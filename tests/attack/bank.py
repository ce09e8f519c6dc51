"""A bank and its rail as they truly are: what was executed, returned and booked, and its news.

The bank keeps its own truth. News of it (reports, answers, lines) waits in `pending` until a
history delivers it: in any order, twice, or never where it is a report that can be asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from domain.calendar import local_day
from domain.debit.attempt import DebitOrder
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass
from domain.statement.statement import LineItem, StatementLine
from tests.attack.setup import CURRENCY, FUNDER_ACCOUNT, Setup
from tests.attack.truth import (
    BACK,
    DRIVER,
    RAIL,
    REASONS,
    TAKEN,
    TRANSFER,
    Execution,
    Fact,
    Named,
    News,
    Return,
    Transfer,
    morning,
    span_of,
)
from tests.support.doors import BookLine, RecordOutcome, RecordReturn
from tests.support.memory import SHANGHAI


@dataclass(slots=True)
class Bank:
    """The truth, and the news that waits."""

    setup: Setup = field(default_factory=Setup)
    executions: list[Execution] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    lines: dict[str, StatementLine] = field(default_factory=dict)
    truths: dict[str, tuple[Named, ...]] = field(default_factory=dict)
    strays: dict[str, int] = field(default_factory=dict)
    """What of a line is truly nobody's."""
    orders: dict[str, DebitOrder] = field(default_factory=dict)
    says: dict[str, Outcome] = field(default_factory=dict)
    """What an inquiry about an order is answered, where nothing was executed for it."""
    pending: list[News] = field(default_factory=list)
    delivered: list[News] = field(default_factory=list)
    batch: list[int] = field(default_factory=list)
    batches: int = 1
    disagrees: bool = False
    """Two reports of one booking disagree: what was closed before the second came stays closed."""
    booked: list[str] = field(default_factory=list)
    """Lines whose news was delivered."""
    count: int = 0

    def name(self, letter: str) -> str:
        """A name that nothing else has."""
        self.count += 1
        return f"{self.setup.name}{letter}{self.count}"

    @property
    def batch_ref(self) -> str:
        """The name of the batch that is open now."""
        return f"{self.setup.name}BATCH{self.batches}"

    # --- debits ----------------------------------------------------------------------------------

    def execute(self, order: DebitOrder, minor: int, at: datetime) -> int:
        """Take money for an order; the place of the execution."""
        day = local_day(at, SHANGHAI)
        on = max(day, order.value_on)
        self.executions.append(
            Execution(order.order_no, order.loan_id, order.number, self.name("B"), minor, on)
        )
        return len(self.executions) - 1

    def success(
        self, index: int, source: str, reported: int | None = None, batch: str | None = None
    ) -> News:
        """News that an execution took place; `reported` is what the rail says was taken."""
        done = self.executions[index]
        minor = done.minor if reported is None else reported
        whole = self.orders[done.order_no].amount_minor
        outcome_class = OutcomeClass.SUCCESS if minor >= whole else OutcomeClass.PARTIAL
        outcome = Outcome(outcome_class, "00", minor, done.ref, batch, done.on)
        return News(
            self.outcome(done.order_no, outcome, source),
            (Fact(TAKEN, index, minor),),
            morning(done.on),
            is_final=True,
        )

    def outcome(
        self, order_no: str, outcome: Outcome, source: str, asked_at: datetime | None = None
    ) -> RecordOutcome:
        """The command that records an outcome."""
        return RecordOutcome(
            id=self.name("o"),
            actor=DRIVER if source in {"answer", "inquiry"} else RAIL,
            reason="said by the rail",
            rail="simbank",
            order_no=order_no,
            outcome=outcome,
            source=source,
            asked_at=asked_at,
        )

    def inquire(self, order_no: str, at: datetime) -> News:
        """What the rail answers to an inquiry now."""
        found = [i for i, done in enumerate(self.executions) if done.order_no == order_no]
        if found and order_no not in self.says:
            news = self.success(found[0], "inquiry")
            done = self.executions[found[0]]
            if morning(done.on) <= at:
                return news
        outcome = self.says.get(order_no, Outcome(OutcomeClass.PENDING, "P"))
        return News(self.outcome(order_no, outcome, "inquiry", at), (), at)

    def no_answer(self, order_no: str) -> RecordOutcome:
        """The request may have left, and nothing came back."""
        return self.outcome(order_no, NO_ANSWER, "answer")

    # --- lines -----------------------------------------------------------------------------------

    def line(
        self,
        items: tuple[LineItem, ...],
        truth: tuple[Named, ...],
        facts: tuple[Fact, ...],
        on: date,
        **more: object,
    ) -> News:
        """A booked line, as the statement of its day brings it the next morning."""
        account = str(more.pop("account", FUNDER_ACCOUNT))
        charges = int(str(more.get("charges_minor", 0)))
        minor = int(str(more.pop("minor", sum(i.booked_minor for i in items) - charges)))
        line = StatementLine(
            id=f"{account}/S-{on}/{self.name('e')}",
            account=account,
            booked_on=on,
            value_on=on,
            amount_minor=minor,
            currency=str(more.pop("currency", CURRENCY)),
            servicer_ref=None,
            items=items,
            **more,  # type: ignore[arg-type]
        )
        self.lines[line.id] = line
        self.truths[line.id] = truth
        command = BookLine(
            id=self.name("l"),
            actor=RAIL,
            reason="booked by the bank",
            statement_id=f"S-{on}",
            line=line,
        )
        return News(command, facts, morning(on + timedelta(days=1)))

    def credit(self, index: int, fee: int = 0, **more: object) -> News:
        """The line of one execution."""
        done = self.executions[index]
        item = LineItem(done.order_no, None, done.ref, done.minor, fee)
        truth = (Named(done.loan, done.number, done.order_no, "", done.minor, fee, done.ref),)
        return self.line((item,), truth, (Fact(TAKEN, index, done.minor),), done.on, **more)

    def close_batch(self) -> Iterator[News]:
        """One line without items for all executions that wait for their batch."""
        if not self.batch:
            return
        done = [self.executions[i] for i in self.batch]
        on = max(one.on for one in done)
        truth = tuple(
            Named(one.loan, one.number, one.order_no, "", one.minor, booking=one.ref)
            for one in done
        )
        facts = tuple(Fact(TAKEN, i, self.executions[i].minor) for i in self.batch)
        total = sum(one.minor for one in done)
        yield self.line(
            (), truth, facts, on, minor=total, batch_ref=self.batch_ref, batch_count=len(done)
        )
        self.batch.clear()
        self.batches += 1

    # --- returns ---------------------------------------------------------------------------------

    def give_back(self, index: int, minor: int, on: date) -> int:
        """Give money of an execution back; the place of the return."""
        self.returns.append(Return(index, self.executions[index].ref, minor, on))
        return len(self.returns) - 1

    def left_of(self, index: int) -> int:
        """What of an execution was not given back."""
        gone = sum(back.minor for back in self.returns if back.execution == index)
        return self.executions[index].minor - gone

    def report_of_return(self, index: int, ref: str | None, code: str) -> News:
        """The rail's report of a return, under the booking reference that it gives."""
        back = self.returns[index]
        done = self.executions[back.execution]
        command = RecordReturn(
            id=self.name("r"),
            actor=RAIL,
            reason="reported by the rail",
            rail="simbank",
            order_no=done.order_no,
            bank_ref=ref,
            amount_minor=back.minor,
            outcome_class=REASONS[code],
            code=code,
            returned_on=back.on,
        )
        return News(command, self._facts_of_return(index), morning(back.on))

    def line_of_return(self, index: int, ref: str, fee: str, code: str) -> News:
        """The debit line of a return: named by order, by mandate or not at all; fee 3.00."""
        back = self.returns[index]
        done = self.executions[back.execution]
        apart = 300 if fee == "apart" else 0
        inside = 300 if fee == "inside" else 0
        item = LineItem(
            done.order_no if ref == "order" else None,
            self.setup.mandate_ref if ref != "none" else None,
            done.ref if ref == "order" else None,
            -back.minor - inside,
            apart,
            code,
        )
        fees, booking = apart + inside, done.ref if ref == "order" else None
        truth = (Named(done.loan, done.number, done.order_no, "", -back.minor, fees, booking),)
        facts = self._facts_of_return(index) if ref == "order" and not inside else ()
        return self.line((item,), truth, facts, back.on)

    def _facts_of_return(self, index: int) -> tuple[Fact, ...]:
        return (Fact(BACK, index, self.returns[index].minor),)

    # --- what was delivered ----------------------------------------------------------------------

    def deliver(self, news: News) -> None:
        """Keep what delivered news has reported."""
        is_line = isinstance(news.command, BookLine)
        for fact in news.facts:
            if fact.kind == TRANSFER:
                sent = self.transfers[fact.index]
                sent.reported_minor = max(sent.reported_minor, fact.minor)
                sent.is_recorded |= not is_line
                continue
            one = (self.executions if fact.kind == TAKEN else self.returns)[fact.index]
            if is_line:
                one.booked_minor = max(one.booked_minor, fact.minor)
            else:
                one.reported_minor = max(one.reported_minor, fact.minor)
        if isinstance(news.command, BookLine) and news.command.line.id not in self.booked:
            self.booked.append(news.command.line.id)

    def reported_of(self, order_no: str) -> tuple[range, range]:
        """What delivered news may mean: least and most that was taken for an order, and given back.

        A line and a report that name no common booking may be about one execution or about two. A
        return says that its execution took place, not how much was taken. A return of
        which only a line came that does not name the order may be of it or of another.
        """
        mine = {i: one for i, one in enumerate(self.executions) if one.order_no == order_no}
        backs = [back for back in self.returns if back.execution in mine]
        hints = -sum(
            truth.minor
            for line_id in self.booked
            for truth in self.truths[line_id]
            if truth.minor < 0 and truth.order_no == order_no
        )
        taken, gone = span_of(list(mine.values())), span_of(backs)
        reported = {b.execution for b in backs if b.reported_minor or b.booked_minor}
        most = sum(
            one.minor if i in reported else max(one.reported_minor, one.booked_minor)
            for i, one in mine.items()
        )
        back = range(gone.start, max(gone.stop, hints + 1))
        return range(max(taken.start, gone.start), most + 1), back

    def net_of(self, order_no: str) -> int:
        """What the bank truly has of an order."""
        mine = [i for i, done in enumerate(self.executions) if done.order_no == order_no]
        return sum(self.left_of(index) for index in mine)
