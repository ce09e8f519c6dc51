"""A message leaves only while the books would still order it; otherwise they learn why."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from adapters.notices.dispatcher import NoticeDispatcher, NotTaken
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from domain.loan.aggregate import HoldKind, NoticeState
from ports.notices import Notice, NotSent, Sent
from ports.outbox import OutboxRow
from tests.support.booksbench import StillClock
from tests.support.doors import AnyCommand, ChangeDate, Hold, QueueReminder, RecordPayment
from tests.support.memory import DRIVER, RULES, TESTER, board

WHOSE: dict[str, Any] = {"actor": TESTER, "reason": "a test", "loan_id": "L1", "number": 1}


@dataclass
class Carrier:
    """Takes every message, or gives the same answer to each."""

    taken: list[Notice] = field(default_factory=list)
    answer: NotSent | None = None

    async def send(self, message: Notice) -> Sent | NotSent:
        """Keep a message."""
        if self.answer is not None:
            return self.answer
        self.taken.append(message)
        return Sent(message.message_id)


@dataclass
class Post:
    """Books with one queued reminder, and the dispatcher that carries it."""

    books: SqlBooks
    queries: SqlQueries
    clock: StillClock
    carrier: Carrier
    row: OutboxRow

    async def carry(self) -> None:
        """Deliver the reminder's row."""
        await NoticeDispatcher(
            self.carrier, self.books, self.queries, self.clock, {"lender": "Demo"}
        ).deliver(self.row)

    async def give(self, command: AnyCommand) -> None:
        """Apply a command that must be allowed."""
        assert isinstance(await self.books.apply(command), Applied)

    async def fate(self) -> tuple[int, str]:
        """How many messages left, and what the books say of the reminder."""
        loan = await self.queries.loan("L1")
        assert loan is not None
        return len(self.carrier.taken), loan.installment(1).notices[0].state.value


@pytest_asyncio.fixture
async def post(sqlite_url: str) -> AsyncIterator[Post]:
    """A reminder is queued at ten in the morning, three days before the due date."""
    await upgrade(sqlite_url)
    engine, clock = books_engine(sqlite_url), StillClock()
    queries = SqlQueries(engine, clock, RULES)
    async with SqlBooks(engine, clock, RULES) as books:
        await books.apply(board())
        clock.at = datetime(2026, 3, 7, 2, tzinfo=UTC)
        await books.apply(
            QueueReminder(id="q", actor=DRIVER, loan_id="L1", number=1, action="remind/0/0")
        )
        row = OutboxRow(1, "notice", "notice/1", await _body(queries), None, 0)
        yield Post(books, queries, clock, Carrier(), row)
    await engine.dispose()


async def _body(queries: SqlQueries) -> dict[str, object]:
    loan = await queries.loan("L1")
    assert loan is not None
    (notice,) = loan.installment(1).notices
    return {
        "message_id": notice.message_id,
        "channel": notice.channel,
        "to": loan.borrower,
        "language": "en",
        "template": "reminder",
        "not_after": "2026-03-07T13:00:00+00:00",
        "values": {
            "loan": "L1",
            "installment": "1",
            "amount_minor": "10100",
            "currency": "CNY",
            "due_on": "2026-03-10",
        },
    }


async def test_a_reminder_that_is_still_wanted_leaves(post: Post) -> None:
    """Nothing has happened since: it is sent with the lender's name and waits for its report."""
    await post.carry()
    assert await post.fate() == (1, NoticeState.QUEUED)
    assert post.carrier.taken[0].values["lender"] == "Demo"


@pytest.mark.parametrize(
    "command",
    [
        Hold(id="h", what=HoldKind.CONTACT, **WHOSE),
        Hold(id="h", what=HoldKind.ALL, **WHOSE),
        ChangeDate(id="d", due_on=date(2026, 3, 20), **WHOSE),
        RecordPayment(
            id="p",
            reference="T-1",
            amount_minor=10100,
            currency="CNY",
            value_on=date(2026, 3, 7),
            **WHOSE,
        ),
    ],
    ids=["contact-hold", "hold", "date-moved", "paid-ahead"],
)
async def test_what_happened_since_it_was_written_stops_it(post: Post, command: AnyCommand) -> None:
    """Nobody is reminded of what they paid, at a date that has moved, or against a hold."""
    await post.give(command)
    await post.carry()
    assert await post.fate() == (0, NoticeState.FAILED)


async def test_a_hold_of_debits_stops_no_reminder(post: Post) -> None:
    """The borrower is still to be notified of what is owed."""
    await post.give(Hold(id="h", what=HoldKind.DEBIT, **WHOSE))
    await post.carry()
    assert await post.fate() == (1, NoticeState.QUEUED)


async def test_a_reminder_that_is_late_is_not_pushed_into_the_night(post: Post) -> None:
    """The allowed hours of its day have passed."""
    post.clock.at = datetime(2026, 3, 7, 13, tzinfo=UTC)
    await post.carry()
    assert await post.fate() == (0, NoticeState.FAILED)


async def test_a_carrier_that_is_away_is_asked_again_and_one_that_refuses_is_not(
    post: Post,
) -> None:
    """For now: the row stays. For good: the books know, and the next channel follows."""
    name = post.row.body["message_id"]
    post.carrier.answer = NotSent(str(name), "busy", retryable=True)
    with pytest.raises(NotTaken):
        await post.carry()
    assert await post.fate() == (0, NoticeState.QUEUED)
    post.carrier.answer = NotSent(str(name), "no such address", retryable=False)
    await post.carry()
    assert await post.fate() == (0, NoticeState.FAILED)


async def test_a_message_of_a_closure_that_moved_on_does_not_leave(post: Post) -> None:
    """The loan is not being closed: nobody is told that it is settled."""
    body = await _body(post.queries) | {"template": "closed"}
    body["values"] = {"loan": "L1", "installment": "1", "closed_on": "2026-03-07"}
    post.row = replace(post.row, body=body)
    await post.carry()
    assert await post.fate() == (0, NoticeState.FAILED)
