"""Opens and ends the cases of controls over the statements of an account, by what is known now."""

from collections.abc import Collection, Sequence
from datetime import date

from temporalio.exceptions import ApplicationError

from activities.statementrecord import (
    in_words,
    known_of,
    read_of,
    restated_subject,
    with_version,
)
from domain.kernel import canonical
from domain.kernel.command import Actor
from domain.statement.broken import EndStatementBreak, RecordStatementBreak, StatementBreak
from domain.statement.controls import Controls, Failing, statement_subject
from domain.statement.neighbours import beside
from domain.statement.statement import Statement
from domain.statement.versions import counting
from domain.text import cleaned
from ports.archive import Archive, StatementRecord
from ports.books import Books

CONTROLS = Actor("system", "statement_controls")
FAULTS_SHOWN = 20
_AT_ONCE = 500


class StatementControls:
    """Compares the controls that fail for an account with its open cases.

    Everything is judged from the records of statements, never from the file that came last: two
    files that are read at once, or a process that dies, leave nothing behind that the next look
    does not put right.
    """

    def __init__(self, archive: Archive, books: Books) -> None:
        self._archive, self._books = archive, books

    async def look(self, account: str, named: Collection[str] = ()) -> int:
        """Judge the statements named and those near them; the number of cases opened or ended.

        While a file of the account waits for its reader nothing is judged: what another one lacks,
        it may bring. Whoever looks next judges the statements of both.

        Args:
            account: whose statements.
            named: their subjects (`statement_subject`). Those of files that are not judged yet
                are judged besides, and wherever they stand those with an open case.

        Raises:
            Exception: the books did not take a case.
        """
        due = await self._archive.due_controls(account)
        if due is None:
            return 0
        keys = await self._archive.open_controls(account)
        if not named and not keys and not due:
            return 0
        decided = await self._judge(account, {*named}, keys, due)
        await self._archive.judged(due)
        return decided

    async def _judge(
        self, account: str, named: set[str], keys: frozenset[str], due: frozenset[str]
    ) -> int:
        """Judge the statements named, of these files, with these open cases, and those near."""
        records, commands = await self._decided(await self._archive.statements(account), keys)
        controls = Controls(account, [known_of(record) for record in records])
        named |= {
            statement_subject(read_of(record).head)
            for record in records
            if not due.isdisjoint({record.sha256, *(it.sha256 for it in record.versions)})
        }
        judged = controls.looked_at(named, keys)
        failing = {one.key: one for one in controls.failing(judged)}
        commands += [_opened(failing[key]) for key in sorted(failing.keys() - keys)]
        ended = sorted(keys & controls.possible(judged) - failing.keys())
        commands += [_ended(key, "what it lacked has come", len(records)) for key in ended]
        await self._apply(commands)
        return len(commands)

    async def expect(self, account: str, missing: Collection[date], first: date, last: date) -> int:
        """Open a case for each day of which a statement is overdue; end those of other days.

        Args:
            account: whose statements.
            missing: days that are overdue and not covered.
            first, last: days that were looked at; cases of others are left.
        """
        keys = await self._archive.open_controls(account)
        start = f"{StatementBreak.MISSING.value}/{account}/"
        opened = {start + day.isoformat(): day for day in missing}
        ended = [
            key
            for key in sorted(keys - opened.keys())
            if key.startswith(start)
            and (day := _day(key.removeprefix(start)))
            and first <= day <= last
        ]
        commands: list[RecordStatementBreak | EndStatementBreak] = [
            _break(StatementBreak.MISSING, key.partition("/")[2], _overdue(account, opened[key]))
            for key in sorted(opened.keys() - keys)
        ]
        commands += [_ended(key, "a statement of the day has come", 0) for key in ended]
        await self._apply(commands)
        return len(commands)

    async def _apply(self, commands: Sequence[RecordStatementBreak | EndStatementBreak]) -> None:
        for first in range(0, len(commands), _AT_ONCE):
            for answer in await self._books.apply_many(commands[first : first + _AT_ONCE]):
                if isinstance(answer, Exception):
                    raise answer

    async def _decided(
        self, records: Sequence[StatementRecord], keys: Collection[str]
    ) -> tuple[list[StatementRecord], list[RecordStatementBreak | EndStatementBreak]]:
        """The records, each with the version that counts; and the ends of cases about others."""
        now, ends = list(records), list[RecordStatementBreak | EndStatementBreak]()
        for place, record in enumerate(records):
            if not record.versions:
                continue
            others = [read_of(other).head for other in records if other is not record]
            now[place], is_certain = await self._counting(record, others)
            if is_certain and await self._is_held(now[place]):
                why = "the statements before and after fit one version only, and we hold its lines"
                subjects = [restated_subject(record, it.sha256) for it in record.versions]
                found = {f"{StatementBreak.RESTATED.value}/{subject}" for subject in subjects}
                ends += [_ended(key, why, len(records)) for key in sorted(found & set(keys))]
        return now, ends

    async def _counting(
        self, record: StatementRecord, others: Sequence[Statement]
    ) -> tuple[StatementRecord, bool]:
        """The record with the version that counts now, and whether that one is certain.

        Raises:
            ApplicationError: `RecordElsewhere`: another worker changes the record just now.
        """
        before, after = beside(read_of(record).head, others)
        current = next(it for it in record.versions if it.sha256 == record.sha256)
        chosen, is_certain = counting(
            record.versions,
            current,
            None if before is None else before.closing_minor,
            None if after is None else after.opening_minor,
        )
        if chosen is current:
            return record, is_certain
        now = with_version(record, chosen)
        if not await self._archive.restate(record, now):
            raise elsewhere(record)
        return now, is_certain

    async def _is_held(self, record: StatementRecord) -> bool:
        """Whether the books hold for its days exactly what the statement says that moved."""
        if any(version.doubtful for version in record.versions):
            return False
        first, last = record.first_on, record.last_on
        opening, closing = record.opening_minor, record.closing_minor
        if first is None or last is None or opening is None or closing is None:
            return False
        booked = await self._archive.booked_minor(record.account, first, last)
        return booked == closing - opening


