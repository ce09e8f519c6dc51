"""Activities of a statement file: survey it whole, book its lines by pages, keep a record."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.matching import LineMatching
from activities.shielded import Life, heartbeats
from activities.statementbreaks import READER, break_of, lost_line
from activities.statementcontrols import StatementControls, elsewhere
from activities.statementlines import OwnLines
from activities.statementreading import Failures, Reading, refused
from activities.statementrecord import (
    FOR_PEOPLE,
    in_words,
    read_of,
    record_of,
    restated,
    restated_subject,
    version_of,
)
from domain.kernel import canonical
from domain.kernel.change import Applied, Done, Refused
from domain.loan.commands import BookLine
from domain.statement.broken import RecordStatementBreak, StatementBreak
from domain.statement.controls import statement_subject
from domain.statement.neighbours import Read, among
from domain.statement.statement import DocumentKind, FaultRule, Statement, StatementLine
from ports.archive import Archive, StatementRecord
from ports.books import Books
from ports.statements import (
    StatementPage,
    StatementReader,
    StatementRefused,
    StatementSummary,
)

FAULTS_SHOWN = 20
STATEMENTS_SHOWN = 20
"""Statements of a file that its workflow's history names: a file may have thousands."""
LINE_TRIES = 5
"""How often a file is tried before a line that fails each time is left to a person."""
_NO_STATEMENT = "a booked statement: a report or notification does not move the bank account"


