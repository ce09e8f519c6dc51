"""The read side on SQL: implements `ports.queries.Queries`."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.looking import look, read_loan_now
from adapters.sql.read.postings import items_of, journal_of, trail_of
from adapters.sql.read.stories import history_of, story_of
from adapters.sql.read.verifying import verify_journal
from adapters.sql.rows import read_case, read_view
from adapters.sql.schema.tables import (
    DEAD,
    RUNNING,
    SWEPT,
    UNDELIVERED,
    attempts,
    balances,
    cases,
    chain_head,
    commands,
    loans,
    notices,
    outbox,
    portions,
    subjects,
)
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.deciding import ViewOf
from domain.case.agenda import view_of as case_view_of
from domain.case.case import CASE, Case
from domain.case.view import CaseView
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.ledger.entry import JournalPosting
from domain.loan import agenda
from domain.loan.aggregate import Loan, Rulebook
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT, installment_of
from domain.story.events import StoryEvent
from ports.clock import Clock
from ports.paging import Page
from ports.queries import (
    Balance,
    CaseFilter,
    ChainReport,
    OpenItem,
    Standing,
    Waiting,
)

_CASES = (
    select(subjects.c.body)
    .join(cases, cases.c.key == subjects.c.key)
    .where(subjects.c.kind == CASE)
    .order_by(cases.c.opened_at, cases.c.key)
)
_OPEN_CASES = _CASES.where(cases.c.closed_at.is_(None))


class SqlQueries:
    """Implements `ports.queries.Queries`; every answer is one snapshot of what is committed.

    `view` is computed anew from the aggregate and the rules of this build; lists of views give
    what was stored with the last write of each installment.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        rules: Rulebook,
        *,
        view_of: ViewOf = agenda.view_of,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._rules = rules
        self._view_of = view_of
        self._cache = LoanCache()

    async def view(self, subject: Subject) -> View[Any] | None:
        """The current view of one subject."""
        if subject.kind == CASE:
            case = await self.case(subject.key)
            now = self._clock.now()
            return None if case is None else case_view_of(case, self._rules.case_policy, now)
        loan_id, number = installment_of(subject)
        async with look(self._engine) as conn:
            loan = await read_loan_now(conn, loan_id, self._cache)
            if loan is None or not 1 <= number <= len(loan.installments):
                return None
            rows = await conn.execute(_OPEN_CASES.where(cases.c.loan_id == loan_id))
            found = [read_case(row.body) for row in rows]
        by_key = {case.key: case for case in found}
        return self._view_of(loan, number, self._rules, self._clock.now(), by_key)

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        async with look(self._engine) as conn:
            return await read_loan_now(conn, loan_id, self._cache)

    async def loans(self, after: str, limit: int) -> tuple[str, ...]:
        """Every loan on the books, in order of id, after `after`."""
        named = select(loans.c.id).where(loans.c.id > after).order_by(loans.c.id).limit(limit)
        return tuple(row.id for row in await self._rows(named))

    async def loans_to_roll(
        self, day: date, after: str, limit: int, timezone: str | None = None
    ) -> tuple[str, ...]:
        """Loans whose `next_roll_on` is at or before `day`, in order of id, after `after`."""
        rows = await self._rows(
            select(loans.c.id)
            .where(loans.c.next_roll_on <= day, loans.c.id > after, *_in(timezone))
            .order_by(loans.c.id)
            .limit(limit)
        )
        return tuple(row.id for row in rows)

    async def due_actions(self, now: datetime, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver whose next action is at or before `now`."""
        return await self._views(_actions(now), limit)

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> tuple[View[Any], ...]:
        """Not final subjects of a kind, without a driver, whose next action is due by `now`."""
        at, key = subjects.c.next_action_at, subjects.c.key
        since, last = after
        later = true() if since is None else or_(at > since, and_(at == since, key > last))
        due = select(subjects.c.kind, subjects.c.view).where(
            SWEPT, subjects.c.kind == kind, at <= now, later
        )
        return await self._views(due.order_by(at, key), limit)

    async def next_instant(self) -> datetime | None:
        """The least instant after now of the coming actions and the outbox's `not_before`."""
        now = self._clock.now()
        action = select(func.min(subjects.c.next_action_at)).where(
            RUNNING, subjects.c.next_action_at > now
        )
        message = select(func.min(outbox.c.not_before)).where(
            UNDELIVERED, outbox.c.not_before > now
        )
        async with look(self._engine) as conn:
            found = [(await conn.execute(statement)).scalar() for statement in (action, message)]
        return min((instant for instant in found if instant is not None), default=None)

    async def next_roll(self, timezone: str | None = None) -> date | None:
        """The least `next_roll_on` of all loans, or of those of one time zone."""
        rows = await self._rows(select(func.min(loans.c.next_roll_on)).where(*_in(timezone)))
        found: date | None = rows[0][0]
        return found

    async def lagging(self, now: datetime, quiet_s: int, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver, unchanged with a due action for `quiet_s` seconds.

        A change younger than `quiet_s` does not count: the message about it may be on its way.
        """
        since = now - timedelta(seconds=quiet_s)
        return await self._views(_actions(since).where(subjects.c.changed_at <= since), limit)

    async def unfinished(self, after: Subject, limit: int) -> tuple[View[Any], ...]:
        """Opened and not final subjects in order of (kind, key): drivers that must exist."""
        kind, key = subjects.c.kind, subjects.c.key
        later = or_(kind > after.kind, and_(kind == after.kind, key > after.key))
        return await self._views(_RUNNING.where(later).order_by(kind, key), limit)

    async def standing(self, states: Sequence[State], limit: int) -> tuple[Standing, ...]:
        """Installments in some states, those first that have been there longest."""
        of = subjects.c
        where = and_(of.kind == INSTALLMENT, of.state.in_([state.value for state in states]))
        statement = select(of.kind, of.view, of.state_since).where(where)
        ordered = statement.order_by(of.state_since, of.loan_id, of.number).limit(limit)
        rows = await self._rows(ordered)
        return tuple(Standing(read_view(row.kind, row.view), row.state_since) for row in rows)

    async def cases(self, *, open_only: bool = True) -> tuple[Case, ...]:
        """Cases, oldest first."""
        rows = await self._rows(_OPEN_CASES if open_only else _CASES)
        return tuple(read_case(row.body) for row in rows)

    async def case(self, key: str) -> Case | None:
        """One case, open or resolved."""
        rows = await self._rows(_CASES.where(cases.c.key == key))
        return read_case(rows[0].body) if rows else None

    async def case_list(
        self, wanted: CaseFilter, now: datetime, limit: int
    ) -> tuple[tuple[CaseView, ...], int]:
        """Cases, the oldest first, and how many there are in all."""
        listed = (
            select(subjects.c.kind, subjects.c.view)
            .join(cases, cases.c.key == subjects.c.key)
            .where(subjects.c.kind == CASE, *_of_cases(wanted, now))
        )
        async with look(self._engine) as conn:
            count = (
                await conn.execute(select(func.count()).select_from(listed.subquery()))
            ).scalar_one()
            if wanted.after:
                since = select(cases.c.opened_at).where(cases.c.key == wanted.after)
                at = since.scalar_subquery()
                listed = listed.where(
                    or_(
                        cases.c.opened_at > at,
                        and_(cases.c.opened_at == at, cases.c.key > wanted.after),
                    )
                )
            ordered = listed.order_by(cases.c.opened_at, cases.c.key).limit(limit)
            found = (await conn.execute(ordered)).fetchall()
        return tuple(read_view(row.kind, row.view) for row in found), count

    async def history(self, subject: Subject, after: str, limit: int) -> Page[StoryEvent]:
        """What commands did to one subject, in order."""
        async with look(self._engine) as conn:
            return await history_of(conn, subject, after, limit)

    async def waiting(self, loan_id: str | None = None) -> tuple[Waiting, ...]:
        """Open cases, oldest first; with `loan_id` only those that name that loan."""
        named = true() if loan_id is None else cases.c.loan_id == loan_id
        rows = await self._rows(_OPEN_CASES.add_columns(cases.c.opened_at).where(named))
        return tuple(Waiting(read_case(row.body), row.opened_at) for row in rows)

    async def story(
        self, loan_id: str, number: int | None, after: str, limit: int
    ) -> Page[StoryEvent]:
        """What happened to a loan or installment, in order."""
        async with look(self._engine) as conn:
            return await story_of(conn, loan_id, number, after, limit)

    async def trail(self, key: str) -> tuple[JournalPosting, ...]:
        """Every posting about one payment, debit order or bank line, in order of the journal."""
        async with look(self._engine) as conn:
            return await trail_of(conn, key)

    async def balances(self, prefix: str = "") -> tuple[Balance, ...]:
        """Balances of all accounts whose name starts with `prefix`, zero ones included."""
        statement = (
            select(balances)
            .where(func.substr(balances.c.account, 1, len(prefix)) == literal(prefix))
            .order_by(balances.c.account, balances.c.currency)
        )
        rows = await self._rows(statement)
        return tuple(Balance(row.account, row.currency, row.minor) for row in rows)

    async def items(self, account: str, limit: int) -> tuple[OpenItem, ...]:
        """What the balance of one account is for, item by item and place by place; none is zero."""
        async with look(self._engine) as conn:
            return await items_of(conn, account, limit)

    async def journal(self) -> AsyncGenerator[JournalPosting]:
        """All postings in the order of the chain, streamed from one snapshot."""
        unhurried = look(self._engine, unhurried=True)
        async with unhurried as conn, aclosing(journal_of(conn)) as found:
            async for posting in found:
                yield posting

    async def head(self) -> str:
        """The hash that the chain ends with, as it is kept; empty where its row is lost."""
        async with look(self._engine) as conn:
            return (await conn.execute(select(chain_head.c.hash))).scalar_one_or_none() or ""

    async def verify(self) -> ChainReport:
        """Recompute the journal, and compare what is kept beside it; nothing is trusted."""
        async with look(self._engine) as conn:
            return await verify_journal(conn)

    async def counts(self) -> dict[str, dict[str, int]]:
        """Rows by state or kind.

        Keys: installments, attempts, outcomes (attempts by class), notices, payments, cases (open,
        by kind), cases_closed, commands, refusals (by rule), outbox (left, delivered, dead).
        """
        is_open = cases.c.closed_at.is_(None)
        plan: dict[str, Any] = {
            "installments": _by(subjects.c.state).where(subjects.c.kind == INSTALLMENT),
            "attempts": _by(attempts.c.state),
            "outcomes": _by(attempts.c.outcome_class).where(attempts.c.outcome_class.is_not(None)),
            "notices": _by(notices.c.state),
            "payments": select(literal("all"), func.count()).select_from(portions),
            "cases": _by(cases.c.kind).where(is_open),
            "cases_closed": _by(cases.c.kind).where(~is_open),
            "commands": _by(commands.c.kind),
            "refusals": _by(commands.c.rule).where(commands.c.rule.is_not(None)),
            "outbox_left": select(literal("left"), func.count())
            .select_from(outbox)
            .where(UNDELIVERED),
            "outbox_dead": select(literal("dead"), func.count()).select_from(outbox).where(DEAD),
            "outbox": select(literal("delivered"), func.count())
            .select_from(outbox)
            .where(outbox.c.delivered_at.is_not(None)),
        }
        async with look(self._engine) as conn:
            found = {
                name: {row[0]: int(row[1]) for row in await conn.execute(statement)}
                for name, statement in plan.items()
            }
        found["outbox"] |= found.pop("outbox_left") | found.pop("outbox_dead")
        return found

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        async with look(self._engine) as conn:
            rows: Sequence[Row[Any]] = (await conn.execute(statement)).fetchall()
            return rows

    async def _views(self, statement: Select[Any], limit: int) -> tuple[View[Any], ...]:
        rows = await self._rows(statement.limit(limit))
        return tuple(read_view(row.kind, row.view) for row in rows)


_RUNNING = select(subjects.c.kind, subjects.c.view).where(RUNNING)


def _actions(until: datetime) -> Select[Any]:
    at = subjects.c.next_action_at
    return _RUNNING.where(at <= until).order_by(at, subjects.c.kind, subjects.c.key)


def _of_cases(wanted: CaseFilter, now: datetime) -> list[ColumnElement[bool]]:
    """What narrows a list of cases.

    Late is what an open case is whose next action by itself is overdue: nobody has taken it, or it
    should have been ended.
    """
    is_open = cases.c.closed_at.is_(None)
    found: list[ColumnElement[bool]] = [~is_open if wanted.resolved else is_open]
    if wanted.kind:
        found.append(cases.c.kind == wanted.kind)
    if wanted.loan_id:
        found.append(
            cases.c.loan_id.is_(None)
            if wanted.loan_id == "-"
            else cases.c.loan_id == wanted.loan_id
        )
    if wanted.owner:
        found.append(or_(subjects.c.owner == wanted.owner, cases.c.owner == wanted.owner))
    if wanted.late:
        found.append(cases.c.late_from <= now)
    return found


def _by(column: Any) -> Select[Any]:  # noqa: ANN401  (columns of several types)
    return select(column, func.count()).group_by(column).order_by(column)


def _in(timezone: str | None) -> list[ColumnElement[bool]]:
    return [] if timezone is None else [loans.c.timezone == timezone]
