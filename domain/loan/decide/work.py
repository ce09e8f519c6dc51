"""One decision being worked out: the aggregates as they become, and everything to be written.

`Work` is the only mutable thing in the domain and lives for one call of `decide`. Families of
commands change it through a few verbs. `finish` ends every command in the same way: loans come to
rest (`close_out`), cash is held by whom it belongs to, and gates are looked at.
"""

from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import date

from domain.calendar import local_day
from domain.case.case import CASE, Case
from domain.case.kinds import CASE_RULES, CaseKind
from domain.errors import InvariantBroken
from domain.kernel.change import Answer, Done, Superseded, Transition
from domain.kernel.command import Command
from domain.kernel.driver import DriverRecord, inform
from domain.kernel.message import Message
from domain.kernel.subject import Subject
from domain.ledger.entry import Entry
from domain.loan import agenda, bookings, casekeys, closure
from domain.loan.aggregate import Installment, LineState, Loan
from domain.loan.change import Aggregates, Change
from domain.loan.decide import standing
from domain.loan.decide.closurework import ClosureWork
from domain.loan.decide.folding import folded
from domain.loan.decide.givingback import book_taken_back
from domain.loan.decide.holding import hold
from domain.loan.decide.payoutwork import MoveRefund, no_refund
from domain.loan.lifecycle import FINAL, TRANSITIONS, Event, State, advance
from domain.loan.payables import Key
from domain.loan.view import InstallmentView, installment
from domain.loan.waiting import free_minor
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.payout.payout import PAYOUT
from domain.pricing.amounts import Amounts

MAY_BE_DEBITED = frozenset({State.SCHEDULED, State.DUE, State.RETRYING})


