"""Which portfolio a loan belongs to: implements `ports.access.Portfolios`."""

from sqlalchemy import ColumnElement, delete, false, insert, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.access.log import write_event
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import loans, portfolio_products, products
from domain.access.person import EVERYWHERE, USUAL_PORTFOLIO, check_portfolio
from domain.errors import InvalidInput
from ports.access import AccessEvent

_P = portfolio_products.c


class SqlPortfolios:
    """Looks up the portfolio of the product whose version a loan has."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_loan(self, loan_id: str) -> str | None:
        """See the port."""
        async with look(self._engine) as conn:
            found = await conn.execute(select(loans.c.product_ref).where(loans.c.id == loan_id))
            ref = found.scalar_one_or_none()
            return None if ref is None else await _of_product(conn, product_of(ref))

    async def of_product(self, product_id: str) -> str:
        """See the port."""
        async with look(self._engine) as conn:
            return await _of_product(conn, product_id)

    async def put(self, product_id: str, portfolio: str, event: AccessEvent) -> None:
        """See the port."""
        if check_portfolio(portfolio) == EVERYWHERE:
            raise InvalidInput("portfolio", portfolio, "one portfolio")
        async with self._engine.begin() as conn:
            await conn.execute(delete(portfolio_products).where(_P.product == product_id))
            await conn.execute(
                insert(portfolio_products).values(product=product_id, portfolio=portfolio)
            )
            await write_event(conn, event)


def product_of(ref: str) -> str:
    """The id of a product in its reference, `id@version`."""
    return ref.partition("@")[0]


async def _of_product(conn: AsyncConnection, product_id: str) -> str:
    found = await conn.execute(select(_P.portfolio).where(_P.product == product_id))
    return found.scalar_one_or_none() or USUAL_PORTFOLIO


async def loans_in(
    conn: AsyncConnection, wanted: frozenset[str], loan_id: ColumnElement[str]
) -> ColumnElement[bool]:
    """A condition on a column of loan ids: those of these portfolios; all of them with `*`."""
    if EVERYWHERE in wanted:
        return true()
    refs = await refs_in(conn, wanted)
    if not refs:
        return false()
    return loan_id.in_(select(loans.c.id).where(loans.c.product_ref.in_(refs)))


async def refs_in(conn: AsyncConnection, wanted: frozenset[str]) -> tuple[str, ...]:
    """References of the product versions of these portfolios, in order."""
    rows = await conn.execute(select(_P.product, _P.portfolio))
    placed = {row.product: row.portfolio for row in rows}
    known = (await conn.execute(select(products.c.ref).order_by(products.c.ref))).scalars()
    return tuple(ref for ref in known if placed.get(product_of(ref), USUAL_PORTFOLIO) in wanted)
