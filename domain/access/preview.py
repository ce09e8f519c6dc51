"""What an order would change, as far as an approver must see it, and a digest of that.

It holds what the order itself does: entries, moves, messages to people. Instants, versions and
messages to our own drivers are left out, so that an unrelated event leaves the digest as it is.
"""

from dataclasses import dataclass
from datetime import date

from domain.case.notice import CASE_NOTICE
from domain.kernel import canonical
from domain.loan.change import Change
from domain.loan.notice import NOTICE
from domain.loan.view import INSTALLMENT, installment_of

_TO_PEOPLE = frozenset({NOTICE.name, CASE_NOTICE.name})
VERSION = 1


@dataclass(frozen=True, slots=True)
class PreviewPosting:
    """One side of an entry: debit positive, in minor units, and what it is for."""

    account: str
    minor: int
    currency: str
    loan: str | None
    number: int | None
    component: str | None
    line: str | None
    party: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class PreviewEntry:
    """One entry that would be posted."""

    event: str
    postings: tuple[PreviewPosting, ...]


@dataclass(frozen=True, slots=True)
class PreviewMove:
    """One move of something that has states; `order_no` where it is an attempt's."""

    subject_kind: str
    subject_key: str
    source: str
    target: str
    event: str
    order_no: str | None


@dataclass(frozen=True, slots=True)
class PreviewAmount:
    """What an installment that the order touches is asked for afterwards, in minor units.

    `product`: the product version by which it is decided.
    """

    loan: str
    number: int
    product: str
    due_on: date
    currency: str
    owed_minor: int
    state: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What one order would change."""

    entries: tuple[PreviewEntry, ...]
    moves: tuple[PreviewMove, ...]
    messages: tuple[str, ...]
    amounts: tuple[PreviewAmount, ...]

    def digest(self) -> str:
        """SHA-256 of all of it."""
        return canonical.digest((VERSION, self))


def preview_of(change: Change) -> Preview:
    """The preview of a change that was decided."""
    entries = tuple(
        PreviewEntry(
            entry.event,
            tuple(
                PreviewPosting(
                    side.account,
                    side.minor,
                    side.currency,
                    side.loan,
                    side.number,
                    side.component,
                    side.line,
                    side.party,
                    side.place,
                )
                for side in entry.postings
            ),
        )
        for entry in change.entries
    )
    moves = tuple(
        PreviewMove(
            move.subject.kind,
            move.subject.key,
            move.source,
            move.target,
            move.event,
            move.order_no,
        )
        for move in change.transitions
    )
    messages = tuple(item.topic for item in change.messages if item.topic in _TO_PEOPLE)
    return Preview(entries, moves, messages, _amounts(change))


def _amounts(change: Change) -> tuple[PreviewAmount, ...]:
    """Of the installments that move or are posted to, in order."""
    touched: set[tuple[str | None, int | None]] = {
        (side.loan, side.number) for entry in change.entries for side in entry.postings
    }
    moved = (move.subject for move in change.transitions)
    touched |= {installment_of(subject) for subject in moved if subject.kind == INSTALLMENT}
    if change.subject is not None and change.subject.kind == INSTALLMENT:
        touched.add(installment_of(change.subject))
    return tuple(
        PreviewAmount(
            loan.id,
            item.number,
            loan.product.ref,
            item.due_on,
            loan.currency,
            (item.owed if item.fell_due else item.scheduled).total,
            item.state,
        )
        for loan in change.loans.values()
        for item in loan.installments
        if (loan.id, item.number) in touched
    )
