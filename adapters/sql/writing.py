"""Writes the difference that a group made: projections first, then what every writer shares.

The order keeps writers from waiting for each other in a circle. Rows of loans and lines are
protected by the locks taken while loading and go first, sorted; then the chain head is locked, and
only under it are the command log, the journal, balances, cases and the outbox written.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import String, Table, and_, bindparam, case, insert, update

from adapters.sql import rows, tables
from adapters.sql.deciding import Domain, view_in
from adapters.sql.faults import Raced
from adapters.sql.journal import append_journal
from adapters.sql.lookup import lookups
from adapters.sql.rows import Row
from adapters.sql.shared import write_cases, write_log, write_messages
from adapters.sql.types import Instant
from adapters.sql.unit import Unit
from adapters.sql.workset import Held, Subject, Workset, changed_installments
from domain.loan.aggregate import Installment, Loan
from domain.loan.product import Product

_KEYS = {
    "loans": ("id",),
    "installments": ("loan_id", "number"),
    "attempts": ("loan_id", "number", "attempt"),
    "notices": ("message_id",),
    "receipts": ("loan_id", "id"),
    "lines": ("id",),
}


_SINCE = tables.installments.c.state_since


def _update(table: Table) -> Any:  # noqa: ANN401  (an update whose columns come with its rows)
    keys = (table.c[name] == bindparam(f"key_{name}") for name in _KEYS[table.name])
    return update(table).where(and_(*keys))


_UPDATES = {name: _update(tables.metadata.tables[name]) for name in _KEYS}
_UPDATES["installments"] = _UPDATES["installments"].values(
    state_since=case(
        (tables.installments.c.state == bindparam("to_state", type_=String), _SINCE),
        else_=bindparam("to_since", type_=Instant),
    )
)
_INSERTS = {name: insert(table) for name, table in tables.metadata.tables.items()}


async def write(unit: Unit, work: Workset, domain: Domain) -> list[Held]:
    """Write everything that `work` changed; gives the loans as they are held from now on."""
    changed = sorted(
        loan_id
        for loan_id, loan in work.loans.items()
        if loan_id not in work.held or work.held[loan_id].loan is not loan
    )
    changed = [name for name in changed if name in work.held or name in work.contents]
    held = [_held(work, loan_id) for loan_id in changed]
    await _write_products(unit, work, held)
    await _write_loans(unit, work, held, domain)
    await _write_installments(unit, work, held, domain)
    await _write_children(unit, work, held)
    await _write_lines(unit, work)
    seq = await append_journal(unit, work)
    await _look_again(unit, work)
    await write_log(unit, work, seq)
    await write_cases(unit, work)
    await write_messages(unit, work)
    return held


def _held(work: Workset, loan_id: str) -> Held:
    before = work.held.get(loan_id)
    revision = before.revision + 1 if before else 1
    return Held(work.loans[loan_id], revision, work.contents[loan_id])


async def _write_products(unit: Unit, work: Workset, held: list[Held]) -> None:
    new: dict[str, Product] = {}
    for item in held:
        if item.loan.id not in work.held:
            new[item.loan.product.ref] = item.loan.product
    known = work.products_kept
    missing = [rows.product_row(new[ref]) for ref in sorted(new) if ref not in known]
    await unit.many(_INSERTS["products"], missing)


async def _write_loans(unit: Unit, work: Workset, held: list[Held], domain: Domain) -> None:
    pairs = [
        (
            item.loan.id in work.held,
            rows.loan_row(
                item.loan,
                item.content,
                item.revision,
                domain.next_roll_on(item.loan, work.rules, work.at),
            ),
        )
        for item in held
    ]
    await _put(unit, "loans", pairs)


async def _write_installments(unit: Unit, work: Workset, held: list[Held], domain: Domain) -> None:
    """Changed installments, and open ones whose view may have changed with their loan or cases."""
    pairs: list[tuple[bool, Row]] = []
    reindexed: list[Row] = []
    todo = {subject for case in work.case_changes if (subject := _about(case.loan_id, case.number))}
    for item in held:
        before = _before(work, item.loan.id)
        changed = changed_installments(before, item.loan)
        for installment in changed:
            row = _row(work, item.loan, installment, domain)
            row["changed_at"] = work.at
            pairs.append((before is not None, row))
            todo.discard((item.loan.id, installment.number))
        numbers = {installment.number for installment in changed}
        todo |= {
            (item.loan.id, other.number)
            for other in item.loan.installments
            if other.opened and other.number not in numbers
        }
    for loan_id, number in sorted(todo):
        loan = work.loans.get(loan_id)
        if loan is not None and 1 <= number <= len(loan.installments):
            reindexed.append(_row(work, loan, loan.installment(number), domain))
    await _put(unit, "installments", pairs)
    await _put(unit, "installments", [(True, row) for row in reindexed])


def _about(loan_id: str | None, number: int | None) -> Subject | None:
    return (loan_id, number) if loan_id is not None and number is not None else None


def _row(work: Workset, loan: Loan, installment: Installment, domain: Domain) -> Row:
    view = view_in(work, (loan.id, installment.number), domain)
    if view is None:
        raise LookupError(f"loan {loan.id} has no installment {installment.number}")
    return {**rows.installment_row(loan.id, installment, view), "state_since": work.at}


def _before(work: Workset, loan_id: str) -> Loan | None:
    held = work.held.get(loan_id)
    return held.loan if held else None


async def _write_children(unit: Unit, work: Workset, held: list[Held]) -> None:
    attempts: list[tuple[bool, Row]] = []
    notices: list[tuple[bool, Row]] = []
    receipts: list[tuple[bool, Row]] = []
    for item in held:
        before, loan = _before(work, item.loan.id), item.loan
        for new in changed_installments(before, loan):
            known = before is not None and new.number <= len(before.installments)
            old = before.installment(new.number) if before is not None and known else None

            def attempt(value: Any, number: int = new.number, loan: Loan = loan) -> Row:  # noqa: ANN401
                return rows.attempt_row(loan.id, number, value)

            def notice(value: Any, number: int = new.number, loan: Loan = loan) -> Row:  # noqa: ANN401
                return rows.notice_row(loan.id, number, value)

            attempts += _changes(old.attempts if old else (), new.attempts, "number", attempt)
            notices += _changes(old.notices if old else (), new.notices, "message_id", notice)
        old_receipts = {receipt.id: receipt for receipt in before.receipts} if before else {}
        receipts += [
            (receipt.id in old_receipts, rows.receipt_row(loan.id, position, receipt))
            for position, receipt in enumerate(loan.receipts)
            if old_receipts.get(receipt.id) != receipt
        ]
    await _put(unit, "attempts", attempts)
    await _put(unit, "notices", notices)
    await _put(unit, "receipts", receipts)


def _changes(
    old: Iterable[object], new: Iterable[object], key: str, row: Callable[[Any], Row]
) -> list[tuple[bool, Row]]:
    """Rows of items that are new (False) or not what they were (True)."""
    known = {getattr(item, key): item for item in old}
    return [
        (getattr(item, key) in known, row(item))
        for item in new
        if known.get(getattr(item, key)) != item
    ]


async def _write_lines(unit: Unit, work: Workset) -> None:
    pairs = [
        (line_id in work.lines_before, rows.line_row(line))
        for line_id, line in sorted(work.lines.items())
        if work.lines_before.get(line_id) != line
    ]
    await _put(unit, "lines", pairs)
    fresh = [line for line in work.lines.values() if line.id not in work.lines_before]
    refs = sorted({(item.ref, line.id) for line in fresh for item in line.waiting if item.ref})
    await unit.many(_INSERTS["line_refs"], [{"ref": ref, "line_id": line} for ref, line in refs])


async def _look_again(unit: Unit, work: Workset) -> None:
    """Under the chain head's lock: has another process met the same money since we looked?

    A payment is recorded here while its line is booked there, or on another loan: neither holds a
    lock that the other wants. Whoever comes second sees the first and begins anew.

    Raises:
        Raced: it has.
    """
    fresh = {
        receipt.reference
        for loan_id, loan in work.loans.items()
        for receipt in loan.receipts
        if receipt.source == "transfer" and not _had(work, loan_id, receipt.id)
    }
    refs = sorted(
        fresh.union(
            item.ref
            for line in work.lines.values()
            if line.id not in work.lines_before
            for item in line.waiting
            if item.ref
        )
    )
    find = lookups(postgres=unit.postgres)
    for row in await unit.find(find.payments, refs):
        if row.loan_id not in work.refs.receipts.get(row.reference, ()):
            raise Raced(row.reference)
    for row in await unit.find(find.waiting, refs):
        if row.line_id not in work.refs.waiting.get(row.ref, ()):
            raise Raced(row.ref)


def _had(work: Workset, loan_id: str, receipt_id: str) -> bool:
    before = _before(work, loan_id)
    return before is not None and before.receipt(receipt_id) is not None


async def _put(unit: Unit, table: str, pairs: list[tuple[bool, Row]]) -> None:
    """Insert rows that are new and update those that are known, by the table's keys."""
    await unit.many(_INSERTS[table], [row for known, row in pairs if not known])
    await unit.many(_UPDATES[table], [_keyed(table, row) for known, row in pairs if known])


def _keyed(table: str, row: Mapping[str, object]) -> Row:
    keys = _KEYS[table]
    keyed = {(f"key_{name}" if name in keys else name): value for name, value in row.items()}
    if "state_since" in keyed:  # moves only with the state: the statement compares
        keyed |= {"to_state": keyed["state"], "to_since": keyed.pop("state_since")}
    return keyed