@dataclass(frozen=True, slots=True)
class StatementOrder:
    """Read the kept file of this hash.

    `account`: the bank account that it was handed in for; empty where none was named. A file with
    statements of another one is refused.
    """

    tenant: str
    sha256: str
    account: str = ""


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
    """What a file holds: its first `STATEMENTS_SHOWN` statements, and how many lines in all."""

    sha256: str
    statements: tuple[SurveyedStatement, ...]
    lines: int = 0


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
    """Surveys and books statement files. Only counts and faults enter the workflow's history."""

    def __init__(
        self,
        archive: Archive,
        reader: StatementReader,
        books: Books,
        matching: LineMatching | None = None,
    ) -> None:
        self._archive, self._reader, self._books = archive, reader, books
        self._matching = matching
        self._controls = StatementControls(archive, books)

    @activity.defn(name="statements.survey")
    async def survey(self, order: StatementOrder) -> Surveyed:
        """Look through the whole file once, so that a broken one is refused before any booking.

        Raises:
            ApplicationError: `StatementRefused` with field, value, rule and line; not retryable.
                The refused file is a case.
        """
        async with heartbeats(), self._opened(order.sha256) as source:
            try:
                summaries = await self._summaries(order, source)
            except StatementRefused as refusal:
                await self._refuse(order, refusal)
                raise refused(refusal) from refusal
        shown = tuple(_surveyed(item) for item in summaries[:STATEMENTS_SHOWN])
        return Surveyed(order.sha256, shown, sum(item.lines for item in summaries))

    @activity.defn(name="statements.book")
    async def book(self, order: StatementOrder) -> BookedFile:
        """Book every line, then compare with the survey and record each statement.

        After each page the books' own database says how far the reading is, so a try after one that
        died in the middle books from there on. A line counts once whatever file brings it, so the
        page that was in hand may be booked again. A line that the books do not take stops no other:
        the rest of the file is booked first. What a rule of ours refuses is a case at once, beyond
        `domain.case.item.ALIKE_MOST` an item of one. For what may pass the try fails at its end, so
        that the pages of such lines are tried again; on the last of `LINE_TRIES` they are cases
        too, and the statement is recorded without them.

        Raises:
            ApplicationError: `LinesFailed` or `LinesUnsettled`, before the last try;
                `ReadElsewhere`, where another worker reads the file too.
        """
        async with heartbeats() as life, self._opened(order.sha256) as source:
            return await self._book(order, source, life)

    async def _book(self, order: StatementOrder, source: BinaryIO, life: Life) -> BookedFile:
        try:
            summaries = await self._summaries(order, source)
        except StatementRefused as refusal:
            raise refused(refusal) from refusal
        owns = [await self._own_lines(summary.head, summaries) for summary in summaries]
        reading = await Reading.of(self._archive, order.sha256, summaries)
        source.seek(0)
        pages = self._reader.pages(source)
        while (page := await asyncio.to_thread(_next_page, pages)) is not None:
            await self._book_page(order, page, owns[page.position], reading)
            life.report(page.position, page.number)
        _raise_passing(reading.failures)
        _raise_unsettled(owns)
        lines, known = reading.lines.total(), reading.known
        done = BookedFile(order.sha256, lines=lines, known_before=known)
        for position, summary in enumerate(summaries):
            reported = replace(summary, faults=(*summary.faults, *owns[position].faults()))
            _raise_miscounted(summary, reading.lines[position])
            lost = reading.failures.by_statement[position]
            last = position == len(summaries) - 1
            done = await self._close(order, reported, lost, done, ends_file=last)
        await self._control([summary.head for summary in summaries])
        if self._matching is not None and reading.waits:
            await self._matching.match()
        return done

    async def _refuse(self, order: StatementOrder, refusal: StatementRefused) -> None:
        """A case for the file; then those that were read meanwhile wait for it no longer."""
        text = f"file {order.sha256} is refused: {refusal.hidden()}"
        await self._record(StatementBreak.FILE_REFUSED, order.sha256, text)
        await self._archive.refused(order.sha256)
        if order.account:
            await self._controls.look(order.account)

    async def _control(self, heads: Sequence[Statement]) -> None:
        """Judge the controls of the accounts of the file, now that its statements are recorded."""
        named = defaultdict[str, set[str]](set)
        for head in heads:
            named[head.account].add(statement_subject(head))
        for account in sorted(named):
            await self._controls.look(account, named[account])

    async def _own_lines(self, head: Statement, summaries: Sequence[StatementSummary]) -> OwnLines:
        """The lines of one statement beside the other statements of its account and file."""
        records = await self._archive.statements(head.account)
        others = [read_of(record).head for record in records]
        others += [other.head for other in summaries if other.head.account == head.account]
        return OwnLines(self._archive, head, others)

    async def _book_page(
        self, order: StatementOrder, page: StatementPage, own: OwnLines, reading: Reading
    ) -> None:
        # Also of pages that are passed: equal lines of the statement are counted on from them.
        lines = await own.named(page.lines)
        if reading.passed(page):
            return
        commands = [_command(order, page.head, line) for line in lines]
        answers = await self._books.apply_many(commands) if commands else ()
        known: list[str] = []
        lost: list[RecordStatementBreak] = []
        failed = False
        for line, answer in zip(lines, answers, strict=True):
            if isinstance(answer, Exception):
                failed = True
                may_pass = reading.failures.add(page.position, line.id, answer)
                if not may_pass or _is_last_try():
                    lost.append(lost_line(order.sha256, line, answer))
            elif answer.replayed or _is_noted(answer, "known"):
                known.append(line.id)
            reading.waits |= _is_noted(answer, "unmatched")
        await self._record_lost(lost)
        doubt = await own.known(known)
        await reading.done(page, len(known), again=failed or doubt)

    async def _record_lost(self, lost: Sequence[RecordStatementBreak]) -> None:
        """Lines of one page that the books will not take, as cases or as items of one.

        Raises:
            Exception: what kept one from being recorded; the page is read again.
        """
        for answer in await self._books.apply_many(lost) if lost else ():
            if isinstance(answer, Exception):
                raise answer

    async def _record(self, what: StatementBreak, subject: str, text: str, cause: str = "") -> None:
        await self._books.apply(break_of(what, subject, text, cause))

    async def _close(
        self,
        order: StatementOrder,
        summary: StatementSummary,
        lost: int,
        done: BookedFile,
        *,
        ends_file: bool,
    ) -> BookedFile:
        head = summary.head
        read = Read(head, summary.lines, summary.sum_minor, summary.later_minor)
        records = await self._archive.statements(head.account)
        found = among(read, [read_of(record) for record in records])
        change = None
        if any(fault.rule is FaultRule.RESTATED for fault in found):
            known = _known(head, records)
            change = (known, restated(known, version_of(order.sha256, summary)))
            found = found if change[1] is not known else ()
        faults = tuple(dict.fromkeys((*summary.faults, *found)))
        words = [in_words(fault, head.currency) for fault in faults]
        if lost:
            words.insert(0, f"lines_failed: {lost} of {summary.lines} lines of {head.id}")
        record = record_of(order.sha256, summary, tuple(words))
        if anew := [fault.rule for fault in faults if fault.rule in FOR_PEOPLE]:
            subject = restated_subject(record, order.sha256)
            text = f"account {head.account}, file {order.sha256}: {'; '.join(words)}"
            await self._record(StatementBreak.RESTATED, subject, text, anew[0].value)
        # After the case: who dies between the two records the version, and the case with it, again.
        if change is not None and not await self._archive.restate(*change):
            raise elsewhere(change[0])
        fresh = await self._archive.record_statement(record, ends_file=ends_file)
        return replace(
            done,
            statements=done.statements + 1,
            statements_known_before=done.statements_known_before + (not fresh),
            faults=(*done.faults, *words)[:FAULTS_SHOWN],
        )

    @asynccontextmanager
    async def _opened(self, sha256: str) -> AsyncIterator[BinaryIO]:
        async with AsyncExitStack() as closing:
            try:
                source = await closing.enter_async_context(self._archive.open(sha256))
            except KeyError:
                raise ApplicationError(f"no file {sha256} is kept", type="NoSuchFile") from None
            yield source

    async def _summaries(
        self, order: StatementOrder, source: BinaryIO
    ) -> tuple[StatementSummary, ...]:
        """What the file holds, if it may be booked: reports and notifications never are.

        Raises:
            StatementRefused: the file is broken, or holds what is no booked statement, or a
                statement of another account than the one that it was handed in for.
        """
        survey = await asyncio.to_thread(self._reader.survey, source)
        for summary in survey.statements:
            if order.account and summary.head.account != order.account:
                rule = f"an account of this file, which was handed in for {order.account}"
                raise StatementRefused("account", summary.head.account, rule)
            if summary.head.kind is not DocumentKind.STATEMENT:
                value = f"{summary.head.kind.value} {summary.head.id} ({survey.format})"
                raise StatementRefused("kind", value, _NO_STATEMENT)
        return survey.statements


