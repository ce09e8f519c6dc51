"""Comparison of what installments did with what their products expect."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from domain.audit.conformance import Deviation


@dataclass(frozen=True, slots=True)
class Conformed:
    """A page of loans that was judged: how many installments it has, and what deviates."""

    installments: int
    deviations: tuple[Deviation, ...]


class Conformance(Protocol):
    """Judges installments against their products, as of now, from one state of the books."""

    def judged(self, loan_id: str | None = None) -> AsyncGenerator[Conformed]:
        """Page by page, in order of the loans; all of them unless one is named.

        Raises:
            InvalidInput: there is no such loan.
        """
        ...
