"""Judges books by their postings, their cases and the news of the bank: never by their aggregates.

`Oracle.after` holds after every command; `domain` values are read only to be compared with sums of
postings. Every broken rule is a `Finding` whose name begins with what it is about.
"""

from domain.calendar import local_day
from domain.case.codes import CASE_CODES
from domain.debit.outcome import OutcomeStatus
from domain.loan.change import Change, Ordered
from domain.loan.lifecycle import State
from domain.loan.view import installment_of
from tests.attack.findings import Finding
from tests.attack.rest import BLOCKS_RELEASE, Rest, Sent
from tests.support.doors import (
    AnyCommand,
    BookLine,
    ChangeDate,
    RecordOutcome,
    RecordReturn,
    RecordUnsent,
    UndoMatch,
)
from tests.support.memory import RAIL, SHANGHAI


class Oracle(Rest):
    """Follows one history: its news, orders and gates."""

    def after(self, command: AnyCommand, change: Change) -> None:
        """Everything that must hold after a command."""
        self.tally.fold(self.books.entries[self.read :])
        self.read = len(self.books.entries)
        self._notice(command)
        for loan_id in change.loans:
            self.check_loan(loan_id)
        for line_id in change.lines:
            self.check_line(line_id)
        for case in change.cases.values():
            codes = CASE_CODES[case.kind]
            if not case.links or (codes.other is None and case.code not in codes.words):
                raise Finding("case.code", f"{case.key}: {case.code!r}, {case.links}")
        if command.evidence:
            for order_no, sent in self.sent.items():
                self.check_reported(order_no, sent)
        if isinstance(change.answer, Ordered):
            self._check_order(change)
        for move in change.transitions:
            if move.order_no is None and move.target in {"RELEASED", "CLOSED"}:
                self._check_gate(*installment_of(move.subject))
            if move.order_no is not None and move.target == "RECALLED":
                self._check_recall(move.order_no)
            if move.order_no is not None and move.target == "NOT_EXECUTED":
                self._check_not_executed(move.order_no)

    # --- what was reported -----------------------------------------------------------------------

    def _notice(self, command: AnyCommand) -> None:
        match command:
            case RecordOutcome(order_no=order_no, outcome=outcome):
                sent = self.sent.get(order_no)
                if sent is None:
                    return
                if outcome.status is OutcomeStatus.CONFIRMED and outcome.executed_minor <= 0:
                    return  # nobody believes it
                if outcome.status in {OutcomeStatus.CONFIRMED, OutcomeStatus.DECLINED}:
                    sent.is_over = True
                elif outcome.status is OutcomeStatus.PENDING:
                    sent.is_acknowledged = True
                elif outcome.status is OutcomeStatus.NOT_FOUND and command.source == "inquiry":
                    opens = self.bank.orders[order_no].send_until + RAIL.query_window
                    sent.not_found |= (command.asked_at or self.books.at) >= opens
            case RecordReturn(order_no=order_no):
                if sent := self.sent.get(order_no):
                    sent.is_over = True
            case BookLine(line=line):
                for truth in self.bank.truths.get(line.id, ()):
                    if sent := self.sent.get(truth.order_no):
                        sent.is_over = True
            case ChangeDate(loan_id=loan, number=number, due_on=due_on):
                known = self.due.get((loan, number), self.first_due(number))
                self.due[(loan, number)] = min(known, due_on)
            case UndoMatch(line=line_id):
                self.undone.add(line_id)
            case RecordUnsent(order_no=order_no):
                if sent := self.sent.get(order_no):
                    sent.never_left = True
            case _:
                pass

    # --- orders ----------------------------------------------------------------------------------

    def _check_order(self, change: Change) -> None:
        assert isinstance(change.answer, Ordered)
        order = change.answer.order
        if order.order_no in self.sent:
            sent = self.sent[order.order_no]
            sent.never_left = False
            if sent.is_over or sent.minor != order.amount_minor:
                raise Finding("order.again", f"{order.order_no} is over, or was for {sent.minor}")
            return
        loan, number = order.loan_id, order.number
        for other, sent in self.sent.items():
            if (sent.loan, sent.number) == (loan, number) and not sent.is_over:
                raise Finding(
                    "order.beside", f"{order.order_no} beside {other}, which may be alive"
                )
        owed = self.tally.total("owed", loan, number)
        if not 0 < order.amount_minor <= owed:
            raise Finding("order.amount", f"{order.order_no}: {order.amount_minor} of {owed}")
        self.sent[order.order_no] = Sent(loan, number, order.amount_minor)
        self._check_flight(loan, order.order_no)
        self._check_open_news(loan, number, order.order_no)

    def _check_flight(self, loan: str, order_no: str) -> None:
        """Debits in flight and waiting money never exceed all that is owed on the loan.

        What fell due on a day that nobody has rolled yet is owed as well.
        """
        flight = sum(s.minor for s in self.sent.values() if s.loan == loan and not s.is_over)
        free = sum(
            self.tally.free(loan, portion)
            for portion in self.tally.of_loan[loan]
            if (loan, portion) not in self.tally.order_of
        )
        owed = self.tally.owed_of_loan(loan)
        for item in self.books.loans[loan].installments:
            if not item.fell_due and item.due_on <= local_day(self.books.at, SHANGHAI):
                owed += item.scheduled.total
        if flight + free > owed:
            text = f"{order_no}: {flight} in flight and {free} waiting, {owed} owed"
            raise Finding("order.flight", text)

    def _check_open_news(self, loan: str, number: int, order_no: str) -> None:
        """No intent while a line or a contradiction about an order of the installment is open."""
        mine = [name for name, s in self.sent.items() if (s.loan, s.number) == (loan, number)]
        for line_id in self.bank.booked:
            items = self.bank.lines[line_id].items
            if self.is_pressing(line_id) and any(item.end_to_end_id in mine for item in items):
                raise Finding("order.open_line", f"{order_no} while line {line_id} is open")
        for case in self.cases(loan, number):
            if case.kind in BLOCKS_RELEASE:
                raise Finding("order.open_case", f"{order_no} while case {case.key} is open")

    def _check_recall(self, order_no: str) -> None:
        sent = self.sent[order_no]
        if not sent.never_left:
            raise Finding("order.recalled", f"{order_no} may have left and is taken as recalled")
        sent.is_over = True

    def _check_not_executed(self, order_no: str) -> None:
        sent = self.sent[order_no]
        if sent.is_acknowledged or not sent.not_found:
            raise Finding("order.not_found", f"{order_no} may have arrived and is abandoned")
        sent.is_over = True

    # --- gates -----------------------------------------------------------------------------------

    def _check_gate(self, loan: str, number: int) -> None:
        """What was released or closed in this change is proven by postings and lines."""
        item, tally = self.books.item(number, loan), self.tally
        where = f"{loan}/{number} {item.state.value}"
        if item.state not in {State.RELEASED, State.CLOSED}:
            return
        if left := tally.total("owed", loan, number) + tally.total("written_off", loan, number):
            raise Finding("gate.owed", f"{where}: {left}")
        for order_no, sent in self.sent.items():
            if (sent.loan, sent.number) == (loan, number) and not sent.is_over:
                raise Finding("gate.live", f"{where}: {order_no} is alive")
        for portion in tally.paying(loan, number):
            key = (loan, portion)
            if tally.legs(loan, portion) != (tally.came[key], tally.back[key]):
                raise Finding("gate.unproven", f"{where}: {portion} is not proven")
        for case in self.cases(loan, number):
            if case.kind in BLOCKS_RELEASE and case.number == number:
                raise Finding("gate.case", f"{where}: {case.key} is open")
        if item.state is State.CLOSED:
            self._check_closed(loan, number, where)

    def _check_closed(self, loan: str, number: int, where: str) -> None:
        mine = {name for name, s in self.sent.items() if (s.loan, s.number) == (loan, number)}
        mine |= {
            sent.reference
            for sent in self.bank.transfers
            if (sent.loan, sent.number) == (loan, number)
            and sent.is_recorded
            # A reference that comes again does not say which of its payments a line is about.
            and all(
                sent.reference != other.reference or sent is other for other in self.bank.transfers
            )
        }
        for line_id in self.bank.booked:
            if self.is_pressing(line_id) and self.left_of(line_id, mine):
                raise Finding("gate.open_line", f"{where}: line {line_id} names it and is open")
        closed = {i.number for i in self.books.loans[loan].installments if i.state is State.CLOSED}
        for party in {k[1] for k in self.tally.parties if k[0] == "payable" and k[2] == loan}:
            due = -sum(
                v
                for k, v in self.tally.parties.items()
                if k[:3] == ("payable", party, loan) and k[3] in closed and k[4] is not None
            )
            held = -sum(
                v for k, v in self.tally.parties.items() if k[:3] == ("held_by", party, loan)
            )
            if due > held:
                raise Finding("gate.payee", f"{where}: {party} is due {due} and holds {held}")
