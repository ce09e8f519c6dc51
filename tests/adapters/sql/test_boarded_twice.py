"""One loan that comes by two ways is one loan."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.tapes.application.boarding import UpstreamBoarding, application_of
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.loan.loans import BoardingRules
from adapters.tapes.report.tape import read_tape
from domain.errors import Conflict
from domain.kernel.change import Applied
from ports.boarding import LoanApplication
from tests.support.booksbench import StillClock
from tests.support.progresstapes import LOAN, PAID, read_openings
from workers.accounts import accounts_of
from workers.compose import rulebook
from workers.rails import rails_of
from workers.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PRODUCTS = read_products(ROOT / "examples" / "products")
HEADER = "loan_id,principal,annual_rate,periods,disbursed_on,first_due_on,product"
ROW = "L-1,12000,9.6,12,2026-02-10,2026-03-31,us-personal"
TERMS = LoanApplication(
    tenant="default",
    loan_id="L-1",
    borrower="borrower-L-1",
    product="us-personal",
    principal="12000.00",
    annual_rate="9.60",
    periods="12",
    disbursed_on="2026-02-10",
    first_due_on="2026-03-31",
    mandate_ref="MD-L-1",
    account_token="account-L-1",
)


@pytest.mark.parametrize("rows_agreed", [False, True])
async def test_a_loan_of_a_tape_is_known_when_upstream_sends_it(
    engine: AsyncEngine,
    clock: StillClock,
    queries: SqlQueries,
    tmp_path: Path,
    *,
    rows_agreed: bool,
) -> None:
    """Who boards and why is no part of what a loan is; another rate is another loan.

    The tape moves due dates after counting days; the rows of upstream carry no days at all.
    """
    tape = tmp_path / "tape.csv"
    tape.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    (by_tape,) = read_tape(tape, CANONICAL_MAP, PRODUCTS, load_calendar).rows
    upstream = UpstreamBoarding(BoardingRules(CANONICAL_MAP, PRODUCTS, load_calendar))
    sent = application_of(by_tape) if rows_agreed else TERMS
    other = upstream.command(replace(TERMS, annual_rate="9.7"))
    rails = rails_of(Settings(), None)
    rules = rulebook(rails, accounts_of(Settings(), rails, PRODUCTS))
    async with SqlBooks(engine, clock, rules) as books:
        first = await books.apply(by_tape)
        again = await books.apply(upstream.command(sent))
        with pytest.raises(Conflict):
            await books.apply(other)
    assert isinstance(first, Applied)
    assert isinstance(again, Applied)
    assert (first.replayed, again.replayed) == (False, True)
    assert (await queries.counts())["installments"] == {"SCHEDULED": 12}


async def test_a_loan_in_progress_of_a_tape_is_known_when_upstream_sends_it(
    engine: AsyncEngine, clock: StillClock, queries: SqlQueries, tmp_path: Path
) -> None:
    """Its row states sums, the application a history of each installment: they say the same.

    What is paid through is closed by the evidence of the former system, and what is late is owed.
    """
    clock.to(date(2026, 5, 22))
    late = {**PAID, "paid_through": "2026-04-10", "penalty_accrued": "0.40"}
    lost = {
        **LOAN,
        "loan_id": "L-2",
        "balance": "0",
        "written_off_on": "2026-05-18",
        "written_off_principal": "1200",
    }
    read = read_openings(tmp_path, late, lost)
    upstream = UpstreamBoarding(BoardingRules(CANONICAL_MAP, PRODUCTS, load_calendar))
    sent = [upstream.command(application_of(command)) for command in read.rows]
    rails = rails_of(Settings(), None)
    rules = rulebook(rails, accounts_of(Settings(), rails, PRODUCTS))
    async with SqlBooks(engine, clock, rules) as books:
        answers = [*await books.apply_many(read.rows), *await books.apply_many(sent)]
    assert read.fault_count == 0
    assert [getattr(answer, "replayed", answer) for answer in answers] == [False, False, True, True]
    assert (await queries.counts())["installments"] == {
        "CLOSED": 3,
        "DELINQUENT": 1,
        "SCHEDULED": 8,
        "WRITTEN_OFF": 1,
    }
