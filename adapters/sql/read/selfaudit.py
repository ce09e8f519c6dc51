"""Audits the books by themselves: implements `ports.selfaudit.SelfAudit`.

What sums can tell is asked of the database, one statement for each question; it gives the first
breaches and the number of all. What needs the rules of a product or of a table is judged by
`domain.audit`, over rows that come as a stream and loans that are read a page at a time. So memory
does not grow with the books.
"""

from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import among, listed
from adapters.sql.read import auditcounts as counts
from adapters.sql.read import auditgates as gates
from adapters.sql.read import auditlines, auditmoves
from adapters.sql.read.archive import read_statement
from adapters.sql.read.auditpages import (
    BANK_DAYS,
    OFTEN_DEBITED,
    OPEN_CASES,
    ORDERS_GIVEN,
    STATED_ACCOUNTS,
    STATEMENTS,
    SURPLUS,
    UNCLOSED,
)
from adapters.sql.read.auditshares import SHARES
from adapters.sql.read.auditsums import SUMS
from adapters.sql.read.looking import UNREADABLE, look, readable_loans
from adapters.sql.read.verifying import recompute
from adapters.sql.readrows import read_answer, read_case, read_product
from adapters.sql.schema.tables import attempts, cases, products
from adapters.sql.write.cache import LoanCache
from domain.audit import moves, orders, unclosed
from domain.audit.bankdays import BankBalances, BankDay, Stated
from domain.audit.findings import KEPT, Finding, FindingKind, Findings
from domain.audit.questions import Question
from domain.audit.report import AuditReport, ChainFact, outcomes
from domain.case.case import Case
from domain.kernel.change import Answer
from domain.loan.aggregate import Loan, Rulebook
from domain.loan.change import Ordered
from domain.loan.product import Product
from ports.archive import StatementRecord
from ports.clock import Clock

PAGE = 100
"""Rows of a stream, or loans, that are looked at together."""
QUESTIONS: Mapping[Question, Select[Any]] = {**SUMS, **gates.STANDING, **SHARES}
"""Statements of questions; `ELSEWHERE` has one for each account, and `UNREGISTERED` is answered by
the register."""


_Page = Sequence[Row[Any]]
_Judge = Callable[[_Page], Awaitable[None]]


class SqlSelfAudit:
    """Implements `ports.selfaudit.SelfAudit`; the whole audit reads one snapshot."""

    def __init__(self, engine: AsyncEngine, clock: Clock, rules: Rulebook) -> None:
        self._engine = engine
        self._clock = clock
        self._rules = rules

    async def audit(self, as_of: datetime | None = None) -> AuditReport:
        """See `ports.selfaudit.SelfAudit.audit`."""
        async with look(self._engine, unhurried=True) as conn:
            return await audit_on(conn, self._rules, as_of or self._clock.now())


async def audit_on(conn: AsyncConnection, rules: Rulebook, as_of: datetime) -> AuditReport:
    """The audit of what one connection sees."""
    return await _Audit(conn, rules, as_of).run()


