"""A case in words: what changed, and what is."""

from collections.abc import Iterator

from domain.case.guides import GUIDES
from domain.case.kinds import CaseKind
from domain.case.view import CaseView
from domain.money import amount_text


class CaseWords:
    """Implements `domain.kernel.words.Words`."""

    def changes(self, old: CaseView, new: CaseView) -> Iterator[str]:
        """What changed between two views that people ask about, each in a few words."""
        if new.detail.assignee != old.detail.assignee:
            yield f"assigned to {new.detail.assignee}" if new.detail.assignee else "with nobody"
        if new.detail.owner != old.detail.owner:
            yield f"handed to {new.detail.owner}"
        if new.detail.notes != old.detail.notes:
            yield f"note {new.detail.notes}"
        if new.detail.resolution and new.detail.resolution != old.detail.resolution:
            yield new.detail.resolution

    def parts(self, view: CaseView) -> Iterator[str]:
        """What is, in Markdown: kind and state, the text, the amount, who has it, the guide."""
        labels, detail = view.labels, view.detail
        yield f"**{view.state}**, {labels.code}, {detail.text}"
        if labels.amount_minor:
            yield f"about {amount_text(labels.amount_minor, labels.currency)}"
        who = f"{detail.assignee} of {detail.owner}" if detail.assignee else detail.owner
        yield f"with {who}, to end by {detail.resolve_by:%Y-%m-%d %H:%M} UTC"
        if detail.items_ever:
            yield f"{detail.items} of {detail.items_ever} lines are open"
        if labels.code in set(CaseKind):
            yield GUIDES[CaseKind(labels.code)]

    def summary(self, view: CaseView) -> str:
        """Its kind, and the loan that it is about; its text may hold an amount."""
        about = f" about {view.labels.loan_id}" if view.labels.loan_id else ""
        return f"case {view.labels.code}{about}"


CASE_WORDS = CaseWords()
