"""The closures of loans in one decision: begun, moved, revoked, their drivers notified."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace

from domain.errors import InvariantBroken
from domain.kernel.change import Answer, Transition
from domain.kernel.command import Command
from domain.kernel.driver import DriverRecord, inform
from domain.kernel.subject import Subject
from domain.loan import closing, closingnotice
from domain.loan.aggregate import Installment, Loan, NoticeState
from domain.loan.change import Aggregates, Change
from domain.loan.decide.payoutwork import PayoutWork
from domain.loanclosure import agenda, casekeys
from domain.loanclosure.agenda import ClosureFacts
from domain.loanclosure.closure import Leg, LoanClosure, in_words
from domain.loanclosure.course import begun, taken_back
from domain.loanclosure.lifecycle import ClosureEvent, ClosureState, advance
from domain.loanclosure.rules import ClosingRules

_E, _S = ClosureEvent, ClosureState


class ClosureWork(PayoutWork):
    """The part of a decision that is about the closures of loans. Each lies in its loan."""

    def __init__(self, aggregates: Aggregates, command: Command | None = None) -> None:
        super().__init__(aggregates, command)
        self.loans: dict[str, Loan] = dict(aggregates.loans)
        self._before: dict[str, Loan] = dict(aggregates.loans)
        self._changed_closures: dict[str, None] = {}
        self._opening_closures: set[str] = set()

    @abstractmethod
    def put_loan(self, loan: Loan) -> None:
        """Replace a loan."""

    @abstractmethod
    def put(self, loan_id: str, item: Installment) -> None:
        """Replace an installment."""

    @abstractmethod
    def note(
        self, loan_id: str, number: int, source: str, target: str, event: str, detail: str = ""
    ) -> None:
        """Write a transition of an installment to the journal."""

    @abstractmethod
    def finish(
        self, answer: Answer, about: tuple[str, int] | None = None, subject: Subject | None = None
    ) -> Change:
        """End the decision."""

    def closure(self, loan_id: str) -> LoanClosure | None:
        """The closure of a loan as it is now in this decision."""
        loan = self.loans.get(loan_id)
        return None if loan is None else loan.closing

    def closure_facts(self, loan_id: str) -> ClosureFacts:
        """What the agenda of a closure looks up."""
        loan = self.loans[loan_id]
        return closing.facts_of(loan, self._closing_rules(loan), self.cases)

    def _closing_rules(self, loan: Loan) -> ClosingRules:
        if loan.product.closing is None:
            raise InvariantBroken(f"the product of loan {loan.id} does not say how it is closed")
        return loan.product.closing

    def put_closure(self, closure: LoanClosure) -> None:
        """Replace a closure without a move."""
        self.put_loan(replace(self.loans[closure.loan_id], closing=closure))
        self._changed_closures[closure.loan_id] = None

    def move_closure(self, closure: LoanClosure, event: ClosureEvent, detail: str = "") -> None:
        """Move a closure along the table and write the move; a final one is opened again."""
        known = self.closure(closure.loan_id)
        state = closure.state if known is None else advance(known.state, event)
        moved = state if known is None or state is not known.state else None
        now = replace(closure, state=state, since=self.at if moved else closure.since)
        was_final = known is not None and agenda.is_final(known)
        if was_final and not agenda.is_final(now):
            driver = DriverRecord(opened=True)
            now = replace(now, generation=now.generation + 1, driver=driver, closed_at=None)
        if known is None or was_final:
            self._opening_closures.add(closure.loan_id)
        self.put_closure(now)
        loan, source = self.loans[closure.loan_id], "" if known is None else known.state.value
        self._transitions.append(
            Transition(now.subject, loan.id, source, state.value, event, loan.product.ref, None,
                       detail)
        )  # fmt: skip

    def tell_borrower(self, closure: LoanClosure, leg: Leg, channel: str) -> None:
        """Queue the message of a leg to the borrower; its record lies with the last installment."""
        loan = self.loans[closure.loan_id]
        notice, message = closingnotice.queued(loan, closure, leg, channel, self.at)
        item, detail = loan.installments[-1], f"{channel} {notice.message_id}"
        self.put(loan.id, replace(item, notices=(*item.notices, notice)))
        event = closingnotice.CLOSING_QUEUED
        self.note(loan.id, item.number, "", NoticeState.QUEUED, event, detail)
        self._messages.append(message)

    def finish_closure(self, answer: Answer, loan_id: str) -> Change:
        """Finish with the view of a closure; an empty id names none."""
        closure = self.closure(loan_id) if loan_id else None
        return self.finish(answer, subject=None if closure is None else closure.subject)

    # --- what follows from a command -------------------------------------------------------------

    def follow_closures(self, changed: frozenset[str]) -> None:
        """Begin, complete or revoke the closures of loans, whatever the command did to them.

        A loan is looked at where it has changed, or a case about it has.
        """
        about = {case.loan_id for key in self._changed_cases if (case := self.case(key))}
        for loan_id in sorted(changed | {name for name in about if name in self.loans}):
            if self.loans[loan_id].product.closing is not None:
                self._follow(loan_id)

    def _follow(self, loan_id: str) -> None:
        loan, known = self.loans[loan_id], self.closure(loan_id)
        settled = closing.is_settled(loan)
        if known is None:
            before = self._before.get(loan_id)
            if settled and before is not None and not closing.is_settled(before):
                self._begin(loan, None)
        elif known.state not in {_S.REVOKING, _S.REVOKED} and not settled:
            self._revoke(loan, known)
        for _ in range(3):  # what is taken back at once may begin anew, and end, in the same commit
            self._go_on(loan_id)

    def _begin(self, loan: Loan, known: LoanClosure | None) -> None:
        rules, on = self._closing_rules(loan), closing.value_on(loan)
        legs = begun(rules, on, self.at)
        detail = f"value date {on}; {in_words(legs)}"
        if known is None:
            new = LoanClosure(loan.id, on, self.at, legs)
            self.move_closure(new, _E.STARTED, detail)
        else:
            again = replace(known, value_on=on, legs=legs, sealed_by="", needs_operator="")
            self.move_closure(again, _E.RESTARTED, detail)

    def _revoke(self, loan: Loan, known: LoanClosure) -> None:
        legs, certificates = taken_back(known, self._closing_rules(loan), self.at)
        now = replace(
            known,
            legs=legs,
            certificates=certificates,
            revoked=known.revoked + 1,
            held="",
            needs_operator="",
        )
        self._end_cases_of_legs(known)
        self.move_closure(now, _E.REVOKED, in_words(legs) or "nobody was told")

    def _end_cases_of_legs(self, known: LoanClosure) -> None:
        for key in list(_keys_of_legs(known)):
            self.close_case(key, "the loan is open again")

    def _go_on(self, loan_id: str) -> None:
        """Complete what lacks nothing; begin anew what was revoked and is settled again."""
        loan, known = self.loans[loan_id], self.closure(loan_id)
        if known is None or known.undone:
            return
        match known.state:
            case _S.RUNNING if not [*closing.lacks(loan, self.cases)]:
                seals = self._closing_rules(loan).seals
                event = _E.COMPLETED if seals else _E.COMPLETED_UNSEALED
                done = replace(known, closed_at=self.at, needs_operator="")
                self.move_closure(done, event, in_words(known.legs))
            case _S.REVOKING:
                self.move_closure(known, _E.CONSEQUENCES_DONE, in_words(known.legs))
            case _S.REVOKED if closing.is_settled(loan):
                self._begin(loan, known)
            case _:
                return

    def _report_closures(self, subject: Subject | None) -> None:
        """Raise the versions of the closures that were changed, and notify their drivers."""
        changed = [one for name in self._changed_closures if (one := self.closure(name))]
        for known in changed:
            loan_id, closure = known.loan_id, replace(known, version=known.version + 1)
            opening, driver = loan_id in self._opening_closures, closure.driver
            if not (opening and agenda.is_final(closure)):  # what ends at once needs no driver
                view = agenda.view_of(closure, self.closure_facts(loan_id), self.at)
                answered = self._from_driver and subject == closure.subject
                driver, message = inform(driver, view, answered=answered, opening=opening)
                self._messages.extend([message] if message is not None else [])
            after = replace(closure, driver=driver)
            self.put_loan(replace(self.loans[loan_id], closing=after))


def _keys_of_legs(known: LoanClosure) -> Iterator[str]:
    for leg in known.legs:
        yield casekeys.overdue(known.loan_id, leg.kind)
        yield casekeys.rejected(known.loan_id, leg.kind)
