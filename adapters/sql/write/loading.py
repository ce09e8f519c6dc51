"""Locks and loads what a group names: few statements, whatever the number of commands.

Order of locks: mandates, loans, payments, bank lines and payouts, each by key, then cases and
messages of the outbox; the chain head comes last, when writing. The command log is read only after
the locks of all but cases and messages: whoever waited for one sees what the holder committed.
Cases follow it, because a stored answer may be about one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from adapters.sql.engine import listed
from adapters.sql.faults import Raced
from adapters.sql.readrows import (
    read_answer,
    read_case,
    read_item,
    read_loan,
    read_payout,
    read_product,
    stored_mark,
)
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.deciding import reading_id
from adapters.sql.write.letters import load_letters
from adapters.sql.write.lookup import OF_ACCOUNTS, OF_PAYERS, REFERENCES, Lookups, lookups
from adapters.sql.write.roots import ROOTS
from adapters.sql.write.standing import look
from adapters.sql.write.taking import set_aside
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Held, Logged, Workset
from domain.case.case import CASE
from domain.kernel.command import Command, Scope
from domain.kernel.subject import Subject
from domain.loan.aggregate import batches_among
from domain.loan.boarding import BoardLoan
from domain.loan.product import Product
from domain.loan.view import INSTALLMENT, installment_of
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.payout.commands import InstructPayout, RequestPayout
from domain.payout.payout import PAYOUT

_ASKED_FOR = frozenset({OF_ACCOUNTS, OF_PAYERS})


async def load(unit: Unit, work: Workset, commands: Sequence[Command], cache: LoanCache) -> None:
    """Fill an empty workset with everything that `commands` name."""
    find = lookups(postgres=unit.postgres)
    scopes = [command.scope() for command in commands]
    asked = {kind: _named(scopes, kind) for kind in REFERENCES if kind not in _ASKED_FOR}
    asked["orders"] = sorted({*asked["orders"], *work.further.orders})
    asked["payouts"] = sorted({*asked["payouts"], *work.further.payouts})
    asked[OF_ACCOUNTS], asked[OF_PAYERS] = (
        sorted(names) for names in (work.further.accounts, work.further.payers)
    )
    await _resolve(unit, work, find, asked)
    line_ids = sorted({*_named(scopes, "lines")}.union(*work.refs.waiting.values()))
    if waiting := work.refs.waiting:
        further = {"lines": line_ids, "batches": batches_among(waiting)}
        await _resolve(unit, work, find, further)
    barred = set().union(*work.refs.accounts.values(), *work.refs.payers.values())
    roots = sorted({*_named(scopes, "mandate_roots"), *work.widened, *barred})
    await _lock_roots(unit, work, find, {"mandate_roots": roots})
    # Whoever brings a loan under a mandate holds its lock: under it, no loan is missed.
    again = work.mandate_roots.keys() & {*_named(scopes, "under_mandates"), *work.widened}
    await _resolve(unit, work, find, {"under_mandates": sorted(again)})
    named = work.refs.loans().union(*(scope.loans for scope in scopes))
    await _load_loans(unit, work, find, sorted(named), cache)
    payouts = sorted({key for keys in work.refs.payouts.values() for key in keys})
    named_roots = {"payments": _payments(work, scopes), "lines": line_ids, "payouts": payouts}
    await _lock_roots(unit, work, find, named_roots)
    for payment in work.payments.values():
        if not work.held.keys() >= set(payment.loans):
            raise Raced(payment.id)
    await _load_log(unit, work, find, commands)
    await _load_answered(unit, work, find, cache)
    await _load_cases(unit, work, find, line_ids, _named(scopes, "cases"))
    await _load_items(unit, work, find, line_ids)
    await load_letters(unit, work, sorted({one for scope in scopes for one in scope.letters}))
    await _load_products(unit, work, find, commands, cache)
    await _look_at_payouts(unit, work, commands)


async def _look_at_payouts(unit: Unit, work: Workset, commands: Sequence[Command]) -> None:
    """Look at the accounts of payouts to be instructed; last, set items aside for requests."""
    for command in commands:
        if isinstance(command, InstructPayout):
            await look(unit, work, command)
    for command in commands:
        if isinstance(command, RequestPayout):
            await set_aside(unit, work, command)


async def _lock_roots(
    unit: Unit, work: Workset, find: Lookups, named: Mapping[str, list[str]]
) -> None:
    """Lock and read roots of one row each, kind by kind in the order of `ROOTS`."""
    for root in (root for root in ROOTS if root.name in named):
        for row in await unit.find(find.lock_roots[root.name], named[root.name]):
            found = root.read(row.body)
            work.roots_before[root.name][row.key] = work.roots[root.name][row.key] = found


def _named(scopes: Sequence[Scope], kind: str) -> list[str]:
    return sorted({ref for scope in scopes for ref in getattr(scope, kind)})


def _payments(work: Workset, scopes: Sequence[Scope]) -> list[str]:
    """Ids of the payments that are named, and of those that orders, mandates, batches brought.

    The loans are locked by now, so what a rival booked for an order meanwhile is among them.
    """
    refs = work.refs
    found = {name for names in refs.payments.values() for name in names} | refs.sharing.keys()
    whole = {
        name for names in (*refs.under_mandates.values(), *refs.batches.values()) for name in names
    }
    orders = set(_named(scopes, "orders"))
    for loan_id in whole.union(refs.orders.values()):
        loan = work.loans.get(loan_id)
        for portion in loan.portions if loan is not None else ():
            if portion.order_no is not None and (loan_id in whole or portion.order_no in orders):
                found.add(portion.id)
    return sorted(found)


async def _resolve(
    unit: Unit, work: Workset, find: Lookups, named: Mapping[str, Sequence[str]]
) -> None:
    """Look up who holds the references of each kind: one statement for all of them."""
    kinds = tuple(kind for kind in REFERENCES if named.get(kind))
    if not kinds:
        return
    params = {kind: listed(named[kind], postgres=unit.postgres) for kind in kinds}
    rows = await unit.rows(find.resolve(kinds), params)
    refs = work.refs
    for kind, ref, holder in sorted(tuple(row) for row in rows):
        match kind:
            case "orders" | "messages":
                getattr(refs, kind)[ref] = holder
            case _:
                getattr(refs, kind).setdefault(ref, set()).add(holder)


async def _load_loans(
    unit: Unit, work: Workset, find: Lookups, names: list[str], cache: LoanCache
) -> None:
    stale: list[str] = []
    for row in await unit.find(find.lock_loans, names):
        held = cache.get(row.id, row.revision)
        if held is None:
            stale.append(row.id)
        else:
            _hold(work, held)
    for held in await read_loans(unit, find, stale, cache):
        _hold(work, held)


def _hold(work: Workset, held: Held) -> None:
    work.held[held.loan.id] = held
    work.loans[held.loan.id] = held.loan
    work.contents[held.loan.id] = held.content


async def read_loans(unit: Unit, find: Lookups, names: list[str], cache: LoanCache) -> list[Held]:
    """Whole loans, in three statements for any number, and one more for unknown products."""
    heads = await unit.find(find.loans, names)
    products = await _products(unit, find, {row.product_ref for row in heads}, cache)
    installments: defaultdict[str, list[str]] = defaultdict(list)
    views: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
    for row in await unit.find(find.installments, names):
        installments[row.loan_id].append(row.body)
        views[row.loan_id][row.number] = stored_mark(INSTALLMENT, row.view)
    portions: defaultdict[str, list[str]] = defaultdict(list)
    for row in await unit.find(find.loan_portions, names):
        portions[row.loan_id].append(row.body)
    return [
        Held(
            read_loan(row.body, products[row.product_ref], installments[row.id], portions[row.id]),
            row.revision,
            row.content,
            views[row.id],
        )
        for row in heads
    ]


async def _products(
    unit: Unit, find: Lookups, refs: set[str], cache: LoanCache
) -> dict[str, Product]:
    await _fetch_products(unit, find, refs, cache)
    return {ref: cache.products[ref][1] for ref in refs}


async def _fetch_products(unit: Unit, find: Lookups, refs: set[str], cache: LoanCache) -> None:
    """Have the products that the database holds of these in the cache."""
    missing = sorted(ref for ref in refs if ref not in cache.products)
    for row in await unit.find(find.products, missing):
        cache.products[row.ref] = (row.digest, read_product(row.body))


async def _load_log(unit: Unit, work: Workset, find: Lookups, commands: Sequence[Command]) -> None:
    """What is known under these ids and dedup keys: one statement for both."""
    ids = {command.id for command in commands}
    keys = {command.dedup_key() for command in commands if command.evidence}
    dedup_keys = {key for key in keys if key is not None}
    if dedup_keys:
        values = {"values": ids, "dedup_keys": dedup_keys}
        params = {name: listed(sorted(of), postgres=unit.postgres) for name, of in values.items()}
        rows = await unit.rows(find.commands_or_dedup_keys, params)
    else:
        rows = await unit.find(find.commands, sorted(ids))
    for row in rows:
        if row.id in ids:
            work.seen[row.id] = _logged(row)
        if row.dedup_key in dedup_keys:
            work.by_dedup_key[row.dedup_key] = _logged(row)
    others = {
        reading_id(command.id, identity)
        for command in commands
        if command.evidence
        and (known := work.seen.get(command.id)) is not None
        and known.identity != (identity := command.identity())
    }
    for row in await unit.find(find.commands, sorted(others)) if others else ():
        work.seen[row.id] = _logged(row)


def _logged(row: Row[Any]) -> Logged:
    subject = Subject(row.subject_kind, row.subject_key) if row.subject_kind else None
    answer = read_answer(row.answer) if row.rule is None else None
    refusal = row.answer if row.rule is not None else ""
    return Logged(
        row.id,
        row.identity,
        row.dedup_key,
        answer,
        row.rule or "",
        refusal,
        subject,
        row.loan_id,
        row.written_by,
    )


async def _load_answered(unit: Unit, work: Workset, find: Lookups, cache: LoanCache) -> None:
    """What only a stored answer is about, for its view: loans without a lock, keys of cases."""
    known = (*work.seen.values(), *work.by_dedup_key.values())
    named = {log.subject for log in known if log.subject is not None}
    items = {subject for subject in named if subject.kind == INSTALLMENT}
    names = {installment_of(subject)[0] for subject in items}
    names |= {subject.key for subject in named if subject.kind == LOAN_CLOSURE}
    names -= work.loans.keys()
    work.further.cases |= {subject.key for subject in named if subject.kind == CASE}
    for held in await read_loans(unit, find, sorted(names), cache):
        work.loans[held.loan.id] = held.loan
    keys = {subject.key for subject in named if subject.kind == PAYOUT} - work.payouts.keys()
    for row in await unit.find(find.payouts, sorted(keys)):
        work.roots["payouts"][row.key] = work.roots_before["payouts"][row.key] = read_payout(
            row.body
        )


async def _load_cases(
    unit: Unit, work: Workset, find: Lookups, line_ids: list[str], named: list[str]
) -> None:
    """Open cases of the loans and lines, and any that are named, locked after their loans."""
    keys = sorted(work.further.cases.union(named))
    if not work.loans and not line_ids and not keys:
        return
    wanted = {"loans": sorted(work.loans), "lines": line_ids, "keys": keys}
    params = {name: listed(values, postgres=unit.postgres) for name, values in wanted.items()}
    for row in await unit.rows(find.lock_cases, params):
        case = read_case(row.body)
        work.cases[case.key] = work.cases_before[case.key] = case
        is_asked_for = case.key in named or (case.is_open and case.line in line_ids)
        if is_asked_for and _is_strange(work, case.loan_id):
            raise Raced(case.key)


async def _load_items(unit: Unit, work: Workset, find: Lookups, line_ids: list[str]) -> None:
    """Lines that are items of cases; only where a case that was loaded has any."""
    if any(case.items_ever for case in work.cases.values()):
        for row in await unit.find(find.items, line_ids):
            item = read_item(row)
            name = (item.case, item.line)
            work.items[name] = work.items_before[name] = item


def _is_strange(work: Workset, loan_id: str | None) -> bool:
    """Whether a loan is named that was not locked: it was named since its references were read."""
    return loan_id is not None and loan_id not in work.held


async def _load_products(
    unit: Unit, work: Workset, find: Lookups, commands: Sequence[Command], cache: LoanCache
) -> None:
    """Digests of the products that are to be pinned, as far as the books know them."""
    refs = {command.product.ref for command in commands if isinstance(command, BoardLoan)}
    if refs:
        await _fetch_products(unit, find, refs, cache)
        work.products.update({ref: cache.products[ref][0] for ref in refs if ref in cache.products})
        work.products_kept.update(work.products)
