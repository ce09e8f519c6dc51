"""Reads lists, cases and stories for people: implements `ports.consolequeries.ConsoleQueries`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, true

from adapters.sql.engine import among, is_postgres, listed
from adapters.sql.read.caselists import of_cases
from adapters.sql.read.lists import SUBJECT_KEY, SUBJECTS, subjects_statement
from adapters.sql.read.looking import look
from adapters.sql.read.mandates import mandate_of
from adapters.sql.read.reader import Key, SqlReader, cut, page_of
from adapters.sql.read.statements import OPEN_CASES
from adapters.sql.read.stories import history_of, story_of
from adapters.sql.readrows import read_case, read_item, read_product, read_view
from adapters.sql.schema.tables import (
    DEAD,
    UNDELIVERED,
    attempts,
    case_items,
    cases,
    commands,
    notices,
    outbox,
    payments,
    products,
    subjects,
)
from adapters.sql.schema.tables import loans as kept
from domain.case.case import CASE, Case
from domain.case.item import CaseItem
from domain.case.view import CaseView
from domain.kernel.subject import Subject
from domain.loan.view import INSTALLMENT
from domain.story.events import StoryEvent
from ports.casefilter import CaseFilter
from ports.consolequeries import Listed, MandateFacts
from ports.paging import LIMIT_MOST, Page
from ports.subjectfilter import SubjectFilter

_CASE_KEY: Key = ((cases.c.opened_at, datetime), (cases.c.key, str))
_ITEM_KEY: Key = ((case_items.c.line, str),)


class SqlConsoleQueries(SqlReader):
    """Gives views as they were stored with the last write of each subject."""

    async def subjects(self, wanted: SubjectFilter, after: str, limit: int) -> Page[Listed]:
        """See the port."""
        found = await self._rows(subjects_statement(wanted, after, limit))
        rows, cursor = cut(SUBJECTS, found, len(SUBJECT_KEY), limit)
        items = (
            Listed(read_view(row.kind, row.view), row.state_since, row.borrower, row.product)
            for row in rows
        )
        return Page(tuple(items), cursor)

    async def case_list(
        self, wanted: CaseFilter, now: datetime, after: str, limit: int
    ) -> tuple[Page[CaseView], int]:
        """Cases, the oldest first, and how many there are in all."""
        listed = (
            select(subjects.c.kind, subjects.c.view)
            .join(cases, cases.c.key == subjects.c.key)
            .where(subjects.c.kind == CASE, *of_cases(wanted, now))
        )
        page = page_of("cases", listed, _CASE_KEY, after, limit)
        async with look(self._engine) as conn:
            counted = select(func.count()).select_from(listed.subquery())
            count = (await conn.execute(counted)).scalar_one()
            found = (await conn.execute(page)).fetchall()
        rows, cursor = cut("cases", found, len(_CASE_KEY), limit)
        return Page(tuple(read_view(row.kind, row.view) for row in rows), cursor), count

    async def case_items(
        self, key: str, after: str, limit: int, *, open_only: bool = False
    ) -> Page[CaseItem]:
        """Lines that are items of one case, in order of line."""
        listed = select(case_items).where(case_items.c.case_key == key)
        if open_only:
            listed = listed.where(case_items.c.cleared_at.is_(None))
        rows, cursor = await self._page("case items", listed, _ITEM_KEY, after, limit)
        return Page(tuple(read_item(row) for row in rows), cursor)

    async def mandate(self, ref: str) -> MandateFacts | None:
        """One mandate with its loans and its story; None if the books do not hold it."""
        async with look(self._engine) as conn:
            return await mandate_of(conn, ref)

    async def history(self, subject: Subject, after: str, limit: int) -> Page[StoryEvent]:
        """What commands did to one subject, in order; items of a case are listed apart."""
        async with look(self._engine) as conn:
            return await history_of(conn, subject, after, limit)

    async def waiting(
        self, loan_id: str | None = None, after: str = "", limit: int = LIMIT_MOST
    ) -> Page[Case]:
        """Open cases, oldest first; with `loan_id` only those that name that loan."""
        named = true() if loan_id is None else cases.c.loan_id == loan_id
        statement = OPEN_CASES.where(named)
        rows, cursor = await self._page("waiting", statement, _CASE_KEY, after, limit)
        return Page(tuple(read_case(row.body) for row in rows), cursor)

    async def story(
        self, loan_id: str, number: int | None, after: str, limit: int
    ) -> Page[StoryEvent]:
        """What happened to a loan or installment, in order."""
        async with look(self._engine) as conn:
            return await story_of(conn, loan_id, number, after, limit)

    async def zones(self, loans: Collection[str]) -> Mapping[str, str]:
        """The time zones of the products of loans, by loan; one that is not there is absent."""
        postgres = is_postgres(self._engine)
        of = select(kept.c.id, kept.c.product_ref).where(
            among(kept.c.id, "values", postgres=postgres)
        )
        pinned = select(products).where(among(products.c.ref, "values", postgres=postgres))
        async with look(self._engine) as conn:
            ids = {"values": listed(sorted(loans), postgres=postgres)}
            refs = {row.id: row.product_ref for row in await conn.execute(of, ids)}
            named = {"values": listed(sorted(set(refs.values())), postgres=postgres)}
            rows = (await conn.execute(pinned, named)).fetchall()
        found = {row.ref: read_product(row.body).timezone for row in rows}
        return {loan: found[ref] for loan, ref in refs.items()}

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
            "payments": select(literal("all"), func.count()).select_from(payments),
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


def _by(column: Any) -> Select[Any]:  # noqa: ANN401  (columns of several types)
    return select(column, func.count()).group_by(column).order_by(column)
