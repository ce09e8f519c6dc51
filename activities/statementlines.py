"""Which lines of a statement are bookings of their own, though equal ones are booked already.

A line is known by what it says, so that a copy counts once. Where two statements certainly tell of
different bookings, equal lines of them are counted on instead, as equal lines of one statement are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from domain.statement.identity import id_after
from domain.statement.neighbours import apart, perhaps_apart
from domain.statement.statement import Fault, FaultRule, Statement, StatementLine
from ports.archive import Archive


class OwnLines:
    """Names the lines of one statement; `others` are all statements known of its account.

    Attributes:
        unsettled: ids of statements that brought equal lines meanwhile, or are being read now.
    """

    def __init__(self, archive: Archive, head: Statement, others: Sequence[Statement]) -> None:
        self._archive = archive
        self._head = head
        self._apart = apart(head, others)
        self._perhaps = perhaps_apart(head, others)
        self._read = {head.id, *(other.id for other in others)}
        self._taken: set[str] = set()
        self._doubtful: Counter[str] = Counter()
        self.unsettled: set[str] = set()

    async def named(self, lines: Sequence[StatementLine]) -> tuple[StatementLine, ...]:
        """The lines, each under an id that no statement of other bookings has brought."""
        if not self._apart or not lines:
            return tuple(lines)
        brought = dict(await self._archive.brought_by([line.id for line in lines]))
        return tuple([await self._own(line, brought) for line in lines])

    async def _own(self, line: StatementLine, brought: dict[str, str]) -> StatementLine:
        name = line.id
        while name in self._taken or brought.get(name) in self._apart:
            name = id_after(name)
            brought.update(await self._archive.brought_by([name]))
        if name == line.id:
            return line
        self._taken.add(name)
        return replace(line, id=name)

    async def known(self, line_ids: Sequence[str]) -> bool:
        """Look at who brought the lines that the books knew already; whether one is in doubt."""
        if not line_ids:
            return False
        doubt = False
        for statement_id in (await self._archive.brought_by(line_ids)).values():
            meanwhile = statement_id in self._apart or statement_id not in self._read
            if meanwhile:
                self.unsettled.add(statement_id)
            if meanwhile or statement_id in self._perhaps:
                self._doubtful[statement_id] += 1
                doubt = True
        return doubt

    def faults(self) -> tuple[Fault, ...]:
        """What only a person can decide: bookings that came again, or others equal to them."""
        return tuple(
            Fault(FaultRule.KNOWN_LINES, f"{self._head.id} and {statement_id}", count, 0)
            for statement_id, count in sorted(self._doubtful.items())
        )
