"""Small fakes of the ports that bulk work uses."""

import hashlib
import io
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import BinaryIO

from domain.kernel.change import Applied, Done, Refused
from domain.kernel.subject import Subject
from domain.loan.view import InstallmentView
from domain.payout.payout import Payout
from domain.statement.statement import Statement, StatementLine
from domain.statement.totals import Totals
from ports.archive import Look, Reached, StatementRecord
from ports.boarding import LoanApplication
from ports.payoutqueries import Refundable, Remittable
from ports.statements import FileSurvey, StatementPage, StatementRefused, StatementSummary
from ports.sweepqueries import Due
from tests.support.doors import AnyCommand


@dataclass
class FakeLedger:
    """Books that take everything, once each; ids in `fails` fail with an exception."""

    fails: set[str] = field(default_factory=set)
    applied: dict[str, AnyCommand] = field(default_factory=dict)
    refuse: str = ""

    async def apply(self, command: AnyCommand) -> Applied | Refused:
        if self.refuse:
            return Refused(self.refuse, "not allowed")
        known = command.id in self.applied
        self.applied[command.id] = command
        return Applied(Done(), replayed=known)

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        return [
            RuntimeError("poisoned") if command.id in self.fails else await self.apply(command)
            for command in commands
        ]


@dataclass
class FakeQueries:
    """Lists of loans to roll and of installments to heal."""

    to_roll: list[str] = field(default_factory=list)
    open: list[InstallmentView] = field(default_factory=list)
    late: list[InstallmentView] = field(default_factory=list)

    async def loans_to_roll(
        self, day: date, after: str, limit: int, timezone: str | None = None
    ) -> tuple[str, ...]:
        return tuple(loan for loan in sorted(self.to_roll) if loan > after)[:limit]

    async def unfinished(self, after: Subject, limit: int) -> tuple[InstallmentView, ...]:
        rest = [view for view in self.open if view.subject > after]
        return tuple(rest[:limit])

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> tuple[Due, ...]:
        return ()

    async def lagging(self, now: datetime, quiet_s: int, limit: int) -> tuple[InstallmentView, ...]:
        return tuple(self.late[:limit])


@dataclass
class FakeOutbox:
    """Holds a number of messages."""

    waiting: int = 0

    async def sweep(self, limit: int = 500) -> int:
        done, self.waiting = self.waiting, 0
        return done

    async def pending(self) -> int:
        return self.waiting