def _known(head: Statement, records: Sequence[StatementRecord]) -> StatementRecord:
    """The record of a statement that is known."""
    subject = statement_subject(head)
    return next(it for it in records if statement_subject(read_of(it).head) == subject)


def _is_last_try() -> bool:
    return activity.info().attempt >= LINE_TRIES


def _raise_passing(failures: Failures) -> None:
    """Have the file tried again for lines that another try may help; on the last they are cases."""
    if failures.passing and not _is_last_try():
        text = f"{failures.by_statement.total()} lines failed, the first {failures.first}"
        raise ApplicationError(text, type="LinesFailed")


def _raise_unsettled(owns: Sequence[OwnLines]) -> None:
    """Have a file read again whose lines another one brought that is being read just now."""
    meanwhile = sorted(set().union(*(own.unsettled for own in owns)))
    if meanwhile and not _is_last_try():
        text = f"statement {meanwhile[0]} is being read too and has equal lines"
        raise ApplicationError(text, type="LinesUnsettled")


def _raise_miscounted(summary: StatementSummary, booked: int) -> None:
    """Fail where another number of lines was booked than was surveyed."""
    if booked != summary.lines:
        counts = f"{booked} booked, {summary.lines} surveyed"
        raise ApplicationError(f"{summary.head.id}: {counts}", type="ControlTotals")


def _is_noted(answer: Applied | Refused | Exception, note: str) -> bool:
    """Whether a line was answered so: known, for one, if another statement brought it before."""
    return (
        isinstance(answer, Applied)
        and isinstance(answer.answer, Done)
        and answer.answer.note == note
    )


def _next_page(pages: Iterator[StatementPage]) -> StatementPage | None:
    return next(pages, None)


def _command(order: StatementOrder, head: Statement, line: StatementLine) -> BookLine:
    """The same line of the same statement is the same command; another reading is another one."""
    mark = canonical.digest((head.id, line))[:16]
    return BookLine(
        id=f"line/{line.id}/{mark}",
        actor=READER,
        reason=f"statement {head.id}",
        statement_id=head.id,
        line=line,
        file=order.sha256,
    )


def _surveyed(summary: StatementSummary) -> SurveyedStatement:
    head = summary.head
    faults = tuple(in_words(fault, head.currency) for fault in summary.faults)[:FAULTS_SHOWN]
    return SurveyedStatement(head.id, head.account, summary.lines, summary.sum_minor, faults)