class _Audit:
    """One audit on one connection."""

    def __init__(self, conn: AsyncConnection, rules: Rulebook, as_of: datetime) -> None:
        self._conn = conn
        self._postgres = conn.dialect.name == "postgresql"
        self._rules = rules
        self._as_of = as_of
        self._found = Findings()
        self._cache = LoanCache()
        self._products: dict[str, Product | None] = {}
        self._closing = self._late = 0

    async def run(self) -> AuditReport:
        chain = await self._chain()
        for question, statement in QUESTIONS.items():
            await self._guarded(question.name.lower(), self._ask(question, statement))
        await self._guarded("accounts", self._elsewhere())
        await self._guarded("register", self._unregistered())
        await self._guarded("moves", self._moves())
        await self._guarded("statements", self._statements())
        for name, (statement, judge) in self._streams().items():
            await self._guarded(name, self._each(statement, judge))
        return AuditReport(
            loans=await self._count(counts.LOANS),
            installments=await self._by(counts.INSTALLMENTS),
            attempts=outcomes([tuple(row) for row in await self._counted(counts.ATTEMPTS)]),
            payments=await self._count(counts.PAYMENTS),
            returns=await self._count(counts.RETURNS),
            open_attempts=await self._count(counts.OPEN_ATTEMPTS),
            open_cases=await self._by(counts.OPEN_CASES),
            suspense=await self._by(counts.SUSPENSE),
            closing=self._closing,
            paid_not_closed=self._late,
            chain=chain,
            found=self._found,
        )

    async def _guarded(self, what: str, step: Awaitable[None]) -> None:
        """Take a step; a column that holds what its type cannot is a finding and ends only that."""
        try:
            await step
        except UNREADABLE as error:
            text = f"cannot be read: {type(error).__name__}"
            self._found.add([Finding(FindingKind.CHAIN, what, text)])

    # --- the chain, and what sums can tell -------------------------------------------------------

    async def _chain(self) -> ChainFact:
        found, _ = await recompute(self._conn)
        self._found.add(Finding(FindingKind.CHAIN, "journal", text) for text in found.faults)
        self._found.more(FindingKind.CHAIN, found.faults_found - len(found.faults))
        return ChainFact(found.entries, found.postings, found.head)

    async def _ask(self, question: Question, statement: Select[Any], **terms: object) -> None:
        """Take the first breaches of a question, and count the others."""
        breach = statement.subquery()
        minor = func.sum(func.abs(breach.c.minor)) if "minor" in breach.c else func.sum(0)
        some = select(breach, func.count().over().label("found"), minor.over().label("money"))
        some = some.order_by(*list(breach.c)[:3]).limit(KEPT)
        found = (await self._conn.execute(some, terms)).mappings()
        rows = [{name: _whole(value) for name, value in row.items()} for row in found]
        known = [question.finding(row) for row in rows]
        self._found.add(known)
        if rows:
            money = sum(abs(finding.minor) for finding in known)
            self._found.more(
                question.kind, rows[0]["found"] - len(rows), (rows[0]["money"] or 0) - money
            )

    async def _elsewhere(self) -> None:
        """Money of closed installments on accounts that their products do not name."""
        for row in await self._rows(gates.ACCOUNTS_USED):
            product = await self._product(row.product_ref)
            if product is not None and row.account not in product.accounts:
                terms = {"product_ref": row.product_ref, "account": row.account}
                await self._ask(Question.ELSEWHERE, gates.ELSEWHERE, **terms)

    async def _unregistered(self) -> None:
        """Accounts with booked lines that are not registered and have no case."""
        rows = await self._rows(auditlines.ACCOUNTS_WITHOUT_CASE)
        strange = [row.account for row in rows if row.account not in self._rules.accounts]
        self._found.add(Question.UNREGISTERED.finding({"account": name}) for name in strange)

    async def _moves(self) -> None:
        for row in await self._rows(auditmoves.MOVES):
            kind, of_order = row.subject_kind, bool(row.of_order)
            move = moves.Move(kind, row.source, row.target, row.event, of_order)
            if moves.is_allowed(move):
                continue
            terms = {
                "subject_kind": kind,
                "source": move.source,
                "target": move.target,
                "event": move.event,
                "of_order": of_order,
            }
            some = auditmoves.MOVES_OF_KIND.limit(KEPT)
            rows = (await self._conn.execute(some, terms)).all()
            self._found.add(
                moves.illegal(move, one.seq, f"{one.subject_key} {one.order_no or ''}".strip())
                for one in rows
            )
            self._found.more(FindingKind.MOVE, row.moves - len(rows))

    # --- what needs a rule -----------------------------------------------------------------------

    def _streams(self) -> Mapping[str, tuple[Select[Any], _Judge]]:
        """What is judged row by row, and by whom."""
        return {
            "closed installments": (gates.NEVER_CHARGED, self._never_charged),
            "orders": (ORDERS_GIVEN, self._orders),
            "surplus": (SURPLUS, self._surplus),
            "attempts": (OFTEN_DEBITED, self._limits),
            "paid installments": (UNCLOSED, self._unclosed),
        }

    async def _each(self, statement: Select[Any], judge: _Judge) -> None:
        """Judge the rows of a statement, some at a time."""
        async with self._conn.stream(statement, execution_options={"max_row_buffer": PAGE}) as rows:
            async for page in rows.partitions(PAGE):
                await judge(page)

    async def _never_charged(self, page: _Page) -> None:
        loans = await self._loans(row.loan_id for row in page)
        for row in page:
            if (loan := loans.get(row.loan_id)) is not None:
                self._found.add(unclosed.never_charged(loan, row.number))

    async def _orders(self, page: _Page) -> None:
        """Every order as it was given out, against the order that is kept."""
        sent = [a.order for row in page if isinstance(a := _answer(row.answer), Ordered)]
        kept = {
            row.order_no: orders.KeptOrder(
                row.loan_id,
                row.number,
                row.mandate_ref,
                row.rail,
                row.amount_minor,
                row.value_on,
            )
            for row in await self._among(attempts.c.order_no, [one.order_no for one in sent])
        }
        for order in sent:
            self._found.add(orders.other_content(order, kept.get(order.order_no)))

    async def _surplus(self, page: _Page) -> None:
        open_cases = await self._cases(row.loan_id for row in page)
        for row in page:
            surplus = orders.Surplus(row.loan_id, row.id, row.waiting_minor, row.currency or "")
            self._found.add(orders.unseen(surplus, open_cases.get(row.loan_id, ())))

    async def _limits(self, page: _Page) -> None:
        for loan in (await self._loans(row.loan_id for row in page)).values():
            self._found.add(orders.beyond_limits(loan, self._rules))

    async def _statements(self) -> None:
        """Each account's cash against every balance that its bank has stated."""
        for row in await self._rows(STATED_ACCOUNTS):
            terms = {"account": row.account}
            booked = deque((await self._conn.execute(BANK_DAYS, terms)).all())
            totals: defaultdict[str, int] = defaultdict(int)
            balances = BankBalances(self._as_of.date())
            async with aclosing(self._stated(row.account)) as days:
                async for day, records in days:
                    while booked and booked[0].day <= day:
                        one = booked.popleft()
                        totals[one.currency] += int(one.minor)
                    currency = records[0].currency
                    stated = tuple(_stated(record) for record in records if record.is_last_page)
                    known = BankDay(row.account, currency, day, totals[currency], stated)
                    self._found.add(balances.take(known))
            self._found.add(balances.end())

    async def _unclosed(self, page: _Page) -> None:
        """Paid and not closed: counted by age, and a finding where it is late and nobody knows."""
        unseen: list[unclosed.Unclosed] = []
        for row in page:
            one = unclosed.Unclosed(
                row.loan_id, row.number, row.state, row.paid_at, bool(row.has_case)
            )
            product = await self._product(row.product_ref)
            is_late = product is not None and unclosed.is_late(one, product, self._as_of)
            self._late += is_late
            self._closing += not is_late
            if is_late and not one.has_case:
                unseen.append(one)
        await self._unseen(unseen)

    async def _unseen(self, unseen: Sequence[unclosed.Unclosed]) -> None:
        """Say what the first of them lack; the others are counted."""
        kind = FindingKind.PAID_NOT_CLOSED
        some = unseen[: max(0, KEPT - self._found.counts[kind])]
        loans = await self._loans(one.loan_id for one in some)
        open_cases = await self._cases(loans)
        shown = [one for one in some if one.loan_id in loans]
        for one in shown:
            about = open_cases.get(one.loan_id, ())
            loan = loans[one.loan_id]
            self._found.add([unclosed.late(one, loan, about, self._rules, self._as_of)])
        self._found.more(kind, len(unseen) - len(shown))

    # --- reading ---------------------------------------------------------------------------------

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        found: Sequence[Row[Any]] = (await self._conn.execute(statement)).all()
        return found

    async def _count(self, statement: Select[Any]) -> int:
        return int((await self._conn.execute(statement)).scalar_one())

    async def _counted(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Rows of a count; none, and a finding, where they cannot be read."""
        found: list[Row[Any]] = []

        async def count() -> None:
            found.extend(await self._rows(statement))

        await self._guarded("counts", count())
        return found

    async def _by(self, statement: Select[Any]) -> Mapping[str, int]:
        pairs = (tuple(row) for row in await self._counted(statement))
        return {name: int(count) for name, count in pairs}

    async def _among(
        self,
        column: Any,  # noqa: ANN401
        names: Iterable[str],
        statement: Select[Any] | None = None,
    ) -> Sequence[Row[Any]]:
        """Rows of a statement, or of a table, whose column holds one of some names."""
        rows = select(column.table) if statement is None else statement
        some = rows.where(among(column, "values", postgres=self._postgres))
        terms = {"values": listed(sorted(set(names)), postgres=self._postgres)}
        found: Sequence[Row[Any]] = (await self._conn.execute(some, terms)).all()
        return found

    async def _loans(self, names: Iterable[str]) -> dict[str, Loan]:
        """Loans of a page; one that cannot be read is a fault of what is kept, and left out."""
        wanted = sorted(set(names))
        held = await readable_loans(self._conn, wanted, self._cache, lambda *_: None)
        return {one.loan.id: one.loan for one in held}

    async def _cases(self, names: Iterable[str]) -> dict[str, list[Case]]:
        """The open cases that name loans of a page."""
        found: defaultdict[str, list[Case]] = defaultdict(list)
        for row in await self._among(cases.c.loan_id, names, OPEN_CASES):
            found[row.loan_id].append(read_case(row.body))
        return found

    async def _product(self, ref: str) -> Product | None:
        """A product; None where it cannot be read, which is a fault of what is kept."""
        if ref not in self._products:
            self._products[ref] = None
            for row in await self._among(products.c.ref, [ref]):
                with suppress(*UNREADABLE):
                    self._products[ref] = read_product(row.body)
        return self._products[ref]

    async def _stated(self, account: str) -> AsyncGenerator[tuple[date, list[StatementRecord]]]:
        """The statements of an account, day by day."""
        day: date | None = None
        records: list[StatementRecord] = []
        async with self._conn.stream(
            STATEMENTS, {"account": account}, execution_options={"max_row_buffer": PAGE}
        ) as rows:
            async for row in rows:
                if day is not None and row.booked_on != day:
                    yield day, records
                    records = []
                day = row.booked_on
                records.append(read_statement(row.body))
        if day is not None:
            yield day, records


def _stated(record: StatementRecord) -> Stated:
    """What an audit reads of a statement; of the last of several pages only its closing balance."""
    is_paged = record.page > 1
    opening = None if is_paged else record.opening_minor
    booked = record.sum_minor - record.later_minor
    return Stated(record.statement_id, opening, record.closing_minor, booked, is_paged=is_paged)


def _whole(value: Any) -> Any:  # noqa: ANN401  (a column's value)
    """A sum as a whole number: PostgreSQL gives those of large integers as decimals."""
    return int(value) if isinstance(value, Decimal) else value


def _answer(text: str) -> Answer | None:
    """The answer to a command; one that cannot be read is not what was hashed, and left out."""
    try:
        return read_answer(text)
    except UNREADABLE:
        return None
