"""Looks again, under the chain head's lock, for what another process wrote meanwhile."""

from adapters.sql.engine import listed
from adapters.sql.faults import Raced
from adapters.sql.write.changed import changed_installments
from adapters.sql.write.lookup import OF_ACCOUNTS, OF_PAYERS, lookups
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset
from domain.loan.aggregate import batches_among, of_batch, of_order


async def look_again(unit: Unit, work: Workset) -> None:
    """Look again, under the chain head's lock, for money that another process booked meanwhile.

    A payment is recorded here while its line is booked there, or on another loan, or an order is
    said to be of a batch whose line is booked there, or has news while a line of its return is
    booked: neither holds a lock that the other wants. Whoever comes second sees the first and
    begins anew. Two lines that wait under one reference are no race: neither looks for the other.

    Raises:
        Raced: another process booked the same money, or the other side of a barred account.
    """
    fresh = {
        payment.reference
        for payment in work.payments.values()
        if payment.source == "transfer" and payment.id not in work.roots_before["payments"]
    }
    waits = {
        ref
        for line in work.lines.values()
        if line.id not in work.roots_before["lines"]
        for item in line.waiting
        for ref in item.refs
    }
    find = lookups(postgres=unit.postgres)
    await _look_at_accounts(unit, work)
    for row in await unit.find(find.payments, sorted(fresh | waits)):
        if row.id not in work.refs.payments.get(row.reference, ()):
            raise Raced(row.reference)
    for row in await unit.find(find.batched, sorted(batches_among(waits))):
        if row.loan_id not in work.refs.batches.get(row.batch_ref, ()):
            raise Raced(row.batch_ref)
    asked = fresh.union(_batches_named(work), map(of_order, _orders_with_news(work)))
    for row in await unit.find(find.waiting, sorted(asked)):
        if row.line_id not in work.refs.waiting.get(row.ref, ()):
            raise Raced(row.ref)


async def _look_at_accounts(unit: Unit, work: Workset) -> None:
    """See that no new mandate is of an account or payer that another process bars, or the reverse.

    Raises:
        Raced: there is such a mandate.
    """
    before, find = work.roots_before["mandate_roots"], lookups(postgres=unit.postgres)
    asked: dict[str, set[str]] = {"accounts": set(), "payers": set()}
    asked |= {OF_ACCOUNTS: set(), OF_PAYERS: set()}
    for ref, root in work.mandate_roots.items():
        if ref not in before:
            asked["accounts"].add(root.terms.account_token)
            asked["payers"].add(root.payer)
            continue
        fresh = [bar for bar in root.terms.bars if bar not in before[ref].terms.bars]
        if any(bar.of_account for bar in fresh):
            asked[OF_ACCOUNTS].add(root.terms.account_token)
        if any(bar.of_payer for bar in fresh):
            asked[OF_PAYERS].add(root.payer)
    kinds = tuple(kind for kind, names in asked.items() if names)
    if not kinds:
        return
    params = {kind: listed(sorted(asked[kind]), postgres=unit.postgres) for kind in kinds}
    found = await unit.rows(find.resolve(kinds), params)
    if strange := [ref for _, _, ref in map(tuple, found) if ref not in work.mandate_roots]:
        raise Raced(strange[0])


def _orders_with_news(work: Workset) -> set[str]:
    """Numbers of orders of which more is known to have come, or gone back, since this group."""
    found: set[str] = set()
    for payment in work.payments.values():
        before = work.roots_before["payments"].get(payment.id)
        was = (before.amount_minor, before.returned_minor) if before is not None else (0, 0)
        if payment.order_no is not None and was != (payment.amount_minor, payment.returned_minor):
            found.add(payment.order_no)
    return found


def _batches_named(work: Workset) -> set[str]:
    """References of the batches that are known of some orders only since this group."""
    named: set[str] = set()
    for loan_id, loan in work.loans.items():
        before = work.loan_before(loan_id)
        for item in changed_installments(before, loan):
            old = before.installment(item.number).attempts if before else ()
            known = {attempt.batch_ref for attempt in old}
            named |= {a.batch_ref for a in item.attempts if a.batch_ref} - known
    return {of_batch(batch_ref) for batch_ref in named}
