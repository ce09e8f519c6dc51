"""Cases that open and close by themselves, as the state of an installment changes."""

from collections.abc import Iterator

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.debit.outcome import OutcomeClass
from domain.kernel import canonical
from domain.loan import casekeys
from domain.loan.aggregate import Installment
from domain.loan.lifecycle import Event, State
from domain.loan.retrying import as_failed

_ENDED_FINALLY = frozenset({Event.ATTEMPT_ENDED_FINALLY, Event.PAYMENT_REVERSED_FINALLY})
_RETURNED = frozenset({Event.PAYMENT_REVERSED_RETRYABLE, Event.PAYMENT_REVERSED_FINALLY})
_AT_AN_END = frozenset({State.CLOSED, State.WRITTEN_OFF, State.CANCELLED})
_REMINDER_IS_PAST = frozenset({State.CLEARING, State.CANCELLED})
"""States in which it does not matter any more that no reminder is known to have arrived."""


def after_move(
    before: Installment, item: Installment, loan_id: str, event: Event
) -> Iterator[Case | str]:
    """Cases that a move opens, and keys of those that it ends.

    A refused or ended mandate is a case as long as the installment is delinquent. A debit without
    a known reminder is a case until the installment is paid or cancelled. A payment that comes back
    after the installment has closed is one until it closes again, or nobody asks for it any more.
    """
    last = as_failed(item.attempts[-1]).outcome_class if item.attempts else None
    refused = event in _ENDED_FINALLY and last is OutcomeClass.MANDATE
    if refused or event is Event.MANDATE_ENDED:
        why = "the mandate was refused" if refused else "the mandate does not cover the debit"
        yield Case(
            casekeys.mandate(loan_id, item.number),
            CaseKind.MANDATE,
            f"{why}; a new mandate or another way to pay is needed",
            loan_id=loan_id,
            number=item.number,
            code=as_failed(item.attempts[-1]).code if refused else "not_covered",
        )
    elif before.state is State.DELINQUENT and item.state is not State.DELINQUENT:
        yield casekeys.mandate(loan_id, item.number)
    after_closing = casekeys.after_closing(loan_id, item.number)
    if before.state is State.CLOSED and event in _RETURNED:
        text = "a payment was returned after the installment had closed; it is open again"
        kind = CaseKind.RETURNED_AFTER_CLOSING
        code = as_failed(item.attempts[-1]).code if item.attempts else ""
        yield Case(after_closing, kind, text, loan_id, item.number, code=code)
    elif item.state in _AT_AN_END:
        yield after_closing
    if item.state in _REMINDER_IS_PAST:
        yield casekeys.no_reminder(loan_id, item.number)


def other_reading(known_as: str, about: tuple[str, int] | None) -> Case:
    """The case of a report that was read differently before; `about`: its installment, if any."""
    loan_id, number = about or (None, None)
    return Case(
        f"reading/{canonical.digest(known_as)[:16]}",
        CaseKind.READ_DIFFERENTLY,
        f"{known_as[:200]} is known with another content; both readings were applied",
        loan_id=loan_id,
        number=number,
        links=(Link(LinkTo.COMMAND, known_as),),
    )
