"""A closure from release to seal on real books, with the simulated bureau and rail over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.actions import ActionOrder
from activities.closures import ClosureActivities, Issuer
from adapters.bureaus.http import HttpBureau
from adapters.certificates.files import proven, read_certificate
from adapters.certificates.pdf import pdf_of
from adapters.rails.http import RailHttp
from adapters.rails.simbank.calls import SimbankCalls
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.calendar import DayWindow, local_day
from domain.kernel.subject import Subject
from domain.ledger.checkpoint import PublicKey
from domain.loan.product import ReminderPlan
from domain.loanclosure.closure import LOAN_CLOSURE, LoanClosure
from domain.loanclosure.rules import ClosingRules, LegKind, LegRule
from domain.loanclosure.view import ClosureView
from domain.statement.statement import LineItem, StatementLine
from tests.adapters.rails.bank import (
    API_SECRET,
    MERCHANT,
    SimulatedBank,
    build_mandate,
    running_bank,
)
from tests.support.closures import DAY, closing
from tests.support.doors import (
    BookLine,
    RecordDeliveryReport,
    RecordPayment,
    RollDay,
    UndoMatch,
)
from tests.support.forging import a_signer
from tests.support.memory import PRODUCT, RULES, SHANGHAI, TESTER, board, schedule
from workflows.loanclosure import LoanClosureWorkflow

DAY_AND_NIGHT = DayWindow(time(0), time(23, 59, 59), SHANGHAI)
CLOSING = ClosingRules(
    {
        LegKind.STOP_CHARGES: LegRule(DAY),
        LegKind.END_MANDATE: LegRule(2 * DAY),
        LegKind.RELEASE_GUARANTOR: LegRule(5 * DAY, "guarantor-1"),
        LegKind.TELL_BUREAU: LegRule(2 * DAY, "bureau-1"),
        LegKind.ISSUE_CERTIFICATE: LegRule(DAY),
        LegKind.TELL_BORROWER: LegRule(20 * timedelta(hours=1), channels=("sms",)),
    },
    seals=True,
)


@dataclass
class BankClock:
    """Tells the simulator's time."""

    bank: SimulatedBank

    def now(self) -> datetime:
        """The instant, UTC."""
        return self.bank.now()


@dataclass
class Bench:
    """Books, activities, and the simulator that plays rail, bureau and guarantor."""

    bank: SimulatedBank
    books: SqlBooks
    queries: SqlQueries
    activities: ClosureActivities
    count: int = 0

    async def give(self, kind: type, **values: object) -> None:
        """Apply a command under a fresh id."""
        self.count += 1
        await self.books.apply(kind(id=f"c{self.count}", actor=TESTER, reason="a test", **values))

    async def settled(self, loan: str) -> None:
        """Board a loan that is due today, and have it paid, proven and released."""
        today = local_day(self.bank.now(), SHANGHAI)
        product = closing(CLOSING, replace(PRODUCT, reminders=ReminderPlan((), DAY_AND_NIGHT)))
        await self.books.apply(board(loan, product, schedule(((10000, 100),), today)))
        await self.bank.rail.put_mandate(build_mandate(f"M-{loan}"), "CNY")
        await self.give(RollDay, loan_id=loan, day=today)
        ref = f"T-{loan}"
        await self.give(
            RecordPayment,
            loan_id=loan,
            number=1,
            reference=ref,
            amount_minor=10100,
            currency="CNY",
            value_on=today,
        )
        line = StatementLine(
            f"line-{loan}",
            "ACCT-FUNDER-1-CNY",
            today,
            today,
            10100,
            "CNY",
            None,
            items=(LineItem(ref, None, None, 10100),),
        )
        await self.give(BookLine, statement_id=f"S-{loan}", line=line)
        await self.bank.advance(self.bank.offset + timedelta(days=5))
        await self.give(RollDay, loan_id=loan, day=today + timedelta(days=5))

    async def view(self, loan: str) -> ClosureView:
        """The closure as it is now."""
        found = await self.queries.view(Subject(LOAN_CLOSURE, loan))
        assert found is not None
        return found

    async def closure(self, loan: str) -> LoanClosure:
        """The closure as the books hold it."""
        found = await self.queries.loan(loan)
        assert found is not None
        assert found.closing is not None
        return found.closing

    async def drive(self, loan: str) -> ClosureView:
        """Perform actions as a driver does, up to the end; time passes where one is later."""
        for _ in range(60):
            view = await self.view(loan)
            action = view.next_action
            if action is None:
                return view
            if (wait := action.not_before - self.bank.now()) > timedelta(0):
                await self.bank.advance(self.bank.offset + wait + timedelta(seconds=1))
            how = LoanClosureWorkflow.performs[action.kind].activity
            order = ActionOrder(view.subject, view.generation, view.version, action)
            perform = getattr(self.activities, how.__name__)
            await ActivityEnvironment().run(perform, order)
            await self.delivered(loan)
        raise AssertionError(await self.view(loan))

    async def delivered(self, loan: str) -> None:
        """The carrier delivers what the closure has sent."""
        for leg in (await self.closure(loan)).legs:
            told = leg.kind in {LegKind.TELL_BORROWER, LegKind.TELL_REVOKED}
            if told and leg.state == "REQUESTED":
                await self.give(
                    RecordDeliveryReport, message_id=leg.reference, channel="", delivered=True
                )


