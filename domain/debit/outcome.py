"""One taxonomy of debit outcomes for all rails.

A rail's own code is translated into a class, the class into a status. *Unknown is not declined*:
only an explicit success or an explicit refusal ends an attempt; everything else is asked again.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from domain.kernel.canonical import ADDED_LATER
from domain.money import MINOR_MAX


class OutcomeClass(StrEnum):
    """What a rail's answer means, whatever its code."""

    SUCCESS = "SUCCESS"
    """Money was taken."""
    SUCCESS_DEFECTIVE = "SUCCESS_DEFECTIVE"
    """Money was taken, something else went wrong: book the cash and open a case."""
    PARTIAL = "PARTIAL"
    """Less than ordered was taken."""
    PENDING = "PENDING"
    """Accepted by the rail, no final outcome yet."""
    NOT_FOUND = "NOT_FOUND"
    """The rail does not know the order; a final outcome only after its query window."""
    NSF = "NSF"
    """Not enough money on the payer's account."""
    LIMIT = "LIMIT"
    """An amount or count limit of the rail or the payer's bank."""
    DECLINED = "DECLINED"
    """Refused without a usable reason."""
    ACCOUNT = "ACCOUNT"
    """The account is closed, blocked, wrong or expired."""
    MANDATE = "MANDATE"
    """No valid authority to debit."""
    PAYER_STOP = "PAYER_STOP"
    """The payer stopped or refused this debit."""
    DISPUTE = "DISPUTE"
    """The payer denies having authorised it."""
    DECEASED = "DECEASED"
    """The payer has died."""
    RISK_REJECT = "RISK_REJECT"
    """Blocked by somebody's risk rules; not the borrower's fault."""
    TECH = "TECH"
    """Technical trouble or no answer: asked again before anything else."""
    DATA_ERROR = "DATA_ERROR"
    """Our message was wrong; a person corrects it."""
    DUPLICATE = "DUPLICATE"
    """The rail has seen this number: ask what became of it."""
    LATE_RETURN = "LATE_RETURN"
    """Taken back after success."""
    UNKNOWN_CODE = "UNKNOWN_CODE"
    """A code that no table holds: asked again, and a case."""


class OutcomeStatus(StrEnum):
    """What an outcome does to an attempt."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    PENDING = "pending"
    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"


_TAKEN = {OutcomeClass.SUCCESS, OutcomeClass.SUCCESS_DEFECTIVE, OutcomeClass.PARTIAL}
_ASK_AGAIN = {OutcomeClass.TECH, OutcomeClass.DUPLICATE, OutcomeClass.UNKNOWN_CODE}
# Causes that are not the borrower's: no penalty accrues for the days they cost.
EXCUSING = frozenset(
    {
        OutcomeClass.TECH,
        OutcomeClass.RISK_REJECT,
        OutcomeClass.DATA_ERROR,
        OutcomeClass.DUPLICATE,
        OutcomeClass.UNKNOWN_CODE,
        OutcomeClass.NOT_FOUND,
    }
)


def status_of(outcome_class: OutcomeClass) -> OutcomeStatus:
    """The status that a class carries; anything not explicit is UNKNOWN."""
    if outcome_class in _TAKEN:
        return OutcomeStatus.CONFIRMED
    if outcome_class in _ASK_AGAIN:
        return OutcomeStatus.UNKNOWN
    if outcome_class is OutcomeClass.PENDING:
        return OutcomeStatus.PENDING
    if outcome_class is OutcomeClass.NOT_FOUND:
        return OutcomeStatus.NOT_FOUND
    return OutcomeStatus.DECLINED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rail said about one order, in our words.

    `executed_minor` is what was taken (0 unless confirmed); `bank_ref` names the rail's own
    booking, so that two executions of one order are distinguished; `code` is the rail's own code.
    `currency` is given where the rail states one. `flaw` says why the answer is not believed; the
    status of a flawed answer is UNKNOWN, whatever its class.
    """

    outcome_class: OutcomeClass
    code: str
    executed_minor: int = 0
    bank_ref: str | None = None
    batch_ref: str | None = None
    executed_on: date | None = None
    currency: str | None = field(default=None, metadata=ADDED_LATER)
    flaw: str = field(default="", metadata=ADDED_LATER)

    @property
    def status(self) -> OutcomeStatus:
        """What this outcome does to its attempt."""
        return OutcomeStatus.UNKNOWN if self.flaw else status_of(self.outcome_class)

    @property
    def claims_money(self) -> bool:
        """Whether the answer says that money was taken, believed or not."""
        return self.outcome_class in _TAKEN or self.executed_minor != 0


def about_other_order(answer: Outcome, order_no: str) -> Outcome:
    """The outcome of an answer that names another order: unknown, for it says nothing of ours."""
    return Outcome(OutcomeClass.UNKNOWN_CODE, answer.code, flaw=f"it is about order {order_no}")


def checked(outcome: Outcome, currency: str) -> Outcome:
    """The outcome, marked with its flaw where its money cannot be true for a debit in `currency`.

    A success has an amount above zero and at most `MINOR_MAX`, anything else has none, and both are
    in the currency of the order where the rail states one.
    """
    if outcome.flaw:
        return outcome
    taken = status_of(outcome.outcome_class) is OutcomeStatus.CONFIRMED
    minor = outcome.executed_minor
    if outcome.currency not in {None, currency}:
        return replace(outcome, flaw=f"it is in {outcome.currency}, the order is in {currency}")
    if not (0 < minor <= MINOR_MAX if taken else minor == 0):
        return replace(outcome, flaw=f"{outcome.outcome_class} cannot have an amount of {minor}")
    return outcome


NO_ANSWER = Outcome(OutcomeClass.TECH, "NO_ANSWER")
"""The request may have left and nothing came back."""
