"""Loans as they stand, page by page of one snapshot."""

from collections.abc import AsyncGenerator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import among, listed
from adapters.sql.read.looking import readable_loans
from adapters.sql.readrows import read_payment
from adapters.sql.schema.tables import loans, payments
from adapters.sql.write.cache import LoanCache
from domain.errors import InvariantBroken
from domain.loan.handover import names_of
from ports.ledgerqueries import LoanAndNames

LOANS_PAGE = 50


async def all_loans(conn: AsyncConnection) -> AsyncGenerator[LoanAndNames]:
    """All loans in order of their ids.

    Raises:
        InvariantBroken: rows of a loan cannot be read.
    """
    products, postgres, after = LoanCache(), conn.dialect.name == "postgresql", ""
    named = select(payments.c.body).where(among(payments.c.id, "values", postgres=postgres))
    while True:
        page = select(loans.c.id).where(loans.c.id > after).order_by(loans.c.id).limit(LOANS_PAGE)
        names = list((await conn.execute(page)).scalars())
        if not names:
            return
        after = names[-1]
        held = [it.loan for it in await readable_loans(conn, names, products, _refuse)]
        ids = sorted({portion.id for loan in held for portion in loan.portions})
        found = await conn.execute(named, {"values": listed(ids, postgres=postgres)})
        paid = [read_payment(row.body) for row in found]
        called = {payment.id: names_of(payment) for payment in paid}
        for loan in sorted(held, key=lambda loan: loan.id):
            yield LoanAndNames(loan, {it.id: called[it.id] for it in loan.portions})


def _refuse(name: str, error: Exception) -> None:
    raise InvariantBroken(f"loan {name} cannot be read back: {type(error).__name__}")