class Work(ClosureWork):
    """What one command changes, while it is being decided."""

    def __init__(
        self,
        aggregates: Aggregates,
        *,
        close_out: Callable[["Work", str], None],
        command: Command | None = None,
        settle_bars: Callable[["Work"], None] = lambda _: None,
        move_refund: MoveRefund = no_refund,
    ) -> None:
        super().__init__(aggregates, command)
        self._move_refund = move_refund
        self.aggregates = aggregates
        self._close_out, self._settle_bars = close_out, settle_bars
        self.payments: dict[str, Payment] = dict(aggregates.payments)
        self.lines: dict[str, LineState] = dict(aggregates.lines)
        self.orders: dict[str, str] = dict(aggregates.orders)
        """The loan of each order that the command names, or that it was led to by a batch."""
        self._changed_loans: set[str] = set()
        self._changed_payments: set[str] = set()
        self._changed_lines: set[str] = set()
        self._touched: dict[tuple[str, int], None] = {}
        self._opening: set[tuple[str, int]] = set()
        self._portions: dict[tuple[str, str], None] = {}
        self._entries: list[Entry] = []
        self.reallocated: Counter[str] = Counter()
        """How often the money of each loan has been placed anew."""

    def trial(self) -> "Work":
        """A copy to try something on: whatever becomes of it, nothing is written."""
        other = copy(self)
        own = {k: copy(v) for k, v in vars(self).items() if isinstance(v, dict | list | set)}
        vars(other).update(own)
        return other

    # --- reading ---------------------------------------------------------------------------------

    def loan(self, loan_id: str) -> Loan:
        """The loan as it is now in this decision."""
        return self.loans[loan_id]

    def item(self, loan_id: str, number: int) -> Installment:
        """The installment as it is now in this decision."""
        return self.loans[loan_id].installment(number)

    def portion(self, loan_id: str, payment_id: str) -> Portion:
        """The portion of a payment in a loan, as it is now in this decision.

        Raises:
            InvariantBroken: the loan has none.
        """
        portion = self.loans[loan_id].portion(payment_id)
        if portion is None:
            raise InvariantBroken(f"loan {loan_id} has no portion of payment {payment_id}")
        return portion

    def payment(self, payment_id: str) -> Payment:
        """The payment as it is now in this decision.

        Raises:
            InvariantBroken: the command changes a payment that it does not name.
        """
        payment = self.payments.get(payment_id)
        if payment is None:
            raise InvariantBroken(f"payment {payment_id} is not among those that are locked")
        return payment

    def today(self, loan_id: str) -> date:
        """The local day of the loan's product."""
        return local_day(self.at, self.loans[loan_id].product.timezone)

    @property
    def changed_loans(self) -> frozenset[str]:
        """The loans that this command has changed so far."""
        return frozenset(self._changed_loans)

    def touched(self, loan_id: str) -> tuple[int, ...]:
        """Numbers of the installments of a loan that this command has changed or must look at."""
        return tuple(number for name, number in self._touched if name == loan_id)

    # --- changing --------------------------------------------------------------------------------

    def put_loan(self, loan: Loan) -> None:
        """Replace a loan."""
        self.loans[loan.id] = loan
        self._changed_loans.add(loan.id)

    def put(self, loan_id: str, item: Installment) -> None:
        """Replace an installment."""
        loan = self.loans[loan_id]
        items = list(loan.installments)
        items[item.number - 1] = item
        self.put_loan(replace(loan, installments=tuple(items)))
        self._touched[(loan_id, item.number)] = None

    def touch(self, loan_id: str, number: int) -> None:
        """Have the gates of an installment looked at, and its version raised."""
        self._touched[(loan_id, number)] = None
        self._changed_loans.add(loan_id)

    def put_payment(self, payment: Payment) -> None:
        """Add or replace a payment."""
        if self.payments.get(payment.id) != payment:
            self.payments[payment.id] = payment
            self._changed_payments.add(payment.id)

    def put_portion(self, loan_id: str, portion: Portion) -> None:
        """Add a portion, or replace it where it stands: in the order of their coming.

        The sums of its payment follow.
        """
        loan = self.loans[loan_id]
        known = loan.portion(portion.id)
        if known is None or known.sums != portion.sums:
            self.put_payment(self.payment(portion.id).with_portion(loan_id, known, portion))
        portions = {item.id: item for item in loan.portions} | {portion.id: portion}
        self.put_loan(replace(loan, portions=tuple(portions.values())))
        self._portions[(loan_id, portion.id)] = None

    def put_line(self, line: LineState) -> None:
        """Add or replace a bank line."""
        self.lines[line.id] = line
        self._changed_lines.add(line.id)

    def can(self, loan_id: str, number: int, event: Event) -> bool:
        """Whether the table holds the move."""
        return (self.item(loan_id, number).state, event) in TRANSITIONS

    def move(self, loan_id: str, number: int, event: Event, detail: str = "") -> None:
        """Move an installment along the table; leaving a final state raises its generation."""
        item = self.item(loan_id, number)
        target = advance(item.state, event)
        reopened = item.state in FINAL and target not in FINAL
        item = replace(
            item,
            state=target,
            generation=item.generation + (1 if reopened else 0),
            driver=DriverRecord(opened=True) if reopened else item.driver,
            closed_at=self.at if target is State.CLOSED else None,
        )
        before = self.item(loan_id, number)
        self.put(loan_id, item)
        if reopened:
            self._opening.add((loan_id, number))
        self.note(loan_id, number, before.state, target, event, detail)
        for case in standing.after_move(before, item, loan_id, event):
            if isinstance(case, Case):
                self.open_case(case)
            else:
                self.close_case(case)

    def note(
        self,
        loan_id: str,
        number: int,
        source: str,
        target: str,
        event: str,
        detail: str = "",
        order_no: str | None = None,
    ) -> None:
        """Write a transition to the journal."""
        product = self.loans[loan_id].product.ref
        self._transitions.append(
            Transition(
                installment(loan_id, number),
                loan_id,
                source,
                target,
                event,
                product,
                order_no,
                detail,
            )
        )

    def post(self, entry: Entry) -> None:
        """Post an entry and fold it into what the installments owe."""
        self._entries.append(entry)
        for posting in entry.postings:
            if posting.loan and posting.number:
                item = self.item(posting.loan, posting.number)
                if (after := folded(item, posting)) is not item:
                    self.put(posting.loan, after)

    def charge(self, loan_id: str, number: int, amounts: Amounts, event: str, on: date) -> None:
        """Charge (or, negative, reverse a charge of) an installment."""
        if not any(amounts.values()):
            return
        item = self.item(loan_id, number)
        self.post(bookings.charge(self.loan(loan_id), item, amounts, event, on))
        item = self.item(loan_id, number)
        self.put(loan_id, replace(item, charged=item.charged + amounts))

    def finish_case(self, answer: Answer, key: str) -> Change:
        """Finish with the view of a case."""
        return self.finish(answer, subject=Subject(CASE, key) if key else None)

    def finish_payout(self, answer: Answer, key: str) -> Change:
        """Finish with the view of a payout; an empty key names none."""
        return self.finish(answer, subject=Subject(PAYOUT, key) if key else None)

    def _tenant(self, case: Case) -> str:
        loan = self.loans.get(case.loan_id or "")
        return loan.tenant if loan is not None else ""

    def send(self, message: Message) -> None:
        """Put a message in the outbox."""
        self._messages.append(message)

    def open_driver(self, loan_id: str, number: int) -> None:
        """Have the driver of an installment started."""
        item = self.item(loan_id, number)
        self.put(loan_id, replace(item, driver=replace(item.driver, opened=True)))
        self._opening.add((loan_id, number))

    # --- the end ---------------------------------------------------------------------------------

    def finish(
        self, answer: Answer, about: tuple[str, int] | None = None, subject: Subject | None = None
    ) -> Change:
        """Bring loans to rest, look at gates, raise versions, wake drivers; the change.

        The answer has the view of what the command is about: an installment, or another subject.
        """
        self._settle_bars(self)
        if self.aggregates.known_as:
            self.open_case(standing.other_reading(self.aggregates.known_as, about))
        self._end_emptied()
        for loan_id in sorted(self._changed_loans):
            self._close_out(self, loan_id)
            self._touch_moved_actions(loan_id)
        if about is not None and self._from_driver:
            self._notify_driver(*about)
        lowers: list[Key] = []
        for loan_id, payment_id in list(self._portions):
            hold(self, loan_id, payment_id)
            lowers.extend(book_taken_back(self, loan_id, payment_id))
        for loan_id, number in list(self._touched):
            self._pass_gates(loan_id, number)
        self.follow_closures(frozenset(self._changed_loans))
        for loan_id, number in list(self._touched):
            self._report(loan_id, number, is_subject=about == (loan_id, number))
        subject = installment(*about) if about is not None else subject
        self._report_closures(subject)
        for loan in [self.loans[name] for name in self._changed_loans]:
            self.loans[loan.id] = replace(loan, version=loan.version + 1)
        return Change(
            answer=answer,
            payouts=self._report_payouts(subject),
            mandate_roots=self._report_mandates(),
            loans={loan_id: self.loans[loan_id] for loan_id in sorted(self._changed_loans)},
            payments={key: self.payments[key] for key in sorted(self._changed_payments)},
            lines={line_id: self.lines[line_id] for line_id in sorted(self._changed_lines)},
            transitions=tuple(self._transitions),
            entries=tuple(self._entries),
            cases={key: self._report_case(key, subject) for key in self._changed_cases},
            items=tuple(self._items[name] for name in self._changed_items),
            messages=tuple(self._messages),
            letters=dict(self._letters),
            lowers=tuple(dict.fromkeys((*self.asked_items, *lowers))),
            keeps=tuple(self._keeps),
            releases=tuple(self._releases),
            subject=subject,
        )

    def done(self, loan_id: str, number: int, note: str = "") -> Change:
        """Finish with the plain answer and the view of one installment."""
        return self.finish(Done(note=note), (loan_id, number))

    def superseded(self, loan_id: str, number: int) -> Change:
        """Finish a moot action: the answer's view says what is to be done instead."""
        return self.finish(Superseded(), (loan_id, number))

    def _concern(self, case: Case) -> None:
        """A case changes what its installment shows, and may open or shut its gates.

        One that names only a loan concerns the installments whose gates it keeps shut.
        """
        loan = self.loans.get(case.loan_id or "")
        if loan is not None and case.number is not None:
            self.touch(loan.id, case.number)
            item = self.item(loan.id, case.number)
            if case.kind is CaseKind.NEEDS_OPERATOR and not case.is_open and item.needs_operator:
                self.put(loan.id, replace(item, needs_operator=""))
        elif loan is not None and CASE_RULES[case.kind].blocks_closing:
            for item in loan.installments:
                if item.fell_due and item.state not in FINAL:
                    self.touch(loan.id, item.number)

    def _touch_moved_actions(self, loan_id: str) -> None:
        """Free money changes what is to be debited of installments that no command names."""
        before, now = self.aggregates.loans.get(loan_id), self.loan(loan_id)
        if before is None or not free_minor(before) + free_minor(now):
            return
        for item in now.installments:
            if item.driver.opened and item.state in MAY_BE_DEBITED:
                was = before.installment(item.number)
                known = agenda.next_action(before, was, self.rules, self.at, self.aggregates.cases)
                if agenda.next_action(now, item, self.rules, self.at, self.cases) != known:
                    self.touch(loan_id, item.number)

    def _pass_gates(self, loan_id: str, number: int) -> None:
        loan, item = self.loan(loan_id), self.item(loan_id, number)
        if item.state is State.SETTLED and closure.unproven(loan, item):
            self.move(loan_id, number, Event.PAYMENT_UNPROVEN)
            item = self.item(loan_id, number)
        clears = item.state is State.CLEARING and not item.owed.total
        is_late = casekeys.unsettled(loan_id, number) in self.cases
        if (clears or is_late) and not closure.unproven(loan, item):
            if clears:
                self.move(loan_id, number, Event.PAYMENTS_SETTLED)
            self.close_case(casekeys.unsettled(loan_id, number))
            self.close_case(casekeys.operator(loan_id, number))
        if self.item(loan_id, number).state is State.SETTLED:
            lacks = self._missing(loan_id, number)
            if not any(lack.gate is closure.Gate.RELEASE for lack in lacks):
                self.move(loan_id, number, Event.RELEASE_PROVEN)
        released = self.item(loan_id, number).state is State.RELEASED
        if released and not self._missing(loan_id, number):
            self.move(loan_id, number, Event.EVIDENCE_COMPLETE)

    def _missing(self, loan_id: str, number: int) -> tuple[closure.Missing, ...]:
        loan, item = self.loan(loan_id), self.item(loan_id, number)
        return closure.missing(loan, item, self.cases, self.rules, self.at)

    def view(self, loan_id: str, number: int) -> InstallmentView:
        """The view of an installment as it is now in this decision."""
        return agenda.view_of(self.loan(loan_id), number, self.rules, self.at, self.cases)

    def _notify_driver(self, loan_id: str, number: int) -> None:
        """The answer gives the driver the current view, also where nothing else has changed.

        What it knows already does not move the installment: its version stays, so that an action
        asked for without progress is seen as such.
        """
        item = self.item(loan_id, number)
        if item.driver.opened and self.view(loan_id, number).mark != item.driver.mark:
            self.touch(loan_id, number)

    def _report(self, loan_id: str, number: int, *, is_subject: bool) -> None:
        """Raise the version, and notify the driver where the news asks something of it."""
        item = self.item(loan_id, number)
        item = replace(item, version=item.version + 1)
        self.put(loan_id, item)
        if not item.driver.opened:
            return
        view = self.view(loan_id, number)
        opening = (loan_id, number) in self._opening
        answered = self._from_driver and is_subject
        driver, message = inform(item.driver, view, answered=answered, opening=opening)
        self.put(loan_id, replace(item, driver=driver))
        if message is not None:
            self._messages.append(message)
