"""The mandates of one decision: registered, joined, left and ended, with their moves."""

from dataclasses import replace

from domain.debit.mandate import Bar, MandateEvent, MandateRoot
from domain.kernel.change import Transition
from domain.kernel.command import Command
from domain.loan.change import Aggregates
from domain.loan.decide.casework import CaseWork


class MandateWork(CaseWork):
    """The part of a decision that is about mandates."""

    def __init__(self, aggregates: Aggregates, command: Command | None = None) -> None:
        super().__init__(aggregates, command)
        self.mandate_roots: dict[str, MandateRoot] = dict(aggregates.mandate_roots)
        self._changed_mandates: set[str] = set()
        self.new_bars: list[tuple[str, Bar]] = []
        """Hard reasons that this decision has learned, each with the mandate of its order."""

    def bar(self, mandate: str, bar: Bar) -> None:
        """Have a mandate barred, and every other one that the bar reaches, when all is decided."""
        self.new_bars.append((mandate, bar))

    def put_mandate(self, root: MandateRoot) -> None:
        """Add or replace a mandate."""
        self.mandate_roots[root.ref] = root
        self._changed_mandates.add(root.ref)

    def note_mandate(
        self, root: MandateRoot, source: str, event: MandateEvent, detail: str, loan_id: str = ""
    ) -> None:
        """Write a move of a mandate, or a remark about it, to the journal."""
        self._transitions.append(
            Transition(root.subject, loan_id, source, root.state, event, "", None, detail)
        )

    def _report_mandates(self) -> dict[str, MandateRoot]:
        """The mandates that were changed, with their versions raised."""
        for ref in self._changed_mandates:
            root = self.mandate_roots[ref]
            self.mandate_roots[ref] = replace(root, version=root.version + 1)
        return {ref: self.mandate_roots[ref] for ref in sorted(self._changed_mandates)}
