"""The audit of the books alone finds every tampered row, on both databases, and asks no bank."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import Executable, func, insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import QUESTIONS, SqlSelfAudit, audit_on
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.tables import commands, loans, postings, products
from adapters.sql.write.books import SqlBooks
from domain.audit import AuditReport, FindingKind
from domain.audit.findings import KEPT
from domain.audit.questions import Question
from domain.case.case import ByHand
from domain.case.kinds import CaseKind
from domain.case.lifecycle import CaseEvent
from domain.debit.outcome import OutcomeClass
from domain.loan.view import installment
from tests.support.booksbench import (
    RAIL,
    StillClock,
    apply_all,
    confirm,
    intend,
    line,
    order_of,
    present,
    roll,
)
from tests.support.doors import RecordPayment, RecordReturn, ResolveCase, WithdrawPayment
from tests.support.memory import RULES, STRANGE, TESTER
from tests.support.tampered import AS_OF, DUE, FULL, fill
from tests.support.tamperings import TAMPERINGS, body, opened
from tests.support.unlocked import unlock_on

K = FindingKind


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest) -> Callable[[], Awaitable[str]]:
    """Give the maker of an empty database of each kind."""
    make: Callable[[], Awaitable[str]] = request.getfixturevalue(f"new_{request.param}_url")
    return make


@pytest_asyncio.fixture(scope="module")
async def filled(new_url: Callable[[], Awaitable[str]]) -> AsyncIterator[AsyncEngine]:
    """Give an engine on books with something of everything in them; nothing is committed to it."""
    url = await new_url()
    await upgrade(url)
    engine = books_engine(url)
    await fill(engine)
    yield engine
    await engine.dispose()


async def tampered(engine: AsyncEngine, *does: Executable, as_of: datetime = AS_OF) -> AuditReport:
    """Audit a copy of the books with some rows changed: a transaction that is rolled back."""
    async with engine.connect() as conn:
        await unlock_on(conn)
        for statement in does:
            done = await conn.execute(statement)
            assert done.rowcount, statement
        report = await audit_on(conn, RULES, as_of)
        await conn.rollback()
    return report


async def test_books_that_nobody_touched_are_clean(filled: AsyncEngine) -> None:
    """Nothing is found, and everything that stands in the books is counted once."""
    report = await SqlSelfAudit(filled, StillClock(AS_OF), RULES).audit()
    chain = await SqlQueries(filled, StillClock(AS_OF), RULES).verify()
    said = report.as_dict()
    assert said == {
        "loans": 5,
        "installments": {"CLEARING": 1, "CLOSED": 3, "PRESENTED": 1, "SCHEDULED": 10},
        "attempts": {"INTENDED": 1, "NSF": 1, "SUCCESS": 3},
        "payments": 5,
        "returns": 0,
        "double_debits": 0,
        "closed_not_paid": 0,
        "paid_not_closed": 0,
        "unexplained_minor": 0,
        "ledger": {
            "entries": chain.entries,
            "postings": chain.postings,
            "balanced": True,
            "chain_ok": True,
            "head": chain.head,
        },
        "open_attempts": 1,
        "open_cases": {
            "double_execution": 1,
            "no_reminder_delivered": 1,
            "surplus": 1,
            "unmatched_line": 1,
        },
        "suspense": {"CNY": "108.00"},
        "closing": 1,
        "found": {},
        "findings": [],
        "clean": True,
    }


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_every_tampered_row_is_found(filled: AsyncEngine, what: str) -> None:
    """The finding names the item, says what is wrong, and how much money it is about."""
    planted = TAMPERINGS[what]
    report = await tampered(filled, *planted.does)
    about = [
        finding
        for finding in report.findings
        if finding.kind is planted.kind
        and re.fullmatch(planted.subject, finding.subject)
        and re.search(planted.text, finding.text)
    ]
    assert about, report.findings
    if planted.minor is not None:
        assert {finding.minor for finding in about} == {planted.minor}
    assert report.found.counts[planted.kind] >= len(about)
    assert not report.clean


@pytest.mark.parametrize(
    ("moves", "gates"),
    [
        ({-2: CaseEvent.OPENED}, 2),
        ({-2: CaseEvent.OPENED, -1: CaseEvent.NOTED}, 2),
        ({-2: CaseEvent.OPENED, -1: CaseEvent.RESOLVED}, 0),
        ({-2: CaseEvent.OPENED, 10_000: CaseEvent.RESOLVED}, 2),
        ({-3: CaseEvent.OPENED, -2: CaseEvent.RESOLVED, -1: CaseEvent.REOPENED}, 2),
        ({10_000: CaseEvent.OPENED}, 0),
    ],
)
async def test_a_case_was_open_at_a_gate_by_its_moves_in_the_chain(
    filled: AsyncEngine, moves: dict[int, CaseEvent], gates: int
) -> None:
    """What moved it last before the gate tells it, whatever the clocks said."""
    planted = opened(CaseKind.CONTRADICTION, "L1", 1, tuple(moves.items()))
    report = await tampered(filled, *planted)
    assert report.count(K.GATE) == gates


def test_every_question_is_asked_and_has_a_tampering() -> None:
    """A question without a statement is never answered, one without a test perhaps wrongly."""
    assert {planted.of for planted in TAMPERINGS.values()} - {None} == set(Question)
    assert set(QUESTIONS) == set(Question) - {Question.ELSEWHERE, Question.UNREGISTERED}
    kinds = {planted.kind for planted in TAMPERINGS.values()} | {K.PAID_NOT_CLOSED}
    assert kinds == set(FindingKind) - {K.LOST_PAYMENT}, "the bank alone knows of lost payments"


async def test_what_is_paid_and_does_not_close_is_found_with_its_age_and_cause(
    filled: AsyncEngine,
) -> None:
    """L3 is paid and its line never came: late, and a finding unless a person has been asked."""
    late = AS_OF + timedelta(days=60)
    report = await tampered(filled, as_of=late)
    (finding,) = report.findings
    assert (finding.kind, finding.subject, finding.minor) == (K.PAID_NOT_CLOSED, "L3/1", FULL)
    assert re.fullmatch(
        r"CLEARING for 6\d days after the last money; lacks unproven, held", finding.text
    )
    assert (report.paid_not_closed, report.closing) == (1, 0)
    known = await tampered(filled, *opened(CaseKind.UNSETTLED, "L3", 1), as_of=late)
    assert (known.count(K.PAID_NOT_CLOSED), known.paid_not_closed) == (0, 1)


async def test_findings_are_limited_and_all_are_counted(filled: AsyncEngine) -> None:
    """As many rows as a table can be broken in are one page of findings and one number."""
    many = KEPT + 50
    seq = await _first_seq(filled)
    strays = [
        {
            "seq": seq,
            "position": 100 + place,
            "account": "suspense/nobody",
            "minor": -place - 1,
            "currency": "CNY",
        }
        for place in range(many)
    ]
    report = await tampered(filled, insert(postings).values(strays))
    kinds = [finding.kind for finding in report.findings]
    assert kinds.count(K.ITEMS_DIFFER) == KEPT
    assert report.count(K.ITEMS_DIFFER) == many
    assert report.found.minors[K.ITEMS_DIFFER] == sum(range(1, many + 1))


async def test_a_loan_and_a_product_that_cannot_be_read_hold_up_no_other_check(
    filled: AsyncEngine,
) -> None:
    """They are faults of what is kept; what the journal says of others is found all the same."""
    broken = (
        body(loans, "{", "["),
        body(products, "{", "["),
        update(commands).where(commands.c.kind == "intend_debit").values(answer="never said"),
        *TAMPERINGS["a state"].does,
    )
    report = await tampered(filled, *broken, as_of=AS_OF + timedelta(days=60))
    assert {K.CHAIN, K.STUCK} <= {finding.kind for finding in report.findings}


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE postings SET minor = 'much'", "journal"),
        ("UPDATE commands SET at = 'once'", "journal"),
        ("UPDATE lines SET booked_on = 'x'", "statements"),
        ("UPDATE entries SET at = 'once'", "paid installments"),
        ("UPDATE statements SET booked_on = 'x'", "statements"),
        ("UPDATE statements SET body = 'x'", "statements"),
        ("UPDATE subjects SET body = 'x' WHERE kind = 'case'", "surplus"),
        ("UPDATE attempts SET value_on = 'x'", "orders"),
        ("UPDATE loans SET body = 'x'", "journal"),
    ],
)
async def test_a_column_that_holds_what_it_cannot_is_found_and_ends_nothing_else(
    filled: AsyncEngine, statement: str, what: str
) -> None:
    """SQLite keeps text in any column: the audit says which part of it could not be read."""
    if filled.dialect.name == "postgresql" and "body" not in statement:
        with pytest.raises(DBAPIError):  # it refuses to keep such a value
            await tampered(filled, text(statement))
        return
    report = await tampered(filled, text(statement), *TAMPERINGS["a move"].does)
    assert what in {finding.subject for finding in report.findings if finding.kind is K.CHAIN}
    assert Question.BROKEN_MOVE.kind in {finding.kind for finding in report.findings}


async def test_all_of_an_audit_is_of_one_moment(filled: AsyncEngine) -> None:
    """The audit reads one snapshot and writes nothing: its head is that of the untouched books."""
    before = await SqlQueries(filled, StillClock(AS_OF), RULES).head()
    report = await SqlSelfAudit(filled, StillClock(AS_OF), RULES).audit()
    assert report.chain.head == before
    assert (await SqlQueries(filled, StillClock(AS_OF), RULES).head()) == before


async def test_a_payment_recorded_by_mistake_is_no_return(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """It was taken back in the books alone: no money came, so none went back. A debit's did."""
    terms = {"actor": TESTER, "reason": "said so", "loan_id": "L1", "number": 1, "reference": "T-1"}
    action = await present(books, queries, clock, "L1")
    money = {"amount_minor": 5_000, "currency": "CNY", "value_on": DUE}
    await apply_all(books, [RecordPayment(id="p", **terms, **money)])  # type: ignore[arg-type]
    await apply_all(books, [WithdrawPayment(id="w", **terms)])  # type: ignore[arg-type]
    auditor = SqlSelfAudit(engine, clock, RULES)
    report = await auditor.audit()
    assert (report.payments, report.returns, report.findings) == (1, 0, ())
    order_no = order_of(await intend(books, "L1", 1, action))
    back = RecordReturn(
        id="back",
        actor=RAIL,
        rail="simbank",
        order_no=order_no,
        bank_ref=f"B-{order_no}",
        amount_minor=FULL,
        outcome_class=OutcomeClass.NSF,
        code="64",
        returned_on=DUE,
    )
    await apply_all(books, [confirm(order_no, FULL), back])
    report = await auditor.audit()
    assert (report.payments, report.returns, report.findings) == (2, 1, ())


