"""Control totals of a whole statement, for tests that have one in memory."""

from domain.statement.statement import Fault, Statement
from domain.statement.totals import Totals


def control_totals(statement: Statement) -> tuple[Fault, ...]:
    """Every fault of one whole statement: balances, currency, items, batch counts."""
    return Totals().plus(statement, statement.lines).closed(statement)