def elsewhere(record: StatementRecord) -> ApplicationError:
    """The fault of a record that another worker changes just now; another try helps."""
    text = f"statement {record.statement_id} is recorded by another worker just now"
    return ApplicationError(text, type="RecordElsewhere")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:  # of another account, whose name goes on after a slash
        return None


def _overdue(account: str, day: date) -> str:
    return f"no statement of account {account} covers {day.isoformat()}, and it is overdue"


def _opened(failing: Failing) -> RecordStatementBreak:
    words = "; ".join(in_words(fault, failing.currency) for fault in failing.faults[:FAULTS_SHOWN])
    return _break(failing.what, failing.subject, words, failing.faults[0].rule.value)


def _break(what: StatementBreak, subject: str, text: str, cause: str = "") -> RecordStatementBreak:
    """The command for a control that fails.

    Its id is made of what fails: a case that a person has ended is not opened again by the same.
    """
    mark = canonical.digest((what, subject, text))[:16]
    return RecordStatementBreak(
        id=f"control/{what.value}/{mark}",
        actor=CONTROLS,
        reason="a control over the statements of an account fails",
        what=what,
        subject=subject,
        text=cleaned(text),
        cause=cause,
    )


def _ended(key: str, why: str, count: int) -> EndStatementBreak:
    """The command that ends a case; `count` tells one end from an earlier one of the same case."""
    kind, _, subject = key.partition("/")
    mark = canonical.digest((key, why, count))[:16]
    return EndStatementBreak(
        id=f"control/end/{mark}",
        actor=CONTROLS,
        reason="a control over the statements of an account holds again",
        what=StatementBreak(kind),
        subject=subject,
        text=why,
    )
