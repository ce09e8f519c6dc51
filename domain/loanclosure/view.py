"""What lists, drivers and upstream see of the closure of a loan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.kernel.subject import Subject
from domain.kernel.view import View


@dataclass(frozen=True, slots=True)
class ClosureDetail:
    """What only the closure of a loan has, beside its labels.

    `legs` are the legs of its present course with their states, `certificate` is the verification
    code of the certificate that stands, `rejected` names legs that somebody refuses with their
    codes.
    """

    value_on: date
    legs: Mapping[str, str]
    rejected: Mapping[str, str]
    certificate: str = ""
    sealed_by: str = ""
    is_held: bool = False
    revoked: int = 0


ClosureView = View[ClosureDetail]
"""What comes next for the closure of a loan, and its view."""


def fields_of(subject: Subject) -> Mapping[str, object]:
    """The field by which commands about the closure of a loan name it."""
    return {"loan_id": subject.key}