@pytest_asyncio.fixture
async def bench(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Bench]:
    """Give empty books beside a calm simulator."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    async with running_bank(tmp_path) as bank:
        clock = BankClock(bank)
        address = str(bank.control.base_url).rstrip("/") + "/bureau"
        async with SqlBooks(engine, clock, RULES) as books, RailHttp(address) as http:
            bureau = HttpBureau(SimbankCalls(http, {MERCHANT: API_SECRET}, bank.now), MERCHANT)
            queries = SqlQueries(engine, clock, RULES)
            made = ClosureActivities(
                books.for_drivers(),
                queries,
                {"simbank": bank.rail},
                {"bureau-1": bureau, "guarantor-1": bureau},
                Issuer(a_signer(1), "Lender"),
                SqlCheckpoints(engine, clock, a_signer(1)),
                clock,
            )
            yield Bench(bank, books, queries, made)
            report = await SqlSelfAudit(engine, clock, RULES).audit()
            assert report.found.kept == []
            assert (await queries.verify()).faults == ()
    await engine.dispose()


async def test_a_loan_is_closed_certified_sealed_and_revoked(bench: Bench, tmp_path: Path) -> None:
    """Every leg by whoever does it; a match undone afterwards tells everybody again."""
    await bench.settled("L1")
    view = await bench.drive("L1")
    assert view.state == "CLOSED"
    assert set(view.detail.legs.values()) == {"DONE", "NOT_NEEDED"}
    closure = await bench.closure("L1")
    size, root = closure.sealed_by.split(" ")
    assert int(size) > 0
    assert len(root) == 64
    assert closure.certificate is not None
    file = tmp_path / "c.pdf"
    file.write_bytes(pdf_of(closure.certificate))
    keys = [PublicKey("acquit", a_signer(1).public)]
    assert proven(read_certificate(file), keys).loan_id == "L1"
    mandate = (await bench.queries.loan("L1")).mandate  # type: ignore[union-attr]
    assert mandate.ended_on is not None
    kinds = {leg.kind: leg.proof for leg in closure.legs}
    assert kinds[LegKind.TELL_BUREAU].startswith("receipt BR")
    await bench.give(
        UndoMatch, loan_id="L1", number=1, line="line-L1", reference="T-L1", approver="ops-9"
    )
    assert (await bench.view("L1")).state == "REVOKING"
    assert (await bench.drive("L1")).state == "REVOKED"
    assert (await bench.closure("L1")).certificate is None


@pytest.mark.parametrize(
    ("loan", "state", "leg"),
    [
        ("bureau-loses-1", "CLOSED", "DONE"),
        ("bureau-delays-1", "CLOSED", "DONE"),
        ("bureau-rejects-1", "RUNNING", "REJECTED"),
    ],
)
async def test_a_bureau_that_misbehaves(bench: Bench, loan: str, state: str, leg: str) -> None:
    """A lost report is sent again, a slow one awaited, and a rejection is a person's."""
    await bench.settled(loan)
    view = await bench.drive(loan)
    assert (view.state, view.detail.legs["tell_bureau"]) == (state, leg)


async def test_without_key_bureau_or_rail_an_action_fails_and_changes_nothing(
    bench: Bench,
) -> None:
    """The driver looks again, and asks for a person: what is missing is named."""
    await bench.settled("L1")
    view = await bench.view("L1")
    made = ClosureActivities(
        bench.books.for_drivers(),
        bench.queries,
        {},
        {},
        None,
        SqlCheckpoints(bench.queries._engine, BankClock(bench.bank), None),
        BankClock(bench.bank),
    )
    for _ in range(4):
        view = await bench.view("L1")
        action = view.next_action
        assert action is not None
        order = ActionOrder(view.subject, view.generation, view.version, action)
        how = LoanClosureWorkflow.performs[action.kind].activity
        with pytest.raises(ApplicationError, match=r"no key|does not serve|does not reach"):
            await ActivityEnvironment().run(getattr(made, how.__name__), order)
        if action.kind == "ISSUE":
            break
    assert (await bench.closure("L1")).certificates == ()
