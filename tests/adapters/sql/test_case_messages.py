"""Messages about cases over the outbox: written with the case, delivered once for each level."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.cases import CaseActivities
from adapters.notices.teams import TeamDispatcher
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay
from domain.case.kinds import CaseKind
from domain.case.policy import CasePolicy
from domain.statement.broken import RecordStatementBreak, StatementBreak
from ports.notices import Notice, Sent
from tests.support.booksbench import StillClock
from tests.support.memory import RULES, TESTER

POLICY = CasePolicy(
    addresses={
        "reconciliation": ("r@team.example",),
        "team-lead": ("l@team.example", "m@team.example"),
    },
    announced=frozenset({CaseKind.STATEMENT_REFUSED}),
)


class Carrier:
    """Takes every notice and keeps it."""

    def __init__(self) -> None:
        self.taken: list[Notice] = []

    async def send(self, message: Notice) -> Sent:
        self.taken.append(message)
        return Sent(message.message_id)


def refused(name: str, what: StatementBreak = StatementBreak.FILE_REFUSED) -> RecordStatementBreak:
    return RecordStatementBreak(
        id=f"break/{name}", actor=TESTER, what=what, subject=name, text="no XML"
    )


async def test_a_case_that_nobody_takes_is_notified_three_times(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock
) -> None:
    """A message goes out when it is opened, late, and handed up, however often it is swept."""
    carrier = Carrier()
    team = TeamDispatcher(carrier, POLICY.addresses, {"lender": "Lender A"})
    relay = OutboxRelay(engine, clock, {team.topic: team})
    async with SqlBooks(engine, clock, replace(RULES, case_policy=POLICY)) as books:
        await books.apply(refused("f1"))
        await books.apply(refused("f1"))
        await books.apply(refused("l1", StatementBreak.LINE_FAILED))
        activities = CaseActivities(books, queries, clock)
        for _ in range(6):
            await relay.sweep()
            await ActivityEnvironment().run(activities.sweep)
            clock.ahead(timedelta(hours=25))
        await relay.sweep()
    told = [
        (one.values["case"].split("/")[-1], one.values["level"], one.to) for one in carrier.taken
    ]
    assert sorted(told) == [
        ("f1", "escalated", "team-lead/0"),
        ("f1", "escalated", "team-lead/1"),
        ("f1", "late", "reconciliation/0"),
        ("f1", "opened", "reconciliation/0"),
        ("l1", "escalated", "team-lead/0"),
        ("l1", "escalated", "team-lead/1"),
        ("l1", "late", "reconciliation/0"),
    ]
    assert len({one.message_id for one in carrier.taken}) == len(told)
