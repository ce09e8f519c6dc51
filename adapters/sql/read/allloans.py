"""Loans as they stand, page by page of one snapshot."""

from collections.abc import AsyncGenerator

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import among, listed
from adapters.sql.read.looking import readable_loans
from adapters.sql.schema.tables import loans, payments
from adapters.sql.write.cache import LoanCache
from domain.errors import InvariantBroken
from ports.ledgerqueries import LoanAndReferences

LOANS_PAGE = 50


async def all_loans(conn: AsyncConnection) -> AsyncGenerator[LoanAndReferences]:
    """All loans in order of their ids.

    Raises:
        InvariantBroken: rows of a loan cannot be read.
    """
    products, postgres, after = LoanCache(), conn.dialect.name == "postgresql", ""
    named = select(payments.c.id, payments.c.reference).where(
        among(payments.c.id, "values", postgres=postgres), payments.c.reference != ""
    )
    while True:
        page = select(loans.c.id).where(loans.c.id > after).order_by(loans.c.id).limit(LOANS_PAGE)
        names = list((await conn.execute(page)).scalars())
        if not names:
            return
        after = names[-1]
        held = [it.loan for it in await readable_loans(conn, names, products, _refuse)]
        ids = sorted({portion.id for loan in held for portion in loan.portions})
        found = await conn.execute(named, {"values": listed(ids, postgres=postgres)})
        references = {row.id: row.reference for row in found}
        for loan in sorted(held, key=lambda loan: loan.id):
            mine = {it.id: references[it.id] for it in loan.portions if it.id in references}
            yield LoanAndReferences(loan, mine)


def _refuse(name: str, error: Exception) -> None:
    raise InvariantBroken(f"loan {name} cannot be read back: {type(error).__name__}")
