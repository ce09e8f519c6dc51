"""The simulated bank's end-of-day statements, over its signed HTTP interface."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from urllib.parse import quote, urlencode

from adapters.rails.simbank.calls import SimbankCalls, read_answer
from adapters.rails.simbank.wire import StatementList
from ports.rail import RailUnavailable
from ports.statementsource import SourceUnavailable, StatementFile


class SimbankStatements:
    """Implements `ports.statementsource.StatementSource` for one account.

    Args:
        merchant_id: whose statements the bank gives, among those that `calls` can sign for.
    """

    settle_s = 0.0
    """The bank offers a file when it is whole, with its hash."""

    def __init__(self, calls: SimbankCalls, merchant_id: str, account: str) -> None:
        self._calls, self._merchant_id, self._account = calls, merchant_id, account

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:
        """The statements on offer; see the port."""
        asked = {"account": self._account, "from": first.isoformat(), "to": last.isoformat()}
        with _asking():
            answer = await self._calls.ask(
                "GET", f"/v1/statements?{urlencode(asked)}", self._merchant_id
            )
            offered = read_answer(answer, StatementList).statements
        return tuple(
            StatementFile(
                id=item.id,
                account=item.account,
                booked_on=item.date,
                sequence=item.seq,
                sha256=item.sha256,
            )
            for item in offered
        )

    @asynccontextmanager
    async def open(self, file: StatementFile) -> AsyncIterator[AsyncIterator[bytes]]:
        """One statement file as it comes; see the port."""
        target = f"/v1/statements/{quote(file.id, safe='')}"
        with _asking():
            async with self._calls.fetch(target, self._merchant_id) as answer:
                yield answer.parts

    async def taken(self, file: StatementFile) -> None:
        """Nothing: the bank keeps its files on offer."""

    async def put_aside(self, file: StatementFile) -> None:
        """Nothing: the bank keeps its files on offer."""


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except RailUnavailable as error:
        raise SourceUnavailable(error.why) from None
