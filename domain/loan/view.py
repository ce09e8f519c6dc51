"""What driver, console and upstream see of an installment: state, money, what comes next."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.kernel.subject import Subject
from domain.kernel.view import View

INSTALLMENT = "installment"
"""The kind of subject."""


class ActionKind(StrEnum):
    """What the driver of an installment can be asked to do."""

    REMIND = "REMIND"
    PRESENT = "PRESENT"
    INQUIRE = "INQUIRE"
    REVIEW = "REVIEW"
    """Open a case for money that is unproven past its deadline."""


@dataclass(frozen=True, slots=True)
class InstallmentDetail:
    """What only an installment has, beside its labels.

    The labels say what is owed, when it is due, the rail, the number of the last attempt and the
    last refusal of the rail. `failure_class` is what that refusal means, an `OutcomeClass`;
    `attempt_state` and `order_no` are of the last attempt. `hold` says what is held, `cases` are
    the kinds of the open cases about it. Its days begin in `timezone`.
    """

    attempt_state: str = ""
    order_no: str = ""
    failure_class: str = ""
    hold: str = ""
    cases: tuple[str, ...] = ()
    timezone: str = "UTC"


InstallmentView = View[InstallmentDetail]


def installment(loan_id: str, number: int) -> Subject:
    """The subject that an installment is."""
    return Subject(INSTALLMENT, f"{loan_id}/{number}")


def installment_of(subject: Subject) -> tuple[str, int]:
    """Loan and number of the installment that a subject is."""
    loan_id, _, number = subject.key.rpartition("/")
    return loan_id, int(number)


def fields_of(subject: Subject) -> Mapping[str, object]:
    """The fields by which commands about an installment name it."""
    loan_id, number = installment_of(subject)
    return {"loan_id": loan_id, "number": number}
