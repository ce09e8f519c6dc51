"""Checks that every booked bank line is in the books and that the books hold no other."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from domain.audit.facts import BooksFacts, TruthFacts
from domain.audit.findings import Finding, FindingKind
from domain.audit.payments import movements_shown
from domain.audit.tally import Tally


def unexplained(books: BooksFacts, truth: TruthFacts, sums: Tally) -> Iterator[Finding]:
    """Lines that only one side has."""
    theirs = _their_lines(books, truth)
    ours: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for day, lines in sums.lines_by_day().items():
        for line in lines.values():
            ours[(day, line.currency)][line.minor] += 1
    for day, currency in sorted(theirs.keys() | ours.keys()):
        key = (day, currency)
        their, our = theirs.get(key, Counter()), ours.get(key, Counter())
        for minor in (their - our).elements():
            yield _finding(day, "the bank booked it, the books did not", minor, currency)
        for minor in (our - their).elements():
            yield _finding(day, "the books have it, the bank does not", minor, currency)


def _their_lines(books: BooksFacts, truth: TruthFacts) -> dict[tuple[str, str], Counter[int]]:
    """Amounts of the bank's lines by (`account/booking date`, currency)."""
    entries: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for day, movement in movements_shown(truth, books.as_of):
        entries[(day, movement.currency, movement.entry)] += movement.amount_minor
    lines: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for (day, currency, _), minor in entries.items():
        lines[(day, currency)][minor] += 1
    return lines


def _finding(subject: str, text: str, minor: int, currency: str) -> Finding:
    return Finding(FindingKind.UNEXPLAINED, subject, text, abs(minor), currency)
