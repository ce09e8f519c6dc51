"""How figures that the tape states compare with ours: equal within one minor unit, or listed."""

from dataclasses import dataclass, field

from adapters.tapes.loan.comparing import Compared, Due

EXCEPTIONS_KEPT = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One loan of which a stated figure is not ours."""

    line: int
    loan_id: str
    currency: str
    stated: Due
    computed: Due


@dataclass(slots=True)
class Comparison:
    """One figure of all loans that state it; of those that differ the first are listed."""

    compared: int = 0
    agreed: int = 0
    exceptions: list[Difference] = field(default_factory=list)

    def add(self, line: int, loan_id: str, currency: str, figure: Compared | None) -> None:
        """Count the figure of one loan, unless the tape does not state it."""
        if figure is None:
            return
        self.compared += 1
        if figure.agrees:
            self.agreed += 1
        elif len(self.exceptions) < EXCEPTIONS_KEPT:
            found = Difference(line, loan_id, currency, figure.stated, figure.computed)
            self.exceptions.append(found)

    @property
    def differ(self) -> int:
        """Loans that do not agree, listed or not."""
        return self.compared - self.agreed
