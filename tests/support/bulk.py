"""A stage for bulk workflows: every hand over fakes, one worker for workflows and one for books."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from temporalio.client import Client

from activities.boarding import BoardActivities
from activities.cases import CaseActivities
from activities.collecting import Collector
from activities.healing import HealActivities
from activities.remittances import RemittanceActivities
from activities.statementcontrols import StatementControls
from activities.statements import StatementActivities
from activities.statementwatch import StatementWatch
from activities.sweeps import SweepActivities
from adapters.temporal.starter import TemporalStarter
from adapters.temporal.worker import Role, books_role, build_worker
from domain.debit.mandate import Mandate
from domain.errors import InvalidInput
from domain.kernel.command import Actor
from ports.boarding import LoanApplication
from tests.fakes.bulk import (
    FakeArchive,
    FakeDrivers,
    FakeLedger,
    FakeOutbox,
    FakeQueries,
    FakeReader,
    NoPayees,
    statement,
)
from tests.fakes.clock import FakeClock
from tests.fakes.sources import FakeSource
from tests.support.doors import BoardLoan
from tests.support.memory import RULES


class PlainBoarding:
    """Makes a command of an application without asking products; a principal of 0 is refused."""

    def command(self, application: LoanApplication) -> BoardLoan:
        if application.principal == "0":
            raise InvalidInput("principal", "0", "above zero")
        nothing: object = None
        return BoardLoan(
            id=f"board/{application.tenant}/{application.loan_id}",
            actor=Actor("upstream", "test"),
            loan_id=application.loan_id,
            tenant=application.tenant,
            borrower=application.borrower,
            currency="CNY",
            principal_minor=1_200_000,
            disbursed_on=date(2026, 11, 1),
            product=nothing,  # type: ignore[arg-type]
            mandate=Mandate("M-1", "r", "m", "A-1", date(2026, 11, 1)),
            schedule=(),
        )


@dataclass
class BulkStage:
    """Fakes for sweeps, statements, healing and boarding."""

    client: Client
    queue: str
    ledger: FakeLedger = field(default_factory=FakeLedger)
    queries: FakeQueries = field(default_factory=FakeQueries)
    archive: FakeArchive = field(default_factory=FakeArchive)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    drivers: FakeDrivers = field(default_factory=FakeDrivers)
    source: FakeSource = field(default_factory=FakeSource)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        known = {"s1": statement("s1", 1, 0, 100, 200, 300)}
        self.reader = FakeReader(known)
        self.starter = TemporalStarter(self.client, self.queue)

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Run a workflow worker and a books worker."""
        sweeps = SweepActivities(
            self.ledger,
            self.queries,
            {self.source.account: self.source},
            self.archive,
            self.outbox,
            self.starter,
            self.clock,
        )
        files = StatementActivities(self.archive, self.reader, self.ledger)
        sources = {self.source.account: self.source}
        watch = StatementWatch(
            Collector(sources, self.archive, self.ledger, self.starter, self.clock),
            StatementControls(self.archive, self.ledger),
            self.archive,
            self.clock,
            (self.source.account,),
            (),
            {},
        )
        activities: list[Callable[..., Any]] = [
            sweeps.roll,
            sweeps.collect,
            sweeps.deliver,
            files.survey,
            files.book,
            watch.watch,
            HealActivities(self.queries, self.outbox, self.drivers, self.clock).heal,
            BoardActivities(self.ledger, PlainBoarding()).board,
            CaseActivities(self.ledger, self.queries, self.clock).sweep,
            RemittanceActivities(self.ledger, NoPayees(), RULES.payouts, self.clock).remit,
        ]
        role = Role(self.queue, runs_workflows=True, pollers_most=3)
        async with (
            build_worker(self.client, role),
            build_worker(self.client, books_role(), activities),
        ):
            yield
