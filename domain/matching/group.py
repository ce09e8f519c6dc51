"""What was matched together: pieces of lines, the money that they show, and who shows how much."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.matching.result import LineResult

GROUP_MOST = 500
"""Pieces, or expectations, of one group that are matched by themselves."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of a bank line: its line, account, day and signed minor units."""

    id: str
    line: str
    account: str
    booked_on: date
    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Meant:
    """Money that is expected, as an order to match names it: a loan, an installment, a reference.

    `kind` is order, payment, return, loan or payout. No order names a payout: its line does.
    """

    id: str
    kind: str
    loan_id: str
    number: int
    reference: str
    minor: int
    expected_by: date | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """How much of one expectation one piece shows, without sign, and the fee inside the piece."""

    line: str
    meant: Meant
    minor: int
    fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Pieces that stand alike by one result, with the expectations that they are about.

    `is_whole`: all of both sides are here; a larger group is not matched by itself.
    """

    result: LineResult
    shown: tuple[Shown, ...]
    meant: tuple[Meant, ...] = ()
    is_whole: bool = True

    def parts(self) -> Iterator[Part]:
        """Yield what each piece shows of each expectation, both in the order of their ids.

        The fee lies in the first piece. What cannot be ordered gives nothing.
        """
        if not self.is_whole or any(not it.loan_id for it in self.meant):
            return
        if self.result.loan:
            yield from (Part(it.line, self.meant[0], it.minor) for it in self.shown)
            return
        left = [abs(it.minor) for it in self.meant]
        fee, at = self.result.fee_minor, 0
        for piece in self.shown:
            room = abs(piece.minor + fee)
            while room and at < len(left):
                minor = min(room, left[at])
                yield Part(piece.line, self.meant[at], minor, fee)
                room, left[at], fee = room - minor, left[at] - minor, 0
                at += not left[at]
