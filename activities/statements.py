"""Hands for a statement file: survey it whole, book its lines page by page, keep what was read."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.uncut import Life, heartbeats
from domain import canonical
from domain.loan.aggregate import Actor
from domain.loan.commands import BookLine
from domain.reconciliation.statement import Fault, FaultRule, Statement, StatementLine, follows
from ports.archive import Archive, StatementRecord
from ports.books import Books
from ports.statements import (
    StatementPage,
    StatementReader,
    StatementRefused,
    StatementSummary,
)

READER = Actor("system", "statement")
FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class StatementOrder:
    """Read the kept file of this hash."""

    tenant: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SurveyedStatement:
    """One statement of a file, counted before anything is booked. Amounts in minor units."""

    statement_id: str
    account: str
    lines: int
    sum_minor: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a file holds."""

    sha256: str
    statements: tuple[SurveyedStatement, ...]


@dataclass(frozen=True, slots=True)
class BookedFile:
    """What became of a file: lines booked, lines known before, faults in words."""

    sha256: str
    statements: int = 0
    lines: int = 0
    known_before: int = 0
    statements_known_before: int = 0
    faults: tuple[str, ...] = ()


class StatementActivities:
    """Bulk never enters a history: only counts and faults do."""

    def __init__(self, archive: Archive, reader: StatementReader, books: Books) -> None:
        self._archive, self._reader, self._books = archive, reader, books

    @activity.defn(name="statements.survey")
    async def survey(self, order: StatementOrder) -> Surveyed:
        """Look through the whole file once, so that a broken one is refused before any booking.

        Raises:
            ApplicationError: `StatementRefused` with field, value, rule and line; not retryable.
        """
        async with heartbeats():
            summaries = await self._summaries(await self._content(order.sha256))
        return Surveyed(order.sha256, tuple(_surveyed(item) for item in summaries))

    @activity.defn(name="statements.book")
    async def book(self, order: StatementOrder) -> BookedFile:
        """Book every line, then compare with the survey and record each statement.

        A line counts once whatever file brings it, so a try that died in the middle is repeated
        from the start. Control totals are taken before the first page and after the last one.
        """
        async with heartbeats() as life:
            return await self._book(order, life)

    async def _book(self, order: StatementOrder, life: Life) -> BookedFile:
        content = await self._content(order.sha256)
        summaries = await self._summaries(content)
        done = BookedFile(order.sha256)
        booked: dict[str, tuple[int, int]] = {}
        pages = self._reader.pages(io.BytesIO(content))
        while (page := await asyncio.to_thread(_next_page, pages)) is not None:
            done, failed = await self._book_page(page, done)
            if failed:
                first = f"{len(failed)} lines failed, the first {failed[0]}"
                raise ApplicationError(first, type="LinesFailed")
            lines, total = booked.get(page.head.id, (0, 0))
            more = sum(line.amount_minor for line in page.lines)
            booked[page.head.id] = (lines + len(page.lines), total + more)
            life.report(page.position, page.number)
        for summary in summaries:
            done = await self._close(order, summary, booked.get(summary.head.id, (0, 0)), done)
        return done

    async def _book_page(
        self, page: StatementPage, done: BookedFile
    ) -> tuple[BookedFile, Sequence[str]]:
        commands = [_command(page.head, line) for line in page.lines]
        answers = await self._books.apply_many(commands) if commands else ()
        failed = [
            f"{line.id}: {answer}"
            for line, answer in zip(page.lines, answers, strict=True)
            if isinstance(answer, Exception)
        ]
        known = sum(
            1 for answer in answers if not isinstance(answer, Exception) and answer.replayed
        )
        lines, before = done.lines + len(page.lines), done.known_before + known
        return replace(done, lines=lines, known_before=before), failed

    async def _close(
        self,
        order: StatementOrder,
        summary: StatementSummary,
        booked: tuple[int, int],
        done: BookedFile,
    ) -> BookedFile:
        head = summary.head
        if booked[0] != summary.lines:
            counts = f"{booked[0]} booked, {summary.lines} surveyed"
            raise ApplicationError(f"{head.id}: {counts}", type="ControlTotals")
        faults = [*summary.faults, *await self._sequence(head)]
        words = tuple(_in_words(fault) for fault in faults)
        record = StatementRecord(
            statement_id=head.id,
            account=head.account,
            currency=head.currency,
            sequence=head.sequence,
            booked_on=head.booked_on,
            opening_minor=head.opening_minor or 0,
            closing_minor=head.closing_minor or 0,
            lines=summary.lines,
            sha256=order.sha256,
            faults=words,
        )
        fresh = await self._archive.record_statement(record)
        return replace(
            done,
            statements=done.statements + 1,
            statements_known_before=done.statements_known_before + (not fresh),
            faults=(*done.faults, *words)[:FAULTS_SHOWN],
        )

    async def _sequence(self, head: Statement) -> tuple[Fault, ...]:
        """What is wrong between this statement and its neighbours on the same account."""
        others = [
            record
            for record in await self._archive.statements(head.account)
            if record.statement_id != head.id
        ]
        if head.sequence is None:
            return ()
        numbered = [record for record in others if record.sequence is not None]
        if any(record.sequence == head.sequence for record in numbered):
            return (Fault(FaultRule.SEQUENCE_REPEATED, head.id, head.sequence),)
        before = [record for record in numbered if (record.sequence or 0) < head.sequence]
        if not before:
            return ()
        last = max(before, key=lambda record: record.sequence or 0)
        return follows(_head_of(last), head)

    async def _content(self, sha256: str) -> bytes:
        try:
            return await self._archive.load(sha256)
        except KeyError:
            raise ApplicationError(f"no file {sha256} is kept", type="NoSuchFile") from None

    async def _summaries(self, content: bytes) -> tuple[StatementSummary, ...]:
        try:
            survey = await asyncio.to_thread(self._reader.survey, io.BytesIO(content))
        except StatementRefused as refusal:
            raise ApplicationError(
                str(refusal),
                {
                    "field": refusal.field,
                    "value": str(refusal.value),
                    "rule": refusal.rule,
                    "line": refusal.line,
                },
                type="StatementRefused",
                non_retryable=True,
            ) from refusal
        return survey.statements


def _next_page(pages: Iterator[StatementPage]) -> StatementPage | None:
    return next(pages, None)


def _command(head: Statement, line: StatementLine) -> BookLine:
    """The same line of the same statement is the same command; another reading is told apart."""
    mark = canonical.digest((head.id, line))[:16]
    return BookLine(
        id=f"line/{line.id}/{mark}",
        actor=READER,
        reason=f"statement {head.id}",
        statement_id=head.id,
        line=line,
    )


def _surveyed(summary: StatementSummary) -> SurveyedStatement:
    faults = tuple(_in_words(fault) for fault in summary.faults)[:FAULTS_SHOWN]
    head = summary.head
    return SurveyedStatement(head.id, head.account, summary.lines, summary.sum_minor, faults)


def _in_words(fault: Fault) -> str:
    figures = "" if fault.stated is None else f" (stated {fault.stated}, counted {fault.counted})"
    return f"{fault.rule.value}: {fault.where}{figures}"


def _head_of(record: StatementRecord) -> Statement:
    return Statement(
        id=record.statement_id,
        account=record.account,
        currency=record.currency,
        sequence=record.sequence,
        booked_on=record.booked_on,
        opening_minor=record.opening_minor,
        closing_minor=record.closing_minor,
    )
