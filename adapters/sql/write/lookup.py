"""The look-up statements of the books, one constant text each, for either database."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    and_,
    any_,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from adapters.sql.engine import among
from adapters.sql.schema.tables import (
    attempts,
    case_items,
    cases,
    commands,
    line_refs,
    loans,
    mandates,
    notices,
    payments,
    payouts,
    portions,
    products,
    subjects,
)
from adapters.sql.write.roots import ROOTS
from domain.case.case import CASE
from domain.loan.view import INSTALLMENT

_Place = tuple[ColumnElement[Any], ColumnElement[Any]]
OF_ACCOUNTS, OF_PAYERS = "of_accounts", "of_payers"
"""All mandates to debit an account, and all of a payer; no command names them before its decision
asks for them."""
_REFERENCES: dict[str, tuple[_Place, ...]] = {
    "under_mandates": (
        (loans.c.mandate_ref, loans.c.id),
        (attempts.c.mandate_ref, attempts.c.loan_id),
    ),
    "accounts": ((mandates.c.barred_account, mandates.c.ref),),
    "payers": ((mandates.c.barred_payer, mandates.c.ref),),
    OF_ACCOUNTS: ((mandates.c.account_token, mandates.c.ref),),
    OF_PAYERS: ((mandates.c.payer, mandates.c.ref),),
    "orders": ((attempts.c.order_no, attempts.c.loan_id),),
    "messages": ((notices.c.message_id, notices.c.loan_id),),
    "batches": ((attempts.c.batch_ref, attempts.c.loan_id),),
    "payments": ((payments.c.id, payments.c.id), (payments.c.reference, payments.c.id)),
    "lines": ((cases.c.line, cases.c.loan_id),),
    "groups": ((cases.c.group_key, cases.c.key),),
    "cases": ((cases.c.key, cases.c.loan_id),),
    "payouts": ((payouts.c.key, payouts.c.key), (payouts.c.order_no, payouts.c.key)),
    "waiting": ((line_refs.c.ref, line_refs.c.line_id),),
}
"""Where references of a kind stand, and what holds them; of a line: the loans its cases name."""
REFERENCES = tuple(_REFERENCES)


class Lookups:
    """Statements that take a list of keys as parameter `values`; see `Unit.find`."""

    def __init__(self, *, postgres: bool) -> None:
        def of(column: object) -> object:
            return among(column, "values", postgres=postgres)  # type: ignore[arg-type]

        self._postgres = postgres
        self._resolving: dict[tuple[str, ...], Executable] = {}
        self.payments = _where(
            select(payments.c.reference, payments.c.id), of(payments.c.reference)
        )
        self.batched = _where(
            select(attempts.c.batch_ref, attempts.c.loan_id).distinct(), of(attempts.c.batch_ref)
        )
        self.waiting = _where(select(line_refs.c.ref, line_refs.c.line_id), of(line_refs.c.ref))
        self.lock_loans = (
            _where(select(loans.c.id, loans.c.revision), of(loans.c.id))
            .order_by(loans.c.id)
            .with_for_update()
        )
        self.lock_roots = {
            root.name: _where(select(key.label("key"), root.table.c.body), of(key))
            .order_by(key)
            .with_for_update()
            for root in ROOTS
            for key in (root.table.c[root.key],)
        }
        self.loans = _where(select(loans), of(loans.c.id))
        self.installments = _where(
            select(*(subjects.c[name] for name in ("loan_id", "number", "body", "view"))),
            of(subjects.c.loan_id),
        )
        self.installments = self.installments.where(subjects.c.kind == INSTALLMENT).order_by(
            subjects.c.loan_id, subjects.c.number
        )
        self.loan_portions = _where(
            select(portions.c.loan_id, portions.c.body), of(portions.c.loan_id)
        ).order_by(portions.c.loan_id, portions.c.position)
        self.payouts = _where(select(payouts.c.key, payouts.c.body), of(payouts.c.key))
        self.products = _where(select(products), of(products.c.ref))
        self.commands = _where(select(commands), of(commands.c.id))
        self.commands_or_dedup_keys = select(commands).where(
            or_(of(commands.c.id), among(commands.c.dedup_key, "dedup_keys", postgres=postgres))  # type: ignore[arg-type]
        )
        self.items = _where(select(case_items), of(case_items.c.line))
        self.case_keys = _where(select(cases.c.key), of(cases.c.key))
        self.lock_cases = (
            select(subjects.c.body)
            .join(cases, cases.c.key == subjects.c.key)
            .where(
                subjects.c.kind == CASE,
                or_(
                    and_(
                        cases.c.closed_at.is_(None),
                        or_(
                            among(cases.c.loan_id, "loans", postgres=postgres),
                            among(cases.c.line, "lines", postgres=postgres),
                        ),
                    ),
                    among(cases.c.key, "keys", postgres=postgres),
                    _with_items(postgres=postgres),
                ),
            )
            .order_by(cases.c.opened_at, cases.c.key)
            .with_for_update(of=subjects)
        )

    def resolve(self, kinds: tuple[str, ...]) -> Executable:
        """One statement that looks up references of several kinds.

        Its rows are (kind, reference, what holds it); the references of each kind are the parameter
        of the kind's name. `kinds` are fields of `domain.kernel.command.Scope`, in their order.
        """
        if kinds not in self._resolving:
            parts = [part for kind in kinds for part in self._resolve_one(kind)]
            self._resolving[kinds] = parts[0] if len(parts) == 1 else union_all(*parts)
        return self._resolving[kinds]

    def _resolve_one(self, kind: str) -> Iterator[Select[Any]]:
        """Yield the statements that look up references of one kind.

        A payment is found by id and by the payer's reference, with the loans that have a portion
        of it, and so is the payment of a refund.
        """
        for ref, held_by in _REFERENCES[kind]:
            label: ColumnElement[Any] = literal_column(f"'{kind}'").label("kind")
            named: Select[Any] = select(label, ref.label("ref"), held_by)
            if kind in {"lines", "cases"}:
                named = named.where(held_by.is_not(None))
            if kind == "lines":
                named = named.where(cases.c.closed_at.is_(None))
            yield named.where(among(ref, kind, postgres=self._postgres)).distinct()
        if kind == "payments":
            yield self._sharing(kind)
        if kind == "payouts":
            yield self._refunded(kind)

    def _sharing(self, kind: str) -> Select[Any]:
        """The loans in which a portion of a payment of one of the names stands, by its id."""
        names = (
            among(column, kind, postgres=self._postgres)
            for column in (payments.c.id, payments.c.reference)
        )
        label: ColumnElement[Any] = literal_column("'sharing'").label("kind")
        found: Select[Any] = select(label, portions.c.id.label("ref"), portions.c.loan_id)
        return found.join(payments, payments.c.id == portions.c.id).where(or_(*names)).distinct()

    def _refunded(self, kind: str) -> Select[Any]:
        """The loans in which a portion of the payment of a refund stands, by the payment's id."""
        names = (
            among(column, kind, postgres=self._postgres)
            for column in (payouts.c.key, payouts.c.order_no)
        )
        label: ColumnElement[Any] = literal_column("'sharing'").label("kind")
        found: Select[Any] = select(label, portions.c.id.label("ref"), portions.c.loan_id)
        return found.join(payouts, payouts.c.payment == portions.c.id).where(or_(*names)).distinct()


def _with_items(*, postgres: bool) -> ColumnElement[bool]:
    """Cases that have some of the lines as items; found by the index of keys on either database."""
    keys = select(case_items.c.case_key).where(among(case_items.c.line, "lines", postgres=postgres))
    if postgres:
        # As an array it is found first, and is no filter over every case.
        return cases.c.key == any_(func.array(keys.scalar_subquery()))
    return cases.c.key.in_(keys)


def _where(statement: Select, condition: object) -> Select:  # type: ignore[type-arg]
    return statement.where(condition)  # type: ignore[arg-type]


@cache
def lookups(*, postgres: bool) -> Lookups:
    """The statements of one database, made once."""
    return Lookups(postgres=postgres)
