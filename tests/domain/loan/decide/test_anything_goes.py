"""Anything may happen in any order: evidence is taken, the books stay whole, and work gets done."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.calendar import local_day
from domain.debit.attempt import Attempt
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus
from domain.kernel.change import Refusal
from domain.kernel.view import View
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change, Ordered
from domain.loan.doubts import doubt_about
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT, ActionKind, InstallmentView, installment_of
from domain.pricing.amounts import Component
from domain.statement.statement import LineItem, StatementLine
from tests.support import invariants
from tests.support.doors import (
    AnyCommand,
    BookLine,
    Cancel,
    ChangeDate,
    Charge,
    Hold,
    IntendDebit,
    MatchLine,
    QueueReminder,
    RaiseOperator,
    RecordDeliveryReport,
    RecordOutcome,
    RecordPayment,
    RecordReturn,
    RecordUnsent,
    RenewSend,
    RetryNow,
    Review,
    RollDay,
    UndoMatch,
    Unhold,
    Waive,
    WithdrawPayment,
    WriteOff,
)
from tests.support.memory import PRODUCT, SHANGHAI, TESTER, MemoryBooks, board, schedule
from tests.support.scene import ACCOUNT, DRIVER

MANY = 40
NUMBERS = st.integers(1, 2)
PICK = st.integers(0, 7)
AMOUNTS = st.sampled_from([1, 50, 4000, 6100, 10100, 10150, 20200])
REFS = st.sampled_from([None, "B1", "B2"])
PAIRS = ((10000, 100), (10000, 100))
DONE = {State.CLOSED, State.CANCELLED}
OWED_VISIBLY = {State.DELINQUENT, State.WRITTEN_OFF}


class Anything(RuleBasedStateMachine):
    """Two loans on one mandate-like set-up, every command, every order of news."""

    def __init__(self) -> None:
        super().__init__()
        self.books = MemoryBooks()
        self.count = 0
        self.given: list[AnyCommand] = []
        self.reported: dict[int, InstallmentView] = {}
        self.versions: dict[int, int] = {}

    @initialize(lead=st.sampled_from([0, 1]), attempts=st.integers(1, 4))
    def begin(self, lead: int, attempts: int) -> None:
        """One loan of two installments; the rail may want its orders a banking day ahead."""
        rail = replace(self.books.rules.rails["simbank"], lead_banking_days=lead)
        self.books.rules = replace(self.books.rules, rails={"simbank": rail})
        retry = replace(PRODUCT.retry, attempts_max=attempts)
        product = replace(PRODUCT, retry=retry)
        change = self.books.apply(board(product=product, lines=schedule(PAIRS)))
        assert isinstance(change, Change)
        self._after(change)

    # --- helpers ---------------------------------------------------------------------------------

    def _do(self, command: AnyCommand) -> Change | Refusal:
        change = self.books.apply(command, from_driver=command.actor is DRIVER)
        if command.evidence:
            assert isinstance(change, Change), f"evidence was refused: {command} {change}"
            self.given.append(command)
        if command.actor is DRIVER and isinstance(change, Change) and change.subject:
            number = installment_of(change.subject)[1]
            if self.books.item(number).driver.opened:
                self.reported[number] = self.books.view(number)
        self._after(change)
        return change

    def _give(self, kind: Any, actor: Any = TESTER, **values: Any) -> Change | Refusal:
        self.count += 1
        return self._do(kind(id=f"c{self.count}", actor=actor, reason="a test", **values))

    def _order(self, kind: Any, number: int, **values: Any) -> Change | Refusal:
        return self._give(kind, loan_id="L1", number=number, **values)

    def _after(self, change: Change | Refusal) -> None:
        if isinstance(change, Refusal):
            return
        invariants.check(self.books)
        invariants.check_moves(list(change.transitions))
        invariants.check_gates(self.books, change)
        self._check_wakes(change)

    def _check_wakes(self, change: Change) -> None:
        """The driver's knowledge is never later than the books' own next action."""
        for message in change.messages:
            if message.topic in {"open", "wake"}:
                view = message.payload.view
                assert isinstance(view, View)
                if view.subject.kind != INSTALLMENT:
                    continue  # a case that demands a driver of its own has one too
                self.reported[installment_of(view.subject)[1]] = view
        loan = change.loans.get("L1")
        for item in loan.installments if loan else ():
            known = self.reported.get(item.number)
            assert (known is not None) == item.driver.opened
            if known is None or self.versions.get(item.number) == item.version:
                continue
            self.versions[item.number] = item.version
            view = self.books.view(item.number)
            assert known.generation == view.generation
            assert known.is_final or not view.is_final
            if view.next_action is not None:
                assert known.next_action is not None, view.next_action
                assert known.next_action.not_before <= view.next_action.not_before

    @property
    def attempts(self) -> list[tuple[int, Attempt]]:
        return [(item.number, a) for item, a in self.books.loans["L1"].attempts()]

    def _attempt(self, pick: int) -> tuple[int, Attempt] | None:
        known = self.attempts
        return known[-1 - pick % len(known)] if known else None

    @property
    def today(self) -> date:
        return local_day(self.books.at, SHANGHAI)

    # --- time ------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 3, 9, 24, 80, 400]))
    def let_time_pass(self, hours: int) -> None:
        """The clock goes on, with nobody rolling the days."""
        self.books.at += timedelta(hours=hours)

    @rule(back=st.sampled_from([0, 0, 0, 2, -3]))
    def roll(self, back: int) -> None:
        """A day is rolled: today's, an old one again, or one that has not begun."""
        self._give(RollDay, loan_id="L1", day=self.today - timedelta(days=back))

    # --- the driver ------------------------------------------------------------------------------

    @rule(number=NUMBERS)
    def perform(self, number: int) -> None:
        """The driver performs the next action when it is due, or waits for it up to ten days."""
        self._perform(number)

    def _perform(self, number: int) -> str | None:
        view = self.books.view(number)
        action = view.next_action
        if action is None or action.not_before > self.books.at + timedelta(days=10):
            return None
        self.books.at = max(self.books.at, action.not_before)
        kinds: dict[str, type] = {
            ActionKind.REMIND: QueueReminder,
            ActionKind.PRESENT: IntendDebit,
            ActionKind.REVIEW: Review,
        }
        if action.kind not in kinds:
            return None
        change = self._order_action(kinds[action.kind], number, view, action.key)
        if isinstance(change, Change) and isinstance(change.answer, Ordered):
            return change.answer.order.order_no
        return None

    def _order_action(
        self, kind: Any, number: int, view: InstallmentView, key: str
    ) -> Change | Refusal:
        return self._give(
            kind,
            DRIVER,
            loan_id="L1",
            number=number,
            action=key,
            generation=view.generation,
            seen=view.version,
        )

    @rule(number=NUMBERS, more=st.integers(1, 3))
    def go_on(self, number: int, more: int) -> None:
        """The driver works on for a while."""
        for _ in range(more):
            self._perform(number)

    @rule(number=NUMBERS, outcome_class=st.sampled_from(["NSF", "SUCCESS", "SUCCESS", "NOT_FOUND"]))
    def run(self, number: int, outcome_class: str) -> None:
        """The driver works until an order is out, and the rail answers it by an inquiry."""
        for _ in range(4):
            self._perform(number)
        if live := self.books.item(number).live_attempt:
            self.books.at += timedelta(minutes=40)
            said = Outcome(
                OutcomeClass(outcome_class),
                outcome_class,
                live.amount_minor if outcome_class == "SUCCESS" else 0,
            )
            order_no = live.order_no
            self._give(
                RecordOutcome, rail="simbank", order_no=order_no, outcome=said, source="inquiry"
            )

    @rule(number=NUMBERS, key=st.sampled_from(["present/1", "remind/0/0", "review/x"]))
    def perform_out_of_turn(self, number: int, key: str) -> None:
        """A driver with an old view asks for what may be moot."""
        view = self.books.view(number)
        kind = {"p": IntendDebit, "r": QueueReminder}[key[0]] if key[2] != "v" else Review
        self._order_action(kind, number, view, key)

    @rule(pick=PICK, sends=st.integers(0, 3))
    def unsent(self, pick: int, sends: int) -> None:
        """A sender says that its send never left."""
        if found := self._attempt(pick):
            self._give(RecordUnsent, DRIVER, order_no=found[1].order_no, sends=sends)

    @rule(pick=PICK)
    def renew(self, pick: int) -> None:
        """A sender wants the lease of an order again."""
        if found := self._attempt(pick):
            self._order(RenewSend, found[0], order_no=found[1].order_no)

    @rule(delivered=st.booleans(), pick=PICK)
    def notice(self, delivered: bool, pick: int) -> None:
        """A provider says what became of a message."""
        sent = [n for i in self.books.loans["L1"].installments for n in i.notices]
        name = sent[pick % len(sent)].message_id if sent else "nobody"
        self._give(RecordDeliveryReport, message_id=name, delivered=delivered)

    # --- news of money ---------------------------------------------------------------------------

    @rule(
        pick=PICK,
        outcome_class=st.sampled_from(sorted(OutcomeClass)),
        minor=AMOUNTS,
        ref=REFS,
        source=st.sampled_from(["answer", "webhook", "inquiry"]),
        batch=st.sampled_from([None, "batch-1"]),
        late=st.sampled_from([0, 0, 1, 3]),
    )
    def outcome(
        self,
        pick: int,
        outcome_class: OutcomeClass,
        minor: int,
        ref: str | None,
        source: str,
        batch: str | None,
        late: int,
    ) -> None:
        """The rail says anything of any order, at any time."""
        found = self._attempt(pick)
        order_no = found[1].order_no if found else "nobody"
        on = found[1].value_on + timedelta(days=late) if found else None
        said = Outcome(
            outcome_class,
            outcome_class.value,
            minor if outcome_class is OutcomeClass.PARTIAL else 0,
            ref,
            batch,
            on,
        )
        self._give(RecordOutcome, rail="simbank", order_no=order_no, outcome=said, source=source)

    @rule(pick=PICK)
    def success(self, pick: int) -> None:
        """Plain success, so that much gets paid."""
        if found := self._attempt(pick):
            said = Outcome(OutcomeClass.SUCCESS, "00", found[1].amount_minor, "B1")
            order_no = found[1].order_no
            self._give(
                RecordOutcome, rail="simbank", order_no=order_no, outcome=said, source="webhook"
            )

    @rule(pick=PICK, whole=st.booleans(), minor=AMOUNTS, ref=REFS, hard=st.booleans())
    def returned(self, pick: int, whole: bool, minor: int, ref: str | None, hard: bool) -> None:
        """The rail reports a return."""
        if found := self._attempt(pick):
            self._give(
                RecordReturn,
                rail="simbank",
                order_no=found[1].order_no,
                bank_ref=ref,
                amount_minor=found[1].amount_minor if whole else minor,
                outcome_class=OutcomeClass.LATE_RETURN if hard else OutcomeClass.NSF,
                code="AC06" if hard else "AM04",
                returned_on=self.today,
            )

    @rule(pick=PICK, whole=st.booleans(), minor=AMOUNTS, fee=st.sampled_from([0, 300]), tx=REFS)
    def credit(self, pick: int, whole: bool, minor: int, fee: int, tx: str | None) -> None:
        """A booked credit line."""
        found = self._attempt(pick)
        order_no = found[1].order_no if found else None
        amount = found[1].amount_minor if found and whole else minor
        self._line(LineItem(order_no, None, tx, amount, min(fee, amount - 1)))

    @rule(pick=PICK, named=st.booleans(), fee=st.sampled_from([0, 300]), tx=REFS)
    def return_line(self, pick: int, named: bool, fee: int, tx: str | None) -> None:
        """A booked line of a return, named by order or only by mandate."""
        if found := self._attempt(pick):
            ref = found[1].order_no if named else None
            self._line(LineItem(ref, "M-L1", tx, -found[1].amount_minor, fee, "AM04"))

    @rule(minor=AMOUNTS, count=st.sampled_from([None, 1, 2]))
    def batch_line(self, minor: int, count: int | None) -> None:
        """A batch booked in one amount."""
        self._line(minor=minor, batch_ref="batch-1", batch_count=count)

    def _line(self, *items: LineItem, minor: int | None = None, **more: Any) -> None:
        self.count += 1
        amount = sum(i.booked_minor for i in items) if minor is None else minor
        line = StatementLine(
            f"line-{self.count}",
            ACCOUNT,
            self.today,
            self.today,
            amount,
            "CNY",
            None,
            items=items,
            **more,
        )
        self._give(BookLine, statement_id="S", line=line)

    @rule(pick=PICK)
    def apply_again(self, pick: int) -> None:
        """Evidence that came before comes again under another id: nothing is booked twice."""
        if not self.given:
            return
        command = self.given[-1 - pick % len(self.given)]
        self.count += 1
        again = replace(command, id=f"c{self.count}")
        known = len(self.given)
        change = self._do(again)
        del self.given[known:]
        assert isinstance(change, Change)
        says_money = isinstance(command, BookLine | RecordReturn) or (
            isinstance(command, RecordOutcome) and command.outcome.status is OutcomeStatus.CONFIRMED
        )
        if says_money:
            assert change.entries == (), change.entries

    # --- people ----------------------------------------------------------------------------------

    @rule(number=NUMBERS, minor=AMOUNTS, back=st.sampled_from([0, 1, 5, 40]))
    def pay(self, number: int, minor: int, back: int) -> None:
        """A transfer is reported."""
        self.count += 1
        self._order(
            RecordPayment,
            number,
            reference=f"T{self.count}",
            amount_minor=minor,
            currency="CNY",
            value_on=self.today - timedelta(days=back),
        )

    @rule(pick=PICK, minor=AMOUNTS)
    def transfer_line(self, pick: int, minor: int) -> None:
        """The line of a transfer."""
        refs = [r.id for r in self.books.loans["L1"].portions if r.source == "transfer"]
        if refs:
            self._line(LineItem(refs[pick % len(refs)], None, None, minor))

    @rule(pick=PICK, minor=AMOUNTS, fee=st.sampled_from([0, 300]))
    def early_line(self, pick: int, minor: int, fee: int) -> None:
        """The line of a transfer that nobody has recorded yet."""
        self._line(LineItem(f"T{self.count + 2 + pick}", None, None, minor, min(fee, minor - 1)))

    @rule(number=NUMBERS, pick=PICK, minor=AMOUNTS, known=st.booleans())
    def match_line(self, number: int, pick: int, minor: int, known: bool) -> None:
        """An operator says whose money a line is, and may be wrong."""
        lines = [line for line in self.books.lines.values() if line.open_minor]
        portions = self.books.loans["L1"].portions
        if lines:
            line = lines[pick % len(lines)]
            ref = portions[pick % len(portions)].id if known and portions else f"M{self.count}"
            amount = min(minor, abs(line.open_minor))
            self._order(MatchLine, number, line=line.id, reference=ref, amount_minor=amount)

    @rule(number=NUMBERS, pick=PICK)
    def undo_match(self, number: int, pick: int) -> None:
        """An operator takes a match back, whoever had made it."""
        matched = [line for line in self.books.lines.values() if line.matches]
        if matched:
            line = matched[pick % len(matched)]
            ref = line.matches[pick % len(line.matches)].payment
            change = self._order(UndoMatch, number, line=line.id, reference=ref)
            assert isinstance(change, Change), change

    @rule(number=NUMBERS, pick=PICK)
    def withdraw(self, number: int, pick: int) -> None:
        """A recorded payment was none."""
        portions = self.books.loans["L1"].portions
        if portions:
            self._order(WithdrawPayment, number, reference=portions[pick % len(portions)].id)

    @rule(number=NUMBERS, what=st.sampled_from(sorted(HoldKind)))
    def hold(self, number: int, what: HoldKind) -> None:
        """An operator holds."""
        self._order(Hold, number, what=what)

    @rule(number=NUMBERS)
    def unhold(self, number: int) -> None:
        """An operator lets go."""
        self._order(Unhold, number)

    @rule(
        number=NUMBERS, kind=st.sampled_from([RetryNow, RetryNow, WriteOff, Cancel, RaiseOperator])
    )
    def plain_order(self, number: int, kind: Any) -> None:
        """An order without terms."""
        self._order(kind, number)

    @rule(number=NUMBERS, days=st.integers(0, 30))
    def change_date(self, number: int, days: int) -> None:
        """An operator moves the due date."""
        self._order(ChangeDate, number, due_on=self.today + timedelta(days=days))

    @rule(number=NUMBERS, component=st.sampled_from(sorted(Component)), minor=AMOUNTS)
    def waive(self, number: int, component: Component, minor: int) -> None:
        """An operator waives a part, or all of a component."""
        owed = self.books.item(number).owed.of(component)
        self._order(Waive, number, component=component, amount_minor=min(minor, owed))

    @rule(number=NUMBERS, component=st.sampled_from(sorted(Component)), minor=AMOUNTS)
    def charge(self, number: int, component: Component, minor: int) -> None:
        """An operator charges a fee or a cost, or tries to charge something else."""
        self._order(Charge, number, component=component, amount_minor=minor)

    # --- the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        """When the rail confirms, lines come and days pass, everything ends or says why not."""
        if "L1" not in self.books.loans:
            return
        for _ in range(150):
            self.books.at += timedelta(days=1)
            self.roll(0)
            for number in (1, 2):
                self._drive(number)
            if self._has_ended():
                break
        for item in self.books.loans["L1"].installments:
            assert (
                item.state in DONE
                or item.state in OWED_VISIBLY
                or item.hold is not None
                or item.needs_operator
                or doubt_about(self.books.cases, "L1", item.number)
                or "case" in self.books.view(item.number).missing
            ), (item, self.books.view(item.number))

    def _has_ended(self) -> bool:
        return all(i.state in DONE for i in self.books.loans["L1"].installments)

    def _drive(self, number: int) -> None:
        for _ in range(4):
            self._perform(number)
            live = self.books.item(number).live_attempt
            if live is not None:
                said = Outcome(OutcomeClass.SUCCESS, "00", live.amount_minor, f"X{live.order_no}")
                self._give(
                    RecordOutcome,
                    rail="simbank",
                    order_no=live.order_no,
                    outcome=said,
                    source="inquiry",
                )
        for portion in self.books.loans["L1"].portions:
            ref = portion.order_no or portion.id
            bank_ref = self.books.payments[portion.id].bank_ref
            if portion.unsettled_minor:
                self._line(LineItem(ref, None, bank_ref, portion.unsettled_minor))
            now = self.books.loans["L1"].portion(portion.id)
            assert now is not None
            if back := now.unproven_return_minor:
                self._line(LineItem(ref, "M-L1", bank_ref, -back, 0, "AM04"))


Anything.TestCase.settings = settings(
    max_examples=MANY,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class TestAnythingGoes(Anything.TestCase):  # type: ignore[misc, valid-type]
    """The machine as a test."""
