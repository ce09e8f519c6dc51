"""The parties' shares of a portion: drawn from claims, taken back, and held on accounts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from domain.loan.aggregate import Installment, Loan
from domain.loan.product import Routing
from domain.loan.split import SplitRules, draw, split
from domain.loan.waterfall import Allocation
from domain.payment.portion import Allocated, Portion
from domain.pricing.amounts import Amounts, Component

Held = Mapping[tuple[str, int, Component], int]
"""Minor units by party, installment and component."""


def share_out(loan: Loan, paid: Iterable[Allocation]) -> tuple[Allocated, ...]:
    """Allocations with what each party gets of them.

    Each draws what the parties are still due of that component: of what was written off where the
    installment is written off, otherwise of what is owed.
    """
    return tuple(_shared(loan, part) for part in paid)


def drawn_from(item: Installment, amounts: Amounts, rules: SplitRules) -> dict[str, Amounts]:
    """What each party gives or gets when amounts of an installment are drawn from its claims."""
    parts = dict.fromkeys(rules.parties, Amounts())
    for component, minor in amounts.items():
        for party, share in _drawn(item, component, minor, rules).items():
            parts[party] = parts[party].plus(component, share)
    return parts


def by_state(loan: Loan, parts: Iterable[Allocated]) -> tuple[list[Allocated], list[Allocated]]:
    """Parts on installments that are owed, and parts on those that are written off."""
    found: tuple[list[Allocated], list[Allocated]] = [], []
    for part in parts:
        found[loan.installment(part.number).is_written_off].append(part)
    return found


def cut(part: Allocated, minor: int) -> tuple[Allocated, Allocated]:
    """An allocation cut in two, the first of `minor` units; shares are cut in proportion."""
    first = draw(dict(part.shares), minor)
    rest = {party: share - first[party] for party, share in part.shares}
    return _with_shares(part, minor, first), _with_shares(part, part.minor - minor, rest)


def held(loan: Loan, portion: Portion) -> Held:
    """What of a portion its parties hold: their shares, as far as booked lines show the cash there.

    Only a party that the product routes directly holds anything, and only what lies on exactly the
    account that the product names for it. What was brought over, the former system has passed on.
    """
    found: dict[tuple[str, int, Component], int] = {}
    for payee in loan.product.payees:
        cash = max(0, portion.cash_on(payee.account)) if payee.routing is Routing.DIRECT else 0
        cash = portion.net_minor if portion.is_brought_over else cash
        for part in portion.allocations:
            if minor := min(cash, part.share_of(payee.party)):
                key = (payee.party, part.number, part.component)
                found[key] = found.get(key, 0) + minor
                cash -= minor
    return found


def where_held(loan: Loan, portion: Portion, party: str) -> str:
    """The place where a party holds its share of a portion."""
    if portion.is_brought_over:
        return portion.clearing_account
    return loan.product.own_accounts[party]


def _shared(loan: Loan, part: Allocation) -> Allocated:
    item = loan.installment(part.number)
    shares = _drawn(item, part.component, part.minor, loan.product.shares)
    return _with_shares(Allocated(part.number, part.component, part.minor), part.minor, shares)


def _drawn(
    item: Installment, component: Component, minor: int, rules: SplitRules
) -> dict[str, int]:
    claims = item.written_off_claims if item.is_written_off else item.claims
    open_claims = {p: claims.get(p, Amounts()).of(component) for p in rules.parties}
    return draw(open_claims, minor, _fixed_left(item, component, rules))


def _fixed_left(item: Installment, component: Component, rules: SplitRules) -> dict[str, int]:
    """What is left of the fixed amounts that come before any fraction, by party."""
    fixed = {rule.party: rule.fixed_minor for rule in rules.of(component) if rule.fixed_minor}
    if not fixed:
        return {}
    due = split(item.charged, rules)
    left = {}
    for party, minor in fixed.items():
        still = item.claims.get(party, Amounts()) + item.written_off_claims.get(party, Amounts())
        left[party] = max(0, minor - due[party].of(component) + still.of(component))
    return left


def _with_shares(part: Allocated, minor: int, shares: Mapping[str, int]) -> Allocated:
    some = tuple((party, share) for party, share in shares.items() if share)
    return replace(part, minor=minor, shares=some)
