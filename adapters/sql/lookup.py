"""The look-up statements of the books, one constant text each, for either database."""

from functools import cache

from sqlalchemy import Select, or_, select

from adapters.sql.engine import among
from adapters.sql.tables import (
    attempts,
    cases,
    commands,
    installments,
    line_refs,
    lines,
    loans,
    notices,
    products,
    receipts,
)


class Lookups:
    """Statements that take a list of keys as parameter `values`; see `Unit.find`."""

    def __init__(self, *, postgres: bool) -> None:
        def of(column: object) -> object:
            return among(column, "values", postgres=postgres)  # type: ignore[arg-type]

        self.orders = _where(
            select(attempts.c.order_no, attempts.c.loan_id), of(attempts.c.order_no)
        )
        self.batches = _where(
            select(attempts.c.batch_ref, attempts.c.loan_id).distinct(), of(attempts.c.batch_ref)
        )
        self.messages = _where(
            select(notices.c.message_id, notices.c.loan_id), of(notices.c.message_id)
        )
        self.mandates = _where(select(loans.c.mandate_ref, loans.c.id), of(loans.c.mandate_ref))
        self.receipts = _where(select(receipts.c.id, receipts.c.loan_id), of(receipts.c.id))
        self.payments = _where(
            select(receipts.c.reference, receipts.c.loan_id).distinct(), of(receipts.c.reference)
        )
        self.waiting = _where(
            select(line_refs.c.ref, line_refs.c.line_id)
            .join(lines, lines.c.id == line_refs.c.line_id)
            # A line that nets to zero waits by its items.
            .where(or_(lines.c.open_minor != 0, lines.c.amount_minor == 0)),
            of(line_refs.c.ref),
        )
        self.lock_loans = (
            _where(select(loans.c.id, loans.c.revision), of(loans.c.id))
            .order_by(loans.c.id)
            .with_for_update()
        )
        self.lock_lines = (
            _where(select(lines.c.id, lines.c.body), of(lines.c.id))
            .order_by(lines.c.id)
            .with_for_update()
        )
        self.loans = _where(select(loans), of(loans.c.id))
        self.installments = _where(
            select(installments.c.loan_id, installments.c.body), of(installments.c.loan_id)
        ).order_by(installments.c.loan_id, installments.c.number)
        self.loan_receipts = _where(
            select(receipts.c.loan_id, receipts.c.body), of(receipts.c.loan_id)
        ).order_by(receipts.c.loan_id, receipts.c.position)
        self.products = _where(select(products), of(products.c.ref))
        self.commands = _where(select(commands), of(commands.c.id))
        self.said = _where(select(commands), of(commands.c.says))
        self.cases = (
            select(cases.c.body)
            .where(
                cases.c.closed_at.is_(None),
                or_(
                    among(cases.c.loan_id, "loans", postgres=postgres),
                    among(cases.c.line, "lines", postgres=postgres),
                ),
            )
            .order_by(cases.c.id)
        )


def _where(statement: Select, condition: object) -> Select:  # type: ignore[type-arg]
    return statement.where(condition)  # type: ignore[arg-type]


@cache
def lookups(*, postgres: bool) -> Lookups:
    """The statements of one database, made once."""
    return Lookups(postgres=postgres)
