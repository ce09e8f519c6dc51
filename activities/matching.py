"""Matches what waits on bank lines: what the passes find is ordered, what they propose is noted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.kernel import canonical
from domain.kernel.canonical import bounded
from domain.kernel.change import Applied
from domain.kernel.command import Actor, Command
from domain.loan.matching import Basis, MatchLine, SuggestMatch
from domain.matching.breaks import BY_PASS, break_of
from domain.matching.group import Group
from domain.matching.result import Status
from domain.money import amount_text
from ports.books import Books
from ports.matching import MatchFilter, Matching

MATCHER = Actor("system", "matching")
PAGE = 100
GROUPS_MOST = 20_000
"""Groups that one run deals with; the next one finds the others."""
_TOLD = (Status.MATCHED, Status.OVER, Status.UNDER, Status.SPLIT_MISMATCH, Status.DUPLICATE)
_NAMED_MOST = 3


@dataclass(frozen=True, slots=True)
class Matched:
    """What a run came to: matches ordered, refused or failed, and suggestions noted."""

    ordered: int = 0
    refused: int = 0
    suggested: int = 0


def orders_of(group: Group, basis: Basis, actor: Actor, reason: str) -> Iterator[MatchLine]:
    """Yield the orders that match a group; the same match is the same order."""
    for part in group.parts():
        meant = part.meant
        content = (part.line, meant.reference, part.minor, part.fee_minor, basis)
        yield MatchLine(
            id=bounded(f"match/{part.line}/{canonical.digest(content)[:16]}"),
            actor=actor,
            reason=reason,
            loan_id=meant.loan_id,
            number=meant.number,
            line=part.line,
            reference=meant.reference,
            amount_minor=part.minor,
            fee_minor=part.fee_minor,
            basis=basis,
        )


def suggestion(group: Group) -> str:
    """What is suggested for a group, in one sentence; empty where it is matched by itself."""
    told = break_of(group.result)
    if told is None:
        return ""
    currency = group.shown[0].currency
    about = ", ".join(
        f"{it.id} of {amount_text(it.minor, currency)}" for it in group.meant[:_NAMED_MOST]
    )
    more = len(group.meant) - _NAMED_MOST
    named = f" ({about}{f' and {more} more' if more > 0 else ''})" if about else ""
    return f"{told.remedy.value}: {told.text}{named}"


class LineMatching:
    """Runs the passes and gives what they find to the books."""

    def __init__(self, matching: Matching, books: Books) -> None:
        self._matching, self._books = matching, books

    async def match(self) -> Matched:
        """Match everything that waits, as far as the passes and the products say so.

        A match that the books refuse changes nothing: its line waits on, with its case.
        """
        if not await self._matching.anything_waits():
            return Matched()
        orders: list[Command] = []
        notes: list[Command] = []
        wanted, after, seen = MatchFilter(statuses=_TOLD), "", 0
        async with self._matching.run() as run:
            while seen < GROUPS_MOST:
                groups = await run.groups(wanted, after, PAGE)
                for group in groups:
                    orders += _found(group)
                    notes += _noted(group)
                seen += len(groups)
                if len(groups) < PAGE:
                    break
                after = min(it.id for it in groups[-1].shown)
        done = await self._apply(orders)
        noted = await self._apply(notes)
        return Matched(done, len(orders) - done, noted)

    async def _apply(self, commands: Sequence[Command]) -> int:
        """Give commands to the books in pages; how many they applied."""
        applied = 0
        for start in range(0, len(commands), PAGE):
            answers = await self._books.apply_many(commands[start : start + PAGE])
            applied += sum(isinstance(answer, Applied) for answer in answers)
        return applied


def _found(group: Group) -> Iterator[MatchLine]:
    if group.result.posts and group.result.by is not None:
        reason = f"matched {BY_PASS[group.result.by]}"
        yield from orders_of(group, Basis.FOUND, MATCHER, reason)


def _noted(group: Group) -> Iterator[SuggestMatch]:
    if text := suggestion(group):
        for line in dict.fromkeys(it.line for it in group.shown):
            mark = canonical.digest((line, text))[:16]
            yield SuggestMatch(
                id=bounded(f"suggest/{line}/{mark}"),
                actor=MATCHER,
                reason="what the passes of matching say",
                line=line,
                text=text,
            )
