"""Writes the difference that a group made: projections first, then the journal and messages.

The order keeps writers from waiting for each other in a circle. Rows of loans and lines are
protected by the locks taken while loading and go first, sorted; then the chain head is locked, and
only under it are the journal, balances, cases and the outbox written.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, delete

from adapters.sql import rows
from adapters.sql.faults import Raced
from adapters.sql.rows import Row
from adapters.sql.schema import tables
from adapters.sql.write.changed import changed_installments
from adapters.sql.write.deciding import Domain, view_in
from adapters.sql.write.journal import append_journal
from adapters.sql.write.letters import write_letters
from adapters.sql.write.lookup import lookups
from adapters.sql.write.payables import write_payable_items
from adapters.sql.write.pieces import write_pieces
from adapters.sql.write.putting import INSERTS, add, put
from adapters.sql.write.racing import look_again
from adapters.sql.write.roots import ROOTS
from adapters.sql.write.taking import release_items, settle_asides
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Held, Workset
from domain.loan.aggregate import LineState, Loan
from domain.loan.product import Product
from domain.loan.view import installment

_DELETE_REFS = delete(tables.line_refs).where(
    *(tables.line_refs.c[name] == bindparam(name) for name in ("ref", "line_id"))
)
"""Nothing waits on a line under a reference any more."""


async def write(unit: Unit, work: Workset, domain: Domain) -> list[Held]:
    """Write what `work` changed and nothing else; gives the loans as they are held from now on."""
    await settle_asides(work)
    changed = sorted(
        loan_id
        for loan_id, loan in work.loans.items()
        if loan_id not in work.held or work.held[loan_id].loan is not loan
    )
    changed = [name for name in changed if name in work.held or name in work.contents]
    held = [_held(work, loan_id) for loan_id in changed]
    await _write_products(unit, work, held)
    await _write_loans(unit, work, held, domain)
    kept = await _write_installments(unit, work, held, domain)
    await _write_children(unit, work, held)
    await write_payable_items(unit, work, held)
    await release_items(unit, work)
    await _write_roots(unit, work)
    await write_pieces(unit, work)
    await append_journal(unit, work)
    await look_again(unit, work)
    await _write_cases(unit, work, domain)
    await _write_payouts(unit, work, domain)
    await _write_closures(unit, work, domain)
    await _write_messages(unit, work)
    await write_letters(unit, work)
    return kept


def _held(work: Workset, loan_id: str) -> Held:
    before = work.held.get(loan_id)
    revision = before.revision + 1 if before else 1
    views = before.views if before else {}
    return Held(work.loans[loan_id], revision, work.contents[loan_id], views)


async def _write_products(unit: Unit, work: Workset, held: list[Held]) -> None:
    new: dict[str, Product] = {}
    for item in held:
        if item.loan.id not in work.held:
            new[item.loan.product.ref] = item.loan.product
    known = work.products_kept
    missing = [rows.product_row(new[ref]) for ref in sorted(new) if ref not in known]
    await unit.many(INSERTS["products"], missing)


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
    await put(unit, "loans", pairs)


async def _write_installments(
    unit: Unit, work: Workset, held: list[Held], domain: Domain
) -> list[Held]:
    """Write installments that changed, and views that changed with their loan or cases.

    Gives the loans with the marks of the views that are stored from now on.
    """
    changed: list[tuple[bool, Row]] = []
    shown: list[tuple[bool, Row]] = []
    marks = {item.loan.id: dict(item.views) for item in held}
    cases = [work.cases[key] for key in sorted(work.changed_cases)]
    todo = {about for case in cases if (about := _about(case.loan_id, case.number))}
    for item in held:
        before = work.loan_before(item.loan.id)
        numbers = {new.number for new in changed_installments(before, item.loan)}
        for number in sorted(numbers):
            row, mark = _row(work, item.loan, number, domain)
            changed.append((before is not None, {**row, "changed_at": work.at}))
            marks[item.loan.id][number] = mark
        todo -= {(item.loan.id, number) for number in numbers}
        for other in item.loan.installments:
            about = (item.loan.id, other.number)
            if not other.driver.opened or other.number in numbers or about in todo:
                continue
            row, mark = _row(work, item.loan, other.number, domain)
            if mark != item.views.get(other.number):
                shown.append((True, row))
                marks[item.loan.id][other.number] = mark
    for loan_id, number in sorted(todo):
        loan = work.loans.get(loan_id)
        if loan is None or not 1 <= number <= len(loan.installments):
            continue
        row, mark = _row(work, loan, number, domain)
        shown.append((True, row))
        if loan_id in work.held:
            marks.setdefault(loan_id, dict(work.held[loan_id].views))[number] = mark
    await put(unit, "subjects", changed)
    await put(unit, "subjects", sorted(shown, key=_subject_of))
    mine = {item.loan.id: item for item in held}
    return [
        replace(mine.get(name) or work.held[name], views=found) for name, found in marks.items()
    ]


async def _write_cases(unit: Unit, work: Workset, domain: Domain) -> None:
    """Write the cases that changed: what they are found by, then the cases as subjects."""
    found: dict[str, Row] = {}
    pairs: list[tuple[bool, Row]] = []
    for key in sorted(work.changed_cases):
        case = work.cases[key]
        view = view_in(work, case.subject, domain)
        if view is not None:
            row = rows.subject_row(view, case.driver, rows.case_body(case))
            row |= {"changed_at": work.at, "state_since": work.at}
            pairs.append((key in work.cases_before, row))
            found[key] = rows.case_row(case, view.detail.late_from)
    await _write_found_by(unit, work, found)
    await put(unit, "subjects", pairs)
    changed = [work.cases[key] for key in sorted(found)]
    before = work.cases_before
    links = [
        row
        for case in changed
        if case.key not in before or before[case.key].links != case.links
        for row in rows.link_rows(case)
    ]
    words = [row for case in changed for row in rows.word_rows(case, before.get(case.key))]
    await add(unit, "case_links", links)
    await add(unit, "case_words", words)
    items = [
        (name in work.items_before, rows.item_row(item))
        for name, item in sorted(work.items.items())
        if work.items_before.get(name) != item
    ]
    await put(unit, "case_items", items)


async def _write_payouts(unit: Unit, work: Workset, domain: Domain) -> None:
    """Write what lists show of the payouts that changed; their bodies were written as roots."""
    before, pairs = work.roots_before["payouts"], []
    for key, payout in sorted(work.payouts.items()):
        view = view_in(work, payout.subject, domain)
        if before.get(key) != payout and view is not None:
            row = rows.subject_row(view, payout.driver, "")
            row |= {"changed_at": work.at, "state_since": work.at}
            pairs.append((key in before, row))
    await put(unit, "subjects", pairs)


async def _write_closures(unit: Unit, work: Workset, domain: Domain) -> None:
    """Write what lists show of the closures that changed; their bodies lie in their loans.

    One that waits for a case is written as well where a case of its loan has changed.
    """
    pairs: list[tuple[bool, Row]] = []
    about = {work.cases[key].loan_id for key in work.changed_cases}
    for loan_id, loan in sorted(work.loans.items()):
        before = work.loan_before(loan_id)
        known, now = before.closing if before is not None else None, loan.closing
        if now is None or (known is now and loan_id not in about):
            continue
        view = view_in(work, now.subject, domain)
        if view is not None:
            row = rows.subject_row(view, now.driver, "", product=loan.product.ref)
            row |= {"changed_at": work.at, "state_since": now.since}
            pairs.append((known is not None, row))
    await put(unit, "subjects", pairs)


async def _write_found_by(unit: Unit, work: Workset, found: Mapping[str, Row]) -> None:
    """Write what the cases that changed are found by; they themselves are written as subjects.

    Raises:
        Raced: a case that is new to this group is on the books, as a rule resolved; the next try
            reads it. Resolved cases are not read beforehand: a loan may have very many.
    """
    new = sorted(found.keys() - work.cases_before.keys())
    known_already = await unit.find(lookups(postgres=unit.postgres).case_keys, new)
    if known_already:
        work.further.cases.update(row.key for row in known_already)
        raise Raced(known_already[0].key)
    pairs = [(key in work.cases_before, found[key]) for key in sorted(found)]
    await put(unit, "cases", pairs)


async def _write_messages(unit: Unit, work: Workset) -> None:
    """Write the messages that leave after the commit, in the order of the decisions."""
    left = [
        rows.message_row(message, work.at, work.origins.get(command_id))
        for message, command_id in work.messages
    ]
    await unit.many(INSERTS["outbox"], left)


def _subject_of(pair: tuple[bool, Row]) -> tuple[str, int]:
    return pair[1]["loan_id"], pair[1]["number"]


def _about(loan_id: str | None, number: int | None) -> tuple[str, int] | None:
    return (loan_id, number) if loan_id is not None and number is not None else None


def _row(work: Workset, loan: Loan, number: int, domain: Domain) -> tuple[Row, bytes]:
    """The row of an installment, and the mark of its view."""
    view, item = view_in(work, installment(loan.id, number), domain), loan.installment(number)
    if view is None:
        raise LookupError(f"loan {loan.id} has no installment {number}")
    body = rows.installment_body(item)
    row = rows.subject_row(view, item.driver, body, loan.borrower, loan.product.ref)
    return {**row, "state_since": work.at}, rows.view_mark(view)


async def _write_children(unit: Unit, work: Workset, held: list[Held]) -> None:
    attempts: list[tuple[bool, Row]] = []
    notices: list[tuple[bool, Row]] = []
    portions: list[tuple[bool, Row]] = []
    for item in held:
        before, loan = work.loan_before(item.loan.id), item.loan
        for new in changed_installments(before, loan):
            known = before is not None and new.number <= len(before.installments)
            old = before.installment(new.number) if before is not None and known else None

            def attempt(value: Any, number: int = new.number, loan: Loan = loan) -> Row:  # noqa: ANN401
                return rows.attempt_row(loan.id, number, value)

            def notice(value: Any, number: int = new.number, loan: Loan = loan) -> Row:  # noqa: ANN401
                return rows.notice_row(loan.id, number, value)

            attempts += _changes(old.attempts if old else (), new.attempts, "number", attempt)
            notices += _changes(old.notices if old else (), new.notices, "message_id", notice)
        old_portions = {portion.id: portion for portion in before.portions} if before else {}
        portions += [
            (portion.id in old_portions, rows.portion_row(loan.id, position, portion))
            for position, portion in enumerate(loan.portions)
            if old_portions.get(portion.id) != portion
        ]
    await put(unit, "attempts", attempts)
    await put(unit, "notices", notices)
    await put(unit, "portions", portions)


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


async def _write_roots(unit: Unit, work: Workset) -> None:
    """Write the roots of one row each that changed, and the references that lines wait under."""
    for root in ROOTS:
        before, roots = work.roots_before[root.name], work.roots[root.name]
        pairs = [
            (key in before, root.row(body))
            for key, body in sorted(roots.items())
            if before.get(key) != body
        ]
        await put(unit, root.table.name, pairs)
    was = {pair for line in work.roots_before["lines"].values() for pair in _waits_under(line)}
    now = {pair for line in work.lines.values() for pair in _waits_under(line)}
    for statement, refs in ((_DELETE_REFS, was - now), (INSERTS["line_refs"], now - was)):
        await unit.many(statement, [{"ref": ref, "line_id": line} for ref, line in sorted(refs)])


def _waits_under(line: LineState) -> Iterable[tuple[str, str]]:
    """Every reference under which money of a line waits, with the line's id."""
    return ((ref, line.id) for item in line.waiting for ref in item.refs)