@dataclass
class FakeArchive:
    """Keeps files and records in memory."""

    files: dict[str, bytes] = field(default_factory=dict)
    progress: dict[str, Reached] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    records: dict[tuple[str, str, str], StatementRecord] = field(default_factory=dict)
    looks: dict[tuple[str, str], Look] = field(default_factory=dict)

    async def keep(self, kind: str, parts: AsyncIterator[bytes], account: str | None = None) -> str:
        return self.put(b"".join([part async for part in parts]))

    def put(self, content: bytes) -> str:
        """Keep a file at once."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[sha256] = content
        return sha256

    @asynccontextmanager
    async def open(self, sha256: str) -> AsyncIterator[BinaryIO]:
        yield io.BytesIO(self.files[sha256])

    async def kept(self, sha256s: Sequence[str]) -> dict[str, bool]:
        return {name: name in self.read for name in sha256s if name in self.files}

    async def look_at(self, source: str, stamps: Mapping[str, str]) -> Mapping[str, Look]:
        return {name: look for name in stamps if (look := self.looks.get((source, name)))}

    async def looked(self, source: str, file_id: str, look: Look) -> None:
        self.looks[source, file_id] = look

    async def reached(self, sha256: str) -> Reached | None:
        return self.progress.get(sha256)

    async def reach(self, sha256: str, before: Reached | None, now: Reached) -> bool:
        if self.progress.get(sha256) != before:
            return False
        self.progress[sha256] = now
        return True

    async def record_statement(self, record: StatementRecord, *, ends_file: bool) -> bool:
        if ends_file:
            self.read.add(record.sha256)
            self.progress.pop(record.sha256, None)
        key = (record.account, record.statement_id, record.period)
        if key in self.records:
            return False
        self.records[key] = record
        return True

    async def refused(self, sha256: str) -> None:
        """Remember nothing."""

    async def due_controls(self, account: str) -> frozenset[str] | None:
        return frozenset()

    async def judged(self, sha256s: Collection[str]) -> None:
        """Remember nothing."""

    async def restate(self, before: StatementRecord, now: StatementRecord) -> bool:
        key = (before.account, before.statement_id, before.period)
        if self.records[key] != before:
            return False
        self.records[key] = now
        return True

    async def open_controls(self, account: str) -> frozenset[str]:
        return frozenset()

    async def booked_minor(self, account: str, first: date, last: date) -> int:
        return 0

    def record(self, statement_id: str) -> StatementRecord:
        """The only record of a statement id."""
        (found,) = [r for r in self.records.values() if r.statement_id == statement_id]
        return found

    async def statements(self, account: str | None = None) -> tuple[StatementRecord, ...]:
        return tuple(r for r in self.records.values() if account in {None, r.account})

    async def brought_by(self, line_ids: Sequence[str]) -> dict[str, str]:
        return {}


@dataclass
class FakeReader:
    """Reads files whose content names statements given to it: `b"s1,s2"`."""

    known: dict[str, Statement]
    page_lines: int = 2
    drops_last_line: bool = False

    def pages(self, source: BinaryIO) -> Iterator[StatementPage]:
        for position, statement in enumerate(self.read(source)):
            lines = statement.lines[:-1] if self.drops_last_line else statement.lines
            chunks = [
                lines[start : start + self.page_lines]
                for start in range(0, max(len(lines), 1), self.page_lines)
            ]
            head = replace(statement, lines=())
            for number, chunk in enumerate(chunks):
                last = number == len(chunks) - 1
                yield StatementPage(head, position, number, tuple(chunk), last, 0)

    def read(self, source: BinaryIO) -> Iterator[Statement]:
        for name in source.read().decode().split(","):
            if name not in self.known:
                raise StatementRefused("Stmt/Id", name, "a known statement", line=3)
            yield self.known[name]

    def survey(self, source: BinaryIO) -> FileSurvey:
        content = source.read()
        found = []
        for statement in self.read(io.BytesIO(content)):
            head = replace(statement, lines=())
            totals = Totals().plus(head, statement.lines)
            faults = totals.closed(head)
            found.append(StatementSummary(head, totals.lines, totals.sum_minor, 0, faults))
        sha256 = hashlib.sha256(content).hexdigest()
        return FileSurvey(sha256, len(content), tuple(found))


@dataclass
class FakeStarter:
    """Remembers which files it was asked to start, and says False the second time."""

    started: list[str] = field(default_factory=list)

    async def start_statement(self, tenant: str, sha256: str, account: str = "") -> bool:
        if sha256 in self.started:
            return False
        self.started.append(sha256)
        return True


@dataclass
class FakeDrivers:
    """Drivers by subject; those in `broken` cannot be woken."""

    alive: set[Subject] = field(default_factory=set)
    broken: set[Subject] = field(default_factory=set)
    woken: list[Subject] = field(default_factory=list)

    async def open(self, view: InstallmentView) -> None:
        self.alive.add(view.subject)

    async def wake(self, view: InstallmentView) -> None:
        if view.subject in self.broken:
            raise RuntimeError("cannot be woken")
        self.woken.append(view.subject)

    async def running(self, view: InstallmentView) -> bool:
        return view.subject in self.alive


def line(number: int, amount_minor: int, statement: str = "s1") -> StatementLine:
    """A booked line of an account in CNY."""
    day = date(2026, 12, 2)
    return StatementLine(f"acc/{statement}/{number}", "acc", day, day, amount_minor, "CNY", None)


def statement(name: str, sequence: int, opening: int, *amounts: int) -> Statement:
    """A statement that adds up."""
    day = date(2026, 12, 2)
    return Statement(
        id=name,
        account="acc",
        currency="CNY",
        sequence=sequence,
        booked_on=day,
        opening_minor=opening,
        closing_minor=opening + sum(amounts),
        period=(day, day),
        lines=tuple(line(n, amount, name) for n, amount in enumerate(amounts, start=1)),
    )


PLAIN = LoanApplication(
    tenant="t1",
    loan_id="L-1",
    borrower="B-1",
    product="cn-personal",
    principal="12000.00",
    annual_rate="12",
    periods="12",
    disbursed_on="2026-11-01",
    mandate_ref="M-1",
    account_token="A-1",
)
"""A loan as upstream sends it."""


class NoPayees:
    """Nobody is due anything; the policy of payees names nobody, so nobody asks."""

    async def refundable(self, after: str, limit: int) -> tuple[Refundable, ...]:
        raise AssertionError(after, limit)

    async def refunds(self, payment: str, after: str, limit: int) -> tuple[Payout, ...]:
        raise AssertionError(payment, after, limit)

    async def remittable(self, parties: tuple[str, ...]) -> tuple[Remittable, ...]:
        raise AssertionError(parties)

    async def unremitted(self) -> tuple[Remittable, ...]:
        raise AssertionError

    async def requests_of(
        self, party: str, currency: str, account: str, cut_off_on: date
    ) -> tuple[str, ...]:
        raise AssertionError(party)

    async def owing(self) -> tuple[tuple[str, str, str], ...]:
        raise AssertionError

    async def loans_to_set_off(
        self, party: str, currency: str, account: str, limit: int
    ) -> tuple[str, ...]:
        raise AssertionError(party)
