"""The cases about a booked line that nothing (or not all) explains: it waits, visibly."""

from collections.abc import Sequence

from domain.loan.aggregate import LineState
from domain.loan.cases import CaseKind
from domain.loan.change import CaseChange
from domain.loan.decide.work import Work
from domain.money import amount_text

Named = tuple[str, int | None]
"""A loan that a line names, and the installment where that is known."""
KIND = CaseKind.UNMATCHED_LINE
NAMED_MOST = 200
"""Loans of one line that get a case of their own; a larger batch has only the case of the line."""


def open_case_of_line(work: Work, line: LineState, named: Sequence[Named]) -> None:
    """Open the case of a line, and one for each loan when it names several.

    No debit of an installment leaves while a case of this kind names it.
    """
    only: tuple[str | None, int | None] = named[0] if len(named) == 1 else (None, None)
    text = f"{amount_text(line.open_minor, line.currency)} of line {line.id} are not explained"
    _open(work, line, f"line/{line.id}", text, only, line.open_minor)
    if 1 < len(named) <= NAMED_MOST:
        for loan_id, number in named:
            key = f"line/{line.id}/{loan_id}/{number or ''}"
            _open(work, line, key, f"line {line.id} may be about it", (loan_id, number), 0)


def close_cases_of_line(work: Work, line_id: str) -> list[Named]:
    """Close every case that a line waits; the loans that they named, which are looked at again."""
    cases = [c for c in work.cases.values() if c.kind == KIND and c.line == line_id]
    named = [(c.loan_id, c.number) for c in cases if c.loan_id is not None]
    for case in cases:
        work.close_case(case.key)
    for loan_id, number in named:
        if loan_id in work.loans and number is not None:
            work.touch(loan_id, number)
    return named


def _open(
    work: Work,
    line: LineState,
    key: str,
    text: str,
    named: tuple[str | None, int | None],
    minor: int,
) -> None:
    work.open_case(
        CaseChange(
            "open",
            key,
            KIND,
            text,
            loan_id=named[0],
            number=named[1],
            line=line.id,
            amount_minor=minor,
            currency=line.currency,
        )
    )