async def test_a_part_that_came_back_from_another_account_does_not_lie_there(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Once a person has explained it and the rest is paid, the installment is closed and clean."""
    order_no = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    back = line(order_no, -3_000, day=DUE, name="back", account=STRANGE.name)
    terms = {"actor": TESTER, "reason": "said so", "loan_id": "L1", "number": 1, "reference": "T-1"}
    money = {"amount_minor": 3_000, "currency": "CNY", "value_on": DUE}
    await apply_all(books, [confirm(order_no, FULL), line(order_no, FULL, day=DUE), back])
    await apply_all(books, [RecordPayment(id="p", **terms, **money)])  # type: ignore[arg-type]
    await apply_all(books, [line("T-1", 3_000, day=DUE, name="T-1")])
    said = [one for one in (await queries.cases()).items if one.kind == "other_account"]
    assert {one.amount_minor for one in said} == {3_000, -3_000}
    for case in said:
        done = ResolveCase(
            id=f"resolve/{case.key}",
            actor=TESTER,
            approver="a-second",
            reason="our other account paid it back",
            case=case.key,
            resolution=ByHand.ACCEPTED,
        )
        await apply_all(books, [done])
    for day in range(11, 18):
        clock.to(date(2026, 3, day))
        await apply_all(books, [roll("L1", clock.at.date())])
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == "CLOSED"
    assert (await SqlSelfAudit(engine, clock, RULES).audit()).findings == ()


async def _first_seq(engine: AsyncEngine) -> int:
    async with engine.connect() as conn:
        found = await conn.execute(func.min(postings.c.seq).select())
        return int(found.scalar_one())
